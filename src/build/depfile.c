/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/depfile.h"

#include <string.h>

#include "xbuild/base/limits.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"

struct reader {
	const char *at, *end;
	struct xb_str word;
};

/* Joined lines count as blanks. Returns false at the end of the logical line or text. */
static bool skip_blanks(struct reader *r)
{
	while (r->at < r->end) {
		if (*r->at == ' ' || *r->at == '\t' || *r->at == '\r') {
			r->at++;
		} else if (*r->at == '\\' && r->end - r->at >= 2 && r->at[1] == '\n') {
			r->at += 2;
		} else if (*r->at == '\\' && r->end - r->at >= 3 && r->at[1] == '\r' && r->at[2] == '\n') {
			r->at += 3;
		} else {
			return *r->at != '\n';
		}
	}
	return false;
}

/* A run of backslashes: before a blank they are halved and the odd one escapes it; elsewhere they are themselves. */
static void read_backslashes(struct reader *r)
{
	size_t n = 0;

	while (r->at + n < r->end && r->at[n] == '\\')
		n++;
	const char next = r->at + n < r->end ? r->at[n] : '\0';

	if (next == ' ' || next == '\t' || next == '#') {
		const bool odd = n % 2;

		for (size_t i = 0; i < n / 2; i++)
			xb_str_append_char(&r->word, '\\');
		r->at += n;
		if (odd)
			xb_str_append_char(&r->word, *r->at++);
		else if (next == '#')
			xb_str_append_char(&r->word, *r->at++);
		return;
	}
	if (next == '\n' || next == '\r')
		n--; /* the last one joins the lines */
	xb_str_append_n(&r->word, r->at, n);
	r->at += n;
}

static bool ends_target(const struct reader *r)
{
	return *r->at == ':' && (r->at + 1 == r->end || strchr(" \t\r\n", r->at[1]) ||
				 (r->at[1] == '\\' && r->at + 2 < r->end && strchr("\r\n", r->at[2])));
}

/* One name. *out_colon: the colon that ends the targets follows it (and was taken). */
static int read_word(struct reader *r, const char *name, bool in_target, bool *out_colon, struct xb_err *err)
{
	xb_str_reset(&r->word);
	*out_colon = false;
	while (r->at < r->end) {
		const char *start = r->at;

		if (strchr(" \t\r\n", *r->at) && *r->at)
			break;
		if (in_target && ends_target(r)) {
			*out_colon = true;
			r->at++;
			break;
		}
		if (!*r->at)
			return xb_fail(err, XB_E_INPUT, "read dependency file '%s': it holds a NUL", name);
		if (*r->at == '\\') {
			read_backslashes(r);
			if (r->at == start)
				break;
		} else if (*r->at == '$' && r->end - r->at >= 2 && r->at[1] == '$') {
			xb_str_append_char(&r->word, '$');
			r->at += 2;
		} else {
			xb_str_append_char(&r->word, *r->at++);
		}
		if (r->word.len > XB_MAX_PATH_BYTES)
			return xb_fail(err, XB_E_INPUT, "read dependency file '%s': a name is longer than %d bytes",
				       name, XB_MAX_PATH_BYTES);
	}
	return 0;
}

int xb_depfile_parse(struct xb_sv text, const char *name, struct xb_arena *arena, struct xb_depfile *out,
		     struct xb_err *err)
{
	struct reader r = {.at = text.ptr, .end = text.ptr + text.len};
	XB_VEC(const char *) paths = {0};
	bool in_target = true, any = false, colon;
	int rc = 0;

	while (r.at < r.end) {
		if (!skip_blanks(&r)) {
			if (any && in_target) {
				rc = xb_fail(err, XB_E_INPUT, "read dependency file '%s': a line without a colon",
					     name);
				break;
			}
			if (r.at < r.end)
				r.at++;
			in_target = true;
			any = false;
			continue;
		}
		rc = read_word(&r, name, in_target, &colon, err);
		if (rc < 0)
			break;
		any = true;
		if (!in_target && r.word.len)
			XB_VEC_PUSH(&paths, xb_arena_strdup(arena, xb_str_get(&r.word)));
		if (colon)
			in_target = false;
	}
	if (rc == 0 && any && in_target)
		rc = xb_fail(err, XB_E_INPUT, "read dependency file '%s': a line without a colon", name);
	if (rc == 0) {
		out->len = paths.len;
		out->paths = xb_arena_array(arena, paths.len, sizeof(*out->paths));
		if (paths.len)
			memcpy(out->paths, paths.items, paths.len * sizeof(*out->paths));
	}
	XB_VEC_RELEASE(&paths);
	xb_str_release(&r.word);
	return rc;
}

int xb_depfile_read(const char *path, const char *name, struct xb_arena *arena, struct xb_depfile *out,
		    struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(path, XB_MAX_DEPFILE_BYTES, &text, err) < 0)
		return xb_wrap(err, "read the dependency file of %s", name);
	return xb_depfile_parse(xb_str_sv(&text), name, arena, out, err);
}
