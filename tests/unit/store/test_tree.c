/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>

#include "xbuild/store/reapi.h"
#include "xbuild/sys/atomic_file.h"

static const struct xb_digest recipe = {.bytes = {0xaa, 0xbb}};

static const struct item libs[] = {
	{'d', "./", NULL},
	{'d', "./usr/", NULL},
	{'d', "./usr/lib/", NULL},
	{'f', "./usr/lib/libx.so.1.2", "library"},
	{'l', "./usr/lib/libx.so.1", "libx.so.1.2"},
	{0},
};
static const struct item tools[] = {
	{'d', "usr", NULL},
	{'x', "usr/bin/tool", "program"},
	{'h', "usr/bin/tool-1", "./usr/bin/tool"},
	{'f', "usr/lib-data", "data"},
	{'f', "usr/lib/empty", ""},
	{0},
};
static const struct item *const both[] = {libs, tools, NULL};

static char *in_tree(const struct xb_tree *tree, const char *path)
{
	return xb_printf("%s/%s", tree->dir, path);
}

static void assert_mode(const struct xb_tree *tree, const char *path, mode_t mode)
{
	char *full XB_CLEANUP(xb_free_ptr) = in_tree(tree, path);
	struct stat st;

	assert_int_equal(lstat(full, &st), 0);
	assert_int_equal(st.st_mode, mode);
}

