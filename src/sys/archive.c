/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive_source.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/deb_members.h"

#define TAR_BLOCK_BYTES 512

/* What a header, its pax records and its padding may add to the content of an entry in a tar that we read. */
#define TAR_OVERHEAD_BYTES (4096LL * XB_MAX_TREE_ENTRIES)

enum filter {
	FILTER_NONE = 0,
	FILTER_GZIP = 1 << 0,
	FILTER_XZ = 1 << 1,
	FILTER_ZSTD = 1 << 2,
	FILTER_BZIP2 = 1 << 3,
	FILTER_ALL = FILTER_GZIP | FILTER_XZ | FILTER_ZSTD | FILTER_BZIP2
};

/*
 * Two libarchive readers on top of each other: `raw` undoes the compression, `tar` reads what comes out. Between them
 * the bytes of the tar pass through our hands, so that its size can be bounded and its end marker checked: libarchive
 * itself takes a tar that just stops between two entries for a complete one.
 */
struct xb_archive {
	struct xb_source *src;
	char *name; /* for messages */
	struct archive *raw;
	struct archive *tar; /* NULL for a single stream */
	int64_t max_bytes;
	int64_t delivered;   /* handed to the caller, all entries */
	int64_t tar_bytes;   /* came out of raw */
	int64_t tar_zeros;   /* of them, zeros at the end */
	int64_t entry_bytes; /* size of the current entry, -1 unknown */
	int64_t entry_read;
	struct xb_hasher hasher; /* of the bytes of the tar, where they are asked for */
	bool readable;		 /* there is a current file or stream */
	bool ended;
};

static la_ssize_t raw_read_cb(struct archive *raw, void *user, const void **out)
{
	struct xb_archive *a = user;
	struct xb_source_problem problem = {0};
	const ssize_t n = xb_source_read(a->src, out, &problem);

	if (n >= 0)
		return n;
	archive_set_error(raw, problem.number, "%s", problem.text);
	return ARCHIVE_FATAL;
}

/* ---- between the two readers ---- */

static void count_zeros(struct xb_archive *a, const uint8_t *bytes, size_t len)
{
	size_t zeros = 0;
	while (zeros < len && bytes[len - 1 - zeros] == 0)
		zeros++;
	a->tar_zeros = zeros == len ? a->tar_zeros + (int64_t)zeros : (int64_t)zeros;
	a->tar_bytes += (int64_t)len;
}

static la_ssize_t tar_read_cb(struct archive *tar, void *user, const void **out)
{
	struct xb_archive *a = user;
	const void *block = NULL;
	size_t len = 0;
	la_int64_t offset = 0;
	int rc = archive_read_data_block(a->raw, &block, &len, &offset);
	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK) {
		archive_set_error(tar, archive_errno(a->raw), "%s", archive_error_string(a->raw));
		return ARCHIVE_FATAL;
	}
	if ((int64_t)len > a->max_bytes + TAR_OVERHEAD_BYTES - a->tar_bytes) {
		archive_set_error(tar, EFBIG, "it unpacks to more than the allowed %lld bytes",
				  (long long)a->max_bytes);
		return ARCHIVE_FATAL;
	}
	count_zeros(a, block, len);
	if (a->hasher.state)
		xb_hasher_update(&a->hasher, block, len);
	*out = block;
	return (la_ssize_t)len;
}

/* ---- errors ---- */

static const char *reason(struct archive *ar)
{
	const char *text = ar ? archive_error_string(ar) : NULL;
	return text ? text : "unknown error";
}

/* What the environment did is not the archive's fault. */
static int fail_archive(struct xb_archive *a, struct archive *ar, struct xb_err *err)
{
	int number = archive_errno(ar);
	enum xb_code code = number == EIO || number == ENOMEM || number == EBADF ? XB_E_SYSTEM : XB_E_VERIFY;
	a->readable = false;
	a->ended = true;
	if (xb_source_is_interrupted(a->src))
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted while '%s' was read", a->name);
	return xb_fail(err, code, "read '%s': %s", a->name, reason(ar));
}

/*
 * In the C locale libarchive warns about each name that is not ASCII, and keeps its bytes: that is what we want. Every
 * other warning means that something of the entry was not understood.
 */
static bool is_charset_warning(struct archive *ar)
{
	const char *text = archive_error_string(ar);
	return text && strstr(text, "can't be converted") != NULL;
}

/* ---- opening ---- */

