/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/verify.h"

#include <stdlib.h>
#include <string.h>

#include "verify_check.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/str.h"

enum { ET_EXEC = 2, ET_DYN = 3 };

void xb_verify_report_release(struct xb_verify_report *report)
{
	if (!report)
		return;
	xb_arena_release(&report->arena);
	*report = (struct xb_verify_report){0};
}

void xb_verify_problem(struct xb_check *check, const char *fmt, ...)
{
	char *text XB_CLEANUP(xb_free_ptr) = NULL;
	const char *copy;
	va_list args;

	va_start(args, fmt);
	text = xb_vprintf(fmt, args);
	va_end(args);
	copy = xb_arena_strdup(&check->report->arena, text);
	XB_VEC_PUSH(&check->problems, copy);
}

/* "linux-x86_64": "x86_64". */
static const char *arch_of(const struct xb_target *target)
{
	const char *mark = strchr(target->name, '-');

	return mark ? mark + 1 : target->name;
}

/* "183 (aarch64)", or the number alone for a machine that is nobody's target. */
static const char *machine_text(struct xb_check *check, unsigned machine)
{
	const struct xb_target *all;
	size_t n;

	all = xb_target_all(&n);
	for (size_t i = 0; i < n; i++) {
		if (all[i].elf_machine == machine)
			return xb_arena_printf(&check->report->arena, "%u (%s)", machine, arch_of(&all[i]));
	}
	return xb_arena_printf(&check->report->arena, "%u", machine);
}

/* False when the file is for something else altogether: then nothing more is worth saying. */
static bool check_machine(struct xb_check *check)
{
	static const char *const classes[] = {"none", "32 bit", "64 bit"};
	static const char *const orders[] = {"none", "little-endian", "big-endian"};
	const struct xb_target *target = check->spec->target;
	const struct xb_elf *elf = check->elf;
	size_t before = check->problems.len;

	if (elf->elf_class != target->elf_class)
		xb_verify_problem(check, "expected class %s, found %s", classes[target->elf_class],
				  classes[elf->elf_class]);
	if (elf->elf_data != target->elf_data)
		xb_verify_problem(check, "expected byte order %s, found %s", orders[target->elf_data],
				  orders[elf->elf_data]);
	if (elf->machine != target->elf_machine)
		xb_verify_problem(check, "expected machine %s, found %s", machine_text(check, target->elf_machine),
				  machine_text(check, elf->machine));
	if (check->problems.len == before &&
	    !xb_target_accepts(target, elf->elf_class, elf->elf_data, elf->machine, elf->flags))
		xb_verify_problem(check, "expected the ABI 0x%x in the flags (mask 0x%x), found 0x%x", target->elf_abi,
				  target->elf_abi_mask, elf->flags & target->elf_abi_mask);
	return check->problems.len == before;
}

static void check_executable(struct xb_check *check)
{
	const struct xb_elf *elf = check->elf;
	const char *interpreter = check->spec->target->interpreter;

	if (elf->type != ET_EXEC && elf->type != ET_DYN) {
		xb_verify_problem(check, "expected an executable (type 2 or 3), found type %u", elf->type);
		return;
	}
	if (elf->interpreter && strcmp(elf->interpreter, interpreter) != 0)
		xb_verify_problem(check, "expected interpreter %s, found %s", interpreter, elf->interpreter);
	if (!elf->interpreter && elf->n_needed > 0)
		xb_verify_problem(check, "expected interpreter %s, since it needs %s, found none", interpreter,
				  elf->needed[0]);
	/* A static program at a fixed address is what -static asks for. */
	if (!elf->is_pie && !check->spec->fixed_address && elf->interpreter)
		xb_verify_problem(check, "expected a position-independent executable (PIE), found a fixed address");
	if (!elf->is_pie && elf->type == ET_DYN)
		xb_verify_problem(check, "expected an executable, found a shared library");
}

