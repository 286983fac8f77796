/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"
#include "xbuild/sys/openpgp.h"

/* All keys and signatures are made at this time, so that the tests do not depend on the clock. */
#define MADE	  1750000000LL
#define MADE_TEXT "20250615T150640!"
#define DAY	  (24 * 3600LL)

enum { GOOD, OTHER, SUBKEY, EXPIRING, REVOKED, RSA, WEAK, N_KEYS };

/* Keys made by gpg once for the whole program. */
struct world {
	char *dir;
	char *fpr[N_KEYS];  /* primary fingerprints */
	char *file[N_KEYS]; /* certificates, armored except GOOD's */
};

static const char *const names[N_KEYS] = {"good", "other", "subkey", "expiring", "revoked", "rsa", "weak"};

static const char text[] = "Origin: Test\nSuite: stable\n- dash\n-----BEGIN PGP SIGNATURE-----\ntrailing  \t\n\nend\n";
static const char expected[] = "Origin: Test\nSuite: stable\n- dash\n-----BEGIN PGP SIGNATURE-----\ntrailing\n\nend\n";

#define GPG(w, ...)                                                                                                    \
	assert_int_equal(SAMPLE_RUN("gpg", "--homedir", (w)->dir, "--batch", "--yes", "--no-tty", "--pinentry-mode",   \
				    "loopback", "--passphrase", "", "--faked-system-time", MADE_TEXT, __VA_ARGS__),    \
			 0)

static char *in_dir(const struct world *w, const char *name)
{
	return xb_printf("%s/%s", w->dir, name);
}

/* The first primary fingerprint in `gpg --with-colons` form. */
static char *read_fingerprint(const struct world *w, const char *name)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = in_dir(w, "colons");
	assert_int_equal(
		SAMPLE_RUN_TO(path, "gpg", "--homedir", w->dir, "--batch", "--with-colons", "--list-keys", name), 0);
	sample_read(path, &out);
	char *at = strstr(out.data, "\nfpr:::::::::");
	assert_non_null(at);
	return xb_strndup(at + strlen("\nfpr:::::::::"), 40);
}

