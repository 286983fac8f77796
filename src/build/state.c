/* SPDX-License-Identifier: Apache-2.0 */
#include "state_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

void xb_placed_read(const char *path, struct xb_placed *out)
{
	struct stat st;

	*out = (struct xb_placed){0};
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	*out = (struct xb_placed){.mtime_ns = xb_fs_mtime_ns(&st),
				  .ctime_ns = xb_fs_ctime_ns(&st),
				  .inode = (uint64_t)st.st_ino,
				  .size_bytes = (uint64_t)st.st_size};
}

bool xb_placed_eq(const struct xb_placed *a, const struct xb_placed *b)
{
	return a->inode && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->inode == b->inode &&
	       a->size_bytes == b->size_bytes;
}

struct xb_state *xb_state_open(const char *file, const char *generation, struct xb_statcache *cache,
			       struct xb_shadows *shadows)
{
	struct xb_state *s = xb_alloc(sizeof(*s));

	xb_digest_bytes(generation, strlen(generation), &s->generation);
	s->file = xb_strdup(file);
	s->cache = cache;
	s->shadows = shadows;
	state_load(s);
	s->path_verdicts = xb_alloc(s->n_paths);
	s->set_verdicts = xb_alloc(s->n_sets);
	s->gone = xb_alloc(s->n_records * sizeof(*s->gone));
	s->asked = xb_alloc(s->n_records * sizeof(*s->asked));
	return s;
}

static void release_new(struct state_new *r)
{
	for (size_t i = 0; i < r->n_deps; i++)
		free(r->deps[i]);
	free(r->deps);
	free(r->files);
	free(r->output);
}

void xb_state_free(struct xb_state *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->fresh.len; i++)
		release_new(&s->fresh.items[i]);
	XB_VEC_RELEASE(&s->fresh);
	xb_map_release(&s->fresh_by_output);
	xb_map_release(&s->by_output);
	state_forget_tables(s);
	free(s->path_verdicts);
	free(s->set_verdicts);
	free(s->gone);
	free(s->asked);
	xb_str_release(&s->text);
	free(s->file);
	free(s);
}

static void build_index(struct xb_state *s)
{
	for (uint32_t i = 0; i < s->n_records; i++)
		xb_map_put_str(&s->by_output, s->strings + s->records[i].name, (void *)(uintptr_t)(i + 1));
	s->indexed = true;
}

const struct xb_state_record *xb_state_find(struct xb_state *s, const char *output, uint32_t *out_index)
{
	uint32_t i = s->cursor;

	if (i >= s->n_records || strcmp(s->strings + s->records[i].name, output) != 0) {
		if (!s->indexed)
			build_index(s);
		i = (uint32_t)(uintptr_t)xb_map_get_str(&s->by_output, output);
		if (!i--)
			return NULL;
	}
	s->cursor = i + 1;
	if (s->gone[i])
		return NULL;
	*out_index = i;
	return &s->records[i].record;
}

static enum state_verdict judge_path(struct xb_state *s, uint32_t id)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const struct state_path *p = &s->paths[id];
	const char *name = s->strings + p->name;
	struct xb_file_state state;
	bool fresh;

	if (s->path_verdicts[id] != STATE_UNKNOWN)
		return (enum state_verdict)s->path_verdicts[id];
	if (xb_digest_is_zero(&p->digest))
		fresh = !xb_shadows_exists(s->shadows, name);
	else
		fresh = xb_statcache_get(s->cache, name, &state, &ignored) == 0 &&
			xb_digest_eq(&state.digest, &p->digest) && state.executable == (p->executable != 0);
	s->path_verdicts[id] = fresh ? STATE_FRESH : STATE_STALE;
	return (enum state_verdict)s->path_verdicts[id];
}

static bool judge_set(struct xb_state *s, uint32_t set)
{
	enum state_verdict verdict = STATE_FRESH;

	if (set == STATE_NO_SET)
		return true;
	if (s->set_verdicts[set] != STATE_UNKNOWN)
		return s->set_verdicts[set] == STATE_FRESH;
	for (uint32_t i = 0; verdict == STATE_FRESH && i < s->sets[set].len; i++)
		verdict = judge_path(s, s->ids[s->sets[set].first + i]);
	s->set_verdicts[set] = (uint8_t)verdict;
	return verdict == STATE_FRESH;
}

