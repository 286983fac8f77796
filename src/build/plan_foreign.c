/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "planner.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"

static const struct xb_product *product_of(const struct planner *p, const struct xb_unit *unit)
{
	return &p->products.items[p->product_of[plan_unit_index(p->project, unit)] - 1];
}

static bool is_library(const char *output)
{
	const struct xb_sv name = xb_sv(xb_output_file_name(output));

	return xb_sv_starts(name, "lib") &&
	       (xb_sv_ends(name, ".a") || xb_sv_ends(name, ".so") || strstr(name.ptr, ".so."));
}

void plan_gather_needs(struct planner *p, const struct xb_unit *unit, struct plan_needs *out)
{
	struct xb_unit_list needs;
	size_t n = 0;

	xb_foreign_needs(unit, p->arena, &needs);
	for (size_t i = 0; i < needs.len; i++)
		n += needs.items[i]->outputs.len;
	out->stages = xb_arena_array(p->arena, needs.len, sizeof(struct xb_action *));
	out->libraries = xb_arena_array(p->arena, n, sizeof(struct xb_action *));
	for (size_t i = needs.len; i-- > 0;) {
		const struct xb_unit *need = needs.items[i];
		const struct xb_product *product;

		if (!need->foreign)
			continue;
		product = product_of(p, need);
		out->stages[out->n_stages++] = product->foreign;
		for (size_t k = 0; k < need->outputs.len; k++) {
			if (is_library(need->outputs.items[k]))
				out->libraries[out->n_libraries++] = product->takes[k];
		}
	}
}

void plan_compile_inputs(struct planner *p, struct xb_action *action, struct xb_action *first,
			 const struct plan_needs *needs)
{
	struct xb_action **inputs = xb_arena_array(p->arena, needs->n_stages + 1, sizeof(struct xb_action *));
	size_t n = 0;

	if (first)
		inputs[n++] = first;
	for (size_t i = 0; i < needs->n_stages; i++)
		inputs[n++] = needs->stages[i];
	plan_inputs(p, action, inputs, n);
}

static int list_inputs(struct planner *p, const struct xb_unit *unit, size_t index, const struct xb_foreign_files **out,
		       struct xb_err *err)
{
	struct plan_listing *listing;

	if (!p->listings)
		p->listings = xb_arena_array(p->arena, p->project->n_units, sizeof(*p->listings));
	listing = &p->listings[index];
	*out = &listing->inputs;
	if (listing->known)
		return 0;
	if (xb_foreign_inputs(p->project->dir, unit, p->arena, &listing->inputs, err) < 0)
		return plan_report(p, &unit->foreign->at, err, xb_arena_strdup(p->arena, err->msg));
	listing->known = true;
	return 0;
}

static const struct xb_product *find_tool(const struct planner *p, const struct xb_unit *unit)
{
	for (size_t i = 0; i < p->products.len; i++) {
		if (p->products.items[i].unit == unit && p->products.items[i].setup == p->request->tools_setup)
			return &p->products.items[i];
	}
	return NULL;
}

static void set_foreign_inputs(struct planner *p, const struct xb_unit *unit, struct xb_action *action)
{
	struct xb_action **inputs;
	struct xb_unit_list needs;
	size_t n = 0;

	xb_foreign_needs(unit, p->arena, &needs);
	inputs = xb_arena_array(p->arena, needs.len + unit->n_host_tools, sizeof(struct xb_action *));
	for (size_t i = 0; i < needs.len; i++) {
		const struct xb_product *product = product_of(p, needs.items[i]);

		inputs[n++] = product->foreign ? product->foreign : product->action;
	}
	for (size_t i = 0; i < unit->n_host_tools; i++) {
		const struct xb_product *tool = find_tool(p, unit->host_tools[i]);

		if (tool)
			inputs[n++] = tool->foreign ? tool->foreign : tool->action;
	}
	plan_inputs(p, action, inputs, n);
}

static int plan_run(struct planner *p, const struct xb_unit *unit, size_t index, struct xb_product *product,
		    struct xb_err *err)
{
	struct xb_variant *variant = plan_variant(p, unit, XB_ACTION_FOREIGN, "drive");
	const struct xb_driver *driver = xb_driver_find(unit->driver);
	struct xb_foreign resolved;
	const char *const *programs;
	const struct xb_foreign_files *inputs;
	struct xb_dirs deps = {0}, tools = {0};
	char hex[XB_DIGEST_HEX];

