# SPDX-License-Identifier: GPL-2.0-only
"""nsview run: its limits, as the cgroups' files have them and as the kernel keeps them. The same on
both versions of cgroups."""

import contextlib
import ctypes
import json
import os
import pathlib
import random
import subprocess
import time
import unittest

import cgroups
from nsview import NSVIEW, PYTHON, SECONDS, kill, requires_root, run, wait_until
from test_run import STATE, Running, inside

MIB = 1 << 20
CPUS = os.sysconf("SC_NPROCESSORS_ONLN")
# Touches every page, so that it is memory and not a promise.
ALLOCATE = "import sys; x = bytearray(int(sys.argv[1]) << 20); x[::4096] = b'x' * len(x[::4096]); print(len(x) >> 20)"


def own_groups(pid):
    """Directories of the process's own cgroup, one a hierarchy."""
    return set(cgroups.Group(pid).folders.values())


@requires_root
class Files(unittest.TestCase):
    """docker 20.10 writes the same (docker run --cpus=.5 --memory=500m, both versions)."""

    def assert_limits(self, options, **expected):
        with Running("sleep", "60", options=options) as container:
            group = cgroups.Group(container.pid)
            found = {"cpu": group.cpu(), "memory": group.memory(), "pids": group.pids()}
            self.assertEqual(found, {"cpu": None, "memory": None, "pids": None, **expected}, options)
            return group.memory_and_swap()

    def test_without_options_there_is_no_limit(self):
        self.assert_limits([])

    def test_cpus_are_a_quota_in_a_tenth_of_a_second(self):
        self.assert_limits(["--cpus", ".5"], cpu=(50000, 100000))
        self.assert_limits(["--cpus=1"], cpu=(100000, 100000))
        self.assert_limits([f"--cpus={CPUS}"], cpu=(CPUS * 100000, 100000))
        self.assert_limits(["--cpus=0.01"], cpu=(1000, 100000))

    def test_memory_with_as_much_swap_again(self):
        swap = self.assert_limits(["--memory", "500m"], memory=524288000)
        self.assertIn(swap, (1048576000, None))
        swap = self.assert_limits(["-m64M"], memory=64 * MIB)
        self.assertIn(swap, (128 * MIB, None))
        self.assert_limits(["-m", "1.5g"], memory=1536 * MIB)

    def test_swap_is_limited_where_it_is_counted(self):
        with Running("sleep", "60", options=["-m", "64m"]) as container:
            group = cgroups.Group(container.pid)
            file = group.file("memory", "memory.memsw.limit_in_bytes", "memory.swap.max")
            self.assertEqual(group.memory_and_swap() is not None, file.exists())

    def test_pids(self):
        self.assert_limits(["--pids-limit", "100"], pids=100)
        self.assert_limits(["--pids-limit=-1"])
        self.assert_limits(["--pids-limit=0"])

    def test_all_together(self):
        self.assert_limits(["--cpus=.75", "--memory=1g", "--pids-limit=50"], cpu=(75000, 100000),
                           memory=1024 * MIB, pids=50)


