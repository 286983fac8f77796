/* SPDX-License-Identifier: Apache-2.0 */
/* What the lock says of toolchains and sysroots that are no packages. */
#include <stdlib.h>
#include <string.h>

#include "archives.h"
#include "lock_plan.h"
#include "sources.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fetch.h"
#include "xbuild/sysroot/sysroot.h"

static int refuse_other(struct xb_app *app, const struct xb_archive_ref *ref, const struct xb_digest *found,
			struct xb_err *err)
{
	char expected_hex[XB_DIGEST_HEX], found_hex[XB_DIGEST_HEX];

	xb_diags_add(&app->diags, ref->at, app->project->source, "'%s' has the sha256 %s instead of %s",
		     ref->url + strlen(XB_LOCAL_FILE), xb_digest_hex(found, found_hex),
		     xb_digest_hex(&ref->sha256, expected_hex));
	return xb_fail(err, XB_E_INPUT, "%s is not valid", app->project->file);
}

static int fetch_signature(struct lock_plan *plan, const struct xb_archive_ref *ref, struct xb_lock_signature *out,
			   struct xb_err *err)
{
	struct xb_app *app = plan->app;
	struct xb_cas_writer writer XB_CLEANUP(xb_cas_discard) = {0};
	const struct xb_fetch_opts opts = {.observer = app->observer, .interrupted = app->interrupted};
	struct xb_fetch_req req = {.urls = &ref->signature,
				   .n_urls = 1,
				   .label = xb_archive_name(ref->signature),
				   .size_bytes = -1,
				   .max_bytes = XB_MAX_SIGNATURE_BYTES};
	int rc;

	if (xb_cas_begin(app->store, &writer, err) < 0)
		return err->code;
	req.fd = writer.fd;
	rc = xb_fetch_run(&req, 1, &opts, err);
	xb_err_release(&req.err);
	if (rc < 0)
		return xb_app_hint_fetch(app, err);
	out->sha256 = req.got_digest;
	out->size_bytes = req.got_bytes;
	return xb_cas_commit(&writer, &req.got_digest, err);
}

static int lock_signature(struct lock_plan *plan, const struct xb_archive_ref *ref,
			  const struct xb_lock_archive *before, struct xb_lock_archive *out, struct xb_err *err)
{
	struct xb_app *app = plan->app;
	struct xb_lock_signature *signature = &out->signature;
	char *key XB_CLEANUP(xb_free_ptr) = NULL;

	if (!ref->signature)
		return 0;
	key = xb_path_join(app->project->dir, ref->key);
	signature->url = ref->signature;
	if (xb_digest_file(key, &signature->key, NULL, err) < 0) {
		if (err->code == XB_E_NOT_FOUND) {
			xb_diags_add(&app->diags, ref->at, app->project->source, "archive: there is no key file '%s'",
				     ref->key);
			err->code = XB_E_INPUT;
		}
		return err->code;
	}
	if (archive_is_local(ref->signature)) {
		if (archive_measure(app, ref->signature, &ref->at, &signature->sha256, &signature->size_bytes, err) < 0)
			return err->code;
		return signature->size_bytes > XB_MAX_SIGNATURE_BYTES
			       ? xb_fail(err, XB_E_INPUT, "signature '%s' is larger than allowed", ref->signature)
			       : 0;
	}
	if (before && before->url && before->signature.url && strcmp(before->signature.url, ref->signature) == 0 &&
	    xb_digest_eq(&before->sha256, &out->sha256) && !plan->opts->update) {
		signature->sha256 = before->signature.sha256;
		signature->size_bytes = before->signature.size_bytes;
		return 0;
	}
	return fetch_signature(plan, ref, signature, err);
}

static int lock_archive(struct lock_plan *plan, const struct xb_archive_ref *ref, const struct xb_lock_archive *before,
			struct xb_lock_archive *out, struct xb_err *err)
{
	*out = (struct xb_lock_archive){.url = ref->url, .sha256 = ref->sha256, .size_bytes = ref->size_bytes};
	if (archive_is_local(ref->url)) {
		if (archive_measure(plan->app, ref->url, &ref->at, &out->sha256, &out->size_bytes, err) < 0)
			return err->code;
		if (!xb_digest_is_zero(&ref->sha256) && !xb_digest_eq(&ref->sha256, &out->sha256))
			return refuse_other(plan->app, ref, &out->sha256, err);
	}
	return lock_signature(plan, ref, before, out, err);
}

/* A directory is taken into the store, as a tree: its digest is what is locked. */
static int lock_directory(struct lock_plan *plan, const struct xb_archive_ref *ref, struct xb_lock_sysroot *out,
			  struct xb_err *err)
{
	struct xb_app *app = plan->app;
	char *path XB_CLEANUP(xb_free_ptr) = sources_path(app->project, ref->url);
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};

	out->is_directory = true;
	out->archive = (struct xb_lock_archive){.url = ref->url, .size_bytes = -1};
	if (xb_sysroot_take(app->store, app->sysroot, path, NULL, &tree, err) < 0) {
		if (err->code == XB_E_NOT_FOUND) {
			xb_diags_add(&app->diags, ref->at, app->project->source, "there is no directory '%s'", path);
			err->code = XB_E_INPUT;
		}
		return err->code;
	}
	out->archive.sha256 = tree.digest;
	return 0;
}

int lock_archives(struct lock_plan *plan, struct xb_lock *lock, struct xb_err *err)
{
	const struct xb_app *app = plan->app;

	for (size_t i = 0; i < lock->n_toolchains; i++) {
		struct xb_lock_toolchain *t = &lock->toolchains[i];
		const struct xb_archive_ref *ref = xb_archive_ref_find(&app->toolchain->archives, t->host);
		const struct xb_lock_toolchain *old = plan->before ? xb_lock_toolchain(plan->before, t->host) : NULL;

		if (t->archive.url && lock_archive(plan, ref, old ? &old->archive : NULL, &t->archive, err) < 0)
			return xb_wrap(err, "toolchain of %s", t->host);
	}
	for (size_t i = 0; app->sysroot->archives.len && i < lock->n_sysroots; i++) {
		struct xb_lock_sysroot *s = &lock->sysroots[i];
		const struct xb_archive_ref *ref = xb_archive_ref_find(&app->sysroot->archives, s->target);
		const struct xb_lock_sysroot *old = plan->before ? xb_lock_sysroot(plan->before, s->target) : NULL;

		if (app->project->sysroot_source == XB_SYSROOT_DIR
			    ? lock_directory(plan, ref, s, err) < 0
			    : lock_archive(plan, ref, old ? &old->archive : NULL, &s->archive, err) < 0)
			return xb_wrap(err, "sysroot of %s", s->target);
	}
	return 0;
}
