/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a configure script asked that ended because it would run a program of the target (Autoconf manual, "Runtime", "Cache
 * Variable Names"). Its log has the line of the script; around that line stands the variable that would have answered:
 *
 *     if test ${my_cv_x+y}                                (2.70 and newer; before: "if ${my_cv_x+:} false", "${my_cv_x+set}")
 *     ...
 *       if test "$cross_compiling" = yes
 *       ...  as_fn_error $? "cannot run test program while cross compiling     <- the line
 *       ...  my_cv_x=yes
 */
#include <ctype.h>
#include <string.h>

#include "drive.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

#define MAX_LINES 400 /* between the line and the beginning or the end of its check */

static const char cannot_run[] = "cannot run test program while cross compiling";

static bool has(struct xb_sv text, const char *word)
{
	return text.len && memmem(text.ptr, text.len, word, strlen(word));
}

/* The word that `text` begins with: a name of the shell. */
static struct xb_sv name_of(struct xb_sv text)
{
	size_t n = 0;

	while (n < text.len && (isalnum((unsigned char)text.ptr[n]) || text.ptr[n] == '_'))
		n++;
	return xb_sv_n(text.ptr, n);
}

/* "my_cv_x" of "if test ${my_cv_x+y}", or empty. Options have such lines as well, without what Autoconf wants in names of the cache. */
static struct xb_sv cached_in(struct xb_sv line)
{
	while (line.len > 2) {
		const char *at = memmem(line.ptr, line.len, "${", 2), *end = line.ptr + line.len;
		struct xb_sv name;

		if (!at)
			break;
		line = xb_sv_n(at + 2, (size_t)(end - at) - 2);
		name = name_of(line);
		if (name.len < line.len && line.ptr[name.len] == '+' && has(name, "_cv_"))
			return name;
	}
	return (struct xb_sv){0};
}

/* The line that ends before `*at`, which goes to its beginning. */
static bool line_before(struct xb_sv text, size_t *at, struct xb_sv *out)
{
	size_t begin = *at ? *at - 1 : 0;

	if (!*at)
		return false;
	while (begin > 0 && text.ptr[begin - 1] != '\n')
		begin--;
	*out = xb_sv_trim(xb_sv_n(text.ptr + begin, *at - begin));
	*at = begin;
	return true;
}

/* How a line changes how deep one is, seen from below: 1 for "fi", -1 for "if". "if (" is C. */
static int depth_of(struct xb_sv line)
{
	if (xb_sv_eq_str(line, "fi") || xb_sv_starts(line, "fi;") || xb_sv_starts(line, "fi "))
		return 1;
	return xb_sv_starts(line, "if ") && !xb_sv_starts(line, "if (") && !xb_sv_ends(line, "; fi") ? -1 : 0;
}

/* Of the nearest `if` around the place that asks for a variable of the cache; an earlier check has ended, or begins anew. */
static struct xb_sv find_variable(struct xb_sv script, size_t at)
{
	struct xb_sv line, name = {0};
	int depth = 0;

	for (int i = 0; i < MAX_LINES && !name.len && line_before(script, &at, &line); i++) {
		if (has(line, ": checking "))
			break;
		depth += depth_of(line);
		if (depth < 0) {
			name = cached_in(line);
			depth = 0;
		}
	}
	return name;
}

/* The values that the check itself gives it. */
static void find_values(struct xb_sv rest, struct drive_question *q)
{
	for (int i = 0; i < MAX_LINES && rest.len && q->n_values < XB_COUNT(q->values); i++) {
		struct xb_sv line = xb_sv_trim(xb_sv_cut(&rest, '\n')), value;

		if (has(line, ": checking "))
			break;
		if (line.len <= q->variable.len || memcmp(line.ptr, q->variable.ptr, q->variable.len) != 0 ||
		    line.ptr[q->variable.len] != '=')
			continue;
		value = xb_sv_n(line.ptr + q->variable.len + 1, line.len - q->variable.len - 1);
		if (value.len && name_of(value).len == value.len && !(q->n_values && xb_sv_eq(value, q->values[0])))
			q->values[q->n_values++] = value;
	}
}

void drive_question(struct xb_sv log, struct xb_sv script, struct drive_question *out)
{
	static const char me[] = "configure:", checking[] = ": checking ";
	struct xb_sv rest = log;

	*out = (struct drive_question){0};
	while (rest.len && !out->line) {
		struct xb_sv line = xb_sv_cut(&rest, '\n'), number;
		const char *asked = line.len ? memmem(line.ptr, line.len, checking, strlen(checking)) : NULL;

		if (!xb_sv_starts(line, me))
			continue;
		if (asked)
			out->check = xb_sv_n(asked + 2, (size_t)(line.ptr + line.len - asked) - 2);
		if (!has(line, cannot_run))
			continue;
		line = xb_sv_n(line.ptr + strlen(me), line.len - strlen(me));
		number = xb_sv_cut(&line, ':');
		if (!xb_num_u64(number, XB_MAX_CHILD_OUTPUT_BYTES, &out->line))
			return;
	}
	rest = script;
	for (uint64_t i = 1; i < out->line && rest.len; i++)
		(void)xb_sv_cut(&rest, '\n');
	if (!out->line || !rest.len)
		return;
	out->variable = find_variable(script, script.len - rest.len);
	if (out->variable.len)
		find_values(rest, out);
}

/* "configure: error: in `DIR':" (2.72: 'DIR'): where a script that ended was run; scripts run others below. */
static const char *script_dir(struct run *r, struct xb_sv output)
{
	static const char in[] = "configure: error: in ";
	const char *source = r->drive.source_dir, *at = memmem(output.ptr, output.len, in, strlen(in)), *dir;
	const size_t n = strlen(source);
	struct xb_sv rest;

	if (!at)
		return source;
	rest = xb_sv_n(at + strlen(in), (size_t)(output.ptr + output.len - at) - strlen(in));
	if (!xb_sv_starts(rest, "`") && !xb_sv_starts(rest, "'"))
		return source;
	rest = xb_sv_n(rest.ptr + 1, rest.len - 1);
	dir = xb_arena_sv(&r->arena, xb_sv_cut(&rest, '\''));
	if (strncmp(dir, source, n) != 0 || dir[n] != '/' || !xb_path_is_safe(xb_sv(dir + n + 1)))
		return source;
	return dir;
}

static const char *explain_question(struct run *r, struct xb_sv output)
{
	struct xb_str log XB_CLEANUP(xb_str_release) = {0}, script XB_CLEANUP(xb_str_release) = {0};
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const char *dir = script_dir(r, output);
	struct drive_question q;

	if (xb_fs_read(xb_arena_printf(&r->arena, "%s/config.log", dir), XB_MAX_CHILD_OUTPUT_BYTES, &log, &unreadable) <
		    0 ||
	    xb_fs_read(xb_arena_printf(&r->arena, "%s/configure", dir), XB_MAX_CHILD_OUTPUT_BYTES, &script,
		       &unreadable) < 0)
		return NULL;
	drive_question(xb_str_sv(&log), xb_str_sv(&script), &q);
	if (!q.line)
		return NULL;
	if (q.check.len)
		xb_str_printf(&text, "'%.*s' ", XB_SV_ARG(q.check));
	xb_str_printf(&text,
		      "(line %llu of %s/configure, config.log beside it) runs a program of the target, which no "
		      "configure script does when it cross-compiles, with an emulator or without: ",
		      (unsigned long long)q.line, dir);
	if (!q.variable.len) {
		xb_str_append(&text, "it keeps its answer under no name that 'cache:' could give; AC_RUN_IFELSE in its "
				     "configure.ac takes the answer for such builds as its fourth argument");
		return xb_arena_sv(&r->arena, xb_str_sv(&text));
	}
	xb_str_printf(&text, "give its answer, 'cache: { %.*s: \"%.*s\" }'", XB_SV_ARG(q.variable),
		      q.n_values ? (int)q.values[0].len : (int)strlen("yes"), q.n_values ? q.values[0].ptr : "yes");
	if (q.n_values > 1)
		xb_str_printf(&text, " or '\"%.*s\"'", XB_SV_ARG(q.values[1]));
	return xb_arena_sv(&r->arena, xb_str_sv(&text));
}

const char *drive_explain(struct run *r, const struct xb_step *step, struct xb_sv output)
{
	const char *why = NULL;

	if (r->driver->kind == XB_DRIVER_AUTOTOOLS && strcmp(step->what, "configure") == 0 && has(output, cannot_run))
		why = explain_question(r, output);
	return why || !r->driver->explain ? why : r->driver->explain(&r->drive, step, output, &r->arena);
}
