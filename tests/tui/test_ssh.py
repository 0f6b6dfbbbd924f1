# SPDX-License-Identifier: GPL-2.0-only
"""nsview top over ssh: a real client in a real terminal, and a server for it alone.

Both are in a network and a mount namespace that end with them: nobody else can connect, root's home holds a
key that was made for the test, and what servers log goes nowhere. nsview is brought back into the machine's."""

import contextlib
import os
import pathlib
import pwd
import shlex
import subprocess
import sys
import tempfile
import unittest

import nsview
import recording
import table
from harness import conditions
from nsview import NSVIEW, requires_root

NAME = f"tui-ssh-{os.getpid()}"
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
LOOPBACK_UP = """import fcntl, socket, struct
SIOCSIFFLAGS, UP_LOOPBACK_RUNNING = 0x8914, 0x49
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP_LOOPBACK_RUNNING))
"""
SCRIPT = """{python} -c {loopback} || exit
for place in {home} /var/log /run; do mount -t tmpfs -o mode=700 none $place || exit; done
mkdir -m 700 {home}/.ssh && cp {folder}/authorized {home}/.ssh/authorized_keys || exit
dropbear -F -E -m -s -r {folder}/host -P /run/server.pid -p 127.0.0.1:2222 2>{folder}/log &
trap 'kill %1' EXIT
while [ ! -e /run/server.pid ]; do sleep 0.02; done
dbclient -t -y -y -i {folder}/user -p 2222 -l {name} 127.0.0.1 "$*"
"""

needs_ssh = unittest.skipIf(conditions.no_ssh(), "no dropbear and dbclient: make setup installs them")

folder = tempfile.TemporaryDirectory(prefix="nsview-ssh-")
containers = []


def make_key(name):
    """The public half."""
    path = f"{folder.name}/{name}"
    done = subprocess.run(["dropbearkey", "-t", "ed25519", "-f", path], capture_output=True, text=True, check=True,
                          env={"PATH": PATH})
    return next(line for line in done.stdout.splitlines() if line.startswith("ssh-"))


def setUpModule():
    if os.geteuid() != 0 or conditions.no_ssh():
        return
    make_key("host")
    pathlib.Path(folder.name, "authorized").write_text(make_key("user") + "\n")
    root = pwd.getpwuid(0)
    pathlib.Path(folder.name, "script").write_text(SCRIPT.format(
        home=shlex.quote(root.pw_dir), name=root.pw_name, folder=folder.name, python=sys.executable,
        loopback=shlex.quote(LOOPBACK_UP)))
    containers.append(recording.Container(NAME).__enter__())
    containers[0].do("sleep 1001 & sleep 1002 &")


def tearDownModule():
    for container in containers:
        container.__exit__()
    folder.cleanup()


def below(pid):
    """Its children, and theirs."""
    return [found for child in nsview.children(pid) for found in (child, *below(child))]


def comm(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return None


def is_running(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    return False


@requires_root
@needs_ssh
class Ssh(table.Case):
    def connect(self, size=(120, 30)):
        """The table on the other side, and its first frame."""
        spaces = f"/proc/{os.getpid()}/ns"
        there = ["env", "LC_ALL=C.UTF-8", "NO_COLOR=1", "nsenter", f"--mount={spaces}/mnt", f"--net={spaces}/net",
                 NSVIEW, "top", "-c", NAME]
        top = self.open("unshare", "--net", "--mount", "--propagation", "private", "sh", f"{folder.name}/script",
                        shlex.join(there), size=size, environment={"HOME": folder.name, "PATH": PATH})
        return top, top.frame(lambda frame: len(frame.procs(NAME)) == 3)

    def test_a_frame_is_that_of_here(self):
        _, frame = self.connect()
        with table.Table(NSVIEW, "top", "-c", NAME) as here:
            wanted = here.frame(lambda frame: len(frame.procs(NAME)) == 3)
        self.assertEqual(frame.headings, wanted.headings)
        self.assertEqual([row.cells for row in frame.procs()], [row.cells for row in wanted.procs()])
        self.assertEqual(frame.lines[-1], wanted.lines[-1])

    def test_it_follows_the_size(self):
        top, frame = self.connect()
        self.assertIn("MEM/LIMIT", frame.headings)
        top.resize(70, 20)
        frame = top.frame(lambda frame: len(frame.lines) == 20 and "Quit" in frame.lines[-1] and "MEM/LIMIT" not in frame.headings)
        self.assertEqual(len(frame.procs()), 3)
        top.resize(140, 40)
        top.frame(lambda frame: len(frame.lines) == 40 and "Quit" in frame.lines[-1] and "MEM/LIMIT" in frame.headings)

    def test_keys_are_those_of_here_and_q_ends_it(self):
        top, _ = self.connect()
        top.select(next(pid for pid, row in nsview.ps("-c", NAME).items() if row["args"] == ["sleep", "1002"]))
        top.send("F1")
        top.wait(lambda lines: lines[-1].startswith("Esc"))
        top.leave()
        top.send("q")
        self.assertEqual(top.wait_end(), 0)

    def test_a_connection_that_breaks_leaves_nothing(self):
        top, _ = self.connect()
        pids = {pid: comm(pid) for pid in below(top.pid)}
        self.assertIn("nsview", pids.values())
        nsview.kill(next(pid for pid, name in pids.items() if name == "dbclient"))
        nsview.wait_until(lambda: not any(map(is_running, pids)))


if __name__ == "__main__":
    unittest.main()
