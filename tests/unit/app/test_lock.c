/* SPDX-License-Identifier: Apache-2.0 */
/* What is decided about a lock before anything is asked from an archive. No test here has a store or a network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/app/op_lock.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

#define HEAD "name: demo\nhosts: [linux-x86_64]\ntargets: [linux-x86_64]\n"
#define TAIL "build: { demo: { sources: [a.c] } }\n"

struct sample {
	char dir[32];
	char *file, *lock;
	struct xb_app app;
	struct xb_err err;
};

static void write_text(const char *path, struct xb_sv text)
{
	struct xb_err err = {0};

	assert_int_equal(xb_atomic_file_write(path, text.ptr, text.len, 0644, 0, &err), 0);
}

/* Another run in the same directory. */
static void begin(struct sample *s)
{
	const struct xb_app_options options = {.dir = s->dir};

	xb_app_release(&s->app);
	xb_err_clear(&s->err);
	xb_app_init(&s->app, &options, NULL, NULL);
	s->app.data_dir = xb_strdup(XB_TEST_SOURCE_DIR);
}

static int setup(void **state)
{
	struct sample *s = xb_alloc(sizeof(*s));

	memcpy(s->dir, "/tmp/xb-lock-XXXXXX", sizeof("/tmp/xb-lock-XXXXXX"));
	assert_non_null(mkdtemp(s->dir));
	s->file = xb_path_join(s->dir, "xbuild.yaml");
	s->lock = xb_path_join(s->dir, XB_LOCK_NAME);
	write_text(s->file, xb_sv(HEAD TAIL));
	begin(s);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct sample *s = *state;
	struct xb_err err = {0};
	const int rc = xb_fs_remove(s->dir, &err);

	xb_app_release(&s->app);
	xb_err_release(&s->err);
	free(s->file);
	free(s->lock);
	free(s);
	return rc;
}

/* A lock that fits the project as it is now, with one package in each tree. */
static void write_lock_with(struct sample *s, bool has_wishes)
{
	struct xb_str wishes XB_CLEANUP(xb_str_release) = {0};
	json_t *asked XB_CLEANUP(xb_json_release) = NULL;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_lock_suite suite = {.id = "bookworm", .archive = "debian", .path = "bookworm", .date = 1700000000};
	struct xb_lock_package package = {.name = "libc6",
					  .version = "2.36-9",
					  .arch = "amd64",
					  .suite = "bookworm",
					  .path = "pool/main/g/glibc/libc6_2.36-9_amd64.deb",
					  .size_bytes = 7};
	struct xb_lock_toolchain toolchain = {.host = "linux-x86_64", .version = "22.1.8", .packages = {&package, 1}};
	struct xb_lock_sysroot sysroot = {.target = "linux-x86_64", .packages = {&package, 1}};
	struct xb_lock lock = {.suites = &suite,
			       .n_suites = 1,
			       .toolchains = &toolchain,
			       .n_toolchains = 1,
			       .sysroots = &sysroot,
			       .n_sysroots = 1};

	suite.in_release.bytes[0] = package.sha256.bytes[0] = 1;
	suite.signed_by = "0123456789ABCDEF0123456789ABCDEF01234567";
	assert_int_equal(xb_app_need_descs(&s->app, &s->err), 0);
	toolchain.name = s->app.toolchain->name;
	sysroot.name = s->app.sysroot->name;
	xb_project_lock_inputs(s->app.project, &lock.inputs);
	asked = xb_project_lock_wishes(s->app.project);
	xb_json_write(asked, 0, true, &wishes);
	lock.wishes = has_wishes ? xb_str_get(&wishes) : NULL;
	xb_lock_write(&lock, &text);
	write_text(s->lock, xb_str_sv(&text));
	begin(s);
}

static void write_fitting_lock(struct sample *s)
{
	write_lock_with(s, true);
}

