/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "xbuild/store/action_cache.h"
#include "xbuild/store/cas.h"

static struct xb_digest key_of(const char *text)
{
	struct xb_digest key;

	xb_digest_bytes(text, strlen(text), &key);
	return key;
}

static char *entry_of(const struct fixture *f, const struct xb_digest *key)
{
	return xb_store_path(f->store, "actions", key);
}

/* Stores a result with one output whose blob is there. */
static void put_result(struct fixture *f, const struct xb_digest *key, struct xb_reapi_output *output)
{
	const struct xb_reapi_result result = {output, 1, 0, {.ptr = "note\n", .len = 5}};

	*output = (struct xb_reapi_output){.path = "a.o", .digest.size_bytes = 6};
	assert_ok(xb_cas_put_bytes(f->store, "object", 6, &output->digest.hash, &f->err), &f->err);
	assert_ok(xb_action_put(f->store, key, &result, &f->err), &f->err);
}

static int get(struct fixture *f, const struct xb_digest *key)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_reapi_result out;
	const int found = xb_action_get(f->store, key, &arena, &out);

	if (found) {
		assert_int_equal(out.n_outputs, 1);
		assert_string_equal(out.outputs[0].path, "a.o");
		assert_true(xb_sv_eq_str(out.output_text, "note\n"));
	}
	return found;
}

static void hit_and_miss(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest key = key_of("k"), other = key_of("other");
	struct xb_reapi_output output;
	char *blob XB_CLEANUP(xb_free_ptr) = NULL;

	assert_int_equal(get(f, &key), 0);
	put_result(f, &key, &output);
	assert_int_equal(get(f, &key), 1);
	assert_int_equal(get(f, &other), 0);
	blob = xb_cas_path(f->store, &output.digest.hash);
	assert_int_equal(unlink(blob), 0);
	assert_int_equal(get(f, &key), 0); /* an output is missing */
}

/* Each byte of an entry counts. */
static void any_damage_is_a_miss(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest key = key_of("k");
	char *path XB_CLEANUP(xb_free_ptr) = entry_of(f, &key);
	struct xb_str good XB_CLEANUP(xb_str_release) = {0};
	struct xb_reapi_output output;

	put_result(f, &key, &output);
	assert_ok(xb_fs_read(path, 1 << 20, &good, &f->err), &f->err);
	for (size_t i = 0; i < good.len; i++) {
		good.data[i] ^= 1;
		assert_ok(xb_atomic_file_write(path, good.data, good.len, 0644, 0, &f->err), &f->err);
		assert_int_equal(get(f, &key), 0);
		assert_false(xb_fs_exists(path));
		good.data[i] ^= 1;
	}
	for (size_t len = 0; len < good.len; len++) {
		assert_ok(xb_atomic_file_write(path, good.data, len, 0644, 0, &f->err), &f->err);
		assert_int_equal(get(f, &key), 0);
	}
	assert_ok(xb_atomic_file_write(path, good.data, good.len, 0644, 0, &f->err), &f->err);
	assert_int_equal(get(f, &key), 1);
}

/* A directory in the place of an entry is a miss, and does not keep the next entry from it. */
static void what_is_no_file_goes(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest key = key_of("k");
	char *path XB_CLEANUP(xb_free_ptr) = entry_of(f, &key);
	char *below XB_CLEANUP(xb_free_ptr) = xb_printf("%s/a", path);
	struct xb_reapi_output output;

	assert_ok(xb_fs_mkdirs(below, 0755, &f->err), &f->err);
	assert_int_equal(get(f, &key), 0);
	put_result(f, &key, &output);
	assert_int_equal(get(f, &key), 1);
}

/* An entry that is whole but lies under another name says so by its key. */
static void an_entry_answers_to_its_own_key(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest key = key_of("k"), other = key_of("other");
	char *path XB_CLEANUP(xb_free_ptr) = entry_of(f, &key);
	char *other_path XB_CLEANUP(xb_free_ptr) = entry_of(f, &other);
	struct xb_reapi_output output;

	put_result(f, &other, &output);
	put_result(f, &key, &output);
	assert_int_equal(rename(path, other_path), 0);
	assert_int_equal(get(f, &other), 0);
}

static struct xb_dep_sets deps(struct fixture *f, const struct xb_digest *key, struct xb_arena *arena)
{
	struct xb_dep_sets sets;

	xb_deps_get(f->store, key, arena, &sets);
	return sets;
}

static void put_deps(struct fixture *f, const struct xb_digest *key, const char *a, const char *b)
{
	const char *paths[] = {a, b};
	const struct xb_dep_set set = {paths, b ? 2 : 1};

	assert_ok(xb_deps_put(f->store, key, &set, &f->err), &f->err);
}

