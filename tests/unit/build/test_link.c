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
#include "xbuild/base/str.h"
#include "xbuild/build/link.h"

static struct xb_words words(struct fake *f, const char *const *list)
{
	struct xb_words w = {0};

	while (list[w.len])
		w.len++;
	w.items = xb_arena_array(&f->arena, w.len, sizeof(char *));
	for (size_t i = 0; i < w.len; i++)
		w.items[i] = list[i];
	return w;
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *link_words(struct fake *f, const struct xb_unit *unit, bool cxx, bool strip)
{
	struct xb_argv argv = {.arena = &f->arena};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const char *inputs[] = {"IN"};
	struct xb_command c;
	struct xb_roots roots;

	xb_err_release(&f->err);
	xb_command_init(&c, &f->arena);
	if (xb_link_command(&f->setup, unit, cxx, strip, NULL, &c, &f->err) < 0)
		return NULL;
	xb_roots_canonical(&roots);
	xb_command_argv(&c, &roots,
			&(struct xb_command_files){.output = "O", .depfile = "D", .inputs = inputs, .n_inputs = 1},
			&argv);
	for (size_t i = 0; i < argv.len; i++)
		xb_str_printf(&text, "%s%s", i ? " " : "", argv.items[i]);
	return xb_arena_strdup(&f->arena, xb_str_get(&text));
}

static void assert_link(struct fake *f, const struct xb_unit *unit, bool cxx, bool strip, const char *expected)
{
	const char *text = link_words(f, unit, cxx, strip);

	if (!text)
		fail_msg("%s", f->err.msg);
	assert_string_equal(text, expected);
}

/* What `clang -### --target=... --sysroot=... -fuse-ld=lld` of clang 22 prints, in our order and with our additions. */
#define HEAD                                                                                                           \
	"--sysroot=../sysroot -m elf_x86_64 --hash-style=gnu --build-id=sha1 --eh-frame-hdr -z relro -z now -z "       \
	"noexecstack "
#define FILES "--dependency-file=D -o O "
#define LIB   "../sysroot/usr/lib/x86_64-linux-gnu/"
#define GCC   "../sysroot/usr/lib/gcc/x86_64-linux-gnu/12"
#define DIRS  "-L" GCC " -L../sysroot/usr/lib/x86_64-linux-gnu -L../sysroot/usr/lib "
#define PIE   "-pie -dynamic-linker /lib64/ld-linux-x86-64.so.2 "

static void test_forms(void **state)
{
	struct fake f;
	struct xb_unit *app, *lib;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	lib = fake_unit(&f, "lib", XB_UNIT_SHARED, "*.c");
	lib->soname = "liblib.so.1";
	assert_link(&f, app, false, false,
		    HEAD PIE FILES LIB "Scrt1.o " LIB "crti.o " GCC "/crtbeginS.o " DIRS
				       "IN -lgcc --as-needed -lgcc_s --no-as-needed -lc -lgcc --as-needed -lgcc_s "
				       "--no-as-needed " GCC "/crtendS.o " LIB "crtn.o");
	assert_link(&f, app, true, true,
		    HEAD "-s " PIE FILES LIB "Scrt1.o " LIB "crti.o " GCC "/crtbeginS.o " DIRS
			 "IN -lstdc++ -lm -lgcc_s -lgcc -lc -lgcc_s -lgcc " GCC "/crtendS.o " LIB "crtn.o");
	assert_link(&f, lib, true, false,
		    HEAD "-shared -soname liblib.so.1 " FILES LIB "crti.o " GCC "/crtbeginS.o " DIRS
			 "IN -lstdc++ -lm -lgcc_s -lgcc -lc -lgcc_s -lgcc " GCC "/crtendS.o " LIB "crtn.o");
	app->settings.ldflags = words(&f, LIST("-static"));
	assert_link(&f, app, false, false,
		    HEAD "-static " FILES LIB "crt1.o " LIB "crti.o " GCC "/crtbeginT.o " DIRS
			 "IN --start-group -lgcc -lgcc_eh -lc --end-group " GCC "/crtend.o " LIB "crtn.o");
	app->settings.ldflags = words(&f, LIST("-static-pie"));
	assert_link(&f, app, false, false,
		    HEAD "-static -pie --no-dynamic-linker -z text " FILES LIB "rcrt1.o " LIB "crti.o " GCC
			 "/crtbeginS.o " DIRS "IN --start-group -lgcc -lgcc_eh -lc --end-group " GCC "/crtendS.o " LIB
			 "crtn.o");
	app->settings.ldflags = words(&f, LIST("-no-pie"));
	assert_link(&f, app, false, false,
		    HEAD "-dynamic-linker /lib64/ld-linux-x86-64.so.2 " FILES LIB "crt1.o " LIB "crti.o " GCC
			 "/crtbegin.o " DIRS "IN -lgcc --as-needed -lgcc_s --no-as-needed -lc -lgcc --as-needed "
			 "-lgcc_s --no-as-needed " GCC "/crtend.o " LIB "crtn.o");
	app->settings.ldflags = words(&f, LIST("-nostdlib"));
	assert_link(&f, app, true, false, HEAD PIE FILES DIRS "IN");
	fake_close(&f);
}

static void test_driver_words(void **state)
{
	struct fake f;
	struct xb_unit *app;
	const char *text;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	app->settings.ldflags = words(&f, LIST("-Wl,-z,nodelete", "-lfoo", "-Llibs", "-pthread", "-rdynamic", "-s",
					       "-static-libgcc", "-static-libstdc++"));
	app->settings.libs = words(&f, LIST("m", "dl"));
	text = link_words(&f, app, true, false);
	assert_non_null(strstr(text, " -export-dynamic -s -pie "));
	assert_non_null(strstr(text, " IN -z nodelete -lfoo -Llibs -lm -ldl -Bstatic -lstdc++ -Bdynamic -lm "
				     "-lgcc -lgcc_eh -lpthread -lc -lgcc -lgcc_eh "));
	/* the C++ library alone, by its own key */
	app->settings.ldflags = (struct xb_words){0};
	app->settings.cxx_static_stdlib = true;
	text = link_words(&f, app, true, false);
	assert_non_null(strstr(text, " -Bstatic -lstdc++ -Bdynamic -lm -lgcc_s -lgcc "));
	assert_null(strstr(link_words(&f, app, false, false), "stdc++"));
	/* the other one, inside and beside; what the unit says of this profile comes last */
	f.sysroot.libcxx_dir = "usr/lib/llvm-19/lib";
	app->settings.cxx_stdlib = XB_STDLIB_LIBCXX;
	text = link_words(&f, app, true, false);
	assert_non_null(
		strstr(text, " -Bstatic -L../sysroot/usr/lib/llvm-19/lib -lc++ -lc++abi -Bdynamic -lm -lgcc_s "));
	app->settings.cxx_static_stdlib = false;
	text = link_words(&f, app, true, false);
	assert_non_null(strstr(text, " -ldl -L../sysroot/usr/lib/llvm-19/lib -lc++ -lc++abi -lm "));
	f.profile.settings.cxx_stdlib = XB_STDLIB_LIBSTDCXX;
	assert_non_null(strstr(link_words(&f, app, true, false), " -ldl -lstdc++ -lm "));
	f.profile.settings.cxx_stdlib = XB_STDLIB_UNSAID;
	fake_close(&f);
}

static void test_unknown_words_are_refused(void **state)
{
	static const char *const bad[] = {"-fsanitize=address", "-L/usr/lib", "-L", "foo.o", "-shared", "-Xfoo", "-l"};
	struct fake f;
	struct xb_unit *app;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		app->settings.ldflags = words(&f, LIST(bad[i]));
		assert_null(link_words(&f, app, false, false));
		assert_int_equal(f.err.code, XB_E_INPUT);
		assert_non_null(strstr(f.err.msg, bad[i]));
		assert_non_null(strstr(f.err.msg, "unit 'app'"));
	}
	fake_close(&f);
}

