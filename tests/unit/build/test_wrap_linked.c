/* SPDX-License-Identifier: Apache-2.0 */
/* Build IDs of files that lie: what the wrapper notes of a link, and that build/drive reads the same off the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/wrap/linked.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/arena.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/str.h"
#include "xbuild/model/elf.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define ID "0a0b0c0d0e0f"

enum { HEAD = 64, NOTES = 64 + 2 * 56, FILE_BYTES = NOTES + 160 };
enum { OTHER_NAME = NOTES, NOTE = NOTES + 12 + 8 + 8, NAME = NOTE + 12, DESC = NAME + 4, NOTES_END = DESC + 6 };

/* A shared library: a segment of another kind, then one of two notes, the second of which is the ID. */
struct file {
	uint8_t bytes[FILE_BYTES];
	bool wide, big;
};

struct place {
	char dir[32];
	struct xb_arena arena;
	struct xb_err err;
};

static int setup(void **state)
{
	struct place *p = xb_alloc(sizeof(*p));

	memcpy(p->dir, "/tmp/xb-linked-XXXXXX", sizeof("/tmp/xb-linked-XXXXXX"));
	*state = p;
	return mkdtemp(p->dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct place *p = *state;

	(void)!xb_fs_remove(p->dir, &p->err);
	xb_err_release(&p->err);
	xb_arena_release(&p->arena);
	free(p);
	return 0;
}

static const char *at(struct place *p, const char *name)
{
	return xb_arena_printf(&p->arena, "%s/%s", p->dir, name);
}

static void put(struct file *f, size_t where, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		f->bytes[where + i] = (uint8_t)(value >> 8 * (f->big ? width - 1 - i : i));
}

/* Fields of a segment: where they are, and how wide. */
static size_t segment(const struct file *f, int i)
{
	return HEAD + (size_t)i * (f->wide ? 56 : 32);
}

static void put_offset(struct file *f, int i, uint64_t value)
{
	put(f, segment(f, i) + (f->wide ? 8 : 4), value, f->wide ? 8 : 4);
}

static void put_size(struct file *f, int i, uint64_t value)
{
	put(f, segment(f, i) + (f->wide ? 32 : 16), value, f->wide ? 8 : 4);
}

static void put_table(struct file *f, uint64_t offset, uint64_t n)
{
	put(f, f->wide ? 32 : 28, offset, f->wide ? 8 : 4);
	put(f, f->wide ? 56 : 44, n, 2);
}

static void make(struct file *f, bool wide, bool big)
{
	*f = (struct file){.wide = wide, .big = big};
	memcpy(f->bytes, "\177ELF", 4);
	f->bytes[4] = wide ? 2 : 1;
	f->bytes[5] = big ? 2 : 1;
	f->bytes[6] = 1;
	put(f, 16, 3, 2);			   /* e_type: ET_DYN */
	put(f, 18, 62, 2);			   /* e_machine */
	put(f, 20, 1, 4);			   /* e_version */
	put(f, wide ? 52 : 40, wide ? 64 : 52, 2); /* e_ehsize */
	put(f, wide ? 54 : 42, wide ? 56 : 32, 2); /* e_phentsize */
	put_table(f, HEAD, 2);
	put(f, segment(f, 0), 0x6474e551, 4); /* PT_GNU_STACK */
	put(f, segment(f, 1), 4, 4);	      /* PT_NOTE */
	put_offset(f, 1, NOTES);
	put_size(f, 1, NOTES_END - NOTES);
	put(f, OTHER_NAME, 5, 4); /* a name and a description that are filled up to a multiple of four */
	put(f, OTHER_NAME + 4, 7, 4);
	put(f, OTHER_NAME + 8, 3, 4);
	memcpy(f->bytes + OTHER_NAME + 12, "Some", 5);
	put(f, NOTE, 4, 4);
	put(f, NOTE + 4, 6, 4);
	put(f, NOTE + 8, 3, 4);
	memcpy(f->bytes + NAME, "GNU", 4);
	memcpy(f->bytes + DESC, "\x0a\x0b\x0c\x0d\x0e\x0f", 6);
}

static void write_file(struct place *p, const char *name, const void *bytes, size_t n)
{
	if (xb_atomic_file_write(at(p, name), bytes, n, 0644, 0, &p->err) < 0)
		fail_msg("%s", p->err.msg);
}

/* What is noted of the link with such a list; NULL: nothing. */
static const char *note(struct place *p, const char *list)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	write_file(p, "libs", list, strlen(list));
	if (xb_fs_remove(at(p, "id"), &p->err) < 0)
		fail_msg("%s", p->err.msg);
	wrap_note_linked(at(p, "libs"), at(p, "id"));
	if (!xb_fs_exists(at(p, "id")))
		return NULL;
	if (xb_fs_read(at(p, "id"), XB_MAX_PATH_BYTES, &text, &p->err) < 0)
		fail_msg("%s", p->err.msg);
	return xb_arena_sv(&p->arena, xb_str_sv(&text));
}

