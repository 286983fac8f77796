/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to src/build/cc: a compiler's words, as far as they are known by heart: each is in a table, and what it makes the
 * compiler read and write is known. Words that look elsewhere, write a second file or depend on this machine are in no table.
 */
#ifndef XBUILD_BUILD_CC_WORDS_H
#define XBUILD_BUILD_CC_WORDS_H

#include "xbuild/build/compile.h"

struct cc_words {
	struct xb_dirs inputs; /* sources, objects and libraries, as named */
	struct xb_dirs search; /* where headers are looked for, in the order of the search: absolute, clean */
};

/*
 * False: there is a word that is not known, or that cannot be judged. cwd: absolute, without links. The result is in arena and
 * borrows from `words` (NULL at the end).
 */
bool cc_words_read(const char *const *words, const char *cwd, struct xb_arena *arena, struct cc_words *out);

#endif
