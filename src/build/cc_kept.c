/* SPDX-License-Identifier: Apache-2.0 */
#include "cc_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/key.h"
#include "xbuild/store/action_cache.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

/* The longest tick of the coarse clock that file systems stamp with (CONFIG_HZ=100). */
#define TICK_NS (10 * INT64_C(1000000))

/* Raised when other things are looked at: what was kept before is not found any more. */
#define FORMAT "XBUILD_CC=1"

static bool look(const char *path, struct xb_reapi_digest *out)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	return xb_digest_file(path, &out->hash, &out->size_bytes, &ignored) == 0;
}

const struct xb_reapi_digest *cc_see(struct cc *cc, const char *path)
{
	struct xb_reapi_digest *digest = xb_map_get_str(&cc->seen, path);

	if (!digest) {
		digest = xb_arena_alloc(&cc->arena, sizeof(*digest));
		if (!look(path, digest))
			return NULL;
		xb_map_put_str(&cc->seen, path, digest);
	}
	return digest;
}

const char *cc_absolute(struct cc *cc, const char *path)
{
	return *path == '/' ? path : xb_arena_printf(&cc->arena, "%s/%s", cc->cwd, path);
}

/* The name of a part, wherever it lies for the moment. */
static const char *part_name(struct cc *cc, const struct cc_step *step)
{
	return xb_arena_printf(&cc->arena, "objects/%zu", (size_t)(step - cc->plan.steps));
}

/* Digest of the Command message. Toolchain, sysroot and wrapper are one of its variables: no tree of theirs is here. */
static void command_of(struct cc *cc, const char *const *argv, const char *output, struct xb_reapi_digest *out)
{
	struct xb_str message XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];
	const char *outputs[] = {output, NULL};
	struct xb_dirs env = {0};

	for (const char *const *e = cc->env; *e; e++)
		xb_dirs_add(&env, &cc->arena, *e);
	xb_dirs_add(&env, &cc->arena, FORMAT);
	xb_dirs_add(&env, &cc->arena,
		    xb_arena_printf(&cc->arena, "XBUILD_TOOLS=%s", xb_digest_hex(&cc->call->tools, hex)));
	xb_dirs_add(&env, &cc->arena, NULL);
	xb_reapi_command(argv, env.items, cc->cwd, outputs, &message);
	xb_reapi_digest_of(&message, out);
}

static void step_command(struct cc *cc, const struct cc_step *step, struct xb_reapi_digest *out)
{
	const char **argv = xb_arena_array(&cc->arena, step->n_words + 1, sizeof(*argv));

	for (size_t i = 0; i < step->n_words; i++) {
		const struct cc_step *part = cc_plan_part(&cc->plan, step->words[i]);

		argv[i] = part ? part_name(cc, part) : step->words[i];
	}
	command_of(cc, argv, argv[step->output], out);
}

static void action_of(const struct xb_reapi_digest *command, struct xb_key_file *files, size_t n, struct xb_digest *out)
{
	struct xb_str message XB_CLEANUP(xb_str_release) = {0};
	struct xb_reapi_digest root, action;

	xb_key_directory(files, xb_key_sort(files, n), &root);
	xb_reapi_action(command, &root, &message);
	xb_reapi_digest_of(&message, &action);
	*out = action.hash;
}

static void plan_action(struct cc *cc, struct xb_digest *out)
{
	struct xb_reapi_digest command;
	struct xb_dirs argv = {0};

	xb_dirs_add(&argv, &cc->arena, cc->call->compiler);
	xb_dirs_add(&argv, &cc->arena, "-###");
	if (cc->call->color)
		xb_dirs_add(&argv, &cc->arena, "-fcolor-diagnostics");
	for (const char *const *w = cc->call->words; *w; w++)
		xb_dirs_add(&argv, &cc->arena, *w);
	xb_dirs_add(&argv, &cc->arena, NULL);
	command_of(cc, argv.items, "", &command);
	action_of(&command, NULL, 0, out);
}

bool cc_kept_plan(struct cc *cc, struct xb_sv *out)
{
	struct xb_reapi_result result;
	struct xb_digest key;

	plan_action(cc, &key);
	if (!xb_action_get(cc->call->store, &key, &cc->arena, &result))
		return false;
	*out = result.output_text;
	return true;
}

void cc_keep_plan(struct cc *cc, struct xb_sv text)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const struct xb_reapi_result result = {.output_text = text};
	struct xb_digest key;

	plan_action(cc, &key);
	(void)!xb_action_put(cc->call->store, &key, &result, &ignored);
}

