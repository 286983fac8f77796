/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system of one image for one platform: every entry with its attributes and where its bytes are, put together
 * from packages and from the project's files. What the layers hold and what the closure check looks at is this list.
 *
 * Sequence:  xb_rootfs_add any number of times, in an order that depends on the inputs alone;
 *            xb_rootfs_finish, which sorts, joins and checks; then _find, _resolve and layers.
 * Joining:   two directories of one path become one, with the attributes of the one that was added last in the highest
 *            layer kind; a directory that nobody adds but something lies in is made (0755, root). Two equal entries
 *            become one. What the image itself brings takes the place of what its base (XB_LAYER_BASE, and packages that
 *            yield) has there, unless one of the two is a directory. Anything else twice is an error that names both
 *            origins.
 * Failure:   XB_E_VERIFY for conflicts, for entries below a file or link, and for names that a layer cannot hold.
 * Threads:   a list belongs to one thread until it is finished; then any number may read it.
 */
#ifndef XBUILD_IMAGE_ROOTFS_H
#define XBUILD_IMAGE_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/sv.h"
#include "xbuild/store/tree.h"
#include "xbuild/sys/digest.h"

/*
 * Layers of an image, bottom first: what changes least lies lowest. XB_LAYER_BASE is what a base brings in layers that are
 * made already: its entries are here to be looked at, and no layer is made of them.
 */
enum xb_layer_kind { XB_LAYER_BASE, XB_LAYER_PACKAGES, XB_LAYER_LIBRARIES, XB_LAYER_APPLICATION, XB_LAYER_KINDS };

const char *xb_layer_kind_name(enum xb_layer_kind kind); /* "base", "packages", "libraries", "application"; static */

struct xb_rootfs_entry {
	const char *path; /* relative and safe, "usr/bin/server" */
	enum xb_tree_type type;
	uint32_t mode; /* 07777; links have 0777 */
	uint32_t uid, gid;
	const char *target; /* symlink: its text */
	const char *
		source; /* file: absolute path of its bytes; NULL for files of a base that nobody looks into: neither ELF, script, accounts nor packages */
	struct xb_sv head;	 /* file without a source: what is known of its bytes, from the first on; borrowed */
	struct xb_digest digest; /* file: of its bytes */
	int64_t size_bytes;	 /* file */
	const char *origin;	 /* for messages: "package libc6", "unit server", "deploy/parcel.conf" */
	enum xb_layer_kind layer;
	bool yields; /* it gives way to one that does not */
};

/* All-zero is an empty list. Strings are in the arena. */
struct xb_rootfs {
	struct xb_arena arena;
	struct xb_rootfs_entry *items; /* after finish: sorted by the bytes of path */
	size_t len, cap;
};

void xb_rootfs_release(struct xb_rootfs *rootfs);

/* Copies the entry with its strings. */
void xb_rootfs_add(struct xb_rootfs *rootfs, const struct xb_rootfs_entry *entry);

/*
 * Adds the entries of a package's tree: bytes are below `dir`, directories and files keep mode and owner. Links at the
 * top that merge /usr (lib -> usr/lib ...) are left out: xb_rootfs_merge_usr makes those that an image needs.
 */
void xb_rootfs_add_tree(struct xb_rootfs *rootfs, const struct xb_tree_entries *entries, const char *dir,
			const char *origin);

/*
 * For an image with merged /usr (Debian since 12): moves lib/x, lib64/x, bin/x and sbin/x below usr/, and adds the link
 * lib -> usr/lib (and so on) where usr/lib has entries. Call before finish.
 */
void xb_rootfs_merge_usr(struct xb_rootfs *rootfs);

int xb_rootfs_finish(struct xb_rootfs *rootfs, struct xb_err *err) XB_MUST_CHECK;

/* The entry of exactly this path (relative), or NULL. */
const struct xb_rootfs_entry *xb_rootfs_find(const struct xb_rootfs *rootfs, const char *path);

/*
 * The entry that a process in the image gets for an absolute path, links followed as the kernel does, at most 40 of
 * them, ".." of the root being the root. NULL when there is none or links go round. The root itself has no entry.
 */
const struct xb_rootfs_entry *xb_rootfs_resolve(const struct xb_rootfs *rootfs, const char *path);

/*
 * Entries of one layer: those of the kind, and the directories above them. *out is an array of borrowed pointers in
 * the order of the list, owned by the caller (free it); none: NULL and 0.
 */
void xb_rootfs_layer(const struct xb_rootfs *rootfs, enum xb_layer_kind kind, const struct xb_rootfs_entry ***out,
		     size_t *out_len);

/*
 * Digest over everything of a list of entries that a layer's bytes depend on: path, type, mode, owner, link text,
 * content digest and size; not over sources and origins. `version` names the format that the caller makes of it.
 */
void xb_rootfs_digest(const char *version, const struct xb_rootfs_entry *const *entries, size_t len,
		      struct xb_digest *out);

#endif
