# SPDX-License-Identifier: GPL-2.0-only
"""nsview run: no_new_privs, the system call filter, --privileged, and whose namespaces it has."""

import ctypes
import errno
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import unittest

from nsview import NSVIEW, PYTHON, SECONDS, requires_root, run
from test_run import STATE, Running, inside, status_of

KINDS = {"--network": "net", "--pid": "pid", "--ipc": "ipc", "--uts": "uts"}
OWN = {"mnt", "pid", "net", "ipc", "uts", "cgroup"}
DEFAULT = 0xa80425fb
CLONE_NEWUSER = 0x10000000

# {call: its arguments}: harmless, and without a filter none of them fails with EPERM for root with
# docker's default capabilities. Numbers are those of include/uapi/asm-generic/unistd.h and of x86-64.
BLOCKED = {
    "add_key": (0, 0, 0, 0, 0), "keyctl": (0xffff,), "request_key": (0, 0, 0, 0),
    "unshare": (0,), "userfaultfd": (0xfff1,), "io_uring_setup": (0, 0),
    "move_pages": (0, 0, 0, 0, 0, 0xff), "get_mempolicy": (0, 0, 0, 0, 0xff), "mbind": (1, 0, 0, 0, 0, 0),
}
NUMBERS = {
    "x86_64": {"add_key": 248, "keyctl": 250, "request_key": 249, "unshare": 272, "userfaultfd": 323,
               "io_uring_setup": 425, "move_pages": 279, "get_mempolicy": 239, "mbind": 237, "clone": 56, "clone3": 435,
               "ptrace": 101, "personality": 135, "bpf": 321, "perf_event_open": 298, "mount": 165, "setns": 308,
               "open_by_handle_at": 304},
    "aarch64": {"add_key": 217, "keyctl": 219, "request_key": 218, "unshare": 97, "userfaultfd": 282,
                "io_uring_setup": 425, "move_pages": 239, "get_mempolicy": 236, "mbind": 235, "clone": 220,
                "clone3": 435, "ptrace": 117, "personality": 92, "bpf": 280, "perf_event_open": 241, "mount": 40,
                "setns": 268, "open_by_handle_at": 265},
}[os.uname().machine]

CALLS = """if True:
    import ctypes, errno, json, os, sys
    libc = ctypes.CDLL(None, use_errno=True)
    found = {}
    for name, number, arguments in json.loads(sys.argv[1]):
        ctypes.set_errno(0)
        result = libc.syscall(number, *map(ctypes.c_long, arguments))
        if name == "clone" and result == 0:
            os._exit(0)
        found[name] = errno.errorcode.get(ctypes.get_errno(), "") if result < 0 else "done"
    print(json.dumps(found))
"""


def results(calls, options=()):
    """{name: errno's name, or "done"} of the calls {name: arguments} inside."""
    words = json.dumps([(name, NUMBERS.get(name, name), arguments) for name, arguments in calls.items()])
    return json.loads(inside(*PYTHON, "-c", CALLS, words, options=options))


def namespaces(pid):
    return {kind: os.stat(f"/proc/{pid}/ns/{kind}").st_ino for kind in (*OWN, "user")}


