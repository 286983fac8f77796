/* SPDX-License-Identifier: Apache-2.0 */
/* Where other keys name a unit: build:<unit>/<output> and the targets that it must be built for. */
#include <string.h>

#include "project_read.h"

void project_refuse_unit(struct schema *s, struct xb_sv name, struct xb_place at)
{
	const struct xb_project *project = s->project;
	struct xb_diag *diag = schema_problem(s, at, "unknown unit '%.*s'", XB_SV_ARG(name));
	XB_VEC(const char *) names = {0};

	for (size_t i = 0; i < project->n_units; i++)
		XB_VEC_PUSH(&names, project->units[i]->name);
	XB_VEC_PUSH(&names, NULL);
	schema_suggest(s, diag, name, names.items);
	XB_VEC_RELEASE(&names);
}

/* Which of the unit's outputs is meant by what stands behind its name; a unit that has but one need not say. */
static void choose_output(struct schema *s, const struct xb_unit *unit, struct xb_sv rest, struct xb_place at,
			  const char **out)
{
	const struct xb_words *outputs = &unit->outputs;
	struct xb_diag *diag;

	*out = NULL;
	for (size_t i = 0; rest.ptr && i < outputs->len; i++) {
		if (xb_sv_eq_str(rest, outputs->items[i]))
			*out = outputs->items[i];
	}
	if (*out || (!unit->foreign && !rest.ptr))
		return;
	if (!rest.ptr && outputs->len == 1) {
		*out = outputs->items[0];
	} else if (!outputs->len) {
		diag = schema_problem(s, at, "unit '%s' has no outputs by name", unit->name);
		xb_diags_help(s->diags, diag, "%s",
			      unit->foreign ? "list what is needed of it under its 'outputs', as in [bin/tool]"
					    : "write build:<unit> alone");
	} else {
		diag = rest.ptr ? schema_problem(s, at, "unit '%s' has no output '%.*s'", unit->name, XB_SV_ARG(rest))
				: schema_problem(s, at, "unit '%s' has more than one output", unit->name);
		xb_diags_help(s->diags, diag, "as in build:%s/%s", unit->name, outputs->items[0]);
	}
}

struct xb_unit *project_unit_ref(struct schema *s, const char *word, struct xb_place at, const char **out_output,
				 bool *is_ref)
{
	struct xb_sv rest = xb_sv(word), name;
	struct xb_unit *unit;

	*out_output = NULL;
	*is_ref = xb_sv_starts(rest, "build:");
	if (!*is_ref)
		return NULL;
	(void)xb_sv_cut(&rest, ':');
	name = xb_sv_cut(&rest, '/');
	unit = xb_project_unit(s->project, name);
	if (!unit)
		project_refuse_unit(s, name, at);
	else
		choose_output(s, unit, rest, at, out_output);
	return unit;
}

static bool is_built_for(const struct xb_unit *unit, const char *target)
{
	for (size_t i = 0; i < unit->targets.len; i++) {
		if (strcmp(unit->targets.items[i], target) == 0)
			return true;
	}
	return unit->targets.len == 0;
}

bool project_unit_covers(const struct schema *s, const struct xb_unit *unit, const struct xb_words *targets)
{
	const struct xb_project *project = s->project;

	for (size_t i = 0; i < targets->len; i++) {
		if (!is_built_for(unit, targets->items[i]))
			return false;
	}
	for (size_t i = 0; i < project->n_targets && !targets->len; i++) {
		if (!is_built_for(unit, project->targets[i].target->name))
			return false;
	}
	return true;
}
