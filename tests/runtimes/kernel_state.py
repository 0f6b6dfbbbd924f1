# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel says about one process and the cgroup it is in, from /proc and the cgroups' files
alone: nothing of nsview, nothing of a runtime. read(pid) gives a dict of parts that can be compared."""

import os
import pathlib
import re
import stat
import subprocess

CAPABILITIES = {
    int(number): name for name, number in
    re.findall(r"^#define CAP_(\w+)\s+(\d+)$", pathlib.Path("/usr/include/linux/capability.h").read_text(), re.M)
}
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
# Which mount options are the mount's own; atime and what follows the "-" belong to the machine's disk.
MOUNT_FLAGS = {"ro", "nosuid", "nodev", "noexec"}
PSEUDO_TYPES = {"proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2", "tmpfs"}
CGROUP1_NOLIMIT = 1 << 62  # PAGE_COUNTER_MAX, in bytes and rounded to pages, is just below 2^63


def capability_names(mask):
    return sorted(CAPABILITIES.get(number, str(number)) for number in range(64) if mask >> number & 1)


def read_text(path):
    return pathlib.Path(path).read_text(encoding="utf-8", errors="surrogateescape")


def status(pid):
    return dict(line.split(":\t", 1) for line in read_text(f"/proc/{pid}/status").splitlines() if ":\t" in line)


def capabilities(pid):
    fields = status(pid)
    return {name: capability_names(int(fields[name], 16)) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}


def id_map(pid, kind):
    """[(inside, outside, length)]"""
    return [tuple(map(int, line.split())) for line in read_text(f"/proc/{pid}/{kind}_map").splitlines()]


def inside(mapping, number):
    for first, outside, length in mapping:
        if outside <= number < outside + length:
            return first + number - outside
    return 65534


def ids(pid):
    """real, effective, saved and file system ids, and groups, as the process itself sees them."""
    fields = status(pid)
    users, groups = id_map(pid, "uid"), id_map(pid, "gid")
    return {
        "uids": [inside(users, int(word)) for word in fields["Uid"].split()],
        "gids": [inside(groups, int(word)) for word in fields["Gid"].split()],
        "groups": sorted(inside(groups, int(word)) for word in fields["Groups"].split()),
    }


def maps(pid):
    """How many ids each map holds, and whether it gives them the host's own numbers."""
    return {kind: {"ids": sum(length for _, _, length in id_map(pid, kind)),
                   "host's own": all(first == outside for first, outside, _ in id_map(pid, kind))}
            for kind in ("uid", "gid")}


def security(pid):
    fields = status(pid)
    return {"no_new_privs": int(fields["NoNewPrivs"]), "seccomp": int(fields["Seccomp"])}


def namespaces(pid):
    """shared or own, against the process that asks."""
    return {kind: "shared" if os.readlink(f"/proc/{pid}/ns/{kind}") == os.readlink(f"/proc/self/ns/{kind}") else "own"
            for kind in NAMESPACES}


def cgroup_mounts():
    """{controller, or "" for the unified hierarchy: (mount point, the cgroup that is mounted there)}"""
    found = {}
    for mount in mounts_of("self"):
        if mount["type"] == "cgroup2":
            found[""] = mount["point"], mount["root"]
        elif mount["type"] == "cgroup":
            for word in mount["super"].split(","):
                found[word.removeprefix("name=")] = mount["point"], mount["root"]
    return found


def cgroup_folders(pid):
    """{controller: its cgroup's folder}, the unified hierarchy as ""."""
    found, mounts = {}, cgroup_mounts()
    for line in read_text(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(","):
            name = name.removeprefix("name=")
            if name in mounts:
                point, root = mounts[name]
                found[name] = pathlib.Path(point + "/" + path.removeprefix(root if root != "/" else ""))
    return found


def read_number(path):
    """None: no such file, or "max"."""
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        return None
    return None if text == "max" else int(text)


def limits(pid):
    """CPU time in microseconds a period, bytes, processes; None: unlimited."""
    folders = cgroup_folders(pid)
    if "memory" in folders:
        return limits_v1(folders)
    folder = folders[""]
    # No file: the root, or the controller is not enabled here.
    cpu = (folder / "cpu.max").read_text().split() if (folder / "cpu.max").exists() else ["max", "100000"]
    memory, swap = read_number(folder / "memory.max"), read_number(folder / "memory.swap.max")
    return {
        "cpu": None if cpu[0] == "max" else (int(cpu[0]), int(cpu[1])),
        "memory": memory,
        "memory and swap": None if memory is None or swap is None else memory + swap,
        "pids": read_number(folder / "pids.max"),
    }


def limits_v1(folders):
    quota = read_number(folders["cpu"] / "cpu.cfs_quota_us")
    memory = read_number(folders["memory"] / "memory.limit_in_bytes")
    both = read_number(folders["memory"] / "memory.memsw.limit_in_bytes")
    return {
        "cpu": None if quota in (None, -1) else (quota, read_number(folders["cpu"] / "cpu.cfs_period_us")),
        "memory": memory if memory is None or memory < CGROUP1_NOLIMIT else None,
        "memory and swap": both if both is None or both < CGROUP1_NOLIMIT else None,
        "pids": read_number(folders["pids"] / "pids.max"),
    }


def unescape(word):
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), word)


