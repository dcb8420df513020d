"""Random faults while a job waits, runs, is held or has exited: nothing is left stopped, deadlines are kept, the ledger stays whole.

    schedule_faults.py [NUMBER [SEED [AT_ONCE]]]        by hand: 200 faults take some five minutes

A fault is a seed: what is broken, and when. Each has a home, a grid and a program of its own. The clock is never stepped: it is the machine's.
"""

import collections
import concurrent.futures
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import scheduled
import support
from schedule_test import guardian_of
from scheduled import Scheduled, seconds_of

PYTHON = "/usr/bin/python3"
KINDS = ("kill gramwatt", "stop gramwatt", "kill guardian", "stop guardian", "kill program", "provider down", "forecast wrong", "disk full", "kill both")
STEPS = 60  # a tenth of a second each
WITHIN = 22


def varints(data):
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield value
            value = shift = 0


def joules_of(blob):
    """The job's energy in one blob of intervals (src/ledger/interval_blob.cpp)."""
    numbers = varints(blob[1:])
    channels = next(numbers)
    before = [0] * (4 * channels)
    total = 0
    while True:
        head = [n for _, n in zip(range(9), numbers)]
        if len(head) < 9:
            return total / 1e6
        for i in range(4 * channels):
            z = next(numbers)
            before[i] += (z >> 1) ^ -(z & 1)
            total += before[i] if i % 4 >= 2 else 0


