/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/loader.h"

#include <string.h>

#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"

char *xb_loader_library_path(struct xb_arena *arena, const char *sysroot, const struct xb_target *target,
			     const char *first)
{
	return xb_arena_printf(arena, "%s%s%s/usr/lib/%s:%s/lib/%s:%s/usr/lib:%s/lib", first ? first : "",
			       first ? ":" : "", sysroot, target->multiarch, sysroot, target->multiarch, sysroot,
			       sysroot);
}

char *xb_loader_find(struct xb_arena *arena, const char *sysroot, const struct xb_target *target)
{
	const char *base = strrchr(target->interpreter, '/');
	/* The interpreter's own path is a link in most sysroots; the file itself comes first. */
	char *const paths[] = {
		xb_arena_printf(arena, "%s/usr/lib/%s%s", sysroot, target->multiarch, base),
		xb_arena_printf(arena, "%s/lib/%s%s", sysroot, target->multiarch, base),
		xb_arena_printf(arena, "%s%s", sysroot, target->interpreter),
	};

	for (size_t i = 0; i < XB_COUNT(paths); i++) {
		if (xb_fs_exists(paths[i]))
			return paths[i];
	}
	return NULL;
}
