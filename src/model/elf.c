/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/elf.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_reader.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/hex.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/fs.h"

enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3, PT_NOTE = 4 };
#define PT_GNU_STACK 0x6474e551U
#define PT_GNU_RELRO 0x6474e552U
#define PF_X	     1U
#define ET_DYN	     3
#define PN_XNUM	     0xffff
#define BUILD_ID     3	/* NT_GNU_BUILD_ID */
#define MAX_BUILD_ID 64 /* bytes; src/wrap/linked.c notes no longer one */

/* The kernel refuses a longer path of an interpreter (binfmt_elf), so nothing else needs to be read. */
#define MAX_INTERPRETER_BYTES 4096

/* Program headers look alike in both classes, but for the place of p_flags. */
struct segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz;
};

int xb_elf_bad(struct elf_reader *r, const char *fmt, ...)
{
	char *text XB_CLEANUP(xb_free_ptr) = NULL;
	va_list args;

	va_start(args, fmt);
	text = xb_vprintf(fmt, args);
	va_end(args);
	return xb_fail(r->err, XB_E_INPUT, "read ELF file '%s': %s", r->name, text);
}

static uint64_t get(const struct elf_reader *r, uint64_t offset, unsigned width)
{
	uint64_t value = 0;

	assert(offset <= r->len && width <= r->len - offset);
	for (unsigned i = 0; i < width; i++) {
		unsigned shift = 8 * (r->is_big ? width - 1 - i : i);

		value |= (uint64_t)r->data[offset + i] << shift;
	}
	return value;
}

uint16_t xb_elf_u16(const struct elf_reader *r, uint64_t offset)
{
	return (uint16_t)get(r, offset, 2);
}

uint32_t xb_elf_u32(const struct elf_reader *r, uint64_t offset)
{
	return (uint32_t)get(r, offset, 4);
}

uint64_t xb_elf_word(const struct elf_reader *r, uint64_t offset)
{
	return get(r, offset, r->is_64 ? 8 : 4);
}

int xb_elf_range(struct elf_reader *r, const char *what, uint64_t offset, uint64_t count, uint64_t size)
{
	if (offset <= r->len && (size == 0 || count <= (r->len - offset) / size))
		return 0;
	return xb_elf_bad(r,
			  "%s (offset %" PRIu64 ", %" PRIu64 " times %" PRIu64
			  " bytes) lies outside the file, which has %zu bytes",
			  what, offset, count, size, r->len);
}

int xb_elf_at_address(struct elf_reader *r, const char *what, uint64_t address, uint64_t min_len, uint64_t *out_offset,
		      uint64_t *out_avail)
{
	/* Backwards: where segments overlap, the loader maps the later one over the earlier one. */
	for (size_t i = r->n_loads; i-- > 0;) {
		const struct elf_load *load = &r->loads[i];
		uint64_t skip = address - load->vaddr;

		if (address < load->vaddr || skip >= load->filesz)
			continue;
		if (load->filesz - skip < min_len)
			break;
		*out_offset = load->offset + skip;
		*out_avail = load->filesz - skip;
		return 0;
	}
	return xb_elf_bad(r, "%s (address 0x%" PRIx64 ", %" PRIu64 " bytes) lies outside the loaded bytes of the file",
			  what, address, min_len);
}

static uint64_t section_header_size(const struct elf_reader *r)
{
	return r->is_64 ? 64 : 40;
}

void xb_elf_section(const struct elf_reader *r, size_t i, struct elf_section *out)
{
	uint64_t at = r->shoff + i * section_header_size(r);

	out->type = xb_elf_u32(r, at + 4);
	out->addr = xb_elf_word(r, at + (r->is_64 ? 16 : 12));
	out->offset = xb_elf_word(r, at + (r->is_64 ? 24 : 16));
	out->size = xb_elf_word(r, at + (r->is_64 ? 32 : 20));
	out->info = xb_elf_u32(r, at + (r->is_64 ? 44 : 28));
	out->entsize = xb_elf_word(r, at + (r->is_64 ? 56 : 36));
}

static int read_ident(struct elf_reader *r)
{
	size_t need;

	if (r->len < 16)
		return xb_elf_bad(r, "expected a header of at least 52 bytes, found a file of %zu bytes", r->len);
	if (r->data[4] != 1 && r->data[4] != 2)
		return xb_elf_bad(r, "expected class 1 (32 bit) or 2 (64 bit), found %u", r->data[4]);
	if (r->data[5] != 1 && r->data[5] != 2)
		return xb_elf_bad(r, "expected byte order 1 (little) or 2 (big), found %u", r->data[5]);
	if (r->data[6] != 1)
		return xb_elf_bad(r, "expected format version 1, found %u", r->data[6]);
	r->is_64 = r->data[4] == 2;
	r->is_big = r->data[5] == 2;
	need = r->is_64 ? 64 : 52;
	if (r->len < need)
		return xb_elf_bad(r, "expected a header of %zu bytes, found a file of %zu bytes", need, r->len);
	r->elf->elf_class = r->data[4];
	r->elf->elf_data = r->data[5];
	r->elf->type = xb_elf_u16(r, 16);
	r->elf->machine = xb_elf_u16(r, 18);
	r->elf->flags = xb_elf_u32(r, r->is_64 ? 48 : 36);
	return 0;
}

