/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_read.h"

#include <string.h>

#include "project_read.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/model/target.h"

/* Without https only on this machine itself: a mirror in a test, a proxy of the user. */
static bool is_https_url(struct xb_sv text)
{
	static const char *const local[] = {"http://127.0.0.1:", "http://localhost:", "http://[::1]:"};
	bool is_local = false;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	}
	for (size_t i = 0; i < XB_COUNT(local); i++)
		is_local = is_local || xb_sv_starts(text, local[i]);
	return (is_local || xb_sv_starts(text, "https://")) && !xb_sv_ends(text, "/");
}

static bool is_file_name(struct xb_sv text)
{
	return xb_path_is_safe(text) && !memchr(text.ptr, '/', text.len);
}

const struct text_rule archive_url_rule = {is_https_url, "an https URL without a final '/'", NULL, 0, 0};
static const struct text_rule file_rule = {is_file_name, "a file name", NULL, 0, 0};

const char *archive_host(struct xb_sv name)
{
	return xb_host_find(name);
}

const char *archive_target(struct xb_sv name)
{
	const struct xb_target *target = xb_target_find(name);

	return target ? target->name : NULL;
}

static void read_digest(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)arg;
	if (node->kind != XB_YAML_SCALAR || !xb_digest_parse(node->text, field) || xb_digest_is_zero(field))
		schema_problem(s, node->at, "expected a sha256 of 64 lower-case hex digits");
}

static void read_size(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	uint64_t value;

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && xb_num_u64(node->text, XB_MAX_PACKAGE_BYTES, &value) && value)
		*(int64_t *)field = (int64_t)value;
	else
		schema_problem(s, node->at, "expected a size in bytes of at most %lld", XB_MAX_PACKAGE_BYTES);
}

/* A path below the project, kept as XB_LOCAL_FILE and the path. */
static void read_file(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)arg;
	if (schema_want_text(s, node, &path_rule, s->key))
		*(const char **)field = xb_arena_printf(s->arena, XB_LOCAL_FILE "%s", node->text.ptr);
}

/* A URL, or a path below the project. */
static void read_place(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	if (node->kind == XB_YAML_SCALAR && !memmem(node->text.ptr, node->text.len, "://", 3))
		read_file(s, node, field, arg);
	else
		schema_text(s, node, field, &archive_url_rule);
}

#define ARCHIVE(field) offsetof(struct xb_archive_ref, field)

static const struct schema_key data_keys[] = {
	{"url", schema_text, ARCHIVE(url), &archive_url_rule, true},
	{"file", schema_text, ARCHIVE(file), &file_rule, true},
	{"sha256", read_digest, ARCHIVE(sha256), NULL, true},
	{"size", read_size, ARCHIVE(size_bytes), NULL, false},
};

static const struct schema_key project_keys[] = {
	{"url", schema_text, ARCHIVE(url), &archive_url_rule, false},
	{"file", read_file, ARCHIVE(url), NULL, false},
	{"sha256", read_digest, ARCHIVE(sha256), NULL, false},
	{"size", read_size, ARCHIVE(size_bytes), NULL, false},
	{"signature", read_place, ARCHIVE(signature), NULL, false},
	{"key", schema_text, ARCHIVE(key), &path_rule, false},
};

static void check_of_project(struct schema *s, const struct xb_yaml *node, const struct xb_archive_ref *ref)
{
	const struct xb_yaml *url = xb_yaml_get(node, "url"), *file = xb_yaml_get(node, "file");

	if ((url != NULL) == (file != NULL))
		schema_problem(s, node->at, "archive: expected either 'url' or 'file'");
	else if (url && !xb_yaml_get(node, "sha256"))
		schema_refuse(s, url->at, "add 'sha256:', as its publisher gives it",
			      "archive: what is downloaded needs a sha256");
	if ((ref->signature != NULL) != (ref->key != NULL) && !node->partial)
		schema_refuse(s, node->at, "'key:' names a file of the project with the signer's certificate",
			      "archive: 'signature' and 'key' go together");
}

static void read_one(struct schema *s, const struct xb_yaml *node, const struct archive_rule *rule,
		     struct xb_archive_ref *ref)
{
	const struct schema_group group = {rule->of_project ? project_keys : data_keys,
					   rule->of_project ? XB_COUNT(project_keys) : XB_COUNT(data_keys), ref};

	ref->at = node->at;
	ref->size_bytes = -1;
	schema_read(s, node, &group, 1, "archive");
	if (rule->of_project && node->kind == XB_YAML_MAP)
		check_of_project(s, node, ref);
}

void archive_read_map(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct archive_rule *rule = arg;
	struct xb_archive_refs *out = field;

	if (!schema_want_map(s, node, "archives"))
		return;
	out->items = xb_arena_array(s->arena, node->n_items + 1, sizeof(*out->items));
	out->len = 0;
	if (rule->of_project && (xb_yaml_get(node, "url") || xb_yaml_get(node, "file"))) {
		read_one(s, node, rule, &out->items[out->len++]);
		return;
	}
	if (!node->n_items && !node->partial)
		schema_problem(s, node->at, "expected an archive for each %s", rule->what);
	for (size_t i = 0; i < node->n_items; i++) {
		const struct xb_yaml *name = node->keys[i];
		const char *owner = name->kind == XB_YAML_SCALAR ? rule->find_owner(name->text) : NULL;
		struct xb_archive_ref *ref;

		if (!owner) {
			schema_problem(s, name->at, "unknown %s '%.*s'", rule->what, XB_SV_ARG(name->text));
			continue;
		}
		if (xb_archive_ref_find(out, owner)) {
			schema_problem(s, name->at, "%s '%s' is listed twice", rule->what, owner);
			continue;
		}
		ref = &out->items[out->len++];
		ref->owner = owner;
		read_one(s, node->items[i], rule, ref);
		ref->at = name->at;
	}
}
