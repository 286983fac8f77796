/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/contents.h"

#include <string.h>

void xb_contents_key(struct xb_sv path, struct xb_str *out)
{
	size_t end = path.len;

	for (size_t at = path.len; at-- > 0;) {
		if (path.ptr[at] != '/')
			continue;
		xb_str_append_n(out, path.ptr + at + 1, end - at - 1);
		xb_str_append_char(out, '/');
		end = at;
	}
	xb_str_append_n(out, path.ptr, end);
}

static size_t line_start(struct xb_sv text, size_t at)
{
	while (at && text.ptr[at - 1] != '\n')
		at--;
	return at;
}

static struct xb_sv line_at(struct xb_sv text, size_t at)
{
	const char *end = memchr(text.ptr + at, '\n', text.len - at);

	return xb_sv_n(text.ptr + at, end ? (size_t)(end - text.ptr) - at : text.len - at);
}

/* Offset of the first line that is not before `key`. */
static size_t lower_bound(struct xb_sv text, struct xb_sv key)
{
	size_t low = 0, high = text.len;

	while (low < high) {
		const size_t at = line_start(text, low + (high - low) / 2);
		const struct xb_sv line = line_at(text, at);

		if (xb_sv_compare(line, key) < 0)
			low = at + line.len + 1;
		else
			high = at;
	}
	return low < text.len ? low : text.len;
}

void xb_contents_find(struct xb_sv text, struct xb_sv suffix, size_t max, struct xb_arena *arena,
		      struct xb_contents_hits *out)
{
	struct xb_str key XB_CLEANUP(xb_str_release) = {0};

	if (!xb_sv_starts(text, XB_CONTENTS_HEAD) || !suffix.len)
		return;
	text = xb_sv_n(text.ptr + strlen(XB_CONTENTS_HEAD), text.len - strlen(XB_CONTENTS_HEAD));
	xb_contents_key(suffix, &key);
	xb_str_append_char(&key, '/');
	for (size_t at = lower_bound(text, xb_str_sv(&key)); at < text.len && out->list.len < max;) {
		const struct xb_sv line = line_at(text, at);
		struct xb_sv packages = line, name = xb_sv_cut(&packages, '\t');
		struct xb_str path XB_CLEANUP(xb_str_release) = {0};

		if (!xb_sv_starts(line, xb_str_get(&key)))
			break;
		xb_contents_key(name, &path);
		if (packages.len)
			XB_VEC_PUSH(&out->list,
				    ((struct xb_contents_hit){xb_arena_strdup(arena, xb_str_get(&path)), packages}));
		at += line.len + 1;
	}
}
