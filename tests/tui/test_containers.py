# SPDX-License-Identifier: GPL-2.0-only
"""nsview top beside six real containers: docker's, and one in a user namespace."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "runtimes"))

import lab  # noqa: E402
import nsview  # noqa: E402
import procview  # noqa: E402
import table  # noqa: E402
from nsview import NSVIEW  # noqa: E402

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
class Case(table.Case):
    def look(self, claim=lambda frame: True, groups=6, **options):
        """The table of them all, and its first frame that fits."""
        top = self.open_top(*selection(), **{"size": (140, 50), **options})
        return top, self.frame(top, claim, groups)

    def frame(self, top, claim=lambda frame: True, groups=6):
        return top.frame(lambda frame: len(frame.groups()) >= groups and claim(frame))


class Table(Case):
    def test_a_group_for_each_container(self):
        _, frame = self.look(lambda frame: all(int(frame.group(name).in_pid) == len(containers[name].pids())
                                               for name in DOCKER))
        self.assertEqual({group.name for group in frame.groups()}, {*DOCKER, ROOTLESS})
        for name in DOCKER:
            title = frame.group(name).cells["TITLE"].split()
            image = "procps" if name == "plain" else "busybox"
            self.assertEqual(title[:3], [name, "docker", image])
        self.assertIn("nsview", frame.group(ROOTLESS).cells["TITLE"])

    def test_rows_are_the_processes_that_docker_and_proc_know(self):
        def are_known(frame):
            return all({int(row.pid) for row in frame.procs(name)} == containers[name].pids() for name in DOCKER)

        _, frame = self.look(are_known)
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
        _, frame = self.look()
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
        _, frame = self.look(lambda frame: "throttled" in frame.group("tomcat").command)
        self.assertIn("host root", frame.group("plain").command)
        self.assertNotIn("host root", frame.group("u1000").command)
        self.assertIn("privileged", frame.group("priv").command)
        self.assertIn("userns of", frame.group(ROOTLESS).command)
        self.assertNotIn("host root", frame.group(ROOTLESS).command)
        if caps(containers["macadmin"].pid) >> 33 & 1:
            self.assertIn("+MAC_ADMIN", frame.group("macadmin").command)

    def test_cpu_and_memory_against_the_limit(self):
        # A frame that came late has more or less of it than was to be had in its own time: the next one is right.
        _, frame = self.look(lambda frame: re.search(r"cpu 0\.(?:0\d|1[0-3])/0\.1 throttled", frame.group("tomcat").command)
                             and 5 <= float(frame.group("tomcat").cpu) <= 15)
        used, _, limit = frame.group("tomcat").memory.partition("/")
        self.assertEqual(limit, "500M")
        self.assertEqual(frame.group("plain").memory.partition("/")[2], "none")
        resident, step = size_kib(frame.procs("tomcat")[0].memory)
        theirs = int(procview.status(containers["tomcat"].pid)["VmRSS"].split()[0])
        self.assertLessEqual(abs(resident - theirs), step + 256, used)

    def test_the_summary_counts_them(self):
        _, frame = self.look(lambda frame: re.search(r"\b0 lost", frame.lines[1]))
        roots = sum(any(int(procview.status(pid)["Uid"].split()[1]) == 0 for pid in containers[name].pids())
                    for name in DOCKER)
        self.assertRegex(frame.lines[1], rf"^6 containers: {roots} as host root, 1 privileged")
        self.assertRegex(frame.lines[0], rf"^nsview +{re.escape(os.uname().nodename)} +Linux {re.escape(os.uname().release[:6])}")

    def test_the_most_powerful_comes_first(self):
        names = [group.name for group in self.look()[1].groups()]
        self.assertEqual(names[0], "priv")
        self.assertLess(names.index("macadmin"), names.index("plain"))
        self.assertLess(names.index("plain"), names.index("u1000"))
        self.assertLess(names.index("plain"), names.index(ROOTLESS))

    def test_the_host_stands_last_and_is_folded(self):
        # Nothing of it is looked at here but its own row; high enough for whatever else runs here.
        frame = self.open_top(size=(140, 250)).frame(lambda frame: frame.group("host"))
        self.assertEqual([group.name for group in frame.groups()][-1:], ["host"])
        self.assertEqual(frame.group("host").mark, "+")
        self.assertFalse(frame.procs("host"))
        full = (1 << int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1) - 1
        if caps("self") == full:  # the machine may lack some
            self.assertRegex(frame.group("host").command, r"^\d+ as root with full capabilities")


class Drift(Case):
    def test_exec_privileged_is_more_than_declared(self):
        terminal, _ = self.look()
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
        terminal = self.open_top("--runtime", "docker", size=(140, 50))
        self.frame(terminal, groups=5)
        with docker.run("--name=brief") as brief:
            frame = self.frame(terminal, lambda frame: frame.group("brief"))
            self.assertEqual([int(row.pid) for row in frame.procs("brief")], [brief.pid])
            terminal.wait_for(rf"started +brief|exec +brief +{brief.pid}/1 sleep")
        self.frame(terminal, lambda frame: not frame.group("brief"), groups=5)
        terminal.wait_for("(?:ended|exited) +brief")


class Pages(Case):
    def page(self, name):
        """Of the container's first process."""
        terminal, _ = self.look(size=(120, 100))
        terminal.select(containers[name].pid)
        terminal.send("Enter")
        lines = terminal.wait(lambda lines: "Capabilities" in lines and lines[-1].startswith("Esc") and lines)
        return containers[name].pid, "\n".join(lines)

    def test_inspect_of_root_in_docker(self):
        pid, text = self.page("plain")
        self.assertRegex(text, r"effective +docker-default, 14 of \d+; they count on the host")
        self.assertRegex(text, r"(?m)^ *capabilities +docker-default +docker-default$")
        self.assertRegex(text, rf"(?m)^ *{pid} +{os.stat('/proc/self/ns/pid').st_ino} +the host's")
        self.assertRegex(text, rf"(?m)^ *pid +{os.stat(f'/proc/{pid}/ns/pid').st_ino} +the container's own")
        self.assertRegex(text, r"(?m)^ *user +\d+ +the host's")
        self.assertIn(containers["plain"].id[:20], text)

    def test_inspect_of_root_in_a_user_namespace(self):
        pid, text = self.page("rootless")
        inode = os.stat(f"/proc/{pid}/ns/user").st_ino
        text = re.sub(r"\s+", " ", text)
        self.assertIn(f"they count only in user namespace {inode} (level 1", text)
        outside = procview.status(pid)["Uid"].split()[0]
        self.assertRegex(text, rf"effective {outside}\b.*0 \(root\)")

    def test_inside_is_what_docker_exec_ps_prints(self):
        terminal, _ = self.look(size=(150, 60))
        terminal.select(containers["plain"].pid)
        terminal.send("i")
        terminal.wait(lambda lines: self.cells(docker.call("exec", "plain", "ps", "aux").splitlines()) == self.cells(lines))

    def cells(self, lines):
        """USER PID TTY STAT START COMMAND."""
        start = next((number for number, line in enumerate(lines) if re.search(r"VSZ +RSS TTY", line)), len(lines))
        rows = [line.split(None, 10) for line in lines[start:]]
        return [[row[place].rstrip() for place in (0, 1, 6, 7, 8, 10)] for row in rows
                if len(row) == 11 and row[10] != "ps aux"]


if __name__ == "__main__":
    unittest.main()
