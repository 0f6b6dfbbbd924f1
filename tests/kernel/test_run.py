# SPDX-License-Identifier: GPL-2.0-only
"""nsview run: what the kernel says about the container is what docker's words mean."""

import contextlib
import ctypes
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from nsview import NSVIEW, PYTHON, SECONDS, Failed, children, kill, marked, reap, requires_root, run, wait_until

STATE = pathlib.Path("/run/nsview")
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "cgroup")
DEFAULT = 0xa80425fb
MS_NODEV, MS_BIND, MS_REC = 4, 4096, 16384
CAP_SYS_RESOURCE = 24


def inside(*words, options=(), **settings):
    """What COMMAND prints in a container."""
    return run("run", *options, "--", *words, **settings).stdout


def status_of(pid):
    fields = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines())
    return {key: value.split() for key, value in fields.items()}


def start_ticks(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    return int(text[text.rindex(")") + 2:].split()[19])


def mount(source, target, kind, flags=0):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), str(target).encode(), kind.encode(), flags, None):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def unmount(target):
    ctypes.CDLL(None).umount2(str(target).encode(), 2)


class Running:
    """`nsview run OPTIONS -- COMMAND`, from its first line on: pid is the host pid of COMMAND."""

    def __init__(self, *words, options=(), say="", **settings):
        script = f"echo ready; {say} exec \"$@\""
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **settings}
        self.process = subprocess.Popen([NSVIEW, "run", *options, "--", "sh", "-c", script, "sh", *words],
                                        **settings)
        self.line = self.process.stdout.readline()
        self.children = children(self.process.pid)
        if len(self.children) != 2:
            raise Failed(f"nsview has the children {self.children}, not a container and a keeper")
        self.pid, self.keeper = self.children

    def end(self):
        self.process.terminate()
        reap(self.process, 10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


@requires_root
class Privileges(unittest.TestCase):
    """The masks are those of docker 20.10.24's containers."""

    def assert_sets(self, options, own, bounding):
        with Running("sleep", "60", options=options) as container:
            wait_until(lambda: status_of(container.pid)["Name"] == ["sleep"])
            status = status_of(container.pid)
        found = {name: int(status[name][0], 16) for name in SETS}
        expected = {"CapInh": 0, "CapPrm": own, "CapEff": own, "CapBnd": bounding, "CapAmb": 0}
        self.assertEqual(found, expected, options)

    def test_root_has_the_default_set(self):
        self.assert_sets([], DEFAULT, DEFAULT)

    def test_another_user_has_only_the_bounding_set(self):
        self.assert_sets(["--user", "1000"], 0, DEFAULT)
        self.assert_sets(["--user", "1000", "--cap-add", "NET_ADMIN"], 0, 0xa80435fb)

    def test_adding_and_dropping(self):
        for options, mask in ((["--cap-add", "MAC_ADMIN"], 0x2a80425fb),
                              (["--cap-add=cap_net_admin"], 0xa80435fb),
                              (["--cap-drop", "KILL"], 0xa80425db),
                              (["--cap-drop", "all"], 0),
                              (["--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE"], 0x400)):
            with self.subTest(options=options):
                self.assert_sets(options, mask, mask)

    def test_all_is_what_the_kernel_knows(self):
        full = (1 << int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1) - 1
        lacking = full & ~int(status_of("self")["CapBnd"][0], 16)
        drops = [f"--cap-drop={bit}" for bit in range(64) if lacking >> bit & 1]
        self.assert_sets(["--cap-add", "ALL", *drops], full & ~lacking, full & ~lacking)

    def test_what_nsview_lacks_cannot_be_given(self):
        """setpriv takes CAP_SYS_RESOURCE from the bounding set, where the machine has not already."""
        done = run("run", "--cap-add", "SYS_RESOURCE", "true", check=125,
                   command=["setpriv", "--bounding-set", "-sys_resource"])
        self.assertRegex(done.stderr, r"\Ansview: [^\n]*SYS_RESOURCE[^\n]*\n\Z")

    def test_no_privilege_is_inherited_from_the_caller(self):
        """Inheritable and ambient capabilities and securebits of nsview's own caller end with it."""
        script = ("import ctypes; print(open('/proc/self/status').read()); "
                  "print('securebits', ctypes.CDLL(None).prctl(27, 0, 0, 0, 0))")  # PR_GET_SECUREBITS
        text = inside(*PYTHON, "-c", script,
                      command=["setpriv", "--inh-caps", "+kill", "--ambient-caps", "+kill",
                               "--securebits", "+no_setuid_fixup"])
        for line in ("CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "CapEff:\t00000000a80425fb",
                     "securebits 0"):
            self.assertIn(line + "\n", text)

    def test_ids_and_groups(self):
        for user, ids in (("4242", ["4242", "0", "0"]), ("1234:4321", ["1234", "4321", "4321"]),
                          ("root", ["0", "0", "0"]), ("nobody", ["65534", "65534", "65534"])):
            with self.subTest(user=user):
                text = inside("sh", "-c", "id -u; id -g; id -G", options=["--user", user])
                self.assertEqual(text.split(), ids)

    def test_all_four_ids_and_no_new_privs(self):
        with Running("sleep", "60", options=["--user", "1234:4321"]) as container:
            status = status_of(container.pid)
        self.assertEqual(status["Uid"], ["1234"] * 4)
        self.assertEqual(status["Gid"], ["4321"] * 4)
        self.assertEqual(status["Groups"], ["4321"])
        self.assertEqual(status["NoNewPrivs"], ["0"])


@requires_root
class Namespaces(unittest.TestCase):
    def test_six_are_its_own_and_the_user_namespace_is_not(self):
        with Running("sleep", "60") as container:
            for name in NAMESPACES:
                with self.subTest(namespace=name):
                    self.assertNotEqual(os.readlink(f"/proc/{container.pid}/ns/{name}"),
                                        os.readlink(f"/proc/self/ns/{name}"))
            self.assertEqual(os.readlink(f"/proc/{container.pid}/ns/user"), os.readlink("/proc/self/ns/user"))

    def test_the_command_is_pid_1_and_sees_only_its_own(self):
        self.assertEqual(inside("sh", "-c", "echo $$; cd /proc; echo [0-9]*").split(), ["1", "1"])

    def test_the_host_name_is_its_own(self):
        name, variable = inside("sh", "-c", "hostname; echo $HOSTNAME").split()
        self.assertRegex(name, r"\A[0-9a-f]{12}\Z")
        self.assertEqual(variable, name)
        self.assertNotEqual(name, socket.gethostname())

    def test_loopback_is_up_and_all_there_is(self):
        self.assertEqual(re.findall(r"^\s*(\w+):", inside("cat", "/proc/net/dev"), re.MULTILINE), ["lo"])
        script = "import socket; s = socket.create_server(('127.0.0.1', 80)); socket.create_connection(s.getsockname())"
        inside(*PYTHON, "-c", script)

    def test_the_parent_is_outside(self):
        self.assertEqual(inside("sh", "-c", "echo $PPID").split(), ["0"])


@requires_root
class Root(unittest.TestCase):
    def mounts(self, **settings):
        """{mount point: its own options}"""
        text = inside("cat", "/proc/self/mountinfo", **settings)
        return {line.split()[4]: line.split()[5].split(",") for line in text.splitlines()}

    def test_nothing_of_the_host_but_its_programs(self):
        below = {"/", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt",
                 "/nix", "/gnu", "/proc", "/sys", "/dev"}
        for point in self.mounts():
            with self.subTest(mount=point):
                self.assertTrue(any(point == known or point.startswith(known + "/")
                                    for known in below if known != "/") or point == "/")
        for place in ("/home", "/root", "/tmp", "/mnt", "/srv", "/var/tmp"):
            with self.subTest(place=place):
                self.assertEqual(inside("ls", "-A", place), "")

    def test_the_hosts_programs_are_read_only_also_what_is_mounted_below(self):
        with tempfile.TemporaryDirectory(dir="/usr/share", prefix="nsview test ") as directory:
            mount("tmpfs", directory, "tmpfs")
            try:
                pathlib.Path(directory, "file").write_text("x")
                text = inside("sh", "-c", f"cat '{directory}/file'; touch '{directory}/new' /usr/new /etc/new",
                              check=1)
                self.assertEqual(text, "x")
                options = self.mounts()[directory.replace(" ", "\\040")]
            finally:
                unmount(directory)
        self.assertLessEqual({"ro"}, set(options))

    def test_flags_of_the_host_are_kept(self):
        """A mount that is noexec or nosuid outside is so inside."""
        with tempfile.TemporaryDirectory(dir="/usr/share", prefix="nsview-test-") as directory:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "noexec,nosuid,noatime", "t", directory], check=True)
            try:
                options = self.mounts()[directory]
            finally:
                unmount(directory)
        self.assertLessEqual({"ro", "noexec", "nosuid", "noatime"}, set(options))

    def test_the_rest_is_private_and_writable(self):
        mark = f"nsview-{os.getpid()}"
        text = inside("sh", "-c", f"for d in / /tmp /run /var/tmp /root /dev/shm; do echo 1 > $d/{mark}; done; "
                                  f"cat /*/{mark} /{mark}")
        self.assertEqual(text.split(), ["1"] * 4)
        self.assertEqual([path for path in ("/", "/tmp", "/run", "/var/tmp") if
                          os.path.exists(f"{path}/{mark}")], [])

    def test_what_is_mounted_inside_stays_inside(self):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        inside("sh", "-c", "mount -t tmpfs t /mnt && mount -t tmpfs t /usr/share", options=["--cap-add", "SYS_ADMIN"])
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)

    def test_kernel_settings_are_out_of_reach(self):
        """/proc/sys and its kind ask for no capability: only the mount keeps root inside from them."""
        mounts = self.mounts()
        for path in ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"):
            if os.path.exists(path):
                with self.subTest(path=path):
                    self.assertIn("ro", mounts[path])
        done = run("run", "sh", "-c", "echo core > /proc/sys/kernel/core_pattern", check=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Read-only", done.stderr)

    def test_what_docker_masks_is_masked(self):
        for path in ("/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                     "/proc/timer_list", "/proc/scsi", "/sys/firmware"):
            if not os.path.exists(path):
                continue
            with self.subTest(path=path):
                if os.path.isdir(path):
                    self.assertEqual(inside("ls", "-A", path), "")
                else:
                    self.assertEqual(inside("head", "-c", "1", path), "")

    def test_the_hosts_password_hashes_are_hidden(self):
        self.assertEqual(inside("sh", "-c", "cat /etc/shadow /etc/gshadow; ls -l /etc/passwd > /dev/null"), "")

    def test_devices_are_dockers(self):
        text = inside("sh", "-c", "cd /dev; stat -c '%n %F %t:%T' *; readlink fd stdin stdout stderr ptmx")
        for line in ("null character special file 1:3", "zero character special file 1:5",
                     "full character special file 1:7", "random character special file 1:8",
                     "urandom character special file 1:9", "tty character special file 5:0",
                     "/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx"):
            self.assertIn(line + "\n", text)
        self.assertNotIn("block special", text)

    def test_a_node_made_inside_opens_nothing(self):
        """CAP_MKNOD is in the default set: a node for a disk would be the disk."""
        # autofs (10, 235) and fuse (10, 229) would open for any root.
        script = ("for d in / /tmp /dev /dev/shm /run /var/tmp; do mknod $d/node c 10 229 || exit 9; "
                  "exec 3<$d/node && exit 8; done; exit 0")
        done = run("run", "bash", "-c", script, check=0)
        self.assertEqual(len(re.findall("Permission denied|Operation not permitted", done.stderr)), 6)

    def test_a_pseudo_terminal_can_be_made(self):
        self.assertEqual(inside(*PYTHON, "-c", "import os; print(os.ttyname(os.openpty()[1]))"), "/dev/pts/0\n")

    ESCAPE = """if True:
        import os
        os.mkdir("/tmp/x")
        start = os.open("/", os.O_RDONLY)
        os.chroot("/tmp/x")
        os.fchdir(start)
        for _ in range(64):
            os.chdir("..")
        os.chroot(".")
        print(os.path.exists("/marker"), os.path.exists("/run/nsview"), os.path.exists("/usr/bin"))
        """

    def test_chroot_is_no_way_out(self):
        self.assertEqual(inside(*PYTHON, "-c", self.ESCAPE), "False False True\n")

    # All mounts are made in a mount namespace of their own, on a tmpfs, and go with it: nothing that
    # cleans up after a test may ever see the host's directories below its own.
    CHROOT = """set -e
        mount -t tmpfs outside "$1"
        cd "$1"
        touch marker
        mkdir root
        cd root
        mkdir usr etc proc dev run tmp
        for name in bin sbin lib lib64; do
            if [ -L /$name ]; then cp -P /$name $name
            elif [ -d /$name ]; then mkdir $name; mount --rbind -o ro /$name $name; fi
        done
        for name in usr etc; do mount --rbind -o ro /$name $name; done
        for name in proc dev; do mount --rbind /$name $name; done
        cp "$2" tmp/nsview
        exec chroot . /tmp/nsview run python3 -c "$3"
        """

    def test_nsview_may_be_in_a_chroot_itself(self):
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run(["unshare", "--mount", "sh", "-c", self.CHROOT, "sh", directory, NSVIEW, self.ESCAPE],
                                  capture_output=True, text=True, timeout=SECONDS, check=False)
            self.assertEqual(os.listdir(directory), [])
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("False False True\n", "", 0))


@requires_root
class Surroundings(unittest.TestCase):
    def test_the_environment_is_dockers(self):
        text = inside("cat", "/proc/self/environ", env={**os.environ, "SECRET": "1", "LD_PRELOAD": ""})
        variables = dict(entry.split("=", 1) for entry in text.split("\0") if entry)
        self.assertEqual(set(variables), {"PATH", "HOSTNAME", "HOME"})
        self.assertEqual(variables["PATH"], "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        self.assertEqual(variables["HOME"], "/root")

    def test_standard_input_is_empty_unless_interactive(self):
        for options, expected in (([], ""), (["-i"], "some words")):
            with self.subTest(options=options):
                done = run("run", *options, "cat", stdin=None, input="some words")
                self.assertEqual(done.stdout, expected)

    def test_no_descriptor_of_the_caller_gets_in(self):
        directory = os.open("/", os.O_RDONLY)
        try:
            text = inside("ls", "-l", "/proc/self/fd", pass_fds=[directory])
        finally:
            os.close(directory)
        found = re.findall(r" (\d+) -> (\S+)", text)
        self.assertEqual([number for number, _ in found], ["0", "1", "2", "3"])
        self.assertRegex(found[3][1], r"\A/proc/\d+/fd\Z")  # what ls reads

    def test_signals_begin_at_their_default(self):
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            # The C library's own two, ignored behind its back, as some container's init does.
            action = struct.pack("QQQQ", signal.SIG_IGN, 0, 0, 0)
            for number in (32, 33):
                ctypes.CDLL(None).syscall({"x86_64": 13}.get(os.uname().machine, 134), number, action, None, 8)

        with Running("sleep", "60", preexec_fn=ignore) as container:
            wait_until(lambda: status_of(container.pid)["Name"] == ["sleep"])
            status = status_of(container.pid)
        for mask in ("SigIgn", "SigBlk", "SigCgt"):
            self.assertEqual(int(status[mask][0], 16), 0, mask)

    def test_it_has_a_session_of_its_own_and_starts_at_the_root(self):
        text = inside("sh", "-c", "cut -d ' ' -f 5,6 /proc/1/stat; pwd; umask")
        self.assertEqual(text.split(), ["1", "1", "/", "0022"])

    def test_no_program_is_executed_before_the_command(self):
        with tempfile.NamedTemporaryFile("r") as trace:
            run("run", "--name", "traced", "--user", "nobody", "true",
                command=["strace", "-f", "-e", "trace=execve,execveat", "-o", trace.name],
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})  # which cannot be traced
            executed = re.findall(r'execve(?:at)?\("([^"]+)".* = (-?\d+)', trace.read())
        done = [path for path, result in executed if result == "0"]
        self.assertEqual([os.path.basename(path) for path in done], [os.path.basename(NSVIEW), "true"])
        for path, _ in executed[1:]:
            self.assertEqual(os.path.basename(path), "true")


@requires_root
class Ends(unittest.TestCase):
    def test_the_exit_status_is_the_commands(self):
        for status in (0, 1, 7, 124, 255):
            with self.subTest(status=status):
                run("run", "sh", "-c", f"exit {status}", check=status)

    def test_a_signal_is_128_more(self):
        with Running("sleep", "60") as container:
            os.kill(container.pid, signal.SIGKILL)
            self.assertEqual(container.process.wait(timeout=SECONDS), 128 + signal.SIGKILL)

    def assert_refused(self, words, status, *patterns):
        with self.subTest(words=words):
            done = run("run", *words, check=status)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\Ansview: [^\n]+\n\Z")
            for pattern in patterns:
                self.assertIn(pattern, done.stderr)

    def test_what_is_not_there_is_127(self):
        self.assert_refused(["nosuchcommand"], 127, "nosuchcommand", "PATH")
        self.assert_refused(["/no/such/command"], 127, "/no/such/command")
        self.assert_refused(["--", ""], 127, "empty")
        self.assert_refused(["evil\x1b[31m\n"], 127, "evil\\x1b[31m\\n")

    def test_what_cannot_be_executed_is_126(self):
        self.assert_refused(["/etc/passwd"], 126, "/etc/passwd", "permission denied")
        self.assert_refused(["/etc"], 126, "directory")

    def test_no_image_is_needed(self):
        self.assert_refused(["ubuntu", "sleep", "3600"], 127, "no image is needed", "leave `ubuntu` out")

    def test_what_nsview_cannot_make_is_125(self):
        self.assert_refused(["--user", "nobod", "true"], 125, "nobod", "did you mean nobody?")
        self.assert_refused(["--user", "0:nosuchgroup", "true"], 125, "nosuchgroup")
        self.assert_refused(["--user", "99999999999", "true"], 125, "99999999999")
        self.assert_refused(["--cap-add", "NET_ADMN", "true"], 125, "NET_ADMN", "NET_ADMIN")
        self.assert_refused(["--cap-drop", "xyzzy", "true"], 125, "xyzzy", "nsview caps")
        for name in ("../x", "a/b", ".", "", "a\x1b[31m"):
            self.assert_refused(["--name", name, "true"], 125, "cannot call a container")

    def test_nothing_to_run_is_a_usage_error(self):
        self.assert_refused([], 2, "COMMAND")
        self.assert_refused(["--nmae", "x", "true"], 2, "--nmae", "--name")

    def test_where_no_namespace_is_allowed_it_says_so(self):
        """Neither as root, with CAP_SYS_ADMIN, nor in a user namespace: the limit is their own one's."""
        script = ("echo 0 > /proc/sys/user/max_user_namespaces; "
                  'exec setpriv --bounding-set -sys_admin "$0" run true')
        done = subprocess.run(["unshare", "-Ur", "sh", "-c", script, NSVIEW], capture_output=True, text=True,
                              timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 125)
        self.assertRegex(done.stderr, r"\Ansview: [^\n]*max_\*_namespaces[^\n]*\n\Z")

    def test_a_caught_signal_is_the_commands_business(self):
        script = "trap 'exit 9' TERM; trap '' HUP; echo ready; while :; do sleep 0.05; done"
        with subprocess.Popen([NSVIEW, "run", "sh", "-c", script], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=SECONDS), 9)

    def test_a_signal_left_to_its_default_ends_the_command(self):
        """The kernel would drop it: COMMAND is pid 1 of its namespace."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            with self.subTest(signal=number), Running("sleep", "60") as container:
                wait_until(lambda pid=container.pid: status_of(pid)["Name"] == ["sleep"])
                container.process.send_signal(number)
                self.assertEqual(container.process.wait(timeout=SECONDS), 128 + number)

    def test_a_signal_that_the_command_waits_for_reaches_it(self):
        """Blocked for sigwait(3) it is neither caught nor ignored, and yet not left to its default."""
        script = ("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [15]); print('ready', flush=True); "
                  "raise SystemExit(40 + signal.sigwait([15]))")
        with subprocess.Popen([NSVIEW, "run", *PYTHON, "-c", script], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=SECONDS), 55)

    def test_a_shell_that_blocks_signals_while_it_forks_ends(self):
        script = "echo ready; while :; do (exit 0); done"
        for _ in range(20):
            with subprocess.Popen([NSVIEW, "run", "sh", "-c", script], stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(timeout=SECONDS), 143)

    def test_an_ignored_hang_up_stays_ignored(self):
        with Running("sleep", "60", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as container:
            container.process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            self.assertIsNone(container.process.poll())


@requires_root
class State(unittest.TestCase):
    def setUp(self):
        self.name = f"test-{os.getpid()}-{random.randrange(1 << 30)}"
        self.file = STATE / f"{self.name}.json"

    def test_the_file_tells_who_it_is(self):
        with Running("sleep", "60", options=["--name", self.name, "--user", "1000", "--cap-drop", "KILL"]) as container:
            said = json.loads(self.file.read_text())
            self.assertEqual(said["pid"], container.pid)
            self.assertEqual(said["start_ticks"], start_ticks(container.pid))
            self.assertEqual(f"pid:[{said['pid_ns']}]", os.readlink(f"/proc/{container.pid}/ns/pid"))
            self.assertEqual(said["name"], self.name)
            self.assertEqual(said["user"], "1000")
            self.assertEqual(len(said["capabilities"]), 13)
            self.assertNotIn("CAP_KILL", said["capabilities"])
            self.assertEqual(said["command"][-2:], ["sleep", "60"])
            self.assertEqual(self.file.stat().st_mode & 0o7777, 0o600)
            self.assertEqual(STATE.stat().st_mode & 0o7777, 0o755)
        self.assertFalse(self.file.exists())

    def test_a_name_in_use_is_refused(self):
        with Running("sleep", "60", options=["--name", self.name]) as container:
            done = run("run", "--name", self.name, "true", check=125)
            self.assertIn(self.name, done.stderr)
            self.assertEqual(json.loads(self.file.read_text())["pid"], container.pid)
            self.assertIsNone(container.process.poll())
        run("run", "--name", self.name, "true")

    def test_the_file_of_a_dead_container_is_no_obstacle(self):
        """A machine without a tmpfs on /run that was switched off leaves one behind."""
        STATE.mkdir(exist_ok=True)
        said = {"name": self.name, "id": "0" * 12, "pid": os.getpid(), "pid_ns": 1,
                "start_ticks": start_ticks(os.getpid()) + 1, "capabilities": []}
        for content in (json.dumps(said), "", "{", "[]", json.dumps({**said, "pid": "x"})):
            with self.subTest(content=content):
                self.file.write_text(content)
                run("run", "--name", self.name, "true")
                self.assertFalse(self.file.exists())

    def test_nothing_is_left_after_a_refusal(self):
        before = set(STATE.iterdir()) if STATE.exists() else set()
        run("run", "--name", self.name, "nosuchcommand", check=127)
        run("run", "--name", self.name, "--user", "nosuchuser", "true", check=125)
        # Those of others begin meanwhile, but what they write before they have a name soon goes.
        left = {path for path in set(STATE.iterdir()) - before if path.suffix != ".json" or path == self.file}
        wait_until(lambda: not left & set(STATE.iterdir()))


@requires_root
class Killed(unittest.TestCase):
    """kill -9 of nsview, at whatever moment, leaves no process, mount or state file."""

    def setUp(self):
        self.mark = f"nsview-mark-{os.getpid()}-{random.randrange(1 << 30)}"
        self.name = self.mark

    def assert_nothing_left(self):
        wait_until(lambda: not marked(self.mark))
        self.assertEqual([path.name for path in STATE.iterdir() if self.mark in path.name], [])

    def command(self, *prefix):
        return [NSVIEW, "run", "--name", self.name, *prefix, "sh", "-c", "sleep 300; :", self.mark]

    def test_at_random_moments(self):
        mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        new_files = set(STATE.iterdir()) if STATE.exists() else set()
        for moment in range(60):
            process = subprocess.Popen(self.command(), stderr=subprocess.DEVNULL)
            time.sleep(moment * 0.0005)
            process.kill()
            process.wait()
        self.assert_nothing_left()
        self.assertEqual({path for path in STATE.iterdir() if path.name.startswith(".")} - new_files, set())
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), mounts)

    def test_when_the_command_has_forgotten_the_parent_death_signal(self):
        """A change of credentials clears it (prctl(2)): only the keeper is left to act."""
        options = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"]
        with subprocess.Popen(self.command(*options)) as process:
            wait_until(lambda: len(marked(self.mark)) >= 3 and self.is_user(1000))
            process.kill()
        self.assert_nothing_left()

    def is_user(self, uid):
        for pid in marked(self.mark):
            with contextlib.suppress(OSError):
                status = status_of(pid)
                if status["Uid"][0] == str(uid) and status["Name"] == ["sh"]:
                    return True
        return False

    def test_when_the_keeper_was_killed_before(self):
        with Running("sh", "-c", "sleep 300; :", self.mark, options=["--name", self.name]) as container:
            kill(container.keeper)
            wait_until(lambda: status_of(container.keeper)["State"][0] == "Z")
            container.process.terminate()
            container.process.wait(timeout=SECONDS)
        self.assert_nothing_left()

    def test_with_its_whole_process_group(self):
        process = subprocess.Popen(self.command(), start_new_session=True)
        wait_until(lambda: (STATE / f"{self.name}.json").exists())
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.assert_nothing_left()

    def test_its_output_ends_with_it(self):
        """Whoever reads nsview's output is not kept waiting by what clears up."""
        with subprocess.Popen(self.command(), stdout=subprocess.PIPE) as process:
            wait_until(lambda: (STATE / f"{self.name}.json").exists())
            process.kill()
            self.assertEqual(process.stdout.read(), b"")


if __name__ == "__main__":
    unittest.main()