@requires_root
class Holds(unittest.TestCase):
    """A limit is what the kernel keeps, not what a file says."""

    def test_half_a_cpu_is_half_a_cpu(self):
        """A busy loop for a second, as its cgroup counts it. What else the machine has to do stands back
        for it: not to get half would be no limit's doing."""
        shares = []
        with Running("sh", "-c", "while :; do :; done", options=["--cpus", ".5"]) as container:
            group = cgroups.Group(container.pid)
            file = group.file("cpu", "cpu.shares", "cpu.weight")
            for parent in (file.parent, file.parent.parent):
                (parent / file.name).write_text("262144" if file.name == "cpu.shares" else "10000")
            wait_until(lambda: group.cpu_seconds() > 0.2)
            while len(shares) < 10 and max(shares, default=0) < 0.45:
                used, start = group.cpu_seconds(), time.monotonic()
                time.sleep(1)
                shares.append((group.cpu_seconds() - used) / (time.monotonic() - start))
        self.assertLess(max(shares), 0.55, shares)
        self.assertGreaterEqual(max(shares), 0.45, shares)

    def test_more_memory_than_allowed_ends_with_137_and_says_why(self):
        done = run("run", "-m", "64m", *PYTHON, "-c", ALLOCATE, "192", check=137)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Ansview: python3 was killed: [^\n]*memory[^\n]*\n\Z")

    def test_128_in_64_is_too_much_and_32_is_not(self):
        run("run", "-m", "64m", *PYTHON, "-c", ALLOCATE, "128", check=137)
        self.assertEqual(inside(*PYTHON, "-c", ALLOCATE, "32", options=["-m", "64m"]), "32\n")

    def test_another_kill_is_not_called_want_of_memory(self):
        with Running("sleep", "60", options=["-m", "64m"], stderr=subprocess.PIPE) as container:
            kill(container.pid)
            self.assertEqual(container.process.wait(timeout=SECONDS), 137)
            self.assertEqual(container.process.stderr.read(), b"")

    def test_one_more_process_than_allowed_is_refused(self):
        script = "import os, time\nn = 1\ntry:\n  while n < 99:\n    os.fork() or time.sleep(60)\n    n += 1\n" \
                 "except OSError as error:\n  print(n, error.errno)"
        self.assertEqual(inside(*PYTHON, "-c", script, options=["--pids-limit", "12"]).split()[-2:], ["12", "11"])


@requires_root
class Place(unittest.TestCase):
    def test_it_has_a_cgroup_of_its_own_everywhere(self):
        with Running("sleep", "60", options=["--name", f"limits-{os.getpid()}"]) as container:
            identity = json.loads((STATE / f"limits-{os.getpid()}.json").read_text())["id"]
            for name, path in cgroups.paths(container.pid).items():
                with self.subTest(hierarchy=name):
                    self.assertEqual(path, f"/nsview/{identity}")

    def test_it_is_the_root_of_its_cgroup_namespace(self):
        """So it was there before the namespace was made, and COMMAND was never anywhere else."""
        text = inside("cat", "/proc/self/cgroup")
        self.assertEqual({line.split(":", 2)[2] for line in text.splitlines()}, {"/"})

    def test_the_state_file_has_what_was_declared(self):
        name = f"declared-{os.getpid()}"
        options = ["--name", name, "--cpus=.5", "--memory=500m", "--pids-limit=100"]
        with Running("sleep", "60", options=options):
            state = json.loads((STATE / f"{name}.json").read_text())
        self.assertEqual((state["nano_cpus"], state["memory_bytes"], state["pids_limit"]), (500000000, 524288000, 100))
        with Running("sleep", "60", options=["--name", name]):
            state = json.loads((STATE / f"{name}.json").read_text())
        self.assertEqual((state["nano_cpus"], state["memory_bytes"], state["pids_limit"]), (None, None, None))

    def test_nsview_knows_whose_cgroup_it_is(self):
        """Also where no namespace but the mount namespace tells it from the host."""
        name = f"known-{os.getpid()}"
        options = ["--pid=host", "--network=host", "--ipc=host", "--uts=host", "--name", name]
        with Running("sleep", "60", options=options) as container:
            for source in ("bpf", "proc"):
                rows = json.loads(run("ps", "--json", "--source", source, "-p", str(container.pid)).stdout)
                self.assertEqual([(row["container"], row["runtime"]) for row in rows], [(name, "nsview")], source)


