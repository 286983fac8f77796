/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image layout or archive, whoever made it, looked at as the most careful consumer would: a directory or a tar with an
 * OCI layout (image-spec v1.1 image-layout.md), a tar as `docker save` writes it, or both in one.
 *
 * Checked:   oci-layout; index.json and every index, manifest and configuration below it, their media types and members;
 *            each blob against the digest and size of every descriptor that leads to it; layers against their media type
 *            and diffID; history; in layers: unsafe names, two entries of one path, entries below links and files, hard links
 *            that lead out; the platform of configuration, descriptor and programs (ELF); manifest.json; the command and
 *            the user of a configuration against the files of all its layers together.
 * Guarantee: every byte is taken for hostile. Nothing is unpacked to disk (a compressed archive: to one unnamed file),
 *            no link is followed, sizes that a document claims are compared and never allocated. Memory is bounded by
 *            XB_MAX_OCI_DOCUMENT_BYTES per document, by XB_MAX_LAYER_NAME_BYTES for the names of one layer, and by as much for
 *            what is kept of all layers.
 * Sequence:  xb_audit_run, look at the findings, xb_audit_release.
 * Failure:   what is wrong with the image is a finding, not an error. XB_E_NOT_FOUND, XB_E_SYSTEM, XB_E_INTERRUPTED
 *            where it could not be looked at.
 * Not seen:  blobs named by another digest than sha256 (a warning says so); signatures.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_AUDIT_H
#define XBUILD_IMAGE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/vec.h"

struct xb_audit_finding {
	bool is_warning; /* odd, or not checked; the image can be used */
	const char *text;
};

/* Something that index.json or manifest.json names. */
struct xb_audit_image {
	const char
		*digest; /* "sha256:..." of an index or manifest; of the configuration for an image of `docker save` */
	const char *ref; /* its name, or "" */
	const char *platforms; /* "linux/amd64, linux/arm64/v8"; may be "" */
};

/* All-zero is an empty one. Strings are in the arena; what is foreign in them has no control bytes. */
struct xb_audit {
	struct xb_arena arena;
	XB_VEC(struct xb_audit_finding)
	findings;			      /* in the order in which they were met; at most XB_MAX_DIAGS of a kind */
	XB_VEC(struct xb_audit_image) images; /* at most XB_MAX_DIAGS */
	size_t n_images;		      /* that index.json names, with those that are not in the list */
	bool has_unread;		      /* a blob has a digest that was not compared with its content */
	bool has_docker;	       /* manifest.json names images as well, which no digest of index.json covers */
	size_t n_problems, n_warnings; /* with those that are not in the list */
};
void xb_audit_release(struct xb_audit *audit);

/* `path`: a directory or file. `interrupted` may be NULL. */
int xb_audit_run(const char *path, const volatile int *interrupted, struct xb_audit *out,
		 struct xb_err *err) XB_MUST_CHECK;

#endif
