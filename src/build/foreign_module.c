/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "xbuild/base/path.h"
#include "xbuild/build/foreign.h"

/* "core" of "libcore.a": what stands behind -l; empty where the linker would not find it by a name. */
static struct xb_sv link_name(const char *file)
{
	struct xb_sv name = xb_sv(file);

	if (!xb_sv_starts(name, "lib") || (!xb_sv_ends(name, ".a") && !xb_sv_ends(name, ".so")))
		return (struct xb_sv){0};
	name.ptr += strlen("lib");
	name.len -= strlen("lib");
	return xb_sv_cut(&name, '.');
}

static void add_libraries(struct xb_str *out, const struct xb_unit *unit)
{
	for (size_t i = 0; i < unit->settings.libs.len; i++)
		xb_str_printf(out, " -l%s", unit->settings.libs.items[i]);
	for (size_t i = 0; i < unit->n_deps; i++) {
		const struct xb_unit *dep = unit->deps[i];

		for (size_t k = 0; dep->foreign && k < dep->outputs.len; k++) {
			const struct xb_sv name = link_name(xb_output_file_name(dep->outputs.items[k]));

			if (name.len)
				xb_str_printf(out, " -l%.*s", XB_SV_ARG(name));
		}
	}
}

static void add_modules(struct xb_str *out, const struct xb_unit *unit)
{
	for (size_t i = 0; i < unit->pkg_config.len; i++)
		xb_str_printf(out, " %s", unit->pkg_config.items[i]);
	for (size_t i = 0; i < unit->n_deps; i++)
		if (!unit->deps[i]->foreign && unit->deps[i]->kind != XB_UNIT_EXECUTABLE)
			xb_str_printf(out, " %s", unit->deps[i]->name);
}

void xb_foreign_module(const struct xb_unit *unit, struct xb_str *out)
{
	const bool is_static = unit->kind == XB_UNIT_STATIC;
	const char *file = unit->output_name;
	struct xb_sv name = link_name(file);

	xb_str_printf(out, "Name: %s\nDescription: %s of this project\nVersion: 0\nCflags: -I/usr/include\n",
		      unit->name, unit->name);
	xb_str_append(out, is_static ? "Requires:" : "Requires.private:");
	add_modules(out, unit);
	xb_str_append(out, "\nLibs: -L/usr/lib ");
	if (name.len)
		xb_str_printf(out, "-l%.*s", XB_SV_ARG(name));
	else
		xb_str_printf(out, "-l:%s", file);
	xb_str_append(out, is_static ? "" : "\nLibs.private:");
	add_libraries(out, unit);
	xb_str_append(out, "\n");
}
