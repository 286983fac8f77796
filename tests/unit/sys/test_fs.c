/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "sample.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/pool.h"

#define NOBODY 65534

/* Permissions mean nothing to root: tests of them run as somebody else. */
static void become_nobody(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
}

static void become_oneself(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static int make_dir(void **state)
{
	*state = sample_dir();
	return 0;
}

static int drop_dir(void **state)
{
	become_oneself();
	sample_dir_remove(*state);
	return 0;
}

static void close_accepts_all(void **state)
{
	int none = -1, fd = open("/dev/null", O_RDONLY);
	const int was = fd;

	(void)state;
	xb_fs_close(NULL);
	xb_fs_close(&none);
	xb_fs_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(was, F_GETFD), -1);
}

static void read_keeps_to_its_cap(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "f");
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	sample_write(path,
		     "12\0"
		     "45",
		     5);
	xb_str_append(&out, "old");
	assert_int_equal(xb_fs_read(path, 4, &out, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, path));
	assert_string_equal(out.data, "old");
	xb_err_clear(&err);
	assert_int_equal(xb_fs_read(path, 5, &out, &err), 0);
	assert_int_equal(out.len, 5);
	assert_memory_equal(out.data,
			    "12\0"
			    "45",
			    6);
	assert_true(xb_str_append(&out, "more"));
	sample_write(path, "", 0);
	assert_int_equal(xb_fs_read(path, 0, &out, &err), 0);
	assert_int_equal(out.len, 0);
	assert_string_equal(out.data, "");
}

static void read_takes_regular_files_only(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "fifo");
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(xb_fs_read(path, 10, &out, &err), XB_E_INPUT); /* and does not hang */
	xb_err_clear(&err);
	assert_int_equal(xb_fs_read(*state, 10, &out, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "a directory"));
	xb_err_clear(&err);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(xb_fs_read(path, 10, &out, &err), XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, path));
}

#ifdef __linux__
/* Files there say that they are empty. */
static void read_does_not_trust_the_size(void **state)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	assert_int_equal(xb_fs_read("/proc/self/status", XB_MIB, &out, &err), 0);
	assert_true(out.len > 100);
	assert_int_equal(xb_fs_read("/proc/self/status", 50, &out, &err), XB_E_INPUT);
}
#endif

static void a_pipe_is_read_to_the_length_or_the_end(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char buf[8] = "";
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(xb_fs_write_all(fds[1], "abcdefg", 7, "pipe", &err), 0);
	xb_fs_close(&fds[1]);
	assert_int_equal(xb_fs_read_some(fds[0], buf, 4, "pipe", &err), 4);
	assert_memory_equal(buf, "abcd", 4);
	assert_int_equal(xb_fs_read_some(fds[0], buf, 8, "pipe", &err), 3);
	assert_int_equal(xb_fs_read_some(fds[0], buf, 8, "pipe", &err), 0);
	xb_fs_close(&fds[0]);
	assert_int_equal(xb_fs_read_some(-1, buf, 8, "the name", &err), XB_E_SYSTEM);
	assert_non_null(strstr(err.msg, "the name"));
	xb_err_clear(&err);
	assert_int_equal(xb_fs_write_all(-1, buf, 8, "the name", &err), XB_E_SYSTEM);
	assert_non_null(strstr(err.msg, "the name"));
}

static void mkdirs_ignores_the_umask(void **state)
{
	static const char *const names[] = {"a", "a/b", "a/b/c"};
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "a//b/c//");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const mode_t old = umask(077);

	assert_int_equal(xb_fs_mkdirs(path, 0751, &err), 0);
	umask(old);
	for (size_t i = 0; i < XB_COUNT(names); i++) {
		char *dir XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, names[i]);

		assert_int_equal(mode_of(dir), 0751);
	}
	assert_int_equal(xb_fs_mkdirs(path, 0700, &err), 0);
	assert_int_equal(mode_of(path), 0751); /* what was there stays as it was */
	assert_int_equal(xb_fs_mkdirs("/", 0700, &err), 0);
	assert_int_equal(xb_fs_mkdirs(".", 0700, &err), 0);
}

