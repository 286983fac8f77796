/* SPDX-License-Identifier: Apache-2.0 */
#include "data_read.h"

#include "archive_read.h"

#include <string.h>

#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"
#include "xbuild/model/target.h"

static bool is_file_name(struct xb_sv text)
{
	return xb_path_is_safe(text) && !memchr(text.ptr, '/', text.len);
}

static const struct text_rule name_rule = {xb_name_is_suite, "a name of letters, digits, '.' and '-'", NULL, 0, 0};
static const struct text_rule number_rule = {xb_name_is_version_number, "a dotted number", NULL, 0, 0};
static const struct text_rule path_rule = {xb_path_is_safe, "a relative path without '..'", NULL, 0, 0};
static const struct text_rule file_rule = {is_file_name, "a file name", NULL, 0, 0};
static const struct text_rule package_rule = {xb_name_is_debian_package, "the name of a Debian package", NULL, 0, 0};
static const struct text_rule fingerprint_rule = {xb_name_is_fingerprint,
						  "a fingerprint of 40 or 64 upper-case hex digits",
						  "gpg --show-keys prints it; give the primary key's", 0, 0};

/* A list that must hold something: an empty list of keys would let everyone sign. */
static void read_full_list(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	schema_list(s, node, field, arg);
	if (node->kind == XB_YAML_LIST && !node->n_items)
		schema_problem(s, node->at, "expected at least one entry");
}

static const struct schema_key site_keys[] = {
	{"mirrors", read_full_list, offsetof(struct xb_archive_site, mirrors), &archive_url_rule, true},
	{"snapshot", schema_text, offsetof(struct xb_archive_site, snapshot), &archive_url_rule, true},
};

static void read_sites(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_debian *debian = field;

	(void)arg;
	if (!schema_want_map(s, node, "archives"))
		return;
	debian->sites = xb_arena_array(s->arena, node->n_items, sizeof(*debian->sites));
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_archive_site *site = &debian->sites[debian->n_sites++];
		const struct schema_group group = SCHEMA_GROUP(site_keys, site);

		if (schema_want_text(s, node->keys[i], &name_rule, "archive"))
			site->name = node->keys[i]->text.ptr;
		schema_read(s, node->items[i], &group, 1, "archive");
	}
}

static const struct schema_key suite_keys[] = {
	{"archive", schema_text, offsetof(struct xb_suite, archive), &name_rule, true},
	{"path", schema_text, offsetof(struct xb_suite, path), &path_rule, false},
	{"codename", schema_text, offsetof(struct xb_suite, codename), &name_rule, false},
	{"origin", schema_text, offsetof(struct xb_suite, origin), NULL, false},
	{"label", schema_text, offsetof(struct xb_suite, label), NULL, false},
	{"components", read_full_list, offsetof(struct xb_suite, components), &name_rule, true},
	{"signed-by", read_full_list, offsetof(struct xb_suite, fingerprints), &fingerprint_rule, true},
	{"optional", schema_bool, offsetof(struct xb_suite, optional), NULL, false},
	{"extra", schema_bool, offsetof(struct xb_suite, extra), NULL, false},
};

static bool has_site(const struct xb_debian *debian, const char *name)
{
	for (size_t i = 0; i < debian->n_sites; i++) {
		if (debian->sites[i].name && strcmp(debian->sites[i].name, name) == 0)
			return true;
	}
	return false;
}

static void read_suites(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_debian *debian = field;

	(void)arg;
	if (!schema_want_map(s, node, "suites"))
		return;
	if (!node->n_items)
		schema_problem(s, node->at, "expected at least one suite");
	debian->suites = xb_arena_array(s->arena, node->n_items, sizeof(*debian->suites));
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_suite *suite = &debian->suites[debian->n_suites++];
		const struct schema_group group = SCHEMA_GROUP(suite_keys, suite);

		if (!schema_want_text(s, node->keys[i], &name_rule, "suite"))
			continue;
		suite->id = suite->path = suite->codename = node->keys[i]->text.ptr;
		schema_read(s, node->items[i], &group, 1, "suite");
		if (suite->archive && !has_site(debian, suite->archive))
			schema_problem(s, node->keys[i]->at, "suite '%s': there is no archive '%s'", suite->id,
				       suite->archive);
	}
}

/* Archives come first, because suites name them. */
static const struct schema_key debian_keys[] = {
	{"archives", read_sites, 0, NULL, true},
	{"suites", read_suites, 0, NULL, true},
	{"keys", read_full_list, offsetof(struct xb_debian, key_files), &file_rule, true},
};

static void read_debian(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(debian_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "debian");
}

static bool is_debian_host(struct xb_sv name)
{
	const char *host = xb_host_find(name);

	return host && xb_host_debian_arch(host);
}

static const struct text_rule debian_host_rule = {is_debian_host, "a host with a Debian architecture", NULL, 0, 0};

