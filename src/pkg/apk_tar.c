/* SPDX-License-Identifier: Apache-2.0 */
#include "apk_tar.h"

#include <string.h>

#include "xbuild/base/hex.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"

#define MAX_RECORDS_BYTES (1 * XB_MIB) /* pax records, or a long name, of one entry */
#define MAX_ID		  UINT32_C(0x7fffffff)
#define MAX_MTIME	  INT64_C(0777777777777)
#define SUM_KEY		  "APK-TOOLS.checksum.SHA1"
#define XATTR_KEY	  "SCHILY.xattr."

/* POSIX.1-1988 header block; every member is text. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], dev_major[8], dev_minor[8], prefix[155], unused[12];
};
_Static_assert(sizeof(struct header) == APK_TAR_BLOCK, "a tar header is one block");

void apk_tar_release(struct apk_tar *tar)
{
	xb_str_release(&tar->path);
	xb_str_release(&tar->target);
	xb_str_release(&tar->records);
	xb_arena_release(&tar->xattrs);
}

static int fail(const struct apk_tar *tar, struct xb_err *err, const char *what)
{
	return xb_fail(err, XB_E_VERIFY, "read '%s': entry %zu ('%s') %s", tar->name, tar->n_entries,
		       xb_str_get(&tar->path), what);
}

/* Fills buf, or returns 1 where the member ends before its first byte. */
static int read_exactly(struct apk_tar *tar, void *buf, size_t len, struct xb_err *err)
{
	const int64_t n = xb_gzip_read(tar->gz, buf, len, err);

	if (n < 0)
		return err->code;
	if (n == 0)
		return 1;
	return (size_t)n == len ? 0 : fail(tar, err, "is cut off");
}

static struct xb_sv field_text(const char *field, size_t size)
{
	const char *end = memchr(field, '\0', size);

	return xb_sv_n(field, end ? (size_t)(end - field) : size);
}

/* Octal digits, with blanks before and a blank or NUL behind them; nothing at all is 0. */
static bool field_number(const char *field, size_t size, int64_t *out)
{
	const struct xb_sv text = xb_sv_trim(field_text(field, size));
	int64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '7')
			return false;
		value = value * 8 + (text.ptr[i] - '0');
	}
	*out = value;
	return true;
}

static bool is_zero(const char *block, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (block[i])
			return false;
	}
	return true;
}

static bool has_right_checksum(const struct header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	const size_t from = offsetof(struct header, checksum), to = from + sizeof(h->checksum);
	int64_t expected, sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += i >= from && i < to ? ' ' : bytes[i];
	return field_number(h->checksum, sizeof(h->checksum), &expected) && expected == sum;
}

/* Behind the end of the tar there may be padding, and nothing that somebody might take for an entry. */
static int read_end(struct apk_tar *tar, struct xb_err *err)
{
	char block[4096];
	int64_t n;

	while ((n = xb_gzip_read(tar->gz, block, sizeof(block), err)) > 0) {
		if (!is_zero(block, (size_t)n))
			return xb_fail(err, XB_E_VERIFY, "read '%s': something follows the end of its files",
				       tar->name);
	}
	tar->ended = true;
	return n < 0 ? err->code : 0;
}

static int skip(struct apk_tar *tar, int64_t len, struct xb_err *err)
{
	char block[4096];

	while (len > 0) {
		const size_t want = len < (int64_t)sizeof(block) ? (size_t)len : sizeof(block);
		const int r = read_exactly(tar, block, want, err);

		if (r)
			return r < 0 ? r : fail(tar, err, "is cut off");
		len -= (int64_t)want;
	}
	return 0;
}

static size_t padding_of(int64_t size)
{
	return (size_t)(-(uint64_t)size % APK_TAR_BLOCK);
}

/* The content of a header that describes the next one. */
static int read_text(struct apk_tar *tar, int64_t size, struct xb_str *out, struct xb_err *err)
{
	char block[APK_TAR_BLOCK];

	xb_str_reset(out);
	if (size <= 0 || size > MAX_RECORDS_BYTES)
		return fail(tar, err, "has a header of a size that none has");
	while (size > 0) {
		const size_t len = size < APK_TAR_BLOCK ? (size_t)size : APK_TAR_BLOCK;
		const int r = read_exactly(tar, block, APK_TAR_BLOCK, err);

		if (r)
			return r < 0 ? r : fail(tar, err, "is cut off");
		xb_str_append_n(out, block, len);
		size -= (int64_t)len;
	}
	return 0;
}

