/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "build_options.h"
#include "table.h"

#include "xbuild/app/op_test.h"

static const struct opt options[] = {OPTION_TARGET, OPTION_PROFILE, OPTION_KEEP_GOING, OPTION_JSON, OPTION_END};

static const char *verdict_name(enum xb_verdict verdict)
{
	switch (verdict) {
	case XB_VERDICT_PASSED:
		return "passed";
	case XB_VERDICT_FAILED:
		return "FAILED";
	case XB_VERDICT_SKIPPED:
		return "skipped";
	}
	return "?";
}

static json_t *result_json(const struct xb_test_result *result)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < result->n_rows; i++) {
		const struct xb_test_row *r = &result->rows[i];
		json_t *problems = json_array();
		for (size_t k = 0; k < r->n_problems; k++)
			json_array_append_new(problems, json_string(r->problems[k]));
		json_t *row = json_object();
		json_object_set_new(row, "kind", json_string(r->kind));
		json_object_set_new(row, "name", json_string(r->name));
		json_object_set_new(row, "target", json_string(r->target));
		json_object_set_new(row, "verdict",
				    json_string(r->verdict == XB_VERDICT_FAILED ? "failed" : verdict_name(r->verdict)));
		json_object_set_new(row, "detail", r->detail ? json_string(r->detail) : json_null());
		json_object_set_new(row, "problems", problems);
		json_object_set_new(row, "elapsed_ms", json_integer(r->elapsed_ms));
		json_array_append_new(rows, row);
	}
	json_t *document = json_object();
	json_object_set_new(document, "passed", json_integer((json_int_t)result->n_passed));
	json_object_set_new(document, "failed", json_integer((json_int_t)result->n_failed));
	json_object_set_new(document, "skipped", json_integer((json_int_t)result->n_skipped));
	json_object_set_new(document, "tests", rows);
	return document;
}

static void result_text(const struct xb_test_result *result, bool color, struct xb_str *out)
{
	struct table table;
	table_init(&table, 5);
	table_row(&table, (const char *const[]){"CHECK", "NAME", "TARGET", "RESULT", "DETAIL"});
	for (size_t i = 0; i < result->n_rows; i++) {
		const struct xb_test_row *r = &result->rows[i];
		const char *detail = r->detail ? r->detail : r->n_problems ? r->problems[0] : "";
		table_row(&table, (const char *const[]){r->kind, r->name, r->target, verdict_name(r->verdict), detail});
	}
	table_render(&table, color, table_width(), out);
	table_release(&table);
	for (size_t i = 0; i < result->n_rows; i++) {
		const struct xb_test_row *r = &result->rows[i];
		if (r->verdict != XB_VERDICT_FAILED)
			continue;
		xb_str_printf(out, "\n%s %s (%s) failed:\n", r->kind, r->name, r->target);
		for (size_t k = 0; k < r->n_problems; k++)
			xb_str_printf(out, "  %s\n", r->problems[k]);
		if (r->output && *r->output)
			xb_str_printf(out, "%s", r->output);
	}
	xb_str_printf(out, "\n%zu passed, %zu failed, %zu skipped\n", result->n_passed, result->n_failed,
		      result->n_skipped);
}

static int run(struct cli *cli, struct xb_err *err)
{
	struct xb_build_opts opts = build_options(cli, true);
	struct xb_test_result result = {0};
	int code = xb_op_test(&cli->app, &opts, &result, err);
	progress_clear(cli->progress);
	if (result.n_rows) {
		struct xb_err print_err = {0};
		struct xb_str out = {0};
		int printed = 0;
		if (cli->values.json) {
			printed = cli_print_json(result_json(&result), &print_err);
		} else {
			result_text(&result, cli->color_out, &out);
			printed = cli_print(xb_str_get(&out), &print_err);
		}
		if (printed < 0 && code == 0) {
			xb_err_move(err, &print_err);
			code = err->code;
		}
		xb_err_release(&print_err);
		xb_str_release(&out);
	}
	xb_test_result_release(&result);
	return code;
}

const struct command cmd_test = {
	.name = "test",
	.synopsis = "[UNIT...]",
	.summary = "check what was really built, and run the project's tests",
	.details = "Builds, reads every executable and shared library (machine, interpreter, needed libraries and "
		   "versions,\n"
		   "hardening), and runs the test: entries: natively where the host can, else under qemu-user, else "
		   "they are\n"
		   "reported as skipped. docs/checks.md lists the checks.",
	.options = options,
	.project = true,
	.max_args = -1,
	.run = run,
};
