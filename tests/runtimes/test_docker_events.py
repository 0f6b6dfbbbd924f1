# SPDX-License-Identifier: GPL-2.0-only
"""A container's life in nsview events: started, called as Docker calls it, entered, ended."""

import json
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import lab
import nsview

SECONDS = 20

docker = lab.Docker()


def setUpModule():
    docker.start()


def tearDownModule():
    docker.stop()


@lab.needs_docker
@nsview.requires_outside
class DockerEvents(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "lines"

    def listen(self, *words):
        self.watch = subprocess.Popen([nsview.NSVIEW, "events", "--snapshot", "--output", str(self.path), *words],
                                      stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.wait(lambda lines: any(line["event"]["action"] == "snapshot" for line in lines))

    def end(self):
        if self.watch.poll() is None:
            self.watch.send_signal(signal.SIGTERM)
        self.watch.communicate(timeout=SECONDS)

    def lines(self):
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def wait(self, has_come):
        end = time.monotonic() + SECONDS
        while not has_come(self.lines()):
            self.assertLess(time.monotonic(), end, f"{[line['event'] for line in self.lines()[-10:]]}")
            time.sleep(0.05)
        return self.lines()

    @staticmethod
    def of(lines, identifier, prefix=""):
        return [line for line in lines if line.get("container", {}).get("id") == identifier
                and line["event"]["action"].startswith(prefix)]

    def test_a_container_starts_is_entered_and_ends(self):
        self.listen()
        with docker.run("--name=life", "--cap-add=MAC_ADMIN") as container:
            described = container.inspect()
            first = described["State"]["Pid"]
            lines = self.wait(lambda lines: any(
                line["event"]["action"] == "exec" and line["process"]["pid"] == first
                and line["process"].get("args") == ["sleep", "3600"] for line in lines))
            started = self.of(lines, container.id, "container_started")
            self.assertEqual(len(started), 1)
            last = self.of(lines, container.id)[-1]["container"]
            self.assertEqual((last["name"], last["runtime"]), ("life", "docker"))
            self.assertEqual(last["image"]["name"], described["Config"]["Image"])
            container.exec(command=("sleep", "1234"))
            lines = self.wait(lambda lines: any(
                line["event"]["action"] == "exec" and line["process"].get("args") == ["sleep", "1234"]
                for line in self.of(lines, container.id)))
        lines = self.wait(lambda lines: self.of(lines, container.id, "container_exited"))
        self.assertEqual(len(self.of(lines, container.id, "container_exited")), 1)
        self.assertEqual(len(self.of(lines, container.id, "container_started")), 1)
        self.assertFalse([line for line in lines if line["nsview"].get("inferred")
                          and line.get("process", {}).get("pid") == first])

    def test_a_container_can_be_selected_before_it_is_there(self):
        self.watch = subprocess.Popen([nsview.NSVIEW, "events", "--output", str(self.path), "-c", "awaited"],
                                      stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.wait(lambda lines: any(line["event"]["action"] == "info" for line in lines) or self.path.exists())
        time.sleep(1)
        with docker.run("--name=other") as other, docker.run("--name=awaited") as awaited:
            first = awaited.inspect()["State"]["Pid"]
            lines = self.wait(lambda lines: any(
                line["event"]["action"] == "exec" and line["process"]["pid"] == first for line in lines))
            self.assertFalse(self.of(lines, other.id))
            self.assertEqual({line["container"]["name"] for line in lines if "process" in line}, {"awaited"})
