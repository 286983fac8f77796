/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/json.h"

static json_t *parse(const char *text)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	json_t *value = NULL;

	if (xb_json_parse(xb_sv(text), "t.json", &value, &err) < 0)
		fail_msg("%s", err.msg);
	return value;
}

static void assert_written(const char *in, int pretty_depth, bool sort_keys, const char *expected)
{
	json_t *value XB_CLEANUP(xb_json_release) = parse(in);
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	xb_json_write(value, pretty_depth, sort_keys, &out);
	assert_string_equal(xb_str_get(&out), expected);
}

static void one_line_has_no_blanks(void **state)
{
	(void)state;
	assert_written(" { \"b\" : [ 1 , -2, true,false , null ] , \"a\" : { } , \"c\":[] } ", 0, false,
		       "{\"b\":[1,-2,true,false,null],\"a\":{},\"c\":[]}");
	assert_written("{\"b\":1,\"a\":{\"z\":1,\"B\":2,\"\xc3\xa9\":3,\"b\":4}}", 0, true,
		       "{\"a\":{\"B\":2,\"b\":4,\"z\":1,\"\xc3\xa9\":3},\"b\":1}");
	assert_written("9223372036854775807", 0, false, "9223372036854775807");
	assert_written("-9223372036854775808", 0, false, "-9223372036854775808");
	assert_written("\"a/b\"", 0, false, "\"a/b\"");
}

static void lines_go_as_deep_as_asked(void **state)
{
	static const char in[] = "{\"v\":1,\"p\":[{\"n\":\"a\",\"d\":[1,2]},{\"n\":\"b\"}],\"e\":[]}";

	(void)state;
	assert_written(in, 1, false,
		       "{\n \"v\": 1,\n \"p\": [{\"n\":\"a\",\"d\":[1,2]},{\"n\":\"b\"}],\n \"e\": []\n}");
	assert_written(in, 2, false,
		       "{\n \"v\": 1,\n \"p\": [\n  {\"n\":\"a\",\"d\":[1,2]},\n  {\"n\":\"b\"}\n ],\n \"e\": []\n}");
	assert_written("[[1],{}]", 9, false, "[\n [\n  1\n ],\n {}\n]");
}

static void every_character_survives(void **state)
{
	json_t *before XB_CLEANUP(xb_json_release) = NULL;
	json_t *after XB_CLEANUP(xb_json_release) = NULL;
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	char text[128 + 5];
	size_t len = 0;

	(void)state;
	for (int c = 1; c < 128; c++)
		text[len++] = (char)c;
	memcpy(text + len, "\xf0\x9f\x98\x80", 5);
	before = json_string(text);
	xb_json_write(before, 0, false, &out);
	assert_non_null(strstr(out.data, "\\u0001"));
	assert_non_null(strstr(out.data, "\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e"));
	assert_non_null(strstr(out.data, "!\\\"#"));
	assert_non_null(strstr(out.data, "[\\\\]"));
	assert_non_null(strstr(out.data, "./0"));
	assert_non_null(strstr(out.data, "~\x7f\xf0\x9f\x98\x80\""));
	after = parse(out.data);
	assert_true(json_equal(before, after));
}

/* What was written once is written the same for ever. */
static void writing_what_was_read_gives_the_same_bytes(void **state)
{
	static const char in[] = "{\"z\":[{\"k\":\"\\u0041\\u00e9\\ud83d\\ude00\"},[[]],null],\"a\":0}";
	json_t *value XB_CLEANUP(xb_json_release) = parse(in);

	(void)state;
	for (int depth = 0; depth < 5; depth++) {
		struct xb_str first XB_CLEANUP(xb_str_release) = {0};
		struct xb_str second XB_CLEANUP(xb_str_release) = {0};
		json_t *again XB_CLEANUP(xb_json_release) = NULL;

		xb_json_write(value, depth, true, &first);
		again = parse(first.data);
		xb_json_write(again, depth, true, &second);
		assert_string_equal(first.data, second.data);
	}
}

