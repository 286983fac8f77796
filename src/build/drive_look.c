/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `make -n install` says that it would do, read for places of this machine. It is the shell's language (POSIX.1-2017 XCU 2)
 * seen from far: words, quotes, what ends a command, redirections; nothing is expanded. What a script or a variable of
 * the shell decides is not seen, and what stands behind a test of DESTDIR is taken as meant for a build without it.
 */
#include <string.h>

#include "drive.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"

#define MAX_TOLD 5

/* The words so far of one simple command. */
struct looking {
	struct xb_arena *arena;
	const char *const *own; /* directories that it may write to, ends with NULL; the first is the staging tree */
	struct xb_dirs words;
	struct xb_str word;
	enum { WORD, WRITTEN, READ } next; /* what the word is: one of the command, or the file of a redirection */
	bool in_word;
	bool is_guarded; /* DESTDIR was asked for in this line */
	struct xb_dirs *out;
};

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++) {
		if (strcmp(text, *list) == 0)
			return true;
	}
	return false;
}

static void judge(struct looking *l, const char *path)
{
	static const char *const places[] = {"/etc", "/usr",  "/opt", "/var",	"/srv",
					     "/bin", "/sbin", "/lib", "/lib32", "/lib64"};
	bool is_place = false;

	for (size_t i = 0; i < XB_COUNT(places); i++)
		is_place = is_place || xb_path_is_below(xb_sv(path), xb_sv(places[i]));
	for (const char *const *own = l->own; *own; own++)
		is_place = is_place && !xb_path_is_below(xb_sv(path), xb_sv(*own));
	if (is_place && !l->is_guarded)
		xb_dirs_add_new(l->out, l->arena, path);
}

/* Where the command itself begins: behind keywords, assignments, what starts another one, and libtool. */
static size_t find_command(const struct xb_dirs *words)
{
	static const char *const before[] = {"if", "then", "else", "elif", "do",      "while", "until", "!",
					     "{",  "time", "exec", "env",  "command", "sudo",  "nice",	NULL};
	size_t at = 0;

	for (size_t i = 0; i < words->len; i++) {
		if (strcmp(words->items[i], "--mode=install") == 0)
			return i + 1;
	}
	while (at < words->len &&
	       (is_one_of(words->items[at], before) || (*words->items[at] != '/' && strchr(words->items[at], '='))))
		at++;
	return at;
}

/* "-d" of install, alone or among others; "-t DIR" of all. */
static bool has_option(const char *word, char letter)
{
	return word[0] == '-' && word[1] != '-' && strchr(word, letter);
}

static void judge_words(struct looking *l, size_t at, bool all)
{
	static const char target[] = "--target-directory=";
	const char *last = NULL;
	size_t n = 0;

	for (size_t i = at; i < l->words.len; i++) {
		const char *word = l->words.items[i];

		if (strncmp(word, target, sizeof(target) - 1) == 0) {
			judge(l, word + sizeof(target) - 1);
			return;
		}
		if (!all && strcmp(word, "-t") == 0 && i + 1 < l->words.len) {
			judge(l, l->words.items[i + 1]);
			return;
		}
		if (*word == '-')
			continue;
		if (all)
			judge(l, word);
		last = word;
		n++;
	}
	if (!all && n > 1)
		judge(l, last);
}

/* A test of the staging tree: what follows in the line is for installing without one, as far as one can tell. */
static bool tests_stage(const struct looking *l, size_t at)
{
	for (size_t i = at; i < l->words.len; i++) {
		const char *word = l->words.items[i];

		if (strcmp(word + (*word == 'x'), l->own[0]) == 0)
			return true;
	}
	return false;
}

static void end_word(struct looking *l)
{
	const char *word;

	if (!l->in_word)
		return;
	word = xb_arena_sv(l->arena, xb_str_sv(&l->word));
	xb_str_reset(&l->word);
	l->in_word = false;
	if (l->next == WRITTEN)
		judge(l, word);
	else if (l->next == WORD)
		xb_dirs_add(&l->words, l->arena, word);
	l->next = WORD;
}

