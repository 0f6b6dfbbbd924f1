# SPDX-License-Identifier: GPL-2.0-only
"""The first process of a container: makes processes to look at, says what it made, and runs each
line of its standard input as a command, whose output ends with a line "done".

    inside.py SUBJECT FOLDER

FOLDER/passwd and FOLDER/localtime, where they are, become those of /etc. With FOLDER/terminals none
of the terminals is in /dev/pts when they have been made, and some are elsewhere.
"""

import ctypes
import fcntl
import json
import os
import pathlib
import pty
import subprocess
import sys
import termios

libc = ctypes.CDLL(None, use_errno=True)
MS_BIND = 0x1000


def bind(source, target):
    if libc.mount(source.encode(), target.encode(), None, MS_BIND, None):
        raise OSError(ctypes.get_errno(), source)


def wait_ready(*words):
    made = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    made.stdout.readline()
    return made


def subject(program, *steps):
    return wait_ready(program, *steps)


def shell():
    """Job control on a terminal of its own: one job in the background, one in front."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execlp("bash", "bash", "--norc", "-c", "set -m; sleep 1001 & sleep 1002; :")
    return pid, terminal


def python(program, *words):
    program += "\nimport sys\nprint('ready', flush=True)\nsys.stdin.read()"
    return wait_ready(sys.executable, "-I", "-S", "-c", program, *words)


def wiped(byte):
    """Its arguments are that byte, over and over."""
    return python("""
import ctypes, pathlib, sys
fields = pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
start, end = int(fields[45]), int(fields[46])
ctypes.memset(start, int(sys.argv[1]), end - start - 1)""", str(byte))


def on_terminal_at(path, number):
    """A process whose terminal and whose descriptor of that number were opened by this path."""
    _, slave = pty.openpty()
    bind(os.ttyname(slave), path)
    # os.close would close the terminal's other side in the child alone.
    pid = os.fork()
    if pid == 0:
        os.setsid()
        opened = os.open(path, os.O_RDWR)
        fcntl.ioctl(opened, termios.TIOCSCTTY, 0)
        null = os.open("/dev/null", os.O_RDWR)
        for standard in range(3):
            os.dup2(null, standard)
        os.dup2(opened, number)
        os.execlp("sleep", "sleep", "1003")
    return pid


def hide_terminals():
    if libc.mount(b"none", b"/mnt", b"tmpfs", 0, None):
        raise OSError(ctypes.get_errno(), "tmpfs")
    for name in ("a-long-name", "\x1b[2J", "x" * 200):
        pathlib.Path("/mnt", name).touch()
        on_terminal_at(f"/mnt/{name}", 2)
    on_terminal_at("/dev/full", 2)
    pathlib.Path("/mnt/255").touch()
    on_terminal_at("/mnt/255", 255)
    if libc.mount(b"none", b"/dev/pts", b"devpts", 0, b"newinstance"):
        raise OSError(ctypes.get_errno(), "devpts")


def make(program, folder):
    if (folder / "passwd").exists():
        bind(str(folder / "passwd"), "/etc/passwd")
    if (folder / "localtime").exists():
        bind(str(folder / "localtime"), os.path.realpath("/etc/localtime"))
    kept = [
        shell(),
        subject(program, "threads", "3", "hold"),
        subject(program, "zombie", "hold"),
        subject(program, "pty", "hold"),
        subject(program, "hold", "x" * 5000),
        subject(program, "comm", "new name)\n", "hold"),
        wiped(0),
        wiped(ord(" ")),
        subject(program, "nice", "7", "mlock", "hold"),
        subject(program, "fork", "stop"),
        subject(program, "hold", b"caf\xc3\xa9 \xe4\xb8\xad\xc2\x85 \x1b[31m\ttab\nline \xc3(", "", "end "),
        subject(program, "hold", b"torn \xff \xc3\xa9 \x01", "end"),
        subject(program, "memory", "128", "hold"),
        subject(program, "nice", "7", "mlock", "pty", "threads", "2", "hold"),
        python("import mmap\nheld = mmap.mmap(-1, 1 << 36, mmap.MAP_PRIVATE | 0x4000, 0)"),
    ]
    if (folder / "passwd").exists():
        kept.append(subject(program, "nice", "-3", "hold"))
        for uid in range(4001, 4013):
            kept.append(subject(program, "uids", "4000", str(uid), "4000", "4000", "hold"))
    return kept


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    kept = make(program, folder)
    if (folder / "terminals").exists():
        hide_terminals()
    print(json.dumps(len(kept)), flush=True)
    for line in sys.stdin:
        subprocess.run(["sh", "-c", line], check=False, stdin=subprocess.DEVNULL)
        sys.stdout.write("done\n")
        sys.stdout.flush()


main()
