/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_how.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

#define MAX_AUTHORITIES_BYTES (16 * XB_MIB)

/* What is between the lines is for the TLS library to judge. */
static int check_authorities(const char *path, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(path, MAX_AUTHORITIES_BYTES, &text, err) < 0) {
		xb_wrap(err, "--ca");
		return xb_hint(err, "name a PEM file of the authorities to trust");
	}
	/* strstr ends at a zero byte, which no PEM file has */
	if (strstr(xb_str_get(&text), "-----BEGIN CERTIFICATE-----") ||
	    strstr(xb_str_get(&text), "-----BEGIN TRUSTED CERTIFICATE-----"))
		return 0;
	xb_fail(err, XB_E_INPUT, "--ca: '%s' has no certificate in PEM form", path);
	return xb_hint(err, "if it is one in DER form: openssl x509 -inform DER -in FILE -out FILE.pem");
}

int registry_how(struct xb_app *app, const struct xb_app_registry *how, struct xb_registry_opts *out,
		 struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *path XB_CLEANUP(xb_free_ptr) = NULL;

	*out = (struct xb_registry_opts){
		.insecure = how->insecure, .observer = app->observer, .interrupted = app->interrupted};
	if (!how->ca_file)
		return 0;
	if (xb_app_start_dir(app, &start, err) < 0)
		return err->code;
	path = xb_path_join(start, how->ca_file);
	if (check_authorities(path, err) < 0)
		return err->code;
	out->ca_file = xb_arena_strdup(&app->arena, path);
	return 0;
}
