/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sysroot/sysroot.h"

#include <string.h>
#include <unistd.h>

#include "spec.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"
#include "xbuild/sys/fs.h"

/* Raised whenever the same archive or directory gives another tree. */
#define FOREIGN_UNPACKER_VERSION 1

/* What no program in a container reads. Copyright files are kept: licenses ask for it. */
static const char *image_drop_items[] = {
	"usr/share/bug/**", "usr/share/doc-base/**", "usr/share/info/**", "usr/share/lintian/**", "usr/share/man/**",
};
static const struct xb_list image_drop = {image_drop_items, XB_COUNT(image_drop_items)};

struct xb_deb_tree sysroot_spec(const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock)
{
	return (struct xb_deb_tree){.kind = "sysroot",
				    .name = desc->name,
				    .variant = desc->gcc,
				    .packages = &lock->packages,
				    .drop = &desc->drop,
				    .exclude = &desc->exclude,
				    .dangling = XB_DANGLING_REFUSE_LIBRARIES};
}

struct xb_deb_tree package_spec(const struct xb_lock_package *package, struct xb_lock_packages *one)
{
	/* Read only through the const pointer of the spec. */
	*one = (struct xb_lock_packages){.items = (struct xb_lock_package *)(uintptr_t)package, .len = 1};
	return (struct xb_deb_tree){.kind = "package",
				    .name = package->name,
				    .variant = "",
				    .packages = one,
				    .drop = &image_drop,
				    .dangling = XB_DANGLING_KEEP,
				    .for_image = true};
}

const char *const sysroot_foreign_drops[] = {"dev/**",	"proc/**", "sys/**",  "run/**", "tmp/**",
					     "boot/**", "root/**", "home/**", NULL};

void sysroot_directory_recipe(const struct xb_digest *tree, struct xb_digest *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];

	xb_str_printf(&text, "xbuild directory tree %d\ntree %s\n", FOREIGN_UNPACKER_VERSION, xb_digest_hex(tree, hex));
	xb_digest_bytes(xb_str_get(&text), text.len, out);
}

static void archive_recipe(const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock,
			   struct xb_digest *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];

	xb_str_printf(&text, "xbuild archive sysroot %d\narchive %s\n", FOREIGN_UNPACKER_VERSION,
		      xb_digest_hex(&lock->archive.sha256, hex));
	for (size_t i = 0; sysroot_foreign_drops[i]; i++)
		xb_str_printf(&text, "drop %s\n", sysroot_foreign_drops[i]);
	for (size_t i = 0; i < desc->drop.len; i++)
		xb_str_printf(&text, "drop %s\n", desc->drop.items[i]);
	xb_digest_bytes(xb_str_get(&text), text.len, out);
}

void xb_sysroot_recipe(const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock, struct xb_digest *out)
{
	const struct xb_deb_tree spec = sysroot_spec(desc, lock);

	if (lock->is_directory)
		sysroot_directory_recipe(&lock->archive.sha256, out);
	else if (lock->archive.url)
		archive_recipe(desc, lock, out);
	else
		xb_deb_tree_recipe(&spec, out);
}

/* "aarch64" of "aarch64-linux-gnu": what triples of other systems begin with too. */
static bool is_of_arch(const char *triple, const struct xb_target *target)
{
	const size_t n = strcspn(target->triple, "-");
	struct xb_sv rest = xb_sv(triple);
	const struct xb_sv arch = xb_sv_cut(&rest, '-');

	return strcmp(triple, target->gcc_triple) == 0 || xb_sv_eq(arch, xb_sv_n(target->triple, n));
}

/* The highest version below usr/lib/gcc/<triple>, for a triple of this architecture; our own triple goes first. */
static int find_gcc(const char *dir, const struct xb_target *target, struct xb_arena *arena, const char **out_dir,
		    const char **out_version, struct xb_err *err)
{
	static const char *const libs[] = {"usr/lib/gcc", "usr/lib64/gcc"};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	for (size_t i = 0; i < XB_COUNT(libs); i++) {
		char *gcc XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, libs[i]);
		struct xb_fs_list triples XB_CLEANUP(xb_fs_list_release) = {0};
		bool is_ours = false;

		if (!xb_fs_is_dir(gcc) || xb_fs_list(gcc, &triples, &ignored) < 0)
			continue;
		for (size_t t = 0; t < triples.len && !is_ours; t++) {
			char *sub XB_CLEANUP(xb_free_ptr) = xb_path_join(gcc, triples.items[t].name);
			struct xb_fs_list versions XB_CLEANUP(xb_fs_list_release) = {0};

			if (!is_of_arch(triples.items[t].name, target) || xb_fs_list(sub, &versions, &ignored) < 0)
				continue;
			is_ours = strcmp(triples.items[t].name, target->gcc_triple) == 0;
			if (is_ours)
				*out_version = NULL;
			for (size_t v = 0; v < versions.len; v++) {
				const char *name = versions.items[v].name;
				char *begin XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s/crtbegin.o", sub, name);

				if (!xb_name_is_version_number(xb_sv(name)) || !xb_fs_exists(begin) ||
				    (*out_version && xb_version_number_compare(xb_sv(name), xb_sv(*out_version)) <= 0))
					continue;
				*out_version = xb_arena_strdup(arena, name);
				*out_dir = xb_arena_printf(arena, "%s/%s/%s", libs[i], triples.items[t].name, name);
			}
		}
		if (*out_version)
			return 0;
	}
	xb_fail(err, XB_E_VERIFY, "the sysroot of '%s' has no usr/lib/gcc/<triple>/<version> with a crtbegin.o for it",
		target->name);
	return xb_hint(err, "it needs the files of gcc for this target: start files, libgcc, and the C++ headers");
}

