# SPDX-License-Identifier: GPL-2.0-only
"""For each of docker's words: a container by docker and one by `nsview run`, started with the same
words, are in the same state, as far as the kernel tells (kernel_state.py)."""

import functools
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

import kernel_state
import lab
from harness.patience import patience

NSVIEW = os.environ.get("NSVIEW", "build/nsview")
WAIT_SECONDS = patience(20)
# Docker began to know these with version 23: --privileged and --cap-add=ALL leave them out before.
YOUNG_CAPABILITIES = {"PERFMON", "BPF", "CHECKPOINT_RESTORE"}
# Whatever else is mounted is the image, not the runtime.
RUNTIME_MOUNTS = re.compile(r"/|/(proc|sys|dev|data)(/.*)?")

# One row a test: what it is called, docker's words. FOLDER is a folder of the test's own; 4242 is a user
# that neither this machine nor the image knows, so that none gives it a group and a home.
ROWS = [
    ("nothing", []),
    ("user", ["--user=4242"]),
    ("user_and_group", ["--user=4242:2000"]),
    ("user_by_name", ["--user=www-data"]),
    ("cap_add_MAC_ADMIN", ["--cap-add=MAC_ADMIN"]),
    ("cap_add_NET_ADMIN", ["--cap-add", "CAP_NET_ADMIN"]),
    ("cap_add_ALL", ["--cap-add=ALL"]),
    ("cap_add_ALL_but_one", ["--cap-add=ALL", "--cap-drop=SYS_ADMIN"]),
    ("cap_add_as_a_user", ["--user=4242", "--cap-add=NET_ADMIN"]),
    ("cap_drop_KILL", ["--cap-drop=kill"]),
    ("cap_drop_ALL", ["--cap-drop=ALL"]),
    ("cap_drop_ALL_but_one", ["--cap-drop=ALL", "--cap-add=NET_BIND_SERVICE"]),
    ("privileged", ["--privileged"]),
    ("privileged_as_a_user", ["--privileged", "--user=4242"]),
    ("no_new_privileges", ["--security-opt=no-new-privileges"]),
    ("no_new_privileges_as_a_user", ["--security-opt", "no-new-privileges", "--user=4242"]),
    ("half_a_cpu", ["--cpus=.5"]),
    ("two_cpus", ["--cpus=2"]),
    ("memory", ["--memory=500m"]),
    ("memory_by_letter", ["-m", "64m"]),
    ("pids_limit", ["--pids-limit=100"]),
    ("all_limits", ["--cpus=1.5", "--memory=1g", "--pids-limit=50"]),
    ("read_only", ["--read-only"]),
    ("volume", ["-v", "FOLDER:/data"]),
    ("volume_read_only", ["-v", "FOLDER:/data:ro"]),
    ("environment", ["-e", "COLOUR=green", "-e", "EMPTY="]),
    ("folder", ["-w", "/tmp"]),
    ("hostname", ["--hostname=web-3"]),
    ("network_none", ["--network=none"]),
    ("network_host", ["--network=host"]),
    ("pid_host", ["--pid=host"]),
    ("ipc_host", ["--ipc=host"]),
    ("uts_host", ["--uts=host"]),
    ("userns_host", ["--userns=host"]),
    ("all_of_the_hosts", ["--network=host", "--pid=host", "--ipc=host", "--uts=host"]),
    ("stdin", ["-i"]),
    ("terminal", ["-t"]),
    ("terminal_and_stdin", ["-it"]),
]

# What is so anyway, said aloud; and what only the client does.
NO_EFFECT = ["nothing", "network_none", "userns_host", "stdin"]

docker = lab.Docker()


def setUpModule():
    docker.start()


def tearDownModule():
    docker.stop()


def find_process(arguments, starter=None):
    """The pid of the process with exactly these arguments, once it is there; None if starter ends first."""
    wanted = b"".join(word.encode() + b"\0" for word in arguments)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and not (starter and starter.poll() is not None):
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if pathlib.Path(f"/proc/{name}/cmdline").read_bytes() == wanted:
                    return int(name)
            except OSError:
                continue
        time.sleep(0.01)
    return None


