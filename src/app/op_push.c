/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_push.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry_how.h"
#include "xbuild/app/op_image.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/image/layout.h"
#include "xbuild/image/referrer.h"
#include "xbuild/image/tag.h"
#include "xbuild/registry/manifest.h"
#include "xbuild/registry/referrers.h"
#include "xbuild/registry/tags.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/git.h"
#include "xbuild/sys/json.h"

#define JOURNALS "uploads" /* in the store's directory */

/* One run of the command. */
struct push_run {
	struct xb_app *app;
	const struct xb_op_push_opts *opts;
	struct xb_op_push_result *result;
	struct xb_registry_opts how;
	const char *layout; /* absolute */
	struct xb_content graph;
	XB_VEC(struct xb_push_target) targets;
};

/* Where blobs are read. */
struct source {
	struct xb_app *app;
	const char *dir; /* of a layout */
};

void xb_op_push_result_release(struct xb_op_push_result *result)
{
	xb_push_result_release(&result->sent);
	xb_arena_release(&result->arena);
	*result = (struct xb_op_push_result){0};
}

static void release_run(struct push_run *run)
{
	for (size_t i = 0; i < run->targets.len; i++)
		xb_reference_release(&run->targets.items[i].ref);
	XB_VEC_RELEASE(&run->targets);
	xb_content_release(&run->graph);
}

/* ---- the layout ---- */

static int find_layout(struct push_run *run, struct xb_err *err)
{
	struct xb_app *app = run->app;
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *path XB_CLEANUP(xb_free_ptr) = NULL;
	const char *name = run->opts->image;

	if (run->opts->from) {
		if (xb_app_start_dir(app, &start, err) < 0)
			return err->code;
		path = xb_path_join(start, run->opts->from);
		run->layout = xb_arena_strdup(&app->arena, path);
		return 0;
	}
	if (xb_app_need_project(app, err) < 0) {
		if (err->code != XB_E_NOT_FOUND)
			return err->code;
		return xb_hint_instead(err,
				       "run it where the project is, or name a layout that needs none: --from DIR");
	}
	if (name && !xb_project_image(app->project, xb_sv(name)))
		return xb_fail(err, XB_E_USAGE, "the project has no image '%s'", name);
	if (!name && app->project->n_images != 1) {
		xb_fail(err, XB_E_USAGE, "the project has %zu images, and one can be pushed at a time",
			app->project->n_images);
		return xb_hint(err, "name it with --image NAME");
	}
	run->layout = xb_arena_printf(&app->arena, "%s/out/images/%s", app->project->dir,
				      name ? name : app->project->images[0].name);
	return 0;
}

/* A blob of the layout, else of the store: layers of a base may be in neither, and need not where the registry has them. */
static int open_blob(void *ctx, const struct xb_digest *digest, int *out_fd, struct xb_err *err)
{
	const struct source *source = ctx;
	char hex[XB_DIGEST_HEX];
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/blobs/sha256/%s", source->dir, xb_digest_hex(digest, hex));
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return xb_cas_open(source->app->store, digest, out_fd, err);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		xb_fail(err, XB_E_VERIFY, "open '%s': expected a regular file", path);
		xb_fs_close(&fd);
		return err->code;
	}
	*out_fd = fd;
	return 0;
}

static int read_document(void *ctx, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = -1;
	char buffer[16384], hex[XB_DIGEST_OCI];
	int64_t n;

	if (open_blob(ctx, digest, &fd, err) < 0)
		return err->code;
	xb_digest_oci(digest, hex);
	out->max_bytes = XB_MAX_OCI_DOCUMENT_BYTES;
	while ((n = xb_fs_read_some(fd, buffer, sizeof(buffer), hex, err)) > 0)
		if (!xb_str_append_n(out, buffer, (size_t)n))
			return xb_fail(err, XB_E_INPUT, "%s: more than %lld bytes", hex,
				       (long long)XB_MAX_OCI_DOCUMENT_BYTES);
	return (int)n;
}

static int read_layout(struct push_run *run, struct xb_err *err)
{
	struct source source = {run->app, run->layout};
	const struct xb_content_reader reader = {.read = read_document, .ctx = &source};

	if (xb_layout_read(run->layout, &run->result->digest, err) < 0) {
		if (err->code != XB_E_NOT_FOUND)
			return err->code;
		return run->opts->from ? err->code : xb_hint(err, "run 'xbuild image', which writes it");
	}
	if (xb_content_read(&reader, NULL, &run->result->digest, &run->graph, err) < 0)
		return xb_wrap(err, "read the layout '%s'", run->layout);
	return 0;
}

/* ---- where to ---- */

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

