/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of apko.yaml: apko, pkg/build/types/types.go and the checks of image_configuration.go. */
#include "apko_read.h"

#include <string.h>

#include "apko_text.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"

#define MAX_ID	   INT64_C(4294967294)
#define MAX_BUDGET 100

static const struct text_rule file_rule = {apko_is_file_name, "letters, digits, '_', '-' and '.'", NULL, false, false};
static const struct text_rule account_rule = {apko_is_account_text, "text without ':' and ','", NULL, false, false};
static const struct text_rule repository_rule = {apko_is_repository, "a URL or a path",
						 "as in https://host/os or @tag URL", false, false};
static const struct text_rule word_rule = {apko_is_word, "one word", NULL, false, false};
static const struct text_rule path_rule = {apko_is_image_path, "a path without '..'", "as in /var/lib/app", false,
					   false};
static const struct text_rule absolute_rule = {apko_is_absolute, "an absolute path", "as in /var/lib/app", false,
					       false};
static const struct text_rule signal_rule = {apko_is_stop_signal, "the name of a signal", "as in SIGTERM", false,
					     false};
static const struct text_rule include_rule = {xb_path_is_safe, "a path below the project directory", NULL, false,
					      false};
static const struct text_rule content_rule = {NULL, "PEM text", NULL, false, true};
static const struct text_rule value_rule = {NULL, "text", NULL, true, true};
static const struct text_rule env_rule = {xb_name_is_env, "the name of an environment variable", NULL, false, false};
static const struct text_rule key_rule = {NULL, "a name", NULL, false, false};
static const struct text_rule line_rule = {NULL, "text", NULL, true, true};
static const struct pair_rule env_pairs = {&env_rule, &value_rule, false};
static const struct pair_rule annotation_pairs = {&key_rule, &value_rule, false};

/* Go's reader takes a key without a value for one that is not there. */
static void read_words(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	if (!schema_is_empty(node))
		schema_words(s, node, field, arg);
}

static void read_repositories(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_words *words = field;

	(void)arg;
	read_words(s, node, field, &repository_rule);
	for (size_t i = 0; i < words->len; i++) {
		struct xb_sv text = xb_sv(words->items[i]);

		while (text.len > 1 && text.ptr[text.len - 1] == '/')
			text.len--;
		words->items[i] = xb_arena_sv(s->arena, text);
	}
}

/* Numbers as Go's reader of YAML takes them: 0o755, 0755 (octal too), 0x1ed, 493. */
static bool parse_number(struct xb_sv text, int64_t max, int64_t *out)
{
	uint64_t value = 0;
	unsigned base = 10;
	size_t i = 0;

	if (xb_sv_starts(text, "0o") || xb_sv_starts(text, "0x")) {
		base = text.ptr[1] == 'o' ? 8 : 16;
		i = 2;
	} else if (text.len > 1 && text.ptr[0] == '0') {
		base = 8;
		i = 1;
	}
	if (i == text.len || text.len > 16)
		return false;
	for (; i < text.len; i++) {
		const char c = text.ptr[i];
		const unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				       : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
							      : 99;

		if (digit >= base)
			return false;
		value = value * base + digit;
	}
	*out = (int64_t)value;
	return value <= (uint64_t)max;
}

static void read_number(struct schema *s, const struct xb_yaml *node, int64_t max, int64_t *out)
{
	int64_t value;

	if (node->kind == XB_YAML_SCALAR && parse_number(node->text, max, &value))
		*out = value;
	else
		schema_problem(s, node->at, "%s: expected a number from 0 to %lld", s->key, (long long)max);
}

static void read_id(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)arg;
	read_number(s, node, MAX_ID, field);
}

static void read_mode(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	int64_t value = 0;

	(void)arg;
	read_number(s, node, 07777, &value);
	*(uint32_t *)field = (uint32_t)value;
}

static void read_budget(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)arg;
	read_number(s, node, MAX_BUDGET, field);
	if (node->kind == XB_YAML_SCALAR && xb_sv_eq_str(node->text, "0"))
		schema_refuse(s, node->at, "1 is one layer for all packages",
			      "budget: expected at least 1 layer, found 0");
}

