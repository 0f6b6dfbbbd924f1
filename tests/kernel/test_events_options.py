# SPDX-License-Identifier: GPL-2.0-only
"""The options of `nsview events`, on real processes."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import events
import nsview
import procview
from events import Actor, Stream, get


def lines(*words, **options):
    return [json.loads(line) for line in nsview.run("events", *words, **options).stdout.splitlines()]


def ring_sizes(pid):
    """Of each ring buffer that a process has: BPF_MAP_TYPE_RINGBUF is 27 (linux/bpf.h)."""
    found = []
    for place in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            said = dict(line.split(":", 1) for line in place.read_text().splitlines() if ":" in line)
            if said.get("map_type", "").strip() == "27":
                found.append(int(said["max_entries"]))
    return found


@nsview.requires_root
class Words(unittest.TestCase):
    def complaint(self, *words, check=2):
        said = nsview.run("events", *words, check=check).stderr
        self.assertEqual(said.count("\n"), 1, said)
        return said

    def test_an_unknown_word_is_named_with_the_nearest(self):
        for option, wrong, right in (("--types", "exek", "exec"), ("--types", "fork,exi", "exit"),
                                     ("--format", "esc", "ecs"), ("--hooks", "credential=kprobe", "credentials"),
                                     ("--hooks", "credentials=kprob", "kprobe"), ("--durration", "1s", "--duration")):
            with self.subTest(option=option, wrong=wrong):
                said = self.complaint(option, wrong)
                self.assertIn(right, said)

    def test_a_bad_value_is_named(self):
        for option, wrong in (("--duration", "soon"), ("--count", "-1"), ("--count", "x"), ("--ring", "lots"),
                              ("--args-max", "many"), ("--line-max", "no"), ("-p", "abc"), ("--ring", "100000"),
                              ("--ring", "1k"), ("--args-max", "1m"), ("--line-max", "100"), ("--duration", "0"),
                              ("--count", "0")):
            with self.subTest(option=option):
                self.assertIn(wrong, self.complaint(option, wrong))

    def test_an_output_that_cannot_be_written_is_named(self):
        for path in ("/proc/none/events", "/proc/self/status/events", "/"):
            with self.subTest(path=path):
                self.assertIn(path, self.complaint("--output", path, "--duration", "100ms", check=1))

    def test_help_names_each_option(self):
        said = nsview.run("events", "--help").stdout
        for option in ("--types", "--snapshot", "--output", "--format", "--args-max", "--line-max", "--env", "--record",
                       "--duration", "--count", "--stats", "--ring", "--hooks", "--complete"):
            self.assertIn(option, said)

    def test_without_privileges_it_says_what_is_missing(self):
        with tempfile.TemporaryDirectory(prefix="nsview-events-") as folder:
            program = pathlib.Path(folder, "nsview")
            program.write_bytes(pathlib.Path(nsview.NSVIEW).read_bytes())
            os.chmod(folder, 0o755)
            program.chmod(0o755)
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", str(program)]
            done = subprocess.run([*command, "events"], capture_output=True, text=True, timeout=events.SECONDS)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("nsview doctor", done.stderr)


    def test_privileges_are_given_up_once_it_listens(self):
        """What it may still do is read others' files for names, and end what it has begun."""
        known = procview.capability_names()
        with Stream() as stream:
            status = procview.status(stream.process.pid)
        for key in ("CapPrm", "CapEff"):
            mask = int(status[key], 16)
            self.assertLessEqual({known[number] for number in range(64) if mask >> number & 1},
                                 {"CAP_BPF", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"})


@nsview.requires_root
class Extent(unittest.TestCase):
    """How long, how many."""

    def test_count_is_the_number_of_lines(self):
        self.assertEqual(len(lines("--snapshot", "--count", "3")), 3)

    def test_count_is_without_gaps_and_infos(self):
        process = subprocess.Popen([nsview.NSVIEW, "events", "--hooks", "namespaces=off", "--count", "2"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        found = [json.loads(process.stdout.readline())]
        nsview.wait_until(lambda: subprocess.run(["true"], check=True) and process.poll() is not None)
        found += [json.loads(line) for line in process.stdout]
        process.stdout.close()
        actions = [line["event"]["action"] for line in found]
        self.assertEqual(actions[0], "info")
        self.assertEqual(len([action for action in actions if action not in ("gap", "info")]), 2)

    def test_duration_ends_it(self):
        found = lines("--snapshot", "--duration", "300ms")
        self.assertIn("snapshot", {line["event"]["action"] for line in found})

    def test_snapshot_has_each_process_once(self):
        with nsview.Subject() as one, nsview.Subject("userns", "0 1000 5", "0 1000 5") as two:
            found = [line for line in lines("--snapshot", "--duration", "100ms") if line["event"]["kind"] == "state"]
            for pid in (one.pid, two.pid):
                own = [line for line in found if line["process"]["pid"] == pid]
                self.assertEqual(len(own), 1)
                self.assertEqual(get(own[0], "process", "args")[0], nsview.SUBJECT)
                after = events.facts(pid)
                told = events.told_after(own[0])
                self.assertEqual(told, {part: after[part] for part in told})

    def test_snapshot_is_whatever_types_are_wanted(self):
        with nsview.Subject() as one:
            found = lines("--snapshot", "--types", "exit", "-p", str(one.pid), "--duration", "100ms")
            self.assertEqual([line["event"]["action"] for line in found if "process" in line], ["snapshot"])

    def test_ring_is_of_that_size(self):
        for words, size in (((), 8 << 20), (("--ring", "64k"), 64 << 10), (("--ring", "1m"), 1 << 20)):
            with self.subTest(words=words), Stream(*words) as stream:
                self.assertEqual(ring_sizes(stream.process.pid), [size])

    def test_stats_are_said_at_the_end(self):
        with Stream("--stats") as stream:
            stream.settle()
            stream.end()
            said = stream.errors.decode()
        rows = re.findall(r"^ *(\S+) .*?seen (\d+), lost (\d+), skipped (\d+)", said, re.M)
        whole = [int(number) for number in rows[0][1:]]
        self.assertEqual(whole, [sum(int(row[at]) for row in rows[1:]) for at in (1, 2, 3)], said)
        self.assertLessEqual({"fork", "exec", "exit", "credentials", "namespaces"}, {row[0] for row in rows})
        self.assertEqual(whole[0], stream.sequences[-1])


@nsview.requires_root
class Filters(unittest.TestCase):
    def made(self, *words):
        """(a child's pid, all lines) of an actor whose child changes its user and executes."""
        with Stream(*words) as stream, Actor() as actor:
            child = actor.fork("fork")
            actor.do("setresuid", 0, 0, 1000)
            actor.finish("exit", 0)
            stream.settle()
            stream.end()
            self.assertEqual(stream.bad, [])
            return child, actor.process.pid, stream

    def test_types(self):
        child, _, stream = self.made("--types", "credentials_changed,exit")
        actions = {line["event"]["action"] for line in stream.all()}
        self.assertLessEqual(actions, {"credentials_changed", "exit", "gap", "info"})
        self.assertEqual([line["event"]["action"] for line in stream.of(child)], ["credentials_changed", "exit"])

    def test_a_filter_skips_numbers(self):
        """They are the kernel side's: fork, change and exit of one process are three."""
        child, _, stream = self.made("--types", "fork,exit")
        start, end = (line["event"]["sequence"] for line in stream.of(child))
        self.assertGreaterEqual(end - start, 2)

    @staticmethod
    def listening(pid, *words):
        """It listens once it has told of a process that was there."""
        stream = Stream("--snapshot", *words, is_awaited=False)
        stream.wait(lambda: stream.by_pid.get(pid))
        return stream

    def test_pid(self):
        with Actor() as actor:
            child = actor.fork("fork")
            with self.listening(child, "-p", str(child)) as stream:
                actor.do("setresuid", 0, 0, 1000)
                actor.finish("exit", 3)
                stream.wait(lambda: stream.of(child, "exit"))
                self.assertEqual(set(stream.by_pid), {child})

    def test_filter(self):
        with Actor() as actor, nsview.Subject() as there:
            with self.listening(there.pid, "--filter", f"suid=4321 or pid={there.pid}") as stream:
                actor.do("setresuid", 0, 0, 4321)
                stream.wait(lambda: stream.of(actor.pid))
                self.assertEqual(set(stream.by_pid), {actor.pid, there.pid})

    def test_a_hook_that_is_off_is_said_first(self):
        with Stream("--hooks", "namespaces=off") as stream, Actor() as actor:
            stream.wait(lambda: stream.count)
            said = {get(line, "nsview", "info", "hook"): line["message"] for line in stream.others
                    if line["event"]["action"] == "info"}
            self.assertRegex(said["namespaces"], r"^hook namespaces is off, as asked for; missed: \w+")
            self.assertNotIn("complete", said)  # which nobody missed who did not ask for it
            actor.do("unshare", events.CLONE["uts"])
            stream.settle()
            self.assertNotIn("namespaces_changed", [line["event"]["action"] for line in stream.of(actor.pid)])


@nsview.requires_root
class Bounds(unittest.TestCase):
    """What is longer than it may be says so, and by how much."""

    def executed(self, words, options=(), environment=None):
        with Stream(*options) as stream:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment)
            pid = events.Pid(process.pid)
            process.wait()
            stream.settle()
            self.assertEqual(stream.bad, [])
            return stream.of(pid, "exec")[-1], stream

    def test_arguments_beyond_args_max(self):
        words = ["true", "a" * 1000, "b" * 1500]
        line, _ = self.executed(words)
        self.assertIn("args", line["nsview"]["truncated"])
        self.assertEqual(line["process"]["args_count"], 3)
        self.assertEqual(line["nsview"]["args_bytes"], sum(len(word) + 1 for word in words))
        self.assertEqual(line["process"]["args"][:2], words[:2])
        whole, _ = self.executed(words, ["--args-max", "4096"])
        self.assertEqual(whole["process"]["args"], words)
        self.assertNotIn("truncated", whole["nsview"])

    def test_a_line_beyond_line_max(self):
        words = ["true", "x" * 1900]
        line, stream = self.executed(words, ["--line-max", "3000"])
        self.assertNotIn("args", line["process"])
        self.assertIn("args", line["nsview"]["truncated"])
        self.assertTrue(all(len(json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode()) <= 3000
                            for each in stream.all()))

    def test_bytes_that_are_no_text(self):
        line, _ = self.executed([b"true", b"\xff\xfe", b"\x1b[31m\"\\\n", "ünï".encode()])
        self.assertEqual(line["process"]["args"][1:], ["\ufffd\ufffd", '\x1b[31m"\\\n', "ünï"])
        self.assertIn("process.args", line["nsview"]["lossy"])

    def test_environment_only_by_name(self):
        environment = {"WANTED": "yes=1", "SECRET": "no", "PATH": os.environ["PATH"]}
        line, _ = self.executed(["true"], environment=environment)
        self.assertNotIn("env_vars", line["process"])
        line, _ = self.executed(["true"], ["--env", "WANTED,ABSENT"], environment)
        self.assertEqual(line["process"]["env_vars"], ["WANTED=yes=1"])


@nsview.requires_root
class Formats(unittest.TestCase):
    def test_text_is_a_line_for_people(self):
        process = subprocess.Popen([nsview.NSVIEW, "events", "--format", "text", "--types", "exec", "--count", "1",
                                    "--filter", "comm=true"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   text=True)

        def is_told():
            subprocess.run(["true", "forty-two"], check=True)
            time.sleep(0.2)
            return process.poll() is not None

        nsview.wait_until(is_told, seconds=events.START_SECONDS)
        said, _ = process.communicate()
        self.assertIn("true forty-two", said)

    def test_otel_has_names_of_otel(self):
        found = [line for line in lines("--format", "otel", "--snapshot", "--duration", "100ms")]
        self.assertTrue(any("process.pid" in json.dumps(line) for line in found))


@nsview.requires_root
class Times(unittest.TestCase):
    def test_an_event_has_the_time_at_which_it_was(self):
        with Stream() as stream:
            before = time.time_ns()
            process = subprocess.Popen(["true"])
            pid = events.Pid(process.pid)
            process.wait()
            after = time.time_ns()
            stream.settle()
            own = stream.of(pid)
        stamps = [line["@timestamp"] for line in own]
        for stamp in stamps:
            self.assertRegex(stamp, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        found = [events.time_ns(stamp) for stamp in stamps]
        slack = 10_000_000  # the offset of the boot clock is taken once a second, and slewed meanwhile
        self.assertTrue(all(before - slack <= stamp <= after + slack for stamp in found), (before, found, after))
        self.assertEqual(found, sorted(found))
