# SPDX-License-Identifier: GPL-2.0-only
"""Control groups of both versions that come and go, and processes that move: what `nsview events` says of them
against /proc/PID/cgroup and the file system."""

import contextlib
import os
import pathlib
import unittest

import cgroups
import events
import nsview
import procview
from events import Actor, Stream, get

NAMED = ("pids", "memory", "cpu", "devices", "freezer", "cpuset")
MADE, REMOVED, MOVED = "cgroup_created", "cgroup_removed", "cgroup_changed"


def hierarchies():
    """{the controller that a line names, None for the unified one: where its hierarchy is mounted}; of those that
    share a mount the first one. What a mount shows is the hierarchy's whole, or its path is told from a root that
    is not to be seen here."""
    places, found = cgroups.mounts(), {}
    for name in ("", *NAMED):
        if name in places and places[name] not in found.values():
            found[name or None] = places[name]
    return found


def unnamed():
    """Where hierarchies are mounted that have none of these."""
    places = cgroups.mounts()
    return sorted(set(places.values()) - {places[name] for name in ("", *NAMED) if name in places})


@nsview.requires_root
@nsview.requires_outside
class Groups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stream = Stream("--types", f"{MADE},{REMOVED},{MOVED},fork,exec,exit")

    @classmethod
    def tearDownClass(cls):
        cls.stream.end()

    def setUp(self):
        self.name = f"nsview-test-{os.getpid()}"
        self.addCleanup(self.remove_all)
        self.made = []

    def remove_all(self):
        for folder in reversed(self.made):
            with contextlib.suppress(FileNotFoundError):
                nsview.wait_until(lambda folder=folder: not (folder / "cgroup.procs").read_text())
                folder.rmdir()

    def actor(self):
        actor = Actor()
        self.addCleanup(actor.end)
        return actor

    def make(self, actor, folder):
        self.made.append(folder)
        actor.do("mkdir", folder)
        if (folder / "cgroup.clone_children").exists():  # of version 1, where nobody may enter without them
            for file in set(os.listdir(folder)) & {"cpuset.cpus", "cpuset.mems"}:
                (folder / file).write_text((folder.parent / file).read_text())
        return folder.stat().st_ino

    def lines(self, pid, *actions):
        self.stream.settle()
        self.assertEqual(self.stream.bad, [])
        return self.stream.of(pid, *actions)

    def told(self, line):
        self.assertEqual(line["event"]["outcome"], "success")
        self.assertFalse(line["nsview"]["inferred"])
        group = line["nsview"]["cgroup"]
        return line["event"]["action"], group["id"], group["path"], group.get("controller")

    def test_made_and_removed(self):
        for controller, place in hierarchies().items():
            with self.subTest(controller=controller):
                actor = self.actor()
                outer, inner = place / self.name, place / self.name / "in it"
                numbers = [self.make(actor, folder) for folder in (outer, inner)]
                for folder in (inner, outer):
                    actor.do("rmdir", folder)
                wanted = [(action, number, f"/{folder.relative_to(place)}", controller)
                          for action, both in ((MADE, [0, 1]), (REMOVED, [1, 0]))
                          for number, folder in ((numbers[at], (outer, inner)[at]) for at in both)]
                found = self.lines(actor.pid, MADE, REMOVED)
                self.assertEqual([self.told(line) for line in found], wanted)
                for line in found:
                    self.assertEqual(get(line, "process", "name"), "actor")

    def test_what_is_refused_is_not_told(self):
        actor = self.actor()
        place = next(iter(hierarchies().values()))
        self.make(actor, place / self.name)
        start = len(self.lines(actor.pid))
        actor.fail("mkdir", place / self.name)
        actor.fail("rmdir", place / "nsview-test-absent")
        self.assertEqual(self.lines(actor.pid)[start:], [])

    def test_moved(self):
        """In each hierarchy by which a process can be placed, and out of it again; by another and by itself."""
        for controller, place in hierarchies().items():
            for who in ("another", "itself"):
                with self.subTest(controller=controller, who=who):
                    mover = self.actor()
                    moved = mover if who == "itself" else self.actor()
                    for by in cgroups.mounts().values():  # off all of them, so that this one places it
                        (by / "cgroup.procs").write_text(str(moved.pid))
                    number = self.make(mover, place / self.name)
                    start = len(self.lines(moved.pid))
                    mover.do("write", place / self.name / "cgroup.procs", 0 if who == "itself" else moved.pid)
                    path, after = procview.cgroup(moved.pid), cgroups.paths(moved.pid)
                    self.assertEqual((path, after[controller or ""]), (f"/{self.name}", f"/{self.name}"))
                    child = moved.fork("fork")
                    moved.finish("exit", 0)
                    mover.do("write", place / "cgroup.procs", 0 if who == "itself" else moved.pid)
                    self.check_moves(moved.pid, start, number, controller)
                    self.assertEqual(self.told(self.lines(child, "fork")[0])[1:], (number, path, controller))
                    mover.do("rmdir", place / self.name)

    def check_moves(self, pid, start, number, controller):
        found = [line for line in self.lines(pid)[start:] if line["event"]["action"] == MOVED]
        self.assertEqual(len(found), 2, found)
        self.assertEqual(self.told(found[0]), (MOVED, number, f"/{self.name}", controller))
        self.assertEqual(get(found[1], "nsview", "cgroup", "path"), procview.cgroup(pid))
        for line in found:
            for path, value in events.identity(pid).items():
                if "cgroup" not in path:
                    self.assertEqual(get(line, *path), value, (path, line))

    @unittest.skipIf("" not in cgroups.mounts(), "no version 2 hierarchy is mounted")
    def test_born_in_another(self):
        """clone3(CLONE_INTO_CGROUP): nobody is moved."""
        actor = self.actor()
        folder = cgroups.mounts()[""] / self.name
        number = self.make(actor, folder)
        maker = actor.pid
        actor.fork("fork-into", folder)
        child = actor.pid
        line = self.lines(child)[0]
        self.assertEqual(procview.cgroup(child), f"/{self.name}")
        self.assertEqual(self.told(line), ("fork", number, f"/{self.name}", None))
        actor.finish("exit", 0)
        self.assertEqual([line for pid in (child, maker) for line in self.lines(pid, MOVED)], [])

    @unittest.skipIf(not unnamed(), "each hierarchy here has a controller by which processes are placed")
    def test_hierarchies_that_place_nobody_are_not_told_of(self):
        """docs/events.md: named ones, blkio and the like."""
        for place in unnamed():
            with self.subTest(place=place):
                actor = self.actor()
                start = len(self.lines(actor.pid))
                self.make(actor, place / self.name)
                actor.do("write", place / self.name / "cgroup.procs", 0)
                actor.do("write", place / "cgroup.procs", 0)
                actor.do("rmdir", place / self.name)
                self.assertEqual(self.lines(actor.pid)[start:], [])