static const struct archive_rule host_archives = {archive_host, "host", false};
static const struct archive_rule target_archives = {archive_target, "target", false};

#define TOOLCHAIN(field) offsetof(struct xb_toolchain_desc, field)

static const struct schema_key toolchain_keys[] = {
	{"name", schema_text, TOOLCHAIN(name), &name_rule, true},
	{"version", schema_text, TOOLCHAIN(version), &number_rule, true},
	{"bin-dir", schema_text, TOOLCHAIN(bin_dir), &path_rule, false},
	{"debian", read_debian, TOOLCHAIN(debian), NULL, false},
	{"debian-hosts", schema_list, TOOLCHAIN(debian_hosts), &debian_host_rule, false},
	{"packages", read_full_list, TOOLCHAIN(packages), &package_rule, false},
	{"tools", schema_list, TOOLCHAIN(tools_packages), &package_rule, false},
	{"exclude", schema_list, TOOLCHAIN(exclude), &package_rule, false},
	{"drop", schema_list, TOOLCHAIN(drop), &path_rule, false},
	{"archives", archive_read_map, TOOLCHAIN(archives), &host_archives, false},
	{"minimal", archive_read_map, TOOLCHAIN(minimal), &host_archives, false},
};

void data_read_toolchain(struct schema *s, const struct xb_yaml *root, struct xb_toolchain_desc *desc)
{
	const struct schema_group group = SCHEMA_GROUP(toolchain_keys, desc);

	desc->bin_dir = "bin";
	schema_read(s, root, &group, 1, "toolchain");
	if (desc->debian_hosts.len && (!desc->packages.len || !desc->debian.n_suites))
		schema_problem(s, root->at, "toolchain: 'debian-hosts' need 'debian' and 'packages'");
	if (!desc->debian_hosts.len && !desc->archives.len && !desc->minimal.len)
		schema_problem(s, root->at, "toolchain: expected 'debian-hosts', 'archives' or 'minimal'");
}

#define RUST(field) offsetof(struct xb_rust_desc, field)

static bool is_rust(struct xb_sv text)
{
	return xb_sv_eq_str(text, "rust");
}

static const struct text_rule kind_rule = {is_rust, "rust", NULL, 0, 0};

static const struct schema_key std_keys[] = {
	{"packages", read_full_list, RUST(std_packages), &package_rule, true},
	{"exclude", schema_list, RUST(std_exclude), &package_rule, false},
};

static void read_std(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(std_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "std");
}

static const struct schema_key crates_keys[] = {
	{"arch", schema_text, RUST(crates_arch), &name_rule, true},
	{"dir", schema_text, RUST(crates_dir), &path_rule, true},
	{"prefix", schema_text, RUST(crates_prefix), &name_rule, true},
	{"drop", schema_list, RUST(crates_drop), &path_rule, false},
};

static void read_crates(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(crates_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "crates");
}

static void read_kind(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)field;
	(void)arg;
	(void)schema_want_text(s, node, &kind_rule, "kind");
}

static const struct schema_key rust_keys[] = {
	{"name", schema_text, RUST(name), &name_rule, true},
	{"kind", read_kind, 0, NULL, true},
	{"version", schema_text, RUST(version), &number_rule, true},
	{"bin-dir", schema_text, RUST(bin_dir), &path_rule, true},
	{"debian", read_debian, RUST(debian), NULL, true},
	{"debian-hosts", schema_list, RUST(debian_hosts), &debian_host_rule, true},
	{"packages", read_full_list, RUST(packages), &package_rule, true},
	{"exclude", schema_list, RUST(exclude), &package_rule, false},
	{"drop", schema_list, RUST(drop), &path_rule, false},
	{"std", read_std, 0, NULL, true},
	{"crates", read_crates, 0, NULL, true},
};

void data_read_rust(struct schema *s, const struct xb_yaml *root, struct xb_rust_desc *desc)
{
	const struct schema_group group = SCHEMA_GROUP(rust_keys, desc);

	schema_read(s, root, &group, 1, "rust");
}

#define SYSROOT(field) offsetof(struct xb_sysroot_desc, field)

static const struct schema_key libcxx_keys[] = {
	{"packages", read_full_list, SYSROOT(libcxx_packages), &package_rule, true},
};

static void read_libcxx(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(libcxx_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "libc++");
}

static const struct schema_key musl_keys[] = {
	{"packages", read_full_list, SYSROOT(musl_packages), &package_rule, true},
	{"exclude", schema_list, SYSROOT(musl_exclude), &package_rule, false},
};

static void read_musl(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(musl_keys, field);

	(void)arg;
	schema_read(s, node, &group, 1, "musl");
}

