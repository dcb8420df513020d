"""Hourly fuel mixes of grid zones and what they emit: shared by build_grid_tables.py and validate_grid_tables.py.

A mix is MW by fuel and hour (production only: imports are not in it). Emission factors are typed here with their sources:

US, direct: what the fleets really emit, net, by AVERT region and year (EPA AVERT 4.4, CC0): coal 880..1065, gas 399..494 g/kWh. IPCC's
760 and 370 assume new plants.
Europe, direct: lignite 1100, hard coal 900 (their 2020 blend in Germany, 1044, against 1053 in Electricity Maps' zone factors),
peat and oil shale as lignite, coal-derived gas as hard coal, gas 380 (GB 394: NESO's factor of combined cycles), oil 850.
Other and waste: 575 direct, 700 life-cycle (Electricity Maps' default for unknown).
Life-cycle = direct + upstream of IPCC AR5 as implied by Electricity Maps' defaults: coal 60, gas 120, oil 244; biomass 230, nuclear 12,
hydro 24, solar 45, wind 11, geothermal 38.
"""

import csv
import gzip
import os

import numpy

HOUR = numpy.timedelta64(1, "h")

ADDER = {"coal": 60, "lignite": 60, "hard_coal": 60, "peat": 60, "coal_gas": 60, "gas": 120, "oil": 244, "biomass": 230, "nuclear": 12,
         "hydro": 24, "pumped_storage": 24, "solar": 45, "wind": 11, "geothermal": 38, "other_re": 38, "waste": 125, "other": 125}
EU_DIRECT = {"lignite": 1100, "peat": 1100, "hard_coal": 900, "coal_gas": 900, "gas": 380, "oil": 850, "waste": 575, "other": 575}
ZONE_DIRECT = {"GB": {"gas": 394}}
US_OTHER = 575
# What is turned up and down on demand and burns something: the marginal estimate looks at these.
FOSSIL = ("coal", "lignite", "hard_coal", "peat", "coal_gas", "gas", "oil")

US = {"US-CAL-CISO": "CA", "US-TEX-ERCO": "TE", "US-MIDA-PJM": "MIDA", "US-MIDW-MISO": "MIDW", "US-NE-ISNE": "NE", "US-NY-NYIS": "NY",
      "US-NW-BPAT": "NW", "US-FLA-FPL": "FL"}

# Standard time of the zone, hours east of Greenwich: weekends are local ones.
UTC_OFFSET = {"US-CAL-CISO": -8, "US-NW-BPAT": -8, "US-TEX-ERCO": -6, "US-MIDW-MISO": -6, "US-MIDA-PJM": -5, "US-NE-ISNE": -5,
              "US-NY-NYIS": -5, "US-FLA-FPL": -5, "GB": 0, "IE": 0, "PT": 0, "FI": 2, "GR": 2, "LT": 2, "RO": 2}
CENTRAL_EUROPE = 1


def utc_offset(zone):
    return UTC_OFFSET.get(zone, CENTRAL_EUROPE)


def rows(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", newline="") as f:
        return list(csv.DictReader(f))


class Mix:
    """Hours (datetime64, strictly one hour apart) and MW by fuel; an hour without any figure is NaN throughout."""

    def __init__(self, zone, path):
        self.zone = zone
        with gzip.open(path, "rt", newline="") as f:
            table = list(csv.reader(f))
        stamps = numpy.array([numpy.datetime64(r[0].rstrip("Z"), "h") for r in table[1:]])
        cells = numpy.array([[float(c) if c else numpy.nan for c in r[1:]] for r in table[1:]])
        self.hours = numpy.arange(stamps[0], stamps[-1] + HOUR, HOUR)
        at = (stamps - stamps[0]).astype(int)
        empty = numpy.isnan(cells).all(axis=1)
        cells = numpy.nan_to_num(cells)
        cells[empty] = numpy.nan
        self.mw = {}
        for i, fuel in enumerate(table[0][1:]):
            column = numpy.full(len(self.hours), numpy.nan)
            column[at] = cells[:, i]
            # Pumping is load, a plant's own use is not generation: neither is negative power here.
            self.mw[fuel] = numpy.maximum(column, 0)
        self.years = self.hours.astype("datetime64[Y]").astype(int) + 1970

    @property
    def total(self):
        return sum(self.mw.values())

    @property
    def fossil(self):
        return sum((self.mw[f] for f in FOSSIL if f in self.mw), numpy.zeros(len(self.hours)))

    @property
    def net_load(self):
        """What is left for everything but wind and sun."""
        return self.total - sum((self.mw[f] for f in ("wind", "solar") if f in self.mw), numpy.zeros(len(self.hours)))


def us_factors(raw):
    """(region, year) -> fuel -> g/kWh. Where AVERT lacks a year (MIDA and MIDW 2020) the next one stands in."""
    out = {}
    for r in rows(raw + "/avert-marginal-us/avert_fuel_factors.csv"):
        out.setdefault((r["region"], int(r["year"])), {})[r["fuel"].lower()] = float(r["direct_co2_g_per_kwh_net"])
    return out


def emission(mix, direct_of, lifecycle):
    """g per hour / kW: MW x g/kWh summed over fuels. `direct_of(fuel)`: a number or one an hour."""
    total = numpy.zeros(len(mix.hours))
    for fuel, mw in mix.mw.items():
        total = total + mw * (direct_of(fuel) + (ADDER[fuel] if lifecycle else 0))
    return total


def direct_factor(raw):
    """-> function(mix) -> function(fuel) -> g/kWh."""
    avert = us_factors(raw)

    def of_zone(mix):
        if mix.zone not in US:
            table = {**EU_DIRECT, **ZONE_DIRECT.get(mix.zone, {})}
            return lambda fuel: table.get(fuel, 0)
        region = US[mix.zone]
        # For fuels that AVERT lacks in a region: the middle of its other regions.
        default = {"coal": 1000, "gas": 420, "oil": 700}

        def factor(fuel):
            if fuel == "other":
                return US_OTHER
            if fuel not in default:
                return 0
            by_year = {y: avert.get((region, y), avert.get((region, y + 1), {})).get(fuel, default[fuel]) for y in set(mix.years)}
            return numpy.array([by_year[y] for y in mix.years])

        return factor

    return of_zone


def load_mixes(raw):
    """zone -> Mix, all zones whose mix is public, in order of name."""
    out = {}
    for name in sorted(os.listdir(raw + "/us-eia930-fuelmix")):
        if name.endswith(".csv.gz"):
            zone = name[:-7]
            out[zone] = Mix(zone, f"{raw}/us-eia930-fuelmix/{name}")
    for name in sorted(os.listdir(raw + "/eu-entsoe-fuelmix")):
        if name.endswith(".csv.gz"):
            zone = name.split("_")[0]
            out[zone] = Mix(zone, f"{raw}/eu-entsoe-fuelmix/{name}")
    return dict(sorted(out.items()))


def intensity(raw, mix, lifecycle):
    """g/kWh by hour, NaN where missing."""
    return emission(mix, direct_factor(raw)(mix), lifecycle) / mix.total
