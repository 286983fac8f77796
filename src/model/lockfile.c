/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/lockfile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockfile_read.h"
#include "xbuild/model/timestamp.h"
#include "xbuild/sys/json.h"

/* Document, kind, host or target, and list are spread over lines; a package is one line. */
#define PRETTY_DEPTH 4

void xb_lock_free(struct xb_lock *lock)
{
	struct xb_arena arena;

	if (!lock)
		return;
	/* The lock itself is not in its arena, but what it points to is. */
	arena = lock->arena;
	free(lock);
	xb_arena_release(&arena);
}

/* The setters keep the document alive only by their caller, so they never hold a reference of their own. */
void lock_put_string(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_string(text));
}

void lock_put_digest(json_t *object, const char *key, const struct xb_digest *digest)
{
	char hex[XB_DIGEST_HEX];

	lock_put_string(object, key, xb_digest_hex(digest, hex));
}

/* Keys are put in the order of their bytes here and below: the document's own key alone stands out of order. */
static json_t *suite_json(const struct xb_lock_suite *suite)
{
	json_t *object = json_object();
	char date[XB_TIMESTAMP_SIZE];

	lock_put_string(object, "archive", suite->archive);
	lock_put_string(object, "date", xb_timestamp_format(suite->date, date));
	lock_put_digest(object, "in-release", &suite->in_release);
	lock_put_string(object, "path", suite->path);
	lock_put_string(object, "signed-by", suite->signed_by);
	return object;
}

json_t *lock_names_json(const char *const *names, size_t len)
{
	json_t *list = json_array();

	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *package_json(const struct xb_lock_package *package)
{
	json_t *object = json_object(), *depends = lock_names_json(package->depends, package->n_depends);

	lock_put_string(object, "arch", package->arch);
	json_object_set_new(object, "depends", depends);
	lock_put_string(object, "name", package->name);
	lock_put_string(object, "path", package->path);
	lock_put_digest(object, "sha256", &package->sha256);
	json_object_set_new(object, "size", json_integer(package->size_bytes));
	lock_put_string(object, "suite", package->suite);
	lock_put_string(object, "version", package->version);
	return object;
}

json_t *lock_packages_json(const struct xb_lock_packages *packages)
{
	json_t *list = json_array();

	for (size_t i = 0; i < packages->len; i++)
		json_array_append_new(list, package_json(&packages->items[i]));
	return list;
}

static json_t *signature_json(const struct xb_lock_signature *signature)
{
	json_t *object = json_object();

	lock_put_digest(object, "key", &signature->key);
	lock_put_digest(object, "sha256", &signature->sha256);
	json_object_set_new(object, "size", json_integer(signature->size_bytes));
	lock_put_string(object, "url", signature->url);
	return object;
}

static json_t *archive_json(const struct xb_lock_archive *archive)
{
	json_t *object = json_object();

	lock_put_digest(object, "sha256", &archive->sha256);
	if (archive->signature.url)
		json_object_set_new(object, "signature", signature_json(&archive->signature));
	if (archive->size_bytes >= 0)
		json_object_set_new(object, "size", json_integer(archive->size_bytes));
	lock_put_string(object, "url", archive->url);
	return object;
}

static json_t *toolchain_json(const struct xb_lock_toolchain *toolchain)
{
	json_t *object = json_object();

	if (toolchain->archive.url)
		json_object_set_new(object, "archive", archive_json(&toolchain->archive));
	lock_put_string(object, "name", toolchain->name);
	if (!toolchain->archive.url) {
		json_object_set_new(object, "packages", lock_packages_json(&toolchain->packages));
		json_object_set_new(object, "tools", lock_packages_json(&toolchain->tools));
	}
	lock_put_string(object, "version", toolchain->version);
	return object;
}

static json_t *directory_json(const struct xb_lock_archive *directory)
{
	json_t *object = json_object();

	lock_put_digest(object, "tree", &directory->sha256);
	lock_put_string(object, "url", directory->url);
	return object;
}

static json_t *sysroot_json(const struct xb_lock_sysroot *sysroot)
{
	json_t *object = json_object();

	if (sysroot->is_directory)
		json_object_set_new(object, "directory", directory_json(&sysroot->archive));
	else if (sysroot->archive.url)
		json_object_set_new(object, "archive", archive_json(&sysroot->archive));
	lock_put_string(object, "name", sysroot->name);
	if (!sysroot->archive.url)
		json_object_set_new(object, "packages", lock_packages_json(&sysroot->packages));
	return object;
}

/* What the text holds has been JSON before, so it is again: of this program or of a lock that was read. */
static void put_wishes(json_t *document, const struct xb_lock *lock)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	json_t *wishes = NULL;

	if (lock->wishes && xb_json_parse(xb_sv(lock->wishes), XB_LOCK_NAME, &wishes, &err) == 0)
		json_object_set_new(document, "wishes", wishes);
	assert(!lock->wishes || wishes);
}

