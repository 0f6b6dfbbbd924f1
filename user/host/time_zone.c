/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/time_zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/rootfile.h"

#define FILE_BYTES_MAX (256u << 10) /* Debian's largest has 4 KiB */
#define RULE_LENGTH_MAX 128
#define HEADER_BYTES 44
#define TYPE_BYTES 6
#define DAY_SECONDS 86400

/* When one of the two switches of a year is: tzset(3). */
struct rule_day {
	enum {
		DAY_OF_WEEK, /* Mm.w.d */
		DAY_NO_LEAP, /* Jn: February 29 is never counted */
		DAY_OF_YEAR, /* n */
	} kind;
	int month;
	int week;
	int day;
	int32_t seconds; /* from local midnight */
};

/* What holds behind the last transition: the file's last line. */
struct rule {
	bool is_there;
	bool has_summer;
	int32_t standard; /* seconds east */
	int32_t summer;
	struct rule_day start;
	struct rule_day end;
};

struct time_zone {
	size_t count;
	int64_t *times;   /* of transitions, ascending */
	int32_t *offsets; /* from then on */
	int32_t first;    /* before all of them */
	struct rule rule;
};

/* A TZif block: where its parts are. */
struct block {
	const unsigned char *times;
	const unsigned char *indices;
	const unsigned char *types;
	const unsigned char *end;
	uint32_t times_count;
	uint32_t types_count;
	size_t time_bytes;
};

void time_zone_free(struct time_zone *zone)
{
	if (!zone)
		return;
	free(zone->times);
	free(zone->offsets);
	free(zone);
}

static int64_t read_big(const unsigned char *data, size_t bytes)
{
	uint64_t value = data[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | data[i];
	return (int64_t)value;
}

static int block_find(const unsigned char *data, size_t length, size_t time_bytes,
		      struct block *block)
{
	enum {
		IS_UT,
		IS_STANDARD,
		LEAPS,
		TIMES,
		TYPES,
		LETTERS,
		COUNTS
	};
	uint64_t counts[COUNTS];
	uint64_t bytes;

	if (length < HEADER_BYTES || memcmp(data, "TZif", 4) != 0)
		return -EINVAL;
	for (int i = 0; i < COUNTS; i++)
		counts[i] = (uint32_t)read_big(data + 20 + 4 * i, 4);
	/* Six 32-bit counts of a few bytes each: no sum of them leaves 64 bits. */
	bytes = HEADER_BYTES + counts[TIMES] * (time_bytes + 1) + counts[TYPES] * TYPE_BYTES +
		counts[LETTERS] + counts[LEAPS] * (time_bytes + 4) + counts[IS_STANDARD] +
		counts[IS_UT];
	if (bytes > length || !counts[TYPES])
		return -EINVAL;
	block->time_bytes = time_bytes;
	block->times_count = (uint32_t)counts[TIMES];
	block->types_count = (uint32_t)counts[TYPES];
	block->times = data + HEADER_BYTES;
	block->indices = block->times + counts[TIMES] * time_bytes;
	block->types = block->indices + counts[TIMES];
	block->end = data + bytes;
	return 0;
}

static int type_offset(const struct block *block, uint32_t type, int32_t *offset)
{
	if (type >= block->types_count)
		return -EINVAL;
	*offset = (int32_t)read_big(block->types + (size_t)type * TYPE_BYTES, 4);
	return 0;
}

/* Before the first transition: the first type that is no summer time, as glibc has it. */
static int first_offset(const struct block *block, int32_t *offset)
{
	for (uint32_t type = 0; type < block->types_count; type++) {
		if (!block->types[(size_t)type * TYPE_BYTES + 4])
			return type_offset(block, type, offset);
	}
	return type_offset(block, 0, offset);
}

static int zone_fill(struct time_zone *zone, const struct block *block)
{
	int r = first_offset(block, &zone->first);

	zone->count = block->times_count;
	if (!zone->count)
		return r;
	zone->times = mem_resize(NULL, zone->count, sizeof(*zone->times));
	zone->offsets = mem_resize(NULL, zone->count, sizeof(*zone->offsets));
	for (size_t i = 0; i < zone->count && !r; i++) {
		zone->times[i] = read_big(block->times + i * block->time_bytes, block->time_bytes);
		r = type_offset(block, block->indices[i], &zone->offsets[i]);
		if (i && zone->times[i] <= zone->times[i - 1])
			r = -EINVAL;
	}
	return r;
}

/* A decimal number up to max, and *at behind it. */
static bool rule_number(const char **at, int max, int *number)
{
	const char *begin = *at;

	for (*number = 0; **at >= '0' && **at <= '9'; (*at)++) {
		*number = *number * 10 + (**at - '0');
		if (*number > max)
			return false;
	}
	return *at != begin;
}

/* [+-]hh[:mm[:ss]] */
static bool rule_time(const char **at, int32_t *seconds)
{
	int sign = 1;
	int parts[3] = {0};

	if (**at == '+' || **at == '-')
		sign = *(*at)++ == '-' ? -1 : 1;
	if (!rule_number(at, 167, &parts[0]))
		return false;
	for (int i = 1; i < 3 && **at == ':'; i++) {
		(*at)++;
		if (!rule_number(at, 59, &parts[i]))
			return false;
	}
	*seconds = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
	return true;
}

/* CEST or <+03> */
static bool rule_name(const char **at)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *begin = *at;

	if (*begin == '<') {
		*at = strchr(begin, '>');
		return *at && *(*at)++ == '>';
	}
	*at += strspn(begin, letters);
	return *at - begin >= 3;
}

