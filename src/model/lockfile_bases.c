/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a lock that say what images stand on. */
#include <string.h>

#include "lockfile_read.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/hex.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"
#include "xbuild/model/target.h"

/* ---- reading ---- */

/* A URL, a path or the name of an image: printable, without blanks. */
static bool is_place(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	}
	return text.len > 0 && text.len <= XB_MAX_PATH_BYTES;
}

static bool is_key(struct xb_sv text)
{
	return xb_sv_starts(text, "-----BEGIN PUBLIC KEY-----") && text.len <= 16384;
}

static bool is_key_name(struct xb_sv text)
{
	return is_place(text) && !memchr(text.ptr, '/', text.len);
}

static bool is_signature(struct xb_sv text)
{
	return xb_sv_eq_str(text, "RSA") || xb_sv_eq_str(text, "RSA256") || xb_sv_eq_str(text, "RSA512");
}

/* "Q1", 27 digits of base64, "=": 20 bytes. */
static bool is_checksum(struct xb_sv text)
{
	return text.len == 30 && xb_sv_starts(text, "Q1") && text.ptr[29] == '=';
}

static bool is_sha1(struct xb_sv text)
{
	uint8_t bytes[20];

	return text.len == 40 && xb_hex_decode(text, bytes, sizeof(bytes));
}

/* 0 up to XB_MAX_PACKAGE_BYTES: a member that may be missing. */
static int read_bytes(struct lock_parser *p, const struct lock_member *m, const char *key, int64_t *out)
{
	const json_t *value = json_object_get(m->object, key);

	*out = json_integer_value(value);
	if (!json_is_integer(value) || *out < 0 || *out > XB_MAX_PACKAGE_BYTES)
		return xb_fail(p->err, XB_E_LOCK, "%s: expected a number from 0 to %lld as '%s'", m->where,
			       XB_MAX_PACKAGE_BYTES, key);
	return 0;
}

static int read_image(struct lock_parser *p, const char *image, const json_t *value)
{
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("images.%s", image);
	const struct lock_member m = {value, where};
	const char **targets;

	if (!xb_name_is_unit(xb_sv(image)))
		return xb_fail(p->err, XB_E_LOCK, "images: '%s' is no name of an image", image);
	if (lock_read_object(p, value, NULL, where) < 0)
		return p->err->code;
	targets = lock_sorted_keys(p, value);
	for (size_t i = 0; i < json_object_size(value); i++) {
		struct xb_lock_image *out = &p->lock->images[p->lock->n_images++];
		const struct xb_target *target = xb_target_find(xb_sv(targets[i]));

		out->image = image;
		out->target = targets[i];
		if (!target || strcmp(target->name, targets[i]) != 0)
			return xb_fail(p->err, XB_E_LOCK, "%s: '%s' is no target that xbuild knows", where, targets[i]);
		if (lock_read_packages(p, &m, targets[i], target->debian_arch, &out->packages) < 0 ||
		    lock_check_depends(p, &out->packages, NULL, where) < 0)
			return p->err->code;
	}
	return 0;
}

static int read_images(struct lock_parser *p, const json_t *object)
{
	const size_t n = json_object_size(object);
	const char **names;
	size_t n_lists = 0;

	if (!object)
		return 0;
	if (lock_read_object(p, object, NULL, "images") < 0)
		return p->err->code;
	names = lock_sorted_keys(p, object);
	for (size_t i = 0; i < n; i++)
		n_lists += json_object_size(json_object_get(object, names[i]));
	p->lock->images = xb_arena_array(&p->lock->arena, n_lists, sizeof(*p->lock->images));
	for (size_t i = 0; i < n; i++) {
		if (read_image(p, names[i], json_object_get(object, names[i])) < 0)
			return p->err->code;
	}
	return 0;
}

static int read_key(struct lock_parser *p, const struct lock_member *m, void *item)
{
	struct xb_lock_apk_key *out = item;
	static const char *const known[] = {"content", "name", "url", NULL};

	if (lock_read_object(p, m->object, known, m->where) < 0 ||
	    lock_read_text(p, m, "content", is_key, &out->content) < 0 ||
	    lock_read_text(p, m, "name", is_place, &out->name) < 0 ||
	    lock_read_text(p, m, "url", is_place, &out->url) < 0)
		return p->err->code;
	return 0;
}

