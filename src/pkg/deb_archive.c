/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/deb_archive.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/archive.h"
#include "xbuild/sys/fs.h"

#define STATUS_DIR	  "var/lib/dpkg/status.d"
#define BLOCK_BYTES	  (256 * 1024)
#define MAX_CONTROL_BYTES (8 * XB_MIB) /* control.tar unpacked; maintainer scripts and file lists are in there too */

static void close_archive(struct xb_archive **archive)
{
	xb_archive_close(*archive);
}

/* A name as the package has it ("./usr/bin/x", "usr/") without what says nothing; "" for the root itself. */
static struct xb_sv clean_name(const char *path)
{
	struct xb_sv name = xb_sv(path);

	while (xb_sv_starts(name, "./")) {
		name.ptr += 2;
		name.len -= 2;
	}
	while (name.len && name.ptr[name.len - 1] == '/')
		name.len--;
	return xb_sv_eq_str(name, ".") ? xb_sv("") : name;
}

static bool matches_any(const struct xb_list *patterns, struct xb_sv name)
{
	for (size_t i = 0; patterns && i < patterns->len; i++)
		if (xb_path_glob(xb_sv(patterns->items[i]), name))
			return true;
	return false;
}

/* The current file of the archive into the part. */
static int take_file(struct xb_archive *archive, const struct xb_archive_entry *entry, const char *path, char *block,
		     struct xb_tree_part *part, struct xb_err *err)
{
	int64_t n;

	if (xb_tree_part_file_begin(part, path, entry->mode, entry->uid, entry->gid, err) < 0)
		return err->code;
	while ((n = xb_archive_read(archive, block, BLOCK_BYTES, err)) > 0)
		if (xb_tree_part_file_write(part, block, (size_t)n, err) < 0)
			return err->code;
	return n < 0 ? err->code : xb_tree_part_file_end(part, err);
}

/* `path` and `link` (a hard link's earlier name) are already as they shall be in the tree. */
static int take_entry(struct xb_archive *archive, const struct xb_archive_entry *entry, const char *path,
		      const char *link, char *block, struct xb_tree_part *part, struct xb_err *err)
{
	switch (entry->type) {
	case XB_ARCHIVE_FILE:
		return take_file(archive, entry, path, block, part, err);
	case XB_ARCHIVE_DIR:
		return xb_tree_part_dir(part, path, entry->mode, entry->uid, entry->gid, err);
	case XB_ARCHIVE_SYMLINK:
		return xb_tree_part_symlink(part, path, entry->link_target, err);
	case XB_ARCHIVE_HARDLINK:
		return xb_tree_part_hardlink(part, path, link, err);
	case XB_ARCHIVE_OTHER:
		break;
	}
	return xb_fail(err, XB_E_VERIFY, "'%s' is a device, fifo or socket", entry->path);
}

/* One field of the control file: the value of its first line, or an empty view. */
static struct xb_sv control_field(struct xb_sv control, const char *name)
{
	while (control.ptr) {
		struct xb_sv value = xb_sv_cut(&control, '\n'), field = xb_sv_cut(&value, ':');

		if (field.len == strlen(name) && strncasecmp(field.ptr, name, field.len) == 0 && value.ptr)
			return xb_sv_trim(value);
	}
	return xb_sv("");
}

static int compare_control(struct xb_sv control, const struct xb_lock_package *package, struct xb_err *err)
{
	const struct {
		const char *field, *expected;
	} rows[] = {{"Package", package->name}, {"Version", package->version}, {"Architecture", package->arch}};

	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_sv found = control_field(control, rows[i].field);

		if (!xb_sv_eq_str(found, rows[i].expected))
			return xb_fail(err, XB_E_VERIFY, "its control file has %s '%.*s' where the index has '%s'",
				       rows[i].field, XB_SV_ARG(found), rows[i].expected);
	}
	return 0;
}

/* What is read of control.tar. */
struct control {
	struct xb_str control, md5sums;
};

static void control_release(struct control *c)
{
	xb_str_release(&c->control);
	xb_str_release(&c->md5sums);
}

static int read_entry(struct xb_archive *archive, const char *name, struct xb_str *out, struct xb_err *err)
{
	char block[4096];
	int64_t n;

	if (out->len)
		return xb_fail(err, XB_E_VERIFY, "it has two %s files", name);
	while ((n = xb_archive_read(archive, block, sizeof(block), err)) > 0)
		if (!xb_str_append_n(out, block, (size_t)n))
			return xb_fail(err, XB_E_VERIFY, "its %s file is larger than %lld bytes", name,
				       (long long)out->max_bytes);
	return n < 0 ? err->code : 0;
}

static int read_control(int fd, const struct xb_lock_package *package, struct control *out, struct xb_err *err)
{
	struct xb_archive *archive XB_CLEANUP(close_archive) = NULL;
	struct xb_archive_entry entry;
	int rc;

	if (xb_archive_open_deb(fd, "control", package->name, MAX_CONTROL_BYTES, 1, &archive, err) < 0)
		return err->code;
	while ((rc = xb_archive_next(archive, &entry, err)) > 0) {
		const struct xb_sv name = clean_name(entry.path);

		if (entry.type != XB_ARCHIVE_FILE)
			continue;
		if (xb_sv_eq_str(name, "control") && read_entry(archive, "control", &out->control, err) < 0)
			return err->code;
		if (xb_sv_eq_str(name, "md5sums") && read_entry(archive, "md5sums", &out->md5sums, err) < 0)
			return err->code;
	}
	return rc < 0 ? rc : compare_control(xb_str_sv(&out->control), package, err);
}

