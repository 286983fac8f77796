/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_made.h"
#include "xbuild/image/closure.h"

#define LOADER	  "/lib/ld-linux-aarch64.so.1"
#define LIBS	  "usr/lib/aarch64-linux-gnu/"
#define LIBS_ROOT "/usr/lib/aarch64-linux-gnu/"

/* An image in the making: every test starts with a C library that defines two versions, and its loader. */
struct image {
	struct fixture *f;
	struct xb_rootfs rootfs;
	const struct xb_target *target;
	const char *packages; /* that have what lacks */
	int n;
};

static void add_made(struct image *image, const char *path, const struct made_elf *elf)
{
	char *source = xb_printf("%s/%d", image->f->dir, image->n++);

	make_elf(source, elf);
	xb_rootfs_add(&image->rootfs, &(struct xb_rootfs_entry){.path = path,
								.mode = 0755,
								.source = source,
								.size_bytes = MADE_BYTES,
								.origin = "test",
								.layer = XB_LAYER_APPLICATION});
	free(source);
}

static void add_text(struct image *image, const char *path, const char *text, uint32_t mode)
{
	char *source = xb_printf("%s/%d", image->f->dir, image->n++);

	write_text(source, text);
	xb_rootfs_add(&image->rootfs, &(struct xb_rootfs_entry){.path = path,
								.mode = mode,
								.uid = 5,
								.gid = 6,
								.source = source,
								.size_bytes = (int64_t)strlen(text),
								.origin = "test"});
	free(source);
}

static void add_libc(struct image *image)
{
	add_made(image, LIBS "libc.so.6",
		 &(struct made_elf){.soname = "libc.so.6",
				    .needed = {"ld-linux-aarch64.so.1"},
				    .defines = {"GLIBC_2.17", "GLIBC_2.34"}});
	add_made(image, "usr/lib/ld-linux-aarch64.so.1", &(struct made_elf){.soname = "ld-linux-aarch64.so.1"});
}

static struct image begin(void **state)
{
	return (struct image){.f = *state, .target = xb_target_find(xb_sv("linux-aarch64"))};
}

static int check(struct image *image, enum xb_image_base base)
{
	struct xb_lacks lacks XB_CLEANUP(xb_lacks_release) = {0};

	xb_rootfs_merge_usr(&image->rootfs);
	assert_ok(xb_rootfs_finish(&image->rootfs, &image->f->err), &image->f->err);
	assert_ok(xb_closure_find(&image->rootfs, image->target, &lacks, &image->f->err), &image->f->err);
	return xb_closure_refuse(&image->rootfs, &lacks, image->target, base, image->packages, &image->f->err);
}

/* The check fails with this text and hint; the image is released. */
static void assert_lacks(struct image *image, enum xb_image_base base, const char *text, const char *hint)
{
	const int r = check(image, base);

	assert_true(r < 0);
	if (!strstr(image->f->err.hint ? image->f->err.hint : "", hint))
		print_error("hint: %s\n", image->f->err.hint);
	assert_non_null(strstr(image->f->err.hint, hint));
	assert_failed(r, &image->f->err, XB_E_VERIFY, text);
	xb_rootfs_release(&image->rootfs);
}

static void assert_complete(struct image *image)
{
	assert_ok(check(image, XB_BASE_AUTO), &image->f->err);
	xb_rootfs_release(&image->rootfs);
}

static void test_complete(void **state)
{
	struct image image = begin(state);

	add_libc(&image);
	add_made(&image, "usr/bin/app",
		 &(struct made_elf){.interpreter = LOADER,
				    .needed = {"libc.so.6"},
				    .need_library = "libc.so.6",
				    .need_version = "GLIBC_2.34"});
	add_text(&image, "etc/text", "no ELF file", 0644);
	assert_complete(&image);
}

static void test_missing_library(void **state)
{
	struct image image = begin(state);

	add_libc(&image);
	add_made(&image, "usr/bin/app",
		 &(struct made_elf){.interpreter = LOADER, .needed = {"libz.so.1", "libc.so.6"}});
	assert_lacks(&image, XB_BASE_AUTO, "'/usr/bin/app' (test) needs library 'libz.so.1'", "packages:");
}

static void test_missing_library_of_a_library(void **state)
{
	struct image image = begin(state);

	add_libc(&image);
	add_made(&image, "usr/bin/app", &(struct made_elf){.interpreter = LOADER, .needed = {"liba.so"}});
	add_made(&image, "usr/lib/liba.so", &(struct made_elf){.needed = {"libb.so"}});
	assert_lacks(&image, XB_BASE_AUTO, "'/usr/lib/liba.so' (test) needs library 'libb.so'", "");
}

