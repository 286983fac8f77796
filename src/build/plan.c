/* SPDX-License-Identifier: Apache-2.0 */
#include "planner.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/link.h"
#include "xbuild/sys/fs.h"

size_t plan_unit_index(const struct xb_project *project, const struct xb_unit *unit)
{
	for (size_t i = 0; i < project->n_units; i++)
		if (project->units[i] == unit)
			return i;
	return 0;
}

static bool applies(const struct xb_unit *unit, const struct xb_setup *setup)
{
	for (size_t i = 0; i < unit->targets.len; i++)
		if (!strcmp(unit->targets.items[i], setup->target->target->name))
			return true;
	return unit->targets.len == 0;
}

bool xb_plan_needs_tools(const struct xb_profile *profile, struct xb_unit *const *units, size_t n_units)
{
	for (size_t i = 0; i < n_units; i++)
		if (units[i]->kind == XB_UNIT_STATIC || units[i]->foreign || profile->debug == XB_DEBUG_SPLIT ||
		    xb_plan_needs_tools(profile, units[i]->deps, units[i]->n_deps))
			return true;
	return false;
}

/* The command is complete: what every action of the variant has in common gets its name. */
void plan_seal(struct xb_variant *variant)
{
	const struct xb_setup *setup = variant->setup;
	struct xb_digest command;
	struct xb_hasher h;

	xb_command_digest(&variant->command, &command);
	xb_hasher_init(&h);
	xb_hasher_update(&h, variant->tool, strlen(variant->tool) + 1);
	xb_hasher_update(&h, setup->tools->bin_dir, strlen(setup->tools->bin_dir) + 1);
	xb_hasher_update(&h, &command, sizeof(command));
	xb_hasher_update(&h, &setup->tools->digest, sizeof(setup->tools->digest));
	xb_hasher_update(&h, &setup->tools->extra_digest, variant->extra_tool ? sizeof(struct xb_digest) : 0);
	xb_hasher_update(&h, &setup->sysroot->digest, sizeof(setup->sysroot->digest));
	xb_hasher_final(&h, &variant->fingerprint);
}

struct xb_variant *plan_variant(struct planner *p, const struct xb_unit *unit, enum xb_action_kind kind,
				const char *tool)
{
	struct xb_variant *variant = xb_arena_alloc(p->arena, sizeof(*variant));

	variant->setup = p->setup;
	variant->unit = unit;
	variant->kind = kind;
	variant->tool = tool;
	variant->extra_tool = kind == XB_ACTION_AR || kind == XB_ACTION_DEBUG || kind == XB_ACTION_STRIP;
	variant->has_depfile =
		kind == XB_ACTION_CC || kind == XB_ACTION_CXX || kind == XB_ACTION_CPP || kind == XB_ACTION_LINK;
	xb_command_init(&variant->command, p->arena);
	return variant;
}

struct xb_action *plan_action(struct planner *p, const struct xb_variant *variant, const char *source,
			      const char *output)
{
	struct xb_action *action = xb_arena_alloc(p->arena, sizeof(*action));

	action->variant = variant;
	action->source = source;
	action->output = output;
	XB_VEC_PUSH(&p->actions, action);
	return action;
}

void plan_inputs(struct planner *p, struct xb_action *action, struct xb_action *const *inputs, size_t n)
{
	action->inputs = xb_arena_array(p->arena, n, sizeof(*action->inputs));
	if (n)
		memcpy(action->inputs, inputs, n * sizeof(*inputs));
	action->n_inputs = n;
}

static int language_variant(struct planner *p, const struct xb_unit *unit, enum xb_language language,
			    struct xb_variant **out, struct xb_err *err)
{
	static const enum xb_action_kind kinds[] = {XB_ACTION_CC, XB_ACTION_CXX, XB_ACTION_AS, XB_ACTION_CPP};
	struct xb_variant *variant = plan_variant(p, unit, kinds[language], "clang");

	if (xb_compile_command(p->setup, unit, language, p->pkgconfig, &variant->command, err) < 0)
		return err->code;
	xb_include_dirs(unit, p->arena, &variant->search);
	plan_seal(variant);
	*out = variant;
	return 0;
}

int plan_report(struct planner *p, const struct xb_place *at, struct xb_err *err, const char *message)
{
	if (at && at->file)
		xb_diags_add(p->diags, *at, p->project->source, "%s", message);
	return xb_fail(err, XB_E_INPUT, "%s%s", xb_place_text(at, p->arena), message);
}

