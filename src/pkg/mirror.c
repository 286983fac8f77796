/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/mirror.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/diag.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/yaml.h"

#define MAX_SOURCES_BYTES (1 * XB_MIB)

#define DEBIAN	 "debian"
#define SECURITY "debian-security"

/* A list in the making; every item is in the arena. */
struct urls {
	struct xb_arena *arena;
	struct xb_list *out;
};

static bool is_http(struct xb_sv url)
{
	return xb_sv_starts(url, "http://") || xb_sv_starts(url, "https://");
}

/* http or https, a host, and nothing that could end the URL early. */
static bool is_base_url(struct xb_sv url)
{
	size_t scheme = xb_sv_starts(url, "https://") ? 8 : 7;

	if (!is_http(url) || url.len <= scheme || url.ptr[scheme] == '/')
		return false;
	for (size_t i = 0; i < url.len; i++)
		if (url.ptr[i] <= ' ' || url.ptr[i] > '~' || strchr("?#\"<>\\", url.ptr[i]))
			return false;
	return true;
}

static struct xb_sv without_slash(struct xb_sv url)
{
	while (url.len && url.ptr[url.len - 1] == '/')
		url.len--;
	return url;
}

static void add(struct urls *urls, struct xb_sv url)
{
	const char **items;

	url = without_slash(url);
	for (size_t i = 0; i < urls->out->len; i++)
		if (xb_sv_eq_str(url, urls->out->items[i]))
			return;
	items = xb_arena_array(urls->arena, urls->out->len + 1, sizeof(*items));
	for (size_t i = 0; i < urls->out->len; i++)
		items[i] = urls->out->items[i];
	items[urls->out->len++] = xb_arena_sv(urls->arena, url);
	urls->out->items = items;
}

/* One source of apt's configuration: views into its text. */
struct source {
	struct xb_sv types, uris, suites, components, enabled;
};

static struct xb_sv next_word(struct xb_sv *rest)
{
	struct xb_sv word = {0};

	while (rest->ptr && !word.len) {
		size_t n = 0;

		while (n < rest->len && !strchr(" \t\v\r\n", rest->ptr[n]))
			n++;
		word = xb_sv_n(rest->ptr, n);
		*rest = n < rest->len ? xb_sv_n(rest->ptr + n + 1, rest->len - n - 1) : (struct xb_sv){0};
	}
	return word;
}

static bool has_word(struct xb_sv words, const char *wanted)
{
	while (words.ptr)
		if (xb_sv_eq_str(next_word(&words), wanted))
			return true;
	return false;
}

/* The archive that a suite of Debian belongs to, or NULL for a suite of somebody else. */
static const char *archive_of_suite(struct xb_sv suite)
{
	static const char *const names[] = {"buster", "bullseye",  "bookworm",	   "trixie",  "forky",	  "duke",
					    "stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"};
	size_t n = 0;

	while (n < suite.len && suite.ptr[n] != '-' && suite.ptr[n] != '/')
		n++;
	for (size_t i = 0; i < XB_COUNT(names); i++)
		if (xb_sv_eq_str(xb_sv_n(suite.ptr, n), names[i]))
			return xb_sv_ends(suite, "-security") || xb_sv_ends(suite, "/updates") ? SECURITY : DEBIAN;
	return NULL;
}

/*
 * Other archives use Debian's suite names too (".../debian-backports", a vendor's own): only a URI that ends like the
 * archive's name is one of its mirrors. The security archive is also served at the root of a host.
 */
static bool uri_serves(struct xb_sv uri, const char *archive)
{
	struct xb_sv rest = without_slash(uri);
	struct xb_sv last = xb_path_base(rest);

	if (!is_base_url(rest))
		return false;
	if (xb_sv_eq_str(last, archive))
		return true;
	/* "http://security.example": two slashes before the last part, and no more. */
	return strcmp(archive, SECURITY) == 0 && xb_sv_starts(last, "security.") && last.ptr - rest.ptr <= 8;
}

static bool is_disabled(struct xb_sv value)
{
	static const char *const words[] = {"no", "false", "without", "off", "disable", "0"};

	value = xb_sv_trim(value);
	for (size_t i = 0; i < XB_COUNT(words); i++)
		if (value.len == strlen(words[i]) && strncasecmp(value.ptr, words[i], value.len) == 0)
			return true;
	return false;
}