def mounts_of(pid):
    """/proc/PID/mountinfo in its own order, which is that of mounting."""
    for line in read_text(f"/proc/{pid}/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        _, _, device, root, point, options, *tags = left.split(" ")
        kind, _, super_options = right.split(" ", 2)
        yield {"device": device, "root": unescape(root), "point": unescape(point), "options": options,
               "type": kind, "super": super_options, "tags": sorted(tag.partition(":")[0] for tag in tags)}


def mounts(pid):
    """{mount point: [type, flag...]}, the same on every disk: the root and what is bound from a disk
    count with their flags, a volume with its propagation too, none with the disk's type."""
    found = {}
    for mount in mounts_of(pid):
        flags = sorted(MOUNT_FLAGS.intersection(mount["options"].split(",")))
        kind = mount["type"] if mount["type"] in PSEUDO_TYPES and mount["point"] != "/" else "disk"
        propagation = mount["tags"] if kind == "disk" and mount["point"] != "/" else []
        # What is mounted over another mount hides it.
        found[mount["point"]] = [kind, *flags, *propagation]
    return found


def masked(pid):
    """{path: how it is hidden} below /proc and /sys: /dev/null over files, an empty tmpfs over folders."""
    found = {}
    for mount in mounts_of(pid):
        if not mount["point"].startswith(("/proc/", "/sys/")) or mount["type"] not in ("tmpfs", "devtmpfs"):
            continue
        if mount["root"] == "/null":
            found[mount["point"]] = "null"
        elif mount["point"] != "/sys/fs/cgroup":
            found[mount["point"]] = "empty" if not os.listdir(f"/proc/{pid}/root{mount['point']}") else "filled"
    return found


def readonly(pid):
    """Paths below /proc that are mounted again, read-only."""
    return sorted(mount["point"] for mount in mounts_of(pid)
                  if mount["point"].startswith("/proc/") and mount["type"] == "proc"
                  and "ro" in mount["options"].split(","))


def devices(pid):
    """{name: what it is} in /dev, two levels deep; names that are numbers (terminals) left out."""
    found = {}
    root = f"/proc/{pid}/root/dev"
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            shown = path.removeprefix(root + "/")
            if name.isdigit():
                continue
            if stat.S_ISLNK(info.st_mode):
                found[shown] = "-> " + os.readlink(path)
            elif stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
                numbers = f"{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}"
                found[shown] = f"{stat.filemode(info.st_mode)} {numbers}"
            else:
                found[shown] = stat.filemode(info.st_mode)
    return found


def process(pid):
    """What its program was started with."""
    environment = dict(entry.split("=", 1) for entry in read_text(f"/proc/{pid}/environ").split("\0") if "=" in entry)
    fields = status(pid)
    stat_fields = read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    inner = fields["NSpid"].split()[-1]
    return {
        "arguments": read_text(f"/proc/{pid}/cmdline").split("\0")[:-1],
        "environment": environment,
        "folder": os.readlink(f"/proc/{pid}/cwd"),
        "umask": fields["Umask"],
        "pid inside is 1": inner == "1",
        "leads its session": stat_fields[3] == str(pid),
        "has a terminal": stat_fields[4] != "0",
    }


def in_namespace(pid, kind, *command):
    done = subprocess.run(["nsenter", f"--target={pid}", f"--{kind}", *command], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def hostname(pid):
    return in_namespace(pid, "uts", "uname", "-n")


def interfaces(pid):
    """Names in its network namespace."""
    text = in_namespace(pid, "net", "cat", "/proc/self/net/dev")
    return sorted(line.split(":")[0].strip() for line in text.splitlines() if ":" in line)


def sysctls(pid):
    """Those of its network namespace that decide what a user may do there."""
    names = ("ip_unprivileged_port_start", "ping_group_range")
    return {name: in_namespace(pid, "net", "cat", f"/proc/sys/net/ipv4/{name}").split() for name in names}


PARTS = {
    "capabilities": capabilities, "ids": ids, "maps": maps, "security": security, "namespaces": namespaces,
    "limits": limits, "mounts": mounts, "masked": masked, "readonly": readonly, "devices": devices,
    "process": process, "hostname": hostname, "interfaces": interfaces, "sysctls": sysctls,
}


def read(pid):
    return {name: part(pid) for name, part in PARTS.items()}


def differences(one, other, path=""):
    """["part.key: this against that"] for every leaf that differs."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [line for key in sorted(one.keys() | other.keys(), key=str)
                for line in differences(one.get(key, "-"), other.get(key, "-"), f"{path}.{key}" if path else str(key))]
    return [] if one == other else [f"{path}: {one} against {other}"]
