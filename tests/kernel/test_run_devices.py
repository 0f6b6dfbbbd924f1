# SPDX-License-Identifier: GPL-2.0-only
"""nsview run: which devices can be opened, by each way that there is to keep a container from the others."""

import errno
import json
import os
import unittest

from nsview import PYTHON, requires_root, run

CONTROLLER = "/sys/fs/cgroup/devices"  # version 1's
# docker's list: what may be opened, by kind and number, and neighbours of each.
OPENED = ["c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:1", "c 5:2", "c 10:200", "c 136:0", "c 136:200"]
REFUSED = ["c 1:1", "c 1:2", "c 1:4", "c 1:6", "c 1:10", "c 1:11", "b 1:3", "c 5:3", "c 4:0", "c 10:199", "c 10:229",
           "c 135:0", "c 137:0", "b 8:0", "b 136:0", "b 254:0", "b 10:200", "c 3:1"]
ALWAYS_THERE = OPENED[:5]
PROGRAM = """if True:
    import json, os, stat, sys
    found = {}
    for node in sys.argv[1:]:
        kind, numbers = node.split()
        path = "/tmp/" + node.replace(" ", "-")
        os.mknod(path, 0o666 | (stat.S_IFCHR if kind == "c" else stat.S_IFBLK), os.makedev(*map(int, numbers.split(":"))))
        found[node] = []
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
            try:
                os.close(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY))
                found[node].append(0)
            except OSError as error:
                found[node].append(error.errno)
    print(json.dumps(found))
    """


def without(place):
    """nsview in a mount namespace of its own that lacks this hierarchy."""
    return ["unshare", "-m", "sh", "-c", f"umount -R -l {place} && exec \"$@\"", "sh"]


def outcomes(command=()):
    """{node: [errno of opening it for reading, writing, both]}; all can be made."""
    return json.loads(run("run", *PYTHON, "-c", PROGRAM, *OPENED, *REFUSED, command=list(command)).stdout)


@requires_root
class Devices(unittest.TestCase):
    def assert_dockers(self, found):
        for node in OPENED:
            self.assertNotIn(errno.EPERM, found[node], node)
            self.assertNotIn(errno.EACCES, found[node], node)
        for node in ALWAYS_THERE:
            self.assertEqual(found[node], [0, 0, 0], node)
        for node in REFUSED:
            self.assertEqual(found[node], [errno.EPERM] * 3, node)

    def test_they_are_dockers(self):
        self.assert_dockers(outcomes())

    def test_without_the_controller_it_is_the_same(self):
        """A program in the kernel does it then."""
        if os.path.ismount(CONTROLLER):
            found = outcomes(without(CONTROLLER))
            self.assert_dockers(found)
            self.assertEqual(found, outcomes())

    def test_no_mount_is_in_its_way(self):
        for command in [()] + ([without(CONTROLLER)] if os.path.ismount(CONTROLLER) else []):
            text = run("run", "cat", "/proc/self/mountinfo", command=list(command)).stdout
            options = {line.split()[4]: line.split()[5].split(",") for line in text.splitlines()}
            self.assertNotIn("nodev", options["/"])
            self.assertNotIn("nodev", options["/dev"])

    def test_without_control_groups_none_that_is_made_is_opened(self):
        found = outcomes(without("/sys/fs/cgroup"))
        self.assertEqual({error for errors in found.values() for error in errors}, {errno.EACCES})
        text = run("run", "sh", "-c", "head -c 3 /dev/zero | od -An -c; echo x > /dev/null && echo ok",
                   command=without("/sys/fs/cgroup")).stdout
        self.assertEqual(text.split(), ["\\0", "\\0", "\\0", "ok"])

    def test_the_default_capabilities_make_them(self):
        """Nothing of this is because they could not be made, or because root was not root."""
        found = json.loads(run("run", "--privileged", *PYTHON, "-c", PROGRAM, "c 1:11").stdout)
        self.assertEqual(found["c 1:11"][0], 0)


if __name__ == "__main__":
    unittest.main()
