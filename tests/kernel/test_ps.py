# SPDX-License-Identifier: GPL-2.0-only
"""nsview ps as a command: what it prints where, what it says to bad input, and how it ends."""

import json
import os
import pathlib
import pwd
import subprocess
import tempfile
import unittest

import nsview
import procview
from nsview import Subject, run
from test_hostile import on_terminal

DEFAULT = "CONTAINER USER PID IN-USER IN-PID %CPU %MEM VSZ RSS TTY STAT START TIME CAPS COMMAND".split()
GOES_FIRST = "VSZ TTY %MEM TIME START STAT RSS %CPU".split()
UNPRIVILEGED = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all",
                "--inh-caps=-all"]


def heading(text):
    return text.splitlines()[0].split()


@nsview.requires_root
class Table(unittest.TestCase):
    def test_into_a_pipe_every_column_and_nothing_cut(self):
        with Subject(extra=["x" * 3000]) as subject:
            done = run("ps", "-p", str(subject.pid))
            self.assertEqual(heading(done.stdout), DEFAULT)
            self.assertIn("x" * 3000, done.stdout)
            self.assertEqual(done.stderr, "")

    def test_ps_aux_is_the_same(self):
        with Subject() as subject:
            words = ("-p", str(subject.pid), "-o", "pid,user,command")
            first = run("ps", *words).stdout
            for style in ("aux", "-aux"):
                self.assertEqual(run("ps", style, *words).stdout, first)

    def test_a_narrow_terminal_loses_whole_columns_in_the_order_promised(self):
        with Subject(extra=["x" * 300]) as subject:
            kept = len(DEFAULT)
            for columns in range(200, 75, -5):
                text = on_terminal("ps", "-p", str(subject.pid), columns=columns)
                for line in text.splitlines():
                    self.assertLessEqual(len(line), columns)
                found = heading(text)
                gone = [name for name in DEFAULT if name not in found]
                self.assertEqual(set(gone), set(GOES_FIRST[:len(gone)]))
                self.assertEqual(found, [name for name in DEFAULT if name not in gone])
                self.assertLessEqual(len(found), kept)
                kept = len(found)
            self.assertLess(kept, len(DEFAULT))

    @nsview.requires_outside
    def test_host_first_then_each_container_by_its_pids(self):
        with Subject("fork-pid", "fork", "fork") as first, Subject("fork-pid", "fork") as second:
            wanted = ",".join(map(str, first.pids + second.pids))
            pids = [int(pid) for pid in run("ps", "-p", wanted, "-o", "pid", "--no-headers").stdout.split()]
            outside = sorted([first.process.pid, second.process.pid])
            self.assertEqual(pids, outside + first.pids[1:] + second.pids[1:])

    def test_sort(self):
        with Subject("memory", 30000) as big, Subject() as small:
            words = ("-p", f"{big.pid},{small.pid}", "-o", "pid", "--no-headers")
            for key, order in (("rss", [small.pid, big.pid]), ("-rss", [big.pid, small.pid]),
                               ("RSS", [small.pid, big.pid]), ("pid", sorted([big.pid, small.pid]))):
                with self.subTest(key=key):
                    self.assertEqual([int(pid) for pid in run("ps", "--sort", key, *words).stdout.split()], order)

    def test_arguments_count_where_they_are_not_shown(self):
        with Subject(extra=["zzz"]) as last, Subject(extra=["aaa"]) as first:
            pids = f"{last.pid},{first.pid}"
            for key in ("command", "args", "cmd"):
                words = ("-p", pids, "-o", "pid", "--no-headers")
                with self.subTest(key=key):
                    order = [first.pid, last.pid]
                    self.assertEqual([int(pid) for pid in run("ps", "--sort", key, *words).stdout.split()], order)
                    found = run("ps", "--filter", f"{key}~zzz", *words).stdout.split()
                    self.assertEqual(found, [str(last.pid)])
                    self.assertIn("zzz", run("ps", "-o", key, "-p", pids).stdout)
            self.assertEqual(run("ps", "--by", "container", "--filter", "command~zzz", "-p", pids, "--json").stdout
                             .count('"processes":1'), 1)

    def test_added_and_chosen_columns(self):
        with Subject("seccomp") as subject:
            words = ("-p", str(subject.pid))
            self.assertEqual(heading(run("ps", "-o", "+seccomp", *words).stdout), DEFAULT[:-1] + ["SECCOMP", "COMMAND"])
            self.assertEqual(run("ps", "-o", "pid,seccomp", "--no-headers", *words).stdout.split(),
                             [str(subject.pid), "filter"])

    def test_columns_are_listed(self):
        rows = json.loads(run("ps", "--columns", "--json").stdout)
        keys = {row["key"] for row in rows}
        self.assertLessEqual({"container", "in-pid", "caps", "chain", "ns-user", "rss", "command"}, keys)
        listed = run("ps", "--columns").stdout
        for row in rows:
            self.assertTrue(row["meaning"])
            if row["key"] == "args":  # JSON only: in a table it would be COMMAND
                continue
            self.assertRegex(listed, rf"(?m)^{row['key']} ")
            self.assertEqual(run("ps", "-p", str(os.getpid()), "-o", row["key"]).stderr, "", row["key"])

    def test_ndjson_is_json_line_by_line(self):
        with Subject() as subject:
            done = run("ps", "--ndjson", "-p", str(subject.pid))
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual([row["pid"] for row in rows], [subject.pid])

    @nsview.requires_outside
    def test_selection(self):
        with Subject("fork-pid", "uids", 4321, 4321, 4321, 4321) as inside, Subject() as outside:
            chosen = {"-u 4321": True, "--in-user 4321": True, "--containers": True, "--host": False,
                      "--in-pid 1": True, "--filter euid=4321": True, "--filter not euid=4321": False,
                      "--filter eff~SYS_ADMIN": False}
            for words, is_inside in chosen.items():
                option, _, value = words.partition(" ")
                with self.subTest(words=words):
                    rows = nsview.ps(option, *([value] if value else []))
                    self.assertEqual(inside.pid in rows, is_inside)
                    self.assertEqual(outside.pid in rows, not is_inside)


