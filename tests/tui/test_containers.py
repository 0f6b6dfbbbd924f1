# SPDX-License-Identifier: GPL-2.0-only
"""nsview top beside six real containers: docker's, and one in a user namespace."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "runtimes"))

import lab  # noqa: E402
import nsview  # noqa: E402
import procview  # noqa: E402
import screenful  # noqa: E402
from nsview import NSVIEW  # noqa: E402
from terminal import Terminal, needs_tmux  # noqa: E402

DOCKER = {
    "plain": [],
    "u1000": ["--user=1000"],
    "macadmin": ["--cap-add=MAC_ADMIN"],
    "priv": ["--privileged"],
    "tomcat": ["--cpus=.1", "--memory=500m"],  # little enough to be reached on a machine that is busy
}
BUSY = ("sh", "-c", "while :; do :; done")
ROOTLESS = f"rootless-{os.getpid()}"

docker = lab.Docker()
containers = {}
stack = contextlib.ExitStack()


class Sample:
    """nsview run --userns auto."""

    def __init__(self, name, *options):
        self.command = [NSVIEW, "run", "--name", name, *options, "sleep", "3600"]

    def __enter__(self):
        launched = nsview.Launched(self.command)
        self.launched = launched
        self.pid = launched.__enter__()
        return self

    def __exit__(self, *error):
        self.launched.__exit__()


def setUpModule():
    docker.start()
    if not docker.folder:
        return
    stack.callback(docker.stop)
    for name, words in DOCKER.items():
        command = BUSY if name == "tomcat" else ("sleep", "3600")
        image = "procps" if name == "plain" else "busybox"
        containers[name] = docker.run(f"--name={name}", *words, image=image, command=command)
    containers["rootless"] = stack.enter_context(Sample(ROOTLESS, "--userns", "auto"))
    # What `docker exec -it plain bash` is in the documents.
    containers["plain"].exec(command=("sleep", "1800"))


def tearDownModule():
    stack.close()


def selection():
    words = [word for name in DOCKER for word in ("-c", containers[name].id)]
    return (*words, "-c", ROOTLESS)


def caps(pid):
    return int(procview.status(pid)["CapEff"], 16)


def size_kib(text):
    """828K, 1.7M, 12G as a number of KiB, and how far off that may be."""
    match = re.fullmatch(r"([\d.]+)([KMGT])?", text)
    unit = {"K": 1, None: 1, "M": 1024, "G": 1024 ** 2, "T": 1024 ** 3}[match[2]]
    step = 10 ** -len(match[1].partition(".")[2]) if "." in match[1] else 1
    return float(match[1]) * unit, step * unit


@lab.needs_docker
@needs_tmux
class Case(unittest.TestCase):
    def open(self, *words, size=(140, 50)):
        terminal = Terminal(NSVIEW, "top", *(words or selection()), size=size, environment={"NO_COLOR": "1"})
        terminal.__enter__()
        self.addCleanup(terminal.end)
        return terminal

    def frame(self, terminal, claim=lambda frame: True, seconds=40, groups=6):
        def look(lines):
            frame = screenful.read(lines)
            return frame if frame and len(frame.groups()) >= groups and claim(frame) else None
        return terminal.wait(look, seconds)


class Table(Case):
    def test_a_group_for_each_container(self):
        frame = self.frame(self.open(), lambda frame: frame.group("plain").in_pid == "2")
        self.assertEqual({group.name for group in frame.groups()}, {*DOCKER, ROOTLESS})
        for name in DOCKER:
            title = frame.group(name).cells["TITLE"].split()
            image = "procps" if name == "plain" else "busybox"
            self.assertEqual(title[:3], [name, "docker", image])
            self.assertEqual(int(frame.group(name).in_pid), len(containers[name].pids()))
        self.assertIn("nsview", frame.group(ROOTLESS).cells["TITLE"])

    def test_rows_are_the_processes_that_docker_and_proc_know(self):
        frame = self.frame(self.open())
        for name, container in containers.items():
            pids = container.pids() if name in DOCKER else {container.pid}
            rows = {int(row.pid): row for row in frame.procs(name if name in DOCKER else ROOTLESS)}
            self.assertEqual(set(rows), pids)
            for pid, row in rows.items():
                status = procview.status(pid)
                self.assertEqual(row.in_pid, status["NSpid"].split()[-1])
                uid = int(status["Uid"].split()[1])
                found = subprocess.run(["id", "-nu", str(uid)], capture_output=True, text=True).stdout.strip()
                self.assertEqual(row.user, found or str(uid))
        self.assertEqual(frame.procs("u1000")[0].in_user, "1000")
        self.assertEqual(frame.procs(ROOTLESS)[0].in_user, "root")

    def test_capabilities_by_meaning(self):
        frame = self.frame(self.open())
        self.assertEqual(frame.procs("plain")[0].caps, "docker-default")
        self.assertEqual(frame.procs("u1000")[0].caps, "none")
        self.assertEqual(caps(containers["u1000"].pid), 0)
        self.assertTrue(frame.procs(ROOTLESS)[0].caps.endswith(" in userns"))
        for name, container in containers.items():
            words = frame.procs(name if name in DOCKER else ROOTLESS)[0].caps.removesuffix(" in userns")
            if re.search(r" caps$|[-+]\d", words):  # counts, where this machine has not got all of them
                continue
            decoded = nsview.run("caps", "--", *words.split()).stdout if words != "none" else ""
            held = {line.split()[1] for line in decoded.splitlines() if re.match(r" *\d+ [A-Z]", line)}
            told = subprocess.run(["capsh", f"--decode={caps(container.pid):x}"], capture_output=True, text=True).stdout
            theirs = {word.removeprefix("cap_").upper() for word in told.strip().partition("=")[2].split(",") if word}
            self.assertEqual(held, theirs, words)

    def test_verdicts_in_words(self):
        frame = self.frame(self.open(), lambda frame: "throttled" in frame.group("tomcat").command)
        self.assertIn("host root", frame.group("plain").command)
        self.assertNotIn("host root", frame.group("u1000").command)
        self.assertIn("privileged", frame.group("priv").command)
        self.assertIn("userns of", frame.group(ROOTLESS).command)
        self.assertNotIn("host root", frame.group(ROOTLESS).command)
        if caps(containers["macadmin"].pid) >> 33 & 1:
            self.assertIn("+MAC_ADMIN", frame.group("macadmin").command)

    def test_cpu_and_memory_against_the_limit(self):
        terminal = self.open()
        frame = self.frame(terminal, lambda frame: "throttled" in frame.group("tomcat").command)
        self.assertRegex(frame.group("tomcat").command, r"cpu 0\.(?:0\d|1[0-3])/0\.1 throttled")
        percent = float(frame.group("tomcat").cpu)
        self.assertTrue(5 <= percent <= 15, percent)
        used, _, limit = frame.group("tomcat").memory.partition("/")
        self.assertEqual(limit, "500M")
        self.assertEqual(frame.group("plain").memory.partition("/")[2], "none")
        resident, step = size_kib(frame.procs("tomcat")[0].memory)
        theirs = int(procview.status(containers["tomcat"].pid)["VmRSS"].split()[0])
        self.assertLessEqual(abs(resident - theirs), step + 256, used)

    def test_the_summary_counts_them(self):
        frame = self.frame(self.open(), lambda frame: re.search(r"\b0 lost", frame.lines[1]))
        roots = sum(any(int(procview.status(pid)["Uid"].split()[1]) == 0 for pid in containers[name].pids())
                    for name in DOCKER)
        self.assertRegex(frame.lines[1], rf"^6 containers: {roots} as host root, 1 privileged")
        self.assertRegex(frame.lines[0], rf"^nsview +{re.escape(os.uname().nodename)} +Linux {re.escape(os.uname().release[:6])}")

    def test_the_most_powerful_comes_first(self):
        names = [group.name for group in self.frame(self.open()).groups()]
        self.assertEqual(names[0], "priv")
        self.assertLess(names.index("macadmin"), names.index("plain"))
        self.assertLess(names.index("plain"), names.index("u1000"))
        self.assertLess(names.index("plain"), names.index(ROOTLESS))

    def test_the_host_stands_last_and_is_folded(self):
        # Nothing of it is looked at here but its own row.
        terminal = self.open("-d", "1")
        frame = self.frame(terminal)
        self.assertEqual([group.name for group in frame.groups()][-1:], ["host"])
        self.assertEqual(frame.group("host").mark, "+")
        self.assertFalse(frame.procs("host"))
        full = (1 << int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1) - 1
        if caps("self") == full:  # the machine may lack some
            self.assertRegex(frame.group("host").command, r"^\d+ as root with full capabilities")


class Drift(Case):
    def test_exec_privileged_is_more_than_declared(self):
        terminal = self.open()
        self.frame(terminal)
        pid = containers["plain"].exec("--privileged", command=("sleep", "1801"))
        try:
            frame = self.frame(terminal, lambda frame: frame.proc(pid) and frame.proc(pid).command.startswith("sleep"))
            more = bin(caps(pid) & ~0xa80425fb).count("1")
            self.assertEqual(frame.groups()[0].name, "plain")
            self.assertIn("more than declared", frame.group("plain").command)
            self.assertRegex(frame.proc(pid).command, rf"<- {more} more than declared")
            self.assertEqual(frame.proc(pid).mark, "*")
            terminal.wait_for(rf"exec +plain +{pid}/\d+ sleep")
        finally:
            os.kill(pid, 9)
        self.frame(terminal, lambda frame: not frame.proc(pid) and "more than declared" not in frame.group("plain").command)

    def test_a_container_that_comes_and_goes(self):
        terminal = self.open("--runtime", "docker")
        self.frame(terminal, groups=5)
        with docker.run("--name=brief") as brief:
            frame = self.frame(terminal, lambda frame: frame.group("brief"))
            self.assertEqual([int(row.pid) for row in frame.procs("brief")], [brief.pid])
            terminal.wait_for(rf"started +brief|exec +brief +{brief.pid}/1 sleep")
        self.frame(terminal, lambda frame: not frame.group("brief"), groups=5)
        terminal.wait_for("(?:ended|exited) +brief")


class Pages(Case):
    def select(self, terminal, pid):
        terminal.send("Home")
        for _ in range(60):
            marked = [number for number in terminal.reversed_lines() if number >= 4]
            row = screenful.read(terminal.lines()).proc(pid)
            if row and marked and marked[0] == row.line:
                return
            terminal.send("Down")
            time.sleep(0.05)
        self.fail(f"{pid} cannot be selected")

    def test_inspect_of_root_in_docker(self):
        terminal = self.open(size=(120, 100))
        self.frame(terminal)
        pid = containers["plain"].pid
        self.select(terminal, pid)
        terminal.send("Enter")
        terminal.wait_for("Capabilities")
        text = terminal.text()
        self.assertRegex(text, r"effective +docker-default, 14 of \d+; they count on the host")
        self.assertRegex(text, r"(?m)^ *capabilities +docker-default +docker-default$")
        self.assertRegex(text, rf"(?m)^ *{pid} +{os.stat('/proc/self/ns/pid').st_ino} +the host's")
        self.assertRegex(text, rf"(?m)^ *pid +{os.stat(f'/proc/{pid}/ns/pid').st_ino} +the container's own")
        self.assertRegex(text, r"(?m)^ *user +\d+ +the host's")
        self.assertIn(containers["plain"].id[:20], text)

    def test_inspect_of_root_in_a_user_namespace(self):
        terminal = self.open(size=(120, 100))
        self.frame(terminal)
        pid = containers["rootless"].pid
        self.select(terminal, pid)
        terminal.send("Enter")
        terminal.wait_for("Capabilities")
        inode = os.stat(f"/proc/{pid}/ns/user").st_ino
        text = re.sub(r"\s+", " ", terminal.text())
        self.assertIn(f"they count only in user namespace {inode} (level 1", text)
        outside = procview.status(pid)["Uid"].split()[0]
        self.assertRegex(text, rf"effective {outside}\b.*0 \(root\)")

    def test_inside_is_what_docker_exec_ps_prints(self):
        terminal = self.open(size=(150, 60))
        self.frame(terminal)
        self.select(terminal, containers["plain"].pid)
        terminal.send("i")
        terminal.wait_for(r"VSZ +RSS TTY")
        theirs = [line.split(None, 10) for line in docker.call("exec", "plain", "ps", "aux").splitlines()
                  if not line.endswith("ps aux")]
        lines = terminal.lines()
        start = next(number for number, line in enumerate(lines) if re.search(r"VSZ +RSS TTY", line))
        for one, other in zip(theirs, (line.split(None, 10) for line in lines[start:])):
            for place in (0, 1, 6, 7, 8, 10):
                self.assertEqual(one[place].rstrip(), other[place].rstrip(), (one, other))


if __name__ == "__main__":
    unittest.main()
