/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/toolchain/toolchain.h"

#include <stdlib.h>
#include <string.h>

#include "spec.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/model/target.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/proc.h"

/* Raised whenever unpacking gives another tree for the same archive. */
#define ARCHIVE_UNPACKER_VERSION 2

/*
 * The official archives hold a whole development kit of several GB; compiling and linking needs this much. Libraries are
 * for the builds that are linked dynamically; "llvm" is the program that all names link to in minimal builds.
 */
const char *const toolchain_archive_files[] = {"bin/clang",
					       "bin/clang++",
					       "bin/clang-??",
					       "bin/clang-cpp",
					       "bin/lld",
					       "bin/ld.lld",
					       "bin/ld64.lld",
					       "bin/llvm",
					       "bin/llvm-driver",
					       "bin/llvm-ar",
					       "bin/llvm-nm",
					       "bin/llvm-objcopy",
					       "bin/llvm-objdump",
					       "bin/llvm-ranlib",
					       "bin/llvm-strip",
					       "bin/llvm-readelf",
					       "bin/llvm-readobj",
					       "bin/llvm-size",
					       "bin/llvm-strings",
					       "bin/llvm-cxxfilt",
					       "bin/llvm-symbolizer",
					       "bin/llvm-addr2line",
					       "bin/llvm-dwp",
					       "bin/llvm-profdata",
					       "bin/llvm-cov",
					       "lib/clang/**",
					       "lib/*.so*",
					       "lib/*.dylib",
					       "lib/*/libc++*.so*",
					       "lib/*/libunwind.so*",
					       NULL};

/* Large libraries that none of these programs loads. */
const char *const toolchain_archive_drops[] = {
	"lib/LLVM*.so", "lib/liblldb*", "lib/libclang-??.*", "lib/libclang.*", "lib/libLTO.*",	  "lib/libomp*",
	"lib/libMLIR*", "lib/libmlir*", "lib/libRemarks.*",  "lib/libflang*",  "lib/libFortran*", NULL};

struct xb_deb_tree toolchain_spec(const struct xb_toolchain_desc *desc, const struct xb_lock_toolchain *lock,
				  enum xb_toolchain_part part)
{
	const bool base = part == XB_TOOLCHAIN_BASE;

	return (struct xb_deb_tree){.kind = base ? "toolchain" : "tools",
				    .name = desc->name,
				    .variant = "",
				    .packages = base ? &lock->packages : &lock->tools,
				    .drop = &desc->drop,
				    .dangling = XB_DANGLING_REMOVE};
}

/* An archive is one tree: the further tools are in it too. */
static void archive_recipe(const struct xb_toolchain_desc *desc, const struct xb_lock_toolchain *lock,
			   struct xb_digest *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];

	xb_str_printf(&text, "xbuild archive tree %d\nname %s\narchive %s\n", ARCHIVE_UNPACKER_VERSION, desc->name,
		      xb_digest_hex(&lock->archive.sha256, hex));
	for (size_t i = 0; toolchain_archive_files[i]; i++)
		xb_str_printf(&text, "keep %s\n", toolchain_archive_files[i]);
	for (size_t i = 0; toolchain_archive_drops[i]; i++)
		xb_str_printf(&text, "drop %s\n", toolchain_archive_drops[i]);
	/* the version was compared with what the compiler says */
	xb_str_printf(&text, "version %s\n", lock->version);
	xb_digest_bytes(xb_str_get(&text), text.len, out);
}

void xb_toolchain_recipe(const struct xb_toolchain_desc *desc, const struct xb_lock_toolchain *lock,
			 enum xb_toolchain_part part, struct xb_digest *out)
{
	struct xb_deb_tree spec;

	if (lock->archive.url) {
		archive_recipe(desc, lock, out);
		return;
	}
	spec = toolchain_spec(desc, lock, part);
	xb_deb_tree_recipe(&spec, out);
}

