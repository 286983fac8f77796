/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/config_types.h"

#include <stdint.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/vec.h"

enum member_type {
	TEXT,
	TIME, /* RFC 3339, section 5.6 "date-time" */
	TRUTH,
	OBJECT,
	LIST,
	TEXTS,	 /* a list of strings */
	OBJECTS, /* an object of objects, which says no more than its names */
	PAIRS	 /* an object of strings */
};

static const char *const type_names[] = {
	[TEXT] = "a string",
	[TIME] = "a time as RFC 3339 has it",
	[TRUTH] = "true or false",
	[OBJECT] = "an object",
	[LIST] = "a list",
	[TEXTS] = "a list of strings",
	[OBJECTS] = "an object of empty objects",
	[PAIRS] = "an object of strings",
};

struct member {
	const char *name;
	enum member_type type;
	bool may_be_null; /* as the schema has it; elsewhere null is odd, though every reader takes it for nothing */
};

/* os, architecture and variant, and what is in rootfs, are looked at with the platform and the layers. */
static const struct member top_members[] = {
	{"created", TIME, false},      {"author", TEXT, false},	  {"os.version", TEXT, false},
	{"os.features", TEXTS, false}, {"config", OBJECT, false}, {"rootfs", OBJECT, false},
	{"history", LIST, false},
};
static const struct member run_members[] = {
	{"User", TEXT, false},	     {"ExposedPorts", OBJECTS, false},
	{"Env", TEXTS, false},	     {"Entrypoint", TEXTS, true},
	{"Cmd", TEXTS, true},	     {"Volumes", OBJECTS, true},
	{"WorkingDir", TEXT, false}, {"Labels", PAIRS, true},
	{"StopSignal", TEXT, false}, {"ArgsEscaped", TRUTH, false},
};
static const struct member history_members[] = {
	{"created", TIME, false}, {"author", TEXT, false},	 {"created_by", TEXT, false},
	{"comment", TEXT, false}, {"empty_layer", TRUTH, false},
};

/* All digits from *text on for n bytes, as a number of at most max; moves *text. */
static bool take_digits(const char **text, int n, int min, int max)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (**text < '0' || **text > '9')
			return false;
		value = value * 10 + (*(*text)++ - '0');
	}
	return value >= min && value <= max;
}

/* "Z" or "+hh:mm", and no more. */
static bool is_offset(const char *text)
{
	if (*text == 'Z' || *text == 'z')
		return text[1] == '\0';
	if (*text != '+' && *text != '-')
		return false;
	text++;
	return take_digits(&text, 2, 0, 23) && *text++ == ':' && take_digits(&text, 2, 0, 59) && *text == '\0';
}

/*
 * RFC 3339 5.6. Years before 1970 are read too: tools write "0001-01-01T00:00:00Z" for "not known". A second 60 is refused, as Go's
 * decoder does.
 */
static bool is_time(const char *text)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *p = text;
	int year, month, day;

	if (!take_digits(&p, 4, 0, 9999) || *p++ != '-' || !take_digits(&p, 2, 1, 12) || *p++ != '-' ||
	    !take_digits(&p, 2, 1, 31) || (*p != 'T' && *p != 't'))
		return false;
	year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
	month = (text[5] - '0') * 10 + (text[6] - '0');
	day = (text[8] - '0') * 10 + (text[9] - '0');
	if (day > days[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 || year % 400 == 0)))
		return false;
	p++;
	if (!take_digits(&p, 2, 0, 23) || *p++ != ':' || !take_digits(&p, 2, 0, 59) || *p++ != ':' ||
	    !take_digits(&p, 2, 0, 59))
		return false;
	if (*p == '.') {
		p++;
		if (*p < '0' || *p > '9')
			return false;
		while (*p >= '0' && *p <= '9')
			p++;
	}
	return is_offset(p);
}

static bool all_texts(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!json_is_string(json_array_get(list, i)))
			return false;
	}
	return json_is_array(list);
}

static bool all_members(const json_t *object, bool texts)
{
	void *at = json_object_iter((json_t *)(uintptr_t)object);

	for (; at; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
		const json_t *value = json_object_iter_value(at);

		if (texts ? !json_is_string(value) : !json_is_object(value))
			return false;
	}
	return json_is_object(object);
}

static bool fits(const json_t *value, enum member_type type)
{
	switch (type) {
	case TEXT:
		return json_is_string(value);
	case TIME:
		return json_is_string(value) && is_time(json_string_value(value));
	case TRUTH:
		return json_is_boolean(value);
	case OBJECT:
		return json_is_object(value);
	case LIST:
		return json_is_array(value);
	case TEXTS:
		return all_texts(value);
	case OBJECTS:
		return all_members(value, false);
	case PAIRS:
		return all_members(value, true);
	}
	return false;
}

struct checking {
	void (*tell)(void *ctx, bool is_problem, const char *text);
	void *ctx;
};

static void check_members(const struct checking *c, const json_t *object, const struct member *members, size_t len,
			  const char *inside)
{
	for (size_t i = 0; i < len; i++) {
		const struct member *m = &members[i];
		const json_t *value = json_object_get(object, m->name);
		const char *found = json_is_string(value) ? json_string_value(value) : NULL;
		const bool is_null = json_is_null(value);
		char *text XB_CLEANUP(xb_free_ptr) = NULL;

		if (!value || (is_null ? m->may_be_null : fits(value, m->type)))
			continue;
		text = is_null ? xb_printf("'%s%s' is null", inside, m->name)
			       : xb_printf("expected %s as '%s%s'%s%s%s", type_names[m->type], inside, m->name,
					   found ? ", found '" : "", found ? found : "", found ? "'" : "");
		c->tell(c->ctx, !is_null, text);
	}
}

void xb_config_types_check(const json_t *document, void (*tell)(void *ctx, bool is_problem, const char *text),
			   void *ctx)
{
	const struct checking c = {tell, ctx};
	const json_t *history = json_object_get(document, "history");

	check_members(&c, document, top_members, XB_COUNT(top_members), "");
	check_members(&c, json_object_get(document, "config"), run_members, XB_COUNT(run_members), "config.");
	for (size_t i = 0; i < json_array_size(history); i++) {
		char *inside XB_CLEANUP(xb_free_ptr) = xb_printf("history[%zu].", i);
		char *text XB_CLEANUP(xb_free_ptr) = xb_printf("expected an object as 'history[%zu]'", i);

		if (!json_is_object(json_array_get(history, i)))
			tell(ctx, true, text);
		check_members(&c, json_array_get(history, i), history_members, XB_COUNT(history_members), inside);
	}
}
