/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "view/comparison.h"

#define COMPARISONS_MAX 256 /* with DEPTH_MAX it bounds the recursion of parsing and matching */
#define DEPTH_MAX 64
#define COLUMN_NAME_MAX 64

enum node_kind {
	NODE_COMPARISON,
	NODE_NOT,
	NODE_AND,
	NODE_OR,
};

struct filter_node {
	enum node_kind kind;
	uint32_t left; /* index of a node, or of the comparison */
	uint32_t right;
};

struct filter {
	struct filter_node *nodes;
	size_t nodes_count;
	size_t nodes_capacity;
	struct comparison *comparisons;
	size_t comparisons_count;
	size_t comparisons_capacity;
	uint32_t root;
};

struct parser {
	struct filter *filter;
	const struct view_context *view;
	struct text *complaint;
	const char *start;
	const char *at;
	int depth;
};

static const struct {
	const char *sign;
	enum comparison_op op;
} operators[] = {
	/* longer ones first */
	{"==", OP_EQUAL},      {"!=", OP_NOT_EQUAL}, {"<=", OP_LESS_EQUAL},
	{">=", OP_MORE_EQUAL}, {"!~", OP_NO_MATCH},  {"=", OP_EQUAL},
	{"<", OP_LESS},        {">", OP_MORE},       {"~", OP_MATCH},
};

static int parse_or(struct parser *parser, uint32_t *node);

/* `why` has been put together; the place is shown below the expression. */
static int parse_fails(struct parser *parser, const char *place, const char *why)
{
	struct text *complaint = parser->complaint;
	size_t line;
	size_t width;

	text_printf(complaint, "cannot read the filter: %s\n  ", why);
	line = complaint->length;
	text_add_printable(complaint, parser->start, (size_t)(place - parser->start));
	width = text_width(complaint->data + line, complaint->length - line);
	text_add_printable(complaint, place, strlen(place));
	text_add_string(complaint, "\n  ");
	text_add_spaces(complaint, width);
	text_add_char(complaint, '^');
	return -EINVAL;
}

static uint32_t node_add(struct filter *filter, enum node_kind kind, uint32_t left, uint32_t right)
{
	mem_reserve_one(filter->nodes, filter->nodes_count, filter->nodes_capacity);
	filter->nodes[filter->nodes_count] = (struct filter_node){kind, left, right};
	return (uint32_t)filter->nodes_count++;
}

static bool is_space(char character)
{
	return character == ' ' || character == '\t' || character == '\n';
}

static void skip_space(struct parser *parser)
{
	while (is_space(*parser->at))
		parser->at++;
}

static bool is_name(char character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	       (character >= '0' && character <= '9') || (character && strchr("-_.%", character));
}

/* Moves past `word` when it stands here, as a word of its own. */
static bool take_word(struct parser *parser, const char *word)
{
	size_t length = strlen(word);

	skip_space(parser);
	if (strncasecmp(parser->at, word, length) || is_name(parser->at[length]))
		return false;
	parser->at += length;
	return true;
}

static bool take_operator(struct parser *parser, enum comparison_op *op)
{
	skip_space(parser);
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		size_t length = strlen(operators[i].sign);

		if (strncmp(parser->at, operators[i].sign, length))
			continue;
		parser->at += length;
		*op = operators[i].op;
		return true;
	}
	return false;
}

static int parse_column(struct parser *parser, const struct column **column)
{
	const char *place = parser->at;
	const char *nearest = NULL;
	char name[COLUMN_NAME_MAX];
	char why[2 * COLUMN_NAME_MAX + 64];
	size_t length = 0;

	while (is_name(place[length]))
		length++;
	if (!length)
		return parse_fails(parser, place,
				   *place ? "a column is expected here"
					  : "it ends where a column is expected");
	if (length >= sizeof(name))
		return parse_fails(parser, place, "no column has so long a name");
	memcpy(name, place, length);
	name[length] = '\0';
	*column = column_find(name, &nearest);
	if (!*column) {
		if (nearest)
			snprintf(why, sizeof(why), "no column is called %s, did you mean %s?", name,
				 nearest);
		else
			snprintf(why, sizeof(why),
				 "no column is called %s: `nsview ps --columns` lists them", name);
		return parse_fails(parser, place, why);
	}
	parser->at += length;
	return 0;
}

/* Between quotes a backslash takes the quote, or itself, for what it is; others stay for ~. */
static int parse_quoted(struct parser *parser, struct text *value)
{
	const char *place = parser->at;
	char quote = *parser->at++;

	while (*parser->at && *parser->at != quote) {
		if (parser->at[0] == '\\' && (parser->at[1] == quote || parser->at[1] == '\\'))
			parser->at++;
		text_add_char(value, *parser->at++);
	}
	if (!*parser->at)
		return parse_fails(parser, place, "this quote is not closed");
	parser->at++;
	return 0;
}

/* Up to a blank, or to a `)` that the value itself has not opened. */
static int parse_bare(struct parser *parser, struct text *value)
{
	const char *place = parser->at;
	int depth = 0;

	for (; *parser->at && !is_space(*parser->at); parser->at++) {
		if (*parser->at == '(')
			depth++;
		if (*parser->at == ')' && --depth < 0)
			break;
	}
	if (parser->at == place)
		return parse_fails(parser, place, "a value is expected here");
	text_add(value, place, (size_t)(parser->at - place));
	return 0;
}

