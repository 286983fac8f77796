/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler and linker settings: of units, targets, profiles and overrides alike. */
#include <string.h>

#include "project_read.h"
#include "xbuild/base/path.h"
#include "xbuild/model/flags.h"
#include "xbuild/model/names.h"

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* "c17", "gnu2y": the dialect's name, then two characters. Which of them exist, the compiler knows. */
static bool is_std(struct xb_sv text, const char *iso, const char *gnu)
{
	const size_t n = xb_sv_starts(text, gnu) ? strlen(gnu) : xb_sv_starts(text, iso) ? strlen(iso) : text.len;

	return text.len == n + 2 && is_lower_or_digit(text.ptr[n]) && is_lower_or_digit(text.ptr[n + 1]);
}

static bool is_c_std(struct xb_sv text)
{
	return is_std(text, "c", "gnu");
}

static bool is_cxx_std(struct xb_sv text)
{
	return is_std(text, "c++", "gnu++");
}

/* What may follow "-l". */
static bool is_library(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		if (!is_lower_or_digit(c) && !(c >= 'A' && c <= 'Z') && (!strchr("+._-", c) || !i))
			return false;
	}
	return text.len > 0;
}

static bool is_below_project(struct xb_sv text)
{
	/* Nobody expands "~" or "$HOME" here, and nobody who writes them means a file of that name. */
	if (xb_sv_starts(text, "~") || memchr(text.ptr, '$', text.len))
		return false;
	return xb_sv_eq_str(text, ".") || xb_path_is_safe(text);
}

const struct text_rule unit_name_rule = {
	xb_name_is_unit, "a name of at most 63 lower-case letters, digits, '.', '_' and '-'", NULL, false, false};
const struct text_rule path_rule = {is_below_project, "a path below the project",
				    "write it relative to the project file, without '..' or a final '/'", false, false};
const struct text_rule word_rule = {NULL, "a word", NULL, true, true};
const struct text_rule value_rule = {NULL, "text", NULL, true, true};

static const struct text_rule flag_rule = {NULL, "an option", NULL, false, false};
static const struct text_rule c_std_rule = {is_c_std, "a C standard", "as in c17 or gnu17", false, false};
static const struct text_rule cxx_std_rule = {is_cxx_std, "a C++ standard", "as in c++20 or gnu++20", false, false};
static const struct text_rule library_rule = {is_library, "the name of a library", "as in m for -lm", false, false};
static const struct text_rule macro_rule = {xb_name_is_macro, "the name of a macro", NULL, false, false};
static const struct text_rule macro_value_rule = {NULL, "text", NULL, true, false};
static const struct pair_rule define_rule = {&macro_rule, &macro_value_rule, true};

static void read_flags(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const bool linker = arg != NULL;
	const struct xb_words *words = field;

	schema_words(s, node, field, &flag_rule);
	if (node->kind != XB_YAML_LIST)
		return;
	for (size_t i = 0; i < words->len; i++) {
		const char *reason = xb_flag_refused(xb_sv(words->items[i]), linker);

		if (reason)
			schema_refuse(s, words->at[i], reason, "'%s' is not allowed here", words->items[i]);
	}
}

#define SETTING(field) offsetof(struct xb_settings, field)

static const struct enum_word stdlib_words[] = {
	{"libstdc++", XB_STDLIB_LIBSTDCXX}, {"libc++", XB_STDLIB_LIBCXX}, {NULL, 0}};

static const struct schema_key c_keys[] = {
	{"std", schema_text, SETTING(c_std), &c_std_rule, false},
	{"flags", read_flags, SETTING(c_flags), NULL, false},
};

static const struct schema_key cxx_keys[] = {
	{"std", schema_text, SETTING(cxx_std), &cxx_std_rule, false},
	{"flags", read_flags, SETTING(cxx_flags), NULL, false},
	{"stdlib", schema_enum, SETTING(cxx_stdlib), stdlib_words, false},
	{"static-stdlib", schema_bool, SETTING(cxx_static_stdlib), NULL, false},
};

static const struct schema_key asm_keys[] = {
	{"flags", read_flags, SETTING(asm_flags), NULL, false},
};

static void read_c(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(c_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "c");
}

static void read_cxx(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(cxx_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "cxx");
}

static void read_asm(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(asm_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "asm");
}

/* Not NULL: the words are for the linker. */
static const char for_linker[] = "";

const struct schema_key settings_keys[] = {
	{"c", read_c, 0, NULL, false},
	{"cxx", read_cxx, 0, NULL, false},
	{"asm", read_asm, 0, NULL, false},
	{"flags", read_flags, SETTING(flags), NULL, false},
	{"ldflags", read_flags, SETTING(ldflags), for_linker, false},
	{"libs", schema_words, SETTING(libs), &library_rule, false},
	{"defines", schema_pairs, SETTING(defines), &define_rule, false},
};

/* Of a unit that another build system makes: its own files say the rest. */
static const struct schema_key foreign_cxx_keys[] = {
	{"stdlib", schema_enum, SETTING(cxx_stdlib), stdlib_words, false},
	{"static-stdlib", schema_bool, SETTING(cxx_static_stdlib), NULL, false},
};

void project_read_foreign_cxx(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(foreign_cxx_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "cxx");
}

const size_t settings_keys_len = XB_COUNT(settings_keys);
