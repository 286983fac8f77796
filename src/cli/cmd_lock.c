/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static const struct opt options[] = {
	{"update", 0, OPT_FLAG, NULL, NULL, "take newer versions: of the named packages, or of all",
	 offsetof(struct values, update), NULL},
	{"check", 0, OPT_FLAG, NULL, NULL, "change nothing; exit 3 if the lock is missing or stale",
	 offsetof(struct values, check), NULL},
	{"allow-rollback", 0, OPT_FLAG, NULL, NULL, "accept a Release older than the locked one",
	 offsetof(struct values, allow_rollback), NULL},
	{"why", 0, OPT_TEXT, "PKG", NULL, "change nothing; print the chains of dependencies that bring in a package",
	 offsetof(struct values, why), NULL},
	{"apko", 0, OPT_TEXT, "FILE", NULL,
	 "resolve this apko.yaml and write the apko.lock.json beside it; nothing else", offsetof(struct values, apko),
	 NULL},
	{NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, NULL},
};

const struct command cmd_lock = {
	.name = "lock",
	.synopsis = "[NAME...]",
	.summary = "resolve and verify every input; write xbuild.lock",
	.details =
		"Reads the signed indexes of the Debian suites, solves for every host's toolchain and every target's\n"
		"sysroot, and writes xbuild.lock. What is locked stays locked and what is missing is added; with\n"
		"--update newer versions are taken (of the packages NAME..., or of all).",
	.options = options,
	.project = true,
	.max_args = -1,
	.run = cmd_lock_run,
};
