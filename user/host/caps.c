/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/caps.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

#define CAPS_MAX 64         /* a kernel_cap_t has so many bits */
#define WORD_MAX 64         /* longer than any word caps_parse knows */
#define NEAR_MAX 8          /* differences to a named set; below caps_named, see caps_words */
#define NAMED_MAX 2         /* so many differences, or members, are named */
#define TYPING_ERRORS_MAX 4 /* a name that differs more is no suggestion */

/* Meanings: capabilities(7) and the kernel's own checks, in our words. */
static const struct {
	const char *name;
	const char *meaning;
} caps_table[] = {
	{"CHOWN", "change the owner and group of any file"},
	{"DAC_OVERRIDE",
	 "read and write any file, run any that somebody may run, enter any directory"},
	{"DAC_READ_SEARCH", "read any file and search any directory; open files by handle"},
	{"FOWNER", "do to any file what only its owner may: change mode, times, ACLs; delete "
		   "from sticky directories"},
	{"FSETID", "keep the setuid and setgid bits of files that it changes"},
	{"KILL", "send signals to processes of any user"},
	{"SETGID", "become any group, and set its supplementary groups"},
	{"SETUID", "become any user"},
	{"SETPCAP", "drop bounding capabilities, gain inheritable ones, change securebits"},
	{"LINUX_IMMUTABLE", "set and clear the immutable and append-only flags of files"},
	{"NET_BIND_SERVICE", "listen on ports below 1024"},
	{"NET_BROADCAST",
	 "receive netlink messages of other network namespaces; nothing else checks it"},
	{"NET_ADMIN", "configure interfaces, addresses, routes and firewalls of its network "
		      "namespace"},
	{"NET_RAW", "send and receive raw packets, also forged ones; bind to any address"},
	{"IPC_LOCK", "lock memory beyond its limit, use huge pages for shared memory"},
	{"IPC_OWNER", "use any System V queue, semaphore and shared memory"},
	{"SYS_MODULE", "load and unload kernel modules: control of the kernel"},
	{"SYS_RAWIO", "use I/O ports, /dev/mem and raw disk commands: control of the hardware"},
	{"SYS_CHROOT", "change its root directory; enter mount namespaces it may administer"},
	{"SYS_PTRACE", "trace any process, read and write its memory, see its files"},
	{"SYS_PACCT", "switch process accounting on and off"},
	{"SYS_ADMIN", "mount, enter namespaces, set quotas, and much more: nearly root by itself"},
	{"SYS_BOOT", "reboot, and load another kernel to boot into (kexec)"},
	{"SYS_NICE", "raise any process's priority, set real-time scheduling and CPU affinity"},
	{"SYS_RESOURCE", "exceed and raise resource limits, disk quotas and reserved space"},
	{"SYS_TIME", "set the system clock and the hardware clock"},
	{"SYS_TTY_CONFIG", "configure and hang up terminals"},
	{"MKNOD", "create device files"},
	{"LEASE", "take leases on any file"},
	{"AUDIT_WRITE", "write records into the audit log"},
	{"AUDIT_CONTROL", "switch auditing on and off, change its rules; set login uids"},
	{"SETFCAP", "give capabilities to files; map uid 0 into a new user namespace"},
	{"MAC_OVERRIDE", "act against the Smack security module's policy"},
	{"MAC_ADMIN",
	 "change the policy of mandatory access control (AppArmor, Smack, SELinux labels)"},
	{"SYSLOG", "read and clear the kernel's log, see kernel addresses"},
	{"WAKE_ALARM", "set timers that wake the system up"},
	{"BLOCK_SUSPEND", "keep the system from suspending"},
	{"AUDIT_READ", "read the audit log as it is written"},
	{"PERFMON", "watch the whole system's performance, trace the kernel with BPF"},
	{"BPF", "load BPF programs and make BPF maps; tracing needs PERFMON, packets NET_ADMIN"},
	{"CHECKPOINT_RESTORE", "checkpoint and restore processes: choose pids, read others' maps"},
};

const int caps_named = ARRAY_SIZE(caps_table);
_Static_assert(NEAR_MAX < ARRAY_SIZE(caps_table), "a count could be taken for a number");

