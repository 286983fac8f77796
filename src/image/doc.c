/* SPDX-License-Identifier: Apache-2.0 */
#include "doc.h"

#include <string.h>

#include "xbuild/base/hex.h"

#define PRETTY_DEPTH 2 /* a component, a file, a relation on one line: a change is one line of a diff */

static void set(struct doc *d, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0 && !d->bad_key)
		d->bad_key = key;
}

void doc_text(struct doc *d, json_t *object, const char *key, const char *text)
{
	if (text)
		set(d, object, key, json_string(text));
}

void doc_hex(struct doc *d, json_t *object, const char *key, const struct xb_digest *digest)
{
	char hex[XB_DIGEST_HEX];

	if (!xb_digest_is_zero(digest))
		doc_text(d, object, key, xb_digest_hex(digest, hex));
}

json_t *doc_object(json_t *object, const char *key)
{
	json_t *child = json_object();

	json_object_set_new(object, key, child);
	return child;
}

json_t *doc_list(json_t *object, const char *key)
{
	json_t *child = json_array();

	json_object_set_new(object, key, child);
	return child;
}

json_t *doc_append(json_t *list)
{
	json_t *child = json_object();

	json_array_append_new(list, child);
	return child;
}

void doc_append_text(struct doc *d, json_t *list, const char *key, const char *text)
{
	if (json_array_append_new(list, json_string(text)) < 0 && !d->bad_key)
		d->bad_key = key;
}

int doc_finish(struct doc *d, const char *what, struct xb_str *out, struct xb_err *err)
{
	int r = 0;

	if (d->bad_key) {
		r = xb_fail(err, XB_E_INPUT, "write the %s: the text of '%s' is not UTF-8", what, d->bad_key);
	} else {
		xb_json_write(d->root, PRETTY_DEPTH, false, out);
		xb_str_append_char(out, '\n');
	}
	json_decref(d->root);
	d->root = NULL;
	return r;
}

const char *doc_uuid(const struct xb_digest *digest, char buf[DOC_UUID_SIZE])
{
	static const size_t groups[] = {4, 2, 2, 2, 6};
	uint8_t bytes[16];
	size_t from = 0, at = 0;

	memcpy(bytes, digest->bytes, sizeof(bytes));
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x80);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < XB_COUNT(groups); i++) {
		xb_hex_encode(bytes + from, groups[i], buf + at);
		from += groups[i];
		at += 2 * groups[i];
		if (i + 1 < XB_COUNT(groups))
			buf[at++] = '-';
	}
	return buf;
}

void doc_digest(const struct doc *d, struct xb_digest *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_json_write(d->root, 0, false, &text);
	xb_digest_bytes(text.data, text.len, out);
}
