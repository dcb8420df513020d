"""gramwatt plan: what is planned, what is refused, and the commands that carry a plan out."""

import datetime
import html.parser
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import support

FORMS = ("sh", "at", "sbatch", "az", "aws", "gcloud", "k8s")
RESOURCES = {"az": "my group/it's $(a) `trap`", "aws": "i-0 \"x\"'$HOME", "gcloud": "europe-north1-a/a b'c", "k8s": "space x/job'; rm -rf y"}
NASTY = ["echo", "it's", 'a "b"', "$HOME", "`id`", "$(id)", "a\nb\n#c\nEND_OF_PLAN\n", "\\", "", "*", "~", "-n", "ü", "&& false"]


def utc(stamp):
    return datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Plan(support.EndToEnd):
    def series(self, values, start=1767225600, step=3600, name="series.csv"):
        return self.write(name, "utc_start,g_per_kwh\n" + "".join(f"{utc(start + i * step)},{v}\n" for i, v in enumerate(values)))

    def plan(self, *args, check=0, **kwargs):
        return self.gramwatt("plan", *args, check=check, **kwargs)

    def plan_json(self, *args):
        return json.loads(self.plan(*args, "--json", "-").stdout)

    # Four hours of work within eight; the cheap ones are the second, third, sixth and seventh.
    def eight_hours(self):
        return ("--series", self.series([500, 100, 100, 500, 500, 100, 100, 500]), "--start", "2026-01-01T00:00:00Z", "--deadline", "2026-01-01T08:00:00Z",
                "--slot", "1h", "--energy", "4kWh", "--duration", "4h")


