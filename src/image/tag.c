/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/tag.h"

#include <string.h>

#include "xbuild/model/timestamp.h"

#define BRANCH_NAME "${git.branch}"

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_alphanumeric(char c)
{
	return is_lower_or_digit(c) || is_upper(c);
}

void xb_tag_slug(const char *branch, size_t max_bytes, struct xb_str *out)
{
	const size_t start = out->len;

	for (; *branch && out->len - start < max_bytes; branch++) {
		const char lower = is_upper(*branch) ? (char)(*branch - 'A' + 'a') : *branch;
		const char c = is_lower_or_digit(lower) || strchr("._-", lower) ? lower : '-';

		if (out->len == start && (c == '.' || c == '-'))
			continue;
		xb_str_append_char(out, c);
	}
	if (out->len == start)
		xb_str_append(out, XB_TAG_DETACHED);
}

bool xb_tag_set_branch(const char *text, const char *slug, struct xb_str *out)
{
	bool found = false;

	while (*text) {
		if (strncmp(text, "$${", 3) == 0) {
			xb_str_append_n(out, text, 3);
			text += 3;
		} else if (strncmp(text, BRANCH_NAME, sizeof(BRANCH_NAME) - 1) == 0) {
			xb_str_append(out, slug);
			text += sizeof(BRANCH_NAME) - 1;
			found = true;
		} else {
			xb_str_append_char(out, *text++);
		}
	}
	return found;
}

size_t xb_tag_repository_len(const char *text)
{
	bool in_name = false;
	size_t colon = 0;

	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '$' && text[i + 1] == '{')
			in_name = true;
		else if (text[i] == '}')
			in_name = false;
		else if (text[i] == ':' && !in_name)
			colon = i;
		else if (text[i] == '/' && !in_name)
			colon = 0; /* that was a port: host:5000/name */
	}
	return colon;
}

static bool ends_with(const char *text, const char *end)
{
	return xb_sv_ends(xb_sv(text), end);
}

void xb_tag_legal(const char *text, bool dirty, struct xb_str *out)
{
	struct xb_str tag XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest;

	for (; *text; text++)
		xb_str_append_char(&tag, is_alphanumeric(*text) || strchr("._-", *text) ? *text : '-');
	if (dirty && !ends_with(xb_str_get(&tag), XB_TAG_DIRTY))
		xb_str_append(&tag, XB_TAG_DIRTY);
	rest = xb_str_sv(&tag);
	if (rest.len > XB_TAG_MAX_BYTES)
		rest = xb_sv_n(rest.ptr + rest.len - XB_TAG_MAX_BYTES, XB_TAG_MAX_BYTES);
	while (rest.len && (rest.ptr[0] == '.' || rest.ptr[0] == '-'))
		rest = xb_sv_n(rest.ptr + 1, rest.len - 1);
	if (rest.len)
		xb_str_append_sv(out, rest);
	else
		xb_str_append(out, "untagged");
}

int xb_tag_builtin(const char *name, const struct xb_tag_facts *facts, struct xb_str *out, struct xb_err *err)
{
	const bool by_digest = strcmp(name, "sha256") == 0;
	char hex[XB_DIGEST_HEX], time[XB_TIMESTAMP_SIZE];

	if (!by_digest && strcmp(name, "commit-timestamp") != 0)
		return 0;
	if (!facts->commit || !facts->commit[0]) {
		xb_fail(err, XB_E_INPUT, "the project has no git commit");
		return xb_hint(err, "commit the project, or give 'tags:' that need no git");
	}
	if (!by_digest) {
		xb_str_printf(out, "%.8s-%lld", facts->commit, (long long)facts->commit_time);
		return 1;
	}
	if (!facts->index) {
		xb_fail(err, XB_E_NOT_FOUND, "the image of this commit has not been written yet");
		return xb_hint(err, "run 'xbuild image' first");
	}
	xb_str_printf(out, "%.8s-%s", xb_digest_hex(facts->index, hex),
		      xb_timestamp_compact(facts->commit_time, true, time));
	return 1;
}

/* component ::= alphanum (separator alphanum)*, where "--" is the only separator of two characters. */
bool xb_tag_is_ref(const char *tag)
{
	size_t i = 0;

	for (;;) {
		const size_t start = i;

		while (is_alphanumeric(tag[i]))
			i++;
		if (i == start)
			return false;
		if (!tag[i])
			return true;
		if (!strchr("-._:@+/", tag[i]))
			return false;
		i += tag[i] == '-' && tag[i + 1] == '-' ? 2 : 1;
	}
}
