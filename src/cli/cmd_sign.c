/* SPDX-License-Identifier: Apache-2.0 */
#include "build_options.h"

static const struct opt options[] = {
	{"key", 0, OPT_TEXT, "FILE", "XBUILD_SIGN_KEY", "private key in PEM: ECDSA on P-256 or Ed25519",
	 offsetof(struct values, key), NULL},
	{"repository", 0, OPT_TEXT, "NAME", NULL, "what the signature calls the image (HOST/NAME); default: its name",
	 offsetof(struct values, repository), NULL},
	{"recursive", 'r', OPT_FLAG, NULL, NULL, "sign the manifest of each platform too",
	 offsetof(struct values, recursive), NULL},
	OPTION_JSON,
	OPTION_END,
};

const struct command cmd_sign = {
	.name = "sign",
	.synopsis = "[IMAGE|DIR...]",
	.summary = "sign images as cosign does with a key: out/images/<name>.sig",
	.details = "Signs the digest of each image's index. The signatures are a layout beside the image's; the image "
		   "itself\n"
		   "stays as it is. 'xbuild verify --key' checks them here, and 'cosign verify --key' in a registry.\n"
		   "An encrypted key is opened with the password in XBUILD_KEY_PASSWORD. A DIR has a '/' in its name.",
	.options = options,
	.project = true,
	.max_args = -1,
	.run = cmd_sign_run,
};