/* What pax records and long names say about the entry that follows. */
struct extra {
	bool has_path, has_target, has_size, has_uid, has_gid, has_mtime;
	int64_t size, mtime;
	uint64_t uid, gid;
};

static bool parse_sum(struct xb_sv value, struct xb_sha1 *out)
{
	/* Not standard, and there are packages of it: apko, pkg/apk/apk/install.go "checksumFromHeader". */
	if (xb_sv_starts(value, "Q1"))
		return xb_sha1_parse_base64(xb_sv_n(value.ptr + 2, value.len - 2), out);
	return xb_hex_decode(value, out->bytes, sizeof(out->bytes));
}

static bool take_number(struct xb_sv value, uint64_t max, uint64_t *out, bool *out_has)
{
	*out_has = true;
	return xb_num_u64(value, max, out);
}

/* Times may have a fraction, which a layer has no room for. */
static bool take_mtime(struct xb_sv value, struct extra *extra)
{
	uint64_t seconds = 0;
	const bool is_number = take_number(xb_sv_cut(&value, '.'), (uint64_t)MAX_MTIME, &seconds, &extra->has_mtime);

	extra->mtime = (int64_t)seconds;
	return is_number;
}

static void add_xattr(struct apk_tar *tar, struct apk_tar_entry *entry, struct xb_sv name, struct xb_sv value)
{
	struct xb_apk_xattr *all;

	/* of records with one key the last one counts (POSIX.1-2001 pax, "pax Extended Header") */
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		if (xb_sv_eq_str(name, entry->xattrs[i].name)) {
			entry->xattrs[i].value = xb_arena_sv(&tar->xattrs, value);
			entry->xattrs[i].len = value.len;
			return;
		}
	}
	all = xb_arena_array(&tar->xattrs, entry->n_xattrs + 1, sizeof(*all));
	if (entry->n_xattrs)
		memcpy(all, entry->xattrs, entry->n_xattrs * sizeof(*all));
	all[entry->n_xattrs++] = (struct xb_apk_xattr){
		.name = xb_arena_sv(&tar->xattrs, name), .value = xb_arena_sv(&tar->xattrs, value), .len = value.len};
	entry->xattrs = all;
}

static bool take_record(struct apk_tar *tar, struct apk_tar_entry *entry, struct extra *extra, struct xb_sv key,
			struct xb_sv value)
{
	uint64_t size = 0;
	bool is_good = true;

	if (xb_sv_eq_str(key, "path")) {
		xb_str_reset(&tar->path);
		extra->has_path = xb_str_append_sv(&tar->path, value);
	} else if (xb_sv_eq_str(key, "linkpath")) {
		xb_str_reset(&tar->target);
		extra->has_target = xb_str_append_sv(&tar->target, value);
	} else if (xb_sv_eq_str(key, "size")) {
		is_good = take_number(value, XB_MAX_TREE_BYTES, &size, &extra->has_size);
		extra->size = (int64_t)size;
	} else if (xb_sv_eq_str(key, "uid")) {
		is_good = take_number(value, MAX_ID, &extra->uid, &extra->has_uid);
	} else if (xb_sv_eq_str(key, "gid")) {
		is_good = take_number(value, MAX_ID, &extra->gid, &extra->has_gid);
	} else if (xb_sv_eq_str(key, "mtime")) {
		is_good = take_mtime(value, extra);
	} else if (xb_sv_eq_str(key, SUM_KEY)) {
		entry->has_sum = is_good = parse_sum(value, &entry->sum);
	} else if (xb_sv_starts(key, XATTR_KEY) && entry->n_xattrs < 64) {
		add_xattr(tar, entry, xb_sv_n(key.ptr + strlen(XATTR_KEY), key.len - strlen(XATTR_KEY)), value);
	} else {
		is_good = !xb_sv_starts(key, "GNU.sparse") && !xb_sv_starts(key, XATTR_KEY);
	}
	return is_good && (!value.len || !memchr(value.ptr, '\0', value.len) || xb_sv_starts(key, XATTR_KEY));
}