/* Digits for what has no name. */
static const char *const caps_numbers[CAPS_MAX] = {
	[41] = "41", [42] = "42", [43] = "43", [44] = "44", [45] = "45", [46] = "46",
	[47] = "47", [48] = "48", [49] = "49", [50] = "50", [51] = "51", [52] = "52",
	[53] = "53", [54] = "54", [55] = "55", [56] = "56", [57] = "57", [58] = "58",
	[59] = "59", [60] = "60", [61] = "61", [62] = "62", [63] = "63",
};
_Static_assert(ARRAY_SIZE(caps_table) == 41, "caps_numbers starts where the names end");

struct named_set {
	const char *name;
	uint64_t mask;
};

enum {
	NAMED_FULL,
	NAMED_DOCKER,
	NAMED_PODMAN,
	NAMED_SETS,
};

static void named_sets_fill(struct named_set sets[NAMED_SETS], int cap_last)
{
	sets[NAMED_FULL] = (struct named_set){"full", caps_full(cap_last)};
	sets[NAMED_DOCKER] = (struct named_set){"docker-default", CAPS_DOCKER_DEFAULT};
	sets[NAMED_PODMAN] = (struct named_set){"podman-default", CAPS_PODMAN_DEFAULT};
}

uint64_t caps_full(int cap_last)
{
	if (cap_last < 0)
		return 0;
	return cap_last >= CAPS_MAX - 1 ? UINT64_MAX : (1ULL << (cap_last + 1)) - 1;
}

const char *caps_name(int capability)
{
	if (capability < 0 || capability >= CAPS_MAX)
		return "?";
	return capability < caps_named ? caps_table[capability].name : caps_numbers[capability];
}

const char *caps_meaning(int capability)
{
	return capability >= 0 && capability < caps_named ? caps_table[capability].meaning : NULL;
}

static const char *caps_nearest(const char *name)
{
	size_t best = TYPING_ERRORS_MAX + 1;
	const char *nearest = NULL;

	for (int i = 0; i < caps_named; i++) {
		size_t distance = text_distance(name, caps_table[i].name);

		/* As many errors as letters is another word. */
		if (distance < best && distance < strlen(caps_table[i].name) / 2 + 1) {
			best = distance;
			nearest = caps_table[i].name;
		}
	}
	return nearest;
}

static bool number_parse(const char *word, int *number)
{
	char *end;
	unsigned long value;

	if (word[0] < '0' || word[0] > '9')
		return false;
	value = strtoul(word, &end, 10);
	if (*end || value >= CAPS_MAX)
		return false;
	*number = (int)value;
	return true;
}

int caps_from_name(const char *name, int *capability, const char **nearest)
{
	const char *bare = strncasecmp(name, "CAP_", 4) ? name : name + 4;

	if (nearest)
		*nearest = NULL;
	for (int i = 0; i < caps_named; i++) {
		if (!strcasecmp(bare, caps_table[i].name)) {
			*capability = i;
			return 0;
		}
	}
	if (number_parse(bare, capability))
		return 0;
	if (nearest)
		*nearest = caps_nearest(bare);
	return -ENOENT;
}

static int caps_count(uint64_t set)
{
	return __builtin_popcountll(set);
}

/* Names with a sign before each (0: none), separated by spaces, in the order of their numbers. */
static void caps_add_names(struct text *out, uint64_t set, char sign)
{
	for (int i = 0; i < CAPS_MAX; i++) {
		if (!(set & (1ULL << i)))
			continue;
		if (out->length && out->data[out->length - 1] != ' ')
			text_add_char(out, ' ');
		if (sign)
			text_add_char(out, sign);
		text_add_string(out, caps_name(i));
	}
}

static void caps_add_count(struct text *out, uint64_t set, char sign)
{
	if (set)
		text_printf(out, " %c%d", sign, caps_count(set));
}

/* The named set with the fewest differences, or NULL when that is far. */
static const struct named_set *caps_near(const struct named_set sets[NAMED_SETS], uint64_t set)
{
	const struct named_set *nearest = &sets[0];
	int differences;

	for (int i = 1; i < NAMED_SETS; i++) {
		if (caps_count(sets[i].mask ^ set) < caps_count(nearest->mask ^ set))
			nearest = &sets[i];
	}
	differences = caps_count(nearest->mask ^ set);
	if (differences && (differences > NEAR_MAX || differences >= caps_count(set)))
		return NULL;
	return nearest;
}

