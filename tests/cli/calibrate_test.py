"""Calibration from outside: a machine of files whose load, RAPL counter and plug are known, and a person who types."""

import os
import re
import subprocess
import threading
import time

import support

PACKAGE_IDLE, PACKAGE_RANGE = 20.0, 100.0  # watts at the chip
LOSS, BASE = 0.15, 30.0                    # from there to the plug
THREADS = min(2, len(os.sched_getaffinity(0)))


def package_watts(load):
    return PACKAGE_IDLE + PACKAGE_RANGE * load


class Machine:
    """/proc and /sys of a server that is as busy as it is told; written in place, some 100 times a second."""

    def __init__(self, test):
        self.load, self.idle_ticks, self.energy, self.last = 0.0, 0.0, 0.0, time.monotonic()
        cpus = "".join(f"processor\t: {n}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t: 85\nmodel name\t: Test CPU @ 2.00GHz\n\n" for n in range(THREADS))
        test.write("proc/cpuinfo", cpus)
        test.write("proc/meminfo", "MemTotal:       16000000 kB\n")
        self.stat = open(test.write("proc/stat", ""), "r+b", buffering=0)
        test.write("sys/class/powercap/intel-rapl:0/name", "package-0\n")
        test.write("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n")
        self.counter = open(test.write("sys/class/powercap/intel-rapl:0/energy_uj", ""), "r+b", buffering=0)
        self.lock, self.ended = threading.Lock(), False
        self.step()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def step(self):
        with self.lock:
            now = time.monotonic()
            passed, self.last = now - self.last, now
            self.idle_ticks += passed * 100 * THREADS * (1 - self.load)
            self.energy += passed * package_watts(self.load) * 1e6
            lines = [f"cpu  0 0 0 {int(self.idle_ticks):>12} 0 0 0 0 0 0\n"]
            lines += [f"cpu{n} 0 0 0 {int(self.idle_ticks / THREADS):>12} 0 0 0 0 0 0\n" for n in range(THREADS)]
            os.pwrite(self.stat.fileno(), "".join(lines).encode(), 0)
            os.pwrite(self.counter.fileno(), f"{int(self.energy):>15}\n".encode(), 0)

    def set_load(self, load):
        self.step()
        with self.lock:
            self.load = load

    def run(self):
        while not self.ended:
            self.step()
            time.sleep(0.01)

    def end(self):
        self.ended = True
        self.thread.join()
        self.stat.close()
        self.counter.close()


