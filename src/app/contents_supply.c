/* SPDX-License-Identifier: Apache-2.0 */
/* Contents indexes of the suites of a lock, into the store: part of xbuild-supply. */
#include <stdlib.h>
#include <string.h>

#include "contents.h"
#include "lock_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/pkg/deb_contents.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fetch.h"
#include "xbuild/sys/fs.h"

struct supply {
	struct lock_plan plan;
	const char *arch;   /* Debian's name, or "all" */
	struct xb_str list; /* of the parts, in the making */
	uint64_t bytes;	    /* downloaded */
	size_t n_files;
};

static void supply_release(struct supply *s)
{
	lock_plan_release(&s->plan);
	xb_str_release(&s->list);
}

/* Written beside its place and renamed: whoever reads it finds all of it. */
static int publish(struct xb_app *app, const struct xb_str *text, const char *path, struct xb_err *err)
{
	char *tmp XB_CLEANUP(xb_free_ptr) = xb_store_tmp(app->store);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	if (xb_atomic_file_write(tmp, xb_str_get(text), text->len, 0644, XB_ATOMIC_SYNC, err) == 0 &&
	    xb_store_publish(tmp, path, err) == 0)
		return 0;
	(void)!xb_fs_remove(tmp, &ignored);
	return err->code;
}

static int reduce(struct supply *s, int fd, const char *label, const char *path, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_observe(s->plan.app->observer, &(struct xb_event){.kind = XB_EVENT_PHASE, .label = "reading the index"});
	if (xb_deb_contents_reduce(fd, label, s->plan.app->interrupted, &text, err) < 0)
		return err->code;
	return publish(s->plan.app, &text, path, err);
}

static int fetch_part(struct supply *s, const struct lock_suite *suite, const struct xb_release_file *file,
		      const char *path, struct xb_err *err)
{
	struct xb_app *app = s->plan.app;
	struct xb_cas_writer writer XB_CLEANUP(xb_cas_discard) = {.fd = -1};
	const struct xb_fetch_opts opts = {
		.phase = "index of files", .observer = app->observer, .interrupted = app->interrupted};
	struct xb_fetch_req req = {
		.label = xb_arena_printf(&s->plan.arena, "%s/%s", suite->suite->path, file->path),
		.size_bytes = file->size_bytes,
		.max_bytes = XB_MAX_CONTENTS_FILE_BYTES,
		.digest = &file->sha256,
	};
	int rc;

	if (file->size_bytes > XB_MAX_CONTENTS_FILE_BYTES)
		return xb_fail(err, XB_E_INPUT, "index '%s' is larger than allowed", req.label);
	if (xb_cas_begin(app->store, &writer, err) < 0)
		return err->code;
	req.fd = writer.fd;
	req.urls = lock_file_urls(&s->plan, suite, file, &req.n_urls);
	rc = xb_fetch_run(&req, 1, &opts, err);
	xb_err_release(&req.err);
	if (rc < 0)
		return xb_app_hint_fetch(app, err);
	s->bytes += (uint64_t)req.got_bytes;
	s->n_files++;
	return reduce(s, writer.fd, req.label, path, err);
}

/* Debian has one per component; others one for the whole suite ("Contents indices", "Legacy location"). */
static const struct xb_release_file *find_file(struct supply *s, const struct lock_suite *suite, const char *component)
{
	const char *slash = *component ? "/" : "";
	const char *path = xb_arena_printf(&s->plan.arena, "%s%sContents-%s.gz", component, slash, s->arch);

	return xb_release_find(suite->release, path);
}

static int add_part(struct supply *s, const struct lock_suite *suite, const char *component, struct xb_err *err)
{
	const struct xb_release_file *file = find_file(s, suite, component);
	char *path XB_CLEANUP(xb_free_ptr) = NULL;
	char hex[XB_DIGEST_HEX];

	if (!file)
		return 0;
	path = xb_store_path(s->plan.app->store, "contents", &file->sha256);
	if (!xb_fs_exists(path) && fetch_part(s, suite, file, path, err) < 0)
		return err->code;
	xb_str_printf(&s->list, "%s %lld %s\n", xb_digest_hex(&file->sha256, hex), (long long)suite->release->date,
		      suite->suite->id);
	return 0;
}

static int add_parts(struct supply *s, struct xb_err *err)
{
	for (size_t i = 0; i < s->plan.suites.len; i++) {
		const struct lock_suite *suite = &s->plan.suites.items[i];

		if (!suite->release)
			continue;
		for (size_t c = 0; c < suite->suite->components.len; c++)
			if (add_part(s, suite, suite->suite->components.items[c], err) < 0)
				return err->code;
		if (add_part(s, suite, "", err) < 0)
			return err->code;
	}
	return 0;
}

static void tell(const struct supply *s, int64_t began_ms)
{
	char size[XB_NUM_SIZE_MAX];
	char *label XB_CLEANUP(xb_free_ptr) =
		xb_printf("the index of files for %s, %s", s->arch, xb_num_size(s->bytes, size));

	if (s->n_files)
		xb_observe(s->plan.app->observer, &(struct xb_event){.kind = XB_EVENT_DONE,
								     .verb = "Fetched",
								     .label = label,
								     .elapsed_ms = xb_host_monotonic_ms() - began_ms});
}

/* The Release of today names the index of today: an archive keeps no old ones, but for a snapshot. */
static int supply(struct xb_app *app, const struct xb_want *want, struct xb_err *err)
{
	const struct xb_lock_opts opts = {.allow_rollback = true};
	const int64_t began_ms = xb_host_monotonic_ms();
	struct supply s XB_CLEANUP(supply_release) = {.plan = {.app = app, .opts = &opts}, .arch = contents_arch(want)};
	struct xb_filelock turn XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	char *path XB_CLEANUP(xb_free_ptr) = contents_path(app, want);
	const struct lock_want suites = {.target = want->name};

	if (xb_store_lock(app->store, "contents", &turn, err) < 0)
		return err->code;
	if (xb_fs_exists(path))
		return 0;
	if (app->options.offline)
		return xb_fail(err, XB_E_NETWORK, "the index of files cannot be read offline");
	xb_str_append(&s.list, CONTENTS_OF_HEAD);
	if (lock_plan_snapshot(&s.plan, err) < 0 ||
	    lock_plan_add(&s.plan, &app->sysroot->debian, s.arch, suites, err) < 0 ||
	    lock_suites_fetch(&s.plan, err) < 0 || add_parts(&s, err) < 0 || publish(app, &s.list, path, err) < 0)
		return err->code;
	tell(&s, began_ms);
	return 0;
}

int contents_supply(struct xb_app *app, const struct xb_want *want, struct xb_err *err)
{
	struct xb_err one XB_CLEANUP(xb_err_release) = {0};
	char *text XB_CLEANUP(xb_free_ptr) = NULL;

	if (supply(app, want, &one) == 0)
		return 0;
	if (!want->image || one.code == XB_E_INTERRUPTED) {
		xb_err_move(err, &one);
		return err->code;
	}
	text = xb_printf("which package has what is missing cannot be told: %s", one.msg);
	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
	return 0;
}
