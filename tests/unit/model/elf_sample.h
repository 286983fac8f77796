/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small shared program, made by hand for any class and byte order: one interpreter, libraries, versions needed and
 * defined, symbols, a hash table, two section headers. The offsets are the same for both classes, so that a test can
 * break one field and name it.
 */
#ifndef XBUILD_TESTS_UNIT_MODEL_ELF_SAMPLE_H
#define XBUILD_TESTS_UNIT_MODEL_ELF_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	AT_PHDRS = 64,
	AT_INTERP = 352,
	AT_STRINGS = 384,
	STRINGS_BYTES = 160,
	AT_SYMBOLS = 544,
	N_SYMBOLS = 4,
	AT_VERSYM = 640,
	AT_VERNEED = 656,
	AT_VERDEF = 704,
	AT_HASH = 760,
	AT_DYNAMIC = 800,
	AT_SECTIONS = 1152,
	SAMPLE_BYTES = 1280,
	BASE = 0x10000,
};
enum { SEG_LOAD, SEG_INTERP, SEG_DYNAMIC, SEG_STACK, SEG_RELRO, N_SEGMENTS };
enum {
	D_NEEDED,
	D_NEEDED2,
	D_SONAME,
	D_RUNPATH,
	D_STRTAB,
	D_STRSZ,
	D_SYMTAB,
	D_SYMENT,
	D_HASH,
	D_VERSYM,
	D_VERNEED,
	D_VERNEEDNUM,
	D_VERDEF,
	D_VERDEFNUM,
	D_FLAGS,
	D_FLAGS_1,
	D_NULL,
	N_DYNAMIC
};

struct elf_sample {
	uint8_t bytes[SAMPLE_BYTES];
	bool is_64, is_big;
	size_t strings_len;
};

static inline void put(struct elf_sample *s, size_t at, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		s->bytes[at + i] = (uint8_t)(value >> (8 * (s->is_big ? width - 1 - i : i)));
}

static inline void put_word(struct elf_sample *s, size_t at, uint64_t value)
{
	put(s, at, value, s->is_64 ? 8 : 4);
}

/* Offset of the value of dynamic entry `i`. */
static inline size_t at_dynamic(const struct elf_sample *s, int i)
{
	return (size_t)(AT_DYNAMIC + i * (s->is_64 ? 16 : 8) + (s->is_64 ? 8 : 4));
}

enum segment_field { SEG_TYPE, SEG_FLAGS, SEG_OFFSET, SEG_VADDR, SEG_FILESZ, SEG_MEMSZ };
static inline size_t at_segment(const struct elf_sample *s, int i, enum segment_field field)
{
	static const size_t of_64[] = {0, 4, 8, 16, 32, 40}, of_32[] = {0, 24, 4, 8, 16, 20};

	return AT_PHDRS + (size_t)i * (s->is_64 ? 56 : 32) + (s->is_64 ? of_64 : of_32)[field];
}

enum section_field { SEC_TYPE, SEC_ADDR, SEC_OFFSET, SEC_SIZE, SEC_INFO, SEC_ENTSIZE };
static inline size_t at_section(const struct elf_sample *s, int i, enum section_field field)
{
	static const size_t of_64[] = {4, 16, 24, 32, 44, 56}, of_32[] = {4, 12, 16, 20, 28, 36};

	return AT_SECTIONS + (size_t)i * (s->is_64 ? 64 : 40) + (s->is_64 ? of_64 : of_32)[field];
}

/* Offsets of e_phnum and friends in the header. */
static inline size_t at_header(const struct elf_sample *s, size_t of_64, size_t of_32)
{
	return s->is_64 ? of_64 : of_32;
}
#define AT_PHOFF(s)	at_header(s, 32, 28)
#define AT_SHOFF(s)	at_header(s, 40, 32)
#define AT_PHENTSIZE(s) at_header(s, 54, 42)
#define AT_PHNUM(s)	at_header(s, 56, 44)
#define AT_SHENTSIZE(s) at_header(s, 58, 46)
#define AT_SHNUM(s)	at_header(s, 60, 48)

