/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/provision.h"

#include <assert.h>
#include <string.h>

#include "base.h"
#include "contents.h"
#include "rust.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/names.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sysroot/sysroot.h"
#include "xbuild/toolchain/toolchain.h"

static const char *const kinds[] = {
	[XB_WANT_TOOLCHAIN] = "toolchain", [XB_WANT_TOOLS] = "tools",	   [XB_WANT_SYSROOT] = "sysroot",
	[XB_WANT_PACKAGE] = "package",	   [XB_WANT_BASE] = "base",	   [XB_WANT_RUST] = "rust",
	[XB_WANT_CRATES] = "crates",	   [XB_WANT_CONTENTS] = "contents"};

bool xb_want_is_tree(const struct xb_want *want)
{
	return want->kind != XB_WANT_BASE && want->kind != XB_WANT_CONTENTS;
}

static bool has_part(enum xb_want_kind kind)
{
	return kind == XB_WANT_PACKAGE || kind == XB_WANT_BASE;
}

const char *xb_want_kind_name(const struct xb_want *want)
{
	return kinds[want->kind];
}

char *xb_want_format(const struct xb_want *want, struct xb_arena *arena)
{
	return xb_arena_printf(arena, "%s:%s%s%s%s%s", kinds[want->kind], want->name, want->image ? "/" : "",
			       want->image ? want->image : "", want->package ? "/" : "",
			       want->package ? want->package : "");
}

/* "linux-aarch64", "linux-aarch64/all", "linux-aarch64/try", "linux-aarch64/try/all" */
static bool parse_contents(struct xb_sv rest, struct xb_arena *arena, struct xb_want *out)
{
	const struct xb_sv name = xb_sv_cut(&rest, '/');

	out->kind = XB_WANT_CONTENTS;
	out->name = xb_arena_sv(arena, name);
	if (xb_sv_eq_str(rest, CONTENTS_TRY) || xb_sv_starts(rest, CONTENTS_TRY "/")) {
		out->image = CONTENTS_TRY;
		xb_sv_cut(&rest, '/');
	}
	if (xb_sv_eq_str(rest, CONTENTS_ALL)) {
		out->package = CONTENTS_ALL;
		rest = (struct xb_sv){0};
	}
	return !rest.ptr && xb_target_find(name);
}

int xb_want_parse(const char *text, struct xb_arena *arena, struct xb_want *out, struct xb_err *err)
{
	struct xb_sv rest = xb_sv(text);
	const struct xb_sv kind = xb_sv_cut(&rest, ':');
	struct xb_sv package = rest, image = {0}, name;
	struct xb_want want = {0};
	size_t k = 0;

	while (k < XB_COUNT(kinds) && !xb_sv_eq_str(kind, kinds[k]))
		k++;
	if (k == XB_WANT_CONTENTS && parse_contents(rest, arena, &want)) {
		*out = want;
		return 0;
	}
	want.kind = (enum xb_want_kind)k;
	name = has_part(want.kind) ? xb_sv_cut(&package, '/') : rest;
	if (want.kind == XB_WANT_BASE)
		image = xb_sv_cut(&package, '/');
	else if (want.kind == XB_WANT_PACKAGE && package.ptr && memchr(package.ptr, '/', package.len))
		image = xb_sv_cut(&package, '/');
	if (k == XB_COUNT(kinds) || k == XB_WANT_CONTENTS || !xb_name_is_unit(name) ||
	    (image.ptr && !xb_name_is_unit(image)) ||
	    (want.kind == XB_WANT_BASE && (!image.ptr || (package.ptr && !xb_sv_eq_str(package, "files")))) ||
	    (want.kind == XB_WANT_PACKAGE && !xb_name_is_debian_package(package))) {
		xb_fail(err, XB_E_USAGE, "'%s' is nothing to fetch", text);
		return xb_hint(err, "use toolchain:HOST, tools:HOST, sysroot:TARGET, rust:HOST, package:TARGET/NAME, "
				    "package:TARGET/IMAGE/NAME, base:TARGET/IMAGE or contents:TARGET");
	}
	want.name = xb_arena_sv(arena, name);
	if (has_part(want.kind) && package.ptr)
		want.package = xb_arena_sv(arena, package);
	if (image.ptr)
		want.image = xb_arena_sv(arena, image);
	*out = want;
	return 0;
}

