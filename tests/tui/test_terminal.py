# SPDX-License-Identifier: GPL-2.0-only
"""nsview top and its terminal: any size, any end, and it is given back as it was."""

import os
import random
import re
import signal
import statistics
import time
import unittest

import nsview
import recording
from nsview import NSVIEW, requires_root
from table import Table
from terminal import Pty, needs_tmux

NAME = f"tui-terminal-{os.getpid()}"
TOP = (NSVIEW, "top", "-c", NAME)
CURSOR_SHOWN, SCREEN_LEFT = b"\x1b[?25h", b"\x1b[?1049l"  # xterm's cnorm and rmcup

containers = {}


def setUpModule():
    if os.geteuid() == 0:
        containers[NAME] = recording.Container(NAME).__enter__()
        containers[NAME].do("sleep 1000 & sleep 1001 &")


def tearDownModule():
    for container in containers.values():
        container.__exit__()


def wait_table(terminal, claim=lambda frame: True):
    """The first frame that fits."""
    return terminal.frame(lambda frame: frame.procs() and claim(frame))


def first_pid():
    return next(pid for pid, row in nsview.ps("-c", NAME).items() if row["in_pid"] == 1)


@requires_root
class End(unittest.TestCase):
    """However it ends, the terminal's settings are those from before and its own screen is back."""

    def check(self, end, status):
        with Pty(*TOP) as terminal:
            terminal.read_until(NAME)
            self.assertNotEqual(terminal.settings(), terminal.before)
            end(terminal)
            self.assertEqual(terminal.wait_end(), status)
            self.assertEqual(terminal.settings(), terminal.before)
            self.assertGreater(terminal.written.rfind(SCREEN_LEFT), terminal.written.rfind(b"\x1b[?1049h"))
            self.assertGreater(terminal.written.rfind(CURSOR_SHOWN), terminal.written.rfind(b"\x1b[?25l"))
            self.assertNotIn(NAME.encode(), terminal.written[terminal.written.rfind(SCREEN_LEFT):])

    def test_by_q(self):
        self.check(lambda terminal: terminal.send(b"q"), 0)

    def test_by_f10(self):
        self.check(lambda terminal: terminal.send(b"\x1b[21~"), 0)

    def test_by_ctrl_c(self):
        self.check(lambda terminal: terminal.send(b"\x03"), 0)

    def test_by_a_signal_that_asks(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(number.name), Pty(*TOP) as terminal:
                terminal.read_until(NAME)
                terminal.process.send_signal(number)
                self.assertEqual(terminal.wait_end(), 0)
                self.assertEqual(terminal.settings(), terminal.before)
                self.assertGreater(terminal.written.rfind(SCREEN_LEFT), terminal.written.rfind(b"\x1b[?1049h"))

    def test_by_a_crash(self):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            with self.subTest(number.name):
                self.check(lambda terminal, number=number: terminal.process.send_signal(number), -number)

    def test_within_a_moment(self):
        """Not at the next frame's time: that is an hour away."""
        with Pty(*TOP, "-d", "3600") as terminal:
            terminal.read_until(NAME)
            terminal.send(b"\x03")
            self.assertEqual(terminal.wait_end(), 0)

    def test_when_the_terminal_goes(self):
        with Pty(*TOP) as terminal:
            terminal.read_until(NAME)
            pid = terminal.process.pid
        nsview.wait_until(lambda: not os.path.exists(f"/proc/{pid}"))


@requires_root
@needs_tmux
class Stop(unittest.TestCase):
    def test_ctrl_z_and_fg(self):
        with Table(shell=True) as terminal:
            terminal.wait_for(r"^ready\$")
            terminal.type(" ".join(TOP) + "\n")
            wait_table(terminal)
            self.assertEqual(terminal.ask("alternate_on"), "1")
            for _ in range(2):
                terminal.send("C-z")
                terminal.wait_for("Stopped")
                self.assertEqual(terminal.ask("alternate_on"), "0")
                terminal.send("C-l")
                terminal.type("stty -a; echo still here\n")
                said = "\n".join(terminal.wait(lambda lines: "still here" in lines and lines))
                for word in ("echo", "icanon", "isig", "icrnl"):
                    self.assertRegex(said, rf"(?<![-\w]){word}\b")
                terminal.type("fg\n")
                wait_table(terminal)
                terminal.send("F1")
                terminal.wait_for("search")
                terminal.leave()
                wait_table(terminal)
            terminal.send("q")
            terminal.wait_for(r"^ready\$ *$")

    def test_another_size_while_it_was_stopped(self):
        with Table(shell=True) as terminal:
            terminal.wait_for(r"^ready\$")
            terminal.type(" ".join(TOP) + "\n")
            wait_table(terminal)
            terminal.send("C-z")
            terminal.wait_for("Stopped")
            terminal.resize(90, 20)
            terminal.type("fg\n")
            wait_table(terminal)
            self.assertEqual(len(terminal.lines()), 20)
            terminal.send("q")
            terminal.wait_for(r"^ready\$ *$")


@requires_root
@needs_tmux
class Size(unittest.TestCase):
    def test_each_has_a_frame_of_its_own_size(self):
        for width, height in ((80, 24), (120, 30), (300, 100), (40, 10), (30, 6)):
            with self.subTest(size=(width, height)), Table(*TOP, size=(width, height)) as terminal:
                frame = wait_table(terminal)
                self.assertEqual(len(frame.lines), height)
                self.assertLessEqual(max(map(len, frame.lines)), width)
                self.assertIn(str(first_pid()), [row.pid for row in frame.procs()])

    def test_no_terminal_is_too_small_to_go_on(self):
        for width, height in ((120, 1), (10, 3), (1, 1), (2, 50)):
            with self.subTest(size=(width, height)), Table(*TOP, size=(width, height)) as terminal:
                time.sleep(1.5)
                for key in ("F1", "Down", "Escape", "F6", "Escape", "F4", "Escape", "/", "Escape", "Enter", "Escape"):
                    terminal.send(key)
                terminal.resize(120, 30)
                wait_table(terminal)
                terminal.send("q")
                self.assertEqual(terminal.wait_end(), 0)

    def test_one_line_says_what_matters(self):
        with Table(*TOP, size=(120, 1)) as terminal:
            terminal.wait(lambda lines: NAME in lines[0])
            terminal.send("Down")
            terminal.wait(lambda lines: str(first_pid()) in lines[0].split())

    def test_columns_leave_a_narrow_terminal_in_their_order(self):
        with Table(*TOP, size=(160, 24)) as terminal:
            wide = set(wait_table(terminal).headings)
            self.assertEqual(wide, {"USER", "PID", "IN-USER", "IN-PID", "%CPU", "MEM/LIMIT", "CAPS", "COMMAND"})
            gone = []
            for width in range(150, 79, -5):
                terminal.resize(width, 24)
                frame = wait_table(terminal, lambda frame: max(map(len, frame.lines)) <= width)
                gone += [name for name in ("MEM/LIMIT", "%CPU") if name not in frame.headings and name not in gone]
                for name in ("USER", "PID", "IN-USER", "IN-PID", "CAPS", "COMMAND"):
                    self.assertIn(name, frame.headings)
            self.assertEqual(gone, ["MEM/LIMIT", "%CPU"][:len(gone)])

    def test_a_storm_of_sizes(self):
        chance = random.Random(6)
        with Table(*TOP) as terminal:
            wait_table(terminal)
            for turn in range(80):
                terminal.resize(chance.choice((1, 5, 20, 79, 80, 81, 120, 200, 300)),
                                chance.choice((1, 2, 3, 5, 23, 24, 25, 60, 100)))
                if turn % 4 == 0:
                    terminal.send(chance.choice(("Down", "Up", "F5", "e", "Tab", "PageDown", "End", "Home", "+")))
            terminal.resize(120, 30)
            frame = wait_table(terminal, lambda frame: len(frame.lines) == 30)
            self.assertEqual(terminal.ask("pane_dead"), "0")
            with Table(*TOP) as fresh:
                other = wait_table(fresh)
                self.assertEqual(frame.lines[0].split()[:3], other.lines[0].split()[:3])

    def test_a_resized_frame_is_that_of_a_fresh_one(self):
        with Table(*TOP, size=(80, 24)) as terminal, Table(*TOP, size=(130, 40)) as fresh:
            wait_table(terminal)
            wanted = wait_table(fresh)
            terminal.resize(130, 40)
            frame = wait_table(terminal, lambda frame: len(frame.lines) == 40 and "MEM/LIMIT" in frame.headings)
            self.assertEqual(frame.headings, wanted.headings)
            self.assertEqual([row.pid for row in frame.procs()], [row.pid for row in wanted.procs()])


@requires_root
@needs_tmux
class Looks(unittest.TestCase):
    COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|38|4[0-7]|48|9[0-7])(?:;\d+)*m")

    def test_colours_only_where_wanted(self):
        with Table(*TOP, environment={"NO_COLOR": ""}) as terminal:
            wait_table(terminal)
            self.assertRegex(terminal.styled(), self.COLOUR)
        with Table(*TOP) as terminal:
            plain = wait_table(terminal)
            self.assertNotRegex(terminal.styled(), self.COLOUR)
            self.assertIn("\x1b[", terminal.styled())  # the selected row is told apart all the same
        with Table(*TOP, term="screen", environment={"NO_COLOR": ""}) as terminal:
            frame = wait_table(terminal)
            self.assertEqual(frame.headings, plain.headings)

    def test_a_terminal_without_colours(self):
        with Pty(*TOP, environment={"TERM": "vt100"}) as terminal:
            terminal.read_until(NAME)
            terminal.read_until("Quit")
            self.assertNotRegex(terminal.written.decode(errors="replace"), self.COLOUR)
            terminal.send(b"q")
            self.assertEqual(terminal.wait_end(), 0)
            self.assertEqual(terminal.settings(), terminal.before)

    def test_a_terminal_that_nobody_knows(self):
        with Pty(*TOP, environment={"TERM": "no-such-terminal"}) as terminal:
            self.assertIn(terminal.wait_end(), (1, 2, 3))
            self.assertIn(b"no-such-terminal", terminal.written)
            self.assertEqual(terminal.settings(), terminal.before)

    def test_without_a_terminal(self):
        done = nsview.run("top", check=None)
        self.assertIn(done.returncode, (1, 2, 3))
        self.assertIn("--once", done.stderr)

    def test_ascii_locale(self):
        container = containers[NAME]
        container.do("sh -c 'exec -a $(printf \"\\342\\202\\254uro\") sleep 1003' & true")
        with Table(*TOP, environment={"LC_ALL": "C"}) as terminal:
            wait_table(terminal)
            self.assertRegex(terminal.text(), r"\A[\x00-\x7f]*\Z")

    def test_an_idle_frame_writes_little(self):
        with Pty(*TOP) as terminal:
            terminal.read_until(NAME)
            terminal.read(2.5)
            frames = [len(terminal.read(1)) for _ in range(6)]
            self.assertGreater(max(frames), 0)  # its clock goes
            self.assertLess(statistics.median(frames), 200, frames)

    def test_ctrl_l_draws_everything_anew(self):
        with Pty(*TOP, "-d", "3600") as terminal:
            terminal.read_until("Quit")
            terminal.forget()
            terminal.send(b"\x0c")
            terminal.read_until("Quit")
            self.assertIn(NAME, terminal.text())

    def test_a_frozen_frame_writes_less(self):
        with Pty(*TOP) as terminal:
            terminal.read_until(NAME)
            terminal.send(b"p\x0c")  # and all of it anew
            terminal.read_until("frozen")
            terminal.read_quiet()
            self.assertLess(len(terminal.read(2)), 200)


