/* SPDX-License-Identifier: Apache-2.0 */
/* inspect and diff as xbuild-supply does them. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "supply.h"
#include "table.h"

#include "xbuild/app/op_view.h"
#include "xbuild/base/alloc.h"

#define SHORT_DIGITS 19 /* "sha256:" and 12 digits: what people compare */

/* ---- JSON ---- */

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *digest_or_null(const struct xb_digest *digest)
{
	char text[XB_DIGEST_OCI];
	return xb_digest_is_zero(digest) ? json_null() : json_string(xb_digest_oci(digest, text));
}

static json_t *copy_or_null(const json_t *value)
{
	return value ? json_deep_copy(value) : json_null();
}

static json_t *layers_json(const struct xb_view_platform *p)
{
	json_t *layers = json_array();
	for (size_t i = 0; i < p->n_layers; i++) {
		const struct xb_view_layer *layer = p->layers[i];
		json_t *row = json_object();
		json_object_set_new(row, "digest", digest_or_null(&layer->digest));
		json_object_set_new(row, "mediaType", text_or_null(p->layer_types[i]));
		json_object_set_new(row, "packing", text_or_null(layer->packing));
		json_object_set_new(row, "size", json_integer((json_int_t)layer->size_bytes));
		json_object_set_new(row, "unpacked", json_integer((json_int_t)layer->unpacked_bytes));
		json_object_set_new(row, "diffID", digest_or_null(&layer->diff_id));
		json_array_append_new(layers, row);
	}
	return layers;
}

static json_t *packages_json(const struct xb_view_platform *p)
{
	json_t *packages = json_array();
	for (size_t i = 0; i < p->n_packages; i++) {
		json_t *row = json_object();
		json_object_set_new(row, "format", json_string(p->packages[i].format));
		json_object_set_new(row, "name", text_or_null(p->packages[i].name));
		json_object_set_new(row, "version", text_or_null(p->packages[i].version));
		json_object_set_new(row, "arch", text_or_null(p->packages[i].arch));
		json_object_set_new(row, "layer", json_integer((json_int_t)p->packages[i].layer + 1));
		json_array_append_new(packages, row);
	}
	return packages;
}

static json_t *platform_json(const struct xb_view_platform *p)
{
	json_t *row = json_object();
	json_object_set_new(row, "platform", json_string(p->name));
	json_object_set_new(row, "manifest", text_or_null(p->digest));
	json_object_set_new(row, "mediaType", text_or_null(p->media_type));
	json_object_set_new(row, "annotations", copy_or_null(p->annotations));
	json_object_set_new(row, "config", text_or_null(p->config_digest));
	json_object_set_new(row, "created", copy_or_null(json_object_get(p->config, "created")));
	json_object_set_new(row, "run", copy_or_null(json_object_get(p->config, "config")));
	json_object_set_new(row, "history", copy_or_null(json_object_get(p->config, "history")));
	json_object_set_new(row, "layers", layers_json(p));
	json_object_set_new(row, "packages", packages_json(p));
	return row;
}

static json_t *view_json(const struct xb_view *view)
{
	json_t *images = json_array(), *platforms = json_array(), *document = json_object();
	for (size_t i = 0; i < view->images.len; i++) {
		const struct xb_view_image *image = &view->images.items[i];
		json_t *row = json_object(), *names = json_array();
		for (size_t k = 0; k < image->n_platforms; k++)
			json_array_append_new(names, json_string(image->platforms[k]->digest[0]
									 ? image->platforms[k]->digest
									 : image->platforms[k]->config_digest));
		json_object_set_new(row, "ref", text_or_null(image->ref));
		json_object_set_new(row, "digest", text_or_null(image->digest));
		json_object_set_new(row, "mediaType", text_or_null(image->media_type));
		json_object_set_new(row, "annotations", copy_or_null(image->annotations));
		json_object_set_new(row, "manifests", names);
		json_array_append_new(images, row);
	}
	for (size_t i = 0; i < view->platforms.len; i++)
		json_array_append_new(platforms, platform_json(view->platforms.items[i]));
	json_object_set_new(document, "images", images);
	json_object_set_new(document, "platforms", platforms);
	return document;
}

/* ---- text ---- */

struct page {
	struct xb_str text;
	struct xb_arena arena;
	bool color;
	int width;
};

static void put_line(struct page *page, const char *name, const char *value)
{
	if (value && *value)
		xb_str_printf(&page->text, "  %-12s %s\n", name, xb_view_clean(&page->arena, value));
}

/* Words of a list, quoted where a shell would split them. */
static void put_words(struct page *page, const char *name, const json_t *list)
{
	struct xb_str line = {0};
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		const bool plain = word && *word && !strpbrk(word, " \t\n\"'\\$");
		if (word)
			xb_str_printf(&line, plain ? "%s%s" : "%s'%s'", line.len ? " " : "", word);
	}
	put_line(page, name, xb_str_get(&line));
	xb_str_release(&line);
}

