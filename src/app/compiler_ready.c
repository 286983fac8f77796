/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler_ready.h"

#include <stdio.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define MAGIC	    "xbuild compiler 4"
#define MAX_INPUTS  64
#define STAMP_BYTES 128

/*
 * Words with a NUL behind each: magic, wrapper directory, sysroot, toolchain, digest, major version, "tools" or "", "libc++" or
 * "", path of xbuild, then path and stamp in turn.
 */

static bool stamp_of(const char *path, char out[STAMP_BYTES])
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	/* of a directory only which one it is: what is in it has its own words */
	if (S_ISDIR(st.st_mode))
		snprintf(out, STAMP_BYTES, "directory %llu", (unsigned long long)st.st_ino);
	else
		snprintf(out, STAMP_BYTES, "%lld %lld %lld %llu", (long long)st.st_size, (long long)xb_fs_mtime_ns(&st),
			 (long long)xb_fs_ctime_ns(&st), (unsigned long long)st.st_ino);
	return true;
}

static const char *next(const char **at, const char *end)
{
	const char *word = *at;

	if (word >= end)
		return NULL;
	*at += strlen(word) + 1;
	return word;
}

static bool same_inputs(const char *at, const char *end)
{
	char stamp[STAMP_BYTES];

	for (const char *path = next(&at, end); path; path = next(&at, end)) {
		const char *old = next(&at, end);

		if (!old || !stamp_of(path, stamp) || strcmp(stamp, old) != 0)
			return false;
	}
	return true;
}

bool compiler_ready_read(struct xb_arena *arena, const char *path, const char *xbuild, bool need_tools,
			 struct xb_compiler *out)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	uint64_t number = 0;

	if (!xb_fs_exists(path) || xb_fs_read(path, XB_MAX_PATH_BYTES * MAX_INPUTS, &text, &ignored) < 0)
		return false;
	const char *at = xb_str_get(&text), *end = at + text.len;
	const char *magic = next(&at, end), *dir = next(&at, end), *sysroot = next(&at, end);
	const char *toolchain = next(&at, end), *digest = next(&at, end);
	const char *major = next(&at, end), *tools = next(&at, end);
	const char *libcxx = next(&at, end), *maker = next(&at, end);

	if (!maker || strcmp(magic, MAGIC) != 0 || strcmp(maker, xbuild) != 0 || (need_tools && !*tools) ||
	    !xb_num_u64(xb_sv(major), 9999, &number) || !xb_digest_parse(xb_sv(digest), &out->digest) ||
	    !same_inputs(at, end))
		return false;
	out->wrapper_dir = xb_arena_strdup(arena, dir);
	out->sysroot = xb_arena_strdup(arena, sysroot);
	out->toolchain = xb_arena_strdup(arena, toolchain);
	out->clang_major = (int)number;
	out->libcxx = *libcxx != '\0';
	return true;
}

static void say(struct xb_str *out, const char *word)
{
	xb_str_append_n(out, word, strlen(word) + 1);
}

int compiler_ready_write(const char *path, const struct xb_compiler *compiler, const char *xbuild, bool tools,
			 const char *const *inputs, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char stamp[STAMP_BYTES], hex[XB_DIGEST_HEX];

	say(&text, MAGIC);
	say(&text, compiler->wrapper_dir);
	say(&text, compiler->sysroot);
	say(&text, compiler->toolchain);
	say(&text, xb_digest_hex(&compiler->digest, hex));
	snprintf(stamp, sizeof(stamp), "%d", compiler->clang_major);
	say(&text, stamp);
	say(&text, tools ? "tools" : "");
	say(&text, compiler->libcxx ? "libc++" : "");
	say(&text, xbuild);
	for (; *inputs; inputs++) {
		say(&text, *inputs);
		say(&text, stamp_of(*inputs, stamp) ? stamp : "missing");
	}
	return xb_atomic_file_write(path, xb_str_get(&text), text.len, 0644, 0, err);
}
