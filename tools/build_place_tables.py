#!/usr/bin/python3
"""Derives data/zone_intensity.csv, data/zone_marginal.csv, data/country_marginal_ifi_2021_cc_by_sa.csv and data/cloud_regions.csv.

usage: tools/build_place_tables.py FOLDER_OF_RAW_DATA [--compare]

Average intensity of a zone, annual, life-cycle, production based:
  - a country: the newest of Ember (via co2.js) and Our World in Data;
  - a US zone: eGRID2023, which is direct CO2e per subregion; to it come the upstream and life-cycle emissions of its fuel mix (the
    adders of IPCC AR5 as used by Electricity Maps: coal 60, gas 120, oil 244, biomass 230, nuclear 12, hydro 24, wind 11,
    solar 45, geothermal 38 g/kWh of that fuel). A balancing authority takes the mean of the subregions that it lies in;
  - Bonneville (US-NW-BPAT), whose own mix is far from its subregion's, and New York, whose three subregions (110, 393 and 540 g/kWh
    direct) are too unlike for a mean without their generation: the mean of their own hourly mix of 2021;
  - a part of another country, or of the US Northwest, in which Google runs a cloud region: what Google publishes for it (direct since 2021),
    as life-cycle;
  - public utilities on Bonneville's grid: Bonneville's value;
  - a part of another country whose generation by fuel is published: that, by part_mixes.py, which says how;
  - any other part of a country: the country's value, and it says so.
Same inputs, same bytes. --compare prints errors against Electricity Maps' annual values, which are never written anywhere.
"""

import csv
import gzip
import json
import os
import statistics
import sys

import part_mixes

LIFECYCLE_ADDER = {"coal": 60, "gas": 120, "oil": 244, "biomass": 230, "nuclear": 12, "hydro": 24, "wind": 11, "solar": 45, "geothermal": 38}

# Codes that the IFI table, our bridge from three letters to two, lacks.
ISO2 = {"TWN": "TW", "HKG": "HK", "XKX": "XK", "PSE": "PS", "PRI": "PR", "GUF": "GF", "GLP": "GP", "MTQ": "MQ", "REU": "RE", "NCL": "NC",
        "PYF": "PF", "GIB": "GI", "FRO": "FO", "GRL": "GL", "ABW": "AW", "BMU": "BM", "CYM": "KY", "MAC": "MO", "ASM": "AS", "GUM": "GU",
        "VIR": "VI", "VGB": "VG", "TCA": "TC", "MSR": "MS", "FLK": "FK", "SHN": "SH", "SPM": "PM", "COK": "CK", "ESH": "EH", "ANT": "AN",
        "MYT": "YT", "NIU": "NU", "TKL": "TK", "WLF": "WF", "AIA": "AI", "CUW": "CW", "SXM": "SX"}

# Below this an operating margin is not what one more kWh causes: the cleanest plant that is turned up on demand, a combined-cycle gas
# turbine, emits 370 g/kWh direct, and hydro that gives more now gives less later, when a thermal plant somewhere replaces it
# (Quebec, average 28 g/kWh: 462 marginal in WattTime's model).
LEAST_CREDIBLE_MARGIN = 100

# No mix is cleaner, life-cycle, than wind alone (11 g/kWh, IPCC AR5); a lower listing counts direct emissions of a hydro system, whose
# life-cycle value is 24.
CLEANEST, HYDRO = 11, 24

MIXED_AUTHORITY = {"US-NW-BPAT": 2021, "US-NY-NYIS": 2021}
# Public utilities of Washington that own dams of the Columbia and its neighbours or buy Bonneville's power, and lie in its grid; the
# subregion's mean (343 g/kWh) has the coal of Utah and Wyoming in it.
ON_BONNEVILLES_GRID = ("US-NW-CHPD", "US-NW-DOPD", "US-NW-GCPD", "US-NW-SCL", "US-NW-TPWR")
APART = ("US-NW-BPAT",) + ON_BONNEVILLES_GRID

# Google's values are direct. Of a mix whose burnt share emits about 700 g/kWh that share is direct / 700; upstream it has 90 g/kWh (between
# coal's 60 and gas's 120), the rest about 20 (hydro 24, nuclear 12, wind 11, solar 45): direct + 90 x share + 20 x (1 - share).
GOOGLE_YEAR = "2024"
BURNT, UPSTREAM, CLEAN = 700, 90, 20
# Where the region table names another zone than the one that supplies the site: The Dalles lies in Bonneville's grid (which has a mix
# of its own), Moncks Corner is supplied by Santee Cooper.
SUPPLIED_BY = {"us-west1": "", "us-east1": "US-CAR-SC"}


