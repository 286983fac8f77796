/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <string.h>

#include "build_options.h"

#include "xbuild/app/op_sysroot.h"

static const struct opt options[] = {
	OPTION_TARGET,
	{"output", 'o', OPT_LIST, "FILE", NULL, "write it there: .tar.gz, .tar.zst or .tar; of one target",
	 offsetof(struct values, outputs), NULL},
	OPTION_JSON,
	OPTION_END,
};

static int export_one(struct cli *cli, const struct xb_target *target, const char *file, json_t *list,
		      struct xb_str *text, struct xb_err *err)
{
	struct xb_sysroot_export result XB_CLEANUP(xb_sysroot_export_release) = {0};
	json_t *row = json_object();
	char hex[XB_DIGEST_HEX];

	json_array_append_new(list, row);
	if (xb_op_sysroot_export(&cli->app, target, file, &result, err) < 0)
		return err->code;
	xb_digest_hex(&result.sha256, hex);
	json_object_set_new(row, "target", json_string(target->name));
	json_object_set_new(row, "file", json_string(result.path));
	json_object_set_new(row, "sha256", json_string(hex));
	json_object_set_new(row, "size", json_integer((json_int_t)result.size_bytes));
	xb_str_printf(text, "%s  %s\n", hex, result.path);
	return 0;
}

static int export_all(struct cli *cli, json_t *list, struct xb_str *text, struct xb_err *err)
{
	const struct words *outputs = &cli->values.outputs, *names = &cli->values.targets;
	const struct xb_project_target **targets;
	size_t n = 0;

	if (xb_app_targets(&cli->app, names->items, names->len, &targets, &n, err) < 0)
		return err->code;
	if (outputs->len > 1 || (outputs->len && n != 1)) {
		xb_fail(err, XB_E_USAGE, "one file is the sysroot of one target");
		return xb_hint(err, "name it with --target, or leave --output out");
	}
	for (size_t i = 0; i < n; i++)
		if (export_one(cli, targets[i]->target, outputs->len ? outputs->items[0] : NULL, list, text, err) < 0)
			return err->code;
	return 0;
}

static int refuse(const char *word, struct xb_err *err)
{
	static const char *const known[] = {"export", NULL};
	const char *near = word ? xb_sv_suggest(xb_sv(word), known) : NULL;

	if (word)
		xb_fail(err, XB_E_USAGE, "sysroot: unknown word '%s', expected 'export'", word);
	else
		xb_fail(err, XB_E_USAGE, "sysroot: expected what to do, 'export'");
	return near ? xb_hint(err, "did you mean 'xbuild sysroot %s'?", near)
		    : xb_hint(err, "'xbuild sysroot export' writes a sysroot as an archive");
}

static int run(struct cli *cli, struct xb_err *err)
{
	const struct words *args = &cli->values.args;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	json_t *list;
	int code;

	if (args->len != 1 || strcmp(args->items[0], "export") != 0)
		return refuse(args->len ? args->items[0] : NULL, err);
	list = json_array();
	code = export_all(cli, list, &text, err);
	if (code < 0 || !cli->values.json) {
		json_decref(list);
		return code < 0 ? code : cli_print(xb_str_get(&text), err);
	}
	return cli_print_json(list, err);
}

const struct command cmd_sysroot = {
	.name = "sysroot",
	.synopsis = "export",
	.summary = "write the sysroot of a target as an archive",
	.details = "The same lock gives the same bytes. Another project takes the archive with 'sysroot: { archive: "
		   "... }', and\n"
		   "builds the same with it. The name says how it is compressed; without --output it is\n"
		   "SYSROOT-TARGET.tar.gz here. Prints the sha256 and the name of each file.",
	.options = options,
	.project = true,
	.max_args = 1,
	.run = run,
};
