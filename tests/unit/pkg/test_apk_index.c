/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "../skip.h"
#include "apk_made.h"

/* Keys and one good index, made once. */
struct world {
	char *dir;
	struct xb_str good_pem, other_pem, small_pem;
	struct xb_str index; /* of `records`, signed by good */
};

static const char records[] = "C:" MADE_CHECKSUM "\nP:busybox\nV:1.35.0-r29\nA:x86_64\nS:507831\nI:962560\n"
			      "T:Size optimized toolbox: many\nU:https://busybox.net/\nL:GPL-2.0-only\no:busybox\n"
			      "m:S D <s@d.org>\nt:1673863206\nc:1dbf7a793afae640\nk:100\nX:unknown\nx:unknown\n"
			      "D:so:libc.musl-x86_64.so.1 !old<1  a>=2@edge\np:/bin/sh cmd:sh=1.35.0-r29\n"
			      "i:docs busybox=1.35.0-r29\n"
			      "\n"
			      "C:" MADE_CHECKSUM "\nP:tzdata\nV:2022f-r1\nA:noarch\nS:1\n";

static void close_index(struct xb_apk_index **index)
{
	xb_apk_index_free(*index);
}

static int make_world(void **state)
{
	struct world *w = xb_alloc(sizeof(*w));
	*state = w;
	w->dir = scratch_dir();
	made_key(w->dir, "good", "2048", &w->good_pem);
	made_key(w->dir, "other", "2048", &w->other_pem);
	made_key(w->dir, "small", "1024", &w->small_pem);
	made_index(w->dir, "good", records, &w->index);
	return 0;
}

static int drop_world(void **state)
{
	struct world *w = *state;
	xb_str_release(&w->good_pem);
	xb_str_release(&w->other_pem);
	xb_str_release(&w->small_pem);
	xb_str_release(&w->index);
	scratch_remove(&w->dir);
	free(w);
	return 0;
}

static int open_with(const struct world *w, const struct xb_str *file, const struct xb_rsa_key *keys, size_t n_keys,
		     struct xb_apk_index **out, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = made_fd(w->dir, file);
	struct xb_apk_index_source source = {.fd = fd,
					     .name = "https://h/os/x86_64/APKINDEX.tar.gz",
					     .repository = {.url = "https://h/os", .arch = "x86_64"},
					     .keys = keys,
					     .n_keys = n_keys};
	return xb_apk_index_open(&source, out, err);
}

static int open_file(const struct world *w, const struct xb_str *file, struct xb_apk_index **out, struct xb_err *err)
{
	const struct xb_rsa_key keys[] = {{.pem = xb_str_sv(&w->other_pem), .name = "other.rsa.pub"},
					  {.pem = xb_str_sv(&w->good_pem), .name = "good.rsa.pub"},
					  {.pem = xb_str_sv(&w->small_pem), .name = "small.rsa.pub"}};
	return open_with(w, file, keys, XB_COUNT(keys), out, err);
}

static void refuse(const struct world *w, const struct xb_str *file, enum xb_code code, const char *message)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_index *index = NULL;
	expect_error(open_file(w, file, &index, &err), &err, code, message);
	assert_null(index);
}

static void refuse_records(const struct world *w, const char *text, enum xb_code code, const char *message)
{
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	made_index(w->dir, "good", text, &file);
	refuse(w, &file, code, message);
}

