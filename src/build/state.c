/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/state.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define MAGIC		"xbstate1" /* the last character is the number of the format */
#define MAX_STATE_BYTES (1 * XB_GIB)
#define MAX_UNUSED	64 /* saves that a record survives without being asked for */
#define NO_SET		UINT32_MAX

struct header {
	char magic[8];
	uint8_t checksum[XB_DIGEST_BYTES]; /* of all that follows */
	struct xb_digest note;
	uint32_t n_paths, n_sets, n_ids, n_records;
};

struct disk_path {
	struct xb_digest digest; /* zero: has to be absent */
	uint32_t name;		 /* offset in the strings */
};

struct disk_set {
	uint32_t first, len; /* in the ids */
};

struct disk_record {
	struct xb_state_record record;
	uint32_t name, present, absent; /* string, two sets or NO_SET */
	uint32_t unused;
};

enum verdict { UNKNOWN, FRESH, STALE };

struct new_record {
	char *output;
	struct xb_state_record record;
	char **deps;
	size_t n_deps;
	struct xb_digest *digests; /* of deps, zero for "!" */
};

struct xb_state {
	char *file;
	struct xb_statcache *cache;
	struct xb_shadows *shadows;
	bool changed;
	struct xb_digest note, old_note;

	struct xb_str text; /* the file; the tables point into copies of it, the names into it */
	struct disk_path *paths;
	struct disk_set *sets;
	uint32_t *ids;
	struct disk_record *records;
	uint32_t n_paths, n_sets, n_ids, n_records;
	const char *strings;
	size_t n_strings;

	uint8_t *path_verdicts, *set_verdicts;
	bool *gone, *asked; /* records: replaced or dropped; seen in this run */
	uint32_t cursor;
	struct xb_map by_output; /* index + 1; filled when the order of asking differs from the file's */
	bool indexed;
	XB_VEC(struct new_record) fresh;
	struct xb_map fresh_by_output; /* index + 1 in fresh */
};

#ifdef __APPLE__
#define MTIME(st) ((st)->st_mtimespec)
#define CTIME(st) ((st)->st_ctimespec)
#else
#define MTIME(st) ((st)->st_mtim)
#define CTIME(st) ((st)->st_ctim)
#endif

static int64_t to_ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

void xb_placed_read(const char *path, struct xb_placed *out)
{
	struct stat st;

	*out = (struct xb_placed){0};
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	*out = (struct xb_placed){.mtime_ns = to_ns(&MTIME(&st)),
				  .ctime_ns = to_ns(&CTIME(&st)),
				  .inode = (uint64_t)st.st_ino,
				  .size_bytes = (uint64_t)st.st_size};
}

bool xb_placed_eq(const struct xb_placed *a, const struct xb_placed *b)
{
	return a->inode && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->inode == b->inode &&
	       a->size_bytes == b->size_bytes;
}

/* Copies a table out of the text (alignment) and steps behind it. */
static void *take(struct xb_sv *rest, size_t count, size_t size)
{
	void *out = xb_alloc(count * size);

	memcpy(out, rest->ptr, count * size);
	*rest = xb_sv_n(rest->ptr + count * size, rest->len - count * size);
	return out;
}

static bool tables_are_sound(const struct xb_state *s)
{
	if (!s->n_strings ? s->n_paths || s->n_records : s->strings[s->n_strings - 1] != '\0')
		return false;
	for (uint32_t i = 0; i < s->n_paths; i++)
		if (s->paths[i].name >= s->n_strings)
			return false;
	for (uint32_t i = 0; i < s->n_sets; i++)
		if (s->sets[i].first > s->n_ids || s->sets[i].len > s->n_ids - s->sets[i].first)
			return false;
	for (uint32_t i = 0; i < s->n_ids; i++)
		if (s->ids[i] >= s->n_paths)
			return false;
	for (uint32_t i = 0; i < s->n_records; i++) {
		const struct disk_record *r = &s->records[i];

		if (r->name >= s->n_strings || (r->present != NO_SET && r->present >= s->n_sets) ||
		    (r->absent != NO_SET && r->absent >= s->n_sets))
			return false;
	}
	return true;
}

