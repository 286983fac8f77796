/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile package may try (names, links, modes), each refused before anything is on disk under its name. */
#include "tree_fixture.h"

#include "xbuild/base/limits.h"

static const struct xb_digest recipe = {.bytes = {0xee}};

/* The parts are refused, at the latest by commit, with a message that holds `text`; no tree appears. */
static void assert_refused(struct fixture *f, const struct item *a, const struct item *b, const char *text)
{
	const struct item *const tables[] = {a, b, NULL};
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	char *trees XB_CLEANUP(xb_free_ptr) = xb_printf("%s/trees", f->store_dir);

	assert_failed(make_tree(f->store, tables, &recipe, &entries, &tree, &f->err), &f->err, XB_E_VERIFY, text);
	assert_int_equal(count_files(trees), 0);
}

static void unsafe_names(void **state)
{
	static const char *const names[] = {
		"../evil",  "a/../../evil", "..", "a/..", "/abs",  "",	"a//b", "a/./b",       "././a",	 "a\nb",
		"a\033[2J", "/.",	    "./", "a///", "//a/b", "/", ".//a", "a/b/../../c", "./../a",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(names); i++) {
		const struct item items[] = {{'f', names[i], "x"}, {0}};
		const struct item link[] = {{'l', names[i], "x"}, {0}};

		assert_refused(f, items, NULL, "package 'p0'");
		assert_refused(f, link, NULL, "package 'p0'");
	}
}

/* Terminals never see the control bytes of a name. */
static void names_in_messages_are_printable(void **state)
{
	static const struct item items[] = {{'d', "a\033[2Jb", NULL}, {0}};
	struct fixture *f = *state;

	assert_refused(f, items, NULL, "'a?[2Jb'");
}

static void too_long_or_deep(void **state)
{
	struct fixture *f = *state;
	char component[XB_MAX_NAME_BYTES + 2] = {0}, deep[2 * XB_MAX_PATH_DEPTH + 2] = {0};
	struct item items[] = {{'f', component, "x"}, {0}};

	memset(component, 'n', XB_MAX_NAME_BYTES + 1);
	assert_refused(f, items, NULL, "unsafe name");
	for (size_t i = 0; i <= XB_MAX_PATH_DEPTH; i++)
		memcpy(deep + 2 * i, "d/", 2);
	deep[2 * XB_MAX_PATH_DEPTH + 1] = '\0';
	items[0].path = deep;
	assert_refused(f, items, NULL, "unsafe name");
}

static void below_a_link(void **state)
{
	static const struct item link[] = {{'l', "d", "usr"}, {0}};
	static const struct item file[] = {{'f', "d/evil", "x"}, {0}};
	static const struct item both[] = {{'l', "d", "usr"}, {'f', "d/evil", "x"}, {0}};
	static const struct item below_file[] = {{'f', "d", "x"}, {'f', "d/e/f", "x"}, {0}};
	struct fixture *f = *state;

	assert_refused(f, both, NULL, "'d/evil': it lies below a symlink");
	assert_refused(f, link, file, "package 'p1': entry 'd/evil': it lies below a symlink");
	assert_refused(f, file, link, "'d/evil': it lies below a symlink");
	assert_refused(f, below_file, NULL, "below a file");
}

static void links_that_leave(void **state)
{
	static const char *const targets[] = {"/etc/passwd", "..", "../x", "a/../../x", "./../b/../..", "/"};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(targets); i++) {
		const struct item items[] = {{'l', "link", targets[i]}, {0}};
		char *deeper XB_CLEANUP(xb_free_ptr) = xb_printf("../%s", targets[i]);
		const struct item below[] = {{'l', "d/link", deeper}, {0}};

		assert_refused(f, items, NULL, "the symlink leaves the tree");
		if (targets[i][0] != '/')
			assert_refused(f, below, NULL, "the symlink leaves the tree");
	}
}

