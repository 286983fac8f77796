/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_made.h"
#include "sample.h"

#include "xbuild/pkg/deb_archive.h"

/* ---- a store and a part ---- */

struct fixture {
	char *dir;
	struct xb_store *store;
	struct xb_tree_stage *stage;
	struct xb_tree_part *part;
	struct xb_err err;
};

static int setup(void **state)
{
	struct fixture *f = xb_alloc(sizeof(*f));

	f->dir = scratch_dir();
	expect_ok(xb_store_open(f->dir, NULL, &f->store, &f->err), &f->err);
	expect_ok(xb_tree_stage_open(f->store, &f->stage, &f->err), &f->err);
	f->part = xb_tree_part_new(f->stage, "pkg");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	xb_tree_part_free(f->part);
	xb_tree_stage_close(f->stage);
	xb_store_close(f->store);
	scratch_remove(&f->dir);
	xb_err_release(&f->err);
	free(f);
	return 0;
}

static struct xb_lock_package put_deb(struct fixture *f, const char *control, const struct item *data)
{
	struct xb_lock_package package = {.name = "hello", .version = "1:2.0-1", .arch = "arm64"};
	struct xb_str deb XB_CLEANUP(xb_str_release) = {0};

	make_deb(&deb, control, data);
	expect_ok(xb_cas_put_bytes(f->store, deb.data, deb.len, &package.sha256, &f->err), &f->err);
	return package;
}

#define CONTROL "Package: hello\nVersion: 1:2.0-1\nArchitecture: arm64\nDescription: x\n y\n"

/* "type path [target or size]" of everything in the part. */
static void expect_tree(struct fixture *f, const char *expected)
{
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	expect_ok(xb_tree_merge(&f->part, 1, &entries, &f->err), &f->err);
	for (size_t i = 0; i < entries.len; i++) {
		const struct xb_tree_entry *e = &entries.items[i];

		if (e->type == XB_TREE_FILE)
			xb_str_printf(&text, "f %s %o %lld\n", e->path, e->mode, (long long)e->size_bytes);
		else
			xb_str_printf(&text, "%s %s%s%s\n", e->type == XB_TREE_DIR ? "d" : "l", e->path,
				      e->target ? " " : "", e->target ? e->target : "");
	}
	assert_string_equal(xb_str_get(&text), expected);
}

static const struct item content[] = {
	{'5', "./", "", 0755},
	{'5', "./usr/", "", 0755},
	{'5', "./usr/bin/", "", 0755},
	{'0', "./usr/bin/hello", "program", 0755},
	{'1', "./usr/bin/hi", "./usr/bin/hello", 0755},
	{'2', "./usr/bin/link", "hello", 0777},
	{'5', "./usr/share/", "", 0755},
	{'5', "./usr/share/doc/", "", 0755},
	{'0', "./usr/share/doc/copyright", "text", 0644},
	{0},
};

static void deb_into_a_part(void **state)
{
	struct fixture *f = *state;
	struct xb_lock_package package = put_deb(f, CONTROL, content);
	const char *patterns[] = {"usr/share/doc/**", "usr/bin/l*"};
	const struct xb_list drop = {patterns, XB_COUNT(patterns)};

	expect_ok(xb_deb_unpack(f->store, &package, &drop, XB_DEB_RECORDS_NONE, 1, f->part, &f->err), &f->err);
	expect_tree(f, "d usr\nd usr/bin\nf usr/bin/hello 755 7\nf usr/bin/hi 755 7\nd usr/share\n");
}

static void deb_without_patterns(void **state)
{
	struct fixture *f = *state;
	struct xb_lock_package package = put_deb(f, CONTROL, content);

	expect_ok(xb_deb_unpack(f->store, &package, NULL, XB_DEB_RECORDS_NONE, 1, f->part, &f->err), &f->err);
	expect_tree(f,
		    "d usr\nd usr/bin\nf usr/bin/hello 755 7\nf usr/bin/hi 755 7\nl usr/bin/link hello\nd usr/share\n"
		    "d usr/share/doc\nf usr/share/doc/copyright 644 4\n");
}

/* What scanners read: the control file as it is, and the sums where the package has them. */
static void records_of_a_package(void **state)
{
	static const struct item nothing[] = {{'5', "./", "", 0755}, {0}};
	static const struct item taken[] = {{'0', "./var/lib/dpkg/status.d/hello", "x", 0644}, {0}};
	struct fixture *f = *state;
	struct xb_lock_package package = put_deb(f, CONTROL, nothing);
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	const struct xb_tree_entry *e;
	struct xb_digest digest;

	expect_ok(xb_deb_unpack(f->store, &package, NULL, XB_DEB_RECORDS_STATUS, 1, f->part, &f->err), &f->err);
	expect_ok(xb_tree_merge(&f->part, 1, &entries, &f->err), &f->err);
	e = xb_tree_entries_find(&entries, "var/lib/dpkg/status.d/hello");
	assert_non_null(e);
	xb_digest_bytes(CONTROL, strlen(CONTROL), &digest);
	assert_true(xb_digest_eq(&digest, &e->digest));
	e = xb_tree_entries_find(&entries, "var/lib/dpkg/status.d/hello.md5sums");
	assert_non_null(e);
	assert_int_equal(e->size_bytes, 2);
	/* a package cannot say that it is another one */
	package = put_deb(f, CONTROL, taken);
	expect_ok(xb_deb_unpack(f->store, &package, NULL, XB_DEB_RECORDS_STATUS, 1, f->part, &f->err), &f->err);
	expect_error(xb_tree_merge(&f->part, 1, &entries, &f->err), &f->err, XB_E_VERIFY, "status.d/hello");
}

