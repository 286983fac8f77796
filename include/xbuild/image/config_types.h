/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are the members of an image's configuration of the types that a consumer decodes them into? One that is not makes the whole
 * image unreadable to it.
 *
 * Format:   OCI image-spec v1.1 config.md and its schema/config-schema.json. Not looked at: os, architecture, variant and the
 *           members of rootfs, which their readers check; names that the schema does not have.
 * Guarantee: any document of JSON may be given.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_CONFIG_TYPES_H
#define XBUILD_IMAGE_CONFIG_TYPES_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Calls `tell` for each member that is wrong, with its name and what was expected: a problem, or (null where the schema has
 * none) something odd that readers take for a missing member. The text is borrowed, and foreign: it may have control bytes.
 */
void xb_config_types_check(const json_t *document, void (*tell)(void *ctx, bool is_problem, const char *text),
			   void *ctx);

#endif
