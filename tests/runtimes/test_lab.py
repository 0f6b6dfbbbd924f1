# SPDX-License-Identifier: GPL-2.0-only
"""The lab itself: it has the containers it was asked for, and leaves nothing."""

import glob
import os
import subprocess
import tempfile
import unittest

import kernel_state
import lab


def traces():
    """Whatever a Docker leaves where it is not cleaned up."""
    links = subprocess.run([lab.find_program("ip"), "-o", "link"], capture_output=True, text=True).stdout
    processes = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read()
        except OSError:
            continue
        if lab.PREFIX.encode() in words:
            processes.append(words)
    return {
        "mounts": sorted(mount["point"] for mount in kernel_state.mounts_of("self")),
        "links": sorted(line.split(": ")[1] for line in links.splitlines()),
        # A daemon leaves its empty /docker where another daemon may still want it.
        "cgroups": sorted(path for root in lab.cgroup_roots()
                          for path in glob.glob(f"{root}/*/") + glob.glob(f"{root}/docker/*/")
                          if os.path.basename(path.rstrip("/")) != "docker"),
        "folders": glob.glob(f"{tempfile.gettempdir()}/{lab.PREFIX}*") + glob.glob("/run/docker*")
                   + glob.glob("/run/containerd*") + glob.glob("/var/lib/docker*"),
        "forwarding": kernel_state.read_text("/proc/sys/net/ipv4/ip_forward"),
        "processes": processes,
    }


@lab.needs_docker
class Lab(unittest.TestCase):
    maxDiff = None

    def test_what_was_started_is_gone_afterwards(self):
        before = traces()
        with lab.Docker() as docker:
            folder = docker.folder
            container = docker.run("--memory=64m", "--name=left-behind")
            container.exec(command=["sleep", "71"])
            during = traces()
            self.assertTrue(os.path.isdir(folder / "data/containers" / container.id))
        self.assertEqual(traces(), before)
        for kind in ("links", "cgroups", "folders", "processes"):
            self.assertNotEqual(during[kind], before[kind], kind)

    def test_a_daemon_that_was_killed_is_cleaned_up_too(self):
        before = traces()
        docker = lab.Docker()
        docker.start()
        docker.run()
        docker.daemon.kill()
        docker.daemon.wait()
        docker.stop()
        self.assertEqual(traces(), before)

    def test_an_image_has_procps(self):
        with lab.Docker() as docker:
            container = docker.run(image="procps")
            shown = docker.call("exec", container.id, "ps", "-eo", "pid,args").split("\n")
        self.assertEqual(shown[1].split(), ["1", "sleep", "3600"])


if __name__ == "__main__":
    unittest.main()
