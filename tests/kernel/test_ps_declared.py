# SPDX-License-Identifier: GPL-2.0-only
"""The columns of what a container declares, may use and uses, for nsview's own containers, and ps --by."""

import contextlib
import json
import os
import signal
import subprocess
import time
import unittest

import nsview
import procview
from nsview import run


@contextlib.contextmanager
def sample(*words):
    """The name of a container of `nsview run WORDS`, and its command's row by source."""
    name = f"declared-{os.getpid()}"
    starter = subprocess.Popen([nsview.NSVIEW, "run", "--name", name, *words, "sleep", "3600"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield name, lambda source: find(name, source)
    finally:
        os.kill(find(name, "proc")["pid"], signal.SIGKILL)
        starter.communicate(timeout=nsview.SECONDS)


def find(name, source):
    deadline = time.monotonic() + nsview.SECONDS
    while time.monotonic() < deadline:
        done = run("ps", "-c", name, "--json", "--source", source, check=None)
        for row in json.loads(done.stdout or "[]"):
            if row["comm"] == "sleep":
                return row
        time.sleep(0.02)
    raise TimeoutError(f"no container {name}")


@nsview.requires_root
class Declared(unittest.TestCase):
    def compare(self, words, expected):
        with sample(*words) as (_, look):
            for source in ("bpf", "proc"):
                row = look(source)
                bounding = int(procview.status(row["pid"])["CapBnd"], 16)
                self.assertEqual(sorted(row["declared"]["caps"]), sorted(row["bnd"]))
                self.assertEqual(int(row["bnd_hex"], 16), bounding)
                self.assertEqual({key: row["declared"][key] for key in expected}, expected)
                self.assertEqual((row["drift"], row["image"], row["runtime"]), ([], None, "nsview"))

    def test_rights(self):
        self.compare([], {"user": "", "privileged": False, "nnp": False, "readonly_root": False})
        self.compare(["--user=1000", "--cap-add=NET_ADMIN", "--cap-drop=KILL", "--read-only",
                      "--security-opt=no-new-privileges"],
                     {"user": "1000", "nnp": True, "readonly_root": True})

    def test_one_with_the_hosts_pids_is_named_by_its_process(self):
        with sample("--pid=host") as (name, look):
            for source in ("bpf", "proc"):
                self.assertEqual(look(source)["container"], name)
                self.assertIn("pid", look(source)["declared"]["shared"])


@nsview.requires_root
class By(unittest.TestCase):
    def test_every_process_is_in_one_row(self):
        for way in ("container", "image", "pod", "user", "runtime"):
            for source in ("bpf", "proc"):
                with self.subTest(way=way, source=source):
                    select = ["-p", "1,2", "--source", source]
                    rows = json.loads(run("ps", "--by", way, "--json", *select).stdout)
                    self.assertEqual(sum(row["processes"] for row in rows), len(nsview.ps("-p", "1,2")))
                    lines = run("ps", "--by", way, "--ndjson", *select).stdout.splitlines()
                    self.assertEqual([json.loads(line)[way] for line in lines], [row[way] for row in rows])
                    table = run("ps", "--by", way, "--no-headers", *select).stdout.splitlines()
                    self.assertEqual(len(table), len(rows))

    def test_words_that_there_are_not(self):
        self.assertIn("container, image, pod, user and runtime", run("ps", "--by", "colour", check=2).stderr)
        for words in (["--sort", "rss"], ["-o", "pid"]):
            self.assertIn(words[0], run("ps", "--by=user", *words, check=2).stderr)


if __name__ == "__main__":
    unittest.main()
