/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes one list of words in the text of a project file, and leaves every other byte as it is: comments, order, style of
 * the list (one line, one line per item, dashes), line ends, a missing newline at the end. A comment behind an item is that
 * item's and goes with it; a comment in a line of its own stays.
 *
 * Guarantee: the new text was read again and differs from the old one in that list alone; an edit for which this cannot
 *            be had, or that may lose a comment of what stays, is refused (XB_E_INPUT with the place, and the text to
 *            write by hand as the hint), and nothing is changed.
 * Threads:   no state.
 */
#ifndef XBUILD_MODEL_PROJECT_EDIT_H
#define XBUILD_MODEL_PROJECT_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/base/sv.h"

struct xb_project_edit {
	const char *const *path; /* keys down to the list, ends with NULL: {"sysroot", "packages", NULL} */
	const char *const *words;
	size_t n_words;
	bool remove; /* the words are in the list and are taken out; else they are not, and are put at its end */
};

/* `source` is a project file that was read without problems; `file` is its name for messages. Replaces out. */
int xb_project_edit(struct xb_sv source, const char *file, const struct xb_project_edit *edit, struct xb_str *out,
		    struct xb_err *err) XB_MUST_CHECK;

#endif
