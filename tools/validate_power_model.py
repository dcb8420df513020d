#!/usr/bin/env python3
"""Judges the power model on SPECpower servers that it has not seen, with the code that fits what ships, beside what others do.

    tools/validate_power_model.py ../shared/data          prints markdown
"""

import csv
import os
import sys

import build_power_tables as build
import power_data as source
import power_errors as judge
import power_fit as fit
import power_profiles as profiles

CCF_NAMES = {"sandybridge": "Sandy Bridge", "ivybridge": "Ivy Bridge", "haswell": "Haswell", "broadwell": "Broadwell",
             "skylake": "Skylake", "cascadelake": "Cascade Lake", "icelake": "Ice Lake", "client-coffeelake": "Coffee Lake",
             "sapphirerapids": "Sapphire Rapids", "emeraldrapids": "Emerald Rapids", "graniterapids": "Granite Rapids",
             "zen1": "EPYC 1st Gen", "zen2": "EPYC 2nd Gen", "zen3": "EPYC 3rd Gen"}


def linear(idle, full):
    return [idle + (full - idle) * k / 10 for k in range(11)]


def ccf_published(shared, servers):
    """Cloud Carbon Footprint's own table (its servers are among those judged: an advantage), on the servers that it knows."""
    watts = {}
    with open(os.path.join(shared, "coefficients", "ccf_cpu_watts_per_vcpu.csv"), encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            watts.setdefault(r["architecture"], (float(r["min_watts_per_vcpu"]), float(r["max_watts_per_vcpu"])))
    known = [s for s in servers if CCF_NAMES.get(s.microarchitecture) in watts]
    return [(s, linear(*(w * s.threads for w in watts[CCF_NAMES[s.microarchitecture]]))) for s in known]


def ccf_method(servers, judged):
    """The same method refitted without the CPU model judged: means per thread by microarchitecture, a straight line."""
    out = []
    for s in judged:
        kin = [t for t in servers if t.microarchitecture == s.microarchitecture and t.cpu != s.cpu]
        if kin:
            idle, full = (sum(t.watts[i] / t.threads for t in kin) / len(kin) * s.threads for i in (source.IDLE, source.FULL))
            out.append((s, linear(idle, full)))
    return out


def row(name, predicted, since):
    error, bias, n = judge.mape(predicted, since)
    return "%s | %.1f %% | %+.1f %% | %d" % (name, 100 * error, 100 * bias, n)


def main():
    shared = sys.argv[1] if len(sys.argv) > 1 else os.path.join(source.REPOSITORY, "..", "shared", "data")
    facts = source.Facts(shared)
    servers = source.read_servers(shared, facts)
    judged = [s for s in servers if s.year >= 2017]
    by_rung = {rung: judge.predictions(rung, servers, facts) for rung in judge.RUNGS}
    other_maker = judge.predictions(judge.OTHER_MAKER, servers, facts)
    pools = {rung: judge.judged_on(rung, servers, facts) for rung in judge.RUNGS}
    spreads = {rung: judge.spread(rung, pools[rung]) for rung in judge.RUNGS}
    methods = [("CPU model measured in another server (leave one server out)", by_rung["cpu_model"]),
               ("CPU model measured in another maker's servers only (leave the maker out)", other_maker),
               ("CPU model unseen; microarchitecture, TDP, threads known (leave one CPU model out)",
                by_rung["microarchitecture"]),
               ("microarchitecture only, as a guest may show it (leave one CPU model out)", by_rung["microarchitecture_only"]),
               ("nothing known (leave one CPU model out)", by_rung["all_servers"]),
               ("Cloud Carbon Footprint's published table", ccf_published(shared, judged)),
               ("Cloud Carbon Footprint's method, leave one CPU model out", ccf_method(servers, judged)),
               ("TDP x load", [(s, [s.tdp * s.chips * k / 10 for k in range(11)]) for s in judged])]

    print("Wall power at 10, 20, ... 90 % load, each CPU model weighing the same:\n")
    for since in (2017, 2020):
        print("servers since %d | MAPE | bias | CPU models\n---|---|---|---" % since)
        for name, predicted in methods:
            print(row(name, predicted, since))
        print()
    print("90 % interval (`spec-spread`): coverage over the same points, and its width\n")
    print("rung | coverage since 2017 | since 2020 | since 2017, width set without that CPU model | idle part | active part")
    print("---|---|---|---|---|---")
    for rung, predicted in [("cpu_model", by_rung["cpu_model"]), (judge.OTHER_MAKER, other_maker), *list(by_rung.items())[1:]]:
        shipped = "cpu_model" if rung == judge.OTHER_MAKER else rung
        width = spreads[shipped]
        (i_low, i_high), (a_low, a_high) = width
        recent = [(s, p) for s, p in predicted if s.year >= 2020]
        print("%s | %.1f %% | %.1f %% | %.1f %% | %+.0f..%+.0f %% | %+.0f..%+.0f %%" % (
            rung, 100 * judge.coverage(judge.by_model(predicted), width),
            100 * judge.coverage(judge.by_model(recent), width),
            100 * judge.unseen_coverage(shipped, pools[shipped], predicted), 100 * i_low, 100 * i_high, 100 * a_low, 100 * a_high))
    print("\nIdle and full load of all servers since 2017, with or without load steps (mean absolute error, unseen CPU model):\n")
    rows = judge.by_model(by_rung["microarchitecture"])
    total = sum(w for _, _, w in rows)
    for name, level in (("idle", source.IDLE), ("full", source.FULL)):
        error = sum(w * abs(p[level] / s.watts[level] - 1) for s, p, w in rows) / total
        print("- %s: %.1f %% over %d CPU models" % (name, 100 * error, round(total)))
    median, low, high, models = fit.memory_watts_per_gb(servers)
    print("\nMemory: idle watts against GB within one CPU model and number of sockets, median of %d CPU models: %.2f W/GB "
          "(quartiles %.2f .. %.2f).\n" % (models, median, low, high))
    model = fit.Model(servers, facts)
    profiles.report(shared, servers, facts, model, spreads)
    print("Shape with wholly busy cores, mean absolute error as a share of (full - idle), capacity 10..90 %, CPU left out:\n")
    busy = build.busy_core_shapes(shared)
    print("busy-core weight | error\n---|---")
    for weight in (0.0, 0.25, 0.5, 0.55, 0.75, 1.0):
        print("%.2f | %.3f" % (weight, build.busy_core_error(busy, model, weight)))


if __name__ == "__main__":
    main()
