/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/seen.h"

#include <sys/stat.h>

#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define STATE_FIRST_LINE "xbuild output 1"

bool xb_seen_look(const char *path, struct xb_seen *out)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	*out = (struct xb_seen){(uint64_t)st.st_size, (uint64_t)xb_fs_mtime_ns(&st), (uint64_t)xb_fs_ctime_ns(&st),
				(uint64_t)st.st_ino};
	return true;
}

bool xb_seen_eq(const struct xb_seen *a, const struct xb_seen *b)
{
	return a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns &&
	       a->inode == b->inode;
}

void xb_seen_format(const struct xb_seen *seen, struct xb_str *out)
{
	xb_str_printf(out, "%llu %llu %llu %llu", (unsigned long long)seen->size_bytes,
		      (unsigned long long)seen->mtime_ns, (unsigned long long)seen->ctime_ns,
		      (unsigned long long)seen->inode);
}

bool xb_seen_parse(struct xb_sv text, struct xb_seen *out)
{
	return xb_num_u64(xb_sv_cut(&text, ' '), UINT64_MAX, &out->size_bytes) &&
	       xb_num_u64(xb_sv_cut(&text, ' '), UINT64_MAX, &out->mtime_ns) &&
	       xb_num_u64(xb_sv_cut(&text, ' '), UINT64_MAX, &out->ctime_ns) &&
	       xb_num_u64(text, UINT64_MAX, &out->inode);
}

bool xb_seen_is_current(const char *state_file, const char *path, const struct xb_digest *key)
{
	struct xb_err unread XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_seen known, now;
	struct xb_digest found;
	struct xb_sv lines;

	if (xb_fs_read(state_file, XB_MIB, &text, &unread) < 0)
		return false;
	lines = xb_str_sv(&text);
	return xb_sv_eq_str(xb_sv_cut(&lines, '\n'), STATE_FIRST_LINE) &&
	       xb_digest_parse(xb_sv_cut(&lines, '\n'), &found) && xb_digest_eq(&found, key) &&
	       xb_seen_parse(xb_sv_cut(&lines, '\n'), &known) && xb_seen_look(path, &now) && xb_seen_eq(&known, &now);
}

int xb_seen_remember(const char *state_file, const char *path, const struct xb_digest *key, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];
	struct xb_seen now;

	if (!xb_seen_look(path, &now))
		return xb_fail_errno(err, "look at '%s'", path);
	xb_str_printf(&text, STATE_FIRST_LINE "\n%s\n", xb_digest_hex(key, hex));
	xb_seen_format(&now, &text);
	xb_str_append_char(&text, '\n');
	return xb_atomic_file_write(state_file, text.data, text.len, 0644, 0, err);
}