static void mkdirs_refuses_a_file_in_the_way(void **state)
{
	char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "f");
	char *below XB_CLEANUP(xb_free_ptr) = xb_path_join(file, "d");
	char *dangling XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "l");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	sample_write(file, "", 0);
	assert_int_equal(symlink("nowhere", dangling), 0);
	assert_int_equal(xb_fs_mkdirs(file, 0755, &err), XB_E_SYSTEM);
	assert_non_null(strstr(err.msg, "/f' is a file, expected a directory"));
	assert_non_null(strstr(err.hint, file));
	xb_err_clear(&err);
	assert_int_equal(xb_fs_mkdirs(below, 0755, &err), XB_E_SYSTEM);
	assert_non_null(strstr(err.msg, "/f' is a file, expected a directory"));
	xb_err_clear(&err);
	assert_true(xb_fs_mkdirs(dangling, 0755, &err) < 0);
	assert_non_null(strstr(err.msg, dangling));
	assert_non_null(strstr(err.msg, "a link that leads to none"));
	xb_err_clear(&err);
	assert_int_equal(xb_fs_mkdirs("", 0755, &err), XB_E_NOT_FOUND);
}

static int race_mkdirs(void *ctx, size_t i, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/r%zu/a/b/c", (const char *)ctx, i / 16);

	return xb_fs_mkdirs(path, 0755, err);
}

static void mkdirs_may_race_with_itself(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_parallel(1600, 16, race_mkdirs, *state, &err), 0);
}

static void remove_never_follows_links(void **state)
{
	char *outside XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "outside");
	char *canary XB_CLEANUP(xb_free_ptr) = xb_path_join(outside, "canary");
	char *tree XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "tree");
	char *sub XB_CLEANUP(xb_free_ptr) = xb_path_join(tree, "a/b");
	char *to_dir XB_CLEANUP(xb_free_ptr) = xb_path_join(sub, "dir");
	char *to_file XB_CLEANUP(xb_free_ptr) = xb_path_join(sub, "file");
	char *dangling XB_CLEANUP(xb_free_ptr) = xb_path_join(tree, "dangling");
	char *top XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "top");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_fs_mkdirs(outside, 0555, &err), 0);
	assert_int_equal(chmod(outside, 0755), 0);
	sample_write(canary, "x", 1);
	assert_int_equal(chmod(outside, 0555), 0);
	assert_int_equal(xb_fs_mkdirs(sub, 0755, &err), 0);
	assert_int_equal(symlink(outside, to_dir), 0);
	assert_int_equal(symlink(canary, to_file), 0);
	assert_int_equal(symlink("nowhere", dangling), 0);
	assert_int_equal(symlink(outside, top), 0);

	assert_int_equal(xb_fs_remove(tree, &err), 0);
	assert_false(xb_fs_exists(tree));
	assert_int_equal(xb_fs_remove(top, &err), 0);
	assert_false(xb_fs_exists(top));
	assert_true(xb_fs_exists(canary));
	assert_int_equal(mode_of(outside), 0555);
	assert_int_equal(xb_fs_remove(tree, &err), 0); /* missing is success */
}

static void remove_opens_locked_directories(void **state)
{
	static const mode_t modes[] = {0000, 0500, 0400, 0100, 0300, 0555};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *base, *tree;

	(void)state;
	become_nobody();
	base = sample_dir();
	tree = xb_path_join(base, "tree");
	for (size_t i = 0; i < XB_COUNT(modes); i++) {
		char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%zu/d", tree, i);
		char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "f");
		char *parent XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%zu", tree, i);

		assert_int_equal(xb_fs_mkdirs(dir, 0755, &err), 0);
		sample_write(file, "x", 1);
		assert_int_equal(chmod(file, 0), 0);
		assert_int_equal(chmod(dir, modes[i]), 0);
		assert_int_equal(chmod(parent, modes[i]), 0);
	}
	assert_int_equal(chmod(tree, 0), 0);
	assert_int_equal(xb_fs_remove(tree, &err), 0);
	assert_false(xb_fs_exists(tree));
	free(tree);
	sample_dir_remove(base);
}

static void remove_names_what_it_cannot_remove(void **state)
{
	char *locked = sample_dir();
	char *sub XB_CLEANUP(xb_free_ptr) = xb_path_join(locked, "sub");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	assert_int_equal(mkdir(sub, 0755), 0);
	assert_int_equal(chmod(locked, 0555), 0);
	become_nobody();
	assert_int_equal(xb_fs_remove(sub, &err), XB_E_SYSTEM); /* its parent is not ours to open */
	assert_non_null(strstr(err.msg, sub));
	become_oneself();
	assert_true(xb_fs_is_dir(sub));
	assert_int_equal(chmod(locked, 0755), 0);
	sample_dir_remove(locked);
}

