/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/btf_small.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define DEPTH_MAX 32 /* of structs in structs; the kernel has some 10 */

/* Sorted, borrowed from the object's BTF. */
struct names {
	const char **items;
	size_t count;
	size_t capacity;
};

struct copied {
	uint32_t from; /* in the kernel's BTF */
	int to;
};

struct maker {
	const struct btf *kernel;
	struct btf *out;
	struct names types;
	struct names members;
	struct copied *copied;
	size_t copied_count;
	size_t copied_capacity;
};

static int copy_type(struct maker *maker, uint32_t id, int depth);

static int name_compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void names_add(struct names *names, const char *name)
{
	mem_reserve_one(names->items, names->count, names->capacity);
	names->items[names->count++] = name;
}

static void names_sort(struct names *names)
{
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), name_compare);
}

static bool names_have(const struct names *names, const char *name)
{
	return *name && names->count &&
	       bsearch(&name, names->items, names->count, sizeof(*names->items), name_compare);
}

/* A flavour's name ends at the last ___, as libbpf has it. Returns a copy to be freed. */
static char *name_without_flavour(const char *name)
{
	char *copy = mem_copy(name);
	char *flavour = NULL;

	for (char *at = copy; (at = strstr(at, "___")); at++)
		flavour = at;
	if (flavour && flavour != copy)
		*flavour = 0;
	return copy;
}

static void names_add_type(struct maker *maker, const struct btf *object,
			   const struct btf_type *type)
{
	const char *name = btf__name_by_offset(object, type->name_off);

	if (!btf_is_composite(type) && !btf_is_enum(type))
		return;
	if (*name)
		names_add(&maker->types, name_without_flavour(name));
	for (uint32_t i = 0; btf_is_composite(type) && i < btf_vlen(type); i++) {
		name = btf__name_by_offset(object, btf_members(type)[i].name_off);
		if (*name)
			names_add(&maker->members, name);
	}
}

static void names_collect(struct maker *maker, const struct btf *object)
{
	for (uint32_t id = 1; id < btf__type_cnt(object); id++)
		names_add_type(maker, object, btf__type_by_id(object, id));
	names_sort(&maker->types);
	names_sort(&maker->members);
}

/* libbpf looks through typedefs and qualifiers, so they need not be there. */
static uint32_t type_resolve(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	for (int depth = 0; type && depth < DEPTH_MAX; depth++) {
		if (!btf_is_mod(type) && !btf_is_typedef(type))
			return id;
		id = type->type;
		type = btf__type_by_id(btf, id);
	}
	return 0;
}

static int copy_enum(struct maker *maker, const struct btf_type *type, const char *name)
{
	int id = btf__add_enum(maker->out, *name ? name : NULL, type->size);
	int r = 0;

	for (uint32_t i = 0; !r && id > 0 && i < btf_vlen(type); i++) {
		const struct btf_enum *value = &btf_enum(type)[i];

		r = btf__add_enum_value(maker->out,
					btf__name_by_offset(maker->kernel, value->name_off),
					value->val);
	}
	return r ? r : id;
}

static int copy_array(struct maker *maker, const struct btf_array *array, int depth)
{
	int index = copy_type(maker, array->index_type, depth);
	int element = copy_type(maker, array->type, depth);

	if (index < 0 || element < 0)
		return index < 0 ? index : element;
	return btf__add_array(maker->out, index, element, array->nelems);
}

/* Members without a name are structs whose members belong to this one: kept if any of theirs are,
 * which empty ones do not prevent. */
static bool member_is_kept(const struct maker *maker, const struct btf_member *member)
{
	const char *name = btf__name_by_offset(maker->kernel, member->name_off);

	return !*name || names_have(&maker->members, name);
}

