/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/content.h"

#include <string.h>

#include "xbuild/base/limits.h"
#include "xbuild/sys/json.h"

#define OCI_INDEX	"application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST	"application/vnd.oci.image.manifest.v1+json"
#define DOCKER_INDEX	"application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

/* A reading of one graph. */
struct reading {
	const struct xb_content_reader *reader;
	struct xb_content *graph;
	int depth;
};

struct descriptor {
	const char *media_type; /* borrowed from the document; "" when absent */
	struct xb_digest digest;
	int64_t size_bytes; /* -1 unknown */
	const char *platform;
};

void xb_content_release(struct xb_content *graph)
{
	if (!graph)
		return;
	XB_VEC_RELEASE(&graph->documents);
	XB_VEC_RELEASE(&graph->blobs);
	xb_map_release(&graph->known);
	xb_arena_release(&graph->arena);
	*graph = (struct xb_content){0};
}

static bool is_index_type(const char *type)
{
	return strcmp(type, OCI_INDEX) == 0 || strcmp(type, DOCKER_INDEX) == 0;
}

static bool is_manifest_type(const char *type)
{
	return strcmp(type, OCI_MANIFEST) == 0 || strcmp(type, DOCKER_MANIFEST) == 0;
}

static size_t known(const struct xb_content *graph, const struct xb_digest *digest)
{
	char hex[XB_DIGEST_HEX];

	return (size_t)(uintptr_t)xb_map_get_str(&graph->known, xb_digest_hex(digest, hex));
}

static void remember(struct xb_content *graph, const struct xb_digest *digest, size_t index)
{
	char hex[XB_DIGEST_HEX];

	xb_map_put_str(&graph->known, xb_digest_hex(digest, hex), (void *)(uintptr_t)(index + 1));
}

/* Some digests are named as a blob by one and as a document by another. */
static bool is_document(const struct xb_content *graph, const struct xb_digest *digest)
{
	const size_t at = known(graph, digest);

	return at && at <= graph->documents.len && xb_digest_eq(&graph->documents.items[at - 1].digest, digest);
}

/* ---- descriptors ---- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int read_descriptor(struct reading *r, const json_t *object, const char *where, struct descriptor *out,
			   struct xb_err *err)
{
	const json_t *size = json_object_get(object, "size");
	const json_t *platform = json_object_get(object, "platform");
	const char *digest = text_of(object, "digest");

	*out = (struct descriptor){.media_type = text_of(object, "mediaType"), .platform = ""};
	if (!xb_sv_starts(xb_sv(digest), "sha256:") || !xb_digest_parse(xb_sv(digest), &out->digest))
		return xb_fail(err, XB_E_INPUT, "%s: '%.100s' is no sha256 digest", where, digest);
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return xb_fail(err, XB_E_INPUT, "%s: %s has no size", where, digest);
	out->size_bytes = json_integer_value(size);
	if (json_is_object(platform))
		out->platform = xb_arena_printf(&r->graph->arena, "%.64s/%.64s%s%.64s", text_of(platform, "os"),
						text_of(platform, "architecture"),
						*text_of(platform, "variant") ? "/" : "", text_of(platform, "variant"));
	return 0;
}

/* image-spec manifest.md "Non-Distributable Layers"; Docker's "foreign" layers. */
static bool is_foreign(const char *media_type)
{
	return strstr(media_type, "nondistributable") || strstr(media_type, ".foreign.");
}

/* The blob's number, whether it was known before or not. */
static int add_blob(struct reading *r, const json_t *object, const char *where, size_t *out, struct xb_err *err)
{
	struct xb_content *graph = r->graph;
	struct descriptor d;
	size_t at;

	if (read_descriptor(r, object, where, &d, err) < 0)
		return err->code;
	at = known(graph, &d.digest);
	if (at && at <= graph->blobs.len && xb_digest_eq(&graph->blobs.items[at - 1].digest, &d.digest)) {
		if (graph->blobs.items[at - 1].size_bytes != d.size_bytes)
			return xb_fail(err, XB_E_INPUT, "%s: %s has two sizes", where, text_of(object, "digest"));
		*out = at - 1;
		return 0;
	}
	if (graph->blobs.len == XB_CONTENT_MAX_BLOBS)
		return xb_fail(err, XB_E_INPUT, "%s: more than %d blobs", where, XB_CONTENT_MAX_BLOBS);
	XB_VEC_PUSH(&graph->blobs, ((struct xb_content_blob){.media_type = xb_arena_strdup(&graph->arena, d.media_type),
							     .digest = d.digest,
							     .size_bytes = d.size_bytes,
							     .is_foreign = is_foreign(d.media_type),
							     .document = graph->documents.len}));
	remember(graph, &d.digest, graph->blobs.len - 1);
	*out = graph->blobs.len - 1;
	return 0;
}

/* ---- documents ---- */

static int read_document(struct reading *r, const struct descriptor *d, struct xb_err *err);

static int read_manifest(struct reading *r, const json_t *root, const char *where, struct xb_content_document *out,
			 struct xb_err *err)
{
	const json_t *layers = json_object_get(root, "layers");
	const json_t *annotations = json_object_get(root, "annotations");
	const char *base = json_string_value(json_object_get(annotations, "org.opencontainers.image.base.name"));

