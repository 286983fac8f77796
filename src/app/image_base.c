/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "image_plan.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/image/closure.h"
#include "xbuild/image/packages.h"
#include "xbuild/store/action_cache.h"

/* Parts of keys in the store: change one whenever the same input could give another answer. */
#define CHOICE_VERSION "xbuild packages 1"
#define CHECK_VERSION  "xbuild closure 2"

int image_wrap(struct xb_err *err, const char *noun, const char *name)
{
	return err->msg && err->msg[0] ? xb_wrap(err, "%s '%s'", noun, name) : (int)err->code;
}

static const struct xb_lock_packages *locked_packages(const struct image_run *run, const struct xb_target *target,
						      struct xb_err *err)
{
	const struct xb_lock_sysroot *sysroot = xb_lock_sysroot(run->app->lock, target->name);

	if (!sysroot) {
		xb_fail(err, XB_E_LOCK, "the lock has no sysroot for %s", target->name);
		xb_hint(err, "run 'xbuild lock'");
		return NULL;
	}
	return &sysroot->packages;
}

/* Digest of the whole list under a version text, which also names what else the answer depends on. */
static void key_of(const struct xb_rootfs *rootfs, const char *version, struct xb_digest *out)
{
	const struct xb_rootfs_entry **all = xb_alloc(rootfs->len * sizeof(*all));

	for (size_t i = 0; i < rootfs->len; i++)
		all[i] = &rootfs->items[i];
	xb_rootfs_digest(version, all, rootfs->len, out);
	free(all);
}

static bool recall(struct image_run *run, const struct xb_digest *key, struct xb_sv *out_text)
{
	struct xb_reapi_result result = {0};

	if (xb_action_get(run->app->store, key, &run->app->arena, &result) != 1 || result.n_outputs != 0)
		return false;
	*out_text = result.output_text;
	return true;
}

static int remember(struct image_run *run, const struct xb_digest *key, const char *text, struct xb_err *err)
{
	const struct xb_reapi_result result = {.output_text = xb_sv(text)};

	return xb_action_put(run->app->store, key, &result, err);
}

/* What the choice depends on besides the image's own files: the sysroot and what the lock says about packages. */
static char *choice_version(const struct xb_target *target, const struct xb_sysroot_paths *sysroot,
			    const struct xb_lock_packages *locked)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];

	xb_str_printf(&text, "%s %s %s", CHOICE_VERSION, target->name, xb_digest_hex(&sysroot->digest, hex));
	for (size_t i = 0; i < locked->len; i++) {
		xb_str_printf(&text, "\n%s %s", locked->items[i].name, locked->items[i].version);
		for (size_t k = 0; k < locked->items[i].n_depends; k++)
			xb_str_printf(&text, " %s", locked->items[i].depends[k]);
	}
	return xb_str_steal(&text);
}

/* Names of the chosen packages, one a line. */
static int choose(const struct xb_target *target, const struct xb_rootfs *own, const struct xb_sysroot_paths *sysroot,
		  const struct xb_lock_packages *locked, struct xb_str *out, struct xb_err *err)
{
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_rootfs index XB_CLEANUP(xb_rootfs_release) = {0};
	struct xb_lacks lacks XB_CLEANUP(xb_lacks_release) = {0};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_lock_package **list;
	size_t len;

	if (xb_closure_find(own, target, &lacks, err) < 0 ||
	    xb_tree_read(sysroot->manifest, &sysroot->digest, &entries, err) < 0 ||
	    xb_packages_index(&entries, &index, err) < 0)
		return err->code;
	if (lacks.len && !locked->len) {
		xb_fail(err, XB_E_INPUT, "base: auto takes Debian packages, and the sysroot for %s is made of none",
			target->name);
		return xb_hint(err, "link statically, or name a base with the libraries: an image of a registry");
	}
	xb_packages_choose(&index, locked, target, &lacks, &arena, &list, &len);
	for (size_t i = 0; i < len; i++)
		xb_str_printf(out, "%s\n", list[i]->name);
	return 0;
}

void image_note_tree(struct image_run *run, const char *dir, const struct xb_digest *digest)
{
	const struct image_tree tree = {xb_arena_strdup(&run->app->arena, dir), *digest};

	XB_VEC_PUSH(&run->trees, tree);
}

