/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_sign.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/image/audit.h"
#include "xbuild/image/layout.h"
#include "xbuild/image/signature.h"
#include "xbuild/model/names.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

#define OUT_DIR	     "out/images"
#define PASSWORD_ENV "XBUILD_KEY_PASSWORD"

/* A layout to sign. */
struct subject {
	const char *name;		/* for messages */
	const char *dir;		/* of the layout, absolute, clean */
	const char *repository;		/* when none is given */
	struct xb_digest index;		/* what index.json names */
	struct xb_digest manifests[64]; /* of its platforms, where it is an index */
	size_t n_manifests;
};

void xb_sign_result_release(struct xb_sign_result *result)
{
	if (!result)
		return;
	xb_arena_release(&result->arena);
	*result = (struct xb_sign_result){0};
}

static char *clean_path(const char *start, const char *path)
{
	struct xb_str clean XB_CLEANUP(xb_str_release) = {0};
	char *joined XB_CLEANUP(xb_free_ptr) = xb_path_join(start, path);

	xb_path_clean(xb_sv(joined), &clean);
	return xb_str_steal(&clean);
}

/* ---- what ---- */

static int project_subject(struct xb_app *app, const char *name, struct xb_arena *arena, struct subject *out,
			   struct xb_err *err)
{
	if (xb_app_need_project(app, err) < 0)
		return err->code;
	if (!xb_project_image(app->project, xb_sv(name))) {
		xb_fail(err, XB_E_USAGE, "the project has no image '%s'", name);
		return xb_hint(err, "a directory is named with a '/': './%s'", name);
	}
	out->name = out->repository = xb_arena_strdup(arena, name);
	out->dir = xb_arena_printf(arena, "%s/" OUT_DIR "/%s", app->project->dir, name);
	return 0;
}

static int dir_subject(struct xb_app *app, const char *path, struct xb_arena *arena, struct subject *out,
		       struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *clean XB_CLEANUP(xb_free_ptr) = NULL;

	if (xb_app_start_dir(app, &start, err) < 0)
		return err->code;
	clean = clean_path(start, path);
	out->name = out->dir = xb_arena_strdup(arena, clean);
	out->repository = xb_arena_sv(arena, xb_path_base(xb_sv(out->dir)));
	return 0;
}

static int find_subjects(struct xb_app *app, const struct xb_sign_opts *opts, struct xb_arena *arena,
			 struct subject **out, size_t *out_len, struct xb_err *err)
{
	size_t n = opts->n_images;

	if (!n && xb_app_need_project(app, err) < 0)
		return err->code;
	if (!n && !app->project->n_images)
		return xb_fail(err, XB_E_INPUT, "%s has no images", app->project->file);
	n = n ? n : app->project->n_images;
	*out = xb_arena_array(arena, n, sizeof(**out));
	for (size_t i = 0; i < n; i++) {
		const char *name = opts->n_images ? opts->images[i] : app->project->images[i].name;
		const int r = strchr(name, '/') ? dir_subject(app, name, arena, &(*out)[i], err)
						: project_subject(app, name, arena, &(*out)[i], err);

		if (r < 0)
			return err->code;
	}
	*out_len = n;
	return 0;
}

/* The platforms of an index, whose content is compared with its digest: nothing else is signed. */
static int read_subject(struct subject *s, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const json_t *list;

	if (xb_layout_read(s->dir, &s->index, err) < 0) {
		if (err->code == XB_E_NOT_FOUND)
			xb_hint(err, "'xbuild image' writes it");
		return err->code;
	}
	if (xb_layout_blob(s->dir, &s->index, -1, XB_MAX_OCI_DOCUMENT_BYTES, &text, err) < 0 ||
	    xb_json_parse(xb_str_sv(&text), s->name, &root, err) < 0)
		return err->code;
	list = json_object_get(root, "manifests");
	if (json_array_size(list) > XB_COUNT(s->manifests))
		return xb_fail(err, XB_E_INPUT, "%zu platforms, at most %zu are signed", json_array_size(list),
			       XB_COUNT(s->manifests));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *digest = json_string_value(json_object_get(json_array_get(list, i), "digest"));

		if (!digest || !xb_digest_parse(xb_sv(digest), &s->manifests[s->n_manifests++]))
			return xb_fail(err, XB_E_INPUT, "expected sha256 digests of the platforms");
	}
	return 0;
}

