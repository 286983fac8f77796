/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static const struct opt options[] = {
	{"image", 0, OPT_TEXT, "NAME", NULL, "the packages of this image instead of the sysroot's",
	 offsetof(struct values, image), NULL},
	{"dry-run", 'n', OPT_FLAG, NULL, NULL, "show what would change; nothing is written",
	 offsetof(struct values, dry_run), NULL},
	{"allow-rollback", 0, OPT_FLAG, NULL, NULL, "accept a Release older than the locked one",
	 offsetof(struct values, allow_rollback), NULL},
	{NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, NULL},
};

const struct command cmd_add = {
	.name = "add",
	.synopsis = "PACKAGE...",
	.summary = "add Debian packages to the project file, and lock them",
	.details =
		"The file keeps its comments and its layout. Nothing is written unless every target has the packages\n"
		"and they go with what is locked.",
	.options = options,
	.project = true,
	.max_args = -1,
	.run = cmd_add_run,
};

const struct command cmd_remove = {
	.name = "remove",
	.synopsis = "PACKAGE...",
	.summary = "take packages out of the project file again, and lock",
	.details = "The reverse of add: what nothing else needs leaves the lock.",
	.options = options,
	.project = true,
	.max_args = -1,
	.run = cmd_add_run,
};
