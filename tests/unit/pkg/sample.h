/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this layer share: a scratch directory, files in it, and strict assertions on errors. */
#ifndef TEST_PKG_SAMPLE_H
#define TEST_PKG_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/err.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

/* Owned path of a new directory. */
static inline char *scratch_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = xb_path_join(base && *base ? base : "/tmp", "xb-pkg-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static inline void scratch_remove(char **dir)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	if (!*dir)
		return;
	assert_int_equal(xb_fs_remove(*dir, &err), 0);
	free(*dir);
}

static inline void scratch_write(const char *dir, const char *name, const void *data, size_t len)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, name);
	char *parent XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(path)));
	int fd XB_CLEANUP(xb_fs_close) = -1;

	assert_int_equal(xb_fs_mkdirs(parent, 0755, &err), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(xb_fs_write_all(fd, data, len, path, &err), 0);
}

static inline void expect_ok(int rc, struct xb_err *err)
{
	if (rc < 0)
		fail_msg("%s", err->msg);
}

/* The code, and a part of the message. */
static inline void expect_error(int rc, struct xb_err *err, enum xb_code code, const char *part)
{
	assert_int_equal(rc, code);
	assert_int_equal(err->code, code);
	if (!strstr(err->msg, part))
		fail_msg("'%s' does not hold '%s'", err->msg, part);
	xb_err_clear(err);
}

#endif
