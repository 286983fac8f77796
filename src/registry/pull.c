/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/pull.h"

#include <string.h>

#include "client.h"
#include "meter.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/registry/blob.h"
#include "xbuild/registry/manifest.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/pool.h"

struct pulling {
	const struct xb_pull_opts *opts;
	struct xb_repository *repo;
	const struct xb_content *graph;
	struct meter meter;
};

static int read_stored(struct pulling *p, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(p->opts->store, digest);

	return xb_fs_read(path, XB_MAX_OCI_DOCUMENT_BYTES, out, err);
}

static int keep(struct pulling *p, const struct xb_manifest *m, struct xb_err *err)
{
	struct xb_digest stored;

	return xb_cas_put_bytes(p->opts->store, m->bytes.data, m->bytes.len, &stored, err);
}

/* The graph checks what it gets, so a document in the store is as good as one from the registry. */
static int read_document(void *ctx, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err)
{
	struct pulling *p = ctx;
	struct xb_manifest m XB_CLEANUP(xb_manifest_release) = {0};
	bool stored;

	if (xb_cas_has_whole(p->opts->store, digest, -1, &stored, err) < 0)
		return err->code;
	if (stored)
		return read_stored(p, digest, out, err);
	if (xb_manifest_get(p->repo, digest, &m, err) < 0 || keep(p, &m, err) < 0)
		return err->code;
	*out = m.bytes;
	m.bytes = (struct xb_str){0};
	return 0;
}

static bool wants(void *ctx, const char *platform)
{
	const struct pulling *p = ctx;

	return !p->opts->wants || p->opts->wants(p->opts->ctx, platform);
}

static int read_graph(struct pulling *p, struct xb_content *out, struct xb_err *err)
{
	const struct xb_content_reader reader = {.read = read_document, .wants = wants, .ctx = p};
	struct xb_manifest root XB_CLEANUP(xb_manifest_release) = {0};

	if (xb_manifest_resolve(p->repo, &root, err) < 0 || keep(p, &root, err) < 0 ||
	    xb_content_read(&reader, root.media_type, &root.digest, out, err) < 0)
		return err->code;
	if (out->documents.len > 1 || !out->documents.items[0].is_index)
		return 0;
	xb_content_release(out);
	return xb_fail(err, XB_E_NOT_FOUND, "the image has none of the platforms asked for");
}

static int blob_job(void *ctx, size_t i, struct xb_err *err)
{
	struct pulling *p = ctx;
	const struct xb_content_blob *b = &p->graph->blobs.items[i];
	const struct xb_blob blob = {
		.digest = b->digest, .size_bytes = b->size_bytes, .moved = meter_moved, .ctx = &p->meter};

	if (!b->is_foreign && xb_blob_fetch(p->repo, p->opts->store, &blob, err) < 0)
		return err->code;
	meter_item(&p->meter);
	return 0;
}

static int fetch_blobs(struct pulling *p, const struct xb_content *graph, struct xb_err *err)
{
	const int parallel = p->opts->parallel > 0 ? p->opts->parallel : XB_PULL_PARALLEL;
	uint64_t total = 0;
	int rc;

	p->graph = graph;
	for (size_t i = 0; i < graph->blobs.len; i++)
		total += graph->blobs.items[i].is_foreign ? 0 : (uint64_t)graph->blobs.items[i].size_bytes;
	meter_start(&p->meter, p->repo->registry->opts.observer, "pull", graph->blobs.len, total);
	rc = xb_parallel(graph->blobs.len, parallel, blob_job, p, err);
	meter_end(&p->meter);
	return rc;
}

int xb_pull(struct xb_registry *registry, const struct xb_pull_opts *opts, struct xb_content *out, struct xb_err *err)
{
	struct pulling p = {.opts = opts, .repo = xb_repository_open(registry, opts->ref, false)};
	int rc = read_graph(&p, out, err);

	if (rc == 0 && fetch_blobs(&p, out, err) < 0) {
		xb_content_release(out);
		rc = err->code;
	}
	if (rc < 0)
		xb_wrap(err, "pull '%s/%s'", opts->ref->registry, opts->ref->repository);
	xb_repository_close(p.repo);
	return rc;
}
