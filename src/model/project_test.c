/* SPDX-License-Identifier: Apache-2.0 */
/* The keys test and tags. */
#include <string.h>

#include "project_read.h"
#include "xbuild/base/num.h"
#include "xbuild/model/names.h"
#include "xbuild/model/subst.h"

#define DEFAULT_TIMEOUT_MS 60000
#define MAX_TIMEOUT_SEC	   (24 * 3600)
#define DEFAULT_TAG	   "${git.branch}-${git.time}-${git.sha7}"

static const struct text_rule env_rule = {xb_name_is_env, "the name of an environment variable", NULL, false, false};
static const struct pair_rule env_pairs = {&env_rule, &value_rule, false};

static void read_timeout(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	uint64_t seconds;

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && xb_num_u64(node->text, MAX_TIMEOUT_SEC, &seconds) && seconds)
		*(int64_t *)field = (int64_t)seconds * 1000;
	else
		schema_refuse(s, node->at, "as in 60", "timeout: expected a number of seconds from 1 to %d",
			      MAX_TIMEOUT_SEC);
}

static void read_exit(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	uint64_t code;

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && xb_num_u64(node->text, 255, &code))
		*(int *)field = (int)code;
	else
		schema_problem(s, node->at, "expect-exit: expected a number from 0 to 255");
}

static void read_run(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_test *test = field;
	struct xb_words words = {0};
	const char *output;
	bool is_ref;

	(void)arg;
	schema_words(s, node, &words, &word_rule);
	for (size_t i = 0; i < words.len; i++) {
		struct xb_unit *unit = project_unit_ref(s, words.items[i], words.at[i], &output, &is_ref);

		if (i)
			continue;
		test->unit = unit;
		test->output = output;
		if (!is_ref)
			schema_refuse(s, words.at[i], "as in [build:server, --self-test]",
				      "run: expected 'build:<unit>' first, found '%s'", words.items[i]);
		else if (unit && unit->kind != XB_UNIT_EXECUTABLE)
			schema_problem(s, words.at[i], "run: '%s' is a library", unit->name);
	}
	if (node->kind == XB_YAML_LIST && !node->n_items)
		schema_problem(s, node->at, "run: expected at least 'build:<unit>'");
	if (words.len)
		test->args = (struct xb_words){words.items + 1, words.at + 1, words.len - 1};
}

static const struct schema_key test_keys[] = {
	{"run", read_run, 0, NULL, true},
	{"env", schema_pairs, offsetof(struct xb_test, env), &env_pairs, false},
	{"timeout", read_timeout, offsetof(struct xb_test, timeout_ms), NULL, false},
	{"expect-exit", read_exit, offsetof(struct xb_test, expect_exit), NULL, false},
};

void project_read_tests(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	if (!schema_want_map(s, node, "test"))
		return;
	project->tests = xb_arena_array(s->arena, node->n_items, sizeof(*project->tests));
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_test *test = &project->tests[project->n_tests++];
		const struct schema_group group = SCHEMA_GROUP(test_keys, test);

		(void)schema_want_text(s, node->keys[i], &unit_name_rule, "test");
		*test = (struct xb_test){
			.name = node->keys[i]->text.ptr,
			.at = node->keys[i]->at,
			.timeout_ms = DEFAULT_TIMEOUT_MS,
		};
		schema_read(s, node->items[i], &group, 1, "test");
	}
}

static bool is_builtin_tag(const char *text)
{
	return strcmp(text, "commit-timestamp") == 0 || strcmp(text, "sha256") == 0;
}

/* "tag", or "registry/repository:tag": the last colon counts, unless a slash follows it (a port). */
static bool is_reference(struct xb_sv text)
{
	const char *colon = NULL;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == ':')
			colon = text.ptr + i;
		else if (text.ptr[i] == '/')
			colon = NULL;
	}
	if (!colon)
		return xb_name_is_tag(text);
	return xb_name_is_repository(xb_sv_n(text.ptr, (size_t)(colon - text.ptr))) &&
	       xb_name_is_tag(xb_sv_n(colon + 1, (size_t)(text.ptr + text.len - colon - 1)));
}

/* Every name becomes text that a tag may hold, so what stands around the names can be checked now. */
static bool is_template(const char *text)
{
	struct xb_str filled XB_CLEANUP(xb_str_release) = {0};
	const char *rest = text;

	for (const char *name = strstr(rest, "${"); name; name = strstr(rest, "${")) {
		const char *end = strchr(name, '}');

		xb_str_append_n(&filled, rest, (size_t)(name - rest));
		xb_str_append(&filled, "x");
		if (!end)
			return true; /* told by schema_check_subst */
		rest = end + 1;
	}
	xb_str_append(&filled, rest);
	return is_reference(xb_str_sv(&filled));
}

static void read_tag_text(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)arg;
	if (!schema_want_text(s, node, NULL, "tag"))
		return;
	*(const char **)field = node->text.ptr;
	if (is_builtin_tag(node->text.ptr))
		return;
	schema_check_subst(s, node);
	if (!is_template(node->text.ptr))
		schema_refuse(s, node->at, "a tag has at most 128 letters, digits, '.', '_' and '-'",
			      "'%.*s' gives no valid tag", XB_SV_ARG(node->text));
}

static const struct enum_word when_words[] = {{"git-tag", true}, {NULL, 0}};

static void read_when(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	int value = 0;

	(void)arg;
	schema_enum(s, node, &value, when_words);
	*(bool *)field = value;
}

static const struct schema_key tag_keys[] = {
	{"tag", read_tag_text, offsetof(struct xb_tag_template, text), NULL, true},
	{"when", read_when, offsetof(struct xb_tag_template, only_git_tag), NULL, false},
};

void project_read_tags(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	if (!schema_want_list(s, node, "tags"))
		return;
	if (!node->n_items)
		schema_problem(s, node->at, "tags: expected at least one");
	project->tags = xb_arena_array(s->arena, node->n_items, sizeof(*project->tags));
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_tag_template *tag = &project->tags[project->n_tags++];
		const struct schema_group group = SCHEMA_GROUP(tag_keys, tag);

		tag->at = node->items[i]->at;
		if (node->items[i]->kind == XB_YAML_MAP)
			schema_read(s, node->items[i], &group, 1, "tag");
		else
			read_tag_text(s, node->items[i], &tag->text, NULL);
	}
}

void project_default_tags(struct schema *s)
{
	struct xb_project *project = s->project;

	if (project->tags)
		return;
	project->tags = xb_arena_alloc(s->arena, sizeof(*project->tags));
	project->tags[0].text = DEFAULT_TAG;
	project->n_tags = 1;
}
