/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"
#include "xbuild/sys/digest.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* FIPS 180-4 and its examples. */
static void known_texts_have_known_digests(void **state)
{
	static char million[1000000];
	const struct {
		const char *text;
		size_t len;
		const char *hex;
	} cases[] = {
		{"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", 3, ABC},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{million, sizeof(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	};
	char hex[XB_DIGEST_HEX], oci[XB_DIGEST_OCI];

	(void)state;
	memset(million, 'a', sizeof(million));
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_digest got;

		xb_digest_bytes(cases[i].text, cases[i].len, &got);
		assert_string_equal(xb_digest_hex(&got, hex), cases[i].hex);
		assert_memory_equal(xb_digest_oci(&got, oci), "sha256:", 7);
		assert_string_equal(oci + 7, cases[i].hex);
	}
}

static void pieces_hash_like_the_whole(void **state)
{
	unsigned char bytes[300];
	struct xb_digest whole, pieces;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7);
	xb_digest_bytes(bytes, sizeof(bytes), &whole);
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		struct xb_hasher h;

		xb_hasher_init(&h);
		xb_hasher_update(&h, bytes, cut);
		xb_hasher_update(&h, bytes + cut, sizeof(bytes) - cut);
		xb_hasher_final(&h, &pieces);
		assert_null(h.state);
		assert_true(xb_digest_eq(&whole, &pieces));
	}
}

static void a_hasher_can_be_given_up(void **state)
{
	struct xb_hasher h = {0};

	(void)state;
	xb_hasher_release(&h);
	xb_hasher_init(&h);
	xb_hasher_update(&h, "x", 1);
	xb_hasher_release(&h);
	xb_hasher_release(&h);
	xb_hasher_release(NULL);
}

/* Sizes on both sides of every buffer that a reader may use. */
static void a_descriptor_is_hashed_from_its_offset(void **state)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 300001};
	static unsigned char bytes[300001];
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i >> 3 ^ i);
	for (size_t i = 0; i < XB_COUNT(sizes); i++) {
		const size_t skip = sizes[i] / 3;
		int fd XB_CLEANUP(xb_fs_close) = sample_fd(bytes, sizes[i]);
		struct xb_digest expected, got;
		uint64_t size = 99;

		xb_digest_bytes(bytes + skip, sizes[i] - skip, &expected);
		assert_int_equal(lseek(fd, (off_t)skip, SEEK_SET), skip);
		assert_int_equal(xb_digest_fd(fd, &got, &size, &err), 0);
		assert_true(xb_digest_eq(&expected, &got));
		assert_int_equal(size, sizes[i] - skip);
	}
}

static void a_file_is_hashed_or_named_in_the_error(void **state)
{
	char *dir = sample_dir();
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/f", dir);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_digest got;
	char hex[XB_DIGEST_HEX];

	(void)state;
	assert_int_equal(xb_digest_file(path, &got, NULL, &err), XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, path));
	xb_err_clear(&err);
	assert_int_equal(xb_digest_file(dir, &got, NULL, &err), XB_E_SYSTEM);
	assert_non_null(strstr(err.msg, dir));
	xb_err_clear(&err);
	sample_write(path, "abc", 3);
	assert_int_equal(xb_digest_file(path, &got, NULL, &err), 0);
	assert_string_equal(xb_digest_hex(&got, hex), ABC);
	sample_dir_remove(dir);
}

static void text_is_parsed_in_one_spelling(void **state)
{
	static const char *const wrong[] = {
		"",
		"sha256:",
		"sha256:ba78",
		"sha512:" ABC,
		"SHA256:" ABC,
		ABC "0",
		"sha256:sha256:" ABC,
		" " ABC,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
		"BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	};
	struct xb_digest expected, got;

	(void)state;
	xb_digest_bytes("abc", 3, &expected);
	assert_true(xb_digest_parse(xb_sv(ABC), &got));
	assert_true(xb_digest_eq(&expected, &got));
	memset(&got, 0, sizeof(got));
	assert_true(xb_digest_is_zero(&got));
	assert_true(xb_digest_parse(xb_sv("sha256:" ABC), &got));
	assert_true(xb_digest_eq(&expected, &got));
	assert_false(xb_digest_is_zero(&got));
	for (size_t i = 0; i < XB_COUNT(wrong); i++) {
		assert_false(xb_digest_parse(xb_sv(wrong[i]), &got));
		assert_true(xb_digest_eq(&expected, &got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_have_known_digests),
		cmocka_unit_test(pieces_hash_like_the_whole),
		cmocka_unit_test(a_hasher_can_be_given_up),
		cmocka_unit_test(a_descriptor_is_hashed_from_its_offset),
		cmocka_unit_test(a_file_is_hashed_or_named_in_the_error),
		cmocka_unit_test(text_is_parsed_in_one_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
