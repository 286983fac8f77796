/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/deb_contents.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/contents.h"
#include "xbuild/model/names.h"
#include "xbuild/sys/archive.h"

#define BLOCK_BYTES    (256 * 1024)
#define MAX_LINE_BYTES (64 * 1024) /* the longest of Debian 12 names 213 packages in 5 KB */

/* What was kept so far. Lines are named by offset: the text moves as it grows. */
struct reducer {
	const char *name;
	struct xb_str text; /* lines, in the order of the index */
	XB_VEC(uint32_t) lines;
};

static bool is_config(struct xb_sv base)
{
	return xb_sv_ends(base, "-config.cmake") || xb_sv_ends(base, "Config.cmake");
}

static bool is_library(struct xb_sv base)
{
	return xb_sv_starts(base, "lib") && (xb_sv_ends(base, ".so") || xb_sv_ends(base, ".a"));
}

/* A compiler for another machine has its own library; nobody adds that to a sysroot. */
static bool is_wanted(struct xb_sv path)
{
	const struct xb_sv base = xb_path_base(path), dir = xb_path_dir(path);

	if (xb_sv_starts(path, "usr/include/"))
		return true;
	if (xb_sv_starts(path, "usr/share/"))
		return (xb_sv_ends(base, ".pc") && xb_sv_ends(dir, "/pkgconfig")) || is_config(base);
	if ((!xb_sv_starts(path, "usr/lib/") && !xb_sv_starts(path, "lib/")) ||
	    xb_sv_starts(path, "usr/lib/gcc-cross/"))
		return false;
	return is_library(base) || (xb_sv_ends(base, ".pc") && xb_sv_ends(dir, "/pkgconfig")) || is_config(base);
}

/* "libdevel/libssl-dev,libdevel/x-cross" -> "libssl-dev"; false when nothing is left. */
static bool append_packages(struct xb_sv list, struct xb_str *out)
{
	bool any = false;

	while (list.ptr) {
		const struct xb_sv package = xb_path_base(xb_sv_cut(&list, ','));

		if (!xb_name_is_debian_package(package) || xb_sv_ends(package, "-cross"))
			continue;
		if (any)
			xb_str_append_char(out, ',');
		xb_str_append_sv(out, package);
		any = true;
	}
	return any;
}

/* A path may have blanks in it; the column of packages has none. */
static int take_line(struct reducer *r, struct xb_sv line, struct xb_err *err)
{
	struct xb_sv path = xb_sv_trim(line), packages;
	struct xb_str kept XB_CLEANUP(xb_str_release) = {0};
	size_t cut = path.len;

	while (cut && path.ptr[cut - 1] != ' ' && path.ptr[cut - 1] != '\t')
		cut--;
	packages = xb_sv_n(path.ptr + cut, path.len - cut);
	path = xb_sv_trim(xb_sv_n(path.ptr, cut));
	if (!is_wanted(path) || !xb_path_is_safe(path) || memchr(path.ptr, '\t', path.len))
		return 0;
	xb_contents_key(path, &kept);
	xb_str_append_char(&kept, '\t');
	if (!append_packages(packages, &kept))
		return 0;
	XB_VEC_PUSH(&r->lines, (uint32_t)r->text.len);
	xb_str_append_char(&kept, '\n');
	if (!xb_str_append_sv(&r->text, xb_str_sv(&kept)))
		return xb_fail(err, XB_E_INPUT, "'%s' lists more files than allowed", r->name);
	return 0;
}

static int read_all(struct reducer *r, struct xb_archive *in, struct xb_err *err)
{
	const size_t cap = MAX_LINE_BYTES + BLOCK_BYTES;
	char *block XB_CLEANUP(xb_free_ptr) = xb_alloc(cap);
	size_t have = 0;
	int64_t n;

	while ((n = xb_archive_read(in, block + have, BLOCK_BYTES, err)) > 0) {
		size_t used = 0;
		const char *end;

		have += (size_t)n;
		while ((end = memchr(block + used, '\n', have - used)) != NULL) {
			const size_t len = (size_t)(end - (block + used));

			if (take_line(r, xb_sv_n(block + used, len), err) < 0)
				return err->code;
			used += len + 1;
		}
		have -= used;
		memmove(block, block + used, have);
		if (have > MAX_LINE_BYTES)
			return xb_fail(err, XB_E_INPUT, "'%s' has a line longer than %d bytes", r->name,
				       MAX_LINE_BYTES);
	}
	if (n < 0)
		return err->code;
	return have ? take_line(r, xb_sv_n(block, have), err) : 0;
}

static struct xb_sv line_at(const char *text)
{
	return xb_sv_n(text, (size_t)(strchr(text, '\n') - text) + 1);
}

static int compare_lines(const void *a, const void *b)
{
	return xb_sv_compare(line_at(*(const char *const *)a), line_at(*(const char *const *)b));
}

static void write_sorted(const struct reducer *r, struct xb_str *out)
{
	const char **lines XB_CLEANUP(xb_free_ptr) = xb_alloc((r->lines.len + 1) * sizeof(*lines));

	for (size_t i = 0; i < r->lines.len; i++)
		lines[i] = r->text.data + r->lines.items[i];
	qsort(lines, r->lines.len, sizeof(*lines), compare_lines);
	xb_str_reset(out);
	xb_str_append(out, XB_CONTENTS_HEAD);
	for (size_t i = 0; i < r->lines.len; i++)
		xb_str_append_sv(out, line_at(lines[i]));
}

int xb_deb_contents_reduce(int fd, const char *name, const volatile int *interrupted, struct xb_str *out,
			   struct xb_err *err)
{
	struct reducer r = {.name = name, .text.max_bytes = XB_MAX_CONTENTS_BYTES};
	struct xb_archive *in = NULL;
	int rc;

	if (xb_archive_open_stream(fd, name, XB_MAX_CONTENTS_TEXT_BYTES, &in, err) < 0)
		return err->code;
	xb_archive_set_interrupted(in, interrupted);
	rc = read_all(&r, in, err);
	xb_archive_close(in);
	if (rc == 0)
		write_sorted(&r, out);
	xb_str_release(&r.text);
	XB_VEC_RELEASE(&r.lines);
	return rc;
}
