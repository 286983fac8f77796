/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/push.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client.h"
#include "journal.h"
#include "meter.h"
#include "xbuild/base/alloc.h"
#include "xbuild/registry/blob.h"
#include "xbuild/registry/manifest.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/pool.h"

static const char *const way_names[] = {
	[XB_PUSH_THERE] = "there", [XB_PUSH_SENT] = "send", [XB_PUSH_MOUNTED] = "mount", [XB_PUSH_FOREIGN] = "foreign"};

/* The push to one target. */
struct pushing {
	const struct xb_push_opts *opts;
	const struct xb_content *graph;
	size_t target;
	struct xb_repository *repo;
	bool *has_document; /* by index of graph->documents: the repository has it */
	size_t *blobs;	    /* those that may have to be sent: indices */
	size_t n_blobs;
	enum xb_push_way *blob_ways; /* by index of `blobs` */
	struct meter meter;
};

const char *xb_push_way_name(enum xb_push_way way)
{
	return way_names[way];
}

void xb_push_result_release(struct xb_push_result *result)
{
	if (!result)
		return;
	XB_VEC_RELEASE(&result->items);
	*result = (struct xb_push_result){0};
}

/* ---- blobs ---- */

/* From the repositories of this registry that are known to have the blob. */
static int mount(struct pushing *p, const struct xb_content_blob *b, const struct xb_blob *blob, bool *out_mounted,
		 char **out_upload, struct xb_err *err)
{
	const struct xb_push_target *own = &p->opts->targets[p->target];
	const char *base =
		b->document < p->graph->documents.len ? p->graph->documents.items[b->document].base_name : NULL;
	struct xb_reference of_base XB_CLEANUP(xb_reference_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const struct xb_reference *from[2] = {NULL, NULL};

	for (size_t i = 0; i < p->target && !from[0]; i++)
		if (strcasecmp(p->opts->targets[i].ref.host, own->ref.host) == 0)
			from[0] = &p->opts->targets[i].ref;
	if (base && xb_reference_parse(base, &of_base, &ignored) == 0)
		from[1] = &of_base;
	for (size_t i = 0; i < XB_COUNT(from) && !*out_upload && !*out_mounted; i++) {
		if (!from[i] || strcasecmp(from[i]->host, own->ref.host) != 0 ||
		    strcmp(from[i]->repository, own->ref.repository) == 0)
			continue;
		*out_mounted = p->opts->dry_run;
		if (!p->opts->dry_run &&
		    xb_blob_mount(p->repo, from[i]->repository, blob, out_mounted, out_upload, err) < 0)
			return err->code;
	}
	return 0;
}

static int bring_blob(struct pushing *p, const struct xb_content_blob *b, enum xb_push_way *way, struct xb_err *err)
{
	const struct xb_blob blob = {
		.digest = b->digest, .size_bytes = b->size_bytes, .moved = meter_moved, .ctx = &p->meter};
	char *upload XB_CLEANUP(xb_free_ptr) = NULL;
	int fd XB_CLEANUP(xb_fs_close) = -1;
	bool there = false, mounted = false;

	*way = XB_PUSH_FOREIGN;
	if (b->is_foreign)
		return 0;
	if (xb_blob_is_there(p->repo, &blob, &there, err) < 0)
		return err->code;
	if (!there && mount(p, b, &blob, &mounted, &upload, err) < 0)
		return err->code;
	*way = there ? XB_PUSH_THERE : mounted ? XB_PUSH_MOUNTED : XB_PUSH_SENT;
	if (*way != XB_PUSH_SENT)
		meter_moved(&p->meter, b->size_bytes);
	if (*way != XB_PUSH_SENT || p->opts->dry_run)
		return 0;
	if (p->opts->source->open(p->opts->source->ctx, &b->digest, &fd, err) < 0)
		return err->code;
	return xb_blob_send(p->repo, &blob, fd, upload, p->opts->journal_dir, err);
}

static int blob_job(void *ctx, size_t i, struct xb_err *err)
{
	struct pushing *p = ctx;
	const struct xb_content_blob *b = &p->graph->blobs.items[p->blobs[i]];

	if (bring_blob(p, b, &p->blob_ways[i], err) < 0)
		return err->code;
	meter_item(&p->meter);
	return 0;
}

/* All of them are asked for, also below documents that the registry has: it may have lost a blob since. */
static int bring_blobs(struct pushing *p, int parallel, struct xb_err *err)
{
	uint64_t total = 0;
	int rc;

	for (size_t i = 0; i < p->graph->blobs.len; i++) {
		const struct xb_content_blob *b = &p->graph->blobs.items[i];

		p->blobs[p->n_blobs++] = i;
		total += b->is_foreign ? 0 : (uint64_t)b->size_bytes;
	}
	if (!p->n_blobs)
		return 0;
	p->blob_ways = xb_alloc(p->n_blobs * sizeof(*p->blob_ways));
	meter_start(&p->meter, p->repo->registry->opts.observer, "push", p->n_blobs, total);
	rc = xb_parallel(p->n_blobs, parallel, blob_job, p, err);
	meter_end(&p->meter);
	return rc;
}

/* ---- documents ---- */

static int head_job(void *ctx, size_t i, struct xb_err *err)
{
	struct pushing *p = ctx;
	const struct xb_content_document *d = &p->graph->documents.items[i];
	struct xb_digest told;
	char name[XB_DIGEST_OCI];

	return xb_manifest_head(p->repo, xb_digest_oci(&d->digest, name), &p->has_document[i], &told, err);
}

static int find_documents(struct pushing *p, int parallel, struct xb_err *err)
{
	const size_t n = p->graph->documents.len;

	if (head_job(p, n - 1, err) < 0)
		return err->code;
	if (!p->has_document[n - 1])
		return xb_parallel(n - 1, parallel, head_job, p, err);
	for (size_t i = 0; i < n; i++)
		p->has_document[i] = true;
	return 0;
}

static int put_document(struct pushing *p, size_t i, struct xb_err *err)
{
	const struct xb_content_document *d = &p->graph->documents.items[i];
	char name[XB_DIGEST_OCI];

	return xb_manifest_put(p->repo, xb_digest_oci(&d->digest, name), d->media_type, d->bytes, &d->digest, err);
}

static int manifest_job(void *ctx, size_t i, struct xb_err *err)
{
	struct pushing *p = ctx;

	if (p->has_document[i] || p->graph->documents.items[i].is_index)
		return 0;
	return put_document(p, i, err);
}

/* Manifests in any order, then indexes, children first as the graph has them. */
static int put_documents(struct pushing *p, int parallel, struct xb_err *err)
{
	if (xb_parallel(p->graph->documents.len, parallel, manifest_job, p, err) < 0)
		return err->code;
	for (size_t i = 0; i < p->graph->documents.len; i++)
		if (!p->has_document[i] && p->graph->documents.items[i].is_index && put_document(p, i, err) < 0)
			return err->code;
	return 0;
}

static int tag_job(void *ctx, size_t i, struct xb_err *err)
{
	struct pushing *p = ctx;
	const char *tag = p->opts->targets[p->target].tags[i];
	const struct xb_content_document *root = &p->graph->documents.items[p->graph->documents.len - 1];
	struct xb_digest told;
	bool there;

	if (xb_manifest_head(p->repo, tag, &there, &told, err) < 0)
		return err->code;
	if (there && xb_digest_eq(&told, &root->digest))
		return 0;
	return xb_manifest_put(p->repo, tag, root->media_type, root->bytes, &root->digest, err);
}

/* ---- a target ---- */

/* A part of several documents of one run, an empty configuration say, goes once. */
static void add_item(struct xb_push_result *out, const struct xb_push_item *item)
{
	for (size_t i = 0; i < out->items.len; i++)
		if (out->items.items[i].target == item->target &&
		    xb_digest_eq(&out->items.items[i].digest, &item->digest))
			return;
	XB_VEC_PUSH(&out->items, *item);
	out->sent_bytes += item->way == XB_PUSH_SENT ? item->size_bytes : 0;
}

static void record(const struct pushing *p, struct xb_push_result *out)
{
	for (size_t i = 0; i < p->n_blobs; i++) {
		const struct xb_content_blob *b = &p->graph->blobs.items[p->blobs[i]];

		add_item(out, &(struct xb_push_item){p->target, b->digest, b->size_bytes, p->blob_ways[i]});
	}
	for (size_t i = 0; i < p->graph->documents.len; i++) {
		const struct xb_content_document *d = &p->graph->documents.items[i];

		add_item(out, &(struct xb_push_item){p->target, d->digest, (int64_t)d->bytes.len,
						     p->has_document[i] ? XB_PUSH_THERE : XB_PUSH_SENT});
	}
}

static int push_steps(struct pushing *p, struct xb_err *err)
{
	const int parallel = p->opts->parallel > 0 ? p->opts->parallel : XB_PUSH_PARALLEL;
	const struct xb_push_target *target = &p->opts->targets[p->target];

	if (find_documents(p, parallel, err) < 0 || bring_blobs(p, parallel, err) < 0)
		return err->code;
	if (p->opts->dry_run)
		return 0;
	if (put_documents(p, parallel, err) < 0)
		return err->code;
	return xb_parallel(target->n_tags, parallel, tag_job, p, err);
}

static int push_to(struct xb_registry *registry, const struct xb_push_opts *opts, size_t target,
		   struct xb_push_result *out, struct xb_err *err)
{
	struct pushing p = {.opts = opts, .graph = opts->graph, .target = target};
	const struct xb_reference *ref = &opts->targets[target].ref;
	int rc;

	p.repo = xb_repository_open(registry, ref, true);
	p.has_document = xb_alloc(opts->graph->documents.len * sizeof(*p.has_document));
	p.blobs = xb_alloc(opts->graph->blobs.len * sizeof(*p.blobs));
	rc = push_steps(&p, err);
	if (rc == 0)
		record(&p, out);
	else
		xb_wrap(err, "push to '%s/%s'", ref->registry, ref->repository);
	xb_repository_close(p.repo);
	free(p.has_document);
	free(p.blobs);
	free(p.blob_ways);
	return rc;
}

int xb_push(struct xb_registry *registry, const struct xb_push_opts *opts, struct xb_push_result *out,
	    struct xb_err *err)
{
	journal_sweep(opts->journal_dir);
	for (size_t i = 0; i < opts->n_targets; i++)
		if (push_to(registry, opts, i, out, err) < 0)
			return err->code;
	return 0;
}
