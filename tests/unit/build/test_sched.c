/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/build/linked.h"
#include "xbuild/sys/fs.h"

/* The scheduler end to end, with small stand-ins for the tools (fake.h). */

#define assert_build(f, n_run_, n_cached_, n_current_)                                                                 \
	do {                                                                                                           \
		const int rc_ = fake_build(f);                                                                         \
		if (rc_ < 0)                                                                                           \
			fail_msg("build: %s", (f)->err.msg);                                                           \
		assert_int_equal((f)->result.n_run, n_run_);                                                           \
		assert_int_equal((f)->result.n_cached, n_cached_);                                                     \
		assert_int_equal((f)->result.n_current, n_current_);                                                   \
	} while (0)

#define assert_file(f, path, expected)                                                                                 \
	do {                                                                                                           \
		char *text_ = fake_read(f, path);                                                                      \
		assert_non_null(text_);                                                                                \
		assert_string_equal(text_, expected);                                                                  \
		free(text_);                                                                                           \
	} while (0)

#define assert_has(text, part)                                                                                         \
	do {                                                                                                           \
		if (!strstr(text, part))                                                                               \
			fail_msg("no '%s' in: %s", part, text);                                                        \
	} while (0)

static void write_app(struct fake *f)
{
	fake_write(f, "src/a.c", "#include \"h.h\"\na\n");
	fake_write(f, "src/b.c", "b\n");
	fake_write(f, "include/h.h", "header\n");
}

static void open_app(struct fake *f)
{
	fake_open(f);
	write_app(f);
	fake_include(f, fake_unit(f, "app", XB_UNIT_EXECUTABLE, "src/*.c"), "include");
}

static void test_builds_once(void **state)
{
	struct fake f;
	struct stat st;

	(void)state;
	open_app(&f);
	assert_build(&f, 3, 0, 0);
	assert_file(&f, "out/linux-x86_64/app",
		    "[.xbuild/obj/linux-x86_64/dev/app/src/a.c.o]\nobject src/a.c \nheader\na\n"
		    "[.xbuild/obj/linux-x86_64/dev/app/src/b.c.o]\nobject src/b.c \nb\n");
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "out/linux-x86_64/app");

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_build(&f, 0, 0, 3);
	assert_build(&f, 0, 0, 3);
	assert_file(&f, ".xbuild/.gitignore", "*\n");
	assert_true(fake_exists(&f, ".xbuild/CACHEDIR.TAG"));
	fake_close(&f);
}

static void test_content_decides(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	assert_build(&f, 3, 0, 0);
	fake_write(&f, "src/b.c", "b\n"); /* touched */
	assert_build(&f, 0, 0, 3);
	fake_write(&f, "include/h.h", "changed\n");
	assert_build(&f, 2, 0, 1);
	fake_write(&f, "include/h.h", "header\n"); /* and back: known */
	assert_build(&f, 0, 2, 1);
	assert_file(&f, "out/linux-x86_64/app",
		    "[.xbuild/obj/linux-x86_64/dev/app/src/a.c.o]\nobject src/a.c \nheader\na\n"
		    "[.xbuild/obj/linux-x86_64/dev/app/src/b.c.o]\nobject src/b.c \nb\n");
	f.project.units[0]->settings.c_std = "c17";
	assert_build(&f, 3, 0, 0);
	f.project.units[0]->settings.c_std = NULL;
	assert_build(&f, 0, 3, 0);
	f.sysroot.digest.bytes[5] = 77;
	assert_build(&f, 3, 0, 0);
	fake_close(&f);
}