static bool rule_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

static bool rule_date(const char **at, struct rule_day *day)
{
	day->seconds = 2 * 3600;
	if (!rule_char(at, ','))
		return false;
	if (rule_char(at, 'M')) {
		day->kind = DAY_OF_WEEK;
		if (!rule_number(at, 12, &day->month) || !rule_char(at, '.') ||
		    !rule_number(at, 5, &day->week) || !rule_char(at, '.') ||
		    !rule_number(at, 6, &day->day) || !day->month || !day->week)
			return false;
	} else {
		day->kind = rule_char(at, 'J') ? DAY_NO_LEAP : DAY_OF_YEAR;
		if (!rule_number(at, 365, &day->day) || (day->kind == DAY_NO_LEAP && !day->day))
			return false;
	}
	return !rule_char(at, '/') || rule_time(at, &day->seconds);
}

/* tzset(3)'s TZ without a colon; offsets there count to the west. */
static bool rule_parse(const char *at, struct rule *rule)
{
	if (!rule_name(&at) || !rule_time(&at, &rule->standard))
		return false;
	rule->standard = -rule->standard;
	if (!*at)
		return true;
	rule->has_summer = true;
	rule->summer = rule->standard + 3600;
	if (!rule_name(&at))
		return false;
	if (*at && *at != ',') {
		if (!rule_time(&at, &rule->summer))
			return false;
		rule->summer = -rule->summer;
	}
	if (!*at)
		at = ",M3.2.0,M11.1.0"; /* glibc's default */
	return rule_date(&at, &rule->start) && rule_date(&at, &rule->end) && !*at;
}

/* The last line of a file, between two newlines. */
static void zone_fill_rule(struct time_zone *zone, const char *data, size_t length)
{
	char line[RULE_LENGTH_MAX];
	const char *newline;
	struct rule rule = {.is_there = true};

	if (!length || *data != '\n')
		return;
	newline = memchr(data + 1, '\n', length - 1);
	if (!newline || newline - data > RULE_LENGTH_MAX)
		return;
	memcpy(line, data + 1, (size_t)(newline - data - 1));
	line[newline - data - 1] = '\0';
	if (rule_parse(line, &rule))
		zone->rule = rule;
}

int time_zone_parse(const char *data, size_t length, struct time_zone **zone)
{
	const unsigned char *bytes = (const unsigned char *)data;
	const unsigned char *end = bytes + length;
	struct block block;
	struct time_zone *made;
	int r = block_find(bytes, length, 4, &block);
	bool is_long = !r && bytes[4] >= '2';

	if (is_long)
		r = block_find(block.end, (size_t)(end - block.end), 8, &block);
	if (r)
		return r;
	made = mem_new(sizeof(*made));
	r = zone_fill(made, &block);
	if (r) {
		time_zone_free(made);
		return r;
	}
	if (is_long)
		zone_fill_rule(made, (const char *)block.end, (size_t)(end - block.end));
	*zone = made;
	return 0;
}

int time_zone_read_data(int proc_fd, uint32_t pid, uint32_t mnt_ns, struct text *tzif)
{
	struct rootfile *reader = rootfile_new();
	struct text content = {0};
	struct time_zone *zone = NULL;
	int r = rootfile_read_of(reader, proc_fd, pid, mnt_ns, "etc/localtime", FILE_BYTES_MAX,
				 &content);

	if (!r && !time_zone_parse(content.data, content.length, &zone))
		text_add(tzif, content.data, content.length);
	time_zone_free(zone);
	/* What the C library inside could not use either. */
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EINVAL || r == -EFBIG)
		r = 0;
	text_free(&content);
	rootfile_free(reader);
	return r;
}

int time_zone_read(int proc_fd, uint32_t pid, uint32_t mnt_ns, struct time_zone **zone)
{
	struct text tzif = {0};
	int r = time_zone_read_data(proc_fd, pid, mnt_ns, &tzif);

	if (!r) {
		*zone = NULL;
		time_zone_parse(tzif.data, tzif.length, zone);
	}
	text_free(&tzif);
	return r;
}

