/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "build_options.h"
#include "compiler_options.h"

#include "xbuild/app/op_cargo.h"
#include "xbuild/sys/host.h"

static const struct opt options[] = {COMPILER_TARGET, COMPILER_MIRROR, COMPILER_BUNDLE, COMPILER_OFFLINE, OPTION_END};

/* This process becomes cargo. The terminal and the exit status are cargo's. */
static int run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	struct words argv = {0};
	struct xb_cargo cargo;
	if (xb_op_cargo(&cli->app, v->targets.len ? v->targets.items[v->targets.len - 1] : NULL, &cargo, err) < 0)
		return err->code;
	for (size_t i = 0; cargo.argv[i]; i++)
		XB_VEC_PUSH(&argv, cargo.argv[i]);
	for (size_t i = 0; i < v->args.len; i++)
		XB_VEC_PUSH(&argv, v->args.items[i]);
	XB_VEC_PUSH(&argv, NULL);
	progress_clear(cli->progress);
	xb_host_release_signals();
	execve(argv.items[0], (char *const *)(void *)argv.items, (char *const *)(uintptr_t)cargo.env);
	xb_fail_errno(err, "start '%s'", argv.items[0]);
	XB_VEC_RELEASE(&argv);
	return err->code;
}

const struct command cmd_cargo = {
	.name = "cargo",
	.synopsis = "[WORD...]",
	.summary = "the project's cargo for a target: test (with qemu), check, generate-lockfile",
	.details = "Starts cargo with WORD... as they are: the Rust that builds the project's units (locked, or the "
		   "host's), with the\n"
		   "locked linker, C compiler and pkg-config for the target, what runs its programs here, and the "
		   "project's crates.\n"
		   "Nothing is downloaded from a registry. Options of xbuild stand before the first other word; -- "
		   "ends them.\n"
		   "  xbuild cargo generate-lockfile              Cargo.lock for the crates of the project\n"
		   "  xbuild cargo --target arm64 test            tests, run under qemu-user where they need it",
	.options = options,
	.passes_words = true,
	.project = true,
	.max_args = -1,
	.run = run,
};
