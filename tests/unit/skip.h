/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that need what not every machine has: a skipped one says what that is, and scripts/test shows it. */
#ifndef XBUILD_TESTS_SKIP_H
#define XBUILD_TESTS_SKIP_H

/* Include after cmocka.h. */
#define skip_without(what)                                                                                             \
	do {                                                                                                           \
		print_message("SKIPPED: no %s\n", what);                                                               \
		skip();                                                                                                \
	} while (0)

#endif
