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
#include "xbuild/build/plan.h"

static int plan(struct fake *f, struct xb_graph **out, struct xb_diags *diags)
{
	const struct xb_plan_request request = {
		.setups = &f->setup, .n_setups = 1, .units = f->project.units, .n_units = f->project.n_units};

	xb_err_release(&f->err);
	return xb_plan(&request, out, diags, &f->err);
}

static void test_graph(void **state)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_graph *graph;
	struct xb_unit *app;
	struct fake f;

	(void)state;
	fake_open(&f);
	fake_write(&f, "app/a.c", "");
	fake_write(&f, "app/b.S", "");
	fake_write(&f, "app/c.h", "");
	fake_write(&f, "lib/l.cc", "");
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "app/*");
	fake_dep(&f, app, fake_unit(&f, "lib", XB_UNIT_STATIC, "lib/*"));
	if (plan(&f, &graph, &diags) < 0)
		fail_msg("%s", f.err.msg);
	static const char *const expected[] = {
		"CXX lib/l.cc",
		"AR out/linux-x86_64/liblib.a",
		"CC app/a.c",
		"CPP app/b.S",
		"AS .xbuild/obj/linux-x86_64/dev/app/app/b.S.o",
		"LINK out/linux-x86_64/app",
	};
	assert_int_equal(graph->n_actions, XB_COUNT(expected));
	for (size_t i = 0; i < graph->n_actions; i++) {
		const struct xb_action *action = graph->actions[i];

		assert_string_equal(xb_action_label(action, &graph->arena), expected[i]);
		for (size_t k = 0; k < action->n_inputs; k++) {
			size_t at = 0;

			while (graph->actions[at] != action->inputs[k])
				at++;
			assert_true(at < i);
		}
	}
	/* products in the order of the file, and C++ in a library makes the program a C++ program */
	assert_int_equal(graph->n_products, 2);
	assert_ptr_equal(graph->products[0].unit, app);
	assert_true(graph->products[0].has_cxx);
	assert_true(graph->products[0].requested);
	assert_int_equal(graph->actions[0]->n_users, 1);
	assert_ptr_equal(graph->actions[0]->users[0], graph->actions[1]);
	xb_graph_free(graph);

	struct xb_unit *only[] = {app};
	const struct xb_plan_request request = {.setups = &f.setup, .n_setups = 1, .units = only, .n_units = 1};

	assert_int_equal(xb_plan(&request, &graph, &diags, &f.err), 0);
	assert_int_equal(graph->n_actions, XB_COUNT(expected));
	assert_true(graph->products[0].requested);
	assert_false(graph->products[1].requested);
	xb_graph_free(graph);
	fake_close(&f);
}

static void assert_refused(struct fake *f, const char *part, size_t n_diags)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_graph *graph;

	assert_int_equal(plan(f, &graph, &diags), XB_E_INPUT);
	if (!strstr(f->err.msg, part))
		fail_msg("no '%s' in: %s", part, f->err.msg);
	assert_int_equal(diags.list.len, n_diags);
}