static void test_lto_and_aarch64(void **state)
{
	struct fake f;
	struct xb_unit *app;
	const char *text;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	f.profile.lto = XB_LTO_THIN;
	f.profile.optimize = XB_OPTIMIZE_SPEED;
	text = link_words(&f, app, false, false);
	assert_non_null(strstr(text, " -plugin-opt=mcpu=x86-64 -plugin-opt=O2 -plugin-opt=thinlto IN "));
	assert_null(strstr(text, "--thinlto-jobs")); /* how many threads is no matter of the key */
	f.profile.lto = XB_LTO_FULL;
	f.target.cpu = "x86-64-v3";
	text = link_words(&f, app, false, false);
	assert_non_null(strstr(text, " -plugin-opt=mcpu=x86-64-v3 -plugin-opt=O2 IN "));
	f.target = (struct xb_project_target){.target = xb_target_find(xb_sv("linux-aarch64"))};
	text = link_words(&f, app, false, false);
	assert_non_null(strstr(text, " -m aarch64linux -EL --fix-cortex-a53-843419 "));
	assert_non_null(strstr(text, " -dynamic-linker /lib/ld-linux-aarch64.so.1 "));
	assert_non_null(strstr(text, " -plugin-opt=mcpu=generic -plugin-opt=O2 -plugin-opt=-enable-tlsdesc IN "));
	fake_close(&f);
}

