/* SPDX-License-Identifier: Apache-2.0 */
/* How problems look: errors with their hint, and diagnostics of files with the source line and a caret. */
#ifndef XBUILD_CLI_DIAG_H
#define XBUILD_CLI_DIAG_H

#include "xbuild/base/diag.h"
#include "xbuild/base/err.h"
#include "xbuild/base/str.h"

/*
 * Appends text for a terminal: of control bytes only newline, tab and, where `keep_color` says so, colours (SGR) are left.
 * Names of files, answers of servers and output of tools may hold commands.
 */
void diag_clean(const char *text, bool keep_color, struct xb_str *out);

/*
 * "xbuild.yaml:12:7: error: unknown key 'entrypint'", the line, a caret, "help: did you mean 'entrypoint'?". The line is cut
 * around the caret where it is wider than `width` columns (0: not cut).
 */
void diag_render(const struct xb_diags *diags, bool color, int width, struct xb_str *out);
/* "error: ..." and "hint: ...". Nothing when the message is empty (another program has told it already). */
void diag_render_err(const struct xb_err *err, bool color, struct xb_str *out);

/* A line "error: ..." or "warning: ..." about something foreign. */
void diag_render_finding(const char *text, bool is_warning, bool color, struct xb_str *out);

#define DIAG_STATUS_BUG 70
/* Of these two programs alone, since no library returns it: xbuild-supply crashed. Its exit status is the one above. */
#define DIAG_E_BUG ((enum xb_code) - 99)

/* The exit status that belongs to a code (docs/guide.md, "Exit status"). */
int diag_exit_status(enum xb_code code, int signal);

#endif
