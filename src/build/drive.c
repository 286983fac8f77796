/* SPDX-License-Identifier: Apache-2.0 */
#include "drive.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/filelock.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/proc.h"

#define TAIL_BYTES (16 * 1024) /* of a failed step's output: what people look at */
#define TAIL_LINES 60
#define TIDY_MS	   2000

/* The driver's files, where they are not there as they are: build systems look at their time. */
static int write_files(struct run *r, struct xb_err *err)
{
	struct xb_drive_files files = {0};

	if (r->driver->prepare)
		r->driver->prepare(&r->drive, &r->arena, &files);
	for (size_t i = 0; i < files.len; i++) {
		const struct xb_drive_file *f = &files.items[i];
		const char *path = xb_arena_printf(&r->arena, "%s/%s", r->drive.build_dir, f->name);
		char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(path)));
		struct xb_str now XB_CLEANUP(xb_str_release) = {0};
		struct xb_err none XB_CLEANUP(xb_err_release) = {0};

		if (xb_fs_read(path, XB_MAX_JSON_BYTES, &now, &none) == 0 && strcmp(xb_str_get(&now), f->text) == 0)
			continue;
		if (xb_fs_mkdirs(dir, 0755, err) < 0 ||
		    xb_atomic_file_write(path, f->text, strlen(f->text), 0644, 0, err) < 0)
			return err->code;
	}
	return 0;
}

static int append_log(struct run *r, const struct xb_step *step, struct xb_sv output, struct xb_err *err)
{
	const char *path = drive_below(r, "log");
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		return xb_fail_errno(err, "write '%s'", path);
	xb_str_printf(&text, "== %s: ", step->what);
	xb_command_show(step->argv, &text);
	xb_str_append_char(&text, '\n');
	xb_str_append_sv(&text, output);
	if (r->spec->verbose)
		xb_str_append_sv(r->shown, xb_str_sv(&text));
	return xb_fs_write_all(fd, xb_str_get(&text), text.len, path, err);
}

static struct xb_sv tail_of(struct xb_sv text)
{
	size_t lines = 0, from = text.len;

	while (from > 0 && text.len - from < TAIL_BYTES) {
		if (text.ptr[from - 1] == '\n' && from < text.len && ++lines == TAIL_LINES)
			break;
		from--;
	}
	return xb_sv_n(text.ptr + from, text.len - from);
}

static bool prints_what_it_must(const struct xb_step *step, struct xb_sv output)
{
	return !step->must_print ||
	       (output.len && memmem(output.ptr, output.len, step->must_print, strlen(step->must_print)));
}

/* As the last words of a line, in the locale that tools get. */
static bool is_disk_full(struct xb_sv output)
{
	while (output.len) {
		if (xb_sv_ends(xb_sv_trim(xb_sv_cut(&output, '\n')), "No space left on device"))
			return true;
	}
	return false;
}

static int disk_is_full(struct run *r, const struct xb_step *step, struct xb_err *err)
{
	xb_fail(err, XB_E_SYSTEM, "unit '%s' (%s): %s: %s cannot write: No space left on device", r->spec->unit->name,
		r->drive.cross.target->name, step->what, xb_output_file_name(step->argv[0]));
	return xb_hint(err, "it builds below '%s' and installs below '%s': make room there", r->root,
		       xb_store_dir(r->spec->store));
}

static int step_failed(struct run *r, const struct xb_step *step, const struct xb_proc_result *ended,
		       struct xb_err *err)
{
	const struct xb_sv all = xb_str_sv(&ended->output), tail = tail_of(all);
	const char *why = drive_explain(r, step, all);
	char how[80];

	if (!r->spec->verbose) {
		if (tail.len < all.len)
			xb_str_printf(r->shown, "... (all of it is in %s/log)\n", r->root);
		xb_str_append_sv(r->shown, tail);
	}
	if (is_disk_full(all))
		return disk_is_full(r, step, err);
	xb_fail(err, XB_E_JOB, "unit '%s' (%s): %s: %s: %s", r->spec->unit->name, r->drive.cross.target->name,
		step->what, xb_output_file_name(step->argv[0]),
		ended->exit_code == 0 ? "its commands do not name the staging tree"
				      : xb_proc_describe(ended, how, sizeof(how)));
	if (why)
		return xb_hint(err, "%s", why);
	return xb_hint(err, "commands and output of all steps: %s/log", r->root);
}

/* Jobs that are free now, for a tool that cannot ask for more later. The first one is ours already. */
static int take_jobs(struct run *r, int fd)
{
	int n = 1;
	char byte;

	while (n < r->spec->jobs && read(fd, &byte, 1) == 1)
		n++;
	return n;
}

static void give_jobs(int fd, int n)
{
	while (n-- > 1)
		(void)!write(fd, "+", 1);
}

