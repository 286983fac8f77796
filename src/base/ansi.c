/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/ansi.h"

void xb_strip_ansi(struct xb_sv text, struct xb_str *out)
{
	size_t i = 0, from = 0;

	while (i < text.len) {
		if (text.ptr[i] != '\033' || i + 1 >= text.len || text.ptr[i + 1] != '[') {
			i++;
			continue;
		}
		xb_str_append_n(out, text.ptr + from, i - from);
		i += 2;
		while (i < text.len && (text.ptr[i] < 0x40 || text.ptr[i] > 0x7e))
			i++;
		from = i < text.len ? ++i : i;
	}
	xb_str_append_n(out, text.ptr + from, text.len - from);
}
