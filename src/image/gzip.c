/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/gzip.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/sys/deflate.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/zstd.h"

/* One member on its way. Who may touch it is decided by the counters of struct xb_gzip_writer, not by a lock of its own. */
struct slot {
	uint8_t *plain, *packed;
	size_t plain_len, packed_len;
	bool is_packed;
};

/*
 * Members are numbered from 0; member n lives in slot n % n_slots. Each counter is the number of the next member for
 * that stage: filled >= taken, filled >= hashed, filled >= written. A slot is free again when its member was both hashed
 * and written.
 */
struct xb_gzip_writer {
	int fd;
	const char *name;
	enum xb_compression compression;
	struct slot *slots;
	uint64_t n_slots;
	size_t plain_len; /* in the slot that is being filled */
	bool reserved;	  /* the caller owns slot filled % n_slots */

	pthread_mutex_t mutex; /* guards what follows, and struct slot's is_packed */
	pthread_cond_t moved;
	uint64_t filled, taken, hashed, written;
	bool closed, stopped;
	struct xb_err failure;

	struct xb_hasher plain_hash;  /* of the hashing thread */
	struct xb_hasher packed_hash; /* of the writing thread */
	uint64_t plain_bytes, packed_bytes;

	pthread_t threads[XB_GZIP_MAX_THREADS + 2];
	int n_threads;
};

static struct slot *slot_of(struct xb_gzip_writer *gz, uint64_t member)
{
	return &gz->slots[member % gz->n_slots];
}

/* Called with the mutex held. False: this stage has nothing more to do. */
static bool wait_for_member(struct xb_gzip_writer *gz, const uint64_t *next, bool packed)
{
	for (;;) {
		if (gz->stopped)
			return false;
		if (*next < gz->filled && (!packed || slot_of(gz, *next)->is_packed))
			return true;
		if (gz->closed && *next >= gz->filled)
			return false;
		pthread_cond_wait(&gz->moved, &gz->mutex);
	}
}

/* Of one worker; the other one is NULL. */
struct encoder {
	struct xb_deflate *deflate;
	struct xb_zstd *zstd;
};

/* Bytes of the packed member, 0 for a failure. Plain ones are written from where they are. */
static size_t pack_member(const struct encoder *encoder, const struct slot *slot)
{
	if (encoder->deflate)
		return xb_deflate_member(encoder->deflate, slot->plain, slot->plain_len, slot->packed);
	if (encoder->zstd)
		return xb_zstd_frame(encoder->zstd, slot->plain, slot->plain_len, slot->packed);
	return slot->plain_len;
}

static void *compress_members(void *arg)
{
	struct xb_gzip_writer *gz = arg;
	struct encoder encoder = {.deflate = gz->compression == XB_COMPRESSION_GZIP ? xb_deflate_new() : NULL,
				  .zstd = gz->compression == XB_COMPRESSION_ZSTD ? xb_zstd_new() : NULL};

	pthread_mutex_lock(&gz->mutex);
	while (wait_for_member(gz, &gz->taken, false)) {
		struct slot *slot = slot_of(gz, gz->taken++);

		pthread_mutex_unlock(&gz->mutex);
		slot->packed_len = pack_member(&encoder, slot);
		pthread_mutex_lock(&gz->mutex);
		slot->is_packed = true;
		if (!slot->packed_len && encoder.zstd && !gz->stopped) {
			xb_fail(&gz->failure, XB_E_SYSTEM, "compress '%s': zstd failed", gz->name);
			gz->stopped = true;
		}
		pthread_cond_broadcast(&gz->moved);
	}
	pthread_mutex_unlock(&gz->mutex);
	xb_deflate_free(encoder.deflate);
	xb_zstd_free(encoder.zstd);
	return NULL;
}

