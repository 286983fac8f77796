/* SPDX-License-Identifier: Apache-2.0 */
/* Archives made by hand: tar (POSIX.1-1988 ustar) and deb (deb(5)), not compressed. */
#ifndef TEST_PKG_DEB_MADE_H
#define TEST_PKG_DEB_MADE_H

#include <stdio.h>
#include <string.h>

#include "xbuild/base/str.h"

#define BLOCK 512

struct item {
	char type; /* typeflag of ustar: '0' file, '5' directory, '2' symlink, '1' hard link, '6' fifo; 'x' and 'g' of pax */
	const char *name, *text; /* content or link target */
	unsigned mode;
};

static inline void add_entry(struct xb_str *tar, const struct item *item)
{
	char h[BLOCK] = {0};
	size_t size = strchr("0xg", item->type) ? strlen(item->text) : 0;
	unsigned sum = 0;

	(void)snprintf(h, 100, "%s", item->name);
	(void)snprintf(h + 100, 8, "%07o", item->mode);
	(void)snprintf(h + 108, 8, "%07o", 0U);
	(void)snprintf(h + 116, 8, "%07o", 0U);
	(void)snprintf(h + 124, 12, "%011o", (unsigned)(size & 0777777777));
	(void)snprintf(h + 136, 12, "%011o", 0U);
	memset(h + 148, ' ', 8);
	h[156] = item->type;
	if (item->type == '1' || item->type == '2')
		(void)snprintf(h + 157, 100, "%s", item->text);
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)h[i];
	(void)snprintf(h + 148, 8, "%06o", sum);
	xb_str_append_n(tar, h, BLOCK);
	xb_str_append_n(tar, item->text, size);
	while (tar->len % BLOCK)
		xb_str_append_char(tar, '\0');
}

static inline void make_tar(struct xb_str *tar, const struct item *items)
{
	char end[2 * BLOCK] = {0};

	for (; items->type; items++)
		add_entry(tar, items);
	xb_str_append_n(tar, end, sizeof(end));
}

static inline void add_member(struct xb_str *ar, const char *name, struct xb_sv content)
{
	xb_str_printf(ar, "%-16s%-12d%-6d%-6d%-8o%-10zu`\n", name, 0, 0, 0, 0100644U, content.len);
	xb_str_append_sv(ar, content);
	if (content.len % 2)
		xb_str_append_char(ar, '\n');
}

static inline void make_deb(struct xb_str *deb, const char *control, const struct item *data)
{
	struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
	const struct item files[] = {
		{'5', "./", "", 0755}, {'0', "./md5sums", "x\n", 0644}, {'0', "./control", control, 0644}, {0}};

	xb_str_append(deb, "!<arch>\n");
	add_member(deb, "debian-binary", xb_sv("2.0\n"));
	make_tar(&tar, files);
	add_member(deb, "control.tar", xb_str_sv(&tar));
	xb_str_reset(&tar);
	make_tar(&tar, data);
	add_member(deb, "data.tar", xb_str_sv(&tar));
}

#endif
