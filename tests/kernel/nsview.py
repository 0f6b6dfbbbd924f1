# SPDX-License-Identifier: GPL-2.0-only
"""Runs nsview, and processes for it to look at."""

import contextlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import tempfile
import time
import unittest

import procview
from harness.patience import patience

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
NSVIEW = os.environ.get("NSVIEW", str(BUILD / "nsview"))
SUBJECT = str(BUILD / "tests/kernel/subject")
SECONDS = patience(60)
# For a container. Its standard library is all that is used: to look for more takes an emulated processor half a second.
PYTHON = ("python3", "-I", "-S")

requires_root = unittest.skipIf(os.geteuid() != 0, "needs root")
requires_outside = unittest.skipUnless(procview.is_outside(), "the tests run in a namespace of their own")


class Failed(AssertionError):
    pass


def run(*words, check=0, command=None, **options):
    """nsview WORDS: a CompletedProcess with text; check is the exit status it must have, or None."""
    command = [*(command or []), NSVIEW, *words]
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
               "timeout": SECONDS, "text": True, "errors": "surrogateescape", **options}
    done = subprocess.run(command, **options)
    if check is not None and done.returncode != check:
        raise Failed(f"{' '.join(map(repr, command))} ended with {done.returncode}, not {check}\n"
                     f"{done.stderr}{(done.stdout or '')[:2000]}")
    return done


def ps(*words, source="bpf", **options):
    """{pid: row} of nsview ps --json."""
    rows = json.loads(run("ps", "--json", "--source", source, *words, **options).stdout)
    return {row["pid"]: row for row in rows}


@contextlib.contextmanager
def without_libarchive():
    """A copy of nsview that asks for a library by a name that none has."""
    with tempfile.TemporaryDirectory(prefix="nsview-copy-") as folder:
        program = pathlib.Path(folder, "nsview")
        whole = pathlib.Path(NSVIEW).read_bytes()
        program.write_bytes(whole.replace(b"libarchive.so.", b"no-archive.so."))
        program.chmod(0o755)
        yield str(program)


def pids_where(claim):
    """Of the processes whose arguments, as /proc/PID/cmdline has them, are what is claimed."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
            if claim(file.read()):
                found.append(int(name))
    return found


def marked(mark):
    """Pids of processes with the mark among their arguments: of a container, nsview's and the keeper's."""
    return pids_where(lambda arguments: mark.encode() in arguments)


def children(pid):
    """Host pids of the children of pid, oldest first. Many wait with it: no objects for a file of each process."""
    found, wanted = [], str(pid).encode()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                 open(f"/proc/{name}/stat", "rb", buffering=0) as file:
                text = file.read(4096)
                fields = text[text.rindex(b")") + 2:].split(None, 20)
                if fields[1] == wanted:
                    found.append((int(fields[19]), int(name)))
    return [child for _, child in sorted(found)]


def descendants(pid):
    """pid, its first child, that one's first child and so on."""
    line = [pid]
    while below := children(line[-1]):
        line.append(below[0])
    return line


class Subject:
    """`subject STEPS... hold EXTRA...`, ready when made. pids is the line of processes that its
    steps made, pid the last of them: the one that took all steps."""

    def __init__(self, *steps, extra=(), command=(), last="hold", **options):
        words = [step if isinstance(step, bytes) else str(step) for step in steps]
        words += ([last] if last else []) + list(extra)
        self.process = subprocess.Popen([*command, SUBJECT, *words], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, **options)
        try:
            self.wait_ready()
        except BaseException:
            self.end()
            raise
        self.pids = descendants(self.process.pid)
        self.pid = self.pids[-1]

    def wait_ready(self):
        said = b""
        while not said.endswith(b"ready\n"):
            readable, _, _ = select.select([self.process.stdout], [], [], SECONDS)
            piece = os.read(self.process.stdout.fileno(), 4096) if readable else b""
            if not piece:
                raise Failed(f"the subject said {said.decode(errors='replace')!r}, not ready")
            said += piece

    def end(self):
        self.process.stdin.close()
        reap(self.process, 2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def reap(process, seconds):
    """Waits for a child with a pipe that has been told to end; one that does not is made to."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def held_programs(pid):
    """The BPF programs that a process holds, by their numbers."""
    return held(pid, "prog_id")


def held_maps(pid):
    return held(pid, "map_id")


def held(pid, kind):
    found = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for place in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # closed meanwhile
                found.update(map(int, re.findall(rf"^{kind}:\s*(\d+)", place.read_text(), re.M)))
    return found


def bpftool(*words):
    """What it says in JSON."""
    return subprocess.run(["bpftool", "-j", *words], capture_output=True, check=True,
                          env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}).stdout


def loaded_programs():
    """All that the kernel has."""
    return {program["id"] for program in json.loads(bpftool("prog", "show"))}


def wait_until(claim, seconds=SECONDS):
    deadline = time.monotonic() + seconds
    while not (result := claim()):
        if time.monotonic() > deadline:
            raise Failed("waited in vain")
        time.sleep(0.02)
    return result


class Launched:
    """A command that makes a container, as `nsview run` does: gives the host pid of the first
    process with a pid namespace of its own, once that has executed its command."""

    def __init__(self, command):
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE)
        try:
            return wait_until(self.find)
        except BaseException:
            self.__exit__()
            raise

    def find(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.command} ended: {self.process.stderr.read().decode(errors='replace')}")
        own = os.readlink(f"/proc/{self.process.pid}/exe")
        for pid in descendants(self.process.pid)[1:]:
            with contextlib.suppress(OSError):
                is_inside = os.stat(f"/proc/{pid}/ns/pid").st_ino != os.stat("/proc/self/ns/pid").st_ino
                if is_inside and os.readlink(f"/proc/{pid}/exe") != own:
                    return pid
        return None

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=patience(5))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process.stderr.close()
