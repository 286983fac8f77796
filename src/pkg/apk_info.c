/* SPDX-License-Identifier: Apache-2.0 */
#include "apk_info.h"

#include <string.h>

#include "xbuild/base/num.h"
#include "xbuild/base/vec.h"

#define MAX_VALUES 65536 /* of one key: a package that provides every module of a language has thousands */

/* A growing list of words while the text is read. */
struct words {
	const char **items;
	size_t len, cap;
};

struct reader {
	struct xb_arena *arena;
	struct xb_apk_info *info;
	struct words depends, provides, replaces, install_if, triggers;
	struct xb_digest *data;
	bool has_data;
};

/* Values become lines of databases: nothing in them may end one. */
static bool is_line(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t') || text.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

static bool take_word(struct reader *r, struct words *words, struct xb_sv value)
{
	if (words->len == MAX_VALUES)
		return false;
	XB_VEC_PUSH(words, xb_arena_sv(r->arena, value));
	return true;
}

static bool take_number(struct xb_sv value, int64_t *out)
{
	uint64_t number;

	if (!xb_num_u64(value, INT64_MAX, &number))
		return false;
	*out = (int64_t)number;
	return true;
}

static bool take(struct reader *r, struct xb_sv key, struct xb_sv value)
{
	struct xb_apk_info *info = r->info;
	const struct {
		const char *key, **text;
		struct words *words;
		int64_t *number;
	} rows[] = {
		{"pkgname", &info->name, NULL, NULL},
		{"pkgver", &info->version, NULL, NULL},
		{"arch", &info->arch, NULL, NULL},
		{"pkgdesc", &info->description, NULL, NULL},
		{"url", &info->url, NULL, NULL},
		{"license", &info->license, NULL, NULL},
		{"origin", &info->origin, NULL, NULL},
		{"maintainer", &info->maintainer, NULL, NULL},
		{"commit", &info->commit, NULL, NULL},
		{"depend", NULL, &r->depends, NULL},
		{"provides", NULL, &r->provides, NULL},
		{"replaces", NULL, &r->replaces, NULL},
		{"install_if", NULL, &r->install_if, NULL},
		{"triggers", NULL, &r->triggers, NULL},
		{"builddate", NULL, NULL, &info->build_date},
		{"size", NULL, NULL, &info->installed_bytes},
		{"provider_priority", NULL, NULL, &info->provider_priority},
	};

	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		if (!xb_sv_eq_str(key, rows[i].key))
			continue;
		if (rows[i].words)
			return take_word(r, rows[i].words, value);
		if (rows[i].number)
			return take_number(value, rows[i].number);
		*rows[i].text = xb_arena_sv(r->arena, value);
	}
	if (xb_sv_eq_str(key, "datahash"))
		r->has_data = xb_digest_parse(value, r->data);
	return true;
}

static struct xb_list keep(struct reader *r, struct words *words)
{
	struct xb_list list = {.items = xb_arena_array(r->arena, words->len, sizeof(*list.items)), .len = words->len};

	if (words->len)
		memcpy(list.items, words->items, words->len * sizeof(*list.items));
	XB_VEC_RELEASE(words);
	return list;
}

/* The line that cannot be read, or an empty view. */
static struct xb_sv read_lines(struct reader *r, struct xb_sv text)
{
	while (text.ptr) {
		const struct xb_sv line = xb_sv_trim(xb_sv_cut(&text, '\n'));
		struct xb_sv value = line;
		const struct xb_sv key = xb_sv_trim(xb_sv_cut(&value, '='));

		if (!line.len || line.ptr[0] == '#')
			continue;
		value = xb_sv_trim(value);
		if (!value.ptr || !is_line(value) || !take(r, key, value))
			return line;
	}
	return xb_sv("");
}

int apk_info_parse(struct xb_sv text, const char *name, struct xb_arena *arena, struct xb_apk_info *out,
		   struct xb_digest *out_data, struct xb_err *err)
{
	struct xb_apk_info info = {"", "", "", "", "", "", "", "", "", .build_date = 0};
	struct reader r = {.arena = arena, .info = &info, .data = out_data};
	const struct xb_sv bad = read_lines(&r, text);

	info.depends = keep(&r, &r.depends);
	info.provides = keep(&r, &r.provides);
	info.replaces = keep(&r, &r.replaces);
	info.install_if = keep(&r, &r.install_if);
	info.triggers = keep(&r, &r.triggers);
	if (bad.len)
		return xb_fail(err, XB_E_VERIFY, "read '%s': a line of its .PKGINFO cannot be read", name);
	if (!*info.name || !*info.version || !*info.arch)
		return xb_fail(err, XB_E_VERIFY, "read '%s': its .PKGINFO does not say what it is", name);
	if (!r.has_data)
		return xb_fail(err, XB_E_VERIFY, "read '%s': its .PKGINFO has no datahash", name);
	*out = info;
	return 0;
}
