/* SPDX-License-Identifier: Apache-2.0 */
/* Files made by hand: every class and byte order, cut off, mutated, and broken one field at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "elf_sample.h"
#include "xbuild/model/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses a copy of exactly `len` bytes, so that a sanitizer sees a read behind them. */
static int parse(const uint8_t *bytes, size_t len, struct xb_elf **out, struct xb_err *err)
{
	uint8_t *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	rc = xb_elf_parse(copy, len, "sample", XB_ELF_EXPORTS, out, err);
	free(copy);
	return rc;
}

static void expect_sample(const struct xb_elf *elf, const struct elf_sample *s)
{
	assert_int_equal(elf->elf_class, s->is_64 ? 2 : 1);
	assert_int_equal(elf->elf_data, s->is_big ? 2 : 1);
	assert_int_equal(elf->machine, 62);
	assert_int_equal(elf->type, 3);
	assert_string_equal(elf->interpreter, "/lib/ld.so.1");
	assert_string_equal(elf->soname, "libown.so.1");
	assert_string_equal(elf->runpath, "/opt/lib");
	assert_null(elf->rpath);
	assert_int_equal(elf->n_needed, 2);
	assert_string_equal(elf->needed[0], "libm.so.6");
	assert_string_equal(elf->needed[1], "libc.so.6");
	assert_int_equal(elf->n_needs, 2);
	assert_string_equal(elf->needs[0].library, "libc.so.6");
	assert_string_equal(elf->needs[0].version, "GLIBC_2.4");
	assert_string_equal(elf->needs[0].symbol, "puts");
	assert_false(elf->needs[0].weak);
	assert_string_equal(elf->needs[1].version, "GLIBC_2.34");
	assert_string_equal(elf->needs[1].symbol, "stat");
	assert_true(elf->needs[1].weak);
	assert_int_equal(elf->n_defs, 1);
	assert_string_equal(elf->defs[0], "OWN_1");
	assert_int_equal(elf->n_exports, 1);
	assert_string_equal(elf->exports[0], "own@OWN_1");
	assert_true(elf->is_dynamic && elf->is_pie && elf->has_relro && elf->bind_now);
	assert_false(elf->exec_stack || elf->text_relocations);
}

static void each_class_and_byte_order_reads_alike(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_elf *elf = NULL;
		struct elf_sample s;

		sample_make(&s, i & 1, i & 2);
		assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), 1);
		expect_sample(elf, &s);
		xb_elf_free(elf);
	}
}

static void without_the_flag_there_are_no_exports(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	struct elf_sample s;

	(void)state;
	sample_make(&s, true, false);
	assert_int_equal(xb_elf_parse(s.bytes, SAMPLE_BYTES, "sample", 0, &elf, &err), 1);
	assert_int_equal(elf->n_exports, 0);
	assert_int_equal(elf->n_needs, 2);
	xb_elf_free(elf);
	xb_elf_free(NULL);
}

static void a_file_cut_off_anywhere_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct elf_sample s;
		size_t end;

		sample_make(&s, i & 1, i & 2);
		end = AT_SECTIONS + 2 * (s.is_64 ? 64 : 40);
		for (size_t len = 0; len < end; len++) {
			struct xb_err err XB_CLEANUP(xb_err_release) = {0};
			struct xb_elf *elf = NULL;

			assert_int_equal(parse(s.bytes, len, &elf, &err), len < 4 ? 0 : XB_E_INPUT);
			assert_null(elf);
			assert_int_equal(err.msg != NULL, len >= 4);
		}
	}
}

