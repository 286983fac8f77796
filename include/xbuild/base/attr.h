/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiler attributes that the project relies on: the three extensions to C17 that gcc and clang share.
 *
 * XB_CLEANUP(fn)  run fn(&variable) when the variable leaves its scope. fn must accept an all-zero object.
 * XB_PRINTF(f, a) argument f is a printf format, a its first argument: the compiler checks both.
 * XB_MUST_CHECK   ignoring the result is a compile error.
 */
#ifndef XBUILD_BASE_ATTR_H
#define XBUILD_BASE_ATTR_H

#define XB_CLEANUP(fn)	__attribute__((cleanup(fn)))
#define XB_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define XB_MUST_CHECK	__attribute__((warn_unused_result))
#define XB_NORETURN	__attribute__((noreturn))

/* Number of elements of an array (never of a pointer). */
#define XB_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
