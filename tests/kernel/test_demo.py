# SPDX-License-Identifier: GPL-2.0-only
"""nsview demo: what it says is what /proc says, and it leaves nothing behind."""

import contextlib
import fcntl
import os
import pathlib
import re
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from nsview import NSVIEW, SECONDS, requires_outside, requires_root, run, wait_until

PAGE = os.sysconf("SC_PAGE_SIZE")
MARGIN = 100  # less than any scene, more than pids differ in length
STATE = pathlib.Path("/run/nsview")
FIRST = ("plain", "u1000", "default", "macadmin", "nocaps")
NAMES = (*FIRST, "netadmin", "nokill", "priv", "userns")
FILES = [f"{name}.json" for name in NAMES]
ROW = re.compile(r"^   (?P<container>\S+) +(?P<user>\S+) +(?P<pid>\d+) +(?P<in_user>\S+) +(?P<in_pid>\d+|-) "
                 r"+(?P<caps>\S.*?) +(?P<command>\S+ (?:60|demo))$", re.MULTILINE)


def field(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace")
    return re.search(rf"^{key}:\s+(.*)$", text, re.MULTILINE)[1].split()


def state_files():
    return sorted(path.name for path in STATE.iterdir()) if STATE.exists() else []


def sleeps_of_demos():
    """Pids of `sleep 60` in pid namespaces other than ours."""
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if (name.isdigit() and pathlib.Path(f"/proc/{name}/cmdline").read_bytes() == b"sleep\x0060\x00"
                    and os.readlink(f"/proc/{name}/ns/pid") != os.readlink("/proc/self/ns/pid")):
                found.append(int(name))
    return found


class Paused:
    """A demo that waits with its containers before it can write this title: a pipe of one page is
    filled so far that just the scenes before still fit, and the kernel takes a write of less than a
    page as a whole or not at all."""

    def __init__(self, title):
        before = len(run("demo").stdout.encode().partition(title.encode())[0])
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PAGE)
        filled = PAGE - before - MARGIN
        os.write(writer, b"-" * filled)
        self.process = subprocess.Popen([NSVIEW, "demo"], stdout=writer, stderr=subprocess.PIPE, text=True)
        os.close(writer)
        try:
            wait_until(lambda: self.readable() > PAGE - 2 * MARGIN)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        # All but one byte: only an empty page gives the writer room.
        self.text = os.read(self.reader, self.readable() - 1)[filled:].decode()

    def readable(self):
        return struct.unpack("i", fcntl.ioctl(self.reader, termios.FIONREAD, bytes(4)))[0]

    def rest(self):
        pieces = []
        while piece := os.read(self.reader, 65536):
            pieces.append(piece)
        return b"".join(pieces).decode()

    def close(self):
        os.close(self.reader)
        self.process.stderr.close()


@requires_root
class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.done = run("demo", check=None)

    def scene(self, title):
        """The text between this title and the next."""
        match = re.search(rf"^\d+\. {re.escape(title)}\n(.*?)(?=^\d+\. |\Z)", self.done.stdout,
                          re.MULTILINE | re.DOTALL)
        self.assertIsNotNone(match, f"no scene {title!r} in {self.done.stdout}")
        return match[1]

    def rows(self, title):
        return {match["container"]: match.groupdict() for match in ROW.finditer(self.scene(title))}

    def test_it_succeeds_and_says_nothing_on_stderr(self):
        self.assertEqual((self.done.returncode, self.done.stderr), (0, ""))

    def test_lines_fit_80_columns_and_are_indented(self):
        for line in self.done.stdout.splitlines():
            self.assertRegex(line, r"\A(|\d+\. .*|   .*)\Z")
            if "nsview demo" not in line:  # its own row, with whatever path it has
                self.assertLessEqual(len(line), 80)

    def test_the_scenes_are_numbered(self):
        numbers = [int(number) for number in re.findall(r"^(\d+)\. ", self.done.stdout, re.MULTILINE)]
        self.assertEqual(numbers, list(range(1, 17)))

    def test_one_kernel(self):
        release = os.uname().release
        self.assertIn(f"$ uname -r\n   {release}\n   $ nsview run uname -r\n   {release}\n", self.scene("One kernel"))

    def test_another_pid_inside(self):
        row = self.rows("One process, two pids")["plain"]
        self.assertEqual((row["in_pid"], row["in_user"], row["user"], row["caps"]), ("1", "root", "root", "docker-default"))
        self.assertIn(f"knows this sleep as pid {row['pid']}.", self.scene("One process, two pids"))

    def test_the_other_user(self):
        row = self.rows("Another user")["u1000"]
        name = subprocess.run(["id", "-nu", "1000"], capture_output=True, text=True, check=False).stdout.strip()
        self.assertEqual((row["user"], row["caps"]), (name or "1000", "none"))
        self.assertIn(name or "has no name for it", self.scene("Another user"))

    @requires_outside
    def test_roots_default_set_beside_the_hosts(self):
        rows = self.rows("Root, but not all of it")
        self.assertEqual(rows["default"]["caps"], "docker-default")
        # Beside it the demo itself: on the host, or in whatever the tests themselves run in.
        beside = next(row for name, row in rows.items() if name != "default")
        self.assertRegex(beside["caps"], r"\Afull")
        total = int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1
        self.assertIn(f"14 of the host's {total} capabilities", " ".join(self.scene("Root, but not all of it").split()))

    def test_added_and_dropped(self):
        self.assertEqual(self.rows("A capability added")["macadmin"]["caps"], "docker-default +MAC_ADMIN")
        self.assertEqual(self.rows("All capabilities dropped")["nocaps"]["caps"], "none")

    def test_another_capability_and_one_less(self):
        self.assertEqual(self.rows("Master of a network")["netadmin"]["caps"], "docker-default +NET_ADMIN")
        self.assertEqual(self.rows("A capability less")["nokill"]["caps"], "docker-default -KILL")

    def test_privileged_and_a_user_namespace(self):
        self.assertRegex(self.rows("Privileged")["priv"]["caps"], r"\Afull")
        row = self.rows("Users of its own")["userns"]
        self.assertEqual((row["in_user"], row["caps"]), ("root", "docker-default in userns"))
        self.assertNotEqual(row["user"], "root")

    def test_what_root_tried_the_kernel_refused(self):
        scene = self.scene("What that root cannot do")
        pid = self.rows("One process, two pids")["plain"]["pid"]
        self.assertIn(f"$ nsview run kill {pid}\n", scene)
        self.assertIn("No such process", scene)
        self.assertIn("permission denied", scene)
        self.assertNotIn("exit status 0", scene)
        self.assertIn("   elsewhere\n   (exit status 0)\n", self.scene("Root again, with the capability"))
        self.assertNotEqual(os.uname().nodename, "elsewhere")

    def test_port_80_is_for_root_alone(self):
        scene = self.scene("Only what is needed: port 80")
        self.assertRegex(scene, r"bound\n   \(exit status 0\)\n[^\n]*--user 1000[^\n]*\n   port 80: Permission denied\n")

    def test_the_limits_hold(self):
        """How much a loop gets is not asserted: on a busy machine it is less than its half."""
        share = re.search(r"in one second: (\d+) % of one CPU", self.scene("Half a CPU"))
        self.assertLessEqual(int(share[1]), 55)
        self.assertIn("exit status 137: signal 9, out of memory", self.scene("64 MiB of memory"))

    def test_the_last_scene_has_them_all(self):
        self.assertEqual(tuple(self.rows("All of them, side by side")), NAMES)

    def test_nothing_is_left(self):
        self.assertEqual([name for name in state_files() if name in FILES], [])
        self.assertEqual(sleeps_of_demos(), [])

    def test_a_word_is_a_usage_error(self):
        self.assertIn("fast", run("demo", "fast", check=2).stderr)