static inline uint32_t sample_string(struct elf_sample *s, const char *text)
{
	uint32_t at = (uint32_t)s->strings_len;

	memcpy(s->bytes + AT_STRINGS + at, text, strlen(text) + 1);
	s->strings_len += strlen(text) + 1;
	return at;
}

static inline void sample_segment(struct elf_sample *s, int i, uint32_t type, uint64_t offset, uint64_t size)
{
	put(s, at_segment(s, i, SEG_TYPE), type, 4);
	put(s, at_segment(s, i, SEG_FLAGS), 6, 4);
	put_word(s, at_segment(s, i, SEG_OFFSET), offset);
	put_word(s, at_segment(s, i, SEG_VADDR), offset + BASE);
	put_word(s, at_segment(s, i, SEG_FILESZ), size);
	put_word(s, at_segment(s, i, SEG_MEMSZ), size);
}

static inline void sample_symbol(struct elf_sample *s, int i, uint32_t name, uint8_t info, uint16_t shndx)
{
	size_t at = AT_SYMBOLS + (size_t)i * (s->is_64 ? 24 : 16);

	put(s, at, name, 4);
	put(s, at + (s->is_64 ? 4 : 12), info, 1);
	put(s, at + (s->is_64 ? 6 : 14), shndx, 2);
}

static inline void sample_dynamic(struct elf_sample *s, int i, uint64_t tag, uint64_t value)
{
	put_word(s, at_dynamic(s, i) - (s->is_64 ? 8 : 4), tag);
	put_word(s, at_dynamic(s, i), value);
}

static inline void sample_header(struct elf_sample *s)
{
	memcpy(s->bytes, "\177ELF", 4);
	s->bytes[4] = s->is_64 ? 2 : 1;
	s->bytes[5] = s->is_big ? 2 : 1;
	s->bytes[6] = 1;
	put(s, 16, 3, 2);
	put(s, 18, 62, 2);
	put(s, 20, 1, 4);
	put_word(s, AT_PHOFF(s), AT_PHDRS);
	put_word(s, AT_SHOFF(s), AT_SECTIONS);
	put(s, AT_PHENTSIZE(s), s->is_64 ? 56 : 32, 2);
	put(s, AT_PHNUM(s), N_SEGMENTS, 2);
	put(s, AT_SHENTSIZE(s), s->is_64 ? 64 : 40, 2);
	put(s, AT_SHNUM(s), 2, 2);
	sample_segment(s, SEG_LOAD, 1, 0, AT_SECTIONS);
	sample_segment(s, SEG_INTERP, 3, AT_INTERP, 13);
	sample_segment(s, SEG_DYNAMIC, 2, AT_DYNAMIC, N_DYNAMIC * (s->is_64 ? 16 : 8));
	sample_segment(s, SEG_STACK, 0x6474e551, 0, 0);
	sample_segment(s, SEG_RELRO, 0x6474e552, AT_DYNAMIC, 16);
	memcpy(s->bytes + AT_INTERP, "/lib/ld.so.1", 13);
	put(s, at_section(s, 1, SEC_TYPE), 11, 4);
	put_word(s, at_section(s, 1, SEC_ADDR), AT_SYMBOLS + BASE);
	put_word(s, at_section(s, 1, SEC_OFFSET), AT_SYMBOLS);
	put_word(s, at_section(s, 1, SEC_SIZE), (uint64_t)N_SYMBOLS * (s->is_64 ? 24 : 16));
	put_word(s, at_section(s, 1, SEC_ENTSIZE), s->is_64 ? 24 : 16);
}

