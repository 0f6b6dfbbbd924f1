/* SPDX-License-Identifier: GPL-2.0-only */
/* Hostile state files, shims and mounts; what real ones say is compared in tests/runtimes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/runtime/docker.h"
#include "host/runtime/docker_root.h"
#include "host/runtime/state_json.h"
#include "scratch.h"

#define ID "4a0c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d8e9f"
#define OTHER_ID "000c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d8e9f"
#define CONFIG \
	"{\"ID\":\"" ID "\",\"Name\":\"/web\",\"Config\":{\"Image\":\"busybox\",\"User\":\"\"}}"
#define CAP_LAST 40
#define FIRST 50
#define SHIM 40
#define FULL ((1ULL << (CAP_LAST + 1)) - 1)
#define DEFAULT 0xa80425fbULL /* docker 20.10, oci/caps/defaults.go */

static int parse(struct arena *arena, const char *config, const char *host,
		 struct runtime_container *container)
{
	return docker_parse(arena, ID, config, strlen(config), host, strlen(host), CAP_LAST,
			    container);
}

static void the_declared_set_follows_dockers_rules(void **state)
{
	static const struct {
		const char *host;
		uint64_t caps;
	} cases[] = {
		{"{}", DEFAULT},
		{"{\"CapAdd\":null,\"CapDrop\":null}", DEFAULT},
		{"{\"CapAdd\":[\"CAP_MAC_ADMIN\"]}", DEFAULT | 1ULL << 33},
		{"{\"CapDrop\":[\"CAP_KILL\"]}", DEFAULT & ~(1ULL << 5)},
		{"{\"CapAdd\":[\"CAP_KILL\"],\"CapDrop\":[\"CAP_KILL\"]}", DEFAULT},
		{"{\"CapDrop\":[\"ALL\"]}", 0},
		{"{\"CapDrop\":[\"all\"],\"CapAdd\":[\"net_bind_service\"]}", 1ULL << 10},
		{"{\"CapAdd\":[\"ALL\"]}", FULL},
		{"{\"CapAdd\":[\"ALL\"],\"CapDrop\":[\"CAP_SYS_ADMIN\"]}", FULL & ~(1ULL << 21)},
		{"{\"CapAdd\":[\"ALL\"],\"CapDrop\":[\"ALL\"]}", FULL},
		{"{\"Privileged\":true,\"CapDrop\":[\"ALL\"]}", FULL},
		{"{\"CapAdd\":[7,null,{},\"CAP_NO_SUCH\",\"CAP_MAC_ADMIN\\u0000\"]}", DEFAULT},
		{"{\"CapAdd\":{\"0\":\"ALL\"},\"Privileged\":\"true\"}", DEFAULT},
	};
	struct runtime_container container;
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(&arena, CONFIG, cases[i].host, &container), 0);
		assert_int_equal(container.caps, cases[i].caps);
	}
	arena_free(&arena);
}

static void limits_that_are_none_or_nonsense_are_no_limits(void **state)
{
	static const struct {
		const char *host;
		uint64_t cpu_nano, memory, pids;
	} cases[] = {
		{"{}", RUNTIME_NO_LIMIT, RUNTIME_NO_LIMIT, RUNTIME_NO_LIMIT},
		{"{\"NanoCpus\":0,\"Memory\":0,\"PidsLimit\":null}", RUNTIME_NO_LIMIT,
		 RUNTIME_NO_LIMIT, RUNTIME_NO_LIMIT},
		{"{\"NanoCpus\":500000000,\"Memory\":524288000,\"PidsLimit\":100}", 500000000,
		 524288000, 100},
		{"{\"CpuQuota\":50000,\"CpuPeriod\":200000,\"PidsLimit\":-1}", 250000000,
		 RUNTIME_NO_LIMIT, RUNTIME_NO_LIMIT},
		{"{\"CpuQuota\":150000,\"Memory\":-7}", 1500000000, RUNTIME_NO_LIMIT,
		 RUNTIME_NO_LIMIT},
		{"{\"CpuQuota\":9223372036854775807,\"Memory\":\"1\",\"PidsLimit\":1.5}",
		 RUNTIME_NO_LIMIT, RUNTIME_NO_LIMIT, RUNTIME_NO_LIMIT},
	};
	struct runtime_container container;
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(&arena, CONFIG, cases[i].host, &container), 0);
		assert_int_equal(container.cpu_limit_nano, cases[i].cpu_nano);
		assert_int_equal(container.memory_limit_bytes, cases[i].memory);
		assert_int_equal(container.pids_limit, cases[i].pids);
	}
	arena_free(&arena);
}