static void test_other_checkout_compiles_nothing(void **state)
{
	struct fake f, clone;

	(void)state;
	open_app(&f);
	assert_build(&f, 3, 0, 0);
	fake_clone(&f, &clone);
	write_app(&clone);
	assert_build(&clone, 0, 3, 0);
	assert_build(&clone, 0, 0, 3);
	char *a = fake_read(&f, "out/linux-x86_64/app"), *b = fake_read(&clone, "out/linux-x86_64/app");

	assert_string_equal(a, b);
	free(a);
	free(b);
	/* an object is placed only when a link has to run */
	assert_false(fake_exists(&clone, ".xbuild/obj"));
	fake_write(&clone, "src/b.c", "B\n");
	assert_build(&clone, 2, 0, 1);
	assert_true(fake_exists(&clone, ".xbuild/obj/linux-x86_64/dev/app/src/a.c.o"));
	fake_close(&clone);
	fake_close(&f);
}

static void test_damage_is_repaired(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	assert_build(&f, 3, 0, 0);
	fake_write(&f, "out/linux-x86_64/app", "overwritten\n");
	assert_build(&f, 0, 0, 3);
	char *text = fake_read(&f, "out/linux-x86_64/app");

	assert_null(strstr(text, "overwritten"));
	free(text);
	fake_write(&f, ".xbuild/state-linux-x86_64-dev", "no state\n");
	fake_write(&f, ".xbuild/statcache", "no cache\n");
	assert_build(&f, 0, 3, 0);
	/* the store was cleaned while the project remembers: what is needed is made again */
	char *blobs XB_CLEANUP(xb_free_ptr) = xb_printf("%s/store/blobs", f.dir);
	char *obj XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, ".xbuild/obj");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_fs_remove(blobs, &err), 0);
	assert_int_equal(xb_fs_remove(obj, &err), 0);
	assert_int_equal(xb_fs_mkdirs(blobs, 0755, &err), 0);
	assert_build(&f, 0, 0, 3);
	fake_write(&f, "src/b.c", "B\n");
	assert_int_equal(fake_build(&f), 0);
	assert_int_equal(f.result.n_run, 3); /* b, a (its object was lost), and the link */
	fake_close(&f);
}

static void test_new_header_shadows(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	assert_build(&f, 3, 0, 0);
	fake_write(&f, "src/h.h", "nearer\n"); /* found before include/h.h from now on */
	assert_build(&f, 2, 0, 1);
	char *text = fake_read(&f, "out/linux-x86_64/app");

	assert_has(text, "nearer");
	free(text);
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "src/h.h");

	assert_int_equal(unlink(path), 0);
	assert_build(&f, 0, 2, 1);
	fake_close(&f);
}

static void test_libraries(void **state)
{
	struct fake f;
	struct xb_unit *app, *low, *high, *shared;

	(void)state;
	fake_open(&f);
	fake_write(&f, "app/main.c", "#include \"low.h\"\nmain\n");
	fake_write(&f, "low/low.c", "low\n");
	fake_write(&f, "low/include/low.h", "low.h\n");
	fake_write(&f, "high/high.c", "#include \"low.h\"\nhigh\n");
	fake_write(&f, "shared/s.c", "s\n");
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "app/*.c");
	low = fake_unit(&f, "low", XB_UNIT_STATIC, "low/*.c");
	high = fake_unit(&f, "high", XB_UNIT_STATIC, "high/*.c");
	shared = fake_unit(&f, "shared", XB_UNIT_SHARED, "shared/*.c");
	fake_include(&f, low, "low/include");
	fake_dep(&f, high, low);
	fake_dep(&f, app, low); /* named first, but high needs it as well: it has to come last */
	fake_dep(&f, app, high);
	fake_dep(&f, app, shared);
	assert_build(&f, 8, 0, 0);
	char *text = fake_read(&f, "out/linux-x86_64/app");
	const char *at_main = strstr(text, "main.c.o]"), *at_high = strstr(text, "libhigh.a]"),
		   *at_low = strstr(text, "liblow.a]"), *at_shared = strstr(text, "libshared.so]");

	assert_true(at_main && at_high && at_low && at_shared);
	assert_true(at_main < at_high && at_high < at_low && at_low < at_shared);
	free(text);
	fake_write(&f, "low/low.c", "lower\n");
	assert_build(&f, 3, 0, 5); /* CC, AR, and the link: the other archive is as it was */
	fake_close(&f);
}

