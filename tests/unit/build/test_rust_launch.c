/* SPDX-License-Identifier: Apache-2.0 */
/* The launchers of cargo, rustc and rustdoc: started for real, with programs that are scripts. */
#include "../pkg/sample.h"

#include "xbuild/base/path.h"
#include "xbuild/build/rust_launch.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/proc.h"

/* Prints what it was started with. Stands for the loader where there is one. */
static const char script[] =
	"#!/bin/sh\necho \"$0 [$LD_LIBRARY_PATH$RUSTC_BOOTSTRAP]\"\nfor word; do echo \"$word\"; done\n";

struct place {
	char *dir;
	struct xb_arena arena;
	struct xb_err err;
	struct xb_rust_tools rust;
	struct xb_rust_launch launch;
};

static const char *below(struct place *p, const char *path)
{
	return xb_arena_printf(&p->arena, "%s/%s", p->dir, path);
}

static void put(struct place *p, const char *path)
{
	const char *full = below(p, path);
	char *parent XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(full)));

	expect_ok(xb_fs_mkdirs(parent, 0755, &p->err), &p->err);
	expect_ok(xb_atomic_file_write(full, script, strlen(script), 0755, 0, &p->err), &p->err);
}

static int setup(void **state)
{
	struct place *p = xb_alloc(sizeof(*p));

	p->dir = scratch_dir();
	p->rust.tools = (struct xb_tools){.dir = below(p, "tree"), .bin_dir = "usr/bin"};
	put(p, "tree/lib/ld.so");
	put(p, "tree/usr/bin/cargo");
	put(p, "tree/usr/bin/rustc");
	put(p, "tree/usr/bin/rustdoc");
	p->launch = (struct xb_rust_launch){.dir = below(p, "a b/rust"),
					    .program = XB_WRAP,
					    .rust = &p->rust,
					    .linker = "/w/wrap/bin/cc",
					    .project_dir = "/w",
					    .build_dir = "/w/build",
					    .crates_dir = "/store/crates"};
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	scratch_remove(&p->dir);
	xb_arena_release(&p->arena);
	xb_err_release(&p->err);
	free(p);
	return 0;
}

/* What the launcher's program was started with, "<dir>" for the directory. */
static const char *started(struct place *p, const char *name)
{
	const char *const argv[] = {below(p, xb_arena_printf(&p->arena, "a b/rust/bin/%s", name)), "-vV", NULL};
	const char *const env[] = {"LD_LIBRARY_PATH=/elsewhere", "PATH=/usr/bin:/bin", NULL};
	const struct xb_proc_spec spec = {.argv = argv, .env = env};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, out XB_CLEANUP(xb_str_release) = {0};
	struct xb_proc_result result XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_procs *procs = xb_procs_new();
	const char *at, *next;
	void *user;

	expect_ok(xb_procs_start(procs, &spec, NULL, &p->err), &p->err);
	assert_int_equal(xb_procs_wait(procs, -1, NULL, &user, &result, &p->err), 1);
	xb_procs_free(procs);
	xb_str_append(&text, xb_str_get(&result.output));
	for (at = xb_str_get(&text); (next = strstr(at, p->dir)); at = next + strlen(p->dir)) {
		xb_str_append_n(&out, at, (size_t)(next - at));
		xb_str_append(&out, "DIR");
	}
	xb_str_append(&out, at);
	return xb_arena_strdup(&p->arena, xb_str_get(&out));
}

#define MAPS                                                                                                           \
	"--remap-path-prefix=/w=.\n--remap-path-prefix=/store/crates=/crates\n--remap-path-prefix=/w/build=/build\n"

static void through_its_own_loader(void **state)
{
	struct place *p = *state;

	p->rust.tools.loader = "lib/ld.so";
	p->rust.tools.library_path = "lib";
	expect_ok(xb_rust_launch_make(&p->launch, &p->err), &p->err);
	assert_string_equal(started(p, "rustc"), "DIR/tree/lib/ld.so []\n--library-path\nDIR/tree/lib\n--argv0\n"
						 "DIR/a b/rust/bin/rustc\nDIR/tree/usr/bin/rustc\n"
						 "--sysroot\nDIR/tree/usr\n" MAPS "-vV\n");
	/* an unstable option, and a rustc that starts; paths cannot be mapped by it */
	assert_string_equal(started(p, "rustdoc"),
			    "DIR/tree/lib/ld.so [1]\n--library-path\nDIR/tree/lib\n--argv0\n"
			    "DIR/a b/rust/bin/rustdoc\nDIR/tree/usr/bin/rustdoc\n-Zunstable-options\n--test-builder\n"
			    "DIR/a b/rust/bin/rustc\n-C\nlinker=/w/wrap/bin/cc\n-vV\n");
	/* cargo has no such flags */
	assert_string_equal(started(p, "cargo"), "DIR/tree/lib/ld.so []\n--library-path\nDIR/tree/lib\n--argv0\n"
						 "DIR/a b/rust/bin/cargo\nDIR/tree/usr/bin/cargo\n-vV\n");
}

/* Made again it says something else, and the program stays. */
static void the_hosts_own(void **state)
{
	struct place *p = *state;

	p->rust.tools.loader = "lib/ld.so";
	p->rust.tools.library_path = "lib";
	expect_ok(xb_rust_launch_make(&p->launch, &p->err), &p->err);
	p->rust.tools.loader = p->rust.tools.library_path = NULL;
	expect_ok(xb_rust_launch_make(&p->launch, &p->err), &p->err);
	assert_string_equal(started(p, "rustdoc"),
			    "DIR/tree/usr/bin/rustdoc [/elsewhere]\n-C\nlinker=/w/wrap/bin/cc\n-vV\n");
	p->launch.project_dir = p->launch.build_dir = p->launch.crates_dir = NULL;
	expect_ok(xb_rust_launch_make(&p->launch, &p->err), &p->err);
	assert_string_equal(started(p, "rustc"), "DIR/tree/usr/bin/rustc [/elsewhere]\n-vV\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(through_its_own_loader, setup, teardown),
		cmocka_unit_test_setup_teardown(the_hosts_own, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