static void refuse_key(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)field;
	schema_refuse(s, node->at, arg, "%s is not supported", s->key);
}

/* A list of maps: each becomes one struct of `size` that `start` has filled with defaults. */
struct list_rule {
	const struct schema_key *keys;
	size_t n_keys, size;
	const char *what;
	void (*start)(void *item);
	void (*check)(struct schema *s, const struct xb_yaml *node, void *item); /* or NULL */
};

static void *read_maps(struct schema *s, const struct xb_yaml *node, const struct list_rule *rule, size_t *out_len)
{
	char *items;

	if (schema_is_empty(node) || !schema_want_list(s, node, s->key))
		return NULL;
	items = xb_arena_array(s->arena, node->n_items, rule->size);
	for (size_t i = 0; i < node->n_items; i++) {
		void *item = items + i * rule->size;
		const struct schema_group group = {rule->keys, rule->n_keys, item};

		if (rule->start)
			rule->start(item);
		schema_read(s, node->items[i], &group, 1, rule->what);
		if (rule->check && !node->items[i]->refused)
			rule->check(s, node->items[i], item);
	}
	*out_len = node->n_items;
	return items;
}

static const struct schema_key text_keys[] = {
	{"name", schema_text, offsetof(struct xb_apko_text, name), &file_rule, true},
	{"content", schema_text, offsetof(struct xb_apko_text, content), &content_rule, true},
};

static void place_text(struct schema *s, const struct xb_yaml *node, void *item)
{
	(void)s;
	((struct xb_apko_text *)item)->at = node->at;
}

static void read_texts(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	static const struct list_rule rule = {text_keys, XB_COUNT(text_keys), sizeof(struct xb_apko_text), "entry",
					      NULL,	 place_text};
	struct xb_apko_texts *texts = field;

	(void)arg;
	texts->items = read_maps(s, node, &rule, &texts->len);
}

static const struct schema_key contents_keys[] = {
	{"build_repositories", read_repositories, offsetof(struct xb_apko, build_repositories), NULL, false},
	{"runtime_repositories", read_repositories, offsetof(struct xb_apko, runtime_repositories), NULL, false},
	{"repositories", read_repositories, offsetof(struct xb_apko, repositories), NULL, false},
	{"keyring", read_words, offsetof(struct xb_apko, keyring), &word_rule, false},
	{"runtime_keyring", read_texts, offsetof(struct xb_apko, runtime_keyring), NULL, false},
	{"packages", read_words, offsetof(struct xb_apko, packages), &word_rule, false},
	{"baseimage", refuse_key, 0, "use base: { image: ... } of xbuild.yaml for an image that is there", false},
};

static void read_contents(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(contents_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "contents");
}

static void read_command(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_words words;

	(void)arg;
	if (!schema_want_text(s, node, &line_rule, s->key))
		return;
	if (!apko_split(s->arena, node->text, &words))
		schema_refuse(s, node->at, "words are split as a shell does, but nothing is run by one",
			      "%s: a quote or a backslash has nothing behind it", s->key);
	*(const char **)field = node->text.ptr;
}

static const struct schema_key entrypoint_keys[] = {
	{"type", refuse_key, 0, "start one program with 'command'", false},
	{"command", read_command, offsetof(struct xb_apko, command), NULL, false},
	{"shell-fragment", schema_text, offsetof(struct xb_apko, shell_fragment), &value_rule, false},
	{"services", refuse_key, 0, "start one program with 'command'", false},
};

static void read_entrypoint(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(entrypoint_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "entrypoint");
}

static const struct schema_key user_keys[] = {
	{"username", schema_text, offsetof(struct xb_apko_user, name), &account_rule, true},
	{"uid", read_id, offsetof(struct xb_apko_user, uid), NULL, true},
	{"gid", read_id, offsetof(struct xb_apko_user, gid), NULL, false},
	{"shell", schema_text, offsetof(struct xb_apko_user, shell), &account_rule, false},
	{"homedir", schema_text, offsetof(struct xb_apko_user, home), &account_rule, false},
};

