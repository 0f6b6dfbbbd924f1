# SPDX-License-Identifier: GPL-2.0-only
"""What no hook has told and a look at the task finds, and what of it is too much to be kept."""

import json
import os
import pathlib
import shutil
import struct
import tempfile
import time
import unittest

import events
import nsview
import procview
import recording
from events import CLONE, Actor, Stream, cause, facts, get, parts_changed
from harness import conditions

KEEP = -1 & 0xFFFFFFFF
GROUPS_KEPT = 32
TIERS = ["syscall", *([] if conditions.no_kprobes() else ["kprobe"]),
         *([] if conditions.no_trampolines() else ["fentry"])]


@nsview.requires_root
class Looks(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nsview-looks-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def actor(self, stream):
        actor = Actor()
        self.addCleanup(actor.end)
        stream.wait(lambda: any(os.path.basename(get(line, "process", "args")[0]) == "actor"
                                for line in stream.of(actor.pid, "exec")))
        return actor

    def test_credentials_and_namespaces_found_by_one_look(self):
        """Two lines, each with all that was before; the look is that of a hook which tells of something else."""
        for tier in TIERS:
            hooks = f"credentials=off,namespaces=off,refused={tier},privileges={tier}"
            with self.subTest(tier=tier), Stream("--hooks", hooks) as stream:
                actor = self.actor(stream)
                start, before = len(stream.of(actor.pid)), facts(actor.pid)
                actor.do("setgroups", 5, 6)
                actor.do("unshare", CLONE["net"] | CLONE["uts"])
                actor.do("setresuid", KEEP, 1000, 1001)
                after = facts(actor.pid)
                actor.fail("unshare", CLONE["ipc"])
                stream.settle()
                self.assertEqual(stream.bad, [])
                found = stream.of(actor.pid)[start:]
                told = [(line["event"]["action"], line["event"]["outcome"], cause(line), line["nsview"]["inferred"])
                        for line in found]
                self.assertEqual(told, [("credentials_changed", "success", "other", True),
                                        ("namespaces_changed", "success", "other", True),
                                        ("namespaces_changed", "failure", "ns-create", False)])
                for line in found:
                    now = events.told_after(line)
                    self.assertEqual(now, {part: after[part] for part in now}, line)
                for line in found[:2]:
                    self.assertEqual(events.told_before(line), parts_changed(before, after), line)
                self.assertNotIn("before", found[2]["nsview"])

    def test_more_groups_than_are_kept_are_named_unknown(self):
        """A list without its end would be taken for the list."""
        for tier in TIERS:
            with self.subTest(tier=tier), Stream("--hooks", f"credentials={tier}") as stream:
                actor = self.actor(stream)
                start = len(stream.of(actor.pid))
                for first, count in ((100, GROUPS_KEPT), (200, GROUPS_KEPT + 1), (300, GROUPS_KEPT + 1), (400, 1)):
                    actor.do("setgroups", *range(first, first + count))
                self.assertEqual(procview.status(actor.pid)["Groups"].split(), ["400"])
                stream.settle()
                self.assertEqual(stream.bad, [])
                told = [(line["nsview"].get("groups"), get(line, "nsview", "before", "groups"),
                         line["nsview"].get("unknown"), line["nsview"].get("truncated"))
                        for line in stream.of(actor.pid)[start:]]
                kept = [str(100 + number) for number in range(GROUPS_KEPT)]
                now, old, cut = "nsview.groups", "nsview.before.groups", ["groups"]
                self.assertEqual(told, [(kept, [], None, None), (None, kept, [now], cut), (None, None, [now, old], cut),
                                        (["400"], None, [old], cut)])

    @unittest.skipIf(conditions.not_x86_64(), "no such calls here")
    def test_complete_looks_at_the_end_of_each_call(self):
        """At 32-bit calls too, which the syscall tier does not see."""
        for words, is_seen in (((), False), (("--complete",), True)):
            with self.subTest(words=words), Stream("--hooks", "credentials=syscall", *words) as stream:
                actor = self.actor(stream)
                start, before = len(stream.of(actor.pid)), facts(actor.pid)
                actor.do("setresuid-32bit", KEEP, KEEP, 1000)
                after = facts(actor.pid)
                stream.settle()
                found = stream.of(actor.pid)[start:]
                told = [(line["event"]["action"], cause(line), events.told_before(line)) for line in found]
                wanted = [("credentials_changed", "setuid", parts_changed(before, after))]
                self.assertEqual(told, wanted if is_seen else [])

    @unittest.skipIf(conditions.not_x86_64(), "no such calls here")
    def test_the_next_event_of_whatever_kind_finds_a_32bit_call(self):
        """Before it, a line of its own; but an exec tells all that it found by itself."""
        program = self.folder / "program"
        shutil.copy(events.ACTOR, program)
        with Stream("--hooks", "credentials=syscall") as stream:
            for action, *command in (("fork", "fork"), ("exec", "exec", program),
                                     ("namespaces_changed", "unshare", CLONE["uts"])):
                with self.subTest(action=action):
                    actor = self.actor(stream)
                    pid, start, before = actor.pid, len(stream.of(actor.pid)), facts(actor.pid)
                    actor.do("setresuid-32bit", 1000, KEEP, KEEP)
                    after = facts(pid)
                    (actor.fork if action == "fork" else actor.do)(*command)
                    stream.settle()
                    found = stream.of(pid)[start:]
                    line = found[0]
                    wanted = {"fork": ["credentials_changed"], "exec": ["exec"],
                              "namespaces_changed": ["credentials_changed", "namespaces_changed"]}[action]
                    self.assertEqual([line["event"]["action"] for line in found], wanted)
                    self.assertEqual((cause(line), line["nsview"]["inferred"]), ("other", True))
                    self.assertEqual(events.told_before(line)["real_user"], before["real_user"])
                    if action != "exec":
                        self.assertEqual(events.told_before(line), parts_changed(before, after))

    def test_two_sweeps_find_what_nothing_else_told(self):
        """The process does nothing more, so no hook looks at it."""
        actions = ("credentials_changed", "namespaces_changed")
        types = ",".join(("exit", *actions))
        with Stream("--types", types, "--hooks", "credentials=off,namespaces=off") as stream:
            actor = Actor()
            self.addCleanup(actor.end)
            before = facts(actor.pid)
            actor.do("setresuid", KEEP, KEEP, 1000)
            actor.do("unshare", CLONE["uts"])
            after = facts(actor.pid)
            stream.wait(lambda: len(stream.of(actor.pid, *actions)) == 2, 300)  # a sweep that takes long comes seldom
            for line in stream.of(actor.pid, *actions):
                self.assertEqual((cause(line), line["nsview"]["inferred"]), ("other", True))
                self.assertEqual(events.told_before(line), parts_changed(before, after), line)

    def test_a_child_born_into_the_pid_namespace_meant_for_it_changes_nothing(self):
        """Whoever unshared or joined it is told of; a sweep has nothing to add about the child."""
        with Actor() as other:
            other.fork("clone3", CLONE["pid"])
            for words in (("unshare", CLONE["pid"]), ("setns", f"/proc/{other.pid}/ns/pid", CLONE["pid"])):
                hooks = "credentials=off"  # what only sweeps find tells when they have been there
                with self.subTest(words=words), Stream("--hooks", hooks) as stream, Actor() as actor:
                    actor.do(*words)
                    child = actor.fork("fork")
                    self.assertNotEqual(procview.namespaces(child)["pid"], procview.namespaces(os.getpid())["pid"])
                    with Actor() as witness:
                        witness.do("setresuid", KEEP, KEEP, 1000)
                        stream.wait(lambda: stream.of(witness.pid, "credentials_changed"), 60)
                    stream.settle()
                    self.assertEqual([line["event"]["action"] for line in stream.of(child)], ["fork"])
                    self.assertEqual([(line["event"]["action"], line["nsview"]["inferred"])
                                      for line in stream.of(actor.process.pid, "namespaces_changed")],
                                     [("namespaces_changed", False)])


@nsview.requires_root
class Places(unittest.TestCase):
    """docs/event-memory.md."""

    def test_each_belongs_to_one_living_task_or_to_none(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="nsview-places-"))
        self.addCleanup(shutil.rmtree, folder)
        with Stream("--types", "exit", "--ring", "64m") as stream, nsview.Subject():
            number, = [number for number in nsview.held_maps(stream.process.pid)
                       if self.bpftool("map", "show", "id", number)["name"] == "remembered_by_p"]
            for storm in (("exec", 1000, folder / "program"), ("threads", 100)):
                events.Storm(*storm).run()
            nsview.wait_until(lambda: self.are_claimed(number))  # others come and go while it is read

    def are_claimed(self, number):
        entries = self.bpftool("map", "dump", "id", number)
        places = [entry["formatted"]["value"] for entry in entries[:1 << len(entries).bit_length() - 1]]
        held = [bool(place["owner"]) and not place["ended_jiffies"] for place in places]
        return any(held) and [place["claims"] for place in places] == held

    @staticmethod
    def bpftool(*words):
        return json.loads(nsview.bpftool(*map(str, words)))