static void forget_tables(struct xb_state *s)
{
	free(s->paths);
	free(s->sets);
	free(s->ids);
	free(s->records);
	s->paths = NULL;
	s->sets = NULL;
	s->ids = NULL;
	s->records = NULL;
	s->n_paths = s->n_sets = s->n_ids = s->n_records = 0;
}

static void load(struct xb_state *s)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const size_t covered = offsetof(struct header, note);
	struct header header;
	struct xb_digest checksum;
	struct xb_sv rest;
	uint64_t need;

	if (xb_fs_read(s->file, MAX_STATE_BYTES, &s->text, &ignored) < 0 || s->text.len < sizeof(header))
		return;
	memcpy(&header, s->text.data, sizeof(header));
	xb_digest_bytes(s->text.data + covered, s->text.len - covered, &checksum);
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0 ||
	    memcmp(header.checksum, checksum.bytes, XB_DIGEST_BYTES) != 0)
		return;
	rest = xb_sv_n(s->text.data + sizeof(header), s->text.len - sizeof(header));
	need = (uint64_t)header.n_paths * sizeof(*s->paths) + (uint64_t)header.n_sets * sizeof(*s->sets) +
	       (uint64_t)header.n_ids * sizeof(*s->ids) + (uint64_t)header.n_records * sizeof(*s->records);
	if (need > rest.len)
		return;
	s->n_paths = header.n_paths;
	s->n_sets = header.n_sets;
	s->n_ids = header.n_ids;
	s->n_records = header.n_records;
	s->paths = take(&rest, s->n_paths, sizeof(*s->paths));
	s->sets = take(&rest, s->n_sets, sizeof(*s->sets));
	s->ids = take(&rest, s->n_ids, sizeof(*s->ids));
	s->records = take(&rest, s->n_records, sizeof(*s->records));
	s->strings = rest.ptr;
	s->n_strings = rest.len;
	if (!tables_are_sound(s)) {
		forget_tables(s);
		return;
	}
	s->note = s->old_note = header.note;
}

struct xb_state *xb_state_open(const char *file, struct xb_statcache *cache, struct xb_shadows *shadows)
{
	struct xb_state *s = xb_alloc(sizeof(*s));

	s->file = xb_strdup(file);
	s->cache = cache;
	s->shadows = shadows;
	load(s);
	s->path_verdicts = xb_alloc(s->n_paths);
	s->set_verdicts = xb_alloc(s->n_sets);
	s->gone = xb_alloc(s->n_records * sizeof(*s->gone));
	s->asked = xb_alloc(s->n_records * sizeof(*s->asked));
	return s;
}

static void release_new(struct new_record *r)
{
	for (size_t i = 0; i < r->n_deps; i++)
		free(r->deps[i]);
	free(r->deps);
	free(r->digests);
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
	forget_tables(s);
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

static enum verdict judge_path(struct xb_state *s, uint32_t id)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const struct disk_path *p = &s->paths[id];
	const char *name = s->strings + p->name;
	struct xb_file_state state;
	bool fresh;

	if (s->path_verdicts[id] != UNKNOWN)
		return (enum verdict)s->path_verdicts[id];
	if (xb_digest_is_zero(&p->digest))
		fresh = !xb_shadows_exists(s->shadows, name);
	else
		fresh = xb_statcache_get(s->cache, name, &state, &ignored) == 0 &&
			xb_digest_eq(&state.digest, &p->digest);
	s->path_verdicts[id] = fresh ? FRESH : STALE;
	return (enum verdict)s->path_verdicts[id];
}

static bool judge_set(struct xb_state *s, uint32_t set)
{
	enum verdict verdict = FRESH;

	if (set == NO_SET)
		return true;
	if (s->set_verdicts[set] != UNKNOWN)
		return s->set_verdicts[set] == FRESH;
	for (uint32_t i = 0; verdict == FRESH && i < s->sets[set].len; i++)
		verdict = judge_path(s, s->ids[s->sets[set].first + i]);
	s->set_verdicts[set] = (uint8_t)verdict;
	return verdict == FRESH;
}

