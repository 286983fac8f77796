/* SPDX-License-Identifier: Apache-2.0 */
/* The project's own shared libraries, where the programs under test find them. */
#ifndef XBUILD_SRC_APP_TEST_LIBRARIES_H
#define XBUILD_SRC_APP_TEST_LIBRARIES_H

#include "xbuild/app/op_build.h"
#include "xbuild/build/verify.h"

/* Of what another build system made the names tell; a version behind the .so is part of the soname or follows it. */
bool test_is_library(const struct xb_built *item);
const char *test_soname(const struct xb_unit *unit);

/* The shared libraries that were built for `target`. Array in arena; its texts are those of `build`. */
struct xb_verify_library *test_libraries(struct xb_arena *arena, const struct xb_build_result *build,
					 const struct xb_target *target, size_t *out_n);
/*
 * A library lies in the output directory by its file name and is looked for by its soname. Makes `dir`, in which links
 * know it by both (the former for dlopen).
 */
int test_libraries_lay_out(const struct xb_verify_library *libraries, size_t n, const char *dir,
			   struct xb_err *err) XB_MUST_CHECK;

#endif