static int put_record(struct xb_tree_part *part, const char *package, const char *suffix, const struct xb_str *text,
		      struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s%s", STATUS_DIR, package, suffix);

	if (xb_tree_part_file_begin(part, path, 0644, 0, 0, err) < 0 ||
	    xb_tree_part_file_write(part, text->data, text->len, err) < 0)
		return err->code;
	return xb_tree_part_file_end(part, err);
}

/* A package without files has no md5sums. */
static int put_records(struct xb_tree_part *part, const struct xb_lock_package *package, const struct control *control,
		       struct xb_err *err)
{
	if (put_record(part, package->name, "", &control->control, err) < 0)
		return err->code;
	return control->md5sums.len ? put_record(part, package->name, ".md5sums", &control->md5sums, err) : 0;
}

static int unpack_data(int fd, const struct xb_store *store, const struct xb_lock_package *package,
		       const struct xb_list *drop, int n_threads, struct xb_tree_part *part, struct xb_err *err)
{
	struct xb_archive *archive XB_CLEANUP(close_archive) = NULL;
	char *block XB_CLEANUP(xb_free_ptr) = xb_realloc(NULL, BLOCK_BYTES);
	struct xb_archive_entry entry;
	int rc;

	if (xb_archive_open_deb(fd, "data", package->name, XB_MAX_TREE_BYTES, n_threads, &archive, err) < 0)
		return err->code;
	xb_archive_set_interrupted(archive, xb_store_interrupted(store));
	while ((rc = xb_archive_next(archive, &entry, err)) > 0) {
		struct xb_sv name = clean_name(entry.path);

		if (!name.len || matches_any(drop, name))
			continue;
		if (take_entry(archive, &entry, entry.path, entry.link_target, block, part, err) < 0)
			return err->code;
	}
	return rc;
}

int xb_deb_unpack(const struct xb_store *store, const struct xb_lock_package *package, const struct xb_list *drop,
		  enum xb_deb_records records, int n_threads, struct xb_tree_part *part, struct xb_err *err)
{
	struct control control XB_CLEANUP(control_release) = {.control.max_bytes = XB_MAX_STANZA_BYTES,
							      .md5sums.max_bytes = MAX_CONTROL_BYTES};
	int fd XB_CLEANUP(xb_fs_close) = -1;

	if (xb_cas_open(store, &package->sha256, &fd, err) < 0)
		return xb_wrap(err, "unpack package '%s'", package->name);
	if (read_control(fd, package, &control, err) < 0 ||
	    unpack_data(fd, store, package, drop, n_threads, part, err) < 0 ||
	    (records == XB_DEB_RECORDS_STATUS && put_records(part, package, &control, err) < 0))
		return xb_wrap(err, "unpack package '%s' %s", package->name, package->version);
	return 0;
}

static int take_chosen(struct xb_archive *archive, const struct xb_archive_entry *entry,
		       const struct xb_tar_choice *choice, char *block, struct xb_tree_part *part, struct xb_err *err)
{
	const struct xb_sv name = clean_name(entry->path);
	char *path XB_CLEANUP(xb_free_ptr) = NULL;

	/* Also of what is left out: an archive with such a name is not what it seems to be. */
	if (name.len && !xb_path_is_safe(name))
		return xb_fail(err, XB_E_VERIFY, "'%s' is no safe name", entry->path);
	if (!name.len || matches_any(choice->drop, name) ||
	    (choice->keep && choice->keep->len && !matches_any(choice->keep, name)))
		return 0;
	path = xb_sv_dup(name);
	return take_entry(archive, entry, path, entry->link_target, block, part, err);
}

int xb_tar_unpack(const struct xb_store *store, const struct xb_digest *blob, const char *name,
		  const struct xb_tar_choice *choice, int n_threads, struct xb_tree_part *part, struct xb_err *err)
{
	struct xb_archive *archive XB_CLEANUP(close_archive) = NULL;
	char *block XB_CLEANUP(xb_free_ptr) = xb_realloc(NULL, BLOCK_BYTES);
	int fd XB_CLEANUP(xb_fs_close) = -1;
	struct xb_archive_entry entry;
	int rc;

	if (xb_cas_open(store, blob, &fd, err) < 0 ||
	    xb_archive_open_tar(fd, name, XB_MAX_TREE_BYTES, n_threads, &archive, err) < 0)
		return xb_wrap(err, "unpack '%s'", name);
	xb_archive_set_interrupted(archive, xb_store_interrupted(store));
	while ((rc = xb_archive_next(archive, &entry, err)) > 0) {
		rc = take_chosen(archive, &entry, choice, block, part, err);
		if (rc < 0)
			break;
	}
	return rc < 0 ? xb_wrap(err, "unpack '%s'", name) : 0;
}
