/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that gcc makes here, each with one thing wrong. The sysroot is this machine itself, so the checks see real
 * libraries; where gcc makes no programs for one of our targets the tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../host_dir.h"
#include "../model/elf_sample.h"
#include "../run_program.h"
#include "../skip.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/base/path.h"
#include "xbuild/build/verify.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/proc.h"

#define PROGRAM "#include <stdio.h>\nint main(void) { return puts(\"x\") < 0; }\n"
#define LIBRARY "int own(void) { return 1; }\n"
#define USER	"int own(void); int main(void) { return own(); }\n"
#define GOOD	"-pie -fPIE -Wl,-z,relro,-z,now -Wl,-z,noexecstack"
#define GOOD_SO "-shared -fPIC -Wl,-z,relro,-z,now -Wl,-soname,libown.so.1"

static char *dir, *gcc;
static const struct xb_target *target, *other;

static char *at(const char *name)
{
	return xb_path_join(dir, name);
}

static void write_file(const char *name, const char *text)
{
	char *path XB_CLEANUP(xb_free_ptr) = at(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Compiles `source` with the words of `options` into <dir>/<name>. */
static void build(const char *name, const char *source, const char *options)
{
	const char *const env[] = {"LC_ALL=C", "PATH=/usr/bin:/bin", NULL};
	const char *argv[24] = {gcc, "-o", name, "source.c", NULL};
	char *words XB_CLEANUP(xb_free_ptr) = xb_strdup(options);
	struct xb_proc_result result XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	size_t n = 4;

	write_file("source.c", source);
	for (char *word = words; word && n < XB_COUNT(argv) - 1;) {
		char *end = strchr(word, ' ');

		if (end)
			*end++ = '\0';
		argv[n++] = word;
		word = end;
	}
	assert_int_equal(run_program(&(struct xb_proc_spec){.argv = argv, .env = env, .cwd = dir}, &result, &err), 0);
	if (result.exit_code != 0)
		fail_msg("gcc %s: %s", options, xb_str_get(&result.output));
}

static struct xb_verify_spec spec_of(const char *path)
{
	return (struct xb_verify_spec){.path = path, .name = "unit", .target = target, .sysroot = "/"};
}

/* Verifies and expects the problems (a NULL-terminated list of parts of them), no more and no fewer. */
static void expect_problems(const struct xb_verify_spec *spec, const char *const *expected)
{
	struct xb_verify_report report XB_CLEANUP(xb_verify_report_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	size_t n = 0;

	assert_int_equal(xb_verify_binary(spec, &report, &err), 0);
	while (expected[n]) {
		if (n >= report.n_problems || !strstr(report.problems[n], expected[n]))
			fail_msg("problem %zu: expected '%s', found '%s'", n, expected[n],
				 n < report.n_problems ? report.problems[n] : "none");
		n++;
	}
	if (report.n_problems != n)
		fail_msg("unexpected: %s", report.problems[n]);
}

/* NONE stands for an empty list: C17 wants at least one argument. */
#define NONE		  NULL
#define EXPECT(spec, ...) expect_problems(spec, (const char *const[]){__VA_ARGS__, NULL})

static void need_gcc(void)
{
	if (!gcc || !target)
		skip_without("gcc, or a target that is this host");
}

static void a_good_program_has_no_problem(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = at("good"), *start XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_verify_report report XB_CLEANUP(xb_verify_report_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_verify_spec spec;

	(void)state;
	need_gcc();
	build("good", PROGRAM, GOOD);
	spec = spec_of(path);
	assert_int_equal(xb_verify_binary(&spec, &report, &err), 0);
	assert_int_equal(report.n_problems, 0);
	start = xb_printf("%s, GLIBC_2.", strchr(target->name, '-') + 1);
	assert_ptr_equal(strstr(report.summary, start), report.summary);
	assert_true(xb_sv_ends(xb_sv(report.summary), ", PIE, RELRO, NX"));
}

static void each_weakness_of_a_program_is_told(void **state)
{
	static const struct {
		const char *options, *expected, *summary;
	} rows[] = {
		{"-no-pie -fno-pie -Wl,-z,now",
		 "expected a position-independent executable (PIE), found a fixed address", ", RELRO, NX"},
		{GOOD " -Wl,-z,execstack", "expected a stack that is not executable (NX), found an executable one",
		 ", PIE, RELRO"},
		{GOOD " -Wl,-z,lazy", "expected full RELRO (-z now), found lazy binding", ", PIE, partial RELRO, NX"},
		{GOOD " -Wl,-z,norelro", "expected read-only relocations (RELRO), found no PT_GNU_RELRO", ", PIE, NX"},
		{GOOD " -Wl,--dynamic-linker=/lib/other.so", ", found /lib/other.so", ", PIE, RELRO, NX"},
		{GOOD " -Wl,-rpath,/opt/lib",
		 "expected RUNPATH to stay below $ORIGIN, found an absolute path: '/opt/lib'", NULL},
		{GOOD " -Wl,--disable-new-dtags,-rpath,/opt/lib", "expected RPATH to stay below $ORIGIN", NULL},
		{GOOD " -Wl,-rpath,$ORIGIN/lib:$ORIGIN/../lib", "a path that leaves $ORIGIN: '$ORIGIN/../lib'", NULL},
		{GOOD " -Wl,-rpath,${ORIGIN}/a/../../lib", "leaves $ORIGIN: '${ORIGIN}/a/../../lib'", NULL},
		{GOOD " -Wl,-rpath,lib", "a path relative to the current directory: 'lib'", NULL},
		{GOOD " -Wl,-rpath,$ORIGINAL", "a path relative to the current directory: '$ORIGINAL'", NULL},
		{GOOD " -Wl,-rpath,$ORIGIN:", "the current directory: ''", NULL},
	};

	(void)state;
	need_gcc();
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		char *path XB_CLEANUP(xb_free_ptr) = at("weak");
		struct xb_verify_report report XB_CLEANUP(xb_verify_report_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_verify_spec spec = spec_of(path);

		build("weak", PROGRAM, rows[i].options);
		EXPECT(&spec, rows[i].expected);
		assert_int_equal(xb_verify_binary(&spec, &report, &err), 0);
		if (rows[i].summary && !xb_sv_ends(xb_sv(report.summary), rows[i].summary))
			fail_msg("%s: '%s'", rows[i].options, report.summary);
	}
}

static void what_the_project_asked_for_is_no_problem(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = at("asked");
	struct xb_verify_spec spec = spec_of(path);

	(void)state;
	need_gcc();
	build("asked", PROGRAM, "-no-pie -fno-pie -Wl,-z,now");
	spec.fixed_address = true;
	EXPECT(&spec, NONE);
	spec.fixed_address = false;
	build("asked", PROGRAM, "-static");
	EXPECT(&spec, NONE);
	build("asked", PROGRAM, "-static-pie -fPIE -Wl,-z,now");
	EXPECT(&spec, NONE);
	build("asked", PROGRAM, GOOD " -Wl,-rpath,$ORIGIN:$ORIGIN/lib:${ORIGIN}/a/../b");
	EXPECT(&spec, NONE);
}

static void a_newer_glibc_than_declared_is_named_with_its_symbol(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = at("floor");
	struct xb_verify_report report XB_CLEANUP(xb_verify_report_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_verify_spec spec = spec_of(path);
	bool named = false;

	(void)state;
	need_gcc();
	build("floor", PROGRAM, GOOD);
	spec.glibc_floor = "99.0";
	EXPECT(&spec, NONE);
	spec.glibc_floor = "2.0";
	assert_int_equal(xb_verify_binary(&spec, &report, &err), 0);
	assert_true(report.n_problems > 0);
	for (size_t i = 0; i < report.n_problems; i++) {
		assert_ptr_equal(strstr(report.problems[i], "expected at most GLIBC_2.0 (glibc-floor), found GLIBC_2."),
				 report.problems[i]);
		named |= strstr(report.problems[i], "of libc.so.6 (needed by __libc_start_main)") != NULL;
	}
	assert_true(named);
}

static void shared_libraries_have_checks_of_their_own(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = at("libown.so");
	struct xb_verify_report report XB_CLEANUP(xb_verify_report_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_verify_spec spec = spec_of(path);

	(void)state;
	need_gcc();
	build("libown.so", LIBRARY, GOOD_SO);
	spec.is_shared = true;
	EXPECT(&spec, NONE);
	spec.soname = "libown.so.1";
	EXPECT(&spec, NONE);
	spec.soname = "libown.so.2";
	EXPECT(&spec, "expected soname libown.so.2, found libown.so.1");
	spec.soname = NULL;
	assert_int_equal(xb_verify_binary(&spec, &report, &err), 0);
	assert_non_null(strstr(report.summary, ", shared"));
	assert_null(strstr(report.summary, "PIE"));

	spec.is_shared = false;
	EXPECT(&spec, "expected an executable, found a shared library");
	build("libown.so", PROGRAM, GOOD);
	spec.is_shared = true;
	EXPECT(&spec, "expected a shared library, found an executable");
	build("libown.so", LIBRARY, "-c");
	EXPECT(&spec, "expected a shared library (type 3), found type 1", "(NX)");
	spec.is_shared = false;
	EXPECT(&spec, "expected an executable (type 2 or 3), found type 1", "(NX)");
	build("libown.so", "int x; __asm__(\".section .text\\n.quad x\\n\");", GOOD_SO " -Wl,-z,notext");
	spec.is_shared = true;
	EXPECT(&spec, "expected no text relocations, found DT_TEXTREL");
}

/* The project's library as it was when the program was linked, and as it is when the program is checked. */
static void libraries_of_the_project_are_known_by_soname(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = at("user"), *library XB_CLEANUP(xb_free_ptr) = at("libown.so");
	const struct xb_verify_library libraries[] = {{"libelse.so", "/nowhere"}, {"libown.so.1", library}};
	struct xb_verify_spec spec = spec_of(path);

	(void)state;
	need_gcc();
	write_file("map", "OWN_1.2 { global: own; local: *; };\n");
	build("libown.so", LIBRARY, GOOD_SO " -Wl,--version-script=map");
	build("user", USER, GOOD " -L. -lown");
	EXPECT(&spec, "expected needed library libown.so.1 in the sysroot or the project, found it in neither");
	const struct xb_verify_library by_link[] = {{"libelse.so", "/nowhere"}, {"libown.so", library}};

	spec.libraries = by_link;
	spec.n_libraries = 2;
	EXPECT(&spec, "expected needed library libown.so.1 by that name, found libown.so, whose soname it is: let "
		      "'outputs' name the file libown.so.1");
	spec.libraries = libraries;
	spec.n_libraries = XB_COUNT(libraries);
	EXPECT(&spec, NONE);

	write_file("map", "OWN_1.1 { global: own; local: *; };\n");
	build("libown.so", LIBRARY, GOOD_SO " -Wl,--version-script=map");
	EXPECT(&spec, "expected libown.so.1 to define OWN_1.2 (needed by own), found at most OWN_1.1");
	build("libown.so", LIBRARY, GOOD_SO);
	EXPECT(&spec, "expected libown.so.1 to define OWN_1.2 (needed by own), found no such version");
	write_file("libown.so", "INPUT(libown.so.1)\n");
	EXPECT(&spec, "expected needed library libown.so.1 to be an ELF file, found another format");
}

/* Stand-ins by soname: which C++ library a program needs is all that counts. */
static void one_cxx_library_in_a_program(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = at("user"), *own XB_CLEANUP(xb_free_ptr) = at("libown.so");
	char *cxx XB_CLEANUP(xb_free_ptr) = at("libllvm.so"), *std XB_CLEANUP(xb_free_ptr) = at("libgnu.so");
	const struct xb_verify_library libraries[] = {
		{"libc++.so.1", cxx}, {"libstdc++.so.6", std}, {"libown.so.1", own}};
	static const char all[] = " -Wl,--no-as-needed -Wl,--allow-shlib-undefined -L. ";
	static const struct {
		const char *program, *library, *problem;
	} rows[] = {
		{"-lown -lllvm", "-lgnu",
		 "expected one C++ library, found libc++.so.1 here and libstdc++.so.6 in libown.so.1"},
		{"-lown -lgnu", "-lllvm",
		 "expected one C++ library, found libstdc++.so.6 here and libc++.so.1 in libown.so.1"},
		{"-lown -lllvm", "-lllvm", NULL},
		{"-lown -lgnu", "-lgnu", NULL},
		{"-lown", "-lllvm", NULL},
		{"-lown -lgnu", "-lc", NULL},
	};
	struct xb_verify_spec spec = spec_of(path);

	(void)state;
	need_gcc();
	spec.libraries = libraries;
	spec.n_libraries = XB_COUNT(libraries);
	build("libllvm.so", "int llvm(void) { return 1; }\n", "-shared -fPIC -Wl,-z,now -Wl,-soname,libc++.so.1");
	build("libgnu.so", "int gnu(void) { return 1; }\n", "-shared -fPIC -Wl,-z,now -Wl,-soname,libstdc++.so.6");
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		char *of_library XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s%s", GOOD_SO, all, rows[i].library);
		char *of_program XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s%s", GOOD, all, rows[i].program);

		build("libown.so", LIBRARY, of_library);
		build("user", USER, of_program);
		EXPECT(&spec, rows[i].problem);
	}
}

static void versions_that_are_no_numbers(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = at("user"), *library XB_CLEANUP(xb_free_ptr) = at("libown.so");
	const struct xb_verify_library libraries[] = {{"libown.so.1", library}};
	struct xb_verify_spec spec = spec_of(path);

	(void)state;
	need_gcc();
	spec.libraries = libraries;
	spec.n_libraries = 1;
	write_file("map", "GLIBC_PRIVATE { global: own; local: *; };\n");
	build("libown.so", LIBRARY, GOOD_SO " -Wl,--version-script=map");
	build("user", USER, GOOD " -L. -lown");
	EXPECT(&spec, "expected no use of glibc's own symbols, found GLIBC_PRIVATE of libown.so.1 (needed by own)");

	write_file("map", "GLIBC_ABI_DT_RELR { global: own; local: *; };\n");
	build("libown.so", LIBRARY, GOOD_SO " -Wl,--version-script=map");
	build("user", USER, GOOD " -L. -lown");
	spec.glibc_floor = "2.36";
	EXPECT(&spec, NONE);
	spec.glibc_floor = "2.35";
	EXPECT(&spec,
	       "expected at most GLIBC_2.35 (glibc-floor), found GLIBC_ABI_DT_RELR of libown.so.1 (needed by own)");
}

static void another_machine_is_the_only_problem(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = at("machine");
	struct xb_verify_spec spec = spec_of(path);

	(void)state;
	need_gcc();
	build("machine", PROGRAM, "-no-pie -fno-pie -Wl,-z,execstack");
	spec.target = other;
	EXPECT(&spec, "expected machine ");
}

static void files_that_are_no_programs(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = at("file"), *missing XB_CLEANUP(xb_free_ptr) = at("missing");
	struct xb_verify_spec spec = spec_of(path);
	struct xb_verify_report report = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	spec.target = xb_target_find(xb_sv("linux-x86_64"));
	write_file("file", "#!/bin/sh\n");
	EXPECT(&spec, "expected an ELF file, found another format");
	write_file("file", "\177ELF\2\1\1");
	EXPECT(&spec, "expected a well-formed ELF file, found: read ELF file 'unit': ");
	spec.path = missing;
	assert_int_equal(xb_verify_binary(&spec, &report, &err), XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "verify 'unit'"));
	assert_null(report.problems);
}

static void write_sample(const char *name, const struct elf_sample *s)
{
	char *path XB_CLEANUP(xb_free_ptr) = at(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(s->bytes, 1, SAMPLE_BYTES, f), SAMPLE_BYTES);
	assert_int_equal(fclose(f), 0);
}

#define INTERPRETER "expected interpreter /lib64/ld-linux-x86-64.so.2, found /lib/ld.so.1"
#define NO_VERSION  "expected libc.so.6 to define GLIBC_2.4 (needed by puts), found no such version"
#define RUNPATH	    "expected RUNPATH to stay below $ORIGIN, found an absolute path: '/opt/lib'"

/*
 * A program and its libraries made by hand, in a sysroot made by hand. The program needs GLIBC_2.4 and, as a weak version,
 * GLIBC_2.34; the libraries define neither.
 */
static void a_program_made_by_hand(void **state)
{
	static const char *const folders[] = {"usr", "usr/lib", "usr/lib/x86_64-linux-gnu", "lib"};
	char *path XB_CLEANUP(xb_free_ptr) = at("hand");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_verify_spec spec = {
		.path = path, .name = "hand", .target = xb_target_find(xb_sv("linux-x86_64")), .sysroot = dir};
	struct elf_sample s;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(folders); i++) {
		char *folder XB_CLEANUP(xb_free_ptr) = at(folders[i]);

		assert_int_equal(xb_fs_mkdirs(folder, 0755, &err), 0);
	}
	sample_make(&s, true, false);
	write_sample("usr/lib/x86_64-linux-gnu/libc.so.6", &s);
	write_sample("lib/libm.so.6", &s);
	write_sample("lib/ibm.so.6", &s);
	write_sample("hand", &s);
	EXPECT(&spec, INTERPRETER, NO_VERSION, RUNPATH);

	put(&s, at_segment(&s, SEG_INTERP, SEG_TYPE), 4, 4);
	write_sample("hand", &s);
	EXPECT(&spec, "expected interpreter /lib64/ld-linux-x86-64.so.2, since it needs libm.so.6, found none",
	       NO_VERSION, RUNPATH);

	sample_make(&s, true, false);
	sample_dynamic(&s, D_NEEDED2, 0x60000000, 0);
	write_sample("hand", &s);
	EXPECT(&spec, INTERPRETER,
	       "expected libc.so.6 among the needed libraries, since GLIBC_2.4 is needed from it, found it missing",
	       RUNPATH);

	/* a name with a slash is a path of the target's machine, not one below the sysroot */
	sample_make(&s, true, false);
	memcpy(strstr((char *)s.bytes + AT_STRINGS + 1, "l") + strlen("libc.so.6") + 1, "/", 1);
	write_sample("hand", &s);
	EXPECT(&spec, INTERPRETER,
	       "expected needed library /ibm.so.6 in the sysroot or the project, found it in neither", NO_VERSION,
	       RUNPATH);

	sample_make(&s, true, false);
	write_sample("hand", &s);
	put(&s, 18, 183, 2);
	write_sample("lib/libm.so.6", &s);
	EXPECT(&spec, INTERPRETER,
	       "expected needed library libm.so.6 for linux-x86_64, found one for machine 183, class 2, flags 0x0",
	       NO_VERSION, RUNPATH);

	/* e_flags of a machine with two ABIs */
	spec.target = xb_target_find(xb_sv("linux-ppc64le"));
	sample_make(&s, true, false);
	put(&s, 18, 21, 2);
	put(&s, 48, 1, 4);
	write_sample("hand", &s);
	EXPECT(&spec, "expected the ABI 0x2 in the flags (mask 0x3), found 0x1");
}

static int set_up(void **state)
{
	struct host_dir host;

	(void)state;
	if (host_dir_open(&host, "verify") < 0)
		return -1;
	target = host.native;
	other = host.foreign;
	dir = host.dir;
	gcc = host.gcc;
	return 0;
}

static int tear_down(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	int rc = xb_fs_remove(dir, &err);

	(void)state;
	free(dir);
	free(gcc);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_program_has_no_problem),
		cmocka_unit_test(each_weakness_of_a_program_is_told),
		cmocka_unit_test(what_the_project_asked_for_is_no_problem),
		cmocka_unit_test(a_newer_glibc_than_declared_is_named_with_its_symbol),
		cmocka_unit_test(shared_libraries_have_checks_of_their_own),
		cmocka_unit_test(libraries_of_the_project_are_known_by_soname),
		cmocka_unit_test(one_cxx_library_in_a_program),
		cmocka_unit_test(versions_that_are_no_numbers),
		cmocka_unit_test(another_machine_is_the_only_problem),
		cmocka_unit_test(files_that_are_no_programs),
		cmocka_unit_test(a_program_made_by_hand),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
