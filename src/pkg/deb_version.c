/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "xbuild/base/sv.h"
#include "xbuild/pkg/solve.h"

/* The weight of a byte outside of digits in deb-version(7): "~" before the end, the end before letters, those before all. */
static int weight(const char *p, const char *end)
{
	if (p == end || (*p >= '0' && *p <= '9'))
		return 0;
	if (*p == '~')
		return -1;
	if ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'))
		return *p;
	return (unsigned char)*p + 256;
}

static struct xb_sv cut_number(const char **p, const char *end)
{
	const char *start;

	while (*p < end && **p == '0')
		(*p)++;
	start = *p;
	while (*p < end && **p >= '0' && **p <= '9')
		(*p)++;
	return xb_sv_n(start, (size_t)(*p - start));
}

/* Numbers of any length, without leading zeros. */
static int compare_numbers(struct xb_sv a, struct xb_sv b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return xb_sv_compare(a, b);
}

static int compare_part(struct xb_sv a, struct xb_sv b)
{
	const char *p = a.ptr, *p_end = a.ptr + a.len, *q = b.ptr, *q_end = b.ptr + b.len;

	while (p < p_end || q < q_end) {
		int order;

		while ((p < p_end && (*p < '0' || *p > '9')) || (q < q_end && (*q < '0' || *q > '9'))) {
			order = weight(p, p_end) - weight(q, q_end);
			if (order != 0)
				return order;
			p += p < p_end;
			q += q < q_end;
		}
		order = compare_numbers(cut_number(&p, p_end), cut_number(&q, q_end));
		if (order != 0)
			return order;
	}
	return 0;
}

static void split_version(const char *text, struct xb_sv *epoch, struct xb_sv *upstream, struct xb_sv *revision)
{
	const char *colon = strchr(text, ':'), *start = colon ? colon + 1 : text, *dash = strrchr(start, '-');
	size_t len = strlen(start);

	*epoch = xb_sv_n(text, colon ? (size_t)(colon - text) : 0);
	*upstream = xb_sv_n(start, dash ? (size_t)(dash - start) : len);
	*revision = dash ? xb_sv(dash + 1) : xb_sv_n(start + len, 0);
}

/*
 * Not libsolv's: that has an order between spellings that dpkg takes for equal ("1.0", "1.0-0"), which a solver may but
 * a comparison must not have.
 */
int xb_deb_version_compare(const char *a, const char *b)
{
	struct xb_sv parts_a[3], parts_b[3];

	split_version(a, &parts_a[0], &parts_a[1], &parts_a[2]);
	split_version(b, &parts_b[0], &parts_b[1], &parts_b[2]);
	for (int i = 0; i < 3; i++) {
		int order = compare_part(parts_a[i], parts_b[i]);

		if (order != 0)
			return order;
	}
	return 0;
}
