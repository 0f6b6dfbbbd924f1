/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/facts.h"

struct source {
	const struct source_ops *ops;
	void *state;
};

/* Best first: what source_open tries when nobody says which. */
static const struct source_ops *const sources[] = {&bpf_source, &proc_source};

const struct source_ops *source_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (!strcmp(sources[i]->name, name))
			return sources[i];
	}
	return NULL;
}

int source_open(const struct source_ops *ops, const struct source_options *options,
		struct source **source, struct text *why)
{
	const struct source_ops *tried = ops ? ops : sources[0];
	void *state = NULL;
	int r = tried->open(options, &state, why);

	for (size_t i = 1; r && !ops && i < ARRAY_SIZE(sources); i++) {
		tried = sources[i];
		r = tried->open(options, &state, why);
	}
	if (r)
		return r;
	*source = mem_new(sizeof(**source));
	(*source)->ops = tried;
	(*source)->state = state;
	return 0;
}

int source_snapshot(struct source *source, record_sink sink, void *context)
{
	return source->ops->snapshot(source->state, sink, context);
}

int source_listen(struct source *source, const struct listen_options *options, struct text *why)
{
	if (!source->ops->listen) {
		text_printf(why, "the %s source has no events", source->ops->name);
		return -EOPNOTSUPP;
	}
	return source->ops->listen(source->state, options, why);
}

int source_poll(struct source *source, int timeout_ms, record_sink sink, void *context)
{
	return source->ops->poll(source->state, timeout_ms, sink, context);
}

int source_usage(struct source *source, record_sink sink, void *context)
{
	return source->ops->usage ? source->ops->usage(source->state, sink, context) : -EOPNOTSUPP;
}

int source_heed(struct source *source, int fd)
{
	return source->ops->heed ? source->ops->heed(source->state, fd) : 0;
}

int source_play(struct source *source, uint64_t until_boot_ns, struct source_span *span)
{
	return source->ops->play ? source->ops->play(source->state, until_boot_ns, span)
				 : -EOPNOTSUPP;
}

void source_report(struct source *source, struct hook_report *hooks)
{
	source->ops->report(source->state, hooks);
}

void source_facts(struct source *source, struct facts *facts)
{
	if (source->ops->facts)
		source->ops->facts(source->state, facts);
	else
		facts_read_clock(facts);
}

const struct source_ops *source_kind(const struct source *source)
{
	return source->ops;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	source->ops->close(source->state);
	free(source);
}
