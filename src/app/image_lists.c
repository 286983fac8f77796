/* SPDX-License-Identifier: Apache-2.0 */
#include "image_lists.h"

#include <string.h>

/* Descriptions are kept at the index of their image. */
const struct xb_image_desc *image_list_desc(const struct xb_app *app, const struct xb_image *image)
{
	return app->images ? app->images[image - app->project->images] : NULL;
}

int image_lists_load(struct xb_app *app, struct xb_err *err)
{
	const struct xb_project *p = app->project;

	if (app->images)
		return 0;
	app->n_images = p->n_images;
	app->images = xb_arena_array(&app->arena, p->n_images + 1, sizeof(struct xb_image_desc *));
	for (size_t i = 0; i < p->n_images; i++) {
		const struct xb_image *image = &p->images[i];
		const char *name = image->base_name ? image->base_name : XB_IMAGE_PLAIN;

		if (image->base != XB_BASE_DEBIAN && !image->packages.len)
			continue;
		if (xb_image_desc_load(app->data_dir, name, &app->images[i], &app->diags, err) < 0)
			return err->code;
	}
	return 0;
}

struct xb_list image_list_wishes(const struct xb_app *app, const struct xb_image *image, struct xb_arena *arena)
{
	const struct xb_image_desc *desc = image_list_desc(app, image);
	const size_t n_desc = desc ? desc->packages.len : 0;
	struct xb_list all = {0};

	all.items =
		xb_arena_array(arena, n_desc + image->base_packages.len + image->packages.len + 1, sizeof(*all.items));
	for (size_t i = 0; i < n_desc; i++)
		all.items[all.len++] = desc->packages.items[i];
	for (size_t i = 0; i < image->base_packages.len; i++)
		all.items[all.len++] = image->base_packages.items[i];
	for (size_t i = 0; i < image->packages.len; i++)
		all.items[all.len++] = image->packages.items[i];
	return all;
}

bool image_is_for(const struct xb_image *image, const struct xb_target *target)
{
	for (size_t i = 0; i < image->targets.len; i++) {
		if (strcmp(image->targets.items[i], target->name) == 0)
			return true;
	}
	return image->targets.len == 0;
}

static bool has_wish(const struct xb_lock_packages *packages, const char *wish)
{
	struct xb_sv rest = xb_sv(wish);

	while (rest.ptr) {
		const struct xb_sv name = xb_sv_trim(xb_sv_cut(&rest, '|'));

		for (size_t i = 0; i < packages->len; i++) {
			if (xb_sv_eq_str(name, packages->items[i].name))
				return true;
		}
	}
	return false;
}

/* Programs are linked with the sysroot's libraries and run with those of the image: they have to be the same. */
static const char *disagreement(struct xb_app *app, const struct xb_lock *lock, const struct xb_lock_image *list)
{
	const struct xb_lock_sysroot *sysroot = xb_lock_sysroot(lock, list->target);

	for (size_t i = 0; sysroot && i < list->packages.len; i++) {
		const struct xb_lock_package *a = &list->packages.items[i];
		const struct xb_lock_package *b = xb_lock_package(&sysroot->packages, a->name);

		if (b && strcmp(a->version, b->version) != 0)
			return xb_arena_printf(&app->arena,
					       "image '%s' has package '%s' %s for target '%s', and the sysroot has %s",
					       list->image, a->name, a->version, list->target, b->version);
	}
	return NULL;
}

static const char *stale_list(struct xb_app *app, const struct xb_lock *lock, const struct xb_image *image,
			      const char *target)
{
	const struct xb_list wishes = image_list_wishes(app, image, &app->arena);
	const struct xb_lock_image *list = xb_lock_image(lock, image->name, target);

	if (!wishes.len)
		return NULL;
	if (!list)
		return xb_arena_printf(&app->arena, "it has no packages of image '%s' for target '%s'", image->name,
				       target);
	for (size_t i = 0; i < wishes.len; i++) {
		if (!has_wish(&list->packages, wishes.items[i]))
			return xb_arena_printf(&app->arena, "it has no package '%s' of image '%s' for target '%s'",
					       wishes.items[i], image->name, target);
	}
	return disagreement(app, lock, list);
}

const char *image_lists_stale(struct xb_app *app, const struct xb_lock *lock)
{
	const struct xb_project *p = app->project;
	const char *reason = NULL;

	for (size_t i = 0; i < p->n_images; i++) {
		for (size_t k = 0; k < p->n_targets && !reason; k++) {
			if (image_is_for(&p->images[i], p->targets[k].target))
				reason = stale_list(app, lock, &p->images[i], p->targets[k].target->name);
		}
	}
	return reason;
}
