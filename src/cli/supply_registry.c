/* SPDX-License-Identifier: Apache-2.0 */
/* push and pull as xbuild-supply does them. */
#include <jansson.h>
#include <string.h>

#include "cli.h"

#include "xbuild/app/op_pull.h"
#include "xbuild/base/vec.h"

/* ---- push ---- */

static json_t *push_json(const struct xb_op_push_result *r)
{
	char digest[XB_DIGEST_OCI];
	json_t *targets = json_array(), *items = json_array(), *document = json_object();

	for (size_t i = 0; i < r->n_targets; i++) {
		json_t *row = json_object(), *tags = json_array();

		for (size_t k = 0; k < r->n_tags[i]; k++)
			json_array_append_new(tags, json_string(r->tags[i][k]));
		json_object_set_new(row, "name", json_string(r->names[i]));
		json_object_set_new(row, "tags", tags);
		json_array_append_new(targets, row);
	}
	for (size_t i = 0; i < r->sent.items.len; i++) {
		const struct xb_push_item *item = &r->sent.items.items[i];
		json_t *row = json_object();

		json_object_set_new(row, "name", json_string(r->names[item->target]));
		json_object_set_new(row, "digest", json_string(xb_digest_oci(&item->digest, digest)));
		json_object_set_new(row, "size", json_integer((json_int_t)item->size_bytes));
		json_object_set_new(row, "way", json_string(xb_push_way_name(item->way)));
		json_array_append_new(items, row);
	}
	json_object_set_new(document, "digest", json_string(xb_digest_oci(&r->digest, digest)));
	json_object_set_new(document, "targets", targets);
	json_object_set_new(document, "sent_bytes", json_integer((json_int_t)r->sent.sent_bytes));
	json_object_set_new(document, "items", items);
	return document;
}

/* Bytes and way of each part, then the sum: columns for people and for awk. */
static void describe_plan(const struct xb_op_push_result *r, struct xb_str *out)
{
	char digest[XB_DIGEST_OCI];

	for (size_t i = 0; i < r->sent.items.len; i++) {
		const struct xb_push_item *item = &r->sent.items.items[i];

		xb_str_printf(out, "%-7s %12lld  %s@%s\n", xb_push_way_name(item->way), (long long)item->size_bytes,
			      r->names[item->target], xb_digest_oci(&item->digest, digest));
	}
	xb_str_printf(out, "%-7s %12lld  bytes in all\n", "total", (long long)r->sent.sent_bytes);
}

static int print_push(const struct cli *cli, const struct xb_op_push_result *r, struct xb_err *err)
{
	struct xb_str out = {0};
	char digest[XB_DIGEST_OCI];

	if (cli->values.json)
		return cli_print_json(push_json(r), err);
	if (cli->values.dry_run)
		describe_plan(r, &out);
	for (size_t i = 0; i < r->n_targets; i++)
		xb_str_printf(&out, "%s@%s\n", r->names[i], xb_digest_oci(&r->digest, digest));
	int code = cli_print(xb_str_get(&out), err);
	xb_str_release(&out);
	return code;
}

int cmd_push_run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	const struct xb_op_push_opts opts = {
		.refs = v->args.items,
		.n_refs = v->args.len,
		.from = v->from,
		.image = v->image,
		.dry_run = v->dry_run,
		.strict_tags = v->strict_tags,
		.alone = v->alone,
		.parallel = v->jobs,
		.how = {.ca_file = v->ca_file, .insecure = v->insecure},
	};
	struct xb_op_push_result result = {0};
	int code = xb_op_push(&cli->app, &opts, &result, err);
	progress_clear(cli->progress);
	if (code == 0)
		code = print_push(cli, &result, err);
	xb_op_push_result_release(&result);
	return code;
}

/* ---- pull ---- */

int cmd_pull_run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	struct xb_image_output *outputs = xb_arena_array(&cli->app.arena, v->outputs.len, sizeof(*outputs));
	struct xb_op_pull_opts opts = {
		.targets = v->targets.items,
		.n_targets = v->targets.len,
		.outputs = outputs,
		.n_outputs = v->outputs.len,
		.parallel = v->jobs,
		.how = {.ca_file = v->ca_file, .insecure = v->insecure},
	};
	struct xb_digest digest;
	const char *name;
	char hex[XB_DIGEST_OCI];
	if (!v->args.len || !v->outputs.len) {
		xb_fail(err, XB_E_USAGE, "pull needs a reference, and an --output to write it to");
		return xb_hint(err, "xbuild pull ghcr.io/acme/parcel:1.0 --output oci=parcel");
	}
	opts.ref = v->args.items[0];
	for (size_t i = 0; i < v->outputs.len; i++)
		if (xb_image_output_parse(v->outputs.items[i], &outputs[i], err) < 0)
			return err->code;
	int code = xb_op_pull(&cli->app, &opts, &digest, &name, err);
	progress_clear(cli->progress);
	if (code < 0)
		return code;
	struct xb_str out = {0};
	xb_str_printf(&out, "%s@%s\n", name, xb_digest_oci(&digest, hex));
	code = cli_print(xb_str_get(&out), err);
	xb_str_release(&out);
	return code;
}
