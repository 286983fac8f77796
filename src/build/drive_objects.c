/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that GCC has compiled: the toolchain is always clang, so it was the one of this machine, with its headers. Looked at are
 * objects of this build that a recorded link has read, and what was installed of objects and static libraries. Those of the
 * sysroot come from Debian's GCC, and those among the sources are the project's matter.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "drive.h"
#include "xbuild/base/ar.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/build/depfile.h"
#include "xbuild/model/elf.h"
#include "xbuild/sys/fs.h"

#define ET_REL	       1
#define MAX_TOLD       5
#define ELF_HEAD_BYTES 52

struct objects {
	struct run *r;
	struct xb_arena arena;
	struct xb_map seen;
	struct xb_str names;
	size_t n_found;
};

/* "GCC: (Debian 12.2.0-14) 12.2.0" begins one of the strings. */
static bool is_of_gcc(const char *data, size_t len)
{
	static const char gcc[] = "GCC: (";
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	bool is = false;

	if (xb_elf_parse(data, len, "object", XB_ELF_COMMENT, &elf, &unreadable) <= 0)
		return false;
	if (elf->type == ET_REL && elf->comment) {
		const char *at = strstr(elf->comment, gcc);

		is = at && (at == elf->comment || at[-1] == '\n');
	}
	xb_elf_free(elf);
	return is;
}

static bool has_member_of_gcc(struct xb_sv members)
{
	struct xb_sv member;

	while (xb_ar_next(&members, &member)) {
		if (is_of_gcc(member.ptr, member.len))
			return true;
	}
	return false;
}

/* One that lies among the sources: copied from there to be built with, or installed. */
static bool is_of_sources(const struct objects *o, const char *path)
{
	struct run *r = o->r;
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_foreign_files own;
	struct xb_digest one, other;
	bool is = false;

	if (xb_digest_file(path, &one, NULL, &unreadable) < 0 ||
	    xb_foreign_sources(r->drive.project_dir, r->spec->unit->foreign->dir, &r->arena, &own, &unreadable) < 0)
		return false;
	for (size_t i = 0; i < own.files.len && !is; i++) {
		const struct xb_sv ext = xb_path_ext(xb_sv(own.files.items[i]));

		is = (xb_sv_eq_str(ext, ".a") || xb_sv_eq_str(ext, ".o")) &&
		     xb_digest_file(xb_arena_printf(&r->arena, "%s/%s", r->drive.project_dir, own.files.items[i]),
				    &other, NULL, &unreadable) == 0 &&
		     memcmp(one.bytes, other.bytes, sizeof(one.bytes)) == 0;
	}
	return is;
}

static void look_at(struct objects *o, const char *path, const char *name)
{
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct xb_sv members;
	struct stat st;
	void *data;
	bool is;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < ELF_HEAD_BYTES)
		return;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return;
	is = xb_ar_begin(xb_sv_n(data, (size_t)st.st_size), &members) ? has_member_of_gcc(members)
								      : is_of_gcc(data, (size_t)st.st_size);
	if (is && !is_of_sources(o, path) && o->n_found++ < MAX_TOLD)
		xb_str_printf(&o->names, "%s'%s'", o->names.len ? ", " : "", name);
	munmap(data, (size_t)st.st_size);
}

static bool is_made_here(const struct objects *o, const char *path)
{
	const size_t n = strlen(o->r->root);

	return strncmp(path, o->r->root, n) == 0 && path[n] == '/';
}

/* The directory that a link was started in is what its record begins with. */
static void look_at_link(struct objects *o, const char *libs)
{
	const char *words = xb_arena_printf(&o->arena, "%.*scmd", (int)(strlen(libs) - strlen("libs")), libs);
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_str cwd XB_CLEANUP(xb_str_release) = {0};
	struct xb_depfile list = {0};

	if (xb_fs_read(words, XB_MAX_DEPFILE_BYTES, &cwd, &unreadable) < 0 ||
	    xb_depfile_read(libs, libs, &o->arena, &list, &unreadable) < 0)
		return;
	for (size_t i = 0; i < list.len; i++) {
		const char *path = *list.paths[i] == '/'
					   ? list.paths[i]
					   : xb_arena_printf(&o->arena, "%s/%s", xb_str_get(&cwd), list.paths[i]);

		if (!xb_sv_ends(xb_sv(path), ".so") && is_made_here(o, path) && !xb_map_put_str(&o->seen, path, o))
			look_at(o, path, list.paths[i]);
	}
}

static void look_at_stage(struct objects *o)
{
	const struct run *r = o->r;

	for (size_t i = 0; i < r->stage.len; i++) {
		const struct xb_stage_entry *e = &r->stage.items[i];
		const struct xb_sv ext = xb_path_ext(xb_sv(e->path));

		if (e->type == XB_STAGE_FILE && (xb_sv_eq_str(ext, ".a") || xb_sv_eq_str(ext, ".o")))
			look_at(o, xb_arena_printf(&o->arena, "%s/%s", r->drive.stage_dir, e->path), e->path);
	}
}

int drive_check_objects(struct run *r, struct xb_err *err)
{
	struct objects o = {.r = r};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (xb_fs_list(r->records, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		if (xb_sv_ends(xb_sv(list.items[i].name), ".libs"))
			look_at_link(&o, xb_arena_printf(&o.arena, "%s/%s", r->records, list.items[i].name));
	}
	look_at_stage(&o);
	if (o.n_found > MAX_TOLD)
		xb_str_printf(&o.names, " and %zu more", o.n_found - MAX_TOLD);
	if (o.n_found)
		xb_str_printf(
			r->shown,
			"warning: unit '%s' (%s): GCC, which is of this machine, has compiled %s\n"
			"hint: let the build take CC from its environment or arguments instead of a name such as gcc; "
			"'%s-gcc' is in PATH\n",
			r->spec->unit->name, r->drive.cross.target->name, xb_str_get(&o.names),
			r->drive.cross.target->triple);
	xb_str_release(&o.names);
	xb_map_release(&o.seen);
	xb_arena_release(&o.arena);
	return 0;
}
