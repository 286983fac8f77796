/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/referrers.h"

#include <string.h>

#include "client.h"
#include "xbuild/base/alloc.h"
#include "xbuild/registry/manifest.h"
#include "xbuild/sys/json.h"

#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"

/* Does the registry keep the list by itself? */
static int has_api(struct xb_repository *repo, const struct xb_digest *subject, bool *out, struct xb_err *err)
{
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct registry_call call = {.method = "GET"};
	char *url XB_CLEANUP(xb_free_ptr) = NULL;
	char hex[XB_DIGEST_OCI];

	if (registry_url(repo, &url, err, "/referrers/%s", xb_digest_oci(subject, hex)) < 0)
		return err->code;
	call.url = url;
	if (registry_call(repo, &call, &res, err) < 0)
		return err->code;
	/* One that does not know it may also take the address for a wrong one of something else. */
	*out = res.status == 200;
	return 0;
}

/* descriptor.md; "Referrers Tag Schema": artifactType, which is the configuration's type where there is none, annotations. */
static int make_entry(const struct xb_digest *digest, const char *media_type, struct xb_sv bytes, json_t **out,
		      struct xb_err *err)
{
	json_t *manifest XB_CLEANUP(xb_json_release) = NULL;
	json_t *annotations;
	const char *type;
	char hex[XB_DIGEST_OCI];

	if (xb_json_parse(bytes, "manifest", &manifest, err) < 0)
		return err->code;
	type = json_string_value(json_object_get(manifest, "artifactType"));
	if (!type)
		type = json_string_value(json_object_get(json_object_get(manifest, "config"), "mediaType"));
	annotations = json_object_get(manifest, "annotations");
	*out = json_object();
	json_object_set_new(*out, "mediaType", json_string(media_type));
	json_object_set_new(*out, "digest", json_string(xb_digest_oci(digest, hex)));
	json_object_set_new(*out, "size", json_integer((json_int_t)bytes.len));
	if (type)
		json_object_set_new(*out, "artifactType", json_string(type));
	if (json_is_object(annotations))
		json_object_set(*out, "annotations", annotations);
	return 0;
}

/* The list as it is, an empty one where there is none. */
static int read_list(struct xb_repository *repo, const char *tag, json_t **out, struct xb_err *err)
{
	struct xb_manifest m XB_CLEANUP(xb_manifest_release) = {0};
	if (xb_manifest_get_tag(repo, tag, &m, err) < 0) {
		if (err->code != XB_E_NOT_FOUND)
			return err->code;
		xb_err_clear(err);
		*out = json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", INDEX_TYPE, "manifests");
		return 0;
	}
	if (xb_json_parse(xb_str_sv(&m.bytes), tag, out, err) < 0 ||
	    !json_is_array(json_object_get(*out, "manifests"))) {
		xb_err_clear(err);
		return xb_fail(err, XB_E_NETWORK, "the tag '%s' is no list of referrers", tag);
	}
	return 0;
}

static bool has_entry(const json_t *list, const json_t *entry)
{
	const json_t *manifests = json_object_get(list, "manifests");
	const char *digest = json_string_value(json_object_get(entry, "digest"));

	for (size_t i = 0; i < json_array_size(manifests); i++) {
		const char *other = json_string_value(json_object_get(json_array_get(manifests, i), "digest"));

		if (other && strcmp(other, digest) == 0)
			return true;
	}
	return false;
}

int xb_referrers_list_one(struct xb_repository *repo, const struct xb_digest *subject, const struct xb_digest *digest,
			  const char *media_type, struct xb_sv bytes, struct xb_err *err)
{
	json_t *list XB_CLEANUP(xb_json_release) = NULL, *entry XB_CLEANUP(xb_json_release) = NULL;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest of_list;
	char hex[XB_DIGEST_HEX];
	bool kept = false;

	if (has_api(repo, subject, &kept, err) < 0 || kept)
		return err->code;
	char *tag XB_CLEANUP(xb_free_ptr) = xb_printf("sha256-%s", xb_digest_hex(subject, hex));

	if (read_list(repo, tag, &list, err) < 0 || make_entry(digest, media_type, bytes, &entry, err) < 0)
		return err->code;
	if (has_entry(list, entry))
		return 0;
	json_array_append(json_object_get(list, "manifests"), entry);
	xb_json_write(list, 0, false, &text);
	xb_digest_bytes(text.data, text.len, &of_list);
	return xb_manifest_put(repo, tag, INDEX_TYPE, xb_str_sv(&text), &of_list, err);
}
