/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a step shares the pool of jobs (build/pool): GNU make manual, "POSIX Jobserver Interaction"; ninja manual, "GNU Jobserver
 * support". make from 4.4 on and ninja from 1.13 on open the FIFO by its name, which also reaches tools whose parent closes
 * descriptors; older makes want two descriptors, and stop at the other form; older ninjas know none.
 */
#include <string.h>

#include "drive.h"
#include "xbuild/base/num.h"
#include "xbuild/sys/proc.h"

#define VERSION_MS 10000

/* The first "4.3" in a text; false: there is none. */
static bool version_of(struct xb_sv text, uint64_t *major, uint64_t *minor)
{
	size_t i = 0;

	while (i < text.len && (text.ptr[i] < '0' || text.ptr[i] > '9'))
		i++;
	const size_t first = i;
	while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
		i++;
	const size_t dot = i++;
	while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
		i++;
	return dot < text.len && text.ptr[dot] == '.' && i > dot + 1 &&
	       xb_num_u64(xb_sv_n(text.ptr + first, dot - first), 1000, major) &&
	       xb_num_u64(xb_sv_n(text.ptr + dot + 1, i - dot - 1), 1000, minor);
}

enum drive_jobs drive_jobs_of(enum xb_pool pool, bool is_make, const char *fifo, struct xb_sv version)
{
	/* words of MAKEFLAGS end at a blank */
	const bool nameable = fifo && !strpbrk(fifo, " \t\n\\$'\"");
	uint64_t major, minor;
	const bool known = version_of(version, &major, &minor);

	if (pool == XB_POOL_NONE)
		return DRIVE_JOBS_NONE;
	if (pool == XB_POOL_WORD)
		return DRIVE_JOBS_WORD;
	if (pool == XB_POOL_NINJA)
		return nameable && known && (major > 1 || minor >= 13) ? DRIVE_JOBS_FIFO : DRIVE_JOBS_WORD;
	return nameable && is_make && known && (major > 4 || (major == 4 && minor >= 4)) ? DRIVE_JOBS_FIFO
											 : DRIVE_JOBS_FDS;
}

/* What the program says with --version; empty: nothing that counts. */
static void ask_version(struct run *r, const char *program, struct xb_str *out)
{
	const char *const argv[] = {program, "--version", NULL};
	const struct xb_step none = {.what = "version"};
	const struct xb_proc_spec spec = {.argv = argv,
					  .env = drive_env(r, &none, NULL),
					  .cwd = r->drive.build_dir,
					  .timeout_ms = VERSION_MS,
					  .share_group = true};
	struct xb_err unanswered XB_CLEANUP(xb_err_release) = {0};
	struct xb_proc_result ended XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_procs *procs = xb_procs_new();
	void *unused;

	if (xb_procs_start(procs, &spec, NULL, &unanswered) == 0 &&
	    xb_procs_wait(procs, -1, r->spec->interrupted, &unused, &ended, &unanswered) > 0 && ended.exit_code == 0)
		xb_str_append_sv(out, xb_str_sv(&ended.output));
	xb_procs_free(procs);
}

enum drive_jobs drive_jobs(struct run *r, const struct xb_step *step, const char *program)
{
	const char *name = xb_output_file_name(program);
	const bool is_make = strcmp(name, "make") == 0 || strcmp(name, "gmake") == 0;
	struct xb_str version XB_CLEANUP(xb_str_release) = {0};

	if (r->spec->jobserver && (step->pool == XB_POOL_NINJA || (step->pool == XB_POOL_MAKE && is_make)))
		ask_version(r, program, &version);
	return drive_jobs_of(step->pool, is_make, r->spec->jobserver, xb_str_sv(&version));
}