static void support_filters(struct archive *raw, unsigned filters)
{
	/* A filter that this libarchive lacks shows as "unrecognized" when data needs it; hence the ignored results. */
	if (filters & FILTER_GZIP)
		(void)archive_read_support_filter_gzip(raw);
	if (filters & FILTER_XZ)
		(void)archive_read_support_filter_xz(raw);
	if (filters & FILTER_ZSTD)
		(void)archive_read_support_filter_zstd(raw);
	if (filters & FILTER_BZIP2)
		(void)archive_read_support_filter_bzip2(raw);
}

/* Of the file itself and in libarchive. */
static int count_filters(const struct xb_archive *a)
{
	return archive_filter_count(a->raw) - 1 + xb_source_is_xz(a->src);
}

static int open_raw(struct xb_archive *a, unsigned filters, struct xb_err *err)
{
	a->raw = archive_read_new();
	if (!a->raw)
		return xb_fail(err, XB_E_SYSTEM, "read '%s': libarchive has no memory", a->name);
	support_filters(a->raw, filters);
	if (!(filters & FILTER_XZ))
		xb_source_keep_xz(a->src);
	if (archive_read_support_format_raw(a->raw) != ARCHIVE_OK ||
	    archive_read_support_format_empty(a->raw) != ARCHIVE_OK ||
	    archive_read_open(a->raw, a, NULL, raw_read_cb, NULL) != ARCHIVE_OK)
		return fail_archive(a, a->raw, err);
	/* Two compressions around each other are no form that anyone publishes. */
	if (count_filters(a) > 1)
		return xb_fail(err, XB_E_VERIFY, "read '%s': it is compressed more than once", a->name);
	if (count_filters(a) == 0 && xb_source_looks_compressed(a->src))
		return xb_fail(err, XB_E_VERIFY, "read '%s': its compression is damaged or not supported", a->name);
	struct archive_entry *entry = NULL;
	int rc = archive_read_next_header(a->raw, &entry);
	if (rc == ARCHIVE_EOF) {
		a->ended = true;
		return 0;
	}
	return rc == ARCHIVE_OK ? 0 : fail_archive(a, a->raw, err);
}

static int open_tar(struct xb_archive *a, struct xb_err *err)
{
	if (a->ended)
		return xb_fail(err, XB_E_VERIFY, "read '%s': it is empty", a->name);
	a->tar = archive_read_new();
	if (!a->tar)
		return xb_fail(err, XB_E_SYSTEM, "read '%s': libarchive has no memory", a->name);
	/* Without "!mac-ext" the macOS build swallows entries named "._*". */
	if (archive_read_support_format_tar(a->tar) != ARCHIVE_OK ||
	    archive_read_set_options(a->tar, "tar:!mac-ext,tar:!read_concatenated_archives") != ARCHIVE_OK ||
	    archive_read_open(a->tar, a, NULL, tar_read_cb, NULL) != ARCHIVE_OK)
		return fail_archive(a, a->tar, err);
	return 0;
}

/* Takes `src` over. */
static struct xb_archive *archive_new(struct xb_source *src, const char *name, int64_t max_bytes)
{
	struct xb_archive *a = xb_alloc(sizeof(*a));
	a->src = src;
	a->name = xb_strdup(name);
	a->max_bytes = max_bytes;
	a->entry_bytes = -1;
	return a;
}

static void archive_drop(struct xb_archive **a)
{
	xb_archive_close(*a);
}

void xb_archive_close(struct xb_archive *a)
{
	if (!a)
		return;
	if (a->tar)
		archive_read_free(a->tar);
	if (a->raw)
		archive_read_free(a->raw);
	xb_source_free(a->src);
	xb_hasher_release(&a->hasher);
	free(a->name);
	free(a);
}

/* Takes over `opened`, whose source is set. */
static int open_both(struct xb_archive *opened, struct xb_archive **out, struct xb_err *err)
{
	struct xb_archive *a XB_CLEANUP(archive_drop) = opened;
	int rc = open_raw(a, FILTER_ALL, err);
	if (rc < 0)
		return rc;
	rc = open_tar(a, err);
	if (rc < 0)
		return rc;
	*out = a;
	a = NULL;
	return 0;
}

int xb_archive_open_tar(int fd, const char *name, int64_t max_bytes, int n_threads, struct xb_archive **out,
			struct xb_err *err)
{
	struct xb_archive *a = archive_new(xb_source_new(fd), name, max_bytes);
	xb_source_set_threads(a->src, n_threads);
	return open_both(a, out, err);
}