static int find_targets(struct push_run *run, struct xb_err *err)
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

/* Before anything is sent. A list that cannot be had is no reason not to push, unless the order was asked for. */
static int check_tags(struct push_run *run, struct xb_registry *registry, struct xb_err *err)
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

/* ---- the push ---- */

static void fill_result(struct push_run *run)
{
	struct xb_op_push_result *result = run->result;
	const size_t n = run->targets.len;

	result->n_targets = n;
	result->names = xb_arena_array(&result->arena, n, sizeof(*result->names));
	result->tags = xb_arena_array(&result->arena, n, sizeof(*result->tags));
	result->n_tags = xb_arena_array(&result->arena, n, sizeof(*result->n_tags));
	for (size_t i = 0; i < n; i++) {
		struct xb_str name XB_CLEANUP(xb_str_release) = {0};

		xb_reference_name(&run->targets.items[i].ref, &name);
		result->names[i] = xb_arena_strdup(&result->arena, name.data);
		result->tags[i] = run->targets.items[i].tags;
		result->n_tags[i] = run->targets.items[i].n_tags;
	}
}

/* What is the same for all parts of the push. */
struct sending {
	struct push_run *run;
	struct xb_registry *registry;
	const char *journals;
	const struct xb_companion *companions;
	size_t n_companions;
};

/* The image or a companion, from the layout in dir, to all targets. `tags`: under their tags; else by digest alone. */
static int send(const struct sending *s, const struct xb_content *graph, const char *dir,
		const struct xb_push_target *targets, struct xb_push_result *result, struct xb_err *err)
{
	struct source from = {s->run->app, dir};
	const struct xb_push_source source = {.open = open_blob, .ctx = &from};
	const struct xb_push_opts opts = {.graph = graph,
					  .source = &source,
					  .targets = targets,
					  .n_targets = s->run->targets.len,
					  .parallel = s->run->opts->parallel,
					  .dry_run = s->run->opts->dry_run,
					  .journal_dir = s->journals};

	return xb_push(s->registry, &opts, result, err);
}

/* The targets with one tag instead of their own, or with none. */
static const struct xb_push_target *retagged(const struct push_run *run, const char *const *tag)
{
	struct xb_push_target *targets = xb_arena_array(&run->app->arena, run->targets.len, sizeof(*targets));

	for (size_t i = 0; i < run->targets.len; i++) {
		targets[i] = run->targets.items[i];
		targets[i].tags = tag;
		targets[i].n_tags = tag ? 1 : 0;
	}
	return targets;
}

static int list_companion(const struct sending *s, const struct xb_companion *c, const struct xb_content_document *d,
			  struct xb_err *err)
{
	for (size_t i = 0; i < s->run->targets.len; i++) {
		struct xb_repository *repo = xb_repository_open(s->registry, &s->run->targets.items[i].ref, true);
		const int rc = xb_referrers_list_one(repo, &c->subject, &d->digest, d->media_type, d->bytes, err);

		xb_repository_close(repo);
		if (rc < 0)
			return xb_wrap(err, "list a referrer in '%s'", s->run->targets.items[i].ref.repository);
	}
	return 0;
}

/* Signatures of one text differ in their annotations alone. */
static bool has_layer(const json_t *manifest, const json_t *layer)
{
	const json_t *layers = json_object_get(manifest, "layers");

	for (size_t i = 0; i < json_array_size(layers); i++) {
		if (json_equal(json_array_get(layers, i), layer))
			return true;
	}
	return false;
}

/* A tag of signatures holds those of all who signed: one that others have added to is not taken away from them. */
static int check_signers(struct xb_repository *repo, const struct xb_companion *c, const struct xb_content *graph,
			 struct xb_err *err)
{
	struct xb_manifest there XB_CLEANUP(xb_manifest_release) = {0};
	json_t *theirs XB_CLEANUP(xb_json_release) = NULL, *ours XB_CLEANUP(xb_json_release) = NULL;
	struct xb_digest digest;
	const json_t *layers;
	bool exists;

	if (xb_manifest_head(repo, c->tag, &exists, &digest, err) < 0)
		return err->code;
	if (!exists || xb_digest_is_zero(&digest) || xb_digest_eq(&digest, &c->manifest.digest))
		return 0;
	if (xb_manifest_get(repo, &digest, &there, err) < 0 ||
	    xb_json_parse(xb_str_sv(&there.bytes), c->tag, &theirs, err) < 0 ||
	    xb_json_parse(graph->documents.items[graph->documents.len - 1].bytes, c->dir, &ours, err) < 0)
		return err->code;
	layers = json_object_get(theirs, "layers");
	for (size_t i = 0; i < json_array_size(layers); i++) {
		if (has_layer(ours, json_array_get(layers, i)))
			continue;
		xb_fail(err, XB_E_USAGE, "tag '%s' has signatures that are not in '%s'", c->tag, c->dir);
		return xb_hint(
			err,
			"fetch it with 'xbuild pull', and sign there; '--alone' pushes the image without signatures");
	}
	return 0;
}