static void read_lock(const struct sample *s, struct xb_str *out)
{
	struct xb_err err = {0};

	assert_int_equal(xb_fs_read(s->lock, XB_MIB, out, &err), 0);
}

/* Runs lock and expects its end, the words in its message, and the file as it was. */
static void expect_unchanged(struct sample *s, const struct xb_lock_opts *opts, int code, const char *told)
{
	struct xb_str before XB_CLEANUP(xb_str_release) = {0}, after XB_CLEANUP(xb_str_release) = {0};
	struct xb_lock_result result = {0};

	read_lock(s, &before);
	if (xb_op_lock(&s->app, opts, &result, &s->err) != code)
		fail_msg("%s %s", s->err.msg, s->app.diags.list.len ? s->app.diags.list.items[0].message : "");
	if (told && !strstr(s->err.msg, told))
		fail_msg("expected \"%s\", found \"%s\"", told, s->err.msg);
	assert_false(result.written);
	read_lock(s, &after);
	assert_true(xb_sv_eq(xb_str_sv(&before), xb_str_sv(&after)));
	assert_null(s->app.store); /* nothing was even looked for */
	xb_str_release(&result.diff);
}

static void a_missing_lock(void **state)
{
	struct sample *s = *state;
	struct xb_lock_result result;

	assert_int_equal(xb_op_lock(&s->app, &(struct xb_lock_opts){.check = true}, &result, &s->err), XB_E_LOCK);
	assert_non_null(strstr(s->err.msg, "there is no xbuild.lock"));
	assert_non_null(strstr(s->err.hint, "'xbuild lock'"));
	assert_false(xb_fs_exists(s->lock));
	begin(s);
	s->app.options.offline = true;
	assert_int_equal(xb_op_lock(&s->app, &(struct xb_lock_opts){0}, &result, &s->err), XB_E_NETWORK);
	assert_false(xb_fs_exists(s->lock));
}

static void a_lock_that_fits_stays(void **state)
{
	struct sample *s = *state;
	struct xb_lock_result result = {0};

	write_fitting_lock(s);
	expect_unchanged(s, &(struct xb_lock_opts){.check = true}, 0, NULL);
	begin(s);
	expect_unchanged(s, &(struct xb_lock_opts){0}, 0, NULL);
	begin(s);
	assert_int_equal(xb_op_lock(&s->app, &(struct xb_lock_opts){0}, &result, &s->err), 0);
	assert_int_equal(result.n_packages, 2);
	assert_false(result.is_new);
	begin(s);
	assert_int_equal(xb_app_need_lock(&s->app, &s->err), 0);
}

struct stale {
	const char *yaml, *told;
};

/* The project asks for another thing than the lock has: refused by those who use it and by --check, and named. */
static void expect_stale(struct sample *s, const struct stale *stale, const char *whole)
{
	write_text(s->file, xb_sv(stale->yaml));
	begin(s);
	expect_unchanged(s, &(struct xb_lock_opts){.check = true}, XB_E_LOCK, stale->told);
	if (whole)
		assert_string_equal(s->err.msg, whole);
	begin(s);
	assert_int_equal(xb_app_need_lock(&s->app, &s->err), XB_E_LOCK);
	assert_non_null(strstr(s->err.msg, stale->told));
	assert_non_null(strstr(s->err.hint, "'xbuild lock'"));
	assert_null(s->app.lock);
	begin(s);
	s->app.options.offline = true;
	expect_unchanged(s, &(struct xb_lock_opts){0}, XB_E_NETWORK, "offline");
}

