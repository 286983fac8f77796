/* SPDX-License-Identifier: Apache-2.0 */
/* LSB Core Specification 10.7: the records have the same layout in both classes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "elf_reader.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/vec.h"

/* versym has 15 bits for the index of a version. */
#define MAX_VERSIONS 32768
#define HIDDEN	     0x8000U

#define VER_FLG_BASE 1U
#define VER_FLG_WEAK 2U

enum { VERNEED_SIZE = 16, VERNAUX_SIZE = 16, VERDEF_SIZE = 20, VERDAUX_SIZE = 8 };
enum { STB_GLOBAL = 1, STB_WEAK = 2, STB_GNU_UNIQUE = 10 };
enum { STV_DEFAULT = 0, STV_PROTECTED = 3 };
enum { STT_SECTION = 3, STT_FILE = 4 };

/* What a number in versym stands for. */
struct version {
	const char *name; /* NULL: no such number */
	size_t need;	  /* index + 1 into needs; 0: a definition */
};

struct versions {
	XB_VEC(struct version) by_index;
	XB_VEC(struct xb_elf_need) needs;
	XB_VEC(const char *) defs;
	uint64_t versym, n_symbols, symtab;
	bool has_versym;
};

static void release_versions(struct versions *v)
{
	XB_VEC_RELEASE(&v->by_index);
	XB_VEC_RELEASE(&v->needs);
	XB_VEC_RELEASE(&v->defs);
}

/* 0 and 1 are no versions; where a number is given twice the first one stands. */
static void number_version(struct versions *v, unsigned index, const char *name, size_t need)
{
	index &= HIDDEN - 1;
	while (v->by_index.len <= index)
		*XB_VEC_ADD(&v->by_index) = (struct version){0};
	if (index > 1 && !v->by_index.items[index].name)
		v->by_index.items[index] = (struct version){.name = name, .need = need};
}

/* The version of symbol i, or NULL. */
static const struct version *version_of(const struct elf_reader *r, const struct versions *v, uint64_t i)
{
	unsigned index = v->has_versym ? xb_elf_u16(r, v->versym + i * 2) & (HIDDEN - 1) : 1;

	return index < v->by_index.len && v->by_index.items[index].name ? &v->by_index.items[index] : NULL;
}

/*
 * Bytes of a list of records that the dynamic section names. `place` walks forward only: a list cannot loop.
 */
struct walk {
	uint64_t base, avail;
};

static int check_record(struct elf_reader *r, const struct walk *w, const char *what, uint64_t place, uint64_t size)
{
	if (place <= w->avail && w->avail - place >= size)
		return 0;
	return xb_elf_bad(r, "a %s record lies outside its segment", what);
}

static int add_need(struct elf_reader *r, struct versions *v, const char *library, uint64_t at)
{
	struct xb_elf_need need = {.library = library, .symbol = ""};

	if (v->needs.len == MAX_VERSIONS)
		return xb_elf_bad(r, "expected at most %d needed versions, found more", MAX_VERSIONS);
	if (xb_elf_string(r, "name of a needed version", xb_elf_u32(r, at + 8), &need.version) < 0)
		return r->err->code;
	need.weak = (xb_elf_u16(r, at + 4) & VER_FLG_WEAK) != 0;
	XB_VEC_PUSH(&v->needs, need);
	number_version(v, xb_elf_u16(r, at + 6), need.version, v->needs.len);
	return 0;
}

static int read_needs_of(struct elf_reader *r, struct versions *v, const struct walk *w, uint64_t place)
{
	uint64_t at = w->base + place, aux = place + xb_elf_u32(r, at + 8);
	uint16_t count = xb_elf_u16(r, at + 2);
	const char *library;

	if (xb_elf_u16(r, at) != 1)
		return xb_elf_bad(r, "expected DT_VERNEED records of version 1, found %u", xb_elf_u16(r, at));
	if (xb_elf_string(r, "library of a needed version", xb_elf_u32(r, at + 4), &library) < 0)
		return r->err->code;
	for (uint16_t i = 0; i < count; i++) {
		uint32_t next;

		if (check_record(r, w, "DT_VERNEED", aux, VERNAUX_SIZE) < 0)
			return r->err->code;
		if (add_need(r, v, library, w->base + aux) < 0)
			return r->err->code;
		next = xb_elf_u32(r, w->base + aux + 12);
		if (next == 0 && i + 1 < count)
			return xb_elf_bad(r, "expected %u versions needed from '%s', found %d", count, library, i + 1);
		aux += next;
	}
	return 0;
}