@nsview.requires_root
class BadInput(unittest.TestCase):
    def check(self, words, status, *named):
        done = run(*words, check=status)
        self.assertEqual(done.stdout, "")
        for word in named:
            self.assertIn(word, done.stderr)
        self.assertRegex(done.stderr, r"^nsview: ")
        return done.stderr

    def test_unknown_words_name_the_nearest_right_one(self):
        for words, wrong, right in (
                (("ps", "-o", "contaner"), "contaner", "container"),
                (("ps", "--sort", "rsss"), "rsss", "rss"),
                (("ps", "--filter", "euidd=0"), "euidd", "euid"),
                (("ps", "--filter", "eff~SYS_ADMN"), "SYS_ADMN", "SYS_ADMIN"),
                (("ps", "--contaners"), "contaners", "containers"),
                (("caps", "SYS_ADMN"), "SYS_ADMN", "SYS_ADMIN"),
                (("docter",), "docter", "doctor")):
            with self.subTest(words=words):
                said = self.check(words, 2, wrong)
                self.assertRegex(said.replace(wrong, ""), rf"\b{right}\b")

    def test_bad_values(self):
        for words, named in (
                (("ps", "--source", "magic"), "magic"), (("ps", "-p", "x"), "x"),
                (("ps", "-p", "-1"), "-1"), (("ps", "-p", "4294967296"), "4294967296"),
                (("ps", "-u", "no-such-user"), "no-such-user"), (("ps", "-o", ""), "column"),
                (("ps", "--filter", ""), "filter"), (("ps", "-o"), "-o"), (("ps", "surprise"), "surprise")):
            with self.subTest(words=words):
                self.check(words, 2, named)

    def test_a_filter_that_does_not_parse_shows_the_place(self):
        for expression, column in (("euid=0 and (eff~SYS_ADMIN", 11), ("euid=0 annd uid=1", 7),
                                   ("euid==", None), ("comm~[", None)):
            with self.subTest(expression=expression):
                said = self.check(("ps", "--filter", expression), 2, expression)
                lines = said.splitlines()
                carets = [line for line in lines if line.strip() == "^"]
                self.assertEqual(len(carets), 1, said)
                above = lines[lines.index(carets[0]) - 1]
                if column is not None:
                    self.assertEqual(carets[0].index("^") - above.index(expression), column, said)

    def test_a_hostile_filter_is_shown_harmless(self):
        said = self.check(("ps", "--filter", "euid=\x1b[31m\n("), 2)
        self.assertNotIn("\x1b", said)

    def test_nothing_has_the_pid_asked_for(self):
        self.check(("ps", "-p", "4194305"), 1, "4194305")

    def test_nothing_has_the_container_asked_for(self):
        self.check(("ps", "-c", "no-such-container"), 1, "no-such-container")

    def test_a_filter_that_matches_nothing_is_no_error(self):
        self.assertEqual(nsview.ps("--filter", "pid=4194305"), {})

    def test_a_closed_pipe_ends_quietly(self):
        for words in (("ps",), ("ps", "--json"), ("ps", "--columns")):
            with self.subTest(words=words):
                reader, writer = os.pipe()
                os.close(reader)
                done = run(*words, stdout=writer, check=None)
                os.close(writer)
                self.assertEqual(done.stderr, "")
                self.assertIn(done.returncode, (0, -13))

    def test_a_full_disk_is_said(self):
        with open("/dev/full", "w") as full:
            for words in (("ps",), ("ps", "--json")):
                done = run(*words, stdout=full, check=1)
                self.assertRegex(done.stderr, r"^nsview: [^\n]*No space left[^\n]*\n$")