	if (!driver)
		return plan_report(
			p, &unit->foreign->at, err,
			xb_arena_printf(p->arena, "driver '%s' is not built yet", xb_driver_key(unit->driver)));
	if (list_inputs(p, unit, index, &inputs, err) < 0 ||
	    xb_foreign_programs(unit, driver, p->arena, &programs, err) < 0 ||
	    xb_foreign_resolve(p->setup, unit, NULL, p->arena, &resolved, err) < 0)
		return err->code;
	xb_foreign_words(p->setup, unit, &resolved, &variant->command);
	xb_command_word(&variant->command, xb_arena_strdup(p->arena, xb_digest_hex(&inputs->names, hex)));
	plan_seal(variant);
	product->foreign = plan_action(p, variant, NULL, xb_foreign_manifest(p->setup, unit, p->arena));
	for (size_t i = 0; i < inputs->files.len; i++)
		xb_dirs_add(&deps, p->arena, inputs->files.items[i]);
	xb_foreign_tools(unit, &resolved, programs, p->setup->target->target, p->arena, &tools);
	for (size_t i = 0; i < tools.len; i++)
		xb_dirs_add(&deps, p->arena, tools.items[i]);
	product->foreign->names = &inputs->names;
	product->foreign->deps = deps.items;
	product->foreign->n_deps = deps.len;
	set_foreign_inputs(p, unit, product->foreign);
	return 0;
}

static void plan_take(struct planner *p, const struct xb_unit *unit, const char *output, struct xb_product *product,
		      struct xb_action **out)
{
	struct xb_variant *variant = plan_variant(p, unit, XB_ACTION_TAKE, "take");

	xb_command_word(&variant->command, output);
	plan_seal(variant);
	*out = plan_action(
		p, variant, NULL,
		xb_arena_printf(p->arena, "out/%s/%s", p->setup->target->target->name, xb_output_file_name(output)));
	(*out)->is_final = true;
	(*out)->take = xb_arena_printf(p->arena, "usr/%s", output);
	plan_inputs(p, *out, &product->foreign, 1);
}

int plan_foreign(struct planner *p, const struct xb_unit *unit, size_t index, struct xb_err *err)
{
	struct xb_product product = {.unit = unit, .setup = p->setup};

	if (plan_run(p, unit, index, &product, err) < 0)
		return err->code;
	product.takes = xb_arena_array(p->arena, unit->outputs.len, sizeof(struct xb_action *));
	for (size_t i = 0; i < unit->outputs.len; i++)
		plan_take(p, unit, unit->outputs.items[i], &product, &product.takes[i]);
	product.action = unit->outputs.len ? product.takes[0] : product.foreign;
	XB_VEC_PUSH(&p->products, product);
	p->product_of[index] = p->products.len;
	return 0;
}

bool xb_plan_has_host_tools(struct xb_unit *const *units, size_t n_units)
{
	for (size_t i = 0; i < n_units; i++) {
		if (units[i]->n_host_tools || xb_plan_has_host_tools(units[i]->deps, units[i]->n_deps))
			return true;
	}
	return false;
}

static int plan_tools_of(struct planner *p, struct xb_unit *const *units, size_t n_units,
			 int (*plan_unit)(struct planner *p, struct xb_unit *unit, struct xb_err *err),
			 struct xb_err *err)
{
	for (size_t i = 0; i < n_units; i++) {
		struct xb_unit *unit = units[i];

		if (plan_tools_of(p, unit->deps, unit->n_deps, plan_unit, err) < 0 ||
		    plan_tools_of(p, unit->host_tools, unit->n_host_tools, plan_unit, err) < 0)
			return err->code;
		for (size_t k = 0; k < unit->n_host_tools; k++) {
			if (plan_unit(p, unit->host_tools[k], err) < 0)
				return err->code;
		}
	}
	return 0;
}

int plan_host_tools(struct planner *p, int (*plan_unit)(struct planner *p, struct xb_unit *unit, struct xb_err *err),
		    struct xb_err *err)
{
	return plan_tools_of(p, p->request->units, p->request->n_units, plan_unit, err);
}
