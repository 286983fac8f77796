/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of apko.lock.json; src/model/apko_lock_write.c writes it. */
#include "xbuild/model/apko_lock.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/base64.h"
#include "xbuild/base/hex.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

#define SHA1_BYTES 20
#define SHA1_HEX   (2 * SHA1_BYTES + 1)

struct reader {
	struct xb_apko_lock *lock;
	const char *name; /* of the file */
	struct xb_err *err;
};

void xb_apko_lock_free(struct xb_apko_lock *lock)
{
	if (!lock)
		return;
	xb_arena_release(&lock->arena);
	free(lock);
}

static int fail_at(struct reader *r, const char *where, const char *what)
{
	return xb_fail(r->err, XB_E_LOCK, "%s: %s: expected %s", r->name, where, what);
}

/* A text that has to be there; the copy is in the arena. */
static int read_text(struct reader *r, const json_t *object, const char *key, const char *where, const char **out)
{
	const char *text;

	if (xb_json_string(object, key, where, &text, r->err) < 0)
		return r->err->code;
	if (!text) {
		char *what XB_CLEANUP(xb_free_ptr) = xb_printf("a '%s'", key);

		return fail_at(r, where, what);
	}
	*out = xb_arena_strdup(&r->lock->arena, text);
	return 0;
}

/* "sha256-<base64>" or "sha1-<base64>" of `size` bytes. */
static bool parse_checksum(const char *text, const char *prefix, size_t size, uint8_t *out)
{
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {.max_bytes = 64};
	bool is_whole;

	if (!xb_sv_starts(xb_sv(text), prefix))
		return false;
	is_whole = xb_base64_decode(xb_sv(text + strlen(prefix)), &bytes) && bytes.len == size;
	if (is_whole)
		memcpy(out, bytes.data, size);
	return is_whole;
}

/* "bytes=<first>-<last>" */
static bool parse_range(const char *text, int64_t *out_from, int64_t *out_end)
{
	static const char start[] = "bytes=";
	struct xb_sv rest = xb_sv(text), first;
	uint64_t from, last;

	if (!xb_sv_starts(rest, start))
		return false;
	rest = xb_sv_n(rest.ptr + strlen(start), rest.len - strlen(start));
	first = xb_sv_cut(&rest, '-');
	if (!rest.ptr || !xb_num_u64(first, XB_MAX_PACKAGE_BYTES, &from) ||
	    !xb_num_u64(rest, XB_MAX_PACKAGE_BYTES, &last) || last < from)
		return false;
	*out_from = (int64_t)from;
	*out_end = (int64_t)last + 1;
	return true;
}

struct part {
	int64_t from, end;
	const char *checksum; /* in the arena */
	bool is_there;
};

static int read_part(struct reader *r, const json_t *package, const char *key, const char *where, struct part *out)
{
	static const char *const known[] = {"range", "checksum", NULL};
	const json_t *object = json_object_get(package, key);
	const char *range = NULL;

	if (!object)
		return fail_at(r, where, "'signature', 'control' and 'data'");
	if (xb_json_only_keys(object, known, where, r->err) < 0 || read_text(r, object, "range", where, &range) < 0 ||
	    read_text(r, object, "checksum", where, &out->checksum) < 0)
		return r->err->code;
	out->is_there = *range || *out->checksum;
	if (out->is_there && !parse_range(range, &out->from, &out->end))
		return fail_at(r, where, "a range 'bytes=FIRST-LAST'");
	return 0;
}

