/* SPDX-License-Identifier: Apache-2.0 */
/* Option rows that build, test and image share, and how their values become xb_build_opts. */
#ifndef XBUILD_CLI_BUILD_OPTIONS_H
#define XBUILD_CLI_BUILD_OPTIONS_H

#include "cli.h"

#include "xbuild/app/op_build.h"

#define OPTION_TARGET                                                                                                  \
	{                                                                                                              \
		"target", 't', OPT_LIST, "NAME", NULL, "a target by any of its names; repeatable; default all",        \
			offsetof(struct values, targets), NULL                                                         \
	}
#define OPTION_PROFILE                                                                                                 \
	{                                                                                                              \
		"profile", 'p', OPT_TEXT, "NAME", "XBUILD_PROFILE", "dev, release (default) or one of the project",    \
			offsetof(struct values, profile), NULL                                                         \
	}
#define OPTION_KEEP_GOING                                                                                              \
	{                                                                                                              \
		"keep-going", 'k', OPT_FLAG, NULL, NULL, "go on with what does not depend on a failed job",            \
			offsetof(struct values, keep_going), NULL                                                      \
	}
#define OPTION_JSON                                                                                                    \
	{                                                                                                              \
		"json", 0, OPT_FLAG, NULL, NULL, "the result as JSON", offsetof(struct values, json), NULL             \
	}
#define OPTION_END                                                                                                     \
	{                                                                                                              \
		NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, NULL                                                           \
	}

/* `units`: whether the arguments of the command are names of units. */
struct xb_build_opts build_options(const struct cli *cli, bool units);

#endif
