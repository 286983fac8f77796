/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PARCEL_DIGEST_H
#define PARCEL_DIGEST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* SHA-256 of `text` as 64 hex digits and a NUL; 0 on success. */
int parcel_digest(const char *text, size_t len, char hex[65]);

#ifdef __cplusplus
}
#endif
#endif
