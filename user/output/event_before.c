/* SPDX-License-Identifier: GPL-2.0-only */
/* `,"before":{...}`: what changed, under the names that it has after the change. */
#include "output/event_private.h"

#include "base/mem.h"
#include "view/proc_fields.h"

/* Opens the object in front of its first member, and puts the comma in front of each other one. */
struct members {
	struct event_writer *writer;
	const char *opening;
	bool is_open;
};

static void member_put(struct members *members, const char *key)
{
	event_put_string(members->writer, members->is_open ? "," : members->opening);
	event_put(members->writer, "\"");
	event_put_string(members->writer, key);
	event_put(members->writer, "\":");
	members->is_open = true;
}

static void members_close(struct members *members)
{
	if (members->is_open)
		event_put(members->writer, "}");
}

/* The ids of struct id_block that are users or groups by themselves. */
static const struct {
	const char *key;
	size_t at;
	bool is_user;
} id_members[] = {
	{"user", offsetof(struct id_block, euid), true},
	{"real_user", offsetof(struct id_block, uid), true},
	{"saved_user", offsetof(struct id_block, suid), true},
	{"fs_user", offsetof(struct id_block, fsuid), true},
	{"group", offsetof(struct id_block, egid), false},
	{"real_group", offsetof(struct id_block, gid), false},
	{"saved_group", offsetof(struct id_block, sgid), false},
	{"fs_group", offsetof(struct id_block, fsgid), false},
};

static void put_ids(struct members *members, const struct id_block *before,
		    const struct id_block *after)
{
	if (!memcmp(before, after, sizeof(*before)))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(id_members); i++) {
		size_t at = id_members[i].at;
		uint32_t id = *(const uint32_t *)((const char *)before + at);

		if (id == *(const uint32_t *)((const char *)after + at))
			continue;
		member_put(members, id_members[i].key);
		if (id_members[i].is_user)
			event_put_user(members->writer, id);
		else
			event_put_id(members->writer, id);
	}
}

static void put_groups(struct members *members, const struct event *event)
{
	struct event_writer *writer = members->writer;
	const struct event_before *before = event->before;
	const struct task_identity *after = event->identity;

	if (!(event->record->changed & CHANGE_GROUPS) &&
	    before->groups_total == after->groups_total &&
	    before->groups_kept == after->groups_kept &&
	    (!before->groups_kept || !memcmp(event->before_groups, event->groups,
					     before->groups_kept * sizeof(*event->groups))))
		return;
	/* A list without its end would be taken for the list. */
	if (before->groups_total > before->groups_kept) {
		writer->unknown |= AT_BIT(BEFORE_GROUPS);
		writer->cut |= EVENT_CUT_GROUPS;
		return;
	}
	member_put(members, "groups");
	event_put(writer, "[");
	for (uint32_t i = 0; i < before->groups_kept; i++) {
		event_put_string(writer, i ? ",\"" : "\"");
		event_put_number(writer, event->before_groups[i]);
		event_put(writer, "\"");
	}
	event_put(writer, "]");
}

static void put_capabilities(struct members *members, const __u64 *before, const __u64 *after)
{
	struct event_writer *writer = members->writer;
	struct members sets = {.writer = writer, .opening = "{"};

	if (!memcmp(before, after, CAP_SETS * sizeof(*before)))
		return;
	member_put(members, "capabilities");
	for (int set = 0; set < CAP_SETS; set++) {
		if (before[set] == after[set])
			continue;
		if (writer->level < LEVEL_NO_NAMES) {
			member_put(&sets, event_cap_sets[set]);
			event_put_caps(writer, before[set]);
		}
		event_put_string(writer, sets.is_open ? ",\"" : "{\"");
		sets.is_open = true;
		event_put_string(writer, event_cap_sets[set]);
		event_put(writer, "_hex\":\"");
		text_add_hex(writer->out, before[set], 16);
		event_put(writer, "\"");
	}
	members_close(&sets);
}

static void put_namespaces(struct members *members, const uint32_t *before, const uint32_t *after)
{
	struct members kinds = {.writer = members->writer, .opening = "{"};

	if (!memcmp(before, after, NS_KINDS * sizeof(*before)))
		return;
	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (before[kind] == after[kind] || !before[kind])
			continue;
		if (!kinds.is_open)
			member_put(members, "ns");
		member_put(&kinds, proc_namespace_names[kind]);
		event_put_number(members->writer, before[kind]);
	}
	members_close(&kinds);
}

static void put_user_ns(struct members *members, const struct event_before *before,
			const struct task_identity *after)
{
	struct event_writer *writer = members->writer;

	if (before->ns[NS_USER] == after->ns[NS_USER] || !before->ns[NS_USER])
		return;
	member_put(members, "user_ns");
	event_put(writer, "{\"ino\":");
	event_put_number(writer, before->ns[NS_USER]);
	event_put(writer, ",\"level\":");
	event_put_number(writer, before->user_ns_level);
	event_put(writer, ",\"owner\":\"");
	event_put_number(writer, before->user_ns_owner);
	event_put(writer, "\"}");
}

static void put_privileges(struct members *members, const struct event_before *before,
			   const struct task_identity *after)
{
	struct event_writer *writer = members->writer;

	if (before->securebits != after->securebits) {
		member_put(members, "securebits");
		event_put_number(writer, before->securebits);
	}
	if (before->no_new_privs != after->no_new_privs) {
		member_put(members, "no_new_privs");
		event_put_string(writer, before->no_new_privs ? "true" : "false");
	}
	if (before->seccomp != after->seccomp && before->seccomp <= 2) {
		member_put(members, "seccomp");
		event_put(writer, "\"");
		event_put_string(writer, proc_seccomp_words[before->seccomp]);
		event_put(writer, "\"");
	}
}

/* Where children would have been put. */
static void put_children(struct members *members, const struct event *event)
{
	const struct event_children *children = event->children;
	struct members kinds = {.writer = members->writer, .opening = "{\"ns\":{"};

	if (!children)
		return;
	if (!children->before_pid_ns && !children->before_time_ns)
		return;
	member_put(members, "children");
	if (children->before_pid_ns) {
		member_put(&kinds, "pid");
		event_put_number(members->writer, children->before_pid_ns);
	}
	if (children->before_time_ns) {
		member_put(&kinds, "time");
		event_put_number(members->writer, children->before_time_ns);
	}
	event_put(members->writer, "}}");
}

void event_put_before(struct event_writer *writer, const struct event *event)
{
	struct members members = {.writer = writer, .opening = ",\"before\":{"};
	const struct event_before *before = event->before;

	if (before && event->identity) {
		put_ids(&members, &before->ids, &event->identity->ids);
		put_groups(&members, event);
		put_capabilities(&members, before->caps, event->identity->caps);
		put_privileges(&members, before, event->identity);
		put_namespaces(&members, before->ns, event->identity->ns);
		put_user_ns(&members, before, event->identity);
	}
	put_children(&members, event);
	members_close(&members);
}
