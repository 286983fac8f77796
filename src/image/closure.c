/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/closure.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/elf.h"

enum { ET_EXEC_ = 2, ET_DYN_ = 3 }; /* gABI chapter 4, e_type; <elf.h> is not on every host */

/* A file that the loader could load; the same index as its entry. elf is NULL for all others. */
struct object {
	struct xb_elf *elf;
	bool reached; /* by a program or library that was walked already */
};

struct walk {
	const struct xb_rootfs *rootfs;
	const struct xb_target *target;
	struct object *objects;
	struct xb_lacks *lacks;
	bool is_optional; /* what is walked now may lack something */

	/* of one program: what it has loaded, in the order of loading */
	size_t *queue;
	size_t queue_len, queue_cap;
	struct xb_map names; /* needed name or soname -> struct object */
};

void xb_lacks_release(struct xb_lacks *lacks)
{
	if (!lacks)
		return;
	free(lacks->items);
	xb_arena_release(&lacks->arena);
	*lacks = (struct xb_lacks){0};
}

static bool same_lack(const struct xb_lack *a, const struct xb_lack *b)
{
	return a->kind == b->kind && a->file == b->file && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->version, b->version) == 0;
}

/* A library that several programs load is walked several times; it lacks a thing once. */
static void add_lack(struct xb_lacks *lacks, struct xb_lack lack)
{
	lack.version = lack.version ? lack.version : "";
	lack.symbol = lack.symbol ? lack.symbol : "";
	for (size_t i = 0; i < lacks->len; i++) {
		if (!same_lack(&lacks->items[i], &lack))
			continue;
		lacks->items[i].is_optional = lacks->items[i].is_optional && lack.is_optional;
		return;
	}
	lack.name = xb_arena_strdup(&lacks->arena, lack.name);
	lack.version = xb_arena_strdup(&lacks->arena, lack.version);
	lack.symbol = xb_arena_strdup(&lacks->arena, lack.symbol);
	if (lacks->len == lacks->cap)
		lacks->items = xb_vec_grow(lacks->items, &lacks->cap, sizeof(*lacks->items));
	lacks->items[lacks->len++] = lack;
}

static bool is_for_target(const struct xb_elf *elf, const struct xb_target *target)
{
	return xb_target_accepts(target, elf->elf_class, elf->elf_data, elf->machine, elf->flags);
}

static const struct xb_rootfs_entry *entry_of(const struct walk *w, size_t index)
{
	return &w->rootfs->items[index];
}

/* Neither the project's own nor made by xbuild. */
static bool is_given(const struct xb_rootfs_entry *entry)
{
	return entry->layer <= XB_LAYER_PACKAGES;
}

/* Reads every ELF file. Only what can be loaded or run is kept: object files and core files are data. */
static int read_objects(struct walk *w, struct xb_err *err)
{
	w->objects = xb_alloc(w->rootfs->len * sizeof(*w->objects));
	for (size_t i = 0; i < w->rootfs->len; i++) {
		const struct xb_rootfs_entry *e = entry_of(w, i);
		struct xb_elf *elf = NULL;

		if (e->type != XB_TREE_FILE || !e->source) /* of a base: only ELF files have one */
			continue;
		const int r = xb_elf_read(e->source, e->path, 0, &elf, err);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (elf->type != ET_EXEC_ && elf->type != ET_DYN_) {
			xb_elf_free(elf);
			continue;
		}
		w->objects[i].elf = elf;
		if (!is_for_target(elf, w->target))
			add_lack(w->lacks, (struct xb_lack){.kind = XB_LACK_MACHINE,
							    .file = e,
							    .name = e->path,
							    .is_optional = is_given(e)});
	}
	return 0;
}

static void release_walk(struct walk *w)
{
	if (w->objects) {
		for (size_t i = 0; i < w->rootfs->len; i++)
			xb_elf_free(w->objects[i].elf);
	}
	free(w->objects);
	free(w->queue);
	xb_map_release(&w->names);
}

/* The loadable object at an absolute path, or NULL. */
static struct object *object_at(const struct walk *w, const char *path)
{
	const struct xb_rootfs_entry *e = xb_rootfs_resolve(w->rootfs, path);

	if (!e || e->type != XB_TREE_FILE)
		return NULL;
	struct object *object = &w->objects[e - w->rootfs->items];

	return object->elf && is_for_target(object->elf, w->target) ? object : NULL;
}

/* Appends one directory of a RUNPATH with $ORIGIN replaced. False for what is unknown or relative. */
static bool expand_dir(struct xb_sv dir, const char *object_path, struct xb_str *out)
{
	const struct xb_sv origin = xb_path_dir(xb_sv(object_path));

	xb_str_reset(out);
	for (size_t i = 0; i < dir.len;) {
		const struct xb_sv rest = xb_sv_n(dir.ptr + i, dir.len - i);
		const size_t name_len = xb_sv_starts(rest, "$ORIGIN") ? 7 : xb_sv_starts(rest, "${ORIGIN}") ? 9 : 0;

		if (name_len) {
			xb_str_printf(out, "/%.*s", XB_SV_ARG(origin));
			i += name_len;
		} else if (dir.ptr[i] == '$') {
			return false;
		} else {
			xb_str_append_char(out, dir.ptr[i++]);
		}
	}
	return out->len && out->data[0] == '/';
}

