# SPDX-License-Identifier: GPL-2.0-only
"""The bpf source where it is refused, and where nsview is not in the first pid namespace."""

import os
import pathlib
import shutil
import tempfile
import unittest
from unittest import mock

import nsview
from nsview import Subject

ENOUGH = ["bpf", "perfmon"]
if tuple(map(int, os.uname().release.split(".")[:2])) < (5, 11):
    ENOUGH.append("sys_resource")  # maps are counted against RLIMIT_MEMLOCK until 5.11


def as_nobody(capabilities):
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if capabilities:
        names = ",".join("+" + name for name in capabilities)
        words += [f"--inh-caps=-all,{names}", f"--ambient-caps=-all,{names}"]
    return words


@nsview.requires_root
class Privileges(unittest.TestCase):
    def setUp(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="nsview-source-"))
        self.addCleanup(shutil.rmtree, directory)
        directory.chmod(0o755)
        self.program = shutil.copy(nsview.NSVIEW, directory)  # a build may lie where nobody may look

    def ps(self, *words, capabilities=(), check=0):
        with mock.patch.object(nsview, "NSVIEW", self.program):
            return nsview.run("ps", *words, command=as_nobody(capabilities), check=check)

    def test_without_them_the_reason_and_the_remedy_are_said(self):
        for capabilities in ((), ("bpf",), ("perfmon",)):
            with self.subTest(capabilities=capabilities):
                said = self.ps("--source", "bpf", capabilities=capabilities, check=3).stderr
                self.assertIn("CAP_BPF and CAP_PERFMON", said)
                self.assertEqual(said.count("\n"), 1, said)

    def test_without_them_proc_takes_its_place_and_that_is_said(self):
        done = self.ps("-p", str(os.getpid()))
        self.assertIn(str(os.getpid()), done.stdout)
        self.assertIn("/proc instead", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_two_capabilities_are_enough(self):
        with Subject("unshare", "net") as subject:
            done = self.ps("--source", "bpf", "-p", str(subject.pid), "-o", "ns-net", "--no-headers",
                           capabilities=ENOUGH)
            inode = os.stat(f"/proc/{subject.pid}/ns/net").st_ino
        self.assertEqual(done.stdout.strip(), str(inode))
        self.assertEqual(done.stderr, "")


@nsview.requires_root
class Btf(unittest.TestCase):
    def test_a_file_without_it_is_named(self):
        for file in ("/proc/none", "/etc/passwd"):
            with self.subTest(file=file):
                said = nsview.run("ps", "--btf", file, "--source", "bpf", check=3).stderr
                self.assertIn(file, said)
                self.assertNotIn("Unknown error", said)


@nsview.requires_root
class PidNamespace(unittest.TestCase):
    """nsview in a pid namespace of its own: the kernel shows it the processes of that one."""

    def rows(self, *mounts):
        script = " && ".join([*mounts, 'exec "$@"'])
        command = ["unshare", "-m", "-p", "-f", "sh", "-c", script, "sh"]
        return list(nsview.ps(command=command).values())

    def test_arguments_are_read_from_its_own_proc(self):
        rows = self.rows("mount -t proc none /proc")
        self.assertEqual([row["args"][1:] for row in rows], [["ps", "--json", "--source", "bpf"]])
        self.assertEqual(rows[0]["in_pid"], 1)
        self.assertEqual(len(rows[0]["chain"]), len(self.own_chain()) + 1)

    def test_arguments_are_read_from_the_hosts_proc(self):
        rows = self.rows()
        self.assertEqual([row["args"][1:] for row in rows], [["ps", "--json", "--source", "bpf"]])

    def test_a_proc_that_shows_another_namespace_tells_of_that_one_only(self):
        rows = self.rows("{ unshare -p -f sh -c 'mount -t proc none /proc && exec sleep 1000' & }",
                         'while [ "$(cat /proc/1/comm)" != sleep ]; do sleep 0.05; done')
        by_name = {row["comm"]: row for row in rows}
        self.assertEqual(by_name["sleep"]["args"], ["sleep", "1000"])
        self.assertIsNone(by_name["nsview"]["args"])
        self.assertIn("args", by_name["nsview"]["unknown"])

    def own_chain(self):
        status = pathlib.Path("/proc/self/status").read_text()
        return status.split("NSpid:")[1].splitlines()[0].split()


if __name__ == "__main__":
    unittest.main()
