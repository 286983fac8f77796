/* SPDX-License-Identifier: Apache-2.0 */
/* What a container sees of layers; views are made by hand. Reading them is tested in tests/cli/inspect.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../../../src/image/view_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/image/view_diff.h"

#define MAX_ENTRIES 6

/* Layers of one platform, as lists of paths: "dir/" is a directory, others are files. */
struct sample {
	struct xb_view view;
	struct xb_view_platform platform;
	struct xb_view_layer layers[3], *pointers[3];
	struct xb_view_entry entries[3][MAX_ENTRIES];
	const char *types[3];
};

static void fill(struct sample *s, const char *const layers[3][MAX_ENTRIES])
{
	*s = (struct sample){.platform = {.name = "linux/amd64", .digest = "", .layers = s->pointers}};
	s->platform.layer_types = s->types;
	for (size_t i = 0; i < 3; i++) {
		s->pointers[i] = &s->layers[i];
		s->layers[i].entries = s->entries[i];
		for (size_t k = 0; k < MAX_ENTRIES && layers[i][k]; k++) {
			const size_t len = strlen(layers[i][k]);
			const bool dir = layers[i][k][len - 1] == '/';

			s->entries[i][k].path = xb_arena_printf(&s->view.arena, "%.*s", (int)(len - dir), layers[i][k]);
			s->entries[i][k].type = dir ? XB_VIEW_DIR : XB_VIEW_FILE;
			s->layers[i].n_entries++;
		}
		s->platform.n_layers = i + 1;
	}
	XB_VEC_PUSH(&s->view.platforms, &s->platform);
}

static void empty(struct sample *s)
{
	XB_VEC_RELEASE(&s->view.platforms);
	xb_arena_release(&s->view.arena);
}

/* The paths that a container sees, in order, each with the number of its layer: what is compared with an empty image. */
static void check_seen(const char *const layers[3][MAX_ENTRIES], const char *expected)
{
	static const char *const nothing[3][MAX_ENTRIES];
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};
	struct xb_view_diff diff XB_CLEANUP(xb_view_diff_release) = {0};
	struct sample before, after;

	fill(&before, nothing);
	fill(&after, layers);
	xb_view_compare(&before.view, &after.view, &diff);
	for (size_t i = 0; i < diff.changes.len; i++) {
		const struct xb_view_change *c = &diff.changes.items[i];

		assert_string_equal(c->kind, "file");
		assert_null(c->before);
		xb_str_printf(&got, "%s %s;", c->name, strrchr(c->after, ' ') + 1);
	}
	assert_string_equal(xb_str_get(&got), expected);
	empty(&before);
	empty(&after);
}

static void layers_hide_what_is_below(void **state)
{
	(void)state;
	check_seen((const char *const[3][MAX_ENTRIES]){{"a", "d/", "d/x"}, {"a"}, {"d/"}}, "/a 2;/d 3;/d/x 1;");
	/* whiteouts: of a file, of a directory with all in it; a file of the same layer stays */
	check_seen((const char *const[3][MAX_ENTRIES]){{"a", "b", "d/", "d/x"}, {".wh.a", ".wh.d"}, {"d/y"}},
		   "/b 1;/d/y 3;");
	check_seen((const char *const[3][MAX_ENTRIES]){{"a"}, {"a", ".wh.a"}, {NULL}}, "/a 2;");
	/* opaque: everything of lower layers below it, before or behind the marker; the directory itself stays */
	check_seen((const char *const[3][MAX_ENTRIES]){{"d/", "d/x", "e"}, {"d/y", "d/.wh..wh..opq", "d/z"}, {NULL}},
		   "/d 1;/d/y 2;/d/z 2;/e 1;");
	check_seen((const char *const[3][MAX_ENTRIES]){{"d/x", "e"}, {"f"}, {".wh..wh..opq", "g"}}, "/g 3;");
	/* a file in the place of a directory, and the reverse */
	check_seen((const char *const[3][MAX_ENTRIES]){{"d/", "d/x"}, {"d"}, {NULL}}, "/d 2;");
	check_seen((const char *const[3][MAX_ENTRIES]){{"d"}, {"d/", "d/x"}, {NULL}}, "/d 2;/d/x 2;");
	/* whited out, and made again above; names that only begin alike */
	check_seen((const char *const[3][MAX_ENTRIES]){{"d/x", "dd"}, {".wh.d"}, {"d/", "d/n"}}, "/d 3;/d/n 3;/dd 1;");
}

static void check_database(const char *path, const char *text, const char *expected)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};
	struct view_database db = {.path = path};

	assert_true(view_is_database(path));
	view_read_database(xb_sv(text), &db, &arena);
	for (size_t i = 0; i < db.n_packages; i++)
		xb_str_printf(&got, "%s %s %s %s;", db.packages[i].format, db.packages[i].name, db.packages[i].version,
			      db.packages[i].arch);
	assert_string_equal(xb_str_get(&got), expected);
}

static void lists_of_packages_are_understood(void **state)
{
	static const char status[] = "var/lib/dpkg/status", apk[] = "lib/apk/db/installed";

	(void)state;
	check_database(status, "Package: a\nStatus: install ok installed\nVersion: 1:2-3\nArchitecture: all\n",
		       "deb a 1:2-3 all;");
	check_database(status, "\n\nPackage: a\nStatus: hold ok installed\nVersion: 1\n\n\nPackage: b\nVersion: 2",
		       "deb a 1 ;deb b 2 ;");
	check_database(status, "Package: a\nStatus: purge ok not-installed\nVersion: 1\n\nPackage: b\n\nVersion: 2\n",
		       "");
	check_database(status, "Package: a\nVersion: 1\n Version: 7\nVersions: 8\nDescription: x\n Package: y\n",
		       "deb a 1 ;");
	check_database(status, "", "");
	check_database(apk, "P:a\nV:1-r0\nA:x86_64\nF:etc\nR:b\n\nP:b\nV:2\nA:noarch\n\n",
		       "apk a 1-r0 x86_64;apk b 2 noarch;");
	check_database("var/lib/dpkg/status.d/x", "Package: x\nVersion: 1\nArchitecture: arm64\n", "deb x 1 arm64;");
	assert_false(view_is_database("var/lib/dpkg/status.d/x.md5sums"));
	assert_false(view_is_database("var/lib/dpkg/status-old"));
	assert_false(view_is_database("x/lib/apk/db/installed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_hide_what_is_below),
		cmocka_unit_test(lists_of_packages_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