static void take_source(const struct source *source, const char *archive, struct urls *urls)
{
	struct xb_sv suites = source->suites, uris = source->uris;
	bool serves = false;

	if (is_disabled(source->enabled) || !has_word(source->types, "deb") || !has_word(source->components, "main"))
		return;
	while (suites.ptr) {
		const char *of = archive_of_suite(next_word(&suites));

		serves |= of && strcmp(of, archive) == 0;
	}
	while (serves && uris.ptr) {
		struct xb_sv uri = next_word(&uris);

		if (uri_serves(uri, archive))
			add(urls, uri);
	}
}

/* sources.list(5), "one-line-style format": deb [ option=value ... ] uri suite component ... */
static void read_one_line(struct xb_sv text, const char *archive, struct urls *urls)
{
	while (text.ptr) {
		struct xb_sv line = xb_sv_cut(&text, '\n');
		struct source source = {.components = xb_sv_trim(xb_sv_cut(&line, '#'))};

		source.types = next_word(&source.components);
		source.components = xb_sv_trim(source.components);
		if (xb_sv_starts(source.components, "[")) {
			xb_sv_cut(&source.components, ']');
			source.components = xb_sv_trim(source.components);
		}
		source.uris = next_word(&source.components);
		source.suites = next_word(&source.components);
		take_source(&source, archive, urls);
	}
}

static struct xb_sv *deb822_field(struct source *source, struct xb_sv name)
{
	static const char *const names[] = {"types", "uris", "suites", "components", "enabled"};
	struct xb_sv *const values[] = {&source->types, &source->uris, &source->suites, &source->components,
					&source->enabled};

	for (size_t i = 0; i < XB_COUNT(names); i++)
		if (name.len == strlen(names[i]) && strncasecmp(name.ptr, names[i], name.len) == 0)
			return values[i];
	return NULL;
}

/* sources.list(5), "deb822-style format". Comment lines were blanked, so a value that goes on is one view. */
static void read_deb822(struct xb_sv text, const char *archive, struct urls *urls)
{
	struct source source = {0};
	struct xb_sv *field = NULL;

	while (text.ptr) {
		struct xb_sv line = xb_sv_cut(&text, '\n'), value = line;

		if (!xb_sv_trim(line).len) {
			take_source(&source, archive, urls);
			source = (struct source){0};
			field = NULL;
			continue;
		}
		if (*line.ptr == ' ' || *line.ptr == '\t' || *line.ptr == '\v') {
			if (field && field->ptr)
				field->len = (size_t)(line.ptr + line.len - field->ptr);
			continue;
		}
		field = deb822_field(&source, xb_sv_trim(xb_sv_cut(&value, ':')));
		if (field && value.ptr)
			*field = value;
	}
	take_source(&source, archive, urls);
}

/* Turns comment lines into vertical tabs: white space, but no empty line, so they neither end a paragraph nor hold words. */
static void blank_comments(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '#' || (i > 0 && text[i - 1] != '\n'))
			continue;
		while (i < len && text[i] != '\n')
			text[i++] = '\v';
	}
}

static void read_sources(const char *dir, const char *name, const char *archive, struct urls *urls)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, name);

	if (xb_fs_read(path, MAX_SOURCES_BYTES, &text, &ignored) < 0)
		return;
	if (xb_sv_ends(xb_sv(name), ".list"))
		read_one_line(xb_str_sv(&text), archive, urls);
	if (!xb_sv_ends(xb_sv(name), ".sources") || !text.len)
		return;
	blank_comments(text.data, text.len);
	read_deb822(xb_str_sv(&text), archive, urls);
}

void xb_mirror_apt_sources(const char *apt_dir, const char *archive, struct xb_arena *arena, struct xb_list *out)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_fs_list files XB_CLEANUP(xb_fs_list_release) = {0};
	char *parts XB_CLEANUP(xb_free_ptr) = xb_path_join(apt_dir, "sources.list.d");
	struct urls urls = {arena, out};

	read_sources(apt_dir, "sources.list", archive, &urls);
	if (xb_fs_list(parts, &files, &ignored) < 0)
		return;
	for (size_t i = 0; i < files.len; i++)
		read_sources(parts, files.items[i].name, archive, &urls);
}

static int add_explicit(struct urls *urls, const char *url, const char *from, struct xb_err *err)
{
	if (!is_base_url(xb_sv(url))) {
		xb_fail(err, XB_E_USAGE, "the mirror '%s' of %s is no http or https URL", url, from);
		return xb_hint(err, "give the URL of the directory that holds dists/ and pool/");
	}
	add(urls, xb_sv(url));
	return 0;
}

