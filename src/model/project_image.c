/* SPDX-License-Identifier: Apache-2.0 */
/* The key image. The fields and their limits: OCI image-spec v1.1, config.md. */
#include <string.h>

#include "project_read.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"

#define MAX_UID	    INT64_C(2147483647)
#define DEFAULT_UID 1000
#define MAX_MODE    07777

/* Absolute and clean: no "//", ".", "..", final "/". */
static bool is_image_path(struct xb_sv text)
{
	return text.len > 1 && text.ptr[0] == '/' && xb_path_is_safe(xb_sv_n(text.ptr + 1, text.len - 1));
}

static bool is_user_name(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		if (!(c >= 'a' && c <= 'z') && c != '_' && !(i && ((c >= '0' && c <= '9') || c == '-')))
			return false;
	}
	return text.len > 0 && text.len <= 32;
}

static const struct text_rule dest_rule = {is_image_path, "an absolute path",
					   "as in /usr/bin/app: without '..', '//' or a final '/'", false, false};
static bool is_workdir(struct xb_sv text)
{
	return xb_sv_eq_str(text, "/") || is_image_path(text);
}

static const struct text_rule workdir_rule = {is_workdir, "an absolute path",
					      "as in /srv/app: without '..', '//' or a final '/'", false, false};
static const struct text_rule env_rule = {xb_name_is_env, "the name of an environment variable", NULL, false, false};
static const struct text_rule key_rule = {NULL, "a name", NULL, false, false};
static const struct text_rule signal_rule = {xb_name_is_signal, "the name of a signal", "as in SIGTERM", false, false};
static const struct text_rule user_rule = {is_user_name, "the name of a user",
					   "lower-case letters, digits, '_' and '-'; at most 32", false, false};
static const struct pair_rule env_pairs = {&env_rule, &value_rule, true};
static const struct pair_rule label_pairs = {&key_rule, &value_rule, true};

static const struct enum_word compressions[] = {
	{"gzip", XB_COMPRESSION_GZIP}, {"zstd", XB_COMPRESSION_ZSTD}, {"none", XB_COMPRESSION_NONE}, {NULL, 0}};

static void read_layers(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	static const struct enum_word words[] = {{"auto", 0}, {NULL, 0}};
	int ignored = 0;

	(void)field;
	(void)arg;
	schema_enum(s, node, &ignored, words);
}

static void read_uid(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	uint64_t value;

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && xb_num_u64(node->text, MAX_UID, &value))
		*(int64_t *)field = (int64_t)value;
	else
		schema_problem(s, node->at, "%s: expected a number from 0 to %lld", s->key, (long long)MAX_UID);
}

static const struct schema_key user_keys[] = {
	{"name", schema_text, offsetof(struct xb_image, user_name), &user_rule, false},
	{"uid", read_uid, offsetof(struct xb_image, uid), NULL, false},
	{"gid", read_uid, offsetof(struct xb_image, gid), NULL, false},
};

/* A name without a number gets one: nobody who writes a name means root. */
static void read_user(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_image *image = field;
	const struct schema_group group = SCHEMA_GROUP(user_keys, image);
	uint64_t number;

	(void)arg;
	if (node->kind == XB_YAML_MAP) {
		schema_read(s, node, &group, 1, "user");
		if (!image->user_name && image->uid < 0 && !node->partial)
			schema_refuse(s, node->at, "as in { name: app, uid: 1000 }", "user: expected a name or a uid");
	} else if (node->kind == XB_YAML_SCALAR && xb_num_u64(node->text, MAX_UID, &number)) {
		image->uid = (int64_t)number;
	} else if (schema_want_text(s, node, &user_rule, "user")) {
		image->user_name = node->text.ptr;
	}
	if (image->user_name && strcmp(image->user_name, "root") == 0) {
		if (image->uid > 0)
			schema_problem(s, node->at, "user: root has the uid 0");
		image->user_name = NULL;
		image->uid = 0;
	}
	if (image->user_name && image->uid < 0) {
		image->uid = DEFAULT_UID;
		image->uid_is_default = true;
	}
	if (image->gid < 0)
		image->gid = image->uid;
}

/* "8080" and "8080/tcp" are one port: kept in the longer form. */
static const char *port_text(struct schema *s, struct xb_sv text)
{
	struct xb_sv rest = text;
	const struct xb_sv digits = xb_sv_cut(&rest, '/');
	uint64_t number;

	if (!xb_num_u64(digits, 65535, &number) || !number)
		return NULL;
	if (rest.ptr && !xb_sv_eq_str(rest, "tcp") && !xb_sv_eq_str(rest, "udp"))
		return NULL;
	return xb_arena_printf(s->arena, "%llu/%s", (unsigned long long)number, rest.ptr ? rest.ptr : "tcp");
}