/* A lock that does not tell what it was made for is looked through for what it lacks. */
static void an_older_stale_lock(void **state)
{
	static const struct stale cases[] = {
		{"name: demo\nhosts: [linux-x86_64]\ntargets: [linux-x86_64, linux-aarch64]\n" TAIL,
		 "no sysroot for target 'linux-aarch64'"},
		{"name: demo\nhosts: [linux-x86_64, linux-aarch64]\ntargets: [linux-x86_64]\n" TAIL,
		 "no toolchain for host 'linux-aarch64'"},
		{HEAD "sysroot: { packages: [libssl3] }\n" TAIL, "no package 'libssl3' for target 'linux-x86_64'"},
		{HEAD "toolchain: { llvm: \"19\" }\n" TAIL, "'llvm-19'"},
		{HEAD "sysroot: { debian: trixie }\n" TAIL, "'debian-trixie'"},
		{HEAD "sysroot: { packages: [libc6] }\n" TAIL,
		 "toolchain, sysroot, snapshot, packages, hosts, targets or bases"},
	};
	struct sample *s = *state;

	write_lock_with(s, false);
	for (size_t i = 0; i < XB_COUNT(cases); i++)
		expect_stale(s, &cases[i], NULL);
}

#define FULL                                                                                                           \
	HEAD "toolchain: { llvm: \"22\" }\n"                                                                           \
	     "sysroot: { debian: bookworm, packages: [libc6], suites: [backports] }\n" TAIL                            \
	     "image: { api: { files: { /a: a }, base: { debian: [netbase] } } }\n"

/* Each change is named, and nothing else. */
static void a_stale_lock_names_what_changed(void **state)
{
	static const struct {
		const char *from, *to; /* in FULL */
		const char *told;
	} cases[] = {
		{"[libc6]", "[libssl3, libc6]", "packages of the sysroot: locked libc6, now libc6, libssl3"},
		{"[libc6]", "[]", "packages of the sysroot: locked libc6, now none"},
		{"[libc6]", "[h1, g1, f1, e1, d1, c1, b1, a1, libc6]",
		 "packages of the sysroot: now also a1, b1, c1, d1, e1, f1 and 2 more"},
		{"[libc6]", "[g1, f1, e1, d1, c1, b1, a1]",
		 "packages of the sysroot: now also a1, b1, c1, d1, e1, f1 and 1 more, no longer libc6"},
		{"targets: [linux-x86_64]", "targets: [x64, arm64]",
		 "targets: locked linux-x86_64, now linux-x86_64, linux-aarch64"},
		{"targets: [linux-x86_64]", "targets: [linux-aarch64]",
		 "targets: locked linux-x86_64, now linux-aarch64"},
		{"hosts: [linux-x86_64]", "hosts: [linux-x86_64, linux-aarch64]",
		 "hosts: locked linux-x86_64, now linux-aarch64, linux-x86_64"},
		{"llvm: \"22\"", "llvm: \"19\"", "toolchain: locked llvm-22, now llvm-19"},
		{"llvm: \"22\"", "profile: full", "profile of the toolchain: locked small, now full"},
		{"llvm: \"22\"", "source: official", "source of the toolchain: locked none, now official"},
		{"debian: bookworm", "debian: trixie",
		 "sysroot: locked debian-bookworm, now debian-trixie; "
		 "further suites of the sysroot: locked bookworm-backports, now trixie-backports"},
		{", suites: [backports]", ", snapshot: 2026-01-02T03:04:05Z, suites: [backports]",
		 "snapshot of the sysroot: locked latest, now 2026-01-02T03:04:05Z"},
		{", suites: [backports]", "", "further suites of the sysroot: locked bookworm-backports, now none"},
		{"[backports]", "{ backports: { packages: [zlib1g] } }",
		 "packages of the sysroot: locked libc6, now libc6, zlib1g; "
		 "suite 'bookworm-backports', packages: locked none, now zlib1g"},
		{"{ debian: [netbase] }", "{ debian: [netbase, tzdata] }",
		 "packages of the base of image 'api': locked netbase, now netbase, tzdata"},
		{"{ debian: [netbase] }", "debian-cc", "base of image 'api': locked debian [netbase], now debian-cc"},
		{"{ debian: [netbase] }", "{ image: a/b:1 }",
		 "base of image 'api': locked debian [netbase], now a/b:1"},
		{"{ debian: [netbase] }", "auto", "base of image 'api': locked debian [netbase], now nothing"},
		{"{ debian: [netbase] }", "{ debian: [netbase] }, packages: [tzdata]",
		 "packages of image 'api': locked none, now tzdata"},
		{"{ debian: [netbase] }", "{ debian: [netbase] }, targets: [linux-x86_64]",
		 "targets of image 'api': locked none, now linux-x86_64"},
		{"api:", "web:",
		 "base of image 'api': locked debian [netbase], now nothing; "
		 "base of image 'web': locked nothing, now debian [netbase]"},
		{"hosts: [linux-x86_64]\ntargets: [linux-x86_64]\ntoolchain: { llvm: \"22\" }\n"
		 "sysroot: { debian: bookworm, packages: [libc6], suites: [backports] }\n",
		 "hosts: [linux-aarch64]\ntargets: [arm64]\ntoolchain: { llvm: \"19\" }\n"
		 "sysroot: { debian: trixie, packages: [] }\n",
		 "toolchain: locked llvm-22, now llvm-19; sysroot: locked debian-bookworm, now debian-trixie; "
		 "packages of the sysroot: locked libc6, now none; "
		 "further suites of the sysroot: locked bookworm-backports, now none; and 2 more"},
	};
	static const char full[] = FULL;
	struct sample *s = *state;

	write_text(s->file, xb_sv(full));
	begin(s);
	write_fitting_lock(s);
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		const char *at = strstr(full, cases[i].from);
		char *yaml XB_CLEANUP(xb_free_ptr) =
			xb_printf("%.*s%s%s", (int)(at - full), full, cases[i].to, at + strlen(cases[i].from));
		char *whole XB_CLEANUP(xb_free_ptr) =
			xb_printf("xbuild.lock does not fit the project: %s", cases[i].told);

		expect_stale(s, &(const struct stale){yaml, cases[i].told}, whole);
	}
}

