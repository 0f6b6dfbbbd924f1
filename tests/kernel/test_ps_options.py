# SPDX-License-Identifier: GPL-2.0-only
"""The columns of nsview ps for every process there is against ps(1), its order against ps --sort,
colour, and what is said where something could not be known."""

import contextlib
import json
import re
import subprocess
import unittest

import nsview
import procview
from nsview import Subject, run
from test_hostile import on_terminal

# nsview's column: ps's.
COLUMNS = {
    "pid": "pid", "ppid": "ppid", "user": "user:64", "uid": "ruid", "gid": "rgid", "tty": "tty",
    "pri": "pri", "ni": "ni", "threads": "nlwp", "start": "start_time", "stat": "stat", "vsz": "vsz",
    "rss": "rss", "mem": "pmem", "command": "args",
}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def cells(output, columns):
    """{pid: [cells]}. splitlines() would also break a line at characters that ps lets through."""
    rows = (line.split(None, len(columns)) for line in output.split("\n") if line)
    return {int(row[0]): row[1:] for row in rows}


def theirs(*columns, order="pid"):
    """{pid: [cells]} as ps prints them; the last column may hold blanks."""
    command = ["ps", "-ewwo", ",".join(("pid", *columns)), "--no-headers", "--sort", order]
    return cells(subprocess.run(command, capture_output=True, text=True, check=True).stdout, columns)


def ours(*columns, source="bpf", order="pid"):
    return cells(run("ps", "--source", source, "--no-headers", "--sort", order,
                     "-o", ",".join(("pid", *columns))).stdout, columns)


def is_idle(pid):
    """SCHED_IDLE of linux/sched.h: ps shows no nice value then, though there is one."""
    return procview.stat(pid)[41] == "5"


def seconds(minutes):
    return int(minutes.split(":")[0]) * 60 + int(minutes.split(":")[1])


@nsview.requires_root
class AgainstPs(unittest.TestCase):
    maxDiff = None

    def both(self, source, mine, their):
        """Rows of what did not change between two looks with ps, nsview's look between them."""
        before, found, after = theirs(*their), ours(*mine, source=source), theirs(*their)
        # What ps shows as ? is escaped here; test_hostile.py has those.
        steady = {pid for pid in before if before[pid] == after.get(pid) and pid in found
                  and "\\" not in found[pid][-1]}
        self.assertGreater(len(steady), 5)
        return {pid: (found[pid], before[pid]) for pid in steady}

    def check(self, source, mine, their, is_same):
        """A busy process can change twice between two looks, but not every time."""
        different = None
        for _ in range(5):
            found = {pid: pair for pid, pair in self.both(source, mine, their).items()
                     if not is_same(*pair) and (different is None or pid in different)}
            different = found
            if not different:
                break
        self.assertEqual(different, {})

    def is_same(self, mine, their):
        """ps has `?` for what it does not print; nsview shows what it was. What nsview asks of the kernel is
        what wakes some of the kernel's threads, so they run whenever it looks."""
        at = {name: place for place, name in enumerate(COLUMNS)}
        mine = list(mine)
        if their[-1].startswith("[") and mine[at["stat"]].startswith("R"):
            mine[at["stat"]] = their[at["stat"]][0] + mine[at["stat"]][1:]
        with contextlib.suppress(OSError):
            if procview.started_as_a_minute_did(mine[at["pid"]]):
                mine[at["start"]] = their[at["start"]]
            if is_idle(mine[at["pid"]]):
                mine[at["ni"]] = their[at["ni"]]
        return mine == their or mine[:-1] == their[:-1] and "?" in their[-1]

    def test_every_process_has_the_columns_that_ps_shows(self):
        with Subject("pty", "threads", 3, "nice", 5), Subject("memory", 20000), Subject("fork-pid"):
            for source in ("bpf", "proc"):
                with self.subTest(source=source):
                    self.check(source, COLUMNS, COLUMNS.values(), self.is_same)

    def test_cpu_time_and_share_are_those_of_ps(self):
        # ps adds user and system time after each was cut to whole ticks: 20 ms at a second's age.
        def is_same(mine, their):
            return (abs(seconds(mine[0]) - seconds(their[0])) <= 1 and
                    abs(float(mine[1]) - float(their[1])) <= 2.1)

        for source in ("bpf", "proc"):
            with self.subTest(source=source):
                self.check(source, ("time", "cpu"), ("bsdtime", "pcpu"), is_same)

    def test_sort_gives_the_order_of_ps(self):
        with Subject("memory", 30000) as one, Subject("memory", 10000) as two, Subject() as three:
            pids = [one.pid, two.pid, three.pid]
            for key in ("vsz", "-vsz", "rss", "-rss", "pid", "-pid"):
                with self.subTest(key=key):
                    expected = [pid for pid in theirs("comm", order=key) if pid in pids]
                    self.assertEqual([pid for pid in ours("comm", order=key) if pid in pids], expected)


@nsview.requires_root
class Colour(unittest.TestCase):
    def test_colour_only_on_a_terminal_that_wants_it_and_never_alone(self):
        with Subject() as subject:
            words = ("ps", "-p", str(subject.pid))
            coloured = on_terminal(*words, no_color="")
            plain = on_terminal(*words)
            self.assertNotIn("\x1b", plain)
            self.assertNotIn("\x1b", run(*words).stdout)
            self.assertEqual(heading_and_caps(ESCAPE.sub("", coloured)), heading_and_caps(plain))
            if subject_has_all():
                self.assertIn("\x1b[1;31mfull\x1b[0m", coloured)


def heading_and_caps(text):
    lines = text.splitlines()
    return lines[0], lines[1].split()[-2]


def subject_has_all():
    with open("/proc/self/status", encoding="utf-8") as status:
        effective = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff"))
    with open("/proc/sys/kernel/cap_last_cap", encoding="utf-8") as last:
        return effective == (2 << int(last.read())) - 1


@nsview.requires_root
class Unknown(unittest.TestCase):
    def test_rows_left_out_because_something_is_unknown_are_counted(self):
        # securebits are in no file of /proc.
        with Subject() as subject:
            done = run("ps", "--source", "proc", "-p", str(subject.pid), "--filter", "not securebits=7",
                       "--json")
            self.assertEqual(json.loads(done.stdout), [])
            self.assertRegex(done.stderr, r"^nsview: 1 [^\n]*\n$")

    def test_some_pids_there_and_some_not(self):
        with Subject() as subject:
            done = run("ps", "-p", f"{subject.pid},4194305", "-o", "pid", "--no-headers", check=1)
            self.assertEqual(done.stdout.split(), [str(subject.pid)])
            self.assertIn("4194305", done.stderr)


@nsview.requires_root
class Filter(unittest.TestCase):
    def test_units_and_sets_of_real_processes(self):
        with Subject("memory", 30000, "groups", 70000, 100, "nice", 3) as subject:
            select = ("-p", str(subject.pid), "-o", "pid", "--no-headers")
            for expression, is_true in (
                    ("rss>29m and rss<200m", True), ("rss>2g", False), ("groups~70099", True),
                    ("groups~70100", False), ("ni=3 and stat~N", True), ("start>-10m", True),
                    ("start<-1h", False), ("time<1h", True), ("exe~/subject$", True), ("tty=?", True)):
                with self.subTest(expression=expression):
                    done = run("ps", "--filter", expression, *select)
                    self.assertEqual(done.stdout.split(), [str(subject.pid)] * is_true, done.stderr)
