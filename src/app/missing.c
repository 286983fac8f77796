/* SPDX-License-Identifier: Apache-2.0 */
#include "missing.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "contents.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/ansi.h"
#include "xbuild/base/path.h"
#include "xbuild/build/sched.h"
#include "xbuild/model/contents.h"
#include "xbuild/model/timestamp.h"

#define MAX_HITS  20000 /* of one name: "config.h" has 350 in Debian 12 */
#define MAX_NAMES 3	/* that are shown; where more have a file in odd places, none of them is meant */

/* ---- what is missing ---- */

void missing_log_add(struct missing_log *log, const char *target, struct xb_sv output)
{
	struct xb_str plain XB_CLEANUP(xb_str_release) = {0};
	size_t i = 0;

	while (i < log->targets.len && strcmp(log->targets.items[i].target, target) != 0)
		i++;
	if (i == log->targets.len)
		XB_VEC_ADD(&log->targets)->target = xb_arena_strdup(&log->arena, target);
	xb_strip_ansi(output, &plain);
	xb_missing_scan(xb_str_sv(&plain), &log->arena, &log->targets.items[i].found);
}

static void on_event(void *self, const struct xb_event *event)
{
	struct missing_log *log = self;

	if (event->kind == XB_EVENT_OUTPUT && event->target && event->text)
		missing_log_add(log, event->target, xb_sv(event->text));
	xb_observe(log->next, event);
}

void missing_log_init(struct missing_log *log, const struct xb_observer *next)
{
	*log = (struct missing_log){.observer = {.event = on_event, .self = log}, .next = next};
}

void missing_log_release(struct missing_log *log)
{
	for (size_t i = 0; i < log->targets.len; i++)
		XB_VEC_RELEASE(&log->targets.items[i].found.list);
	XB_VEC_RELEASE(&log->targets);
	xb_arena_release(&log->arena);
}

/* ---- which package has it ---- */

/* A package that has a file of the name, and where. */
struct candidate {
	const char *package, *path;
	int rank; /* 0: where tools look by themselves; lower is better */
};

struct lookup {
	struct xb_app *app;
	struct xb_arena *arena;
	const struct xb_target *target;
	const struct xb_missing *missing;
	const struct contents_part *part; /* that the candidates are from */
	XB_VEC(struct candidate) list;
};

/* What find_package() calls things whose files are called otherwise. */
static const struct {
	const char *package, *file;
} cmake_names[] = {
	{"BZip2", "libbz2.so"},	    {"Boost", "boost/version.hpp"},  {"Curses", "ncurses.pc"},	   {"ICU", "icu-uc.pc"},
	{"JNI", "jni.h"},	    {"LibArchive", "libarchive.pc"}, {"LibXml2", "libxml-2.0.pc"}, {"PNG", "libpng.pc"},
	{"PostgreSQL", "libpq.pc"}, {"Readline", "readline.pc"},     {"TIFF", "libtiff-4.pc"},	   {"X11", "x11.pc"},
};

/* The n-th file to look for; NULL: that were all. A module may be Meson's name of a CMake package, too. */
static const char *file_name(const struct lookup *l, size_t n)
{
	static const char *const forms[] = {"%sConfig.cmake", "%s-config.cmake", "%s.pc",
					    "lib%s.pc",	      "lib%s.so",	 "%s.so"};
	const char *name = l->missing->name;
	char *lower = xb_arena_strdup(l->arena, name);
	const bool is_form_lower = n > 0;

	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	switch (l->missing->kind) {
	case XB_MISSING_HEADER:
		return n == 0 ? name : NULL;
	case XB_MISSING_LIBRARY:
		return n < 2 ? xb_arena_printf(l->arena, "lib%s.%s", name, n ? "a" : "so") : NULL;
	case XB_MISSING_MODULE:
		if (n == 0)
			return xb_arena_printf(l->arena, "%s.pc", name);
		n--;
		break;
	case XB_MISSING_PACKAGE:
		for (size_t i = 0; n == 0 && i < XB_COUNT(cmake_names); i++)
			if (strcmp(cmake_names[i].package, name) == 0)
				return cmake_names[i].file;
		break;
	}
	if (n >= XB_COUNT(forms))
		return NULL;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const char *at = strstr(forms[n], "%s");

	xb_str_append_n(&text, forms[n], (size_t)(at - forms[n]));
	xb_str_append(&text, is_form_lower ? lower : name);
	xb_str_append(&text, at + 2);
	return xb_arena_strdup(l->arena, xb_str_get(&text));
}

