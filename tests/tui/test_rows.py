# SPDX-License-Identifier: GPL-2.0-only
"""What nsview top says of a row: its page, the container as seen inside, what has just changed."""

import os
import re
import subprocess
import time
import unittest

import events
import nsview
import procview
import two
from nsview import NSVIEW
from two import ONE, TWO, first_pid, pid_of, pids_in

setUpModule, tearDownModule = two.start, two.end


class Inspect(two.Case):
    def page(self, top, pid):
        top.select(pid)
        top.send("Enter")
        return top.wait(lambda lines: re.search(r"(?m)^ +directory ", "\n".join(lines)) and
                        lines[-1].startswith("Esc") and lines)

    def test_a_process_s_page_says_what_proc_says(self):
        top, _ = self.full(size=(120, 100))
        pid = pid_of(ONE, "sleep", "1001")
        text = "\n".join(self.page(top, pid))
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
        top = self.open_top("-c", ONE, "-c", TWO, size=(100, 24))
        top.frame(lambda frame: frame.procs())
        pid = pid_of(ONE, "sleep", "1001")
        first = self.page(top, pid)
        top.send("NPage")
        top.wait(lambda lines: lines[2] != first[2])
        top.send("PPage")
        top.wait(lambda lines: lines[2] == first[2])
        top.send("End")
        top.wait(lambda lines: lines[2] != first[2])
        top.wait_for("1001")
        top.send("Home")
        top.wait(lambda lines: lines[2] == first[2])
        top.leave()
        top.frame(lambda frame: frame.procs())

    def test_a_group_s_page_is_the_container_s(self):
        top, _ = self.full(size=(120, 100))
        top.select(pid_of(ONE, "sleep", "1001"))
        top.send("Space")
        top.frame(lambda frame: not frame.procs(ONE))
        top.send("Enter")
        text = "\n".join(top.wait(lambda lines: "Capabilities" in "\n".join(lines) and lines[-1].startswith("Esc") and lines))
        self.assertIn(ONE, text)
        for pid in pids_in(ONE):
            self.assertRegex(text, rf"(?m)^ *{pid} ")

    def test_one_that_ends_meanwhile(self):
        top, _ = self.full()
        two.containers[ONE].do("sleep 3003 & echo $! > /tmp/last")
        pid = pid_of(ONE, "sleep", "3003")
        top.frame(lambda frame: frame.proc(pid))
        self.page(top, pid)
        two.containers[ONE].do("kill $(cat /tmp/last); wait $(cat /tmp/last)")
        top.wait_for("has ended")
        self.assertEqual(top.ask("pane_dead"), "0")
        top.leave()
        top.frame(lambda frame: frame.procs(ONE) and not frame.proc(pid))


class Inside(two.Case):
    def open_inside(self, **options):
        top, _ = self.full(**options)
        top.select(pid_of(ONE, "sleep", "1001"))
        top.send("i")
        top.wait_for(r"VSZ +RSS TTY")
        return top

    def cells(self, lines):
        """All that does not move, %CPU %MEM RSS TIME do, below the headings."""
        start = next((number for number, line in enumerate(lines) if re.search(r"VSZ +RSS TTY", line)), len(lines))
        rows = [line.split(None, 10) for line in lines[start:]]
        return [[row[place].rstrip() for place in (0, 1, 4, 6, 7, 8, 10)] for row in rows
                if len(row) == 11 and row[10] != "ps aux"]

    def test_is_what_ps_aux_prints_inside(self):
        top = self.open_inside(size=(150, 60))
        top.wait(lambda lines: self.cells(two.inside(ONE, "ps", "aux").splitlines()) == self.cells(lines))

    def test_is_live(self):
        top = self.open_inside()
        two.containers[ONE].do("sleep 4004 & echo $! > /tmp/last")
        top.wait_for("sleep 4004")
        two.containers[ONE].do("kill $(cat /tmp/last)")
        top.wait_gone("sleep 4004$")
        top.leave()
        self.wait_full(top)