static int read_needs(struct elf_reader *r, struct versions *v)
{
	struct walk w;
	uint64_t place = 0;

	if (!r->dyn.has_verneed)
		return 0;
	if (xb_elf_at_address(r, "DT_VERNEED", r->dyn.verneed, 1, &w.base, &w.avail) < 0)
		return r->err->code;
	for (uint64_t i = 0; i < r->dyn.verneednum; i++) {
		uint32_t next;

		if (check_record(r, &w, "DT_VERNEED", place, VERNEED_SIZE) < 0)
			return r->err->code;
		if (read_needs_of(r, v, &w, place) < 0)
			return r->err->code;
		next = xb_elf_u32(r, w.base + place + 12);
		if (next == 0 && i + 1 < r->dyn.verneednum)
			return xb_elf_bad(r, "expected %" PRIu64 " DT_VERNEED records, found %" PRIu64,
					  r->dyn.verneednum, i + 1);
		place += next;
	}
	return 0;
}

static int add_def(struct elf_reader *r, struct versions *v, const struct walk *w, uint64_t place)
{
	uint64_t at = w->base + place, aux = place + xb_elf_u32(r, at + 12);
	uint16_t index = xb_elf_u16(r, at + 4), flags = xb_elf_u16(r, at + 2);
	const char *name;

	if (xb_elf_u16(r, at) != 1)
		return xb_elf_bad(r, "expected DT_VERDEF records of version 1, found %u", xb_elf_u16(r, at));
	/* The base definition names the file itself: nothing can need it as a version. */
	if (flags & VER_FLG_BASE)
		return 0;
	if (xb_elf_u16(r, at + 6) == 0)
		return xb_elf_bad(r, "a DT_VERDEF record has no name");
	if (check_record(r, w, "DT_VERDEF", aux, VERDAUX_SIZE) < 0)
		return r->err->code;
	if (xb_elf_string(r, "name of a defined version", xb_elf_u32(r, w->base + aux), &name) < 0)
		return r->err->code;
	if (v->defs.len == MAX_VERSIONS)
		return xb_elf_bad(r, "expected at most %d defined versions, found more", MAX_VERSIONS);
	XB_VEC_PUSH(&v->defs, name);
	number_version(v, index, name, 0);
	return 0;
}

static int read_defs(struct elf_reader *r, struct versions *v)
{
	struct walk w;
	uint64_t place = 0;

	if (!r->dyn.has_verdef)
		return 0;
	if (xb_elf_at_address(r, "DT_VERDEF", r->dyn.verdef, 1, &w.base, &w.avail) < 0)
		return r->err->code;
	for (uint64_t i = 0; i < r->dyn.verdefnum; i++) {
		uint32_t next;

		if (check_record(r, &w, "DT_VERDEF", place, VERDEF_SIZE) < 0)
			return r->err->code;
		if (add_def(r, v, &w, place) < 0)
			return r->err->code;
		next = xb_elf_u32(r, w.base + place + 16);
		if (next == 0 && i + 1 < r->dyn.verdefnum)
			return xb_elf_bad(r, "expected %" PRIu64 " DT_VERDEF records, found %" PRIu64, r->dyn.verdefnum,
					  i + 1);
		place += next;
	}
	return 0;
}

static int find_symbols(struct elf_reader *r, struct versions *v)
{
	uint64_t avail;

	if (xb_elf_count_symbols(r, &v->n_symbols) < 0)
		return r->err->code;
	if (v->n_symbols == 0)
		return 0;
	if (xb_elf_at_address(r, "dynamic symbol table", r->dyn.symtab, 1, &v->symtab, &avail) < 0)
		return r->err->code;
	v->has_versym = r->dyn.has_versym;
	if (v->has_versym && xb_elf_at_address(r, "DT_VERSYM", r->dyn.versym, v->n_symbols * 2, &v->versym, &avail) < 0)
		return r->err->code;
	return 0;
}

static int symbol_name(struct elf_reader *r, const struct versions *v, uint64_t i, const char **out)
{
	return xb_elf_string(r, "name of a symbol", xb_elf_u32(r, v->symtab + i * (r->is_64 ? 24 : 16)), out);
}

