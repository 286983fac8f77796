/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "lockfile_read.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/model/names.h"
#include "xbuild/model/target.h"
#include "xbuild/model/timestamp.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

static bool is_url(struct xb_sv text)
{
	if (!xb_sv_starts(text, "https://") && !xb_sv_starts(text, "http://"))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	}
	return text.len <= XB_MAX_PATH_BYTES;
}

static bool is_package_arch(struct xb_sv text)
{
	return xb_name_is_suite(text);
}

int lock_read_text(struct lock_parser *p, const struct lock_member *m, const char *key, lock_check_fn *check,
		   const char **out)
{
	const json_t *value = json_object_get(m->object, key);
	struct xb_sv text;

	if (!value)
		return xb_fail(p->err, XB_E_LOCK, "%s: '%s' is missing", m->where, key);
	if (!json_is_string(value))
		return xb_fail(p->err, XB_E_LOCK, "%s: expected text as '%s'", m->where, key);
	text = xb_sv_n(json_string_value(value), json_string_length(value));
	if (!check(text))
		return xb_fail(p->err, XB_E_LOCK, "%s: '%s' has a value that is not valid there", m->where, key);
	*out = xb_arena_sv(&p->lock->arena, text);
	return 0;
}

int lock_read_digest(struct lock_parser *p, const struct lock_member *m, const char *key, struct xb_digest *out)
{
	const json_t *value = json_object_get(m->object, key);
	const char *hex = json_string_value(value);

	/* Of the two forms that digests have, a lock uses the one without "sha256:". */
	if (!hex || json_string_length(value) != XB_DIGEST_HEX - 1 || !xb_digest_parse(xb_sv(hex), out))
		return xb_fail(p->err, XB_E_LOCK, "%s: expected 64 lower-case hex digits as '%s'", m->where, key);
	if (xb_digest_is_zero(out))
		return xb_fail(p->err, XB_E_LOCK, "%s: '%s' is all zero", m->where, key);
	return 0;
}

int lock_read_size(struct lock_parser *p, const struct lock_member *m, const char *key, int64_t *out)
{
	const json_t *value = json_object_get(m->object, key);
	const int64_t size = json_integer_value(value);

	if (!json_is_integer(value) || size < 1 || size > XB_MAX_PACKAGE_BYTES)
		return xb_fail(p->err, XB_E_LOCK, "%s: expected a number from 1 to %lld as '%s'", m->where,
			       XB_MAX_PACKAGE_BYTES, key);
	*out = size;
	return 0;
}

