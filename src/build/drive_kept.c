/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build directory may bring to the next run. The result has a name that says all that it was made from, so nothing of an
 * earlier run may be in it but what a new directory would have given too. Where one of the files that the unit is made from is
 * another, the directory is made anew, unless the file is a source that the build system looks at by itself (driver->tracks):
 * the objects of all others are kept then, and what was configured.
 *
 * <root>/made-of is there while nobody works in the directory: whose ended run left it, and from what. The first line has the
 * version of the format and the digest of all names, each other one "DIGEST x|- MTIME NAME".
 */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define VERSION "made-of 1"

/* One file, by its name in the list: a path of the project, or an absolute one. */
struct made {
	struct xb_sv digest, mode;
	uint64_t mtime_ns;
	const char *name;
};

static const char *made_of(struct run *r)
{
	return drive_below(r, "made-of");
}

/* In nanoseconds; what is older than 1970 is as old as that. */
static uint64_t time_of(const struct stat *st)
{
	const int64_t ns = xb_fs_mtime_ns(st);

	return ns > 0 ? (uint64_t)ns : 0;
}

static int add_file(struct run *r, const char *name, struct xb_str *list, struct xb_err *err)
{
	const char *path = *name == '/' ? name : xb_arena_printf(&r->arena, "%s/%s", r->drive.project_dir, name);
	char hex[XB_DIGEST_HEX];
	struct xb_digest digest;
	struct stat st;

	if (stat(path, &st) < 0)
		return xb_fail_errno(err, "read '%s'", path);
	if (xb_digest_file(path, &digest, NULL, err) < 0)
		return err->code;
	xb_str_printf(list, "%s %c %" PRIu64 " %s\n", xb_digest_hex(&digest, hex), st.st_mode & 0111 ? 'x' : '-',
		      time_of(&st), name);
	return 0;
}

/* What another unit gave for a target: the manifest of what it installed, or its program or library. */
static int add_unit(struct run *r, const struct xb_unit *unit, const struct xb_target *target, struct xb_str *list,
		    struct xb_err *err)
{
	struct xb_project_target there = {.target = target};
	struct xb_setup setup = *r->spec->setup;

	setup.target = &there;
	return add_file(r,
			unit->foreign ? xb_foreign_manifest(&setup, unit, &r->arena)
				      : xb_arena_printf(&r->arena, "out/%s/%s", target->name, unit->output_name),
			list, err);
}

/* All that stands in made-of, as it is now. */
static int list_all(struct run *r, struct xb_str *list, struct xb_err *err)
{
	const struct xb_unit *unit = r->spec->unit;
	struct xb_foreign_files inputs;
	struct xb_foreign resolved;
	struct xb_dirs tools = {0};
	char hex[XB_DIGEST_HEX];

	if (xb_foreign_inputs(r->drive.project_dir, unit, &r->arena, &inputs, err) < 0 ||
	    xb_foreign_resolve(r->spec->setup, unit, NULL, &r->arena, &resolved, err) < 0)
		return err->code;
	xb_str_printf(list, "%s %s\n", VERSION, xb_digest_hex(&inputs.names, hex));
	xb_foreign_tools(unit, &resolved, r->drive.programs, r->spec->setup->target->target, &r->arena, &tools);
	for (size_t i = 0; i < inputs.files.len + tools.len; i++) {
		const size_t tool = i - inputs.files.len;

		if (add_file(r, i < inputs.files.len ? inputs.files.items[i] : tools.items[tool], list, err) < 0)
			return err->code;
	}
	for (size_t i = 0; i < r->needs.len; i++) {
		if (add_unit(r, r->needs.items[i], r->spec->setup->target->target, list, err) < 0)
			return err->code;
	}
	for (size_t i = 0; i < unit->n_host_tools && r->spec->tools_target; i++) {
		if (add_unit(r, unit->host_tools[i], r->spec->tools_target, list, err) < 0)
			return err->code;
	}
	return 0;
}

