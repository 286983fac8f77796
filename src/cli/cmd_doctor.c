/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "build_options.h"

#include "xbuild/app/op_doctor.h"

static const struct opt options[] = {OPTION_JSON, OPTION_END};

static const char *const level_names[] = {"ok", "note", "bad"};

static json_t *result_json(const struct xb_doctor_result *result)
{
	json_t *list = json_array();
	for (size_t i = 0; i < result->len; i++) {
		const struct xb_finding *f = &result->items[i];
		json_t *row = json_object();
		json_object_set_new(row, "level", json_string(level_names[f->level]));
		json_object_set_new(row, "what", json_string(f->what));
		json_object_set_new(row, "found", json_string(f->found));
		json_object_set_new(row, "mend", f->mend ? json_string(f->mend) : json_null());
		json_array_append_new(list, row);
	}
	return list;
}

static int run(struct cli *cli, struct xb_err *err)
{
	struct xb_doctor_result result = {0};
	if (xb_op_doctor(&cli->app, &result, err) < 0)
		return err->code;
	progress_clear(cli->progress);
	int code = 0;
	if (cli->values.json) {
		code = cli_print_json(result_json(&result), err);
	} else {
		static const char *const colors[] = {"\033[32m", "\033[33m", "\033[31m"};
		struct xb_str out = {0};
		for (size_t i = 0; i < result.len; i++) {
			const struct xb_finding *f = &result.items[i];
			xb_str_printf(&out, "%s%-5s%s %-22s %s\n", cli->color_out ? colors[f->level] : "",
				      level_names[f->level], cli->color_out ? "\033[0m" : "", f->what, f->found);
			if (f->mend)
				xb_str_printf(&out, "%-5s %-22s mend: %s\n", "", "", f->mend);
		}
		code = cli_print(xb_str_get(&out), err);
		xb_str_release(&out);
	}
	if (code == 0 && result.n_bad)
		return xb_fail(err, XB_E_SYSTEM, "%zu of the findings will stop xbuild from working", result.n_bad);
	return code;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.synopsis = NULL,
	.summary = "what this host lacks, and the command that mends it",
	.details = NULL,
	.options = options,
	.project = true,
	.max_args = 0,
	.run = run,
};