/* Marsaglia, "Xorshift RNGs" (2003). */
static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void mutations_never_break_the_promises(void **state)
{
	static const uint8_t telling[] = {0, 1, 2, 0x10, 0x7f, 0x80, 0xfe, 0xff};
	uint32_t seed = 20240601;

	(void)state;
	for (int round = 0; round < 40000; round++) {
		uint32_t n = 1 + next(&seed) % 6, len = SAMPLE_BYTES;
		struct elf_sample s;
		uint8_t *copy;

		sample_make(&s, round & 1, round & 2);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t at = next(&seed) % SAMPLE_BYTES, how = next(&seed);

			/* The middle of the file is denser than its ends; both kinds of change find their own bugs. */
			s.bytes[at] = how & 1 ? (uint8_t)(how >> 8) : telling[(how >> 8) % sizeof(telling)];
		}
		if (next(&seed) % 8 == 0)
			len = next(&seed) % SAMPLE_BYTES;
		copy = malloc(len ? len : 1);
		assert_non_null(copy);
		memcpy(copy, s.bytes, len);
		memcpy(copy, "\177ELF", len < 4 ? len : 4);
		LLVMFuzzerTestOneInput(copy, len);
		free(copy);
	}
}

/* One field of a good file is set to `value`; the message must say what does not fit. */
struct breakage {
	const char *what;
	size_t at;
	uint64_t value;
	unsigned width; /* 0: a class-sized word */
	const char *message;
};

static void expect_refusal(struct elf_sample *s, const struct breakage *b)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	int rc;

	if (b->width)
		put(s, b->at, b->value, b->width);
	else
		put_word(s, b->at, b->value);
	rc = parse(s->bytes, SAMPLE_BYTES, &elf, &err);
	if (rc != XB_E_INPUT || !strstr(err.msg, b->message) || !strstr(err.msg, "read ELF file 'sample': "))
		fail_msg("%s, %d bit: %d, '%s', expected '%s'", b->what, s->is_64 ? 64 : 32, rc, err.msg ? err.msg : "",
			 b->message);
	assert_null(elf);
}

