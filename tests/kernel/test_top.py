# SPDX-License-Identifier: GPL-2.0-only
"""nsview top: options, one frame, the end of it, and what it does without privileges or a terminal.
How it looks and what its keys do is tested in tests/tui."""

import contextlib
import itertools
import os
import pathlib
import re
import signal
import stat
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import recording
from harness.ptys import Pty
from nsview import NSVIEW, SECONDS, requires_outside, requires_root, run, wait_until

RECORDING = pathlib.Path(__file__).resolve().parent.parent / "replay/two.nsview"
NOBODY = 65534
GAP, HOOKS = 7, 13  # bpf/event.h: enum record_type, enum hook_id
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x0e\x0f]")


def top(*words, **options):
    return run("top", "--once", "-d", "0.2", *words, **options)


@contextlib.contextmanager
def busy():
    """A process that does nothing but take CPU time."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def time_of(record):
    """Of any that has one: it stands right behind the header."""
    return struct.unpack_from("<Q", record, 8)[0]


def row_of(text, pid):
    rows = [line for line in text.splitlines() if re.search(rf"\b{pid}\b", line)]
    return rows[0] if rows else None


def session_of(pid):
    """None: it has ended."""
    try:
        state, _, _, session = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:4]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(session)


class Terminal(Pty):
    """nsview on a terminal of its own: what it writes, without escapes."""

    def __init__(self, *words, environment=None, command=()):
        self.errors = tempfile.TemporaryFile()
        super().__init__(*command, NSVIEW, *words, errors=self.errors,
                         environment={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **(environment or {})})

    def text(self):
        return ESCAPES.sub("", super().text())

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def has_open(self, path):
        return any(os.path.realpath(link) == str(path) for link in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir())

    def view(self, path, keys=""):
        """What `w` writes there, which is no file yet, typed at once behind the keys."""
        self.send(f"{keys}w\x15{path}\r")
        wait_until(lambda: path.exists() and path.stat().st_size and not self.has_open(path))
        return path.read_text()

    def close(self):
        super().close()
        self.errors.close()


@contextlib.contextmanager
def shares_of_a_second(pid):
    """The least and the most CPU time, in percent, that it had in any second of the block, which are there after it."""
    samples, shares, is_over = [], [], threading.Event()

    def look():
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as schedstat:
            while not is_over.wait(0.02):
                schedstat.seek(0)
                samples.append((time.monotonic(), int(schedstat.read().split()[0]) / 1e9))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield shares
    finally:
        is_over.set()
        thread.join()
    for start, ran in samples:
        later = next(((when, had) for when, had in samples if when >= start + 0.95), None)
        if later:
            shares.append(100 * (later[1] - ran) / (later[0] - start))


class Once(unittest.TestCase):
    def test_a_busy_process_has_its_cpu_time_between_two_looks(self):
        with busy() as pid:
            with shares_of_a_second(pid) as shares:
                text = run("top", "--once", "-d", "1", "-p", str(pid)).stdout
            shown = float(re.search(r"\s(\d+(?:\.\d+)?)\s", row_of(text, pid).split(str(pid), 1)[1])[1])
        self.assertGreater(shown, min(shares) - 15)
        self.assertLess(shown, max(shares) + 15)

    def test_only_what_is_selected_is_shown(self):
        with busy() as one, busy() as other:
            text = top("-p", str(one)).stdout
            self.assertTrue(row_of(text, one))
            self.assertFalse(row_of(text, other))
            text = top("--filter", f"pid={other}").stdout
            self.assertTrue(row_of(text, other))
            self.assertFalse(row_of(text, one))

    def test_it_ends_with_the_frame_and_writes_no_escape(self):
        done = top()
        self.assertNotIn("\x1b", done.stdout)
        self.assertIn(os.uname().nodename, done.stdout.splitlines()[0])
        self.assertEqual(done.stderr, "")

    def test_the_width_is_what_columns_says(self):
        done = top(env={**os.environ, "COLUMNS": "70"})
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 70)

    def test_a_recording_is_shown_as_at_its_end_or_at_a_moment(self):
        text = top("--replay", str(RECORDING)).stdout
        self.assertTrue(row_of(text, 32378), text)
        text = top("--replay", str(RECORDING), "--at", "+0").stdout
        self.assertFalse(row_of(text, 32378), text)
        self.assertTrue(row_of(text, 32325), text)

    def test_what_was_lost_is_counted_for_whatever_reason(self):
        ring_full, skipped, output = 0, 1, 2  # enum gap_reason
        with tempfile.NamedTemporaryFile() as file:
            found = list(recording.records(RECORDING))
            data = RECORDING.read_bytes()
            header = data[:len(data) - sum(len(record) for _, record in found)]
            gaps = [struct.pack("<IHHQQQII", 40, GAP, 0, time_of(found[-1][1]), first, last, reason, hook) for
                    first, last, reason, hook in ((100, 106, ring_full, 0), (110, 114, skipped, 1), (120, 122, output, HOOKS))]
            file.write(header + b"".join(record for _, record in found[:-1]) + b"".join(gaps) + found[-1][1])
            file.flush()
            self.assertRegex(top("--replay", file.name).stdout.splitlines()[1], r" 15 lost\b")
            with Terminal("top", "--replay", file.name, "--at", "+0") as terminal, tempfile.TemporaryDirectory() as folder:
                terminal.read_until("Help")
                terminal.send("\x1b[C" * 40)
                text = terminal.view(pathlib.Path(folder) / "view")
        self.assertRegex(text.splitlines()[1], r" 15 lost\b")
        for number in (7, 5, 3):
            self.assertRegex(text, rf"(?m)^\d\d:\d\d:\d\d LOST .* {number} events are missing")

    def test_a_reader_that_has_gone_is_no_failure(self):
        done = subprocess.run(f"{NSVIEW} top --once -d 0.1 | true; exit ${{PIPESTATUS[0]}}", shell=True,
                              executable="/bin/bash", capture_output=True, timeout=SECONDS, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))


class Mistakes(unittest.TestCase):
    def refuses(self, *words, status=2, said=()):
        done = run("top", *words, check=status)
        self.assertEqual(done.stdout, "")
        for word in said:
            self.assertIn(word, done.stderr)

    def test_each_is_a_sentence(self):
        for delay in ("0", "-1", "x", "", "1s", "nan", "1e9"):
            self.refuses("--once", "-d", delay, said=["-d takes seconds"])
        self.refuses("--once", "web", said=["web", "-c"])
        self.refuses("--once", "--at", "+0", said=["--replay"])
        self.refuses("--once", "--filter", "eff~", said=["filter", "^"])
        self.refuses("--once", "--source", "x", said=["bpf", "proc"])
        self.refuses("--once", "--user", "nobody-at-all", said=["nobody-at-all"])

    def test_what_is_not_there_is_a_failure(self):
        self.refuses("--once", "-p", "4194303", status=1, said=["4194303"])
        self.refuses("--once", "-c", "no-such-container", status=1, said=["no-such-container"])
        self.refuses("--once", "--replay", "/no/such/file", status=1, said=["/no/such/file"])

    def test_without_a_terminal_it_says_what_to_do(self):
        self.refuses(status=3, said=["terminal", "--once", "nsview ps"])

    def test_no_command_is_ps_into_a_pipe(self):
        lines = run().stdout.splitlines()
        self.assertEqual(lines[0].split()[:4], ["CONTAINER", "USER", "PID", "IN-USER"])

    def test_a_terminal_that_cannot_place_text_is_refused(self):
        with Terminal("top", "--source", "proc", environment={"TERM": "dumb"}) as terminal:
            self.assertEqual(terminal.wait_end(), 3)
            self.assertIn("dumb", terminal.said())


class Live(unittest.TestCase):
    def open(self, *words, **options):
        terminal = Terminal(*words, **options)
        terminal.read_until("Help")
        return terminal

    def ends_well(self, terminal):
        self.assertEqual(terminal.wait_end(), 0)
        self.assertEqual(terminal.said(), "")
        self.assertTrue(terminal.is_as_before())

    def test_no_command_is_the_table_on_a_terminal_and_q_ends_it(self):
        with self.open() as terminal:
            terminal.send("q")
            self.assertEqual(terminal.wait_end(), 0)
            self.assertTrue(terminal.is_as_before())

    def test_control_c_and_signals_end_it(self):
        with self.open("top", "--source", "proc") as terminal:
            terminal.send("\x03")
            self.ends_well(terminal)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.open("top", "--source", "proc") as terminal:
                terminal.process.send_signal(number)
                self.ends_well(terminal)

    @requires_root
    def test_with_events_it_ends_as_well_and_no_process_of_it_stays(self):
        with self.open("top") as terminal:
            terminal.read_until("events/s")
            group = terminal.process.pid
            terminal.send("q")
            self.ends_well(terminal)
            wait_until(lambda: not [pid for pid in os.listdir("/proc") if pid.isdigit() and session_of(pid) == group])

    @requires_root
    def test_a_process_that_starts_is_there_with_the_next_frame(self):
        with self.open("top", "--filter", "comm=sleep and args~77131") as terminal:
            with subprocess.Popen(["sleep", "77131"]) as process:
                terminal.read_until(str(process.pid))
                process.kill()
            terminal.send("q")
            self.ends_well(terminal)

    @requires_root
    def test_cpu_time_is_of_the_last_frame_also_between_two_sweeps(self):
        with tempfile.TemporaryDirectory() as folder, busy() as pid, \
             self.open("top", "-d", "0.5", "-p", str(pid)) as terminal:
            shares = []
            for number in itertools.count():  # the sweeps are three seconds apart
                share = row_of(terminal.view(pathlib.Path(folder) / str(number)), pid).split(str(pid), 1)[1].split()[2]
                shares += [float(share)] if share != "?" else []  # as in the first frame
                if len(shares) == 7:
                    break
                terminal.read(0.6)
            # On a busy machine one frame is late and the next one short: it may have had nothing in that.
            self.assertTrue(1 < statistics.median(shares) < 150, shares)
            terminal.send("q")
            self.ends_well(terminal)

    def test_the_view_is_written_to_a_file_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder, self.open("top", "--source", "proc") as terminal:
            def write(path):
                terminal.forget()
                terminal.send("w\x15" + str(path) + "\r")

            path = pathlib.Path(folder) / "view.txt"
            write(path)
            terminal.read_until("written to")
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            self.assertIn(os.uname().nodename, path.read_text())
            # It asks before it takes another one's place, and goes through no link.
            path.write_text("mine")
            write(path)
            terminal.read_until("y/n")
            terminal.send("n")
            terminal.read_until("Quit")  # the question has gone: the next one like it is written anew
            self.assertEqual(path.read_text(), "mine")
            link = pathlib.Path(folder) / "link"
            link.symlink_to(path)
            write(link)
            terminal.read_until("y/n")
            terminal.send("y")
            terminal.read_until("cannot write")
            self.assertEqual(path.read_text(), "mine")
            write(path)
            terminal.read_until("y/n")
            terminal.send("y")
            terminal.read_until("written to")
            self.assertIn(os.uname().nodename, path.read_text())
            terminal.send("q")
            self.ends_well(terminal)

    def test_a_recording_plays_pauses_and_is_stepped_through(self):
        with tempfile.TemporaryDirectory() as folder, \
             self.open("top", "--replay", str(RECORDING), "--at", "+0") as terminal:
            def view(number, keys=""):
                return terminal.view(pathlib.Path(folder) / str(number), keys)

            def pids(text):
                return [line.split()[1] for line in text.splitlines() if line.startswith(("  root", "  nobody"))]

            start = view(0)
            self.assertIn("paused", start)
            self.assertEqual(pids(start), ["32325", "32329"])
            end = view(1, "\x1b[C" * 5)
            self.assertIn("at its end", end)
            self.assertIn("32378", pids(end))
            terminal.send("\x1b[D" * 40)
            self.assertEqual(pids(view(2)), pids(start))
            terminal.send("p")
            wait_until(lambda: pids(view(3 + time.monotonic_ns())) == pids(end))
            terminal.send("q")
            self.ends_well(terminal)


@requires_root
@requires_outside
class Unprivileged(unittest.TestCase):
    def as_nobody(self, *words, check=0):
        return run(*words, check=check, user=NOBODY, group=NOBODY, extra_groups=[])

    def test_it_shows_what_proc_tells_and_says_so_in_one_line(self):
        done = self.as_nobody("top", "--once", "-d", "0.1")
        self.assertIn("from /proc", done.stdout)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("nsview doctor", done.stderr)

    def test_asked_for_the_kernel_it_refuses(self):
        done = self.as_nobody("top", "--once", "--source", "bpf", check=3)
        self.assertIn("nsview doctor", done.stderr)

    def test_on_a_terminal_it_says_so_there(self):
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        with Terminal("top", command=command) as terminal:
            terminal.read_until("from /proc")
            terminal.read_until("root, or")
            terminal.send("q")
            self.assertEqual(terminal.wait_end(), 0)


if __name__ == "__main__":
    unittest.main()
