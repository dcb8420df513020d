"""gramwatt study jobs: a made-up trace on a made-up series, where every figure can be told by hand."""

import csv
import gzip
import io
import json

import support


def series(values, step_minutes=60):
    text = "utc_start,g_per_kwh\n"
    for i, v in enumerate(values):
        minutes = i * step_minutes
        text += f"2020-01-{1 + minutes // 1440:02}T{minutes // 60 % 24:02}:{minutes % 60:02}Z,{v}\n"
    return text


class StudyJobs(support.EndToEnd):
    def setUp(self):
        super().setUp()
        # Dirty hours and clean ones in turn, two hours each.
        self.series = self.write("grid.csv", series([400, 400, 100, 100] * 24))
        self.trace = self.write("jobs.csv", "arrival_time,length,cpus\n0,1,2\n0.5,2,1\n8,3,1\n")

    def study(self, *args, check=0):
        return self.gramwatt("study", "jobs", *args, check=check)

    def study_json(self, *args):
        return json.loads(self.study("--series", self.series, *args, "--json", "-", self.trace).stdout)

    def policies(self, out, cluster):
        return {(p["policy"], p["restart_s"]): p for c in out["clusters"] if c["cluster"] == cluster for p in c["policies"]}

    def test_carbon_waiting_and_restarts_of_a_hand_made_trace(self):
        out = self.study_json("--limits", "1h:2h,inf:4h", "--watts-per-cpu", "1000", "--restart", "6min", "--cpus", "4")
        self.assertEqual(out["schema"], "gramwatt.study-jobs/1")
        self.assertEqual(out["jobs"], 3)
        self.assertEqual([(l["jobs"], l["mean_length_s"]) for l in out["limits"]], [(1, 3600), (2, 9000)])
        elastic = self.policies(out, "elastic")
        # 2 kW for an hour at 400; 1 kW from 0:30 to 2:30; 1 kW from 8:00 to 11:00.
        self.assertAlmostEqual(elastic["now", 0]["carbon"]["value"], 800 + (1.5 * 400 + 0.5 * 100) + 900, places=6)
        self.assertEqual(elastic["now", 0]["wait_s"]["max"], 0)
        # All in clean hours but one of the three hours of the last: it starts at 10:00 and ends at 13:00, in the dirt.
        flexible = elastic["flexible-start", 0]
        self.assertAlmostEqual(flexible["carbon"]["value"], 200 + 200 + (2 * 100 + 400), places=6)
        self.assertAlmostEqual(flexible["saving"], 1 - 1000 / 2350, places=9)
        # A pause over 12:00 to 14:00 is worth 300 g, and costs 0.1 kWh at 100.
        self.assertAlmostEqual(elastic["pause-resume", 0]["carbon"]["value"], 700, places=6)
        self.assertAlmostEqual(elastic["pause-resume", 360]["carbon"]["value"], 710, places=6)
        self.assertAlmostEqual(elastic["exact", 360]["carbon"]["value"], 710, places=6)
        self.assertEqual(elastic["exact", 360]["restarts"], 1)
        self.assertEqual(elastic["exact", 360]["wait_s"]["max"], 4 * 3600)
        self.assertEqual({p["beyond_limit"] for p in elastic.values()}, {0})
        fixed = self.policies(out, "fixed")
        self.assertGreater(fixed["now", 0]["carbon"]["value"], elastic["now", 0]["carbon"]["value"])

    def test_a_small_cluster_makes_wait(self):
        out = self.study_json("--cpus", "2", "--limits", "inf:0", "--idle-share", "0")
        fixed = self.policies(out, "fixed")["now", 0]
        self.assertEqual(fixed["wait_s"]["max"], 1800)  # the second job, until the first has ended
        self.assertEqual(fixed["beyond_limit"], 1)
        self.assertAlmostEqual(fixed["carbon"]["value"], self.policies(out, "elastic")["now", 0]["carbon"]["value"] - 3.5 / 1000 * 0.5 * 300, places=6)

    def test_what_was_assumed_is_said(self):
        text = self.study("--series", self.series, self.trace).stdout
        self.assertIn("assumed", text)
        self.assertRegex(text, r"(?m)^elastic: ")
        self.assertRegex(text, r"(?m)^fixed: 2 CPUs, an idle one draws 30.0 % of full power")
        self.assertRegex(text, r"(?m)^pause and resume, exact +")
        cpu = self.study_json()["cpu_power"]
        self.assertEqual((cpu["value"], cpu["low"], cpu["high"], cpu["method"]), (3.5, 2, 8, "assumed"))

    def test_csv_is_what_json_says(self):
        out = self.study_json()
        rows = list(csv.DictReader(io.StringIO(self.study("--series", self.series, "--csv", self.trace).stdout)))
        self.assertEqual(len(rows), sum(len(c["policies"]) for c in out["clusters"]))
        for row, policy in zip(rows, (p for c in out["clusters"] for p in c["policies"])):
            self.assertEqual(row["policy"], policy["policy"])
            self.assertAlmostEqual(float(row["carbon_g"]), policy["carbon"]["value"], places=9)
            self.assertAlmostEqual(float(row["saving"]), policy["saving"], places=12)

    def test_files_may_be_packed(self):
        for name in ("grid.csv", "jobs.csv"):
            with gzip.open(self.path(name + ".gz"), "wt") as f:
                f.write(self.read(name))
        packed = self.study("--series", self.path("grid.csv.gz"), "--csv", self.path("jobs.csv.gz"))
        self.assertEqual(packed.stdout, self.study("--series", self.series, "--csv", self.trace).stdout)

    def test_a_zone_has_its_built_in_hours(self):
        out = json.loads(self.study("--zone", "US-CAL-CISO", "--json", "-", self.trace).stdout)
        self.assertEqual((out["zone"], out["signal"], out["intensity"]["slot_s"]), ("US-CAL-CISO", "average", 3600))
        self.assertEqual(out["intensity"]["start"], "2020-01-01T00:00:00Z")
        self.assertIn("EIA-930", out["intensity"]["source"])
        policy = self.policies(out, "elastic")["now", 0]
        self.assertLess(policy["carbon"]["low"], policy["carbon"]["value"])

    def test_what_is_asked_wrongly(self):
        bad = self.write("bad.csv", "arrival_time,length,cpus\n0,1,2\n0.5,-2,1\n")
        holed = self.write("holed.csv", series([1, 2, 3]) + "2020-01-01T05:00Z,4\n")
        for args, code, words in (
            (("--series", self.series, bad), 1, ("bad.csv:3", "no length", "hours")),
            (("--series", holed, self.trace), 3, ("holed.csv", "not known from 2020-01-01T03:00")),
            (("--series", self.series, self.path("absent.csv")), 3, ("absent.csv",)),
            (("--series", self.series, "--limits", "2h:1h", self.trace), 2, ("--limits", "inf:48h")),
            (("--series", self.series, "--cpus", "1", self.trace), 2, ("a job has 2", "2 or more")),
            (("--series", self.series, "--percentile", "100", self.trace), 2, ("--percentile", "1 to 99")),
            (("--series", self.series, "--zone", "DE", self.trace), 2, ("--series takes the place",)),
            (("--zone", "DE", "--signal", "typical", self.trace), 2, ("no signal",)),
            ((self.trace,), 3, ("--zone",)),
            ((), 2, ("usage",)),
        ):
            done = self.study(*args, check=code)
            for word in words:
                self.assertIn(word, done.stderr, args)
            self.assertEqual(done.stdout, "")

    def test_the_group_tells_its_commands(self):
        self.assertIn("study jobs", self.gramwatt("study", check=0).stdout)


if __name__ == "__main__":
    support.main()
