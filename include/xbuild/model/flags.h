/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which compiler and linker words a project file may hold.
 *
 * A project file comes with foreign source; building it must not load foreign code into the compiler, read options from
 * other files, write outside of the build directory, or take headers and libraries from the host. The words are handed
 * to clang as they are, so each is looked at here, by one table with a reason per entry.
 *
 * Guarantee: a word that passes is complete in itself: options whose value stands in the next word are refused, so no
 *            word changes what its neighbours mean.
 */
#ifndef XBUILD_MODEL_FLAGS_H
#define XBUILD_MODEL_FLAGS_H

#include <stdbool.h>

#include "xbuild/base/sv.h"

/* Why the word may not be used in `flags` (or, with linker set, in `ldflags`); NULL when it may. Static text. */
const char *xb_flag_refused(struct xb_sv word, bool linker);

#endif
