/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, and the blobs that they lead to. OCI image-spec v1.1 descriptor.md. */
#include <string.h>

#include "audit_parts.h"
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

/* Value of a digit of base64 (RFC 4648 section 4), or -1. */
static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Hashes what a text of base64 stands for; false when it is none. Never decoded as a whole, so it needs no room. */
static bool hash_base64(const char *text, struct xb_digest *out)
{
	const size_t len = strlen(text);
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};

	if (len % 4)
		return false;
	xb_hasher_init(&hasher);
	for (size_t i = 0; i < len; i += 4) {
		const size_t n_fill =
			i + 4 < len ? 0 : (text[i + 3] == '=') + (text[i + 2] == '=' && text[i + 3] == '=');
		uint32_t bits = 0;

		for (size_t k = 0; k < 4; k++) {
			const int value = k < 4 - n_fill ? base64_value(text[i + k]) : 0;

			if (value < 0)
				return false;
			bits = bits << 6 | (uint32_t)value;
		}
		const uint8_t bytes[] = {(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};

		xb_hasher_update(&hasher, bytes, sizeof(bytes) - n_fill);
	}
	xb_hasher_final(&hasher, out);
	return true;
}

/* descriptor.md "Embedded Content": a reader may take the copy in the place of the blob, so it has to be the same. */
static void check_data(struct audit_run *run, const json_t *descriptor, const struct xb_digest *expected,
		       const char *where)
{
	const char *data = audit_text(run, descriptor, "data", where);
	struct xb_digest found;

	if (data && (!hash_base64(data, &found) || !xb_digest_eq(&found, expected)))
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