/* The next line of such a list; false at its end, or where it is none. */
static bool next_line(struct xb_sv *list, struct xb_arena *arena, struct made *out)
{
	struct xb_sv line = xb_sv_cut(list, '\n');

	out->digest = xb_sv_cut(&line, ' ');
	out->mode = xb_sv_cut(&line, ' ');
	if (!xb_num_u64(xb_sv_cut(&line, ' '), UINT64_MAX, &out->mtime_ns) || !line.len)
		return false;
	out->name = xb_arena_sv(arena, line);
	return true;
}

static size_t read_lines(struct xb_sv list, struct xb_arena *arena, struct xb_map *out)
{
	struct made *line = xb_arena_array(arena, 1, sizeof(*line));
	size_t n = 0;

	for (; next_line(&list, arena, line); n++) {
		xb_map_put_str(out, line->name, line);
		line = xb_arena_array(arena, 1, sizeof(*line));
	}
	return n;
}

/* Of one that writes into its own sources nobody knows what it made of them. */
static bool drives_tracked(const struct run *r)
{
	return r->driver->tracks && !r->spec->unit->foreign->copy;
}

/* A source that is another: the build system goes by time, so it has to be newer than all that the last run made. */
static bool is_seen(const struct run *r, const struct made *now, uint64_t ended_ns)
{
	const char *dir = r->spec->unit->foreign->dir;

	return drives_tracked(r) && r->driver->tracks(now->name) && now->mtime_ns > ended_ns &&
	       (strcmp(dir, ".") == 0 || xb_path_is_below(xb_sv(now->name), xb_sv(dir)));
}

static bool may_stay(struct run *r, struct xb_sv was, struct xb_sv is, uint64_t ended_ns)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_map before XB_CLEANUP(xb_map_release) = {0};
	struct made now;
	size_t n;

	if (!xb_sv_eq(xb_sv_cut(&was, '\n'), xb_sv_cut(&is, '\n')))
		return false;
	n = read_lines(was, &arena, &before);
	for (; next_line(&is, &arena, &now); n--) {
		const struct made *old = xb_map_get_str(&before, now.name);

		if (!old || !n)
			return false;
		if (xb_sv_eq(old->digest, now.digest) && xb_sv_eq(old->mode, now.mode))
			continue;
		if (!is_seen(r, &now, ended_ns))
			return false;
		xb_dirs_add(&r->changed, &r->arena, xb_arena_strdup(&r->arena, now.name));
	}
	if (r->changed.len && r->driver->runs_own && r->driver->runs_own(drive_below(r, "build")))
		return false;
	return n == 0 && !is.len;
}

int drive_kept_begin(struct run *r, struct xb_err *err)
{
	const char *path = made_of(r);
	struct xb_str was XB_CLEANUP(xb_str_release) = {0}, is XB_CLEANUP(xb_str_release) = {0};
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};
	struct stat st;

	if (list_all(r, &is, err) < 0)
		return err->code;
	r->changed.len = 0;
	r->made_of = xb_arena_sv(&r->arena, xb_str_sv(&is));
	r->is_kept = stat(path, &st) == 0 && xb_fs_read(path, XB_MAX_JSON_BYTES, &was, &none) == 0 &&
		     may_stay(r, xb_str_sv(&was), xb_str_sv(&is), time_of(&st));
	r->is_configured = r->is_kept;
	return xb_fs_remove(r->is_kept ? path : r->root, err);
}

int drive_kept_end(struct run *r, int rc, struct xb_err *err)
{
	/* a full disk or a lack of memory may have been an answer to a configure step */
	const bool is_as_told = rc == XB_E_JOB || rc == XB_E_VERIFY || rc == XB_E_INTERRUPTED;

	if (rc < 0 && !(is_as_told && drives_tracked(r) && r->is_configured))
		return 0;
	return xb_atomic_file_write(made_of(r), r->made_of, strlen(r->made_of), 0644, 0, err);
}