static void each_broken_field_is_named(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct elf_sample s;
		const uint64_t huge = i & 1 ? UINT64_MAX : UINT32_MAX;

		sample_make(&s, i & 1, i & 2);
		{
			const struct breakage list[] = {
				{"class 3", 4, 3, 1, "expected class 1 (32 bit) or 2 (64 bit), found 3"},
				{"byte order 0", 5, 0, 1, "expected byte order 1 (little) or 2 (big), found 0"},
				{"format version", 6, 2, 1, "expected format version 1, found 2"},
				{"phentsize", AT_PHENTSIZE(&s), 33, 2, "expected program headers of"},
				{"phnum", AT_PHNUM(&s), 4097, 2, "at most 4096 program headers, found 4097"},
				{"phoff", AT_PHOFF(&s), huge, 0, "program header table (offset"},
				{"shentsize", AT_SHENTSIZE(&s), 1, 2, "expected section headers of"},
				{"shoff", AT_SHOFF(&s), huge, 0, "section header table (offset"},
				{"shnum", AT_SHNUM(&s), 0xfff0, 2, "section header table (offset"},
				{"interp end", AT_INTERP + 12, 'x', 1, "path of the interpreter does not end"},
				{"interp size", at_segment(&s, SEG_INTERP, SEG_FILESZ), 1, 0,
				 "of 2 to 4096 bytes, found 1"},
				{"interp place", at_segment(&s, SEG_INTERP, SEG_OFFSET), huge, 0,
				 "interpreter (offset"},
				{"two interps", at_segment(&s, SEG_STACK, SEG_TYPE), 3, 4, "expected one interpreter"},
				{"two dynamics", at_segment(&s, SEG_STACK, SEG_TYPE), 2, 4, "one dynamic segment"},
				{"load size", at_segment(&s, SEG_LOAD, SEG_FILESZ), huge, 0,
				 "a loaded segment (offset"},
				{"load memsz", at_segment(&s, SEG_LOAD, SEG_MEMSZ), 8, 0, "more than its 8 in memory"},
				{"load wraps", at_segment(&s, SEG_LOAD, SEG_OFFSET), huge - 15, 0,
				 "a loaded segment (offset"},
				{"dynamic size", at_segment(&s, SEG_DYNAMIC, SEG_FILESZ), 16, 0, "does not end"},
				{"load ends in dynamic", at_segment(&s, SEG_LOAD, SEG_FILESZ),
				 AT_DYNAMIC + D_NULL * (s.is_64 ? 16 : 8), 0, "does not end"},
				{"dynamic offset", at_segment(&s, SEG_DYNAMIC, SEG_OFFSET), AT_DYNAMIC - 16, 0,
				 "but its address is loaded from"},
				{"dynamic address", at_segment(&s, SEG_DYNAMIC, SEG_VADDR), 1, 0,
				 "dynamic segment (address"},
				{"DT_NEEDED", at_dynamic(&s, D_NEEDED), STRINGS_BYTES, 0,
				 "name of a needed library (offset 160) lies outside the string table of 160 bytes"},
				{"DT_SONAME", at_dynamic(&s, D_SONAME), huge, 0, "DT_SONAME (offset"},
				{"DT_RUNPATH", at_dynamic(&s, D_RUNPATH), 4000, 0, "DT_RUNPATH (offset 4000)"},
				{"DT_STRTAB", at_dynamic(&s, D_STRTAB), 5, 0, "string table (address 0x5"},
				{"DT_STRSZ 0", at_dynamic(&s, D_STRSZ), 0, 0, "string table without a size"},
				{"DT_STRSZ", at_dynamic(&s, D_STRSZ), huge, 0, "string table (address"},
				{"strings end", AT_STRINGS + STRINGS_BYTES - 1, 'x', 1, "does not end with a NUL"},
				{"DT_SYMTAB", at_dynamic(&s, D_SYMTAB), huge, 0, "dynamic symbol table (address"},
				{"DT_SYMENT", at_dynamic(&s, D_SYMENT), 8, 0, "expected symbols of"},
				{"DT_HASH", at_dynamic(&s, D_HASH), 0, 0, "DT_HASH table (address"},
				{"nchain", AT_HASH + 4, 1 << 20, 4, "dynamic symbol table (address"},
				{"too many symbols", AT_HASH + 4, UINT32_MAX, 4, "at most 16777216 dynamic symbols"},
				{"symbol name", AT_SYMBOLS + (s.is_64 ? 24 : 16), 999, 4,
				 "name of a symbol (offset 999)"},
				{"DT_VERSYM", at_dynamic(&s, D_VERSYM), 7, 0, "DT_VERSYM (address 0x7, 8 bytes)"},
				{"DT_VERNEED", at_dynamic(&s, D_VERNEED), 7, 0, "DT_VERNEED (address"},
				{"DT_VERNEEDNUM", at_dynamic(&s, D_VERNEEDNUM), 2, 0, "expected 2 DT_VERNEED records"},
				{"vn_version", AT_VERNEED, 9, 2, "DT_VERNEED records of version 1, found 9"},
				{"vn_cnt", AT_VERNEED + 2, 3, 2,
				 "expected 3 versions needed from 'libc.so.6', found 2"},
				{"vn_file", AT_VERNEED + 4, 999, 4, "library of a needed version (offset 999)"},
				{"vn_aux", AT_VERNEED + 8, UINT32_MAX, 4, "a DT_VERNEED record lies outside"},
				{"vna_name", AT_VERNEED + 24, 999, 4, "name of a needed version (offset 999)"},
				{"vna_next", AT_VERNEED + 28, UINT32_MAX, 4, "a DT_VERNEED record lies outside"},
				{"DT_VERDEF", at_dynamic(&s, D_VERDEF), 7, 0, "DT_VERDEF (address"},
				{"DT_VERDEFNUM", at_dynamic(&s, D_VERDEFNUM), 3, 0, "expected 3 DT_VERDEF records"},
				{"vd_version", AT_VERDEF, 0, 2, "DT_VERDEF records of version 1, found 0"},
				{"vd_next", AT_VERDEF + 16, UINT32_MAX, 4, "a DT_VERDEF record lies outside"},
				{"vd_cnt", AT_VERDEF + 28 + 6, 0, 2, "a DT_VERDEF record has no name"},
				{"vd_aux", AT_VERDEF + 28 + 12, UINT32_MAX, 4, "a DT_VERDEF record lies outside"},
				{"vda_name", AT_VERDEF + 28 + 20, 999, 4, "name of a defined version (offset 999)"},
			};

			for (size_t k = 0; k < XB_COUNT(list); k++) {
				sample_make(&s, i & 1, i & 2);
				expect_refusal(&s, &list[k]);
			}
		}
	}
}

