# SPDX-License-Identifier: GPL-2.0-only
"""nsview run: the words around COMMAND's start and end, -e, -w, --hostname, -d, --list, --stop."""

import os
import unittest

from nsview import requires_root, run


def inside(*words, options=(), **settings):
    """What COMMAND prints in a container."""
    return run("run", *options, "--", *words, **settings).stdout


class Refusing(unittest.TestCase):
    def assert_refused(self, words, status, *patterns):
        with self.subTest(words=words):
            done = run("run", *words, check=status)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\Ansview: [^\n]+\n\Z")
            for pattern in patterns:
                self.assertIn(pattern, done.stderr)


@requires_root
class Environment(Refusing):
    def variables(self, *options, **settings):
        text = inside("cat", "/proc/self/environ", options=options, **settings)
        return dict(entry.split("=", 1) for entry in text.split("\0") if entry)

    def test_a_variable_is_set_and_the_last_of_a_name_wins(self):
        found = self.variables("-e", "A=1", "--env", "A=2=3", "-eEMPTY=", "-e", "HOME=/x", "--hostname", "web")
        del found["PATH"]
        self.assertEqual(found, {"A": "2=3", "EMPTY": "", "HOME": "/x", "HOSTNAME": "web"})

    def test_without_a_value_it_is_nsviews_own_or_none(self):
        found = self.variables("-e", "GIVEN", "-e", "NOT_GIVEN", "-e", "HOME", env={"GIVEN": "a b"})
        self.assertEqual(found["GIVEN"], "a b")
        self.assertNotIn("NOT_GIVEN", found)
        self.assertNotIn("HOME", found)

    def test_the_command_is_looked_for_in_the_path_that_was_given(self):
        self.assert_refused(["-e", "PATH=/no/where", "true"], 127, "/no/where")

    def test_a_variable_without_a_name_is_refused(self):
        for words in ("", "=", "=x"):
            self.assert_refused(["-e", words, "true"], 125, "NAME=VALUE")


@requires_root
class Places(Refusing):
    def test_the_command_starts_in_the_working_directory(self):
        self.assertEqual(inside("pwd", options=["-w", "/usr/bin"]), "/usr/bin\n")

    def test_a_working_directory_is_made_when_it_is_not_there(self):
        text = inside("sh", "-c", "pwd; stat -c '%a %u' .", options=["--workdir", "/a/b c", "--user", "1000"])
        self.assertEqual(text, "/a/b c\n755 0\n")
        self.assertFalse(os.path.exists("/a/b c"))

    def test_one_that_cannot_be_is_refused(self):
        self.assert_refused(["-w", "here", "true"], 125, "'here'", "absolute")
        self.assert_refused(["-w", "/etc/passwd", "true"], 125, "/etc/passwd", "Not a directory")
        self.assert_refused(["-w", "/usr/nsview-new", "true"], 125, "/usr/nsview-new")

    def test_it_is_made_in_a_root_that_is_then_read_only(self):
        self.assertEqual(inside("pwd", options=["--read-only", "-w", "/new"]), "/new\n")

    def test_the_host_name_is_the_one_given(self):
        self.assertEqual(inside("sh", "-c", "hostname; echo $HOSTNAME", options=["--hostname", "web-1.example"]),
                         "web-1.example\nweb-1.example\n")

    def test_what_is_no_host_name_is_refused(self):
        for name in ("", "-a", "a-", "a..b", "../x", "a b", "a\x1b[31m", "a" * 65):
            self.assert_refused(["--hostname", name, "true"], 125, "--hostname")
        self.assert_refused(["--hostname", "web", "--uts", "host", "true"], 125, "--uts host")


if __name__ == "__main__":
    unittest.main()
