/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to image/spdx, image/cyclonedx and image/provenance: a JSON document in the making. The first text that is no UTF-8
 * spoils it, and doc_finish tells. Members whose value is NULL are left out.
 */
#ifndef XBUILD_IMAGE_DOC_H
#define XBUILD_IMAGE_DOC_H

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/json.h"

struct doc {
	json_t *root;
	const char *bad_key; /* borrowed */
};

void doc_text(struct doc *d, json_t *object, const char *key, const char *text);
/* Hex digits without "sha256:"; nothing for a zero digest. */
void doc_hex(struct doc *d, json_t *object, const char *key, const struct xb_digest *digest);
json_t *doc_object(json_t *object, const char *key);
json_t *doc_list(json_t *object, const char *key);
json_t *doc_append(json_t *list); /* an empty object */
void doc_append_text(struct doc *d, json_t *list, const char *key, const char *text);

/* Appends the text, members of lists in the root on a line each, and a final newline; the document is freed. */
int doc_finish(struct doc *d, const char *what, struct xb_str *out, struct xb_err *err);

/* 8-4-4-4-12 digits of a UUID of version 8 (RFC 9562 5.8: custom) made of a digest. */
#define DOC_UUID_SIZE 37
const char *doc_uuid(const struct xb_digest *digest, char buf[DOC_UUID_SIZE]);
/* The digest of the document as it is so far. */
void doc_digest(const struct doc *d, struct xb_digest *out);

#endif