/* Where segments overlap, the loader maps the later one over the earlier one. */
static void the_later_of_two_segments_is_seen(void **state)
{
	enum { ELSEWHERE = AT_SECTIONS + 2 * 40 };
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	struct elf_sample s;

	(void)state;
	sample_make(&s, false, false);
	sample_segment(&s, SEG_RELRO, 1, ELSEWHERE, 8);
	put_word(&s, at_segment(&s, SEG_RELRO, SEG_VADDR), AT_VERSYM + BASE);
	put(&s, ELSEWHERE + 2, 2, 2);
	put(&s, ELSEWHERE + 4, 3, 2);
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), 1);
	assert_string_equal(elf->needs[0].version, "GLIBC_2.4");
	assert_string_equal(elf->needs[0].symbol, "stat");
	assert_string_equal(elf->needs[1].symbol, "puts");
	xb_elf_free(elf);
}

/* versym has 15 bits for the number of a version, a record of needs has 16 for theirs. */
static void more_versions_than_can_be_numbered_are_refused(void **state)
{
	(void)state;
	for (uint32_t count = 32768; count <= 32769; count++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_elf *elf = NULL;
		struct elf_sample s, record;
		size_t len = SAMPLE_BYTES + 16 + (size_t)count * 16;
		uint8_t *bytes = calloc(1, len);

		assert_non_null(bytes);
		sample_make(&s, true, false);
		put_word(&s, at_segment(&s, SEG_LOAD, SEG_FILESZ), len);
		put_word(&s, at_segment(&s, SEG_LOAD, SEG_MEMSZ), len);
		sample_dynamic(&s, D_VERNEED, 0x6ffffffe, SAMPLE_BYTES + BASE);
		memcpy(bytes, s.bytes, SAMPLE_BYTES);
		sample_make(&record, true, false);
		put(&record, AT_VERNEED + 2, count, 2);
		memcpy(bytes + SAMPLE_BYTES, record.bytes + AT_VERNEED, 16);
		for (size_t i = 0; i < count; i++)
			memcpy(bytes + SAMPLE_BYTES + 16 + i * 16, record.bytes + AT_VERNEED + 16, 16);
		assert_int_equal(parse(bytes, len, &elf, &err), count == 32768 ? 1 : XB_E_INPUT);
		if (elf)
			assert_int_equal(elf->n_needs, count);
		else
			assert_non_null(strstr(err.msg, "at most 32768 needed versions"));
		xb_elf_free(elf);
		free(bytes);
	}
}

static void program_headers_beyond_the_counter_stand_in_section_0(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	struct elf_sample s;

	(void)state;
	sample_make(&s, true, false);
	put(&s, AT_PHNUM(&s), 0xffff, 2);
	put(&s, at_section(&s, 0, SEC_INFO), N_SEGMENTS, 4);
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), 1);
	expect_sample(elf, &s);
	xb_elf_free(elf);
	elf = NULL;

	put(&s, at_section(&s, 0, SEC_INFO), 70000, 4);
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "at most 4096 program headers, found 70000"));
	xb_err_clear(&err);

	put_word(&s, AT_SHOFF(&s), 0);
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "stands in section 0, which is missing"));
}

static void a_section_count_of_0_stands_in_section_0(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	struct elf_sample s;

	(void)state;
	sample_make(&s, true, false);
	put(&s, AT_SHNUM(&s), 0, 2);
	put_word(&s, at_section(&s, 0, SEC_SIZE), 2);
	sample_dynamic(&s, D_HASH, 0x60000000, 0); /* leaves the section header as the only place of the count */
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), 1);
	expect_sample(elf, &s);
	xb_elf_free(elf);

	put_word(&s, at_section(&s, 0, SEC_SIZE), 1 << 21);
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "at most 1048576 sections"));
}

