/* SPDX-License-Identifier: Apache-2.0 */
#include "lock_plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/pkg/mirror.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fetch.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/openpgp.h"

#define APT_DIR "/etc/apt"

static int find_mirrors(struct lock_plan *plan, struct lock_suite *s, struct xb_err *err)
{
	struct xb_err no_config XB_CLEANUP(xb_err_release) = {0};
	char *config_dir XB_CLEANUP(xb_free_ptr) = NULL;
	const struct xb_archive_site *site = xb_debian_site(s->debian, s->suite->archive);
	struct xb_mirror_opts opts = {
		.flag = plan->app->options.mirror,
		.apt_dir = APT_DIR,
		.snapshot = plan->snapshot,
		.snapshot_only = plan->snapshot != NULL,
	};

	if (!site)
		return xb_fail(err, XB_E_INPUT, "suite '%s' is of an archive '%s' that the data file does not describe",
			       s->suite->id, s->suite->archive);
	if (xb_host_config_dir(&config_dir, &no_config) == 0) /* no home directory is no configuration */
		opts.config_dir = config_dir;
	return xb_mirror_list(site, &opts, &plan->arena, &s->urls, err);
}

static const char **release_urls(struct lock_plan *plan, const struct lock_suite *s)
{
	const char **urls = xb_arena_array(&plan->arena, s->urls.len, sizeof(*urls));

	for (size_t i = 0; i < s->urls.len; i++)
		urls[i] = xb_arena_printf(&plan->arena, "%s/dists/%s/InRelease", s->urls.items[i], s->suite->path);
	return urls;
}

static int read_fd(int fd, const char *name, int64_t size_bytes, struct xb_str *out, struct xb_err *err)
{
	char block[16384];
	int64_t n;

	out->max_bytes = XB_MAX_RELEASE_BYTES;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return xb_fail_errno(err, "read '%s'", name);
	while ((n = xb_fs_read_some(fd, block, sizeof(block), name, err)) > 0)
		if (!xb_str_append_n(out, block, (size_t)n))
			return xb_fail(err, XB_E_NETWORK, "'%s' is larger than allowed", name);
	if (n < 0)
		return err->code;
	if ((int64_t)out->len != size_bytes)
		return xb_fail(err, XB_E_SYSTEM, "read '%s': %zu bytes of %lld", name, out->len, (long long)size_bytes);
	return 0;
}

/* The oldest Date that the suite may have. */
static int64_t not_before(const struct lock_plan *plan, const struct lock_suite *s)
{
	const struct xb_lock_suite *old = plan->before ? xb_lock_suite(plan->before, s->suite->id) : NULL;

	/* Who names a snapshot has asked for a date. */
	return old && !plan->opts->allow_rollback && !plan->snapshot ? old->date : 0;
}

static int check_release(struct lock_plan *plan, struct lock_suite *s, struct xb_sv document, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {.max_bytes = XB_MAX_RELEASE_BYTES};
	const char *name = xb_arena_printf(&plan->arena, "%s/InRelease", s->suite->path);
	const char *key_file = s->suite->key_file;
	const struct xb_openpgp_keys keys = {
		.files = key_file ? &key_file : s->debian->key_files.items,
		.n_files = key_file ? 1 : s->debian->key_files.len,
		.fingerprints = s->suite->fingerprints.items,
		.n_fingerprints = s->suite->fingerprints.len,
		.any_key = key_file != NULL,
	};
	struct xb_release *release = NULL;
	int64_t now = xb_host_now();

	if (xb_openpgp_verify(document, name, &keys, now, &text, s->signed_by, err) < 0 ||
	    xb_release_parse(xb_str_sv(&text), name, &release, err) < 0)
		return err->code;
	/* A snapshot is old by intention: Valid-Until is judged as of its own date. */
	if (plan->snapshot && release->date < now)
		now = release->date;
	if (xb_release_check(release, s->suite, now, not_before(plan, s), err) < 0) {
		xb_release_free(release);
		return err->code;
	}
	s->release = release;
	return 0;
}

/* Puts the base URL `index` first, so that the indexes come from the mirror that the release came from. */
static void prefer_url(struct lock_suite *s, size_t index)
{
	const char *url = s->urls.items[index];

	memmove(s->urls.items + 1, s->urls.items, index * sizeof(*s->urls.items));
	s->urls.items[0] = url;
}

/* Drops the base URLs up to the one whose document was bad. */
static void drop_urls(struct lock_suite *s, size_t index)
{
	s->urls.items += index + 1;
	s->urls.len -= index + 1;
}

static size_t url_index(const struct xb_fetch_req *req)
{
	size_t i = 0;

	while (i + 1 < req->n_urls && req->urls[i] != req->got_url)
		i++;
	return i;
}

/* Was this suite in the lock? Then leaving it out would hide its updates. */
static bool was_locked(const struct lock_plan *plan, const struct lock_suite *s)
{
	return plan->before && xb_lock_suite(plan->before, s->suite->id) && !plan->opts->allow_rollback;
}

static void note(const struct lock_plan *plan, enum xb_event_kind kind, const char *text)
{
	const struct xb_event event = {.kind = kind, .text = text};

	xb_observe(plan->app->observer, &event);
}

static int take_failure(struct lock_plan *plan, struct lock_suite *s, struct xb_fetch_req *req, struct xb_err *err)
{
	if (s->suite->optional && req->err.code == XB_E_NOT_FOUND && !s->refused.code && !was_locked(plan, s)) {
		s->is_absent = true;
		note(plan, XB_EVENT_NOTE,
		     xb_arena_printf(&plan->arena, "suite '%s' is on no mirror and left out", s->suite->id));
		return 0;
	}
	xb_err_move(err, &req->err);
	xb_app_hint_fetch(plan->app, err);
	return xb_wrap(err, "read suite '%s'", s->suite->id);
}

