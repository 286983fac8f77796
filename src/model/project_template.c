/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/model/project.h"

static void add_unit(const char *name, enum xb_driver_kind driver, const char *what, struct xb_str *out)
{
	char *line;

	switch (driver) {
	case XB_DRIVER_SOURCES:
		xb_str_printf(out, "    sources: [\"%s\"]\n    c: { flags: [-Wall, -Wextra] }\n", what);
		return;
	case XB_DRIVER_CARGO:
		xb_str_printf(out, "    cargo: { bins: [%s] } # built as %s says: these programs\n", name, what);
		return;
	default:
		break;
	}
	/* one that has no configure yet gets it by Autoconf */
	line = xb_printf("    %s: {%s}", xb_driver_key(driver),
			 strncmp(what, "configure.", 10) == 0 ? " autoreconf: true " : "");
	xb_str_printf(out, "%-27s # built as %s says\n", line, what);
	free(line);
	line = xb_printf("    outputs: [bin/%s]", name);
	xb_str_printf(out, "%-27s # of what it installs below /usr: what goes to out/\n", line);
	free(line);
}

void xb_project_template(const char *name, enum xb_driver_kind driver, const char *what, struct xb_str *out)
{
	xb_str_printf(
		out,
		"# The project file of xbuild. Every key is described in the guide, chapter \"The project file\".\n"
		"name: %s\n"
		"version: git                # git (= git describe) | file:VERSION | a literal\n"
		"\n"
		"%s"
		"sysroot:\n"
		"  debian: bookworm          # C library and headers of the targets\n"
		"  packages: []              # further -dev packages, as in [zlib1g-dev, libssl-dev]\n"
		"\n"
		"targets: [linux-x86_64, linux-aarch64]\n"
		"\n"
		"build:\n"
		"  %s:\n",
		name,
		driver == XB_DRIVER_CARGO ? "toolchain:\n"
					    "  rust: \"1.85\"              # rustc and cargo of Debian 13\n"
					    "\n"
					  : "",
		name);
	add_unit(name, driver, what, out);
	xb_str_printf(out,
		      "\n"
		      "image:\n"
		      "  %s:\n"
		      "    base: auto              # scratch | auto: with the libraries that the program needs\n",
		      name);
}
