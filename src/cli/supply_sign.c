/* SPDX-License-Identifier: Apache-2.0 */
/* sign, and the signatures of verify, as xbuild-supply does them. */
#include <jansson.h>
#include <stdio.h>

#include "cli.h"

#include "xbuild/app/op_sign.h"

static json_t *signed_json(const struct xb_sign_result *result)
{
	json_t *list = json_array();
	char digest[XB_DIGEST_OCI];
	for (size_t i = 0; i < result->n_items; i++) {
		const struct xb_sign_item *item = &result->items[i];
		json_t *row = json_object();
		json_object_set_new(row, "name", json_string(item->name));
		json_object_set_new(row, "digest", json_string(xb_digest_oci(&item->index, digest)));
		json_object_set_new(row, "signatures", json_string(item->dir));
		json_object_set_new(row, "n_signed", json_integer((json_int_t)item->n_signed));
		json_object_set_new(row, "changed", json_boolean(item->changed));
		json_array_append_new(list, row);
	}
	return list;
}

static int print_signed(const struct xb_sign_result *result, struct xb_err *err)
{
	struct xb_str text = {0};
	char digest[XB_DIGEST_OCI];
	for (size_t i = 0; i < result->n_items; i++) {
		const struct xb_sign_item *item = &result->items[i];
		xb_str_printf(&text, "%s %s\n", xb_digest_oci(&item->index, digest), item->dir);
	}
	int code = cli_print(xb_str_get(&text), err);
	xb_str_release(&text);
	return code;
}

int cmd_sign_run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	if (!v->key) {
		xb_fail(err, XB_E_USAGE, "sign needs a key");
		return xb_hint(err, "xbuild sign --key FILE; 'openssl genpkey -algorithm ed25519 -out FILE' makes one");
	}
	const struct xb_sign_opts opts = {
		.key = v->key,
		.images = v->args.items,
		.n_images = v->args.len,
		.repository = v->repository,
		.recursive = v->recursive,
	};
	struct xb_sign_result result = {0};
	int code = xb_op_sign(&cli->app, &opts, &result, err);
	progress_clear(cli->progress);
	for (size_t i = 0; code == 0 && !v->quiet && i < result.n_items; i++)
		fprintf(stderr, "%16s %s%s\n", "signed", result.items[i].name,
			result.items[i].changed ? "" : " (as it was)");
	if (code == 0)
		code = v->json ? cli_print_json(signed_json(&result), err) : print_signed(&result, err);
	xb_sign_result_release(&result);
	return code;
}
