#!/usr/bin/env python3
"""Lays mix x factors (src/grid/fuel_mix.cpp) against Electricity Maps' annual means, zone by zone.

usage: tools/check_fuel_factors.py RAW      RAW: the folder with us-eia930-fuelmix/, eu-entsoe-fuelmix/ and
                                            electricitymaps-odbl/yearly_2021-2025.csv
The means are consumption based and used for this comparison only.
"""

import csv
import gzip
import pathlib
import re
import sys

# Electricity Maps' annual life-cycle means of 2020, g/kWh (co2.js lists them from 2021 on).
MEAN_2020 = {"DE": 393, "FR": 63, "GB": 231, "ES": 185, "IE": 384, "PL": 827, "AT": 191, "NL": 452}
COLUMNS = {"hard_coal": "coal", "other_re": "other_renewable", "other": "unknown"}
STORAGE = "pumped_storage"


def factors():
    source = (pathlib.Path(__file__).parent.parent / "src/grid/fuel_mix.cpp").read_text()
    rows = re.findall(r"\{Fuel::(\w+), (\d+), (\d+), (\d+), (\d+)\}", source)
    return {fuel: {"world": (int(d), int(l)), "us": (int(ud), int(ul))} for fuel, d, l, ud, ul in rows}


def mean(path, year, fleet, table):
    power, direct, lifecycle = 0.0, 0.0, 0.0
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            if not row["utc_start"].startswith(year):
                continue
            for column, value in row.items():
                if column in ("utc_start", STORAGE) or not value or float(value) <= 0:
                    continue
                d, l = table[COLUMNS.get(column, column)][fleet]
                power += float(value)
                direct += float(value) * d
                lifecycle += float(value) * l
    return direct / power, lifecycle / power


def main():
    raw, table = pathlib.Path(sys.argv[1]), factors()
    with open(raw / "electricitymaps-odbl/yearly_2021-2025.csv") as file:
        mean_2021 = {r["zone"]: float(r["lifecycle_g_per_kwh"]) for r in csv.DictReader(file) if r["year"] == "2021"}
    print("zone          year  direct  life-cycle  theirs  ratio")
    for path in sorted((raw / "us-eia930-fuelmix").glob("US-*.csv.gz")) + sorted((raw / "eu-entsoe-fuelmix").glob("??_2020.csv.gz")):
        zone = path.name.split(".")[0].split("_")[0]
        us = zone.startswith("US-")
        theirs = mean_2021.get(zone) if us else MEAN_2020.get(zone)
        if theirs is None:
            continue
        direct, lifecycle = mean(path, "2021" if us else "2020", "us" if us else "world", table)
        print(f"{zone:13} {'2021' if us else '2020'}  {direct:6.0f}  {lifecycle:10.0f}  {theirs:6.0f}  {lifecycle / theirs:5.2f}")


if __name__ == "__main__":
    main()
