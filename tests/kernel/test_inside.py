# SPDX-License-Identifier: GPL-2.0-only
"""nsview ps --inside and --both against a procps that runs inside the same container: every field,
every blank. CPU and memory move between two looks; everything else is the same."""

import calendar
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

import cgroups
import nsview
import procview
from harness import conditions
from nsview import run
from test_hostile import on_terminal

PYTHON = shutil.which("python3", path="/usr/bin:/bin")  # which every user may run
AUX, FULL = ("ps", "aux"), ("ps", "-ef")
# Which fields move, and by how much: CPU and memory in percent, KiB, seconds.
MOVING = {AUX: {"%CPU": 3, "%MEM": 0.2, "RSS": 512, "TIME": 1}, FULL: {"C": 3, "TIME": 1}}
PASSWD = b"""root:x:0:0::/:/bin/sh
abcdefgh:x:4001:0::/:
abcdefghi:x:4002:0::/:
abcdefg\xc3\xa9:x:4003:0::/:
abcdef\xc3\xa9\xc3\xa9x:x:4004:0::/:
\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad:x:4005:0::/:
abcdefghijklmnopqrstuvwxyz012345:x:4006:0::/:
abcdefghijklmnopqrstuvwxyz0123456:x:4007:0::/:
x\x1b[1mb:x:4008:0::/:
\xc3\xa9abcdefghij:x:4009:0::/:
a\xc3(xxxxxxxxx:x:4010:0::/:
e\xcc\x81\xcc\x81\xcc\x81xxx:x:4011:0::/:
"""
DAY = 86400
HOSTILE = b"root:x:0:0\n:::::\n" + b"\0" * 100 + b"x" * 70000 + b":x:0:\n" + b"evil\x1b[2J\n:x:-1:0\n"


def zone(offset, rule=b""):
    """A zone that is always so many seconds east of UTC: tzfile(5)."""
    header = b"TZif2" + b"\0" * 15 + struct.pack(">6I", 0, 0, 0, 0, 1, 4)
    block = header + struct.pack(">iBB", offset, 0, 0) + b"LCL\0"
    return block + block + b"\n" + rule + b"\n"


class Container:
    """unshare's, with inside.py as its first process."""

    def __init__(self, *options, passwd=None, localtime=None, terminals=None, command=(), **more):
        self.folder = tempfile.TemporaryDirectory(prefix="nsview-inside-")
        os.chmod(self.folder.name, 0o755)
        for name, content in (("passwd", passwd), ("localtime", localtime), ("terminals", terminals)):
            if content is not None:
                pathlib.Path(self.folder.name, name).write_bytes(content)
        for file in (pathlib.Path(__file__).with_name("inside.py"), pathlib.Path(nsview.SUBJECT)):
            shutil.copy(file, self.folder.name)
        self.words = [*command, "unshare", "--mount", "--propagation=private", "--pid", "--fork",
                      "--mount-proc", *options, PYTHON, "-I", "-S",
                      f"{self.folder.name}/inside.py", f"{self.folder.name}/subject", self.folder.name]
        self.start(more)
        while any(map(procview.started_as_a_minute_did, nsview.descendants(self.process.pid))):
            self.end()
            self.start(more)
        self.pid = nsview.descendants(self.process.pid)[1]
        self.run(("true",), "LC_ALL=C")  # for the first time takes memory: RSS is compared

    def start(self, more):
        self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
        self.made = json.loads(self.process.stdout.readline())
        self.made_at = time.monotonic()

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=nsview.SECONDS)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        self.folder.cleanup()

    def grow_up(self):
        """For who looks at it twice: its shell has its jobs by then, and a clock tick is not much of a life."""
        time.sleep(max(0, self.made_at + 2 - time.monotonic()))

    def run(self, words, environment):
        """What the command prints inside."""
        self.process.stdin.write(f"{environment} exec {' '.join(words)}\n".encode())
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) != b"done\n":
            lines.append(line.rstrip(b"\n"))
        return [line for line in lines if b" ps" not in line[-10:]]


def ours(container, words, locale, *options):
    full = ["-ef"] if words == FULL else []
    done = run("ps", *options, "--inside", str(container.pid), *full, text=False, errors=None,
               env={**os.environ, "LC_ALL": locale})
    return done.stdout.split(b"\n")[:-1]


def seconds(text):
    total = 0
    for part in text.split(b":"):
        total = total * 60 + int(part)
    return total


def number(heading, text):
    return seconds(text) if heading == "TIME" else float(text)


