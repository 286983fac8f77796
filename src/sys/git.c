/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/git.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/base/sv.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/proc.h"

/* Of the changed files only the first matters; a tree with a million of them must not be listed into memory. */
#define MAX_OUTPUT_BYTES (64 * 1024)
#define MAX_ENV		 12

/* What is asked; each is one process, and all run side by side. */
enum question { ASK_STATUS, ASK_LOG, ASK_DESCRIBE, ASK_ORIGIN, N_QUESTIONS };

/*
 * Every word about output and scope is said here because the user's configuration may say otherwise. Hooks, pagers,
 * fsmonitor and signature checks would run programs. safe.directory lets a tree of another owner be asked, as is usual in
 * a container: to build it is to run what its owner wrote anyway. (What is left are the clean filters that a repository
 * may name for its own files; without them those files would all look changed.)
 */
static const char *const common_args[] = {
	"--no-pager", "--no-optional-locks",	   "-c", "core.fsmonitor=false",    "-c", "core.hooksPath=/dev/null",
	"-c",	      "core.untrackedCache=false", "-c", "log.showSignature=false", "-c", "safe.directory=*",
};

/*
 * Of the whole work tree (":/"), but not of the one file that a build writes outside of out/ and .xbuild/: building must
 * not change what the sources are called.
 */
static const char *const question_args[N_QUESTIONS][10] = {
	[ASK_STATUS] = {"status", "--porcelain=v2", "--branch", "--no-renames", "--untracked-files=normal",
			"--ignore-submodules=none", "--", ":/", ":(exclude)compile_commands.json"},
	[ASK_LOG] = {"log", "-1", "--no-color", "--decorate=full", "--decorate-refs=refs/tags/*", "--format=%ct %D"},
	[ASK_DESCRIBE] = {"describe", "--tags", "--always"},
	[ASK_ORIGIN] = {"config", "--get", "remote.origin.url"},
};

void xb_git_release(struct xb_git *git)
{
	if (!git)
		return;
	free(git->commit);
	free(git->branch);
	free(git->tag);
	free(git->describe);
	free(git->origin);
	*git = (struct xb_git){0};
}

/* Entries are owned; ends with NULL. */
struct env {
	char *items[MAX_ENV];
	size_t len;
};

static void env_release(struct env *env)
{
	for (size_t i = 0; i < env->len; i++)
		free(env->items[i]);
}