static void security_options_are_known_in_either_spelling(void **state)
{
	struct runtime_container container;
	struct arena arena = {0};
	(void)state;

	assert_int_equal(parse(&arena, CONFIG,
			       "{\"SecurityOpt\":[\"no-new-privileges:true\","
			       "\"seccomp:unconfined\"]}",
			       &container),
			 0);
	assert_true(container.has_no_new_privs);
	assert_true(container.has_no_seccomp);
	assert_int_equal(parse(&arena, CONFIG,
			       "{\"SecurityOpt\":[\"no-new-privileges=false\",\"seccomp={}\",3]}",
			       &container),
			 0);
	assert_false(container.has_no_new_privs);
	assert_false(container.has_no_seccomp);
	arena_free(&arena);
}

static void what_is_not_this_containers_state_is_refused(void **state)
{
	static const char *const configs[] = {
		"",
		"{",
		"[]",
		"null",
		"\"" ID "\"",
		"{}",
		"{\"ID\":null}",
		"{\"ID\":\"" OTHER_ID "\"}",
		"{\"ID\":\"" ID "\\u0000x\"}",
		"{\"ID\":\"" ID "\"} {\"Name\":\"/x\"}",
		"{\"ID\":\"" ID "\",\"Name\":\"/x\"",
	};
	struct runtime_container container;
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(configs); i++)
		assert_int_equal(parse(&arena, configs[i], "{}", &container), -EINVAL);
	assert_int_equal(parse(&arena, CONFIG, "", &container), -EINVAL);
	assert_int_equal(parse(&arena, CONFIG, "[{}]", &container), -EINVAL);
	assert_int_equal(docker_parse(&arena, ID, CONFIG, sizeof(CONFIG) - 1, "{}\0{}", 5, CAP_LAST,
				      &container),
			 -EINVAL);
	assert_int_equal(parse(&arena, CONFIG "\n", "{}\n", &container), 0);
	arena_free(&arena);
}

static void deep_json_neither_parses_nor_overflows(void **state)
{
	size_t depth = 100000;
	autofree char *deep = mem_new(2 * depth + 1);
	(void)state;

	memset(deep, '[', depth);
	memset(deep + depth, ']', depth);
	assert_null(state_json_parse(deep, 2 * depth));
}

static void names_keep_their_bytes_but_not_their_length(void **state)
{
	struct runtime_container container;
	struct arena arena = {0};
	struct text config = {0};
	(void)state;

	text_add_string(&config, "{\"ID\":\"" ID "\",\"Name\":\"/\\u001b[2J\xff\\n\",\"Config\":{"
				 "\"User\":7,\"Image\":\"");
	for (int i = 0; i < 5000; i++)
		text_add_char(&config, 'i');
	text_add_string(&config, "\"}}");
	assert_int_equal(parse(&arena, text_string(&config), "{}", &container), 0);
	assert_string_equal(container.name, "\x1b[2J\xff\n");
	assert_int_equal(strlen(container.image), 1024);
	assert_null(container.user);
	text_free(&config);
	assert_int_equal(parse(&arena, "{\"ID\":\"" ID "\",\"Name\":\"/\"}", "{}", &container), 0);
	assert_null(container.name);
	arena_free(&arena);
}

static void kubernetes_labels_name_it_if_all_three_are_there(void **state)
{
	struct runtime_container container;
	struct arena arena = {0};
	(void)state;

	assert_int_equal(parse(&arena,
			       "{\"ID\":\"" ID "\",\"Name\":\"/k8s_x\",\"Config\":{\"Labels\":{"
			       "\"io.kubernetes.pod.name\":\"web-1\","
			       "\"io.kubernetes.pod.namespace\":\"prod\","
			       "\"io.kubernetes.container.name\":\"nginx\"}}}",
			       "{}", &container),
			 0);
	assert_string_equal(container.name, "prod/web-1/nginx");
	assert_string_equal(container.pod, "web-1");
	assert_string_equal(container.pod_namespace, "prod");
	assert_int_equal(parse(&arena,
			       "{\"ID\":\"" ID "\",\"Name\":\"/x\",\"Config\":{\"Labels\":{"
			       "\"io.kubernetes.pod.name\":\"web-1\"}}}",
			       "{}", &container),
			 0);
	assert_string_equal(container.name, "x");
	arena_free(&arena);
}

