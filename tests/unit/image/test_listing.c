/* SPDX-License-Identifier: Apache-2.0 */
/* Layers are written here as words: "d:etc", "f:etc/a=text", "l:x=target", "h:x=etc/a", "w:etc/a", "o:etc". */
#include "../store/fixture.h"
#include "xbuild/base/path.h"
#include "xbuild/image/listing.h"
#include "xbuild/image/tar.h"
#include "xbuild/store/cas.h"

#define BLOCK 512

/* One ustar entry, of any name and type. */
static void put_entry(struct xb_str *tar, char type, const char *name, const char *link, const char *text)
{
	char header[BLOCK] = {0};
	const size_t size = strlen(text), padding = (BLOCK - size % BLOCK) % BLOCK;
	unsigned sum = 0;

	assert_true(strlen(name) < 100 && strlen(link) < 100);
	memcpy(header, name, strlen(name));
	(void)snprintf(header + 100, 8, "%07o", 0755);
	(void)snprintf(header + 108, 8, "%07o", 7);
	(void)snprintf(header + 116, 8, "%07o", 8);
	(void)snprintf(header + 124, 12, "%011o", (unsigned)size & 0777777777);
	(void)snprintf(header + 136, 12, "%011o", 0);
	memset(header + 148, ' ', 8);
	header[156] = type;
	memcpy(header + 157, link, strlen(link));
	memcpy(header + 257, "ustar\00000", 8);
	for (int i = 0; i < BLOCK; i++)
		sum += (unsigned char)header[i];
	(void)snprintf(header + 148, 8, "%06o", sum);
	xb_str_append_n(tar, header, BLOCK);
	xb_str_append(tar, text);
	for (size_t i = 0; i < padding; i++)
		xb_str_append_n(tar, "", 1);
}

static void put_word(struct xb_str *tar, struct xb_sv word)
{
	struct xb_sv rest = xb_sv_n(word.ptr + 2, word.len - 2);
	char *name = xb_sv_dup(xb_sv_cut(&rest, '=')), *value = rest.ptr ? xb_sv_dup(rest) : xb_strdup("");
	struct xb_sv dir = xb_path_dir(xb_sv(name));
	char *hidden = xb_printf("%.*s%s.wh.%s", XB_SV_ARG(dir), dir.len ? "/" : "", name + dir.len + (dir.len != 0));
	char *opaque = xb_printf("%s%s.wh..wh..opq", name, name[0] ? "/" : "");

	switch (word.ptr[0]) {
	case 'd':
		put_entry(tar, '5', name, "", "");
		break;
	case 'l':
		put_entry(tar, '2', name, value, "");
		break;
	case 'h':
		put_entry(tar, '1', name, value, "");
		break;
	case 'w':
		put_entry(tar, '0', hidden, "", "");
		break;
	case 'o':
		put_entry(tar, '0', opaque, "", "");
		break;
	case 'c':
		put_entry(tar, '3', name, "", "");
		break;
	default:
		put_entry(tar, '0', name, "", value);
	}
	free(name);
	free(value);
	free(hidden);
	free(opaque);
}

static struct xb_listed_layer make_layer(struct fixture *f, const char *words)
{
	struct xb_sv rest = xb_sv(words);
	struct xb_listed_layer layer = {0};
	struct xb_str tar = {0};

	while (rest.ptr) {
		const struct xb_sv word = xb_sv_cut(&rest, ' ');

		if (word.len)
			put_word(&tar, word);
	}
	for (int i = 0; i < XB_TAR_END_BYTES; i++)
		xb_str_append_n(&tar, "", 1);
	layer.size_bytes = (int64_t)tar.len;
	assert_ok(xb_cas_put_bytes(f->store, tar.data, tar.len, &layer.blob, &f->err), &f->err);
	layer.diff_id = layer.blob;
	xb_str_release(&tar);
	return layer;
}

static void apply(struct fixture *f, const char *words, struct xb_rootfs *base)
{
	const struct xb_listed_layer layer = make_layer(f, words);
	struct xb_str text = {0};

	assert_ok(xb_listing_make(f->store, &layer, NULL, &f->err), &f->err);
	assert_int_equal(xb_listing_find(f->store, &layer, &text, &f->err), 1);
	assert_ok(xb_listing_apply(f->store, xb_str_sv(&text), "layer", base, &f->err), &f->err);
	xb_str_release(&text);
}