/* Deeper than a path can be long, and than there are descriptors. */
static void remove_goes_as_deep_as_it_must(void **state)
{
	char *tree XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "deep");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	int fd;

	assert_int_equal(mkdir(tree, 0755), 0);
	fd = open(tree, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 3000; i++) {
		int next, file;

		assert_int_equal(mkdirat(fd, "directory", 0755), 0);
		file = openat(fd, "zfile", O_WRONLY | O_CREAT, 0644);
		assert_true(file >= 0);
		close(file);
		next = openat(fd, "directory", O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(xb_fs_remove(tree, &err), 0);
	assert_false(xb_fs_exists(tree));
}

static void remove_empties_wide_directories(void **state)
{
	char *tree XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "wide");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	for (int i = 0; i < 3000; i++) {
		char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%d", tree, i);

		assert_int_equal(xb_fs_mkdirs(dir, 0755, &err), 0);
	}
	assert_int_equal(xb_fs_remove(tree, &err), 0);
	assert_false(xb_fs_exists(tree));
}

static void copy_gives_bytes_and_mode(void **state)
{
	static const size_t sizes[] = {0, 1, 65536, 1000003};
	static char bytes[1000003];
	char *from XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "from");
	char *to XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "to");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};
	const mode_t old = umask(077);

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i % 251);
	for (size_t i = 0; i < XB_COUNT(sizes); i++) {
		sample_write(from, bytes, sizes[i]);
		assert_int_equal(xb_fs_copy(from, to, 0654, &err), 0);
		sample_read(to, &got);
		assert_int_equal(got.len, sizes[i]);
		if (sizes[i])
			assert_memory_equal(got.data, bytes, sizes[i]);
		assert_int_equal(mode_of(to), 0654);
		assert_int_equal(unlink(to), 0);
	}
	umask(old);
}

static void copy_leaves_nothing_behind_when_it_fails(void **state)
{
	char *from XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "from");
	char *to XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "to");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};

	assert_int_equal(xb_fs_copy(from, to, 0644, &err), XB_E_NOT_FOUND);
	xb_err_clear(&err);
	assert_int_equal(xb_fs_copy(*state, to, 0644, &err), XB_E_INPUT);
	xb_err_clear(&err);
	assert_false(xb_fs_exists(to));
	sample_write(from, "new", 3);
	sample_write(to, "old", 3);
	assert_int_equal(xb_fs_copy(from, to, 0644, &err), XB_E_SYSTEM); /* must not exist */
	assert_non_null(strstr(err.msg, to));
	sample_read(to, &got);
	assert_string_equal(got.data, "old");
}

static void copy_replace_replaces(void **state)
{
	char *from XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "from");
	char *dir XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "d");
	char *to XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "to");
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};

	assert_int_equal(mkdir(dir, 0755), 0);
	sample_write(from, "new", 3);
	sample_write(to, "old text", 8);
	assert_int_equal(xb_fs_copy_replace(from, to, 0600, &err), 0);
	sample_read(to, &got);
	assert_string_equal(got.data, "new");
	assert_int_equal(mode_of(to), 0600);
	assert_int_equal(unlink(from), 0);
	assert_int_equal(xb_fs_copy_replace(from, to, 0600, &err), XB_E_NOT_FOUND);
	xb_err_clear(&err);
	sample_read(to, &got);
	assert_string_equal(got.data, "new");
	assert_int_equal(xb_fs_list(dir, &list, &err), 0);
	assert_int_equal(list.len, 1);
}

#ifdef __linux__
/* A source of which the size is not known, on another file system: neither fast way can copy it. */
static void copy_falls_back_to_bytes(void **state)
{
	char *to XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "to");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str expected XB_CLEANUP(xb_str_release) = {0};
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};

	sample_read("/proc/version", &expected);
	assert_int_equal(xb_fs_copy("/proc/version", to, 0644, &err), 0);
	sample_read(to, &got);
	assert_true(got.len > 0);
	assert_string_equal(got.data, expected.data);
}
#endif

