/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/missing.h"

#include <stdio.h>
#include <string.h>

#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"

#define MAX_MODULES 32 /* of one search */
#define MAX_HEADERS 64 /* that configure has not found */

struct scan {
	struct xb_arena *arena;
	struct xb_missing_list *out;
	struct xb_missing last;		  /* the last check of configure that came out "no"; name NULL: none */
	const char *headers[MAX_HEADERS]; /* all that came out "no", as far as they fit */
	bool is_named[MAX_HEADERS];	  /* since the last check */
	size_t n_headers;
	/* those that CMake's last search for modules has not found, as far as they fit */
	struct xb_missing modules[MAX_MODULES];
	size_t n_modules;
	bool in_list;	    /* CMake's list of modules has begun */
	bool finds_library; /* the last error of CMake is one of find_library() */
};

/* Where `needle` is in text; ptr NULL: nowhere. */
static struct xb_sv find(struct xb_sv text, const char *needle)
{
	const size_t n = strlen(needle);

	for (size_t i = 0; i + n <= text.len; i++)
		if (text.ptr[i] == *needle && memcmp(text.ptr + i, needle, n) == 0)
			return xb_sv_n(text.ptr + i, text.len - i);
	return (struct xb_sv){0};
}

/* What stands behind `needle`, up to one of `ends` or the end of the line; ptr NULL: it is not there. */
static struct xb_sv behind(struct xb_sv line, const char *needle, const char *ends)
{
	struct xb_sv at = find(line, needle);
	size_t n = 0;

	if (!at.ptr)
		return at;
	at = xb_sv_n(at.ptr + strlen(needle), at.len - strlen(needle));
	while (n < at.len && !strchr(ends, at.ptr[n]))
		n++;
	return xb_sv_n(at.ptr, n);
}

static bool is_name(struct xb_sv name)
{
	if (!xb_path_is_safe(name) || name.len > XB_MAX_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || strchr("'\"`$\\*", name.ptr[i]))
			return false;
	return true;
}

/* "src/a.c:3:10: fatal error" or "meson.build:5:0: ERROR": the place before the first blank. */
static void take_place(struct xb_arena *arena, struct xb_sv line, struct xb_missing *m)
{
	uint64_t numbers[2] = {0};
	struct xb_sv rest = line;
	size_t n = 0;

	while (n < line.len && line.ptr[n] != ' ')
		n++;
	if (!n || line.ptr[n - 1] != ':')
		return;
	rest = xb_sv_n(line.ptr, n - 1);
	for (int i = 2; i-- > 0;) {
		size_t cut = rest.len;

		while (cut && rest.ptr[cut - 1] != ':')
			cut--;
		if (!cut || !xb_num_u64(xb_sv_n(rest.ptr + cut, rest.len - cut), 1000000000, &numbers[i]))
			return;
		rest.len = cut - 1;
	}
	m->file = xb_arena_sv(arena, rest);
	m->line = (int)numbers[0];
	m->col = (int)numbers[1];
}

static void add(struct scan *s, struct xb_missing m)
{
	for (size_t i = 0; i < s->out->list.len; i++)
		if (s->out->list.items[i].kind == m.kind && strcmp(s->out->list.items[i].name, m.name) == 0)
			return;
	if (s->out->list.len < XB_MAX_DIAGS)
		XB_VEC_PUSH(&s->out->list, m);
}

static bool take(struct scan *s, enum xb_missing_kind kind, struct xb_sv name, struct xb_sv line)
{
	struct xb_missing m = {.kind = kind};

	if (!name.ptr || !is_name(name) || (kind != XB_MISSING_HEADER && memchr(name.ptr, '/', name.len)))
		return false;
	m.name = xb_arena_sv(s->arena, name);
	take_place(s->arena, line, &m);
	add(s, m);
	return true;
}

/* Clang: "fatal error: 'x.h' file not found"; gcc: "fatal error: x.h: No such file or directory". */
static bool take_header(struct scan *s, struct xb_sv line)
{
	if (find(line, "' file not found").ptr)
		return take(s, XB_MISSING_HEADER, behind(line, "fatal error: '", "'"), line);
	if (find(line, ": No such file or directory").ptr)
		return take(s, XB_MISSING_HEADER, behind(line, "fatal error: ", ":"), line);
	return false;
}

