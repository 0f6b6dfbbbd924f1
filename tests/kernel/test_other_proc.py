# SPDX-License-Identifier: GPL-2.0-only
"""nsview where /proc is another pid namespace's: what it has by a host process's pid is another one."""

import json
import pathlib
import sys
import unittest

import nsview

HELPER = str(pathlib.Path(__file__).with_name("other_proc.py"))


@nsview.requires_root
@nsview.requires_outside
class OtherProc(unittest.TestCase):
    def look(self, subject, *words, check=0):
        return nsview.run(*words, check=check,
                          command=["unshare", "--mount", "--propagation=private", sys.executable, HELPER,
                                   str(subject.pid)])

    def test_what_only_proc_tells_is_unknown(self):
        with nsview.Subject() as subject:
            done = self.look(subject, "ps", "--json", "-p", str(subject.pid), "--source", "bpf")
            row = json.loads(done.stdout)[0]
            self.assertEqual([row["pid"], row["comm"]], [subject.pid, "subject"])
            for key in ("exe", "cwd", "args"):
                self.assertIsNone(row[key], key)
                self.assertIn(key, row["unknown"])
            self.assertNotIn("sleep", done.stdout)

    def test_its_first_process_is_not_taken_for_the_host_s(self):
        with nsview.Subject() as subject:
            done = self.look(subject, "ps", "--json", "--source", "bpf")
            firsts = [row for row in json.loads(done.stdout) if row["pid"] == 1]
            self.assertNotIn("other_proc.py", str([row["args"] for row in firsts]))

    def test_inside_is_refused(self):
        with nsview.Subject() as subject:
            self.assertIn("could not be read", self.look(subject, "ps", "--inside", str(subject.pid), check=3).stderr)


if __name__ == "__main__":
    unittest.main()
