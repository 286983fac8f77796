/* SPDX-License-Identifier: Apache-2.0 */
/* The real xbuild-wrap, with scripts for tools that tell what they were given. */
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

#include "xbuild/base/alloc.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/wrapper.h"
#include "xbuild/model/elf.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/proc.h"

#define SCRIPT "#!/bin/sh\nfor word; do echo \"$word\"; done\nenv\n"

struct place {
	char top[64]; /* temporary; has a blank in its name */
	struct xb_arena arena;
	struct xb_tools tools;
	struct xb_sysroot_paths sysroot;
	struct xb_project_target target;
	struct xb_wrapper_spec spec;
	struct xb_err err;
};

static char *at(struct place *p, const char *path)
{
	return xb_arena_printf(&p->arena, "%s/%s", p->top, path);
}

static void put(struct place *p, const char *path, const char *text)
{
	char *full = at(p, path);
	char *dir = xb_arena_strdup(&p->arena, full);

	*strrchr(dir, '/') = 0;
	assert_int_equal(xb_fs_mkdirs(dir, 0755, &p->err), 0);
	assert_int_equal(xb_atomic_file_write(full, text, strlen(text), 0755, 0, &p->err), 0);
}

static int setup(void **state)
{
	struct place *p = xb_alloc(sizeof(*p));

	snprintf(p->top, sizeof(p->top), "/tmp/xb wrapper.XXXXXX");
	assert_non_null(mkdtemp(p->top));
	put(p, "tools/usr/lib/llvm-22/bin/clang", SCRIPT);
	put(p, "tools/usr/lib/llvm-22/bin/ld.lld", SCRIPT);
	put(p, "more/usr/lib/llvm-22/bin/llvm-ar", SCRIPT);
	put(p, "xbuild", SCRIPT);
	p->tools = (struct xb_tools){
		.dir = at(p, "tools"), .extra_dir = at(p, "more"), .bin_dir = "usr/lib/llvm-22/bin", .major = 22};
	p->target.target = xb_target_find(xb_sv("linux-aarch64"));
	p->sysroot = (struct xb_sysroot_paths){
		.target = p->target.target, .dir = at(p, "root"), .gcc_dir = "usr/lib/gcc/aarch64-linux-gnu/12"};
	p->spec = (struct xb_wrapper_spec){.dir = at(p, "sub/wrap"),
					   .program = XB_WRAP,
					   .xbuild = at(p, "xbuild"),
					   .tools = &p->tools,
					   .sysroot = &p->sysroot,
					   .target = &p->target};
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	assert_int_equal(xb_fs_remove(p->top, &p->err), 0);
	xb_err_release(&p->err);
	xb_arena_release(&p->arena);
	free(p);
	return 0;
}

static void make(struct place *p)
{
	if (xb_wrapper_make(&p->spec, &p->err) < 0)
		fail_msg("%s", p->err.msg);
}

/* Text with the temporary directory as "@" and NULs as new lines. */
static const char *plain(struct place *p, const char *bytes, size_t len)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	const size_t n = strlen(p->top);

	for (size_t i = 0; i < len; i++) {
		if (i + n <= len && !memcmp(bytes + i, p->top, n)) {
			xb_str_append_char(&out, '@');
			i += n - 1;
		} else {
			xb_str_append_char(&out, bytes[i] ? bytes[i] : '\n');
		}
	}
	return xb_arena_strdup(&p->arena, xb_str_get(&out));
}

static const char *content(struct place *p, const char *path)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(at(p, path), 1 << 20, &text, &p->err) < 0)
		fail_msg("%s", p->err.msg);
	return plain(p, xb_str_get(&text), text.len);
}

