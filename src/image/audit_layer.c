/* SPDX-License-Identifier: Apache-2.0 */
/* One layer: what is in its tar, read as a stream. OCI image-spec v1.1 layer.md. */
#include <string.h>
#include <unistd.h>

#include "audit_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/archive.h"
#include "xbuild/sys/fs.h"

#define CONTENT_CHUNK_BYTES (64 * 1024)
#define ELF_HEAD_BYTES	    20 /* up to e_machine: System V gABI chapter 4, "ELF Header" */
#define ET_REL		    1
#define ET_DYN		    3

/* What a path of the layer is, as the values of a map; KIND_ABOVE: only named as a directory above something. */
enum kind { KIND_ABOVE, KIND_DIR, KIND_FILE, KIND_LINK, KIND_OTHER };
static char kinds[] = {KIND_ABOVE, KIND_DIR, KIND_FILE, KIND_LINK, KIND_OTHER};

struct reading {
	struct audit_run *run;
	struct audit_file *file;
	struct audit_layer *layer;
	const char *where;	     /* "layer sha256:..." */
	struct xb_map paths;	     /* -> an element of kinds */
	struct xb_str listing, head; /* head: of the current file */
	int64_t name_bytes;
	size_t n_entries;
};

static enum kind kind_of(const struct xb_archive_entry *e)
{
	switch (e->type) {
	case XB_ARCHIVE_DIR:
		return KIND_DIR;
	case XB_ARCHIVE_FILE:
	case XB_ARCHIVE_HARDLINK:
		return KIND_FILE;
	case XB_ARCHIVE_SYMLINK:
		return KIND_LINK;
	case XB_ARCHIVE_OTHER:
		break;
	}
	return KIND_OTHER;
}

/* Without "./" in front and "/" behind, which many writers add (layer.md "Creating"). "" is the root. */
static void trim_name(const char *name, struct xb_str *out)
{
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	xb_str_reset(out);
	xb_str_append(out, strcmp(name, ".") == 0 ? "" : name);
	while (out->len > 1 && out->data[out->len - 1] == '/')
		out->data[--out->len] = '\0';
}

/* False where a directory above the path is something else: a reader would write through the link. */
static bool check_above(struct reading *r, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		const struct xb_sv above = xb_sv_n(path, (size_t)(slash - path));
		const char *kind = xb_map_get(&r->paths, above);

		if (!kind) {
			xb_map_put(&r->paths, above, &kinds[KIND_ABOVE]);
			r->name_bytes += (int64_t)above.len;
		} else if (*kind != KIND_DIR && *kind != KIND_ABOVE) {
			audit_problem(r->run, "%s: '%s' lies below '%.*s', which is %s", r->where, path,
				      XB_SV_ARG(above), *kind == KIND_LINK ? "a symbolic link" : "no directory");
			return false;
		}
	}
	return true;
}

static void check_hard_link(struct reading *r, const char *path, const char *target)
{
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};

	trim_name(target, &name);
	if (!xb_path_is_safe(xb_str_sv(&name))) {
		audit_problem(r->run, "%s: hard link '%s' leads to the unsafe name '%s'", r->where, path, target);
		return;
	}
	if (check_above(r, name.data) && !xb_map_has(&r->paths, xb_str_sv(&name)))
		audit_warning(r->run, "%s: hard link '%s' leads to '%s', which is not before it in the layer", r->where,
			      path, name.data);
}

static void check_name(struct reading *r, const struct xb_archive_entry *e, const char *path)
{
	const enum kind kind = kind_of(e);
	const char *before;

	if (!xb_path_is_safe(xb_sv(path))) {
		audit_problem(r->run, "%s: an entry has the unsafe name '%s'", r->where, e->path);
		return;
	}
	if (!check_above(r, path))
		return;
	if (e->type == XB_ARCHIVE_HARDLINK)
		check_hard_link(r, path, e->link_target);
	before = xb_map_get_str(&r->paths, path);
	if (before && *before == KIND_ABOVE && kind != KIND_DIR)
		audit_problem(r->run, "%s: '%s' is no directory, and something lies below it", r->where, path);
	else if (before && *before != KIND_ABOVE)
		audit_problem(r->run, "%s: '%s' is there twice", r->where, path);
	else
		xb_map_put_str(&r->paths, path, &kinds[kind]);
	r->name_bytes += before ? 0 : (int64_t)strlen(path);
}

/* ---- ELF files ---- */

