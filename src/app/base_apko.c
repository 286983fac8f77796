/* SPDX-License-Identifier: Apache-2.0 */
#include "base_apko.h"
#include "base.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/model/apko_lock.h"

void base_apko_release(struct base_apko *apko)
{
	if (!apko)
		return;
	xb_apko_free(apko->config);
	*apko = (struct base_apko){0};
}

static bool has_arch(const struct xb_lock_apko *locked, const char *arch)
{
	for (size_t i = 0; i < locked->n_packages; i++) {
		if (strcmp(locked->packages[i].arch, arch) == 0)
			return true;
	}
	return false;
}

int base_apko_open(struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
		   struct xb_diags *diags, struct base_apko *out, struct xb_err *err)
{
	const struct xb_lock_apko *locked = xb_lock_apko(app->lock, image->apko);
	struct base_apko apko = {0};

	if (!locked || !has_arch(locked, target->apk_arch)) {
		xb_fail(err, XB_E_LOCK, "%s has no packages of '%s' for %s", XB_LOCK_NAME, image->apko, target->name);
		return xb_hint(err, "add %s to its 'archs', if it has any, and run 'xbuild lock'", target->apk_arch);
	}
	if (xb_apko_load(app->project->dir, image->apko, &apko.config, diags, err) < 0)
		return err->code;
	apko.spec = (struct xb_apk_image_spec){.config = apko.config,
					       .locked = locked,
					       .arch = target->apk_arch,
					       .annotations = &apko.config->annotations};
	*out = apko;
	return 0;
}

/* Keys are not looked at: they may have been fetched since, and only packages are taken of such a file. */
static bool is_same_package(const struct xb_lock_apk *a, const struct xb_lock_apk *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->version, b->version) == 0 && strcmp(a->arch, b->arch) == 0 &&
	       strcmp(a->url, b->url) == 0 && strcmp(a->checksum, b->checksum) == 0 &&
	       a->signature_bytes == b->signature_bytes && a->control_bytes == b->control_bytes &&
	       a->size_bytes == b->size_bytes && xb_digest_eq(&a->data, &b->data);
}

/* Does the lock hold what apko.lock.json says? */
static bool is_of_file(const struct xb_app *app, const struct xb_lock_apko *locked, const char *file)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(app->project->dir, file);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_apko_lock *lock;
	bool is_same;

	if (xb_apko_lock_read(path, &lock, &ignored) < 0)
		return false;
	is_same = lock->n_packages == locked->n_packages;
	for (size_t i = 0; i < locked->n_packages && is_same; i++)
		is_same = is_same_package(&lock->packages[i], &locked->packages[i]);
	xb_apko_lock_free(lock);
	return is_same;
}

const char *base_apko_stale(struct xb_app *app, const struct xb_lock *lock, const struct xb_image *image)
{
	const struct xb_lock_apko *locked = xb_lock_apko(lock, image->apko);
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const struct xb_project *p = app->project;
	struct xb_apko *config = NULL;
	const char *reason = NULL;

	if (!locked)
		return xb_arena_printf(&app->arena, "it has no '%s'", image->apko);
	if (xb_apko_load(p->dir, image->apko, &config, &diags, &ignored) < 0)
		return xb_arena_printf(&app->arena, "'%s' cannot be read", image->apko);
	if (!xb_digest_eq(&config->digest, &locked->config))
		reason = xb_arena_printf(&app->arena, "'%s' changed", image->apko);
	else if (image->apko_lock && !is_of_file(app, locked, image->apko_lock))
		reason = xb_arena_printf(&app->arena, "'%s' changed", image->apko_lock);
	xb_apko_free(config);
	for (size_t i = 0; i < p->n_targets && !reason; i++) {
		const struct xb_target *target = p->targets[i].target;

		if (base_covers(image, target) && !has_arch(locked, target->apk_arch))
			reason = xb_arena_printf(&app->arena, "it has no packages of '%s' for %s", image->apko,
						 target->name);
	}
	return reason;
}

int base_apko_is_there(struct xb_app *app, const struct xb_image *image, const struct xb_target *target, bool *out,
		       struct xb_err *err)
{
	struct base_apko apko XB_CLEANUP(base_apko_release) = {0};
	struct xb_apk_base base;
	struct xb_digest key;

	if (base_apko_open(app, image, target, &app->diags, &apko, err) < 0)
		return err->code;
	xb_apk_base_key(&apko.spec, &key);
	*out = xb_apk_base_find(app->store, &key, &base) == 1;
	xb_apk_base_release(&base);
	return 0;
}