class Sample:
    """`nsview run WORDS -- COMMAND`, until its command is ended by its pid."""

    def __init__(self, words, command):
        # Only a terminal can be asked for a terminal, unless nobody is to use it.
        detached = ["-d"] if {"-t", "-it"}.intersection(words) else []
        self.output = tempfile.TemporaryFile("w+")
        self.starter = subprocess.Popen([NSVIEW, "run", *detached, *words, "--", *command], stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=self.output)
        self.pid = find_process(command, self.starter if not detached else None)
        if self.pid is None:
            self.close()
            self.output.seek(0)
            raise AssertionError(f"nsview run {' '.join(words)}: {self.output.read().strip()}")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        os.kill(self.pid, signal.SIGKILL)
        self.close()

    def close(self):
        try:
            self.starter.wait(WAIT_SECONDS)
        finally:
            if self.starter.poll() is None:
                self.starter.kill()
                self.starter.wait()


def without(names, state):
    state["capabilities"] = {kind: [name for name in held if name not in names]
                             for kind, held in state["capabilities"].items()}


def comparable(pid, words):
    """What is left once each runtime's own choices are taken out: the id as a host name, and the image."""
    state = kernel_state.read(pid)
    if re.fullmatch("[0-9a-f]{12}", state["hostname"]):
        state["hostname"] = "its id"
    del state["process"]["arguments"]  # they are what it was found by
    # docker lets everybody bind low ports and ping, by two sysctls. nsview run leaves the network as the kernel has
    # it: what NET_BIND_SERVICE is for could not be seen otherwise.
    del state["sysctls"]
    environment = state["process"]["environment"]
    if re.fullmatch("[0-9a-f]{12}", environment.get("HOSTNAME", "")):
        environment["HOSTNAME"] = "its id"
    state["mounts"] = {point: flags for point, flags in state["mounts"].items() if RUNTIME_MOUNTS.fullmatch(point)}
    if not any("ALL" in word or "privileged" == word.strip("-") for word in words):
        return state
    if int(docker.call("version", "--format={{.Server.Version}}").split(".")[0]) < 23:
        without(YOUNG_CAPABILITIES, state)
    return state


def command_of(name):
    """Arguments that no other process has."""
    return ("sleep", f"3600.{os.getpid()}{[row[0] for row in ROWS].index(name)}")


@functools.cache
def by_docker(name):
    words = dict(ROWS)[name]
    # What nsview has as its default: no bridge, and a cgroup namespace also on version 1.
    defaults = ["--cgroupns=private"]
    defaults += [] if any(word.startswith("--network") for word in words) else ["--network=none"]
    with tempfile.TemporaryDirectory() as folder:
        given = [word.replace("FOLDER", folder) for word in words]
        with docker.run(*given, *defaults, command=command_of(name)) as container:
            return comparable(container.pid, words)


def by_nsview(name):
    words = dict(ROWS)[name]
    with tempfile.TemporaryDirectory() as folder:
        given = [word.replace("FOLDER", folder) for word in words]
        with Sample(given, command_of(name)) as sample:
            return comparable(sample.pid, words)


def comparison(name, words):
    def test(self):
        differences = kernel_state.differences(by_nsview(name), by_docker(name))
        self.assertEqual([], differences, "nsview against docker:\n" + "\n".join(differences))
    test.__name__ = f"test_{name}"
    test.__doc__ = f"docker run {' '.join(words)}"
    return test


@lab.needs_docker
class RunLikeDocker(unittest.TestCase):
    longMessage = False


for row_name, row_words in ROWS:
    setattr(RunLikeDocker, f"test_{row_name}", comparison(row_name, row_words))


@lab.needs_docker
class Table(unittest.TestCase):
    def test_each_word_changes_what_is_compared(self):
        """A word that changes nothing would be compared for nothing."""
        plain = by_docker("nothing")
        changes_nothing = [name for name, _ in ROWS if not kernel_state.differences(plain, by_docker(name))]
        self.assertEqual(changes_nothing, NO_EFFECT)


if __name__ == "__main__":
    unittest.main()
