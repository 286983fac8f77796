/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_fetch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "archives.h"
#include "base.h"
#include "bundle_read.h"
#include "contents.h"
#include "fetch_plan.h"
#include "rust.h"
#include "sources.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fetch.h"
#include "xbuild/sys/pool.h"
#include "xbuild/sysroot/sysroot.h"
#include "xbuild/toolchain/rust.h"
#include "xbuild/toolchain/toolchain.h"

/* Each transfer is an open file from the start, and some systems allow 256. */
#define BATCH 96

/* One run: downloads on this thread, unpacking in the pool. */
struct run {
	struct fetch_plan plan;
	struct xb_pool *pool;
	struct job *jobs;	  /* same index as the trees */
	atomic_size_t n_made;	  /* trees */
	atomic_size_t n_packages; /* of them, trees of single packages */
	atomic_bool is_fetched;	  /* all downloads are done */
	struct xb_fetch_summary summary;
	int64_t began_ms;
};

struct job {
	struct run *run;
	const struct fetch_tree *tree;
	struct xb_tree_prepared package; /* of a package: not published yet */
};

/* One transfer. */
struct transfer {
	struct run *run;
	struct fetch_blob *blob;
	struct xb_cas_writer writer;
};

struct batch {
	struct xb_fetch_req reqs[BATCH];
	struct transfer transfers[BATCH];
	size_t len;
};

static void run_release(struct run *run)
{
	xb_pool_free(run->pool);
	for (size_t i = 0; run->jobs && i < run->plan.trees.len; i++)
		xb_tree_prepared_release(&run->jobs[i].package);
	free(run->jobs);
	fetch_plan_release(&run->plan);
}

static void batch_free(struct batch **at)
{
	struct batch *batch = *at;

	for (size_t i = 0; batch && i < batch->len; i++) {
		xb_cas_discard(&batch->transfers[i].writer);
		xb_err_release(&batch->reqs[i].err);
	}
	free(batch);
}

static int make_sysroot(struct xb_app *app, const struct xb_lock_sysroot *lock, int n_threads, struct xb_tree *out,
			struct xb_err *err)
{
	const struct xb_archive_ref *ref = xb_archive_ref_find(&app->sysroot->archives, lock->target);
	char *path XB_CLEANUP(xb_free_ptr) = NULL;

	if (lock->is_directory) {
		path = sources_path(app->project, lock->archive.url);
		return xb_sysroot_take(app->store, app->sysroot, path, &lock->archive.sha256, out, err);
	}
	if (archive_verify(app, &lock->archive, ref, err) < 0)
		return err->code;
	return xb_sysroot_make(app->store, app->sysroot, lock, n_threads, out, err);
}

static int make_tree(const struct run *run, const struct fetch_tree *tree, struct xb_tree *out, struct xb_err *err)
{
	struct xb_app *app = run->plan.app;
	const int n_threads = xb_app_jobs(app);
	const struct xb_archive_ref *ref;

	switch (tree->want.kind) {
	case XB_WANT_TOOLCHAIN:
		ref = xb_archive_ref_find(&app->toolchain->archives, tree->toolchain->host);
		if (archive_verify(app, &tree->toolchain->archive, ref, err) < 0)
			return err->code;
		return xb_toolchain_make(app->store, app->toolchain, tree->toolchain, XB_TOOLCHAIN_BASE, n_threads, out,
					 err);
	case XB_WANT_TOOLS:
		return xb_toolchain_make(app->store, app->toolchain, tree->toolchain, XB_TOOLCHAIN_TOOLS, n_threads,
					 out, err);
	case XB_WANT_SYSROOT:
		return make_sysroot(app, tree->sysroot, n_threads, out, err);
	case XB_WANT_RUST:
		return xb_rust_make(app->store, app->rust, app->lock, tree->want.name, n_threads, out, err);
	case XB_WANT_CRATES:
		return xb_crates_make(app->store, app->rust, app->lock, n_threads, out, err);
	case XB_WANT_PACKAGE: /* prepare_package() */
	case XB_WANT_BASE:    /* is no tree: supply_others */
	case XB_WANT_CONTENTS:
		break;
	}
	return 0;
}

