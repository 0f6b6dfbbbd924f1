/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that does what it is told: each line of its standard input is one real system call, its
 * words parted by tabs, and is answered by "ok RESULT" or "error ERRNO". So a test can read
 * /proc before and after. Where a command makes a process or a thread, that one takes the next
 * commands, and its maker goes on when it has ended. Numbers are C's; every call is made without
 * the C library, which would tell the other threads too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 40
#define LINE_SIZE 4096

static void serve(void);

/* By write(2) alone: all that seccomp's strict mode leaves. */
static void say(const char *word, long value)
{
	char line[64];
	int length = snprintf(line, sizeof(line), "%s %ld\n", word, value);

	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		_exit(1);
}

static void answer(long result)
{
	if (result < 0)
		say("error", errno);
	else
		say("ok", result);
}

static long number(const char *text)
{
	return text ? (long)strtoull(text, NULL, 0) : 0;
}

/* --- processes and threads --- */

/* The maker's part: silent until its child has ended. */
static void wait_for_child(pid_t child)
{
	int status;

	if (child < 0) {
		answer(child);
		return;
	}
	say("ok", child);
	while (waitpid(child, &status, __WALL) < 0)
		if (errno != EINTR)
			_exit(1);
	say("ended", status);
}

static void do_fork(char **words)
{
	(void)words;
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (child)
		wait_for_child(child);
}

/* FLAGS */
static void do_clone3(char **words)
{
	struct clone_args arguments = {.flags = (uint64_t)number(words[0]), .exit_signal = SIGCHLD};
	pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (child)
		wait_for_child(child);
}

/* FLAGS CODE: a child that ends at once. */
static void do_brief(char **words)
{
	pid_t child = (pid_t)syscall(SYS_clone, number(words[0]) | SIGCHLD, 0, 0, 0, 0);

	if (child == 0)
		_exit((int)number(words[1]));
	wait_for_child(child);
}

static void *serve_as_thread(void *context)
{
	say("ok", syscall(SYS_gettid));
	serve();
	return context;
}

static void do_thread(char **words)
{
	pthread_t thread;

	(void)words;
	errno = pthread_create(&thread, NULL, serve_as_thread, NULL);
	if (errno) {
		answer(-1);
		return;
	}
	pthread_join(thread, NULL);
	say("ended", 0);
}

/* Of the calling thread alone: from the first one, the process goes on without its leader. */
static void do_end_thread(char **words)
{
	(void)words;
	syscall(SYS_exit, 0);
}

/* The process goes on in another thread; the leader stays as a zombie. */
static void do_leave_leader(char **words)
{
	pthread_t thread;

	(void)words;
	errno = pthread_create(&thread, NULL, serve_as_thread, NULL);
	if (errno)
		answer(-1);
	else
		syscall(SYS_exit, 0);
}

/* CODE */
static void do_exit(char **words)
{
	_exit((int)number(words[0]));
}

/* SIGNAL */
static void do_raise(char **words)
{
	signal((int)number(words[0]), SIG_DFL);
	raise((int)number(words[0]));
}

/* DIRECTORY: ends with a core dump there, if the kernel writes one. */
static void do_core(char **words)
{
	struct rlimit limit;

	getrlimit(RLIMIT_CORE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_CORE, &limit);
	if (chdir(words[0]))
		answer(-1);
	else
		abort();
}

/* --- exec: what is executed answers for itself --- */

/* PATH [ARG...] */
static void do_exec(char **words)
{
	execv(words[0], words);
	answer(-1);
}

/* PATH [ARG...]: by descriptor, without a name. */
static void do_execveat(char **words)
{
	int fd = open(words[0], O_PATH | O_CLOEXEC);

	syscall(SYS_execveat, fd, "", words, environ, AT_EMPTY_PATH);
	answer(-1);
}

static void *exec_as_thread(void *words)
{
	do_exec(words);
	return NULL;
}

/* PATH [ARG...]: in a thread that is not the leader. */
static void do_exec_thread(char **words)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, exec_as_thread, words);
	if (errno)
		answer(-1);
	else
		pthread_join(thread, NULL);
}

/* --- credentials --- */

/* EFFECTIVE PERMITTED INHERITABLE */
static void do_capset(char **words)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	uint64_t sets[3];

	for (int i = 0; i < 3; i++)
		sets[i] = (uint64_t)number(words[i]);
	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(sets[0] >> 32 * i);
		data[i].permitted = (uint32_t)(sets[1] >> 32 * i);
		data[i].inheritable = (uint32_t)(sets[2] >> 32 * i);
	}
	answer(syscall(SYS_capset, &header, data));
}

/* [GID...] */
static void do_setgroups(char **words)
{
	gid_t groups[WORDS_MAX];
	size_t count = 0;

	for (; words[count]; count++)
		groups[count] = (gid_t)number(words[count]);
	answer(syscall(SYS_setgroups, count, groups));
}