/* A /proc with one container's first process, 50, and a shim, 40; the shim's root is "root". */
static void make_proc(const struct scratch *scratch, const char *source, const char *mounts)
{
	struct text text = {0};

	scratch_text(scratch, "root/run/moby/" ID "/other", "");
	scratch_link(scratch, "40/cwd", "../root/run/moby/" ID);
	scratch_link(scratch, "40/root", "../root");
	text_printf(&text,
		    "{\"mounts\":[{\"destination\":\"/proc\",\"source\":\"proc\"},7,"
		    "{\"destination\":\"/etc/hosts\",\"source\":\"%s\"}]}",
		    source);
	scratch_write(scratch, "root/run/moby/" ID "/config.json", text.data, text.length);
	text_free(&text);
	scratch_text(scratch, "50/mountinfo", mounts);
	scratch_text(scratch, "self/mountinfo", "1 0 254:0 / / rw - ext4 x rw\n");
	scratch_text(scratch, "root/data/containers/" ID "/config.v2.json", CONFIG);
	scratch_text(scratch, "root/data/containers/" ID "/hostconfig.json", "{}");
}

static const char *name_by_shim(const struct scratch *scratch, const char *id)
{
	static char name[64];
	struct docker *docker = docker_new(scratch->fd, scratch->path, CAP_LAST);
	const struct runtime_container *found = docker_find(docker, id, FIRST, SHIM);

	snprintf(name, sizeof(name), "%s", found && found->name ? found->name : "-");
	docker_free(docker);
	return name;
}

static void a_shim_leads_to_the_state_files_also_without_an_id(void **state)
{
	make_proc(*state, "/data/containers/" ID "/hosts", "");
	assert_string_equal(name_by_shim(*state, ID), "web");
	assert_string_equal(name_by_shim(*state, ""), "web");
	assert_string_equal(name_by_shim(*state, OTHER_ID), "-");
	assert_string_equal(name_by_shim(*state, "../../../etc"), "-");
}

static void a_shims_bundle_that_points_nowhere_names_nothing(void **state)
{
	static const char *const sources[] = {
		"",
		"/hosts",
		"hosts",
		"data/containers/" ID "/hosts",
		"/data/containers/" ID,
		"/data/containers/../" ID "/hosts",
		"/data/containers/short/hosts",
		"/data/elsewhere/" ID "/hosts",
		"/none/containers/" ID "/hosts",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		make_proc(*state, sources[i], "");
		assert_string_equal(name_by_shim(*state, ID), "-");
	}
}

static void neither_bundle_nor_state_can_make_it_wait_or_read_the_host(void **state)
{
	const struct scratch *scratch = *state;
	char config[128];

	make_proc(scratch, "/data/containers/" ID "/hosts", "");
	/* In the shim's root, /etc/... is the shim's own. */
	snprintf(config, sizeof(config), "%s/outside", scratch->path);
	scratch_text(scratch, "outside", CONFIG);
	scratch_link(scratch, "root/data/containers/" ID "/config.v2.json", config);
	assert_string_equal(name_by_shim(scratch, ID), "-");
	scratch_link(scratch, "root/data/containers/" ID "/config.v2.json", "config.v2.json");
	assert_string_equal(name_by_shim(scratch, ID), "-");
	unlinkat(scratch->fd, "root/data/containers/" ID "/config.v2.json", 0);
	assert_int_equal(mkfifoat(scratch->fd, "root/data/containers/" ID "/config.v2.json", 0600),
			 0);
	assert_string_equal(name_by_shim(scratch, ID), "-");
	make_proc(scratch, "/data/containers/" ID "/hosts", "");
	unlinkat(scratch->fd, "root/run/moby/" ID "/config.json", 0);
	assert_int_equal(mkfifoat(scratch->fd, "root/run/moby/" ID "/config.json", 0600), 0);
	assert_string_equal(name_by_shim(scratch, ID), "-");
}

