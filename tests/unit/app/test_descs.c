/* SPDX-License-Identifier: Apache-2.0 */
/* A data file that xbuild.yaml names and nobody has: told at its place, with what is meant, both in one run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/app/app.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

static void check(const char *head, const char *expected)
{
	char *dir XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s/xbuild-descs-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	struct xb_str found XB_CLEANUP(xb_str_release) = {0};
	struct xb_app app = {.data_dir = xb_strdup(XB_TEST_SOURCE_DIR)};
	struct xb_err err = {0};
	char *path;
	FILE *file;
	int rc;

	assert_non_null(mkdtemp(dir));
	path = xb_path_join(dir, "xbuild.yaml");
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "name: demo\n%sbuild: { demo: { sources: [a.c] } }\n", head);
	assert_int_equal(fclose(file), 0);
	app.options.dir = dir;
	rc = xb_app_need_descs(&app, &err);
	assert_int_equal(rc, *expected ? XB_E_INPUT : 0);
	for (size_t i = 0; i < app.diags.list.len; i++) {
		const struct xb_diag *d = &app.diags.list.items[i];

		xb_str_printf(&found, "%d:%d+%d %s; %s\n", d->at.line, d->at.col, d->at.len, d->message, d->help);
		assert_non_null(d->text);
	}
	assert_string_equal(xb_str_get(&found), expected);
	xb_app_release(&app);
	xb_err_clear(&err);
	assert_int_equal(xb_fs_remove(dir, &err), 0);
	free(path);
}

static void unknown_data_files_are_told_at_their_place(void **state)
{
	(void)state;
	check("", "");
	check("toolchain: { llvm: \"19\" }\nsysroot: { debian: trixie }\n", "");
	check("sysroot: { debian: bookwrm }\n",
	      "2:20+7 debian: there is no sysroot of release 'bookwrm'; did you mean 'bookworm'?\n");
	check("sysroot:\n  debian: foo\ntoolchain:\n  llvm: \"99\"\n",
	      "3:11+3 debian: there is no sysroot of release 'foo'; known here: bookworm, bullseye, trixie\n"
	      "5:9+4 llvm: there is no toolchain '99'; known here: 18, 19, 20, 21, 22\n");
	check("image: { demo: { base: debian-cc }, other: { base: { debian: [] }, files: { /a: build:demo } } }\n", "");
	check("image: { demo: { base: debian-statc } }\n",
	      "2:24+12 base: there is no base 'debian-statc'; did you mean 'debian-static'?\n");
	check("image: { demo: { base: debian-of-mine } }\n",
	      "2:24+14 base: there is no base 'debian-of-mine'; known here: debian-base, debian-cc, debian-static\n");
	check("toolchain: { llvm: \"99\" }\nsysroot: { debian: trixy }\n",
	      "2:20+4 llvm: there is no toolchain '99'; known here: 18, 19, 20, 21, 22\n"
	      "3:20+5 debian: there is no sysroot of release 'trixy'; did you mean 'trixie'?\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(unknown_data_files_are_told_at_their_place)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
