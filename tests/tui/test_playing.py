# SPDX-License-Identifier: GPL-2.0-only
"""nsview top --replay: a recording plays, stands still, and is stepped through. How a frame of it looks is held
to the byte: expected/ is made anew, to be looked at, by tests/replay/record --accept."""

import json
import pathlib
import re
import struct
import time
import unittest

import nsview
import recording
import screenful
from nsview import NSVIEW
from table import Table
from terminal import Pty, needs_tmux

HERE = pathlib.Path(__file__).resolve().parent
RECORDING = HERE.parent / "replay/two.nsview"
REPLAY = (NSVIEW, "top", "--replay", str(RECORDING))
ENVIRONMENT = {"TZ": "Asia/Tokyo", "NO_COLOR": "1"}
EVENT = 5  # enum record_type
AT = ("--at", "+0.75")
LAYOUTS = {f"top-{width}x{height}": (width, height) for width, height in ((80, 24), (120, 30), (200, 50), (60, 12))}


def first(terminal):
    return terminal.frame(lambda frame: frame.rows)


def shot(size):
    """One frame of the recording, on a terminal of that size."""
    with Table(*REPLAY, *AT, size=size, environment=ENVIRONMENT) as terminal:
        return "\n".join(first(terminal).lines) + "\n"


def accept():
    (HERE / "expected").mkdir(exist_ok=True)
    for name, size in LAYOUTS.items():
        (HERE / "expected" / name).write_text(shot(size))


@needs_tmux
class Layout(unittest.TestCase):
    maxDiff = None

    def check(self, name):
        self.assertEqual(shot(LAYOUTS[name]), (HERE / "expected" / name).read_text())


def add_layout(name):
    setattr(Layout, "test_" + name.replace("-", "_"), lambda self: self.check(name))


for each in LAYOUTS:
    add_layout(each)