static void end_command(struct looking *l)
{
	static const char *const to_last[] = {"install", "ginstall", "install-sh", "cp", "mv", "ln", NULL};
	static const char *const to_all[] = {"mkdir", "rmdir", "rm",	"touch",	 "tee",
					     "chmod", "chown", "chgrp", "mkinstalldirs", NULL};
	size_t at;

	end_word(l);
	at = find_command(&l->words);
	if (at < l->words.len) {
		const char *name = xb_output_file_name(l->words.items[at]);
		bool all = is_one_of(name, to_all);

		for (size_t i = at + 1; i < l->words.len; i++)
			all = all || (strstr(name, "install") && has_option(l->words.items[i], 'd'));
		if (strcmp(name, "test") == 0 || strcmp(name, "[") == 0)
			l->is_guarded = l->is_guarded || tests_stage(l, at + 1);
		else if (all || is_one_of(name, to_last))
			judge_words(l, at + 1, all);
	}
	l->words.len = 0;
	l->next = WORD;
}

/* Up to the quote that ends it; the position of that, or of the end. */
static size_t take_quoted(struct looking *l, struct xb_sv text, size_t at)
{
	const char quote = text.ptr[at++];

	l->in_word = true;
	for (; at < text.len && text.ptr[at] != quote; at++) {
		if (quote == '"' && text.ptr[at] == '\\' && at + 1 < text.len)
			at++;
		xb_str_append_char(&l->word, text.ptr[at]);
	}
	return at;
}

/* The number of a descriptor may stand before it; ">&2" names another one. */
static size_t take_redirection(struct looking *l, char c, char next, size_t at)
{
	const char *word = xb_str_get(&l->word);

	if (l->in_word && strspn(word, "0123456789") == strlen(word)) {
		xb_str_reset(&l->word);
		l->in_word = false;
	}
	end_word(l);
	l->next = c == '<' || next == '&' ? READ : WRITTEN;
	return next == c || next == '|' || next == '&' ? at + 1 : at;
}

/* One character outside of quotes, with what belongs to it; the position of its last one. */
static size_t take(struct looking *l, struct xb_sv text, size_t at)
{
	const char c = text.ptr[at], next = at + 1 < text.len ? text.ptr[at + 1] : 0;

	if (c == '\'' || c == '"')
		return take_quoted(l, text, at);
	if (c == '\\' && next) {
		if (next != '\n') {
			xb_str_append_char(&l->word, next);
			l->in_word = true;
		}
		return at + 1;
	}
	if (c == ' ' || c == '\t') {
		end_word(l);
	} else if (c == '>' || c == '<') {
		return take_redirection(l, c, next, at);
	} else if (c == '#' && !l->in_word) {
		const char *end = memchr(text.ptr + at, '\n', text.len - at);

		return end ? (size_t)(end - text.ptr) - 1 : text.len;
	} else if (strchr(";&|()`\n", c)) {
		end_command(l);
		l->is_guarded = l->is_guarded && c != '\n';
	} else {
		xb_str_append_char(&l->word, c);
		l->in_word = true;
	}
	return at;
}

void drive_look(struct xb_sv text, const char *const *own, struct xb_arena *arena, struct xb_dirs *out)
{
	struct looking l = {.arena = arena, .own = own, .out = out};

	for (size_t at = 0; at < text.len; at++)
		at = take(&l, text, at);
	end_command(&l);
	xb_str_release(&l.word);
}

void drive_warn_places(struct run *r, struct xb_sv commands)
{
	const char *const own[] = {r->drive.stage_dir, r->drive.project_dir, NULL};
	struct xb_str names XB_CLEANUP(xb_str_release) = {0};
	struct xb_dirs found = {0};

	drive_look(commands, own, &r->arena, &found);
	if (!found.len)
		return;
	for (size_t i = 0; i < found.len && i < MAX_TOLD; i++)
		xb_str_printf(&names, "%s'%s'", i ? ", " : "", found.items[i]);
	if (found.len > MAX_TOLD)
		xb_str_printf(&names, " and %zu more", found.len - MAX_TOLD);
	xb_str_printf(r->shown,
		      "warning: unit '%s' (%s): installing it writes to this machine: %s\n"
		      "hint: what it installs belongs below $(DESTDIR); xbuild saw it in what 'make -n' says\n",
		      r->spec->unit->name, r->drive.cross.target->name, xb_str_get(&names));
}
