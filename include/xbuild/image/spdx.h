/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bills of materials as SPDX 2.3 JSON.
 *
 * Guarantee: the bytes depend on the bill alone: a fixed order of members, one line for each component, file and
 *            relation, a final newline. The identity of the document is derived from its content.
 * Failure:   XB_E_INPUT when a text is not UTF-8; nothing is appended then.
 * Format:    SPDX specification 2.3, chapters 6 (document), 7 (packages), 8 (files), 11 (relationships). A licence or supplier
 *            that is not known is NOASSERTION.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_SPDX_H
#define XBUILD_IMAGE_SPDX_H

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/image/bill.h"

#define XB_MEDIA_SPDX "application/spdx+json"

/* Appends the document. */
int xb_spdx_write(const struct xb_bill *bill, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

#endif