bool xb_state_is_fresh(struct xb_state *s, uint32_t index)
{
	return judge_set(s, s->records[index].present) && judge_set(s, s->records[index].absent);
}

void xb_state_keep(struct xb_state *s, uint32_t index, const struct xb_placed *placed)
{
	struct state_record *r = &s->records[index];

	s->asked[index] = true;
	if (placed && memcmp(placed, &r->record.placed, sizeof(*placed)) != 0) {
		r->record.placed = *placed;
		s->changed = true;
	}
}

void xb_state_drop(struct xb_state *s, const char *output)
{
	const uint32_t saved = s->cursor;
	uint32_t index;

	if (xb_state_find(s, output, &index)) {
		s->gone[index] = true;
		s->changed = true;
	}
	s->cursor = saved;
}

void xb_state_put(struct xb_state *s, const char *output, const struct xb_state_record *record, const char *const *deps,
		  size_t n_deps)
{
	struct state_new r = {.output = xb_strdup(output), .record = *record};
	const size_t old = (size_t)(uintptr_t)xb_map_get_str(&s->fresh_by_output, output);

	xb_state_drop(s, output);
	s->changed = true;
	r.deps = xb_alloc(n_deps * sizeof(*r.deps));
	r.files = xb_alloc(n_deps * sizeof(*r.files));
	r.n_deps = n_deps;
	for (size_t i = 0; i < n_deps; i++) {
		struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
		struct xb_file_state state;

		r.deps[i] = xb_strdup(deps[i]);
		if (*deps[i] != '!' && xb_statcache_get(s->cache, deps[i], &state, &ignored) == 0)
			r.files[i] = (struct state_path){.digest = state.digest, .executable = state.executable};
	}
	if (old) {
		release_new(&s->fresh.items[old - 1]);
		s->fresh.items[old - 1] = r;
		return;
	}
	XB_VEC_PUSH(&s->fresh, r);
	xb_map_put_str(&s->fresh_by_output, output, (void *)(uintptr_t)s->fresh.len);
}

char *xb_state_path(const char *project_dir, const char *target, const char *profile)
{
	return xb_printf("%s/.xbuild/state-%s-%s", project_dir, target, profile);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct xb_state_file *)a)->path, ((const struct xb_state_file *)b)->path);
}

bool xb_state_reads(struct xb_state *s, const char *const *outputs, size_t n, struct xb_arena *arena,
		    struct xb_state_file **out, size_t *out_len)
{
	uint8_t *seen_paths XB_CLEANUP(xb_free_ptr) = xb_alloc(s->n_paths),
			    *seen_sets XB_CLEANUP(xb_free_ptr) = xb_alloc(s->n_sets);
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t index, set;

		if (!xb_state_find(s, outputs[i], &index))
			return false;
		set = s->records[index].present;
		if (set == STATE_NO_SET || seen_sets[set])
			continue;
		seen_sets[set] = 1;
		for (uint32_t k = 0; k < s->sets[set].len; k++) {
			const uint32_t id = s->ids[s->sets[set].first + k];

			len += !seen_paths[id];
			seen_paths[id] = 1;
		}
	}
	*out = xb_arena_array(arena, len, sizeof(**out));
	*out_len = 0;
	for (uint32_t id = 0; id < s->n_paths; id++) {
		if (seen_paths[id])
			(*out)[(*out_len)++] = (struct xb_state_file){
				xb_arena_strdup(arena, s->strings + s->paths[id].name), s->paths[id].digest};
	}
	if (len)
		qsort(*out, len, sizeof(**out), by_path);
	return true;
}

void xb_state_digest(const struct xb_state *s, struct xb_digest *out)
{
	*out = s->checksum;
}

struct xb_digest *xb_state_note(struct xb_state *s)
{
	return &s->note;
}

int xb_state_save(struct xb_state *s, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (!s->changed && xb_digest_eq(&s->note, &s->old_note))
		return 0;
	state_encode(s, &text);
	if (xb_atomic_file_write(s->file, text.data, text.len, 0644, 0, err) < 0)
		return err->code;
	s->changed = false;
	s->old_note = s->note;
	return 0;
}
