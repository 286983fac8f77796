/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML maps to structs by tables: a key, where its value goes, who reads it. Private to model/.
 *
 * Guarantee: an unknown key, a value of the wrong kind and a value that breaks its rule become one diag each, at their
 *            place, and reading goes on: all problems of a file are found in one run. A field whose value was refused
 *            keeps what it held, so a default stays in place and gives no second problem. Nothing is said about a node
 *            that sys/yaml refused, nor that a key is missing where one was refused.
 * Sequence:  fill a struct with its defaults; schema_read() it; then look at diags.
 * Lists:     of words are `struct xb_words` (with places) for the project and `struct xb_list` for data files.
 */
#ifndef XB_MODEL_SCHEMA_H
#define XB_MODEL_SCHEMA_H

#include "xbuild/base/arena.h"
#include "xbuild/base/diag.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/project.h"
#include "xbuild/sys/yaml.h"

struct xb_map;

struct schema {
	struct xb_arena *arena; /* of the document */
	struct xb_diags *diags;
	struct xb_sv source;
	struct xb_project *project; /* being loaded; NULL for data files */
	size_t n_before;	    /* problems that diags held before */
	const char *key;	    /* whose value is being read, for messages */
};

typedef void schema_fn(struct schema *s, const struct xb_yaml *node, void *field, const void *arg);

struct schema_key {
	const char *name;
	schema_fn *read;
	size_t offset;	 /* of the field in the struct of the group */
	const void *arg; /* for read: a rule, a table of words, ... */
	bool required;
};

/* Keys that fill one struct. A map may be read into several at once: a target has settings beside its own keys. */
struct schema_group {
	const struct schema_key *keys;
	size_t len;
	void *base;
};

#define SCHEMA_GROUP(table, object)                                                                                    \
	{                                                                                                              \
		(table), XB_COUNT(table), (object)                                                                     \
	}

/* What a text must be. Every text is at least one character long unless may_be_empty is set. */
struct text_rule {
	bool (*check)(struct xb_sv text); /* NULL: anything */
	const char *expected;		  /* "a name of lower-case letters ..." for the message */
	const char *help;		  /* or NULL */
	bool may_be_empty;
	bool may_have_lines; /* newlines and tabs */
};

/* A word of an enumeration and its value. Tables end with an entry without a name. */
struct enum_word {
	const char *name;
	int value;
};

/* Adds a problem at `at`. */
struct xb_diag *schema_problem(struct schema *s, struct xb_place at, const char *fmt, ...) XB_PRINTF(3, 4);
/* The same with a help line (which may be NULL). */
void schema_refuse(struct schema *s, struct xb_place at, const char *help, const char *fmt, ...) XB_PRINTF(4, 5);
/* "did you mean 'x'?" when a candidate is close, else the list of all of them. `candidates` ends with NULL. */
void schema_suggest(struct schema *s, struct xb_diag *diag, struct xb_sv word, const char *const *candidates);

bool schema_is_empty(const struct xb_yaml *node);				      /* a plain "" as in "key:" */
bool schema_want_map(struct schema *s, const struct xb_yaml *node, const char *what); /* an empty value passes */
bool schema_want_list(struct schema *s, const struct xb_yaml *node, const char *what);
/* True when the node is a text that obeys the rule; else a problem is added. */
bool schema_want_text(struct schema *s, const struct xb_yaml *node, const struct text_rule *rule, const char *what);

/* Reads a map; groups are read in the order of their tables, so a table's order says what comes before what. */
void schema_read(struct schema *s, const struct xb_yaml *map, const struct schema_group *groups, size_t n_groups,
		 const char *what);
/* True when problems were added since the schema was set up. */
bool schema_failed(const struct schema *s);
/* A copy in the arena of `len` items of `size`. */
void *schema_keep(struct schema *s, const void *items, size_t len, size_t size);

/* Readers. The comment names the field's type and what arg is. */
schema_fn schema_text;	   /* const char *; struct text_rule, or NULL for any text */
schema_fn schema_bool;	   /* bool; - */
schema_fn schema_enum;	   /* int-sized enum; struct enum_word table */
schema_fn schema_words;	   /* struct xb_words; struct text_rule, or NULL */
schema_fn schema_word_set; /* the same, and no word twice */
schema_fn schema_list;	   /* struct xb_list; struct text_rule, or NULL */
schema_fn schema_pairs;	   /* struct xb_pairs; struct pair_rule */

struct pair_rule {
	const struct text_rule *name, *value;
	bool may_substitute; /* ${...} is checked in the values */
};

/* Checks the names of ${...} in a text of the project. */
void schema_check_subst(struct schema *s, const struct xb_yaml *node);

#endif
