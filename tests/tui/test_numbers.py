# SPDX-License-Identifier: GPL-2.0-only
"""The live table's figures against what other programs count: a storm's own, /proc's and the cgroups'."""

import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import cgroups
import nsview
import table
from events import STORM
from nsview import NSVIEW, requires_root

NAME = f"numbers-{os.getpid()}"
PROGRAMS, RATE = 3000, 1000
INTERVAL = 3  # seconds: long beside the moments by which a busy machine makes a frame late
SLACK = 0.25  # of a figure that two programs read at two moments


class Inside:
    """A container of nsview's with a command that waits for its standard input."""

    def __init__(self, *words):
        self.folder = tempfile.TemporaryDirectory()
        os.chmod(self.folder.name, 0o755)
        self.launched = nsview.Launched([NSVIEW, "run", "-i", "--name", NAME, "-v", f"{STORM}:/storm:ro", *words])

    def __enter__(self):
        self.pid = self.launched.__enter__()
        return self

    def say(self, text):
        self.launched.process.stdin.write(text)
        self.launched.process.stdin.flush()

    def __exit__(self, *error):
        self.launched.__exit__()
        self.folder.cleanup()


def cpu_ns(pid):
    """Of all that ever ran in its cgroup."""
    group = cgroups.Group(pid)
    if "cpuacct" in group.folders:
        return int(group.file("cpuacct", "cpuacct.usage", "").read_text())
    text = group.file("cpu", "", "cpu.stat").read_text()
    return int(re.search(r"^usage_usec (\d+)$", text, re.M)[1]) * 1000


def children_of(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@requires_root
class Numbers(table.Case):
    def open_shown(self, *words):
        """The table, once it has a frame before to compare with."""
        terminal = self.open_top("-c", NAME, *words, size=(160, 30))
        terminal.frame(lambda frame: frame.group(NAME) and frame.group(NAME).cpu != "?")
        return terminal

    def frames(self, terminal, is_last):
        """(seconds that it is of, frame) of each frame once, by the clock in its first line, until is_last(frames)."""
        found, clock, before = [], terminal.lines()[0].split()[-1], time.monotonic()
        while not (len(found) > 1 and is_last([frame for _, frame in found])):
            frame = terminal.frame(lambda frame: frame.group(NAME) and frame.lines[0].split()[-1] != clock)
            clock, now = frame.lines[0].split()[-1], time.monotonic()
            found.append((now - before, frame))
            before = now
        return found

    def test_short_lives_and_cpu_are_a_storm_s_own_count(self):
        storm = f"/storm exec {PROGRAMS} {RATE} /tmp/one; sleep 1000"
        with Inside("sh", "-c", storm) as inside:
            terminal = self.open_shown("-d", INTERVAL)
            terminal.wait(lambda lines, clock=terminal.lines()[0]: lines[0] != clock)
            before_ns = cpu_ns(inside.pid)
            inside.say(b"\n")
            counts = lambda frame: int((re.search(r"(\d+) came and went", frame.group(NAME).command) or [0, 0])[1])
            frames = self.frames(terminal, lambda frames: any(map(counts, frames)) and not counts(frames[-1]))
            used_ns = cpu_ns(inside.pid) - before_ns
        counted = sum(counts(frame) for _, frame in frames)
        lost = int(re.search(r" (\d+) lost", frames[-1][1].lines[1])[1])
        # One that was there when a frame was made is a row of it, or of the next one's that have ended.
        self.assertLessEqual(counted, PROGRAMS)
        self.assertGreaterEqual(counted + lost, PROGRAMS - 2 * len(frames))
        shown_ns = sum(float(frame.group(NAME).cpu) / 100 * seconds * 1e9 for seconds, frame in frames)
        self.assertAlmostEqual(shown_ns / used_ns, 1, delta=SLACK)
        rows_ns = sum(float(row.cpu) / 100 * seconds * 1e9 for seconds, frame in frames for row in frame.procs(NAME)
                      if row.cpu[0].isdigit())
        self.assertLess(rows_ns, used_ns / 2)  # what has ended is in the group's figure only

    def test_a_limit_that_is_nearly_used_up_is_told(self):
        with Inside("-v", f"{nsview.SUBJECT}:/subject:ro", "-m", "40m", "/subject", "memory", str(38 << 10), "hold") as inside:
            terminal = self.open_shown()
            frame = terminal.frame(lambda frame: frame.group(NAME) and "memory" in frame.group(NAME).command)
            group = cgroups.Group(inside.pid)
            used = group.number("memory", "memory.usage_in_bytes", "memory.current")
        said = int(re.search(r"memory (\d+) % of its limit", frame.group(NAME).command)[1])
        self.assertGreaterEqual(said, 90)
        # The page cache that nobody uses is left out.
        self.assertLessEqual(said, used * 100 / (40 << 20) + 2)
        self.assertEqual(frame.group(NAME).memory.partition("/")[2], "40M")

    def test_a_group_s_count_is_that_of_its_pid_namespace(self):
        with Inside("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; read line") as inside:
            terminal = self.open_shown()
            frame = terminal.frame(lambda frame: frame.group(NAME) and frame.group(NAME).count == "10")
            self.assertEqual(sorted(row.pid for row in frame.procs(NAME) if row.pid != str(inside.pid)),
                             sorted(children_of(inside.pid)))
            subprocess.run(["kill", *children_of(inside.pid)[:4]], check=True)
            terminal.frame(lambda frame: frame.group(NAME).count == "6")


if __name__ == "__main__":
    unittest.main()
