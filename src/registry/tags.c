/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/tags.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/model/names.h"
#include "xbuild/sys/json.h"

#define MAX_PAGES      1000
#define SEPARATORS     "-._"
#define MIN_HEX_WORD   7
#define MAX_SHOWN_TAGS 8
#define FIRST_SECONDS  UINT64_C(1000000000) /* the first ones of ten digits; then it is 2001 */

void xb_tags_release(struct xb_tags *tags)
{
	if (!tags)
		return;
	XB_VEC_RELEASE(&tags->list);
	xb_arena_release(&tags->arena);
	*tags = (struct xb_tags){0};
}

static int compare_tags(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- the list ---- */

static int take_page(const struct xb_http_response *res, struct xb_tags *out, struct xb_err *err)
{
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const json_t *list;

	if (xb_json_parse(xb_str_sv(&res->body), "tags", &root, err) < 0) {
		err->code = XB_E_NETWORK;
		return err->code;
	}
	list = json_object_get(root, "tags");
	for (size_t i = 0; i < json_array_size(list) && !out->is_cut; i++) {
		const char *tag = json_string_value(json_array_get(list, i));

		out->is_cut = out->list.len >= XB_TAGS_MAX;
		if (!out->is_cut && tag && xb_name_is_tag(xb_sv(tag)))
			XB_VEC_PUSH(&out->list, xb_arena_strdup(&out->arena, tag));
	}
	return 0;
}

/* Link: <address>; rel="next" (RFC 8288 3). *out NULL: this was the last page. */
static int next_page(const struct xb_http_response *res, char **out, struct xb_err *err)
{
	struct xb_sv value = xb_http_header(res, "Link", 0);
	struct xb_sv address;

	*out = NULL;
	if (!value.ptr || !value.len || value.ptr[0] != '<')
		return 0;
	value = xb_sv_n(value.ptr + 1, value.len - 1);
	address = xb_sv_cut(&value, '>');
	char *rest XB_CLEANUP(xb_free_ptr) = xb_sv_dup(value), *text XB_CLEANUP(xb_free_ptr) = xb_sv_dup(address);

	if (!value.ptr || !strstr(rest, "next"))
		return 0;
	if (xb_http_resolve(res->url, text, out, err) < 0)
		return err->code;
	if (xb_http_same_origin(*out, res->url))
		return 0;
	free(*out);
	*out = NULL;
	return xb_fail(err, XB_E_NETWORK, "the next page of the list of tags is on another server");
}

int xb_tags_list(struct xb_repository *repo, struct xb_tags *out, struct xb_err *err)
{
	char *url = NULL;

	if (registry_url(repo, &url, err, "/tags/list?n=1000") < 0)
		return err->code;
	for (int page = 0; url && page < MAX_PAGES && !out->is_cut; page++) {
		struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
		const struct registry_call call = {.method = "GET", .url = url};
		char *next = NULL;

		if (registry_call(repo, &call, &res, err) == 0 && res.status == 200) {
			if (take_page(&res, out, err) == 0)
				(void)next_page(&res, &next, err);
		} else if (!err->code && res.status != 404) {
			registry_refused(&call, &res, err);
		}
		free(url);
		url = next;
		if (err->code)
			break;
	}
	out->is_cut = out->is_cut || url;
	free(url);
	if (err->code)
		xb_tags_release(out);
	return err->code;
}

/* ---- a tag that is not there ---- */

/* Tags that tools make beside those of images: "sha256-<hex>", "sha256-<hex>.sig". */
static bool is_companion(const char *tag)
{
	return xb_sv_starts(xb_sv(tag), "sha256-");
}

/* The one that is meant, else the last ones: in most series they are the newest. */
static void tell_tags(const struct xb_tags *tags, const char *tag, struct xb_str *out)
{
	const char **own XB_CLEANUP(xb_free_ptr) = xb_alloc((tags->list.len + 1) * sizeof(*own));
	const char *meant;
	size_t n = 0;

	for (size_t i = 0; i < tags->list.len; i++)
		if (!is_companion(tags->list.items[i]))
			own[n++] = tags->list.items[i];
	if (!n)
		return;
	qsort(own, n, sizeof(*own), compare_tags);
	own[n] = NULL;
	meant = xb_sv_suggest(xb_sv(tag), own);
	if (meant)
		xb_str_printf(out, "did you mean '%s'? ", meant);
	xb_str_append(out, n > MAX_SHOWN_TAGS ? "its last tags: " : n > 1 ? "its tags: " : "its only tag: ");
	for (size_t i = n > MAX_SHOWN_TAGS ? n - MAX_SHOWN_TAGS : 0, first = i; i < n; i++)
		xb_str_printf(out, "%s%s", i == first ? "" : ", ", own[i]);
	if (n > MAX_SHOWN_TAGS)
		xb_str_printf(out, " (%zu in all)", n);
}

int xb_tags_hint(struct xb_repository *repo, const char *tag, struct xb_err *err)
{
	struct xb_tags tags XB_CLEANUP(xb_tags_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_tags_list(repo, &tags, &ignored) < 0)
		return xb_hint(err, "is the tag right? the registry does not tell which there are");
	tell_tags(&tags, tag, &text);
	if (!text.len)
		return xb_hint(err, "'%s/%s' has no tags: is the name right, and may you read it?", repo->ref.registry,
			       repo->ref.repository);
	return xb_hint(err, "%s", text.data);
}

/* ---- the order ---- */

static bool is_in(struct xb_sv digits, size_t at, size_t len, uint64_t least, uint64_t most)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n * 10 + (uint64_t)(digits.ptr[at + i] - '0');
	return n >= least && n <= most;
}

