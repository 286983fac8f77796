/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "verify_check.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

static const char *const families[XB_FAMILY_COUNT] = {
	[XB_FAMILY_GLIBC] = "GLIBC_",
	[XB_FAMILY_GLIBCXX] = "GLIBCXX_",
	[XB_FAMILY_CXXABI] = "CXXABI_",
};

/* Versions that are no numbers stand for a glibc all the same: NEWS of glibc 2.36, "DT_RELR". */
static const struct {
	const char *version, *since;
} marks[] = {
	{"GLIBC_ABI_DT_RELR", "GLIBC_2.36"},
};

/* Owned path of the library, or NULL. Names with a slash are paths to the loader and found nowhere here. */
static char *find_library(const struct xb_verify_spec *spec, const char *name)
{
	const char *const dirs[][2] = {
		{"usr/lib", spec->target->multiarch}, {"lib", spec->target->multiarch}, {"usr/lib", ""}, {"lib", ""}};

	for (size_t i = 0; i < spec->n_libraries; i++) {
		if (strcmp(spec->libraries[i].soname, name) == 0)
			return xb_strdup(spec->libraries[i].path);
	}
	if (strchr(name, '/'))
		return NULL;
	for (size_t i = 0; i < XB_COUNT(dirs); i++) {
		char *path =
			xb_printf("%s/%s/%s%s%s", spec->sysroot, dirs[i][0], dirs[i][1], *dirs[i][1] ? "/" : "", name);

		if (xb_fs_exists(path))
			return path;
		free(path);
	}
	return NULL;
}

static bool defines(const struct xb_elf *library, const char *version)
{
	for (size_t i = 0; i < library->n_defs; i++) {
		if (strcmp(library->defs[i], version) == 0)
			return true;
	}
	return false;
}

/* " (needed by stat)", or nothing. */
static const char *blame(struct xb_check *check, const struct xb_elf_need *need)
{
	return *need->symbol ? xb_arena_printf(&check->report->arena, " (needed by %s)", need->symbol) : "";
}

/* The highest version of the same family that the library defines, for the message, or NULL. */
static const char *best_definition(const struct xb_elf *library, const char *version)
{
	const char *best = NULL;

	for (size_t i = 0; i < library->n_defs; i++) {
		int order = 0;

		if (!xb_elf_version_compare(library->defs[i], version, &order))
			continue;
		if (!best || (xb_elf_version_compare(library->defs[i], best, &order) && order > 0))
			best = library->defs[i];
	}
	return best;
}

static void check_versions(struct xb_check *check, const char *name, const struct xb_elf *library)
{
	for (size_t i = 0; i < check->elf->n_needs; i++) {
		const struct xb_elf_need *need = &check->elf->needs[i];
		const char *best;

		if (strcmp(need->library, name) != 0 || need->weak || defines(library, need->version))
			continue;
		best = best_definition(library, need->version);
		xb_verify_problem(check, "expected %s to define %s%s, found %s%s", name, need->version,
				  blame(check, need), best ? "at most " : "no such version", best ? best : "");
	}
}

static bool is_needed(const struct xb_elf *elf, const char *library)
{
	for (size_t i = 0; i < elf->n_needed; i++) {
		if (strcmp(elf->needed[i], library) == 0)
			return true;
	}
	return false;
}

static bool is_of_project(const struct xb_check *check, const char *name)
{
	for (size_t i = 0; i < check->spec->n_libraries; i++) {
		if (strcmp(check->spec->libraries[i].soname, name) == 0)
			return true;
	}
	return false;
}

/* Debian's libraries are made with libstdc++, and one that is C to the outside may be. Between the project's own it is a mistake. */
static void check_stdlib(struct xb_check *check, const char *name, const struct xb_elf *library)
{
	static const char *const names[] = {"libstdc++.so.6", "libc++.so.1"};

	for (size_t i = 0; i < XB_COUNT(names); i++) {
		if (is_of_project(check, name) && is_needed(check->elf, names[i]) && is_needed(library, names[!i]))
			xb_verify_problem(check, "expected one C++ library, found %s here and %s in %s", names[i],
					  names[!i], name);
	}
}

/* The project has a library of this soname by another name, where the loader does not look for it. */
static const char *other_name_of(const struct xb_check *check, const char *soname)
{
	for (size_t i = 0; i < check->spec->n_libraries; i++) {
		const char *path = check->spec->libraries[i].path;
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_elf *library = NULL;
		const bool is = xb_elf_read(path, path, 0, &library, &err) > 0 && library->soname &&
				strcmp(library->soname, soname) == 0;

		xb_elf_free(library);
		if (is)
			return strrchr(path, '/') + 1; /* absolute */
	}
	return NULL;
}

static void miss_library(struct xb_check *check, const char *name)
{
	const char *other = other_name_of(check, name);

	if (other)
		xb_verify_problem(
			check,
			"expected needed library %s by that name, found %s, whose soname it is: let 'outputs' "
			"name the file %s",
			name, other, name);
	else
		xb_verify_problem(
			check, "expected needed library %s in the sysroot or the project, found it in neither", name);
}