/* As clang 22 -### prints it for each of them. */
static void test_other_machines(void **state)
{
	static const struct {
		const char *target, *words, *loader, *lto;
	} known[] = {
		{"linux-armv7", " -m armelf_linux_eabi -EL -X ", "/lib/ld-linux-armhf.so.3", "generic"},
		{"linux-riscv64", " -m elf64lriscv -X ", "/lib/ld-linux-riscv64-lp64d.so.1", "generic-rv64"},
		{"linux-ppc64le", " -m elf64lppc ", "/lib64/ld64.so.2", "pwr8"},
		{"linux-s390x", " -m elf64_s390 ", "/lib/ld64.so.1", "z196"},
		{"linux-x86", " -m elf_i386 ", "/lib/ld-linux.so.2", "i686"},
	};
	struct fake f;
	struct xb_unit *app;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	f.profile.lto = XB_LTO_THIN;
	for (size_t i = 0; i < XB_COUNT(known); i++) {
		const char *text;

		f.target = (struct xb_project_target){.target = xb_target_find(xb_sv(known[i].target))};
		text = link_words(&f, app, false, false);
		assert_non_null(strstr(text, known[i].words));
		assert_non_null(strstr(text, xb_arena_printf(&f.arena, " -dynamic-linker %s ", known[i].loader)));
		assert_non_null(strstr(text, xb_arena_printf(&f.arena, " -plugin-opt=mcpu=%s ", known[i].lto)));
		app->settings.ldflags = words(&f, LIST("-static-pie"));
		text = link_words(&f, app, false, false);
		assert_int_equal(!text, f.target.target->no_static_pie);
		if (!text)
			assert_non_null(strstr(f.err.msg, known[i].target));
		app->settings.ldflags = words(&f, LIST("-static"));
		assert_non_null(strstr(link_words(&f, app, false, false), "/crtbeginT.o "));
		app->settings.ldflags = (struct xb_words){0};
	}
	fake_close(&f);
}

