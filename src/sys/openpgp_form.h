/* SPDX-License-Identifier: Apache-2.0 */
/* Between openpgp.c and openpgp_form.c: the form of a clearsigned document, read without any library. */
#ifndef XBUILD_SYS_OPENPGP_FORM_H
#define XBUILD_SYS_OPENPGP_FORM_H

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/base/sv.h"

/* The next line without blanks at its end, which are not signed (RFC 9580 7.2). */
struct xb_sv openpgp_cut_line(struct xb_sv *rest);

/* XB_E_SIGNATURE: what is wrong with the document. */
int openpgp_fail_form(struct xb_err *err, const char *name, const char *what);

/*
 * One clearsigned message and nothing around it. rnp looks for the message by itself and would pass over what stands
 * before and behind; and the text that it hands back is compared with ours, so that both readings must agree.
 */
int openpgp_read_form(struct xb_sv document, const char *name, struct xb_str *out, struct xb_err *err);

#endif
