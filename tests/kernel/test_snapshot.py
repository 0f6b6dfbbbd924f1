# SPDX-License-Identifier: GPL-2.0-only
"""Every field that nsview ps --json gives of a process is what /proc says of it, from both sources."""

import os
import pathlib
import time
import unittest

import nsview
import procview
import runc
from nsview import Subject

# What /proc shows of no process (securebits), or of no other's (the namespaces above its own are
# only to be had by opening it).
PROC_UNKNOWN = {"securebits"}
PF_EXITING = 0x4
PF_KTHREAD = 0x00200000


def own_bounding_set():
    return int(procview.status("self")["CapBnd"], 16)


@nsview.requires_root
class Case(unittest.TestCase):
    maxDiff = None

    def rows(self, pid):
        for source in ("bpf", "proc"):
            yield source, nsview.ps("-p", str(pid), source=source)[pid]

    def compare(self, row, source, expected):
        wrong = []
        for key, value in expected.items():
            if source == "proc" and key in PROC_UNKNOWN and key in row["unknown"]:
                value = None
            elif key in row["unknown"]:
                wrong.append(f"{key} is unknown, /proc says {value!r}")
            if key not in row:
                wrong.append(f"{key} is missing")
            elif row[key] != value:
                wrong.append(f"{key} is {row[key]!r}, /proc says {value!r}")
        if wrong:
            self.fail(f"from {source}, pid {expected.get('pid')}:\n" + "\n".join(wrong))

    def check(self, pid, **more):
        expected = {**procview.expected(pid), **more}
        for source, row in self.rows(pid):
            with self.subTest(source=source):
                self.compare(row, source, expected)
        return expected


