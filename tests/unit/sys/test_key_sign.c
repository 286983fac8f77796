/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/base/hex.h"
#include "xbuild/sys/key_sign.h"

/* RFC 8032 section 7.1, "TEST 3". */
static const char ed_private[] = "-----BEGIN PRIVATE KEY-----\n"
				 "MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3\n"
				 "-----END PRIVATE KEY-----\n";
static const char ed_public[] = "-----BEGIN PUBLIC KEY-----\n"
				"MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=\n"
				"-----END PUBLIC KEY-----\n";
static const char ed_message[] = "\xaf\x82";
static const char ed_signature[] = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
				   "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
/* The same key under the password "secret" (openssl pkcs8 -topk8). */
static const char ed_encrypted[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
				   "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgv999y+yOnHQICCAAw\n"
				   "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFDELWP4AAh0+ff6FnP3gnQEQGS1\n"
				   "uNolFI5yk/TZQTWAvQLatyMn2e3dEztqQmjaqn3qOwd12dypRcp0PInzPxRiqy0H\n"
				   "doPkbWX2gU6Qwp3Mupg=\n"
				   "-----END ENCRYPTED PRIVATE KEY-----\n";

/* RFC 6979 appendix A.2.5, with SHA-256. */
static const char ec_private[] = "-----BEGIN PRIVATE KEY-----\n"
				 "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
				 "Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
				 "+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
				 "-----END PRIVATE KEY-----\n";
static const char ec_public[] = "-----BEGIN PUBLIC KEY-----\n"
				"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n"
				"Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
				"-----END PUBLIC KEY-----\n";
static const char ec_message[] = "sample";
static const char ec_signature[] = "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0e"
				   "a84eaf3716022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff406"
				   "4dc4ab2f843acda8";
/* The same key as RFC 5915 has it, behind the parameters that openssl ecparam writes. */
static const char ec_traditional[] = "-----BEGIN EC PARAMETERS-----\n"
				     "BggqhkjOPQMBBw==\n"
				     "-----END EC PARAMETERS-----\n"
				     "-----BEGIN EC PRIVATE KEY-----\n"
				     "MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
				     "AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n"
				     "maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
				     "-----END EC PRIVATE KEY-----\n";
static const char p384_private[] = "-----BEGIN PRIVATE KEY-----\n"
				   "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDArdYQBL5lZuAfKzRrt\n"
				   "6f6X0x8IE/F2dvaEOstly4RYyLMn1XgqjzpoKVZ8Z5VWy/ihZANiAAQ6yyhxlPf8\n"
				   "1QZtxXmQmk/AuzszQ8cw9FFajr4wOybm/7UIpuMTodZHZJbkL/fdFRVirwGJDcPZ\n"
				   "Qweh0UnbM71tGh1gtrkDAKReX2ulGjTNbBnkl1BVKd76ynQeILpisOc=\n"
				   "-----END PRIVATE KEY-----\n";

static char *write_key(struct fixture *f, const char *text)
{
	char *path = xb_printf("%s/key", f->dir);

	write_text(path, text);
	return path;
}

static struct xb_key *open_private(struct fixture *f, const char *text, const char *password)
{
	char *path XB_CLEANUP(xb_free_ptr) = write_key(f, text);
	struct xb_key *key = NULL;

	assert_ok(xb_key_read_private(path, password, &key, &f->err), &f->err);
	return key;
}

static struct xb_key *open_public(struct fixture *f, const char *text)
{
	char *path XB_CLEANUP(xb_free_ptr) = write_key(f, text);
	struct xb_key *key = NULL;

	assert_ok(xb_key_read_public(path, &key, &f->err), &f->err);
	return key;
}

static size_t decode(const char *hex, uint8_t out[128])
{
	const size_t len = strlen(hex) / 2;

	assert_true(xb_hex_decode(xb_sv(hex), out, len));
	return len;
}

static void published_signatures_are_good(void **state)
{
	static const struct {
		const char *key, *message, *signature;
	} known[] = {{ed_public, ed_message, ed_signature}, {ec_public, ec_message, ec_signature}};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(known); i++) {
		struct xb_key *key XB_CLEANUP(xb_key_free) = open_public(f, known[i].key);
		struct xb_key *other XB_CLEANUP(xb_key_free) = open_public(f, known[1 - i].key);
		uint8_t bytes[128];
		const size_t len = decode(known[i].signature, bytes);
		const struct xb_sv signature = xb_sv_n((const char *)bytes, len);

		assert_true(xb_key_verify(key, xb_sv(known[i].message), signature));
		assert_false(xb_key_verify(key, xb_sv("another text"), signature));
		assert_false(xb_key_verify(key, xb_sv(known[i].message), xb_sv_n(signature.ptr, len - 1)));
		assert_false(xb_key_verify(key, xb_sv(known[i].message), xb_sv("")));
		assert_false(xb_key_verify(other, xb_sv(known[i].message), signature));
		for (size_t k = 0; k < len; k++) {
			bytes[k] ^= 1;
			if (xb_key_verify(key, xb_sv(known[i].message), signature))
				fail_msg("signature %zu is good with byte %zu changed", i, k);
			bytes[k] ^= 1;
		}
	}
}

