/* SPDX-License-Identifier: Apache-2.0 */
/* The walk from index.json down, and what all documents have in common. */
#include "xbuild/image/audit.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "audit_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/document.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

#define MEDIA_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define REF_NAME	      "org.opencontainers.image.ref.name"
#define HASH_CHUNK_BYTES      (256 * 1024)
#define MAX_FINDING_BYTES     500

/* ---- findings ---- */

/* Foreign names reach terminals and logs: no control bytes, C1 controls in UTF-8 (0xc2 0x80..0x9f) included. */
void audit_clean_text(char *text, size_t max_bytes)
{
	if (strlen(text) > max_bytes)
		memcpy(text + max_bytes - 3, "...", 4);
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			*p = p[1] = '?';
	}
}

/* Each kind has a list of its own length, so that no crowd of warnings hides a problem. */
static void XB_PRINTF(3, 0) add_finding(struct audit_run *run, bool is_warning, const char *fmt, va_list args)
{
	struct xb_audit *out = run->out;
	char *text XB_CLEANUP(xb_free_ptr) = xb_vprintf(fmt, args);

	*(is_warning ? &out->n_warnings : &out->n_problems) += 1;
	if (run->n_listed[is_warning]++ >= XB_MAX_DIAGS)
		return;
	audit_clean_text(text, MAX_FINDING_BYTES);
	XB_VEC_PUSH(&out->findings, ((struct xb_audit_finding){is_warning, xb_arena_strdup(&out->arena, text)}));
}

void audit_problem(struct audit_run *run, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_finding(run, false, fmt, args);
	va_end(args);
}

void audit_warning(struct audit_run *run, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_finding(run, true, fmt, args);
	va_end(args);
}

int audit_absorb(struct audit_run *run, const char *where, struct xb_err *err)
{
	if (err->code != XB_E_VERIFY && err->code != XB_E_INPUT && err->code != XB_E_DIGEST)
		return err->code;
	audit_problem(run, "%s%s%s", where, *where ? ": " : "", err->msg);
	xb_err_clear(err);
	return 0;
}

int audit_check_interrupted(const struct audit_run *run, struct xb_err *err)
{
	if (run->interrupted && *run->interrupted)
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
	return 0;
}

/* ---- bytes ---- */

/* Calls back with the bytes of a file in order, at most COPY_CHUNK at a time; a file that ends early just ends. */
static int read_file(struct audit_run *run, const struct audit_file *file, void (*use)(void *, const void *, size_t),
		     void *ctx, struct xb_err *err)
{
	char *chunk XB_CLEANUP(xb_free_ptr) = xb_alloc(HASH_CHUNK_BYTES);
	int64_t at, left = file->size_bytes;
	bool own;
	int fd, r = 0;

	if (audit_source_content(run, file, &fd, &own, &at, err) < 0)
		return err->code;
	while (left > 0 && r == 0) {
		const ssize_t n =
			pread(fd, chunk, left < HASH_CHUNK_BYTES ? (size_t)left : HASH_CHUNK_BYTES, (off_t)at);

		r = n < 0 ? xb_fail_errno(err, "read '%s' of '%s'", file->name, run->src.path)
			  : audit_check_interrupted(run, err);
		if (n <= 0)
			break;
		use(ctx, chunk, (size_t)n);
		at += n;
		left -= n;
	}
	if (own)
		xb_fs_close(&fd);
	return r;
}

static void hash_bytes(void *ctx, const void *bytes, size_t len)
{
	xb_hasher_update(ctx, bytes, len);
}

static void keep_bytes(void *ctx, const void *bytes, size_t len)
{
	xb_str_append_n(ctx, bytes, len);
}

int audit_hash(struct audit_run *run, struct audit_file *file, struct xb_digest *out, struct xb_err *err)
{
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};

	xb_hasher_init(&hasher);
	if (read_file(run, file, hash_bytes, &hasher, err) < 0)
		return err->code;
	xb_hasher_final(&hasher, out);
	return 0;
}

int audit_document(struct audit_run *run, struct audit_file *file, const char *where, json_t **out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (file->size_bytes > XB_MAX_OCI_DOCUMENT_BYTES) {
		audit_problem(run, "%s: expected at most %lld bytes, found %lld", where, XB_MAX_OCI_DOCUMENT_BYTES,
			      (long long)file->size_bytes);
		run->is_incomplete = true;
		return 0;
	}
	if (read_file(run, file, keep_bytes, &text, err) < 0 || xb_json_parse(xb_str_sv(&text), where, out, err) < 0) {
		run->is_incomplete = true;
		return audit_absorb(run, "", err);
	}
	return 1;
}

/* ---- members ---- */

const char *audit_text(struct audit_run *run, const json_t *object, const char *key, const char *where)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_string(value))
		audit_problem(run, "%s: expected a string as '%s'", where, key);
	return json_string_value(value);
}

