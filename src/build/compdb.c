/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/compdb.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/build/foreign.h"
#include "xbuild/build/state.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

/*
 * The actions of the file, in the order of the graph: those of the first target, then what only another compiles. Of units of
 * other build systems, the files of their compile commands.
 */
struct chosen {
	const struct xb_action **items;
	size_t len;
	struct xb_dirs files; /* absolute */
};

static bool is_compile(const struct xb_action *action)
{
	const enum xb_action_kind kind = action->variant->kind;

	return kind == XB_ACTION_CC || kind == XB_ACTION_CXX || kind == XB_ACTION_CPP;
}

static void choose(const struct xb_graph *graph, const struct xb_setup *setup, struct xb_arena *arena,
		   struct chosen *out)
{
	struct xb_map sources = {0};

	out->items = xb_arena_array(arena, graph->n_actions, sizeof(const struct xb_action *));
	for (size_t i = 0; i < graph->n_actions; i++) {
		const struct xb_action *action = graph->actions[i];

		if (action->variant->setup != setup || !is_compile(action))
			continue;
		out->items[out->len++] = action;
		xb_map_put_str(&sources, action->source, graph->actions[i]);
	}
	for (size_t i = 0; i < graph->n_actions; i++) {
		const struct xb_action *action = graph->actions[i];

		if (action->variant->setup == setup || !is_compile(action) || xb_map_get_str(&sources, action->source))
			continue;
		out->items[out->len++] = action;
		xb_map_put_str(&sources, action->source, graph->actions[i]);
	}
	xb_map_release(&sources);
}

/* The first target's, or of another one where the first has no such unit. */
static void choose_files(const struct xb_graph *graph, const struct xb_setup *setup, const char *project_dir,
			 struct xb_arena *arena, struct chosen *out)
{
	struct xb_map units XB_CLEANUP(xb_map_release) = {0};

	for (int first = 1; first >= 0; first--) {
		for (size_t i = 0; i < graph->n_actions; i++) {
			const struct xb_variant *v = graph->actions[i]->variant;

			if (v->kind != XB_ACTION_FOREIGN || (first && v->setup != setup) ||
			    xb_map_put_str(&units, v->unit->name, graph->actions[i]))
				continue;
			xb_dirs_add(&out->files, arena,
				    xb_arena_printf(arena, "%s/%s", project_dir,
						    xb_foreign_commands(v->setup, v->unit, arena)));
		}
	}
}

static void digest_of(const struct chosen *chosen, const char *project_dir, struct xb_digest *out)
{
	const struct xb_setup *setup = NULL;
	struct xb_hasher h;

	xb_hasher_init(&h);
	xb_hasher_update(&h, project_dir, strlen(project_dir) + 1);
	for (size_t i = 0; i < chosen->len; i++) {
		const struct xb_action *action = chosen->items[i];

		if (action->variant->setup != setup) {
			setup = action->variant->setup;
			xb_hasher_update(&h, setup->tools->dir, strlen(setup->tools->dir) + 1);
			xb_hasher_update(&h, setup->sysroot->dir, strlen(setup->sysroot->dir) + 1);
		}
		xb_hasher_update(&h, &action->variant->fingerprint, sizeof(action->variant->fingerprint));
		xb_hasher_update(&h, action->output, strlen(action->output) + 1);
	}
	for (size_t i = 0; i < chosen->files.len; i++) {
		struct xb_placed now;

		xb_placed_read(chosen->files.items[i], &now);
		xb_hasher_update(&h, chosen->files.items[i], strlen(chosen->files.items[i]) + 1);
		xb_hasher_update(&h, &now, sizeof(now));
	}
	xb_hasher_final(&h, out);
}

/* One that is not there is of a unit that was taken from the store, or whose build system tells none. */
static void add_file(json_t *list, const char *path)
{
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	json_t *more XB_CLEANUP(xb_json_release) = NULL;

	if (xb_fs_exists(path) && xb_json_read(path, XB_MAX_JSON_BYTES, &more, &unreadable) == 0 && json_is_array(more))
		json_array_extend(list, more);
}

/*
 * Options that only a run of the build needs would make an editor write files. -Xclang stands for dependencies alone: a
 * project file may not hold it.
 */
static size_t words_for_run(const struct xb_command *command, size_t i)
{
	if (!strcmp(command->items[i].text, "-Xclang"))
		return 2;
	return command->items[i].real_only ? 1 : 0;
}

static json_t *entry_of(const struct xb_action *action, const char *project_dir, struct xb_arena *arena)
{
	const struct xb_setup *setup = action->variant->setup;
	struct xb_argv argv = {.arena = arena};
	struct xb_command_files files;
	struct xb_command command;
	struct xb_roots roots;
	json_t *entry = json_object(), *words = json_array();
	char *source XB_CLEANUP(xb_free_ptr) = xb_path_join(project_dir, action->source);

	xb_command_init(&command, arena);
	for (size_t i = 0; i < action->variant->command.len;) {
		const struct xb_command one = {.items = &action->variant->command.items[i], .len = 1};
		const size_t skipped = words_for_run(&action->variant->command, i);

		if (!skipped)
			xb_command_append(&command, &one);
		i += skipped ? skipped : 1;
	}
	xb_roots_real(project_dir, setup->tools, setup->sysroot, &roots);
	xb_action_files(action, arena, &files);
	files.source = source;
	xb_argv_push(&argv, xb_arena_printf(arena, "%s/%s/%s", setup->tools->dir, setup->tools->bin_dir,
					    action->variant->kind == XB_ACTION_CXX ? "clang++" : "clang"));
	xb_command_argv(&command, &roots, &files, &argv);
	for (size_t i = 0; i < argv.len; i++)
		json_array_append_new(words, json_string(argv.items[i]));
	json_object_set_new(entry, "directory", json_string(project_dir));
	json_object_set_new(entry, "file", json_string(source));
	json_object_set_new(entry, "output", json_string(action->output));
	json_object_set_new(entry, "arguments", words);
	return entry;
}

int xb_compdb_write(const struct xb_graph *graph, const struct xb_setup *setup, const char *project_dir,
		    struct xb_digest *note, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(project_dir, "compile_commands.json");
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, old XB_CLEANUP(xb_str_release) = {0};
	json_t *list XB_CLEANUP(xb_json_release) = NULL;
	struct chosen chosen = {0};
	struct xb_digest digest;

	choose(graph, setup, &arena, &chosen);
	choose_files(graph, setup, project_dir, &arena, &chosen);
	digest_of(&chosen, project_dir, &digest);
	if (xb_digest_eq(&digest, note) && xb_fs_exists(path))
		return 0;
	list = json_array();
	for (size_t i = 0; i < chosen.len; i++)
		json_array_append_new(list, entry_of(chosen.items[i], project_dir, &arena));
	for (size_t i = 0; i < chosen.files.len; i++)
		add_file(list, chosen.files.items[i]);
	xb_json_write(list, 1, false, &text);
	xb_str_append_char(&text, '\n');
	if (xb_fs_read(path, XB_GIB, &old, &ignored) < 0 || !xb_sv_eq(xb_str_sv(&old), xb_str_sv(&text))) {
		if (xb_atomic_file_write(path, text.data, text.len, 0644, 0, err) < 0)
			return err->code;
	}
	*note = digest;
	return 0;
}
