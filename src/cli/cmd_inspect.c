/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_options.h"

static const struct opt options[] = {
	OPTION_CA,
	OPTION_INSECURE,
	OPTION_JSON,
	OPTION_END,
};

const struct command cmd_inspect = {
	.name = "inspect",
	.synopsis = "PATH|REF",
	.summary = "what is in an image: an OCI layout, an archive of OCI or Docker, or one of a registry",
	.details = "Names, digests, and for each platform the configuration, the layers with their sizes and the "
		   "packages.\n"
		   "It is verified on the way, as by 'xbuild verify': problems are told on stderr, with exit status 5.",
	.options = options,
	.project = false,
	.max_args = 1,
	.run = cmd_inspect_run,
};

const struct command cmd_diff = {
	.name = "diff",
	.synopsis = "PATH|REF PATH|REF",
	.summary = "how two images differ: packages, layers, files, configuration; exit 1 if they do",
	.details =
		"Each is a layout, an archive, or of a registry. One line for each difference: '+' only the second has "
		"it, "
		"'-'\n"
		"only the first, '~' both. The exit status is 0 for equal images, 1 for different ones, 5 when one of\n"
		"them is not sound ('xbuild verify').",
	.options = options,
	.project = false,
	.max_args = 2,
	.run = cmd_diff_run,
};