/* One line for each member; a value that is no string is left out ("ports" have empty objects). */
static void put_members(struct page *page, const char *name, const json_t *object)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const char *text = json_string_value(value);
		put_line(page, name, text ? xb_arena_printf(&page->arena, "%s=%s", key, text) : key);
		name = "";
	}
}

static const char *size_text(struct page *page, int64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double size = (double)bytes;
	size_t unit = 0;
	while (size >= 1000 && unit + 1 < XB_COUNT(units)) {
		size /= 1000;
		unit++;
	}
	return unit ? xb_arena_printf(&page->arena, "%.1f %s", size, units[unit])
		    : xb_arena_printf(&page->arena, "%lld B", (long long)bytes);
}

/* The history entry of a layer: entries without one do not count (config.md "history"). */
static const char *made_by(const struct xb_view_platform *p, size_t layer)
{
	const json_t *history = json_object_get(p->config, "history");
	for (size_t i = 0, n = 0; i < json_array_size(history); i++) {
		const json_t *entry = json_array_get(history, i);
		if (json_is_true(json_object_get(entry, "empty_layer")))
			continue;
		if (n++ == layer) {
			const char *by = json_string_value(json_object_get(entry, "created_by"));
			return by ? by : json_string_value(json_object_get(entry, "comment"));
		}
	}
	return NULL;
}

static void put_layers(struct page *page, const struct xb_view_platform *p)
{
	struct table table;
	char digest[XB_DIGEST_OCI], diff_id[XB_DIGEST_OCI];
	table_init(&table, 7);
	table_row(&table,
		  (const char *const[]){"LAYER", "SIZE", "UNPACKED", "PACKING", "DIGEST", "DIFF ID", "MADE BY"});
	for (size_t i = 0; i < p->n_layers; i++) {
		const struct xb_view_layer *l = p->layers[i];
		const char *by = made_by(p, i);
		xb_digest_oci(&l->diff_id, diff_id);
		xb_digest_oci(&l->digest, digest);
		diff_id[SHORT_DIGITS] = digest[SHORT_DIGITS] = '\0';
		table_row(&table, (const char *const[]){
					  xb_arena_printf(&page->arena, "%zu", i + 1), size_text(page, l->size_bytes),
					  size_text(page, l->unpacked_bytes), l->packing ? l->packing : "-",
					  xb_digest_is_zero(&l->digest) ? "-" : digest, diff_id,
					  by ? xb_view_clean(&page->arena, by) : "-"});
	}
	xb_str_append(&page->text, "\n");
	table_render(&table, page->color, page->width, &page->text);
	table_release(&table);
}

static void put_packages(struct page *page, const struct xb_view_platform *p)
{
	struct table table;
	if (!p->n_packages)
		return;
	table_init(&table, 4);
	table_row(&table, (const char *const[]){"PACKAGE", "VERSION", "ARCH", "LAYER"});
	for (size_t i = 0; i < p->n_packages; i++) {
		const struct xb_view_package *package = &p->packages[i];
		table_row(&table, (const char *const[]){xb_view_clean(&page->arena, package->name),
							xb_view_clean(&page->arena, package->version),
							xb_view_clean(&page->arena, package->arch),
							xb_arena_printf(&page->arena, "%zu", package->layer + 1)});
	}
	xb_str_append(&page->text, "\n");
	table_render(&table, page->color, page->width, &page->text);
	table_release(&table);
}

static void put_platform(struct page *page, const struct xb_view_platform *p)
{
	const json_t *run = json_object_get(p->config, "config");
	xb_str_printf(&page->text, "\n%s\n", *p->name ? xb_view_clean(&page->arena, p->name) : "unknown platform");
	put_line(page, "manifest", p->digest);
	put_line(page, "config", p->config_digest);
	put_line(page, "created", json_string_value(json_object_get(p->config, "created")));
	put_line(page, "user", json_string_value(json_object_get(run, "User")));
	put_words(page, "entrypoint", json_object_get(run, "Entrypoint"));
	put_words(page, "cmd", json_object_get(run, "Cmd"));
	put_line(page, "workdir", json_string_value(json_object_get(run, "WorkingDir")));
	put_line(page, "stop signal", json_string_value(json_object_get(run, "StopSignal")));
	for (size_t i = 0; i < json_array_size(json_object_get(run, "Env")); i++)
		put_line(page, i ? "" : "env", json_string_value(json_array_get(json_object_get(run, "Env"), i)));
	put_members(page, "ports", json_object_get(run, "ExposedPorts"));
	put_members(page, "volumes", json_object_get(run, "Volumes"));
	put_members(page, "labels", json_object_get(run, "Labels"));
	put_members(page, "annotations", p->annotations);
	if (p->n_layers)
		put_layers(page, p);
	put_packages(page, p);
}