static void list_is_sorted_and_tells_kinds(void **state)
{
	static const char *const files[] = {"b", "B", "a-", "a", "\xc3\xa9", ".hidden"};
	static const char *const sorted[] = {".hidden", "B", "a", "a-", "b", "dir", "fifo", "link", "\xc3\xa9"};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	for (size_t i = 0; i < XB_COUNT(files); i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, files[i]);

		sample_write(path, "", 0);
	}
	char *dir XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "dir");
	char *link XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "link");
	char *fifo XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "fifo");
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(symlink("dir", link), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);

	assert_int_equal(xb_fs_list(*state, &list, &err), 0);
	assert_int_equal(list.len, XB_COUNT(sorted));
	for (size_t i = 0; i < list.len; i++) {
		const struct xb_fs_entry *e = &list.items[i];

		assert_string_equal(e->name, sorted[i]);
		assert_int_equal(e->is_dir, strcmp(e->name, "dir") == 0);
		assert_int_equal(e->is_link, strcmp(e->name, "link") == 0);
		assert_int_equal(e->is_file, !e->is_dir && !e->is_link && strcmp(e->name, "fifo") != 0);
	}
	xb_fs_list_release(&list);
	assert_int_equal(xb_fs_list(dir, &list, &err), 0);
	assert_int_equal(list.len, 0);
	assert_int_equal(xb_fs_list(fifo, &list, &err), XB_E_SYSTEM);
	assert_non_null(strstr(err.msg, fifo));
}

static void exists_sees_dangling_links(void **state)
{
	char *link XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "l");
	char *to_dir XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "d");

	assert_false(xb_fs_exists(link));
	assert_int_equal(symlink("nowhere", link), 0);
	assert_true(xb_fs_exists(link));
	assert_false(xb_fs_is_dir(link));
	assert_int_equal(symlink(*state, to_dir), 0);
	assert_true(xb_fs_is_dir(to_dir));
}

static void sync_works_or_names_the_path(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_fs_sync(*state, &err), 0);
#ifdef __linux__
	char *missing XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "missing");
	assert_int_equal(xb_fs_sync(missing, &err), XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, missing));
#endif
}

static void paths_are_resolved(void **state)
{
	char *link XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "l");
	char *long_name XB_CLEANUP(xb_free_ptr) = NULL;
	char *before XB_CLEANUP(xb_free_ptr) = NULL;
	char *cwd XB_CLEANUP(xb_free_ptr) = NULL;
	char *real XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str deep XB_CLEANUP(xb_str_release) = {0};

	assert_int_equal(xb_fs_cwd(&before, &err), 0);
	long_name = xb_alloc(201);
	memset(long_name, 'n', 200);
	xb_str_printf(&deep, "%s/%s/%s/%s", (const char *)*state, long_name, long_name, long_name);
	assert_int_equal(xb_fs_mkdirs(deep.data, 0755, &err), 0);
	assert_int_equal(symlink(deep.data, link), 0);
	assert_int_equal(chdir(link), 0);
	assert_int_equal(xb_fs_cwd(&cwd, &err), 0);
	assert_int_equal(xb_fs_realpath(link, &real, &err), 0);
	assert_string_equal(cwd, real);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(xb_fs_realpath("/no/such/path", &real, &err), XB_E_NOT_FOUND);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_accepts_all),
		IN_DIR(read_keeps_to_its_cap),
		IN_DIR(read_takes_regular_files_only),
#ifdef __linux__
		IN_DIR(read_does_not_trust_the_size),
		IN_DIR(copy_falls_back_to_bytes),
#endif
		IN_DIR(a_pipe_is_read_to_the_length_or_the_end),
		IN_DIR(mkdirs_ignores_the_umask),
		IN_DIR(mkdirs_refuses_a_file_in_the_way),
		IN_DIR(mkdirs_may_race_with_itself),
		IN_DIR(remove_never_follows_links),
		IN_DIR(remove_opens_locked_directories),
		IN_DIR(remove_names_what_it_cannot_remove),
		IN_DIR(remove_goes_as_deep_as_it_must),
		IN_DIR(remove_empties_wide_directories),
		IN_DIR(copy_gives_bytes_and_mode),
		IN_DIR(copy_leaves_nothing_behind_when_it_fails),
		IN_DIR(copy_replace_replaces),
		IN_DIR(list_is_sorted_and_tells_kinds),
		IN_DIR(exists_sees_dangling_links),
		IN_DIR(sync_works_or_names_the_path),
		IN_DIR(paths_are_resolved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
