/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/comparison.h"

#include <string.h>

#include "base/text.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/facts.h"

/* What is compared for equality is what the table shows of it: whole seconds. */
#define TIME_GRAIN_NS 1000000000LL

static enum filter_verdict verdict(bool is_true)
{
	return is_true ? FILTER_YES : FILTER_NO;
}

static enum filter_verdict verdict_not(enum filter_verdict one)
{
	if (one == FILTER_UNKNOWN)
		return FILTER_UNKNOWN;
	return one == FILTER_YES ? FILTER_NO : FILTER_YES;
}

/* order: below, at or above 0, as memcmp. */
static bool order_holds(enum comparison_op op, int order)
{
	switch (op) {
	case OP_EQUAL:
		return order == 0;
	case OP_NOT_EQUAL:
		return order != 0;
	case OP_LESS:
		return order < 0;
	case OP_LESS_EQUAL:
		return order <= 0;
	case OP_MORE:
		return order > 0;
	case OP_MORE_EQUAL:
		return order >= 0;
	case OP_MATCH:
	case OP_NO_MATCH:
		break;
	}
	return false;
}

static int order_of_text(const char *one, size_t one_length, const char *other, size_t other_length)
{
	size_t common = one_length < other_length ? one_length : other_length;
	int order = common ? memcmp(one, other, common) : 0;

	if (order)
		return order;
	return (one_length > other_length) - (one_length < other_length);
}

static bool is_equality(enum comparison_op op)
{
	return op == OP_EQUAL || op == OP_NOT_EQUAL;
}

static enum filter_verdict match_number(const struct comparison *comparison,
					const struct value *value)
{
	int64_t number = value->number;
	int64_t literal = comparison->literal.number;
	enum column_type type = comparison->column->type;

	if (is_equality(comparison->op) && (type == COLUMN_CPU_TIME || type == COLUMN_START)) {
		number -= number % TIME_GRAIN_NS;
		literal -= literal % TIME_GRAIN_NS;
	}
	return verdict(order_holds(comparison->op, (number > literal) - (number < literal)));
}

static enum filter_verdict match_real(const struct comparison *comparison,
				      const struct value *value)
{
	double literal = comparison->literal.real;

	return verdict(
		order_holds(comparison->op, (value->real > literal) - (value->real < literal)));
}

static enum filter_verdict match_bool(const struct comparison *comparison,
				      const struct value *value)
{
	return verdict(order_holds(comparison->op, value->is_true != comparison->literal.is_true));
}

static enum filter_verdict match_text(const struct comparison *comparison,
				      const struct value *value)
{
	const struct literal *literal = &comparison->literal;

	if (value->cut != CUT_NOT)
		return FILTER_UNKNOWN;
	return verdict(order_holds(comparison->op,
				   order_of_text(value->text.data, value->text.length,
						 literal->text.data, literal->text.length)));
}

/* regexec wants a NUL, which the getter's own text has room for and borrowed text has not. */
static const char *text_ended(const struct value *value, const struct view_context *view)
{
	struct text *scratch = view->scratch;

	if (value->text.data != scratch->data) {
		text_clear(scratch);
		text_add(scratch, value->text.data, value->text.length);
	}
	return text_string(scratch);
}

static enum filter_verdict match_regex(const struct comparison *comparison,
				       const struct value *value, const struct view_context *view)
{
	bool is_found = !regexec(&comparison->literal.regex, text_ended(value, view), 0, NULL, 0);

	if (!is_found && value->cut != CUT_NOT)
		return FILTER_UNKNOWN;
	return verdict(is_found == (comparison->op == OP_MATCH));
}

/* The word of CAPS says two things: which set, and whether it counts on the host. */
static enum filter_verdict equals_caps(const struct comparison *comparison,
				       const struct value *value)
{
	uint64_t mask = comparison->literal.caps.mask;
	bool is_in_userns = comparison->literal.caps.is_in_userns;

	if (value->caps.mask != mask)
		return FILTER_NO;
	if (!mask || comparison->column->type != COLUMN_CAPS)
		return FILTER_YES;
	if (value->caps.reach == REACH_UNKNOWN)
		return FILTER_UNKNOWN;
	return verdict(is_in_userns == (value->caps.reach == REACH_USERNS));
}

static enum filter_verdict match_caps(const struct comparison *comparison,
				      const struct value *value)
{
	uint64_t mask = comparison->literal.caps.mask;

	switch (comparison->op) {
	case OP_MATCH:
		return verdict((value->caps.mask & mask) == mask);
	case OP_NO_MATCH:
		return verdict((value->caps.mask & mask) != mask);
	case OP_EQUAL:
		return equals_caps(comparison, value);
	default:
		return verdict_not(equals_caps(comparison, value));
	}
}