static void a_name_that_is_not_locked(void **state)
{
	static const char *const names[] = {"libc5"};
	struct sample *s = *state;

	write_fitting_lock(s);
	expect_unchanged(s, &(struct xb_lock_opts){.update = true, .names = names, .n_names = 1}, XB_E_USAGE,
			 "'libc5' is not in xbuild.lock");
	assert_non_null(strstr(s->err.hint, "'libc6'"));
}

static int calls; /* of count_call */

static int count_call(struct xb_app *app, struct xb_err *err)
{
	(void)app;
	calls++;
	return xb_fail(err, XB_E_NETWORK, "asked");
}

/* Who needs a lock makes a missing one, unless it is told not to. */
static void locked_makes_none(void **state)
{
	struct sample *s = *state;

	calls = 0;
	for (int locked = 0; locked < 2; locked++) {
		begin(s);
		s->app.make_lock = count_call;
		s->app.options.locked = locked;
		assert_int_equal(xb_app_need_lock(&s->app, &s->err), locked ? XB_E_LOCK : XB_E_NETWORK);
		assert_int_equal(calls, 1);
		assert_false(xb_fs_exists(s->lock));
	}
	assert_non_null(strstr(s->err.msg, "--locked"));
}

static void a_damaged_lock_is_no_missing_one(void **state)
{
	struct sample *s = *state;

	write_text(s->lock, xb_sv("{ \"xbuild-lock\": 1"));
	expect_unchanged(s, &(struct xb_lock_opts){.check = true}, XB_E_LOCK, NULL);
	begin(s);
	expect_unchanged(s, &(struct xb_lock_opts){0}, XB_E_LOCK, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_missing_lock),
		TEST(a_lock_that_fits_stays),
		TEST(an_older_stale_lock),
		TEST(a_stale_lock_names_what_changed),
		TEST(a_name_that_is_not_locked),
		TEST(locked_makes_none),
		TEST(a_damaged_lock_is_no_missing_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
