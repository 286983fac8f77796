/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/archive.h"

#define BLOCK	  512
#define MAX_BYTES (64 * XB_MIB)

/* ---- tars and packages made by hand ---- */

struct made {
	const char *name;
	char type; /* typeflag; 0 means '0' */
	const char *link;
	const char *data;
	size_t size;	   /* of data */
	const char *octal; /* size field, when it shall lie */
};

static void add_padding(struct xb_str *out)
{
	while (out->len % BLOCK)
		xb_str_append_char(out, '\0');
}

static void add_entry(struct xb_str *out, struct made m)
{
	char h[BLOCK] = {0};
	unsigned sum = 0;
	memcpy(h, m.name, strlen(m.name) < 100 ? strlen(m.name) : 100);
	memcpy(h + 100, "0000644", 7);
	memcpy(h + 108, "0000000", 7);
	memcpy(h + 116, "0000000", 7);
	snprintf(h + 124, 12, "%011llo", (unsigned long long)m.size);
	if (m.octal)
		memcpy(h + 124, m.octal, strlen(m.octal));
	memcpy(h + 136, "14000000000", 11);
	memset(h + 148, ' ', 8);
	h[156] = m.type ? m.type : '0';
	if (m.link)
		memcpy(h + 157, m.link, strlen(m.link));
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	xb_str_append_n(out, h, BLOCK);
	xb_str_append_n(out, m.data ? m.data : "", m.data ? m.size : 0);
	add_padding(out);
}

/* One "key=value" record of a pax header, before the entry that it is for. */
static void add_pax(struct xb_str *out, const char *key, const char *value)
{
	size_t len = strlen(key) + strlen(value) + 3;
	size_t total = len + 1;
	char digits[32];
	while (total != len + (size_t)snprintf(digits, sizeof(digits), "%zu", total))
		total = len + strlen(digits);
	char *record = xb_printf("%s %s=%s\n", digits, key, value);
	add_entry(out, (struct made){.name = "pax", .type = 'x', .data = record, .size = strlen(record)});
	free(record);
}

static void add_end(struct xb_str *out, size_t blocks)
{
	for (size_t i = 0; i < blocks * BLOCK; i++)
		xb_str_append_char(out, '\0');
}

static void add_member(struct xb_str *out, const char *name, const void *data, size_t size)
{
	xb_str_printf(out, "%-16s%-12s%-6s%-6s%-8s%-10zu`\n", name, "0", "0", "0", "100644", size);
	xb_str_append_n(out, data, size);
	if (size % 2)
		xb_str_append_char(out, '\n');
}

static void make_deb(struct xb_str *out, const char *version, const char *control, const char *data)
{
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	add_entry(&tar, (struct made){.name = "./control", .data = "Package: a\n", .size = 11});
	add_end(&tar, 2);
	xb_str_append(out, "!<arch>\n");
	add_member(out, "debian-binary", version, strlen(version));
	add_member(out, control, tar.data, tar.len);
	add_member(out, data, tar.data, tar.len);
}

/* ---- reading everything ---- */

enum how { TAR, STREAM, DEB_DATA, DEB_CONTROL };

static int open_as(enum how how, int fd, int64_t max_bytes, struct xb_archive **out, struct xb_err *err)
{
	switch (how) {
	case TAR:
		return xb_archive_open_tar(fd, "sample", max_bytes, 1, out, err);
	case STREAM:
		return xb_archive_open_stream(fd, "sample", max_bytes, out, err);
	default:
		return xb_archive_open_deb(fd, how == DEB_DATA ? "data" : "control", "sample", max_bytes, 1, out, err);
	}
}

/* Appends the content of the current file to out; counts only where out is NULL. */
static int64_t read_content(struct xb_archive *a, struct xb_str *out, struct xb_err *err)
{
	static char buf[100000];
	int64_t total = 0, n;
	while ((n = xb_archive_read(a, buf, sizeof(buf), err)) > 0) {
		total += n;
		if (out)
			xb_str_append_n(out, buf, (size_t)n);
	}
	return n < 0 ? n : total;
}

