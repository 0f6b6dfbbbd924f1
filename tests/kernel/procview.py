# SPDX-License-Identifier: GPL-2.0-only
"""What nsview must say of a process, from /proc, the namespaces' own ioctls (ioctl_ns(2)) and ps."""

import fcntl
import functools
import os
import pathlib
import pwd
import re
import struct
import subprocess
import time

NS_GET_PARENT, NS_GET_OWNER_UID = 0xB702, 0xB704
KINDS = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "time", "user")
# include/linux/proc_ns.h: the same on every kernel.
FIXED = {"ipc": 0xEFFFFFFF, "uts": 0xEFFFFFFE, "user": 0xEFFFFFFD, "pid": 0xEFFFFFFC,
         "cgroup": 0xEFFFFFFB, "time": 0xEFFFFFFA}
UNSET = 4294967295
OVERFLOW = 65534
SECCOMP = {"0": "off", "1": "strict", "2": "filter"}
SETS = {"inh": "CapInh", "prm": "CapPrm", "eff": "CapEff", "bnd": "CapBnd", "amb": "CapAmb"}
# The order in which nsview looks for a hierarchy that tells something (bpf/event.h).
HIERARCHIES = ("", "pids", "memory", "cpu", "devices", "freezer", "cpuset")


def read(pid, file):
    return pathlib.Path(f"/proc/{pid}/{file}").read_bytes()


def status(pid):
    text = read(pid, "status").decode(errors="surrogateescape")
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def is_secure(pid):
    """What the loader goes by: AT_SECURE of elf.h."""
    return bool(dict(struct.iter_unpack("@LL", read(pid, "auxv")))[23])


def stat(pid):
    """Fields by proc(5)'s numbers."""
    text = read(pid, "stat").decode(errors="surrogateescape")
    return [None, None, None, *text[text.rindex(")") + 2:].split()]


def started_as_a_minute_did(pid):
    """ps takes the boot for up to a second earlier than it was, and so may give another minute."""
    booted = re.search(r"^btime (\d+)$", pathlib.Path("/proc/stat").read_text(), re.MULTILINE)[1]
    started = int(booted) + int(stat(pid)[22]) / os.sysconf("SC_CLK_TCK")
    return (started + 1) % 60 < 3


@functools.cache
def host_namespaces():
    """The kernel's own threads never leave them; without those (we are in a pid namespace), the
    fixed numbers, and for the rest those of the tests."""
    own = {kind: os.stat(f"/proc/self/ns/{kind}").st_ino for kind in KINDS}
    if read(2, "comm") == b"kthreadd\n":
        return {kind: os.stat(f"/proc/2/ns/{kind}").st_ino for kind in KINDS}
    return {kind: FIXED.get(kind, own[kind]) for kind in KINDS}


def is_outside(pid="self"):
    """Whether nothing that makes a container sets the process apart from the host."""
    found, host = namespaces(pid), host_namespaces()
    return all(found[kind] == host[kind] for kind in ("pid", "user", "mnt"))


def namespaces(pid):
    found = {}
    for kind in KINDS:
        try:
            found[kind] = os.stat(f"/proc/{pid}/ns/{kind}").st_ino
        except FileNotFoundError:
            found[kind] = None
    return found


def lineage(pid, kind):
    """[(inode, owner's uid)] of a namespace and its parents, innermost first."""
    found, descriptor = [], os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
    while descriptor is not None:
        owner = struct.pack("I", 0)
        if kind == "user":
            owner = fcntl.ioctl(descriptor, NS_GET_OWNER_UID, owner)
        found.append((os.fstat(descriptor).st_ino, struct.unpack("I", owner)[0]))
        try:
            parent = fcntl.ioctl(descriptor, NS_GET_PARENT)
        except PermissionError:  # beyond our own namespace there is none
            parent = None
        os.close(descriptor)
        descriptor = parent
    return found


def chain(pid):
    pids = [int(word) for word in status(pid)["NSpid"].split()]
    inodes = [inode for inode, _ in reversed(lineage(pid, "pid"))]
    assert len(pids) == len(inodes), (pids, inodes)
    return [{"ns": inode, "pid": number} for inode, number in zip(inodes, pids)]


def parent_inside(pid):
    """The parent's pid as the process itself sees it."""
    parent = int(status(pid)["PPid"])
    if parent == 0:
        return 0
    own, above = chain(pid), chain(parent)
    return above[-1]["pid"] if above[-1]["ns"] == own[-1]["ns"] else 0


def translate(pid, file, number):
    """A host id through /proc/PID/uid_map or gid_map, as the process itself sees it."""
    for line in read(pid, file).decode().splitlines():
        inside, outside, count = map(int, line.split())
        if outside <= number < outside + count:
            return inside + number - outside
    return OVERFLOW


def user_name(number):
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def inside_name(pid, number):
    """By the /etc/passwd that the process sees, read through its root."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/root/etc/passwd").read_text().splitlines()
    except OSError:
        lines = []
    for fields in (line.split(":") for line in lines):
        if len(fields) > 2 and fields[2] == str(number):
            return fields[0]
    return str(number)


def capability_names():
    """By number, from the kernel's own header, not from libcap, which nsview uses."""
    header = pathlib.Path("/usr/include/linux/capability.h").read_text().splitlines()
    words = [line.split() for line in header if line.startswith("#define CAP_")]
    return {int(word[2]): word[1] for word in words if len(word) >= 3 and word[2].isdigit()}