static void test_split_debug(void **state)
{
	struct fake f;
	struct stat st;

	(void)state;
	open_app(&f);
	f.profile.debug = XB_DEBUG_SPLIT;
	f.profile.strip = true;
	assert_build(&f, 5, 0, 0);
	char *debug = fake_read(&f, "out/linux-x86_64/app.debug"), *app = fake_read(&f, "out/linux-x86_64/app");

	assert_has(debug, "--only-keep-debug\n");
	assert_has(app, "--strip-all\n");
	free(debug);
	free(app);
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "out/linux-x86_64/app.debug");

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_build(&f, 0, 0, 5);
	fake_close(&f);
}

static void test_warnings_are_shown_again(void **state)
{
	struct fake f, clone;

	(void)state;
	fake_open(&f);
	fake_write(&f, "a.c", "#warning mind this\na\n");
	fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	assert_build(&f, 2, 0, 0);
	assert_string_equal(xb_str_get(&f.output), "a.c: warning: mind this\n");
	fake_clone(&f, &clone);
	fake_write(&clone, "a.c", "#warning mind this\na\n");
	clone.options.color = true;
	assert_build(&clone, 0, 2, 0);
	assert_string_equal(xb_str_get(&clone.output), "a.c: \033[35mwarning:\033[0m mind this\n");
	assert_build(&clone, 0, 0, 2);
	assert_string_equal(xb_str_get(&clone.output), "");
	fake_close(&clone);
	fake_close(&f);
}

static void test_failure(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	fake_unit(&f, "zoo", XB_UNIT_EXECUTABLE, "zoo/*.c");
	fake_write(&f, "zoo/z.c", "z\n");
	fake_write(&f, "src/a.c", "#error broken\n");
	f.options.keep_going = true;
	assert_int_equal(fake_build(&f), XB_E_JOB);
	assert_string_equal(xb_str_get(&f.output), "src/a.c: error: broken\n");
	assert_int_equal(f.result.n_failed, 1);
	assert_int_equal(f.result.n_skipped, 1);
	assert_int_equal(f.result.n_run, 3);
	assert_true(fake_exists(&f, "out/linux-x86_64/zoo"));
	assert_false(fake_exists(&f, "out/linux-x86_64/app"));
	/* a failure is never remembered */
	assert_int_equal(fake_build(&f), XB_E_JOB);
	assert_string_equal(xb_str_get(&f.output), "src/a.c: error: broken\n");
	assert_int_equal(f.result.n_current, 3);
	/* nor is a success without the dependency file that was asked for */
	fake_write(&f, "src/a.c", "#embed lost\n");
	assert_int_equal(fake_build(&f), XB_E_JOB);
	assert_non_null(strstr(xb_str_get(&f.output), "src/a.c: error: a file that an #embed names was not found"));
	assert_int_equal(f.result.n_failed, 1);
	fake_write(&f, "src/a.c", "fixed\n");
	assert_build(&f, 2, 0, 3);
	fake_close(&f);
}