static int read_repository(struct lock_parser *p, const struct lock_member *m, void *item)
{
	struct xb_lock_apk_repository *out = item;
	static const char *const known[] = {"arch", "index", "signature", "signed-by", "url", NULL};

	if (lock_read_object(p, m->object, known, m->where) < 0 ||
	    lock_read_text(p, m, "arch", xb_name_is_apk_package, &out->arch) < 0 ||
	    lock_read_digest(p, m, "index", &out->index) < 0 ||
	    lock_read_text(p, m, "signature", is_signature, &out->signature) < 0 ||
	    lock_read_text(p, m, "signed-by", is_key_name, &out->signed_by) < 0 ||
	    lock_read_text(p, m, "url", is_place, &out->url) < 0)
		return p->err->code;
	return 0;
}

static int read_apk(struct lock_parser *p, const struct lock_member *m, void *item)
{
	struct xb_lock_apk *out = item;
	static const char *const known[] = {"arch",	  "checksum", "control", "data",      "depends",
					    "install-if", "name",     "sha256",	 "signature", "signature-sha1",
					    "size",	  "url",      "version", NULL};
	const bool is_signed = json_object_get(m->object, "signature-sha1") != NULL;
	const bool is_added = json_object_get(m->object, "install-if") != NULL;

	if (lock_read_object(p, m->object, known, m->where) < 0 ||
	    lock_read_text(p, m, "arch", xb_name_is_apk_package, &out->arch) < 0 ||
	    lock_read_text(p, m, "checksum", is_checksum, &out->checksum) < 0 ||
	    lock_read_size(p, m, "control", &out->control_bytes) < 0 ||
	    lock_read_digest(p, m, "data", &out->data) < 0 ||
	    lock_read_names(p, m, "depends", xb_name_is_apk_package, &out->depends, &out->n_depends) < 0 ||
	    lock_read_text(p, m, "name", xb_name_is_apk_package, &out->name) < 0 ||
	    lock_read_digest(p, m, "sha256", &out->sha256) < 0 ||
	    read_bytes(p, m, "signature", &out->signature_bytes) < 0 ||
	    lock_read_size(p, m, "size", &out->size_bytes) < 0 ||
	    lock_read_text(p, m, "url", is_place, &out->url) < 0 ||
	    lock_read_text(p, m, "version", xb_name_is_apk_version, &out->version) < 0 ||
	    (is_signed && lock_read_text(p, m, "signature-sha1", is_sha1, &out->signature_sha1) < 0) ||
	    (is_added &&
	     lock_read_names(p, m, "install-if", xb_name_is_apk_package, &out->install_if, &out->n_install_if) < 0))
		return p->err->code;
	if (is_signed != (out->signature_bytes > 0) || out->signature_bytes + out->control_bytes > out->size_bytes)
		return xb_fail(p->err, XB_E_LOCK, "%s: the sizes of the members do not fit each other", m->where);
	return 0;
}

/* Of one arch no name twice; an arch's packages follow each other. */
static int check_apks(struct lock_parser *p, const struct xb_lock_apko *apko, const char *where)
{
	for (size_t i = 0; i < apko->n_packages; i++) {
		const struct xb_lock_apk *a = &apko->packages[i];

		for (size_t k = 0; k < i; k++) {
			if (strcmp(a->arch, apko->packages[k].arch) != 0)
				continue;
			if (strcmp(a->name, apko->packages[k].name) == 0)
				return xb_fail(p->err, XB_E_LOCK, "%s: package '%s' is there twice for %s", where,
					       a->name, a->arch);
			if (strcmp(a->arch, apko->packages[i - 1].arch) != 0)
				return xb_fail(p->err, XB_E_LOCK, "%s: the packages for %s do not follow each other",
					       where, a->arch);
		}
	}
	return 0;
}

/* One item of a list into `out`, which has the size that read_list was told. */
typedef int item_fn(struct lock_parser *p, const struct lock_member *m, void *out);

/* The list `key`; *out is an array in the arena. */
static int read_list(struct lock_parser *p, const struct lock_member *m, const char *key, size_t item_bytes,
		     item_fn *read, void *out, size_t *out_len)
{
	const json_t *list = json_object_get(m->object, key);
	uint8_t *items = xb_arena_array(&p->lock->arena, json_array_size(list), item_bytes);

	if (!json_is_array(list))
		return xb_fail(p->err, XB_E_LOCK, "%s: expected a list as '%s'", m->where, key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		char *where XB_CLEANUP(xb_free_ptr) = xb_printf("%s.%s[%zu]", m->where, key, i);
		const struct lock_member item = {json_array_get(list, i), where};

		if (read(p, &item, items + i * item_bytes) < 0)
			return p->err->code;
	}
	*(void **)out = items;
	*out_len = json_array_size(list);
	return 0;
}