const char *audit_platform(struct audit_run *run, const json_t *object, const char *where)
{
	const char *os = audit_text(run, object, "os", where);
	const char *architecture = audit_text(run, object, "architecture", where);
	const char *variant = audit_text(run, object, "variant", where);

	if (!os || !architecture || !*os || !*architecture) {
		audit_problem(run, "%s: 'os' and 'architecture' are required", where);
		return NULL;
	}
	return xb_arena_printf(&run->out->arena, "%s/%s%s%s", os, architecture, variant && *variant ? "/" : "",
			       variant ? variant : "");
}

void audit_check_header(struct audit_run *run, const json_t *document, const char *media_type, const char *where)
{
	const json_t *version = json_object_get(document, "schemaVersion");
	const char *found = audit_text(run, document, "mediaType", where);

	if (!json_is_integer(version) || json_integer_value(version) != 2)
		audit_problem(run, "%s: expected schemaVersion 2", where);
	if (found && strcmp(found, media_type) != 0)
		audit_problem(run, "%s: expected mediaType '%s', found '%s'", where, media_type, found);
	/* of an index, skopeo and umoci leave it out: nobody needs it there */
	if (!found && !json_object_get(document, "mediaType") && strcmp(media_type, XB_MEDIA_INDEX) != 0)
		audit_warning(run, "%s: it should have a mediaType", where);
	/* one document that is an index to one reader and a manifest to another */
	if (json_object_get(document, "manifests") &&
	    (json_object_get(document, "layers") || json_object_get(document, "config")))
		audit_problem(run, "%s: it is an index and a manifest at once", where);
}

/* ---- indexes ---- */

static int audit_index(struct audit_run *run, const json_t *index, const char *media_type, const char *where, int depth,
		       struct xb_str *platforms, struct xb_err *err);

/* An index below index.json. */
static int audit_nested(struct audit_run *run, const struct audit_descriptor *d, int depth, struct xb_str *platforms,
			struct xb_err *err)
{
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("index %s", d->digest);
	json_t *index XB_CLEANUP(xb_json_release) = NULL;
	int r;

	/* the same index twice says nothing new; its platforms were told the first time */
	if (d->file->walked)
		return 0;
	d->file->walked = true;
	if (depth >= XB_MAX_OCI_DEPTH) {
		audit_problem(run, "%s: more than %d indexes in each other", where, XB_MAX_OCI_DEPTH);
		run->is_incomplete = true;
		return 0;
	}
	r = audit_document(run, d->file, where, &index, err);
	return r <= 0 ? r : audit_index(run, index, d->media_type, where, depth, platforms, err);
}

static int audit_entry(struct audit_run *run, const json_t *entry, const char *where, int depth,
		       struct xb_str *platforms, struct xb_err *err)
{
	const json_t *platform = json_object_get(entry, "platform");
	struct audit_descriptor d;
	const char *name = NULL;
	int r = audit_descriptor(run, entry, where, &d, err);

	/* what could not be read has been told, and may have been an image */
	run->n_manifests += r <= 0 || !d.media_type;
	if (platform)
		name = audit_platform(run, platform, where);
	if (name && strcmp(name, "unknown/unknown") == 0)
		audit_warning(run, "%s: a platform 'unknown/unknown' confuses registries and runtimes", where);
	if (r <= 0 || !d.media_type)
		return r < 0 ? r : 0;
	if (strcmp(d.media_type, XB_MEDIA_INDEX) == 0 || strcmp(d.media_type, MEDIA_DOCKER_LIST) == 0)
		return audit_nested(run, &d, depth + 1, platforms, err);
	if (strcmp(d.media_type, XB_MEDIA_MANIFEST) != 0 && strcmp(d.media_type, MEDIA_DOCKER_MANIFEST) != 0) {
		audit_warning(run, "%s: not looked into the unknown media type '%s'", where, d.media_type);
		return 0;
	}
	run->n_manifests++;
	if (audit_manifest(run, &d, name, err) < 0)
		return err->code;
	if (d.file->platform)
		xb_str_printf(platforms, "%s%s", platforms->len ? ", " : "", d.file->platform);
	return 0;
}

static const char *clean_copy(struct audit_run *run, const char *text)
{
	char *copy XB_CLEANUP(xb_free_ptr) = xb_strdup(text ? text : "");

	audit_clean_text(copy, MAX_FINDING_BYTES);
	return xb_arena_strdup(&run->out->arena, copy);
}

/* An entry of index.json: what there is to choose from. */
static void note_image(struct audit_run *run, const char *digest, const char *ref, const char *platforms)
{
	const struct xb_audit_image image = {clean_copy(run, digest), clean_copy(run, ref), clean_copy(run, platforms)};

	run->out->n_images++;
	if (run->out->images.len >= XB_MAX_DIAGS)
		return;
	for (size_t i = 0; i < run->out->images.len; i++) {
		if (*image.ref && strcmp(run->out->images.items[i].ref, image.ref) == 0)
			audit_warning(run, "index.json: more than one image is called '%s'", image.ref);
	}
	XB_VEC_PUSH(&run->out->images, image);
}

