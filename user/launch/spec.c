/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/spec.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "host/caps.h"

#define SPEC_HOSTNAME_MAX 64

void spec_use_own_stdio(struct spec *spec)
{
	for (int fd = 0; fd < 3; fd++)
		spec->stdio[fd] = fd;
}

int spec_check_name(const char *name)
{
	size_t length = strlen(name);
	bool is_good = length > 0 && length <= SPEC_NAME_MAX && isalnum((unsigned char)name[0]);

	for (size_t i = 1; is_good && i < length; i++)
		is_good = isalnum((unsigned char)name[i]) || strchr("_.-", name[i]);
	if (is_good)
		return 0;
	return log_error(
		-EINVAL,
		"cannot call a container %s: a name is a letter or digit and then letters, "
		"digits, `_`, `.` and `-`, at most %d",
		length ? name : "''", SPEC_NAME_MAX);
}

/* RFC 1123's names, which is all that docker's documents promise, and as long as the kernel takes. */
static bool spec_is_hostname(const char *name)
{
	size_t length = strlen(name);
	bool is_good = length > 0 && length <= SPEC_HOSTNAME_MAX;

	for (size_t i = 0; is_good && i < length; i++) {
		bool is_at_edge =
			i == 0 || i == length - 1 || name[i - 1] == '.' || name[i + 1] == '.';

		is_good = isalnum((unsigned char)name[i]) || (name[i] == '-' && !is_at_edge) ||
			  (name[i] == '.' && i > 0 && i < length - 1 && name[i + 1] != '.');
	}
	return is_good;
}

int spec_check_places(const struct spec *spec)
{
	if (spec->hostname && !spec_is_hostname(spec->hostname))
		return log_error(-EINVAL,
				 "cannot take '%s' for --hostname: a host name is letters, digits, "
				 "`-` and `.`, at most %d",
				 spec->hostname, SPEC_HOSTNAME_MAX);
	if (spec->hostname && spec->uts)
		return log_error(-EINVAL,
				 "cannot call the container's host %s: with --uts %s it has the "
				 "host's name; leave one of both out",
				 spec->hostname, spec->uts);
	if (spec->workdir && spec->workdir[0] != '/')
		return log_error(-EINVAL,
				 "cannot start in the working directory '%s': it has to be an "
				 "absolute path in the container",
				 spec->workdir);
	return 0;
}

static bool spec_is_all(const char *name)
{
	if (!strncasecmp(name, "CAP_", 4))
		name += 4;
	return !strcasecmp(name, "ALL");
}

static int spec_add_capability(const char *option, const char *name, int cap_last, uint64_t *set)
{
	const char *nearest = NULL;
	int capability;
	int r = caps_from_name(name, &capability, &nearest);

	if (r && nearest)
		return log_error(-EINVAL, "unknown capability %s for %s: did you mean %s?", name,
				 option, nearest);
	if (r)
		return log_error(
			-EINVAL,
			"unknown capability %s for %s: `nsview caps` lists those there are", name,
			option);
	if (capability > cap_last)
		return log_error(-EINVAL,
				 "cannot take %s for %s: this kernel knows capabilities up to %s",
				 name, option, caps_name(cap_last));
	*set |= 1ULL << capability;
	return 0;
}

static int spec_name_set(const char *option, const char *const *names, size_t count, int cap_last,
			 uint64_t *set, bool *has_all)
{
	for (size_t i = 0; i < count; i++) {
		int r;

		if (spec_is_all(names[i])) {
			*has_all = true;
			continue;
		}
		r = spec_add_capability(option, names[i], cap_last, set);
		if (r)
			return r;
	}
	return 0;
}

bool spec_adds_all(const struct spec *spec)
{
	for (size_t i = 0; i < spec->cap_add_count; i++) {
		if (spec_is_all(spec->cap_add[i]))
			return true;
	}
	return false;
}

int spec_capabilities(const struct spec *spec, int cap_last, uint64_t *capabilities)
{
	uint64_t added = 0, dropped = 0;
	bool adds_all = false, drops_all = false;
	int r;

	r = spec_name_set("--cap-add", spec->cap_add, spec->cap_add_count, cap_last, &added,
			  &adds_all);
	if (!r)
		r = spec_name_set("--cap-drop", spec->cap_drop, spec->cap_drop_count, cap_last,
				  &dropped, &drops_all);
	if (r)
		return r;
	if (adds_all)
		*capabilities = caps_full(cap_last) & ~dropped;
	else if (drops_all)
		*capabilities = added;
	else
		*capabilities = (CAPS_DOCKER_DEFAULT & ~dropped) | added;
	return 0;
}

int spec_check_grantable(uint64_t capabilities, uint64_t grantable)
{
	uint64_t missing = capabilities & ~grantable;
	struct text names = {0};
	const char *what;

	if (!missing)
		return 0;
	for (int i = 0; i < 64; i++) {
		if (missing & (1ULL << i))
			text_printf(&names, "%s%s", names.length ? ", " : "", caps_name(i));
	}
	what = missing & (missing - 1) ? "them" : "it";
	log_error(-EPERM,
		  "cannot give the container %s: nsview does not have %s itself; take %s away with "
		  "--cap-drop, or start nsview with %s",
		  text_string(&names), what, what, what);
	text_free(&names);
	return -EPERM;
}
