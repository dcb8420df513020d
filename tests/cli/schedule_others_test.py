"""gramwatt run --within where others have a say: forecasts that change while a job waits, and people at its terminal."""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import unittest

import scheduled
from scheduled import SLOT, Scheduled

PYTHON = "/usr/bin/python3"


class Replanned(Scheduled):
    """A provider whose forecast is a script."""

    def serve(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                times = [outer.first + i * SLOT for i in range(len(outer.series))]
                now = time.time()
                body = json.dumps({"unix_seconds": times, "co2eq": [v if t <= now else None for t, v in zip(times, outer.series)],
                                   "co2eq_forecast": [v if t > now else None for t, v in zip(times, outer.series)], "deprecated": False}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.asked = 0
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        self.env.pop("GRAMWATT_NO_NETWORK")
        self.env["GRAMWATT_ENERGYCHARTS_URL"] = f"http://127.0.0.1:{server.server_port}"
        self.gramwatt("config", "set", "grid-providers", "energycharts", check=0)

    def script(self, slots, base=None):
        self.first = (base or (int(time.time()) // SLOT + 2) * SLOT) - 10 * SLOT
        self.series = [scheduled.INTENSITY[c] for c in "d" * 10 + slots + "d" * (60 - len(slots))]
        return self.first + 10 * SLOT

    def test_a_new_forecast_moves_the_start(self):
        self.env["GRAMWATT_REPLAN"] = "1s"
        self.serve()
        base = self.script("d" * 12 + "cccc")
        self.job(command=[PYTHON, self.heart, self.path("beats"), "2"], duration="2s")
        row = self.await_event("waits")
        self.assert_near(scheduled.seconds_of(row["until"]) if row["runs"] == [] else scheduled.seconds_of(row["runs"][0]["start"]), base + 12 * SLOT, "plan", 0)
        self.script("d" * 6 + "cccc", base)
        self.await_(self.beats, "a beat")
        self.assert_near(self.beats()[0], base + 6 * SLOT, "start")

    def test_a_provider_that_goes_away_leaves_the_plan(self):
        self.env["GRAMWATT_REPLAN"] = "1s"
        self.serve()
        base = self.script("d" * 6 + "cccc")
        self.job(command=[PYTHON, self.heart, self.path("beats"), "2"], duration="2s")
        self.await_event("waits")
        self.series = []
        self.await_(self.beats, "a beat")
        self.assert_near(self.beats()[0], base + 6 * SLOT, "start")

    def test_a_provider_that_refuses_is_not_waited_for(self):
        self.env.pop("GRAMWATT_NO_NETWORK")
        self.env["GRAMWATT_ENERGYCHARTS_URL"] = "http://127.0.0.1:9"
        self.gramwatt("config", "set", "grid-providers", "energycharts", check=0)
        self.job(command=["true"]).end(0)
        self.assertLess(self.read_json("run.json")["waited_s"], 10)


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
class Terminal(Scheduled):
    def setUp(self):
        super().setUp()
        self.socket = f"gramwatt-{os.getpid()}-{self.id().rsplit('.', 1)[1]}"
        rc = self.write("bashrc", "PS1='ready> '\n")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "160", "-y", "40", f"exec bash --rcfile {rc} -i", env=dict(self.env, TERM="xterm"))
        self.addCleanup(self.tmux, "kill-server")
        self.expect(r"^ready> ?$")

    def tmux(self, *args, env=None):
        return subprocess.run(["tmux", "-L", self.socket, *args], env=env or self.env, capture_output=True, text=True, timeout=30).stdout

    def type(self, text):
        self.tmux("send-keys", "-l", text)
        self.tmux("send-keys", "Enter")

    def expect(self, pattern, seconds=30):
        def there():
            self.shown = "\n".join(line.rstrip() for line in self.tmux("capture-pane", "-p", "-J").splitlines())
            return re.search(pattern, self.shown, re.M)
        try:
            self.await_(there, pattern, seconds)
        except AssertionError:
            self.fail(f"no {pattern!r} on the screen:\n{self.shown}\n{self.story()}")

    def start(self, slots, *options, command):
        base = self.grid(slots)
        words = [f"'{w}'" if w and re.search(r"[^\w/.=:-]", w) else w for w in self.words("-q", *options, command=command)]
        self.type(" ".join(words) + "; echo code $?")
        return base

    def test_ctrl_c_while_it_waits(self):
        self.start("d" * 15 + "cccc", command=["touch", self.path("ran")])
        self.await_event("waits")
        self.tmux("send-keys", "C-c")
        self.expect(r"\nready> ?$")
        self.type("echo again $?")
        self.expect(r"^again 130")
        self.assertFalse(os.path.exists(self.path("ran")))

    def test_ctrl_c_while_it_is_held(self):
        self.start("dbbwwwwwwwwwwcccc", "--pausable", command=["bash", "-c", "trap \"echo trapped; exit 9\" INT; while :; do sleep 0.1; done"])
        self.await_state("held")
        self.tmux("send-keys", "C-c")
        self.expect(r"^(\^C)?trapped")
        self.expect(r"^code 9")

    def stop_and_continue(self, way):
        self.start("dbbwwwwwwwwwwcccccc", "--pausable", "--pause-with", way, command=[PYTHON, self.heart, self.path("beats"), "6"])
        self.await_(lambda: {"held", "cannot be held", "ended"} & set(self.events()), "a hold")
        if "held" not in self.events():
            self.skipTest(f"cannot be held by {way} here")
        n = len(self.beats())
        self.tmux("send-keys", "C-z")
        self.expect(r"Stopped")
        self.type("fg")
        self.await_(lambda: self.events().count("held") == 2, "a second hold")
        self.assertLess(len(self.beats()), n + 30)
        self.expect(r"^ready> ?$|^code", 60)
        self.await_state("ended")

    def test_ctrl_z_and_fg_while_frozen(self):
        self.stop_and_continue("freeze")

    def test_ctrl_z_and_fg_while_traced(self):
        self.stop_and_continue("trace")

    def test_ctrl_z_and_fg_while_stopped(self):
        self.stop_and_continue("stop")

    def test_ctrl_z_and_fg_while_it_waits(self):
        base = self.start("d" * 8 + "ccccccc", command=[PYTHON, self.heart, self.path("beats"), "2"])
        self.await_event("waits")
        self.tmux("send-keys", "C-z")
        self.expect(r"Stopped")
        self.type("fg")
        self.await_(self.beats, "a beat")
        self.assert_near(self.beats()[0], base + 8 * SLOT, "start")


if __name__ == "__main__":
    scheduled.main(sys.modules[__name__])
