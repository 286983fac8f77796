/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/scan.h"

#include <string.h>
#include <strings.h>

#include "xbuild/base/arena.h"

/* A directive is one in any case. NULL: none follows. */
static const char *find_directive(const char *at, const char *end, const char *directive, size_t n)
{
	while (at && (at = memchr(at, '.', (size_t)(end - at)))) {
		if ((size_t)(end - at) >= n && strncasecmp(at, directive, n) == 0)
			return at;
		at++;
	}
	return NULL;
}

static bool is_of_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '$';
}

bool xb_scan_assembler(struct xb_sv text, const char *directive, struct xb_arena *arena, struct xb_dirs *out)
{
	const char *at = text.ptr, *end = text.ptr + text.len;
	const size_t n = strlen(directive);
	bool told = true;

	while ((at = find_directive(at, end, directive, n))) {
		const char *start = at += n, *stop;

		if (at < end && is_of_word(*at))
			continue; /* a longer word */
		while (start < end && (*start == ' ' || *start == '\t'))
			start++;
		if (start < end && *start == '\\')
			start++;
		if (start == end || *start != '"') {
			told = false;
			continue;
		}
		stop = ++start;
		while (stop < end && *stop != '"' && *stop != '\\' && *stop != '\n')
			stop++;
		if (stop == start || stop == end || *stop == '\n')
			told = false;
		else
			xb_dirs_add(out, arena, xb_arena_sv(arena, xb_sv_n(start, (size_t)(stop - start))));
	}
	return told;
}

static struct xb_sv skip_blanks(struct xb_sv text)
{
	while (text.len && (*text.ptr == ' ' || *text.ptr == '\t')) {
		text.ptr++;
		text.len--;
	}
	return text;
}

/* The line at text, with those that a backslash at its end joins to it; the view goes on behind it. */
static struct xb_sv cut_logical_line(struct xb_sv *text)
{
	const char *start = text->ptr, *end = start + text->len, *at = start;

	while ((at = memchr(at, '\n', (size_t)(end - at))) && at > start &&
	       (at[-1] == '\\' || (at[-1] == '\r' && at - 1 > start && at[-2] == '\\')))
		at++;
	at = at ? at : end;
	*text = xb_sv_n(at + (at < end), (size_t)(end - at) - (at < end));
	return xb_sv_n(start, (size_t)(at - start));
}

static bool is_condition(struct xb_sv line)
{
	line = skip_blanks(line);
	if (!line.len || *line.ptr != '#')
		return false;
	line = skip_blanks(xb_sv_n(line.ptr + 1, line.len - 1));
	return xb_sv_starts(line, "if") || xb_sv_starts(line, "elif");
}

/* Does `text`, which ends before a "(", end with one of the operators? */
static bool ends_with_operator(struct xb_sv text)
{
	static const char *const operators[] = {"__has_include", "__has_include_next", "__has_embed"};

	while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		const size_t n = strlen(operators[i]);

		if (text.len >= n && !memcmp(text.ptr + text.len - n, operators[i], n))
			return true;
	}
	return false;
}

/* One condition: the name right behind each "(". */
static bool scan_condition(struct xb_sv line, struct xb_arena *arena, struct xb_dirs *out)
{
	const char *const end = line.ptr + line.len;
	bool told = true;

	for (const char *at = line.ptr; (at = memchr(at, '(', (size_t)(end - at)));) {
		const struct xb_sv before = xb_sv_n(line.ptr, (size_t)(at - line.ptr));

		at++;
		const struct xb_sv name = skip_blanks(xb_sv_n(at, (size_t)(end - at)));
		const char close = name.len && *name.ptr == '<' ? '>' : '"';
		const char *stop = NULL;

		if (name.len > 1 && (*name.ptr == '<' || *name.ptr == '"'))
			stop = memchr(name.ptr + 1, close, name.len - 1);
		if (stop && stop > name.ptr + 1 && name.ptr[1] != '/')
			xb_dirs_add_new(out, arena,
					xb_arena_sv(arena, xb_sv_n(name.ptr + 1, (size_t)(stop - name.ptr) - 1)));
		else if (!stop && ends_with_operator(before))
			told = false;
	}
	return told;
}

bool xb_scan_conditions(struct xb_sv text, struct xb_arena *arena, struct xb_dirs *out)
{
	bool told = true;

	while (text.len) {
		const struct xb_sv line = cut_logical_line(&text);

		if (is_condition(line) && !scan_condition(line, arena, out))
			told = false;
	}
	return told;
}

static bool is_word_end(char c)
{
	return strchr(" \t\r\n(),{};=\"", c) != NULL;
}

/* Comments are C's. */
static size_t skip_comment(struct xb_sv text, size_t at)
{
	const char *end = at + 1 < text.len && text.ptr[at] == '/' && text.ptr[at + 1] == '*'
				  ? memmem(text.ptr + at + 2, text.len - at - 2, "*/", 2)
				  : NULL;

	return end ? (size_t)(end - text.ptr) + 2 : at;
}

void xb_scan_link_script(struct xb_sv text, struct xb_arena *arena, struct xb_dirs *out)
{
	size_t at = 0;

	while (at < text.len) {
		const size_t behind = skip_comment(text, at);
		struct xb_sv word = xb_sv_n(text.ptr + behind, 0);

		at = behind;
		while (at < text.len && text.ptr[at] && !is_word_end(text.ptr[at])) {
			at++;
			word.len++;
		}
		if (!word.len) {
			at += at == behind;
			continue;
		}
		if (*word.ptr != '/' && (xb_sv_starts(word, "-l") || memchr(word.ptr, '.', word.len)))
			xb_dirs_add_new(out, arena, xb_arena_sv(arena, word));
	}
}
