/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include "cmd/command.h"

/* A closed 0, 1 or 2 would be taken by the next open, and then a message lands in a file. */
static void standard_fds_fill(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static char name[] = "nsview";
	static char *no_arguments[] = {name, NULL};

	standard_fds_fill();
	setlocale(LC_CTYPE, "");
	if (argc < 1)
		return command_main(1, no_arguments);
	return command_main(argc, argv);
}
