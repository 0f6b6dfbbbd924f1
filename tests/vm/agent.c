/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first process of a guest that has nothing else but nsview-static. Each line that comes over
 * the serial line is a command, its words parted by tabs, and is answered by "STATUS OUT ERR" and
 * so many bytes of its output and its errors:
 *
 *	run WORD...	executes WORD... and waits for its end
 *	start WORD...	the same without waiting: STATUS is its pid
 *	stop PID SIGNAL	sends the signal, waits, and answers as run
 *
 * It is also what those words are: /init as ... changes what it is and executes; /init cat, write,
 * copy, count, mount, hold, sleep, log and storm do what programs would that are not there (mains, below).
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define WORDS_MAX 64
#define LINE_SIZE 8192
#define LOG_SIZE (1 << 20)
#define SYSLOG_ACTION_READ_ALL 3
#define SYSLOG_ACTION_CONSOLE_OFF 6

static void fail(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* --- what the first process does --- */

static const struct {
	const char *type;
	const char *place;
} mounts[] = {
	{"proc", "/proc"},
	{"sysfs", "/sys"},
	{"devtmpfs", "/dev"},
	{"tmpfs", "/tmp"},
	{"securityfs", "/sys/kernel/security"},
	{"cgroup2", "/sys/fs/cgroup"},
};

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i].place, 0755);
		mount(mounts[i].type, mounts[i].place, mounts[i].type, 0, NULL);
	}
}

static void write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t done = write(fd, data, length);

		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			data += done;
			length -= (size_t)done;
		}
	}
}

static void copy_file(int from, int to)
{
	char block[4096];
	ssize_t got;

	while ((got = read(from, block, sizeof(block))) > 0)
		write_all(to, block, (size_t)got);
}

/* Where the output (or the errors) of a command goes. */
static int output_open(pid_t pid, const char *kind, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/%d.%s", (int)pid, kind);
	return open(path, flags | O_CLOEXEC, 0600);
}

/* Comes back once the command's program runs, and its files are there. */
static pid_t command_start(char **words)
{
	int starting[2];
	pid_t child;
	char none;

	if (pipe2(starting, O_CLOEXEC) < 0)
		fail("pipe2");
	child = fork();
	if (child) {
		close(starting[1]);
		if (read(starting[0], &none, 1))
			fail("read");
		close(starting[0]);
		return child;
	}
	setsid();
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	dup2(output_open(getpid(), "out", O_CREAT | O_TRUNC | O_WRONLY), STDOUT_FILENO);
	dup2(output_open(getpid(), "err", O_CREAT | O_TRUNC | O_WRONLY), STDERR_FILENO);
	execv(words[0], words);
	fail(words[0]);
	return 0;
}

static void answer(long status, int out, int err)
{
	struct stat sizes[2] = {0};
	char line[64];
	int length;

	if (out >= 0)
		fstat(out, &sizes[0]);
	if (err >= 0)
		fstat(err, &sizes[1]);
	length = snprintf(line, sizeof(line), "%ld %ld %ld\n", status, (long)sizes[0].st_size,
			  (long)sizes[1].st_size);
	write_all(STDOUT_FILENO, line, (size_t)length);
	copy_file(out, STDOUT_FILENO);
	copy_file(err, STDOUT_FILENO);
	close(out);
	close(err);
}

/* Others that have ended meanwhile are nobody's. */
static void command_wait(pid_t child)
{
	int status = 0;
	pid_t ended;

	do {
		ended = waitpid(-1, &status, 0);
	} while (ended != child && !(ended < 0 && errno == ECHILD));
	answer(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	       output_open(child, "out", O_RDONLY), output_open(child, "err", O_RDONLY));
}

static void command_do(char **words, int count)
{
	if (!strcmp(words[0], "run") && count > 1) {
		command_wait(command_start(words + 1));
	} else if (!strcmp(words[0], "start") && count > 1) {
		answer(command_start(words + 1), -1, -1);
	} else if (!strcmp(words[0], "stop") && count == 3) {
		kill(atoi(words[1]), atoi(words[2]));
		command_wait(atoi(words[1]));
	} else {
		answer(-1, -1, -1);
	}
}

static int words_split(char *line, char **words)
{
	int count = 0;

	for (char *word; count < WORDS_MAX && (word = strsep(&line, "\t"));)
		words[count++] = word;
	words[count] = NULL;
	return count;
}

static void serve(void)
{
	static char line[LINE_SIZE];
	char *words[WORDS_MAX + 1];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		command_do(words, words_split(line, words));
	}
	reboot(RB_POWER_OFF);
}

