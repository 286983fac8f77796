/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bills of materials as CycloneDX 1.6 JSON.
 *
 * Guarantee: the bytes depend on the bill alone: a fixed order of members, one line for each component, file and
 *            relation, a final newline. The identity of the document is derived from its content.
 * Failure:   XB_E_INPUT when a text is not UTF-8; nothing is appended then.
 * Format:    ECMA-424, CycloneDX 1.6: contained and linked components are `components` (property xbuild:role says which), what they
 *            need `dependencies`, sources the `pedigree` of a unit, build tools the `formulation`.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_CYCLONEDX_H
#define XBUILD_IMAGE_CYCLONEDX_H

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/image/bill.h"

#define XB_MEDIA_CYCLONEDX "application/vnd.cyclonedx+json"

/* Appends the document. */
int xb_cyclonedx_write(const struct xb_bill *bill, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

#endif
