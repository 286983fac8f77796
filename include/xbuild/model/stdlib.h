/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which C++ library is used where. `cxx: { stdlib: libc++ }` may stand in a unit, in a target, in a profile and in what a unit says
 * for one of these; as for every setting, the block that is read last decides. What a sysroot needs follows from all of them.
 *
 * Failure: none. Threads: any.
 */
#ifndef XBUILD_MODEL_STDLIB_H
#define XBUILD_MODEL_STDLIB_H

#include "xbuild/model/project.h"

/* `unit` and `profile` may be NULL: what the target alone says, for compilers that belong to no unit. */
bool xb_stdlib_is_libcxx(const struct xb_unit *unit, const struct xb_project_target *target,
			 const struct xb_profile *profile);
/* The same walk: does anything ask for the C++ library inside of what is linked? */
bool xb_stdlib_is_static(const struct xb_unit *unit, const struct xb_project_target *target,
			 const struct xb_profile *profile);

/* Does anything that may be built for this target use libc++, in any profile? Then its sysroot has it. */
bool xb_stdlib_needs_libcxx(const struct xb_project *project, const struct xb_project_target *target);

#endif