static int recall_or_choose(struct image_run *run, const struct xb_target *target, const struct xb_rootfs *own,
			    struct xb_str *out, struct xb_err *err)
{
	const struct xb_lock_packages *locked = locked_packages(run, target, err);
	struct xb_sysroot_paths sysroot = {0};
	struct xb_digest key;
	struct xb_sv text;

	if (!locked || xb_provision_sysroot(run->app, target, &sysroot, err) < 0)
		return err->code;
	char *version XB_CLEANUP(xb_free_ptr) = choice_version(target, &sysroot, locked);

	key_of(own, version, &key);
	if (recall(run, &key, &text)) {
		xb_str_append_sv(out, text);
		return 0;
	}
	image_note_tree(run, sysroot.dir, &sysroot.digest);
	if (choose(target, own, &sysroot, locked, out, err) < 0)
		return err->code;
	return remember(run, &key, xb_str_get(out), err);
}

static int add_package(struct image_run *run, const struct xb_want *want, struct xb_rootfs *out, struct xb_err *err)
{
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	char *origin XB_CLEANUP(xb_free_ptr) = xb_printf("package %s", want->package);

	if (xb_provision_package(run->app, want, &tree, err) < 0)
		return image_wrap(err, "add package", want->package);
	image_note_tree(run, tree.dir, &tree.digest);
	if (xb_tree_read(tree.manifest, &tree.digest, &entries, err) < 0)
		return image_wrap(err, "add package", want->package);
	xb_rootfs_add_tree(out, &entries, tree.dir, origin);
	return 0;
}

/* The packages of a text of lines that the image's list does not have. The array is in arena. */
static struct xb_want *list_wants(const struct xb_target *target, struct xb_sv lines,
				  const struct xb_lock_packages *locked, const struct xb_lock_packages *list,
				  struct xb_arena *arena, size_t *out_len)
{
	struct xb_want *wants = xb_arena_array(arena, locked->len + 1, sizeof(*wants));
	size_t len = 0;

	while (lines.ptr && len < locked->len) {
		const struct xb_sv name = xb_sv_cut(&lines, '\n');
		const char *package = xb_arena_sv(arena, name);

		if (name.len && !xb_lock_package(list, package))
			wants[len++] =
				(struct xb_want){.kind = XB_WANT_PACKAGE, .name = target->name, .package = package};
	}
	*out_len = len;
	return wants;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int image_add_packages(struct image_run *run, const struct xb_image *image, const struct xb_rootfs *own,
		       struct xb_rootfs *out, struct xb_image_platform *platform, struct xb_arena *arena,
		       struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const struct xb_target *target = platform->target;
	const struct xb_lock_packages *list = image_list(run, image, target);
	const struct xb_lock_packages *locked = locked_packages(run, target, err);
	struct xb_want *wants;
	size_t n_wants;

	if (!locked || (image->base == XB_BASE_AUTO && recall_or_choose(run, target, own, &text, err) < 0))
		return err->code;
	wants = list_wants(target, xb_str_sv(&text), locked, list, arena, &n_wants);
	/* One call for all, so that what is missing comes in parallel. */
	if (n_wants && xb_provision(run->app, wants, n_wants, err) < 0)
		return err->code;
	platform->packages = xb_arena_array(arena, list->len + n_wants + 1, sizeof(*platform->packages));
	for (size_t i = 0; i < list->len; i++)
		platform->packages[platform->n_packages++] =
			xb_arena_printf(arena, "%s %s", list->items[i].name, list->items[i].version);
	for (size_t i = 0; i < n_wants; i++) {
		const struct xb_lock_package *package = xb_lock_package(locked, wants[i].package);

		if (add_package(run, &wants[i], out, err) < 0)
			return err->code;
		platform->packages[platform->n_packages++] =
			xb_arena_printf(arena, "%s %s", wants[i].package, package ? package->version : "");
	}
	qsort(platform->packages, platform->n_packages, sizeof(*platform->packages), compare_texts);
	return 0;
}

static const char *pair_value(const struct xb_pairs *pairs, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < pairs->len; i++) {
		if (strcmp(pairs->names[i], name) == 0)
			value = pairs->values[i];
	}
	return value;
}

