/* SPDX-License-Identifier: Apache-2.0 */
/* cc and its like: a tool of the locked toolchain for one target, with the caller's words behind. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_options.h"
#include "compiler_options.h"

#include "xbuild/sys/host.h"

struct xb_compiler_opts compiler_options(const struct cli *cli, bool tools)
{
	const struct values *v = &cli->values;
	return (struct xb_compiler_opts){
		.target = v->targets.len ? v->targets.items[v->targets.len - 1] : NULL,
		.with = v->with.items,
		.n_with = v->with.len,
		.llvm = v->llvm,
		.debian = v->debian,
		.stdlib = v->stdlib,
		.no_project = v->no_project,
		.update = v->update,
		.tools = tools,
	};
}

const char *const compiler_stdlibs[] = {"libstdc++", "libc++", NULL};

static const struct opt options[] = {COMPILER_OPTIONS, OPTION_END};

/* This process becomes the tool. The terminal, the environment and the exit status are the tool's. */
static int become(struct cli *cli, const char *path, struct xb_err *err)
{
	struct words argv = {0};
	XB_VEC_PUSH(&argv, path);
	for (size_t i = 0; i < cli->values.args.len; i++)
		XB_VEC_PUSH(&argv, cli->values.args.items[i]);
	XB_VEC_PUSH(&argv, NULL);
	progress_clear(cli->progress);
	xb_host_release_signals();
	execv(path, (char *const *)(void *)argv.items);
	xb_fail_errno(err, "start '%s'", path);
	XB_VEC_RELEASE(&argv);
	return err->code;
}

static int run_tool(struct cli *cli, const char *tool, bool extra, struct xb_err *err)
{
	const struct xb_compiler_opts opts = compiler_options(cli, extra);
	struct xb_compiler compiler;
	const char *path;
	if (xb_op_compiler(&cli->app, &opts, &compiler, err) < 0 ||
	    xb_compiler_tool(&cli->app, &compiler, tool, &path, err) < 0)
		return err->code;
	return become(cli, path, err);
}

/* As clang decides it (LLVM, Process::StandardErrHasColors). */
static bool wants_color(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0 && !getenv("NO_COLOR");
}

static int run_compiler(struct cli *cli, const char *tool, struct xb_err *err)
{
	const struct xb_compiler_opts opts = compiler_options(cli, false);
	struct xb_compiler compiler;
	struct words words = {0};
	struct xb_cc_result result = {0};
	const char *path;
	int code;

	if (xb_op_compiler(&cli->app, &opts, &compiler, err) < 0 ||
	    xb_compiler_tool(&cli->app, &compiler, tool, &path, err) < 0)
		return err->code;
	for (size_t i = 0; i < cli->values.args.len; i++)
		XB_VEC_PUSH(&words, cli->values.args.items[i]);
	XB_VEC_PUSH(&words, NULL);
	code = xb_op_cc(&cli->app, &compiler, path, words.items, wants_color(), &result, err);
	if (code == 0 && !result.done) {
		code = become(cli, path, err);
	} else if (code == 0) {
		progress_clear(cli->progress);
		fputs(xb_str_get(&result.text), stderr);
		/* told already, in the tool's own words */
		code = result.status ? xb_fail(err, XB_E_JOB, "%s", "") : 0;
		if (code && isatty(STDERR_FILENO))
			xb_op_cc_explain(&cli->app, &compiler, xb_str_sv(&result.text), err);
	}
	xb_str_release(&result.text);
	XB_VEC_RELEASE(&words);
	return code;
}

static int run_cc(struct cli *cli, struct xb_err *err)
{
	return run_compiler(cli, "clang", err);
}

static int run_cxx(struct cli *cli, struct xb_err *err)
{
	return run_compiler(cli, "clang++", err);
}

static int run_ld(struct cli *cli, struct xb_err *err)
{
	return run_tool(cli, "ld", false, err);
}

/* ar, ranlib, nm, strip, objcopy: called as they are */
static int run_extra(struct cli *cli, struct xb_err *err)
{
	return run_tool(cli, cli->command->name, true, err);
}

#define DETAILS(what)                                                                                                  \
	"Starts " what " of the locked toolchain for a target, with WORD... as they are. Inside of a project with a\n" \
	"lock they are the project's toolchain and sysroot; elsewhere, and with packages, xbuild keeps a lock of "     \
	"its\n"                                                                                                        \
	"own in the store: the first use chooses, verifies and downloads, later ones start at once. Options of\n"      \
	"xbuild stand before the first other word; -- ends them. docs/compiler.md tells more."

#define COMMAND(id, word, one_line, what, function)                                                                    \
	const struct command cmd_##id = {                                                                              \
		.name = word,                                                                                          \
		.synopsis = "[WORD...]",                                                                               \
		.summary = one_line,                                                                                   \
		.details = DETAILS(what),                                                                              \
		.options = options,                                                                                    \
		.passes_words = true,                                                                                  \
		.max_args = -1,                                                                                        \
		.run = function,                                                                                       \
	}

COMMAND(cc, "cc", "compile and link C for a target, in and outside of projects", "clang", run_cc);
COMMAND(cxx, "c++", "the same for C++; also: ar, ranlib, nm, strip, objcopy, ld", "clang++", run_cxx);
COMMAND(ar, "ar", NULL, "llvm-ar", run_extra);
COMMAND(ranlib, "ranlib", NULL, "llvm-ranlib", run_extra);
COMMAND(nm, "nm", NULL, "llvm-nm", run_extra);
COMMAND(strip, "strip", NULL, "llvm-strip", run_extra);
COMMAND(objcopy, "objcopy", NULL, "llvm-objcopy", run_extra);
COMMAND(ld, "ld", NULL, "ld.lld", run_ld);
