# SPDX-License-Identifier: GPL-2.0-only
"""nsview run: the words around COMMAND's start and end, -e, -w, --hostname, -d, --list, --stop."""

import contextlib
import datetime
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time
import unittest

from nsview import NSVIEW, SECONDS, children, kill, marked, requires_root, run, wait_until

STATE = pathlib.Path("/run/nsview")
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def inside(*words, options=(), **settings):
    """What COMMAND prints in a container."""
    return run("run", *options, "--", *words, **settings).stdout


class Refusing(unittest.TestCase):
    def assert_refused(self, words, status, *patterns):
        with self.subTest(words=words):
            done = run("run", *words, check=status)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\Ansview: [^\n]+\n\Z")
            for pattern in patterns:
                self.assertIn(pattern, done.stderr)


@requires_root
class Environment(Refusing):
    def variables(self, *options, **settings):
        text = inside("cat", "/proc/self/environ", options=options, **settings)
        return dict(entry.split("=", 1) for entry in text.split("\0") if entry)

    def test_a_variable_is_set_and_the_last_of_a_name_wins(self):
        found = self.variables("-e", "A=1", "--env", "A=2=3", "-eEMPTY=", "-e", "HOME=/x", "--hostname", "web")
        del found["PATH"]
        self.assertEqual(found, {"A": "2=3", "EMPTY": "", "HOME": "/x", "HOSTNAME": "web"})

    def test_without_a_value_it_is_nsviews_own_or_none(self):
        found = self.variables("-e", "GIVEN", "-e", "NOT_GIVEN", "-e", "HOME", env={"GIVEN": "a b"})
        self.assertEqual(found["GIVEN"], "a b")
        self.assertNotIn("NOT_GIVEN", found)
        self.assertNotIn("HOME", found)

    def test_the_command_is_looked_for_in_the_path_that_was_given(self):
        self.assert_refused(["-e", "PATH=/no/where", "true"], 127, "/no/where")

    def test_a_variable_without_a_name_is_refused(self):
        for words in ("", "=", "=x"):
            self.assert_refused(["-e", words, "true"], 125, "NAME=VALUE")


@requires_root
class Places(Refusing):
    def test_the_command_starts_in_the_working_directory(self):
        self.assertEqual(inside("pwd", options=["-w", "/usr/bin"]), "/usr/bin\n")

    def test_a_working_directory_is_made_when_it_is_not_there(self):
        text = inside("sh", "-c", "pwd; stat -c '%a %u' .", options=["--workdir", "/a/b c", "--user", "1000"])
        self.assertEqual(text, "/a/b c\n755 0\n")
        self.assertFalse(os.path.exists("/a/b c"))

    def test_one_that_cannot_be_is_refused(self):
        self.assert_refused(["-w", "here", "true"], 125, "'here'", "absolute")
        self.assert_refused(["-w", "/etc/passwd", "true"], 125, "/etc/passwd", "Not a directory")
        self.assert_refused(["-w", "/usr/nsview-new", "true"], 125, "/usr/nsview-new")

    def test_it_is_made_in_a_root_that_is_then_read_only(self):
        self.assertEqual(inside("pwd", options=["--read-only", "-w", "/new"]), "/new\n")

    def test_the_host_name_is_the_one_given(self):
        self.assertEqual(inside("sh", "-c", "hostname; echo $HOSTNAME", options=["--hostname", "web-1.example"]),
                         "web-1.example\nweb-1.example\n")

    def test_what_is_no_host_name_is_refused(self):
        for name in ("", "-a", "a-", "a..b", "../x", "a b", "a\x1b[31m", "a" * 65):
            self.assert_refused(["--hostname", name, "true"], 125, "--hostname")
        self.assert_refused(["--hostname", "web", "--uts", "host", "true"], 125, "--uts host")


