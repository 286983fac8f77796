/* SPDX-License-Identifier: Apache-2.0 */
#include "state_file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/fs.h"

#define MAGIC		"xbstate3" /* the last character is the number of the format */
#define MAX_STATE_BYTES (1 * XB_GIB)
#define MAX_UNUSED	64 /* saves that a record survives without being asked for */

struct header {
	char magic[8];
	uint8_t checksum[XB_DIGEST_BYTES]; /* of all that follows */
	struct xb_digest generation, note;
	uint32_t n_paths, n_sets, n_ids, n_records;
};

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
		const struct state_record *r = &s->records[i];

		if (r->name >= s->n_strings || (r->present != STATE_NO_SET && r->present >= s->n_sets) ||
		    (r->absent != STATE_NO_SET && r->absent >= s->n_sets))
			return false;
	}
	return true;
}

void state_forget_tables(struct xb_state *s)
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

void state_load(struct xb_state *s)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const size_t covered = offsetof(struct header, generation);
	struct header header;
	struct xb_digest checksum;
	struct xb_sv rest;
	uint64_t need;

	if (xb_fs_read(s->file, MAX_STATE_BYTES, &s->text, &ignored) < 0 || s->text.len < sizeof(header))
		return;
	memcpy(&header, s->text.data, sizeof(header));
	xb_digest_bytes(s->text.data + covered, s->text.len - covered, &checksum);
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0 ||
	    memcmp(header.checksum, checksum.bytes, XB_DIGEST_BYTES) != 0 ||
	    !xb_digest_eq(&header.generation, &s->generation))
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
		state_forget_tables(s);
		return;
	}
	s->note = s->old_note = header.note;
	s->checksum = checksum;
}

/* The tables of a new file. */
struct writer {
	struct xb_map paths; /* index + 1 in path_items */
	XB_VEC(struct state_path) path_items;
	struct xb_map sets; /* raw ids -> index + 1 */
	XB_VEC(struct state_set) set_items;
	XB_VEC(uint32_t) ids;
	XB_VEC(struct state_record) records;
	struct xb_str strings;
};

static void writer_release(struct writer *w)
{
	xb_map_release(&w->paths);
	xb_map_release(&w->sets);
	XB_VEC_RELEASE(&w->path_items);
	XB_VEC_RELEASE(&w->set_items);
	XB_VEC_RELEASE(&w->ids);
	XB_VEC_RELEASE(&w->records);
	xb_str_release(&w->strings);
}

static uint32_t add_string(struct writer *w, const char *text)
{
	const size_t at = w->strings.len;

	xb_str_append_n(&w->strings, text, strlen(text) + 1);
	return (uint32_t)at;
}

/* False when the path is known with another content or mode: then one of the two records is out of date. */
static bool add_path(struct writer *w, const char *name, const struct state_path *file, uint32_t *out_id)
{
	const size_t known = (size_t)(uintptr_t)xb_map_get_str(&w->paths, name);
	struct state_path path = *file;

	if (known) {
		const struct state_path *other = &w->path_items.items[known - 1];

		*out_id = (uint32_t)(known - 1);
		return xb_digest_eq(&other->digest, &file->digest) && other->executable == file->executable;
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
	const struct state_set set = {.first = (uint32_t)w->ids.len, .len = (uint32_t)n};
	size_t known;

	if (!n)
		return STATE_NO_SET;
	known = (size_t)(uintptr_t)xb_map_get(&w->sets, raw);
	if (known)
		return (uint32_t)(known - 1);
	for (size_t i = 0; i < n; i++)
		XB_VEC_PUSH(&w->ids, ids[i]);
	XB_VEC_PUSH(&w->set_items, set);
	xb_map_put(&w->sets, raw, (void *)(uintptr_t)w->set_items.len);
	return (uint32_t)(w->set_items.len - 1);
}

static void write_new(struct writer *w, const struct state_new *r)
{
	struct state_record out = {.record = r->record};
	uint32_t *ids = xb_alloc(r->n_deps * sizeof(*ids)), *absent = xb_alloc(r->n_deps * sizeof(*ids));
	size_t n_ids = 0, n_absent = 0;
	bool sound = true;

	for (size_t i = 0; sound && i < r->n_deps; i++) {
		if (*r->deps[i] == '!')
			sound = add_path(w, r->deps[i] + 1, &(struct state_path){0}, &absent[n_absent++]);
		else
			sound = !xb_digest_is_zero(&r->files[i].digest) &&
				add_path(w, r->deps[i], &r->files[i], &ids[n_ids++]);
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
	const struct state_set *old;
	bool sound = true;
	uint32_t *ids;

	*out = STATE_NO_SET;
	if (set == STATE_NO_SET)
		return true;
	old = &s->sets[set];
	ids = xb_alloc(old->len * sizeof(*ids));
	for (uint32_t i = 0; sound && i < old->len; i++) {
		const uint32_t id = s->ids[old->first + i];

		sound = s->path_verdicts[id] != STATE_STALE &&
			add_path(w, s->strings + s->paths[id].name, &s->paths[id], &ids[i]);
	}
	if (sound)
		*out = add_set(w, ids, old->len);
	free(ids);
	return sound;
}

static void write_old(struct writer *w, const struct xb_state *s, uint32_t i)
{
	struct state_record out = s->records[i];

	out.unused = s->asked[i] ? 0 : out.unused + 1;
	if (s->gone[i] || out.unused > MAX_UNUSED || !carry_set(w, s, s->records[i].present, &out.present) ||
	    !carry_set(w, s, s->records[i].absent, &out.absent))
		return;
	out.name = add_string(w, s->strings + s->records[i].name);
	XB_VEC_PUSH(&w->records, out);
}

static void compose(const struct xb_state *s, struct writer *w, struct xb_str *out)
{
	const size_t covered = offsetof(struct header, generation);
	struct header header = {.magic = MAGIC, .generation = s->generation, .note = s->note};
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
void state_encode(const struct xb_state *s, struct xb_str *out)
{
	struct writer w XB_CLEANUP(writer_release) = {0};

	for (size_t i = 0; i < s->fresh.len; i++)
		write_new(&w, &s->fresh.items[i]);
	for (uint32_t i = 0; i < s->n_records; i++)
		write_old(&w, s, i);
	compose(s, &w, out);
}
