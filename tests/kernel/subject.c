/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process to look at. `subject STEP [ARG...] STEP ... hold [ANYTHING...]` takes the steps one
 * after the other, says "ready" and waits until its standard input ends. Static, so that it runs
 * in an empty root. Where a step forks, the child goes on and the parent waits for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "silent_fuse.h"

static char *arguments_start; /* of our own argument vector, in memory */
static char *arguments_end;

static _Noreturn void die(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static void must(long result, const char *what)
{
	if (result < 0)
		die(what);
}

static uint64_t hex(const char *text)
{
	return strtoull(text, NULL, 16);
}

static int number(const char *text)
{
	return atoi(text);
}

/* The parent's part of a fork: it ends as its child did, and the child ends with it. */
static void go_on_as_child(pid_t child, const char *what)
{
	int status;

	must(child, what);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void step_fork(char **arguments)
{
	(void)arguments;
	go_on_as_child(fork(), "fork");
}

static void step_fork_pid(char **arguments)
{
	(void)arguments;
	go_on_as_child((pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0),
		       "clone(CLONE_NEWPID)");
}

static void step_unshare(char **arguments)
{
	static const struct {
		const char *name;
		int flag;
	} kinds[] = {
		{"mnt", CLONE_NEWNS},  {"net", CLONE_NEWNET},       {"ipc", CLONE_NEWIPC},
		{"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}, {"time", 0x80},
		{"pid", CLONE_NEWPID},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, arguments[0])) {
			must(unshare(kinds[i].flag), arguments[0]);
			if (kinds[i].flag == CLONE_NEWNS)
				must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount");
			return;
		}
	errno = EINVAL;
	die(arguments[0]);
}

static void write_map(pid_t pid, const char *file, const char *map)
{
	char path[64];
	char *text = strdup(map);
	int fd;

	for (char *at = text; (at = strchr(at, ',')); at++)
		*at = '\n';
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY);
	must(fd, path);
	must(write(fd, text, strlen(text)), path); /* one write is all that a map gets */
	close(fd);
	free(text);
}

/* A child in a new user namespace with the maps "INSIDE OUTSIDE COUNT,..." for uids and gids. */
static void step_userns(char **arguments)
{
	int unshared[2], mapped[2];
	pid_t child;
	char byte = 0;

	must(pipe2(unshared, O_CLOEXEC), "pipe");
	must(pipe2(mapped, O_CLOEXEC), "pipe");
	child = fork();
	must(child, "fork");
	if (child == 0) {
		must(unshare(CLONE_NEWUSER), "unshare(CLONE_NEWUSER)");
		must(write(unshared[1], &byte, 1), "write");
		close(mapped[1]);
		if (read(mapped[0], &byte, 1) != 1)
			_exit(1);
	} else {
		close(unshared[1]);
		if (read(unshared[0], &byte, 1) != 1)
			_exit(1);
		write_map(child, "uid_map", arguments[0]);
		write_map(child, "gid_map", arguments[1]);
		must(write(mapped[1], &byte, 1), "write");
	}
	go_on_as_child(child, "fork");
}

static void step_bounding(char **arguments)
{
	uint64_t kept = hex(arguments[0]);

	for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(kept >> cap & 1))
			must(prctl(PR_CAPBSET_DROP, cap), "PR_CAPBSET_DROP");
}

/* EFFECTIVE PERMITTED INHERITABLE */
static void step_capset(char **arguments)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	uint64_t sets[3] = {hex(arguments[0]), hex(arguments[1]), hex(arguments[2])};

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(sets[0] >> 32 * i);
		data[i].permitted = (uint32_t)(sets[1] >> 32 * i);
		data[i].inheritable = (uint32_t)(sets[2] >> 32 * i);
	}
	must(syscall(SYS_capset, &header, data), "capset");
}

static void step_ambient(char **arguments)
{
	for (int cap = 0; cap < 64; cap++)
		if (hex(arguments[0]) >> cap & 1)
			must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0), "ambient");
}

static void step_securebits(char **arguments)
{
	must(prctl(PR_SET_SECUREBITS, number(arguments[0])), "PR_SET_SECUREBITS");
}

static void step_no_new_privs(char **arguments)
{
	(void)arguments;
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
}

static void step_seccomp(char **arguments)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &allow};

	(void)arguments;
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "PR_SET_SECCOMP");
}