class Identity(Case):
    @nsview.requires_outside
    def test_a_process_of_the_host(self):
        with Subject() as subject:
            expected = self.check(subject.pid, container=None)
            self.assertIsNone(expected["in_pid"])

    def test_five_nested_pid_namespaces(self):
        with Subject(*["fork-pid"] * 5) as subject:
            self.assertEqual(len(subject.pids), 6)
            for pid in subject.pids:
                self.check(pid)
            self.assertEqual(len(procview.chain(subject.pid)), 6)

    def test_the_deepest_pid_namespace_that_the_kernel_allows(self):
        # MAX_PID_NS_LEVEL is 32: the tests' own namespace and 32 below it, where it is the first.
        with Subject(*["fork-pid"] * 32) as subject:
            self.check(subject.pid)

    def test_a_parent_outside_has_the_inner_pid_0(self):
        with Subject("fork-pid", "fork") as subject:
            first, second = (self.check(pid) for pid in subject.pids[-2:])
            self.assertEqual((first["in_ppid"], second["in_ppid"]), (0, 1))

    def test_a_map_of_340_extents(self):
        extents = ",".join(f"{2 * number} {20000 + 3 * number} 1" for number in range(340))
        with Subject("userns", extents, extents, "groups", 100, 0,
                     "gids", 678, 200, 400, 0, "uids", 676, 202, 402, 2) as subject:
            expected = self.check(subject.pid)
            self.assertEqual((expected["in_uid"], expected["in_euid"]), (676, 202))
            self.assertEqual((expected["in_gid"], expected["in_egid"]), (678, 200))

    def test_maps_on_both_sides_of_five_extents(self):
        # Up to five extents lie in the map itself, more in arrays of their own.
        for count in (1, 5, 6):
            extents = ",".join(f"{10 * number} {30000 + 100 * number} 10" for number in range(count))
            last = 10 * count - 1
            with self.subTest(extents=count), Subject(
                    "userns", extents, extents, "gids", 0, last, 3, 4, "uids", 1, last, 3, 4) as subject:
                expected = self.check(subject.pid)
                self.assertEqual(expected["euid"], 30000 + 100 * (count - 1) + 9)

    def test_an_id_outside_the_map_is_65534(self):
        with Subject("userns", "0 100000 10", "0 100000 10") as subject:
            expected = self.check(subject.pid)
            self.assertEqual((expected["euid"], expected["in_euid"]), (0, 65534))

    def test_the_id_right_behind_an_extent_is_65534(self):
        mask = f"{own_bounding_set():x}"
        for count in (1, 6):
            extents = ",".join(f"{10 * number} {40000 + 100 * number} 10" for number in range(count))
            first, behind = 40000 + 100 * (count - 1), 40010 + 100 * (count - 1)
            with self.subTest(extents=count), Subject(
                    "gids", first, behind, 0, 0, "uids", first, behind, 0, 0, "capset", mask, mask, 0,
                    "userns", extents, extents) as subject:
                expected = self.check(subject.pid)
                self.assertEqual((expected["in_uid"], expected["in_euid"]), (10 * (count - 1), 65534))

    def test_a_user_namespace_in_a_user_namespace_of_another_owner(self):
        with Subject("userns", "0 100000 1000", "0 100000 1000", "gids", 0, 0, 0, 0,
                     "uids", 500, 500, 500, 500, "capset", *["1ffffffffff"] * 3,
                     "userns", "0 500 1", "0 0 1") as subject:
            expected = self.check(subject.pid)
            self.assertEqual(expected["userns"]["level"], 2)
            self.assertEqual(expected["userns"]["owner"], 100500)

    def test_every_capability_set_different(self):
        bounding = own_bounding_set() & ~(1 << 20 | 1 << 21)
        ambient, inheritable = 1 << 10 | 1 << 13, 1 << 10 | 1 << 13 | 1 << 5
        permitted = ambient | 1 << 12 | 1 << 6 | 1 << 34 | 1 << 39
        effective = permitted & ~(1 << 12) & ~(1 << 13)
        with Subject("securebits", 0b100, "bounding", f"{bounding:x}",
                     "capset", f"{permitted:x}", f"{permitted:x}", f"{inheritable:x}",
                     "ambient", f"{ambient:x}",
                     "capset", f"{effective:x}", f"{permitted:x}", f"{inheritable:x}") as subject:
            expected = self.check(subject.pid, securebits=0b100)
            masks = [expected[f"{name}_hex"] for name in procview.SETS]
            self.assertEqual(len(set(masks)), 5, masks)

    def test_all_eight_ids_different(self):
        with Subject("groups", 70000, 3, "gids", 5, 6, 7, 8, "uids", 1001, 1002, 1003, 1004) as subject:
            expected = self.check(subject.pid)
            ids = [expected[key] for key in ("uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid")]
            self.assertEqual(ids[:3] + ids[4:7], [1001, 1002, 1003, 5, 6, 7])

    def test_32_groups(self):
        with Subject("groups", 70000, 32) as subject:
            self.check(subject.pid)

    def test_more_groups_than_are_carried_are_not_passed_off_as_all(self):
        with Subject("groups", 70000, 100) as subject:
            for source, row in self.rows(subject.pid):
                with self.subTest(source=source):
                    kept = row["groups"] or []
                    self.assertEqual(kept, list(range(70000, 70000 + len(kept))))
                    self.assertTrue(len(kept) == 100 or "groups" in row["truncated"], row["groups"])

    def test_each_namespace_alone(self):
        for kind in ("mnt", "net", "ipc", "uts", "cgroup"):
            with self.subTest(kind=kind), Subject("unshare", kind) as subject:
                self.check(subject.pid)
        with self.subTest(kind="time"), Subject("unshare", "time", "fork") as subject:
            self.check(subject.pid)

    def test_no_new_privs_and_a_seccomp_filter(self):
        with Subject("no-new-privs", "seccomp") as subject:
            expected = self.check(subject.pid)
            self.assertEqual((expected["nnp"], expected["seccomp"]), (True, "filter"))

    def test_loginuid(self):
        with Subject(command=["sh", "-c", 'echo 4242 >/proc/self/loginuid && exec "$@"', "sh"]) as subject:
            expected = self.check(subject.pid)
            self.assertEqual(expected["loginuid"], 4242)

    def test_a_working_directory(self):
        with Subject("chdir", "/usr") as subject:
            self.assertEqual(self.check(subject.pid)["cwd"], "/usr")

    def test_a_renamed_process(self):
        with Subject("comm", "a) R 1 (b\n\x1b[1m") as subject:
            self.check(subject.pid)


