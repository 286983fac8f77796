/* SPDX-License-Identifier: Apache-2.0 */
/* What xbuild-supply can do. */
#include "cli.h"

const char *const cli_program = "xbuild-supply";

const struct command *const cli_commands[] = {&cmd_lock,   &cmd_add,	&cmd_remove,  &cmd_outdated, &cmd_fetch,
					      &cmd_bundle, &cmd_verify, &cmd_inspect, &cmd_diff,     &cmd_sign,
					      &cmd_push,   &cmd_pull,	&cmd_version, NULL};
