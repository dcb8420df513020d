"""What one more kWh causes, from public data: shared by build_grid_tables.py and validate_grid_tables.py.

US: EPA's AVERT, whose marginal rate by hour follows from how each fossil unit behaves at each regional fossil load (local standard
time; rare negative values at the ends of its curves are 0).

Elsewhere: regression on dispatchable generation. From hour to hour, how much do emissions change for each MWh that fossil plants are
turned up or down? The slope of dE on dF, by least squares through zero, in ten bins of net load (what wind and sun leave) and four
seasons, clamped to [0, dirtiest fuel burnt there]. Regressing on all generation fails where wind and sun swing (California 107
instead of 430 g/kWh): what moves them is not load. Where fossil plants give less than a twentieth, others answer for load
(storage, neighbours) and there is no estimate: Norway, Sweden, Switzerland.
"""

import numpy

from grid_mix import FOSSIL, HOUR, direct_factor, emission, rows

LEAST_FOSSIL_SHARE = 0.05
BINS, SEASONS = 10, 4

AVERT_OFFSET = {"CA": -8, "NW": -8, "RM": -7, "SW": -7, "TE": -6, "CENT": -6, "MIDW": -6, "TN": -6, "SE": -6, "FL": -5, "NCSC": -5,
                "MIDA": -5, "NE": -5, "NY": -5}


def avert_hours(table, year, offset):
    """Start of each row's hour, UTC."""
    local = [numpy.datetime64("%d-%02d-%02dT%02d" % (year, int(r["month"]), int(r["day"]), int(r["hour"])), "h") for r in table]
    return numpy.array(local) - offset * HOUR


def avert(raw, year, region):
    """-> (hours UTC, g/kWh), or None where that year lacks the region."""
    table = rows(f"{raw}/avert-marginal-us/avert_marginal_hourly_{year}.csv.gz")
    if region not in table[0]:
        return None
    return avert_hours(table, year, AVERT_OFFSET[region]), numpy.array([max(0.0, float(r[region])) for r in table])


def avert_by_load(raw, year, region, load):
    """AVERT's curves looked up at a fossil load (MW, hourly, with the months of `load.hours`): the marginal rate where only the mix is
    known. `load` is scaled to the region's mean load first, because a balancing authority is only part of it."""
    hours, mw = load
    table = rows(f"{raw}/avert-marginal-us/avert_fossil_load_hourly_{year}.csv.gz")
    regional = numpy.array([float(r[region]) for r in table])
    bins = [r for r in rows(raw + "/avert-marginal-us/avert_bins_2020_2023.csv.gz") if int(r["year"]) == year and r["region"] == region]
    gen = numpy.array([float(r["gen_mw"]) for r in bins])
    short_ton = 907184.74  # g
    curves = [numpy.array([float(r[c]) for r in bins]) * short_ton / 1000
              for c in ("co2_non_ozone_season_short_tons", "co2_ozone_season_short_tons")]
    at = mw * (numpy.nanmean(regional) / numpy.nanmean(mw))
    half = 0.1 * (numpy.percentile(regional, 95) - numpy.percentile(regional, 5))
    low, high = numpy.clip(at - half, gen[0], gen[-1]), numpy.clip(at + half, gen[0], gen[-1])
    ozone = numpy.isin(hours.astype("datetime64[M]").astype(int) % 12, range(4, 9))
    slope = [(numpy.interp(high, gen, c) - numpy.interp(low, gen, c)) / numpy.maximum(high - low, 1e-9) for c in curves]
    return numpy.maximum(0, numpy.where(ozone, slope[1], slope[0]))


class Regression:
    """g/kWh by hour in `values`, R2 of dE, and how many hours it rests on; `values` is None where fossil plants give too little."""

    def __init__(self, raw, mix):
        fossil, net = mix.fossil, mix.net_load
        self.values, self.r2, self.hours = None, 0.0, 0
        if numpy.nansum(fossil) < LEAST_FOSSIL_SHARE * numpy.nansum(mix.total):
            return
        season = ((mix.hours.astype("datetime64[M]").astype(int) + 1) % 12) // 3
        edges = numpy.nanquantile(net, numpy.linspace(0, 1, BINS + 1)[1:-1])
        cell = season * BINS + numpy.digitize(net, edges)
        d_e, d_f = numpy.diff(emission(mix, direct_factor(raw)(mix), False)), numpy.diff(fossil)
        ok = ~(numpy.isnan(d_e) | numpy.isnan(d_f))
        c, x, y = cell[1:][ok], d_f[ok], d_e[ok]
        sum_xy, sum_xx = (numpy.bincount(c, v, SEASONS * BINS) for v in (x * y, x * x))
        factor = direct_factor(raw)(mix)
        dirtiest = max(numpy.max(factor(f)) for f in FOSSIL if f in mix.mw and numpy.nansum(mix.mw[f]) > 0)
        slope = numpy.clip(sum_xy / numpy.maximum(sum_xx, 1e-9), 0, dirtiest)
        self.hours = int(ok.sum())
        self.r2 = float(1 - ((y - slope[c] * x) ** 2).sum() / (y**2).sum())
        self.values = numpy.where(numpy.isnan(net), numpy.nan, slope[cell])
