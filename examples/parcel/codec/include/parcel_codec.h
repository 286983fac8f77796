/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PARCEL_CODEC_H
#define PARCEL_CODEC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Packs and unpacks `text` again; returns the packed size, or 0 when the round trip did not give the same text. */
size_t parcel_round_trip(const char *text);

#ifdef __cplusplus
}
#endif
#endif
