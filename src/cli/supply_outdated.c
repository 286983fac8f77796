/* SPDX-License-Identifier: Apache-2.0 */
/* outdated as xbuild-supply does it. */
#include <jansson.h>
#include <stdio.h>

#include "cli.h"
#include "table.h"

#include "xbuild/app/op_outdated.h"

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *outdated_json(const struct xb_outdated *result)
{
	json_t *list = json_array();
	for (size_t i = 0; i < result->n_items; i++) {
		const struct xb_outdated_item *item = &result->items[i];
		json_t *row = json_object();
		json_object_set_new(row, "where", json_string(item->where));
		json_object_set_new(row, "name", json_string(item->name));
		json_object_set_new(row, "locked", text_or_null(item->before));
		json_object_set_new(row, "newest", text_or_null(item->after));
		json_object_set_new(row, "suite", text_or_null(item->suite));
		json_array_append_new(list, row);
	}
	return list;
}

static int print_table(const struct cli *cli, const struct xb_outdated *result, struct xb_err *err)
{
	struct xb_str text = {0};
	struct table table;
	table_init(&table, 5);
	table_row(&table, (const char *const[]){"PACKAGE", "LOCKED", "NEWEST", "SUITE", "WHERE"});
	for (size_t i = 0; i < result->n_items; i++) {
		const struct xb_outdated_item *item = &result->items[i];
		table_row(&table, (const char *const[]){item->name, item->before ? item->before : "-",
							item->after ? item->after : "-",
							item->suite ? item->suite : "-", item->where});
	}
	if (result->n_items)
		table_render(&table, cli->color_out, table_width(), &text);
	table_release(&table);
	int code = cli_print(xb_str_get(&text), err);
	xb_str_release(&text);
	return code;
}

int cmd_outdated_run(struct cli *cli, struct xb_err *err)
{
	struct xb_outdated result = {0};
	int code = xb_op_outdated(&cli->app, cli->values.allow_rollback, &result, err);
	progress_clear(cli->progress);
	if (code == 0)
		code = cli->values.json ? cli_print_json(outdated_json(&result), err) : print_table(cli, &result, err);
	/* without words: the table has said it */
	if (code == 0 && result.n_items)
		code = xb_fail(err, XB_E_JOB, "%s", "");
	xb_outdated_release(&result);
	return code;
}