int xb_archive_open_part(int fd, int64_t at, int64_t size_bytes, const char *name, int64_t max_bytes,
			 struct xb_archive **out, struct xb_err *err)
{
	struct xb_archive *a = archive_new(xb_source_new_part(fd, at, size_bytes), name, max_bytes);
	xb_hasher_init(&a->hasher);
	return open_both(a, out, err);
}

int xb_archive_open_stream(int fd, const char *name, int64_t max_bytes, struct xb_archive **out, struct xb_err *err)
{
	struct xb_archive *a XB_CLEANUP(archive_drop) = archive_new(xb_source_new(fd), name, max_bytes);
	int rc = open_raw(a, FILTER_ALL, err);
	if (rc < 0)
		return rc;
	a->readable = !a->ended;
	*out = a;
	a = NULL;
	return 0;
}

/* ---- deb(5) ---- */

/* The compression that a member's name promises is the only one that is tried on it. */
static int member_filter(const struct xb_deb_member *m, const char *name, unsigned *out, struct xb_err *err)
{
	static const struct {
		const char *ext;
		unsigned filter;
	} table[] = {
		{"", FILTER_NONE},     {".gz", FILTER_GZIP},   {".xz", FILTER_XZ},
		{".zst", FILTER_ZSTD}, {".bz2", FILTER_BZIP2},
	};
	const char *ext = strstr(m->name, ".tar") + strlen(".tar");
	for (size_t i = 0; i < XB_COUNT(table); i++)
		if (strcmp(table[i].ext, ext) == 0) {
			*out = table[i].filter;
			return 0;
		}
	return xb_fail(err, XB_E_VERIFY, "read '%s': the compression of member '%s' is not supported", name, m->name);
}

int xb_archive_open_deb(int fd, const char *member, const char *name, int64_t max_bytes, int n_threads,
			struct xb_archive **out, struct xb_err *err)
{
	struct xb_deb_member found = {0};
	unsigned filter = FILTER_NONE;
	int rc = xb_deb_find(fd, member, name, &found, err);
	if (rc < 0)
		return rc;
	rc = member_filter(&found, name, &filter, err);
	if (rc < 0)
		return rc;
	struct xb_archive *a XB_CLEANUP(archive_drop) =
		archive_new(xb_source_new_part(fd, found.at, found.size_bytes), name, max_bytes);
	xb_source_set_threads(a->src, n_threads);
	rc = open_raw(a, filter, err);
	if (rc < 0)
		return rc;
	if (count_filters(a) != (filter == FILTER_NONE ? 0 : 1))
		return xb_fail(err, XB_E_VERIFY, "read '%s': member '%s' is not compressed as its name says", name,
			       found.name);
	rc = open_tar(a, err);
	if (rc < 0)
		return rc;
	*out = a;
	a = NULL;
	return 0;
}

/* ---- entries ---- */

static enum xb_archive_type entry_type(struct archive_entry *e)
{
	if (archive_entry_hardlink(e))
		return XB_ARCHIVE_HARDLINK;
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		return XB_ARCHIVE_FILE;
	case AE_IFDIR:
		return XB_ARCHIVE_DIR;
	case AE_IFLNK:
		return XB_ARCHIVE_SYMLINK;
	default:
		return XB_ARCHIVE_OTHER;
	}
}

static uint32_t id_or_max(int64_t id)
{
	return id < 0 || id > UINT32_MAX ? UINT32_MAX : (uint32_t)id;
}

static int fill_entry(struct xb_archive *a, struct archive_entry *e, struct xb_archive_entry *out, struct xb_err *err)
{
	*out = (struct xb_archive_entry){
		.path = archive_entry_pathname(e),
		.type = entry_type(e),
		.mode = (uint32_t)archive_entry_mode(e) & 07777,
		.size_bytes = archive_entry_size_is_set(e) ? archive_entry_size(e) : -1,
		.mtime = archive_entry_mtime(e),
		.uid = id_or_max(archive_entry_uid(e)),
		.gid = id_or_max(archive_entry_gid(e)),
	};
	if (!out->path)
		return xb_fail(err, XB_E_VERIFY, "read '%s': an entry has no name", a->name);
	if (out->type == XB_ARCHIVE_HARDLINK)
		out->link_target = archive_entry_hardlink(e);
	else if (out->type == XB_ARCHIVE_SYMLINK)
		out->link_target = archive_entry_symlink(e);
	if (out->type == XB_ARCHIVE_SYMLINK && !out->link_target)
		return xb_fail(err, XB_E_VERIFY, "read '%s': a symbolic link has no target", a->name);
	if (out->type != XB_ARCHIVE_FILE)
		out->size_bytes = 0;
	if (archive_entry_size_is_set(e) && archive_entry_size(e) < 0)
		return xb_fail(err, XB_E_VERIFY, "read '%s': an entry has a negative size", a->name);
	a->readable = out->type == XB_ARCHIVE_FILE;
	a->entry_bytes = out->size_bytes;
	a->entry_read = 0;
	return 0;
}

