/* SPDX-License-Identifier: Apache-2.0 */
#include "parcel_codec.h"

#include <string.h>
#include <zlib.h>

size_t parcel_round_trip(const char *text)
{
	unsigned char packed[512], back[512];
	uLongf packed_len = sizeof(packed), back_len = sizeof(back);
	uLong len = (uLong)strlen(text);
	if (len > sizeof(back) || compress(packed, &packed_len, (const Bytef *)text, len) != Z_OK)
		return 0;
	if (uncompress(back, &back_len, packed, packed_len) != Z_OK || back_len != len || memcmp(back, text, len) != 0)
		return 0;
	return packed_len;
}