static int audit_index(struct audit_run *run, const json_t *index, const char *media_type, const char *where, int depth,
		       struct xb_str *platforms, struct xb_err *err)
{
	const json_t *manifests = json_object_get(index, "manifests");

	audit_check_header(run, index, media_type, where);
	if (!json_is_array(manifests)) {
		audit_problem(run, "%s: expected a list 'manifests'", where);
		run->is_incomplete = true;
		return 0;
	}
	if (!json_array_size(manifests))
		audit_problem(run, "%s: it holds no image: 'manifests' is empty", where);
	for (size_t i = 0; i < json_array_size(manifests); i++) {
		const json_t *entry = json_array_get(manifests, i);
		char *what XB_CLEANUP(xb_free_ptr) = xb_printf("%s: manifests[%zu]", where, i);
		struct xb_str own XB_CLEANUP(xb_str_release) = {.max_bytes = XB_MAX_PATH_BYTES};
		const char *ref = json_string_value(json_object_get(json_object_get(entry, "annotations"), REF_NAME));
		const char *digest = json_string_value(json_object_get(entry, "digest"));

		if (audit_check_interrupted(run, err) < 0 ||
		    audit_entry(run, entry, what, depth, depth ? platforms : &own, err) < 0)
			return err->code;
		if (!depth)
			note_image(run, digest, ref, xb_str_get(&own));
	}
	return 0;
}

/* ---- the whole ---- */

static int audit_layout(struct audit_run *run, struct audit_file *layout, struct xb_err *err)
{
	struct audit_file *index = audit_source_find(run, "index.json");
	json_t *root XB_CLEANUP(xb_json_release) = NULL, *top XB_CLEANUP(xb_json_release) = NULL;
	int r = layout ? audit_document(run, layout, "oci-layout", &root, err) : 0;

	if (r < 0)
		return r;
	if (!layout)
		audit_problem(run, "the file 'oci-layout' is missing");
	if (r > 0) {
		const char *version = audit_text(run, root, "imageLayoutVersion", "oci-layout");

		if (!version || strcmp(version, "1.0.0") != 0)
			audit_problem(run, "oci-layout: expected imageLayoutVersion '1.0.0', found '%s'",
				      version ? version : "");
	}
	if (!index) {
		audit_problem(run, "the file 'index.json' is missing");
		run->is_incomplete = true;
		return 0;
	}
	r = audit_document(run, index, "index.json", &top, err);
	if (r <= 0)
		return r;
	if (audit_index(run, top, XB_MEDIA_INDEX, "index.json", 0, NULL, err) < 0)
		return err->code;
	if (json_array_size(json_object_get(top, "manifests")) && !run->n_manifests && !run->out->n_problems)
		audit_problem(run, "index.json: it holds no image: no entry has a media type that is known");
	return 0;
}

static void warn_of_leftovers(struct audit_run *run)
{
	for (size_t i = 0; !run->is_incomplete && i < run->src.files.len; i++) {
		const struct audit_file *file = run->src.files.entries[i].value;

		if (strncmp(file->name, "blobs/", 6) == 0 && !file->referenced)
			audit_warning(run, "'%s': nothing refers to it", file->name);
	}
}

int audit_all(struct audit_run *run, const char *path, struct xb_err *err)
{
	struct audit_file *layout, *docker;

	if (audit_source_open(run, path, err) < 0)
		return err->code;
	layout = audit_source_find(run, "oci-layout");
	docker = audit_source_find(run, "manifest.json");
	if (!layout && !docker && !audit_source_find(run, "index.json")) {
		audit_problem(run,
			      "'%s' is neither an OCI layout ('oci-layout') nor an archive of Docker ('manifest.json')",
			      run->src.path);
		return 0;
	}
	if ((layout || audit_source_find(run, "index.json")) && audit_layout(run, layout, err) < 0)
		return err->code;
	if (docker && run->src.fd >= 0 && audit_docker(run, docker, err) < 0)
		return err->code;
	warn_of_leftovers(run);
	return 0;
}

void audit_end(struct audit_run *run)
{
	audit_source_close(&run->src);
	xb_map_release(&run->heads);
}

void xb_audit_release(struct xb_audit *audit)
{
	if (!audit)
		return;
	XB_VEC_RELEASE(&audit->findings);
	XB_VEC_RELEASE(&audit->images);
	xb_arena_release(&audit->arena);
	*audit = (struct xb_audit){0};
}

int xb_audit_run(const char *path, const volatile int *interrupted, struct xb_audit *out, struct xb_err *err)
{
	struct audit_run run = {.src.fd = -1, .interrupted = interrupted, .out = out, .checks_start = true};
	const int r = audit_all(&run, path, err);

	audit_end(&run);
	return r;
}
