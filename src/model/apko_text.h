/* SPDX-License-Identifier: Apache-2.0 */
/* What the texts of an apko.yaml may be: the checks of apko, pkg/build/types/image_configuration.go, and our own. */
#ifndef XB_MODEL_APKO_TEXT_H
#define XB_MODEL_APKO_TEXT_H

#include "xbuild/base/sv.h"

/* Certificates and keys become files of their name. */
bool apko_is_file_name(struct xb_sv text);
/* Nothing that would break a line of /etc/passwd or /etc/group. */
bool apko_is_account_text(struct xb_sv text);
/* "URL", "path" or "@tag URL". */
bool apko_is_repository(struct xb_sv text);
/* Not empty, without blanks and control characters. */
bool apko_is_word(struct xb_sv text);
/* A path in the image without '..'; it may begin and end with '/'. */
bool apko_is_image_path(struct xb_sv text);
bool apko_is_absolute(struct xb_sv text);
/* "SIGTERM", "TERM" or a number: runtimes take all three. */
bool apko_is_stop_signal(struct xb_sv text);

#endif
