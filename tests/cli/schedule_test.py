"""gramwatt run --within, end to end: real programs that wait, pause and go on by the plan of a grid whose hours last two seconds."""

import json
import os
import signal
import subprocess
import sys
import time

import scheduled
import support
from scheduled import SLOT, Scheduled, utc
from support import BURN, GRAMWATT

PYTHON = "/usr/bin/python3"


class Planned(Scheduled):
    def test_it_starts_and_pauses_and_goes_on_in_its_slots(self):
        base = self.grid("dddccwwwcccc")
        job = self.job("--pausable", command=[PYTHON, self.heart, self.path("beats"), "8"], duration="8s").end(0)
        beats = self.beats()
        self.assert_near(beats[0], base + 3 * SLOT, "start")
        gaps = [(a, b) for a, b in zip(beats, beats[1:]) if b - a > 1.5]
        self.assertEqual(len(gaps), 1, gaps)
        self.assert_near(gaps[0][0], base + 5 * SLOT, "pause")
        self.assert_near(gaps[0][1], base + 8 * SLOT, "resumption")
        self.assertEqual(self.events(), ["planned", "waits", "started", "holding", "held", "resumed", "ended"])
        record = self.read_json("run.json")
        self.assertAlmostEqual(record["waited_s"], base + 3 * SLOT - job.began, delta=1.2)
        self.assertAlmostEqual(record["paused_s"], 3 * SLOT, delta=1.2)
        self.assertAlmostEqual(record["paused_s"] + record["running_s"], record["duration_s"], places=6)
        self.assertIn("400 g/kWh now, 100 while it is to run", job.err)

    def test_what_cannot_be_paused_only_starts_late(self):
        base = self.grid("dddccwwcccc")
        self.job(command=[PYTHON, self.heart, self.path("beats"), "4"], duration="4s").end(0)
        beats = self.beats()
        self.assert_near(beats[0], base + 3 * SLOT, "start")
        self.assertLess(max(b - a for a, b in zip(beats, beats[1:])), 1.5)
        self.assertNotIn("holding", self.events())

    def test_it_begins_in_time_where_no_clean_slot_comes(self):
        self.grid("w" * 60)
        deadline = time.time() + 14
        job = Scheduled.words(self, "--deadline", utc(deadline + 1), command=[PYTHON, self.heart, self.path("beats"), "4"])
        del job[job.index("--within"):job.index("--within") + 2]
        done = scheduled.Job(self, job, env=self.env)
        self.addCleanup(done.tidy)
        done.end(0)
        self.assertLess(self.beats()[-1], deadline + 1)

    def test_a_deadline_that_cannot_be_kept_is_refused(self):
        self.grid("cccc")
        words = self.words("--deadline", utc(time.time() + 5), command=["true"], duration="1h")
        del words[words.index("--within"):words.index("--within") + 2]
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 125)
        self.assertIn("the earliest finish is", done.stderr)

    def test_waiting_that_saves_too_little_is_not_waited_for(self):
        self.grid("dddcccc")
        job = self.job("--min-saving", "90%", command=["true"]).end(0)
        self.assertIn("below --min-saving 90 %", job.err + self.story())
        self.assertLess(self.read_json("run.json")["waited_s"], 2)

    def test_nothing_known_of_the_grid_runs_at_once_and_says_so(self):
        job = self.job(command=["echo", "out"]).end(0)  # a typical day, and no import: nothing is cleaner within a minute
        self.assertEqual(job.out, "out\n")
        self.assertRegex(self.story(), r"started +it starts at once: no later")
        words = self.words(command=["true"])
        del words[words.index("--zone"):words.index("--zone") + 2]
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(self.story(), r"started +it runs without a plan: .*name the grid zone")

    def test_options_that_mean_nothing_alone_are_refused(self):
        for options in (("--min-saving", "3%"), ("--duration", "3h"), ("--slot", "5min"), ("--pause-with", "exit")):
            done = self.gramwatt("run", *options, "--", "true", check=125)
            self.assertIn("--within", done.stderr)
        self.assertIn("how long does it run", self.gramwatt("run", "--within", "1h", "--zone", "DE", "--", "true", check=125).stderr)

    def test_a_series_that_repeats_does_not_go_with_it(self):
        done = subprocess.run(self.words("--repeat", "3", command=["true"]), env=self.env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 125)
        self.assertIn("--repeat", done.stderr)

    def test_like_and_history_tell_how_long_it_takes(self):
        self.gramwatt("run", "-q", "--zone", "DE", "--", "sleep", "2", check=0)
        base = self.grid("ddcccc")
        words = self.words(command=["sleep", "2"])
        del words[words.index("--duration"):words.index("--duration") + 2]
        subprocess.run(words, env=self.env, capture_output=True, timeout=60, check=True)
        row = self.row()
        self.assertAlmostEqual(row["duration_s"], 2, delta=0.7)
        self.assert_near([t for t, what, _ in self.told() if what == "started"][0], base + 2 * SLOT, "start")


