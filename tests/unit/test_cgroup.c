/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "host/cgroup.h"

#define HEX16 "0123456789abcdef"
#define ID HEX16 HEX16 HEX16 HEX16
#define ID2 "f" ID_TAIL
#define ID_TAIL "123456789abcdef" HEX16 HEX16 HEX16

/* What each runtime leaves, as it was measured with the cgroupfs and the systemd driver. */
static const struct {
	const char *path;
	const char *runtime;
	const char *id;
} containers[] = {
	{"/docker/" ID, "docker", ID},
	{"/system.slice/docker-" ID ".scope", "docker", ID},
	{"/my.slice/docker-" ID ".scope", "docker", ID},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope", "docker",
	 ID},
	{"/docker/" ID "/docker/" ID2, "docker", ID2},
	{"/docker/" ID "/system.slice/foo.service", "docker", ID},
	{"/kubepods/burstable/pod12-34/" ID, NULL, ID},
	{"/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-" ID ".scope", "containerd", ID},
	{"/kubepods/besteffort/pod1/crio-" ID, "cri-o", ID},
	{"/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope/container", "cri-o", ID},
	{"/libpod_parent/libpod-" ID, "podman", ID},
	{"/libpod_parent/" ID2 "/libpod-" ID, "podman", ID},
	{"/machine.slice/libpod-" ID ".scope", "podman", ID},
	{"/machine.slice/libpod-" ID ".scope/container", "podman", ID},
	{"/machine.slice/machine-libpod_pod_" ID2 ".slice/libpod-" ID ".scope", "podman", ID},
	{"/user/alice/0/" ID, NULL, ID},
	{"/buildah-buildah912345", "buildah", "buildah-buildah912345"},
	{"/lxc.payload.web", "lxc", "web"},
	{"/lxc.payload.web/system.slice/ssh.service", "lxc", "web"},
	{"/machine.slice/machine-web.scope/payload", "nspawn", "web"},
	{"/machine.slice/machine-a\\x2db.scope/payload", "nspawn", "a\\x2db"},
	{"/system.slice/systemd-nspawn@web.service/payload", "nspawn", "web"},
	{"/system.slice/runc-web.scope", "runc", "web"},
	{"/nsview/0123456789ab", "nsview", "0123456789ab"},
	{"/nsview/0123456789ab/inner", "nsview", "0123456789ab"},
	{"/user.slice/user-1000.slice/user@1000.service/nsview/0123456789ab", "nsview",
	 "0123456789ab"},
	{"/" ID, NULL, ID},
	{ID, NULL, ID},
	{"//docker//" ID "//", "docker", ID},
};

static void each_runtimes_path_is_known(void **state)
{
	struct cgroup_container found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(containers); i++) {
		const char *path = containers[i].path;

		if (!cgroup_find_container(path, strlen(path), &found))
			fail_msg("%s: nothing found", path);
		if (found.id_length != strlen(containers[i].id) ||
		    memcmp(found.id, containers[i].id, found.id_length))
			fail_msg("%s: id %.*s", path, (int)found.id_length, found.id);
		if (!containers[i].runtime != !found.runtime ||
		    (found.runtime && strcmp(found.runtime, containers[i].runtime)))
			fail_msg("%s: runtime %s", path, found.runtime ? found.runtime : "none");
	}
}

static void host_paths_are_no_containers(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"///",
		"/init.scope",
		"/system.slice/docker.service",
		"/system.slice/docker-0123.scope",
		"/system.slice/docker-" ID,
		"/machine.slice/libpod-conmon-" ID ".scope",
		"/libpod_parent/conmon",
		"/kubepods.slice/crio-conmon-" ID ".scope",
		"/lxc.monitor.web",
		"/lxc.payload.",
		"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope",
		"/machine.slice/machine-.scope",
		"/docker/" HEX16 HEX16,
		"/docker/" ID "0",
		"/docker/0123456789ABCDEF" HEX16 HEX16 HEX16,
	};
	struct cgroup_container found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (cgroup_find_container(paths[i], strlen(paths[i]), &found))
			fail_msg("%s: %.*s found", paths[i], (int)found.id_length, found.id);
	}
}

static void check_choice(const char *text, enum cgroup_hierarchy hierarchy, const char *path)
{
	struct cgroup_choice choice;

	assert_int_equal(cgroup_choose(text, strlen(text), &choice), 0);
	assert_int_equal(choice.hierarchy, hierarchy);
	assert_int_equal(choice.length, strlen(path));
	assert_memory_equal(choice.path, path, choice.length);
}

static void the_unified_hierarchy_wins_off_its_root(void **state)
{
	(void)state;
	check_choice("8:pids:/a\n0::/b\n", CGROUP_V2, "/b");
	check_choice("0::/x:y\n", CGROUP_V2, "/x:y");
	check_choice("0::/gone (deleted)\n", CGROUP_V2, "/gone");
}

static void else_the_first_controller_off_its_root(void **state)
{
	(void)state;
	check_choice("9:freezer:/f\n8:memory:/m\n7:pids:/\n0::/\n", CGROUP_MEMORY, "/m");
	check_choice("3:cpu,cpuacct:/c\n2:cpuset:/s\n0::/\n", CGROUP_CPU, "/c");
	check_choice("3:cpuacct:/no\n2:cpuset:/s\n", CGROUP_CPUSET, "/s");
	check_choice("1:name=systemd:/no\n0::/\n", CGROUP_V2, "/");
	check_choice("7:pids:/\n", CGROUP_V2, "/");
}

static void what_is_no_cgroup_file_is_refused(void **state)
{
	static const char *const texts[] = {"", "\n", "0:", "0::", "0::relative\n"};
	struct cgroup_choice choice;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(cgroup_choose(texts[i], strlen(texts[i]), &choice), -2);
}

/* The id of the test's own cgroup, against stat of where this machine's distribution mounts it. */
static void ids_are_the_inodes_of_the_directories(void **state)
{
	struct cgroup_tree *tree = cgroup_tree_read();
	struct cgroup_choice root = {CGROUP_V2, "/", 1};
	struct cgroup_choice outside = {CGROUP_V2, "/../x", 5};
	struct cgroup_choice missing = {CGROUP_V2, "/no such cgroup", 15};
	struct stat status;

	(void)state;
	assert_int_equal(cgroup_tree_id(tree, &outside), 0);
	assert_int_equal(cgroup_tree_id(tree, &missing), 0);
	if (!stat("/sys/fs/cgroup/unified/cgroup.procs", &status)) {
		assert_int_equal(stat("/sys/fs/cgroup/unified", &status), 0);
		assert_int_equal(cgroup_tree_id(tree, &root), status.st_ino);
		assert_int_equal(cgroup_layout_read(), CGROUP_LAYOUT_HYBRID);
	} else if (!stat("/sys/fs/cgroup/cgroup.controllers", &status)) {
		assert_int_equal(stat("/sys/fs/cgroup", &status), 0);
		assert_int_equal(cgroup_tree_id(tree, &root), status.st_ino);
		assert_int_equal(cgroup_layout_read(), CGROUP_LAYOUT_V2);
	}
	cgroup_tree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_runtimes_path_is_known),
		cmocka_unit_test(host_paths_are_no_containers),
		cmocka_unit_test(the_unified_hierarchy_wins_off_its_root),
		cmocka_unit_test(else_the_first_controller_off_its_root),
		cmocka_unit_test(what_is_no_cgroup_file_is_refused),
		cmocka_unit_test(ids_are_the_inodes_of_the_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