static void test_problems_have_a_place(void **state)
{
	struct xb_place at_dir = {.file = "xbuild.yaml", .line = 9, .col = 5, .len = 5};
	struct xb_place at_modules[] = {at_dir, at_dir};
	const char *dirs[] = {"nodir"}, *modules[] = {"nosuch", "nosuch2"};
	struct xb_unit *app;
	struct fake f;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "src/*.c");
	app->sources.at[0] = (struct xb_place){.file = "xbuild.yaml", .line = 7, .col = 3, .len = 1};
	assert_refused(&f, "xbuild.yaml:7:3: unit 'app': no file matches 'src/*.c'", 1);
	fake_write(&f, "src/x.rs", "");
	app->sources.items[0] = "src/*";
	assert_refused(&f, "source 'src/x.rs' is neither C, C++ nor assembler", 0);
	fake_write(&f, "src/y.cc", "");
	app->sources.items[0] = "src/y.cc";
	f.target.target = xb_target_find(xb_sv("linux-x86_64-musl"));
	assert_refused(&f, "source 'src/y.cc' is C++, and Debian has no C++ library for linux-x86_64-musl", 0);
	f.target.target = xb_target_find(xb_sv("linux-x86_64"));
	app->sources.items[0] = "src/*.h";
	fake_write(&f, "src/x.h", "");
	assert_refused(&f, "unit 'app' has no sources", 0);
	fake_write(&f, "src/x.c", "");
	app->sources.items[0] = "src/x.c";
	app->include = (struct xb_words){.items = dirs, .at = &at_dir, .len = 1};
	assert_refused(&f, "xbuild.yaml:9:5: unit 'app': include: 'nodir' is no directory", 1);
	app->private_include = app->include;
	app->include.len = 0;
	app->private_include.items[0] = "src/x.c";
	assert_refused(&f, "xbuild.yaml:9:5: unit 'app': include: 'src/x.c' is no directory", 1);
	app->private_include.len = 0;
	app->pkg_config = (struct xb_words){.items = modules, .at = at_modules, .len = 2};
	assert_refused(&f, "unit 'app': pkg-config module 'nosuch' is not in the sysroot", 2);
	fake_close(&f);
}

static void test_targets_of_a_unit(void **state)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	const char *elsewhere[] = {"linux-aarch64"};
	struct xb_graph *graph;
	struct xb_unit *app, *lib;
	struct fake f;

	(void)state;
	fake_open(&f);
	fake_write(&f, "a.c", "");
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "a.c");
	lib = fake_unit(&f, "lib", XB_UNIT_STATIC, "a.c");
	lib->targets = (struct xb_words){.items = elsewhere, .len = 1};
	assert_int_equal(plan(&f, &graph, &diags), 0);
	assert_int_equal(graph->n_products, 1);
	xb_graph_free(graph);
	fake_dep(&f, app, lib);
	assert_refused(&f, "needs 'lib', which is not built for linux-x86_64", 0);
	fake_close(&f);
}

static void test_needs_tools(void **state)
{
	struct fake f;
	struct xb_unit *app, *lib, *units[1];

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "a.c");
	lib = fake_unit(&f, "lib", XB_UNIT_STATIC, "a.c");
	units[0] = app;
	assert_false(xb_plan_needs_tools(&f.profile, units, 1));
	fake_dep(&f, app, lib);
	assert_true(xb_plan_needs_tools(&f.profile, units, 1));
	app->n_deps = 0;
	f.profile.debug = XB_DEBUG_SPLIT;
	assert_true(xb_plan_needs_tools(&f.profile, units, 1));
	fake_close(&f);
}

/* Templates differ where any of their parts does, and only then. */
static void test_fingerprints(void **state)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_digest first, second;
	struct xb_graph *graph;
	struct fake f;

	(void)state;
	fake_open(&f);
	fake_write(&f, "a.c", "");
	fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "a.c");
	for (int i = 0; i < 6; i++) {
		if (i == 2)
			f.tools.digest.bytes[1] = 1;
		if (i == 3)
			f.sysroot.digest.bytes[1] = 1;
		if (i == 4)
			f.profile.optimize = XB_OPTIMIZE_SIZE;
		if (i == 5)
			f.setup.jobs = 99; /* no part of it */
		second = first;
		assert_int_equal(plan(&f, &graph, &diags), 0);
		first = graph->actions[0]->variant->fingerprint;
		xb_graph_free(graph);
		if (i > 0)
			assert_int_equal(xb_digest_eq(&first, &second), i == 1 || i == 5);
	}
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_graph),
		cmocka_unit_test(test_problems_have_a_place),
		cmocka_unit_test(test_targets_of_a_unit),
		cmocka_unit_test(test_needs_tools),
		cmocka_unit_test(test_fingerprints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
