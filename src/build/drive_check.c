/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/model/elf.h"

static const char *unit_text(struct run *r)
{
	return xb_arena_printf(&r->arena, "unit '%s' (%s)", r->spec->unit->name, r->drive.cross.target->name);
}

/* Every entry of a search path must be relative to the file that has it, or a place of the running system. */
static bool is_fine_path(struct xb_sv path)
{
	while (path.ptr && path.len) {
		const struct xb_sv dir = xb_sv_cut(&path, ':');

		if (!xb_sv_starts(dir, "$ORIGIN") && !xb_sv_starts(dir, "/usr/lib") && !xb_sv_starts(dir, "/lib"))
			return false;
	}
	return true;
}

static int check_elf(struct run *r, const struct xb_stage_entry *e, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(r->drive.stage_dir, e->path);
	const struct xb_target *target = r->drive.cross.target;
	struct xb_elf *elf = NULL;
	const char *search;
	int rc = xb_elf_read(path, e->path, 0, &elf, err);

	if (rc <= 0)
		return rc;
	rc = 0;
	search = elf->runpath ? elf->runpath : elf->rpath;
	if (elf->machine != target->elf_machine || elf->elf_class != target->elf_class) {
		xb_fail(err, XB_E_VERIFY, "%s installed '%s' for another machine (ELF machine %d, expected %d)",
			unit_text(r), e->path, elf->machine, target->elf_machine);
		rc = xb_hint(err,
			     "a compiler of this host was used: let the build take CC from its environment or "
			     "arguments; '%s-gcc' is in PATH",
			     target->triple);
	} else if (search && !is_fine_path(xb_sv(search))) {
		xb_fail(err, XB_E_VERIFY, "%s installed '%s' with the search path '%s', a place of this machine",
			unit_text(r), e->path, search);
		rc = xb_hint(err,
			     "libraries are found relative to $ORIGIN, or in the system; keep -rpath out of the link");
	}
	xb_elf_free(elf);
	return rc;
}

/* Machine code of archives is not looked at: what is linked with it is. */
int drive_check(struct run *r, struct xb_err *err)
{
	if (!r->stage.len) {
		xb_fail(err, XB_E_INPUT, "%s installed nothing", unit_text(r));
		return xb_hint(err, "what it installs with DESTDIR and the prefix /usr is its result");
	}
	for (size_t i = 0; i < r->stage.len; i++) {
		const struct xb_stage_entry *e = &r->stage.items[i];

		if (e->type == XB_STAGE_FILE && e->size_bytes >= 52 && check_elf(r, e, err) < 0)
			return err->code;
	}
	return drive_check_leaks(r, err);
}