/* Is it where a compiler, a linker or pkg-config looks without being told to? */
static bool is_default_place(const struct lookup *l, const char *path, const char *file)
{
	const char *m = l->target->multiarch;
	const char *dirs[] = {"usr/include",
			      xb_arena_printf(l->arena, "usr/include/%s", m),
			      "usr/lib",
			      xb_arena_printf(l->arena, "usr/lib/%s", m),
			      "lib",
			      xb_arena_printf(l->arena, "lib/%s", m),
			      "usr/lib/pkgconfig",
			      xb_arena_printf(l->arena, "usr/lib/%s/pkgconfig", m),
			      "usr/share/pkgconfig"};
	const struct xb_sv dir = xb_sv_n(path, strlen(path) - strlen(file) - 1);

	for (size_t i = 0; i < XB_COUNT(dirs); i++)
		if (xb_sv_eq_str(dir, dirs[i]))
			return true;
	return xb_sv_ends(xb_sv(file), ".cmake");
}

static void add_candidate(struct lookup *l, struct xb_sv package, const char *path, int rank)
{
	for (size_t i = 0; i < l->list.len; i++) {
		struct candidate *c = &l->list.items[i];

		if (!xb_sv_eq_str(package, c->package))
			continue;
		if (rank < c->rank) {
			c->rank = rank;
			c->path = path;
		}
		return;
	}
	XB_VEC_PUSH(&l->list, ((struct candidate){xb_arena_sv(l->arena, package), path, rank}));
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->package, y->package);
}

/* 10 for a place that needs an option, 1 for a package that is not for development. */
static void rank_hits(struct lookup *l, const struct xb_contents_hits *hits, const char *file)
{
	for (size_t i = 0; i < hits->list.len; i++) {
		const struct xb_contents_hit *hit = &hits->list.items[i];
		const int place = is_default_place(l, hit->path, file) ? 0 : 10;
		struct xb_sv packages = hit->packages;

		if (place && l->missing->kind == XB_MISSING_MODULE)
			continue;
		while (packages.ptr) {
			const struct xb_sv package = xb_sv_cut(&packages, ',');

			add_candidate(l, package, hit->path, place + !xb_sv_ends(package, "-dev"));
		}
	}
	if (l->list.len)
		qsort(l->list.items, l->list.len, sizeof(*l->list.items), compare_candidates);
	/* Others that have such a file in odd places are not meant where one has it in the right one. */
	for (size_t i = 0; i < l->list.len; i++)
		if (l->list.items[0].rank < 10 && l->list.items[i].rank >= 10)
			l->list.len = i;
	if (l->list.len > MAX_NAMES && l->list.items[0].rank >= 10)
		l->list.len = 0;
}

static bool search(struct lookup *l, const struct contents *contents)
{
	const char *file;

	for (size_t n = 0; (file = file_name(l, n)) != NULL; n++) {
		for (size_t i = 0; i < contents->parts.len; i++) {
			struct xb_contents_hits hits = {0};

			l->part = &contents->parts.items[i];
			xb_contents_find(xb_str_sv(&l->part->text), xb_sv(file), MAX_HITS, l->arena, &hits);
			rank_hits(l, &hits, file);
			XB_VEC_RELEASE(&hits.list);
			if (l->list.len)
				return true;
		}
	}
	return false;
}

/* ---- the indexes ---- */

/* 1: read; 0: there is none, and none could be had. */
static int need_contents(struct xb_app *app, const struct xb_want *want, struct contents *out)
{
	struct xb_err unknown XB_CLEANUP(xb_err_release) = {0};
	bool there = false;

	if (xb_want_is_there(app, want, &there, &unknown) < 0)
		return 0;
	if (!there && (app->options.offline || app->supply(app, want, 1, &unknown) < 0))
		return 0;
	return contents_read(app, want, out, &unknown) == 0;
}

