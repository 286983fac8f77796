/* SPDX-License-Identifier: Apache-2.0 */
/* Two C++ libraries in one program give two kinds of std::string: nothing of the one can be handed to the other. */
#include "planner.h"

#include "xbuild/model/stdlib.h"

static bool is_libcxx(const struct planner *p, const struct xb_unit *unit)
{
	return xb_stdlib_is_libcxx(unit, p->setup->target, p->setup->profile);
}

/* What another build system makes is C++ for sure where its unit says with which library. */
static bool has_cxx(const struct planner *p, const struct xb_unit *unit)
{
	const size_t product = p->product_of[plan_unit_index(p->project, unit)];

	if (unit->foreign)
		return unit->settings.cxx_stdlib != XB_STDLIB_UNSAID;
	return product && product != SIZE_MAX && p->products.items[product - 1].has_cxx;
}

/* The first one below `unit` with C++ of the other library, or NULL. */
static const struct xb_unit *find_other(const struct planner *p, const struct xb_unit *unit, bool libcxx)
{
	for (size_t i = 0; i < unit->n_deps; i++) {
		const struct xb_unit *dep = unit->deps[i], *deeper;

		if (has_cxx(p, dep) && is_libcxx(p, dep) != libcxx)
			return dep;
		deeper = find_other(p, dep, libcxx);
		if (deeper)
			return deeper;
	}
	return NULL;
}

int plan_stdlib(struct planner *p, const struct xb_unit *unit, bool cxx, struct xb_err *err)
{
	const bool libcxx = is_libcxx(p, unit);
	const char *const names[] = {"libstdc++", "libc++"};
	const struct xb_unit *other = cxx ? find_other(p, unit, libcxx) : NULL;

	if (other)
		return plan_report(
			p, &unit->at, err,
			xb_arena_printf(p->arena,
					"unit '%s' is C++ with %s, and '%s', which it is linked with, with "
					"%s: give both the same 'cxx: { stdlib: ... }', or the target one for all",
					unit->name, names[libcxx], other->name, names[!libcxx]));
	if (!cxx || !libcxx || p->setup->sysroot->libcxx_dir)
		return 0;
	return plan_report(p, &unit->at, err,
			   xb_arena_printf(p->arena,
					   "unit '%s' is C++ with libc++, and the sysroot of %s has no "
					   "usr/include/c++/v1: 'xbuild lock' takes it from a release of Debian that "
					   "has it, an archive or directory must bring it",
					   unit->name, p->setup->target->target->name));
}
