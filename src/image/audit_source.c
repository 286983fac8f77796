/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of an image are: below a directory, or at offsets of an archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/archive.h"
#include "xbuild/sys/fs.h"

#define TAR_BLOCK_BYTES	 512
#define MAX_LINKS	 8
#define COPY_CHUNK_BYTES (256 * 1024)

static struct audit_file *add_file(struct audit_run *run, const char *name)
{
	struct audit_file *file = xb_arena_alloc(&run->out->arena, sizeof(*file));

	file->name = xb_arena_strdup(&run->out->arena, name);
	xb_map_put_str(&run->src.files, name, file);
	return file;
}

/* ---- a directory ---- */

static int file_size(const struct audit_run *run, const char *name, int64_t *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", run->src.path, name);
	struct stat st;

	if (lstat(path, &st) < 0)
		return xb_fail_errno(err, "look at '%s'", path);
	*out = st.st_size;
	return 0;
}

static int list_dir(struct audit_run *run, const char *below, bool want_dirs, struct xb_fs_list *out,
		    struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s%s", run->src.path, *below ? "/" : "", below);

	if (xb_fs_list(dir, out, err) < 0)
		return err->code;
	for (size_t i = 0; i < out->len; i++) {
		const struct xb_fs_entry *e = &out->items[i];
		char *name XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s%s", below, *below ? "/" : "", e->name);
		int64_t size_bytes = 0;

		if (e->is_file && !want_dirs && file_size(run, name, &size_bytes, err) < 0)
			return err->code;
		if (e->is_file && !want_dirs)
			add_file(run, name)->size_bytes = size_bytes;
		else if (!e->is_dir && *below)
			audit_problem(run, "'%s': expected a regular file%s", name, e->is_link ? ", found a link" : "");
	}
	return 0;
}

static int open_dir(struct audit_run *run, struct xb_err *err)
{
	struct xb_fs_list top XB_CLEANUP(xb_fs_list_release) = {0}, algorithms XB_CLEANUP(xb_fs_list_release) = {0};

	if (list_dir(run, "", false, &top, err) < 0)
		return err->code;
	for (size_t i = 0; i < top.len; i++) {
		if (strcmp(top.items[i].name, "blobs") != 0)
			continue;
		if (!top.items[i].is_dir)
			audit_problem(run, "'blobs': expected a directory");
		else if (list_dir(run, "blobs", true, &algorithms, err) < 0)
			return err->code;
	}
	for (size_t i = 0; i < algorithms.len; i++) {
		struct xb_fs_list blobs XB_CLEANUP(xb_fs_list_release) = {0};
		char *below XB_CLEANUP(xb_free_ptr) = xb_printf("blobs/%s", algorithms.items[i].name);

		if (algorithms.items[i].is_dir && list_dir(run, below, false, &blobs, err) < 0)
			return err->code;
	}
	return 0;
}

/* ---- an archive ---- */

/* gzip (RFC 1952), xz, zstd (RFC 8878), bzip2. */
static bool is_compressed(int fd)
{
	uint8_t magic[4] = {0};

	return pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	       (memcmp(magic, "\x1f\x8b", 2) == 0 || memcmp(magic, "\xfd\x37zX", 4) == 0 ||
		memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0 || memcmp(magic, "BZh", 3) == 0);
}

static int open_unnamed(int *out, struct xb_err *err)
{
	const char *base = getenv("TMPDIR");
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/xbuild-verify-XXXXXX", base && *base ? base : "/tmp");
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return xb_fail_errno(err, "create '%s'", path);
	unlink(path);
	*out = fd;
	return 0;
}

/* Blobs are wanted in the order of the documents, so a compressed archive is unpacked, once, to a file without a name. */
static int decompress(struct audit_run *run, struct xb_err *err)
{
	struct xb_archive *stream = NULL;
	char *chunk XB_CLEANUP(xb_free_ptr) = xb_alloc(COPY_CHUNK_BYTES);
	int plain XB_CLEANUP(xb_fs_close) = -1;
	int64_t n;

	if (open_unnamed(&plain, err) < 0 ||
	    xb_archive_open_stream(run->src.fd, run->src.path, XB_MAX_TREE_BYTES, &stream, err) < 0)
		return err->code;
	while ((n = xb_archive_read(stream, chunk, COPY_CHUNK_BYTES, err)) > 0) {
		if (audit_check_interrupted(run, err) < 0 ||
		    xb_fs_write_all(plain, chunk, (size_t)n, "a temporary file", err) < 0)
			break;
	}
	xb_archive_close(stream);
	if (err->code)
		return err->code;
	xb_fs_close(&run->src.fd);
	run->src.fd = plain;
	plain = -1;
	return 0;
}

/* The clean name of an entry in out; false for one that no image archive has. */
static bool entry_name(struct audit_run *run, const struct xb_archive_entry *e, struct xb_str *out)
{
	const char *path = e->path;

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	xb_str_reset(out);
	xb_str_append(out, path);
	while (out->len && out->data[out->len - 1] == '/')
		out->data[--out->len] = '\0';
	if (e->type == XB_ARCHIVE_DIR && (!out->len || strcmp(out->data, ".") == 0))
		return false;
	if (!xb_path_is_safe(xb_str_sv(out))) {
		audit_problem(run, "the archive has an entry with the unsafe name '%s'", e->path);
		return false;
	}
	return true;
}