/* Paths of what there is, "/" behind directories, "@" behind links. */
static void assert_entries(const struct xb_rootfs *rootfs, const char *expected)
{
	struct xb_str found = {0};

	for (size_t i = 0; i < rootfs->len; i++) {
		const struct xb_rootfs_entry *e = &rootfs->items[i];

		assert_int_equal(e->layer, XB_LAYER_BASE);
		xb_str_printf(&found, "%s%s%s", i ? " " : "", e->path,
			      e->type == XB_TREE_DIR	   ? "/"
			      : e->type == XB_TREE_SYMLINK ? "@"
							   : "");
	}
	assert_string_equal(xb_str_get(&found), expected);
	xb_str_release(&found);
}

static void test_layers(void **state)
{
	static const struct {
		const char *layers[3], *expected;
	} cases[] = {
		{{"d:etc f:etc/a=1 l:b=etc/a c:dev/null"}, "b@ etc/ etc/a"},
		{{"f:./etc/a=1 d:./etc/ d:."}, "etc/ etc/a"},
		{{"d:etc f:etc/a=1 f:etc/b=2", "w:etc/a"}, "etc/ etc/b"},
		{{"d:etc f:etc/a=1", "w:etc f:x=1"}, "x"},
		{{"d:etc f:etc/a=1 f:etc-b=2 f:etc.c=1", "w:etc"}, "etc-b etc.c"},
		/* opaque: what is below goes, the directory stays; what the same layer brings stays, wherever it stands */
		{{"d:etc f:etc/a=1 d:etc/d f:etc/d/x=1", "f:etc/n=1 o:etc f:etc/m=1"}, "etc/ etc/m etc/n"},
		{{"d:etc f:etc/a=1", "f:etc/a=2 w:etc/a"}, "etc/ etc/a"},
		{{"f:a=1 d:b", "o:"}, ""},
		/* a file where a directory was takes all below with it; the other way round as well */
		{{"d:etc f:etc/a=1", "f:etc=1"}, "etc"},
		{{"f:etc=1", "d:etc f:etc/a=1"}, "etc/ etc/a"},
		{{"l:etc=usr/etc", "d:etc"}, "etc/"},
		{{"d:etc f:etc/a=1", "d:etc"}, "etc/ etc/a"},
		/* hard links: in the layer, into a layer below, nowhere, to what the layer itself replaced */
		{{"f:a=1 h:b=a", "h:c=./b h:d=none"}, "a b c"},
		{{"w:none d:x", "w:x/y w:x", "f:z=1"}, "z"},
		/* directories that no layer names */
		{{"f:a/b/c=1", "f:a/d=1"}, "a/ a/b/ a/b/c a/d"},
		{{"f:a/b=1", "w:a f:a/c=1"}, "a/ a/c"},
		/* below a link of a lower layer: where it leads; also what is hidden, and what a hard link means */
		{{"d:usr/lib l:lib=usr/lib", "f:lib/x=1 f:lib/y=1", "w:lib/x h:z=lib/y"},
		 "lib@ usr/ usr/lib/ usr/lib/y z"},
		{{"d:u/v l:a=u l:u/b=/u/v", "f:a/b/x=1"}, "a@ u/ u/b@ u/v/ u/v/x"},
		{{"l:a=none", "d:a f:a/x=1"}, "a/ a/x"},
		{{"d:u l:a=u", "d:a f:a/x=1"}, "a/ a/x u/"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_rootfs base = {0};

		for (size_t k = 0; k < 3 && cases[i].layers[k]; k++)
			apply(f, cases[i].layers[k], &base);
		assert_entries(&base, cases[i].expected);
		xb_rootfs_release(&base);
	}
}

static void test_attributes(void **state)
{
	struct fixture *f = *state;
	struct xb_rootfs base = {0};
	const struct xb_rootfs_entry *e;
	struct xb_str text = {0};

	apply(f, "f:etc/passwd=root:x:0:0 f:bin/x=\177ELF.... f:bin/y=\177EL h:bin/z=bin/x f:old=1 l:l=/abs", &base);
	apply(f, "f:old=22", &base);
	e = xb_rootfs_find(&base, "bin/z");
	assert_int_equal(e->uid, 7);
	assert_int_equal(e->gid, 8);
	assert_int_equal(e->mode, 0755);
	assert_int_equal(e->size_bytes, 8);
	/* what is looked into is in the store, the rest is not */
	assert_ok(xb_fs_read(e->source, 100, &text, &f->err), &f->err);
	assert_string_equal(xb_str_get(&text), "\177ELF....");
	assert_non_null(xb_rootfs_find(&base, "etc/passwd")->source);
	assert_null(xb_rootfs_find(&base, "bin/y")->source);
	assert_int_equal(xb_rootfs_find(&base, "old")->size_bytes, 2);
	assert_string_equal(xb_rootfs_find(&base, "l")->target, "/abs");
	xb_str_release(&text);
	xb_rootfs_release(&base);
}

static void test_refused(void **state)
{
	static const char *const cases[] = {"f:../x=1",	  "f:/x=1",    "f:a=1 f:a=2", "h:a=../../etc/passwd",
					    "l:a/../b=c", "f:a=1 d:a", "d:a f:a=1",   "d:a l:a=b",
					    "f:.wh.=",	  "f:a/.wh.="};
	struct fixture *f = *state;
	struct xb_str text = {0};
	struct xb_listed_layer layer;

	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		layer = make_layer(f, cases[i]);
		if (xb_listing_make(f->store, &layer, NULL, &f->err) == 0)
			fail_msg("%s was taken", cases[i]);
		assert_int_equal(f->err.code, XB_E_VERIFY);
		xb_err_clear(&f->err);
		assert_int_equal(xb_listing_find(f->store, &layer, &text, &f->err), 0);
	}
	layer = make_layer(f, "f:a=1");
	layer.diff_id.bytes[0] ^= 1;
	assert_failed(xb_listing_make(f->store, &layer, NULL, &f->err), &f->err, XB_E_DIGEST, "expected a tar with");
	layer.blob.bytes[0] ^= 1;
	assert_failed(xb_listing_make(f->store, &layer, NULL, &f->err), &f->err, XB_E_NOT_FOUND, "");
	xb_str_release(&text);
}