static void check_shared(struct xb_check *check)
{
	const struct xb_elf *elf = check->elf;
	const char *soname = check->spec->soname;

	if (elf->type != ET_DYN || !elf->is_dynamic) {
		xb_verify_problem(check, "expected a shared library (type 3), found type %u%s", elf->type,
				  elf->is_dynamic ? "" : " without a dynamic section");
		return;
	}
	if (elf->is_pie)
		xb_verify_problem(check, "expected a shared library, found an executable");
	if (soname && (!elf->soname || strcmp(elf->soname, soname) != 0))
		xb_verify_problem(check, "expected soname %s, found %s", soname, elf->soname ? elf->soname : "none");
}

static void check_hardening(struct xb_check *check)
{
	const struct xb_elf *elf = check->elf;

	if (elf->exec_stack)
		xb_verify_problem(check, "expected a stack that is not executable (NX), found an executable one");
	if (elf->text_relocations)
		xb_verify_problem(check, "expected no text relocations, found DT_TEXTREL");
	/* Without a dynamic section nothing is bound or relocated by a loader. */
	if (!elf->is_dynamic)
		return;
	if (!elf->has_relro)
		xb_verify_problem(check, "expected read-only relocations (RELRO), found no PT_GNU_RELRO");
	if (elf->has_plt && !elf->bind_now)
		xb_verify_problem(check, "expected full RELRO (-z now), found lazy binding");
}

static const char *summarize(struct xb_check *check)
{
	struct xb_str s XB_CLEANUP(xb_str_release) = {0};
	const struct xb_elf *elf = check->elf;

	xb_str_append(&s, arch_of(check->spec->target));
	if (check->spec->is_shared)
		xb_str_append(&s, ", shared");
	else if (!elf->interpreter)
		xb_str_append(&s, ", static");
	for (size_t i = 0; i < XB_FAMILY_COUNT; i++) {
		if (check->highest[i])
			xb_str_printf(&s, ", %s", check->highest[i]->version);
	}
	if (!check->spec->is_shared && elf->is_pie)
		xb_str_append(&s, ", PIE");
	if (elf->has_relro)
		xb_str_append(&s, !elf->is_dynamic || elf->bind_now ? ", RELRO" : ", partial RELRO");
	if (!elf->exec_stack)
		xb_str_append(&s, ", NX");
	return xb_arena_strdup(&check->report->arena, xb_str_get(&s));
}

static void release_check(struct xb_check *check)
{
	xb_elf_free(check->elf);
	XB_VEC_RELEASE(&check->problems);
}

static void check_all(struct xb_check *check)
{
	check->report->summary = arch_of(check->spec->target);
	if (!check_machine(check))
		return;
	if (check->spec->is_shared)
		check_shared(check);
	else
		check_executable(check);
	xb_verify_libraries(check);
	xb_verify_floor(check);
	xb_verify_run_paths(check);
	check_hardening(check);
	check->report->summary = summarize(check);
}

int xb_verify_binary(const struct xb_verify_spec *spec, struct xb_verify_report *out, struct xb_err *err)
{
	struct xb_verify_report report XB_CLEANUP(xb_verify_report_release) = {0};
	struct xb_check check XB_CLEANUP(release_check) = {.spec = spec, .report = &report};
	struct xb_err parse XB_CLEANUP(xb_err_release) = {0};
	int rc = xb_elf_read(spec->path, spec->name, 0, &check.elf, &parse);

	if (rc < 0 && rc != XB_E_INPUT) {
		xb_err_move(err, &parse);
		return xb_wrap(err, "verify '%s'", spec->name);
	}
	report.summary = arch_of(spec->target);
	if (rc < 0)
		xb_verify_problem(&check, "expected a well-formed ELF file, found: %s", parse.msg);
	else if (rc == 0)
		xb_verify_problem(&check, "expected an ELF file, found another format");
	else
		check_all(&check);
	report.problems = xb_arena_array(&report.arena, check.problems.len + 1, sizeof(*report.problems));
	for (size_t i = 0; i < check.problems.len; i++)
		report.problems[i] = check.problems.items[i];
	report.n_problems = check.problems.len;
	*out = report;
	report = (struct xb_verify_report){0};
	return 0;
}
