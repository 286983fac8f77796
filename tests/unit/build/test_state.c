/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/build/state.h"
#include "xbuild/sys/fs.h"

struct bench {
	struct fake fake;
	char *file, *cache_file;
	struct xb_statcache *cache;
	struct xb_shadows *shadows;
	struct xb_state *state;
	const char *generation; /* of the store */
};

static void open_state(struct bench *b)
{
	b->cache = xb_statcache_open(b->cache_file, b->fake.project_dir);
	b->shadows = xb_shadows_open(b->fake.project_dir);
	b->state = xb_state_open(b->file, b->generation, b->cache, b->shadows);
}

static void close_state(struct bench *b)
{
	xb_state_free(b->state);
	xb_shadows_free(b->shadows);
	xb_statcache_free(b->cache);
}

static void save(struct bench *b)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	if (xb_state_save(b->state, &err) < 0)
		fail_msg("%s", err.msg);
	close_state(b);
	open_state(b);
}

static void start(struct bench *b)
{
	fake_open(&b->fake);
	b->file = xb_path_join(b->fake.project_dir, "state");
	b->cache_file = xb_path_join(b->fake.project_dir, "cache");
	fake_write(&b->fake, "a.c", "a");
	fake_write(&b->fake, "b.c", "b");
	fake_write(&b->fake, "h.h", "h");
	b->generation = "";
	open_state(b);
}

static void stop(struct bench *b)
{
	close_state(b);
	free(b->file);
	free(b->cache_file);
	fake_close(&b->fake);
}