static void test_missing_version(void **state)
{
	struct image image = begin(state);

	add_libc(&image);
	add_made(&image, "usr/bin/app",
		 &(struct made_elf){.interpreter = LOADER,
				    .needed = {"libc.so.6"},
				    .need_library = "libc.so.6",
				    .need_version = "GLIBC_2.38"});
	assert_lacks(&image, XB_BASE_AUTO, "needs version 'GLIBC_2.38' of 'libc.so.6'", "sysroot");
}

static void test_scratch_refuses_dynamic_programs(void **state)
{
	struct image image = begin(state);

	add_made(&image, "usr/bin/app", &(struct made_elf){.interpreter = LOADER, .needed = {"libc.so.6"}});
	assert_lacks(&image, XB_BASE_SCRATCH,
		     "2 things are lacking, the first: '/usr/bin/app' (test) needs the program "
		     "loader '" LOADER "'",
		     "base: auto");
}

static void test_debian_names_packages(void **state)
{
	struct image image = begin(state);

	add_libc(&image);
	add_made(&image, "usr/bin/app", &(struct made_elf){.interpreter = LOADER, .needed = {"libssl.so.3"}});
	image.packages = "libssl3";
	assert_lacks(&image, XB_BASE_DEBIAN, "needs library 'libssl.so.3', which is not in the image",
		     "add 'packages: [libssl3]' to the image and run 'xbuild lock'");
}

/* A plugin of a package that nobody loads may lack what it is not for; a plugin of the project's own may not. */
static void test_plugins_of_packages(void **state)
{
	static const struct made_elf plugin = {.soname = "plugin.so", .needed = {"libc.so.6", "libwallet.so.5"}};
	struct xb_lacks lacks XB_CLEANUP(xb_lacks_release) = {0};
	struct xb_str told XB_CLEANUP(xb_str_release) = {0};
	struct image image = begin(state);

	add_libc(&image);
	add_made(&image, LIBS "svn/plugin.so", &plugin);
	image.rootfs.items[image.rootfs.len - 1].layer = XB_LAYER_PACKAGES;
	assert_ok(check(&image, XB_BASE_DEBIAN), &image.f->err);
	assert_ok(xb_closure_find(&image.rootfs, image.target, &lacks, &image.f->err), &image.f->err);
	xb_closure_tell_optional(&lacks, image.target, &told);
	assert_string_equal(xb_str_get(&told),
			    "'/" LIBS "svn/plugin.so' (test) needs library 'libwallet.so.5', which is "
			    "not in the image; no program of the image loads it");
	add_made(&image, "usr/bin/svn",
		 &(struct made_elf){.interpreter = LOADER, .needed = {LIBS_ROOT "svn/plugin.so"}});
	assert_lacks(&image, XB_BASE_DEBIAN, "svn/plugin.so' (test) needs library 'libwallet.so.5'", "sysroot");

	image = begin(state);
	add_libc(&image);
	add_made(&image, LIBS "svn/plugin.so", &plugin);
	add_made(&image, LIBS "kde/libwallet.so.5", &(struct made_elf){.soname = "libwallet.so.5"});
	assert_lacks(&image, XB_BASE_DEBIAN, "svn/plugin.so' (test) needs library 'libwallet.so.5'",
		     "'/" LIBS "kde/libwallet.so.5' (test) is where no loader looks");
}

static void test_wrong_machine(void **state)
{
	struct image image = begin(state);

	add_libc(&image);
	add_made(&image, "opt/tool", &(struct made_elf){.machine = 62});
	assert_lacks(&image, XB_BASE_AUTO, "'/opt/tool' (test) is no program or library for linux-aarch64", "build:");
}

static void test_runpath_and_origin(void **state)
{
	static const char *const runpaths[] = {"$ORIGIN/../app/lib", "${ORIGIN}/../app/lib", "/usr/app/lib",
					       "/x:/usr/app/lib"};

	for (size_t i = 0; i < XB_COUNT(runpaths); i++) {
		struct image image = begin(state);

		add_libc(&image);
		add_made(&image, "usr/app/lib/libown.so", &(struct made_elf){.soname = "libown.so"});
		add_made(&image, "usr/bin/app",
			 &(struct made_elf){.interpreter = LOADER, .needed = {"libown.so"}, .runpath = runpaths[i]});
		assert_complete(&image);
	}
}