/* A signature says that the image is good to use: so it has to be whole, down to the last layer. */
static int check_subject(const struct xb_app *app, const struct subject *s, struct xb_err *err)
{
	struct xb_audit audit XB_CLEANUP(xb_audit_release) = {0};
	const char *first = NULL;

	if (xb_audit_run(s->dir, app->interrupted, &audit, err) < 0)
		return err->code;
	for (size_t i = 0; i < audit.findings.len && !first; i++)
		first = audit.findings.items[i].is_warning ? NULL : audit.findings.items[i].text;
	if (!audit.n_problems)
		return 0;
	xb_fail(err, XB_E_VERIFY, "the image is not sound: %s", first ? first : "");
	return xb_hint(err, "'xbuild verify %s' tells all that is wrong with it", s->dir);
}

/* ---- signing ---- */

static bool is_of_subject(const struct subject *s, const struct xb_digest *digest)
{
	bool found = xb_digest_eq(digest, &s->index);

	for (size_t i = 0; i < s->n_manifests; i++)
		found = found || xb_digest_eq(digest, &s->manifests[i]);
	return found;
}

/* What the image was before needs no signature any more. */
static void drop_old(const struct subject *s, struct xb_signatures *signatures)
{
	size_t len = 0;

	for (size_t i = 0; i < signatures->images.len; i++) {
		if (is_of_subject(s, &signatures->images.items[i].image))
			signatures->images.items[len++] = signatures->images.items[i];
		else
			XB_VEC_RELEASE(&signatures->images.items[i]);
	}
	signatures->images.len = len;
}

static int sign_all(const struct subject *s, const struct xb_sign_opts *opts, const struct xb_key *key,
		    struct xb_signatures *signatures, size_t *out_n, struct xb_err *err)
{
	const char *repository = opts->repository ? opts->repository : s->repository;
	const size_t n = opts->recursive ? s->n_manifests : 0;
	bool added;

	if (!xb_name_is_repository(xb_sv(repository))) {
		xb_fail(err, XB_E_USAGE, "sign as '%s': that is no name of a repository", repository);
		return xb_hint(err, "give one with --repository HOST/NAME");
	}
	if (xb_signatures_add(signatures, &s->index, repository, key, &added, err) < 0)
		return err->code;
	for (size_t i = 0; i < n; i++) {
		if (xb_signatures_add(signatures, &s->manifests[i], repository, key, &added, err) < 0)
			return err->code;
	}
	*out_n = n + 1;
	return 0;
}

/* The directory is swept of all that does not belong to it, so it must be one for signatures. */
static int read_own(const char *dir, struct xb_signatures *out, struct xb_err *err)
{
	char *version XB_CLEANUP(xb_free_ptr) = xb_printf("%s/oci-layout", dir);

	if (!xb_fs_exists(dir))
		return 0;
	if (xb_fs_exists(version) && xb_signatures_read(dir, out, err) < 0)
		return xb_hint(err, "remove it: the image can be signed again");
	if (xb_fs_exists(version) && !out->has_others)
		return 0;
	xb_fail(err, XB_E_VERIFY, "write the signatures: '%s' holds other things", dir);
	return xb_hint(err, "remove it or move it away");
}

static int sign_subject(struct xb_app *app, const struct xb_sign_opts *opts, const struct xb_key *key,
			struct subject *s, struct xb_sign_item *out, struct xb_err *err)
{
	struct xb_signatures signatures XB_CLEANUP(xb_signatures_release) = {0};
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	if (read_subject(s, err) < 0 || check_subject(app, s, err) < 0)
		return err->code;
	xb_digest_bytes(out->dir, strlen(out->dir), &digest);
	char *lock_name XB_CLEANUP(xb_free_ptr) = xb_printf("image-%s", xb_digest_hex(&digest, hex));

	if (xb_store_lock(app->store, lock_name, &lock, err) < 0 || read_own(out->dir, &signatures, err) < 0)
		return err->code;
	drop_old(s, &signatures);
	if (sign_all(s, opts, key, &signatures, &out->n_signed, err) < 0)
		return err->code;
	out->index = s->index;
	return xb_signatures_write(&signatures, app->store, out->dir, &out->changed, err);
}

