/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/program.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

int xb_program_find(const char *name, struct xb_arena *arena, const char **out, struct xb_err *err)
{
	/* seen from bin/xbuild, from libexec/xbuild/xbuild-supply, and in a build tree */
	static const char *const places[] = {"", "../libexec/xbuild/", "../../bin/"};
	char *self XB_CLEANUP(xb_free_ptr) = NULL;
	const char *slash;

	if (xb_host_self(&self, err) < 0)
		return err->code;
	slash = strrchr(self, '/');
	for (size_t i = 0; i < XB_COUNT(places); i++) {
		char *path =
			xb_arena_printf(arena, "%.*s/%s%s", (int)(slash ? slash - self : 0), self, places[i], name);
		struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
		char *real XB_CLEANUP(xb_free_ptr) = NULL;

		if (xb_fs_exists(path) && xb_fs_realpath(path, &real, &ignored) == 0) {
			*out = xb_arena_strdup(arena, real);
			return 0;
		}
	}
	xb_fail(err, XB_E_SYSTEM, "the program %s is not installed with '%s'", name, self);
	return xb_hint(err, "install xbuild again, as a whole (cmake --install, or the package)");
}
