/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/privileges.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "host/facts.h"

#define CAP_BIT(capability) (1ULL << (capability))

/* A function of kernels before 5.11, which count what BPF takes as locked memory of the user; since
 * then it is the control group's ("bpf: Eliminate rlimit-based memory accounting for bpf maps"). */
#define LOCKED_MARK "bpf_map_charge_init"

/* Debian's kernels have this level: no perf event at all for who is not CAP_SYS_ADMIN. */
#define PARANOID_ANY 3
#define PARANOID_FILE "sys/kernel/perf_event_paranoid"

static const cap_value_t kept[] = {CAP_BPF, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};

static bool counts_locked_memory(const char *btf_path)
{
	struct btf *btf;
	bool counts;

	libbpf_set_print(NULL); /* it would write to the terminal */
	btf = btf_path ? btf__parse(btf_path, NULL) : btf__load_vmlinux_btf();
	counts = btf && btf__find_by_name_kind(btf, LOCKED_MARK, BTF_KIND_FUNC) > 0;
	btf__free(btf);
	return counts;
}

/* libbpf raises the limit by itself, where that is allowed. */
static bool needs_resource(const char *btf_path)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_max == RLIM_INFINITY)
		return false;
	return counts_locked_memory(btf_path);
}

static bool hides_perf_events(const struct facts *facts)
{
	autofree char *path = mem_printf("%s/" PARANOID_FILE, facts->proc_path);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	char level[16] = "";

	return fd >= 0 && read(fd, level, sizeof(level) - 1) > 0 && atoi(level) >= PARANOID_ANY;
}

void needs_read(struct needs *needs, const struct facts *facts, const char *btf_path)
{
	bool has_bpf = facts->cap_last >= CAP_BPF;
	uint64_t resource = needs_resource(btf_path) ? CAP_BIT(CAP_SYS_RESOURCE) : 0;
	uint64_t own = CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON);

	*needs = (struct needs){
		.processes = resource | (has_bpf ? own : CAP_BIT(CAP_SYS_ADMIN)),
		.names = CAP_BIT(CAP_SYS_PTRACE) | CAP_BIT(CAP_DAC_READ_SEARCH),
	};
	needs->exact =
		hides_perf_events(facts) ? resource | CAP_BIT(CAP_SYS_ADMIN) : needs->processes;
}

uint64_t needs_missing(uint64_t need, const struct facts *facts)
{
	uint64_t has = facts->cap_effective;

	if (has & CAP_BIT(CAP_SYS_ADMIN))
		has |= CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON);
	return need & ~has;
}

/* What is kept is no more than what is there. */
static int sets_make(cap_t now, cap_t wanted)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		cap_flag_value_t has = CAP_CLEAR;

		if (cap_get_flag(now, kept[i], CAP_PERMITTED, &has))
			continue; /* older than CAP_BPF */
		if (has == CAP_SET && (cap_set_flag(wanted, CAP_PERMITTED, 1, &kept[i], CAP_SET) ||
				       cap_set_flag(wanted, CAP_EFFECTIVE, 1, &kept[i], CAP_SET)))
			return -errno;
	}
	return 0;
}

int source_drop_privileges(void)
{
	cap_t now = cap_get_proc();
	cap_t wanted = cap_init();
	int r = now && wanted ? sets_make(now, wanted) : -ENOMEM;

	if (!r && cap_set_proc(wanted))
		r = -errno;
	cap_free(now);
	cap_free(wanted);
	return r;
}
