"""gramwatt top: as a table, as JSON, and in a real terminal (tmux), which it must give back as it was."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import support
from support import BURN, GRAMWATT


class Batch(support.EndToEnd):
    def test_json_tells_each_process_and_sums_to_the_machine(self):
        burner = subprocess.Popen([BURN, "1000"])
        self.addCleanup(lambda: (burner.kill(), burner.wait()))
        done = self.gramwatt("top", "--json", "-", "-n", "2", "--interval", "1s", "--zone", "DE", check=0)
        looks = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(looks), 2)
        for look in looks:
            self.assertEqual(look["schema"], "gramwatt.top/1")
            others = look["others"]
            processes = sum(p["power_w"] for p in look["processes"])
            whole = processes + others["gpu_w"] + others["unattributed_w"] + others["idle_w"]
            self.assertAlmostEqual(whole, look["machine"]["power"]["value"], delta=1e-6 * whole + 1e-5)
            energy = sum(p["energy_j"] for p in look["processes"]) + sum(others[k] for k in ("ended_j", "gpu_j", "unattributed_j", "idle_j"))
            self.assertAlmostEqual(energy, look["energy_j"], delta=1e-5)
            self.assertEqual(look["place"]["zone"], "DE")
        mine = {p["pid"]: p for p in looks[1]["processes"]}[burner.pid]
        self.assertEqual(mine["parent"], os.getpid())
        self.assertIn("burn 1000", mine["command"])
        self.assertGreater(mine["cores"], 0)
        self.assertGreater(mine["energy_j"], 0)

    def test_into_a_pipe_it_is_a_plain_table(self):
        done = self.gramwatt("top", "-n", "1", "--interval", "1s", "--group", "flat", "--sort", "pid", check=0)
        self.assertNotIn("\x1b", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^machine [\d.]+ ")
        self.assertIn("idle: the machine at rest", done.stdout)
        self.assertRegex(done.stdout, r"gramwatt top -n 1")

    def test_what_is_asked_wrongly(self):
        for args, word in ((("--interval", "100ms"), "once a second"), (("--sort", "colour"), "no order"), (("--group", "x"), "no grouping"),
                           (("-n", "0"), "no number"), (("--json", "file"), "standard output")):
            done = self.gramwatt("top", *args)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
class Screen(support.EndToEnd):
    def setUp(self):
        super().setUp()
        self.socket = f"gramwatt-top-{os.getpid()}-{self.id().rsplit('.', 1)[1]}"
        env = dict(self.env, G=GRAMWATT, TERM="xterm")
        rc = self.write("bashrc", "PS1='ready> '\n")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", f"exec bash --rcfile {rc} -i", env=env)
        self.addCleanup(self.tmux, "kill-server")
        self.expect(r"^ready> ?$")

    def tmux(self, *args, env=None):
        return subprocess.run(["tmux", "-L", self.socket, *args], env=env or self.env, capture_output=True, text=True, timeout=30).stdout

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def keys(self, *names):
        self.tmux("send-keys", *names)

    def type(self, text):
        self.tmux("send-keys", "-l", text)
        self.keys("Enter")

    def expect(self, pattern, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            text = "\n".join(line.rstrip() for line in self.screen().splitlines())
            if re.search(pattern, text, re.M):
                return text
            if time.monotonic() > deadline:
                self.fail(f"no {pattern!r} on the screen:\n{text}")
            time.sleep(0.02)

    def start(self, options="", before="clear; echo before; "):
        self.type(before + f"$G top --interval 1s {options}; echo code $?")
        self.expect(r"^q quit")
        return self.expect(r"^machine [\d.]+ ")

    def ended(self, code):
        text = self.expect(rf"^code {code}")
        self.assertIn("before", text)  # the screen is the one that was there
        self.assertNotIn("PROCESS", text)
        self.type("echo; stty -a | grep -o -e '[-]*icanon' -e '[-]*echo '")
        self.expect(r"^icanon")
        self.assertNotIn("-icanon", self.screen())

    def test_q_gives_the_screen_back(self):
        text = self.start()
        self.assertRegex(text, r"(?m)^ +PID USER +CPU % +POWER +ENERGY  PROCESS")
        self.assertRegex(text, r"q quit")
        self.assertLessEqual(len(text.splitlines()), 24)
        self.keys("q")
        self.ended(0)

    def test_ctrl_c_and_sigterm_give_it_back_too(self):
        self.start()
        self.keys("C-c")
        self.ended(0)
        self.start()
        shell = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        pid = int(subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True).stdout)
        os.kill(pid, signal.SIGTERM)
        self.ended(0)

    def test_keys(self):
        self.start()
        self.keys("s")
        self.expect(r"s sort: energy")
        self.keys("s", "s")
        self.expect(r"s sort: pid")
        self.keys("t")
        self.expect(r"^ +PID USER .* CGROUP")
        self.keys("t")
        self.expect(r"t group: flat")
        self.keys("t", "?")
        self.expect(r"hold the picture")
        self.keys("x")
        self.expect(r"q quit +Enter")
        self.keys(" ")
        self.expect(r"paused")
        self.keys(" ")
        self.expect(r"every [\d.]+ s")
        self.keys("q")
        self.ended(0)

    def test_a_tree_opens_and_closes(self):
        self.start("--sort cpu")
        self.keys("Home", "Space")  # hold still: rows must not move while we count them
        self.expect(r"paused")
        self.keys("s", "s", "s", "End", "Home")
        closed = self.expect(r"▸")
        for _ in range(20):
            if re.search(r"▸", self.screen().splitlines()[self.marked_row()]):
                break
            self.keys("Down")
            time.sleep(0.1)
        self.keys("Right")
        self.expect(r"▾")
        self.keys("Left")
        deadline = time.monotonic() + 10
        while "▾" in self.screen():
            self.assertLess(time.monotonic(), deadline)
        self.assertIn("▸", closed)

    def marked_row(self):
        """The line that is shown in reverse, below the title."""
        for i, line in enumerate(self.screen("-e").splitlines()):
            if i > 0 and "\x1b[7m" in line:
                return i
        return 0

    def test_resizing_draws_anew(self):
        self.start()
        self.tmux("resize-window", "-x", "60", "-y", "15")
        self.expect(r"^ +PID +CPU % +POWER +ENERGY  PROCESS")
        self.assertLessEqual(max(map(len, self.screen().splitlines())), 60)
        self.tmux("resize-window", "-x", "120", "-y", "40")
        self.expect(r"^ +PID USER +CPU % +POWER +ENERGY  PROCESS")
        self.expect(r"^q quit.*\Z")
        self.tmux("resize-window", "-x", "20", "-y", "4")
        self.expect(r"^machine")
        self.tmux("resize-window", "-x", "80", "-y", "24")
        self.keys("q")
        self.expect(r"code 0")

    def test_ctrl_z_and_fg(self):
        self.start()
        self.keys("C-z")
        self.expect(r"Stopped")
        self.type("fg")
        self.expect(r"^machine [\d.]+ ")
        self.keys("q")
        self.expect(r"^ready> ?$")
        self.assertNotIn("PROCESS", self.screen())

    def test_no_color_has_no_colour(self):
        self.start(before="export NO_COLOR=1; clear; echo before; ")
        self.keys("Down")
        self.expect(r"^>")
        self.assertNotIn("\x1b[7m", self.screen("-e"))
        self.assertNotIn("\x1b[1m", self.screen("-e"))
        self.keys("q")
        self.ended(0)

    def test_a_dumb_terminal_gets_a_table(self):
        self.type("clear; TERM=dumb $G top -n 1 --interval 1s | head -4; echo code $?")
        self.expect(r"^machine [\d.]+ [\s\S]*^code 0")


if __name__ == "__main__":
    support.main()
