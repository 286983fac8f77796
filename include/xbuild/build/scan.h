/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of files in the text of a source that no list of the compiler has: what the assembler reads by itself, and what
 * the preprocessor looked for and may not have found.
 *
 * Both look at the text as it stands: what a comment names is taken along, which costs a look at the disk and no more.
 */
#ifndef XBUILD_BUILD_SCAN_H
#define XBUILD_BUILD_SCAN_H

#include "xbuild/build/compile.h"

/*
 * Appends the names after `directive` (".incbin", ".include", in any case) in an assembler source, or in a C source that
 * carries such text in strings. False when a name is not written out there (a macro): then what is read cannot be told.
 */
bool xb_scan_assembler(struct xb_sv text, const char *directive, struct xb_arena *arena, struct xb_dirs *out);

/*
 * Appends, each once, the names that #if and #elif lines put in parentheses, as in __has_include(<a.h>), __has_embed("b") or
 * a macro that stands for them. False when __has_include or __has_embed itself is given a name that is not written out.
 */
bool xb_scan_conditions(struct xb_sv text, struct xb_arena *arena, struct xb_dirs *out);

/*
 * Appends, each once, what a script of the linker may name without a directory (GNU ld manual, "File Commands": INPUT, GROUP,
 * AS_NEEDED): words "-l<name>" as they are, and those with a dot in them. They are looked for in every directory of -L.
 */
void xb_scan_link_script(struct xb_sv text, struct xb_arena *arena, struct xb_dirs *out);

#endif
