# SPDX-License-Identifier: GPL-2.0-only
"""A Docker of our own: its socket, data, bridge and mounts belong to one test file and go with it.

    docker = lab.Docker()

    def setUpModule():
        docker.start()

    def tearDownModule():
        docker.stop()

    @lab.needs_docker
    class ...: container = docker.run("--user=1000")

The machine's own daemon, if there is one, is neither used nor touched: its configuration is not
read, and what both would share by default lies under a mount that only ours sees.
"""

import contextlib
import ctypes
import glob
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import images
import kernel_state
from harness import conditions
from harness.patience import patience

START_SECONDS = patience(30)
STOP_SECONDS = patience(20)
CALL_SECONDS = patience(60)
PR_SET_PDEATHSIG = 1
PR_CAPBSET_READ = 23
CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PREFIX = "nsview-lab-"
# dockerd and containerd write here whatever --exec-root says (plugins, the shims' sockets), and
# would use the machine's containerd if its socket were there.
SHARED_FOLDERS = ("/run/docker", "/run/containerd")
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ.get("PATH", "")

numbers = itertools.count()
libc = ctypes.CDLL(None, use_errno=True)
needs_docker = unittest.skipIf(conditions.not_root() or conditions.no_docker(),
                               "needs root, dockerd and runc: make check-runtimes installs them")


def find_program(name):
    """Debian's, where there are several: daemon and client then are of one version."""
    return shutil.which(name, path=SYSTEM_PATH)


def bridge_name(pid, number):
    """At most 15 bytes, IFNAMSIZ."""
    return f"nsv{pid:x}-{number}"


def must(result, what):
    if result:
        raise OSError(ctypes.get_errno(), what)


def enter_private_mounts():
    """In the daemon before its exec: mounts of ours hide the machine's, and end with us."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    must(libc.unshare(CLONE_NEWNS), "unshare")
    must(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount private")
    for folder in SHARED_FOLDERS:
        must(libc.mount(b"lab", folder.encode(), b"tmpfs", 0, None), f"mount {folder}")


def missing_capabilities():
    """What this machine's bounding set lacks: Docker 20.10 --privileged asks for all, and fails."""
    return [f"CAP_{name}" for number, name in kernel_state.CAPABILITIES.items()
            if libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 0]


