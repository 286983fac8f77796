/* SPDX-License-Identifier: Apache-2.0 */
#include "sources.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

char *sources_path(const struct xb_project *project, const char *url)
{
	if (url[0] == '/')
		return xb_strdup(url);
	return xb_path_join(project->dir, url + strlen(XB_LOCAL_FILE));
}

/* ---- toolchain ---- */

static void join_archives(struct xb_arena *arena, struct xb_archive_refs *to, const struct xb_archive_refs *more)
{
	struct xb_archive_refs all = {xb_arena_array(arena, to->len + more->len + 1, sizeof(*all.items)), 0};

	for (size_t i = 0; i < to->len; i++)
		all.items[all.len++] = to->items[i];
	for (size_t i = 0; i < more->len; i++)
		if (!xb_archive_ref_find(to, more->items[i].owner))
			all.items[all.len++] = more->items[i];
	*to = all;
}

void sources_choose(struct xb_toolchain_desc *desc, enum xb_toolchain_source source)
{
	switch (source) {
	case XB_TOOLCHAIN_ANY:
		join_archives(&desc->arena, &desc->archives, &desc->minimal);
		return;
	case XB_TOOLCHAIN_MINIMAL:
		desc->archives = desc->minimal;
		desc->debian_hosts.len = 0;
		return;
	case XB_TOOLCHAIN_OFFICIAL:
	case XB_TOOLCHAIN_OWN:
		desc->debian_hosts.len = 0;
		return;
	}
}

static void own_toolchain(struct xb_app *app)
{
	const struct xb_project *p = app->project;
	struct xb_toolchain_desc *desc = xb_alloc(sizeof(*desc));

	desc->name = xb_arena_strdup(&desc->arena, p->toolchain);
	desc->version = xb_arena_strdup(&desc->arena, p->toolchain_version);
	desc->bin_dir = "bin";
	desc->archives = p->toolchain_archives;
	app->toolchain = desc;
}

static int load_toolchain(struct xb_app *app, struct xb_err *err)
{
	const struct xb_project *p = app->project;

	if (p->toolchain_source == XB_TOOLCHAIN_OWN)
		own_toolchain(app);
	else if (xb_toolchain_desc_load(app->data_dir, p->toolchain, &app->toolchain, &app->diags, err) < 0)
		return err->code;
	sources_choose(app->toolchain, p->toolchain_source);
	return 0;
}

/* ---- sysroot ---- */

static void own_sysroot(struct xb_app *app)
{
	const struct xb_project *p = app->project;
	struct xb_sysroot_desc *desc = xb_alloc(sizeof(*desc));

	desc->name = xb_arena_strdup(&desc->arena, p->sysroot);
	desc->support = "current";
	desc->drop = (struct xb_list){p->sysroot_drop.items, p->sysroot_drop.len};
	desc->archives = p->sysroot_archives;
	app->sysroot = desc;
}

/* Each target must have a tree of its own, or one that is for all. */
static void check_targets(struct xb_app *app)
{
	const struct xb_project *p = app->project;
	const struct xb_archive_refs *refs = &app->sysroot->archives;

	for (size_t i = 0; refs->len && i < p->n_targets; i++) {
		const char *target = p->targets[i].target->name;
		struct xb_diag *diag;

		if (xb_archive_ref_find(refs, target))
			continue;
		diag = xb_diags_add(&app->diags, p->at_sysroot, p->source, "sysroot: '%s' has nothing for target '%s'",
				    p->sysroot, target);
		xb_diags_help(&app->diags, diag,
			      p->sysroot_source == XB_SYSROOT_DATA ? "list fewer targets under 'targets:'"
								   : "add it, or list fewer targets under 'targets:'");
	}
	if (p->n_targets > 1 && refs->len && !refs->items[0].owner)
		xb_diags_help(&app->diags,
			      xb_diags_add(&app->diags, p->at_sysroot, p->source,
					   "sysroot: one tree cannot serve %zu targets", p->n_targets),
			      "write a map of targets, as in { %s: ... }", p->targets[0].target->name);
}

/* "backports" is "bookworm-backports" of the sysroot debian-bookworm. */
static struct xb_suite *find_extra(const struct xb_sysroot_desc *desc, const char *name)
{
	const char *release = strchr(desc->name, '-');
	char *full XB_CLEANUP(xb_free_ptr) = xb_printf("%s-%s", release ? release + 1 : desc->name, name);

	for (size_t i = 0; i < desc->debian.n_suites; i++) {
		struct xb_suite *suite = &desc->debian.suites[i];

		if (suite->extra && (strcmp(suite->id, name) == 0 || strcmp(suite->id, full) == 0))
			return suite;
	}
	return NULL;
}