class Options(Plan):
    def test_json_keeps_the_contract(self):
        out = self.plan_json(*self.eight_hours(), "--pausable")
        self.assertEqual(out["schema"], "gramwatt.plan/1")
        for key in ("signal", "zone", "slot_s", "job", "options", "chosen"):
            self.assertIn(key, out)
        self.assertEqual([o["policy"] for o in out["options"]], ["now", "flexible-start", "pause-resume", "exact"])
        for o in out["options"]:
            for key in ("zone", "start", "finish", "runs", "carbon", "saving", "p_worse", "restarts"):
                self.assertIn(key, o)
            for key in ("value", "low", "high", "unit", "method", "source", "terms"):
                self.assertIn(key, o["carbon"])
        now, exact = out["options"][0], out["options"][3]
        self.assertAlmostEqual(now["carbon"]["value"], 1200)  # 4 kWh, one an hour: 500 + 100 + 100 + 500
        self.assertEqual(now["saving"], 0)
        self.assertAlmostEqual(exact["carbon"]["value"], 400)
        self.assertAlmostEqual(exact["saving"], 2 / 3)
        self.assertEqual(exact["runs"], [{"start": "2026-01-01T01:00:00Z", "end": "2026-01-01T03:00:00Z"},
                                         {"start": "2026-01-01T05:00:00Z", "end": "2026-01-01T07:00:00Z"}])

    def test_a_dear_restart_is_not_worth_its_pause(self):
        out = self.plan_json(*self.eight_hours(), "--pausable", "--restart-energy", "10kWh")
        exact = out["options"][3]
        self.assertEqual(exact["restarts"], 0)
        self.assertAlmostEqual(exact["carbon"]["value"], 1200)

    def test_p_worse_lies_between_none_and_all(self):
        out = self.plan_json("--energy", "10kWh", "--duration", "5h", "--zone", "DE", "--pausable")
        for o in out["options"]:
            if o["p_worse"] is not None:
                self.assertTrue(0 <= o["p_worse"] <= 1, o)
            self.assertLess(o["saving"], 1)

    def test_the_cleaner_of_two_zones_is_chosen(self):
        out = self.plan_json("--energy", "1kWh", "--duration", "2h", "--zone", "PL", "--zone", "FR")
        self.assertEqual((out["zone"], out["chosen_zone"]), ("PL", "FR"))

    def test_the_cheapest_may_be_chosen_in_place_of_the_cleanest(self):
        job = ("--energy", "1kWh", "--duration", "1h", "--within", "2h", "--start", "2026-01-01T00:00Z", "--slot", "1h",
               "--series", self.series([300, 200, 100]), "--machine", "rented", "--wait-power", "0")
        clean = self.plan_json(*job, "--price-per-hour", "3", "--carbon-price", "80/t")
        self.assertEqual((clean["chosen_by"], clean["chosen"]), ("carbon", "flexible-start"))
        cheap = self.plan_json(*job, "--price-per-hour", "3", "--carbon-price", "80/t", "--choose-by", "cost")
        self.assertEqual((cheap["chosen_by"], cheap["chosen"]), ("cost", "now"))
        now, later = cheap["options"]
        self.assertAlmostEqual(now["cost"], 3 + 0.3 * 0.08, places=6)
        self.assertAlmostEqual(later["cost"], 9 + 0.1 * 0.08, places=6)  # two hours of waiting are paid
        self.assertIn("no prices", self.plan(*job, "--choose-by", "cost", check=2).stderr)

    def test_making_a_rented_machine_is_charged_while_it_waits(self):
        job = ("--energy", "1kWh", "--duration", "1h", "--within", "2h", "--start", "2026-01-01T00:00Z", "--slot", "1h", "--pue", "2",
               "--series", self.series([300, 290, 100]), "--machine", "rented", "--wait-power", "0")
        self.assertEqual(self.plan_json(*job)["chosen"], "flexible-start")
        dear = self.plan_json(*job, "--embodied-per-hour", "0.3kg")
        self.assertEqual(dear["chosen"], "now")
        now, later = dear["options"]
        self.assertAlmostEqual(now["carbon"]["value"], 2 * 300 + 300, delta=0.1)  # no building makes the machine's making dearer
        self.assertEqual(now["start"], later["start"])  # two hours of keeping it would cost more than they save
        self.assertIn("no carbon", self.plan(*job, "--embodied-per-hour", "much", check=2).stderr)

    def test_impossible_requests_tell_what_would_be_possible(self):
        job = ("--energy", "1kWh", "--duration", "5h")
        for args, code, word in (((*job, "--zone", "DE", "--start", "2026-01-01T00:00Z", "--deadline", "2026-01-01T03:00Z"), 3, "2026-01-01T05:00"),
                                 ((*job, "--zone", "DEE"), 3, "DE"), ((*job,), 3, "--zone"), (("--energy", "1kW", "--duration", "5h", "--zone", "DE"), 2, "kWh"),
                                 (("--energy", "1kWh", "--zone", "DE"), 2, "--duration"), ((*job, "--zone", "DE", "--within", "soon"), 2, "90s"),
                                 ((*job, "--zone", "DE", "--carbon-price", "80/bushel"), 2, "80/t"), (("--like", "none", "--zone", "DE"), 3, "none"),
                                 ((*job, "--zone", "DE", "--signal", "typical"), 2, "average")):
            done = self.plan(*args, check=code)
            self.assertIn(word, done.stderr, args)
            self.assertEqual(done.stdout, "")

    def test_a_series_that_does_not_reach_tells_what_it_covers(self):
        series = self.series([100] * 5)
        done = self.plan("--series", series, "--energy", "1kWh", "--duration", "2h", "--start", "2026-01-01T00:00Z", "--within", "24h", check=3)
        self.assertIn("2026-01-01T05:00", done.stderr)

    def test_the_table_fits_eighty_columns_and_keeps_colour_out_of_pipes(self):
        for extra in ((), ("--zone", "FR", "--zone", "US-CAL-CISO"), ("--carbon-price", "80/t", "--price-per-hour", "3")):
            done = self.plan("--energy", "37.3kWh", "--duration", "36h", "--pausable", "--zone", "DE", *extra, env={**self.env, "NO_COLOR": "1"})
            self.assertNotIn("\x1b", done.stdout)
            for line in done.stdout.splitlines():
                self.assertLessEqual(len(line), 80, line)
            self.assertIn("exact plan", done.stdout)
            self.assertRegex(done.stdout, r"carbon +\S.* \(\S+\) for the plan that is chosen; 90 % interval")


