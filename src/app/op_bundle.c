/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_bundle.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "base_image.h"
#include "fetch_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/image/artifact.h"
#include "xbuild/image/layout.h"
#include "xbuild/image/tarball.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define ARTIFACT_TYPE "application/vnd.xbuild.bundle.v1"
#define LOCK_TYPE     "application/vnd.xbuild.lock.v1+json"
#define BLOB_TYPE     "application/octet-stream"

struct bundle {
	struct xb_app *app;
	const struct xb_bundle_opts *opts;
	struct xb_artifact_blobs first; /* lock, then documents of bases: what a reader has to know before the others */
	struct xb_artifact_blobs rest;
	struct xb_map seen; /* hex */
	struct xb_str index;
	struct xb_artifact_blobs all; /* in the order of the tar */
};

static void bundle_release(struct bundle *b)
{
	xb_artifact_blobs_release(&b->first);
	xb_artifact_blobs_release(&b->rest);
	xb_artifact_blobs_release(&b->all);
	xb_map_release(&b->seen);
	xb_str_release(&b->index);
}

/* ---- what is in it ---- */

/* The size is that of the file: of an archive the lock may not know it. */
static int add_blob(struct bundle *b, const struct xb_digest *digest, struct xb_artifact_blobs *to, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(b->app->store, digest);
	char hex[XB_DIGEST_HEX];
	struct stat st;

	if (xb_map_has(&b->seen, xb_sv(xb_digest_hex(digest, hex))))
		return 0;
	if (stat(path, &st) < 0)
		return xb_fail_errno(err, "read '%s'", path);
	xb_map_put_str(&b->seen, hex, b);
	XB_VEC_PUSH(to, ((struct xb_descriptor){.digest = *digest, .size_bytes = (uint64_t)st.st_size}));
	return 0;
}

static int add_base_image(struct bundle *b, const struct xb_image *image, const struct xb_target *target,
			  struct xb_err *err)
{
	struct base_image base XB_CLEANUP(base_image_release) = {0};
	const int found = base_image_find(b->app, image, target, &base, err);

	if (found < 0)
		return found;
	if (!found)
		return xb_fail(err, XB_E_SYSTEM, "base '%s' is not in the store although it was just fetched",
			       image->base_ref);
	if (add_blob(b, &base.manifest->digest, &b->first, err) < 0 ||
	    add_blob(b, &base.graph.blobs.items[base.manifest->config].digest, &b->rest, err) < 0)
		return err->code;
	for (size_t i = 0; i < base.manifest->n_layers; i++)
		if (add_blob(b, &base.layers[i].blob, &b->rest, err) < 0)
			return err->code;
	return 0;
}

/* An apko file is resolved for all its architectures; the store has those that were fetched. */
static int add_apko(struct bundle *b, const struct xb_target *target, struct xb_err *err)
{
	const struct xb_lock *lock = b->app->lock;

	for (size_t i = 0; i < lock->n_apkos; i++) {
		for (size_t k = 0; k < lock->apkos[i].n_packages; k++) {
			const struct xb_lock_apk *package = &lock->apkos[i].packages[k];

			if (strcmp(package->arch, target->apk_arch) == 0 &&
			    xb_cas_has(b->app->store, &package->sha256, package->size_bytes) &&
			    add_blob(b, &package->sha256, &b->rest, err) < 0)
				return err->code;
		}
	}
	return 0;
}

static int add_base(struct bundle *b, const struct xb_want *want, struct xb_err *err)
{
	const struct xb_image *image;
	const struct xb_target *target;

	if (xb_want_image(b->app, want, &image, &target, err) < 0)
		return err->code;
	return image->base == XB_BASE_APKO ? add_apko(b, target, err) : add_base_image(b, image, target, err);
}

static int compare_blobs(const void *a, const void *b)
{
	return memcmp(&((const struct xb_descriptor *)a)->digest, &((const struct xb_descriptor *)b)->digest,
		      sizeof(struct xb_digest));
}

/* A toolchain that only other hosts need need not be had. */
static int hint_hosts(const struct bundle *b, struct xb_err *err)
{
	if (err->code != XB_E_NETWORK || b->opts->n_hosts || b->app->lock->n_toolchains < 2)
		return err->code;
	return xb_hint_instead(err, "%s%sa bundle has the toolchains of all hosts; '--host %s' takes that of this one",
			       err->hint ? err->hint : "", err->hint ? "; " : "", b->app->host.name);
}

/* Fetches what the store lacks, and lists all of it: what op_fetch would unpack, for all hosts that are asked for. */
static int collect(struct bundle *b, struct xb_err *err)
{
	const struct fetch_scope scope = {.hosts = b->opts->hosts,
					  .n_hosts = b->opts->n_hosts,
					  .targets = b->opts->targets,
					  .n_targets = b->opts->n_targets};
	struct fetch_plan plan XB_CLEANUP(fetch_plan_release) = {.app = b->app};
	const struct xb_want *wants;
	size_t n_wants;

	if (fetch_scope_wants(b->app, &scope, &wants, &n_wants, err) < 0)
		return err->code;
	if (fetch_all_blobs(&plan, wants, n_wants, err) < 0)
		return hint_hosts(b, err);
	for (size_t i = 0; i < plan.blobs.len; i++)
		if (add_blob(b, &plan.blobs.items[i].sha256, &b->rest, err) < 0)
			return err->code;
	for (size_t i = 0; i < n_wants; i++)
		if (wants[i].kind == XB_WANT_BASE && add_base(b, &wants[i], err) < 0)
			return err->code;
	if (b->rest.len)
		qsort(b->rest.items, b->rest.len, sizeof(*b->rest.items), compare_blobs);
	return 0;
}