@requires_root
class Rows(unittest.TestCase):
    def test_what_it_says_is_what_proc_says(self):
        """Each row against /proc while its process lives: the demo waits for its reader."""
        demo = Paused("7. ")
        try:
            rows = {match["container"]: match.groupdict() for match in ROW.finditer(demo.text)}
            self.assertLessEqual(set(FIRST), set(rows))
            effective = {"plain": 0xa80425fb, "u1000": 0, "default": 0xa80425fb,
                         "macadmin": 0x2a80425fb, "nocaps": 0}
            for name in FIRST:
                with self.subTest(container=name):
                    pid = int(rows[name]["pid"])
                    self.assertEqual(field(pid, "NSpid")[-1], rows[name]["in_pid"])
                    self.assertEqual(int(field(pid, "CapEff")[0], 16), effective[name])
                    self.assertEqual(field(pid, "Uid"), ["1000" if name == "u1000" else "0"] * 4)
        finally:
            demo.process.kill()
            demo.process.wait()
            demo.close()
            wait_until(lambda: not sleeps_of_demos() and
                       not [name for name in state_files() if name in FILES])


@requires_root
class Interrupted(unittest.TestCase):
    def assert_nothing_left(self):
        wait_until(lambda: not sleeps_of_demos())
        wait_until(lambda: not [name for name in state_files() if name in FILES])

    def test_at_random_moments(self):
        for moment in range(24):
            number = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[moment % 3]
            with self.subTest(moment=moment, signal=number):
                process = subprocess.Popen([NSVIEW, "demo"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                time.sleep(moment * 0.01)
                process.send_signal(number)
                self.assertIn(process.wait(timeout=10), (-number, 0))
                self.assertEqual(process.stderr.read(), "")
                process.stderr.close()
                self.assert_nothing_left()

    def test_between_two_scenes(self):
        demo = Paused("3. ")
        try:
            demo.process.send_signal(signal.SIGINT)
            self.assertNotIn("All of them", demo.rest())
            self.assertEqual(demo.process.wait(timeout=10), -signal.SIGINT)
        finally:
            demo.close()
        self.assert_nothing_left()

    def test_when_its_reader_has_gone(self):
        demo = Paused("2. ")
        demo.close()
        self.assertIn(demo.process.wait(timeout=10), (0, -signal.SIGPIPE))
        self.assert_nothing_left()


@requires_root
class Refused(unittest.TestCase):
    def test_a_capability_that_the_host_lacks_skips_its_scene_only(self):
        done = run("demo", command=["setpriv", "--bounding-set", "-mac_admin"], check=0)
        self.assertIn("nsview itself was not given MAC_ADMIN", " ".join(done.stdout.split()))
        self.assertIn("nocaps", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_without_root_it_says_so(self):
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            program = pathlib.Path(directory, "nsview")
            program.write_bytes(pathlib.Path(NSVIEW).read_bytes())
            program.chmod(0o755)
            done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", program, "demo"],
                                  capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertRegex(done.stderr, r"\Ansview: [^\n]*root[^\n]*doctor[^\n]*\n\Z")

    def test_a_name_in_use_is_said(self):
        with subprocess.Popen([NSVIEW, "run", "--name", "u1000", "sleep", "61"]) as process:
            try:
                wait_until(lambda: (STATE / "u1000.json").exists())
                done = run("demo", check=1)
            finally:
                process.terminate()
        self.assertIn("u1000", done.stderr)


if __name__ == "__main__":
    unittest.main()