/* Both lists of one target, each read when it is needed. */
struct lists {
	struct xb_want wants[2];
	struct contents contents[2];
	int state[2]; /* 0: not asked yet; 1: read; -1: cannot be had */
};

static void lists_release(struct lists *lists)
{
	contents_release(&lists->contents[0]);
	contents_release(&lists->contents[1]);
}

static bool lookup(struct lookup *l, struct lists *lists)
{
	for (int i = 0; i < 2; i++) {
		if (!lists->state[i])
			lists->state[i] = need_contents(l->app, &lists->wants[i], &lists->contents[i]) ? 1 : -1;
		if (lists->state[i] < 0)
			return false;
		if (search(l, &lists->contents[i]))
			return true;
	}
	return false;
}

/* ---- telling it ---- */

struct findings {
	struct xb_app *app;
	XB_VEC(const char *) notes; /* in the arena of the log */
	XB_VEC(const char *) packages;
	const char *single;  /* the whole hint, if it is the only one */
	const char *offline; /* want that would tell more */
	bool by_option;	     /* as in the log */
};

static const char *name_of(const struct lookup *l)
{
	const char *name = l->missing->name;

	switch (l->missing->kind) {
	case XB_MISSING_HEADER:
		return xb_arena_printf(l->arena, "'%s'", name);
	case XB_MISSING_LIBRARY:
		return xb_arena_printf(l->arena, "'-l%s'", name);
	case XB_MISSING_MODULE:
		return xb_arena_printf(l->arena, "'%s.pc'", name);
	case XB_MISSING_PACKAGE:
		break;
	}
	return xb_arena_printf(l->arena, "'%s'", name);
}

static bool is_in_sysroot(const struct lookup *l, const char *package)
{
	const struct xb_lock_sysroot *sysroot = xb_lock_sysroot(l->app->lock, l->target->name);

	return sysroot && xb_lock_package(&sysroot->packages, package);
}

/* The index of today is not that of a lock of last month. */
static const char *date_note(const struct lookup *l)
{
	const struct xb_lock_suite *suite = xb_lock_suite(l->app->lock, l->part->suite);
	char of[XB_TIMESTAMP_SIZE], locked[XB_TIMESTAMP_SIZE];

	if (!suite || suite->date == l->part->date)
		return "";
	return xb_arena_printf(l->arena, " (as of %.10s; the locked %s is of %.10s and may differ)",
			       xb_timestamp_format(l->part->date, of), suite->id,
			       xb_timestamp_format(suite->date, locked));
}

static void add_package(struct findings *f, const char *package)
{
	for (size_t i = 0; i < f->packages.len; i++)
		if (strcmp(f->packages.items[i], package) == 0)
			return;
	XB_VEC_PUSH(&f->packages, package);
}