/* The member `key` of the document: an object, for which `known` says what it may hold (NULL: names of its own). */
int lock_read_object(struct lock_parser *p, const json_t *object, const char *const *known, const char *where)
{
	if (!object)
		return xb_fail(p->err, XB_E_LOCK, "'%s' is missing", where);
	if (!json_is_object(object))
		return xb_fail(p->err, XB_E_LOCK, "%s: expected an object", where);
	return known ? xb_json_only_keys(object, known, where, p->err) : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **lock_sorted_keys(struct lock_parser *p, const json_t *object)
{
	const size_t len = json_object_size(object);
	const char **keys = xb_arena_array(&p->lock->arena, len, sizeof(*keys));
	json_t *shared = (json_t *)(uintptr_t)object; /* the iteration of jansson is not const, and changes nothing */
	size_t i = 0;

	for (void *at = json_object_iter(shared); at; at = json_object_iter_next(shared, at))
		keys[i++] = xb_arena_strdup(&p->lock->arena, json_object_iter_key(at));
	if (len)
		qsort(keys, len, sizeof(*keys), compare_names);
	return keys;
}

static int read_suite(struct lock_parser *p, const json_t *value, struct xb_lock_suite *out)
{
	static const char *const known[] = {"archive", "date", "in-release", "path", "signed-by", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("suites.%s", out->id);
	const struct lock_member m = {value, where};
	const char *date = json_string_value(json_object_get(value, "date"));

	if (!xb_name_is_suite(xb_sv(out->id)))
		return xb_fail(p->err, XB_E_LOCK, "suites: '%s' is no name of a suite", out->id);
	if (lock_read_object(p, value, known, where) < 0 ||
	    lock_read_text(p, &m, "archive", xb_name_is_suite, &out->archive) < 0 ||
	    lock_read_text(p, &m, "path", xb_name_is_debian_path, &out->path) < 0 ||
	    lock_read_text(p, &m, "signed-by", xb_name_is_fingerprint, &out->signed_by) < 0 ||
	    lock_read_digest(p, &m, "in-release", &out->in_release) < 0)
		return p->err->code;
	if (!date || !xb_timestamp_parse(xb_sv(date), &out->date))
		return xb_fail(p->err, XB_E_LOCK, "%s: expected YYYY-MM-DDThh:mm:ssZ as 'date'", where);
	return 0;
}

static int read_suites(struct lock_parser *p, const json_t *object)
{
	struct xb_lock *lock = p->lock;
	const char **keys;

	if (lock_read_object(p, object, NULL, "suites") < 0)
		return p->err->code;
	keys = lock_sorted_keys(p, object);
	lock->n_suites = json_object_size(object);
	lock->suites = xb_arena_array(&lock->arena, lock->n_suites, sizeof(*lock->suites));
	for (size_t i = 0; i < lock->n_suites; i++) {
		lock->suites[i].id = keys[i];
		if (read_suite(p, json_object_get(object, keys[i]), &lock->suites[i]) < 0)
			return p->err->code;
	}
	return 0;
}

int lock_read_names(struct lock_parser *p, const struct lock_member *m, const char *key, lock_check_fn *check,
		    const char ***out, size_t *out_len)
{
	const json_t *list = json_object_get(m->object, key);
	const size_t len = json_array_size(list);
	const char **names = xb_arena_array(&p->lock->arena, len, sizeof(*names));

	if (!json_is_array(list))
		return xb_fail(p->err, XB_E_LOCK, "%s: expected a list as '%s'", m->where, key);
	for (size_t i = 0; i < len; i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name || !check(xb_sv(name)))
			return xb_fail(p->err, XB_E_LOCK, "%s: entry %zu of '%s' is no package name", m->where, i, key);
		if (i && strcmp(names[i - 1], name) >= 0)
			return xb_fail(p->err, XB_E_LOCK, "%s: '%s' is not sorted at '%s'", m->where, key, name);
		names[i] = xb_arena_strdup(&p->lock->arena, name);
	}
	*out = names;
	*out_len = len;
	return 0;
}

static int read_package(struct lock_parser *p, const json_t *value, const char *where, const char *arch,
			struct xb_lock_package *out)
{
	static const char *const known[] = {"arch", "depends", "name",	  "path", "sha256",
					    "size", "suite",   "version", NULL};
	const struct lock_member m = {value, where};

	if (lock_read_object(p, value, known, where) < 0 ||
	    lock_read_text(p, &m, "name", xb_name_is_debian_package, &out->name) < 0 ||
	    lock_read_text(p, &m, "version", xb_name_is_debian_version, &out->version) < 0 ||
	    lock_read_text(p, &m, "arch", is_package_arch, &out->arch) < 0 ||
	    lock_read_text(p, &m, "suite", xb_name_is_suite, &out->suite) < 0 ||
	    lock_read_text(p, &m, "path", xb_name_is_debian_path, &out->path) < 0 ||
	    lock_read_digest(p, &m, "sha256", &out->sha256) < 0 ||
	    lock_read_size(p, &m, "size", &out->size_bytes) < 0 ||
	    lock_read_names(p, &m, "depends", xb_name_is_debian_package, &out->depends, &out->n_depends) < 0)
		return p->err->code;
	if (strcmp(out->arch, "all") != 0 && strcmp(out->arch, arch) != 0)
		return xb_fail(p->err, XB_E_LOCK, "%s: expected 'arch' to be %s or all, found %s", where, arch,
			       out->arch);
	if (!xb_lock_suite(p->lock, out->suite))
		return xb_fail(p->err, XB_E_LOCK, "%s: 'suites' has no '%s'", where, out->suite);
	return 0;
}

/* `further` is the list that the names in depends may also come from, or NULL. */
int lock_check_depends(struct lock_parser *p, const struct xb_lock_packages *packages,
		       const struct xb_lock_packages *further, const char *where)
{
	for (size_t i = 0; i < packages->len; i++) {
		const struct xb_lock_package *package = &packages->items[i];

		for (size_t k = 0; k < package->n_depends; k++) {
			const char *name = package->depends[k];

			if (!xb_lock_package(packages, name) && !(further && xb_lock_package(further, name)))
				return xb_fail(p->err, XB_E_LOCK, "%s: %s depends on %s, which is not in the list",
					       where, package->name, name);
		}
	}
	return 0;
}

int lock_read_packages(struct lock_parser *p, const struct lock_member *m, const char *key, const char *arch,
		       struct xb_lock_packages *out)
{
	const json_t *list = json_object_get(m->object, key);

	if (!json_is_array(list))
		return xb_fail(p->err, XB_E_LOCK, "%s: expected a list as '%s'", m->where, key);
	out->len = json_array_size(list);
	out->items = xb_arena_array(&p->lock->arena, out->len, sizeof(*out->items));
	for (size_t i = 0; i < out->len; i++) {
		char *where XB_CLEANUP(xb_free_ptr) = xb_printf("%s.%s[%zu]", m->where, key, i);

		if (read_package(p, json_array_get(list, i), where, arch, &out->items[i]) < 0)
			return p->err->code;
		if (i && strcmp(out->items[i - 1].name, out->items[i].name) >= 0)
			return xb_fail(p->err, XB_E_LOCK, "%s: '%s' is out of order or there twice", where,
				       out->items[i].name);
	}
	return 0;
}

/* http or https, or a path below the project. */
static bool is_place(struct xb_sv text)
{
	if (!xb_sv_starts(text, XB_LOCAL_FILE))
		return is_url(text);
	return xb_path_is_safe(xb_sv_n(text.ptr + strlen(XB_LOCAL_FILE), text.len - strlen(XB_LOCAL_FILE)));
}

static bool is_directory(struct xb_sv text)
{
	if (xb_sv_starts(text, XB_LOCAL_FILE))
		return xb_sv_eq_str(text, XB_LOCAL_FILE ".") || is_place(text);
	return text.len > 1 && text.ptr[0] == '/' && xb_path_is_safe(xb_sv_n(text.ptr + 1, text.len - 1));
}

static int read_signature(struct lock_parser *p, const json_t *value, const char *parent, struct xb_lock_signature *out)
{
	static const char *const known[] = {"key", "sha256", "size", "url", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("%s.signature", parent);
	const struct lock_member m = {value, where};

	if (lock_read_object(p, value, known, where) < 0 || lock_read_text(p, &m, "url", is_place, &out->url) < 0 ||
	    lock_read_digest(p, &m, "key", &out->key) < 0 || lock_read_digest(p, &m, "sha256", &out->sha256) < 0)
		return p->err->code;
	return lock_read_size(p, &m, "size", &out->size_bytes);
}

static int read_archive(struct lock_parser *p, const json_t *value, const char *parent, struct xb_lock_archive *out)
{
	static const char *const known[] = {"sha256", "signature", "size", "url", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("%s.archive", parent);
	const struct lock_member m = {value, where};
	const json_t *signature = json_object_get(value, "signature");

	out->size_bytes = -1;
	if (lock_read_object(p, value, known, where) < 0 || lock_read_text(p, &m, "url", is_place, &out->url) < 0 ||
	    lock_read_digest(p, &m, "sha256", &out->sha256) < 0)
		return p->err->code;
	if (signature && read_signature(p, signature, where, &out->signature) < 0)
		return p->err->code;
	return json_object_get(value, "size") ? lock_read_size(p, &m, "size", &out->size_bytes) : 0;
}

static int read_toolchain_packages(struct lock_parser *p, const struct lock_member *m, struct xb_lock_toolchain *out)
{
	const char *arch = xb_host_debian_arch(out->host);

	if (!arch)
		return xb_fail(p->err, XB_E_LOCK, "%s: a toolchain for this host must be an archive", m->where);
	out->archive.size_bytes = -1;
	if (lock_read_packages(p, m, "packages", arch, &out->packages) < 0 ||
	    lock_read_packages(p, m, "tools", arch, &out->tools) < 0 ||
	    lock_check_depends(p, &out->packages, NULL, m->where) < 0)
		return p->err->code;
	return lock_check_depends(p, &out->tools, &out->packages, m->where);
}

static int read_toolchain(struct lock_parser *p, const json_t *value, struct xb_lock_toolchain *out)
{
	static const char *const of_packages[] = {"name", "packages", "tools", "version", NULL};
	static const char *const of_archive[] = {"archive", "name", "version", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("toolchains.%s", out->host);
	const json_t *archive = json_object_get(value, "archive");
	const struct lock_member m = {value, where};

	if (!xb_host_find(xb_sv(out->host)))
		return xb_fail(p->err, XB_E_LOCK, "toolchains: '%s' is no host that xbuild knows", out->host);
	if (lock_read_object(p, value, archive ? of_archive : of_packages, where) < 0 ||
	    lock_read_text(p, &m, "name", xb_name_is_suite, &out->name) < 0 ||
	    lock_read_text(p, &m, "version", xb_name_is_version_number, &out->version) < 0)
		return p->err->code;
	return archive ? read_archive(p, archive, where, &out->archive) : read_toolchain_packages(p, &m, out);
}

static int read_toolchains(struct lock_parser *p, const json_t *object)
{
	struct xb_lock *lock = p->lock;
	const char **keys;

	if (lock_read_object(p, object, NULL, "toolchains") < 0)
		return p->err->code;
	keys = lock_sorted_keys(p, object);
	lock->n_toolchains = json_object_size(object);
	lock->toolchains = xb_arena_array(&lock->arena, lock->n_toolchains, sizeof(*lock->toolchains));
	for (size_t i = 0; i < lock->n_toolchains; i++) {
		lock->toolchains[i].host = keys[i];
		if (read_toolchain(p, json_object_get(object, keys[i]), &lock->toolchains[i]) < 0)
			return p->err->code;
	}
	return 0;
}

static int read_directory(struct lock_parser *p, const json_t *value, const char *parent, struct xb_lock_sysroot *out)
{
	static const char *const known[] = {"tree", "url", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("%s.directory", parent);
	const struct lock_member m = {value, where};

	out->is_directory = true;
	if (lock_read_object(p, value, known, where) < 0 ||
	    lock_read_text(p, &m, "url", is_directory, &out->archive.url) < 0)
		return p->err->code;
	return lock_read_digest(p, &m, "tree", &out->archive.sha256);
}

static int read_sysroot(struct lock_parser *p, const json_t *value, struct xb_lock_sysroot *out)
{
	static const char *const of_packages[] = {"name", "packages", NULL};
	static const char *const of_archive[] = {"archive", "name", NULL};
	static const char *const of_directory[] = {"directory", "name", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("sysroots.%s", out->target);
	const struct xb_target *target = xb_target_find(xb_sv(out->target));
	const json_t *archive = json_object_get(value, "archive"), *directory = json_object_get(value, "directory");
	const struct lock_member m = {value, where};

	out->archive.size_bytes = -1;
	if (!target || strcmp(target->name, out->target) != 0)
		return xb_fail(p->err, XB_E_LOCK, "sysroots: '%s' is no target that xbuild knows", out->target);
	if (lock_read_object(p, value,
			     archive	 ? of_archive
			     : directory ? of_directory
					 : of_packages,
			     where) < 0 ||
	    lock_read_text(p, &m, "name", xb_name_is_suite, &out->name) < 0)
		return p->err->code;
	if (archive)
		return read_archive(p, archive, where, &out->archive);
	if (directory)
		return read_directory(p, directory, where, out);
	if (lock_read_packages(p, &m, "packages", target->debian_arch, &out->packages) < 0)
		return p->err->code;
	return lock_check_depends(p, &out->packages, NULL, where);
}

static int read_sysroots(struct lock_parser *p, const json_t *object)
{
	struct xb_lock *lock = p->lock;
	const char **keys;

	if (lock_read_object(p, object, NULL, "sysroots") < 0)
		return p->err->code;
	keys = lock_sorted_keys(p, object);
	lock->n_sysroots = json_object_size(object);
	lock->sysroots = xb_arena_array(&lock->arena, lock->n_sysroots, sizeof(*lock->sysroots));
	for (size_t i = 0; i < lock->n_sysroots; i++) {
		lock->sysroots[i].target = keys[i];
		if (read_sysroot(p, json_object_get(object, keys[i]), &lock->sysroots[i]) < 0)
			return p->err->code;
	}
	return 0;
}

/* A lock that was merged by hand has the digest of one side and the wishes of another, and packages of both. */
static int read_wishes(struct lock_parser *p, const json_t *document)
{
	const json_t *wishes = json_object_get(document, "wishes");
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest digest;

	if (!wishes)
		return 0;
	if (lock_read_object(p, wishes, NULL, "wishes") < 0)
		return p->err->code;
	if (xb_json_has_real(wishes))
		return xb_fail(p->err, XB_E_LOCK, "wishes: expected text and lists of text, found a number");
	xb_json_write(wishes, 0, true, &text);
	xb_digest_bytes(xb_str_get(&text), text.len, &digest);
	if (!xb_digest_eq(&digest, &p->lock->inputs))
		return xb_fail(p->err, XB_E_LOCK, "'inputs' is not the digest of 'wishes'");
	p->lock->wishes = xb_arena_strdup(&p->lock->arena, xb_str_get(&text));
	return 0;
}

static int read_lock(struct lock_parser *p, const json_t *document)
{
	static const char *const known[] = {"xbuild-lock", "inputs", "wishes", "suites", "sysroots", "toolchains",
					    "rust",	   "images", "apko",   "bases",	 NULL};
	const struct lock_member m = {document, "document"};
	const json_t *format = json_object_get(document, "xbuild-lock");

	if (!json_is_integer(format))
		return xb_fail(p->err, XB_E_LOCK, "this is no lock: 'xbuild-lock' is missing");
	if (json_integer_value(format) != XB_LOCK_FORMAT)
		return xb_fail(p->err, XB_E_LOCK, "expected format %d, found %lld", XB_LOCK_FORMAT,
			       (long long)json_integer_value(format));
	if (xb_json_only_keys(document, known, "document", p->err) < 0 ||
	    lock_read_digest(p, &m, "inputs", &p->lock->inputs) < 0 || read_wishes(p, document) < 0 ||
	    read_suites(p, json_object_get(document, "suites")) < 0 ||
	    read_sysroots(p, json_object_get(document, "sysroots")) < 0)
		return p->err->code;
	if (read_toolchains(p, json_object_get(document, "toolchains")) < 0 || lock_read_rust(p, document) < 0)
		return p->err->code;
	return lock_read_bases(p, document);
}

static void release_lock(struct xb_lock **lock)
{
	xb_lock_free(*lock);
}

/*
 * Whatever is wrong with a lock, the cure is the same: nobody mends it by hand. `xbuild lock` alone does not replace it,
 * because what it holds (versions, dates of indexes) is to be given up only by decision.
 */
static int refuse(struct xb_err *err)
{
	err->code = XB_E_LOCK;
	free(err->hint);
	err->hint = NULL;
	return xb_hint(err, "restore it from version control, or remove it and run 'xbuild lock'");
}

int xb_lock_parse(struct xb_sv text, const char *name, struct xb_lock **out, struct xb_err *err)
{
	json_t *document XB_CLEANUP(xb_json_release) = NULL;
	struct xb_lock *lock XB_CLEANUP(release_lock) = xb_alloc(sizeof(*lock));
	struct lock_parser p = {.lock = lock, .err = err};

	if (xb_json_parse(text, name, &document, err) < 0)
		return refuse(err);
	if (read_lock(&p, document) < 0) {
		xb_wrap(err, "%s", name);
		return refuse(err);
	}
	*out = lock;
	lock = NULL;
	return 0;
}

int xb_lock_read(const char *path, struct xb_lock **out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(path, XB_MAX_JSON_BYTES, &text, err) < 0)
		return err->code == XB_E_INPUT ? refuse(err) : err->code; /* more bytes than any lock has */
	return xb_lock_parse(xb_str_sv(&text), path, out, err);
}
