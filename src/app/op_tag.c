/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "xbuild/app/op_image.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/layout.h"
#include "xbuild/image/tag.h"
#include "xbuild/model/names.h"
#include "xbuild/sys/git.h"
#include "xbuild/sys/json.h"

/* What the tags of one image are made from. */
struct tagging {
	struct xb_app *app;
	const char *image; /* name for ${image}: of the image or of the project */
	const struct xb_git *git;
	struct xb_digest index;
	struct xb_tag_facts facts;
};

/* Expands one side of a template with a branch of at most max_slug bytes. */
static int expand(const struct tagging *t, const char *text, size_t max_slug, bool *out_has_branch, struct xb_str *out,
		  struct xb_err *err)
{
	struct xb_str slug XB_CLEANUP(xb_str_release) = {0}, template XB_CLEANUP(xb_str_release) = {0};
	const bool has_git = t->git->present && t->git->commit[0];

	*out_has_branch = false;
	xb_tag_slug(t->git->present ? t->git->branch : "", max_slug, &slug);
	/* Without git the name is left for the expansion to complain about. */
	if (has_git)
		*out_has_branch = xb_tag_set_branch(text, slug.data, &template);
	else
		xb_str_append(&template, text);
	xb_str_reset(out);
	return xb_app_subst(t->app, xb_str_get(&template), NULL, t->image, NULL, out, err);
}

/* A tag that is too long has its branch cut first: time and commit make it unique. */
static int expand_tag(const struct tagging *t, const char *text, struct xb_str *out, struct xb_err *err)
{
	struct xb_str full XB_CLEANUP(xb_str_release) = {0};
	size_t max_slug = XB_TAG_MAX_BYTES;
	bool has_branch;

	for (;;) {
		if (expand(t, text, max_slug, &has_branch, &full, err) < 0)
			return err->code;
		const size_t len = full.len + (t->git->dirty ? strlen(XB_TAG_DIRTY) : 0);

		if (!has_branch || len <= XB_TAG_MAX_BYTES || max_slug == 1)
			break;
		max_slug--;
	}
	xb_tag_legal(xb_str_get(&full), t->git->dirty, out);
	return 0;
}

static int make_tag(const struct tagging *t, const char *template, const char **out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, tag XB_CLEANUP(xb_str_release) = {0};
	const size_t repository_len = xb_tag_repository_len(template);
	const int built_in = xb_tag_builtin(template, &t->facts, &text, err);
	bool has_branch;

	if (built_in < 0)
		return built_in;
	if (built_in) {
		xb_tag_legal(text.data, t->git->dirty, &tag);
	} else if (expand_tag(t, template + (repository_len ? repository_len + 1 : 0), &tag, err) < 0) {
		return err->code;
	}
	if (!repository_len) {
		*out = xb_arena_strdup(&t->app->arena, tag.data);
		return 0;
	}
	char *repository XB_CLEANUP(xb_free_ptr) = xb_strndup(template, repository_len);

	if (expand(t, repository, XB_TAG_MAX_BYTES, &has_branch, &text, err) < 0)
		return err->code;
	if (!xb_name_is_repository(xb_str_sv(&text)))
		return xb_fail(err, XB_E_INPUT, "'%s' is no name of a repository", xb_str_get(&text));
	*out = xb_arena_printf(&t->app->arena, "%s:%s", text.data, tag.data);
	return 0;
}

/* A tag must not join the digest of an image with the time of a commit that it was not made from. */
static bool is_of_this_commit(const struct tagging *t, const char *dir)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	json_t *index XB_CLEANUP(xb_json_release) = NULL;
	char hex[XB_DIGEST_HEX];
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/blobs/sha256/%s", dir, xb_digest_hex(&t->index, hex));
	char *revision XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s", t->git->commit, t->git->dirty ? "-dirty" : "");
	const char *found;

	if (xb_json_read(path, XB_MAX_JSON_BYTES, &index, &ignored) < 0)
		return false;
	found = json_string_value(
		json_object_get(json_object_get(index, "annotations"), "org.opencontainers.image.revision"));
	return !found || strcmp(found, revision) == 0;
}

static int find_image(struct tagging *t, const char *name, struct xb_err *err)
{
	const struct xb_project *project = t->app->project;
	const struct xb_image *image = project->n_images == 1 ? &project->images[0] : NULL;
	struct xb_err missing XB_CLEANUP(xb_err_release) = {0};

	if (name) {
		image = xb_project_image(project, xb_sv(name));
		if (!image)
			return xb_app_refuse_image(t->app, name, err);
	}
	t->image = image ? image->name : project->name;
	if (!image)
		return 0;
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/out/images/%s", project->dir, image->name);

	/* Not an error here: only the tag `sha256` needs it, and says so. */
	if (xb_layout_read(dir, &t->index, &missing) == 0 && is_of_this_commit(t, dir))
		t->facts.index = &t->index;
	return 0;
}

int xb_op_tag(struct xb_app *app, const char *image, const char ***out_tags, size_t *out_count, struct xb_err *err)
{
	static const struct xb_tag_template standard[] = {{.text = XB_TAG_DEFAULT}};
	struct tagging t = {.app = app};
	const struct xb_tag_template *templates;
	const char **tags;
	size_t n_templates, n = 0;

	if (xb_app_need_project(app, err) < 0 || xb_app_need_git(app, err) < 0)
		return err->code;
	t.git = app->git;
	if (find_image(&t, image, err) < 0)
		return err->code;
	t.facts.commit = t.git->commit;
	t.facts.commit_time = t.git->commit_time;
	templates = app->project->n_tags ? app->project->tags : standard;
	n_templates = app->project->n_tags ? app->project->n_tags : 1;
	tags = xb_arena_array(&app->arena, n_templates, sizeof(*tags));
	for (size_t i = 0; i < n_templates; i++) {
		if (templates[i].only_git_tag && !(t.git->present && t.git->tag[0]))
			continue;
		if (make_tag(&t, templates[i].text, &tags[n], err) < 0) {
			if (!t.git->present)
				xb_hint(err, "the project is in no git repository: commit it, or give 'tags:' that "
					     "need no git");
			return xb_wrap(err, "make the tag '%s'", templates[i].text);
		}
		n++;
	}
	*out_tags = tags;
	*out_count = n;
	return 0;
}
