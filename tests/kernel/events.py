# SPDX-License-Identifier: GPL-2.0-only
"""Runs `nsview events`, makes real system calls with actor.c, and says from /proc what the line of each must hold."""

import calendar
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import threading
import time

import nsview
import procview
import schema
from harness.patience import patience
from nsview import BUILD, Failed

KEPT_BYTES = 4 << 30  # of lines: others' storms on a shared machine end a test, never the machine
ACTOR = str(BUILD / "tests/kernel/actor")
STORM = str(BUILD / "tests/kernel/storm")
SECONDS = patience(120)  # others may storm on this machine, and a reader in Python is slow
MARKER_SECONDS = 1  # between two marks
SAME_NS = 500_000_000  # as far apart may two clocks' words on one moment be
START_SECONDS = patience(300)  # the kernel verifies the programs, and others may want the processor

# include/uapi/linux/sched.h
CLONE = {"mnt": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "user": 0x10000000,
         "pid": 0x20000000, "net": 0x40000000, "time": 0x00000080}

# Where a line has what: key, path. nsview.before has the same below it, without the outer names.
USERS = ("user", "real_user", "saved_user")
GROUPS = ("group", "real_group", "saved_group")
SETS = {"effective": "eff", "permitted": "prm", "inheritable": "inh", "bounding": "bnd", "ambient": "amb"}


def get(value, *path):
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def boot_offset_ns():
    """From the boot clock's time to that since the epoch."""
    while True:
        start, now = time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns()
        if time.clock_gettime_ns(time.CLOCK_BOOTTIME) - start < SAME_NS // 10:
            return now - start


def storm_size(count):
    """An emulated processor takes as long for a fifth of it."""
    return count // 5 if "NSVIEW_GUEST" in os.environ else count


def mark_until(is_told, seconds, is_over=lambda: False):
    """is_told(pause) makes something happen and waits that long to be told of it. It may be lost where the ring is
    full, or nobody listens yet: then something else is to happen."""
    deadline, pause = time.monotonic() + seconds, 0.1
    while True:
        left = deadline - time.monotonic()
        try:
            return is_told(min(pause, left))
        except Failed:
            if left <= pause or is_over():
                raise
        pause = min(2 * pause, MARKER_SECONDS)


class Pid(int):
    """Of a process that is there. Others had this number before it and will have it again: 32768 come round in
    seconds when storms go on."""

    def __new__(cls, number):
        made = super().__new__(cls, number)
        made.start_ns = None
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            ticks = int(procview.stat(number)[22])
            made.start_ns = ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK") + boot_offset_ns()
        return made

    def is_in(self, line):
        start = get(line, "process", "start")
        return not (start and self.start_ns) or abs(time_ns(start) - self.start_ns) < SAME_NS


def time_ns(stamp):
    """Of 2026-11-21T22:14:03.123456789Z."""
    seconds, fraction = stamp.removesuffix("Z").split(".")
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) * 1_000_000_000 + int(fraction)


def told_of(pid, lines, actions):
    return [line for line in lines if is_told(line, actions) and (not isinstance(pid, Pid) or pid.is_in(line))]


def is_told(line, actions=()):
    event = line["event"]
    return event["kind"] == "event" and not event["action"].startswith("container_") and (
        not actions or event["action"] in actions)


class KeptLines:
    """Lines as they were printed, parsed when they are looked at: parsed ones take six times the memory."""

    def __init__(self):
        self.raw = []

    def append(self, raw):
        self.raw.append(raw)

    def __len__(self):
        return len(self.raw)

    def __iter__(self):
        return map(json.loads, self.raw)

    def __getitem__(self, place):
        if isinstance(place, slice):
            return [json.loads(raw) for raw in self.raw[place]]
        return json.loads(self.raw[place])