static void ed25519_signs_as_published(void **state)
{
	static const struct {
		const char *text, *password;
	} forms[] = {{ed_private, NULL}, {ed_private, "unneeded"}, {ed_encrypted, "secret"}};

	for (size_t i = 0; i < XB_COUNT(forms); i++) {
		struct fixture *f = *state;
		struct xb_key *key XB_CLEANUP(xb_key_free) = open_private(f, forms[i].text, forms[i].password);
		struct xb_str out XB_CLEANUP(xb_str_release) = {0};
		uint8_t expected[128];
		const size_t len = decode(ed_signature, expected);

		assert_ok(xb_key_sign(key, xb_sv(ed_message), &out, &f->err), &f->err);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.data, expected, len);
	}
}

static void what_a_private_key_signs_its_public_one_verifies(void **state)
{
	static const struct {
		const char *private, *public;
	} pairs[] = {{ed_private, ed_public}, {ec_private, ec_public}, {ec_traditional, ec_public}};

	for (size_t i = 0; i < XB_COUNT(pairs); i++) {
		struct fixture *f = *state;
		struct xb_key *private XB_CLEANUP(xb_key_free) = open_private(f, pairs[i].private, NULL);
		struct xb_key *public XB_CLEANUP(xb_key_free) = open_public(f, pairs[i].public);
		struct xb_str out XB_CLEANUP(xb_str_release) = {0};

		assert_ok(xb_key_sign(private, xb_sv("a text"), &out, &f->err), &f->err);
		assert_true(xb_key_verify(public, xb_sv("a text"), xb_str_sv(&out)));
		assert_true(xb_key_verify(private, xb_sv("a text"), xb_str_sv(&out)));
		assert_false(xb_key_verify(public, xb_sv("a test"), xb_str_sv(&out)));
	}
}

static void what_is_no_key_is_refused(void **state)
{
	static const struct {
		const char *text, *password, *message;
	} bad[] = {
		{"", NULL, "expected a private key in PEM"},
		{"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", NULL, "expected a private key"},
		{ed_public, NULL, "it is a public key"},
		{ed_encrypted, NULL, "there is no password"},
		{ed_encrypted, "Secret", "does not open with this password"},
		{ed_encrypted, "", "does not open with this password"},
		{p384_private, NULL, "on secp384r1"},
		{"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
		 "x", "in the way of cosign"},
	};
	struct fixture *f = *state;
	struct xb_key *key = NULL;

	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		char *path XB_CLEANUP(xb_free_ptr) = write_key(f, bad[i].text);

		assert_failed(xb_key_read_private(path, bad[i].password, &key, &f->err), &f->err, XB_E_INPUT,
			      bad[i].message);
		assert_null(key);
	}
	char *path XB_CLEANUP(xb_free_ptr) = write_key(f, ed_private);

	assert_failed(xb_key_read_public(path, &key, &f->err), &f->err, XB_E_INPUT, "it is a private key");
	write_text(path, "no key");
	assert_failed(xb_key_read_public(path, &key, &f->err), &f->err, XB_E_INPUT, "expected a public key");
	assert_failed(xb_key_read_public(f->dir, &key, &f->err), &f->err, XB_E_INPUT, "found a directory");
	char *missing XB_CLEANUP(xb_free_ptr) = xb_printf("%s/nothing", f->dir);

	assert_failed(xb_key_read_private(missing, NULL, &key, &f->err), &f->err, XB_E_NOT_FOUND, "nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(published_signatures_are_good),
		TEST(ed25519_signs_as_published),
		TEST(what_a_private_key_signs_its_public_one_verifies),
		TEST(what_is_no_key_is_refused),
	};

	return cmocka_run_group_tests_name("sys/key_sign", tests, NULL, NULL);
}