static void start_user(void *item)
{
	((struct xb_apko_user *)item)->gid = -1;
}

static void check_user(struct schema *s, const struct xb_yaml *node, void *item)
{
	struct xb_apko_user *user = item;

	if (xb_yaml_get(node, "uid") && user->uid == 0)
		schema_refuse(s, node->at, "to run as root write run-as: 0", "user '%s' has uid 0",
			      user->name ? user->name : "");
	if (!user->home && user->name)
		user->home = xb_arena_printf(s->arena, "/home/%s", user->name);
	if (user->home && strcmp(user->home, "/") != 0 && !apko_is_image_path(xb_sv(user->home)))
		schema_problem(s, node->at, "homedir: expected a path without '..', found '%s'", user->home);
}

static const struct schema_key group_keys[] = {
	{"groupname", schema_text, offsetof(struct xb_apko_group, name), &account_rule, true},
	{"gid", read_id, offsetof(struct xb_apko_group, gid), NULL, true},
	{"members", read_words, offsetof(struct xb_apko_group, members), &account_rule, false},
};

static void read_users(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	static const struct list_rule rule = {user_keys, XB_COUNT(user_keys), sizeof(struct xb_apko_user),
					      "user",	 start_user,	      check_user};
	struct xb_apko *apko = field;

	(void)arg;
	apko->users = read_maps(s, node, &rule, &apko->n_users);
	for (size_t i = 1; i < apko->n_users; i++)
		for (size_t k = 0; k < i; k++)
			if (apko->users[i].name && apko->users[k].name &&
			    strcmp(apko->users[i].name, apko->users[k].name) == 0)
				schema_problem(s, node->items[i]->at, "user '%s' is there twice", apko->users[i].name);
}

static void read_groups(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	static const struct list_rule rule = {
		group_keys, XB_COUNT(group_keys), sizeof(struct xb_apko_group), "group", NULL, NULL};
	struct xb_apko *apko = field;

	(void)arg;
	apko->groups = read_maps(s, node, &rule, &apko->n_groups);
}

static const struct schema_key accounts_keys[] = {
	{"run-as", schema_text, offsetof(struct xb_apko, run_as), &account_rule, false},
	{"users", read_users, 0, NULL, false},
	{"groups", read_groups, 0, NULL, false},
};

static void read_accounts(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(accounts_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "accounts");
}

static const struct enum_word path_types[] = {
	{"directory", XB_APKO_PATH_DIRECTORY},	   {"empty-file", XB_APKO_PATH_EMPTY_FILE},
	{"hardlink", XB_APKO_PATH_HARDLINK},	   {"symlink", XB_APKO_PATH_SYMLINK},
	{"permissions", XB_APKO_PATH_PERMISSIONS}, {NULL, 0},
};

static const struct schema_key path_keys[] = {
	{"path", schema_text, offsetof(struct xb_apko_path, path), &path_rule, true},
	{"type", schema_enum, offsetof(struct xb_apko_path, type), path_types, true},
	{"uid", read_id, offsetof(struct xb_apko_path, uid), NULL, false},
	{"gid", read_id, offsetof(struct xb_apko_path, gid), NULL, false},
	{"permissions", read_mode, offsetof(struct xb_apko_path, permissions), NULL, false},
	{"source", schema_text, offsetof(struct xb_apko_path, source), NULL, false},
	{"recursive", schema_bool, offsetof(struct xb_apko_path, recursive), NULL, false},
};

static void start_path(void *item)
{
	struct xb_apko_path *path = item;

	path->uid = path->gid = -1;
}

static void check_path(struct schema *s, const struct xb_yaml *node, void *item)
{
	const struct xb_apko_path *path = item;
	const bool is_link = path->type == XB_APKO_PATH_HARDLINK || path->type == XB_APKO_PATH_SYMLINK;

	if (is_link && !path->source)
		schema_refuse(s, node->at, "what the link points to", "path '%s': 'source' is missing",
			      path->path ? path->path : "");
	else if (path->type == XB_APKO_PATH_HARDLINK && !apko_is_image_path(xb_sv(path->source)))
		schema_problem(s, node->at, "source: expected a path without '..', found '%s'", path->source);
}