static int lock_toolchain(const struct xb_app *app, const char *host, const struct xb_lock_toolchain **out,
			  struct xb_err *err)
{
	*out = xb_lock_toolchain(app->lock, host);
	if (*out)
		return 0;
	xb_fail(err, XB_E_LOCK, "xbuild.lock has no toolchain for host '%s'", host);
	return xb_hint(err, "add the host to 'hosts:' in %s and run 'xbuild lock'", app->project->file);
}

static int lock_sysroot(const struct xb_app *app, const char *target, const struct xb_lock_sysroot **out,
			struct xb_err *err)
{
	*out = xb_lock_sysroot(app->lock, target);
	if (*out)
		return 0;
	xb_fail(err, XB_E_LOCK, "xbuild.lock has no sysroot for target '%s'", target);
	return xb_hint(err, "add the target to 'targets:' in %s and run 'xbuild lock'", app->project->file);
}

int xb_want_package(const struct xb_app *app, const struct xb_want *want, const struct xb_lock_package **out,
		    struct xb_err *err)
{
	const struct xb_lock_image *image = want->image ? xb_lock_image(app->lock, want->image, want->name) : NULL;
	const struct xb_lock_sysroot *sysroot;

	if (!want->image && lock_sysroot(app, want->name, &sysroot, err) < 0)
		return err->code;
	*out = image	     ? xb_lock_package(&image->packages, want->package)
	       : want->image ? NULL
			     : xb_lock_package(&sysroot->packages, want->package);
	if (*out)
		return 0;
	xb_fail(err, XB_E_LOCK, "xbuild.lock has no package '%s' for target '%s'", want->package, want->name);
	return xb_hint(err, "add it to 'packages:' in %s and run 'xbuild lock'", app->project->file);
}

int xb_want_recipe(struct xb_app *app, const struct xb_want *want, struct xb_digest *out, bool *out_none,
		   struct xb_err *err)
{
	const struct xb_lock_toolchain *toolchain;
	const struct xb_lock_sysroot *sysroot;
	const struct xb_lock_package *package;

	*out_none = false;
	switch (want->kind) {
	case XB_WANT_TOOLCHAIN:
	case XB_WANT_TOOLS:
		if (lock_toolchain(app, want->name, &toolchain, err) < 0)
			return err->code;
		*out_none = want->kind == XB_WANT_TOOLS && !toolchain->archive.url && !toolchain->tools.len;
		xb_toolchain_recipe(app->toolchain, toolchain,
				    want->kind == XB_WANT_TOOLS ? XB_TOOLCHAIN_TOOLS : XB_TOOLCHAIN_BASE, out);
		return 0;
	case XB_WANT_SYSROOT:
		if (lock_sysroot(app, want->name, &sysroot, err) < 0)
			return err->code;
		xb_sysroot_recipe(app->sysroot, sysroot, out);
		return 0;
	case XB_WANT_PACKAGE:
		if (xb_want_package(app, want, &package, err) < 0)
			return err->code;
		xb_package_tree_recipe(package, out);
		return 0;
	case XB_WANT_RUST:
	case XB_WANT_CRATES:
		return rust_want_recipe(app, want, out, err);
	case XB_WANT_BASE:
	case XB_WANT_CONTENTS:
		break;
	}
	assert(false);
	return 0;
}

int xb_want_image(struct xb_app *app, const struct xb_want *want, const struct xb_image **out_image,
		  const struct xb_target **out_target, struct xb_err *err)
{
	const struct xb_image *image = xb_project_image(app->project, xb_sv(want->image));
	const struct xb_target *target = xb_target_find(xb_sv(want->name));

	if (!image || !target || !base_is_wanted(image)) {
		xb_fail(err, XB_E_USAGE, "image '%s' has no base to fetch for '%s'", want->image, want->name);
		return xb_hint(err, "'image:' in %s names the images", app->project->file);
	}
	*out_image = image;
	*out_target = target;
	return 0;
}