/* Returns the file whose place will be known when the next entry begins, or NULL. */
static struct audit_file *take_entry(struct audit_run *run, const struct xb_archive_entry *e, struct xb_str *name)
{
	struct audit_file *file;

	if (!entry_name(run, e, name) || e->type == XB_ARCHIVE_DIR)
		return NULL;
	if (e->type != XB_ARCHIVE_FILE && e->type != XB_ARCHIVE_SYMLINK) {
		audit_problem(run, "the archive has '%s', which is neither file, directory nor symbolic link",
			      name->data);
		return NULL;
	}
	if (xb_map_has(&run->src.files, xb_str_sv(name))) {
		audit_problem(run, "the archive has '%s' twice", name->data);
		return NULL;
	}
	file = add_file(run, name->data);
	if (e->type == XB_ARCHIVE_SYMLINK)
		file->link = xb_arena_strdup(&run->out->arena, e->link_target);
	else
		file->size_bytes = e->size_bytes;
	return file->link ? NULL : file;
}

/*
 * Content ends where the next headers begin, and lies behind its own, of whatever length those are. A sparse entry has
 * fewer bytes than it says; its digest would be that of other bytes, so it need not be told apart.
 */
static void settle(struct audit_run *run, struct audit_file *file, int64_t begin, int64_t end)
{
	const int64_t padded = file->size_bytes + (-file->size_bytes & (TAR_BLOCK_BYTES - 1));

	file->at = end - padded;
	if (file->size_bytes >= 0 && padded <= end - begin - TAR_BLOCK_BYTES)
		return;
	audit_problem(run, "'%s' says that it has %lld bytes, and the archive has fewer for it", file->name,
		      (long long)file->size_bytes);
	file->size_bytes = 0;
}

static int list_archive(struct audit_run *run, struct xb_archive *archive, struct xb_err *err)
{
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	struct audit_file *open_file = NULL;
	struct xb_archive_entry e;
	int64_t begin = 0;
	size_t n = 0;
	int got;

	while ((got = xb_archive_next(archive, &e, err)) > 0) {
		const int64_t here = xb_archive_position(archive);

		if (audit_check_interrupted(run, err) < 0)
			return err->code;
		if (open_file)
			settle(run, open_file, begin, here);
		begin = here;
		open_file = take_entry(run, &e, &name);
		if (++n > XB_MAX_TREE_ENTRIES)
			return xb_fail(err, XB_E_VERIFY, "read '%s': more than %d entries", run->src.path,
				       XB_MAX_TREE_ENTRIES);
	}
	if (open_file && got == 0)
		settle(run, open_file, begin, xb_archive_position(archive));
	else if (open_file)
		open_file->size_bytes = 0; /* it is cut off, and a finding will say so */
	return got;
}

static int open_archive(struct audit_run *run, struct xb_err *err)
{
	struct xb_archive *archive = NULL;
	int r;

	if (is_compressed(run->src.fd) && decompress(run, err) < 0)
		return err->code;
	r = xb_archive_open_tar(run->src.fd, run->src.path, XB_MAX_TREE_BYTES, 1, &archive, err);
	if (r == 0)
		r = list_archive(run, archive, err);
	xb_archive_close(archive);
	return r;
}

/* ---- both ---- */

int audit_source_open(struct audit_run *run, const char *path, struct xb_err *err)
{
	struct stat st;

	run->src.path = path;
	run->src.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (run->src.fd < 0 || fstat(run->src.fd, &st) < 0)
		return xb_fail_errno(err, "open '%s'", path);
	if (S_ISDIR(st.st_mode)) {
		xb_fs_close(&run->src.fd);
		return open_dir(run, err);
	}
	if (!S_ISREG(st.st_mode))
		return xb_fail(err, XB_E_INPUT, "open '%s': expected a directory or a file", path);
	if (open_archive(run, err) < 0)
		return audit_absorb(run, "", err);
	return 0;
}

void audit_source_close(struct audit_source *src)
{
	xb_fs_close(&src->fd);
	xb_map_release(&src->files);
}

struct audit_file *audit_source_find(struct audit_run *run, const char *name)
{
	struct xb_str path XB_CLEANUP(xb_str_release) = {0};
	struct audit_file *file = xb_map_get_str(&run->src.files, name);

	/* docker save before version 25 names a layer that it has twice by a link to the first */
	for (int i = 0; file && file->link; i++) {
		struct xb_str joined XB_CLEANUP(xb_str_release) = {0};

		if (i == MAX_LINKS)
			return NULL;
		xb_str_append_sv(&joined, xb_path_dir(xb_sv(file->name)));
		xb_str_printf(&joined, "%s%s", joined.len ? "/" : "", file->link);
		xb_path_clean(xb_str_sv(&joined), &path);
		file = xb_map_get_str(&run->src.files, path.data);
	}
	return file;
}

int audit_source_content(struct audit_run *run, const struct audit_file *file, int *out_fd, bool *out_own,
			 int64_t *out_at, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = NULL;
	struct stat st;
	int fd;

	if (run->src.fd >= 0) {
		*out_fd = run->src.fd;
		*out_own = false;
		*out_at = file->at;
		return 0;
	}
	path = xb_printf("%s/%s", run->src.path, file->name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return xb_fail_errno(err, "open '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		xb_fs_close(&fd);
		return xb_fail(err, XB_E_VERIFY, "open '%s': expected a regular file", path);
	}
	*out_fd = fd;
	*out_own = true;
	*out_at = 0;
	return 0;
}
