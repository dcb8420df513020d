"""gramwatt grid: what is built in, what is imported, what a provider says, and runs that meet it."""

import datetime
import http.server
import json
import threading
import time
import unittest

import support


def utc(stamp):
    return datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class EnergyCharts:
    """A server with Energy-Charts' face and one value for all time."""

    def __init__(self, value):
        self.asked = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                now = int(time.time()) // 900 * 900
                times = list(range(now - 7200, now + 4 * 3600, 900))
                body = json.dumps({"unix_seconds": times, "co2eq": [value if t <= now else None for t in times],
                                   "co2eq_forecast": [value if t > now else None for t in times], "deprecated": False}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Grid(support.EndToEnd):
    def grid(self, *args, check=0):
        return self.gramwatt("grid", *args, check=check)

    def grid_json(self, *args, check=0):
        return json.loads(self.grid(*args, "--json", "-", check=check).stdout)

    def import_series(self, zone, values, start=1622505600, step=3600, *options):
        text = "utc_start,g_per_kwh\n" + "".join(f"{utc(start + i * step)},{v}\n" for i, v in enumerate(values))
        return self.grid("import", "--zone", zone, *options, self.write("series.csv", text))

    def with_provider(self, value):
        server = EnergyCharts(value)
        self.addCleanup(server.close)
        self.env.pop("GRAMWATT_NO_NETWORK")
        self.env["GRAMWATT_ENERGYCHARTS_URL"] = server.url
        self.gramwatt("config", "set", "grid-providers", "energycharts", check=0)
        return server


class BuiltIn(Grid):
    def test_now_tells_both_signals_with_their_sources(self):
        text = self.grid("now", "--zone", "DE").stdout
        self.assertRegex(text, r"(?m)^average +\d+ gCO2e/kWh +\(\d+.\d+\) profile")
        self.assertIn("Ember 2024", text)
        self.assertIn("fit for", text)

    def test_json_keeps_the_contract(self):
        out = self.grid_json("history", "--zone", "FR", "--from", "2024-01-31", "--to", "2024-02-02")
        for key in ("zone", "signal", "unit", "source", "licence", "factor", "basis", "fit_for", "points"):
            self.assertIn(key, out)
        self.assertEqual(len(out["points"]), 48)
        self.assertEqual(out["points"][0]["time"], "2024-01-31T00:00:00Z")
        for p in out["points"]:
            self.assertTrue(0 < p["low"] <= p["value"] <= p["high"], p)
            self.assertEqual(p["kind"], "profile")

    def test_where_explains_its_chain(self):
        out = self.grid("where", "--place", "23917, US").stdout
        self.assertIn("US-MIDA-PJM", out)
        self.assertIn("23917", out)
        self.assertEqual(self.grid_json("where", "--lat", "52.52", "--lon", "13.40")["zone"], "DE")

    def test_zones_can_be_searched(self):
        self.assertRegex(self.grid("zones", "germ").stdout, r"(?m)^DE ")
        self.assertEqual(self.grid("zones", "atlantis", check=3).stdout, "")

    def test_what_is_asked_wrongly(self):
        for args, word in ((("now", "--zone", "DE", "--signal", "typical"), "no signal"), (("history", "--zone", "DE", "--from", "yesterday"), "no time"),
                           (("forecast", "--zone", "DE", "--hours", "0"), "no number"), (("frobnicate",), "grid has no"), (("nwo",), "did you mean"),
                           (("history", "--zone", "DE", "--from", "2024-01-02", "--to", "2024-01-01"), "not later")):
            done = self.grid(*args, check=2)
            self.assertIn(word, done.stderr)
        self.assertIn("name the grid zone", self.grid("now", check=3).stderr)

    def test_grid_alone_tells_its_commands(self):
        text = self.grid().stdout
        for name in ("zones", "where", "now", "history", "forecast", "backtest", "import", "providers"):
            self.assertIn(f"grid {name}", text)


class Imported(Grid):
    def test_a_run_meets_the_intensity_of_its_own_time(self):
        now = int(time.time()) // 3600 * 3600
        self.import_series("DE", [77] * 48, now - 24 * 3600)
        record = self.run_json("--zone", "DE", "--", support.BURN, "0.2")
        self.assertAlmostEqual(record["intensity"]["average"]["value"], 77, places=6)
        self.assertIn("series.csv", record["intensity"]["average"]["series"])

    def test_twice_changes_nothing(self):
        self.assertIn("24 new", self.import_series("DE", range(100, 124)).stdout)
        self.assertIn("24 there before", self.import_series("DE", range(100, 124)).stdout)
        points = self.grid_json("history", "--zone", "DE", "--from", "2021-06-01", "--to", "2021-06-02")["points"]
        self.assertEqual([p["value"] for p in points], [float(v) for v in range(100, 124)])

    def test_a_gap_is_the_typical_day_and_never_zero(self):
        values = list(range(100, 124))
        values[5] = ""
        self.import_series("DE", values)
        points = self.grid_json("history", "--zone", "DE", "--from", "2021-06-01", "--to", "2021-06-02")["points"]
        self.assertEqual(points[5]["kind"], "profile")
        self.assertGreater(points[5]["value"], 50)
        self.assertEqual(points[4]["kind"], "observed")

    def test_a_run_is_weighed_again_when_better_data_arrive_and_remembers(self):
        before = self.run_json("--zone", "DE", "--", support.BURN, "0.2")
        now = int(time.time()) // 3600 * 3600
        self.import_series("DE", [77] * 48, now - 24 * 3600)
        self.gramwatt("reweigh", "last", check=0)
        self.gramwatt("show", "last", "--json", self.path("show.json"), check=0)
        after = self.read_json("show.json")
        self.assertEqual(after["energy"]["total"]["value"], before["energy"]["total"]["value"])
        self.assertAlmostEqual(after["intensity"]["average"]["value"], 77, places=6)
        self.assertAlmostEqual(after["carbon"]["average"]["value"], after["energy"]["facility"]["value"] / 3.6e6 * 77, places=9)
        self.assertEqual(after["earlier"][0]["average"]["value"], before["carbon"]["average"]["value"])
        explained = self.gramwatt("show", "last", "--explain", check=0).stdout
        self.assertIn("Weighed before", explained)
        self.assertIn(before["intensity"]["average"]["source"][:20], explained.split("Weighed before")[1])
        self.assertIn("unchanged", self.gramwatt("reweigh", "--all", check=0).stdout)

    def test_a_series_can_be_listed_and_removed(self):
        self.import_series("DE", range(100, 124))
        self.assertRegex(self.grid("import", "--list").stdout, r"(?m)^DE +average .*24 points")
        self.assertIn("removed 1", self.grid("import", "--remove", "file:series").stdout)
        self.assertEqual(self.grid_json("history", "--zone", "DE", "--from", "2021-06-01", "--to", "2021-06-02")["points"][0]["kind"], "profile")
        self.grid("import", "--remove", "file:series", check=3)

    def test_a_forecast_from_the_past_and_its_backtest(self):
        # Two months of a clean daily shape with a weekly swing: any honest model gets it nearly right.
        values = [300 + 100 * (h % 24 < 12) + 30 * ((h // 24) % 7 < 5) for h in range(24 * 60)]
        self.import_series("DE", values)
        out = self.grid_json("forecast", "--zone", "DE", "--from", "2021-07-25", "--hours", "24")
        self.assertEqual(len(out["points"]), 24)
        self.assertEqual({p["kind"] for p in out["points"]}, {"forecast"})
        for p, truth in zip(out["points"], values[24 * 54:24 * 55]):
            self.assertAlmostEqual(p["value"], truth, delta=0.1 * truth)
        tests = self.grid_json("backtest", "--zone", "DE", "--from", "2021-07-20", "--to", "2021-07-28", "--hours", "24")
        by_model = {m["model"]: m for m in tests["models"]}
        self.assertEqual(set(by_model), {"ridge", "seasonal-naive", "climatology"})
        self.assertLess(by_model["ridge"]["days"][0]["mape"], 0.1)


class Provided(Grid):
    def test_a_run_meets_what_the_provider_says(self):
        server = self.with_provider(55)
        record = self.run_json("--zone", "DE", "--", support.BURN, "1.5")
        self.assertAlmostEqual(record["intensity"]["average"]["value"], 55, places=6)
        self.assertIn("Energy-Charts", record["intensity"]["average"]["series"])
        self.assertGreater(server.asked, 0)

    def test_a_provider_that_is_not_there_costs_no_run_and_is_named(self):
        self.with_provider(55).close = lambda: None
        self.env["GRAMWATT_ENERGYCHARTS_URL"] = "http://127.0.0.1:9"
        record = self.run_json("--zone", "DE", "--", support.BURN, "0.2")
        self.assertIn("Ember", record["intensity"]["average"]["series"])
        self.assertTrue(any("energycharts" in n or "provider" in n for n in record["notes"]), record["notes"])

    def test_no_network_asks_nobody(self):
        server = self.with_provider(55)
        self.gramwatt("run", "-q", "--no-network", "--zone", "DE", "--", "true", check=0)
        self.gramwatt("grid", "now", "--zone", "DE", "--no-network", check=0)
        self.assertEqual(server.asked, 0)

    def test_providers_can_be_checked(self):
        self.with_provider(55)
        out = self.grid("providers", "--check", "--zone", "DE").stdout
        self.assertRegex(out, r"(?m)^energycharts +average +used")
        self.assertIn("answers; newest 55", out)

    def test_a_key_is_never_printed(self):
        self.gramwatt("config", "set", "grid-providers", "electricitymaps", check=0)
        self.gramwatt("config", "set", "electricitymaps-token", "s3cr3t-t0ken", check=0)
        self.env.pop("GRAMWATT_NO_NETWORK")
        self.env["GRAMWATT_ELECTRICITYMAPS_URL"] = "http://127.0.0.1:9"
        for args in (("config", "get"), ("grid", "now", "--zone", "DE"), ("grid", "providers", "--check", "--zone", "DE"),
                     ("run", "--zone", "DE", "--", "true"), ("show", "last", "--explain")):
            done = self.gramwatt(*args)
            self.assertNotIn("s3cr3t", done.stdout + done.stderr, args)


if __name__ == "__main__":
    support.main()
