#!/usr/bin/env python3
"""Makes the tables that turn a place into a grid zone (data/zone_outlines.bin, zip_zones.bin, us_states.csv, cloud_places.csv).

usage: tools/build_place_lookup.py SHARED_DATA

All numbers in the .bin files are varints (7 bits a byte, lowest first, top bit: more follow), signed ones zigzag; coordinates are whole
hundredths of a degree, which is what the simplified outlines hold anyway, so that nothing is lost.

zone_outlines.bin
  number of zones, then of each: length of its key, the key, a point well inside it (longitude, latitude)
  number of rings, then of each: its zone, its number of points, the points, each less the one before it (the first: less 0, 0)
  Rings stand in order of area, smallest first. The outlines have no holes, so a country inside another (Lesotho) lies in both rings:
  the smaller one, which comes first, is meant.

zip_zones.bin
  number of zones, then of each: length of its key, the key ("?FL": a ZIP in Florida of which no zone is known; "": no such ZIP)
  number of runs, then of each: its first ZIP less that of the run before it, its zone, a point of it (longitude, latitude), less the
  point of the run before it
  A run is the ZIPs from its first to the next run's in one zone and one three-digit prefix; its point is that of the ZIP nearest to their mean.

Same inputs, same bytes.
"""

import collections
import csv
import gzip
import json
import math
import os
import sys

US_STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado", "CT": "Connecticut",
    "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois",
    "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland",
    "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska",
    "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
    "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island",
    "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VA": "Virginia",
    "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming"}

# Territories whose zone is a country key; the others (MP, FM, PW, MH and the military AA, AE, AP) have no zone here.
TERRITORIES = {"PR": "PR", "VI": "VI", "GU": "GU", "AS": "AS"}

# Where the regions are that the MIT-licensed list (Carbon Aware SDK) lacks or has wrong: the place that the provider itself names the
# region after, typed to a tenth of a degree.
TYPED_PLACES = {
    "Cape Town": (-33.9, 18.4), "Hong Kong": (22.3, 114.2), "Tokyo": (35.7, 139.7), "Seoul": (37.6, 127.0), "Osaka": (34.7, 135.5),
    "Mumbai": (19.1, 72.9), "Hyderabad": (17.4, 78.5), "Singapore": (1.35, 103.8), "Sydney": (-33.9, 151.1), "Jakarta": (-6.2, 106.8),
    "Melbourne": (-37.8, 145.0), "Kuala Lumpur": (3.1, 101.7), "Auckland": (-36.9, 174.8), "Bangkok": (13.8, 100.5), "Montreal": (45.5, -73.6),
    "Calgary": (51.0, -114.1), "Beijing": (39.9, 116.4), "Ningxia": (38.5, 106.2), "Frankfurt": (50.1, 8.7), "Zurich": (47.4, 8.5),
    "Stockholm": (59.3, 18.0), "Milan": (45.5, 9.2), "Zaragoza": (41.7, -0.9), "Dublin": (53.3, -6.3), "London": (51.5, -0.1),
    "Paris": (48.9, 2.3), "Tel Aviv": (32.1, 34.8), "Dubai": (25.2, 55.3), "Manama": (26.1, 50.6), "Queretaro": (20.6, -100.4),
    "Sao Paulo": (-23.5, -46.6), "Northern Virginia": (39.0, -77.5), "Columbus": (40.0, -83.0), "San Jose": (37.3, -121.9),
    "Boardman": (45.8, -119.7), "Vienna": (48.2, 16.4), "Shanghai": (31.2, 121.5), "Copenhagen": (55.7, 12.5), "Atlanta": (33.8, -84.4),
    "Athens": (38.0, 23.7), "Taipei": (25.0, 121.6), "Changhua": (24.1, 120.5), "Johannesburg": (-26.2, 28.0), "Delhi": (28.6, 77.2),
    "Warsaw": (52.2, 21.0), "Hamina": (60.6, 27.2), "Madrid": (40.4, -3.7), "Saint-Ghislain": (50.5, 3.8), "Berlin": (52.5, 13.4),
    "Turin": (45.1, 7.7), "Eemshaven": (53.4, 6.8), "Doha": (25.3, 51.5), "Dammam": (26.4, 50.1), "Toronto": (43.7, -79.4),
    "Santiago": (-33.4, -70.7), "Council Bluffs": (41.2, -95.8), "Moncks Corner": (33.1, -80.0), "The Dalles": (45.6, -121.2),
    "Dallas": (32.8, -96.8), "Los Angeles": (34.1, -118.2), "Salt Lake City": (40.8, -111.9), "Las Vegas": (36.2, -115.1)}