/* A file of time zones below the system's; false: there is none, or it is none. */
static bool own_file_add(const char *path, struct text *tzif)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	autofree char *data = mem_new(FILE_BYTES_MAX);
	struct time_zone *zone = NULL;
	struct stat status;
	ssize_t length = -1;

	if (fd >= 0 && !fstat(fd, &status) && S_ISREG(status.st_mode) &&
	    status.st_size <= (off_t)FILE_BYTES_MAX)
		length = read(fd, data, FILE_BYTES_MAX);
	if (length <= 0 || time_zone_parse(data, (size_t)length, &zone))
		return false;
	time_zone_free(zone);
	text_add(tzif, data, (size_t)length);
	return true;
}

/* A zone without a transition, whose rule holds for all times. */
static void own_rule_add(const char *rule, struct text *tzif)
{
	/* tzfile(5): one type, UTC, whose name is one NUL; the same again with 64 bits. */
	static const char block[HEADER_BYTES + TYPE_BYTES + 1] = {
		'T', 'Z', 'i', 'f', '2', [20 + 4 * 4 + 3] = 1, [20 + 5 * 4 + 3] = 1};

	text_add(tzif, block, sizeof(block));
	text_add(tzif, block, sizeof(block));
	text_add_char(tzif, '\n');
	text_add_string(tzif, rule);
	text_add_char(tzif, '\n');
}

void time_zone_own(struct text *tzif)
{
	const char *name = getenv("TZ");
	struct rule rule = {0};
	autofree char *path = NULL;

	if (!name) {
		if (!own_file_add("/etc/localtime", tzif))
			own_rule_add("UTC0", tzif);
		return;
	}
	if (*name == ':')
		name++;
	path = *name == '/' ? mem_copy(name) : mem_printf("/usr/share/zoneinfo/%s", name);
	if (*name && own_file_add(path, tzif))
		return;
	own_rule_add(strlen(name) < RULE_LENGTH_MAX && rule_parse(name, &rule) ? name : "UTC0",
		     tzif);
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to January 1 of the year. */
static int64_t year_days(int64_t year)
{
	int64_t before = year - 1;

	return 365 * (year - 1970) + (before / 4 - 1969 / 4) - (before / 100 - 1969 / 100) +
	       (before / 400 - 1969 / 400);
}

static int64_t rule_month_day(const struct rule_day *day, int64_t year)
{
	static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int length = lengths[day->month - 1] + (day->month == 2 && is_leap(year));
	int64_t first = year_days(year);
	int64_t weekday;
	int date;

	for (int month = 0; month < day->month - 1; month++)
		first += lengths[month] + (month == 1 && is_leap(year));
	weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	date = (int)((day->day - weekday + 7) % 7) + 7 * (day->week - 1);
	while (date >= length)
		date -= 7;
	return first + date;
}

/* Seconds since the epoch, as if local time were UTC. */
static int64_t rule_switch(const struct rule_day *day, int64_t year)
{
	int64_t days = year_days(year);

	if (day->kind == DAY_OF_WEEK)
		days = rule_month_day(day, year);
	else if (day->kind == DAY_NO_LEAP)
		days += day->day - 1 + (is_leap(year) && day->day >= 60);
	else
		days += day->day;
	return days * DAY_SECONDS + day->seconds;
}

static int32_t rule_offset(const struct rule *rule, int64_t epoch)
{
	time_t local = (time_t)(epoch + rule->standard);
	struct tm standard;
	int64_t start;
	int64_t end;
	bool is_summer;

	if (!rule->has_summer || !gmtime_r(&local, &standard))
		return rule->standard;
	start = rule_switch(&rule->start, standard.tm_year + 1900LL) - rule->standard;
	end = rule_switch(&rule->end, standard.tm_year + 1900LL) - rule->summer;
	is_summer = start < end ? epoch >= start && epoch < end : epoch >= start || epoch < end;
	return is_summer ? rule->summer : rule->standard;
}

int32_t time_zone_offset(const struct time_zone *zone, int64_t epoch)
{
	size_t low = 0;
	size_t high;

	if (!zone)
		return 0;
	high = zone->count;
	if (zone->rule.is_there && (!high || epoch >= zone->times[high - 1]))
		return rule_offset(&zone->rule, epoch);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->times[middle] <= epoch)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? zone->offsets[low - 1] : zone->first;
}

int time_zone_local(const struct time_zone *zone, int64_t epoch, struct tm *local)
{
	time_t shifted = (time_t)(epoch + time_zone_offset(zone, epoch));

	return gmtime_r(&shifted, local) ? 0 : -EOVERFLOW;
}

int64_t time_zone_epoch(const struct time_zone *zone, const struct tm *local)
{
	struct tm date = *local;
	int64_t shown = timegm(&date);
	int64_t standard = shown - time_zone_offset(zone, shown);
	int64_t epoch = shown - time_zone_offset(zone, standard);

	/* Where neither is shown so, they are one and the other side of what is left out. */
	return epoch + time_zone_offset(zone, epoch) == shown || epoch > standard ? epoch
										  : standard;
}