static int print_view(const struct cli *cli, const struct xb_view *view, struct xb_err *err)
{
	struct page page = {.color = cli->color_out, .width = table_width()};
	for (size_t i = 0; i < view->images.len; i++) {
		const struct xb_view_image *image = &view->images.items[i];
		xb_str_printf(&page.text, "%s %s\n", xb_view_clean(&page.arena, image->digest),
			      *image->ref ? xb_view_clean(&page.arena, image->ref) : "-");
		put_members(&page, "annotations", image->annotations);
	}
	for (size_t i = 0; i < view->platforms.len; i++)
		put_platform(&page, view->platforms.items[i]);
	int code = cli_print(xb_str_get(&page.text), err);
	xb_str_release(&page.text);
	xb_arena_release(&page.arena);
	return code;
}

int cmd_inspect_run(struct cli *cli, struct xb_err *err)
{
	struct xb_audit audit = {0};
	struct xb_view view = {0};
	struct xb_err unprinted = {0};
	if (!cli->values.args.len) {
		xb_fail(err, XB_E_USAGE, "inspect needs a layout, an archive or the name of an image");
		return xb_hint(err, "xbuild inspect out/images/NAME");
	}
	const struct xb_app_registry how = {cli->values.ca_file, cli->values.insecure};
	int code = xb_op_inspect(&cli->app, cli->values.args.items[0], &how, &audit, &view, err);
	progress_clear(cli->progress);
	if (code == 0 || code == XB_E_VERIFY) {
		supply_tell_findings(cli, &audit);
		int printed = cli->values.json ? cli_print_json(view_json(&view), &unprinted)
					       : print_view(cli, &view, &unprinted);
		if (printed < 0 && code == 0) {
			xb_err_move(err, &unprinted);
			code = printed;
		}
	}
	xb_err_release(&unprinted);
	xb_view_release(&view);
	xb_audit_release(&audit);
	return code;
}

/* ---- diff ---- */

static json_t *diff_json(const struct xb_view_diff *diff)
{
	json_t *list = json_array();
	for (size_t i = 0; i < diff->changes.len; i++) {
		const struct xb_view_change *c = &diff->changes.items[i];
		json_t *row = json_object();
		json_object_set_new(row, "platform", text_or_null(c->platform));
		json_object_set_new(row, "kind", json_string(c->kind));
		json_object_set_new(row, "name", json_string(c->name));
		json_object_set_new(row, "what", text_or_null(c->what));
		json_object_set_new(row, "before", c->before ? json_string(c->before) : json_null());
		json_object_set_new(row, "after", c->after ? json_string(c->after) : json_null());
		json_array_append_new(list, row);
	}
	return list;
}

static int print_diff(const struct xb_view_diff *diff, struct xb_err *err)
{
	struct xb_str text = {0};
	for (size_t i = 0; i < diff->changes.len; i++) {
		const struct xb_view_change *c = &diff->changes.items[i];
		const bool both = c->before && c->after;
		xb_str_printf(&text, "%s %s%s%s %s: %s%s%s%s%s\n",
			      both	 ? "~"
			      : c->after ? "+"
					 : "-",
			      c->platform, *c->platform ? " " : "", c->kind, c->name, c->what ? c->what : "",
			      c->what ? " " : "", c->before ? c->before : "", both ? " -> " : "",
			      c->after ? c->after : "");
	}
	int code = cli_print(xb_str_get(&text), err);
	xb_str_release(&text);
	return code;
}

int cmd_diff_run(struct cli *cli, struct xb_err *err)
{
	struct xb_audit audits[2] = {0};
	struct xb_view_diff diff = {0};
	if (cli->values.args.len != 2) {
		xb_fail(err, XB_E_USAGE, "diff needs two images: layouts, archives or names");
		return xb_hint(err, "xbuild diff OLD NEW");
	}
	const struct xb_app_registry how = {cli->values.ca_file, cli->values.insecure};
	int code = xb_op_diff(&cli->app, cli->values.args.items, &how, audits, &diff, err);
	progress_clear(cli->progress);
	for (size_t i = 0; i < XB_COUNT(audits); i++) {
		supply_tell_findings(cli, &audits[i]);
		xb_audit_release(&audits[i]);
	}
	if (code == 0)
		code = cli->values.json ? cli_print_json(diff_json(&diff), err) : print_diff(&diff, err);
	/* without words: the list has said it */
	if (code == 0 && diff.changes.len)
		code = xb_fail(err, XB_E_JOB, "%s", "");
	xb_view_diff_release(&diff);
	return code;
}
