/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/ar.h"

#include <string.h>

#include "xbuild/base/num.h"

#define MAGIC	   "!<arch>\n"
#define BSD_NAME   "#1/" /* and how many bytes it has */
#define NAME_BYTES 16
#define SIZE_AT	   48
#define SIZE_BYTES 10
#define END_AT	   58
#define HEAD_BYTES 60

static bool number(const char *field, size_t len, uint64_t max, uint64_t *out)
{
	while (len && field[len - 1] == ' ')
		len--;
	return xb_num_u64(xb_sv_n(field, len), max, out);
}

bool xb_ar_begin(struct xb_sv data, struct xb_sv *out_rest)
{
	const size_t n = strlen(MAGIC);

	if (!xb_sv_starts(data, MAGIC))
		return false;
	*out_rest = xb_sv_n(data.ptr + n, data.len - n);
	return true;
}

bool xb_ar_next(struct xb_sv *rest, struct xb_sv *out_member)
{
	const char *head = rest->ptr;
	uint64_t size, name = 0;
	size_t behind;

	if (rest->len < HEAD_BYTES || memcmp(head + END_AT, "`\n", 2) != 0 ||
	    !number(head + SIZE_AT, SIZE_BYTES, rest->len - HEAD_BYTES, &size))
		return false;
	if (memcmp(head, BSD_NAME, strlen(BSD_NAME)) == 0 &&
	    !number(head + strlen(BSD_NAME), NAME_BYTES - strlen(BSD_NAME), size, &name))
		return false;
	*out_member = xb_sv_n(head + HEAD_BYTES + name, (size_t)(size - name));
	behind = HEAD_BYTES + (size_t)size;
	if (behind < rest->len)
		behind += size & 1;
	*rest = xb_sv_n(head + behind, rest->len - behind);
	return true;
}