bool xb_state_is_fresh(struct xb_state *s, uint32_t index)
{
	return judge_set(s, s->records[index].present) && judge_set(s, s->records[index].absent);
}

void xb_state_keep(struct xb_state *s, uint32_t index, const struct xb_placed *placed)
{
	struct disk_record *r = &s->records[index];

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
	struct new_record r = {.output = xb_strdup(output), .record = *record};
	const size_t old = (size_t)(uintptr_t)xb_map_get_str(&s->fresh_by_output, output);

	xb_state_drop(s, output);
	s->changed = true;
	r.deps = xb_alloc(n_deps * sizeof(*r.deps));
	r.digests = xb_alloc(n_deps * sizeof(*r.digests));
	r.n_deps = n_deps;
	for (size_t i = 0; i < n_deps; i++) {
		struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
		struct xb_file_state state;

		r.deps[i] = xb_strdup(deps[i]);
		if (*deps[i] != '!' && xb_statcache_get(s->cache, deps[i], &state, &ignored) == 0)
			r.digests[i] = state.digest;
	}
	if (old) {
		release_new(&s->fresh.items[old - 1]);
		s->fresh.items[old - 1] = r;
		return;
	}
	XB_VEC_PUSH(&s->fresh, r);
	xb_map_put_str(&s->fresh_by_output, output, (void *)(uintptr_t)s->fresh.len);
}

struct xb_digest *xb_state_note(struct xb_state *s)
{
	return &s->note;
}

/* The tables of a new file. */
struct writer {
	struct xb_map paths; /* index + 1 in path_items */
	XB_VEC(struct disk_path) path_items;
	struct xb_map sets; /* raw ids -> index + 1 */
	XB_VEC(struct disk_set) set_items;
	XB_VEC(uint32_t) ids;
	XB_VEC(struct disk_record) records;
	struct xb_str strings;
};

static uint32_t add_string(struct writer *w, const char *text)
{
	const size_t at = w->strings.len;

	xb_str_append_n(&w->strings, text, strlen(text) + 1);
	return (uint32_t)at;
}

/* False when the path is known with another content: then one of the two records is out of date. */
static bool add_path(struct writer *w, const char *name, const struct xb_digest *digest, uint32_t *out_id)
{
	const size_t known = (size_t)(uintptr_t)xb_map_get_str(&w->paths, name);
	struct disk_path path = {.digest = *digest};

	if (known) {
		*out_id = (uint32_t)(known - 1);
		return xb_digest_eq(&w->path_items.items[known - 1].digest, digest);
	}
	path.name = add_string(w, name);
	XB_VEC_PUSH(&w->path_items, path);
	xb_map_put_str(&w->paths, name, (void *)(uintptr_t)w->path_items.len);
	*out_id = (uint32_t)(w->path_items.len - 1);
	return true;
}

static uint32_t add_set(struct writer *w, const uint32_t *ids, size_t n)
{
	const struct xb_sv raw = xb_sv_n((const char *)ids, n * sizeof(*ids));
	const struct disk_set set = {.first = (uint32_t)w->ids.len, .len = (uint32_t)n};
	size_t known;

	if (!n)
		return NO_SET;
	known = (size_t)(uintptr_t)xb_map_get(&w->sets, raw);
	if (known)
		return (uint32_t)(known - 1);
	for (size_t i = 0; i < n; i++)
		XB_VEC_PUSH(&w->ids, ids[i]);
	XB_VEC_PUSH(&w->set_items, set);
	xb_map_put(&w->sets, raw, (void *)(uintptr_t)w->set_items.len);
	return (uint32_t)(w->set_items.len - 1);
}

