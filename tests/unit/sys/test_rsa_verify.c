/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"
#include "xbuild/sys/rsa_verify.h"

/* Keys and signatures are made by the openssl program. */
struct world {
	char *dir;
	struct xb_str good, other, small, elliptic; /* public keys, PEM */
};

static const char text[] = "before|what is signed|behind";
#define SIGNED_AT  7
#define SIGNED_LEN 14

static char *in_dir(const struct world *w, const char *name)
{
	return xb_printf("%s/%s", w->dir, name);
}

static void make_key(struct world *w, const char *name, const char *algorithm, const char *option, struct xb_str *out)
{
	char *private_file XB_CLEANUP(xb_free_ptr) = in_dir(w, name);
	char *public_file XB_CLEANUP(xb_free_ptr) = xb_printf("%s.pub", private_file);
	assert_int_equal(
		SAMPLE_RUN("openssl", "genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", private_file), 0);
	assert_int_equal(SAMPLE_RUN("openssl", "pkey", "-in", private_file, "-pubout", "-out", public_file), 0);
	sample_read(public_file, out);
}

static int make_world(void **state)
{
	struct world *w = xb_alloc(sizeof(*w));
	*state = w;
	w->dir = sample_dir();
	make_key(w, "good", "RSA", "rsa_keygen_bits:2048", &w->good);
	make_key(w, "other", "RSA", "rsa_keygen_bits:2048", &w->other);
	make_key(w, "small", "RSA", "rsa_keygen_bits:1024", &w->small);
	make_key(w, "elliptic", "EC", "ec_paramgen_curve:P-256", &w->elliptic);
	char *path XB_CLEANUP(xb_free_ptr) = in_dir(w, "text");
	sample_write(path, text + SIGNED_AT, SIGNED_LEN);
	return 0;
}

static int drop_world(void **state)
{
	struct world *w = *state;
	xb_str_release(&w->good);
	xb_str_release(&w->other);
	xb_str_release(&w->small);
	xb_str_release(&w->elliptic);
	sample_dir_remove(w->dir);
	free(w);
	return 0;
}

/* What `openssl dgst -HASH -sign KEY` makes of the signed part. */
static void sign(const struct world *w, const char *key, const char *hash, struct xb_str *out)
{
	char *key_file XB_CLEANUP(xb_free_ptr) = in_dir(w, key);
	char *in XB_CLEANUP(xb_free_ptr) = in_dir(w, "text");
	char *sig XB_CLEANUP(xb_free_ptr) = in_dir(w, "sig");
	assert_int_equal(SAMPLE_RUN("openssl", "dgst", hash, "-sign", key_file, "-out", sig, in), 0);
	sample_read(sig, out);
}

static struct xb_rsa_signed part(int fd, enum xb_rsa_hash hash, const struct xb_str *sig)
{
	return (struct xb_rsa_signed){.fd = fd,
				      .at = SIGNED_AT,
				      .size_bytes = SIGNED_LEN,
				      .name = "text",
				      .hash = hash,
				      .signature = xb_str_sv(sig)};
}

static void expect(const struct xb_rsa_signed *what, struct xb_sv pem, int code, const char *message)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_rsa_key key = {.pem = pem, .name = "k.rsa.pub"};
	int rc = xb_rsa_verify(what, &key, &err);
	if (rc != code)
		fail_msg("expected %d, got %d: %s", code, rc, err.msg ? err.msg : "");
	if (message)
		assert_non_null(strstr(err.msg, message));
}

static void test_hashes(void **state)
{
	static const char *const names[] = {
		[XB_RSA_SHA1] = "-sha1", [XB_RSA_SHA256] = "-sha256", [XB_RSA_SHA512] = "-sha512"};
	struct world *w = *state;
	int fd XB_CLEANUP(xb_fs_close) = sample_fd(text, sizeof(text) - 1);
	for (int made = XB_RSA_SHA1; made <= XB_RSA_SHA512; made++) {
		struct xb_str sig XB_CLEANUP(xb_str_release) = {0};
		sign(w, "good", names[made], &sig);
		for (int said = XB_RSA_SHA1; said <= XB_RSA_SHA512; said++) {
			struct xb_rsa_signed what = part(fd, (enum xb_rsa_hash)said, &sig);
			expect(&what, xb_str_sv(&w->good), made == said ? 0 : XB_E_SIGNATURE, NULL);
			expect(&what, xb_str_sv(&w->other), XB_E_SIGNATURE, "key 'k.rsa.pub'");
		}
	}
}