static char type_letter(enum xb_archive_type type)
{
	return "fdlho"[type];
}

/* Lists "letter path[ -> target] [size]" lines and the contents, up to the end; the result is that of the last call. */
static int read_all_fd(enum how how, int fd, int64_t max_bytes, struct xb_str *out, struct xb_err *err)
{
	struct xb_archive *a = NULL;
	struct xb_archive_entry e;
	int rc = open_as(how, fd, max_bytes, &a, err);
	if (rc < 0)
		return rc;
	if (how == STREAM) {
		int64_t n = read_content(a, out, err);
		rc = n < 0 ? (int)n : 0;
	} else {
		while ((rc = xb_archive_next(a, &e, err)) > 0) {
			xb_str_printf(out, "%c %s%s%s %lld\n", type_letter(e.type), e.path, e.link_target ? " -> " : "",
				      e.link_target ? e.link_target : "", (long long)e.size_bytes);
			int64_t n = read_content(a, out, err);
			if (n < 0) {
				rc = (int)n;
				break;
			}
			assert_true(n == e.size_bytes);
		}
	}
	xb_archive_close(a);
	return rc;
}

static int read_all(enum how how, const void *bytes, size_t len, int64_t max_bytes, struct xb_str *out,
		    struct xb_err *err)
{
	int fd = sample_fd(bytes, len);
	int rc = read_all_fd(how, fd, max_bytes, out, err);
	close(fd);
	return rc;
}

static void expect_listing(enum how how, const struct xb_str *bytes, const char *listing)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	int rc = read_all(how, xb_str_get(bytes), bytes->len, MAX_BYTES, &out, &err);
	if (rc < 0)
		print_error("%s\n", err.msg);
	assert_int_equal(rc, 0);
	assert_string_equal(xb_str_get(&out), listing);
}

/* The message must hold `word`. */
static void expect_refused(enum how how, const void *bytes, size_t len, const char *word)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	int rc = read_all(how, bytes, len, MAX_BYTES, &out, &err);
	if (rc == 0)
		print_error("%zu bytes that want '%s' were accepted: %.60s\n", len, word, xb_str_get(&out));
	assert_int_equal(rc, XB_E_VERIFY);
	assert_non_null(strstr(err.msg, "'sample'"));
	if (!strstr(err.msg, word))
		print_error("'%s' has no '%s'\n", err.msg, word);
	assert_non_null(strstr(err.msg, word));
}

/* ---- tars of GNU tar and packages of dpkg-deb ---- */

struct tree {
	char *dir, *root, *out;
};

static void fill_tree(struct tree *t)
{
	t->dir = sample_dir();
	t->root = xb_printf("%s/root", t->dir);
	t->out = xb_printf("%s/out", t->dir);
	assert_int_equal(mkdir(t->root, 0755), 0);
	char *file = xb_printf("%s/a", t->root);
	char *link = xb_printf("%s/b", t->root);
	char *hard = xb_printf("%s/c", t->root);
	sample_write(file, "hello\n", 6);
	assert_int_equal(symlink("a", link), 0);
	assert_int_equal(linkat(AT_FDCWD, file, AT_FDCWD, hard, 0), 0);
	free(file);
	free(link);
	free(hard);
}

static void tree_remove(struct tree *t)
{
	free(t->root);
	free(t->out);
	sample_dir_remove(t->dir);
}

#define TREE_LISTING "d ./ 0\nf ./a 6\nhello\nl ./b -> a 0\nh ./c -> ./a 0\n"

