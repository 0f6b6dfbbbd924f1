# SPDX-License-Identifier: GPL-2.0-only
"""Docker's containers in nsview ps: what `docker inspect`, `docker top` and /proc say of them, it says
too, from both sources, without ever asking the daemon."""

import datetime
import json
import os
import pwd
import subprocess
import time
import unittest

import kernel_state
import lab
import nsview
import procview

# What /proc shows of no process.
PROC_UNKNOWN = {"securebits"}

# What each container is called, and docker's words for it.
CONTAINERS = {
    "plain": [],
    "u1000": ["--user=1000"],
    "macadmin": ["--cap-add=MAC_ADMIN", "--cap-add=NET_ADMIN"],
    "nokill": ["--cap-drop=KILL"],
    "nothing": ["--cap-drop=ALL"],
    "limited": ["--cpus=.7", "--memory=64m", "--pids-limit=50"],
    "volume": ["-v", "/:/host:ro"],
    "pidhost": ["--pid=host"],
    "nethost": ["--net=host"],
    "allhost": ["--pid=host", "--net=host", "--ipc=host", "--uts=host"],
    "nnp": ["--security-opt=no-new-privileges", "--user=1000"],
    "priv": ["--privileged"],
    "readonly": ["--read-only", "-t"],
}

# docker inspect's words for the namespaces that a container may share, in the order of nsview's.
MODES = {"pid": "PidMode", "net": "NetworkMode", "ipc": "IpcMode", "uts": "UTSMode", "cgroup": "CgroupnsMode",
         "user": "UsernsMode"}

docker = lab.Docker()
containers = {}


def setUpModule():
    docker.start()
    if not docker.folder:
        return
    for name, words in CONTAINERS.items():
        containers[name] = docker.run(f"--name={name}", *words)
    containers["image1000"] = docker.run("--name=image1000", image="user1000")


def tearDownModule():
    docker.stop()


def ours():
    """Selects these containers alone: somebody else's Docker may have others of the same names."""
    return [f"--container={container.id}" for container in containers.values()]


def limit(number):
    return number if number and number > 0 else None


def container_facts(pid, inspected):
    """What its columns say of a container, from docker inspect and from its cgroups' files."""
    host = inspected["HostConfig"]
    status = procview.status(pid)
    kernel = kernel_state.limits(pid)
    # Docker's default and what was added is what the kernel bounds it by, but for --privileged,
    # which asks for more than this machine may have.
    bounding = kernel_state.capability_names(int(status["CapBnd"], 16))
    last = int(kernel_state.read_text("/proc/sys/kernel/cap_last_cap"))
    asked = kernel_state.capability_names((2 << last) - 1) if host["Privileged"] else bounding
    by_number = {name: number for number, name in kernel_state.CAPABILITIES.items()}
    return {
        "image": inspected["Config"]["Image"], "pod": None, "namespace": None, "drift": [],
        "cpu_limit": kernel["cpu"] and kernel["cpu"][0] / kernel["cpu"][1],
        "memory_limit": kernel["memory"], "pids_limit": kernel["pids"],
        "declared": {
            "user": inspected["Config"]["User"], "privileged": host["Privileged"],
            "caps": [f"CAP_{name}" for name in sorted(asked, key=by_number.get)],
            "nnp": "no-new-privileges" in (host["SecurityOpt"] or []),
            "seccomp": status["Seccomp"] == "2", "readonly_root": host["ReadonlyRootfs"],
            "shared": [kind for kind, mode in MODES.items() if host[mode] == "host"],
            "cpu_limit": limit(host["NanoCpus"]) and host["NanoCpus"] / 1e9,
            "memory_limit": limit(host["Memory"]), "pids_limit": limit(host["PidsLimit"]),
        },
    }


