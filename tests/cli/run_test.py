"""gramwatt run from outside: the program keeps what is its own, and the figures add up."""

import datetime
import glob
import json
import os
import re
import signal
import struct
import subprocess
import time

import support
from support import BURN, GRAMWATT


class TheProgramKeepsItsOwn(support.EndToEnd):
    def test_exit_codes(self):
        for code in (0, 1, 2, 3, 42, 125, 126, 127, 255):
            self.gramwatt("run", "-q", "--", "sh", "-c", f"exit {code}", check=code)

    def test_death_by_signal_is_passed_on(self):
        done = self.gramwatt("run", "-q", "--", "sh", "-c", "kill -TERM $$")
        self.assertEqual(done.returncode, -signal.SIGTERM)
        shell = subprocess.run(["sh", "-c", f"{GRAMWATT} run -q -- sh -c 'kill -KILL $$'; echo $?"], env=self.env, capture_output=True, text=True)
        self.assertEqual(shell.stdout.strip(), "137")

    def test_what_cannot_be_started(self):
        done = self.gramwatt("run", "--", "no-such-program-here", check=127)
        self.assertIn("no-such-program-here: command not found", done.stderr)
        not_executable = self.write("plain.txt", "text")
        done = self.gramwatt("run", "--", not_executable, check=126)
        self.assertIn("permission", done.stderr.lower())
        self.gramwatt("run", "--", "/", check=126)

    def test_wrong_usage_is_125_so_that_it_cannot_be_the_commands_own(self):
        for args in (["--no-such-option", "true"], [], ["--zone", "NOWHERE", "true"], ["--pue", "0.5", "true"], ["--interval", "5", "true"], ["--tag", "x", "true"]):
            done = self.gramwatt("run", *args, check=125)
            self.assertIn("gramwatt: error:", done.stderr)
            self.assertIn("(", done.stderr, "an error carries its remedy")

    def test_arguments_pass_whole(self):
        show = ["/usr/bin/python3", "-c", "import sys; print(sys.argv[1:])"]
        odd = ["--zone", "DE", "--", "-q", "", "a b", "$HOME", "*", "\n"]
        for form in (["run", "-q", *show, *odd], ["run", "-q", "--", *show, *odd], ["run", "--tag", "a=b", "--tag", "c=d", "-q", *show, *odd],
                     ["-q", "run", "--name=x", "--", *show, *odd]):
            self.assertEqual(self.gramwatt(*form, check=0).stdout.strip(), str(odd))

    def test_options_never_swallow_the_command(self):
        self.assertEqual(self.gramwatt("run", "-q", "--tag", "a=b", "echo", "hi", check=0).stdout, "hi\n")
        self.assertEqual(self.gramwatt("run", "-q", "--json", self.path("j"), "echo", "hi", check=0).stdout, "hi\n")

    def test_standard_input_output_and_error_are_its_own(self):
        done = self.gramwatt("run", "-q", "--", "sh", "-c", "cat; echo err >&2", input="in\n", check=0)
        self.assertEqual((done.stdout, done.stderr), ("in\n", "err\n"))

    def test_json_on_standard_output_comes_after_the_program_and_alone(self):
        done = self.gramwatt("run", "--json", "-", "--", "echo", "mine", check=0)
        first, rest = done.stdout.split("\n", 1)
        self.assertEqual(first, "mine")
        self.assertEqual(json.loads(rest)["schema"], "gramwatt.run/1")

    def test_environment_gains_the_run_id_only(self):
        env = dict(self.env, A="1")
        plain = set(subprocess.run(["env"], env=env, capture_output=True, text=True).stdout.splitlines())
        below = set(self.gramwatt("run", "-q", "--", "env", env=env, check=0).stdout.splitlines())
        self.assertTrue(all(line.startswith("GRAMWATT_RUN_ID=") for line in below - plain), below - plain)
        self.assertEqual(plain - below, set())

    def test_signal_mask_and_dispositions_are_inherited_not_ours(self):
        want = "grep -E '^Sig(Blk|Ign)' /proc/self/status"
        for before in ("", "trap '' HUP USR1; "):
            plain = subprocess.run(["sh", "-c", before + want], env=self.env, capture_output=True, text=True).stdout
            below = subprocess.run(["sh", "-c", f"{before}{GRAMWATT} run -q -- {want}"], env=self.env, capture_output=True, text=True).stdout
            self.assertEqual(plain, below)

    def test_no_descriptor_of_ours_leaks(self):
        plain = subprocess.run(["sh", "-c", "ls /proc/self/fd | wc -l"], env=self.env, capture_output=True, text=True).stdout
        below = self.gramwatt("run", "-q", "--", "sh", "-c", "ls /proc/self/fd | wc -l", check=0).stdout
        self.assertEqual(plain, below)

    def test_signals_sent_to_gramwatt_reach_the_program(self):
        p = subprocess.Popen([GRAMWATT, "run", "-q", "--", "sh", "-c", "trap 'echo got; exit 7' TERM; echo ready; while :; do sleep 0.05; done"],
                             env=self.env, stdout=subprocess.PIPE, text=True)
        self.assertEqual(p.stdout.readline(), "ready\n")
        p.send_signal(signal.SIGTERM)
        self.assertIn("got", p.communicate(timeout=60)[0])
        self.assertEqual(p.returncode, 7)