/* DT_RUNPATH is of the object alone, DT_RPATH also of what it loads (ld.so(8)). */
static void test_rpath_is_inherited_runpath_is_not(void **state)
{
	for (int rpath = 0; rpath < 2; rpath++) {
		struct image image = begin(state);
		struct made_elf app = {.interpreter = LOADER, .needed = {"liba.so"}};

		if (rpath)
			app.rpath = "/opt";
		else
			app.runpath = "/opt";
		add_libc(&image);
		add_made(&image, "usr/bin/app", &app);
		add_made(&image, "opt/liba.so", &(struct made_elf){.needed = {"libb.so"}});
		add_made(&image, "opt/libb.so", &(struct made_elf){.soname = "libb.so"});
		if (rpath)
			assert_complete(&image);
		else
			assert_lacks(&image, XB_BASE_AUTO, "'/opt/liba.so' (test) needs library 'libb.so'", "");
	}
}

/* What the program loaded already satisfies its libraries by soname. */
static void test_loaded_by_the_program(void **state)
{
	struct image image = begin(state);

	add_libc(&image);
	add_made(&image, "usr/bin/app",
		 &(struct made_elf){.interpreter = LOADER, .needed = {"liba.so", "libb.so.1"}, .runpath = "/opt"});
	add_made(&image, "opt/liba.so", &(struct made_elf){.needed = {"libb.so.1"}});
	add_made(&image, "opt/libb.so.1", &(struct made_elf){.soname = "libb.so.1"});
	assert_complete(&image);
}

/* A plugin that nothing needs is checked alone. */
static void test_plugin(void **state)
{
	struct image image = begin(state);

	add_libc(&image);
	add_made(&image, LIBS "gconv/X.so", &(struct made_elf){.needed = {"libX.so"}});
	assert_lacks(&image, XB_BASE_AUTO, "gconv/X.so' (test) needs library 'libX.so'", "");
}

static int run_program(void **state, const char *command, uint32_t mode, uint32_t uid, uint32_t gid)
{
	struct image image = begin(state);
	const struct xb_closure_program program = {
		.command = command, .workdir = "/srv", .path = "/nowhere:/usr/bin", .uid = uid, .gid = gid};
	int r;

	add_text(&image, "usr/bin/app", "\177ELF", mode);
	add_text(&image, "srv/run", "\177ELF", mode);
	assert_ok(xb_rootfs_finish(&image.rootfs, &image.f->err), &image.f->err);
	r = xb_closure_check_program(&image.rootfs, &program, &image.f->err);
	xb_rootfs_release(&image.rootfs);
	return r;
}

static void test_program(void **state)
{
	struct fixture *f = *state;

	assert_ok(run_program(state, "/usr/bin/app", 0755, 1, 1), &f->err);
	assert_ok(run_program(state, "app", 0755, 1, 1), &f->err);
	assert_ok(run_program(state, "./run", 0755, 1, 1), &f->err);
	assert_ok(run_program(state, "/usr/bin/app", 0100, 0, 0), &f->err);
	assert_ok(run_program(state, "/usr/bin/app", 0100, 5, 0), &f->err);
	assert_ok(run_program(state, "/usr/bin/app", 0010, 1, 6), &f->err);
	assert_failed(run_program(state, "/usr/bin/app", 0110, 1, 1), &f->err, XB_E_VERIFY, "may not be executed");
	assert_failed(run_program(state, "/usr/bin/app", 0644, 0, 0), &f->err, XB_E_VERIFY, "may not be executed");
	assert_failed(run_program(state, "/usr/bin/ap", 0755, 0, 0), &f->err, XB_E_VERIFY, "not in the image");
	assert_failed(run_program(state, "run", 0755, 0, 0), &f->err, XB_E_VERIFY, "not in the image");
	assert_failed(run_program(state, "/usr/bin", 0755, 0, 0), &f->err, XB_E_VERIFY, "is a directory");
}

