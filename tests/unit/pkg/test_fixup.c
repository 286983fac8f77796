/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "xbuild/pkg/fixup.h"

/* "d usr/lib", "f usr/lib/x", "l lib/x target"; an optional "@package" at the end says whose it is. */
static void add_line(struct xb_tree_entries *entries, const char *line)
{
	char *copy XB_CLEANUP(xb_free_ptr) = xb_strdup(line);
	struct xb_tree_entry entry = {.mode = 0644, .origin = "p"};
	char *at = strchr(copy, '@'), *target;

	if (at) {
		entry.origin = at + 1;
		at[-1] = '\0';
	}
	entry.path = copy + 2;
	entry.type = copy[0] == 'd' ? XB_TREE_DIR : copy[0] == 'l' ? XB_TREE_SYMLINK : XB_TREE_FILE;
	target = strchr(copy + 2, ' ');
	if (target) {
		*target = '\0';
		entry.target = target + 1;
	}
	/* The content of a file is its package's name: equal only within one package. */
	xb_digest_bytes(entry.origin, strlen(entry.origin), &entry.digest);
	xb_tree_entries_add(entries, &entry);
}

static void fill(struct xb_tree_entries *entries, const char *const *lines)
{
	for (; *lines; lines++)
		add_line(entries, *lines);
	xb_tree_entries_complete(entries);
}

/* Files and links as lines; directories are left out. */
static char *listing(const struct xb_tree_entries *entries)
{
	struct xb_str text = {0};

	xb_str_append(&text, "");
	for (size_t i = 0; i < entries->len; i++) {
		const struct xb_tree_entry *e = &entries->items[i];

		if (e->type != XB_TREE_DIR)
			xb_str_printf(&text, "%s%s%s%s", text.len ? ", " : "", e->path, e->target ? " " : "",
				      e->target ? e->target : "");
	}
	return xb_str_steal(&text);
}