class TheFigures(support.EndToEnd):
    def check_account(self, r):
        """The laws that every record obeys."""
        e = r["energy"]
        close = lambda a, b, what: self.assertLessEqual(abs(a - b), 1e-6 + 1e-9 * abs(b), what)
        close(e["total"]["value"], e["active"]["value"] + e["idle"]["value"], "total = active + idle")
        close(e["facility"]["value"], e["total"]["value"] * e["pue"]["value"], "facility = total x PUE")
        close(e["machine"]["value"], e["total"]["value"] + e["unattributed"]["value"], "job + unattributed = machine")
        close(sum(c["energy"]["value"] for c in e["components"]), e["total"]["value"], "components add up")
        c = r["carbon"]
        close(c["total"]["value"], c["average"]["value"] + c["embodied"]["value"], "carbon total")
        close(c["average"]["value"], e["facility"]["value"] / 3.6e6 * r["intensity"]["average"]["value"], "average carbon")
        for figure in [e[k] for k in ("total", "active", "idle", "facility", "machine", "pue")] + [c["average"], c["embodied"], c["total"]]:
            self.assertLessEqual(figure["low"], figure["value"])
            self.assertLessEqual(figure["value"], figure["high"])
            self.assertGreaterEqual(figure["low"], 0)
            self.assertTrue(figure["source"], figure)
            self.assertIn(figure["method"], ("measured", "modelled", "assumed", "mixed"))
        self.assertAlmostEqual(r["duration_s"], r["running_s"] + r["paused_s"], places=9)

    def test_every_record_obeys_the_laws(self):
        for args in (["--", "true"], ["--zone", "DE", "--", BURN, "0.3"], ["--idle-owner", "host", "--zone", "FR", "--pue", "1.2", "--", BURN, "0.2", "threads", "2"]):
            self.check_account(self.run_json(*args))

    def test_sleep_costs_idle_only(self):
        r = self.run_json("--", "sleep", "1")
        self.assertLess(r["energy"]["active"]["value"], 0.02 * self.run_json("--", BURN, "1")["energy"]["active"]["value"])
        self.assertGreater(r["energy"]["idle"]["value"], 0)

    def test_unknown_place_is_said_and_wide_never_a_country(self):
        r = self.run_json("--", "true")
        self.assertIsNone(r["place"]["zone"])
        self.assertEqual(r["place"]["how"], "unknown")
        i = r["intensity"]["average"]
        self.assertAlmostEqual(i["low"], 20, delta=0.5)
        self.assertAlmostEqual(i["high"], 900, delta=0.5)
        self.assertIsNone(r["carbon"]["marginal"])

    def test_the_zone_comes_from_option_environment_and_configuration_in_this_order(self):
        self.write(".config/gramwatt/config.toml", 'zone = "PL"\n')
        self.assertEqual(self.run_json("--", "true")["place"]["zone"], "PL")
        env = dict(self.env, GRAMWATT_ZONE="FR")
        self.assertEqual(self.run_json("--", "true", env=env)["place"]["zone"], "FR")
        self.assertEqual(self.run_json("--zone", "DE", "--", "true", env=env)["place"]["zone"], "DE")

    def test_two_runs_at_once_share_idle(self):
        options = ["-q", "--interval", "50ms"]  # who else is on is known to a tick
        both = [subprocess.Popen([GRAMWATT, "run", *options, "--json", self.path(f"{i}.json"), "--", "sleep", "2"], env=self.env) for i in (1, 2)]
        for p in both:
            self.assertEqual(p.wait(60), 0)
        records = [self.read_json(f"{i}.json") for i in (1, 2)]
        at = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        together = max(at(r["end"]) for r in records) - min(at(r["start"]) for r in records)
        paid = sum(r["energy"]["idle"]["value"] for r in records)
        power = max((r["energy"]["machine"]["value"] - r["energy"]["active"]["value"]) / r["duration_s"] for r in records)
        # Machine energy holds what others did as well, so its idle power is an upper bound; half of it would be a share each.
        self.assertLess(paid, power * together * 1.1)
        self.assertGreater(paid, 0.7 * power * together * 0.5)

    def test_a_nested_run_is_counted_once(self):
        inner = self.path("inner.json")
        self.run_json("--name", "outer", "--", GRAMWATT, "run", "-q", "--name", "inner", "--json", inner, "--", BURN, "0.3")
        nested = self.read_json("inner.json")
        outer = self.read_json("run.json")
        self.assertEqual(nested["parent"], outer["id"])
        self.assertGreaterEqual(outer["energy"]["active"]["value"], nested["energy"]["active"]["value"] * 0.99)

    def test_a_run_can_be_traced(self):
        trace = self.path("t.csv")
        r = self.run_json("--interval", "20ms", "--trace", trace, "--zone", "DE", "--", BURN, "0.5")
        with open(trace) as f:
            lines = f.read().splitlines()
        header = lines[0].split(",")
        self.assertGreater(len(lines), 5)
        self.assertTrue(all(len(line.split(",")) == len(header) for line in lines))
        self.assertIn("job_active_w", header)
        self.assertGreater(max(float(line.split(",")[header.index("job_active_w")]) for line in lines[1:]), 0)
        self.assertGreater(r["energy"]["active"]["value"], 0)