static void put(struct bench *b, const char *output, unsigned char mark, const char *const *deps)
{
	struct xb_state_record record = {.size_bytes = mark};
	size_t n = 0;

	while (deps[n])
		n++;
	record.fingerprint.bytes[0] = record.inputs.bytes[1] = record.result.bytes[2] = mark;
	record.placed.inode = mark;
	xb_state_put(b->state, output, &record, deps, n);
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_record(struct bench *b, const char *output, unsigned char mark, bool fresh)
{
	uint32_t index;
	const struct xb_state_record *record = xb_state_find(b->state, output, &index);

	assert_non_null(record);
	assert_int_equal(record->fingerprint.bytes[0], mark);
	assert_int_equal(record->inputs.bytes[1], mark);
	assert_int_equal(record->result.bytes[2], mark);
	assert_int_equal(record->size_bytes, mark);
	assert_int_equal(record->placed.inode, mark);
	assert_int_equal(xb_state_is_fresh(b->state, index), fresh);
}

static void assert_gone(struct bench *b, const char *output)
{
	uint32_t index;

	assert_null(xb_state_find(b->state, output, &index));
}

static void test_remembers(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	assert_gone(&b, "a.o");
	put(&b, "a.o", 1, LIST("a.c", "h.h", "!new.h"));
	put(&b, "b.o", 2, LIST("b.c", "h.h"));
	put(&b, "app", 3, (const char *const[]){NULL});
	xb_state_note(b.state)->bytes[0] = 9;
	save(&b);
	assert_record(&b, "a.o", 1, true);
	assert_record(&b, "b.o", 2, true);
	assert_record(&b, "app", 3, true);
	assert_record(&b, "a.o", 1, true); /* out of order */
	assert_gone(&b, "c.o");
	assert_int_equal(xb_state_note(b.state)->bytes[0], 9);
	stop(&b);
}

static void test_sees_changes(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	put(&b, "a.o", 1, LIST("a.c", "h.h", "!new.h"));
	put(&b, "b.o", 2, LIST("b.c"));
	save(&b);
	fake_write(&b.fake, "h.h", "H");
	close_state(&b);
	open_state(&b);
	assert_record(&b, "a.o", 1, false);
	assert_record(&b, "b.o", 2, true);
	fake_write(&b.fake, "h.h", "h");
	fake_write(&b.fake, "new.h", "");
	close_state(&b);
	open_state(&b);
	assert_record(&b, "a.o", 1, false);
	assert_record(&b, "b.o", 2, true);
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(b.fake.project_dir, "b.c");

	assert_int_equal(unlink(path), 0);
	close_state(&b);
	open_state(&b);
	assert_record(&b, "b.o", 2, false);
	stop(&b);
}

/* A record made with an old content of a header must not become valid because another record saw the new one. */
/* What outputs were made from, by who opens the file only to ask. */
static void test_tells_what_was_read(void **state)
{
	static const char *const both[] = {"one", "two"}, *const unknown[] = {"one", "three"};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_state_file *files;
	struct xb_digest before, digest;
	struct xb_state *asked;
	struct bench b;
	size_t n;

	(void)state;
	start(&b);
	xb_state_digest(b.state, &before);
	assert_true(xb_digest_is_zero(&before));
	put(&b, "one", 1, (const char *const[]){"h.h", "!absent.h", "a.c", NULL});
	put(&b, "two", 2, (const char *const[]){"b.c", "h.h", NULL});
	put(&b, "none", 3, (const char *const[]){NULL});
	save(&b);
	xb_state_digest(b.state, &before);
	assert_false(xb_digest_is_zero(&before));
	asked = xb_state_open(b.file, b.generation, NULL, NULL);
	assert_true(xb_state_reads(asked, both, 2, &arena, &files, &n));
	assert_int_equal(n, 3);
	assert_string_equal(files[0].path, "a.c");
	assert_string_equal(files[1].path, "b.c");
	assert_string_equal(files[2].path, "h.h");
	xb_digest_bytes("b", 1, &digest);
	assert_true(xb_digest_eq(&files[1].digest, &digest));
	assert_true(xb_state_reads(asked, (const char *const[]){"none"}, 1, &arena, &files, &n));
	assert_int_equal(n, 0);
	assert_false(xb_state_reads(asked, unknown, 2, &arena, &files, &n));
	xb_state_digest(asked, &digest);
	assert_true(xb_digest_eq(&digest, &before));
	xb_state_free(asked);

	fake_write(&b.fake, "b.c", "other");
	put(&b, "two", 4, (const char *const[]){"b.c", NULL});
	save(&b);
	xb_state_digest(b.state, &digest);
	assert_false(xb_digest_eq(&digest, &before));
	stop(&b);
}

static void test_contradictions_go(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	put(&b, "a.o", 1, LIST("a.c", "h.h"));
	put(&b, "b.o", 2, LIST("b.c", "h.h"));
	put(&b, "c.o", 3, LIST("b.c"));
	save(&b);
	fake_write(&b.fake, "h.h", "H");
	close_state(&b);
	open_state(&b);
	put(&b, "a.o", 4, LIST("a.c", "h.h"));
	save(&b); /* b.o was not asked for: a build of one unit */
	assert_record(&b, "a.o", 4, true);
	assert_gone(&b, "b.o");
	assert_record(&b, "c.o", 3, true);
	stop(&b);
}

static void test_drop_and_keep(void **state)
{
	const struct xb_placed placed = {.inode = 77};
	struct bench b;
	uint32_t index;

	(void)state;
	start(&b);
	put(&b, "a.o", 1, LIST("a.c"));
	put(&b, "b.o", 2, LIST("b.c"));
	save(&b);
	xb_state_drop(b.state, "a.o");
	assert_gone(&b, "a.o");
	assert_non_null(xb_state_find(b.state, "b.o", &index));
	xb_state_keep(b.state, index, &placed);
	save(&b);
	assert_gone(&b, "a.o");
	const struct xb_state_record *record = xb_state_find(b.state, "b.o", &index);

	assert_non_null(record);
	assert_int_equal(record->placed.inode, 77);
	stop(&b);
}

/* Every byte flipped, every length cut: an empty state or a good one, never anything else. */
static void test_damage(void **state)
{
	struct bench b;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	start(&b);
	put(&b, "a.o", 1, LIST("a.c", "h.h", "!new.h"));
	save(&b);
	assert_int_equal(xb_fs_read(b.file, 1 << 20, &text, &err), 0);
	for (size_t i = 0; i < 2 * text.len; i++) {
		FILE *out = fopen(b.file, "w");

		assert_non_null(out);
		if (i < text.len) {
			text.data[i] ^= 0x55;
			fwrite(text.data, 1, text.len, out);
			text.data[i] ^= 0x55;
		} else {
			fwrite(text.data, 1, i - text.len, out);
		}
		fclose(out);
		close_state(&b);
		open_state(&b);
		assert_gone(&b, "a.o");
	}
	stop(&b);
}

static void test_placed(void **state)
{
	struct bench b;
	struct xb_placed one, two;

	(void)state;
	start(&b);
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(b.fake.project_dir, "a.c");
	char *none XB_CLEANUP(xb_free_ptr) = xb_path_join(b.fake.project_dir, "none");

	xb_placed_read(path, &one);
	xb_placed_read(path, &two);
	assert_true(xb_placed_eq(&one, &two));
	fake_write(&b.fake, "a.c", "longer");
	xb_placed_read(path, &two);
	assert_false(xb_placed_eq(&one, &two));
	xb_placed_read(none, &one);
	xb_placed_read(none, &two);
	assert_false(xb_placed_eq(&one, &two));
	stop(&b);
}

/* The store gave its results up: so does the state, and what is saved then belongs to the new generation. */
static void test_generations(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	put(&b, "a.o", 1, LIST("a.c"));
	save(&b);
	assert_record(&b, "a.o", 1, true);
	b.generation = "0123456789abcdef";
	save(&b);
	assert_gone(&b, "a.o");
	put(&b, "a.o", 2, LIST("a.c"));
	save(&b);
	assert_record(&b, "a.o", 2, true);
	b.generation = "0123456789abcdee";
	save(&b);
	assert_gone(&b, "a.o");
	stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembers),	    cmocka_unit_test(test_sees_changes),
		cmocka_unit_test(test_tells_what_was_read), cmocka_unit_test(test_contradictions_go),
		cmocka_unit_test(test_drop_and_keep),	    cmocka_unit_test(test_damage),
		cmocka_unit_test(test_generations),	    cmocka_unit_test(test_placed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