static void dependencies_most_recent_first(void **state)
{
	struct fixture *f = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_digest key = key_of("d");
	struct xb_dep_sets sets = deps(f, &key, &arena);

	assert_int_equal(sets.len, 0);
	put_deps(f, &key, "a.c", "a.h");
	put_deps(f, &key, "a.c", NULL);
	sets = deps(f, &key, &arena);
	assert_int_equal(sets.len, 2);
	assert_int_equal(sets.items[0].len, 1);
	assert_int_equal(sets.items[1].len, 2);
	assert_string_equal(sets.items[1].paths[1], "a.h");
	put_deps(f, &key, "a.c", "a.h"); /* moves to the front */
	sets = deps(f, &key, &arena);
	assert_int_equal(sets.len, 2);
	assert_int_equal(sets.items[0].len, 2);
}

static void at_most_sixteen_sets(void **state)
{
	struct fixture *f = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_digest key = key_of("d");
	struct xb_dep_sets sets;

	for (int i = 0; i < 20; i++) {
		char *name XB_CLEANUP(xb_free_ptr) = xb_printf("%d.h", i);

		put_deps(f, &key, "a.c", name);
	}
	sets = deps(f, &key, &arena);
	assert_int_equal(sets.len, 16);
	assert_string_equal(sets.items[0].paths[1], "19.h");
	assert_string_equal(sets.items[15].paths[1], "4.h");
}

static void an_empty_set_is_a_set(void **state)
{
	struct fixture *f = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_digest key = key_of("d");
	const struct xb_dep_set none = {0};
	struct xb_dep_sets sets;

	assert_ok(xb_deps_put(f->store, &key, &none, &f->err), &f->err);
	put_deps(f, &key, "a.c", NULL);
	sets = deps(f, &key, &arena);
	assert_int_equal(sets.len, 2);
	assert_int_equal(sets.items[1].len, 0);
}

static void damaged_dependencies_are_none(void **state)
{
	struct fixture *f = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_digest key = key_of("d");
	char *path XB_CLEANUP(xb_free_ptr) = entry_of(f, &key);

	put_deps(f, &key, "a.c", "a.h");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(truncate(path, 80), 0);
	assert_int_equal(deps(f, &key, &arena).len, 0);
	assert_false(xb_fs_exists(path));
}

/* Given up: gone for this store, for who opens it next, and when a process that had it open still publishes. */
static void given_up_results_never_come_back(void **state)
{
	struct fixture *f = *state;
	struct xb_reapi_output output;
	struct xb_store *other = NULL, *const first = f->store;
	const struct xb_digest key = key_of("k");

	put_result(f, &key, &output);
	assert_ok(xb_store_open(f->store_dir, NULL, &other, &f->err), &f->err);
	assert_string_equal(xb_store_generation(other), "");
	assert_ok(xb_store_renew(other, &f->err), &f->err);
	put_result(f, &key, &output); /* by the first, which knows nothing of it */
	assert_int_equal(strlen(xb_store_generation(other)), 16);
	f->store = other;
	assert_int_equal(get(f, &key), 0);
	put_result(f, &key, &output);
	assert_int_equal(get(f, &key), 1);
	f->store = first;
	xb_store_close(other);
	assert_ok(xb_store_open(f->store_dir, NULL, &other, &f->err), &f->err);
	f->store = other;
	assert_int_equal(get(f, &key), 1); /* of its generation */
	assert_ok(xb_store_renew(other, &f->err), &f->err);
	assert_int_equal(get(f, &key), 0);
	f->store = first;
	xb_store_close(other);
}

/* Nobody knows any more which results counted: none do. */
static void a_damaged_generation_is_a_new_one(void **state)
{
	struct fixture *f = *state;
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/generation", f->store_dir);
	struct xb_reapi_output output;
	struct xb_store *other = NULL, *const first = f->store;
	const struct xb_digest key = key_of("k");

	put_result(f, &key, &output);
	write_text(path, "0123");
	assert_ok(xb_store_open(f->store_dir, NULL, &other, &f->err), &f->err);
	assert_int_equal(strlen(xb_store_generation(other)), 16);
	f->store = other;
	assert_int_equal(get(f, &key), 0);
	f->store = first;
	xb_store_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hit_and_miss),
		TEST(any_damage_is_a_miss),
		TEST(an_entry_answers_to_its_own_key),
		TEST(dependencies_most_recent_first),
		TEST(at_most_sixteen_sets),
		TEST(an_empty_set_is_a_set),
		TEST(damaged_dependencies_are_none),
		TEST(what_is_no_file_goes),
		TEST(given_up_results_never_come_back),
		TEST(a_damaged_generation_is_a_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