/*
 * A tar ends with two blocks of zeros (POSIX pax, "ustar Interchange Format"), padded with more of them. Its absence is
 * a cut-off archive; anything behind it would be seen by some readers and not by others.
 */
static int check_tar_end(struct xb_archive *a, struct xb_err *err)
{
	int64_t end = archive_read_header_position(a->tar);
	const void *block = NULL;
	la_ssize_t n;
	while ((n = tar_read_cb(a->tar, a, &block)) > 0)
		continue;
	if (n < 0)
		return fail_archive(a, a->tar, err);
	if (a->tar_bytes - end < 2 * (int64_t)TAR_BLOCK_BYTES)
		return xb_fail(err, XB_E_VERIFY, "read '%s': the tar is cut off after %lld bytes", a->name,
			       (long long)a->tar_bytes);
	if (a->tar_zeros < a->tar_bytes - end)
		return xb_fail(err, XB_E_VERIFY, "read '%s': there is data behind the end of the tar", a->name);
	return 0;
}

void xb_archive_set_interrupted(struct xb_archive *a, const volatile int *flag)
{
	xb_source_set_interrupted(a->src, flag);
}

int xb_archive_next(struct xb_archive *a, struct xb_archive_entry *entry, struct xb_err *err)
{
	struct archive_entry *e = NULL;
	a->readable = false;
	if (a->ended || !a->tar)
		return 0;
	int rc = archive_read_next_header(a->tar, &e);
	if (rc == ARCHIVE_EOF) {
		a->ended = true;
		return check_tar_end(a, err);
	}
	if (rc != ARCHIVE_OK && !(rc == ARCHIVE_WARN && is_charset_warning(a->tar)))
		return fail_archive(a, a->tar, err);
	rc = fill_entry(a, e, entry, err);
	if (rc < 0)
		return rc;
	return 1;
}

/* ---- content ---- */

static int check_budget(struct xb_archive *a, int64_t more, struct xb_err *err)
{
	if (more <= a->max_bytes - a->delivered)
		return 0;
	a->readable = false;
	a->ended = true;
	return xb_fail(err, XB_E_VERIFY, "read '%s': it unpacks to more than the allowed %lld bytes", a->name,
		       (long long)a->max_bytes);
}

static int64_t end_of_content(struct xb_archive *a, struct xb_err *err)
{
	a->readable = false;
	if (a->entry_bytes >= 0 && a->entry_read != a->entry_bytes) {
		a->ended = true;
		return xb_fail(err, XB_E_VERIFY, "read '%s': an entry has %lld bytes instead of %lld", a->name,
			       (long long)a->entry_read, (long long)a->entry_bytes);
	}
	return 0;
}

int64_t xb_archive_read(struct xb_archive *a, void *buf, size_t len, struct xb_err *err)
{
	if (!a->readable || len == 0)
		return 0;
	/* A size that cannot be met is refused at once, not after gigabytes of a hole's zeros. */
	int rc = check_budget(a, a->tar && a->entry_bytes > 0 ? a->entry_bytes - a->entry_read : 0, err);
	if (rc < 0)
		return rc;
	struct archive *ar = a->tar ? a->tar : a->raw;
	la_ssize_t n = archive_read_data(ar, buf, len);
	if (n < 0)
		return fail_archive(a, ar, err);
	if (n == 0)
		return end_of_content(a, err);
	rc = check_budget(a, n, err);
	if (rc < 0)
		return rc;
	a->delivered += n;
	a->entry_read += n;
	return n;
}

int64_t xb_archive_position(const struct xb_archive *a)
{
	return archive_read_header_position(a->tar);
}

void xb_archive_sum(struct xb_archive *a, struct xb_digest *out)
{
	xb_hasher_final(&a->hasher, out);
}
