/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/key.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/str.h"

const char *const xb_action_env[] = {"LC_ALL=C", "SOURCE_DATE_EPOCH=1", NULL};

/* '/' sorts before every other byte: the files of a directory then stand together and in the order of its entries. */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	const unsigned char x = *a == '/' ? 1 : (unsigned char)*a, y = *b == '/' ? 1 : (unsigned char)*b;

	return x < y ? -1 : x > y;
}

static int by_path(const void *a, const void *b)
{
	return compare_paths(((const struct xb_key_file *)a)->path, ((const struct xb_key_file *)b)->path);
}

size_t xb_key_sort(struct xb_key_file *files, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(files, n, sizeof(*files), by_path);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(files[kept - 1].path, files[i].path) != 0)
			files[kept++] = files[i];
	return kept;
}

/*
 * Files [*at, n) whose path begins with the `prefix` bytes of files[*at]. A Directory message has its files before its
 * directories, so two texts are filled side by side.
 */
static void directory(const struct xb_key_file *files, size_t n, size_t *at, size_t prefix, struct xb_reapi_digest *out)
{
	struct xb_str nodes XB_CLEANUP(xb_str_release) = {0}, dirs XB_CLEANUP(xb_str_release) = {0};
	const char *head = *at < n ? files[*at].path : "";

	while (*at < n && !strncmp(files[*at].path, head, prefix)) {
		const struct xb_key_file *file = &files[*at];
		const char *name = file->path + prefix, *slash = strchr(name, '/');
		struct xb_reapi_digest sub;

		if (!slash) {
			xb_reapi_file_node(&nodes, xb_sv(name), &file->digest, file->executable);
			++*at;
			continue;
		}
		const size_t len = (size_t)(slash - name);

		directory(files, n, at, prefix + len + 1, &sub);
		xb_reapi_directory_node(&dirs, xb_sv_n(name, len), &sub);
	}
	xb_str_append_sv(&nodes, xb_str_sv(&dirs));
	xb_reapi_digest_of(&nodes, out);
}

void xb_key_directory(const struct xb_key_file *files, size_t n, struct xb_reapi_digest *out)
{
	size_t at = 0;

	directory(files, n, &at, 0, out);
}

void xb_key_command(const struct xb_action *action, struct xb_arena *arena, struct xb_reapi_digest *out)
{
	struct xb_str message XB_CLEANUP(xb_str_release) = {0};
	const struct xb_variant *variant = action->variant;
	struct xb_argv argv = {.arena = arena};
	struct xb_command_files files;
	struct xb_roots roots;

	xb_roots_canonical(&roots);
	xb_action_files(action, arena, &files);
	xb_argv_push(&argv, xb_command_tool(variant->setup->tools, variant->tool, variant->extra_tool, arena));
	xb_command_argv(&variant->command, &roots, &files, &argv);
	xb_reapi_command(argv.items, xb_action_env, "project", (const char *const[]){action->output, NULL}, &message);
	xb_reapi_digest_of(&message, out);
}

/* "project" < "sysroot" < "toolchain" < "tools": the order that Directory wants. */
static void input_root(const struct xb_action *action, const struct xb_key_file *files, size_t n,
		       struct xb_reapi_digest *out)
{
	struct xb_str message XB_CLEANUP(xb_str_release) = {0};
	const struct xb_setup *setup = action->variant->setup;
	const struct xb_tools *tools = setup->tools;
	const struct xb_reapi_digest sysroot = {setup->sysroot->digest, setup->sysroot->digest_size};
	const struct xb_reapi_digest toolchain = {tools->digest, tools->digest_size};
	const struct xb_reapi_digest extra = {tools->extra_digest, tools->extra_digest_size};
	struct xb_reapi_digest project;

	xb_key_directory(files, n, &project);
	xb_reapi_directory_node(&message, xb_sv("project"), &project);
	xb_reapi_directory_node(&message, xb_sv("sysroot"), &sysroot);
	xb_reapi_directory_node(&message, xb_sv("toolchain"), &toolchain);
	if (action->variant->extra_tool && tools->extra_dir)
		xb_reapi_directory_node(&message, xb_sv("tools"), &extra);
	xb_reapi_digest_of(&message, out);
}

void xb_key_action(const struct xb_action *action, const struct xb_reapi_digest *command,
		   const struct xb_key_file *files, size_t n, struct xb_digest *out)
{
	struct xb_str message XB_CLEANUP(xb_str_release) = {0};
	struct xb_reapi_digest root, digest;

	input_root(action, files, n, &root);
	xb_reapi_action(command, &root, &message);
	xb_reapi_digest_of(&message, &digest);
	*out = digest.hash;
}

void xb_key_deps(const struct xb_action *action, const struct xb_reapi_digest *command, struct xb_digest *out)
{
	const struct xb_setup *setup = action->variant->setup;
	const char *source = action->source ? action->source : "";
	struct xb_hasher h;

	xb_hasher_init(&h);
	xb_hasher_update(&h, "xbuild dependencies 1", sizeof("xbuild dependencies 1"));
	xb_hasher_update(&h, &command->hash, sizeof(command->hash));
	xb_hasher_update(&h, &setup->tools->digest, sizeof(setup->tools->digest));
	xb_hasher_update(&h, &setup->sysroot->digest, sizeof(setup->sysroot->digest));
	xb_hasher_update(&h, source, strlen(source) + 1);
	xb_hasher_final(&h, out);
}

void xb_key_inputs(const struct xb_action *action, struct xb_digest *out)
{
	struct xb_hasher h;

	xb_hasher_init(&h);
	for (size_t i = 0; i < action->n_inputs; i++) {
		const struct xb_action *input = action->inputs[i];

		xb_hasher_update(&h, input->output, strlen(input->output) + 1);
		xb_hasher_update(&h, &input->result.hash, sizeof(input->result.hash));
	}
	xb_hasher_final(&h, out);
}
