/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who linked what was installed. Every link of the wrappers has recorded the build ID of its result (build/wrapper.h,
 * "Records"), which stripping, copying and editing of the search path keep: a program or shared library with another ID was
 * linked by a compiler of this machine, unless it was there before: in the project, the sysroot, or another unit.
 */
#include <fcntl.h>
#include <string.h>

#include "drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/elf.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define ET_EXEC	       2
#define ET_DYN	       3
#define CHUNK_BYTES    (64 * 1024)
#define MAX_TOLD       5
#define ELF_HEAD_BYTES 52

struct stranger {
	const char *path; /* in the staging tree */
	const char *full;
	const char *id; /* or NULL */
	bool is_known;
};

struct linked {
	struct run *r;
	struct xb_arena arena;
	struct xb_map ids;
	XB_VEC(struct stranger) strangers;
};

static void take_ids(struct linked *l, struct xb_sv text)
{
	while (text.len) {
		const struct xb_sv id = xb_sv_cut(&text, '\n');

		if (id.len)
			(void)xb_map_put(&l->ids, id, l);
	}
}

/* IDs of earlier runs in this directory, which are not linked again, and those of the records, kept for later ones. */
static int read_ids(struct linked *l, struct xb_err *err)
{
	const char *kept = xb_arena_printf(&l->arena, "%s/linked", l->r->root);
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, all XB_CLEANUP(xb_str_release) = {0};
	size_t before;

	if (xb_fs_exists(kept) && xb_fs_read(kept, XB_MAX_JSON_BYTES, &text, err) < 0)
		return err->code;
	take_ids(l, xb_str_sv(&text));
	before = l->ids.len;
	if (xb_fs_list(l->r->records, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		const char *path = xb_arena_printf(&l->arena, "%s/%s", l->r->records, list.items[i].name);

		if (!xb_sv_ends(xb_sv(path), ".id"))
			continue;
		if (xb_fs_read(path, XB_MAX_PATH_BYTES, &text, err) < 0)
			return err->code;
		take_ids(l, xb_str_sv(&text));
	}
	if (l->ids.len == before)
		return 0;
	for (size_t i = 0; i < l->ids.len; i++)
		xb_str_printf(&all, "%s\n", l->ids.entries[i].key);
	return xb_atomic_file_write(kept, xb_str_get(&all), all.len, 0644, 0, err);
}

/* True: a program or shared library. What cannot be read is drive_check's matter. */
static bool read_linked(struct linked *l, const char *path, const char **out_id)
{
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	bool is_linked;

	if (xb_elf_read(path, path, 0, &elf, &unreadable) <= 0)
		return false;
	is_linked = elf->type == ET_EXEC || elf->type == ET_DYN;
	*out_id = elf->build_id ? xb_arena_strdup(&l->arena, elf->build_id) : NULL;
	xb_elf_free(elf);
	return is_linked;
}

/* Go links its programs itself; this stands before what they know of their build (debug/buildinfo, "buildInfoMagic"). */
static bool is_of_go(const char *path)
{
	static const char magic[] = "\xff Go buildinf:";
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	char *buf XB_CLEANUP(xb_free_ptr) = xb_alloc(CHUNK_BYTES);
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC);
	size_t kept = 0; /* of the block before: it may end in the middle of the magic */
	int64_t n;

	while (fd >= 0 && (n = xb_fs_read_some(fd, buf + kept, CHUNK_BYTES - kept, path, &unreadable)) > 0) {
		const size_t len = kept + (size_t)n;

		if (memmem(buf, len, magic, sizeof(magic) - 1))
			return true;
		kept = len < sizeof(magic) ? len : sizeof(magic);
		memmove(buf, buf + len - kept, kept);
	}
	return false;
}

static void find_strangers(struct linked *l)
{
	const struct run *r = l->r;

	for (size_t i = 0; i < r->stage.len; i++) {
		const struct xb_stage_entry *e = &r->stage.items[i];
		struct stranger s = {.path = e->path};

		if (e->type != XB_STAGE_FILE || e->size_bytes < ELF_HEAD_BYTES)
			continue;
		s.full = xb_arena_printf(&l->arena, "%s/%s", r->drive.stage_dir, e->path);
		if (read_linked(l, s.full, &s.id) && !xb_map_get_str(&l->ids, s.id ? s.id : "none") &&
		    !is_of_go(s.full))
			XB_VEC_PUSH(&l->strangers, s);
	}
}

