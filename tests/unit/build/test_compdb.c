/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/build/compdb.h"
#include "xbuild/sys/json.h"

/* Plans the project and writes its compile commands; the file parsed. */
static json_t *write_and_read(struct fake *f, struct xb_digest *note)
{
	struct xb_project_target other = *f->setup.target;
	struct xb_sysroot_paths root = *f->setup.sysroot;
	struct xb_setup setups[] = {f->setup, f->setup};
	const struct xb_plan_request request = {
		.setups = setups, .n_setups = 2, .units = f->project.units, .n_units = f->project.n_units};
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(f->project_dir, "compile_commands.json");
	struct xb_graph *graph;
	json_t *list = NULL;

	other.target = xb_target_find(xb_sv("linux-aarch64"));
	root.target = other.target;
	setups[1].target = &other;
	setups[1].sysroot = &root;
	if (xb_plan(&request, &graph, &diags, &f->err) < 0 ||
	    xb_compdb_write(graph, &setups[0], f->project_dir, note, &f->err) < 0 ||
	    xb_json_read(path, 1 << 20, &list, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	xb_graph_free(graph);
	return list;
}

static bool has_word(const json_t *entry, const char *word)
{
	const json_t *words = json_object_get(entry, "arguments");

	for (size_t i = 0; i < json_array_size(words); i++)
		if (!strcmp(json_string_value(json_array_get(words, i)), word))
			return true;
	return false;
}

static void test_entries(void **state)
{
	struct xb_digest note = {{0}};
	struct fake f;
	json_t *list = NULL;

	(void)state;
	fake_open(&f);
	fake_write(&f, "include/a.h", "");
	fake_write(&f, "src/a.c", "");
	fake_write(&f, "src/b.cc", "");
	fake_write(&f, "src/c.S", "");
	fake_write(&f, "src/d.s", "");
	fake_include(&f, fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "src/*"), "include");
	list = write_and_read(&f, &note);
	assert_int_equal(json_array_size(list),
			 3); /* what an assembler file without preprocessing says needs no command */
	const json_t *c = json_array_get(list, 0), *cxx = json_array_get(list, 1);
	char *source XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "src/a.c");
	char *clang XB_CLEANUP(xb_free_ptr) = xb_path_join(f.tools.dir, "bin/clang");
	char *clangxx XB_CLEANUP(xb_free_ptr) = xb_path_join(f.tools.dir, "bin/clang++");
	char *sysroot XB_CLEANUP(xb_free_ptr) = xb_printf("--sysroot=%s", f.sysroot.dir);

	assert_string_equal(json_string_value(json_object_get(c, "directory")), f.project_dir);
	assert_string_equal(json_string_value(json_object_get(c, "file")), source);
	assert_true(has_word(c, clang) && has_word(c, sysroot) && has_word(c, source));
	assert_true(has_word(c, "--target=x86_64-linux-gnu") && has_word(c, "-Iinclude"));
	assert_true(has_word(cxx, clangxx));
	/* an editor must not write files */
	assert_false(has_word(c, "-Xclang") || has_word(c, "-dependency-file") || has_word(c, "-fcolor-diagnostics"));
	json_decref(list);
	fake_close(&f);
}

/* A file that only the second target compiles is there too, and one that both compile is there once. */
static void test_other_target(void **state)
{
	const char *arm[] = {"linux-aarch64"};
	struct xb_digest note = {{0}};
	struct fake f;
	json_t *list;

	(void)state;
	fake_open(&f);
	fake_write(&f, "a.c", "");
	fake_write(&f, "arm.c", "");
	fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "a.c");
	fake_unit(&f, "arm", XB_UNIT_EXECUTABLE, "arm.c")->targets = (struct xb_words){.items = arm, .len = 1};
	list = write_and_read(&f, &note);
	assert_int_equal(json_array_size(list), 2);
	assert_true(has_word(json_array_get(list, 0), "--target=x86_64-linux-gnu"));
	assert_true(has_word(json_array_get(list, 1), "--target=aarch64-linux-gnu"));
	json_decref(list);
	fake_close(&f);
}

static void test_written_only_when_changed(void **state)
{
	struct xb_digest note = {{0}}, before;
	struct stat first, second;
	struct fake f;

	(void)state;
	fake_open(&f);
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "compile_commands.json");

	fake_write(&f, "a.c", "");
	fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	json_decref(write_and_read(&f, &note));
	assert_int_equal(stat(path, &first), 0);
	before = note;
	json_decref(write_and_read(&f, &note));
	note = (struct xb_digest){{0}}; /* the state was lost: composed again, and found equal */
	json_decref(write_and_read(&f, &note));
	assert_int_equal(stat(path, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	assert_true(xb_digest_eq(&before, &note));
	fake_write(&f, "b.c", "");
	json_t *list = write_and_read(&f, &note);

	assert_int_equal(json_array_size(list), 2);
	assert_false(xb_digest_eq(&before, &note));
	json_decref(list);
	assert_int_equal(unlink(path), 0);
	json_decref(write_and_read(&f, &note));
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_entries), cmocka_unit_test(test_other_target),
					   cmocka_unit_test(test_written_only_when_changed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
