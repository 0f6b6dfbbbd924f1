# SPDX-License-Identifier: GPL-2.0-only
"""A kernel that refuses a hook, or skips runs of one: contrary.c answers for it."""

import errno
import functools
import json
import os
import re
import subprocess
import unittest

import events
import nsview
from events import Stream, get
from harness import conditions

CONTRARY = str(nsview.BUILD / "tests/kernel/contrary")
TIERS = ["syscall"]  # of credentials, those that the kernel has, best first
if not conditions.no_trampolines():
    TIERS.insert(0, "fentry")
if not conditions.no_kprobes():
    TIERS.insert(0, "kprobe")


@functools.cache
def hooks(command=()):
    """{hook: what doctor says of it}."""
    said = json.loads(nsview.run("doctor", "--json", command=command, check=None).stdout)
    return {hook["hook"]: hook for hook in said["hooks"]}


def first_lines(command):
    """What the stream begins with: all before the first event of the kernel side."""
    with subprocess.Popen([*command, nsview.NSVIEW, "events"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        lines = [json.loads(process.stdout.readline())]
        subprocess.run(["true"], check=True)
        while get(lines[-1], "event", "sequence") is None:
            lines.append(json.loads(process.stdout.readline()))
        process.terminate()
        process.stdout.close()
    return lines[:-1]


@nsview.requires_root
class Refused(unittest.TestCase):
    def check(self, how, program, hook, tier, error):
        """That hook is on its next tier, or off, and says why; every other is on the one that it has here."""
        command = [CONTRARY, how, program]
        here, there = hooks(), hooks(tuple(command))
        self.assertEqual({name: row["tier"] for name, row in there.items()},
                         {**{name: row["tier"] for name, row in here.items()}, hook: tier})
        self.assertIn(os.strerror(error), there[hook]["why"])
        told = {get(line, "nsview", "info", "hook"): line["message"] for line in first_lines(command)
                if line["event"]["action"] == "info"}
        self.assertIn(f"hook {hook} is {tier}", told[hook])
        self.assertIn(os.strerror(error), told[hook])
        self.assertEqual(set(told) - {hook}, {name for name, row in here.items()
                                              if row["why"] and name not in (hook, "complete")})

    def test_a_program_that_is_not_loaded_costs_its_hook_alone(self):
        self.check("load", "cgroup_make__tracepoint", "cgroup_make", "off", errno.EINVAL)

    def test_a_program_that_is_not_attached_costs_its_hook_alone(self):
        self.check("attach", "cgroup_remove__tracepoint", "cgroup_remove", "off", errno.EPERM)

    def test_the_next_tier_is_taken(self):
        self.check("load", f"credentials__{TIERS[0]}", "credentials", [*TIERS, "off"][1], errno.EINVAL)

    def test_what_the_others_see_is_told(self):
        with Stream(command=[CONTRARY, "load", "exec__tracepoint"]) as stream, events.Actor() as actor:
            child = actor.fork("fork")
            actor.do("setresuid", 0, 0, 1000)
            actor.finish("exit", 3)
            stream.settle()
            self.assertEqual(stream.bad, [])
            self.assertEqual([line["event"]["action"] for line in stream.of(child)],
                             ["fork", "credentials_changed", "exit"])


@nsview.requires_root
class Skipped(unittest.TestCase):
    COUNT = 77

    def check_numbers(self, gaps, stream):
        """Each once: of an event, or in a gap."""
        missing = [number for gap in gaps for number in range(gap["first"], gap["last"] + 1)]
        numbers = sorted(missing + stream.sequences)
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_runs_that_the_kernel_skipped_are_a_gap_of_their_hook(self):
        """They have numbers, as all that is lost, and --stats counts them."""
        with Stream("--stats", command=[CONTRARY, "skip", f"exec__tracepoint:{self.COUNT}"]) as stream:
            stream.wait(stream.gaps)
            stream.settle()
            stream.end()
        gaps = [get(line, "nsview", "gap") for line in stream.gaps()]
        ours = [gap for gap in gaps if gap.get("hook") == "exec"]
        self.assertEqual({gap["reason"] for gap in ours}, {"skipped"})
        count = sum(gap["lost"] for gap in ours)
        self.assertGreaterEqual(count, self.COUNT)
        self.check_numbers(gaps, stream)
        said = re.findall(r"^ *(\S+) .*?skipped (\d+)", stream.errors.decode(), re.M)
        self.assertEqual(int(dict(said)["exec"]), count)
        self.assertEqual(int(dict(said)["nsview:"]), sum(gap["lost"] for gap in gaps if gap["reason"] == "skipped"))

    def test_gaps_are_never_filtered(self):
        words = ("--types", "container_named", "--filter", "pid = 1", "-c", "none-of-this-name")
        with Stream(*words, is_awaited=False, command=[CONTRARY, "skip", f"exec__tracepoint:{self.COUNT}"]) as stream:
            stream.wait(stream.gaps)
            self.assertEqual({line["event"]["action"] for line in stream.all()}, {"gap"})

    def test_what_a_processor_lost_is_told_though_nothing_follows(self):
        """Nobody but the counters themselves knows of these."""
        with Stream(command=[CONTRARY, "count", f"counters:{self.COUNT}"]) as stream:
            stream.wait(stream.gaps)
            stream.settle()
            stream.end()
        gaps = [get(line, "nsview", "gap") for line in stream.gaps()]
        ours = [gap for gap in gaps if gap["reason"] == "ring-full"]
        self.assertEqual({gap.get("hook") for gap in ours}, {None})
        self.assertGreaterEqual(sum(gap["lost"] for gap in ours), self.COUNT)
        self.check_numbers(gaps, stream)


if __name__ == "__main__":
    unittest.main()
