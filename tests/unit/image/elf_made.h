/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small ELF64 files made by hand, with what the loader looks at and nothing else: interpreter, needed names, soname,
 * paths, versions needed and defined. gABI chapters 4 and 5, LSB Core 10.7.
 */
#ifndef XBUILD_TESTS_IMAGE_ELF_MADE_H
#define XBUILD_TESTS_IMAGE_ELF_MADE_H

#include "../store/fixture.h"
#include "xbuild/base/str.h"

struct made_elf {
	uint16_t machine; /* 0: EM_AARCH64 */
	const char *interpreter, *soname, *runpath, *rpath;
	const char *needed[4];
	const char *need_library, *need_version; /* one versioned need */
	const char *defines[3];
};

struct elf_writer {
	struct xb_str out, strings;
};

static inline void le(struct xb_str *out, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		xb_str_append_char(out, (char)(value >> (8 * i)));
}

static inline uint64_t name_at(struct elf_writer *w, const char *text)
{
	const size_t at = w->strings.len;

	xb_str_append_n(&w->strings, text, strlen(text) + 1);
	return at;
}

static inline uint32_t elf_hash(const char *name)
{
	uint32_t h = 0;

	for (; *name; name++) {
		h = (h << 4) + (unsigned char)*name;
		h = (h ^ ((h & 0xf0000000) >> 24)) & 0x0fffffff;
	}
	return h;
}

static inline void pad_to(struct xb_str *out, size_t at)
{
	while (out->len < at)
		xb_str_append_char(out, '\0');
}

static inline void segment(struct xb_str *out, uint32_t type, uint64_t at, uint64_t size)
{
	le(out, type, 4);
	le(out, 5, 4);
	for (int i = 0; i < 3; i++)
		le(out, at, 8);
	le(out, size, 8);
	le(out, size, 8);
	le(out, 8, 8);
}

/* Sections of the file by fixed offsets; the file is one segment loaded at 0. */
enum {
	AT_INTERPRETER = 256,
	AT_VERNEED = 512,
	AT_VERDEF = 640,
	AT_DYNAMIC = 1024,
	AT_STRINGS = 2048,
	MADE_BYTES = 4096
};

static inline void made_versions(struct elf_writer *w, const struct made_elf *e, size_t *n_defs)
{
	pad_to(&w->out, AT_VERNEED);
	if (e->need_library) {
		le(&w->out, 1, 2);
		le(&w->out, 1, 2);
		le(&w->out, name_at(w, e->need_library), 4);
		le(&w->out, 16, 4);
		le(&w->out, 0, 4);
		le(&w->out, elf_hash(e->need_version), 4);
		le(&w->out, 0, 2);
		le(&w->out, 9, 2);
		le(&w->out, name_at(w, e->need_version), 4);
		le(&w->out, 0, 4);
	}
	pad_to(&w->out, AT_VERDEF);
	for (*n_defs = 0; *n_defs < XB_COUNT(e->defines) && e->defines[*n_defs]; ++*n_defs)
		;
	for (size_t i = 0; i < *n_defs; i++) {
		le(&w->out, 1, 2);
		le(&w->out, 0, 2);
		le(&w->out, i + 2, 2);
		le(&w->out, 1, 2);
		le(&w->out, elf_hash(e->defines[i]), 4);
		le(&w->out, 20, 4);
		le(&w->out, i + 1 < *n_defs ? 28 : 0, 4);
		le(&w->out, name_at(w, e->defines[i]), 4);
		le(&w->out, 0, 4);
	}
}

static inline void dynamic(struct xb_str *out, uint64_t tag, uint64_t value)
{
	le(out, tag, 8);
	le(out, value, 8);
}

static inline void made_dynamic(struct elf_writer *w, const struct made_elf *e, size_t n_defs)
{
	pad_to(&w->out, AT_DYNAMIC);
	for (size_t i = 0; i < XB_COUNT(e->needed) && e->needed[i]; i++)
		dynamic(&w->out, 1, name_at(w, e->needed[i]));
	if (e->soname)
		dynamic(&w->out, 14, name_at(w, e->soname));
	if (e->rpath)
		dynamic(&w->out, 15, name_at(w, e->rpath));
	if (e->runpath)
		dynamic(&w->out, 29, name_at(w, e->runpath));
	dynamic(&w->out, 5, AT_STRINGS);
	dynamic(&w->out, 10, MADE_BYTES - AT_STRINGS);
	if (e->need_library) {
		dynamic(&w->out, 0x6ffffffe, AT_VERNEED);
		dynamic(&w->out, 0x6fffffff, 1);
	}
	if (n_defs) {
		dynamic(&w->out, 0x6ffffffc, AT_VERDEF);
		dynamic(&w->out, 0x6ffffffd, n_defs);
	}
	dynamic(&w->out, 0, 0);
}

/* Writes the file to `path`. */
static inline void make_elf(const char *path, const struct made_elf *e)
{
	static const char ident[16] = "\177ELF\2\1\1";
	struct elf_writer w = {0};
	struct xb_err err = {0};
	size_t n_defs;

	xb_str_append_char(&w.strings, '\0');
	xb_str_append_n(&w.out, ident, sizeof(ident));
	le(&w.out, 3, 2);
	le(&w.out, e->machine ? e->machine : 183, 2);
	le(&w.out, 1, 4);
	le(&w.out, 0, 8);
	le(&w.out, 64, 8);
	le(&w.out, 0, 8);
	le(&w.out, 0, 4);
	le(&w.out, 64, 2);
	le(&w.out, 56, 2);
	le(&w.out, e->interpreter ? 3 : 2, 2);
	le(&w.out, 64, 2);
	le(&w.out, 0, 4);
	segment(&w.out, 1, 0, MADE_BYTES);
	segment(&w.out, 2, AT_DYNAMIC, AT_STRINGS - AT_DYNAMIC);
	if (e->interpreter)
		segment(&w.out, 3, AT_INTERPRETER, strlen(e->interpreter) + 1);
	pad_to(&w.out, AT_INTERPRETER);
	if (e->interpreter)
		xb_str_append(&w.out, e->interpreter);
	made_versions(&w, e, &n_defs);
	made_dynamic(&w, e, n_defs);
	pad_to(&w.out, AT_STRINGS);
	xb_str_append_n(&w.out, w.strings.data, w.strings.len);
	pad_to(&w.out, MADE_BYTES);
	assert_ok(xb_atomic_file_write(path, w.out.data, w.out.len, 0644, 0, &err), &err);
	xb_str_release(&w.out);
	xb_str_release(&w.strings);
}

#endif