static void test_gnu_tar(void **state)
{
	(void)state;
	static const char *const filters[] = {"--no-auto-compress", "--gzip", "--xz", "--zstd", "--bzip2"};
	static const char *const formats[] = {"--format=gnu", "--format=pax", "--format=ustar", "--format=oldgnu"};
	struct tree t;
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};
	fill_tree(&t);
	for (size_t i = 0; i < XB_COUNT(filters) * XB_COUNT(formats); i++) {
		const char *filter = filters[i % XB_COUNT(filters)];
		const char *format = formats[i / XB_COUNT(filters)];
		if (SAMPLE_RUN("tar", "-c", "-f", t.out, filter, format, "--sort=name", "-C", t.root, ".") != 0)
			continue; /* that compressor is not installed */
		sample_read(t.out, &bytes);
		expect_listing(TAR, &bytes, TREE_LISTING);
	}
	tree_remove(&t);
}

static void test_gnu_tar_cut(void **state)
{
	(void)state;
	static const char *const filters[] = {"--no-auto-compress", "--gzip", "--xz", "--zstd", "--bzip2"};
	struct tree t;
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};
	fill_tree(&t);
	for (size_t i = 0; i < XB_COUNT(filters); i++) {
		if (SAMPLE_RUN("tar", "-c", "-f", t.out, filters[i], "-b1", "-C", t.root, ".") != 0)
			continue;
		sample_read(t.out, &bytes);
		/* gzip's trailer is no part of the tar; its last 8 bytes are not needed to know the tar complete. */
		size_t whole = i == 1 ? bytes.len - 8 : bytes.len;
		for (size_t len = 0; len < whole; len += i == 0 ? 61 : 1)
			expect_refused(TAR, bytes.data, len, "");
	}
	tree_remove(&t);
}

static void test_sparse(void **state)
{
	(void)state;
	static const char *const versions[] = {"--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0",
					       "--format=gnu"};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct tree t;
	fill_tree(&t);
	char *path = xb_printf("%s/a", t.root);
	/* A hole, data, and a hole at the end. */
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "data", 4, 1 << 20), 4);
	assert_int_equal(ftruncate(fd, 3 << 20), 0);
	close(fd);
	for (size_t i = 0; i < XB_COUNT(versions); i++) {
		const char *format = i < 3 ? "--format=pax" : "--format=gnu";
		assert_int_equal(SAMPLE_RUN("tar", "-cSf", t.out, format, versions[i], "-C", t.root, "a"), 0);
		fd = open(t.out, O_RDONLY | O_CLOEXEC);
		xb_str_reset(&out);
		assert_int_equal(read_all_fd(TAR, fd, MAX_BYTES, &out, &err), 0);
		size_t head = strlen("f a 3145728\n");
		assert_memory_equal(out.data, "f a 3145728\n", head);
		assert_int_equal(out.len, head + (3 << 20));
		assert_memory_equal(out.data + head + (1 << 20), "data", 4);
		assert_int_equal(out.data[head + (1 << 20) - 1], 0);
		assert_int_equal(out.data[out.len - 1], 0);
		/* The hole counts. */
		assert_int_equal(read_all_fd(TAR, fd, (3 << 20) - 1, &out, &err), XB_E_VERIFY);
		assert_non_null(strstr(err.msg, "allowed"));
		xb_err_clear(&err);
		close(fd);
	}
	free(path);
	tree_remove(&t);
}

static void test_dpkg_deb(void **state)
{
	(void)state;
	static const char *const filters[] = {"-Zxz", "-Zgzip", "-Zzstd", "-Znone"};
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};
	struct tree t;
	fill_tree(&t);
	char *path = xb_printf("%s/DEBIAN", t.root);
	char *control = xb_printf("%s/control", path);
	static const char text[] = "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a\n";
	assert_int_equal(mkdir(path, 0755), 0);
	sample_write(control, text, sizeof(text) - 1);
	for (size_t i = 0; i < XB_COUNT(filters); i++) {
		if (SAMPLE_RUN("dpkg-deb", "--root-owner-group", filters[i], "-b", t.root, t.out) != 0)
			continue;
		sample_read(t.out, &bytes);
		expect_listing(DEB_DATA, &bytes, "d ./ 0\nf ./a 6\nhello\nh ./c -> ./a 0\nl ./b -> a 0\n");
		char *listing = xb_printf("d ./ 0\nf ./control %zu\n%s", sizeof(text) - 1, text);
		expect_listing(DEB_CONTROL, &bytes, listing);
		free(listing);
	}
	free(path);
	free(control);
	tree_remove(&t);
}