/* What the tool behind bin/aarch64-linux-gnu-<tool> tells. */
static const char *run(struct place *p, const char *tool, const char *const *words, const char *const *env)
{
	static const char *const no_env[] = {NULL};
	struct xb_proc_result result = {0};
	struct xb_proc_spec spec = {.env = env ? env : no_env, .cwd = "/tmp"};
	XB_VEC(const char *) argv = {0};
	struct xb_procs *procs = xb_procs_new();
	void *user = NULL;
	const char *out;

	XB_VEC_PUSH(&argv, xb_wrapper_tool(&p->spec, tool, &p->arena));
	for (; *words; words++)
		XB_VEC_PUSH(&argv, *words);
	XB_VEC_PUSH(&argv, NULL);
	spec.argv = argv.items;
	if (xb_procs_start(procs, &spec, NULL, &p->err) < 0 ||
	    xb_procs_wait(procs, -1, NULL, &user, &result, &p->err) < 0)
		fail_msg("%s", p->err.msg);
	xb_procs_free(procs);
	assert_int_equal(result.exit_code, 0);
	out = plain(p, xb_str_get(&result.output), result.output.len);
	xb_proc_result_release(&result);
	XB_VEC_RELEASE(&argv);
	return out;
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

#define FLAGS                                                                                                          \
	"-resource-dir=@/tools/usr/lib/llvm-22/lib/clang/22\n"                                                         \
	"-no-canonical-prefixes\n--no-default-config\n--target=aarch64-linux-gnu\n--sysroot=@/root\n"                  \
	"--gcc-install-dir=@/root/usr/lib/gcc/aarch64-linux-gnu/12\n"
#define MAPS   "-ffile-prefix-map=@/root=/sysroot\n-ffile-prefix-map=@/tools=/toolchain\n"
#define LINKER "--start-no-unused-arguments\n-fuse-ld=lld\n--ld-path=@/sub/wrap/bin/aarch64-linux-gnu-ld.lld\n"
#define LINK   LINKER "-Wl,--build-id=sha1,-z,relro,-z,now,-z,noexecstack\n"
#define END    "--end-no-unused-arguments\n"

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not there: %s\nin: %s", part, text);
}

static void assert_begins(const char *text, const char *begin)
{
	if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("expected: %s\nfound: %s", begin, text);
}

static void test_compiler(void **state)
{
	struct place *p = *state;
	const char *out;

	make(p);
	out = run(p, "clang", LIST("-c", "a b.c", "-fuse-ld=gold", "-o", "x"), NULL);
	assert_begins(out, FLAGS MAPS LINK END "-c\na b.c\n-o\nx\n");
	out = run(p, "g++", LIST("-lz"), NULL);
	assert_begins(out, "--driver-mode=g++\n" FLAGS MAPS LINK END "-lz\n");
	/* nothing to do: no word makes it a link */
	out = run(p, "g++", LIST("-v"), NULL);
	assert_begins(out, "--driver-mode=g++\n" FLAGS LINKER END "-v\n");
	assert_begins(run(p, "clang", LIST("-"), NULL), FLAGS MAPS LINK END "-\n");
	/* nor where headers are precompiled */
	assert_begins(run(p, "clang", LIST("a b.h", "-o", "x.c"), NULL), FLAGS MAPS LINKER END "a b.h\n");
	assert_begins(run(p, "clang", LIST("-xc-header", "y"), NULL), FLAGS MAPS LINKER END "-xc-header\n");
	assert_begins(run(p, "clang", LIST("-x", "c++-header", "-", "-include", "z"), NULL),
		      FLAGS MAPS LINKER END "-x\n");
	assert_begins(run(p, "clang", LIST("-include", "a.h", "b.c"), NULL), FLAGS MAPS LINK END "-include\n");
	assert_begins(run(p, "clang", LIST("a.h", "b.c"), NULL), FLAGS MAPS LINK END "a.h\n");
	assert_begins(run(p, "clang", LIST("-x", "c-header", "a", "-x", "none", "b"), NULL),
		      FLAGS MAPS LINK END "-x\n");
	assert_begins(run(p, "clang", LIST("-Wl,--version"), NULL), FLAGS MAPS LINK END "-Wl,--version\n");
	assert_begins(run(p, "cpp", LIST("x"), NULL), "--driver-mode=cpp\n" FLAGS);
	/* everything that can be in a specification */
	p->spec.project_dir = "/p q";
	p->spec.prefixes = LIST("/s 1", "/s2");
	p->target.cpu = "cortex-a72";
	make(p);
	out = run(p, "cc", LIST("x"), NULL);
	assert_begins(out, FLAGS "-ffile-prefix-map=/p q=.\n" MAPS "-mcpu=cortex-a72\n" LINK
				 "-isystem/s 1/usr/include\n-L/s 1/usr/lib/aarch64-linux-gnu\n-L/s 1/usr/lib\n"
				 "-isystem/s2/usr/include\n-L/s2/usr/lib/aarch64-linux-gnu\n-L/s2/usr/lib\n" END "x\n");
	out = run(p, "pkg-config", LIST("--cflags", "z"), NULL);
	assert_begins(out, "pkg-config\n--sysroot\n@/root\n--target\nlinux-aarch64\n--prefix\n/s 1\n--prefix\n/s2\n--\n"
			   "--cflags\nz\n");
}

