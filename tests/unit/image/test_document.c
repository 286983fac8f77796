/* SPDX-License-Identifier: Apache-2.0 */
/* Golden documents: tests/cases/oci/<name>.json, written by hand from the specification, without a final newline. */
#include "../store/fixture.h"
#include "xbuild/image/document.h"

static struct xb_words words(const char **items, size_t len)
{
	return (struct xb_words){.items = items, .len = len};
}

static struct xb_digest digest_of(uint8_t byte)
{
	struct xb_digest d;

	memset(d.bytes, byte, sizeof(d.bytes));
	return d;
}

static void assert_golden(const char *name, struct xb_str *found)
{
	char *path = xb_printf(XB_TEST_SOURCE_DIR "/tests/cases/oci/%s.json", name);
	char *expected = read_text(path);

	assert_string_equal(xb_str_get(found), expected);
	free(expected);
	free(path);
	xb_str_release(found);
}

static void layers(struct xb_layer out[2])
{
	out[0] = (struct xb_layer){.kind = XB_LAYER_PACKAGES,
				   .diff_id = digest_of(0x11),
				   .blob = digest_of(0x22),
				   .size_bytes = 5000000000};
	out[1] = (struct xb_layer){
		.kind = XB_LAYER_APPLICATION, .diff_id = digest_of(0x33), .blob = digest_of(0x44), .size_bytes = 7};
}

static void test_config(void **state)
{
	const char *ports[] = {"8080/tcp", "53/udp"}, *volumes[] = {"/var/lib/parcel"};
	const char *entrypoint[] = {"/usr/bin/parcel", "a \"quoted\" \\ word"}, *cmd[] = {"serve"};
	const char *env_names[] = {"PATH", "GREETING"}, *env_values[] = {"/usr/bin:/bin", "gr\xc3\xbc\xc3\x9f/<&>"};
	const char *label_names[] = {"team"}, *label_values[] = {"logistics"};
	struct xb_layer list[2];
	struct xb_document_config config = {
		.target = xb_target_find(xb_sv("linux-aarch64")),
		.created = "2024-10-16T02:31:37Z",
		.user = "10001:10001",
		.ports = words(ports, 2),
		.volumes = words(volumes, 1),
		.env = {.names = env_names, .values = env_values, .len = 2},
		.labels = {.names = label_names, .values = label_values, .len = 1},
		.entrypoint = words(entrypoint, 2),
		.cmd = words(cmd, 1),
		.workdir = "/var/lib/parcel",
		.stop_signal = "SIGTERM",
		.layers = list,
		.n_layers = 2,
	};
	struct xb_str out = {0};
	struct xb_err err = {0};

	(void)state;
	layers(list);
	assert_ok(xb_document_config(&config, &out, &err), &err);
	assert_golden("config-full", &out);
	config = (struct xb_document_config){.target = xb_target_find(xb_sv("linux-x86_64")),
					     .created = "1970-01-01T00:00:00Z",
					     .layers = list,
					     .n_layers = 1};
	assert_ok(xb_document_config(&config, &out, &err), &err);
	assert_golden("config-least", &out);
}

/* History of the base for two layers, whatever its own says; what configurations of Docker add goes on. */
static void test_config_base(void **state)
{
	static const char *const histories[] = {
		"[]",
		"[{\"created_by\":\"a\"},{\"created_by\":\"env\",\"empty_layer\":true},{\"created_by\":\"b\"}]",
		"[{\"created_by\":\"a\"},{\"created_by\":\"b\"},{\"created_by\":\"too many\"}]",
	};
	static const char *const expected[] = {
		"[{\"comment\":\"base\"},{\"comment\":\"base\"},",
		"[{\"created_by\":\"a\"},{\"created_by\":\"env\",\"empty_layer\":true},{\"created_by\":\"b\"},",
		"[{\"created_by\":\"a\"},{\"created_by\":\"b\"},",
	};
	struct xb_layer list[3] = {{.kind = XB_LAYER_BASE}, {.kind = XB_LAYER_BASE}, {.kind = XB_LAYER_APPLICATION}};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(histories); i++) {
		struct xb_str text = {0}, out = {0};
		struct xb_err err = {0};
		json_t *base = NULL;

		xb_str_printf(&text, "{\"config\":{\"Shell\":[\"x\"],\"Env\":[\"A=b\"]},\"history\":%s}", histories[i]);
		assert_ok(xb_json_parse(xb_str_sv(&text), "base", &base, &err), &err);
		const struct xb_document_config config = {.target = xb_target_find(xb_sv("linux-x86_64")),
							  .created = "1970-01-01T00:00:00Z",
							  .base = base,
							  .layers = list,
							  .n_layers = 3};

		assert_ok(xb_document_config(&config, &out, &err), &err);
		assert_non_null(strstr(out.data, "\"config\":{\"Shell\":[\"x\"]}"));
		assert_non_null(strstr(out.data, expected[i]));
		assert_non_null(strstr(out.data, "\"created_by\":\"xbuild\",\"comment\":\"application\"}]}"));
		json_decref(base);
		xb_str_release(&text);
		xb_str_release(&out);
	}
}

