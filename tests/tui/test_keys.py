# SPDX-License-Identifier: GPL-2.0-only
"""Every key of nsview top, typed into the real program in a real terminal, beside what /proc says."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import events
import nsview
import procview
import recording
import screenful
from nsview import NSVIEW, requires_root
from terminal import Terminal, needs_tmux

ONE, TWO = f"keys-one-{os.getpid()}", f"keys-two-{os.getpid()}"
TOP = (NSVIEW, "top", "-c", ONE, "-c", TWO)
MIB = 1 << 20

containers = {}


def setUpModule():
    if os.geteuid() != 0:
        return
    for name in (ONE, TWO):
        containers[name] = recording.Container(name, "-v", f"{nsview.SUBJECT}:/subject:ro").__enter__()
    # A tree of three; two that hold memory; one that works.
    containers[ONE].do("sh -c 'sh -c \"sleep 2001; true\" & sleep 2002; true' &")
    containers[ONE].do("sleep 1001 & setpriv --reuid=65534 --clear-groups sleep 1002 &")
    for name, size in (("big", 40), ("small", 20)):
        containers[TWO].do(f"sh -c 'x=$(head -c {size}000000 /dev/zero | tr \"\\0\" x); sleep 9000; true' {name} &")
    containers[TWO].do("nice -n 19 sh -c 'while :; do :; done' busy &")


def tearDownModule():
    for container in containers.values():
        container.__exit__()


def first_pid(name):
    state = json.loads(nsview.run("ps", "--json", "-c", name).stdout)
    return next(row["pid"] for row in state if row["in_pid"] == 1)


def pids_in(name):
    """By the kernel's own word: the pid namespace of the container's first process."""
    wanted = os.readlink(f"/proc/{first_pid(name)}/ns/pid")
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") == wanted:
                    found.add(int(entry))
            except OSError:
                continue
    return found


def arguments(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]


def pid_of(name, *words):
    """The one in that container with these arguments."""
    found = [pid for pid in pids_in(name) if arguments(pid) == list(words)]
    if len(found) != 1:
        raise nsview.Failed(f"{words} in {name}: {found}")
    return found[0]


def named(container, word):
    """The one whose last argument that is."""
    found = [pid for pid in pids_in(container) if arguments(pid)[-1:] == [word]]
    if len(found) != 1:
        raise nsview.Failed(f"{word} in {container}: {found}")
    return found[0]


@requires_root
@needs_tmux
class Case(unittest.TestCase):
    def open(self, *words, size=(120, 40), **options):
        # Without colours the selected row is reversed.
        terminal = Terminal(*(words or TOP), size=size, environment={"NO_COLOR": "1"}, **options)
        terminal.__enter__()
        self.addCleanup(terminal.end)
        return terminal

    def frame(self, terminal, claim=lambda frame: True, seconds=40):
        """The first one that fits."""
        def look(lines):
            frame = screenful.read(lines)
            return frame if frame and claim(frame) else None
        return terminal.wait(look, seconds)

    def full(self, terminal):
        return self.frame(terminal, lambda frame: frame.group(ONE) and frame.group(TWO) and
                          len(frame.procs(ONE)) >= 5)

    def escape(self, terminal):
        """What follows an escape at once would be taken for a part of it."""
        terminal.send("Escape")
        time.sleep(0.3)

    def selected(self, terminal):
        """The line that keys act on: told apart by more than colour."""
        found = [number for number in terminal.reversed_lines() if 4 <= number < terminal.size[1] - 2]
        return found[0] if found else None

    def select(self, terminal, pid):
        """By search, as one would."""
        terminal.send("Home")
        for _ in range(60):
            frame = screenful.read(terminal.lines())
            row = frame and frame.proc(pid)
            if row and self.selected(terminal) == row.line:
                return frame
            terminal.send("Down")
            time.sleep(0.05)
        raise nsview.Failed(f"{pid} cannot be selected:\n{terminal.text()}")


class Help(Case):
    KEYS = ("F1", "h", "?", "F3", "/", "F4", "\\", "f", "F5", "t", "F6", ">", "s", "I", "P", "M", "T", "Space", "+", "-",
            "u", "Enter", "i", "e", "p", "w", "F10", "q")

    def test_every_key_of_the_promise_is_in_it(self):
        terminal = self.open(size=(100, 60))
        self.full(terminal)
        for key in ("F1", "h", "?"):
            with self.subTest(key):
                terminal.send(key)
                terminal.wait_for("(?i)search")
                terminal.wait_gone("IN-PID.*CAPS")
                words = set(re.split(r"[\s,]+", terminal.text()))
                self.assertEqual([key for key in self.KEYS if key not in words], [])
                self.escape(terminal)
                self.full(terminal)

    def test_the_last_line_names_the_keys(self):
        terminal = self.open()
        last = self.full(terminal).lines[-1]
        for word in ("F1", "Help", "Search", "Filter", "Tree", "Sort", "Fold", "Inspect", "Inside", "Events", "Freeze", "Quit"):
            self.assertIn(word, last)

    def test_help_of_the_command_has_them_too(self):
        said = nsview.run("top", "--help").stdout
        for word in ("-d", "--once", "--replay"):
            self.assertIn(word, said)


class Search(Case):
    def test_goes_to_the_next_one_and_round_the_end(self):
        for key in ("F3", "/"):
            with self.subTest(key):
                terminal = self.open()
                frame = self.full(terminal)
                terminal.send(key)
                terminal.type("SLEEP 200")
                terminal.send("Enter")
                wanted = [row.line for row in frame.procs() if "sleep 200" in row.command]
                self.assertGreaterEqual(len(wanted), 2)
                nsview.wait_until(lambda: self.selected(terminal) in wanted)

    def test_what_is_nowhere_is_said(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("/")
        terminal.type("no-such-thing")
        terminal.send("Enter")
        terminal.wait_for("no-such-thing")
        self.escape(terminal)
        self.full(terminal)

    def test_escape_leaves_it(self):
        terminal = self.open()
        before = self.full(terminal)
        terminal.send("/")
        terminal.type("sleep")
        terminal.send("Escape")
        terminal.wait(lambda lines: lines[-1] == before.lines[-1])


class Filter(Case):
    def enter(self, terminal, text, key="F4"):
        terminal.send(key)
        terminal.wait_for("(?i)filter:")
        terminal.type(text)
        terminal.send("Enter")

    def test_shows_what_it_selects_and_says_so(self):
        for key in ("F4", "\\", "f"):
            with self.subTest(key):
                terminal = self.open()
                self.full(terminal)
                pid = pid_of(ONE, "sleep", "1001")
                self.enter(terminal, f"pid={pid}", key)
                frame = self.frame(terminal, lambda frame: len(frame.procs()) == 1)
                self.assertEqual(frame.procs()[0].pid, str(pid))
                self.assertIn(f"pid={pid}", "\n".join(frame.lines[:4]))
                self.assertIsNone(frame.group(TWO))

    def test_is_that_of_ps(self):
        for expression in ("euid=65534", "caps=none", "rss>10m", "command~'sleep 200[12]'", "not container=%s" % ONE):
            with self.subTest(expression):
                terminal = self.open()
                self.full(terminal)
                self.enter(terminal, expression)
                rows = nsview.ps("-c", ONE, "-c", TWO, "--filter", expression)
                self.assertTrue(rows)
                frame = self.frame(terminal, lambda frame: len(frame.procs()) == len(rows))
                self.assertEqual({int(row.pid) for row in frame.procs()}, set(rows))

    def test_an_error_is_shown_where_it_is(self):
        terminal = self.open()
        self.full(terminal)
        for text, place, words in (("pidd=1", 0, "pidd"), ("pid=1 and euid=", 15, ""), ("pid=1 nd euid=0", 6, ""),
                                   ("(pid=1", 0, "("), ("rss>10q", 4, "size")):
            with self.subTest(text):
                self.enter(terminal, text)
                lines = terminal.wait(lambda lines: lines[-2].strip() and lines)
                self.assertIn(text, lines[-1])
                self.assertIn(words, lines[-2])
                start = lines[-1].index(text)
                self.assertEqual(int(terminal.ask("cursor_x")), start + place, lines[-3:])
                self.escape(terminal)
                self.full(terminal)

    def test_it_can_be_mended(self):
        terminal = self.open()
        self.full(terminal)
        pid = pid_of(ONE, "sleep", "1001")
        self.enter(terminal, f"pidd={pid}")
        terminal.wait_for("pidd")
        terminal.send("Home", "Right", "Right", "Right", "DC", "Enter")
        frame = self.frame(terminal, lambda frame: len(frame.procs()) == 1)
        self.assertEqual(frame.procs()[0].pid, str(pid))

    def test_an_empty_one_takes_it_away(self):
        terminal = self.open()
        self.full(terminal)
        self.enter(terminal, "pid=1")
        self.frame(terminal, lambda frame: not frame.procs())
        terminal.send("F4")
        terminal.wait_for("pid=1")
        terminal.send("C-u", "Enter")
        self.full(terminal)

    def test_escape_keeps_what_was(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("F4")
        terminal.type("pid=1")
        self.escape(terminal)
        self.full(terminal)


class Fold(Case):
    def test_space_folds_the_group(self):
        terminal = self.open()
        frame = self.full(terminal)
        pid = pid_of(ONE, "sleep", "1001")
        self.select(terminal, pid)
        terminal.send("Space")
        frame = self.frame(terminal, lambda frame: not frame.procs(ONE))
        self.assertEqual(frame.group(ONE).mark, "+")
        self.assertEqual(frame.group(TWO).mark, "-")
        self.assertTrue(frame.procs(TWO))
        self.assertEqual(self.selected(terminal), frame.group(ONE).line)
        terminal.send("Space")
        self.assertEqual(self.full(terminal).group(ONE).mark, "-")

    def test_minus_and_plus_fold_all(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("-")
        frame = self.frame(terminal, lambda frame: not frame.procs())
        self.assertEqual({group.mark for group in frame.groups()}, {"+"})
        terminal.send("+")
        self.full(terminal)

    def test_a_folded_group_still_counts(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("-")
        frame = self.frame(terminal, lambda frame: not frame.procs())
        for name in (ONE, TWO):
            self.assertEqual(int(frame.group(name).count), len(pids_in(name)))


class Tree(Case):
    def test_children_stand_below_their_parents(self):
        for key in ("F5", "t"):
            with self.subTest(key):
                terminal = self.open()
                self.full(terminal)
                terminal.send(key)
                frame = self.frame(terminal, lambda frame: re.search(r"[\\|`]_? ?", "\n".join(
                    row.command for row in frame.procs(ONE))))
                at, lines = {}, {}
                for row in frame.procs():
                    at[int(row.pid)] = len(row.command) - len(re.sub(r"^[ \\|`_+-]+", "", row.command))
                    lines[int(row.pid)] = row.line
                for pid in at:
                    parent = int(procview.status(pid)["PPid"])
                    if parent in at:
                        self.assertLess(lines[parent], lines[pid])
                        self.assertLess(at[parent], at[pid], (parent, pid, frame.lines))
                terminal.send(key)
                self.frame(terminal, lambda frame: not re.search(r"\\_", "\n".join(row.command for row in frame.procs())))


class Sort(Case):
    def order(self, terminal, claim, group=TWO):
        return [int(row.pid) for row in self.frame(terminal, claim).procs(group)]

    def rss(self, pid):
        return int(procview.status(pid).get("VmRSS", "0 kB").split()[0])

    def time(self, pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def check_falling(self, terminal, figure):
        """figure(pid) falls from row to row of TWO, however often the table is drawn."""
        def look(frame):
            order = [int(row.pid) for row in frame.procs(TWO)]
            found = [figure(pid) for pid in order]
            return len(order) >= 4 and found == sorted(found, reverse=True)
        return self.frame(terminal, look)

    def test_by_memory(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("M")
        frame = self.check_falling(terminal, self.rss)
        self.assertEqual(int(frame.procs(TWO)[0].pid), named(TWO, "big"))
        terminal.send("I")
        self.frame(terminal, lambda frame: int(frame.procs(TWO)[-1].pid) == named(TWO, "big"))

    def test_by_cpu(self):
        busy = named(TWO, "busy")
        terminal = self.open()
        self.full(terminal)
        terminal.send("P")
        self.frame(terminal, lambda frame: frame.procs(TWO) and int(frame.procs(TWO)[0].pid) == busy)

    def test_by_time(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("T")
        self.check_falling(terminal, lambda pid: self.time(pid) // 50)
        self.assertEqual(self.order(terminal, lambda frame: frame.procs(TWO))[0],
                         named(TWO, "busy"))

    def test_any_column_from_the_menu(self):
        for key in ("F6", ">", "s"):
            with self.subTest(key):
                terminal = self.open()
                self.full(terminal)
                terminal.send(key)
                terminal.wait_for("(?i)sort")
                terminal.type("pid")
                terminal.send("Enter")
                def is_by_pid(frame):
                    order = [int(row.pid) for row in frame.procs(TWO)]
                    return len(order) >= 4 and order in (sorted(order), sorted(order, reverse=True))
                self.frame(terminal, is_by_pid)

    def test_without_a_choice_it_is_that_of_ps(self):
        terminal = self.open()
        frame = self.full(terminal)
        order = [int(row.in_pid) for row in frame.procs(ONE)]
        self.assertEqual(order, sorted(order))


class User(Case):
    def test_shows_one_user_s_only(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("u")
        terminal.wait_for("(?i)user")
        terminal.type("65534")
        terminal.send("Enter")
        frame = self.frame(terminal, lambda frame: len(frame.procs()) == 1)
        self.assertEqual(int(frame.procs()[0].pid), pid_of(ONE, "sleep", "1002"))

    def test_a_name_does_too_and_nothing_takes_it_away(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("u")
        terminal.wait_for("(?i)user")
        terminal.type("nobody")
        terminal.send("Enter")
        self.frame(terminal, lambda frame: len(frame.procs()) == 1)
        terminal.send("u")
        terminal.wait_for("(?i)user")
        terminal.send("C-u", "Enter")
        self.full(terminal)

    def test_a_user_who_is_none_is_told(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("u")
        terminal.type("nosuchuser")
        terminal.send("Enter")
        terminal.wait_for("nosuchuser")
        self.escape(terminal)
        self.full(terminal)


class Inspect(Case):
    def page(self, terminal, pid):
        self.select(terminal, pid)
        terminal.send("Enter")
        terminal.wait_for(r"^ +directory ")
        return terminal.lines()

    def test_a_process_s_page_says_what_proc_says(self):
        terminal = self.open(size=(120, 100))
        self.full(terminal)
        pid = pid_of(ONE, "sleep", "1001")
        text = "\n".join(self.page(terminal, pid))
        status = procview.status(pid)
        inside = status["NSpid"].split()[-1]
        self.assertRegex(text, rf"(?m)^ *{pid} +{os.stat('/proc/self/ns/pid').st_ino}")
        self.assertRegex(text, rf"(?m)^ *{inside} +{os.stat(f'/proc/{pid}/ns/pid').st_ino}")
        for label, uid in zip(("real", "effective", "saved", "file system"), status["Uid"].split()):
            self.assertRegex(text, rf"(?m)^ *{label} +{uid} ")
        held = int(status["CapEff"], 16)
        names = subprocess.run(["capsh", f"--decode={held:x}"], capture_output=True, text=True, check=True).stdout
        for name in names.strip().partition("=")[2].split(","):
            self.assertRegex(text, rf"(?m)^ +{name.removeprefix('cap_').upper()} ")
        self.assertNotRegex(text, r"(?m)^ +SYS_ADMIN ")
        for kind in ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user"):
            own, host = (os.stat(f"/proc/{who}/ns/{kind}").st_ino for who in (pid, "self"))
            self.assertRegex(text, rf"(?m)^ *{kind} +{own} +{'the host.s' if own == host else 'the container.s'}")
        self.assertRegex(text, rf"(?m)^ *no_new_privs +{'yes' if status['NoNewPrivs'] == '1' else 'no'}")
        self.assertRegex(text, rf"(?m)^ *seccomp +{('off', 'strict', 'filter')[int(status['Seccomp'])]}")
        self.assertIn("sleep 1001", text)
        self.assertIn(os.readlink(f"/proc/{pid}/exe"), text)
        self.assertRegex(text, rf"(?m)^ *parent +{status['PPid']} ")

    def test_it_scrolls_and_escape_goes_back(self):
        terminal = self.open(size=(100, 24))
        self.full_small(terminal)
        pid = pid_of(ONE, "sleep", "1001")
        first = self.page(terminal, pid)
        terminal.send("NPage")
        terminal.wait(lambda lines: lines[2:-2] != first[2:-2])
        terminal.send("PPage")
        terminal.wait(lambda lines: lines[2:-2] == first[2:-2])
        terminal.send("End")
        terminal.wait_for("1001")
        terminal.send("Home")
        terminal.wait(lambda lines: lines[2:-2] == first[2:-2])
        terminal.send("Escape")
        self.full_small(terminal)

    def full_small(self, terminal):
        return self.frame(terminal, lambda frame: frame.procs())

    def test_a_group_s_page_is_the_container_s(self):
        terminal = self.open(size=(120, 100))
        self.full(terminal)
        self.select(terminal, pid_of(ONE, "sleep", "1001"))
        terminal.send("Space")
        self.frame(terminal, lambda frame: not frame.procs(ONE))
        terminal.send("Enter")
        terminal.wait_for("Capabilities")
        text = terminal.text()
        self.assertIn(ONE, text)
        for pid in pids_in(ONE):
            self.assertRegex(text, rf"(?m)^ *{pid} ")

    def test_one_that_ends_meanwhile(self):
        terminal = self.open()
        self.full(terminal)
        containers[ONE].do("sleep 3003 & echo $! > /tmp/last")
        pid = nsview.wait_until(lambda: next(iter([p for p in pids_in(ONE) if arguments(p) == ["sleep", "3003"]]), None))
        self.frame(terminal, lambda frame: frame.proc(pid))
        self.page(terminal, pid)
        containers[ONE].do("kill $(cat /tmp/last); wait $(cat /tmp/last)")
        time.sleep(1.5)
        self.assertEqual(terminal.ask("pane_dead"), "0")
        terminal.send("Escape")
        self.frame(terminal, lambda frame: frame.procs(ONE) and not frame.proc(pid))


class Inside(Case):
    def test_is_what_ps_aux_prints_inside(self):
        terminal = self.open(size=(150, 60))
        self.full(terminal)
        self.select(terminal, pid_of(ONE, "sleep", "1001"))
        terminal.send("i")
        terminal.wait_for(r"VSZ +RSS TTY")
        theirs = subprocess.run(["nsenter", "-t", str(first_pid(ONE)), "-a", "ps", "aux"], capture_output=True,
                                text=True, check=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}).stdout
        theirs = [line.split(None, 10) for line in theirs.splitlines() if not line.endswith("ps aux")]
        lines = terminal.lines()
        start = next(number for number, line in enumerate(lines) if re.search(r"VSZ +RSS TTY", line))
        ours = [line.split(None, 10) for line in lines[start:start + len(theirs)]]
        for one, other in zip(theirs, ours):
            for place in (0, 1, 4, 6, 7, 8, 10):  # all but what moves: %CPU %MEM RSS TIME
                self.assertEqual(one[place].rstrip(), other[place].rstrip(), (one, other))
        self.assertEqual(len(theirs), len(ours))

    def test_is_live(self):
        terminal = self.open()
        self.full(terminal)
        self.select(terminal, pid_of(ONE, "sleep", "1001"))
        terminal.send("i")
        terminal.wait_for(r"VSZ +RSS TTY")
        containers[ONE].do("sleep 4004 & echo $! > /tmp/last")
        terminal.wait_for("sleep 4004")
        containers[ONE].do("kill $(cat /tmp/last)")
        terminal.wait_gone("sleep 4004$")
        self.escape(terminal)
        self.full(terminal)


class Freeze(Case):
    def test_nothing_moves_until_it_is_pressed_again(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("p")
        terminal.wait_for("(?i)frozen")
        containers[ONE].do("sleep 5005 & echo $! > /tmp/last")
        before = terminal.lines()
        time.sleep(2.2)
        self.assertEqual(terminal.lines(), before)  # the clock too: it is that of the frame
        terminal.send("Down")  # but keys still act
        time.sleep(0.3)
        terminal.send("p")
        self.frame(terminal, lambda frame: any("sleep 5005" in row.command for row in frame.procs(ONE)))
        terminal.wait_gone("(?i)frozen")
        containers[ONE].do("kill $(cat /tmp/last)")


class Write(Case):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="nsview-tui-")
        self.addCleanup(shutil.rmtree, folder)
        self.folder = pathlib.Path(folder)

    def write(self, terminal, path):
        terminal.send("w")
        terminal.wait_for("(?i)write")
        terminal.send("C-u")
        terminal.type(str(path))
        terminal.send("Enter")

    def test_text_is_what_is_on_the_screen(self):
        terminal = self.open()
        self.full(terminal)
        terminal.send("p")
        terminal.wait_for("(?i)frozen")
        path = self.folder / "view.txt"
        self.write(terminal, path)
        nsview.wait_until(lambda: path.exists() and path.stat().st_size)
        frame = screenful.read(path.read_text().splitlines() + ["", ""])
        shown = self.full(terminal)
        self.assertEqual([(row.pid, row.caps) for row in frame.procs()], [(row.pid, row.caps) for row in shown.procs()])
        self.assertNotIn("\x1b", path.read_text())
        self.assertEqual(path.stat().st_mode & 0o077, 0)

    def test_json_by_its_ending(self):
        terminal = self.open()
        self.full(terminal)
        path = self.folder / "view.json"
        self.write(terminal, path)
        nsview.wait_until(lambda: path.exists() and path.stat().st_size)
        told = subprocess.run(["jq", ".[].pid", str(path)], capture_output=True,
                              text=True, check=True).stdout
        self.assertEqual({int(line) for line in told.split()}, pids_in(ONE) | pids_in(TWO))

    def test_where_it_cannot_it_says_so(self):
        terminal = self.open()
        self.full(terminal)
        self.write(terminal, "/no/such/folder/view.txt")
        terminal.wait_for("(?i)no such file")
        self.full(terminal)


class Marks(Case):
    """What has just happened is marked for a moment."""

    def test_a_new_process_is_marked_and_then_it_is_not(self):
        terminal = self.open()
        frame = self.full(terminal)
        self.assertEqual({row.mark for row in frame.procs()}, {""})  # those of the first frame are not new
        containers[ONE].do("sleep 6006 & echo $! > /tmp/last")
        new = lambda frame: [row for row in frame.procs(ONE) if row.command.startswith("sleep 6006")]
        self.frame(terminal, lambda frame: new(frame) and new(frame)[0].mark == "*")
        self.frame(terminal, lambda frame: new(frame) and new(frame)[0].mark == "")
        containers[ONE].do("kill $(cat /tmp/last)")
        self.frame(terminal, lambda frame: new(frame) and new(frame)[0].mark == "x")
        self.frame(terminal, lambda frame: not new(frame))

    def test_those_that_came_and_went_are_counted(self):
        terminal = self.open(NSVIEW, "top", "-d", "3", "-c", ONE, "-c", TWO)
        self.full(terminal)
        before = terminal.lines()
        self.assertTrue(before)
        containers[ONE].do("for i in 1 2 3 4 5 6 7; do /usr/bin/true; done")
        self.frame(terminal, lambda frame: re.search(r"\+ ?7\b|\b7 ", frame.lines[frame.group(ONE).line].replace(ONE, "")))

    def test_other_capabilities_are_marked_and_told(self):
        name = f"keys-actor-{os.getpid()}"
        words = [NSVIEW, "run", "-i", "--name", name, "-v", f"{events.ACTOR}:{events.ACTOR}:ro"]
        with events.Actor(command=words) as actor:
            pid = first_pid(name)
            terminal = self.open(NSVIEW, "top", "-c", name)
            frame = self.frame(terminal, lambda frame: frame.proc(pid))
            self.assertEqual(frame.proc(pid).mark, "")
            time.sleep(3)
            actor.do("capset", 0x480, 0x480, 0)
            self.assertEqual(int(procview.status(pid)["CapEff"], 16), 0x480)
            frame = self.frame(terminal, lambda frame: frame.proc(pid).caps == "SETUID NET_BIND_SERVICE")
            self.assertEqual(frame.proc(pid).mark, "*")
            terminal.wait_for(rf"caps +{name[:8]}.* {pid}/1 .*docker-default -> SETUID NET_BIND_SERVICE.*capset")
            self.frame(terminal, lambda frame: frame.proc(pid).mark == "")
            actor.do("setresuid", "65534", "65534", "65534")
            frame = self.frame(terminal, lambda frame: frame.proc(pid).user == "nobody")
            self.assertEqual((frame.proc(pid).mark, frame.proc(pid).caps), ("*", "none"))
            terminal.wait_for(rf" {pid}/1 .*root -> nobody")


class Pane(Case):
    def become_nobody(self, name, seconds):
        """Something that the pane tells; the pid."""
        containers[name].do(f"setpriv --reuid=65534 --clear-groups sleep {seconds} & echo $! > /tmp/{seconds}")
        self.addCleanup(containers[name].do, f"kill $(cat /tmp/{seconds}); wait $(cat /tmp/{seconds}); true")
        return nsview.wait_until(lambda: [pid for pid in pids_in(name) if arguments(pid) == ["sleep", seconds]])[0]

    def test_tells_what_changes_newest_first(self):
        terminal = self.open()
        self.full(terminal)
        for seconds in ("7001", "7002"):
            pid = self.become_nobody(ONE, seconds)
            inside = procview.status(pid)["NSpid"].split()[-1]
            terminal.wait_for(rf"{ONE[:8]}.* {pid}/{inside} .*root -> nobody")
        times = [line.split()[0] for line in self.frame(terminal).pane]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertRegex(times[0], r"^\d\d:\d\d:\d\d$")

    def test_a_page_of_it_is_scrolled(self):
        terminal = self.open(size=(120, 30))
        self.full(terminal)
        for seconds in ("7003", "7004", "7005"):
            self.become_nobody(ONE, seconds)
        terminal.wait_for("root -> nobody")
        terminal.send("Tab")
        nsview.wait_until(lambda: self.pane_selected(terminal) is not None)
        before = self.frame(terminal).pane
        terminal.send("End")
        terminal.wait(lambda lines: screenful.read(lines).pane != before)
        terminal.send("Home")
        terminal.wait(lambda lines: screenful.read(lines).pane[-1] == before[-1])

    def test_e_hides_and_shows_it(self):
        terminal = self.open()
        frame = self.full(terminal)
        self.assertTrue(frame.pane_title)
        seen = set()
        for _ in range(4):
            terminal.send("e")
            time.sleep(0.4)
            seen.add(self.full(terminal).pane_title)
        self.assertIn("", seen)
        self.assertIn("changes", seen)

    def test_enter_goes_to_the_process(self):
        terminal = self.open(size=(120, 30))
        self.full(terminal)
        pid = self.become_nobody(TWO, "7007")
        self.frame(terminal, lambda frame: any(f"{pid}/" in line for line in frame.pane))
        terminal.send("-")
        frame = self.frame(terminal, lambda frame: not frame.procs())
        terminal.send("Tab")
        nsview.wait_until(lambda: self.pane_selected(terminal) is not None)
        for _ in range(10):
            if re.search(rf" {pid}/", terminal.lines()[self.pane_selected(terminal)]):
                break
            terminal.send("Down")
            time.sleep(0.1)
        terminal.send("Enter")
        frame = self.frame(terminal, lambda frame: frame.proc(pid))
        self.assertEqual(self.selected(terminal), frame.proc(pid).line)

    def pane_selected(self, terminal):
        title = next((number for number, line in enumerate(terminal.lines()) if screenful.PANE.match(line)), None)
        found = [number for number in terminal.reversed_lines() if title is not None and number > title]
        return found[0] if found else None


class Once(Case):
    def test_prints_one_frame_and_ends(self):
        done = nsview.run("top", "--once", "-c", ONE, "-c", TWO)
        frame = screenful.read(done.stdout.splitlines() + ["", ""])
        self.assertEqual({int(row.pid) for row in frame.procs()}, pids_in(ONE) | pids_in(TWO))
        self.assertNotIn("\x1b", done.stdout)

    def test_is_the_command_without_a_word(self):
        terminal = Terminal(NSVIEW)
        with terminal:
            self.frame(terminal)
            terminal.send("q")
            self.assertEqual(terminal.wait_end(), 0)


class Unprivileged(Case):
    """From /proc, complete for one's own, and it says so."""

    def test_a_table_from_proc(self):
        folder = tempfile.mkdtemp(prefix="nsview-tui-")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        program = shutil.copy(NSVIEW, folder)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
        with subprocess.Popen([*command, "sleep", "8008"]) as own:
            try:
                nsview.wait_until(lambda: arguments(own.pid) == ["sleep", "8008"])
                terminal = self.open(*command, program, "top", "-p", own.pid)
                frame = self.frame(terminal, lambda frame: frame.proc(own.pid))
                self.assertEqual(frame.proc(own.pid).user, "nobody")
                self.assertIn("/proc", "\n".join(frame.lines[:3]))
                terminal.send("q")
                self.assertEqual(terminal.wait_end(), 0)
            finally:
                own.kill()


if __name__ == "__main__":
    unittest.main()
