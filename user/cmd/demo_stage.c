/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/demo_stage.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "host/caps.h"
#include "launch/launch.h"
#include "launch/privilege.h"
#include "launch/spec.h"
#include "model/model.h"

static void stage_keep_sentence(void *context, const char *sentence)
{
	struct text *sentences = context;

	if (sentences->length)
		text_add_string(sentences, "; ");
	text_add_string(sentences, sentence);
}

/* Whether nsview has what the container is to get. */
static bool stage_can_give(const struct spec *spec, struct text *why)
{
	int cap_last = privilege_cap_last();
	uint64_t set = 0;

	/* The first process of a user namespace has all there are in it. */
	if (spec->is_privileged || spec->userns || spec_capabilities(spec, cap_last, &set))
		return true;
	set &= ~privilege_grantable(cap_last);
	if (!set)
		return true;
	text_add_string(why, "This host does not allow it: nsview itself was not given");
	for (int i = 0; i <= cap_last; i++) {
		if (set >> i & 1)
			text_printf(why, " %s", caps_name(i));
	}
	text_add_string(why, " here, and nobody can pass on what he lacks.");
	return false;
}

/* The launcher's errors that are about the machine, not about nsview. A user namespace may be kept
 * from nsview in many ways. */
static bool stage_is_forbidden(const struct spec *spec, int error)
{
	return error == -EPERM || error == -EACCES || error == -ENOSPC ||
	       (spec->userns && error != -EEXIST);
}

enum stage_end stage_launch(const struct spec *spec, struct launch **launch, struct text *why)
{
	struct text sentences = {0};
	enum stage_end end = STAGE_SHOWN;
	int exit_code, r;

	if (!stage_can_give(spec, why))
		return STAGE_FORBIDDEN;
	log_set_sink(stage_keep_sentence, &sentences);
	r = launch_start(spec, launch, &exit_code);
	log_set_sink(NULL, NULL);
	if (r && !stage_is_forbidden(spec, r)) {
		log_lines(text_string(&sentences));
		end = STAGE_FAILED;
	} else if (r || sentences.length) {
		/* It may run all the same, without a limit that it was to have. */
		text_printf(why, "This host does not allow it: %s.", text_string(&sentences));
		end = STAGE_FORBIDDEN;
		if (!r)
			launch_free(*launch);
		*launch = NULL;
	}
	text_free(&sentences);
	return end;
}

enum stage_end stage_add(struct stage *stage, const struct spec *spec, struct text *why)
{
	struct stage_actor *actor = &stage->actors[stage->count];
	enum stage_end end;

	actor->spec = *spec;
	end = stage_launch(&actor->spec, &actor->launch, why);
	if (end == STAGE_SHOWN) {
		actor->pid = launch_pid(actor->launch);
		stage->count++;
	}
	return end;
}

const struct stage_actor *stage_actor(const struct stage *stage, const char *name)
{
	for (size_t i = 0; i < stage->count; i++) {
		const struct stage_actor *actor = &stage->actors[i];

		if (actor->launch && !strcmp(launch_name(actor->launch), name))
			return actor;
	}
	return NULL;
}

const struct proc *stage_find(const struct stage *stage, pid_t pid)
{
	uint32_t own_ns = stage->session.app->facts.self_ns[NS_PID];
	size_t count;
	struct proc *procs = model_procs(stage->session.model, &count);

	for (size_t i = 0; i < count; i++) {
		for (size_t level = 0; level < procs[i].task->chain_count; level++) {
			const struct pid_level *known = &procs[i].chain[level];

			if (known->ns == own_ns && known->pid == (uint32_t)pid)
				return &procs[i];
		}
	}
	return NULL;
}

void stage_clear(struct stage *stage)
{
	for (size_t i = 0; i < stage->count; i++)
		launch_free(stage->actors[i].launch);
	for (size_t i = 0; i < stage->count; i++)
		join_finish(&stage->actors[i].joined);
	stage->count = 0;
}

void stage_interrupt_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

bool stage_is_interrupted(void)
{
	return !stage_await(-1, 0);
}

bool stage_await(int fd, int milliseconds)
{
	autoclose int signals = -1;
	struct pollfd polled[2] = {{.fd = fd, .events = POLLIN}, {.events = POLLIN}};
	sigset_t set;

	stage_interrupt_signals(&set);
	/* Never read: they stay pending, for the end of the demo. */
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	polled[1].fd = signals;
	while (poll(polled, ARRAY_SIZE(polled), milliseconds) < 0 && errno == EINTR)
		;
	return !polled[1].revents;
}
