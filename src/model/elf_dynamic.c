/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "elf_reader.h"

/* gABI chapter 5, figure 5-10, and the GNU extensions of elf(5). */
enum {
	DT_NULL = 0,
	DT_NEEDED = 1,
	DT_HASH = 4,
	DT_STRTAB = 5,
	DT_SYMTAB = 6,
	DT_STRSZ = 10,
	DT_SYMENT = 11,
	DT_SONAME = 14,
	DT_RPATH = 15,
	DT_TEXTREL = 22,
	DT_JMPREL = 23,
	DT_BIND_NOW = 24,
	DT_RUNPATH = 29,
	DT_FLAGS = 30,
	DT_GNU_HASH = 0x6ffffef5,
	DT_VERSYM = 0x6ffffff0,
	DT_FLAGS_1 = 0x6ffffffb,
	DT_VERDEF = 0x6ffffffc,
	DT_VERDEFNUM = 0x6ffffffd,
	DT_VERNEED = 0x6ffffffe,
	DT_VERNEEDNUM = 0x6fffffff,
};
#define DF_TEXTREL  4U
#define DF_BIND_NOW 8U
#define DF_1_NOW    1U
#define DF_1_PIE    0x08000000U

#define ET_DYN 3

/* Tags that only carry a value: where it goes, and where it is noted that it was there (none: 0 means absent). */
#define NO_FLAG SIZE_MAX
struct tag {
	uint64_t tag;
	size_t value, flag;
};
#define TAG(number, field)                                                                                             \
	{                                                                                                              \
		number, offsetof(struct elf_dynamic, field), offsetof(struct elf_dynamic, has_##field)                 \
	}
#define COUNT_TAG(number, field)                                                                                       \
	{                                                                                                              \
		number, offsetof(struct elf_dynamic, field), NO_FLAG                                                   \
	}

static const struct tag tags[] = {
	TAG(DT_STRTAB, strtab),	  COUNT_TAG(DT_STRSZ, strsz),
	TAG(DT_SYMTAB, symtab),	  TAG(DT_SYMENT, syment),
	TAG(DT_HASH, hash),	  TAG(DT_GNU_HASH, gnu_hash),
	TAG(DT_VERNEED, verneed), COUNT_TAG(DT_VERNEEDNUM, verneednum),
	TAG(DT_VERDEF, verdef),	  COUNT_TAG(DT_VERDEFNUM, verdefnum),
	TAG(DT_VERSYM, versym),	  TAG(DT_SONAME, soname),
	TAG(DT_RPATH, rpath),	  TAG(DT_RUNPATH, runpath),
};

int xb_elf_string(struct elf_reader *r, const char *what, uint64_t offset, const char **out)
{
	if (offset >= r->strings_len)
		return xb_elf_bad(r, "%s (offset %" PRIu64 ") lies outside the string table of %zu bytes", what, offset,
				  r->strings_len);
	*out = r->strings + offset;
	return 0;
}

static void note(struct elf_reader *r, uint64_t tag, uint64_t value)
{
	switch (tag) {
	case DT_TEXTREL:
		r->elf->text_relocations = true;
		return;
	case DT_JMPREL:
		r->elf->has_plt = true;
		return;
	case DT_BIND_NOW:
		r->elf->bind_now = true;
		return;
	case DT_FLAGS:
		r->elf->text_relocations |= (value & DF_TEXTREL) != 0;
		r->elf->bind_now |= (value & DF_BIND_NOW) != 0;
		return;
	case DT_FLAGS_1:
		r->elf->bind_now |= (value & DF_1_NOW) != 0;
		r->elf->is_pie |= r->elf->type == ET_DYN && (value & DF_1_PIE) != 0;
		return;
	default:
		break;
	}
	for (size_t i = 0; i < XB_COUNT(tags); i++) {
		if (tags[i].tag != tag)
			continue;
		memcpy((char *)&r->dyn + tags[i].value, &value, sizeof(value));
		if (tags[i].flag != NO_FLAG)
			*(bool *)((char *)&r->dyn + tags[i].flag) = true;
	}
}

/* Reads all entries up to DT_NULL; *out_end is the number of entries before it. */
static int scan(struct elf_reader *r, uint64_t *out_end)
{
	uint64_t word = r->is_64 ? 8 : 4, count = r->dyn_size / (2 * word);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = r->dyn_offset + i * 2 * word, tag = xb_elf_word(r, at);

		if (tag == DT_NULL) {
			*out_end = i;
			return 0;
		}
		if (tag == DT_NEEDED)
			r->elf->n_needed++;
		else
			note(r, tag, xb_elf_word(r, at + word));
	}
	return xb_elf_bad(r, "the dynamic section does not end: none of its %" PRIu64 " entries is DT_NULL", count);
}