/* A mirror of "debian" that the user named, for the site that is asked for. */
static int add_users(struct urls *urls, const struct xb_archive_site *site, const char *url, const char *from,
		     struct xb_err *err)
{
	char *security XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_sv base = without_slash(xb_sv(url));

	if (strcmp(site->name, DEBIAN) == 0)
		return add_explicit(urls, url, from, err);
	if (strcmp(site->name, SECURITY) != 0 || !xb_sv_ends(base, "/" DEBIAN))
		return 0;
	security = xb_printf("%.*s-security", XB_SV_ARG(base));
	return add_explicit(urls, security, from, err);
}

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int add_flag(struct urls *urls, const struct xb_archive_site *site, const struct xb_mirror_opts *opts,
		    struct xb_err *err)
{
	const char *security = env("XBUILD_DEBIAN_SECURITY_MIRROR");
	const char *mirror = env("XBUILD_DEBIAN_MIRROR");

	if (security && strcmp(site->name, SECURITY) == 0)
		return add_explicit(urls, security, "XBUILD_DEBIAN_SECURITY_MIRROR", err);
	if (opts->flag)
		return add_users(urls, site, opts->flag, "--mirror", err);
	return mirror ? add_users(urls, site, mirror, "XBUILD_DEBIAN_MIRROR", err) : 0;
}

/* A key with a slip in it would be a mirror that is never asked. */
static int check_keys(const struct xb_yaml *root, const char *path, struct xb_err *err)
{
	static const char *const known[] = {"debian-mirror", NULL};

	for (size_t i = 0; root->kind == XB_YAML_MAP && i < root->n_items; i++) {
		const struct xb_yaml *key = root->keys[i];
		const char *meant;

		if (xb_sv_eq_str(key->text, known[0]))
			continue;
		meant = xb_sv_suggest(key->text, known);
		xb_fail(err, XB_E_INPUT, "%s:%d:%d: unknown key '%.*s'", path, key->at.line, key->at.col,
			XB_SV_ARG(key->text));
		return meant ? xb_hint(err, "did you mean '%s'?", meant) : xb_hint(err, "known here: %s", known[0]);
	}
	return 0;
}

/* The user's config.yaml. */
static int add_config(struct urls *urls, const struct xb_archive_site *site, const char *config_dir, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(config_dir, "config.yaml");
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	const struct xb_yaml *mirror;
	struct xb_yaml *root;

	if (!xb_fs_exists(path))
		return 0;
	if (xb_fs_read(path, XB_MAX_YAML_BYTES, &text, err) < 0)
		return err->code;
	if (xb_yaml_parse(xb_str_sv(&text), path, urls->arena, &root, &diags, err) < 0)
		return diags.list.len ? xb_wrap(err, "%s:%d:%d: %s", path, diags.list.items[0].at.line,
						diags.list.items[0].at.col, diags.list.items[0].message)
				      : err->code;
	if (check_keys(root, path, err) < 0)
		return err->code;
	mirror = root->kind == XB_YAML_MAP ? xb_yaml_get(root, "debian-mirror") : NULL;
	if (!mirror)
		return 0;
	if (mirror->kind != XB_YAML_SCALAR)
		return xb_fail(err, XB_E_INPUT, "%s:%d:%d: 'debian-mirror' is no URL", path, mirror->at.line,
			       mirror->at.col);
	return add_users(urls, site, mirror->text.ptr, path, err);
}

int xb_mirror_list(const struct xb_archive_site *site, const struct xb_mirror_opts *opts, struct xb_arena *arena,
		   struct xb_list *out, struct xb_err *err)
{
	struct xb_list found = {0};
	struct urls urls = {arena, &found};

	if (add_flag(&urls, site, opts, err) < 0)
		return err->code;
	if (!opts->snapshot_only || !site->snapshot) { /* who has no snapshots is what it is now */
		if (opts->config_dir && add_config(&urls, site, opts->config_dir, err) < 0)
			return err->code;
		if (opts->apt_dir)
			xb_mirror_apt_sources(opts->apt_dir, site->name, arena, &found);
		for (size_t i = 0; i < site->mirrors.len; i++)
			add(&urls, xb_sv(site->mirrors.items[i]));
	}
	if (opts->snapshot && site->snapshot)
		add(&urls, xb_sv(xb_arena_printf(arena, "%s/%s", site->snapshot, opts->snapshot)));
	if (found.len == 0)
		return xb_fail(err, XB_E_INPUT, "no mirror is known for the archive '%s'", site->name);
	*out = found;
	return 0;
}