static int read_apko(struct lock_parser *p, const json_t *value, struct xb_lock_apko *out)
{
	static const char *const known[] = {"config", "keyring", "packages", "repositories", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("apko.%s", out->path);
	const struct lock_member m = {value, where};

	if (!xb_path_is_safe(xb_sv(out->path)))
		return xb_fail(p->err, XB_E_LOCK, "apko: '%s' is no path below the project", out->path);
	if (lock_read_object(p, value, known, where) < 0 || lock_read_digest(p, &m, "config", &out->config) < 0)
		return p->err->code;
	if (read_list(p, &m, "keyring", sizeof(*out->keys), read_key, &out->keys, &out->n_keys) < 0 ||
	    read_list(p, &m, "repositories", sizeof(*out->repositories), read_repository, &out->repositories,
		      &out->n_repositories) < 0 ||
	    read_list(p, &m, "packages", sizeof(*out->packages), read_apk, &out->packages, &out->n_packages) < 0)
		return p->err->code;
	return check_apks(p, out, where);
}

static int read_platform(struct lock_parser *p, const char *parent, const json_t *value,
			 struct xb_lock_base_platform *out)
{
	static const char *const known[] = {"digest", "size", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("%s.platforms.%s", parent, out->target);
	const struct lock_member m = {value, where};
	const struct xb_target *target = xb_target_find(xb_sv(out->target));

	if (!target || strcmp(target->name, out->target) != 0)
		return xb_fail(p->err, XB_E_LOCK, "%s: this is no target that xbuild knows", where);
	if (lock_read_object(p, value, known, where) < 0 || lock_read_digest(p, &m, "digest", &out->manifest) < 0)
		return p->err->code;
	return lock_read_size(p, &m, "size", &out->size_bytes);
}

static int read_base(struct lock_parser *p, const json_t *value, struct xb_lock_base *out)
{
	static const char *const known[] = {"index", "platforms", NULL};
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("bases.%s", out->ref);
	const struct lock_member m = {value, where};
	const json_t *platforms = json_object_get(value, "platforms");
	const char **names;

	if (!is_place(xb_sv(out->ref)))
		return xb_fail(p->err, XB_E_LOCK, "bases: '%s' is no name of an image", out->ref);
	if (lock_read_object(p, value, known, where) < 0 || lock_read_digest(p, &m, "index", &out->index) < 0 ||
	    lock_read_object(p, platforms, NULL, where) < 0)
		return p->err->code;
	names = lock_sorted_keys(p, platforms);
	out->n_platforms = json_object_size(platforms);
	out->platforms = xb_arena_array(&p->lock->arena, out->n_platforms, sizeof(*out->platforms));
	for (size_t i = 0; i < out->n_platforms; i++) {
		out->platforms[i].target = names[i];
		if (read_platform(p, where, json_object_get(platforms, names[i]), &out->platforms[i]) < 0)
			return p->err->code;
	}
	return 0;
}

static int read_apkos(struct lock_parser *p, const json_t *object)
{
	struct xb_lock *lock = p->lock;
	const char **paths;

	if (!object)
		return 0;
	if (lock_read_object(p, object, NULL, "apko") < 0)
		return p->err->code;
	paths = lock_sorted_keys(p, object);
	lock->n_apkos = json_object_size(object);
	lock->apkos = xb_arena_array(&lock->arena, lock->n_apkos, sizeof(*lock->apkos));
	for (size_t i = 0; i < lock->n_apkos; i++) {
		lock->apkos[i].path = paths[i];
		if (read_apko(p, json_object_get(object, paths[i]), &lock->apkos[i]) < 0)
			return p->err->code;
	}
	return 0;
}

int lock_read_bases(struct lock_parser *p, const json_t *document)
{
	struct xb_lock *lock = p->lock;
	const json_t *bases = json_object_get(document, "bases");
	const char **refs;

	if (read_images(p, json_object_get(document, "images")) < 0 ||
	    read_apkos(p, json_object_get(document, "apko")) < 0)
		return p->err->code;
	if (!bases)
		return 0;
	if (lock_read_object(p, bases, NULL, "bases") < 0)
		return p->err->code;
	refs = lock_sorted_keys(p, bases);
	lock->n_bases = json_object_size(bases);
	lock->bases = xb_arena_array(&lock->arena, lock->n_bases, sizeof(*lock->bases));
	for (size_t i = 0; i < lock->n_bases; i++) {
		lock->bases[i].ref = refs[i];
		if (read_base(p, json_object_get(bases, refs[i]), &lock->bases[i]) < 0)
			return p->err->code;
	}
	return 0;
}

/* ---- writing: keys in the order of their bytes ---- */

static json_t *apk_json(const struct xb_lock_apk *apk)
{
	json_t *object = json_object();

	lock_put_string(object, "arch", apk->arch);
	lock_put_string(object, "checksum", apk->checksum);
	json_object_set_new(object, "control", json_integer(apk->control_bytes));
	lock_put_digest(object, "data", &apk->data);
	json_object_set_new(object, "depends", lock_names_json(apk->depends, apk->n_depends));
	if (apk->n_install_if)
		json_object_set_new(object, "install-if", lock_names_json(apk->install_if, apk->n_install_if));
	lock_put_string(object, "name", apk->name);
	lock_put_digest(object, "sha256", &apk->sha256);
	json_object_set_new(object, "signature", json_integer(apk->signature_bytes));
	if (apk->signature_sha1)
		lock_put_string(object, "signature-sha1", apk->signature_sha1);
	json_object_set_new(object, "size", json_integer(apk->size_bytes));
	lock_put_string(object, "url", apk->url);
	lock_put_string(object, "version", apk->version);
	return object;
}

static json_t *key_json(const struct xb_lock_apk_key *key)
{
	json_t *object = json_object();

	lock_put_string(object, "content", key->content);
	lock_put_string(object, "name", key->name);
	lock_put_string(object, "url", key->url);
	return object;
}

static json_t *repository_json(const struct xb_lock_apk_repository *repository)
{
	json_t *object = json_object();

	lock_put_string(object, "arch", repository->arch);
	lock_put_digest(object, "index", &repository->index);
	lock_put_string(object, "signature", repository->signature);
	lock_put_string(object, "signed-by", repository->signed_by);
	lock_put_string(object, "url", repository->url);
	return object;
}

static json_t *apko_json(const struct xb_lock_apko *apko)
{
	json_t *object = json_object(), *keys = json_array(), *packages = json_array(), *repositories = json_array();

	for (size_t i = 0; i < apko->n_keys; i++)
		json_array_append_new(keys, key_json(&apko->keys[i]));
	for (size_t i = 0; i < apko->n_packages; i++)
		json_array_append_new(packages, apk_json(&apko->packages[i]));
	for (size_t i = 0; i < apko->n_repositories; i++)
		json_array_append_new(repositories, repository_json(&apko->repositories[i]));
	lock_put_digest(object, "config", &apko->config);
	json_object_set_new(object, "keyring", keys);
	json_object_set_new(object, "packages", packages);
	json_object_set_new(object, "repositories", repositories);
	return object;
}

static json_t *base_json(const struct xb_lock_base *base)
{
	json_t *object = json_object(), *platforms = json_object();

	for (size_t i = 0; i < base->n_platforms; i++) {
		json_t *platform = json_object();

		lock_put_digest(platform, "digest", &base->platforms[i].manifest);
		json_object_set_new(platform, "size", json_integer(base->platforms[i].size_bytes));
		json_object_set_new(platforms, base->platforms[i].target, platform);
	}
	lock_put_digest(object, "index", &base->index);
	json_object_set_new(object, "platforms", platforms);
	return object;
}

static void put_unless_empty(json_t *document, const char *key, json_t *object)
{
	if (json_object_size(object))
		json_object_set_new(document, key, object);
	else
		json_decref(object);
}

void lock_put_bases(json_t *document, const struct xb_lock *lock)
{
	json_t *images = json_object(), *apkos = json_object(), *bases = json_object();

	for (size_t i = 0; i < lock->n_images; i++) {
		const struct xb_lock_image *image = &lock->images[i];

		if (!json_object_get(images, image->image))
			json_object_set_new(images, image->image, json_object());
		json_object_set_new(json_object_get(images, image->image), image->target,
				    lock_packages_json(&image->packages));
	}
	for (size_t i = 0; i < lock->n_apkos; i++)
		json_object_set_new(apkos, lock->apkos[i].path, apko_json(&lock->apkos[i]));
	for (size_t i = 0; i < lock->n_bases; i++)
		json_object_set_new(bases, lock->bases[i].ref, base_json(&lock->bases[i]));
	put_unless_empty(document, "images", images);
	put_unless_empty(document, "apko", apkos);
	put_unless_empty(document, "bases", bases);
}