#define SCRIPT_NAME "target/release/build/libc-0123/build_script_build-4567"

/* What Cargo runs while it builds is given the sysroot's loader and libraries, and nothing else is. */
static void test_build_script(void **state)
{
	static const char *const others[] = {"target/release/deps/build_script_build-4567",
					     "target/release/build/libc-0123/other-4567",
					     "build_script_build",
					     "build/build_script_build",
					     "/tmp/rustdoctest/x/rust_out",
					     "/tmp/rustdoctestAbC/rust_out.o"};
	struct place *p = *state;

	/* a sysroot without a loader */
	make(p);
	assert_begins(run(p, "clang", LIST("x.o", "-o", SCRIPT_NAME), NULL), FLAGS MAPS LINK END "x.o\n");
	put(p, "root/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1", "");
	p->spec.dir = at(p, "sub/wrap2");
	make(p);
	assert_has(run(p, "clang", LIST("-o", "/tmp/rustdoctestAbC/rust_out", "x.o"), NULL), END "-Xlinker\n");
	assert_has(run(p, "clang", LIST("x.o", "-o", SCRIPT_NAME), NULL),
		   END "-Xlinker\n--dynamic-linker=@/root/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1\n"
		       "-Xlinker\n--rpath=@/root/usr/lib/aarch64-linux-gnu:@/root/lib/aarch64-linux-gnu:"
		       "@/root/usr/lib:@/root/lib\n"
		       "-Xlinker\n--disable-new-dtags\nx.o\n-o\n");
	for (size_t i = 0; i < XB_COUNT(others); i++)
		assert_has(run(p, "clang", LIST("x.o", "-o", others[i]), NULL), END "x.o\n-o\n");
}

/* The compiler starts itself again with all words in place; also when they are so many that they stand in a file. */
static void test_second_stage(void **state)
{
	struct place *p = *state;
	char *file = xb_arena_printf(&p->arena, "@%s", at(p, "words"));

	make(p);
	assert_begins(run(p, "clang", LIST("-cc1", "-fuse-ld=x"), NULL), "-cc1\n");
	assert_begins(run(p, "clang", LIST("-cc1as", "x"), NULL), "-cc1as\nx\n");
	put(p, "words", "\"-cc1\" \"-triple\"");
	assert_begins(run(p, "clang", LIST(file), NULL), "@@/words\n");
	put(p, "words", "-c x.c");
	assert_begins(run(p, "clang", LIST(file), NULL), FLAGS);
}

static void test_environment(void **state)
{
	struct place *p = *state;
	const char *out;

	make(p);
	out = run(p, "clang", LIST("x"),
		  LIST("CPATH=/h", "LIBRARY_PATH=/h", "SDKROOT=/h", "LD_LIBRARY_PATH=/h", "CCC_OVERRIDE_OPTIONS=x-Wall",
		       "SOURCE_DATE_EPOCH=7"));
	assert_null(strstr(out, "/h"));
	assert_null(strstr(out, "OVERRIDE"));
	assert_has(out, "SOURCE_DATE_EPOCH=7\n");
	out = run(p, "ar", LIST("rc"), LIST("LD_LIBRARY_PATH=/h"));
	assert_begins(out, "rc\n");
	assert_null(strstr(out, "/h"));
}