static int read_parts(struct reader *r, const json_t *object, const char *where, struct xb_lock_apk *p)
{
	struct part signature = {0}, control = {0}, data = {0};
	uint8_t sum[SHA1_BYTES], named[SHA1_BYTES];
	char hex[SHA1_HEX];

	if (read_part(r, object, "signature", where, &signature) < 0 ||
	    read_part(r, object, "control", where, &control) < 0 || read_part(r, object, "data", where, &data) < 0)
		return r->err->code;
	if (signature.from || signature.end != control.from || control.end != data.from || !control.is_there ||
	    !data.is_there)
		return fail_at(r, where, "parts that follow each other");
	p->signature_bytes = signature.end;
	p->control_bytes = control.end - control.from;
	p->size_bytes = data.end;
	if (signature.is_there) {
		if (!parse_checksum(signature.checksum, "sha1-", sizeof(sum), sum))
			return fail_at(r, where, "a sha1 of the signature");
		xb_hex_encode(sum, sizeof(sum), hex);
		p->signature_sha1 = xb_arena_strdup(&r->lock->arena, hex);
	}
	if (!parse_checksum(data.checksum, "sha256-", sizeof(p->data.bytes), p->data.bytes))
		return fail_at(r, where, "a sha256 of the data");
	if (!parse_checksum(control.checksum, "sha1-", sizeof(sum), sum) ||
	    !parse_checksum(p->checksum, "Q1", sizeof(named), named) || memcmp(sum, named, sizeof(sum)) != 0)
		return fail_at(r, where, "the checksum of its control part");
	return 0;
}

