/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_doctor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/proc.h"

/* A toolchain, two sysroots and their packages take about 700 MB; less than this is worth a word. */
#define LOW_SPACE_BYTES (2ULL * 1000 * 1000 * 1000)

struct findings {
	struct xb_app *app;
	struct xb_doctor_result *result;
	size_t cap;
};

static void add(struct findings *f, enum xb_finding_level level, const char *what, const char *found, const char *mend)
{
	struct xb_doctor_result *r = f->result;
	if (r->len == f->cap) {
		struct xb_finding *grown = xb_arena_array(&f->app->arena, f->cap + 16, sizeof(*grown));
		for (size_t i = 0; i < r->len; i++)
			grown[i] = r->items[i];
		r->items = grown;
		f->cap += 16;
	}
	r->items[r->len++] = (struct xb_finding){level, what, found, mend};
	r->n_bad += level == XB_FINDING_BAD;
}

const char *xb_app_runner_name(struct xb_app *app, const struct xb_target *target)
{
	if (xb_host_runs(app->host.name, target))
		return "native";
	const char *const names[] = {target->qemu, xb_arena_printf(&app->arena, "%s-static", target->qemu)};
	for (size_t i = 0; i < XB_COUNT(names); i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_proc_find(names[i]);
		if (path)
			return names[i];
	}
	return NULL;
}

static void check_host(struct findings *f)
{
	const char *const *known = xb_host_names();
	while (*known && !xb_sv_eq_str(xb_sv(f->app->host.name), *known))
		known++;
	if (*known)
		add(f, XB_FINDING_OK, "host", xb_arena_printf(&f->app->arena, "%s, %d cpus", *known, f->app->host.cpus),
		    NULL);
	else
		add(f, XB_FINDING_BAD, "host", f->app->host.name, "no toolchain is known for this kind of machine");
	if (getenv("XBUILD_TEST_NOW"))
		add(f, XB_FINDING_NOTE, "clock", "XBUILD_TEST_NOW replaces it", "unset XBUILD_TEST_NOW");
}

/* Owned: `dir`, or as long as that does not exist what is nearest above it, where it would be made. */
static char *nearest_existing(const char *dir)
{
	struct xb_sv at = xb_sv(dir);
	for (;;) {
		char *path = xb_sv_dup(at);
		if (at.len <= 1 || xb_fs_exists(path))
			return path;
		free(path);
		at = xb_path_dir(at);
	}
}

static void check_cache(struct findings *f)
{
	struct xb_err err = {0};
	char *dir XB_CLEANUP(xb_free_ptr) = NULL;
	if (xb_host_cache_dir(&dir, &err) < 0) {
		add(f, XB_FINDING_BAD, "store", xb_arena_strdup(&f->app->arena, err.msg),
		    "set XBUILD_CACHE_DIR to a directory that you can write");
		xb_err_release(&err);
		return;
	}
	const char *name = xb_arena_strdup(&f->app->arena, dir);
	char *base XB_CLEANUP(xb_free_ptr) = nearest_existing(dir);
	struct statvfs space;
	if (!xb_fs_is_dir(base))
		add(f, XB_FINDING_BAD, "store", xb_arena_printf(&f->app->arena, "%s is no directory", base),
		    "set XBUILD_CACHE_DIR to a directory that you can write");
	else if (faccessat(AT_FDCWD, base, W_OK | X_OK, AT_EACCESS) < 0)
		add(f, XB_FINDING_BAD, "store", xb_arena_printf(&f->app->arena, "%s cannot be written", name),
		    "set XBUILD_CACHE_DIR to a directory that you can write");
	else if (statvfs(base, &space) == 0) {
		uint64_t free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
		char size[XB_NUM_SIZE_MAX];
		bool low = free_bytes < LOW_SPACE_BYTES;
		add(f, low ? XB_FINDING_NOTE : XB_FINDING_OK, "store",
		    xb_arena_printf(&f->app->arena, "%s, %s free", name, xb_num_size(free_bytes, size)),
		    low ? "a toolchain and two sysroots take about 700 MB: make room or set XBUILD_CACHE_DIR" : NULL);
	}
}

static void check_data(struct findings *f)
{
	struct xb_err err = {0};
	if (xb_app_need_data(f->app, &err) < 0)
		add(f, XB_FINDING_BAD, "data files", xb_arena_strdup(&f->app->arena, err.msg),
		    "install xbuild again, or set XBUILD_DATA_DIR");
	else
		add(f, XB_FINDING_OK, "data files", f->app->data_dir, NULL);
	xb_err_release(&err);
}

static void check_emulators(struct findings *f)
{
	size_t n = 0;
	const struct xb_target *all = xb_target_all(&n);
	for (size_t i = 0; i < n; i++) {
		const char *runner = xb_app_runner_name(f->app, &all[i]);
		const char *what = xb_arena_printf(&f->app->arena, "running %s", all[i].name);
		if (runner)
			add(f, XB_FINDING_OK, what, runner, NULL);
		else
			add(f, XB_FINDING_NOTE, what,
			    xb_arena_printf(&f->app->arena, "no %s: its tests are skipped", all[i].qemu),
			    "apt-get install qemu-user");
	}
}

static void check_git(struct findings *f)
{
	char *git XB_CLEANUP(xb_free_ptr) = xb_proc_find("git");
	if (git)
		add(f, XB_FINDING_OK, "git", xb_arena_strdup(&f->app->arena, git), NULL);
	else
		add(f, XB_FINDING_NOTE, "git", "none: tags and version: git do not work", "apt-get install git");
}

static void check_project(struct findings *f)
{
	struct xb_err err = {0};
	int code = xb_app_need_project(f->app, &err);
	if (code == 0)
		add(f, XB_FINDING_OK, "project",
		    xb_arena_printf(&f->app->arena, "%s/%s", f->app->project->dir, f->app->project->file), NULL);
	else if (code == XB_E_NOT_FOUND)
		add(f, XB_FINDING_NOTE, "project", "no xbuild.yaml here or above", "xbuild init");
	else
		add(f, XB_FINDING_BAD, "project", "xbuild.yaml has problems", "xbuild build shows them");
	xb_err_release(&err);
	/* the findings say it: the list of problems is not for the screen now */
	xb_diags_release(&f->app->diags);
}

int xb_op_doctor(struct xb_app *app, struct xb_doctor_result *out, struct xb_err *err)
{
	struct findings f = {.app = app, .result = out};
	(void)err; /* every problem is a finding */
	*out = (struct xb_doctor_result){0};
	check_host(&f);
	check_data(&f);
	check_cache(&f);
	check_emulators(&f);
	check_git(&f);
	check_project(&f);
	return 0;
}
