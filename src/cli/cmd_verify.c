/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_options.h"

static const struct opt options[] = {
	{"key", 0, OPT_TEXT, "FILE", NULL, "public key in PEM: the image must be signed by it",
	 offsetof(struct values, key), NULL},
	{"signatures", 0, OPT_TEXT, "DIR", NULL, "where its signatures are; default: PATH.sig, or beside REF",
	 offsetof(struct values, signatures), NULL},
	OPTION_CA,
	OPTION_INSECURE,
	OPTION_JSON,
	OPTION_END,
};

const struct command cmd_verify = {
	.name = "verify",
	.synopsis = "PATH|REF",
	.summary = "check an image: an OCI layout, an archive of OCI or Docker, or one of a registry",
	.details =
		"Digests, sizes, media types, diffIDs, history, what is in the layers, and whether the programs are "
		"for\n"
		"the platform that the image says; of images that anybody made. Each problem is one line on stderr,\n"
		"and the exit status is 5. stdout has a line for each image: digest, name, platforms.",
	.options = options,
	.project = false,
	.max_args = 1,
	.run = cmd_verify_run,
};
