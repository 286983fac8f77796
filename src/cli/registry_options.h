/* SPDX-License-Identifier: Apache-2.0 */
/* Option rows of the commands that talk to registries. */
#ifndef XBUILD_CLI_REGISTRY_OPTIONS_H
#define XBUILD_CLI_REGISTRY_OPTIONS_H

#include "build_options.h"

#define OPTION_CA                                                                                                      \
	{                                                                                                              \
		"ca", 0, OPT_TEXT, "FILE", NULL, "trust the authorities in this PEM file (else SSL_CERT_FILE)",        \
			offsetof(struct values, ca_file), NULL                                                         \
	}
#define OPTION_INSECURE                                                                                                \
	{                                                                                                              \
		"insecure", 0, OPT_FLAG, NULL, NULL, "check no certificates, and speak http where https is not",       \
			offsetof(struct values, insecure), NULL                                                        \
	}

#endif
