/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "spec.h"
#include "xbuild/base/alloc.h"
#include "xbuild/pkg/deb_archive.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/proc.h"

#define VERSION_TIMEOUT_MS 60000

/* The patterns, and the same below one top directory: some archives have one, some have not. */
static struct xb_list patterns(struct xb_arena *arena, const char *const *from)
{
	struct xb_list list = {0};
	size_t n = 0;

	while (from[n])
		n++;
	list.items = xb_arena_array(arena, 2 * n, sizeof(*list.items));
	for (size_t i = 0; i < n; i++) {
		list.items[list.len++] = from[i];
		list.items[list.len++] = xb_arena_printf(arena, "*/%s", from[i]);
	}
	return list;
}

static void free_procs(struct xb_procs **procs)
{
	xb_procs_free(*procs);
}

struct archive_unpacking {
	struct xb_arena arena;
	struct xb_tree_stage *stage;
	struct xb_tree_part *part;
	struct xb_tree_entries entries;
};

static void archive_unpacking_release(struct archive_unpacking *u)
{
	xb_tree_entries_release(&u->entries);
	xb_tree_part_free(u->part);
	xb_tree_stage_close(u->stage);
	xb_arena_release(&u->arena);
}

/* "clang version 22.1.8 (...)", at the beginning of a line or behind a distributor's name. */
static struct xb_sv version_of(struct xb_sv output)
{
	static const char words[] = "clang version ";
	const char *at = output.ptr ? strstr(output.ptr, words) : NULL;

	if (!at)
		return xb_sv("");
	at += strlen(words);
	return xb_sv_n(at, strspn(at, "0123456789."));
}

static int refuse_start(const struct xb_lock_toolchain *lock, const char *why, struct xb_err *err)
{
	xb_fail(err, XB_E_VERIFY, "'clang --version' of the archive fails: %s", why);
	return xb_hint(
		err,
		"is it an archive for %s? one that needs libraries of another system does not run here; toolchains "
		"of 'llvm:' with 'source: packages' run on every Linux",
		lock->host);
}

/* Archives are what their sha256 says; whether that is the version that was asked for, only the compiler can tell. */
static int check_version(const char *dir, const struct xb_lock_toolchain *lock, struct xb_err *err)
{
	char *clang XB_CLEANUP(xb_free_ptr) = xb_printf("%s/root/" ARCHIVE_BIN_DIR "/clang", dir);
	char *emulator XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_proc_result result XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_procs *procs XB_CLEANUP(free_procs) = xb_procs_new();
	struct xb_err no_start XB_CLEANUP(xb_err_release) = {0};
	const char *argv[] = {clang, "--no-default-config", "--version", NULL, NULL};
	struct xb_proc_spec spec = {.argv = argv, .timeout_ms = VERSION_TIMEOUT_MS};
	struct xb_sv found;
	void *user;
	char text[128];

	if (xb_proc_emulator(&emulator, err) < 0)
		return err->code;
	if (emulator) {
		memmove(argv + 1, argv, 3 * sizeof(*argv));
		argv[0] = emulator;
	}
	if (xb_procs_start(procs, &spec, NULL, &no_start) < 0)
		return refuse_start(lock, no_start.msg, err);
	if (xb_procs_wait(procs, -1, NULL, &user, &result, err) < 0)
		return err->code;
	found = version_of(xb_str_sv(&result.output));
	if (result.exit_code != 0 || !found.len) {
		struct xb_sv rest = xb_str_sv(&result.output), first = xb_sv_cut(&rest, '\n');
		char *why XB_CLEANUP(xb_free_ptr) = NULL;

		why = first.len ? xb_sv_dup(first) : xb_strdup(xb_proc_describe(&result, text, sizeof(text)));
		return refuse_start(lock, why, err);
	}
	if (!xb_sv_eq_str(found, lock->version))
		return xb_fail(err, XB_E_VERIFY, "its clang is of version %.*s, and the lock says %s", XB_SV_ARG(found),
			       lock->version);
	return 0;
}

static int unpack_archive(struct xb_store *store, const struct xb_lock_toolchain *lock, const char *name,
			  struct archive_unpacking *u, int n_threads, struct xb_err *err)
{
	static const char *const tops[] = {ARCHIVE_BIN_DIR, NULL};
	const struct xb_list keep = patterns(&u->arena, toolchain_archive_files);
	const struct xb_list drop = patterns(&u->arena, toolchain_archive_drops);
	const struct xb_tree_entry *clang;

	if (xb_tar_unpack(store, &lock->archive.sha256, name, &(struct xb_tar_choice){&keep, &drop}, n_threads, u->part,
			  err) < 0 ||
	    xb_tree_merge(&u->part, 1, &u->entries, err) < 0)
		return err->code;
	if (!u->entries.len)
		return xb_fail(err, XB_E_VERIFY, "the archive '%s' has no bin/clang", name);
	if (xb_fixup_strip_top(&u->entries, tops, err) < 0 ||
	    xb_fixup_links(&u->entries, XB_DANGLING_REMOVE, NULL, err) < 0)
		return err->code;
	clang = xb_tree_entries_find(&u->entries, ARCHIVE_BIN_DIR "/clang");
	if (!clang || clang->type == XB_TREE_DIR)
		return xb_fail(err, XB_E_VERIFY, "the archive '%s' has no bin/clang", name);
	return 0;
}

static int make_from_archive(struct xb_store *store, const struct xb_toolchain_desc *desc,
			     const struct xb_lock_toolchain *lock, int n_threads, struct xb_tree *out,
			     struct xb_err *err)
{
	struct archive_unpacking u XB_CLEANUP(archive_unpacking_release) = {0};
	struct xb_tree_prepared prepared XB_CLEANUP(xb_tree_prepared_release) = {0};
	const char *name = xb_archive_name(lock->archive.url);
	struct xb_digest recipe;
	struct xb_host host;

	xb_host_detect(&host);
	xb_toolchain_recipe(desc, lock, XB_TOOLCHAIN_BASE, &recipe);
	if (xb_tree_stage_open(store, &u.stage, err) < 0)
		return err->code;
	u.part = xb_tree_part_new(u.stage, desc->name);
	if (unpack_archive(store, lock, name, &u, n_threads, err) < 0 ||
	    xb_tree_prepare(u.stage, &u.entries, &recipe, &prepared, err) < 0 ||
	    (strcmp(host.name, lock->host) == 0 && check_version(prepared.dir, lock, err) < 0))
		return xb_wrap(err, "make toolchain '%s'", desc->name);
	if (xb_tree_flush(store, err) < 0)
		return err->code;
	return xb_tree_publish(&prepared, out, err);
}

int xb_toolchain_make(struct xb_store *store, const struct xb_toolchain_desc *desc,
		      const struct xb_lock_toolchain *lock, enum xb_toolchain_part part, int n_threads,
		      struct xb_tree *out, struct xb_err *err)
{
	struct xb_deb_tree spec;

	if (lock->archive.url)
		return make_from_archive(store, desc, lock, n_threads, out, err);
	spec = toolchain_spec(desc, lock, part);
	return xb_deb_tree_make(store, &spec, n_threads, out, err);
}