static void refuse_suite(struct xb_app *app, const struct xb_project_suite *asked)
{
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};
	struct xb_diag *diag = xb_diags_add(&app->diags, asked->at, app->project->source,
					    "suites: '%s' has no further suite '%s'", app->sysroot->name, asked->name);

	for (size_t i = 0; i < app->sysroot->debian.n_suites; i++)
		if (app->sysroot->debian.suites[i].extra)
			xb_str_printf(&all, "%s%s", all.len ? ", " : "", app->sysroot->debian.suites[i].id);
	xb_diags_help(&app->diags, diag, "known here: %s; updates and security are always there",
		      all.len ? xb_str_get(&all) : "none");
}

/* Somebody else's repository is an archive of one suite with a key of its own. */
static void take_repository(struct xb_app *app, const struct xb_project_suite *asked, struct xb_debian *debian,
			    struct xb_suite *out)
{
	const struct xb_project *p = app->project;
	struct xb_arena *arena = &app->sysroot->arena;
	const char **urls = xb_arena_array(arena, 1, sizeof(*urls));
	char *key XB_CLEANUP(xb_free_ptr) = xb_path_join(p->dir, asked->key);

	for (size_t i = 0; i < debian->n_sites; i++)
		if (strcmp(debian->sites[i].name, asked->name) == 0)
			xb_diags_add(&app->diags, asked->at, p->source, "repositories: '%s' is the name of an archive",
				     asked->name);
	for (size_t i = 0; i < debian->n_suites; i++)
		if (strcmp(debian->suites[i].id, asked->name) == 0)
			xb_diags_add(&app->diags, asked->at, p->source, "repositories: '%s' is the name of a suite",
				     asked->name);
	if (!xb_fs_exists(key))
		xb_diags_help(
			&app->diags,
			xb_diags_add(&app->diags, asked->at, p->source, "repository '%s': there is no file '%s'",
				     asked->name, asked->key),
			"'key' is a file of the project with the OpenPGP certificate of who signs the repository");
	urls[0] = asked->url;
	debian->sites[debian->n_sites++] = (struct xb_archive_site){.name = asked->name, .mirrors = {urls, 1}};
	*out = (struct xb_suite){.id = asked->name,
				 .archive = asked->name,
				 .path = asked->suite,
				 .components = {asked->components.items, asked->components.len},
				 .key_file = xb_arena_strdup(arena, key),
				 .extra = true};
}

/* The suites of the data file but the further ones, then those of them that the project names, and its repositories. */
static void choose_suites(struct xb_app *app)
{
	const struct xb_project *p = app->project;
	struct xb_sysroot_desc *desc = app->sysroot;
	struct xb_debian chosen = desc->debian;

	chosen.suites = xb_arena_array(&desc->arena, desc->debian.n_suites + p->suites.len + 1, sizeof(*chosen.suites));
	chosen.sites = xb_arena_array(&desc->arena, desc->debian.n_sites + p->suites.len + 1, sizeof(*chosen.sites));
	chosen.n_suites = 0;
	for (size_t i = 0; i < desc->debian.n_sites; i++)
		chosen.sites[i] = desc->debian.sites[i];
	for (size_t i = 0; i < desc->debian.n_suites; i++)
		if (!desc->debian.suites[i].extra)
			chosen.suites[chosen.n_suites++] = desc->debian.suites[i];
	for (size_t i = 0; i < p->suites.len; i++) {
		struct xb_project_suite *asked = &p->suites.items[i];
		const struct xb_suite *extra;

		if (asked->url) {
			take_repository(app, asked, &chosen, &chosen.suites[chosen.n_suites]);
			chosen.n_suites++;
			continue;
		}
		extra = find_extra(desc, asked->name);
		if (!extra) {
			refuse_suite(app, asked);
			continue;
		}
		asked->name = extra->id; /* as the lock calls it */
		chosen.suites[chosen.n_suites++] = *extra;
	}
	desc->debian = chosen;
}

static int load_sysroot(struct xb_app *app, struct xb_err *err)
{
	const struct xb_project *p = app->project;
	const size_t before = app->diags.list.len;

	if (p->sysroot_source != XB_SYSROOT_DATA)
		own_sysroot(app);
	else if (xb_sysroot_desc_load(app->data_dir, p->sysroot, &app->sysroot, &app->diags, err) < 0)
		return err->code;
	check_targets(app);
	choose_suites(app);
	return app->diags.list.len > before ? xb_fail(err, XB_E_INPUT, "%s is not valid", p->file) : 0;
}

int sources_load(struct xb_app *app, struct xb_err *err)
{
	if (!app->toolchain && load_toolchain(app, err) < 0)
		return err->code;
	return app->sysroot ? 0 : load_sysroot(app, err);
}
