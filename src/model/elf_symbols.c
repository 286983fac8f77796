/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many dynamic symbols there are. The dynamic section does not say; three places do, in the order of trust:
 * DT_HASH (nchain is the number, gABI 5 "Hash Table"), the section header of .dynsym when it agrees with DT_SYMTAB, and
 * DT_GNU_HASH, whose chains end at the last symbol. With an empty GNU hash table (nothing exported) and no section
 * headers the undefined symbols cannot be counted; the version records still stand, only without a symbol.
 */
#include <inttypes.h>

#include "elf_reader.h"
#include "xbuild/base/limits.h"

#define SHT_DYNSYM 11

/* Their DT_HASH has words of 8 bytes, against the gABI. */
#define EM_S390	 22
#define EM_ALPHA 0x9026

static int count_by_hash(struct elf_reader *r, uint64_t *out)
{
	uint64_t offset, avail;

	if (xb_elf_at_address(r, "DT_HASH table", r->dyn.hash, 8, &offset, &avail) < 0)
		return r->err->code;
	*out = xb_elf_u32(r, offset + 4);
	return 0;
}

static bool count_by_section(const struct elf_reader *r, uint64_t *out)
{
	for (size_t i = 0; i < r->shnum; i++) {
		struct elf_section s;

		xb_elf_section(r, i, &s);
		if (s.type == SHT_DYNSYM && s.addr == r->dyn.symtab && s.entsize == (r->is_64 ? 24U : 16U)) {
			*out = s.size / s.entsize;
			return true;
		}
	}
	return false;
}

/* Layout: nbuckets, symoffset, bloom_size, bloom_shift, bloom words, buckets, chain words from symbol symoffset on. */
static int count_by_gnu_hash(struct elf_reader *r, uint64_t *out)
{
	uint64_t at, avail, n_buckets, first, bloom_bytes, last = 0, chain;

	if (xb_elf_at_address(r, "DT_GNU_HASH table", r->dyn.gnu_hash, 16, &at, &avail) < 0)
		return r->err->code;
	n_buckets = xb_elf_u32(r, at);
	first = xb_elf_u32(r, at + 4);
	bloom_bytes = (uint64_t)xb_elf_u32(r, at + 8) * (r->is_64 ? 8 : 4);
	if (avail - 16 < bloom_bytes || (avail - 16 - bloom_bytes) / 4 < n_buckets)
		return xb_elf_bad(r, "the DT_GNU_HASH table with %" PRIu64 " buckets does not fit its segment",
				  n_buckets);
	chain = 16 + bloom_bytes + n_buckets * 4;
	for (uint64_t i = 0; i < n_buckets; i++) {
		uint32_t bucket = xb_elf_u32(r, at + 16 + bloom_bytes + i * 4);

		last = bucket > last ? bucket : last;
	}
	*out = 0;
	if (last < first)
		return 0;
	do {
		uint64_t place = chain + (last - first) * 4;

		if (place > avail || avail - place < 4)
			return xb_elf_bad(r, "a chain of the DT_GNU_HASH table does not end");
		*out = ++last;
		if (xb_elf_u32(r, at + place) & 1)
			return 0;
	} while (true);
}

static int count(struct elf_reader *r, uint64_t *out)
{
	bool odd_hash = r->is_64 && (r->elf->machine == EM_S390 || r->elf->machine == EM_ALPHA);

	if (r->dyn.has_hash && !odd_hash)
		return count_by_hash(r, out);
	if (count_by_section(r, out))
		return 0;
	return r->dyn.has_gnu_hash ? count_by_gnu_hash(r, out) : 0;
}

int xb_elf_count_symbols(struct elf_reader *r, uint64_t *out_count)
{
	uint64_t n = 0, offset, avail, size = r->is_64 ? 24 : 16;

	if (!r->dyn.has_symtab)
		return 0;
	if (r->dyn.has_syment && r->dyn.syment != size)
		return xb_elf_bad(r, "expected symbols of %" PRIu64 " bytes, found %" PRIu64, size, r->dyn.syment);
	if (count(r, &n) < 0)
		return r->err->code;
	if (n > XB_MAX_SYMBOLS)
		return xb_elf_bad(r, "expected at most %d dynamic symbols, found %" PRIu64, XB_MAX_SYMBOLS, n);
	if (n > 0 && xb_elf_at_address(r, "dynamic symbol table", r->dyn.symtab, n * size, &offset, &avail) < 0)
		return r->err->code;
	*out_count = n;
	return 0;
}