static int check_all_signers(const struct sending *s, const struct xb_companion *c, const struct xb_content *graph,
			     struct xb_err *err)
{
	for (size_t i = 0; c->tag && i < s->run->targets.len; i++) {
		struct xb_repository *repo = xb_repository_open(s->registry, &s->run->targets.items[i].ref, true);
		const int rc = check_signers(repo, c, graph, err);

		xb_repository_close(repo);
		if (rc < 0)
			return xb_wrap(err, "push signatures to '%s'", s->run->targets.items[i].ref.repository);
	}
	return 0;
}

static int send_companion(const struct sending *s, const struct xb_companion *c, struct xb_err *err)
{
	struct xb_content graph XB_CLEANUP(xb_content_release) = {0};
	struct source from = {s->run->app, c->dir};
	const struct xb_content_reader reader = {.read = read_document, .ctx = &from};

	if (xb_content_read(&reader, NULL, &c->manifest.digest, &graph, err) < 0)
		return xb_wrap(err, "read the layout '%s'", c->dir);
	if (check_all_signers(s, c, &graph, err) < 0 ||
	    send(s, &graph, c->dir, retagged(s->run, c->tag ? &c->tag : NULL), &s->run->result->sent, err) < 0)
		return err->code;
	if (c->tag || s->run->opts->dry_run)
		return 0;
	return list_companion(s, c, &graph.documents.items[graph.documents.len - 1], err);
}

/* With companions the tags come last: who follows a tag finds the signatures of what it names. */
static int send_all(const struct sending *s, struct xb_err *err)
{
	const struct push_run *run = s->run;
	struct xb_push_result again = {0};
	int rc;

	if (!s->n_companions)
		return send(s, &run->graph, run->layout, run->targets.items, &run->result->sent, err);
	if (send(s, &run->graph, run->layout, retagged(run, NULL), &run->result->sent, err) < 0)
		return err->code;
	for (size_t i = 0; i < s->n_companions; i++)
		if (send_companion(s, &s->companions[i], err) < 0)
			return err->code;
	if (run->opts->dry_run)
		return 0;
	rc = send(s, &run->graph, run->layout, run->targets.items, &again, err);
	xb_push_result_release(&again);
	return rc;
}

static int push(struct push_run *run, struct xb_err *err)
{
	struct xb_app *app = run->app;
	char *journals XB_CLEANUP(xb_free_ptr) = xb_printf("%s/" JOURNALS, xb_store_dir(app->store));
	struct sending s = {.run = run, .journals = journals};
	struct xb_companion *companions = NULL;
	int rc;

	if (!run->opts->alone &&
	    xb_companions_find(run->layout, &run->result->digest, &app->arena, &companions, &s.n_companions, err) < 0)
		return xb_hint(err, "make them again, or push the image --alone");
	s.companions = companions;
	if (xb_fs_mkdirs(journals, 0700, err) < 0)
		return err->code;
	s.registry = xb_registry_open(&run->how);
	rc = check_tags(run, s.registry, err);
	if (rc == 0)
		rc = send_all(&s, err);
	xb_registry_close(s.registry);
	return rc;
}

int xb_op_push(struct xb_app *app, const struct xb_op_push_opts *opts, struct xb_op_push_result *out,
	       struct xb_err *err)
{
	struct push_run run XB_CLEANUP(release_run) = {.app = app, .opts = opts, .result = out};
	char size[XB_NUM_SIZE_MAX];
	int64_t start_ms = xb_host_monotonic_ms();

	if (app->options.offline)
		return xb_fail(err, XB_E_USAGE, "push needs the network, and --offline was given");
	if (registry_how(app, &opts->how, &run.how, err) < 0 || find_layout(&run, err) < 0 ||
	    xb_app_need_store(app, err) < 0 || read_layout(&run, err) < 0 || find_targets(&run, err) < 0 ||
	    push(&run, err) < 0)
		return err->code;
	fill_result(&run);
	if (opts->dry_run)
		return 0;
	char *label XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s sent to %zu %s", xb_num_size((uint64_t)out->sent.sent_bytes, size), out->n_targets,
			  out->n_targets == 1 ? "repository" : "repositories");

	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_DONE,
						     .verb = "Pushed",
						     .label = label,
						     .elapsed_ms = xb_host_monotonic_ms() - start_ms});
	return 0;
}