class Outside(Scheduled):
    """What is the program's own stays its own."""

    def test_its_streams_are_untouched(self):
        self.grid("dccc")
        job = self.job("-q", "--pausable", command=["sh", "-c", "cat; echo mine >&2"], stdin=open(self.write("in", "exactly this\n"))).end(0)
        self.assertEqual((job.out, job.err), ("exactly this\n", "mine\n"))

    def test_exit_codes(self):
        self.grid("cccc")
        for command, code in ((["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -KILL $$"], -signal.SIGKILL), (["sh", "-c", "kill -TERM $$"], -signal.SIGTERM),
                              (["no-such-command"], 127), ([self.write("no-program", "w")], 126)):
            job = self.job("--pausable", command=command).end(code)
            if code in (126, 127):
                self.assertIn("gramwatt:", job.err)
                self.assertEqual(self.row()["state"], "ended")
        self.assertEqual(self.gramwatt("run", "--within", "nonsense", "--", "true").returncode, 125)

    def test_json_on_stdout_follows_the_programs(self):
        self.grid("cccc")
        words = self.words(command=["echo", "out"])
        words[words.index("--json") + 1] = "-"
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=60, check=True)
        first, _, rest = done.stdout.partition("\n")
        self.assertEqual(first, "out")
        self.assertEqual(json.loads(rest)["exit_code"], 0)

    def test_without_a_ledger_it_runs_and_leaves_nothing(self):
        base = self.grid("ddcccc")
        self.job("--no-ledger", "--pausable", command=[PYTHON, self.heart, self.path("beats"), "2"], duration="2s").end(0)
        self.assert_near(self.beats()[0], base + 2 * SLOT, "start")
        self.assertFalse(os.path.exists(self.path("data", "gramwatt", "ledger.db")))

    def test_a_ledger_that_cannot_be_written_stops_nothing(self):
        base = self.grid("ddbbwwcc")
        self.write("file", "")
        job = self.job("--ledger", self.path("file", "ledger.db"), "--pausable", "--pause-with", "hold",
                       command=[PYTHON, self.heart, self.path("beats"), "5"], duration="5s").end(0)
        self.assert_near(self.beats()[0], base + 2 * SLOT, "start")
        self.assertIn("its story is not in the ledger", job.err)

    def test_a_pause_by_exit_that_cannot_be_written_down_is_not_made(self):
        self.grid("bwwwcccc")
        self.write("file", "")
        job = self.job("--ledger", self.path("file", "ledger.db"), "--pausable", "--pause-with", "exit", command=[PYTHON, self.training, self.home, "60"],
                       duration="6s").end(0)
        self.assertEqual(self.read_json("checkpoint")["done"], 60)
        self.assertIn("could not be written down", job.err + json.dumps(self.read_json("run.json")["notes"]))

    def test_a_trace_covers_what_ran_and_what_was_held(self):
        self.grid("dbwwcccc")
        self.job("--trace", self.path("trace.csv"), "--record", self.path("record"), "--pausable", command=[PYTHON, self.heart, self.path("beats"), "4"]).end(0)
        rows = self.read("trace.csv").splitlines()
        self.assertGreater(len(rows), 20)
        replayed = json.loads(self.gramwatt("replay", self.path("record"), "--json", "-", check=0).stdout)
        record = self.read_json("run.json")
        self.assertEqual(replayed["energy"]["total"]["value"], record["energy"]["total"]["value"])

    def test_the_intervals_add_up_to_the_record(self):
        self.grid("dbbwwcccc")
        self.job("--pausable", command=[BURN, "4"]).end(0)
        record = self.read_json("run.json")
        self.assertGreater(record["energy"]["active"]["value"], 1)
        show = self.gramwatt("show", "last", "--json", "-", check=0)
        self.assertEqual(json.loads(show.stdout)["energy"]["total"]["value"], record["energy"]["total"]["value"])

    def test_wait_all_waits_for_what_it_left_behind(self):
        self.grid("cccc")
        began = time.time()
        self.job("--wait-all", "--pausable", command=["sh", "-c", "(sleep 3; echo late > $0) & exit 5", self.path("late")]).end(5)
        self.assertEqual(self.read("late"), "late\n")
        self.assertGreater(time.time() - began, 2.9)

    def test_a_run_inside_is_part_of_it(self):
        self.grid("cccc")
        self.job("--pausable", command=[GRAMWATT, "run", "-q", "--zone", "DE", "--json", self.path("inner.json"), "--", "true"]).end(0)
        self.assertEqual(self.read_json("inner.json")["parent"], self.read_json("run.json")["id"])


