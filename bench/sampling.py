#!/usr/bin/python3
"""What a sample costs above an empty timer loop of the same rate, and how late ticks come. Prints a markdown table for docs/validation.md.

usage: bench/sampling.py BUILD_FOLDER [SECONDS]

Six RAPL counters (files in their place), 1 kHz and 10 Hz. CPU time from gramwatt's own clock in the steady state; the empty loop takes turns with it. Lateness from a
recording of a run: how long after its due time each tick was stamped; time that a hypervisor took away (steal, 10 ms steps) is told beside it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

build = sys.argv[1] if len(sys.argv) > 1 else "build/bench"
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 15
ROUNDS = 3
GRAMWATT, LOOP, READS = (os.path.join(build, p) for p in ("src/cli/gramwatt", "bench/timer_loop", "bench/read_cost"))
home = tempfile.mkdtemp(prefix="gramwatt-bench-")
tree = os.path.join(home, "sys/class/powercap")
env = {**os.environ, "HOME": home, "GRAMWATT_NO_NETWORK": "1", "GRAMWATT_SYSFS": os.path.join(home, "sys")}
zones = [f"intel-rapl:{p}" for p in range(4)] + [f"intel-rapl:{p}/intel-rapl:{p}:0" for p in range(2)]
for zone in zones:
    os.makedirs(os.path.join(tree, zone), exist_ok=True)
    name = "dram" if "/" in zone else "package-" + zone[-1]
    for file, text in (("name", name), ("energy_uj", "123456"), ("max_energy_range_uj", "262143328850")):
        with open(os.path.join(tree, zone, file), "w") as f:
            f.write(text + "\n")


def steady(*command):
    """CPU seconds a second that a process uses once it has started."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    clock = (~process.pid << 3) | 2  # as clock_getcpuclockid(3) makes it
    time.sleep(1.5)
    before, start = time.clock_gettime(clock), time.monotonic()
    time.sleep(seconds)
    share = (time.clock_gettime(clock) - before) / (time.monotonic() - start)
    process.terminate()
    process.wait()
    return share


def above_empty_loop(interval):
    """Microseconds of CPU a sample: gramwatt, empty loop."""
    rounds = [(steady(GRAMWATT, "run", "-q", "--no-ledger", "--interval", f"{round(1000 * interval)}ms", "--", "/bin/sleep", str(3 * seconds + 5)),
               steady(LOOP, str(interval), str(3 * seconds + 5))) for _ in range(ROUNDS)]
    return [1e6 * interval * statistics.median(column) for column in zip(*rounds)]


def verdict(value, bar):
    return "met" if value <= bar else "MISSED"


def lateness():
    path = os.path.join(home, "ticks.jsonl")
    subprocess.run([GRAMWATT, "run", "-q", "--no-ledger", "--interval", "1ms", "--record", path, "--", "/bin/sleep", str(2 * seconds)], env=env, check=True)
    ticks, stolen = [], []
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith('["tick"'):
                tick = json.loads(line)
                if tick[1] == "tick":
                    ticks.append(tick[2] / 1e6)
                if tick[7]:
                    stolen.append(tick[7][1])
    # Due times are a grid of 1 ms; its phase is that of the most punctual tick. A tick that was missed altogether is one that came late, and so are those that it stands for.
    first = ticks[0]
    late = []
    offset = min((t - first) % 1.0 if (t - first) % 1.0 < 0.5 else (t - first) % 1.0 - 1.0 for t in ticks[:1000])
    previous = -1
    for t in ticks:
        slot = int((t - first - offset) // 1.0)
        for missed in range(previous + 1, slot + 1):
            late.append(t - first - offset - missed)
        previous = max(previous, slot)
    return sorted(late), (stolen[-1] - stolen[0]) * 0.01 if stolen else 0.0


print("| figure | measured | bar | |\n|---|---|---|---|")
reads = float(subprocess.run([READS, os.path.join(home, "sys")], env=env, capture_output=True, text=True, check=True).stdout)
print(f"| CPU inside the reads of 6 counters, a sample | {reads:.2f} µs | ≤ 5 µs | {verdict(reads, 5)} |")
for interval, bar in ((0.001, 8), (0.1, 35)):
    ours, loop = above_empty_loop(interval)
    print(f"| CPU of a sample of 6 counters at {1 / interval:.0f} Hz above an empty loop ({loop:.1f} µs) | {ours - loop:.1f} µs | ≤ {bar} µs | {verdict(ours - loop, bar)} |")
late, steal = lateness()
within = sum(x <= 2.0 for x in late) / len(late)
print(f"| ticks of 1 kHz within 2 ms ({len(late)} ticks; p50 {late[len(late) // 2]:.2f} ms, p99.9 {late[int(0.999 * len(late))]:.2f} ms, steal meanwhile {steal:.2f} s) "
      f"| {100 * within:.2f} % | ≥ 99.8 % | {'met' if within >= 0.998 else 'MISSED'} |")