def parent(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    return int(text[text.rindex(")") + 2:].split()[1])


def is_there(pid):
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return text[text.rindex(")") + 2] not in "ZX"
    return False


def cgroups():
    return {str(path) for pattern in ("nsview/*", "*/nsview/*") for path in CGROUPS.glob(pattern) if path.is_dir()}


def is_empty(cgroup):
    with contextlib.suppress(OSError):
        return not pathlib.Path(cgroup, "cgroup.procs").read_text()
    return False


class Named(unittest.TestCase):
    """Containers whose names nobody else has; only those are ever stopped."""

    def setUp(self):
        self.mark = f"nsview-mark-{os.getpid()}-{random.randrange(1 << 30)}"
        self.addCleanup(self.end_all)

    def end_all(self):
        for pid in marked(self.mark):
            kill(pid)

    def detach(self, *words, options=(), name="", **settings):
        """The host pid of COMMAND's first process."""
        run("run", "-d", "--name", self.mark + name, *options, *words, **settings)
        return self.state(name)["pid"]

    def state(self, name=""):
        return json.loads((STATE / f"{self.mark}{name}.json").read_text())

    def listed(self):
        rows = json.loads(run("run", "--list", "--json").stdout)
        return {row["name"].removeprefix(self.mark): row for row in rows if row["name"].startswith(self.mark)}

    def assert_nothing_left(self):
        wait_until(lambda: not any(is_there(pid) for pid in marked(self.mark)))
        wait_until(lambda: not [path for path in STATE.iterdir() if self.mark in path.name])


@requires_root
class Detached(Named):
    def test_it_goes_on_until_it_is_stopped(self):
        done = run("run", "-d", "--name", self.mark, "sleep", "300")
        self.assertEqual((done.stdout, done.stderr), (f"{self.mark}\n", ""))
        pid = self.state()["pid"]
        self.assertEqual(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes(), b"sleep\x00300\x00")
        self.assertEqual(run("run", "--stop", self.mark).stdout, f"{self.mark}\n")
        self.assertFalse(is_there(pid))
        self.assert_nothing_left()

    def test_without_a_name_it_prints_the_id(self):
        name = run("run", "--detach", "sleep", "300").stdout.strip()
        self.assertRegex(name, r"\A[0-9a-f]{12}\Z")
        self.assertEqual(run("run", "--stop", name).stdout, f"{name}\n")

    def test_nobody_waits_for_its_output(self):
        """Neither who reads what nsview prints, nor who waits for another of its descriptors."""
        reader, writer = os.pipe()
        self.detach("sleep", "300", pass_fds=[writer])
        os.close(writer)
        self.assertEqual(os.read(reader, 1), b"")
        os.close(reader)
        run("run", "--stop", self.mark)

    def test_it_has_no_terminal_and_reads_and_writes_nothing(self):
        pid = self.detach("sleep", "300")
        self.assertEqual([os.readlink(f"/proc/{pid}/fd/{fd}") for fd in "012"], ["/dev/null"] * 3)
        run("run", "--stop", self.mark)

    def test_interactive_it_waits_for_input(self):
        """As docker run -di cat does."""
        pid = self.detach("cat", options=["-i"])
        time.sleep(0.1)
        self.assertTrue(is_there(pid))
        run("run", "--stop", self.mark)

    def test_its_end_leaves_nothing(self):
        run("run", "-d", "--name", self.mark, "sh", "-c", "sleep .1; :", self.mark)
        self.assert_nothing_left()

    def test_what_cannot_be_started_is_said(self):
        for words, status in ((["nosuchcommand"], 127), (["/etc/passwd"], 126), (["--user", "nobod", "true"], 125)):
            with self.subTest(words=words):
                done = run("run", "-d", *words, check=status)
                self.assertEqual(done.stdout, "")
                self.assertRegex(done.stderr, r"\Ansview: [^\n]+\n\Z")

    def test_a_name_in_use_is_refused_and_free_again_after_its_end(self):
        self.detach("sleep", "300")
        done = run("run", "-d", "--name", self.mark, "true", check=125)
        self.assertRegex(done.stderr, rf"\Ansview: [^\n]*{self.mark}[^\n]*runs as pid[^\n]*\n\Z")
        run("run", "--stop", self.mark)
        self.detach("sleep", "300")
        run("run", "--stop", self.mark)

    def test_a_name_that_nobody_can_read_leaves_no_container(self):
        """Closed output: the name would be lost."""
        with open("/dev/full", "w", encoding="ascii") as full:
            run("run", "-d", "--name", self.mark, "sleep", "300", stdout=full, check=1)
        self.assert_nothing_left()

    def test_whoever_of_the_two_that_stay_is_killed_it_leaves_nothing(self):
        for victim in ("parent", "keeper"):
            with self.subTest(victim=victim):
                pid = self.detach("sh", "-c", "sleep 300; :", self.mark)
                holder = parent(pid)
                keeper = next(child for child in marked(self.mark) if child not in (pid, holder) and
                              parent(child) == holder)
                kill(holder if victim == "parent" else keeper)
                if victim == "keeper":  # it goes on, and its parent clears up at its end
                    wait_until(lambda: not is_there(keeper))
                    self.assertTrue(is_there(pid))
                    run("run", "--stop", self.mark)
                self.assert_nothing_left()


@requires_root
class List(Named):
    def test_it_says_what_runs(self):
        one = self.detach("sleep", "300", name="-a")
        other = self.detach("sleep", "300", options=["--rootfs", "/"], name="-b")
        rows = self.listed()
        self.assertEqual({name: (row["pid"], row["root"], row["status"]) for name, row in rows.items()},
                         {"-a": (one, None, "running"), "-b": (other, "/", "running")})
        for row in rows.values():
            created = datetime.datetime.fromisoformat(row["created"][:19] + "+00:00")
            age = datetime.datetime.now(datetime.timezone.utc) - created
            self.assertTrue(datetime.timedelta(0) <= age < datetime.timedelta(minutes=2), row)
        table = run("run", "--list", env={**os.environ, "TZ": "UTC"}).stdout.splitlines()
        self.assertEqual(table[0].split(), ["NAME", "PID", "ROOT", "STATUS", "CREATED"])
        fields = next(line.split() for line in table if line.startswith(f"{self.mark}-b "))
        self.assertEqual(fields[1:4], [str(other), "/", "running"])
        self.assertEqual("T".join(fields[4:]), rows["-b"]["created"][:19])
        self.assertEqual(len({line.index(line.split()[1]) + len(line.split()[1]) for line in table}), 1)
        for name in ("-a", "-b"):
            run("run", "--stop", self.mark + name)
        self.assertEqual(self.listed(), {})

    def test_a_stopped_one_is_called_so(self):
        pid = self.detach("sleep", "300")
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: self.listed()[""]["status"] == "stopped")
        run("run", "--stop", self.mark)

    def test_a_root_with_an_escape_sequence_does_nothing_to_a_terminal(self):
        state = STATE / f"{self.mark}.json"
        self.detach("sleep", "300")
        text = json.loads(state.read_text())
        text["rootfs"] = "/a\x1b[31mb"
        state.write_text(json.dumps(text))
        line = next(line for line in run("run", "--list").stdout.splitlines() if line.startswith(self.mark))
        self.assertIn("/a\\x1b[31mb", line)
        run("run", "--stop", self.mark)