/* GLIBC_2.4 and GLIBC_2.34 (weak) of libc.so.6; OWN_1 is defined. */
static inline void sample_versions(struct elf_sample *s, uint32_t libc, uint32_t soname)
{
	put(s, AT_VERNEED, 1, 2);
	put(s, AT_VERNEED + 2, 2, 2);
	put(s, AT_VERNEED + 4, libc, 4);
	put(s, AT_VERNEED + 8, 16, 4);
	put(s, AT_VERNEED + 16 + 4, 2, 2);
	put(s, AT_VERNEED + 16 + 6, 3, 2);
	put(s, AT_VERNEED + 16 + 8, sample_string(s, "GLIBC_2.34"), 4);
	put(s, AT_VERNEED + 16 + 12, 16, 4);
	put(s, AT_VERNEED + 32 + 6, 2, 2);
	put(s, AT_VERNEED + 32 + 8, sample_string(s, "GLIBC_2.4"), 4);
	for (size_t i = 0; i < 2; i++) {
		size_t at = AT_VERDEF + i * 28;

		put(s, at, 1, 2);
		put(s, at + 2, i == 0, 2);
		put(s, at + 4, i == 0 ? 1 : 4, 2);
		put(s, at + 6, 1, 2);
		put(s, at + 12, 20, 4);
		put(s, at + 16, i == 0 ? 28 : 0, 4);
		put(s, at + 20, i == 0 ? soname : sample_string(s, "OWN_1"), 4);
	}
	put(s, AT_VERSYM + 2, 3, 2);
	put(s, AT_VERSYM + 4, 2, 2);
	put(s, AT_VERSYM + 6, 0x8004, 2);
}

static inline void sample_make(struct elf_sample *s, bool is_64, bool is_big)
{
	uint32_t libc, libm, soname, runpath;

	*s = (struct elf_sample){.is_64 = is_64, .is_big = is_big, .strings_len = 1};
	sample_header(s);
	libc = sample_string(s, "libc.so.6");
	libm = sample_string(s, "libm.so.6");
	soname = sample_string(s, "libown.so.1");
	runpath = sample_string(s, "/opt/lib");
	sample_versions(s, libc, soname);
	sample_symbol(s, 1, sample_string(s, "stat"), 0x12, 0);
	sample_symbol(s, 2, sample_string(s, "puts"), 0x12, 0);
	sample_symbol(s, 3, sample_string(s, "own"), 0x12, 1);
	put(s, AT_HASH, 1, 4);
	put(s, AT_HASH + 4, N_SYMBOLS, 4);
	sample_dynamic(s, D_NEEDED, 1, libm);
	sample_dynamic(s, D_NEEDED2, 1, libc);
	sample_dynamic(s, D_SONAME, 14, soname);
	sample_dynamic(s, D_RUNPATH, 29, runpath);
	sample_dynamic(s, D_STRTAB, 5, AT_STRINGS + BASE);
	sample_dynamic(s, D_STRSZ, 10, STRINGS_BYTES);
	sample_dynamic(s, D_SYMTAB, 6, AT_SYMBOLS + BASE);
	sample_dynamic(s, D_SYMENT, 11, is_64 ? 24 : 16);
	sample_dynamic(s, D_HASH, 4, AT_HASH + BASE);
	sample_dynamic(s, D_VERSYM, 0x6ffffff0, AT_VERSYM + BASE);
	sample_dynamic(s, D_VERNEED, 0x6ffffffe, AT_VERNEED + BASE);
	sample_dynamic(s, D_VERNEEDNUM, 0x6fffffff, 1);
	sample_dynamic(s, D_VERDEF, 0x6ffffffc, AT_VERDEF + BASE);
	sample_dynamic(s, D_VERDEFNUM, 0x6ffffffd, 2);
	sample_dynamic(s, D_FLAGS, 30, 8);
	sample_dynamic(s, D_FLAGS_1, 0x6ffffffb, 0x08000001);
	sample_dynamic(s, D_NULL, 0, 0);
}

#endif
