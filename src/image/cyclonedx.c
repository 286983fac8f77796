/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/cyclonedx.h"

#include "doc.h"
#include "xbuild/base/alloc.h"

#define SCHEMA "http://cyclonedx.org/schema/bom-1.6.schema.json"
#define ROLE   "xbuild:role"

struct writer {
	struct doc doc;
	struct xb_arena arena;
	const struct xb_bill *bill;
	const char **refs; /* of each component */
};

static void release_writer(struct writer *w)
{
	json_decref(w->doc.root);
	xb_arena_release(&w->arena);
}

static const char *type_of(const struct xb_bill_component *c)
{
	static const char *const types[] = {
		[XB_BILL_DEBIAN] = "library",	   [XB_BILL_APK] = "library",	  [XB_BILL_IMAGE] = "container",
		[XB_BILL_PROGRAM] = "application", [XB_BILL_LIBRARY] = "library", [XB_BILL_TOOLCHAIN] = "application",
	};

	return types[c->kind];
}

/* Unique by the names of packages; a unit and a package have each a name space of their own. */
static const char *ref_of(struct writer *w, const struct xb_bill_component *c)
{
	if (c->kind == XB_BILL_TOOLCHAIN)
		return xb_arena_printf(&w->arena, "toolchain:%s@%s", c->name, c->arch);
	if (c->kind == XB_BILL_PROGRAM || c->kind == XB_BILL_LIBRARY)
		return xb_arena_printf(&w->arena, "unit:%s", c->name);
	return c->purl ? c->purl : c->name;
}

static void add_hash(struct writer *w, json_t *list, const char *algorithm, const struct xb_digest *digest)
{
	json_t *hash = doc_append(list);

	doc_text(&w->doc, hash, "alg", algorithm);
	doc_hex(&w->doc, hash, "content", digest);
}

static void add_property(struct writer *w, json_t *list, const char *name, const char *value)
{
	json_t *property = doc_append(list);

	doc_text(&w->doc, property, "name", name);
	doc_text(&w->doc, property, "value", value);
}

static void add_sources(struct writer *w, json_t *object, const struct xb_bill_component *c)
{
	json_t *list;

	if (!c->sources.len)
		return;
	list = doc_list(doc_object(object, "pedigree"), "ancestors");
	for (size_t i = 0; i < c->sources.len; i++) {
		const struct xb_bill_file *f = &w->bill->files[c->sources.items[i]];
		json_t *file = doc_append(list);

		doc_text(&w->doc, file, "type", "file");
		doc_text(&w->doc, file, "name", f->path);
		add_hash(w, doc_list(file, "hashes"), "SHA-256", &f->sha256);
	}
}

static void add_occurrences(struct writer *w, json_t *object, const struct xb_bill_component *c)
{
	json_t *list;

	if (!c->taken.len)
		return;
	list = doc_list(doc_object(object, "evidence"), "occurrences");
	for (size_t i = 0; i < c->taken.len; i++)
		doc_text(&w->doc, doc_append(list), "location", c->taken.items[i]);
}

static void add_roles(struct writer *w, json_t *object, unsigned roles)
{
	static const struct {
		unsigned role;
		const char *text;
	} names[] = {{XB_BILL_CONTAINED, "contained"}, {XB_BILL_LINKED, "static-link"}, {XB_BILL_GROUND, "base"}};
	json_t *list = NULL;

	for (size_t i = 0; i < XB_COUNT(names); i++) {
		if (!(roles & names[i].role))
			continue;
		list = list ? list : doc_list(object, "properties");
		add_property(w, list, ROLE, names[i].text);
	}
}

static void fill_component(struct writer *w, json_t *object, const struct xb_bill_component *c, const char *ref)
{
	struct doc *d = &w->doc;

	doc_text(d, object, "type", type_of(c));
	doc_text(d, object, "bom-ref", ref);
	if (c->supplier)
		doc_text(d, doc_object(object, "supplier"), "name", c->supplier);
	doc_text(d, object, "name", c->name);
	doc_text(d, object, "version", c->version);
	doc_text(d, object, "description", c->comment);
	if (!xb_digest_is_zero(&c->sha256))
		add_hash(w, doc_list(object, "hashes"), "SHA-256", &c->sha256);
	if (c->license)
		doc_text(d, doc_append(doc_list(object, "licenses")), "expression", c->license);
	doc_text(d, object, "purl", c->purl);
	add_sources(w, object, c);
	add_occurrences(w, object, c);
	add_roles(w, object, c->roles);
}