/* The loader reads no section headers: neither do we where the dynamic section has the answer. */
static void wrong_sections_change_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_elf *elf = NULL;
		struct elf_sample s;

		sample_make(&s, true, false);
		if (i == 0) /* overlaps another one, and lies about its size */
			put_word(&s, at_section(&s, 1, SEC_SIZE), 1 << 30);
		else if (i == 1)
			put_word(&s, at_section(&s, 1, SEC_ENTSIZE), 0);
		else
			put_word(&s, AT_SHOFF(&s), 0);
		assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), 1);
		expect_sample(elf, &s);
		xb_elf_free(elf);
	}
}

/* One bucket, no bloom word; the chain of symbols 1 to 3 ends at 3. */
static void put_gnu_hash(struct elf_sample *s, uint32_t bucket)
{
	static const uint32_t words[] = {1, 1, 0, 0, 0, 2, 4, 7};

	sample_dynamic(s, D_HASH, 0x6ffffef5, AT_HASH + BASE);
	for (size_t i = 0; i < XB_COUNT(words); i++)
		put(s, AT_HASH + i * 4, words[i], 4);
	put(s, AT_HASH + 16, bucket, 4);
	put(s, at_section(s, 1, SEC_TYPE), 0, 4);
}

static void a_gnu_hash_table_counts_symbols(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	struct elf_sample s;

	(void)state;
	sample_make(&s, true, false);
	put_gnu_hash(&s, 1);
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), 1);
	expect_sample(elf, &s);
	xb_elf_free(elf);
	elf = NULL;

	/* Nothing is exported, so nobody tells the number: versions stand without symbols. */
	put_gnu_hash(&s, 0);
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), 1);
	assert_int_equal(elf->n_needs, 2);
	assert_string_equal(elf->needs[0].symbol, "");
	assert_int_equal(elf->n_exports, 0);
	xb_elf_free(elf);
	elf = NULL;

	put_gnu_hash(&s, 400);
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "a chain of the DT_GNU_HASH table does not end"));
	xb_err_clear(&err);

	put(&s, AT_HASH + 8, UINT32_MAX, 4);
	assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "does not fit its segment"));
}

static void hidden_and_local_symbols_are_no_exports(void **state)
{
	static const struct {
		uint8_t info, other;
		uint16_t shndx, version;
		const char *expected;
	} rows[] = {
		{0x12, 0, 1, 4, "own@OWN_1"},
		{0x22, 3, 1, 1, "own"},
		{0xa1, 0, 0xfff1, 1, "own"},
		{0x02, 0, 1, 1, NULL},
		{0x12, 2, 1, 1, NULL},
		{0x12, 1, 1, 1, NULL},
		{0x12, 0, 0, 1, NULL},
		{0x12, 0, 1, 0, NULL},
		{0x13, 0, 1, 1, NULL},
		{0x12, 0, 1, 9, "own"},
		{0x11, 0, 1, 2, "own@GLIBC_2.4"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_elf *elf = NULL;
		struct elf_sample s;
		size_t at = AT_SYMBOLS + 3 * 24;

		sample_make(&s, true, false);
		put(&s, at + 4, rows[i].info, 1);
		put(&s, at + 5, rows[i].other, 1);
		put(&s, at + 6, rows[i].shndx, 2);
		put(&s, AT_VERSYM + 6, rows[i].version, 2);
		assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), 1);
		assert_int_equal(elf->n_exports, rows[i].expected != NULL);
		if (rows[i].expected)
			assert_string_equal(elf->exports[0], rows[i].expected);
		xb_elf_free(elf);
	}
}