/* The ID by the other reader, in the same words; NULL: it refuses the file. */
static const char *by_model(struct place *p, const uint8_t *bytes, size_t n)
{
	struct xb_err refused XB_CLEANUP(xb_err_release) = {0};
	uint8_t *copy XB_CLEANUP(xb_free_ptr) = xb_alloc(n ? n : 1); /* a sanitizer sees a read behind it */
	struct xb_elf *elf = NULL;
	const char *id = NULL;

	memcpy(copy, bytes, n);
	if (xb_elf_parse(copy, n, "it", 0, &elf, &refused) > 0)
		id = xb_arena_printf(&p->arena, "%s\n", elf->build_id ? elf->build_id : "none");
	xb_elf_free(elf);
	return id;
}

/* `expected` NULL: nothing is noted. Of what both readers take they must say the same. */
static void expect_id(struct place *p, const struct file *f, size_t n, const char *what, const char *expected)
{
	const char *id, *other = by_model(p, f->bytes, n);

	write_file(p, "out", f->bytes, n);
	id = note(p, xb_arena_printf(&p->arena, "%s: \\\n  crt1.o \\\n", at(p, "out")));
	if (!id != !expected || (id && strcmp(id, expected) != 0))
		fail_msg("%s (%d, %d, %zu bytes): '%s', expected '%s'", what, f->wide, f->big, n, id ? id : "nothing",
			 expected ? expected : "nothing");
	if (id && other && strcmp(id, other) != 0)
		fail_msg("%s (%d, %d, %zu bytes): '%s', and '%s' by model/elf", what, f->wide, f->big, n, id, other);
}

static void a_file_cut_off_anywhere(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct file f;

		make(&f, i & 1, i & 2);
		assert_string_equal(by_model(*state, f.bytes, FILE_BYTES), ID "\n");
		for (size_t n = 0; n <= FILE_BYTES; n++)
			expect_id(*state, &f, n, "cut", n < 64 ? NULL : n < NOTES_END ? "none\n" : ID "\n");
	}
}

/* One field at a time that says something else than the truth. */
static void fields_that_lie(void **state)
{
	static const struct {
		const char *what;
		size_t where;
		uint64_t value;
		unsigned width;
		const char *expected;
	} table[] = {
		{"relocatable", 16, 1, 2, NULL},
		{"no type", 16, 0, 2, NULL},
		{"a program", 16, 2, 2, ID "\n"},
		{"no ELF", 1, 'F', 1, NULL},
		{"no segment of notes", 0, 1, 0, "none\n"},
		{"endless name", NOTE, 0xffffffff, 4, "none\n"},
		{"name that rounds up to nothing", NOTE, 0xfffffffd, 4, "none\n"},
		{"longer name", NOTE, 5, 4, "none\n"},
		{"no name", NOTE, 0, 4, "none\n"},
		{"other name", NAME + 2, 'X', 1, "none\n"},
		{"name that does not end", NAME + 3, 'X', 1, "none\n"},
		{"endless ID", NOTE + 4, 0xffffffff, 4, "none\n"},
		{"ID behind the notes", NOTE + 4, 9, 4, "none\n"},
		{"no ID", NOTE + 4, 0, 4, "none\n"},
		{"shorter ID", NOTE + 4, 1, 4, "0a\n"},
		{"another note", NOTE + 8, 1, 4, "none\n"},
		{"endless name before", OTHER_NAME, 0xffffffff, 4, "none\n"},
		{"endless text before", OTHER_NAME + 4, 0xfffffff0, 4, "none\n"},
		{"empty note before", OTHER_NAME, 0, 8, "none\n"},
	};

	for (int i = 0; i < 4; i++) {
		for (size_t k = 0; k < XB_COUNT(table); k++) {
			struct file f;

			make(&f, i & 1, i & 2);
			if (table[k].width)
				put(&f, table[k].where, table[k].value, table[k].width);
			else
				put(&f, segment(&f, 1), table[k].value, 4);
			expect_id(*state, &f, FILE_BYTES, table[k].what, table[k].expected);
		}
	}
}

