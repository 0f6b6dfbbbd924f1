# SPDX-License-Identifier: GPL-2.0-only
"""A program on a terminal that nobody draws: what it writes byte by byte, keys for it, and its settings."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from .patience import patience

SECONDS = patience(60)


class Pty:
    def __init__(self, *words, size=(120, 30), environment=None, errors=None):
        """environment: in ours' place; errors: a file for standard error, else the terminal has it too."""
        self.words = list(map(str, words))
        self.written = b""
        self.ours, self.theirs = pty.openpty()
        self.resize(*size)
        self.before = self.settings()
        self.process = subprocess.Popen(self.words, stdin=self.theirs, stdout=self.theirs, stderr=errors or self.theirs,
                                        start_new_session=True, env=environment,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, width, height):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("4H", height, width, 0, 0))

    def settings(self):
        return termios.tcgetattr(self.theirs)

    def is_as_before(self):
        return self.settings() == self.before

    def send(self, data):
        os.write(self.ours, data if isinstance(data, bytes) else data.encode())

    def text(self):
        return self.written.decode(errors="replace")

    def read(self, seconds):
        """What is written within that time; all of it is in written, too."""
        deadline, got = time.monotonic() + seconds, b""
        while select.select([self.ours], [], [], max(0, deadline - time.monotonic()))[0]:
            got += os.read(self.ours, 65536)
            if time.monotonic() > deadline:
                break
        self.written += got
        return got

    def fail(self, claim):
        raise AssertionError(f"{self.words}: {claim}: {self.text()[-4000:]!r}")

    def read_until(self, words):
        """Until they are in text(), which it gives."""
        deadline = time.monotonic() + SECONDS
        while words not in self.text():
            if time.monotonic() > deadline:
                self.fail(f"waited in vain for {words!r}")
            has_ended = self.process.poll() is not None
            if not self.read(0.05) and has_ended:
                self.fail(f"ended without {words!r}")
        return self.text()

    def read_quiet(self, seconds=0.3):
        """Until nothing more comes."""
        deadline = time.monotonic() + SECONDS
        while self.read(seconds):
            if time.monotonic() > deadline:
                self.fail("goes on writing")

    def forget(self):
        self.read(0.02)
        self.written = b""

    def wait_end(self):
        """Popen's return code; what it wrote until then is read."""
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.fail("does not end")
            self.read(0.02)
        while self.read(0):  # the kernel hands on all that was written before it tells that there is nothing
            pass
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self.ours, self.theirs):
            os.close(descriptor)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
