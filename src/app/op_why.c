/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_why.h"

#include <stdlib.h>
#include <string.h>

#include "lock_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"

#define MAX_CHAINS 20 /* of one list; a diamond of diamonds has more than anybody reads */
#define FAR	   SIZE_MAX

/* A package of a list, of Debian or apk. */
struct node {
	const char *name, *version;
	const char *const *depends;
	size_t n_depends;
	const char *asked_by; /* what names it; NULL: it is only a dependency */
	size_t distance;      /* steps to the package that is asked about; FAR: it does not lead there */
};

/* One list of the lock. */
struct graph {
	const char *where; /* "sysroot of linux-aarch64" */
	struct node *nodes;
	size_t len;
	struct xb_map by_name; /* -> node */
};

/* All that is told of one list; lists with the same text are told together. */
struct answer {
	const char *where, *text;
};

struct why {
	struct xb_app *app;
	const char *name;
	struct xb_arena arena;
	XB_VEC(struct answer) answers;
	XB_VEC(const char *) names; /* of all packages, for a hint */
};

static void release_why(struct why *why)
{
	XB_VEC_RELEASE(&why->answers);
	XB_VEC_RELEASE(&why->names);
	xb_arena_release(&why->arena);
}

/* ---- lists as graphs ---- */

static void add_node(struct graph *g, const char *name, const char *version, const char *const *depends,
		     size_t n_depends)
{
	struct node *node = &g->nodes[g->len++];

	*node = (struct node){name, version, depends, n_depends, NULL, FAR};
	xb_map_put_str(&g->by_name, name, node);
}

static void add_packages(struct graph *g, const struct xb_lock_packages *packages)
{
	for (size_t i = 0; i < packages->len; i++)
		add_node(g, packages->items[i].name, packages->items[i].version, packages->items[i].depends,
			 packages->items[i].n_depends);
}

static void ask(struct graph *g, const char *name, const char *by)
{
	struct node *node = xb_map_get_str(&g->by_name, name);

	if (node && !node->asked_by)
		node->asked_by = by;
}

static void ask_list(struct graph *g, const struct xb_list *names, const char *by)
{
	for (size_t i = 0; i < names->len; i++)
		ask(g, names->items[i], by);
}

static void ask_words(struct why *why, struct graph *g, const struct xb_words *words)
{
	for (size_t i = 0; i < words->len; i++)
		ask(g, words->items[i],
		    xb_arena_printf(&why->arena, "%s:%d", why->app->project->file, words->at[i].line));
}

/* What nothing in the list depends on is there because it was asked for, or by a name that it provides. */
static void ask_for_tops(struct graph *g, const char *by)
{
	struct xb_map needed XB_CLEANUP(xb_map_release) = {0};

	for (size_t i = 0; i < g->len; i++)
		for (size_t k = 0; k < g->nodes[i].n_depends; k++)
			if (strcmp(g->nodes[i].depends[k], g->nodes[i].name) != 0)
				xb_map_put_str(&needed, g->nodes[i].depends[k], g);
	for (size_t i = 0; i < g->len; i++)
		if (!g->nodes[i].asked_by && !xb_map_has(&needed, xb_sv(g->nodes[i].name)))
			g->nodes[i].asked_by = by;
}

/* ---- chains ---- */

/* Lists are a few hundred packages and chains a few steps, so plain rounds over all are quick enough. */
static void measure(struct graph *g, struct node *to)
{
	bool moved = true;

	to->distance = 0;
	for (size_t step = 1; moved; step++) {
		moved = false;
		for (size_t i = 0; i < g->len; i++) {
			struct node *from = &g->nodes[i];

			for (size_t k = 0; from->distance == FAR && k < from->n_depends; k++) {
				const struct node *next = xb_map_get_str(&g->by_name, from->depends[k]);

				if (next && next->distance == step - 1)
					from->distance = step;
			}
			moved = moved || from->distance == step;
		}
	}
}

/* Every way down from `from`; each step comes one nearer. */
static void tell_chains(const struct graph *g, const struct node *from, const char *so_far, size_t *n_told,
			struct xb_str *out)
{
	char *chain XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s%s", so_far, *so_far ? " > " : "", from->name);

	if (from->distance == 0) {
		if ((*n_told)++ < MAX_CHAINS)
			xb_str_printf(out, "  %s\n", chain);
		return;
	}
	for (size_t i = 0; i < from->n_depends && *n_told <= MAX_CHAINS; i++) {
		const struct node *next = xb_map_get_str(&g->by_name, from->depends[i]);

		if (next && next->distance == from->distance - 1)
			tell_chains(g, next, chain, n_told, out);
	}
}