class Stream:
    """nsview events, started; what it printed, sorted by pid, and checked against the schema."""

    def __init__(self, *words, command=(), is_awaited=True, **options):
        """is_awaited: its lines come here, those of any process, at least of exits."""
        self.words = [*command, nsview.NSVIEW, "events", *words]
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **options)
        self.news = threading.Condition(threading.RLock())
        self.by_pid, self.others, self.sequences, self.bad, self.kinds = {}, KeptLines(), [], [], set()
        self.count, self.kept, self.tail, self.is_over, self.errors = 0, 0, b"", False, b""
        self.readers = [threading.Thread(target=self.read_lines, daemon=True),
                        threading.Thread(target=self.read_errors, daemon=True)]
        for reader in self.readers:
            reader.start()
        if is_awaited:
            self.wait_ready()

    def wait_ready(self):
        """Until it tells of what happens now."""
        try:
            self.settle(START_SECONDS)
        except Failed:
            self.end(signal.SIGKILL)
            raise Failed(f"{self.words} is not ready: {self.errors.decode(errors='replace')}") from None

    def read_lines(self):
        for raw in self.process.stdout:
            with self.news:
                self.add(raw)
                self.news.notify_all()
        with self.news:
            self.is_over = True
            self.news.notify_all()

    def read_errors(self):
        for raw in self.process.stderr:
            self.errors += raw

    def add(self, raw):
        self.count += 1
        self.tail = raw
        try:
            line = json.loads(raw)
        except ValueError as error:
            self.bad.append(f"{error}: {raw!r}")
            return
        self.validate(line)
        if (number := get(line, "event", "sequence")) is not None:
            self.sequences.append(number)
        pid = get(line, "process", "pid")
        (self.others if pid is None else self.by_pid.setdefault(pid, KeptLines())).append(raw)
        self.kept += len(raw)
        if self.kept > KEPT_BYTES:
            self.bad.append(f"more than {KEPT_BYTES} bytes of lines")
            self.process.kill()

    def validate(self, line):
        """Once for each kind of line: it takes milliseconds."""
        if (kind := schema.kind(line)) in self.kinds:
            return
        self.kinds.add(kind)
        if wrong := schema.complaints(line):
            self.bad.append((wrong, line))

    def wait(self, claim, seconds=SECONDS):
        deadline = time.monotonic() + seconds
        with self.news:
            while not (result := claim()):
                left = deadline - time.monotonic()
                if left <= 0 or self.is_over:
                    raise Failed(f"{' '.join(self.words)}: waited in vain (ended: {self.is_over}, "
                                 f"{self.count} lines)\n{self.errors.decode(errors='replace')}")
                self.news.wait(left)
            return result

    def of(self, pid, *actions):
        """What the kernel told of a process, in its order: no snapshots, nothing about containers."""
        with self.news:
            return told_of(pid, self.by_pid.get(pid, ()), actions)

    def all(self):
        with self.news:
            return [*(line for lines in self.by_pid.values() for line in lines), *self.others]

    def gaps(self):
        with self.news:
            return [line for line in self.others if line["event"]["action"] == "gap"]

    def settle(self, seconds=SECONDS):
        """What happened before this call has been printed when it returns: the ring keeps its order."""
        markers = []

        def is_told(pause):
            markers.append(self.mark())
            return self.wait(lambda: any(map(self.tells, markers)), pause)

        mark_until(is_told, seconds, lambda: self.is_over)

    def mark(self):
        """A program runs and ends: its pid, and how many lines of earlier ones with this number there are."""
        marker = subprocess.Popen([ACTOR], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        with self.news:
            seen = len(self.by_pid.get(marker.pid, ()))
        marker.stdin.close()
        marker.wait()
        return marker.pid, seen

    def tells(self, marker):
        pid, seen = marker
        return any(line["event"]["action"] == "exit" for line in self.by_pid.get(pid, ())[seen:])

    def end(self, number=signal.SIGINT):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.words} did not end") from None
        finally:
            for reader in self.readers:
                reader.join(SECONDS)
            self.process.stdout.close()
            self.process.stderr.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Storm:
    """storm.c, ready; run() gives what it did: {"execs": ..., "credentials": ...}."""

    def __init__(self, *words, command=()):
        self.process = subprocess.Popen([*command, STORM, *map(str, words)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.pid = Pid(self.process.pid)
        if self.process.stdout.readline() != "ready\n":
            raise Failed(f"storm {words} is not ready")

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def result(self, seconds=0):
        """seconds: that it takes by itself."""
        said, _ = self.process.communicate(timeout=seconds + patience(600))
        return {name: int(value) for name, value in map(str.split, said.splitlines())}

    def run(self, seconds=0):
        self.go()
        return self.result(seconds)


class Lines:
    """What nsview events wrote into a file, for streams too fast to be checked as they come. Others may storm
    beside it: what is not asked for is not parsed."""

    def __init__(self, path, start=0):
        """start: how many bytes are left out, and the line that goes on or begins there."""
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read()
        self.is_whole = not data or data.endswith(b"\n")
        self.lines = KeptLines()
        self.lines.raw = data.splitlines()[bool(start):]

    def of(self, pid, *actions):
        mark = f'"pid":{int(pid)}'.encode()
        found = (json.loads(raw) for raw in self.lines.raw if mark in raw)
        return told_of(pid, [line for line in found if get(line, "process", "pid") == pid], actions)

    def gaps(self):
        """A quote within a text has a backslash before it: this is none."""
        return [json.loads(raw)["nsview"]["gap"] for raw in self.lines.raw if b'"action":"gap"' in raw]

    def numbers(self):
        """(first, last, gap or None) of each event and each gap."""
        for raw in self.lines.raw:
            if b'"action":"gap"' in raw:
                gap = json.loads(raw)["nsview"]["gap"]
                yield gap["first"], gap["last"], gap
            elif found := re.search(rb'"sequence":(\d+)', raw):
                yield int(found[1]), int(found[1]), None

    def last(self):
        """The number of the last event, lost or not."""
        return max(last for _, last, _ in self.numbers())

    def lost(self):
        return sum(gap["lost"] for gap in self.gaps())

    def holes(self):
        """Where the sequence does not rise by one, and no gap names the hole."""
        found, before = [], None
        for first, last, gap in self.numbers():
            if before is not None and (first != before + 1 or (gap and last - first + 1 != gap["lost"])):
                found.append((before, gap or first))
            before = last
        return found


class Actor:
    """actor.c, ready; do() makes it take a command. pid follows what its commands make."""

    def __init__(self, command=(), **options):
        self.process = subprocess.Popen([*command, ACTOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        self.buffer = b""
        self.makers = []
        self.pid = Pid(self.process.pid)
        self.inside = Pid(self.read("ok"))

    def read(self, *wanted):
        while b"\n" not in self.buffer:
            readable, _, _ = select.select([self.process.stdout], [], [], SECONDS)
            piece = os.read(self.process.stdout.fileno(), 4096) if readable else b""
            if not piece:
                raise Failed(f"the actor {'ended' if readable else 'is silent'}: {self.buffer!r}")
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\n")
        word, value = line.decode().split()
        if word not in wanted:
            raise Failed(f"the actor said {line!r}, not {wanted}")
        return int(value)

    def send(self, *words):
        self.process.stdin.write("\t".join(map(str, words)).encode() + b"\n")
        self.process.stdin.flush()

    def do(self, *words):
        """The result."""
        self.send(*words)
        return self.read("ok")

    def fail(self, *words):
        """The errno."""
        self.send(*words)
        return self.read("error")

    def fork(self, *words):
        """fork or clone3 FLAGS: from now on the child takes the commands."""
        child = Pid(self.do(*words))
        self.makers.append(self.pid)
        self.pid = child
        return child

    def finish(self, *words):
        """exit, raise, core: ends the child; its wait status."""
        self.send(*words)
        self.pid = self.makers.pop()
        return self.read("ended")

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=patience(5))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def capability_facts(pid):
    """By the names that a line has; procview's columns are ps's."""
    found = procview.capabilities(pid)
    return {f"capabilities.{name}": (found[key], found[f"{key}_hex"]) for name, key in SETS.items()}


def facts(pid, tid=None):
    """What a line about the process must say after its change, by part of nsview.before. tid: whose credentials."""
    place = f"{pid}/task/{tid or pid}"
    lines, spaces = procview.status(place), procview.namespaces(place)
    above = procview.lineage(place, "user")
    found = capability_facts(place)
    for names, key, fs_name in ((USERS, "Uid", "fs_user"), (GROUPS, "Gid", "fs_group")):
        real, effective, saved, fs = lines[key].split()
        found.update(zip(names, (effective, real, saved)))
        found[fs_name] = fs
    found["groups"] = lines["Groups"].split()
    found["no_new_privs"] = lines["NoNewPrivs"] == "1"
    found["seccomp"] = procview.SECCOMP[lines["Seccomp"]]
    found["ns"] = {kind: inode for kind, inode in spaces.items() if kind != "user"}
    found["user_ns"] = {"ino": above[0][0], "level": len(above) - 1, "owner": str(above[0][1])}
    return found


def told_after(line):
    """The same from a line."""
    process, own = line["process"], line["nsview"]
    found = told_part(process, own)
    sets = {**get(process, "thread", "capabilities"), **own["capabilities"]}
    found.update(told_sets(sets))
    found["ns"] = {kind: inode for kind, inode in own["ns"].items() if kind != "user"}
    return found


def told_part(users, own):
    found = {name: users[name]["id"] for name in USERS + GROUPS if name in users}
    found.update({name: own[name]["id"] for name in ("fs_user", "fs_group") if name in own})
    found.update({name: own[name] for name in ("groups", "no_new_privs", "seccomp", "user_ns") if name in own})
    return found


def told_sets(sets):
    return {f"capabilities.{name}": (sets[name], sets[f"{name}_hex"]) for name in SETS if name in sets}


def told_before(line):
    """What nsview.before of a line says, by part; {} where it has none."""
    before = line["nsview"].get("before", {})
    found = told_part(before, before)
    found.update(told_sets(before.get("capabilities", {})))
    if spaces := {kind: inode for kind, inode in before.get("ns", {}).items() if kind != "user"}:
        found["ns"] = spaces
    return found


def parts_changed(before, after):
    """What nsview.before holds: whole parts, and of the namespaces those that differ."""
    found = {part: before[part] for part in before if before[part] != after[part]}
    if "ns" in found:
        found["ns"] = {kind: inode for kind, inode in before["ns"].items() if inode != after["ns"][kind]}
    return found


def identity(pid):
    """What no call of its own changes: {path in the line: value}."""
    return {
        ("process", "pid"): pid,
        ("process", "parent", "pid"): int(procview.stat(pid)[4]),
        ("process", "name"): procview.printable(procview.read(pid, "comm")[:-1]),
        ("nsview", "pid_chain"): procview.chain(pid),
        ("nsview", "cgroup", "path"): procview.cgroup(pid),
        ("nsview", "ns", "user"): procview.namespaces(pid)["user"],
        ("nsview", "login_uid"): text(procview.audit(pid, "loginuid")),
        ("nsview", "session_id"): procview.audit(pid, "sessionid"),
    }


def text(value):
    return None if value is None else str(value)


def cause(line):
    return line["nsview"].get("cause")
