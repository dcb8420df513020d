"""The power model's fit: shared by the table builder and by the validation, so that what is validated is what ships.

A server's wall power at idle and at full load is written, per hardware thread, as

    log(P / threads) = slopes . features + effect(microarchitecture) + what near relatives leave over

with features log(TDP per thread), log(threads per socket) and "one socket" (a lone socket carries all fans and supplies alone).
Each level is pooled with the one above it (partial pooling): a microarchitecture with few CPU models leans on its class (server
Intel, server AMD, server Arm, client), and a CPU leans on measured CPUs of its microarchitecture by how near they are in TDP,
threads and memory. A CPU model that was itself measured needs none of this: the medians of its own servers with the same
sockets and the nearest memory are better. Between idle and full load the shape is SPECpower's own, pooled by CPU model,
microarchitecture and class. Every CPU model weighs the same, however many servers carry it, and medians
stand for groups, because some results are misprinted. No randomness: same input, same bytes. Standard library only.
"""

import math
from collections import Counter, defaultdict
from statistics import median

from power_data import FULL, IDLE, REFERENCE_GB_PER_THREAD, features

RECENT = 2016            # slopes and "typical" values come from results of this year and later
# Ridge toward textbook values: idle power grows with about the square root of TDP a thread, full load nearly in proportion.
SLOPE_PRIOR = {IDLE: (0.4, -0.5, 0.1), FULL: (0.7, -0.1, 0.0)}
SLOPE_PRIOR_WEIGHT = 0.1
CLASS_WEIGHT = 1.0       # the class counts like this many CPU models
NEIGHBOUR_WIDTH = 0.25   # CPUs within about 25 % in TDP and threads are near relatives
NEIGHBOUR_PRIOR = 0.5    # "no deviation" counts like half a relative
MEMORY_WIDTH = 0.5       # the same for memory per thread (natural log)
OTHER_SOCKETS = 0.25     # weight of a relative measured with another number of sockets
SHAPE_PRIOR = 1.0        # the class's mean shape counts like one CPU model
HUBER = 0.2              # residuals beyond 20 % lose weight
WATTS_PER_GB = 0.1       # memory beyond the reference; see memory_watts_per_gb() and data/SOURCES.md


def solve(a, b):
    """Gauss-Jordan with pivoting, for a handful of unknowns."""
    n = len(b)
    m = [row[:] + [v] for row, v in zip(a, b)]
    for i in range(n):
        p = max(range(i, n), key=lambda k: abs(m[k][i]))
        m[i], m[p] = m[p], m[i]
        for k in range(n):
            if k != i and m[k][i]:
                f = m[k][i] / m[i][i]
                m[k] = [x - f * y for x, y in zip(m[k], m[i])]
    return [m[i][n] / m[i][i] for i in range(n)]