class Clouds(Plan):
    JOB = ("--energy", "10kWh", "--duration", "4h", "--zone", "DE")

    def places(self, *args):
        return {o["place"]: o for o in self.plan_json(*self.JOB, *args)["options"] if "region" in o}

    def test_regions_are_places_with_their_zones_and_home_stays_the_measure(self):
        out = self.plan_json(*self.JOB, "--clouds", "aws,gcp")
        self.assertEqual(out["zone"], "DE")
        self.assertGreater(len({o["place"] for o in out["options"] if "region" in o}), 60)
        north = next(o for o in out["options"] if o["place"] == "aws eu-north-1")
        self.assertTrue(north["zone"].startswith("SE"), north["zone"])
        self.assertEqual(north["region"], {"provider": "aws", "region": "eu-north-1"})
        home = next(o for o in out["options"] if o["policy"] == "now" and "region" not in o)
        self.assertAlmostEqual(north["saving"], 1 - north["carbon"]["value"] / home["carbon"]["value"])
        self.assertTrue(any("aws eu-north-1: PUE" in note and "published" in note for note in out["notes"]), "no PUE")

    def test_only_allowed_regions_are_looked_at(self):
        self.assertEqual(set(self.places("--clouds", "aws", "--allow", "eu-north-*", "--allow", "us-west-2")), {"aws eu-north-1", "aws us-west-2"})
        self.assertTrue(all(p.startswith("gcp europe-") for p in self.places("--clouds", "aws,gcp", "--allow", "gcp europe-")))
        done = self.plan(*self.JOB, "--clouds", "aws", "--allow", "eu-nroth-1", check=3)
        self.assertIn("did you mean eu-north-1", done.stderr)

    def test_moving_data_is_charged_at_both_ends(self):
        args = ("--clouds", "aws", "--allow", "eu-north-1")
        before, after = self.places(*args)["aws eu-north-1"], self.places(*args, "--data-gb", "1000", "--transfer-energy", "10Wh/GB")["aws eu-north-1"]
        moved = after["transfer"]["value"]
        self.assertAlmostEqual(after["carbon"]["value"], before["carbon"]["value"] + moved)
        home = self.plan_json(*self.JOB, "--pue", "1")["options"][0]["carbon"]["value"] / 10  # g/kWh, about
        self.assertTrue(0.3 * 10 * home < moved < 0.7 * 10 * home, (moved, home))
        wide = self.places(*args, "--data-gb", "1000")["aws eu-north-1"]["transfer"]
        self.assertGreater(wide["high"], 40 * wide["value"])  # nobody agrees on it

    def test_data_that_is_too_large_stays_at_home(self):
        out = self.plan_json(*self.JOB, "--clouds", "aws", "--allow", "eu-north-1", "--data-gb", "1e6")
        self.assertEqual(out["chosen_zone"], "DE")

    def test_machines_are_started_in_the_region_that_was_chosen(self):
        args = (*self.JOB, "--clouds", "aws", "--allow", "eu-north-1", "--emit")
        script = self.plan(*args, "aws", "--resource", "i-0").stdout
        self.assertIn("aws ec2 start-instances --region eu-north-1 --instance-ids i-0", script)
        self.assertIn("--clouds azure", self.plan(*args, "az", "--resource", "g/n", check=2).stderr)
        args = (*self.JOB, "--clouds", "gcp", "--allow", "europe-north2", "--emit", "gcloud", "--resource")
        self.assertIn("start n --zone=europe-north2-b", self.plan(*args, "europe-north2-b/n").stdout)
        self.assertIn("europe-north2-a/NAME", self.plan(*args, "us-east1-b/n", check=2).stderr)

    def test_what_is_asked_wrongly(self):
        for args, code, word in (((*self.JOB, "--clouds", "ibm"), 2, "aws, azure and gcp"), ((*self.JOB, "--allow", "eu-*"), 2, "--clouds"),
                                 ((*self.JOB[:4], "--clouds", "aws"), 3, "--zone"), ((*self.JOB, "--clouds", "aws", "--data-gb", "much"), 2, "such as 120"),
                                 ((*self.JOB, "--clouds", "aws", "--transfer-energy", "1Wh/GB"), 2, "--data-gb"),
                                 ((*self.JOB, "--clouds", "aws", "--data-gb", "1", "--transfer-energy", "1Wh/TB"), 2, "5Wh/GB")):
            self.assertIn(word, self.plan(*args, check=code).stderr, args)