def cgroup_roots():
    """Where cgroup hierarchies are mounted."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        fields = [line.split() for line in file]
    return [field[1] for field in fields if field[2] in ("cgroup", "cgroup2")]


class Container:
    def __init__(self, docker, identifier):
        self.docker = docker
        self.id = identifier
        self.pid = self.inspect()["State"]["Pid"]
        if not self.pid:
            raise RuntimeError(f"the container ended at once: {docker.call('logs', identifier)}")

    def inspect(self):
        return json.loads(self.docker.call("inspect", self.id))[0]

    def exec(self, *words, command):
        """docker exec -d; the host pid of what it started."""
        before = self.pids()
        self.docker.call("exec", "-d", *words, self.id, *command)
        deadline = time.monotonic() + CALL_SECONDS
        while time.monotonic() < deadline:
            # `runc init` becomes the command by its exec.
            for pid in self.pids() - before:
                words_now = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
                if words_now == [word.encode() for word in command]:
                    return pid
            time.sleep(0.01)
        raise TimeoutError(f"docker exec did not start {command}")

    def pids(self):
        """Of all its processes, as `docker top` numbers them."""
        return {int(word) for word in self.docker.call("top", self.id, "-eo", "pid").split()[1:]}

    def remove(self):
        self.docker.call("rm", "-f", self.id)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.remove()


class Docker:
    def __init__(self, *options, subordinate_ids=None, has_data_disk=False):
        """options: further words for dockerd. subordinate_ids: what its /etc/subuid and
        /etc/subgid say, for --userns-remap. has_data_disk: its data-root is a file system of its own,
        which only it sees."""
        self.options = options
        self.subordinate_ids = subordinate_ids
        self.has_data_disk = has_data_disk
        self.folder = None
        self.daemon = None

    def start(self):
        """Does nothing where Docker cannot run: the tests are skipped, one by one, by name."""
        if conditions.not_root() or conditions.no_docker():
            return
        sweep()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.folder.chmod(0o711)  # the root of a remapped daemon's containers is somebody else
        self.socket = self.folder / "socket"
        self.number = next(numbers)
        self.bridge = bridge_name(os.getpid(), self.number)
        self.cgroups_before = set(self.cgroups())
        self.images = set()
        self.made = []
        self.daemon = None
        try:
            self.make_bridge()
            self.start_daemon()
        except BaseException:
            self.stop()
            raise

    def make_bridge(self):
        # 198.18.0.0/15 is for tests (RFC 2544): it hides nobody's network.
        place = os.getpid() * 4 + self.number % 4
        address = f"198.{18 + place // 4096 % 2}.{place // 16 % 256}.{place % 16 * 16 + 1}/28"
        for words in (["link", "add", self.bridge, "type", "bridge"],
                      ["addr", "add", address, "dev", self.bridge], ["link", "set", self.bridge, "up"]):
            subprocess.run([find_program("ip"), *words], check=True, capture_output=True)

    def make_runtime(self):
        """runc, told not to ask for capabilities that this machine does not have."""
        script = self.folder / "runc-here"
        edits = " ".join(f"-e 's/,\"{name}\"//g' -e 's/\"{name}\",//g'" for name in missing_capabilities())
        edit = f'[ -z "$file" ] || sed -i {edits} "$file"\n' if edits else ""
        script.write_text("#!/bin/sh\n"
                          "for word; do\n"
                          "\tcase $previous in\n"
                          "\t--bundle) file=$word/config.json ;;\n"
                          "\t--process) file=$word ;;\n"
                          "\tesac\n"
                          "\tprevious=$word\n"
                          "done\n"
                          f"{edit}"
                          f'exec {find_program("runc")} "$@"\n')
        script.chmod(0o755)
        return script

    def start_daemon(self):
        (self.folder / "daemon.json").write_text("{}")
        command = [
            find_program("dockerd"), f"--config-file={self.folder}/daemon.json", f"--host=unix://{self.socket}",
            f"--data-root={self.folder / 'data'}", f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/pid", f"--bridge={self.bridge}", "--iptables=false", "--ip-masq=false",
            "--ip-forward=false", "--storage-driver=vfs", f"--add-runtime=here={self.make_runtime()}",
            "--default-runtime=here", *self.options,
        ]
        for folder in SHARED_FOLDERS:
            if not os.path.isdir(folder):
                os.mkdir(folder)
                self.made.append(folder)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
        environment["PATH"] = SYSTEM_PATH
        with open(self.folder / "log", "wb") as log:
            self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=environment, preexec_fn=self.prepare_daemon)
        self.wait_for_socket()

    def prepare_daemon(self):
        enter_private_mounts()
        if self.has_data_disk:
            data = self.folder / "data"
            data.mkdir()
            must(libc.mount(b"lab", str(data).encode(), b"tmpfs", 0, None), f"mount {data}")
        if not self.subordinate_ids:
            return
        for name in ("subuid", "subgid"):
            ours = self.folder / name
            ours.write_text(self.subordinate_ids)
            must(libc.mount(str(ours).encode(), f"/etc/{name}".encode(), None, 0x1000, None), f"bind /etc/{name}")

    def wait_for_socket(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.daemon.poll() is None:
            with socket.socket(socket.AF_UNIX) as client:
                try:
                    client.connect(str(self.socket))
                    client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                    if b" 200 " in client.recv(64):
                        return
                except OSError:
                    pass
            time.sleep(0.02)
        raise RuntimeError("dockerd did not start:\n" + self.log_tail())

    def log_tail(self):
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-20:])

    def call(self, *words, **options):
        """docker WORDS; what it wrote to stdout."""
        command = [find_program("docker"), f"--host=unix://{self.socket}", f"--config={self.folder}/client", *words]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
        done = subprocess.run(command, stdin=options.pop("stdin", subprocess.DEVNULL), capture_output=True, text=True,
                              env=environment, timeout=CALL_SECONDS, **options)
        if done.returncode:
            raise RuntimeError(f"docker {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def add_image(self, name, content, *changes):
        """content: a tar as bytes. changes: Dockerfile words, such as "USER 1000"."""
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            words = [word for change in changes for word in ("--change", change)]
            self.call("import", *words, "-", name, stdin=file)
        self.images.add(name)

    def image(self, name):
        """busybox, user1000 (busybox with USER 1000) or procps, imported when first asked for."""
        if name not in self.images:
            content = images.procps() if name == "procps" else images.busybox()
            self.add_image(name, content, *(["USER 1000"] if name == "user1000" else []))
        return name

    def run(self, *words, image="busybox", command=("sleep", "3600")):
        """docker run -d WORDS IMAGE COMMAND, as a Container."""
        return Container(self, self.call("run", "-d", *words, self.image(image), *command).strip())

    def cgroups(self):
        """The folders that a daemon makes for all its containers and never removes."""
        return [f"{root}/docker" for root in cgroup_roots() if os.path.isdir(f"{root}/docker")]

    def container_cgroups(self):
        """What is left of them once the daemon has ended: nothing, unless it was killed."""
        identifiers = glob.glob(f"{glob.escape(str(self.folder))}/data/containers/*")
        return [f"{parent}/{os.path.basename(path)}" for path in identifiers for parent in self.cgroups()]

    def processes(self):
        """The daemons and shims, which have our folder in their arguments, and what is in the containers."""
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if str(self.folder).encode() in pathlib.Path(f"/proc/{name}/cmdline").read_bytes():
                    yield int(name)
            except OSError:
                continue
        for folder in self.container_cgroups():
            if os.path.isdir(folder):
                yield from map(int, pathlib.Path(folder, "cgroup.procs").read_text().split())

    def stop(self):
        if not self.folder:
            return
        with contextlib.ExitStack() as steps:  # the last one first, and each whatever became of the others
            steps.callback(self.remove_folders)
            steps.callback(self.remove_links)
            steps.callback(self.remove_cgroups)
            steps.callback(self.end_processes)
            if self.daemon and self.daemon.poll() is None:
                if identifiers := self.call("ps", "-aq").split():
                    self.call("rm", "-f", "-v", *identifiers)

    def end_processes(self):
        if self.daemon:
            self.daemon.terminate()
            try:
                self.daemon.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        deadline = time.monotonic() + STOP_SECONDS
        while (remaining := set(self.processes())) and time.monotonic() < deadline:
            for pid in remaining:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def remove_cgroups(self):
        for folder in filter(os.path.isdir, self.container_cgroups()):
            os.rmdir(folder)
        for folder in set(self.cgroups()) - self.cgroups_before:
            os.rmdir(folder)

    def remove_links(self):
        # Theirs would go with their network namespaces, but only after a while.
        members = [os.path.basename(path) for path in glob.glob(f"/sys/class/net/{self.bridge}/brif/*")]
        for name in [*members, self.bridge]:
            subprocess.run([find_program("ip"), "link", "delete", name], capture_output=True)

    def remove_folders(self):
        for folder in self.made:
            os.rmdir(folder)
        shutil.rmtree(self.folder)
        self.folder = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()


def sweep():
    """What a test run left that was killed before it could clean up."""
    for folder in glob.glob(f"{tempfile.gettempdir()}/{PREFIX}*"):
        owner = pathlib.Path(folder).name.removeprefix(PREFIX).partition("-")[0]
        if os.path.exists(f"/proc/{owner}"):
            continue
        for number in range(8):
            subprocess.run([find_program("ip"), "link", "delete", bridge_name(int(owner), number)], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