/* How Debian's programs are started: with the loader and the libraries of their own tree (ld.so(8)). */
static int fill_loader(const struct xb_toolchain_desc *desc, const struct xb_lock_toolchain *lock,
		       struct xb_arena *arena, struct xb_tools *out, struct xb_err *err)
{
	/* Hosts are named as targets are. */
	const struct xb_target *host = xb_target_find(xb_sv(lock->host));
	const struct xb_sv prefix = xb_path_dir(xb_sv(desc->bin_dir));
	char *path XB_CLEANUP(xb_free_ptr) = NULL;

	if (!host)
		return xb_fail(err, XB_E_INPUT, "toolchain '%s': packages for host '%s' are not known to work",
			       desc->name, lock->host);
	out->loader = xb_arena_printf(arena, "usr/lib/%s/%.*s", host->multiarch,
				      XB_SV_ARG(xb_path_base(xb_sv(host->interpreter))));
	out->library_path = xb_arena_printf(arena, "usr/lib/%s:%.*s%slib", host->multiarch, XB_SV_ARG(prefix),
					    prefix.len ? "/" : "");
	path = xb_path_join(out->dir, out->loader);
	if (!xb_fs_exists(path)) {
		xb_fail(err, XB_E_VERIFY, "toolchain '%s' has no dynamic loader at '%s'", desc->name, path);
		return xb_hint(err, "if it was there before, run 'xbuild fetch --verify'");
	}
	return 0;
}

/* "22.1.8": 22; 0 when it does not begin with a number. */
static int major_of(const char *version)
{
	struct xb_sv rest = xb_sv(version);
	uint64_t major = 0;

	xb_num_u64(xb_sv_cut(&rest, '.'), 9999, &major);
	return (int)major;
}

static int find_tree(const struct xb_store *store, const struct xb_toolchain_desc *desc,
		     const struct xb_lock_toolchain *lock, enum xb_toolchain_part part, struct xb_tree *out,
		     struct xb_err *err)
{
	struct xb_digest recipe;

	xb_toolchain_recipe(desc, lock, part, &recipe);
	return xb_tree_find(store, &recipe, out, err);
}

int xb_toolchain_find(const struct xb_store *store, const struct xb_toolchain_desc *desc,
		      const struct xb_lock_toolchain *lock, bool want_tools, struct xb_arena *arena,
		      struct xb_tools *out, struct xb_err *err)
{
	struct xb_tree base XB_CLEANUP(xb_tree_release) = {0}, extra XB_CLEANUP(xb_tree_release) = {0};
	struct xb_tools tools = {0};
	char *emulator XB_CLEANUP(xb_free_ptr) = NULL;
	int found = find_tree(store, desc, lock, XB_TOOLCHAIN_BASE, &base, err);

	if (found <= 0)
		return found;
	tools.dir = xb_arena_strdup(arena, base.dir);
	tools.digest = base.digest;
	tools.digest_size = base.digest_size;
	tools.version = xb_arena_strdup(arena, lock->version);
	tools.major = major_of(lock->version);
	if (xb_proc_emulator(&emulator, err) < 0)
		return err->code;
	tools.emulator = emulator ? xb_arena_strdup(arena, emulator) : NULL;
	tools.bin_dir = lock->archive.url ? ARCHIVE_BIN_DIR : xb_arena_strdup(arena, desc->bin_dir);
	if (!lock->archive.url && fill_loader(desc, lock, arena, &tools, err) < 0)
		return err->code;
	/* Without packages of their own (archives) the further tools are in the base tree. */
	if (want_tools && !lock->archive.url && lock->tools.len) {
		found = find_tree(store, desc, lock, XB_TOOLCHAIN_TOOLS, &extra, err);
		if (found <= 0)
			return found;
		tools.extra_dir = xb_arena_strdup(arena, extra.dir);
		tools.extra_digest = extra.digest;
		tools.extra_digest_size = extra.digest_size;
	}
	*out = tools;
	return 1;
}
