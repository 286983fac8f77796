/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/linked.h"

#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/store/action_cache.h"

/* Part of every key: change it when the meaning of the list changes. */
#define VERSION "xbuild linked 1"

static void key_of(const struct xb_digest *program, const struct xb_digest *sysroot, struct xb_digest *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[2][XB_DIGEST_HEX];

	xb_str_printf(&text, VERSION " %s %s", xb_digest_hex(program, hex[0]), xb_digest_hex(sysroot, hex[1]));
	xb_digest_bytes(text.data, text.len, out);
}

int xb_linked_put(struct xb_store *store, const struct xb_digest *program, const struct xb_digest *sysroot,
		  const struct xb_dirs *files, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_reapi_result result = {0};
	struct xb_digest key;

	key_of(program, sysroot, &key);
	for (size_t i = 0; i < files->len; i++)
		xb_str_printf(&text, "%s\n", files->items[i]);
	result.output_text = xb_str_sv(&text);
	return xb_action_put(store, &key, &result, err);
}

bool xb_linked_get(struct xb_store *store, const struct xb_digest *program, const struct xb_digest *sysroot,
		   struct xb_arena *arena, struct xb_dirs *out)
{
	struct xb_reapi_result result = {0};
	struct xb_digest key;
	struct xb_sv lines;

	key_of(program, sysroot, &key);
	if (xb_action_get(store, &key, arena, &result) != 1 || result.n_outputs != 0)
		return false;
	lines = result.output_text;
	while (lines.ptr && lines.len) {
		const struct xb_sv line = xb_sv_cut(&lines, '\n');

		if (!xb_path_is_safe(line))
			return false;
		xb_dirs_add(out, arena, xb_arena_sv(arena, line));
	}
	return true;
}

bool xb_linked_parse_stats(struct xb_sv text, struct xb_arena *arena, struct xb_dirs *out)
{
	if (!xb_sv_eq_str(xb_sv_cut(&text, '\n'), "members\textracted\tarchive"))
		return false;
	while (text.ptr && text.len) {
		struct xb_sv rest = xb_sv_cut(&text, '\n');
		uint64_t members, extracted;

		if (!xb_num_u64(xb_sv_cut(&rest, '\t'), UINT64_MAX, &members) ||
		    !xb_num_u64(xb_sv_cut(&rest, '\t'), UINT64_MAX, &extracted) || !rest.len)
			return false;
		if (extracted)
			xb_dirs_add(out, arena, xb_arena_sv(arena, rest));
	}
	return true;
}
