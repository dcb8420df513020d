"""The worked examples of examples/, in shortened time: a grid made up for the test is clean, dirty and clean again within seconds.

Each program runs once undisturbed, which tells its result and how long it takes here and now; then below `gramwatt run --within`, on a grid that turns dirty
in the middle of it. Paused and resumed, it must come to the same result, to the last bit, with no step lost or done twice."""

import datetime
import json
import math
import os
import re
import shlex
import subprocess
import time
import unittest

import support
from support import GRAMWATT

EXAMPLES = os.path.join(os.environ["GRAMWATT_SOURCE"], "examples")
PYTHON = "/usr/bin/python3"  # the one that Debian's scikit-learn belongs to
SLOT = 1  # seconds
DIRTY = 4  # slots
HAS_SKLEARN = subprocess.run([PYTHON, "-c", "import sklearn, scipy"], capture_output=True).returncode == 0


class Examples(support.EndToEnd):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("run"), 0o700)
        self.env.update(XDG_DATA_HOME=self.path("data"), XDG_RUNTIME_DIR=self.path("run"), GRAMWATT_CONFIG=self.path("config.toml"), OPENBLAS_NUM_THREADS="1",
                        PATH=os.path.dirname(GRAMWATT) + ":" + os.environ["PATH"])  # for `gramwatt progress`

    def undisturbed(self, *command):
        """Its output, how long it took, and the folder with what it wrote."""
        folder = self.path("undisturbed")
        os.mkdir(folder)
        start = time.monotonic()
        done = subprocess.run(command, cwd=folder, env=self.env, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, time.monotonic() - start, folder

    def turn_dirty_after(self, clean):
        """A grid that is clean for `clean` seconds from now, then dirty, then fair: worth a pause, but not worth a later start."""
        now = time.time()
        start = int(now) // SLOT * SLOT
        turn = math.ceil((now - start + clean) / SLOT)
        values = [50] * turn + [900] * DIRTY + [200] * (120 // SLOT)
        stamp = lambda i: datetime.datetime.fromtimestamp(start + i * SLOT, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        series = self.write("grid.csv", "utc_start,g_per_kwh\n" + "".join(f"{stamp(i)},{v}\n" for i, v in enumerate(values)))
        self.gramwatt("grid", "import", "--zone", "DE", series, check=0)

    def paused(self, took, *words):
        """The same below gramwatt, on a grid that turns dirty in the middle of it: output, record and folder."""
        for attempt in range(3):
            folder = self.path(f"paused-{attempt}")
            os.mkdir(folder)
            self.turn_dirty_after(took * 0.4)
            done = self.gramwatt("run", "-q", "--zone", "DE", "--machine", "shared", "--within", "60s", "--duration", f"{took:.1f}s", "--slot", f"{SLOT}s",
                                 "--restart-time", "1s", "--pausable", *words, cwd=folder, check=0)
            self.told = done.stderr
            record = json.loads(self.gramwatt("show", "last", "--json", "-", check=0).stdout)
            self.story = self.gramwatt("show", "last", check=0).stdout
            if record["paused_s"] > 0 or record["duration_s"] > took * 0.4 + 2 * SLOT:
                break
            took = record["duration_s"]  # a machine that has become idle meanwhile was done before the grid turned dirty
        return done.stdout, record, folder

    def assert_really_paused(self, record):
        self.assertGreater(record["paused_s"], SLOT / 2, self.story)
        self.assertLessEqual(record["paused_s"], record["duration_s"], self.story)

    def same_file(self, name, *folders):
        contents = []
        for folder in folders:
            with open(os.path.join(folder, name), "rb") as f:
                contents.append(f.read())
        self.assertEqual(*contents, self.story)

    @unittest.skipUnless(HAS_SKLEARN, "needs Debian's python3-sklearn: scripts/install-deps demo")
    def test_training_goes_on_from_its_checkpoint(self):
        train = os.path.join(EXAMPLES, "training", "train.py")
        command = (PYTHON, train, "--epochs", "100")
        alone, took, there = self.undisturbed(*command)
        output, record, here = self.paused(took, "--pause-with", "exit", "--resume-with", f"{shlex.join(command)} --resume", "--", *command)
        self.assert_really_paused(record)
        saved = re.findall(r"saved after epoch (\d+)", self.told)
        self.assertTrue(saved and 0 < int(saved[0]) < 100, self.told + self.story)
        self.assertEqual(output, alone, "every epoch once, in order, with the same loss")
        self.same_file("result.json", there, here)

    def test_a_shell_loop_is_held_in_place(self):
        chain = os.path.join(EXAMPLES, "shell-loop", "chain.sh")
        alone, took, _ = self.undisturbed("sh", chain, "40")
        output, record, _ = self.paused(took, "--", "sh", chain, "40")
        self.assert_really_paused(record)
        self.assertRegex(self.story, r"by freeze;|by (trace|stop) \(not by freeze: .+\);")
        self.assertEqual(output, alone)

    @unittest.skipUnless(HAS_SKLEARN, "needs Debian's python3-sklearn: scripts/install-deps demo")
    def test_a_search_pauses_between_trials(self):
        search = os.path.join(EXAMPLES, "search", "search.py")
        command = (PYTHON, search, "--trials", "6")
        alone, took, there = self.undisturbed(*command)
        output, record, here = self.paused(took, "--pause-with", "exit", "--", *command)
        self.assert_really_paused(record)
        after = re.findall(r"paused after trial (\d+)", self.told)
        self.assertTrue(after and 0 < int(after[0]) < 6, self.told + self.story)
        self.assertEqual(output, alone, "every trial once, in order, with the same accuracy")
        for name in ("trials.json", "best.json"):
            self.same_file(name, there, here)


if __name__ == "__main__":
    support.main()
