/* SPDX-License-Identifier: Apache-2.0 */
#include "cc_plan.h"

#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"

#define MAX_STEPS 256

/* Lines that say nothing of the commands. */
static const char *const headers[] = {
	"Target: ", "Thread model: ", "InstalledDir: ", "Build config: ", " (in-process)"};

static bool is_header(struct xb_sv line)
{
	for (size_t i = 0; i < XB_COUNT(headers); i++)
		if (xb_sv_starts(line, headers[i]))
			return true;
	return !line.len || (memmem(line.ptr, line.len, "clang version ", 14) && !memmem(line.ptr, line.len, ": ", 2));
}

/* The word in quotes at *rest, which goes on behind it and its blank. NULL: there is none. */
static const char *cut_word(struct xb_sv *rest, struct xb_arena *arena)
{
	struct xb_str word XB_CLEANUP(xb_str_release) = {0};
	size_t i = 1;

	if (!rest->len || *rest->ptr != '"')
		return NULL;
	for (; i < rest->len && rest->ptr[i] != '"'; i++) {
		if (rest->ptr[i] == '\\' && ++i == rest->len)
			return NULL;
		xb_str_append_char(&word, rest->ptr[i]);
	}
	if (i == rest->len)
		return NULL;
	i += i + 1 < rest->len && rest->ptr[i + 1] == ' ' ? 2 : 1;
	*rest = xb_sv_n(rest->ptr + i, rest->len - i);
	return xb_arena_strdup(arena, xb_str_get(&word));
}

static bool read_step(struct xb_sv line, struct xb_arena *arena, struct cc_step *out)
{
	size_t outputs = 0, most = 2;

	for (size_t i = 0; i < line.len; i++)
		most += line.ptr[i] == ' ';
	out->words = xb_arena_array(arena, most, sizeof(*out->words));
	while (line.len && out->n_words + 1 < most) {
		const char *word = cut_word(&line, arena);

		if (!word)
			return false;
		out->words[out->n_words++] = word;
	}
	if (line.len || out->n_words < 3)
		return false;
	for (size_t i = 1; i + 1 < out->n_words; i++) {
		if (!strcmp(out->words[i], "-o")) {
			out->output = i + 1;
			outputs++;
		}
	}
	out->is_link = xb_sv_ends(xb_sv(out->words[0]), "-ld.lld");
	return outputs == 1 && (out->is_link || !strcmp(out->words[1], "-cc1"));
}

/* Every part must be a word of the link, or its compile an end in itself. */
static bool join(struct cc_plan *plan)
{
	const struct cc_step *link = &plan->steps[plan->n_steps - 1];

	for (size_t i = 0; i < plan->n_steps; i++) {
		struct cc_step *step = &plan->steps[i];

		if (step->is_link)
			return i + 1 == plan->n_steps && (plan->has_link = true);
		for (size_t k = 1; link->is_link && k < link->n_words; k++)
			step->is_part = step->is_part || !strcmp(link->words[k], step->words[step->output]);
		if (link->is_link && (!step->is_part || *step->words[step->output] != '/'))
			return false;
	}
	return true;
}

bool cc_plan_read(struct xb_sv text, struct xb_arena *arena, struct cc_plan *out)
{
	*out = (struct cc_plan){.steps = xb_arena_array(arena, MAX_STEPS, sizeof(*out->steps))};
	while (text.ptr && out->n_steps < MAX_STEPS) {
		struct xb_sv line = xb_sv_cut(&text, '\n');

		if (is_header(line))
			continue;
		if (!xb_sv_starts(line, " \"") ||
		    !read_step(xb_sv_n(line.ptr + 1, line.len - 1), arena, &out->steps[out->n_steps++]))
			return false;
	}
	return out->n_steps && !text.ptr && join(out);
}

const struct cc_step *cc_plan_part(const struct cc_plan *plan, const char *word)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].is_part && !strcmp(word, plan->steps[i].words[plan->steps[i].output]))
			return &plan->steps[i];
	return NULL;
}
