/* SPDX-License-Identifier: Apache-2.0 */
#include "cross.h"

#include "xbuild/base/sv.h"

/* A basic string: TOML v1.0, "String". */
static void quoted(struct xb_str *out, const char *text)
{
	cross_quote(out, text, '"', "\\\"");
}

void xb_cross_cargo(const struct xb_cross *cross, struct xb_str *out)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_cross_vars vars = {0};

	cross_head(cross, "configuration of Cargo", out);
	xb_str_printf(out, "[build]\ntarget = \"%s\"\n\n[target.%s]\nlinker = ", cross->target->rust_triple,
		      cross->target->rust_triple);
	quoted(out, xb_cross_tool(cross, "clang", &arena));
	if (cross->emulator) {
		xb_str_append(out, "\nrunner = [");
		for (size_t i = 0; cross->emulator[i]; i++) {
			xb_str_append(out, i ? ", " : "");
			quoted(out, cross->emulator[i]);
		}
		xb_str_append_char(out, ']');
	}
	xb_str_append(out, "\n\n[env]\n");
	xb_cross_env_cargo(cross, &arena, &vars);
	for (size_t i = 0; i < vars.len; i++) {
		/* said above, where blanks do no harm */
		if (xb_sv_starts(xb_sv(vars.items[i].name), "CARGO_TARGET_"))
			continue;
		xb_str_printf(out, "%s = ", vars.items[i].name);
		quoted(out, vars.items[i].value);
		xb_str_append_char(out, '\n');
	}
}

void xb_cross_cargo_crates(const char *dir, struct xb_str *out)
{
	xb_str_append(out, "[source.crates-io]\nreplace-with = \"xbuild\"\n\n[source.xbuild]\ndirectory = ");
	quoted(out, dir);
	xb_str_append_char(out, '\n');
}