static void flags_of_the_dynamic_section(void **state)
{
	static const struct {
		uint64_t tag, value;
		bool now, text, pie;
	} rows[] = {
		{30, 8, true, false, false},	     {30, 4, false, true, false},
		{0x6ffffffb, 1, true, false, false}, {0x6ffffffb, 0x08000000, false, false, true},
		{24, 0, true, false, false},	     {22, 0, false, true, false},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_elf *elf = NULL;
		struct elf_sample s;

		sample_make(&s, true, false);
		put(&s, at_segment(&s, SEG_INTERP, SEG_TYPE), 4, 4);
		put(&s, at_segment(&s, SEG_RELRO, SEG_TYPE), 4, 4);
		put(&s, at_segment(&s, SEG_STACK, SEG_FLAGS), 7, 4);
		sample_dynamic(&s, D_FLAGS, rows[i].tag, rows[i].value);
		sample_dynamic(&s, D_FLAGS_1, 0x60000000, 0);
		assert_int_equal(parse(s.bytes, SAMPLE_BYTES, &elf, &err), 1);
		assert_int_equal(elf->bind_now, rows[i].now);
		assert_int_equal(elf->text_relocations, rows[i].text);
		assert_int_equal(elf->is_pie, rows[i].pie);
		assert_null(elf->interpreter);
		assert_false(elf->has_relro);
		assert_true(elf->exec_stack);
		xb_elf_free(elf);
	}
}

static void versions_compare_as_numbers(void **state)
{
	static const struct {
		const char *a, *b;
		bool comparable;
		int expected;
	} rows[] = {
		{"GLIBC_2.34", "GLIBC_2.4", true, 1},
		{"GLIBC_2.4", "GLIBC_2.34", true, -1},
		{"GLIBC_2.34", "GLIBC_2.34", true, 0},
		{"GLIBC_2.3", "GLIBC_2.3.4", true, -1},
		{"GLIBC_2.04", "GLIBC_2.4", true, 0},
		{"GLIBC_10", "GLIBC_9.9", true, 1},
		{"GLIBCXX_3.4.9", "GLIBCXX_3.4.30", true, -1},
		{"GLIBC_2.99999999999999999999", "GLIBC_2.1", true, 1},
		{"GLIBC_PRIVATE", "GLIBC_2.34", false, 0},
		{"GLIBC_2.34", "GLIBC_PRIVATE", false, 0},
		{"GLIBC_2.34", "GLIBCXX_3.4", false, 0},
		{"GLIBC_2.", "GLIBC_2.3", false, 0},
		{"GLIBC_.2", "GLIBC_2.3", false, 0},
		{"GLIBC_2..3", "GLIBC_2.3", false, 0},
		{"GLIBC_", "GLIBC_2.3", false, 0},
		{"2.34", "2.34", false, 0},
		{"", "", false, 0},
		{"GLIBC_ABI_DT_RELR", "GLIBC_2.36", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		int order = 77;

		assert_int_equal(xb_elf_version_compare(rows[i].a, rows[i].b, &order), rows[i].comparable);
		assert_int_equal(order, rows[i].comparable ? rows[i].expected : 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_class_and_byte_order_reads_alike),
		cmocka_unit_test(without_the_flag_there_are_no_exports),
		cmocka_unit_test(a_file_cut_off_anywhere_is_refused),
		cmocka_unit_test(mutations_never_break_the_promises),
		cmocka_unit_test(each_broken_field_is_named),
		cmocka_unit_test(the_later_of_two_segments_is_seen),
		cmocka_unit_test(more_versions_than_can_be_numbered_are_refused),
		cmocka_unit_test(program_headers_beyond_the_counter_stand_in_section_0),
		cmocka_unit_test(a_section_count_of_0_stands_in_section_0),
		cmocka_unit_test(wrong_sections_change_nothing),
		cmocka_unit_test(a_gnu_hash_table_counts_symbols),
		cmocka_unit_test(hidden_and_local_symbols_are_no_exports),
		cmocka_unit_test(flags_of_the_dynamic_section),
		cmocka_unit_test(versions_compare_as_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
