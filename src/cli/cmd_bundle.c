/* SPDX-License-Identifier: Apache-2.0 */
#include "build_options.h"

static const char *const formats[] = {"tar", "oci", NULL};

static const struct opt options[] = {
	{"output", 'o', OPT_TEXT, "PATH", NULL, "file, or directory of --format oci (default: <project>.bundle.tar)",
	 offsetof(struct values, out_path), NULL},
	{"format", 0, OPT_TEXT, "HOW", NULL, "tar or oci: one file, or an OCI layout in a directory",
	 offsetof(struct values, format), formats},
	{"host", 0, OPT_LIST, "NAME", NULL, "only the toolchain of this host; repeatable",
	 offsetof(struct values, hosts), NULL},
	OPTION_TARGET,
	OPTION_END,
};

const struct command cmd_bundle = {
	.name = "bundle",
	.synopsis = NULL,
	.summary = "all that is locked, and the lock, as one file for a machine without a network",
	.details = "What the store lacks is downloaded first. On the other machine every command takes it with\n"
		   "--bundle FILE, offline, and makes the same digests.",
	.options = options,
	.project = true,
	.max_args = 0,
	.run = cmd_bundle_run,
};