static void merged_and_committed(void **state)
{
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0}, found XB_CLEANUP(xb_tree_release) = {0};
	char *text XB_CLEANUP(xb_free_ptr) = NULL, *path XB_CLEANUP(xb_free_ptr) = NULL;
	char *tmp XB_CLEANUP(xb_free_ptr) = xb_printf("%s/tmp", f->store_dir);
	char target[32] = {0};
	struct stat a, b;
	const mode_t old = umask(077);

	assert_int_equal(xb_tree_find(f->store, &recipe, &found, &f->err), 0);
	assert_ok(make_tree(f->store, both, &recipe, &entries, &tree, &f->err), &f->err);
	umask(old);
	assert_int_equal(xb_tree_find(f->store, &recipe, &found, &f->err), 1);
	assert_string_equal(tree.dir, found.dir);
	assert_string_equal(tree.manifest, found.manifest);
	assert_true(xb_digest_eq(&tree.digest, &found.digest));
	assert_int_equal(tree.digest_size, found.digest_size);
	assert_mode(&tree, ".", S_IFDIR | 0755);
	assert_mode(&tree, "usr/bin", S_IFDIR | 0755); /* added: no package has it */
	assert_mode(&tree, "usr/bin/tool", S_IFREG | 0555);
	assert_mode(&tree, "usr/lib/libx.so.1.2", S_IFREG | 0444);
	path = in_tree(&tree, "usr/bin/tool-1");
	text = read_text(path);
	assert_string_equal(text, "program");
	assert_int_equal(stat(path, &a), 0);
	free(path);
	path = in_tree(&tree, "usr/bin/tool");
	assert_int_equal(stat(path, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	free(path);
	path = in_tree(&tree, "usr/lib/libx.so.1");
	assert_int_equal(readlink(path, target, sizeof(target) - 1), 11);
	assert_string_equal(target, "libx.so.1.2");
	xb_store_close(f->store);
	f->store = NULL;
	assert_int_equal(count_files(tmp), 0);
}

static void assert_same_entries(const struct xb_tree_entries *a, const struct xb_tree_entries *b)
{
	assert_int_equal(a->len, b->len);
	for (size_t i = 0; i < a->len; i++) {
		const struct xb_tree_entry *x = &a->items[i], *y = &b->items[i];

		assert_string_equal(x->path, y->path);
		assert_string_equal(x->origin, y->origin);
		assert_int_equal(x->type, y->type);
		assert_int_equal(x->mode, y->mode);
		assert_int_equal(x->uid, y->uid);
		assert_int_equal(x->gid, y->gid);
		assert_int_equal(x->size_bytes, y->size_bytes);
		assert_true(xb_digest_eq(&x->digest, &y->digest));
		assert_true(x->type != XB_TREE_SYMLINK || strcmp(x->target, y->target) == 0);
	}
}

static void the_manifest_is_the_list(void **state)
{
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree_entries again XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_digest digest;
	uint64_t size_bytes;
	char *text XB_CLEANUP(xb_free_ptr) = NULL;

	assert_ok(make_tree(f->store, both, &recipe, &entries, &tree, &f->err), &f->err);
	text = read_text(tree.manifest);
	assert_non_null(strstr(text, "d\t0755\t0\t0\t\tusr/bin\n"));
	assert_non_null(strstr(text, "l\tp0\tusr/lib/libx.so.1\tlibx.so.1.2\n"));
	assert_non_null(strstr(text, "\nf\t0755\t0\t0\t"));
	assert_ok(xb_tree_manifest_read(tree.manifest, &again, &f->err), &f->err);
	assert_same_entries(&entries, &again);
	xb_tree_directory_digest(&again, &digest, &size_bytes);
	assert_true(xb_digest_eq(&digest, &tree.digest));
	assert_int_equal(size_bytes, tree.digest_size);
}

static void damaged_manifests(void **state)
{
	static const char *const texts[] = {
		"d\t0755\t0\t0\tp\tusr",		      /* no newline */
		"d\t0755\t0\t0\tp\t../usr\n",		      /* unsafe */
		"d\t0755\t0\t0\tp\tb\nd\t0755\t0\t0\tp\ta\n", /* not sorted */
		"d\t0755\t0\t0\tp\ta\nd\t0755\t0\t0\tp\ta\n",
		"d\t010755\t0\t0\tp\ta\n", /* no permission bit */
		"d\t0755\t-1\t0\tp\ta\n",
		"f\t0644\t0\t0\tabcd\t3\tp\ta\n",
		"l\tp\ta\n",
		"x\tp\ta\tb\n",
		"d\t0755\t0\t0\tp\ta\t\t\t\n",
		"\n",
	};
	struct fixture *f = *state;
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/manifest", f->dir);

	for (size_t i = 0; i < XB_COUNT(texts); i++) {
		struct xb_tree_entries out = {0};

		write_text(path, texts[i]);
		assert_failed(xb_tree_manifest_read(path, &out, &f->err), &f->err, XB_E_DIGEST, "is damaged");
	}
}

/* The digest of the root, put together by hand with store/reapi. */
static void directory_digest_by_hand(void **state)
{
	static const struct item items[] = {
		{'x', "a/prog", "p"}, {'f', "a-b", "text"}, {'l', "z", "a"},
		{'d', "empty", NULL}, {'f', "a/b/c", "c"},  {0},
	};
	static const struct item *const tables[] = {items, NULL};
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_str b XB_CLEANUP(xb_str_release) = {0}, a XB_CLEANUP(xb_str_release) = {0};
	struct xb_str none XB_CLEANUP(xb_str_release) = {0}, root XB_CLEANUP(xb_str_release) = {0};
	struct xb_reapi_digest c_file = {.size_bytes = 1}, p_file = {.size_bytes = 1}, t_file = {.size_bytes = 4};
	struct xb_reapi_digest a_dir, b_dir, empty_dir, want;
	struct xb_digest digest;
	uint64_t size_bytes;

	assert_ok(make_tree(f->store, tables, NULL, &entries, NULL, &f->err), &f->err);
	xb_digest_bytes("c", 1, &c_file.hash);
	xb_digest_bytes("p", 1, &p_file.hash);
	xb_digest_bytes("text", 4, &t_file.hash);
	xb_reapi_file_node(&b, xb_sv("c"), &c_file, false);
	xb_reapi_digest_of(&b, &b_dir);
	xb_reapi_file_node(&a, xb_sv("prog"), &p_file, true);
	xb_reapi_directory_node(&a, xb_sv("b"), &b_dir);
	xb_reapi_digest_of(&a, &a_dir);
	xb_reapi_digest_of(&none, &empty_dir);
	xb_reapi_file_node(&root, xb_sv("a-b"), &t_file, false);
	xb_reapi_directory_node(&root, xb_sv("a"), &a_dir);
	xb_reapi_directory_node(&root, xb_sv("empty"), &empty_dir);
	xb_reapi_symlink_node(&root, xb_sv("z"), xb_sv("a"));
	xb_reapi_digest_of(&root, &want);
	xb_tree_directory_digest(&entries, &digest, &size_bytes);
	assert_true(xb_digest_eq(&digest, &want.hash));
	assert_int_equal(size_bytes, want.size_bytes);
}

/* Equal files of two packages are one; the order of the parts decides whose. */
static void equal_files_are_one(void **state)
{
	static const struct item a[] = {{'f', "usr/share/x", "same"}, {'l', "usr/l", "share"}, {0}};
	static const struct item b[] = {{'l', "usr/l", "share"}, {'f', "./usr/share/x", "same"}, {0}};
	static const struct item *const tables[] = {a, b, NULL};
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};

	assert_ok(make_tree(f->store, tables, NULL, &entries, NULL, &f->err), &f->err);
	assert_int_equal(entries.len, 4);
	assert_string_equal(xb_tree_entries_find(&entries, "usr/share/x")->origin, "p0");
	assert_string_equal(xb_tree_entries_find(&entries, "usr")->origin, "");
	assert_null(xb_tree_entries_find(&entries, "us"));
}