/* Asked for all files, each has its content in the store; the shorter listing is another one. */
static void test_all_files(void **state)
{
	struct fixture *f = *state;
	struct xb_listed_layer layer = make_layer(f, "f:x=text h:y=x");
	struct xb_rootfs base = {0};
	struct xb_str text = {0}, content = {0};

	assert_ok(xb_listing_make(f->store, &layer, NULL, &f->err), &f->err);
	layer.all_files = true;
	assert_int_equal(xb_listing_find(f->store, &layer, &text, &f->err), 0);
	assert_ok(xb_listing_make(f->store, &layer, NULL, &f->err), &f->err);
	assert_int_equal(xb_listing_find(f->store, &layer, &text, &f->err), 1);
	assert_ok(xb_listing_apply(f->store, xb_str_sv(&text), "layer", &base, &f->err), &f->err);
	assert_ok(xb_fs_read(xb_rootfs_find(&base, "y")->source, 100, &content, &f->err), &f->err);
	assert_string_equal(xb_str_get(&content), "text");
	xb_str_release(&content);
	xb_str_release(&text);
	xb_rootfs_release(&base);
}

/* A listing is used only while everything that it needs is there. */
static void test_lost(void **state)
{
	struct fixture *f = *state;
	const struct xb_listed_layer layer = make_layer(f, "f:etc/passwd=root f:x=1");
	struct xb_rootfs base = {0};
	struct xb_str text = {0};

	apply(f, "f:etc/passwd=root f:x=1", &base);
	assert_int_equal(unlink(xb_rootfs_find(&base, "etc/passwd")->source), 0);
	assert_int_equal(xb_listing_find(f->store, &layer, &text, &f->err), 0);
	xb_rootfs_release(&base);
	xb_str_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
