# SPDX-License-Identifier: GPL-2.0-only
"""nsview-static alone with a kernel: what it says against the guest's /proc."""

import json
import signal
import struct
import unittest

import guest
import table
from guest import Guest

CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
NET_RAW = 1 << 13
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
# Where names come from: a library that no machine has. nsview-static does not ask for any.
FILES = {"etc/passwd": b"root:x:0:0::/:/\nweb:x:1000:1000::/:/\n", "etc/nsswitch.conf": b"passwd: nowhere\n"}


class Tests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.guest = Guest(files=FILES)

    @classmethod
    def tearDownClass(cls):
        cls.guest.end()


def pids(one):
    """Those that /proc lists: there is no program that reads a directory but nsview."""
    return {row["pid"] for row in one.json("/nsview", "ps", "--json", "--source", "proc")}


@guest.requires_kernel
class Alone(Tests):
    def hold(self, *words):
        pid = self.guest.launch("/init", "as", *words, "/init", "hold")
        self.addCleanup(self.guest.stop, pid, signal.SIGKILL)
        self.guest.wait_until(lambda: "hold" in self.guest.file(f"/proc/{pid}/cmdline").split("\0")[1:2] or
                              self.guest.file(f"/proc/{pid}/task/{pid}/children"))
        return pid

    def child(self, pid):
        found = int(self.guest.wait_until(lambda: self.guest.file(f"/proc/{pid}/task/{pid}/children")).split()[0])
        self.guest.wait_until(lambda: self.guest.file(f"/proc/{found}/cmdline").split("\0")[1:2] == ["hold"])
        return found

    def check(self, row):
        """One row of ps against /proc/PID/status."""
        status = self.guest.status(row["pid"])
        real, effective, saved, fs = map(int, status["Uid"].split())
        self.assertEqual((row["uid"], row["euid"], row["suid"], row["fsuid"]), (real, effective, saved, fs))
        self.assertEqual([row[f"{kind}_hex"] for kind in ("eff", "prm", "inh", "bnd", "amb")],
                         [status[f"Cap{kind}"] for kind in ("Eff", "Prm", "Inh", "Bnd", "Amb")])
        self.assertEqual((row["comm"], row["ppid"]), (status["Name"], int(status["PPid"])))
        self.assertEqual([one["pid"] for one in row["chain"]], [int(one) for one in status["NSpid"].split()])

    def test_the_file_needs_no_library_and_is_small(self):
        data = (guest.build_of(guest.KERNEL) / "nsview-static").read_bytes()
        start, size, count = struct.unpack_from("<Q", data, 0x20) + struct.unpack_from("<HH", data, 0x36)
        kinds = {struct.unpack_from("<I", data, start + size * i)[0] for i in range(count)}
        self.assertIn(PT_LOAD, kinds)
        self.assertEqual(kinds & {PT_DYNAMIC, PT_INTERP}, set())
        self.assertLess(len(data), 6_000_000)

    def test_every_process_is_shown_as_proc_has_it(self):
        user = self.hold(1000, hex(NET_RAW), 0)
        inside = self.child(self.hold(0, "-", CLONE_NEWPID | CLONE_NEWNET))
        rows = {row["pid"]: row for row in self.guest.json("/nsview", "ps", "--json", "--source", "bpf")}
        self.assertEqual(set(rows) & {1, 2, user, inside}, {1, 2, user, inside})
        # nsview itself was another process each time.
        self.assertLessEqual(len(set(rows) ^ pids(self.guest)), 6)
        for pid in (1, 2, user, inside):
            self.check(rows[pid])
        self.assertEqual((rows[user]["user"], rows[user]["euid"]), ("web", 1000))
        self.assertEqual(rows[user]["eff"], ["CAP_NET_RAW"])
        self.assertEqual(rows[inside]["in_pid"], 1)

    def test_events_tell_what_happens(self):
        listener = self.guest.launch("/nsview", "events", "--output", "/tmp/events")
        self.guest.wait_until(lambda: self.listening())
        pid = self.guest.launch("/init", "as", 1000, hex(NET_RAW), 0, "/init", "hold")
        self.guest.wait_until(lambda: self.guest.file(f"/proc/{pid}/cmdline").split("\0")[1:2] == ["hold"])
        status = self.guest.status(pid)
        self.guest.stop(pid, signal.SIGKILL)
        self.assertEqual(self.guest.stop(listener)[0], 0)
        lines = [json.loads(line) for line in self.guest.file("/tmp/events").splitlines()]
        own = [line for line in lines if line.get("process", {}).get("pid") == pid]
        told = [line["event"]["action"] for line in own]
        self.assertEqual((told[0], told[1], told[-2], told[-1]), ("fork", "exec", "exec", "exit"))
        self.assertEqual(own[-2]["process"]["args"], ["/init", "hold"])
        self.assertEqual(own[-2]["process"]["user"]["id"], status["Uid"].split()[0])
        self.assertEqual(own[-2]["process"]["thread"]["capabilities"]["effective"], ["CAP_NET_RAW"])
        self.assertEqual(own[-1]["nsview"]["exit_signal"], int(signal.SIGKILL))
        causes = {line["nsview"].get("cause") for line in own}
        self.assertLessEqual({"bounding-drop", "setgid", "setuid", "capset", "ambient"}, causes)
        self.assertEqual([line for line in lines if line["event"]["action"] == "gap"], [])

    def listening(self):
        try:
            return self.guest.file("/tmp/events")
        except guest.Failed:
            return ""

    def test_doctor_finds_all_that_it_needs(self):
        said = self.guest.json("/nsview", "doctor", "--json")
        self.assertIs(said["kernel_view"], True)
        self.assertEqual(said["kernel"]["value"].split()[0], self.guest.file("/proc/sys/kernel/osrelease").strip())
        self.assertEqual({hook["hook"]: hook["tier"] for hook in said["hooks"] if hook["tier"] == "off"}, {})

    def test_the_table_in_docs_is_what_doctor_says(self):
        said = self.guest.json("/nsview", "doctor", "--json")
        self.assertEqual(table.told(guest.KERNEL), (table.cells(self.guest, said["hooks"]), table.needs(said)),
                         "make kernel-table")

    def test_an_image_is_refused_in_one_sentence(self):
        said = self.guest.errors("/nsview", "run", "--image", "x.tar", check=2)
        self.assertEqual(len(said.splitlines()), 1)
        self.assertIn("libarchive", said)
        self.assertNotIn("--image", self.guest.run("/nsview", "run", "--help"))

    def test_the_kernel_has_nothing_to_complain_of(self):
        self.guest.run("/nsview", "ps")
        log = self.guest.run("/init", "log")
        self.assertIn("Linux version", log)
        for word in ("WARNING:", "BUG:", "Oops"):
            self.assertNotIn(word, log)

