/* SPDX-License-Identifier: Apache-2.0 */
/* apk packages made by hand (apk-tools, doc/apk-v2.5.scd): gzip members of tars, with the checksums that belong there. */
#ifndef TEST_PKG_APK_PACKAGE_MADE_H
#define TEST_PKG_APK_PACKAGE_MADE_H

#include <stdlib.h>

#include <zlib.h>

#include "deb_made.h"
#include "xbuild/base/base64.h"
#include "xbuild/base/hex.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/sys/digest_sha1.h"

/* What a package is made of, and how its chain is broken. */
struct made {
	const char *name, *version, *arch, *info; /* info: further lines of .PKGINFO, or NULL */
	const struct item *scripts;		  /* ends with {0}; or NULL */
	const struct item *items;
	bool without_sums, wrong_datahash, without_datahash, without_signature, cut_data;
	const char *wrong_sum; /* path of a file whose checksum is of something else */
	const char *records;   /* further pax records of every entry, or NULL */
	const char *behind;    /* bytes behind the end of the data tar */
};

/* One member, however large: xbuild's own encoder makes members of a bounded size. 16 + 15: RFC 1952, the largest window. */
static inline void add_gzip(struct xb_str *out, const struct xb_str *plain)
{
	z_stream z = {0};
	char *packed;
	uLong bound;

	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	bound = deflateBound(&z, plain->len);
	packed = malloc(bound);
	assert_non_null(packed);
	z.next_in = (Bytef *)(uintptr_t)plain->data;
	z.avail_in = (uInt)plain->len;
	z.next_out = (Bytef *)packed;
	z.avail_out = (uInt)bound;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	xb_str_append_n(out, packed, z.total_out);
	deflateEnd(&z);
	free(packed);
}

static inline void sha1_of(const void *data, size_t len, struct xb_sha1 *out)
{
	struct xb_sha1_hasher h;

	xb_sha1_init(&h);
	xb_sha1_update(&h, data, len);
	xb_sha1_final(&h, out);
}

static inline void add_record(struct xb_str *records, const char *key, const char *value)
{
	size_t len = strlen(key) + strlen(value) + 3, digits = 1;

	while (len + digits >= (digits == 1 ? 10U : digits == 2 ? 100U : 1000U))
		digits++;
	xb_str_printf(records, "%zu %s=%s\n", len + digits, key, value);
}

static inline void add_with_sum(struct xb_str *tar, const struct made *m, const struct item *item)
{
	struct xb_str records XB_CLEANUP(xb_str_release) = {0};
	char hex[2 * XB_SHA1_BYTES + 1];
	struct xb_sha1 sum;

	sha1_of(item->text, strlen(item->text), &sum);
	if (m->wrong_sum && strcmp(m->wrong_sum, item->name) == 0)
		sum.bytes[0] ^= 1;
	xb_hex_encode(sum.bytes, sizeof(sum.bytes), hex);
	if (!m->without_sums && (item->type == '0' || item->type == '2'))
		add_record(&records, "APK-TOOLS.checksum.SHA1", hex);
	if (m->records)
		xb_str_append(&records, m->records);
	if (records.len)
		add_entry(tar, &(struct item){'x', "x", xb_str_get(&records), 0644});
	add_entry(tar, item);
}

/* The file, and what a lock says of it (but for sizes, sha256 and checksum, which are put in). Checksum is malloced. */
static inline void make_apk(const struct made *m, struct xb_str *apk, struct xb_lock_apk *package)
{
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0}, data XB_CLEANUP(xb_str_release) = {0};
	struct xb_str info XB_CLEANUP(xb_str_release) = {0}, control XB_CLEANUP(xb_str_release) = {0};
	struct xb_str sum XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX], end[2 * BLOCK] = {0};
	struct xb_sha1 sha1;

	for (const struct item *item = m->items; item->type; item++)
		add_with_sum(&tar, m, item);
	if (!m->cut_data)
		xb_str_append_n(&tar, end, sizeof(end));
	if (m->behind)
		xb_str_append(&tar, m->behind);
	add_gzip(&data, &tar);
	xb_digest_bytes(data.data, data.len, &package->data);
	xb_str_printf(&info, "# made\npkgname = %s\npkgver = %s\narch = %s\n%s", m->name, m->version, m->arch,
		      m->info ? m->info : "");
	if (m->wrong_datahash)
		package->data.bytes[0] ^= 1;
	if (!m->without_datahash)
		xb_str_printf(&info, "datahash = %s\n", xb_digest_hex(&package->data, hex));

	xb_str_reset(&tar);
	add_entry(&tar, &(struct item){'0', ".PKGINFO", xb_str_get(&info), 0644});
	for (const struct item *item = m->scripts; item && item->type; item++)
		add_entry(&tar, item);
	add_gzip(&control, &tar);
	sha1_of(control.data, control.len, &sha1);
	xb_str_append(&sum, "Q1");
	xb_base64_encode(sha1.bytes, sizeof(sha1.bytes), &sum);

	xb_str_reset(&tar);
	add_entry(&tar, &(struct item){'0', ".SIGN.RSA256.test.rsa.pub", "signature", 0644});
	if (!m->without_signature)
		add_gzip(apk, &tar);
	package->name = m->name;
	package->version = m->version;
	package->arch = m->arch;
	package->signature_bytes = (int64_t)apk->len;
	package->control_bytes = (int64_t)control.len;
	xb_str_append_sv(apk, xb_str_sv(&control));
	xb_str_append_sv(apk, xb_str_sv(&data));
	package->size_bytes = (int64_t)apk->len;
	package->checksum = xb_str_steal(&sum);
	xb_digest_bytes(apk->data, apk->len, &package->sha256);
}

#endif
