"""The shipped tables are, byte for byte, what the tools make of the raw data. Skipped where the raw data are not at hand."""

import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RAW = os.path.join(os.path.dirname(REPOSITORY), "shared", "data")
MADE = {
    "build_power_tables.py": ["data/power_constants.csv", "data/power_effects.csv", "data/power_servers.csv", "data/power_shapes.csv", "data/cpu_tdp.csv",
                              "tests/sense/power_model_expected.csv"],
    "build_place_tables.py": ["data/zone_intensity.csv", "data/zone_marginal.csv", "data/country_marginal_ifi_2021_cc_by_sa.csv", "data/cloud_regions.csv"],
    "build_cloud_hosts.py": ["data/cloud_hosts.csv"],
    "build_grid_tables.py": ["data/grid_profiles.csv", "data/grid_marginal_profiles.csv", "data/grid_hourly_index.csv", "data/grid_hourly.bin"],
}


@unittest.skipUnless(os.path.isdir(RAW), "the raw data are not beside this checkout")
class Tables(unittest.TestCase):
    def test_are_what_the_tools_make(self):
        with tempfile.TemporaryDirectory(prefix="gramwatt-tables-") as copy:
            shutil.copytree(os.path.join(REPOSITORY, "tools"), os.path.join(copy, "tools"), ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copytree(os.path.join(REPOSITORY, "data"), os.path.join(copy, "data"))
            os.makedirs(os.path.join(copy, "tests/sense"))
            for tool, tables in MADE.items():
                for table in tables:
                    if os.path.exists(os.path.join(copy, table)):
                        os.remove(os.path.join(copy, table))
                subprocess.run([sys.executable, os.path.join(copy, "tools", tool), RAW], check=True, stdout=subprocess.DEVNULL)
                for table in tables:
                    same = filecmp.cmp(os.path.join(REPOSITORY, table), os.path.join(copy, table), shallow=False)
                    self.assertTrue(same, f"{table} is not what tools/{tool} makes; run it and commit the result")


class Factors(unittest.TestCase):
    def test_of_parts_of_countries_are_those_of_the_program(self):
        sys.dont_write_bytecode = True
        sys.path.insert(0, os.path.join(REPOSITORY, "tools"))
        import part_mixes

        with open(os.path.join(REPOSITORY, "src/grid/fuel_mix.cpp")) as f:
            program = {fuel: float(g) for fuel, g in re.findall(r"\{Fuel::(\w+), \d+, (\d+), \d+, \d+\}", f.read())}
        self.assertEqual(part_mixes.LIFECYCLE, {fuel: program[fuel] for fuel in part_mixes.LIFECYCLE})


if __name__ == "__main__":
    unittest.main()