class Comparison(unittest.TestCase):
    maxDiff = None

    def rows(self, *words):
        for source in ("bpf", "proc"):
            with self.subTest(source=source):
                yield source, nsview.ps(*words, source=source)

    def compare(self, row, source, pid, container):
        declared = container.inspect()
        expected = procview.expected(pid)
        expected.update(container=declared["Name"].removeprefix("/"), name=declared["Name"].removeprefix("/"),
                        id=declared["Id"], runtime="docker")
        # A container that shares all that could set it apart is one nevertheless: procview cannot know.
        expected.update(container_facts(pid, declared))
        inner = int(procview.status(pid)["NSpid"].split()[-1])
        expected.update(in_pid=inner, surface=procview.surface(pid))
        # ps looks for the terminal in the host's /dev/pts, which may not have one of that number.
        if declared["Config"]["Tty"]:
            expected["tty"] = "pts/0"
        got = dict(row, declared={key: row["declared"][key] for key in expected["declared"]})
        wrong = [f"{key}: {got.get(key)!r}, not {value!r}" for key, value in expected.items()
                 if got.get(key) != value and not (source == "proc" and key in PROC_UNKNOWN and key in row["unknown"])]
        self.assertEqual(wrong, [], f"{declared['Name']} from {source}")


@lab.needs_docker
class Docker(Comparison):
    def test_every_field_of_each_container(self):
        for source, rows in self.rows():
            for name, container in containers.items():
                with self.subTest(container=name):
                    self.compare(rows[container.pid], source, container.pid, container)

    def test_each_container_has_the_processes_of_docker_top(self):
        extra = containers["plain"].exec(command=["sleep", "1234"])
        try:
            for _, rows in self.rows("--containers", "--runtime=docker", *ours()):
                found = {name: {pid for pid, row in rows.items() if row["container"] == name} for name in containers}
                self.assertEqual(found, {name: container.pids() for name, container in containers.items()})
        finally:
            os.kill(extra, 9)

    def test_a_process_of_docker_exec_has_its_parent_outside(self):
        container = containers["u1000"]
        pid = container.exec("--user=0", command=["sleep", "4321"])
        try:
            for source, rows in self.rows("-c", "u1000"):
                self.compare(rows[pid], source, pid, container)
                self.assertEqual(rows[pid]["in_ppid"], 0)
                self.assertEqual(rows[pid]["caps"], "docker-default")
        finally:
            os.kill(pid, 9)

    def test_limits_filter_with_their_units(self):
        limited = containers["limited"]
        for expression in ("cpu-limit=700m", "cpu-limit<0.71", "memory-limit=64m", "pids-limit=50 and drift=none"):
            for _, rows in self.rows("--filter", expression, *ours()):
                self.assertEqual(set(rows), {limited.pid}, expression)

    def test_more_than_was_declared_is_drift(self):
        container = containers["plain"]
        pid = container.exec("--privileged", command=["sleep", "77"])
        try:
            status = procview.status(pid)
            held = int(status["CapEff"], 16) & ~int(procview.status(container.pid)["CapBnd"], 16)
            for _, rows in self.rows("-c", "plain", "--filter", "drift~SYS_ADMIN"):
                self.assertEqual({pid: sorted(row["drift"]) for pid, row in rows.items()},
                                 {pid: [f"CAP_{name}" for name in kernel_state.capability_names(held)]})
                self.assertFalse(rows[pid]["declared"]["privileged"])
        finally:
            os.kill(pid, 9)

    def test_use_is_what_the_cgroup_counts(self):
        """Between what it says before and after, over the age before and after."""
        spin = ["sh", "-c", "while :; do :; done"]
        with docker.run("--cpus=.5", command=spin) as container:
            nsview.wait_until(lambda: self.cpu_seconds(container.pid) > 0.5, seconds=60)
            for source in ("bpf", "proc"):
                with self.subTest(source=source):
                    used, began = self.cpu_seconds(container.pid), time.time()
                    row = nsview.ps("-p", str(container.pid), source=source)[container.pid]
                    start = datetime.datetime.fromisoformat(row["start"][:26] + "+00:00").timestamp()
                    most = row["cpu_usage"] * (time.time() - start)
                    least = row["cpu_usage"] * (began - start)
                    self.assertLess(used - 0.05, most)
                    self.assertLess(least, self.cpu_seconds(container.pid) + 0.05)
                    self.assertLess(0, row["memory_usage"])
                    self.assertLess(row["memory_usage"], 64 << 20)

    def cpu_seconds(self, pid):
        folders = kernel_state.cgroup_folders(pid)
        if "cpuacct" in folders:
            return kernel_state.read_number(folders["cpuacct"] / "cpuacct.usage") / 1e9
        lines = kernel_state.read_text(folders[""] / "cpu.stat").splitlines()
        return int(dict(line.split() for line in lines)["usage_usec"]) / 1e6

    def test_image_pod_and_namespace_select(self):
        for _, rows in self.rows("--image", "user1*", *ours()):
            self.assertEqual(set(rows), {containers["image1000"].pid})
        words = [f"--label=io.kubernetes.{word}" for word in ("pod.name=front", "pod.namespace=prod",
                                                              "container.name=web")]
        with docker.run(*words) as container:
            for selection in (["--pod=front"], ["--pod=prod/front"], ["-n", "prod"], ["-nprod", "--pod=front"]):
                for _, rows in self.rows(*selection):
                    self.assertEqual(set(rows), {container.pid})
                    self.assertEqual([rows[container.pid][key] for key in ("pod", "namespace", "container")],
                                     ["front", "prod", "prod/front/web"])
        gone = nsview.run("ps", "--pod=front", check=1)
        self.assertEqual((gone.returncode, gone.stderr), (1, "nsview: no container is of a pod front\n"))

    def groups(self, *words):
        for source in ("bpf", "proc"):
            with self.subTest(source=source):
                yield json.loads(nsview.run("ps", "--json", "--source", source, *words).stdout)

    def test_a_row_for_each_container(self):
        for rows in self.groups("--by", "container", *ours()):
            found = {row["container"]: row for row in rows}
            self.assertEqual(set(found), set(containers))
            for name, container in containers.items():
                row, kernel = found[name], kernel_state.limits(container.pid)
                status = procview.status(container.pid)
                self.assertEqual(row["processes"], len(container.pids()))
                self.assertEqual([pwd.getpwnam(user).pw_uid if not user.isdigit() else int(user)
                                  for user in row["users"]], [int(status["Uid"].split()[1])])
                self.assertEqual(sorted(row["eff"]), [f"CAP_{word}" for word in kernel_state.capability_names(
                    int(status["CapEff"], 16))])
                self.assertEqual(row["cpu_limit"], kernel["cpu"] and kernel["cpu"][0] / kernel["cpu"][1])
                self.assertEqual(row["memory_limit"], kernel["memory"])
                self.assertEqual((row["drift"], row["unknown"]), ([], []))
                self.assertLess(0, row["memory_usage"])

    def test_a_row_for_each_image_user_and_runtime(self):
        users = [int(procview.status(container.pid)["Uid"].split()[1]) for container in containers.values()]
        for rows in self.groups("--by=image", "--runtime=docker", *ours()):
            self.assertEqual({row["image"]: row["containers"] for row in rows},
                             {"busybox": len(containers) - 1, "user1000": 1})
        for rows in self.groups("--by=runtime", "--runtime=docker", *ours()):
            self.assertEqual([(row["runtime"], row["containers"], row["processes"]) for row in rows],
                             [("docker", len(containers), len(containers))])
        for rows in self.groups("--by=user", "--runtime=docker", *ours()):
            self.assertEqual([row["processes"] for row in rows], [users.count(uid) for uid in sorted(set(users))])

    def test_a_container_is_selected_by_name_and_by_id(self):
        container = containers["macadmin"]
        for word in ("macadmin", container.id, container.id[:9], "mac*"):
            for _, rows in self.rows("-c", word):
                self.assertEqual(set(rows), {container.pid})

    def test_a_renamed_container_has_its_new_name_at_the_next_look(self):
        with docker.run("--name=before") as container:
            docker.call("rename", "before", "after")
            for _, rows in self.rows("-p", str(container.pid)):
                self.assertEqual(rows[container.pid]["container"], "after")

    def test_the_daemon_is_not_asked(self):
        """It is stopped meanwhile, and would not answer."""
        os.kill(docker.daemon.pid, 19)
        try:
            # By its id: another runtime's container may have the same name. A process that another
            # test ended may be there still, until its shim has looked.
            for _, rows in self.rows("-c", containers["plain"].id):
                self.assertEqual(rows[containers["plain"].pid]["container"], "plain")
        finally:
            os.kill(docker.daemon.pid, 18)

    def test_a_hostile_label_is_only_shown(self):
        words = ["--label=io.kubernetes.pod.name=a\x1b[2J\nb", "--label=io.kubernetes.pod.namespace=\u202eprod",
                 "--label=io.kubernetes.container.name=c\tc"]
        with docker.run(*words) as container:
            for source, rows in self.rows("-p", str(container.pid)):
                self.assertEqual(rows[container.pid]["container"], "\u202eprod/a\x1b[2J\nb/c\tc")
                shown = nsview.run("ps", "--source", source, "-p", str(container.pid), "--no-headers").stdout
                self.assertEqual(len(shown.splitlines()), 1)
                self.assertFalse(set(shown) & set("\x1b\t\u202e"), repr(shown))

    def test_a_cgroup_with_a_containers_id_is_not_that_container(self):
        container = containers["plain"]
        mounts = kernel_state.cgroup_mounts()
        top = os.path.join((mounts.get("") or mounts["pids"])[0], f"nsview-test-{os.getpid()}")
        folder = f"{top}/docker-{container.id}.scope"
        os.makedirs(folder)
        process = subprocess.Popen(["sleep", "600"])
        try:
            with open(f"{folder}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(process.pid))
            for _, rows in self.rows():
                self.assertEqual(rows[container.pid]["container"], "plain")
                self.assertEqual(rows[process.pid]["container"], container.id[:12])
            for _, rows in self.rows("-c", "plain"):
                self.assertEqual(set(rows), {container.pid})
        finally:
            process.kill()
            process.wait()
            os.rmdir(folder)
            os.rmdir(top)

    def test_an_ordinary_user_sees_the_id_where_the_name_is_not_his_to_read(self):
        container = containers["plain"]
        rows = nsview.ps("-p", str(container.pid), source="proc", command=["setpriv", "--reuid=4242", "--clear-groups"])
        self.assertEqual(rows[container.pid]["container"], container.id[:12])


@lab.needs_docker
class Roots(Comparison):
    def test_a_data_root_on_a_disk_of_its_own(self):
        with lab.Docker(has_data_disk=True) as other, other.run("--name=elsewhere") as container:
            for source in ("bpf", "proc"):
                row = nsview.ps("-p", str(container.pid), source=source)[container.pid]
                self.assertEqual(row["container"], "elsewhere")

    def test_users_of_a_remapped_daemon_are_those_of_its_map(self):
        ids = "nobody:165536:65536\nnogroup:165536:65536\n"
        with lab.Docker("--userns-remap=nobody:nogroup", subordinate_ids=ids) as other:
            root, user = other.run("--name=remapped"), other.run("--name=remapped33", "--user=33")
            for source in ("bpf", "proc"):
                rows = nsview.ps("-c", "remapped*", source=source)
                self.assertEqual(set(rows), {root.pid, user.pid})
                self.assertEqual([rows[pid]["container"] for pid in (root.pid, user.pid)], ["remapped", "remapped33"])
                self.assertEqual([rows[pid]["uid"] for pid in (root.pid, user.pid)], [165536, 165569])
                self.assertEqual([rows[pid]["in_user"] for pid in (root.pid, user.pid)], ["root", "www-data"])
                self.assertEqual(rows[root.pid]["caps"], "docker-default in userns")
                for container in (root, user):
                    self.compare(rows[container.pid], source, container.pid, container)


if __name__ == "__main__":
    unittest.main()