/* Each link alone stays inside as text; together they lead out. */
static void links_that_leave_through_links(void **state)
{
	static const struct item up[] = {{'l', "a/b/c/root", "../../.."}, {'l', "a/b/c/out", "root/../x"}, {0}};
	static const struct item far[] = {{'l', "a/b/c/root", "../../.."}, {'l', "z", "a/b/c/root/a/../.."}, {0}};
	static const struct item chain[] = {{'l', "a/one", "two"}, {'l', "a/two", ".."}, {'l', "y", "a/one/.."}, {0}};
	static const struct item circle[] = {
		{'l', "p", "q/.."}, {'l', "q", "p"}, {'l', "usr/lib", "./../usr/lib64"}, {0}};
	const struct item *const tables[] = {circle, NULL};
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};

	assert_refused(f, up, NULL, "'a/b/c/out': the symlink leaves the tree");
	assert_refused(f, far, NULL, "'z': the symlink leaves the tree");
	assert_refused(f, chain, NULL, "'y': the symlink leaves the tree");
	assert_int_equal(make_tree(f->store, tables, &recipe, &entries, &tree, &f->err), 0);
}

static void bad_targets(void **state)
{
	static const struct item none[] = {{'l', "a", ""}, {0}};
	static const struct item tab[] = {{'l', "a", "b\tc"}, {0}};
	struct fixture *f = *state;

	assert_refused(f, none, NULL, "link target is empty");
	assert_refused(f, tab, NULL, "control bytes");
}

static void hard_links(void **state)
{
	static const struct item absolute[] = {{'h', "a", "/etc/passwd"}, {0}};
	static const struct item up[] = {{'h', "a", "../x"}, {0}};
	static const struct item later[] = {{'h', "a", "b"}, {'f', "b", "x"}, {0}};
	static const struct item self[] = {{'h', "a", "a"}, {0}};
	static const struct item dir[] = {{'d', "d", NULL}, {'h', "a", "d"}, {0}};
	static const struct item link[] = {{'l', "l", "x"}, {'h', "a", "l"}, {0}};
	static const struct item other[] = {{'f', "b", "x"}, {0}};
	static const struct item to_other[] = {{'h', "a", "b"}, {0}};
	const struct item *const tables[] = {absolute, up, later, self, dir, link};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(tables); i++)
		assert_refused(f, tables[i], NULL, "hard link to something that is no earlier file");
	assert_refused(f, other, to_other, "hard link to something that is no earlier file");
}

static void duplicates(void **state)
{
	static const struct item twice[] = {{'f', "a", "x"}, {'f', "./a", "x"}, {0}};
	static const struct item file_link[] = {{'f', "a", "x"}, {'l', "a", "b"}, {0}};
	static const struct item dir_link[] = {{'d', "a", NULL}, {'l', "a/", "b"}, {0}};
	static const struct item x[] = {{'f', "a", "x"}, {0}}, y[] = {{'f', "a", "y"}, {0}};
	static const struct item program[] = {{'x', "a", "x"}, {0}}, dir[] = {{'d', "a", NULL}, {0}};
	static const struct item l1[] = {{'l', "a", "b"}, {0}}, l2[] = {{'l', "a", "c"}, {0}};
	struct fixture *f = *state;

	assert_refused(f, twice, NULL, "package 'p0': entry 'a' comes twice");
	assert_refused(f, file_link, NULL, "comes twice");
	assert_refused(f, dir_link, NULL, "comes twice");
	assert_refused(f, x, y, "packages 'p0' and 'p1' both have 'a', and they differ");
	assert_refused(f, x, program, "they differ");
	assert_refused(f, x, dir, "'a' is a file in package 'p0' and a directory in package 'p1'");
	assert_refused(f, dir, l1, "is a directory in package 'p0' and a symlink in package 'p1'");
	assert_refused(f, l1, l2, "they differ");
}

