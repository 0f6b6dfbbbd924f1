#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs one unittest module: worker.py ANSWERS_FD FILE [PATTERN...]. A JSON line per test goes to ANSWERS_FD."""

import importlib.util
import json
import os
import pathlib
import sys
import time
import traceback
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from harness.jobs import is_wanted  # noqa: E402


class Answers(unittest.TestResult):
    def __init__(self, file):
        super().__init__()
        self.file = file
        self.subtests = {}
        self.started = time.monotonic()

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def answer(self, test, outcome, detail=""):
        seconds = time.monotonic() - self.started
        print(json.dumps([test.id(), outcome, detail, seconds]), file=self.file, flush=True)

    def words(self, error):
        kind, value, trace = error
        place = [frame for frame in traceback.extract_tb(trace) if frame.filename.startswith(str(TESTS))]
        where = [f"{os.path.relpath(frame.filename, TESTS.parent)}:{frame.lineno}: {frame.line}"
                 for frame in place if "harness" not in frame.filename]
        said = str(value) if issubclass(kind, AssertionError) else f"{kind.__name__}: {value}"
        return "\n".join([said] + where)

    def addSuccess(self, test):
        self.answer(test, "passed")

    def addFailure(self, test, error):
        self.answer(test, "failed", self.words(error))

    addError = addFailure

    def addSkip(self, test, reason):
        self.answer(test, "skipped", reason)

    def addSubTest(self, test, subtest, error):
        if error:
            self.subtests.setdefault(test.id(), []).append(
                f"with {subtest._subDescription()}: {self.words(error)}")

    def stopTest(self, test):
        if found := self.subtests.pop(test.id(), None):
            self.answer(test, "failed", "\n".join(found))
        super().stopTest(test)


def all_tests(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from all_tests(part)
        else:
            yield part


def load(source):
    name = f"{source.parent.name}.{source.stem}"
    sys.path[:0] = [str(source.parent), str(TESTS / "kernel")]
    spec = importlib.util.spec_from_file_location(name, source)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def main():
    descriptor, source, patterns = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    os.set_inheritable(descriptor, False)
    wanted = unittest.TestSuite(test for test in all_tests(load(source)) if is_wanted(test.id(), patterns))
    with os.fdopen(descriptor, "w", closefd=False) as file:
        wanted.run(Answers(file))


if __name__ == "__main__":
    main()