static int copy_composite(struct maker *maker, const struct btf_type *type, const char *name,
			  int depth)
{
	const struct btf_member *members = btf_members(type);
	autofree int *types = mem_new((btf_vlen(type) + 1) * sizeof(*types));
	int id;
	int r = 0;

	/* The types first: fields can only be added to the type that was added last. */
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		types[i] = member_is_kept(maker, &members[i])
				   ? copy_type(maker, members[i].type, depth)
				   : 0;
		if (types[i] < 0)
			return types[i];
	}
	id = btf_is_struct(type) ? btf__add_struct(maker->out, name, type->size)
				 : btf__add_union(maker->out, name, type->size);
	for (uint32_t i = 0; !r && id > 0 && i < btf_vlen(type); i++) {
		if (!types[i])
			continue;
		r = btf__add_field(maker->out,
				   btf__name_by_offset(maker->kernel, members[i].name_off),
				   types[i], btf_member_bit_offset(type, i),
				   btf_member_bitfield_size(type, i));
	}
	return r ? r : id;
}

static int copy_new(struct maker *maker, const struct btf_type *type, int depth)
{
	const char *name = btf__name_by_offset(maker->kernel, type->name_off);

	if (depth > DEPTH_MAX)
		return -ELOOP;
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		return btf__add_int(maker->out, name, type->size, btf_int_encoding(type));
	case BTF_KIND_FLOAT:
		return btf__add_float(maker->out, name, type->size);
	case BTF_KIND_ENUM:
		return copy_enum(maker, type, name);
	case BTF_KIND_ARRAY:
		return copy_array(maker, btf_array(type), depth + 1);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return copy_composite(maker, type, name, depth + 1);
	default:
		/* A relocation never goes through a pointer: what it points to is another's. */
		return btf__add_ptr(maker->out, 0);
	}
}

/* The id in the new BTF, -errno, or 0 for void. */
static int copy_type(struct maker *maker, uint32_t id, int depth)
{
	uint32_t from = type_resolve(maker->kernel, id);
	int to;

	if (!from)
		return 0;
	for (size_t i = 0; i < maker->copied_count; i++) {
		if (maker->copied[i].from == from)
			return maker->copied[i].to;
	}
	to = copy_new(maker, btf__type_by_id(maker->kernel, from), depth);
	if (to < 0)
		return to;
	mem_reserve_one(maker->copied, maker->copied_count, maker->copied_capacity);
	maker->copied[maker->copied_count++] = (struct copied){.from = from, .to = to};
	return to;
}

static int wanted_compare(const void *left, const void *right)
{
	return strcmp(((const struct btf_wanted *)left)->name,
		      ((const struct btf_wanted *)right)->name);
}

/* The first of a name counts: the same function may be in several files of the kernel. */
static void wanted_find(struct btf_wanted *wanted, size_t count, const struct btf_type *type,
			const char *name, uint32_t id)
{
	const struct btf_wanted key = {.name = name};
	struct btf_wanted *found;

	if (!count || (!btf_is_func(type) && !btf_is_typedef(type)))
		return;
	found = bsearch(&key, wanted, count, sizeof(*wanted), wanted_compare);
	if (found && found->kind == btf_kind(type) && !found->id)
		found->id = id;
}

static int maker_run(struct maker *maker, struct btf_wanted *wanted, size_t wanted_count)
{
	for (uint32_t id = 1; id < btf__type_cnt(maker->kernel); id++) {
		const struct btf_type *type = btf__type_by_id(maker->kernel, id);
		const char *name = btf__name_by_offset(maker->kernel, type->name_off);
		int r;

		wanted_find(wanted, wanted_count, type, name, id);
		if (!btf_is_composite(type) && !btf_is_enum(type))
			continue;
		if (!names_have(&maker->types, name))
			continue;
		r = copy_type(maker, id, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

int btf_small_make(const struct btf *kernel, const struct btf *object, struct btf_wanted *wanted,
		   size_t wanted_count, struct btf **small)
{
	struct maker maker = {.kernel = kernel, .out = btf__new_empty()};
	int r = maker.out ? 0 : -ENOMEM;

	if (wanted_count)
		qsort(wanted, wanted_count, sizeof(*wanted), wanted_compare);
	if (!r) {
		names_collect(&maker, object);
		r = maker_run(&maker, wanted, wanted_count);
	}
	for (size_t i = 0; i < maker.types.count; i++)
		free((char *)maker.types.items[i]);
	free(maker.types.items);
	free(maker.members.items);
	free(maker.copied);
	if (r)
		btf__free(maker.out);
	else
		*small = maker.out;
	return r;
}
