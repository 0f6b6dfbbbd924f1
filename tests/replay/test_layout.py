# SPDX-License-Identifier: GPL-2.0-only
"""How a recording of a real run looks, to the byte. Whether it is true is tested elsewhere: a change
here is one of layout, to be looked at and accepted with tests/replay/record --accept."""

import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kernel"))

import nsview  # noqa: E402

RECORDING = HERE / "two.nsview"
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"}
SHOWN = {
    "ps": ["ps"],
    "ps-ef": ["ps", "-ef"],
    "ps-tree": ["ps", "--tree"],
    "ps-start": ["ps", "--at", "+0"],
    "ps-json": ["ps", "--json"],
    "ps-by-container": ["ps", "--by", "container"],
    "ps-columns": ["ps", "-o", "container,pid,chain,uid,euid,in-uid,eff,prm,bnd,host-effective,nnp,seccomp,cgroup"],
    "ps-inside": ["ps", "--inside", "shop"],
    "ps-both": ["ps", "--both", "shop"],
    "events-ecs": ["events", "--snapshot"],
    "events-otel": ["events", "--format", "otel"],
    "events-text": ["events", "--format", "text"],
}


def show(words):
    done = nsview.run(*words, "--replay", str(RECORDING), text=False, errors=None, env=ENVIRONMENT)
    return done.stdout + b"".join(b"said: " + line for line in done.stderr.splitlines(True))


def accept():
    for name, words in SHOWN.items():
        (HERE / "expected" / name).write_bytes(show(words))


class Layout(unittest.TestCase):
    maxDiff = None

    def check(self, name):
        expected = (HERE / "expected" / name).read_bytes()
        shown = show(SHOWN[name])
        self.assertEqual(shown.decode(errors="replace"), expected.decode(errors="replace"))
        self.assertEqual(shown, expected)


def add_test(name):
    setattr(Layout, "test_" + name.replace("-", "_"), lambda self: self.check(name))


for each in SHOWN:
    add_test(each)


if __name__ == "__main__":
    unittest.main()
