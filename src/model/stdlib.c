/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/stdlib.h"

#include <string.h>

struct choice {
	enum xb_stdlib stdlib;
	bool is_static;
};

static void look(struct choice *c, const struct xb_settings *s)
{
	if (s->cxx_stdlib != XB_STDLIB_UNSAID)
		c->stdlib = s->cxx_stdlib;
	c->is_static = c->is_static || s->cxx_static_stdlib;
}

static struct choice choose(const struct xb_unit *unit, const struct xb_project_target *target,
			    const struct xb_profile *profile)
{
	struct choice c = {0};

	if (unit)
		look(&c, &unit->settings);
	look(&c, &target->settings);
	if (profile)
		look(&c, &profile->settings);
	for (size_t i = 0; unit && i < unit->n_overrides; i++) {
		const struct xb_override *o = &unit->overrides[i];

		if (o->target ? o->target == target->target : profile && strcmp(o->profile, profile->name) == 0)
			look(&c, &o->settings);
	}
	return c;
}

bool xb_stdlib_is_libcxx(const struct xb_unit *unit, const struct xb_project_target *target,
			 const struct xb_profile *profile)
{
	return choose(unit, target, profile).stdlib == XB_STDLIB_LIBCXX;
}

bool xb_stdlib_is_static(const struct xb_unit *unit, const struct xb_project_target *target,
			 const struct xb_profile *profile)
{
	return choose(unit, target, profile).is_static;
}

static bool is_built_for(const struct xb_unit *unit, const struct xb_target *target)
{
	for (size_t i = 0; i < unit->targets.len; i++) {
		if (strcmp(unit->targets.items[i], target->name) == 0)
			return true;
	}
	return unit->targets.len == 0;
}

bool xb_stdlib_needs_libcxx(const struct xb_project *project, const struct xb_project_target *target)
{
	if (xb_stdlib_is_libcxx(NULL, target, NULL))
		return true;
	for (size_t i = 0; i < project->n_units; i++) {
		if (!is_built_for(project->units[i], target->target))
			continue;
		for (size_t k = 0; k < project->n_profiles; k++) {
			if (xb_stdlib_is_libcxx(project->units[i], target, &project->profiles[k]))
				return true;
		}
	}
	return false;
}
