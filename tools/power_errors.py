"""How wrong the power model is: each rung judged on servers that it has not seen. Standard library only."""

from collections import Counter, defaultdict

from power_data import FULL, IDLE
from power_fit import Model

# Widths are set on a few dozen CPU models; on others they cover one to two points less (unseen_coverage()), so they aim above 90 %.
# For a measured CPU two tests are pooled, the harder one with other makers only: 0.905 there keeps both near 90 %.
COVERAGE_AIM = {"cpu_model": 0.905, "microarchitecture": 0.92, "microarchitecture_only": 0.92, "all_servers": 0.92}
OTHER_MAKER = "cpu_model, other maker"  # judged beside the rungs: the same CPU measured only in servers of other makers
RUNGS = ("cpu_model", "microarchitecture", "microarchitecture_only", "all_servers")


def predictions(rung, servers, facts, since=2017):
    """[(server, curve)] for every server since `since` that the rung can be tested on, fitted without it.

    cpu_model: without that one server. Others: without any server of that CPU model, as an unseen CPU would be met.
    """
    out = []
    if rung == OTHER_MAKER:
        for cpu, maker in sorted({(s.cpu, s.maker) for s in servers if s.year >= since}):
            rest = [t for t in servers if (t.cpu, t.maker) != (cpu, maker)]
            if any(t.cpu == cpu for t in rest):
                model = Model(rest, facts)
                out += [(s, model.of_server(s)) for s in servers if (s.cpu, s.maker) == (cpu, maker) and s.year >= since]
        return out
    if rung == "cpu_model":
        count = Counter(s.cpu for s in servers)
        for s in servers:
            if s.year >= since and count[s.cpu] > 1:
                out.append((s, Model([t for t in servers if t is not s], facts).of_server(s)))
        return out
    for cpu in sorted({s.cpu for s in servers if s.year >= since}):
        model = Model([s for s in servers if s.cpu != cpu], facts)
        for s in servers:
            if s.cpu != cpu or s.year < since:
                continue
            if rung == "microarchitecture":
                out.append((s, model.of_server(s)))
            else:
                u = s.microarchitecture if rung == "microarchitecture_only" else None
                if u is None and facts.classes[s.microarchitecture] == "client":
                    continue  # an unknown machine that calls itself a server
                out.append((s, model.without_cpu_facts(u, s.threads, s.chips)))
    return out


def weighted_quantile(pairs, q):
    pairs = sorted(pairs)
    total, run = sum(w for _, w in pairs), 0.0
    for value, weight in pairs:
        run += weight
        if run >= q * total:
            return value
    return pairs[-1][0]


def by_model(predicted):
    """(server, curve, weight) so that CPU models weigh the same."""
    count = Counter(s.cpu for s, _ in predicted)
    return [(s, p, 1 / count[s.cpu]) for s, p in predicted]


def coverage(rows, shifts):
    """Share of the 10..90 % points inside the interval, each CPU model weighing the same; servers with all levels."""
    (i_low, i_high), (a_low, a_high) = shifts
    inside = total = 0.0
    for s, p, w in rows:
        if s.watts[5] is None:
            continue
        for k in range(1, 10):
            low = p[0] * (1 + i_low) + (p[k] - p[0]) * (1 + a_low)
            high = p[0] * (1 + i_high) + (p[k] - p[0]) * (1 + a_high)
            inside += w * (low <= s.watts[k] <= high)
            total += w
    return inside / total


def spread(rung, predicted):
    """The 90 % shifts of the idle and of the active part, as ((low, high), (low, high)).

    Starts from the 5 % and 95 % quantiles of each part's own error and scales both by the one factor that makes the interval of
    the sum cover COVERAGE_AIM of the 10..90 % points: the errors of the two parts are not wholly correlated.
    """
    rows = by_model(predicted)
    idle = [(s.watts[IDLE] / p[IDLE] - 1, w) for s, p, w in rows]
    active = [((s.watts[FULL] - s.watts[IDLE]) / (p[FULL] - p[IDLE]) - 1, w) for s, p, w in rows]
    ends = [tuple(weighted_quantile(e, q) for q in (0.05, 0.95)) for e in (idle, active)]
    scaled = ends
    for step in range(20, 201):
        k = step / 100
        scaled = [(max(low * k, -0.95), high * k) for low, high in ends]
        if coverage(rows, scaled) >= COVERAGE_AIM[rung]:
            break
    return scaled


def judged_on(rung, servers, facts):
    """What a rung's interval is set on. For a measured CPU model both tests count: results of one maker are often near copies of
    each other, which flatters the first, and a cloud's host is always another maker's."""
    predicted = predictions(rung, servers, facts)
    return predicted + (predictions(OTHER_MAKER, servers, facts) if rung == "cpu_model" else [])


def unseen_coverage(rung, pool, judged):
    """Coverage of `judged` where the width was set without the CPU model judged, each in its turn."""
    inside = models = 0.0
    for cpu in sorted({s.cpu for s, _ in judged if s.watts[5] is not None}):
        rows = by_model([(s, p) for s, p in judged if s.cpu == cpu and s.watts[5] is not None])
        inside += coverage(rows, spread(rung, [(s, p) for s, p in pool if s.cpu != cpu]))
        models += 1
    return inside / models


def mape(predicted, since=2017, level_range=range(1, 10)):
    """(MAPE, bias, CPU models), each CPU model weighing the same."""
    errors = defaultdict(list)
    for s, p in predicted:
        if s.watts[5] is not None and s.year >= since:
            errors[s.cpu] += [p[k] / s.watts[k] - 1 for k in level_range]
    n = len(errors)
    return (sum(sum(map(abs, e)) / len(e) for e in errors.values()) / n, sum(sum(e) / len(e) for e in errors.values()) / n, n)
