/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of a compiler (build/wrapper) without what it does every time anew: its driver is asked once what it would start,
 * and every compile and the link are actions whose results the store keeps, as it keeps those of xbuild's own builds.
 *
 * Guarantee: what is written is byte for byte what the compiler itself writes, and the warnings are shown again. Where that is
 *            not known for certain nothing is done, and the compiler is to be started: a word that is in no table
 *            (src/build/cc_words.c), a variable that a compiler listens to, a plan with other steps than compiles and a link,
 *            an output that is no plain file.
 * Keys:      a step's name is that of a REAPI Action (store/reapi): its words as the driver made them, the directory, the
 *            variables, the digest of toolchain and sysroot, and every file outside of these two that it read, by path and
 *            content. Which those are is known from dependency records (store/action_cache), which also list the places where
 *            a header or library must not appear (build/shadow).
 * Not kept:  what took in the time of day (__TIMESTAMP__; __DATE__ and __TIME__ without SOURCE_DATE_EPOCH), what .incbin or
 *            __has_include names without writing it out, what changed while it was read, and failures.
 * Misses:    the linker is started with the compile and told its words when there is something to link: it loads meanwhile.
 * Threads:   one thread; several processes may do the same at once.
 */
#ifndef XBUILD_BUILD_CC_H
#define XBUILD_BUILD_CC_H

#include <stdbool.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/store/store.h"

struct xb_cc_call {
	struct xb_store *store;
	const char *compiler;	  /* absolute path of an executable of build/wrapper */
	const char *const *words; /* the caller's, without the compiler's name; ends with NULL */
	const char *const *trees; /* absolute paths of what never changes: toolchain and sysroot; ends with NULL */
	struct xb_digest tools;	  /* of both, and of what the wrapper puts in */
	const char *multiarch;	  /* name of the sysroot's architecture directory */
	bool color;		  /* messages are for a terminal */
	const volatile int *interrupted;
};

struct xb_cc_result {
	bool done;	    /* false: nothing was done, the compiler itself is to be started */
	int status;	    /* exit status, when done */
	struct xb_str text; /* what the tools said; release it */
};

/* Failure: XB_E_INTERRUPTED alone. Whatever else goes wrong is left to the compiler, which tells it in its own words. */
int xb_cc_run(const struct xb_cc_call *call, struct xb_cc_result *out, struct xb_err *err) XB_MUST_CHECK;

#endif
