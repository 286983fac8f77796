/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_compiler.h"

#include <stdlib.h>
#include <string.h>

#include "compiler_ready.h"
#include "xbuild/app/program.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/wrapper.h"
#include "xbuild/model/names.h"
#include "xbuild/model/stdlib.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/filelock.h"
#include "xbuild/sys/fs.h"

/* Raised when the project that is written for the same wishes changes. */
#define OWN_FORMAT "xbuild cc 1\n"

struct making {
	struct xb_app *app;
	const struct xb_compiler_opts *opts;
	const struct xb_target *target;
	struct xb_str with; /* package names with commas between them, in order, none twice */
	char *store_dir;
	const char *place;
	bool is_own; /* a project of xbuild's own */
};

static void making_release(struct making *m)
{
	xb_str_release(&m->with);
	free(m->store_dir);
}

static int find_target(struct making *m, struct xb_err *err)
{
	const char *name = m->opts->target, *like;
	size_t n;
	const struct xb_target *all = xb_target_all(&n);

	for (size_t i = 0; !name && i < n; i++)
		if (xb_host_runs(m->app->host.name, &all[i]))
			name = all[i].name;
	m->target = name ? xb_target_find(xb_sv(name)) : NULL;
	if (m->target)
		return 0;
	if (!name) {
		xb_fail(err, XB_E_USAGE, "no target was named, and this host is none itself");
		return xb_hint(err, "--target NAME names one; 'xbuild targets' lists them");
	}
	xb_fail(err, XB_E_USAGE, "there is no target '%s'", name);
	like = xb_target_suggest(xb_sv(name));
	return like ? xb_hint(err, "did you mean '%s'?", like)
		    : xb_hint(err, "'xbuild targets' lists those that exist");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The order in which packages are named makes no difference to what is installed. */
static int read_packages(struct making *m, struct xb_err *err)
{
	XB_VEC(const char *) names = {0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->opts->n_with; i++) {
		struct xb_sv rest = xb_sv(m->opts->with[i]);

		while (rc == 0 && rest.ptr) {
			const struct xb_sv name = xb_sv_trim(xb_sv_cut(&rest, ','));

			if (name.len && !xb_name_is_debian_package(name))
				rc = xb_fail(err, XB_E_USAGE, "--with: '%.*s' is no name of a Debian package",
					     XB_SV_ARG(name));
			else if (name.len)
				XB_VEC_PUSH(&names, xb_arena_sv(&m->app->arena, name));
		}
	}
	if (names.len)
		qsort(names.items, names.len, sizeof(*names.items), by_text);
	for (size_t i = 0; i < names.len; i++)
		if (!i || strcmp(names.items[i], names.items[i - 1]) != 0)
			xb_str_printf(&m->with, "%s%s", m->with.len ? ", " : "", names.items[i]);
	XB_VEC_RELEASE(&names);
	return rc;
}

static int check_release(const char *option, const char *value, struct xb_err *err)
{
	if (!value || xb_name_is_suite(xb_sv(value)))
		return 0;
	return xb_fail(err, XB_E_USAGE, "%s: '%s' is no release", option, value);
}

static const char *release_of(const struct making *m)
{
	if (m->opts->debian)
		return m->opts->debian;
	return m->target->debian_since ? m->target->debian_since : XB_DEFAULT_DEBIAN;
}

static bool uses_libcxx(const struct xb_compiler_opts *o)
{
	return o->stdlib && strcmp(o->stdlib, "libc++") == 0;
}

/* All that decides which compiler it is; a change of any of it is another project. */
static void own_text(const struct making *m, struct xb_str *out)
{
	const struct xb_compiler_opts *o = m->opts;

	xb_str_printf(
		out,
		"# What 'xbuild cc --target %s' compiles with outside of projects. 'xbuild cc --update' takes newer\n"
		"# packages.\n"
		"name: cc\ntoolchain: { llvm: \"%s\" }\nhosts: [%s]\nsysroot:\n  debian: %s\n  packages: [%s]\n"
		"targets:%s%s%s\nbuild:\n  none: { sources: [none.c] } # a project has a unit; nobody builds this "
		"one\n",
		m->target->name, o->llvm ? o->llvm : XB_DEFAULT_LLVM, m->app->host.name, release_of(m),
		xb_str_get(&m->with), uses_libcxx(o) ? "\n  " : " [", m->target->name,
		uses_libcxx(o) ? ": { cxx: { stdlib: libc++ } }" : "]");
}

static void find_own(struct making *m)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	xb_str_append(&text, OWN_FORMAT);
	own_text(m, &text);
	xb_digest_bytes(xb_str_get(&text), text.len, &digest);
	m->is_own = true;
	m->place = xb_arena_printf(&m->app->arena, "%s/cc/%s-%.16s", m->store_dir, m->target->name,
				   xb_digest_hex(&digest, hex));
}

