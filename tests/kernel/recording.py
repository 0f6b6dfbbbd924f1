# SPDX-License-Identifier: GPL-2.0-only
"""Makes recordings with `nsview events --record`, and reads them on another machine: other host name,
users, time zone, and no process to ask."""

import os
import pathlib
import select
import shlex
import struct
import subprocess
import time

import nsview

MARK = 12
MARK_SNAPSHOT, MARK_END = 1, 2

# Where the mounts are made is a mount namespace that ends with its process.
ELSEWHERE = """set -e
mount -t tmpfs -o mode=755 none /mnt
printf 'uid0else:x:0:0::/:/bin/sh\\nother:x:65534:65534::/:/bin/sh\\n' > /mnt/passwd
mount --bind /mnt/passwd /etc/passwd
mount -t tmpfs none /proc
[ ! -d /run/nsview ] || mount -t tmpfs none /run/nsview
hostname elsewhere
cd {folder}
export TZ=Asia/Kathmandu
exec "$@"
"""


def records(path):
    """(type, bytes) of each whole record."""
    data = pathlib.Path(path).read_bytes()
    at = struct.unpack_from("<I", data, 16)[0] if len(data) > 20 else len(data)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from("<IH", data, at)
        if size < 8 or at + size > len(data):
            break
        yield kind, data[at:at + size]
        at += size


def has_mark(path, wanted):
    return any(kind == MARK and struct.unpack_from("<I", record, 40)[0] == wanted
               for kind, record in records(path))


class Recorded:
    """`nsview events --record PATH WORDS`, while the `with` lasts; then lines is what it wrote."""

    def __init__(self, path, *words):
        self.path = str(path)
        self.words = words
        self.out = open(f"{path}.live", "w+b")
        self.said = open(f"{path}.said", "w+")

    def __enter__(self):
        command = [nsview.NSVIEW, "events", "--record", self.path, *self.words]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.said)
        try:
            nsview.wait_until(self.is_listening)
        except BaseException:
            self.end()
            raise
        return self

    def is_listening(self):
        if self.process.poll() is not None:
            self.said.seek(0)
            raise nsview.Failed(f"events ended with {self.process.returncode}: {self.said.read()}")
        return os.path.exists(self.path) and has_mark(self.path, MARK_SNAPSHOT)

    def end(self, signal=15):
        # What happens last may have been at most the time of one look at the ring ago.
        time.sleep(0.3)
        if self.process.poll() is None:
            self.process.send_signal(signal)
        self.process.wait(timeout=nsview.SECONDS)
        self.out.seek(0)
        self.lines = self.out.read()
        self.out.close()
        self.said.close()

    def __exit__(self, *_):
        self.end()


class Container:
    """`nsview run` of a shell that does what is written to it."""

    def __init__(self, name, *options):
        self.name = name
        self.command = [nsview.NSVIEW, "run", "-i", "--name", name, *options, "sh"]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.do("true")
        return self

    def do(self, words):
        self.process.stdin.write(f"{words}\necho done\n".encode())
        self.process.stdin.flush()
        said = b""
        while not said.endswith(b"done\n"):
            readable, _, _ = select.select([self.process.stdout], [], [], nsview.SECONDS)
            piece = os.read(self.process.stdout.fileno(), 4096) if readable else b""
            if not piece:
                raise nsview.Failed(f"{self.name} ended or hangs at {words}")
            said += piece

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=nsview.SECONDS)
        self.process.stdout.close()


def elsewhere(folder, *words):
    """nsview WORDS on another machine: its bytes."""
    command = ["unshare", "-m", "-u", "-p", "-f", "--propagation", "private", "sh", "-c",
               ELSEWHERE.format(folder=shlex.quote(str(folder))), "sh", nsview.NSVIEW, *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=nsview.SECONDS)
    if done.returncode:
        raise nsview.Failed(f"{words} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def here(*words):
    return nsview.run(*words, check=0, text=False, errors=None).stdout