/* ld.lld: "unable to find library -lx"; GNU ld: "cannot find -lx: No such file or directory". */
static bool take_library(struct scan *s, struct xb_sv line)
{
	static const char *const signs[] = {"unable to find library -l", "cannot find -l"};

	for (size_t i = 0; i < XB_COUNT(signs); i++) {
		const struct xb_sv name = behind(line, signs[i], " :\t\"'");

		if (name.len)
			return take(s, XB_MISSING_LIBRARY, name, xb_sv(""));
	}
	return false;
}

static bool take_module(struct scan *s, struct xb_sv line)
{
	static const struct {
		const char *before, *ends, *also; /* also: must be in the line */
	} forms[] = {
		{"pkg-config module '", "'", "not in the sysroot"},
		{"No package '", "'", "found"},
		{"Package '", "'", "not found"},
		{"Package ", " ", "was not found in the pkg-config search path"},
	};

	for (size_t i = 0; i < XB_COUNT(forms); i++) {
		const struct xb_sv name = behind(line, forms[i].before, forms[i].ends);

		if (!name.len || !find(line, forms[i].also).ptr)
			continue;
		if (!xb_sv_starts(line, "-- "))
			return take(s, XB_MISSING_MODULE, name, xb_sv(""));
		/* CMake goes on where it was optional, and does not name it again where it was not */
		if (is_name(name) && !memchr(name.ptr, '/', name.len) && s->n_modules < MAX_MODULES)
			s->modules[s->n_modules++] =
				(struct xb_missing){.kind = XB_MISSING_MODULE, .name = xb_arena_sv(s->arena, name)};
		return true;
	}
	return false;
}

/* "Could not find VARIABLE using the following files: a.h, b.h": find_path() and find_library(), which is told by the line before. */
static bool take_required(struct scan *s, struct xb_sv line)
{
	static const char sign[] = " using the following ";
	struct xb_sv rest = xb_sv_starts(xb_sv_trim(line), "Could not find ") ? find(line, sign) : (struct xb_sv){0};
	const bool is_header = find(rest, " files: ").ptr != NULL;
	bool any = false;

	if (!rest.len || (!is_header && !s->finds_library))
		return false;
	(void)xb_sv_cut(&rest, ':');
	while (rest.len) {
		const struct xb_sv name = xb_sv_trim(xb_sv_cut(&rest, ','));

		any = take(s, is_header ? XB_MISSING_HEADER : XB_MISSING_LIBRARY, name, xb_sv("")) || any;
	}
	return any;
}

/* FindPackageHandleStandardArgs, find_package(), find_path() and find_library(); the list is FindPkgConfig's. */
static bool take_cmake(struct scan *s, struct xb_sv line)
{
	struct xb_sv name;

	if (xb_sv_starts(line, "CMake Error"))
		s->finds_library = find(line, "(find_library)").ptr != NULL;
	if (xb_sv_starts(line, "-- Checking for module"))
		s->n_modules = 0;
	if (take_required(s, line))
		return true;
	if (s->n_modules && find(line, "A required package was not found").ptr) {
		for (size_t i = 0; i < s->n_modules; i++)
			add(s, s->modules[i]);
		return true;
	}
	if (find(line, "required packages were not found:").ptr) {
		s->in_list = true;
		return true;
	}
	name = s->in_list ? behind(line, " - ", " <>=\r") : (struct xb_sv){0};
	if (name.len)
		return take(s, XB_MISSING_MODULE, name, xb_sv(""));
	if (xb_sv_trim(line).len)
		s->in_list = false;
	/* An optional one is told as "-- Could NOT find". */
	if (!xb_sv_starts(xb_sv_trim(line), "-- ") &&
	    take(s, XB_MISSING_PACKAGE, behind(line, "Could NOT find ", " \r"), xb_sv("")))
		return true;
	return take(s, XB_MISSING_PACKAGE, behind(line, "configuration file provided by \"", "\""), xb_sv(""));
}

