/* SPDX-License-Identifier: GPL-2.0-only */
/* The small pieces of an event's line. */
#include "output/event_private.h"

#include <endian.h>

#include "host/passwd.h"
#include "view/column.h"

#define NS_PER_SECOND 1000000000ULL
#define NUMBER_MAX (1ULL << 53) /* what a double holds without rounding */

const char *const event_cap_sets[CAP_SETS] = {
	[CAP_SET_INHERITABLE] = "inheritable", [CAP_SET_PERMITTED] = "permitted",
	[CAP_SET_EFFECTIVE] = "effective",     [CAP_SET_BOUNDING] = "bounding",
	[CAP_SET_AMBIENT] = "ambient",
};

void event_put_large(struct event_writer *writer, uint64_t number)
{
	bool is_large = number > NUMBER_MAX;

	if (is_large)
		event_put(writer, "\"");
	event_put_number(writer, number);
	if (is_large)
		event_put(writer, "\"");
}

/* Where a character ends at or before `length`. */
static size_t whole_characters(const char *data, size_t length)
{
	size_t end = length;

	while (end && length - end < 3 && ((unsigned char)data[end] & 0xc0) == 0x80)
		end--;
	return end;
}

void event_put_quoted(struct event_writer *writer, enum event_field field, const char *data,
		      size_t length)
{
	struct json json;
	char *place;

	if (writer->level >= LEVEL_SHORT && length > EVENT_SHORT_MAX) {
		length = whole_characters(data, EVENT_SHORT_MAX);
		writer->cut |= EVENT_CUT_STRINGS;
	}
	if (json_plain_run(data, length) == length) {
		place = place_put_literal(text_room(writer->out, length + 2), "\"");
		place = place_put(place, data, length);
		event_end(writer, place_put_literal(place, "\""));
		return;
	}
	json_start(&json, writer->out);
	json_string(&json, data, length);
	if (json.is_lossy)
		writer->lossy |= 1ULL << field;
}

void event_put_member(struct event_writer *writer, const char *key, enum event_field field,
		      const char *data, size_t length)
{
	event_put(writer, ",\"");
	event_put_string(writer, key);
	event_put(writer, "\":");
	event_put_quoted(writer, field, data, length);
}

static void second_set(struct event_second *second, uint64_t start_ns)
{
	struct text text = {0};
	struct json json;

	json_start(&json, &text);
	json_time(&json, start_ns);
	memcpy(second->text, text.data + 1, sizeof(second->text)); /* without the quote before it */
	text_free(&text);
	second->start_ns = start_ns;
	second->is_set = true;
}

char *event_place_time(char *place, const struct event_writer *writer, struct event_second *second,
		       uint64_t boot_ns)
{
	uint64_t epoch_ns = boot_ns + writer->boot_offset_ns;

	if (!second->is_set || epoch_ns - second->start_ns >= NS_PER_SECOND)
		second_set(second, epoch_ns - epoch_ns % NS_PER_SECOND);
	place = place_put(place, second->text, sizeof(second->text));
	place = text_put_padded(place, epoch_ns - second->start_ns, 9);
	return place_put_literal(place, "Z");
}

void event_put_time(struct event_writer *writer, struct event_second *second, uint64_t boot_ns)
{
	char *place = text_room(writer->out, EVENT_TIME_LENGTH + 2);

	place = place_put_literal(place, "\"");
	place = event_place_time(place, writer, second, boot_ns);
	event_end(writer, place_put_literal(place, "\""));
}

void event_put_caps(struct event_writer *writer, uint64_t mask)
{
	struct json json;

	if (!mask) {
		event_put(writer, "[]");
		return;
	}
	json_start(&json, writer->out);
	json_cap_names(&writer->values, &json, mask);
}

void event_put_id(struct event_writer *writer, uint32_t id)
{
	event_put(writer, "{\"id\":\"");
	event_put_number(writer, id);
	event_put(writer, "\"}");
}

void event_put_user(struct event_writer *writer, uint32_t uid)
{
	const char *name = passwd_host_name(writer->view->users, uid);

	event_put(writer, "{\"id\":\"");
	event_put_number(writer, uid);
	event_put(writer, "\"");
	if (name)
		event_put_member(writer, "name", AT_USER_NAME, name, strlen(name));
	event_put(writer, "}");
}

