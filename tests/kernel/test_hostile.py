# SPDX-License-Identifier: GPL-2.0-only
"""Processes that try to disturb whoever looks at them."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import nsview
import procview
import runc
from harness.ptys import Pty
from nsview import Subject

NEWLINES = b"one\ntwo\r\nthree\x0b\x0c\x85"
ESCAPES = b"\x1b[31mred\x1b]0;title\x07\x9b2J\x08\x7f\x00"[:-1]
TURNED = "\u202egpj.exe\u2066\u200f\u2028\u2029\ufeff".encode()
BROKEN = b"\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80 caf\xe9"
QUOTES = b"\"quoted\" \\back\\ '$(id)` &<script>"
HOSTILE = (NEWLINES, ESCAPES, TURNED, BROKEN, QUOTES)
# C0 and C1 controls, and the marks that turn a line around or end it.
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def on_terminal(*words, columns=120, no_color="1"):
    """What nsview writes to a terminal of that width."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", "NO_COLOR": no_color}
    with tempfile.TemporaryFile() as errors, \
         Pty(nsview.NSVIEW, *words, size=(columns, 40), environment=environment, errors=errors) as terminal:
        if terminal.wait_end():
            errors.seek(0)
            raise nsview.Failed(f"ended with {terminal.process.returncode}: {errors.read()}")
        return terminal.written.decode().replace("\r\n", "\n")


@nsview.requires_root
class Case(unittest.TestCase):
    def check_output(self, pid, rows=1):
        """Table, terminal and JSON of one process: nothing raw, as many lines as rows."""
        for source in ("bpf", "proc"):
            with self.subTest(source=source):
                select = ("-p", str(pid), "--source", source)
                table = nsview.run("ps", *select, errors="strict").stdout
                every = ",".join(("comm", "exe", "cwd", "cgroup", "container", "in-user", "command"))
                wide = nsview.run("ps", "-o", every, *select, errors="strict").stdout
                for text in (table, wide, on_terminal("ps", *select)):
                    self.assertIsNone(FORBIDDEN.search(text.replace("\n", "")), repr(text[-500:]))
                    self.assertEqual(text.count("\n"), rows + 1, repr(text[-500:]))
                self.check_json(*select)

    def check_json(self, *words):
        done = nsview.run("ps", "--json", *words, errors="strict")
        self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f\u2028\u2029]", done.stdout))
        judged = subprocess.run(["jq", "-e", "length > 0"], input=done.stdout, capture_output=True, text=True)
        self.assertEqual((judged.returncode, judged.stderr), (0, ""))
        return json.loads(done.stdout)