/* A tool that is asked to end gets time to tidy up; what interrupted us asked the whole process group. */
static int wait_step(struct run *r, struct xb_procs *procs, struct xb_proc_result *ended, struct xb_err *err)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	void *unused;
	const int rc = xb_procs_wait(procs, -1, r->spec->interrupted, &unused, ended, err);

	if (rc != 0)
		return rc;
	(void)!xb_procs_wait(procs, TIDY_MS, NULL, &unused, ended, &ignored);
	return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
}

/* A step that runs: who shares the pool with it, and how. */
struct running {
	struct xb_step *step;
	enum drive_jobs how;
	int pool; /* the FIFO, or -1 */
	int jobs; /* at most, or its share */
};

/* MAKEFLAGS, or NULL. */
static const char *makeflags_of(struct run *r, const struct running *now)
{
	const char *flags = xb_arena_printf(&r->arena, " -j%d", r->spec->jobs);

	if (now->how == DRIVE_JOBS_FIFO)
		return xb_arena_printf(&r->arena, "%s --jobserver-auth=fifo:%s", flags, r->spec->jobserver);
	if (now->how == DRIVE_JOBS_FDS && now->pool >= 0)
		return xb_arena_printf(&r->arena, "%s --jobserver-auth=%d,%d", flags, XB_PROC_PASSED, XB_PROC_PASSED);
	return now->how == DRIVE_JOBS_FDS ? flags : NULL;
}

static int start_step(struct run *r, struct xb_procs *procs, const struct running *now, struct xb_err *err)
{
	struct xb_step *step = now->step;
	struct xb_proc_spec spec = {.cwd = step->cwd ? step->cwd : r->drive.build_dir, .share_group = true};
	struct xb_argv argv = {.arena = &r->arena};

	for (const char *const *w = step->argv; *w; w++)
		xb_argv_push(&argv, *w);
	if (now->how == DRIVE_JOBS_WORD)
		xb_argv_push(&argv, xb_arena_printf(&r->arena, "-j%d", now->jobs));
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	if (now->how == DRIVE_JOBS_FDS && now->pool >= 0)
		spec.pass_fd = now->pool;
	spec.argv = argv.items;
	spec.env = drive_env(r, step, makeflags_of(r, now));
	return xb_procs_start(procs, &spec, NULL, err);
}

/* Its program by its path. */
static int find_program(struct run *r, struct xb_step *step, struct xb_err *err)
{
	const char *program = drive_find(r, step);
	struct xb_argv argv = {.arena = &r->arena};

	if (!program) {
		xb_fail(err, XB_E_NOT_FOUND, "unit '%s': %s: there is no program '%s'", r->spec->unit->name, step->what,
			step->argv[0]);
		return xb_hint(err, "programs are looked for in PATH, and for names with a slash below '%s'",
			       step->cwd ? step->cwd : r->drive.build_dir);
	}
	for (const char *const *w = step->argv; *w; w++)
		xb_argv_push(&argv, w == step->argv ? program : *w);
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	return 0;
}

int drive_run_step(struct run *r, struct xb_step *step, struct xb_err *err)
{
	struct running now = {.step = step, .pool = -1, .jobs = r->spec->jobs};
	struct xb_proc_result ended = {0};
	struct xb_procs *procs;
	bool shares;
	int rc;

	if (find_program(r, step, err) < 0)
		return err->code;
	now.how = drive_jobs(r, step, step->argv[0]);
	shares = now.how == DRIVE_JOBS_WORD && r->spec->jobserver;
	if (r->spec->jobserver)
		now.pool = open(r->spec->jobserver, O_RDWR | O_CLOEXEC | (shares ? O_NONBLOCK : 0));
	if (shares && now.pool >= 0)
		now.jobs = take_jobs(r, now.pool);
	procs = xb_procs_new();
	rc = start_step(r, procs, &now, err);
	if (rc == 0)
		rc = wait_step(r, procs, &ended, err);
	if (shares && now.pool >= 0)
		give_jobs(now.pool, now.jobs);
	if (rc > 0)
		rc = append_log(r, step, xb_str_sv(&ended.output), err);
	if (rc == 0 && !step->may_fail &&
	    (ended.exit_code != 0 || !prints_what_it_must(step, xb_str_sv(&ended.output))))
		rc = step_failed(r, step, &ended, err);
	if (rc == 0 && step->looks)
		drive_warn_places(r, xb_str_sv(&ended.output));
	xb_procs_free(procs);
	xb_proc_result_release(&ended);
	xb_fs_close(&now.pool);
	return rc;
}

static int touch(const char *path, struct xb_err *err)
{
	return xb_atomic_file_write(path, "", 0, 0644, 0, err);
}

/* A step that failed may have changed the project's files before. */
static void warn_of_sources(struct run *r, const struct xb_step *step)
{
	struct xb_err changed XB_CLEANUP(xb_err_release) = {0};

	if (drive_check_sources(r, step->what, &changed) == XB_E_VERIFY)
		xb_str_printf(r->shown, "warning: %s\n", changed.msg);
}