class Held(Scheduled):
    def hold_by(self, way):
        self.grid("dbbwwwwccccc")
        job = self.job("--pausable", "--pause-with", way, command=["sh", "-c", 'echo $$ > "$0"; "$1" 100 & echo $! > "$0.child"; "$1" 5; kill $!', self.path("pid"), BURN],
                       duration="8s")
        # "held" is written before it is done: its event comes when it is.
        self.await_(lambda: {"held", "cannot be held", "ended"} & set(self.events()), "a hold")
        row, events = self.row(), self.events()
        if "held" not in events:
            why = [w for _, what, w in self.told() if what == "cannot be held"]
            job.process.terminate()
            self.skipTest(f"{way}: {why}")
        self.assertIn(f"by {way}", self.story())
        pids = [int(self.read(name)) for name in ("pid", "pid.child")]

        def used():
            return [[int(f) for f in open(f"/proc/{p}/stat").read().rpartition(")")[2].split()[11:13]] for p in pids]
        before, at = used(), time.time()
        self.await_(lambda: time.time() - at > 2, "two seconds")
        self.assertEqual(used(), before)
        self.assertEqual(self.row()["state"], "held")
        self.await_event("resumed")
        self.await_(lambda: used() != before, "CPU time after the resumption", 5)
        job.end(0)
        self.assertIsNone(row["pid"] if row["state"] == "ended" else None)

    def test_by_freezing(self):
        self.hold_by("freeze")

    def test_by_tracing(self):
        self.hold_by("trace")

    def test_by_stopping(self):
        self.hold_by("stop")

    def test_who_continues_it_is_overruled_by_the_plan(self):
        self.grid("dbbwwwwwwcccc")
        self.env["GRAMWATT_LEASE"] = "1s"
        job = self.job("--pausable", "--pause-with", "stop", command=["sh", "-c", 'echo $$ > "$0"; exec "$1" "$2" "$3" 6', self.path("pid"), PYTHON, self.heart,
                                                                      self.path("beats")])
        self.await_state("held")
        os.kill(int(self.read("pid")), signal.SIGCONT)
        self.await_(lambda: self.events().count("held") == 2, "a second hold")
        self.assertIn("let go", self.events())
        job.end(0)

    def test_sigterm_reaches_a_held_program_at_once(self):
        self.grid("dbbwwwwwwwwwwwwcccc")
        script = f"trap 'echo told > {self.path('told')}; exit 9' TERM; while :; do sleep 0.1; done"
        job = self.job("--pausable", command=["bash", "-c", script])
        self.await_state("held")
        job.process.terminate()
        job.end(9, timeout=8)
        self.assertEqual(self.read("told"), "told\n")


