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
import screenful
from events import STORM
from nsview import NSVIEW, requires_root
from terminal import Terminal, needs_tmux

NAME = f"numbers-{os.getpid()}"
PROGRAMS, RATE = 5000, 2000
INTERVAL = 1
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
@needs_tmux
class Numbers(unittest.TestCase):
    def open(self):
        terminal = Terminal(NSVIEW, "top", "-d", INTERVAL, "-c", NAME, size=(160, 30), environment={"NO_COLOR": "1"})
        terminal.__enter__()
        self.addCleanup(terminal.end)
        terminal.wait(lambda lines: (frame := screenful.read(lines)) and frame.group(NAME) and
                      frame.group(NAME).cpu != "?")
        return terminal

    def frames(self, terminal, is_last):
        """Each frame once, by the clock in its first line, until is_last(frame)."""
        found = {}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            lines = terminal.lines()
            frame = screenful.read(lines)
            if frame and frame.group(NAME):
                found[lines[0].split()[-1]] = frame
                if is_last(list(found.values())):
                    return list(found.values())
            time.sleep(0.1)
        raise nsview.Failed("no last frame:\n" + terminal.text())

    def test_short_lives_and_cpu_are_a_storm_s_own_count(self):
        storm = f"/storm exec {PROGRAMS} {RATE} /tmp/one; sleep 1000"
        with Inside("sh", "-c", storm) as inside:
            terminal = self.open()
            before_ns = cpu_ns(inside.pid)
            inside.say(b"\n")
            counts = lambda frame: int((re.search(r"(\d+) came and went", frame.group(NAME).command) or [0, 0])[1])
            frames = self.frames(terminal, lambda frames: len(frames) > 2 and any(map(counts, frames)) and
                                 not any(map(counts, frames[-2:])))
            used_ns = cpu_ns(inside.pid) - before_ns
        self.assertIn(" 0 lost", frames[-1].lines[1])
        # One that was there when a frame was made is a row of it, or of the next one's that have ended.
        self.assertLessEqual(sum(map(counts, frames)), PROGRAMS)
        self.assertGreaterEqual(sum(map(counts, frames)), PROGRAMS - 2 * len(frames))
        shown_ns = sum(float(frame.group(NAME).cpu) for frame in frames) / 100 * INTERVAL * 1e9
        self.assertAlmostEqual(shown_ns / used_ns, 1, delta=SLACK)
        rows_ns = sum(float(row.cpu) for frame in frames for row in frame.procs(NAME)
                      if row.cpu[0].isdigit()) / 100 * INTERVAL * 1e9
        self.assertLess(rows_ns, used_ns / 2)  # what has ended is in the group's figure only

    def test_a_limit_that_is_nearly_used_up_is_told(self):
        with Inside("-v", f"{nsview.SUBJECT}:/subject:ro", "-m", "40m", "/subject", "memory", str(38 << 10), "hold") as inside:
            terminal = self.open()
            frame = terminal.wait(lambda lines: (frame := screenful.read(lines)) and frame.group(NAME) and
                                  "memory" in frame.group(NAME).command and frame)
            group = cgroups.Group(inside.pid)
            used = group.number("memory", "memory.usage_in_bytes", "memory.current")
        said = int(re.search(r"memory (\d+) % of its limit", frame.group(NAME).command)[1])
        self.assertGreaterEqual(said, 90)
        # The page cache that nobody uses is left out.
        self.assertLessEqual(said, used * 100 / (40 << 20) + 2)
        self.assertEqual(frame.group(NAME).memory.partition("/")[2], "40M")

    def test_a_group_s_count_is_that_of_its_pid_namespace(self):
        with Inside("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; read line") as inside:
            terminal = self.open()
            frame = terminal.wait(lambda lines: (frame := screenful.read(lines)) and frame.group(NAME) and
                                  frame.group(NAME).count == "10" and frame)
            self.assertEqual(sorted(row.pid for row in frame.procs(NAME) if row.pid != str(inside.pid)),
                             sorted(children_of(inside.pid)))
            subprocess.run(["kill", *children_of(inside.pid)[:4]], check=True)
            terminal.wait(lambda lines: (frame := screenful.read(lines)) and frame.group(NAME).count == "6")


if __name__ == "__main__":
    unittest.main()