/*
 * A file may do without section headers, but when the header names them they must be there: linkers put them last, so
 * this is what tells a file that was cut off.
 */
static int read_section_table(struct elf_reader *r)
{
	uint64_t size = section_header_size(r), count = xb_elf_u16(r, r->is_64 ? 60 : 48);
	uint16_t found = xb_elf_u16(r, r->is_64 ? 58 : 46);

	r->shoff = xb_elf_word(r, r->is_64 ? 40 : 32);
	if (r->shoff == 0)
		return 0;
	if (found != size)
		return xb_elf_bad(r, "expected section headers of %" PRIu64 " bytes, found %u", size, found);
	if (xb_elf_range(r, "section header table", r->shoff, count ? count : 1, size) < 0)
		return r->err->code;
	/* gABI 4, "ELF Header": too many for e_shnum are counted in sh_size of the first header. */
	if (count == 0) {
		struct elf_section first;

		xb_elf_section(r, 0, &first);
		count = first.size;
	}
	if (count > XB_MAX_ELF_SECTIONS)
		return xb_elf_bad(r, "expected at most %d sections, found %" PRIu64, XB_MAX_ELF_SECTIONS, count);
	r->shnum = (size_t)count;
	return xb_elf_range(r, "section header table", r->shoff, count, size);
}

static int read_program_table(struct elf_reader *r)
{
	uint64_t size = r->is_64 ? 56 : 32, count = xb_elf_u16(r, r->is_64 ? 56 : 44);
	uint16_t found = xb_elf_u16(r, r->is_64 ? 54 : 42);

	r->phoff = xb_elf_word(r, r->is_64 ? 32 : 28);
	if (count == PN_XNUM) {
		struct elf_section first;

		if (r->shnum == 0)
			return xb_elf_bad(r, "the number of program headers stands in section 0, which is missing");
		xb_elf_section(r, 0, &first);
		count = first.info;
	}
	if (count == 0)
		return 0;
	if (found != size)
		return xb_elf_bad(r, "expected program headers of %" PRIu64 " bytes, found %u", size, found);
	if (count > XB_MAX_ELF_SEGMENTS)
		return xb_elf_bad(r, "expected at most %d program headers, found %" PRIu64, XB_MAX_ELF_SEGMENTS, count);
	r->phnum = (size_t)count;
	return xb_elf_range(r, "program header table", r->phoff, count, size);
}

static void get_segment(const struct elf_reader *r, size_t i, struct segment *out)
{
	uint64_t at = r->phoff + i * (r->is_64 ? 56 : 32);

	out->type = xb_elf_u32(r, at);
	out->flags = xb_elf_u32(r, at + (r->is_64 ? 4 : 24));
	out->offset = xb_elf_word(r, at + (r->is_64 ? 8 : 4));
	out->vaddr = xb_elf_word(r, at + (r->is_64 ? 16 : 8));
	out->filesz = xb_elf_word(r, at + (r->is_64 ? 32 : 16));
	out->memsz = xb_elf_word(r, at + (r->is_64 ? 40 : 20));
}

static int read_interpreter(struct elf_reader *r, const struct segment *s)
{
	const char *text;
	size_t len;

	if (r->elf->interpreter)
		return xb_elf_bad(r, "expected one interpreter, found two");
	if (xb_elf_range(r, "interpreter", s->offset, s->filesz, 1) < 0)
		return r->err->code;
	if (s->filesz < 2 || s->filesz > MAX_INTERPRETER_BYTES)
		return xb_elf_bad(r, "expected an interpreter of 2 to %d bytes, found %" PRIu64, MAX_INTERPRETER_BYTES,
				  s->filesz);
	text = (const char *)r->data + s->offset;
	len = strnlen(text, (size_t)s->filesz);
	if (len == s->filesz)
		return xb_elf_bad(r, "the path of the interpreter does not end");
	r->elf->interpreter = xb_arena_sv(&r->elf->arena, xb_sv_n(text, len));
	return 0;
}

static const char *hex_text(struct xb_arena *arena, const uint8_t *bytes, size_t n)
{
	char *text = xb_arena_alloc(arena, 2 * n + 1);

	xb_hex_encode(bytes, n, text);
	return text;
}