static void merge_table(void **state)
{
	static const struct {
		const char *in[6], *out;
	} rows[] = {
		/* bookworm's libc6 */
		{{"f lib/x86_64-linux-gnu/ld.so.2", "l lib64/ld.so.2 /lib/x86_64-linux-gnu/ld.so.2"},
		 "lib usr/lib, lib64 usr/lib64, usr/lib/x86_64-linux-gnu/ld.so.2, "
		 "usr/lib64/ld.so.2 ../lib/x86_64-linux-gnu/ld.so.2"},
		/* trixie's: nothing below /lib, and yet /lib must be there */
		{{"f usr/lib/t/libc.so.6", "f usr/lib64/ld.so.2"},
		 "lib usr/lib, lib64 usr/lib64, usr/lib/t/libc.so.6, usr/lib64/ld.so.2"},
		/* relative links keep pointing to where they pointed */
		{{"l lib/t/libm.so ../../usr/lib/t/libm.so.6", "f usr/lib/t/libm.so.6",
		  "l usr/lib/t/a ../../../lib/t/b", "f lib/t/b", "l usr/lib/t/c b"},
		 "lib usr/lib, usr/lib/t/a b, usr/lib/t/b, usr/lib/t/c b, usr/lib/t/libm.so libm.so.6, "
		 "usr/lib/t/libm.so.6"},
		/* a link of base-files is made anew; what lies below it moves */
		{{"l lib usr/lib @base-files", "f lib/x", "l bin /usr/bin @base-files", "f bin/sh"},
		 "bin usr/bin, lib usr/lib, usr/bin/sh, usr/lib/x"},
		/* the same file twice */
		{{"f lib/x", "f usr/lib/x"}, "lib usr/lib, usr/lib/x"},
		{{"l lib/x /usr/lib/x", "f usr/lib/x"}, "lib usr/lib, usr/lib/x"},
		/* no directory of that name: no link; other names stay */
		{{"f etc/x", "f library/y", "l usr/share/z ../../etc/x"}, "etc/x, library/y, usr/share/z ../../etc/x"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *text XB_CLEANUP(xb_free_ptr) = NULL;

		fill(&entries, rows[i].in);
		expect_ok(xb_fixup_merge_usr(&entries, &err), &err);
		text = listing(&entries);
		assert_string_equal(text, rows[i].out);
		/* Doing it again changes nothing. */
		expect_ok(xb_fixup_merge_usr(&entries, &err), &err);
		free(text);
		text = listing(&entries);
		assert_string_equal(text, rows[i].out);
		for (size_t k = 1; k < entries.len; k++)
			assert_true(strcmp(entries.items[k - 1].path, entries.items[k].path) < 0);
	}
}

static void merge_refuses(void **state)
{
	static const struct {
		const char *in[4], *message;
	} rows[] = {
		{{"f lib/x @a", "f usr/lib/x @b"},
		 "'/usr/lib/x' of package 'b' and the same name without /usr of package 'a'"},
		{{"l lib/x y @a", "f usr/lib/x @b"}, "differ"},
		{{"d lib/x @a", "f usr/lib/x @b"}, "differ"},
		{{"f lib"}, "neither a directory nor a link"},
		{{"l lib somewhere"}, "neither a directory nor a link"},
		{{"l lib/x ../../etc/x"}, "leaves the tree"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};

		fill(&entries, rows[i].in);
		assert_int_equal(xb_fixup_merge_usr(&entries, &err), XB_E_VERIFY);
		if (!strstr(err.msg, rows[i].message))
			fail_msg("row %zu: %s", i, err.msg);
	}
}

static void links_table(void **state)
{
	static const struct {
		const char *in[6];
		enum xb_fixup_dangling dangling;
		const char *out;
	} rows[] = {
		{{"l usr/lib/t/a.so /usr/lib/t/a.so.1", "f usr/lib/t/a.so.1"},
		 XB_DANGLING_REFUSE_LIBRARIES,
		 "usr/lib/t/a.so a.so.1, usr/lib/t/a.so.1"},
		{{"l etc/x /usr/share/x", "f usr/share/x"}, XB_DANGLING_REMOVE, "etc/x ../usr/share/x, usr/share/x"},
		/* through a link of a directory */
		{{"l lib usr/lib", "l usr/x ../lib/t/a", "f usr/lib/t/a"},
		 XB_DANGLING_REMOVE,
		 "lib usr/lib, usr/lib/t/a, usr/x ../lib/t/a"},
		/* a chain that ends nowhere goes as a whole; a file is no directory */
		{{"l a b", "l b c", "l c nothing", "f file", "l d file/x", "l e file"},
		 XB_DANGLING_REMOVE,
		 "e file, file"},
		{{"l a b", "l b a"}, XB_DANGLING_REMOVE, ""},
		{{"l a b", "l c /etc/nothing"}, XB_DANGLING_KEEP, "a b, c etc/nothing"},
		{{"l usr/share/x nothing"}, XB_DANGLING_REFUSE_LIBRARIES, ""},
		{{"l x /", "l usr/y .."}, XB_DANGLING_REMOVE, "usr/y .., x ."},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *text XB_CLEANUP(xb_free_ptr) = NULL;

		fill(&entries, rows[i].in);
		expect_ok(xb_fixup_links(&entries, rows[i].dangling, NULL, &err), &err);
		text = listing(&entries);
		assert_string_equal(text, rows[i].out);
	}
}

static void links_refuse(void **state)
{
	static const struct {
		const char *in[4], *message;
	} rows[] = {
		{{"l usr/lib/t/libx.so libx.so.1 @libx-dev"},
		 "package 'libx-dev': '/usr/lib/t/libx.so' is a link to '/usr/lib/t/libx.so.1', which no package has"},
		{{"l usr/lib/t/libm.a libm-2.36.a"}, "which no package has"},
		{{"l a ../x"}, "leaves the tree"},
		{{"l a/b ../../x"}, "leaves the tree"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};

		fill(&entries, rows[i].in);
		assert_int_equal(xb_fixup_links(&entries, XB_DANGLING_REFUSE_LIBRARIES, NULL, &err), XB_E_VERIFY);
		if (!strstr(err.msg, rows[i].message))
			fail_msg("row %zu: %s", i, err.msg);
	}
}

/* What was left out on purpose is no mistake; what only looks alike is one. */
static void known_gaps(void **state)
{
	static const struct {
		const char *missing, *exclude, *drop;
		int rc;
	} rows[] = {
		{"libasan.so.8.0.0", "libasan8", NULL, 0},    {"libasan.so.8", "libasan8", NULL, 0},
		{"libcurl.so.4.8.0", "libcurl4t64", NULL, 0}, {"libfoo-2.so.1", "libfoo-2-1", NULL, 0},
		{"libGL_x.so.1", "libgl-x1", NULL, 0},	      {"libasan.so.8", "libasan6", NULL, XB_E_VERIFY},
		{"libasan.so.8", "liba", NULL, XB_E_VERIFY},  {"libasan.so", "libasan8", NULL, XB_E_VERIFY},
		{"libx.so.1", NULL, "usr/lib/*/libx*", 0},    {"libx.so.1", NULL, "usr/lib/*/liby*", XB_E_VERIFY},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		const char *excludes[] = {"other", rows[i].exclude}, *drops[] = {rows[i].drop};
		const struct xb_list exclude = {excludes, rows[i].exclude ? 2 : 1},
				     drop = {drops, rows[i].drop ? 1 : 0};
		const struct xb_fixup_known known = {.drop = &drop, .exclude = &exclude};
		char *line XB_CLEANUP(xb_free_ptr) = xb_printf("l usr/lib/t/link.so %s", rows[i].missing);
		const char *const lines[] = {line, NULL};

		fill(&entries, lines);
		if (xb_fixup_links(&entries, XB_DANGLING_REFUSE_LIBRARIES, &known, &err) != rows[i].rc)
			fail_msg("row %zu: %s", i, err.msg ? err.msg : "accepted");
	}
}

static void one_top_directory(void **state)
{
	static const char *const tops[] = {"usr", "lib", NULL};
	static const struct {
		const char *in[4], *out; /* NULL: refused */
	} rows[] = {
		{{"f usr/a", "f etc/b"}, "etc/b, usr/a"},
		{{"f root/usr/a", "f root/etc/b"}, "etc/b, usr/a"},
		{{"f root/b/z", "l root/b link", "f root/b-c"}, "b link, b-c, b/z"},
		{{"f usr"}, ""},
		{{"f one/usr/a", "f two/usr/a"}, NULL},
		{{"f one/a", "f b"}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *found XB_CLEANUP(xb_free_ptr) = NULL;

		fill(&entries, rows[i].in);
		if (!rows[i].out) {
			assert_int_equal(xb_fixup_strip_top(&entries, tops, &err), XB_E_VERIFY);
			continue;
		}
		assert_int_equal(xb_fixup_strip_top(&entries, tops, &err), 0);
		found = listing(&entries);
		assert_string_equal(found, rows[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merge_table),	cmocka_unit_test(merge_refuses), cmocka_unit_test(links_table),
		cmocka_unit_test(links_refuse), cmocka_unit_test(known_gaps),	 cmocka_unit_test(one_top_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
