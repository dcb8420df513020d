"""What the end-to-end tests share: the binary under test in a home of its own."""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

GRAMWATT = os.environ["GRAMWATT_BINARY"]
BURN = os.environ["GRAMWATT_BURN"]
SANITIZED = os.environ.get("GRAMWATT_SANITIZED", "") != ""


class EndToEnd(unittest.TestCase):
    """Each test has its own home, ledger and configuration, and no network."""

    maxDiff = None

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="gramwatt-e2e-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("GRAMWATT_", "XDG_"))}
        self.env.update(HOME=self.home, GRAMWATT_NO_NETWORK="1", LC_ALL="C.UTF-8")
        self.env.pop("CUDA_VISIBLE_DEVICES", None)

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def gramwatt(self, *args, check=None, **kwargs):
        """Runs gramwatt; `check`: the exit code that is expected."""
        kwargs.setdefault("env", self.env)
        kwargs.setdefault("timeout", 120)
        done = subprocess.run([GRAMWATT, *map(str, args)], capture_output=True, text=True, **kwargs)
        if check is not None:
            self.assertEqual(done.returncode, check, done.stdout + done.stderr)
        return done

    def as_plain_user(self, *args, env=None, file_capabilities=()):
        """The same as a user who owns nothing; a copy of the binary, because the checkout may be in root's own folder.
        `file_capabilities`: their numbers, permitted to that copy as by `setcap cap_…=p`."""
        if os.geteuid() != 0:
            self.skipTest("needs root to become a plain user")
        folder = tempfile.mkdtemp(prefix="gramwatt-e2e-bin-")
        self.addCleanup(shutil.rmtree, folder, True)
        os.chmod(folder, 0o755)
        binary = shutil.copy(GRAMWATT, folder)
        if file_capabilities:
            # struct vfs_cap_data of linux/capability.h, revision 2, no effective bit: permitted and inheritable, low and high words.
            words = [0, 0]
            for number in file_capabilities:
                words[number // 32] |= 1 << number % 32
            try:
                os.setxattr(binary, "security.capability", struct.pack("<IIIII", 0x02000000, words[0], 0, words[1], 0))
            except OSError as e:
                self.skipTest(f"cannot give a file a capability here: {e}")
        return subprocess.run([binary, *args], env=env or self.env, capture_output=True, text=True, user=65534, group=65534, extra_groups=[], cwd="/",
                              timeout=60)

    def run_json(self, *args, check=0, **kwargs):
        """`gramwatt run --json FILE ARGS`: the record."""
        out = self.path("run.json")
        self.gramwatt("run", "-q", "--json", out, *args, check=check, **kwargs)
        return self.read_json(out)

    def read(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def read_json(self, name):
        return json.loads(self.read(name))

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return path


def main():
    unittest.main(verbosity=2, argv=[sys.argv[0], *sys.argv[1:]])