/* ---- tars made by hand ---- */

static void test_types(void **state)
{
	(void)state;
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	add_entry(&tar, (struct made){.name = "f", .data = "x", .size = 1});
	add_entry(&tar, (struct made){.name = "d/", .type = '5'});
	add_entry(&tar, (struct made){.name = "../l", .type = '2', .link = "/etc/passwd"});
	add_entry(&tar, (struct made){.name = "/h", .type = '1', .link = "../f"});
	add_entry(&tar, (struct made){.name = "c", .type = '3'});
	add_entry(&tar, (struct made){.name = "b", .type = '4'});
	add_entry(&tar, (struct made){.name = "p", .type = '6'});
	add_entry(&tar, (struct made){.name = "._mac", .data = "y\n", .size = 2});
	add_end(&tar, 2);
	expect_listing(TAR, &tar,
		       "f f 1\nxd d/ 0\nl ../l -> /etc/passwd 0\nh /h -> ../f 0\no c 0\no b 0\no p 0\nf ._mac 2\ny\n");
}

static void test_cut_at_every_block(void **state)
{
	(void)state;
	static char data[3 * BLOCK]; /* ends in zeros, so that zeros alone do not look like an end */
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	add_pax(&tar, "path", "a/long/name");
	add_entry(&tar, (struct made){.name = "f", .data = data, .size = sizeof(data)});
	add_entry(&tar, (struct made){.name = "g", .data = data, .size = sizeof(data)});
	add_end(&tar, 2);
	for (size_t len = 0; len < tar.len; len += BLOCK) {
		expect_refused(TAR, tar.data, len, "");
		expect_refused(TAR, tar.data, len + 1, "");
		expect_refused(TAR, tar.data, len + BLOCK - 1, "");
	}
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	assert_int_equal(read_all(TAR, tar.data, tar.len, MAX_BYTES, &out, &err), 0);
}

/* Without reading the contents the same must hold: what is skipped is looked at too. */
static void test_cut_while_skipping(void **state)
{
	(void)state;
	static char data[3 * BLOCK];
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	add_entry(&tar, (struct made){.name = "f", .data = data, .size = sizeof(data)});
	add_end(&tar, 2);
	for (size_t len = 0; len <= tar.len; len += BLOCK) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_archive *a = NULL;
		struct xb_archive_entry e;
		int fd = sample_fd(tar.data, len);
		int rc = xb_archive_open_tar(fd, "sample", MAX_BYTES, 1, &a, &err);
		while (rc >= 0 && (rc = xb_archive_next(a, &e, &err)) > 0)
			continue;
		assert_int_equal(rc, len == tar.len ? 0 : XB_E_VERIFY);
		xb_archive_close(a);
		close(fd);
	}
}

static void test_after_the_end(void **state)
{
	(void)state;
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	add_entry(&tar, (struct made){.name = "f", .data = "x", .size = 1});
	add_end(&tar, 20);
	expect_listing(TAR, &tar, "f f 1\nx");
	size_t len = tar.len;
	xb_str_append_char(&tar, 'x');
	expect_refused(TAR, tar.data, tar.len, "behind the end");
	tar.len = len;
	add_entry(&tar, (struct made){.name = "second", .data = "x", .size = 1});
	add_end(&tar, 2);
	expect_refused(TAR, tar.data, tar.len, "behind the end");
}

