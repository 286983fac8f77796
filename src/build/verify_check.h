/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the verifier share: one check in progress. */
#ifndef XBUILD_SRC_BUILD_VERIFY_CHECK_H
#define XBUILD_SRC_BUILD_VERIFY_CHECK_H

#include "xbuild/base/attr.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/verify.h"
#include "xbuild/model/elf.h"

/* Families of symbol versions that the summary tells. */
enum { XB_FAMILY_GLIBC, XB_FAMILY_GLIBCXX, XB_FAMILY_CXXABI, XB_FAMILY_COUNT };

struct xb_check {
	const struct xb_verify_spec *spec;
	struct xb_verify_report *report;
	struct xb_elf *elf;				    /* owned */
	XB_VEC(const char *) problems;			    /* texts in report->arena */
	const struct xb_elf_need *highest[XB_FAMILY_COUNT]; /* borrowed from elf; NULL: none needed */
};

void xb_verify_problem(struct xb_check *check, const char *fmt, ...) XB_PRINTF(2, 3);

/* verify_libs.c: needed libraries are there, for this machine, and define the versions. */
void xb_verify_libraries(struct xb_check *check);
/* Sets check->highest; nothing is newer than the declared glibc. */
void xb_verify_floor(struct xb_check *check);
/* RPATH and RUNPATH stay below the directory of the file. */
void xb_verify_run_paths(struct xb_check *check);

#endif
