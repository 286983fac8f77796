/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cross.h"
#include "xbuild/base/alloc.h"
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

static bool is_library(const struct xb_unit *unit)
{
	return !unit->foreign && unit->kind != XB_UNIT_EXECUTABLE;
}

/* One more entry of a list property of the unit's target. */
static void append(struct xb_str *out, const struct xb_unit *unit, const char *property, const char *value)
{
	xb_str_printf(out, "set_property(TARGET %s::%s APPEND PROPERTY %s ", unit->name, unit->name, property);
	cross_quote(out, value, '"', "\\\"");
	xb_str_append(out, ")\n");
}

/* Who links a static library needs all of `target`; who links a shared one needs what its headers include. */
static void add_target(struct xb_str *out, const struct xb_unit *unit, const char *target)
{
	static const char *const properties[] = {"INTERFACE_INCLUDE_DIRECTORIES", "INTERFACE_COMPILE_OPTIONS"};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (unit->kind == XB_UNIT_STATIC) {
		append(out, unit, "INTERFACE_LINK_LIBRARIES", target);
		return;
	}
	for (size_t i = 0; i < XB_COUNT(properties); i++) {
		xb_str_reset(&text);
		xb_str_printf(&text, "$<TARGET_PROPERTY:%s,%s>", target, properties[i]);
		append(out, unit, properties[i], xb_str_get(&text));
	}
}

static void find_modules(struct xb_str *out, const struct xb_unit *unit)
{
	const char *name = unit->name;

	if (!unit->pkg_config.len)
		return;
	xb_str_printf(out, "find_dependency(PkgConfig)\npkg_check_modules(xb_%s QUIET IMPORTED_TARGET", name);
	for (size_t i = 0; i < unit->pkg_config.len; i++) {
		xb_str_append_char(out, ' ');
		cross_quote(out, unit->pkg_config.items[i], '"', "\\\"$");
	}
	xb_str_printf(out, ")\nif(NOT xb_%s_FOUND)\n  set(%s_FOUND FALSE)\n", name, name);
	xb_str_printf(out, "  set(%s_NOT_FOUND_MESSAGE \"the sysroot lacks modules that unit '%s' names under ", name,
		      name);
	xb_str_append(out, "pkg-config; add their packages to sysroot.packages\")\n  return()\nendif()\n");
}

void xb_foreign_package(const struct xb_unit *unit, struct xb_str *out)
{
	const char *name = unit->name;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv words;

	xb_str_printf(out, "# Unit '%s' of this project, for find_package(); written by xbuild\n", name);
	xb_str_printf(out, "if(TARGET %s::%s)\n  return()\nendif()\ninclude(CMakeFindDependencyMacro)\n", name, name);
	for (size_t i = 0; i < unit->n_deps; i++) {
		if (is_library(unit->deps[i]))
			xb_str_printf(out, "find_dependency(%s CONFIG)\n", unit->deps[i]->name);
	}
	find_modules(out, unit);
	xb_str_append(out, "get_filename_component(xb_prefix \"${CMAKE_CURRENT_LIST_DIR}/../../..\" ABSOLUTE)\n");
	xb_str_printf(out, "add_library(%s::%s %s IMPORTED)\n", name, name,
		      unit->kind == XB_UNIT_STATIC ? "STATIC" : "SHARED");
	xb_str_printf(&text, "${xb_prefix}/lib/%s", unit->output_name);
	append(out, unit, "IMPORTED_LOCATION", xb_str_get(&text));
	append(out, unit, "INTERFACE_INCLUDE_DIRECTORIES", "${xb_prefix}/include");
	for (size_t i = 0; i < unit->n_deps; i++) {
		xb_str_reset(&text);
		xb_str_printf(&text, "%s::%s", unit->deps[i]->name, unit->deps[i]->name);
		if (is_library(unit->deps[i]))
			add_target(out, unit, xb_str_get(&text));
	}
	xb_str_reset(&text);
	xb_str_printf(&text, "PkgConfig::xb_%s", name);
	if (unit->pkg_config.len)
		add_target(out, unit, xb_str_get(&text));
	xb_str_reset(&text);
	if (unit->kind == XB_UNIT_STATIC)
		add_libraries(&text, unit);
	words = xb_sv_trim(xb_str_sv(&text));
	while (words.len) {
		char *word XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_cut(&words, ' '));

		append(out, unit, "INTERFACE_LINK_LIBRARIES", word);
	}
	xb_str_append(out, "unset(xb_prefix)\n");
}
