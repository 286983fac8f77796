/* SPDX-License-Identifier: Apache-2.0 */
/* What xbuild can do, in the order of its help. */
#include "cli.h"

const char *const cli_program = "xbuild";

const struct command *const cli_commands[] = {
	&cmd_init,    &cmd_lock,    &cmd_add,	 &cmd_remove,  &cmd_outdated, &cmd_fetch,      &cmd_bundle,
	&cmd_build,   &cmd_test,    &cmd_image,	 &cmd_verify,  &cmd_inspect,  &cmd_diff,       &cmd_sign,
	&cmd_push,    &cmd_pull,    &cmd_tag,	 &cmd_cc,      &cmd_cxx,      &cmd_pkg_config, &cmd_env,
	&cmd_cargo,   &cmd_ar,	    &cmd_ranlib, &cmd_nm,      &cmd_strip,    &cmd_objcopy,    &cmd_ld,
	&cmd_sysroot, &cmd_targets, &cmd_doctor, &cmd_version, &cmd_help,     &cmd_drive,      NULL,
};
