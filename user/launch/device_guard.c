/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/device_guard.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#define GUARD_ANY (-1)
#define GUARD_MAKE BPF_DEVCG_ACC_MKNOD
#define GUARD_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define GUARD_RULE_INSNS 8 /* at most */
#define GUARD_EDGE_INSNS 8 /* before the first and after the last rule */

/* docker's: nodes may be made of any device, and these few opened. */
static const struct guard_rule {
	int type; /* BPF_DEVCG_DEV_* */
	int major;
	int minor;
	int access; /* BPF_DEVCG_ACC_* */
} guard_rules[] = {
	{BPF_DEVCG_DEV_CHAR, GUARD_ANY, GUARD_ANY, GUARD_MAKE},
	{BPF_DEVCG_DEV_BLOCK, GUARD_ANY, GUARD_ANY, GUARD_MAKE},
	{BPF_DEVCG_DEV_CHAR, 1, 3, GUARD_ALL},           /* null */
	{BPF_DEVCG_DEV_CHAR, 1, 5, GUARD_ALL},           /* zero */
	{BPF_DEVCG_DEV_CHAR, 1, 7, GUARD_ALL},           /* full */
	{BPF_DEVCG_DEV_CHAR, 1, 8, GUARD_ALL},           /* random */
	{BPF_DEVCG_DEV_CHAR, 1, 9, GUARD_ALL},           /* urandom */
	{BPF_DEVCG_DEV_CHAR, 5, 0, GUARD_ALL},           /* tty */
	{BPF_DEVCG_DEV_CHAR, 5, 1, GUARD_ALL},           /* console */
	{BPF_DEVCG_DEV_CHAR, 136, GUARD_ANY, GUARD_ALL}, /* pts */
	{BPF_DEVCG_DEV_CHAR, 5, 2, GUARD_ALL},           /* ptmx */
	{BPF_DEVCG_DEV_CHAR, 10, 200, GUARD_ALL},        /* net/tun */
};

static bool guard_write(const char *dir, const char *name, const char *content)
{
	autofree char *path = mem_printf("%s/%s", dir, name);
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, content, strlen(content)) >= 0;
}

static char *guard_number(int number)
{
	return number == GUARD_ANY ? mem_copy("*") : mem_printf("%d", number);
}

bool device_guard_v1(const char *dir)
{
	bool is_guarded = guard_write(dir, "devices.deny", "a");

	for (size_t i = 0; is_guarded && i < ARRAY_SIZE(guard_rules); i++) {
		const struct guard_rule *rule = &guard_rules[i];
		autofree char *major = guard_number(rule->major);
		autofree char *minor = guard_number(rule->minor);
		autofree char *line =
			mem_printf("%c %s:%s %s", rule->type == BPF_DEVCG_DEV_CHAR ? 'c' : 'b',
				   major, minor, rule->access == GUARD_ALL ? "rwm" : "m");

		is_guarded = guard_write(dir, "devices.allow", line);
	}
	return is_guarded;
}

enum guard_register {
	GUARD_RESULT = BPF_REG_0, /* 1: it may */
	GUARD_CONTEXT = BPF_REG_1,
	GUARD_ACCESS = BPF_REG_2,
	GUARD_TYPE,
	GUARD_MAJOR,
	GUARD_MINOR,
};

struct guard_code {
	struct bpf_insn insns[GUARD_EDGE_INSNS + GUARD_RULE_INSNS * ARRAY_SIZE(guard_rules)];
	size_t count;
};

static void guard_add(struct guard_code *code, uint8_t operation, uint8_t reg, int32_t value)
{
	code->insns[code->count++] =
		(struct bpf_insn){.code = operation, .dst_reg = reg, .imm = value};
}

static void guard_add_load(struct guard_code *code, uint8_t reg, size_t offset)
{
	code->insns[code->count++] = (struct bpf_insn){
		.code = BPF_LDX | BPF_MEM | BPF_W,
		.dst_reg = reg,
		.src_reg = GUARD_CONTEXT,
		.off = (int16_t)offset,
	};
}

static void guard_add_copy(struct guard_code *code, uint8_t reg, uint8_t from)
{
	code->insns[code->count++] = (struct bpf_insn){
		.code = BPF_ALU64 | BPF_X | BPF_MOV,
		.dst_reg = reg,
		.src_reg = from,
	};
}

static void guard_add_return(struct guard_code *code, int32_t result)
{
	guard_add(code, BPF_ALU64 | BPF_K | BPF_MOV, GUARD_RESULT, result);
	guard_add(code, BPF_JMP | BPF_EXIT, 0, 0);
}

/* Where it does not apply, all its jumps lead to the next one. */
static void guard_add_rule(struct guard_code *code, const struct guard_rule *rule)
{
	static const uint8_t unless = BPF_JMP | BPF_K | BPF_JNE;
	size_t start = code->count;

	guard_add(code, unless, GUARD_TYPE, rule->type);
	if (rule->major != GUARD_ANY)
		guard_add(code, unless, GUARD_MAJOR, rule->major);
	if (rule->minor != GUARD_ANY)
		guard_add(code, unless, GUARD_MINOR, rule->minor);
	guard_add_copy(code, GUARD_RESULT, GUARD_ACCESS);
	guard_add(code, BPF_ALU64 | BPF_K | BPF_AND, GUARD_RESULT, ~rule->access);
	guard_add(code, unless, GUARD_RESULT, 0);
	guard_add_return(code, 1);
	for (size_t i = start; i < code->count; i++) {
		if (code->insns[i].code == unless)
			code->insns[i].off = (int16_t)(code->count - i - 1);
	}
}

/* include/uapi/linux/bpf.h: access_type is access << 16 | type. */
static void guard_make(struct guard_code *code)
{
	guard_add_load(code, GUARD_ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	guard_add_copy(code, GUARD_TYPE, GUARD_ACCESS);
	guard_add(code, BPF_ALU64 | BPF_K | BPF_AND, GUARD_TYPE, 0xffff);
	guard_add(code, BPF_ALU64 | BPF_K | BPF_RSH, GUARD_ACCESS, 16);
	guard_add_load(code, GUARD_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	guard_add_load(code, GUARD_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = 0; i < ARRAY_SIZE(guard_rules); i++)
		guard_add_rule(code, &guard_rules[i]);
	guard_add_return(code, 0);
}

static int guard_load(const struct guard_code *code)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)code->insns,
		.insn_cnt = (uint32_t)code->count,
		.license = (uintptr_t) "GPL",
		.prog_name = "nsview_devices",
	};

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

bool device_guard_v2(const char *dir)
{
	struct guard_code code = {0};
	autoclose int cgroup = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclose int program = -1;
	union bpf_attr attr;

	guard_make(&code);
	program = guard_load(&code);
	if (cgroup < 0 || program < 0)
		return false;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	/* What may be above keeps its say: both have to agree. */
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	return !syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr));
}
