/* SPDX-License-Identifier: Apache-2.0 */
#include "test_libraries.h"

#include <string.h>
#include <unistd.h>

#include "xbuild/app/op_build.h"
#include "xbuild/base/alloc.h"
#include "xbuild/sys/fs.h"

bool test_is_library(const struct xb_built *item)
{
	const char *name = item->output ? xb_output_file_name(item->output) : "";

	return item->unit->kind == XB_UNIT_SHARED ||
	       (!item->is_directory && (xb_sv_ends(xb_sv(name), ".so") || strstr(name, ".so.")));
}

const char *test_soname(const struct xb_unit *unit)
{
	return unit->soname ? unit->soname : unit->output_name;
}

struct xb_verify_library *test_libraries(struct xb_arena *arena, const struct xb_build_result *build,
					 const struct xb_target *target, size_t *out_n)
{
	struct xb_verify_library *libraries = xb_arena_array(arena, build->n_items + 1, sizeof(*libraries));

	*out_n = 0;
	for (size_t i = 0; i < build->n_items; i++) {
		const struct xb_built *item = &build->items[i];

		if (item->target == target && test_is_library(item))
			libraries[(*out_n)++] = (struct xb_verify_library){
				item->output ? xb_output_file_name(item->output) : test_soname(item->unit), item->path};
	}
	return libraries;
}

static int link_library(const char *path, const char *dir, const char *name, struct xb_err *err)
{
	char *place XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", dir, name);

	if (symlink(path, place) < 0)
		return xb_fail_errno(err, "link '%s' to '%s'", place, path);
	return 0;
}

int test_libraries_lay_out(const struct xb_verify_library *libraries, size_t n, const char *dir, struct xb_err *err)
{
	if (xb_fs_mkdirs(dir, 0700, err) < 0)
		return err->code;
	for (size_t i = 0; i < n; i++) {
		const struct xb_verify_library *library = &libraries[i];
		const char *file = strrchr(library->path, '/') + 1;

		if (link_library(library->path, dir, library->soname, err) < 0)
			return err->code;
		if (strcmp(file, library->soname) != 0 && link_library(library->path, dir, file, err) < 0)
			return err->code;
	}
	return 0;
}
