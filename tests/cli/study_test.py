"""gramwatt study facct22: the published study on files and on what is built in."""

import csv
import datetime
import io
import json
import math
import re
import unittest
import xml.etree.ElementTree

import support

START = datetime.datetime(2021, 3, 1, tzinfo=datetime.timezone.utc)


def stamp(hours):
    return (START + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%MZ")


def wave(hours):
    """A day, and something slower."""
    return [round(300 + 150 * math.sin(h * math.pi / 12) + 80 * math.sin(h / 37.0), 3) for h in range(hours)]


class Study(support.EndToEnd):
    def series(self, values, name="north.csv"):
        return self.write(name, "utc_start,g_per_kwh\n" + "".join(f"{stamp(h)},{v}\n" for h, v in enumerate(values)))

    def study(self, *args, check=0):
        return self.gramwatt("study", "facct22", *args, check=check)

    def of_file(self, file, days, *args, check=0):
        return self.study("--series", file, "--from", stamp(0), "--to", stamp(24 * days), "--slot", "1h", *args, check=check)


class OnAFile(Study):
    def test_the_averages_are_those_of_a_few_lines_of_python(self):
        values = wave(24 * 60)
        out = json.loads(self.of_file(self.series(values), 30, "--starts", "all", "--json", "-").stdout)
        self.assertEqual(out["schema"], "gramwatt.study/1")
        (region,) = out["regions"]
        self.assertEqual((region["region"], region["resolution_s"], region["starts"], region["known"]), ("north", 3600, 720, 1))
        cells = {(c["window"], c["job"]): c for c in region["cells"]}
        self.assertEqual(len(cells), 88)
        for window, job, length, slack in (("+24 h", "ViT-B", 21, 24), ("+50 %", "BERT-ft", 6, 3), ("+6 h", "DN-201", 1, 6)):
            now = [sum(values[s:s + length]) for s in range(720)]
            starts = [min(sum(values[i:i + length]) for i in range(s, s + slack + 1)) for s in range(720)]
            pauses = [sum(sorted(values[s:s + length + slack])[:length]) for s in range(720)]
            for policy, got in zip((starts, pauses), cells[window, job]["policies"]):
                self.assertAlmostEqual(got["saving"]["mean_of_ratios"], sum(1 - p / n for p, n in zip(policy, now)) / 720, places=9)
                self.assertAlmostEqual(got["saving"]["ratio_of_totals"], 1 - sum(policy) / sum(now), places=9)
        mean = {(m["window"], m["job"]): m for m in out["mean"]}
        self.assertEqual(mean["+24 h", "ViT-B"]["policies"][1]["published"], {"saving": 0.117, "pauses_per_hour": 0.3})

    def test_what_pauses_cost_lowers_the_saving(self):
        file = self.series(wave(24 * 60))
        free, dear = (json.loads(self.of_file(file, 30, "--restart", restart, "--kept", kept, "--json", "-").stdout)
                      for restart, kept in (("0s", "0"), ("1h", "0.3")))
        for a, b in zip(free["mean"], dear["mean"]):
            for policy in (0, 1):
                was, paid = a["policies"][policy]["saving"], b["policies"][policy]["paid"]
                self.assertEqual(a["policies"][policy]["paid"]["kept"], was)
                self.assertLessEqual(paid["kept"]["mean_of_ratios"], paid["held"]["mean_of_ratios"])
                self.assertLessEqual(paid["kept"]["mean_of_ratios"], paid["restarts"]["mean_of_ratios"])
        paused = next(m for m in dear["mean"] if (m["window"], m["job"]) == ("+24 h", "ViT-B"))["policies"][1]
        self.assertLess(paused["paid"]["restarts"]["mean_of_ratios"], paused["saving"]["mean_of_ratios"])

    def test_the_exact_plan_under_the_same_charges(self):
        file = self.series(wave(24 * 60))
        out = json.loads(self.of_file(file, 30, "--exact", "--restart", "30min", "--json", "-").stdout)
        for m in out["mean"]:
            start, pauses, best = m["policies"]
            self.assertEqual(best["policy"], "exact")
            for payment, paid in best["paid"].items():
                for published in (start, pauses):
                    self.assertGreaterEqual(paid["ratio_of_totals"], published["paid"][payment]["ratio_of_totals"] - 1e-4)
        self.assertIn("exact plan", self.of_file(file, 30, "--exact").stdout)
        rows = list(csv.DictReader(io.StringIO(self.of_file(file, 30, "--exact", "--csv").stdout)))
        self.assertEqual(len(rows), 2 * 88 * 3)
        self.of_file(file, 30, "--exact", "--starts", "all", check=2)

    def test_a_plan_by_one_series_is_weighed_with_another(self):
        values = wave(24 * 60)
        plan, truth = self.series(values, "plan.csv"), self.series([600 - v for v in values], "truth.csv")
        out = json.loads(self.of_file(plan, 30, "--judged-by", truth, "--starts", "all", "--json", "-").stdout)
        cells = {(c["window"], c["job"]): c for c in out["regions"][0]["cells"]}
        got = cells["+6 h", "DN-201"]["policies"][0]["saving"]["ratio_of_totals"]
        best = [min(range(s, s + 7), key=values.__getitem__) for s in range(720)]
        self.assertAlmostEqual(got, 1 - sum(600 - values[b] for b in best) / sum(600 - v for v in values[:720]), places=9)
        self.assertLess(got, 0)
        self.assertIn("weighed with", out["notes"][0])
        self.of_file(plan, 30, "--judged-by", "/nowhere.csv", check=3)

    def test_plans_by_yesterday_are_paid_with_today(self):
        """What is planned by seasonal-naive, in a few lines of Python that look at the day before only."""
        values = wave(24 * 60)
        asked = ("--series", self.series(values), "--from", stamp(24 * 10), "--to", stamp(24 * 15), "--slot", "1h", "--starts", "all")
        out = json.loads(self.study(*asked, "--forecast", "seasonal-naive", "--json", "-").stdout)
        (region,) = out["regions"]
        self.assertEqual(region["forecasts"], [{"model": "seasonal-naive", "starts": 120, "starts_without_forecast": 0, "starts_by_climatology": 0}])
        cells = {(c["window"], c["job"]): c for c in region["cells"]}
        for window, job, length, slack in (("+12 h", "BERT-ft", 6, 12), ("+18 h", "DN-201", 1, 18)):
            at = range(240, 360)
            now = [sum(values[s:s + length]) for s in at]

            def run(s, key):
                first = min(range(s, s + slack + 1), key=lambda b: sum(key(h) for h in range(b, b + length)))
                return sum(values[first:first + length])

            def pauses(s, key):
                return sum(values[h] for h in sorted(range(s, s + slack + length), key=lambda h: (key(h), h))[:length])

            (forecast,) = cells[window, job]["forecasts"]
            for plan, policy in zip((run, pauses), forecast["policies"]):
                told = [plan(s, lambda h: values[h - 24]) for s in at]
                known = [plan(s, lambda h: values[h]) for s in at]
                self.assertAlmostEqual(policy["saving"]["ratio_of_totals"], 1 - sum(told) / sum(now), places=9)
                self.assertAlmostEqual(policy["known_beforehand"]["ratio_of_totals"], 1 - sum(known) / sum(now), places=9)
                self.assertAlmostEqual(policy["share_kept"]["ratio_of_totals"], (sum(now) - sum(told)) / (sum(now) - sum(known)), places=9)
                self.assertAlmostEqual(policy["saving"]["mean_of_ratios"], sum(1 - t / n for t, n in zip(told, now)) / 120, places=9)

    @unittest.skipIf(support.SANITIZED, "minutes of arithmetic, which the tests of plans do under the sanitizers")
    def test_forecasts_stand_beside_foresight_in_every_form(self):
        file, other = self.series(wave(24 * 80)), self.series([v + 100 for v in wave(24 * 80)], "south.csv")
        asked = ("--series", file, "--series", other, "--from", stamp(24 * 50), "--to", stamp(24 * 60), "--slot", "1h",
                 "--forecast", "ridge", "--forecast", "climatology", "--exact")
        out = json.loads(self.study(*asked, "--json", "-", "--html", self.path("study.html")).stdout)
        mean = next(m for m in out["mean"] if (m["window"], m["job"]) == ("+24 h", "ViT-B"))
        self.assertEqual([f["model"] for f in mean["forecasts"]], ["ridge", "climatology"])
        for forecast in mean["forecasts"]:
            self.assertEqual([p["policy"] for p in forecast["policies"]], ["flexible-start", "pause-resume", "exact"])
        ridge = mean["forecasts"][0]["policies"]
        self.assertGreater(ridge[1]["share_kept"]["mean_of_ratios"], 0.5)
        self.assertLessEqual(ridge[2]["paid"]["restarts"]["share_kept"]["ratio_of_totals"], 1 + 1e-4)
        rows = list(csv.DictReader(io.StringIO(self.study(*asked, "--csv").stdout)))
        self.assertEqual(len(rows), 3 * 88 * 3 * 3)
        (row,) = (r for r in rows if (r["region"], r["window"], r["job"], r["policy"], r["planned_by"]) == ("mean", "+24 h", "ViT-B", "pause-resume", "ridge"))
        for column, number in (("mean_of_ratios", ridge[1]["saving"]["mean_of_ratios"]), ("share_kept", ridge[1]["share_kept"]["mean_of_ratios"]),
                               ("known_beforehand", ridge[1]["known_beforehand"]["mean_of_ratios"]),
                               ("restarts_paid", ridge[1]["paid"]["restarts"]["mean_of_ratios"])):
            self.assertAlmostEqual(float(row[column]), number, places=5)
        text = self.study(*asked).stdout
        kept = f"{100 * ridge[1]['share_kept']['mean_of_ratios']:.0f}"
        self.assertIn("Forecasts in place of foresight: ridge, made anew every 24 h", text)
        self.assertRegex(text, rf"(?m)^mean saving .* {kept} +\S+$")
        page = self.read("study.html")
        for section in ("What the paper leaves out", "Forecasts in place of foresight: ridge", "Forecasts in place of foresight: climatology"):
            self.assertIn(f"<h2>{section}</h2>", page)
        self.assertIn(f"<td>{kept}</td>", page)

    def test_the_page_charges_restarts_holding_and_waiting(self):
        asked = ("--restart", "1h", "--kept", "0.3")
        file = self.series(wave(24 * 60))
        self.of_file(file, 30, *asked, "-q", "--html", self.path("study.html"))
        mean = json.loads(self.of_file(file, 30, *asked, "--json", "-").stdout)["mean"]
        page = self.read("study.html").split("<h2>What the paper leaves out</h2>")[1]
        rows = re.findall(r"<tr[^>]*><td>([^<]*)</td><td>([^<]*)</td>(.*?)</tr>", page)
        of = {}
        for window, label, cells in rows:
            first = window or first
            of[first, label] = re.findall(r"<td>([^<]*)</td>", cells)
        for label, payment, policy in (("restarts paid", "restarts", 1), ("held in place", "held", 1), ("restarts paid, machine kept", "kept", 1),
                                       ("machine kept while it waits", "kept", 0)):
            expected = [f"{100 * m['policies'][policy]['paid'][payment]['mean_of_ratios']:.1f}" for m in mean if m["window"] == "+24 h"]
            self.assertEqual(of["+24 h", label], expected)

    def test_a_plan_by_another_signal_stands_beside_the_judges_own(self):
        values = wave(24 * 60)
        judge = [round(v + 60 * math.sin(h / 3.7), 3) for h, v in enumerate(values)]
        plan, truth = self.series(values, "plan.csv"), self.series(judge, "truth.csv")
        own = json.loads(self.of_file(truth, 30, "--json", "-").stdout)["mean"]
        out = json.loads(self.of_file(plan, 30, "--judged-by", truth, "--json", "-").stdout)
        self.assertEqual(out["judged_by"], truth)
        for a, b in zip(own, out["mean"]):
            for mine, theirs in zip(a["policies"], b["policies"]):
                self.assertEqual(theirs["planned_by_judge"], mine["saving"])
        text = self.of_file(plan, 30, "--judged-by", truth, "--csv").stdout
        mean = next(r for r in csv.DictReader(io.StringIO(text)) if (r["region"], r["window"], r["job"], r["policy"]) == ("mean", "+24 h", "ViT-B", "pause-resume"))
        self.assertAlmostEqual(float(mean["mean_of_ratios"]) / float(mean["known_beforehand"]), float(mean["share_kept"]), places=4)
        self.assertLess(float(mean["share_kept"]), 1)
        self.assertIn("own signal", self.of_file(plan, 30, "--judged-by", truth).stdout)
        self.of_file(plan, 30, "--judged-by", truth, "-q", "--html", self.path("study.html"))
        self.assertIn("<h2>Weighed with another signal</h2>", self.read("study.html"))

    def test_starts_without_history_are_said(self):
        text = self.of_file(self.series(wave(24 * 60)), 30, "--forecast", "ridge").stdout
        self.assertIn("ridge: of 60 starts 7 have too little history", text)

    def test_the_table_stands_beside_the_published_one(self):
        text = self.of_file(self.series(wave(24 * 60)), 30).stdout
        self.assertIn("Dodge et al., FAccT 2022", text)
        for row in ("flexible start", "published", "difference", "saving of totals", "pauses an hour"):
            self.assertIn(row, text)
        self.assertRegex(text, r"(?m)^north +1 h +100.0 %")
        self.assertIn("60 starts, slots of 1 h", text)

    def test_a_series_coarser_than_a_slot_says_so(self):
        file = self.series(wave(24 * 60))
        self.assertNotIn("held over their time", self.of_file(file, 30).stdout)
        fine = self.study("--series", file, "--from", stamp(0), "--to", stamp(24 * 30), "--slot", "30min").stdout
        self.assertIn("held over their time", fine)

    def test_csv_has_a_line_a_cell_and_the_mean(self):
        north, south = self.series(wave(24 * 60)), self.series([v / 2 + 100 for v in wave(24 * 60)], "south.csv")
        rows = list(csv.DictReader(io.StringIO(self.of_file(north, 30, "--series", south, "--csv").stdout)))
        self.assertEqual(len(rows), 3 * 88 * 2)
        of = {r["region"]: float(r["mean_of_ratios"]) for r in rows if (r["window"], r["job"], r["policy"]) == ("+24 h", "BERT-LM", "pause-resume")}
        self.assertAlmostEqual(of["mean"], (of["north"] + of["south"]) / 2, places=5)

    def test_the_page_stands_alone(self):
        self.of_file(self.series(wave(24 * 60), "a&b.csv"), 30, "-q", "--html", self.path("study.html"))
        page = self.read("study.html")
        for foreign in ("http:", "https:", "<script", "@import", "url("):
            self.assertNotIn(foreign, page)
        self.assertIn("prefers-color-scheme: dark", page)
        figures = re.findall(r"<svg.*?</svg>", page, re.S)
        self.assertEqual(len(figures), 12)
        bars = [r for f in figures for r in xml.etree.ElementTree.fromstring(f).iter("rect")]
        self.assertEqual(len(bars), 12 * 3 * 4)  # a region, the mean, the published
        self.assertIn("a&amp;b", page)

    def test_gaps_are_left_out_and_counted(self):
        values = wave(24 * 60)
        lines = [f"{stamp(h)},{v}\n" for h, v in enumerate(values) if not 300 <= h < 310]
        file = self.write("gap.csv", "utc_start,g_per_kwh\n" + "".join(lines))
        out = json.loads(self.of_file(file, 30, "--starts", "all", "--json", "-").stdout)
        cells = {(c["window"], c["job"]): c for c in out["regions"][0]["cells"]}
        short = cells["+6 h", "DN-201"]  # a window of 7 hours: 6 starts before the gap, and the gap itself
        self.assertEqual((short["starts"], short["starts_without_known_window"]), (720 - 16, 16))


class OnWhatIsBuiltIn(Study):
    def test_a_zone_of_its_year(self):
        out = json.loads(self.study("--zone", "FR", "--json", "-").stdout)
        (region,) = out["regions"]
        self.assertEqual((region["region"], region["signal"], region["resolution_s"]), ("FR", "average", 3600))
        self.assertIn("ENTSO-E", region["source"])
        for m in out["mean"]:
            start, pauses = (p["saving"]["mean_of_ratios"] for p in m["policies"])
            self.assertLessEqual(0, start)
            self.assertLessEqual(start, pauses + 1e-12)

    def test_several_years_are_regions_of_their_own(self):
        out = json.loads(self.study("--zone", "US-CAL-CISO", "--year", "2020", "--year", "2021", "--json", "-").stdout)
        self.assertEqual([r["region"] for r in out["regions"]], ["US-CAL-CISO 2020", "US-CAL-CISO 2021"])

    def test_the_group_alone_helps(self):
        self.assertIn("study facct22", self.gramwatt("study", check=0).stdout)


class Refused(Study):
    def test_a_year_that_is_not_known_says_which_is(self):
        done = self.study("--zone", "DE", "--year", "2015", check=3)
        self.assertIn("known: 2020-01-01 to 2020-12-31", done.stderr)
        self.assertIn("--from", done.stderr)

    def test_a_file_that_is_too_short_says_what_it_has(self):
        done = self.study("--series", self.series(wave(48)), check=3)
        self.assertIn("known: 2021-03-01 to 2021-03-03", done.stderr)

    def test_marginal_hours_that_nobody_has(self):
        self.assertIn("grid import", self.study("--zone", "DE", "--signal", "marginal", check=3).stderr)

    def test_a_zone_that_does_not_exist(self):
        self.study("--zone", "XX-NOWHERE", check=3)

    def test_a_file_that_does_not_exist(self):
        self.assertIn("/nowhere.csv", self.study("--series", "/nowhere.csv", check=3).stderr)

    def test_wrong_words(self):
        for words in (["--starts", "7"], ["--slot", "2h"], ["--slot", "0s"], ["--kept", "2"], ["--kept", "nan"], ["--year", "x"],
                      ["--from", "2020-01-01"], ["--signal", "both"], ["--forecast", "tomorrow"], ["--from", "2020-02-01", "--to", "2020-01-01"]):
            self.study(*words, check=2)


if __name__ == "__main__":
    support.main()
