#!/usr/bin/python3
"""Is gramwatt consistent with itself on this machine? Prints a markdown table for docs/validation.md.

usage: bench/self_consistency.py BUILD_FOLDER      (a quiet machine; takes about three minutes)
"""

import json
import os
import subprocess
import sys
import tempfile

build = sys.argv[1] if len(sys.argv) > 1 else "build/release"
GRAMWATT = os.path.join(build, "src/cli/gramwatt")
BURN = os.path.join(build, "tests/fakes/burn")
home = tempfile.mkdtemp(prefix="gramwatt-bench-")
env = {**os.environ, "HOME": home, "GRAMWATT_NO_NETWORK": "1"}


def active(*command):
    out = os.path.join(home, "run.json")
    subprocess.run([GRAMWATT, "run", "-q", "--json", out, "--", *command], env=env, check=True)
    with open(out) as f:
        r = json.load(f)
    return r["energy"]["active"]["value"], r


def row(what, measured, bar, good):
    print(f"| {what} | {measured} | {bar} | {'met' if good else 'MISSED'} |")


print("| figure | measured | bar | |\n|---|---|---|---|")
one20, record = active(BURN, "20")
sleep20, _ = active("sleep", "20")
row("active energy of `sleep 20` / one busy core for 20 s", f"{100 * sleep20 / one20:.3f} %", "< 1 %", sleep20 < 0.01 * one20)
two, _ = active(BURN, "20", "threads", "2")
siblings = len(set(open(f"/sys/devices/system/cpu/cpu{i}/topology/thread_siblings_list").read() for i in range(os.cpu_count()))) < os.cpu_count()
row(f"two busy cores / one ({'SMT siblings' if siblings else 'no SMT siblings here'})", f"{two / one20:.3f}", "1.6..2.3", 1.6 <= two / one20 <= 2.3)
forty, _ = active(BURN, "0.5", "x40")
row("40 children of 0.5 CPU-seconds / one of 20", f"{100 * (forty / one20 - 1):+.2f} %", "within 2 %", abs(forty / one20 - 1) < 0.02)
one10, _ = active(BURN, "10")
short, _ = active(BURN, "0.005", "x2000")
row("2,000 children of 5 ms / one of 10 s", f"{100 * (short / one10 - 1):+.2f} %", "within 5 %", abs(short / one10 - 1) < 0.05)
away, _ = active(BURN, "10", "away")
row("a child that forks away and ends / one of 10 s", f"{100 * (away / one10 - 1):+.2f} %", "counted", abs(away / one10 - 1) < 0.05)
other = subprocess.Popen([BURN, "30"])
loaded, _ = active(BURN, "10")
other.kill()
other.wait()
row("active energy beside another process's load", f"{100 * (loaded / one10 - 1):+.2f} %", "< 5 %", abs(loaded / one10 - 1) < 0.05)
print(f"\nOne busy core for 20 s: {one20:.1f} J active on {record['host']['cpu']}, {record['host']['cpus']} threads.")
