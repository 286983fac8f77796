/* SPDX-License-Identifier: Apache-2.0 */
/* Against repositories that the git program makes here; without git(1) only the test of its absence runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../skip.h"
#include "sample.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/git.h"
#include "xbuild/sys/proc.h"

#define GIT(dir, ...) assert_int_equal(SAMPLE_RUN("git", "-C", dir, __VA_ARGS__), 0)

static int make_dir(void **state)
{
	char *git XB_CLEANUP(xb_free_ptr) = xb_proc_find("git");
	char *home XB_CLEANUP(xb_free_ptr) = NULL;
	char *dir;

	if (!git) {
		*state = NULL;
		return 0;
	}
	dir = sample_dir();
	home = xb_path_join(dir, "home");
	assert_int_equal(mkdir(home, 0755), 0);
	setenv("HOME", home, 1); /* the settings of whoever runs the tests must not matter */
	setenv("GIT_CEILING_DIRECTORIES", dir, 1);
	setenv("GIT_AUTHOR_NAME", "A", 1);
	setenv("GIT_AUTHOR_EMAIL", "a@example.com", 1);
	setenv("GIT_COMMITTER_NAME", "C", 1);
	setenv("GIT_COMMITTER_EMAIL", "c@example.com", 1);
	setenv("GIT_AUTHOR_DATE", "1111111111 +0200", 1);
	setenv("GIT_COMMITTER_DATE", "1234567890 +0200", 1);
	unsetenv("XDG_CONFIG_HOME");
	*state = dir;
	return 0;
}

static int drop_dir(void **state)
{
	if (*state)
		sample_dir_remove(*state);
	return 0;
}

/* Owned path of a new repository without commits, with one file in its tree. */
static char *make_repo(void **state)
{
	char *repo, *file;

	if (!*state)
		skip_without("git");
	repo = xb_path_join(*state, "repo");
	file = xb_path_join(repo, "file");
	GIT(*state, "init", "-q", repo);
	GIT(repo, "symbolic-ref", "HEAD", "refs/heads/main");
	sample_write(file, "1\n", 2);
	free(file);
	return repo;
}

static void commit_all(const char *repo)
{
	GIT(repo, "add", "-A");
	GIT(repo, "commit", "-q", "-m", "m");
}

static void read_git(const char *dir, struct xb_git *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	xb_git_release(out);
	if (xb_git_read(dir, NULL, out, &err) < 0)
		fail_msg("%s", err.msg);
}

static void assert_absent(const struct xb_git *git)
{
	assert_false(git->present);
	assert_false(git->dirty);
	assert_int_equal(git->commit_time, 0);
	assert_string_equal(git->commit, "");
	assert_string_equal(git->branch, "");
	assert_string_equal(git->tag, "");
	assert_string_equal(git->describe, "");
	assert_string_equal(git->origin, "");
}

static void no_repository_is_no_error(void **state)
{
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	if (!*state)
		skip_without("git");
	read_git(*state, &git);
	assert_absent(&git);
	xb_git_release(&git);
	assert_int_equal(xb_git_read("/no/such/dir", NULL, &git, &err), XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "/no/such/dir"));
}

static void no_git_is_no_error(void **state)
{
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};
	char *old XB_CLEANUP(xb_free_ptr) = xb_strdup(getenv("PATH"));
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	int rc;

	(void)state;
	setenv("PATH", "/no/such/dir", 1);
	rc = xb_git_read(".", NULL, &git, &err);
	setenv("PATH", old, 1);
	assert_int_equal(rc, 0);
	assert_absent(&git);
}

static void a_repository_without_commits_is_there(void **state)
{
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};

	read_git(repo, &git);
	assert_true(git.present);
	assert_string_equal(git.commit, "");
	assert_string_equal(git.branch, "main");
	assert_string_equal(git.describe, "");
	assert_string_equal(git.tag, "");
	assert_int_equal(git.commit_time, 0);
	assert_true(git.dirty); /* the file is untracked */
}

static void a_commit_is_told(void **state)
{
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	char *sub XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, "sub");
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};

	commit_all(repo);
	assert_int_equal(mkdir(sub, 0755), 0);
	read_git(sub, &git); /* from below as well */
	assert_true(git.present);
	/* All that goes into the name of this commit is fixed above. */
	assert_string_equal(git.commit, "72ba0a9bb573c362447fcdce90c594abf0dbd010");
	assert_int_equal(strlen(git.commit), 40);
	assert_int_equal(git.commit_time, 1234567890);
	assert_int_equal(strncmp(git.commit, git.describe, strlen(git.describe)), 0);
	assert_true(strlen(git.describe) >= 7);
	assert_string_equal(git.branch, "main");
	assert_string_equal(git.tag, "");
	assert_string_equal(git.origin, "");
	assert_false(git.dirty);
}

