/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tool's output says it could not find: headers (clang, gcc, Meson, autoconf), libraries (lld, ld, Meson,
 * autoconf), pkg-config modules (our reader, pkg-config, CMake, Meson, autoconf), packages that CMake's find_package
 * does not find.
 *
 * Guarantee: names are such as a file of that kind may have, relative and without "..": they can be looked up, shown and
 *            compared. A check of configure that came out "no" is told only when configure then gave up.
 * Threads:   no state.
 */
#ifndef XBUILD_BUILD_MISSING_H
#define XBUILD_BUILD_MISSING_H

#include "xbuild/base/arena.h"
#include "xbuild/base/sv.h"
#include "xbuild/base/vec.h"

enum xb_missing_kind {
	XB_MISSING_HEADER,  /* "openssl/ssl.h" */
	XB_MISSING_LIBRARY, /* "ssl", of -lssl */
	XB_MISSING_MODULE,  /* "libcurl", of libcurl.pc; Meson's dependency() means any of the next kind too */
	XB_MISSING_PACKAGE  /* "ZLIB", of find_package(ZLIB) */
};

struct xb_missing {
	enum xb_missing_kind kind;
	const char *name;
	const char *file; /* as the tool has it, or NULL */
	int line, col;	  /* 0: unknown */
};

struct xb_missing_list {
	XB_VEC(struct xb_missing) list; /* XB_VEC_RELEASE it; strings are the arena's */
};

/* Adds what `text` (without ANSI sequences) tells and the list does not have yet, at most XB_MAX_DIAGS in all. */
void xb_missing_scan(struct xb_sv text, struct xb_arena *arena, struct xb_missing_list *out);

#endif