static enum filter_verdict match_caps_shown(const struct comparison *comparison,
					    const struct value *value,
					    const struct view_context *view)
{
	const struct literal *literal = &comparison->literal;
	struct text *shown = view->scratch;
	enum filter_verdict result;

	if (value->caps.reach == REACH_UNKNOWN && value->caps.mask)
		return FILTER_UNKNOWN;
	text_clear(shown);
	caps_words(shown, value->caps.mask, view->facts->cap_last,
		   value->caps.reach != REACH_USERNS);
	result = verdict(!order_of_text(shown->data, shown->length, literal->text.data,
					literal->text.length));
	return comparison->op == OP_EQUAL ? result : verdict_not(result);
}

static bool value_has_word(const struct value *value, const char *word, size_t length)
{
	const char *each = NULL;
	size_t each_length;

	while (value_next_word(value, &each, &each_length)) {
		if (each_length == length && !memcmp(each, word, length))
			return true;
	}
	return false;
}

static bool value_has_words(const struct value *value, const struct value *wanted)
{
	const char *word = NULL;
	size_t length;

	while (value_next_word(wanted, &word, &length)) {
		if (!value_has_word(value, word, length))
			return false;
	}
	return true;
}

static enum filter_verdict match_words(const struct comparison *comparison,
				       const struct value *value)
{
	struct value wanted = {.kind = VALUE_WORDS};
	bool has_all;

	wanted.text.data = comparison->literal.text.data;
	wanted.text.length = comparison->literal.text.length;
	has_all = value_has_words(value, &wanted);
	if (is_equality(comparison->op))
		return verdict((has_all && value_has_words(&wanted, value)) ==
			       (comparison->op == OP_EQUAL));
	return verdict(has_all == (comparison->op == OP_MATCH));
}

static uint32_t id_at(const struct value *value, size_t i)
{
	return value->kind == VALUE_CHAIN ? value->chain.levels[i].pid : value->ids.items[i];
}

static bool value_has_id(const struct value *value, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++) {
		if (id_at(value, i) == id)
			return true;
	}
	return false;
}

static bool equals_ids(const struct comparison *comparison, const struct value *value, size_t count)
{
	if (count != comparison->literal.ids.count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (id_at(value, i) != comparison->literal.ids.items[i])
			return false;
	}
	return true;
}

static enum filter_verdict match_ids(const struct comparison *comparison, const struct value *value)
{
	size_t count = value->kind == VALUE_CHAIN ? value->chain.count : value->ids.count;
	bool is_true = true;

	if (is_equality(comparison->op)) {
		if (value->cut != CUT_NOT)
			return FILTER_UNKNOWN;
		return verdict(equals_ids(comparison, value, count) ==
			       (comparison->op == OP_EQUAL));
	}
	for (size_t i = 0; is_true && i < comparison->literal.ids.count; i++)
		is_true = value_has_id(value, count, comparison->literal.ids.items[i]);
	if (!is_true && value->cut != CUT_NOT)
		return FILTER_UNKNOWN;
	return verdict(is_true == (comparison->op == OP_MATCH));
}

/* What does not apply equals nothing but `-`. */
static enum filter_verdict match_none(const struct comparison *comparison,
				      const struct value *value)
{
	bool is_none = value->kind == VALUE_NONE;

	if (comparison->literal.kind != LITERAL_NONE)
		return verdict(comparison->op == OP_NOT_EQUAL || comparison->op == OP_NO_MATCH);
	return verdict(is_none == (comparison->op == OP_EQUAL));
}

enum filter_verdict comparison_match(const struct comparison *comparison,
				     const struct view_context *view, const struct proc *proc)
{
	struct value value;

	column_get(comparison->column, view, proc, &value);
	if (value.kind == VALUE_UNKNOWN)
		return FILTER_UNKNOWN;
	if (value.kind == VALUE_NONE)
		return match_none(comparison, &value);
	switch (comparison->literal.kind) {
	case LITERAL_NONE:
		return match_none(comparison, &value);
	case LITERAL_NUMBER:
		return match_number(comparison, &value);
	case LITERAL_REAL:
		return match_real(comparison, &value);
	case LITERAL_BOOL:
		return match_bool(comparison, &value);
	case LITERAL_TEXT:
		return match_text(comparison, &value);
	case LITERAL_REGEX:
		return match_regex(comparison, &value, view);
	case LITERAL_CAPS:
		return match_caps(comparison, &value);
	case LITERAL_CAPS_SHOWN:
		return match_caps_shown(comparison, &value, view);
	case LITERAL_WORDS:
		return match_words(comparison, &value);
	case LITERAL_IDS:
		return match_ids(comparison, &value);
	}
	return FILTER_UNKNOWN;
}
