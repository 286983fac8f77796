/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/deb_index.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/names.h"
#include "xbuild/sys/archive.h"
#include "xbuild/sys/digest.h"

#define BLOCK_BYTES	 (256 * 1024)
#define MAX_ALTERNATIVES 1024 /* libsolv's reader recurses once per "|" */

enum field {
	FIELD_PACKAGE,
	FIELD_VERSION,
	FIELD_FILENAME,
	FIELD_SIZE,
	FIELD_SHA256,
	FIELD_ARCHITECTURE,
	FIELD_MULTI_ARCH,
	FIELD_DEPENDS,
	FIELD_PRE_DEPENDS,
	FIELD_PROVIDES,
	FIELD_CONFLICTS,
	FIELD_BREAKS,
	FIELD_REPLACES,
	N_FIELDS
};

#define N_REQUIRED (FIELD_SHA256 + 1) /* the first of them must be there */

static const char *const field_names[N_FIELDS] = {
	[FIELD_PACKAGE] = "Package",	     [FIELD_VERSION] = "Version",
	[FIELD_FILENAME] = "Filename",	     [FIELD_SIZE] = "Size",
	[FIELD_SHA256] = "SHA256",	     [FIELD_ARCHITECTURE] = "Architecture",
	[FIELD_MULTI_ARCH] = "Multi-Arch",   [FIELD_DEPENDS] = "Depends",
	[FIELD_PRE_DEPENDS] = "Pre-Depends", [FIELD_PROVIDES] = "Provides",
	[FIELD_CONFLICTS] = "Conflicts",     [FIELD_BREAKS] = "Breaks",
	[FIELD_REPLACES] = "Replaces",
};

struct reducer {
	const char *name;
	struct xb_str *out;
	uint64_t line_at;      /* offset of the current line in the text */
	uint64_t stanza_at;    /* of the current stanza */
	size_t stanza_bytes;   /* read of it so far */
	unsigned seen;	       /* 1 << enum field */
	int field;	       /* that is kept and may go on in the next line, or -1 */
	size_t value_at;       /* where its value begins in out */
	struct xb_str package; /* name in the current stanza, for messages */
};

static int bad(const struct reducer *r, struct xb_err *err, const char *what, struct xb_sv value)
{
	if (value.len > 80)
		value.len = 80;
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.ptr[i] < ' ' || (unsigned char)value.ptr[i] > '~')
			value.len = i;
	return xb_fail(err, XB_E_INPUT, "read index '%s': package '%s' at byte %llu: %s%s%.*s%s", r->name,
		       r->package.len ? xb_str_get(&r->package) : "?", (unsigned long long)r->stanza_at, what,
		       value.len ? " '" : "", XB_SV_ARG(value), value.len ? "'" : "");
}

static struct xb_sv skip_blanks(struct xb_sv sv)
{
	while (sv.len && (*sv.ptr == ' ' || *sv.ptr == '\t')) {
		sv.ptr++;
		sv.len--;
	}
	return sv;
}

/* "name", "name:any", with "(op version)" behind it: Debian Policy 7.1. */
static bool is_relation(struct xb_sv sv)
{
	static const char *const operators[] = {"<<", "<=", "=", ">=", ">>"};
	struct xb_sv name, qualifier;
	size_t n, op;

	sv = xb_sv_trim(sv);
	for (n = 0; n < sv.len && sv.ptr[n] != ' ' && sv.ptr[n] != '\t' && sv.ptr[n] != '(';)
		n++;
	qualifier = xb_sv_n(sv.ptr, n);
	name = xb_sv_cut(&qualifier, ':');
	if (!xb_name_is_debian_package(name) || (qualifier.ptr && !xb_name_is_suite(qualifier)))
		return false;
	sv = skip_blanks(xb_sv_n(sv.ptr + n, sv.len - n));
	if (!sv.len)
		return true;
	if (*sv.ptr != '(' || sv.ptr[sv.len - 1] != ')')
		return false;
	sv = xb_sv_trim(xb_sv_n(sv.ptr + 1, sv.len - 2));
	n = 0;
	while (n < sv.len && sv.ptr[n] >= '<' && sv.ptr[n] <= '>')
		n++;
	for (op = 0; op < XB_COUNT(operators); op++)
		if (xb_sv_eq_str(xb_sv_n(sv.ptr, n), operators[op]))
			break;
	return op < XB_COUNT(operators) && xb_name_is_debian_version(xb_sv_trim(xb_sv_n(sv.ptr + n, sv.len - n)));
}

