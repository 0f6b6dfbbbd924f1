/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/environment.h"
#include "launch/inside.h"
#include "launch/launch.h"
#include "launch/ns.h"
#include "launch/privilege.h"
#include "launch/program.h"
#include "launch/rights.h"
#include "launch/rootfs.h"
#include "launch/spec.h"
#include "launch/terminal.h"
#include "launch/user.h"

/* Where the sentences of this process go: nsview says them, on the stderr it was given. */
static void init_keep_sentence(void *context, const char *sentence)
{
	struct init_report *report = context;

	if (!report->sentence[0])
		snprintf(report->sentence, sizeof(report->sentence), "%s", sentence);
}

/* 0: nsview is dead. */
static enum init_go init_wait_to_go(int go_fd)
{
	char byte = 0;
	ssize_t got;

	do {
		got = read(go_fd, &byte, 1);
	} while (got < 0 && errno == EINTR);
	return got == 1 ? (enum init_go)byte : 0;
}

/* The signal that a dead parent sends is forgotten whenever credentials change, and it is not
 * sent at all by a parent that is already dead: so it is asked for last, and then looked. */
static void init_die_with_parent(int go_fd)
{
	struct pollfd end = {.fd = go_fd};

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (poll(&end, 1, 0) > 0 && end.revents & (POLLHUP | POLLERR))
		_exit(LAUNCH_EXIT_FAILED);
}

static int init_set_stdio(const struct init *init, uid_t uid)
{
	const struct spec *spec = init->spec;
	autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int from[3] = {spec->keeps_stdin ? spec->stdio[0] : null, spec->stdio[1], spec->stdio[2]};

	if (init->terminal)
		return terminal_make(init->terminal, uid);
	if (null < 0)
		return log_fail(-errno, "open the container's /dev/null");
	/* First out of each other's way, or the second dup2 might overwrite the third's source. */
	for (int i = 0; i < 3; i++) {
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
		if (from[i] < 0)
			return log_fail(-errno, "pass descriptor %d on to the command", i);
	}
	for (int i = 0; i < 3; i++) {
		if (dup2(from[i], i) < 0)
			return log_fail(-errno, "pass descriptor %d on to the command", i);
	}
	return 0;
}

/* Nothing of the host's that is open may be seen in there: a directory would be a way out. Not
 * CLOSE_RANGE_CLOEXEC, which is younger (5.11) than close_range (5.9). */