/* A head of three words, then name and description, each to a multiple of four (gABI 5, "Note Section"). No loader reads them. */
static void read_notes(struct elf_reader *r, const struct segment *s)
{
	const uint64_t end = s->offset + s->filesz;

	if (s->filesz > r->len || s->offset > r->len - s->filesz)
		return;
	for (uint64_t at = s->offset; !r->elf->build_id && at <= end && end - at >= 12;) {
		const uint64_t name = xb_elf_u32(r, at), desc = xb_elf_u32(r, at + 4);
		const uint64_t from = at + 12 + (name + 3) / 4 * 4;

		if (from > end || desc > end - from)
			return;
		if (xb_elf_u32(r, at + 8) == BUILD_ID && name == 4 && memcmp(r->data + at + 12, "GNU", 4) == 0 &&
		    desc > 0 && desc <= MAX_BUILD_ID)
			r->elf->build_id = hex_text(&r->elf->arena, r->data + from, desc);
		at = from + (desc + 3) / 4 * 4;
	}
}

static int read_load(struct elf_reader *r, size_t i, const struct segment *s)
{
	if (s->filesz == 0)
		return 0;
	if (xb_elf_range(r, "a loaded segment", s->offset, s->filesz, 1) < 0)
		return r->err->code;
	if (s->filesz > s->memsz)
		return xb_elf_bad(r,
				  "segment %zu has %" PRIu64 " bytes in the file, which is more than its %" PRIu64
				  " in memory",
				  i, s->filesz, s->memsz);
	r->loads[r->n_loads++] = (struct elf_load){.offset = s->offset, .vaddr = s->vaddr, .filesz = s->filesz};
	return 0;
}

static int read_segment(struct elf_reader *r, size_t i, const struct segment *s)
{
	switch (s->type) {
	case PT_LOAD:
		return read_load(r, i, s);
	case PT_INTERP:
		return read_interpreter(r, s);
	case PT_DYNAMIC:
		if (r->elf->is_dynamic)
			return xb_elf_bad(r, "expected one dynamic segment, found two");
		r->elf->is_dynamic = true;
		r->dyn_offset = s->offset;
		r->dyn_address = s->vaddr;
		r->dyn_size = s->filesz;
		return xb_elf_range(r, "dynamic segment", s->offset, s->filesz, 1);
	case PT_NOTE:
		read_notes(r, s);
		return 0;
	case PT_GNU_STACK:
		r->elf->exec_stack = (s->flags & PF_X) != 0;
		return 0;
	case PT_GNU_RELRO:
		r->elf->has_relro = true;
		return 0;
	default:
		return 0;
	}
}

static int read_file(struct elf_reader *r, enum xb_elf_flags flags)
{
	if (read_ident(r) < 0 || read_section_table(r) < 0 || read_program_table(r) < 0)
		return r->err->code;
	r->elf->exec_stack = true;
	r->loads = xb_arena_array(&r->elf->arena, r->phnum + 1, sizeof(*r->loads));
	for (size_t i = 0; i < r->phnum; i++) {
		struct segment segment;

		get_segment(r, i, &segment);
		if (read_segment(r, i, &segment) < 0)
			return r->err->code;
	}
	if (flags & XB_ELF_COMMENT)
		xb_elf_read_comment(r);
	if (r->elf->is_dynamic && (xb_elf_read_dynamic(r) < 0 || xb_elf_read_versions(r, flags) < 0))
		return r->err->code;
	if (r->elf->type == ET_DYN && r->elf->interpreter)
		r->elf->is_pie = true;
	return 0;
}

void xb_elf_free(struct xb_elf *elf)
{
	if (!elf)
		return;
	xb_arena_release(&elf->arena);
	free(elf);
}

int xb_elf_parse(const void *data, size_t len, const char *name, enum xb_elf_flags flags, struct xb_elf **out,
		 struct xb_err *err)
{
	struct elf_reader r = {.data = data, .len = len, .name = name, .err = err};

	if (len < 4 || memcmp(data, "\177ELF", 4) != 0)
		return 0;
	r.elf = xb_alloc(sizeof(*r.elf));
	if (read_file(&r, flags) < 0) {
		xb_elf_free(r.elf);
		return err->code;
	}
	*out = r.elf;
	return 1;
}

int xb_elf_read(const char *path, const char *name, enum xb_elf_flags flags, struct xb_elf **out, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char magic[4];
	int64_t got;
	void *data;
	int rc;

	if (fd < 0)
		return xb_fail_errno(err, "open '%s'", path);
	if (fstat(fd, &st) < 0)
		return xb_fail_errno(err, "inspect '%s'", path);
	if (!S_ISREG(st.st_mode))
		return xb_fail(err, XB_E_INPUT, "read '%s': expected a regular file", path);
	got = xb_fs_read_some(fd, magic, sizeof(magic), path, err);
	if (got < 0)
		return (int)got;
	if (got < 4 || memcmp(magic, "\177ELF", 4) != 0)
		return 0;
	/* Mapped, since only a few pages of a large program are looked at. */
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return xb_fail_errno(err, "map '%s'", path);
	rc = xb_elf_parse(data, (size_t)st.st_size, name, flags, out, err);
	munmap(data, (size_t)st.st_size);
	return rc;
}