static void test_lying_headers(void **state)
{
	(void)state;
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	add_entry(&tar, (struct made){.name = "f", .data = "x", .size = 1});
	add_entry(&tar, (struct made){.name = "g", .data = "x", .size = 1});
	add_end(&tar, 2);
	tar.data[2 * BLOCK]++; /* the checksum of the second header is wrong */
	expect_refused(TAR, tar.data, tar.len, "");

	static const char *const sizes[] = {"99999999999999", "-1", "0x10", "9223372036854775807",
					    "99999999999999999999"};
	for (size_t i = 0; i < XB_COUNT(sizes); i++) {
		xb_str_reset(&tar);
		add_pax(&tar, "size", sizes[i]);
		add_entry(&tar, (struct made){.name = "f", .data = "x", .size = 1});
		add_end(&tar, 2);
		expect_refused(TAR, tar.data, tar.len, "");
	}
	xb_str_reset(&tar);
	add_entry(
		&tar,
		(struct made){.name = "f", .data = "x", .size = 1, .octal = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff"});
	add_end(&tar, 2);
	expect_refused(TAR, tar.data, tar.len, "");
	xb_str_reset(&tar);
	/* A pax record whose length lies. */
	add_entry(&tar, (struct made){.name = "p", .type = 'x', .data = "99 path=x\n", .size = 10});
	add_entry(&tar, (struct made){.name = "f", .data = "x", .size = 1});
	add_end(&tar, 2);
	expect_refused(TAR, tar.data, tar.len, "");
}

static void test_pax_names(void **state)
{
	(void)state;
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	add_pax(&tar, "path", "p/\xc3\xa9\xe2\x82\xac");
	add_entry(&tar, (struct made){.name = "f", .data = "x", .size = 1});
	add_pax(&tar, "path", "p/\xff\xfe");
	add_entry(&tar, (struct made){.name = "f", .data = "x", .size = 1});
	add_pax(&tar, "linkpath", "t/\xc3\xa9");
	add_entry(&tar, (struct made){.name = "l", .type = '2', .link = "t"});
	add_pax(&tar, "linkpath", "t/\xff");
	add_entry(&tar, (struct made){.name = "h", .type = '1', .link = "t"});
	add_entry(&tar, (struct made){.name = "\xe4\xff", .data = "x", .size = 1});
	add_entry(&tar, (struct made){.name = "\xc3\xa9", .data = "x", .size = 1});
	add_entry(&tar, (struct made){.name = "s", .type = '2', .link = "\xe4"});
	add_end(&tar, 2);
	expect_listing(TAR, &tar,
		       "f p/\xc3\xa9\xe2\x82\xac 1\nxf p/\xff\xfe 1\nxl l -> t/\xc3\xa9 0\nh h -> t/\xff 0\n"
		       "f \xe4\xff 1\nxf \xc3\xa9 1\nxl s -> \xe4 0\n");
}

static void test_huge_sparse(void **state)
{
	(void)state;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	static const char record[] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
				     "41 GNU.sparse.realsize=8000000000000000000\n";
	char map[BLOCK] = "1\n7999999999999999999\n1\n";
	add_entry(&tar, (struct made){.name = "p", .type = 'x', .data = record, .size = sizeof(record) - 1});
	add_entry(&tar, (struct made){.name = "f", .data = map, .size = sizeof(map)});
	add_end(&tar, 2);
	assert_int_equal(read_all(TAR, tar.data, tar.len, MAX_BYTES, &out, &err), XB_E_VERIFY);
}

static void test_max_bytes(void **state)
{
	(void)state;
	static char data[100000];
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	add_entry(&tar, (struct made){.name = "f", .data = data, .size = sizeof(data)});
	add_entry(&tar, (struct made){.name = "g", .data = data, .size = sizeof(data)});
	add_end(&tar, 2);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	assert_int_equal(read_all(TAR, tar.data, tar.len, 2 * sizeof(data), &out, &err), 0);
	assert_int_equal(read_all(TAR, tar.data, tar.len, 2 * sizeof(data) - 1, &out, &err), XB_E_VERIFY);
	assert_string_equal(err.msg, "read 'sample': it unpacks to more than the allowed 199999 bytes");
}

/* Another's archive comes through a pipe. */
static void test_pipe(void **state)
{
	(void)state;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	int ends[2];
	add_entry(&tar, (struct made){.name = "f", .data = "x", .size = 1});
	add_end(&tar, 2);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], tar.data, tar.len), (ssize_t)tar.len);
	close(ends[1]);
	assert_int_equal(read_all_fd(TAR, ends[0], MAX_BYTES, &out, &err), 0);
	close(ends[0]);
	assert_string_equal(xb_str_get(&out), "f f 1\nx");
}

