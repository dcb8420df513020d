"""Programs that mark their parts, below the real gramwatt run: examples/regions.c and .cpp, and some that do worse."""

import glob
import json
import os
import re
import subprocess
import time
import unittest

import support
from support import GRAMWATT, SANITIZED

C = os.environ["GRAMWATT_EXAMPLE_C"]
CPP = os.environ["GRAMWATT_EXAMPLE_CPP"]
LIBRARY = os.environ["GRAMWATT_LIBRARY"]
SOURCE = os.environ["GRAMWATT_SOURCE"]
BUILD = os.environ["GRAMWATT_BUILD"]


def by_name(record, what="regions"):
    return {r["name"]: r for r in record[what]}


class Marks(support.EndToEnd):
    def assert_nothing_left(self, run_id):
        self.assertEqual(glob.glob(f"/dev/shm/gramwatt-marks-*{run_id}*"), [])

    def check(self, region, run):
        """What holds for every region that has a figure."""
        energy = region["energy"]
        self.assertTrue(energy["low"] <= energy["value"] <= energy["high"])
        self.assertEqual((energy["unit"], energy["boundary"]), ("J", "node"))
        self.assertGreater(energy["value"], 0)
        self.assertLessEqual(energy["value"], run["energy"]["total"]["value"] + 1e-6)
        self.assertTrue(region["shortest_s"] <= region["mean_s"] <= region["longest_s"])

    def test_the_example_in_c(self):
        run = self.run_json("--", C)
        regions = by_name(run)
        epoch, load, step = regions["epoch"], regions["load"], regions["step"]
        self.assertEqual((epoch["count"], load["count"]), (3, 1))
        for r in epoch, load:
            self.check(r, run)
            self.assertIsNone(r["not_attributable"])
        # Of 10 ms nobody can tell: time, but no number.
        self.assertEqual((step["count"], step["energy"]), (0, None))
        self.assertEqual(step["not_attributable"]["count"], 150)
        self.assertIn("shorter than", step["not_attributable"]["why"])
        self.assertAlmostEqual(step["not_attributable"]["seconds"], epoch["seconds"], delta=0.1 * epoch["seconds"])
        # Together they are nearly the whole program.
        both = epoch["energy"]["value"] + load["energy"]["value"]
        self.assertLessEqual(both, run["energy"]["total"]["value"] + 1e-6)
        self.assertGreater(both, 0.8 * run["energy"]["total"]["value"])
        marks = by_name(run, "marks")["epochs"]
        self.assertEqual(marks["count"], 4)
        self.assertAlmostEqual(marks["energy"]["value"], epoch["energy"]["value"], delta=0.05 * epoch["energy"]["value"])
        self.assertEqual(run["gaps"], [])
        self.assert_nothing_left(run["id"])

    def test_the_example_in_cpp(self):
        run = self.run_json("--", CPP)
        regions = by_name(run)
        self.assertEqual(set(regions), {"main", "prepare", "request", "compute", "meanwhile"})
        for r in regions.values():
            self.assertEqual(r["count"], 1)
            self.check(r, run)
        e = {name: r["energy"]["value"] for name, r in regions.items()}
        self.assertGreaterEqual(e["main"] + 1e-6, e["prepare"] + e["request"])  # one after the other
        self.assertGreaterEqual(e["request"] + 1e-6, e["meanwhile"])  # one inside the other
        self.assertGreaterEqual(e["request"] + 1e-6, e["compute"])

    def test_they_just_run_without_gramwatt(self):
        for example in C, CPP:
            done = subprocess.run([example], env=self.env, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "not recorded 1\n", ""))

    def test_show_tells_them_again(self):
        self.gramwatt("run", "-q", "--", C, check=0)
        text = self.gramwatt("show", "last", "--explain", check=0).stdout
        self.assertRegex(text, r"(?m)^regions .* J .* %  epoch: 3 of ")
        self.assertRegex(text, r"no figure +step: 150 of ")
        self.assertRegex(text, r"(?m)^marks .* epochs: 4 in ")
        self.assertIn("region-edges", text)
        self.assertIn("region step  not attributable: 150 regions", text)
        shown = json.loads(self.gramwatt("show", "last", "--json", "-", check=0).stdout)
        self.assertEqual(by_name(shown)["epoch"]["count"], 3)

    def test_a_program_without_marks_has_empty_lists(self):
        run = self.run_json("--", "true")
        self.assertEqual((run["regions"], run["marks"]), ([], []))

    def test_a_nested_run_gets_its_own_programs_marks(self):
        outer = self.path("outer.json")
        inner = self.path("inner.json")
        self.gramwatt("run", "-q", "--json", outer, "--", GRAMWATT, "run", "-q", "--json", inner, "--", CPP, check=0)
        self.assertEqual(self.read_json("outer.json")["regions"], [])
        self.assertEqual(len(self.read_json("inner.json")["regions"]), 5)

    def test_a_killed_gramwatt_leaves_program_and_ledger_whole(self):
        out = self.path("out")
        with open(out, "w") as f:
            p = subprocess.Popen([GRAMWATT, "run", "-q", "--", "sh", "-c", f"echo $GRAMWATT_RUN_ID; exec {C}"], env=self.env, stdout=f)
            self.wait_for(lambda: len(self.read("out").split()) == 1)
            run_id = self.read("out").strip()
            self.wait_for(lambda: os.stat(f"/dev/shm/gramwatt-marks-1-{run_id}").st_blocks * 512 > 200_000)  # it marks
            self.wait_for(lambda: self.gramwatt("show", "last").returncode == 0)  # and is in the ledger
            p.kill()
            p.wait()
        self.wait_for(lambda: len(self.read("out").split()) == 3)
        self.assertEqual(self.read("out"), f"{run_id}\nrecorded 1\n")
        # The next command settles the run, and removes what it left in memory.
        self.gramwatt("show", "last", check=0)
        self.assert_nothing_left(run_id)

    def wait_for(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it never came")
            time.sleep(0.01)

    def test_a_program_that_cuts_the_file_hurts_nobody(self):
        script = "for f in /dev/shm/gramwatt-marks-1-$GRAMWATT_RUN_ID; do : > $f; done; sleep 0.3; exit 5"
        out = self.path("run.json")
        self.gramwatt("run", "-q", "--json", out, "--", "sh", "-c", script, check=5)
        self.assertEqual(self.read_json("run.json")["regions"], [])

    def test_a_limit_on_file_size_means_no_marks_not_a_death(self):
        done = subprocess.run(["sh", "-c", f"ulimit -f 1000; exec {GRAMWATT} run -q --no-ledger --json - -- {CPP}"], env=self.env, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        first, rest = done.stdout.split("\n", 1)
        self.assertEqual(first, "not recorded 1")
        self.assertIn("markers: the program could not have used any", " ".join(json.loads(rest)["notes"]))


@unittest.skipIf(SANITIZED, "sanitizers bring their own libraries")
class TheLibrary(support.EndToEnd):
    def test_it_exports_its_interface_only(self):
        symbols = subprocess.run(["objdump", "-T", LIBRARY], capture_output=True, text=True, check=True).stdout
        defined = {line.split()[-1] for line in symbols.splitlines() if " .text" in line or " .data" in line or " .bss" in line}
        self.assertEqual(defined, {"gramwatt_" + n for n in ("available", "name", "begin", "begin_id", "end", "mark", "mark_id")})
        with open(os.path.join(SOURCE, "include/gramwatt/gramwatt.h")) as f:
            header = f.read()
        self.assertEqual(defined, set(re.findall(r"GRAMWATT_API \w+ (gramwatt_\w+)\(", header)))

    def test_it_is_called_as_it_says_and_needs_libc_only(self):
        dynamic = subprocess.run(["objdump", "-p", LIBRARY], capture_output=True, text=True, check=True).stdout
        self.assertIn("libgramwatt.so.1", re.search(r"SONAME +(\S+)", dynamic).group(1))
        self.assertEqual(set(re.findall(r"NEEDED +(\S+)", dynamic)) - {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}, {"libc.so.6"})

    def test_installed_it_is_found_by_pkg_config_and_cmake(self):
        prefix = self.path("prefix")
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True)
        pc = glob.glob(prefix + "/lib*/**/gramwatt.pc", recursive=True)[0]
        env = dict(self.env, PKG_CONFIG_PATH=os.path.dirname(pc), LD_LIBRARY_PATH=os.path.dirname(os.path.dirname(pc)))
        self.write("project/CMakeLists.txt",
                   "cmake_minimum_required(VERSION 3.25)\nproject(user C CXX)\nset(CMAKE_CXX_STANDARD 17)\nfind_package(gramwatt REQUIRED)\n"
                   f"add_executable(user_c {SOURCE}/examples/regions.c)\ntarget_link_libraries(user_c gramwatt::gramwatt)\n"
                   f"add_executable(user_cpp {SOURCE}/examples/regions.cpp)\ntarget_link_libraries(user_cpp gramwatt::static)\n")
        for command in (["cmake", "-S", self.path("project"), "-B", self.path("build"), f"-DCMAKE_PREFIX_PATH={prefix}"], ["cmake", "--build", self.path("build")]):
            done = subprocess.run(command, env=self.env, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for program in "user_c", "user_cpp":
            done = subprocess.run([self.path("build", program)], env=env, capture_output=True, text=True)
            self.assertEqual(done.stdout, "not recorded 1\n", done.stderr)
        try:
            flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gramwatt"], env=env, capture_output=True, text=True, check=True).stdout.split()
        except FileNotFoundError:
            self.skipTest("no pkg-config here")
        subprocess.run(["cc", os.path.join(SOURCE, "examples/regions.c"), *flags, "-o", self.path("a.out")], check=True)
        self.assertEqual(subprocess.run([self.path("a.out")], env=env, capture_output=True, text=True).stdout, "not recorded 1\n")


if __name__ == "__main__":
    support.main()
