/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the commands of xbuild-supply. */
#ifndef XBUILD_CLI_SUPPLY_H
#define XBUILD_CLI_SUPPLY_H

#include "cli.h"

#include "xbuild/app/op_image_verify.h"

/* Problems and warnings of an image, one line each on stderr. */
void supply_tell_findings(const struct cli *cli, const struct xb_audit *audit);

#endif