class Marks(two.Case):
    """What has just happened is marked for a moment. Whoever looks too seldom to see that looks again."""

    ATTEMPTS = 8

    def begin(self, top):
        """A process in ONE: it is marked until it is not, and one of the two may be missed. Whether it was seen."""
        two.containers[ONE].do("sleep 6006 & echo $! > /tmp/last")
        pid = pid_of(ONE, "sleep", "6006")
        frame = top.frame(lambda frame: frame.proc(pid) and frame.proc(pid).command == "sleep 6006")
        was_marked = frame.proc(pid).mark == "*"
        top.frame(lambda frame: frame.proc(pid).mark == "")
        return pid, was_marked

    def end(self, top, pid):
        """Its end. Whether it was seen as ended."""
        two.containers[ONE].do("kill $(cat /tmp/last)")
        frame = top.frame(lambda frame: not frame.proc(pid) or frame.proc(pid).mark == "x")
        was_marked = frame.proc(pid) is not None
        top.frame(lambda frame: not frame.proc(pid))
        return was_marked

    def test_a_new_process_is_marked_and_then_it_is_not(self):
        top, frame = self.full()
        self.assertEqual({row.mark for row in frame.procs()}, {""})  # those of the first frame are not new
        began = ended = False
        for _ in range(self.ATTEMPTS):
            pid, was_marked = self.begin(top)
            began |= was_marked
            ended |= self.end(top, pid)
            if began and ended:
                break
        self.assertEqual((began, ended), (True, True))

    def test_those_that_came_and_went_are_counted(self):
        top, _ = self.full("-d", "3", "-c", ONE, "-c", TWO)
        for _ in range(self.ATTEMPTS):
            clock = top.lines()[0].split()[-1]
            # Right after a frame, so that they are all of the next one.
            top.wait(lambda lines: lines[0].split()[-1] != clock)
            clock = top.lines()[0].split()[-1]
            two.containers[ONE].do("for i in 1 2 3 4 5 6 7; do /usr/bin/true; done")
            frame = top.frame(lambda frame: frame.lines[0].split()[-1] != clock)
            if re.search(r"\b7 came and went", frame.group(ONE).command):
                return
        self.fail(f"seven are not counted: {frame.group(ONE)}")

    def test_other_capabilities_are_marked_and_told(self):
        name = f"keys-actor-{os.getpid()}"
        words = [NSVIEW, "run", "-i", "--name", name, "-v", f"{events.ACTOR}:{events.ACTOR}:ro"]
        with events.Actor(command=words) as actor:
            pid = first_pid(name)
            top = self.open_top("-c", name)
            frame = top.frame(lambda frame: frame.proc(pid))
            self.assertEqual(frame.proc(pid).mark, "")
            time.sleep(3)  # what its own start changed is marked no more
            was_marked = False
            for caps, words in ((0x480, "SETUID NET_BIND_SERVICE"), (0x80, "SETUID")) * (self.ATTEMPTS // 2):
                actor.do("capset", caps, 0x480, 0)
                self.assertEqual(int(procview.status(pid)["CapEff"], 16), caps)
                frame = top.frame(lambda frame, words=words: frame.proc(pid).caps == words)
                was_marked |= frame.proc(pid).mark == "*"
                top.frame(lambda frame: frame.proc(pid).mark == "")
                if was_marked:
                    break
            self.assertTrue(was_marked)
            top.wait_for(rf"caps +{name[:8]}.* {pid}/1 .*docker-default -> SETUID NET_BIND_SERVICE.*capset")
            actor.do("setresuid", "65534", "65534", "65534")
            top.frame(lambda frame: frame.proc(pid).user == "nobody" and frame.proc(pid).caps == "none")
            top.wait_for(rf" {pid}/1 .*root -> nobody")


class Pane(two.Case):
    def become_nobody(self, name, seconds):
        """Something that the pane tells; the pid."""
        two.containers[name].do(f"setpriv --reuid=65534 --clear-groups sleep {seconds} & echo $! > /tmp/{seconds}")
        self.addCleanup(two.containers[name].do, f"kill $(cat /tmp/{seconds}); wait $(cat /tmp/{seconds}); true")
        return pid_of(name, "sleep", seconds)

    def wait_told(self, top, pid, words=""):
        """The pane's line of it is there; what it was before it was nobody is told in one."""
        top.frame(lambda frame: any(re.search(rf" {pid}/.*{words}", line) for line in frame.pane))

    def test_tells_what_changes_newest_first(self):
        top, _ = self.full()
        for seconds in ("7001", "7002"):
            pid = self.become_nobody(ONE, seconds)
            in_pid = procview.status(pid)["NSpid"].split()[-1]
            top.wait_for(rf"{ONE[:8]}.* {pid}/{in_pid} .*root -> nobody")
        times = [line.split()[0] for line in top.frame().pane]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertRegex(times[0], r"^\d\d:\d\d:\d\d$")

    def test_a_page_of_it_is_scrolled(self):
        top, _ = self.full(size=(120, 30))
        for seconds in ("7003", "7004", "7005"):
            self.wait_told(top, self.become_nobody(ONE, seconds), "root -> nobody")
        top.send("Tab")
        top.wait(lambda lines: top.chosen_change())
        before = top.frame().pane
        top.send("End")
        top.frame(lambda frame: frame.pane != before)
        top.send("Home")
        top.frame(lambda frame: frame.pane == before)

    def test_escape_leaves_it(self):
        top, _ = self.full(size=(120, 30))
        self.wait_told(top, self.become_nobody(ONE, "7006"), "root -> nobody")
        for key in ("Escape", "Tab"):
            top.send("Tab")
            top.wait(lambda lines: top.chosen_change() and not top.chosen())
            top.send(key)
            top.wait(lambda lines: top.chosen() and not top.chosen_change())

    def test_e_hides_and_shows_it(self):
        top, frame = self.full()
        self.assertEqual(frame.pane_title, "changes")
        for title in ("", "changes"):
            top.send("e")
            top.frame(lambda frame, title=title: frame.pane_title == title)

    def test_enter_goes_to_the_process(self):
        top, _ = self.full(size=(120, 30))
        pid = self.become_nobody(TWO, "7007")
        self.wait_told(top, pid, "root -> nobody")
        top.send("-")
        top.frame(lambda frame: not frame.procs())
        top.send("Tab")
        top.wait(lambda lines: top.chosen_change())
        for _ in range(10):
            if f" {pid}/" in top.chosen_change():
                break
            top.step(top.chosen_change, "Down")
        top.send("Enter")
        top.frame(lambda frame: frame.proc(pid))
        nsview.wait_until(lambda: (row := top.chosen()) and not row.is_group and row.pid == str(pid))


if __name__ == "__main__":
    unittest.main()
