# SPDX-License-Identifier: GPL-2.0-only
"""nsview ps --inside and --both against `docker exec CONTAINER ps` with Debian's procps in the image."""

import os
import re
import subprocess
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
# All that the rules of ps tell apart. A job in the background would have /dev/null for its input, and end;
# the copy of the program belongs to root and is run by another user.
EVERYTHING = """
exec 3<&0
busybox cp /subject /tmp/raised && busybox chmod 4755 /tmp/raised
set -m
sleep 1000 &
setsid sleep 1001 &
set +m
/subject threads 3 hold <&3 &
/subject zombie hold <&3 &
/subject pty hold <&3 &
/subject comm 'new name)' hold <&3 &
/subject nice 7 mlock hold <&3 &
/subject fork stop <&3 &
/subject memory 128 hold <&3 &
/subject hold """ + "x" * 5000 + """ <&3 &
wait
"""

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


class Comparison(unittest.TestCase):
    compare_rows = test_inside.AgainstProcps.compare_rows

    def theirs(self, container, words):
        lines = container.docker.call("exec", container.id, *words).splitlines()
        return [line for line in lines if not re.search(r"\d+ +.* (ps aux|ps -ef)$", line)]

    def ours(self, container, words):
        # Another Docker's container may have that name: the id is this one's.
        full = ["-ef"] if words == FULL else []
        return nsview.run("ps", "--inside", container.id, *full,
                          env={**os.environ, "LC_ALL": "C"}).stdout.splitlines()

    def compare(self, container, words):
        their, mine = self.theirs(container, words), self.ours(container, words)
        self.assertEqual(their[0], mine[0])
        self.assertGreater(len(their), 4)
        self.assertEqual(len(their), len(mine), (their, mine))
        for one, other in zip(their[1:], mine[1:]):
            self.compare_rows(their[0].split(), test_inside.MOVING[words], one.encode(), other.encode())
        return mine


@lab.needs_docker
class Inside(Comparison):
    def test_each_container_shows_what_its_own_ps_does(self):
        time.sleep(2)  # a clock tick then is not much of a life
        for name, container in containers.items():
            if name == "pidhost":
                continue
            for words in (AUX, FULL):
                with self.subTest(name=name, words=words):
                    self.compare(container, words)

    def test_all_that_the_rules_of_ps_tell_apart(self):
        with docker.run("-i", "-v", f"{nsview.SUBJECT}:/subject:ro", image="procps",
                        command=("sh", "-c", EVERYTHING)) as container:
            nsview.wait_until(lambda: any(row["args"][:2] == ["/subject", "hold"]  # the last one
                                          for row in nsview.ps("-c", container.id).values() if row["args"]))
            shell = container.exec("--user=33", command=["sh", "-c", "sleep 1002 | /tmp/raised hold"])
            raised = nsview.wait_until(lambda: [pid for pid, row in nsview.ps("-c", container.id).items()
                                                if row["exe"] == "/tmp/raised" and row["ppid"] == shell])[0]
            time.sleep(2)
            for words in (AUX, FULL):
                rows = [row.split(None, 10) for row in self.compare(container, words)]
                self.assertGreater(len(rows), 13)
            row = nsview.ps("-p", str(raised))[raised]
            self.assertEqual((row["uid"], row["euid"]), (33, 0))

    def test_where_the_pid_namespace_is_shared_all_of_the_host_is_seen(self):
        def quiet(lines):
            """{pid: user, terminal, command}; a kernel worker is called after what it works on."""
            rows = (line.split(None, 10) for line in lines[1:])
            return {row[1]: (row[0], row[6], row[10]) for row in rows if len(row) == 11 and "kworker" not in row[10]}

        with nsview.Subject("pty") as subject:  # on a terminal that is not in the container's /dev
            before = quiet(self.theirs(containers["pidhost"], AUX))
            found = quiet(self.ours(containers["pidhost"], AUX))
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
        before = self.ours(container, FULL)
        docker.call("pause", container.id)
        try:
            rows = [row.split() for row in self.ours(container, FULL)]
            self.assertEqual([row[:3] for row in rows], [row.split()[:3] for row in before])
        finally:
            docker.call("unpause", container.id)


@lab.needs_docker
class Remapped(Comparison):
    IDS = "nobody:165536:65536\nnogroup:165536:65536\n"

    def compare_container(self, container):
        put = subprocess.Popen(["nsenter", "--target", str(container.pid), "--pid", "--mount", "/bin/sleep", "777"])
        try:
            nsview.wait_until(lambda: "sleep 777" in nsview.run("ps", "--inside", container.id).stdout)
            time.sleep(2)
            for words in (AUX, FULL):
                rows = self.compare(container, words)
                # The host's root is nobody there: no id of the map is his.
                self.assertRegex("\n".join(rows), r"\n(65534|nobody) .*/bin/sleep 777")
        finally:
            for child in nsview.children(put.pid):
                nsview.kill(child)
            put.wait()

    def test_a_remapped_daemon_s_containers_show_what_their_own_ps_does(self):
        with lab.Docker("--userns-remap=nobody:nogroup", subordinate_ids=self.IDS) as other:
            for words in ([], ["--user=33"], ["-t"], ["--cap-drop=ALL"]):
                with self.subTest(words=words), other.run(*words, image="procps",
                                                         command=("sh", "-c", SCRIPT)) as container:
                    self.compare_container(container)


if __name__ == "__main__":
    unittest.main()
