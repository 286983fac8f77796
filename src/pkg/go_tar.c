/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/go_tar.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/vec.h"

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], dev_major[8], dev_minor[8], prefix[155], unused[12];
};
_Static_assert(sizeof(struct header) == XB_GO_TAR_BLOCK, "a tar header is one block");

struct record {
	struct xb_str key, value;
};

struct records {
	struct record *items;
	size_t len, cap;
};

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/* Octal with a NUL behind; a number that does not fit is 0, and stands in a record. */
static void put_octal(char *field, size_t size, int64_t value)
{
	if (value < 0 || (size < 22 && value >> (3 * (size - 1))))
		value = 0;
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

/* Without what is not ASCII; cut where the field ends, and then not behind a slash. */
static void put_text(char *field, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n < size; text++) {
		if ((unsigned char)*text < 0x80)
			field[n++] = *text;
	}
	if (*text && n == size && field[size - 1] == '/') {
		while (n > 1 && field[n - 1] == '/')
			n--;
		field[n] = '\0';
	}
}

static void append_block(struct header *h, struct xb_str *out)
{
	unsigned sum = 0;
	char digits[8];

	memcpy(h->magic, "ustar", sizeof(h->magic));
	memcpy(h->version, "00", sizeof(h->version));
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((const unsigned char *)h)[i];
	(void)snprintf(digits, sizeof(digits), "%06o", sum & 0777777);
	memcpy(h->checksum, digits, 7); /* six digits and NUL; the blank behind them stays */
	xb_str_append_n(out, h, sizeof(*h));
}

static void append_zeros(size_t len, struct xb_str *out)
{
	static const char zeros[XB_GO_TAR_BLOCK];

	xb_str_append_n(out, zeros, len);
}

/* Where a name splits into prefix and name: at the last slash that the prefix has room for. */
static bool split_name(const char *name, size_t *out_prefix)
{
	const size_t len = strlen(name), room = sizeof(((struct header *)0)->prefix) + 1;
	size_t i = len > room ? room : name[len - 1] == '/' ? len - 1 : len;

	while (i > 0 && name[i - 1] != '/')
		i--;
	if (i <= 1 || len - i > sizeof(((struct header *)0)->name) || len == i)
		return false;
	*out_prefix = i - 1;
	return true;
}

static struct record *add_record(struct records *all, const char *key)
{
	struct record *r = XB_VEC_ADD(all);

	xb_str_append(&r->key, key);
	return r;
}

static void add_number(struct records *all, const char *key, int64_t value, int digits)
{
	if (value >> (3 * digits))
		xb_str_printf(&add_record(all, key)->value, "%lld", (long long)value);
}

static void add_text(struct records *all, const char *key, const char *text, size_t size)
{
	if (text && (strlen(text) > size || !is_ascii(text)))
		xb_str_append(&add_record(all, key)->value, text);
}

/* What the header has no room for. */
static void collect(const struct xb_go_tar *e, struct records *all, size_t *out_prefix)
{
	*out_prefix = 0;
	if (!is_ascii(e->path) ||
	    (strlen(e->path) > sizeof(((struct header *)0)->name) && !split_name(e->path, out_prefix)))
		xb_str_append(&add_record(all, "path")->value, e->path);
	add_text(all, "linkpath", e->target, sizeof(((struct header *)0)->link));
	add_text(all, "uname", e->uname, sizeof(((struct header *)0)->uname));
	add_text(all, "gname", e->gname, sizeof(((struct header *)0)->gname));
	add_number(all, "uid", e->uid, 7);
	add_number(all, "gid", e->gid, 7);
	add_number(all, "size", e->size_bytes, 11);
	add_number(all, "mtime", e->mtime, 11);
	for (size_t i = 0; i < e->n_xattrs; i++) {
		struct record *r = add_record(all, "SCHILY.xattr.");

		xb_str_append(&r->key, e->xattrs[i].name);
		xb_str_append_n(&r->value, e->xattrs[i].value, e->xattrs[i].len);
	}
}

static int compare_records(const void *a, const void *b)
{
	const struct record *of_a = a, *of_b = b;
	const int keys = strcmp(xb_str_get(&of_a->key), xb_str_get(&of_b->key));

	/* an order that is total: how qsort leaves equal ones is each libc's own affair */
	return keys ? keys : xb_sv_compare(xb_str_sv(&of_a->value), xb_str_sv(&of_b->value));
}

static void append_pax(const struct xb_go_tar *e, struct records *all, struct xb_str *out)
{
	const char *slash = strrchr(e->path, '/');
	struct xb_str data XB_CLEANUP(xb_str_release) = {0}, name XB_CLEANUP(xb_str_release) = {0};
	struct header h = {.type = 'x'};

	qsort(all->items, all->len, sizeof(*all->items), compare_records);
	for (size_t i = 0; i < all->len; i++) {
		const struct record *r = &all->items[i];
		const size_t rest = r->key.len + r->value.len + 3;
		size_t len = rest + 1;

		for (size_t tens = 10; tens <= len; tens *= 10)
			len++;
		xb_str_printf(&data, "%zu %s=", len, xb_str_get(&r->key));
		xb_str_append_sv(&data, xb_str_sv(&r->value));
		xb_str_append_char(&data, '\n');
	}
	xb_str_append_n(&name, e->path, slash ? (size_t)(slash - e->path) + 1 : 0);
	xb_str_printf(&name, "PaxHeaders.0/%s", slash ? slash + 1 : e->path);
	put_text(h.name, sizeof(h.name), xb_str_get(&name));
	put_octal(h.mode, sizeof(h.mode), 0);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), (int64_t)data.len);
	put_octal(h.mtime, sizeof(h.mtime), 0);
	append_block(&h, out);
	xb_str_append_sv(out, xb_str_sv(&data));
	append_zeros(-data.len % XB_GO_TAR_BLOCK, out);
}

void xb_go_tar_header(const struct xb_go_tar *e, struct xb_str *out)
{
	struct header h = {.type = e->type};
	struct records all = {0};
	size_t prefix;

	collect(e, &all, &prefix);
	if (all.len) {
		append_pax(e, &all, out);
		prefix = 0;
	}
	put_text(h.name, sizeof(h.name), prefix ? e->path + prefix + 1 : e->path);
	if (prefix)
		memcpy(h.prefix, e->path, prefix);
	put_octal(h.mode, sizeof(h.mode), e->mode);
	put_octal(h.uid, sizeof(h.uid), e->uid);
	put_octal(h.gid, sizeof(h.gid), e->gid);
	put_octal(h.size, sizeof(h.size), e->size_bytes);
	put_octal(h.mtime, sizeof(h.mtime), e->mtime);
	put_text(h.link, sizeof(h.link), e->target ? e->target : "");
	put_text(h.uname, sizeof(h.uname), e->uname ? e->uname : "");
	put_text(h.gname, sizeof(h.gname), e->gname ? e->gname : "");
	put_octal(h.dev_major, sizeof(h.dev_major), e->major);
	put_octal(h.dev_minor, sizeof(h.dev_minor), e->minor);
	append_block(&h, out);
	for (size_t i = 0; i < all.len; i++) {
		xb_str_release(&all.items[i].key);
		xb_str_release(&all.items[i].value);
	}
	XB_VEC_RELEASE(&all);
}
