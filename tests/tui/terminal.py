# SPDX-License-Identifier: GPL-2.0-only
"""A real terminal to look at: tmux draws what the program writes, and types what a test sends.

    with Terminal(NSVIEW, "top", "--containers", size=(120, 30)) as terminal:
        terminal.wait_for("F10 Quit")
        terminal.send("F1")

Each has a tmux server of its own, by a socket of its own, which is ended by its pid."""

import contextlib
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import nsview
from harness import ptys

SETTINGS = """
set -g default-terminal %s
set -s escape-time 0
set -g status off
set -g remain-on-exit on
set -g history-limit 0
set -g prefix None
"""
needs_tmux = unittest.skipUnless(shutil.which("tmux"), "no tmux: make setup installs it")


class Terminal:
    def __init__(self, *words, size=(120, 30), term="tmux-256color", environment=None, shell=False):
        """words: the command; shell: they are typed by the test into a bash that was started."""
        self.words = ["bash", "--norc", "--noprofile", "-i"] if shell else list(words)
        self.size = size
        self.term = term
        self.environment = {
            "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/", "PS1": "ready$ ",
            "HISTFILE": "/dev/null", **{name: os.environ[name] for name in ("TZ", "ASAN_OPTIONS") if name in os.environ},
            **(environment or {}),
        }
        self.server = None

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nsview-tmux-"))
        (self.folder / "settings").write_text(SETTINGS % self.term)
        width, height = self.size
        started = ["env", "-i", *(f"{name}={value}" for name, value in self.environment.items()),
                   f"TERM={self.term}", *map(str, self.words)]
        try:
            self.tmux("new-session", "-d", "-x", str(width), "-y", str(height), *started)
            self.server = int(self.ask("pid"))
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *error):
        self.end()

    def end(self):
        if self.server:
            # The program in the pane gets a hangup from it.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.server, signal.SIGTERM)
            nsview.wait_until(lambda: not os.path.exists(f"/proc/{self.server}/ns/pid") or is_zombie(self.server))
        for name in ("settings", "socket"):
            (self.folder / name).unlink(missing_ok=True)
        self.folder.rmdir()

    def tmux(self, *words, check=True):
        command = ["tmux", "-S", str(self.folder / "socket"), "-f", str(self.folder / "settings"), *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ptys.SECONDS,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": self.term})
        if check and done.returncode:
            raise nsview.Failed(f"tmux {words}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="replace")

    def ask(self, name):
        """What tmux calls name: pane_pid, cursor_x, alternate_on, ..."""
        return self.tmux("display-message", "-p", "#{%s}" % name).rstrip("\n")

    @property
    def pid(self):
        return int(self.ask("pane_pid"))

    def send(self, *keys):
        """By tmux's names: F1, Enter, Up, C-c."""
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def resize(self, width, height):
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def lines(self):
        """What it shows, one string a line, without trailing blanks."""
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").split("\n")[:-1]]

    def text(self):
        return "\n".join(self.lines())

    def styled(self):
        """The same with the sequences that colour it."""
        return self.tmux("capture-pane", "-p", "-e")

    @staticmethod
    def reversed_of(lines):
        """Numbers of those of styled() that begin with a character in reverse video."""
        found, is_reversed = [], False
        for number, line in enumerate(lines):
            at_start = True
            for code, character in re.findall(r"\x1b\[([\d;]*)m|([^\x1b])", line):
                if character:
                    found += [number] if at_start and is_reversed else []
                    at_start = False
                for word in code.split(";") if not character else ():
                    is_reversed = word == "7" or (is_reversed and word not in ("", "0", "27"))
        return found

    def wait(self, claim, seconds=ptys.SECONDS):
        """claim(lines), until it gives something true, which it returns. A screen that is just being drawn
        is none: another look has to show the same."""
        deadline = time.monotonic() + seconds
        for turn in itertools.count(1):
            has_ended = turn % 20 == 0 and self.ask("pane_dead") == "1"
            lines = self.lines()
            if (result := claim(lines)) and lines == self.lines():
                return result
            if has_ended or time.monotonic() > deadline:
                ended = f" (the program has ended: {self.wait_end(1)})" if has_ended else ""
                raise nsview.Failed(f"waited in vain{ended}; this is on the screen:\n" + "\n".join(lines).rstrip())
            time.sleep(0.05)

    def wait_for(self, pattern, seconds=ptys.SECONDS):
        return self.wait(lambda lines: re.search(pattern, "\n".join(lines), re.M), seconds)

    def wait_gone(self, pattern, seconds=ptys.SECONDS):
        self.wait(lambda lines: not re.search(pattern, "\n".join(lines), re.M), seconds)

    def wait_end(self, seconds=ptys.SECONDS):
        """The program's exit status, or 128 + signal, once it has ended."""
        nsview.wait_until(lambda: self.ask("pane_dead") == "1", seconds)
        return int(self.ask("pane_dead_status") or 0) or 128 + int(self.ask("pane_dead_signal") or -128)


def is_zombie(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return True
    return text[text.rindex(")") + 2] in "ZX"


class Pty(ptys.Pty):
    """A bare one that nobody draws, for what is written to it byte by byte."""

    def __init__(self, *words, size=(120, 30), environment=None):
        super().__init__(*words, size=size, environment={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                                                         "TERM": "xterm-256color", **(environment or {})})