/* Where crt1.o is: Debian's place, or those of systems without multiarch. */
static const char *find_lib_dir(const char *dir, const struct xb_target *target, struct xb_arena *arena)
{
	const char *const places[] = {xb_arena_printf(arena, "usr/lib/%s", target->multiarch), "usr/lib64", "usr/lib"};

	for (size_t i = 0; i < XB_COUNT(places); i++) {
		char *crt XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s/crt1.o", dir, places[i]);

		if (xb_fs_exists(crt))
			return places[i];
	}
	return places[0];
}

/*
 * Debian has one libc++ at a time in its place, usr/include/c++/v1, which is a link to "../../lib/llvm-19/include/c++/v1". All but
 * libc++abi.a is linked into the directory of the libraries. Elsewhere both are where the compiler looks.
 */
static const char *find_libcxx(const char *dir, struct xb_arena *arena)
{
	char *headers XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "usr/include/c++/v1");
	char text[XB_MAX_PATH_BYTES + 1];
	const struct xb_sv up = xb_sv("../../lib/"), down = xb_sv("/include/c++/v1");
	struct xb_sv home;
	ssize_t n;

	if (!xb_fs_exists(headers))
		return NULL;
	n = readlink(headers, text, sizeof(text));
	home = xb_sv_n(text, n > 0 ? (size_t)n : 0);
	if (home.len <= up.len + down.len || !xb_sv_starts(home, up.ptr) ||
	    memcmp(home.ptr + home.len - down.len, down.ptr, down.len) != 0)
		return "usr/lib";
	home = xb_sv_n(home.ptr + up.len, home.len - up.len - down.len);
	return xb_path_is_safe(home) ? xb_arena_printf(arena, "usr/lib/%.*s/lib", XB_SV_ARG(home)) : "usr/lib";
}

/* libstdc++.<ext> in a directory that links search. */
static bool has_libstdcxx(const struct xb_sysroot_paths *paths, const char *ext)
{
	const char *const dirs[] = {paths->gcc_dir, paths->lib_dir, "usr/lib"};

	for (size_t i = 0; i < XB_COUNT(dirs); i++) {
		char *file XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s/libstdc++.%s", paths->dir, dirs[i], ext);

		if (xb_fs_exists(file))
			return true;
	}
	return false;
}

void xb_package_tree_recipe(const struct xb_lock_package *package, struct xb_digest *out)
{
	struct xb_lock_packages one;
	const struct xb_deb_tree spec = package_spec(package, &one);

	xb_deb_tree_recipe(&spec, out);
}

int xb_sysroot_find(const struct xb_store *store, const struct xb_sysroot_desc *desc,
		    const struct xb_lock_sysroot *lock, const struct xb_target *target, struct xb_arena *arena,
		    struct xb_sysroot_paths *out, struct xb_err *err)
{
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	const char *gcc_dir = NULL, *gcc_version = NULL;
	struct xb_digest recipe;
	int found;

	xb_sysroot_recipe(desc, lock, &recipe);
	found = xb_tree_find(store, &recipe, &tree, err);
	if (found <= 0)
		return found;
	if (!desc->gcc && find_gcc(tree.dir, target, arena, &gcc_dir, &gcc_version, err) < 0)
		return err->code;
	*out = (struct xb_sysroot_paths){
		.target = target,
		.dir = xb_arena_strdup(arena, tree.dir),
		.manifest = xb_arena_strdup(arena, tree.manifest),
		.digest = tree.digest,
		.digest_size = tree.digest_size,
		.lib_dir = desc->gcc ? xb_arena_printf(arena, "usr/lib/%s", target->multiarch)
				     : find_lib_dir(tree.dir, target, arena),
		.gcc_dir =
			gcc_dir ? gcc_dir : xb_arena_printf(arena, "usr/lib/gcc/%s/%s", target->gcc_triple, desc->gcc),
		.libcxx_dir = find_libcxx(tree.dir, arena),
		.gcc_version = gcc_version ? gcc_version : xb_arena_strdup(arena, desc->gcc),
	};
	out->no_libstdcxx_a = !has_libstdcxx(out, "a");
	out->no_libstdcxx = out->no_libstdcxx_a && !has_libstdcxx(out, "so");
	return 1;
}