static bool is_time(struct xb_sv word, uint64_t *out)
{
	if (word.len == 10)
		return xb_num_u64(word, UINT64_MAX, out) && *out >= FIRST_SECONDS;
	return word.len == 14 && xb_num_u64(word, UINT64_MAX, out) && is_in(word, 0, 4, 1970, 9999) &&
	       is_in(word, 4, 2, 1, 12) && is_in(word, 6, 2, 1, 31) && is_in(word, 8, 2, 0, 23) &&
	       is_in(word, 10, 2, 0, 59) && is_in(word, 12, 2, 0, 60);
}

static bool is_hex_word(struct xb_sv word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!strchr("0123456789abcdef", word.ptr[i]))
			return false;
	return word.len >= MIN_HEX_WORD;
}

/* Cuts one word and the separator behind it off; false at the end. */
static bool next_word(const char **rest, struct xb_sv *word, char *separator)
{
	const size_t len = strcspn(*rest, SEPARATORS);

	if (!**rest)
		return false;
	*word = xb_sv_n(*rest, len);
	*separator = (*rest)[len];
	*rest += len + (*separator != '\0');
	return true;
}

/* The last time that stands in a tag, and the tag with "T" in its place and "H" for words of hexadecimal digits. */
static bool find_series(const char *tag, uint64_t *out_time, struct xb_str *out_series)
{
	const char *rest = tag;
	size_t n_words = 0, time_word = SIZE_MAX;
	struct xb_sv word;
	uint64_t time;
	char separator;

	for (; next_word(&rest, &word, &separator); n_words++)
		if (is_time(word, &time)) {
			time_word = n_words;
			*out_time = time;
		}
	rest = tag;
	for (size_t i = 0; next_word(&rest, &word, &separator); i++) {
		if (i == time_word)
			xb_str_printf(out_series, "T%zu", word.len);
		else if (is_hex_word(word))
			xb_str_append(out_series, "H");
		else
			xb_str_append_sv(out_series, word);
		if (separator)
			xb_str_append_char(out_series, separator);
	}
	return time_word != SIZE_MAX;
}

bool xb_tag_is_sortable(const char *tag)
{
	struct xb_str series XB_CLEANUP(xb_str_release) = {0};
	uint64_t time;

	return find_series(tag, &time, &series);
}

const char *xb_tags_not_before(const struct xb_tags *tags, const char *tag)
{
	struct xb_str own XB_CLEANUP(xb_str_release) = {0};
	uint64_t own_time, latest = 0;
	const char *found = NULL;

	if (!find_series(tag, &own_time, &own))
		return NULL;
	for (size_t i = 0; i < tags->list.len; i++) {
		struct xb_str series XB_CLEANUP(xb_str_release) = {0};
		uint64_t time;

		if (strcmp(tags->list.items[i], tag) == 0 || !find_series(tags->list.items[i], &time, &series) ||
		    strcmp(xb_str_get(&series), xb_str_get(&own)) != 0 || time < own_time || (found && time <= latest))
			continue;
		found = tags->list.items[i];
		latest = time;
	}
	return found;
}
