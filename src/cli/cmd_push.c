/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_options.h"

static const struct opt options[] = {
	{"from", 0, OPT_TEXT, "DIR", NULL, "push this OCI layout instead of out/images/<name>; needs no project",
	 offsetof(struct values, from), NULL},
	{"image", 0, OPT_TEXT, "NAME", NULL, "the image of the project, where it has several",
	 offsetof(struct values, image), NULL},
	{"dry-run", 'n', OPT_FLAG, NULL, NULL, "print what would be sent; nothing is", offsetof(struct values, dry_run),
	 NULL},
	{"alone", 0, OPT_FLAG, NULL, NULL, "leave out the signatures and documents beside the layout",
	 offsetof(struct values, alone), NULL},
	{"strict-tags", 0, OPT_FLAG, NULL, NULL, "fail where a tag with a time would not be the newest of its series",
	 offsetof(struct values, strict_tags), NULL},
	OPTION_CA,
	OPTION_INSECURE,
	OPTION_JSON,
	OPTION_END,
};

const struct command cmd_push = {
	.name = "push",
	.synopsis = "[REF...]",
	.summary = "send an image to registries",
	.details = "REF is HOST/NAME[:TAG]. Without a tag it gets the tags that 'xbuild tag' prints; without REF, "
		   "those of "
		   "the\n"
		   "project file that name a repository are used. What a registry has is not sent again, and an\n"
		   "interrupted push goes on where it was. Logins are read from the files of docker and podman.\n"
		   "The last line on stdout is NAME@DIGEST. docs/registry.md tells more.",
	.options = options,
	.project = true,
	.max_args = -1,
	.run = cmd_push_run,
};