class WhatIf(Plan):
    """The job on other GPUs. An H100 is 0.404 times as slow as an A100 of 40 GB: 2.154^-0.64 * 3.170^-0.23 * 3.431^-0.13."""

    A100_TO_H100 = (3350 / 1555) ** -0.64 * (989 / 312) ** -0.23 * (66.9 / 19.5) ** -0.13
    NVML = os.environ["GRAMWATT_FAKE_NVML_LIBRARY"]

    def what_if(self, *args):
        return self.plan_json(*args)["what_if"]

    def flat(self, slot="1h"):
        return ("--series", self.series([100] * 240), "--start", "2026-01-01T00:00:00Z", "--slot", slot)

    def job(self, *args):
        return (*self.flat(), "--energy", "40kWh", "--duration", "20h", "--within", "24h", *args)

    def test_time_and_energy_are_scaled_and_marked_assumed(self):
        (w,) = self.what_if(*self.job("--gpu", "a100:2", "--what-if", "gpu=h100"))
        self.assertEqual((w["gpu"], w["count"], w["from"]), ("NVIDIA H100 SXM", 2, {"gpu": "NVIDIA A100 SXM 40GB", "count": 2}))
        self.assertAlmostEqual(w["time"]["value"], 20 * 3600 * self.A100_TO_H100, delta=1)
        part = 0.7 * 800 * 1.17 / 2000  # of what the job draws, 2 kW
        ratio = self.A100_TO_H100 * (1 - part + part * 700 / 400)
        self.assertAlmostEqual(w["energy_ratio"]["value"], ratio, places=6)
        self.assertAlmostEqual(w["energy"]["value"], 40 * 3.6e6 * ratio, delta=10)
        for key, unit in (("time", "s"), ("energy", "J"), ("time_ratio", ""), ("energy_ratio", "")):
            self.assertEqual((w[key]["method"], w[key]["unit"]), ("assumed", unit))
            self.assertLess(w[key]["low"], w[key]["value"])
            self.assertLess(w[key]["value"], w[key]["high"])
            self.assertIn("NVIDIA H100 SXM", w[key]["source"])
        self.assertEqual(w["energy"]["boundary"], "node")
        now = w["options"][0]
        self.assertEqual((now["policy"], now["carbon"]["method"]), ("now", "assumed"))
        self.assertAlmostEqual(now["carbon"]["value"], 40 * 100 * ratio, delta=0.5)
        self.assertAlmostEqual(now["saving"], 1 - ratio, places=3)
        self.assertTrue(now["saving_low"] < now["saving"] < now["saving_high"])

    def test_several_stand_side_by_side_and_the_present_plan_stays_the_one_that_is_chosen(self):
        plain = self.plan_json(*self.job())
        out = self.plan_json(*self.job("--gpu", "a100:2", "--what-if", "gpu=h100:1", "--what-if", "gpu=l4:8"))
        self.assertNotIn("what_if", plain)
        self.assertEqual([(w["gpu"], w["count"]) for w in out["what_if"]], [("NVIDIA H100 SXM", 1), ("NVIDIA L4", 8)])
        self.assertEqual((out["options"], out["chosen"]), (plain["options"], plain["chosen"]))
        more = self.what_if(*self.job("--gpu", "a100:2", "--what-if", "gpu=a100:4"))[0]
        self.assertAlmostEqual(more["time_ratio"]["value"], 0.5 ** 0.97, places=6)
        self.assertNotIn("gpu-throughput", more["time_ratio"]["terms"])  # the same board

    def test_each_place_is_planned_for_each_gpu(self):
        out = self.plan_json("--energy", "40kWh", "--duration", "20h", "--zone", "PL", "--clouds", "aws", "--allow", "eu-north-1", "--allow", "eu-west-1",
                             "--gpu", "a100:2", "--what-if", "gpu=h100", "--what-if", "gpu=v100")
        for w in out["what_if"]:
            self.assertEqual({o["place"] for o in w["options"]}, {o["place"] for o in out["options"]})
            self.assertEqual(w["best"]["place"], "aws eu-north-1")
        text = self.plan("--energy", "40kWh", "--duration", "20h", "--zone", "PL", "--zone", "FR", "--gpu", "a100", "--what-if", "gpu=h100").stdout
        self.assertIn("which region has these GPUs", " ".join(text.split()))

    def test_a_deadline_that_slower_gpus_miss_is_said_and_the_rest_is_planned(self):
        out = self.plan_json(*self.flat(), "--energy", "40kWh", "--duration", "20h", "--deadline", "2026-01-02T00:00:00Z", "--gpu", "h100", "--what-if", "gpu=t4",
                             "--what-if", "gpu=h200")
        slow, fast = out["what_if"]
        self.assertIn("only 24", slow["refused"].replace("1 d", "24 h"))
        self.assertNotIn("options", slow)
        self.assertIn("options", fast)
        text = self.plan(*self.flat(), "--energy", "40kWh", "--duration", "20h", "--deadline", "2026-01-02T00:00:00Z", "--gpu", "h100", "--what-if", "gpu=t4").stdout
        self.assertIn("the earliest finish is", " ".join(text.split()))

    def test_a_measured_run_tells_its_gpus_and_what_they_draw(self):
        with open(self.path("nvml"), "w") as f:  # 300 W on the mean, of 400
            f.write("0 name NVIDIA A100-SXM4-40GB\n0 uuid GPU-1\n0 arch 7\n0 limit_mw 400000\n0 processes 0\ndelay_ms 10\n0 wave 200000 400000 30 100\n")
        env = {**self.env, "GRAMWATT_FAKE_NVML": self.path("nvml"), "GRAMWATT_NVML": "libnvidia-ml.so.1", "LD_LIBRARY_PATH": os.path.dirname(self.NVML)}
        record = self.run_json("--", "sleep", "2", env=env)
        args = (*self.flat("1s"), "--within", "10s", "--like", "last", "--what-if", "gpu=h100")
        (w,) = self.what_if(*args)
        self.assertEqual(w["from"], {"gpu": "NVIDIA A100 SXM 40GB", "count": 1})
        self.assertAlmostEqual(w["time_ratio"]["value"], self.A100_TO_H100, places=6)
        self.assertNotIn("gpu-part", w["energy_ratio"]["terms"])  # it was measured
        # What the run drew, not what is assumed of GPUs: on a busy machine a part of the board's energy is others'.
        board = next(c["energy"]["value"] for c in record["energy"]["components"] if c["component"] == "gpu")
        part = min(1, board * 1.17 / record["energy"]["total"]["value"])
        load = board / 400 / record["duration_s"]
        self.assertAlmostEqual(w["energy_ratio"]["value"] / self.A100_TO_H100, 1 - part + part * 1.75, places=2)
        most = min(1.94, 1 / load) - 1
        self.assertAlmostEqual(w["energy_ratio"]["terms"]["gpu-load"], part * 1.75 * max(0.49, most) / (1 - part + part * 1.75), places=2)
        said = self.what_if(*args, "--gpu", "v100:4")[0]
        self.assertEqual(said["from"], {"gpu": "NVIDIA V100 SXM2", "count": 4})

    def test_less_memory_and_plain_arithmetic_are_pointed_out(self):
        (w,) = self.what_if(*self.job("--gpu", "rtx 3090:1", "--what-if", "gpu=t4"))
        self.assertTrue(any("16 GB of GPU memory in place of 24" in n for n in w["notes"]), w["notes"])
        (w,) = self.what_if(*self.job("--gpu", "rtx 3090:1", "--what-if", "gpu=a100"))
        self.assertTrue(any("plain FP32" in n and "1.8 times" in n for n in w["notes"]), w["notes"])

    def test_what_is_asked_wrongly_is_told_with_the_remedy(self):
        self.gramwatt("run", "-q", "--", "true", check=0)  # a run on a machine without a GPU
        for args, code, word in ((self.job("--what-if", "gpu=h100"), 2, "--gpu NAME[:N]"), (self.job("--gpu", "a100", "--what-if", "h100"), 2, "gpu=h100:4"),
                                 (self.job("--gpu", "a100", "--what-if", "gpu=h1000"), 3, "H100"), (self.job("--gpu", "a100", "--what-if", "gpu=k80"), 3, "known are"),
                                 (self.job("--gpu", "a100", "--what-if", "gpu=h100:0"), 2, "NAME:N"), (self.job("--gpu", "a100"), 2, "--what-if"),
                                 (self.job("--gpu", "k80", "--what-if", "gpu=h100"), 3, "known are"),
                                 ((*self.flat("1s"), "--like", "last", "--what-if", "gpu=h100"), 2, "--gpu NAME[:N]")):
            done = self.plan(*args, check=code)
            self.assertIn(word, done.stderr, args)
            self.assertEqual(done.stdout, "")

    def test_no_cost_is_told_of_a_machine_whose_price_nobody_knows(self):
        args = self.job("--gpu", "a100", "--what-if", "gpu=h100", "--price-per-hour", "3", "--carbon-price", "80/t", "--choose-by", "cost")
        out = self.plan_json(*args)
        self.assertIn("cost", out["options"][0])
        self.assertNotIn("cost", out["what_if"][0]["options"][0])
        self.assertIn("no cost is told", " ".join(self.plan(*args).stdout.split()))

    def test_table_and_page_hold_it_and_fit(self):
        args = ("--energy", "37.3kWh", "--duration", "36h", "--pausable", "--zone", "DE", "--zone", "US-CAL-CISO", "--gpu", "a100:4", "--what-if", "gpu=h100", "--what-if", "gpu=rtx 2080 ti:16")
        text = self.plan(*args, env={**self.env, "NO_COLOR": "1"}).stdout
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80, line)
        for word in ("what if, in place of 4 × NVIDIA A100 SXM 40GB (assumed)", "4 × NVIDIA H100 SXM", "16 × NVIDIA GeForce RTX 2080 Ti", "only a run there"):
            self.assertIn(word, " ".join(text.split()))
        self.plan(*args, "-q", "--html", self.path("plan.html"))
        page = Text(self.read("plan.html"))
        self.assertEqual(page.open, [])
        for word in ("What if it ran on other GPUs than 4 × NVIDIA A100 SXM 40GB?", "4 × NVIDIA H100 SXM", "assumed"):
            self.assertIn(word, page.text)


