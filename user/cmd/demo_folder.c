/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/demo_folder.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define FOLDER_OUTER "/tmp/nsview-XXXXXX" /* only its owner may list it */
#define FOLDER_TRIES 1000
#define FOLDER_PAUSE_NS 5000000

struct folder_report {
	char path[sizeof(((struct folder *)0)->path)];
	int error;
};

static int folder_create(char *outer, struct folder_report *report)
{
	if (!mkdtemp(outer) || chmod(outer, 0711))
		return -errno;
	snprintf(report->path, sizeof(report->path), "%s/XXXXXX", outer);
	return mkdtemp(report->path) && !chmod(report->path, 0777) ? 0 : -errno;
}

/* By name, and nothing else. A container that is just being killed may make its file once more. */
static void folder_delete(const char *outer, const char *open)
{
	const struct timespec pause = {.tv_nsec = FOLDER_PAUSE_NS};
	autofree char *file = mem_printf("%s/" FOLDER_FILE, open);

	for (int i = 0; i < FOLDER_TRIES; i++) {
		unlink(file);
		if (!rmdir(open) || errno == ENOENT)
			break;
		nanosleep(&pause, NULL);
	}
	rmdir(outer);
}

static _Noreturn void folder_keep(int life_fd)
{
	struct folder_report report = {0};
	char outer[] = FOLDER_OUTER, byte;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	/* Among the others are those whose end somebody waits for. */
	life_fd = dup2(life_fd, 0);
	close_range(1, ~0U, 0);
	report.error = folder_create(outer, &report);
	(void)!write(life_fd, &report, sizeof(report));
	while (!report.error && read(life_fd, &byte, 1) < 0 && errno == EINTR)
		;
	folder_delete(outer, report.path);
	_exit(0);
}

int folder_make(struct folder *folder)
{
	struct folder_report report = {.error = -ECHILD};
	int life[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, life))
		return -errno;
	folder->keeper = fork();
	if (folder->keeper == 0)
		folder_keep(life[0]);
	close(life[0]);
	folder->life_fd = life[1];
	if (folder->keeper > 0)
		while (recv(life[1], &report, sizeof(report), MSG_WAITALL) < 0 && errno == EINTR)
			;
	if (report.error)
		folder_remove(folder);
	memcpy(folder->path, report.path, sizeof(folder->path));
	return report.error;
}

int folder_owner(const struct folder *folder, uint32_t *uid)
{
	autofree char *file = mem_printf("%s/" FOLDER_FILE, folder->path);
	struct stat status;

	if (lstat(file, &status))
		return -errno;
	*uid = status.st_uid;
	return 0;
}

void folder_remove(const struct folder *folder)
{
	close(folder->life_fd);
	while (folder->keeper > 0 && waitpid(folder->keeper, NULL, 0) < 0 && errno == EINTR)
		;
}