static int parse_value(struct parser *parser, struct comparison *comparison)
{
	struct text value = {0};
	struct text why = {0};
	const char *place;
	size_t bad_offset;
	bool is_quoted;
	int r;

	skip_space(parser);
	place = parser->at;
	is_quoted = *place == '"' || *place == '\'';
	r = is_quoted ? parse_quoted(parser, &value) : parse_bare(parser, &value);
	if (!r) {
		const struct comparison_text text = {text_string(&value), is_quoted};

		r = comparison_read(comparison, &text, parser->view, &why, &bad_offset);
		if (r)
			parse_fails(parser, place + is_quoted + bad_offset, text_string(&why));
	}
	text_free(&value);
	text_free(&why);
	return r;
}

static int parse_comparison(struct parser *parser, uint32_t *node)
{
	struct filter *filter = parser->filter;
	struct comparison *comparison;
	const char *place;

	skip_space(parser);
	place = parser->at;
	if (filter->comparisons_count >= COMPARISONS_MAX)
		return parse_fails(parser, place, "it has more than 256 comparisons");
	mem_reserve_one(filter->comparisons, filter->comparisons_count,
			filter->comparisons_capacity);
	comparison = &filter->comparisons[filter->comparisons_count];
	*comparison = (struct comparison){0};
	if (parse_column(parser, &comparison->column))
		return -EINVAL;
	filter->comparisons_count++;
	*node = node_add(filter, NODE_COMPARISON, (uint32_t)filter->comparisons_count - 1, 0);
	if (take_operator(parser, &comparison->op))
		return parse_value(parser, comparison);
	if (comparison->column->type != COLUMN_BOOL)
		return parse_fails(parser, parser->at,
				   "an operator is expected here: = != < <= > >= ~ or !~");
	comparison->op = OP_EQUAL;
	comparison->literal = (struct literal){.kind = LITERAL_BOOL, .is_true = true};
	return 0;
}

static int parse_parenthesis(struct parser *parser, uint32_t *node)
{
	const char *place = parser->at++;
	int r;

	if (++parser->depth > DEPTH_MAX)
		return parse_fails(parser, place, "it is nested more than 64 deep");
	r = parse_or(parser, node);
	if (r)
		return r;
	parser->depth--;
	skip_space(parser);
	if (*parser->at != ')')
		return parse_fails(parser, *parser->at ? parser->at : place,
				   *parser->at ? "`and`, `or` or `)` is expected here"
					       : "this ( is not closed");
	parser->at++;
	return 0;
}

/* Twice not is nothing, with three truth values too: so their number needs no bound. */
static int parse_not(struct parser *parser, uint32_t *node)
{
	bool is_negated = false;
	int r;

	while (take_word(parser, "not"))
		is_negated = !is_negated;
	skip_space(parser);
	r = *parser->at == '(' ? parse_parenthesis(parser, node) : parse_comparison(parser, node);
	if (!r && is_negated)
		*node = node_add(parser->filter, NODE_NOT, *node, 0);
	return r;
}

static int parse_and(struct parser *parser, uint32_t *node)
{
	int r = parse_not(parser, node);

	while (!r && take_word(parser, "and")) {
		uint32_t right;

		r = parse_not(parser, &right);
		if (!r)
			*node = node_add(parser->filter, NODE_AND, *node, right);
	}
	return r;
}

static int parse_or(struct parser *parser, uint32_t *node)
{
	int r = parse_and(parser, node);

	while (!r && take_word(parser, "or")) {
		uint32_t right;

		r = parse_and(parser, &right);
		if (!r)
			*node = node_add(parser->filter, NODE_OR, *node, right);
	}
	return r;
}

static int parse_all(struct parser *parser)
{
	int r = parse_or(parser, &parser->filter->root);

	if (r)
		return r;
	skip_space(parser);
	if (*parser->at == ')')
		return parse_fails(parser, parser->at, "this ) closes nothing");
	if (*parser->at)
		return parse_fails(parser, parser->at,
				   "`and` or `or` is expected here; a value with blanks is quoted");
	return 0;
}

int filter_parse(const char *expression, const struct view_context *view, struct filter **filter,
		 struct text *complaint)
{
	struct parser parser = {
		.filter = mem_new(sizeof(struct filter)),
		.view = view,
		.complaint = complaint,
		.start = expression,
		.at = expression,
	};
	int r = parse_all(&parser);

	if (r) {
		filter_free(parser.filter);
		return r;
	}
	*filter = parser.filter;
	return 0;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < filter->comparisons_count; i++)
		comparison_free(&filter->comparisons[i]);
	free(filter->comparisons);
	free(filter->nodes);
	free(filter);
}

struct matching {
	const struct filter *filter;
	const struct view_context *view;
	const struct proc *proc;
};

static enum filter_verdict node_match(const struct matching *matching, uint32_t index)
{
	const struct filter_node *node = &matching->filter->nodes[index];
	enum filter_verdict decisive = node->kind == NODE_AND ? FILTER_NO : FILTER_YES;
	enum filter_verdict left;
	enum filter_verdict right;

	if (node->kind == NODE_COMPARISON)
		return comparison_match(&matching->filter->comparisons[node->left], matching->view,
					matching->proc);
	left = node_match(matching, node->left);
	if (node->kind == NODE_NOT)
		return left == FILTER_UNKNOWN ? left : left == FILTER_YES ? FILTER_NO : FILTER_YES;
	if (left == decisive)
		return left;
	right = node_match(matching, node->right);
	if (right == decisive || left != FILTER_UNKNOWN)
		return right;
	return FILTER_UNKNOWN;
}

enum filter_verdict filter_match(const struct filter *filter, const struct view_context *view,
				 const struct proc *proc)
{
	const struct matching matching = {filter, view, proc};

	return node_match(&matching, filter->root);
}
