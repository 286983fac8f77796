/* SPDX-License-Identifier: Apache-2.0 */
#include "../run_program.h"
#include "../skip.h"
#include "../store/fixture.h"
#include "xbuild/image/tar.h"
#include "xbuild/sys/proc.h"

static void header(const struct xb_tar_entry *entry, struct xb_str *out)
{
	struct xb_err err = {0};

	assert_ok(xb_tar_header(entry, out, &err), &err);
	assert_int_equal(out->len % XB_TAR_BLOCK_BYTES, 0);
}

static unsigned sum_of(const char *block)
{
	unsigned sum = 0;

	for (int i = 0; i < XB_TAR_BLOCK_BYTES; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)block[i];
	return sum;
}

/* Every byte of one block, put together from the field table of POSIX.1-1988 by hand. */
static void test_golden_file(void **state)
{
	struct xb_str out = {0};
	char expected[XB_TAR_BLOCK_BYTES] = "usr/bin/app";

	(void)state;
	memcpy(expected + 100, "0000755", 8);
	memcpy(expected + 108, "0023421", 8);
	memcpy(expected + 116, "0000144", 8);
	memcpy(expected + 124, "00000001750", 12);
	memcpy(expected + 136, "00000000001", 12);
	expected[156] = '0';
	memcpy(expected + 257, "ustar\00000", 8);
	memcpy(expected + 329, "0000000", 8);
	memcpy(expected + 337, "0000000", 8);
	snprintf(expected + 148, 8, "%06o", sum_of(expected));
	expected[155] = ' ';
	header(&(struct xb_tar_entry){"usr/bin/app", XB_TAR_FILE, 0755, 10001, 100, NULL, 1000}, &out);
	assert_int_equal(out.len, XB_TAR_BLOCK_BYTES);
	assert_memory_equal(out.data, expected, XB_TAR_BLOCK_BYTES);
	xb_str_release(&out);
}

static void test_types(void **state)
{
	struct xb_str out = {0};

	(void)state;
	header(&(struct xb_tar_entry){"tmp", XB_TAR_DIR, 01777, 0, 0, NULL, 7}, &out);
	assert_string_equal(out.data, "tmp/");
	assert_string_equal(out.data + 100, "0001777");
	assert_string_equal(out.data + 124, "00000000000");
	assert_int_equal(out.data[156], '5');
	xb_str_reset(&out);
	header(&(struct xb_tar_entry){"lib", XB_TAR_SYMLINK, 0777, 0, 0, "usr/lib", 0}, &out);
	assert_string_equal(out.data, "lib");
	assert_string_equal(out.data + 157, "usr/lib");
	assert_int_equal(out.data[156], '2');
	xb_str_release(&out);
}

/* A name of `dir` bytes of directory and `base` bytes behind it. */
static char *name_of(size_t dir, size_t base)
{
	char *name = xb_alloc(dir + base + 2);

	memset(name, 'd', dir);
	name[dir] = '/';
	memset(name + dir + 1, 'b', base);
	return name;
}

static void test_prefix_split(void **state)
{
	static const struct {
		size_t dir, base;
		bool pax;
	} rows[] = {{1, 98, false},   {1, 99, false},  {20, 100, false}, {155, 100, false},
		    {155, 101, true}, {156, 99, true}, {1, 101, true}};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		char *name = name_of(rows[i].dir, rows[i].base);
		struct xb_str out = {0};

		header(&(struct xb_tar_entry){name, XB_TAR_FILE, 0644, 0, 0, NULL, 0}, &out);
		assert_int_equal(out.data[156] == 'x', rows[i].pax);
		if (!rows[i].pax && rows[i].dir + rows[i].base + 1 > 100) {
			assert_int_equal(strnlen(out.data + 345, 155), rows[i].dir);
			assert_int_equal(strnlen(out.data, 100), rows[i].base);
		}
		xb_str_release(&out);
		free(name);
	}
}

/* The number in front of each record is the record's own length, also where it gains a digit. */
static void test_pax_record_lengths(void **state)
{
	(void)state;
	for (size_t base = 101; base < 255; base++) {
		char *name = name_of(120, base);
		struct xb_str out = {0};

		header(&(struct xb_tar_entry){name, XB_TAR_FILE, 0644, 0, 0, NULL, 0}, &out);
		const char *record = out.data + XB_TAR_BLOCK_BYTES;
		const size_t len = (size_t)strtoul(record, NULL, 10);

		assert_int_equal(out.data[156], 'x');
		assert_int_equal(strtoul(out.data + 124, NULL, 8), len);
		assert_int_equal(record[len - 1], '\n');
		assert_int_equal(record[len], '\0');
		assert_memory_equal(strchr(record, ' '), " path=", 6);
		assert_memory_equal(record + len - 1 - strlen(name), name, strlen(name));
		xb_str_release(&out);
		free(name);
	}
}

