/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a directory of its own for each test. */
#ifndef XBUILD_TESTS_STORE_FIXTURE_H
#define XBUILD_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/store/store.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

struct fixture {
	char *dir;		/* temporary directory of the test */
	char *store_dir;	/* in it */
	struct xb_store *store; /* open */
	struct xb_err err;
};

static inline int setup(void **state)
{
	struct fixture *f = xb_alloc(sizeof(*f));
	const char *base = getenv("TMPDIR");

	f->dir = xb_printf("%s/xb-store-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(f->dir))
		return -1;
	f->store_dir = xb_printf("%s/a store", f->dir);
	*state = f;
	if (xb_store_open(f->store_dir, NULL, &f->store, &f->err) < 0) {
		fprintf(stderr, "%s\n", f->err.msg);
		return -1;
	}
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	struct xb_err ignored = {0};

	xb_store_close(f->store);
	(void)!xb_fs_remove(f->dir, &ignored);
	xb_err_release(&ignored);
	xb_err_release(&f->err);
	free(f->store_dir);
	free(f->dir);
	free(f);
	return 0;
}

static inline void assert_ok(int rc, struct xb_err *err)
{
	if (rc < 0)
		print_error("%s\n", err->msg ? err->msg : "no message");
	assert_true(rc >= 0);
	assert_int_equal(err->code, XB_OK);
}

/* The error has this code and its message holds `text`; it is cleared. */
static inline void assert_failed(int rc, struct xb_err *err, enum xb_code code, const char *text)
{
	if (rc != (int)code || err->code != code || !strstr(err->msg, text))
		print_error("rc %d, code %d, message: %s\n", rc, err->code, err->msg ? err->msg : "");
	assert_int_equal(rc, code);
	assert_int_equal(err->code, code);
	assert_non_null(strstr(err->msg, text));
	xb_err_clear(err);
}

static inline void write_text(const char *path, const char *text)
{
	struct xb_err err = {0};

	assert_ok(xb_atomic_file_write(path, text, strlen(text), 0644, 0, &err), &err);
}

static inline char *read_text(const char *path)
{
	struct xb_err err = {0};
	struct xb_str text = {0};

	assert_ok(xb_fs_read(path, 1 << 30, &text, &err), &err);
	return xb_str_steal(&text);
}

static inline size_t count_files(const char *dir)
{
	struct xb_err err = {0};
	struct xb_fs_list list = {0};
	size_t len;

	assert_ok(xb_fs_list(dir, &list, &err), &err);
	len = list.len;
	xb_fs_list_release(&list);
	return len;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