static void errors_have_a_place(void **state)
{
	static const struct {
		const char *text, *at;
	} cases[] = {
		{"", "t.json:1:"},
		{"{\n\"a\": 1,\n  \"b\": x}", "t.json:3:"},
		{"{\"a\":1,\n\"a\":2}", "t.json:2:"},
		{"[1,]", "t.json:1:"},
		{"{} x", "t.json:1:"},
		{"\"\xff\"", "t.json:1:"},
		{"\"\\u0000\"", "t.json:1:"},
		{"{'a':1}", "t.json:1:"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		json_t *value = NULL;

		assert_int_equal(xb_json_parse(xb_sv(cases[i].text), "t.json", &value, &err), XB_E_INPUT);
		assert_ptr_equal(strstr(err.msg, cases[i].at), err.msg);
		assert_null(value);
	}
}

static void control_bytes_stay_out_of_messages(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	json_t *value;

	(void)state;
	assert_int_equal(xb_json_parse(xb_sv("[\x1b[31m]"), "t.json", &value, &err), XB_E_INPUT);
	for (const char *p = err.msg; *p; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void nesting_is_bounded(void **state)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	json_t *value XB_CLEANUP(xb_json_release) = NULL;

	(void)state;
	for (int i = 0; i < XB_MAX_JSON_DEPTH; i++)
		xb_str_append(&text, i % 2 ? "[" : "{\"[\\\"[\":");
	xb_str_append(&text, "1");
	for (int i = XB_MAX_JSON_DEPTH; i-- > 0;)
		xb_str_append(&text, i % 2 ? "]" : "}");
	value = parse(text.data);
	xb_str_reset(&text);
	xb_json_write(value, 0, false, &text); /* as deep as can be read can be written */
	assert_int_equal(text.data[text.len - 1], '}');

	xb_str_reset(&text);
	for (int i = 0; i <= XB_MAX_JSON_DEPTH; i++)
		xb_str_append(&text, "\n[");
	assert_int_equal(xb_json_parse(xb_str_sv(&text), "t.json", &value, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "t.json:66:1: "));
}

static void files_are_read_up_to_a_cap(void **state)
{
	char *dir = sample_dir();
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/f.json", dir);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	json_t *value XB_CLEANUP(xb_json_release) = NULL;

	(void)state;
	assert_int_equal(xb_json_read(path, 100, &value, &err), XB_E_NOT_FOUND);
	xb_err_clear(&err);
	sample_write(path, "[1,2]", 5);
	assert_int_equal(xb_json_read(path, 4, &value, &err), XB_E_INPUT);
	xb_err_clear(&err);
	assert_int_equal(xb_json_read(path, 5, &value, &err), 0);
	assert_int_equal(json_array_size(value), 2);
	sample_write(path, "[1,", 3);
	assert_int_equal(xb_json_read(path, 5, &value, &err), XB_E_INPUT);
	assert_ptr_equal(strstr(err.msg, path), err.msg);
	sample_dir_remove(dir);
}

static void members_are_checked(void **state)
{
	static const char *const known[] = {"name", "size", "list", "real", NULL};
	static const char *const fewer[] = {"name", "sizes", "real", "list", NULL};
	json_t *value XB_CLEANUP(xb_json_release) = parse("{\"name\":\"n\",\"size\":7,\"list\":[],\"real\":1.5}");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const char *text;

	(void)state;
	assert_int_equal(xb_json_string(value, "name", "here", &text, &err), 0);
	assert_string_equal(text, "n");
	assert_int_equal(xb_json_string(value, "missing", "here", &text, &err), 0);
	assert_null(text);
	assert_int_equal(xb_json_only_keys(value, known, "here", &err), 0);

	assert_int_equal(xb_json_string(value, "size", "here", &text, &err), XB_E_INPUT);
	assert_string_equal(err.msg, "here: expected a string as 'size'");
	xb_err_clear(&err);
	assert_int_equal(xb_json_only_keys(value, fewer, "here", &err), XB_E_INPUT);
	assert_string_equal(err.msg, "here: unknown member 'size'");
	assert_string_equal(err.hint, "did you mean 'sizes'?");
	xb_err_clear(&err);
	assert_int_equal(xb_json_string(json_object_get(value, "list"), "a", "here", &text, &err), XB_E_INPUT);
	xb_err_clear(&err);
	assert_int_equal(xb_json_string(NULL, "a", "here", &text, &err), XB_E_INPUT);
	xb_err_clear(&err);
	assert_int_equal(xb_json_only_keys(json_object_get(value, "list"), known, "here", &err), XB_E_INPUT);
}

/* What Go 1.22 and later print for the same value (encoding/json, Marshal and MarshalIndent). */
static void as_go_writes_it(void **state)
{
	json_t *value XB_CLEANUP(xb_json_release) = NULL;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	assert_int_equal(xb_json_parse(xb_sv("{\"b\":[1,{}],\"a\":\"<&>\\u2028\\u2029\\u201c/\\n\",\"e\":[]}"), "x",
				       &value, &err),
			 0);
	xb_json_write_go(value, false, &out);
	assert_string_equal(xb_str_get(&out),
			    "{\"b\":[1,{}],\"a\":\"\\u003c\\u0026\\u003e\\u2028\\u2029\xe2\x80\x9c/\\n\",\"e\":[]}");
	xb_str_reset(&out);
	xb_json_write_go(value, true, &out);
	assert_string_equal(xb_str_get(&out),
			    "{\n  \"b\": [\n    1,\n    {}\n  ],\n"
			    "  \"a\": \"\\u003c\\u0026\\u003e\\u2028\\u2029\xe2\x80\x9c/\\n\",\n  \"e\": []\n}");
}

static void test_has_real(void **state)
{
	static const struct {
		const char *text;
		bool expected;
	} cases[] = {
		{"{}", false},	       {"[1,\"1.5\",null,{\"a\":[true]}]", false}, {"[1.0]", true},
		{"{\"a\":1e3}", true}, {"{\"a\":[{\"b\":[1,2,3.5]}]}", true},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		json_t *value XB_CLEANUP(xb_json_release) = NULL;

		assert_int_equal(xb_json_parse(xb_sv(cases[i].text), "case", &value, &err), 0);
		assert_int_equal(xb_json_has_real(value), cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has_real),
		cmocka_unit_test(one_line_has_no_blanks),
		cmocka_unit_test(lines_go_as_deep_as_asked),
		cmocka_unit_test(every_character_survives),
		cmocka_unit_test(writing_what_was_read_gives_the_same_bytes),
		cmocka_unit_test(errors_have_a_place),
		cmocka_unit_test(control_bytes_stay_out_of_messages),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(files_are_read_up_to_a_cap),
		cmocka_unit_test(members_are_checked),
		cmocka_unit_test(as_go_writes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