def cgroup(pid):
    paths = {}
    for line in read(pid, "cgroup").decode(errors="surrogateescape").splitlines():
        number, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths["" if number == "0" else controller] = path
    for hierarchy in HIERARCHIES:
        if paths.get(hierarchy, "/") != "/":
            return paths[hierarchy]
    return "/"


def audit(pid, file):
    number = int(read(pid, file))
    return None if number == UNSET else number


def link(pid, file):
    return os.fsencode(os.readlink(f"/proc/{pid}/{file}")).decode(errors="replace")


def ps(pid, column):
    command = ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def printable(data):
    return data.decode(errors="replace")


def ids(pid):
    lines, found = status(pid), {}
    for line, suffix in (("Uid", "uid"), ("Gid", "gid")):
        numbers = [int(word) for word in lines[line].split()]
        for prefix, number in zip(("", "e", "s", "fs"), numbers):
            found[prefix + suffix] = number
            if prefix in ("", "e"):
                found[f"in_{prefix}{suffix}"] = translate(pid, f"{suffix}_map", number)
    found["groups"] = [int(word) for word in lines["Groups"].split()]
    found["user"] = user_name(found["euid"])
    return found


def outer_uids(pid):
    return [int(word) for word in status(pid)["Uid"].split()]


def outer_ids(pid):
    return {key: value for key, value in ids(pid).items() if not key.startswith("in_")}


def capabilities(pid):
    lines, names, found = status(pid), capability_names(), {}
    for key, line in SETS.items():
        mask = int(lines[line], 16)
        found[key] = [names[number] for number in range(64) if mask >> number & 1]
        found[f"{key}_hex"] = f"{mask:016x}"
    return found


def memory_total():
    text = pathlib.Path("/proc/meminfo").read_text().split()
    return int(text[text.index("MemTotal:") + 1]) * 1024


def identity(pid):
    """The keys that do not change while a process waits, other than namespaces."""
    lines, fields, spaces = status(pid), stat(pid), namespaces(pid)
    above = lineage(pid, "user")
    host = host_namespaces()
    return {
        "pid": pid,
        "ppid": int(fields[4]),
        "in_pid": chain(pid)[-1]["pid"],
        "in_ppid": parent_inside(pid),
        "in_user": inside_name(pid, ids(pid)["in_euid"]),
        **ids(pid),
        **capabilities(pid),
        "host_effective": spaces["user"] == host["user"],
        "userns": {"ino": above[0][0], "level": len(above) - 1, "owner": above[0][1]},
        "chain": chain(pid),
        "ns": spaces,
        "shared": [kind for kind in KINDS if spaces[kind] and spaces[kind] == host[kind]],
        "nnp": lines["NoNewPrivs"] == "1",
        "seccomp": SECCOMP[lines["Seccomp"]],
        "loginuid": audit(pid, "loginuid"),
        "session": audit(pid, "sessionid"),
        "cgroup": cgroup(pid),
        "comm": printable(read(pid, "comm")[:-1]),
        "exe": link(pid, "exe"),
        "cwd": link(pid, "cwd"),
        "args": [printable(word) for word in read(pid, "cmdline").split(b"\0")[:-1]],
    }


def activity(pid):
    """What a waiting process keeps too, but a busy one does not."""
    pages, resident = (int(word) for word in read(pid, "statm").split()[:2])
    size = os.sysconf("SC_PAGE_SIZE")
    terminal, nice = ps(pid, "tty"), ps(pid, "ni")
    return {
        "vsz_bytes": pages * size,
        "rss_bytes": resident * size,
        "mem_percent": int(resident * size * 1000 / memory_total()) / 10,
        "tty": None if terminal == "?" else terminal,
        "stat": ps(pid, "stat"),
        "threads": int(stat(pid)[20]),
        "pri": int(ps(pid, "pri")),
        "ni": None if nice == "-" else int(nice),
    }


def surface(pid):
    """The words of docs/ps.md for a process in a container."""
    lines, spaces, host = status(pid), namespaces(pid), host_namespaces()
    holds = {line: int(lines[line], 16) for line in ("CapEff", "CapPrm", "CapBnd")}
    is_host = spaces["user"] == host["user"]
    claims = {
        "host-root": 0 in outer_uids(pid),
        "host-caps": is_host and holds["CapEff"] | holds["CapPrm"],
        "can-gain": is_host and lines["NoNewPrivs"] == "0" and holds["CapBnd"],
        "no-seccomp": lines["Seccomp"] == "0",
        **{f"host-{kind}": spaces[kind] == host[kind] for kind in ("mnt", "pid", "net", "ipc")},
    }
    return [word for word, claim in claims.items() if claim]


# Only the outside of a container differs from its inside.
INSIDE_KEYS = ("in_user", "in_pid", "in_ppid", "in_uid", "in_euid", "in_gid", "in_egid")


def expected(pid):
    """Everything; the inside keys are null for a process of the host."""
    found = {**identity(pid), **activity(pid)}
    if is_outside(pid):
        found.update(dict.fromkeys(INSIDE_KEYS))
    else:
        found["surface"] = surface(pid)
    return found


def boot_offset_ns():
    return time.clock_gettime_ns(time.CLOCK_REALTIME) - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
