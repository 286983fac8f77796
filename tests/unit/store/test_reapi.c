/* SPDX-License-Identifier: Apache-2.0 */
/* The golden digests were computed with protoc 3.21 from remote_execution.proto. */
#include "fixture.h"
#include "xbuild/base/arena.h"
#include "xbuild/base/hex.h"
#include "xbuild/store/reapi.h"

static struct xb_reapi_digest digest_of(const char *text)
{
	struct xb_reapi_digest digest = {.size_bytes = strlen(text)};

	xb_digest_bytes(text, strlen(text), &digest.hash);
	return digest;
}

static void assert_golden(const struct xb_str *message, size_t len, const char *sha256)
{
	struct xb_reapi_digest digest;
	char hex[XB_DIGEST_HEX];

	xb_reapi_digest_of(message, &digest);
	assert_int_equal(message->len, len);
	assert_int_equal(digest.size_bytes, len);
	assert_string_equal(xb_digest_hex(&digest.hash, hex), sha256);
}

static void command(struct xb_str *out)
{
	static const char *const argv[] = {"clang", "-c", "hello.c", "-o", "hello.o", NULL};
	static const char *const env[] = {"LC_ALL=C", NULL};
	static const char *const outputs[] = {"hello.o", NULL};

	xb_reapi_command(argv, env, "", outputs, out);
}

static void golden_messages(void **state)
{
	const struct xb_reapi_digest hello = digest_of("hello");
	struct xb_str cmd XB_CLEANUP(xb_str_release) = {0}, dir XB_CLEANUP(xb_str_release) = {0};
	struct xb_str action XB_CLEANUP(xb_str_release) = {0}, result XB_CLEANUP(xb_str_release) = {0};
	struct xb_reapi_output output = {.path = "hello.o", .digest = hello};
	const struct xb_reapi_result r = {.outputs = &output, .n_outputs = 1};
	struct xb_reapi_digest cmd_digest, dir_digest;
	char hex[2 * 55 + 1];

	(void)state;
	command(&cmd);
	xb_hex_encode((const uint8_t *)cmd.data, 55, hex);
	assert_string_equal(hex, "0a05636c616e670a022d630a0768656c6c6f2e630a022d6f0a0768656c6c6f2e6f120b0a064c435f414c"
				 "4c1201433a0768656c6c6f2e6f");
	assert_golden(&cmd, 55, "9004f74ce91126eee286ab3cfcd09d5eeddc8d18b11d8b7bd36659f8a7f319ff");
	xb_reapi_file_node(&dir, xb_sv("hello.c"), &hello, false);
	assert_golden(&dir, 81, "f112f250c8bde5fb980ee4ba1163bdfbcc90e535890cd612f0b9c18465273674");
	xb_reapi_digest_of(&cmd, &cmd_digest);
	xb_reapi_digest_of(&dir, &dir_digest);
	xb_reapi_action(&cmd_digest, &dir_digest, &action);
	assert_golden(&action, 140, "97676dcc3a98bcf809af5c6182f3c665acb2702ddb3327d39c2b0227d91dcb82");
	xb_reapi_result_encode(&r, &result);
	assert_golden(&result, 149, "65a990557667b8c70ee9c837741fd649d3e4e2ea26fc011be6c9444dbb3a3f5c");
}

/* Lengths that need a second byte, and the flag of programs: bytes written by hand. */
static void long_and_executable(void **state)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	const struct xb_reapi_digest big = {.size_bytes = 300};
	char name[201] = {0};

	(void)state;
	memset(name, 'n', 200);
	xb_reapi_file_node(&out, xb_sv(name), &big, true);
	/* 0a <len 2> | 0a c8 01 name | 12 45 0a 40 hex 10 ac 02 | 20 01 */
	assert_int_equal(out.len, 3 + 3 + 200 + 2 + 66 + 3 + 2);
	assert_memory_equal(out.data, "\x0a\x94\x02\x0a\xc8\x01n", 7);
	assert_memory_equal(out.data + out.len - 5, "\x10\xac\x02\x20\x01", 5);
	xb_str_reset(&out);
	xb_reapi_symlink_node(&out, xb_sv("a"), xb_sv("../b"));
	assert_int_equal(out.len, 11);
	assert_memory_equal(out.data,
			    "\x1a\x09\x0a\x01"
			    "a\x12\x04../b",
			    11);
}

static void sample_result(struct xb_reapi_output outputs[2], struct xb_reapi_result *out)
{
	outputs[0] = (struct xb_reapi_output){"out/a.d", digest_of("a.o: a.c"), false};
	outputs[1] = (struct xb_reapi_output){"out/a.o", digest_of("object"), true};
	*out = (struct xb_reapi_result){outputs, 2, 0, xb_sv("a.c:1: warning: text\n")};
}

