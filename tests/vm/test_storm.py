# SPDX-License-Identifier: GPL-2.0-only
"""Storms by tasks that preempt each other, on each tier: seen + lost + skipped = generated, without what only a
look at a task has found."""

import re
import unittest

import guest
from guest import Guest

TASKS = 4
CREDENTIALS = 8000  # of each task
FORKS = 200
# Of others meanwhile: the storm's own start and end, and the commands that the test runs.
OTHERS = 40
TYPES = "exec,credentials_changed,capabilities_changed"


def counts(said):
    """{hook: (tier, seen, lost, skipped)} of --stats."""
    lines = re.findall(r"^  (\w+) +(\w+) +seen (\d+), lost (\d+), skipped (\d+)$", said, re.MULTILINE)
    return {hook: (tier, *map(int, numbers)) for hook, tier, *numbers in lines}


@guest.requires_kernel
class Storm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.guest = Guest()

    @classmethod
    def tearDownClass(cls):
        cls.guest.end()

    def storm(self, hook, tier, kind, count):
        """What --stats says of the hook after a storm, and whether it all came to the storm's number."""
        listener = self.guest.launch("/nsview", "events", "--output", f"/tmp/{hook}.{tier}", "--types", TYPES, "--stats",
                                     "--format", "text", "--hooks", f"{hook}={tier}")
        self.guest.wait_until(lambda: self.has_told(f"/tmp/{hook}.{tier}"))
        self.guest.run("/init", "storm", kind, TASKS, count)
        self.guest.run("/init", "sleep", 2)
        status, _, said = self.guest.stop(listener)
        self.assertEqual(status, 0, said)
        found = counts(said)[hook]
        self.assertEqual(found[0], tier, said)
        # What was skipped is found by the next look at the task, and so is told after all, without its call.
        inferred = int(self.guest.run("/init", "count", f"/tmp/{hook}.{tier}", "(inferred)"))
        total = sum(found[1:]) - inferred
        # What the last look of a task finds, at its end, is the exit's line and not this hook's.
        unseen = TASKS if hook == "credentials" else 0
        self.assertGreaterEqual(total, TASKS * count - unseen, said)
        self.assertLessEqual(total, TASKS * count + OTHERS, said)
        print(f"{hook} on {tier}: seen {found[1]}, lost {found[2]}, skipped {found[3]}, inferred {inferred}, generated {TASKS * count}")
        return found

    def has_told(self, path):
        """Of an exec: everything is attached by then."""
        self.guest.run("/init", "sleep", 0)
        return self.guest.run("/init", "cat", path, check=None)

    def test_credentials(self):
        for tier in ("kprobe", "fentry") if guest.HAS_TRAMPOLINES else ("kprobe",):
            with self.subTest(tier=tier):
                found = self.storm("credentials", tier, "credentials", CREDENTIALS)
                if tier == "kprobe":
                    self.assertEqual(found[3], 0)

    def test_forks_and_exits(self):
        for hook in ("fork", "exit"):
            for tier in ("tracepoint", "kprobe"):
                with self.subTest(hook=hook, tier=tier):
                    found = self.storm(hook, tier, "fork", FORKS)
                    if tier == "kprobe":
                        self.assertEqual(found[3], 0)