class Saved(Scheduled):
    def train(self, *options, env=None, signal_name="SIGTERM"):
        steps = 50
        alone = self.path("alone")
        os.mkdir(alone)
        reference = subprocess.Popen([PYTHON, self.training, alone, str(steps)], env=dict(self.env, SAVE_ON=signal_name))
        self.grid("dbwwbwwccccc")
        self.job("--pausable", *options, command=[PYTHON, self.training, self.home, str(steps)], duration="5s",
                 env=dict(self.env, SAVE_ON=signal_name, **(env or {}))).end(0)
        reference.wait()
        self.assertGreaterEqual(self.events().count("paused"), 1, self.story())
        self.assertEqual([int(s) for s in self.read("steps").split()], list(range(1, steps + 1)))
        self.assertEqual(self.read("checkpoint"), self.read("alone/checkpoint"))
        record = self.read_json("run.json")
        self.assertAlmostEqual(record["paused_s"] + record["running_s"], record["duration_s"], places=6)
        self.assertEqual(record["exit_code"], 0)

    def test_by_exit(self):
        self.train("--pause-with", "exit")

    def test_by_a_signals_name_and_the_code_that_says_try_again(self):
        self.train("--pause-with", "USR1", signal_name="SIGUSR1", env={"SAVED_CODE": "75"})

    def test_by_a_command_and_another_to_go_on(self):
        self.train("--pause-with", "echo $GRAMWATT_RUN_ID >> asked; kill -HUP $GRAMWATT_JOB_PID", "--resume-with",
                   f"echo on >> resumed; exec {PYTHON} {self.training} {self.home} 50", signal_name="SIGHUP", env={"PWD": self.home})

    def job(self, *options, **kwargs):
        return super().job(*options, cwd=self.home, **kwargs)

    def test_a_program_that_crashes_when_asked_is_started_again_and_not_asked_again(self):
        self.env["GRAMWATT_BACK_OFF"] = "300ms"
        self.grid("dbbwwbbwwccc")
        script = 'echo life >> lives; trap "exit 1" TERM; for i in $(seq 60); do sleep 0.1; done'
        job = self.job("--pausable", "--pause-with", "exit", command=["bash", "-c", script], duration="6s").end(0)
        self.assertEqual(self.read("lives").split(), ["life"] * 2)
        self.assertEqual(self.events().count("crashed"), 1)
        self.assertIn("not paused by exit again", json.dumps(self.read_json("run.json")["notes"]), job.err)

    RESUME = 'echo again >> again; [ $(wc -l < again) -gt %d ] || exit 3; echo done > done; exit 0'

    def test_a_resumption_that_crashes_is_tried_again(self):
        self.env["GRAMWATT_BACK_OFF"] = "300ms"
        self.grid("dbbwwccccc")
        self.job("--pausable", "--pause-with", "exit", "--resume-with", self.RESUME % 2, command=["sleep", "6"], duration="6s").end(0)
        self.assertEqual(self.read("done"), "done\n")
        self.assertEqual(self.events().count("crashed"), 2)

    def test_one_that_always_crashes_is_given_up(self):
        self.env["GRAMWATT_BACK_OFF"] = "300ms"
        self.grid("dbbwwccccc")
        self.job("--pausable", "--pause-with", "exit", "--resume-with", self.RESUME % 99, command=["sleep", "6"], duration="6s").end(3)
        self.assertEqual(len(self.read("again").split()), 4)
        self.assertEqual((self.row()["state"], self.row()["why"]), ("ended", "exit code 3"))

    def test_a_command_to_go_on_that_does_not_exist_is_a_crash_too(self):
        self.env["GRAMWATT_BACK_OFF"] = "300ms"
        self.grid("dbbwwccccc")
        self.job("--pausable", "--pause-with", "exit", "--resume-with", "no-such-command-at-all", command=["sleep", "6"], duration="6s").end(127)
        self.assertEqual(self.events().count("crashed"), 3)

    def test_a_program_that_ignores_the_request_goes_on(self):
        self.env["GRAMWATT_PATIENCE"] = "1s"
        self.grid("dbbwwwccc")
        self.job("--pausable", "--pause-with", "exit", command=["bash", "-c", "echo life >> lives; trap '' TERM; for i in $(seq 60); do sleep 0.1; done"],
                 duration="6s").end(0)
        self.assertEqual(self.read("lives").split(), ["life"])
        self.assertIn("not paused", self.events())

    def test_ctrl_c_while_it_saves_ends_it(self):
        self.grid("dbbwwwwwcccccc")
        script = 'trap "touch asked" TERM; trap "exit 0" INT; while :; do sleep 0.1; done'
        job = self.job("--pausable", "--pause-with", "exit", command=["bash", "-c", script], duration="6s")
        self.await_file_there("asked")
        job.process.send_signal(signal.SIGINT)
        job.end(0, timeout=8)
        self.assertEqual(self.events()[-1], "ended")

    def test_ctrl_c_soon_after_a_resumption_ends_it(self):
        self.grid("dbbwwcccccc")
        job = self.job("--pausable", "--pause-with", "exit", "--resume-with", "touch back; exec sleep 30", command=["sleep", "30"], duration="6s")
        self.await_event("resumed")
        self.await_file_there("back")
        job.process.send_signal(signal.SIGINT)
        job.end(-signal.SIGINT, timeout=8)

    def await_file_there(self, name):
        self.await_(lambda: os.path.exists(self.path(name)), name)

    def test_what_a_shell_leaves_behind_is_told_to_save_too(self):
        self.grid("dbbwwccccccc")
        self.job("--pausable", "--pause-with", "exit", command=["bash", "-c", f"{PYTHON} {self.training} {self.home} 50; true"], duration="6s").end(0)
        self.assertEqual([int(s) for s in self.read("steps").split()], list(range(1, 51)))
        self.assertIn("ran on: they were sent signal 15", json.dumps(self.read_json("run.json")["notes"]))

    def test_parts_that_a_program_names_go_on_in_its_next_life(self):
        example = os.environ.get("GRAMWATT_EXAMPLE_C")
        if not example:
            self.skipTest("GRAMWATT_EXAMPLE_C names no program")
        self.grid("dbbwwccccccc")
        self.job("--pausable", "--pause-with", "exit", command=["bash", "-c", f"trap 'exit 0' TERM; {example} > /dev/null; for i in $(seq 50); do sleep 0.1; done"],
                 duration="5s").end(0)
        self.assertGreaterEqual(self.events().count("resumed"), 1)
        self.assertTrue(self.read_json("run.json")["regions"])


