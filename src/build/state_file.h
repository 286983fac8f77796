/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to src/build/state: what is in memory of a state file, shared by state.c (asking and telling) and state_file.c
 * (reading and writing the file). The file is the header, then the tables, then the strings, in the byte order of the
 * machine, which it does not leave.
 */
#ifndef XBUILD_BUILD_STATE_FILE_H
#define XBUILD_BUILD_STATE_FILE_H

#include "xbuild/base/map.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/state.h"

#define STATE_NO_SET UINT32_MAX

struct state_path {
	struct xb_digest digest; /* zero: has to be absent */
	uint32_t name;		 /* offset in the strings */
	uint32_t executable;	 /* 0 or 1 */
};

struct state_set {
	uint32_t first, len; /* in the ids */
};

struct state_record {
	struct xb_state_record record;
	uint32_t name, present, absent; /* string, two sets or STATE_NO_SET */
	uint32_t unused;
};

enum state_verdict { STATE_UNKNOWN, STATE_FRESH, STATE_STALE };

struct state_new {
	char *output;
	struct xb_state_record record;
	char **deps;
	size_t n_deps;
	struct state_path *files; /* of deps, without the names; a digest of zero for "!" */
};

struct xb_state {
	char *file;
	struct xb_statcache *cache;
	struct xb_shadows *shadows;
	struct xb_digest generation; /* of the store's generation */
	bool changed;
	struct xb_digest note, old_note;

	struct xb_digest checksum; /* of what was read; zero when nothing was */
	struct xb_str text;	   /* the file; the tables point into copies of it, the names into it */
	struct state_path *paths;
	struct state_set *sets;
	uint32_t *ids;
	struct state_record *records;
	uint32_t n_paths, n_sets, n_ids, n_records;
	const char *strings;
	size_t n_strings;

	uint8_t *path_verdicts, *set_verdicts;
	bool *gone, *asked; /* records: replaced or dropped; seen in this run */
	uint32_t cursor;
	struct xb_map by_output; /* index + 1; filled when the order of asking differs from the file's */
	bool indexed;
	XB_VEC(struct state_new) fresh;
	struct xb_map fresh_by_output; /* index + 1 in fresh */
};

/* Fills the tables from s->file; a file that is missing or not sound leaves them empty. */
void state_load(struct xb_state *s);
void state_forget_tables(struct xb_state *s);
/* Appends the new file: what this run put, and what it kept. */
void state_encode(const struct xb_state *s, struct xb_str *out);

#endif