@nsview.requires_root
@nsview.requires_outside
class AgainstProcps(unittest.TestCase):
    maxDiff = None

    def compare(self, container, words, locale="C.UTF-8", options=()):
        container.grow_up()
        their, mine = container.run(words, f"LC_ALL={locale}"), ours(container, words, locale, *options)
        self.compare_lists(container, words, their, mine, container.run(words, f"LC_ALL={locale}"))
        return mine

    def compare_rows(self, headings, moving, one, other, later=None):
        """The fields, and where they begin: a moving one may have another length, and has gone from one to later."""
        last = len(headings) - 1
        found = [list(re.finditer(rb"\S+", row))[:last] for row in (one, other, later or one)]
        ends = [fields[-1].end() for fields in found]
        self.assertEqual(one[ends[0]:], other[ends[1]:], (one, other))
        is_same_length = True
        for heading, theirs, mine, last in zip(headings, *found):
            is_same_length = is_same_length and len(theirs[0]) == len(mine[0])
            if heading in moving:
                least, most = sorted(number(heading, field[0]) for field in (theirs, last))
                self.assertLessEqual(least - moving[heading], number(heading, mine[0]), (heading, one, other))
                self.assertLessEqual(number(heading, mine[0]), most + moving[heading], (heading, one, other))
            elif heading == "STAT" and found[0][1][0] == b"1":  # it runs ps, and may not yet wait for it
                self.assertEqual(*(field[0].replace(b"R", b"S") for field in (theirs, mine)), (one, other))
            else:
                self.assertEqual(theirs[0], mine[0], (heading, one, other))
        if is_same_length:
            self.assertEqual([field.span() for field in found[0]], [field.span() for field in found[1]])

    def compare_lists(self, container, words, their, mine, later=None):
        self.assertEqual(their[0], mine[0])
        self.assertGreaterEqual(len(their), container.made)
        self.assertEqual(len(their), len(mine), (their, mine))
        later = later or their
        self.assertEqual(len(their), len(later), (their, later))
        for rows in zip(their[1:], mine[1:], later[1:]):
            self.compare_rows(their[0].decode().split(), MOVING[words], *rows)

    def compare_all(self, container):
        for words in (AUX, FULL):
            for locale in ("C", "C.UTF-8"):
                with self.subTest(words=words, locale=locale):
                    self.compare(container, words, locale)

    def test_all_fields_are_those_that_ps_prints_inside(self):
        with Container(passwd=PASSWD, localtime=zone(3 * 3600 + 1234)) as container:
            self.compare_all(container)
            for words in (AUX, FULL):
                self.compare(container, words, options=("--source", "proc"))

    def test_a_terminal_cuts_as_ps_does(self):
        with Container(passwd=PASSWD) as container:
            container.grow_up()
            for columns in (40, 75, 100, 131):
                for words, full in ((AUX, ()), (FULL, ("-ef",))):
                    with self.subTest(columns=columns, words=words):
                        their = container.run(words, f"LC_ALL=C.UTF-8 COLUMNS={columns}")
                        mine = on_terminal("ps", "--inside", str(container.pid), *full, columns=columns)
                        later = container.run(words, f"LC_ALL=C.UTF-8 COLUMNS={columns}")
                        self.compare_cut(container, words, their, mine.encode().split(b"\n")[:-1], later)

    def compare_cut(self, container, words, their, mine, later):
        """Where a moving field has another length, more or less of the command is left."""
        self.assertEqual([len(row) for row in their[:1]], [len(row) for row in mine[:1]])
        rows = [rows for rows in zip(their, mine, later) if len(set(map(len, rows))) == 1]
        self.assertGreater(len(rows), container.made // 2)
        self.compare_lists(container, words, *map(list, zip(*rows)))

    def test_start_is_a_day_and_a_year_as_the_container_counts_them(self):
        next_year = (time.gmtime().tm_year + 1, 1, 1, 0, 0, 0)
        for begin in (None, next_year):
            # Midnight, or New Year, comes so late that all its processes have been started.
            midnight = int(time.time()) + 8
            local = calendar.timegm(begin) if begin else midnight + DAY - midnight % DAY
            with Container(localtime=zone(local - midnight)) as container:
                time.sleep(max(0, midnight + 1 - time.time()))
                shown = self.compare(container, AUX)[1].split()[8]
                self.assertNotIn(b":", shown)
                self.compare(container, FULL)

    @unittest.skipIf(conditions.starts_outside_time_namespaces(), "ps does not know its processes' age here")
    def test_the_clock_is_the_time_namespace_s(self):
        options = ("--time", "--boottime", str(3 * DAY + 1))
        with Container(*options, localtime=zone(-3600)) as container:
            self.assertNotEqual(procview.namespaces(container.pid)["time"],
                                procview.namespaces("self")["time"])
            self.compare_all(container)

    def test_a_terminal_is_named_as_the_container_s_dev_has_it(self):
        with Container(terminals=b"") as container:
            self.compare_all(container)
            said = [row.split()[6] for row in ours(container, AUX, "C")[1:]]
            # No terminal of that name is there, or another one; the link of descriptor 2 or 255.
            self.assertEqual([word for word in (b"full", b"/mnt/a-long-name", b"/mnt/255", b"/mnt/?[2J")
                              if word not in said], [])
            self.assertNotIn(b"x" * 200, b" ".join(said))
            rows = run("ps", "--both", str(container.pid), "--no-headers").stdout.splitlines()
            self.assertEqual([row for row in rows[len(rows) // 2:] if "/mnt" in row], [])

    def test_users_and_owners_in_a_user_namespace(self):
        with Container("--user", "--map-root-user",
                       command=("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups")) as container:
            self.compare_all(container)
            text = run("ps", "--both", str(container.pid)).stdout
            self.assertRegex(text, r"\nroot inside is (uid )?4242 on the host: the container has its own user "
                                   r"namespace \(\d+, owner (uid )?4242\)\.\n")
            self.assertRegex(text, r"capabilities, and none of them counts on the host\.\n")

    def test_hostile_passwd_and_localtime_disturb_nothing(self):
        for localtime in (b"TZif2" + b"\xff" * 100, zone(0, b"<\x1b[2J>-99999999999999"), b"", b"TZif"):
            with Container(passwd=HOSTILE, localtime=localtime) as container:
                self.compare(container, AUX)

    def rows_of_the_host(self):
        """What ps heads them with, and {pid: its row}."""
        headings, *rows = subprocess.run(["ps", "aux"], capture_output=True, text=True, check=True,
                                         errors="surrogateescape").stdout.splitlines()
        return headings.split(), {int(row.split()[1]): row for row in rows}

    def test_both_has_the_same_processes_as_the_host_s_ps_prints_them(self):
        with Container() as container:
            container.grow_up()
            headings, before = self.rows_of_the_host()
            rows = run("ps", "--both", str(container.pid), "--no-headers").stdout.splitlines()
            inside, outside = rows[:len(rows) // 2], rows[len(rows) // 2:]
            _, after = self.rows_of_the_host()
            self.assertGreaterEqual(len(outside), container.made)
            for one, other in zip(inside, outside):
                pid = int(other.split()[1])
                self.assertEqual(int(one.split()[1]), procview.chain(pid)[-1]["pid"])
                self.compare_rows(headings, MOVING[AUX], *map(os.fsencode, (before[pid], other, after[pid])))

    def test_both_says_what_root_in_it_is_on_the_host(self):
        with Container() as container:
            text = run("ps", "--both", str(container.pid)).stdout
            self.assertIn("\nroot inside is root on the host (no user namespace). It has ", text)
            self.assertIn("and they count on the host:\nit c", text)
            holds = int(procview.status(container.pid)["CapEff"], 16)
            for name, power in ((22, "reboot the host (SYS_BOOT)"), (21, "mount (SYS_ADMIN)"),
                                (16, "load a module (SYS_MODULE)")):
                sentence = re.search(r"\bit (can .*?)(; it cannot|\.\n)", text)
                self.assertEqual(bool(holds >> name & 1), bool(sentence and power in sentence[1]), text)

    def test_a_process_put_there_from_outside_is_said_to_be(self):
        with Container() as container:
            put = subprocess.Popen(["nsenter", "--target", str(container.pid), "--pid", "--mount", "sleep", "600"])
            try:
                child = nsview.wait_until(lambda: nsview.children(put.pid))[0]
                nsview.wait_until(lambda: procview.read(child, "comm") == b"sleep\n")
                inner = procview.chain(child)[-1]["pid"]
                text = run("ps", "--both", str(container.pid)).stdout
                self.assertIn(f"\nPid {inner} was put there from outside: its parent, {put.pid} nsenter, "
                              "is outside, so its parent pid inside is 0.", text)
                full = run("ps", "-ef", "--inside", str(container.pid)).stdout
                self.assertRegex(full, rf"\n\w+ +{inner} +0 ")
            finally:
                nsview.kill(child)
                put.wait()


@nsview.requires_root
@nsview.requires_outside
class Layouts(unittest.TestCase):
    def test_full_is_ps_ef_with_the_container_s_side(self):
        with Container() as container:
            container.grow_up()
            lines = run("ps", "-ef").stdout.splitlines()
            self.assertEqual(lines, run("ps", "-eaf").stdout.splitlines()[:1] + lines[1:])
            self.assertEqual(lines[0].split(), "CONTAINER UID PID PPID IN-USER IN-PID IN-PPID C STIME TTY TIME "
                                               "CAPS CMD".split())
            their = subprocess.run(["ps", "-ef"], capture_output=True, text=True, check=True,
                                   errors="surrogateescape").stdout.splitlines()
            by_pid = {fields[1]: fields for fields in (line.split(None, 7) for line in their)}
            inside = [line.split(None, 10) for line in lines if f" {container.pid} " in line]
            children = [fields for fields in inside if fields[3] == str(container.pid)]
            self.assertGreater(len(children), 5)
            for fields in children:
                pid = int(fields[2])
                self.assertEqual([*fields[1:4], *fields[8:10]],
                                 [by_pid[fields[2]][i] for i in (0, 1, 2, 4, 5)])
                self.assertEqual(fields[5:7], [str(procview.chain(pid)[-1]["pid"]), "1"])
                self.assertRegex(fields[10], r"^\d\d:\d\d:\d\d ")
            first = next(fields for fields in inside if fields[2] == str(container.pid))
            self.assertEqual(first[5:7], ["1", "0"])

    def test_tree_has_the_branches_of_ps_forest(self):
        with nsview.Subject("fork", "fork", "fork") as subject:
            pids = subject.pids
            words = ",".join(map(str, pids))
            lines = run("ps", "--tree", "-o", "pid,command", "-p", words, "--no-headers").stdout.splitlines()
            their = subprocess.run(["ps", "--forest", "-ww", "-o", "pid,args", "--no-headers", "-p", words],
                                   capture_output=True, text=True, check=True).stdout.splitlines()
            self.assertEqual([line.split(None, 1) for line in lines], [line.split(None, 1) for line in their])

    def test_a_tree_begins_with_the_container(self):
        with Container() as container:
            lines = run("ps", "--tree", "-o", "pid,command", "--no-headers").stdout.splitlines()
            rows = {int(line.split()[0]): line.split(None, 1)[1] for line in lines}
            self.assertNotIn("\\_", rows[container.pid][:3])
            self.assertEqual(rows[nsview.children(container.pid)[0]][:3], "\\_ ")

    def test_what_acts_on_a_terminal_is_shown_as_a_question_mark(self):
        with nsview.Subject(extra=("a\u202eb",)) as subject:
            said = on_terminal("ps", "--wide", "--inside", str(subject.pid))
            self.assertIn("hold a?b", said)
            self.assertNotIn("\u202e", said)
            piped = run("ps", "--inside", str(subject.pid), env={**os.environ, "LC_ALL": "C.UTF-8"})
            self.assertIn("hold a\u202eb\n", piped.stdout)

    def test_hostile_names_and_cgroups_disturb_nothing(self):
        with Container() as container:
            folders = cgroups.Group(container.pid).folders
            home = folders.get("pids") or folders[""]
            hostile = home / f"docker-{'a' * 64}\x1b[2J \u202e.scope"
            hostile.mkdir()
            try:
                (hostile / "cgroup.procs").write_text(str(container.pid))
                self.compare_title(container)
            finally:
                (home / "cgroup.procs").write_text(str(container.pid))
                hostile.rmdir()

    def compare_title(self, container):
        lines = run("ps", "--both", str(container.pid)).stdout
        self.assertNotIn("\x1b", lines)
        self.assertNotIn("\u202e", lines)
        self.assertEqual(lines.splitlines()[1].split()[:2], ["USER", "PID"])


@nsview.requires_root
class Usage(unittest.TestCase):
    def test_what_is_no_container_is_said(self):
        self.assertIn("no container is called nowhere",
                      run("ps", "--inside", "nowhere", check=1).stderr)

    def test_what_ps_does_not_know_is_refused(self):
        for words in (("--json",), ("--tree",), ("-o", "pid"), ("-p", "1"), ("--sort", "rss"), ("--both", "x")):
            run("ps", "--inside", "x", *words, check=2)

    def test_a_host_process_is_seen_from_the_host(self):
        lines = run("ps", "--inside", str(os.getpid())).stdout.splitlines()
        pids = {int(line.split()[1]) for line in lines[1:]}
        self.assertIn(os.getpid(), pids)
        self.assertEqual(lines[0], subprocess.run(["ps", "aux"], capture_output=True, text=True,
                                                  check=True).stdout.splitlines()[0])


if __name__ == "__main__":
    unittest.main()