@requires_root
class End(unittest.TestCase):
    """Whatever happens, the cgroups go with the container."""

    def assert_gone(self, folders):
        wait_until(lambda: not any(folder.exists() for folder in folders))

    def started(self, *words, options=()):
        container = Running(*words, options=["-m", "64m", *options])
        folders = own_groups(container.pid)
        self.assertGreater(len(folders), 0)
        self.assertTrue(all(folder.parent.name == "nsview" and folder.exists() for folder in folders))
        return container, folders

    def test_after_the_end(self):
        container, folders = self.started("sleep", "60")
        container.end()
        self.assertFalse(any(folder.exists() for folder in folders))

    def test_after_the_last_one_the_parent_is_gone_too(self):
        """Unless somebody else's container is in it."""
        run("run", "true")
        for parent in cgroups.all_of("nsview"):
            with contextlib.suppress(OSError):
                self.assertNotEqual([folder for folder in pathlib.Path(parent).iterdir() if folder.is_dir()], [])

    def test_when_nsview_is_killed(self):
        container, folders = self.started("sleep", "60")
        container.process.kill()
        self.assert_gone(folders)
        container.end()

    def test_when_the_keeper_was_killed_before(self):
        container, folders = self.started("sleep", "60")
        kill(container.keeper)
        container.end()
        self.assertFalse(any(folder.exists() for folder in folders))

    def test_when_killed_at_any_moment(self):
        """A moment of the start, of the command, of the end: 60 of them."""
        mark = f"{os.getpid()}"
        for _ in range(60):
            process = subprocess.Popen([NSVIEW, "run", "--name", f"killed-{mark}", "-m64m", "sleep", "0.02"],
                                       stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0, 0.06))
            process.kill()
            process.wait()
        # Others' containers begin and end meanwhile, but none of theirs stays.
        left = self.empty_ones()
        def is_all_gone():
            left.intersection_update(self.empty_ones())
            return not left and not list(STATE.glob(f"*{mark}*"))
        wait_until(is_all_gone)

    def empty_ones(self):
        """Cgroups of containers without a process."""
        found = set()
        for parent in cgroups.all_of("nsview"):
            with contextlib.suppress(OSError):
                for folder in pathlib.Path(parent).iterdir():
                    with contextlib.suppress(OSError):
                        if folder.is_dir() and not (folder / "cgroup.procs").read_text():
                            found.add(folder)
        return found

    def test_with_cgroups_of_its_own_inside(self):
        """As deep as a hostile one may go: more levels than anybody has descriptors."""
        container, folders = self.started("sleep", "60")
        for folder in folders:
            (folder / "a").mkdir()
            (folder / "a" / "b").mkdir()
            (folder / "c").mkdir()
        start = os.open(folders.pop(), os.O_RDONLY)
        here = os.dup(start)
        for _ in range(300):
            os.mkdir("deep", dir_fd=here)
            below = os.open("deep", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)
        os.close(start)
        container.end()
        self.assertEqual([path for path in map(str, folders) if os.path.exists(path)], [])

    def test_with_the_hosts_pid_namespace_all_processes_end(self):
        """No pid namespace takes them along: only the cgroup knows them."""
        mark = f"3600.{os.getpid()}"
        script = f"(setsid sleep {mark} &) ; (setsid sh -c '(sleep {mark} &) ; sleep {mark}' &); exec sleep 60"
        def marked():
            found = subprocess.run(["pgrep", "-xf", f"sleep {mark}"], capture_output=True, text=True, check=False)
            return [int(pid) for pid in found.stdout.split()]
        for how in ("end", "kill"):
            with self.subTest(how=how):
                container, folders = self.started("sh", "-c", script, options=["--pid", "host"])
                wait_until(lambda: len(marked()) == 3)
                if how == "kill":
                    container.process.kill()
                container.end()
                self.assert_gone(folders)
                self.assertEqual(marked(), [])


@requires_root
class Refusals(unittest.TestCase):
    def assert_refused(self, options, *patterns):
        name = f"refused-{os.getpid()}"
        done = run("run", "--name", name, *options, "true", check=125)
        self.assertRegex(done.stderr, r"\Ansview: [^\n]*\n\Z")
        for pattern in patterns:
            self.assertIn(pattern, done.stderr)
        self.assertFalse((STATE / f"{name}.json").exists())

    def test_malformed_words(self):
        for word in ("", "abc", "-1", "1,5", "0.001", "1e1", "0.0000000001", "9" * 60, "\x1b[31m"):
            self.assert_refused([f"--cpus={word}"], "--cpus")
        for word in ("", "abc", "-64m", "64mm", "64 m m", "4m", "9" * 60, "1.5.5m", "\x1b[31m"):
            self.assert_refused([f"--memory={word}"], "--memory")
        for word in ("", "abc", "-2", "1.5", "1k", "9" * 60, "4194305"):
            self.assert_refused([f"--pids-limit={word}"], "--pids-limit")

    def test_more_cpus_than_there_are(self):
        self.assert_refused([f"--cpus={CPUS + 1}"], f"--cpus {CPUS + 1}: this machine has {CPUS}")

    def test_a_machine_without_the_controller_goes_on_and_says_so(self):
        """As docker does: "limitation discarded". The cgroup mounts are hidden in a mount namespace."""
        script = ("set -e; mount --make-rprivate /; "
                  "awk '$3 ~ /^cgroup/ { print $2 }' /proc/self/mounts | while read m; do umount $m; done; "
                  'exec "$0" run --cpus .5 -m 64m --pids-limit 9 echo ran')
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, NSVIEW], capture_output=True, text=True,
                              timeout=SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "ran\n"), done.stderr)
        for option in ("--cpus", "--memory", "--pids-limit"):
            self.assertIn(f"nsview: the container runs without {option}: ", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 3)

    def test_the_hosts_pids_without_a_cgroup_are_refused(self):
        script = ("set -e; mount --make-rprivate /; "
                  "awk '$3 ~ /^cgroup/ { print $2 }' /proc/self/mounts | while read m; do umount $m; done; "
                  'exec "$0" run --pid host echo ran')
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, NSVIEW], capture_output=True, text=True,
                              timeout=SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout), (125, ""))
        self.assertRegex(done.stderr, r"\Ansview: [^\n]*--pid host[^\n]*\n\Z")


