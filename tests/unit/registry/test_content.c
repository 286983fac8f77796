/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/registry/content.h"

#define INDEX	 "application/vnd.oci.image.index.v1+json"
#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define CONFIG	 "application/vnd.oci.image.config.v1+json"
#define LAYER	 "application/vnd.oci.image.layer.v1.tar"
#define ONES	 "1111111111111111111111111111111111111111111111111111111111111111"

static struct xb_map documents; /* digest -> text */

static char *add(const char *text)
{
	struct xb_digest d;
	char hex[XB_DIGEST_OCI];

	xb_digest_bytes(text, strlen(text), &d);
	free(xb_map_put_str(&documents, xb_digest_oci(&d, hex), xb_strdup(text)));
	return xb_strdup(hex);
}

static int read_document(void *ctx, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err)
{
	char hex[XB_DIGEST_OCI];
	const char *text = xb_map_get_str(&documents, xb_digest_oci(digest, hex));

	(void)ctx;
	if (!text)
		return xb_fail(err, XB_E_NOT_FOUND, "%s is not there", hex);
	xb_str_append(out, text);
	return 0;
}

static bool wants_arm(void *ctx, const char *platform)
{
	(void)ctx;
	return strcmp(platform, "linux/arm64/v8") == 0;
}

static int read_root(const char *media_type, const char *root, bool filter, struct xb_content *out, struct xb_err *err)
{
	const struct xb_content_reader reader = {.read = read_document, .wants = filter ? wants_arm : NULL};
	struct xb_digest d;

	assert_true(xb_digest_parse(xb_sv(root), &d));
	return xb_content_read(&reader, media_type, &d, out, err);
}

/* A descriptor of a digest of one repeated digit. */
static char *blob(const char *type, char digit, int size)
{
	char hex[65];

	memset(hex, digit, 64);
	hex[64] = '\0';
	return xb_printf("{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%d}", type, hex, size);
}

static char *manifest(char config, char layer)
{
	char *c XB_CLEANUP(xb_free_ptr) = blob(CONFIG, config, 10);
	char *shared XB_CLEANUP(xb_free_ptr) = blob(LAYER, 'a', 100);
	char *own XB_CLEANUP(xb_free_ptr) = blob(LAYER, layer, 200);
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST "\",\"config\":%s,\"layers\":[%s,%s],"
			  "\"annotations\":{\"org.opencontainers.image.base.name\":\"ghcr.io/base:1\"}}",
			  c, shared, own);

	return add(text);
}

static size_t size_of(const char *digest)
{
	return strlen(xb_map_get_str(&documents, digest));
}

static char *child(const char *type, const char *digest, const char *platform)
{
	return xb_printf("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", type, digest, size_of(digest),
			 platform);
}

