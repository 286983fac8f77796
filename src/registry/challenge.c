/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/challenge.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xbuild/base/str.h"

/* RFC 9110 5.6.2 */
static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip(struct xb_sv *rest, const char *chars)
{
	while (rest->len && strchr(chars, rest->ptr[0])) {
		rest->ptr++;
		rest->len--;
	}
}

static struct xb_sv take_token(struct xb_sv *rest)
{
	const char *start = rest->ptr;

	while (rest->len && is_token_char(rest->ptr[0])) {
		rest->ptr++;
		rest->len--;
	}
	return xb_sv_n(start, (size_t)(rest->ptr - start));
}

/* A quoted string (RFC 9110 5.6.4) or a token; NULL when it is neither. */
static char *take_value(struct xb_sv *rest)
{
	struct xb_str text = {0};

	if (!rest->len || rest->ptr[0] != '"') {
		const struct xb_sv token = take_token(rest);

		return token.len ? xb_sv_dup(token) : NULL;
	}
	xb_str_append(&text, "");
	for (size_t i = 1; i < rest->len; i++) {
		if (rest->ptr[i] == '"') {
			*rest = xb_sv_n(rest->ptr + i + 1, rest->len - i - 1);
			return xb_str_steal(&text);
		}
		if (rest->ptr[i] == '\\' && i + 1 < rest->len)
			i++;
		xb_str_append_char(&text, rest->ptr[i]);
	}
	xb_str_release(&text);
	return NULL;
}

/* 1: took one; 0: what stands here is no parameter (the next challenge, or the end); -1: malformed. */
static int take_param(struct xb_sv *rest, struct xb_challenge *out)
{
	struct xb_sv ahead = *rest;
	const struct xb_sv name = take_token(&ahead);
	char *value;

	skip(&ahead, " \t");
	if (!name.len || !ahead.len || ahead.ptr[0] != '=')
		return 0;
	ahead = xb_sv_n(ahead.ptr + 1, ahead.len - 1);
	skip(&ahead, " \t");
	value = take_value(&ahead);
	if (!value)
		return -1;
	*rest = ahead;
	if (out->n_params < XB_CHALLENGE_MAX_PARAMS) {
		out->params[out->n_params].name = xb_sv_dup(name);
		out->params[out->n_params++].value = value;
	} else {
		free(value);
	}
	return 1;
}

void xb_challenge_release(struct xb_challenge *challenge)
{
	free(challenge->scheme);
	for (size_t i = 0; i < challenge->n_params; i++) {
		free(challenge->params[i].name);
		free(challenge->params[i].value);
	}
	*challenge = (struct xb_challenge){0};
}

int xb_challenge_next(struct xb_sv *rest, struct xb_challenge *out)
{
	struct xb_challenge c = {0};
	struct xb_sv scheme;
	int took;

	skip(rest, " \t,");
	scheme = take_token(rest);
	if (!scheme.len)
		return 0;
	c.scheme = xb_sv_dup(scheme);
	do {
		skip(rest, " \t,");
		took = take_param(rest, &c);
	} while (took > 0);
	if (took < 0) {
		xb_challenge_release(&c);
		*rest = (struct xb_sv){0};
		return 0;
	}
	*out = c;
	return 1;
}

const char *xb_challenge_param(const struct xb_challenge *challenge, const char *name)
{
	for (size_t i = 0; i < challenge->n_params; i++)
		if (strcasecmp(challenge->params[i].name, name) == 0)
			return challenge->params[i].value;
	return NULL;
}
