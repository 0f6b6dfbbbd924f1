/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/program.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/launch.h"

static bool program_is_there(const char *word, const char *path)
{
	const char *dir = path;

	if (strchr(word, '/'))
		return !access(word, X_OK);
	while (*dir) {
		const char *end = strchrnul(dir, ':');
		autofree char *file = mem_printf("%.*s/%s", (int)(end - dir), dir, word);

		if (!access(file, X_OK))
			return true;
		dir = *end ? end + 1 : end;
	}
	return false;
}

/* `nsview run ubuntu sleep 3600`, from hands that know docker, deserves more than "not found". */
static int program_not_found(const struct program *program)
{
	char *const *command = program->command;

	if (program->is_on_hosts_files && command[1] && program_is_there(command[1], program->path))
		log_error(
			0,
			"cannot run %s: no such command; no image is needed, the host's own programs "
			"are there: leave `%s` out",
			command[0], command[0]);
	else if (!*command[0])
		log_error(0, "cannot run '': the command is empty");
	else if (strchr(command[0], '/'))
		log_error(0, "cannot run %s: no such file in the container", command[0]);
	else
		log_error(0, "cannot run %s: no such command in the container's PATH (%s)",
			  command[0], program->path);
	return LAUNCH_EXIT_NOT_FOUND;
}

static const char *program_reason(int error, const char *file)
{
	struct stat status;

	switch (error) {
	case ENOENT:
		return "the interpreter that it names is not in the container";
	case EACCES:
		if (!stat(file, &status) && S_ISDIR(status.st_mode))
			return "it is a directory";
		return "permission denied; it or a directory above it is not executable for this "
		       "user";
	case EPERM:
		return "its file capabilities are not all in the container's bounding set; add them "
		       "with --cap-add";
	case ENOEXEC:
		return "it is neither a program of this machine nor a script that starts with #!";
	default:
		return strerror(error);
	}
}

static int program_refused(int error, const char *file)
{
	log_error(0, "cannot run %s: %s", file, program_reason(error, file));
	return error == ENOENT ? LAUNCH_EXIT_NOT_FOUND : LAUNCH_EXIT_NOT_EXECUTABLE;
}

/* Returns only the reason why this file was not executed: ENOENT when it is not there. */
static int program_try(const char *file, char *const *command, char *const *environment)
{
	execve(file, command, environment);
	return errno;
}

int program_execute(const struct program *program)
{
	char *const *command = program->command;
	autofree char *refused = NULL;
	int refused_error = 0, error;
	const char *dir = program->path;

	if (strchr(command[0], '/')) {
		error = program_try(command[0], command, program->environment);
		if (error == ENOENT && access(command[0], F_OK))
			return program_not_found(program);
		return program_refused(error, command[0]);
	}
	while (*command[0] && *dir) {
		const char *end = strchrnul(dir, ':');
		autofree char *file = mem_printf("%.*s/%s", (int)(end - dir), dir, command[0]);

		error = program_try(file, command, program->environment);
		/* Like execvp: what cannot be executed here may be found further on. */
		if (!refused && error != ENOTDIR && (error != ENOENT || !access(file, F_OK))) {
			refused = steal(file);
			refused_error = error;
		}
		dir = *end ? end + 1 : end;
	}
	if (refused)
		return program_refused(refused_error, refused);
	return program_not_found(program);
}
