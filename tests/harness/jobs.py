# SPDX-License-Identifier: GPL-2.0-only
"""A job is one file of tests, run in a process of its own so that it can crash or hang alone."""

import dataclasses
import fnmatch
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile

from .patience import patience

UNIT_SECONDS = patience(120)
# A day, in a guest whose clock leaps (tests/kernel/vm/boot -l), is a moment.
PYTHON_SECONDS = 10 * 86400 if os.environ.get("NSVIEW_CLOCK_LEAPS") else 3600
PYTHON_SECONDS += 4 * float(os.environ.get("NSVIEW_STORM_SECONDS", "0"))  # test_events_loss.py, each tier
WORKER = pathlib.Path(__file__).with_name("worker.py")


@dataclasses.dataclass
class Result:
    name: str
    outcome: str  # passed, failed, skipped
    detail: str = ""
    seconds: float | None = None


def as_pattern(word):
    return word.replace("/", ".").removesuffix(".py")


def is_wanted(name, patterns):
    """By one of them; without any, everything is."""
    return not patterns or any(pattern in name or fnmatch.fnmatchcase(name, pattern)
                               for pattern in map(as_pattern, patterns))


def may_have_wanted(job_name, patterns):
    """False if no test of that file can match: a glob says how names begin. Saves running the file."""
    prefix = job_name.replace("/", ".") + "."

    def may_match(pattern):
        start = re.match(r"[^*?[]*", pattern)[0]
        return start == pattern or start.startswith(prefix) or prefix.startswith(start)

    return not patterns or any(map(may_match, map(as_pattern, patterns)))


def end_words(status, seconds):
    if status is None:
        return f"did not end within {seconds} s"
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def has_ended(pid, seconds):
    """Popen.wait would look twenty times a second, which a leaping clock turns into millions."""
    ending = os.pidfd_open(pid)
    try:
        return bool(select.select([ending], [], [], seconds)[0])
    finally:
        os.close(ending)


def run_limited(command, seconds, **options):
    """(status or None if it had to be killed, its output). The output goes through a file: a pipe
    would keep us waiting for whatever the job left behind."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True, **options)
        status = None
        try:
            if has_ended(process.pid, seconds):
                status = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        output.seek(0)
        return status, output.read().decode(errors="replace")


class UnitJob:
    """A cmocka binary; it speaks TAP."""

    LINE = re.compile(r"^(not ok|ok) \d+ (?:- (?P<name>.+)|# SKIP (?P<skipped>.+))$")

    def __init__(self, source, binary):
        self.name = f"unit/{source.stem}"
        self.binary = binary

    def run(self, patterns):
        if not self.binary.exists():
            missing = f"{self.binary} is not built (make check builds it)"
            built = Result(self.test_name("build"), "failed", missing)
            return [built] if is_wanted(self.test_name(""), patterns) else []
        environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
        status, output = run_limited([str(self.binary)], UNIT_SECONDS, env=environment)
        return [result for result in self.parse(status, output) if is_wanted(result.name, patterns)]

    def test_name(self, test):
        return f"{self.name.replace('/', '.')}.{test}"

    def parse(self, status, output):
        results, planned, pending = [], 0, []  # a binary may run several groups
        for line in output.splitlines():
            if line.startswith("1.."):
                planned += int(line[3:])
            elif match := self.LINE.match(line):
                outcome = "skipped" if match["skipped"] else "passed" if match[1] == "ok" else "failed"
                name = self.test_name(match["skipped"] or match["name"])
                # What the test itself printed stands before its verdict, cmocka's reason after it.
                results.append(Result(name, outcome, "\n".join(pending) if outcome != "passed" else ""))
                pending = []
            elif line.startswith("#") and results and results[-1].outcome != "passed":
                results[-1].detail += "\n" + line
            else:
                pending.append(line)
        failed = any(result.outcome == "failed" for result in results)
        if planned != len(results) or (status != 0 and not failed):
            told = f"{end_words(status, UNIT_SECONDS)} after {len(results)} of {planned} tests"
            results.append(Result(self.test_name("end"), "failed", "\n".join([told] + pending[-20:])))
        return results


class PythonJob:
    """A unittest module, run by worker.py."""

    def __init__(self, source):
        self.name = f"{source.parent.name}/{source.stem}"
        self.source = source

    def run(self, patterns):
        program = os.environ["NSVIEW"]
        # Guests with nothing else in them have another one, perhaps of another architecture.
        if self.source.parent.name not in ("lint", "vm") and not os.access(program, os.X_OK):
            name = f"{self.name.replace('/', '.')}.build"
            missing = [Result(name, "failed", f"{program} is not built: make")]
            return missing if is_wanted(name, patterns) else []
        with tempfile.TemporaryFile("w+") as answers:
            command = [sys.executable, str(WORKER), str(answers.fileno()), str(self.source), *patterns]
            status, output = run_limited(command, PYTHON_SECONDS, pass_fds=[answers.fileno()])
            answers.seek(0)
            results = [Result(*json.loads(line)) for line in answers]
        if status != 0:
            name = f"{self.name.replace('/', '.')}.end"
            detail = f"the test file {end_words(status, PYTHON_SECONDS)}\n{output[-4000:]}"
            results.append(Result(name, "failed", detail))
        return results
