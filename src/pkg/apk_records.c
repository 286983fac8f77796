/* SPDX-License-Identifier: Apache-2.0 */
/* Records of "X:value" lines, an empty line behind each: apk-package(5), "INDEX"; chainguard-dev/apko, pkg/apk/apk. */
#include "apk_records.h"

#include <ctype.h>
#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/vec.h"

#define MAX_SHOWN_BYTES 60
#define CHECKSUM_PREFIX "Q1" /* SHA-1 of the control member, in base64 */

struct reader {
	struct xb_apk_index *index;
	const char *name;	    /* of the index, for messages */
	struct xb_apk_package *now; /* the record that is being read, NULL between two */
	size_t line;		    /* counts from 1 */
	uint64_t seen;		    /* letters of the current record: bit letter - 'A' */
	size_t relations;	    /* of the whole index */
};

/* What is wrong in the current line. `found` is shown as far as it is plain text. */
static int bad(const struct reader *r, struct xb_err *err, const char *what, struct xb_sv found)
{
	if (found.len > MAX_SHOWN_BYTES)
		found.len = MAX_SHOWN_BYTES;
	for (size_t i = 0; i < found.len; i++)
		if (!isprint((unsigned char)found.ptr[i]))
			found.len = i;
	return xb_fail(err, XB_E_INPUT, "read index '%s': line %zu: %s%s%.*s%s", r->name, r->line, what,
		       found.len ? " '" : "", XB_SV_ARG(found), found.len ? "'" : "");
}

/* Name and version become a file name and a part of a URL. */
static bool is_word(const char *text)
{
	for (const char *at = text; *at; at++)
		if (!isalnum((unsigned char)*at) && (at == text ? *at != '_' : !strchr("._+~-", *at)))
			return false;
	return *text && strlen(text) <= XB_MAX_NAME_BYTES / 2;
}

static bool is_arch(const struct reader *r, const char *text)
{
	return strcmp(text, r->index->repository.arch) == 0 || strcmp(text, "noarch") == 0;
}

static int read_number(const struct reader *r, char *value, uint64_t *out, struct xb_err *err)
{
	return xb_num_u64(xb_sv(value), INT64_MAX, out) ? 0 : bad(r, err, "expected a number, found", xb_sv(value));
}

/* Words with blanks between them, each a relation. */
static int read_relations(struct reader *r, char *value, struct xb_apk_relations *out, struct xb_err *err)
{
	size_t n = 0, len = 0;
	for (const char *at = value; *at; at++) {
		if (*at != ' ' && !isgraph((unsigned char)*at))
			return bad(r, err, "a relation holds a byte that is no printable ASCII", xb_sv(""));
		n += *at != ' ' && (at == value || at[-1] == ' ');
	}
	r->relations += n;
	if (r->relations > XB_MAX_APK_RELATIONS)
		return bad(r, err, "the index has more relations than are allowed", xb_sv(""));
	struct xb_apk_relation *items = xb_arena_array(&r->index->arena, n, sizeof(*items));
	while (len < n) {
		char *word = value + strspn(value, " ");
		value = word + strcspn(word, " ");
		if (*value)
			*value++ = '\0';
		xb_apk_relation_parse(word, &items[len++]);
	}
	*out = (struct xb_apk_relations){.items = items, .len = len};
	return 0;
}

static int read_checksum(struct reader *r, const char *value, struct xb_err *err)
{
	r->now->checksum = value;
	if (strncmp(value, CHECKSUM_PREFIX, 2) != 0 || !xb_sha1_parse_base64(xb_sv(value + 2), &r->now->control_sha1))
		return bad(r, err, "expected a checksum 'Q1' and base64 of 20 bytes, found", xb_sv(value));
	return 0;
}

/* Texts that only have to be there. NULL for a letter that is none of them. */
static const char **text_field(struct xb_apk_package *p, char letter)
{
	switch (letter) {
	case 'T':
		return &p->description;
	case 'U':
		return &p->url;
	case 'L':
		return &p->license;
	case 'o':
		return &p->origin;
	case 'm':
		return &p->maintainer;
	case 'c':
		return &p->commit;
	default:
		return NULL;
	}
}

