/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a lock is made, between op_lock.c and its helpers. A plan says which suites are read and which lists of packages
 * are solved from them:
 *
 *     wants    one list to solve: the toolchain of a host, the sysroot of a target, or the packages of an image for a
 *              target, which takes the versions that the sysroot got before it (lock_plan.c)
 *     suites   each once, with its verified Release (lock_suites.c)
 *     jobs     one per set of suites and architecture: reads the indexes, then solves every list that needs them; jobs
 *              run side by side while other indexes still load (lock_jobs.c)
 *
 * lock_result.c makes the lock of what was solved.
 *
 * Memory: a job holds the reduced text of its indexes, then the solver's pool, never both in full; there are two jobs
 *         at a time at most.
 */
#ifndef XBUILD_APP_LOCK_PLAN_H
#define XBUILD_APP_LOCK_PLAN_H

#include "xbuild/app/op_lock.h"
#include "xbuild/base/vec.h"
#include "xbuild/pkg/deb_release.h"

#define LOCK_FINGERPRINT_BYTES 41

struct lock_suite {
	const struct xb_suite *suite;
	const struct xb_debian *debian; /* that it is one of */
	struct xb_list urls;		/* base URLs; from the first its InRelease came, once there is a release */
	struct xb_release *release;	/* owned; NULL: not read, or optional and not there */
	struct xb_digest in_release;
	char signed_by[LOCK_FINGERPRINT_BYTES];
	bool is_absent;	       /* optional and not there */
	struct xb_err refused; /* what was wrong with the first document that was refused; the next mirror was tried */
};

enum lock_rust { LOCK_RUST_NONE, LOCK_RUST_HOST, LOCK_RUST_STD, LOCK_RUST_CRATES };

struct lock_want {
	enum lock_rust rust; /* rustc and cargo of the host, the standard library of the target, or crates instead */
	const char *host;    /* toolchain of this host, or NULL */
	const char *target;  /* sysroot of this target, or NULL */
	const char *image;   /* the packages of this image for the target instead, or NULL */
	size_t twin;	     /* index + 1 of an earlier want of the same job that asks for the same; 0: none */
	struct xb_list packages, exclude;
	struct xb_list data_only;	  /* packages whose dependencies are not followed */
	struct xb_lock_packages keep;	  /* locked ones that are preferred; may be empty */
	const struct xb_list *free_names; /* of them those that may move, or NULL */
	struct xb_lock_packages result;	  /* in arena */
	struct xb_arena arena;
};

struct lock_index {
	struct lock_suite *suite;
	const char *arch;		    /* Debian's name */
	const struct xb_release_file *file; /* of the suite's release */
	const char *label;		    /* "trixie/main/binary-amd64/Packages.xz" */
	bool is_ready;			    /* in the store */
};

struct lock_job {
	struct lock_plan *plan;
	const struct xb_debian *debian;
	const char *arch;
	XB_VEC(size_t) wants;	/* indices into plan->wants */
	XB_VEC(size_t) indexes; /* indices into plan->indexes, in the order of the suites */
	bool is_started;
};

struct lock_plan {
	struct xb_app *app;
	const struct xb_lock_opts *opts;
	const struct xb_lock *before; /* NULL: none */
	const char *snapshot;	      /* "20261120T000000Z", or NULL: latest */
	struct xb_arena arena;
	XB_VEC(struct lock_suite) suites;
	XB_VEC(struct lock_want) wants;
	XB_VEC(struct lock_index) indexes;
	XB_VEC(struct lock_job) jobs;
	bool index_failed; /* an index was not what its release says: the mirror may be changing */
};

void lock_plan_release(struct lock_plan *plan);

/* Adds a want and the job and suites it needs. The want's result is there after lock_jobs_run. */
int lock_plan_add(struct lock_plan *plan, const struct xb_debian *debian, const char *arch, struct lock_want want,
		  struct xb_err *err) XB_MUST_CHECK;

/*
 * Plans the toolchain of every Debian host, the sysroot of every target of the project, and the images' packages. XB_E_INPUT
 * when the toolchain has nothing for a host; the hint names the nearest one that serves them all.
 */