static void write_new(struct writer *w, const struct new_record *r)
{
	struct disk_record out = {.record = r->record};
	uint32_t *ids = xb_alloc(r->n_deps * sizeof(*ids)), *absent = xb_alloc(r->n_deps * sizeof(*ids));
	size_t n_ids = 0, n_absent = 0;
	bool sound = true;

	for (size_t i = 0; sound && i < r->n_deps; i++) {
		if (*r->deps[i] == '!')
			sound = add_path(w, r->deps[i] + 1, &(struct xb_digest){{0}}, &absent[n_absent++]);
		else
			sound = !xb_digest_is_zero(&r->digests[i]) &&
				add_path(w, r->deps[i], &r->digests[i], &ids[n_ids++]);
	}
	if (sound) {
		out.name = add_string(w, r->output);
		out.present = add_set(w, ids, n_ids);
		out.absent = add_set(w, absent, n_absent);
		XB_VEC_PUSH(&w->records, out);
	}
	free(ids);
	free(absent);
}

/* The ids of an old set in the new table; false when what this run saw contradicts it. */
static bool carry_set(struct writer *w, const struct xb_state *s, uint32_t set, uint32_t *out)
{
	const struct disk_set *old;
	bool sound = true;
	uint32_t *ids;

	*out = NO_SET;
	if (set == NO_SET)
		return true;
	old = &s->sets[set];
	ids = xb_alloc(old->len * sizeof(*ids));
	for (uint32_t i = 0; sound && i < old->len; i++) {
		const uint32_t id = s->ids[old->first + i];

		sound = s->path_verdicts[id] != STALE &&
			add_path(w, s->strings + s->paths[id].name, &s->paths[id].digest, &ids[i]);
	}
	if (sound)
		*out = add_set(w, ids, old->len);
	free(ids);
	return sound;
}

static void write_old(struct writer *w, const struct xb_state *s, uint32_t i)
{
	struct disk_record out = s->records[i];

	out.unused = s->asked[i] ? 0 : out.unused + 1;
	if (s->gone[i] || out.unused > MAX_UNUSED || !carry_set(w, s, s->records[i].present, &out.present) ||
	    !carry_set(w, s, s->records[i].absent, &out.absent))
		return;
	out.name = add_string(w, s->strings + s->records[i].name);
	XB_VEC_PUSH(&w->records, out);
}

static void compose(const struct xb_state *s, struct writer *w, struct xb_str *out)
{
	const size_t covered = offsetof(struct header, note);
	struct header header = {.magic = MAGIC, .note = s->note};
	struct xb_digest checksum;

	header.n_paths = (uint32_t)w->path_items.len;
	header.n_sets = (uint32_t)w->set_items.len;
	header.n_ids = (uint32_t)w->ids.len;
	header.n_records = (uint32_t)w->records.len;
	xb_str_append_n(out, &header, sizeof(header));
	xb_str_append_n(out, w->path_items.items, w->path_items.len * sizeof(*w->path_items.items));
	xb_str_append_n(out, w->set_items.items, w->set_items.len * sizeof(*w->set_items.items));
	xb_str_append_n(out, w->ids.items, w->ids.len * sizeof(*w->ids.items));
	xb_str_append_n(out, w->records.items, w->records.len * sizeof(*w->records.items));
	xb_str_append_sv(out, xb_str_sv(&w->strings));
	xb_digest_bytes(out->data + covered, out->len - covered, &checksum);
	memcpy(out->data + offsetof(struct header, checksum), checksum.bytes, XB_DIGEST_BYTES);
}

/* New records first: what they saw of a file is newer than what an old record says. */
int xb_state_save(struct xb_state *s, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct writer w = {0};
	int rc;

	if (!s->changed && xb_digest_eq(&s->note, &s->old_note))
		return 0;
	for (size_t i = 0; i < s->fresh.len; i++)
		write_new(&w, &s->fresh.items[i]);
	for (uint32_t i = 0; i < s->n_records; i++)
		write_old(&w, s, i);
	compose(s, &w, &text);
	rc = xb_atomic_file_write(s->file, text.data, text.len, 0644, 0, err);
	if (rc == 0) {
		s->changed = false;
		s->old_note = s->note;
	}
	xb_map_release(&w.paths);
	xb_map_release(&w.sets);
	XB_VEC_RELEASE(&w.path_items);
	XB_VEC_RELEASE(&w.set_items);
	XB_VEC_RELEASE(&w.ids);
	XB_VEC_RELEASE(&w.records);
	xb_str_release(&w.strings);
	return rc;
}