static void test_fields(void **state)
{
	struct world *w = *state;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_index *index XB_CLEANUP(close_index) = NULL;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	expect_ok(open_file(w, &w->index, &index, &err), &err);
	assert_int_equal(index->n_packages, 2);
	assert_string_equal(index->description, "made for tests");
	assert_string_equal(index->key, "good.rsa.pub");
	assert_int_equal(index->hash, XB_RSA_SHA256);
	assert_false(index->weak_signature);
	const struct xb_apk_package *p = &index->packages[0];
	assert_string_equal(p->name, "busybox");
	assert_string_equal(p->version, "1.35.0-r29");
	assert_true(p->parsed.valid);
	assert_string_equal(p->arch, "x86_64");
	assert_string_equal(p->checksum, MADE_CHECKSUM);
	assert_memory_equal(p->control_sha1.bytes, "\xda\x39\xa3\xee\x5e", 5);
	assert_int_equal(p->size_bytes, 507831);
	assert_int_equal(p->installed_bytes, 962560);
	assert_string_equal(p->description, "Size optimized toolbox: many");
	assert_string_equal(p->url, "https://busybox.net/");
	assert_string_equal(p->license, "GPL-2.0-only");
	assert_string_equal(p->origin, "busybox");
	assert_string_equal(p->maintainer, "S D <s@d.org>");
	assert_string_equal(p->commit, "1dbf7a793afae640");
	assert_int_equal(p->build_time, 1673863206);
	assert_int_equal(p->provider_priority, 100);
	assert_int_equal(p->depends.len, 3);
	assert_string_equal(p->depends.items[1].text, "!old<1");
	assert_string_equal(xb_apk_relation_tag(&p->depends.items[2]), "edge");
	assert_int_equal(p->provides.len, 2);
	assert_string_equal(p->provides.items[1].text, "cmd:sh=1.35.0-r29");
	assert_int_equal(p->install_if.len, 2);
	assert_string_equal(p->install_if.items[0].text, "docs");
	assert_string_equal(xb_apk_package_url(p, &arena), "https://h/os/x86_64/busybox-1.35.0-r29.apk");
	p++;
	assert_string_equal(p->arch, "noarch");
	assert_string_equal(p->origin, "");
	assert_int_equal(p->build_time, 0);
	assert_int_equal(p->depends.len + p->provides.len + p->install_if.len, 0);
	assert_string_equal(xb_apk_package_url(p, &arena), "https://h/os/x86_64/tzdata-2022f-r1.apk");
}

/* A file of signatures, each by KEY with HASH under its entry name, and a body. */
struct signature {
	const char *entry, *key, *hash;
};

static void make_signed(const struct world *w, const struct signature *list, size_t n, struct xb_str *out)
{
	struct xb_str body XB_CLEANUP(xb_str_release) = {0}, tar XB_CLEANUP(xb_str_release) = {0};
	made_body(w->dir, records, &body);
	for (size_t i = 0; i < n; i++) {
		struct xb_str sig XB_CLEANUP(xb_str_release) = {0};
		made_signature(w->dir, list[i].key, list[i].hash, &body, &sig);
		made_entry(&tar, list[i].entry, sig.data, sig.len);
	}
	made_gzip(w->dir, &tar, out);
	xb_str_append_sv(out, xb_str_sv(&body));
}
#define MAKE_SIGNED(w, out, ...)                                                                                       \
	make_signed(w, (const struct signature[]){__VA_ARGS__},                                                        \
		    sizeof((const struct signature[]){__VA_ARGS__}) / sizeof(struct signature), out)

static void test_hashes(void **state)
{
	static const struct {
		struct signature sig;
		enum xb_rsa_hash hash;
	} rows[] = {{{".SIGN.RSA.good.rsa.pub", "good", "-sha1"}, XB_RSA_SHA1},
		    {{".SIGN.RSA256.good.rsa.pub", "good", "-sha256"}, XB_RSA_SHA256},
		    {{".SIGN.RSA512.good.rsa.pub", "good", "-sha512"}, XB_RSA_SHA512}};
	struct world *w = *state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_apk_index *index XB_CLEANUP(close_index) = NULL;
		struct xb_str file XB_CLEANUP(xb_str_release) = {0};
		make_signed(w, &rows[i].sig, 1, &file);
		expect_ok(open_file(w, &file, &index, &err), &err);
		assert_int_equal(index->hash, rows[i].hash);
		assert_int_equal(index->weak_signature, rows[i].hash == XB_RSA_SHA1);
	}
}

/* One good signature by a trusted key is enough, and the strongest of the good ones counts. */
static void test_several_signatures(void **state)
{
	struct world *w = *state;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_index *index XB_CLEANUP(close_index) = NULL;
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	MAKE_SIGNED(w, &file, {".SIGN.RSA512.stranger.rsa.pub", "small", "-sha512"},
		    {".SIGN.DSA.good.rsa.pub", "good", "-sha1"}, {".SIGN.RSA256.other.rsa.pub", "good", "-sha256"},
		    {".SIGN.RSA.good.rsa.pub", "good", "-sha1"}, {".SIGN.RSA256.good.rsa.pub", "good", "-sha256"},
		    {".SIGN.RSA.good.rsa.pub", "good", "-sha1"});
	expect_ok(open_file(w, &file, &index, &err), &err);
	assert_string_equal(index->key, "good.rsa.pub");
	assert_int_equal(index->hash, XB_RSA_SHA256);
	assert_false(index->weak_signature);
}

