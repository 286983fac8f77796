/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/apk_relation.h"

#include <ctype.h>
#include <string.h>

#include "xbuild/base/attr.h"

#define OPERATOR_CHARS "=<>~"

static enum xb_apk_op parse_operator(struct xb_sv text)
{
	static const struct {
		const char *text;
		enum xb_apk_op op;
	} operators[] = {{"=", XB_APK_EQUAL},	       {">", XB_APK_GREATER},	  {"<", XB_APK_LESS},
			 {">=", XB_APK_GREATER_EQUAL}, {"<=", XB_APK_LESS_EQUAL}, {"~", XB_APK_TILDE},
			 {"=~", XB_APK_TILDE}};
	for (size_t i = 0; i < XB_COUNT(operators); i++)
		if (xb_sv_eq_str(text, operators[i].text))
			return operators[i].op;
	return XB_APK_ANY;
}

static bool is_tag(const char *text)
{
	const char *at = text;
	while (isalnum((unsigned char)*at))
		at++;
	return at != text && !*at;
}

/* Ends in "-r" and digits. */
static bool has_revision(const char *text)
{
	size_t n = strlen(text), end = n;
	while (n > 0 && isdigit((unsigned char)text[n - 1]))
		n--;
	return n < end && n >= 2 && text[n - 1] == 'r' && text[n - 2] == '-';
}

/* `at` is behind the name. Fills in what is there; false when it is not of the form. */
static bool parse_rest(const char *at, struct xb_apk_relation *r)
{
	size_t op_len = strspn(at, OPERATOR_CHARS);
	const char *version = at + op_len;
	size_t version_len = strcspn(version, "@");
	const char *tag = version + version_len;
	if (op_len > 0 ? version_len == 0 : version_len > 0)
		return false;
	if (*tag && !is_tag(tag + 1))
		return false;
	if (op_len > 0) {
		r->op = (uint8_t)parse_operator(xb_sv_n(at, op_len));
		r->version_at = (uint32_t)(version - r->text);
		r->version_len = (uint32_t)version_len;
	}
	if (*tag)
		r->tag_at = (uint32_t)(tag + 1 - r->text);
	r->zero_first = memchr(at, '=', op_len) && !has_revision(version);
	return true;
}

void xb_apk_relation_parse(const char *text, struct xb_apk_relation *out)
{
	struct xb_apk_relation r = {.text = text, .conflict = *text == '!'};
	const char *name = text + r.conflict;
	size_t name_len = strcspn(name, "@" OPERATOR_CHARS);
	r.well_formed = name_len > 0 && parse_rest(name + name_len, &r);
	r.name_len = (uint32_t)(r.well_formed ? name_len : strlen(name));
	r.zero_first = r.zero_first && strncmp(name, "so:", 3) == 0;
	*out = r;
}

struct xb_sv xb_apk_relation_name(const struct xb_apk_relation *r)
{
	return xb_sv_n(r->text + r->conflict, r->name_len);
}

const char *xb_apk_relation_tag(const struct xb_apk_relation *r)
{
	return r->tag_at ? r->text + r->tag_at : "";
}

void xb_apk_relation_version(const struct xb_apk_relation *r, struct xb_apk_version *out)
{
	if (xb_apk_version_parse(xb_sv_n(r->text + r->version_at, r->version_len), out))
		out->zero_first = r->zero_first;
}