/* lib -> usr/lib of one package and lib/ of another is what a merged /usr is made from; both orders. */
static void usr_aliases_are_no_conflict(void **state)
{
	static const struct item link[] = {{'l', "lib", "usr/lib"}, {0}};
	static const struct item dir[] = {{'d', "lib", NULL}, {'f', "lib/x", "x"}, {0}};
	static const struct item *const one[] = {link, dir, NULL};
	static const struct item *const two[] = {dir, link, NULL};
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
		struct xb_tree tree = {0};

		assert_ok(make_tree(f->store, i ? two : one, NULL, &entries, NULL, &f->err), &f->err);
		assert_int_equal(entries.len, 2);
		assert_int_equal(xb_tree_entries_find(&entries, "lib")->type, XB_TREE_SYMLINK);
		xb_tree_entries_release(&entries);
		assert_failed(make_tree(f->store, i ? two : one, &recipe, &entries, &tree, &f->err), &f->err,
			      XB_E_VERIFY, "'lib/x': it lies below a symlink");
	}
}

static void damaged_trees_are_told_and_replaced(void **state)
{
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0}, found XB_CLEANUP(xb_tree_release) = {0};
	char *digest_file XB_CLEANUP(xb_free_ptr) = NULL, *file XB_CLEANUP(xb_free_ptr) = NULL;

	assert_ok(make_tree(f->store, both, &recipe, &entries, &tree, &f->err), &f->err);
	digest_file = xb_printf("%s/../digest", tree.dir);
	file = in_tree(&tree, "usr/bin/tool");
	write_text(digest_file, "");
	assert_int_equal(xb_tree_find(f->store, &recipe, &found, &f->err), XB_E_DIGEST);
	assert_non_null(strstr(f->err.hint, "remove"));
	xb_err_clear(&f->err);
	assert_int_equal(unlink(file), 0);
	xb_tree_release(&tree);
	xb_tree_entries_release(&entries);
	assert_ok(make_tree(f->store, both, &recipe, &entries, &tree, &f->err), &f->err);
	assert_true(xb_fs_exists(file));
	assert_int_equal(xb_tree_find(f->store, &recipe, &found, &f->err), 1);
}