class FakeSensors(support.EndToEnd):
    """A powercap tree whose counters the measured program itself moves."""

    def setUp(self):
        super().setUp()
        self.sys = self.path("sys")
        self.zone("intel-rapl:0", "package-0", 1_000_000_000)
        self.zone("intel-rapl:0/intel-rapl:0:0", "dram", 1_000_000_000)
        self.zone("intel-rapl:1", "psys", 1_000_000_000)
        self.env["GRAMWATT_SYSFS"] = self.sys

    def zone(self, folder, name, energy):
        base = f"sys/class/powercap/{folder}/"
        self.write(base + "name", name + "\n")
        self.write(base + "energy_uj", f"{energy:020d}\n")
        self.write(base + "max_energy_range_uj", "262143328850\n")
        self.write(base + "constraint_0_max_power_uw", "200000000\n")

    def mover(self, steps):
        """A program that writes each of (folder, microjoules), 0.3 s apart, in place."""
        return ["/usr/bin/python3", "-c", (
            "import os, time\n"
            f"for folder, uj in {steps!r}:\n"
            f"    fd = os.open('{self.sys}/class/powercap/' + folder + '/energy_uj', os.O_WRONLY)\n"
            "    os.pwrite(fd, b'%020d\\n' % uj, 0)\n"
            "    os.close(fd)\n"
            "    time.sleep(0.3)\n")]

    def test_packages_and_dram_are_measured_psys_is_not_added_and_the_plug_is_modelled(self):
        r = self.run_json("--", *self.mover([("intel-rapl:0", 1_020_000_000), ("intel-rapl:0/intel-rapl:0:0", 1_005_000_000), ("intel-rapl:1", 1_900_000_000)]))
        parts = {c["component"]: c for c in r["energy"]["components"]}
        self.assertEqual(set(parts), {"cpu", "memory", "platform"})
        self.assertAlmostEqual(parts["cpu"]["machine"]["value"], 20, places=6)
        self.assertAlmostEqual(parts["memory"]["machine"]["value"], 5, places=6)
        self.assertEqual(parts["cpu"]["energy"]["method"], "measured")
        self.assertEqual(parts["cpu"]["energy"]["boundary"], "chip")
        self.assertEqual(parts["platform"]["energy"]["boundary"], "node")
        self.assertEqual(r["gaps"], [])

    def test_a_vanished_zone_is_a_gap_with_a_reason_and_no_phantom(self):
        r = self.run_json("--", "sh", "-c", f"sleep 0.3; printf 'gone' > {self.sys}/class/powercap/intel-rapl:0/energy_uj; sleep 0.5")
        self.assertTrue(any(g["component"] == "cpu" for g in r["gaps"]), r["gaps"])
        self.assertLess(r["energy"]["machine"]["value"], 500)

    def test_as_a_plain_user_root_only_counters_name_the_command_that_opens_them(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become a plain user")
        for root, _, files in os.walk(self.home):
            os.chmod(root, 0o755)
            for name in files:
                os.chmod(os.path.join(root, name), 0o400 if name == "energy_uj" else 0o644)
        os.makedirs(self.path("user"), exist_ok=True)
        os.chmod(self.path("user"), 0o777)
        env = dict(self.env, HOME=self.path("user"))
        done = self.as_plain_user("run", "--json", "-", "--", "true", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("cap_dac_read_search,cap_perfmon=p", done.stderr)
        self.assertIn("CVE-2020-8694", done.stderr)
        self.assertEqual({c["component"] for c in json.loads(done.stdout)["energy"]["components"]}, {"platform"})

    def test_with_the_right_to_read_any_file_root_only_counters_are_read_and_the_program_has_no_such_right(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become a plain user")
        for root, _, files in os.walk(self.home):
            os.chmod(root, 0o755)
            for name in files:
                os.chmod(os.path.join(root, name), 0o400 if name == "energy_uj" else 0o644)
        secret = self.write("secret", "of root")
        os.chmod(secret, 0o400)
        os.makedirs(self.path("user"), exist_ok=True)
        os.chmod(self.path("user"), 0o777)
        counter = f"{self.sys}/class/powercap/intel-rapl:0/energy_uj"
        look = f"cat {secret} {counter}; ls -l /proc/self/fd | grep -c energy_uj; grep -h Cap /proc/$PPID/status /proc/self/status | grep -c '0000000000000000$'"
        done = self.as_plain_user("run", "--json", self.path("user/run.json"), "-q", "--", "sh", "-c", look, env=dict(self.env, HOME=self.path("user")),
                                  file_capabilities=[2, 38])
        self.assertEqual(done.stdout.split(), ["0", "8"], "nothing read, no descriptor inherited, no capability left: " + done.stderr)
        self.assertEqual(done.stderr.count("Permission denied"), 2, done.stderr)
        with open(self.path("user/run.json")) as file:
            self.assertIn("cpu", {c["component"] for c in json.load(file)["energy"]["components"]})

    def test_the_right_to_open_counters_is_given_up_before_the_program_starts(self):
        for root, _, _ in os.walk(self.home):
            os.chmod(root, 0o777)
        look = "grep -h Cap /proc/$PPID/status /proc/self/status | grep -c '0000000000000000$'; stat -c %u /proc/$PPID/status"
        done = self.as_plain_user("run", "-q", "--", "sh", "-c", look, env=dict(self.env, GRAMWATT_SYSFS=self.path("none")), file_capabilities=[38])
        # Inheritable, permitted, effective and ambient are empty for both (the bounding set is not).
        self.assertEqual(done.stdout.split(), ["8", "65534"], done.stderr)

    def test_measured_may_be_required(self):
        self.assertEqual(self.gramwatt("run", "-q", "--require", "measured", "--", "true").returncode, 0)
        env = dict(self.env, GRAMWATT_SYSFS=self.path("empty"))
        done = self.gramwatt("run", "-q", "--require", "measured", "--", "true", env=env, check=125)
        self.assertIn("no power sensor", done.stderr)


class Trouble(support.EndToEnd):
    """Whatever is wrong with gramwatt's own files: the program runs, its exit code is kept, and a line says what is the matter."""

    def check(self, args, words, env=None):
        done = self.gramwatt("run", *args, "--", "sh", "-c", "echo fine; exit 5", env=env or self.env, check=5)
        self.assertEqual(done.stdout, "fine\n")
        for word in words:
            self.assertIn(word, done.stderr)

    def test_a_foreign_file_in_place_of_the_ledger_is_left_alone(self):
        path = self.write("foreign.db", "this is somebody's thesis\n" * 100)
        self.check(["--ledger", path], ["warning", "foreign.db"])
        self.assertEqual(self.read(path), "this is somebody's thesis\n" * 100)

    def test_a_ledger_of_no_bytes_is_taken_as_new(self):
        path = self.write("empty.db", "")
        self.check(["--ledger", path], [])
        self.assertIn("finished", self.gramwatt("runs", "--ledger", path, "--json", "-", check=0).stdout)

    def test_no_folder_for_the_ledger(self):
        path = self.write("file", "x")
        self.check(["--ledger", path + "/ledger.db"], ["warning", "ledger"])

    def test_a_read_only_home(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become a plain user")
        os.chmod(self.home, 0o555)
        done = self.as_plain_user("run", "--", "sh", "-c", "exit 5")
        self.assertEqual(done.returncode, 5)
        self.assertIn("warning", done.stderr)

    def test_a_full_disk(self):
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"]).returncode != 0:
            self.skipTest("needs a mount namespace of its own")
        os.makedirs(self.path("small"))
        script = (f"mount -t tmpfs -o size=16k none {self.path('small')} && "
                  f"{GRAMWATT} run --ledger {self.path('small')}/ledger.db -- sh -c 'exit 5'")
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], env=self.env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("warning", done.stderr)

    def test_a_configuration_with_a_typo(self):
        self.write(".config/gramwatt/config.toml", 'zoen = "DE"\n')
        self.check([], ["zoen", "did you mean zone?"])
        self.write(".config/gramwatt/config.toml", 'zone = DE\n')
        self.check([], ["config.toml:1"])

    def test_a_trace_that_cannot_be_written_is_told_before_the_start(self):
        done = self.gramwatt("run", "--trace", self.path("no/such/folder/t.csv"), "--", "echo", "ran", check=125)
        self.assertEqual(done.stdout, "")

    def test_closed_standard_error_is_no_reason_to_fail(self):
        done = subprocess.run(["sh", "-c", f"{GRAMWATT} run -- sh -c 'exit 5' 2>&-"], env=self.env, timeout=60)
        self.assertEqual(done.returncode, 5)

    def test_kill_minus_nine_keeps_the_run_up_to_its_last_second_and_the_program_goes_on(self):
        p = subprocess.Popen([GRAMWATT, "run", "-q", "--zone", "DE", "--trace", self.path("t.csv"), "--", "sh", "-c", f"echo $$; exec {BURN} 300"], env=self.env,
                             stdout=subprocess.PIPE, text=True)
        child = int(p.stdout.readline())
        try:
            # An interval a second: wait until three of them are there.
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and self.kept_intervals() < 3:
                time.sleep(0.1)
            p.kill()
            p.wait(60)
            p.stdout.close()
            os.kill(child, 0)
            records = json.loads(self.gramwatt("runs", "--json", "-", check=0).stdout)
            self.assertEqual([r["state"] for r in records], ["interrupted"])
            r = records[0]
            self.assertGreaterEqual(r["duration_s"], 2.9)
            self.assertGreater(r["energy"]["active"]["value"], 0)
            self.assertGreater(r["carbon"]["average"]["value"], 0)
            self.assertEqual(r["place"]["zone"], "DE")
            self.assertIn("interrupted", self.gramwatt("show", "last", check=0).stdout)
        finally:
            os.kill(child, signal.SIGKILL)

    def kept_intervals(self):
        """Intervals in the run's tail, of which each begins with its length and a checksum (src/ledger/tail.cpp)."""
        entries = 0
        ledger = self.path(".local/share/gramwatt/ledger.db")
        info = os.stat(ledger) if os.path.exists(ledger) else None
        for tail in glob.glob(f"/dev/shm/gramwatt-{info.st_dev:x}-{info.st_ino:x}-*") if info else []:
            with open(tail, "rb") as f:
                while len(head := f.read(8)) == 8:
                    f.seek(struct.unpack("=II", head)[0], os.SEEK_CUR)
                    entries += 1
        return entries


class Estimate(support.EndToEnd):
    """What hardware would use, without a run."""

    def estimate(self, *args):
        return json.loads(self.gramwatt("estimate", "--json", "-", *args, check=0).stdout)

    def test_has_the_parts_of_the_contract_and_adds_up(self):
        e = self.estimate("--cpu", "AMD EPYC 9654", "--load", "0.7", "--hours", "24", "--zone", "DE", "--pue", "1.2")
        self.assertEqual(set(e), {"schema", "duration_s", "host", "place", "energy", "carbon", "intensity"})
        self.assertEqual(e["duration_s"], 86400)
        energy, carbon = e["energy"], e["carbon"]
        self.assertAlmostEqual(energy["total"]["value"], energy["active"]["value"] + energy["idle"]["value"], delta=1)
        self.assertAlmostEqual(energy["facility"]["value"], 1.2 * energy["total"]["value"], delta=1)
        self.assertAlmostEqual(carbon["average"]["value"], energy["facility"]["value"] / 3.6e6 * e["intensity"]["average"]["value"], delta=1)
        self.assertAlmostEqual(carbon["total"]["value"], carbon["average"]["value"] + carbon["embodied"]["value"], delta=0.01)
        self.assertEqual(e["place"]["zone"], "DE")
        # Two of these at 70 %: between their idle power and twice 360 W of TDP plus the rest of the server.
        self.assertTrue(250 < energy["total"]["value"] / 86400 < 1000, energy["total"])

    def test_more_load_and_more_hours_are_more(self):
        watts = [self.estimate("--cpu", "Xeon Platinum 8480+", "--load", str(load))["energy"]["total"]["value"] for load in (0, 0.25, 0.5, 1)]
        self.assertEqual(watts, sorted(set(watts)))
        ten = self.estimate("--cpu", "Xeon Platinum 8480+", "--load", "1", "--hours", "10")["energy"]["total"]["value"]
        self.assertAlmostEqual(ten / watts[-1], 10, places=6)

    def test_a_load_that_nobody_gave_widens_the_interval(self):
        known = self.estimate("--cpu", "AMD EPYC 9654", "--load", "0.5")["energy"]["total"]
        unknown = self.estimate("--cpu", "AMD EPYC 9654")["energy"]["total"]
        self.assertEqual(known["value"], unknown["value"])
        self.assertLess(unknown["low"], known["low"])
        self.assertGreater(unknown["high"], known["high"])

    def test_this_machine_draws_what_a_run_on_it_would(self):
        e = self.estimate("--load", "0", "--hours", str(1 / 3600))
        r = self.run_json("--", "sleep", "1")
        self.assertAlmostEqual(e["energy"]["idle"]["value"], r["energy"]["idle"]["value"] / r["duration_s"], delta=0.02 * e["energy"]["idle"]["value"])

    def test_another_machine_is_not_where_this_one_is(self):
        env = dict(self.env, GRAMWATT_METADATA_URL="http://127.0.0.1:9")
        done = self.gramwatt("estimate", "--cpu", "AMD EPYC 9654", "--json", "-", env=env, check=0)
        e = json.loads(done.stdout)
        self.assertEqual((e["place"]["zone"], e["host"]["cloud"], e["host"]["hostname"]), (None, None, ""))

    def test_an_unknown_cpu_is_said_to_be_unknown(self):
        self.assertIn("\"Foo 3\" is unknown here", self.gramwatt("estimate", "--cpu", "Foo 3", check=0).stdout)
        wide = self.estimate("--cpu", "Foo 3", "--load", "1")["energy"]["total"]
        narrow = self.estimate("--cpu", "AMD EPYC 9654", "--load", "1")["energy"]["total"]
        self.assertGreater(wide["high"] / wide["low"], narrow["high"] / narrow["low"])

    def test_memory_that_nobody_gave_is_assumed_and_said(self):
        done = self.gramwatt("estimate", "--cpu", "AMD EPYC 9654", check=0)
        self.assertIn("768 GB are assumed", done.stdout)
        little = self.estimate("--cpu", "AMD EPYC 9654", "--memory-gb", "128")["carbon"]["embodied"]["value"]
        self.assertLess(little, self.estimate("--cpu", "AMD EPYC 9654")["carbon"]["embodied"]["value"])

    def test_gpus_are_added_and_lifted_to_the_plug(self):
        bare = self.estimate("--cpu", "AMD EPYC 9654", "--load", "0.2")["energy"]
        e = self.estimate("--cpu", "AMD EPYC 9654", "--load", "0.2", "--gpu", "h100:8", "--gpu-load", "1", "--gpu", "T4")
        names = {c["device"]: c["energy"]["value"] for c in e["energy"]["components"] if c["component"] == "gpu"}
        self.assertEqual(set(names), {"8 × NVIDIA H100 SXM", "NVIDIA T4"})
        chips = sum(names.values())
        self.assertTrue(8 * 350 + 35 < chips / 3600 < 8 * 700 + 70, names)
        self.assertAlmostEqual(e["energy"]["total"]["value"] - bare["total"]["value"], 1.17 * chips, delta=0.001 * chips)
        self.assertEqual(len(e["host"]["gpus"]), 9)
        at_rest = self.estimate("--cpu", "AMD EPYC 9654", "--load", "0.2", "--gpu", "h100:8", "--gpu-load", "0")["energy"]
        self.assertEqual(at_rest["active"]["value"], bare["active"]["value"])
        self.assertGreater(at_rest["idle"]["value"], bare["idle"]["value"] + 8 * 40 * 3600)

    def test_instances_have_their_share_of_a_host_and_their_gpus(self):
        small, large = (self.estimate("--instance", "aws/m5." + size, "--load", "1") for size in ("large", "4xlarge"))
        self.assertAlmostEqual(large["energy"]["total"]["value"] / small["energy"]["total"]["value"], 8, delta=0.01)
        self.assertEqual((small["host"]["cloud"]["instance"], small["host"]["cpus"], small["host"]["memory_gb"]), ("m5.large", 2, 8))
        self.assertEqual(self.estimate("--instance", "azure/Standard_D4s_v5")["host"]["cloud"]["instance"], "d4s v5")
        p4 = self.estimate("--instance", "aws/p4d.24xlarge", "--gpu-load", "1")
        self.assertEqual(len(p4["host"]["gpus"]), 8)
        self.assertGreater(p4["energy"]["total"]["value"] / 3600, 8 * 200)

    def test_unknown_hardware_names_the_nearest(self):
        for args, word in ((("--gpu", "h1000"), "NVIDIA H100"), (("--instance", "aws/m5.larg"), "aws/m5.large"), (("--instance", "azure/d4s v55"), "azure/d4s v5")):
            self.assertIn(word, self.gramwatt("estimate", *args, check=3).stderr)
        self.assertIn("did you mean \"epyc 9654\"", self.gramwatt("estimate", "--cpu", "AMD EPIC 9654", check=0).stdout)
        for args in (("--instance", "m5.large"), ("--instance", "aws/m5.large", "--threads", "4"), ("--gpu", "T4:0"), ("--gpu-load", "1"), ("--load-kind", "odd")):
            self.gramwatt("estimate", *args, check=2)

    def test_how_a_load_lies_on_the_cores(self):
        args = ("--cpu", "AMD EPYC 7763", "--load", "0.3")
        even, busy = (self.estimate(*args, "--load-kind", kind)["energy"]["active"] for kind in ("even", "busy-cores"))
        self.assertEqual(self.estimate(*args)["energy"]["active"]["value"], even["value"])
        self.assertLess(even["value"], busy["value"])
        self.assertLess(even["low"], busy["value"])
        self.assertGreater(even["high"], busy["value"])

    def test_wrong_numbers_are_usage_errors_with_the_bounds(self):
        for args, word in ((("--load", "2"), "from 0 to 1"), (("--load", "nan"), "from 0 to 1"), (("--hours", "-1"), "--hours"), (("--threads", "4"), "--cpu"),
                           (("--cpu", "Intel Core i9-13900K"), "--threads")):
            self.assertIn(word, self.gramwatt("estimate", *args, check=2).stderr)


class TheLedger(support.EndToEnd):
    def test_list_show_tag_compare_remove(self):
        for name, work in (("small", "0.2"), ("large", "0.6")):
            self.gramwatt("run", "-q", "--name", name, "--project", "p", "--", BURN, work, check=0)
        self.gramwatt("run", "-q", "--name", "other", "--", "true", check=0)
        listed = json.loads(self.gramwatt("runs", "--project", "p", "--json", "-", check=0).stdout)
        self.assertEqual([r["name"] for r in listed], ["large", "small"])
        text = self.gramwatt("runs", check=0).stdout
        for name in ("small", "large", "other"):
            self.assertIn(name, text)
        shown = json.loads(self.gramwatt("show", "--json", "-", listed[0]["id"], check=0).stdout)
        self.assertEqual(shown, listed[0])
        explained = self.gramwatt("show", "--explain", "@2", check=0).stdout
        for word in ("total", "PUE", "embodied", "SPECpower"):
            self.assertIn(word, explained)
        self.gramwatt("tag", listed[0]["id"], "dataset=digits", check=0)
        self.assertEqual(json.loads(self.gramwatt("show", "--json", "-", listed[0]["id"], check=0).stdout)["tags"], {"dataset": "digits"})
        compared = self.gramwatt("compare", listed[1]["id"], listed[0]["id"], check=0).stdout
        self.assertIn("large", compared)
        self.gramwatt("rm", listed[0]["id"], check=0)
        self.gramwatt("show", listed[0]["id"], check=3)
        self.gramwatt("rm", "nothing-like-this", check=3)

    def test_an_empty_ledger_is_no_error(self):
        self.assertEqual(self.gramwatt("runs", check=0).stdout, "")
        self.assertEqual(json.loads(self.gramwatt("runs", "--json", "-", check=0).stdout), [])
        self.gramwatt("show", "last", check=3)


class TheRest(support.EndToEnd):
    def test_doctor(self):
        text = self.gramwatt("doctor", check=0).stdout
        for word in ("CPU", "model", "zone", "ledger"):
            self.assertIn(word.lower(), text.lower())
        json.loads(self.gramwatt("doctor", "--json", "-", check=0).stdout)

    def test_config_is_set_read_and_keeps_comments(self):
        self.write(".config/gramwatt/config.toml", "# mine\nproject = \"a\"  # why\n")
        self.gramwatt("config", "set", "zone", "DE", check=0)
        self.gramwatt("config", "set", "pue", "1.2", check=0)
        self.assertEqual(self.gramwatt("config", "get", "zone", check=0).stdout, "DE\n")
        self.assertIn("# mine", self.read(self.gramwatt("config", "path", check=0).stdout.strip()))
        self.gramwatt("config", "set", "zoen", "DE", check=2)
        self.gramwatt("config", "set", "pue", "0.2", check=2)
        self.gramwatt("config", "get", "stage", check=1)

    def test_help_is_there_for_every_command_and_the_manual_is_up_to_date(self):
        overview = self.gramwatt("help", check=0).stdout
        names = re.findall(r"^  (\w+) ", overview.split("Commands:")[1].split("Options")[0], re.M)
        self.assertIn("doctor", names)
        for name in names:
            self.assertIn(f"gramwatt {name}", self.gramwatt("help", name, check=0).stdout)
            self.gramwatt(name, "--help", check=0)
        self.assertTrue(all(len(line) <= 80 for line in overview.splitlines()))
        with open(os.environ["GRAMWATT_MANUAL"]) as f:
            self.assertEqual(self.gramwatt("help", "--man", check=0).stdout, f.read(), "make it anew: gramwatt help --man > man/gramwatt.1")

    def test_completion_scripts_are_well_formed(self):
        script = self.write("c.bash", self.gramwatt("completion", "bash", check=0).stdout)
        done = subprocess.run(["bash", "-c", f". {script}; COMP_WORDS=(gramwatt ru); COMP_CWORD=1; _gramwatt; echo ${{COMPREPLY[@]}}"], capture_output=True, text=True)
        self.assertEqual((done.stdout.strip(), done.stderr), ("run runs", ""))
        for shell in ("zsh", "fish"):
            self.assertIn("gramwatt", self.gramwatt("completion", shell, check=0).stdout)
        self.gramwatt("completion", "tcsh", check=2)

    def test_mistyped_commands_are_answered_with_the_nearest(self):
        self.assertIn("gramwatt doctor", self.gramwatt("docter", check=2).stderr)
        self.assertIn("did you mean --project", self.gramwatt("runs", "--projct", "x", check=2).stderr)


if __name__ == "__main__":
    support.main()