static void tables_that_lie(void **state)
{
	static const uint64_t far[] = {FILE_BYTES, FILE_BYTES - 1,  0x7fffffff, 0xffffffff,
				       INT64_MAX,  UINT64_MAX - 12, UINT64_MAX};

	for (int i = 0; i < 4; i++) {
		struct file f;

		for (size_t k = 0; k < XB_COUNT(far); k++) {
			make(&f, i & 1, i & 2);
			put_table(&f, far[k], 2);
			expect_id(*state, &f, FILE_BYTES, "segments behind the end", "none\n");
			make(&f, i & 1, i & 2);
			put_offset(&f, 1, far[k]);
			expect_id(*state, &f, FILE_BYTES, "notes behind the end", "none\n");
		}
		make(&f, i & 1, i & 2);
		put_table(&f, HEAD, 0xffff);
		expect_id(*state, &f, FILE_BYTES, "too many segments", ID "\n");
		put_table(&f, HEAD, 1);
		expect_id(*state, &f, FILE_BYTES, "too few segments", "none\n");
		for (size_t n = 0; n < NOTES_END - NOTES; n++) {
			make(&f, i & 1, i & 2);
			put_size(&f, 1, n);
			expect_id(*state, &f, FILE_BYTES, "notes that end before", "none\n");
		}
	}
}

/* A linker takes any number of digits (--build-id=0x...); both readers know as much of it. */
static void the_longest_id(void **state)
{
	for (size_t n = 63; n <= 66; n++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};
		struct file f;

		make(&f, true, false);
		memset(f.bytes + DESC, 0xab, 100);
		put(&f, NOTE + 4, n, 4);
		put_size(&f, 1, FILE_BYTES - NOTES);
		for (size_t i = 0; i < n; i++)
			xb_str_append(&text, "ab");
		xb_str_append_char(&text, '\n');
		expect_id(*state, &f, FILE_BYTES, "long", n > 64 ? "none\n" : xb_str_get(&text));
	}
}

/* Names are the linker's own words; a list that is none names no file. */
static void lists_that_lie(void **state)
{
	static const char *const none[] = {"",	     "\n", ":", ": \\\n", "\\", " \\\n out", "/nowhere/at/all: \\\n",
					   ".: \\\n"};
	struct place *p = *state;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct file f;

	make(&f, true, false);
	write_file(p, "a: b", f.bytes, FILE_BYTES);
	assert_string_equal(note(p, xb_arena_printf(&p->arena, "%s: \\\n", at(p, "a: b"))), ID "\n");
	assert_string_equal(note(p, at(p, "a: b")), ID "\n");
	for (size_t i = 0; i < XB_COUNT(none); i++) {
		if (note(p, none[i]))
			fail_msg("'%s' names a file", none[i]);
	}
	for (int i = 0; i < 10000; i++)
		xb_str_append(&text, "/.");
	assert_null(note(p, xb_str_get(&text)));
	assert_int_equal(xb_fs_remove(at(p, "libs"), &p->err), 0);
	wrap_note_linked(at(p, "libs"), at(p, "id"));
	assert_false(xb_fs_exists(at(p, "id")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_cut_off_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(fields_that_lie, setup, teardown),
		cmocka_unit_test_setup_teardown(tables_that_lie, setup, teardown),
		cmocka_unit_test_setup_teardown(the_longest_id, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_that_lie, setup, teardown),
	};

	return cmocka_run_group_tests_name("build/wrap_linked", tests, NULL, NULL);
}
