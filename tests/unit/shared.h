/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixtures of other projects, which are not part of this one: below the directory that XB_SHARED names, else ../shared
 * beside the source tree. A test that needs them is skipped where they are not (tests/unit/skip.h).
 */
#ifndef XBUILD_TESTS_SHARED_H
#define XBUILD_TESTS_SHARED_H

#include <stdlib.h>

#include "xbuild/base/alloc.h"
#include "xbuild/sys/fs.h"

/* Owned path of a fixture, or NULL when it is not there. */
static inline char *shared_path(const char *name)
{
	const char *dir = getenv("XB_SHARED");
	char *path = xb_printf("%s/fixtures/%s", dir && *dir ? dir : XB_TEST_SOURCE_DIR "/../shared", name);

	if (xb_fs_exists(path))
		return path;
	free(path);
	return NULL;
}

#endif
