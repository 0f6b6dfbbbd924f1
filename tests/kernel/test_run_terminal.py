# SPDX-License-Identifier: GPL-2.0-only
"""nsview run -t: the command has a terminal of its own, and nsview's is as it was afterwards."""

import contextlib
import os
import pathlib
import signal
import time
import unittest

from harness.ptys import Pty
from nsview import NSVIEW, SECONDS, children, kill, requires_root, run, wait_until


class Session(Pty):
    """nsview run on a terminal of 40 lines and 132 columns, which the test reads and types on."""

    def __init__(self, *words):
        super().__init__(NSVIEW, "run", *words, size=(132, 40))


@requires_root
class Terminal(unittest.TestCase):
    def test_it_is_of_the_containers_own_devpts(self):
        script = "tty; readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2; stat -c '%u %a %t' /dev/pts/0; "\
                 "ps -o pid=,tty=,sid=,tpgid= -p 1; test /dev/console -ef /dev/pts/0 || stat -c '%t' /dev/console"
        with Session("-it", "--user", "1000", "sh", "-c", script) as session:
            self.assertEqual(session.wait_end(), 0, session.text())
            lines = session.text().replace("\r", "").split("\n")
        self.assertEqual(lines[:5], ["/dev/pts/0"] * 4 + ["1000 620 88"])
        self.assertEqual(lines[5].split(), ["1", "pts/0", "1", "1"])

    def test_its_size_is_nsviews_from_the_start_and_follows_it(self):
        with Session("-it", "sh", "-c", "trap 'stty size; exit' WINCH; stty size; while :; do sleep .05; done") as session:
            session.read_until("40 132\r\n")
            session.resize(100, 50)
            session.read_until("50 100\r\n")
            self.assertEqual(session.wait_end(), 0)

    def test_what_is_typed_reaches_the_command_alone(self):
        """Raw outside: no echo of its own, no signal, no line to wait for."""
        with Session("-it", "sh", "-c", "stty -echo; echo ready; read line; echo got=$line") as session:
            session.read_until("ready")
            self.assertFalse(session.is_as_before())
            session.send("some words\r")
            session.read_until("got=some words\r\n")
            self.assertEqual(session.wait_end(), 0)
            self.assertNotIn("some words", session.text().replace("got=some words", ""))
            self.assertTrue(session.is_as_before())

    def test_ctrl_c_interrupts_inside(self):
        with Session("-it", "sh", "-c", "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep .05; done") as session:
            session.read_until("ready")
            session.send("\x03")
            self.assertEqual(session.wait_end(), 9)
            self.assertIn("interrupted", session.text())

    def test_the_exit_status_and_the_terminal_are_as_without(self):
        for script, status in (("exit 0", 0), ("exit 7", 7), ("kill -9 $$; exit 3", 3)):
            with self.subTest(script=script), Session("-it", "sh", "-c", script) as session:
                self.assertEqual(session.wait_end(), status)
                self.assertTrue(session.is_as_before())

    def test_all_that_was_written_last_comes_out(self):
        with Session("-t", "sh", "-c", "seq 20000") as session:
            self.assertEqual(session.wait_end(), 0)
            self.assertEqual(session.text().split(), [str(number) for number in range(1, 20001)])

    def test_term_is_set_as_docker_does(self):
        for options, term in (([], "xterm"), (["-e", "TERM=vt100"], "vt100")):
            with self.subTest(options=options), Session("-t", *options, "sh", "-c", "echo =$TERM=") as session:
                session.wait_end()
                self.assertIn(f"={term}=", session.text())

    def test_a_refusal_is_one_line_on_a_terminal_as_before(self):
        with Session("-it", "nosuchcommand") as session:
            self.assertEqual(session.wait_end(), 127)
            self.assertRegex(session.text(), r"\Ansview: [^\r\n]*\r\n\Z")
            self.assertTrue(session.is_as_before())

    def test_only_the_output_need_not_be_a_terminal(self):
        done = run("run", "-t", "sh", "-c", "tty; stty size")
        self.assertEqual((done.stdout, done.stderr), ("/dev/pts/0\n0 0\n", ""))  # \r\n, which text mode reads as \n

    def test_input_has_to_be_one(self):
        done = run("run", "-it", "true", check=1)
        self.assertRegex(done.stderr, r"\Ansview: the input device is not a TTY[^\n]*\n\Z")

    def test_detached_nobody_sees_it(self):
        name = f"nsview-terminal-{os.getpid()}"
        run("run", "-dit", "--name", name, "sh", "-c", "echo words; read line")
        try:
            time.sleep(0.1)
            self.assertIn(name, run("run", "--list").stdout)
        finally:
            run("run", "--stop", name)


@requires_root
class Killed(unittest.TestCase):
    def assert_restored(self, number):
        with Session("-it", "sh", "-c", "echo ready; sleep 300; :") as session:
            session.read_until("ready")
            wait_until(lambda: not session.is_as_before())
            pids = children(session.process.pid)
            session.process.send_signal(number)
            status = session.wait_end()
            wait_until(session.is_as_before)
            for pid in pids:
                wait_until(lambda pid=pid: not os.path.exists(f"/proc/{pid}") or "Z" in
                           pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3])
        return status

    def test_by_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(signal=number):
                self.assertEqual(self.assert_restored(number), 128 + number)

    def test_by_kill_9(self):
        """The keeper puts the terminal back: nsview cannot."""
        self.assertEqual(self.assert_restored(signal.SIGKILL), -signal.SIGKILL)

    def test_when_the_terminal_goes_away(self):
        session = Session("-it", "sh", "-c", "echo ready; sleep 300; :")
        session.read_until("ready")
        os.close(session.theirs)
        os.close(session.ours)
        try:
            self.assertGreater(session.process.wait(timeout=SECONDS), 0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                kill(session.process.pid)
            session.process.wait()

    def test_a_reader_that_reads_nothing_does_not_keep_it_from_ending(self):
        with Session("-t", "sh", "-c", "while :; do echo yes; done") as session:
            session.read_until("yes")
            time.sleep(0.3)  # until the terminal takes no more, mostly; it ends in any case
            session.process.terminate()
            self.assertEqual(session.process.wait(timeout=SECONDS), 128 + signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