/* With a loader the name of the wrapper is told to the program, which starts itself again by it. */
static void test_loader(void **state)
{
	struct place *p = *state;

	p->tools.loader = "lib/ld.so";
	p->tools.library_path = "usr/lib";
	p->tools.emulator = NULL;
	make(p);
	assert_begins(content(p, "sub/wrap/conf/aarch64-linux-gnu-gcc"),
		      "X@/tools/lib/ld.so\nL@/tools/lib/ld.so\nL--library-path\nL@/tools/usr/lib\nL--argv0\n"
		      "L@/sub/wrap/bin/aarch64-linux-gnu-clang\nL@/tools/usr/lib/llvm-22/bin/clang\nUCPATH\n");
	assert_begins(content(p, "sub/wrap/conf/aarch64-linux-gnu-ar"),
		      "X@/tools/lib/ld.so\nL@/tools/lib/ld.so\nL--library-path\nL@/tools/usr/lib\nL--argv0\n"
		      "L@/more/usr/lib/llvm-22/bin/llvm-ar\nL@/more/usr/lib/llvm-22/bin/llvm-ar\nU");
	assert_string_equal(content(p, "sub/wrap/conf/aarch64-linux-gnu-gcc-ar"),
			    content(p, "sub/wrap/conf/aarch64-linux-gnu-ar"));
	p->tools.loader = NULL;
	make(p);
	assert_begins(content(p, "sub/wrap/conf/aarch64-linux-gnu-c++"),
		      "X@/tools/usr/lib/llvm-22/bin/clang\nL@/sub/wrap/bin/aarch64-linux-gnu-clang++\nU");
}

/* musl's and GCC's directories by name, and the oldest CPU where clang's own choice would depend on its build. */
static void test_other_targets(void **state)
{
	struct place *p = *state;
	const char *text;

	p->sysroot.target = p->target.target = xb_target_find(xb_sv("linux-aarch64-musl"));
	make(p);
	text = content(p, "sub/wrap/conf/aarch64-linux-musl-gcc");
	assert_has(text, "F-nostdlibinc\nF-isystem@/root/usr/include/aarch64-linux-musl\n");
	assert_has(text, "F-B@/root/usr/lib/aarch64-linux-musl\nF-L@/root/usr/lib/aarch64-linux-musl\n"
			 "F-B@/root/usr/lib/gcc/aarch64-linux-gnu/12\nF-L@/root/usr/lib/gcc/aarch64-linux-gnu/12\n"
			 "F-static-libgcc\nF--end-no-unused-arguments\n");
	p->sysroot.target = p->target.target = xb_target_find(xb_sv("linux-armv7"));
	p->spec.target = NULL;
	make(p);
	assert_has(content(p, "sub/wrap/conf/armv7-linux-gnueabihf-gcc"), "F-march=armv7-a\nF-mfpu=vfpv3-d16\n");
}

static const char *record(struct place *p, const char *ending)
{
	struct xb_fs_list list = {0};
	const char *found = NULL;

	assert_int_equal(xb_fs_list(at(p, "seen"), &list, &p->err), 0);
	for (size_t i = 0; i < list.len; i++)
		if (strstr(list.items[i].name, ending))
			found = xb_arena_printf(&p->arena, "seen/%s", list.items[i].name);
	xb_fs_list_release(&list);
	return found;
}

static ino_t inode(struct place *p, const char *path)
{
	struct stat st;

	assert_int_equal(stat(at(p, path), &st), 0);
	return st.st_ino;
}