static void *hash_members(void *arg)
{
	struct xb_gzip_writer *gz = arg;

	pthread_mutex_lock(&gz->mutex);
	while (wait_for_member(gz, &gz->hashed, false)) {
		const struct slot *slot = slot_of(gz, gz->hashed);

		pthread_mutex_unlock(&gz->mutex);
		xb_hasher_update(&gz->plain_hash, slot->plain, slot->plain_len);
		gz->plain_bytes += slot->plain_len;
		pthread_mutex_lock(&gz->mutex);
		gz->hashed++;
		pthread_cond_broadcast(&gz->moved);
	}
	pthread_mutex_unlock(&gz->mutex);
	return NULL;
}

static void *write_members(void *arg)
{
	struct xb_gzip_writer *gz = arg;

	pthread_mutex_lock(&gz->mutex);
	while (wait_for_member(gz, &gz->written, true)) {
		const struct slot *slot = slot_of(gz, gz->written);
		const bool plain = gz->compression == XB_COMPRESSION_NONE;
		const uint8_t *bytes = plain ? slot->plain : slot->packed;
		struct xb_err err = {0};

		pthread_mutex_unlock(&gz->mutex);
		if (!plain)
			xb_hasher_update(&gz->packed_hash, bytes, slot->packed_len);
		gz->packed_bytes += slot->packed_len;
		const int r = xb_fs_write_all(gz->fd, bytes, slot->packed_len, gz->name, &err);
		pthread_mutex_lock(&gz->mutex);
		if (r < 0 && gz->stopped) {
			xb_err_release(&err);
		} else if (r < 0) {
			xb_err_move(&gz->failure, &err);
			gz->stopped = true;
		} else {
			gz->written++;
		}
		pthread_cond_broadcast(&gz->moved);
	}
	pthread_mutex_unlock(&gz->mutex);
	return NULL;
}

static void stop_threads(struct xb_gzip_writer *gz, bool drain)
{
	pthread_mutex_lock(&gz->mutex);
	gz->closed = true;
	gz->stopped = gz->stopped || !drain;
	pthread_cond_broadcast(&gz->moved);
	pthread_mutex_unlock(&gz->mutex);
	while (gz->n_threads > 0)
		pthread_join(gz->threads[--gz->n_threads], NULL);
}

static int start_thread(struct xb_gzip_writer *gz, void *(*run)(void *), struct xb_err *err)
{
	const int r = pthread_create(&gz->threads[gz->n_threads], NULL, run, gz);

	if (r != 0)
		return xb_fail(err, XB_E_SYSTEM, "start a thread to compress '%s': error %d", gz->name, r);
	gz->n_threads++;
	return 0;
}

void xb_gzip_writer_free(struct xb_gzip_writer *gz)
{
	if (!gz)
		return;
	stop_threads(gz, false);
	for (uint64_t i = 0; i < gz->n_slots; i++) {
		free(gz->slots[i].plain);
		free(gz->slots[i].packed);
	}
	free(gz->slots);
	xb_hasher_release(&gz->plain_hash);
	xb_hasher_release(&gz->packed_hash);
	xb_err_release(&gz->failure);
	pthread_cond_destroy(&gz->moved);
	pthread_mutex_destroy(&gz->mutex);
	free(gz);
}

int xb_gzip_writer_open(int fd, const char *name, int n_threads, enum xb_compression compression,
			struct xb_gzip_writer **out, struct xb_err *err)
{
	struct xb_gzip_writer *gz = xb_alloc(sizeof(*gz));
	const int workers = n_threads < 1 ? 1 : n_threads > XB_GZIP_MAX_THREADS ? XB_GZIP_MAX_THREADS : n_threads;
	int r;

	gz->fd = fd;
	gz->name = name;
	gz->compression = compression;
	gz->n_slots = (uint64_t)workers + 4;
	gz->slots = xb_alloc(gz->n_slots * sizeof(*gz->slots));
	pthread_mutex_init(&gz->mutex, NULL);
	pthread_cond_init(&gz->moved, NULL);
	xb_hasher_init(&gz->plain_hash);
	xb_hasher_init(&gz->packed_hash);

