/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the apk resolver share: apk_pool.c (tables), apk_solve.c (wishes, result), apk_choose.c (candidates: which
 * are left, which is best, which are out), apk_walk.c (dependencies), apk_check.c (the result) and
 * apk_refuse.c (messages). Names are numbers here, packages
 * too: their place in `packages`. Id 0 is no name.
 *
 * The state of a run is stamped with the number of the run, so that the next one begins without clearing anything.
 */
#ifndef XBUILD_PKG_APK_POOL_H
#define XBUILD_PKG_APK_POOL_H

#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"
#include "xbuild/pkg/apk_solve.h"

#define APK_NONE UINT32_MAX /* no package */

/* A part of one of the pool's lists. */
struct apk_span {
	uint32_t at, len;
};

/* What the pool knows of a package beside its record. */
struct apk_facts {
	uint32_t name, origin; /* ids; origin 0: none */
	uint32_t exact;	       /* id of "name=version" where some install_if says that, else 0 */
	uint32_t depends_at;   /* first of its depends in ids_of; then its provides, then its install_if */
	uint32_t provides_at, install_if_at;
	const char *missing_on; /* an architecture that lacks it; NULL: all have it */
};

/* Why a package is out of this run. */
enum apk_refusal { APK_EXCLUDED, APK_VERSION, APK_CONFLICT };
struct apk_out {
	uint32_t run;
	enum apk_refusal kind;
	uint32_t who;				/* package that said so; APK_NONE: a wish did */
	const struct xb_apk_relation *relation; /* what was said; of APK_CONFLICT: what `who` provides */
};

/* A package that holds in the run (or the wish) `run`. */
struct apk_mark {
	uint32_t run, package;
};

struct apk_reason {
	uint32_t run;
	enum xb_apk_why why;
	const char *relation;
	uint32_t by;
};

/* What is asked for: a wish or a dependency. */
struct apk_request {
	const struct xb_apk_relation *relation;
	uint32_t name;
	struct xb_apk_version version;
	const char *prefer_tag; /* "" for none; also what the best one should have */
	const char *allow_tag;
	uint32_t installed; /* package that may be of any tag; APK_NONE */
};

struct apk_pool {
	const char *arch;
	struct xb_map ids; /* name, origin, text of an install_if -> id */
	const struct xb_apk_package **packages;
	struct apk_facts *facts;
	uint32_t n_packages;
	XB_VEC(uint32_t) ids_of;    /* names of all relations of all packages */
	struct apk_span *providers; /* by id: those named so, then those that provide it, in provider_list */
	struct apk_span
		*conditions; /* by id of an install_if as written: the packages that have it, in condition_list */
	uint32_t *provider_list, *condition_list;

	/* of the run */
	uint32_t run;		    /* its number */
	uint64_t steps;		    /* that are left */
	struct apk_out *out;	    /* by package */
	struct apk_reason *reason;  /* by package: the first one */
	struct apk_mark *selected;  /* by id: whose dependencies were begun */
	struct apk_mark *top;	    /* by id: chosen for a wish, or by an earlier wish */
	struct apk_mark *installed; /* by id: is in `result` */
	XB_VEC(uint32_t) top_list, result;

	/* of the wish that is walked; `wish` is its number, over all runs */
	uint32_t wish;
	struct apk_mark *existing, *origins, *added; /* by id */
	bool *on_path;				     /* by id: its dependencies are being walked */
	XB_VEC(uint32_t) walked;		     /* dependencies before what needs them; with repetitions */
	XB_VEC(uint32_t) added_list;
	XB_VEC(uint32_t) pending; /* stack of the walk: places in depends */
	const char *tag;	  /* of the wish */
};

/* The tables of one architecture; the pool must be all-zero. release leaves it so. */
void apk_pool_make(struct apk_pool *pool, const struct xb_apk_arch *arch);
void apk_pool_release(struct apk_pool *pool);
/* The id of text, or 0. */
uint32_t apk_id(const struct apk_pool *pool, struct xb_sv text);
const char *apk_id_text(const struct apk_pool *pool, uint32_t id);

/* ---- apk_choose.c ---- */

/* n candidates are looked at. */
void apk_count_steps(struct apk_pool *pool, size_t n);
bool apk_is_out(const struct apk_pool *pool, uint32_t package);
struct apk_request apk_wish_request(const struct apk_pool *pool, const struct xb_apk_relation *relation);
/* How many candidates are left. */
size_t apk_count(struct apk_pool *pool, const struct apk_request *request);
/* The best of them, or APK_NONE. `in_walk`: what this wish has pulled in so far is preferred. */
uint32_t apk_best(struct apk_pool *pool, const struct apk_request *request, bool in_walk);
/* Puts out what contradicts `relation`, said by package `who` (APK_NONE: a wish). False: it asks for what is no version. */
bool apk_constrain(struct apk_pool *pool, const struct xb_apk_relation *relation, uint32_t name, uint32_t who);
/* Puts out what may not be installed beside the package. */
void apk_put_out_rivals(struct apk_pool *pool, uint32_t package);
bool apk_tag_fits(const struct apk_pool *pool, const struct apk_request *request, uint32_t package);

/* ---- apk_walk.c ---- */

/* Walks the dependencies of `package`, which a wish has chosen, into pool->walked. */
int apk_walk(struct apk_pool *pool, uint32_t package, struct xb_err *err) XB_MUST_CHECK;

/* ---- apk_check.c ---- */

/* XB_E_UNSAT when a package of the result lacks what it needs or is beside what it excludes. */
int apk_check(struct apk_pool *pool, struct xb_err *err) XB_MUST_CHECK;

/* ---- apk_refuse.c ---- */

/* "name-version" */
void apk_append_file(struct xb_str *out, const struct xb_apk_package *package);
/* ", which is 'relation' of by-1.0" (the first link of a chain: " is ..."). `by` is not looked at for a wish. */
void apk_append_link(struct xb_str *out, bool first, enum xb_apk_why why, const char *relation,
		     const struct xb_apk_package *by);
/* No candidate for what `who` (APK_NONE: a wish) asks for. Returns err->code. */
int apk_refuse(const struct apk_pool *pool, const struct apk_request *request, uint32_t who, struct xb_err *err);
/* `who` cannot be installed for the reason given. Returns err->code. */
int apk_refuse_package(const struct apk_pool *pool, uint32_t who, struct xb_err *err, const char *fmt, ...)
	XB_PRINTF(4, 5);

#endif