static bool take_meson(struct scan *s, struct xb_sv line)
{
	if (!find(line, "ERROR: ").ptr || (!find(line, " not found").ptr && !find(line, " not usable").ptr))
		return false;
	return take(s, XB_MISSING_MODULE, behind(line, "Dependency \"", "\""), line) ||
	       take(s, XB_MISSING_LIBRARY, behind(line, " library '", "'"), line) ||
	       take(s, XB_MISSING_HEADER, behind(line, " header '", "'"), line);
}

/* "checking for zlib.h... no", "checking for deflate in -lz... no" */
static void take_check(struct scan *s, struct xb_sv line)
{
	struct xb_sv name = behind(line, " in -l", " .");
	const bool is_library = name.len > 0;

	memset(s->is_named, 0, sizeof(s->is_named));
	if (!is_library) {
		name = behind(line, "checking for ", " ");
		name.len -= xb_sv_ends(name, "...") ? 3 : 0;
	}
	if (!xb_sv_ends(xb_sv_trim(line), "... no") || !is_name(name) ||
	    (!is_library && !xb_sv_eq_str(xb_path_ext(name), ".h")))
		return;
	s->last = (struct xb_missing){.kind = is_library ? XB_MISSING_LIBRARY : XB_MISSING_HEADER,
				      .name = xb_arena_sv(s->arena, name)};
	if (!is_library && s->n_headers < MAX_HEADERS)
		s->headers[s->n_headers++] = s->last.name;
}

static bool speaks_of_missing(struct xb_sv line)
{
	static const char *const signs[] = {"to find ",	  "not find ",	 "not found",
					    "to locate ", "not locate ", "missing"};

	for (size_t i = 0; i < XB_COUNT(signs); i++)
		if (find(line, signs[i]).ptr)
			return true;
	return false;
}

/* What a script says behind its checks, which may be too far up to be there: "- Failed to find xxhash.h for checksums." */
static void take_names(struct scan *s, struct xb_sv line)
{
	const bool is_missing = speaks_of_missing(line);

	while (line.len) {
		struct xb_sv word = xb_sv_cut(&line, ' ');
		size_t i = 0;

		while (word.len && strchr(".,:;!<>()'\"", word.ptr[word.len - 1]))
			word.len--;
		while (word.len && strchr("<('\"", *word.ptr))
			word = xb_sv_n(word.ptr + 1, word.len - 1);
		if (!xb_sv_eq_str(xb_path_ext(word), ".h") || !is_name(word))
			continue;
		while (i < s->n_headers && !xb_sv_eq_str(word, s->headers[i]))
			i++;
		if (i == s->n_headers && is_missing && i < MAX_HEADERS)
			s->headers[s->n_headers++] = xb_arena_sv(s->arena, word);
		if (i < s->n_headers)
			s->is_named[i] = true;
	}
}

/* A script of Autoconf, whatever its name: what follows a check decides whether it matters. */
static bool take_configure(struct scan *s, struct xb_sv line)
{
	if (xb_sv_starts(line, "checking for ")) {
		take_check(s, line);
		return true;
	}
	take_names(s, line);
	if (!xb_sv_starts(line, "configure") || !find(line, ": error: ").ptr)
		return false;
	for (size_t i = 0; i < s->n_headers; i++) {
		if (!s->is_named[i])
			continue;
		add(s, (struct xb_missing){.kind = XB_MISSING_HEADER, .name = s->headers[i]});
		s->last.name = NULL;
	}
	if (s->last.name)
		add(s, s->last);
	s->last.name = NULL;
	return true;
}

void xb_missing_scan(struct xb_sv text, struct xb_arena *arena, struct xb_missing_list *out)
{
	struct scan s = {.arena = arena, .out = out};

	while (text.ptr) {
		const struct xb_sv line = xb_sv_cut(&text, '\n');

		if (!take_configure(&s, line) && !take_header(&s, line) && !take_library(&s, line) &&
		    !take_meson(&s, line) && !take_module(&s, line))
			(void)take_cmake(&s, line);
	}
}
