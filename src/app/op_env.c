/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <string.h>

#include "xbuild/app/op_compiler.h"
#include "xbuild/app/op_doctor.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/cross.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

/* What one form is made from. */
struct telling {
	struct xb_app *app;
	const struct xb_compiler *compiler;
	struct xb_cross cross;
	const char *meson_file;
	struct xb_cross_vars vars;
	struct xb_str *out;
};

/* fish knows \\ and \' between single quotes: fish, "Quotes". */
static void quote_fish(struct xb_str *out, const char *text)
{
	xb_str_append_char(out, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			xb_str_append_char(out, '\\');
		xb_str_append_char(out, *text);
	}
	xb_str_append_char(out, '\'');
}

static const char *bin_dir(const struct telling *t)
{
	return xb_arena_printf(&t->app->arena, "%s/bin", t->cross.wrapper_dir);
}

static void form_sh(struct telling *t)
{
	xb_str_append(t->out, "export PATH=");
	xb_str_append_quoted(t->out, bin_dir(t));
	xb_str_append(t->out, ":\"$PATH\"\n");
	for (size_t i = 0; i < t->vars.len; i++) {
		xb_str_printf(t->out, "export %s=", t->vars.items[i].name);
		xb_str_append_quoted(t->out, xb_cross_short(&t->cross, t->vars.items[i].value));
		xb_str_append_char(t->out, '\n');
	}
}

static void form_fish(struct telling *t)
{
	xb_str_append(t->out, "set -gx PATH ");
	quote_fish(t->out, bin_dir(t));
	xb_str_append(t->out, " $PATH\n");
	for (size_t i = 0; i < t->vars.len; i++) {
		xb_str_printf(t->out, "set -gx %s ", t->vars.items[i].name);
		quote_fish(t->out, xb_cross_short(&t->cross, t->vars.items[i].value));
		xb_str_append_char(t->out, '\n');
	}
}

/* For $GITHUB_ENV: GitHub, "Workflow commands", "Setting an environment variable". */
static void form_github(struct telling *t)
{
	for (size_t i = 0; i < t->vars.len; i++)
		xb_str_printf(t->out, "%s=%s\n", t->vars.items[i].name, t->vars.items[i].value);
}

/* Without a quote in it a value in single quotes is what it is to every reader of such files. */
static void form_dotenv(struct telling *t)
{
	for (size_t i = 0; i < t->vars.len; i++) {
		const char *value = t->vars.items[i].value;

		xb_str_printf(t->out, "%s=", t->vars.items[i].name);
		if (!strchr(value, '\'')) {
			xb_str_printf(t->out, "'%s'\n", value);
			continue;
		}
		xb_str_append_char(t->out, '"');
		for (; *value; value++) {
			if (strchr("\\\"$`", *value))
				xb_str_append_char(t->out, '\\');
			xb_str_append_char(t->out, *value);
		}
		xb_str_append(t->out, "\"\n");
	}
}

static void form_json(struct telling *t)
{
	json_t *document = json_object(), *env = json_object(), *runner = json_array();

	for (const char *const *w = t->cross.emulator; w && *w; w++)
		json_array_append_new(runner, json_string(*w));
	for (size_t i = 0; i < t->vars.len; i++)
		json_object_set_new(env, t->vars.items[i].name, json_string(t->vars.items[i].value));
	json_object_set_new(document, "target", json_string(t->cross.target->name));
	json_object_set_new(document, "triple", json_string(t->cross.target->triple));
	json_object_set_new(document, "bin", json_string(bin_dir(t)));
	json_object_set_new(document, "sysroot", json_string(t->cross.sysroot));
	json_object_set_new(document, "project", json_string(t->compiler->place));
	json_object_set_new(document, "cmake-toolchain", json_string(t->cross.cmake_file));
	json_object_set_new(document, "meson-cross", json_string(t->meson_file));
	json_object_set_new(document, "runner", runner);
	json_object_set_new(document, "env", env);
	xb_json_write(document, 2, false, t->out);
	xb_str_append_char(t->out, '\n');
	json_decref(document);
}

static void form_cmake(struct telling *t)
{
	xb_cross_cmake(&t->cross, t->out);
}

static void form_meson(struct telling *t)
{
	xb_cross_meson(&t->cross, t->out);
}

static void form_cargo(struct telling *t)
{
	xb_cross_cargo(&t->cross, t->out);
}

static void form_conan(struct telling *t)
{
	xb_cross_conan(&t->cross, t->out);
}

static void form_vcpkg(struct telling *t)
{
	xb_cross_vcpkg(&t->cross, t->out);
}

const char *const xb_env_forms[] = {"sh",    "fish",  "json",  "github", "dotenv", "cmake",
				    "meson", "cargo", "conan", "vcpkg",	 NULL};

static void (*const writers[])(struct telling *t) = {form_sh,	 form_fish,  form_json,	 form_github, form_dotenv,
						     form_cmake, form_meson, form_cargo, form_conan,  form_vcpkg};

static int write_file(const char *path, const struct xb_cross *cross,
		      void (*writer)(const struct xb_cross *cross, struct xb_str *out), struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	writer(cross, &text);
	return xb_atomic_file_write(path, xb_str_get(&text), text.len, 0644, 0, err);
}

int xb_op_env(struct xb_app *app, const struct xb_compiler *compiler, const char *form, struct xb_str *out,
	      struct xb_err *err)
{
	struct telling t = {.app = app, .compiler = compiler, .out = out};
	const char *base = compiler->wrapper_dir;
	size_t i = 0;

	_Static_assert(XB_COUNT(writers) + 1 == XB_COUNT(xb_env_forms), "one writer for each form");
	while (xb_env_forms[i] && strcmp(xb_env_forms[i], form) != 0)
		i++;
	if (!xb_env_forms[i])
		return xb_fail(err, XB_E_USAGE, "there is no form '%s'", form);
	t.cross = (struct xb_cross){
		.target = compiler->target,
		.sysroot = compiler->sysroot,
		.wrapper_dir = base,
		.clang_major = compiler->clang_major,
		.libcxx = compiler->libcxx,
		.emulator = xb_app_runner_words(app, compiler->target, compiler->sysroot),
		.cmake_file = xb_arena_printf(&app->arena, "%s.cmake", base),
		.vcpkg_file = xb_arena_printf(&app->arena, "%s.vcpkg.cmake", base),
	};
	t.cross.no_objdump = !xb_fs_exists(xb_cross_tool(&t.cross, "objdump", &app->arena));
	t.meson_file = xb_arena_printf(&app->arena, "%s.meson.ini", base);
	xb_cross_env(&t.cross, &app->arena, &t.vars);
	if (write_file(t.cross.cmake_file, &t.cross, xb_cross_cmake, err) < 0 ||
	    write_file(t.meson_file, &t.cross, xb_cross_meson, err) < 0 ||
	    write_file(t.cross.vcpkg_file, &t.cross, xb_cross_vcpkg_toolchain, err) < 0)
		return err->code;
	writers[i](&t);
	return 0;
}