static void init_close_others(int one, int other)
{
	unsigned int low = one < other ? one : other;
	unsigned int high = one < other ? other : one;

	close_range(STDERR_FILENO + 1, low - 1, 0);
	if (low + 1 < high)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

/* What nsview's own caller ignores (nohup; a shell's `&` for SIGINT) is not the container's. By the
 * system call: make and whoever else uses glibc's posix_spawn hand on 32 and 33 ignored, which its
 * signal() refuses to touch. */
static void init_reset_signals(void)
{
	static const char default_action[64]; /* the kernel's struct sigaction: all 0 is SIG_DFL */
	sigset_t none;

	for (int i = 1; i < _NSIG; i++)
		syscall(SYS_rt_sigaction, i, default_action, NULL, _NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Into the container's user namespace, if it has one. */
static int init_enter_userns(const struct rights *rights, bool *has_groups)
{
	*has_groups = true;
	return rights_has_own(rights, CLONE_NEWUSER) ? userns_enter(has_groups) : 0;
}

static int init_become(const struct init *init, const struct user *user, bool has_groups)
{
	const struct rights *rights = init->rights;
	const struct privilege privilege = {
		.uid = user->uid,
		.gid = user->gid,
		.groups = user->groups,
		.groups_count = user->groups_count,
		.keeps_groups = !has_groups,
		.capabilities = rights->capabilities,
	};

	if (rights->has_no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return log_fail(-errno, "set no_new_privs");
	/* Before the capability is gone that it takes. What follows is on its list. */
	if (rights->is_filtered && seccomp_apply(&rights->seccomp))
		return -ECANCELED;
	return privilege_apply(&privilege);
}

/* docker's order: HOME may come from the user's own words, and is then not the passwd's. */
static int init_set_environment(const struct init *init, const struct user *user,
				struct environment *environment)
{
	int r = 0;

	environment_set(environment, "PATH", PROGRAM_PATH);
	environment_set(environment, "HOSTNAME", init->hostname);
	environment_set(environment, "HOME", user->home);
	if (init->terminal)
		environment_set(environment, "TERM", "xterm");
	for (size_t i = 0; !r && i < init->spec->environment_count; i++)
		r = environment_add(environment, init->spec->environment[i]);
	return r;
}

/* Made when it is not there, as docker does; while this process may still make and enter it. */
static int init_enter_workdir(const char *path, int root_fd)
{
	autoclose int fd = -1;
	int r;

	if (!path)
		return 0;
	r = inside_make_dir(root_fd, path, 0755);
	if (!r) {
		fd = inside_open(root_fd, path, O_PATH | O_DIRECTORY);
		r = fd < 0 ? fd : fchdir(fd) ? -errno : 0;
	}
	return r ? log_fail(r, "enter the container's working directory %s", path) : 0;
}

/* What pid 1 makes for all. */
static int init_make(const struct init *init, bool *has_groups)
{
	int r = init_enter_userns(init->rights, has_groups);

	if (!r)
		r = ns_set_up(init->rights->namespaces, init->hostname);
	return r ? r : rootfs_enter(&init->rootfs);
}

/* All of them at once (Linux 5.8), and with the mount namespace its root. The pid namespace is
 * this process's own already. */
static int init_join(const struct init *init, bool *has_groups)
{
	int namespaces = (int)(init->rights->namespaces & ~(uint64_t)CLONE_NEWPID);

	if (setns(init->join_fd, namespaces | CLONE_NEWCGROUP))
		return log_fail(-errno, "join the container's namespaces");
	return init_enter_userns(init->rights, has_groups);
}

/* Everything up to execve. Returns the exit code when it comes to nothing. */
static int init_run(const struct init *init)
{
	const struct init_report ready = {0};
	struct user user = {0};
	struct environment environment = {0};
	autoclose int root_fd = -1;
	struct program program;
	const char *path;
	bool has_groups;

	setsid();
	/* docker's containers have a session keyring of their own; a kernel without keys has none
	 * to protect. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (init->join_fd >= 0 ? init_join(init, &has_groups) : init_make(init, &has_groups))
		return LAUNCH_EXIT_FAILED;
	root_fd = open("/", O_PATH | O_CLOEXEC);
	if (user_resolve(root_fd, init->spec->user, &user) ||
	    init_set_environment(init, &user, &environment) ||
	    init_enter_workdir(init->spec->workdir, root_fd) || init_set_stdio(init, user.uid) ||
	    init_become(init, &user, has_groups))
		return LAUNCH_EXIT_FAILED;
	init_close_others(init->go_fd, init->report_fd);
	init_reset_signals();
	init_die_with_parent(init->go_fd);
	(void)!write(init->report_fd, &ready, sizeof(ready));
	path = environment_get(&environment, "PATH");
	program = (struct program){
		.command = init->spec->command,
		.environment = environment.items,
		.path = path ? path : PROGRAM_PATH,
		.is_on_hosts_files = !init->spec->rootfs && !init->spec->image,
	};
	return program_execute(&program);
}

_Noreturn void init_main(const struct init *init)
{
	struct init_report report = {0};
	struct init own = *init;
	enum init_go go;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	go = init_wait_to_go(init->go_fd);
	if (!go)
		_exit(LAUNCH_EXIT_FAILED);
	own.rootfs.has_device_guard = go == INIT_GO_GUARDED;
	log_set_sink(init_keep_sentence, &report);
	report.exit_code = init_run(&own);
	(void)!write(init->report_fd, &report, sizeof(report));
	_exit(report.exit_code);
}