/* REAL EFFECTIVE SAVED: setresuid32 of 32-bit x86. */
static void do_setresuid_32bit(char **words)
{
#ifdef __x86_64__
	long result = 208;

	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(number(words[0])), "c"(number(words[1])), "d"(number(words[2]))
			 : "memory", "r8", "r9", "r10", "r11");
	result = (int)result;
	errno = result < 0 ? (int)-result : 0;
	answer(result);
#else
	(void)words;
	errno = ENOSYS;
	answer(-1);
#endif
}

/* BY: a filter that allows everything, by "prctl" or by "seccomp". */
static void do_filter(char **words)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &allow};

	if (!strcmp(words[0], "prctl"))
		answer(syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
	else
		answer(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

/* --- namespaces --- */

/* PATH FLAGS */
static void do_setns(char **words)
{
	int fd = open(words[0], O_RDONLY | O_CLOEXEC);

	answer(fd < 0 ? fd : syscall(SYS_setns, fd, number(words[1])));
	close(fd);
}

/* PID FLAGS */
static void do_setns_pidfd(char **words)
{
	int fd = (int)syscall(SYS_pidfd_open, number(words[0]), 0);

	answer(fd < 0 ? fd : syscall(SYS_setns, fd, number(words[1])));
	close(fd);
}

/* PATH TEXT: in one write(2), which is all that a map gets. */
static void do_write(char **words)
{
	int fd = open(words[0], O_WRONLY | O_CLOEXEC);

	answer(fd < 0 ? fd : write(fd, words[1], strlen(words[1])));
	close(fd);
}

/* --- control groups --- */

/* PATH */
static void do_mkdir(char **words)
{
	answer(mkdir(words[0], 0755));
}

/* PATH */
static void do_rmdir(char **words)
{
	answer(rmdir(words[0]));
}

/* PATH: a child that begins in that cgroup, version 2's. */
static void do_fork_into(char **words)
{
	int fd = open(words[0], O_PATH | O_CLOEXEC);
	struct clone_args arguments = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)fd,
	};
	pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (child)
		wait_for_child(child);
}

/* --- the commands --- */

static const struct command {
	const char *name;
	void (*run)(char **words);
} commands[] = {
	{"fork", do_fork},
	{"clone3", do_clone3},
	{"brief", do_brief},
	{"thread", do_thread},
	{"end-thread", do_end_thread},
	{"leave-leader", do_leave_leader},
	{"exit", do_exit},
	{"raise", do_raise},
	{"core", do_core},
	{"exec", do_exec},
	{"execveat", do_execveat},
	{"exec-thread", do_exec_thread},
	{"capset", do_capset},
	{"setgroups", do_setgroups},
	{"setresuid-32bit", do_setresuid_32bit},
	{"filter", do_filter},
	{"setns", do_setns},
	{"setns-pidfd", do_setns_pidfd},
	{"write", do_write},
	{"mkdir", do_mkdir},
	{"rmdir", do_rmdir},
	{"fork-into", do_fork_into},
};

/* Calls whose arguments are numbers. */
static const struct call {
	const char *name;
	long number;
} calls[] = {
	{"getpid", SYS_getpid},       {"setuid", SYS_setuid},     {"setgid", SYS_setgid},
	{"setreuid", SYS_setreuid},   {"setregid", SYS_setregid}, {"setresuid", SYS_setresuid},
	{"setresgid", SYS_setresgid}, {"setfsuid", SYS_setfsuid}, {"setfsgid", SYS_setfsgid},
	{"setsid", SYS_setsid},       {"prctl", SYS_prctl},       {"unshare", SYS_unshare},
};

static void take(char **words)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, words[0])) {
			commands[i].run(words + 1);
			return;
		}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].name, words[0])) {
			long value[5] = {0};

			for (int at = 0; at < 5 && words[1 + at]; at++)
				value[at] = number(words[1 + at]);
			answer(syscall(calls[i].number, value[0], value[1], value[2], value[3],
				       value[4]));
			return;
		}
	errno = ENOSYS;
	answer(-1);
}

/* Byte by byte: what follows the newline may be for another process. False at the end. */
static int read_line(char *line)
{
	for (size_t at = 0; at < LINE_SIZE - 1; at++) {
		if (read(STDIN_FILENO, line + at, 1) != 1)
			return 0;
		if (line[at] == '\n') {
			line[at] = '\0';
			return 1;
		}
	}
	return 0;
}

static void serve(void)
{
	char line[LINE_SIZE];

	while (read_line(line)) {
		char *words[WORDS_MAX + 1] = {NULL};
		char *at = line;

		for (int count = 0; at && count < WORDS_MAX; count++)
			words[count] = strsep(&at, "\t");
		take(words);
	}
	_exit(0);
}

int main(void)
{
	say("ok", getpid());
	serve();
	return 0;
}
