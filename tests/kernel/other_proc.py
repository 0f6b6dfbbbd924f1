# SPDX-License-Identifier: GPL-2.0-only
"""Runs a command where /proc is another pid namespace's, in which `sleep` has the pid of another process
of the host:

    unshare --mount --propagation=private python3 other_proc.py PID COMMAND [ARG...]
"""

import ctypes
import os
import pathlib
import subprocess
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)


def namespace_fill(pid):
    """As the first process of the namespace."""
    if libc.mount(b"proc", b"/proc", b"proc", 0, None):
        raise OSError(ctypes.get_errno(), "mount /proc")
    pathlib.Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1), encoding="ascii")
    with subprocess.Popen(["sleep", "600"]) as decoy:
        print(decoy.pid, flush=True)
        sys.stdin.read()
        decoy.kill()


def main():
    if sys.argv[1] == "fill":
        namespace_fill(int(sys.argv[2]))
        return 0
    pid, command = sys.argv[1], sys.argv[2:]
    with subprocess.Popen(["unshare", "--pid", "--fork", sys.executable, __file__, "fill", pid],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as filler:
        said = filler.stdout.readline()
        if said != f"{pid}\n":
            sys.exit(f"the other namespace said {said!r}")
        comm = pathlib.Path(f"/proc/{pid}/comm")
        while comm.read_text(encoding="ascii") != "sleep\n":
            time.sleep(0.01)
        result = subprocess.run(command, check=False).returncode
        filler.stdin.close()
        filler.wait()
    return result


sys.exit(main())
