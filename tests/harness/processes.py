# SPDX-License-Identifier: GPL-2.0-only
"""No test leaves a process behind: whatever it started and lost becomes a child of the harness."""

import ctypes
import os
import signal
import time

from .jobs import Result
from .patience import patience

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = patience(30)  # what was told to end may need a while: the kernel lets go of tracepoints one by one


def adopt_orphans():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def heed_signals():
    """A script's `&` and nohup leave signals ignored, and so would be those that the tests send."""
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def read_stat(pid):
    """(comm, state, parent), or None once it has gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    comm = text[text.index("(") + 1:text.rindex(")")]
    state, parent = text[text.rindex(")") + 2:].split()[:2]
    return comm, state, int(parent)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def children():
    """{pid: comm} of our own living children."""
    reap()
    found = {}
    for name in os.listdir("/proc"):
        stat = read_stat(name) if name.isdigit() else None
        if stat and stat[2] == os.getpid() and stat[1] != "Z":
            found[int(name)] = stat[0]
    return found


def kill_children():
    """Children of what is killed come to us in their turn, hence the loop."""
    while remaining := children():
        for pid in remaining:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


def end_leftovers(job_name):
    deadline = time.monotonic() + GRACE_SECONDS
    while (remaining := children()) and time.monotonic() < deadline:
        time.sleep(0.02)
    if not remaining:
        return []
    kill_children()
    names = ", ".join(f"{pid} {comm}" for pid, comm in sorted(remaining.items()))
    return [Result(f"{job_name.replace('/', '.')}.leftovers", "failed", f"left processes behind: {names}")]