TYPED_REGIONS = {
    "aws": {"af-south-1": "Cape Town", "ap-east-1": "Hong Kong", "ap-northeast-1": "Tokyo", "ap-northeast-2": "Seoul",
            "ap-northeast-3": "Osaka", "ap-south-1": "Mumbai", "ap-south-2": "Hyderabad", "ap-southeast-1": "Singapore",
            "ap-southeast-2": "Sydney", "ap-southeast-3": "Jakarta", "ap-southeast-4": "Melbourne", "ap-southeast-5": "Kuala Lumpur",
            "ap-southeast-6": "Auckland", "ap-southeast-7": "Bangkok", "ca-central-1": "Montreal", "ca-west-1": "Calgary",
            "cn-north-1": "Beijing", "cn-northwest-1": "Ningxia", "eu-central-1": "Frankfurt", "eu-central-2": "Zurich",
            "eu-north-1": "Stockholm", "eu-south-1": "Milan", "eu-south-2": "Zaragoza", "eu-west-1": "Dublin", "eu-west-2": "London",
            "eu-west-3": "Paris", "il-central-1": "Tel Aviv", "me-central-1": "Dubai", "me-south-1": "Manama", "mx-central-1": "Queretaro",
            "sa-east-1": "Sao Paulo", "us-east-1": "Northern Virginia", "us-east-2": "Columbus", "us-gov-east-1": "Columbus",
            "us-gov-west-1": "Boardman", "us-west-1": "San Jose", "us-west-2": "Boardman"},
    "azure": {"austriaeast": "Vienna", "chinaeast": "Shanghai", "chinaeast2": "Shanghai", "chinanorth": "Beijing", "chinanorth2": "Beijing",
              "chinanorth3": "Beijing", "denmarkeast": "Copenhagen", "eastus3": "Atlanta", "greececentral": "Athens",
              "indiasouthcentral": "Hyderabad", "indonesiacentral": "Jakarta", "israelcentral": "Tel Aviv", "newzealandnorth": "Auckland",
              "taiwannorth": "Taipei"},
    "gcp": {"africa-south1": "Johannesburg", "asia-east1": "Changhua", "asia-east2": "Hong Kong", "asia-northeast1": "Tokyo",
            "asia-northeast2": "Osaka", "asia-northeast3": "Seoul", "asia-south1": "Mumbai", "asia-south2": "Delhi",
            "asia-southeast1": "Singapore", "asia-southeast2": "Jakarta", "asia-southeast3": "Bangkok", "australia-southeast1": "Sydney",
            "australia-southeast2": "Melbourne", "europe-central2": "Warsaw", "europe-north1": "Hamina", "europe-north2": "Stockholm",
            "europe-southwest1": "Madrid", "europe-west1": "Saint-Ghislain", "europe-west10": "Berlin", "europe-west12": "Turin",
            "europe-west2": "London", "europe-west3": "Frankfurt", "europe-west4": "Eemshaven", "europe-west6": "Zurich",
            "europe-west8": "Milan", "europe-west9": "Paris", "me-central1": "Doha", "me-central2": "Dammam", "me-west1": "Tel Aviv",
            "northamerica-northeast1": "Montreal", "northamerica-northeast2": "Toronto", "northamerica-south1": "Queretaro",
            "southamerica-east1": "Sao Paulo", "southamerica-west1": "Santiago", "us-central1": "Council Bluffs", "us-east1": "Moncks Corner",
            "us-east2": "Atlanta", "us-east4": "Northern Virginia", "us-east5": "Columbus", "us-south1": "Dallas", "us-west1": "The Dalles",
            "us-west2": "Los Angeles", "us-west3": "Salt Lake City", "us-west4": "Las Vegas"}}


