/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/command.h"

#include <string.h>

#include "xbuild/base/str.h"

void xb_command_init(struct xb_command *command, struct xb_arena *arena)
{
	*command = (struct xb_command){.arena = arena};
}

static void push(struct xb_command *command, struct xb_word word)
{
	if (command->len == command->cap) {
		const size_t cap = command->cap ? 2 * command->cap : 32;
		struct xb_word *items = xb_arena_array(command->arena, cap, sizeof(*items));

		if (command->len)
			memcpy(items, command->items, command->len * sizeof(*items));
		command->items = items;
		command->cap = cap;
	}
	command->items[command->len++] = word;
}

void xb_command_word(struct xb_command *command, const char *text)
{
	push(command, (struct xb_word){.text = text});
}

void xb_command_rooted(struct xb_command *command, const char *text, enum xb_root root, const char *path,
		       const char *tail)
{
	push(command, (struct xb_word){.text = text, .root = root, .path = path, .tail = tail});
}

void xb_command_real(struct xb_command *command, const char *text)
{
	push(command, (struct xb_word){.text = text, .real_only = true});
}

void xb_command_append(struct xb_command *command, const struct xb_command *more)
{
	for (size_t i = 0; i < more->len; i++)
		push(command, more->items[i]);
}

void xb_roots_canonical(struct xb_roots *out)
{
	*out = (struct xb_roots){.dirs = {
					 [XB_ROOT_PROJECT] = "../project",
					 [XB_ROOT_TOOLCHAIN] = "../toolchain",
					 [XB_ROOT_SYSROOT] = "../sysroot",
					 [XB_ROOT_TOOLS] = "../tools",
				 }};
}

void xb_roots_real(const char *project_dir, const struct xb_tools *tools, const struct xb_sysroot_paths *sysroot,
		   struct xb_roots *out)
{
	*out = (struct xb_roots){.dirs =
					 {
						 [XB_ROOT_PROJECT] = project_dir,
						 [XB_ROOT_TOOLCHAIN] = tools->dir,
						 [XB_ROOT_SYSROOT] = sysroot->dir,
						 [XB_ROOT_TOOLS] = tools->extra_dir,
					 },
				 .real = true};
}

void xb_argv_push(struct xb_argv *argv, const char *word)
{
	if (argv->len + 1 >= argv->cap) {
		const size_t cap = argv->cap ? 2 * argv->cap : 64;
		const char **items = xb_arena_array(argv->arena, cap, sizeof(*items));

		if (argv->len)
			memcpy(items, argv->items, argv->len * sizeof(*items));
		argv->items = items;
		argv->cap = cap;
	}
	argv->items[argv->len++] = word;
	argv->items[argv->len] = NULL;
}

static const char *render(const struct xb_word *word, const char *dir, struct xb_arena *arena)
{
	const size_t n_text = strlen(word->text), n_dir = dir ? strlen(dir) : 0;
	const size_t n_path = word->path ? strlen(word->path) : 0, n_tail = word->tail ? strlen(word->tail) : 0;
	char *out, *at;

	if (!n_dir && !n_path && !n_tail)
		return word->text;
	if (!n_text && !n_path && !n_tail)
		return dir;
	at = out = xb_arena_alloc(arena, n_text + n_dir + n_path + n_tail + 2);
	memcpy(at, word->text, n_text);
	at += n_text;
	if (n_dir)
		memcpy(at, dir, n_dir);
	at += n_dir;
	if (n_path) {
		if (n_dir)
			*at++ = '/';
		memcpy(at, word->path, n_path);
		at += n_path;
	}
	if (n_tail)
		memcpy(at, word->tail, n_tail);
	return out;
}

static const char *marker(const struct xb_word *word, const struct xb_command_files *files)
{
	switch (word->root) {
	case XB_WORD_SOURCE:
		return files->source;
	case XB_WORD_OUTPUT:
		return files->output;
	case XB_WORD_DEPFILE:
		return files->depfile;
	default:
		return NULL;
	}
}

void xb_command_argv(const struct xb_command *command, const struct xb_roots *roots,
		     const struct xb_command_files *files, struct xb_argv *out)
{
	for (size_t i = 0; i < command->len; i++) {
		const struct xb_word *word = &command->items[i];

		if (word->real_only && !roots->real)
			continue;
		if (word->root == XB_WORD_INPUTS)
			for (size_t k = 0; k < files->n_inputs; k++)
				xb_argv_push(out, files->inputs[k]);
		else if (word->root < XB_N_ROOTS)
			xb_argv_push(out, render(word, roots->dirs[word->root], out->arena));
		else
			xb_argv_push(out, render(word, marker(word, files), out->arena));
	}
}

void xb_command_launch(const struct xb_tools *tools, const char *tool, bool extra, struct xb_argv *out)
{
	xb_command_launch_as(tools, tool, extra, NULL, out);
}

void xb_command_launch_as(const struct xb_tools *tools, const char *tool, bool extra, const char *argv0,
			  struct xb_argv *out)
{
	const char *base = extra && tools->extra_dir ? tools->extra_dir : tools->dir;
	const char *program = xb_arena_printf(out->arena, "%s/%s/%s", base, tools->bin_dir, tool);

	if (tools->emulator)
		xb_argv_push(out, tools->emulator);
	if (tools->loader) {
		struct xb_sv rest = xb_sv(tools->library_path);
		struct xb_str libs = {0};

		xb_argv_push(out, xb_arena_printf(out->arena, "%s/%s", tools->dir, tools->loader));
		while (rest.ptr) {
			const struct xb_sv part = xb_sv_cut(&rest, ':');

			xb_str_printf(&libs, "%s%s/%.*s", libs.len ? ":" : "", tools->dir, XB_SV_ARG(part));
		}
		if (libs.len) {
			xb_argv_push(out, "--library-path");
			xb_argv_push(out, xb_arena_strdup(out->arena, xb_str_get(&libs)));
		}
		xb_str_release(&libs);
		xb_argv_push(out, "--argv0");
		xb_argv_push(out, argv0 ? argv0 : program);
	}
	xb_argv_push(out, program);
}

const char *xb_command_tool(const struct xb_tools *tools, const char *tool, bool extra, struct xb_arena *arena)
{
	return xb_arena_printf(arena, "../%s/%s/%s", extra && tools->extra_dir ? "tools" : "toolchain", tools->bin_dir,
			       tool);
}

void xb_command_digest(const struct xb_command *command, struct xb_digest *out)
{
	struct xb_hasher h;

	xb_hasher_init(&h);
	for (size_t i = 0; i < command->len; i++) {
		const struct xb_word *word = &command->items[i];
		const unsigned char root = (unsigned char)word->root;

		if (word->real_only)
			continue;
		xb_hasher_update(&h, &root, 1);
		/* with the NULs, so that no two lists of words read alike */
		xb_hasher_update(&h, word->text, strlen(word->text) + 1);
		xb_hasher_update(&h, word->path ? word->path : "", word->path ? strlen(word->path) + 1 : 1);
		xb_hasher_update(&h, word->tail ? word->tail : "", word->tail ? strlen(word->tail) + 1 : 1);
	}
	xb_hasher_final(&h, out);
}

static bool is_plain(const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./,:@%";

	return *word && !word[strspn(word, plain)];
}

void xb_command_show(const char *const *argv, struct xb_str *out)
{
	for (size_t i = 0; argv[i]; i++) {
		if (i)
			xb_str_append_char(out, ' ');
		if (is_plain(argv[i]))
			xb_str_append(out, argv[i]);
		else
			xb_str_append_quoted(out, argv[i]);
	}
}