static int check_program(const struct xb_image *image, const struct image_part *part, struct xb_err *err)
{
	const struct xb_document_config *run = &part->run;
	const struct xb_rootfs_entry *workdir = run->workdir ? xb_rootfs_resolve(&part->rootfs, run->workdir) : NULL;

	if (workdir && workdir->type != XB_TREE_DIR)
		return xb_fail(err, XB_E_VERIFY, "workdir '%s' is a file in the image: '/%s' (%s)", run->workdir,
			       workdir->path, workdir->origin);
	if (part->user.given && part->user.name &&
	    xb_closure_check_user(&part->rootfs, part->user.name, part->user.uid, err) < 0)
		return err->code;
	if (!run->entrypoint.len && !run->cmd.len)
		return 0;
	return xb_closure_check_program(
		&part->rootfs,
		&(struct xb_closure_program){
			.command = run->entrypoint.len ? run->entrypoint.items[0] : run->cmd.items[0],
			.workdir = run->workdir,
			.path = pair_value(&run->env, "PATH"),
			.uid = part->user.uid,
			.gid = part->user.gid,
			.base = image->base,
		},
		err);
}

/* Names of the sysroot's packages that have what lacks, joined; empty when nobody knows. */
static int find_owners(struct image_run *run, const struct xb_target *target, const struct xb_lacks *lacks,
		       struct xb_str *out, struct xb_err *err)
{
	const struct xb_lock_packages *locked = locked_packages(run, target, err);
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_rootfs index XB_CLEANUP(xb_rootfs_release) = {0};
	struct xb_map known XB_CLEANUP(xb_map_release) = {0};
	struct xb_sysroot_paths sysroot = {0};

	if (!locked || xb_provision_sysroot(run->app, target, &sysroot, err) < 0 ||
	    xb_tree_read(sysroot.manifest, &sysroot.digest, &entries, err) < 0 ||
	    xb_packages_index(&entries, &index, err) < 0)
		return err->code;
	for (size_t i = 0; i < lacks->len; i++) {
		const struct xb_lock_package *owner = xb_packages_owner(&index, locked, target, &lacks->items[i]);

		if (owner && !lacks->items[i].is_optional && !xb_map_put_str(&known, owner->name, &known))
			xb_str_printf(out, "%s%s", out->len ? ", " : "", owner->name);
	}
	return 0;
}

/* *out_note: what is lacking that the image is complete without. */
static int check_closure(struct image_run *run, const struct xb_image *image, const struct image_part *part,
			 struct xb_str *out_note, struct xb_err *err)
{
	struct xb_lacks lacks XB_CLEANUP(xb_lacks_release) = {0};
	struct xb_str owners XB_CLEANUP(xb_str_release) = {0};
	bool is_lacking = false;

	if (xb_closure_find(&part->rootfs, part->target, &lacks, err) < 0)
		return err->code;
	for (size_t i = 0; i < lacks.len; i++)
		is_lacking = is_lacking || !lacks.items[i].is_optional;
	/* base auto has taken what the sysroot has */
	if (is_lacking && image->base == XB_BASE_DEBIAN && find_owners(run, part->target, &lacks, &owners, err) < 0)
		return err->code;
	xb_closure_tell_optional(&lacks, part->target, out_note);
	return xb_closure_refuse(&part->rootfs, &lacks, part->target, image->base,
				 owners.len ? xb_str_get(&owners) : NULL, err);
}

static void tell_note(const struct image_run *run, const struct xb_image *image, struct xb_sv note)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_printf("image '%s': %.*s", image->name, XB_SV_ARG(note));

	if (note.len)
		xb_observe(run->app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
}

int image_check(struct image_run *run, const struct xb_image *image, const struct image_part *part, struct xb_err *err)
{
	char *version XB_CLEANUP(xb_free_ptr) = xb_printf("%s %s", CHECK_VERSION, part->target->name);
	struct xb_str note XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest key;
	struct xb_sv text;

	if (check_program(image, part, err) < 0)
		return err->code;
	key_of(&part->rootfs, version, &key);
	if (recall(run, &key, &text)) {
		xb_sv_cut(&text, '\n');
		tell_note(run, image, text);
		return 0;
	}
	xb_str_append(&note, "complete\n");
	if (check_closure(run, image, part, &note, err) < 0)
		return err->code;
	text = xb_str_sv(&note);
	xb_sv_cut(&text, '\n');
	tell_note(run, image, text);
	return remember(run, &key, xb_str_get(&note), err);
}
