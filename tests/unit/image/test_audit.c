/* SPDX-License-Identifier: Apache-2.0 */
/* The attacks are in tests/cli/image_attacks.py; here: what damage of any kind does to an archive that was fine. */
#include "../store/fixture.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/audit.h"
#include "xbuild/image/layer.h"
#include "xbuild/image/layout.h"
#include "xbuild/image/tarball.h"
#include "xbuild/store/cas.h"

struct sample {
	char *path;
	struct xb_str text; /* of the archive */
};

static struct xb_descriptor put(struct fixture *f, struct xb_str *text)
{
	struct xb_descriptor d = {.size_bytes = text->len};

	assert_ok(xb_cas_put_bytes(f->store, text->data, text->len, &d.digest, &f->err), &f->err);
	xb_str_release(text);
	return d;
}

static void add_text(struct fixture *f, struct xb_rootfs *r, const char *path, const char *text)
{
	char *source = xb_printf("%s/%zu", f->dir, r->len);
	struct xb_rootfs_entry e = {.path = path,
				    .mode = 0644,
				    .source = source,
				    .size_bytes = (int64_t)strlen(text),
				    .origin = "test",
				    .layer = XB_LAYER_APPLICATION};

	write_text(source, text);
	xb_digest_bytes(text, strlen(text), &e.digest);
	xb_rootfs_add(r, &e);
	free(source);
}

/* An image of one layer, written as `xbuild image --output oci-archive` does. */
static struct sample make_sample(struct fixture *f)
{
	const struct xb_layer_options options = {.threads = 1};
	const struct xb_target *target = xb_target_find(xb_sv("linux-aarch64"));
	struct sample s = {.path = xb_printf("%s/image.tar", f->dir)};
	struct xb_layer layers[XB_LAYER_KINDS];
	struct xb_document_config config = {
		.target = target, .created = "1970-01-01T00:00:00Z", .layers = layers, .n_layers = 1};
	const struct xb_pairs none = {0};
	struct xb_descriptor blobs[4];
	struct xb_rootfs rootfs = {0};
	struct xb_str text = {0};
	struct xb_tarball t;
	size_t n;

	add_text(f, &rootfs, "etc/conf", "text");
	add_text(f, &rootfs, "usr/\303\274ber", "a name that needs a pax header");
	assert_ok(xb_rootfs_finish(&rootfs, &f->err), &f->err);
	n = 0;
	assert_ok(xb_layer_make_all(f->store, &rootfs, &options, layers, &n, &f->err), &f->err);
	blobs[3] = (struct xb_descriptor){layers[0].blob, layers[0].size_bytes};
	assert_ok(xb_document_config(&config, &text, &f->err), &f->err);
	blobs[2] = put(f, &text);
	assert_ok(xb_document_manifest(&blobs[2], layers, 1, &none, &text, &f->err), &f->err);
	blobs[1] = put(f, &text);
	assert_ok(xb_document_index(&(struct xb_document_platform){target, blobs[1]}, 1, &none, &text, &f->err),
		  &f->err);
	blobs[0] = put(f, &text);
	assert_ok(xb_document_layout(&blobs[0], "v1", &text, &f->err), &f->err);
	assert_ok(xb_tarball_open(&t, s.path, NULL, &f->err), &f->err);
	assert_ok(xb_tarball_add_text(&t, "oci-layout", xb_sv(XB_LAYOUT_VERSION_JSON), &f->err), &f->err);
	assert_ok(xb_tarball_add_text(&t, "index.json", xb_str_sv(&text), &f->err), &f->err);
	for (size_t i = 0; i < 4; i++)
		assert_ok(xb_tarball_add_blob(&t, f->store, &blobs[i], &f->err), &f->err);
	assert_ok(xb_tarball_finish(&t, &f->err), &f->err);
	xb_tarball_release(&t);
	xb_str_release(&text);
	xb_rootfs_release(&rootfs);
	assert_ok(xb_fs_read(s.path, 1 << 30, &s.text, &f->err), &f->err);
	return s;
}

static void release_sample(struct sample *s)
{
	xb_str_release(&s->text);
	free(s->path);
}

static void write_bytes(struct fixture *f, const char *path, const char *bytes, size_t len)
{
	assert_ok(xb_atomic_file_write(path, bytes, len, 0644, 0, &f->err), &f->err);
}