/* Patterns like "src/" + "**" also meet headers; they are no sources of their own. */
static bool is_header(const char *path)
{
	static const char *const exts[] = {".h",   ".hh",  ".hpp", ".hxx", ".h++", ".H",
					   ".inc", ".inl", ".ipp", ".tcc", ".def"};
	const struct xb_sv ext = xb_path_ext(xb_sv(path));

	for (size_t i = 0; i < XB_COUNT(exts); i++)
		if (xb_sv_eq_str(ext, exts[i]))
			return true;
	return false;
}

/* The commands of a unit, made when the first source of a language is met. */
struct compiles {
	const struct xb_unit *unit;
	const char *dir; /* of the objects */
	struct xb_variant *variants[XB_N_LANGUAGES];
	XB_VEC(struct xb_action *) objects;
	struct plan_needs needs; /* units of other build systems */
};

static int plan_source(struct planner *p, struct compiles *c, const char *source, enum xb_language language,
		       struct xb_err *err)
{
	struct xb_action *action, *preprocess = NULL;

	if (!c->variants[language] && language_variant(p, c->unit, language, &c->variants[language], err) < 0)
		return err->code;
	if (language == XB_LANG_ASM_CPP) {
		/*
		 * Two actions instead of one: for two steps the driver would start itself again, by a path that leaves
		 * out the loader.
		 */
		preprocess = plan_action(p, c->variants[language], source,
					 xb_arena_printf(p->arena, "%s/%s.s", c->dir, source));
		if (!c->variants[XB_LANG_ASM] &&
		    language_variant(p, c->unit, XB_LANG_ASM, &c->variants[XB_LANG_ASM], err) < 0)
			return err->code;
		language = XB_LANG_ASM;
	}
	action = plan_action(p, c->variants[language], preprocess ? preprocess->output : source,
			     xb_arena_printf(p->arena, "%s/%s.o", c->dir, source));
	if (preprocess) {
		action->source_is_made = true;
		plan_compile_inputs(p, preprocess, NULL, &c->needs);
	}
	plan_compile_inputs(p, action, preprocess, &c->needs);
	XB_VEC_PUSH(&c->objects, action);
	return 0;
}