void xb_lock_write(const struct xb_lock *lock, struct xb_str *out)
{
	json_t *document XB_CLEANUP(xb_json_release) = json_object();
	json_t *suites = json_object(), *sysroots = json_object(), *toolchains = json_object();

	for (size_t i = 0; i < lock->n_suites; i++)
		json_object_set_new(suites, lock->suites[i].id, suite_json(&lock->suites[i]));
	for (size_t i = 0; i < lock->n_sysroots; i++)
		json_object_set_new(sysroots, lock->sysroots[i].target, sysroot_json(&lock->sysroots[i]));
	for (size_t i = 0; i < lock->n_toolchains; i++)
		json_object_set_new(toolchains, lock->toolchains[i].host, toolchain_json(&lock->toolchains[i]));
	json_object_set_new(document, "xbuild-lock", json_integer(XB_LOCK_FORMAT));
	lock_put_digest(document, "inputs", &lock->inputs);
	put_wishes(document, lock);
	json_object_set_new(document, "suites", suites);
	json_object_set_new(document, "sysroots", sysroots);
	json_object_set_new(document, "toolchains", toolchains);
	lock_put_rust(document, lock);
	lock_put_bases(document, lock);
	xb_json_write(document, PRETTY_DEPTH, false, out);
	xb_str_append_char(out, '\n');
}

const struct xb_lock_suite *xb_lock_suite(const struct xb_lock *lock, const char *id)
{
	for (size_t i = 0; i < lock->n_suites; i++) {
		if (strcmp(lock->suites[i].id, id) == 0)
			return &lock->suites[i];
	}
	return NULL;
}

const struct xb_lock_toolchain *xb_lock_toolchain(const struct xb_lock *lock, const char *host)
{
	for (size_t i = 0; i < lock->n_toolchains; i++) {
		if (strcmp(lock->toolchains[i].host, host) == 0)
			return &lock->toolchains[i];
	}
	return NULL;
}

const struct xb_lock_sysroot *xb_lock_sysroot(const struct xb_lock *lock, const char *target)
{
	for (size_t i = 0; i < lock->n_sysroots; i++) {
		if (strcmp(lock->sysroots[i].target, target) == 0)
			return &lock->sysroots[i];
	}
	return NULL;
}

const struct xb_lock_image *xb_lock_image(const struct xb_lock *lock, const char *image, const char *target)
{
	for (size_t i = 0; i < lock->n_images; i++) {
		if (strcmp(lock->images[i].image, image) == 0 && strcmp(lock->images[i].target, target) == 0)
			return &lock->images[i];
	}
	return NULL;
}

const struct xb_lock_apko *xb_lock_apko(const struct xb_lock *lock, const char *path)
{
	for (size_t i = 0; i < lock->n_apkos; i++) {
		if (strcmp(lock->apkos[i].path, path) == 0)
			return &lock->apkos[i];
	}
	return NULL;
}

const struct xb_lock_base *xb_lock_base(const struct xb_lock *lock, const char *ref)
{
	for (size_t i = 0; i < lock->n_bases; i++) {
		if (strcmp(lock->bases[i].ref, ref) == 0)
			return &lock->bases[i];
	}
	return NULL;
}

static int compare_package(const void *name, const void *package)
{
	return strcmp(name, ((const struct xb_lock_package *)package)->name);
}

const struct xb_lock_package *xb_lock_package(const struct xb_lock_packages *packages, const char *name)
{
	if (!packages->len)
		return NULL;
	return bsearch(name, packages->items, packages->len, sizeof(*packages->items), compare_package);
}
