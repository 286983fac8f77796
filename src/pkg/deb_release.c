/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/deb_release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/timestamp.h"

#define CLOCK_SLACK_SEC 10
struct parser {
	const char *name; /* of the document, for messages */
	struct xb_release *release;
	struct xb_map by_path; /* path -> index + 1, as a pointer */
	struct xb_map fields;  /* those that were seen */
	XB_VEC(struct xb_release_file) files;
	bool in_sha256;
	bool has_sha256, has_date;
};

void xb_release_free(struct xb_release *release)
{
	if (!release)
		return;
	free(release->files);
	xb_arena_release(&release->arena);
	free(release);
}

static int parse_month(struct xb_sv text)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	for (int i = 0; i < (int)XB_COUNT(months); i++)
		if (xb_sv_eq_str(text, months[i]))
			return i + 1;
	return 0;
}

/* The words of text in `words`; more than `max` of them count as max + 1. */
static size_t split_words(struct xb_sv text, struct xb_sv *words, size_t max)
{
	size_t n = 0;

	text = xb_sv_trim(text);
	while (text.ptr) {
		struct xb_sv word = xb_sv_cut(&text, ' ');

		if (!word.len)
			continue;
		if (n == max)
			return max + 1;
		words[n++] = word;
	}
	return n;
}

bool xb_release_parse_date(struct xb_sv text, int64_t *out)
{
	enum { WEEKDAY, DAY, MONTH, YEAR, CLOCK, ZONE, N_WORDS };
	struct xb_sv words[N_WORDS];
	char rfc3339[64];
	uint64_t day;
	int month;

	if (split_words(text, words, N_WORDS) != N_WORDS || !xb_sv_ends(words[WEEKDAY], ",") ||
	    words[WEEKDAY].len != 4 || !xb_num_u64(words[DAY], 31, &day) || words[YEAR].len != 4 ||
	    words[CLOCK].len != 8)
		return false;
	month = parse_month(words[MONTH]);
	if (!xb_sv_eq_str(words[ZONE], "UTC") && !xb_sv_eq_str(words[ZONE], "GMT") &&
	    !xb_sv_eq_str(words[ZONE], "+0000"))
		return false;
	snprintf(rfc3339, sizeof(rfc3339), "%.*s-%02d-%02dT%.*sZ", XB_SV_ARG(words[YEAR]), month, (int)day,
		 XB_SV_ARG(words[CLOCK]));
	return xb_timestamp_parse(xb_sv(rfc3339), out);
}

/* " <sha256> <size> <path>" */
static int take_file(struct parser *p, struct xb_sv line, struct xb_err *err)
{
	struct xb_release_file file = {0};
	struct xb_sv words[3];
	uint64_t size;
	size_t index;

	if (split_words(line, words, 3) != 3 || words[0].len != XB_DIGEST_HEX - 1 ||
	    !xb_digest_parse(words[0], &file.sha256) || !xb_num_u64(words[1], INT64_MAX, &size))
		return xb_fail(err, XB_E_VERIFY, "%s: '%.*s' is no sha256, size and path", p->name, XB_SV_ARG(line));
	if (!xb_path_is_safe(words[2]))
		return xb_fail(err, XB_E_VERIFY, "%s: '%.*s' is no safe path of an index file", p->name,
			       XB_SV_ARG(words[2]));
	file.size_bytes = (int64_t)size;
	index = (size_t)(uintptr_t)xb_map_get(&p->by_path, words[2]);
	if (index) {
		const struct xb_release_file *old = &p->files.items[index - 1];

		if (old->size_bytes == file.size_bytes && xb_digest_eq(&old->sha256, &file.sha256))
			return 0;
		return xb_fail(err, XB_E_VERIFY, "%s: '%s' is listed twice with different contents", p->name,
			       old->path);
	}
	file.path = xb_arena_sv(&p->release->arena, words[2]);
	XB_VEC_PUSH(&p->files, file);
	xb_map_put(&p->by_path, words[2], (void *)(uintptr_t)p->files.len);
	return 0;
}

static int take_date(struct parser *p, const char *field, struct xb_sv value, int64_t *out, struct xb_err *err)
{
	if (xb_release_parse_date(value, out))
		return 0;
	return xb_fail(err, XB_E_VERIFY, "%s: %s: '%.*s' is no date", p->name, field, XB_SV_ARG(value));
}

static int take_field(struct parser *p, struct xb_sv line, struct xb_err *err)
{
	struct xb_release *r = p->release;
	struct xb_sv value = line;
	char *name XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_cut(&value, ':'));

	if (!value.ptr || !*name)
		return xb_fail(err, XB_E_VERIFY, "%s: '%.*s' is no field", p->name, XB_SV_ARG(line));
	for (char *c = name; *c; c++) /* field names are case-insensitive: deb822(5) */
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	value = xb_sv_trim(value);
	if (xb_map_put_str(&p->fields, name, p))
		return xb_fail(err, XB_E_VERIFY, "%s: field '%s' stands there twice", p->name, name);
	p->in_sha256 = strcmp(name, "sha256") == 0;
	p->has_sha256 |= p->in_sha256;
	if (p->in_sha256 && value.len)
		return take_file(p, value, err);
	if (strcmp(name, "suite") == 0)
		r->suite = xb_arena_sv(&r->arena, value);
	else if (strcmp(name, "codename") == 0)
		r->codename = xb_arena_sv(&r->arena, value);
	else if (strcmp(name, "origin") == 0)
		r->origin = xb_arena_sv(&r->arena, value);
	else if (strcmp(name, "label") == 0)
		r->label = xb_arena_sv(&r->arena, value);
	else if (strcmp(name, "acquire-by-hash") == 0)
		r->by_hash = value.len == 3 && strncasecmp(value.ptr, "yes", 3) == 0;
	else if (strcmp(name, "valid-until") == 0)
		return take_date(p, "Valid-Until", value, &r->valid_until, err);
	else if (strcmp(name, "date") == 0) {
		p->has_date = true;
		return take_date(p, "Date", value, &r->date, err);
	}
	return 0;
}

