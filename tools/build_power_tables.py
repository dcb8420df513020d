#!/usr/bin/env python3
"""Writes data/power_*.csv, data/cpu_tdp.csv and tests/sense/power_model_expected.csv from the SPECpower results, the CPU load
profiles and the TDP tables of a data folder. Same input, same bytes.

    tools/build_power_tables.py ../shared/data
"""

import csv
import os
import sys
from statistics import median

import power_data as source
import power_errors as judge
import power_fit as fit

# Throughput of a hardware thread whose SMT sibling idles, as a share of the whole core: SMT adds about 28 % (Marr et al., Intel
# Technology Journal 6(1), 2002: 16..28 % on servers; later cores 25..35 %), so one of two threads alone does 1 / 1.28 = 0.78.
LONE_SIBLING = 0.78

PROFILE_CLASS = {"epyc": "server-amd", "ryzen": "client", "xeon": "server-intel"}


def write(path, header, rows):
    with open(os.path.join(source.REPOSITORY, path), "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def number(value, digits=4):
    text = "%.*f" % (digits, value)
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def capacity(busy, threads):
    """Share of the machine's capacity used by `busy` wholly threads, spread over cores first as kernels do."""
    cores = threads / 2
    if busy <= cores:
        return LONE_SIBLING * busy / cores
    return LONE_SIBLING + (1 - LONE_SIBLING) * (busy - cores) / cores


def busy_core_shapes(shared):
    """{cpu: shape at 0, 10, ... 100 % of capacity} from RAPL with wholly busy cores.

    The idle reading of these files is unreliable (RAPL read once too early), so idle is extrapolated from the first two loads,
    not below zero: that makes the shape less concave, never more.
    """
    series = {}
    with open(os.path.join(shared, "cpu-load-profiles", "profiles.csv"), encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            if r["load_type"] == "some_cores" and int(r["threads_busy"]) > 0:
                series.setdefault(r["cpu"], []).append((int(r["threads_busy"]), float(r["rapl_w"])))
    shapes = {}
    for cpu, points in sorted(series.items()):
        threads = max(n for n, _ in points)
        xy = sorted((capacity(n, threads), w) for n, w in points)
        (x0, y0), (x1, y1) = xy[0], xy[1]
        idle = max(0.0, y0 - x0 * (y1 - y0) / (x1 - x0))
        full = max(w for _, w in xy)
        xy = [(0.0, idle)] + xy
        shape = []
        for k in range(11):
            x = k / 10
            i = next(j for j in range(1, len(xy)) if xy[j][0] >= x - 1e-12)
            t = (x - xy[i - 1][0]) / (xy[i][0] - xy[i - 1][0])
            watts = xy[i - 1][1] + t * (xy[i][1] - xy[i - 1][1])
            shape.append(min(1.0, (watts - idle) / (full - idle)))
        shape[10] = 1.0
        shapes[cpu] = [max(shape[:k + 1]) for k in range(11)]
    return shapes


def mean_shape(shapes):
    return [sum(c) / len(c) for c in zip(*shapes)]


def busy_core_error(shapes, model, weight):
    """Mean absolute error of the mixture on CPUs left out of the busy-core mean."""
    errors = []
    for cpu, own in shapes.items():
        others = mean_shape([s for c, s in shapes.items() if c != cpu])
        spec = model.shapes.of_class(next((v for k, v in PROFILE_CLASS.items() if k in cpu.lower()), "all"))
        errors += [abs((1 - weight) * spec[k] + weight * others[k] - own[k]) for k in range(1, 10)]
    return sum(errors) / len(errors)


def busy_core_weight(shapes, model):
    """The weight of the busy-core shape beside SPECpower's that errs least, in steps of 0.05, and that error."""
    return min(((step / 20, busy_core_error(shapes, model, step / 20)) for step in range(21)), key=lambda r: r[1])


def effects(model, facts):
    """One row a microarchitecture, class, and "all": effects, what is typical, and what it rests on."""
    keys = [r["key"] for r in source.table("microarchitectures")]
    keys += ["server-intel", "server-amd", "server-arm", "client", "all"]
    rows = []
    for key in keys:
        named = key in facts.classes
        if not named:
            recent = [(g, facts.classes[g.microarchitecture]) for g in model.groups if g.last >= fit.RECENT]
            members = [g for g, c in recent if c == key or key == "all" and c != "client"]
            idle, full = (f.classes.get(key, f.classes["all"]) for f in (model.idle, model.full))
            cpus = {g.cpu: (g.tdp, g.threads_per_socket) for g in members}
            tdp, threads = (median(v[i] for v in cpus.values()) for i in (0, 1))
        else:
            members = [g for g in model.groups if g.microarchitecture == key]
            idle, full = model.idle.effect(key, facts), model.full.effect(key, facts)
            tdp, threads = model.typical(key)
        rows.append([key, number(idle), number(full), number(tdp, 1), number(threads, 1), sum(g.servers for g in members),
                     min((g.first for g in members), default=""), max((g.last for g in members), default="")])
    return rows


def shape_rows(model, busy):
    rows = [["class:" + c, *map(number, s)] for c, s in sorted(model.shapes.classes.items())]
    rows += [["microarchitecture:" + u, *map(number, s)] for u, s in sorted(model.shapes.microarchitectures.items())]
    rows += [["cpu:" + c, *map(number, s)] for c, s in sorted(model.shapes.cpus.items())]
    rows.append(["busy:mean", *map(number, mean_shape(list(busy.values())))])
    rows.append(["busy:most-concave", *map(number, [max(c) for c in zip(*busy.values())])])
    return rows


def client_ratios(servers, facts):
    """Idle and full load per watt of TDP of SPEC's client-class servers since 2016: 5 %, 50 %, 95 %, CPU models equal."""
    rows = [(s, None) for s in servers if facts.classes[s.microarchitecture] == "client" and s.year >= fit.RECENT]
    weighted = judge.by_model(rows)
    out = []
    for value in (lambda s: s.watts[0] / s.tdp, lambda s: (s.watts[10] - s.watts[0]) / s.tdp):
        out.append([judge.weighted_quantile([(value(s), w) for s, _, w in weighted], q) for q in (0.05, 0.5, 0.95)])
    return out


def tdp_rows(facts):
    """TDP of CPUs that a machine of today may carry: client parts, EPYC, and Xeons with a number of four digits or E3 to E7."""
    rows = []
    for cpu, tdp in sorted(facts.tdp.items()):
        if not cpu.isascii() or len(cpu) > 32 or tdp < 3:
            continue
        words = cpu.split()
        modern = (cpu.startswith(("core ultra", "core i3-", "core i5-", "core i7-", "core i9-", "core 3", "core 5", "core 7",
                                  "core 9", "epyc ", "ryzen ", "altra ", "grace"))
                  or words[0] == "xeon" and len([w for w in words if w != "max"]) == 2 and facts.microarchitecture(cpu) is not None)
        if modern:
            rows.append([cpu, number(tdp, 1)])
    return rows


def expected(model):
    """Whole-server curves that the C++ must reproduce: seen and unseen CPUs, sockets, memory."""
    cases = [("AMD EPYC 9654 96-Core Processor", 2, 384, 384), ("AMD EPYC 7763 64-Core Processor", 2, 256, 256),
             ("Intel(R) Xeon(R) Platinum 8280 CPU @ 2.70GHz", 2, 112, 192),
             ("Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", 2, 160, 0),
             ("AMD EPYC 7443 24-Core Processor", 2, 96, 128), ("Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", 2, 128, 256),
             ("AMD EPYC 9474F 48-Core Processor", 2, 192, 384), ("Intel(R) Xeon(R) Platinum 8368 CPU @ 2.40GHz", 2, 152, 512),
             ("AMD EPYC 9354P 32-Core Processor", 1, 64, 0), ("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", 2, 96, 192),
             ("Intel Xeon 6780E", 1, 144, 256), ("INTEL(R) XEON(R) PLATINUM 8581C", 2, 240, 0)]
    rows = []
    for name, sockets, threads, memory in cases:
        cpu = source.normalise(name)
        u, tdp = model.facts.microarchitecture(cpu), model.facts.tdp.get(cpu)
        if tdp is None:
            continue
        curve = model.curve(cpu, u, tdp, threads, sockets, memory or None)
        rows.append([name, sockets, threads, memory, *(number(w, 2) for w in curve)])
    return rows


def main():
    shared = sys.argv[1] if len(sys.argv) > 1 else os.path.join(source.REPOSITORY, "..", "shared", "data")
    facts = source.Facts(shared)
    servers = source.read_servers(shared, facts)
    model = fit.Model(servers, facts)
    busy = busy_core_shapes(shared)
    weight, error = busy_core_weight(busy, model)
    idle_tdp, active_tdp = client_ratios(servers, facts)

    constants = [["slope_idle_%d" % i, number(v)] for i, v in enumerate(model.idle.slopes)]
    constants += [["slope_full_%d" % i, number(v)] for i, v in enumerate(model.full.slopes)]
    constants += [["watts_per_gb", number(fit.WATTS_PER_GB)],
                  ["reference_gb_per_thread", number(source.REFERENCE_GB_PER_THREAD)],
                  ["neighbour_width", number(fit.NEIGHBOUR_WIDTH)], ["memory_width", number(fit.MEMORY_WIDTH)],
                  ["neighbour_prior", number(fit.NEIGHBOUR_PRIOR)], ["other_sockets", number(fit.OTHER_SOCKETS)],
                  ["busy_core_weight", number(weight)], ["lone_sibling", number(LONE_SIBLING)]]
    for rung in judge.RUNGS:
        ends = judge.spread(rung, judge.judged_on(rung, servers, facts))
        for part, (low, high) in zip(("idle", "active"), ends):
            constants += [["spread_%s_%s_low" % (rung, part), number(low)], ["spread_%s_%s_high" % (rung, part), number(high)]]
    for part, quantiles in (("idle", idle_tdp), ("active", active_tdp)):
        constants += [["client_%s_per_tdp_%s" % (part, q), number(v)] for q, v in zip(("low", "median", "high"), quantiles)]

    write("data/power_constants.csv", ["name", "value"], constants)
    write("data/power_effects.csv", ["key", "idle", "full", "tdp_w", "threads_per_socket", "servers", "first", "last"],
          effects(model, facts))
    write("data/power_servers.csv", ["cpu", "microarchitecture", "sockets", "octave", "servers", "first", "last", "tdp_w",
                                     "threads_per_socket", "gb_per_thread", "idle_w_per_thread", "full_w_per_thread"],
          [[g.cpu, g.microarchitecture, g.sockets, g.octave, g.servers, g.first, g.last, number(g.tdp, 1), g.threads_per_socket,
            number(g.gb_per_thread), number(g.watts[source.IDLE]), number(g.watts[source.FULL])] for g in model.groups])
    write("data/power_shapes.csv", ["key"] + ["s%d" % (10 * k) for k in range(11)], shape_rows(model, busy))
    write("data/cpu_tdp.csv", ["cpu", "tdp_w"], tdp_rows(facts))
    write("tests/sense/power_model_expected.csv",
          ["cpu", "sockets", "threads", "memory_gb", *("w%d" % (10 * k) for k in range(11))], expected(model))
    print("busy-core weight %.2f, mean absolute error of the shape %.3f" % (weight, error))


if __name__ == "__main__":
    main()
