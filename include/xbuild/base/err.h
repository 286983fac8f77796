/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error value.
 *
 * Purpose:   one way to say what failed. A function that can fail returns 0 or a negative enum xb_code and takes
 *            `struct xb_err *err` as its last parameter, never NULL. On success err is untouched; on failure it is set
 *            exactly once by the function that noticed, and callers on the way up may only add the noun they know.
 * Sequence:  struct xb_err err XB_CLEANUP(xb_err_release) = {0};
 *            if (xb_digest_fd(fd, &got, &err) < 0)
 *                    return xb_wrap(&err, "hash '%s'", name);
 * Failure:   none of these functions can fail; out of memory aborts (base/alloc).
 * Threads:   a value belongs to one thread at a time.
 */
#ifndef XBUILD_BASE_ERR_H
#define XBUILD_BASE_ERR_H

#include "xbuild/base/attr.h"

/* Few codes, because callers branch on them. The exit status of the program is derived from them in src/cli/main.c. */
enum xb_code {
	XB_OK = 0,
	XB_E_USAGE = -1,       /* the command line is wrong */
	XB_E_INPUT = -2,       /* the project file or another file of the user is wrong */
	XB_E_NOT_FOUND = -3,   /* something named does not exist (a file, a URL: HTTP 404) */
	XB_E_LOCK = -4,	       /* the lock is missing, stale, or may not be changed */
	XB_E_DIGEST = -5,      /* bytes are not those that were named */
	XB_E_SIGNATURE = -6,   /* a signature is missing, wrong, expired, or by an unknown key */
	XB_E_VERIFY = -7,      /* what was built or received breaks a rule that protects the user */
	XB_E_NETWORK = -8,     /* the network or a server failed; trying again may help */
	XB_E_SYSTEM = -9,      /* the operating system refused (disk full, permission, ...) */
	XB_E_UNSAT = -10,      /* package dependencies have no solution */
	XB_E_JOB = -11,	       /* a compile, link or test step failed; its output was shown */
	XB_E_INTERRUPTED = -12 /* SIGINT or SIGTERM */
};

/* All-zero means "no error". Strings are owned by the value. */
struct xb_err {
	enum xb_code code;
	char *msg;  /* one line without a final period: what was attempted on which object, expected and found */
	char *hint; /* the next step for the user, or NULL */
};

void xb_err_release(struct xb_err *err);

/* Forgets an error that was handled: the value is all-zero again. */
void xb_err_clear(struct xb_err *err);

/* Moves src into dst (dst must be clear); src is clear afterwards. */
void xb_err_move(struct xb_err *dst, struct xb_err *src);

/* Sets err and returns code, so that the failing expression is the return statement. Asserts that err is clear. */
int xb_fail(struct xb_err *err, enum xb_code code, const char *fmt, ...) XB_PRINTF(3, 4);

/* Like xb_fail with XB_E_SYSTEM; ": <text of errno>" is appended. ENOENT becomes XB_E_NOT_FOUND. */
int xb_fail_errno(struct xb_err *err, const char *fmt, ...) XB_PRINTF(2, 3);

/* Prefixes the message with "<text>: " and returns the code that err already has. */
int xb_wrap(struct xb_err *err, const char *fmt, ...) XB_PRINTF(2, 3);

/* Adds the next step for the user, unless a deeper layer already gave one. Returns the code that err has. */
int xb_hint(struct xb_err *err, const char *fmt, ...) XB_PRINTF(2, 3);

/* Like xb_hint, in the place of what a deeper layer gave: for who knows better what the user wanted. */
int xb_hint_instead(struct xb_err *err, const char *fmt, ...) XB_PRINTF(2, 3);

#endif
