/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/seccomp.h"

#include <errno.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/seccomp_table.h"

#define ARM_OWN 0xf0000u             /* __ARM_NR_BASE */
#define X32_BIT 0x40000000u          /* of a call's number: the x32 interface of an x86-64 kernel */
#define SECCOMP_ROOM_BYTES (4 << 20) /* three times what it took when measured */
#define NUMBER_AT offsetof(struct seccomp_data, nr)
#define ARCH_AT offsetof(struct seccomp_data, arch)

/* A machine and what else its kernel runs; the first is the native one. */
static const struct arch_family {
	uint32_t archs[3]; /* libseccomp's */
} arch_families[] = {
	{{SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32}},
	{{SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, 0}},
	{{0, 0, 0}}, /* any other: itself alone */
};

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP)

static const struct arch_family *arch_family_find(void)
{
	const struct arch_family *family = arch_families;

	while (family->archs[0] && family->archs[0] != seccomp_arch_native())
		family++;
	return family;
}

/* A name that this libseccomp does not know is one that it cannot let through. */
static int allow_name(scmp_filter_ctx context, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
}

static int allow_names(scmp_filter_ctx context, const char *names)
{
	autofree char *copy = mem_copy(names);
	char *rest = NULL;
	int r = 0;

	for (char *name = strtok_r(copy, " ", &rest); !r && name; name = strtok_r(NULL, " ", &rest))
		r = allow_name(context, name);
	return r;
}

/* Linux, and those flavours of it that docker allows; and the question which it is. */
static int allow_personalities(scmp_filter_ctx context)
{
	static const uint64_t allowed[] = {PER_LINUX, PER_LINUX32, UNAME26, UNAME26 | PER_LINUX32,
					   0xffffffff};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(allowed); i++)
		r = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
				     SCMP_A0(SCMP_CMP_EQ, allowed[i], 0));
	return r;
}

/*
 * clone passes its flags in a register, clone3 in memory, where no filter can look: ENOSYS sends
 * the C library back to clone. The last rule is for sockets of virtual machines, which belong to
 * no network namespace.
 */
static int allow_by_argument(scmp_filter_ctx context, bool has_sys_admin)
{
	int r = 0;

	if (!has_sys_admin) {
		r = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACES, 0));
		if (!r)
			r = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	}
	if (!r)
		r = allow_personalities(context);
	if (!r)
		r = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_NE, AF_VSOCK, 0));
	return r;
}

static int filter_fill(scmp_filter_ctx context, uint64_t capabilities)
{
	const struct arch_family *family = arch_family_find();
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(family->archs) && family->archs[i]; i++) {
		r = seccomp_arch_add(context, family->archs[i]);
		r = r == -EEXIST ? 0 : r;
	}
	/* Several hundred comparisons in a row become a search tree; older than 2.5 has none. */
	if (!r)
		seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; !r && i < seccomp_table_count; i++) {
		const struct seccomp_row *row = &seccomp_table[i];

		if (!row->capabilities || row->capabilities & capabilities)
			r = allow_names(context, row->names);
	}
	return r ? r : allow_by_argument(context, capabilities & (1ULL << CAP_SYS_ADMIN));
}

static int filter_export(scmp_filter_ctx context, struct seccomp *seccomp)
{
	autoclose int fd = memfd_create("nsview-seccomp", MFD_CLOEXEC);
	struct stat status;
	int r = fd < 0 ? -errno : seccomp_export_bpf(context, fd);

	if (r)
		return r;
	if (fstat(fd, &status))
		return -errno;
	seccomp->count = status.st_size / sizeof(*seccomp->code);
	seccomp->code = mem_resize(NULL, seccomp->count, sizeof(*seccomp->code));
	return pread(fd, seccomp->code, status.st_size, 0) == status.st_size ? 0 : -EIO;
}

/* The highest number among the table's calls; base: where the interface's numbers begin. */
static uint32_t newest_number(uint32_t arch, uint32_t base)
{
	uint32_t newest = 0;

	for (size_t i = 0; i < seccomp_table_count; i++) {
		autofree char *copy = mem_copy(seccomp_table[i].names);
		char *rest = NULL;

		for (char *name = strtok_r(copy, " ", &rest); name;
		     name = strtok_r(NULL, " ", &rest)) {
			int number = seccomp_syscall_resolve_name_arch(arch, name);
			uint32_t offset = (uint32_t)number - base;

			/* Arm's own (set_tls) have numbers far above. */
			if (number >= 0 && offset > newest && offset < ARM_OWN)
				newest = offset;
		}
	}
	return base + newest;
}

/*
 * What is newer than the newest known call of an interface is ENOSYS. libseccomp cannot say
 * "greater than" of a number, so this goes in front of its filter, which starts with loads of its
 * own. x32 has the same mark as its machine, and numbers from X32_BIT on.
 */
static void prefix_add(struct seccomp *seccomp, uint32_t arch)
{
	bool is_x32 = arch == SCMP_ARCH_X32;
	uint32_t above = newest_number(arch, is_x32 ? X32_BIT : 0);
	uint32_t below = arch == SCMP_ARCH_X86_64 ? X32_BIT : UINT32_MAX;
	const struct sock_filter prefix[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARCH_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, is_x32 ? SCMP_ARCH_X86_64 : arch, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER_AT),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, above, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, below, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	size_t count = seccomp->count + ARRAY_SIZE(prefix);

	seccomp->code = mem_resize(seccomp->code, count, sizeof(*seccomp->code));
	memmove(seccomp->code + ARRAY_SIZE(prefix), seccomp->code,
		seccomp->count * sizeof(*seccomp->code));
	memcpy(seccomp->code, prefix, sizeof(prefix));
	seccomp->count = count;
}

static int filter_prefix(struct seccomp *seccomp)
{
	const struct arch_family *family = arch_family_find();

	for (size_t i = 0; i < ARRAY_SIZE(family->archs) && family->archs[i]; i++)
		prefix_add(seccomp, family->archs[i]);
	return seccomp->count > USHRT_MAX ? -E2BIG : 0;
}

/* libseccomp 2.5 does not survive running out of memory half-way, it frees twice: so what it takes
 * is asked for beforehand, and given back for it to take. */
static bool has_room(void)
{
	void *room = mmap(NULL, SECCOMP_ROOM_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return room != MAP_FAILED && !munmap(room, SECCOMP_ROOM_BYTES);
}

int seccomp_make(uint64_t capabilities, struct seccomp *seccomp)
{
	scmp_filter_ctx context = !has_room() ? NULL : seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = context ? filter_fill(context, capabilities) : -ENOMEM;

	if (!r)
		r = filter_export(context, seccomp);
	if (!r)
		r = filter_prefix(seccomp);
	seccomp_release(context);
	return r ? log_fail(r, "make the container's system call filter") : 0;
}

void seccomp_free(struct seccomp *seccomp)
{
	free(steal(seccomp->code));
	seccomp->count = 0;
}

int seccomp_apply(const struct seccomp *seccomp)
{
	struct sock_fprog program = {.len = seccomp->count, .filter = seccomp->code};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		return log_fail(-errno, "set the container's system call filter; --security-opt "
					"seccomp=unconfined goes without");
	return 0;
}
