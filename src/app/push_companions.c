/* SPDX-License-Identifier: Apache-2.0 */
/* What is pushed beside an image: its signatures, under a tag of their own, and what refers to it. */
#include "op_push_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/registry/manifest.h"
#include "xbuild/registry/referrers.h"
#include "xbuild/sys/json.h"

static int list_companion(const struct push_sending *s, const struct xb_companion *c,
			  const struct xb_content_document *d, struct xb_err *err)
{
	for (size_t i = 0; i < s->run->targets.len; i++) {
		struct xb_repository *repo = xb_repository_open(s->registry, &s->run->targets.items[i].ref, true);
		const int rc = xb_referrers_list_one(repo, &c->subject, &d->digest, d->media_type, d->bytes, err);

		xb_repository_close(repo);
		if (rc < 0)
			return xb_wrap(err, "list a referrer in '%s'", s->run->targets.items[i].ref.repository);
	}
	return 0;
}

/* Signatures of one text differ in their annotations alone. */
static bool has_layer(const json_t *manifest, const json_t *layer)
{
	const json_t *layers = json_object_get(manifest, "layers");

	for (size_t i = 0; i < json_array_size(layers); i++) {
		if (json_equal(json_array_get(layers, i), layer))
			return true;
	}
	return false;
}

/* A tag of signatures holds those of all who signed: one that others have added to is not taken away from them. */
static int check_signers(struct xb_repository *repo, const struct xb_companion *c, const struct xb_content *graph,
			 struct xb_err *err)
{
	struct xb_manifest there XB_CLEANUP(xb_manifest_release) = {0};
	json_t *theirs XB_CLEANUP(xb_json_release) = NULL, *ours XB_CLEANUP(xb_json_release) = NULL;
	struct xb_digest digest;
	const json_t *layers;
	bool exists;

	if (xb_manifest_head(repo, c->tag, &exists, &digest, err) < 0)
		return err->code;
	if (!exists || xb_digest_is_zero(&digest) || xb_digest_eq(&digest, &c->manifest.digest))
		return 0;
	if (xb_manifest_get(repo, &digest, &there, err) < 0 ||
	    xb_json_parse(xb_str_sv(&there.bytes), c->tag, &theirs, err) < 0 ||
	    xb_json_parse(graph->documents.items[graph->documents.len - 1].bytes, c->dir, &ours, err) < 0)
		return err->code;
	layers = json_object_get(theirs, "layers");
	for (size_t i = 0; i < json_array_size(layers); i++) {
		if (has_layer(ours, json_array_get(layers, i)))
			continue;
		xb_fail(err, XB_E_USAGE, "tag '%s' has signatures that are not in '%s'", c->tag, c->dir);
		return xb_hint(
			err,
			"fetch it with 'xbuild pull', and sign there; '--alone' pushes the image without signatures");
	}
	return 0;
}

static int check_all_signers(const struct push_sending *s, const struct xb_companion *c, const struct xb_content *graph,
			     struct xb_err *err)
{
	for (size_t i = 0; c->tag && i < s->run->targets.len; i++) {
		struct xb_repository *repo = xb_repository_open(s->registry, &s->run->targets.items[i].ref, true);
		const int rc = check_signers(repo, c, graph, err);

		xb_repository_close(repo);
		if (rc < 0)
			return xb_wrap(err, "push signatures to '%s'", s->run->targets.items[i].ref.repository);
	}
	return 0;
}

int push_send_companion(const struct push_sending *s, const struct xb_companion *c, struct xb_err *err)
{
	struct xb_content graph XB_CLEANUP(xb_content_release) = {0};
	struct push_source from = {s->run->app, c->dir};
	const struct xb_content_reader reader = {.read = push_read_document, .ctx = &from};

	if (xb_content_read(&reader, NULL, &c->manifest.digest, &graph, err) < 0)
		return xb_wrap(err, "read the layout '%s'", c->dir);
	if (check_all_signers(s, c, &graph, err) < 0 ||
	    push_send(s, &graph, c->dir, push_retagged(s->run, c->tag ? &c->tag : NULL), &s->run->result->sent, err) <
		    0)
		return err->code;
	if (c->tag || s->run->opts->dry_run)
		return 0;
	return list_companion(s, c, &graph.documents.items[graph.documents.len - 1], err);
}
