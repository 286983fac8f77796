/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9580 7, "Cleartext Signature Framework". */
#include "openpgp_form.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "xbuild/base/limits.h"

#define LINE_MESSAGE   "-----BEGIN PGP SIGNED MESSAGE-----"
#define LINE_SIGNATURE "-----BEGIN PGP SIGNATURE-----"
#define LINE_END       "-----END PGP SIGNATURE-----"

struct xb_sv openpgp_cut_line(struct xb_sv *rest)
{
	struct xb_sv line = xb_sv_cut(rest, '\n');
	while (line.len > 0 && strchr(" \t\r", line.ptr[line.len - 1]) && line.ptr[line.len - 1])
		line.len--;
	return line;
}

/* Only "Hash:" may stand here (RFC 9580 7.1); anything else is text that looks signed and is not. */
static bool is_hash_header(struct xb_sv line)
{
	if (!xb_sv_starts(line, "Hash: "))
		return false;
	for (size_t i = strlen("Hash: "); i < line.len; i++)
		if (!isalnum((unsigned char)line.ptr[i]) && !strchr("-, ", line.ptr[i]))
			return false;
	return true;
}

int openpgp_fail_form(struct xb_err *err, const char *name, const char *what)
{
	return xb_fail(err, XB_E_SIGNATURE, "verify the signature of '%s': %s", name, what);
}

/* The header of a clearsigned message up to the empty line that ends it. */
static int check_head(struct xb_sv *rest, const char *name, struct xb_err *err)
{
	if (!xb_sv_eq_str(openpgp_cut_line(rest), LINE_MESSAGE)) {
		(void)openpgp_fail_form(err, name, "it is not a clearsigned document");
		return xb_hint(err, "a captive portal or a wrong address can answer with a page of its own");
	}
	while (rest->ptr) {
		struct xb_sv line = openpgp_cut_line(rest);
		if (line.len == 0)
			return 0;
		if (!is_hash_header(line))
			return openpgp_fail_form(err, name, "its header has a line other than 'Hash:'");
	}
	return openpgp_fail_form(err, name, "it is cut off in its header");
}

/* The signed text as RFC 9580 7.2 defines it: unescaped, without blanks at line ends, LF between the lines. */
static int read_text(struct xb_sv *rest, const char *name, struct xb_str *out, struct xb_err *err)
{
	bool first = true;
	while (rest->ptr) {
		struct xb_sv line = openpgp_cut_line(rest);
		if (xb_sv_eq_str(line, LINE_SIGNATURE))
			return 0;
		if (xb_sv_starts(line, "- ")) {
			line.ptr += 2;
			line.len -= 2;
		} else if (xb_sv_starts(line, "-") && !(line.len == 1)) {
			return openpgp_fail_form(err, name,
						 "a line of its text begins with a dash that is not escaped");
		}
		if (!first)
			(void)xb_str_append_char(out, '\n');
		(void)xb_str_append_sv(out, line);
		first = false;
	}
	return openpgp_fail_form(err, name, "it has no signature");
}

static int check_tail(struct xb_sv *rest, const char *name, struct xb_err *err)
{
	for (;;) {
		if (!rest->ptr)
			return openpgp_fail_form(err, name, "its signature is cut off");
		struct xb_sv line = openpgp_cut_line(rest);
		if (xb_sv_eq_str(line, LINE_END))
			break;
		if (xb_sv_starts(line, "-"))
			return openpgp_fail_form(err, name, "its signature holds a second document");
	}
	if (rest->ptr && xb_sv_trim(*rest).len > 0)
		return openpgp_fail_form(err, name, "there is text behind its signature");
	return 0;
}

int openpgp_read_form(struct xb_sv document, const char *name, struct xb_str *out, struct xb_err *err)
{
	struct xb_sv rest = document;
	if (document.len > (size_t)XB_MAX_RELEASE_BYTES)
		return openpgp_fail_form(err, name, "it is too large");
	if (document.len > 0 && memchr(document.ptr, '\0', document.len))
		return openpgp_fail_form(err, name, "it holds a NUL byte");
	int rc = check_head(&rest, name, err);
	if (rc == 0)
		rc = read_text(&rest, name, out, err);
	if (rc == 0)
		rc = check_tail(&rest, name, err);
	return rc;
}
