/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the ELF reader share: bounds-checked access to the bytes of one file, in its class and byte order.
 *
 * Guarantee: xb_elf_u16, _u32 and _word assert that the field lies in the file; every offset that comes out of the file
 *            goes through xb_elf_range or xb_elf_at_address first. Strings point into one copy of the dynamic string
 *            table in the arena of the result, so that a file cannot make the reader allocate more than it holds.
 */
#ifndef XBUILD_SRC_MODEL_ELF_READER_H
#define XBUILD_SRC_MODEL_ELF_READER_H

#include "xbuild/base/attr.h"
#include "xbuild/model/elf.h"

/* A PT_LOAD segment: file bytes [offset, offset + filesz) appear at vaddr. */
struct elf_load {
	uint64_t offset, vaddr, filesz;
};

/* One section header, as far as the reader looks at it. */
struct elf_section {
	uint32_t type, info;
	uint64_t addr, offset, size, entsize;
};

/* Values of the dynamic section; has_* where 0 is a possible value. */
struct elf_dynamic {
	uint64_t strtab, strsz, symtab, syment;
	uint64_t hash, gnu_hash;
	uint64_t verneed, verneednum, verdef, verdefnum, versym;
	uint64_t soname, rpath, runpath;
	bool has_strtab, has_symtab, has_syment, has_hash, has_gnu_hash, has_verneed, has_verdef, has_versym;
	bool has_soname, has_rpath, has_runpath;
};

struct elf_reader {
	const uint8_t *data;
	size_t len;
	const char *name;
	bool is_64, is_big;
	struct xb_elf *elf;
	struct xb_err *err;

	uint64_t phoff, shoff;
	size_t phnum, shnum;
	struct elf_load *loads; /* in elf->arena */
	size_t n_loads;

	uint64_t dyn_offset, dyn_address, dyn_size;
	struct elf_dynamic dyn;
	const char *strings; /* copy of the dynamic string table in elf->arena; its last byte is NUL */
	size_t strings_len;
};

/* Sets the error "read ELF file '<name>': ..." with XB_E_INPUT and returns the code. */
int xb_elf_bad(struct elf_reader *r, const char *fmt, ...) XB_PRINTF(2, 3);

uint16_t xb_elf_u16(const struct elf_reader *r, uint64_t offset);
uint32_t xb_elf_u32(const struct elf_reader *r, uint64_t offset);
/* A class-sized word: 4 or 8 bytes. */
uint64_t xb_elf_word(const struct elf_reader *r, uint64_t offset);

/* Checks that `count` items of `size` bytes at `offset` lie in the file. `what` is the noun of the message. */
int xb_elf_range(struct elf_reader *r, const char *what, uint64_t offset, uint64_t count, uint64_t size) XB_MUST_CHECK;
/*
 * The file offset of an address that the dynamic section names, and the bytes that follow it in its segment: what the
 * loader would find there. At least min_len bytes are there.
 */
int xb_elf_at_address(struct elf_reader *r, const char *what, uint64_t address, uint64_t min_len, uint64_t *out_offset,
		      uint64_t *out_avail) XB_MUST_CHECK;
/* Section header `i` < r->shnum. */
void xb_elf_section(const struct elf_reader *r, size_t i, struct elf_section *out);

/* String at `offset` of the dynamic string table, borrowed from the arena. */
int xb_elf_string(struct elf_reader *r, const char *what, uint64_t offset, const char **out) XB_MUST_CHECK;

/* elf_dynamic.c: reads r->dyn_offset, r->dyn_size into r->dyn, r->strings and the result. */
int xb_elf_read_dynamic(struct elf_reader *r) XB_MUST_CHECK;
/* elf_comment.c: the section of that name, where there is one. */
void xb_elf_read_comment(struct elf_reader *r);
/* elf_versions.c: needs, defs, and exports when asked for. After xb_elf_read_dynamic. */
int xb_elf_read_versions(struct elf_reader *r, enum xb_elf_flags flags) XB_MUST_CHECK;
/* elf_symbols.c: number of dynamic symbols; *out_count is 0 where the file does not tell. */
int xb_elf_count_symbols(struct elf_reader *r, uint64_t *out_count) XB_MUST_CHECK;

/* Order of needs and defs: a total order in which numbers count as numbers. */
int xb_elf_version_order(const char *a, const char *b);

#endif