@nsview.requires_root
class OneRecord(unittest.TestCase):
    """A recording of one event, without the processes that were there before it."""

    EVENT, CLOCK, CREDENTIALS = 5, 8, 4  # bpf/event.h

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nsview-looks-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_has_before_after_chain_and_ids(self):
        whole, cut = self.folder / "whole", self.folder / "cut"
        with recording.Recorded(whole) as recorded, Actor() as actor:
            actor.fork("clone3", CLONE["user"] | CLONE["pid"])
            for file in ("uid_map", "gid_map"):
                pathlib.Path(f"/proc/{actor.pid}/{file}").write_text("0 0 1\n5 3000 100")
            pid, before = actor.pid, facts(actor.pid)
            actor.do("setresuid", 5, 6, 7)
            after, chain = facts(pid), procview.chain(pid)
        self.assertFalse(recorded.process.returncode)
        line, = self.replayed(cut, self.start(whole), [self.record_of(whole, pid)])
        told = events.told_after(line)
        self.assertEqual(told, {part: after[part] for part in told})
        self.assertEqual(events.told_before(line), parts_changed(before, after))
        self.assertEqual(get(line, "nsview", "pid_chain"), chain)
        inside = line["nsview"]["inside"]
        self.assertEqual([inside[name]["id"] for name in events.USERS], ["6", "5", "7"])

    def record_of(self, whole, pid):
        """Of its credentials."""
        kept, = [record for kind, record in recording.records(whole)
                 if kind == self.EVENT and struct.unpack_from("<I", record, 52)[0] == pid
                 and record[80] == self.CREDENTIALS]
        return kept

    @staticmethod
    def start(whole):
        """The header, and the end of an empty snapshot."""
        mark = next(record for kind, record in recording.records(whole) if kind == recording.MARK)
        data = whole.read_bytes()
        return data[:struct.unpack_from("<I", data, 16)[0]] + mark

    @staticmethod
    def replayed(path, start, records, *words):
        path.write_bytes(start + b"".join(records))
        done = nsview.run("events", "--replay", str(path), *words, check=0)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [line for line in lines if line["event"]["action"] == "credentials_changed"]

    def test_has_its_time_by_the_clock_as_it_was_then(self):
        """The clock is set between two events; the boot clock goes on."""
        whole, cut = self.folder / "whole", self.folder / "cut"
        with recording.Recorded(whole), Actor() as actor:
            pid = actor.pid
            actor.do("setresuid", KEEP, KEEP, 1000)
        record = self.record_of(whole, pid)
        boot_ns = struct.unpack_from("<Q", record, 8)[0]
        set_to = 1_000_000_000_123_456_789  # 2001-09-09T01:46:40.123456789Z
        clock = struct.pack("<IHHQQ", 24, self.CLOCK, 0, boot_ns, set_to - boot_ns)
        lines = self.replayed(cut, self.start(whole), [record, clock, record])
        self.assertEqual(lines[1]["@timestamp"], "2001-09-09T01:46:40.123456789Z")
        now = time.time_ns()
        self.assertTrue(now - 600e9 < events.time_ns(lines[0]["@timestamp"]) <= now)

    def test_a_clock_that_is_set_counts_for_a_moment_to_show(self):
        whole, cut = self.folder / "whole", self.folder / "cut"
        with recording.Recorded(whole), Actor() as actor:
            pid = actor.pid
            actor.do("setresuid", KEEP, KEEP, 1000)
        record, hour = self.record_of(whole, pid), 3600_000_000_000
        offset = struct.unpack_from("<Q", whole.read_bytes(), 32)[0]  # struct recording_header
        clock = struct.pack("<IHHQQ", 24, self.CLOCK, 0, struct.unpack_from("<Q", record, 8)[0], offset + hour)
        self.assertEqual(len(self.replayed(cut, self.start(whole), [record, clock, record])), 2)
        self.assertEqual(len(self.replayed(cut, self.start(whole), [record, clock, record], "--at", "+1800")), 1)