@requires_root
class Filter(unittest.TestCase):
    def test_the_mode_is_filter(self):
        with Running("sleep", "60") as container:
            self.assertEqual(status_of(container.pid)["Seccomp"], ["2"])

    def test_unconfined_is_none(self):
        for options in (["--security-opt", "seccomp=unconfined"], ["--security-opt=seccomp:unconfined"]):
            with Running("sleep", "60", options=options) as container:
                self.assertEqual(status_of(container.pid)["Seccomp"], ["0"])

    def test_what_docker_blocks_is_blocked_by_the_filter_and_nothing_else(self):
        self.assertEqual(results(BLOCKED), dict.fromkeys(BLOCKED, "EPERM"))
        free = results(BLOCKED, options=["--security-opt=seccomp=unconfined"])
        self.assertEqual([name for name, said in free.items() if said == "EPERM"], [], free)

    def test_clone_makes_no_namespaces(self):
        """Not even a user namespace, which takes no capability."""
        for kind in (0x20000, 0x2000000, 0x4000000, 0x8000000, CLONE_NEWUSER, 0x20000000, 0x40000000):
            self.assertEqual(results({"clone": (kind | 17, 0, 0, 0, 0)}), {"clone": "EPERM"}, hex(kind))
        self.assertEqual(results({"clone": (17, 0, 0, 0, 0)}), {"clone": "done"})

    def test_clone3_is_not_there(self):
        """Its flags lie in memory, where no filter can look: programs fall back to clone."""
        self.assertEqual(results({"clone3": (0, 0)}), {"clone3": "ENOSYS"})
        self.assertEqual(results({"clone3": (0, 0)}, options=["--cap-add=SYS_ADMIN"]), {"clone3": "EINVAL"})

    def test_what_is_newer_than_the_list_is_not_there(self):
        calls = {"2000": (2000, 0), "9999": (9999, 0)}
        words = json.dumps([(name, *arguments[:1], arguments[1:]) for name, arguments in calls.items()])
        self.assertEqual(json.loads(inside(*PYTHON, "-c", CALLS, words)), dict.fromkeys(calls, "ENOSYS"))

    def test_a_debugger_works(self):
        self.assertEqual(results({"ptrace": (0, 0, 0, 0)}), {"ptrace": "done"})  # PTRACE_TRACEME

    def test_personalities_are_few(self):
        for value, said in ((0, "done"), (8, "done"), (0x20000, "done"), (0xffffffff, "done"),
                            (0x0040000, "EPERM"), (0x400000, "EPERM")):  # ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC
            self.assertEqual(results({"personality": (value,)}), {"personality": said}, hex(value))

    def test_sockets_of_virtual_machines_are_shut(self):
        script = "import socket\ntry: socket.socket(40, 1)\nexcept OSError as error: print(error.errno)"
        self.assertEqual(inside(*PYTHON, "-c", script), f"{errno.EPERM}\n")

    def test_a_capability_opens_its_calls(self):
        calls = {"setns": (-1, 0), "unshare": (0,), "bpf": (0xffff, 0, 0)}
        self.assertEqual(results(calls), dict.fromkeys(calls, "EPERM"))
        opened = results(calls, options=["--cap-add=SYS_ADMIN"])
        self.assertEqual((opened["setns"], opened["unshare"]), ("EBADF", "done"))
        self.assertNotEqual(opened["bpf"], "EPERM")
        calls = {"get_mempolicy": (0, 0, 0, 0, 0xff), "mbind": (1, 0, 0, 0, 0, 0)}
        self.assertNotIn("EPERM", results(calls, options=["--cap-add=SYS_NICE"]).values())
        closed = {"open_by_handle_at": (-1, 0, 0)}
        self.assertEqual(results(closed), {"open_by_handle_at": "EPERM"})
        # Of two wrong arguments 6.18 names the descriptor, others the address.
        self.assertIn(results(closed, options=["--cap-add=DAC_READ_SEARCH"])["open_by_handle_at"], ("EBADF", "EFAULT"))


@requires_root
class NoNewPrivileges(unittest.TestCase):
    def value(self, *options):
        with Running("sleep", "60", options=options) as container:
            return status_of(container.pid)["NoNewPrivs"]

    def test_words(self):
        for word, value in (("no-new-privileges", "1"), ("no-new-privileges:true", "1"), ("no-new-privileges=1", "1"),
                            ("no-new-privileges:false", "0"), ("no-new-privileges=F", "0")):
            self.assertEqual(self.value("--security-opt", word), [value], word)
        self.assertEqual(self.value(), ["0"])
        self.assertEqual(self.value("--user", "4242", "--security-opt", "no-new-privileges"), ["1"])

    def test_a_setuid_program_gives_nothing(self):
        """docker's documents: with it, `su` and its kind stay who they are."""
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder, "suid")
            program.write_bytes(pathlib.Path("/usr/bin/id").read_bytes())
            program.chmod(0o4755)
            os.chmod(folder, 0o755)
            words = ["-v", f"{folder}:/data", "--user", "4242"]
            self.assertIn("euid=0", inside("/data/suid", options=words))
            self.assertNotIn("euid=0", inside("/data/suid", options=[*words, "--security-opt=no-new-privileges"]))

    def test_other_words_are_refused(self):
        for word in ("", "no-new-privilege", "no-new-privileges:maybe", "seccomp=profile.json", "seccomp",
                     "apparmor=unconfined", "\x1b[31m"):
            done = run("run", "--security-opt", word, "true", check=125)
            self.assertRegex(done.stderr, r"\Ansview: [^\n]*--security-opt[^\n]*\n\Z")


