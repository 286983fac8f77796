/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PARCEL_CORE_H
#define PARCEL_CORE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fletcher-16 checksum (RFC 1146) of a label. */
unsigned parcel_checksum(const void *data, size_t len);

#ifdef __cplusplus
}
#endif
#endif
