/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/base/base64.h"
#include "xbuild/image/signature.h"

/* RFC 8032 section 7.1, "TEST 3": Ed25519 signs the same each time, so whole files can be compared. */
static const char ed_private[] = "-----BEGIN PRIVATE KEY-----\n"
				 "MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3\n"
				 "-----END PRIVATE KEY-----\n";
/* RFC 6979 appendix A.2.5. */
static const char ec_private[] = "-----BEGIN PRIVATE KEY-----\n"
				 "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
				 "Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
				 "+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
				 "-----END PRIVATE KEY-----\n";

#define HEX "abababababababababababababababababababababababababababababababab"

static const struct xb_digest image = {{0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab,
					0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab,
					0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab}};
static const char payload[] = "{\"critical\":{\"identity\":{\"docker-reference\":\"ghcr.io/acme/parcel\"},"
			      "\"image\":{\"docker-manifest-digest\":\"sha256:" HEX "\"},"
			      "\"type\":\"cosign container image signature\"},\"optional\":null}";

static struct xb_key *open_key(struct fixture *f, const char *text)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/key", f->dir);
	struct xb_key *key = NULL;

	write_text(path, text);
	assert_ok(xb_key_read_private(path, NULL, &key, &f->err), &f->err);
	return key;
}

static void sign(struct fixture *f, struct xb_signatures *s, const struct xb_key *key, bool expected_added)
{
	bool added = !expected_added;

	assert_ok(xb_signatures_add(s, &image, "ghcr.io/acme/parcel", key, &added, &f->err), &f->err);
	assert_int_equal(added, expected_added);
}

/* The only file below blobs/ that has `part` in it. */
static char *find_blob(const char *dir, const char *part)
{
	char *blobs XB_CLEANUP(xb_free_ptr) = xb_printf("%s/blobs/sha256", dir);
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_err err = {0};
	char *found = NULL;

	assert_ok(xb_fs_list(blobs, &list, &err), &err);
	for (size_t i = 0; i < list.len; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", blobs, list.items[i].name);
		char *text XB_CLEANUP(xb_free_ptr) = read_text(path);

		if (!strstr(text, part))
			continue;
		assert_null(found);
		found = xb_strdup(path);
	}
	assert_non_null(found);
	return found;
}

static void the_layout_is_what_cosign_reads(void **state)
{
	struct fixture *f = *state;
	struct xb_key *key XB_CLEANUP(xb_key_free) = open_key(f, ed_private);
	struct xb_signatures s XB_CLEANUP(xb_signatures_release) = {0};
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/parcel.sig", f->dir);
	char *index XB_CLEANUP(xb_free_ptr) = xb_printf("%s/index.json", dir);
	bool changed;

	sign(f, &s, key, true);
	sign(f, &s, key, false);
	assert_ok(xb_signatures_write(&s, f->store, dir, &changed, &f->err), &f->err);
	assert_true(changed);
	assert_ok(xb_signatures_write(&s, f->store, dir, &changed, &f->err), &f->err);
	assert_false(changed);

	char *index_json XB_CLEANUP(xb_free_ptr) = read_text(index);
	assert_non_null(strstr(index_json, "{\"org.opencontainers.image.ref.name\":\"sha256-" HEX ".sig\"}"));
	char *payload_file XB_CLEANUP(xb_free_ptr) = find_blob(dir, "critical");
	char *payload_text XB_CLEANUP(xb_free_ptr) = read_text(payload_file);
	assert_string_equal(payload_text, payload);

	char *manifest_file XB_CLEANUP(xb_free_ptr) = find_blob(dir, "schemaVersion");
	char *manifest XB_CLEANUP(xb_free_ptr) = read_text(manifest_file);
	struct xb_str signature XB_CLEANUP(xb_str_release) = {0}, layer XB_CLEANUP(xb_str_release) = {0};
	assert_ok(xb_key_sign(key, xb_sv(payload), &signature, &f->err), &f->err);
	xb_str_printf(
		&layer,
		"\"layers\":[{\"mediaType\":\"application/vnd.dev.cosign.simplesigning.v1+json\","
		"\"digest\":\"sha256:%s\",\"size\":%zu,\"annotations\":{\"dev.cosignproject.cosign/signature\":\"",
		strrchr(payload_file, '/') + 1, strlen(payload));
	xb_base64_encode(signature.data, signature.len, &layer);
	xb_str_append(&layer, "\"}}]}");
	assert_non_null(strstr(manifest, layer.data));

	char *config_file XB_CLEANUP(xb_free_ptr) = find_blob(dir, "rootfs");
	char *config XB_CLEANUP(xb_free_ptr) = read_text(config_file);
	char *expected XB_CLEANUP(xb_free_ptr) =
		xb_printf("{\"architecture\":\"\",\"os\":\"\",\"config\":{},\"rootfs\":{\"type\":\"layers\","
			  "\"diff_ids\":[\"sha256:%s\"]}}",
			  strrchr(payload_file, '/') + 1);
	assert_string_equal(config, expected);
}

