/* SPDX-License-Identifier: Apache-2.0 */
#include "lock_wishes.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/sys/json.h"

#define MAX_CHANGES 4 /* told; of further ones how many */
#define MAX_NAMES   6 /* of a list */

/* The changes so far. What a lock says is foreign: nothing here relies on the types of its members. */
struct told {
	struct xb_str text;
	size_t n;
};

static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text ? text : "something else";
}

/* A project file calls targets by many names, a lock by Debian's. */
static const char *target_name(const char *text)
{
	const struct xb_target *target = xb_target_find(xb_sv(text));

	return target ? target->name : text;
}

/* Is `text` a member of the list? */
static bool has(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (strcmp(text_of(json_array_get(list, i)), text) == 0)
			return true;
	}
	return false;
}

/* "a, b and 3 more": what of the list is not in `but` (NULL: all of it). Returns how many that are. */
static size_t put_names(struct xb_str *out, const json_t *list, const json_t *but, bool are_targets)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = text_of(json_array_get(list, i));

		if (has(but, text))
			continue;
		if (n < MAX_NAMES)
			xb_str_printf(out, "%s%s", n ? ", " : "", are_targets ? target_name(text) : text);
		n++;
	}
	if (n > MAX_NAMES)
		xb_str_printf(out, " and %zu more", n - MAX_NAMES);
	return n;
}

static void put_value(struct xb_str *out, const json_t *value, bool are_targets)
{
	if (!value || (json_is_array(value) && !json_array_size(value)))
		xb_str_append(out, "none");
	else if (json_is_array(value))
		put_names(out, value, NULL, are_targets);
	else
		xb_str_append(out, text_of(value));
}

/* Begins a change: false when there were enough of them. */
static bool begin(struct told *t)
{
	if (++t->n > MAX_CHANGES)
		return false;
	xb_str_append(&t->text, t->n > 1 ? "; " : "");
	return true;
}

/* Of long lists only what is in one of them: what they have in common would hide it. */
static void put_difference(struct xb_str *out, const json_t *locked, const json_t *now)
{
	struct xb_str more XB_CLEANUP(xb_str_release) = {0}, less XB_CLEANUP(xb_str_release) = {0};
	const size_t n_more = put_names(&more, now, locked, false);
	const size_t n_less = put_names(&less, locked, now, false);

	if (n_more)
		xb_str_printf(out, "now also %s", xb_str_get(&more));
	if (n_less)
		xb_str_printf(out, "%sno longer %s", n_more ? ", " : "", xb_str_get(&less));
}

static void compare(struct told *t, const char *label, const json_t *locked, const json_t *now, bool are_targets)
{
	const bool are_long = json_array_size(locked) > MAX_NAMES || json_array_size(now) > MAX_NAMES;

	if (locked == now || (locked && now && json_equal(locked, now)) || !begin(t))
		return;
	xb_str_printf(&t->text, "%s: ", label);
	if (are_long) {
		put_difference(&t->text, locked, now);
		return;
	}
	xb_str_append(&t->text, "locked ");
	put_value(&t->text, locked, are_targets);
	xb_str_append(&t->text, ", now ");
	put_value(&t->text, now, are_targets);
}

/* The names of an object's members in the order of their bytes, as a list that the caller owns. */
static json_t *names_of(const json_t *object)
{
	json_t *names = json_array(), *shared = (json_t *)(uintptr_t)object; /* jansson's iteration changes nothing */

	for (void *at = json_object_iter(shared); at; at = json_object_iter_next(shared, at)) {
		size_t i = 0;

		while (i < json_array_size(names) &&
		       strcmp(text_of(json_array_get(names, i)), json_object_iter_key(at)) < 0)
			i++;
		json_array_insert_new(names, i, json_string(json_object_iter_key(at)));
	}
	return names;
}

/* The names of both objects. */
static json_t *all_names(const json_t *a, const json_t *b)
{
	json_t *both XB_CLEANUP(xb_json_release) = json_object();

	if (json_is_object(a))
		json_object_update(both, (json_t *)(uintptr_t)a);
	if (json_is_object(b))
		json_object_update(both, (json_t *)(uintptr_t)b);
	return names_of(both);
}

/* Suites and archives: which there are, then of those that are in both what they say. */
static void compare_named(struct told *t, const char *label, const char *one, const json_t *locked, const json_t *now)
{
	json_t *before XB_CLEANUP(xb_json_release) = names_of(locked);
	json_t *after XB_CLEANUP(xb_json_release) = names_of(now);

	compare(t, label, before, after, false);
	for (size_t i = 0; i < json_array_size(after); i++) {
		const char *name = text_of(json_array_get(after, i));
		const json_t *a = json_object_get(locked, name), *b = json_object_get(now, name);
		json_t *keys XB_CLEANUP(xb_json_release) = all_names(a, b);

		for (size_t k = 0; a && k < json_array_size(keys); k++) {
			const char *key = text_of(json_array_get(keys, k));
			char *place XB_CLEANUP(xb_free_ptr) = xb_printf("%s '%s', %s", one, name, key);

			compare(t, place, json_object_get(a, key), json_object_get(b, key), false);
		}
	}
}