static void test_other_bytes(void **state)
{
	struct world *w = *state;
	int fd XB_CLEANUP(xb_fs_close) = sample_fd(text, sizeof(text) - 1);
	struct xb_str sig XB_CLEANUP(xb_str_release) = {0};
	sign(w, "good", "-sha256", &sig);
	struct xb_rsa_signed what = part(fd, XB_RSA_SHA256, &sig);
	what.at--;
	expect(&what, xb_str_sv(&w->good), XB_E_SIGNATURE, NULL);
	what = part(fd, XB_RSA_SHA256, &sig);
	what.size_bytes++;
	expect(&what, xb_str_sv(&w->good), XB_E_SIGNATURE, NULL);
	what.size_bytes = 1000;
	expect(&what, xb_str_sv(&w->good), XB_E_SIGNATURE, "cut off");
	what = part(fd, XB_RSA_SHA256, &sig);
	for (size_t i = 0; i < sig.len; i += 17) {
		sig.data[i] ^= 1;
		expect(&what, xb_str_sv(&w->good), XB_E_SIGNATURE, NULL);
		sig.data[i] ^= 1;
	}
	what.signature.len--;
	expect(&what, xb_str_sv(&w->good), XB_E_SIGNATURE, NULL);
	what.signature.len = 0;
	expect(&what, xb_str_sv(&w->good), XB_E_SIGNATURE, NULL);
	what = part(fd, XB_RSA_SHA256, &sig);
	what.fd = -1;
	expect(&what, xb_str_sv(&w->good), XB_E_SYSTEM, "read 'text'");
}

static void test_keys(void **state)
{
	struct world *w = *state;
	int fd XB_CLEANUP(xb_fs_close) = sample_fd(text, sizeof(text) - 1);
	struct xb_str sig XB_CLEANUP(xb_str_release) = {0}, key XB_CLEANUP(xb_str_release) = {0};
	char *private_file XB_CLEANUP(xb_free_ptr) = in_dir(w, "good");
	sign(w, "small", "-sha256", &sig);
	struct xb_rsa_signed what = part(fd, XB_RSA_SHA256, &sig);
	expect(&what, xb_str_sv(&w->small), XB_E_INPUT, "it has 1024 bits, at least 2048");
	expect(&what, xb_str_sv(&w->elliptic), XB_E_INPUT, "expected an RSA key, found EC");
	expect(&what, xb_sv(""), XB_E_INPUT, "not in PEM form");
	expect(&what, xb_sv("ssh-rsa AAAA"), XB_E_INPUT, "not in PEM form");
	expect(&what, xb_sv_n(w->good.data, w->good.len / 2), XB_E_INPUT, "not in PEM form");
	expect(&what, xb_sv("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), XB_E_INPUT, "no key");
	sample_read(private_file, &key);
	expect(&what, xb_str_sv(&key), XB_E_INPUT, "found a 'PRIVATE KEY'");
	/* A key that claims to be encrypted must not make anybody wait at a terminal. */
	xb_str_reset(&key);
	xb_str_append(&key, "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
			    "00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END PUBLIC KEY-----\n");
	expect(&what, xb_str_sv(&key), XB_E_INPUT, NULL);
	while (key.len <= 64 * 1024)
		xb_str_append(&key, "leading text is let through, but not without end\n");
	xb_str_append_sv(&key, xb_str_sv(&w->good));
	expect(&what, xb_str_sv(&key), XB_E_INPUT, "too large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_other_bytes),
		cmocka_unit_test(test_keys),
	};
	return cmocka_run_group_tests(tests, make_world, drop_world);
}
