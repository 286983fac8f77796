/* SPDX-License-Identifier: Apache-2.0 */
/* What pkg-config(1) answers besides flags. */
#include "pkgconfig_reader.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"

bool pkgconfig_is_sign(struct xb_sv word)
{
	static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};

	for (size_t i = 0; i < XB_COUNT(signs); i++)
		if (xb_sv_eq_str(word, signs[i]))
			return true;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The run of digits, or of letters, at the front. */
static struct xb_sv segment(struct xb_sv *rest, bool digits)
{
	size_t n = 0;

	while (n < rest->len && (digits ? is_digit(rest->ptr[n]) : is_letter(rest->ptr[n])))
		n++;
	const struct xb_sv found = xb_sv_n(rest->ptr, n);

	*rest = xb_sv_n(rest->ptr + n, rest->len - n);
	return found;
}

static void skip_signs(struct xb_sv *rest)
{
	while (rest->len && !is_digit(*rest->ptr) && !is_letter(*rest->ptr) && *rest->ptr != '~')
		*rest = xb_sv_n(rest->ptr + 1, rest->len - 1);
}

static int compare_segments(struct xb_sv a, struct xb_sv b, bool digits)
{
	int order;

	while (digits && a.len && *a.ptr == '0')
		a = xb_sv_n(a.ptr + 1, a.len - 1);
	while (digits && b.len && *b.ptr == '0')
		b = xb_sv_n(b.ptr + 1, b.len - 1);
	if (digits && a.len != b.len)
		return a.len < b.len ? -1 : 1;
	order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
	if (order)
		return order < 0 ? -1 : 1;
	return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

/* RPM, "rpmvercmp": runs of digits and of letters in turn; digits beat letters; '~' comes before the end. */
static int compare_versions(struct xb_sv a, struct xb_sv b)
{
	while (a.len || b.len) {
		skip_signs(&a);
		skip_signs(&b);
		const bool a_less = a.len && *a.ptr == '~', b_less = b.len && *b.ptr == '~';

		if (a_less != b_less)
			return a_less ? -1 : 1;
		if (a_less) {
			a = xb_sv_n(a.ptr + 1, a.len - 1);
			b = xb_sv_n(b.ptr + 1, b.len - 1);
			continue;
		}
		if (!a.len || !b.len)
			break;
		const bool digits = is_digit(*a.ptr);
		const struct xb_sv left = segment(&a, digits), right = segment(&b, digits);

		if (!right.len)
			return digits ? 1 : -1;
		const int order = compare_segments(left, right, digits);

		if (order)
			return order;
	}
	return a.len ? 1 : b.len ? -1 : 0;
}

bool pkgconfig_version_fits(struct xb_sv have, struct xb_sv sign, struct xb_sv want)
{
	const int order = compare_versions(have, want);

	if (xb_sv_eq_str(sign, "="))
		return order == 0;
	if (xb_sv_eq_str(sign, "!="))
		return order != 0;
	if (sign.ptr[0] == '<')
		return order < 0 || (sign.len == 2 && order == 0);
	return order > 0 || (sign.len == 2 && order == 0);
}

bool xb_pkgconfig_version_is(const char *have, const char *sign, const char *want)
{
	return pkgconfig_version_fits(xb_sv(have), xb_sv(sign), xb_sv(want));
}

int xb_pkgconfig_find(struct xb_pkgconfig *reader, const char *name, struct xb_pkgconfig_module *out,
		      struct xb_err *err)
{
	struct module *module;

	if (pkgconfig_module(reader, xb_sv(name), NULL, &module, err) < 0)
		return err->code;
	*out = (struct xb_pkgconfig_module){.name = module->name,
					    .title = module->title,
					    .version = module->version,
					    .description = module->description,
					    .requires_ = module->requires_,
					    .requires_private = module->requires_private};
	return 0;
}

int xb_pkgconfig_modules(struct xb_pkgconfig *reader, const char *text, const char ***out, size_t *out_count,
			 struct xb_err *err)
{
	struct xb_sv rest = xb_sv(text);
	struct xb_dirs names = {0};
	struct module *module = NULL;

	for (struct xb_sv word = pkgconfig_word(&rest); word.len; word = pkgconfig_word(&rest)) {
		if (pkgconfig_is_sign(word) && module) {
			const struct xb_sv want = pkgconfig_word(&rest);

			if (!pkgconfig_version_fits(xb_sv(module->version), word, want))
				return xb_fail(err, XB_E_INPUT,
					       "pkg-config module '%s' has version %s, wanted is %.*s %.*s",
					       module->name, module->version, XB_SV_ARG(word), XB_SV_ARG(want));
			continue;
		}
		if (pkgconfig_module(reader, word, NULL, &module, err) < 0)
			return err->code;
		xb_dirs_add(&names, reader->arena, module->name);
	}
	*out = names.items;
	*out_count = names.len;
	return 0;
}

int xb_pkgconfig_variable(struct xb_pkgconfig *reader, const char *name, const char *variable, const char **out,
			  struct xb_err *err)
{
	struct xb_str value XB_CLEANUP(xb_str_release) = {0};
	struct module *module;
	const char *raw;

	if (pkgconfig_module(reader, xb_sv(name), NULL, &module, err) < 0)
		return err->code;
	raw = xb_map_get_str(&module->vars, variable);
	if (raw && pkgconfig_expand(module, xb_sv(raw), &value, err) < 0)
		return err->code;
	/* a path of the sysroot is meant; one that the caller has given himself is as he says */
	if (*xb_str_get(&value) == '/' && !reader->defined.len)
		*out = xb_arena_printf(reader->arena, "%s%s", module->root, xb_str_get(&value));
	else
		*out = xb_arena_strdup(reader->arena, xb_str_get(&value));
	return 0;
}

int xb_pkgconfig_variables(struct xb_pkgconfig *reader, const char *name, struct xb_str *out, struct xb_err *err)
{
	struct module *module;

	if (pkgconfig_module(reader, xb_sv(name), NULL, &module, err) < 0)
		return err->code;
	for (size_t i = 0; i < module->vars.len; i++)
		if (strcmp(module->vars.entries[i].key, "pc_sysrootdir") != 0)
			xb_str_printf(out, "%s\n", module->vars.entries[i].key);
	return 0;
}

struct listing {
	struct xb_pkgconfig *reader;
	struct xb_dirs names;
};

static int list_dir(void *ctx, const char *root, const char *dir, struct xb_err *err)
{
	struct listing *listing = ctx;
	struct xb_fs_list list = {0};
	char *path = xb_arena_printf(listing->reader->arena, "%s/%s", root, dir);

	if (!xb_fs_is_dir(path))
		return 0;
	if (xb_fs_list(path, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		const struct xb_sv name = xb_sv(list.items[i].name), ext = xb_path_ext(name);

		if (xb_sv_eq_str(ext, ".pc"))
			xb_dirs_add_new(&listing->names, listing->reader->arena,
					xb_arena_sv(listing->reader->arena, xb_sv_n(name.ptr, name.len - ext.len)));
	}
	xb_fs_list_release(&list);
	return 0;
}

int xb_pkgconfig_list(struct xb_pkgconfig *reader, const char ***out, size_t *out_count, struct xb_err *err)
{
	struct listing listing = {.reader = reader};

	if (pkgconfig_each_dir(reader, list_dir, &listing, err) < 0)
		return err->code;
	*out = listing.names.items;
	*out_count = listing.names.len;
	return 0;
}
