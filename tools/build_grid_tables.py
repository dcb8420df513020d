#!/usr/bin/python3
"""Derives data/grid_profiles.csv, data/grid_marginal_profiles.csv, data/grid_hourly_index.csv and data/grid_hourly.bin.

usage: tools/build_grid_tables.py FOLDER_OF_RAW_DATA

From hourly fuel mixes (EIA-930, ENTSO-E) and EPA AVERT only: public domain, CC BY 4.0, CC0. Never from Electricity Maps (ODbL), the
California marginal series or WattTime. Same inputs, same bytes.

  grid_profiles.csv           typical day by month and hour of average intensity, relative to its own mean, life-cycle and direct; its level
                              comes from zone_intensity.csv when it is used
  grid_marginal_profiles.csv  the same of the marginal rate: AVERT regions, and zones by regression
  grid_hourly.bin, _index     life-cycle intensity hour by hour as it was
"""

import csv
import os
import struct
import sys

import numpy

from grid_backtest import Calendar, beats_now, expand, level, savings, typical_day
from grid_marginal import AVERT_OFFSET, Regression, avert
from grid_mix import US, intensity, load_mixes, utc_offset

# Zones whose own mix misses the published consumption-based annual value of the same year by more than 15 %: what they import or
# export differs from what they generate, or their reports are incomplete. Typed; tools/validate_grid_tables.py shows the figures and fails
# where this list and they disagree. Lithuania, 14 % off in 2020 and 22 % in 2021, buys more than half of its power.
APART = {"AT": "imports", "CH": "imports", "DK": "trade", "LT": "imports", "NL": "incomplete reports", "RO": "imports", "RS": "trade",
         "SE": "thermal plants reported as other", "SI": "half of a nuclear plant is Croatia's", "US-NE-ISNE": "imports",
         "US-NW-BPAT": "trade", "US-NY-NYIS": "imports"}

# Judged by consumption-based hourly series of 2022 (validate_grid_tables.py), planning by these typical days is worse than running at
# once (CH, LT, NL), or there is nothing independent to judge a production-based one by (RS).
NOT_PROVEN = {"CH", "LT", "NL", "RS"}

# Countries whose parts may take their typical day: bidding zones of one market, tied by strong lines. Not islands with power plants of
# their own (Canaries, Corsica, Madeira) nor Northern Ireland. "plan": all parts pass the same test; in Norway one of five fails.
PARTS = {"DK": "plan", "IT": "plan", "SE": "plan", "NO": "shape"}

MARGINAL_YEAR = 2023
CLOCK = [f"h{h:02d}" for h in range(24)]
COLUMNS = [f"weekend_{h}" for h in CLOCK] + [f"m{m + 1:02d}{h}" for m in range(12) for h in CLOCK]


