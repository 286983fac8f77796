/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/apko.h"

#include <stdlib.h>
#include <string.h>

#include "apko_read.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

#define MAX_INCLUDES 16

void xb_apko_free(struct xb_apko *apko)
{
	if (!apko)
		return;
	xb_arena_release(&apko->arena);
	free(apko);
}

/* GOARCH, then apk's name, then other spellings (apko, pkg/build/types/types.go "ParseArchitecture"). */
static const struct {
	const char *go, *apk, *other;
} archs[] = {
	{"amd64", "x86_64", NULL},    {"arm64", "aarch64", NULL},   {"386", "x86", NULL},
	{"arm/v6", "armhf", NULL},    {"arm/v7", "armv7", NULL},    {"loong64", "loongarch64", NULL},
	{"ppc64le", "ppc64le", NULL}, {"riscv64", "riscv64", NULL}, {"s390x", "s390x", NULL},
};

const char *xb_apko_arch(struct xb_sv name)
{
	for (size_t i = 0; i < XB_COUNT(archs); i++) {
		if (xb_sv_eq_str(name, archs[i].go) || xb_sv_eq_str(name, archs[i].apk))
			return archs[i].go;
	}
	return NULL;
}

const char *xb_apko_apk_arch(struct xb_sv name)
{
	for (size_t i = 0; i < XB_COUNT(archs); i++) {
		if (xb_sv_eq_str(name, archs[i].go) || xb_sv_eq_str(name, archs[i].apk))
			return archs[i].apk;
	}
	return NULL;
}

const char *xb_apko_url(const char *repository, struct xb_sv *out_tag)
{
	const char *end = repository[0] == '@' ? strchr(repository, ' ') : NULL;

	*out_tag = end ? xb_sv_n(repository + 1, (size_t)(end - repository - 1)) : xb_sv("");
	return end ? end + 1 : repository;
}

const char *xb_apko_strip(const char *url)
{
	static const char *const schemes[] = {"https://", "http://"};
	struct xb_sv tag;

	url = xb_apko_url(url, &tag);
	for (size_t i = 0; i < XB_COUNT(schemes); i++) {
		if (xb_sv_starts(xb_sv(url), schemes[i]))
			return url + strlen(schemes[i]);
	}
	return url;
}

/* The state of the lexer between two characters. */
struct lexer {
	enum { AT_START, IN_WORD, IN_SINGLE, IN_DOUBLE, IN_COMMENT } state;
	bool escaped;
	struct xb_str word;
	XB_VEC(const char *) words;
	struct xb_arena *arena;
};

static void end_word(struct lexer *l)
{
	XB_VEC_PUSH(&l->words, xb_arena_sv(l->arena, xb_str_sv(&l->word)));
	xb_str_reset(&l->word);
	l->state = AT_START;
}

static void take_plain(struct lexer *l, char c)
{
	if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
		if (l->state == IN_WORD)
			end_word(l);
		return;
	}
	if (c == '#' && l->state == AT_START) {
		l->state = IN_COMMENT;
		return;
	}
	l->state = c == '\'' ? IN_SINGLE : c == '"' ? IN_DOUBLE : IN_WORD;
	if (c == '\\')
		l->escaped = true;
	else if (l->state == IN_WORD)
		xb_str_append_char(&l->word, c);
}

static void take(struct lexer *l, char c)
{
	if (l->escaped) {
		xb_str_append_char(&l->word, c);
		l->escaped = false;
	} else if (l->state == IN_COMMENT) {
		if (c == '\n')
			l->state = AT_START;
	} else if (l->state == IN_SINGLE || l->state == IN_DOUBLE) {
		if (c == (l->state == IN_SINGLE ? '\'' : '"'))
			l->state = IN_WORD;
		else if (c == '\\' && l->state == IN_DOUBLE)
			l->escaped = true;
		else
			xb_str_append_char(&l->word, c);
	} else {
		take_plain(l, c);
	}
}

bool apko_split(struct xb_arena *arena, struct xb_sv text, struct xb_words *out)
{
	struct lexer l = {.arena = arena};
	bool is_whole;

	for (size_t i = 0; i < text.len; i++)
		take(&l, text.ptr[i]);
	is_whole = !l.escaped && l.state != IN_SINGLE && l.state != IN_DOUBLE;
	if (l.state == IN_WORD)
		end_word(&l);
	*out = (struct xb_words){.len = l.words.len, .items = xb_arena_array(arena, l.words.len, sizeof(*out->items))};
	if (l.words.len)
		memcpy(out->items, l.words.items, l.words.len * sizeof(*out->items));
	XB_VEC_RELEASE(&l.words);
	xb_str_release(&l.word);
	return is_whole;
}