/* From the packages that are asked for and nearest; one that is asked for itself needs no chain. */
static void answer_for(struct why *why, struct graph *g)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct node *node = xb_map_get_str(&g->by_name, why->name);
	size_t nearest = FAR, n_told = 0;

	for (size_t i = 0; i < g->len; i++)
		XB_VEC_PUSH(&why->names, g->nodes[i].name);
	if (!node)
		return;
	measure(g, node);
	for (size_t i = 0; i < g->len; i++)
		if (g->nodes[i].asked_by && g->nodes[i].distance < nearest)
			nearest = g->nodes[i].distance;
	xb_str_printf(&text, "%s %s\n", node->name, node->version);
	for (size_t i = 0; i < g->len; i++) {
		const struct node *top = &g->nodes[i];

		if (!top->asked_by || top->distance != nearest)
			continue;
		char *by XB_CLEANUP(xb_free_ptr) = xb_printf("(%s)", top->asked_by);

		tell_chains(g, top, by, &n_told, &text);
	}
	if (n_told > MAX_CHAINS)
		xb_str_append(&text, "  and more of this length\n");
	if (!n_told)
		xb_str_append(&text, "  nothing that is asked for leads to it\n");
	XB_VEC_PUSH(&why->answers, ((struct answer){g->where, xb_arena_strdup(&why->arena, text.data)}));
}

static void start_graph(struct why *why, struct graph *g, size_t n_nodes, const char *where)
{
	*g = (struct graph){.where = where, .nodes = xb_arena_array(&why->arena, n_nodes + 1, sizeof(*g->nodes))};
}

static void end_graph(struct why *why, struct graph *g)
{
	answer_for(why, g);
	xb_map_release(&g->by_name);
}

/* ---- the lists of a lock ---- */

static void look_at_toolchain(struct why *why, const struct xb_lock_toolchain *t)
{
	const struct xb_toolchain_desc *desc = why->app->toolchain;
	const char *by = xb_arena_printf(&why->arena, "toolchain %s", t->name);
	struct graph g;

	start_graph(why, &g, t->packages.len + t->tools.len, xb_arena_printf(&why->arena, "toolchain of %s", t->host));
	add_packages(&g, &t->packages);
	add_packages(&g, &t->tools);
	ask_list(&g, &desc->packages, by);
	ask_list(&g, &desc->tools_packages, by);
	end_graph(why, &g);
}

static void look_at_sysroot(struct why *why, const struct xb_lock_sysroot *s)
{
	struct graph g;

	start_graph(why, &g, s->packages.len, xb_arena_printf(&why->arena, "sysroot of %s", s->target));
	add_packages(&g, &s->packages);
	ask_words(why, &g, &why->app->project->packages);
	ask_list(&g, &why->app->sysroot->packages, xb_arena_printf(&why->arena, "sysroot %s", s->name));
	end_graph(why, &g);
}

static void look_at_image(struct why *why, const struct xb_lock_image *i)
{
	const struct xb_image *image = xb_project_image(why->app->project, xb_sv(i->image));
	struct graph g;

	start_graph(why, &g, i->packages.len, xb_arena_printf(&why->arena, "image %s, %s", i->image, i->target));
	add_packages(&g, &i->packages);
	if (image) {
		ask_words(why, &g, &image->packages);
		ask_words(why, &g, &image->base_packages);
	}
	ask_for_tops(&g, image && image->base_name ? xb_arena_printf(&why->arena, "base %s", image->base_name)
						   : xb_arena_printf(&why->arena, "image %s", i->image));
	end_graph(why, &g);
}

static void look_at_rust_list(struct why *why, const struct xb_lock_packages *list, const struct xb_list *asked,
			      const char *where)
{
	struct graph g;

	start_graph(why, &g, list->len, where);
	add_packages(&g, list);
	if (asked)
		ask_list(&g, asked, xb_arena_printf(&why->arena, "toolchain %s", why->app->project->rust));
	else
		ask_words(why, &g, &why->app->project->crates);
	end_graph(why, &g);
}

static void look_at_rust(struct why *why, const struct xb_lock_rust *rust)
{
	const struct xb_rust_desc *desc = why->app->rust;

	for (size_t i = 0; desc && i < rust->n_hosts; i++)
		look_at_rust_list(why, &rust->hosts[i].packages, &desc->packages,
				  xb_arena_printf(&why->arena, "rust of %s", rust->hosts[i].name));
	for (size_t i = 0; desc && i < rust->n_std; i++)
		look_at_rust_list(why, &rust->std[i].packages, &desc->std_packages,
				  xb_arena_printf(&why->arena, "rust std of %s", rust->std[i].name));
	look_at_rust_list(why, &rust->crates.packages, NULL, "crates");
}

