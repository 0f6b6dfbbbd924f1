# SPDX-License-Identifier: GPL-2.0-only
"""tests/skips.txt, and the conditions that it may name."""

import fnmatch
import functools
import os
import pathlib
import re
import shutil
import subprocess

from .jobs import Result


def not_root():
    return os.geteuid() != 0


def in_a_container():
    """Like the mount namespace of tests/fresh: the kernel's threads are not in ours, or not to be seen."""
    try:
        with open("/proc/2/comm", encoding="ascii") as file:
            is_kernel = file.read() == "kthreadd\n"
        return not is_kernel or any(os.stat(f"/proc/2/ns/{kind}").st_ino != os.stat(f"/proc/self/ns/{kind}").st_ino
                                    for kind in ("mnt", "pid", "user"))
    except PermissionError:
        return False  # not root: not-root says so
    except FileNotFoundError:
        return True


def cgroup_v2():
    return os.path.exists("/sys/fs/cgroup/cgroup.controllers")


def no_cgroup_v2():
    with open("/proc/mounts", encoding="utf-8") as file:
        return not any(line.split(" ")[2] == "cgroup2" for line in file)


def no_fuse():
    return not os.path.exists("/dev/fuse")


def no_user_namespaces():
    """A user without privileges may not make one: sysctls, AppArmor or an outer container forbid it."""
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "--user", "--mount", "true"]
    return not_root() or subprocess.run(command, capture_output=True).returncode != 0


def no_subordinate_ids():
    return not (os.path.exists("/etc/subuid") and os.path.exists("/etc/subgid"))


def not_debian():
    return not os.path.exists("/etc/debian_version")


def other_clang_format():
    said = subprocess.run(["clang-format", "--version"], capture_output=True, text=True).stdout
    version = re.search(r"version (\d+)", said)
    return not version or version.group(1) != "14"


def clock_goes_on():
    return not os.environ.get("NSVIEW_CLOCK_LEAPS")


def no_docker():
    """Where system programs are, whatever PATH says; the ones that the tests start."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ.get("PATH", "")
    return not all(shutil.which(name, path=path) for name in ("dockerd", "docker", "runc", "ip", "busybox"))


def starts_outside_time_namespaces():
    """In a time namespace 5.10 has the host's start times in /proc/PID/stat, and the namespace's /proc/uptime:
    ps(1) there takes each process for as much older."""
    command = ["unshare", "--time", "--boottime", "86400", "--fork", "cat", "/proc/self/stat"]
    fields = subprocess.run(command, capture_output=True, text=True).stdout.rpartition(") ")[2].split()
    return len(fields) > 19 and int(fields[19]) < 86400 * os.sysconf("SC_CLK_TCK")


def no_podman():
    """Only in a guest: it writes below /run and /var whatever it is told."""
    return not os.environ.get("NSVIEW_GUEST") or not shutil.which("podman") or not shutil.which("crun")


def no_kprobes():
    return not os.path.exists("/sys/bus/event_source/devices/kprobe")


@functools.cache
def no_trampolines():
    """The kernel refuses a program on one: it has none, or a policy is against it, or the architecture has no
    direct calls. Asked by attaching one, which is pinned in a mount namespace that ends with it."""
    programs = pathlib.Path(os.environ.get("BUILD", "build"), "tests/kernel")
    words = [programs / "trampoline.bpf.o", programs / "attach"]
    for word in words:
        word.stat()  # make tests
    script = ('mount -t bpf bpf /sys/fs/bpf && bpftool prog loadall "$1" /sys/fs/bpf/nsview && '
              '"$2" /sys/fs/bpf/nsview/probe')
    path = "/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ.get("PATH", "")
    attached = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *words], capture_output=True,
                              env={**os.environ, "PATH": path})
    return not_root() or attached.returncode != 0


def no_trampolines_in_the_guest():
    """6.12 has them on arm64; 6.1 has no direct calls of ftrace and answers ENOTSUPP."""
    return os.environ.get("NSVIEW_KERNEL") == "arm64:6.1"


def not_x86_64():
    return os.uname().machine != "x86_64"


def no_tmux():
    return not shutil.which("tmux")


def no_ssh():
    """A server and a client that need nothing to be set up, nor anything to listen."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return not all(shutil.which(name, path=path) for name in ("dropbear", "dropbearkey", "dbclient"))


def no_rsyslog():
    return not os.path.exists("/usr/sbin/rsyslogd")


def no_kernel_named():
    return not os.environ.get("NSVIEW_KERNEL")


CONDITIONS = {
    function.__name__.replace("_", "-"): functools.cache(function)
    for function in (not_root, clock_goes_on, in_a_container, cgroup_v2, no_cgroup_v2, starts_outside_time_namespaces, no_fuse,
                     no_docker, no_podman,
                     no_user_namespaces, no_subordinate_ids, not_debian, other_clang_format, no_kprobes, no_trampolines,
                     no_trampolines_in_the_guest, not_x86_64, no_rsyslog, no_kernel_named, no_tmux, no_ssh)
}


class Skips:
    def __init__(self, path):
        self.lines = []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            pattern, condition, why = (field.strip() for field in line.split("|", 2))
            if condition not in CONDITIONS or not why:
                raise SystemExit(f"{path}:{number}: no such condition, or no reason: {line}")
            self.lines.append((number, pattern, condition))

    def allows(self, name):
        return any(fnmatch.fnmatchcase(name, pattern) and CONDITIONS[condition]()
                   for _, pattern, condition in self.lines)

    def unused(self, names):
        """A line for a test that no longer exists would let the next one of that name skip."""
        return [Result("harness.skips", "failed", f"tests/skips.txt:{number}: no test is called {pattern}")
                for number, pattern, _ in self.lines
                if not any(fnmatch.fnmatchcase(name, pattern) for name in names)]