/* A document that was fetched. A bad one is no end while there are other mirrors. */
static int take_document(struct lock_plan *plan, struct lock_suite *s, const struct xb_fetch_req *req,
			 struct xb_err *err)
{
	struct xb_str document XB_CLEANUP(xb_str_release) = {0};
	size_t index = url_index(req);

	if (read_fd(req->fd, req->label, req->got_bytes, &document, err) < 0)
		return err->code;
	s->in_release = req->got_digest;
	if (check_release(plan, s, xb_str_sv(&document), err) == 0) {
		prefer_url(s, index);
		return 0;
	}
	xb_wrap(err, "read suite '%s' from %s", s->suite->id, req->got_url);
	if (index + 1 >= s->urls.len)
		return err->code;
	note(plan, XB_EVENT_WARNING, xb_arena_printf(&plan->arena, "%s; trying the next mirror", err->msg));
	if (!s->refused.code)
		xb_err_move(&s->refused, err);
	xb_err_clear(err);
	drop_urls(s, index);
	return 0;
}

/* One round: fetches what has neither a release nor been given up. */
struct round {
	struct xb_fetch_req *reqs;
	struct xb_cas_writer *files;
	size_t *suites; /* index of the suite of a request */
	size_t n;
};

static void round_release(struct round *round)
{
	for (size_t i = 0; i < round->n; i++) {
		xb_cas_discard(&round->files[i]);
		xb_err_release(&round->reqs[i].err);
	}
	free(round->reqs);
	free(round->files);
	free(round->suites);
}

static int round_begin(struct lock_plan *plan, struct round *round, struct xb_err *err)
{
	round->reqs = xb_alloc(plan->suites.len * sizeof(*round->reqs));
	round->files = xb_alloc(plan->suites.len * sizeof(*round->files));
	round->suites = xb_alloc(plan->suites.len * sizeof(*round->suites));
	for (size_t i = 0; i < plan->suites.len; i++) {
		struct lock_suite *s = &plan->suites.items[i];

		if (s->release || s->is_absent)
			continue;
		if (xb_cas_begin(plan->app->store, &round->files[round->n], err) < 0)
			return err->code;
		round->reqs[round->n] = (struct xb_fetch_req){
			.urls = release_urls(plan, s),
			.n_urls = s->urls.len,
			.label = xb_arena_printf(&plan->arena, "%s/InRelease", s->suite->path),
			.fd = round->files[round->n].fd,
			.size_bytes = -1,
			.max_bytes = XB_MAX_RELEASE_BYTES,
		};
		round->suites[round->n++] = i;
	}
	return 0;
}

/* The first failure is told; one that is not of the network goes before one that is. */
static void keep_failure(struct xb_err *err, struct xb_err *one)
{
	if (err->code && (err->code != XB_E_NETWORK || one->code == XB_E_NETWORK))
		return;
	xb_err_clear(err);
	xb_err_move(err, one);
}

/* That a mirror cannot be reached is no news beside one that lies, or beside a clock that is wrong. */
static void prefer_refusal(struct lock_plan *plan, struct xb_err *err)
{
	for (size_t i = 0; i < plan->suites.len && err->code == XB_E_NETWORK; i++) {
		if (!plan->suites.items[i].refused.code)
			continue;
		xb_err_clear(err);
		xb_err_move(err, &plan->suites.items[i].refused);
	}
}

/* 1: something was fetched, look again; 0: nothing was left to fetch. */
static int fetch_round(struct lock_plan *plan, struct xb_err *err)
{
	struct round round XB_CLEANUP(round_release) = {0};
	const struct xb_fetch_opts opts = {
		.phase = "Release files",
		.observer = plan->app->observer,
		.interrupted = plan->app->interrupted,
	};
	struct xb_err any XB_CLEANUP(xb_err_release) = {0};

	if (round_begin(plan, &round, err) < 0)
		return err->code;
	if (round.n == 0)
		return 0;
	if (xb_fetch_run(round.reqs, round.n, &opts, &any) == XB_E_INTERRUPTED) {
		xb_err_move(err, &any);
		return err->code;
	}
	for (size_t i = 0; i < round.n; i++) {
		struct lock_suite *s = &plan->suites.items[round.suites[i]];
		struct xb_fetch_req *req = &round.reqs[i];
		struct xb_err one XB_CLEANUP(xb_err_release) = {0};

		/* Given up with the rest: it was no request that failed, but the run. */
		if (!req->got_url && !req->err.code) {
			xb_err_clear(err);
			xb_err_move(err, &any);
			return err->code;
		}
		if (req->got_url ? take_document(plan, s, req, &one) : take_failure(plan, s, req, &one))
			keep_failure(err, &one);
	}
	prefer_refusal(plan, err);
	return err->code ? (int)err->code : 1;
}

int lock_suites_fetch(struct lock_plan *plan, struct xb_err *err)
{
	int rc;

	for (size_t i = 0; i < plan->suites.len; i++) {
		struct lock_suite *s = &plan->suites.items[i];

		xb_release_free(s->release);
		s->release = NULL;
		s->is_absent = false;
		xb_err_clear(&s->refused);
		if (find_mirrors(plan, s, err) < 0)
			return err->code;
	}
	while ((rc = fetch_round(plan, err)) > 0)
		;
	return rc;
}
