/* SPDX-License-Identifier: Apache-2.0 */
#include "fetched.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/app/op_pull.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

void fetched_release(struct fetched *f)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	if (!f)
		return;
	if (f->is_temporary)
		(void)!xb_fs_remove(f->path, &ignored);
	free(f->path);
	free(f->ref);
	*f = (struct fetched){0};
}

/* "host/name", where host has a dot or a port, or is localhost. */
static bool names_registry(const char *text)
{
	struct xb_sv rest = xb_sv(text);
	const struct xb_sv host = xb_sv_cut(&rest, '/');

	return rest.len && host.len && host.ptr[0] != '.' &&
	       (memchr(host.ptr, '.', host.len) || memchr(host.ptr, ':', host.len) || xb_sv_eq_str(host, "localhost"));
}

static int fetch(struct xb_app *app, const char *ref, const char *label, const struct xb_app_registry *how,
		 struct fetched *out, struct xb_err *err)
{
	struct xb_image_output output = {.form = XB_IMAGE_OCI};
	struct xb_op_pull_opts opts = {.ref = ref, .outputs = &output, .n_outputs = 1, .label = label, .how = *how};
	struct fetched f XB_CLEANUP(fetched_release) = {0};
	struct xb_digest digest;
	const char *name;

	if (xb_app_need_store(app, err) < 0)
		return err->code;
	f.path = xb_store_tmp(app->store);
	f.ref = xb_strdup(ref);
	f.is_temporary = true;
	output.path = f.path;
	if (xb_op_pull(app, &opts, &digest, &name, err) < 0)
		return err->code;
	*out = f;
	f = (struct fetched){0};
	return 0;
}

int fetched_open(struct xb_app *app, const char *text, const struct xb_app_registry *how, struct fetched *out,
		 struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL;
	char *path XB_CLEANUP(xb_free_ptr) = NULL;

	if (xb_app_start_dir(app, &start, err) < 0)
		return err->code;
	path = xb_path_join(start, text);
	if (!xb_fs_exists(path) && names_registry(text))
		return fetch(app, text, NULL, how, out, err);
	*out = (struct fetched){.path = path};
	path = NULL;
	return 0;
}

int fetched_signatures(struct xb_app *app, const char *ref, const struct xb_digest *index,
		       const struct xb_app_registry *how, struct fetched *out, struct xb_err *err)
{
	struct xb_reference reference XB_CLEANUP(xb_reference_release) = {0};
	struct xb_str tag XB_CLEANUP(xb_str_release) = {0};
	char *label XB_CLEANUP(xb_free_ptr) = xb_printf("signatures of %s", ref);
	char hex[XB_DIGEST_HEX];

	if (xb_reference_parse(ref, &reference, err) < 0)
		return err->code;
	xb_reference_name(&reference, &tag);
	xb_str_printf(&tag, ":sha256-%s.sig", xb_digest_hex(index, hex));
	if (fetch(app, tag.data, label, how, out, err) == 0)
		return 0;
	if (err->code != XB_E_NOT_FOUND)
		return err->code;
	err->code = XB_E_SIGNATURE;
	xb_wrap(err, "'%s' has no signatures in its registry", ref);
	/* in the place of the tags that there are */
	return xb_hint_instead(err, "sign it with 'xbuild sign', and push it again");
}
