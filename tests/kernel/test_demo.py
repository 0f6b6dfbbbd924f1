# SPDX-License-Identifier: GPL-2.0-only
"""nsview demo: what it says is what /proc says, and it leaves nothing behind."""

import contextlib
import fcntl
import functools
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from nsview import NSVIEW, SECONDS, pids_where, requires_outside, requires_root, run, wait_until, without_libarchive
from test_run_lifecycle import cgroups, is_empty

PAGE = os.sysconf("SC_PAGE_SIZE")
MARGIN = 100  # less than any scene, more than pids differ in length
STATE = pathlib.Path("/run/nsview")
FIRST = ("plain", "u1000", "image", "default", "macadmin", "nocaps")
NAMES = (*FIRST, "netadmin", "nokill", "priv", "userns")
SCENES = 20
FILES = [f"{name}.json" for name in NAMES]
ROW = re.compile(r"^   (?P<container>\S+) +(?P<user>\S+) +(?P<pid>\d+) +(?P<in_user>\S+) +(?P<in_pid>\d+|-) "
                 r"+(?P<caps>[a-z]\S*(?: \S+)*?) +(?P<command>\S+ (?:60|demo))$", re.MULTILINE)
JOINED = re.compile(r"^   plain +root +(?P<pid>\d+) +(?P<ppid>\d+) +(?P<in_pid>\d+) +(?P<in_ppid>\d+) +docker-default +"
                    r"sleep 60$", re.MULTILINE)


