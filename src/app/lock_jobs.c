/* SPDX-License-Identifier: Apache-2.0 */
#include "lock_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/pkg/deb_index.h"
#include "xbuild/pkg/solve.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fetch.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/pool.h"

#define JOBS_AT_ONCE 2 /* each holds about 80 MB */

void lock_plan_release(struct lock_plan *plan)
{
	for (size_t i = 0; i < plan->suites.len; i++) {
		xb_release_free(plan->suites.items[i].release);
		xb_err_release(&plan->suites.items[i].refused);
	}
	for (size_t i = 0; i < plan->wants.len; i++)
		xb_arena_release(&plan->wants.items[i].arena);
	for (size_t i = 0; i < plan->jobs.len; i++) {
		XB_VEC_RELEASE(&plan->jobs.items[i].wants);
		XB_VEC_RELEASE(&plan->jobs.items[i].indexes);
	}
	XB_VEC_RELEASE(&plan->suites);
	XB_VEC_RELEASE(&plan->wants);
	XB_VEC_RELEASE(&plan->indexes);
	XB_VEC_RELEASE(&plan->jobs);
	xb_arena_release(&plan->arena);
}

static bool same_suites(const struct xb_debian *a, const struct xb_debian *b)
{
	if (a->n_suites != b->n_suites)
		return false;
	for (size_t i = 0; i < a->n_suites; i++)
		if (strcmp(a->suites[i].id, b->suites[i].id) != 0)
			return false;
	return true;
}

static int add_suite(struct lock_plan *plan, const struct xb_debian *debian, const struct xb_suite *suite,
		     struct xb_err *err)
{
	struct lock_suite *added;

	for (size_t i = 0; i < plan->suites.len; i++) {
		const struct xb_suite *old = plan->suites.items[i].suite;

		if (strcmp(old->id, suite->id) != 0)
			continue;
		if (strcmp(old->archive, suite->archive) == 0 && strcmp(old->path, suite->path) == 0 &&
		    strcmp(old->codename ? old->codename : "", suite->codename ? suite->codename : "") == 0)
			return 0;
		return xb_fail(err, XB_E_INPUT,
			       "the toolchain's and the sysroot's data file mean different things by suite '%s'",
			       suite->id);
	}
	added = XB_VEC_ADD(&plan->suites);
	added->suite = suite;
	added->debian = debian;
	return 0;
}

static struct lock_job *find_job(struct lock_plan *plan, const struct xb_debian *debian, const char *arch)
{
	struct lock_job *job;

	for (size_t i = 0; i < plan->jobs.len; i++) {
		job = &plan->jobs.items[i];
		if (strcmp(job->arch, arch) == 0 && same_suites(job->debian, debian))
			return job;
	}
	job = XB_VEC_ADD(&plan->jobs);
	job->plan = plan;
	job->debian = debian;
	job->arch = arch;
	return job;
}

int lock_plan_add(struct lock_plan *plan, const struct xb_debian *debian, const char *arch, struct lock_want want,
		  struct xb_err *err)
{
	struct lock_job *job;

	for (size_t i = 0; i < debian->n_suites; i++)
		if (add_suite(plan, debian, &debian->suites[i], err) < 0)
			return err->code;
	job = find_job(plan, debian, arch);
	XB_VEC_PUSH(&job->wants, plan->wants.len);
	XB_VEC_PUSH(&plan->wants, want);
	return 0;
}

static struct lock_suite *find_suite(struct lock_plan *plan, const char *id)
{
	for (size_t i = 0; i < plan->suites.len; i++)
		if (strcmp(plan->suites.items[i].suite->id, id) == 0)
			return &plan->suites.items[i];
	return NULL;
}

/* The smallest form of an index that the release lists. */
static const struct xb_release_file *find_file(struct lock_plan *plan, const struct lock_suite *s,
					       const char *component, const char *arch)
{
	static const char *const endings[] = {".xz", ".gz", ""};

	for (size_t i = 0; i < XB_COUNT(endings); i++) {
		const char *path =
			xb_arena_printf(&plan->arena, "%s/binary-%s/Packages%s", component, arch, endings[i]);
		const struct xb_release_file *file = xb_release_find(s->release, path);

		if (file)
			return file;
	}
	return NULL;
}

static int need_index(struct lock_plan *plan, struct lock_suite *s, const char *arch,
		      const struct xb_release_file *file, size_t *out, struct xb_err *err)
{
	struct lock_index *index;
	bool there;

	for (*out = 0; *out < plan->indexes.len; ++*out)
		if (plan->indexes.items[*out].suite == s && plan->indexes.items[*out].file == file)
			return 0;
	if (xb_cas_has_whole(plan->app->store, &file->sha256, file->size_bytes, &there, err) < 0)
		return err->code;
	index = XB_VEC_ADD(&plan->indexes);
	index->suite = s;
	index->arch = arch;
	index->file = file;
	index->label = xb_arena_printf(&plan->arena, "%s/%s", s->suite->path, file->path);
	index->is_ready = there;
	return 0;
}