static void read_paths(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	static const struct list_rule rule = {path_keys, XB_COUNT(path_keys), sizeof(struct xb_apko_path),
					      "path",	 start_path,	      check_path};
	struct xb_apko *apko = field;

	(void)arg;
	apko->paths = read_maps(s, node, &rule, &apko->n_paths);
}

static void read_archs(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_words words = {0}, *out = field;

	read_words(s, node, &words, arg);
	if (words.len == 1 && strcmp(words.items[0], "all") == 0)
		return;
	for (size_t i = 0; i < words.len; i++) {
		const char *arch = xb_apko_arch(xb_sv(words.items[i]));

		if (!arch)
			schema_refuse(s, words.at[i],
				      "known: 386, amd64, arm64, arm/v6, arm/v7, loong64, ppc64le, riscv64, s390x",
				      "unknown architecture '%s'", words.items[i]);
		words.items[i] = arch;
	}
	*out = words;
}

static const struct enum_word strategies[] = {{"origin", 0}, {NULL, 0}};

static void read_strategy(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	int ignored = 0;

	schema_enum(s, node, &ignored, arg);
	*(const char **)field = "origin";
}

static const struct schema_key layering_keys[] = {
	{"strategy", read_strategy, offsetof(struct xb_apko, layering_strategy), strategies, false},
	{"budget", read_budget, offsetof(struct xb_apko, layering_budget), NULL, false},
};

/* "layering: {}" is the default strategy with one group (apko, pkg/build/build.go). */
static void read_layering(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(layering_keys, field);

	(void)arg;
	if (schema_is_empty(node))
		return;
	((struct xb_apko *)field)->has_layering = true;
	schema_read(s, node, &group, 1, "layering");
}

static const struct schema_key certificates_keys[] = {
	{"additional", read_texts, offsetof(struct xb_apko, certificates), NULL, false},
	{"providers", read_words, offsetof(struct xb_apko, certificate_providers), &word_rule, false},
};

static void read_certificates(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(certificates_keys, field);

	(void)arg;
	if (schema_is_empty(node))
		return;
	((struct xb_apko *)field)->has_certificates = true;
	schema_read(s, node, &group, 1, "certificates");
}

static void read_format(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)arg;
	if (node->kind == XB_YAML_SCALAR && xb_sv_eq_str(node->text, "tar"))
		*(const char **)field = node->text.ptr;
	else
		schema_refuse(s, node->at, "layers are tar files", "format: only tar is supported");
}

static void read_pairs(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	if (!schema_is_empty(node))
		schema_pairs(s, node, field, arg);
}

#define APKO(field) offsetof(struct xb_apko, field)

static const struct schema_key apko_keys[] = {
	{"contents", read_contents, 0, NULL, false},
	{"entrypoint", read_entrypoint, 0, NULL, false},
	{"cmd", read_command, APKO(cmd_text), NULL, false},
	{"stop-signal", schema_text, APKO(stop_signal), &signal_rule, false},
	{"work-dir", schema_text, APKO(workdir), &absolute_rule, false},
	{"accounts", read_accounts, 0, NULL, false},
	{"archs", read_archs, APKO(archs), &word_rule, false},
	{"environment", read_pairs, APKO(environment), &env_pairs, false},
	{"paths", read_paths, 0, NULL, false},
	{"vcs-url", schema_text, APKO(vcs_url), NULL, false},
	{"annotations", read_pairs, APKO(annotations), &annotation_pairs, false},
	{"include", schema_text, APKO(include), &include_rule, false},
	{"volumes", read_words, APKO(volumes), &absolute_rule, false},
	{"layering", read_layering, 0, NULL, false},
	{"format", read_format, APKO(format), NULL, false},
	{"certificates", read_certificates, 0, NULL, false},
};

void apko_read(struct schema *s, const struct xb_yaml *root, struct xb_apko *apko)
{
	const struct schema_group group = SCHEMA_GROUP(apko_keys, apko);

	schema_read(s, root, &group, 1, "apko.yaml");
}
