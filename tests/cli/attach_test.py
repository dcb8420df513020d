"""gramwatt attach: what runs already is measured, never touched, and accounted for however the measuring ends."""

import json
import os
import re
import signal
import subprocess
import time
import unittest

import support
from support import BURN, GRAMWATT


class Attach(support.EndToEnd):
    def start(self, *command, **kwargs):
        process = subprocess.Popen([*map(str, command)], env=self.env, stdout=subprocess.DEVNULL, **kwargs)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        return process

    def attach(self, *args, tree=None, **kwargs):
        """Starts to measure; returns once the meter has begun (its row is in the ledger)."""
        env = dict(self.env, **({"GRAMWATT_TREE": tree} if tree else {}))
        before = self.newest()
        measuring = subprocess.Popen([GRAMWATT, "attach", "--json", self.path("record.json"), *map(str, args)], env=env, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True, **kwargs)
        self.addCleanup(lambda: measuring.poll() is None and (measuring.kill(), measuring.wait()))
        deadline = time.monotonic() + 30
        while measuring.poll() is None and self.newest() == before:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return measuring

    def newest(self):
        shown = self.gramwatt("show", "--json", "-", "last").stdout
        return json.loads(shown)["id"] if shown else None

    def end(self, measuring, code=0):
        out, err = measuring.communicate(timeout=60)
        self.assertEqual(measuring.returncode, code, err)
        return out, err

    def cpu_seconds(self, record):
        lines = self.gramwatt("show", "--explain", record["id"], check=0).stdout
        found = re.search(r"([\d.e-]+) CPU-seconds of the program", lines)
        return float(found.group(1)) if found else None

    def test_ends_with_its_process_and_tells_what_it_was(self):
        process = self.start("sh", "-c", f"read line; exec {BURN} 0.5", stdin=subprocess.PIPE)
        measuring = self.attach("--name", "mine", "--project", "p", "--tag", "a=b", "--zone", "DE", process.pid)
        process.stdin.write(b"go\n")
        process.stdin.close()
        process.wait()
        _, err = self.end(measuring)
        self.assertIn("energy", err)
        record = self.read_json("record.json")
        self.assertEqual(record["command"][:2], ["sh", "-c"])
        self.assertIsNone(record["exit_code"])
        self.assertIsNone(record["signal"])
        self.assertIsNone(record["stopped_by"])
        self.assertEqual([record["name"], record["project"], record["tags"]], ["mine", "p", {"a": "b"}])
        self.assertEqual(json.loads(self.gramwatt("show", "--json", "-", "last").stdout)["id"], record["id"])
        self.assertEqual(self.gramwatt("runs").stdout.count("mine"), 1)

    def test_children_that_live_between_two_looks_count(self):
        for tree in ("task-clock", "reaper"):
            report = self.path("report")
            process = self.start("sh", "-c", f"read line; BURN_REPORT={report} {BURN} 0.005 x200; read line", stdin=subprocess.PIPE)
            measuring = self.attach("-q", process.pid, tree=tree)
            process.stdin.write(b"go\n")
            process.stdin.flush()
            while not (os.path.exists(report) and self.read("report")):
                time.sleep(0.02)
            measuring.send_signal(signal.SIGINT)  # while its parent, who has waited for them, lives
            self.end(measuring)
            record = self.read_json("record.json")
            burnt = self.cpu_seconds(record)
            process.kill()
            process.wait()
            if burnt is None:
                self.skipTest("a sensor measures the CPU here: no CPU seconds are told")
            booked = float(self.read("report"))
            self.assertAlmostEqual(burnt, booked, delta=0.05 * booked + 0.03, msg=tree)
            os.remove(report)

    def test_what_was_used_before_does_not_count(self):
        process = self.start(BURN, "1000")
        time.sleep(0.3)
        measuring = self.attach("-q", process.pid)
        time.sleep(0.3)
        measuring.send_signal(signal.SIGTERM)
        self.end(measuring)
        record = self.read_json("record.json")
        burnt = self.cpu_seconds(record)
        if burnt is not None:
            self.assertLess(burnt, record["duration_s"] * 1.05)
            self.assertGreater(burnt, 0)

    def test_ctrl_c_ends_the_measuring_only(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start("sleep", "100")
            measuring = self.attach(process.pid)
            measuring.send_signal(number)
            _, err = self.end(measuring)
            self.assertIn("energy", err)
            self.assertIsNone(process.poll())
            self.assertIn("still running when measuring ended", json.dumps(self.read_json("record.json")))
            process.kill()
            process.wait()

    def test_several_wait_for_all_and_count_once(self):
        first = self.start("sh", "-c", "sleep 100 & echo; wait")
        second = self.start("sleep", "100")
        child = None
        while not child:
            child = subprocess.run(["pgrep", "-P", str(first.pid)], capture_output=True, text=True).stdout.strip()
        measuring = self.attach("-q", first.pid, second.pid, child, first.pid)
        second.kill()
        second.wait()
        self.assertIsNone(measuring.poll())
        os.kill(int(child), signal.SIGKILL)
        first.wait()
        self.end(measuring)
        text = json.dumps(self.read_json("record.json"))
        self.assertIn(f"{first.pid} was given twice", text)
        self.assertIn(f"{child} is below {first.pid}", text)

    def test_what_cannot_be_measured(self):
        gone = self.start("true")
        gone.wait()
        for args, code, word in (
            ((gone.pid,), 3, "no such process"),
            (("abc",), 2, "no process number"),
            ((), 2, "what is to be measured"),
            (("--cgroup", "/x", "1"), 2, "either"),
            (("--cgroup", "/no/such/group"), 3, "no such cgroup"),
            (("--zone", "NOWHERE", os.getpid()), 3, "NOWHERE"),
        ):
            done = self.gramwatt("attach", *args)
            self.assertIn(word, done.stderr)
            self.assertEqual(done.returncode, code, done.stderr)

    def test_a_process_of_a_run_is_nested_in_it(self):
        outer = self.start(GRAMWATT, "run", "-q", "--name", "outer", "--", "sleep", "100")
        child = None
        while not child:
            child = subprocess.run(["pgrep", "-x", "-P", str(outer.pid), "sleep"], capture_output=True, text=True).stdout.strip()
        while not self.newest():
            time.sleep(0.02)
        run = self.newest()
        measuring = self.attach("-q", child)
        measuring.send_signal(signal.SIGINT)
        self.end(measuring)
        self.assertEqual(self.read_json("record.json")["parent"], run)
        outer.terminate()
        outer.wait()

    def test_a_cgroup_until_it_is_empty(self):
        folder = None
        for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/cpuacct"):
            try:
                folder = f"{root}/gramwatt-test-{os.getpid()}"
                os.mkdir(folder)
                if any(os.path.exists(f"{folder}/{f}") for f in ("cpu.stat", "cpuacct.usage")):
                    break
                os.rmdir(folder)
            except OSError:
                pass
            folder = None
        if not folder:
            self.skipTest("no cgroup may be made here")
        self.addCleanup(lambda: os.path.isdir(folder) and os.rmdir(folder))
        done = self.gramwatt("attach", "--cgroup", folder)
        self.assertEqual(done.returncode, 3, done.stderr)
        try:
            process = self.start("sh", "-c", f"echo $$ > {folder}/cgroup.procs && read line && exec {BURN} 0.3", stdin=subprocess.PIPE)
            while process.poll() is None and not self.read(f"{folder}/cgroup.procs").strip():
                time.sleep(0.02)
            if process.poll() is not None:
                self.skipTest("no process may be moved here")
            measuring = self.attach("-q", "--cgroup", folder)
            process.stdin.write(b"go\n")
            process.stdin.close()
            process.wait()
            self.end(measuring)
            record = self.read_json("record.json")
            self.assertEqual(record["command"][0], "sh")
            burnt = self.cpu_seconds(record)
            if burnt is not None:
                self.assertAlmostEqual(burnt, 0.3, delta=0.06)
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    support.main()