	if (!json_is_array(layers) || json_array_size(layers) > XB_CONTENT_MAX_BLOBS)
		return xb_fail(err, XB_E_INPUT, "%s: expected a list of layers", where);
	out->n_layers = json_array_size(layers);
	out->layers = xb_arena_array(&r->graph->arena, out->n_layers, sizeof(*out->layers));
	for (size_t i = 0; i < out->n_layers; i++)
		if (add_blob(r, json_array_get(layers, i), where, &out->layers[i], err) < 0)
			return err->code;
	out->base_name = base ? xb_arena_strdup(&r->graph->arena, base) : NULL;
	return add_blob(r, json_object_get(root, "config"), where, &out->config, err);
}

static int read_index(struct reading *r, const json_t *root, const char *where, struct xb_err *err)
{
	const json_t *children = json_object_get(root, "manifests");

	for (size_t i = 0; i < json_array_size(children); i++) {
		struct descriptor d;
		size_t blob;

		if (read_descriptor(r, json_array_get(children, i), where, &d, err) < 0)
			return err->code;
		if (r->reader->wants && !r->reader->wants(r->reader->ctx, d.platform))
			continue;
		/* what is of another kind is content like any other (image-index.md, "manifests") */
		if (*d.media_type && !is_index_type(d.media_type) && !is_manifest_type(d.media_type)) {
			if (add_blob(r, json_array_get(children, i), where, &blob, err) < 0)
				return err->code;
			r->graph->blobs.items[blob].document = SIZE_MAX;
			continue;
		}
		r->depth++;
		if (read_document(r, &d, err) < 0)
			return err->code;
		r->depth--;
	}
	return 0;
}

/* What a document is has to be the same for everybody who reads it (CVE-2021-41190). */
static int find_kind(const json_t *root, const char *expected, const char *where, struct xb_content_document *out,
		     struct xb_err *err)
{
	const char *own = text_of(root, "mediaType");
	const bool has_children = json_is_array(json_object_get(root, "manifests"));
	const bool has_layers = json_object_get(root, "layers") || json_object_get(root, "config");

	if (has_children == has_layers)
		return xb_fail(err, XB_E_INPUT, "%s: expected an index or a manifest", where);
	if (*own && *expected && strcmp(own, expected) != 0)
		return xb_fail(err, XB_E_INPUT, "%s: its mediaType is '%.100s', expected '%.100s'", where, own,
			       expected);
	if (!*own)
		own = *expected ? expected : has_children ? OCI_INDEX : OCI_MANIFEST;
	if (has_children ? !is_index_type(own) : !is_manifest_type(own))
		return xb_fail(err, XB_E_INPUT, "%s: '%.100s' is no media type of %s", where, own,
			       has_children ? "an index" : "a manifest");
	out->media_type = own;
	out->is_index = has_children;
	return 0;
}

static int load(struct reading *r, const struct descriptor *d, const char *where, struct xb_sv *out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char got[XB_DIGEST_OCI];
	struct xb_digest digest;

	if (d->size_bytes > XB_MAX_OCI_DOCUMENT_BYTES)
		return xb_fail(err, XB_E_INPUT, "%s: it has %lld bytes, at most %lld are read", where,
			       (long long)d->size_bytes, (long long)XB_MAX_OCI_DOCUMENT_BYTES);
	if (r->reader->read(r->reader->ctx, &d->digest, &text, err) < 0)
		return err->code;
	if (d->size_bytes >= 0 && (int64_t)text.len != d->size_bytes)
		return xb_fail(err, XB_E_DIGEST, "%s: it has %zu bytes, expected %lld", where, text.len,
			       (long long)d->size_bytes);
	xb_digest_bytes(xb_str_get(&text), text.len, &digest);
	if (!xb_digest_eq(&digest, &d->digest))
		return xb_fail(err, XB_E_DIGEST, "%s: its content has the digest %s", where,
			       xb_digest_oci(&digest, got));
	*out = xb_sv_n(xb_arena_sv(&r->graph->arena, xb_str_sv(&text)), text.len);
	return 0;
}

static int read_document(struct reading *r, const struct descriptor *d, struct xb_err *err)
{
	struct xb_content *graph = r->graph;
	struct xb_content_document document = {.digest = d->digest, .platform = d->platform};
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	char where[XB_DIGEST_OCI];

	xb_digest_oci(&d->digest, where);
	if (is_document(graph, &d->digest))
		return 0;
	if (r->depth > XB_MAX_OCI_DEPTH || graph->documents.len >= XB_CONTENT_MAX_DOCUMENTS)
		return xb_fail(err, XB_E_INPUT, "%s: more than %d levels or %d documents", where, XB_MAX_OCI_DEPTH,
			       XB_CONTENT_MAX_DOCUMENTS);
	if (load(r, d, where, &document.bytes, err) < 0 || xb_json_parse(document.bytes, where, &root, err) < 0 ||
	    find_kind(root, d->media_type, where, &document, err) < 0)
		return err->code;
	document.media_type = xb_arena_strdup(&graph->arena, document.media_type);
	if ((document.is_index ? read_index(r, root, where, err) : read_manifest(r, root, where, &document, err)) < 0)
		return err->code;
	XB_VEC_PUSH(&graph->documents, document);
	remember(graph, &d->digest, graph->documents.len - 1);
	return 0;
}

int xb_content_read(const struct xb_content_reader *reader, const char *media_type, const struct xb_digest *root,
		    struct xb_content *out, struct xb_err *err)
{
	struct reading r = {.reader = reader, .graph = out};
	const struct descriptor d = {
		.media_type = media_type ? media_type : "", .digest = *root, .size_bytes = -1, .platform = ""};

	if (read_document(&r, &d, err) == 0)
		return 0;
	xb_content_release(out);
	return err->code;
}