static void changes_make_it_dirty(void **state)
{
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, "file");
	char *ignore XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, ".gitignore");
	char *ignored XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, "x.o");
	char *untracked XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, "new");
	char *compdb XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, "compile_commands.json");
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};

	sample_write(ignore, "*.o\n", 4);
	commit_all(repo);
	sample_write(ignored, "", 0);
	read_git(repo, &git);
	assert_false(git.dirty);
	GIT(repo, "config", "status.showUntrackedFiles", "no"); /* must not change the answer */
	sample_write(untracked, "", 0);
	read_git(repo, &git);
	assert_true(git.dirty);
	assert_int_equal(unlink(untracked), 0);
	sample_write(compdb, "[]", 2); /* written by every build */
	read_git(repo, &git);
	assert_false(git.dirty);
	sample_write(file, "22\n", 3);
	read_git(repo, &git);
	assert_true(git.dirty);
	assert_string_equal(git.branch, "main");
	GIT(repo, "add", "file");
	read_git(repo, &git);
	assert_true(git.dirty);
	GIT(repo, "commit", "-q", "-m", "m");
	read_git(repo, &git);
	assert_false(git.dirty);
}

/* What is built of a submodule counts like the rest, whatever the settings say of it. */
static void a_changed_submodule_makes_it_dirty(void **state)
{
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	char *lib XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "lib");
	char *origin XB_CLEANUP(xb_free_ptr) = xb_path_join(lib, "file");
	char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, "sub/file");
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};

	GIT(*state, "init", "-q", lib);
	sample_write(origin, "1\n", 2);
	commit_all(lib);
	GIT(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib, "sub");
	commit_all(repo);
	GIT(repo, "config", "submodule.sub.ignore", "all");
	GIT(repo, "config", "diff.ignoreSubmodules", "all");
	read_git(repo, &git);
	assert_false(git.dirty);
	sample_write(file, "22\n", 3);
	read_git(repo, &git);
	assert_true(git.dirty);
}

/* More names than are kept of the answer. */
static void many_changes_are_no_problem(void **state)
{
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};

	commit_all(repo);
	for (int i = 0; i < 500; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%0200d", repo, i);

		sample_write(path, "", 0);
	}
	read_git(repo, &git);
	assert_true(git.dirty);
	assert_int_equal(strlen(git.commit), 40);
}

static void tags_and_descriptions_agree(void **state)
{
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, "file");
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};

	commit_all(repo);
	GIT(repo, "branch", "not-a-tag");
	GIT(repo, "tag", "a-light");
	read_git(repo, &git);
	assert_string_equal(git.tag, "a-light");
	assert_string_equal(git.describe, "a-light");
	GIT(repo, "tag", "-a", "-m", "m", "rel/v1.2");
	GIT(repo, "tag", "z-light");
	GIT(repo, "config", "log.excludeDecoration", "refs/tags/*");
	read_git(repo, &git);
	assert_string_equal(git.describe, "rel/v1.2"); /* describe likes annotated ones better */
	assert_string_equal(git.tag, "rel/v1.2");
	sample_write(file, "2\n", 2);
	commit_all(repo);
	read_git(repo, &git);
	assert_string_equal(git.tag, "");
	assert_int_equal(strncmp(git.describe, "rel/v1.2-1-g", 12), 0);
	sample_write(file, "3\n", 2); /* no dirty mark */
	read_git(repo, &git);
	assert_null(strstr(git.describe, "dirty"));
}

static void branches_are_named_and_detached_is_none(void **state)
{
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};

	commit_all(repo);
	GIT(repo, "checkout", "-q", "-b", "feature/x");
	read_git(repo, &git);
	assert_string_equal(git.branch, "feature/x");
	GIT(repo, "checkout", "-q", "--detach");
	read_git(repo, &git);
	assert_string_equal(git.branch, "");
	assert_int_equal(strlen(git.commit), 40);
}

static void credentials_stay_out_of_the_origin(void **state)
{
	static const struct {
		const char *url, *expected;
	} cases[] = {
		{"https://example.com/a/b.git", "https://example.com/a/b.git"},
		{"https://user:secret@example.com/a.git", "https://example.com/a.git"},
		{"https://token@example.com:8443/a.git", "https://example.com:8443/a.git"},
		{"http://u:p@ss@example.com/a", "http://example.com/a"},
		{"https://example.com/a@b", "https://example.com/a@b"},
		{"ssh://git@example.com:22/a.git", "ssh://git@example.com:22/a.git"},
		{"ssh://git:secret@example.com/a.git", "ssh://git@example.com/a.git"},
		{"git@example.com:a/b.git", "git@example.com:a/b.git"},
		{"../relative", "../relative"},
		{"/abs/path", "/abs/path"},
	};
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);

	GIT(repo, "remote", "add", "origin", "x");
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_git git XB_CLEANUP(xb_git_release) = {0};

		GIT(repo, "config", "remote.origin.url", cases[i].url);
		read_git(repo, &git);
		assert_string_equal(git.origin, cases[i].expected);
	}
}

