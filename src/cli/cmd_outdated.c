/* SPDX-License-Identifier: Apache-2.0 */
#include "build_options.h"

static const struct opt options[] = {
	{"allow-rollback", 0, OPT_FLAG, NULL, NULL, "accept a Release older than the locked one",
	 offsetof(struct values, allow_rollback), NULL},
	OPTION_JSON,
	OPTION_END,
};

const struct command cmd_outdated = {
	.name = "outdated",
	.synopsis = NULL,
	.summary = "what 'xbuild lock --update' would change; exit 1 if anything",
	.details = "Reads the signed indexes and solves anew, as 'xbuild lock --update' does, and compares the result\n"
		   "with xbuild.lock. Nothing is written. The exit status is 0 when nothing is newer, 1 when something "
		   "is.",
	.options = options,
	.project = true,
	.max_args = 0,
	.run = cmd_outdated_run,
};