static void caps_add_words(struct text *out, uint64_t set, int cap_last, bool is_long)
{
	struct named_set sets[NAMED_SETS];
	const struct named_set *near;
	uint64_t more;
	uint64_t less;

	named_sets_fill(sets, cap_last);
	near = caps_near(sets, set);
	if (near && near->mask == set) {
		text_add_string(out, near->name);
		return;
	}
	if (!near || caps_count(set) <= NAMED_MAX) {
		if (is_long || caps_count(set) <= NAMED_MAX)
			caps_add_names(out, set, 0);
		else
			text_printf(out, "%d caps", caps_count(set));
		return;
	}
	more = set & ~near->mask;
	less = near->mask & ~set;
	text_add_string(out, near->name);
	if (is_long || caps_count(more | less) <= NAMED_MAX) {
		caps_add_names(out, more, '+');
		caps_add_names(out, less, '-');
	} else {
		caps_add_count(out, more, '+');
		caps_add_count(out, less, '-');
	}
}

static void caps_say(struct text *out, uint64_t set, int cap_last, bool is_host_effective,
		     bool is_long)
{
	struct text words = {0}; /* of its own: whether a space is needed is seen from its start */

	if (!set) {
		text_add_string(out, "none");
		return;
	}
	caps_add_words(&words, set, cap_last, is_long);
	text_add(out, words.data, words.length);
	text_free(&words);
	if (!is_host_effective)
		text_add_string(out, " in userns");
}

void caps_words(struct text *out, uint64_t set, int cap_last, bool is_host_effective)
{
	caps_say(out, set, cap_last, is_host_effective, false);
}

void caps_words_long(struct text *out, uint64_t set, int cap_last, bool is_host_effective)
{
	caps_say(out, set, cap_last, is_host_effective, true);
}

static int hex_parse(const char *word, uint64_t *mask)
{
	char *end;
	unsigned long long value;

	if (strncasecmp(word, "0x", 2) || !strchr("0123456789abcdefABCDEF", word[2]) || !word[2])
		return -EINVAL;
	errno = 0;
	value = strtoull(word + 2, &end, 16);
	if (*end || errno)
		return -EINVAL;
	*mask = value;
	return 0;
}

/* What one word without its sign stands for. */
static int word_parse(const char *word, int cap_last, bool has_sign, uint64_t *mask)
{
	struct named_set sets[NAMED_SETS];
	int capability;

	named_sets_fill(sets, cap_last);
	for (int i = 0; i < NAMED_SETS; i++) {
		if (!strcasecmp(word, sets[i].name)) {
			*mask = sets[i].mask;
			return 0;
		}
	}
	if (!strcasecmp(word, "all")) {
		*mask = caps_full(cap_last);
		return 0;
	}
	if (!strcasecmp(word, "none")) {
		*mask = 0;
		return 0;
	}
	/* After a sign, a number that could have a name is a count: of which, nobody knows. */
	if (has_sign && number_parse(word, &capability) && capability < caps_named)
		return -EINVAL;
	if (caps_from_name(word, &capability, NULL))
		return hex_parse(word, mask);
	*mask = 1ULL << capability;
	return 0;
}

/* The length of `in userns` and nothing after it, or 0. */
static bool is_suffix(const char *words)
{
	static const char suffix[] = "in userns";

	return !strncasecmp(words, suffix, sizeof(suffix) - 1) &&
	       !words[sizeof(suffix) - 1 + strspn(words + sizeof(suffix) - 1, " ")];
}

int caps_parse(const char *words, int cap_last, uint64_t *set, int *bad_offset)
{
	const char *at = words + strspn(words, " ,");
	uint64_t result = 0;
	bool has_word = false;

	while (*at && !(has_word && is_suffix(at))) {
		bool has_sign = *at == '+' || *at == '-';
		size_t length = strcspn(at, " ,");
		char word[WORD_MAX] = "";
		uint64_t mask;

		if (length < sizeof(word))
			memcpy(word, at + has_sign, length - has_sign);
		if (word_parse(word, cap_last, has_sign, &mask))
			goto bad;
		result = *at == '-' ? result & ~mask : result | mask;
		has_word = true;
		at += length;
		at += strspn(at, " ,");
	}
	if (!has_word)
		goto bad;
	*set = result;
	return 0;
bad:
	if (bad_offset)
		*bad_offset = (int)(at - words);
	return -EINVAL;
}