static void whiteouts(void **state)
{
	static const struct item file[] = {{'f', "usr/.wh.bin", ""}, {0}};
	static const struct item opaque[] = {{'d', ".wh..wh..opq/x", NULL}, {0}};
	struct fixture *f = *state;

	assert_refused(f, file, NULL, "whiteout");
	assert_refused(f, opaque, NULL, "whiteout");
}

/* Set-id bits are dropped, whatever else the mode says; the disk has two modes only. */
static void check_modes(struct fixture *f, bool keeps_set_id)
{
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_tree_stage *stage;
	struct xb_tree_part *part;
	const struct xb_tree_entry *e;

	assert_ok(xb_tree_stage_open(f->store, &stage, &f->err), &f->err);
	if (keeps_set_id)
		xb_tree_stage_for_image(stage);
	part = xb_tree_part_new(stage, "p");
	assert_ok(xb_tree_part_dir(part, "tmp", 07777, 1, 2, &f->err), &f->err);
	assert_ok(xb_tree_part_file_begin(part, "su", 06755, 0, 0, &f->err), &f->err);
	assert_ok(xb_tree_part_file_end(part, &f->err), &f->err);
	assert_ok(xb_tree_part_file_begin(part, "none", 0177000, 0, 0, &f->err), &f->err);
	assert_ok(xb_tree_part_file_end(part, &f->err), &f->err);
	assert_ok(xb_tree_merge(&part, 1, &entries, &f->err), &f->err);
	assert_ok(xb_tree_commit(stage, &entries, &recipe, &tree, &f->err), &f->err);
	xb_tree_part_free(part);
	xb_tree_stage_close(stage);
	xb_tree_entries_release(&entries);
	assert_ok(xb_tree_read(tree.manifest, &tree.digest, &entries, &f->err), &f->err);
	assert_int_equal(xb_tree_entries_find(&entries, "su")->mode, keeps_set_id ? 06755 : 0755);
	assert_int_equal(xb_tree_entries_find(&entries, "none")->mode, keeps_set_id ? 07000 : 0);
	e = xb_tree_entries_find(&entries, "tmp");
	assert_int_equal(e->mode, keeps_set_id ? 07777 : 01777);
	assert_int_equal(e->uid, 1);
	assert_int_equal(e->gid, 2);
	for (size_t i = 0; i < entries.len; i++) {
		static const mode_t expected[] = {S_IFREG | 0444, S_IFREG | 0555, S_IFDIR | 0755}; /* none, su, tmp */
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", tree.dir, entries.items[i].path);
		struct stat st;

		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode, expected[i]);
	}
}

static void modes(void **state)
{
	check_modes(*state, false);
}

/* They are in the manifest alone: no file of the store ever runs as somebody else. */
static void modes_for_images(void **state)
{
	check_modes(*state, true);
}

/* The staging directory holds numbers only, whatever the names in the package are. */
static void stage_holds_numbers(void **state)
{
	static const struct item items[] = {{'f', "-rf", "x"}, {'f', ".xbuild-ok", "y"}, {'f', "a b'\"\\", "z"}, {0}};
	struct fixture *f = *state;
	struct xb_tree_stage *stage;
	struct xb_tree_part *part;

	assert_ok(xb_tree_stage_open(f->store, &stage, &f->err), &f->err);
	part = xb_tree_part_new(stage, "p");
	assert_ok(fill_part(part, items, &f->err), &f->err);
	for (uint32_t i = 0; i < 3; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_tree_staged_path(stage, i);
		char *text XB_CLEANUP(xb_free_ptr) = read_text(path);

		assert_string_equal(text, items[i].text);
	}
	xb_tree_part_free(part);
	xb_tree_stage_close(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unsafe_names),
		TEST(names_in_messages_are_printable),
		TEST(too_long_or_deep),
		TEST(below_a_link),
		TEST(links_that_leave),
		TEST(links_that_leave_through_links),
		TEST(bad_targets),
		TEST(hard_links),
		TEST(duplicates),
		TEST(whiteouts),
		TEST(modes),
		TEST(modes_for_images),
		TEST(stage_holds_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