static int take_lines(struct parser *p, struct xb_sv text, struct xb_err *err)
{
	bool ended = false;

	while (text.ptr) {
		struct xb_sv line = xb_sv_cut(&text, '\n'), trimmed = xb_sv_trim(line);
		int rc = 0;

		if (!trimmed.len) {
			ended = p->fields.len > 0;
			continue;
		}
		if (ended)
			return xb_fail(err, XB_E_VERIFY, "%s: more than one paragraph", p->name);
		if (memchr(line.ptr, '\0', line.len))
			return xb_fail(err, XB_E_VERIFY, "%s: holds a NUL byte", p->name);
		if (*line.ptr != ' ' && *line.ptr != '\t')
			rc = take_field(p, trimmed, err);
		else if (p->in_sha256)
			rc = take_file(p, trimmed, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int check_complete(const struct parser *p, struct xb_err *err)
{
	if (!p->has_sha256)
		return xb_fail(err, XB_E_VERIFY, "%s: lists no SHA256", p->name);
	if (!p->has_date)
		return xb_fail(err, XB_E_VERIFY, "%s: no field 'Date'", p->name);
	if (p->release->valid_until && p->release->valid_until < p->release->date)
		return xb_fail(err, XB_E_VERIFY, "%s: Valid-Until lies before Date", p->name);
	return 0;
}

int xb_release_parse(struct xb_sv text, const char *name, struct xb_release **out, struct xb_err *err)
{
	struct parser p = {.name = name, .release = xb_alloc(sizeof(*p.release))};
	int rc = take_lines(&p, text, err);

	if (rc == 0)
		rc = check_complete(&p, err);
	xb_map_release(&p.by_path);
	xb_map_release(&p.fields);
	p.release->files = p.files.items;
	p.release->n_files = p.files.len;
	if (rc < 0)
		xb_release_free(p.release);
	else
		*out = p.release;
	return rc;
}

static int check_times(const struct xb_release *release, const struct xb_suite *suite, int64_t now, struct xb_err *err)
{
	char then_text[XB_TIMESTAMP_SIZE], now_text[XB_TIMESTAMP_SIZE];

	if (release->date > now + CLOCK_SLACK_SEC) {
		xb_fail(err, XB_E_SIGNATURE, "the index of '%s' is dated %s, and here it is %s", suite->id,
			xb_timestamp_format(release->date, then_text), xb_timestamp_format(now, now_text));
		return xb_hint(err, "is the clock of this machine right?");
	}
	if (release->valid_until && release->valid_until < now) {
		xb_fail(err, XB_E_SIGNATURE, "the index of '%s' was valid until %s, and here it is %s", suite->id,
			xb_timestamp_format(release->valid_until, then_text), xb_timestamp_format(now, now_text));
		return xb_hint(err, "the mirror is stale, or the clock of this machine is wrong");
	}
	return 0;
}

/* "-updates" of "trixie-updates", "" of "trixie". */
static const char *pocket(const char *name)
{
	const char *dash = strchr(name, '-');

	return dash ? dash : "";
}

/* A key may sign several archives; its owner tells them apart by these two. */
static int check_field(const char *field, const char *found, const char *expected, const struct xb_suite *suite,
		       struct xb_err *err)
{
	if (!expected || (found && strcmp(found, expected) == 0))
		return 0;
	return xb_fail(err, XB_E_SIGNATURE, "the index of '%s' has %s '%s' instead of '%s'", suite->id, field,
		       found ? found : "", expected);
}

/*
 * The Suite moves with the years (stable, oldstable ...), so its name is not fixed; but it is of the same pocket as the
 * Codename, and a release under another pocket's name is not what was asked for.
 */
static int check_names(const struct xb_release *release, const struct xb_suite *suite, struct xb_err *err)
{
	if (check_field("Codename", release->codename, suite->codename, suite, err) < 0 ||
	    check_field("Origin", release->origin, suite->origin, suite, err) < 0 ||
	    check_field("Label", release->label, suite->label, suite, err) < 0)
		return err->code;
	if (release->suite && suite->codename && strcmp(pocket(release->suite), pocket(suite->codename)) != 0)
		return xb_fail(err, XB_E_SIGNATURE, "the index of '%s' has Suite '%s', which does not end in '%s'",
			       suite->id, release->suite, pocket(suite->codename));
	return 0;
}

int xb_release_check(const struct xb_release *release, const struct xb_suite *suite, int64_t now, int64_t not_before,
		     struct xb_err *err)
{
	char old_text[XB_TIMESTAMP_SIZE], new_text[XB_TIMESTAMP_SIZE];

	if (check_names(release, suite, err) < 0 || check_times(release, suite, now, err) < 0)
		return err->code;
	if (release->date < not_before) {
		xb_fail(err, XB_E_SIGNATURE, "the index of '%s' is of %s, older than the %s of the lock", suite->id,
			xb_timestamp_format(release->date, new_text), xb_timestamp_format(not_before, old_text));
		return xb_hint(err, "the mirror is behind; if that is wanted: --allow-rollback");
	}
	return 0;
}

const struct xb_release_file *xb_release_find(const struct xb_release *release, const char *path)
{
	for (size_t i = 0; i < release->n_files; i++)
		if (strcmp(release->files[i].path, path) == 0)
			return &release->files[i];
	return NULL;
}
