/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "xbuild/image/artifact.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static struct xb_descriptor descriptor(int byte, uint64_t size_bytes)
{
	struct xb_descriptor d = {.size_bytes = size_bytes};

	memset(d.digest.bytes, byte, sizeof(d.digest.bytes));
	return d;
}

static void a_manifest_with_a_subject(void **state)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	const struct xb_artifact_layer layer = {"text/plain", descriptor(0xbb, 3), "note", "a \"b\""};
	const struct xb_artifact_subject subject = {XB_MEDIA_INDEX, descriptor(0xcc, 4)};
	const struct xb_artifact artifact = {.artifact_type = "text/plain",
					     .config_type = XB_MEDIA_EMPTY,
					     .config = descriptor(0xaa, 2),
					     .layers = &layer,
					     .n_layers = 1,
					     .subject = &subject};

	(void)state;
	xb_artifact_manifest(&artifact, &out);
	assert_string_equal(
		out.data,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		"\"artifactType\":\"text/plain\","
		"\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"sha256:" HEX_A
		"\",\"size\":2},"
		"\"layers\":[{\"mediaType\":\"text/plain\",\"digest\":\"sha256:" HEX_B "\",\"size\":3,"
		"\"annotations\":{\"note\":\"a \\\"b\\\"\"}}],"
		"\"subject\":{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"sha256:" HEX_C
		"\",\"size\":4}}");
}

static void an_index_of_entries_with_and_without_a_tag(void **state)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	const struct xb_artifact_entry entries[] = {{NULL, descriptor(0xaa, 1), "sha256-x.sig"},
						    {"text/plain", descriptor(0xbb, 2), NULL}};

	(void)state;
	xb_artifact_index(entries, 2, &out);
	assert_string_equal(
		out.data,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":["
		"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:" HEX_A
		"\",\"size\":1,\"annotations\":{\"org.opencontainers.image.ref.name\":\"sha256-x.sig\"}},"
		"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:" HEX_B
		"\",\"size\":2,\"artifactType\":\"text/plain\"}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_with_a_subject),
		cmocka_unit_test(an_index_of_entries_with_and_without_a_tag),
	};

	return cmocka_run_group_tests_name("image/artifact", tests, NULL, NULL);
}