static bool is_same_content(const char *a, const char *b)
{
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_digest one, other;

	return xb_digest_file(a, &one, NULL, &unreadable) == 0 && xb_digest_file(b, &other, NULL, &unreadable) == 0 &&
	       memcmp(one.bytes, other.bytes, sizeof(one.bytes)) == 0;
}

/* A file that nobody linked here: those with its ID, or with its bytes where there is none, are known. */
static void meet(struct linked *l, const char *path)
{
	const char *id = NULL;

	if (!read_linked(l, path, &id))
		return;
	for (size_t i = 0; i < l->strangers.len; i++) {
		struct stranger *s = &l->strangers.items[i];

		if (s->id ? id && strcmp(s->id, id) == 0 : !id && is_same_content(s->full, path))
			s->is_known = true;
	}
}

static void meet_tree(struct linked *l, const char *dir)
{
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_stage tree = {0};

	if (!xb_fs_is_dir(dir) || xb_stage_list(dir, &l->arena, &tree, &unreadable) < 0)
		return;
	for (size_t i = 0; i < tree.len; i++) {
		if (tree.items[i].type == XB_STAGE_FILE && tree.items[i].size_bytes >= ELF_HEAD_BYTES)
			meet(l, xb_arena_printf(&l->arena, "%s/%s", dir, tree.items[i].path));
	}
}

/* Files of the project below the unit's directory, what the units that it needs have made, the sysroot. */
static void meet_inputs(struct linked *l)
{
	struct run *r = l->r;
	const char *project = r->drive.project_dir;
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_foreign_files own;

	if (xb_foreign_sources(project, r->spec->unit->foreign->dir, &l->arena, &own, &unreadable) < 0)
		return;
	for (size_t i = 0; i < own.files.len; i++)
		meet(l, xb_arena_printf(&l->arena, "%s/%s", project, own.files.items[i]));
	for (size_t i = 0; i < r->needs.len; i++) {
		if (r->needs.items[i]->foreign)
			meet_tree(l, r->wrapper.prefixes[i]);
		else
			meet(l, xb_arena_printf(&l->arena, "%s/out/%s/%s", project, r->drive.cross.target->name,
						r->needs.items[i]->output_name));
	}
	meet_tree(l, r->drive.cross.sysroot);
}

static void warn(struct linked *l)
{
	struct xb_str names XB_CLEANUP(xb_str_release) = {0};
	const struct xb_target *target = l->r->drive.cross.target;
	size_t n = 0;

	for (size_t i = 0; i < l->strangers.len; i++) {
		if (l->strangers.items[i].is_known)
			continue;
		if (n < MAX_TOLD)
			xb_str_printf(&names, "%s'%s'", n ? ", " : "", l->strangers.items[i].path);
		n++;
	}
	if (!n)
		return;
	if (n > MAX_TOLD)
		xb_str_printf(&names, " and %zu more", n - MAX_TOLD);
	xb_str_printf(
		l->r->shown,
		"warning: unit '%s' (%s): no compiler of this target has linked %s: a compiler of this machine did, "
		"with its headers and libraries\n"
		"hint: let the build take CC from its environment or arguments instead of a name such as gcc; '%s-gcc' "
		"is in PATH\n",
		l->r->spec->unit->name, target->name, xb_str_get(&names), target->triple);
}

int drive_check_linked(struct run *r, struct xb_err *err)
{
	struct linked l = {.r = r};
	const enum xb_driver_kind kind = r->driver->kind;
	int rc;

	/* cmd/go and rustc link by themselves too */
	if (kind == XB_DRIVER_GO || kind == XB_DRIVER_CARGO)
		return 0;
	rc = read_ids(&l, err);
	if (rc == 0)
		find_strangers(&l);
	if (l.strangers.len) {
		meet_inputs(&l);
		warn(&l);
	}
	XB_VEC_RELEASE(&l.strangers);
	xb_map_release(&l.ids);
	xb_arena_release(&l.arena);
	return rc;
}