static const struct schema_key sysroot_keys[] = {
	{"name", schema_text, SYSROOT(name), &name_rule, true},
	{"gcc", schema_text, SYSROOT(gcc), &number_rule, false},
	{"support", schema_text, SYSROOT(support), NULL, true},
	{"debian", read_debian, SYSROOT(debian), NULL, false},
	{"architectures", schema_list, SYSROOT(architectures), &name_rule, false},
	{"packages", read_full_list, SYSROOT(packages), &package_rule, false},
	{"libc++", read_libcxx, 0, NULL, false},
	{"musl", read_musl, 0, NULL, false},
	{"exclude", schema_list, SYSROOT(exclude), &package_rule, false},
	{"drop", schema_list, SYSROOT(drop), &path_rule, false},
	{"archives", archive_read_map, SYSROOT(archives), &target_archives, false},
};

void data_read_sysroot(struct schema *s, const struct xb_yaml *root, struct xb_sysroot_desc *desc)
{
	const struct schema_group group = SCHEMA_GROUP(sysroot_keys, desc);

	schema_read(s, root, &group, 1, "sysroot");
	if ((desc->packages.len > 0) == (desc->archives.len > 0))
		schema_problem(s, root->at, "sysroot: expected either 'packages' or 'archives'");
	else if (desc->packages.len && (!desc->gcc || !desc->debian.n_suites))
		schema_problem(s, root->at, "sysroot: 'packages' need 'gcc' and 'debian'");
}

/* "a | b": each a name. */
static bool is_choice_of_packages(struct xb_sv text)
{
	struct xb_sv rest = text;

	while (rest.ptr) {
		if (!xb_name_is_debian_package(xb_sv_trim(xb_sv_cut(&rest, '|'))))
			return false;
	}
	return true;
}

/* Written into /etc/passwd: neither ':' nor a newline may be in it. */
static bool is_home(struct xb_sv text)
{
	return text.len > 1 && text.ptr[0] == '/' && !memchr(text.ptr, ':', text.len) &&
	       xb_path_is_safe(xb_sv_n(text.ptr + 1, text.len - 1));
}

static const struct text_rule choice_rule = {is_choice_of_packages, "names of Debian packages", "as in a | b", 0, 0};
static const struct text_rule account_rule = {xb_name_is_unit, "the name of a user or group", NULL, 0, 0};
static const struct text_rule home_rule = {is_home, "an absolute path", NULL, 0, 0};

static void read_id(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	uint64_t value;

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && xb_num_u64(node->text, UINT32_MAX - 1, &value))
		*(uint32_t *)field = (uint32_t)value;
	else
		schema_problem(s, node->at, "expected the number of a user or group");
}

static const struct schema_key user_keys[] = {
	{"uid", read_id, offsetof(struct xb_image_account, uid), NULL, true},
	{"gid", read_id, offsetof(struct xb_image_account, gid), NULL, true},
	{"home", schema_text, offsetof(struct xb_image_account, home), &home_rule, true},
};

static void read_users(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_image_desc *desc = field;

	(void)arg;
	if (!schema_want_map(s, node, "users"))
		return;
	desc->users = xb_arena_array(s->arena, node->n_items, sizeof(*desc->users));
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_image_account *user = &desc->users[desc->n_users++];
		const struct schema_group group = SCHEMA_GROUP(user_keys, user);

		if (schema_want_text(s, node->keys[i], &account_rule, "user"))
			user->name = node->keys[i]->text.ptr;
		schema_read(s, node->items[i], &group, 1, "user");
	}
}

static void read_groups(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_image_desc *desc = field;

	(void)arg;
	if (!schema_want_map(s, node, "groups"))
		return;
	desc->groups = xb_arena_array(s->arena, node->n_items, sizeof(*desc->groups));
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_image_account *group = &desc->groups[desc->n_groups++];

		if (schema_want_text(s, node->keys[i], &account_rule, "group"))
			group->name = node->keys[i]->text.ptr;
		read_id(s, node->items[i], &group->gid, NULL);
	}
}

#define IMAGE(field) offsetof(struct xb_image_desc, field)

static const struct schema_key image_keys[] = {
	{"name", schema_text, IMAGE(name), &name_rule, true},
	{"packages", schema_list, IMAGE(packages), &choice_rule, false},
	{"data-only", schema_list, IMAGE(data_only), &package_rule, false},
	{"exclude", schema_list, IMAGE(exclude), &package_rule, false},
	{"drop", schema_list, IMAGE(drop), &path_rule, false},
	{"users", read_users, 0, NULL, false},
	{"groups", read_groups, 0, NULL, false},
};

static const struct schema_key extends_keys[] = {
	{"extends", schema_text, 0, &name_rule, false},
};

void data_read_image(struct schema *s, const struct xb_yaml *root, struct xb_image_desc *desc, const char **out_extends)
{
	const struct schema_group groups[] = {SCHEMA_GROUP(image_keys, desc), SCHEMA_GROUP(extends_keys, out_extends)};

	*out_extends = NULL;
	schema_read(s, root, groups, XB_COUNT(groups), "image");
}
