/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/path.h"

#include <assert.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"

static bool is_absolute(struct xb_sv path)
{
	return path.len && path.ptr[0] == '/';
}

static struct xb_sv without_trailing_slashes(struct xb_sv path)
{
	while (path.len && path.ptr[path.len - 1] == '/')
		path.len--;
	return path;
}

char *xb_path_join(const char *a, const char *b)
{
	size_t len = strlen(a);

	if (b[0] == '/' || !len)
		return xb_strdup(b);
	if (!b[0])
		return xb_strdup(a);
	return xb_printf("%s%s%s", a, a[len - 1] == '/' ? "" : "/", b);
}

/* Removes the last component; what stands before floor (the root, or a leading "../..") stays. */
static void pop_component(struct xb_str *out, size_t floor)
{
	while (out->len > floor && out->data[out->len - 1] != '/')
		out->len--;
	if (out->len > floor)
		out->len--;
	out->data[out->len] = '\0';
}

void xb_path_clean(struct xb_sv path, struct xb_str *out)
{
	const bool absolute = is_absolute(path);
	size_t floor = absolute ? 1 : 0;

	assert(!out->max_bytes && (!out->data || path.ptr != out->data));
	xb_str_reset(out);
	xb_str_append(out, absolute ? "/" : "");
	while (path.ptr) {
		const struct xb_sv part = xb_sv_cut(&path, '/');
		const bool up = xb_sv_eq_str(part, "..");

		if (!part.len || xb_sv_eq_str(part, "."))
			continue;
		if (up && out->len > floor) {
			pop_component(out, floor);
			continue;
		}
		if (up && absolute)
			continue;
		if (out->len && out->data[out->len - 1] != '/')
			xb_str_append_char(out, '/');
		xb_str_append_sv(out, part);
		if (up)
			floor = out->len;
	}
	if (!out->len)
		xb_str_append_char(out, '.');
}