/* The words of a full disk count where a tool says them of itself, not where a source has them; both are shown. */
static void test_full_disk(void **state)
{
	static const struct {
		const char *text, *shown;
		int code;
	} cases[] = {
		{"#say LLVM ERROR: IO failure on output stream: No space left on device\n", NULL, XB_E_SYSTEM},
		{"#say error: unable to open output file 'x': 'No space left on device'\n#say 1 error generated.\n",
		 NULL, XB_E_SYSTEM},
		{"#say a.c:9:1: error: broken\n#say fatal error: error in backend: No space left on device\n"
		 "#say PLEASE submit a bug report\n#say Stack dump:\n",
		 "a.c:9:1: error: broken\nfatal error: error in backend: No space left on device\n", XB_E_SYSTEM},
		{"#say a.c:3:2: error: No space left on device\n", NULL, XB_E_JOB},
		{"#say <inline asm>:1:2: error: x: 'No space left on device'\n", NULL, XB_E_JOB},
		{"#say error: x: No space left on device\n#say \t   3 | #error x: No space left on device\n", NULL,
		 XB_E_JOB},
		{"#say a.c:3:2: error: broken\n#say puts(\"error: No space left on device\"); x\n#say PLEASE submit\n",
		 NULL, XB_E_JOB},
		{"#say a.c:3: No space left on device\n", NULL, XB_E_JOB},
	};
	struct fake f;

	(void)state;
	open_app(&f);
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_str shown XB_CLEANUP(xb_str_release) = {0};

		for (const char *c = cases[i].text; *c; c += strcspn(c, "\n") + 1)
			xb_str_append_n(&shown, c + strlen("#say "), strcspn(c, "\n") + 1 - strlen("#say "));
		fake_write(&f, "src/a.c", cases[i].text);
		assert_int_equal(fake_build(&f), cases[i].code);
		assert_string_equal(xb_str_get(&f.output), cases[i].shown ? cases[i].shown : xb_str_get(&shown));
		if (cases[i].code == XB_E_SYSTEM)
			assert_has(f.err.msg, "clang cannot write below");
	}
	fake_close(&f);
}

static void test_stops_at_first_failure(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	fake_write(&f, "src/a.c", "#error broken\n");
	f.options.jobs = 1;
	assert_int_equal(fake_build(&f), XB_E_JOB);
	assert_string_equal(xb_str_get(&f.jobs), "CC src/a.c\n");
	fake_close(&f);
}

static void test_foreign_file_is_refused(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	fake_write(&f, "src/a.c", "#read /etc/passwd\na\n");
	assert_int_equal(fake_build(&f), XB_E_VERIFY);
	assert_has(f.err.msg, "'src/a.c'");
	assert_has(f.err.msg, "'/etc/passwd'");
	assert_non_null(f.err.hint);
	assert_false(fake_exists(&f, "out/linux-x86_64/app"));

	/* the same when what it found there does not compile */
	fake_write(&f, "src/a.c", "#read /etc/passwd\n#error confused\n");
	assert_int_equal(fake_build(&f), XB_E_VERIFY);
	assert_has(f.err.msg, "'/etc/passwd'");
	assert_has(xb_str_get(&f.output), "confused");

	/* a link out of the tree is no way round */
	char *link XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "include/away.h");

	fake_write(&f, "src/a.c", "#include \"away.h\"\na\n");
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(fake_build(&f), XB_E_VERIFY);
	assert_has(f.err.msg, "away.h");

	/* what another step makes counts only as its input */
	fake_write(&f, "out/gen.h", "generated\n");
	fake_write(&f, "src/a.c", "#include \"../out/gen.h\"\na\n");
	assert_int_equal(fake_build(&f), XB_E_VERIFY);
	assert_has(f.err.msg, "out/gen.h");

	/* the sysroot is fine, also by a detour */
	char *detour XB_CLEANUP(xb_free_ptr) = xb_printf("#read %s/usr/../usr/include/x.h\na\n", f.sysroot.dir);
	char *header XB_CLEANUP(xb_free_ptr) = xb_printf("%s/usr/include/x.h", f.sysroot.dir);

	fake_write(&f, "src/a.c", detour);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_fs_copy("/dev/null", header, 0644, &err) == 0 || symlink("/dev/null", header) == 0, 1);
	assert_int_equal(fake_build(&f), 0);
	fake_close(&f);
}

/* The object that the linker reads is not the one that was made. */
static void test_object_replaced_while_linking(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	fake_write(&f, "src/a.c", "replaced at link\n");
	assert_int_equal(fake_build(&f), XB_E_VERIFY);
	assert_has(f.err.msg, "a.c");
	assert_has(f.err.msg, "changed while 'out/linux-x86_64/app'");
	assert_false(fake_exists(&f, "out/linux-x86_64/app"));
	fake_close(&f);
}

