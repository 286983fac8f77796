/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/tar.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "xbuild/base/path.h"

#define MAX_USTAR_ID   07777777U
#define MAX_USTAR_SIZE 077777777777ULL

/* POSIX.1-1988 header block; every member is text. */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], dev_major[8], dev_minor[8], prefix[155], unused[12];
};
static_assert(sizeof(struct ustar) == XB_TAR_BLOCK_BYTES, "a tar header is one block");

/* Fills a field with octal digits and a final NUL. */
static void put_octal(char *field, size_t size, uint64_t value)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
	assert(value == 0);
}

static void put_text(char *field, size_t size, const char *text, size_t len)
{
	memcpy(field, text, len < size ? len : size);
}

static void append_block(struct ustar *h, struct xb_str *out)
{
	unsigned sum = 0;

	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((const unsigned char *)h)[i];
	put_octal(h->checksum, 7, sum);
	xb_str_append_n(out, h, sizeof(*h));
}

static void start_block(struct ustar *h, enum xb_tar_type type, uint32_t mode)
{
	memset(h, 0, sizeof(*h));
	put_octal(h->mode, sizeof(h->mode), mode);
	put_octal(h->mtime, sizeof(h->mtime), XB_TAR_MTIME);
	put_octal(h->dev_major, sizeof(h->dev_major), 0);
	put_octal(h->dev_minor, sizeof(h->dev_minor), 0);
	memcpy(h->magic, "ustar", sizeof(h->magic));
	memcpy(h->version, "00", sizeof(h->version));
	h->type = (char)type;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/*
 * Where a name splits into prefix and name: *out_prefix bytes, a slash, the rest; 0 when it needs no split. False when
 * no split fits. The last byte cannot be the split: the rest would be empty (directories end with a slash).
 */
static bool split_name(const char *name, size_t len, size_t *out_prefix)
{
	const size_t first =
		len - 1 > sizeof(((struct ustar *)0)->name) ? len - 1 - sizeof(((struct ustar *)0)->name) : 1;

	*out_prefix = 0;
	if (len <= sizeof(((struct ustar *)0)->name))
		return true;
	for (size_t i = first; i < len - 1 && i <= sizeof(((struct ustar *)0)->prefix); i++) {
		if (name[i] == '/') {
			*out_prefix = i;
			return true;
		}
	}
	return false;
}

/* "<length> <key>=<value>\n", where the length counts its own digits (POSIX.1-2001 pax, "pax Extended Header"). */
static void add_record(struct xb_str *records, const char *key, struct xb_sv value)
{
	const size_t rest = strlen(key) + value.len + 3;
	size_t len = rest + 1;

	for (size_t tens = 10; tens <= len; tens *= 10)
		len++;
	xb_str_printf(records, "%zu %s=", len, key);
	xb_str_append_sv(records, value);
	xb_str_append_char(records, '\n');
}

static void add_number_record(struct xb_str *records, const char *key, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	add_record(records, key, xb_sv(digits));
}

static void append_pax_header(const struct xb_tar_entry *entry, const struct xb_str *records, struct xb_str *out)
{
	static const char zeros[XB_TAR_BLOCK_BYTES];
	static const char dir[] = "PaxHeaders.0/";
	const struct xb_sv base = xb_path_base(xb_sv(entry->path));
	struct ustar h;

	start_block(&h, XB_TAR_FILE, 0644);
	h.type = 'x';
	memcpy(h.name, dir, sizeof(dir) - 1);
	put_text(h.name + sizeof(dir) - 1, sizeof(h.name) - sizeof(dir) + 1, base.ptr, base.len);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), records->len);
	append_block(&h, out);
	xb_str_append_sv(out, xb_str_sv(records));
	xb_str_append_n(out, zeros, xb_tar_padding(records->len));
}

static int check_path(const char *path, struct xb_err *err)
{
	struct xb_sv rest = xb_sv(path);

	if (!xb_path_is_safe(rest))
		return xb_fail(err, XB_E_INPUT, "add '%s' to a layer: expected a clean relative path", path);
	while (rest.ptr) {
		if (xb_sv_starts(xb_sv_cut(&rest, '/'), ".wh."))
			return xb_fail(err, XB_E_INPUT,
				       "add '%s' to a layer: names that start with '.wh.' mean a deletion there", path);
	}
	return 0;
}

int xb_tar_header(const struct xb_tar_entry *entry, struct xb_str *out, struct xb_err *err)
{
	struct xb_str records XB_CLEANUP(xb_str_release) = {0};
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	const char *target = entry->type == XB_TAR_SYMLINK ? entry->target : "";
	const uint64_t size = entry->type == XB_TAR_FILE ? entry->size_bytes : 0;
	size_t prefix;
	struct ustar h;

	if (check_path(entry->path, err) < 0)
		return err->code;
	xb_str_append(&name, entry->path);
	if (entry->type == XB_TAR_DIR)
		xb_str_append_char(&name, '/');
	start_block(&h, entry->type, entry->mode & 07777);

	if (entry->gid > MAX_USTAR_ID)
		add_number_record(&records, "gid", entry->gid);
	if (strlen(target) > sizeof(h.link) || !is_ascii(target))
		add_record(&records, "linkpath", xb_sv(target));
	if (!split_name(name.data, name.len, &prefix) || !is_ascii(name.data)) {
		add_record(&records, "path", xb_str_sv(&name));
		prefix = 0;
	}
	if (size > MAX_USTAR_SIZE)
		add_number_record(&records, "size", size);
	if (entry->uid > MAX_USTAR_ID)
		add_number_record(&records, "uid", entry->uid);

	put_octal(h.uid, sizeof(h.uid), entry->uid > MAX_USTAR_ID ? 0 : entry->uid);
	put_octal(h.gid, sizeof(h.gid), entry->gid > MAX_USTAR_ID ? 0 : entry->gid);
	put_octal(h.size, sizeof(h.size), size > MAX_USTAR_SIZE ? 0 : size);
	put_text(h.link, sizeof(h.link), target, strlen(target));
	if (prefix) {
		put_text(h.prefix, sizeof(h.prefix), name.data, prefix);
		put_text(h.name, sizeof(h.name), name.data + prefix + 1, name.len - prefix - 1);
	} else {
		put_text(h.name, sizeof(h.name), name.data, name.len);
	}
	if (records.len)
		append_pax_header(entry, &records, out);
	append_block(&h, out);
	return 0;
}

size_t xb_tar_padding(uint64_t size_bytes)
{
	return (size_t)(-size_bytes % XB_TAR_BLOCK_BYTES);
}
