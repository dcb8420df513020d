"""The production model against machines that were not tuned for SPEC: the CPU load profiles. Standard library only.

Three machines, read by RAPL at about ten loads in two ways (all threads duty-cycled, some threads wholly busy), one of them also at
the plug. RAPL is lifted to the plug as src/meter/platform.cpp does it, and the interval of that lift is kept: a point counts as
covered when the model's interval contains the reference. The CPU judged is left out of the busy-core shape, which rests on these
very files; its level comes from SPECpower or from TDP and owes them nothing.
"""

import csv
import os

import build_power_tables as build
import power_data as source
import power_errors as judge

PRODUCTION = (-0.10, 0.30)           # src/sense/power_model.cpp
CLIENT_PRODUCTION = (-0.2, 1.0)      # likewise
LOSS, BASE = 0.17, {"server": 25.0, "desktop": 20.0}  # src/meter/platform.cpp
# What each machine is, as gramwatt would see it: kind, TDP, threads.
MACHINES = {"AMD EPYC 8024P 8-Core Processor": ("server", 90.0, 16),
            "AMD Ryzen Threadripper 1950X 16-Core Processor": ("desktop", 180.0, 32),
            "Intel(R) Xeon(R) CPU E3-1240 V2 @ 3.40GHz": ("server", 69.0, 8)}


def even_capacity(share):
    """Capacity used when every thread is busy for this share of the time and siblings overlap as little as they can."""
    return 2 * share * build.LONE_SIBLING if share <= 0.5 else build.LONE_SIBLING + (1 - build.LONE_SIBLING) * (2 * share - 1)