/* FIRST COUNT: the groups FIRST, FIRST + 1, ... */
static void step_groups(char **arguments)
{
	size_t count = (size_t)number(arguments[1]);
	gid_t *groups = calloc(count + 1, sizeof(*groups));

	for (size_t i = 0; i < count; i++)
		groups[i] = (gid_t)(number(arguments[0]) + (int)i);
	must(setgroups(count, groups), "setgroups");
	free(groups);
}

/* REAL EFFECTIVE SAVED FILESYSTEM; privilege to do it goes with the last. */
static void step_gids(char **arguments)
{
	must(setresgid(number(arguments[0]), number(arguments[1]), number(arguments[2])), "gids");
	setfsgid(number(arguments[3]));
}

static void step_uids(char **arguments)
{
	/* Without a 0 the sets would go: keep what a later step may set. */
	must(prctl(PR_SET_KEEPCAPS, 1), "PR_SET_KEEPCAPS");
	must(setresuid(number(arguments[0]), number(arguments[1]), number(arguments[2])), "uids");
	setfsuid(number(arguments[3]));
	prctl(PR_SET_DUMPABLE, 1);
}

static void *wait_forever(void *context)
{
	for (;;)
		pause();
	return context;
}

static void step_threads(char **arguments)
{
	pthread_attr_t small;
	pthread_t thread;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	for (int i = 0; i < number(arguments[0]); i++) {
		errno = pthread_create(&thread, &small, wait_forever, NULL);
		must(-errno, "pthread_create");
	}
}

static void *burn(void *milliseconds)
{
	struct timespec now;
	volatile unsigned turns = 0;

	do {
		for (int i = 0; i < 100000; i++)
			turns++;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < (intptr_t)milliseconds);
	return NULL;
}

/* Uses so much CPU time in a thread that then ends. */
static void step_burn_thread(char **arguments)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, burn, (void *)(intptr_t)number(arguments[0]));
	must(-errno, "pthread_create");
	pthread_join(thread, NULL);
}

static sem_t burnt;

static void *burn_and_stay(void *milliseconds)
{
	burn(milliseconds);
	sem_post(&burnt);
	return wait_forever(NULL);
}

/* Uses so much CPU time in a thread that then waits. */
static void step_burn_stay(char **arguments)
{
	pthread_t thread;

	sem_init(&burnt, 0, 0);
	errno = pthread_create(&thread, NULL, burn_and_stay,
			       (void *)(intptr_t)number(arguments[0]));
	must(-errno, "pthread_create");
	sem_wait(&burnt);
}

static void step_burn(char **arguments)
{
	burn((void *)(intptr_t)number(arguments[0]));
}

static void step_zombie(char **arguments)
{
	siginfo_t ended;
	pid_t child = fork();

	(void)arguments;
	must(child, "fork");
	if (child == 0)
		_exit(0);
	must(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), "waitid");
}

/* A session of its own on a terminal of its own, and its foreground process group. */
static void step_pty(char **arguments)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave;

	(void)arguments;
	must(master, "posix_openpt");
	must(grantpt(master) | unlockpt(master), "unlockpt");
	must(setsid(), "setsid");
	slave = open(ptsname(master), O_RDWR);
	must(slave, "open the terminal");
}

static void step_comm(char **arguments)
{
	must(prctl(PR_SET_NAME, arguments[0]), "PR_SET_NAME");
}

static void step_nice(char **arguments)
{
	must(setpriority(PRIO_PROCESS, 0, number(arguments[0])), "setpriority");
}

static void step_fifo(char **arguments)
{
	struct sched_param parameters = {.sched_priority = number(arguments[0])};

	must(sched_setscheduler(0, SCHED_FIFO, &parameters), "SCHED_FIFO");
}

static void step_mlock(char **arguments)
{
	void *memory = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arguments;
	must(memory == MAP_FAILED ? -1 : mlock(memory, 8192), "mlock");
}

/* Touched memory, in KiB. */
static void step_memory(char **arguments)
{
	size_t size = (size_t)number(arguments[0]) * 1024;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(memory == MAP_FAILED ? -1 : 0, "mmap");
	memset(memory, 1, size);
}

static void step_chdir(char **arguments)
{
	must(chdir(arguments[0]), arguments[0]);
}

/* Writes over its own arguments for ever, from another thread. */
static void *rewrite(void *context)
{
	static const char patterns[][8] = {"\n\x1b[31m\xff", "\xe2\x80\xae\"\\\t", "ordinary"};

	for (unsigned turn = 0;; turn++)
		for (char *at = arguments_start; at < arguments_end; at++)
			*at = (turn + (unsigned)(at - arguments_start)) % 31
				      ? patterns[turn % 3][(at - arguments_start) % 8]
				      : '\0';
	return context;
}