static bool has_once(const struct xb_steps *steps)
{
	for (size_t i = 0; i < steps->len; i++) {
		if (steps->items[i].once)
			return true;
	}
	return false;
}

static int run_steps(struct run *r, struct xb_err *err)
{
	int (*plan)(const struct xb_drive *, struct xb_arena *, struct xb_steps *, struct xb_err *) =
		r->spec->manifest ? r->driver->steps : r->driver->tests;
	struct xb_steps steps = {0};

	if (write_files(r, err) < 0 || plan(&r->drive, &r->arena, &steps, err) < 0)
		return err->code;
	r->is_configured = r->is_configured || !has_once(&steps);
	for (size_t i = 0; i < steps.len; i++) {
		struct xb_step *step = &steps.items[i];
		const bool is_last = i + 1 == steps.len, is_last_once = step->once && (is_last || !step[1].once);

		if (step->once && r->is_kept)
			continue;
		if (drive_run_step(r, step, err) < 0) {
			warn_of_sources(r, step);
			return err->code;
		}
		if ((is_last_once || is_last) && drive_check_sources(r, step->what, err) < 0)
			return err->code;
		r->is_configured = r->is_configured || is_last_once;
	}
	return 0;
}

/* What was installed goes to the store, and its manifest to the caller. */
static int publish(struct run *r, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_stage_adopt(r->spec->store, r->drive.stage_dir, &r->stage, err) < 0)
		return err->code;
	xb_stage_write(&r->stage, &text);
	return xb_atomic_file_write(r->spec->manifest, xb_str_get(&text), text.len, 0644, 0, err);
}

static int build_and_check(struct run *r, struct xb_err *err)
{
	if (xb_fs_remove(drive_below(r, "log"), err) < 0 || run_steps(r, err) < 0)
		return err->code;
	if (!r->spec->manifest)
		return 0;
	if (drive_strip(r, err) < 0)
		return err->code;
	if (xb_stage_list(r->drive.stage_dir, &r->arena, &r->stage, err) < 0)
		return xb_wrap(err, "unit '%s'", r->spec->unit->name);
	return drive_check(r, err);
}

static int build_in_place(struct run *r, struct xb_err *err)
{
	struct xb_err late XB_CLEANUP(xb_err_release) = {0};
	int rc;

	if (drive_kept_begin(r, err) < 0 || drive_place(r, err) < 0)
		return err->code;
	rc = build_and_check(r, err);
	if (drive_kept_end(r, rc < 0 ? err->code : 0, rc < 0 ? &late : err) < 0 && rc == 0)
		return err->code;
	return rc;
}

/* A leak in what an earlier run compiled may be mended in the sources by now: the directory tells less than a new one. */
static int build_anew(struct run *r, struct xb_err *err)
{
	const char *stage = r->drive.stage_dir;

	xb_err_release(err);
	*err = (struct xb_err){0};
	xb_str_reset(r->shown);
	r->leaked = false;
	if (xb_fs_remove(r->root, err) < 0 || xb_fs_remove(stage, err) < 0 || xb_fs_mkdirs(stage, 0755, err) < 0)
		return err->code;
	return build_in_place(r, err);
}

static int work(struct run *r, struct xb_err *err)
{
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	int rc;

	if (drive_find_root(r, err) < 0 || xb_fs_mkdirs(r->parent, 0755, err) < 0 ||
	    /* what an xbuild that was killed has started may run still */
	    xb_filelock_acquire(&lock, xb_arena_printf(&r->arena, "%s.lock", r->root), NULL, r->spec->interrupted,
				err) < 0)
		return err->code;
	rc = build_in_place(r, err);
	if (rc < 0 && r->leaked && r->has_old_records)
		rc = build_anew(r, err);
	if (rc < 0 || !r->spec->manifest)
		return rc;
	if (touch(drive_below(r, "checked"), err) < 0 || drive_keep_commands(r, err) < 0)
		return err->code;
	return publish(r, err);
}

int xb_drive_run(const struct xb_drive_spec *spec, struct xb_str *shown, struct xb_err *err)
{
	struct run r = {.spec = spec, .driver = xb_driver_find(spec->unit->driver), .shown = shown};
	struct xb_err late XB_CLEANUP(xb_err_release) = {0};
	char *stage XB_CLEANUP(xb_free_ptr) = xb_store_tmp(spec->store);
	int rc;

	if (!r.driver)
		return xb_fail(err, XB_E_INPUT, "driver '%s' is not built yet", xb_driver_key(spec->unit->driver));
	if (!spec->manifest && !r.driver->tests)
		return xb_fail(err, XB_E_USAGE, "driver '%s' runs no tests", xb_driver_key(spec->unit->driver));
	/* in the store, so that what is installed there becomes blobs by renaming */
	r.drive.stage_dir = stage;
	rc = xb_fs_mkdirs(stage, 0755, err);
	if (rc == 0)
		rc = work(&r, err);
	(void)!xb_fs_remove(stage, &late);
	xb_arena_release(&r.arena);
	return rc;
}
