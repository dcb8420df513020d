"""What the tests of `run --within` share: a grid whose hours last two seconds, jobs that wait in other processes, programs that save."""

import calendar
import concurrent.futures
import json
import os
import subprocess
import sys
import threading
import time
import unittest

import support
from support import GRAMWATT

SLOT = 2
INTENSITY = {"b": 50, "c": 100, "d": 400, "w": 900}

# Writes the time ten times a second: when it ran can be read from that.
HEART = """
import sys, time
out = open(sys.argv[1], "a", buffering=1)
end = time.process_time() + float(sys.argv[2]) if len(sys.argv) > 3 else None
beats = int(float(sys.argv[2]) * 10)
for _ in range(beats):
    out.write(f"{time.time():.3f}\\n")
    time.sleep(0.1)
"""

# A training: each step depends on all before, takes a tenth of a second, and is written down as it is done. Saves when told to.
TRAINING = """
import hashlib, json, os, signal, sys, time
folder, steps = sys.argv[1], int(sys.argv[2])
stop = False
def ask(*_):
    global stop
    stop = True
signal.signal(getattr(signal, os.environ.get("SAVE_ON", "SIGTERM")), ask)
state, done = b"seed", 0
if os.path.exists(folder + "/checkpoint"):
    saved = json.load(open(folder + "/checkpoint"))
    state, done = bytes.fromhex(saved["state"]), saved["done"]
log = open(folder + "/steps", "a", buffering=1)
while done < steps and not stop:
    state = hashlib.sha256(state + str(done).encode()).digest()
    time.sleep(0.1)
    done += 1
    log.write(f"{done}\\n")
with open(folder + "/checkpoint.new", "w") as f:
    json.dump({"state": state.hex(), "done": done}, f)
os.rename(folder + "/checkpoint.new", folder + "/checkpoint")
sys.exit(int(os.environ.get("SAVED_CODE", "0")) if done < steps else 0)
"""


def utc(stamp):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stamp))


def seconds_of(text):
    """2026-11-25T14:33:33.660Z as seconds since 1970."""
    whole, _, part = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + (float("0." + part) if part else 0)


