# SPDX-License-Identifier: GPL-2.0-only
"""The cgroups of a process and what their files say, alike for both versions; from /proc and cgroupfs."""

import contextlib
import os
import pathlib
import re

NO_LIMIT_V1 = 1 << 62  # PAGE_COUNTER_MAX in bytes, rounded to pages, is just below 2^63


def mounts():
    """{controller, "" for the unified hierarchy: where it is mounted}"""
    found = {}
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            found.setdefault("", pathlib.Path(point))
        elif kind == "cgroup":
            for word in options.split(","):
                found.setdefault(word.removeprefix("name="), pathlib.Path(point))
    return found


def paths(pid="self"):
    """{controller: path}"""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        found.update({name.removeprefix("name="): path for name in controllers.split(",")})
    return found


def all_of(name):
    """The directories called so in any hierarchy, at any depth."""
    return [os.path.join(folder, name) for point in set(mounts().values())
            for folder, names, _ in os.walk(point) if name in names]


class Group:
    """The cgroup of a process."""

    def __init__(self, pid):
        points = mounts()
        self.folders = {name: points[name] / path.lstrip("/") for name, path in paths(pid).items() if name in points}

    def file(self, controller, v1_name, v2_name):
        """That file, of whichever version has the controller."""
        if controller in self.folders:
            return self.folders[controller] / v1_name
        return self.folders[""] / v2_name

    def number(self, controller, v1_name, v2_name):
        """None: no limit, or no such file."""
        with contextlib.suppress(FileNotFoundError):
            text = self.file(controller, v1_name, v2_name).read_text().strip()
            if text not in ("max", "-1") and int(text) < NO_LIMIT_V1:
                return int(text)
        return None

    def cpu(self):
        """(quota, period) in microseconds; None: no limit."""
        if "cpu" not in self.folders:
            quota, period = (self.folders[""] / "cpu.max").read_text().split()
            return None if quota == "max" else (int(quota), int(period))
        quota = self.number("cpu", "cpu.cfs_quota_us", "")
        return quota and (quota, self.number("cpu", "cpu.cfs_period_us", ""))

    def memory(self):
        return self.number("memory", "memory.limit_in_bytes", "memory.max")

    def memory_and_swap(self):
        """None also where the kernel does not count swap."""
        swap = self.number("memory", "memory.memsw.limit_in_bytes", "memory.swap.max")
        return swap if swap is None or "memory" in self.folders else swap + self.memory()

    def pids(self):
        return self.number("pids", "pids.max", "pids.max")

    def cpu_seconds(self):
        """Used so far."""
        if "cpuacct" in self.folders:
            return int((self.folders["cpuacct"] / "cpuacct.usage").read_text()) / 1e9
        return int(re.search(r"^usage_usec (\d+)", (self.folders[""] / "cpu.stat").read_text(), re.M)[1]) / 1e6
