/* SPDX-License-Identifier: Apache-2.0 */
/* Bills of materials and provenance beside a layout: <layout>.evidence for people, <layout>.referrers for registries. */
#include <string.h>

#include "image_bill.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/cyclonedx.h"
#include "xbuild/image/referrer.h"
#include "xbuild/image/seen.h"
#include "xbuild/image/spdx.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

/* First line of what is remembered, and part of the key: change it whenever the same image gives other documents. */
#define VERSION "xbuild evidence 1 " XBUILD_VERSION

/* A document that was written or is to be. */
struct document {
	const char *name, *media_type;
	struct xb_str text; /* owned */
	struct xb_artifact_subject subject;
};

/* All documents of one image. */
struct documents {
	struct document *items;
	size_t len, cap;
};

static void release_documents(struct documents *d)
{
	for (size_t i = 0; i < d->len; i++)
		xb_str_release(&d->items[i].text);
	XB_VEC_RELEASE(d);
}

static void release_evidence(struct evidence *e)
{
	for (size_t i = 0; e->states && i < e->whole->n_parts; i++)
		xb_state_free(e->states[i]);
	xb_map_release(&e->files);
}

/* ---- what the documents depend on ---- */

static void add_file_digest(const char *path, struct xb_str *out)
{
	struct xb_err missing XB_CLEANUP(xb_err_release) = {0};
	char hex[XB_DIGEST_HEX];
	struct xb_digest digest;
	uint64_t size;

	if (path && xb_digest_file(path, &digest, &size, &missing) == 0)
		xb_str_append(out, xb_digest_hex(&digest, hex));
	xb_str_append_char(out, '\n');
}

/*
 * Named without being made: the image, the texts that describe it, and what the build knows of sources, which is one digest
 * for each target.
 */
static void find_key(const struct evidence *e, struct xb_digest *out)
{
	const struct xb_app *app = e->run->app;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	xb_str_printf(&text, VERSION "\n%s\n%s\n%s\n%s\n", xb_digest_hex(&e->whole->index.digest, hex), e->run->created,
		      e->version ? e->version : "", e->run->profile ? e->run->profile : "");
	xb_digest_bytes(app->project->source.ptr, app->project->source.len, &digest);
	xb_str_printf(&text, "%s\n", xb_digest_hex(&digest, hex));
	add_file_digest(app->lock_path, &text);
	if (app->git->present)
		xb_str_printf(&text, "%s %s %d\n", app->git->commit, app->git->origin, app->git->dirty);
	for (size_t i = 0; i < e->whole->n_parts; i++) {
		digest = (struct xb_digest){0};
		if (e->states[i])
			xb_state_digest(e->states[i], &digest);
		xb_str_printf(&text, "%s %s\n", e->whole->parts[i].target->name, xb_digest_hex(&digest, hex));
	}
	xb_digest_bytes(text.data, text.len, out);
}

static void open_states(struct evidence *e)
{
	const struct xb_app *app = e->run->app;
	const char *profile = e->run->profile ? e->run->profile : "release";

	e->states = xb_arena_array(e->arena, e->whole->n_parts, sizeof(struct xb_state *));
	for (size_t i = 0; e->run->build.n_units && i < e->whole->n_parts; i++) {
		char *file XB_CLEANUP(xb_free_ptr) =
			xb_state_path(app->project->dir, e->whole->parts[i].target->name, profile);

		e->states[i] = xb_state_open(file, xb_store_generation(app->store), NULL, NULL);
	}
}

/* ---- what is remembered ---- */

/* "<first line>\n<key>\n" and a line "<look> <path>" for each file that was written. */
static bool is_current(const char *state_file, const char *layout, const struct xb_digest *key)
{
	struct xb_err unread XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];
	struct xb_sv lines;

	if (xb_fs_read(state_file, XB_MIB, &text, &unread) < 0)
		return false;
	lines = xb_str_sv(&text);
	if (!xb_sv_eq_str(xb_sv_cut(&lines, '\n'), VERSION) ||
	    !xb_sv_eq_str(xb_sv_cut(&lines, '\n'), xb_digest_hex(key, hex)))
		return false;
	while (lines.len) {
		struct xb_sv look = xb_sv_cut(&lines, '\n');
		const struct xb_sv name = xb_sv_cut(&look, ' ');
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s%.*s", layout, XB_SV_ARG(name));
		struct xb_seen then, now;

		if (!xb_seen_parse(look, &then) || !xb_seen_look(path, &now) || !xb_seen_eq(&then, &now))
			return false;
	}
	return true;
}