int xb_op_sign(struct xb_app *app, const struct xb_sign_opts *opts, struct xb_sign_result *out, struct xb_err *err)
{
	struct xb_sign_result result XB_CLEANUP(xb_sign_result_release) = {0};
	struct xb_key *key XB_CLEANUP(xb_key_free) = NULL;
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *path XB_CLEANUP(xb_free_ptr) = NULL;
	struct subject *subjects = NULL;

	if (xb_app_start_dir(app, &start, err) < 0)
		return err->code;
	path = xb_path_join(start, opts->key);
	if (xb_key_read_private(path, getenv(PASSWORD_ENV), &key, err) < 0 ||
	    find_subjects(app, opts, &result.arena, &subjects, &result.n_items, err) < 0 ||
	    xb_app_need_store(app, err) < 0)
		return err->code;
	result.items = xb_arena_array(&result.arena, result.n_items, sizeof(*result.items));
	for (size_t i = 0; i < result.n_items; i++) {
		result.items[i].name = subjects[i].name;
		result.items[i].dir = xb_arena_printf(&result.arena, "%s.sig", subjects[i].dir);
		if (sign_subject(app, opts, key, &subjects[i], &result.items[i], err) < 0)
			return xb_wrap(err, "sign '%s'", subjects[i].name);
	}
	*out = result;
	result = (struct xb_sign_result){0};
	return 0;
}

/* ---- verifying ---- */

/* "out/images/parcel.oci.tar" to "out/images/parcel.sig". */
static char *signatures_of(const char *path)
{
	static const char *const endings[] = {".oci.tar", ".docker.tar", ".tar"};
	struct xb_sv base = xb_sv(path);

	for (size_t i = 0; i < XB_COUNT(endings); i++) {
		if (!xb_sv_ends(base, endings[i]))
			continue;
		base.len -= strlen(endings[i]);
		break;
	}
	return xb_printf("%.*s.sig", XB_SV_ARG(base));
}

int xb_op_sign_key(struct xb_app *app, const char *file, struct xb_key **out, struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *path XB_CLEANUP(xb_free_ptr) = NULL;

	if (xb_app_start_dir(app, &start, err) < 0)
		return err->code;
	path = xb_path_join(start, file);
	return xb_key_read_public(path, out, err);
}

/* What no signature could cover. */
static int check_form(const struct xb_sign_verify *what, struct xb_err *err)
{
	const struct xb_audit *audit = what->audit;

	if (audit->has_unread) {
		xb_fail(err, XB_E_SIGNATURE, "verify '%s': it has parts that are not named by sha256", what->shown);
		return xb_hint(err, "a signature holds only for what can be compared with its digest");
	}
	/* docker load takes what manifest.json names, whatever index.json says */
	if (audit->has_docker) {
		xb_fail(err, XB_E_SIGNATURE,
			"verify '%s': no signature covers the 'manifest.json' of an archive for docker", what->shown);
		return xb_hint(err, "verify the layout, or an archive made with --output oci-archive");
	}
	if (!audit->images.len || audit->images.len != audit->n_images)
		return xb_fail(err, XB_E_SIGNATURE, "verify '%s': it names %zu images, and %zu can be looked at",
			       what->shown, audit->n_images, audit->images.len);
	return 0;
}

int xb_op_sign_verify(struct xb_app *app, const struct xb_sign_verify *what, struct xb_err *err)
{
	struct xb_signatures signatures XB_CLEANUP(xb_signatures_release) = {0};
	char *start XB_CLEANUP(xb_free_ptr) = NULL;

	if (xb_app_start_dir(app, &start, err) < 0)
		return err->code;
	char *image XB_CLEANUP(xb_free_ptr) = clean_path(start, what->path);
	char *dir XB_CLEANUP(xb_free_ptr) =
		what->signatures ? clean_path(start, what->signatures) : signatures_of(image);

	if (xb_signatures_read(dir, &signatures, err) < 0 || check_form(what, err) < 0)
		return err->code;
	for (size_t i = 0; i < what->audit->images.len; i++) {
		const char *text = what->audit->images.items[i].digest, *repository;
		struct xb_digest digest;

		if (!xb_digest_parse(xb_sv(text), &digest))
			return xb_fail(err, XB_E_SIGNATURE, "verify '%s': '%s' is no sha256 digest", what->shown, text);
		if (xb_signatures_check(&signatures, &digest, what->key, &repository, err) < 0) {
			xb_wrap(err, "verify '%s' with '%s'", what->shown, what->key_shown);
			return xb_hint(err, "signatures are looked for in '%s'",
				       what->signatures_shown ? what->signatures_shown : dir);
		}
	}
	return 0;
}