static void a_state_file_without_end_is_not_read(void **state)
{
	const struct scratch *scratch = *state;
	int fd;

	make_proc(scratch, "/data/containers/" ID "/hosts", "");
	fd = openat(scratch->fd, "root/data/containers/" ID "/config.v2.json", O_WRONLY);
	assert_int_equal(ftruncate(fd, 1LL << 40), 0);
	close(fd);
	assert_string_equal(name_by_shim(scratch, ID), "-");
}

static int locate_by_mounts(const struct scratch *scratch, const char *mounts, char **folder)
{
	struct docker_root root = {.fd = -1};
	char id[DOCKER_ID_LENGTH + 1] = "";
	int r;

	scratch_text(scratch, "50/mountinfo", mounts);
	scratch_text(scratch, "self/mountinfo",
		     "1 0 254:0 / / rw - ext4 x rw\n2 1 254:9 / /docker rw - ext4 y rw\n");
	r = docker_root_from_mounts(scratch->fd, FIRST, id, &root);
	if (!r) {
		assert_string_equal(id, ID);
		close(root.fd);
		*folder = root.folder;
	}
	return r;
}

static void mounts_lead_to_the_state_files_on_any_disk(void **state)
{
	char *folder = NULL;

	assert_int_equal(locate_by_mounts(*state,
					  "9 8 254:0 /data/vfs/dir/x / rw - ext4 x rw\n"
					  "10 9 254:0 /data/containers/" ID
					  "/hosts /etc/hosts rw - ext4 x rw\n",
					  &folder),
			 0);
	assert_string_equal(folder, "/data/containers");
	free(folder);
	assert_int_equal(locate_by_mounts(*state,
					  "9 8 0:44 / / rw - overlay overlay rw\n"
					  "10 9 254:9 /containers/" ID
					  "/hostname /etc/hostname rw - ext4 y rw\n",
					  &folder),
			 0);
	assert_string_equal(folder, "/docker/containers");
	free(folder);
}

static void mounts_that_the_container_could_have_made_are_not_believed(void **state)
{
	static const char *const mounts[] = {
		/* a folder of its own root, of a volume, of the whole disk */
		"9 8 254:0 /data/vfs/x / rw - ext4 x rw\n"
		"10 9 254:0 /data/vfs/x/containers/" ID "/hosts /etc/hosts rw - ext4 x rw\n",
		"9 8 0:44 / / rw - overlay overlay rw\n"
		"11 9 254:0 /srv /v rw - ext4 x rw\n"
		"10 9 254:0 /srv/containers/" ID "/hosts /etc/hosts rw - ext4 x rw\n",
		"11 9 254:0 / /host rw - ext4 x rw\n"
		"10 9 254:0 /data/containers/" ID "/hosts /etc/hosts rw - ext4 x rw\n",
		/* a file system that the host does not have mounted */
		"10 9 0:99 /containers/" ID "/hosts /etc/hosts rw - tmpfs x rw\n",
		/* not Docker's */
		"10 9 254:0 /data/containers/" ID "/hosts /etc/passwd rw - ext4 x rw\n",
		"10 9 254:0 /data/" ID "/hosts /etc/hosts rw - ext4 x rw\n",
		"",
	};
	char *folder = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		assert_int_equal(locate_by_mounts(*state, mounts[i], &folder), -ENOENT);
	assert_null(folder);
}

#define TEST_IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_declared_set_follows_dockers_rules),
		cmocka_unit_test(limits_that_are_none_or_nonsense_are_no_limits),
		cmocka_unit_test(security_options_are_known_in_either_spelling),
		cmocka_unit_test(what_is_not_this_containers_state_is_refused),
		cmocka_unit_test(deep_json_neither_parses_nor_overflows),
		cmocka_unit_test(names_keep_their_bytes_but_not_their_length),
		cmocka_unit_test(kubernetes_labels_name_it_if_all_three_are_there),
		TEST_IN_FOLDER(a_shim_leads_to_the_state_files_also_without_an_id),
		TEST_IN_FOLDER(a_shims_bundle_that_points_nowhere_names_nothing),
		TEST_IN_FOLDER(neither_bundle_nor_state_can_make_it_wait_or_read_the_host),
		TEST_IN_FOLDER(a_state_file_without_end_is_not_read),
		TEST_IN_FOLDER(mounts_lead_to_the_state_files_on_any_disk),
		TEST_IN_FOLDER(mounts_that_the_container_could_have_made_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
