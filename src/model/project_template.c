/* SPDX-License-Identifier: Apache-2.0 */
/* The file that `xbuild init` writes. */
#include "xbuild/model/project.h"

void xb_project_template(const char *name, const char *sources_pattern, struct xb_str *out)
{
	xb_str_printf(
		out,
		"# The project file of xbuild. Every key is described in the guide, chapter \"The project file\".\n"
		"name: %s\n"
		"version: git                # git (= git describe) | file:VERSION | a literal\n"
		"\n"
		"sysroot:\n"
		"  debian: bookworm          # C library and headers of the targets\n"
		"  packages: []              # further -dev packages, as in [zlib1g-dev, libssl-dev]\n"
		"\n"
		"targets: [linux-x86_64, linux-aarch64]\n"
		"\n"
		"build:\n"
		"  %s:\n"
		"    sources: [\"%s\"]\n"
		"    c: { flags: [-Wall, -Wextra] }\n"
		"\n"
		"image:\n"
		"  %s:\n"
		"    base: auto              # scratch | auto: with the libraries that the program needs\n",
		name, name, sources_pattern, name);
}
