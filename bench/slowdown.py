#!/usr/bin/python3
"""Does being measured slow a program down? Prints a line of markdown for docs/validation.md.

usage: bench/slowdown.py BUILD_FOLDER [PAIRS]

A fixed kernel on every core, with and without `gramwatt run` at 10 samples a second of six counters, in interleaved pairs of random order. The mean of the pairs' relative differences
with its 95 % interval (Student's t over the pairs), and the slowdown that these pairs could have detected (its half width).
"""

import math
import os
import random
import statistics
import subprocess
import sys
import tempfile

build = sys.argv[1] if len(sys.argv) > 1 else "build/bench"
pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
GRAMWATT, KERNEL = (os.path.join(build, p) for p in ("src/cli/gramwatt", "bench/fixed_kernel"))
home = tempfile.mkdtemp(prefix="gramwatt-bench-")
env = {**os.environ, "HOME": home, "GRAMWATT_NO_NETWORK": "1", "GRAMWATT_SYSFS": os.path.join(home, "sys")}
for package in range(6):
    zone = os.path.join(home, "sys/class/powercap", f"intel-rapl:{package}")
    os.makedirs(zone)
    for file, text in (("name", f"package-{package}"), ("energy_uj", "123456"), ("max_energy_range_uj", "262143328850")):
        with open(os.path.join(zone, file), "w") as f:
            f.write(text + "\n")
cores = os.cpu_count()


def kernel(rounds, *before):
    return float(subprocess.run([*before, KERNEL, str(cores), str(rounds)], env=env, capture_output=True, text=True, check=True).stdout)


measured = [GRAMWATT, "run", "-q", "--no-ledger", "--interval", "100ms", "--"]
rounds = max(100, round(400 * 5 / kernel(400)))  # about five seconds
kernel(rounds, *measured)
random.seed(1)
differences = []
for _ in range(pairs):
    if random.random() < 0.5:
        plain = kernel(rounds)
        below = kernel(rounds, *measured)
    else:
        below = kernel(rounds, *measured)
        plain = kernel(rounds)
    differences.append(below / plain - 1)
mean, half = statistics.mean(differences), statistics.stdev(differences) / math.sqrt(pairs)
# Student's t, 97.5 %, by its expansion for many degrees of freedom (Abramowitz and Stegun 26.7.5): within 0.1 % from 10 on.
z, v = 1.959964, pairs - 1
t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
half *= t
upper = mean + half
print(f"| run time of a fixed kernel on {cores} cores, measured at 10 Hz / not measured, {pairs} interleaved pairs of 5 s: upper 95 % bound of the slowdown "
      f"| {100 * upper:.2f} % ({100 * mean:+.2f} ± {100 * half:.2f} %) | ≤ 0.5 % | {'met' if upper <= 0.005 else 'MISSED'} |")
