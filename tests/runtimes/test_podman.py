# SPDX-License-Identifier: GPL-2.0-only
"""Podman's containers, made by crun, in nsview: what podman, /proc and the cgroups' files say of them."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import events
import images
import kernel_state
import nsview
import procview
from events import Stream, get
from harness import conditions

# What each container is called, and podman's words for it.
CONTAINERS = {
    "plain": [],
    "privileged": ["--privileged"],
    "user": ["--user=33"],
    "mapped": ["--uidmap=0:100000:65536", "--gidmap=0:100000:65536"],
    "limited": ["--cpus=.5", "--memory=64m", "--pids-limit=50"],
    "nothing": ["--cap-drop=ALL", "--security-opt=no-new-privileges"],
}
CAPS = {"plain": "podman-default", "privileged": "full", "mapped": "podman-default in userns", "nothing": "none"}
PROC_UNKNOWN = {"securebits"}
needs_podman = unittest.skipIf(conditions.no_podman(), "needs podman and crun, in a guest")


class Podman:
    """Its images and containers lie in a folder of their own."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nsview-podman-"))
        self.folder.chmod(0o711)  # the root of a mapped container is somebody else
        image = self.folder / "image.tar"
        image.write_bytes(images.busybox())
        self.call("import", str(image), "busybox")

    def call(self, *words):
        command = ["podman", f"--root={self.folder}/root", f"--runroot={self.folder}/run", f"--tmpdir={self.folder}/tmp",
                   "--runtime=crun", "--cgroup-manager=cgroupfs", "--storage-driver=vfs", "--events-backend=none"]
        done = subprocess.run([*command, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"podman {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def run(self, name, *words):
        """podman inspect of a container that sleeps."""
        self.call("run", "-d", "--network=none", f"--name={name}", *words, "busybox", "sleep", "3600")
        return json.loads(self.call("inspect", name))[0]

    def end(self):
        """The folder goes with the guest."""
        self.call("rm", "-f", "-t", "0", "-a")


@needs_podman
class InPs(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.podman = Podman()
        cls.addClassCleanup(cls.podman.end)
        cls.containers = {name: cls.podman.run(name, *words) for name, words in CONTAINERS.items()}

    def rows(self, source):
        return nsview.ps("--runtime=podman", source=source)

    def compare(self, row, source, said):
        pid = said["State"]["Pid"]
        limits = kernel_state.limits(pid)
        expected = procview.expected(pid)
        expected.update(
            id=said["Id"], runtime="podman", container=said["Id"][:12], surface=procview.surface(pid),
            in_pid=procview.chain(pid)[-1]["pid"], memory_limit=limits["memory"], pids_limit=limits["pids"],
            cpu_limit=limits["cpu"] and limits["cpu"][0] / limits["cpu"][1])
        wrong = [f"{key}: {row.get(key)!r}, not {value!r}" for key, value in expected.items()
                 if row.get(key) != value and not (source == "proc" and key in PROC_UNKNOWN and key in row["unknown"])]
        self.assertEqual(wrong, [])

    def test_every_field_of_each_container(self):
        for source in ("bpf", "proc"):
            rows = self.rows(source)
            self.assertEqual(set(rows), {said["State"]["Pid"] for said in self.containers.values()})
            for name, said in self.containers.items():
                with self.subTest(source=source, container=name):
                    self.compare(rows[said["State"]["Pid"]], source, said)

    def test_what_it_may_do_has_podmans_names(self):
        rows = self.rows("bpf")
        self.assertEqual({name: rows[self.containers[name]["State"]["Pid"]]["caps"] for name in CAPS}, CAPS)

    def test_privileged_is_every_capability_that_the_kernel_knows(self):
        pid = self.containers["privileged"]["State"]["Pid"]
        self.assertEqual(set(self.rows("bpf")[pid]["eff"]), set(procview.capability_names().values()))

    def test_limits_that_hold_are_those_asked_for(self):
        row = self.rows("bpf")[self.containers["limited"]["State"]["Pid"]]
        self.assertEqual((row["cpu_limit"], row["memory_limit"], row["pids_limit"]), (0.5, 64 << 20, 50))


@needs_podman
class InEvents(unittest.TestCase):
    def test_a_container_from_its_start_to_its_end(self):
        podman = Podman()
        self.addCleanup(podman.end)
        with Stream() as stream:
            said = podman.run("whole", "--cap-add=SYS_ADMIN")
            pid = said["State"]["Pid"]
            stream.settle()
            line = stream.of(pid, "exec")[-1]
            after = events.facts(pid)
            told = events.told_after(line)
            self.assertEqual(told, {part: after[part] for part in told})
            self.assertEqual((get(line, "container", "id"), get(line, "container", "runtime")), (said["Id"], "podman"))
            self.assertEqual(get(line, "process", "vpid"), procview.chain(pid)[-1]["pid"])
            podman.end()
            stream.settle()
            self.assertEqual(len(stream.of(pid, "exit")), 1)
            for action in ("container_started", "container_exited"):
                nsview.wait_until(lambda: [line for line in stream.all() if line["event"]["action"] == action
                                           and get(line, "container", "id") == said["Id"]])
            self.assertEqual(stream.bad, [])