class Job:
    """A `gramwatt run --within` in a process of its own."""

    def __init__(self, test, words, stdin=None, **kwargs):
        self.test = test
        self.began = time.time()
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=stdin or subprocess.DEVNULL, text=True, **kwargs)
        self.out = self.err = None

    def end(self, code=None, timeout=90):
        self.out, self.err = self.process.communicate(timeout=timeout)
        if code is not None:
            self.test.assertEqual(self.process.returncode, code, self.out + self.err)
        return self

    def tidy(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Scheduled(support.EndToEnd):
    """Each test: a home, a grid of its own, the words `run` gets anyway."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("runtime"), 0o700)
        self.env.update(XDG_RUNTIME_DIR=self.path("runtime"), XDG_DATA_HOME=self.path("data"), XDG_CONFIG_HOME=self.path("config"),
                        PYTHONDONTWRITEBYTECODE="1", G=GRAMWATT)
        self.heart, self.training = self.write("heart.py", HEART), self.write("training.py", TRAINING)

    def grid(self, slots):
        """Imports a series: a letter a slot, from the returned instant on; "d" before and behind. The first slot begins soon."""
        base = (int(time.time()) // SLOT + 2) * SLOT
        letters = "d" * 10 + slots + "d" * 60
        rows = (f"{utc(base + (i - 10) * SLOT)},{INTENSITY[c]}\n" for i, c in enumerate(letters))
        self.gramwatt("grid", "import", "--zone", "DE", self.write("series.csv", "utc_start,g_per_kwh\n" + "".join(rows)), check=0)
        return base

    def words(self, *options, command, within="40s", duration="6s"):
        return [GRAMWATT, "run", "--json", self.path("run.json"), "--zone", "DE", "--machine", "shared", "--slot", f"{SLOT}s", "--restart-time", "0s",
                "--within", within, "--duration", duration, *options, "--", *command]

    def job(self, *options, command, within="40s", duration="6s", env=None, **kwargs):
        started = Job(self, self.words(*options, command=command, within=within, duration=duration), env=env or self.env, **kwargs)
        self.addCleanup(started.tidy)
        return started

    def beats(self):
        try:
            return [float(line) for line in self.read("beats").split()]
        except FileNotFoundError:
            return []

    def row(self):
        """The newest job as `jobs --all --json` lists it; None before there is one."""
        done = self.gramwatt("jobs", "--all", "--json", "-")
        jobs = json.loads(done.stdout)["jobs"] if done.returncode == 0 else []
        return jobs[-1] if jobs else None

    def await_(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                self.fail(f"{what} did not come; the job: {self.row()}\n{self.story()}")
            time.sleep(0.1)

    def await_state(self, *states, seconds=30):
        def there():
            row = self.row()
            return row if row and row["state"] in states else None
        return self.await_(there, f"state {'/'.join(states)}", seconds)

    def await_event(self, what, seconds=30):
        return self.await_(lambda: what in self.events() and self.row(), f"event {what!r}", seconds)

    def await_file(self, name, seconds=30):
        return self.await_(lambda: os.path.exists(self.path(name)) and self.read(name).strip(), f"file {name}", seconds)

    def story(self):
        row = self.row()
        return self.gramwatt("show", row["id"]).stdout if row else ""

    def events(self):
        """What happened, in the order of the story: names only."""
        return [e[1] for e in self.told()]

    def told(self):
        """(instant, name, why) of each line of the story."""
        text = self.story().partition("story (UTC)\n")[2]
        return [(seconds_of(line[2:21]), line[23:38].strip(), line[38:]) for line in text.splitlines() if line.startswith("  20")]

    def steer(self, word, *args, check=0):
        return self.gramwatt(word, *args, check=check)

    def assert_near(self, instant, planned, what, bar=1.0):
        self.assertLessEqual(abs(instant - planned), bar, f"{what}: {instant - planned:+.2f} s from its slot\n{self.story()}")


class _Result(unittest.TextTestResult):
    """Tests that run side by side end in any order: a line each, whole."""

    lock = threading.RLock()

    def startTest(self, test):
        with self.lock:
            self.testsRun += 1

    def stopTest(self, test):
        pass

    def _said(self, add, word, *args):
        with self.lock:
            add(*args)
            self.stream.writeln(f"{args[0]} ... {word}")
            self.stream.flush()

    def addSuccess(self, test):
        self._said(unittest.TestResult.addSuccess.__get__(self), "ok", test)

    def addError(self, test, err):
        self._said(unittest.TestResult.addError.__get__(self), "ERROR", test, err)

    def addFailure(self, test, err):
        self._said(unittest.TestResult.addFailure.__get__(self), "FAIL", test, err)

    def addSkip(self, test, reason):
        self._said(unittest.TestResult.addSkip.__get__(self), f"skipped: {reason}", test, reason)


class _SideBySide(unittest.TestSuite):
    """They mostly wait for their slots, so a dozen at a time keeps no core busy."""

    def run(self, result, debug=False):
        tests = []

        def flatten(suite):
            for t in suite:
                flatten(t) if isinstance(t, unittest.TestSuite) else tests.append(t)
        flatten(self)
        with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("GRAMWATT_TESTS_AT_ONCE", "12"))) as pool:
            list(pool.map(lambda t: t.run(result), tests))
        return result


def main(module):
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    done = unittest.TextTestRunner(verbosity=2, resultclass=_Result).run(_SideBySide([suite]))
    failed = [test.id().removeprefix("__main__.") for test, _ in done.failures + done.errors]
    if not failed:
        return
    # Instants are what these tests are about, and a dozen programs that start at once on two cores move them. What fails in the
    # crowd has to hold when it is alone; what is wrong fails there too.
    print(f"{len(failed)} failed side by side; once more, one at a time", file=sys.stderr, flush=True)
    alone = unittest.TextTestRunner(verbosity=2).run(loader.loadTestsFromNames(failed, module))
    sys.exit(not alone.wasSuccessful())
