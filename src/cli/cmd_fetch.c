/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static const struct opt options[] = {
	{"want", 0, OPT_LIST, "WHAT", NULL,
	 "only this: toolchain:HOST, tools:HOST, sysroot:TARGET, package:TARGET/NAME, contents:TARGET",
	 offsetof(struct values, wants), NULL},
	{"verify", 0, OPT_FLAG, NULL, NULL, "compare what is unpacked with what was locked, and mend it",
	 offsetof(struct values, verify), NULL},
	{NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, NULL},
};

const struct command cmd_fetch = {
	.name = "fetch",
	.synopsis = NULL,
	.summary = "download and unpack all that is locked for this host",
	.details = "After it, build, test and image work with --offline.",
	.options = options,
	.project = true,
	.max_args = 0,
	.run = cmd_fetch_run,
};
