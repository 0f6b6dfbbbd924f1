# SPDX-License-Identifier: GPL-2.0-only
"""What nsview ps --source proc says where not everything may be read."""

import os
import subprocess
import tempfile
import unittest

import nsview

UNPRIVILEGED = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all")
NAMESPACES = ("mnt", "net", "ipc", "uts", "cgroup", "time", "user")


def in_proc(options):
    """A command prefix: in a mount namespace with a /proc of these options."""
    return ("unshare", "-m", "sh", "-c", f'mount -t proc -o {options} proc /proc && exec "$@"', "sh")


@nsview.requires_root
class Unprivileged(unittest.TestCase):
    def assert_known(self, row, *keys):
        for key in keys:
            self.assertNotIn(key, row["unknown"])

    def test_of_others_what_status_shows_is_known_and_the_rest_named_unknown(self):
        with nsview.Subject("uids", 1000, 1000, 1000, 1000) as subject:
            row = nsview.ps("-p", str(subject.pid), source="proc", command=UNPRIVILEGED)[subject.pid]
        for name in NAMESPACES:
            self.assertIsNone(row["ns"][name])
            self.assertIn(f"ns.{name}", row["unknown"])
        self.assertIn("host_effective", row["unknown"])
        self.assert_known(row, "uid", "eff", "ppid", "nnp", "seccomp", "cgroup", "loginuid", "start", "args")
        self.assertEqual(row["uid"], 1000)

    def test_the_pid_namespace_of_a_host_process_follows_from_its_one_number(self):
        with nsview.Subject() as subject:
            inode = os.stat(f"/proc/{subject.pid}/ns/pid").st_ino
            row = nsview.ps("-p", str(subject.pid), source="proc", command=UNPRIVILEGED)[subject.pid]
        self.assertEqual(row["ns"]["pid"], inode)
        self.assertEqual(row["chain"], [{"ns": inode, "pid": subject.pid}])

    def test_kernel_threads_are_of_the_hosts_user_namespace(self):
        row = nsview.ps("-p", "2", source="proc", command=UNPRIVILEGED)[2]
        self.assertEqual(row["ns"]["user"], os.stat("/proc/2/ns/user").st_ino)
        self.assertTrue(row["host_effective"])

    def test_ones_own_are_complete(self):
        command = (*UNPRIVILEGED, "sh", "-c", 'sleep 60.125 & "$@"; status=$?; kill $!; exit $status', "sh")
        rows = nsview.ps("-u", "65534", source="proc", command=command)
        own = [row for row in rows.values() if row["args"] == ["sleep", "60.125"]]
        self.assertEqual(len(own), 1)
        # shared: the host's mnt and net cannot be known by their numbers.
        self.assertLessEqual(set(own[0]["unknown"]), {"securebits", "shared"})

    def test_hidepid_2_shows_ones_own_only(self):
        rows = nsview.ps(source="proc", command=(*in_proc("hidepid=2"), *UNPRIVILEGED))
        self.assertEqual({row["uid"] for row in rows.values()}, {65534})

    def test_hidepid_1_leaves_the_pids(self):
        with nsview.Subject() as subject:
            rows = nsview.ps(source="proc", command=(*in_proc("hidepid=1"), *UNPRIVILEGED))
        row = rows[subject.pid]
        for key in ("uid", "eff", "ppid", "start", "stat", "args", "cgroup", "caps", "chain"):
            self.assertIsNone(row[key])
            self.assertIn(key, row["unknown"])


@nsview.requires_root
class Elsewhere(unittest.TestCase):
    def test_from_a_pid_namespace_of_its_own_the_chain_is_not_whole(self):
        command = ("unshare", "-pf", "--mount-proc", "sh", "-c", '"$@"; exit $?', "sh")
        rows = nsview.ps(source="proc", command=command)
        self.assertEqual(rows[1]["comm"], "sh")
        self.assertIn("chain", rows[1]["unknown"])

    def test_from_a_user_namespace_of_its_own_the_levels_are_unknown(self):
        command = ("unshare", "-Ur", "sh", "-c", '"$@"; exit $?', "sh")
        rows = nsview.ps(source="proc", command=command)
        own = [row for row in rows.values() if row["args"] == [nsview.NSVIEW, "ps", "--json", "--source", "proc"]]
        self.assertEqual(own[0]["in_uid"], 0)
        self.assertIn("userns.level", own[0]["unknown"])

    def test_a_time_namespace_does_not_move_the_start(self):
        with nsview.Subject() as subject:
            words = ("-p", str(subject.pid))
            here = nsview.ps(*words, source="proc")[subject.pid]["start"]
            there = nsview.ps(*words, source="proc", command=("unshare", "-T", "--boottime", "500000"))
        self.assertEqual(there[subject.pid]["start"][:21], here[:21])  # to a tenth of a second

    def test_what_is_not_proc_is_refused(self):
        command = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
        done = nsview.run("ps", "--source", "proc", command=command, check=3)
        self.assertIn("/proc", done.stderr)
        self.assertIn("nsview doctor", done.stderr)

    def test_the_hosts_proc_may_lie_elsewhere(self):
        with nsview.Subject() as subject:
            script = ('mount -t tmpfs none "$0" && mkdir "$0/proc" && '
                      'mount --bind /proc "$0/proc" && mount -t tmpfs none /proc && exec "$@"')
            place = self.folder()
            rows = nsview.ps("--host-root", place, source="proc",
                             command=("unshare", "-m", "sh", "-c", script, place))
        self.assertEqual(rows[subject.pid]["args"][0], nsview.SUBJECT)

    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name


@nsview.requires_root
class Churn(unittest.TestCase):
    def test_processes_that_end_meanwhile_leave_no_half_rows(self):
        storm = subprocess.Popen(["sh", "-c", "while :; do true | true & done"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            for _ in range(10):
                for row in nsview.ps(source="proc").values():
                    if row["ppid"] != storm.pid:
                        continue
                    self.assertIsNotNone(row["eff"])
                    self.assertIsNotNone(row["ns"]["pid"])
                    # An ending process leaves these all at once, a little before it is a zombie.
                    left = {row["ns"][name] is None for name in ("mnt", "net", "ipc", "uts")}
                    self.assertEqual(len(left), 1, row["ns"])
                    self.assertLessEqual(set(row["unknown"]), {"securebits", "exe", "cwd"})
        finally:
            storm.kill()
            storm.wait()
