/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to wire/. */
#ifndef NSVIEW_WIRE_EVENT_H
#define NSVIEW_WIRE_EVENT_H

#include <stdbool.h>

#include "bpf/event.h"

#define WIRE_ALIGNMENT 8

/* header.size is no more than what is there. */
bool event_is_sound(const struct event_record *record);

#endif
