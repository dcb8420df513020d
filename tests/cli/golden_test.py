"""Recordings in tests/golden through the whole pipeline: their figures stay what they were.

A change of arithmetic that is meant to change them is followed by GRAMWATT_UPDATE_GOLDEN=1, and the difference is part of the change."""

import glob
import json
import os
import unittest

import support

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden")


def figures(record):
    """What a reader relies on: each energy with its interval, who paid, what was missing."""
    energy = record["energy"]
    short = lambda e: [float("%.9g" % e[k]) for k in ("low", "value", "high")] + [e["method"]]
    return {"energy": {k: short(energy[k]) for k in ("total", "active", "idle", "machine", "unattributed")},
            "components": {f'{c["component"]} ({c["device"]})': short(c["energy"]) + [float("%.9g" % c["machine"]["value"])] for c in energy["components"]},
            "gaps": [[g["component"], float("%.6g" % g["seconds"]), g["why"]] for g in record["gaps"]],
            "duration_s": record["duration_s"]}


class Golden(support.EndToEnd):
    def test_every_recording_gives_its_figures(self):
        recordings = sorted(glob.glob(os.path.join(FOLDER, "*.jsonl")))
        self.assertTrue(recordings)
        for path in recordings:
            with self.subTest(os.path.basename(path)):
                now = figures(json.loads(self.gramwatt("replay", path, "--json", "-", check=0).stdout))
                expected = path.replace(".jsonl", ".expected.json")
                if os.environ.get("GRAMWATT_UPDATE_GOLDEN"):
                    with open(expected, "w", encoding="utf-8") as f:
                        json.dump(now, f, indent=1, ensure_ascii=False)
                        f.write("\n")
                with open(expected, encoding="utf-8") as f:
                    self.assertEqual(now, json.load(f))

    def test_energy_is_conserved_in_all_of_them(self):
        for path in glob.glob(os.path.join(FOLDER, "*.jsonl")):
            energy = json.loads(self.gramwatt("replay", path, "--json", "-", check=0).stdout)["energy"]
            self.assertAlmostEqual(energy["total"]["value"] + energy["unattributed"]["value"], energy["machine"]["value"], places=5)


class Replay(support.EndToEnd):
    def test_a_run_without_sensors_replays_to_the_same_figures(self):
        recording = self.path("run.jsonl")
        then = self.run_json("--record", recording, "--", support.BURN, "1.2")
        done = self.gramwatt("replay", recording, "--json", "-", check=0)
        now = json.loads(done.stdout)
        self.assertEqual(now["energy"], then["energy"])
        for part in ("average", "embodied", "total"):
            for end in ("low", "value", "high"):
                self.assertAlmostEqual(now["carbon"][part][end] / then["carbon"][part][end], 1, places=9)
        self.assertEqual(now["command"], then["command"])
        self.assertIn("the same energy as then", self.gramwatt("replay", recording, check=0).stdout)

    def test_it_can_be_weighed_with_another_place(self):
        recording = self.path("run.jsonl")
        self.run_json("--record", recording, "--", "sleep", "0.2")
        de = json.loads(self.gramwatt("replay", recording, "--zone", "DE", "--json", "-", check=0).stdout)
        self.assertEqual(de["place"]["zone"], "DE")

    def test_what_cannot_be_written_or_read(self):
        done = self.gramwatt("run", "--record", "/no/such/folder/x", "--", "true", check=125)
        self.assertIn("/no/such/folder/x", done.stderr)
        done = self.gramwatt("replay", "/no/such/file", check=3)
        self.assertIn("/no/such/file", done.stderr)
        done = self.gramwatt("replay", self.write("x.jsonl", "no\n"), check=1)
        self.assertIn("run --record", done.stderr)

    def test_a_full_disk_costs_the_recording_not_the_run(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        done = self.gramwatt("run", "--record", "/dev/full", "--", "sh", "-c", "exit 3", check=3)
        self.assertIn("recording is incomplete", done.stderr)


if __name__ == "__main__":
    support.main()
