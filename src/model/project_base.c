/* SPDX-License-Identifier: Apache-2.0 */
/* The keys base and packages of an image. */
#include "project_read.h"
#include "xbuild/model/names.h"

/* What can never be a reference; the rest is judged where references are read. */
static bool is_base_ref(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	}
	return text.len > 0 && text.len <= 1024;
}

static const struct text_rule base_ref_rule = {is_base_ref, "an image",
					       "as in ghcr.io/acme/base:1.2, or oci:DIR for a layout", false, false};

#define IMAGE(field) offsetof(struct xb_image, field)

static const struct schema_key base_keys[] = {
	{"debian", schema_word_set, IMAGE(base_packages), &package_rule, false},
	{"apko", schema_text, IMAGE(apko), &path_rule, false},
	{"lock", schema_text, IMAGE(apko_lock), &path_rule, false},
	{"image", schema_text, IMAGE(base_ref), &base_ref_rule, false},
};

/* One of debian, apko and image; `lock` goes with apko. */
static void read_base_map(struct schema *s, const struct xb_yaml *node, struct xb_image *image)
{
	static const struct {
		const char *key;
		enum xb_image_base base;
	} kinds[] = {{"debian", XB_BASE_DEBIAN}, {"apko", XB_BASE_APKO}, {"image", XB_BASE_IMAGE}};
	const struct schema_group group = SCHEMA_GROUP(base_keys, image);
	size_t n = 0;

	schema_read(s, node, &group, 1, "base");
	for (size_t i = 0; i < XB_COUNT(kinds); i++) {
		if (!xb_yaml_get(node, kinds[i].key))
			continue;
		image->base = kinds[i].base;
		n++;
	}
	if (n != 1 && !node->partial)
		schema_refuse(s, node->at, "as in { debian: [base-files] }, { apko: base.yaml } or { image: name:tag }",
			      "base: expected exactly one of 'debian', 'apko' and 'image'");
	else if (image->apko_lock && image->base != XB_BASE_APKO)
		schema_problem(s, xb_yaml_get(node, "lock")->at, "base: 'lock' goes with 'apko' alone");
}

/* A word that is no kind of its own is the name of a data file: those all begin with the distribution. */
void project_read_base(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	static const struct enum_word words[] = {{"auto", XB_BASE_AUTO}, {"scratch", XB_BASE_SCRATCH}, {NULL, 0}};
	struct xb_image *image = field;
	int base = XB_BASE_AUTO;

	(void)arg;
	image->at_base = node->at;
	if (node->kind == XB_YAML_MAP) {
		read_base_map(s, node, image);
	} else if (node->kind == XB_YAML_SCALAR && xb_sv_starts(node->text, "debian-") && xb_name_is_unit(node->text)) {
		image->base = XB_BASE_DEBIAN;
		image->base_name = node->text.ptr;
	} else {
		schema_enum(s, node, &base, words);
		image->base = (enum xb_image_base)base;
	}
}

void project_check_base(struct schema *s, const struct xb_image *image)
{
	if (image->packages.len && image->base != XB_BASE_AUTO && image->base != XB_BASE_DEBIAN)
		schema_refuse(s, image->packages.at[0], "they are Debian packages: use base auto or debian",
			      "packages: this base takes none");
}
