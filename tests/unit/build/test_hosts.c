/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that each kind of host would run for each main target, against tests/cases/hosts/<host>-to-<target>.txt. What
 * this host's commands do is tested by running them; for another host, and for macOS above all, it is shown that nothing but
 * the toolchain's place and the way to start its programs differs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/str.h"
#include "xbuild/base/sv.h"
#include "xbuild/build/plan.h"
#include "xbuild/sys/fs.h"

struct host {
	const char *name;
	struct xb_tools tools;
};

/* Debian's packages bring a loader; upstream's archives do not. */
static const struct host hosts[] = {
	{"linux-x86_64",
	 {.dir = "/home/dev/.cache/xbuild/trees/llvm",
	  .bin_dir = "usr/lib/llvm-22/bin",
	  .loader = "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
	  .library_path = "usr/lib/x86_64-linux-gnu:usr/lib/llvm-22/lib",
	  .extra_dir = "/home/dev/.cache/xbuild/trees/tools",
	  .major = 22,
	  .version = "22.1.8"}},
	{"linux-aarch64",
	 {.dir = "/home/dev/.cache/xbuild/trees/llvm",
	  .bin_dir = "usr/lib/llvm-22/bin",
	  .loader = "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
	  .library_path = "usr/lib/aarch64-linux-gnu:usr/lib/llvm-22/lib",
	  .extra_dir = "/home/dev/.cache/xbuild/trees/tools",
	  .major = 22,
	  .version = "22.1.8"}},
	{"darwin-aarch64",
	 {.dir = "/Users/dev/Library/Caches/xbuild/trees/llvm", .bin_dir = "bin", .major = 22, .version = "22.1.8"}},
};

static void replace(struct xb_str *text, const char *from, const char *to)
{
	struct xb_str out = {0};
	const char *rest = xb_str_get(text), *at;

	while ((at = strstr(rest, from))) {
		xb_str_append_sv(&out, (struct xb_sv){rest, (size_t)(at - rest)});
		xb_str_append_sv(&out, xb_sv(to));
		rest = at + strlen(from);
	}
	xb_str_append_sv(&out, xb_sv(rest));
	xb_str_release(text);
	*text = out;
}

