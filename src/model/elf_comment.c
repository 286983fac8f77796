/* SPDX-License-Identifier: Apache-2.0 */
/* The section .comment: strings of whoever made the parts of the file, one behind the other. No standard has it; all compilers do. */
#include <string.h>

#include "elf_reader.h"
#include "xbuild/base/str.h"

#define SHT_PROGBITS 1
#define MAX_COMMENT  (64 * 1024)

static bool is_inside(const struct elf_reader *r, const struct elf_section *s)
{
	return s->offset <= r->len && s->size <= r->len - s->offset;
}

/* gABI 4, "Sections": sh_name is the first word, e_shstrndx says where names are. A file without names has no comment. */
static bool find_comment(const struct elf_reader *r, struct elf_section *out)
{
	static const char name[] = ".comment";
	const uint16_t names = xb_elf_u16(r, r->is_64 ? 62 : 50);
	struct elf_section table;

	if (names >= r->shnum)
		return false;
	xb_elf_section(r, names, &table);
	for (size_t i = 0; i < r->shnum && is_inside(r, &table); i++) {
		const uint32_t at = xb_elf_u32(r, r->shoff + i * (r->is_64 ? 64 : 40));

		xb_elf_section(r, i, out);
		if (out->type == SHT_PROGBITS && at < table.size && table.size - at >= sizeof(name) &&
		    memcmp(r->data + table.offset + at, name, sizeof(name)) == 0)
			return is_inside(r, out);
	}
	return false;
}

void xb_elf_read_comment(struct elf_reader *r)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct elf_section s;

	if (!find_comment(r, &s))
		return;
	for (uint64_t i = 0; i < s.size && i < MAX_COMMENT; i++) {
		const char c = (char)r->data[s.offset + i];

		if (c)
			xb_str_append_char(&text, c);
		else if (text.len && xb_str_get(&text)[text.len - 1] != '\n')
			xb_str_append_char(&text, '\n');
	}
	r->elf->comment = xb_arena_sv(&r->elf->arena, xb_str_sv(&text));
}
