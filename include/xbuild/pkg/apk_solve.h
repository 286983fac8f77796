/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which apk packages follow from a list of wishes: the rules of apko (chainguard-dev/apko, pkg/apk/apk/repo.go), so that what
 * apko locks is what is locked here. It is a greedy search and never goes back: the wish, then the dependency, with the fewest
 * candidates is taken first, the best candidate by a fixed order (src/pkg/apk_choose.c), and what conflicts with it is out.
 *
 * Other than apko, on purpose:
 *   - a second requirement on a provider that was chosen already is judged by its own operator, not by the "=" of the
 *     provider ("pc:freetype2>=9.7.3"), and by the version of that name alone;
 *   - the order is always that of the indexes, where apko iterates over hash tables: equal inputs give equal results;
 *   - a package that install_if would add is left out when a rule has excluded it;
 *   - a result in which a package lacks what it needs, or is beside what it excludes, is an error and never returned;
 *   - a wish "!name" is a conflict; a wish that cannot be read is an error, not a name.
 *
 * All architectures are resolved together: a version that one of them lacks is taken on none, and the result tells
 * where that made a difference.
 * As in apko, what install_if brings in does not bring in its own dependencies.
 *
 * Guarantee: the result is a function of indexes and wishes; dependencies stand before what needs them (but for cycles). Time
 *            and stack are bounded, whatever the indexes hold.
 * Sequence:  xb_apk_resolver_new once, xb_apk_resolver_run any number of times, xb_apk_resolver_free. The indexes must live
 *            longer than the resolver and its results.
 * Threads:   one resolver, one thread.
 */
#ifndef XBUILD_PKG_APK_SOLVE_H
#define XBUILD_PKG_APK_SOLVE_H

#include <stddef.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/pkg/apk_index.h"

/* The indexes of one architecture, in the order of the repositories. */
struct xb_apk_arch {
	const char *name; /* "x86_64" */
	const struct xb_apk_index *const *indexes;
	size_t n_indexes;
};

enum xb_apk_why {
	XB_APK_WISH,	   /* relation is the wish, by is NULL */
	XB_APK_DEPENDENCY, /* relation is one of by's depends */
	XB_APK_INSTALL_IF  /* by completed the conditions; relation is the one that by meets */
};

struct xb_apk_chosen {
	const struct xb_apk_package *package;
	enum xb_apk_why why;
	const char *relation;
	const struct xb_apk_package *by;
	const struct xb_apk_package *newer; /* a higher version that was not taken ... */
	const char *missing_on;		    /* ... because this architecture does not have it; both NULL otherwise */
};

/* What is to be installed on one architecture, in the order of installation; a name once. */
struct xb_apk_solution {
	const char *arch;
	struct xb_apk_chosen *items;
	size_t len;
};

struct xb_apk_resolver;

void xb_apk_resolver_new(const struct xb_apk_arch *archs, size_t n_archs, struct xb_apk_resolver **out);
void xb_apk_resolver_free(struct xb_apk_resolver *resolver); /* NULL-safe */

/*
 * Resolves `wishes` (pkg/apk_relation; order and repetition do not matter). *out gets one solution per architecture, in the
 * order of xb_apk_resolver_new, allocated in arena. XB_E_INPUT: a wish cannot be read, or nothing has that name (the hint
 * is the closest name). XB_E_UNSAT: it cannot be had; the message holds what needs it, from the wish on, and every candidate
 * with the reason why it was refused.
 */
int xb_apk_resolver_run(struct xb_apk_resolver *resolver, const struct xb_list *wishes, struct xb_arena *arena,
			struct xb_apk_solution **out, struct xb_err *err) XB_MUST_CHECK;

/*
 * Why a package of the solution is there, as one line: "musl-1.2.3-r4 is 'so:libc.musl-x86_64.so.1' of busybox-1.35.0-r29,
 * which is '/bin/sh' of alpine-baselayout-3.4.0-r0, which is wanted as 'alpine-base'". False when it holds no `name`.
 */
bool xb_apk_solution_why(const struct xb_apk_solution *solution, const char *name, struct xb_str *out);

#endif
