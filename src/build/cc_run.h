/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/build/cc: what its parts share. cc_kept.c asks the store and tells it, cc_reads.c knows what a step has read. */
#ifndef XBUILD_BUILD_CC_RUN_H
#define XBUILD_BUILD_CC_RUN_H

#include "cc_plan.h"
#include "cc_words.h"

#include "xbuild/base/map.h"
#include "xbuild/build/cc.h"
#include "xbuild/store/reapi.h"

/* What became of one step. */
struct cc_done {
	bool known; /* the store has its result */
	bool failed;
	struct xb_reapi_digest result;
	struct xb_sv text;  /* what it said, in the arena */
	const char *object; /* of a part: the name by which the linker finds it */
	/* of one that was run */
	char *made, *depfile; /* temporary files, owned */
	int64_t started_ns;
};

struct cc {
	const struct xb_cc_call *call;
	struct xb_arena arena;
	struct cc_words words;
	struct cc_plan plan;
	struct cc_done *done;	/* by the index of the step */
	const char *cwd;	/* absolute, without links */
	const char *const *env; /* all variables of what is started; ends with NULL */
	bool dates_told;	/* SOURCE_DATE_EPOCH is among them */
	struct xb_map seen; /* absolute path -> struct xb_reapi_digest, of what was read before a step was started */
};

/* What a step has read and where it looked in vain. */
struct cc_reads {
	struct xb_dirs files;  /* absolute paths as the tool named them; none of the trees, none of the parts */
	struct xb_dirs absent; /* "!path", without the first slash */
	bool told;	       /* false: not all of it can be known, and the result must not be kept */
};
void cc_reads_compile(struct cc *cc, const struct cc_done *done, struct cc_reads *out);
void cc_reads_link(struct cc *cc, const struct cc_done *done, struct cc_reads *out);

/* Content of a file as it was when it was first asked for; NULL: it cannot be read. */
const struct xb_reapi_digest *cc_see(struct cc *cc, const char *path);

/* The absolute form of a name, as the kernel would understand it. In the arena. */
const char *cc_absolute(struct cc *cc, const char *path);

/* The text that the driver says under -###, kept or asked for now. False: it fails. */
bool cc_kept_plan(struct cc *cc, struct xb_sv *out);
void cc_keep_plan(struct cc *cc, struct xb_sv text);

/* Sets done[step] from the store, when it has the result and the result is whole. Parts of a link must be known. */
bool cc_kept(struct cc *cc, size_t step);
/* Remembers done[step], unless something that it has read may have changed meanwhile. */
void cc_keep(struct cc *cc, size_t step, struct cc_reads *reads);

#endif
