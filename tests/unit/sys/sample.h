/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of sys share: a scratch directory, files with given bytes, and programs run for their effect. A
 * failing step fails the test. Included once per test program, after cmocka.h.
 */
#ifndef TESTS_SYS_SAMPLE_H
#define TESTS_SYS_SAMPLE_H

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

extern char **environ;

/* Owned path of a new directory below $TMPDIR or /tmp. */
static inline char *sample_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = xb_printf("%s/xb-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
	return path;
}

/* Removes what sample_dir made and frees its path. */
static inline void sample_dir_remove(char *path)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	assert_int_equal(xb_fs_remove(path, &err), 0);
	free(path);
}

/* A file without a name that holds the bytes; its offset is 0. */
static inline int sample_fd(const void *bytes, size_t len)
{
	char *dir = sample_dir();
	char *path = xb_printf("%s/f", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	size_t done = 0;
	while (done < len) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, len - done, (off_t)done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	free(path);
	free(dir);
	return fd;
}

static inline void sample_write(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static inline void sample_read(const char *path, struct xb_str *out)
{
	char buf[65536];
	size_t n;
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	xb_str_reset(out);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		assert_true(xb_str_append_n(out, buf, n));
	assert_int_equal(fclose(f), 0);
}

/* Exit status of the program found in PATH; its output goes to the file `out`. */
static inline int sample_run(const char *out, const char *const *argv)
{
	pid_t pid = 0;
	int status = 0;
	posix_spawn_file_actions_t actions;
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	for (int fd = 0; fd < 3; fd++)
		assert_int_equal(posix_spawn_file_actions_addopen(&actions, fd, fd == 1 ? out : "/dev/null",
								  fd == 1 ? O_WRONLY | O_CREAT | O_TRUNC : O_RDWR,
								  0600),
				 0);
	/* posix_spawn takes char *const *, and changes nothing. */
	union {
		const char *const *in;
		char *const *out;
	} args = {.in = argv};
	int rc = posix_spawnp(&pid, argv[0], &actions, NULL, args.out, environ);
	assert_int_equal(posix_spawn_file_actions_destroy(&actions), 0);
	if (rc != 0)
		return 127;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
#define SAMPLE_RUN_TO(out, ...) sample_run(out, (const char *const[]){__VA_ARGS__, NULL})
#define SAMPLE_RUN(...)		sample_run("/dev/null", (const char *const[]){__VA_ARGS__, NULL})

#endif