@requires_root
class Privileged(unittest.TestCase):
    def test_it_has_what_nsview_has_and_no_filter(self):
        with Running("sleep", "60", options=["--privileged"], stderr=subprocess.PIPE) as container:
            status, own = status_of(container.pid), status_of("self")
            for name in ("CapPrm", "CapEff", "CapBnd"):
                self.assertEqual(status[name], own["CapBnd"], name)
            self.assertEqual(status["Seccomp"], ["0"])
        self.assertRegex(container.process.stderr.read(), rb"\Ansview: --privileged[^\n]*\n\Z")
        container.process.stderr.close()

    def test_as_another_user_it_is_in_the_bounding_set_only(self):
        with Running("sleep", "60", options=["--privileged", "--user=4242"], stderr=subprocess.DEVNULL) as container:
            status = status_of(container.pid)
            self.assertEqual(int(status["CapEff"][0], 16), 0)
            self.assertEqual(status["CapBnd"], status_of("self")["CapBnd"])

    def test_dropping_does_nothing_then(self):
        """As with docker, which says so nowhere."""
        with Running("sleep", "60", options=["--privileged", "--cap-drop=ALL"], stderr=subprocess.DEVNULL) as container:
            self.assertEqual(status_of(container.pid)["CapEff"], status_of("self")["CapBnd"])

    def test_not_in_a_user_namespace(self):
        done = run("run", "--privileged", "--userns=auto", "true", check=125)
        self.assertRegex(done.stderr, r"\Ansview: [^\n]*--userns auto[^\n]*\n\Z")


@requires_root
class Namespaces(unittest.TestCase):
    def assert_shared(self, options, *kinds):
        with Running("sleep", "60", options=options) as container:
            own, host = namespaces(container.pid), namespaces("self")
        shared = {kind for kind in own if own[kind] == host[kind]}
        self.assertEqual(shared, {"user", *kinds}, options)

    def test_each_word_shares_one(self):
        for option, kind in KINDS.items():
            self.assert_shared([option, "host"], kind)

    def test_all_and_none(self):
        self.assert_shared([f"{option}=host" for option in KINDS], *KINDS.values())
        self.assert_shared(["--network=none", "--ipc=private", "--userns=host"])

    def test_the_hosts_pids(self):
        text = inside("sh", "-c", "echo $$; ls /proc", options=["--pid=host"])
        self.assertIn(str(os.getpid()), text.split())
        self.assertNotEqual(text.split()[0], "1")

    def test_the_hosts_name(self):
        self.assertEqual(inside("uname", "-n", options=["--uts=host"]).strip(), socket.gethostname())
        self.assertEqual(inside("uname", "-n", options=["--network=host"]).strip(), socket.gethostname())
        self.assertNotEqual(inside("uname", "-n").strip(), socket.gethostname())

    def test_the_hosts_network(self):
        names = [name for _, name in socket.if_nameindex()]
        script = "import socket; print(*[name for _, name in socket.if_nameindex()])"
        self.assertEqual(inside(*PYTHON, "-c", script, options=["--network=host"]).split(), names)

    def test_the_hosts_message_queues_and_shared_memory(self):
        libc = ctypes.CDLL(None, use_errno=True)
        identifier = libc.shmget(0, 4096, 0o1600)
        try:
            script = "import ctypes, sys; print(ctypes.CDLL(None).shmctl(int(sys.argv[1]), 2, ctypes.create_string_buffer(256)))"
            self.assertEqual(inside(*PYTHON, "-c", script, str(identifier), options=["--ipc=host"]), "0\n")
            self.assertEqual(inside(*PYTHON, "-c", script, str(identifier)), "-1\n")
        finally:
            libc.shmctl(identifier, 0, None)

    def test_a_signal_reaches_a_command_with_the_hosts_pids(self):
        """It is no pid 1 there: what it leaves to the default ends it."""
        with Running("sleep", "60", options=["--pid=host"]) as container:
            container.process.terminate()
            self.assertEqual(container.process.wait(timeout=SECONDS), 128 + 15)

    def test_other_words_are_refused(self):
        for option in (*KINDS, "--userns"):
            for word in ("", "hots", "container:web", "bridge", "\x1b[31m"):
                done = run("run", option, word, "true", check=125)
                self.assertRegex(done.stderr, r"\Ansview: [^\n]*%s[^\n]*\n\Z" % option)

    def test_the_state_file_says_what_is_shared(self):
        name = f"shared-{os.getpid()}"
        with Running("sleep", "60", options=["--name", name, "--pid=host", "--ipc=host", "--security-opt",
                                             "no-new-privileges"]):
            state = json.loads((STATE / f"{name}.json").read_text())
        self.assertEqual((state["shared"], state["pid_ns"]), (["pid", "ipc", "user"], 0))
        self.assertEqual((state["privileged"], state["no_new_privileges"], state["seccomp"]), (False, True, "default"))