# ---------------------------------------------------------------------------------------------------------------- bytes

def unsigned(out, value):
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def signed(out, value):
    unsigned(out, value << 1 if value >= 0 else (-value << 1) - 1)


def name(out, text):
    unsigned(out, len(text))
    out.extend(text.encode("ascii"))


# ------------------------------------------------------------------------------------------------------------- outlines

def hundredths(degrees):
    return round(degrees * 100)


def twice_area(ring):
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1])))


def inside(ring, x, y):
    odd = False
    for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1]):
        if (y0 > y) != (y1 > y) and x < x0 + (x1 - x0) * (y - y0) / (y1 - y0):
            odd = not odd
    return odd


def distance(ring, x, y, narrow):
    """From a point to the nearest edge, where a degree of longitude is `narrow` times one of latitude."""
    best = math.inf
    for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1]):
        ax, ay, dx, dy = (x0 - x) * narrow, y0 - y, (x1 - x0) * narrow, y1 - y0
        t = min(1.0, max(0.0, -(ax * dx + ay * dy) / (dx * dx + dy * dy or 1)))
        best = min(best, math.hypot(ax + t * dx, ay + t * dy))
    return best


def point_within(ring, smaller):
    """The point of a grid over the ring that is farthest from its border and from the rings within it."""
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    narrow = math.cos(math.radians((min(ys) + max(ys)) / 200))
    found = None
    for steps in (12, 24, 48):
        for i in range(steps):
            for j in range(steps):
                x = round(min(xs) + (max(xs) - min(xs)) * (i + 0.5) / steps)
                y = round(min(ys) + (max(ys) - min(ys)) * (j + 0.5) / steps)
                if inside(ring, x + 0.1, y + 0.1) and not any(inside(other, x + 0.1, y + 0.1) for other in smaller):
                    score = min([distance(ring, x, y, narrow)] + [distance(other, x, y, narrow) for other in smaller])
                    if found is None or score > found[0]:
                        found = (score, x, y)
        if found:
            return found[1:]
    return ring[0]  # a sliver such as Monaco's, a hundredth of a degree wide


def box(ring):
    return min(x for x, _ in ring), min(y for _, y in ring), max(x for x, _ in ring), max(y for _, y in ring)


def build_outlines(raw):
    with gzip.open(raw + "/grid-zone-geometry/zones_simplified.json.gz", "rt") as f:
        zones = sorted(json.load(f)["zones"], key=lambda z: z["zone"])
    rings = []
    for index, zone in enumerate(zones):
        for ring in zone["rings"]:
            points = [(hundredths(x), hundredths(y)) for x, y in ring]
            if points[0] == points[-1]:
                points.pop()
            rings.append((twice_area(points), index, points))
    rings.sort()
    boxes = [box(points) for _, _, points in rings]
    out = bytearray()
    unsigned(out, len(zones))
    for index, zone in enumerate(zones):
        name(out, zone["zone"])
        at = max(i for i, r in enumerate(rings) if r[1] == index)
        west, south, east, north = boxes[at]
        smaller = [rings[i][2] for i in range(at) if rings[i][1] != index and boxes[i][0] < east and boxes[i][2] > west and
                   boxes[i][1] < north and boxes[i][3] > south]
        x, y = point_within(rings[at][2], smaller)
        signed(out, x)
        signed(out, y)
    unsigned(out, len(rings))
    for _, index, points in rings:
        unsigned(out, index)
        unsigned(out, len(points))
        before = (0, 0)
        for x, y in points:
            signed(out, x - before[0])
            signed(out, y - before[1])
            before = (x, y)
    return out


# ------------------------------------------------------------------------------------------------------------------ ZIP

