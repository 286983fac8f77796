/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/spdx.h"

#include <string.h>

#include "doc.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/hex.h"
#include "xbuild/base/map.h"

#define DOCUMENT_ID "SPDXRef-DOCUMENT"
#define IMAGE_ID    "SPDXRef-Image"
#define UNKNOWN	    "NOASSERTION"

struct writer {
	struct doc doc;
	struct xb_arena arena;
	const struct xb_bill *bill;
	struct xb_map ids;	 /* those that are taken */
	const char **components; /* id of each */
	const char **files;
	json_t *packages, *relationships;
};

static void release_writer(struct writer *w)
{
	json_decref(w->doc.root);
	xb_map_release(&w->ids);
	xb_arena_release(&w->arena);
}

/* 7.2: letters, digits, '.' and '-'; what two names would share is told apart by a number. */
static const char *new_id(struct writer *w, const char *kind, const char *name, const char *arch)
{
	char *id = xb_arena_printf(&w->arena, "SPDXRef-%s-%s%s%s", kind, name, arch ? "-" : "", arch ? arch : "");
	const char *own = id;

	for (char *c = id; *c; c++) {
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-", *c))
			*c = '-';
	}
	for (int n = 2; xb_map_get_str(&w->ids, own); n++)
		own = xb_arena_printf(&w->arena, "%s-%d", id, n);
	xb_map_put_str(&w->ids, own, w);
	return own;
}

static void relate(struct writer *w, const char *from, const char *type, const char *to)
{
	json_t *r = doc_append(w->relationships);

	doc_text(&w->doc, r, "spdxElementId", from);
	doc_text(&w->doc, r, "relationshipType", type);
	doc_text(&w->doc, r, "relatedSpdxElement", to);
}

static void add_checksum(struct writer *w, json_t *list, const char *algorithm, const char *hex)
{
	json_t *checksum = doc_append(list);

	doc_text(&w->doc, checksum, "algorithm", algorithm);
	doc_text(&w->doc, checksum, "checksumValue", hex);
}

static void add_comment(struct writer *w, json_t *p, const struct xb_bill_component *c)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_str_append(&text, c->comment ? c->comment : "");
	for (size_t i = 0; i < c->taken.len; i++)
		xb_str_printf(&text, "%s%s", i ? ", " : "code was copied from ", c->taken.items[i]);
	if (text.len)
		doc_text(&w->doc, p, "comment", text.data);
}

static void add_package(struct writer *w, const char *id, const struct xb_bill_component *c, const char *purpose)
{
	struct doc *d = &w->doc;
	json_t *p = doc_append(w->packages);
	char hex[XB_DIGEST_HEX];
	char *supplier XB_CLEANUP(xb_free_ptr) = c->supplier ? xb_printf("Organization: %s", c->supplier) : NULL;

	doc_text(d, p, "SPDXID", id);
	doc_text(d, p, "name", c->name);
	doc_text(d, p, "versionInfo", c->version);
	doc_text(d, p, "packageFileName", c->file_name);
	doc_text(d, p, "supplier", supplier ? supplier : UNKNOWN);
	doc_text(d, p, "downloadLocation", UNKNOWN);
	json_object_set_new(p, "filesAnalyzed", json_false());
	if (!xb_digest_is_zero(&c->sha256))
		add_checksum(w, doc_list(p, "checksums"), "SHA256", xb_digest_hex(&c->sha256, hex));
	doc_text(d, p, "licenseConcluded", UNKNOWN);
	doc_text(d, p, "licenseDeclared", c->license ? c->license : UNKNOWN);
	doc_text(d, p, "copyrightText", UNKNOWN);
	doc_text(d, p, "primaryPackagePurpose", purpose);
	/* scanners take whatever has a purl for a part of the image */
	if (c->purl && c->roles != XB_BILL_BUILD_TOOL) {
		json_t *ref = doc_append(doc_list(p, "externalRefs"));

		doc_text(d, ref, "referenceCategory", "PACKAGE-MANAGER");
		doc_text(d, ref, "referenceType", "purl");
		doc_text(d, ref, "referenceLocator", c->purl);
	}
	add_comment(w, p, c);
}

static const char *kind_of(const struct xb_bill_component *c)
{
	static const char *const kinds[] = {
		[XB_BILL_DEBIAN] = "deb",   [XB_BILL_APK] = "apk",	[XB_BILL_IMAGE] = "Image",
		[XB_BILL_PROGRAM] = "Unit", [XB_BILL_LIBRARY] = "Unit", [XB_BILL_TOOLCHAIN] = "Toolchain",
	};

	return kinds[c->kind];
}

static const char *purpose_of(const struct xb_bill_component *c)
{
	static const char *const purposes[] = {
		[XB_BILL_DEBIAN] = "INSTALL",	   [XB_BILL_APK] = "INSTALL",	  [XB_BILL_IMAGE] = "CONTAINER",
		[XB_BILL_PROGRAM] = "APPLICATION", [XB_BILL_LIBRARY] = "LIBRARY", [XB_BILL_TOOLCHAIN] = "APPLICATION",
	};

	return purposes[c->kind];
}