/* "<length> <key>=<value>\n", the length that of the whole record (POSIX.1-2001 pax, "pax Extended Header"). */
static int take_records(struct apk_tar *tar, struct apk_tar_entry *entry, struct extra *extra, struct xb_err *err)
{
	struct xb_sv rest = xb_str_sv(&tar->records);

	while (rest.len) {
		struct xb_sv tail = rest, record, key;
		const struct xb_sv digits = xb_sv_cut(&tail, ' ');
		uint64_t len;

		if (!tail.ptr || !xb_num_u64(digits, rest.len, &len) || len < digits.len + 3 ||
		    rest.ptr[len - 1] != '\n')
			return fail(tar, err, "has a pax record that is none");
		record = xb_sv_n(tail.ptr, (size_t)len - digits.len - 2);
		key = xb_sv_cut(&record, '=');
		if (!record.ptr || !take_record(tar, entry, extra, key, record))
			return fail(tar, err, "has a pax record that is none, or not supported");
		rest = xb_sv_n(rest.ptr + len, rest.len - (size_t)len);
	}
	return 0;
}

/* A header of the header: 1 when it was one. */
static int take_extra(struct apk_tar *tar, const struct header *h, int64_t size, struct apk_tar_entry *entry,
		      struct extra *extra, struct xb_err *err)
{
	struct xb_str *text = h->type == 'L' ? &tar->path : h->type == 'K' ? &tar->target : &tar->records;

	if (h->type != 'x' && h->type != 'g' && h->type != 'L' && h->type != 'K')
		return 0;
	if (read_text(tar, size, text, err) < 0)
		return err->code;
	extra->has_path = extra->has_path || h->type == 'L';
	extra->has_target = extra->has_target || h->type == 'K';
	if (h->type == 'L' || h->type == 'K') {
		text->len = strlen(text->data); /* GNU ends them with a NUL */
		return 1;
	}
	/* Global records are for the whole archive; nothing that we look at makes sense there. */
	if (h->type == 'x' && take_records(tar, entry, extra, err) < 0)
		return err->code;
	return 1;
}

static bool type_of(const struct header *h, enum xb_apk_type *out)
{
	switch (h->type) {
	case '0':
	case '\0':
	case '7':
		*out = XB_APK_FILE;
		return true;
	case '1':
		*out = XB_APK_HARDLINK;
		return true;
	case '2':
		*out = XB_APK_SYMLINK;
		return true;
	case '5':
		*out = XB_APK_DIR;
		return true;
	default:
		return false;
	}
}

/* "./usr/bin/x" and "usr/" without what says nothing. */
static struct xb_sv clean(struct xb_sv name)
{
	while (xb_sv_starts(name, "./")) {
		name.ptr += 2;
		name.len -= 2;
	}
	while (name.len && name.ptr[name.len - 1] == '/')
		name.len--;
	if (xb_sv_eq_str(name, "."))
		name.len = 0;
	return name;
}

static void replace(struct xb_str *text, struct xb_sv part)
{
	const size_t at = (size_t)(part.ptr - text->data);

	memmove(text->data, text->data + at, part.len);
	text->data[part.len] = '\0';
	text->len = part.len;
}

/* A name that a layer can hold: layer.md "Whiteouts" gives those that begin with ".wh." another meaning. */
static bool is_layer_name(struct xb_sv path)
{
	if (!xb_path_is_safe(path))
		return false;
	while (path.ptr) {
		if (xb_sv_starts(xb_sv_cut(&path, '/'), ".wh."))
			return false;
	}
	return true;
}

static int take_names(struct apk_tar *tar, const struct header *h, const struct extra *extra,
		      struct apk_tar_entry *entry, struct xb_err *err)
{
	if (!extra->has_path) {
		const struct xb_sv prefix = field_text(h->prefix, sizeof(h->prefix));

		/* GNU's header has other fields in the place of the prefix. */
		xb_str_reset(&tar->path);
		if (prefix.len && memcmp(h->magic, "ustar", 6) == 0) {
			xb_str_append_sv(&tar->path, prefix);
			xb_str_append_char(&tar->path, '/');
		}
		xb_str_append_sv(&tar->path, field_text(h->name, sizeof(h->name)));
	}
	if (!extra->has_target) {
		xb_str_reset(&tar->target);
		xb_str_append_sv(&tar->target, field_text(h->link, sizeof(h->link)));
	}
	if (tar->path.len)
		replace(&tar->path, clean(xb_str_sv(&tar->path)));
	if (entry->type == XB_APK_HARDLINK && tar->target.len)
		replace(&tar->target, clean(xb_str_sv(&tar->target)));
	if ((tar->path.len || entry->type != XB_APK_DIR) && !is_layer_name(xb_str_sv(&tar->path)))
		return fail(tar, err, "has a name that is not safe");
	if (entry->type == XB_APK_HARDLINK && !is_layer_name(xb_str_sv(&tar->target)))
		return fail(tar, err, "is a hard link to a name that is not safe");
	if (entry->type == XB_APK_SYMLINK && (!tar->target.len || tar->target.len > XB_MAX_PATH_BYTES))
		return fail(tar, err, "is a link to nothing");
	entry->path = xb_str_get(&tar->path);
	entry->target =
		entry->type == XB_APK_SYMLINK || entry->type == XB_APK_HARDLINK ? xb_str_get(&tar->target) : NULL;
	return 0;
}

