#!/usr/bin/python3
"""NVIDIA boards from outside: a library with NVML's face under its real name, told what to say by a file."""

import json
import os
import unittest

import support

NVML = os.environ["GRAMWATT_FAKE_NVML_LIBRARY"]  # …/libnvidia-ml.so.1

A100 = "0 name NVIDIA A100-SXM4-40GB\n0 uuid GPU-1\n0 arch 7\n0 limit_mw 400000\n0 processes 0\n"


class Gpu(support.EndToEnd):
    def say(self, text):
        with open(self.path("nvml"), "w") as f:
            f.write(text)
        # By its name alone, as the driver's is found.
        self.env.update(GRAMWATT_FAKE_NVML=self.path("nvml"), GRAMWATT_NVML="libnvidia-ml.so.1",
                        LD_LIBRARY_PATH=os.path.dirname(NVML))

    def run_json(self, *args, check=0):
        self.gramwatt("run", "--json", self.path("out.json"), *args, check=check)
        with open(self.path("out.json")) as f:
            return json.load(f)

    def gpu(self, record):
        return next(c for c in record["energy"]["components"] if c["component"] == "gpu")

    def test_a_counter_of_ten_milliseconds_gives_the_energy_of_the_run(self):
        self.say(A100 + "delay_ms 10\n0 wave 200000 400000 30 100\n")
        record = self.run_json("--", "sleep", "2")
        self.assertAlmostEqual(self.gpu(record)["machine"]["value"] / record["duration_s"], 300, delta=20)

    def test_the_board_stands_in_the_account_and_its_making_is_charged(self):
        without = self.run_json("--", "sleep", "0.2")
        self.say(A100 + "delay_ms 10\n0 wave 200000 400000 30 100\n")
        record = self.run_json("--", "sleep", "0.2")
        self.assertEqual(without["host"]["gpus"], [])
        self.assertEqual(record["host"]["gpus"], ["NVIDIA A100-SXM4-40GB (GPU-1)"])
        self.assertGreater(record["embodied_per_hour"]["value"], 2 * without["embodied_per_hour"]["value"])
        self.assertIn("A100", record["embodied_per_hour"]["source"])

    def test_a_sensor_that_sees_a_quarter_of_the_time_warns(self):
        self.say(A100 + "0 energy_mj !3\n0 power_mw 250000\n")
        done = self.gramwatt("run", "--", "sleep", "0.3", check=0)
        self.assertIn("sees 25 of every 100 ms", " ".join(done.stderr.split()))
        self.assertIn("--repeat", done.stderr)

    def test_repeat_runs_the_command_so_often_and_keeps_one_account(self):
        self.say(A100 + "0 energy_mj !3\n0 power_mw 250000\n")
        done = self.gramwatt("run", "--repeat", "3", "--", "sh", "-c", "echo once; sleep 0.1", check=0)
        self.assertEqual(done.stdout, "once\n" * 3)
        runs = json.loads(self.gramwatt("runs", "--json", "-", check=0).stdout)
        self.assertEqual(len(runs["runs"] if isinstance(runs, dict) else runs), 1)
        self.assertIn("mean of 3 repetitions", " ".join(self.gramwatt("show", "last", "--explain", check=0).stdout.split()))

    def test_a_repetition_that_fails_ends_the_series_with_its_code(self):
        script = f"echo x >> {self.path('count')}; test $(wc -l < {self.path('count')}) -lt 2 || exit 7"
        self.gramwatt("run", "--repeat", "5", "--", "sh", "-c", script, check=7)
        with open(self.path("count")) as f:
            self.assertEqual(len(f.readlines()), 2)

    def test_repeat_refuses_what_makes_no_sense(self):
        for words in (["--repeat", "0"], ["--repeat", "many"], ["--repeat", "2", "--trace", self.path("t")]):
            self.gramwatt("run", *words, "--", "true", check=125)


if __name__ == "__main__":
    unittest.main()