static int remember(const char *state_file, const char *layout, const struct xb_digest *key,
		    const struct documents *documents, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];

	xb_str_printf(&text, VERSION "\n%s\n", xb_digest_hex(key, hex));
	for (size_t i = 0; i <= documents->len; i++) {
		char *name XB_CLEANUP(xb_free_ptr) = i < documents->len
							     ? xb_printf(".evidence/%s", documents->items[i].name)
							     : xb_strdup(".referrers/index.json");
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s", layout, name);
		struct xb_seen now;

		if (!xb_seen_look(path, &now))
			continue;
		xb_str_printf(&text, "%s ", name);
		xb_seen_format(&now, &text);
		xb_str_append_char(&text, '\n');
	}
	return xb_atomic_file_write(state_file, text.data, text.len, 0644, 0, err);
}

/* ---- making ---- */

static struct document *add_document(struct documents *list, const char *name, const char *media_type,
				     const char *subject_type, const struct xb_descriptor *subject)
{
	struct document *d = XB_VEC_ADD(list);

	d->name = name;
	d->media_type = media_type;
	d->subject = (struct xb_artifact_subject){subject_type, *subject};
	return d;
}

static int add_bill(struct evidence *e, const struct xb_bill *bill, const char *subject_type,
		    const struct xb_descriptor *subject, struct documents *out, struct xb_err *err)
{
	const char *base = bill->target ? bill->target->name : "index";
	struct document *d = add_document(out, xb_arena_printf(e->arena, "%s.spdx.json", base), XB_MEDIA_SPDX,
					  subject_type, subject);

	if (xb_spdx_write(bill, &d->text, err) < 0)
		return err->code;
	d = add_document(out, xb_arena_printf(e->arena, "%s.cdx.json", base), XB_MEDIA_CYCLONEDX, subject_type,
			 subject);
	return xb_cyclonedx_write(bill, &d->text, err);
}

static void add_subjects(const struct evidence *e, struct xb_materials *out)
{
	const struct image_whole *whole = e->whole;

	XB_VEC_PUSH(out, ((struct xb_material){.name = whole->image->name, .sha256 = whole->index.digest}));
	for (size_t i = 0; i < whole->n_parts; i++)
		XB_VEC_PUSH(out, ((struct xb_material){.name = xb_arena_printf(e->arena, "%s (%s)", whole->image->name,
									       whole->parts[i].target->name),
						       .sha256 = whole->parts[i].manifest.digest}));
}

static int add_provenance(struct evidence *e, struct documents *out, struct xb_err *err)
{
	const struct xb_project *project = e->run->app->project;
	const char **targets = xb_arena_array(e->arena, e->whole->n_parts, sizeof(*targets));
	struct xb_provenance p = {.image = e->whole->image->name,
				  .profile = e->run->profile ? e->run->profile : "release",
				  .tool_version = XBUILD_VERSION,
				  .project_file = project->file,
				  .targets = targets,
				  .n_targets = e->whole->n_parts};
	struct document *d =
		add_document(out, "provenance.intoto.json", XB_MEDIA_PROVENANCE, XB_MEDIA_INDEX, &e->whole->index);
	int r;

	xb_digest_bytes(project->source.ptr, project->source.len, &p.project);
	for (size_t i = 0; i < p.n_targets; i++)
		targets[i] = e->whole->parts[i].target->name;
	add_subjects(e, &p.subjects);
	bill_inputs(e, &p.inputs);
	r = xb_provenance_write(&p, &d->text, err);
	XB_VEC_RELEASE(&p.subjects);
	XB_VEC_RELEASE(&p.inputs);
	return r;
}

static int make_documents(struct evidence *e, struct documents *out, struct xb_err *err)
{
	struct xb_bill bill;

	for (size_t i = 0; i < e->whole->n_parts; i++) {
		if (bill_of_part(e, i, &bill, err) < 0 ||
		    add_bill(e, &bill, XB_MEDIA_MANIFEST, &e->whole->parts[i].manifest, out, err) < 0)
			return err->code;
	}
	bill_of_index(e, &bill);
	if (add_bill(e, &bill, XB_MEDIA_INDEX, &e->whole->index, out, err) < 0)
		return err->code;
	return add_provenance(e, out, err);
}

/* ---- writing ---- */

/* An image may be called as a directory of another one would be. */
static int check_own(const char *dir, const char *state, struct xb_err *err)
{
	char *version XB_CLEANUP(xb_free_ptr) = xb_printf("%s/oci-layout", dir);
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/index.json", dir);
	struct xb_err unread XB_CLEANUP(xb_err_release) = {0};
	json_t *index XB_CLEANUP(xb_json_release) = NULL;
	const json_t *list;
	bool is_own = !xb_fs_exists(dir) || xb_fs_exists(version) || xb_fs_exists(state);

	if (is_own && xb_json_read(path, XB_MAX_OCI_DOCUMENT_BYTES, &index, &unread) == 0) {
		list = json_object_get(index, "manifests");
		for (size_t i = 0; i < json_array_size(list); i++)
			is_own = is_own && json_object_get(json_array_get(list, i), "artifactType");
	}
	if (is_own)
		return 0;
	xb_fail(err, XB_E_VERIFY, "write the referrers: '%s' holds other things", dir);
	return xb_hint(err, "remove it or move it away");
}