static void count_machine(struct reading *r, const struct audit_machine *found, const char *path)
{
	struct audit_layer *l = r->layer;
	size_t i = 0;

	while (i < l->n_machines &&
	       (l->machines[i].machine != found->machine || l->machines[i].elf_class != found->elf_class ||
		l->machines[i].elf_data != found->elf_data || l->machines[i].is_program != found->is_program))
		i++;
	if (i == l->n_machines && i < AUDIT_MACHINES) {
		l->machines[l->n_machines++] = *found;
		l->machines[i].first = xb_arena_strdup(&r->run->out->arena, path);
	}
	l->machines[i < AUDIT_MACHINES ? i : AUDIT_MACHINES - 1].count++;
}

static void look_at_head(struct reading *r, const struct xb_archive_entry *e, const uint8_t *head, const char *path)
{
	struct audit_machine found = {0};
	uint16_t type;

	if (memcmp(head, "\177ELF", 4) != 0)
		return;
	const bool big = head[5] == 2;

	type = (uint16_t)(big ? head[16] << 8 | head[17] : head[17] << 8 | head[16]);
	found.machine = (uint16_t)(big ? head[18] << 8 | head[19] : head[19] << 8 | head[18]);
	found.elf_class = head[4];
	found.elf_data = head[5];
	found.is_program = type == ET_DYN || e->mode & 0111;
	if (type != ET_REL) /* an object file or a kernel module is data here */
		count_machine(r, &found, path);
}

/* All of the content goes to the watch; without one that wants it the head is enough, and the rest is skipped. */
static int read_content(struct reading *r, struct xb_archive *a, const struct xb_archive_entry *e, const char *path,
			bool wanted, struct xb_err *err)
{
	const struct audit_watch *watch = wanted ? r->run->watch : NULL;
	const size_t head_wanted = audit_wanted_head(e, path);
	const size_t want = head_wanted > ELF_HEAD_BYTES ? head_wanted : ELF_HEAD_BYTES;
	uint8_t chunk[CONTENT_CHUNK_BYTES];
	int64_t n;

	xb_str_reset(&r->head);

	do {
		const size_t left = want - r->head.len;

		n = xb_archive_read(a, chunk, watch || left > sizeof(chunk) ? sizeof(chunk) : left, err);
		if (n < 0)
			return err->code;
		if (watch && n > 0)
			watch->content(watch->ctx, chunk, (size_t)n);
		xb_str_append_n(&r->head, chunk, (size_t)n < left ? (size_t)n : left);
	} while (n > 0 && (watch || r->head.len < want));
	if (watch)
		watch->content(watch->ctx, NULL, 0);
	if (r->head.len >= ELF_HEAD_BYTES)
		look_at_head(r, e, (const uint8_t *)r->head.data, path);
	audit_keep_entry(r->run, &r->listing, e, path, xb_sv_n(xb_str_get(&r->head), head_wanted ? r->head.len : 0));
	return 0;
}

/*
 * GOARCH (config.md "architecture") and what its programs look like: machine numbers of the ABI supplements, as in elf(5).
 * `also` is a machine whose programs the kernel of such a host runs too.
 */
static const struct architecture {
	const char *name;
	uint16_t machine;
	uint8_t elf_class, elf_data;
	uint16_t also;
} architectures[] = {
	{"386", 3, 1, 1, 0},	   {"amd64", 62, 2, 1, 3}, {"arm", 40, 1, 1, 0},     {"arm64", 183, 2, 1, 40},
	{"loong64", 258, 2, 1, 0}, {"mips", 8, 1, 2, 0},   {"mipsle", 8, 1, 1, 0},   {"mips64", 8, 2, 2, 0},
	{"mips64le", 8, 2, 1, 0},  {"ppc64", 21, 2, 2, 0}, {"ppc64le", 21, 2, 1, 0}, {"riscv64", 243, 2, 1, 0},
	{"s390x", 22, 2, 2, 0},
};

static const char *machine_name(const struct audit_machine *m, struct xb_str *out)
{
	for (size_t i = 0; i < XB_COUNT(architectures); i++) {
		if (architectures[i].machine == m->machine && architectures[i].elf_class == m->elf_class &&
		    architectures[i].elf_data == m->elf_data)
			return architectures[i].name;
	}
	xb_str_printf(out, "ELF machine %u", m->machine);
	return out->data;
}