def field(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace")
    return re.search(rf"^{key}:\s+(.*)$", text, re.MULTILINE)[1].split()


def scene_of(text, title):
    """The lines between this title and the next."""
    match = re.search(rf"^\d+\. {re.escape(title)}\n(.*?)(?=^\d+\. |\Z)", text, re.MULTILINE | re.DOTALL)
    return match and match[1]


def words(text):
    """In one line, as it was before it was broken into lines."""
    return " ".join(text.split())


def state_files():
    return sorted(path.name for path in STATE.iterdir()) if STATE.exists() else []


def sleeps_of_demos():
    """Pids of `sleep 60` in pid namespaces other than ours."""
    found = []
    for pid in pids_where(b"sleep\x0060\x00".__eq__):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid"):
                found.append(pid)
    return found


def folders():
    """What a demo makes for a volume, and nobody else does."""
    found = set()
    for entry in os.scandir("/tmp"):
        with contextlib.suppress(FileNotFoundError):
            if re.fullmatch("nsview-[A-Za-z0-9]{6}", entry.name) and entry.stat().st_mode & 0o777 == 0o711:
                found.add(entry.name)
    return found


@functools.cache
def whole():
    """A demo that nobody disturbs, once: it takes seconds."""
    return run("demo", check=None)


def wait_until_nothing_is_left():
    wait_until(lambda: not sleeps_of_demos())
    wait_until(lambda: not [name for name in state_files() if name in FILES])


class Paused:
    """A demo that waits with its containers before it can write this title: a pipe of one page is
    filled so far that just the scenes before still fit, and the kernel takes a write of less than a
    page as a whole or not at all."""

    def __init__(self, title):
        text = (run("demo") if whole().returncode else whole()).stdout  # Failed says why
        # At the start of a line: a sentence may end with a pid.
        before = len(text[:re.search(rf"^{re.escape(title)}", text, re.MULTILINE).start()].encode())
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
        cls.done = whole()

    def scene(self, title):
        found = scene_of(self.done.stdout, title)
        self.assertIsNotNone(found, f"no scene {title!r} in {self.done.stdout}")
        return found

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
        self.assertEqual(numbers, list(range(1, SCENES + 1)))

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
        self.assertIn(name or "who has no name here", self.scene("Another user"))

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

    def test_a_second_process_has_no_parent_inside(self):
        scene = self.scene("A second process joins")
        first, joined = (match.groupdict() for match in JOINED.finditer(scene))
        self.assertEqual((first["in_pid"], joined["in_ppid"]), ("1", "0"))
        self.assertNotIn(joined["in_pid"], ("0", "1"))
        self.assertIn(f"The newcomer is pid {joined['in_pid']} inside. Its parent is pid {joined['ppid']} on the host",
                      words(scene))

    def test_the_images_own_user(self):
        row = self.rows("The image's own user")["image"]
        name = subprocess.run(["id", "-nu", "4711"], capture_output=True, text=True, check=False).stdout.strip()
        self.assertEqual((row["in_user"], row["user"], row["caps"]), ("web", name or "4711", "none"))
        self.assertIn("the image itself says web, its own /etc/passwd makes that 4711", words(self.scene("The image's own user")))

    def test_a_file_from_a_user_namespace_is_nobodys(self):
        scene = self.scene("Whose is the file?")
        inside, outside = re.findall(r"^   (\d+)$", scene, re.MULTILINE)
        self.assertEqual(inside, "0")
        self.assertGreaterEqual(int(outside), 65536)
        self.assertIn(f"inside it is user 0's. On the host the same file belongs to user {outside},", words(scene))
        folder = re.search(r"-v (/tmp/[^:/]+)/", scene)[1]
        self.assertFalse(os.path.exists(folder))

    def test_what_root_tried_the_kernel_refused(self):
        scene = self.scene("What that root cannot do")
        pid = self.rows("One process, two pids")["plain"]["pid"]
        self.assertIn(f"$ nsview run sh -c 'kill {pid}'\n", scene)
        self.assertIn("No such process", scene)
        self.assertIn("permission denied", scene)
        self.assertNotIn("exit status 0", scene)
        hostname, mount, kill = re.findall(r"^   \(exit status (\d+)\)$", scene, re.MULTILINE)
        self.assertRegex(words(scene), rf"User 0 tried all three, with 14 capabilities.*exit status {hostname} and "
                                       rf"{mount}\. The third ended with {kill}, because {pid} is the number")

    def test_a_reboot_was_tried_and_refused(self):
        scene = self.scene("Not even reboot")
        self.assertIn("   reboot: Operation not permitted\n   (exit status 1)\n", scene)
        own = os.readlink("/proc/self/ns/pid").strip("pid:[]")
        said = re.search(r"its pid namespace is (\d+), not nsview's (\d+)\. The kernel answered with errno 1,", words(scene))
        self.assertEqual(said[2], own)
        self.assertNotEqual(said[1], own)

    def test_root_with_the_capability(self):
        scene = self.scene("Root again, with the capability")
        self.assertIn("   elsewhere\n   (exit status 0)\n", scene)
        self.assertIn(f"With 15 capabilities, SYS_ADMIN among them, it may: inside the name is elsewhere now, and this host "
                      f"is still called {os.uname().nodename},", words(scene))

    def test_port_80_is_for_root_alone(self):
        scene = self.scene("Only what is needed: port 80")
        self.assertEqual(re.findall(r"^   (?:port 80: .*|\(.*)$", scene, re.MULTILINE),
                         ["   (exit status 0)", "   port 80: Permission denied", "   (exit status 13)"])
        self.assertIn("User 0 was given 1 capability and bound the port. User 1000 was given 0, and was refused: errno 13, "
                      "Permission denied.", words(scene))

    def test_the_limits_hold(self):
        """How much a loop gets is not asserted: on a busy machine it is less than its half."""
        scene = self.scene("Half a CPU")
        used, wall = map(int, re.search(r"\((\d+) ms of CPU time in (\d+) ms\)", scene).groups())
        self.assertLessEqual(100 * used / wall, 56)
        self.assertRegex(words(scene), rf"Its cgroup allows 50 % of one CPU, and counted {100 * used // wall}|"
                                       rf"{100 * (used + 1) // wall} %: it ran in \d+ periods")
        scene = self.scene("64 MiB of memory")
        self.assertIn("(exit status 137: signal 9, ", scene)
        self.assertIn("its cgroup says is 64 MiB, and then ended it with signal 9; the cgroup has counted 1 process killed",
                      words(scene))

    def test_the_last_scene_has_them_all(self):
        rows = [match.groupdict() for match in ROW.finditer(self.scene("All of them, side by side"))]
        self.assertEqual([row["container"] for row in rows], ["plain", *NAMES])
        roots = [row for row in rows if row["in_user"] == "root"]
        self.assertIn(f"{len(roots)} of these {len(rows)} processes are root inside, with "
                      f"{len({row['caps'] for row in roots})} different answers", words(self.scene("All of them, side by side")))

    def test_nothing_is_left(self):
        self.assertEqual([name for name in state_files() if name in FILES], [])
        self.assertEqual(sleeps_of_demos(), [])

    def test_a_word_is_a_usage_error(self):
        self.assertIn("fast", run("demo", "fast", check=2).stderr)


@requires_root
class Rows(unittest.TestCase):
    def test_what_it_says_is_what_proc_says(self):
        """Each row against /proc while its process lives: the demo waits for its reader."""
        demo = Paused("9. ")
        try:
            rows = {match["container"]: match.groupdict() for match in ROW.finditer(demo.text)}
            self.assertLessEqual(set(FIRST), set(rows))
            effective = {"plain": 0xa80425fb, "u1000": 0, "image": 0, "default": 0xa80425fb,
                         "macadmin": 0x2a80425fb, "nocaps": 0}
            for name in FIRST:
                with self.subTest(container=name):
                    pid = int(rows[name]["pid"])
                    self.assertEqual(field(pid, "NSpid")[-1], rows[name]["in_pid"])
                    self.assertEqual(int(field(pid, "CapEff")[0], 16), effective[name])
                    self.assertEqual(field(pid, "Uid"), [{"u1000": "1000", "image": "4711"}.get(name, "0")] * 4)
            self.check_joined(demo.text)
        finally:
            demo.process.kill()
            demo.process.wait()
            demo.close()
            wait_until(lambda: not sleeps_of_demos() and
                       not [name for name in state_files() if name in FILES])

    def check_joined(self, text):
        """In its container by everything that makes one: namespaces, cgroups, rights, files; and not its child."""
        first, joined = (match.groupdict() for match in JOINED.finditer(text))
        one, other = int(first["pid"]), int(joined["pid"])
        self.assertEqual(field(other, "NSpid")[-1], joined["in_pid"])
        self.assertEqual(field(other, "PPid"), [joined["ppid"]])
        self.assertNotEqual(joined["ppid"], first["pid"])
        for kind in os.listdir(f"/proc/{one}/ns"):
            self.assertEqual(os.readlink(f"/proc/{one}/ns/{kind}"), os.readlink(f"/proc/{other}/ns/{kind}"), kind)
        for file in ("cgroup", "mountinfo", "environ", "cmdline"):
            self.assertEqual(*(pathlib.Path(f"/proc/{pid}/{file}").read_bytes() for pid in (one, other)), file)
        for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups"):
            self.assertEqual(field(one, key), field(other, key), key)
        self.assertNotEqual(os.readlink(f"/proc/{joined['ppid']}/ns/mnt"), os.readlink(f"/proc/{one}/ns/mnt"))


@requires_root
class Interrupted(unittest.TestCase):
    def test_at_random_moments(self):
        for moment in range(24):
            number = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[moment % 3]
            with self.subTest(moment=moment, signal=number):
                process = subprocess.Popen([NSVIEW, "demo"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                time.sleep(moment * 0.01)
                process.send_signal(number)
                self.assertIn(process.wait(timeout=SECONDS), (-number, 0))
                self.assertEqual(process.stderr.read(), "")
                process.stderr.close()
                wait_until_nothing_is_left()

    def test_in_every_scene(self):
        """Each time another one, and another signal, at a random moment of it."""
        signals = (signal.SIGINT, signal.SIGKILL, signal.SIGTERM)
        before = folders()
        for scene in range(1, SCENES):
            number = signals[scene % 3]
            with self.subTest(scene=scene + 1, signal=number):
                with subprocess.Popen([NSVIEW, "demo"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
                    read = b""
                    while f"\n{scene}. ".encode() not in read:
                        piece = os.read(process.stdout.fileno(), 65536)
                        self.assertTrue(piece, read)
                        read += piece
                    time.sleep(random.random() * (0.8 if b"Only what is needed" in read else 0.05))
                    process.send_signal(number)
                    self.assertIn(process.wait(timeout=SECONDS), (-number, 0))  # the last scenes are soon over
                wait_until_nothing_is_left()
                wait_until(lambda: not folders() - before)
        wait_until(lambda: not [path for path in cgroups() if is_empty(path)])

    def test_it_ends_at_once(self):
        """Also where it watches a loop for a second, or waits for a command."""
        with subprocess.Popen([NSVIEW, "demo"], stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if "Only what is needed" in line:
                    break
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            self.assertNotIn("ms of CPU time", process.stdout.read())
            self.assertEqual(process.wait(timeout=SECONDS), -signal.SIGINT)
        wait_until_nothing_is_left()

    def test_between_two_scenes(self):
        demo = Paused("4. ")
        try:
            demo.process.send_signal(signal.SIGINT)
            self.assertNotIn("All of them", demo.rest())
            self.assertEqual(demo.process.wait(timeout=SECONDS), -signal.SIGINT)
        finally:
            demo.close()
        wait_until_nothing_is_left()

    def test_when_its_reader_has_gone(self):
        demo = Paused("2. ")
        demo.close()
        self.assertIn(demo.process.wait(timeout=SECONDS), (0, -signal.SIGPIPE))
        wait_until_nothing_is_left()


@requires_root
class Refused(unittest.TestCase):
    def test_a_capability_that_the_host_lacks_skips_its_scene_only(self):
        done = run("demo", command=["setpriv", "--bounding-set", "-mac_admin"], check=0)
        self.assertIn("nsview itself was not given MAC_ADMIN", " ".join(done.stdout.split()))
        self.assertIn("nocaps", done.stdout)
        self.assertEqual(done.stderr, "")

    def forbidden(self, text):
        """{title: sentence} of the scenes that this host does not allow."""
        return {title: words(scene).partition("This host does not allow it: ")[2]
                for title in re.findall(r"^\d+\. (.*)$", text, re.MULTILINE)
                for scene in [scene_of(text, title)] if "This host does not allow it: " in words(scene)}

    def test_one_that_all_need_is_named_by_all_that_need_it(self):
        done = run("demo", command=["setpriv", "--bounding-set", "-net_bind_service"], check=0)
        self.assertEqual(done.stderr, "")
        forbidden = self.forbidden(done.stdout)
        for title in ("One kernel", "One process, two pids", "Not even reboot", "Half a CPU", "Only what is needed: port 80"):
            self.assertIn("was not given NET_BIND_SERVICE here", forbidden[title])
        for title in ("All capabilities dropped", "Privileged", "Users of its own", "Whose is the file?"):
            self.assertNotIn(title, forbidden)
        self.assertIn("There is no container plain here", words(done.stdout))

    def test_without_controllers_it_says_which(self):
        """In a mount namespace of its own, without the hierarchies of control groups."""
        done = run("demo", command=["unshare", "-m", "sh", "-c", "umount -R -l /sys/fs/cgroup && exec \"$@\"", "sh"], check=0)
        self.assertEqual(done.stderr, "")
        self.assertEqual({title: re.search("without (.*?):", said)[1] for title, said in self.forbidden(done.stdout).items()},
                         {"Half a CPU": "--cpus", "64 MiB of memory": "--memory"})

    def test_without_libarchive_the_image_is_not_shown(self):
        said = ""
        with without_libarchive() as program, subprocess.Popen([program, "demo"], stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                said += line
                if line.startswith("6. "):
                    break
            process.send_signal(signal.SIGINT)
            self.assertIn(process.wait(timeout=SECONDS), (-signal.SIGINT, 0))
        wait_until_nothing_is_left()
        self.assertRegex(words(scene_of(said, "The image's own user")),
                         r"It cannot be shown here: .*no-archive\.so.*install libarchive")
        self.assertIn("u1000", scene_of(said, "Another user"))

    def test_without_user_namespaces_the_others_are_shown(self):
        """The kernel refuses them in a chroot."""
        inside = "mount --rbind / /mnt && exec chroot /mnt \"$@\""
        done = run("demo", command=["unshare", "-m", "sh", "-c", inside, "sh"], check=0)
        self.assertEqual(done.stderr, "")
        forbidden = self.forbidden(done.stdout)
        self.assertEqual({*forbidden}, {"Users of its own", "Whose is the file?"})
        for said in forbidden.values():
            self.assertIn("user namespaces", said)

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