def memory_watts_per_gb(servers):
    """Within one CPU model and number of sockets: idle watts against GB, servers since RECENT; the median slope.

    Each pair of results that differ in memory by a factor of 1.5 or more gives a slope (Theil-Sen, robust to odd servers); the
    median is taken per CPU model first, so that no model weighs more than another.
    Returns (value, lower, upper quartile, models).
    """
    slopes = defaultdict(list)
    groups = defaultdict(list)
    for s in servers:
        if s.year >= RECENT and s.memory:
            groups[s.cpu, s.chips].append(s)
    for (cpu, _), group in sorted(groups.items()):
        for i, a in enumerate(group):
            for b in group[i + 1:]:
                lo, hi = sorted((a, b), key=lambda s: s.memory)
                if hi.memory >= 1.5 * lo.memory:
                    slopes[cpu].append((hi.watts[IDLE] - lo.watts[IDLE]) / (hi.memory - lo.memory))
    medians = sorted(median(v) for v in slopes.values())
    n = len(medians)
    return median(medians), medians[n // 4], medians[(3 * n) // 4], n


def socket_class(chips):
    """1, 2, up to 4 (one machine), more (a chassis of nodes)."""
    return chips if chips <= 2 else 4 if chips <= 4 else 8


class Group:
    """All servers with one CPU model, class of sockets and amount of memory per thread (in octaves), by their medians.

    Rounded as shipped, so that the table and the fit are one.
    """

    def __init__(self, cpu, sockets, octave, servers):
        self.cpu, self.sockets, self.octave, self.servers = cpu, sockets, octave, len(servers)
        self.microarchitecture = servers[0].microarchitecture
        self.first, self.last = min(s.year for s in servers), max(s.year for s in servers)
        self.tdp = median(s.tdp for s in servers)
        self.threads_per_socket = round(median(s.threads / s.chips for s in servers))
        known = [s.memory / s.threads for s in servers if s.memory is not None]
        self.gb_per_thread = round(median(known), 2) if known else REFERENCE_GB_PER_THREAD
        self.watts = {level: round(median(s.watts[level] / s.threads for s in servers), 4) for level in (IDLE, FULL)}
        self.x = features(self.tdp, self.threads_per_socket, 1 if sockets == 1 else 2, per_socket=True)

    def log_memory(self):
        return math.log(self.gb_per_thread / REFERENCE_GB_PER_THREAD)


def groups_of(servers):
    groups = defaultdict(list)
    for s in servers:
        groups[s.cpu, socket_class(s.chips), octave_of(s.log_memory())].append(s)
    return [Group(*key, group) for key, group in sorted(groups.items())]


def octave_of(log_memory):
    return math.floor(log_memory / math.log(2) + 0.5)


class Point:
    """A group at one level, as the regression sees it: without the memory that it has beyond the reference."""

    def __init__(self, group, level, gb_watts, share):
        self.group, self.cpu, self.x, self.weight = group, group.cpu, group.x, share
        self.microarchitecture = group.microarchitecture
        self.year = (group.first + group.last) / 2
        watts = group.watts[level]
        self.y = math.log(max(watts - gb_watts * (group.gb_per_thread - REFERENCE_GB_PER_THREAD), 0.4 * watts))


def points(groups, level, gb_watts):
    models = Counter(g.cpu for g in groups)
    return [Point(g, level, gb_watts, 1 / models[g.cpu]) for g in groups]


def fit_slopes(pts, level):
    """Within-microarchitecture slopes by iteratively reweighted ridge regression."""
    recent = [p for p in pts if p.year >= RECENT]
    n, weights, prior = 3, [p.weight for p in recent], SLOPE_PRIOR[level]
    for _ in range(6):
        centre = {}
        for u in {p.microarchitecture for p in recent}:
            mine = [(p, w) for p, w in zip(recent, weights) if p.microarchitecture == u]
            total = sum(w for _, w in mine)
            centre[u] = ([sum(w * p.x[j] for p, w in mine) / total for j in range(n)], sum(w * p.y for p, w in mine) / total)
        a = [[SLOPE_PRIOR_WEIGHT * (i == j) for j in range(n)] for i in range(n)]
        b = [SLOPE_PRIOR_WEIGHT * v for v in prior]
        for p, w in zip(recent, weights):
            d = [v - c for v, c in zip(p.x, centre[p.microarchitecture][0])]
            dy = p.y - centre[p.microarchitecture][1]
            for i in range(n):
                b[i] += w * d[i] * dy
                for j in range(n):
                    a[i][j] += w * d[i] * d[j]
        slopes = solve(a, b)
        for k, p in enumerate(recent):
            c = centre[p.microarchitecture]
            e = p.y - c[1] - sum(s * (v - m) for s, v, m in zip(slopes, p.x, c[0]))
            weights[k] = p.weight * min(1.0, HUBER / max(abs(e), 1e-9))
    return slopes


class LevelFit:
    """Slopes, effects and relatives for one level (idle or full)."""

    def __init__(self, groups, level, facts, gb_watts):
        pts = points(groups, level, gb_watts)
        self.slopes = fit_slopes(pts, level)
        left = defaultdict(lambda: defaultdict(list))
        for p in pts:
            p.residual = p.y - sum(s * v for s, v in zip(self.slopes, p.x))
            left[p.microarchitecture][p.cpu].append(p.residual)
        by_model = {u: [median(v) for v in cpus.values()] for u, cpus in left.items()}
        recent = defaultdict(list)
        for u, values in sorted(by_model.items()):
            if median(p.year for p in pts if p.microarchitecture == u) >= RECENT:
                recent[facts.classes[u]].append(median(values))
                if facts.classes[u] != "client":
                    recent["all"].append(median(values))
        self.classes = {c: sum(v) / len(v) for c, v in recent.items()}
        self.effects = {}
        for u, values in by_model.items():
            up = self.classes.get(facts.classes[u], self.classes["all"])
            self.effects[u] = (len(values) * median(values) + CLASS_WEIGHT * up) / (len(values) + CLASS_WEIGHT)
        for p in pts:
            p.residual -= self.effects[p.microarchitecture]
        self.points = pts

    def effect(self, microarchitecture, facts):
        if microarchitecture in self.effects:
            return self.effects[microarchitecture]
        return self.classes.get(facts.classes.get(microarchitecture, "all"), self.classes["all"])

    def predict(self, microarchitecture, x, chips, log_memory, facts):
        """log watts a thread."""
        total, weight = 0.0, NEIGHBOUR_PRIOR
        for p in self.points:
            if p.microarchitecture != microarchitecture:
                continue
            d = ((x[0] - p.x[0]) / NEIGHBOUR_WIDTH) ** 2 + ((x[1] - p.x[1]) / NEIGHBOUR_WIDTH) ** 2
            d += ((log_memory - p.group.log_memory()) / MEMORY_WIDTH) ** 2
            w = math.exp(-d / 2) * (1.0 if p.group.sockets == socket_class(chips) else OTHER_SOCKETS)
            total += w * p.residual
            weight += w
        return sum(s * v for s, v in zip(self.slopes, x)) + self.effect(microarchitecture, facts) + total / weight


def shape_of(watts):
    return [(w - watts[IDLE]) / (watts[FULL] - watts[IDLE]) for w in watts]


def centre_of(shapes):
    return [median(column) for column in zip(*shapes)]


class Shapes:
    """(P - idle) / (full - idle) at 0, 10, ... 100 %: by CPU model, pooled with microarchitecture and class."""

    def __init__(self, servers, facts):
        groups = defaultdict(list)
        for s in servers:
            if s.watts[5] is not None:
                groups[s.microarchitecture, s.cpu, s.year >= RECENT].append(shape_of(s.watts))
        by_class, own = defaultdict(list), defaultdict(list)
        for (u, _, recent), shapes in sorted(groups.items()):
            shape = centre_of(shapes)
            own[u].append(shape)
            if recent:
                by_class[facts.classes[u]].append(shape)
                if facts.classes[u] != "client":
                    by_class["all"].append(shape)
        self.facts = facts
        self.classes = {c: centre_of(v) for c, v in by_class.items()}
        self.microarchitectures = {u: pool(v, self.of_class(facts.classes[u])) for u, v in own.items()}
        self.cpus = {cpu: pool(v, self.microarchitectures[u]) for (u, cpu, _), v in sorted(groups.items())}

    def of_class(self, name):
        return self.classes.get(name, self.classes["all"])

    def of(self, microarchitecture, cpu=None):
        return (self.cpus.get(cpu) or self.microarchitectures.get(microarchitecture)
                or self.of_class(self.facts.classes.get(microarchitecture, "all")))


def pool(shapes, above):
    k = len(shapes) / (len(shapes) + SHAPE_PRIOR)
    return [k * a + (1 - k) * b for a, b in zip(centre_of(shapes), above)]


class Model:
    """What a whole server draws, by the best rung that knows it."""

    def __init__(self, servers, facts, gb_watts=WATTS_PER_GB):
        self.facts, self.gb_watts = facts, gb_watts
        self.groups = groups_of(servers)
        self.idle = LevelFit(self.groups, IDLE, facts, gb_watts)
        self.full = LevelFit(self.groups, FULL, facts, gb_watts)
        self.shapes = Shapes(servers, facts)

    def measured(self, cpu, chips, log_memory):
        """Idle and full watts a thread from servers with this very CPU: same class of sockets if any, nearest memory."""
        mine = [g for g in self.groups if g.cpu == cpu]
        mine = [g for g in mine if g.sockets == socket_class(chips)] or mine
        if not mine:
            return None
        nearest = min(abs(g.octave - octave_of(log_memory)) for g in mine)
        mine = [g for g in mine if abs(g.octave - octave_of(log_memory)) == nearest]
        total = sum(g.servers for g in mine)
        return [math.exp(sum(g.servers * math.log(g.watts[level]) for g in mine) / total) for level in (IDLE, FULL)]

    def regressed(self, microarchitecture, tdp, threads, chips, log_memory):
        x = features(tdp, threads, chips)
        gb = REFERENCE_GB_PER_THREAD * (math.exp(log_memory) - 1)
        out = []
        for fit in (self.idle, self.full):
            watts = math.exp(fit.predict(microarchitecture, x, chips, log_memory, self.facts))
            out.append(watts + max(self.gb_watts * gb, -0.4 * watts))
        return out

    def curve(self, cpu, microarchitecture, tdp, threads, chips, memory_gb=None):
        """Watts at 0, 10, ... 100 % load of a whole server."""
        lm = 0.0 if memory_gb is None else math.log(memory_gb / threads / REFERENCE_GB_PER_THREAD)
        idle, full = self.measured(cpu, chips, lm) or self.regressed(microarchitecture, tdp, threads, chips, lm)
        full = max(full, 1.05 * idle)
        return [threads * (idle + (full - idle) * s) for s in self.shapes.of(microarchitecture, cpu)]

    def of_server(self, s):
        return self.curve(s.cpu, s.microarchitecture, s.tdp, s.threads, s.chips, s.memory)

    def typical(self, microarchitecture):
        """TDP and threads per socket where only the microarchitecture (or nothing) is known: medians over CPU models."""
        name = self.facts.classes.get(microarchitecture)
        levels = [lambda g: g.microarchitecture == microarchitecture and g.last >= RECENT,
                  lambda g: g.microarchitecture == microarchitecture,
                  lambda g: self.facts.classes[g.microarchitecture] == name and g.last >= RECENT,
                  lambda g: self.facts.classes[g.microarchitecture] != "client" and g.last >= RECENT]
        for chosen in levels:
            found = {g.cpu: (g.tdp, g.threads_per_socket) for g in self.groups if chosen(g)}
            if found:
                return median(v[0] for v in found.values()), median(v[1] for v in found.values())
        raise ValueError("no servers")

    def without_cpu_facts(self, microarchitecture, threads, chips):
        """The curve for `threads` threads of a CPU known by microarchitecture only (or by nothing: None)."""
        tdp, per_socket = self.typical(microarchitecture)
        idle, full = self.regressed(microarchitecture, tdp, per_socket * chips, chips, 0.0)
        full = max(full, 1.05 * idle)
        return [threads * (idle + (full - idle) * s) for s in self.shapes.of(microarchitecture)]
