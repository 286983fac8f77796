/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of a unit that another build system makes: nothing that it can be told is missing there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/build/foreign.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

static const size_t sizes[] = {
	[XB_FOREIGN_TEXT] = sizeof(const char *),     [XB_FOREIGN_BOOL] = sizeof(bool),
	[XB_FOREIGN_WORDS] = sizeof(struct xb_words), [XB_FOREIGN_ARGS] = sizeof(struct xb_words),
	[XB_FOREIGN_PAIRS] = sizeof(struct xb_pairs), [XB_FOREIGN_ARGVS] = sizeof(struct xb_argvs),
};

/* A member of struct xb_foreign that no key of any driver reads is one that no key of a result has. */
static void test_every_member_has_a_key(void **state)
{
	char seen[sizeof(struct xb_foreign)] = {0};
	struct xb_foreign_key key;
	size_t unseen = 0;

	(void)state;
	memset(seen + offsetof(struct xb_foreign, at), 1, sizeof(struct xb_place));
	for (int kind = XB_DRIVER_CMAKE; kind < XB_N_DRIVERS; kind++) {
		for (size_t i = 0; xb_foreign_key((enum xb_driver_kind)kind, i, &key); i++) {
			assert_in_range(key.offset, 0, sizeof(seen) - sizes[key.type]);
			memset(seen + key.offset, 1, sizes[key.type]);
		}
	}
	/* only padding may be left, of which less is behind each bool than a pointer has */
	for (size_t i = 0; i < sizeof(seen); i++) {
		unseen = seen[i] ? 0 : unseen + 1;
		if (unseen >= sizeof(void *))
			fail_msg("no driver has a key for the member at byte %zu of struct xb_foreign", i);
	}
}

static void fill(const struct xb_foreign_key *key, const char *text, struct xb_foreign *out)
{
	static const char *items[2];
	static struct xb_words argvs[1];
	void *field = (char *)out + key->offset;

	items[0] = items[1] = text;
	argvs[0] = (struct xb_words){.items = items, .len = 1};
	if (key->type == XB_FOREIGN_TEXT)
		*(const char **)field = text;
	else if (key->type == XB_FOREIGN_BOOL)
		*(bool *)field = true;
	else if (key->type == XB_FOREIGN_PAIRS)
		*(struct xb_pairs *)field = (struct xb_pairs){.names = items, .values = items + 1, .len = 1};
	else if (key->type == XB_FOREIGN_ARGVS)
		*(struct xb_argvs *)field = (struct xb_argvs){argvs, 1};
	else
		*(struct xb_words *)field = argvs[0];
}

/* The key of a unit with all that xb_foreign_resolve() gives. */
static struct xb_sv key_of(const struct xb_unit *unit, struct xb_arena *arena)
{
	static const struct xb_profile profile = {.name = "release"};
	const struct xb_project_target target = {.target = xb_target_find(xb_sv("linux-aarch64"))};
	const struct xb_setup setup = {.target = &target, .profile = &profile};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_foreign resolved;
	struct xb_command command;
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	xb_command_init(&command, arena);
	assert_int_equal(xb_foreign_resolve(&setup, unit, NULL, arena, &resolved, &err), 0);
	xb_foreign_words(&setup, unit, &resolved, &command);
	xb_command_digest(&command, &digest);
	return xb_sv(xb_arena_strdup(arena, xb_digest_hex(&digest, hex)));
}

/* Each key in turn: with it, with another value, with ${...} where that is allowed, every result has a key of its own. */
static void test_every_key_counts(void **state)
{
	static const char *const texts[] = {"one", "two", "${dir.stage}", "${dir.build}"};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_map keys XB_CLEANUP(xb_map_release) = {0};
	struct xb_foreign_key key;

	(void)state;
	for (int kind = XB_DRIVER_CMAKE; kind < XB_N_DRIVERS; kind++) {
		struct xb_foreign plain = {0};
		struct xb_unit unit = {.name = "unit", .driver = (enum xb_driver_kind)kind, .foreign = &plain};

		assert_null(xb_map_put(&keys, key_of(&unit, &arena), &keys));
		for (size_t i = 0; xb_foreign_key(unit.driver, i, &key); i++) {
			for (size_t k = 0; k < (key.type == XB_FOREIGN_BOOL ? 1 : XB_COUNT(texts)); k++) {
				struct xb_foreign told = {0};

				fill(&key, texts[k], &told);
				unit.foreign = &told;
				if (xb_map_put(&keys, key_of(&unit, &arena), &keys))
					fail_msg("%s: %s: '%s' is not in the key", xb_driver_key(unit.driver), key.name,
						 texts[k]);
			}
		}
	}
}