/* What an image stands on, in a few words; a base for which nothing is locked (auto, none) is in no lock. Owned. */
static char *base_text(const json_t *image)
{
	static const char *const keys[] = {"name", "apko", "image"};
	const json_t *packages = json_object_get(image, "debian");
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < XB_COUNT(keys); i++) {
		if (json_object_get(image, keys[i]))
			return xb_strdup(text_of(json_object_get(image, keys[i])));
	}
	if (!packages)
		return xb_strdup("nothing");
	xb_str_append(&text, "debian [");
	put_names(&text, packages, NULL, false);
	xb_str_append_char(&text, ']');
	return xb_str_steal(&text);
}

static void compare_image(struct told *t, const char *name, const json_t *locked, const json_t *now)
{
	static const struct {
		const char *key, *label;
	} members[] = {{"apko-lock", "lock of the base of"}, {"packages", "packages of"}, {"targets", "targets of"}};
	const json_t *packages = json_object_get(locked, "debian"), *wanted = json_object_get(now, "debian");
	char *before XB_CLEANUP(xb_free_ptr) = base_text(locked);
	char *after XB_CLEANUP(xb_free_ptr) = base_text(now);

	if (packages && wanted) {
		char *label XB_CLEANUP(xb_free_ptr) = xb_printf("packages of the base of image '%s'", name);

		compare(t, label, packages, wanted, false);
	} else if (strcmp(before, after) != 0 && begin(t)) {
		xb_str_printf(&t->text, "base of image '%s': locked %s, now %s", name, before, after);
	}
	for (size_t i = 0; i < XB_COUNT(members); i++) {
		const bool are_targets = strcmp(members[i].key, "targets") == 0;
		char *label XB_CLEANUP(xb_free_ptr) = xb_printf("%s image '%s'", members[i].label, name);

		/* an image of which nothing is locked has no list of targets there either */
		if (!are_targets || (locked && now))
			compare(t, label, json_object_get(locked, members[i].key), json_object_get(now, members[i].key),
				are_targets);
	}
}

static void compare_images(struct told *t, const json_t *locked, const json_t *now)
{
	json_t *names XB_CLEANUP(xb_json_release) = all_names(locked, now);

	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = text_of(json_array_get(names, i));

		compare_image(t, name, json_object_get(locked, name), json_object_get(now, name));
	}
}

/* The members of what xb_project_lock_wishes makes, in the order in which they are told. */
static void compare_all(struct told *t, const json_t *locked, const json_t *now)
{
	static const struct {
		const char *key, *label;
		const char *one; /* a member of the object that it is */
	} wishes[] = {
		{"toolchain", "toolchain", NULL},
		{"toolchain-profile", "profile of the toolchain", NULL},
		{"toolchain-source", "source of the toolchain", NULL},
		{"toolchain-version", "version of the toolchain", NULL},
		{"toolchain-archives", "archives of the toolchain", "archive of the toolchain for"},
		{"rust", "rust", NULL},
		{"crates", "crates", NULL},
		{"sysroot", "sysroot", NULL},
		{"snapshot", "snapshot of the sysroot", NULL},
		{"packages", "packages of the sysroot", NULL},
		{"suites", "further suites of the sysroot", "suite"},
		{"sysroot-archives", "archives of the sysroot", "archive of the sysroot for"},
		{"libc++", "targets with libc++", NULL},
		{"sysroot-drop", "files dropped from the sysroot", NULL},
		{"hosts", "hosts", NULL},
		{"targets", "targets", NULL},
	};

	for (size_t i = 0; i < XB_COUNT(wishes); i++) {
		const json_t *a = json_object_get(locked, wishes[i].key), *b = json_object_get(now, wishes[i].key);

		if (wishes[i].one)
			compare_named(t, wishes[i].label, wishes[i].one, a, b);
		else
			compare(t, wishes[i].label, a, b, strcmp(wishes[i].key, "targets") == 0);
	}
	compare_images(t, json_object_get(locked, "images"), json_object_get(now, "images"));
}

const char *lock_wishes_changed(struct xb_app *app, const struct xb_lock *lock)
{
	struct told t = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	json_t *locked XB_CLEANUP(xb_json_release) = NULL;
	json_t *now XB_CLEANUP(xb_json_release) = NULL;
	const char *reason = NULL;

	if (!lock->wishes || xb_json_parse(xb_sv(lock->wishes), XB_LOCK_NAME, &locked, &ignored) < 0)
		return NULL;
	now = xb_project_lock_wishes(app->project);
	compare_all(&t, locked, now);
	if (t.n > MAX_CHANGES)
		xb_str_printf(&t.text, "; and %zu more", t.n - MAX_CHANGES);
	if (t.n)
		reason = xb_arena_strdup(&app->arena, xb_str_get(&t.text));
	xb_str_release(&t.text);
	return reason;
}
