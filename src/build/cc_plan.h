/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to src/build/cc: what a compiler's driver would start, as it says under -### (clang, "-###": the commands, each on
 * a line that begins with a blank, words in quotes, with a backslash before '"', '\' and '$').
 */
#ifndef XBUILD_BUILD_CC_PLAN_H
#define XBUILD_BUILD_CC_PLAN_H

#include "xbuild/base/arena.h"
#include "xbuild/base/sv.h"

#include <stdbool.h>

/* A compile, or the link, which is the last one then. */
struct cc_step {
	const char **words; /* argv; ends with NULL */
	size_t n_words;
	size_t output; /* which word is the name of what it makes */
	bool is_link;
	bool is_part; /* what it makes is for the link, and has a name of a moment */
};

struct cc_plan {
	struct cc_step *steps;
	size_t n_steps;
	bool has_link;
};

/* False: not a text of a plan, or one with steps of another kind, or with a word of warning. In arena. */
bool cc_plan_read(struct xb_sv text, struct xb_arena *arena, struct cc_plan *out);

/* The compile whose part a word of the link names; NULL for another word. */
const struct cc_step *cc_plan_part(const struct cc_plan *plan, const char *word);

#endif
