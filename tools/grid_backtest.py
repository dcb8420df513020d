"""Typical days, and whether planning by a signal beats running at once: shared by build_grid_tables.py and validate_grid_tables.py.

A typical day has a value for each month and hour (UTC) of a weekday, and a ratio weekend/weekday for each hour. A weekend of its own
for each month would rest on eight days an hour: tried on held-out weeks it is better in France only, in 11 of 31 zones equal.

The backtest: a job of 6 h may wait or pause for 24 h, from every hour. By the plan's signal it takes the cheapest hours (with pauses) or
the cheapest 6 in a row (flexible start); the truth says what that saved. Weeks are the unit of the confidence bound: errors of neighbouring
hours and days are correlated, those of weeks hardly.
"""

import numpy
from numpy.lib.stride_tricks import sliding_window_view

from grid_mix import HOUR

JOB, SLACK = 6, 24
ONE_SIDED_95 = 1.645


class Calendar:
    def __init__(self, hours, offset):
        self.month = hours.astype("datetime64[M]").astype(int) % 12
        self.hour = (hours - hours.astype("datetime64[D]")).astype(int)
        day = (hours + offset * HOUR).astype("datetime64[D]").astype(int)
        self.weekend = ((day + 3) % 7 >= 5).astype(int)  # 1970-01-01 was a Thursday
        self.week = (day + 3) // 7

    def __getitem__(self, keep):
        part = object.__new__(Calendar)
        part.__dict__ = {k: v[keep] for k, v in self.__dict__.items()}
        return part


def typical_day(values, calendar):
    """-> (12 x 24 of a weekday, 24 ratios weekend / weekday). NaN are left out."""
    def mean_by(v, *keys):
        index = keys[0] * 24 + keys[1]
        size = (int(keys[0].max()) + 1) * 24 if len(keys) == 2 else None
        ok = ~numpy.isnan(v)
        return numpy.bincount(index[ok], v[ok], size) / numpy.bincount(index[ok], None, size)

    base = mean_by(values, calendar.month, calendar.hour).reshape(-1, 24)
    ratio = mean_by(values / base[calendar.month, calendar.hour], calendar.weekend, calendar.hour).reshape(2, 24)
    return base * ratio[0], ratio[1] / ratio[0]


def expand(profile, calendar):
    weekday, weekend = profile
    return weekday[calendar.month, calendar.hour] * numpy.where(calendar.weekend == 1, weekend[calendar.hour], 1)


def level(values, to=1.0):
    return values * (to / numpy.nanmean(values))


class Saving:
    """Of all starts together: share saved, its lower 95 % bound, and in what share of the starts the plan was worse than now."""

    def __init__(self, now, plan, week):
        self.share = 1 - plan.sum() / now.sum()
        weeks = numpy.unique(week, return_inverse=True)[1]
        saved, spent = numpy.bincount(weeks, now - plan), numpy.bincount(weeks, now)
        # Ratio estimator: residuals of saved = share x spent.
        spread = numpy.std(saved - self.share * spent, ddof=1) * numpy.sqrt(len(saved)) / spent.sum()
        self.low = self.share - ONE_SIDED_95 * spread
        self.worse = float((plan > now * (1 + 1e-9)).mean())


def savings(signal, truth, week):
    """-> (with pauses, flexible start). Starts whose window has a hole in either series are left out."""
    s, t = sliding_window_view(signal, JOB + SLACK), sliding_window_view(truth, JOB + SLACK)
    ok = ~(numpy.isnan(s).any(axis=1) | numpy.isnan(t).any(axis=1))
    s, t, week = s[ok], t[ok], week[: len(ok)][ok]
    now = t[:, :JOB].sum(axis=1)
    # Of equals the earliest: a constant signal never waits.
    cheapest = numpy.argsort(s, axis=1, kind="stable")[:, :JOB]
    paused = numpy.take_along_axis(t, cheapest, axis=1).sum(axis=1)
    def sums(v):
        c = numpy.cumsum(numpy.pad(v, ((0, 0), (1, 0))), axis=1)
        return c[:, JOB:] - c[:, :-JOB]

    start = sums(s).round(6).argmin(axis=1)
    shifted = sums(t)[numpy.arange(len(start)), start]
    return Saving(now, paused, week), Saving(now, shifted, week)


def beats_now(pair):
    return all(s.low > 0 for s in pair)