static bool is_as_it_was(const char *path, const struct xb_str *text)
{
	struct xb_err unread XB_CLEANUP(xb_err_release) = {0};
	struct xb_str found XB_CLEANUP(xb_str_release) = {0};
	struct xb_seen look;

	return xb_seen_look(path, &look) && look.size_bytes == text->len &&
	       xb_fs_read(path, (int64_t)text->len, &found, &unread) == 0 &&
	       xb_sv_eq(xb_str_sv(&found), xb_str_sv(text));
}

/* A document of a platform that the image is not made for any more. */
static int remove_others(const char *dir, const struct documents *documents, struct xb_err *err)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (xb_fs_list(dir, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		const struct xb_sv name = xb_sv(list.items[i].name);
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", dir, list.items[i].name);
		bool is_ours = false;

		for (size_t k = 0; k < documents->len; k++)
			is_ours = is_ours || xb_sv_eq_str(name, documents->items[k].name);
		if (!is_ours && (xb_sv_ends(name, ".spdx.json") || xb_sv_ends(name, ".cdx.json")) &&
		    xb_fs_remove(path, err) < 0)
			return err->code;
	}
	return 0;
}

static int write_files(const char *dir, const struct documents *documents, struct xb_err *err)
{
	char *layout XB_CLEANUP(xb_free_ptr) = xb_printf("%s/oci-layout", dir);

	if (xb_fs_exists(layout))
		return xb_fail(err, XB_E_VERIFY, "write the documents: '%s' is the layout of another image", dir);
	if (xb_fs_mkdirs(dir, 0755, err) < 0)
		return err->code;
	for (size_t i = 0; i < documents->len; i++) {
		const struct document *d = &documents->items[i];
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", dir, d->name);

		if (!is_as_it_was(path, &d->text) &&
		    xb_atomic_file_write(path, d->text.data, d->text.len, 0644, 0, err) < 0)
			return err->code;
	}
	return remove_others(dir, documents, err);
}

static int write_referrers(struct evidence *e, const char *layout, const char *state_file,
			   const struct documents *documents, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s.referrers", layout);
	char *state XB_CLEANUP(xb_free_ptr) = xb_printf("%s-referrers", state_file);
	struct xb_referrer *list = xb_arena_array(e->arena, documents->len, sizeof(*list));
	bool changed;

	if (check_own(dir, state, err) < 0)
		return err->code;
	for (size_t i = 0; i < documents->len; i++) {
		const struct document *d = &documents->items[i];

		list[i] = (struct xb_referrer){d->media_type, d->name, xb_str_sv(&d->text), d->subject};
	}
	return xb_referrers_write(list, documents->len, e->run->app->store, dir, state, &changed, err);
}

static int write_beside(struct evidence *e, const char *layout, const struct xb_digest *key,
			struct documents *documents, struct xb_err *err)
{
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s.evidence", layout);
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	xb_digest_bytes(dir, strlen(dir), &digest);
	xb_digest_hex(&digest, hex);
	char *state XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s/.xbuild/evidence-%s-%.16s", e->run->app->project->dir, e->whole->image->name, hex);
	char *lock_name XB_CLEANUP(xb_free_ptr) = xb_printf("image-%s", hex);

	if (is_current(state, layout, key))
		return 0;
	if (!documents->len && make_documents(e, documents, err) < 0)
		return err->code;
	if (xb_store_lock(e->run->app->store, lock_name, &lock, err) < 0 || write_files(dir, documents, err) < 0 ||
	    write_referrers(e, layout, state, documents, err) < 0)
		return err->code;
	return remember(state, layout, key, documents, err);
}

static int find_version(struct evidence *e, struct xb_err *err)
{
	const struct xb_git *git = e->run->app->git;

	if (e->run->app->project->version_kind == XB_VERSION_GIT && !(git->present && git->commit[0]))
		return 0;
	return image_subst(e->run, "${version}", NULL, e->whole->image, &e->version, err);
}

int image_write_evidence(struct image_run *run, const struct image_whole *whole, const struct xb_image_built *built,
			 struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct documents documents XB_CLEANUP(release_documents) = {0};
	struct evidence e XB_CLEANUP(release_evidence) = {.run = run, .whole = whole, .built = built, .arena = &arena};
	struct xb_digest key;

	if (find_version(&e, err) < 0)
		return err->code;
	open_states(&e);
	find_key(&e, &key);
	for (size_t i = 0; i < built->n_outputs; i++) {
		const struct xb_image_written *w = &built->outputs[i];

		if (w->form == XB_IMAGE_OCI && write_beside(&e, w->full_path, &key, &documents, err) < 0)
			return xb_wrap(err, "write what is known of '%s'", w->path);
	}
	return 0;
}