/* Programs are static-pie with musl's own files and GCC's of the GNU triple; one that loads a library has musl's loader. */
static void test_musl(void **state)
{
#define MUSL "../sysroot/usr/lib/x86_64-linux-musl/"
	struct fake f;
	struct xb_unit *app, *core, *shared;
	const char *text;

	(void)state;
	fake_open(&f);
	f.target = (struct xb_project_target){.target = xb_target_find(xb_sv("linux-x86_64-musl"))};
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	core = fake_unit(&f, "core", XB_UNIT_STATIC, "*.c");
	shared = fake_unit(&f, "shared", XB_UNIT_SHARED, "*.c");
	fake_dep(&f, app, core);
	assert_link(&f, app, false, false,
		    HEAD "-static -pie --no-dynamic-linker -z text " FILES MUSL "rcrt1.o " MUSL "crti.o " GCC
			 "/crtbeginS.o -L" GCC " -L../sysroot/usr/lib/x86_64-linux-musl -L../sysroot/usr/lib "
			 "IN --start-group -lgcc -lgcc_eh -lc --end-group " GCC "/crtendS.o " MUSL "crtn.o");
	app->settings.ldflags = words(&f, LIST("-no-pie"));
	assert_non_null(strstr(link_words(&f, app, false, false), " -static --dependency-file=D "));
	app->settings.ldflags = (struct xb_words){0};
	fake_dep(&f, core, shared);
	text = link_words(&f, app, false, false);
	assert_non_null(strstr(text, " -pie -dynamic-linker /lib/ld-musl-x86_64.so.1 "));
	assert_non_null(strstr(text, " IN -lgcc -lgcc_eh -lc -lgcc -lgcc_eh "));
	text = link_words(&f, shared, false, false);
	assert_non_null(strstr(text, " -shared "));
	assert_null(strstr(text, "gcc_s"));
	fake_close(&f);
}

static void test_static_libraries_hand_on_what_they_need(void **state)
{
	struct fake f;
	struct xb_unit *app, *a, *b, *shared;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	a = fake_unit(&f, "a", XB_UNIT_STATIC, "*.c");
	b = fake_unit(&f, "b", XB_UNIT_STATIC, "*.c");
	shared = fake_unit(&f, "shared", XB_UNIT_SHARED, "*.c");
	a->settings.libs = words(&f, LIST("froma"));
	b->settings.libs = words(&f, LIST("fromb"));
	b->settings.ldflags = words(&f, LIST("-static"));
	shared->settings.libs = words(&f, LIST("hidden"));
	fake_dep(&f, app, a);
	fake_dep(&f, app, shared);
	fake_dep(&f, a, b);
	assert_non_null(strstr(link_words(&f, app, false, false), " IN -lfroma -lfromb -lgcc "));
	fake_close(&f);
}

/* A unit of C that needs another build system's static library, against sysroots with and without the C++ library. */
static void test_what_may_have_cxx(void **state)
{
	static const struct {
		bool none, no_archive, is_static, static_stdlib, told;
	} table[] = {
		{false, false, false, false, true}, {false, false, true, false, true},
		{false, true, false, false, true},  {false, true, true, false, false},
		{false, true, false, true, false},  {true, true, false, false, false},
		{true, true, true, false, false},   {true, true, false, true, false},
	};
	struct xb_foreign foreign = {0};
	struct fake f;
	struct xb_unit *app, *dep;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	dep = fake_unit(&f, "dep", XB_UNIT_EXECUTABLE, "*.c");
	dep->driver = XB_DRIVER_MAKE;
	dep->foreign = &foreign;
	dep->outputs = words(&f, LIST("lib/libdep.so"));
	fake_dep(&f, app, dep);
	assert_null(strstr(link_words(&f, app, false, false), "-lstdc++"));
	dep->outputs = words(&f, LIST("lib/libdep.a"));
	for (size_t i = 0; i < XB_COUNT(table); i++) {
		const char *text;

		f.sysroot.no_libstdcxx = table[i].none;
		f.sysroot.no_libstdcxx_a = table[i].no_archive;
		app->settings.ldflags = table[i].is_static ? words(&f, LIST("-static")) : (struct xb_words){0};
		app->settings.cxx_static_stdlib = table[i].static_stdlib;
		text = link_words(&f, app, false, false);
		if (!strstr(text, "-lstdc++") == table[i].told)
			fail_msg("row %zu: %s", i, text);
	}
	/* a program of C++ needs it, and the linker says what is missing */
	assert_non_null(strstr(link_words(&f, app, true, false), "-lstdc++"));
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_driver_words),
		cmocka_unit_test(test_unknown_words_are_refused),
		cmocka_unit_test(test_lto_and_aarch64),
		cmocka_unit_test(test_other_machines),
		cmocka_unit_test(test_musl),
		cmocka_unit_test(test_static_libraries_hand_on_what_they_need),
		cmocka_unit_test(test_what_may_have_cxx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