/* What a target or a profile adds. */
static void test_overrides_count(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_foreign plain = {0}, told;
	struct xb_override override = {.profile = "release"};
	struct xb_unit unit = {
		.name = "unit", .driver = XB_DRIVER_CMAKE, .foreign = &plain, .overrides = &override, .n_overrides = 1};
	const struct xb_sv before = key_of(&unit, &arena);
	struct xb_foreign_key key;

	(void)state;
	for (size_t i = 0; xb_foreign_key(unit.driver, i, &key); i++) {
		if (key.offset < offsetof(struct xb_foreign, settings) ||
		    key.offset >= offsetof(struct xb_foreign, settings) + sizeof(struct xb_foreign_settings))
			continue;
		told = (struct xb_foreign){0};
		fill(&key, "one", &told);
		override.foreign = told.settings;
		if (xb_sv_eq(key_of(&unit, &arena), before))
			fail_msg("per-profile: %s is not in the key", key.name);
	}
}

struct place {
	char dir[64];
	struct xb_arena arena;
	struct xb_err err;
};

static const char *put(struct place *p, const char *name, const char *text)
{
	const char *path = xb_arena_printf(&p->arena, "%s/%s", p->dir, name);
	const char *dir = xb_arena_sv(&p->arena, xb_path_dir(xb_sv(path)));

	assert_int_equal(xb_fs_mkdirs(dir, 0755, &p->err), 0);
	assert_int_equal(xb_atomic_file_write(path, text, strlen(text), 0755, 0, &p->err), 0);
	return path;
}

static void expect_tools(struct place *p, const struct xb_foreign *foreign, enum xb_driver_kind kind,
			 const char *program, const char *const *expected)
{
	const struct xb_unit unit = {.name = "unit", .driver = kind};
	const char *const programs[] = {program, NULL};
	struct xb_dirs found = {0};
	size_t n = 0;

	xb_foreign_tools(&unit, foreign, programs, xb_target_find(xb_sv("linux-aarch64")), &p->arena, &found);
	for (; expected[n]; n++) {
		if (n >= found.len || strcmp(found.items[n], expected[n]) != 0)
			fail_msg("%zu: expected '%s', found '%s'", n, expected[n], n < found.len ? found.items[n] : "");
	}
	assert_int_equal(found.len, n);
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What is known of the programs that a unit runs: names in PATH, what scripts start, the module that is Meson. */
static void test_tools(void **state)
{
	struct place p = {.dir = "/tmp/xb-foreign-XXXXXX"};
	const char *words[][1] = {{"tool"}, {"./tool"}, {"missing"}, {"aarch64-linux-gnu-gcc"}, {NULL}};
	struct xb_words run[XB_COUNT(words)] = {0};
	struct xb_foreign none = {0}, reconf = {.autoreconf = true}, commands = {0};
	char *path = xb_strdup(getenv("PATH"));
	const char *python, *meson, *version, *tool, *env, *make, *autoconf;

	(void)state;
	assert_non_null(mkdtemp(p.dir));
	assert_int_equal(setenv("PATH", xb_arena_printf(&p.arena, "%s/bin", p.dir), 1), 0);
	python = put(&p, "bin/python3", "\177ELF");
	env = put(&p, "other/env", "");
	meson = put(&p, "bin/meson", xb_arena_printf(&p.arena, "#! %s\n", python));
	version = put(&p, "lib/python3.11/site-packages/mesonbuild/coredata.py", "version = '1'\n");
	put(&p, "lib/ruby/site-packages/mesonbuild/coredata.py", "");
	tool = put(&p, "bin/tool", xb_arena_printf(&p.arena, "#!%s -S python3 -u\n", env));
	put(&p, "bin/aarch64-linux-gnu-gcc", "");
	make = put(&p, "bin/make", "");
	autoconf = put(&p, "bin/autoconf", "#!");
	for (size_t i = 0; i < XB_COUNT(words); i++)
		run[i] = (struct xb_words){.items = words[i], .len = words[i][0] != NULL};
	words[4][0] = env;
	run[4].len = 1;
	commands.run = (struct xb_argvs){.items = run, .len = XB_COUNT(run)};
	commands.configure = (struct xb_words){.items = &make, .len = 1};

	expect_tools(&p, &none, XB_DRIVER_MESON, meson, LIST(meson, python, version));
	expect_tools(&p, &none, XB_DRIVER_AUTOTOOLS, make, LIST(make));
	expect_tools(&p, &reconf, XB_DRIVER_AUTOTOOLS, make, LIST(make, autoconf));
	expect_tools(&p, &commands, XB_DRIVER_COMMAND, NULL, LIST(make, tool, env, python));
	expect_tools(&p, &commands, XB_DRIVER_MAKE, make, LIST(make));
	assert_int_equal(setenv("PATH", path, 1), 0);
	assert_int_equal(xb_fs_remove(p.dir, &p.err), 0);
	xb_arena_release(&p.arena);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_member_has_a_key),
		cmocka_unit_test(test_every_key_counts),
		cmocka_unit_test(test_overrides_count),
		cmocka_unit_test(test_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
