/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/subst.h"

#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/model/names.h"

#define BASE "base."

static const char *const builtins[] = {
	"version", "image",    "target.name", "target.triple", "target.arch", "profile",   "git.branch",
	"git.sha", "git.sha7", "git.tag",     "git.time",      "git.unix",    "git.dirty", NULL,
};

/* What stands at the start of a text. */
enum piece { PIECE_LITERAL, PIECE_ESCAPE, PIECE_NAME, PIECE_UNCLOSED };

/*
 * Cuts the first piece off *rest: plain text up to the next "${" or "$${", the literal "${" that "$${" stands for, or
 * the name between the braces.
 */
static enum piece next_piece(struct xb_sv *rest, struct xb_sv *out)
{
	const char *end;
	size_t i = 0;

	if (xb_sv_starts(*rest, "$${")) {
		*out = xb_sv_n(rest->ptr + 1, 2);
		*rest = xb_sv_n(rest->ptr + 3, rest->len - 3);
		return PIECE_ESCAPE;
	}
	if (xb_sv_starts(*rest, "${")) {
		end = memchr(rest->ptr + 2, '}', rest->len - 2);
		if (!end)
			return PIECE_UNCLOSED;
		*out = xb_sv_n(rest->ptr + 2, (size_t)(end - rest->ptr) - 2);
		*rest = xb_sv_n(end + 1, rest->len - out->len - 3);
		return PIECE_NAME;
	}
	/* The first byte is no start of anything, or it would have been cut above. */
	for (i = 1; i < rest->len; i++) {
		const struct xb_sv tail = xb_sv_n(rest->ptr + i, rest->len - i);

		if (xb_sv_starts(tail, "${") || xb_sv_starts(tail, "$${"))
			break;
	}
	*out = xb_sv_n(rest->ptr, i);
	*rest = xb_sv_n(rest->ptr + i, rest->len - i);
	return PIECE_LITERAL;
}

int xb_subst_check(const char *text, bool (*check)(void *ctx, struct xb_sv name), void *ctx, size_t *out_offset)
{
	struct xb_sv rest = xb_sv(text), piece;

	while (rest.len) {
		const size_t offset = (size_t)(rest.ptr - text);
		const enum piece kind = next_piece(&rest, &piece);

		if (kind == PIECE_UNCLOSED || (kind == PIECE_NAME && !check(ctx, piece))) {
			*out_offset = offset;
			return XB_E_INPUT;
		}
	}
	return 0;
}

const char *const *xb_subst_builtins(void)
{
	return builtins;
}

bool xb_subst_is_dir(struct xb_sv name)
{
	return xb_sv_eq_str(name, "dir.source") || xb_sv_eq_str(name, "dir.build") || xb_sv_eq_str(name, "dir.stage") ||
	       xb_sv_eq_str(name, "dir.sysroot");
}

bool xb_subst_is_builtin(struct xb_sv name)
{
	for (const char *const *builtin = builtins; *builtin; builtin++) {
		if (xb_sv_eq_str(name, *builtin))
			return true;
	}
	return false;
}

bool xb_subst_is_base(struct xb_sv name)
{
	const size_t n = strlen(BASE);

	return xb_sv_starts(name, BASE) && xb_name_is_env(xb_sv_n(name.ptr + n, name.len - n));
}

/* "vars.x" and "x" are one name; the map may hold it under either. */
static const char *find_value(const struct xb_map *values, struct xb_sv name)
{
	const char *value = xb_map_get(values, name);
	struct xb_str full XB_CLEANUP(xb_str_release) = {0};

	if (value)
		return value;
	if (xb_sv_starts(name, "vars."))
		return xb_map_get(values, xb_sv_n(name.ptr + strlen("vars."), name.len - strlen("vars.")));
	xb_str_printf(&full, "vars.%.*s", XB_SV_ARG(name));
	return xb_map_get(values, xb_str_sv(&full));
}

/* Why a built-in has no value: the next step differs. */
static int refuse_name(const char *text, struct xb_sv name, struct xb_err *err)
{
	xb_fail(err, XB_E_INPUT, "'${%.*s}' in '%s' has no value here", XB_SV_ARG(name), text);
	if (xb_sv_eq_str(name, "git.tag"))
		return xb_hint(err, "the commit has no tag");
	if (xb_sv_starts(name, "git."))
		return xb_hint(err, "the project is not in a git repository with a commit");
	if (xb_sv_starts(name, "target.") || xb_sv_eq_str(name, "image"))
		return xb_hint(err, "this name is not known in this field");
	return err->code;
}

int xb_subst_expand(const char *text, const struct xb_map *values, struct xb_str *out, struct xb_err *err)
{
	struct xb_str expanded XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest = xb_sv(text), piece = {0};

	while (rest.len) {
		const enum piece kind = next_piece(&rest, &piece);
		const char *value;

		if (kind == PIECE_UNCLOSED)
			return xb_fail(err, XB_E_INPUT, "'${' in '%s' is not closed", text);
		if (kind != PIECE_NAME) {
			xb_str_append_sv(&expanded, piece);
			continue;
		}
		value = find_value(values, piece);
		if (!value)
			return refuse_name(text, piece, err);
		xb_str_append(&expanded, value);
	}
	if (!xb_str_append_sv(out, xb_str_sv(&expanded)))
		return xb_fail(err, XB_E_INPUT, "'%s' becomes too long", text);
	return 0;
}