void audit_check_machines(struct audit_run *run, const struct audit_layer *layer, const char *architecture,
			  const char *where)
{
	const struct architecture *a = architectures;

	while (a < architectures + XB_COUNT(architectures) && strcmp(a->name, architecture) != 0)
		a++;
	if (a == architectures + XB_COUNT(architectures)) {
		if (layer->n_machines)
			audit_warning(run, "%s: programs were not compared with the unknown architecture '%s'", where,
				      architecture);
		return;
	}
	for (size_t i = 0; i < layer->n_machines; i++) {
		const struct audit_machine *m = &layer->machines[i];
		struct xb_str name XB_CLEANUP(xb_str_release) = {0}, more XB_CLEANUP(xb_str_release) = {0};

		if ((m->machine == a->machine && m->elf_class == a->elf_class && m->elf_data == a->elf_data) ||
		    (a->also && m->machine == a->also))
			continue;
		if (m->count > 1)
			xb_str_printf(&more, " and %zu more", m->count - 1);
		if (m->is_program)
			audit_problem(run, "%s: '%s'%s: a program for %s in an image for %s", where, m->first,
				      xb_str_get(&more), machine_name(m, &name), a->name);
		else
			audit_warning(run, "%s: '%s'%s: for %s in an image for %s, and not executable", where, m->first,
				      xb_str_get(&more), machine_name(m, &name), a->name);
	}
}

/* ---- the tar ---- */

static int read_entry(struct reading *r, struct xb_archive *a, const struct xb_archive_entry *e, struct xb_str *path,
		      struct xb_err *err)
{
	const struct audit_watch *watch = r->run->watch;
	bool wanted = false;

	trim_name(e->path, path);
	if (path->len || e->type != XB_ARCHIVE_DIR)
		check_name(r, e, path->data);
	if (++r->n_entries > XB_MAX_TREE_ENTRIES || r->name_bytes > XB_MAX_LAYER_NAME_BYTES)
		return xb_fail(err, XB_E_VERIFY, "%s: more than %d entries or %lld bytes of names", r->where,
			       XB_MAX_TREE_ENTRIES, XB_MAX_LAYER_NAME_BYTES);
	if (watch && watch->entry(watch->ctx, r->file, e, xb_str_get(path), &wanted, err) < 0)
		return err->code;
	if (e->type != XB_ARCHIVE_FILE) {
		audit_keep_entry(r->run, &r->listing, e, xb_str_get(path), xb_sv(""));
		return 0;
	}
	r->layer->unpacked_bytes += e->size_bytes > 0 ? e->size_bytes : 0;
	return read_content(r, a, e, xb_str_get(path), wanted, err);
}

static int read_entries(struct reading *r, struct xb_archive *a, struct xb_err *err)
{
	struct xb_str path XB_CLEANUP(xb_str_release) = {0};
	struct xb_archive_entry e;
	int got;

	while ((got = xb_archive_next(a, &e, err)) > 0) {
		if (audit_check_interrupted(r->run, err) < 0 || read_entry(r, a, &e, &path, err) < 0)
			return err->code;
	}
	if (got < 0)
		return got;
	xb_archive_sum(a, &r->layer->diff_id);
	r->layer->whole = true;
	audit_keep_listing(r->run, &r->listing, r->layer);
	return 0;
}

/* layer.md knows these three; what else a reader would take by its looks is told here, before a decoder sees it. */
static const char *packing_of(int fd, int64_t at, int64_t size_bytes)
{
	uint8_t magic[6] = {0};
	const ssize_t n =
		pread(fd, magic, size_bytes < (int64_t)sizeof(magic) ? (size_t)size_bytes : sizeof(magic), (off_t)at);

	if (n >= 2 && memcmp(magic, "\x1f\x8b", 2) == 0)
		return "tar+gzip";
	if (n >= 4 && memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
		return "tar+zstd";
	if (n >= 6 && (memcmp(magic, "\xfd\x37zXZ", 6) == 0 || memcmp(magic, "BZh", 3) == 0))
		return NULL;
	return "tar";
}

int audit_layer(struct audit_run *run, struct audit_file *file, struct xb_err *err)
{
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("layer '%s'", file->name);
	struct reading r = {.run = run, .file = file, .layer = &file->layer, .where = where};
	struct xb_archive *a = NULL;
	bool own = false;
	int64_t at;
	int fd, code;

	if (file->layer.done)
		return 0;
	file->layer.done = true;
	if (audit_source_content(run, file, &fd, &own, &at, err) < 0)
		return audit_absorb(run, where, err);
	file->layer.packing = packing_of(fd, at, file->size_bytes);
	if (!file->layer.packing) {
		audit_problem(run, "%s: it is compressed, but neither by gzip nor by zstd", where);
		code = 0;
	} else {
		code = xb_archive_open_part(fd, at, file->size_bytes, file->name, XB_MAX_TREE_BYTES, &a, err);
		if (code == 0)
			code = read_entries(&r, a, err);
	}
	xb_archive_close(a);
	xb_map_release(&r.paths);
	xb_str_release(&r.listing);
	xb_str_release(&r.head);
	if (own)
		xb_fs_close(&fd);
	return code < 0 ? audit_absorb(run, "layer", err) : 0;
}