def rows(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", newline="") as f:
        return list(csv.DictReader(f))


def zips(raw):
    """ZIP, zone, x, y; without one whose longitude lost its sign."""
    result = []
    for r in rows(raw + "/us-zip-egrid/zip_latlon_zone.csv.gz"):
        x, y = hundredths(float(r["lon"])), hundredths(float(r["lat"]))
        if r["state"] == "NY" and x > 0:
            continue
        result.append((int(r["zip"]), r["grid_zone"] or TERRITORIES.get(r["state"]) or "?" + r["state"], x, y))
    return sorted(result)


def runs(table):
    """(first ZIP, zone, x, y); every three-digit prefix begins one, empty where it has no ZIPs."""
    result = []
    by_prefix = collections.defaultdict(list)
    for row in table:
        by_prefix[row[0] // 100].append(row)
    for prefix in range(1000):
        group = by_prefix.get(prefix)
        if not group:
            if not result or result[-1][1] != "":
                result.append((prefix * 100, "", 0, 0))
            continue
        first = prefix * 100
        while group:
            zone = group[0][1]
            n = next((i for i, row in enumerate(group) if row[1] != zone), len(group))
            run, group = group[:n], group[n:]
            mx, my = sum(r[2] for r in run) / n, sum(r[3] for r in run) / n
            near = min(run, key=lambda r: (math.hypot((r[2] - mx) * math.cos(math.radians(my / 100)), r[3] - my), r[0]))
            result.append((first, zone, near[2], near[3]))
            first = group[0][0] if group else None
    return result


def build_zips(raw):
    table = runs(zips(raw))
    names = sorted({zone for _, zone, _, _ in table})
    out = bytearray()
    unsigned(out, len(names))
    for zone in names:
        name(out, zone)
    unsigned(out, len(table))
    before = (0, 0, 0)
    for first, zone, x, y in table:
        unsigned(out, first - before[0])
        unsigned(out, names.index(zone))
        signed(out, x - before[1])
        signed(out, y - before[2])
        before = (first, x, y)
    return out


def build_states(raw):
    count = collections.defaultdict(collections.Counter)
    of_prefix = collections.defaultdict(collections.Counter)
    for r in rows(raw + "/us-zip-egrid/zip_latlon_zone.csv.gz"):
        if r["grid_zone"]:
            count[r["state"]][r["grid_zone"]] += 1
            of_prefix[int(r["zip"]) // 100][r["state"]] += 1
    result = []
    for code, state in sorted(US_STATES.items()):
        zones = sorted(count[code].items(), key=lambda z: (-z[1], z[0]))
        result.append([code, state, "|".join(f"{zone}:{n}" for zone, n in zones), prefixes(of_prefix, code)])
    return result


def prefixes(of_prefix, code):
    """The three-digit prefixes of which most ZIPs lie in a state, as ranges: "197-199"."""
    own = [p for p in sorted(of_prefix) if min(of_prefix[p].items(), key=lambda s: (-s[1], s[0]))[0] == code]
    ranges = []
    for p in own:
        if ranges and ranges[-1][1] == p - 1:
            ranges[-1][1] = p
        else:
            ranges.append([p, p])
    return "|".join(f"{a:03}-{b:03}" for a, b in ranges)


# --------------------------------------------------------------------------------------------------------------- clouds

def build_clouds(raw):
    result = []
    for r in rows(raw + "/cloud-regions/cloud_regions.csv"):
        town = TYPED_REGIONS[r["provider"]].get(r["region"])
        if town is None:
            assert r["location_source"].startswith("casdk"), r
        lat, lon = TYPED_PLACES[town] if town else (float(r["lat"]), float(r["lon"]))
        result.append([r["provider"], r["region"], f"{lat:g}", f"{lon:g}", town or ""])
    return sorted(result)


def write(path, header, lines):
    with open(path, "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(lines)


def main():
    raw = sys.argv[1]
    out = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")
    for file, content in (("zone_outlines.bin", build_outlines(raw)), ("zip_zones.bin", build_zips(raw))):
        with open(os.path.join(out, file), "wb") as f:
            f.write(content)
    write(out + "/us_states.csv", ["code", "name", "zones", "prefixes"], build_states(raw))
    write(out + "/cloud_places.csv", ["provider", "region", "latitude", "longitude", "town"], build_clouds(raw))


if __name__ == "__main__":
    main()
