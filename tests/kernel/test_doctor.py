# SPDX-License-Identifier: GPL-2.0-only
"""nsview doctor, against /proc, uname and what the iterator then does."""

import functools
import json
import os
import pathlib
import platform
import subprocess
import unittest

import jsonschema
import nsview

SCHEMA = json.loads((nsview.ROOT / "docs/doctor.schema.json").read_text())
HOOKS = ["fork", "exec", "exit", "credentials", "namespaces", "refused", "privileges", "idmap", "cgroup_make",
         "cgroup_remove", "cgroup_attach", "complete", "sweep"]
TIERS = {
    **dict.fromkeys(HOOKS, ["tracepoint", "off"]),
    "fork": ["tracepoint", "kprobe", "off"],
    "exit": ["tracepoint", "kprobe", "off"],
    **dict.fromkeys(["credentials", "namespaces", "refused", "privileges"],
                    ["kprobe", "fentry", "syscall", "off"]),
    "idmap": ["kprobe", "fentry", "off"],
    "sweep": ["iterator", "off"],
}
UNPRIVILEGED = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all")


def doctor(*words, check=0, **options):
    said = json.loads(nsview.run(*words, "doctor", "--json", check=check, **options).stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(said)
    return said


@functools.cache
def doctor_here():
    """What it says of this machine, to everybody the same: it tries all hooks for it."""
    return doctor(check=None)


def checks(said):
    return {key: value for key, value in said.items() if key not in ("kernel_view", "capabilities", "hooks")}


def cgroup_layout():
    kinds = [line.split(" - ")[1].split() for line in
             pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    has_v2 = any(kind[0] == "cgroup2" for kind in kinds)
    has_v1 = any(kind[0] == "cgroup" and "name=" not in kind[2] for kind in kinds)
    return {(0, 0): "none", (0, 1): "v1", (1, 0): "v2", (1, 1): "hybrid"}[has_v2, has_v1]


@nsview.requires_root
class Doctor(unittest.TestCase):
    def test_the_machine_is_told_as_it_is(self):
        said = doctor_here()
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
        self.assertEqual(doctor_here()["pid_namespace"]["value"], "the host's")

    def test_a_hidden_proc_is_said(self):
        script = 'mount -t proc -o hidepid=2 proc /proc && exec "$0" "$@"'
        hidden = ("unshare", "-m", "sh", "-c", script)
        self.assertEqual(doctor(check=None, command=hidden)["proc"]["verdict"], "fine")
        said = doctor(check=3, command=(*hidden, *UNPRIVILEGED))
        self.assertEqual(said["proc"]["verdict"], "limits")
        self.assertIn("hidepid", said["proc"]["value"])

    def test_no_proc_is_said_and_takes_nothing_else_away(self):
        script = 'mount -t tmpfs none /proc && exec "$0" "$@"'
        here = doctor_here()
        said = doctor(check=None, command=("unshare", "-m", "sh", "-c", script))
        self.assertEqual(said["proc"]["verdict"], "limits")
        self.assertEqual(said["kernel_view"], here["kernel_view"])

    def test_a_kernel_that_was_built_without_btf(self):
        """Then there is no /sys/kernel/btf, and no file can stand in for it."""
        script = 'mount -t tmpfs none /sys/kernel && exec "$0" "$@"'
        for words in ((), ("--btf", "/sys/kernel/btf/vmlinux")):
            with self.subTest(words=words):
                done = nsview.run(*words, "doctor", "--json", check=3, command=("unshare", "-m", "sh", "-c", script))
                said = json.loads(done.stdout)
                self.assertEqual((said["kernel_view"], done.stderr), (False, ""))
                self.assertEqual(said["btf"]["value"], "this kernel was built without")
                self.assertIn("CONFIG_DEBUG_INFO_BTF", said["btf"]["remedy"])
                self.assertIn("built without CONFIG_DEBUG_INFO_BTF", said["iterator"]["value"])

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
        names = ["kernel", "BTF", "privileges", "it needs", "lockdown", "iterator", "pid namespace", "cgroup", "/proc"]
        self.assertEqual([line[:15].rstrip() for line in lines[:len(names)]], names)
        for line, (name, check) in zip(lines, checks(said).items()):
            with self.subTest(check=name):
                self.assertEqual(f"({check['remedy']})" in line, check["remedy"] is not None)

    def test_each_hook_is_told_with_its_tier_and_why_no_better_one(self):
        hooks = {hook["hook"]: hook for hook in doctor_here()["hooks"]}
        self.assertEqual(list(hooks), HOOKS)
        for name, hook in hooks.items():
            with self.subTest(hook=name):
                self.assertIn(hook["tier"], TIERS[name])
                # The best that the row has needs no excuse, and anything else needs one.
                self.assertEqual(hook["why"] is None, hook["tier"] == TIERS[name][0])
                # Where tracepoints skip runs they are also the last resort.
                tiers = dict.fromkeys(tier["tier"] for tier in hook["tiers"])
                self.assertEqual([*tiers, "off"], TIERS[name])
                # All before the one taken were refused, all after it not tried.
                verdicts = [tier["verdict"] for tier in hook["tiers"]]
                place = TIERS[name].index(hook["tier"])
                wanted = ["refused"] * place + ["taken"] + ["spare"] * len(verdicts)
                self.assertEqual(verdicts, wanted[:len(verdicts)])
                for tier in hook["tiers"][:place]:
                    self.assertIn(f"{tier['tier']}: {tier['why']}", hook["why"])

    def test_kprobes_are_used_where_the_kernel_has_them(self):
        hooks = {hook["hook"]: hook for hook in doctor_here()["hooks"]}
        has_kprobes = pathlib.Path("/sys/bus/event_source/devices/kprobe").exists()
        for name in ("credentials", "namespaces", "refused", "privileges", "idmap"):
            with self.subTest(hook=name):
                self.assertEqual(hooks[name]["tier"] == "kprobe", has_kprobes)

    def test_who_may_not_load_anything_has_no_hooks_and_is_told_why(self):
        self.assertEqual(doctor(check=3, command=UNPRIVILEGED)["hooks"], [])
        self.assertIn("cannot listen for events", nsview.run("doctor", check=3, command=UNPRIVILEGED).stdout)

    def test_nothing_stays_attached(self):
        """None of what it held: others may load programs, too."""
        held = nsview.wait_until(self.held_by_a_run)
        nsview.wait_until(lambda: not held & nsview.loaded_programs())

    @staticmethod
    def held_by_a_run():
        """Those of the hooks are many; a run that was not looked at while it had them tells nothing."""
        held = set()
        with subprocess.Popen([nsview.NSVIEW, "doctor"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                held |= nsview.held_programs(process.pid)
        return held if len(held) > 3 else None

    def test_words_it_does_not_know_are_refused(self):
        done = nsview.run("doctor", "now", check=2)
        self.assertIn("now", done.stderr)
