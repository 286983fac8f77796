/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/bill.h"

#include <string.h>

#include "xbuild/base/str.h"

/* purl-spec "Character encoding": what is not unreserved (RFC 3986 2.3) is written as a percent sign and two digits. */
static void add_encoded(const char *text, struct xb_str *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			xb_str_append_char(out, *text);
		else
			xb_str_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

const char *xb_bill_purl(const char *type, const char *vendor, const char *name, const char *version,
			 const char *qualifiers, struct xb_arena *arena)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	xb_str_printf(&out, "pkg:%s/", type);
	if (vendor) {
		add_encoded(vendor, &out);
		xb_str_append_char(&out, '/');
	}
	add_encoded(name, &out);
	if (version) {
		xb_str_append_char(&out, '@');
		add_encoded(version, &out);
	}
	if (qualifiers && *qualifiers)
		xb_str_printf(&out, "?%s", qualifiers);
	return xb_arena_strdup(arena, out.data);
}

const char *xb_bill_oci_purl(const char *name, const struct xb_digest *digest, const struct xb_target *target,
			     struct xb_arena *arena)
{
	char text[XB_DIGEST_OCI];

	return xb_bill_purl("oci", NULL, name, xb_digest_oci(digest, text),
			    target ? xb_arena_printf(arena, "arch=%s&os=linux", target->oci_arch) : NULL, arena);
}
