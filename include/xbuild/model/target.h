/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of targets: what each is called in every vocabulary, and what a binary for it must look like. Adding a
 * target is one row here plus its packages in sysroots/ (docs/adding-a-target.md). Rows are static and constant.
 */
#ifndef XBUILD_MODEL_TARGET_H
#define XBUILD_MODEL_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/sv.h"

/* Whose C library a program is linked with. */
enum xb_libc { XB_LIBC_GLIBC, XB_LIBC_MUSL };

struct xb_target {
	const char *name;	 /* canonical: "linux-aarch64" */
	bool is_default;	 /* a project that names no targets is built for it */
	enum xb_libc libc;	 /* of programs: musl ones are static-pie unless they need a shared library */
	const char *triple;	 /* clang --target: "aarch64-linux-gnu" */
	const char *multiarch;	 /* Debian's library directory: "aarch64-linux-gnu" */
	const char *gcc_triple;	 /* of Debian's GCC, usr/lib/gcc/<gcc_triple>: "aarch64-linux-gnu", "i686-linux-gnu" */
	const char *debian_arch; /* "arm64" */
	/* The first release that has the architecture, where XB_DEFAULT_DEBIAN has not: "trixie"; or NULL. */
	const char *debian_since;
	const char *apk_arch;	     /* "aarch64" */
	const char *rust_triple;     /* "aarch64-unknown-linux-gnu" */
	const char *oci_arch;	     /* GOARCH: "arm64" */
	const char *oci_variant;     /* OCI image-spec v1.1 image-index.md "platform variants": "v8", or NULL */
	const char *cmake_processor; /* CMAKE_SYSTEM_PROCESSOR: "aarch64" */
	const char *meson_cpu_family;
	const char *lld_emulation; /* ld.lld -m: "aarch64linux" */
	const char *interpreter;   /* PT_INTERP of a dynamic program: "/lib/ld-linux-aarch64.so.1" */
	const char *qemu;	   /* "qemu-aarch64": user-mode emulator, also with "-static" */
	uint8_t elf_class;	   /* ELFCLASS32 = 1, ELFCLASS64 = 2 */
	uint8_t elf_data;	   /* ELFDATA2LSB = 1, ELFDATA2MSB = 2 */
	uint16_t elf_machine;	   /* EM_X86_64 = 62, EM_AARCH64 = 183 */
	/* Of e_flags, the bits that tell ABIs of one machine apart, and what they must be; 0 in a file says nothing. */
	uint32_t elf_abi_mask, elf_abi;
	const char *cpu_option; /* how clang is told the CPU: "-mcpu=", "-march=" */
	const char
		*baseline[3]; /* clang's words for the oldest CPU, where its own choice differs from build to build */
	const char *lto_cpu;  /* what the code generator of a link takes for the oldest CPU: "generic" */
	const char *link_words[3]; /* that clang's driver gives to the linker for this machine, ends with NULL */
	bool no_static_pie;	   /* its glibc has no start file for -static-pie (rcrt1.o) */
	const char *aliases[8];	   /* further accepted spellings, ends with NULL: "arm64", "linux/arm64", ... */
};

const struct xb_target *xb_target_all(size_t *out_count);

/* True when files of these ELF properties can be part of a program for the target. */
bool xb_target_accepts(const struct xb_target *target, uint8_t elf_class, uint8_t elf_data, uint16_t machine,
		       uint32_t elf_flags);

/* By canonical name, alias or any of the row's vocabularies; NULL when unknown. */
const struct xb_target *xb_target_find(struct xb_sv name);

/* The canonical name closest to a misspelt one, or NULL. */
const char *xb_target_suggest(struct xb_sv name);

/* Hosts that xbuild can run on: the canonical names, ends with NULL. */
const char *const *xb_host_names(void);
/* The one of them that is `name`, or NULL. */
const char *xb_host_find(struct xb_sv name);
/* Debian architecture of a Linux host ("amd64"), or NULL for others. */
const char *xb_host_debian_arch(const char *host);
/* True when the host runs programs of the target by itself. */
bool xb_host_runs(const char *host, const struct xb_target *target);

#endif