static void read_ports(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_words *words = field;
	struct xb_map seen XB_CLEANUP(xb_map_release) = {0};
	size_t len = 0;

	(void)arg;
	schema_words(s, node, words, NULL);
	for (size_t i = 0; i < words->len; i++) {
		const char *port = port_text(s, xb_sv(words->items[i]));

		if (!port) {
			schema_refuse(s, words->at[i], "as in 8080 or 53/udp",
				      "ports: expected a number from 1 to 65535, found '%s'", words->items[i]);
			continue;
		}
		if (xb_map_put_str(&seen, port, &words->at[i])) {
			schema_problem(s, words->at[i], "port %s is listed twice", port);
			continue;
		}
		words->items[len] = port;
		words->at[len++] = words->at[i];
	}
	words->len = len;
}

static void read_mode(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	uint32_t mode;

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && node->text.len >= 3 && xb_num_octal(node->text, MAX_MODE, &mode) && mode)
		*(uint32_t *)field = mode;
	else
		schema_refuse(s, node->at, "as in \"0644\"", "mode: expected octal digits");
}

/* A source is a unit or a path; both are written in the same place. */
static void read_source(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_image_file *file = field;
	bool is_ref;

	(void)arg;
	if (!schema_want_text(s, node, NULL, "file"))
		return;
	file->unit = project_unit_ref(s, node->text.ptr, node->at, &file->output, &is_ref);
	if (!is_ref && schema_want_text(s, node, &path_rule, "file"))
		file->from = node->text.ptr;
}

static bool is_link_target(struct xb_sv text)
{
	return text.len <= 4096;
}

static const struct text_rule link_rule = {is_link_target, "the text of a symbolic link", NULL, false, false};
static const struct text_rule owner_rule = {NULL, "an owner", NULL, false, false};

static const struct schema_key file_keys[] = {
	{"from", read_source, 0, NULL, false},
	{"link", schema_text, offsetof(struct xb_image_file, link), &link_rule, false},
	{"mode", read_mode, offsetof(struct xb_image_file, mode), NULL, false},
	{"owner", schema_text, offsetof(struct xb_image_file, owner), &owner_rule, false},
};

static void read_file_map(struct schema *s, const struct xb_yaml *node, struct xb_image_file *file)
{
	const struct schema_group group = SCHEMA_GROUP(file_keys, file);
	const bool has_from = xb_yaml_get(node, "from") != NULL, has_link = xb_yaml_get(node, "link") != NULL;

	schema_read(s, node, &group, 1, "file");
	if (has_from == has_link && !node->partial)
		schema_refuse(s, node->at, "a file has a source, a symbolic link has a target",
			      "file '%s': expected either 'from' or 'link'", file->dest);
	else if (has_link && file->mode)
		schema_problem(s, node->at, "file '%s': a symbolic link has no mode", file->dest);
}

/* A file of that name in a layer would delete another one (OCI image-spec v1.1, layer.md "Whiteouts"). */
static bool is_whiteout(struct xb_sv dest)
{
	while (dest.ptr) {
		if (xb_sv_starts(xb_sv_cut(&dest, '/'), ".wh."))
			return true;
	}
	return false;
}

static void read_files(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_image *image = field;

	(void)arg;
	if (!schema_want_map(s, node, "files"))
		return;
	image->files = xb_arena_array(s->arena, node->n_items, sizeof(*image->files));
	for (size_t i = 0; i < node->n_items; i++) {
		const struct xb_yaml *dest = node->keys[i];
		struct xb_image_file *file;

		if (!schema_want_text(s, dest, &dest_rule, "file"))
			continue;
		if (is_whiteout(dest->text)) {
			schema_problem(s, dest->at, "a name that starts with '.wh.' would delete files in an image");
			continue;
		}
		file = &image->files[image->n_files++];
		file->dest = dest->text.ptr;
		file->at = dest->at;
		file->owner = "root";
		if (node->items[i]->kind == XB_YAML_MAP)
			read_file_map(s, node->items[i], file);
		else
			read_source(s, node->items[i], file, NULL);
	}
}

#define IMAGE(field) offsetof(struct xb_image, field)

static const struct schema_key image_keys[] = {
	{"base", project_read_base, 0, NULL, false},
	{"packages", schema_word_set, IMAGE(packages), &package_rule, false},
	{"user", read_user, 0, NULL, false},
	{"files", read_files, 0, NULL, false},
	{"entrypoint", schema_words, IMAGE(entrypoint), &word_rule, false},
	{"cmd", schema_words, IMAGE(cmd), &word_rule, false},
	{"env", schema_pairs, IMAGE(env), &env_pairs, false},
	{"labels", schema_pairs, IMAGE(labels), &label_pairs, false},
	{"annotations", schema_pairs, IMAGE(annotations), &label_pairs, false},
	{"ports", read_ports, IMAGE(ports), NULL, false},
	{"volumes", schema_word_set, IMAGE(volumes), &dest_rule, false},
	{"workdir", schema_text, IMAGE(workdir), &workdir_rule, false},
	{"stop-signal", schema_text, IMAGE(stop_signal), &signal_rule, false},
	{"compression", schema_enum, IMAGE(compression), compressions, false},
	{"layers", read_layers, 0, NULL, false},
	{"targets", project_target_names, IMAGE(targets), NULL, false},
};

