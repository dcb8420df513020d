#!/usr/bin/python3
"""What does gramwatt itself cost? Prints a markdown table for docs/validation.md.

usage: bench/overhead.py BUILD_FOLDER [CODECARBON_PYTHON]

Needs the preset `bench`. Start-up: `gramwatt run -- true` (second call) above `true`, median of 20; beside CodeCarbon's command line when the path of a
Python that has it is given. Sampling: CPU time of gramwatt at 10 samples a second, from the kernel's books, above a timer loop
of the same rate that does nothing.
"""

import os
import subprocess
import sys
import tempfile

build = sys.argv[1] if len(sys.argv) > 1 else "build/release"
GRAMWATT = os.path.join(build, "src/cli/gramwatt")
home = tempfile.mkdtemp(prefix="gramwatt-bench-")
env = {**os.environ, "HOME": home, "GRAMWATT_NO_NETWORK": "1"}


COST = os.path.join(build, "bench/cost")


def median(command, n=20):
    """Medians of wall milliseconds, peak megabytes, CPU seconds."""
    return [float(x) for x in subprocess.run([COST, str(n), *command], env=env, capture_output=True, text=True, check=True).stdout.split()]


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

seconds = 40
idle_loop = os.path.join(build, "bench/timer_loop")
startup = median([GRAMWATT, "run", "--", "/bin/sleep", "0"], 10)[2]
loop = once([idle_loop, "0.1", str(seconds)])[2] / seconds


def sampling(*options):
    """Share of a core that gramwatt used beside a sleeping program, start-up taken off."""
    return (once([GRAMWATT, "run", *options, "--", "/bin/sleep", str(seconds)])[2] - startup) / seconds


fast, usual = sampling("--interval", "100ms"), sampling()
print(f"| CPU at 10 samples a second (tree, ledger, live line) | {100 * fast:.3f} % of a core | ≤ 0.1 % | {'met' if fast <= 0.001 else 'MISSED'} |")
print(f"| the same above an empty timer loop ({100 * loop:.3f} %) | {100 * (fast - loop):.3f} % | ≤ 0.05 % | {'met' if fast - loop <= 0.0005 else 'MISSED'} |")
print(f"| CPU as it runs by default without sensors (once a second) | {100 * usual:.3f} % of a core | | |")
