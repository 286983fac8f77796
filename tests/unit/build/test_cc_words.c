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

#include "../../../src/build/cc_words.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define MAX_WORDS 16

struct place {
	char dir[32], before[XB_MAX_PATH_BYTES];
	struct xb_arena arena;
	struct xb_err err;
};

/* A directory with a few files, which is the current one: words name files from there. */
static int setup(void **state)
{
	static const char *const files[] = {"a.c", "b.cc", "b.o", "libx.a", "libx.so", "pre.h", "-odd.c", "text"};
	struct place *p = xb_alloc(sizeof(*p));

	memcpy(p->dir, "/tmp/xb-words-XXXXXX", sizeof("/tmp/xb-words-XXXXXX"));
	*state = p;
	if (!getcwd(p->before, sizeof(p->before)) || !mkdtemp(p->dir) || chdir(p->dir) < 0 || mkdir("dir.c", 0755) < 0)
		return -1;
	for (size_t i = 0; i < XB_COUNT(files); i++) {
		if (xb_atomic_file_write(files[i], "x", 1, 0644, 0, &p->err) < 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	if (chdir(p->before) < 0)
		return -1;
	(void)!xb_fs_remove(p->dir, &p->err);
	xb_err_release(&p->err);
	xb_arena_release(&p->arena);
	free(p);
	return 0;
}

/* The words of a line, apart by one "|" each, so that a word may be empty and have blanks. */
static bool read_line(struct place *p, const char *line, struct cc_words *out)
{
	const char *words[MAX_WORDS + 1] = {NULL};
	struct xb_sv rest = xb_sv(line);
	size_t n = 0;

	while (rest.ptr) {
		assert_true(n < MAX_WORDS);
		words[n++] = xb_arena_sv(&p->arena, xb_sv_cut(&rest, '|'));
	}
	return cc_words_read(words, "/home/me", &p->arena, out);
}

static char *joined(const struct xb_dirs *dirs)
{
	struct xb_str text = {0};

	for (size_t i = 0; i < dirs->len; i++)
		xb_str_printf(&text, "%s ", dirs->items[i]);
	return text.data ? xb_str_steal(&text) : xb_strdup("");
}

static void what_is_known(void **state)
{
	static const struct {
		const char *line, *inputs, *search;
	} table[] = {
		{"a.c", "a.c ", ""},
		{"-c|a.c|-o|a.o|-O2|-g|-Wall|-Wno-unused|-std=c17|-fPIC|-fno-plt|-march=armv8-a|-pthread", "a.c ", ""},
		{"b.o|libx.a|./libx.so|-lm|-l|z|-L/x|-L|lib|-shared|-Wl,-soname,libx.so.1,-z,now,--as-needed",
		 "b.o libx.a ./libx.so ", ""},
		{"-Wl,-rpath=/x,-soname=y|a.c", "a.c ", ""},
		{"-x|c|text.c|a.c", NULL, ""},
		{"-x|c++|a.c|-xnone|b.o", "a.c b.o ", ""},
		{"-DA|-D|B=1|-UC|-U|D|-D=|a.c", "a.c ", ""},
		{"-include|pre.h|-includepre.h|a.c", "a.c ", ""},
		/* in the order of the search, whatever that of the words */
		{"-idirafter|/after|-isystem|sys|-I|./own//x/|-iquote../quote|-I/two|a.c", "a.c ",
		 "/home/quote /home/me/own/x /two /home/me/sys /after "},
		{"-I../../../../up|a.c", "a.c ", "/up "},
	};
	struct place *p = *state;

	for (size_t i = 0; i < XB_COUNT(table); i++) {
		struct cc_words words;
		const bool known = read_line(p, table[i].line, &words);
		char *inputs XB_CLEANUP(xb_free_ptr) = joined(&words.inputs);
		char *search XB_CLEANUP(xb_free_ptr) = joined(&words.search);

		if (known != (table[i].inputs != NULL))
			fail_msg("%s: %s", table[i].line, known ? "known" : "not known");
		if (known && (strcmp(inputs, table[i].inputs) != 0 || strcmp(search, table[i].search) != 0))
			fail_msg("%s: inputs '%s', search '%s'", table[i].line, inputs, search);
	}
}

/* Each of them would read or write what nobody knows of, or says nothing that can be kept. */
static void what_is_not_known(void **state)
{
	static const char *const lines[] = {
		/* no input, or one that is none */
		"-c", "", "|a.c", "gone.c", "text", "dir.c", "-", "a.c|-", "-odd.c", "a.c|@words", "@a.c",
		/* second outputs and other places */
		"a.c|-MD", "a.c|-MF|x", "a.c|-MMD|-MFx", "a.c|-save-temps", "a.c|--coverage", "a.c|-fprofile-generate",
		"a.c|-fprofile-use=x", "a.c|-gsplit-dwarf", "a.c|-ftime-trace", "a.c|-fmodules",
		"a.c|-include-pch|pre.h", "a.c|-E", "a.c|-###", "a.c|-v", "a.c|--sysroot=/", "a.c|--sysroot|/",
		"a.c|-isysroot|/", "a.c|-B/x", "a.c|--target=x", "a.c|-target|x", "a.c|--config|x", "a.c|-specs=x",
		"a.c|-fplugin=x", "a.c|-Xclang|-c", "a.c|-Xlinker|-x", "a.c|-T|script", "a.c|-Tscript", "a.c|-I=usr/x",
		"a.c|-I|=x", "a.c|-isystem-after|x",
		/* this machine */
		"a.c|-march=native", "a.c|-mtune=native", "a.c|-mcpu=native+x", "a.c|-m32",
		/* a value that is missing, empty, an option, or in a file */
		"a.c|-o", "a.c|-o|", "a.c|-o|-c", "a.c|-I", "a.c|-I|", "a.c|-I|-c", "a.c|-I|@x", "a.c|-x", "a.c|-xf77",
		"a.c|-x|assembler-with-cpp", "a.c|-D", "a.c|-D|", "a.c|-l|-lm", "a.c|-include|gone.h", "a.c|-include",
		/* a place that links may lead elsewhere */
		"a.c|-I/x/../y", "a.c|-Ix/..", "a.c|-L./x/../y",
		/* the linker's own words */
		"a.c|-Wl,", "a.c|-Wl,--as-needed,", "a.c|-Wl,-z", "a.c|-Wl,-rpath", "a.c|-Wl,-rpath,", "a.c|-Wl,-T,x",
		"a.c|-Wl,@x", "a.c|-Wl,-Map,x", "a.c|-Wl,--as-needed,-Map=x", "a.c|-Wl,--dependency-file=x",
		"a.c|-Wp,-MD,x", "a.c|-Wa,-x", "a.c|-W,x",
		/* bytes of no name */
		"a\n.c", "a.c|-DA=\x01", "a.c|-Wx\x7f", "a.c|-I/x\n",
		/* almost a known one */
		"a.c|-cc", "a.c|-O4", "a.c|-shared-libgcc", "a.c|-f", "a.c|-fno-", "a.c|-fno-no-plt", "a.c|-fpicc",
		"a.c|--", "a.c|-staticx"};
	struct place *p = *state;

	for (size_t i = 0; i < XB_COUNT(lines); i++) {
		struct cc_words words;

		if (read_line(p, lines[i], &words))
			fail_msg("known: '%s'", lines[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_known, setup, teardown),
	};

	return cmocka_run_group_tests_name("build/cc_words", tests, NULL, NULL);
}