def write(path, header, lines):
    with open(path, "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(lines)


def thousandths(profile):
    """The typical day as integers, 1000 = its own mean over the year."""
    weekday, weekend = profile
    mean = (weekday * (5 + 2 * weekend) / 7).mean()
    return [round(1000 * w) for w in weekend] + [round(1000 * v / mean) for v in weekday.flatten()]


def spread(truth, guess):
    """5 % and 95 % points of truth / guess - 1, both at the same mean."""
    ratio = level(truth) / level(guess) - 1
    return [f"{numpy.nanpercentile(ratio, p):.3f}" for p in (5, 95)]


def held_out(values, calendar, halves):
    """Each half guessed by the typical day of the other, at its own mean."""
    guess = numpy.full(len(values), numpy.nan)
    for train, judge in halves:
        guess[judge] = level(expand(typical_day(values[train], calendar[train]), calendar[judge]), numpy.nanmean(values[judge]))
    return guess


def halves(mix, calendar):
    """Where there are two years the later is guessed by the earlier; else odd and even weeks guess each other."""
    years = sorted(set(mix.years))
    if len(years) > 1:
        return [(mix.years == years[0], mix.years == years[1])]
    return [(calendar.week % 2 == a, calendar.week % 2 != a) for a in (0, 1)]


def profile_rows(raw, mix):
    calendar = Calendar(mix.hours, utc_offset(mix.zone))
    years = sorted(set(mix.years))
    for factor in ("lifecycle", "direct"):
        values = intensity(raw, mix, factor == "lifecycle")
        mean = numpy.nanmean(values)
        if mean < 1:
            continue  # Switzerland burns nothing: a direct intensity of 0 has no shape
        guess = held_out(values, calendar, halves(mix, calendar))
        pair = savings(guess, numpy.where(numpy.isnan(guess), numpy.nan, values), calendar.week)
        fit = beats_now(pair) and mix.zone not in NOT_PROVEN
        yield [mix.zone, factor, f"{years[0]}-{years[-1]}" if len(years) > 1 else years[0], utc_offset(mix.zone), f"{mean:.1f}",
               APART.get(mix.zone, ""), *spread(values, guess), f"{pair[0].share:.3f}", f"{pair[0].low:.3f}", int(fit),
               PARTS.get(mix.zone, ""), *thousandths(typical_day(values, calendar))]


def marginal_rows(raw, mixes):
    for region, offset in sorted(AVERT_OFFSET.items()):
        hours, values = avert(raw, MARGINAL_YEAR, region)
        calendar = Calendar(hours, offset)
        before = avert(raw, MARGINAL_YEAR - 1, region)
        guess = expand(typical_day(before[1], Calendar(before[0], offset)), calendar)
        yield ["AVERT-" + region, "AVERT", MARGINAL_YEAR, offset, f"{values.mean():.1f}", "", len(values), *spread(values, guess),
               *thousandths(typical_day(values, calendar))]
    for zone, mix in mixes.items():
        fit = Regression(raw, mix)
        if zone in US or fit.values is None:
            continue
        calendar = Calendar(mix.hours, utc_offset(zone))
        guess = held_out(fit.values, calendar, halves(mix, calendar))
        yield [zone, "regression", max(mix.years), utc_offset(zone), f"{numpy.nanmean(fit.values):.1f}", f"{fit.r2:.3f}", fit.hours,
               *spread(fit.values, guess), *thousandths(typical_day(fit.values, calendar))]


# One byte an hour: the step from the hour before in quanta, -127..127; 0x80 begins an hour that is written whole (two bytes, little
# endian), 0x80 0xFFFF an hour that is missing. The first hour is written whole.
ESCAPE, MISSING = b"\x80", 0xFFFF


def pack(values, quantum):
    out, before = bytearray(), None
    for v in values:
        if numpy.isnan(v):
            out += ESCAPE + struct.pack("<H", MISSING)
            continue
        q = round(v / quantum)
        if before is not None and abs(q - before) <= 127:
            out += struct.pack("b", q - before)
        else:
            out += ESCAPE + struct.pack("<H", q)
        before = q
    return bytes(out)


def hourly(raw, mixes):
    index, blob = [], b""
    for zone, mix in mixes.items():
        values = intensity(raw, mix, True)
        quantum = 1 if numpy.nanmean(values) >= 100 else 0.1
        packed = pack(values, quantum)
        index.append([zone, str(mix.hours[0]) + ":00:00Z", len(values), quantum, len(blob), len(packed)])
        blob += packed
    return index, blob


def main():
    raw = sys.argv[1]
    out = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")
    numpy.seterr(invalid="ignore", divide="ignore")
    mixes = load_mixes(raw)
    profiles = [row for mix in mixes.values() for row in profile_rows(raw, mix)]
    write(out + "/grid_profiles.csv", ["zone", "factor", "years", "utc_offset", "mean", "apart", "low", "high", "saving", "saving_low", "fit",
                                       "parts"] + COLUMNS, profiles)
    write(out + "/grid_marginal_profiles.csv", ["key", "method", "year", "utc_offset", "mean", "r2", "hours", "low", "high"] + COLUMNS,
          marginal_rows(raw, mixes))
    index, blob = hourly(raw, mixes)
    write(out + "/grid_hourly_index.csv", ["zone", "start", "hours", "quantum", "offset", "bytes"], index)
    with open(out + "/grid_hourly.bin", "wb") as f:
        f.write(blob)


if __name__ == "__main__":
    main()