static void test_fine(void **state)
{
	struct fixture *f = *state;
	struct sample s = make_sample(f);
	struct xb_audit audit = {0};

	assert_ok(xb_audit_run(s.path, NULL, &audit, &f->err), &f->err);
	for (size_t i = 0; i < audit.findings.len; i++)
		print_error("%s\n", audit.findings.items[i].text);
	assert_int_equal(audit.n_problems + audit.n_warnings, 0);
	assert_int_equal(audit.images.len, 1);
	assert_string_equal(audit.images.items[0].ref, "v1");
	assert_string_equal(audit.images.items[0].platforms, "linux/arm64/v8");
	xb_audit_release(&audit);
	release_sample(&s);
}

/* Number of the last byte that is not of the end marker. */
static size_t end_of_content(const struct sample *s)
{
	return s->text.len - 1024;
}

/* Wherever an archive is cut off, that is a problem. */
static void test_cut(void **state)
{
	struct fixture *f = *state;
	struct sample s = make_sample(f);

	for (size_t len = 0; len < s.text.len - 512; len += len < 4096 ? 101 : 509) {
		struct xb_audit audit = {0};

		write_bytes(f, s.path, s.text.data, len);
		assert_ok(xb_audit_run(s.path, NULL, &audit, &f->err), &f->err);
		assert_true(audit.n_problems > 0);
		xb_audit_release(&audit);
	}
	release_sample(&s);
}

/*
 * Bytes changed anywhere: never a crash, and where bytes of a blob or of a header's name changed never the same verdict as
 * before. (What else is in a header, padding and the text of a reference may change without harm.)
 */
static void test_mutations(void **state)
{
	struct fixture *f = *state;
	struct sample s = make_sample(f);
	uint32_t seed = 1;
	size_t told = 0;

	for (int round = 0; round < 1500; round++) {
		char *bytes = xb_alloc(s.text.len);
		struct xb_audit audit = {0};
		struct xb_err err = {0};

		memcpy(bytes, s.text.data, s.text.len);
		for (int i = 0; i <= round % 3; i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[(seed >> 8) % end_of_content(&s)] ^= (char)(1 << (seed >> 29));
		}
		write_bytes(f, s.path, bytes, s.text.len);
		assert_int_equal(xb_audit_run(s.path, NULL, &audit, &err), 0);
		assert_true(audit.findings.len <= 2 * XB_MAX_DIAGS);
		told += audit.n_problems > 0;
		xb_audit_release(&audit);
		free(bytes);
	}
	assert_true(told > 500);
	release_sample(&s);
}

/* Every byte of every blob counts: the offsets that a tar's reader computes are the right ones. */
static void test_each_blob(void **state)
{
	struct fixture *f = *state;
	struct sample s = make_sample(f);
	size_t n = 0;

	for (size_t at = 0; at + 512 < end_of_content(&s);) {
		const char *header = s.text.data + at;
		const size_t size = strtoul(header + 124, NULL, 8);

		if (strncmp(header, "blobs/", 6) == 0) {
			for (size_t i = 0; i < size; i += size / 7 + 1) {
				struct xb_audit audit = {0};

				s.text.data[at + 512 + i] ^= 4;
				write_bytes(f, s.path, s.text.data, s.text.len);
				s.text.data[at + 512 + i] ^= 4;
				assert_ok(xb_audit_run(s.path, NULL, &audit, &f->err), &f->err);
				assert_true(audit.n_problems > 0);
				assert_non_null(strstr(audit.findings.items[0].text, "its content has the digest"));
				xb_audit_release(&audit);
			}
			n++;
		}
		at += 512 + (size + 511) / 512 * 512;
	}
	assert_int_equal(n, 4);
	release_sample(&s);
}

static void test_no_verdict(void **state)
{
	struct fixture *f = *state;
	struct sample s = make_sample(f);
	volatile int interrupted = 2;
	struct xb_audit audit = {0};

	assert_failed(xb_audit_run(s.path, &interrupted, &audit, &f->err), &f->err, XB_E_INTERRUPTED, "interrupted");
	xb_audit_release(&audit);
	assert_failed(xb_audit_run("/nowhere", NULL, &audit, &f->err), &f->err, XB_E_NOT_FOUND, "/nowhere");
	xb_audit_release(&audit);
	assert_failed(xb_audit_run("/dev/null", NULL, &audit, &f->err), &f->err, XB_E_INPUT, "/dev/null");
	xb_audit_release(&audit);
	release_sample(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fine, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mutations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_blob, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_verdict, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