static void test_pax_numbers(void **state)
{
	struct xb_str out = {0};
	const char *records;

	(void)state;
	header(&(struct xb_tar_entry){"big", XB_TAR_FILE, 0644, 02000000 * 8, 4000000000U, NULL, 8ULL << 30}, &out);
	assert_int_equal(out.len, 3 * XB_TAR_BLOCK_BYTES);
	assert_string_equal(out.data, "PaxHeaders.0/big");
	records = out.data + XB_TAR_BLOCK_BYTES;
	assert_string_equal(records, "18 gid=4000000000\n19 size=8589934592\n15 uid=4194304\n");
	assert_string_equal(out.data + 2 * XB_TAR_BLOCK_BYTES + 108, "0000000");
	assert_string_equal(out.data + 2 * XB_TAR_BLOCK_BYTES + 124, "00000000000");
	xb_str_reset(&out);
	header(&(struct xb_tar_entry){"fits", XB_TAR_FILE, 0644, 07777777, 07777777, NULL, (8ULL << 30) - 1}, &out);
	assert_int_equal(out.len, XB_TAR_BLOCK_BYTES);
	assert_string_equal(out.data + 124, "77777777777");
	xb_str_release(&out);
}

static void test_refused_names(void **state)
{
	static const char *const names[] = {"/etc",  "./a",	  "a/../b",	  "",	 "a//b", "a/",
					    ".wh.a", "a/.wh.b/c", ".wh..wh..opq", "a\nb"};
	struct xb_str out = {0};
	struct xb_err err = {0};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(names); i++) {
		const struct xb_tar_entry e = {names[i], XB_TAR_FILE, 0644, 0, 0, NULL, 0};

		assert_failed(xb_tar_header(&e, &out, &err), &err, XB_E_INPUT, "layer");
		assert_int_equal(out.len, 0);
	}
	header(&(struct xb_tar_entry){"a.wh.b", XB_TAR_FILE, 0644, 0, 0, NULL, 0}, &out);
	xb_str_release(&out);
}

static void test_padding(void **state)
{
	(void)state;
	assert_int_equal(xb_tar_padding(0), 0);
	assert_int_equal(xb_tar_padding(1), 511);
	assert_int_equal(xb_tar_padding(511), 1);
	assert_int_equal(xb_tar_padding(512), 0);
	assert_int_equal(xb_tar_padding((8ULL << 30) + 3), 509);
}

/* GNU tar as the judge: it must read back names, links, owners and modes as they went in. */
static void test_gnu_tar_listing(void **state)
{
	struct fixture *f = *state;
	char *tar = xb_proc_find("tar"), *path = xb_printf("%s/a.tar", f->dir), *long_name = name_of(200, 150);
	char *long_link = name_of(10, 140);
	static const char zeros[XB_TAR_END_BYTES];
	const char *const version[] = {tar, "--version", NULL};
	const char *const argv[] = {tar, "--numeric-owner", "--full-time", "--utc", "-tvf", path, NULL};
	const char *const env[] = {"LC_ALL=C.UTF-8", "TZ=UTC", NULL};
	const struct xb_tar_entry entries[] = {
		{"etc", XB_TAR_DIR, 0755, 0, 0, NULL, 0},      {"etc/passwd", XB_TAR_FILE, 0640, 3000000, 7, NULL, 0},
		{long_name, XB_TAR_FILE, 0600, 1, 2, NULL, 0}, {"link", XB_TAR_SYMLINK, 0777, 0, 0, long_link, 0},
		{"tmp", XB_TAR_DIR, 01777, 0, 0, NULL, 0},
	};
	struct xb_proc_result r = {0};
	struct xb_str out = {0}, expected = {0};

	if (!tar)
		skip_without("tar");
	assert_ok(run_program(&(struct xb_proc_spec){.argv = version}, &r, &f->err), &f->err);
	if (!strstr(xb_str_get(&r.output), "GNU tar"))
		skip_without("GNU tar");
	xb_proc_result_release(&r);
	for (size_t i = 0; i < XB_COUNT(entries); i++)
		header(&entries[i], &out);
	xb_str_append_n(&out, zeros, sizeof(zeros));
	assert_ok(xb_atomic_file_write(path, out.data, out.len, 0644, 0, &f->err), &f->err);
	assert_ok(run_program(&(struct xb_proc_spec){.argv = argv, .env = env}, &r, &f->err), &f->err);
	assert_int_equal(r.exit_code, 0);
	xb_str_printf(&expected,
		      "drwxr-xr-x 0/0 0 1970-01-01 00:00:01 etc/\n"
		      "-rw-r----- 3000000/7 0 1970-01-01 00:00:01 etc/passwd\n"
		      "-rw------- 1/2 0 1970-01-01 00:00:01 %s\n"
		      "lrwxrwxrwx 0/0 0 1970-01-01 00:00:01 link -> %s\n"
		      "drwxrwxrwt 0/0 0 1970-01-01 00:00:01 tmp/\n",
		      long_name, long_link);
	/* The columns are padded as tar likes. */
	char *from = r.output.data, *to = r.output.data;

	for (; *from; from++) {
		if (*from != ' ' || to[-1] != ' ')
			*to++ = *from;
	}
	*to = '\0';
	assert_string_equal(r.output.data, expected.data);
	xb_proc_result_release(&r);
	xb_str_release(&out);
	xb_str_release(&expected);
	free(tar);
	free(path);
	free(long_name);
	free(long_link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_file),  cmocka_unit_test(test_types),
		cmocka_unit_test(test_prefix_split), cmocka_unit_test(test_pax_record_lengths),
		cmocka_unit_test(test_pax_numbers),  cmocka_unit_test(test_refused_names),
		cmocka_unit_test(test_padding),	     TEST(test_gnu_tar_listing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
