/* SPDX-License-Identifier: Apache-2.0 */
/* lock, fetch and verify as xbuild-supply does them. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "diag.h"
#include "supply.h"

#include "xbuild/app/op_fetch.h"
#include "xbuild/app/op_image_verify.h"
#include "xbuild/app/op_lock.h"
#include "xbuild/app/op_sign.h"
#include "xbuild/app/op_why.h"

static int supply_here(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_err *err)
{
	struct xb_fetch_summary summary = {0};
	return xb_op_fetch(app, wants, n_wants, &summary, err);
}

static int lock_here(struct xb_app *app, struct xb_err *err)
{
	struct xb_lock_opts opts = {.update = app->options.update};
	struct xb_lock_result result = {0};
	int code = xb_op_lock(app, &opts, &result, err);
	xb_str_release(&result.diff);
	return code;
}

void supply_connect(struct cli *cli)
{
	cli->app.supply = supply_here;
	cli->app.make_lock = lock_here;
}

static int print_why(struct cli *cli, struct xb_err *err)
{
	struct xb_str text = {0};
	const struct values *v = &cli->values;
	if (v->update || v->check || v->args.len)
		return xb_fail(err, XB_E_USAGE, "--why stands alone");
	int code = xb_op_why(&cli->app, v->why, &text, err);
	progress_clear(cli->progress);
	if (code == 0)
		code = cli_print(xb_str_get(&text), err);
	xb_str_release(&text);
	return code;
}

static int lock_apko(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	char *path = NULL;
	if (v->update || v->check || v->args.len || v->why)
		return xb_fail(err, XB_E_USAGE, "--apko stands alone");
	int code = xb_op_lock_apko(&cli->app, v->apko, &path, err);
	progress_clear(cli->progress);
	if (code == 0 && !v->quiet) {
		struct xb_str text = {0};
		xb_str_printf(&text, "%s\n", path);
		code = cli_print(xb_str_get(&text), err);
		xb_str_release(&text);
	}
	free(path);
	return code;
}

int cmd_lock_run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	if (v->apko)
		return lock_apko(cli, err);
	if (v->args.len && !v->update)
		return xb_fail(err, XB_E_USAGE, "lock takes package names only with --update");
	if (v->check && v->update)
		return xb_fail(err, XB_E_USAGE, "--check and --update exclude each other");
	if (v->why)
		return print_why(cli, err);
	struct xb_lock_opts opts = {
		.check = v->check,
		.update = v->update,
		.names = v->args.items,
		.n_names = v->args.len,
		.allow_rollback = v->allow_rollback,
	};
	struct xb_lock_result result = {0};
	int code = xb_op_lock(&cli->app, &opts, &result, err);
	progress_clear(cli->progress);
	/* what a first lock brings is the file itself */
	if (code == 0 && result.diff.len && !result.is_new && !v->quiet)
		code = cli_print(xb_str_get(&result.diff), err);
	xb_str_release(&result.diff);
	return code;
}

int cmd_fetch_run(struct cli *cli, struct xb_err *err)
{
	size_t n = cli->values.wants.len;
	struct xb_want *wants = xb_arena_array(&cli->app.arena, n, sizeof(*wants));
	for (size_t i = 0; i < n; i++)
		if (xb_want_parse(cli->values.wants.items[i], &cli->app.arena, &wants[i], err) < 0)
			return err->code;
	struct xb_fetch_summary summary = {0};
	if (cli->values.verify)
		return xb_op_fetch_verify(&cli->app, wants, n, &summary, err);
	return xb_op_fetch(&cli->app, wants, n, &summary, err);
}

static json_t *findings_json(const struct xb_audit *audit, bool warnings)
{
	json_t *list = json_array();
	for (size_t i = 0; i < audit->findings.len; i++)
		if (audit->findings.items[i].is_warning == warnings)
			json_array_append_new(list, json_string(audit->findings.items[i].text));
	return list;
}

static json_t *audit_json(const struct xb_audit *audit)
{
	json_t *images = json_array();
	for (size_t i = 0; i < audit->images.len; i++) {
		json_t *row = json_object();
		json_object_set_new(row, "digest", json_string(audit->images.items[i].digest));
		json_object_set_new(row, "ref", json_string(audit->images.items[i].ref));
		json_object_set_new(row, "platforms", json_string(audit->images.items[i].platforms));
		json_array_append_new(images, row);
	}
	json_t *document = json_object();
	json_object_set_new(document, "images", images);
	json_object_set_new(document, "n_problems", json_integer((json_int_t)audit->n_problems));
	json_object_set_new(document, "n_warnings", json_integer((json_int_t)audit->n_warnings));
	json_object_set_new(document, "problems", findings_json(audit, false));
	json_object_set_new(document, "warnings", findings_json(audit, true));
	return document;
}

void supply_tell_findings(const struct cli *cli, const struct xb_audit *audit)
{
	struct xb_str text = {0};
	for (size_t i = 0; i < audit->findings.len; i++) {
		const struct xb_audit_finding *f = &audit->findings.items[i];
		if (!f->is_warning || !cli->values.quiet)
			diag_render_finding(f->text, f->is_warning, cli->color_err, &text);
	}
	if (audit->findings.len < audit->n_problems + audit->n_warnings)
		xb_str_printf(&text, "and %zu more\n", audit->n_problems + audit->n_warnings - audit->findings.len);
	fputs(xb_str_get(&text), stderr);
	xb_str_release(&text);
}

static int print_images(const struct xb_audit *audit, struct xb_err *err)
{
	struct xb_str text = {0};
	for (size_t i = 0; i < audit->images.len; i++)
		xb_str_printf(&text, "%s %s %s\n", audit->images.items[i].digest,
			      *audit->images.items[i].ref ? audit->images.items[i].ref : "-",
			      audit->images.items[i].platforms);
	int code = cli_print(xb_str_get(&text), err);
	xb_str_release(&text);
	return code;
}

int cmd_verify_run(struct cli *cli, struct xb_err *err)
{
	struct xb_audit audit = {0};
	struct xb_err unprinted = {0};
	/* an empty word is a variable that was not set: not the current directory */
	if (!cli->values.args.len || !cli->values.args.items[0][0]) {
		xb_fail(err, XB_E_USAGE, "verify needs a layout, an archive or the name of an image");
		return xb_hint(err, "xbuild verify out/images/NAME");
	}
	if (cli->values.signatures && !cli->values.key)
		return xb_fail(err, XB_E_USAGE, "--signatures needs --key");
	const struct xb_image_verify_opts opts = {
		.image = cli->values.args.items[0],
		.key = cli->values.key,
		.signatures = cli->values.signatures,
		.how = {.ca_file = cli->values.ca_file, .insecure = cli->values.insecure},
	};
	int code = xb_op_image_verify(&cli->app, &opts, &audit, err);
	progress_clear(cli->progress);
	if (code == 0 || code == XB_E_VERIFY) {
		supply_tell_findings(cli, &audit);
		/* what is wrong with the image matters more than a closed pipe */
		int printed = cli->values.json ? cli_print_json(audit_json(&audit), &unprinted)
			      : code == 0      ? print_images(&audit, &unprinted)
					       : 0;
		if (printed < 0 && code == 0) {
			xb_err_move(err, &unprinted);
			code = printed;
		}
	}
	xb_err_release(&unprinted);
	xb_audit_release(&audit);
	return code;
}