static void test_input_that_changes_is_not_cached(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	fake_write(&f, "src/a.c", "#include \"h.h\"\n#append include/h.h\na\n");
	assert_int_equal(fake_build(&f), XB_E_VERIFY);
	assert_has(f.err.msg, "'include/h.h' changed while 'src/a.c'");
	assert_false(fake_exists(&f, "out/linux-x86_64/app"));
	fake_write(&f, "src/a.c", "#include \"h.h\"\na\n");
	assert_int_equal(fake_build(&f), 0);
	char *text = fake_read(&f, "out/linux-x86_64/app");

	assert_has(text, "more\na\n");
	free(text);
	fake_close(&f);
}

/* What was just written and then built is remembered: its content was known before the compiler read it. */
static void test_just_written(void **state)
{
	struct fake f;

	(void)state;
	fake_open(&f);
	fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	for (int i = 0; i < 5; i++) {
		char text[] = "0\n";

		text[0] = (char)('0' + i);
		fake_write(&f, "a.c", text);
		assert_int_equal(fake_build(&f), 0);
		assert_int_equal(f.result.n_run, 2);
		assert_int_equal(fake_build(&f), 0);
		assert_int_equal(f.result.n_current, 2);
	}
	fake_close(&f);
}

static void test_interrupt(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	fake_write(&f, "src/a.c", "#wait never\n");
	fake_write(&f, "src/b.c", "#wait never\n");
	f.interrupt_on_job = true;
	assert_int_equal(fake_build(&f), XB_E_INTERRUPTED);
	assert_false(fake_exists(&f, "out/linux-x86_64/app"));
	f.interrupt_on_job = false;
	f.interrupted = 0;
	write_app(&f);
	assert_build(&f, 3, 0, 0);
	fake_close(&f);
}

static void test_runs_in_parallel(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	/* each waits for a file that the other one writes: one after the other would never end */
	fake_write(&f, "src/a.c", "#append flag-a\n#wait flag-b\na\n");
	fake_write(&f, "src/b.c", "#append flag-b\n#wait flag-a\nb\n");
	f.options.jobs = 2;
	assert_build(&f, 3, 0, 0);
	fake_close(&f);
}

static void test_dry_run(void **state)
{
	struct fake f;

	(void)state;
	open_app(&f);
	f.options.dry_run = true;
	assert_int_equal(fake_build(&f), 0);
	assert_int_equal(f.result.n_would_run, 3);
	assert_string_equal(f.result.would_run[0], "linux-x86_64 CC src/a.c");
	assert_string_equal(f.result.would_run[2], "linux-x86_64 LINK out/linux-x86_64/app");
	assert_false(fake_exists(&f, ".xbuild"));
	assert_false(fake_exists(&f, "out"));
	f.options.dry_run = false;
	assert_build(&f, 3, 0, 0);
	f.options.dry_run = true;
	fake_write(&f, "src/b.c", "B\n");
	assert_int_equal(fake_build(&f), 0);
	assert_int_equal(f.result.n_would_run, 2);
	assert_string_equal(f.result.would_run[0], "linux-x86_64 CC src/b.c");
	fake_close(&f);
}

