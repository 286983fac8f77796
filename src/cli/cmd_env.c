/* SPDX-License-Identifier: Apache-2.0 */
#include "build_options.h"
#include "compiler_options.h"

static const struct opt options[] = {{"shell", 0, OPT_TEXT, "FORM", NULL,
				      "sh (default), fish, json, github, dotenv, cmake, meson, cargo, conan or vcpkg",
				      offsetof(struct values, shell), xb_env_forms},
				     COMPILER_OPTIONS,
				     OPTION_END};

static int run(struct cli *cli, struct xb_err *err)
{
	const struct xb_compiler_opts opts = compiler_options(cli, true);
	struct xb_compiler compiler;
	struct xb_str text = {0};
	int code = xb_op_compiler(&cli->app, &opts, &compiler, err);
	progress_clear(cli->progress);
	if (code == 0)
		code = xb_op_env(&cli->app, &compiler, cli->values.shell ? cli->values.shell : "sh", &text, err);
	if (code == 0)
		code = cli_print(xb_str_get(&text), err);
	xb_str_release(&text);
	return code;
}

const struct command cmd_env = {
	.name = "env",
	.synopsis = "",
	.summary = "tell another program of the compiler: a shell, CMake, Meson, Cargo, Conan, vcpkg",
	.details =
		"Prints, for one target, what makes other programs use the locked compiler, sysroot and pkg-config:\n"
		"  eval \"$(xbuild env --target arm64)\"             variables and PATH of this shell (fish: | "
		"source)\n"
		"  xbuild env --target arm64 --shell cmake >f.cmake   cmake -DCMAKE_TOOLCHAIN_FILE=f.cmake\n"
		"  xbuild env --target arm64 --shell meson >f.ini     meson setup --cross-file f.ini\n"
		"  xbuild env --target arm64 --shell cargo >f.toml    cargo --config f.toml build\n"
		"  xbuild env --target arm64 --shell github >>\"$GITHUB_ENV\"\n"
		"json tells all of it to programs. What is named are executables called <triple>-clang, <triple>-ar "
		"and so\n"
		"on, which take any words a compiler takes. docs/compiler.md tells more.",
	.options = options,
	.max_args = 0,
	.run = run,
};