static void fill_env(struct env *env)
{
	static const char *const fixed[] = {"GIT_CONFIG_NOSYSTEM=1", "GIT_ATTR_NOSYSTEM=1", "GIT_OPTIONAL_LOCKS=0",
					    "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "LC_ALL=C"};
	static const char *const passed[] = {"HOME", "PATH", "XDG_CONFIG_HOME"};

	for (size_t i = 0; i < XB_COUNT(fixed); i++)
		env->items[env->len++] = xb_strdup(fixed[i]);
	for (size_t i = 0; i < XB_COUNT(passed); i++) {
		const char *value = getenv(passed[i]);

		if (value)
			env->items[env->len++] = xb_printf("%s=%s", passed[i], value);
	}
}

static void free_procs(struct xb_procs **procs)
{
	xb_procs_free(*procs);
}

static int start_question(struct xb_procs *procs, const char *program, const char *dir, enum question question,
			  const struct env *env, struct xb_proc_result *answer, struct xb_err *err)
{
	const char *argv[XB_COUNT(common_args) + XB_COUNT(question_args[0]) + 2];
	struct xb_proc_spec spec = {.argv = argv,
				    .env = (const char *const *)env->items,
				    .cwd = dir,
				    .split_output = true,
				    .max_output = MAX_OUTPUT_BYTES};
	size_t n = 0;

	argv[n++] = program;
	for (size_t i = 0; i < XB_COUNT(common_args); i++)
		argv[n++] = common_args[i];
	for (size_t i = 0; i < XB_COUNT(question_args[0]) && question_args[question][i]; i++)
		argv[n++] = question_args[question][i];
	argv[n] = NULL;
	return xb_procs_start(procs, &spec, answer, err);
}

static int ask_all(const char *program, const char *dir, const volatile int *interrupted,
		   struct xb_proc_result answers[N_QUESTIONS], struct xb_err *err)
{
	struct xb_procs *procs XB_CLEANUP(free_procs) = xb_procs_new();
	struct env env XB_CLEANUP(env_release) = {0};

	fill_env(&env);
	for (int i = 0; i < N_QUESTIONS; i++) {
		if (start_question(procs, program, dir, (enum question)i, &env, &answers[i], err) < 0)
			return err->code;
	}
	while (xb_procs_running(procs)) {
		struct xb_proc_result answer;
		void *where;

		const int got = xb_procs_wait(procs, -1, interrupted, &where, &answer, err);

		if (got < 0)
			return got;
		if (got == 0)
			return xb_fail(err, XB_E_INTERRUPTED, "interrupted while asking git about '%s'", dir);
		*(struct xb_proc_result *)where = answer;
	}
	return 0;
}

static struct xb_sv first_line(const struct xb_str *text)
{
	struct xb_sv rest = xb_str_sv(text);

	return xb_sv_trim(xb_sv_cut(&rest, '\n'));
}

/* git-status(1), "Porcelain Format Version 2": header lines "# key value", then one line for each changed file. */
static void read_status(const struct xb_proc_result *answer, struct xb_git *git)
{
	struct xb_sv rest = xb_str_sv(&answer->output);

	while (rest.ptr && !git->dirty) {
		struct xb_sv line = xb_sv_cut(&rest, '\n');
		struct xb_sv key;

		if (!line.len)
			continue;
		if (!xb_sv_starts(line, "# ")) {
			git->dirty = true;
			break;
		}
		xb_sv_cut(&line, ' ');
		key = xb_sv_cut(&line, ' ');
		if (xb_sv_eq_str(key, "branch.oid") && !git->commit && !xb_sv_eq_str(line, "(initial)"))
			git->commit = xb_sv_dup(line);
		else if (xb_sv_eq_str(key, "branch.head") && !git->branch && !xb_sv_eq_str(line, "(detached)"))
			git->branch = xb_sv_dup(line);
	}
}

/*
 * The line is "<time> tag: refs/tags/a, tag: refs/tags/b". Where several tags name HEAD the one that describe chose
 * wins, so that both say the same; names of refs hold no blank (git-check-ref-format(1)).
 */
static void read_log(const struct xb_proc_result *answer, struct xb_git *git)
{
	static const char prefix[] = "tag: refs/tags/";
	struct xb_sv line = first_line(&answer->output);
	uint64_t seconds;

	if (xb_num_u64(xb_sv_cut(&line, ' '), INT64_MAX, &seconds))
		git->commit_time = (int64_t)seconds;
	while (line.ptr) {
		struct xb_sv tag = xb_sv_trim(xb_sv_cut(&line, ','));

		if (!xb_sv_starts(tag, prefix))
			continue;
		tag = xb_sv_n(tag.ptr + sizeof(prefix) - 1, tag.len - (sizeof(prefix) - 1));
		if (git->tag && !xb_sv_eq_str(tag, git->describe))
			continue;
		free(git->tag);
		git->tag = xb_sv_dup(tag);
	}
}

/*
 * Without the user part of "https://user:token@host/": a token may stand in either half. For other schemes the name
 * stays ("ssh://git@host"), it is no secret and the URL needs it. The authority ends at the first slash (RFC 3986 3.2).
 */
static char *without_credentials(struct xb_sv url)
{
	const bool keep_name = !xb_sv_starts(url, "http://") && !xb_sv_starts(url, "https://");
	const char *start = url.len ? memmem(url.ptr, url.len, "://", 3) : NULL;
	size_t head, end, name_end = 0, at = 0;

	if (!start)
		return xb_sv_dup(url);
	head = (size_t)(start - url.ptr) + 3;
	for (end = head; end < url.len && !strchr("/?#", url.ptr[end]); end++) {
		if (url.ptr[end] == '@')
			at = end;
		if (url.ptr[end] == ':' && !name_end)
			name_end = end;
	}
	if (!at)
		return xb_sv_dup(url);
	if (!keep_name)
		return xb_printf("%.*s%.*s", (int)head, url.ptr, (int)(url.len - at - 1), url.ptr + at + 1);
	if (!name_end || name_end > at)
		name_end = at;
	return xb_printf("%.*s%.*s", (int)name_end, url.ptr, (int)(url.len - at), url.ptr + at);
}

static char *or_empty(char *text)
{
	return text ? text : xb_strdup("");
}

static void read_answers(const struct xb_proc_result answers[N_QUESTIONS], struct xb_git *git)
{
	read_status(&answers[ASK_STATUS], git);
	/* All three fail where there is nothing to tell: no commit yet, no remote. */
	git->describe = xb_sv_dup(answers[ASK_DESCRIBE].exit_code == 0 ? first_line(&answers[ASK_DESCRIBE].output)
								       : (struct xb_sv){0});
	if (answers[ASK_LOG].exit_code == 0)
		read_log(&answers[ASK_LOG], git);
	if (answers[ASK_ORIGIN].exit_code == 0)
		git->origin = without_credentials(first_line(&answers[ASK_ORIGIN].output));
}

static int read_all(const char *program, const char *dir, const volatile int *interrupted, struct xb_git *git,
		    struct xb_err *err)
{
	struct xb_proc_result answers[N_QUESTIONS] = {0};
	const struct xb_proc_result *status = &answers[ASK_STATUS];
	int failed = ask_all(program, dir, interrupted, answers, err);
	char ended[80];

	if (!failed && status->exit_code == 0) {
		git->present = true;
		read_answers(answers, git);
	} else if (!failed && !strstr(xb_str_get(&status->errors), "not a git repository") &&
		   !strstr(xb_str_get(&status->errors), "must be run in a work tree")) {
		failed =
			xb_fail(err, XB_E_SYSTEM, "run 'git status' in '%s': %s: %.*s", dir,
				xb_proc_describe(status, ended, sizeof(ended)), XB_SV_ARG(first_line(&status->errors)));
	}
	for (int i = 0; i < N_QUESTIONS; i++)
		xb_proc_result_release(&answers[i]);
	return failed;
}

int xb_git_read(const char *dir, const volatile int *interrupted, struct xb_git *out, struct xb_err *err)
{
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};
	char *program XB_CLEANUP(xb_free_ptr) = xb_proc_find("git");

	if (program && read_all(program, dir, interrupted, &git, err) < 0)
		return err->code;
	git.commit = or_empty(git.commit);
	git.branch = or_empty(git.branch);
	git.tag = or_empty(git.tag);
	git.describe = or_empty(git.describe);
	git.origin = or_empty(git.origin);
	*out = git;
	git = (struct xb_git){0};
	return 0;
}