static struct object *search_list(const struct walk *w, const char *list, const char *object_path, const char *name)
{
	struct xb_str path XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest = xb_sv(list);

	while (rest.ptr) {
		if (!expand_dir(xb_sv_cut(&rest, ':'), object_path, &path))
			continue;
		xb_str_printf(&path, "/%s", name);
		struct object *found = object_at(w, path.data);

		if (found)
			return found;
	}
	return NULL;
}

static struct object *search_default(const struct walk *w, const char *name)
{
	static const char *const dirs[] = {"/lib/", "/usr/lib/", "/lib", "/usr/lib"};

	for (size_t i = 0; i < XB_COUNT(dirs); i++) {
		char *path XB_CLEANUP(xb_free_ptr) =
			xb_printf("%s%s/%s", dirs[i], i < 2 ? w->target->multiarch : "", name);
		struct object *found = object_at(w, path);

		if (found)
			return found;
	}
	return NULL;
}

/* What the loader opens for a needed name of object `from` in the program that started with queue[0]. */
static struct object *search(const struct walk *w, size_t from, const char *name)
{
	const struct xb_elf *elf = w->objects[from].elf, *program = w->objects[w->queue[0]].elf;
	struct object *found = xb_map_get_str(&w->names, name);

	if (found)
		return found;
	if (strchr(name, '/'))
		return name[0] == '/' ? object_at(w, name) : NULL;
	if (!elf->runpath && elf->rpath)
		found = search_list(w, elf->rpath, entry_of(w, from)->path, name);
	if (!found && !elf->runpath && !program->runpath && program->rpath)
		found = search_list(w, program->rpath, entry_of(w, w->queue[0])->path, name);
	if (!found && elf->runpath)
		found = search_list(w, elf->runpath, entry_of(w, from)->path, name);
	return found ? found : search_default(w, name);
}

static void load(struct walk *w, struct object *object, const char *name)
{
	const size_t index = (size_t)(object - w->objects);
	bool known = false;

	for (size_t i = 0; i < w->queue_len && !known; i++)
		known = w->queue[i] == index;
	if (!known) {
		if (w->queue_len == w->queue_cap)
			w->queue = xb_vec_grow(w->queue, &w->queue_cap, sizeof(*w->queue));
		w->queue[w->queue_len++] = index;
	}
	object->reached = true;
	xb_map_put_str(&w->names, name, object);
	if (object->elf->soname)
		xb_map_put_str(&w->names, object->elf->soname, object);
}

static bool defines(const struct xb_elf *elf, const char *version)
{
	for (size_t i = 0; i < elf->n_defs; i++) {
		if (strcmp(elf->defs[i], version) == 0)
			return true;
	}
	return false;
}

static void check_versions(struct walk *w, size_t index)
{
	const struct xb_elf *elf = w->objects[index].elf;

	for (size_t i = 0; i < elf->n_needs; i++) {
		const struct xb_elf_need *need = &elf->needs[i];
		const struct object *library = xb_map_get_str(&w->names, need->library);

		/* A library that is not there was told as such already. */
		if (need->weak || !library || defines(library->elf, need->version))
			continue;
		add_lack(w->lacks, (struct xb_lack){.kind = XB_LACK_VERSION,
						    .file = entry_of(w, index),
						    .name = need->library,
						    .version = need->version,
						    .symbol = need->symbol,
						    .is_optional = w->is_optional,
						    .found = entry_of(w, (size_t)(library - w->objects))});
	}
}

static void walk_program(struct walk *w, size_t index)
{
	const struct xb_elf *program = w->objects[index].elf;

	w->queue_len = 0;
	xb_map_release(&w->names);
	load(w, &w->objects[index], entry_of(w, index)->path);
	if (program->interpreter) {
		struct object *interpreter = object_at(w, program->interpreter);

		if (!interpreter)
			add_lack(w->lacks, (struct xb_lack){.kind = XB_LACK_INTERPRETER,
							    .file = entry_of(w, index),
							    .name = program->interpreter,
							    .is_optional = w->is_optional});
		else
			load(w, interpreter, program->interpreter);
	}
	for (size_t i = 0; i < w->queue_len; i++) {
		const size_t from = w->queue[i];
		const struct xb_elf *elf = w->objects[from].elf;

		for (size_t k = 0; k < elf->n_needed; k++) {
			struct object *found = search(w, from, elf->needed[k]);

			if (found)
				load(w, found, elf->needed[k]);
			else
				add_lack(w->lacks, (struct xb_lack){.kind = XB_LACK_LIBRARY,
								    .file = entry_of(w, from),
								    .name = elf->needed[k],
								    .is_optional = w->is_optional});
		}
	}
	for (size_t i = 0; i < w->queue_len; i++)
		check_versions(w, w->queue[i]);
}

int xb_closure_find(const struct xb_rootfs *rootfs, const struct xb_target *target, struct xb_lacks *out,
		    struct xb_err *err)
{
	struct walk w XB_CLEANUP(release_walk) = {.rootfs = rootfs, .target = target, .lacks = out};