static int check_relations(const struct reducer *r, struct xb_sv value, struct xb_err *err)
{
	value = xb_sv_trim(value);
	if (!value.len)
		return 0;
	while (value.ptr) {
		struct xb_sv element = xb_sv_cut(&value, ','), rest = element;
		size_t n = 0;

		while (rest.ptr) {
			struct xb_sv relation = xb_sv_cut(&rest, '|');

			if (!is_relation(relation))
				return bad(r, err, "not a dependency:", xb_sv_trim(element));
			if (++n > MAX_ALTERNATIVES)
				return bad(r, err, "too many alternatives in one dependency", xb_sv(""));
		}
	}
	return 0;
}

static bool is_sha256(struct xb_sv value)
{
	struct xb_digest digest;

	return value.len == XB_DIGEST_HEX - 1 && xb_digest_parse(value, &digest);
}

static bool is_size(struct xb_sv value)
{
	uint64_t size;

	return xb_num_u64(value, XB_MAX_PACKAGE_BYTES, &size);
}

/* Called when the field's last line has been read. Its value is at the end of out, followed by a newline. */
static int finish_field(struct reducer *r, struct xb_err *err)
{
	struct xb_sv value;
	bool ok = true;
	char what[64];

	if (r->field < 0)
		return 0;
	value = xb_sv_n(r->out->data + r->value_at, r->out->len - r->value_at);
	switch ((enum field)r->field) {
	case FIELD_PACKAGE:
		ok = xb_name_is_debian_package(value);
		if (ok)
			xb_str_append_sv(&r->package, value);
		break;
	case FIELD_VERSION:
		ok = xb_name_is_debian_version(value);
		break;
	case FIELD_FILENAME:
		ok = xb_name_is_debian_path(value);
		break;
	case FIELD_SIZE:
		ok = is_size(value);
		break;
	case FIELD_SHA256:
		ok = is_sha256(value);
		break;
	case FIELD_ARCHITECTURE:
	case FIELD_MULTI_ARCH:
		ok = xb_name_is_suite(value); /* lower-case words with dashes, like a suite's name */
		break;
	default:
		if (check_relations(r, value, err) < 0)
			return err->code;
	}
	if (!ok) {
		(void)snprintf(what, sizeof(what), "%s is not valid:", field_names[r->field]);
		return bad(r, err, what, value);
	}
	r->field = -1;
	xb_str_append_char(r->out, '\n');
	return 0;
}

static int finish_stanza(struct reducer *r, struct xb_err *err)
{
	if (finish_field(r, err) < 0)
		return err->code;
	if (r->stanza_bytes == 0)
		return 0;
	for (int f = 0; f < N_REQUIRED; f++)
		if (!(r->seen & 1U << f))
			return bad(r, err, "missing field", xb_sv(field_names[f]));
	xb_str_append_char(r->out, '\n');
	r->seen = 0;
	r->stanza_bytes = 0;
	xb_str_reset(&r->package);
	return 0;
}

static int find_field(struct xb_sv name)
{
	for (int f = 0; f < N_FIELDS; f++)
		if (strlen(field_names[f]) == name.len && strncasecmp(field_names[f], name.ptr, name.len) == 0)
			return f;
	return -1;
}

