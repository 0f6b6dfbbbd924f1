# SPDX-License-Identifier: GPL-2.0-only
"""The Makefile and the set-up script keep their promises. Works in a copy of the tree."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from lint.tree import Tree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(command, where, **environment):
    inherited = {name: value for name, value in os.environ.items() if name not in ("BUILD", "NSVIEW")}
    return subprocess.run(command, cwd=where, env={**inherited, **environment}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def copy_tree(where):
    tree = Tree(ROOT)
    for name in tree.files:
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, where / name)
    return set(tree.files)


class Build(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="nsview-build-"))
        cls.addClassCleanup(shutil.rmtree, cls.root)
        cls.files = copy_tree(cls.root)
        cls.make("all", "tests")

    @classmethod
    def make(cls, *words):
        done = run(["make", "-j2", *words], cls.root)
        if done.returncode:
            raise AssertionError(f"make {' '.join(words)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout

    def test_everything_built_lies_in_build(self):
        strangers = [name for name in Tree(self.root).files if name not in self.files]
        self.assertEqual(strangers, [])

    def test_a_second_make_does_nothing(self):
        self.make("all", "tests")
        said = self.make("all", "tests")
        self.assertEqual([line for line in said.splitlines() if not line.startswith("make: ")], [])

    def touch_and_make(self, name):
        time.sleep(0.01)
        (self.root / name).touch()
        return self.make("all")

    def test_a_changed_header_rebuilds_what_includes_it(self):
        said = self.touch_and_make("user/base/text.h")
        self.assertIn("user/base/text.o", said)
        self.assertNotIn("bpf/tasks.bpf.o", said)

    def test_a_changed_wire_rebuilds_both_sides(self):
        said = self.touch_and_make("bpf/event.h")
        self.assertIn("bpf/tasks.bpf.o", said)
        self.assertIn("user/wire/record.o", said)

    def test_gcc_and_clang_have_nothing_to_say(self):
        for compiler in ("gcc", "clang"):
            with self.subTest(compiler=compiler):
                said = self.make(f"CC={compiler}", f"BUILD=build/{compiler}", "all", "tests")
                self.assertNotRegex(said, r"(?i)\bwarning\b")

    def test_the_object_builds_for_arm64(self):
        self.make("ARCH=aarch64", "BUILD=build/arm64", "build/arm64/nsview.bpf.o")

    def test_install_goes_below_destdir(self):
        self.make("install", f"DESTDIR={self.root}/build/stage", "PREFIX=/usr")
        self.assertTrue(os.access(self.root / "build/stage/usr/bin/nsview", os.X_OK))

    def test_help_names_every_public_target(self):
        said = self.make("help")
        for target in ("all", "demo", "check", "bench", "asan", "lint", "format",
                       "compile_commands.json", "install", "help", "clean"):
            self.assertRegex(said, rf"(?m)^  {target} ")


class SetUp(unittest.TestCase):
    """A machine with nothing but a shell and, perhaps, a package manager that only says its name."""

    def setUp(self):
        self.bin = pathlib.Path(tempfile.mkdtemp(prefix="nsview-setup-"))
        self.addCleanup(shutil.rmtree, self.bin)

    def tool(self, name, text=""):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def setup(self, *words):
        return run(["/bin/sh", "tests/setup.sh", *words], ROOT, PATH=str(self.bin), CC="no-such-cc")

    def test_each_package_manager_gets_its_own_names(self):
        for manager, command in (("dnf", "dnf install gcc"), ("pacman", "pacman -S --needed gcc"),
                                 ("apk", "apk add gcc")):
            with self.subTest(manager=manager):
                self.tool(manager)
                done = self.setup("install", "build")
                self.assertEqual(done.returncode, 3, done.stdout)
                self.assertIn(f"As root: {command}", done.stdout)
                self.assertIn("the C compiler", done.stdout)
                (self.bin / manager).unlink()

    def test_without_a_package_manager_all_are_named(self):
        done = self.setup("install", "test")
        self.assertEqual(done.returncode, 3, done.stdout)
        for command in ("apt-get install", "dnf install", "pacman -S", "apk add"):
            self.assertIn(command, done.stdout)

    @unittest.skipUnless(os.path.exists("/etc/debian_version"), "apt-get is used on Debian and its kin")
    def test_what_is_installed_is_said_first(self):
        self.tool("id", "echo 0")
        self.tool("env", 'echo "ran: $*"; exit 1')
        self.tool("apt-get")
        done = self.setup("install", "build")
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertLess(done.stdout.index("this machine lacks"), done.stdout.index("ran: "))
        self.assertRegex(done.stdout, r"ran: .*apt-get .* install --no-install-recommends gcc clang")

    @unittest.skipUnless(os.path.exists("/etc/debian_version"), "apt-get is used on Debian and its kin")
    def test_what_was_not_installed_is_not_claimed(self):
        self.tool("id", "echo 0")
        self.tool("env")
        self.tool("apt-get")
        done = self.setup("install", "build")
        self.assertEqual(done.returncode, 3, done.stdout)

    @unittest.skipUnless(os.path.exists("/etc/debian_version"), "apt-get is used on Debian and its kin")
    def test_others_than_root_go_through_sudo(self):
        self.tool("id", "echo 1000")
        self.tool("apt-get", "exit 9")
        done = self.setup("install", "build")
        self.assertEqual(done.returncode, 3)
        self.assertNotIn("Installing", done.stdout)
        self.tool("sudo", 'echo "sudo: $*"; exit 1')
        self.assertIn("sudo: apt-get", self.setup("install", "build").stdout)

    def test_check_installs_nothing(self):
        self.tool("apt-get", "echo RAN")
        done = self.setup("check", "build")
        self.assertEqual(done.returncode, 3)
        self.assertNotIn("RAN", done.stdout)

    def test_nothing_missing_is_silence(self):
        done = run(["/bin/sh", "tests/setup.sh", "install", "test"], ROOT)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


class MissingTools(unittest.TestCase):
    def test_plain_make_names_what_is_missing_and_compiles_nothing(self):
        with tempfile.TemporaryDirectory(prefix="nsview-bare-") as where:
            root, tools = pathlib.Path(where) / "tree", pathlib.Path(where) / "bin"
            root.mkdir()
            tools.mkdir()
            copy_tree(root)
            for name in ("sh", "make", "uname", "mkdir", "touch", "cmp", "mv", "rm", "sed", "id"):
                (tools / name).symlink_to(shutil.which(name))
            done = run(["make"], root, PATH=str(tools))
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn("To build nsview, this machine lacks:", done.stdout)
            self.assertNotIn("not found", done.stdout)
