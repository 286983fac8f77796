/* SPDX-License-Identifier: Apache-2.0 */
/* What the lock depends on. */
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/project.h"
#include "xbuild/model/stdlib.h"
#include "xbuild/sys/json.h"

struct names {
	const char **items;
	size_t len, cap;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The order in which a user lists things changes nothing that is locked. */
static void put_sorted(json_t *object, const char *key, const struct names *names)
{
	json_t *list = json_array();

	if (names->len)
		qsort(names->items, names->len, sizeof(*names->items), compare);
	for (size_t i = 0; i < names->len; i++)
		json_array_append_new(list, json_string(names->items[i]));
	json_object_set_new(object, key, list);
}

static void put_words(json_t *object, const char *key, const struct xb_words *words)
{
	struct names names = {0};

	for (size_t i = 0; i < words->len; i++)
		XB_VEC_PUSH(&names, words->items[i]);
	put_sorted(object, key, &names);
	XB_VEC_RELEASE(&names);
}

/* Debian's name, as locks have it from the start; musl is another choice of packages of the same architecture. */
static const char *lock_name(const struct xb_target *target)
{
	return target->libc == XB_LIBC_GLIBC ? target->debian_arch : target->name;
}

static void put_targets(json_t *object, const struct xb_project *project)
{
	struct names names = {0};

	for (size_t i = 0; i < project->n_targets; i++)
		XB_VEC_PUSH(&names, lock_name(project->targets[i].target));
	put_sorted(object, "targets", &names);
	XB_VEC_RELEASE(&names);
}

/* Targets whose sysroots have libc++ as well. */
static void put_libcxx(json_t *object, const struct xb_project *project)
{
	struct names names = {0};

	for (size_t i = 0; i < project->n_targets; i++)
		if (xb_stdlib_needs_libcxx(project, &project->targets[i]))
			XB_VEC_PUSH(&names, lock_name(project->targets[i].target));
	if (names.len)
		put_sorted(object, "libc++", &names);
	XB_VEC_RELEASE(&names);
}

/* Of base auto nothing but further packages is solved for: its object is left out, as older locks have none. */
static void put_image(json_t *images, const struct xb_image *image)
{
	json_t *object = json_object();

	if (image->base_name)
		json_object_set_new(object, "name", json_string(image->base_name));
	if (image->base_packages.len)
		put_words(object, "debian", &image->base_packages);
	if (image->packages.len)
		put_words(object, "packages", &image->packages);
	if (image->apko)
		json_object_set_new(object, "apko", json_string(image->apko));
	if (image->apko_lock)
		json_object_set_new(object, "apko-lock", json_string(image->apko_lock));
	if (image->base_ref)
		json_object_set_new(object, "image", json_string(image->base_ref));
	if (json_object_size(object) && image->targets.len)
		put_words(object, "targets", &image->targets);
	if (json_object_size(object))
		json_object_set_new(images, image->name, object);
	else
		json_decref(object);
}

static void put_images(json_t *object, const struct xb_project *project)
{
	json_t *images = json_object();

	for (size_t i = 0; i < project->n_images; i++)
		put_image(images, &project->images[i]);
	if (json_object_size(images))
		json_object_set_new(object, "images", images);
	else
		json_decref(images);
}

static void put_archives(json_t *object, const char *key, const struct xb_archive_refs *refs)
{
	json_t *archives = json_object();

	for (size_t i = 0; i < refs->len; i++) {
		const struct xb_archive_ref *ref = &refs->items[i];
		json_t *archive = json_object();
		char hex[XB_DIGEST_HEX];

		json_object_set_new(archive, "url", json_string(ref->url));
		if (!xb_digest_is_zero(&ref->sha256))
			json_object_set_new(archive, "sha256", json_string(xb_digest_hex(&ref->sha256, hex)));
		if (ref->signature) {
			json_object_set_new(archive, "signature", json_string(ref->signature));
			json_object_set_new(archive, "key", json_string(ref->key));
		}
		json_object_set_new(archives, ref->owner ? ref->owner : "all", archive);
	}
	json_object_set_new(object, key, archives);
}

static void put_suites(json_t *object, const struct xb_project *project)
{
	json_t *suites = json_object();

	for (size_t i = 0; i < project->suites.len; i++) {
		const struct xb_project_suite *suite = &project->suites.items[i];
		json_t *one = json_object();

		if (suite->url) {
			json_object_set_new(one, "url", json_string(suite->url));
			json_object_set_new(one, "suite", json_string(suite->suite));
			json_object_set_new(one, "key", json_string(suite->key));
			put_words(one, "components", &suite->components);
		}
		if (suite->packages.len)
			put_words(one, "packages", &suite->packages);
		json_object_set_new(suites, suite->name, one);
	}
	json_object_set_new(object, "suites", suites);
}

/* What is as it always was is left out: older locks have none of it. */
static void put_sources(json_t *object, const struct xb_project *project)
{
	static const char *const sources[] = {NULL, "official", "minimal", "archive"};

	if (project->toolchain_source != XB_TOOLCHAIN_ANY)
		json_object_set_new(object, "toolchain-source", json_string(sources[project->toolchain_source]));
	if (project->toolchain_source == XB_TOOLCHAIN_OWN) {
		json_object_set_new(object, "toolchain-version", json_string(project->toolchain_version));
		put_archives(object, "toolchain-archives", &project->toolchain_archives);
	}
	if (project->sysroot_source != XB_SYSROOT_DATA)
		put_archives(object, "sysroot-archives", &project->sysroot_archives);
	if (project->sysroot_drop.len)
		put_words(object, "sysroot-drop", &project->sysroot_drop);
	if (project->suites.len)
		put_suites(object, project);
}

json_t *xb_project_lock_wishes(const struct xb_project *project)
{
	json_t *object = json_object();

	json_object_set_new(object, "toolchain", json_string(project->toolchain));
	json_object_set_new(object, "toolchain-profile", json_string(project->toolchain_full ? "full" : "small"));
	if (project->rust)
		json_object_set_new(object, "rust", json_string(project->rust));
	if (project->crates.len)
		put_words(object, "crates", &project->crates);
	json_object_set_new(object, "sysroot", json_string(project->sysroot));
	json_object_set_new(object, "snapshot", json_string(project->snapshot));
	put_words(object, "packages", &project->packages);
	put_words(object, "hosts", &project->hosts);
	put_targets(object, project);
	put_libcxx(object, project);
	put_images(object, project);
	put_sources(object, project);
	return object;
}

void xb_project_lock_inputs(const struct xb_project *project, struct xb_digest *out)
{
	json_t *wishes XB_CLEANUP(xb_json_release) = xb_project_lock_wishes(project);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_json_write(wishes, 0, true, &text);
	xb_digest_bytes(xb_str_get(&text), text.len, out);
}