class Words(Case):
    def test_arguments(self):
        with Subject(extra=HOSTILE + (b"",)) as subject:
            self.check_output(subject.pid)
            row = nsview.ps("-p", str(subject.pid))[subject.pid]
            self.assertEqual(row["args"], procview.expected(subject.pid)["args"])

    def test_arguments_of_200_kilobytes(self):
        words = [(HOSTILE[number % 5] * 5000)[:50000] for number in range(4)]
        with Subject(extra=words) as subject:
            self.check_output(subject.pid)
            expected = procview.expected(subject.pid)["args"]
            for source in ("bpf", "proc"):
                row = nsview.ps("-p", str(subject.pid), source=source)[subject.pid]
                is_whole = row["args"] == expected
                self.assertTrue(is_whole or "args" in row["truncated"], "cut, and nothing says so")
                self.assertEqual(row["args"][:len(row["args"]) - 1], expected[:len(row["args"]) - 1])

    def test_names(self):
        for name in (b"a\nb\x1b[1m", b"\xff\xc3(", "\u202eabc".encode(), b") R 1 1", b" ", b"\\n\"'"):
            with self.subTest(name=name), Subject("comm", name) as subject:
                self.check_output(subject.pid)

    def test_directories_and_programs(self):
        where = tempfile.mkdtemp(prefix=os.fsdecode(b"nsview-\n\x1b[1m\xff-"))
        self.addCleanup(shutil.rmtree, where)
        program = os.path.join(where, os.fsdecode(ESCAPES))
        shutil.copy(nsview.SUBJECT, program)
        process = subprocess.Popen([program, "chdir", where, "hold"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        try:
            self.check_output(process.pid)
        finally:
            process.communicate()

    def test_a_user_of_the_container(self):
        with runc.Container(user={"uid": 9, "gid": 9},
                            passwd=b"\x1b[31mroot\xff\n:x:9:9::/:/\n\x1b[31mevil\xe2\x80\xae:x:9:9::/:/\n"
                            ) as container:
            self.check_output(container.pid)

    def test_a_cgroup_that_is_called_like_a_container(self):
        for where in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
            if os.path.exists(f"{where}/cgroup.procs"):
                break
        group = pathlib.Path(f"{where}/lxc.payload.\x1b[31mevil\u202e-{os.getpid()}")
        group.mkdir()
        self.addCleanup(group.rmdir)
        with Subject() as subject:
            (group / "cgroup.procs").write_text(str(subject.pid))
            self.check_output(subject.pid)
            row = nsview.ps("-p", str(subject.pid))[subject.pid]
            self.assertEqual(row["cgroup"], f"/{group.name}")


class Moving(Case):
    def test_arguments_that_change_while_they_are_read(self):
        with Subject("rewrite", extra=["x" * 1000] * 30) as subject:
            for _ in range(5):
                self.check_json("-p", str(subject.pid), "--source", "bpf")
                self.check_json("-p", str(subject.pid), "--source", "proc")
            self.check_output(subject.pid)

    def test_processes_that_end_while_they_are_read(self):
        with Subject("fork-pid") as still:
            expected = procview.identity(still.pid)
            storms = [Subject("storm", last=None) for _ in range(2)]
            try:
                for source in ("bpf", "proc") * 5:
                    self.look_into_storm(source, still.pid, expected)
            finally:
                for storm in storms:
                    storm.end()

    def look_into_storm(self, source, pid, expected):
        done = nsview.run("ps", "--json", "--source", source)
        self.assertEqual(done.stderr, "")
        rows = json.loads(done.stdout)
        pids = [row["pid"] for row in rows]
        self.assertEqual(len(pids), len(set(pids)), "a process is there twice")
        by_pid = dict(zip(pids, rows))
        self.assertEqual({key: by_pid[pid][key] for key in ("ppid", "uid", "eff_hex", "ns", "args")},
                         {key: expected[key] for key in ("ppid", "uid", "eff_hex", "ns", "args")})
        for row in rows:
            self.assertIsNotNone(row["start"], row)
            if row["comm"].startswith("storm"):
                self.assertTrue(row["uid"] == 0 or "uid" in row["unknown"], row)
                self.assertTrue(row["eff"] or "eff" in row["unknown"], row)


@unittest.skipUnless(os.path.exists("/dev/fuse"), "no /dev/fuse")
class Fuse(Case):
    """What a file system that never answers may freeze is the process that asked for it."""

    def setUp(self):
        self.where = tempfile.mkdtemp(prefix="nsview-fuse-")
        self.addCleanup(os.rmdir, self.where)

    def test_arguments_that_cannot_be_read(self):
        with Subject("unshare", "mnt", "silent-arguments", self.where, extra=["x" * 60000] * 2) as subject:
            for source in ("bpf", "proc"):
                row = nsview.ps("-p", str(subject.pid), source=source, timeout=nsview.SECONDS)[subject.pid]
                self.assertEqual(row["comm"], "subject")

    def test_a_passwd_that_cannot_be_read(self):
        """A container may mount what it likes where its users' names are looked for."""
        with Subject("unshare", "mnt", "fork-pid", "silent-directory", "/etc") as subject:
            for source in ("bpf", "proc"):
                row = nsview.ps("-p", str(subject.pid), source=source, timeout=nsview.SECONDS)[subject.pid]
                self.assertEqual(row["in_user"], "0")
