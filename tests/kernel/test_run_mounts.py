# SPDX-License-Identifier: GPL-2.0-only
"""nsview run: what is mounted in a container, by /proc/PID/mountinfo and by trying it."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from nsview import NSVIEW, PYTHON, SECONDS, requires_root, run

FLAGS = {"ro", "rw", "nosuid", "nodev", "noexec"}
USUAL = {"nosuid", "nodev", "noexec"}
# The mount table of a container of docker 20.10.24 (runc 1.1.5) without options.
BY_DOCKER = {
    "/proc": ("proc", {"rw"} | USUAL),
    "/dev/pts": ("devpts", {"rw", "nosuid", "noexec"}),
    "/dev/mqueue": ("mqueue", {"rw"} | USUAL),
    "/dev/shm": ("tmpfs", {"rw"} | USUAL),
    "/sys": ("sysfs", {"ro"} | USUAL),
    "/proc/bus": ("proc", {"ro"} | USUAL),
    "/proc/fs": ("proc", {"ro"} | USUAL),
    "/proc/irq": ("proc", {"ro"} | USUAL),
    "/proc/sys": ("proc", {"ro"} | USUAL),
}
# The OCI runtime's linux.maskedPaths and readonlyPaths as docker 20.10.24 writes them.
MASKED = ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
DEVICES = {"null": "1, 3", "zero": "1, 5", "full": "1, 7", "random": "1, 8", "urandom": "1, 9", "tty": "5, 0"}
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
         "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}
if os.path.exists("/proc/kcore"):  # the kernel's choice
    LINKS["core"] = "/proc/kcore"


def inside(*words, options=(), **settings):
    return run("run", *options, "--", *words, **settings).stdout


def mounts(text):
    """{point: (type, flags of the mount, tags)}; what covers another mount counts."""
    found = {}
    for line in text.splitlines():
        left, right = line.split(" - ")
        fields = left.split(" ")
        found[fields[4]] = (right.split(" ")[0], FLAGS.intersection(fields[5].split(",")), fields[6:])
    return found


def mounts_with(*options, **settings):
    return mounts(inside("cat", "/proc/self/mountinfo", options=options, **settings))


class Folder(unittest.TestCase):
    """A directory of the test's own, removed by the names that were made."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nsview-mounts-")
        self.addCleanup(os.rmdir, self.folder)

    def make_file(self, name, text="text"):
        path = pathlib.Path(self.folder, name)
        path.write_text(text)
        self.addCleanup(lambda: path.unlink(missing_ok=True))
        return str(path)

    def make_dir(self, name):
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        self.addCleanup(os.rmdir, path)
        return path

    def assert_refused(self, options, *patterns, **settings):
        with self.subTest(options=options):
            done = run("run", *options, "true", check=125, **settings)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\Ansview: [^\n]+\n\Z")
            for pattern in patterns:
                self.assertIn(pattern, done.stderr)