/* Unpacking goes on after the last download: the live line says so. */
static void show_unpacking(const struct run *run)
{
	const struct xb_event event = {.kind = XB_EVENT_PHASE,
				       .label = "unpacking",
				       .done = atomic_load(&run->n_made),
				       .total = run->plan.trees.len};

	if (event.done < event.total)
		xb_observe(run->plan.app->observer, &event);
}

/* Packages become visible together, at the end: a flush for each would take longer than the unpacking. */
static int prepare_package(struct job *job, struct xb_err *err)
{
	struct run *run = job->run;

	if (xb_package_tree_prepare(run->plan.app->store, job->tree->package, &job->package, err) < 0)
		return xb_wrap(err, "%s", job->tree->want.name);
	atomic_fetch_add(&run->n_made, 1);
	atomic_fetch_add(&run->n_packages, 1); /* told in one line at the end */
	return 0;
}

static int publish_packages(struct run *run, struct xb_err *err)
{
	if (!atomic_load(&run->n_packages))
		return 0;
	if (xb_tree_flush(run->plan.app->store, err) < 0)
		return err->code;
	for (size_t i = 0; i < run->plan.trees.len; i++) {
		struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};

		if (run->jobs[i].package.store && xb_tree_publish(&run->jobs[i].package, &tree, err) < 0)
			return xb_wrap(err, "%s", run->plan.trees.items[i].label);
	}
	return 0;
}

static int run_job(void *arg, struct xb_err *err)
{
	struct job *job = arg;
	struct xb_app *app = job->run->plan.app;
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	const int64_t began_ms = xb_host_monotonic_ms();
	struct xb_event event = {
		.kind = XB_EVENT_DONE, .verb = "Unpacked", .label = job->tree->label, .target = job->tree->want.name};

	if (app->interrupted && *app->interrupted)
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
	if (job->tree->want.kind == XB_WANT_PACKAGE)
		return prepare_package(job, err);
	if (make_tree(job->run, job->tree, &tree, err) < 0)
		return xb_wrap(err, "%s", job->tree->want.name);
	atomic_fetch_add(&job->run->n_made, 1);
	event.elapsed_ms = xb_host_monotonic_ms() - began_ms;
	xb_observe(app->observer, &event);
	if (atomic_load(&job->run->is_fetched))
		show_unpacking(job->run);
	return 0;
}

static void start_tree(struct run *run, size_t tree)
{
	xb_pool_submit(run->pool, run_job, &run->jobs[tree]);
}

/* A blob has arrived, and was found to be the right one. */
static int take_blob(struct xb_fetch_req *req, struct xb_err *err)
{
	struct transfer *transfer = req->user;
	struct run *run = transfer->run;

	if (xb_cas_commit(&transfer->writer, &req->got_digest, err) < 0)
		return err->code;
	run->summary.n_files++;
	run->summary.bytes += (uint64_t)req->got_bytes;
	for (size_t i = 0; i < transfer->blob->trees.len; i++) {
		const size_t tree = transfer->blob->trees.items[i];

		if (--run->plan.trees.items[tree].n_missing == 0 && !run->plan.only_blobs)
			start_tree(run, tree);
	}
	return 0;
}

static int add_transfer(struct run *run, struct batch *batch, struct fetch_blob *blob, struct xb_err *err)
{
	struct transfer *transfer = &batch->transfers[batch->len];

	*transfer = (struct transfer){.run = run, .blob = blob};
	if (xb_cas_begin(run->plan.app->store, &transfer->writer, err) < 0)
		return err->code;
	batch->reqs[batch->len++] = (struct xb_fetch_req){.urls = blob->urls.items,
							  .n_urls = blob->urls.len,
							  .label = blob->label,
							  .fd = transfer->writer.fd,
							  .size_bytes = blob->size_bytes,
							  .max_bytes = XB_MAX_PACKAGE_BYTES,
							  .digest = &blob->sha256,
							  .done = take_blob,
							  .user = transfer};
	return 0;
}

