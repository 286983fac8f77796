/* SPDX-License-Identifier: Apache-2.0 */
#include "apko_text.h"

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"

bool apko_is_file_name(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];
		const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				      c == '_' || c == '-';

		if (!is_plain && !(c == '.' && i))
			return false;
	}
	return text.len > 0 && text.len <= 200;
}

bool apko_is_account_text(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == ':' || text.ptr[i] == ',' || (unsigned char)text.ptr[i] < ' ')
			return false;
	}
	return true;
}

bool apko_is_repository(struct xb_sv text)
{
	struct xb_sv rest = text, tag = {0};

	if (xb_sv_starts(text, "@")) {
		tag = xb_sv_cut(&rest, ' ');
		if (tag.len < 2 || !rest.ptr)
			return false;
	}
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.ptr[i] <= ' ' || rest.ptr[i] == 0x7f)
			return false;
	}
	return rest.len > 0;
}

bool apko_is_word(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return false;
	}
	return text.len > 0;
}

bool apko_is_image_path(struct xb_sv text)
{
	struct xb_sv rest = xb_sv_starts(text, "/") ? xb_sv_n(text.ptr + 1, text.len - 1) : text;

	if (xb_sv_ends(rest, "/"))
		rest.len--;
	return xb_path_is_safe(rest);
}

bool apko_is_absolute(struct xb_sv text)
{
	return xb_sv_starts(text, "/") && (text.len == 1 || apko_is_image_path(text));
}

bool apko_is_stop_signal(struct xb_sv text)
{
	char *full XB_CLEANUP(xb_free_ptr) = xb_printf("SIG%.*s", XB_SV_ARG(text));
	uint64_t number;

	return xb_name_is_signal(text) || xb_name_is_signal(xb_sv(full)) ||
	       (xb_num_u64(text, 64, &number) && number > 0);
}
