"""What goes into the power model: SPECpower's results, and what is known about CPUs by name. Standard library only."""

import csv
import math
import os
import re
from collections import defaultdict
from statistics import mode

REPOSITORY = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
IDLE, FULL = 0, 10
REFERENCE_GB_PER_THREAD = 2.0  # about the median of SPECpower's servers since 2017

NOISE = {"intel", "amd", "nvidia", "cpu", "processor", "ampere", "64-bit", "multi-core", "platinum", "gold", "silver", "bronze",
         "e", "gen", "dell", "sku"}


def normalise(name):
    """"Intel(R) Xeon(R) Platinum 8180 CPU @2.50GHz" -> "xeon 8180". Mirrored by normalise_cpu_name() in C++."""
    s = name.lower()
    for mark in ("(r)", "(tm)", "®", "™"):
        s = s.replace(mark, " ")
    for cut in "([@":
        s = s.split(cut)[0]
    s = s.replace(",", " ").replace("xeon-d ", "xeon d-")
    out = []
    for token in s.split():
        if token in ("with", "w/"):
            break
        if token in NOISE or token.endswith(("-core", "ghz", "mhz")):
            continue
        if out == ["xeon"] and token in ("6", "6+"):  # "Xeon 6 6980P": the family's name, not a number of its own
            continue
        if all(c.isdigit() or c == "." for c in token) and "." in token:
            continue
        if token[0].isdigit() and token.endswith(("st", "nd", "rd", "th")):
            continue
        if token[:2] in ("e3", "e5", "e7") and token[2:3] == "-" and not out:
            out.append("xeon")
        if out and (token in ("he", "ee", "se") or (len(token) == 2 and token[0] == "v" and token[1].isdigit())):
            out[-1] += token
        else:
            out.append(token)
    return " ".join(out)


def matches(pattern, text):
    """? any character, # a digit, * anything. Mirrored in C++."""
    expression = "".join({"?": ".", "#": "[0-9]", "*": ".*"}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(expression, text) is not None


def table(name):
    with open(os.path.join(REPOSITORY, "data", name + ".csv"), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


class Facts:
    """What is known about CPUs by name: microarchitecture, class, TDP, cores."""

    def __init__(self, shared):
        self.patterns = [(r["pattern"], r["microarchitecture"]) for r in table("cpu_name_patterns")]
        self.classes = {r["key"]: r["class"] for r in table("microarchitectures")}
        self.cores = {r["cpu"]: int(r["cores"]) for r in table("cpu_cores")}
        self.tdp = {}
        with open(os.path.join(shared, "coefficients", "cpu_tdp_codecarbon.csv"), encoding="utf-8", newline="") as f:
            for r in csv.DictReader(f):
                try:
                    self.tdp.setdefault(normalise(r["Name"]), float(r["TDP"]))
                except ValueError:
                    pass  # a few lines hold two numbers run together
        with open(os.path.join(shared, "coefficients", "cpu_tdp_greenalgorithms.csv"), encoding="utf-8", newline="") as f:
            for r in list(csv.reader(f))[2:]:
                try:
                    self.tdp.setdefault(normalise(r[0]), float(r[1]))
                except (ValueError, IndexError):
                    pass
        # Makers' data sheets, for measured CPUs that neither table lists.
        self.tdp.update({"altra max m128-30": 250.0, "altra q80-30": 210.0, "xeon 6548y": 250.0, "xeon 5675": 95.0,
                         "grace superchip": 500.0, "core ultra 7 255h": 28.0})
        # The same for CPUs that no measured server carries: Xeon Max and Xeon 6900P (Intel ARK), Altra (Ampere's product brief).
        self.tdp.update({"xeon max 9460": 350.0, "xeon max 9462": 350.0, "xeon max 9468": 350.0, "xeon max 9470": 350.0,
                         "xeon max 9480": 350.0, "xeon 6962p": 500.0, "altra q80-33": 250.0, "altra q80-26": 175.0,
                         "altra q80-23": 150.0, "altra q72-30": 195.0, "altra q64-33": 220.0, "altra q64-30": 180.0,
                         "altra q64-26": 125.0, "altra q64-24": 95.0, "altra max m128-28": 230.0, "altra max m128-26": 190.0,
                         "altra max m112-30": 240.0, "altra max m96-30": 220.0, "altra max m96-28": 190.0})

    def microarchitecture(self, cpu):
        return next((u for p, u in self.patterns if matches(p, cpu)), None)


class Server:
    """One SPECpower result: `watts` at idle, 10 % ... 100 %; the steps between are None where only idle and full are known."""

    def __init__(self, cpu, maker, chips, cores, threads, tdp, memory, year, watts):
        self.cpu, self.maker, self.chips, self.cores, self.threads = cpu, maker, chips, cores, threads
        self.tdp, self.memory, self.year, self.watts = tdp, memory, year, watts
        self.microarchitecture = None

    def features(self):
        return features(self.tdp, self.threads, self.chips)

    def log_memory(self):
        """log of GB a thread, relative to the reference."""
        return 0.0 if self.memory is None else math.log(self.memory / self.threads / REFERENCE_GB_PER_THREAD)

    def extra_gb(self):
        return 0.0 if self.memory is None else self.memory - REFERENCE_GB_PER_THREAD * self.threads


def features(tdp, threads, chips, per_socket=False):
    per_socket = threads if per_socket else threads / chips
    return (math.log(tdp / per_socket / 2.5), math.log(per_socket / 96), 1.0 if chips == 1 else 0.0)


def read_servers(shared, facts):
    servers, seen = [], set()
    with open(os.path.join(shared, "specpower", "levels.csv"), encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            watts = [float(r["idle_w"])] + [float(r["w_%d" % (10 * i)]) for i in range(1, 11)]
            cpu = normalise(r["cpu"])
            tdp = float(r["tdp_w"]) if r["tdp_w"] else facts.tdp.get(cpu)
            maker = r["vendor"].split()[0].lower()
            servers.append(Server(cpu, maker, int(r["chips"]), int(r["cores"]), int(r["threads"]), tdp, float(r["memory_gb"]),
                                  int(r["available"][-4:]), watts))
            seen.add((watts[IDLE], watts[FULL]))
    with open(os.path.join(shared, "specpower", "idle_max_2026.csv"), encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            idle, full = float(r["idle_w"]), float(r["w_100"])
            if (idle, full) in seen:  # the same result stands in both files
                continue
            cpu = normalise(r["cpu"])
            maker = r["vendor"].split()[0].lower()
            servers.append(Server(cpu, maker, int(r["chips"]), int(r["cores"]), int(r["threads"]), facts.tdp.get(cpu),
                                  float(r["memory_gb"] or 0), int(r["published"][-4:]), [idle] + [None] * 9 + [full]))
    return repair(servers, facts)


def repair(servers, facts):
    """Misprints: threads counted twice where cores were already per machine, memory of "1,024" read as 1."""
    per_socket = defaultdict(list)
    for s in servers:
        per_socket[s.cpu].append(s.threads / s.chips)
    for s in servers:
        s.threads = round(mode(per_socket[s.cpu]) * s.chips)
        cores = facts.cores.get(s.cpu, s.cores / s.chips) * s.chips
        s.threads = min(s.threads, round(2 * cores))
        if s.memory < 0.2 * s.threads:
            s.memory = None
        s.microarchitecture = facts.microarchitecture(s.cpu)
    return [s for s in servers if s.tdp and s.microarchitecture]