/* Debian supports a release for fewer architectures once it is old: security updates end for the others. */
static void tell_no_index(const struct lock_plan *plan, const struct lock_suite *s, const char *component,
			  const char *arch)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_printf("suite '%s' has no '%s' for '%s': it gets no updates from there",
						       s->suite->id, component, arch);

	xb_observe(plan->app->observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = text});
}

static int find_indexes(struct lock_job *job, struct xb_err *err)
{
	struct lock_plan *plan = job->plan;

	job->indexes.len = 0;
	job->is_started = false;
	for (size_t i = 0; i < job->debian->n_suites; i++) {
		struct lock_suite *s = find_suite(plan, job->debian->suites[i].id);

		for (size_t c = 0; !s->is_absent && c < s->suite->components.len; c++) {
			const char *component = s->suite->components.items[c];
			const struct xb_release_file *file = find_file(plan, s, component, job->arch);
			size_t index;

			/* the release itself, which is signed, says what there is; the first suite is the one to build on */
			if (!file && i > 0) {
				tell_no_index(plan, s, component, job->arch);
				continue;
			}
			if (!file)
				return xb_fail(err, XB_E_INPUT, "suite '%s' has no index of '%s' for '%s'",
					       s->suite->id, component, job->arch);
			if (need_index(plan, s, job->arch, file, &index, err) < 0)
				return err->code;
			XB_VEC_PUSH(&job->indexes, index);
		}
	}
	return 0;
}

static const char *want_text(const struct lock_want *want, char *buf, size_t size)
{
	static const char *const of_rust[] = {[LOCK_RUST_HOST] = "Rust for ", [LOCK_RUST_STD] = "Rust's library for "};

	if (want->rust == LOCK_RUST_CRATES)
		(void)snprintf(buf, size, "crates");
	else if (want->rust)
		(void)snprintf(buf, size, "%s%s", of_rust[want->rust], want->host ? want->host : want->target);
	else if (want->image)
		(void)snprintf(buf, size, "image '%s' for %s", want->image, want->target);
	else
		(void)snprintf(buf, size, "%s %s", want->host ? "toolchain for" : "sysroot for",
			       want->host ? want->host : want->target);
	return buf;
}

static int reduce_index(const struct lock_plan *plan, const struct lock_index *index, struct xb_str *text,
			struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = -1;

	if (xb_cas_open(plan->app->store, &index->file->sha256, &fd, err) < 0)
		return err->code;
	return xb_deb_index_reduce(fd, index->label, plan->app->interrupted, text, err);
}

/*
 * Packages that were to move and did not, although there are newer ones: something that is locked needs them as they are.
 * Who has asked for an update wants to know.
 */
static void tell_held_back(const struct lock_plan *plan, const struct lock_want *want, const struct xb_solver *solver)
{
	const struct xb_lock_packages *result = &want->result;

	for (size_t i = 0; want->free_names && i < want->free_names->len; i++) {
		const struct xb_lock_package *p = xb_lock_package(result, want->free_names->items[i]);
		const char *newer = p ? xb_solver_newer(solver, p) : NULL;
		struct xb_str users XB_CLEANUP(xb_str_release) = {0};
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};
		char buf[128];

		if (!newer)
			continue;
		for (size_t k = 0; k < result->len; k++)
			for (size_t d = 0; d < result->items[k].n_depends; d++)
				if (strcmp(result->items[k].depends[d], p->name) == 0)
					xb_str_printf(&users, " %s", result->items[k].name);
		xb_str_printf(&text, "%s: '%s' stays at %s although %s is there: it is held back by what is locked",
			      want_text(want, buf, sizeof(buf)), p->name, p->version, newer);
		if (users.len)
			xb_str_printf(&text, "; needed by%s, which --update may name too", xb_str_get(&users));
		xb_observe(plan->app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = xb_str_get(&text)});
	}
}

/*
 * An image's programs were linked with the sysroot of its target: the versions that its list got, which was solved before
 * in the same job, go before those that the image had.
 */
static void keep_as_sysroot(const struct lock_job *job, struct lock_want *want)
{
	for (size_t i = 0; want->image && i < job->wants.len; i++) {
		const struct lock_want *other = &job->plan->wants.items[job->wants.items[i]];

		if (other->target && !other->image && !other->rust && strcmp(other->target, want->target) == 0)
			want->keep = lock_join_packages(&want->arena, &other->result, &want->keep);
	}
}

/* What the project wants of further suites comes from them, and everything else only what no other suite has. */
static int rank_suites(const struct lock_job *job, const struct lock_want *want, struct xb_solver *solver,
		       struct xb_err *err)
{
	const struct xb_project *p = job->plan->app->project;