static int read_package(struct reader *r, const json_t *object, size_t index, struct xb_lock_apk *p)
{
	static const char *const known[] = {"name", "url",	"version", "architecture", "signature", "control",
					    "data", "checksum", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("packages[%zu]", index);

	if (xb_json_only_keys(object, known, where, r->err) < 0)
		return r->err->code;
	if (!json_object_get(object, "checksum")) {
		xb_fail(r->err, XB_E_LOCK, "%s: %s has no 'checksum', as locks of apko before 0.13", r->name, where);
		return xb_hint(r->err, "make it anew: 'xbuild lock --apko' with its apko.yaml");
	}
	if (read_text(r, object, "name", where, &p->name) < 0 || read_text(r, object, "url", where, &p->url) < 0 ||
	    read_text(r, object, "version", where, &p->version) < 0 ||
	    read_text(r, object, "architecture", where, &p->arch) < 0 ||
	    read_text(r, object, "checksum", where, &p->checksum) < 0)
		return r->err->code;
	return read_parts(r, object, where, p);
}

static int read_key(struct reader *r, const json_t *object, struct xb_lock_apk_key *key)
{
	static const char *const known[] = {"name", "url", "content", NULL};
	const char *content;

	if (xb_json_only_keys(object, known, "keyring", r->err) < 0 ||
	    read_text(r, object, "name", "keyring", &key->name) < 0 ||
	    read_text(r, object, "url", "keyring", &key->url) < 0 ||
	    xb_json_string(object, "content", "keyring", &content, r->err) < 0)
		return r->err->code;
	key->content = content && *content ? xb_arena_strdup(&r->lock->arena, content) : NULL;
	return 0;
}

static int read_repository(struct reader *r, const json_t *object, struct xb_apko_lock_repository *repository)
{
	static const char *const known[] = {"name", "url", "architecture", NULL};

	if (xb_json_only_keys(object, known, "repositories", r->err) < 0 ||
	    read_text(r, object, "name", "repositories", &repository->name) < 0 ||
	    read_text(r, object, "url", "repositories", &repository->url) < 0)
		return r->err->code;
	return read_text(r, object, "architecture", "repositories", &repository->arch);
}

/* A list of the contents; one that older locks do not have is empty. */
static int want_array(struct reader *r, const json_t *contents, const char *key, bool may_be_missing,
		      const json_t **out, size_t *out_len)
{
	const json_t *array = json_object_get(contents, key);

	if (!json_is_array(array) && !(may_be_missing && (!array || json_is_null(array))))
		return fail_at(r, key, "a list");
	*out = array;
	*out_len = json_array_size(array);
	return 0;
}

static int read_repositories(struct reader *r, const json_t *contents, const char *key, bool may_be_missing,
			     struct xb_apko_lock_repositories *out)
{
	const json_t *array = NULL;
	size_t len = 0;

	if (want_array(r, contents, key, may_be_missing, &array, &len) < 0)
		return r->err->code;
	out->items = xb_arena_array(&r->lock->arena, len, sizeof(*out->items));
	for (; out->len < len; out->len++) {
		if (read_repository(r, json_array_get(array, out->len), &out->items[out->len]) < 0)
			return r->err->code;
	}
	return 0;
}

static int read_contents(struct reader *r, const json_t *contents)
{
	static const char *const known[] = {"keyring",	    "build_repositories", "runtime_repositories",
					    "repositories", "packages",		  NULL};
	struct xb_apko_lock *lock = r->lock;
	const json_t *keys = NULL, *packages = NULL;
	size_t n_keys = 0, n_packages = 0;

	if (xb_json_only_keys(contents, known, "contents", r->err) < 0 ||
	    want_array(r, contents, "keyring", true, &keys, &n_keys) < 0 ||
	    read_repositories(r, contents, "build_repositories", true, &lock->build) < 0 ||
	    read_repositories(r, contents, "runtime_repositories", true, &lock->runtime) < 0 ||
	    read_repositories(r, contents, "repositories", false, &lock->repositories) < 0 ||
	    want_array(r, contents, "packages", false, &packages, &n_packages) < 0)
		return r->err->code;
	lock->keys = xb_arena_array(&lock->arena, n_keys, sizeof(*lock->keys));
	for (; lock->n_keys < n_keys; lock->n_keys++) {
		if (read_key(r, json_array_get(keys, lock->n_keys), &lock->keys[lock->n_keys]) < 0)
			return r->err->code;
	}
	lock->packages = xb_arena_array(&lock->arena, n_packages, sizeof(*lock->packages));
	for (size_t i = 0; i < n_packages; i++) {
		if (read_package(r, json_array_get(packages, i), i, &lock->packages[i]) < 0)
			return r->err->code;
		lock->n_packages++;
	}
	return 0;
}

static int read_config(struct reader *r, const json_t *config)
{
	static const char *const known[] = {"name", "checksum", NULL};
	const char *checksum = NULL;

	if (!config)
		return 0;
	if (xb_json_only_keys(config, known, "config", r->err) < 0 ||
	    read_text(r, config, "name", "config", &r->lock->config_name) < 0 ||
	    read_text(r, config, "checksum", "config", &checksum) < 0)
		return r->err->code;
	if (!parse_checksum(checksum, "sha256-", sizeof(r->lock->config.bytes), r->lock->config.bytes))
		return fail_at(r, "config", "a checksum 'sha256-...'");
	return 0;
}

static int read_lock(struct reader *r, const json_t *root)
{
	static const char *const known[] = {"version", "config", "contents", NULL};
	const char *version = NULL;

	if (xb_json_only_keys(root, known, "lock", r->err) < 0 || read_text(r, root, "version", "lock", &version) < 0)
		return r->err->code;
	if (strcmp(version, "v1") != 0)
		return xb_fail(r->err, XB_E_LOCK, "%s: expected version 'v1', found '%s'", r->name, version);
	if (read_config(r, json_object_get(root, "config")) < 0)
		return r->err->code;
	return read_contents(r, json_object_get(root, "contents"));
}

static void release(struct xb_apko_lock **lock)
{
	xb_apko_lock_free(*lock);
}

int xb_apko_lock_parse(struct xb_sv text, const char *name, struct xb_apko_lock **out, struct xb_err *err)
{
	struct xb_apko_lock *lock XB_CLEANUP(release) = xb_alloc(sizeof(*lock));
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	struct reader r = {.lock = lock, .name = name, .err = err};

	if (xb_json_parse(text, name, &root, err) < 0) {
		err->code = XB_E_LOCK;
		return err->code;
	}
	if (read_lock(&r, root) < 0) {
		if (err->code != XB_E_LOCK)
			xb_wrap(err, "%s", name);
		err->code = XB_E_LOCK;
		return xb_hint(err, "make it anew: 'xbuild lock --apko' with its apko.yaml");
	}
	*out = lock;
	lock = NULL;
	return 0;
}

int xb_apko_lock_read(const char *path, struct xb_apko_lock **out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(path, XB_MAX_JSON_BYTES, &text, err) < 0)
		return err->code;
	return xb_apko_lock_parse(xb_str_sv(&text), path, out, err);
}
