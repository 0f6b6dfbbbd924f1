# SPDX-License-Identifier: GPL-2.0-only
"""What log pipelines make of the stream: jq, and rsyslog with the configuration in dist/."""

import json
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import events
import nsview
from events import Actor, Stream
from harness import conditions

CONFIGURATION = nsview.ROOT / "dist/rsyslog/nsview.conf"
HOSTILE = [b"true", b'"quoted\\"', b"\xff\x00"[:1], b"line\nbreak", "ünï\u2028".encode(), b"%n%s {} <13>", b"x" * 1800]


def make_events(count):
    """Some of every kind, with long and hostile arguments."""
    with Actor() as actor:
        actor.do("setgroups", 1, 2, 3)
        actor.do("unshare", events.CLONE["uts"])
        actor.fork("clone3", events.CLONE["user"])
        actor.finish("exit", 1)
    for _ in range(count):
        subprocess.run(HOSTILE, check=True)


class Server:
    """Takes counted frames: "LENGTH MESSAGE"."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.frames = []
        self.thread = threading.Thread(target=self.receive, daemon=True)
        self.thread.start()

    def receive(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as file:
            while length := self.read_length(file):
                self.frames.append(file.read(length))

    @staticmethod
    def read_length(file):
        digits = b""
        while (byte := file.read(1)).isdigit():
            digits += byte
        return int(digits or 0)


@nsview.requires_root
class Consumers(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nsview-pipeline-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def record(self, path, count=50):
        def is_told(pause):
            subprocess.run(["true", "are-you-there"], check=True)
            return nsview.wait_until(lambda: path.exists() and b"are-you-there" in path.read_bytes(), pause)

        with Stream("--output", str(path), is_awaited=False) as stream:
            events.mark_until(is_told, events.START_SECONDS, lambda: stream.is_over)
            make_events(count)
            stream.end(signal.SIGTERM)
        return path.read_bytes()

    def test_jq_takes_every_line_and_changes_none(self):
        data = self.record(self.folder / "events.ndjson")
        done = subprocess.run(["jq", "-c", "."], input=data, capture_output=True, check=True)
        own, jqs = ([json.loads(line) for line in text.splitlines()] for text in (data, done.stdout))
        self.assertGreater(len(own), 150)
        self.assertEqual(own, jqs)
        selected = subprocess.run(["jq", "-r", 'select(.event.action=="exec") | .process.args | length'], input=data,
                                  capture_output=True, check=True, text=False).stdout
        self.assertGreaterEqual(selected.split().count(b"7"), 50)

    @unittest.skipIf(conditions.no_rsyslog(), "rsyslog is not installed")
    def test_rsyslog_hands_every_line_on_as_it_is(self):
        path, server = self.folder / "events.ndjson", Server()
        text = CONFIGURATION.read_text()
        for old, new in (("/var/log/nsview/events.ndjson", str(path)), ("logs.example.com", "127.0.0.1"),
                         ('Port="514"', f'Port="{server.port}"')):
            self.assertIn(old, text)
            text = text.replace(old, new)
        configuration = self.folder / "rsyslog.conf"
        configuration.write_text(f'global(workDirectory="{self.folder}")\n{text}')
        path.touch(0o600)
        daemon = subprocess.Popen(["rsyslogd", "-n", "-f", str(configuration), "-i", str(self.folder / "pid")],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        try:
            wanted = self.record(path).splitlines()
            nsview.wait_until(lambda: len(server.frames) >= len(wanted))
            self.assertEqual(server.frames, wanted)
            self.assertGreater(max(map(len, wanted)), 2000)
        finally:
            daemon.terminate()
            said, _ = daemon.communicate(timeout=nsview.SECONDS)
            server.listener.close()
        self.assertNotIn(b"error", said)
