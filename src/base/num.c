/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/num.h"

#include <stdio.h>

#include "xbuild/base/attr.h"

static bool parse(struct xb_sv text, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (!text.len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const unsigned digit = (unsigned char)text.ptr[i] - (unsigned)'0'; /* wraps for what is below '0' */

		if (digit >= base || digit > max || value > (max - digit) / base)
			return false;
		value = value * base + digit;
	}
	*out = value;
	return true;
}

bool xb_num_u64(struct xb_sv text, uint64_t max, uint64_t *out)
{
	return parse(text, 10, max, out);
}

bool xb_num_octal(struct xb_sv text, uint32_t max, uint32_t *out)
{
	uint64_t value;

	if (!parse(text, 8, max, &value))
		return false;
	*out = (uint32_t)value;
	return true;
}

const char *xb_num_size(uint64_t bytes, char buf[XB_NUM_SIZE_MAX])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	uint64_t tenth = 100; /* a tenth of the unit */

	if (bytes < 1000) {
		snprintf(buf, XB_NUM_SIZE_MAX, "%u B", (unsigned)bytes);
		return buf;
	}
	for (size_t i = 0; i < XB_COUNT(units); i++, tenth *= 1000) {
		const uint64_t tenths = bytes / tenth + (bytes % tenth >= tenth / 2);

		/* Decided after rounding, so that 999,999 is "1.0 MB" and not "1000.0 kB". */
		if (tenths >= 10000)
			continue;
		snprintf(buf, XB_NUM_SIZE_MAX, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[i]);
		break; /* at the latest at EB: 2^64 is 18.4 of them */
	}
	return buf;
}