/* Runs /usr/bin/app with these bytes, in an image with a few interpreters. */
static int run_script(void **state, const char *text, enum xb_image_base base)
{
	struct image image = begin(state);
	const struct xb_closure_program program = {
		.command = "/usr/bin/app", .workdir = "/srv", .path = "/usr/bin", .uid = 1, .gid = 1, .base = base};
	int r;

	add_text(&image, "usr/bin/app", text, 0755);
	add_text(&image, "bin/sh", "\177ELF", 0755);
	add_text(&image, "srv/data", "", 0644);
	add_text(&image, "bin/locked", "\177ELF", 0700);
	add_text(&image, "usr/bin/env", "\177ELF", 0755);
	add_text(&image, "usr/bin/nested", "#!/bin/sh", 0755);
	add_text(&image, "usr/bin/lame", "#! /bin/nothing\n", 0755);
	add_text(&image, "usr/bin/round", "#!/usr/bin/round\n", 0755);
	assert_ok(xb_rootfs_finish(&image.rootfs, &image.f->err), &image.f->err);
	r = xb_closure_check_program(&image.rootfs, &program, &image.f->err);
	xb_rootfs_release(&image.rootfs);
	return r;
}

static void test_script(void **state)
{
	static const char *const fine[] = {
		"#!/bin/sh\n",
		"#!/bin/sh",
		"#! \t/bin/sh -e -u\nrest",
		"#!../bin/sh\n",
		"#!/usr/bin/env nested\n",
		"#!/usr/bin/env -S A=1 nested -x\n",
		"#!/usr/bin/nested\n",
	};
	static const struct {
		const char *text, *told;
	} wrong[] = {
		{"#!/bin/bash\n", "'/usr/bin/app' (test) needs '/bin/bash', which is not in the image"},
		{"#!/bin/sh\r\n", "needs '/bin/sh\r'"},
		{"#!/usr/bin/env python3\n", "'/usr/bin/app' (test) needs 'python3', which is not in the image"},
		{"#!/usr/bin/env nested -x\n", "needs 'nested -x'"},
		{"#!/usr/bin/lame\n", "'/usr/bin/lame' (test) needs '/bin/nothing'"},
		{"#!/usr/bin/round\n", "run by a script"},
		{"#!/bin/locked\n", "may not execute"},
		{"#!/bin\n", "may not execute"},
		{"#!\n", "names no interpreter"},
		{"echo\n", "exec format error"},
		{"", "exec format error"},
	};
	struct fixture *f = *state;
	char *name = xb_printf("#!/%0300d\n", 1);

	for (size_t i = 0; i < XB_COUNT(fine); i++)
		assert_ok(run_script(state, fine[i], XB_BASE_AUTO), &f->err);
	for (size_t i = 0; i < XB_COUNT(wrong); i++)
		assert_failed(run_script(state, wrong[i].text, XB_BASE_AUTO), &f->err, XB_E_VERIFY, wrong[i].told);
	assert_failed(run_script(state, name, XB_BASE_AUTO), &f->err, XB_E_VERIFY, "within 256 bytes");
	free(name);
	assert_true(run_script(state, "#!/bin/bash\n", XB_BASE_DEBIAN) < 0);
	assert_non_null(strstr(f->err.hint, "'packages: [bash]'"));
	xb_err_clear(&f->err);
	assert_true(run_script(state, "#!/bin/bash\n", XB_BASE_SCRATCH) < 0);
	assert_non_null(strstr(f->err.hint, "'base: { debian: [bash] }'"));
	xb_err_clear(&f->err);
}

static void test_user(void **state)
{
	struct image image = begin(state);
	struct xb_err *err = &image.f->err;

	assert_ok(xb_closure_check_user(&image.rootfs, "any", 9, err), err);
	add_text(&image, "etc/passwd", "root:x:0:0::/:\nparcel:x:10001:1::/:\n", 0644);
	assert_ok(xb_rootfs_finish(&image.rootfs, err), err);
	assert_ok(xb_closure_check_user(&image.rootfs, "parcel", 10001, err), err);
	assert_failed(xb_closure_check_user(&image.rootfs, "parcel", 1, err), err, XB_E_VERIFY, "another uid");
	assert_failed(xb_closure_check_user(&image.rootfs, "parce", 10001, err), err, XB_E_VERIFY, "is not in");
	xb_rootfs_release(&image.rootfs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_complete),
		TEST(test_missing_library),
		TEST(test_missing_library_of_a_library),
		TEST(test_missing_version),
		TEST(test_scratch_refuses_dynamic_programs),
		TEST(test_debian_names_packages),
		TEST(test_plugins_of_packages),
		TEST(test_wrong_machine),
		TEST(test_runpath_and_origin),
		TEST(test_rpath_is_inherited_runpath_is_not),
		TEST(test_loaded_by_the_program),
		TEST(test_plugin),
		TEST(test_program),
		TEST(test_script),
		TEST(test_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
