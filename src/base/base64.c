/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void xb_base64_encode(const void *bytes, size_t len, struct xb_str *out)
{
	const uint8_t *in = bytes;

	for (size_t i = 0; i < len; i += 3) {
		const size_t n = len - i < 3 ? len - i : 3;
		const uint32_t bits = (uint32_t)in[i] << 16 | (n > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				      (n > 2 ? (uint32_t)in[i + 2] : 0);
		const char text[4] = {digits[bits >> 18], digits[bits >> 12 & 63], n > 1 ? digits[bits >> 6 & 63] : '=',
				      n > 2 ? digits[bits & 63] : '='};

		xb_str_append_n(out, text, sizeof(text));
	}
}

static int value_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Up to three bytes of four digits; false when they are none. `n_fill`: how many '=' stand at their end. */
static bool decode_group(const char *text, size_t n_fill, uint8_t out[3])
{
	uint32_t bits = 0;

	for (size_t k = 0; k < 4; k++) {
		const int value = k < 4 - n_fill ? value_of(text[k]) : 0;

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	/* what the fill leaves over is zero */
	return (n_fill < 1 || !out[2]) && (n_fill < 2 || !out[1]);
}

bool xb_base64_decode(struct xb_sv text, struct xb_str *out)
{
	struct xb_str bytes = {.max_bytes = out->max_bytes};
	bool ok = text.len % 4 == 0;

	for (size_t i = 0; ok && i < text.len; i += 4) {
		const char *group = text.ptr + i;
		const size_t n_fill = i + 4 < text.len || group[3] != '=' ? 0 : 1U + (group[2] == '=');
		uint8_t three[3];

		ok = decode_group(group, n_fill, three) && xb_str_append_n(&bytes, three, 3 - n_fill);
	}
	ok = ok && xb_str_append_sv(out, xb_str_sv(&bytes));
	xb_str_release(&bytes);
	return ok;
}
