# SPDX-License-Identifier: GPL-2.0-only
"""nsview ps --inside and --both against `docker exec CONTAINER ps` with Debian's procps in the image."""

import os
import re
import time
import unittest

import lab
import nsview
import test_inside

AUX, FULL = test_inside.AUX, test_inside.FULL
CONTAINERS = {
    "plain": [],
    "user": ["--user=1000"],
    "terminal": ["-t"],
    "pidhost": ["--pid=host"],
    "nothing": ["--cap-drop=ALL", "--security-opt=no-new-privileges"],
}
# A session of its own, and 5,000 bytes of arguments.
SCRIPT = "sleep 1000 & setsid sleep 1001 & sleep 1002 & wait; : " + "x" * 5000

docker = lab.Docker()
containers = {}


def setUpModule():
    docker.start()
    if not docker.folder:
        return
    for name, words in CONTAINERS.items():
        containers[name] = docker.run(f"--name=inside-{name}", *words, image="procps",
                                      command=("sh", "-c", SCRIPT))


def tearDownModule():
    docker.stop()


@lab.needs_docker
class Inside(unittest.TestCase):
    compare_rows = test_inside.AgainstProcps.compare_rows

    def theirs(self, container, words):
        lines = docker.call("exec", container.id, *words).splitlines()
        return [line for line in lines if not re.search(r"\d+ +.* (ps aux|ps -ef)$", line)]

    def ours(self, name, words):
        # Another Docker's container may have that name: the id is this one's.
        select = containers[name].id
        full = ["-ef"] if words == FULL else []
        return nsview.run("ps", "--inside", select, *full, env={**os.environ, "LC_ALL": "C"}).stdout.splitlines()

    def test_each_container_shows_what_its_own_ps_does(self):
        time.sleep(2)  # a clock tick then is not much of a life
        for name in CONTAINERS:
            if name == "pidhost":
                continue
            for words in (AUX, FULL):
                with self.subTest(name=name, words=words):
                    their, mine = self.theirs(containers[name], words), self.ours(name, words)
                    self.assertEqual(their[0], mine[0])
                    self.assertGreater(len(their), 4)
                    self.assertEqual(len(their), len(mine), (their, mine))
                    for one, other in zip(their[1:], mine[1:]):
                        self.compare_rows(their[0].split(), test_inside.MOVING[words],
                                          one.encode(), other.encode())

    def test_where_the_pid_namespace_is_shared_all_of_the_host_is_seen(self):
        def quiet(lines):
            """{pid: user, terminal, command}; a kernel worker is called after what it works on."""
            rows = (line.split(None, 10) for line in lines[1:])
            return {row[1]: (row[0], row[6], row[10]) for row in rows if len(row) == 11 and "kworker" not in row[10]}

        with nsview.Subject("pty") as subject:  # on a terminal that is not in the container's /dev
            before = quiet(self.theirs(containers["pidhost"], AUX))
            found = quiet(self.ours("pidhost", AUX))
            after = quiet(self.theirs(containers["pidhost"], AUX))
            self.assertEqual(found[str(subject.pid)][1], "?")
        steady = {pid for pid in before if before[pid] == after.get(pid)}
        self.assertIn(str(os.getpid()), steady)
        self.assertEqual({pid: before[pid] for pid in steady}, {pid: found.get(pid) for pid in steady})

    def test_docker_exec_is_named(self):
        container = containers["plain"]
        docker.call("exec", "-d", container.id, "sleep", "777")
        nsview.wait_until(lambda: "sleep 777" in nsview.run("ps", "--inside", container.id).stdout)
        text = nsview.run("ps", "--both", container.id).stdout
        self.assertRegex(text, r"\nPid \d+ was put there by `docker exec`: its parent, \d+ containerd-shim, is "
                               r"outside, so its parent pid inside is 0\.")
        self.assertRegex(text, r"^inside-plain \(docker, procps\) - as `ps aux` prints it inside\n")
        self.assertIn("It has docker-default, 14 of ", text)
        self.assertIn("it cannot reboot the host (SYS_BOOT), mount (SYS_ADMIN) or load a module (SYS_MODULE).", text)

    def test_a_paused_container_is_shown_too(self):
        container = containers["user"]
        before = self.ours("user", FULL)
        docker.call("pause", container.id)
        try:
            rows = [row.split() for row in self.ours("user", FULL)]
            self.assertEqual([row[:3] for row in rows], [row.split()[:3] for row in before])
        finally:
            docker.call("unpause", container.id)


if __name__ == "__main__":
    unittest.main()