/* Cut off between two lines, or filled up with zeros: what is left is a manifest in form, but not of this tree. */
static void a_cut_manifest_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree_entries again XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	char *text XB_CLEANUP(xb_free_ptr) = NULL;
	size_t len, cuts = 0;

	assert_ok(make_tree(f->store, both, &recipe, &entries, &tree, &f->err), &f->err);
	assert_ok(xb_tree_read(tree.manifest, &tree.digest, &again, &f->err), &f->err);
	assert_int_equal(again.len, entries.len);
	text = read_text(tree.manifest);
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		struct xb_tree_entries out = {0};

		if (i && text[i - 1] != '\n')
			continue;
		assert_ok(xb_atomic_file_write(tree.manifest, text, i, 0644, 0, &f->err), &f->err);
		assert_failed(xb_tree_read(tree.manifest, &tree.digest, &out, &f->err), &f->err, XB_E_DIGEST,
			      "is damaged");
		cuts++;
	}
	assert_int_equal(cuts, entries.len);
	memset(text + len / 2, 0, len - len / 2);
	assert_ok(xb_atomic_file_write(tree.manifest, text, len, 0644, 0, &f->err), &f->err);
	assert_failed(xb_tree_manifest_read(tree.manifest, &again, &f->err), &f->err, XB_E_DIGEST, "is damaged");
	assert_ok(xb_atomic_file_write(tree.manifest, "d\t0755\t0\t0\tp\ta\n\0\0", 17, 0644, 0, &f->err), &f->err);
	assert_failed(xb_tree_manifest_read(tree.manifest, &again, &f->err), &f->err, XB_E_DIGEST, "line 2 is damaged");
}

/* Eight processes make the same tree at once: each gets it, and one directory stays. */
static void several_makers(void **state)
{
	struct fixture *f = *state;
	struct xb_tree found XB_CLEANUP(xb_tree_release) = {0};
	char *trees XB_CLEANUP(xb_free_ptr) = xb_printf("%s/trees", f->store_dir);
	pid_t pids[8];

	for (size_t i = 0; i < XB_COUNT(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct xb_tree_entries entries = {0};
			struct xb_tree tree = {0};
			struct xb_store *store;
			struct xb_err err = {0};

			_exit(xb_store_open(f->store_dir, NULL, &store, &err) < 0 ||
			      make_tree(store, both, &recipe, &entries, &tree, &err) < 0);
		}
	}
	for (size_t i = 0; i < XB_COUNT(pids); i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_files(trees), 1);
	assert_int_equal(xb_tree_find(f->store, &recipe, &found, &f->err), 1);
}

static void an_interrupt_ends_unpacking(void **state)
{
	static const struct item items[] = {{'f', "a", "text"}, {0}};
	static const struct item *const tables[] = {items, NULL};
	struct fixture *f = *state;
	struct xb_tree_entries entries = {0};
	int flag = 0;

	xb_store_set_interrupted(f->store, &flag);
	assert_ok(make_tree(f->store, tables, NULL, &entries, NULL, &f->err), &f->err);
	xb_tree_entries_release(&entries);
	flag = 2;
	assert_failed(make_tree(f->store, tables, NULL, &entries, NULL, &f->err), &f->err, XB_E_INTERRUPTED,
		      "interrupted");
	xb_store_set_interrupted(f->store, NULL);
}

struct filler {
	struct xb_tree_part *part;
	int number, rc;
};

static void *fill_thread(void *arg)
{
	struct filler *filler = arg;
	struct xb_err err = {0};

	for (int i = 0; filler->rc == 0 && i < 200; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("d%d/f%d", filler->number, i);
		const struct item items[] = {{'f', path, path}, {0}};

		filler->rc = fill_part(filler->part, items, &err);
	}
	return NULL;
}

