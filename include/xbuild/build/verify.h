/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was really built: reads an executable or shared library and compares it with what its target demands. Nothing is
 * run, so a program for any target can be checked on any host. docs/checks.md lists the checks with their messages.
 *
 * Guarantee: every check that applies is made, and all problems are reported at once; a file of another machine or format
 *            gets that one problem, since the rest would be noise. The order of problems depends on the file alone.
 * Lookup:    a needed library is first one of the project's own (by its soname), then a file below the sysroot in
 *            usr/lib/<multiarch>, lib/<multiarch>, usr/lib, lib: what Debian's loader searches, read by name.
 * Floor:     GLIBC versions are compared with `glibc_floor`. Without one the sysroot decides: each needed version must be
 *            defined by the library that the program was linked with, GLIBCXX and CXXABI included.
 * Threads:   no state; calls may run side by side.
 */
#ifndef XBUILD_BUILD_VERIFY_H
#define XBUILD_BUILD_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/target.h"

/* A shared library of the project, as another binary of it may need it. */
struct xb_verify_library {
	const char *soname;
	const char *path; /* absolute */
};

/* Everything is borrowed for the call. */
struct xb_verify_spec {
	const char *path; /* absolute path of the file */
	const char *name; /* for messages: "server" */
	const struct xb_target *target;
	bool is_shared;				   /* a shared library; else an executable */
	bool fixed_address;			   /* an executable whose unit asks for -no-pie: PIE is not demanded */
	const char *soname;			   /* expected DT_SONAME of a shared library; NULL: any */
	const char *sysroot;			   /* absolute path of the tree's root */
	const char *glibc_floor;		   /* "2.34"; NULL: the sysroot's own */
	const struct xb_verify_library *libraries; /* of the project, for this target */
	size_t n_libraries;
};

struct xb_verify_report {
	struct xb_arena arena; /* owns the strings */
	const char **problems; /* "expected ..., found ..." */
	size_t n_problems;
	/* "x86_64, GLIBC_2.34, PIE, RELRO, NX": architecture, the highest GLIBC, GLIBCXX and CXXABI needed, what holds. */
	const char *summary;
};
void xb_verify_report_release(struct xb_verify_report *report);

/*
 * 0 with a report, with or without problems; a malformed ELF file is a problem, not an error. XB_E_NOT_FOUND or
 * XB_E_SYSTEM when the file itself cannot be opened.
 */
int xb_verify_binary(const struct xb_verify_spec *spec, struct xb_verify_report *out, struct xb_err *err) XB_MUST_CHECK;

#endif
