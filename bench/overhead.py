#!/usr/bin/python3
"""What does gramwatt itself cost? Prints a markdown table for docs/validation.md.

usage: bench/overhead.py BUILD_FOLDER [CODECARBON_PYTHON]

Needs the preset `bench`. Start-up: `gramwatt run -- true` (second call) above `true`, median of 20; beside CodeCarbon's command line when the path of a
Python that has it is given. Sampling: CPU time of gramwatt at 10 samples a second, from its CPU clock between its 2nd and
22nd second, above a timer loop of the same rate that does nothing.
"""

import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time

build = sys.argv[1] if len(sys.argv) > 1 else "build/release"
GRAMWATT = os.path.join(build, "src/cli/gramwatt")
home = tempfile.mkdtemp(prefix="gramwatt-bench-")
env = {**os.environ, "HOME": home, "GRAMWATT_NO_NETWORK": "1"}


COST = os.path.join(build, "bench/cost")


def median(command, n=20, environment=env):
    """Medians of wall milliseconds, peak megabytes, CPU seconds."""
    return [float(x) for x in subprocess.run([COST, str(n), *command], env=environment, capture_output=True, text=True, check=True).stdout.split()]


def once(command):
    return median(command, 1)


print("| figure | measured | bar | |\n|---|---|---|---|")
once([GRAMWATT, "run", "--", "/bin/true"])
plain = median(["/bin/true"])
ours = median([GRAMWATT, "run", "--", "/bin/true"])
ms, mb = ours[0] - plain[0], ours[1] - plain[1]
print(f"| `gramwatt run -- true` above `true`, time (median of 20) | {ms:.1f} ms | ≤ 15 ms | {'met' if ms <= 15 else 'MISSED'} |")
print(f"| the same, memory | {mb:.1f} MB | ≤ 12 MB | {'met' if mb <= 12 else 'MISSED'} |")
if len(sys.argv) > 2:
    python = os.path.abspath(sys.argv[2])
    tool = os.path.join(os.path.dirname(python), "codecarbon")
    command = [tool, "monitor", "--offline", "--country-iso-code", "DEU", "--", "/bin/true"]
    once(command)
    cc = median(command, 5)
    cc_ms, cc_mb = cc[0] - plain[0], cc[1] - plain[1]
    print(f"| CodeCarbon's command line around `true` / ours, time | {cc_ms:.0f} ms / {ms:.1f} ms = {cc_ms / ms:.0f} | ≥ 50 | {'met' if cc_ms / ms >= 50 else 'MISSED'} |")
    print(f"| the same, memory | {cc_mb:.0f} MB / {mb:.1f} MB = {cc_mb / mb:.1f} | ≥ 7 | {'met' if cc_mb / mb >= 7 else 'MISSED'} |")

ROUNDS, SECONDS = 3, 20
idle_loop = os.path.join(build, "bench/timer_loop")
rapl = {**env, "GRAMWATT_SYSFS": os.path.join(home, "sys")}
for package in range(2):
    zone = os.path.join(home, "sys/class/powercap", f"intel-rapl:{package}")
    os.makedirs(zone)
    for name, text in (("name", f"package-{package}"), ("energy_uj", "123456"), ("max_energy_range_uj", "262143328850"), ("enabled", "1")):
        with open(os.path.join(zone, name), "w") as f:
            f.write(text + "\n")


def steady(*command, environment=env, terminal=False):
    """Share of a core that a process (all its threads, not its children) uses once it has started, from its CPU clock."""
    main, side = pty.openpty() if terminal else (None, subprocess.DEVNULL)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=side)
    clock = (~process.pid << 3) | 2  # as clock_getcpuclockid(3) makes it
    time.sleep(2)
    before, start = time.clock_gettime(clock), time.monotonic()
    time.sleep(SECONDS)
    share = (time.clock_gettime(clock) - before) / (time.monotonic() - start)
    process.terminate()
    process.wait()
    if terminal:
        shown = os.read(main, 65536)
        assert shown.count(b"\r") > 5, shown  # the live line was there
        os.close(main)
        os.close(side)
    return share


def sampling(*options, **kwargs):
    return steady(GRAMWATT, "run", *options, "--", "/bin/sleep", str(3 * SECONDS), **kwargs)


# What a wake-up costs changes with the state of the machine, so the programs take turns.
rounds = [
    (
        steady(idle_loop, "0.1", str(3 * SECONDS)),
        sampling("--interval", "100ms", terminal=True),
        sampling("--interval", "100ms", environment=rapl, terminal=True),
        sampling("--trace", os.path.join(home, "trace.csv")),
        sampling(),
    )
    for _ in range(ROUNDS)
]
loop, fast, with_rapl, trace, usual = (statistics.median(column) for column in zip(*rounds))


def line(what, share):
    above = share - loop
    print(f"| {what} | {100 * share:.3f} % of a core | ≤ 0.1 % | {'met' if share <= 0.001 else 'MISSED'} |")
    print(f"| the same above an empty timer loop ({100 * loop:.3f} %) | {100 * above:.3f} % | ≤ 0.05 % | {'met' if above <= 0.0005 else 'MISSED'} |")


line("CPU at 10 samples a second (tree, ledger, live line)", fast)
line("CPU at 10 samples a second of two RAPL packages (files in their place)", with_rapl)
print(f"| CPU with `--trace`, everything read and written ten times a second | {100 * trace:.3f} % of a core | | |")
print(f"| CPU as it runs by default without sensors (once a second) | {100 * usual:.3f} % of a core | | |")
