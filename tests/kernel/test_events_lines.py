# SPDX-License-Identifier: GPL-2.0-only
"""Of whom a line tells: its terminal, its parent here and inside, what it was before anybody listened, its
cgroup though nobody told of that."""

import contextlib
import fcntl
import itertools
import os
import signal
import termios
import time
import unittest

import cgroups
import events
import nsview
import procview
from events import CLONE, Actor, Stream, cause, facts, get, parts_changed
from harness.patience import patience

KEEP = -1 & 0xFFFFFFFF


def placing():
    """Where the hierarchy is mounted that places a process first (docs/events.md)."""
    return next(cgroups.mounts()[name] for name in ("", "pids", "memory", "cpu") if name in cgroups.mounts())


@nsview.requires_root
class Lines(unittest.TestCase):
    def actor(self, **options):
        actor = Actor(**options)
        self.addCleanup(actor.end)
        return actor

    def stream(self):
        stream = Stream()
        self.addCleanup(stream.end)
        return stream

    def lines(self, stream, pid, *actions):
        stream.settle()
        self.assertEqual(stream.bad, [])
        return stream.of(pid, *actions)

    def test_its_terminal(self):
        stream = self.stream()
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        on_it = self.actor(start_new_session=True, preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0))
        on_none = self.actor(start_new_session=True)
        number = int(procview.stat(on_it.pid)[7])  # proc(5): bits 31 to 20 and 7 to 0 are the minor
        wanted = {"major": number >> 8 & 0xFFF, "minor": number & 0xFF | number >> 12 & 0xFFF00}
        device = os.fstat(theirs).st_rdev
        self.assertEqual(wanted, {"major": os.major(device), "minor": os.minor(device)})
        line = self.lines(stream, on_it.pid, "exec")[-1]
        self.assertEqual(get(line, "process", "tty", "char_device"), wanted)
        self.assertNotIn("tty", self.lines(stream, on_none.pid, "exec")[-1]["process"])

    def test_its_parent(self):
        """By the same entity_id that the parent's own lines have, and by another one once that has ended."""
        stream, actor = self.stream(), self.actor()
        own = get(self.lines(stream, actor.pid, "exec")[-1], "process", "entity_id")
        actor.fork("fork")
        between = actor.pid
        actor.fork("fork")
        line = self.lines(stream, between, "fork")[0]
        self.assertEqual(get(line, "process", "parent"), {"pid": actor.makers[0], "entity_id": own})
        entity = get(line, "process", "entity_id")
        self.assertEqual(get(self.lines(stream, actor.pid, "fork")[0], "process", "parent"),
                         {"pid": between, "entity_id": entity})
        self.assertEqual(len({own, entity, get(self.lines(stream, actor.pid)[0], "process", "entity_id")}), 3)

    def test_its_parent_inside(self):
        stream, actor = self.stream(), self.actor()
        first = actor.fork("clone3", CLONE["pid"])
        actor.fork("fork")
        second, = nsview.children(first)
        inner = [int(number) for number in procview.status(second)["NSpid"].split()]
        for pid, vpid, parent in ((first, 1, 0), (second, inner[-1], 1)):
            line = self.lines(stream, events.Pid(pid), "fork")[0]
            self.assertEqual((get(line, "process", "vpid"), get(line, "process", "parent", "vpid")), (vpid, parent))
            self.assertEqual(get(line, "process", "parent", "pid"), int(procview.stat(pid)[4]))

    def test_what_it_was_before_anybody_listened(self):
        """Of each thread: their credentials are their own."""
        actor = self.actor()
        actor.do("setresuid", KEEP, KEEP, 1001)
        other = self.actor()
        tid = other.do("thread")
        other.do("setresuid", KEEP, KEEP, 1002)
        stream = self.stream()
        for each, which in ((actor, actor.pid), (other, tid)):
            before = facts(each.pid, which)
            each.do("setresuid", KEEP, 1003, 1004)
            line, = self.lines(stream, each.pid)
            self.assertEqual((cause(line), line["nsview"]["inferred"]), ("setuid", False))
            self.assertEqual(get(line, "process", "thread", "id"), which)
            self.assertEqual(events.told_before(line), parts_changed(before, facts(each.pid, which)))

    @nsview.requires_outside
    @unittest.skipIf("" not in cgroups.mounts(), "no version 2 hierarchy is mounted")
    def test_born_into_a_cgroup_that_was_empty_before(self):
        """No line was about it, and no process in it."""
        folder = cgroups.mounts()[""] / f"nsview-lines-{os.getpid()}"
        folder.mkdir()
        self.addCleanup(lambda: nsview.wait_until(lambda: not (folder / "cgroup.procs").read_text()) and folder.rmdir())
        stream, actor = self.stream(), self.actor()
        actor.fork("fork-into", folder)
        group = get(self.lines(stream, actor.pid, "fork")[0], "nsview", "cgroup")
        self.assertEqual((group.get("path"), group["id"]), (f"/{folder.name}", folder.stat().st_ino))
        actor.finish("exit", 0)

    LOOKED_AT_SECONDS = 0.1  # docs/watching.md: so long may what is in the ring wait

    def test_what_passes_quickly_is_told_at_once(self):
        """A namespace or a control group may be gone before the ring is looked at the next time. Three times of a
        hundred will do on a busy machine: whoever waits for that look waits for it each time."""
        stream, actor = Stream("--types", "namespaces_changed,cgroup_created,exit"), self.actor()
        self.addCleanup(stream.end)
        group = placing() / f"nsview-lines-{os.getpid()}"
        for words, undo in ((("unshare", CLONE["uts"]), ()), (("mkdir", group), ("rmdir", group))):
            with self.subTest(words[0]):
                self.told_within(stream, actor, words, undo)  # the ring has just been looked at now
                seconds = (self.told_within(stream, actor, words, undo) for _ in range(100))
                quick = (each for each in seconds if each < patience(self.LOOKED_AT_SECONDS / 2))
                self.assertEqual(len(list(itertools.islice(quick, 3))), 3)

    @staticmethod
    def told_within(stream, actor, words, undo):
        seen, start = len(stream.of(actor.pid)), time.monotonic()
        actor.do(*words)
        with contextlib.suppress(events.Failed):  # others' storms have filled the ring, perhaps
            stream.wait(lambda: len(stream.of(actor.pid)) > seen, patience(10))
        seconds = time.monotonic() - start
        if undo:
            actor.do(*undo)
        return seconds

    @nsview.requires_outside
    def test_the_path_of_a_cgroup_that_the_ring_had_no_room_for(self):
        """Of a process that was born in there meanwhile: with its next child, though nobody has looked at all
        processes since."""
        folders = [placing() / f"nsview-lines-{os.getpid()}-{turn}" for turn in range(6)]
        for folder in folders:
            folder.mkdir()
            self.addCleanup(lambda folder=folder: nsview.wait_until(
                lambda: not (folder / "cgroup.procs").read_text()) and folder.rmdir())
        stream, actor = Stream("--types", "fork,exit", "--ring", "64k"), self.actor()
        self.addCleanup(stream.end)
        for folder in folders:
            stream.process.send_signal(signal.SIGSTOP)
            nsview.wait_until(lambda: procview.stat(stream.process.pid)[3] == "T")
            events.Storm("credentials", 1000).run()
            (folder / "cgroup.procs").write_text(str(actor.pid))
            actor.fork("fork")
            stream.process.send_signal(signal.SIGCONT)
            stream.settle()
            actor.fork("fork")
            line = self.lines(stream, actor.pid, "fork")[0]
            self.assertEqual(procview.cgroup(actor.pid), f"/{folder.name}")
            self.assertEqual(get(line, "nsview", "cgroup", "path"), f"/{folder.name}")
            for _ in range(2):
                actor.finish("exit", 0)


if __name__ == "__main__":
    unittest.main()