def rows(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", newline="") as f:
        return list(csv.DictReader(f))


def write(path, header, lines):
    with open(path, "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(lines)


def iso_bridge(raw):
    bridge = {r["iso3"]: r["iso2"] for r in rows(raw + "/coefficients/country_marginal_ifi_2021.csv")}
    return {**ISO2, **bridge}


def countries(raw):
    """iso2 -> (name, g/kWh, year, source)."""
    to2 = iso_bridge(raw)
    best = {}
    for r in rows(raw + "/coefficients/country_mix_owid.csv"):
        if r["iso3"] in to2 and r["lifecycle_g_per_kwh"]:
            best[to2[r["iso3"]]] = (r["name"], float(r["lifecycle_g_per_kwh"]), int(r["year"]), "Our World in Data")
    for r in rows(raw + "/coefficients/country_lifecycle_ci_ember.csv"):
        code = to2.get(r["iso3"])
        if code and (code not in best or int(r["year"]) >= best[code][2]):
            best[code] = (r["name"].split(" (")[0], float(r["lifecycle_g_per_kwh"]), int(r["year"]), "Ember")
    return {code: (name, HYDRO, year, source + " (listed as %g: hydro's life-cycle value instead)" % value) if value < CLEANEST else (name, value, year, source)
            for code, (name, value, year, source) in best.items()}


def us_zones(raw):
    """zone -> (g/kWh, year, source), and zone -> AVERT region."""
    subregions = {}
    for r in rows(raw + "/us-zip-egrid/egrid2023_subregions.csv"):
        direct = float(r["co2e_g_per_kwh"])
        upstream = sum(float(r[fuel + "_pct"] or 0) / 100 * g for fuel, g in LIFECYCLE_ADDER.items())
        # Biomass counts as zero in eGRID's direct figure; its adder is its whole life-cycle value.
        subregions[r["subregion"]] = direct + upstream
    member, avert = {}, {}
    for r in rows(raw + "/us-zip-egrid/egrid_to_grid_zone.csv"):
        if not r["grid_zone"]:
            continue
        shares = [(r["grid_zone"], float(r["share_of_zips"] or 0))]
        shares += [(z.split(":")[0], float(z.split(":")[1])) for z in r["next_zones"].split("|") if ":" in z]
        for zone, share in shares:
            if share >= 0.05:
                member.setdefault(zone, []).append((share, r["subregion"], r["avert_region"]))
    for r in rows(raw + "/cloud-regions/cloud_regions.csv"):
        if r["grid_zone"].startswith("US-") and r["avert_region"]:
            avert[r["grid_zone"]] = r["avert_region"]
    values = {}
    for zone, parts in sorted(member.items()):
        values[zone] = (sum(s * subregions[sub] for s, sub, _ in parts) / sum(s for s, _, _ in parts), 2023,
                        "EPA eGRID2023 (" + ", ".join(sorted(sub for _, sub, _ in parts)) + ") with life-cycle adders")
        avert.setdefault(zone, max(parts)[2])
    # Zones of the region table that no subregion names: the subregion that they lie in.
    for zone, sub in {"US-NW-PACE": "NWPP", "US-NW-PACW": "NWPP", "US-NW-NEVP": "NWPP", "US-CAR-SCEG": "SRVC", "US-NW-GCPD": "NWPP",
                      "US-NW-PGE": "NWPP", "US-NW-PSEI": "NWPP", "US-NW-IPCO": "NWPP", "US-NW-SCL": "NWPP", "US-NW-CHPD": "NWPP",
                      "US-NW-DOPD": "NWPP", "US-NW-TPWR": "NWPP", "US-FLA-JEA": "FRCC", "US-FLA-TEC": "FRCC", "US-FLA-TAL": "FRCC",
                      "US-FLA-GVL": "FRCC", "US-FLA-HST": "FRCC", "US-SW-TEPC": "AZNM", "US-SW-WALC": "AZNM", "US-CAL-IID": "CAMX",
                      "US-CAL-TIDC": "CAMX", "US-CAR-CPLW": "SRVC", "US-CAR-SC": "SRVC"}.items():
        if zone not in values:
            whole = "" if sub == "NWPP" else " as a whole"
            values[zone] = (subregions[sub], 2023, f"EPA eGRID2023 ({sub}{whole}) with life-cycle adders")
        avert.setdefault(zone, {"NWPP": "NW", "SRVC": "NCSC", "FRCC": "FL", "AZNM": "SW", "CAMX": "CA"}[sub])
    for r in csv.reader(open(raw + "/profiles/avg_lifecycle_month_hour_utc.csv")):
        if r[0] in MIXED_AUTHORITY:
            values[r[0]] = (statistics.mean(map(float, r[3:])), int(r[1]), "mean of its own hourly fuel mix (EIA-930)")
            avert.setdefault(r[0], "NW")
    for zone in ON_BONNEVILLES_GRID:
        value, year, _ = values["US-NW-BPAT"]
        values[zone] = (value, year, "mean of Bonneville's hourly fuel mix (EIA-930)")
    return values, avert


def google_zones(raw):
    """zone -> life-cycle g/kWh."""
    zone = {r["region"]: r["grid_zone"] for r in rows(raw + "/cloud-regions/cloud_regions.csv") if r["provider"] == "gcp"}
    found = {}
    for r in rows(raw + "/coefficients/gcp_region_carbon_2019-2024.csv"):
        if r["year"] == GOOGLE_YEAR and r["grid_ci_g_per_kwh"] and r["region"] in zone:
            direct = float(r["grid_ci_g_per_kwh"])
            found.setdefault(SUPPLIED_BY.get(r["region"], zone[r["region"]]), []).append(direct + CLEAN + (UPSTREAM - CLEAN) * min(1, direct / BURNT))
    return {z: statistics.mean(v) for z, v in found.items()}


def all_zones(raw):
    with gzip.open(raw + "/grid-zone-geometry/zones_simplified.json.gz", "rt") as f:
        return sorted({z["zone"] for z in json.load(f)["zones"]} | {r["grid_zone"] for r in rows(raw + "/cloud-regions/cloud_regions.csv")})


def build_average(raw):
    by_country = countries(raw)
    us, _ = us_zones(raw)
    google = google_zones(raw)
    parts = part_mixes.parts()
    table = []
    for zone in sorted(set(all_zones(raw)) | set(by_country) | set(us)):
        country = zone[:2]
        name = by_country.get(country, ("",))[0]
        foreign_part = zone not in us and zone not in by_country
        if zone in google and (foreign_part or (zone in us and "(NWPP" in us[zone][2]) or zone in SUPPLIED_BY.values()):
            table.append([zone, f"{zone}, {name}", f"{google[zone]:.0f}", GOOGLE_YEAR, "Google's cloud region there, with life-cycle adders", "region"])
        elif zone in us:
            value, year, source = us[zone]
            # The Northwest's public utilities differ from their subregion by up to a factor of ten either way.
            # So may the small utilities that no subregion is made of, by less.
            kind = "zone-small" if " as a whole" in source else "zone-apart" if "(NWPP" in source or zone in APART else "zone"
            table.append([zone, f"{zone}, {name}", f"{value:.0f}", year, source, kind])
        elif foreign_part and zone in parts:
            value, year, source = parts[zone]
            table.append([zone, f"{zone}, {name}", f"{value:.0f}", year, source, "part"])
        elif country in by_country:
            name, value, year, source = by_country[country]
            kind = "country" if zone == country else "country-for-part"
            table.append([zone, name if zone == country else f"{zone}, {name}", f"{value:.0f}", year, source, kind])
    world = next(r for r in rows(raw + "/coefficients/country_lifecycle_ci_ember.csv") if r["name"] == "World")
    table.append(["", "unknown place", f"{float(world['lifecycle_g_per_kwh']):.0f}", world["year"], "Ember", "world"])
    return table


def build_marginal(raw):
    _, avert = us_zones(raw)
    summary = [r for r in rows(raw + "/avert-marginal-us/avert_summary.csv") if r["year"] == "2023"]
    mean = {r["region"]: float(r["marginal_mean_g_per_kwh"]) for r in summary}
    return [[zone, f"{mean[region]:.0f}", 2023, region] for zone, region in sorted(avert.items()) if region in mean]


def build_ifi(raw):
    return sorted([r["iso2"], r["operating_margin_g_per_kwh"] if float(r["operating_margin_g_per_kwh"]) >= LEAST_CREDIBLE_MARGIN else ""]
                  for r in rows(raw + "/coefficients/country_marginal_ifi_2021.csv") if r["iso2"])


def build_regions(raw):
    return [[r["provider"], r["region"], r["grid_zone"], r["pue"], r["pue_year"]] for r in rows(raw + "/cloud-regions/cloud_regions.csv")]


def compare(raw, average):
    newest = {}
    for r in rows(raw + "/electricitymaps-odbl/yearly_2021-2025.csv"):
        if r["lifecycle_g_per_kwh"]:
            newest[r["zone"]] = float(r["lifecycle_g_per_kwh"])
    for kind in ("country", "zone", "zone-small", "zone-apart", "region", "part", "country-for-part"):
        ratios = sorted(newest[z] / float(v) for z, _, v, _, _, k in average if k == kind and newest.get(z, 0) > 0 and float(v) > 0)
        errors = sorted(abs(1 - r) for r in ratios)
        q = lambda p: ratios[min(len(ratios) - 1, int(p * len(ratios)))]
        print(f"{kind}: {len(ratios)} zones, median |error| {100 * statistics.median(errors):.0f} %, Electricity Maps / ours: "
              f"5 % {q(0.05):.2f}, median {q(0.5):.2f}, 95 % {q(0.95):.2f}")


def main():
    raw = sys.argv[1]
    out = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")
    average = build_average(raw)
    write(out + "/zone_intensity.csv", ["zone", "name", "g_per_kwh", "year", "source", "kind"], average)
    write(out + "/zone_marginal.csv", ["zone", "g_per_kwh", "year", "avert_region"], build_marginal(raw))
    write(out + "/country_marginal_ifi_2021_cc_by_sa.csv", ["country", "g_per_kwh"], build_ifi(raw))
    write(out + "/cloud_regions.csv", ["provider", "region", "zone", "pue", "pue_year"], build_regions(raw))
    if "--compare" in sys.argv:
        compare(raw, average)


if __name__ == "__main__":
    main()