static int is_base_there(struct xb_app *app, const struct xb_want *want, bool *out, struct xb_err *err)
{
	const struct xb_image *image;
	const struct xb_target *target;

	if (xb_want_image(app, want, &image, &target, err) < 0)
		return err->code;
	return base_is_there(app, image, target, want->package != NULL, out, err);
}

int xb_want_is_there(struct xb_app *app, const struct xb_want *want, bool *out, struct xb_err *err)
{
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_digest recipe;
	bool none;
	int found;

	if (want->kind == XB_WANT_BASE)
		return is_base_there(app, want, out, err);
	if (want->kind == XB_WANT_CONTENTS) {
		char *path XB_CLEANUP(xb_free_ptr) = contents_path(app, want);

		*out = xb_fs_exists(path);
		return 0;
	}
	if (xb_want_recipe(app, want, &recipe, &none, err) < 0)
		return err->code;
	found = none ? 1 : xb_tree_find(app->store, &recipe, &tree, err);
	if (found == XB_E_DIGEST) { /* damaged: to make it again replaces it */
		xb_err_clear(err);
		found = 0;
	}
	if (found < 0)
		return found;
	*out = found > 0;
	return 0;
}

int xb_provision_missing(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_want **out,
			 size_t *out_count, struct xb_err *err)
{
	struct xb_want *missing;
	size_t n = 0;

	if (xb_app_need_lock(app, err) < 0 || xb_app_need_store(app, err) < 0)
		return err->code;
	missing = xb_arena_array(&app->arena, n_wants, sizeof(*missing));
	for (size_t i = 0; i < n_wants; i++) {
		bool there;

		if (xb_want_is_there(app, &wants[i], &there, err) < 0)
			return err->code;
		if (!there)
			missing[n++] = wants[i];
	}
	*out = missing;
	*out_count = n;
	return 0;
}

int xb_provision(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_err *err)
{
	struct xb_want *missing;
	size_t n;

	if (xb_provision_missing(app, wants, n_wants, &missing, &n, err) < 0)
		return err->code;
	return n ? app->supply(app, missing, n, err) : 0;
}

/* After a supply that said it succeeded. */
static int still_missing(const struct xb_want *want, struct xb_err *err)
{
	return xb_fail(err, XB_E_SYSTEM, "the %s of '%s' is not in the store although it was just made",
		       kinds[want->kind], want->name);
}

int xb_provision_tools(struct xb_app *app, bool want_tools, struct xb_tools *out, struct xb_err *err)
{
	const struct xb_want wants[] = {{.kind = XB_WANT_TOOLCHAIN, .name = app->host.name},
					{.kind = XB_WANT_TOOLS, .name = app->host.name}};
	const struct xb_lock_toolchain *toolchain;
	int found;

	if (xb_app_need_lock(app, err) < 0 || lock_toolchain(app, app->host.name, &toolchain, err) < 0 ||
	    xb_provision(app, wants, want_tools ? 2 : 1, err) < 0)
		return err->code;
	found = xb_toolchain_find(app->store, app->toolchain, toolchain, want_tools, &app->arena, out, err);
	if (found < 0)
		return found;
	return found ? 0 : still_missing(&wants[0], err);
}

int xb_provision_sysroot(struct xb_app *app, const struct xb_target *target, struct xb_sysroot_paths *out,
			 struct xb_err *err)
{
	const struct xb_want want = {.kind = XB_WANT_SYSROOT, .name = target->name};
	const struct xb_lock_sysroot *sysroot;
	int found;

	if (xb_provision(app, &want, 1, err) < 0 || lock_sysroot(app, target->name, &sysroot, err) < 0)
		return err->code;
	found = xb_sysroot_find(app->store, app->sysroot, sysroot, target, &app->arena, out, err);
	if (found < 0)
		return found;
	return found ? 0 : still_missing(&want, err);
}

int xb_provision_package(struct xb_app *app, const struct xb_want *want, struct xb_tree *out, struct xb_err *err)
{
	struct xb_digest recipe;
	bool none;
	int found;

	if (xb_provision(app, want, 1, err) < 0 || xb_want_recipe(app, want, &recipe, &none, err) < 0)
		return err->code;
	found = xb_tree_find(app->store, &recipe, out, err);
	if (found < 0)
		return found;
	return found ? 0 : still_missing(want, err);
}
