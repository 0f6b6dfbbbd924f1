# SPDX-License-Identifier: GPL-2.0-only
"""Each hook driven by the real system calls of a process: what `nsview events` says of them against /proc
before and after, the same on every tier of hooks that this kernel has."""

import contextlib
import errno
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import events
import nsview
import procview
from events import CLONE, Actor, Stream, cause, facts, get, parts_changed
from harness import conditions

PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS = 8, 22, 24, 28, 38
PR_CAP_AMBIENT, RAISE, LOWER, CLEAR_ALL = 47, 2, 3, 4
NET_BIND, NET_RAW, MKNOD, SYS_ADMIN = 10, 13, 27, 21
KEEP = -1 & 0xFFFFFFFF
CREDENTIALS, CAPABILITIES, NAMESPACES = "credentials_changed", "capabilities_changed", "namespaces_changed"


def bit(*numbers):
    return sum(1 << number for number in numbers)


def every():
    """The mask of what root has here, which may be less than the kernel knows."""
    return int(procview.status("self")["CapPrm"], 16)


def names(mask):
    known = procview.capability_names()
    return [known[number] for number in range(64) if mask >> number & 1]


class Cases:
    """What holds on every tier. hooks: --hooks."""

    hooks = None
    tells_32bit = True  # credentials are seen where they change, not at the ends of 64-bit calls
    tells_maps = True

    @classmethod
    def setUpClass(cls):
        cls.stream = Stream(*(["--hooks", cls.hooks] if cls.hooks else []))

    @classmethod
    def tearDownClass(cls):
        cls.stream.end()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nsview-events-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)

    def actor(self, *words, **options):
        """An actor, once its own exec has been told."""
        actor = Actor(*words, **options)
        self.addCleanup(actor.end)
        pid = actor.inside
        self.stream.wait(lambda: any(os.path.basename(get(line, "process", "args")[0]) == "actor"
                                     for line in self.stream.of(pid, "exec")))
        return actor

    def nobody(self, **options):
        """An actor without any privilege."""
        return self.actor(["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--inh-caps=-all"], **options)

    def program(self, name, mode=0o755, capabilities=None):
        """A copy of the actor."""
        path = self.folder / name
        shutil.copy(events.ACTOR, path)
        path.chmod(mode)
        if capabilities:
            subprocess.run(["setcap", capabilities, str(path)], check=True, capture_output=True)
        return str(path)

    def lines(self, pid, *actions):
        self.stream.settle()
        self.assertEqual(self.stream.bad, [])
        return self.stream.of(pid, *actions)

    def check(self, line, before, after, action, why):
        """One line against /proc."""
        self.assertEqual((line["event"]["action"], line["event"]["outcome"], cause(line)), (action, "success", why))
        told = events.told_after(line)
        self.assertEqual(told, {part: after[part] for part in told}, line)
        self.assertLessEqual(set(after) - set(told), {"real_group", "saved_group", "fs_group"}, line)
        self.assertEqual(events.told_before(line), parts_changed(before, after), line)
        self.check_effective(line, before, after)

    def check_effective(self, line, before, after):
        old, new = (set(state["capabilities.effective"][0]) for state in (before, after))
        own = line["nsview"]["capabilities"]
        self.assertEqual((set(own.get("gained", [])), set(own.get("lost", []))), (new - old, old - new), line)

    def play(self, actor, steps, tid=None):
        """steps: (action, cause, command...); action None: nothing may be told. Each is one event."""
        start = len(self.stream.of(actor.pid))
        wanted = []
        for action, why, *command in steps:
            before = facts(actor.pid, tid)
            actor.do(*command)
            if action:
                wanted.append((before, facts(actor.pid, tid), action, why, command))
        found = self.lines(actor.pid)[start:]
        self.assertEqual([cause(line) for line in found], [why for _, _, _, why, _ in wanted], found)
        for line, (before, after, action, why, command) in zip(found, wanted):
            with self.subTest(command=command):
                self.assertEqual(get(line, "process", "thread", "id"), tid or actor.pid)
                self.check(line, before, after, action, why)
        return found

    # --- credentials ---

    def test_capabilities(self):
        full = every()
        less = full & ~bit(SYS_ADMIN)
        self.play(self.actor(), [
            (CAPABILITIES, "capset", "capset", less, full, 0),
            (CAPABILITIES, "capset", "capset", less, full, bit(NET_BIND, NET_RAW)),
            (CAPABILITIES, "ambient", "prctl", PR_CAP_AMBIENT, RAISE, NET_BIND, 0, 0),
            (CAPABILITIES, "ambient", "prctl", PR_CAP_AMBIENT, LOWER, NET_BIND, 0, 0),
            (CAPABILITIES, "ambient", "prctl", PR_CAP_AMBIENT, RAISE, NET_RAW, 0, 0),
            (CAPABILITIES, "ambient", "prctl", PR_CAP_AMBIENT, CLEAR_ALL, 0, 0, 0),
            (CAPABILITIES, "bounding-drop", "prctl", PR_CAPBSET_DROP, MKNOD),
            (CAPABILITIES, "capset", "capset", 0, less, 0),
        ])

    def test_securebits(self):
        actor = self.actor()
        start = len(self.stream.of(actor.pid))
        actor.do("prctl", PR_SET_KEEPCAPS, 1)
        actor.do("prctl", PR_SET_SECUREBITS, 0x1)
        found = self.lines(actor.pid)[start:]
        told = [(line["event"]["action"], cause(line), line["nsview"]["before"], line["nsview"]["securebits"])
                for line in found]
        self.assertEqual(told, [(CAPABILITIES, "securebits", {"securebits": 0}, 0x10),
                                (CAPABILITIES, "securebits", {"securebits": 0x10}, 0x1)])

    def test_user_ids(self):
        self.play(self.actor(), [
            (CREDENTIALS, "setuid", "setresuid", KEEP, KEEP, 1000),
            (CREDENTIALS, "setuid", "setfsuid", 1001),
            (CREDENTIALS, "setuid", "setreuid", KEEP, 1002),
            (CREDENTIALS, "setuid", "setresuid", KEEP, 0, KEEP),
            (CREDENTIALS, "setuid", "setuid", 1003),
        ])

    def test_group_ids(self):
        self.play(self.actor(), [
            (CREDENTIALS, "setgid", "setresgid", KEEP, KEEP, 1000),
            (CREDENTIALS, "setgid", "setfsgid", 1001),
            (CREDENTIALS, "setgid", "setregid", 1002, 1003),
            (CREDENTIALS, "setgid", "setgid", 1004),
            (CREDENTIALS, "groups", "setgroups", 5, 6, 4000000000),
            (CREDENTIALS, "groups", "setgroups"),
        ])

    def test_what_changes_nothing_is_not_told(self):
        full = every()
        self.play(self.actor(), [
            (None, None, "setresuid", 0, 0, 0),
            (None, None, "capset", full, full, 0),
            (None, None, "prctl", PR_SET_SECUREBITS, 0),
            (CREDENTIALS, "groups", "setgroups", 7),
            (None, None, "setgroups", 7),
            (CAPABILITIES, "bounding-drop", "prctl", PR_CAPBSET_DROP, MKNOD),
            (None, None, "prctl", PR_CAPBSET_DROP, MKNOD),
            (None, None, "setfsuid", 0),
            (None, None, "getpid"),
        ])

    def test_no_new_privs_and_seccomp(self):
        for by in ("prctl", "seccomp"):
            with self.subTest(by=by):
                self.play(self.actor(), [
                    (CREDENTIALS, "no-new-privs", "prctl", PR_SET_NO_NEW_PRIVS, 1),
                    (None, None, "prctl", PR_SET_NO_NEW_PRIVS, 1),
                    (CREDENTIALS, "seccomp", "filter", by),
                ])

    def test_seccomp_strict(self):
        actor = self.actor()
        self.assertEqual(len(self.lines(actor.fork("fork"))), 1)
        self.play(actor, [(CREDENTIALS, "seccomp", "prctl", PR_SET_SECCOMP, 1)])
        child = actor.pid
        self.assertEqual(actor.finish("getpid"), signal.SIGKILL)
        self.assertEqual(get(self.lines(child, "exit")[0], "nsview", "exit_signal"), signal.SIGKILL)

    def test_credentials_are_a_threads_own(self):
        actor = self.actor()
        tid = actor.do("thread")
        self.play(actor, [
            (CREDENTIALS, "setuid", "setresuid", KEEP, KEEP, 1000),
            (CREDENTIALS, "groups", "setgroups", 8, 9),
            (CAPABILITIES, "capset", "capset", 0, every(), 0),
        ], tid=tid)
        actor.send("end-thread")
        actor.read("ended")
        self.play(actor, [(CREDENTIALS, "setuid", "setresuid", KEEP, 2000, KEEP)])

    @unittest.skipIf(conditions.not_x86_64(), "no such calls here")
    def test_32bit_calls(self):
        """On the syscall tier nothing sees them but the next look."""
        actor = self.actor()
        actor.fork("fork")
        child, before = actor.pid, facts(actor.pid)
        actor.do("setresuid-32bit", KEEP, KEEP, 1000)
        after = facts(child)
        found = self.lines(child, CREDENTIALS) if self.tells_32bit else []
        actor.finish("exit", 0)
        if not self.tells_32bit:
            found = self.lines(child, CREDENTIALS)
        self.assertEqual(len(found), 1, found)
        self.check(found[0], before, after, CREDENTIALS, "setuid" if self.tells_32bit else "other")
        self.assertEqual(found[0]["nsview"]["inferred"], not self.tells_32bit)

    # --- namespaces ---

    def test_unshare(self):
        for kind in ("mnt", "uts", "ipc", "net", "cgroup"):
            self.play(self.actor(), [(NAMESPACES, "ns-create", "unshare", CLONE[kind])])

    def test_unshare_user(self):
        self.play(self.actor(), [(CREDENTIALS, "userns-create", "unshare", CLONE["user"])])

    def test_unshare_for_children(self):
        """The task itself stays where it is."""
        for kind in ("pid", "time"):
            with self.subTest(kind=kind):
                actor = self.actor()
                old = procview.namespaces(actor.pid)
                told = self.play_children(actor, kind, "ns-create", "unshare", CLONE[kind])
                actor.fork("fork")
                line = self.lines(actor.pid, "fork")[0]
                new = procview.namespaces(actor.pid)
                self.assertNotEqual(new[kind], old[kind])
                self.assertEqual(new[kind], told)
                self.assertEqual(get(line, "nsview", "ns"), new)
                self.assertEqual(get(line, "nsview", "pid_chain"), procview.chain(actor.pid))

    def play_children(self, actor, kind, why, *command):
        start, before, old = len(self.stream.of(actor.pid)), facts(actor.pid), self.for_children(actor.pid, kind)
        actor.do(*command)
        after, new = facts(actor.pid), self.for_children(actor.pid, kind)
        found = self.lines(actor.pid)[start:]
        self.assertEqual([(line["event"]["action"], cause(line)) for line in found], [(NAMESPACES, why)])
        told = get(found[0], "nsview", "children", "ns", kind)
        self.assertEqual(events.told_after(found[0])["ns"], after["ns"])
        self.assertEqual(events.told_before(found[0]), parts_changed(before, after))
        # Of children nothing is said where they will be where the task is.
        self.assertEqual(told, {after["ns"][kind]: None, None: told}.get(new, new), found[0])
        self.assertEqual(get(found[0], "nsview", "before", "children", "ns", kind),
                         None if old == before["ns"][kind] else old, found[0])
        return told

    @staticmethod
    def for_children(pid, kind):
        """None: a pid namespace has no file before its first process."""
        with contextlib.suppress(FileNotFoundError):
            return os.stat(f"/proc/{pid}/ns/{kind}_for_children").st_ino
        return None

    def test_setns_by_file(self):
        for kind in ("mnt", "uts", "ipc", "net", "cgroup", "user"):
            with self.subTest(kind=kind), nsview.Subject(*self.made(kind)) as other:
                joined = (CREDENTIALS, "userns-join") if kind == "user" else (NAMESPACES, "ns-join")
                self.play(self.actor(), [(*joined, "setns", f"/proc/{other.pid}/ns/{kind}", CLONE[kind])])

    def test_setns_by_pidfd(self):
        for kind in ("mnt", "uts", "ipc", "net", "cgroup"):
            with self.subTest(kind=kind), nsview.Subject(*self.made(kind)) as other:
                self.play(self.actor(), [(NAMESPACES, "ns-join", "setns-pidfd", other.pid, CLONE[kind])])

    def test_setns_by_pidfd_to_many_at_once(self):
        with nsview.Subject("unshare", "net", "unshare", "uts", "unshare", "ipc") as other:
            flags = CLONE["net"] | CLONE["uts"] | CLONE["ipc"]
            self.play(self.actor(), [(NAMESPACES, "ns-join", "setns-pidfd", other.pid, flags)])

    def test_setns_for_children(self):
        with nsview.Subject("fork-pid") as other, nsview.Subject("fork-pid") as another:
            actor = self.actor()
            self.play_children(actor, "pid", "ns-join", "setns", f"/proc/{other.pid}/ns/pid", 0)
            self.play_children(actor, "pid", "ns-join", "setns", f"/proc/{another.pid}/ns/pid", 0)
            self.play_children(self.actor(), "pid", "ns-join", "setns-pidfd", other.pid, CLONE["pid"])
        with nsview.Subject("unshare", "time", "fork") as other:  # this one moves the task too
            self.play_children(self.actor(), "time", "ns-join", "setns", f"/proc/{other.pid}/ns/time", 0)

    @staticmethod
    def made(kind):
        return ("userns", "0 100000 1000", "0 100000 1000") if kind == "user" else ("unshare", kind)

    # --- processes ---

    def test_fork(self):
        actor = self.actor()
        actor.fork("fork")
        self.check_new(actor, None, None)

    def check_new(self, actor, why, changed_from):
        lines = self.lines(actor.pid)
        self.assertEqual([line["event"]["action"] for line in lines], ["fork"])
        line, after = lines[0], facts(actor.pid)
        self.check(line, changed_from or after, after, "fork", why)
        for path, value in events.identity(actor.pid).items():
            self.assertEqual(get(line, *path), value, (path, line))
        return line

    def test_clone3(self):
        for kinds in (("uts",), ("net", "ipc"), ("pid",), ("mnt", "cgroup"), ("user",), ("user", "pid", "net")):
            with self.subTest(kinds=kinds):
                actor = self.actor()
                before = facts(actor.pid)
                actor.fork("clone3", sum(CLONE[kind] for kind in kinds))
                why = "userns-create" if "user" in kinds else "ns-create"
                self.check_new(actor, why, before)

    def test_a_brief_life_in_fresh_namespaces(self):
        """It has gone before anyone could read /proc: what is known is how it was made."""
        actor = self.actor()
        actor.fork("clone3", CLONE["user"])
        for file in ("uid_map", "gid_map"):
            pathlib.Path(f"/proc/{actor.pid}/{file}").write_text("0 0 1")
        home, groups = facts(actor.pid), procview.cgroup(actor.pid)
        chain = procview.chain(actor.pid)
        entity = self.lines(actor.pid)[0]["process"]["entity_id"]
        child = actor.do("brief", CLONE["user"] | CLONE["pid"], 7)
        actor.read("ended")
        lines = self.lines(child)
        whose, = {line["process"]["entity_id"] for line in lines if line["event"]["action"] == "fork"
                  and get(line, "process", "parent", "entity_id") == entity}
        fork, end = (line for line in lines if line["process"]["entity_id"] == whose)
        above = get(fork, "nsview", "pid_chain")
        self.assertEqual([level["pid"] for level in above], [child, 1])
        self.assertEqual(above[0]["ns"], chain[0]["ns"])
        self.assertEqual(above[1]["ns"], get(fork, "nsview", "ns", "pid"))
        self.assertEqual(get(fork, "nsview", "cgroup", "path"), groups)
        self.assertEqual(get(fork, "nsview", "user_ns", "level"), home["user_ns"]["level"] + 1)
        self.assertEqual(get(fork, "process", "user", "id"), "0")
        self.assertEqual(get(fork, "nsview", "inside", "user", "id"), str(procview.OVERFLOW))
        self.assertEqual(get(fork, "nsview", "before", "user_ns"), home["user_ns"])
        self.assertEqual(get(fork, "process", "vpid"), 1)
        self.assertEqual(get(end, "process", "exit_code"), 7)
        self.assertEqual(get(end, "process", "entity_id"), get(fork, "process", "entity_id"))

    def test_ids_inside(self):
        actor = self.actor()
        actor.fork("clone3", CLONE["user"] | CLONE["pid"])
        for file in ("uid_map", "gid_map"):
            pathlib.Path(f"/proc/{actor.pid}/{file}").write_text("0 0 1\n5 3000 100")
        child = actor.pid
        actor.do("setresuid", 5, 6, 7)
        line = self.lines(child, CREDENTIALS)[-1]
        inside = line["nsview"]["inside"]
        self.assertEqual([get(line, "process", name, "id") for name in events.USERS], ["3001", "3000", "3002"])
        self.assertEqual([inside[name]["id"] for name in events.USERS], ["6", "5", "7"])

    def test_maps_written(self):
        actor = self.actor()
        actor.fork("clone3", CLONE["user"])
        writer = self.actor()
        for file, text in (("setgroups", "deny"), ("gid_map", "0 1000 1"), ("uid_map", "0 1000 1")):
            writer.do("write", f"/proc/{actor.pid}/{file}", text)
        found = self.lines(writer.pid)
        if not self.tells_maps:
            self.assertEqual(found, [line for line in found if cause(line) != "idmap-write"])
            return
        self.assertEqual([cause(line) for line in found if line["event"]["action"] not in ("fork", "exec")],
                         ["idmap-write"] * 3)

    def test_exec(self):
        program = self.program("program")
        for how in ("exec", "execveat"):
            with self.subTest(how=how):
                actor = self.actor()
                actor.do(how, program, "one", "two words", "")
                line = self.check_exec(actor.pid, [program, "one", "two words", ""])
                self.assertEqual("executable" in line["process"], how == "exec")

    def check_exec(self, pid, arguments, why=None, before=None):
        line = self.lines(pid, "exec")[-1]
        after = facts(pid)
        self.check(line, before or after, after, "exec", why)
        for path, value in events.identity(pid).items():
            self.assertEqual(get(line, *path), value, (path, line))
        if get(line, "process", "executable"):  # of a descriptor there is no path
            self.assertEqual(get(line, "process", "executable"), procview.link(pid, "exe"))
        else:
            self.assertIn("process.executable", line["nsview"]["unknown"])
        self.assertEqual(get(line, "process", "args"), arguments)
        self.assertEqual(get(line, "process", "args_count"), len(arguments))
        self.assertEqual(procview.read(pid, "cmdline"), b"".join(os.fsencode(word) + b"\0" for word in arguments))
        self.assertEqual(bool(get(line, "nsview", "exec", "secure")), procview.is_secure(pid), line)
        return line

    def test_exec_in_a_thread_that_is_not_the_leader(self):
        program = self.program("program")
        actor = self.actor()
        actor.do("exec-thread", program, "by-a-thread")
        line = self.check_exec(actor.pid, [program, "by-a-thread"])
        self.assertEqual(get(line, "process", "thread", "id"), actor.pid)

    def test_exec_of_a_set_user_id_file_in_a_thread_that_is_not_the_leader(self):
        """It takes over the leader's number and start, and is remembered all the same."""
        program, actor = self.program("setuid", 0o4755), self.nobody()
        before = facts(actor.pid)
        actor.do("exec-thread", program)
        self.check_exec(actor.pid, [program], "exec-setuid", before)

    def test_a_script_is_run_by_its_interpreter(self):
        script = self.folder / "script"
        script.write_text(f"#!{self.program('interpreter')} option\n")
        script.chmod(0o755)
        actor = self.actor()
        actor.do("exec", script, "word")
        arguments = [str(self.folder / "interpreter"), "option", str(script), "word"]
        self.check_exec(actor.pid, arguments)

    def test_exec_of_what_is_not_there_is_not_told(self):
        actor = self.actor()
        start = len(self.stream.of(actor.pid))
        self.assertEqual(actor.fail("exec", self.folder / "absent"), errno.ENOENT)
        self.assertEqual(self.lines(actor.pid)[start:], [])

    def exec_changes(self, actor, program, why):
        before = facts(actor.pid)
        actor.do("exec", program)
        return self.check_exec(actor.pid, [program], why, before)

    def test_exec_of_a_set_user_id_file(self):
        line = self.exec_changes(self.nobody(), self.program("setuid", 0o4755), "exec-setuid")
        self.assertEqual(line["nsview"]["exec"], {"setuid": True, "secure": True})

    def test_exec_of_a_set_group_id_file(self):
        line = self.exec_changes(self.nobody(), self.program("setgid", 0o2755), "exec-setgid")
        self.assertEqual(line["nsview"]["exec"], {"setgid": True, "secure": True})

    def test_exec_of_a_file_with_capabilities(self):
        program = self.program("capable", capabilities="cap_net_raw,cap_net_bind_service=ep")
        line = self.exec_changes(self.nobody(), program, "exec-filecaps")
        self.assertEqual(line["nsview"]["capabilities"]["gained"], names(bit(NET_BIND, NET_RAW)))

    def test_exec_by_root(self):
        actor = self.actor()
        actor.do("capset", 0, every(), 0)
        self.exec_changes(actor, self.program("program"), "exec-root")

    def test_exec_drops(self):
        actor = self.actor()
        actor.do("prctl", PR_SET_KEEPCAPS, 1)
        actor.do("setresuid", 1000, 1000, 1000)
        self.exec_changes(actor, self.program("program"), "exec-drop")

    def test_exec_without_new_privileges_gains_none(self):
        actor = self.nobody()
        actor.do("prctl", PR_SET_NO_NEW_PRIVS, 1)
        program = self.program("setuid", 0o4755)
        actor.do("exec", program)
        self.check_exec(actor.pid, [program])

    def test_exits(self):
        for command, code, number in ((("exit", 0), 0, None), (("exit", 3), 3, None),
                                      (("raise", signal.SIGTERM), None, signal.SIGTERM),
                                      (("core", self.folder), None, signal.SIGABRT)):
            with self.subTest(command=command):
                actor = self.actor()
                child = actor.fork("fork")
                status = actor.finish(*command)
                found = self.lines(child, "exit")
                self.assertEqual(len(found), 1)
                self.assertEqual(get(found[0], "process", "exit_code"), code, found[0])
                self.assertEqual(get(found[0], "nsview", "exit_signal"), number, found[0])
                self.assertEqual(os.WTERMSIG(status) if number else os.WEXITSTATUS(status), number or code)

    def test_a_process_ends_with_its_last_thread(self):
        actor = self.actor()
        child = actor.fork("fork")
        self.assertNotEqual(actor.do("leave-leader"), child)
        nsview.wait_until(lambda: procview.stat(f"{child}/task/{child}")[3] == "Z")
        self.assertEqual(self.lines(child, "exit"), [])
        actor.finish("exit", 5)
        found = self.lines(child, "exit")
        self.assertEqual([get(line, "process", "exit_code") for line in found], [5])

    def test_a_thread_is_no_process(self):
        actor = self.actor()
        start = len(self.stream.of(actor.pid))
        tid = actor.do("thread")
        actor.send("end-thread")
        actor.read("ended")
        # Its number may have been a process's before, or be one's by now: whose child of the actor's it is not.
        entity = self.stream.of(actor.pid)[0]["process"]["entity_id"]
        self.assertEqual(self.lines(actor.pid)[start:] + [
            line for line in self.stream.of(tid) if get(line, "process", "parent", "entity_id") == entity], [])

    # --- refused ---

    def test_what_is_refused(self):
        actor = self.nobody()
        start = len(self.stream.of(actor.pid))
        tried = [
            (NAMESPACES, "unshare", CLONE["net"]),
            (NAMESPACES, "setns-pidfd", os.getpid(), CLONE["net"]),
            (CAPABILITIES, "capset", bit(SYS_ADMIN), bit(SYS_ADMIN), 0),
            (CREDENTIALS, "setuid", 0),
            (CREDENTIALS, "setresuid", 0, 0, 0),
            (CREDENTIALS, "setgid", 0),
            (CREDENTIALS, "setgroups", 0),
            (CREDENTIALS, "setreuid", 0, 0),
            (CREDENTIALS, "setregid", 0, 0),
            (CREDENTIALS, "setresgid", 0, 0, 0),
            (NAMESPACES, "unshare", 1),  # which is no flag
        ]
        refused = [errno.errorcode[actor.fail(*command)] for _, *command in tried]
        self.assertEqual(refused, ["EPERM"] * (len(tried) - 1) + ["EINVAL"])
        found = self.lines(actor.pid)[start:]
        told = [(line["event"]["action"], line["event"]["outcome"], get(line, "error", "code")) for line in found]
        self.assertEqual(told, [(action, "failure", code) for (action, *_), code in zip(tried, refused)], found)
        for line in found:
            after = facts(actor.pid)
            self.assertEqual(events.told_after(line), {part: after[part] for part in events.told_after(line)})
            self.assertNotIn("before", line["nsview"])

    # --- programs ---

    def chain_holds(self, pid):
        """What each line says was before is what the line before it said."""
        lines = [line for line in self.lines(pid) if line["event"]["action"] not in ("exit",)
                 and line["event"]["outcome"] == "success" and get(line, "process", "thread", "capabilities")]
        for earlier, later in itertools.pairwise(lines):
            before, after = events.told_after(earlier), events.told_after(later)
            self.assertEqual(events.told_before(later), parts_changed(before, after), (earlier, later))
        return lines

    def test_su(self):
        actor = self.actor(["su", "nobody", "-s"])
        lines = self.chain_holds(actor.inside)
        found = {cause(line) for line in lines}
        self.assertLessEqual({"setuid"}, found)
        self.assertLessEqual(found, {None, "groups", "setgid", "setuid", "exec-drop"})
        last = events.told_after(lines[-1])
        self.assertEqual(last, {part: facts(actor.inside)[part] for part in last})
        self.assertEqual(last["user"], str(os.stat(f"/proc/{actor.inside}").st_uid))

    def test_unshare_program(self):
        actor = self.actor(["unshare", "--user", "--map-root-user", "--uts", "--net"])
        lines = self.chain_holds(actor.pid)
        self.assertIn("userns-create", {cause(line) for line in lines})
        self.assertEqual(events.told_after(lines[-1])["user_ns"], facts(actor.pid)["user_ns"])
        self.assertEqual(get(lines[-1], "nsview", "inside", "user", "id"), "0")

    def test_nsenter_program(self):
        with nsview.Subject("unshare", "uts", "unshare", "net", "unshare", "ipc") as other:
            actor = self.actor(["nsenter", "-t", str(other.pid), "-u", "-n", "-i", "--"])
            lines = self.chain_holds(actor.pid)
            self.assertEqual(events.told_after(lines[-1])["ns"], facts(other.pid)["ns"])
            joined = [line for line in lines if cause(line) == "ns-join"]
            self.assertGreaterEqual(len(joined), 1)


def forced(tier, *hooks):
    return ",".join(f"{hook}={tier}" for hook in hooks)


@nsview.requires_root
class OnBest(Cases, unittest.TestCase):
    """What nsview chooses by itself."""

    tells_32bit = not conditions.no_kprobes()
    tells_maps = tells_32bit


@nsview.requires_root
@unittest.skipIf(conditions.no_kprobes(), "the kernel has no kprobes")
class OnKprobe(Cases, unittest.TestCase):
    hooks = forced("kprobe", "fork", "exit", "credentials", "namespaces", "refused", "privileges", "idmap")


@nsview.requires_root
@unittest.skipIf(conditions.no_trampolines(), "the kernel has no trampolines")
class OnFentry(Cases, unittest.TestCase):
    hooks = forced("fentry", "credentials", "namespaces", "refused", "privileges", "idmap")


@nsview.requires_root
class OnSyscall(Cases, unittest.TestCase):
    hooks = forced("syscall", "credentials", "namespaces", "refused", "privileges") + ",idmap=off"
    tells_32bit = False
    tells_maps = False