class Cgroups(Case):
    """Each hierarchy that this machine has mounted, with a group of its own."""

    def enter(self, directory, pid):
        os.makedirs(directory)
        self.addCleanup(os.rmdir, directory)
        (pathlib.Path(directory) / "cgroup.procs").write_text(str(pid))

    def mounts(self):
        for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
            _, where, kind, options, *_ = line.split()
            if kind == "cgroup2" or kind == "cgroup" and set(options.split(",")) & set(procview.HIERARCHIES[1:]):
                yield where

    def test_a_group_in_each_hierarchy(self):
        for where in self.mounts():
            with self.subTest(hierarchy=where), Subject() as subject:
                directory = f"{where}/nsview-test-{os.getpid()}"
                try:
                    self.enter(directory, subject.pid)
                except OSError as error:
                    self.assertIn("cpuset", where, error)  # an empty set of CPUs takes nobody
                    continue
                self.check(subject.pid)
                (pathlib.Path(where) / "cgroup.procs").write_text(str(subject.pid))
            self.doCleanups()


    def long_path(self, subject, names):
        """Puts the subject into nested groups of the hierarchy that nsview asks first of all."""
        where = next(where for where in sorted(self.mounts(), key=self.rank))
        pathlib.Path(f"{where}/cgroup.procs").stat()
        for name in names:
            where = f"{where}/{name}"
            os.mkdir(where)
            self.addCleanup(os.rmdir, where)
        (pathlib.Path(where) / "cgroup.procs").write_text(str(subject.pid))
        return "/" + "/".join(names)

    def rank(self, where):
        last = pathlib.Path(where).name
        return 0 if last in ("unified", "cgroup") else 1 + procview.HIERARCHIES.index(last)

    def test_a_path_of_many_long_names(self):
        names = [f"{number:02}-" + "n" * 90 for number in range(10)]
        with Subject() as subject:
            path = self.long_path(subject, names)
            self.assertEqual(self.check(subject.pid)["cgroup"], path)

    def test_the_end_of_a_path_that_is_too_long(self):
        for names in ([f"{number:02}-" + "n" * 200 for number in range(6)], ["d"] * 40):
            with self.subTest(names=len(names)):
                with Subject() as subject:
                    path = self.long_path(subject, names)
                    for source, row in self.rows(subject.pid):
                        with self.subTest(source=source):
                            self.assertTrue(path.endswith(row["cgroup"].removeprefix("...")), row["cgroup"])
                            self.assertEqual(row["cgroup"] != path, "cgroup" in row["truncated"])
                self.doCleanups()


