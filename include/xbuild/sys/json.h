/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text to json_t and back; jansson's json_t travels, its text functions are called here alone.
 *
 * Reading: RFC 8259, at most max_bytes (never more than XB_MAX_JSON_BYTES) and XB_MAX_JSON_DEPTH, duplicate keys
 *          refused. Errors say file:line:col.
 * Writing: canonical: keys in the order of insertion or sorted as asked, UTF-8, no escaped slashes, no floats, no
 *          trailing blanks. The same value always gives the same bytes.
 */
#ifndef XBUILD_SYS_JSON_H
#define XBUILD_SYS_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"

/* json_decref for XB_CLEANUP on a json_t pointer. */
void xb_json_release(json_t **value);

/* `name` is the file name for messages. *out is owned by the caller. */
int xb_json_parse(struct xb_sv text, const char *name, json_t **out, struct xb_err *err) XB_MUST_CHECK;
int xb_json_read(const char *path, int64_t max_bytes, json_t **out, struct xb_err *err) XB_MUST_CHECK;

/* True when a number in it is a float, which is not written again: for foreign documents of which parts are kept. */
bool xb_json_has_real(const json_t *value);

/*
 * Appends `value` to out. Containers down to `pretty_depth` levels are spread over lines, with one space of indent per
 * level; deeper ones stay on one line. 0 is all on one line without blanks (OCI documents); a lock uses a depth that
 * puts one package on each line. No newline at the end. Keys are sorted by their bytes when sort_keys is set. To write a
 * float or more than XB_MAX_JSON_DEPTH levels is a programming error.
 */
void xb_json_write(const json_t *value, int pretty_depth, bool sort_keys, struct xb_str *out);

/*
 * The same as Go's encoding/json writes it, for documents that share their bytes with programs in Go: on one line, or with
 * two spaces of indent on every level; '<', '>', '&', U+2028 and U+2029 are escaped.
 */
void xb_json_write_go(const json_t *value, bool pretty, struct xb_str *out);

/*
 * Members with the type checked; the error names `where` and the key. An optional member that is missing gives NULL.
 * Strings are borrowed from the object.
 */
int xb_json_string(const json_t *object, const char *key, const char *where, const char **out,
		   struct xb_err *err) XB_MUST_CHECK;
/* Refuses members that are not in `known` (ends with NULL). */
int xb_json_only_keys(const json_t *object, const char *const *known, const char *where,
		      struct xb_err *err) XB_MUST_CHECK;

#endif
