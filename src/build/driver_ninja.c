/* SPDX-License-Identifier: Apache-2.0 */
/* What CMake and Meson write for ninja (ninja manual, "Ninja file reference"). */
#include <string.h>

#include "driver.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

#define MAX_NINJA_BYTES (256 * XB_MIB)

/* Those that both write for themselves: "CMakeFiles/install.util", "meson-internal__test". */
static bool is_of_generator(struct xb_sv output)
{
	return xb_sv_ends(output, ".util") || xb_sv_starts(output, "meson-");
}

bool driver_ninja_runs_own(const char *build_dir, const char *name)
{
	struct xb_str path XB_CLEANUP(xb_str_release) = {0}, text XB_CLEANUP(xb_str_release) = {0};
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_sv rest;

	xb_str_printf(&path, "%s/%s", build_dir, name);
	if (xb_fs_read(xb_str_get(&path), MAX_NINJA_BYTES, &text, &unreadable) < 0)
		return true;
	rest = xb_str_sv(&text);
	while (rest.len) {
		struct xb_sv line = xb_sv_cut(&rest, '\n'), outputs;

		if (!xb_sv_starts(line, "build "))
			continue;
		outputs = xb_sv_n(line.ptr + strlen("build "), line.len - strlen("build "));
		for (size_t i = 0; i + 2 < outputs.len; i++) {
			/* a colon of a name has "$" before it */
			if (outputs.ptr[i] != ':' || (i && outputs.ptr[i - 1] == '$'))
				continue;
			if (xb_sv_starts(xb_sv_n(outputs.ptr + i, outputs.len - i), ": CUSTOM_COMMAND") &&
			    !is_of_generator(xb_sv_n(outputs.ptr, i)))
				return true;
			break;
		}
	}
	return false;
}