static void test_refused_signatures(void **state)
{
	struct world *w = *state;
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_index *index = NULL;
	made_body(w->dir, records, &file);
	refuse(w, &file, XB_E_SIGNATURE, "it is not signed");
	xb_str_reset(&file);
	MAKE_SIGNED(w, &file, {".SIGN.RSA256.stranger.rsa.pub", "good", "-sha256"});
	refuse(w, &file, XB_E_SIGNATURE,
	       "it is by key 'stranger.rsa.pub'; trusted keys: 'other.rsa.pub', 'good.rsa.pub', 'small.rsa.pub'");
	expect_error(open_with(w, &file, NULL, 0, &index, &err), &err, XB_E_SIGNATURE, "trusted keys: none");
	xb_str_reset(&file);
	MAKE_SIGNED(w, &file, {".SIGN.RSA256.other.rsa.pub", "good", "-sha256"});
	refuse(w, &file, XB_E_SIGNATURE, "not one that key 'other.rsa.pub' made");
	xb_str_reset(&file);
	MAKE_SIGNED(w, &file, {".SIGN.RSA256.good.rsa.pub", "good", "-sha1"});
	refuse(w, &file, XB_E_SIGNATURE, "not one that key 'good.rsa.pub' made");
	xb_str_reset(&file);
	MAKE_SIGNED(w, &file, {".SIGN.DSA.good.rsa.pub", "good", "-sha1"});
	refuse(w, &file, XB_E_SIGNATURE, "expected RSA with SHA-256 or SHA-512, found DSA");
	xb_str_reset(&file);
	MAKE_SIGNED(w, &file, {".SIGN.ED25519.good.rsa.pub", "good", "-sha1"});
	refuse(w, &file, XB_E_SIGNATURE, "found a kind that is not known");
	xb_str_reset(&file);
	MAKE_SIGNED(w, &file, {".SIGN.RSA256.small.rsa.pub", "small", "-sha256"});
	refuse(w, &file, XB_E_INPUT, "it has 1024 bits");
	xb_str_reset(&file);
	MAKE_SIGNED(w, &file, {".SIGN.RSA256.\033[31mred", "good", "-sha256"});
	refuse(w, &file, XB_E_SIGNATURE, "'?[31mred'");
}

/* A good signature of no bytes at all is none of an index. */
static void test_nothing_signed(void **state)
{
	struct world *w = *state;
	struct xb_str file XB_CLEANUP(xb_str_release) = {0}, nothing XB_CLEANUP(xb_str_release) = {0};
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0}, sig XB_CLEANUP(xb_str_release) = {0};
	made_signature(w->dir, "good", "-sha256", &nothing, &sig);
	made_entry(&tar, ".SIGN.RSA256.good.rsa.pub", sig.data, sig.len);
	made_gzip(w->dir, &tar, &file);
	refuse(w, &file, XB_E_SIGNATURE, "nothing follows it");
}

/* Whatever byte behind the signatures is another one, nothing of it is parsed. */
static void test_changed_bytes(void **state)
{
	struct world *w = *state;
	struct xb_str file XB_CLEANUP(xb_str_release) = {0}, more XB_CLEANUP(xb_str_release) = {0};
	struct xb_str body XB_CLEANUP(xb_str_release) = {0};
	made_body(w->dir, records, &body);
	size_t signed_at = w->index.len - body.len;
	xb_str_append_sv(&file, xb_str_sv(&w->index));
	for (size_t at = signed_at; at < file.len; at += 23) {
		file.data[at] ^= 1;
		refuse(w, &file, XB_E_SIGNATURE, "not one that key 'good.rsa.pub' made");
		file.data[at] ^= 1;
	}
	xb_str_append_char(&file, '\0');
	refuse(w, &file, XB_E_SIGNATURE, "not one that");
	xb_str_append(&more, "P:evil\n");
	file.len--;
	made_gzip(w->dir, &more, &file);
	refuse(w, &file, XB_E_SIGNATURE, "not one that");
	file.len = signed_at;
	refuse(w, &file, XB_E_SIGNATURE, "");
	for (size_t len = 0; len < signed_at; len += 37) {
		file.len = len;
		refuse(w, &file, XB_E_VERIFY, len ? "cut off" : "is missing");
	}
}