static void add_image(struct writer *w)
{
	const struct xb_bill *bill = w->bill;
	const struct xb_bill_component image = {
		.kind = XB_BILL_IMAGE,
		.name = bill->name,
		.version = bill->version,
		.license = bill->license,
		.purl = bill->purl,
		.sha256 = bill->sha256,
	};

	add_package(w, IMAGE_ID, &image, "CONTAINER");
	relate(w, DOCUMENT_ID, "DESCRIBES", IMAGE_ID);
}

static void add_file(struct writer *w, json_t *list, size_t i)
{
	const struct xb_bill_file *f = &w->bill->files[i];
	json_t *file = doc_append(list), *checksums;
	char *name XB_CLEANUP(xb_free_ptr) = xb_printf("./%s", f->path);
	char sha1[2 * XB_SHA1_BYTES + 1], hex[XB_DIGEST_HEX];

	xb_hex_encode(f->sha1.bytes, sizeof(f->sha1.bytes), sha1);
	w->files[i] = new_id(w, "File", f->path, NULL);
	doc_text(&w->doc, file, "SPDXID", w->files[i]);
	doc_text(&w->doc, file, "fileName", name);
	checksums = doc_list(file, "checksums");
	add_checksum(w, checksums, "SHA1", sha1);
	add_checksum(w, checksums, "SHA256", xb_digest_hex(&f->sha256, hex));
	doc_text(&w->doc, file, "licenseConcluded", UNKNOWN);
	doc_text(&w->doc, file, "copyrightText", UNKNOWN);
}

/* 11.1, table 68. What is only linked into a unit is related to that unit. */
static void relate_component(struct writer *w, size_t i)
{
	const struct xb_bill_component *c = &w->bill->components[i];
	const char *id = w->components[i];

	if (c->roles & XB_BILL_CONTAINED)
		relate(w, IMAGE_ID, "CONTAINS", id);
	if (c->roles & XB_BILL_GROUND)
		relate(w, IMAGE_ID, "DESCENDANT_OF", id);
	if (c->roles & XB_BILL_BUILD_TOOL)
		relate(w, id, "BUILD_TOOL_OF", IMAGE_ID);
	for (size_t k = 0; k < c->needs.len; k++)
		relate(w, id, "DEPENDS_ON", w->components[c->needs.items[k]]);
	for (size_t k = 0; k < c->links.len; k++)
		relate(w, id, "STATIC_LINK", w->components[c->links.items[k]]);
	for (size_t k = 0; k < c->sources.len; k++)
		relate(w, id, "GENERATED_FROM", w->files[c->sources.items[k]]);
}

/* 6.5: unique, and of no meaning: made of all else that is in the document. */
static void set_namespace(struct writer *w, const char *name)
{
	struct xb_digest digest;
	char uuid[DOC_UUID_SIZE];
	char *text XB_CLEANUP(xb_free_ptr) = NULL;

	doc_digest(&w->doc, &digest);
	text = xb_printf("https://spdx.org/spdxdocs/%s-%s", name, doc_uuid(&digest, uuid));
	doc_text(&w->doc, w->doc.root, "documentNamespace", text);
}

int xb_spdx_write(const struct xb_bill *bill, struct xb_str *out, struct xb_err *err)
{
	struct writer w XB_CLEANUP(release_writer) = {.doc = {.root = json_object()}, .bill = bill};
	json_t *root = w.doc.root, *info;
	char *tool XB_CLEANUP(xb_free_ptr) = xb_printf("Tool: xbuild-%s", bill->tool_version);
	char *name XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s-%s", bill->name, bill->target ? bill->target->name : "index");

	w.components = xb_arena_array(&w.arena, bill->n_components, sizeof(*w.components));
	w.files = xb_arena_array(&w.arena, bill->n_files, sizeof(*w.files));
	doc_text(&w.doc, root, "spdxVersion", "SPDX-2.3");
	doc_text(&w.doc, root, "dataLicense", "CC0-1.0");
	doc_text(&w.doc, root, "SPDXID", DOCUMENT_ID);
	doc_text(&w.doc, root, "name", name);
	doc_text(&w.doc, root, "documentNamespace", ""); /* its place; the value comes last */
	info = doc_object(root, "creationInfo");
	doc_text(&w.doc, info, "created", bill->created);
	doc_append_text(&w.doc, doc_list(info, "creators"), "creators", tool);
	w.packages = doc_list(root, "packages");
	if (bill->n_files) {
		json_t *files = doc_list(root, "files");

		for (size_t i = 0; i < bill->n_files; i++)
			add_file(&w, files, i);
	}
	w.relationships = doc_list(root, "relationships");
	add_image(&w);
	for (size_t i = 0; i < bill->n_components; i++) {
		const struct xb_bill_component *c = &bill->components[i];

		w.components[i] = new_id(&w, kind_of(c), c->name, c->arch);
		add_package(&w, w.components[i], c, purpose_of(c));
	}
	for (size_t i = 0; i < bill->n_components; i++)
		relate_component(&w, i);
	set_namespace(&w, name);
	return doc_finish(&w.doc, "bill of materials (SPDX)", out, err);
}