/* Gives each need the first symbol in name order, so that a message is the same whatever the linker's order. */
static int name_needs(struct elf_reader *r, struct versions *v)
{
	for (uint64_t i = 1; v->has_versym && i < v->n_symbols; i++) {
		const struct version *version = version_of(r, v, i);
		struct xb_elf_need *need;
		const char *name;

		if (!version || !version->need)
			continue;
		need = &v->needs.items[version->need - 1];
		if (symbol_name(r, v, i, &name) < 0)
			return r->err->code;
		if (*name && (!*need->symbol || strcmp(name, need->symbol) < 0))
			need->symbol = name;
	}
	return 0;
}

static bool is_exported(const struct elf_reader *r, const struct versions *v, uint64_t i)
{
	uint64_t at = v->symtab + i * (r->is_64 ? 24 : 16);
	unsigned info = r->data[at + (r->is_64 ? 4 : 12)], other = r->data[at + (r->is_64 ? 5 : 13)] & 3U;
	unsigned bind = info >> 4, type = info & 15;

	if (xb_elf_u16(r, at + (r->is_64 ? 6 : 14)) == 0 || type == STT_SECTION || type == STT_FILE)
		return false;
	/* Version index 0: local to the file, whatever the binding says. */
	if (v->has_versym && (xb_elf_u16(r, v->versym + i * 2) & (HIDDEN - 1)) == 0)
		return false;
	return (bind == STB_GLOBAL || bind == STB_WEAK || bind == STB_GNU_UNIQUE) &&
	       (other == STV_DEFAULT || other == STV_PROTECTED);
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_exports(struct elf_reader *r, const struct versions *v)
{
	uint64_t total_bytes = 0;

	r->elf->exports = xb_arena_array(&r->elf->arena, (size_t)v->n_symbols + 1, sizeof(*r->elf->exports));
	for (uint64_t i = 1; i < v->n_symbols; i++) {
		const struct version *version = version_of(r, v, i);
		const char *name;

		if (!is_exported(r, v, i))
			continue;
		if (symbol_name(r, v, i, &name) < 0)
			return r->err->code;
		/* The linker's marker for a version ("OWN_1", absolute) carries that version; it is no versioned symbol. */
		if (version && strcmp(name, version->name) == 0)
			version = NULL;
		/* Names may overlap in the string table, so their sum is not bounded by the size of the file. */
		total_bytes += strlen(name) + (version ? strlen(version->name) : 0);
		if (total_bytes > XB_MAX_ELF_EXPORT_BYTES)
			return xb_elf_bad(r, "the names of its symbols have more than %lld bytes",
					  (long long)XB_MAX_ELF_EXPORT_BYTES);
		r->elf->exports[r->elf->n_exports++] =
			version ? xb_arena_printf(&r->elf->arena, "%s@%s", name, version->name) : name;
	}
	qsort(r->elf->exports, r->elf->n_exports, sizeof(*r->elf->exports), compare_text);
	return 0;
}

static int compare_needs(const void *left, const void *right)
{
	const struct xb_elf_need *a = left, *b = right;
	int order = strcmp(a->library, b->library);

	return order ? order : xb_elf_version_order(a->version, b->version);
}

static int compare_versions(const void *a, const void *b)
{
	return xb_elf_version_order(*(const char *const *)a, *(const char *const *)b);
}

/* A copy of a vector's items that lives as long as the result. */
static void *keep(struct elf_reader *r, const void *items, size_t len, size_t size)
{
	void *copy = xb_arena_array(&r->elf->arena, len + 1, size);

	if (len > 0)
		memcpy(copy, items, len * size);
	return copy;
}

int xb_elf_read_versions(struct elf_reader *r, enum xb_elf_flags flags)
{
	struct versions v XB_CLEANUP(release_versions) = {0};

	if (read_needs(r, &v) < 0 || read_defs(r, &v) < 0 || find_symbols(r, &v) < 0 || name_needs(r, &v) < 0)
		return r->err->code;
	if ((flags & XB_ELF_EXPORTS) && read_exports(r, &v) < 0)
		return r->err->code;
	r->elf->needs = keep(r, v.needs.items, v.needs.len, sizeof(*v.needs.items));
	r->elf->n_needs = v.needs.len;
	qsort(r->elf->needs, r->elf->n_needs, sizeof(*r->elf->needs), compare_needs);
	r->elf->defs = keep(r, v.defs.items, v.defs.len, sizeof(*v.defs.items));
	r->elf->n_defs = v.defs.len;
	qsort(r->elf->defs, r->elf->n_defs, sizeof(*r->elf->defs), compare_versions);
	return 0;
}