/* What stands in the first member beside signatures is never read as an index. */
static void test_index_among_signatures(void **state)
{
	struct world *w = *state;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_index *index XB_CLEANUP(close_index) = NULL;
	struct xb_str body XB_CLEANUP(xb_str_release) = {0}, tar XB_CLEANUP(xb_str_release) = {0};
	struct xb_str sig XB_CLEANUP(xb_str_release) = {0}, file XB_CLEANUP(xb_str_release) = {0};
	made_body(w->dir, records, &body);
	made_signature(w->dir, "good", "-sha256", &body, &sig);
	made_entry(&tar, "APKINDEX", "P:evil\n", 7);
	made_entry(&tar, ".SIGN.RSA256.good.rsa.pub", sig.data, sig.len);
	made_gzip(w->dir, &tar, &file);
	xb_str_append_sv(&file, xb_str_sv(&body));
	expect_ok(open_file(w, &file, &index, &err), &err);
	assert_string_equal(index->packages[0].name, "busybox");
}

static void test_bombs(void **state)
{
	struct world *w = *state;
	struct xb_str zeros XB_CLEANUP(xb_str_release) = {0}, file XB_CLEANUP(xb_str_release) = {0};
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0}, sig XB_CLEANUP(xb_str_release) = {0};
	struct xb_str body XB_CLEANUP(xb_str_release) = {0}, sum XB_CLEANUP(xb_str_release) = {0};
	char *zero_bytes XB_CLEANUP(xb_free_ptr) = xb_alloc(16 * XB_MIB);
	xb_str_append_n(&zeros, zero_bytes, 16 * XB_MIB);
	/* unsigned: read no further than signatures could reach */
	made_gzip(w->dir, &zeros, &file);
	refuse(w, &file, XB_E_SIGNATURE, "it is not signed");
	/* signed, by somebody who means ill: 19 members of 16 MiB */
	for (int i = 0; i < 19; i++)
		xb_str_append_sv(&body, xb_str_sv(&file));
	made_signature(w->dir, "good", "-sha256", &body, &sig);
	made_entry(&tar, ".SIGN.RSA256.good.rsa.pub", sig.data, sig.len);
	xb_str_reset(&sum);
	made_gzip(w->dir, &tar, &sum);
	xb_str_append_sv(&sum, xb_str_sv(&body));
	refuse(w, &sum, XB_E_VERIFY, "holds more than the allowed");
}

static void test_wrong_tars(void **state)
{
	static const char *const names[] = {"APKINDEX", "APKINDEX2", "APKINDEX"};
	static const char *const messages[] = {"holds 'APKINDEX' twice", "holds no file 'APKINDEX'", "damaged header",
					       "cut off"};
	struct world *w = *state;
	for (size_t i = 0; i < XB_COUNT(messages); i++) {
		struct xb_str tar XB_CLEANUP(xb_str_release) = {0}, body XB_CLEANUP(xb_str_release) = {0};
		struct xb_str sig XB_CLEANUP(xb_str_release) = {0}, sigs XB_CLEANUP(xb_str_release) = {0};
		struct xb_str file XB_CLEANUP(xb_str_release) = {0};
		if (i < XB_COUNT(names))
			made_entry(&tar, names[i], records, sizeof(records) - 1);
		if (i == 0)
			made_entry(&tar, names[i], records, sizeof(records) - 1);
		if (i == 2)
			tar.data[10] ^= 1;
		if (i == 3)
			xb_str_append(&tar, "APKINDEX");
		made_gzip(w->dir, &tar, &body);
		made_signature(w->dir, "good", "-sha256", &body, &sig);
		made_entry(&sigs, ".SIGN.RSA256.good.rsa.pub", sig.data, sig.len);
		made_gzip(w->dir, &sigs, &file);
		xb_str_append_sv(&file, xb_str_sv(&body));
		refuse(w, &file, i < 2 ? XB_E_INPUT : XB_E_VERIFY, messages[i]);
	}
}

#define RECORD(name, version) "C:" MADE_CHECKSUM "\nP:" name "\nV:" version "\nA:x86_64\nS:1\n"