static void test_unreadable(void **state)
{
	(void)state;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	char *dir = sample_dir();
	int fd = open(dir, O_RDONLY | O_CLOEXEC);
	assert_true(read_all_fd(TAR, fd, MAX_BYTES, &out, &err) < 0);
	close(fd);
	sample_dir_remove(dir);
}

/* ---- streams ---- */

static void test_streams(void **state)
{
	(void)state;
	static const char *const tools[] = {"gzip", "xz", "zstd", "bzip2"};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};
	for (int i = 0; i < 5000; i++)
		xb_str_printf(&text, "Package: p%d\n", i);
	expect_listing(STREAM, &text, text.data);
	char *dir = sample_dir();
	char *path = xb_printf("%s/f", dir);
	for (size_t i = 0; i < XB_COUNT(tools); i++) {
		char *packed = xb_printf("%s/f%s", dir, (const char *[]){".gz", ".xz", ".zst", ".bz2"}[i]);
		sample_write(path, text.data, text.len);
		if (SAMPLE_RUN(tools[i], "-k", path) == 0) {
			sample_read(packed, &bytes);
			expect_listing(STREAM, &bytes, text.data);
			/* Nothing shorter is known to be compressed by bzip2. */
			for (size_t len = 14; len + 9 < bytes.len; len += 97)
				expect_refused(STREAM, bytes.data, len, "");
			/* Compressed again: no reader should see two layers at once. */
			char *twice = xb_printf("%s.gz", packed);
			if (SAMPLE_RUN("gzip", "-S", ".gz", "-kf", packed) == 0 && strcmp(tools[i], "gzip") != 0) {
				sample_read(twice, &bytes);
				expect_refused(STREAM, bytes.data, bytes.len, "more than once");
			}
			free(twice);
		}
		free(packed);
	}
	free(path);
	sample_dir_remove(dir);
}

static void test_empty_stream(void **state)
{
	(void)state;
	struct xb_str nothing XB_CLEANUP(xb_str_release) = {0};
	expect_listing(STREAM, &nothing, "");
	expect_refused(TAR, "", 0, "empty");
}

static void test_stream_max_bytes(void **state)
{
	(void)state;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	static char data[300000];
	memset(data, 'x', sizeof(data));
	assert_int_equal(read_all(STREAM, data, sizeof(data), sizeof(data), &out, &err), 0);
	assert_int_equal(read_all(STREAM, data, sizeof(data), sizeof(data) - 1, &out, &err), XB_E_VERIFY);
}

/* ---- packages made by hand ---- */