static void test_assembler(void **state)
{
	struct fake f;

	(void)state;
	fake_open(&f);
	fake_write(&f, "a.S", "#include \"k.h\"\n.incbin \"data.bin\"\n");
	fake_write(&f, "k.h", "constant\n");
	fake_write(&f, "data.bin", "1\n.include NOT_LOOKED_AT\n");
	fake_write(&f, "b.s", " .include \"one.inc\"\n");
	fake_write(&f, "one.inc", " .include \"inc/two.inc\"\n");
	fake_write(&f, "inc/two.inc", "two\n");
	fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "?.?"); /* k.h is no source */
	f.options.jobs = 1;
	assert_build(&f, 4, 0, 0);
	assert_has(xb_str_get(&f.jobs), "CPP a.S\n");
	assert_has(xb_str_get(&f.jobs), "AS .xbuild/obj/linux-x86_64/dev/app/a.S.o\n");
	assert_has(xb_str_get(&f.jobs), "AS b.s\n");
	assert_string_equal(xb_str_get(&f.output), "");
	assert_build(&f, 0, 0, 4);
	fake_write(&f, "data.bin", "2\n"); /* no compiler lists it */
	assert_build(&f, 1, 0, 3);
	assert_string_equal(xb_str_get(&f.jobs), "AS .xbuild/obj/linux-x86_64/dev/app/a.S.o\n");
	fake_write(&f, "inc/two.inc", "changed\n");
	assert_build(&f, 1, 0, 3);
	assert_string_equal(xb_str_get(&f.jobs), "AS b.s\n");
	/* a name that cannot be read: the result is good, but not remembered, and the user is told */
	fake_write(&f, "b.s", " .incbin NAME\n");
	assert_build(&f, 2, 0, 2);
	assert_has(xb_str_get(&f.output), "WARNING 'b.s' names a file in .incbin");
	assert_build(&f, 1, 0, 3);
	/* a source that is a link out of the project */
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "b.s");

	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(fake_build(&f), XB_E_VERIFY);
	fake_close(&f);
}

/* Start files and archives that a link has taken from are known, also for a result that was kept without it. */
static void test_knows_what_was_linked(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	static const char *const names[] = {"crti.o", "libgiven.a", "libleft.a"};
	struct xb_dirs files = {0};
	struct xb_digest program;
	struct fake f;
	uint64_t size;

	(void)state;
	open_app(&f);
	for (size_t i = 0; i < XB_COUNT(names); i++) {
		char *path XB_CLEANUP(xb_free_ptr) =
			xb_printf("%s/usr/lib/%s/%s", f.sysroot.dir, f.target.target->multiarch, names[i]);
		char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(path)));
		FILE *file;

		assert_int_equal(xb_fs_mkdirs(dir, 0755, &f.err), 0);
		file = fopen(path, "w");
		assert_non_null(file);
		fclose(file);
	}
	assert_build(&f, 3, 0, 0);
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "out/linux-x86_64/app");

	assert_int_equal(xb_digest_file(path, &program, &size, &f.err), 0);
	for (int round = 0; round < 2; round++) {
		files.len = 0;
		assert_true(xb_linked_get(f.store, &program, &f.sysroot.digest, &arena, &files));
		assert_int_equal(files.len, 2);
		assert_string_equal(files.items[0], "usr/lib/x86_64-linux-gnu/crti.o");
		assert_string_equal(files.items[1], "usr/lib/x86_64-linux-gnu/libgiven.a");
		if (round)
			break;
		/* the store forgets: nobody minds who does not ask */
		char *actions XB_CLEANUP(xb_free_ptr) = xb_path_join(xb_store_dir(f.store), "actions");

		assert_int_equal(xb_fs_remove(actions, &f.err), 0);
		assert_build(&f, 0, 0, 3);
		files.len = 0;
		assert_false(xb_linked_get(f.store, &program, &f.sysroot.digest, &arena, &files));
		f.options.need_linked = true;
		assert_build(&f, 1, 0, 2);
		assert_build(&f, 0, 0, 3);
	}
	fake_close(&f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builds_once),
		cmocka_unit_test(test_content_decides),
		cmocka_unit_test(test_other_checkout_compiles_nothing),
		cmocka_unit_test(test_damage_is_repaired),
		cmocka_unit_test(test_new_header_shadows),
		cmocka_unit_test(test_libraries),
		cmocka_unit_test(test_split_debug),
		cmocka_unit_test(test_warnings_are_shown_again),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_stops_at_first_failure),
		cmocka_unit_test(test_foreign_file_is_refused),
		cmocka_unit_test(test_object_replaced_while_linking),
		cmocka_unit_test(test_input_that_changes_is_not_cached),
		cmocka_unit_test(test_just_written),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_runs_in_parallel),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_assembler),
		cmocka_unit_test(test_knows_what_was_linked),
	};

	fake_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