static void tell(struct findings *f, const struct lookup *l)
{
	const struct xb_missing *m = l->missing;
	const struct candidate *best = &l->list.items[0];
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	size_t n = l->list.len < MAX_NAMES ? l->list.len : MAX_NAMES;

	if (m->file)
		xb_str_printf(&text, "%s:%d:%d: ", m->file, m->line, m->col);
	if (is_in_sysroot(l, best->package)) {
		if (best->rank < 10)
			return; /* then something else is wrong */
		xb_str_printf(&text, "%s of the sysroot has %s as '%s': add its directory, or its pkg-config module",
			      best->package, name_of(l), best->path);
		f->single = xb_arena_strdup(l->arena, xb_str_get(&text));
		XB_VEC_PUSH(&f->notes, f->single);
		return;
	}
	for (size_t i = 0; i < n; i++)
		xb_str_printf(&text, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", l->list.items[i].package);
	xb_str_printf(&text, " has %s%s", name_of(l), date_note(l));
	XB_VEC_PUSH(&f->notes, xb_arena_strdup(l->arena, xb_str_get(&text)));
	xb_str_printf(&text, f->by_option ? ": add '--with %s'" : ": run 'xbuild add %s'", best->package);
	f->single = xb_arena_strdup(l->arena, xb_str_get(&text));
	add_package(f, best->package);
}

/* No package helps there. False: it is another target. */
static bool explain_musl(struct findings *f, struct missing_log *log, const struct missing_of *of)
{
	const struct xb_target *target = xb_target_find(xb_sv(of->target));

	if (!target || target->libc != XB_LIBC_MUSL)
		return false;
	if (of->found.list.len) {
		f->single =
			xb_arena_printf(&log->arena,
					"the sysroot of %s has the C library alone: Debian's packages, its C++ library "
					"among them, are made for glibc",
					target->name);
		XB_VEC_PUSH(&f->notes, f->single);
	}
	return true;
}

static void explain_target(struct findings *f, struct missing_log *log, const struct missing_of *of)
{
	struct lists lists XB_CLEANUP(lists_release) = {
		.wants = {{.kind = XB_WANT_CONTENTS, .name = of->target, .image = CONTENTS_TRY},
			  {.kind = XB_WANT_CONTENTS,
			   .name = of->target,
			   .image = CONTENTS_TRY,
			   .package = CONTENTS_ALL}}};

	if (explain_musl(f, log, of))
		return;
	for (size_t i = 0; i < of->found.list.len; i++) {
		struct lookup l = {.app = f->app,
				   .arena = &log->arena,
				   .target = xb_target_find(xb_sv(of->target)),
				   .missing = &of->found.list.items[i]};

		if (l.target && lookup(&l, &lists))
			tell(f, &l);
		else if (l.target && f->app->options.offline && !f->offline)
			for (int k = 0; k < 2; k++)
				if (lists.state[k] < 0)
					f->offline = xb_arena_printf(&log->arena, "contents:%s%s", of->target,
								     k ? "/" CONTENTS_ALL : "");
		XB_VEC_RELEASE(&l.list);
	}
}

static bool is_new(const struct findings *f, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(f->notes.items[k], f->notes.items[i]) == 0)
			return false;
	return true;
}

static void conclude(const struct findings *f, struct xb_err *err)
{
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};
	size_t n_new = 0;

	for (size_t i = 0; i < f->notes.len; i++)
		n_new += is_new(f, i);
	if (n_new == 1) {
		xb_hint(err, "%s", f->single);
		return;
	}
	for (size_t i = 0; i < f->notes.len; i++)
		if (is_new(f, i))
			xb_observe(f->app->observer,
				   &(struct xb_event){.kind = XB_EVENT_NOTE, .text = f->notes.items[i]});
	for (size_t i = 0; i < f->packages.len; i++)
		xb_str_printf(&all, "%s%s", !i ? "" : f->by_option ? "," : " ", f->packages.items[i]);
	if (f->packages.len)
		xb_hint(err, f->by_option ? "add '--with %s'" : "run 'xbuild add %s'", xb_str_get(&all));
	else if (f->offline)
		xb_hint(err, "which package has what is missing is told after 'xbuild fetch --want %s', once online",
			f->offline);
}

void missing_explain(struct xb_app *app, struct missing_log *log, struct xb_err *err)
{
	struct findings f = {.app = app, .by_option = log->by_option};

	if (!app->lock || !app->sysroot || !app->store)
		return;
	for (size_t i = 0; i < log->targets.len; i++)
		explain_target(&f, log, &log->targets.items[i]);
	conclude(&f, err);
	XB_VEC_RELEASE(&f.notes);
	XB_VEC_RELEASE(&f.packages);
}

void missing_explain_diags(struct xb_app *app, const char *target, struct missing_log *log)
{
	if (!app->lock || !app->sysroot || !app->store)
		return;
	for (size_t i = 0; i < app->diags.list.len; i++) {
		struct findings f = {.app = app};
		struct missing_of of = {.target = target};

		xb_missing_scan(xb_sv(app->diags.list.items[i].message), &log->arena, &of.found);
		explain_target(&f, log, &of);
		if (f.single)
			xb_diags_help(&app->diags, &app->diags.list.items[i], "%s", f.single);
		XB_VEC_RELEASE(&of.found.list);
		XB_VEC_RELEASE(&f.notes);
		XB_VEC_RELEASE(&f.packages);
	}
}