static void check(struct fixture *f, const char *dir, const struct xb_key *key, const char *problem)
{
	struct xb_signatures s XB_CLEANUP(xb_signatures_release) = {0};
	const char *repository = NULL;
	const int r = xb_signatures_read(dir, &s, &f->err) < 0
			      ? (int)f->err.code
			      : xb_signatures_check(&s, &image, key, &repository, &f->err);

	if (problem) {
		assert_failed(r, &f->err, XB_E_SIGNATURE, problem);
		return;
	}
	assert_ok(r, &f->err);
	assert_string_equal(repository, "ghcr.io/acme/parcel");
}

static void two_keys_sign_and_each_is_found(void **state)
{
	struct fixture *f = *state;
	struct xb_key *ed XB_CLEANUP(xb_key_free) = open_key(f, ed_private);
	struct xb_key *ec XB_CLEANUP(xb_key_free) = open_key(f, ec_private);
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/parcel.sig", f->dir);
	bool changed;

	check(f, dir, ed, "there is no signature of it");
	for (int round = 0; round < 2; round++) {
		struct xb_signatures s XB_CLEANUP(xb_signatures_release) = {0};

		assert_ok(xb_signatures_read(dir, &s, &f->err), &f->err);
		sign(f, &s, round == 0 ? ec : ed, true);
		sign(f, &s, ec, false);
		assert_ok(xb_signatures_write(&s, f->store, dir, &changed, &f->err), &f->err);
		check(f, dir, ec, NULL);
		check(f, dir, ed, round == 0 ? "none of its 1 signature is a good one" : NULL);
	}
}

/* Each is what somebody could put in the place of a signature; `text` is signed, with the key, as one of `image`. */
static void only_a_payload_about_the_image_counts(void **state)
{
	static const char *const payloads[] = {
		"",
		"[]",
		"{\"critical\":{}}",
		"{\"critical\":{\"image\":{\"docker-manifest-digest\":\"sha256:" HEX "\"},\"type\":\"another\"}}",
		"{\"critical\":{\"image\":{\"docker-manifest-digest\":\"sha256:"
		"abababababababababababababababababababababababababababababababac\"},"
		"\"type\":\"cosign container image signature\"}}",
		"{\"critical\":{\"image\":\"sha256:" HEX "\",\"type\":\"cosign container image signature\"}}",
		"{\"critical\":{\"image\":{\"docker-manifest-digest\":\"sha256:" HEX
		"\"},\"type\":\"cosign container image signature\"}} ",
	};
	struct fixture *f = *state;
	struct xb_key *key XB_CLEANUP(xb_key_free) = open_key(f, ed_private);

	for (size_t i = 0; i < XB_COUNT(payloads); i++) {
		struct xb_signatures s XB_CLEANUP(xb_signatures_release) = {0};
		struct xb_str bytes XB_CLEANUP(xb_str_release) = {0}, text XB_CLEANUP(xb_str_release) = {0};
		const char *repository = NULL;
		bool added;

		assert_ok(xb_key_sign(key, xb_sv(payloads[i]), &bytes, &f->err), &f->err);
		xb_base64_encode(bytes.data, bytes.len, &text);
		assert_ok(xb_signatures_add(&s, &image, "x", key, &added, &f->err), &f->err);
		s.images.items[0].items[0] = (struct xb_signature){xb_sv(payloads[i]), text.data};
		const int r = xb_signatures_check(&s, &image, key, &repository, &f->err);

		/* the last one is right, in another spelling */
		if (i + 1 < XB_COUNT(payloads))
			assert_failed(r, &f->err, XB_E_SIGNATURE, "none of its 1 signature");
		else
			assert_ok(r, &f->err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_layout_is_what_cosign_reads),
		TEST(two_keys_sign_and_each_is_found),
		TEST(only_a_payload_about_the_image_counts),
	};

	return cmocka_run_group_tests_name("image/signature", tests, NULL, NULL);
}