static void test_deb_order(void **state)
{
	(void)state;
	struct xb_str deb XB_CLEANUP(xb_str_release) = {0};
	make_deb(&deb, "2.0\n", "control.tar", "data.tar");
	expect_listing(DEB_DATA, &deb, "f ./control 11\nPackage: a\n");
	size_t len = deb.len;
	add_member(&deb, "_gpgorigin", "abc", 3);
	expect_listing(DEB_CONTROL, &deb, "f ./control 11\nPackage: a\n");
	add_member(&deb, "data.tar.xz", "abc", 3);
	expect_refused(DEB_DATA, deb.data, deb.len, "out of place");
	deb.len = len;
	add_member(&deb, "control.tar", "abc", 3);
	expect_refused(DEB_DATA, deb.data, deb.len, "out of place");
	deb.len = len;
	xb_str_append_char(&deb, 'x');
	expect_refused(DEB_DATA, deb.data, deb.len, "inside of a member header");

	xb_str_reset(&deb);
	make_deb(&deb, "2.0\n", "data.tar", "control.tar");
	expect_refused(DEB_DATA, deb.data, deb.len, "out of place");
	xb_str_reset(&deb);
	xb_str_append(&deb, "!<arch>\n");
	add_member(&deb, "control.tar", "", 0);
	expect_refused(DEB_DATA, deb.data, deb.len, "instead of 'debian-binary'");
	xb_str_reset(&deb);
	xb_str_append(&deb, "!<arch>\n");
	add_member(&deb, "debian-binary", "2.0\n", 4);
	expect_refused(DEB_DATA, deb.data, deb.len, "'control.tar' is missing");
	add_member(&deb, "_extra", "x", 1);
	add_member(&deb, "extra", "x", 1);
	expect_refused(DEB_DATA, deb.data, deb.len, "'extra' is out of place");
}

static void test_deb_version(void **state)
{
	(void)state;
	static const char *const good[] = {"2.0\n", "2.1\n", "2.0\nmore\n", "2.0/\n"};
	static const char *const bad[] = {"3.0\n", "2.0", "2\n", "", "20.0\n", "2.x\n", "2.\n", "\n2.0\n"};
	struct xb_str deb XB_CLEANUP(xb_str_release) = {0};
	for (size_t i = 0; i + 1 < XB_COUNT(good); i++) {
		xb_str_reset(&deb);
		make_deb(&deb, good[i], "control.tar", "data.tar");
		expect_listing(DEB_DATA, &deb, "f ./control 11\nPackage: a\n");
	}
	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		xb_str_reset(&deb);
		make_deb(&deb, bad[i], "control.tar", "data.tar");
		expect_refused(DEB_DATA, deb.data, deb.len, "not 2.x");
	}
}

static void test_deb_compression(void **state)
{
	(void)state;
	struct xb_str deb XB_CLEANUP(xb_str_release) = {0};
	make_deb(&deb, "2.0\n", "control.tar", "data.tar.lzma");
	expect_refused(DEB_DATA, deb.data, deb.len, "'data.tar.lzma' is not supported");
	/* Plain, although its name says otherwise: dpkg would fail too. */
	xb_str_reset(&deb);
	make_deb(&deb, "2.0\n", "control.tar.xz", "data.tar");
	expect_listing(DEB_DATA, &deb, "f ./control 11\nPackage: a\n");
	expect_refused(DEB_CONTROL, deb.data, deb.len, "");
}

static void test_deb_headers(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		const char *text;
		const char *word;
	} edits[] = {
		{0, "!<arch>x", "no Debian package"},  {8 + 58, "xx", "no member header"},
		{8 + 48, "-1        ", "valid size"},  {8 + 48, "9223372036", "valid size"},
		{8 + 48, "0x4       ", "valid size"},  {8 + 48, "          ", "valid size"},
		{8 + 48, "4 4       ", "valid size"},  {8 + 48, "5         ", "wrong size"},
		{8 + 48, "999999999 ", "ends inside"}, {8, "                ", "valid name"},
		{8, "#1/20           ", "valid name"}, {8, "debian-binaryxyz", "instead of"},
	};
	struct xb_str deb XB_CLEANUP(xb_str_release) = {0};
	for (size_t i = 0; i < XB_COUNT(edits); i++) {
		xb_str_reset(&deb);
		make_deb(&deb, "2.0\n", "control.tar", "data.tar");
		memcpy(deb.data + edits[i].at, edits[i].text, strlen(edits[i].text));
		expect_refused(DEB_DATA, deb.data, deb.len, edits[i].word);
	}
}

