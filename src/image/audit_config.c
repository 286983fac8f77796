/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a configuration by their types: what a consumer decodes into typed fields, and gives the whole image up for
 * when one does not fit. OCI image-spec v1.1 config.md and its schema/config-schema.json.
 */
#include <string.h>

#include "audit_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"

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

static void check_members(struct audit_run *run, const json_t *object, const struct member *members, size_t len,
			  const char *inside, const char *where)
{
	for (size_t i = 0; i < len; i++) {
		const struct member *m = &members[i];
		const json_t *value = json_object_get(object, m->name);
		const char *found = json_is_string(value) ? json_string_value(value) : NULL;

		if (!value || (json_is_null(value) && m->may_be_null))
			continue;
		if (json_is_null(value))
			audit_warning(run, "%s: '%s%s' is null", where, inside, m->name);
		else if (!fits(value, m->type))
			audit_problem(run, "%s: expected %s as '%s%s'%s%s%s", where, type_names[m->type], inside,
				      m->name, found ? ", found '" : "", found ? found : "", found ? "'" : "");
	}
}

/* ---- what is readable, and odd ---- */

/* config.md "ExposedPorts": "port/tcp", "port/udp", "port"; sctp is Docker's. Docker's ranges are two ports. */
static bool is_port(const char *text)
{
	struct xb_sv rest = xb_sv(text);
	struct xb_sv ports = xb_sv_cut(&rest, '/');
	uint64_t number;

	if (rest.ptr && !xb_sv_eq_str(rest, "tcp") && !xb_sv_eq_str(rest, "udp") && !xb_sv_eq_str(rest, "sctp"))
		return false;
	while (ports.ptr) {
		if (!xb_num_u64(xb_sv_cut(&ports, '-'), 65535, &number) || !number)
			return false;
	}
	return true;
}

static void check_env(struct audit_run *run, const json_t *env, const char *where)
{
	for (size_t i = 0; i < json_array_size(env); i++) {
		const char *text = json_string_value(json_array_get(env, i));

		if (!text)
			continue;
		if (!strchr(text, '=') || text[0] == '=')
			audit_warning(run, "%s: Env: '%s' is not NAME=VALUE", where, text);
	}
	for (size_t i = 1; i < json_array_size(env) && i < XB_MAX_DIAGS; i++) {
		const char *text = json_string_value(json_array_get(env, i));
		const size_t len = text ? strcspn(text, "=") : 0;

		for (size_t k = 0; len && k < i; k++) {
			const char *other = json_string_value(json_array_get(env, k));

			if (other && strncmp(other, text, len) == 0 && other[len] == '=')
				audit_warning(run, "%s: Env: '%.*s' is set twice", where, (int)len, text);
		}
	}
}

static void check_habits(struct audit_run *run, const json_t *config, const char *where)
{
	const char *workdir = json_string_value(json_object_get(config, "WorkingDir"));
	json_t *ports = json_object_get(config, "ExposedPorts");

	check_env(run, json_object_get(config, "Env"), where);
	if (workdir && *workdir && *workdir != '/')
		audit_warning(run, "%s: WorkingDir '%s' is not absolute", where, workdir);
	for (void *at = json_object_iter(ports); at; at = json_object_iter_next(ports, at)) {
		if (!is_port(json_object_iter_key(at)))
			audit_warning(run, "%s: ExposedPorts: '%s' is no port", where, json_object_iter_key(at));
	}
}

void audit_check_config(struct audit_run *run, const json_t *document, const char *where)
{
	const json_t *config = json_object_get(document, "config"), *history = json_object_get(document, "history");

	check_members(run, document, top_members, XB_COUNT(top_members), "", where);
	check_members(run, config, run_members, XB_COUNT(run_members), "config.", where);
	for (size_t i = 0; i < json_array_size(history); i++) {
		char *inside XB_CLEANUP(xb_free_ptr) = xb_printf("history[%zu].", i);

		if (!json_is_object(json_array_get(history, i)))
			audit_problem(run, "%s: expected an object as 'history[%zu]'", where, i);
		check_members(run, json_array_get(history, i), history_members, XB_COUNT(history_members), inside,
			      where);
	}
	check_habits(run, config, where);
}
