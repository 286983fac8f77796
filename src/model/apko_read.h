/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one apko.yaml: private to model/apko*. */
#ifndef XB_MODEL_APKO_READ_H
#define XB_MODEL_APKO_READ_H

#include "schema.h"
#include "xbuild/model/apko.h"

/* Fills what the file itself says; s->arena is that of apko. */
void apko_read(struct schema *s, const struct xb_yaml *root, struct xb_apko *apko);

/*
 * Splits a command into words as the shell lexer of apko does (github.com/google/shlex): blanks separate, '...' is
 * literal, a backslash takes the next character literally, outside of quotes and in "...", and # at the start of a word
 * begins a comment. Nothing is expanded. False: a quote is not closed, or the text ends in a backslash.
 */
bool apko_split(struct xb_arena *arena, struct xb_sv text, struct xb_words *out);

#endif
