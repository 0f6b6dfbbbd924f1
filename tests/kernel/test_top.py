# SPDX-License-Identifier: GPL-2.0-only
"""nsview top: options, one frame, the end of it, and what it does without privileges or a terminal.
How it looks and what its keys do is tested in tests/tui."""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from nsview import NSVIEW, SECONDS, requires_outside, requires_root, run, wait_until

RECORDING = pathlib.Path(__file__).resolve().parent.parent / "replay/two.nsview"
NOBODY = 65534
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


class Terminal:
    """nsview on a terminal of its own: what it writes, without escapes, and keys for it."""

    def __init__(self, *words, size=(30, 120), environment=None, command=()):
        self.outer, self.inner = pty.openpty()
        fcntl.ioctl(self.outer, termios.TIOCSWINSZ, struct.pack("4H", *size, 0, 0))
        self.before = termios.tcgetattr(self.inner)
        self.errors = tempfile.TemporaryFile()
        environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **(environment or {})}
        self.process = subprocess.Popen([*command, NSVIEW, *words], stdin=self.inner, stdout=self.inner,
                                        stderr=self.errors, start_new_session=True, env=environment,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.raw = ""

    def type(self, text):
        os.write(self.outer, text.encode())

    def text(self):
        return ESCAPES.sub("", self.raw)

    def drain(self, seconds=0.02):
        """What it writes so long, and then has written."""
        deadline = time.monotonic() + seconds
        while select.select([self.outer], [], [], max(0, deadline - time.monotonic()))[0]:
            self.raw += os.read(self.outer, 65536).decode(errors="replace")
            if time.monotonic() > deadline:
                break

    def read_until(self, words):
        """What it wrote since the last forget()."""
        deadline = time.monotonic() + 20
        while words not in self.text():
            assert time.monotonic() < deadline, f"{words!r} is not in {self.text()!r}"
            is_over = self.process.poll() is not None
            self.drain(0.1)
            assert not is_over or words in self.text(), f"ended: {self.said()} {self.text()!r}"
        return self.text()

    def forget(self):
        self.drain()
        self.raw = ""

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def wait(self):
        deadline = time.monotonic() + 20
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text()
            self.drain()
        self.drain()
        return self.process.returncode

    def is_as_before(self):
        return termios.tcgetattr(self.inner) == self.before

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.outer)
        os.close(self.inner)
        self.errors.close()


class Once(unittest.TestCase):
    def test_a_busy_process_has_its_cpu_time_between_two_looks(self):
        with busy() as pid, open(f"/proc/{pid}/schedstat", encoding="ascii") as schedstat:
            def ran():
                schedstat.seek(0)
                return int(schedstat.read().split()[0]) / 1e9

            before, started = ran(), time.monotonic()
            text = run("top", "--once", "-d", "1", "-p", str(pid)).stdout
            share = 100 * (ran() - before) / (time.monotonic() - started)
            shown = float(re.search(r"\s(\d+(?:\.\d+)?)\s", row_of(text, pid).split(str(pid), 1)[1])[1])
            self.assertAlmostEqual(shown, share, delta=30)

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
            self.assertEqual(terminal.wait(), 3)
            self.assertIn("dumb", terminal.said())


class Live(unittest.TestCase):
    def open(self, *words, **options):
        terminal = Terminal(*words, **options)
        terminal.read_until("Help")
        return terminal

    def ends_well(self, terminal):
        self.assertEqual(terminal.wait(), 0)
        self.assertEqual(terminal.said(), "")
        self.assertTrue(terminal.is_as_before())

    def test_no_command_is_the_table_on_a_terminal_and_q_ends_it(self):
        with self.open() as terminal:
            terminal.type("q")
            self.assertEqual(terminal.wait(), 0)
            self.assertTrue(terminal.is_as_before())

    def test_control_c_and_signals_end_it(self):
        with self.open("top", "--source", "proc") as terminal:
            terminal.type("\x03")
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
            terminal.type("q")
            self.ends_well(terminal)
            wait_until(lambda: not [pid for pid in os.listdir("/proc") if pid.isdigit() and session_of(pid) == group])

    @requires_root
    def test_a_process_that_starts_is_there_with_the_next_frame(self):
        with self.open("top", "--filter", "comm=sleep and args~77131") as terminal:
            with subprocess.Popen(["sleep", "77131"]) as process:
                terminal.read_until(str(process.pid))
                process.kill()
            terminal.type("q")
            self.ends_well(terminal)

    @requires_root
    def test_cpu_time_is_of_the_last_frame_also_between_two_sweeps(self):
        with tempfile.TemporaryDirectory() as folder, busy() as pid, \
             self.open("top", "-d", "0.5", "-p", str(pid)) as terminal:
            shares = []
            for number in range(5):  # the sweeps are three seconds apart
                path = pathlib.Path(folder) / str(number)
                terminal.drain(0.6)
                terminal.type(f"w\x15{path}\r")
                wait_until(lambda: path.exists() and path.stat().st_size)  # pylint: disable=cell-var-from-loop
                shares.append(float(row_of(path.read_text(), pid).split(str(pid), 1)[1].split()[2]))
            self.assertTrue(all(1 < share < 150 for share in shares), shares)
            terminal.type("q")
            self.ends_well(terminal)

    def test_the_view_is_written_to_a_file_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder, self.open("top", "--source", "proc") as terminal:
            def write(path):
                terminal.forget()
                terminal.type("w\x15" + str(path) + "\r")

            path = pathlib.Path(folder) / "view.txt"
            write(path)
            terminal.read_until("written to")
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            self.assertIn(os.uname().nodename, path.read_text())
            # It asks before it takes another one's place, and goes through no link.
            path.write_text("mine")
            write(path)
            terminal.read_until("y/n")
            terminal.type("n")
            terminal.drain(0.3)
            self.assertEqual(path.read_text(), "mine")
            link = pathlib.Path(folder) / "link"
            link.symlink_to(path)
            write(link)
            terminal.read_until("y/n")
            terminal.type("y")
            terminal.read_until("cannot write")
            self.assertEqual(path.read_text(), "mine")
            write(path)
            terminal.read_until("y/n")
            terminal.type("y")
            terminal.read_until("written to")
            self.assertIn(os.uname().nodename, path.read_text())
            terminal.type("q")
            self.ends_well(terminal)

    def test_a_recording_plays_pauses_and_is_stepped_through(self):
        with tempfile.TemporaryDirectory() as folder, \
             self.open("top", "--replay", str(RECORDING), "--at", "+0") as terminal:
            def view(number):
                path = pathlib.Path(folder) / str(number)
                terminal.forget()
                terminal.type(f"w\x15{path}\r")
                wait_until(lambda: path.exists() and path.stat().st_size)
                return path.read_text()

            def pids(text):
                return [line.split()[1] for line in text.splitlines() if line.startswith(("  root", "  nobody"))]

            start = view(0)
            self.assertIn("paused", start)
            self.assertEqual(pids(start), ["32325", "32329"])
            terminal.type("\x1b[C" * 40)
            end = view(1)
            self.assertIn("at its end", end)
            self.assertIn("32378", pids(end))
            terminal.type("\x1b[D" * 40)
            self.assertEqual(pids(view(2)), pids(start))
            terminal.type("p")
            wait_until(lambda: pids(view(3 + time.monotonic_ns())) == pids(end))
            terminal.type("q")
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
            terminal.type("q")
            self.assertEqual(terminal.wait(), 0)


if __name__ == "__main__":
    unittest.main()
