/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_push.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "op_push_parts.h"
#include "registry_how.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/image/layout.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define JOURNALS "uploads" /* in the store's directory */

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
		return xb_app_refuse_image(app, name, err);
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
	const struct push_source *source = ctx;
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

int push_read_document(void *ctx, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err)
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
	struct push_source source = {run->app, run->layout};
	const struct xb_content_reader reader = {.read = push_read_document, .ctx = &source};

	if (xb_layout_read(run->layout, &run->result->digest, err) < 0) {
		if (err->code != XB_E_NOT_FOUND)
			return err->code;
		return run->opts->from ? err->code : xb_hint(err, "run 'xbuild image', which writes it");
	}
	if (xb_content_read(&reader, NULL, &run->result->digest, &run->graph, err) < 0)
		return xb_wrap(err, "read the layout '%s'", run->layout);
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

int push_send(const struct push_sending *s, const struct xb_content *graph, const char *dir,
	      const struct xb_push_target *targets, struct xb_push_result *result, struct xb_err *err)
{
	struct push_source from = {s->run->app, dir};
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

const struct xb_push_target *push_retagged(const struct push_run *run, const char *const *tag)
{
	struct xb_push_target *targets = xb_arena_array(&run->app->arena, run->targets.len, sizeof(*targets));

	for (size_t i = 0; i < run->targets.len; i++) {
		targets[i] = run->targets.items[i];
		targets[i].tags = tag;
		targets[i].n_tags = tag ? 1 : 0;
	}
	return targets;
}

/* With companions the tags come last: who follows a tag finds the signatures of what it names. */
static int send_all(const struct push_sending *s, struct xb_err *err)
{
	const struct push_run *run = s->run;
	struct xb_push_result again = {0};
	int rc;

	if (!s->n_companions)
		return push_send(s, &run->graph, run->layout, run->targets.items, &run->result->sent, err);
	if (push_send(s, &run->graph, run->layout, push_retagged(run, NULL), &run->result->sent, err) < 0)
		return err->code;
	for (size_t i = 0; i < s->n_companions; i++)
		if (push_send_companion(s, &s->companions[i], err) < 0)
			return err->code;
	if (run->opts->dry_run)
		return 0;
	rc = push_send(s, &run->graph, run->layout, run->targets.items, &again, err);
	xb_push_result_release(&again);
	return rc;
}

static int push(struct push_run *run, struct xb_err *err)
{
	struct xb_app *app = run->app;
	char *journals XB_CLEANUP(xb_free_ptr) = xb_printf("%s/" JOURNALS, xb_store_dir(app->store));
	struct push_sending s = {.run = run, .journals = journals};
	struct xb_companion *companions = NULL;
	int rc;

	if (!run->opts->alone &&
	    xb_companions_find(run->layout, &run->result->digest, &app->arena, &companions, &s.n_companions, err) < 0)
		return xb_hint(err, "make them again, or push the image --alone");
	s.companions = companions;
	if (xb_fs_mkdirs(journals, 0700, err) < 0)
		return err->code;
	s.registry = xb_registry_open(&run->how);
	rc = push_check_tags(run, s.registry, err);
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
	    xb_app_need_store(app, err) < 0 || read_layout(&run, err) < 0 || push_find_targets(&run, err) < 0 ||
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
