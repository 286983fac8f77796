/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/reference.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/model/names.h"

#define MAX_NAME_BYTES 255 /* distribution-spec: what many clients take for host and name */
#define DOCKER	       "docker.io"
#define DOCKER_HOST    "registry-1.docker.io"

void xb_reference_release(struct xb_reference *ref)
{
	if (!ref)
		return;
	free(ref->registry);
	free(ref->host);
	free(ref->repository);
	free(ref->tag);
	*ref = (struct xb_reference){0};
}

static bool looks_like_host(struct xb_sv part)
{
	return memchr(part.ptr, '.', part.len) || memchr(part.ptr, ':', part.len) || memchr(part.ptr, '[', part.len) ||
	       xb_sv_eq_str(part, "localhost");
}

static bool is_port(struct xb_sv text)
{
	uint64_t port;

	return xb_num_u64(text, 65535, &port) && port > 0;
}

/* "[::1]" with or without a port. The one IPv6 address that has a use here is checked by its characters alone. */
static bool is_bracketed_host(struct xb_sv host)
{
	struct xb_sv rest = host;
	const struct xb_sv address = xb_sv_cut(&rest, ']');

	if (!rest.ptr || address.len < 3 || strspn(address.ptr + 1, "0123456789abcdefABCDEF:.") < address.len - 1)
		return false;
	return !rest.len || (rest.ptr[0] == ':' && is_port(xb_sv_n(rest.ptr + 1, rest.len - 1)));
}

static bool is_host(struct xb_sv host)
{
	struct xb_sv port = host;
	char *whole XB_CLEANUP(xb_free_ptr) = xb_printf("%.*s/x", XB_SV_ARG(host));

	if (host.len && host.ptr[0] == '[')
		return is_bracketed_host(host);
	xb_sv_cut(&port, ':');
	return (!port.ptr || is_port(port)) && host.ptr[0] != '.' && xb_name_is_repository(xb_sv(whole));
}

static bool is_loopback(const char *host)
{
	size_t len = strcspn(host, ":");

	if (host[0] == '[')
		return strncmp(host, "[::1]", 5) == 0 && (host[5] == '\0' || host[5] == ':');
	if (len == 9 && strncasecmp(host, "localhost", 9) == 0)
		return true;
	if (len > 10 && strncasecmp(host + len - 10, ".localhost", 10) == 0)
		return true;
	/* 127.0.0.0/8, and not a name that begins so */
	return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == len;
}

static int parse_digest(const char *text, struct xb_sv digest, struct xb_reference *out, struct xb_err *err)
{
	if (!digest.ptr)
		return 0;
	if (!xb_sv_starts(digest, "sha256:") || !xb_digest_parse(digest, &out->digest))
		return xb_fail(err, XB_E_USAGE, "reference '%s': expected sha256: and 64 lower-case digits after '@'",
			       text);
	out->has_digest = true;
	return 0;
}

static int parse_tag(const char *text, struct xb_sv *name, struct xb_reference *out, struct xb_err *err)
{
	struct xb_sv tag = *name;
	const struct xb_sv before = xb_sv_cut(&tag, ':');

	if (!tag.ptr)
		return 0;
	if (!xb_name_is_tag(tag))
		return xb_fail(err, XB_E_USAGE, "reference '%s': '%.*s' is no tag", text, XB_SV_ARG(tag));
	out->tag = xb_sv_dup(tag);
	*name = before;
	return 0;
}

static int parse_name(const char *text, struct xb_sv name, struct xb_reference *out, struct xb_err *err)
{
	/* The component in front keeps the name's own first one from being taken for a host. */
	char *probe XB_CLEANUP(xb_free_ptr) = xb_printf("x/%.*s", XB_SV_ARG(name));

	if (!name.len || !xb_name_is_repository(xb_sv(probe)))
		return xb_fail(err, XB_E_USAGE, "reference '%s': '%.*s' is no name of a repository", text,
			       XB_SV_ARG(name));
	if (strlen(out->registry) + 1 + name.len > MAX_NAME_BYTES)
		return xb_fail(err, XB_E_USAGE, "reference '%.64s...': host and name have more than %d bytes", text,
			       MAX_NAME_BYTES);
	if (strcmp(out->registry, DOCKER) == 0 && !memchr(name.ptr, '/', name.len))
		out->repository = xb_printf("library/%.*s", XB_SV_ARG(name));
	else
		out->repository = xb_sv_dup(name);
	return 0;
}

static int parse_host(const char *text, struct xb_sv *name, struct xb_reference *out, struct xb_err *err)
{
	struct xb_sv rest = *name;
	const struct xb_sv first = xb_sv_cut(&rest, '/');

	if (!rest.ptr || !looks_like_host(first)) {
		out->registry = xb_strdup(DOCKER);
		out->host = xb_strdup(DOCKER_HOST);
		return 0;
	}
	if (!is_host(first))
		return xb_fail(err, XB_E_USAGE, "reference '%s': '%.*s' is no host", text, XB_SV_ARG(first));
	*name = rest;
	/* The names that Docker Hub has had. */
	if (xb_sv_eq_str(first, DOCKER) || xb_sv_eq_str(first, "index.docker.io") || xb_sv_eq_str(first, DOCKER_HOST)) {
		out->registry = xb_strdup(DOCKER);
		out->host = xb_strdup(DOCKER_HOST);
		return 0;
	}
	out->registry = xb_sv_dup(first);
	out->host = xb_sv_dup(first);
	out->is_loopback = is_loopback(out->host);
	return 0;
}

static int parse(const char *text, struct xb_reference *out, struct xb_err *err)
{
	struct xb_sv digest = xb_sv(text);
	struct xb_sv name = xb_sv_cut(&digest, '@');

	if (parse_digest(text, digest, out, err) < 0 || parse_host(text, &name, out, err) < 0 ||
	    parse_tag(text, &name, out, err) < 0 || parse_name(text, name, out, err) < 0)
		return err->code;
	return 0;
}

int xb_reference_parse(const char *text, struct xb_reference *out, struct xb_err *err)
{
	struct xb_reference ref XB_CLEANUP(xb_reference_release) = {0};

	if (parse(text, &ref, err) < 0)
		return xb_hint(err, "as in ghcr.io/acme/parcel:1.0 or localhost:5000/parcel@sha256:...");
	*out = ref;
	ref = (struct xb_reference){0};
	return 0;
}

void xb_reference_name(const struct xb_reference *ref, struct xb_str *out)
{
	xb_str_printf(out, "%s/%s", ref->registry, ref->repository);
}

bool xb_reference_same_repository(const struct xb_reference *a, const struct xb_reference *b)
{
	return strcasecmp(a->host, b->host) == 0 && strcmp(a->repository, b->repository) == 0;
}