class Activity(Case):
    def test_a_hundred_threads(self):
        with Subject("threads", 99) as subject:
            self.assertEqual(self.check(subject.pid)["threads"], 100)

    def test_a_zombie(self):
        with Subject("zombie") as subject:
            parent, zombie = subject.pids
            lines = procview.status(zombie)
            for source, row in self.rows(zombie):
                with self.subTest(source=source):
                    self.compare(row, source, {
                        "pid": zombie, "ppid": parent, "comm": "subject", "args": None, "exe": None,
                        "cwd": None, **procview.outer_ids(zombie), **procview.capabilities(zombie),
                        "nnp": lines["NoNewPrivs"] == "1", "stat": procview.ps(zombie, "stat"),
                        "vsz_bytes": 0, "rss_bytes": 0, "threads": 1,
                        "command": "[subject] <defunct>"})

    def test_a_process_whose_first_thread_has_ended(self):
        with Subject("leave-leader", last=None) as subject:
            nsview.wait_until(lambda: procview.stat(subject.pid)[3] == "Z")
            for source, row in self.rows(subject.pid):
                with self.subTest(source=source):
                    self.compare(row, source, {
                        "pid": subject.pid, **procview.outer_ids(subject.pid),
                        **procview.capabilities(subject.pid),
                        "stat": procview.ps(subject.pid, "stat"), "threads": 2})

    def test_a_session_on_a_terminal(self):
        with Subject("pty", "fork") as subject:
            leader, follower = (self.check(pid) for pid in subject.pids)
            self.assertRegex(leader["tty"], r"^pts/\d+$")
            self.assertEqual((leader["stat"], follower["stat"]), ("Ss+", "S+"))

    def test_priorities(self):
        for steps in (("nice", -5), ("nice", 7), ("fifo", 50)):
            with self.subTest(steps=steps), Subject(*steps) as subject:
                self.check(subject.pid)

    def test_locked_memory(self):
        with Subject("mlock") as subject:
            self.assertIn("L", self.check(subject.pid)["stat"])

    def test_a_stopped_process(self):
        with Subject(last="stop") as subject:
            nsview.wait_until(lambda: procview.stat(subject.pid)[3] == "T")
            self.check(subject.pid)
            nsview.kill(subject.pid)

    def test_resident_memory_of_many_threads(self):
        """Before 6.2 each thread keeps up to 64 pages of its own count to itself, for a while."""
        with Subject("memory", 50000, "threads", 20) as subject:
            def is_same():
                return {row["rss_bytes"] for _, row in self.rows(subject.pid)} == {procview.activity(subject.pid)["rss_bytes"]}

            nsview.wait_until(is_same)
            self.assertGreater(procview.activity(subject.pid)["rss_bytes"], 50000 * 1024)

    def test_time_of_all_threads_also_of_those_that_have_ended(self):
        with Subject("burn", 150, "burn-thread", 250, "burn-stay", 200, "threads", 3) as subject:
            for source, row in self.rows(subject.pid):
                with self.subTest(source=source):
                    fields = procview.stat(subject.pid)
                    ticks = int(fields[14]) + int(fields[15])
                    # /proc floors user and system time to a tick each.
                    self.assertAlmostEqual(row["time_seconds"], ticks / 100, delta=0.021)
                    self.assertGreater(row["time_seconds"], 0.58)

    def test_share_of_the_cpu_since_the_start(self):
        with Subject("burn", 400) as subject:
            time.sleep(0.3)
            for source in ("bpf", "proc"):
                with self.subTest(source=source):
                    before = self.share(subject.pid)
                    row = nsview.ps("-p", str(subject.pid), source=source)[subject.pid]
                    after = self.share(subject.pid)
                    self.assertLessEqual(row["cpu_percent"], before + 4)
                    self.assertGreaterEqual(row["cpu_percent"], after - 4)

    def share(self, pid):
        fields = procview.stat(pid)
        uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
        return (int(fields[14]) + int(fields[15])) / (uptime - int(fields[22]) / 100)

    def test_start(self):
        with Subject() as subject:
            ticks = int(procview.stat(subject.pid)[22])
            for source, row in self.rows(subject.pid):
                with self.subTest(source=source):
                    seconds, nine = row["start"].removesuffix("Z").split(".")
                    self.assertEqual(len(nine), 9)
                    stamp = time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")
                    epoch_ns = (int(time.mktime(stamp)) - time.timezone) * 10**9 + int(nine)
                    boot_ns = epoch_ns - procview.boot_offset_ns()
                    self.assertAlmostEqual(boot_ns / 10**7, ticks, delta=1.1)