class Calibrate(support.EndToEnd):
    def setUp(self):
        super().setUp()
        self.machine = Machine(self)
        self.addCleanup(self.machine.end)
        self.env.update(GRAMWATT_PROCFS=self.path("proc"), GRAMWATT_SYSFS=self.path("sys"), PYTHONUNBUFFERED="1")
        self.file = self.path(".local/share/gramwatt/calibration.json")

    def calibrate(self, *args, watts=lambda chips: BASE + (1 + LOSS) * chips, replies=None):
        """Drives the load that gramwatt announces, and types what the plug would show. (exit code, all that was said)"""
        process = subprocess.Popen([support.GRAMWATT, "calibrate", "--seconds", "0.5", *args], env=self.env, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = []
        for line in process.stderr:
            said.append(line)
            level = re.match(r"level \d+ of \d+: (?:(at rest)|(\d+) % on all threads|(\d+) of (\d+) threads wholly busy); now running", line)
            if level:
                load = 0 if level[1] else int(level[2]) / 100 if level[2] else int(level[3]) / int(level[4])
                self.machine.set_load(load)
                if "type the meter's watts" in line:
                    for text in replies.pop(0) if replies else [f"{watts(package_watts(load)):.2f}"]:
                        process.stdin.write(text + "\n")
                    process.stdin.flush()
        out = process.stdout.read()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
        return process.wait(), "".join(said) + out

    def test_typed_readings_become_the_model_of_later_runs_and_estimates(self):
        code, said = self.calibrate("--reference", "meter", "--meter-accuracy", "1%")
        self.assertEqual(code, 0, said)
        self.assertIn("Plug this machine, and nothing else, into the meter", said)
        kept = self.read_json(self.file)
        self.assertEqual(len(kept["trace"]["levels"]), 6 + (THREADS > 1))
        self.assertEqual(kept["trace"]["accuracy"], 0.01)
        # Exact readings at loads that /proc/stat tells to a few percent.
        self.assertAlmostEqual(kept["fit"]["curve"]["idle_w"], BASE + (1 + LOSS) * PACKAGE_IDLE, delta=8)
        active = kept["fit"]["curve"]["active_w"]
        self.assertEqual(active, sorted(active))
        self.assertAlmostEqual(active[-1], (1 + LOSS) * PACKAGE_RANGE, delta=15)
        # The plug and the package were both seen: what lies between them is measured now.
        self.assertIsNotNone(kept["fit"]["platform"])
        self.assertEqual(list(kept["fit"]["chips"]), ["powercap:intel-rapl:0"])

        doctor = self.gramwatt("doctor", check=0).stdout
        self.assertRegex(doctor, r"calibrated on 20\d\d-\d\d-\d\d against a plug\s+meter")
        estimate = support.json.loads(self.gramwatt("estimate", "--load", "1", "--json", "-", check=0).stdout)
        self.assertIn("against a plug meter", estimate["energy"]["total"]["source"])
        self.assertAlmostEqual(estimate["energy"]["total"]["value"] / 3600, kept["fit"]["curve"]["idle_w"] + active[-1], delta=0.1)
        run = self.run_json("--", "sleep", "0.3")
        platform = [c for c in run["energy"]["components"] if c["component"] == "platform"]
        self.assertIn("against a plug meter", platform[0]["energy"]["source"])

        again = self.gramwatt("calibrate", "--replay", self.file, check=0)
        self.assertIn("the same figures again", again.stderr)
        self.assertEqual(support.json.loads(self.gramwatt("calibrate", "--replay", self.file, "--json", "-", check=0).stdout), kept)
        self.assertIn("idle", self.gramwatt("calibrate", "--show", check=0).stdout)
        self.gramwatt("calibrate", "--forget", check=0)
        self.gramwatt("calibrate", "--show", check=3)
        self.assertNotIn("calibrated", self.gramwatt("doctor", check=0).stdout)

    def test_rapl_is_a_reference_that_nobody_types(self):
        code, said = self.calibrate("--reference", "rapl")
        self.assertEqual(code, 0, said)
        kept = self.read_json(self.file)
        self.assertEqual(kept["trace"]["boundary"], "chip")
        self.assertIsNone(kept["fit"]["platform"])
        self.assertAlmostEqual(kept["fit"]["chips"]["powercap:intel-rapl:0"]["idle_w"], PACKAGE_IDLE, delta=12)
        # Without the counter the model is what the chips drew, lifted to the plug.
        estimate = support.json.loads(self.gramwatt("estimate", "--load", "0", "--json", "-", check=0).stdout)["energy"]["total"]
        self.assertGreater(estimate["value"] / 3600, kept["fit"]["curve"]["idle_w"] + 10)
        self.assertEqual(estimate["boundary"], "node")

    def test_nonsense_is_asked_again_levels_may_be_left_out_and_an_early_end_keeps_nothing(self):
        code, said = self.calibrate("--reference", "meter", replies=[["sixty", "-3", "53 W"], ["skip"]])
        self.assertIn("\"sixty\" is no power in watts", said)
        self.assertIn("\"-3\" is no power", said)
        if code == 0:  # what was left out may have been what the fit needs
            self.assertEqual(len(self.read_json(self.file)["trace"]["levels"]), 5 + (THREADS > 1))
        os.path.exists(self.file) and os.remove(self.file)
        ended = self.gramwatt("calibrate", "--reference", "meter", "--seconds", "0.1", stdin=subprocess.DEVNULL, check=1)
        self.assertIn("the readings ended before the levels did", ended.stderr)
        self.assertFalse(os.path.exists(self.file))

    def test_a_calibration_of_another_machine_or_a_damaged_one_is_not_used_and_said(self):
        code, said = self.calibrate("--reference", "rapl")
        self.assertEqual(code, 0, said)
        text = self.read(self.file)
        self.write(self.file, text.replace("Test CPU", "Other CPU"))
        doctor = self.gramwatt("doctor", check=0).stdout
        self.assertIn("is another machine's", " ".join(doctor.split()))
        self.write(self.file, text[:200])
        self.assertIn("not a calibration", " ".join(self.gramwatt("doctor", check=0).stdout.split()))
        self.gramwatt("run", "--", "true", check=0)

    def test_what_is_not_there_and_what_is_no_reference(self):
        self.assertIn("no sensor of this machine sees the whole node", self.gramwatt("calibrate", "--reference", "node", check=4).stderr)
        for args in ((), ("--reference", "sun"), ("--reference", "meter", "--meter-accuracy", "200%"), ("--reference", "rapl", "--seconds", "0")):
            self.gramwatt("calibrate", *args, check=2)


if __name__ == "__main__":
    support.main()
