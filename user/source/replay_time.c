/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/replay_time.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/text.h"
#include "host/time_zone.h"

#define NS_PER_S 1000000000LL
#define OFFSET_SECONDS_MAX 1000000000 /* 31 years */

/* False: beyond what nanoseconds since the epoch can be (the year 2262). */
static bool to_ns(int64_t epoch, int64_t ns, int64_t *at_ns)
{
	return !__builtin_mul_overflow(epoch, NS_PER_S, &epoch) &&
	       !__builtin_add_overflow(epoch, ns, at_ns);
}

/* Exactly `digits` decimal digits. */
static bool take_digits(const char **at, int digits, int *number)
{
	for (*number = 0; digits; digits--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*number = *number * 10 + (**at - '0');
	}
	return true;
}

static bool take_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

/* ".123", at most nine digits, or nothing. */
static bool take_fraction(const char **at, int64_t *ns)
{
	int64_t unit = NS_PER_S / 10;

	*ns = 0;
	if (!take_char(at, '.'))
		return true;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9' && unit; (*at)++, unit /= 10)
		*ns += unit * (**at - '0');
	return **at < '0' || **at > '9';
}

/* HH:MM[:SS[.fraction]] */
static bool take_clock(const char **at, struct tm *time, int64_t *ns)
{
	*ns = 0;
	if (!take_digits(at, 2, &time->tm_hour) || !take_char(at, ':') ||
	    !take_digits(at, 2, &time->tm_min))
		return false;
	if (take_char(at, ':') && (!take_digits(at, 2, &time->tm_sec) || !take_fraction(at, ns)))
		return false;
	return time->tm_hour < 24 && time->tm_min < 60 && time->tm_sec <= 60;
}

static bool take_date(const char **at, struct tm *time)
{
	if (!take_digits(at, 4, &time->tm_year) || !take_char(at, '-') ||
	    !take_digits(at, 2, &time->tm_mon) || !take_char(at, '-') ||
	    !take_digits(at, 2, &time->tm_mday))
		return false;
	time->tm_year -= 1900;
	time->tm_mon--;
	return time->tm_mon >= 0 && time->tm_mon < 12 && time->tm_mday >= 1 &&
	       time->tm_mday <= 31 &&
	       (take_char(at, 'T') || take_char(at, 't') || take_char(at, ' '));
}

/* Z or +HH:MM; nothing: the zone's. */
static bool take_zone(const char **at, const struct time_zone *zone, struct tm *time,
		      int64_t *epoch)
{
	struct tm offset = {0};
	int64_t ns;
	int sign = **at == '-' ? -1 : 1;

	if (!**at) {
		*epoch = time_zone_epoch(zone, time);
		return true;
	}
	*epoch = timegm(time);
	if (take_char(at, 'Z') || take_char(at, 'z'))
		return true;
	if (!take_char(at, '+') && !take_char(at, '-'))
		return false;
	if (!take_clock(at, &offset, &ns))
		return false;
	*epoch -= sign * (offset.tm_hour * 3600 + offset.tm_min * 60);
	return true;
}

static bool read_date(const char *at, const struct time_zone *zone, int64_t *at_ns)
{
	struct tm time = {.tm_isdst = -1};
	int64_t epoch;
	int64_t ns;

	if (!take_date(&at, &time) || !take_clock(&at, &time, &ns) ||
	    !take_zone(&at, zone, &time, &epoch) || *at)
		return false;
	return to_ns(epoch, ns, at_ns);
}

/* Of the day on which the recording starts, or the next where it is over by then. */
static bool read_clock(const char *at, int64_t start_ns, const struct time_zone *zone,
		       int64_t *at_ns)
{
	struct tm time;
	int64_t epoch;
	int64_t ns;

	if (time_zone_local(zone, start_ns / NS_PER_S, &time))
		return false;
	time.tm_sec = 0;
	if (!take_clock(&at, &time, &ns) || *at)
		return false;
	epoch = time_zone_epoch(zone, &time);
	if (epoch < start_ns / NS_PER_S) {
		time.tm_mday++;
		epoch = time_zone_epoch(zone, &time);
	}
	return to_ns(epoch, ns, at_ns);
}

static bool read_seconds(const char *at, int64_t start_ns, int64_t *at_ns)
{
	int64_t seconds = 0;
	int64_t after;
	int64_t ns;

	if (!take_char(&at, '+') || *at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		seconds = seconds * 10 + (*at - '0');
		if (seconds > OFFSET_SECONDS_MAX)
			return false;
	}
	if (!take_fraction(&at, &ns) || *at)
		return false;
	return to_ns(seconds, ns, &after) && !__builtin_add_overflow(start_ns, after, at_ns);
}

int replay_time_parse(const char *word, int64_t start_ns, const struct time_zone *zone,
		      int64_t *at_ns)
{
	if (read_seconds(word, start_ns, at_ns) || read_clock(word, start_ns, zone, at_ns) ||
	    read_date(word, zone, at_ns))
		return 0;
	return -EINVAL;
}

void replay_time_add(struct text *out, int64_t at_ns)
{
	int64_t ns = (at_ns % NS_PER_S + NS_PER_S) % NS_PER_S;
	time_t seconds = (time_t)(at_ns / NS_PER_S - (at_ns < 0 && ns));
	struct tm time;
	char shown[32];

	if (!gmtime_r(&seconds, &time)) {
		text_add_char(out, '?');
		return;
	}
	text_add(out, shown, strftime(shown, sizeof(shown), "%Y-%m-%dT%H:%M:%S.", &time));
	text_add_padded(out, (uint64_t)ns / 1000000, 3);
	text_add_char(out, 'Z');
}
