# SPDX-License-Identifier: GPL-2.0-only
"""nsview run without root: a user namespace by itself, with subordinate ids where there are some."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import cgroups
from harness import conditions
from nsview import NSVIEW, SECONDS, children, requires_root, wait_until
from test_run import status_of

UID, GID, OTHER = 54321, 54322, 54323
SUBORDINATE = 700000
DEFAULT = 0xa80425fb
NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user")
# In mounts of its own: files that say who UID is and what it was given, over the machine's. The
# second word is a directory of programs, for those who look for newuidmap.
PREPARE = """set -e
folder=$1 path=$2; shift 2
for name in passwd subuid subgid; do
    [ ! -e $folder/$name ] || mount --bind $folder/$name /etc/$name
done
export PATH=$path XDG_RUNTIME_DIR=$folder/runtime
exec /usr/bin/setpriv --reuid %d --regid %d --groups %d,%d --inh-caps=-all "$folder/nsview" "$@"
""" % (UID, GID, GID, OTHER)


@requires_root
@unittest.skipIf(conditions.no_user_namespaces(), "users may not make user namespaces here")
@unittest.skipIf(conditions.no_subordinate_ids(), "no /etc/subuid and /etc/subgid to mount over")
class Rootless(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="nsview-rootless-")
        cls.folder = pathlib.Path(cls.directory.name)
        cls.folder.chmod(0o755)
        shutil.copy(NSVIEW, cls.folder / "nsview")
        (cls.folder / "nsview").chmod(0o755)
        (cls.folder / "runtime").mkdir()
        os.chown(cls.folder / "runtime", UID, GID)
        passwd = pathlib.Path("/etc/passwd").read_text()
        (cls.folder / "passwd").write_text(f"{passwd}rootless:x:{UID}:{GID}::/:/bin/sh\n")

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def setUp(self):
        self.give(f"rootless:{SUBORDINATE}:65536\n")

    def give(self, line):
        for name in ("subuid", "subgid"):
            (self.folder / name).write_text(line)

    def command(self, *words, path=os.environ["PATH"]):
        return ["unshare", "-m", "sh", "-c", PREPARE, "sh", str(self.folder), path, *words]

    def run_in(self, *words, check=0, **settings):
        done = subprocess.run(self.command("run", *words, **settings), capture_output=True, text=True, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, check=False)
        if check is not None:
            self.assertEqual(done.returncode, check, done.stderr)
        return done

    def assert_refused(self, *words, **settings):
        done = self.run_in(*words, check=125, **settings)
        self.assertRegex(done.stderr, r"\Ansview: [^\n]*\n\Z")
        return done.stderr

    def maps(self, **settings):
        text = self.run_in("cat", "/proc/self/uid_map", "/proc/self/gid_map", **settings).stdout
        return [list(map(int, line.split())) for line in text.splitlines()]

    def test_root_inside_is_the_user_and_the_others_are_subordinate(self):
        self.assertEqual(self.maps(), [[0, UID, 1], [1, SUBORDINATE, 65536], [0, GID, 1], [1, SUBORDINATE, 65536]])

    def test_a_line_by_number_is_as_good(self):
        self.give(f"{UID}:{SUBORDINATE + 7}:5000\n")
        self.assertEqual(self.maps(), [[0, UID, 1], [1, SUBORDINATE + 7, 5000], [0, GID, 1], [1, SUBORDINATE + 7, 5000]])

    def test_without_a_line_there_is_one_user(self):
        self.give("somebody:100000:65536\n")
        self.assertEqual(self.maps(), [[0, UID, 1], [0, GID, 1]])

    def test_without_newuidmap_there_is_one_user(self):
        self.assertEqual(self.maps(path="/nonexistent"), [[0, UID, 1], [0, GID, 1]])

    def test_newuidmap_that_refuses_is_as_good_as_none(self):
        with tempfile.TemporaryDirectory(dir=self.folder) as programs:
            os.chmod(programs, 0o755)
            os.symlink("/bin/false", f"{programs}/newuidmap")
            os.symlink("/bin/false", f"{programs}/newgidmap")
            self.assertEqual(self.maps(path=programs), [[0, UID, 1], [0, GID, 1]])

    def started(self, *words):
        """`nsview run WORDS -- sleep 600`, and the host pid of sleep."""
        process = subprocess.Popen(self.command("run", *words, "--", "sleep", "600"), stdin=subprocess.DEVNULL)
        def find():
            for pid in children(process.pid):
                with contextlib.suppress(OSError):  # newuidmap's is soon gone
                    if status_of(pid)["Name"] == ["sleep"]:
                        return pid
            return None
        try:
            return process, wait_until(find)
        except BaseException:
            self.end(process)
            raise

    def end(self, process):
        process.terminate()
        try:
            process.wait(timeout=SECONDS)
        finally:
            process.kill()

    def test_what_the_kernel_says_of_it(self):
        process, pid = self.started()
        try:
            status = status_of(pid)
            self.assertEqual((status["Uid"], status["Gid"]), ([str(UID)] * 4, [str(GID)] * 4))
            self.assertEqual(status["Groups"], [str(GID)])
            self.assertEqual([int(status[key][0], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
                             [0, DEFAULT, DEFAULT, DEFAULT, 0])
            self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), (["2"], ["0"]))
            for kind in NAMESPACES:
                self.assertNotEqual(os.stat(f"/proc/{pid}/ns/{kind}").st_ino, os.stat(f"/proc/self/ns/{kind}").st_ino, kind)
        finally:
            self.end(process)

    def test_another_user_of_it(self):
        process, pid = self.started("--user", "1000:2000")
        try:
            status = status_of(pid)
            self.assertEqual(status["Uid"], [str(SUBORDINATE + 999)] * 4)
            self.assertEqual(status["Gid"], [str(SUBORDINATE + 1999)] * 4)
            self.assertEqual(int(status["CapEff"][0], 16), 0)
        finally:
            self.end(process)

    def test_a_user_that_is_not_mapped(self):
        self.assertIn("/etc/subuid", self.assert_refused("--user", "1000", "true", path="/nonexistent"))
        self.assertIn("group 1000", self.assert_refused("--user", "0:1000", "true", path="/nonexistent"))

    def test_with_one_user_only_the_rest_works_too(self):
        """No group tty for the terminals, no supplementary groups, no owner but oneself."""
        script = ("import os; print(os.ttyname(os.openpty()[1]), os.getuid(), os.getgid()); os.mkdir('/tmp/x'); "
                  "os.setresuid(0, 0, 0); print(os.stat('/tmp/x').st_uid)")
        done = self.run_in("/usr/bin/python3", "-c", script, path="/nonexistent")
        self.assertEqual(done.stdout.split(), ["/dev/pts/0", "0", "0", "0"])

    def test_limits_are_discarded_with_a_word(self):
        """As docker does where it has no cgroups: the container runs, and it is said."""
        self.assertNotEqual(cgroups.mounts(), {})
        done = self.run_in("--cpus=.5", "--memory=64m", "--pids-limit=9", "echo", "ran")
        self.assertEqual(done.stdout, "ran\n")
        for option in ("--cpus", "--memory", "--pids-limit"):
            self.assertRegex(done.stderr, r"nsview: the container runs without %s: [^\n]*root[^\n]*\n" % option)

    def test_malformed_limits_are_refused_all_the_same(self):
        self.assert_refused("--cpus=abc", "true")

    def test_the_state_says_no_limit_then(self):
        process, _ = self.started("--name", "mine", "--memory=64m")
        try:
            state = json.loads((self.folder / "runtime/nsview/mine.json").read_text())
            self.assertEqual((state["memory_bytes"], state["shared"]), (None, []))
            self.assertEqual((self.folder / "runtime/nsview").stat().st_mode & 0o777, 0o700)
        finally:
            self.end(process)
        self.assertEqual(list((self.folder / "runtime/nsview").iterdir()), [])

    def test_its_user_finds_it_by_its_name(self):
        process, pid = self.started("--name", "mine")
        try:
            done = subprocess.run(self.command("ps", "--json", "-p", str(pid)), capture_output=True, text=True,
                                  timeout=SECONDS, check=True)
            self.assertEqual([(row["container"], row["runtime"]) for row in json.loads(done.stdout)], [("mine", "nsview")])
        finally:
            self.end(process)

    def test_what_takes_root_says_so(self):
        for words in (["--userns=host"], ["--pid=host"]):
            self.assert_refused(*words, "true")
        self.assertIn("root", self.assert_refused("--userns=host", "true"))

    def test_privileged_has_every_capability_of_its_namespace(self):
        done = self.run_in("--privileged", "cat", "/proc/self/status")
        full = (1 << int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1) - 1
        self.assertIn(f"CapEff:\t{full:016x}\n", done.stdout)
        self.assertIn("Seccomp:\t0\n", done.stdout)

    def test_a_state_directory_of_somebody_else_is_not_used(self):
        runtime = self.folder / "runtime"
        if (runtime / "nsview").exists():
            (runtime / "nsview").rmdir()
        (runtime / "nsview").mkdir()
        os.chown(runtime / "nsview", OTHER, OTHER)
        try:
            self.assertIn("others may write", self.assert_refused("true"))
        finally:
            (runtime / "nsview").rmdir()

    def test_root_names_it_only_if_it_is_theirs(self):
        """A file in /run/user that calls somebody else's container by a name is not believed."""
        script = """set -e
            mount -t tmpfs run /run
            mkdir -p /run/user/%d/nsview
            chown -R %d /run/user/%d
            export XDG_RUNTIME_DIR=/run/user/%d
            cd "$1"; shift
            setpriv --reuid %d --regid %d --clear-groups ./nsview run --name theirs sleep 600 > /dev/null & theirs=$!
            ./nsview run --name own sleep 601 > /dev/null & own=$!
            trap 'kill $theirs $own' EXIT
            until [ -s /run/nsview/own.json ] && [ -s /run/user/%d/nsview/theirs.json ]; do sleep 0.05; done
            sleep 0.2
            sed 's/"own"/"forged"/' /run/nsview/own.json > /run/user/%d/nsview/forged.json
            rm /run/nsview/own.json
            chown %d /run/user/%d/nsview/forged.json
            ./nsview ps --json --filter 'command~sleep and not command~nsview'
            """ % ((UID,) * 5 + (GID,) + (UID,) * 4)
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", str(self.folder)], capture_output=True, text=True,
                              timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = {tuple(row["args"] or ()): row["container"] for row in json.loads(done.stdout)}
        self.assertEqual(found[("sleep", "600")], "theirs")
        self.assertNotEqual(found[("sleep", "601")], "forged")

    def test_nothing_is_left_when_it_is_killed(self):
        process, _ = self.started("--name", "gone")
        process.kill()
        process.wait()
        wait_until(lambda: not list((self.folder / "runtime/nsview").iterdir()))

    def test_signals_and_status_are_passed_on(self):
        process, pid = self.started()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=SECONDS), 128 + signal.SIGTERM)
        self.assertEqual(self.run_in("sh", "-c", "exit 7", check=7).stderr, "")


if __name__ == "__main__":
    unittest.main()