static void parts_are_filled_side_by_side(void **state)
{
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_tree_part *parts[4];
	struct filler fillers[4] = {0};
	struct xb_tree_stage *stage;
	pthread_t threads[4];

	assert_ok(xb_tree_stage_open(f->store, &stage, &f->err), &f->err);
	for (int i = 0; i < 4; i++) {
		parts[i] = xb_tree_part_new(stage, "p");
		fillers[i] = (struct filler){parts[i], i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, fill_thread, &fillers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(fillers[i].rc, 0);
	}
	assert_ok(xb_tree_merge(parts, 4, &entries, &f->err), &f->err);
	assert_ok(xb_tree_commit(stage, &entries, &recipe, &tree, &f->err), &f->err);
	for (int i = 0; i < 4; i++)
		xb_tree_part_free(parts[i]);
	xb_tree_stage_close(stage);
	assert_int_equal(entries.len, 804);
	for (size_t i = 0; i < entries.len; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = in_tree(&tree, entries.items[i].path);
		char *text XB_CLEANUP(xb_free_ptr) = NULL;

		if (entries.items[i].type != XB_TREE_FILE)
			continue;
		text = read_text(path);
		assert_string_equal(text, entries.items[i].path);
	}
}

/* Whatever happened to a tree is found, and the first difference named. */
static void damage_is_found(void **state)
{
	static const struct {
		const char *path, *content, *link; /* NULL, NULL: removed */
		bool quick;			   /* found by the quick look too */
		const char *told;
	} cases[] = {
		{"usr/bin/tool", NULL, NULL, true, "'usr/bin/tool' is missing"},
		{"usr/lib/libx.so.1.2", "librari", NULL, false, "'usr/lib/libx.so.1.2' has another content"},
		{"usr/lib/libx.so.1.2", "lib", NULL, true, "'usr/lib/libx.so.1.2' is not the file"},
		{"usr/lib/libx.so.1", NULL, "libc.so", true, "'usr/lib/libx.so.1' is not the link"},
		{"usr/lib/empty", NULL, "/dev/null", true, "'usr/lib/empty' is not the file"},
		{"usr/lib/more.h", "", NULL, false, "'usr/lib/more.h' does not belong there"},
		{"top", "", NULL, false, "'top' does not belong there"},
		{"../manifest", NULL, NULL, true, "its manifest is missing"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
		struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0}, gone XB_CLEANUP(xb_tree_release) = {0};
		char *path XB_CLEANUP(xb_free_ptr) = NULL;
		int rc;

		assert_ok(make_tree(f->store, both, &recipe, &entries, &tree, &f->err), &f->err);
		assert_ok(xb_tree_check(tree.dir, &tree.digest, XB_TREE_LOOK_WHOLE, &f->err), &f->err);
		path = in_tree(&tree, cases[i].path);
		(void)unlink(path);
		if (cases[i].link)
			assert_int_equal(symlink(cases[i].link, path), 0);
		else if (cases[i].content)
			assert_ok(xb_atomic_file_write(path, cases[i].content, strlen(cases[i].content), 0444, 0,
						       &f->err),
				  &f->err);
		rc = xb_tree_check(tree.dir, &tree.digest, XB_TREE_LOOK_QUICK, &f->err);
		assert_int_equal(rc, cases[i].quick ? XB_E_DIGEST : 0);
		xb_err_clear(&f->err);
		assert_int_equal(xb_tree_check(tree.dir, &tree.digest, XB_TREE_LOOK_WHOLE, &f->err), XB_E_DIGEST);
		if (!strstr(f->err.msg, cases[i].told))
			fail_msg("expected \"%s\", found \"%s\"", cases[i].told, f->err.msg);
		xb_err_clear(&f->err);
		assert_ok(xb_tree_discard(f->store, &recipe, &f->err), &f->err);
		assert_ok(xb_tree_discard(f->store, &recipe, &f->err), &f->err);
		assert_int_equal(xb_tree_find(f->store, &recipe, &gone, &f->err), 0);
	}
}

/* Kernel headers, a directory in two spellings, and names that only look alike. */
static const struct item spellings[] = {
	{'f', "inc/xt_CONNMARK.h", "upper"},
	{'f', "inc/xt_connmark.h", "lower"},
	{'f', "inc/xt_connmark_.h", "other"},
	{'f', "perl/Pod/a.pm", "first"},
	{'f', "perl/pod/b.pm", "second"},
	{'l', "perl/pod/c.pm", "b.pm"},
	{0},
};
static const struct item *const spelt[] = {spellings, NULL};
#define FOLDED "inc/xt_connmark.h\nperl/pod\nperl/pod/b.pm\nperl/pod/c.pm\n"

static void a_disk_that_folds_case(void **state)
{
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	char *folded XB_CLEANUP(xb_free_ptr) = NULL, *text XB_CLEANUP(xb_free_ptr) = NULL;

	assert_ok(make_tree(f->store, spelt, &recipe, &entries, &tree, &f->err), &f->err);
	folded = in_tree(&tree, "../folded");
	assert_int_equal(access(folded, F_OK), -1); /* the disk of this test folds nothing */
	assert_ok(xb_tree_discard(f->store, &recipe, &f->err), &f->err);
	xb_tree_release(&tree);
	xb_tree_entries_release(&entries);

	assert_int_equal(setenv("XBUILD_TEST_FOLDS_CASE", "1", 1), 0);
	assert_ok(make_tree(f->store, spelt, &recipe, &entries, &tree, &f->err), &f->err);
	assert_int_equal(unsetenv("XBUILD_TEST_FOLDS_CASE"), 0);
	free(folded);
	folded = in_tree(&tree, "../folded");
	text = read_text(folded);
	assert_string_equal(text, FOLDED);
	assert_non_null(xb_tree_entries_find(&entries, "inc/xt_CONNMARK.h"));
	assert_non_null(xb_tree_entries_find(&entries, "inc/xt_connmark_.h"));
	assert_null(xb_tree_entries_find(&entries, "inc/xt_connmark.h"));
	/* what is there is what the manifest says */
	assert_ok(xb_tree_check(tree.dir, &tree.digest, XB_TREE_LOOK_WHOLE, &f->err), &f->err);
}

static void an_image_is_whole_or_not_at_all(void **state)
{
	struct fixture *f = *state;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_tree_stage *stage;
	struct xb_tree_part *part;
	int rc;

	assert_ok(xb_tree_stage_open(f->store, &stage, &f->err), &f->err);
	xb_tree_stage_for_image(stage);
	part = xb_tree_part_new(stage, "p");
	assert_ok(fill_part(part, spellings, &f->err), &f->err);
	assert_ok(xb_tree_merge(&part, 1, &entries, &f->err), &f->err);
	xb_tree_part_free(part);
	assert_int_equal(setenv("XBUILD_TEST_FOLDS_CASE", "1", 1), 0);
	rc = xb_tree_commit(stage, &entries, &recipe, &tree, &f->err);
	assert_int_equal(unsetenv("XBUILD_TEST_FOLDS_CASE"), 0);
	xb_tree_stage_close(stage);
	assert_int_equal(rc, XB_E_SYSTEM);
	assert_non_null(strstr(f->err.msg, "'inc/xt_connmark.h' and another name differ in case only"));
	assert_non_null(strstr(f->err.hint, "XBUILD_CACHE_DIR"));
	xb_err_clear(&f->err);
	assert_int_equal(xb_tree_find(f->store, &recipe, &tree, &f->err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(merged_and_committed),
		TEST(the_manifest_is_the_list),
		TEST(damaged_manifests),
		TEST(directory_digest_by_hand),
		TEST(equal_files_are_one),
		TEST(usr_aliases_are_no_conflict),
		TEST(damaged_trees_are_told_and_replaced),
		TEST(a_cut_manifest_is_not_believed),
		TEST(damage_is_found),
		TEST(several_makers),
		TEST(an_interrupt_ends_unpacking),
		TEST(parts_are_filled_side_by_side),
		TEST(a_disk_that_folds_case),
		TEST(an_image_is_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