@nsview.requires_root
class Cache(unittest.TestCase):
    """The cache saves time when it can be kept; nothing else depends on it."""

    def snapshot(self, directory):
        with Subject() as subject:
            environment = {**os.environ, "NSVIEW_CACHE_DIR": str(directory)}
            done = run("ps", "--json", "--source", "bpf", "-p", str(subject.pid), env=environment)
            self.assertEqual(done.stderr, "")
            row = json.loads(done.stdout)[0]
            self.assertEqual(row["eff_hex"], procview.capabilities(subject.pid)["eff_hex"])
            self.assertEqual(row["ns"], procview.namespaces(subject.pid))

    def files(self, directory):
        return [path for path in pathlib.Path(directory).rglob("*") if path.is_file()]

    def test_it_is_used_again(self):
        with tempfile.TemporaryDirectory() as directory:
            for _ in range(2):
                self.snapshot(directory)

    def test_where_nothing_can_be_written(self):
        for directory in ("/proc", "/dev/null", "/nonexistent/further/down"):
            with self.subTest(directory=directory):
                self.snapshot(directory)

    def test_on_a_full_and_on_a_read_only_disk(self):
        for options in ("size=4k", "ro"):
            with self.subTest(options=options), tempfile.TemporaryDirectory() as directory:
                subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory], check=True)
                try:
                    self.snapshot(directory)
                    self.snapshot(directory)
                finally:
                    subprocess.run(["umount", directory], check=True)

    def test_when_it_holds_nonsense(self):
        for spoil in (lambda data: b"", lambda data: data[:len(data) // 2], lambda data: b"\xff" * len(data),
                      lambda data: bytes(byte ^ 0x55 for byte in data)):
            with tempfile.TemporaryDirectory() as directory:
                self.snapshot(directory)
                for path in self.files(directory):
                    path.write_bytes(spoil(path.read_bytes()))
                self.snapshot(directory)


@nsview.requires_root
class Privileges(unittest.TestCase):
    def run_as_nobody(self, *words, **options):
        # The build may lie where only root can go.
        program = tempfile.mkdtemp(prefix="nsview-nobody-")
        self.addCleanup(subprocess.run, ["rm", "-rf", program])
        os.chmod(program, 0o755)
        subprocess.run(["cp", nsview.NSVIEW, program], check=True)
        return subprocess.run([*UNPRIVILEGED, f"{program}/nsview", *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=nsview.SECONDS, cwd="/", **options)

    def test_without_privileges_the_rest_is_unknown_and_one_line_says_so(self):
        with Subject("userns", "0 100000 10", "0 100000 10", "fork-pid", "uids", 1, 1, 1, 1) as subject:
            done = self.run_as_nobody("ps", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            row = {row["pid"]: row for row in json.loads(done.stdout)}[subject.pid]
            expected = procview.expected(subject.pid)
            self.assertLessEqual({"ns.mnt", "ns.user", "chain", "userns.ino"}, set(row["unknown"]))
            for key in ("uid", "euid", "eff_hex", "ppid", "comm", "nnp", "seccomp", "groups"):
                self.assertEqual(row[key], expected[key], key)
            for key in row["unknown"]:
                value = row
                for part in key.split("."):
                    value = value[part]
                self.assertIsNone(value, key)
            table = self.run_as_nobody("ps", "-p", str(subject.pid), "-o", "ns-user")
            self.assertEqual(table.stdout.split(), ["NS-USER", "?"])

    def test_without_privileges_ones_own_processes_are_complete(self):
        with Subject("gids", *[65534] * 4, "uids", *[65534] * 4, "capset", 0, 0, 0) as subject:
            done = self.run_as_nobody("ps", "--json", "-p", str(subject.pid))
            row = json.loads(done.stdout)[0]
            # securebits are in no file; which mount namespace is the host's, only root may know.
            self.assertLessEqual(set(row["unknown"]), {"securebits", "shared"})

    def test_without_privileges_the_kernel_cannot_be_asked(self):
        done = self.run_as_nobody("ps", "--source", "bpf")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("nsview doctor", done.stderr)

    def test_without_btf_the_kernel_cannot_be_asked(self):
        done = run("ps", "--source", "bpf", "--btf", "/nonexistent", check=3)
        self.assertIn("/nonexistent", done.stderr)
        self.assertIn("nsview doctor", done.stderr)

    def test_without_btf_proc_is_read_and_one_line_says_so(self):
        with Subject() as subject:
            done = run("ps", "--json", "--btf", "/nonexistent", "-p", str(subject.pid))
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn("/nonexistent", done.stderr)
            self.assertEqual(json.loads(done.stdout)[0]["comm"], "subject")

    def test_caps_and_help_need_no_privilege(self):
        for words in (("caps",), ("caps", "SYS_ADMIN"), ("caps", "a80425fb"), ("--help",), ("ps", "--help"),
                      ("--version",)):
            done = self.run_as_nobody(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)

    def test_doctor_without_privileges_names_what_is_missing(self):
        done = self.run_as_nobody("doctor")
        self.assertIn(done.returncode, (0, 3))
        self.assertRegex(done.stdout, r"(?i)root|CAP_|sudo")


class AgainstPs(unittest.TestCase):
    """On the host, the ps-aux columns are what ps(1) prints."""

    @nsview.requires_root
    def test_the_columns_of_ps_aux(self):
        with Subject("pty", "memory", 20000, "threads", 3, "nice", 5, "fork") as subject:
            pids = ",".join(map(str, subject.pids))
            theirs = subprocess.run(["ps", "-ww", "-o", "user,pid,vsz,rss,tty,stat,args", "-p", pids],
                                    capture_output=True, text=True).stdout
            ours = run("ps", "-p", pids, "-o", "user,pid,vsz,rss,tty,stat,command", "--sort", "pid").stdout
            self.assertEqual([line.split() for line in ours.splitlines()[1:]],
                             [line.split() for line in theirs.splitlines()[1:]])

    @nsview.requires_root
    def test_users_by_name(self):
        for entry in pwd.getpwall()[:4]:
            number = entry.pw_uid
            with self.subTest(user=entry.pw_name), Subject("uids", number, number, number, number) as subject:
                self.assertEqual(nsview.ps("-u", entry.pw_name)[subject.pid]["user"], entry.pw_name)
