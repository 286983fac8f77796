/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "build_options.h"

#include "xbuild/app/op_image.h"
#include "xbuild/base/num.h"

#define MAX_NAMES 30 /* of packages in a line */

/* In the order of enum xb_compression. */
static const char *const compressions[] = {"gzip", "zstd", "none", NULL};

static const struct opt options[] = {
	{"output", 'o', OPT_LIST, "FORM[=PATH]", NULL,
	 "oci (default), oci-archive, docker-archive or rootfs; repeatable", offsetof(struct values, outputs), NULL},
	{"compression", 0, OPT_TEXT, "HOW", NULL, "gzip, zstd or none: of the layers, instead of what the project says",
	 offsetof(struct values, compression), compressions},
	OPTION_TARGET,
	OPTION_PROFILE,
	OPTION_KEEP_GOING,
	{"no-evidence", 0, OPT_FLAG, NULL, NULL, "no bills of materials and no provenance beside the layout",
	 offsetof(struct values, no_evidence), NULL},
	OPTION_JSON,
	OPTION_END,
};

static json_t *outputs_json(const struct xb_image_built *image)
{
	json_t *outputs = json_array();
	for (size_t i = 0; i < image->n_outputs; i++) {
		const struct xb_image_written *w = &image->outputs[i];
		json_t *row = json_object();
		json_object_set_new(row, "form", json_string(xb_image_form_name(w->form)));
		json_object_set_new(row, "path", json_string(w->path));
		if (w->target)
			json_object_set_new(row, "target", json_string(w->target->name));
		json_object_set_new(row, "changed", json_boolean(w->changed));
		json_array_append_new(outputs, row);
	}
	return outputs;
}

static json_t *image_json(const struct xb_image_built *image)
{
	char digest[XB_DIGEST_OCI];
	json_t *platforms = json_array();
	for (size_t i = 0; i < image->n_platforms; i++) {
		const struct xb_image_platform *p = &image->platforms[i];
		json_t *packages = json_array();
		for (size_t k = 0; k < p->n_packages; k++)
			json_array_append_new(packages, json_string(p->packages[k]));
		json_t *row = json_object();
		json_object_set_new(row, "target", json_string(p->target->name));
		json_object_set_new(row, "manifest", json_string(xb_digest_oci(&p->manifest, digest)));
		json_object_set_new(row, "layer_bytes", json_integer((json_int_t)p->layer_bytes));
		json_object_set_new(row, "packages", packages);
		json_array_append_new(platforms, row);
	}
	json_t *document = json_object();
	json_object_set_new(document, "name", json_string(image->image->name));
	/* for scripts that know nothing of the other forms */
	for (size_t i = 0; i < image->n_outputs; i++) {
		if (image->outputs[i].form == XB_IMAGE_OCI && !json_object_get(document, "layout"))
			json_object_set_new(document, "layout", json_string(image->outputs[i].path));
	}
	json_object_set_new(document, "digest", json_string(xb_digest_oci(&image->index, digest)));
	json_object_set_new(document, "outputs", outputs_json(image));
	json_object_set_new(document, "platforms", platforms);
	return document;
}

/* What went into each platform: talk, so stderr. */
static void tell(const struct xb_image_result *result)
{
	for (size_t i = 0; i < result->n_items; i++) {
		const struct xb_image_built *image = &result->items[i];
		for (size_t k = 0; k < image->n_platforms; k++) {
			const struct xb_image_platform *p = &image->platforms[k];
			char size[XB_NUM_SIZE_MAX];
			fprintf(stderr, "%16s %s, %s compressed", p->target->name, image->image->name,
				xb_num_size(p->layer_bytes, size));
			/* the versions are in the lock and in --json, and so are the names when they are many */
			if (p->n_packages > MAX_NAMES)
				fprintf(stderr, "; %zu packages", p->n_packages);
			for (size_t n = 0; n < p->n_packages && p->n_packages <= MAX_NAMES; n++)
				fprintf(stderr, "%s %.*s", n ? "," : "; packages", (int)strcspn(p->packages[n], " "),
					p->packages[n]);
			fputc('\n', stderr);
		}
		for (size_t k = 0; k < image->n_outputs; k++)
			fprintf(stderr, "%16s %s%s\n", xb_image_form_name(image->outputs[k].form),
				image->outputs[k].path, image->outputs[k].changed ? "" : " (as it was)");
	}
}

static int print_result(const struct cli *cli, const struct xb_image_result *result, struct xb_err *err)
{
	if (cli->values.json) {
		json_t *list = json_array();
		for (size_t i = 0; i < result->n_items; i++)
			json_array_append_new(list, image_json(&result->items[i]));
		return cli_print_json(list, err);
	}
	struct xb_str out = {0};
	char digest[XB_DIGEST_OCI];
	/* One image: its digest alone. Several: a name before each, so that a script can tell them apart. */
	for (size_t i = 0; i < result->n_items; i++) {
		if (result->n_items > 1)
			xb_str_printf(&out, "%s@", result->items[i].image->name);
		xb_str_printf(&out, "%s\n", xb_digest_oci(&result->items[i].index, digest));
	}
	int code = cli_print(xb_str_get(&out), err);
	xb_str_release(&out);
	return code;
}

static int run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	struct xb_image_output *outputs = xb_arena_array(&cli->app.arena, v->outputs.len, sizeof(*outputs));
	for (size_t i = 0; i < v->outputs.len; i++)
		if (xb_image_output_parse(v->outputs.items[i], &outputs[i], err) < 0)
			return err->code;
	enum xb_compression compression = XB_COMPRESSION_GZIP;
	while (v->compression && strcmp(v->compression, compressions[compression]) != 0)
		compression++;
	struct xb_image_opts opts = {
		.images = v->args.items,
		.n_images = v->args.len,
		.targets = v->targets.items,
		.n_targets = v->targets.len,
		.outputs = outputs,
		.n_outputs = v->outputs.len,
		.compression = v->compression ? &compression : NULL,
		.profile = v->profile,
		.keep_going = v->keep_going,
		.color = cli->color_err,
		.verbose = v->verbose > 0,
		.no_evidence = v->no_evidence,
	};
	struct xb_image_result result = {0};
	int code = xb_op_image(&cli->app, &opts, &result, err);
	progress_clear(cli->progress);
	if (code == 0 && !v->quiet)
		tell(&result);
	if (code == 0)
		code = print_result(cli, &result, err);
	xb_image_result_release(&result);
	return code;
}

const struct command cmd_image = {
	.name = "image",
	.synopsis = "[NAME...]",
	.summary = "write multi-arch OCI images: out/images/<name>",
	.details = "Builds, then writes an OCI layout whose index.json has one entry, the multi-arch index. The last "
		   "line on\n"
		   "stdout is the digest of the index (name@digest when there are several images).\n"
		   "\n"
		   "What --output names is written, and nothing else:\n"
		   "  oci             the layout, out/images/<name>/\n"
		   "  oci-archive     the layout as one tar, out/images/<name>.oci.tar\n"
		   "  docker-archive  a tar that docker, podman, containerd and skopeo load, "
		   "out/images/<name>.docker.tar\n"
		   "  rootfs          the file system of each platform, out/images/<name>-<target>.tar",
	.options = options,
	.project = true,
	.max_args = -1,
	.run = run,
};