/* What install_if brought in was asked for by nobody. */
static void add_apk(struct why *why, struct graph *g, const struct xb_lock_apk *apk)
{
	struct xb_str by XB_CLEANUP(xb_str_release) = {0};

	add_node(g, apk->name, apk->version, apk->depends, apk->n_depends);
	for (size_t i = 0; i < apk->n_install_if; i++)
		xb_str_printf(&by, "%s%s", i ? ", " : "install_if: ", apk->install_if[i]);
	if (apk->n_install_if)
		ask(g, apk->name, xb_arena_strdup(&why->arena, xb_str_get(&by)));
}

/* What names the packages that nothing depends on. A lock of apko tells no dependencies, and older locks have none of it. */
static const char *apko_source(struct why *why, const struct xb_lock_apko *apko)
{
	const struct xb_project *p = why->app->project;
	bool has_depends = false;

	for (size_t i = 0; i < apko->n_packages; i++)
		has_depends = has_depends || apko->packages[i].n_depends;
	for (size_t i = 0; i < p->n_images && !has_depends; i++) {
		if (p->images[i].apko && p->images[i].apko_lock && strcmp(p->images[i].apko, apko->path) == 0)
			return xb_arena_printf(&why->arena, "%s, which tells no dependencies", p->images[i].apko_lock);
	}
	return apko->path;
}

/* Packages of one architecture follow each other. */
static void look_at_apko(struct why *why, const struct xb_lock_apko *apko)
{
	for (size_t begin = 0, end; begin < apko->n_packages; begin = end) {
		const char *arch = apko->packages[begin].arch;
		struct graph g;

		for (end = begin; end < apko->n_packages && strcmp(apko->packages[end].arch, arch) == 0; end++)
			;
		start_graph(why, &g, end - begin, xb_arena_printf(&why->arena, "%s, %s", apko->path, arch));
		for (size_t i = begin; i < end; i++)
			add_apk(why, &g, &apko->packages[i]);
		ask_for_tops(&g, apko_source(why, apko));
		end_graph(why, &g);
	}
}

/* ---- the whole ---- */

/* "sysroot of linux-aarch64; sysroot of linux-x86_64: libc6 2.36" and the chains. */
static void tell_answers(const struct why *why, struct xb_str *out)
{
	for (size_t i = 0; i < why->answers.len; i++) {
		const struct answer *a = &why->answers.items[i];
		bool told = false;

		for (size_t k = 0; k < i; k++)
			told = told || strcmp(why->answers.items[k].text, a->text) == 0;
		if (told)
			continue;
		xb_str_append(out, a->where);
		for (size_t k = i + 1; k < why->answers.len; k++)
			if (strcmp(why->answers.items[k].text, a->text) == 0)
				xb_str_printf(out, "; %s", why->answers.items[k].where);
		xb_str_printf(out, ": %s", a->text);
	}
}

int xb_op_why(struct xb_app *app, const char *name, struct xb_str *out, struct xb_err *err)
{
	struct why why XB_CLEANUP(release_why) = {.app = app, .name = name};
	struct xb_lock *lock = NULL;

	if (lock_need_all(app, err) < 0 || lock_read_before(app, &lock, err) < 0)
		return err->code;
	if (!lock) {
		xb_fail(err, XB_E_LOCK, "there is no %s", XB_LOCK_NAME);
		return xb_hint(err, "make it with 'xbuild lock'");
	}
	for (size_t i = 0; i < lock->n_toolchains; i++)
		look_at_toolchain(&why, &lock->toolchains[i]);
	for (size_t i = 0; i < lock->n_sysroots; i++)
		look_at_sysroot(&why, &lock->sysroots[i]);
	if (lock->rust)
		look_at_rust(&why, lock->rust);
	for (size_t i = 0; i < lock->n_images; i++)
		look_at_image(&why, &lock->images[i]);
	for (size_t i = 0; i < lock->n_apkos; i++)
		look_at_apko(&why, &lock->apkos[i]);
	tell_answers(&why, out);
	if (!why.answers.len) {
		XB_VEC_PUSH(&why.names, NULL);
		const char *like = xb_sv_suggest(xb_sv(name), why.names.items);

		xb_fail(err, XB_E_USAGE, "package '%s' is not in %s", name, XB_LOCK_NAME);
		if (like)
			xb_hint(err, "did you mean '%s'?", like);
	}
	xb_lock_free(lock);
	return err->code;
}
