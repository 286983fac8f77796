/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/provenance.h"

#include "doc.h"

#define STATEMENT  "https://in-toto.io/Statement/v1"
#define PREDICATE  "https://slsa.dev/provenance/v1"
#define BUILD_TYPE "urn:xbuild:build:image:v1"
#define BUILDER	   "urn:xbuild:builder:local" /* whoever runs xbuild: nothing vouches for more */

static void add_materials(struct doc *d, json_t *list, const struct xb_materials *materials)
{
	for (size_t i = 0; i < materials->len; i++) {
		const struct xb_material *m = &materials->items[i];
		json_t *object = doc_append(list);

		doc_text(d, object, "name", m->name);
		doc_text(d, object, "uri", m->uri);
		if (m->git_commit)
			doc_text(d, doc_object(object, "digest"), "gitCommit", m->git_commit);
		else if (!xb_digest_is_zero(&m->sha256))
			doc_hex(d, doc_object(object, "digest"), "sha256", &m->sha256);
		if (m->note)
			doc_text(d, doc_object(object, "annotations"), m->note_name, m->note);
	}
}

static void add_parameters(struct doc *d, json_t *definition, const struct xb_provenance *p)
{
	json_t *parameters = doc_object(definition, "externalParameters"), *project, *list;

	doc_text(d, parameters, "image", p->image);
	doc_text(d, parameters, "profile", p->profile);
	list = doc_list(parameters, "targets");
	for (size_t i = 0; i < p->n_targets; i++)
		doc_append_text(d, list, "targets", p->targets[i]);
	project = doc_object(parameters, "project");
	doc_text(d, project, "name", p->project_file);
	doc_hex(d, doc_object(project, "digest"), "sha256", &p->project);
}

int xb_provenance_write(const struct xb_provenance *p, struct xb_str *out, struct xb_err *err)
{
	struct doc d = {.root = json_object()};
	json_t *predicate, *definition, *details, *builder;
	struct xb_digest digest;
	char uuid[DOC_UUID_SIZE];

	doc_text(&d, d.root, "_type", STATEMENT);
	add_materials(&d, doc_list(d.root, "subject"), &p->subjects);
	doc_text(&d, d.root, "predicateType", PREDICATE);
	predicate = doc_object(d.root, "predicate");
	definition = doc_object(predicate, "buildDefinition");
	doc_text(&d, definition, "buildType", BUILD_TYPE);
	add_parameters(&d, definition, p);
	add_materials(&d, doc_list(definition, "resolvedDependencies"), &p->inputs);
	details = doc_object(predicate, "runDetails");
	builder = doc_object(details, "builder");
	doc_text(&d, builder, "id", BUILDER);
	doc_text(&d, doc_object(builder, "version"), "xbuild", p->tool_version);
	/* the same for the same inputs: there is nothing else that could tell two runs apart */
	doc_digest(&d, &digest);
	doc_text(&d, doc_object(details, "metadata"), "invocationId", doc_uuid(&digest, uuid));
	return doc_finish(&d, "provenance", out, err);
}
