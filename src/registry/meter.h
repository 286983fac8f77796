/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the layer registry: how far a transfer of many blobs is, told to an observer at most every 100 ms. */
#ifndef XBUILD_REGISTRY_METER_H
#define XBUILD_REGISTRY_METER_H

#include <pthread.h>
#include <stdint.h>

#include "xbuild/base/observer.h"

struct meter {
	const struct xb_observer *observer;
	const char *label;
	pthread_mutex_t lock;
	uint64_t done, total, total_bytes;
	int64_t done_bytes;
	int64_t shown_ms;
};

void meter_start(struct meter *m, const struct xb_observer *observer, const char *label, uint64_t total,
		 uint64_t total_bytes);
void meter_end(struct meter *m);
/* Fits struct xb_blob: ctx is the meter. From any thread. */
void meter_moved(void *ctx, int64_t bytes);
void meter_item(struct meter *m); /* one more is done */

#endif
