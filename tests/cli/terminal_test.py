"""The program keeps its terminal: job control scenes in a real one (tmux), each awaited on the screen."""

import os
import re
import shutil
import subprocess
import time
import unittest

import support
from support import BURN, GRAMWATT


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
class Terminal(support.EndToEnd):
    def setUp(self):
        super().setUp()
        self.socket = f"gramwatt-{os.getpid()}-{self.id().rsplit('.', 1)[1]}"
        env = dict(self.env, G=GRAMWATT, BURN=BURN, TERM="xterm")
        rc = self.write("bashrc", "PS1='ready> '\n")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40", f"exec bash --rcfile {rc} -i", env=env)
        self.addCleanup(self.tmux, "kill-server")
        self.expect(r"^ready> ?$", 10)

    def tmux(self, *args, env=None):
        return subprocess.run(["tmux", "-L", self.socket, *args], env=env or self.env, capture_output=True, text=True, timeout=30).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-J").rstrip("\n")

    def type(self, text):
        self.tmux("send-keys", "-l", text)
        self.tmux("send-keys", "Enter")

    def key(self, name):
        self.tmux("send-keys", name)

    def expect(self, pattern, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            text = "\n".join(line.rstrip() if not line.startswith("ready>") else line for line in self.screen().splitlines())
            if re.search(pattern, text, re.M):
                return text
            if time.monotonic() > deadline:
                self.fail(f"no {pattern!r} on the screen:\n{text}")
            time.sleep(0.02)

    def test_ctrl_c_ends_the_program_the_shell_loop_and_nothing_else(self):
        self.type("for i in 1 2 3; do $G run -q -- sh -c 'echo started $0; sleep 100' $i; done; echo after")
        self.expect(r"^started 1")
        self.key("C-c")
        text = self.expect(r"^ready> ?$")
        self.assertNotIn("started 2", text)
        self.type("echo code $?")
        self.expect(r"^code 130")

    def test_a_program_that_traps_ctrl_c_decides_itself(self):
        self.type("$G run -q -- bash -c 'trap \"echo trapped; exit 9\" INT; echo on; while :; do sleep 0.1; done'; echo code $?")
        self.expect(r"^on")
        self.key("C-c")
        text = self.expect(r"^code 9")
        self.assertEqual(len(re.findall(r"^(?:\^C)?trapped$", text, re.M)), 1)

    def test_ctrl_z_fg_bg_jobs(self):
        self.type("$G run -q -- sh -c 'echo pid $$; read line; echo got $line; exit 4'; echo code $?")
        self.expect(r"^pid \d+")
        self.key("C-z")
        self.expect(r"Stopped")
        self.type("jobs")
        self.expect(r"\[1\]\+ +Stopped")
        self.type("fg")
        self.expect(r"^\$G run .*$")
        self.type("hello")
        self.expect(r"^got hello")

    def test_a_background_program_that_reads_is_stopped_and_comes_back(self):
        self.type("$G run -q -- sh -c 'read line; echo got $line' &")
        self.expect(r"\[1\]")
        self.type("wait %1; jobs")  # bash's wait returns when a job is stopped
        self.expect(r"Stopped")
        self.type("fg")
        self.type("now")
        self.expect(r"^got now")

    def test_pipelines_in_both_orders(self):
        self.type("$G run -q -- echo abc | tr a-c x-z; echo def | $G run -q -- tr d-f u-w")
        self.expect(r"^xyz\n^uvw")

    def test_an_interpreter_keeps_its_prompt(self):
        self.type("$G run -q -- /usr/bin/python3 -q")
        self.expect(r"^>>> ?$")
        self.type("6*7")
        self.expect(r"^42")
        self.key("C-d")
        self.expect(r"^ready> ?$")

    def test_the_summary_fits_the_screen_and_follows_the_programs_output(self):
        self.type("clear; $G run --zone DE -- sh -c 'echo output; exit 3'; echo code $?")
        text = self.expect(r"^code 3")
        self.assertLess(text.index("output"), text.index("energy" if "energy" in text else "Energy"))
        self.assertLessEqual(len(text.splitlines()), 30)

    def test_the_live_line_is_drawn_where_the_program_does_not_write(self):
        self.type("clear; $G run --zone DE -- sh -c 'echo out; read line; echo err >&2' > log 2>&1; cat log | head -1")
        self.expect(r"g/kWh")
        self.key("Enter")
        text = self.expect(r"^out")
        self.assertNotRegex(text, r"g/kWh.*out")

    def test_a_program_that_writes_to_the_terminal_is_never_mixed_with_it(self):
        self.type("clear; $G run -q --live auto -- sh -c 'for i in 1 2 3; do echo line $i; sleep 0.7; done'; echo done")
        text = self.expect(r"^done")
        self.assertRegex(text, r"line 1\nline 2\nline 3\ndone")


if __name__ == "__main__":
    support.main()