static void test_wrong_records(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"P:a\nV:1\nA:x86_64\nS:1\n", "line 5: the record before has no field 'C'"},
		{"C:" MADE_CHECKSUM "\nV:1\nA:x86_64\nS:1\n", "no field 'P'"},
		{"C:" MADE_CHECKSUM "\nP:a\nA:x86_64\nS:1\n\n" RECORD("b", "1"),
		 "line 5: the record before has no field 'V'"},
		{"C:" MADE_CHECKSUM "\nP:a\nV:1\nS:1\n", "no field 'A'"},
		{"C:" MADE_CHECKSUM "\nP:a\nV:1\nA:x86_64\n", "no field 'S'"},
		{RECORD("a/../b", "1"), "line 2: not a package name: 'a/../b'"},
		{RECORD("..", "1"), "not a package name: '..'"},
		{RECORD("", "1"), "not a package name:"},
		{RECORD("a b", "1"), "not a package name: 'a b'"},
		{RECORD("a%2f", "1"), "not a package name"},
		{RECORD("a", "1/2"), "line 3: not a version: '1/2'"},
		{RECORD("a", "../1"), "not a version"},
		{RECORD("a", "1?x"), "not a version"},
		{"C:Q2"
		 "2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n",
		 "line 1: expected a checksum 'Q1'"},
		{"C:Q1abc\n", "expected a checksum"},
		{"C:\n", "expected a checksum"},
		{"S:-1\n", "expected a number, found '-1'"},
		{"S:1x\n", "expected a number, found '1x'"},
		{"I:99999999999999999999\n", "expected a number"},
		{"k:\n", "expected a number"},
		{"t:1e3\n", "expected a number"},
		{RECORD("a", "1") "P:b\n", "line 6: a second field 'P'"},
		{"busybox\n", "expected 'X:value', found 'busybox'"},
		{":x\n", "expected 'X:value'"},
		{"1:x\n", "expected 'X:value'"},
		{"P\n", "expected 'X:value'"},
		{"D:a\tb\n", "no printable ASCII"},
		{"p:\x80\n", "no printable ASCII"},
	};
	struct world *w = *state;
	for (size_t i = 0; i < XB_COUNT(rows); i++)
		refuse_records(w, rows[i].text, XB_E_INPUT, rows[i].message);
	refuse_records(w, "C:" MADE_CHECKSUM "\nP:a\nV:1\nA:aarch64\nS:1\n", XB_E_VERIFY,
		       "line 4: expected a package for 'x86_64' or 'noarch', found one for 'aarch64'");
}

static void test_odd_but_right(void **state)
{
	struct world *w = *state;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_index *index XB_CLEANUP(close_index) = NULL;
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	made_index(w->dir, "good", "\n\n\n" RECORD("a", "not-a-version") "D: \np:\n\n\n\n" RECORD("_b+c.d-e", "1~x"),
		   &file);
	expect_ok(open_file(w, &file, &index, &err), &err);
	assert_int_equal(index->n_packages, 2);
	assert_int_equal(index->packages[0].depends.len, 0);
	assert_int_equal(index->packages[0].provides.len, 0);
	assert_false(index->packages[0].parsed.valid);
	assert_string_equal(index->packages[1].name, "_b+c.d-e");
	xb_apk_index_free(index);
	index = NULL;
	xb_str_reset(&file);
	made_index(w->dir, "good", "", &file);
	expect_ok(open_file(w, &file, &index, &err), &err);
	assert_int_equal(index->n_packages, 0);
}