	if (read_objects(&w, err) < 0)
		return err->code;
	for (int programs = 1; programs >= 0; programs--) {
		for (size_t i = 0; i < rootfs->len; i++) {
			const struct object *object = &w.objects[i];
			const bool is_program = object->elf && object->elf->interpreter && object->elf->n_needed;

			if (!object->elf || !is_for_target(object->elf, target) || is_program != (bool)programs)
				continue;
			w.is_optional = !programs && is_given(&rootfs->items[i]);
			if (programs || !object->reached)
				walk_program(&w, i);
		}
	}
	return 0;
}

static int fail_lack(const struct xb_lack *lack, const struct xb_target *target, struct xb_err *err)
{
	const char *path = lack->file->path, *origin = lack->file->origin;

	switch (lack->kind) {
	case XB_LACK_MACHINE:
		return xb_fail(err, XB_E_VERIFY, "'/%s' (%s) is no program or library for %s", path, origin,
			       target->name);
	case XB_LACK_INTERPRETER:
		return xb_fail(err, XB_E_VERIFY, "'/%s' (%s) needs the program loader '%s', which is not in the image",
			       path, origin, lack->name);
	case XB_LACK_VERSION:
		return xb_fail(err, XB_E_VERIFY,
			       "'/%s' (%s) needs version '%s' of '%s'%s%s%s, which '/%s' (%s) does not define", path,
			       origin, lack->version, lack->name, lack->symbol[0] ? " for '" : "", lack->symbol,
			       lack->symbol[0] ? "'" : "", lack->found->path, lack->found->origin);
	case XB_LACK_LIBRARY:
	default:
		return xb_fail(err, XB_E_VERIFY, "'/%s' (%s) needs library '%s', which is not in the image", path,
			       origin, lack->name);
	}
}

static int hint_lack(const struct xb_lack *lack, enum xb_image_base base, const char *packages, struct xb_err *err)
{
	if (lack->kind == XB_LACK_MACHINE)
		return xb_hint(err, "take the file from 'build:<unit>', which is built for each target");
	if (lack->kind == XB_LACK_VERSION)
		return xb_hint(err, "the file was linked against a newer library than the image has; build it with "
				    "this project's sysroot");
	if (packages)
		return xb_hint(err, "add 'packages: [%s]' to the image and run 'xbuild lock'", packages);
	if (base == XB_BASE_SCRATCH)
		return xb_hint(err,
			       "set 'base: auto', which adds the libraries that programs need, or link statically");
	if (base == XB_BASE_APKO)
		return xb_hint(err,
			       "add the package that has it to 'contents.packages' of the apko.yaml and run 'xbuild "
			       "lock', or add the project's own library to the image's 'files:'");
	if (base == XB_BASE_IMAGE)
		return xb_hint(err, "take a base that has it, link statically, or add it to the image's 'files:'");
	return xb_hint(err, "add its package to the sysroot's 'packages:' and run 'xbuild lock', or add the project's "
			    "own library to the image's 'files:'");
}

/* A file of the name of the library that lacks, somewhere in the image, or NULL. */
static const struct xb_rootfs_entry *find_elsewhere(const struct xb_rootfs *rootfs, const struct xb_lack *lack)
{
	for (size_t i = 0; lack->kind == XB_LACK_LIBRARY && i < rootfs->len; i++) {
		if (rootfs->items[i].type != XB_TREE_DIR &&
		    xb_sv_eq_str(xb_path_base(xb_sv(rootfs->items[i].path)), lack->name))
			return &rootfs->items[i];
	}
	return NULL;
}

int xb_closure_refuse(const struct xb_rootfs *rootfs, const struct xb_lacks *lacks, const struct xb_target *target,
		      enum xb_image_base base, const char *packages, struct xb_err *err)
{
	const struct xb_rootfs_entry *elsewhere;
	const struct xb_lack *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < lacks->len; i++) {
		if (lacks->items[i].is_optional)
			continue;
		first = n++ ? first : &lacks->items[i];
	}
	if (!first)
		return 0;
	fail_lack(first, target, err);
	if (n > 1)
		xb_wrap(err, "%zu things are lacking, the first", n);
	elsewhere = find_elsewhere(rootfs, first);
	/* as with Debian's alternatives, whose links a script would have made */
	if (elsewhere)
		return xb_hint(err, "'/%s' (%s) is where no loader looks: link to it under 'files:', or set a RUNPATH",
			       elsewhere->path, elsewhere->origin);
	return hint_lack(first, base, packages, err);
}

void xb_closure_tell_optional(const struct xb_lacks *lacks, const struct xb_target *target, struct xb_str *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const struct xb_lack *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < lacks->len; i++) {
		if (!lacks->items[i].is_optional)
			continue;
		first = n++ ? first : &lacks->items[i];
	}
	if (!first)
		return;
	fail_lack(first, target, &err);
	xb_str_append(out, err.msg);
	if (n > 1)
		xb_str_printf(out, ", and %zu more of the kind", n - 1);
	xb_str_append(out, "; no program of the image loads it");
}