	for (size_t i = 0; i < job->debian->n_suites; i++)
		if (job->debian->suites[i].extra)
			xb_solver_rank_last(solver, job->debian->suites[i].id);
	for (size_t i = 0; want->target && !want->rust && i < p->suites.len; i++) {
		const struct xb_project_suite *suite = &p->suites.items[i];

		for (size_t k = 0; k < suite->packages.len; k++)
			if (xb_solver_take_from(solver, suite->packages.items[k], suite->name, err) < 0)
				return err->code;
	}
	return 0;
}

/* A locked package that the project now takes from another suite is no longer wanted. */
static struct xb_lock_packages kept_of(const struct lock_plan *plan, struct lock_want *want)
{
	const struct xb_project_suites *suites = &plan->app->project->suites;
	struct xb_lock_packages kept = {xb_arena_array(&want->arena, want->keep.len + 1, sizeof(*kept.items)), 0};

	for (size_t i = 0; i < want->keep.len; i++) {
		bool moved = false;

		for (size_t s = 0; s < suites->len; s++)
			for (size_t k = 0; k < suites->items[s].packages.len; k++)
				moved |= strcmp(suites->items[s].packages.items[k], want->keep.items[i].name) == 0 &&
					 strcmp(suites->items[s].name, want->keep.items[i].suite) != 0;
		if (!moved)
			kept.items[kept.len++] = want->keep.items[i];
	}
	return kept;
}

/* Solves one want; with `last` set the texts are let go of as soon as the solver has read them. */
static int solve_want(struct lock_job *job, struct lock_want *want, struct xb_str *texts, bool last, struct xb_err *err)
{
	struct lock_plan *plan = job->plan;
	struct xb_solver *solver = NULL;
	int rc = xb_solver_new(job->arch, &solver, err);

	for (size_t i = 0; rc == 0 && i < job->indexes.len; i++) {
		struct lock_index *index = &plan->indexes.items[job->indexes.items[i]];

		if (!texts[i].data)
			rc = reduce_index(plan, index, &texts[i], err);
		if (rc == 0)
			rc = xb_solver_add(solver, index->suite->suite->id, xb_str_sv(&texts[i]), err);
		if (last)
			xb_str_release(&texts[i]);
	}
	keep_as_sysroot(job, want);
	if (rc == 0)
		rc = rank_suites(job, want, solver, err);
	if (rc == 0 && want->target)
		want->keep = kept_of(plan, want);
	if (rc == 0 && want->keep.len)
		rc = xb_solver_prefer(solver, &want->keep, want->image ? NULL : want->free_names, err);
	if (rc == 0)
		xb_solver_cut_needs(solver, &want->data_only);
	if (rc == 0)
		rc = xb_solver_run(solver, &want->packages, &want->exclude, &want->arena, &want->result, err);
	if (rc == 0)
		tell_held_back(plan, want, solver);
	xb_solver_free(solver);
	return rc;
}

/* Runs in a thread of the pool. */
static int run_job(void *arg, struct xb_err *err)
{
	struct lock_job *job = arg;
	const volatile int *interrupted = job->plan->app->interrupted;
	struct xb_str *texts = xb_alloc((job->indexes.len + 1) * sizeof(*texts));
	char buf[128];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < job->wants.len; i++) {
		struct lock_want *want = &job->plan->wants.items[job->wants.items[i]];

		if (interrupted && *interrupted)
			rc = xb_fail(err, XB_E_INTERRUPTED, "interrupted");
		else if (want->twin)
			want->result = job->plan->wants.items[want->twin - 1].result;
		else if (solve_want(job, want, texts, i + 1 == job->wants.len, err) < 0)
			rc = xb_wrap(err, "%s", want_text(want, buf, sizeof(buf)));
	}
	for (size_t i = 0; i < job->indexes.len; i++)
		xb_str_release(&texts[i]);
	free(texts);
	return rc;
}

/* What the transfers share; they and this run in one thread. */
struct transfers {
	struct lock_plan *plan;
	struct xb_pool *pool;
	struct xb_fetch_req *reqs;
	struct xb_cas_writer *files;
	size_t *indexes; /* of a request */
	size_t n;
};

static void start_ready_jobs(struct transfers *t)
{
	struct lock_plan *plan = t->plan;

	for (size_t i = 0; i < plan->jobs.len; i++) {
		struct lock_job *job = &plan->jobs.items[i];
		size_t n_ready = 0;

		while (n_ready < job->indexes.len && plan->indexes.items[job->indexes.items[n_ready]].is_ready)
			n_ready++;
		if (job->is_started || n_ready < job->indexes.len)
			continue;
		job->is_started = true;
		xb_pool_submit(t->pool, run_job, job);
	}
}

