/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "xbuild/app/app.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/model/subst.h"
#include "xbuild/model/timestamp.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/git.h"

#define MAX_VERSION_BYTES (64 * 1024)
#define SHORT_SHA	  7

/* Which of the names that cost something stand in a text. */
struct needs {
	bool git, version;
};

static bool note_name(void *ctx, struct xb_sv name)
{
	struct needs *needs = ctx;

	needs->git |= xb_sv_starts(name, "git.");
	needs->version |= xb_sv_eq_str(name, "version");
	return true;
}

/* Values are only read through the map. */
static void put(struct xb_map *values, const char *name, const char *value)
{
	if (value)
		xb_map_put_str(values, name, (void *)(uintptr_t)value);
}

/* Empty is what git has no answer for: the name then has no value. */
static void put_full(struct xb_map *values, const char *name, const char *value)
{
	if (value && value[0])
		put(values, name, value);
}

static void put_git(struct xb_app *app, struct xb_map *values)
{
	const struct xb_git *git = app->git;
	char text[XB_TIMESTAMP_SIZE];

	if (!git->present || !git->commit[0])
		return;
	put_full(values, "git.branch", git->branch);
	put(values, "git.sha", git->commit);
	put(values, "git.sha7", xb_arena_sv(&app->arena, xb_sv_n(git->commit, SHORT_SHA)));
	put_full(values, "git.tag", git->tag);
	put(values, "git.dirty", git->dirty ? "-dirty" : "");
	put(values, "git.unix", xb_arena_printf(&app->arena, "%lld", (long long)git->commit_time));
	put(values, "git.time", xb_arena_strdup(&app->arena, xb_timestamp_compact(git->commit_time, true, text)));
}

static int version_from_file(struct xb_app *app, const char **out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(app->project->dir, app->project->version);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest, line;

	if (xb_fs_read(path, MAX_VERSION_BYTES, &text, err) < 0)
		return xb_wrap(err, "read the project's version");
	rest = xb_str_sv(&text);
	line = xb_sv_trim(xb_sv_cut(&rest, '\n'));
	if (!line.len)
		return xb_fail(err, XB_E_INPUT, "read the project's version: the first line of '%s' is empty", path);
	*out = xb_arena_sv(&app->arena, line);
	return 0;
}

static int version(struct xb_app *app, const char **out, struct xb_err *err)
{
	switch (app->project->version_kind) {
	case XB_VERSION_LITERAL:
		*out = app->project->version;
		return 0;
	case XB_VERSION_FILE:
		return version_from_file(app, out, err);
	case XB_VERSION_GIT:
		break;
	}
	if (xb_app_need_git(app, err) < 0)
		return err->code;
	if (!app->git->present || !app->git->describe[0]) {
		xb_fail(err, XB_E_INPUT,
			"the project's version comes from git, and '%s' is in no repository with a commit",
			app->project->dir);
		return xb_hint(err, "commit, or give 'version:' in %s", app->project->file);
	}
	*out = app->git->describe;
	return 0;
}

int xb_app_subst(struct xb_app *app, const char *text, const struct xb_target *target, const char *image,
		 const char *profile, struct xb_str *out, struct xb_err *err)
{
	struct xb_map values XB_CLEANUP(xb_map_release) = {0};
	const struct xb_pairs *vars = &app->project->vars;
	const char *version_text = NULL;
	struct needs needs = {0};
	size_t offset;

	if (xb_subst_check(text, note_name, &needs, &offset) < 0)
		return xb_fail(err, XB_E_INPUT, "'${' in '%s' is not closed", text);
	if (needs.git && xb_app_need_git(app, err) < 0)
		return err->code;
	if (needs.version && version(app, &version_text, err) < 0)
		return err->code;
	for (size_t i = 0; i < vars->len; i++)
		put(&values, vars->names[i], vars->values[i]);
	/* After the project's own: a built-in name keeps its meaning. */
	if (needs.git)
		put_git(app, &values);
	put(&values, "version", version_text);
	put(&values, "image", image);
	put(&values, "profile", profile);
	if (target) {
		put(&values, "target.name", target->name);
		put(&values, "target.triple", target->triple);
		put(&values, "target.arch", target->oci_arch);
	}
	return xb_subst_expand(text, &values, out, err);
}