@requires_root
class UserNamespace(unittest.TestCase):
    """--userns auto: root in there is nobody on the host."""

    def maps(self, pid):
        return {kind: [list(map(int, line.split())) for line in
                       pathlib.Path(f"/proc/{pid}/{kind}_map").read_text().splitlines()] for kind in ("uid", "gid")}

    def test_root_inside_is_nobody_outside(self):
        with Running("sleep", "60", options=["--userns=auto"]) as container:
            maps, status = self.maps(container.pid), status_of(container.pid)
            self.assertNotEqual(namespaces(container.pid)["user"], namespaces("self")["user"])
        for kind, key in (("uid", "Uid"), ("gid", "Gid")):
            [[inner, outer, count]] = maps[kind]
            self.assertEqual((inner, count), (0, 65536))
            self.assertGreaterEqual(outer, 65536)
            self.assertEqual(status[key], [str(outer)] * 4)
        self.assertEqual(int(status["CapEff"][0], 16), DEFAULT)
        self.assertEqual(status["Groups"], [str(maps["gid"][0][1])])

    def test_it_does_not_touch_what_others_were_given(self):
        """No line of /etc/subuid and /etc/subgid, unless it is root's own."""
        def lines(file):
            text = pathlib.Path(file).read_text() if os.path.exists(file) else ""
            return [(name, int(start), int(count)) for name, start, count in re.findall(r"^(\w+):(\d+):(\d+)$", text, re.M)]
        given = lines("/etc/subuid") + lines("/etc/subgid")
        with Running("sleep", "60", options=["--userns=auto"]) as container:
            for kind in self.maps(container.pid).values():
                for _, outer, count in kind:
                    for name, start, length in given:
                        self.assertTrue(name == "root" or outer + count <= start or start + length <= outer)

    def in_etc(self, subids, *words):
        """nsview run WORDS with these lines in /etc/subuid and /etc/subgid, in mounts of their own."""
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "subids").write_text(subids)
            script = ('mount --bind "$1/subids" /etc/subuid && mount --bind "$1/subids" /etc/subgid && shift && '
                      'exec "$0" run "$@"')
            return subprocess.run(["unshare", "-m", "sh", "-c", script, NSVIEW, folder, *words], capture_output=True,
                                  text=True, timeout=SECONDS, check=False)

    @unittest.skipUnless(os.path.exists("/etc/subuid") and os.path.exists("/etc/subgid"), "no /etc/subuid")
    def test_roots_own_line_is_taken(self):
        done = self.in_etc("games:100000:65536\nroot:700000:65536\n", "--userns=auto", "cat", "/proc/self/uid_map")
        self.assertEqual(done.stdout.split(), ["0", "700000", "65536"])
        done = self.in_etc("0:800000:1000000\n", "--userns=auto", "cat", "/proc/self/gid_map")
        self.assertEqual(done.stdout.split(), ["0", "800000", "65536"])

    @unittest.skipUnless(os.path.exists("/etc/subuid") and os.path.exists("/etc/subgid"), "no /etc/subuid")
    def test_lines_that_make_no_sense_are_passed_over(self):
        bad = "root\nroot:\nroot:x:65536\nroot:1:\nroot:1:0\nroot:-1:5\nroot:4294967295:9\n:::\n\x1b[31m\n"
        done = self.in_etc(bad + "root:900000:65536\n", "--userns=auto", "cat", "/proc/self/uid_map")
        self.assertEqual(done.stdout.split(), ["0", "900000", "65536"])

    def test_another_user_of_it(self):
        with Running("sleep", "60", options=["--userns=auto", "--user", "1234:4321"]) as container:
            maps, status = self.maps(container.pid), status_of(container.pid)
        self.assertEqual(status["Uid"], [str(maps["uid"][0][1] + 1234)] * 4)
        self.assertEqual(status["Gid"], [str(maps["gid"][0][1] + 4321)] * 4)
        self.assertEqual((int(status["CapEff"][0], 16), int(status["CapBnd"][0], 16)), (0, DEFAULT))

    def test_every_capability_is_there_to_give(self):
        """Also one that nsview does not have itself: they count in the namespace only."""
        text = inside("cat", "/proc/self/status", options=["--userns=auto", "--cap-add=ALL"])
        full = (1 << int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1) - 1
        self.assertIn(f"CapEff:\t{full:016x}\n", text)

    def test_it_is_limited_like_any_other(self):
        text = inside("cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max",
                      options=["--userns=auto", "-m64m"], check=1)
        self.assertEqual(text, f"{64 << 20}\n")

    def test_the_hosts_pids_and_network_do_not_go_together_with_it(self):
        for option in ("--pid", "--network"):
            done = run("run", "--userns=auto", option, "host", "true", check=125)
            self.assertRegex(done.stderr, r"\Ansview: [^\n]*%s host[^\n]*user namespace[^\n]*\n\Z" % option)


if __name__ == "__main__":
    unittest.main()