static void check_library(struct xb_check *check, const char *name)
{
	const struct xb_target *target = check->spec->target;
	char *path XB_CLEANUP(xb_free_ptr) = find_library(check->spec, name);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *library = NULL;
	int rc;

	if (!path) {
		miss_library(check, name);
		return;
	}
	rc = xb_elf_read(path, name, 0, &library, &err);
	if (rc <= 0)
		xb_verify_problem(check, "expected needed library %s to be an ELF file, found %s", name,
				  rc < 0 ? err.msg : "another format");
	else if (!xb_target_accepts(target, library->elf_class, library->elf_data, library->machine, library->flags))
		xb_verify_problem(check,
				  "expected needed library %s for %s, found one for machine %u, class %u, flags 0x%x",
				  name, target->name, library->machine, library->elf_class, library->flags);
	else
		check_versions(check, name, library);
	if (library)
		check_stdlib(check, name, library);
	xb_elf_free(library);
}

void xb_verify_libraries(struct xb_check *check)
{
	const struct xb_elf *elf = check->elf;

	for (size_t i = 0; i < elf->n_needed; i++)
		check_library(check, elf->needed[i]);
	for (size_t i = 0; i < elf->n_needs; i++) {
		/* needs are sorted by library: one message for each */
		if ((i > 0 && strcmp(elf->needs[i - 1].library, elf->needs[i].library) == 0) ||
		    is_needed(elf, elf->needs[i].library))
			continue;
		xb_verify_problem(
			check, "expected %s among the needed libraries, since %s is needed from it, found it missing",
			elf->needs[i].library, elf->needs[i].version);
	}
}

static void note_highest(struct xb_check *check, const struct xb_elf_need *need)
{
	for (size_t i = 0; i < XB_FAMILY_COUNT; i++) {
		const struct xb_elf_need **best = &check->highest[i];
		int order = 0;

		if (strncmp(need->version, families[i], strlen(families[i])) != 0)
			continue;
		/* GLIBC_PRIVATE and CXXABI_FLOAT128 have no place among the numbers. */
		if (!xb_elf_version_compare(need->version, need->version, &order))
			continue;
		if (!*best || (xb_elf_version_compare(need->version, (*best)->version, &order) && order > 0))
			*best = need;
	}
}

/* The numbered version that stands for a need, or NULL when it is none of glibc's numbers. */
static const char *numbered(const struct xb_elf_need *need)
{
	int order;

	for (size_t i = 0; i < XB_COUNT(marks); i++) {
		if (strcmp(marks[i].version, need->version) == 0)
			return marks[i].since;
	}
	if (strncmp(need->version, "GLIBC_", 6) != 0 || !xb_elf_version_compare(need->version, need->version, &order))
		return NULL;
	return need->version;
}

void xb_verify_floor(struct xb_check *check)
{
	const char *declared = check->spec->glibc_floor;
	const char *floor = declared ? xb_arena_printf(&check->report->arena, "GLIBC_%s", declared) : NULL;

	for (size_t i = 0; i < check->elf->n_needs; i++) {
		const struct xb_elf_need *need = &check->elf->needs[i];
		const char *version = numbered(need);
		int order = 0;

		note_highest(check, need);
		if (strcmp(need->version, "GLIBC_PRIVATE") == 0)
			xb_verify_problem(check, "expected no use of glibc's own symbols, found GLIBC_PRIVATE of %s%s",
					  need->library, blame(check, need));
		if (floor && version && xb_elf_version_compare(version, floor, &order) && order > 0)
			xb_verify_problem(check, "expected at most %s (glibc-floor), found %s of %s%s", floor,
					  need->version, need->library, blame(check, need));
	}
}

/* What is wrong with one directory of a run path, or NULL. */
static const char *run_path_fault(struct xb_sv part)
{
	struct xb_str clean XB_CLEANUP(xb_str_release) = {0};
	size_t skip;

	if (part.len == 0)
		return "the current directory";
	if (*part.ptr == '/')
		return "an absolute path";
	if (xb_sv_starts(part, "${ORIGIN}"))
		skip = strlen("${ORIGIN}");
	else if (xb_sv_starts(part, "$ORIGIN"))
		skip = strlen("$ORIGIN");
	else
		return "a path relative to the current directory";
	part = xb_sv_n(part.ptr + skip, part.len - skip);
	if (part.len == 0)
		return NULL;
	if (*part.ptr != '/')
		return "a path relative to the current directory";
	xb_path_clean(xb_sv_n(part.ptr + 1, part.len - 1), &clean);
	if (strcmp(xb_str_get(&clean), "..") == 0 || strncmp(xb_str_get(&clean), "../", 3) == 0)
		return "a path that leaves $ORIGIN";
	return NULL;
}

static void check_run_path(struct xb_check *check, const char *tag, const char *text)
{
	struct xb_sv rest = text ? xb_sv(text) : (struct xb_sv){0};

	while (rest.ptr) {
		struct xb_sv part = xb_sv_cut(&rest, ':');
		const char *fault = run_path_fault(part);

		if (fault)
			xb_verify_problem(check, "expected %s to stay below $ORIGIN, found %s: '%.*s'", tag, fault,
					  XB_SV_ARG(part));
	}
}

void xb_verify_run_paths(struct xb_check *check)
{
	check_run_path(check, "RPATH", check->elf->rpath);
	check_run_path(check, "RUNPATH", check->elf->runpath);
}
