/* SPDX-License-Identifier: Apache-2.0 */
/* Where an image is pushed to, and whether its tags come after those that are there. */
#include <string.h>

#include "op_push_parts.h"
#include "xbuild/app/op_image.h"
#include "xbuild/base/alloc.h"
#include "xbuild/image/tag.h"
#include "xbuild/registry/tags.h"
#include "xbuild/sys/git.h"

/* The target of this repository, a new one where there is none; takes the reference. */
static size_t target_of(struct push_run *run, struct xb_reference *ref)
{
	for (size_t i = 0; i < run->targets.len; i++)
		if (xb_reference_same_repository(&run->targets.items[i].ref, ref)) {
			xb_reference_release(ref);
			return i;
		}
	XB_VEC_PUSH(&run->targets, ((struct xb_push_target){.ref = *ref}));
	*ref = (struct xb_reference){0};
	return run->targets.len - 1;
}

static void add_tag(struct push_run *run, size_t target, const char *tag)
{
	struct xb_push_target *t = &run->targets.items[target];
	const char **tags;

	for (size_t i = 0; i < t->n_tags; i++)
		if (strcmp(t->tags[i], tag) == 0)
			return;
	tags = xb_arena_array(&run->result->arena, t->n_tags + 1, sizeof(*tags));
	for (size_t i = 0; i < t->n_tags; i++)
		tags[i] = t->tags[i];
	tags[t->n_tags] = xb_arena_strdup(&run->result->arena, tag);
	t->tags = tags;
	t->n_tags++;
}

/* Tags are made of what git knows, unless the user says which. */
static int hint_tag(const struct push_run *run, size_t target, struct xb_err *err)
{
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};

	if (!run->app->git || run->app->git->present)
		return err->code;
	if (target == SIZE_MAX)
		xb_str_append(&name, "ghcr.io/acme/parcel");
	else
		xb_reference_name(&run->targets.items[target].ref, &name);
	return xb_hint_instead(err,
			       "the project is in no git repository: name the tag, as in 'xbuild push %s:1.0', or give "
			       "'tags:' that need no git",
			       name.data);
}

/* The tags of the project; target SIZE_MAX: those that name a repository. */
static int add_project_tags(struct push_run *run, size_t target, struct xb_err *err)
{
	const char **tags;
	size_t n, n_added = 0;

	if (xb_op_tag(run->app, run->opts->image, &tags, &n, err) < 0)
		return hint_tag(run, target, err);
	for (size_t i = 0; i < n; i++) {
		struct xb_reference ref XB_CLEANUP(xb_reference_release) = {0};
		const size_t len = xb_tag_repository_len(tags[i]);
		const char *tag = tags[i] + (len ? len + 1 : 0);
		size_t own = target;

		if (len && xb_reference_parse(tags[i], &ref, err) < 0)
			return err->code;
		if (!len && target == SIZE_MAX)
			continue;
		if (len && target == SIZE_MAX)
			own = target_of(run, &ref);
		else if (len && !xb_reference_same_repository(&ref, &run->targets.items[target].ref))
			continue;
		add_tag(run, own, tag);
		n_added++;
	}
	if (n_added)
		return 0;
	if (target != SIZE_MAX)
		return xb_fail(err, XB_E_USAGE, "the project file has no tag for '%s'",
			       run->targets.items[target].ref.repository);
	xb_fail(err, XB_E_USAGE, "push needs a reference: no tag of the project file names a repository");
	return xb_hint(err, "xbuild push ghcr.io/acme/parcel");
}

int push_find_targets(struct push_run *run, struct xb_err *err)
{
	if (!run->opts->n_refs)
		return add_project_tags(run, SIZE_MAX, err);
	for (size_t i = 0; i < run->opts->n_refs; i++) {
		struct xb_reference ref XB_CLEANUP(xb_reference_release) = {0};
		char *tag XB_CLEANUP(xb_free_ptr) = NULL;
		size_t target;

		if (xb_reference_parse(run->opts->refs[i], &ref, err) < 0)
			return err->code;
		if (ref.has_digest)
			return xb_fail(err, XB_E_USAGE, "'%s': a digest is what comes of a push, not where it goes",
				       run->opts->refs[i]);
		tag = ref.tag ? xb_strdup(ref.tag) : NULL;
		target = target_of(run, &ref);
		if (tag)
			add_tag(run, target, tag);
		else if (add_project_tags(run, target, err) < 0)
			return err->code;
	}
	return 0;
}

/* ---- the order of tags ---- */

static bool has_sortable(const struct xb_push_target *t)
{
	for (size_t i = 0; i < t->n_tags; i++)
		if (xb_tag_is_sortable(t->tags[i]))
			return true;
	return false;
}

static int check_tag(const struct push_run *run, const struct xb_push_target *t, const struct xb_tags *there,
		     const char *tag, struct xb_err *err)
{
	const char *later = xb_tags_not_before(there, tag);

	if (!later)
		return 0;
	char *text XB_CLEANUP(xb_free_ptr) = xb_printf(
		"the tag '%s' does not come after '%s', which '%s/%s' has: what deploys the newest will not take it",
		tag, later, t->ref.registry, t->ref.repository);

	if (run->opts->strict_tags) {
		xb_fail(err, XB_E_VERIFY, "%s", text);
		return xb_hint(err, "push a later commit, or leave --strict-tags out");
	}
	xb_observe(run->app->observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = text});
	return 0;
}

/* An order among some of the tags proves nothing about the others. */
static int tell_cut(const struct push_run *run, const struct xb_push_target *t, size_t n, struct xb_err *err)
{
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("'%s/%s' has more tags than the %zu that were looked at: a later one may be "
			  "among the others",
			  t->ref.registry, t->ref.repository, n);

	if (run->opts->strict_tags) {
		xb_fail(err, XB_E_VERIFY, "%s", text);
		return xb_hint(err, "remove old tags, or leave --strict-tags out");
	}
	xb_observe(run->app->observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = text});
	return 0;
}

int push_check_tags(struct push_run *run, struct xb_registry *registry, struct xb_err *err)
{
	for (size_t i = 0; i < run->targets.len; i++) {
		const struct xb_push_target *t = &run->targets.items[i];
		struct xb_tags there XB_CLEANUP(xb_tags_release) = {0};
		struct xb_repository *repo;
		int rc;

		if (!has_sortable(t))
			continue;
		repo = xb_repository_open(registry, &t->ref, true);
		rc = xb_tags_list(repo, &there, err);
		xb_repository_close(repo);
		if (rc < 0 && (run->opts->strict_tags || rc == XB_E_INTERRUPTED))
			return xb_wrap(err, "list the tags of '%s/%s'", t->ref.registry, t->ref.repository);
		xb_err_clear(err);
		if (there.is_cut && tell_cut(run, t, there.list.len, err) < 0)
			return err->code;
		for (size_t k = 0; k < t->n_tags; k++)
			if (check_tag(run, t, &there, t->tags[k], err) < 0)
				return err->code;
	}
	return 0;
}
