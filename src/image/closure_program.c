/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel does when a container's command is started: execve(2), Linux fs/exec.c and fs/binfmt_script.c. */
#include <fcntl.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/image/closure.h"
#include "xbuild/sys/fs.h"

#define HEAD_BYTES  256 /* BINPRM_BUF_SIZE: what the kernel reads of a program to know what it is */
#define MAX_SCRIPTS 5	/* an interpreter that is a script in its turn; the sixth is ELOOP */

/* Finds a command as execvp(3) would. */
static const struct xb_rootfs_entry *find_command(const struct xb_rootfs *rootfs, const struct xb_closure_program *p,
						  const char *command, const char *path)
{
	const char *dirs = strchr(command, '/') ? (p->workdir ? p->workdir : "/") : path;
	struct xb_sv rest = xb_sv(dirs);

	if (command[0] == '/')
		return xb_rootfs_resolve(rootfs, command);
	while (dirs && rest.ptr) {
		const struct xb_sv dir = strchr(command, '/') ? rest : xb_sv_cut(&rest, ':');
		char *full XB_CLEANUP(xb_free_ptr) = xb_printf("%.*s/%s", XB_SV_ARG(dir), command);
		const struct xb_rootfs_entry *found = xb_rootfs_resolve(rootfs, full);

		if (found || strchr(command, '/'))
			return found;
	}
	return NULL;
}

static bool may_execute(const struct xb_rootfs_entry *e, const struct xb_closure_program *p)
{
	bool in_group = p->gid == e->gid;

	for (size_t i = 0; i < p->n_groups; i++)
		in_group = in_group || p->groups[i] == e->gid;
	return e->mode & (p->uid == 0 ? 0111 : p->uid == e->uid ? 0100 : in_group ? 0010 : 0001);
}

/* ---- scripts ---- */

/* Packages of Debian with what scripts name most. */
static const struct interpreter {
	const char *name, *package;
} interpreters[] = {
	{"sh", "dash"},	      {"dash", "dash"},	     {"bash", "bash"},
	{"env", "coreutils"}, {"perl", "perl-base"}, {"python3", "python3-minimal"},
};

static int hint_interpreter(const char *command, enum xb_image_base base, struct xb_err *err)
{
	const struct xb_sv name = xb_path_base(xb_sv(command));
	const char *package = NULL;

	for (size_t i = 0; i < XB_COUNT(interpreters); i++)
		package = xb_sv_eq_str(name, interpreters[i].name) ? interpreters[i].package : package;
	if (base == XB_BASE_APKO)
		return xb_hint(
			err,
			"add the package that has it to 'contents.packages' of the apko.yaml and run 'xbuild lock'");
	if (base == XB_BASE_IMAGE)
		return xb_hint(err, "take a base that has it, add it to the image's 'files:', or start a program");
	if (base == XB_BASE_SCRATCH)
		return xb_hint(err, "take a base that has it, as 'base: { debian: [%s] }', or start a program",
			       package ? package : "<package>");
	return xb_hint(err, "add its package to the image's 'packages: [%s]' and run 'xbuild lock', or start a program",
		       package ? package : "<package>");
}

