/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_options.h"
#include "compiler_options.h"

#include "xbuild/app/op_pkg_config.h"

static const struct opt options[] = {
	COMPILER_OPTIONS,
	{"sysroot", 0, OPT_TEXT, "DIR", NULL, "this sysroot for --target, and nothing else is looked at",
	 offsetof(struct values, sysroot), NULL},
	{"prefix", 0, OPT_LIST, "DIR", NULL, "installed files to look at before the sysroot; repeatable",
	 offsetof(struct values, prefixes), NULL},
	OPTION_END,
};

/* As <triple>-pkg-config says it, without a look at projects; or the sysroot of the compiler that is meant. */
static int find_sysroot(struct cli *cli, struct xb_pkg_config_opts *out, struct xb_compiler *compiler,
			struct xb_err *err)
{
	const struct values *v = &cli->values;
	const struct xb_compiler_opts opts = compiler_options(cli, false);
	if (v->sysroot) {
		out->sysroot = v->sysroot;
		out->target = opts.target ? xb_target_find(xb_sv(opts.target)) : NULL;
		return out->target ? 0 : xb_fail(err, XB_E_USAGE, "--sysroot needs a --target that there is");
	}
	if (xb_op_compiler(&cli->app, &opts, compiler, err) < 0)
		return err->code;
	out->sysroot = compiler->sysroot;
	out->target = compiler->target;
	return 0;
}

/* The package by its name, where somebody looks, in place of the advice to search for one. What is left to be shown. */
static struct xb_sv name_package(struct cli *cli, const struct xb_compiler *compiler, const struct xb_str *errors,
				 struct xb_err *err)
{
	const char *text = xb_str_get(errors), *advice = strstr(text, "\nhint: ");

	if (compiler->sysroot && advice && isatty(STDERR_FILENO))
		xb_op_cc_explain(&cli->app, compiler, xb_str_sv(errors), err);
	return err->hint ? xb_sv_n(text, (size_t)(advice + 1 - text)) : xb_sv(text);
}

static int run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	struct xb_pkg_config_opts opts = {
		.prefixes = v->prefixes.items,
		.n_prefixes = v->prefixes.len,
		.words = v->args.items,
		.n_words = v->args.len,
		.keep_cflags = getenv("PKG_CONFIG_ALLOW_SYSTEM_CFLAGS") != NULL,
		.keep_libs = getenv("PKG_CONFIG_ALLOW_SYSTEM_LIBS") != NULL,
	};
	struct xb_str out = {0}, errors = {0};
	struct xb_compiler compiler = {0};
	struct xb_sv shown = {.ptr = ""};
	int status = 0;
	int code = find_sysroot(cli, &opts, &compiler, err);
	progress_clear(cli->progress);
	if (code == 0)
		code = xb_op_pkg_config(&opts, &out, &errors, &status, err);
	if (code == 0 && out.len)
		code = cli_print(xb_str_get(&out), err);
	if (code == 0 && status) {
		/* told already, by pkg-config's own rules */
		code = xb_fail(err, XB_E_JOB, "%s", "");
		shown = name_package(cli, &compiler, &errors, err);
	}
	fwrite(shown.ptr, 1, shown.len, stderr);
	xb_str_release(&out);
	xb_str_release(&errors);
	return code;
}

const struct command cmd_pkg_config = {
	.name = "pkg-config",
	.synopsis = "[WORD...]",
	.summary = "pkg-config for the sysroot of a target",
	.details = "Answers pkg-config's questions from the .pc files of the sysroot that 'xbuild cc' would use, and "
		   "never from\n"
		   "this machine's. It takes pkg-config's options, behind those of xbuild.",
	.options = options,
	.passes_words = true,
	.max_args = -1,
	.run = run,
};
