"""Budgets: a run that may use so much and no more."""

import support
from support import BURN

# The model of this machine draws some watts: a few joules are used up in a second or two.
PATIENT = "trap 'echo saved; exit 7' TERM; while :; do :; done"


class Budget(support.EndToEnd):
    def test_a_run_out_of_budget_is_asked_to_end_and_keeps_its_own_code(self):
        out = self.path("run.json")
        done = self.gramwatt("run", "--json", out, "--budget", "2J", "--", "bash", "-c", PATIENT, check=7)
        record = self.read_json("run.json")
        self.assertEqual(record["stopped_by"], "budget")
        self.assertEqual(record["exit_code"], 7)
        self.assertIn("saved", done.stdout)
        self.assertIn("the budget of 2J is used up", done.stderr)
        self.assertGreaterEqual(record["energy"]["total"]["value"], 2)
        self.assertTrue(any("of 2J used at its end" in note for note in record["notes"]), record["notes"])

    def test_nearly_used_up_is_said_once_before(self):
        # Ten seconds' worth: a second's step lies within the last fifth.
        host = ("--idle-owner", "host", "--machine", "shared")
        seen = self.run_json(*host, "--", BURN, "2")
        amount = f"{10 * seen['energy']['total']['value'] / seen['duration_s']:.2f}J"
        done = self.gramwatt("run", *host, "--budget", amount, "--", "bash", "-c", PATIENT, check=7)
        self.assertEqual(done.stderr.count(f"of the budget of {amount} is used\n"), 1, done.stderr)
        self.assertLess(done.stderr.index("is used\n"), done.stderr.index("is used up"))

    def test_a_program_that_does_not_listen_is_never_killed(self):
        record = self.run_json("--budget", "1J", "--", "bash", "-c", "trap '' TERM; for i in 1 2 3 4; do sleep 1 & wait $!; done; exit 0")
        self.assertEqual(record["exit_code"], 0)
        self.assertEqual(record["stopped_by"], "budget")
        self.assertGreater(record["duration_s"], 3.5)

    def test_a_run_within_its_budget_is_left_alone(self):
        record = self.run_json("--budget", "1kWh", "--", BURN, "0.2")
        self.assertIsNone(record["stopped_by"])

    def test_an_overrun_is_foretold(self):
        done = self.gramwatt("run", "--budget", "20J", "--duration", "60s", "--", "bash", "-c", PATIENT, check=7)
        self.assertIn("as it goes on it will have used", done.stderr)
        self.assertLess(done.stderr.index("as it goes on"), done.stderr.index("is used up"))

    def test_carbon_and_money_count_too(self):
        for amount in ("0.4mg", "1EUR", "five", "-3g", "2 parsecs"):
            self.gramwatt("run", "--budget", amount, "--", "true", check=125)
        record = self.run_json("--zone", "DE", "--pue", "1.5", "--budget", "0.0005g", "--", "bash", "-c", PATIENT, check=7)
        self.assertEqual(record["stopped_by"], "budget")
        self.assertGreater(record["carbon"]["total"]["value"], 0.00045)
        # 2 J at the building's meter.
        price = 2 / 3.6e6 * 0.25
        record = self.run_json("--electricity-price", "0.25/kWh", "--budget", f"{price:.12f}EUR", "--", "bash", "-c", PATIENT, check=7)
        self.assertEqual(record["stopped_by"], "budget")
        self.gramwatt("run", "--electricity-price", "0.25USD/kWh", "--budget", "1EUR", "--", "true", check=125)

    def test_a_project_has_a_budget_for_a_period(self):
        self.write(".config/gramwatt/config.toml", 'project = "mnist"\n[budgets]\nmnist = "3J/month"\nother = "5kg/fortnight"\n')
        done = self.gramwatt("run", "--", BURN, "0.1", check=0)
        self.assertIn("names no period", done.stderr)
        record = self.run_json("--", "bash", "-c", PATIENT, check=7)
        self.assertEqual(record["stopped_by"], "budget")
        # The period's runs together have used it up: the next one is refused, another project's is not.
        done = self.gramwatt("run", "--", "true", check=125)
        self.assertIn("3J/month of project mnist is used up", done.stderr)
        self.gramwatt("run", "--project", "else", "--", "true", check=0)

    def test_a_job_that_can_save_is_asked_in_its_own_way(self):
        script = "trap 'echo saved; exit 75' USR1; while :; do :; done"
        out = self.path("run.json")
        done = self.gramwatt("run", "--json", out, "--budget", "2J", "--within", "1s", "--duration", "60s", "--pausable", "--pause-with", "USR1", "--zone", "DE",
                             "--machine", "shared", "--", "bash", "-c", script, check=75)
        record = self.read_json("run.json")
        self.assertEqual(record["stopped_by"], "budget")
        self.assertIn("saved", done.stdout)

    def test_the_price_stands_in_the_configuration(self):
        self.gramwatt("config", "set", "electricity-price", "0.3EUR/kWh", check=0)
        self.gramwatt("config", "set", "electricity-price", "cheap", check=2)
        self.assertEqual(self.gramwatt("config", "get", "electricity-price", check=0).stdout.strip(), "0.3EUR/kWh")
        self.assertIsNone(self.run_json("--budget", "5EUR", "--", "true")["stopped_by"])


if __name__ == "__main__":
    support.main()