static void control_must_be_the_locks(void **state)
{
	static const struct {
		const char *control, *part;
	} rows[] = {
		{"Package: other\nVersion: 1:2.0-1\nArchitecture: arm64\n",
		 "Package 'other' where the index has 'hello'"},
		{"Package: hello\nVersion: 2.0-1\nArchitecture: arm64\n", "Version '2.0-1'"},
		{"Package: hello\nVersion: 1:2.0-1\nArchitecture: amd64\n", "Architecture 'amd64'"},
		{"Version: 1:2.0-1\nArchitecture: arm64\n", "Package ''"},
		{"", "Package ''"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_lock_package package = put_deb(f, rows[i].control, content);

		expect_error(xb_deb_unpack(f->store, &package, NULL, XB_DEB_RECORDS_NONE, 1, f->part, &f->err), &f->err,
			     XB_E_VERIFY, rows[i].part);
	}
	/* Nothing of data.tar was taken before the control file was looked at. */
	expect_tree(f, "");
}

static void hostile_entries(void **state)
{
	static const struct item rows[] = {
		{'0', "../etc/passwd", "x", 0644},
		{'0', "/etc/passwd", "x", 0644},
		{'0', "./a/../../x", "x", 0644},
		{'6', "./fifo", "", 0644},
		{'1', "./usr/x", "../../etc/passwd", 0644},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		const struct item items[] = {rows[i], {0}};
		struct xb_lock_package package = put_deb(f, CONTROL, items);

		print_message("%s\n", rows[i].name);
		expect_error(xb_deb_unpack(f->store, &package, NULL, XB_DEB_RECORDS_NONE, 1, f->part, &f->err), &f->err,
			     XB_E_VERIFY, "unpack package 'hello'");
	}
}

static void a_missing_blob_is_told(void **state)
{
	struct fixture *f = *state;
	struct xb_lock_package package = {.name = "hello", .version = "1", .arch = "all"};

	expect_error(xb_deb_unpack(f->store, &package, NULL, XB_DEB_RECORDS_NONE, 1, f->part, &f->err), &f->err,
		     XB_E_NOT_FOUND, "unpack package 'hello'");
}

static int unpack_tar(struct fixture *f, const struct item *items, const struct xb_list *keep,
		      const struct xb_list *drop)
{
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest digest;

	make_tar(&tar, items);
	expect_ok(xb_cas_put_bytes(f->store, tar.data, tar.len, &digest, &f->err), &f->err);
	return xb_tar_unpack(f->store, &digest, "llvm.tar", &(struct xb_tar_choice){keep, drop}, 1, f->part, &f->err);
}

static void tar_selected(void **state)
{
	static const struct item items[] = {
		{'5', "LLVM-22/", "", 0755},
		{'5', "LLVM-22/bin/", "", 0755},
		{'0', "LLVM-22/bin/clang-22", "program", 0755},
		{'2', "LLVM-22/bin/clang", "clang-22", 0777},
		{'1', "LLVM-22/bin/clang++", "LLVM-22/bin/clang-22", 0755},
		{'0', "LLVM-22/bin/lldb", "debugger", 0755},
		{'0', "LLVM-22/lib/x.a", "library", 0644},
		{0},
	};
	const char *patterns[] = {"*/bin/*", "*/lib/x.a"}, *others[] = {"*/bin/lldb"};
	const struct xb_list keep = {patterns, 2}, drop = {others, 1};
	struct fixture *f = *state;

	expect_ok(unpack_tar(f, items, &keep, &drop), &f->err);
	expect_tree(f, "d LLVM-22\nd LLVM-22/bin\nl LLVM-22/bin/clang clang-22\nf LLVM-22/bin/clang++ 755 7\n"
		       "f LLVM-22/bin/clang-22 755 7\nd LLVM-22/lib\nf LLVM-22/lib/x.a 644 7\n");
}

static void tar_as_it_is(void **state)
{
	static const struct item items[] = {{'0', "./a/b", "x", 0644}, {0}};
	struct fixture *f = *state;

	expect_ok(unpack_tar(f, items, NULL, NULL), &f->err);
	expect_tree(f, "d a\nf a/b 644 1\n");
}

static void hostile_tars(void **state)
{
	static const struct item rows[] = {
		{'0', "x/../../etc/passwd", "x", 0644},
		{'0', "x/../y", "x", 0644},
		{'0', "/x/y", "x", 0644},
		{'1', "x/y", "x/../../z", 0644},
		{'1', "x/y", "x", 0644}, /* there is no such file before it */
		{'6', "x/fifo", "", 0644},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		const struct item items[] = {rows[i], {0}};

		print_message("%s\n", rows[i].name);
		expect_error(unpack_tar(f, items, NULL, NULL), &f->err, XB_E_VERIFY, "unpack 'llvm.tar'");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deb_into_a_part),	    TEST(deb_without_patterns),
		TEST(records_of_a_package), TEST(control_must_be_the_locks),
		TEST(hostile_entries),	    TEST(a_missing_blob_is_told),
		TEST(tar_selected),	    TEST(tar_as_it_is),
		TEST(hostile_tars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
