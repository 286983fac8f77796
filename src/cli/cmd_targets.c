/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "build_options.h"
#include "table.h"

#include "xbuild/app/op_doctor.h"

static const struct opt options[] = {OPTION_JSON, OPTION_END};

/* "linux/arm64/v8" */
static const char *platform(const struct xb_target *t, struct xb_arena *arena)
{
	return xb_arena_printf(arena, "linux/%s%s%s", t->oci_arch, t->oci_variant ? "/" : "",
			       t->oci_variant ? t->oci_variant : "");
}

static json_t *target_json(const struct xb_target *t, const char *runs, struct xb_arena *arena)
{
	json_t *aliases = json_array();
	for (size_t i = 0; i < XB_COUNT(t->aliases) && t->aliases[i]; i++)
		json_array_append_new(aliases, json_string(t->aliases[i]));
	json_t *row = json_object();
	json_object_set_new(row, "name", json_string(t->name));
	json_object_set_new(row, "default", json_boolean(t->is_default));
	json_object_set_new(row, "libc", json_string(t->libc == XB_LIBC_MUSL ? "musl" : "glibc"));
	json_object_set_new(row, "debian", json_string(t->debian_arch));
	json_object_set_new(row, "apk", json_string(t->apk_arch));
	json_object_set_new(row, "triple", json_string(t->triple));
	json_object_set_new(row, "rust", json_string(t->rust_triple));
	json_object_set_new(row, "goarch", json_string(t->oci_arch));
	json_object_set_new(row, "oci", json_string(platform(t, arena)));
	json_object_set_new(row, "cmake", json_string(t->cmake_processor));
	json_object_set_new(row, "meson", json_string(t->meson_cpu_family));
	json_object_set_new(row, "interpreter", json_string(t->interpreter));
	json_object_set_new(row, "runs_here", json_string(runs));
	json_object_set_new(row, "aliases", aliases);
	return row;
}

static int run(struct cli *cli, struct xb_err *err)
{
	size_t n = 0;
	const struct xb_target *all = xb_target_all(&n);
	struct table table;
	json_t *list = json_array();
	table_init(&table, 8);
	table_row(&table,
		  (const char *const[]){"TARGET", "DEBIAN", "TRIPLE", "RUST", "OCI", "CMAKE", "MESON", "RUNS HERE"});
	for (size_t i = 0; i < n; i++) {
		const struct xb_target *t = &all[i];
		const char *runs = xb_app_runner_name(&cli->app, t);
		json_array_append_new(list, target_json(t, runs ? runs : "no", &cli->app.arena));
		table_row(&table, (const char *const[]){t->name, t->debian_arch, t->triple, t->rust_triple,
							platform(t, &cli->app.arena), t->cmake_processor,
							t->meson_cpu_family, runs ? runs : "no"});
	}
	struct xb_str out = {0};
	table_render(&table, cli->color_out, table_width(), &out);
	table_release(&table);
	int code = 0;
	if (cli->values.json) {
		code = cli_print_json(list, err);
	} else {
		json_decref(list);
		code = cli_print(xb_str_get(&out), err);
	}
	xb_str_release(&out);
	return code;
}

const struct command cmd_targets = {
	.name = "targets",
	.synopsis = NULL,
	.summary = "every name that a target has, in every vocabulary",
	.details = "Every command takes any of these names for --target.",
	.options = options,
	.project = false,
	.max_args = 0,
	.run = run,
};
