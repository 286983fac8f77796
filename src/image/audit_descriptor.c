/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, and the blobs that they lead to. OCI image-spec v1.1 descriptor.md. */
#include <string.h>

#include "audit_parts.h"
#include "xbuild/base/base64.h"
#include "xbuild/base/limits.h"

/* descriptor.md "Digests": algorithm ":" encoded. Only sha256 can be computed here. */
static bool digest_is_well_formed(const char *digest)
{
	struct xb_sv encoded = xb_sv(digest);
	const struct xb_sv algorithm = xb_sv_cut(&encoded, ':');

	if (!algorithm.len || !encoded.len || encoded.len > XB_MAX_NAME_BYTES || algorithm.len > XB_MAX_NAME_BYTES)
		return false;
	return strspn(digest, "abcdefghijklmnopqrstuvwxyz0123456789+._-") == algorithm.len &&
	       strspn(encoded.ptr, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789=_-") == encoded.len;
}

/* The first time a blob is met. */
static int check_content(struct audit_run *run, struct audit_file *file, const struct xb_digest *expected,
			 struct xb_err *err)
{
	char wanted[XB_DIGEST_HEX], got[XB_DIGEST_HEX];
	struct xb_digest found;

	if (file->content != AUDIT_UNREAD)
		return 0;
	file->content = AUDIT_BAD;
	if (audit_hash(run, file, &found, err) < 0)
		return audit_absorb(run, file->name, err);
	if (xb_digest_eq(&found, expected))
		file->content = AUDIT_GOOD;
	else
		audit_problem(run, "blob sha256:%s: its content has the digest sha256:%s",
			      xb_digest_hex(expected, wanted), xb_digest_hex(&found, got));
	return 0;
}

static void check_size(struct audit_run *run, const json_t *size, const struct audit_file *file, const char *digest,
		       const char *where)
{
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		audit_problem(run, "%s: expected a size that is a whole number", where);
	else if (json_integer_value(size) != file->size_bytes)
		audit_problem(run, "%s: says that %s has %lld bytes, found %lld", where, digest,
			      (long long)json_integer_value(size), (long long)file->size_bytes);
}

/* ---- copies in descriptors ---- */

/* descriptor.md "Embedded Content": a reader may take the copy in the place of the blob, so it has to be the same. */
static void check_data(struct audit_run *run, const json_t *descriptor, const struct xb_digest *expected,
		       const char *where)
{
	const char *data = audit_text(run, descriptor, "data", where);
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest found;
	const bool is_base64 = data && xb_base64_decode(xb_sv(data), &bytes);

	xb_digest_bytes(xb_str_get(&bytes), bytes.len, &found);
	if (data && (!is_base64 || !xb_digest_eq(&found, expected)))
		audit_problem(run, "%s: its 'data' is not base64 of the content that it names", where);
}

/* What need not be in a layout: layers that are fetched from elsewhere (manifest.md, "Non-Distributable Layers"). */
static bool may_be_missing(const json_t *descriptor, const char *media_type)
{
	return json_array_size(json_object_get(descriptor, "urls")) > 0 ||
	       (media_type && (strstr(media_type, "nondistributable") || strstr(media_type, ".foreign.")));
}

static int check_descriptor(struct audit_run *run, const json_t *descriptor, const char *where,
			    struct audit_descriptor *out, struct xb_err *err)
{
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest digest;

	*out = (struct audit_descriptor){0};
	if (!json_is_object(descriptor)) {
		audit_problem(run, "%s: expected a descriptor", where);
		return 0;
	}
	out->media_type = audit_text(run, descriptor, "mediaType", where);
	out->digest = audit_text(run, descriptor, "digest", where);
	if (!out->media_type)
		audit_problem(run, "%s: it has no mediaType", where);
	if (!out->digest || !digest_is_well_formed(out->digest)) {
		audit_problem(run, "%s: '%s' is no digest", where, out->digest ? out->digest : "");
		return 0;
	}
	xb_str_printf(&name, "blobs/%s", out->digest);
	*strchr(name.data, ':') = '/';
	if (strncmp(out->digest, "sha256:", 7) == 0 && xb_digest_parse(xb_sv(out->digest), &digest))
		check_data(run, descriptor, &digest, where);
	out->file = audit_source_find(run, name.data);
	if (!out->file) {
		(may_be_missing(descriptor, out->media_type) ? audit_warning : audit_problem)(run, "%s: %s is missing",
											      where, out->digest);
		return 0;
	}
	out->file->referenced = true;
	check_size(run, json_object_get(descriptor, "size"), out->file, out->digest, where);
	if (strncmp(out->digest, "sha256:", 7) != 0) {
		run->out->has_unread = true;
		audit_warning(run, "%s: %s was not compared with its content: only sha256 is known", where,
			      out->digest);
		return 0;
	}
	if (!xb_digest_parse(xb_sv(out->digest), &digest)) {
		audit_problem(run, "%s: '%s' is no digest: expected 64 lower-case digits", where, out->digest);
		return 0;
	}
	if (check_content(run, out->file, &digest, err) < 0)
		return err->code;
	return out->file->content == AUDIT_GOOD;
}

int audit_descriptor(struct audit_run *run, const json_t *descriptor, const char *where, struct audit_descriptor *out,
		     struct xb_err *err)
{
	const int r = check_descriptor(run, descriptor, where, out, err);

	run->is_incomplete = run->is_incomplete || r == 0;
	return r;
}