static void decode_gives_what_was_encoded(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, again XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_reapi_output outputs[2];
	struct xb_reapi_result in, out;

	(void)state;
	sample_result(outputs, &in);
	in.exit_code = -1; /* a negative varint has ten bytes */
	xb_reapi_result_encode(&in, &text);
	assert_ok(xb_reapi_result_decode(xb_str_sv(&text), &arena, &out, &err), &err);
	assert_int_equal(out.n_outputs, 2);
	assert_int_equal(out.exit_code, -1);
	assert_string_equal(out.outputs[0].path, "out/a.d");
	assert_false(out.outputs[0].executable);
	assert_true(out.outputs[1].executable);
	assert_int_equal(out.outputs[1].digest.size_bytes, 6);
	assert_true(xb_digest_eq(&out.outputs[1].digest.hash, &outputs[1].digest.hash));
	assert_true(xb_sv_eq(out.output_text, in.output_text));
	xb_reapi_result_encode(&out, &again);
	assert_true(xb_sv_eq(xb_str_sv(&text), xb_str_sv(&again)));
}

/* No prefix and no changed byte may read past its end (the copy is exact, for the sanitizer) or be taken for sorted junk. */
static void damaged_messages(void **state)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_reapi_output outputs[2];
	struct xb_reapi_result in, out;

	(void)state;
	sample_result(outputs, &in);
	xb_reapi_result_encode(&in, &text);
	for (size_t len = 0; len <= text.len; len++) {
		for (unsigned flip = 0; flip < 256; flip += 51) {
			struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
			struct xb_err err XB_CLEANUP(xb_err_release) = {0};
			char *copy XB_CLEANUP(xb_free_ptr) = xb_alloc(len);
			int rc;

			memcpy(copy, text.data, len);
			if (len)
				copy[(len * 7 + flip) % len] ^= (char)flip;
			rc = xb_reapi_result_decode(xb_sv_n(copy, len), &arena, &out, &err);
			assert_true(rc == 0 || (rc == XB_E_INPUT && err.code == XB_E_INPUT));
			for (size_t i = 0; rc == 0 && i < out.n_outputs; i++)
				assert_true(out.outputs[i].path[0] && out.outputs[i].path[0] != '/');
		}
	}
}

static void refused_messages(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"\x00\x01", 2},				      /* field 0 */
		{"\x0b\x01", 2},				      /* group */
		{"\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}, /* varint beyond 64 bits */
		{"\x20\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12},
		{"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, /* length beyond the end */
		{"\x12\x00", 2},				      /* output without path and digest */
		{"\x1a\x00", 2},				      /* an output directory */
		{"\x62\x00", 2},				      /* an output symlink */
	};
	struct xb_reapi_output output = {.digest = digest_of("x")};
	const char *const bad_paths[] = {"/abs", "../up", "a/../b", "", "a\nb"};
	struct xb_reapi_result in = {.outputs = &output, .n_outputs = 1}, out;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};

		assert_int_equal(xb_reapi_result_decode(xb_sv_n(rows[i].bytes, rows[i].len), &arena, &out, &err),
				 XB_E_INPUT);
	}
	for (size_t i = 0; i < XB_COUNT(bad_paths); i++) {
		struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};

		output.path = bad_paths[i];
		xb_reapi_result_encode(&in, &text);
		assert_int_equal(xb_reapi_result_decode(xb_str_sv(&text), &arena, &out, &err), XB_E_INPUT);
	}
}

static void unknown_fields_are_skipped(void **state)
{
	/* 99: varint; 100: 64 bit; 101: bytes; 102: 32 bit; then exit_code 3 */
	static const char bytes[] = "\x98\x06\x05"
				    "\xa1\x06"
				    "12345678"
				    "\xaa\x06\x02"
				    "ab"
				    "\xb5\x06"
				    "1234"
				    "\x20\x03";
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_reapi_result out;

	(void)state;
	assert_ok(xb_reapi_result_decode(xb_sv_n(bytes, sizeof(bytes) - 1), &arena, &out, &err), &err);
	assert_int_equal(out.exit_code, 3);
	assert_int_equal(out.n_outputs, 0);
}

static void two_outputs_of_one_path(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_reapi_output outputs[2];
	struct xb_reapi_result in, out;

	(void)state;
	sample_result(outputs, &in);
	outputs[1].path = outputs[0].path;
	xb_reapi_result_encode(&in, &text);
	assert_failed(xb_reapi_result_decode(xb_str_sv(&text), &arena, &out, &err), &err, XB_E_INPUT, "two outputs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_messages),
		cmocka_unit_test(long_and_executable),
		cmocka_unit_test(decode_gives_what_was_encoded),
		cmocka_unit_test(damaged_messages),
		cmocka_unit_test(refused_messages),
		cmocka_unit_test(unknown_fields_are_skipped),
		cmocka_unit_test(two_outputs_of_one_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
