/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attach PIN: attaches the program pinned there to the function that it names itself, for as long as
 * this runs, and ends with 1 where the kernel refuses. bpftool does so only since 7.2.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf_call(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	union bpf_attr attr;
	int program;

	if (argc != 2)
		return 2;
	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)argv[1];
	program = bpf_call(BPF_OBJ_GET, &attr);
	if (program < 0) {
		perror(argv[1]);
		return 2;
	}
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = (uint32_t)program;
	if (bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0) {
		perror("attach");
		return 1;
	}
	return 0;
}
