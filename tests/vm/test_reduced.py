# SPDX-License-Identifier: GPL-2.0-only
"""What nsview still does where the kernel or its user's rights allow less, and what it says then."""

import json
import signal
import unittest

import guest
from guest import Guest

USER = 1000
NUMBERS = {"CAP_DAC_READ_SEARCH": 2, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_SYS_RESOURCE": 24,
           "CAP_PERFMON": 38, "CAP_BPF": 39}  # linux/capability.h
PARANOID = "/proc/sys/kernel/perf_event_paranoid"
BTF = "/sys/kernel/btf/vmlinux"
DEBIANS = "3"  # what Debian's kernels start with


def mask(names):
    return hex(sum(1 << NUMBERS[name] for name in names))


class Tests(unittest.TestCase):
    cmdline = ""

    @classmethod
    def setUpClass(cls):
        cls.guest = Guest(cmdline=cls.cmdline)

    @classmethod
    def tearDownClass(cls):
        cls.guest.end()

    def user(self, capabilities, *words, check=0):
        """As a user with these capabilities and no others."""
        return self.guest.run("/init", "as", USER, mask(capabilities), 0, "/nsview", *words, check=check)

    def doctor(self, capabilities, check=0):
        return json.loads(self.user(capabilities, "doctor", "--json", check=check))

    def tiers(self, said):
        return {hook["hook"]: hook["tier"] for hook in said["hooks"]}

    def check_only_proc(self, command=(), word="root"):
        """The reduced service: all processes with ? where /proc does not tell, no events, one sentence."""
        rows = self.guest.json(*command, "/nsview", "ps", "--json")
        init = next(row for row in rows if row["pid"] == 1)
        self.assertEqual((init["comm"], init["euid"]), ("init", 0))
        self.assertTrue(init["unknown"])
        said = self.guest.errors(*command, "/nsview", "ps", check=0)
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertIn(word, said)
        said = self.guest.errors(*command, "/nsview", "events", "--count", 1, check=3)
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertIn(word, said)
        self.assertIn("nsview doctor", said)


@guest.requires_kernel
class Privileges(Tests):
    def setUp(self):
        self.guest.write(PARANOID, DEBIANS)

    def needs(self):
        return self.guest.json("/nsview", "doctor", "--json")["capabilities"]

    def test_what_processes_need_is_exactly_that(self):
        needed = self.needs()["processes"]
        said = self.doctor(needed)
        self.assertIs(said["kernel_view"], True)
        self.assertNotEqual(said["privileges"]["verdict"], "lacks")
        rows = json.loads(self.user(needed, "ps", "--json", "--source", "bpf"))
        self.assertIn(1, {row["pid"] for row in rows})
        for one in needed:
            with self.subTest(without=one):
                said = self.doctor(set(needed) - {one}, check=3)
                self.assertIs(said["kernel_view"], False)
                self.assertEqual(said["privileges"]["verdict"], "lacks")
                self.assertIn(one.removeprefix("CAP_"), said["privileges"]["remedy"])

    def test_what_kprobes_need_is_exactly_that(self):
        needed = self.needs()["kprobes"]
        self.assertEqual(self.tiers(self.doctor(needed))["credentials"], "kprobe")
        for one in needed:
            with self.subTest(without=one):
                said = self.doctor(set(needed) - {one}, check=None)
                self.assertNotEqual(self.tiers(said).get("credentials"), "kprobe")
                self.assertTrue(said["privileges"]["remedy"])

    def test_a_less_paranoid_kernel_needs_no_more_for_kprobes_than_for_processes(self):
        self.guest.write(PARANOID, "2")
        needed = self.needs()
        self.assertEqual(needed["kprobes"], needed["processes"])
        self.assertEqual(self.tiers(self.doctor(needed["kprobes"]))["credentials"], "kprobe")

    @unittest.skipUnless(guest.HAS_TRAMPOLINES, "arm64 has none before 6.4")
    def test_without_perf_events_trampolines_are_taken_and_tell(self):
        needed = self.needs()["processes"]
        said = self.doctor(needed)
        credentials = next(hook for hook in said["hooks"] if hook["hook"] == "credentials")
        self.assertEqual(credentials["tier"], "fentry")
        self.assertIn("perf_event_paranoid", credentials["why"])
        self.assertIn("skip", credentials["missed"])
        self.assertEqual([(tier["tier"], tier["verdict"]) for tier in credentials["tiers"]],
                         [("kprobe", "refused"), ("fentry", "taken"), ("syscall", "spare")])
        listener = self.guest.launch("/init", "as", USER, mask(needed), 0, "/nsview", "events")
        output = f"/tmp/{listener}.out"
        self.guest.wait_until(lambda: "credentials is fentry" in self.guest.file(output))
        pid = self.guest.launch("/init", "as", USER, "0", 0, "/init", "hold")
        self.guest.wait_until(lambda: self.guest.file(f"/proc/{pid}/cmdline").split("\0")[1:2] == ["hold"])
        self.guest.stop(pid, signal.SIGKILL)
        status, out, _ = self.guest.stop(listener)
        self.assertEqual(status, 0)
        lines = [json.loads(line) for line in out.splitlines()]
        causes = {line["nsview"].get("cause") for line in lines if line.get("process", {}).get("pid") == pid}
        self.assertLessEqual({"setgid", "setuid", "capset"}, causes)

    def test_each_lacking_capability_is_named_for_files(self):
        needed = set(self.needs()["kprobes"]) | set(self.needs()["files"])
        self.assertEqual(self.doctor(needed)["privileges"]["verdict"], "fine")
        said = self.doctor(needed - {"CAP_SYS_PTRACE"})
        self.assertEqual(said["privileges"]["verdict"], "limits")
        self.assertIn("SYS_PTRACE", said["privileges"]["remedy"])

    def test_a_user_without_any_sees_what_proc_shows(self):
        said = self.doctor([], check=3)
        self.assertEqual((said["kernel_view"], said["hooks"]), (False, []))
        self.assertEqual(said["privileges"]["value"], f"uid {USER}, none")
        self.check_only_proc(("/init", "as", USER, "0", 0))