static void test_limits(void **state)
{
	struct world *w = *state;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_index *index XB_CLEANUP(close_index) = NULL;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, file XB_CLEANUP(xb_str_release) = {0};
	/* a line of 1 MiB: half a million provides */
	xb_str_append(&text, RECORD("a", "1") "p:");
	size_t line_at = text.len - 2;
	while (text.len - line_at + 2 <= XB_MAX_APK_LINE_BYTES)
		xb_str_append(&text, "x ");
	made_index(w->dir, "good", text.data, &file);
	expect_ok(open_file(w, &file, &index, &err), &err);
	assert_int_equal(index->packages[0].provides.len, XB_MAX_APK_LINE_BYTES / 2 - 1);
	xb_str_append(&text, "xxx");
	refuse_records(w, text.data, XB_E_INPUT, "line 6: it is longer than 1 MiB");
	/* more relations than are allowed, in lines that are short enough */
	xb_str_reset(&text);
	for (int i = 0; i < 17; i++) {
		xb_str_append(&text, RECORD("a", "1") "D:");
		for (int k = 0; k < 500000; k++)
			xb_str_append(&text, "x ");
		xb_str_append(&text, "\n\n");
	}
	refuse_records(w, text.data, XB_E_INPUT, "more relations than are allowed");
	xb_str_reset(&text);
	xb_str_append(&text, RECORD("a", "1"));
	text.data[4] = '\0';
	xb_str_reset(&file);
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0}, body XB_CLEANUP(xb_str_release) = {0};
	struct xb_str sig XB_CLEANUP(xb_str_release) = {0}, sigs XB_CLEANUP(xb_str_release) = {0};
	made_entry(&tar, "APKINDEX", text.data, text.len);
	made_gzip(w->dir, &tar, &body);
	made_signature(w->dir, "good", "-sha256", &body, &sig);
	made_entry(&sigs, ".SIGN.RSA256.good.rsa.pub", sig.data, sig.len);
	made_gzip(w->dir, &sigs, &file);
	xb_str_append_sv(&file, xb_str_sv(&body));
	refuse(w, &file, XB_E_INPUT, "line 1: it holds a NUL byte");
}

/* ---- indexes of public projects ---- */

static void check_fixture(const char *file, const char *key, const char *arch, size_t n_packages, enum xb_rsa_hash hash)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_index *index XB_CLEANUP(close_index) = NULL;
	struct xb_str pem XB_CLEANUP(xb_str_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = made_fixture(file);
	char *key_path XB_CLEANUP(xb_free_ptr) = made_fixture(key);
	if (!xb_fs_exists(path)) {
		char missing[4096];

		/* nothing is cleaned up where a test is skipped */
		(void)snprintf(missing, sizeof(missing), "%s", path);
		xb_free_ptr(&path);
		xb_free_ptr(&key_path);
		skip_without(missing);
	}
	made_read(key_path, &pem);
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC);
	struct xb_rsa_key trusted = {.pem = xb_str_sv(&pem), .name = strrchr(key_path, '/') + 1};
	struct xb_apk_index_source source = {.fd = fd,
					     .name = file,
					     .repository = {.url = "https://h/r", .arch = arch},
					     .keys = &trusted,
					     .n_keys = 1};
	expect_ok(xb_apk_index_open(&source, &index, &err), &err);
	assert_int_equal(index->n_packages, n_packages);
	assert_int_equal(index->hash, hash);
	for (size_t i = 0; i < index->n_packages; i++)
		/* of all of Alpine, one is no version by apko's grammar */
		assert_int_equal(index->packages[i].parsed.valid, strcmp(index->packages[i].version, "0.99f7-r1") != 0);
}

static void test_alpine(void **state)
{
	(void)state;
	check_fixture("alpine-3.17/APKINDEX.tar.gz", "alpine-3.17/alpine-devel@lists.alpinelinux.org-616ae350.rsa.pub",
		      "aarch64", 5004, XB_RSA_SHA1);
}

static void test_wolfi(void **state)
{
	(void)state;
	check_fixture("wolfi/APKINDEX.tar.gz", "wolfi/wolfi-signing.rsa.pub", "x86_64", 47, XB_RSA_SHA1);
}

static void test_apko(void **state)
{
	(void)state;
	check_fixture("apko/packages/x86_64/APKINDEX.tar.gz", "apko/packages/melange.rsa.pub", "x86_64", 4,
		      XB_RSA_SHA256);
	check_fixture("apko/packages/aarch64/APKINDEX.tar.gz", "apko/packages/melange.rsa.pub", "aarch64", 4,
		      XB_RSA_SHA256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_several_signatures),
		cmocka_unit_test(test_refused_signatures),
		cmocka_unit_test(test_nothing_signed),
		cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_index_among_signatures),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_wrong_tars),
		cmocka_unit_test(test_wrong_records),
		cmocka_unit_test(test_odd_but_right),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_alpine),
		cmocka_unit_test(test_wolfi),
		cmocka_unit_test(test_apko),
	};
	return cmocka_run_group_tests(tests, make_world, drop_world);
}
