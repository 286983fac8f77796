/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ELF file, typed: what a loader would see of an executable or shared library. Own reader: every offset, size and
 * count is checked against the file before it is used, for both classes and both byte orders.
 *
 * Source:  System V gABI chapters 4 and 5 ("ELF Header", "Dynamic Section", "Note Section"); GNU symbol versioning as in the
 *          LSB Core Specification 10.7 (verneed, verdef, versym).
 * Failure: XB_E_INPUT naming the file and what does not fit. A file without dynamic section is fine (static).
 */
#ifndef XBUILD_MODEL_ELF_H
#define XBUILD_MODEL_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"

/* A version that is needed from a library ("GLIBC_2.34" of libc.so.6) and one symbol that asks for it. */
struct xb_elf_need {
	const char *library;
	const char *version;
	const char *symbol; /* the first in name order, or "" when only the version record exists */
	bool weak;	    /* VER_FLG_WEAK: may be missing at run time */
};

struct xb_elf {
	struct xb_arena arena;
	uint8_t elf_class, elf_data;
	uint16_t machine;
	uint32_t flags;		     /* e_flags: of some machines, the ABI (xb_target_accepts) */
	uint16_t type;		     /* ET_EXEC 2, ET_DYN 3, ET_REL 1 */
	const char *interpreter;     /* PT_INTERP or NULL */
	const char *build_id;	     /* NT_GNU_BUILD_ID in hex, or NULL */
	const char *soname;	     /* or NULL */
	const char *rpath, *runpath; /* or NULL */
	const char **needed;	     /* DT_NEEDED in order */
	size_t n_needed;
	struct xb_elf_need *needs; /* sorted by library, then version number */
	size_t n_needs;
	const char **defs; /* versions that it defines (verdef), sorted */
	size_t n_defs;
	const char **exports; /* defined dynamic symbols, "name" or "name@VERSION", sorted; only when asked for */
	size_t n_exports;
	const char
		*comment; /* strings of .comment (who compiled it), each with a newline, or NULL; only when asked for */
	bool is_dynamic;  /* has PT_DYNAMIC */
	bool is_pie;	  /* ET_DYN with an interpreter or DF_1_PIE */
	bool has_relro;	  /* PT_GNU_RELRO */
	bool bind_now;	  /* DF_BIND_NOW, DF_1_NOW or DT_BIND_NOW */
	bool has_plt;	  /* DT_JMPREL: functions that may be bound at their first call */
	bool exec_stack;  /* PT_GNU_STACK missing or executable */
	bool text_relocations; /* DT_TEXTREL */
};

enum xb_elf_flags { XB_ELF_EXPORTS = 1, XB_ELF_COMMENT = 2 };

void xb_elf_free(struct xb_elf *elf); /* NULL-safe */
/* 1: read; 0: the file is no ELF file (wrong magic); negative: error. `name` is for messages. */
int xb_elf_read(const char *path, const char *name, enum xb_elf_flags flags, struct xb_elf **out,
		struct xb_err *err) XB_MUST_CHECK;
/* The same from memory (fuzzing, archives). */
int xb_elf_parse(const void *data, size_t len, const char *name, enum xb_elf_flags flags, struct xb_elf **out,
		 struct xb_err *err) XB_MUST_CHECK;

/*
 * "GLIBC_2.34" > "GLIBC_2.4": splits at the last '_' and compares numbers. False when the prefixes differ or a tail is no
 * dotted number (GLIBC_PRIVATE); *out is -1, 0, 1.
 */
bool xb_elf_version_compare(const char *a, const char *b, int *out);

#endif