static int append_value(struct reducer *r, struct xb_sv value, struct xb_err *err)
{
	if (memchr(value.ptr, '\0', value.len))
		return bad(r, err, "a NUL byte in field", xb_sv(field_names[r->field]));
	if (!xb_str_append_sv(r->out, value))
		return bad(r, err, "the index is larger than allowed", xb_sv(""));
	return 0;
}

static int begin_field(struct reducer *r, struct xb_sv line, struct xb_err *err)
{
	struct xb_sv value = line, name = xb_sv_cut(&value, ':');

	if (finish_field(r, err) < 0)
		return err->code;
	if (!value.ptr)
		return bad(r, err, "not a field:", line);
	r->field = find_field(name);
	if (r->field < 0)
		return 0;
	if (r->seen & 1U << r->field)
		return bad(r, err, "a second field", xb_sv(field_names[r->field]));
	r->seen |= 1U << r->field;
	xb_str_append(r->out, field_names[r->field]);
	xb_str_append(r->out, ": ");
	r->value_at = r->out->len;
	return append_value(r, xb_sv_trim(value), err);
}

/* One line without its newline. A line of blanks ends a stanza as an empty one does (deb822(5)). */
static int take_line(struct reducer *r, struct xb_sv line, struct xb_err *err)
{
	int rc;

	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (!line.len)
		return finish_stanza(r, err);
	if (r->stanza_bytes == 0)
		r->stanza_at = r->line_at;
	r->stanza_bytes += line.len + 1;
	if (r->stanza_bytes > XB_MAX_STANZA_BYTES)
		return bad(r, err, "the stanza is larger than 1 MiB", xb_sv(""));
	if (*line.ptr != ' ' && *line.ptr != '\t')
		return begin_field(r, line, err);
	if (r->field < 0)
		return 0;
	rc = append_value(r, xb_sv(" "), err);
	return rc < 0 ? rc : append_value(r, xb_sv_trim(line), err);
}

/* Takes the complete lines of a block; *out_used tells how many bytes that were. */
static int take_lines(struct reducer *r, const char *block, size_t len, size_t *out_used, struct xb_err *err)
{
	size_t used = 0;
	const char *end;

	while ((end = memchr(block + used, '\n', len - used)) != NULL) {
		size_t line_len = (size_t)(end - (block + used));

		if (take_line(r, xb_sv_n(block + used, line_len), err) < 0)
			return err->code;
		used += line_len + 1;
		r->line_at += line_len + 1;
	}
	*out_used = used;
	return 0;
}

static int read_all(struct reducer *r, struct xb_archive *in, struct xb_err *err)
{
	const size_t cap = XB_MAX_STANZA_BYTES + BLOCK_BYTES;
	char *block XB_CLEANUP(xb_free_ptr) = xb_realloc(NULL, cap);
	size_t have = 0, used = 0;
	int64_t n;

	while ((n = xb_archive_read(in, block + have, BLOCK_BYTES, err)) > 0) {
		have += (size_t)n;
		if (take_lines(r, block, have, &used, err) < 0)
			return err->code;
		have -= used;
		memmove(block, block + used, have);
		if (have > XB_MAX_STANZA_BYTES)
			return bad(r, err, "a line is longer than 1 MiB", xb_sv(""));
	}
	if (n < 0)
		return err->code;
	if (have && take_line(r, xb_sv_n(block, have), err) < 0)
		return err->code;
	return finish_stanza(r, err);
}

int xb_deb_index_reduce(int fd, const char *name, const volatile int *interrupted, struct xb_str *out,
			struct xb_err *err)
{
	struct reducer r = {.name = name, .out = out, .field = -1};
	struct xb_archive *in = NULL;
	int rc;

	if (xb_archive_open_stream(fd, name, XB_MAX_INDEX_TEXT_BYTES, &in, err) < 0)
		return err->code;
	xb_archive_set_interrupted(in, interrupted);
	rc = read_all(&r, in, err);
	xb_archive_close(in);
	xb_str_release(&r.package);
	return rc;
}