	r = start_thread(gz, hash_members, err);
	if (r == 0)
		r = start_thread(gz, write_members, err);
	for (int i = 0; r == 0 && i < workers; i++)
		r = start_thread(gz, compress_members, err);
	if (r < 0) {
		xb_gzip_writer_free(gz);
		return r;
	}
	*out = gz;
	return 0;
}

/* Waits until the slot of the next member is free. malloc, not xb_alloc: a small layer must not zero megabytes. */
static int take_slot(struct xb_gzip_writer *gz, struct xb_err *err)
{
	struct slot *slot = slot_of(gz, gz->filled);

	pthread_mutex_lock(&gz->mutex);
	while (!gz->stopped && (gz->filled - gz->written >= gz->n_slots || gz->filled - gz->hashed >= gz->n_slots))
		pthread_cond_wait(&gz->moved, &gz->mutex);
	if (gz->stopped) {
		xb_err_move(err, &gz->failure);
		pthread_mutex_unlock(&gz->mutex);
		return err->code;
	}
	slot->is_packed = false;
	pthread_mutex_unlock(&gz->mutex);
	if (!slot->plain) {
		slot->plain = xb_realloc(NULL, XB_DEFLATE_MEMBER_BYTES);
		if (gz->compression != XB_COMPRESSION_NONE)
			slot->packed = xb_realloc(NULL, gz->compression == XB_COMPRESSION_ZSTD
								? xb_zstd_bound(XB_DEFLATE_MEMBER_BYTES)
								: xb_deflate_bound(XB_DEFLATE_MEMBER_BYTES));
	}
	gz->plain_len = 0;
	gz->reserved = true;
	return 0;
}

static void pass_slot_on(struct xb_gzip_writer *gz)
{
	slot_of(gz, gz->filled)->plain_len = gz->plain_len;
	gz->reserved = false;
	pthread_mutex_lock(&gz->mutex);
	gz->filled++;
	pthread_cond_broadcast(&gz->moved);
	pthread_mutex_unlock(&gz->mutex);
}

int xb_gzip_writer_reserve(struct xb_gzip_writer *gz, void **out_data, size_t *out_len, struct xb_err *err)
{
	if (!gz->reserved && take_slot(gz, err) < 0)
		return err->code;
	*out_data = slot_of(gz, gz->filled)->plain + gz->plain_len;
	*out_len = XB_DEFLATE_MEMBER_BYTES - gz->plain_len;
	return 0;
}

void xb_gzip_writer_advance(struct xb_gzip_writer *gz, size_t len)
{
	gz->plain_len += len;
	if (gz->plain_len == XB_DEFLATE_MEMBER_BYTES)
		pass_slot_on(gz);
}

int xb_gzip_writer_write(struct xb_gzip_writer *gz, const void *data, size_t len, struct xb_err *err)
{
	while (len > 0) {
		void *room;
		size_t n;

		if (xb_gzip_writer_reserve(gz, &room, &n, err) < 0)
			return err->code;
		n = n < len ? n : len;
		memcpy(room, data, n);
		xb_gzip_writer_advance(gz, n);
		data = (const uint8_t *)data + n;
		len -= n;
	}
	return 0;
}

int xb_gzip_writer_finish(struct xb_gzip_writer *gz, struct xb_gzip_sum *out, struct xb_err *err)
{
	if (gz->filled == 0 && !gz->reserved && take_slot(gz, err) < 0)
		return err->code;
	if (gz->reserved && (gz->plain_len > 0 || gz->filled == 0))
		pass_slot_on(gz);
	stop_threads(gz, true);
	if (gz->failure.code != XB_OK) {
		xb_err_move(err, &gz->failure);
		return err->code;
	}
	xb_hasher_final(&gz->plain_hash, &out->plain);
	xb_hasher_final(&gz->packed_hash, &out->packed);
	if (gz->compression == XB_COMPRESSION_NONE)
		out->packed = out->plain;
	out->plain_bytes = gz->plain_bytes;
	out->packed_bytes = gz->packed_bytes;
	return 0;
}