def read(shared):
    """{(cpu, how): [(load, capacity, RAPL watts, wall watts or None)]}, without the first row (RAPL read once too early)."""
    series = {}
    with open(os.path.join(shared, "cpu-load-profiles", "profiles.csv"), encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            threads, busy = MACHINES[r["cpu"]][2], int(r["threads_busy"])
            if r["load_type"] == "all_cores":
                load = float(r["cpu_load_pct"]) / 100
                used = even_capacity(min(load, 1.0))
            else:
                load, used = busy / threads, build.capacity(busy, threads)
            row = (load, used, float(r["rapl_w"]), float(r["wall_w"]) if r["wall_w"] else None)
            series.setdefault((r["cpu"], r["load_type"]), []).append(row)
    return {key: [r for r in rows if r[2] > 2] for key, rows in series.items()}


def at(shape, x):
    k = min(int(10 * x), 9)
    return shape[k] + (shape[k + 1] - shape[k]) * (10 * x - k)


def interval(parts):
    """Watts low and high of [(value, {id: (low, high)})]: one id adds linearly, ids in quadrature, as base/estimate.cpp."""
    value, ids = sum(v for v, _ in parts), {i for _, terms in parts for i in terms}
    down = up = 0.0
    for i in ids:
        low, high = (sum(v * terms.get(i, (0, 0))[end] for v, terms in parts) for end in (0, 1))
        down += min(low, high, 0.0) ** 2
        up += max(low, high, 0.0) ** 2
    return value - down ** 0.5, value + up ** 0.5


class Production:
    """What sense/power_model.cpp gives for the machine: idle, full, shape, and the terms of both parts."""

    def __init__(self, cpu, model, facts, spreads, ratios, busy):
        kind, tdp, threads = MACHINES[cpu]
        others = [s for c, s in busy.items() if c != cpu]
        mean, concave = build.mean_shape(others), [max(c) for c in zip(*others)]
        if kind == "desktop":
            (i_low, i_mid, i_high), (a_low, a_mid, a_high) = ratios
            self.idle, self.range, self.shape = tdp * i_mid, tdp * a_mid, mean
            self.idle_terms = {"tdp-idle": (i_low / i_mid - 1, i_high / i_mid - 1), "production": CLIENT_PRODUCTION}
            self.active_terms = {"tdp-active": (a_low / a_mid - 1, a_high / a_mid - 1), "production": CLIENT_PRODUCTION}
            return
        name = source.normalise(cpu)
        curve = model.curve(name, facts.microarchitecture(name), tdp, threads, 1)
        spec = [(w - curve[0]) / (curve[10] - curve[0]) for w in curve]
        weight, _ = build.busy_core_weight(busy, model)
        self.idle, self.range = curve[0], curve[10] - curve[0]
        self.shape = [(1 - weight) * a + weight * b for a, b in zip(spec, mean)]
        rung = "cpu_model" if any(g.cpu == name for g in model.groups) else "microarchitecture"
        (i_low, i_high), (a_low, a_high) = spreads[rung]
        self.idle_terms = {"spec-spread": (i_low, i_high), "production": PRODUCTION}
        self.active_terms = {"spec-spread": (a_low, a_high), "production": PRODUCTION,
                             "shape": (spec[5] / self.shape[5] - 1, concave[5] / self.shape[5] - 1)}

    def at(self, used):
        active = self.range * at(self.shape, used)
        low, high = interval([(self.idle, self.idle_terms), (active, self.active_terms)])
        return self.idle + active, low, high


def ccf_average(servers, threads):
    """Cloud Carbon Footprint's answer for a CPU that its table lacks: the mean of all servers, a straight line."""
    recent = [s for s in servers if s.year >= 2017]
    idle, full = (threads * sum(s.watts[i] / s.threads for s in recent) / len(recent) for i in (source.IDLE, source.FULL))
    return idle, full


def rows(shared, servers, facts, model, spreads):
    """[name, reference, points, ours (MAPE, bias, coverage), CCF linear MAPE, TDP x load MAPE]"""
    busy, ratios, out = build.busy_core_shapes(shared), build.client_ratios(servers, facts), []
    for (cpu, how), points in read(shared).items():
        kind, tdp, threads = MACHINES[cpu]
        ours = Production(cpu, model, facts, spreads, ratios, busy)
        key = facts.microarchitecture(source.normalise(cpu))
        kin = [s for s in servers if s.microarchitecture == key and s.cpu != source.normalise(cpu)]
        idle, full = ccf_average(servers, threads) if not kin else (
            threads * sum(s.watts[i] / s.threads for s in kin) / len(kin) for i in (source.IDLE, source.FULL))
        for reference in ("plug", "RAPL, lifted"):
            judged = []
            for load, used, rapl, wall in points:
                truth = wall if reference == "plug" else rapl * (1 + LOSS) + BASE[kind]
                if truth is not None:
                    judged.append((truth, *ours.at(used), idle + (full - idle) * load, tdp * load))
            if not judged:
                continue
            n = len(judged)
            out.append(["%s, %s" % (cpu.split(" Processor")[0].replace("(R)", ""), how.replace("_", " ")), reference, n,
                        sum(abs(p / t - 1) for t, p, _, _, _, _ in judged) / n, sum(p / t - 1 for t, p, _, _, _, _ in judged) / n,
                        sum(low <= t <= high for t, _, low, high, _, _ in judged) / n,
                        sum(abs(c / t - 1) for t, _, _, _, c, _ in judged) / n,
                        sum(abs(x / t - 1) for t, _, _, _, _, x in judged) / n])
    return out


def report(shared, servers, facts, model, spreads):
    print("Machines that were not tuned for SPEC (CPU load profiles), watts at the plug, the production model as it ships:\n")
    print("machine and load | reference | points | MAPE | bias | in our interval | CCF, linear | TDP x load")
    print("---|---|---|---|---|---|---|---")
    table = rows(shared, servers, facts, model, spreads)
    line = "%s | %s | %d | %.0f %% | %+.0f %% | %.0f %% | %.0f %% | %.0f %%"
    for name, reference, n, *shares in table:
        print(line % (name, reference, n, *(100 * s for s in shares)))
    mean = [100 * sum(r[i] for r in table) / len(table) for i in range(3, 8)]
    print(line % ("**mean of the series**", "", sum(r[2] for r in table), *mean))
    print()