static void test_two_platforms(void **state)
{
	struct xb_content g XB_CLEANUP(xb_content_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *one XB_CLEANUP(xb_free_ptr) = manifest('1', 'b'), *two XB_CLEANUP(xb_free_ptr) = manifest('2', 'c');
	char *amd XB_CLEANUP(xb_free_ptr) =
		child(MANIFEST, one, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");
	char *arm XB_CLEANUP(xb_free_ptr) =
		child(MANIFEST, two, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}");
	char *other XB_CLEANUP(xb_free_ptr) = blob("application/x-other", 'd', 5);
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("{\"mediaType\":\"" INDEX "\",\"manifests\":[%s,%s,%s]}", amd, arm, other);
	char *root XB_CLEANUP(xb_free_ptr) = add(text);

	(void)state;
	assert_int_equal(read_root(NULL, root, false, &g, &err), 0);
	assert_int_equal(g.documents.len, 3);
	assert_true(g.documents.items[2].is_index);
	assert_string_equal(g.documents.items[2].media_type, INDEX);
	assert_string_equal(g.documents.items[1].platform, "linux/arm64/v8");
	assert_string_equal(g.documents.items[0].base_name, "ghcr.io/base:1");
	/* the shared layer, two own ones, two configurations, and what is no manifest */
	assert_int_equal(g.blobs.len, 6);
	assert_int_equal(g.documents.items[0].layers[0], g.documents.items[1].layers[0]);
	assert_int_equal(g.blobs.items[g.documents.items[1].layers[1]].document, 1);
	assert_true(g.blobs.items[5].document == SIZE_MAX);
	xb_content_release(&g);

	assert_int_equal(read_root(INDEX, root, true, &g, &err), 0);
	assert_int_equal(g.documents.len, 2);
	assert_int_equal(g.blobs.len, 3);
}

/* What one entry calls a blob can be a manifest to the next: it is read all the same. */
static void test_two_names(void **state)
{
	struct xb_content g XB_CLEANUP(xb_content_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *one XB_CLEANUP(xb_free_ptr) = manifest('1', 'b');
	char *odd XB_CLEANUP(xb_free_ptr) = child("application/x-other", one, "");
	char *plain XB_CLEANUP(xb_free_ptr) = child(MANIFEST, one, "");
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("{\"mediaType\":\"" INDEX "\",\"manifests\":[%s,%s]}", odd, plain);
	char *root XB_CLEANUP(xb_free_ptr) = add(text);

	(void)state;
	assert_int_equal(read_root(NULL, root, false, &g, &err), 0);
	assert_int_equal(g.documents.len, 2);
	assert_int_equal(g.documents.items[0].n_layers, 2);
}

static void refuse(const char *media_type, const char *text, enum xb_code code, const char *why)
{
	struct xb_content g XB_CLEANUP(xb_content_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *root XB_CLEANUP(xb_free_ptr) = add(text);

	if (read_root(media_type, root, false, &g, &err) != (int)code || !strstr(err.msg, why))
		fail_msg("%s: got %d '%s', expected '%s'", text, (int)err.code, err.msg ? err.msg : "", why);
	assert_int_equal(g.documents.len, 0);
}

static void test_refused(void **state)
{
	char *c XB_CLEANUP(xb_free_ptr) = blob(CONFIG, '1', 10);
	char *m XB_CLEANUP(xb_free_ptr) = manifest('1', 'b');
	char *both XB_CLEANUP(xb_free_ptr) = xb_printf("{\"manifests\":[],\"layers\":[],\"config\":%s}", c);
	char *sizes XB_CLEANUP(xb_free_ptr) = xb_printf(
		"{\"config\":%s,\"layers\":[{\"mediaType\":\"x\",\"digest\":\"sha256:" ONES "\",\"size\":11}]}", c);
	char *wrong_size XB_CLEANUP(xb_free_ptr) =
		xb_printf("{\"manifests\":[{\"mediaType\":\"" MANIFEST "\",\"digest\":\"%s\",\"size\":7}]}", m);
	char *huge XB_CLEANUP(xb_free_ptr) =
		xb_printf("{\"manifests\":[{\"mediaType\":\"" MANIFEST "\",\"digest\":\"%s\",\"size\":99999999}]}", m);
	char *good XB_CLEANUP(xb_free_ptr) =
		xb_printf("{\"mediaType\":\"" MANIFEST "\",\"config\":%s,\"layers\":[]}", c);

	(void)state;
	refuse(NULL, "", XB_E_INPUT, "");
	refuse(NULL, "[]", XB_E_INPUT, "expected an index or a manifest");
	refuse(NULL, "{}", XB_E_INPUT, "expected an index or a manifest");
	refuse(NULL, both, XB_E_INPUT, "expected an index or a manifest");
	refuse(NULL, sizes, XB_E_INPUT, "has two sizes");
	refuse(NULL, wrong_size, XB_E_DIGEST, "expected 7");
	refuse(NULL, huge, XB_E_INPUT, "at most");
	refuse(INDEX, good, XB_E_INPUT, "its mediaType is");
	refuse("text/html", good, XB_E_INPUT, "its mediaType is");
	refuse(NULL, "{\"mediaType\":\"" MANIFEST "\",\"manifests\":[]}", XB_E_INPUT, "is no media type of an index");
	refuse(NULL, "{\"manifests\":[{\"digest\":\"sha512:ab\",\"size\":1}]}", XB_E_INPUT, "is no sha256 digest");
	refuse(NULL, "{\"manifests\":[{\"digest\":\"sha256:../../../../etc/passwd\",\"size\":1}]}", XB_E_INPUT,
	       "is no sha256 digest");
	refuse(NULL, "{\"manifests\":[{\"digest\":\"sha256:" ONES "\",\"size\":-1}]}", XB_E_INPUT, "has no size");
	refuse(NULL, "{\"layers\":{},\"config\":{}}", XB_E_INPUT, "expected a list of layers");
}

/* Indexes of indexes: as deep as is read, and deeper. */
static void test_depth(void **state)
{
	char *root = manifest('1', 'b');

	(void)state;
	for (int depth = 0; depth < 10; depth++) {
		struct xb_content g XB_CLEANUP(xb_content_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *of XB_CLEANUP(xb_free_ptr) = child(depth ? INDEX : MANIFEST, root, "");
		char *text XB_CLEANUP(xb_free_ptr) = xb_printf("{\"manifests\":[%s]}", of);

		free(root);
		root = add(text);
		assert_int_equal(read_root(NULL, root, false, &g, &err), depth < 8 ? 0 : XB_E_INPUT);
	}
	free(root);
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < documents.len; i++)
		free(documents.entries[i].value);
	xb_map_release(&documents);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_names), cmocka_unit_test(test_two_platforms),
					   cmocka_unit_test(test_refused), cmocka_unit_test(test_depth)};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