static void test_manifest(void **state)
{
	const struct xb_descriptor config = {digest_of(0x55), 321};
	const char *names[] = {"org.opencontainers.image.version"}, *values[] = {"1.0"};
	const struct xb_pairs annotations = {.names = names, .values = values, .len = 1}, none = {0};
	struct xb_layer list[2];
	struct xb_str out = {0};
	struct xb_err err = {0};

	(void)state;
	layers(list);
	assert_ok(xb_document_manifest(&config, list, 2, &annotations, &out, &err), &err);
	assert_golden("manifest", &out);
	assert_ok(xb_document_manifest(&config, list, 1, &none, &out, &err), &err);
	assert_golden("manifest-least", &out);
}

static void test_index(void **state)
{
	const struct xb_document_platform platforms[] = {
		{xb_target_find(xb_sv("linux-x86_64")), {digest_of(0x66), 400}},
		{xb_target_find(xb_sv("linux-aarch64")), {digest_of(0x77), 401}},
	};
	const char *names[] = {"org.opencontainers.image.title"}, *values[] = {"parcel"};
	const struct xb_pairs annotations = {.names = names, .values = values, .len = 1};
	const struct xb_descriptor index = {digest_of(0x88), 900};
	struct xb_str out = {0};
	struct xb_err err = {0};

	(void)state;
	assert_ok(xb_document_index(platforms, 2, &annotations, &out, &err), &err);
	assert_golden("index", &out);
	assert_ok(xb_document_layout(&index, "main-20241016023137-458b677", &out, &err), &err);
	assert_golden("layout-index", &out);
}

static void test_archive_to_load(void **state)
{
	const struct xb_document_platform platforms[] = {
		{xb_target_find(xb_sv("linux-x86_64")), {digest_of(0x66), 400}},
		{xb_target_find(xb_sv("linux-aarch64")), {digest_of(0x77), 401}},
	};
	const struct xb_descriptor index = {digest_of(0x88), 900};
	struct xb_layer list[2];
	const struct xb_document_docker images[] = {
		{.repo_tag = "parcel:v1-amd64", .config = {digest_of(0x55), 321}, .layers = list, .n_layers = 2},
		{.repo_tag = "parcel:v1-arm64", .config = {digest_of(0x56), 321}, .layers = list, .n_layers = 1},
	};
	struct xb_str out = {0};
	struct xb_err err = {0};

	(void)state;
	layers(list);
	assert_ok(xb_document_load(&index, platforms, 2, "parcel", "v1", &out, &err), &err);
	assert_golden("load-index", &out);
	assert_ok(xb_document_docker(images, 2, &out, &err), &err);
	assert_golden("docker-manifest", &out);
}

static void test_refuses_what_is_not_utf8(void **state)
{
	const char *names[] = {"bad"}, *values[] = {"\xff"};
	const struct xb_pairs annotations = {.names = names, .values = values, .len = 1};
	const struct xb_descriptor config = {digest_of(1), 1};
	struct xb_layer list[2];
	struct xb_str out = {0};
	struct xb_err err = {0};

	(void)state;
	layers(list);
	assert_failed(xb_document_manifest(&config, list, 1, &annotations, &out, &err), &err, XB_E_INPUT, "'bad'");
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),		cmocka_unit_test(test_config_base),
		cmocka_unit_test(test_manifest),	cmocka_unit_test(test_index),
		cmocka_unit_test(test_archive_to_load), cmocka_unit_test(test_refuses_what_is_not_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