static void test_deb_cut(void **state)
{
	(void)state;
	struct xb_str deb XB_CLEANUP(xb_str_release) = {0};
	make_deb(&deb, "2.0\n", "control.tar", "data.tar");
	for (size_t len = 0; len < deb.len; len += len < 300 ? 1 : 13)
		expect_refused(DEB_DATA, deb.data, len, "");
}

/* ---- a part of a file ---- */

/*
 * A tar between other bytes: the digest is that of the tar alone, whether or not anybody read the contents; what lies
 * between two positions is headers, content and padding.
 */
static void test_part(void **state)
{
	(void)state;
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0}, file XB_CLEANUP(xb_str_release) = {0};
	static const int64_t positions[] = {0, 1024, 4096};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_digest expected, found;
	struct xb_archive_entry e;
	char buf[2048];
	add_entry(&tar, (struct made){.name = "a", .data = "one", .size = 3});
	memset(buf, 'x', sizeof(buf));
	add_pax(&tar, "path", "a longer name");
	add_entry(&tar, (struct made){.name = "b", .data = buf, .size = 1100});
	add_entry(&tar, (struct made){.name = "dir/", .type = '5'});
	add_end(&tar, 2);
	xb_digest_bytes(tar.data, tar.len, &expected);
	xb_str_append(&file, "before");
	xb_str_append_sv(&file, xb_str_sv(&tar));
	xb_str_append(&file, "behind");
	for (int reads = 0; reads < 2; reads++) {
		int fd = sample_fd(file.data, file.len);
		struct xb_archive *a = NULL;
		size_t n = 0;
		assert_int_equal(xb_archive_open_part(fd, 6, (int64_t)tar.len, "sample", MAX_BYTES, &a, &err), 0);
		while (xb_archive_next(a, &e, &err) > 0) {
			assert_true(n < XB_COUNT(positions));
			assert_int_equal(xb_archive_position(a), positions[n++]);
			if (reads)
				assert_int_equal(xb_archive_read(a, buf, sizeof(buf), &err), e.size_bytes);
		}
		assert_int_equal(err.code, XB_OK);
		assert_int_equal(n, XB_COUNT(positions));
		assert_int_equal(xb_archive_position(a), (int64_t)tar.len - 1024);
		xb_archive_sum(a, &found);
		assert_true(xb_digest_eq(&expected, &found));
		xb_archive_close(a);
		close(fd);
	}
	/* a part that is too short is a tar that is cut off, whatever the file has behind it */
	int fd = sample_fd(file.data, file.len);
	struct xb_archive *a = NULL;
	assert_int_equal(xb_archive_open_part(fd, 6, (int64_t)tar.len - 512, "sample", MAX_BYTES, &a, &err), 0);
	while (xb_archive_next(a, &e, &err) > 0)
		continue;
	assert_int_equal(err.code, XB_E_VERIFY);
	assert_non_null(strstr(err.msg, "cut off"));
	xb_archive_close(a);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gnu_tar),
		cmocka_unit_test(test_gnu_tar_cut),
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_dpkg_deb),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_cut_at_every_block),
		cmocka_unit_test(test_cut_while_skipping),
		cmocka_unit_test(test_after_the_end),
		cmocka_unit_test(test_lying_headers),
		cmocka_unit_test(test_pax_names),
		cmocka_unit_test(test_huge_sparse),
		cmocka_unit_test(test_max_bytes),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_empty_stream),
		cmocka_unit_test(test_stream_max_bytes),
		cmocka_unit_test(test_deb_order),
		cmocka_unit_test(test_deb_version),
		cmocka_unit_test(test_deb_compression),
		cmocka_unit_test(test_deb_headers),
		cmocka_unit_test(test_deb_cut),
		cmocka_unit_test(test_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
