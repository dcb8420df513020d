"""Receipts: planned against actual, with an imported series as the grid."""

import datetime
import time

import support

LOOP = "for i in 1 2 3 4 5 6; do for j in $(seq 60000); do :; done; sleep 0.3; done"


class Receipt(support.EndToEnd):
    def grid(self, value_at, kind="average"):
        """Two-second slots around now; `value_at`: seconds from now -> g/kWh."""
        now = int(time.time())
        lines = ["utc_start,g_per_kwh"]
        for at in range(-60, 600, 2):
            t = datetime.datetime.fromtimestamp(now // 2 * 2 + at, datetime.timezone.utc)
            lines.append(f"{t:%Y-%m-%dT%H:%M:%SZ},{value_at(at)}")
        self.gramwatt("grid", "import", "--zone", "DE", self.write("s.csv", "\n".join(lines) + "\n"), check=0)

    def job(self, *options, command=LOOP):
        out = self.path("run.json")
        self.gramwatt("run", "-q", "--json", out, "--zone", "DE", "--slot", "2s", *options, "--", "bash", "-c", command, check=0)
        return self.read_json("run.json")

    def check_sums(self, record):
        receipt = record["receipt"]
        metered = record["energy"]["total"]["value"]
        parts = sum(receipt["energy"][p]["value"] for p in ("running", "restarting", "checkpointing", "held", "off"))
        self.assertAlmostEqual(parts, metered, delta=0.01 * metered)
        stretches = sum(s["active_j"] + s["idle_j"] for s in receipt["stretches"])
        self.assertAlmostEqual(stretches, metered, delta=0.01 * metered)
        return receipt

    def test_a_late_start_on_a_shared_machine_saves_what_the_hours_differ(self):
        self.grid(lambda at: 500 if at < 6 else 100)
        record = self.job("--machine", "shared", "--within", "60s", "--duration", "4s")
        receipt = self.check_sums(record)
        self.assertGreater(receipt["waited_s"], 2)
        self.assertEqual(receipt["energy"]["waiting"]["value"], 0)
        saving = receipt["average"]["saving"]
        self.assertEqual(saving["kind"], "attributed")
        self.assertGreater(saving["value"], 0.4)
        self.assertLess(saving["value"], 0.81)
        self.assertAlmostEqual(receipt["average"]["actual"]["value"], record["carbon"]["average"]["value"], delta=1e-6 * record["carbon"]["average"]["value"])
        self.assertGreater(receipt["planned"]["saving"], 0.4)
        shown = self.gramwatt("show", record["id"], check=0).stdout
        self.assertRegex(shown, r"saved +\d+(\.\d)? %")
        explained = self.gramwatt("show", "--explain", record["id"], check=0).stdout
        self.assertIn("the parts are the metered total: agrees", explained)
        self.assertIn("attributed", explained)

    def test_a_rented_machine_pays_for_waiting(self):
        self.grid(lambda at: 500 if at < 6 else 50)
        # Said to draw 900 W, it waits; as it draws a few watts only, waiting costs more than it saves, and that is said.
        record = self.job("--machine", "rented", "--within", "60s", "--duration", "4s", "--energy", "1Wh")
        receipt = self.check_sums(record)
        self.assertGreater(receipt["energy"]["waiting"]["value"], 0)
        self.assertLess(receipt["average"]["saving"]["value"], receipt["planned"]["saving"] - 0.3)
        self.assertEqual(receipt["energy"]["waiting"]["method"], "modelled")
        self.assertTrue(any("not metered" in n for n in receipt["notes"]), receipt["notes"])

    def test_a_saving_below_zero_is_printed_as_such(self):
        # The forecast of a rented machine's job that draws 900 W; it sleeps instead, and only its waiting weighs.
        self.grid(lambda at: 500 if at < 8 else 400)
        record = self.job("--machine", "rented", "--within", "60s", "--duration", "4s", "--energy", "1Wh", command="sleep 0.5")
        self.assertLess(record["receipt"]["average"]["saving"]["value"], 0)
        self.assertRegex(self.gramwatt("show", record["id"], check=0).stdout, r"saved +-\d")

    def test_a_held_run_tells_its_pause(self):
        self.grid(lambda at: 100 if at < 4 or at >= 12 else 900)
        record = self.job("--machine", "shared", "--within", "60s", "--duration", "8s", "--pausable",
                          command="for i in $(seq 70); do sleep 0.1; done; for j in $(seq 100000); do :; done")
        receipt = self.check_sums(record)
        self.assertGreaterEqual(receipt["pauses"], 1)
        self.assertIn("held", [s["doing"] for s in receipt["stretches"]])
        self.assertAlmostEqual(receipt["paused_s"], record["paused_s"], delta=0.2)

    def test_a_run_at_once_saved_exactly_nothing(self):
        self.grid(lambda at: 300)
        receipt = self.check_sums(self.job("--machine", "rented", "--within", "60s", "--duration", "4s"))
        saving = receipt["average"]["saving"]
        self.assertEqual((saving["value"], saving["low"], saving["high"]), (0, 0, 0))
        self.assertEqual(receipt["waited_s"], 0)

    def test_a_typical_day_verifies_nothing_until_the_run_is_weighed_again(self):
        record = self.job("--machine", "shared", "--within", "60s", "--duration", "4s")
        self.assertEqual(record["receipt"]["average"]["saving"]["kind"], "not verifiable")
        self.assertIn("not verifiable", self.gramwatt("show", record["id"], check=0).stdout)
        self.grid(lambda at: 200)
        self.gramwatt("reweigh", record["id"], check=0)
        out = self.path("again.json")
        self.gramwatt("show", "--json", out, record["id"], check=0)
        self.assertEqual(self.read_json("again.json")["receipt"]["average"]["saving"]["kind"], "attributed")

    def test_a_plain_run_has_no_receipt(self):
        self.assertNotIn("receipt", self.run_json("--", "true"))


if __name__ == "__main__":
    support.main()