static void test_records(void **state)
{
	struct place *p = *state;
	struct stat st;
	const char *out;

	p->spec.record_dir = at(p, "seen");
	make(p);
	assert_has(run(p, "clang", LIST("x"), NULL), "x\n"); /* no records can be written: the tool runs */
	assert_int_equal(xb_fs_mkdirs(at(p, "seen"), 0755, &p->err), 0);
	out = run(p, "cc", LIST("-c", "a.c"), NULL);
	assert_has(out, "CC_PRINT_HEADERS=1\n");
	assert_has(out, "CC_PRINT_HEADERS_FILE=@/seen/");
	assert_non_null(record(p, ".cmd"));
	assert_string_equal(content(p, record(p, ".cmd")), "/tmp\n@/sub/wrap/bin/aarch64-linux-gnu-cc\n-c\na.c\n");
	assert_int_equal(xb_fs_remove(at(p, record(p, ".cmd")), &p->err), 0);
	out = run(p, "ld.lld", LIST("a.o"), NULL);
	assert_begins(out, "--undefined-version\n--dependency-file=@/seen/");
	assert_has(out, ".libs\na.o\n");
	assert_null(strstr(out, "CC_PRINT_HEADERS"));
	assert_has(content(p, record(p, ".cmd")), "a.o\n");
	assert_int_equal(xb_fs_remove(at(p, record(p, ".cmd")), &p->err), 0);
	/* a list of the caller's own, as CMake's of late: one file, which ninja may remove */
	for (int form = 0; form < 2; form++) {
		const char *own = at(p, "own.d");
		const char *word = xb_arena_printf(&p->arena, "--dependency-file=%s", own);

		assert_int_equal(xb_fs_remove(at(p, "seen"), &p->err), 0);
		assert_int_equal(xb_fs_mkdirs(at(p, "seen"), 0755, &p->err), 0);
		out = form ? run(p, "ld.lld", LIST("-dependency-file", own, "a.o"), NULL)
			   : run(p, "ld.lld", LIST(word, "a.o"), NULL);
		assert_null(strstr(out, "own.d"));
		assert_has(out, ".libs\na.o\n");
		assert_true(inode(p, "own.d") == inode(p, record(p, ".libs")));
	}
	/* what is no file of the caller's own stays what it is: /dev/null */
	assert_int_equal(mkfifo(at(p, "pipe"), 0600), 0);
	assert_has(run(p, "ld.lld", LIST("--dependency-file", at(p, "pipe")), NULL), "--dependency-file\n@/pipe\n");
	assert_true(stat(at(p, "pipe"), &st) == 0 && S_ISFIFO(st.st_mode));
	assert_int_equal(xb_fs_remove(at(p, "seen"), &p->err), 0);
	assert_int_equal(xb_fs_mkdirs(at(p, "seen"), 0755, &p->err), 0);
	assert_has(run(p, "ld.lld", LIST("--dependency-file=/nowhere/own.d"), NULL), "/nowhere/own.d");
	assert_int_equal(xb_fs_remove(at(p, record(p, ".cmd")), &p->err), 0);
	assert_begins(run(p, "cc", LIST("-cc1"), NULL), "-cc1\n");
	run(p, "ar", LIST("t"), NULL);
	assert_null(record(p, ".cmd"));
}

/* The ID of what a link has made, also under a name with a blank; none of what is no program. */
static void test_results(void **state)
{
	struct place *p = *state;
	const char *script =
		"#!/bin/sh\nfor word; do\ncase $word in --dependency-file=*) deps=${word#*=} ;; esac\nout=$word\ndone\n"
		"case $out in *.o) echo >\"$out\" ;; *) cp '" XB_WRAP "' \"$out\" ;; esac\n"
		"printf '%s: \\\\\\n  a.o\\n' \"$out\" >\"$deps\"\n";
	struct xb_elf *elf = NULL;

	put(p, "tools/usr/lib/llvm-22/bin/ld.lld", script);
	p->spec.record_dir = at(p, "seen");
	make(p);
	assert_int_equal(xb_fs_mkdirs(at(p, "seen"), 0755, &p->err), 0);
	run(p, "ld.lld", LIST("-o", at(p, "some.o")), NULL);
	assert_non_null(record(p, ".libs"));
	assert_null(record(p, ".id"));
	run(p, "ld.lld", LIST("-o", at(p, "a program")), NULL);
	assert_int_equal(xb_elf_read(XB_WRAP, XB_WRAP, 0, &elf, &p->err), 1);
	assert_non_null(record(p, ".id"));
	assert_string_equal(content(p, record(p, ".id")),
			    xb_arena_printf(&p->arena, "%s\n", elf->build_id ? elf->build_id : "none"));
	xb_elf_free(elf);
}