@needs_tmux
class Play(unittest.TestCase):
    def open(self, *words, size=(130, 40)):
        terminal = Table(*REPLAY, *words, size=size, environment=ENVIRONMENT).__enter__()
        self.addCleanup(terminal.end)
        return terminal

    def there(self, frame):
        """Those that have not ended, by pid."""
        return {int(row.pid): row for row in frame.procs() if row.mark != "x"}

    def rows_at(self, offset):
        """None: its end."""
        at = [] if offset is None else ["--at", f"+{offset}"]
        said = nsview.run("ps", "--json", "--replay", str(RECORDING), *at).stdout
        return {row["pid"]: row for row in json.loads(said)}

    def wait_as_at(self, terminal, offset):
        """The table is that of `nsview ps --at`."""
        rows = {pid: (row["user"], str(row["in_pid"]), row["caps"]) for pid, row in self.rows_at(offset).items()}
        return terminal.frame(lambda frame: rows == {pid: (row.user, row.in_pid, row.caps)
                                                     for pid, row in self.there(frame).items()})

    def test_the_table_is_that_of_the_moment(self):
        for offset in (0, 0.3, 0.45, 3):
            with self.subTest(offset=offset):
                self.wait_as_at(self.open("--at", f"+{offset}"), offset)

    def test_arrows_step_through_time(self):
        terminal = self.open("--at", "+0", "-d", "0.2")
        self.wait_as_at(terminal, 0)
        for offset in (0.2, 0.4, 0.6):
            terminal.send("Right")
            self.wait_as_at(terminal, offset)
        for offset in (0.4, 0.2, 0):
            terminal.send("Left")
            self.wait_as_at(terminal, offset)
        terminal.send("Left")  # nothing is before the start
        self.wait_as_at(terminal, 0)
        terminal.send("Right", "Right", "Right", "Right", "Left")  # at once, and the way is gone once
        self.wait_as_at(terminal, 0.6)

    def test_events_of_a_step_are_counted(self):
        terminal = self.open("--at", "+0", "-d", "0.4")
        self.wait_as_at(terminal, 0)
        terminal.send("Right")
        frame = self.wait_as_at(terminal, 0.4)
        start = struct.unpack_from("<Q", RECORDING.read_bytes(), 24)[0]
        times = [struct.unpack_from("<Q", record, 8)[0] for kind, record in recording.records(RECORDING) if kind == EVENT]
        count = sum(start < time <= start + 400_000_000 for time in times)
        self.assertGreater(count, 0)
        self.assertRegex(frame.lines[1], rf" {count / 0.4:.0f} events/s ")
        time.sleep(1)  # more than two frames, of a recording that stands still
        self.assertEqual(terminal.lines()[1], frame.lines[1])

    def test_what_is_folded_stays_so_on_the_way_back(self):
        terminal = self.open("--at", "+3")
        first(terminal)
        terminal.send("-")
        frame = terminal.frame(lambda frame: {group.mark for group in frame.groups()} == {"+"})
        terminal.send("Left")
        frame = terminal.frame(lambda now: now.lines[0] != frame.lines[0])
        self.assertEqual({group.mark for group in frame.groups()}, {"+"})

    def test_it_plays_to_its_end_by_itself(self):
        terminal = self.open()
        frame = first(terminal)
        self.assertIn("replay", frame.lines[0])
        self.wait_as_at(terminal, None)
        self.assertEqual(terminal.ask("pane_dead"), "0")

    def test_space_pauses_and_goes_on(self):
        terminal = self.open("-d", "0.2")
        first(terminal)
        terminal.send("Space")
        shown = terminal.wait(lambda lines: "paused" in lines[0] and lines)
        time.sleep(1.5)
        self.assertEqual(terminal.lines(), shown)
        terminal.send("p")
        terminal.wait_gone("paused")
        self.wait_as_at(terminal, None)

    def test_the_clock_is_the_recording_s(self):
        frame = first(self.open("--at", "+0"))
        # The recording began at 05:08:28 UTC, in Berlin, which is one hour ahead; this test says Tokyo.
        self.assertRegex(frame.lines[0], r"2026-11-22 06:08:2[78]$")
        self.assertIn("example", frame.lines[0])  # the host name of then, which nobody here has

    def test_nothing_of_this_machine_is_shown(self):
        frame = first(self.open(*AT))
        self.assertEqual({group.name for group in frame.groups()}, {"shop", "db"})
        self.assertNotRegex(frame.lines[0], r"mem \d")  # its memory was not recorded

    def test_the_pane_has_what_happened_until_then(self):
        frame = first(self.open("--at", "+0.35", size=(160, 60)))
        shown = "\n".join(frame.pane)
        self.assertRegex(shown, r"32369/3 .*root -> nobody")
        self.assertNotIn("32393/7", shown)
        frame = first(self.open("--at", "+0.6", size=(160, 60)))
        self.assertIn("32393/7", "\n".join(frame.pane))

    def test_pages_of_a_recording(self):
        terminal = self.open("--at", "+3", size=(120, 100))
        first(terminal)
        terminal.send("Home", "Down", "Enter")
        terminal.wait_for(r"^ *effective +docker-default, 14 of 41")
        terminal.send("Escape", "i")
        inside = nsview.run("ps", "--inside", "shop", "--replay", str(RECORDING), "--at", "+3").stdout
        rows = [re.sub(r"\s+", " ", line.strip())[:40] for line in inside.splitlines()]
        terminal.wait(lambda lines: all(row in re.sub(" +", " ", "\n".join(lines)) for row in rows))

    def test_once_is_its_end(self):
        said = nsview.run("top", "--once", "--replay", str(RECORDING)).stdout
        frame = screenful.read(said.splitlines() + ["", ""])
        self.assertEqual(set(self.there(frame)), set(self.rows_at(None)))

    def test_what_is_no_recording_is_told_and_no_terminal_taken(self):
        with Pty(NSVIEW, "top", "--replay", HERE / "terminal.py") as terminal:
            self.assertEqual(terminal.wait_end(), 1)
            self.assertIn(b"terminal.py is not a recording", terminal.written)
            self.assertNotIn(b"\x1b", terminal.written)


if __name__ == "__main__":
    unittest.main()