/* The files of a set and the parts of a link, as they are now; false: a place is not empty, or a file is gone. */
static bool key_files(struct cc *cc, size_t step, const struct xb_dep_set *set, struct xb_key_file **out, size_t *out_n)
{
	struct xb_key_file *files = xb_arena_array(&cc->arena, set->len + cc->plan.n_steps, sizeof(*files));
	size_t n = 0;

	for (size_t i = 0; i < set->len; i++) {
		const char *path = set->paths[i];
		const struct xb_reapi_digest *digest;

		if (*path == '!') {
			if (xb_fs_exists(xb_arena_printf(&cc->arena, "/%s", path + 1)))
				return false;
			continue;
		}
		digest = cc_see(cc, path);
		if (!digest)
			return false;
		files[n++] = (struct xb_key_file){.path = path + 1, .digest = *digest};
	}
	for (size_t i = 0; cc->plan.steps[step].is_link && i < cc->plan.n_steps; i++)
		if (cc->plan.steps[i].is_part)
			files[n++] = (struct xb_key_file){.path = part_name(cc, &cc->plan.steps[i]),
							  .digest = cc->done[i].result};
	*out = files;
	*out_n = n;
	return true;
}

/* A result whose file is damaged is none: it is made again, and takes its place. */
static bool take_result(struct cc *cc, struct cc_done *done, const struct xb_digest *key)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_reapi_result result;

	if (!xb_action_get(cc->call->store, key, &cc->arena, &result) || result.n_outputs != 1 ||
	    xb_cas_check(cc->call->store, &result.outputs[0].digest.hash, &ignored) < 0)
		return false;
	done->result = result.outputs[0].digest;
	done->text = result.output_text;
	done->known = true;
	return true;
}

bool cc_kept(struct cc *cc, size_t step)
{
	struct xb_reapi_digest command;
	struct xb_dep_sets sets;

	step_command(cc, &cc->plan.steps[step], &command);
	xb_deps_get(cc->call->store, &command.hash, &cc->arena, &sets);
	for (size_t i = 0; i < sets.len; i++) {
		struct xb_key_file *files;
		struct xb_digest key;
		size_t n;

		if (!key_files(cc, step, &sets.items[i], &files, &n))
			continue;
		action_of(&command, files, n, &key);
		if (take_result(cc, &cc->done[step], &key))
			return true;
	}
	return false;
}

/*
 * The content that a step has read is the one that is there now: it was looked at before the start and is the same, or the
 * file's stamp is older than the start by more than a tick.
 */
static bool is_settled(struct cc *cc, const struct cc_done *done, const char *path)
{
	const struct xb_reapi_digest *before = xb_map_get_str(&cc->seen, path);
	struct xb_reapi_digest now;
	struct stat st;

	if (!look(path, &now))
		return false;
	if (before)
		return xb_digest_eq(&before->hash, &now.hash);
	if (stat(path, &st) < 0 || xb_fs_ctime_ns(&st) > done->started_ns - TICK_NS)
		return false;
	return cc_see(cc, path) != NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void cc_keep(struct cc *cc, size_t step, struct cc_reads *reads)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const struct cc_done *done = &cc->done[step];
	struct xb_reapi_output output = {.path = cc->plan.steps[step].is_part ? "object" : "output",
					 .digest = done->result,
					 .executable = cc->plan.steps[step].is_link};
	const struct xb_reapi_result result = {.outputs = &output, .n_outputs = 1, .output_text = done->text};
	struct xb_dirs all = {0};
	struct xb_reapi_digest command;
	struct xb_dep_set set;
	struct xb_key_file *files;
	struct xb_digest key;
	size_t n;

	if (!reads->told)
		return;
	for (size_t i = 0; i < reads->files.len; i++)
		if (!is_settled(cc, done, reads->files.items[i]))
			return;
	for (size_t i = 0; i < reads->absent.len; i++)
		xb_dirs_add(&all, &cc->arena, reads->absent.items[i]);
	for (size_t i = 0; i < reads->files.len; i++)
		xb_dirs_add(&all, &cc->arena, reads->files.items[i]);
	if (all.len)
		qsort(all.items, all.len, sizeof(*all.items), by_text);
	set = (struct xb_dep_set){.paths = all.items, .len = all.len};
	if (!key_files(cc, step, &set, &files, &n))
		return;
	step_command(cc, &cc->plan.steps[step], &command);
	action_of(&command, files, n, &key);
	if (xb_action_put(cc->call->store, &key, &result, &ignored) == 0)
		(void)!xb_deps_put(cc->call->store, &command.hash, &set, &ignored);
}
