/* SPDX-License-Identifier: Apache-2.0 */
#include "parcel_core.h"

unsigned parcel_checksum(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	unsigned low = 0, high = 0;
	for (size_t i = 0; i < len; i++) {
		low = (low + bytes[i]) % 255;
		high = (high + low) % 255;
	}
	return high << 8 | low;
}
