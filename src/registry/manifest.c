/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/registry/tags.h"

void xb_manifest_release(struct xb_manifest *manifest)
{
	if (!manifest)
		return;
	free(manifest->media_type);
	xb_str_release(&manifest->bytes);
	*manifest = (struct xb_manifest){0};
}

/* Docker-Content-Digest, where it is a sha256; the header is optional. */
static bool told_digest(const struct xb_http_response *res, struct xb_digest *out)
{
	const struct xb_sv value = xb_http_header(res, "Docker-Content-Digest", 0);

	return value.ptr && xb_sv_starts(value, "sha256:") && xb_digest_parse(value, out);
}

static int check_digest(const struct registry_call *call, const struct xb_digest *got, const char *what,
			const struct xb_digest *expected, struct xb_err *err)
{
	char hex_got[XB_DIGEST_OCI], hex_expected[XB_DIGEST_OCI];
	struct xb_str where XB_CLEANUP(xb_str_release) = {0};

	if (xb_digest_eq(got, expected))
		return 0;
	xb_http_plain_url(call->url, &where);
	return xb_fail(err, XB_E_DIGEST, "%s %s: %s is %s, expected %s", call->method, where.data, what,
		       xb_digest_oci(got, hex_got), xb_digest_oci(expected, hex_expected));
}

static int get(struct xb_repository *repo, const char *name, const struct xb_digest *expected, struct xb_manifest *out,
	       struct xb_err *err)
{
	static const char *const headers[] = {"Accept: " REGISTRY_DOCUMENT_TYPES, NULL};
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct registry_call call = {.method = "GET", .headers = headers};
	char *url XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_digest digest, told;
	struct xb_sv type;

	if (registry_url(repo, &url, err, "/manifests/%s", name) < 0)
		return err->code;
	call.url = url;
	if (registry_call(repo, &call, &res, err) < 0)
		return err->code;
	if (res.status != 200)
		return registry_refused(&call, &res, err);
	xb_digest_bytes(xb_str_get(&res.body), res.body.len, &digest);
	if (expected && check_digest(&call, &digest, "the digest of what was sent", expected, err) < 0)
		return err->code;
	if (told_digest(&res, &told) && check_digest(&call, &digest, "the digest of what was sent", &told, err) < 0)
		return err->code;
	type = xb_http_header(&res, "Content-Type", 0);
	out->media_type = xb_sv_dup(xb_sv_trim(xb_sv_cut(&type, ';')));
	out->digest = digest;
	out->bytes = res.body;
	res.body = (struct xb_str){0};
	return 0;
}

int xb_manifest_get(struct xb_repository *repo, const struct xb_digest *digest, struct xb_manifest *out,
		    struct xb_err *err)
{
	char name[XB_DIGEST_OCI];

	return get(repo, xb_digest_oci(digest, name), digest, out, err);
}

int xb_manifest_get_tag(struct xb_repository *repo, const char *tag, struct xb_manifest *out, struct xb_err *err)
{
	return get(repo, tag, NULL, out, err);
}

int xb_manifest_resolve(struct xb_repository *repo, struct xb_manifest *out, struct xb_err *err)
{
	if (repo->ref.has_digest)
		return xb_manifest_get(repo, &repo->ref.digest, out, err);
	const char *tag = repo->ref.tag ? repo->ref.tag : "latest";

	if (xb_manifest_get_tag(repo, tag, out, err) == 0)
		return 0;
	return err->code == XB_E_NOT_FOUND ? xb_tags_hint(repo, tag, err) : err->code;
}

int xb_manifest_head(struct xb_repository *repo, const char *name, bool *out_there, struct xb_digest *out_digest,
		     struct xb_err *err)
{
	static const char *const headers[] = {"Accept: " REGISTRY_DOCUMENT_TYPES, NULL};
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct registry_call call = {.method = "HEAD", .headers = headers};
	char *url XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_digest digest = {0};

	if (registry_url(repo, &url, err, "/manifests/%s", name) < 0)
		return err->code;
	call.url = url;
	if (registry_call(repo, &call, &res, err) < 0)
		return err->code;
	if (res.status != 200 && res.status != 404)
		return registry_refused(&call, &res, err);
	if (res.status == 200)
		told_digest(&res, &digest);
	*out_digest = digest;
	*out_there = res.status == 200;
	return 0;
}

int xb_manifest_put(struct xb_repository *repo, const char *name, const char *media_type, struct xb_sv bytes,
		    const struct xb_digest *digest, struct xb_err *err)
{
	char *type XB_CLEANUP(xb_free_ptr) = xb_printf("Content-Type: %s", media_type);
	const char *const headers[] = {type, NULL};
	const struct xb_http_body body = {.bytes = bytes.ptr, .fd = -1, .size_bytes = (int64_t)bytes.len};
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct registry_call call = {.method = "PUT", .headers = headers, .body = &body};
	char *url XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_digest told;

	if (registry_url(repo, &url, err, "/manifests/%s", name) < 0)
		return err->code;
	call.url = url;
	if (registry_call(repo, &call, &res, err) < 0)
		return err->code;
	if (res.status < 200 || res.status > 299)
		return registry_refused(&call, &res, err);
	return told_digest(&res, &told)
		       ? check_digest(&call, &told, "what the registry says that it stored", digest, err)
		       : 0;
}