@guest.requires_kernel
class WithoutBtf(Tests):
    """No kernel of Debian's is without: it is put out of sight."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest.run("/init", "copy", BTF, "/tmp/btf")
        cls.guest.run("/init", "mount", "tmpfs", "/sys/kernel/btf")

    def test_doctor_says_what_is_missing_and_what_to_do(self):
        said = self.guest.json("/nsview", "doctor", "--json", check=3)
        self.assertEqual((said["btf"]["verdict"], said["kernel_view"], said["hooks"]), ("lacks", False, []))
        self.assertIn(BTF, said["btf"]["value"])
        self.assertIn("--btf FILE", said["btf"]["remedy"])

    def test_processes_come_from_proc(self):
        self.check_only_proc(word="--btf")

    def test_a_file_is_as_good(self):
        said = self.guest.json("/nsview", "--btf", "/tmp/btf", "doctor", "--json")
        self.assertIs(said["kernel_view"], True)
        self.assertEqual(said["btf"]["verdict"], "fine")
        self.assertEqual(self.tiers(said)["credentials"], "kprobe")
        rows = self.guest.json("/nsview", "--btf", "/tmp/btf", "ps", "--json", "--source", "bpf")
        self.assertIn(1, {row["pid"] for row in rows})
        told = self.guest.run("/nsview", "--btf", "/tmp/btf", "events", "--snapshot", "--count", 1, "--types", "snapshot")
        self.assertTrue(json.loads(told))


@guest.requires_kernel
class LockedDown(Tests):
    cmdline = "lockdown=confidentiality"

    def test_doctor_says_so(self):
        said = self.guest.json("/nsview", "doctor", "--json", check=3)
        self.assertEqual((said["lockdown"]["value"], said["lockdown"]["verdict"]), ("confidentiality", "lacks"))
        self.assertIn("lockdown=confidentiality", said["lockdown"]["remedy"])
        self.assertEqual((said["kernel_view"], said["hooks"]), (False, []))
        self.assertIn("lockdown", said["iterator"]["remedy"])

    def test_processes_come_from_proc(self):
        self.check_only_proc(word="lockdown")


@guest.requires_kernel
class Integrity(Tests):
    """It keeps root from changing the kernel, not from reading it."""

    cmdline = "lockdown=integrity"

    def test_everything_is_there(self):
        said = self.guest.json("/nsview", "doctor", "--json")
        self.assertEqual((said["lockdown"]["value"], said["lockdown"]["verdict"]), ("integrity", "fine"))
        self.assertEqual({tier for tier in self.tiers(said).values() if tier == "off"}, set())
