/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_sysroot.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/image/layer.h"
#include "xbuild/sys/atomic_file.h"

void xb_sysroot_export_release(struct xb_sysroot_export *out)
{
	free(out->path);
	*out = (struct xb_sysroot_export){0};
}

static int compression_of(const char *path, enum xb_compression *out, struct xb_err *err)
{
	static const struct {
		const char *ending;
		enum xb_compression compression;
	} rows[] = {{".tar.gz", XB_COMPRESSION_GZIP},
		    {".tgz", XB_COMPRESSION_GZIP},
		    {".tar.zst", XB_COMPRESSION_ZSTD},
		    {".tar", XB_COMPRESSION_NONE}};

	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		if (!xb_sv_ends(xb_sv(path), rows[i].ending))
			continue;
		*out = rows[i].compression;
		return 0;
	}
	return xb_fail(err, XB_E_USAGE, "'%s' does not end in .tar.gz, .tgz, .tar.zst or .tar", path);
}

/* The tree's entries as a layer has them: what the store changed about modes and owners says nothing. */
static void add_entries(const struct xb_tree_entries *entries, const char *dir, struct xb_rootfs *out)
{
	for (size_t i = 0; i < entries->len; i++) {
		const struct xb_tree_entry *e = &entries->items[i];
		char *source XB_CLEANUP(xb_free_ptr) = e->type == XB_TREE_FILE ? xb_path_join(dir, e->path) : NULL;
		const bool runs = e->type == XB_TREE_DIR || e->mode & 0111;
		const struct xb_rootfs_entry entry = {.path = e->path,
						      .type = e->type,
						      .mode = e->type == XB_TREE_SYMLINK ? 0777
							      : runs			 ? 0755
											 : 0644,
						      .target = e->target,
						      .source = source,
						      .digest = e->digest,
						      .size_bytes = e->size_bytes,
						      .origin = e->origin,
						      .layer = XB_LAYER_PACKAGES};

		xb_rootfs_add(out, &entry);
	}
}

static int write_archive(struct xb_app *app, const struct xb_rootfs *rootfs, const char *path,
			 enum xb_compression compression, struct xb_layer *out, struct xb_err *err)
{
	struct xb_atomic_file file XB_CLEANUP(xb_atomic_file_discard) = {.fd = -1};
	const struct xb_layer_options options = {
		.threads = xb_app_jobs(app), .interrupted = app->interrupted, .compression = compression};
	const struct xb_rootfs_entry **entries = xb_alloc((rootfs->len + 1) * sizeof(*entries));
	int rc = xb_atomic_file_open(&file, path, 0644, err);

	for (size_t i = 0; i < rootfs->len; i++)
		entries[i] = &rootfs->items[i];
	if (rc == 0)
		rc = xb_layer_write(file.fd, entries, rootfs->len, &options, out, err);
	free(entries);
	return rc == 0 ? xb_atomic_file_commit(&file, XB_ATOMIC_SYNC, err) : rc;
}

int xb_op_sysroot_export(struct xb_app *app, const struct xb_target *target, const char *path,
			 struct xb_sysroot_export *out, struct xb_err *err)
{
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_rootfs rootfs XB_CLEANUP(xb_rootfs_release) = {0};
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *full XB_CLEANUP(xb_free_ptr) = NULL;
	char *name XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_sysroot_paths sysroot = {0};
	enum xb_compression compression = XB_COMPRESSION_GZIP;
	struct xb_layer layer = {0};

	if (xb_app_need_descs(app, err) < 0)
		return err->code;
	name = path ? xb_strdup(path) : xb_printf("%s-%s.tar.gz", app->sysroot->name, target->name);
	if (compression_of(name, &compression, err) < 0 || xb_app_start_dir(app, &start, err) < 0 ||
	    xb_provision_sysroot(app, target, &sysroot, err) < 0 ||
	    xb_tree_read(sysroot.manifest, &sysroot.digest, &entries, err) < 0)
		return err->code;
	full = xb_path_join(start, name);
	add_entries(&entries, sysroot.dir, &rootfs);
	if (xb_rootfs_finish(&rootfs, err) < 0 || write_archive(app, &rootfs, full, compression, &layer, err) < 0)
		return xb_wrap(err, "write '%s'", name);
	*out = (struct xb_sysroot_export){.path = name, .sha256 = layer.blob, .size_bytes = layer.size_bytes};
	name = NULL;
	return 0;
}
