# SPDX-License-Identifier: GPL-2.0-only
"""What no hook has told and a look at the task finds, and what of it is too much to be kept."""

import os
import unittest

import events
import nsview
import procview
from events import CLONE, Actor, Stream, cause, facts, get
from harness import conditions

KEEP = -1 & 0xFFFFFFFF
GROUPS_KEPT = 32
TIERS = ["syscall", *([] if conditions.no_kprobes() else ["kprobe"]),
         *([] if conditions.no_trampolines() else ["fentry"])]


def parts_changed(before, after):
    found = {part: before[part] for part in before if before[part] != after[part]}
    if "ns" in found:
        found["ns"] = {kind: inode for kind, inode in before["ns"].items() if inode != after["ns"][kind]}
    return found


@nsview.requires_root
class Looks(unittest.TestCase):
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
