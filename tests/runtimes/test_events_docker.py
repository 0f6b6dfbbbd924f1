# SPDX-License-Identifier: GPL-2.0-only
"""Docker's containers in nsview events: their start, exec and end as the kernel and docker tell them."""

import contextlib
import unittest

import events
import lab
import nsview
import procview
from events import Stream, cause, get
from nsview import Failed

docker = lab.Docker()


def setUpModule():
    docker.start()


def tearDownModule():
    docker.stop()


@lab.needs_docker
class Docker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        docker.image("busybox")
        cls.stream = Stream()

    @classmethod
    def tearDownClass(cls):
        cls.stream.end()

    def tearDown(self):
        self.assertEqual(self.stream.bad, [])

    def of_container(self, identifier, action):
        return [line for line in self.stream.all() if get(line, "container", "id") == identifier
                and line["event"]["action"] == action]

    def check_inside(self, line, pid, arguments):
        after = events.facts(pid)
        told = events.told_after(line)
        self.assertEqual(told, {part: after[part] for part in told})
        for path, value in events.identity(pid).items():
            if path != ("process", "parent", "pid"):  # was runc, which has gone: the shim has adopted it
                self.assertEqual(get(line, *path), value, path)
        inside = line["nsview"]["inside"]
        self.assertEqual(inside["user"], {"id": str(procview.ids(pid)["in_euid"]), "name": procview.inside_name(
            pid, procview.ids(pid)["in_euid"])})
        self.assertEqual(get(line, "process", "vpid"), procview.chain(pid)[-1]["pid"])
        self.assertEqual(get(line, "process", "parent", "vpid"), 0)
        self.assertEqual(get(line, "process", "args"), arguments)

    def test_a_container_from_its_start_to_its_end(self):
        with docker.run("--name=whole", "--cap-add=MAC_ADMIN") as container:
            pid = events.Pid(container.pid)
            self.stream.settle()
            said = container.inspect()
            line = self.stream.of(pid, "exec")[-1]
            self.check_inside(line, pid, ["sleep", "3600"])
            nsview.wait_until(lambda: [line for line in self.stream.all()
                                       if get(line, "container", "id") == container.id
                                       and get(line, "container", "name") == "whole"])
            self.assertEqual(len(self.of_container(container.id, "container_started")), 1)
            named = [line for line in self.stream.all() if get(line, "container", "id") == container.id][-1]
            self.assertEqual(get(named, "container", "runtime"), "docker")
            self.assertEqual(get(named, "container", "image", "name"), said["Config"]["Image"])
        self.stream.settle()
        nsview.wait_until(lambda: self.of_container(container.id, "container_exited"))
        self.assertEqual(len(self.of_container(container.id, "container_exited")), 1)
        self.assertEqual(get(self.stream.of(pid, "exit")[0], "nsview", "exit_signal"), 9)
        self.assertFalse([line for line in self.stream.of(pid) if line["nsview"]["inferred"]])

    def test_exec(self):
        """docker exec joins namespaces and drops to what the container may do; what each line tells fits the next."""
        with docker.run("--name=host-of-exec") as container:
            pid = events.Pid(container.exec("--user=33", command=["sleep", "77"]))
            self.stream.settle()
            lines = [line for line in self.stream.of(pid) if line["event"]["outcome"] == "success"]
            self.check_inside(lines[-1], pid, ["sleep", "77"])
            self.assertEqual(get(lines[-1], "nsview", "inside", "user", "name"), "www-data")
            self.assertEqual(get(lines[-1], "container", "id"), container.id)
            self.assertLessEqual({cause(line) for line in lines},
                                 {None, "ns-join", "setuid", "setgid", "groups", "capset", "bounding-drop", "ambient",
                                  "securebits", "no-new-privs", "seccomp", "exec-drop", "exec-root"})

    def test_privileged_exec(self):
        with docker.run("--name=gains") as container:
            pid = events.Pid(container.exec("--privileged", command=["sleep", "78"]))
            self.stream.settle()
            line = self.stream.of(pid, "exec")[-1]
            self.check_inside(line, pid, ["sleep", "78"])
            self.assertGreater(len(get(line, "process", "thread", "capabilities", "effective")), 14)

    def test_a_container_can_be_selected_before_it_is_there(self):
        with Stream("-c", "early", "-c", "awaited", is_awaited=False) as stream:
            nsview.wait_until(lambda: self.lines_of_a_run(stream, "early"))
            with docker.run("--name=other") as other, docker.run("--name=awaited") as awaited:
                stream.wait(lambda: stream.of(awaited.pid, "exec"))
                self.assertEqual(get(stream.of(awaited.pid, "exec")[-1], "container", "name"), "awaited")
                self.assertEqual(stream.of(events.Pid(other.pid)), [])

    def lines_of_a_run(self, stream, name):
        """Nothing but a selected container tells that a selecting stream has begun."""
        with docker.run(f"--name={name}"), contextlib.suppress(Failed):
            return stream.wait(stream.all, 2)