static int index_is_there(struct xb_fetch_req *req, struct xb_err *err)
{
	struct transfers *t = req->user;
	size_t i = (size_t)(req - t->reqs);

	if (xb_cas_commit(&t->files[i], req->digest, err) < 0)
		return err->code;
	t->plan->indexes.items[t->indexes[i]].is_ready = true;
	start_ready_jobs(t);
	return 0;
}

/*
 * By digest where the archive offers that (Acquire-By-Hash: the file stays when the suite changes), and by name: old
 * snapshots and simple mirrors have nothing else.
 */
const char **lock_file_urls(struct lock_plan *plan, const struct lock_suite *s, const struct xb_release_file *file,
			    size_t *out_count)
{
	const char **urls = xb_arena_array(&plan->arena, s->urls.len * 2, sizeof(*urls));
	const char *path = file->path, *slash = strrchr(path, '/');
	char hex[XB_DIGEST_HEX];
	size_t n = 0;

	for (size_t i = 0; i < s->urls.len; i++) {
		if (s->release->by_hash && slash)
			urls[n++] = xb_arena_printf(&plan->arena, "%s/dists/%s/%.*s/by-hash/SHA256/%s",
						    s->urls.items[i], s->suite->path, (int)(slash - path), path,
						    xb_digest_hex(&file->sha256, hex));
		urls[n++] = xb_arena_printf(&plan->arena, "%s/dists/%s/%s", s->urls.items[i], s->suite->path, path);
	}
	*out_count = n;
	return urls;
}

static int transfers_begin(struct transfers *t, struct xb_err *err)
{
	struct lock_plan *plan = t->plan;

	t->reqs = xb_alloc(plan->indexes.len * sizeof(*t->reqs));
	t->files = xb_alloc(plan->indexes.len * sizeof(*t->files));
	t->indexes = xb_alloc(plan->indexes.len * sizeof(*t->indexes));
	for (size_t i = 0; i < plan->indexes.len; i++) {
		const struct lock_index *index = &plan->indexes.items[i];
		struct xb_fetch_req *req = &t->reqs[t->n];

		if (index->is_ready)
			continue;
		if (index->file->size_bytes > XB_MAX_INDEX_BYTES)
			return xb_fail(err, XB_E_INPUT, "index '%s' is larger than allowed", index->label);
		if (xb_cas_begin(plan->app->store, &t->files[t->n], err) < 0)
			return err->code;
		*req = (struct xb_fetch_req){
			.label = index->label,
			.fd = t->files[t->n].fd,
			.size_bytes = index->file->size_bytes,
			.max_bytes = XB_MAX_INDEX_BYTES,
			.digest = &index->file->sha256,
			.done = index_is_there,
			.user = t,
		};
		req->urls = lock_file_urls(plan, index->suite, index->file, &req->n_urls);
		t->indexes[t->n++] = i;
	}
	return 0;
}

static void transfers_release(struct transfers *t)
{
	for (size_t i = 0; i < t->n; i++) {
		xb_cas_discard(&t->files[i]);
		xb_err_release(&t->reqs[i].err);
	}
	free(t->reqs);
	free(t->files);
	free(t->indexes);
}

static int fetch_indexes(struct transfers *t, struct xb_err *err)
{
	const struct xb_fetch_opts opts = {
		.stop_on_error = true,
		.phase = "package indexes",
		.observer = t->plan->app->observer,
		.interrupted = t->plan->app->interrupted,
	};
	int rc;

	if (t->n == 0)
		return 0;
	rc = xb_fetch_run(t->reqs, t->n, &opts, err);
	t->plan->index_failed = rc == XB_E_DIGEST || rc == XB_E_NOT_FOUND;
	return rc < 0 ? xb_app_hint_fetch(t->plan->app, err) : 0;
}

int lock_jobs_run(struct lock_plan *plan, struct xb_err *err)
{
	struct transfers t = {.plan = plan};
	struct xb_err job_err XB_CLEANUP(xb_err_release) = {0};
	int rc = 0;

	plan->indexes.len = 0;
	for (size_t i = 0; rc == 0 && i < plan->jobs.len; i++)
		rc = find_indexes(&plan->jobs.items[i], err);
	if (rc < 0)
		return rc;
	/* From here on neither plan->indexes nor plan->wants may grow: threads hold pointers into them. */
	t.pool = xb_pool_new(JOBS_AT_ONCE);
	rc = transfers_begin(&t, err);
	if (rc == 0) {
		start_ready_jobs(&t);
		rc = fetch_indexes(&t, err);
	}
	if (xb_pool_wait(t.pool, &job_err) < 0 && rc == 0) {
		xb_err_move(err, &job_err);
		rc = err->code;
	}
	xb_pool_free(t.pool);
	transfers_release(&t);
	return rc;
}