class Fault(Scheduled):
    def runTest(self):
        pass

    def play(self, seed):
        dice = random.Random(seed)
        self.kind = dice.choice(KINDS)
        self.at = dice.uniform(1, 16)
        self.way = dice.choice(("hold", "stop", "trace", "exit", "exit"))
        slots = "b" + "".join(dice.choice("bwwdc") for _ in range(11)) + "c"
        self.env.update(GRAMWATT_LEASE="1s", GRAMWATT_BACK_OFF="300ms", GRAMWATT_REPLAN="1s")
        self.ledger = self.path("disk", "ledger.db")
        os.mkdir(self.path("disk"))
        self.mounted = self.kind == "disk full" and os.geteuid() == 0 and \
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", self.path("disk")], capture_output=True).returncode == 0
        if self.mounted:
            self.addCleanup(subprocess.run, ["umount", "-l", self.path("disk")])
        self.env["GRAMWATT_LEDGER"] = self.ledger
        if self.kind == "provider down":
            self.env.pop("GRAMWATT_NO_NETWORK")
            self.env["GRAMWATT_ENERGYCHARTS_URL"] = "http://127.0.0.1:9"
            self.gramwatt("config", "set", "grid-providers", "energycharts", check=0)
        self.base = self.grid(slots)
        self.ended = None
        job = self.job("--pausable", "--pause-with", self.way, "-q", command=[PYTHON, self.training, self.home, str(STEPS)], within=f"{WITHIN}s", duration="6s")
        time.sleep(max(0, job.began + self.at - time.time()))
        self.phase = (self.row() or {}).get("state", "not there")
        self.strike(job, dice)
        self.check(job)
        return f"{self.kind} while {self.phase}"

    def program(self):
        """Processes of the training: they run in this test's home."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = open(f"/proc/{name}/cmdline").read().split("\0")
                if words[:2] == [PYTHON, self.training]:
                    found.append(int(name))
        return found

    def strike(self, job, dice):
        alive = job.process.poll() is None
        with contextlib.suppress(ProcessLookupError, AssertionError, FileNotFoundError):
            if self.kind in ("kill gramwatt", "kill both") and alive:
                if self.kind == "kill both":
                    for pid in self.program():
                        os.kill(pid, signal.SIGKILL)
                job.process.kill()
            elif self.kind == "stop gramwatt" and alive:
                job.process.send_signal(signal.SIGSTOP)
                time.sleep(dice.uniform(0.1, 3))
                job.process.send_signal(signal.SIGCONT)
            elif self.kind in ("kill guardian", "stop guardian") and alive:
                os.kill(guardian_of(job.process.pid), signal.SIGKILL if self.kind == "kill guardian" else signal.SIGSTOP)
            elif self.kind == "kill program":
                for pid in self.program():
                    os.kill(pid, signal.SIGKILL)
            elif self.kind == "forecast wrong":
                letters = "".join(dice.choice("bwwdc") for _ in range(13))
                rows = (f"{scheduled.utc(self.base + i * 2)},{scheduled.INTENSITY[c]}\n" for i, c in enumerate(letters))
                self.gramwatt("grid", "import", "--zone", "DE", self.write("series.csv", "utc_start,g_per_kwh\n" + "".join(rows)))
            elif self.kind == "disk full" and self.mounted:
                with contextlib.suppress(OSError), open(self.path("disk", "filler"), "wb", buffering=0) as f:
                    while True:
                        f.write(b"w" * 1024)
            elif self.kind == "disk full":
                os.chmod(self.path("disk"), 0o500)

    def steps(self):
        with contextlib.suppress(FileNotFoundError):
            return [int(s) for s in self.read("steps").split()]
        return []

    def check(self, job):
        killed = self.kind in ("kill gramwatt", "kill both")
        # A program that still is there runs on, whatever became of gramwatt: it ends by itself.
        job.end(timeout=WITHIN + 40)
        self.await_(lambda: not self.program(), "the program's end: it was left stopped", 20)
        late = time.time() - (job.began + WITHIN + 6)
        if self.kind == "disk full":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path("disk", "filler"))
            os.chmod(self.path("disk"), 0o700)
        if not killed:
            self.assertLess(late, 3, "the time it was given")
        if self.kind not in ("kill gramwatt", "kill both", "kill program"):
            self.assertEqual(job.process.returncode, 0, job.err)
            self.assertEqual(self.steps(), list(range(1, STEPS + 1)))
        self.check_ledger(killed)

    def check_ledger(self, killed):
        for words in (("runs",), ("jobs", "--all"), ("recover",)):
            done = self.gramwatt(*words)
            self.assertIn(done.returncode, (0,) if os.path.exists(self.ledger) else (0, 3), (words, done.stderr))
        if not os.path.exists(self.ledger):
            return
        with contextlib.closing(sqlite3.connect(self.ledger)) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            row = self.row()
            if row and killed and row["state"] != "ended":
                self.assertFalse(row["alive"])
                self.assertIn("lost", self.gramwatt("jobs", "--all", check=0).stdout)
                self.assertIn(row["id"][-8:], self.gramwatt("recover", check=0).stdout)
            for run, text in db.execute("SELECT id, record FROM runs").fetchall():
                self.gramwatt("show", run, check=0)
                record = json.loads(text)
                if record["state"] == "running" or self.kind == "disk full":  # what could not be written is missing
                    continue
                told = record["energy"]["total"]["value"]
                summed = sum(joules_of(b) for (b,) in db.execute("SELECT data FROM blobs WHERE run = ? ORDER BY seq", (run,)))
                self.assertLessEqual(abs(told - summed), 0.01 * told + 1e-5, "energy of the record and of its intervals")


def play(seed):
    fault = Fault()
    try:
        fault.setUp()
        return seed, fault.play(seed), None
    except Exception as e:  # pylint: disable=broad-except
        return seed, f"{getattr(fault, 'kind', '?')} while {getattr(fault, 'phase', '?')} (paused by {getattr(fault, 'way', '?')}, at {getattr(fault, 'at', 0):.2f} s)", e
    finally:
        fault.doCleanups()


def main():
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    at_once = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    seen, failed = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for seed, what, error in pool.map(play, range(first, first + number)):
            seen[what if error is None else "FAILED"] += 1
            if error is not None:
                failed.append(seed)
                print(f"seed {seed}: {what}: {type(error).__name__}: {error}\n", flush=True)
    for what, n in sorted(seen.items()):
        print(f"{n:4}  {what}")
    print(f"{number - len(failed)} of {number} faults passed" + (f"; seeds that did not: {failed}" if failed else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