class Steered(Scheduled):
    """Words from other terminals."""

    def late(self, *options, slots="d" * 15 + "cccc", seconds="4", **kwargs):
        self.grid(slots)
        return self.job("--pausable", *options, command=[PYTHON, self.heart, self.path("beats"), seconds], **kwargs)

    def test_jobs_lists_what_waits(self):
        job = self.late("--name", "train")
        row = self.await_state("waiting")
        self.await_event("waits")
        table = self.gramwatt("jobs", check=0).stdout
        self.assertRegex(table, rf"(?m)^{row['id'][-8:]} +waiting +0 % +in .*train$")
        self.assertIn("waits until", table)
        self.assertTrue(row["alive"])
        self.assertEqual(row["pid"], job.process.pid)
        self.steer("cancel", "last")
        job.end(125)
        self.assertIn("no job waits or runs", self.gramwatt("jobs", check=0).stderr)
        self.steer("resume", row["id"], check=3)
        self.assertEqual(self.beats(), [])

    def test_now_starts_what_waits(self):
        job = self.late()
        self.await_event("waits")
        said = time.time()
        self.steer("now", "last")
        job.end(0)
        self.assertLess(self.beats()[0] - said, 2)
        self.assertNotIn("holding", self.events())

    def test_pause_keeps_what_waits_beyond_its_slot_until_resume(self):
        self.grid("dddccccccc" + "d" * 20)
        job = self.job("--pausable", command=[PYTHON, self.heart, self.path("beats"), "2"], duration="2s", within="30s")
        self.await_event("waits")
        self.steer("pause", "last")
        clean = time.time()
        self.await_(lambda: time.time() > clean + 5 * SLOT, "the slot")
        self.assertEqual(self.beats(), [])
        self.steer("resume", "last")
        job.end(0)

    def test_pause_resume_now_of_what_runs(self):
        self.grid("c" * 60)
        job = self.job("--pausable", command=[PYTHON, self.heart, self.path("beats"), "4"])
        self.await_(self.beats, "a beat")
        self.steer("pause", "last")
        self.await_state("held")
        n = len(self.beats())
        self.steer("pause", "last")
        at = time.time()
        self.await_(lambda: time.time() > at + 1.5, "a while")
        self.assertEqual(len(self.beats()), n)
        self.steer("resume", "last")
        self.await_(lambda: len(self.beats()) > n, "a beat", 5)
        self.steer("pause", "last")
        self.await_(lambda: self.events().count("held") == 2, "a second hold")
        self.steer("now", "last")
        job.end(0)
        self.assertEqual(self.events().count("resumed"), 2)

    def test_cancel_of_what_is_held_lets_it_hear(self):
        self.grid("dbbwwwwwwwwwwcccc")
        job = self.job("--pausable", command=["bash", "-c", f"trap 'echo told > {self.path('told')}; exit 4' TERM; while :; do sleep 0.1; done"])
        self.await_state("held")
        self.steer("cancel", "last")
        job.end(4)
        self.assertEqual(self.read("told"), "told\n")
        self.assertEqual(self.read_json("run.json")["stopped_by"], "cancel")

    def test_cancel_of_what_is_off(self):
        self.grid("dbbwwwwwwwwwwcccc")
        job = self.job("--pausable", "--pause-with", "exit", command=["sleep", "30"])
        self.await_state("off")
        self.steer("cancel", "last")
        job.end(128 + signal.SIGTERM)
        self.assertEqual(self.read_json("run.json")["stopped_by"], "cancel")

    def test_pause_and_resume_of_a_program_that_saves(self):
        self.grid("c" * 60)
        job = self.job("--pausable", "--pause-with", "exit", command=[PYTHON, self.training, self.home, "30"])
        self.await_file("steps")
        self.steer("pause", "last")
        self.await_state("off")
        self.steer("resume", "last")
        job.end(0)
        self.assertEqual([int(s) for s in self.read("steps").split()], list(range(1, 31)))

    def test_what_has_no_way_to_pause_says_so(self):
        self.grid("c" * 60)
        job = self.job(command=[PYTHON, self.heart, self.path("beats"), "3"], duration="3s")
        self.await_(self.beats, "a beat")
        self.assertIn("it has no way to pause", self.steer("pause", "last", check=1).stderr)
        job.end(0)

    def test_progress_from_inside_makes_the_rest_known_better(self):
        self.grid("c" * 60)
        script = 'sleep 2; "$G" progress 0.2 && touch "$0"; sleep 2'
        job = self.job("--pausable", command=["bash", "-c", script, self.path("said")])
        self.await_(lambda: os.path.exists(self.path("said")), "progress")
        row = self.row()
        self.assertAlmostEqual(row["duration_s"], 10, delta=2.5)
        self.assertAlmostEqual(row["done_s"] / row["duration_s"], 0.2, delta=0.02)
        job.end(0)
        self.assertEqual(job.out, "")

    def test_words_that_are_wrong(self):
        self.grid("c" * 60)
        job = self.job("--pausable", command=["sleep", "3"])
        self.await_state("running")
        for words in (("progress", "last", "2"), ("progress", "last", "nonsense"), ("pause", "nobody")):
            self.assertNotEqual(self.gramwatt(*words).returncode, 0, words)
        self.assertEqual(self.gramwatt("progress", "0.5", env=dict(self.env)).returncode, 2)
        job.end(0)