/* The first bytes of a file; *out_len 0 for one of a base or a foreign image that is known to be neither ELF nor a script. */
static int read_head(const struct xb_rootfs_entry *e, char head[HEAD_BYTES], size_t *out_len, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = -1;
	int64_t n = 0;

	*out_len = e->head.len < HEAD_BYTES ? e->head.len : HEAD_BYTES;
	if (*out_len)
		memcpy(head, e->head.ptr, *out_len);
	if (!e->source)
		return 0;
	fd = open(e->source, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return xb_fail_errno(err, "read '/%s' (%s)", e->path, e->origin);
	n = xb_fs_read_some(fd, head, HEAD_BYTES, e->path, err);
	if (n < 0)
		return (int)n;
	*out_len = (size_t)n;
	return 0;
}

static struct xb_sv trim_blanks(struct xb_sv text)
{
	while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text = xb_sv_n(text.ptr + 1, text.len - 1);
	while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/*
 * "#! /bin/sh -e": the interpreter, and all that follows as one argument. False for a line without an interpreter, and for
 * one whose name the end of the head cuts off.
 */
static bool read_script(const char *head, size_t len, struct xb_sv *out_name, struct xb_sv *out_argument)
{
	const char *end = memchr(head, '\n', len);
	struct xb_sv line = trim_blanks(xb_sv_n(head + 2, (end ? (size_t)(end - head) : len) - 2));
	size_t n = 0;

	while (n < line.len && line.ptr[n] != ' ' && line.ptr[n] != '\t' && line.ptr[n])
		n++;
	*out_name = xb_sv_n(line.ptr, n);
	*out_argument = trim_blanks(xb_sv_n(line.ptr + n, line.len - n));
	return n > 0 && (end || len < HEAD_BYTES || n < line.len);
}

/* env(1): the command behind "-S" and NAME=VALUE; without -S all of the argument is one name. */
static struct xb_sv env_command(struct xb_sv argument)
{
	const bool splits = xb_sv_starts(argument, "-S");

	if (!splits)
		return xb_sv_starts(argument, "-") ? xb_sv("") : argument;
	argument = xb_sv_n(argument.ptr + 2, argument.len - 2);
	while (argument.len) {
		const struct xb_sv word = xb_sv_cut(&argument, ' ');

		if (word.len && !memchr(word.ptr, '=', word.len))
			return word.ptr[0] == '-' ? xb_sv("") : word;
	}
	return xb_sv("");
}

static int need_interpreter(const struct xb_rootfs *rootfs, const struct xb_closure_program *p,
			    const struct xb_rootfs_entry *script, const char *name, const struct xb_rootfs_entry **out,
			    struct xb_err *err)
{
	const struct xb_rootfs_entry *e = find_command(rootfs, p, name, p->path ? p->path : XB_RUNTIME_PATH);

	if (!e) {
		xb_fail(err, XB_E_VERIFY, "'/%s' (%s) needs '%s', which is not in the image", script->path,
			script->origin, name);
		return hint_interpreter(name, p->base, err);
	}
	if (e->type != XB_TREE_FILE || !may_execute(e, p))
		return xb_fail(err, XB_E_VERIFY, "'/%s' (%s) needs '%s', which user %u may not execute", script->path,
			       script->origin, name, p->uid);
	*out = e;
	return 0;
}

/* One step from a script to what runs it; *e becomes that. */
static int step_script(const struct xb_rootfs *rootfs, const struct xb_closure_program *p, const char *head, size_t len,
		       const struct xb_rootfs_entry **e, struct xb_err *err)
{
	const struct xb_rootfs_entry *script = *e;
	struct xb_sv name, argument;

	if (!read_script(head, len, &name, &argument))
		return xb_fail(err, XB_E_VERIFY, "the first line of '/%s' (%s) names no interpreter within %d bytes",
			       script->path, script->origin, HEAD_BYTES);
	char *interpreter XB_CLEANUP(xb_free_ptr) = xb_sv_dup(name);
	char *direct XB_CLEANUP(xb_free_ptr) =
		strchr(interpreter, '/') ? xb_strdup(interpreter) : xb_printf("./%s", interpreter);

	if (need_interpreter(rootfs, p, script, direct, e, err) < 0)
		return err->code;
	argument = env_command(argument);
	if (!xb_sv_eq_str(xb_path_base(name), "env") || !argument.len)
		return 0;
	char *command XB_CLEANUP(xb_free_ptr) = xb_sv_dup(argument);

	return need_interpreter(rootfs, p, script, command, e, err);
}

/* That the kernel can start the file: ELF, or a script whose interpreter it can start. */
static int check_format(const struct xb_rootfs *rootfs, const struct xb_closure_program *p,
			const struct xb_rootfs_entry *e, struct xb_err *err)
{
	for (int i = 0; i <= MAX_SCRIPTS; i++) {
		char head[HEAD_BYTES];
		size_t len;

		if (read_head(e, head, &len, err) < 0)
			return err->code;
		if (len >= 4 && memcmp(head, "\177ELF", 4) == 0)
			return 0;
		if (len < 2 || memcmp(head, "#!", 2) != 0) {
			xb_fail(err, XB_E_VERIFY, "'/%s' (%s) is neither a program nor a script: exec format error",
				e->path, e->origin);
			return xb_hint(err, "a script begins with '#!' and its interpreter, as '#!/bin/sh'");
		}
		if (step_script(rootfs, p, head, len, &e, err) < 0)
			return err->code;
	}
	return xb_fail(err, XB_E_VERIFY, "'%s' is run by a script that is run by a script, more than %d times",
		       p->command, MAX_SCRIPTS);
}

const struct xb_rootfs_entry *xb_closure_find_command(const struct xb_rootfs *rootfs,
						      const struct xb_closure_program *p)
{
	return find_command(rootfs, p, p->command, p->path);
}

int xb_closure_check_program(const struct xb_rootfs *rootfs, const struct xb_closure_program *p, struct xb_err *err)
{
	const struct xb_rootfs_entry *e = xb_closure_find_command(rootfs, p);

	if (!e) {
		xb_fail(err, XB_E_VERIFY, "the command '%s' is not in the image", p->command);
		return xb_hint(err, "'entrypoint:' and 'cmd:' name paths inside of the image, see its 'files:'");
	}
	if (e->type != XB_TREE_FILE)
		return xb_fail(err, XB_E_VERIFY, "the command '%s' is a directory in the image", p->command);
	if (!may_execute(e, p)) {
		xb_fail(err, XB_E_VERIFY, "the command '%s' has mode %04o and may not be executed by user %u",
			p->command, e->mode, p->uid);
		return xb_hint(err, "set 'mode: \"0755\"' for '/%s'", e->path);
	}
	return check_format(rootfs, p, e, err);
}

int xb_closure_check_user(const struct xb_rootfs *rootfs, const char *name, uint32_t uid, struct xb_err *err)
{
	const struct xb_rootfs_entry *e = xb_rootfs_resolve(rootfs, "/etc/passwd");
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv lines;
	uint64_t found;

	if (!e || e->type != XB_TREE_FILE)
		return 0;
	if (!e->source)
		return xb_fail(err, XB_E_VERIFY, "the image's /etc/passwd is '/%s' of %s, which cannot be read",
			       e->path, e->origin);
	if (xb_fs_read(e->source, XB_MIB, &text, err) < 0)
		return err->code;
	lines = xb_str_sv(&text);
	while (lines.ptr) {
		struct xb_sv line = xb_sv_cut(&lines, '\n');

		if (!xb_sv_eq_str(xb_sv_cut(&line, ':'), name))
			continue;
		xb_sv_cut(&line, ':');
		if (xb_num_u64(xb_sv_cut(&line, ':'), UINT32_MAX, &found) && found == uid)
			return 0;
		return xb_fail(err, XB_E_VERIFY, "user '%s' has another uid in /etc/passwd (%s) than %u", name,
			       e->origin, uid);
	}
	return xb_fail(err, XB_E_VERIFY, "user '%s' is not in the image's /etc/passwd (%s)", name, e->origin);
}
