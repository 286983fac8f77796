/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/apk_version.h"

#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/num.h"

/* In the order of their height. 0 is "none", which is the lowest of those after and the highest of those before. */
static const char *const before_names[] = {"alpha", "beta", "pre", "rc"};
static const char *const after_names[] = {"cvs", "svn", "git", "hg", "p"};
#define BEFORE_NONE (XB_COUNT(before_names) + 1)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static void advance(struct xb_sv *rest, size_t n)
{
	rest->ptr += n;
	rest->len -= n;
}

/* The digits that *rest begins with, 0 when there are none; false when the number is too large. */
static bool cut_number(struct xb_sv *rest, uint64_t *out)
{
	size_t n = 0;
	*out = 0;
	while (n < rest->len && is_digit(rest->ptr[n]))
		n++;
	if (n > 0 && !xb_num_u64(xb_sv_n(rest->ptr, n), INT64_MAX, out))
		return false;
	advance(rest, n);
	return true;
}

/* "1", "1.2.3": at least one, and each with digits. */
static bool cut_numbers(struct xb_sv *rest, struct xb_sv *out)
{
	struct xb_sv at = *rest;
	for (;;) {
		uint64_t number;
		if (at.len == 0 || !is_digit(*at.ptr) || !cut_number(&at, &number))
			return false;
		if (at.len == 0 || *at.ptr != '.')
			break;
		advance(&at, 1);
	}
	*out = xb_sv_n(rest->ptr, rest->len - at.len);
	*rest = at;
	return true;
}

/* "_rc2" when its word is one of `names`: *out_kind counts from 1. Leaves all as it is when it is another. */
static bool cut_suffix(struct xb_sv *rest, const char *const *names, size_t n_names, uint8_t *out_kind,
		       uint64_t *out_number)
{
	size_t n = 1;
	if (rest->len == 0 || *rest->ptr != '_')
		return true;
	while (n < rest->len && is_lower(rest->ptr[n]))
		n++;
	for (size_t i = 0; i < n_names; i++) {
		if (!xb_sv_eq_str(xb_sv_n(rest->ptr + 1, n - 1), names[i]))
			continue;
		*out_kind = (uint8_t)(i + 1);
		advance(rest, n);
		return cut_number(rest, out_number);
	}
	return true;
}

static bool cut_revision(struct xb_sv *rest, uint64_t *out)
{
	if (rest->len < 3 || rest->ptr[0] != '-' || rest->ptr[1] != 'r' || !is_digit(rest->ptr[2]))
		return rest->len == 0;
	advance(rest, 2);
	return cut_number(rest, out) && rest->len == 0;
}

bool xb_apk_version_parse(struct xb_sv text, struct xb_apk_version *out)
{
	struct xb_apk_version v = {.valid = true};
	struct xb_sv rest = text;
	bool ok = cut_numbers(&rest, &v.numbers);
	if (ok && rest.len > 0 && is_lower(*rest.ptr)) {
		v.letter = *rest.ptr;
		advance(&rest, 1);
	}
	ok = ok && cut_suffix(&rest, before_names, XB_COUNT(before_names), &v.before, &v.before_number) &&
	     cut_suffix(&rest, after_names, XB_COUNT(after_names), &v.after, &v.after_number) &&
	     cut_revision(&rest, &v.revision);
	*out = ok ? v : (struct xb_apk_version){0};
	return ok;
}

/* ---- order ---- */

/* Walks over the numbers of a version. */
struct numbers {
	struct xb_sv rest;
	bool zero_first;
};

static struct numbers numbers_of(const struct xb_apk_version *v)
{
	return (struct numbers){.rest = v->numbers, .zero_first = v->zero_first};
}

static bool next_number(struct numbers *n, uint64_t *out)
{
	if (n->zero_first) {
		n->zero_first = false;
		*out = 0;
		return true;
	}
	if (n->rest.len == 0)
		return false;
	(void)cut_number(&n->rest, out); /* it was parsed once */
	if (n->rest.len > 0)
		advance(&n->rest, 1); /* the dot */
	return true;
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_numbers(const struct xb_apk_version *a, const struct xb_apk_version *b)
{
	struct numbers an = numbers_of(a), bn = numbers_of(b);
	for (;;) {
		uint64_t x = 0, y = 0;
		bool more_a = next_number(&an, &x), more_b = next_number(&bn, &y);
		if (!more_a || !more_b)
			return (int)more_a - (int)more_b;
		if (x != y)
			return order(x, y);
	}
}

static uint64_t height_before(const struct xb_apk_version *v)
{
	return v->before ? v->before : BEFORE_NONE;
}

int xb_apk_version_compare(const struct xb_apk_version *a, const struct xb_apk_version *b)
{
	if (!a->valid || !b->valid)
		return (int)a->valid - (int)b->valid;
	int c = compare_numbers(a, b);
	if (c == 0)
		c = order((unsigned char)a->letter, (unsigned char)b->letter);
	if (c == 0)
		c = order(height_before(a), height_before(b));
	if (c == 0)
		c = order(a->before_number, b->before_number);
	if (c == 0)
		c = order(a->after, b->after);
	if (c == 0)
		c = order(a->after_number, b->after_number);
	if (c == 0)
		c = order(a->revision, b->revision);
	return c;
}

/* What is said of the wanted version beyond its numbers holds of the actual one; what is 0 was not said. */
static bool includes_details(const struct xb_apk_version *actual, const struct xb_apk_version *wanted)
{
	return (!wanted->letter || wanted->letter == actual->letter) &&
	       (!wanted->before || wanted->before == actual->before) &&
	       (!wanted->before_number || wanted->before_number == actual->before_number) &&
	       (!wanted->after || wanted->after == actual->after) &&
	       (!wanted->after_number || wanted->after_number == actual->after_number) &&
	       (!wanted->revision || wanted->revision == actual->revision);
}

static bool includes(const struct xb_apk_version *actual, const struct xb_apk_version *wanted)
{
	struct numbers an = numbers_of(actual), wn = numbers_of(wanted);
	uint64_t x = 0, y = 0;
	while (next_number(&wn, &y))
		if (!next_number(&an, &x) || x != y)
			return false;
	return next_number(&an, &x) || includes_details(actual, wanted);
}

bool xb_apk_version_satisfies(const struct xb_apk_version *actual, enum xb_apk_op op,
			      const struct xb_apk_version *wanted)
{
	if (op == XB_APK_ANY)
		return true;
	if (!actual->valid || !wanted->valid)
		return false;
	if (op == XB_APK_TILDE)
		return includes(actual, wanted);
	int c = xb_apk_version_compare(actual, wanted);
	switch (op) {
	case XB_APK_EQUAL:
		return c == 0;
	case XB_APK_GREATER:
		return c > 0;
	case XB_APK_LESS:
		return c < 0;
	case XB_APK_GREATER_EQUAL:
		return c >= 0;
	default:
		return c <= 0;
	}
}
