# SPDX-License-Identifier: GPL-2.0-only
"""A process is given root as an exploit does it: its credentials are written where they lie in memory, and no
code of the kernel runs. The memory is the guest's, which is a file here."""

import datetime
import json
import mmap
import re
import struct
import unittest

import guest
from guest import Guest

# Numbers that nothing else in the guest's memory has beside each other.
USER = 0x5A17C0DE
CAPS = 1 << 13 | 1 << 25 | 1 << 34
SWEEP_SECONDS = 3  # docs/watching.md; longer where a look takes more than 30 ms
# A sweep begins when nsview next comes round, and is read after its end; and a second for Unexplained.now().
LATE_SECONDS = 2
# The guest's clock counts instructions: a look takes as long on a busy machine as on a quiet one.
CLOCK = ("-icount", "shift=0")
TIERS = {"kprobe": ["--hooks", "credentials=kprobe"], "fentry": ["--hooks", "credentials=fentry"],
         "syscall": ["--hooks", "credentials=syscall,namespaces=syscall,refused=syscall,privileges=syscall,idmap=off"]}
if not guest.HAS_TRAMPOLINES:
    del TIERS["fentry"]


def time_of(line):
    """Seconds; Python's clock ends at microseconds."""
    return datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z$", r"\1+00:00", line["@timestamp"])).timestamp()


def find_credentials(memory):
    """Each place of struct cred's uid, gid, suid, sgid, euid, egid, fsuid, fsgid: the one in use, and older
    copies of it that nobody has overwritten yet."""
    pattern = struct.pack("<I", USER) * 8
    at = memory.find(pattern)
    while at >= 0:
        yield at
        at = memory.find(pattern, at + 4)


def write_credentials(memory, at, full):
    """Users become 0; then come securebits (and, since 6.3, 4 bytes of padding) and the sets: inheritable,
    permitted, effective."""
    sets = struct.pack("<QQQ", CAPS, CAPS, CAPS)
    place = memory.find(sets, at + 32, at + 32 + 8 + len(sets))
    if place < 0:
        return False
    for number in (0, 2, 4, 6):
        memory[at + 4 * number:at + 4 * number + 4] = bytes(4)
    memory[place + 8:place + 24] = struct.pack("<QQ", full, full)
    return True


@guest.requires_kernel
class Unexplained(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.guest = Guest(options=CLOCK)
        cls.full = int(cls.guest.status(1)["CapEff"], 16)

    @classmethod
    def tearDownClass(cls):
        cls.guest.end()

    def give_root(self, pid):
        with mmap.mmap(self.guest.memory.fileno(), 0) as memory:
            written = [write_credentials(memory, at, self.full) for at in find_credentials(memory)]
        self.assertIn(True, written)
        status = self.guest.status(pid)
        self.assertEqual((status["Uid"], status["CapEff"]), ("0\t0\t0\t0", f"{self.full:016x}"))

    def told(self, listener):
        lines = self.guest.file(f"/tmp/{listener}.out").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def now(self):
        """The guest's clock, or up to a second before: /proc tells of the boot in whole seconds."""
        booted = re.search(r"^btime (\d+)$", self.guest.file("/proc/stat"), re.MULTILINE)[1]
        return int(booted) + float(self.guest.file("/proc/uptime").split()[0])

    def wait_for_two_sweeps(self):
        self.guest.run("/init", "sleep", 2 * SWEEP_SECONDS + 1)

    def test_it_is_told_and_only_claimed_where_hooks_see_everything(self):
        """A process that does nothing, and so is only found by sweeps, two of which must see it. The nsviews
        of all tiers look at it at once."""
        pid = self.guest.launch("/init", "as", USER, hex(CAPS), 0, "/init", "hold")
        self.guest.wait_until(lambda: self.guest.file(f"/proc/{pid}/cmdline").split("\0")[1:2] == ["hold"])
        listeners = {tier: self.guest.launch("/nsview", "events", "--snapshot", "-p", pid, *words)
                     for tier, words in TIERS.items()}
        for listener in listeners.values():
            self.guest.wait_until(lambda: any(self.is_of(line, pid) for line in self.told(listener)))
        # What is remembered is what was true.
        self.wait_for_two_sweeps()
        self.give_root(pid)
        written = self.now()
        for listener in listeners.values():
            self.guest.wait_until(lambda: self.changes(listener, pid))
        self.wait_for_two_sweeps()
        for tier, listener in listeners.items():
            with self.subTest(tier=tier):
                line = self.check(self.changes(listener, pid), "other" if tier == "syscall" else "unexplained")
                self.assertLess(time_of(line) - written, 2 * SWEEP_SECONDS + LATE_SECONDS)
                self.guest.stop(listener)
        self.guest.stop(pid, 9)

    def check(self, found, cause):
        self.assertEqual(len(found), 1, found)
        line = found[0]
        self.assertEqual((line["nsview"]["cause"], line["nsview"]["inferred"]), (cause, True), line)
        self.assertEqual(line["process"]["user"]["id"], "0")
        self.assertEqual(line["nsview"]["before"]["user"]["id"], str(USER), line)
        self.assertIn("CAP_SYS_ADMIN", line["nsview"]["capabilities"]["gained"])
        return line

    def changes(self, listener, pid):
        return [line for line in self.told(listener) if self.is_of(line, pid) and "before" in line["nsview"]]

    def is_of(self, line, pid):
        return line.get("process", {}).get("pid") == pid
