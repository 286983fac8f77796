/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_options.h"

static const struct opt options[] = {
	{"output", 'o', OPT_LIST, "FORM=PATH", NULL, "write it as oci, oci-archive or docker-archive; repeatable",
	 offsetof(struct values, outputs), NULL},
	{"target", 't', OPT_LIST, "NAME", NULL, "only this platform; repeatable; default all",
	 offsetof(struct values, targets), NULL},
	{"dir", 'C', OPT_TEXT, "DIR", NULL, "work in DIR", offsetof(struct values, dir), NULL},
	{"jobs", 'j', OPT_INT, "N", NULL, "blobs at once (6)", offsetof(struct values, jobs), NULL},
	OPTION_CA,
	OPTION_INSECURE,
	OPTION_END,
};

const struct command cmd_pull = {
	.name = "pull",
	.synopsis = "REF --output FORM=PATH",
	.summary = "fetch an image from a registry, and write it as a layout or archive",
	.details = "All platforms, byte for byte as the registry has them; what the store has is not fetched again. "
		   "Logins are\n"
		   "read from the files of docker and podman. The last line on stdout is NAME@DIGEST.",
	.options = options,
	.project = false,
	.max_args = 1,
	.run = cmd_pull_run,
};