/* Copies of two lists one after the other; a place is only known where both lists have them. */
static void *joined(struct xb_arena *arena, const void *a, size_t n_a, const void *b, size_t n_b, size_t size)
{
	char *all = xb_arena_array(arena, n_a + n_b, size);

	if (n_a)
		memcpy(all, a, n_a * size);
	if (n_b)
		memcpy(all + n_a * size, b, n_b * size);
	return all;
}

static void join_words(struct xb_arena *arena, const struct xb_words *first, struct xb_words *words)
{
	words->items = joined(arena, first->items, first->len, words->items, words->len, sizeof(*words->items));
	words->at = joined(arena, first->at, first->len, words->at, words->len, sizeof(*words->at));
	words->len += first->len;
}

static void join_texts(struct xb_arena *arena, const struct xb_apko_texts *first, struct xb_apko_texts *texts)
{
	texts->items = joined(arena, first->items, first->len, texts->items, texts->len, sizeof(*texts->items));
	texts->len += first->len;
}

/* Adds the pairs of names that are not there. */
static void join_pairs(struct xb_arena *arena, const struct xb_pairs *more, struct xb_pairs *pairs)
{
	struct xb_pairs all = {
		.names = joined(arena, pairs->names, pairs->len, more->names, more->len, sizeof(*all.names)),
		.values = joined(arena, pairs->values, pairs->len, more->values, more->len, sizeof(*all.values)),
		.at = joined(arena, pairs->at, pairs->len, more->at, more->len, sizeof(*all.at)),
		.len = pairs->len,
	};

	for (size_t i = 0; i < more->len; i++) {
		size_t k = 0;

		while (k < pairs->len && strcmp(pairs->names[k], more->names[i]) != 0)
			k++;
		if (k < pairs->len)
			continue;
		all.names[all.len] = more->names[i];
		all.values[all.len] = more->values[i];
		all.at[all.len++] = more->at[i];
	}
	*pairs = all;
}

static void merge_contents(struct xb_arena *arena, const struct xb_apko *from, struct xb_apko *to)
{
	join_words(arena, &from->build_repositories, &to->build_repositories);
	join_words(arena, &from->runtime_repositories, &to->runtime_repositories);
	join_words(arena, &from->repositories, &to->repositories);
	join_words(arena, &from->keyring, &to->keyring);
	join_words(arena, &from->packages, &to->packages);
	join_texts(arena, &from->runtime_keyring, &to->runtime_keyring);
}

static void take_if_missing(const char **to, const char *from)
{
	if (!*to)
		*to = from;
}

/* apko, pkg/build/types/image_configuration.go "MergeInto": vcs-url is the file's own. */
static void merge(struct xb_arena *arena, const struct xb_apko *from, struct xb_apko *to)
{
	if (!to->command && !to->shell_fragment) {
		to->command = from->command;
		to->shell_fragment = from->shell_fragment;
	}
	take_if_missing(&to->cmd_text, from->cmd_text);
	take_if_missing(&to->stop_signal, from->stop_signal);
	take_if_missing(&to->workdir, from->workdir);
	take_if_missing(&to->format, from->format);
	take_if_missing(&to->run_as, from->run_as);
	if (!to->has_layering) {
		to->has_layering = from->has_layering;
		to->layering_strategy = from->layering_strategy;
		to->layering_budget = from->layering_budget;
	}
	if (!to->has_certificates) {
		to->has_certificates = from->has_certificates;
		to->certificates = from->certificates;
		to->certificate_providers = from->certificate_providers;
	}
	if (!to->archs.len)
		to->archs = from->archs;
	to->users = joined(arena, from->users, from->n_users, to->users, to->n_users, sizeof(*to->users));
	to->n_users += from->n_users;
	to->groups = joined(arena, from->groups, from->n_groups, to->groups, to->n_groups, sizeof(*to->groups));
	to->n_groups += from->n_groups;
	to->paths = joined(arena, from->paths, from->n_paths, to->paths, to->n_paths, sizeof(*to->paths));
	to->n_paths += from->n_paths;
	join_pairs(arena, &from->environment, &to->environment);
	join_pairs(arena, &from->annotations, &to->annotations);
	join_words(arena, &from->volumes, &to->volumes);
	merge_contents(arena, from, to);
}

