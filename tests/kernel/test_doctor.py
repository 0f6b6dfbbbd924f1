# SPDX-License-Identifier: GPL-2.0-only
"""nsview doctor, against /proc, uname and what the iterator then does."""

import json
import os
import pathlib
import platform
import unittest

import nsview

VERDICTS = {"fine", "limits", "lacks"}
UNPRIVILEGED = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all")


def doctor(*words, check=0, **options):
    return json.loads(nsview.run(*words, "doctor", "--json", check=check, **options).stdout)


def cgroup_layout():
    kinds = [line.split(" - ")[1].split() for line in
             pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    has_v2 = any(kind[0] == "cgroup2" for kind in kinds)
    has_v1 = any(kind[0] == "cgroup" and "name=" not in kind[2] for kind in kinds)
    return {(0, 0): "none", (0, 1): "v1", (1, 0): "v2", (1, 1): "hybrid"}[has_v2, has_v1]


@nsview.requires_root
class Doctor(unittest.TestCase):
    def test_each_check_has_a_verdict_and_lacks_have_a_remedy(self):
        said = doctor(check=None)
        self.assertIs(type(said.pop("kernel_view")), bool)
        for name, check in said.items():
            with self.subTest(check=name):
                self.assertEqual(set(check), {"value", "verdict", "remedy"})
                self.assertIn(check["verdict"], VERDICTS)
                self.assertTrue(check["value"])
                self.assertEqual(check["remedy"] is None, check["verdict"] == "fine")

    def test_the_machine_is_told_as_it_is(self):
        said = doctor(check=None)
        self.assertEqual(said["kernel"]["value"], f"{platform.release()} {platform.machine()}")
        self.assertEqual(said["cgroup"]["value"].split()[0], cgroup_layout())
        self.assertEqual(said["proc"]["value"].split(",")[0], "/proc")

    def test_the_exit_status_is_what_the_kernel_view_does(self):
        said = nsview.run("doctor", "--json", check=None)
        can_read = not nsview.run("ps", "--source", "bpf", "--json", check=None).returncode
        self.assertEqual(json.loads(said.stdout)["kernel_view"], can_read)
        self.assertEqual(said.returncode, 0 if can_read else 3)

    def test_without_privileges_the_missing_ones_are_named(self):
        said = doctor(check=3, command=UNPRIVILEGED)
        self.assertFalse(said["kernel_view"])
        self.assertEqual(said["privileges"]["verdict"], "lacks")
        self.assertIn("PERFMON BPF", said["privileges"]["remedy"])
        self.assertEqual(said["privileges"]["value"], "uid 65534, none")
        self.assertEqual(said["iterator"]["verdict"], "lacks")

    def test_a_user_namespaces_capabilities_do_not_count(self):
        said = doctor(check=3, command=("unshare", "-Ur"))
        self.assertEqual(said["privileges"]["verdict"], "lacks")
        self.assertTrue(said["privileges"]["value"].endswith(" in userns"))

    def test_a_pid_namespace_of_its_own_is_said(self):
        said = doctor(check=None, command=("unshare", "-pf"))
        self.assertEqual(said["pid_namespace"]["verdict"], "limits")
        inode = os.stat("/proc/self/ns/pid").st_ino
        self.assertNotIn(str(inode), said["pid_namespace"]["value"])
        self.assertEqual(doctor(check=None)["pid_namespace"]["value"], "the host's")

    def test_a_hidden_proc_is_said(self):
        script = 'mount -t proc -o hidepid=2 proc /proc && exec "$0" "$@"'
        hidden = ("unshare", "-m", "sh", "-c", script)
        self.assertEqual(doctor(check=None, command=hidden)["proc"]["verdict"], "fine")
        said = doctor(check=3, command=(*hidden, *UNPRIVILEGED))
        self.assertEqual(said["proc"]["verdict"], "limits")
        self.assertIn("hidepid", said["proc"]["value"])

    def test_no_proc_is_said_and_takes_nothing_else_away(self):
        script = 'mount -t tmpfs none /proc && exec "$0" "$@"'
        here = doctor(check=None)
        said = doctor(check=None, command=("unshare", "-m", "sh", "-c", script))
        self.assertEqual(said["proc"]["verdict"], "limits")
        self.assertEqual(said["kernel_view"], here["kernel_view"])

    def test_a_file_that_is_no_btf_is_told(self):
        for path in ("/etc/passwd", "/no/such/file", "/dev/null", "/"):
            with self.subTest(path=path):
                said = doctor("--btf", path, check=3)
                self.assertEqual(said["btf"]["verdict"], "lacks")
                self.assertIn(path, said["btf"]["value"])
                self.assertIn("--btf", said["btf"]["remedy"])

    def test_people_get_the_same_as_programs(self):
        said = doctor("--btf", "/no/such\x1b[2J/file", check=3)
        lines = nsview.run("--btf", "/no/such\x1b[2J/file", "doctor", check=3).stdout.splitlines()
        self.assertTrue(all(line.isprintable() for line in lines))
        names = ["kernel", "BTF", "privileges", "lockdown", "iterator", "pid namespace", "cgroup", "/proc"]
        self.assertEqual([line[:15].rstrip() for line in lines[:len(names)]], names)
        for line, (name, check) in zip(lines, list(said.items())[1:]):
            with self.subTest(check=name):
                self.assertEqual(f"({check['remedy']})" in line, check["remedy"] is not None)

    def test_words_it_does_not_know_are_refused(self):
        done = nsview.run("doctor", "now", check=2)
        self.assertIn("now", done.stderr)