static void add_metadata(struct writer *w)
{
	const struct xb_bill *bill = w->bill;
	json_t *metadata = doc_object(w->doc.root, "metadata"), *tool;
	const struct xb_bill_component image = {
		.kind = XB_BILL_IMAGE,
		.name = bill->name,
		.version = bill->version,
		.license = bill->license,
		.purl = bill->purl,
		.sha256 = bill->sha256,
	};

	doc_text(&w->doc, metadata, "timestamp", bill->created);
	doc_text(&w->doc, doc_append(doc_list(metadata, "lifecycles")), "phase", "build");
	tool = doc_append(doc_list(doc_object(metadata, "tools"), "components"));
	doc_text(&w->doc, tool, "type", "application");
	doc_text(&w->doc, tool, "name", "xbuild");
	doc_text(&w->doc, tool, "version", bill->tool_version);
	fill_component(w, doc_object(metadata, "component"), &image, bill->purl);
}

static bool is_build_tool(const struct xb_bill_component *c)
{
	return c->roles == XB_BILL_BUILD_TOOL;
}

static void add_components(struct writer *w)
{
	json_t *list = doc_list(w->doc.root, "components");

	for (size_t i = 0; i < w->bill->n_components; i++) {
		if (!is_build_tool(&w->bill->components[i]))
			fill_component(w, doc_append(list), &w->bill->components[i], w->refs[i]);
	}
}

static void add_formulation(struct writer *w)
{
	json_t *list = NULL;

	for (size_t i = 0; i < w->bill->n_components; i++) {
		if (!is_build_tool(&w->bill->components[i]))
			continue;
		list = list ? list : doc_list(doc_append(doc_list(w->doc.root, "formulation")), "components");
		fill_component(w, doc_append(list), &w->bill->components[i], w->refs[i]);
	}
}

/* The schema wants each reference once. */
static void add_refs(struct writer *w, json_t *list, const struct xb_bill_ids *ids, const struct xb_bill_ids *before)
{
	for (size_t i = 0; i < ids->len; i++) {
		bool known = false;

		for (size_t k = 0; before && k < before->len; k++)
			known = known || before->items[k] == ids->items[i];
		if (!known)
			doc_append_text(&w->doc, list, "dependsOn", w->refs[ids->items[i]]);
	}
}

static void add_dependencies(struct writer *w)
{
	json_t *list = doc_list(w->doc.root, "dependencies"), *entry = doc_append(list), *on;

	doc_text(&w->doc, entry, "ref", w->bill->purl);
	on = doc_list(entry, "dependsOn");
	for (size_t i = 0; i < w->bill->n_components; i++) {
		if (w->bill->components[i].roles & (XB_BILL_CONTAINED | XB_BILL_GROUND))
			doc_append_text(&w->doc, on, "dependsOn", w->refs[i]);
	}
	for (size_t i = 0; i < w->bill->n_components; i++) {
		const struct xb_bill_component *c = &w->bill->components[i];

		if (is_build_tool(c) || (!c->needs.len && !c->links.len))
			continue;
		entry = doc_append(list);
		doc_text(&w->doc, entry, "ref", w->refs[i]);
		on = doc_list(entry, "dependsOn");
		add_refs(w, on, &c->needs, NULL);
		add_refs(w, on, &c->links, &c->needs);
	}
}

static void set_serial_number(struct writer *w)
{
	struct xb_digest digest;
	char uuid[DOC_UUID_SIZE];
	char *text XB_CLEANUP(xb_free_ptr) = NULL;

	doc_digest(&w->doc, &digest);
	text = xb_printf("urn:uuid:%s", doc_uuid(&digest, uuid));
	doc_text(&w->doc, w->doc.root, "serialNumber", text);
}

int xb_cyclonedx_write(const struct xb_bill *bill, struct xb_str *out, struct xb_err *err)
{
	struct writer w XB_CLEANUP(release_writer) = {.doc = {.root = json_object()}, .bill = bill};
	json_t *root = w.doc.root;

	w.refs = xb_arena_array(&w.arena, bill->n_components, sizeof(*w.refs));
	for (size_t i = 0; i < bill->n_components; i++)
		w.refs[i] = ref_of(&w, &bill->components[i]);
	doc_text(&w.doc, root, "$schema", SCHEMA);
	doc_text(&w.doc, root, "bomFormat", "CycloneDX");
	doc_text(&w.doc, root, "specVersion", "1.6");
	doc_text(&w.doc, root, "serialNumber", ""); /* its place; the value comes last */
	json_object_set_new(root, "version", json_integer(1));
	add_metadata(&w);
	add_components(&w);
	add_dependencies(&w);
	add_formulation(&w);
	set_serial_number(&w);
	return doc_finish(&w.doc, "bill of materials (CycloneDX)", out, err);
}