static int take_fields(struct apk_tar *tar, const struct header *h, int64_t size, const struct extra *extra,
		       struct apk_tar_entry *entry, struct xb_err *err)
{
	int64_t mode, uid, gid, mtime;

	if (!type_of(h, &entry->type)) {
		xb_str_reset(&tar->path);
		xb_str_append_sv(&tar->path, field_text(h->name, sizeof(h->name)));
		return fail(tar, err, "is a device, fifo or something else that no package has");
	}
	if (!field_number(h->mode, sizeof(h->mode), &mode) || !field_number(h->uid, sizeof(h->uid), &uid) ||
	    !field_number(h->gid, sizeof(h->gid), &gid) || !field_number(h->mtime, sizeof(h->mtime), &mtime))
		return fail(tar, err, "has a field that is no number");
	memcpy(entry->uname, h->uname, sizeof(h->uname));
	memcpy(entry->gname, h->gname, sizeof(h->gname));
	entry->mode = (uint32_t)mode & 07777;
	entry->uid = extra->has_uid ? (uint32_t)extra->uid : (uint32_t)uid;
	entry->gid = extra->has_gid ? (uint32_t)extra->gid : (uint32_t)gid;
	entry->mtime = extra->has_mtime ? extra->mtime : mtime;
	size = extra->has_size ? extra->size : size;
	if (size && entry->type != XB_APK_FILE)
		return fail(tar, err, "is no file and has content");
	entry->size_bytes = size;
	tar->left = size;
	tar->padding = padding_of(size);
	return take_names(tar, h, extra, entry, err);
}

static int read_header(struct apk_tar *tar, struct header *h, int64_t *out_size, struct xb_err *err)
{
	const int r = read_exactly(tar, h, sizeof(*h), err);

	if (r < 0)
		return r;
	if (r == 1) {
		tar->ended = true;
		return tar->may_be_cut ? 0 : xb_fail(err, XB_E_VERIFY, "read '%s': its files are cut off", tar->name);
	}
	if (is_zero((const char *)h, sizeof(*h)))
		return read_end(tar, err);
	if (memcmp(h->magic, "ustar", 5) != 0 || !has_right_checksum(h))
		return fail(tar, err, "has a header that is damaged");
	return field_number(h->size, sizeof(h->size), out_size) ? 0 : fail(tar, err, "has no size");
}

int apk_tar_next(struct apk_tar *tar, struct apk_tar_entry *entry, struct xb_err *err)
{
	struct extra extra = {0};
	struct header h;
	int64_t size = 0;
	int r = 1;

	if (tar->ended)
		return 0;
	if (skip(tar, tar->left + (int64_t)tar->padding, err) < 0)
		return err->code;
	*entry = (struct apk_tar_entry){0};
	xb_arena_release(&tar->xattrs);
	if (++tar->n_entries > XB_MAX_TREE_ENTRIES)
		return fail(tar, err, "is one too many");
	for (int n = 0; r == 1; n++) {
		if (n > 8)
			return fail(tar, err, "has more headers than one can need");
		if (read_header(tar, &h, &size, err) < 0)
			return err->code;
		if (tar->ended)
			return n ? fail(tar, err, "is missing behind its headers") : 0;
		r = take_extra(tar, &h, size, entry, &extra, err);
	}
	if (r < 0 || take_fields(tar, &h, size, &extra, entry, err) < 0)
		return err->code;
	return 1;
}

int64_t apk_tar_read(struct apk_tar *tar, void *buf, size_t len, struct xb_err *err)
{
	const size_t want = tar->left < (int64_t)len ? (size_t)tar->left : len;
	int r;

	if (!want)
		return 0;
	r = read_exactly(tar, buf, want, err);
	if (r)
		return r < 0 ? r : fail(tar, err, "is cut off");
	tar->left -= (int64_t)want;
	return (int64_t)want;
}
