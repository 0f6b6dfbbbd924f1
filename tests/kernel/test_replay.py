# SPDX-License-Identifier: GPL-2.0-only
"""A recording shows what was shown when it was made, on any machine, and holds what was selected."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import events
import nsview
import procview
import recording
from events import get

# What a process is. Its use of the machine is as old as the last snapshot.
IDENTITY = ["container", "user", "pid", "in_user", "in_pid", "ppid", "in_ppid", "uid", "euid", "suid", "fsuid",
            "gid", "egid", "sgid", "fsgid", "in_uid", "in_euid", "in_gid", "in_egid", "groups", "caps", "eff",
            "prm", "inh", "bnd", "amb", "host_effective", "userns", "chain", "ns", "shared", "nnp", "securebits",
            "seccomp", "loginuid", "session", "cgroup", "id", "name", "image", "runtime", "declared", "drift",
            "comm", "args"]
SECRET = "a-word-of-a-process-that-was-not-selected"


def identities(output):
    rows = {row["pid"]: row for row in json.loads(output)}
    return {pid: {key: row[key] for key in IDENTITY} for pid, row in rows.items()}


def sleepers(name):
    """For how many seconds those in a container sleep; None: one of them is no more, and not yet gone."""
    rows = json.loads(recording.here("ps", "--json", "-c", name))
    if [row for row in rows if row["stat"].startswith("Z")]:
        return None
    return {int(row["args"][1]) for row in rows if row["args"] and row["args"][0] == "sleep"}


@nsview.requires_root
@nsview.requires_outside
class Replay(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nsview-replay-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "run.nsview"
        self.name = f"replay-{os.getpid()}-{self.id().rsplit('.', 1)[1][-16:]}"

    def events_of(self, container):
        """Of each kind that a user may cause."""
        container.do("sleep 0.01; (exec sleep 0.01)")
        container.do("id >/dev/null; sh -c 'exit 3'")
        subprocess.run(["unshare", "-U", "-r", "-p", "-f", "sh", "-c", "true; sleep 0.01"], check=True)
        subprocess.run(["unshare", "-m", "sleep", "0.01"], check=True)
        subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "sleep", "0.01"], check=True)

    def check_same_lines(self, *words):
        with recording.Recorded(self.path, *words) as recorded:
            with recording.Container(self.name) as container:
                self.events_of(container)
                time.sleep(0.3)  # long enough for the container to get its name
                self.events_of(container)
        self.assertTrue(recorded.lines.endswith(b"\n"), recorded.lines[-200:])
        again = recording.elsewhere(self.folder, "events", "--replay", str(self.path), *words)
        if again != recorded.lines:
            for one, other in zip(recorded.lines.splitlines(), again.splitlines()):
                self.assertEqual(one, other)
        self.assertEqual(again, recorded.lines)
        return recorded.lines.splitlines()

    def test_the_stream_is_the_live_one(self):
        lines = [json.loads(line) for line in self.check_same_lines("--snapshot")]
        actions = {line["event"]["action"] for line in lines}
        self.assertLessEqual({"snapshot", "fork", "exec", "exit", "namespaces_changed", "credentials_changed",
                              "container_started", "container_exited"}, actions)

    def test_the_stream_of_one_container_is_the_live_one(self):
        lines = [json.loads(line) for line in self.check_same_lines("-c", self.name, "--snapshot")]
        self.assertIn("exec", {line["event"]["action"] for line in lines})

    def test_the_stream_of_a_container_that_was_there_is_the_live_one(self):
        """With its first process's parent, which is not in the recording."""
        with recording.Container(self.name) as container:
            with recording.Recorded(self.path, "-c", self.name, "--snapshot") as recorded:
                container.do("sleep 0.01")
        lines = [json.loads(line) for line in recorded.lines.splitlines()]
        first, = [line["process"] for line in lines if line["event"]["action"] == "snapshot"
                  and get(line, "process", "vpid") == 1]
        self.assertIn("entity_id", first["parent"])
        self.assertNotIn(first["parent"]["pid"], [line["process"]["pid"] for line in lines if "process" in line])
        self.assertEqual(recording.elsewhere(self.folder, "events", "--replay", str(self.path), "--snapshot"),
                         recorded.lines)

    def test_the_stream_of_containers_is_the_live_one(self):
        self.check_same_lines("--containers")

    def test_the_stream_in_other_formats_is_the_live_one(self):
        self.check_same_lines("--format", "otel", "--types", "exec,exit,capabilities_changed,container_named")
        self.check_same_lines("--format", "text")

    def test_the_stream_of_an_expression_is_the_live_one(self):
        self.check_same_lines("--filter", "euid=65534 or caps~SYS_ADMIN")

    def test_the_table_is_as_it_was_at_each_moment(self):
        shown = []
        with recording.Container(self.name) as container:
            with recording.Recorded(self.path, "-c", self.name) as recorded:
                for words, sleeping in (
                        ("sleep 1000 & first=$!", {1000}),
                        ("setpriv --reuid=65534 --clear-groups sleep 1001 & all=$!", {1000, 1001}),
                        ("sh -c 'sleep 1002; true' & all=\"$all $!\"", {1000, 1001, 1002}),
                        ("kill $first; wait $first; setpriv --bounding-set -all sleep 1003 & all=\"$all $!\"",
                         {1001, 1002, 1003})):
                    container.do(words)
                    nsview.wait_until(lambda: sleepers(self.name) == sleeping)
                    shown.append((time.time(), recording.here("ps", "--json", "-c", self.name)))
                container.do("kill $all")
        del recorded
        for count, (moment, live) in enumerate(shown, 2):
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f"{moment % 1:.6f}Z"[1:]
            again = recording.elsewhere(self.folder, "ps", "--json", "--replay", str(self.path), "--at", at)
            again, live = identities(again), identities(live)
            self.assertEqual(sorted(again), sorted(live), at)
            for pid, row in live.items():
                self.assertEqual(again[pid], row, at)
            self.assertGreaterEqual(len(again), min(count, 4), at)

    def test_every_form_of_the_table_is_the_same_elsewhere(self):
        with recording.Container(self.name, "--user", "65534") as container, \
                recording.Recorded(self.path) as recorded:
            self.events_of(container)
        del recorded
        for words in ([], ["-ef"], ["--tree"], ["--json"], ["--ndjson"], ["--by", "container"], ["--by", "user"],
                      ["--inside", self.name], ["--inside", self.name, "-ef"], ["--both", self.name],
                      ["-o", "pid,user,start,exe,cwd,cpu-limit,groups", "--sort", "-rss"], ["-u", "root"],
                      ["--filter", "start > 00:00 or user=root"]):
            with self.subTest(words=words):
                command = ["ps", *words, "--replay", str(self.path)]
                shown = recording.here(*command)
                self.assertGreater(shown.count(b"\n"), 1)
                self.assertEqual(recording.elsewhere(self.folder, *command), shown)
        table = recording.elsewhere(self.folder, "ps", "--replay", str(self.path))
        self.assertNotIn(b"uid0else", table)  # who is uid 0 on the other machine

    def test_a_container_is_shown_from_inside_as_it_was(self):
        """By its own time zone, users and clock, which the other machine does not have."""
        block = b"TZif2" + bytes(31) + b"\0\0\0\1" + b"\0\0\0\1" + bytes(7)
        zone = self.folder / "localtime"
        zone.write_bytes(2 * block + b"\n<-04>4:07\n")
        options = ["-v", f"{zone}:/etc/localtime:ro", "--user", "65534"]
        with recording.Container(self.name, *options) as container, \
                recording.Recorded(self.path, "-c", self.name) as recorded:
            container.do("true")
            live = recording.here("ps", "--inside", self.name)
        del recorded
        again = recording.elsewhere(self.folder, "ps", "--inside", self.name, "--replay", str(self.path),
                                    "--at", "+0")
        words = [line.split() for line in again.decode().splitlines()]
        expected = [line.split() for line in live.decode().splitlines()]
        self.assertEqual(words[0], expected[0])
        self.assertEqual([words[1][0], words[1][1], words[1][8], words[1][10]],
                         [expected[1][0], expected[1][1], expected[1][8], expected[1][10]])

    def test_what_was_not_selected_is_not_in_the_file(self):
        with recording.Container(f"other-{self.name}"[:60]) as other, \
                recording.Container(self.name) as container, \
                recording.Recorded(self.path, "-c", self.name) as recorded:
            other.do("sleep 0.01")
            rows = json.loads(recording.here("ps", "--json", "-c", other.name))
            subprocess.run(["sh", "-c", f"sleep 0.05; : {SECRET}"], env={**os.environ, "WORD": SECRET}, check=True)
            subprocess.run(["unshare", "-p", "-f", "sh", "-c", f"true; : {SECRET}"], check=True)
            container.do("sleep 0.01")
        del recorded
        data = self.path.read_bytes()
        self.assertTrue(rows)
        for word in (SECRET, other.name, rows[0]["id"]):
            self.assertNotIn(word.encode(), data)
        rows = json.loads(recording.here("ps", "--json", "--replay", str(self.path)))
        self.assertEqual({row["container"] for row in rows}, {self.name})
        events = [json.loads(line) for line in recording.here("events", "--replay", str(self.path)).splitlines()]
        self.assertEqual({event["container"]["name"] for event in events if "process" in event}, {self.name})
        self.assertIn(["sleep", "0.01"], [event["process"]["args"] for event in events if "process" in event])

    def test_a_recording_can_be_cut_to_one_container(self):
        with recording.Container(self.name) as container, recording.Recorded(self.path) as recorded:
            self.events_of(container)
        del recorded
        cut = self.folder / "cut.nsview"
        whole = recording.here("events", "--replay", str(self.path), "-c", self.name, "--record", str(cut))
        self.assertIn(b'"exec"', whole)
        again = recording.elsewhere(self.folder, "events", "--replay", str(cut), "-c", self.name)
        self.assertEqual(again, whole)
        self.assertLess(cut.stat().st_size, self.path.stat().st_size / 2)

    def test_one_killed_while_it_records_leaves_what_is_whole(self):
        recorded = recording.Recorded(self.path)
        with recorded:
            subprocess.run(["true"], check=True)
            time.sleep(0.5)
            recorded.process.send_signal(signal.SIGKILL)
            recorded.process.wait()
        self.assertEqual(os.stat(self.path).st_mode & 0o7777, 0o600)
        done = nsview.run("events", "--replay", str(self.path))
        self.assertIn('"exec"', done.stdout)
        self.assertIn("has no end", done.stderr)
        with open(self.path, "r+b") as file:
            file.truncate(os.stat(self.path).st_size - 5)
        self.assertIn("has no end", nsview.run("ps", "--replay", str(self.path)).stderr)

    def test_a_full_disk_is_said(self):
        """A limit on the size of files, which is met as a full disk is: in the middle of a write."""
        words = f"ulimit -f 400; exec {nsview.NSVIEW} events --record {self.path}"
        shell = subprocess.Popen(["sh", "-c", words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        nsview.wait_until(lambda: self.path.exists() and recording.has_mark(self.path, recording.MARK_SNAPSHOT))
        deadline = time.monotonic() + nsview.SECONDS / 2
        while self.path.stat().st_size < 400 * 512 - 4096 and time.monotonic() < deadline:
            subprocess.run(["true"], check=True)
        for _ in range(50):
            subprocess.run(["true"], check=True)
        shell.terminate()
        said = shell.communicate(timeout=nsview.SECONDS)[1]
        self.assertEqual(shell.returncode, 1, said)
        self.assertIn(f"write the recording {self.path}", said.splitlines()[0])  # at once
        self.assertRegex(said.splitlines()[-1], rf"\d+ of the \d+ records of {self.path}")
        done = nsview.run("events", "--replay", str(self.path))
        # The end is small: where it still fits behind the last whole record, it tells how many are missing.
        has_end = recording.has_mark(self.path, recording.MARK_END)
        self.assertIn("records could not be written" if has_end else "has no end", done.stderr)
        self.assertTrue(done.stdout.endswith("\n"))

    TABLE = ["uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid", "eff", "prm", "inh", "bnd", "amb", "userns",
             "chain", "ns", "cgroup"]

    def table(self, *words):
        """{pid: (start, what hooks tell of)}; of those that have ended and wait for their parent nothing is known."""
        rows = json.loads(recording.here("ps", "--json", *words))
        return {row["pid"]: (events.time_ns(row["start"]), {key: row[key] for key in self.TABLE}) for row in rows
                if not (row["stat"] or "").startswith("Z")}

    @staticmethod
    def difference(one, other):
        """{} or {column: (of one, of the other)}."""
        if not other or abs(one[0] - other[0]) >= events.SAME_NS:
            return {"start": (one[0], other and other[0])}
        return {key: (value, other[1][key]) for key, value in one[1].items() if other[1][key] != value}

    def test_after_a_storm_the_table_is_a_new_snapshot(self):
        actors = [events.Actor() for _ in range(5)]
        self.addCleanup(lambda: [actor.end() for actor in actors])
        with recording.Recorded(self.path) as recorded:
            storm = events.Storm("mixed", 2, self.folder / "program")
            storm.go()
            for number, actor in enumerate(actors):
                actor.do("setresgid", 4, 5, 6)
                actor.do("unshare", events.CLONE["uts"] | events.CLONE["net"])
                actor.fork("clone3", events.CLONE["user"] if number % 2 else 0)
                actor.do("capset", 0, 0, 0)
            storm.result()
            before = self.table()
        after, shown = self.table(), self.table("--replay", str(self.path))
        del recorded
        same = {pid: row for pid, row in before.items() if not self.difference(row, after.get(pid))}
        self.assertLessEqual({actor.pid for actor in actors}, set(same))
        wrong = {pid: self.difference(row, shown.get(pid)) for pid, row in same.items()}
        self.assertEqual({pid: columns for pid, columns in wrong.items() if columns}, {})

    def refuse(self, exit_code, words, *command):
        done = nsview.run(*command, check=exit_code)
        self.assertIn(words, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_what_is_no_recording_is_refused_in_a_sentence(self):
        letter = self.folder / "letter"
        letter.write_text("Dear Sir or Madam,\n")
        for command in ("ps", "events"):
            self.refuse(1, "is not a recording", command, "--replay", str(letter))
            self.refuse(1, "No such file", command, "--replay", str(self.path))
            self.refuse(1, "no regular file", command, "--replay", "/dev/null")
            self.refuse(2, "--replay", command, "--at", "12:00")
        self.refuse(1, "no recording", "events", "--duration", "1s", "--record", str(letter))
        self.assertEqual(letter.read_text(), "Dear Sir or Madam,\n")

    def test_what_each_hook_saw_is_counted_again(self):
        with recording.Recorded(self.path, "--stats") as recorded:
            subprocess.run(["true"], check=True)
        del recorded
        live = pathlib.Path(f"{self.path}.said").read_text()
        again = nsview.run("events", "--replay", str(self.path), "--stats").stderr

        def seen(said):
            lines = [line.split() for line in said.splitlines() if " seen " in line]
            return {words[0]: words[3] for words in lines if words[0] != "nsview:" and words[3] != "0,"}

        self.assertIn("exec", seen(live))
        self.assertEqual(seen(again), seen(live))

    def test_a_moment_outside_the_recording_is_a_bad_value(self):
        with recording.Recorded(self.path) as recorded:
            pass
        del recorded
        for word in ("2001-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "+86400", "noon"):
            self.refuse(2, word, "ps", "--replay", str(self.path), "--at", word)
        self.refuse(2, "--source", "ps", "--replay", str(self.path), "--source", "proc")


if __name__ == "__main__":
    unittest.main()