static void step_rewrite(char **arguments)
{
	pthread_t thread;

	(void)arguments;
	errno = pthread_create(&thread, NULL, rewrite, NULL);
	must(-errno, "pthread_create");
}

static void step_silent_arguments(char **arguments)
{
	must(silent_fuse_cover(arguments[0], arguments_start, arguments_end), "FUSE over argv");
}

static void step_silent_directory(char **arguments)
{
	must(silent_fuse_mount(arguments[0], 0), "FUSE mount");
}

/* Processes that are born and die without end, until our input ends; with pauses, so that others
 * than they get to run. */
static void step_storm(char **arguments)
{
	(void)arguments;
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	puts("ready");
	fflush(stdout);
	for (char byte; read(STDIN_FILENO, &byte, 1) != 0;) {
		pid_t child = fork();

		if (child == 0) {
			char name[16];

			snprintf(name, sizeof(name), "storm-%d", getpid());
			prctl(PR_SET_NAME, name);
			if (getpid() % 2)
				execl("/proc/self/exe", "storm", "exit", NULL);
			_exit(0);
		}
		if (child > 0)
			waitpid(child, NULL, 0);
		if (child % 8 == 0)
			usleep(1000);
	}
	_exit(0);
}

static void step_exit(char **arguments)
{
	(void)arguments;
	_exit(0);
}

/* The first thread ends, others stay: a process whose leader is a zombie. */
static void *hold_for_leader(void *context)
{
	char byte;

	pthread_join(*(pthread_t *)context, NULL);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	_exit(0);
}

static void step_leave_leader(char **arguments)
{
	static pthread_t leader;
	pthread_t thread;

	(void)arguments;
	leader = pthread_self();
	errno = pthread_create(&thread, NULL, hold_for_leader, &leader);
	must(-errno, "pthread_create");
	pthread_exit(NULL);
}

static void step_hold(char **arguments)
{
	char byte;

	(void)arguments;
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	_exit(0);
}

static void step_stop(char **arguments)
{
	puts("ready");
	fflush(stdout);
	raise(SIGSTOP);
	step_hold(arguments);
}

static const struct step {
	const char *name;
	int arguments;
	void (*take)(char **arguments);
} steps[] = {
	{"fork", 0, step_fork},
	{"fork-pid", 0, step_fork_pid},
	{"unshare", 1, step_unshare},
	{"userns", 2, step_userns},
	{"bounding", 1, step_bounding},
	{"capset", 3, step_capset},
	{"ambient", 1, step_ambient},
	{"securebits", 1, step_securebits},
	{"no-new-privs", 0, step_no_new_privs},
	{"seccomp", 0, step_seccomp},
	{"groups", 2, step_groups},
	{"gids", 4, step_gids},
	{"uids", 4, step_uids},
	{"threads", 1, step_threads},
	{"burn", 1, step_burn},
	{"burn-thread", 1, step_burn_thread},
	{"burn-stay", 1, step_burn_stay},
	{"zombie", 0, step_zombie},
	{"pty", 0, step_pty},
	{"comm", 1, step_comm},
	{"nice", 1, step_nice},
	{"fifo", 1, step_fifo},
	{"mlock", 0, step_mlock},
	{"memory", 1, step_memory},
	{"chdir", 1, step_chdir},
	{"rewrite", 0, step_rewrite},
	{"silent-arguments", 1, step_silent_arguments},
	{"silent-directory", 1, step_silent_directory},
	{"storm", 0, step_storm},
	{"exit", 0, step_exit},
	{"leave-leader", 0, step_leave_leader},
	{"stop", 0, step_stop},
	{"hold", 0, step_hold},
};

static const struct step *step_find(const char *name)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(steps[i].name, name))
			return &steps[i];
	errno = EINVAL;
	die(name);
}

int main(int argc, char **argv)
{
	arguments_start = argv[0];
	arguments_end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < argc; i++) /* a step may spoil the originals */
		argv[i] = strdup(argv[i]);
	for (int i = 1; i < argc;) {
		const struct step *step = step_find(argv[i]);

		if (i + step->arguments >= argc)
			step = step_find("?");
		step->take(argv + i + 1);
		i += 1 + step->arguments;
	}
	return 0;
}