static int read_word(struct reader *r, char letter, const char *value, struct xb_err *err)
{
	struct xb_apk_package *p = r->now;
	if (letter == 'A') {
		p->arch = value;
		return is_arch(r, value)
			       ? 0
			       : xb_fail(err, XB_E_VERIFY,
					 "read index '%s': line %zu: expected a package for '%s' or 'noarch', "
					 "found one for '%.60s'",
					 r->name, r->line, r->index->repository.arch, value);
	}
	if (!is_word(value))
		return bad(r, err, letter == 'P' ? "not a package name:" : "not a version:", xb_sv(value));
	if (letter == 'P')
		p->name = value;
	else
		p->version = value;
	return 0;
}

static int read_field(struct reader *r, char letter, char *value, struct xb_err *err)
{
	struct xb_apk_package *p = r->now;
	const char **text = text_field(p, letter);
	uint64_t time = 0;
	int rc = 0;
	if (text) {
		*text = value;
		return 0;
	}
	switch (letter) {
	case 'P':
	case 'V':
	case 'A':
		return read_word(r, letter, value, err);
	case 'C':
		return read_checksum(r, value, err);
	case 'S':
		return read_number(r, value, &p->size_bytes, err);
	case 'I':
		return read_number(r, value, &p->installed_bytes, err);
	case 'k':
		return read_number(r, value, &p->provider_priority, err);
	case 't':
		rc = read_number(r, value, &time, err);
		p->build_time = (int64_t)time;
		return rc;
	case 'D':
		return read_relations(r, value, &p->depends, err);
	case 'p':
		return read_relations(r, value, &p->provides, err);
	case 'i':
		return read_relations(r, value, &p->install_if, err);
	default:
		return 0; /* unknown letters are let through, as apko does */
	}
}

static int begin_record(struct reader *r, struct xb_err *err)
{
	struct xb_apk_index *index = r->index;
	if (index->n_packages == XB_MAX_APK_PACKAGES)
		return bad(r, err, "the index has more packages than are allowed", xb_sv(""));
	if (index->n_packages == index->packages_cap)
		index->packages = xb_vec_grow(index->packages, &index->packages_cap, sizeof(*index->packages));
	r->now = &index->packages[index->n_packages++];
	*r->now = (struct xb_apk_package){.name = "",
					  .version = "",
					  .arch = "",
					  .origin = "",
					  .license = "",
					  .description = "",
					  .url = "",
					  .commit = "",
					  .maintainer = "",
					  .checksum = "",
					  .repository = &index->repository};
	r->seen = 0;
	return 0;
}

static int end_record(struct reader *r, struct xb_err *err)
{
	static const char required[] = "PVACS";
	if (!r->now)
		return 0;
	for (const char *at = required; *at; at++)
		if (!(r->seen & UINT64_C(1) << (*at - 'A')))
			return bad(r, err, "the record before has no field", xb_sv_n(at, 1));
	(void)xb_apk_version_parse(xb_sv(r->now->version), &r->now->parsed);
	r->now = NULL;
	return 0;
}

/* One line, NUL-terminated. */
static int take_line(struct reader *r, char *line, size_t len, struct xb_err *err)
{
	if (len == 0)
		return end_record(r, err);
	if (memchr(line, '\0', len))
		return bad(r, err, "it holds a NUL byte", xb_sv(""));
	if (len > XB_MAX_APK_LINE_BYTES)
		return bad(r, err, "it is longer than 1 MiB", xb_sv(""));
	if (len < 2 || line[1] != ':' || !isalpha((unsigned char)*line))
		return bad(r, err, "expected 'X:value', found", xb_sv_n(line, len));
	if (!r->now && begin_record(r, err) < 0)
		return err->code;
	uint64_t bit = UINT64_C(1) << (*line - 'A');
	if (r->seen & bit)
		return bad(r, err, "a second field", xb_sv_n(line, 1));
	r->seen |= bit;
	return read_field(r, *line, line + 2, err);
}

int xb_apk_records_parse(struct xb_apk_index *index, const char *name, char *text, size_t len, struct xb_err *err)
{
	struct reader r = {.index = index, .name = name};
	char *end = text + len;
	while (text < end) {
		char *stop = memchr(text, '\n', (size_t)(end - text));
		if (!stop)
			stop = end;
		*stop = '\0';
		r.line++;
		if (take_line(&r, text, (size_t)(stop - text), err) < 0)
			return err->code;
		text = stop + 1;
	}
	r.line++;
	return end_record(&r, err);
}