/* ---- writing it ---- */

static void append(struct xb_artifact_blobs *to, const struct xb_artifact_blobs *from)
{
	for (size_t i = 0; i < from->len; i++)
		XB_VEC_PUSH(to, from->items[i]);
}

/* The artifact that holds it together; blobs in the order of the file. */
static int make_documents(struct bundle *b, struct xb_err *err)
{
	struct xb_arena *arena = &b->app->arena;
	const size_t n = b->first.len + b->rest.len;
	struct xb_artifact_layer *layers = xb_arena_array(arena, n, sizeof(*layers));
	struct xb_artifact artifact = {
		.artifact_type = ARTIFACT_TYPE, .config_type = XB_MEDIA_EMPTY, .layers = layers, .n_layers = n};
	struct xb_artifact_entry entry = {.artifact_type = ARTIFACT_TYPE};
	struct xb_str manifest XB_CLEANUP(xb_str_release) = {0};
	struct xb_artifact_blobs documents = {0};
	int rc;

	for (size_t i = 0; i < n; i++)
		layers[i] = (struct xb_artifact_layer){.media_type = i ? BLOB_TYPE : LOCK_TYPE,
						       .blob = i < b->first.len ? b->first.items[i]
										: b->rest.items[i - b->first.len]};
	rc = xb_artifact_put(b->app->store, xb_sv(XB_EMPTY_JSON), &documents, &artifact.config, err);
	if (rc == 0) {
		xb_artifact_manifest(&artifact, &manifest);
		rc = xb_artifact_put(b->app->store, xb_str_sv(&manifest), &documents, &entry.manifest, err);
	}
	if (rc == 0)
		xb_artifact_index(&entry, 1, &b->index);
	append(&b->all, &documents);
	append(&b->all, &b->first);
	append(&b->all, &b->rest);
	xb_artifact_blobs_release(&documents);
	return rc;
}

static int write_tar(const struct bundle *b, const char *path, struct xb_err *err)
{
	struct xb_tarball t XB_CLEANUP(xb_tarball_release) = {0};

	if (xb_tarball_open(&t, path, b->app->interrupted, err) < 0 ||
	    xb_tarball_add_text(&t, "oci-layout", xb_sv(XB_LAYOUT_VERSION_JSON), err) < 0 ||
	    xb_tarball_add_text(&t, "index.json", xb_str_sv(&b->index), err) < 0 ||
	    xb_tarball_add_dir(&t, "blobs", err) < 0 || xb_tarball_add_dir(&t, "blobs/sha256", err) < 0)
		return err->code;
	for (size_t i = 0; i < b->all.len; i++)
		if (xb_tarball_add_blob(&t, b->app->store, &b->all.items[i], err) < 0)
			return err->code;
	return xb_tarball_finish(&t, err);
}

static int write_layout(const struct bundle *b, const char *path, struct xb_err *err)
{
	const struct xb_layout layout = {
		.dir = path, .blobs = b->all.items, .n_blobs = b->all.len, .index_json = xb_str_sv(&b->index)};
	bool changed;

	return xb_layout_write(b->app->store, &layout, &changed, err);
}

static int find_output(const struct bundle *b, char **out, struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *name XB_CLEANUP(xb_free_ptr) = NULL;

	if (xb_app_start_dir(b->app, &start, err) < 0)
		return err->code;
	name = b->opts->output ? xb_strdup(b->opts->output)
			       : xb_printf("%s.bundle%s", b->app->project->name, b->opts->is_layout ? "" : ".tar");
	*out = xb_path_join(start, name);
	return 0;
}

/* The lock as it is in the project: who has the bundle alone has that too. */
static int add_lock(struct bundle *b, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_descriptor lock;

	if (xb_fs_read(b->app->lock_path, XB_MAX_JSON_BYTES, &text, err) < 0)
		return err->code;
	return xb_artifact_put(b->app->store, xb_str_sv(&text), &b->first, &lock, err);
}

int xb_op_bundle(struct xb_app *app, const struct xb_bundle_opts *opts, struct xb_bundle_result *out,
		 struct xb_err *err)
{
	struct bundle b XB_CLEANUP(bundle_release) = {.app = app, .opts = opts};
	struct xb_bundle_result result = {0};
	char *path XB_CLEANUP(xb_free_ptr) = NULL;
	const int64_t began_ms = xb_host_monotonic_ms();
	char size[XB_NUM_SIZE_MAX];

	if (xb_app_need_lock(app, err) < 0 || xb_app_need_store(app, err) < 0 || find_output(&b, &path, err) < 0 ||
	    add_lock(&b, err) < 0 || collect(&b, err) < 0 || make_documents(&b, err) < 0)
		return err->code;
	if (opts->is_layout ? write_layout(&b, path, err) < 0 : write_tar(&b, path, err) < 0)
		return err->code;
	result.n_blobs = b.all.len;
	for (size_t i = 0; i < b.all.len; i++)
		result.bytes += b.all.items[i].size_bytes;
	char *label XB_CLEANUP(xb_free_ptr) =
		xb_printf("%zu files, %s", result.n_blobs, xb_num_size(result.bytes, size));

	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_DONE,
						     .verb = "Bundled",
						     .label = label,
						     .elapsed_ms = xb_host_monotonic_ms() - began_ms});
	result.path = path;
	path = NULL;
	*out = result;
	return 0;
}