@requires_root
class System(unittest.TestCase):
    def test_the_mounts_are_dockers(self):
        found = mounts_with()
        for point, (kind, flags) in BY_DOCKER.items():
            with self.subTest(point=point):
                self.assertEqual(found[point][:2], (kind, flags))

    def test_nothing_is_shared_with_the_host(self):
        for point, (_, _, tags) in mounts_with().items():
            with self.subTest(point=point):
                self.assertEqual(tags, [])

    def test_what_docker_masks_is_empty(self):
        script = "for path; do [ ! -e $path ] || echo $path $(cat $path 2>/dev/null) $(ls -A $path); done"
        for line in inside("sh", "-c", script, "sh", *MASKED).splitlines():
            path, *content = line.split()
            with self.subTest(path=path):
                self.assertEqual(content, [path] if not os.path.isdir(path) else [])

    def test_what_docker_makes_read_only_is(self):
        script = "for path; do [ ! -e $path ] || touch $path 2>&1; done; true"
        text = inside("sh", "-c", script, "sh", *READONLY, "/proc/sys/kernel/core_pattern")
        for path in filter(os.path.exists, [*READONLY, "/proc/sys/kernel/core_pattern"]):
            with self.subTest(path=path):
                self.assertRegex(text, f"{path}.*Read-only file system")

    def test_dev_is_dockers(self):
        text = inside("ls", "-l", "/dev")
        for name, numbers in DEVICES.items():
            self.assertRegex(text, rf"(?m)^crw-rw-rw-.* {numbers} .* {name}$")
        for name, target in LINKS.items():
            self.assertRegex(text, rf"(?m)^l.* {name} -> {target}$")
        names = {line.split(" -> ")[0].split()[-1] for line in text.splitlines()[1:]}
        self.assertEqual(names, {*DEVICES, *LINKS, "pts", "shm", "mqueue"})

    def test_its_terminals_are_its_own(self):
        self.assertEqual(inside("ls", "/dev/pts"), "ptmx\n")
        self.assertEqual(inside(*PYTHON, "-c", "import os; print(os.ttyname(os.openpty()[1]))"), "/dev/pts/0\n")

    def test_no_device_of_the_host_can_be_made(self):
        script = ("import os\nfor folder in ('/', '/tmp', '/dev', '/dev/shm'):\n"
                  " path = folder + '/node'\n os.mknod(path, 0o20666, os.makedev(10, 229))\n"
                  " try: os.open(path, os.O_RDONLY); print('opened', path)\n except PermissionError: print('no')\n")
        self.assertEqual(inside(*PYTHON, "-c", script), "no\n" * 4)

    def test_the_devices_of_dev_work(self):
        script = ("head -c 3 /dev/zero | od -An -c; echo x > /dev/null; head -c 1 /dev/urandom | wc -c; "
                  "echo x 2>/dev/null > /dev/full || echo full")
        self.assertEqual(inside("sh", "-c", script).split(), ["\\0", "\\0", "\\0", "1", "full"])

    def test_cgroups_are_dockers(self):
        """Version 2 has one hierarchy, version 1 a folder for each."""
        found = mounts_with()
        kinds = {line.split()[1]: line.split()[2] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()}
        if kinds["/sys/fs/cgroup"] == "cgroup2":
            self.assertEqual(found["/sys/fs/cgroup"][:2], ("cgroup2", {"ro"} | USUAL))
            return
        self.assertEqual(found["/sys/fs/cgroup"][:2], ("tmpfs", {"rw"} | USUAL))
        lines = [line.split(":") for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
        names = {controllers.removeprefix("name=") for _, controllers, _ in lines if controllers}
        self.assertEqual({point.removeprefix("/sys/fs/cgroup/") for point in found if "/sys/fs/cgroup/" in point}, names)
        for name in names:
            self.assertEqual(found[f"/sys/fs/cgroup/{name}"][:2], ("cgroup", {"ro"} | USUAL))

    def test_read_only(self):
        script = "touch /x /tmp/x /run/x 2>&1; touch /dev/shm/x /dev/x && echo written"
        text = inside("sh", "-c", script, options=["--read-only"])
        self.assertEqual(text.count("Read-only file system"), 3)
        self.assertTrue(text.endswith("written\n"))


@requires_root
class Volumes(Folder):
    def test_what_is_written_is_the_hosts(self):
        path = self.make_file("file", "before")
        inside("sh", "-c", "cat /a/b/file > /dev/null && echo after > /a/b/file",
               options=["-v", f"{self.folder}:/a/b"])
        self.assertEqual(pathlib.Path(path).read_text(), "after\n")

    def test_read_only(self):
        self.make_file("file", "before")
        script = "cat /data/file; touch /data/new; rm /data/file"
        done = run("run", "-v", f"{self.folder}:/data:ro", "sh", "-c", script, check=1)
        self.assertEqual(done.stdout, "before")
        self.assertEqual(done.stderr.count("Read-only file system"), 2)
        self.assertEqual(os.listdir(self.folder), ["file"])

    def test_the_state_file_declares_them(self):
        name = f"mounts-{os.getpid()}"
        with subprocess.Popen([NSVIEW, "run", "--name", name, "-i", "-v", f"{self.folder}:/x/../data:ro", "--read-only", "sh",
                               "-c", "echo ready; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            self.assertEqual(process.stdout.readline(), b"ready\n")
            said = json.loads(pathlib.Path(f"/run/nsview/{name}.json").read_text())
            process.stdin.close()
        self.assertEqual(said["mounts"], [{"source": self.folder, "target": "/data", "read_only": True}])
        self.assertIs(said["read_only"], True)

    def test_a_file(self):
        path = self.make_file("file", "content")
        self.assertEqual(inside("cat", "/etc/hostname", options=["-v", f"{path}:/etc/hostname:ro"]), "content")
        self.assertEqual(inside("cat", "/new/name", options=["-v", f"{path}:/new/name:ro"]), "content")

    def test_no_device_in_it_can_be_opened(self):
        node = os.path.join(self.folder, "node")
        os.mknod(node, 0o20666, os.makedev(10, 229))  # fuse: opens for any root
        self.addCleanup(os.unlink, node)
        done = run("run", "-v", f"{self.folder}:/data", "head", "-c", "1", "/data/node", check=1)
        self.assertRegex(done.stderr, "Permission denied|Operation not permitted")

    def test_by_default_it_is_private(self):
        self.assertEqual(mounts_with("-v", f"{self.folder}:/data")["/data"][1:], ({"rw"}, []))

    def in_namespace(self, script):
        """In a private mount namespace, with a tmpfs of two levels on the folder."""
        make = "set -e; mount -t tmpfs one $1; mount --make-shared $1; mkdir $1/deep; mount -t tmpfs two $1/deep; "
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                               f"{make} folder=$1 NSVIEW=$2; {script}", "sh", self.folder, NSVIEW],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_read_only_holds_for_what_is_mounted_below(self):
        text = self.in_namespace("$NSVIEW run -v $folder:/data:ro cat /proc/self/mountinfo")
        found = mounts(text)
        self.assertEqual(found["/data"][1], {"ro"})
        self.assertEqual(found["/data/deep"][1], {"ro"})

    def test_propagation(self):
        for mode, tags in (("rslave", r"master:\d+"), ("slave", r"master:\d+"), ("rshared", r"shared:\d+"),
                           ("private", ""), ("ro,rslave", r"master:\d+")):
            with self.subTest(mode=mode):
                text = self.in_namespace(f"$NSVIEW run -v $folder:/data:{mode} cat /proc/self/mountinfo")
                self.assertRegex(" ".join(mounts(text)["/data"][2]), rf"\A{tags}\Z")

    def test_a_slave_gets_what_is_mounted_later(self):
        script = ("cd $folder; mkfifo ready go; mkdir late; { read x < ready; mount -t tmpfs three late; echo > go; } & "
                  "$NSVIEW run -v $folder:/data:rslave sh -c 'echo > /data/ready; read x < /data/go; cat /proc/self/mountinfo'")
        self.assertIn("/data/late", mounts(self.in_namespace(script)))

    def test_a_mount_that_is_not_shared_cannot_be_propagated(self):
        for mode in ("rshared", "shared", "rslave", "slave"):
            text = self.in_namespace(f"mount --make-private $folder; $NSVIEW run -v $folder:/data:{mode} true 2>&1 || echo $?")
            self.assertRegex(text, r"\Ansview: cannot mount [^\n]*shared[^\n]*\n125\n\Z")

    def test_what_docker_refuses_is_refused(self):
        folder = self.folder
        for words, pattern in ((f"{folder}:/", "--rootfs"), (f"{folder}:/x/..", "--rootfs"), ("relative:/data", "named"),
                               (f"{folder}:data", "begin with /"), (f"{folder}:/data:foo", "foo"),
                               (f"{folder}:/data:ro,rw", "rw"), (f"{folder}:/data:rslave,rshared", "rshared"),
                               (folder, "SRC:DST"), ("", "SRC:DST"), (":/data", "SRC:DST"), (f"{folder}:", "SRC:DST"),
                               ("a:b:c:d", "SRC:DST"), (f"{folder}:/proc", "/proc"), (f"{folder}:/proc/x", "/proc"),
                               (f"{folder}:/x/../proc/sys", "/proc"), (f"{folder}/missing:/data", "no such file"),
                               (f"{folder}:/etc/passwd", "directory"), ("/etc/passwd:/tmp", "directory"),
                               (f"{folder}:/etc/nsview-test", "read-only"),
                               (f"{folder}/\x1b[31m\n:/data", "\\x1b[31m\\n")):
            self.assert_refused(["-v", words], pattern)
        self.assert_refused(["-v", f"{folder}:/data", "-v", "/usr:/x/../data"], "/data")
        self.assertFalse(os.path.exists("/etc/nsview-test"))
        self.assertFalse(os.path.exists(f"{folder}/missing"))

    def test_a_link_to_proc_is_no_way_into_it(self):
        os.symlink("/proc", f"{self.folder}/link")
        self.addCleanup(os.unlink, f"{self.folder}/link")
        self.assert_refused(["-v", f"{self.folder}:/data", "-v", "/usr:/data/link/sys"], "/proc")

    def test_the_hosts_mounts_stay_as_they_are(self):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        inside("true", options=["-v", f"{self.folder}:/data:ro", "--read-only"])
        self.assert_refused(["-v", f"{self.folder}:/data", "-v", f"{self.folder}:/etc/passwd"])
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)


@requires_root
class UserNamespaces(Folder):
    """Without root, and with a user namespace of root's own."""

    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.program = os.path.join(self.folder, "nsview")
        shutil.copy(NSVIEW, self.program)
        self.addCleanup(os.unlink, self.program)

    def runs(self, *words, check=0):
        """For nobody, and for root with --userns auto."""
        for prefix in (["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", self.program, "run"],
                       [NSVIEW, "run", "--userns", "auto"]):
            done = subprocess.run([*prefix, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=SECONDS, check=False)
            self.assertEqual(done.returncode, check, done.stderr)
            yield done.stderr if check else done.stdout

    def test_the_mounts_are_dockers(self):
        for text in self.runs("cat", "/proc/self/mountinfo"):
            for point, (kind, flags) in BY_DOCKER.items():
                self.assertEqual(mounts(text)[point][:2], (kind, flags))

    def test_volumes_and_read_only(self):
        for text in self.runs("--read-only", "-v", f"{self.folder}:/data:ro", "sh", "-c",
                              "ls /data; touch /x /data/x 2>&1; true"):
            self.assertTrue(text.startswith("nsview\n"))
            self.assertEqual(text.count("Read-only file system"), 2)

    def test_rootfs(self):
        root = self.make_dir("root")
        os.chmod(root, 0o755)
        options = ["--rootfs", root]
        for name in ("usr", "bin", "sbin", "lib", "lib64"):
            if os.path.islink(f"/{name}"):
                os.symlink(os.readlink(f"/{name}"), f"{root}/{name}")
                self.addCleanup(os.unlink, f"{root}/{name}")
            elif os.path.isdir(f"/{name}"):
                options += ["-v", f"/{name}:/{name}:ro"]
        before = sorted(os.listdir(root))
        if self.may_overlay():
            for text in self.runs(*options, "sh", "-c", "ls / && cd /dev/shm && touch x && echo made"):
                self.assertIn("proc\n", text)
                self.assertTrue(text.endswith("made\n"))
        else:
            for text in self.runs(*options, "true", check=125):
                self.assertRegex(text, r"\Ansview: cannot use [^\n]* before Linux 5\.11 [^\n]*\n\Z")
        self.assertEqual(sorted(os.listdir(root)), before)

    def may_overlay(self):
        """From Linux 5.11 on a user namespace may mount them."""
        script = ("mount -t tmpfs t /mnt && cd /mnt && mkdir lower upper work root && "
                  "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work o root")
        return subprocess.run(["unshare", "-U", "-r", "-m", "sh", "-c", script], capture_output=True, check=False).returncode == 0


@requires_root
class Rootfs(Folder):
    """--rootfs: a directory with the test's own /etc, and this machine's programs by volumes."""

    def setUp(self):
        super().setUp()
        self.root = self.make_dir("root")
        self.options = ["--rootfs", self.root]
        for name in ("usr", "bin", "sbin", "lib", "lib64"):
            if os.path.islink(f"/{name}"):
                self.make_link(name, os.readlink(f"/{name}"))
            elif os.path.isdir(f"/{name}"):
                self.options += ["-v", f"/{name}:/{name}:ro"]
        self.make_dir("root/etc")
        self.make_file("root/etc/passwd", "root:x:0:0::/:/bin/sh\nweb:x:4711:4712::/:/bin/sh\n")

    def make_link(self, name, target):
        path = f"{self.root}/{name}"
        os.symlink(target, path)
        self.addCleanup(os.unlink, path)

    def tree(self):
        return sorted((folder, *names, *files) for folder, names, files in os.walk(self.folder))

    def test_no_advice_to_leave_an_image_out(self):
        done = run("run", *self.options, "ubuntu", "sleep", "3600", check=127)
        self.assertNotIn("no image is needed", done.stderr)
        self.assertIn("no such command", done.stderr)

    def test_its_files_are_the_roots(self):
        text = inside("sh", "-c", "id -u; cat /etc/passwd", options=[*self.options, "--user", "web"])
        self.assertEqual(text, "4711\n" + pathlib.Path(self.root, "etc/passwd").read_text())

    def test_it_stays_as_it_is(self):
        before = self.tree()
        script = "echo new > /etc/new && rm /etc/passwd && mkdir /a /tmp && mv /etc /moved && ls /moved"
        self.assertEqual(inside("sh", "-c", script, options=[*self.options, "-v", "/usr:/x/y:ro"]), "new\n")
        self.assertEqual(self.tree(), before)
        self.assertTrue(pathlib.Path(self.root, "etc/passwd").exists())

    def test_nothing_of_the_host_is_left_mounted(self):
        text = inside("sh", "-c", "ls -di / /.. | cut -d' ' -f1; cat /proc/self/mountinfo", options=self.options)
        root, above, *lines = text.splitlines()
        self.assertEqual(root, above)
        found = mounts("\n".join(lines))
        self.assertEqual(found["/"][0], "overlay")
        self.assertEqual({point for point in found if not point.startswith(("/proc", "/sys", "/dev"))},
                         {"/"} | {word.split(":")[1] for word in self.options if word.endswith(":ro")})

    def test_the_same_mounts_as_without(self):
        found = mounts_with(*self.options)
        for point, (kind, flags) in BY_DOCKER.items():
            with self.subTest(point=point):
                self.assertEqual(found[point][:2], (kind, flags))

    def test_the_hosts_own_root(self):
        self.assertIn("etc\n", inside("ls", "/", options=["--rootfs", "/"]))
        self.assertEqual(inside("sh", "-c", "touch /nsview-test && echo ok", options=["--rootfs", "/"]), "ok\n")
        self.assertFalse(os.path.exists("/nsview-test"))

    def test_read_only(self):
        self.assertIn("Read-only", inside("sh", "-c", "touch /x 2>&1; true", options=[*self.options, "--read-only"]))

    def test_a_mount_point_that_is_a_link_is_refused(self):
        outside = self.make_dir("outside")
        for name in ("proc", "sys", "dev"):
            for target in ("/etc", f"../../../../../../..{outside}", outside, "/nowhere"):
                os.symlink(target, f"{self.root}/{name}")
                try:
                    self.assert_refused(self.options, f"/{name}", "symbolic link")
                finally:
                    os.unlink(f"{self.root}/{name}")
        self.assertEqual(os.listdir(outside), [])

    def test_a_mount_point_that_is_a_file_is_refused(self):
        self.make_file("root/proc")
        self.assert_refused(self.options, "/proc")

    def test_links_that_lead_outside_stay_inside(self):
        outside = self.make_dir("outside")
        self.make_link("absolute", outside)
        self.make_link("relative", f"../../../../../../../../..{outside}")
        for name in ("absolute", "relative"):
            self.assert_refused([*self.options, "-v", f"/etc/passwd:/{name}/deep/file:ro"], f"/{name}/deep/file")
        path = pathlib.Path("root")
        for part in pathlib.Path(outside).parts[1:]:
            path = path / part
            self.make_dir(str(path))
        for name in ("absolute", "relative"):
            with self.subTest(link=name):
                text = inside("sh", "-c", f"cat /proc/self/mountinfo | grep -o ' {outside}/[^ ]*'",
                              options=[*self.options, "-v", f"/etc/passwd:/{name}/deep/file:ro"])
                self.assertEqual(text, f" {outside}/deep/file\n")
        self.assertEqual(os.listdir(outside), [])

    def test_an_etc_that_is_a_link_outside_names_nobody(self):
        outside = self.make_dir("outside")
        self.make_file("outside/passwd", "evil:x:0:0::/:/bin/sh\n")
        os.rename(f"{self.root}/etc", f"{self.root}/other")
        os.symlink(outside, f"{self.root}/etc")
        try:
            self.assert_refused([*self.options, "--user", "evil"], "evil")
        finally:
            os.unlink(f"{self.root}/etc")
            os.rename(f"{self.root}/other", f"{self.root}/etc")

    def test_what_is_no_directory_is_refused(self):
        self.assert_refused(["--rootfs", f"{self.folder}/missing"], "No such file or directory")
        self.assert_refused(["--rootfs", "/etc/passwd"], "Not a directory")
        self.assert_refused(["--rootfs", ""], "''")
        self.assert_refused(["--rootfs", f"{self.folder}/\x1b[31m"], "\\x1b[31m")

    def test_a_name_that_mount_would_read_as_options(self):
        name = self.make_dir("a:b,upperdir=c\\d e")
        run("run", "--rootfs", name, "true", check=127)  # made, and empty


if __name__ == "__main__":
    unittest.main()