/* gpg writes a revocation beside each key, made harmless by a colon. */
static void revoke_key(const struct world *w, const char *fpr)
{
	struct xb_str rev XB_CLEANUP(xb_str_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/openpgp-revocs.d/%s.rev", w->dir, fpr);
	sample_read(path, &rev);
	char *at = strstr(rev.data, ":-----BEGIN");
	assert_non_null(at);
	sample_write(path, at + 1, strlen(at + 1));
	GPG(w, "--import", path);
}

static void export_key(struct world *w, int key)
{
	GPG(w, "-o", w->file[key], key == GOOD ? "--no-armor" : "--armor", "--export", w->fpr[key]);
}

static int make_world(void **state)
{
	static const char *const algorithms[N_KEYS] = {"ed25519", "ed25519", "ed25519", "ed25519",
						       "ed25519", "rsa2048", "rsa1024"};
	struct world *w = xb_alloc(sizeof(*w));
	*state = w;
	w->dir = sample_dir();
	for (int i = 0; i < N_KEYS; i++) {
		GPG(w, "--quick-generate-key", names[i], algorithms[i], i == SUBKEY ? "cert" : "sign",
		    i == EXPIRING ? "30d" : "never");
		w->fpr[i] = read_fingerprint(w, names[i]);
		if (i == SUBKEY)
			GPG(w, "--quick-add-key", w->fpr[i], "ed25519", "sign", "never");
		w->file[i] = in_dir(w, names[i]);
		export_key(w, i);
	}
	return 0;
}

static int drop_world(void **state)
{
	struct world *w = *state;
	(void)SAMPLE_RUN("gpgconf", "--homedir", w->dir, "--kill", "all");
	for (int i = 0; i < N_KEYS; i++) {
		free(w->fpr[i]);
		free(w->file[i]);
	}
	sample_dir_remove(w->dir);
	free(w);
	return 0;
}

/* Signs `body` with the keys (a list that ends with -1) and gpg's further `option`. */
static void sign(struct world *w, const char *body, const int *keys, const char *option, const char *value,
		 struct xb_str *out)
{
	const char *argv[40] = {"gpg",	    "--homedir",       w->dir,	   "--batch",	   "--yes",
				"--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""};
	size_t n = 10;
	char *in XB_CLEANUP(xb_free_ptr) = in_dir(w, "text");
	char *signed_file XB_CLEANUP(xb_free_ptr) = in_dir(w, "text.asc");
	sample_write(in, body, strlen(body));
	if (!option || strcmp(option, "--faked-system-time") != 0) {
		argv[n++] = "--faked-system-time";
		argv[n++] = MADE_TEXT;
	}
	if (option) {
		argv[n++] = option;
		argv[n++] = value;
	}
	for (; *keys >= 0; keys++) {
		argv[n++] = "-u";
		argv[n++] = w->fpr[*keys];
	}
	argv[n++] = "-o";
	argv[n++] = signed_file;
	argv[n++] = "--clearsign";
	argv[n++] = in;
	assert_int_equal(sample_run("/dev/null", argv), 0);
	sample_read(signed_file, out);
}
#define KEYS(...)                                                                                                      \
	(const int[])                                                                                                  \
	{                                                                                                              \
		__VA_ARGS__, -1                                                                                        \
	}

struct outcome {
	int rc;
	struct xb_str text;
	char fpr[41];
	struct xb_err err;
};

static void outcome_release(struct outcome *o)
{
	xb_str_release(&o->text);
	xb_err_release(&o->err);
}

/* Verifies with the certificates in `loaded`, of which those in `allowed` may sign. */
static void verify(struct world *w, struct xb_sv doc, const int *loaded, const int *allowed, int64_t now,
		   struct outcome *o)
{
	const char *files[N_KEYS], *fprs[N_KEYS];
	struct xb_openpgp_keys keys = {.files = files, .fingerprints = fprs};
	for (; *loaded >= 0; loaded++)
		files[keys.n_files++] = w->file[*loaded];
	for (; *allowed >= 0; allowed++)
		fprs[keys.n_fingerprints++] = w->fpr[*allowed];
	outcome_release(o);
	*o = (struct outcome){0};
	o->rc = xb_openpgp_verify(doc, "InRelease", &keys, now, &o->text, o->fpr, &o->err);
	assert_int_equal(o->rc, o->err.code);
}

static void expect_good(struct world *w, struct xb_sv doc, const int *loaded, const int *allowed, int64_t now, int by)
{
	struct outcome o XB_CLEANUP(outcome_release) = {0};
	verify(w, doc, loaded, allowed, now, &o);
	if (o.rc < 0)
		print_error("%s\n", o.err.msg);
	assert_int_equal(o.rc, 0);
	assert_string_equal(xb_str_get(&o.text), expected);
	assert_string_equal(o.fpr, w->fpr[by]);
}

static void expect_bad(struct world *w, struct xb_sv doc, const int *keys, int64_t now, const char *word)
{
	struct outcome o XB_CLEANUP(outcome_release) = {0};
	verify(w, doc, keys, keys, now, &o);
	assert_int_equal(o.rc, XB_E_SIGNATURE);
	if (!strstr(o.err.msg, word))
		print_error("'%s' has no '%s'\n", o.err.msg, word);
	assert_non_null(strstr(o.err.msg, word));
	assert_non_null(strstr(o.err.msg, "'InRelease'"));
	assert_int_equal(o.text.len, 0);
}

static void test_good(void **state)
{
	struct world *w = *state;
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	for (int key = GOOD; key <= SUBKEY; key++) {
		sign(w, text, KEYS(key), NULL, NULL, &doc);
		expect_good(w, xb_str_sv(&doc), KEYS(key), KEYS(key), MADE, key);
		expect_good(w, xb_str_sv(&doc), KEYS(GOOD, OTHER, SUBKEY), KEYS(GOOD, OTHER, SUBKEY), MADE, key);
		/* Ten years later, as the keys do not expire; and by a clock that is a little behind. */
		expect_good(w, xb_str_sv(&doc), KEYS(key), KEYS(key), MADE + 3650 * DAY, key);
		expect_good(w, xb_str_sv(&doc), KEYS(key), KEYS(key), MADE - 10, key);
	}
	sign(w, text, KEYS(RSA), "--digest-algo", "SHA512", &doc);
	expect_good(w, xb_str_sv(&doc), KEYS(RSA), KEYS(RSA), MADE, RSA);
}

static void test_crlf(void **state)
{
	struct world *w = *state;
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	struct xb_str crlf XB_CLEANUP(xb_str_release) = {0};
	sign(w, text, KEYS(GOOD), NULL, NULL, &doc);
	for (size_t i = 0; i < doc.len; i++) {
		if (doc.data[i] == '\n')
			xb_str_append_char(&crlf, '\r');
		xb_str_append_char(&crlf, doc.data[i]);
	}
	expect_good(w, xb_str_sv(&crlf), KEYS(GOOD), KEYS(GOOD), MADE, GOOD);
	/* Without the last line end, and with some more. */
	expect_good(w, xb_sv_n(doc.data, doc.len - 1), KEYS(GOOD), KEYS(GOOD), MADE, GOOD);
	xb_str_append(&doc, "\n \r\n");
	expect_good(w, xb_str_sv(&doc), KEYS(GOOD), KEYS(GOOD), MADE, GOOD);
}

/* A text without a line end is signed as it stands; the text handed on ends with one all the same. */
static void test_small_texts(void **state)
{
	static const char *const bodies[] = {"",	"\n", "a",	"a\n",	   "\n\na",
					     "a\n\n\n", "-",  "- -\n-", " \n\t\n", "a\r\n"};
	static const char *const wants[] = {"\n",      "\n",  "a\n",	  "a\n",  "\n\na\n",
					    "a\n\n\n", "-\n", "- -\n-\n", "\n\n", "a\n"};
	struct world *w = *state;
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	for (size_t i = 0; i < XB_COUNT(bodies); i++) {
		struct outcome o XB_CLEANUP(outcome_release) = {0};
		sign(w, bodies[i], KEYS(GOOD), NULL, NULL, &doc);
		verify(w, xb_str_sv(&doc), KEYS(GOOD), KEYS(GOOD), MADE, &o);
		if (o.rc < 0)
			print_error("text %zu: %s\n", i, o.err.msg);
		assert_int_equal(o.rc, 0);
		assert_string_equal(xb_str_get(&o.text), wants[i]);
	}
}

/* Whatever byte changes: the document is refused, or the very same text comes out (armor checksum, blanks). */
static void test_flipped_bytes(void **state)
{
	struct world *w = *state;
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	size_t refused = 0;
	sign(w, text, KEYS(GOOD), NULL, NULL, &doc);
	for (size_t i = 0; i < doc.len; i++)
		for (int bit = 0; bit < 8; bit += 3) {
			struct outcome o XB_CLEANUP(outcome_release) = {0};
			doc.data[i] = (char)(doc.data[i] ^ (1 << bit));
			verify(w, xb_str_sv(&doc), KEYS(GOOD), KEYS(GOOD), MADE, &o);
			doc.data[i] = (char)(doc.data[i] ^ (1 << bit));
			refused += o.rc == XB_E_SIGNATURE;
			if (o.rc == 0)
				assert_string_equal(xb_str_get(&o.text), expected);
			else
				assert_int_equal(o.rc, XB_E_SIGNATURE);
		}
	assert_true(refused > doc.len * 2);
	for (size_t len = 0; len + 1 < doc.len; len++) {
		struct outcome o XB_CLEANUP(outcome_release) = {0};
		verify(w, xb_sv_n(doc.data, len), KEYS(GOOD), KEYS(GOOD), MADE, &o);
		assert_int_equal(o.rc, XB_E_SIGNATURE);
	}
}

static void test_signers(void **state)
{
	struct world *w = *state;
	struct outcome o XB_CLEANUP(outcome_release) = {0};
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	sign(w, text, KEYS(OTHER), NULL, NULL, &doc);
	expect_bad(w, xb_str_sv(&doc), KEYS(GOOD), MADE, "not among the given ones");
	/* The message names the key. */
	expect_bad(w, xb_str_sv(&doc), KEYS(GOOD), MADE, w->fpr[OTHER] + 24);
	/* Its certificate is there, but it may not sign this. */
	verify(w, xb_str_sv(&doc), KEYS(GOOD, OTHER), KEYS(GOOD), MADE, &o);
	assert_int_equal(o.rc, XB_E_SIGNATURE);
	assert_non_null(strstr(o.err.msg, "may sign this"));
	/* It may sign this, but its certificate is not there. */
	verify(w, xb_str_sv(&doc), KEYS(GOOD), KEYS(GOOD, OTHER), MADE, &o);
	assert_int_equal(o.rc, XB_E_SIGNATURE);

	sign(w, text, KEYS(OTHER, GOOD), NULL, NULL, &doc);
	expect_good(w, xb_str_sv(&doc), KEYS(GOOD), KEYS(GOOD), MADE, GOOD);
	expect_good(w, xb_str_sv(&doc), KEYS(GOOD, OTHER), KEYS(OTHER), MADE, OTHER);
	expect_good(w, xb_str_sv(&doc), KEYS(GOOD, OTHER), KEYS(GOOD, OTHER), MADE, GOOD);
	expect_good(w, xb_str_sv(&doc), KEYS(GOOD, OTHER), KEYS(OTHER, GOOD), MADE, OTHER);
	/* The fingerprint of the subkey itself is not one of a primary key. */
	sign(w, text, KEYS(SUBKEY), NULL, NULL, &doc);
	expect_bad(w, xb_str_sv(&doc), KEYS(GOOD, OTHER), MADE, "not among");
}

static void test_weak(void **state)
{
	struct world *w = *state;
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	sign(w, text, KEYS(WEAK), NULL, NULL, &doc);
	expect_bad(w, xb_str_sv(&doc), KEYS(WEAK), MADE, "less than 2048 bits");
	sign(w, text, KEYS(RSA), "--digest-algo", "SHA1", &doc);
	expect_bad(w, xb_str_sv(&doc), KEYS(RSA), MADE, "weak or unknown hash");
	sign(w, text, KEYS(RSA), "--digest-algo", "RIPEMD160", &doc);
	expect_bad(w, xb_str_sv(&doc), KEYS(RSA), MADE, "weak or unknown hash");
	/* A weak signature beside a good one changes nothing. */
	sign(w, text, KEYS(WEAK, GOOD), NULL, NULL, &doc);
	expect_good(w, xb_str_sv(&doc), KEYS(WEAK, GOOD), KEYS(WEAK, GOOD), MADE, GOOD);
}

static void test_times(void **state)
{
	struct world *w = *state;
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	sign(w, text, KEYS(EXPIRING), NULL, NULL, &doc);
	expect_good(w, xb_str_sv(&doc), KEYS(EXPIRING), KEYS(EXPIRING), MADE + 29 * DAY, EXPIRING);
	expect_bad(w, xb_str_sv(&doc), KEYS(EXPIRING), MADE + 31 * DAY, "its key has expired");
	sign(w, text, KEYS(GOOD), NULL, NULL, &doc);
	expect_bad(w, xb_str_sv(&doc), KEYS(GOOD), MADE - 11, "clock");
	expect_bad(w, xb_str_sv(&doc), KEYS(GOOD), MADE - 3650 * DAY, "clock");
	sign(w, text, KEYS(GOOD), "--faked-system-time", "20250615T160640!", &doc);
	expect_bad(w, xb_str_sv(&doc), KEYS(GOOD), MADE + 3600 - 11, "made in the future (is the clock right?)");
	expect_good(w, xb_str_sv(&doc), KEYS(GOOD), KEYS(GOOD), MADE + 3600 - 9, GOOD);
	sign(w, text, KEYS(GOOD), "--default-sig-expire", "2d", &doc);
	expect_good(w, xb_str_sv(&doc), KEYS(GOOD), KEYS(GOOD), MADE + DAY, GOOD);
	expect_bad(w, xb_str_sv(&doc), KEYS(GOOD), MADE + 3 * DAY, "it has expired");
}

static void test_revoked(void **state)
{
	struct world *w = *state;
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	sign(w, text, KEYS(REVOKED), NULL, NULL, &doc);
	expect_good(w, xb_str_sv(&doc), KEYS(REVOKED), KEYS(REVOKED), MADE, REVOKED);
	revoke_key(w, w->fpr[REVOKED]);
	export_key(w, REVOKED);
	expect_bad(w, xb_str_sv(&doc), KEYS(REVOKED), MADE, "revoked");
}

/* Puts `what` into the document before the first `at` (at its end where at is NULL). */
static void expect_bad_with(struct world *w, const struct xb_str *doc, const char *at, const char *what,
			    const char *word)
{
	struct xb_str changed XB_CLEANUP(xb_str_release) = {0};
	const char *place = at ? strstr(doc->data, at) : doc->data + doc->len;
	assert_non_null(place);
	xb_str_append_n(&changed, doc->data, (size_t)(place - doc->data));
	xb_str_append(&changed, what);
	xb_str_append(&changed, place);
	expect_bad(w, xb_str_sv(&changed), KEYS(GOOD), MADE, word);
}

static void test_forms(void **state)
{
	struct world *w = *state;
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	sign(w, text, KEYS(GOOD), NULL, NULL, &doc);
	expect_bad(w, xb_sv(""), KEYS(GOOD), MADE, "not a clearsigned");
	expect_bad(w, xb_sv(text), KEYS(GOOD), MADE, "not a clearsigned");
	expect_bad(w, xb_sv("<html>"), KEYS(GOOD), MADE, "not a clearsigned");
	expect_bad(w, xb_sv("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\ntext\n"), KEYS(GOOD), MADE,
		   "no signature");
	expect_bad_with(w, &doc, "-----BEGIN PGP SIGNED", "Origin: Evil\n", "not a clearsigned");
	expect_bad_with(w, &doc, "-----BEGIN PGP SIGNED", "\n", "not a clearsigned");
	expect_bad_with(w, &doc, NULL, "Origin: Evil\n", "behind its signature");
	expect_bad_with(w, &doc, NULL, doc.data, "behind its signature");
	expect_bad_with(w, &doc, "Hash:", "NotDashEscaped: yes\n", "other than 'Hash:'");
	expect_bad_with(w, &doc, "Hash:", "Origin: Evil\n", "other than 'Hash:'");
	expect_bad_with(w, &doc, "Hash:", "Hash: SHA512\x0b Origin: Evil\n", "other than 'Hash:'");
	expect_bad_with(w, &doc, "Origin:", "--bad\n", "not escaped");
	expect_bad_with(w, &doc, "Origin:", "-----BEGIN PGP SIGNED MESSAGE-----\n\n", "not escaped");
	expect_bad_with(w, &doc, "Origin:", "Origin: Evil\n", "it is bad");
	expect_bad_with(w, &doc, "-----END", "-----BEGIN PGP SIGNED MESSAGE-----\n", "second document");
	doc.data[strlen(doc.data) / 2] = '\0';
	expect_bad(w, xb_str_sv(&doc), KEYS(GOOD), MADE, "NUL");
}

/* Lines that are longer than what a reader may hold at once. */
static void test_long_lines(void **state)
{
	struct world *w = *state;
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	struct xb_str body XB_CLEANUP(xb_str_release) = {0};
	struct outcome o XB_CLEANUP(outcome_release) = {0};
	for (size_t len = 4090; len < 4102; len++) {
		xb_str_append(&body, "\n- ");
		for (size_t i = 0; i < len; i++)
			xb_str_append_char(&body, i % 3 ? 'x' : ' ');
		for (size_t i = 0; i < len; i++)
			xb_str_append_char(&body, '-');
		xb_str_append(&body, "\n");
	}
	sign(w, body.data, KEYS(GOOD), NULL, NULL, &doc);
	verify(w, xb_str_sv(&doc), KEYS(GOOD), KEYS(GOOD), MADE, &o);
	if (o.rc < 0)
		print_error("%s\n", o.err.msg);
	assert_int_equal(o.rc, 0);
	assert_string_equal(o.text.data, body.data);
}

static void test_key_files(void **state)
{
	struct world *w = *state;
	struct outcome o XB_CLEANUP(outcome_release) = {0};
	struct xb_str doc XB_CLEANUP(xb_str_release) = {0};
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};
	sign(w, text, KEYS(OTHER), NULL, NULL, &doc);

	/* Another key file is missing, empty, garbage, too large. */
	char *saved = w->file[GOOD];
	char *path = in_dir(w, "keys");
	w->file[GOOD] = path;
	verify(w, xb_str_sv(&doc), KEYS(GOOD, OTHER), KEYS(OTHER), MADE, &o);
	assert_int_equal(o.rc, XB_E_NOT_FOUND);
	sample_write(path, "", 0);
	verify(w, xb_str_sv(&doc), KEYS(GOOD, OTHER), KEYS(OTHER), MADE, &o);
	assert_int_equal(o.rc, XB_E_INPUT);
	sample_write(path, "garbage garbage", 15);
	verify(w, xb_str_sv(&doc), KEYS(GOOD, OTHER), KEYS(OTHER), MADE, &o);
	assert_int_equal(o.rc, XB_E_INPUT);
	assert_non_null(strstr(o.err.msg, path));
	assert_int_equal(truncate(path, (4 << 20) + 1), 0);
	verify(w, xb_str_sv(&doc), KEYS(GOOD, OTHER), KEYS(OTHER), MADE, &o);
	assert_int_equal(o.rc, XB_E_INPUT);

	/* Several armored certificates one after the other in one file, as in trusted.gpg.d. */
	for (int i = OTHER; i <= RSA; i++) {
		sample_read(w->file[i], &bytes);
		xb_str_append_sv(&all, xb_str_sv(&bytes));
	}
	sample_write(path, all.data, all.len);
	for (int i = OTHER; i <= SUBKEY; i++) {
		sign(w, text, KEYS(i), NULL, NULL, &doc);
		sample_write(path, all.data, all.len);
		w->file[GOOD] = path;
		expect_good(w, xb_str_sv(&doc), KEYS(GOOD), KEYS(i), MADE, i);
	}
	w->file[GOOD] = saved;
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_crlf),
		cmocka_unit_test(test_small_texts),
		cmocka_unit_test(test_flipped_bytes),
		cmocka_unit_test(test_signers),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_key_files),
		/* Last: from here on gpg refuses to sign with that key. */
		cmocka_unit_test(test_revoked),
	};
	return cmocka_run_group_tests(tests, make_world, drop_world);
}
