"""The binary runs wherever glibc 2.34 is, and needs nothing else."""

import re
import subprocess
import unittest

import support
from support import GRAMWATT, SANITIZED

GLIBC = {"linux-vdso.so.1", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


@unittest.skipIf(SANITIZED, "sanitizers bring their own libraries")
class PortableBinary(unittest.TestCase):
    def test_it_needs_glibc_only(self):
        listed = subprocess.run(["ldd", GRAMWATT], capture_output=True, text=True, check=True).stdout
        needed = {line.split()[0].rsplit("/", 1)[-1] for line in listed.splitlines()}
        self.assertTrue(needed <= GLIBC, needed - GLIBC)

    def test_its_newest_symbol_is_of_glibc_2_34_or_older(self):
        symbols = subprocess.run(["objdump", "-T", GRAMWATT], capture_output=True, text=True, check=True).stdout
        versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([\d.]+)", symbols)}
        self.assertTrue(versions)
        newest = max(versions)
        culprits = [line for line in symbols.splitlines() if "GLIBC_" + ".".join(map(str, newest)) in line]
        self.assertLessEqual(newest, (2, 34), culprits)


if __name__ == "__main__":
    support.main()