class Text(html.parser.HTMLParser):
    """A page's tags in order, and what is between them; every tag must be closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


class Page(Plan):
    def page(self, *args):
        target = self.path("plan.html")
        self.plan(*args, "-q", "--html", target)
        return self.read("plan.html")

    def test_the_page_holds_the_table_and_the_picture_and_needs_nothing_else(self):
        source = self.page(*self.eight_hours(), "--pausable", "--carbon-price", "80/t")
        page = Text(source)
        self.assertEqual(page.open, [])
        for word in ("pause, resume", "66.7 %", "400 g", "01-01 01:00", "cost", "UTC"):
            self.assertIn(word, page.text)
        names = [tag for tag, _ in page.tags]
        self.assertIn("svg", names)
        self.assertNotIn("script", names)
        for tag, attributes in page.tags:
            self.assertFalse({"src", "href"} & set(attributes), tag)
        self.assertNotIn("url(", source)
        self.assertNotIn("nan", source)
        # Two runs of two hours each, out of eight, at every option that pauses.
        rects = [float(a["width"]) for tag, a in page.tags if tag == "rect" and a.get("height") == "16"]
        self.assertEqual(len(rects), 6)
        self.assertAlmostEqual(max(rects), 2 * min(rects), delta=0.2)

    def test_names_are_text(self):
        series = self.series([100] * 30, name="<script>alert('x')&amp;.csv")
        source = self.page("--series", series, "--energy", "1kWh", "--duration", "2h", "--start", "2026-01-01T00:00Z")
        page = Text(source)
        self.assertNotIn("script", [tag for tag, _ in page.tags])
        self.assertIn("<script>alert('x')&amp;", page.text)

    def test_only_one_output_may_go_to_standard_output(self):
        self.assertTrue(self.plan(*self.eight_hours(), "--html", "-").stdout.startswith("<!DOCTYPE html>"))
        self.plan(*self.eight_hours(), "--html", "-", "--json", "-", check=2)
        self.plan(*self.eight_hours(), "--html", "-", "--emit", "sh", "--", "true", check=2)


class Emitted(Plan):
    def emit(self, form, *args, words=("true",), check=0):
        resource = ("--resource", RESOURCES[form]) if form in RESOURCES else ()
        return self.plan(*args, "--emit", form, *resource, "--", *words, check=check)

    def test_every_form_is_a_script_that_the_shell_understands(self):
        for form in FORMS:
            with self.subTest(form):
                script = self.emit(form, *self.eight_hours(), "--pausable", words=NASTY).stdout
                self.assertTrue(script.startswith("#!/bin/sh\n# gramwatt plan: pause-resume in series, 400 g"), script[:80])
                self.assertIn("# saving 66.7 %", script)
                self.assertIn("# runs 2026-01-01 01:00:00 UTC to 2026-01-01 03:00:00 UTC", script)
                self.assertIn(str(1767225600 + 5 * 3600), script)
                path = self.write(f"{form}.sh", script)
                for shell in ("sh", "dash", "bash"):
                    if shutil.which(shell):
                        subprocess.run([shell, "-n", path], check=True)
                if shutil.which("shellcheck"):
                    checked = subprocess.run(["shellcheck", "-s", "sh", "-S", "warning", path], capture_output=True, text=True)
                    self.assertEqual(checked.stdout, "", form)

    def test_words_reach_the_tools_as_they_were_given(self):
        # A tool of each name that writes down its arguments; times long gone, so that nothing waits.
        log = self.path("log")
        tool = '#!/bin/sh\nfor a; do printf "%s\\0" "$a"; done >>"$LOG"\nprintf "\\1\\0" >>"$LOG"\ncase $0 in *sbatch) echo "42;cluster";; *squeue) echo RUNNING;; esac\n'
        for name in ("az", "aws", "gcloud", "kubectl", "sbatch", "scontrol", "squeue"):
            os.chmod(self.write(f"bin/{name}", tool), 0o755)
        env = {**self.env, "LOG": log, "PATH": self.path("bin") + ":" + self.env["PATH"]}
        group, name = RESOURCES["az"].split("/")
        space, job = RESOURCES["k8s"].split("/")
        az = lambda verb: ["vm", verb, "--resource-group", group, "--name", name]
        aws = lambda verb: ["ec2", verb, "--instance-ids", RESOURCES["aws"]]
        gcloud = lambda verb: ["compute", "instances", verb, "a b'c", "--zone=europe-north1-a"]
        patch = lambda to: ["patch", "job", job, "--namespace=" + space, "--type=merge", '--patch={"spec":{"suspend":%s}}' % to]
        for form, expected in (("az", [az("start"), az("deallocate"), az("start")]), ("aws", [aws("start-instances"), aws("stop-instances"), aws("start-instances")]),
                               ("gcloud", [gcloud("start"), gcloud("stop"), gcloud("start")]), ("k8s", [patch("false"), patch("true"), patch("false")])):
            if os.path.exists(log):
                os.remove(log)
            script = self.write("script", self.emit(form, *self.eight_hours(), "--pausable").stdout)
            subprocess.run(["sh", script], env=env, check=True, timeout=60)
            self.assertEqual([call.split("\0")[:-1] for call in self.read("log").split("\1\0")[:-1]], expected, form)
        os.remove(log)
        script = self.write("script", self.emit("sbatch", *self.eight_hours(), "--pausable", words=["printf", "[%s]", *NASTY[1:]]).stdout)
        self.assertEqual(subprocess.run(["sh", script], env=env, check=True, capture_output=True, text=True, timeout=60).stdout, "42\n")
        calls = [call.split("\0")[:-1] for call in self.read("log").split("\1\0")[:-1]]
        self.assertEqual([c for c in calls if c[0] in ("requeuehold", "release")], [["requeuehold", "42"], ["release", "42"]])
        self.assertIn("--begin=now+0", calls[0])
        wrapped = next(a for a in calls[0] if a.startswith("--wrap="))[7:]
        self.assertEqual(subprocess.run(["sh", "-c", wrapped], capture_output=True, text=True, check=True).stdout, "".join(f"[{w}]" for w in NASTY[1:]))

    def test_jobs_of_at_run_by_the_clock_of_utc_and_keep_the_zone(self):
        # An at that takes the job and its time, and runs it at once with the environment it was given.
        at = '#!/bin/sh\necho "$TZ $*" >>"$LOG"\ncat >"$LOG.job"\nsh "$LOG.job"\n'
        os.chmod(self.write("bin/at", at), 0o755)
        start = (int(time.time()) // 60 + 2) * 60
        env = {**self.env, "LOG": self.path("log"), "PATH": self.path("bin") + ":" + self.env["PATH"], "TZ": "Asia/Tokyo"}
        series = self.series([100] * 10, start, 60)
        args = ("--series", series, "--start", utc(start), "--deadline", utc(start + 600), "--slot", "1min", "--energy", "1kWh", "--duration", "2min")
        script = self.emit("at", *args, words=["sh", "-c", 'echo "$TZ" "$1" >"$HOME/said"; exit 7', "x", "it's"]).stdout
        stamp = datetime.datetime.fromtimestamp(start, datetime.timezone.utc).strftime("%Y%m%d%H%M")
        self.assertIn(f"submit {start} {stamp} {start} -", script)
        # The same, started now: what waits for its second would make a slow test.
        script = script.replace(f"{start} -", "0 -")
        subprocess.run(["sh", self.write("script", script)], env=env, capture_output=True, timeout=60)
        self.assertEqual(self.read("log"), f"UTC -t {stamp}\n")
        self.assertEqual(self.read("said"), "Asia/Tokyo it's\n")

    def test_what_is_missing_is_asked_for(self):
        job = self.eight_hours()
        for args, word in (((*job, "--", "true"), "--emit"), ((*job, "--resource", "x"), "--emit"), ((*job, "--emit", "cron", "--", "true"), "sbatch"),
                           ((*job, "--emit", "sh"), "-- CMD"), ((*job, "--emit", "at"), "-- CMD"), ((*job, "--emit", "sbatch"), "-- CMD"),
                           ((*job, "--emit", "az"), "--resource GROUP/NAME"), ((*job, "--emit", "aws"), "--resource"), ((*job, "--emit", "gcloud", "--resource", "x"), "ZONE/NAME"),
                           ((*job, "--emit", "k8s", "--resource", "-x"), "NAMESPACE/NAME"), ((*job, "--emit", "sh", "--json", "-", "--", "true"), "--json"),
                           ((*job, "--hold-power", "1", "--emit", "aws", "--resource", "i-1"), "--emit sh")):
            done = self.plan(*args, check=2)
            self.assertIn(word, done.stderr, args)
            self.assertEqual(done.stdout, "")


class Carried(Plan):
    """`--emit sh`, really run."""

    def script(self, values, duration, *args, words):
        start = int(time.time()) + 2
        series = self.series(values, start, 1)
        text = self.plan("--series", series, "--start", utc(start), "--deadline", utc(start + len(values)), "--slot", "1s", "--energy", "1kWh", "--duration", f"{duration}s",
                         *args, "--emit", "sh", "--", *words).stdout
        return start, self.write("plan.sh", text)

    def test_it_starts_in_time_and_passes_on_the_exit_code(self):
        start, script = self.script([500, 500, 100, 100], 2, words=["sh", "-c", 'date +%s >"$HOME/at"; read -r line; echo "$line"; exit 7'])
        done = subprocess.run(["sh", script], input="from stdin\n", capture_output=True, text=True, env=self.env, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (7, "from stdin\n"), done.stderr)
        self.assertGreaterEqual(int(self.read("at")), start + 2)

    def test_a_pause_by_exit_ends_the_program_and_starts_it_again(self):
        # Three runs of nothing are its work; it counts its starts, and saves that it was told to stop.
        job = 'echo start >>"$HOME/log"; trap \'echo stop >>"$HOME/log"; exit 99\' TERM; [ "$(grep -c start "$HOME/log")" -lt 2 ] || exit 5; while :; do sleep 0.1; done'
        _, script = self.script([100, 100, 900, 900, 100, 100, 900], 4, "--pausable", words=["sh", "-c", job])
        done = subprocess.run(["sh", script], capture_output=True, text=True, env=self.env, timeout=60)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(self.read("log"), "start\nstop\nstart\n")

    def test_who_ends_early_is_not_started_again(self):
        _, script = self.script([100, 100, 900, 900, 100, 100, 900], 4, "--pausable", words=["sh", "-c", 'echo start >>"$HOME/log"; exit 3'])
        self.assertEqual(subprocess.run(["sh", script], env=self.env, timeout=60).returncode, 3)
        self.assertEqual(self.read("log"), "start\n")

    def state(self, pid):
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0]

    def held(self, pid):
        """Waits until the process is stopped."""
        end = time.monotonic() + 60
        while self.state(pid) != "T":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def end(self, running, pid):
        """Nothing is left of a test that failed."""
        if running.poll() is None:
            running.kill()
            running.wait()
        for kill in (lambda: os.killpg(pid, signal.SIGKILL), lambda: os.kill(pid, signal.SIGKILL)):
            try:
                kill()
            except ProcessLookupError:
                pass

    def holding(self, gap):
        job = 'echo $$ >"$HOME/pid"; sleep 0.2; i=0; while [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done; exit 6'
        _, script = self.script([100, 100, 100] + [900] * gap + [100, 100, 100], 6, "--hold-power", "1", words=["sh", "-c", job])
        running = subprocess.Popen(["sh", script], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(running.stdout.close)
        end = time.monotonic() + 60
        while not os.path.exists(self.path("pid")) or not self.read("pid"):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        pid = int(self.read("pid"))
        self.addCleanup(self.end, running, pid)
        self.held(pid)
        return running, pid

    def test_a_hold_stops_the_process_in_place_and_goes_on(self):
        running, _ = self.holding(2)
        self.assertEqual(running.wait(timeout=60), 6, running.stdout.read())

    def test_a_script_that_is_ended_ends_the_program_and_leaves_nothing_paused(self):
        running, pid = self.holding(30)
        running.send_signal(signal.SIGTERM)
        self.assertEqual(running.wait(timeout=20), 128 + signal.SIGTERM)
        self.assertFalse(os.path.exists(f"/proc/{pid}") and self.state(pid) != "Z")

    def test_a_script_that_is_killed_leaves_nothing_paused(self):
        running, pid = self.holding(3)
        running.kill()
        running.wait(timeout=20)
        end = time.monotonic() + 60
        while os.path.exists(f"/proc/{pid}") and self.state(pid) == "T":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)


if __name__ == "__main__":
    support.main()
