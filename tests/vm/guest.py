# SPDX-License-Identifier: GPL-2.0-only
"""A guest with nothing in it but nsview-static and agent.c: no library, no shell, no other program.
It runs one of Debian's kernels under QEMU, without the host's files, and is asked over its serial line."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from harness import conditions

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
KERNEL = os.environ.get("NSVIEW_KERNEL", "")
requires_kernel = unittest.skipUnless(KERNEL, "no kernel was named")
HAS_TRAMPOLINES = not conditions.no_trampolines_in_the_guest()
SECONDS = 120  # of a command; emulated processors are slow

SHARED = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

MACHINES = {
    # What the processor lacks: see tests/kernel/vm/boot.
    "x86_64": ["qemu-system-x86_64", "-M", "pc,accel=tcg,memory-backend=memory", "-cpu", "max,-cx16,-erms"],
    "arm64": ["qemu-system-aarch64", "-M", "virt,memory-backend=memory", "-cpu", "max,pauth-impdef=on"],
}
CONSOLES = {"x86_64": "ttyS0 clearcpuid=112 no_timer_check", "arm64": "ttyAMA0"}  # see there, too


class Failed(AssertionError):
    pass


def architecture_of(kernel):
    """Of a kernel as tests/kernel/vm/fetch names it."""
    return kernel.rpartition(":")[0] or "x86_64"


def build_of(kernel):
    """Where nsview-static and the agent for it are."""
    architecture = architecture_of(kernel)
    return BUILD if architecture == "x86_64" else BUILD / architecture


def cpio(files):
    """An initramfs: {path: (mode, bytes)} as the kernel's "newc"."""
    archive = b""
    entries = {**{path: files[path] for path in sorted(files)}, "TRAILER!!!": (0, b"")}
    for inode, (path, (mode, data)) in enumerate(entries.items(), 1):
        name = path.encode() + b"\0"
        fields = [inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
        archive += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        archive += b"\0" * (-len(archive) % 4) + data
        archive += b"\0" * (-len(archive) % 4)
    return archive


def initramfs(build):
    files = {name: (0o40755, b"") for name in ("proc", "sys", "dev", "tmp")}
    files["etc"] = (0o40755, b"")
    files["dev/console"] = (0o20600, b"")
    files["init"] = (0o100755, (build / "tests/vm/agent").read_bytes())
    files["nsview"] = (0o100755, (build / "nsview-static").read_bytes())
    return files


def kernel_directory(kernel):
    fetched = subprocess.run([str(ROOT / "tests/kernel/vm/fetch"), kernel], capture_output=True, text=True)
    if fetched.returncode:
        raise Failed(fetched.stderr)
    return pathlib.Path(fetched.stdout.strip())


class Guest:
    """with Guest() as guest: guest.run(...). cmdline: more for the kernel; files: {path: bytes}."""

    def __init__(self, kernel=KERNEL, cmdline="", files=None, options=(), memory=512):
        # The guest's memory is a file in it, which is to be memory here too.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nsview-guest-", dir=SHARED))
        self.process = self.line = self.memory = None
        try:
            self.start(kernel, cmdline, files or {}, options, memory)
        except BaseException:
            self.end()
            raise

    def start(self, kernel, cmdline, files, options, memory):
        architecture = architecture_of(kernel)
        more = {path: (0o100755, data) for path, data in files.items()}
        (self.folder / "initramfs").write_bytes(cpio({**initramfs(build_of(kernel)), **more}))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / "line"))
        listener.listen()
        console = f"console={CONSOLES[architecture]} panic=-1 {cmdline}"
        said = (self.folder / "qemu").open("w")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *MACHINES[architecture], "-smp", "1", "-m", str(memory), "-nodefaults", "-no-user-config", "-display",
             "none", "-no-reboot", "-kernel", str(kernel_directory(kernel) / "vmlinuz"), "-initrd",
             str(self.folder / "initramfs"), "-append", console, "-object",
             f"memory-backend-file,id=memory,size={memory}M,mem-path={self.folder}/memory,share=on", "-chardev",
             f"socket,id=line,path={self.folder}/line", "-serial", "chardev:line", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        said.close()
        listener.settimeout(SECONDS)
        self.line = listener.accept()[0]
        listener.close()
        self.line.settimeout(SECONDS)
        self.pending = b""
        self.console = b""
        while not (self.console + self.pending).endswith(b"agent: ready\n"):
            self.read_more()
        # Without a name, it ends with the guest whatever becomes of us.
        self.memory = (self.folder / "memory").open("r+b")
        (self.folder / "memory").unlink()

    def read_more(self):
        try:
            piece = self.line.recv(65536)
        except TimeoutError:
            piece = b""
        if not piece:
            said = self.pending[-2000:].decode(errors="replace")
            raise Failed(f"the guest died, or said nothing for {SECONDS} s: {said}"
                         f"{(self.folder / 'qemu').read_text()}")
        self.pending += piece
        if self.console == b"" and self.pending.endswith(b"agent: ready\n"):
            self.console, self.pending = self.pending, b""

    def read(self, length):
        while len(self.pending) < length:
            self.read_more()
        data, self.pending = self.pending[:length], self.pending[length:]
        return data

    def read_line(self):
        while b"\n" not in self.pending:
            self.read_more()
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode()

    def ask(self, *words):
        self.line.sendall("\t".join(map(str, words)).encode() + b"\n")
        status, out, err = map(int, self.read_line().split())
        return status, self.read(out).decode(errors="replace"), self.read(err).decode(errors="replace")

    def run(self, *words, check=0):
        """Standard output; check: the exit status, or None."""
        status, out, err = self.ask("run", *words)
        if check is not None and status != check:
            raise Failed(f"{words} ended with {status}, not {check}\n{err}\n{out[:2000]}")
        return out

    def errors(self, *words, check):
        status, out, err = self.ask("run", *words)
        if status != check:
            raise Failed(f"{words} ended with {status}, not {check}\n{err}\n{out[:2000]}")
        return err

    def json(self, *words, check=0):
        return json.loads(self.run(*words, check=check))

    def launch(self, *words):
        """The pid of a command that goes on."""
        return self.ask("start", *words)[0]

    def stop(self, pid, number=signal.SIGINT):
        """(status, output, errors) of it."""
        return self.ask("stop", pid, int(number))

    def file(self, path):
        return self.run("/init", "cat", path)

    def write(self, path, text):
        self.run("/init", "write", path, text)

    def status(self, pid):
        """/proc/PID/status as {key: value}."""
        return dict(line.split(":\t", 1) for line in self.file(f"/proc/{pid}/status").splitlines() if ":\t" in line)

    def wait_until(self, claim, seconds=2 * SECONDS):
        end = time.monotonic() + seconds
        while not (result := claim()):
            if time.monotonic() > end:
                raise Failed("waited in vain")
            time.sleep(0.1)
        return result

    def end(self):
        for one in (self.line, self.memory):
            if one:
                one.close()
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
