/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/image/seen.h"

static void test_text_form(void **state)
{
	const struct xb_seen seen = {1, UINT64_MAX, 3, 4};
	struct xb_str text = {0};
	struct xb_seen back;

	(void)state;
	xb_seen_format(&seen, &text);
	assert_string_equal(text.data, "1 18446744073709551615 3 4");
	assert_true(xb_seen_parse(xb_str_sv(&text), &back));
	assert_true(xb_seen_eq(&seen, &back));
	assert_false(xb_seen_parse(xb_sv("1 2 3"), &back));
	assert_false(xb_seen_parse(xb_sv("1 2 3 4 5"), &back));
	assert_false(xb_seen_parse(xb_sv("1 2 -3 4"), &back));
	xb_str_release(&text);
}

static void test_every_member_counts(void **state)
{
	const struct xb_seen seen = {1, 2, 3, 4};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct xb_seen other = seen;
		uint64_t *const members[] = {&other.size_bytes, &other.mtime_ns, &other.ctime_ns, &other.inode};

		(*members[i])++;
		assert_false(xb_seen_eq(&seen, &other));
	}
}

static void test_current(void **state)
{
	struct fixture *f = *state;
	char *path = xb_printf("%s/file", f->dir), *memory = xb_printf("%s/state", f->dir);
	char *link = xb_printf("%s/link", f->dir);
	struct xb_digest key, other;
	struct xb_seen seen;

	xb_digest_bytes("key", 3, &key);
	xb_digest_bytes("other", 5, &other);
	write_text(path, "text");
	assert_false(xb_seen_is_current(memory, path, &key));
	assert_ok(xb_seen_remember(memory, path, &key, &f->err), &f->err);
	assert_true(xb_seen_is_current(memory, path, &key));
	assert_false(xb_seen_is_current(memory, path, &other));
	write_text(path, "longer text");
	assert_false(xb_seen_is_current(memory, path, &key));
	assert_ok(xb_seen_remember(memory, path, &key, &f->err), &f->err);
	write_text(memory, "something else\n");
	assert_false(xb_seen_is_current(memory, path, &key));
	/* a link to the very file is not the file */
	assert_int_equal(symlink(path, link), 0);
	assert_false(xb_seen_look(link, &seen));
	assert_int_equal(unlink(path), 0);
	assert_false(xb_seen_look(path, &seen));
	assert_failed(xb_seen_remember(memory, path, &key, &f->err), &f->err, XB_E_NOT_FOUND, "file");
	free(link);
	free(memory);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_form),
		cmocka_unit_test(test_every_member_counts),
		cmocka_unit_test_setup_teardown(test_current, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