/* A program of C and C++ with a static library, and one with libc++ inside, stripped, its debug information beside it: every kind of action. */
static struct xb_graph *planned(struct fake *f)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_graph *graph;
	const struct xb_plan_request request = {
		.setups = &f->setup, .n_setups = 1, .units = f->project.units, .n_units = f->project.n_units};

	if (xb_plan(&request, &graph, &diags, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	return graph;
}

static void open_project(struct fake *f, const char *target)
{
	struct xb_unit *app;

	fake_open(f);
	f->target.target = xb_target_find(xb_sv(target));
	f->sysroot.target = f->target.target;
	f->sysroot.gcc_dir = xb_arena_printf(&f->arena, "usr/lib/gcc/%s/12", f->target.target->triple);
	f->sysroot.gcc_version = "12";
	f->profile = (struct xb_profile){
		.name = "release", .optimize = XB_OPTIMIZE_SPEED, .debug = XB_DEBUG_SPLIT, .strip = true};
	fake_write(f, "main.c", "");
	fake_write(f, "part.cc", "");
	fake_write(f, "lib/core.c", "");
	fake_write(f, "other.cpp", "");
	f->sysroot.libcxx_dir = "usr/lib/llvm-19/lib";
	app = fake_unit(f, "other", XB_UNIT_EXECUTABLE, "*.cpp");
	app->settings.cxx_stdlib = XB_STDLIB_LIBCXX;
	app->settings.cxx_static_stdlib = true;
	app = fake_unit(f, "app", XB_UNIT_EXECUTABLE, "*.c");
	app->sources = (struct xb_words){.items = xb_arena_array(&f->arena, 2, sizeof(char *)), .len = 2};
	app->sources.items[0] = "*.c";
	app->sources.items[1] = "*.cc";
	fake_dep(f, app, fake_unit(f, "core", XB_UNIT_STATIC, "lib/*.c"));
}

/*
 * The commands as `host` would run them, a line each, sysroot and project with names for their places. with_launch: whole; else
 * without what starts a tool, and with a name for the toolchain's place.
 */
static void commands(struct fake *f, const struct host *host, bool with_launch, struct xb_str *out)
{
	struct xb_graph *graph;

	f->tools = host->tools;
	graph = planned(f);
	for (size_t i = 0; i < graph->n_actions; i++) {
		const struct xb_action *action = graph->actions[i];
		struct xb_argv argv = {.arena = &f->arena}, launch = {.arena = &f->arena};
		struct xb_command_files files;
		struct xb_roots roots;

		xb_roots_real(f->project_dir, &f->tools, &f->sysroot, &roots);
		xb_action_files(action, &f->arena, &files);
		xb_command_launch(&f->tools, action->variant->tool, action->variant->extra_tool, &launch);
		if (with_launch)
			xb_command_launch(&f->tools, action->variant->tool, action->variant->extra_tool, &argv);
		else
			xb_argv_push(&argv, action->variant->tool);
		xb_command_argv(&action->variant->command, &roots, &files, &argv);
		xb_command_show(argv.items, out);
		xb_str_append_char(out, '\n');
	}
	xb_graph_free(graph);
	replace(out, f->sysroot.dir, "/SYSROOT");
	replace(out, f->project_dir, "/PROJECT");
	if (with_launch)
		return;
	replace(out, xb_arena_printf(&f->arena, "%s/%s", host->tools.dir, host->tools.bin_dir), "/TOOLCHAIN/bin");
	replace(out, host->tools.dir, "/TOOLCHAIN");
	replace(out, "/TOOLCHAIN/usr/lib/llvm-22", "/TOOLCHAIN");
}

static void test_commands(void **state)
{
	static const char *const pairs[][2] = {{"linux-x86_64", "linux-aarch64"},
					       {"linux-aarch64", "linux-x86_64"},
					       {"darwin-aarch64", "linux-x86_64"},
					       {"darwin-aarch64", "linux-aarch64"}};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(pairs); i++)
		for (size_t h = 0; h < XB_COUNT(hosts); h++) {
			struct xb_str got XB_CLEANUP(xb_str_release) = {0};
			struct xb_str expected XB_CLEANUP(xb_str_release) = {0};
			struct xb_err err XB_CLEANUP(xb_err_release) = {0};
			char *golden XB_CLEANUP(xb_free_ptr) = xb_printf("%s/tests/cases/hosts/%s-to-%s.txt",
									 XB_TEST_SOURCE_DIR, pairs[i][0], pairs[i][1]);
			struct fake f;

			if (strcmp(hosts[h].name, pairs[i][0]) != 0)
				continue;
			open_project(&f, pairs[i][1]);
			commands(&f, &hosts[h], true, &got);
			if (getenv("XB_WRITE_CASES")) {
				FILE *file = fopen(golden, "w");

				assert_non_null(file);
				fputs(xb_str_get(&got), file);
				fclose(file);
			}
			if (xb_fs_read(golden, 1 << 20, &expected, &err) < 0)
				fail_msg("%s; it would be:\n%s", err.msg, xb_str_get(&got));
			assert_string_equal(xb_str_get(&got), xb_str_get(&expected));
			fake_close(&f);
		}
}

/* On every host the same words follow, but for the toolchain's place. */
static void test_hosts_agree(void **state)
{
	static const char *const targets[] = {"linux-x86_64", "linux-aarch64"};

	(void)state;
	for (size_t t = 0; t < XB_COUNT(targets); t++) {
		struct xb_str first XB_CLEANUP(xb_str_release) = {0};
		struct fake f;

		open_project(&f, targets[t]);
		commands(&f, &hosts[0], false, &first);
		assert_non_null(strstr(xb_str_get(&first), "/TOOLCHAIN"));
		for (size_t h = 1; h < XB_COUNT(hosts); h++) {
			struct xb_str other XB_CLEANUP(xb_str_release) = {0};

			commands(&f, &hosts[h], false, &other);
			assert_string_equal(xb_str_get(&other), xb_str_get(&first));
		}
		fake_close(&f);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_commands), cmocka_unit_test(test_hosts_agree)};

	fake_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
