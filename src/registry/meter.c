/* SPDX-License-Identifier: Apache-2.0 */
#include "meter.h"

#include "xbuild/sys/host.h"

#define SHOW_MS 100

static void show(struct meter *m, enum xb_event_kind kind)
{
	const struct xb_event event = {.kind = kind,
				       .label = m->label,
				       .done = m->done,
				       .total = m->total,
				       .done_bytes = m->done_bytes > 0 ? (uint64_t)m->done_bytes : 0,
				       .total_bytes = m->total_bytes};

	xb_observe(m->observer, &event);
}

void meter_start(struct meter *m, const struct xb_observer *observer, const char *label, uint64_t total,
		 uint64_t total_bytes)
{
	*m = (struct meter){.observer = observer, .label = label, .total = total, .total_bytes = total_bytes};
	pthread_mutex_init(&m->lock, NULL);
	show(m, XB_EVENT_PHASE);
}

void meter_end(struct meter *m)
{
	show(m, XB_EVENT_PROGRESS);
	pthread_mutex_destroy(&m->lock);
}

static void changed(struct meter *m)
{
	const int64_t now_ms = xb_host_monotonic_ms();

	if (now_ms - m->shown_ms >= SHOW_MS) {
		m->shown_ms = now_ms;
		show(m, XB_EVENT_PROGRESS);
	}
}

void meter_moved(void *ctx, int64_t bytes)
{
	struct meter *m = ctx;

	pthread_mutex_lock(&m->lock);
	m->done_bytes += bytes;
	changed(m);
	pthread_mutex_unlock(&m->lock);
}

void meter_item(struct meter *m)
{
	pthread_mutex_lock(&m->lock);
	m->done++;
	changed(m);
	pthread_mutex_unlock(&m->lock);
}