static int read_strings(struct elf_reader *r)
{
	uint64_t offset, avail;
	const char *bytes;

	if (!r->dyn.has_strtab)
		return 0;
	if (r->dyn.strsz == 0)
		return xb_elf_bad(r, "the dynamic section has a string table without a size");
	if (xb_elf_at_address(r, "string table", r->dyn.strtab, r->dyn.strsz, &offset, &avail) < 0)
		return r->err->code;
	bytes = (const char *)r->data + offset;
	r->strings_len = (size_t)r->dyn.strsz;
	/* gABI chapter 4, "String Table": the last byte is NUL. So every string in it ends. */
	if (bytes[r->strings_len - 1] != '\0')
		return xb_elf_bad(r, "the string table does not end with a NUL");
	r->strings = xb_arena_alloc(&r->elf->arena, r->strings_len);
	memcpy((char *)(uintptr_t)r->strings, bytes, r->strings_len);
	return 0;
}

static int read_needed(struct elf_reader *r, uint64_t n_entries)
{
	uint64_t word = r->is_64 ? 8 : 4;
	size_t n = 0;

	r->elf->needed = xb_arena_array(&r->elf->arena, r->elf->n_needed + 1, sizeof(*r->elf->needed));
	for (uint64_t i = 0; i < n_entries; i++) {
		uint64_t at = r->dyn_offset + i * 2 * word;

		if (xb_elf_word(r, at) != DT_NEEDED)
			continue;
		if (xb_elf_string(r, "name of a needed library", xb_elf_word(r, at + word), &r->elf->needed[n++]) < 0)
			return r->err->code;
	}
	return 0;
}

/* The loader goes by the address, tools go by the offset; a file in which they differ has two faces. */
static int check_place(struct elf_reader *r)
{
	uint64_t offset, avail;

	if (xb_elf_at_address(r, "dynamic segment", r->dyn_address, r->is_64 ? 16 : 8, &offset, &avail) < 0)
		return r->err->code;
	if (offset != r->dyn_offset)
		return xb_elf_bad(
			r, "the dynamic segment is at offset %" PRIu64 ", but its address is loaded from %" PRIu64,
			r->dyn_offset, offset);
	if (avail < r->dyn_size)
		r->dyn_size = avail;
	return 0;
}

int xb_elf_read_dynamic(struct elf_reader *r)
{
	struct elf_dynamic *dyn = &r->dyn;
	uint64_t end = 0;

	if (check_place(r) < 0 || scan(r, &end) < 0 || read_strings(r) < 0 || read_needed(r, end) < 0)
		return r->err->code;
	if (dyn->has_soname && xb_elf_string(r, "DT_SONAME", dyn->soname, &r->elf->soname) < 0)
		return r->err->code;
	if (dyn->has_rpath && xb_elf_string(r, "DT_RPATH", dyn->rpath, &r->elf->rpath) < 0)
		return r->err->code;
	if (dyn->has_runpath && xb_elf_string(r, "DT_RUNPATH", dyn->runpath, &r->elf->runpath) < 0)
		return r->err->code;
	return 0;
}