static bool is_owner(const struct xb_image *image, const char *owner)
{
	struct xb_sv rest = xb_sv(owner);
	struct xb_sv uid;
	uint64_t number;

	if (strcmp(owner, "root") == 0 || (image->user_name && strcmp(owner, image->user_name) == 0))
		return true;
	uid = xb_sv_cut(&rest, ':');
	return xb_num_u64(uid, MAX_UID, &number) && (!rest.ptr || xb_num_u64(rest, MAX_UID, &number));
}

static bool is_leaf(const struct xb_image_file *file)
{
	return file->link || (file->unit && !file->unit->foreign && file->unit->kind == XB_UNIT_EXECUTABLE);
}

/* What lies below a link would be written through it, and nothing lies below a program. */
static void check_parents(struct schema *s, const struct xb_map *leaves, const struct xb_image_file *file)
{
	struct xb_sv dir = xb_path_dir(xb_sv(file->dest));

	for (; dir.len > 1; dir = xb_path_dir(dir)) {
		if (xb_map_has(leaves, dir))
			schema_problem(s, file->at, "'%s' lies below '%.*s', which is no directory", file->dest,
				       XB_SV_ARG(dir));
	}
}

static void check_files(struct schema *s, struct xb_image *image)
{
	struct xb_map leaves XB_CLEANUP(xb_map_release) = {0};

	for (size_t i = 0; i < image->n_files; i++) {
		if (is_leaf(&image->files[i]))
			xb_map_put_str(&leaves, image->files[i].dest, &image->files[i]);
	}
	for (size_t i = 0; i < image->n_files; i++) {
		const struct xb_image_file *file = &image->files[i];

		if (!is_owner(image, file->owner))
			schema_refuse(s, file->at, "root, the image's user, or numbers as in 1000:1000",
				      "file '%s': unknown owner '%s'", file->dest, file->owner);
		if (file->unit && !project_unit_covers(s, file->unit, &image->targets))
			schema_refuse(s, file->at, "narrow the 'targets' of the image, or widen those of the unit",
				      "unit '%s' is not built for all targets of image '%s'", file->unit->name,
				      image->name);
		check_parents(s, &leaves, file);
	}
}

/* Without files, the program that is called as the image is; and a program in that place is what the image starts. */
static void fill_defaults(struct schema *s, struct xb_image *image, const struct xb_yaml *node)
{
	const char *program = xb_arena_printf(s->arena, "/usr/bin/%s", image->name);
	struct xb_unit *unit = xb_project_unit(s->project, xb_sv(image->name));

	if (!xb_yaml_get(node, "files") && unit && unit->kind == XB_UNIT_EXECUTABLE) {
		image->files = xb_arena_alloc(s->arena, sizeof(*image->files));
		image->files[0] = (struct xb_image_file){
			.dest = program,
			.at = image->at,
			.unit = unit,
			.owner = "root",
		};
		image->n_files = 1;
	} else if (!xb_yaml_get(node, "files")) {
		schema_refuse(s, image->at, "add 'files: { /usr/bin/app: build:app }'",
			      "image '%s' has no files, and no executable unit is called '%s'", image->name,
			      image->name);
	}
	for (size_t i = 0; i < image->n_files && !xb_yaml_get(node, "entrypoint"); i++) {
		if (strcmp(image->files[i].dest, program) != 0)
			continue;
		image->entrypoint = (struct xb_words){
			.items = xb_arena_alloc(s->arena, sizeof(char *)),
			.at = xb_arena_alloc(s->arena, sizeof(struct xb_place)),
			.len = 1,
		};
		image->entrypoint.items[0] = program;
		image->entrypoint.at[0] = image->files[i].at;
	}
}

void project_read_images(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	if (!schema_want_map(s, node, "image"))
		return;
	project->images = xb_arena_array(s->arena, node->n_items, sizeof(*project->images));
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_image *image = &project->images[project->n_images++];
		const struct schema_group group = SCHEMA_GROUP(image_keys, image);

		(void)schema_want_text(s, node->keys[i], &unit_name_rule, "image");
		*image = (struct xb_image){
			.name = node->keys[i]->text.ptr,
			.at = node->keys[i]->at,
			.base = XB_BASE_AUTO,
			.uid = -1,
			.gid = -1,
		};
		schema_read(s, node->items[i], &group, 1, "image");
		project_check_base(s, image);
		fill_defaults(s, image, node->items[i]);
		check_files(s, image);
	}
}
