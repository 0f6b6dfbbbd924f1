# SPDX-License-Identifier: GPL-2.0-only
"""Two containers of nsview's own, for a whole file of tests, and the live table of both."""

import os
import pathlib
import subprocess

import nsview
import recording
import table
from nsview import requires_root

ONE, TWO = f"keys-one-{os.getpid()}", f"keys-two-{os.getpid()}"

containers = {}


def start():
    if os.geteuid() != 0:
        return
    for name in (ONE, TWO):
        containers[name] = recording.Container(name, "-v", f"{nsview.SUBJECT}:/subject:ro").__enter__()
    # A tree of three; two that hold memory; one that works.
    containers[ONE].do("sh -c 'sh -c \"sleep 2001; true\" & sleep 2002; true' &")
    containers[ONE].do("sleep 1001 & setpriv --reuid=65534 --clear-groups sleep 1002 &")
    for name, size in (("big", 40), ("small", 20)):
        containers[TWO].do(f"sh -c 'x=$(head -c {size}000000 /dev/zero | tr \"\\0\" x); sleep 9000; true' {name} &")
    containers[TWO].do("nice -n 19 sh -c 'while :; do :; done' busy &")
    # They have become what they are to be.
    nsview.wait_until(lambda: commands(ONE) == ["sh", "sh -c sh -c \"sleep 2001; true\" & sleep 2002; true",
                                                "sh -c sleep 2001; true", "sleep 1001", "sleep 1002", "sleep 2001",
                                                "sleep 2002"])
    # Between its fork and its execve a process may have no arguments.
    nsview.wait_until(lambda: sorted(words.rpartition(" ")[2] for words in commands(TWO)) ==
                      ["9000", "9000", "big", "busy", "sh", "small"])


def end():
    for container in containers.values():
        container.__exit__()
    containers.clear()


def first_pid(name):
    return next(pid for pid, row in nsview.ps("-c", name).items() if row["in_pid"] == 1)


def pids_in(name):
    """By the kernel's own word: the pid namespace of the container's first process."""
    wanted = os.readlink(f"/proc/{first_pid(name)}/ns/pid")
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") == wanted:
                    found.add(int(entry))
            except OSError:
                continue
    return found


def arguments(pid):
    """None: it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return None


def commands(name):
    return sorted(" ".join(arguments(pid) or ()) for pid in pids_in(name))


def find(name, claim, what):
    """The only one in that container whose arguments fit; it may still have to become that."""
    def look():
        found = [pid for pid in pids_in(name) if claim(arguments(pid) or [])]
        return found[0] if len(found) == 1 else None
    try:
        return nsview.wait_until(look)
    except nsview.Failed:
        raise nsview.Failed(f"{what} in {name}: {commands(name)}") from None


def pid_of(name, *words):
    return find(name, lambda had: had == list(words), words)


def named(name, word):
    """The one whose last argument that is."""
    return find(name, lambda had: had[-1:] == [word], word)


def inside(name, *words):
    """What a command of the host's prints in all namespaces of the container."""
    return subprocess.run(["nsenter", "-t", str(first_pid(name)), "-a", *words], capture_output=True, text=True,
                          check=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}).stdout


@requires_root
class Case(table.Case):
    def full(self, *words, **options):
        """The table of both, open, and its first frame with all that is in them."""
        top = self.open_top(*(words or ("-c", ONE, "-c", TWO)), **options)
        return top, self.wait_full(top)

    def wait_full(self, top):
        return top.frame(lambda frame: frame.group(ONE) and frame.group(TWO) and len(frame.procs(ONE)) >= 5)
