/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "missing.h"
#include "xbuild/app/op_compiler.h"
#include "xbuild/base/alloc.h"
#include "xbuild/sys/host.h"

static bool is_off(void)
{
	const char *value = getenv("XBUILD_CC_CACHE");

	return value && (!strcmp(value, "off") || !strcmp(value, "0"));
}

int xb_op_cc(struct xb_app *app, const struct xb_compiler *compiler, const char *path, const char *const *words,
	     bool color, struct xb_cc_result *out, struct xb_err *err)
{
	const char *const trees[] = {compiler->sysroot, compiler->toolchain, NULL};
	char *dir XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_cc_call call = {
		.compiler = path,
		.words = words,
		.trees = trees,
		.tools = compiler->digest,
		.multiarch = compiler->target->multiarch,
		.color = color,
		.interrupted = app->interrupted,
	};

	*out = (struct xb_cc_result){0};
	/* a store that cannot be opened is no reason not to compile */
	if (is_off() || xb_host_cache_dir(&dir, &ignored) < 0 ||
	    (!app->store && xb_store_open(dir, app->observer, &app->store, &ignored) < 0))
		return 0;
	call.store = app->store;
	if (xb_cc_run(&call, out, err) < 0)
		return err->code;
	/* this process becomes another program, which would not tidy up */
	if (!out->done) {
		xb_store_close(app->store);
		app->store = NULL;
	}
	return 0;
}

void xb_op_cc_explain(struct xb_app *app, const struct xb_compiler *compiler, struct xb_sv messages, struct xb_err *err)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct missing_log log XB_CLEANUP(missing_log_release) = {0};

	missing_log_init(&log, app->observer);
	missing_log_add(&log, compiler->target->name, messages);
	log.by_option = compiler->is_own;
	if (!log.targets.items[0].found.list.len)
		return;
	app->options.dir = compiler->place;
	if (compiler->is_own)
		app->options.file = NULL;
	app->options.locked = true; /* it is no time to lock anew */
	if (xb_app_need_lock(app, &ignored) == 0 && xb_app_need_store(app, &ignored) == 0)
		missing_explain(app, &log, err);
}