@requires_root
class Exhausted(unittest.TestCase):
    """Half-way, something runs out: one sentence, 125, and nothing is left."""

    def setUp(self):
        self.before = set(map(str, STATE.glob("*")))

    def assert_clean(self, done):
        self.assertEqual(done.returncode, 125, done.stderr)
        self.assertRegex(done.stderr, r"\Ansview: [^\n]*\n\Z")
        self.assertLessEqual({path for path in map(str, STATE.glob("*")) if "exhausted" in path}, self.before)

    def test_of_descriptors(self):
        """At every limit below what it takes, and with none to spare it works."""
        codes = []
        for limit in range(4, 40):
            done = run("run", "--name", "exhausted", "-m64m", "true", check=None,
                       command=["prlimit", f"--nofile={limit}:{limit}"])
            codes.append(done.returncode)
            if done.returncode:
                self.assert_clean(done)
        self.assertEqual(codes[-1], 0)
        self.assertEqual(codes, sorted(codes, reverse=True))

    def test_of_memory(self):
        """In small steps, from where the dynamic linker has enough until nsview has."""
        def attempt(kibibytes):
            return run("run", "--name", "exhausted", "true", check=None,
                       command=["prlimit", f"--as={kibibytes << 10}"])
        low, high = 0, 1 << 20
        if attempt(high).returncode:
            return  # AddressSanitizer maps terabytes
        while high - low > 64:
            middle = (low + high) // 2
            low, high = (low, middle) if not attempt(middle).returncode else (middle, high)
        was_started = False
        for kibibytes in range(high - 5000, high, 100):
            done = attempt(kibibytes)
            was_started = was_started or done.stderr.startswith("nsview: ")
            if was_started and done.returncode:
                with self.subTest(kibibytes=kibibytes):
                    self.assertIn(done.returncode, (1, 125), done.stderr)
                    self.assertRegex(done.stderr, r"\Ansview: [^\n]*memory[^\n]*\n\Z")
        self.assertTrue(was_started)
        self.assertFalse((STATE / "exhausted.json").exists())

    def test_of_processes(self):
        """A cgroup that nsview is in allows fewer than it takes."""
        points = cgroups.mounts()
        folder = points.get("pids", points.get("")) / f"nsview-test-{os.getpid()}"
        folder.mkdir()
        try:
            codes = []
            for limit in range(1, 6):
                (folder / "pids.max").write_text(str(limit))
                script = f'echo $$ > {folder}/cgroup.procs && exec "$0" run --name exhausted true'
                done = subprocess.run(["sh", "-c", script, NSVIEW], capture_output=True, text=True,
                                      timeout=SECONDS, check=False)
                codes.append(done.returncode)
                if done.returncode:
                    self.assert_clean(done)
            self.assertEqual(codes[0], 125)
            self.assertEqual(codes[-1], 0)
        finally:
            wait_until(lambda: not (folder / "cgroup.procs").read_text())
            folder.rmdir()


if __name__ == "__main__":
    unittest.main()
