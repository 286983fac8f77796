/* SPDX-License-Identifier: Apache-2.0 */
#include "../pkg/sample.h"

#include "xbuild/app/app.h"
#include "xbuild/sys/git.h"

/* An app with a project and with what git says about it, without any of both on disk. */
struct sample {
	struct xb_app app;
	struct xb_project project;
	struct xb_git git;
	const char *names[1], *values[1];
};

static void sample_init(struct sample *s)
{
	*s = (struct sample){.names = {"color"}, .values = {"blue"}};
	s->git = (struct xb_git){.present = true,
				 .commit = (char *)(uintptr_t) "0123456789abcdef0123456789abcdef01234567",
				 .branch = (char *)(uintptr_t) "main",
				 .tag = (char *)(uintptr_t) "",
				 .describe = (char *)(uintptr_t) "v1-2-g0123456",
				 .commit_time = 1700000000,
				 .dirty = true};
	s->project.dir = (char *)(uintptr_t) "/nonexistent";
	s->project.file = "xbuild.yaml";
	s->project.vars = (struct xb_pairs){.names = s->names, .values = s->values, .len = 1};
	s->app.project = &s->project;
	s->app.git = &s->git;
}

static char *expand(struct sample *s, const char *text)
{
	const struct xb_target *target = xb_target_find(xb_sv("linux-aarch64"));
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out = {0};

	expect_ok(xb_app_subst(&s->app, text, target, "server", "release", &out, &err), &err);
	return xb_str_steal(&out);
}

static void all_names(void **state)
{
	static const struct {
		const char *text, *expanded;
	} rows[] = {
		{"${version}", "v1-2-g0123456"},
		{"${git.sha7} ${git.branch}${git.dirty}", "0123456 main-dirty"},
		{"${git.time} ${git.unix}", "20231114221320 1700000000"},
		{"${target.name} ${target.triple} ${target.arch}", "linux-aarch64 aarch64-linux-gnu arm64"},
		{"${image} ${profile} ${color} ${vars.color}", "server release blue blue"},
		{"$${x} $$ plain", "${x} $$ plain"},
	};
	struct sample s;

	(void)state;
	sample_init(&s);
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		char *text XB_CLEANUP(xb_free_ptr) = expand(&s, rows[i].text);

		assert_string_equal(text, rows[i].expanded);
	}
	xb_arena_release(&s.app.arena);
}

static void versions(void **state)
{
	struct sample s;
	char *dir XB_CLEANUP(scratch_remove) = scratch_dir();
	char *literal XB_CLEANUP(xb_free_ptr) = NULL, *file XB_CLEANUP(xb_free_ptr) = NULL;

	(void)state;
	sample_init(&s);
	s.project.version_kind = XB_VERSION_LITERAL;
	s.project.version = "1.0";
	literal = expand(&s, "v${version}");
	assert_string_equal(literal, "v1.0");
	scratch_write(dir, "VERSION", " 2.5 \nmore\n", 11);
	s.project.version_kind = XB_VERSION_FILE;
	s.project.version = "VERSION";
	s.project.dir = dir;
	file = expand(&s, "${version}");
	assert_string_equal(file, "2.5");
	xb_arena_release(&s.app.arena);
}

/* Git is not asked for a text that does not need it: here asking would fail, and a tag there is none. */
static void what_has_no_value(void **state)
{
	static const char *const texts[] = {"${git.tag}", "${unknown}", "${version"};
	struct sample s;

	(void)state;
	sample_init(&s);
	for (size_t i = 0; i < XB_COUNT(texts); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_str out XB_CLEANUP(xb_str_release) = {0};

		assert_int_equal(xb_app_subst(&s.app, texts[i], NULL, NULL, NULL, &out, &err), XB_E_INPUT);
	}
	s.git.present = false;
	for (size_t i = 0; i < 2; i++) {
		static const char *const no_git[] = {"${version}", "${git.sha}"};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_str out XB_CLEANUP(xb_str_release) = {0};

		assert_int_equal(xb_app_subst(&s.app, no_git[i], NULL, NULL, NULL, &out, &err), XB_E_INPUT);
		assert_non_null(err.hint);
	}
	xb_arena_release(&s.app.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_names), cmocka_unit_test(versions),
					   cmocka_unit_test(what_has_no_value)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