static int plan_compiles(struct planner *p, struct compiles *c, bool *out_cxx, struct xb_err *err)
{
	struct xb_source_list list;

	if (plan_find_sources(p, c->unit, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		enum xb_language language;

		if (!xb_language_of(list.paths[i], &language)) {
			if (is_header(list.paths[i]))
				continue;
			return plan_report(p, &c->unit->at, err,
					   xb_arena_printf(p->arena,
							   "unit '%s': source '%s' is neither C, C++ nor assembler",
							   c->unit->name, list.paths[i]));
		}
		if (language == XB_LANG_CXX && p->setup->target->target->libc == XB_LIBC_MUSL)
			return plan_report(
				p, &c->unit->at, err,
				xb_arena_printf(p->arena,
						"unit '%s': source '%s' is C++, and Debian has no C++ library "
						"for %s: list other targets under the unit's 'targets:'",
						c->unit->name, list.paths[i], p->setup->target->target->name));
		*out_cxx = *out_cxx || language == XB_LANG_CXX;
		if (plan_source(p, c, list.paths[i], language, err) < 0)
			return err->code;
	}
	if (!c->objects.len)
		return plan_report(p, &c->unit->at, err,
				   xb_arena_printf(p->arena, "unit '%s' has no sources", c->unit->name));
	return 0;
}

/* Libraries behind a unit. Static ones in reverse: what is needed stands before who needs it. */
struct libraries {
	XB_VEC(const struct xb_product *) archives, shared;
};

static bool has_product(const struct xb_product *const *items, size_t n, const struct xb_product *product)
{
	for (size_t i = 0; i < n; i++)
		if (items[i] == product)
			return true;
	return false;
}

static void gather_libraries(struct planner *p, const struct xb_unit *unit, struct libraries *l)
{
	for (size_t i = unit->n_deps; i-- > 0;) {
		const struct xb_unit *dep = unit->deps[i];
		const struct xb_product *product =
			&p->products.items[p->product_of[plan_unit_index(p->project, dep)] - 1];

		if (dep->foreign) {
			gather_libraries(p, dep, l);
		} else if (dep->kind == XB_UNIT_SHARED) {
			if (!has_product(l->shared.items, l->shared.len, product))
				XB_VEC_PUSH(&l->shared, product);
		} else if (dep->kind == XB_UNIT_STATIC && !has_product(l->archives.items, l->archives.len, product)) {
			gather_libraries(p, dep, l);
			if (!has_product(l->archives.items, l->archives.len, product))
				XB_VEC_PUSH(&l->archives, product);
		}
	}
}

static const char *out_path(struct planner *p, const struct xb_unit *unit, const char *suffix)
{
	return xb_arena_printf(p->arena, "out/%s/%s%s", p->setup->target->target->name, unit->output_name, suffix);
}

static void plan_archive(struct planner *p, const struct compiles *c, struct xb_product *product)
{
	struct xb_variant *variant = plan_variant(p, c->unit, XB_ACTION_AR, "llvm-ar");

	xb_archive_command(&variant->command);
	plan_seal(variant);
	product->action = plan_action(p, variant, NULL, out_path(p, c->unit, ""));
	product->action->is_final = true;
	plan_inputs(p, product->action, c->objects.items, c->objects.len);
}

/* link gives a file with everything in it; from that the debug file and the program are made. */
static void plan_split(struct planner *p, const struct xb_unit *unit, struct xb_action *link,
		       struct xb_product *product)
{
	struct xb_variant *debug = plan_variant(p, unit, XB_ACTION_DEBUG, "llvm-objcopy");
	struct xb_variant *strip = plan_variant(p, unit, XB_ACTION_STRIP, "llvm-objcopy");
	const char *debug_path = out_path(p, unit, ".debug");

	xb_debug_command(link->output, &debug->command);
	plan_seal(debug);
	product->debug = plan_action(p, debug, NULL, debug_path);
	product->debug->is_final = true;
	plan_inputs(p, product->debug, &link, 1);

	xb_strip_command(link->output, debug_path, p->setup->profile->strip, &strip->command);
	plan_seal(strip);
	product->action = plan_action(p, strip, NULL, out_path(p, unit, ""));
	product->action->is_final = product->action->executable = true;
	plan_inputs(p, product->action, (struct xb_action *[]){link, product->debug}, 2);
}

static int plan_link(struct planner *p, const struct compiles *c, struct xb_product *product, struct xb_err *err)
{
	const bool split = p->setup->profile->debug == XB_DEBUG_SPLIT;
	struct xb_variant *variant = plan_variant(p, c->unit, XB_ACTION_LINK, "ld.lld");
	XB_VEC(struct xb_action *) inputs = {0};
	struct libraries l = {0};
	struct xb_action *link;
	int rc;

	for (size_t i = 0; i < c->objects.len; i++)
		XB_VEC_PUSH(&inputs, c->objects.items[i]);
	gather_libraries(p, c->unit, &l);
	for (size_t i = l.archives.len; i-- > 0;) {
		XB_VEC_PUSH(&inputs, l.archives.items[i]->action);
		product->has_cxx = product->has_cxx || l.archives.items[i]->has_cxx;
	}
	for (size_t i = l.shared.len; i-- > 0;)
		XB_VEC_PUSH(&inputs, l.shared.items[i]->action);
	for (size_t i = 0; i < c->needs.n_libraries; i++)
		XB_VEC_PUSH(&inputs, c->needs.libraries[i]);
	for (size_t i = 0; i < c->needs.n_stages; i++)
		XB_VEC_PUSH(&inputs, c->needs.stages[i]);
	XB_VEC_RELEASE(&l.archives);
	XB_VEC_RELEASE(&l.shared);
	rc = xb_link_command(p->setup, c->unit, product->has_cxx, p->setup->profile->strip && !split, p->pkgconfig,
			     &variant->command, err);
	if (rc == 0) {
		plan_seal(variant);
		link = plan_action(p, variant, NULL,
				   split ? xb_arena_printf(p->arena, "%s@link/%s", c->dir, c->unit->output_name)
					 : out_path(p, c->unit, ""));
		link->executable = true;
		link->is_final = !split;
		plan_inputs(p, link, inputs.items, inputs.len);
		product->action = link;
		if (split)
			plan_split(p, c->unit, link, product);
	}
	XB_VEC_RELEASE(&inputs);
	return rc;
}

static int plan_unit(struct planner *p, struct xb_unit *unit, struct xb_err *err)
{
	const size_t index = plan_unit_index(p->project, unit);
	struct compiles c = {.unit = unit};
	struct xb_product product = {.unit = unit, .setup = p->setup};
	int rc = 0;

	if (p->product_of[index])
		return 0;
	p->product_of[index] = SIZE_MAX;
	for (size_t i = 0; i < unit->n_deps; i++) {
		if (!applies(unit->deps[i], p->setup))
			return plan_report(p, &unit->at, err,
					   xb_arena_printf(p->arena, "unit '%s' needs '%s', which is not built for %s",
							   unit->name, unit->deps[i]->name,
							   p->setup->target->target->name));
		if (plan_unit(p, unit->deps[i], err) < 0)
			return err->code;
	}
	if (unit->foreign)
		return plan_foreign(p, unit, index, err);
	plan_gather_needs(p, unit, &c.needs);
	c.dir = xb_arena_printf(p->arena, ".xbuild/obj/%s/%s/%s", p->setup->target->target->name,
				p->setup->profile->name, unit->name);
	rc = plan_compiles(p, &c, &product.has_cxx, err);
	if (rc == 0)
		rc = plan_stdlib(p, unit, product.has_cxx, err);
	if (rc == 0 && unit->kind == XB_UNIT_STATIC)
		plan_archive(p, &c, &product);
	else if (rc == 0)
		rc = plan_link(p, &c, &product, err);
	XB_VEC_RELEASE(&c.objects);
	if (rc == 0) {
		XB_VEC_PUSH(&p->products, product);
		p->product_of[index] = p->products.len;
	}
	return rc;
}

/* Products of the current setup so far stand in the order of planning: put them in that of the file. */
static int plan_setup(struct planner *p, const struct xb_setup *setup, struct xb_err *err)
{
	const size_t n_units = p->project->n_units, before = p->products.len;
	struct xb_product *ordered;
	size_t n = 0;

	p->setup = setup;
	p->product_of = xb_arena_array(p->arena, n_units, sizeof(*p->product_of));
	p->pkgconfig = xb_pkgconfig_open(setup->sysroot, p->arena);
	if (setup == p->request->tools_setup && plan_host_tools(p, plan_unit, err) < 0)
		return err->code;
	for (size_t i = 0; i < p->request->n_units && !setup->tools_only; i++)
		if (applies(p->request->units[i], setup) && plan_unit(p, p->request->units[i], err) < 0)
			return err->code;
	for (size_t i = 0; i < p->request->n_units && !setup->tools_only; i++) {
		const size_t product = p->product_of[plan_unit_index(p->project, p->request->units[i])];

		if (product)
			p->products.items[product - 1].requested = true;
	}
	ordered = xb_arena_array(p->arena, p->products.len - before, sizeof(*ordered));
	for (size_t i = 0; i < n_units; i++)
		if (p->product_of[i])
			ordered[n++] = p->products.items[p->product_of[i] - 1];
	if (n)
		memcpy(p->products.items + before, ordered, n * sizeof(*ordered));
	return 0;
}

/* Fills users from inputs: counted first, so that each list is allocated once. */
static void connect_users(struct xb_graph *graph)
{
	for (size_t i = 0; i < graph->n_actions; i++)
		for (size_t k = 0; k < graph->actions[i]->n_inputs; k++)
			graph->actions[i]->inputs[k]->n_users++;
	for (size_t i = 0; i < graph->n_actions; i++) {
		struct xb_action *action = graph->actions[i];

		action->users = xb_arena_array(&graph->arena, action->n_users, sizeof(*action->users));
		action->n_users = 0;
		for (size_t k = 0; k < action->n_inputs; k++) {
			struct xb_action *input = action->inputs[k];

			input->users[input->n_users++] = action;
		}
	}
}

static void finish(struct planner *p)
{
	struct xb_graph *graph = p->graph;

	graph->n_actions = p->actions.len;
	graph->actions = xb_arena_array(p->arena, p->actions.len, sizeof(*graph->actions));
	if (p->actions.len)
		memcpy(graph->actions, p->actions.items, p->actions.len * sizeof(*graph->actions));
	graph->n_products = p->products.len;
	graph->products = xb_arena_array(p->arena, p->products.len, sizeof(*graph->products));
	if (p->products.len)
		memcpy(graph->products, p->products.items, p->products.len * sizeof(*graph->products));
	connect_users(graph);
}

int xb_plan(const struct xb_plan_request *request, struct xb_graph **out, struct xb_diags *diags, struct xb_err *err)
{
	struct planner p = {.request = request, .diags = diags};
	int rc = 0;

	p.graph = xb_alloc(sizeof(*p.graph));
	p.arena = &p.graph->arena;
	for (size_t i = 0; rc == 0 && i < request->n_setups; i++) {
		p.project = request->setups[i].project;
		if (!p.sources)
			p.sources = xb_sources_open(p.project->dir);
		rc = plan_setup(&p, &request->setups[i], err);
		xb_pkgconfig_free(p.pkgconfig);
		p.pkgconfig = NULL;
	}
	if (rc == 0) {
		finish(&p);
		*out = p.graph;
	} else {
		xb_graph_free(p.graph);
	}
	xb_sources_free(p.sources);
	XB_VEC_RELEASE(&p.actions);
	XB_VEC_RELEASE(&p.products);
	return rc;
}