/* A project without a lock is not asked: its first build decides what it is built with. */
static int find_place(struct making *m, struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *dir XB_CLEANUP(xb_free_ptr) = NULL;
	const struct xb_compiler_opts *o = m->opts;
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};

	if (check_release("--llvm", o->llvm, err) < 0 || check_release("--debian", o->debian, err) < 0 ||
	    read_packages(m, err) < 0)
		return err->code;
	if (xb_host_cache_dir(&m->store_dir, err) < 0 || xb_app_start_dir(m->app, &start, err) < 0)
		return err->code;
	if (!o->no_project && !o->update && !m->with.len && !o->llvm && !o->debian && !o->stdlib &&
	    xb_project_find(start, &dir, &none) == 0) {
		char *lock XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, XB_LOCK_NAME);

		if (xb_fs_exists(lock)) {
			m->place = xb_arena_strdup(&m->app->arena, dir);
			return 0;
		}
	}
	find_own(m);
	return 0;
}

static const char *beside(const struct making *m, const char *ending)
{
	return xb_arena_printf(&m->app->arena, "%s/.xbuild/cc/%s%s", m->place, m->target->name, ending);
}

/* Another process may have read the same note a moment ago: what is written is the same every time. */
static int write_own(struct making *m, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(m->place, "xbuild.yaml");
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_exists(path))
		return 0;
	own_text(m, &text);
	if (xb_fs_mkdirs(m->place, 0755, err) < 0)
		return err->code;
	return xb_atomic_file_write(path, xb_str_get(&text), text.len, 0644, 0, err);
}

static void note(const struct making *m, const char *text)
{
	const struct xb_event event = {.kind = XB_EVENT_NOTE, .text = text, .target = m->target->name};

	xb_observe(m->app->observer, &event);
}

static int hint_offline(const struct making *m, struct xb_err *err)
{
	return xb_hint(err,
		       "the first 'xbuild cc' for %s needs the network, to choose packages and download them; run it "
		       "once without --offline",
		       m->target->name);
}

static int lock_own(struct making *m, struct xb_err *err)
{
	struct xb_app *app = m->app;
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(m->place, XB_LOCK_NAME);
	const bool is_new = !xb_fs_exists(path);

	app->options.dir = m->place;
	app->options.file = NULL;
	/* nobody commits this lock: that CI is set is no reason to refuse it */
	app->options.locked = app->options.locked_asked;
	if (!is_new && !m->opts->update)
		return 0;
	if (app->options.offline) {
		xb_fail(err, XB_E_LOCK, "nothing is locked for %s yet, and --offline keeps from that", m->target->name);
		return hint_offline(m, err);
	}
	if (app->options.locked || !app->make_lock)
		return xb_fail(err, XB_E_LOCK, "nothing is locked for %s yet, and --locked keeps from that",
			       m->target->name);
	note(m, xb_arena_printf(&app->arena,
				"%s of a compiler for %s%s%s: its packages are chosen, verified and kept in '%s'",
				is_new ? "first use" : "update", m->target->name, m->with.len ? " with " : "",
				xb_str_get(&m->with), m->place));
	app->options.update = m->opts->update;
	return app->make_lock(app, err);
}

static int find_project_target(struct making *m, const struct xb_project_target **out, struct xb_err *err)
{
	*out = xb_project_target(m->app->project, m->target);
	if (*out)
		return 0;
	xb_fail(err, XB_E_USAGE, "the project '%s' has no target %s", m->app->project->name, m->target->name);
	return xb_hint(err, "add it to 'targets:' in %s/%s, or use --no-project", m->app->project->dir,
		       m->app->project->file);
}

/* Further tools that are there already are used without being asked for. */
static int wants_tools(struct making *m, bool *out, struct xb_err *err)
{
	const struct xb_want want = {.kind = XB_WANT_TOOLS, .name = m->app->host.name};

	*out = m->opts->tools;
	return *out ? 0 : xb_want_is_there(m->app, &want, out, err);
}

static int write_ready(const struct making *m, const struct xb_compiler *out, const struct xb_wrapper_spec *spec,
		       bool tools, struct xb_err *err)
{
	const struct xb_app *app = m->app;
	struct xb_arena *arena = &m->app->arena;
	const char *const inputs[] = {
		xb_arena_printf(arena, "%s/%s", m->place, app->project->file),
		app->lock_path,
		xb_arena_printf(arena, "%s/toolchains/%s.yaml", app->data_dir, app->project->toolchain),
		xb_arena_printf(arena, "%s/sysroots/%s.yaml", app->data_dir, app->project->sysroot),
		spec->program,
		spec->xbuild,
		spec->tools->dir,
		tools && spec->tools->extra_dir ? spec->tools->extra_dir : spec->tools->dir,
		spec->sysroot->dir,
		xb_arena_printf(arena, "%s/stamp", spec->dir),
		NULL,
	};

	return compiler_ready_write(beside(m, ".ready"), out, spec->xbuild, tools, inputs, err);
}

