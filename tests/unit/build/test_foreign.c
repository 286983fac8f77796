/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of a unit that another build system makes: nothing that it can be told is missing there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/map.h"
#include "xbuild/build/foreign.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_member_has_a_key),
		cmocka_unit_test(test_every_key_counts),
		cmocka_unit_test(test_overrides_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