/* A bijection of 64 bits that leaves no pattern (Stafford's variant 13 of MurmurHash3's). */
static uint64_t mixed(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
	value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
	return value ^ value >> 31;
}

void event_entity_seed(struct event_writer *writer)
{
	uint64_t seed = 0x9e3779b97f4a7c15ULL;

	for (const char *at = writer->has_boot_id ? writer->boot_id : ""; *at; at++)
		seed = mixed(seed ^ (unsigned char)*at);
	writer->entity_seed[0] = mixed(seed + 1);
	writer->entity_seed[1] = mixed(seed + 2);
}

/* Eight digits at once: a nibble to each byte, then letters where it is above nine. */
static void put_hex(char *place, uint32_t number)
{
	uint64_t nibbles = number;
	uint64_t letters;

	nibbles = (nibbles & 0xffff0000ULL) << 16 | (nibbles & 0x0000ffffULL);
	nibbles = (nibbles & 0x0000ff000000ff00ULL) << 8 | (nibbles & 0x000000ff000000ffULL);
	nibbles = (nibbles & 0x00f000f000f000f0ULL) << 4 | (nibbles & 0x000f000f000f000fULL);
	letters = (nibbles + 0x0606060606060606ULL) >> 4 & 0x0101010101010101ULL;
	nibbles += 0x3030303030303030ULL + letters * ('a' - '0' - 10);
	nibbles = htobe64(nibbles);
	memcpy(place, &nibbles, sizeof(nibbles));
}

/*
 * For one boot no two processes share an id: each half is a bijection, the first of the start, the
 * second of the pid given the first.
 */
void event_known_fill(const struct event_writer *writer, struct event_known *known, uint32_t tgid,
		      uint64_t start_boot_ns)
{
	uint64_t first = mixed(writer->entity_seed[0] ^ start_boot_ns);
	uint64_t second = mixed(writer->entity_seed[1] ^ first ^ tgid);
	char digits[TEXT_DIGITS_MAX];

	known->tgid = tgid;
	known->start_boot_ns = start_boot_ns;
	known->has_start = false;
	known->pid_length = (uint8_t)(text_put_unsigned(digits, tgid) - digits);
	memcpy(known->pid, digits, sizeof(known->pid));
	put_hex(known->entity, (uint32_t)(first >> 32));
	put_hex(known->entity + 8, (uint32_t)first);
	put_hex(known->entity + 16, (uint32_t)(second >> 32));
	put_hex(known->entity + 24, (uint32_t)second);
}

const char *event_known_start(struct event_writer *writer, struct event_known *known)
{
	if (!known->has_start || known->boot_offset_ns != writer->boot_offset_ns)
		event_place_time(known->start, writer, &writer->seconds[1], known->start_boot_ns);
	known->has_start = true;
	known->boot_offset_ns = writer->boot_offset_ns;
	return known->start;
}

static void render_host(struct event_writer *writer)
{
	event_put(writer, ",\"host\":{");
	if (writer->host_name) {
		event_put(writer, "\"name\":");
		event_put_quoted(writer, AT_HOST_NAME, writer->host_name,
				 strlen(writer->host_name));
	} else {
		writer->unknown |= AT_BIT(HOST_NAME);
	}
	if (writer->has_boot_id) {
		event_put_string(writer,
				 writer->host_name ? ",\"boot\":{\"id\":" : "\"boot\":{\"id\":");
		event_put_quoted(writer, AT_BOOT_ID, writer->boot_id, strlen(writer->boot_id));
		event_put(writer, "}");
	} else {
		writer->unknown |= AT_BIT(BOOT_ID);
	}
	event_put(writer, "}");
}

/* `,"host":{"name":"web-3","boot":{"id":"..."}}`: the same in all lines that are not short. */
void event_put_host(struct event_writer *writer)
{
	size_t start = writer->out->length;
	bool is_same = writer->level < LEVEL_SHORT;

	if (is_same && writer->host.length) {
		event_put_text(writer, &writer->host);
		writer->unknown |= writer->host_unknown;
		writer->lossy |= writer->host_lossy;
		return;
	}
	render_host(writer);
	if (!is_same)
		return;
	text_put(&writer->host, writer->out->data + start, writer->out->length - start);
	writer->host_unknown = writer->unknown & (AT_BIT(HOST_NAME) | AT_BIT(BOOT_ID));
	writer->host_lossy = writer->lossy & (AT_BIT(HOST_NAME) | AT_BIT(BOOT_ID));
}
