/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/ar.h"
#include "xbuild/base/attr.h"
#include "xbuild/base/path.h"
#include "xbuild/model/elf.h"
#include "xbuild/sys/fs.h"

#define ELF_HEAD_BYTES 52 /* up to e_flags of both classes and all of the 32-bit one */
#define EI_CLASS_AT    4
#define EI_DATA_AT     5
#define MACHINE_AT     18
#define FLAGS32_AT     36
#define FLAGS64_AT     48

static const char *unit_text(struct run *r)
{
	return xb_arena_printf(&r->arena, "unit '%s' (%s)", r->spec->unit->name, r->drive.cross.target->name);
}

/* "/lib", "/usr/lib64" or anything below one of them. */
static bool is_of_system(struct xb_sv dir)
{
	static const char *const roots[] = {"/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/lib32"};

	for (size_t i = 0; i < XB_COUNT(roots); i++) {
		const size_t n = strlen(roots[i]);

		if (xb_sv_starts(dir, roots[i]) && (dir.len == n || dir.ptr[n] == '/'))
			return true;
	}
	return false;
}

/* Every entry of a search path must be relative to the file that has it, or a place of the running system. */
static bool is_fine_path(struct xb_sv path)
{
	/* nothing behind a colon means the current directory (ld.so(8)) */
	while (path.ptr) {
		const struct xb_sv dir = xb_sv_cut(&path, ':');

		if (!xb_sv_starts(dir, "$ORIGIN") && !is_of_system(dir))
			return false;
	}
	return true;
}

static int other_machine(struct run *r, const char *name, uint16_t machine, struct xb_err *err)
{
	const struct xb_target *target = r->drive.cross.target;

	if (machine == target->elf_machine)
		xb_fail(err, XB_E_VERIFY, "%s installed '%s' for another ABI of ELF machine %d", unit_text(r), name,
			machine);
	else
		xb_fail(err, XB_E_VERIFY, "%s installed '%s' for another machine (ELF machine %d, expected %d)",
			unit_text(r), name, machine, target->elf_machine);
	return xb_hint(err,
		       "a compiler of this host was used: let the build take CC from its environment or arguments; "
		       "'%s-gcc' is in PATH",
		       target->triple);
}

/* The head of an object (gABI, "ELF Header") among the members of an archive. */
static int check_object(struct run *r, const char *name, const uint8_t *head, struct xb_err *err)
{
	const bool big = head[EI_DATA_AT] == 2;
	const uint8_t *m = head + MACHINE_AT, *f = head + (head[EI_CLASS_AT] == 1 ? FLAGS32_AT : FLAGS64_AT);
	const uint16_t machine = (uint16_t)(big ? m[0] << 8 | m[1] : m[1] << 8 | m[0]);
	const uint32_t flags = big ? (uint32_t)f[0] << 24 | (uint32_t)f[1] << 16 | (uint32_t)f[2] << 8 | f[3]
				   : (uint32_t)f[3] << 24 | (uint32_t)f[2] << 16 | (uint32_t)f[1] << 8 | f[0];

	if (xb_target_accepts(r->drive.cross.target, head[EI_CLASS_AT], head[EI_DATA_AT], machine, flags))
		return 0;
	return other_machine(r, name, machine, err);
}

/* What is no object is not looked at. */
static int check_archive(struct run *r, const struct xb_stage_entry *e, const char *path, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC);
	const size_t n = (size_t)e->size_bytes;
	struct xb_sv members, member;
	void *data;
	int rc = 0;

	if (fd < 0 || (data = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
		return xb_fail_errno(err, "read '%s'", path);
	if (xb_ar_begin(xb_sv_n(data, n), &members)) {
		while (rc == 0 && xb_ar_next(&members, &member)) {
			if (member.len >= ELF_HEAD_BYTES && memcmp(member.ptr, "\177ELF", 4) == 0)
				rc = check_object(r, e->path, (const uint8_t *)member.ptr, err);
		}
	}
	munmap(data, n);
	return rc;
}

static int check_elf(struct run *r, const struct xb_stage_entry *e, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(r->drive.stage_dir, e->path);
	const struct xb_target *target = r->drive.cross.target;
	struct xb_elf *elf = NULL;
	const char *search;
	int rc = xb_elf_read(path, e->path, 0, &elf, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return check_archive(r, e, path, err);
	rc = 0;
	search = elf->runpath ? elf->runpath : elf->rpath;
	if (!xb_target_accepts(target, elf->elf_class, elf->elf_data, elf->machine, elf->flags)) {
		rc = other_machine(r, e->path, elf->machine, err);
	} else if (search && *search && !is_fine_path(xb_sv(search))) {
		xb_fail(err, XB_E_VERIFY,
			"%s installed '%s' with the search path '%s', which is neither $ORIGIN nor of the system",
			unit_text(r), e->path, search);
		rc = xb_hint(err,
			     "libraries are found relative to $ORIGIN, or in the system; keep -rpath out of the link");
	}
	xb_elf_free(elf);
	return rc;
}

/* Links lead to a place of the running system, or are relative. */
static int check_link(struct run *r, const struct xb_stage_entry *e, struct xb_err *err)
{
	const char *const here[] = {r->drive.stage_dir, r->drive.project_dir, r->drive.cross.sysroot};

	for (size_t i = 0; i < XB_COUNT(here); i++) {
		const size_t n = strlen(here[i]);

		if (strncmp(e->link, here[i], n) != 0 || (e->link[n] && e->link[n] != '/'))
			continue;
		xb_fail(err, XB_E_VERIFY, "%s installed the link '%s' to '%s', a place of this machine", unit_text(r),
			e->path, e->link);
		return xb_hint(err, "let the link be relative, or leave the staging tree (DESTDIR) out of its text");
	}
	return 0;
}

int drive_check(struct run *r, struct xb_err *err)
{
	if (!r->stage.len) {
		xb_fail(err, XB_E_INPUT, "%s installed nothing", unit_text(r));
		return xb_hint(err, "what it installs with DESTDIR and the prefix /usr is its result");
	}
	for (size_t i = 0; i < r->stage.len; i++) {
		const struct xb_stage_entry *e = &r->stage.items[i];

		if ((e->type == XB_STAGE_FILE && e->size_bytes >= ELF_HEAD_BYTES && check_elf(r, e, err) < 0) ||
		    (e->type == XB_STAGE_LINK && check_link(r, e, err) < 0))
			return err->code;
	}
	if (drive_check_leaks(r, err) < 0 || drive_check_linked(r, err) < 0 || drive_check_objects(r, err) < 0)
		return err->code;
	return drive_check_paths(r, err);
}
