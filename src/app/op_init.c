/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_init.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

static const char hello_c[] = "#include <stdio.h>\n\nint main(void)\n{\n\tputs(\"hello\");\n}\n";

/* A legal unit name out of any directory name: lower case, the rest becomes '-'. */
static const char *legal_name(struct xb_arena *arena, struct xb_sv base)
{
	char *name = xb_arena_sv(arena, xb_sv_n(base.ptr, base.len < 63 ? base.len : 63));
	for (char *c = name; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		else if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", *c))
			*c = '-';
	}
	while (*name && !strchr("abcdefghijklmnopqrstuvwxyz0123456789", *name))
		name++;
	return xb_name_is_unit(xb_sv(name)) ? name : "hello";
}

/* The pattern for the sources that are there, looking in the directory and in src/; NULL when there are none. */
static int find_sources(const char *dir, const char **out, struct xb_err *err)
{
	static const char *const places[][2] = {{"", "c"},    {"", "cc"},    {"", "cpp"},
						{"src", "c"}, {"src", "cc"}, {"src", "cpp"}};
	static const char *const patterns[] = {"*.c", "*.cc", "*.cpp", "src/**/*.c", "src/**/*.cc", "src/**/*.cpp"};
	*out = NULL;
	for (size_t i = 0; i < XB_COUNT(places) && !*out; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, places[i][0]);
		struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
		if (!xb_fs_is_dir(path))
			continue;
		if (xb_fs_list(path, &list, err) < 0)
			return err->code;
		for (size_t k = 0; k < list.len && !*out; k++) {
			struct xb_sv ext = xb_path_ext(xb_sv(list.items[k].name));
			if ((list.items[k].is_file || list.items[k].is_link) && ext.len &&
			    xb_sv_eq_str(xb_sv_n(ext.ptr + 1, ext.len - 1), places[i][1]))
				*out = patterns[i];
		}
	}
	return 0;
}

/* The first that is there: who has CMake's file and a Makefile beside it keeps that for other uses, mostly. */
static const char *find_build_system(const char *dir, enum xb_driver_kind *out)
{
	static const struct {
		const char *file;
		enum xb_driver_kind driver;
	} known[] = {
		{"CMakeLists.txt", XB_DRIVER_CMAKE},   {"meson.build", XB_DRIVER_MESON},
		{"Cargo.toml", XB_DRIVER_CARGO},       {"go.mod", XB_DRIVER_GO},
		{"configure", XB_DRIVER_AUTOTOOLS},    {"configure.ac", XB_DRIVER_AUTOTOOLS},
		{"configure.in", XB_DRIVER_AUTOTOOLS}, {"GNUmakefile", XB_DRIVER_MAKE},
		{"makefile", XB_DRIVER_MAKE},	       {"Makefile", XB_DRIVER_MAKE},
	};

	for (size_t i = 0; i < XB_COUNT(known); i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, known[i].file);

		if (xb_fs_exists(path) && !xb_fs_is_dir(path)) {
			*out = known[i].driver;
			return known[i].file;
		}
	}
	*out = XB_DRIVER_SOURCES;
	return NULL;
}

static int write_new(const char *path, const char *text, struct xb_err *err)
{
	return xb_atomic_file_write(path, text, strlen(text), 0644, (enum xb_atomic_flags)0, err);
}

int xb_op_init(struct xb_app *app, const char *name, struct xb_init_result *out, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	if (app->options.dir ? xb_fs_realpath(app->options.dir, &dir, err) < 0 : xb_fs_cwd(&dir, err) < 0)
		return err->code;
	char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "xbuild.yaml");
	if (xb_fs_exists(file)) {
		xb_fail(err, XB_E_USAGE, "'%s' exists already", file);
		return xb_hint(err, "edit it, or work in another directory");
	}
	if (name && !xb_name_is_unit(xb_sv(name)))
		return xb_fail(
			err, XB_E_USAGE,
			"'%s' is no name for a project: lower-case letters, digits, '.', '_' and '-', at most 63",
			name);
	struct xb_init_result result = {0};
	enum xb_driver_kind driver;

	result.sources = find_build_system(dir, &driver);
	if (!result.sources && find_sources(dir, &result.sources, err) < 0)
		return err->code;
	result.found_sources = result.sources != NULL;
	if (!result.found_sources) {
		char *hello XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "hello.c");
		if (xb_fs_exists(hello))
			return xb_fail(err, XB_E_USAGE, "'%s' exists already, and is no file", hello);
		if (write_new(hello, hello_c, err) < 0)
			return err->code;
		result.sources = "hello.c";
	}
	result.name = name ? xb_arena_strdup(&app->arena, name) : legal_name(&app->arena, xb_path_base(xb_sv(dir)));
	result.path = xb_arena_strdup(&app->arena, file);
	xb_project_template(result.name, driver, result.sources, &text);
	if (write_new(file, xb_str_get(&text), err) < 0)
		return err->code;
	*out = result;
	return 0;
}
