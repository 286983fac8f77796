/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What apk packages say about each other, and a user about packages (apk-world(5); chainguard-dev/apko,
 * pkg/apk/apk/version.go, ResolvePackageNameVersionPin):
 *
 *     [!]NAME[OP VERSION][@TAG]      OP: = > < >= <= ~ =~
 *
 * "!" is a conflict; "@TAG" asks for the repository of that tag. Names may be anything without "@=<>~": "so:libc.so.6",
 * "cmd:bash", "/bin/sh". The same form says what a package provides: without a version it is a virtual name that several
 * installed packages may have, with one it is exclusive.
 *
 * Trap: for "so:" names a version behind "=" that does not end in "-r" and digits counts as "0.VERSION", so that those
 * that are package versions are higher (chainguard-dev/melange 1871).
 */
#ifndef XBUILD_PKG_APK_RELATION_H
#define XBUILD_PKG_APK_RELATION_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/pkg/apk_version.h"

/* Small, because an index has millions. The parts are offsets into text. */
struct xb_apk_relation {
	const char *text; /* as written, with "!"; NUL-terminated, borrowed */
	uint32_t name_len;
	uint32_t version_at, version_len; /* version_len 0: none */
	uint32_t tag_at;		  /* to the end of text; 0: none */
	uint8_t op; /* enum xb_apk_op; XB_APK_ANY with a version: an operator that apko does not know */
	bool conflict;
	bool zero_first;  /* the trap above */
	bool well_formed; /* false: the whole text is the name, and nobody has it */
};

/* Parses a NUL-terminated text, which must outlive *out. Never fails: see well_formed. */
void xb_apk_relation_parse(const char *text, struct xb_apk_relation *out);

struct xb_sv xb_apk_relation_name(const struct xb_apk_relation *r);
const char *xb_apk_relation_tag(const struct xb_apk_relation *r); /* "" when there is none */
/* The version that it asks for or gives; not valid when there is none or it is not one. */
void xb_apk_relation_version(const struct xb_apk_relation *r, struct xb_apk_version *out);

#endif
