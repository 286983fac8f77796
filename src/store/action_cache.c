/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/store/action_cache.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

/*
 * An entry: 8 bytes that say what it is and in which form, the SHA-256 of all that follows, the key, the payload.
 * The payload is an ActionResult, or the sets of dependencies: paths each ended by NUL, each set ended by another NUL.
 */
#define MAGIC_BYTES  8
#define HEADER_BYTES (MAGIC_BYTES + 2 * XB_DIGEST_BYTES)
#define ACTION_MAGIC "xbact 1\n"
#define DEPS_MAGIC   "xbdep 1\n"
#define MAX_DEP_SETS 16

static char *entry_path(const struct xb_store *store, const struct xb_digest *key)
{
	const char *generation = xb_store_generation(store);
	char *kind XB_CLEANUP(xb_free_ptr) = xb_printf("actions%s%s", *generation ? "/" : "", generation);

	return xb_store_path(store, kind, key);
}

/* Reads an entry and hands out its payload, a view into *text. A damaged one is removed. */
static bool read_entry(const struct xb_store *store, const struct xb_digest *key, const char *magic,
		       struct xb_str *text, struct xb_sv *out)
{
	char *path XB_CLEANUP(xb_free_ptr) = entry_path(store, key);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_digest digest;

	if (xb_fs_read(path, XB_MAX_JSON_BYTES, text, &ignored) < 0) {
		/* No file at all, or one beyond measure: whatever it is, it would stand in the way of the next entry. */
		if (ignored.code == XB_E_INPUT) {
			xb_err_clear(&ignored);
			(void)!xb_fs_remove(path, &ignored);
		}
		return false;
	}
	if (text->len >= HEADER_BYTES && memcmp(text->data, magic, MAGIC_BYTES) == 0 &&
	    memcmp(text->data + MAGIC_BYTES + XB_DIGEST_BYTES, key->bytes, XB_DIGEST_BYTES) == 0) {
		const size_t covered = MAGIC_BYTES + XB_DIGEST_BYTES;

		xb_digest_bytes(text->data + covered, text->len - covered, &digest);
		if (memcmp(text->data + MAGIC_BYTES, digest.bytes, XB_DIGEST_BYTES) == 0) {
			*out = xb_sv_n(text->data + HEADER_BYTES, text->len - HEADER_BYTES);
			return true;
		}
	}
	unlink(path);
	return false;
}

static int write_temporary(const char *tmp, struct xb_sv text, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (fd < 0)
		return xb_fail_errno(err, "create '%s'", tmp);
	return xb_fs_write_all(fd, text.ptr, text.len, tmp, err);
}

static int write_entry(struct xb_store *store, const struct xb_digest *key, const char *magic, struct xb_sv payload,
		       struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = entry_path(store, key);
	char *tmp XB_CLEANUP(xb_free_ptr) = xb_store_tmp(store);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest digest = {0};
	const size_t covered = MAGIC_BYTES + XB_DIGEST_BYTES;

	xb_str_append_n(&text, magic, MAGIC_BYTES);
	xb_str_append_n(&text, digest.bytes, XB_DIGEST_BYTES);
	xb_str_append_n(&text, key->bytes, XB_DIGEST_BYTES);
	xb_str_append_sv(&text, payload);
	xb_digest_bytes(text.data + covered, text.len - covered, &digest);
	memcpy(text.data + MAGIC_BYTES, digest.bytes, XB_DIGEST_BYTES);
	if (write_temporary(tmp, xb_str_sv(&text), err) == 0 && xb_store_publish(tmp, path, err) == 0)
		return 0;
	unlink(tmp);
	return err->code;
}

int xb_action_get(struct xb_store *store, const struct xb_digest *action, struct xb_arena *arena,
		  struct xb_reapi_result *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_reapi_result result;
	struct xb_sv payload;

	if (!read_entry(store, action, ACTION_MAGIC, &text, &payload) ||
	    xb_reapi_result_decode(payload, arena, &result, &ignored) < 0 || result.exit_code != 0)
		return 0;
	for (size_t i = 0; i < result.n_outputs; i++)
		if (!xb_cas_has(store, &result.outputs[i].digest.hash, (int64_t)result.outputs[i].digest.size_bytes))
			return 0;
	*out = result;
	return 1;
}

int xb_action_put(struct xb_store *store, const struct xb_digest *action, const struct xb_reapi_result *result,
		  struct xb_err *err)
{
	struct xb_str message XB_CLEANUP(xb_str_release) = {0};

	assert(result->exit_code == 0);
	xb_reapi_result_encode(result, &message);
	return write_entry(store, action, ACTION_MAGIC, xb_str_sv(&message), err);
}

/* Cuts a string that ends with NUL off; false when there is none. */
static bool cut_string(struct xb_sv *rest, struct xb_sv *out)
{
	const char *end = rest->len ? memchr(rest->ptr, '\0', rest->len) : NULL;

	if (!end)
		return false;
	*out = xb_sv_n(rest->ptr, (size_t)(end - rest->ptr));
	*rest = xb_sv_n(end + 1, rest->len - out->len - 1);
	return true;
}

static bool get_set(struct xb_sv *rest, struct xb_arena *arena, struct xb_dep_set *out)
{
	struct xb_sv scan = *rest, path;
	size_t len = 0;

	while (cut_string(&scan, &path) && path.len)
		len++;
	if (!scan.ptr || (!scan.len && path.len))
		return false;
	out->paths = xb_arena_array(arena, len, sizeof(*out->paths));
	for (out->len = 0; cut_string(rest, &path) && path.len; out->len++)
		out->paths[out->len] = xb_arena_sv(arena, path);
	return true;
}

void xb_deps_get(struct xb_store *store, const struct xb_digest *key, struct xb_arena *arena, struct xb_dep_sets *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest;

	*out = (struct xb_dep_sets){0};
	if (!read_entry(store, key, DEPS_MAGIC, &text, &rest))
		return;
	out->items = xb_arena_array(arena, MAX_DEP_SETS, sizeof(*out->items));
	while (rest.len && out->len < MAX_DEP_SETS && get_set(&rest, arena, &out->items[out->len]))
		out->len++;
}

static bool same_set(const struct xb_dep_set *a, const struct xb_dep_set *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (strcmp(a->paths[i], b->paths[i]) != 0)
			return false;
	return true;
}

static void put_set(struct xb_str *out, const struct xb_dep_set *set)
{
	for (size_t i = 0; i < set->len; i++)
		xb_str_append_n(out, set->paths[i], strlen(set->paths[i]) + 1);
	xb_str_append_n(out, "", 1);
}

int xb_deps_put(struct xb_store *store, const struct xb_digest *key, const struct xb_dep_set *set, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str payload XB_CLEANUP(xb_str_release) = {0};
	struct xb_dep_sets known;
	size_t n = 1;

	xb_deps_get(store, key, &arena, &known);
	if (known.len && same_set(&known.items[0], set))
		return 0;
	put_set(&payload, set);
	for (size_t i = 0; i < known.len && n < MAX_DEP_SETS; i++) {
		if (same_set(&known.items[i], set))
			continue;
		put_set(&payload, &known.items[i]);
		n++;
	}
	return write_entry(store, key, DEPS_MAGIC, xb_str_sv(&payload), err);
}