/* What a result depends on, besides the words, the files and the directory of one call. */
static int digest_all(const struct xb_wrapper_spec *spec, struct xb_digest *out, struct xb_err *err)
{
	struct xb_digest wrapper;
	struct xb_hasher h;

	if (xb_wrapper_digest(spec, &wrapper, err) < 0)
		return err->code;
	xb_hasher_init(&h);
	xb_hasher_update(&h, spec->tools->digest.bytes, XB_DIGEST_BYTES);
	xb_hasher_update(&h, spec->sysroot->digest.bytes, XB_DIGEST_BYTES);
	xb_hasher_update(&h, wrapper.bytes, XB_DIGEST_BYTES);
	xb_hasher_final(&h, out);
	return 0;
}

static int make_wrapper(struct making *m, struct xb_compiler *out, struct xb_err *err)
{
	struct xb_wrapper_spec spec = {.dir = beside(m, ""), .project_dir = m->is_own ? NULL : m->place};
	struct xb_app *app = m->app;
	struct xb_sysroot_paths sysroot;
	struct xb_tools tools;
	bool with_tools;

	if (xb_app_need_lock(app, err) < 0 || find_project_target(m, &spec.target, err) < 0 ||
	    xb_app_need_store(app, err) < 0 || wants_tools(m, &with_tools, err) < 0 ||
	    xb_provision_tools(app, with_tools, &tools, err) < 0 ||
	    xb_provision_sysroot(app, m->target, &sysroot, err) < 0 ||
	    xb_program_find("xbuild-wrap", &app->arena, &spec.program, err) < 0 ||
	    xb_program_find("xbuild", &app->arena, &spec.xbuild, err) < 0)
		return err->code;
	spec.tools = &tools;
	spec.sysroot = &sysroot;
	spec.libcxx = xb_stdlib_is_libcxx(NULL, spec.target, NULL);
	spec.static_stdlib = xb_stdlib_is_static(NULL, spec.target, NULL);
	if (xb_wrapper_make(&spec, err) < 0 || digest_all(&spec, &out->digest, err) < 0)
		return err->code;
	out->wrapper_dir = spec.dir;
	out->sysroot = sysroot.dir;
	out->toolchain = tools.dir;
	out->clang_major = tools.major;
	out->libcxx = spec.libcxx;
	return write_ready(m, out, &spec, with_tools, err);
}

/* A project that was not built yet has no such file, and .xbuild is not to be committed. */
static int ignore_state(const struct making *m, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(m->place, ".xbuild/.gitignore");

	return xb_fs_exists(path) ? 0 : xb_atomic_file_write(path, "*\n", 2, 0644, 0, err);
}

/* What stands in a project that was copied is another's, and what another xbuild has made starts that one. */
static bool is_ready(struct making *m, struct xb_compiler *out)
{
	struct xb_arena *arena = &m->app->arena;
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const char *xbuild;

	return !m->opts->update && xb_program_find("xbuild", arena, &xbuild, &ignored) == 0 &&
	       compiler_ready_read(arena, beside(m, ".ready"), xbuild, m->opts->tools, out) &&
	       strcmp(out->wrapper_dir, beside(m, "")) == 0;
}

static int make(struct making *m, struct xb_compiler *out, struct xb_err *err)
{
	struct xb_filelock held XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	const char *dir = beside(m, "");
	const char *parent = xb_arena_sv(&m->app->arena, xb_path_dir(xb_sv(dir)));

	if ((m->is_own && write_own(m, err) < 0) || xb_fs_mkdirs(parent, 0755, err) < 0 || ignore_state(m, err) < 0)
		return err->code;
	/* a build that starts with many compiles at once makes it once */
	if (xb_filelock_acquire(&held, beside(m, ".lock"), m->app->observer, m->app->interrupted, err) < 0)
		return err->code;
	if (is_ready(m, out))
		return 0;
	if (m->is_own && lock_own(m, err) < 0)
		return err->code;
	if (make_wrapper(m, out, err) < 0)
		return m->is_own && m->app->options.offline ? hint_offline(m, err) : err->code;
	return 0;
}

int xb_op_compiler(struct xb_app *app, const struct xb_compiler_opts *opts, struct xb_compiler *out, struct xb_err *err)
{
	struct making m XB_CLEANUP(making_release) = {.app = app, .opts = opts};
	struct xb_compiler result = {0};

	if (find_target(&m, err) < 0 || find_place(&m, err) < 0)
		return err->code;
	if (!is_ready(&m, &result) && make(&m, &result, err) < 0)
		return err->code;
	result.target = m.target;
	result.place = m.place;
	result.is_own = m.is_own;
	*out = result;
	return 0;
}

int xb_compiler_tool(struct xb_app *app, const struct xb_compiler *compiler, const char *tool, const char **out,
		     struct xb_err *err)
{
	*out = xb_arena_printf(&app->arena, "%s/bin/%s-%s", compiler->wrapper_dir, compiler->target->triple, tool);
	if (xb_fs_exists(*out))
		return 0;
	xb_fail(err, XB_E_NOT_FOUND, "the toolchain for %s has no '%s' in '%s'", compiler->target->name, tool,
		compiler->toolchain);
	return xb_hint(err,
		       "'xbuild env' tells where those that it has are; another 'toolchain:' or --llvm may have it");
}
