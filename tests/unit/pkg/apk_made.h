/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apk keys, signatures and indexes made for the tests: by the openssl program, and by a tar and a gzip writer of a few
 * lines. Include after cmocka.h and sample.h.
 */
#ifndef TEST_PKG_APK_MADE_H
#define TEST_PKG_APK_MADE_H

#include <sys/stat.h>

#include "../run_program.h"
#include "xbuild/pkg/apk_index.h"

#define MADE_CHECKSUM "Q12jmj7l5rSw0yVb/vlWAYkK/YBwk="

/* Runs argv[0], found in PATH, to success; what it wrote to stdout goes to out (may be NULL). */
static inline void made_run(struct xb_str *out, const char *const *argv)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_proc_result result XB_CLEANUP(xb_proc_result_release) = {0};
	char *program XB_CLEANUP(xb_free_ptr) = xb_proc_find(argv[0]);
	const char *full[24] = {program};
	size_t n = 1;
	if (!program)
		fail_msg("there is no program '%s'", argv[0]);
	for (; argv[n]; n++) {
		assert_true(n < XB_COUNT(full) - 1);
		full[n] = argv[n];
	}
	struct xb_proc_spec spec = {.argv = full, .split_output = true, .max_output = 400 * XB_MIB};
	expect_ok(run_program(&spec, &result, &err), &err);
	if (result.exit_code != 0)
		fail_msg("%s exited with %d: %s", argv[0], result.exit_code, xb_str_get(&result.errors));
	if (out)
		xb_str_append_sv(out, xb_str_sv(&result.output));
}
#define MADE_RUN(out, ...) made_run(out, (const char *const[]){__VA_ARGS__, NULL})

static inline void made_read(const char *path, struct xb_str *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	xb_str_reset(out);
	expect_ok(xb_fs_read(path, 400 * XB_MIB, out, &err), &err);
}

/* Makes the private key DIR/NAME; the public one goes to out. */
static inline void made_key(const char *dir, const char *name, const char *bits, struct xb_str *out)
{
	char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, name);
	char *option XB_CLEANUP(xb_free_ptr) = xb_printf("rsa_keygen_bits:%s", bits);
	MADE_RUN(NULL, "openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", option, "-out", file);
	xb_str_reset(out);
	MADE_RUN(out, "openssl", "pkey", "-in", file, "-pubout");
}

/* An entry of a tar: one header, the content, padding. No end of the tar. */
static inline void made_entry(struct xb_str *tar, const char *name, const void *content, size_t len)
{
	char h[512] = {0};
	unsigned sum = 0;
	memcpy(h, name, strlen(name));
	memcpy(h + 100, "0000644\0000000000\0000000000", 23);
	(void)snprintf(h + 124, 12, "%011o", (unsigned)len);
	memcpy(h + 136, "00000000000", 11);
	memset(h + 148, ' ', 8);
	h[156] = '0';
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	(void)snprintf(h + 148, 8, "%06o", sum & 0777777);
	xb_str_append_n(tar, h, sizeof(h));
	xb_str_append_n(tar, content, len);
	while (tar->len % 512)
		xb_str_append_char(tar, '\0');
}

static inline void made_end(struct xb_str *tar)
{
	for (int i = 0; i < 1024; i++)
		xb_str_append_char(tar, '\0');
}

/* Appends the gzip member that the gzip program makes of the bytes. */
static inline void made_gzip(const char *dir, const struct xb_str *bytes, struct xb_str *out)
{
	char *in XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "gz-in");
	scratch_write(dir, "gz-in", xb_str_get(bytes), bytes->len);
	MADE_RUN(out, "gzip", "-nc", in);
}

/* A signature of the bytes by DIR/KEY; hash is "-sha256" and so on. */
static inline void made_signature(const char *dir, const char *key, const char *hash, const struct xb_str *bytes,
				  struct xb_str *out)
{
	char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, key);
	char *in XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "sign-in");
	char *to XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "sign-out");
	scratch_write(dir, "sign-in", xb_str_get(bytes), bytes->len);
	MADE_RUN(NULL, "openssl", "dgst", hash, "-sign", file, "-out", to, in);
	made_read(to, out);
}

/* gzip(tar{DESCRIPTION, APKINDEX}) of the records. */
static inline void made_body(const char *dir, const char *records, struct xb_str *out)
{
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	made_entry(&tar, "DESCRIPTION", "made for tests\n", 15);
	made_entry(&tar, "APKINDEX", records, strlen(records));
	made_end(&tar);
	made_gzip(dir, &tar, out);
}

/* gzip(tar{.SIGN.RSA256.KEY.rsa.pub}) and the body, signed by DIR/KEY. */
static inline void made_index(const char *dir, const char *key, const char *records, struct xb_str *out)
{
	struct xb_str body XB_CLEANUP(xb_str_release) = {0}, tar XB_CLEANUP(xb_str_release) = {0};
	struct xb_str sig XB_CLEANUP(xb_str_release) = {0};
	char *entry XB_CLEANUP(xb_free_ptr) = xb_printf(".SIGN.RSA256.%s.rsa.pub", key);
	made_body(dir, records, &body);
	made_signature(dir, key, "-sha256", &body, &sig);
	made_entry(&tar, entry, sig.data, sig.len);
	made_gzip(dir, &tar, out);
	xb_str_append_sv(out, xb_str_sv(&body));
}

/* A descriptor of a file that holds the bytes and has no name. */
static inline int made_fd(const char *dir, const struct xb_str *bytes)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "fd");
	scratch_write(dir, "fd", xb_str_get(bytes), bytes->len);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	return fd;
}

/* Owned path of a fixture of public projects: $XB_SHARED/fixtures/apk/NAME, or beside the source tree. May not exist. */
static inline char *made_fixture(const char *name)
{
	const char *shared = getenv("XB_SHARED");
	return xb_printf("%s/fixtures/apk/%s", shared && *shared ? shared : XB_TEST_SOURCE_DIR "/../shared", name);
}

#endif
