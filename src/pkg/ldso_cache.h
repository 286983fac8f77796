/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of /etc/ld.so.cache, as ldconfig of glibc writes them in its new format alone: private to pkg/apk_image.
 *
 * Format: "glibc-ld.so.cache1.1", number of entries, length of the strings, then per library flags and the offsets of its
 *         name and its path, then the strings; glibc, sysdeps/generic/dl-cache.h. Little endian. The loader searches the
 *         entries by halves, so their order is the one of _dl_cache_libcmp, descending.
 */
#ifndef XB_PKG_LDSO_CACHE_H
#define XB_PKG_LDSO_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/str.h"

struct ldso_entry {
	const char *path; /* absolute; the name that is looked for is its last part */
	uint32_t flags;
};

/* ELF of glibc 2 for a machine (e_machine); false for one that apko has no flags for. */
bool ldso_flags(uint16_t machine, uint32_t *out);

/* "libc.so.6", "libz.so", "ld-linux.so.2": what ldconfig(8) looks at. *out_stem is what stands before ".so". */
bool ldso_is_library(struct xb_sv name, struct xb_sv *out_stem);

/* Sorts the entries, and appends the file. */
void ldso_cache_write(struct ldso_entry *entries, size_t len, struct xb_str *out);

#endif
