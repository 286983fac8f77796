/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/base/str.h"
#include "xbuild/build/key.h"

static void file(struct xb_key_file *out, const char *path, const char *content, bool executable)
{
	*out = (struct xb_key_file){.path = path, .executable = executable};
	xb_digest_bytes(content, strlen(content), &out->digest.hash);
	out->digest.size_bytes = strlen(content);
}

/* Digest made with protoc from the text form of the Directory message: hello.c holding "hello". */
static void test_golden_directory(void **state)
{
	struct xb_key_file f;
	struct xb_reapi_digest digest;
	char hex[XB_DIGEST_HEX];

	(void)state;
	file(&f, "hello.c", "hello", false);
	xb_key_directory(&f, 1, &digest);
	assert_string_equal(xb_digest_hex(&digest.hash, hex),
			    "f112f250c8bde5fb980ee4ba1163bdfbcc90e535890cd612f0b9c18465273674");
	assert_int_equal(digest.size_bytes, 81);
}

/* The tree by hand, with the writers of store/reapi alone. */
static void test_nested_directories(void **state)
{
	struct xb_key_file f[6];
	struct xb_str sub XB_CLEANUP(xb_str_release) = {0}, dash XB_CLEANUP(xb_str_release) = {0};
	struct xb_str deep XB_CLEANUP(xb_str_release) = {0}, top XB_CLEANUP(xb_str_release) = {0};
	struct xb_reapi_digest d_deep, d_sub, d_dash, expected, digest;

	(void)state;
	file(&f[0], "z.c", "z", false);
	file(&f[1], "a/b/c.h", "c", false);
	file(&f[2], "a-b/x.h", "x", true);
	file(&f[3], "a/a.h", "a", false);
	file(&f[4], "a.c", "ac", false);
	file(&f[5], "a/a.h", "a", false); /* twice */
	assert_int_equal(xb_key_sort(f, 6), 5);
	for (size_t i = 0; i < 5; i++) {
		if (!strcmp(f[i].path, "a/b/c.h"))
			xb_reapi_file_node(&deep, xb_sv("c.h"), &f[i].digest, false);
		if (!strcmp(f[i].path, "a/a.h"))
			xb_reapi_file_node(&sub, xb_sv("a.h"), &f[i].digest, false);
		if (!strcmp(f[i].path, "a-b/x.h"))
			xb_reapi_file_node(&dash, xb_sv("x.h"), &f[i].digest, true);
		if (!strcmp(f[i].path, "a.c"))
			xb_reapi_file_node(&top, xb_sv("a.c"), &f[i].digest, false);
	}
	for (size_t i = 0; i < 5; i++)
		if (!strcmp(f[i].path, "z.c"))
			xb_reapi_file_node(&top, xb_sv("z.c"), &f[i].digest, false);
	xb_reapi_digest_of(&deep, &d_deep);
	xb_reapi_directory_node(&sub, xb_sv("b"), &d_deep);
	xb_reapi_digest_of(&sub, &d_sub);
	xb_reapi_digest_of(&dash, &d_dash);
	xb_reapi_directory_node(&top, xb_sv("a"), &d_sub);
	xb_reapi_directory_node(&top, xb_sv("a-b"), &d_dash);
	xb_reapi_digest_of(&top, &expected);
	xb_key_directory(f, 5, &digest);
	assert_true(xb_digest_eq(&digest.hash, &expected.hash));
	assert_int_equal(digest.size_bytes, expected.size_bytes);
}

struct sample {
	struct xb_arena arena;
	struct xb_tools tools;
	struct xb_sysroot_paths sysroot;
	struct xb_setup setup;
	struct xb_variant variant;
	struct xb_action action;
	struct xb_key_file file;
};

static void make(struct sample *s)
{
	*s = (struct sample){.tools = {.dir = "/t", .bin_dir = "bin", .digest_size = 7}, .sysroot = {.dir = "/s"}};
	s->tools.digest.bytes[0] = 1;
	s->sysroot.digest.bytes[0] = 2;
	s->setup = (struct xb_setup){.tools = &s->tools, .sysroot = &s->sysroot};
	s->variant = (struct xb_variant){.setup = &s->setup, .tool = "clang", .has_depfile = true};
	xb_command_init(&s->variant.command, &s->arena);
	xb_command_word(&s->variant.command, "-c");
	xb_command_rooted(&s->variant.command, "--sysroot=", XB_ROOT_SYSROOT, NULL, NULL);
	xb_command_rooted(&s->variant.command, "", (enum xb_root)XB_WORD_SOURCE, NULL, NULL);
	s->action = (struct xb_action){.variant = &s->variant, .source = "a.c", .output = "a.o"};
	file(&s->file, "a.c", "text", false);
}

static void name(struct sample *s, struct xb_digest *out)
{
	struct xb_reapi_digest command;

	xb_key_command(&s->action, &s->arena, &command);
	xb_key_action(&s->action, &command, &s->file, 1, out);
}

static void test_name_depends_on_inputs_alone(void **state)
{
	struct xb_digest first, other;
	struct sample s;

	(void)state;
	make(&s);
	name(&s, &first);
	s.tools.dir = "/somewhere/else";
	s.sysroot.dir = "/elsewhere";
	s.tools.loader = "ld.so";
	xb_command_real(&s.variant.command, "-fcolor");
	name(&s, &other);
	assert_true(xb_digest_eq(&first, &other));

	for (int change = 0; change < 7; change++) {
		xb_arena_release(&s.arena);
		make(&s);
		if (change == 0)
			s.tools.digest.bytes[9] ^= 1;
		if (change == 1)
			s.sysroot.digest.bytes[9] ^= 1;
		if (change == 2)
			xb_command_word(&s.variant.command, "-g");
		if (change == 3)
			file(&s.file, "a.c", "other", false);
		if (change == 4)
			s.action.output = "b.o";
		if (change == 5)
			s.variant.tool = "clang++";
		if (change == 6)
			s.file.executable = true;
		name(&s, &other);
		assert_false(xb_digest_eq(&first, &other));
	}
	xb_arena_release(&s.arena);
}

static void test_input_digest(void **state)
{
	struct xb_action a = {.output = "a.o"}, b = {.output = "b.o"};
	struct xb_action *ab[] = {&a, &b}, *ba[] = {&b, &a};
	struct xb_action link = {.inputs = ab, .n_inputs = 2}, turned = {.inputs = ba, .n_inputs = 2};
	struct xb_digest first, other;

	(void)state;
	a.result.hash.bytes[0] = 1;
	xb_key_inputs(&link, &first);
	xb_key_inputs(&turned, &other);
	assert_false(xb_digest_eq(&first, &other));
	b.result.hash.bytes[3] = 4;
	xb_key_inputs(&link, &other);
	assert_false(xb_digest_eq(&first, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_directory),
		cmocka_unit_test(test_nested_directories),
		cmocka_unit_test(test_name_depends_on_inputs_alone),
		cmocka_unit_test(test_input_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