class Everything(Case):
    def test_every_process_of_this_machine(self):
        """Whoever was there before and after, and did not change meanwhile."""
        for source in ("bpf", "proc"):
            before = self.stable()
            rows = nsview.ps(source=source)
            after = self.stable()
            kept = {pid: value for pid, value in before.items() if after.get(pid) == value}
            self.assertGreater(len(kept), 3)
            for pid, expected in kept.items():
                with self.subTest(source=source, pid=pid):
                    self.assertTrue(pid in rows, "it is not there")
                    self.compare(rows[pid], source, expected)

    def stable(self):
        found = {}
        for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
            try:
                row = self.of(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if len(row["groups"]) <= 32:
                found[pid] = row
        return found

    def of(self, pid):
        lines, fields = procview.status(pid), procview.stat(pid)
        row = {"pid": pid, "ppid": int(fields[4]), "threads": int(fields[20]),
               "cgroup": procview.cgroup(pid), "loginuid": procview.audit(pid, "loginuid"),
               "nnp": lines["NoNewPrivs"] == "1", **procview.outer_ids(pid), **procview.capabilities(pid)}
        if not int(fields[9]) & PF_KTHREAD:  # of those /proc/PID/comm tells more than their comm
            row["comm"] = procview.printable(procview.read(pid, "comm")[:-1])
        if int(fields[9]) & PF_EXITING:  # cgroup v1 no longer says where it was (proc_cgroup_show)
            row.pop("cgroup")
        return row

    def test_a_kernel_thread(self):
        threads = [pid for pid in nsview.children(2) if procview.status(pid).get("Kthread", "1") == "1"]
        if not threads:
            self.fail("no kernel thread is a child of pid 2")
        pid = threads[0]
        for source, row in self.rows(pid):
            with self.subTest(source=source):
                self.compare(row, source, {
                    "pid": pid, "ppid": 2, "args": None, "exe": None, "cwd": None, "container": None,
                    "vsz_bytes": 0, "rss_bytes": 0, "command": procview.ps(pid, "args"),
                    **procview.capabilities(pid)})

    def test_pid_1_is_there_also_where_the_machine_keeps_it_from_bpf(self):
        for source, row in self.rows(1):
            with self.subTest(source=source):
                lines = procview.status(1)
                self.compare(row, source, {"ppid": 0, "comm": lines["Name"], "container": None,
                                           **procview.outer_ids(1), **procview.capabilities(1)})

    def test_without_proc_the_kernel_tells_the_same(self):
        with Subject("userns", "0 100000 10", "0 100000 10", "fork-pid", "groups", 5, 3,
                     "gids", 1, 2, 3, 4, "uids", 1, 2, 3, 4) as subject:
            expected = procview.expected(subject.pid)
            hidden = nsview.ps("-p", str(subject.pid), command=[
                "unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"])
            row = hidden[subject.pid]
            for key in ("args", "exe", "cwd", "in_user", "mem_percent"):  # these are /proc's own
                expected.pop(key)
            self.compare(row, "bpf", expected)
            self.assertLessEqual({"args", "exe", "cwd"}, set(row["unknown"]))


class Tools(Case):
    """The same by the programs that people use for it."""

    def test_unshare(self):
        command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--uts", "--net",
                   "--ipc", "--cgroup"]
        with Subject(command=command) as subject:
            expected = self.check(subject.pid)
            self.assertEqual((expected["in_pid"], expected["in_euid"]), (1, 0))
            self.assertEqual(expected["userns"]["level"], 1)

    def test_setpriv(self):
        command = ["setpriv", "--reuid=1234", "--regid=2345", "--groups=3456,4567", "--securebits=+noroot",
                   "--bounding-set=-sys_admin", "--inh-caps=+net_raw,+kill", "--ambient-caps=+net_raw",
                   "--no-new-privs"]
        with Subject(command=command) as subject:
            expected = self.check(subject.pid, securebits=1)
            self.assertEqual((expected["eff"], expected["groups"]), (["CAP_NET_RAW"], [3456, 4567]))


class Keys(Case):
    # Of cli.md, what a process has without a runtime's files; caps, command and the rest follow in others.
    KEYS = """container user pid in_user in_pid ppid in_ppid uid euid suid fsuid gid egid sgid fsgid in_uid in_euid
        in_gid in_egid groups cpu_percent mem_percent vsz_bytes rss_bytes tty stat start time_seconds threads caps
        eff prm inh bnd amb eff_hex prm_hex inh_hex bnd_hex amb_hex host_effective userns chain ns shared nnp
        securebits seccomp loginuid session cgroup id name runtime exe cwd comm args command unknown""".split()

    def test_all_keys_are_there_whatever_the_options_say(self):
        with Subject() as subject:
            for words in ((), ("-o", "pid"), ("--source", "proc")):
                row = nsview.ps("-p", str(subject.pid), *words)[subject.pid]
                self.assertLessEqual(set(self.KEYS), set(row))
                self.assertEqual(set(row["userns"]), {"ino", "level", "owner"})
                self.assertEqual(set(row["ns"]), set(procview.KINDS))


class Containers(Case):
    def test_runc(self):
        with runc.Container(user={"uid": 7, "gid": 8, "additionalGids": [9, 10]}) as container:
            expected = self.check(container.pid)
            self.assertEqual((expected["in_pid"], expected["in_user"]), (1, "seven"))

    def test_runc_with_a_user_namespace(self):
        with runc.Container(map_size=65536, user={"uid": 0, "gid": 0}) as container:
            expected = self.check(container.pid)
            self.assertEqual((expected["euid"], expected["in_euid"]), (200000, 0))

    def test_nsview_run(self):
        command = [nsview.NSVIEW, "run", "--user", "1000", "--cap-add", "MAC_ADMIN", "--"]
        with nsview.Launched(command + ["sleep", "1000"]) as pid:
            expected = self.check(pid)
            self.assertEqual(expected["bnd_hex"], "00000002a80425fb")
            self.assertEqual((expected["eff"], expected["in_pid"]), ([], 1))