/* One file after the other: an include is read when the file that names it was. */
struct loader {
	const char *dir;
	struct xb_apko *apko; /* its arena holds everything */
	struct xb_diags *diags;
	struct xb_hasher hasher;
	const char *open[MAX_INCLUDES]; /* files that are being read */
	size_t n_open;
	size_t n_before;
};

static int load_file(struct loader *l, const char *path, struct xb_apko *into, struct xb_err *err);

static int load_include(struct loader *l, struct xb_apko *into, struct xb_err *err)
{
	struct xb_apko *part = xb_arena_alloc(&l->apko->arena, sizeof(*part));

	for (size_t i = 0; i < l->n_open; i++) {
		if (strcmp(l->open[i], into->include) == 0)
			return xb_fail(err, XB_E_INPUT, "read '%s': it includes itself", into->include);
	}
	if (l->n_open == MAX_INCLUDES)
		return xb_fail(err, XB_E_INPUT, "read '%s': more than %d files that include each other", into->include,
			       MAX_INCLUDES);
	if (load_file(l, into->include, part, err) < 0)
		return xb_wrap(err, "include in '%s'", l->open[l->n_open - 1]);
	merge(&l->apko->arena, part, into);
	return 0;
}

static int load_file(struct loader *l, const char *path, struct xb_apko *into, struct xb_err *err)
{
	char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(l->dir, path);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct schema s = {.arena = &l->apko->arena, .diags = l->diags, .n_before = l->n_before};
	struct xb_yaml *root = NULL;
	int r;

	if (xb_fs_read(full, XB_MAX_YAML_BYTES, &text, err) < 0)
		return err->code;
	xb_hasher_update(&l->hasher, text.data, text.len);
	path = xb_arena_strdup(s.arena, path);
	into->path = path;
	s.source = xb_sv_n(xb_arena_sv(s.arena, xb_str_sv(&text)), text.len);
	r = xb_yaml_parse(s.source, path, s.arena, &root, l->diags, err);
	if (root)
		apko_read(&s, root, into);
	if (r < 0 || !into->include)
		return r;
	l->open[l->n_open++] = path;
	r = load_include(l, into, err);
	l->n_open--;
	return r;
}

/* What only the merged configuration can say. */
static void finish(struct loader *l)
{
	struct xb_apko *apko = l->apko;
	struct schema s = {.arena = &apko->arena, .diags = l->diags};

	if (apko->shell_fragment) {
		static const char *const shell[] = {"/bin/sh", "-c"};

		apko->entrypoint =
			(struct xb_words){.items = xb_arena_array(&apko->arena, 3, sizeof(char *)), .len = 3};
		memcpy(apko->entrypoint.items, shell, sizeof(shell));
		apko->entrypoint.items[2] = apko->shell_fragment;
	} else if (apko->command) {
		(void)apko_split(&apko->arena, xb_sv(apko->command), &apko->entrypoint);
	}
	if (apko->cmd_text)
		(void)apko_split(&apko->arena, xb_sv(apko->cmd_text), &apko->cmd);
	for (size_t i = 0; i < apko->runtime_keyring.len; i++) {
		const struct xb_apko_text *key = &apko->runtime_keyring.items[i];

		for (size_t k = 0; k < i && key->name; k++) {
			const char *before = apko->runtime_keyring.items[k].name;

			if (before && strcmp(before, key->name) == 0)
				schema_problem(&s, key->at, "runtime_keyring: '%s' is there twice", key->name);
		}
	}
}

static void release(struct xb_apko **apko)
{
	xb_apko_free(*apko);
}

int xb_apko_load(const char *dir, const char *path, struct xb_apko **out, struct xb_diags *diags, struct xb_err *err)
{
	struct xb_apko *apko XB_CLEANUP(release) = xb_alloc(sizeof(*apko));
	struct loader l = {.dir = dir, .apko = apko, .diags = diags, .n_before = diags->list.len + diags->dropped};

	xb_hasher_init(&l.hasher);
	if (load_file(&l, path, apko, err) < 0) {
		xb_hasher_release(&l.hasher);
		return err->code;
	}
	xb_hasher_final(&l.hasher, &apko->digest);
	finish(&l);
	if (diags->list.len + diags->dropped > l.n_before)
		return xb_fail(err, XB_E_INPUT, "'%s' is not valid", path);
	*out = apko;
	apko = NULL;
	return 0;
}