bool xb_path_is_safe(struct xb_sv path)
{
	unsigned depth = 0;

	if (!path.len || path.len > XB_MAX_PATH_BYTES)
		return false;
	for (size_t i = 0; i < path.len; i++) {
		const unsigned char c = (unsigned char)path.ptr[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	/* An absolute path fails by its first component, which is empty. */
	while (path.ptr) {
		const struct xb_sv part = xb_sv_cut(&path, '/');

		if (!part.len || part.len > XB_MAX_NAME_BYTES || ++depth > XB_MAX_PATH_DEPTH)
			return false;
		if (xb_sv_eq_str(part, ".") || xb_sv_eq_str(part, ".."))
			return false;
	}
	return true;
}

/* Cuts the leading ".." components off a clean path and returns how many there were; "." becomes empty. */
static size_t cut_ups(struct xb_sv *path)
{
	size_t ups = 0;

	for (; xb_sv_eq_str(*path, "..") || xb_sv_starts(*path, "../"); ups++)
		xb_sv_cut(path, '/');
	if (xb_sv_eq_str(*path, "."))
		path->len = 0;
	return ups;
}

bool xb_path_is_below(struct xb_sv path, struct xb_sv dir)
{
	size_t path_ups, dir_ups;

	if (is_absolute(path) != is_absolute(dir))
		return false;
	/* "../.." begins with "../" and yet lies above ".."; and all that does not climb lies below it. */
	path_ups = cut_ups(&path);
	dir_ups = cut_ups(&dir);
	if (!dir.len)
		return path_ups <= dir_ups;
	if (path_ups != dir_ups || path.len < dir.len || memcmp(path.ptr, dir.ptr, dir.len) != 0)
		return false;
	return path.len == dir.len || dir.ptr[dir.len - 1] == '/' || path.ptr[dir.len] == '/';
}

/* Cuts the first component of each off as long as they are the same. */
static void skip_common(struct xb_sv *a, struct xb_sv *b)
{
	while (a->len && b->len) {
		struct xb_sv a_rest = *a, b_rest = *b;

		if (!xb_sv_eq(xb_sv_cut(&a_rest, '/'), xb_sv_cut(&b_rest, '/')))
			return;
		*a = a_rest;
		*b = b_rest;
	}
}

char *xb_path_relative(const char *from, const char *to)
{
	struct xb_sv a = xb_sv(from), b = xb_sv(to);
	struct xb_str out = {0};

	assert(is_absolute(a) == is_absolute(b));
	if (xb_sv_eq_str(a, "."))
		a.len = 0;
	if (xb_sv_eq_str(b, "."))
		b.len = 0;
	skip_common(&a, &b);
	while (a.len) {
		if (xb_sv_eq_str(xb_sv_cut(&a, '/'), "..")) {
			xb_str_release(&out);
			return NULL;
		}
		xb_str_append(&out, out.len ? "/.." : "..");
	}
	if (out.len && b.len)
		xb_str_append_char(&out, '/');
	xb_str_append_sv(&out, b);
	if (!out.len)
		xb_str_append_char(&out, '.');
	return xb_str_steal(&out);
}

struct xb_sv xb_path_base(struct xb_sv path)
{
	size_t start;

	path = without_trailing_slashes(path);
	for (start = path.len; start && path.ptr[start - 1] != '/'; start--)
		;
	return xb_sv_n(path.ptr ? path.ptr + start : NULL, path.len - start);
}

struct xb_sv xb_path_dir(struct xb_sv path)
{
	struct xb_sv dir = without_trailing_slashes(path);

	while (dir.len && dir.ptr[dir.len - 1] != '/')
		dir.len--;
	dir = without_trailing_slashes(dir);
	if (!dir.len && is_absolute(path))
		dir.len = 1;
	return dir;
}

struct xb_sv xb_path_ext(struct xb_sv path)
{
	struct xb_sv base = xb_path_base(path);
	size_t name = 0, dot;

	/* The dots that a name begins with (".profile", "..") separate nothing. */
	while (name < base.len && base.ptr[name] == '.')
		name++;
	for (dot = base.len; dot > name && base.ptr[dot - 1] != '.'; dot--)
		;
	if (dot <= name || dot == base.len)
		return xb_sv_n(NULL, 0);
	return xb_sv_n(base.ptr + dot - 1, base.len - dot + 1);
}

/* '?' stands for one character: a byte and the UTF-8 continuation bytes behind it. */
static size_t char_end(struct xb_sv name, size_t i)
{
	for (i++; i < name.len && ((unsigned char)name.ptr[i] & 0xc0) == 0x80; i++)
		;
	return i;
}

/* One component. Only the last '*' has to be tried again, so the time is bounded by pattern length * name length. */
static bool match_name(struct xb_sv pattern, struct xb_sv name)
{
	size_t p = 0, n = 0, star_p = 0, star_n = 0;
	bool star = false;

	while (n < name.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = true;
			star_p = ++p;
			star_n = n;
		} else if (p < pattern.len && pattern.ptr[p] == '?') {
			p++;
			n = char_end(name, n);
		} else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
			p++;
			n++;
		} else if (star) {
			p = star_p;
			n = ++star_n;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

/* The same algorithm one level up: "**" is the star, components are the characters. */
bool xb_path_glob(struct xb_sv pattern, struct xb_sv path)
{
	struct xb_sv star_pattern = {0}, star_path = {0};
	bool star = false;

	while (path.ptr) {
		struct xb_sv pattern_rest = pattern, path_rest = path;
		const struct xb_sv part = xb_sv_cut(&pattern_rest, '/');

		if (pattern.ptr && xb_sv_eq_str(part, "**")) {
			star = true;
			star_pattern = pattern = pattern_rest;
			star_path = path;
		} else if (pattern.ptr && match_name(part, xb_sv_cut(&path_rest, '/'))) {
			pattern = pattern_rest;
			path = path_rest;
		} else if (star) {
			xb_sv_cut(&star_path, '/');
			pattern = star_pattern;
			path = star_path;
		} else {
			return false;
		}
	}
	while (pattern.ptr) {
		if (!xb_sv_eq_str(xb_sv_cut(&pattern, '/'), "**"))
			return false;
	}
	return true;
}