static void test_again(void **state)
{
	struct place *p = *state;
	struct xb_digest before, after;
	ino_t first;

	make(p);
	first = inode(p, "sub/wrap/stamp");
	assert_int_equal(inode(p, "sub/wrap/bin/aarch64-linux-gnu-cc"), inode(p, "sub/wrap/bin/aarch64-linux-gnu-ar"));
	assert_int_equal(xb_wrapper_digest(&p->spec, &before, &p->err), 0);
	make(p);
	assert_int_equal(inode(p, "sub/wrap/stamp"), first);
	/* without the further tools those names are not there */
	p->tools.extra_dir = NULL;
	make(p);
	assert_int_not_equal(inode(p, "sub/wrap/stamp"), first);
	assert_true(xb_fs_exists(at(p, "sub/wrap/bin/aarch64-linux-gnu-clang")));
	assert_false(xb_fs_exists(at(p, "sub/wrap/bin/aarch64-linux-gnu-ar")));
	assert_int_equal(xb_wrapper_digest(&p->spec, &after, &p->err), 0);
	assert_false(xb_digest_eq(&before, &after));
	/* where they are is not what they say */
	p->tools.extra_dir = at(p, "more");
	p->spec.dir = at(p, "elsewhere");
	assert_int_equal(xb_wrapper_digest(&p->spec, &after, &p->err), 0);
	assert_true(xb_digest_eq(&before, &after));
	/* nothing is left beside it */
	struct xb_fs_list list = {0};
	assert_int_equal(xb_fs_list(at(p, "sub"), &list, &p->err), 0);
	assert_int_equal(list.len, 1);
	xb_fs_list_release(&list);
}

/* env(1) starts what it is given, as an emulator does: from scripts, with the words where they belong. */
static void test_emulator(void **state)
{
	struct place *p = *state;
	const char *const env[] = {"CPATH=/x", NULL};
	const char *out;

	p->tools.emulator = "/usr/bin/env";
	make(p);
	assert_begins(content(p, "sub/wrap/bin/aarch64-linux-gnu-clang"),
		      "#!/usr/bin/env @/sub/wrap/run/aarch64-linux-gnu-clang\n");
	out = run(p, "clang", (const char *const[]){"-c", "a b.c", NULL}, env);
	assert_has(out, "--target=aarch64-linux-gnu\n");
	assert_has(out, "\n-c\na b.c\n");
	assert_null(strstr(out, "/bin/aarch64-linux-gnu-clang\n-c"));
	assert_null(strstr(out, "CPATH"));
	out = run(p, "clang", (const char *const[]){"-cc1", "-x", NULL}, NULL);
	assert_begins(out, "-cc1\n-x\n");
	out = run(p, "ar", (const char *const[]){"rcs", "x.a", NULL}, NULL);
	assert_begins(out, "rcs\nx.a\n");
	out = run(p, "pkg-config", (const char *const[]){"--libs", "zlib", NULL}, NULL);
	assert_begins(out, "pkg-config\n");
	assert_has(out, "--\n--libs\nzlib\n");

	p->tools.emulator = "/an emu/lator";
	p->spec.dir = at(p, "other");
	assert_int_equal(xb_wrapper_make(&p->spec, &p->err), XB_E_INPUT);
	assert_non_null(strstr(p->err.msg, "an emulator without blanks"));
	xb_err_clear(&p->err);
}

static void test_refused(void **state)
{
	struct place *p = *state;

	make(p);
	p->spec.program = "/there/is/no/such/program";
	assert_int_equal(xb_wrapper_make(&p->spec, &p->err), XB_E_NOT_FOUND);
	assert_has(p->err.msg, "wrappers of linux-aarch64: ");
	assert_true(xb_fs_exists(at(p, "sub/wrap/stamp")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_compiler, setup, teardown),
		cmocka_unit_test_setup_teardown(test_build_script, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_stage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_environment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_results, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_emulator, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