/* Everything in a repository's settings that would run a program at these questions. */
static void settings_run_nothing(void **state)
{
	static const char script[] = "#!/bin/sh\n: > \"$(dirname \"$0\")/canary\"\n";
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	char *hooks XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "hooks");
	char *evil XB_CLEANUP(xb_free_ptr) = xb_path_join(hooks, "post-index-change");
	char *canary XB_CLEANUP(xb_free_ptr) = xb_path_join(hooks, "canary");
	char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, "file");
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};

	commit_all(repo);
	assert_int_equal(mkdir(hooks, 0755), 0);
	sample_write(evil, script, sizeof(script) - 1);
	assert_int_equal(chmod(evil, 0755), 0);
	GIT(repo, "config", "core.fsmonitor", evil);
	SAMPLE_RUN("git", "-C", repo, "status");
	assert_true(xb_fs_exists(canary)); /* the trap works */
	assert_int_equal(unlink(canary), 0);

	GIT(repo, "config", "core.hooksPath", hooks);
	GIT(repo, "config", "core.pager", evil);
	GIT(repo, "config", "pager.log", "true");
	GIT(repo, "config", "log.showSignature", "true");
	GIT(repo, "config", "gpg.program", evil);
	(void)unlink(canary);
	sample_write(file, "1\n", 2); /* newer than the index, which would be refreshed */
	read_git(repo, &git);
	assert_true(git.present);
	assert_int_equal(strlen(git.commit), 40);
	assert_false(xb_fs_exists(canary));
}

/* A mounted tree in a container belongs to somebody else. */
static void another_owner_is_no_obstacle(void **state)
{
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	struct xb_git git XB_CLEANUP(xb_git_release) = {0};

	if (getuid() != 0)
		skip_without("root's rights");
	commit_all(repo);
	assert_int_equal(chown(repo, 65534, 65534), 0);
	read_git(repo, &git);
	assert_true(git.present);
}

static void a_broken_repository_is_an_error(void **state)
{
	char *repo XB_CLEANUP(xb_free_ptr) = make_repo(state);
	char *index XB_CLEANUP(xb_free_ptr) = xb_path_join(repo, ".git/index");
	struct xb_git git = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	commit_all(repo);
	sample_write(index, "garbage", 7);
	assert_int_equal(xb_git_read(repo, NULL, &git, &err), XB_E_SYSTEM);
	assert_non_null(strstr(err.msg, repo));
	assert_non_null(strstr(err.msg, "index"));
	assert_null(git.commit);
}

/* git may be slow for long, on a network file system say. */
static void an_interruption_ends_a_slow_git(void **state)
{
	char *dir = sample_dir();
	char *program XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "git");
	char *old_path XB_CLEANUP(xb_free_ptr) = xb_strdup(getenv("PATH"));
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s:%s", dir, old_path);
	static const char script[] = "#!/bin/sh\nexec sleep 300\n";
	const volatile int interrupted = 1;
	struct xb_git git = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	sample_write(program, script, sizeof(script) - 1);
	assert_int_equal(chmod(program, 0755), 0);
	setenv("PATH", path, 1);
	alarm(60);
	assert_int_equal(xb_git_read(dir, &interrupted, &git, &err), XB_E_INTERRUPTED);
	alarm(0);
	setenv("PATH", old_path, 1);
	sample_dir_remove(dir);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		IN_DIR(no_repository_is_no_error),
		IN_DIR(no_git_is_no_error),
		IN_DIR(a_repository_without_commits_is_there),
		cmocka_unit_test(an_interruption_ends_a_slow_git),
		IN_DIR(a_commit_is_told),
		IN_DIR(changes_make_it_dirty),
		IN_DIR(a_changed_submodule_makes_it_dirty),
		IN_DIR(many_changes_are_no_problem),
		IN_DIR(tags_and_descriptions_agree),
		IN_DIR(branches_are_named_and_detached_is_none),
		IN_DIR(credentials_stay_out_of_the_origin),
		IN_DIR(settings_run_nothing),
		IN_DIR(another_owner_is_no_obstacle),
		IN_DIR(a_broken_repository_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
