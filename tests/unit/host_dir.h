/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that make programs of this machine: which targets are this machine and another one, and where to write. */
#ifndef XBUILD_TESTS_HOST_DIR_H
#define XBUILD_TESTS_HOST_DIR_H

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/model/target.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/proc.h"

struct host_dir {
	const struct xb_target *native; /* NULL when this machine is no target */
	const struct xb_target *foreign;
	char *dir; /* temporary, owned */
	char *gcc; /* path, owned; NULL without one */
};

/* 0, or -1 when no directory can be made. */
static inline int host_dir_open(struct host_dir *out, const char *name)
{
	const char *base = getenv("TMPDIR");
	struct xb_host host;

	xb_host_detect(&host);
	out->native = xb_target_find(xb_sv(host.name));
	out->foreign = xb_target_find(
		xb_sv(out->native && strcmp(out->native->name, "linux-x86_64") ? "linux-x86_64" : "linux-aarch64"));
	out->dir = xb_printf("%s/xb-%s-XXXXXX", base && *base ? base : "/tmp", name);
	out->gcc = xb_proc_find("gcc");
	return mkdtemp(out->dir) ? 0 : -1;
}

#endif
