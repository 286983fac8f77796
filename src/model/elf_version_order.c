/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "elf_reader.h"
#include "xbuild/base/sv.h"

/* "GLIBC_2.34": family "GLIBC", tail "2.34". Without a '_' the family is empty. */
static struct xb_sv split(const char *version, struct xb_sv *out_family)
{
	const char *mark = strrchr(version, '_');

	*out_family = mark ? xb_sv_n(version, (size_t)(mark - version)) : xb_sv("");
	return xb_sv(mark ? mark + 1 : version);
}

/* Digits with single dots between them. */
static bool is_dotted_number(struct xb_sv tail)
{
	bool want_digit = true;

	for (size_t i = 0; i < tail.len; i++) {
		bool digit = tail.ptr[i] >= '0' && tail.ptr[i] <= '9';

		if (!digit && (tail.ptr[i] != '.' || want_digit))
			return false;
		want_digit = !digit;
	}
	return !want_digit;
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

/* By text, since no integer is wide enough for every number. */
static int compare_number(struct xb_sv a, struct xb_sv b)
{
	while (a.len > 1 && *a.ptr == '0')
		a = xb_sv_n(a.ptr + 1, a.len - 1);
	while (b.len > 1 && *b.ptr == '0')
		b = xb_sv_n(b.ptr + 1, b.len - 1);
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return sign(xb_sv_compare(a, b));
}

static int compare_dotted(struct xb_sv a, struct xb_sv b)
{
	while (a.ptr && b.ptr) {
		int order = compare_number(xb_sv_cut(&a, '.'), xb_sv_cut(&b, '.'));

		if (order)
			return order;
	}
	return (a.ptr != NULL) - (b.ptr != NULL);
}

bool xb_elf_version_compare(const char *a, const char *b, int *out)
{
	struct xb_sv family_a, family_b, tail_a = split(a, &family_a), tail_b = split(b, &family_b);

	if (!strchr(a, '_') || !strchr(b, '_') || !xb_sv_eq(family_a, family_b) || !is_dotted_number(tail_a) ||
	    !is_dotted_number(tail_b))
		return false;
	*out = compare_dotted(tail_a, tail_b);
	return true;
}

/* Family, then numbers, then what has no number; equal numbers that are spelt differently by their text. */
int xb_elf_version_order(const char *a, const char *b)
{
	struct xb_sv family_a, family_b, tail_a = split(a, &family_a), tail_b = split(b, &family_b);
	bool number_a = is_dotted_number(tail_a), number_b = is_dotted_number(tail_b);
	int order = xb_sv_compare(family_a, family_b);

	if (order == 0 && number_a && number_b)
		order = compare_dotted(tail_a, tail_b);
	else if (order == 0)
		order = number_b - number_a;
	return order ? order : strcmp(a, b);
}