static void terminal_set(void)
{
	struct termios raw;

	tcgetattr(STDIN_FILENO, &raw);
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* The serial line is the kernel's console until here. */
static void first_main(void)
{
	mount_all();
	klogctl(SYSLOG_ACTION_CONSOLE_OFF, NULL, 0);
	terminal_set();
	write_all(STDOUT_FILENO, "\nagent: ready\n", strlen("\nagent: ready\n"));
	serve();
}

/* --- what a command may be --- */

static void cat_main(char **words)
{
	int fd = open(words[0], O_RDONLY);

	if (fd < 0)
		fail(words[0]);
	copy_file(fd, STDOUT_FILENO);
}

static void write_main(char **words)
{
	int fd = open(words[0], O_WRONLY);

	if (fd < 0 || write(fd, words[1], strlen(words[1])) < 0)
		fail(words[0]);
}

static void copy_main(char **words)
{
	int from = open(words[0], O_RDONLY);
	int to = open(words[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (from < 0 || to < 0)
		fail("copy");
	copy_file(from, to);
}

/* Lines of a file that have a word. */
static void count_main(char **words)
{
	FILE *file = fopen(words[0], "r");
	size_t size = 0;
	char *line = NULL;
	unsigned long count = 0;

	if (!file)
		fail(words[0]);
	while (getline(&line, &size, file) >= 0)
		count += strstr(line, words[1]) != NULL;
	printf("%lu\n", count);
	free(line);
	fclose(file);
}

static void mount_main(char **words)
{
	if (mount(words[0], words[1], words[0], 0, NULL))
		fail(words[1]);
}

static void log_main(char **words)
{
	static char text[LOG_SIZE];
	int length = klogctl(SYSLOG_ACTION_READ_ALL, text, sizeof(text));

	(void)words;
	if (length > 0)
		write_all(STDOUT_FILENO, text, (size_t)length);
}

static void caps_set(uint64_t caps, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(caps >> 32 * i);
		data[i].inheritable = (uint32_t)(inheritable >> 32 * i);
	}
	if (syscall(SYS_capset, &header, data))
		fail("capset");
}

/* Executing a program as root gives what the bounding set holds, as another user the ambient set. */
static void caps_leave(uid_t uid, uint64_t caps)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (!(caps >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap);
	}
	prctl(PR_SET_KEEPCAPS, 1);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		fail("become another user");
	caps_set(caps, uid ? caps : 0);
	for (unsigned long cap = 0; uid && cap < 64; cap++) {
		if (caps >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
			fail("raise an ambient capability");
	}
}

/* UID CAPS FLAGS WORD...: in new namespaces (clone's FLAGS), with the capabilities CAPS and no
 * others. CAPS -: those there are. */
static void as_main(char **words)
{
	int flags = (int)strtol(words[2], NULL, 0);
	pid_t child;

	if (flags && unshare(flags))
		fail("unshare");
	child = flags & CLONE_NEWPID ? fork() : 0;
	if (child) {
		while (wait(NULL) < 0 && errno == EINTR)
			;
		exit(0);
	}
	if (strcmp(words[1], "-"))
		caps_leave((uid_t)strtoul(words[0], NULL, 0), strtoull(words[1], NULL, 0));
	execv(words[3], words + 3);
	fail(words[3]);
}

static void sleep_main(char **words)
{
	sleep((unsigned int)atoi(words[0]));
}

static void storm_credentials(unsigned long count)
{
	for (unsigned long i = 1; i <= count; i++) {
		if (syscall(SYS_setresuid, (uid_t)i, -1, -1))
			fail("setresuid");
	}
}

static void storm_fork(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
}

/* KIND TASKS COUNT: each of so many tasks does it so many times, all at once. */
static void storm_main(char **words)
{
	bool is_fork = !strcmp(words[0], "fork");
	unsigned long tasks = strtoul(words[1], NULL, 0);
	unsigned long count = strtoul(words[2], NULL, 0);

	for (unsigned long i = 0; i < tasks; i++) {
		if (fork())
			continue;
		(is_fork ? storm_fork : storm_credentials)(count);
		_exit(0);
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

static void hold_main(char **words)
{
	(void)words;
	for (;;)
		pause();
}

static const struct {
	const char *word;
	int words;
	void (*main)(char **words);
} mains[] = {
	{"cat", 1, cat_main},     {"write", 2, write_main}, {"copy", 2, copy_main},
	{"count", 2, count_main}, {"mount", 2, mount_main}, {"log", 0, log_main},
	{"as", 4, as_main},       {"hold", 0, hold_main},   {"sleep", 1, sleep_main},
	{"storm", 3, storm_main},
};

int main(int argc, char **argv)
{
	if (getpid() == 1 && argc < 2)
		first_main();
	for (size_t i = 0; argc > 1 && i < sizeof(mains) / sizeof(*mains); i++) {
		if (strcmp(argv[1], mains[i].word) || argc - 2 < mains[i].words)
			continue;
		mains[i].main(argv + 2);
		return 0;
	}
	fprintf(stderr, "agent: unknown words\n");
	return 125;
}