@requires_root
@needs_tmux
class Hostile(unittest.TestCase):
    """Names and arguments of a process cannot leave their place on the screen."""

    NAMES = [
        b"\x1b[2J\x1b[H\x1b]0;owned\x07",
        b"line\nbreak\rback\x08\x08\x08tab\tbell\x07",
        b"\x9b31m\x90\x9d",
        "\u202eright to left\u202c \u200bhidden\ufeff".encode(),
        ("e" + "\u0301" * 50).encode(),
        "\u3042\u4e2d\uff21 wide \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467".encode(),
        b"\xff\xfe\xc3\x28 not utf-8",
        b"%s%n%d \\x1b",
        b"+ host 99 full",
        b"x" * 4000,
    ]

    def test_frame_stays_intact(self):
        with nsview.Subject("unshare", "mnt", "unshare", "pid", "fork", extra=self.NAMES) as hostile:
            for name in self.NAMES:
                self.assertIn(name, open(f"/proc/{hostile.pid}/cmdline", "rb").read())
            with Table(NSVIEW, "top", "-p", hostile.pid, size=(200, 24)) as terminal:
                self.check(terminal, hostile.pid)

    def test_each_name_by_itself(self):
        for name in self.NAMES:
            with self.subTest(name=name[:20]):
                with nsview.Subject("unshare", "mnt", "unshare", "pid", "fork", "comm", name[:15], extra=[name]) as hostile, \
                        Table(NSVIEW, "top", "-p", hostile.pid, size=(120, 24)) as terminal:
                    self.check(terminal, hostile.pid)

    def check(self, terminal, pid):
        frame = terminal.frame(lambda frame: frame.proc(pid))
        self.assertEqual(terminal.ask("pane_title").count("owned"), 0)
        self.assertEqual(len(frame.procs()), 1)
        self.assertRegex(frame.lines[0], "^nsview")
        self.assertRegex(frame.lines[-1], "Quit")
        self.assertEqual(frame.proc(pid).in_pid, "1")
        terminal.select(pid)
        terminal.send("Enter")
        terminal.wait(lambda lines: re.search(r"(?m)^ +directory +\S", "\n".join(lines)) and lines[-1].strip())
        terminal.leave()
        terminal.frame(lambda frame: frame.proc(pid))
        terminal.send("q")
        self.assertEqual(terminal.wait_end(), 0)


if __name__ == "__main__":
    unittest.main()