/* Loads missing blobs from index *at on, as many as fit. */
static int run_batch(struct run *run, size_t *at, struct xb_err *err)
{
	struct batch *batch XB_CLEANUP(batch_free) = xb_alloc(sizeof(*batch));
	struct xb_app *app = run->plan.app;
	const struct xb_fetch_opts opts = {
		.stop_on_error = true, .phase = "fetch", .observer = app->observer, .interrupted = app->interrupted};

	for (; *at < run->plan.blobs.len && batch->len < BATCH; ++*at)
		if (run->plan.blobs.items[*at].is_missing &&
		    add_transfer(run, batch, &run->plan.blobs.items[*at], err) < 0)
			return err->code;
	if (!batch->len)
		return 0;
	if (xb_fetch_run(batch->reqs, batch->len, &opts, err) < 0) {
		/* It is locked, so it existed: the archive is at fault, not what the user has written. */
		if (err->code == XB_E_NOT_FOUND) {
			err->code = XB_E_NETWORK;
			xb_hint(err, "the archive may have moved on: 'xbuild lock --update' takes the versions that it "
				     "has now");
		}
		return err->code;
	}
	return xb_cas_sync(app->store, err);
}

static int refuse_offline(const struct fetch_plan *plan, struct xb_err *err)
{
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < plan->blobs.len; i++) {
		if (!plan->blobs.items[i].is_missing)
			continue;
		first = first ? first : plan->blobs.items[i].label;
		n++;
	}
	if (!n)
		return 0;
	if (plan->app->options.bundle) {
		xb_fail(err, XB_E_NETWORK, "%zu %s neither in the store nor in bundle '%s': the first is '%s'", n,
			n == 1 ? "file is" : "files are", plan->app->options.bundle, first);
		return xb_hint(err, "%s",
			       plan->app->bundle_is_other ? "it was made of another " XB_LOCK_NAME
							  : "it was made for other hosts or targets");
	}
	if (n == 1)
		xb_fail(err, XB_E_NETWORK, "'%s' is not in the store, and nothing is downloaded offline", first);
	else
		xb_fail(err, XB_E_NETWORK,
			"'%s' and %zu more files are not in the store, and nothing is downloaded offline", first,
			n - 1);
	return xb_hint(err, "run 'xbuild fetch' once without --offline");
}

static void tell_fetched(const struct run *run)
{
	char size[XB_NUM_SIZE_MAX];
	char *label XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s in %zu %s, %zu from cache", xb_num_size(run->summary.bytes, size), run->summary.n_files,
			  run->summary.n_files == 1 ? "file" : "files", run->summary.n_cached);
	const struct xb_event event = {.kind = XB_EVENT_DONE,
				       .verb = "Fetched",
				       .label = label,
				       .elapsed_ms = xb_host_monotonic_ms() - run->began_ms};

	if (run->summary.n_files)
		xb_observe(run->plan.app->observer, &event);
}

static void tell_packages(struct run *run)
{
	const size_t n = atomic_load(&run->n_packages);
	char *label XB_CLEANUP(xb_free_ptr) = xb_printf("%zu %s for images", n, n == 1 ? "package" : "packages");
	/* packages are asked for target by target */
	const struct xb_event event = {.kind = XB_EVENT_DONE,
				       .verb = "Unpacked",
				       .label = label,
				       .target = n ? run->plan.trees.items[0].want.name : NULL};

	if (n)
		xb_observe(run->plan.app->observer, &event);
}

/* Loads what the plan has. */
static int download(struct run *run, struct xb_err *err)
{
	struct fetch_plan *plan = &run->plan;
	int rc = 0;

	for (size_t i = 0; i < plan->blobs.len; i++)
		run->summary.n_cached += !plan->blobs.items[i].is_missing;
	for (size_t at = 0; rc == 0 && at < plan->blobs.len;)
		rc = run_batch(run, &at, err);
	xb_filelock_release(&plan->downloads);
	if (rc == 0)
		tell_fetched(run);
	return rc;
}