class Signalled(Scheduled):
    def waiting(self, **kwargs):
        self.grid("d" * 15 + "cccc")
        job = self.job("--pausable", command=["touch", self.path("ran")], **kwargs)
        self.await_event("waits")
        return job

    def test_sigterm_ends_what_waits(self):
        job = self.waiting()
        job.process.terminate()
        job.end(-signal.SIGTERM)
        self.assertEqual(self.row()["state"], "ended")
        self.assertFalse(os.path.exists(self.path("ran")))

    def test_nohup_waits_on(self):
        self.grid("ddddcccc")
        job = self.job("--pausable", command=["touch", self.path("ran")], preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.await_event("waits")
        job.process.send_signal(signal.SIGHUP)
        job.end(0)
        self.assertTrue(os.path.exists(self.path("ran")))

    def test_nohup_stays_held(self):
        self.grid("dbbwwwcccc")
        job = self.job("--pausable", command=[PYTHON, self.heart, self.path("beats"), "6"], preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.await_state("held")
        job.process.send_signal(signal.SIGHUP)
        job.end(0)
        self.assertNotIn("let go for", self.story())

    def test_sighup_of_what_waits_ends_it(self):
        job = self.waiting()
        job.process.send_signal(signal.SIGHUP)
        job.end(-signal.SIGHUP)

    def test_a_signal_of_what_is_off_ends_it_and_its_account_is_made(self):
        self.grid("dbbwwwwwwwwwcccc")
        job = self.job("--pausable", "--pause-with", "exit", command=["sleep", "30"])
        self.await_state("off")
        job.process.send_signal(signal.SIGINT)
        job.end(-signal.SIGINT)
        self.assertEqual(self.read_json("run.json")["stopped_by"], "signal 2")

    def test_a_gramwatt_that_is_killed_leaves_nothing_held(self):
        self.grid("dbbwwwwwwwwwwwwwwcccc")
        job = self.job("--pausable", command=[PYTHON, self.heart, self.path("beats"), "6"])
        self.await_state("held")
        n = len(self.beats())
        job.process.kill()
        self.await_(lambda: len(self.beats()) == 60, "the rest of its beats", 10)
        self.assertLess(n, 60)
        self.assertFalse(self.row()["alive"])
        self.assertIn("lost", self.gramwatt("jobs", check=0).stdout)

    def test_a_gramwatt_that_is_stopped_lets_it_run_on_and_holds_it_again(self):
        self.env["GRAMWATT_LEASE"] = "1s"
        self.grid("dbbwwwwwwwwwwcccc")
        job = self.job("--pausable", command=[PYTHON, self.heart, self.path("beats"), "10"], duration="10s")
        self.await_state("held")
        n = len(self.beats())
        job.process.send_signal(signal.SIGSTOP)
        self.await_(lambda: len(self.beats()) > n, "a beat without gramwatt", 10)
        job.process.send_signal(signal.SIGCONT)
        self.await_(lambda: self.events().count("held") == 2, "a second hold")
        job.end(0)

    def test_a_guardian_that_is_killed_is_replaced(self):
        self.env["GRAMWATT_LEASE"] = "1s"
        self.grid("dbbwwwwwwwcccc")
        job = self.job("--pausable", command=[PYTHON, self.heart, self.path("beats"), "8"], duration="8s")
        self.await_state("held")
        for number in (signal.SIGKILL, signal.SIGSTOP):
            held = self.events().count("held")
            os.kill(guardian_of(job.process.pid), number)
            self.await_(lambda: self.events().count("held") > held, f"a hold after signal {number}")
        job.end(0)


def guardian_of(gramwatt):
    """The process named gw-guardian that shares this gramwatt's page: by the deleted mapping's device and inode."""
    def shared(pid):
        for line in open(f"/proc/{pid}/maps"):
            fields = line.split()
            if fields[1] == "rw-s" and len(fields) > 5 and fields[5] == "/dev/zero":
                yield fields[4]
    ours = set(shared(gramwatt))
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and open(f"/proc/{name}/comm").read() == "gw-guardian\n" and ours & set(shared(name)):
                return int(name)
        except OSError:
            pass
    raise AssertionError("no guardian")


if __name__ == "__main__":
    scheduled.main(sys.modules[__name__])