@requires_root
class Stopped(Named):
    def test_the_command_may_end_as_it_likes(self):
        with tempfile.TemporaryDirectory() as directory:
            self.detach("sh", "-c", "trap 'echo ended > /out/file; exit' TERM; echo ready > /out/ready; "
                                    "while :; do sleep .05; done", options=["-v", f"{directory}:/out"])
            wait_until(pathlib.Path(directory, "ready").exists)
            run("run", "--stop", self.mark)
            self.assertEqual(pathlib.Path(directory, "file").read_text(), "ended\n")
        self.assert_nothing_left()

    def test_one_that_ignores_it_is_killed_after_10_seconds(self):
        pid = self.detach("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
        wait_until(lambda: int([line.split()[1] for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                                if line.startswith("SigIgn")][0], 16) >> (signal.SIGTERM - 1) & 1)
        started = time.monotonic()
        run("run", "--stop", self.mark)
        self.assertGreaterEqual(time.monotonic() - started, 10)
        self.assertFalse(is_there(pid))
        self.assert_nothing_left()

    def test_one_in_the_foreground_too(self):
        with subprocess.Popen([NSVIEW, "run", "--name", self.mark, "sleep", "300"]) as process:
            wait_until(lambda: self.listed())
            run("run", "--stop", self.mark)
            self.assertGreater(process.wait(timeout=SECONDS), 128)

    def test_an_unknown_name_is_one_sentence(self):
        for name in (self.mark, "../x", "", "a\x1b[31m"):
            with self.subTest(name=name):
                done = run("run", "--stop", name, check=1)
                self.assertEqual(done.stdout, "")
                self.assertRegex(done.stderr, r"\Ansview: [^\n\x1b]+\n\Z")

    def test_what_starts_nothing_takes_no_command(self):
        for words in (["--list", "sleep"], ["--stop", "x", "sleep"], ["--stop", "x", "--list"]):
            with self.subTest(words=words):
                self.assertRegex(run("run", *words, check=2).stderr, r"\Ansview: [^\n]+\n\Z")


@requires_root
class BothKilled(Named):
    """nsview's copy and the keeper: nobody is left to clear up, until the next nsview run."""

    def started(self, *words, options=()):
        pid = self.detach(*words, options=options)
        identity = self.state()["id"]
        return pid, {path for path in cgroups() if path.endswith(identity)}

    def kill_both(self, pid):
        holder = parent(pid)
        keeper = next(child for child in children(holder) if child != pid)
        kill(keeper)
        kill(holder)
        wait_until(lambda: not is_there(holder))

    def assert_swept(self, found):
        self.assertEqual({path for path in found if os.path.exists(path)}, set())
        self.assertFalse((STATE / f"{self.mark}.json").exists())

    def test_the_next_run_clears_up(self):
        pid, found = self.started("sh", "-c", "sleep 300; :", self.mark)
        self.kill_both(pid)
        wait_until(lambda: not is_there(pid))
        self.assertTrue(found and all(map(os.path.exists, found)))
        run("run", "true")
        self.assert_swept(found)

    def test_what_runs_on_with_the_hosts_pids_too(self):
        """No pid namespace ends with pid 1 there: what that has started goes on."""
        pid, found = self.started("sh", "-c", "sleep 300; :", self.mark, options=["--pid", "host"])
        child = wait_until(lambda: children(pid))[0]
        self.kill_both(pid)
        wait_until(lambda: not is_there(pid))
        self.assertTrue(is_there(child))
        run("run", "true")
        wait_until(lambda: not is_there(child))
        self.assert_swept(found)

    def test_one_that_goes_on_can_be_stopped(self):
        """A change of credentials makes the kernel forget the parent-death signal."""
        pid, found = self.started("setpriv", "--reuid", "1000", "--clear-groups", "sleep", "300")
        wait_until(lambda: pathlib.Path(f"/proc/{pid}/comm").read_text() == "sleep\n")
        self.kill_both(pid)
        run("run", "true")
        self.assertTrue(is_there(pid))
        self.assertEqual(self.listed()[""]["pid"], pid)
        run("run", "--stop", self.mark)
        self.assertFalse(is_there(pid))
        self.assert_swept(found)

    def test_pids_of_another_namespace_say_nothing(self):
        """A container of the host's seen from a namespace in which its pid means nothing."""
        pid, found = self.started("sleep", "300")
        run("run", "true", command=["unshare", "-p", "-f", "--mount-proc"])
        self.assertTrue(is_there(pid))
        self.assertEqual(self.state()["pid"], pid)
        run("run", "--stop", self.mark)
        self.assert_swept(found)

    def test_an_empty_cgroup_that_nobody_knows(self):
        """Killed between its making and the state file's. A new one may be somebody's who is just starting."""
        pid, found = self.started("sleep", "300")
        old, new = (str(pathlib.Path(sorted(found)[0]).parent / f"{random.randrange(1 << 48):012x}") for _ in "12")
        for path in (old, new):
            os.mkdir(path)
            self.addCleanup(lambda path=path: os.path.isdir(path) and os.rmdir(path))
        os.utime(old, (0, 0))
        run("run", "true")
        self.assertEqual((os.path.exists(old), os.path.exists(new)), (False, True))
        self.assertTrue(is_there(pid) and all(map(os.path.exists, found)))
        run("run", "--stop", self.mark)


@requires_root
class KilledAtAnyMoment(Named):
    MOMENTS = 200

    def released(self, status):
        """Killed at its very last step, nsview has let go of the container already."""
        if status:
            time.sleep(0.02)
        return self.listed()

    def test_nothing_is_left(self):
        """Attached or not, nsview itself or the copy that stays: what is killed takes all with it. A
        detached container whose nsview had done its work goes on, as it should; those are stopped."""
        mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        before = cgroups()
        for moment in range(self.MOMENTS):
            is_detached = moment % 2
            command = [NSVIEW, "run", *(["-d"] if is_detached else []), "--name", f"{self.mark}-{moment}",
                       "sh", "-c", "sleep 300; :", self.mark]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random.random() * 0.03)
            victims = children(process.pid)[:1] if moment % 4 == 1 else []  # the copy, if it is there
            for victim in victims or [process.pid]:
                kill(victim)
            status = process.wait(timeout=SECONDS)
            if is_detached and not victims and f"-{moment}" in self.released(status):
                run("run", "--stop", f"{self.mark}-{moment}", check=None)  # or it is just ending
        wait_until(lambda: not any(is_there(pid) for pid in marked(self.mark)))
        self.assert_nothing_left()
        # Those of others come and go meanwhile; what is left over has nobody in it.
        wait_until(lambda: not [path for path in cgroups() - before if is_empty(path)])
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), mounts)


if __name__ == "__main__":
    unittest.main()