int lock_plan_all(struct lock_plan *plan, struct xb_err *err) XB_MUST_CHECK;

/* Sets plan->snapshot from the project: XB_E_INPUT when what it asks for is no time. */
int lock_plan_snapshot(struct lock_plan *plan, struct xb_err *err) XB_MUST_CHECK;

/* Adds what the project wants of Rust; the rest in lock_rust.c makes the lock's part of it and checks that. */
int lock_plan_rust(struct lock_plan *plan, const struct xb_list *free_names, struct xb_err *err) XB_MUST_CHECK;
void lock_add_rust(const struct lock_plan *plan, struct xb_lock *lock);
int lock_check_rust(const struct xb_app *app, const struct xb_lock *lock, struct xb_err *err) XB_MUST_CHECK;

/* Are locked versions kept? A snapshot says what there is; --update without names lets go of all. */
bool lock_keeps(const struct lock_plan *plan);
/* One list, then the other, in arena. */
struct xb_list lock_join_lists(struct xb_arena *arena, const struct xb_list *a, const char *const *b, size_t n);
/* The packages whose mark is `which`; their depends name packages of the same part only. */
struct xb_lock_packages lock_part_of(struct xb_arena *arena, const struct xb_lock_packages *all, const bool *marks,
				     bool which);
/* "1:22.1.8-1~deb13u4" is "22.1.8": without epoch, revision, and what Debian adds to the upstream version. */
const char *lock_upstream_version(struct xb_arena *arena, const char *version);

/* Fetches, verifies and checks the InRelease of every suite. May be called again: then all are fetched again. */
int lock_suites_fetch(struct lock_plan *plan, struct xb_err *err) XB_MUST_CHECK;

/* Where a file that a suite's release names is: *out_count URLs, in plan->arena. */
const char **lock_file_urls(struct lock_plan *plan, const struct lock_suite *s, const struct xb_release_file *file,
			    size_t *out_count);

/* Fetches the indexes that the store lacks and solves all wants. */
int lock_jobs_run(struct lock_plan *plan, struct xb_err *err) XB_MUST_CHECK;

/* The new lock from the results; its strings are borrowed from the plan and the documents of the app. */
void lock_assemble(struct lock_plan *plan, struct xb_lock *out);
/* Packages of a, then those of b whose names are not in a; items are borrowed, the array is the arena's. */
struct xb_lock_packages lock_join_packages(struct xb_arena *arena, const struct xb_lock_packages *a,
					   const struct xb_lock_packages *b);

/* Fills in the archives and directories of toolchains and sysroots: digests of local files, signatures. */
int lock_archives(struct lock_plan *plan, struct xb_lock *lock, struct xb_err *err) XB_MUST_CHECK;
/* Adds what the base images of the project's images are now, or stay pinned to. */
int lock_bases(struct lock_plan *plan, struct xb_lock *lock, struct xb_err *err) XB_MUST_CHECK;
/* Adds what the apko.yaml files of the project's images are resolved to, or stay at; their packages are fetched. */
int lock_apkos(struct lock_plan *plan, struct xb_lock *lock, struct xb_err *err) XB_MUST_CHECK;
/* XB_E_INPUT unless all hosts have the same version of the compiler: all must write the same bytes. */
int lock_check_versions(struct xb_app *app, const struct xb_lock *lock, struct xb_err *err) XB_MUST_CHECK;

/* ---- op_lock.c ---- */

/* The project, what it names, and where its lock is. */
int lock_need_all(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;
/* The lock that there is; *out stays NULL when there is none. Free it with xb_lock_free. */
int lock_read_before(const struct xb_app *app, struct xb_lock **out, struct xb_err *err) XB_MUST_CHECK;
/* XB_E_LOCK when `before` is NULL or does not fit the project. */
int lock_check(struct xb_app *app, const struct xb_lock *before, struct xb_err *err) XB_MUST_CHECK;
/* Everything of an empty plan and lock: plans, reads the suites, solves, looks up the bases of images, and checks. */
int lock_resolve(struct lock_plan *plan, struct xb_lock *out, struct xb_err *err) XB_MUST_CHECK;

#endif