/* Loads and unpacks what the plan has. */
static int carry_out(struct run *run, struct xb_err *err)
{
	struct fetch_plan *plan = &run->plan;
	int rc = 0;

	if (plan->app->options.offline && refuse_offline(plan, err) < 0)
		return err->code;
	run->pool = xb_pool_new(xb_app_jobs(plan->app));
	run->jobs = xb_alloc((plan->trees.len + 1) * sizeof(*run->jobs));
	for (size_t i = 0; i < plan->trees.len; i++) {
		run->jobs[i] = (struct job){.run = run, .tree = &plan->trees.items[i]};
		if (!plan->trees.items[i].n_missing)
			start_tree(run, i);
	}
	rc = download(run, err);
	if (rc < 0)
		return rc;
	atomic_store(&run->is_fetched, true);
	show_unpacking(run);
	rc = xb_pool_wait(run->pool, err);
	if (rc == 0)
		rc = publish_packages(run, err);
	tell_packages(run);
	run->summary.n_trees = atomic_load(&run->n_made);
	return rc;
}

/* Only where something is not in the store is the bundle read, as a whole and once. */
static int take_bundle(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_err *err)
{
	bool there = true;

	if (!app->options.bundle || app->bundle_is_read)
		return 0;
	for (size_t i = 0; there && i < n_wants; i++)
		if (wants[i].kind != XB_WANT_CONTENTS && xb_want_is_there(app, &wants[i], &there, err) < 0)
			return err->code;
	if (there)
		return 0;
	app->bundle_is_read = true;
	return bundle_import(app, err);
}

/* What is no tree. One after the other: each is a few large files, which come side by side. */
static int supply_others(struct xb_app *app, const struct xb_want *wants, size_t n_wants, size_t *n_made,
			 struct xb_err *err)
{
	for (size_t i = 0; i < n_wants; i++) {
		const struct xb_image *image;
		const struct xb_target *target;
		bool there;

		if (wants[i].kind == XB_WANT_CONTENTS && contents_supply(app, &wants[i], err) < 0)
			return err->code;
		if (wants[i].kind != XB_WANT_BASE)
			continue;
		if (xb_want_is_there(app, &wants[i], &there, err) < 0 ||
		    xb_want_image(app, &wants[i], &image, &target, err) < 0)
			return err->code;
		if (there)
			continue;
		++*n_made;
		if (base_supply(app, image, target, wants[i].package != NULL, err) < 0)
			return err->code;
	}
	return 0;
}

int fetch_all_blobs(struct fetch_plan *plan, const struct xb_want *wants, size_t n_wants, struct xb_err *err)
{
	struct run run = {.plan = *plan, .began_ms = xb_host_monotonic_ms()};
	size_t n_bases = 0;
	int rc;

	run.plan.only_blobs = true;
	rc = take_bundle(plan->app, wants, n_wants, err);
	if (rc == 0)
		rc = supply_others(plan->app, wants, n_wants, &n_bases, err);
	if (rc == 0)
		rc = fetch_plan_make(&run.plan, wants, n_wants, err);
	if (rc == 0 && plan->app->options.offline)
		rc = refuse_offline(&run.plan, err);
	if (rc == 0 && download(&run, err) < 0)
		rc = xb_app_hint_fetch(plan->app, err);
	*plan = run.plan;
	return rc;
}

int xb_op_fetch(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_fetch_summary *out,
		struct xb_err *err)
{
	struct run run XB_CLEANUP(run_release) = {.plan.app = app, .began_ms = xb_host_monotonic_ms()};
	const bool all = n_wants == 0;
	size_t n_bases = 0;

	if (xb_app_need_lock(app, err) < 0 || xb_app_need_store(app, err) < 0)
		return err->code;
	if (all)
		n_wants = fetch_default_wants(app, &wants);
	if (take_bundle(app, wants, n_wants, err) < 0 || supply_others(app, wants, n_wants, &n_bases, err) < 0)
		return err->code;
	if (fetch_plan_make(&run.plan, wants, n_wants, err) < 0)
		return err->code;
	if (run.plan.trees.len && carry_out(&run, err) < 0)
		return xb_app_hint_fetch(app, err);
	if (all && !run.plan.trees.len && !n_bases)
		xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_DONE,
							     .verb = "Fetched",
							     .label = "nothing: all that is locked is in the store"});
	*out = run.summary;
	return 0;
}
