/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to audit.c, audit_config.c, audit_descriptor.c, audit_source.c, audit_layer.c, audit_manifest.c,
 * audit_start.c and view.c: one run of an audit. The functions that return bool
 * have told what is wrong as a finding when they return false; those that return int fail only where the audit itself cannot
 * go on.
 */
#ifndef XBUILD_IMAGE_AUDIT_PARTS_H
#define XBUILD_IMAGE_AUDIT_PARTS_H

#include <jansson.h>
#include <stdint.h>

#include "xbuild/base/map.h"
#include "xbuild/base/str.h"
#include "xbuild/image/audit.h"
#include "xbuild/sys/digest.h"

#define AUDIT_MACHINES 16 /* kinds of ELF files of one layer that are told apart; the rest count as the last */

/* ELF files of one kind in a layer. */
struct audit_machine {
	uint16_t machine;
	uint8_t elf_class, elf_data;
	bool is_program; /* may be run or loaded: executable, or a shared library */
	size_t count;
	const char *first; /* path of the first one */
};

/* What a layer turned out to be; kept with its file, since images share layers. */
struct audit_layer {
	bool done, whole; /* whole: read to its end, so diff_id is known */
	struct xb_digest diff_id;
	const char *packing;	/* "tar", "tar+gzip", "tar+zstd": what the bytes say */
	int64_t unpacked_bytes; /* of its files together */
	struct audit_machine machines[AUDIT_MACHINES];
	size_t n_machines;
	struct xb_sv listing; /* what it has, as listing.h writes it, in the arena; none: not kept */
};

/* A file of the layout or archive, and what is known about it. */
struct audit_file {
	const char *name;	/* "blobs/sha256/..." */
	const char *link;	/* symbolic link of an archive: its text; else NULL */
	int64_t at, size_bytes; /* at: in the archive */
	bool referenced;
	enum { AUDIT_UNREAD, AUDIT_GOOD, AUDIT_BAD } content; /* of a blob, against its name */
	bool walked;					      /* a document that was checked already */
	const char *platform;				      /* "linux/arm64/v8" of a checked manifest, else NULL */
	struct audit_layer layer;
	struct audit_file *const *layers; /* of a configuration: those that it was last checked with, in the arena */
	size_t n_layers;
};

struct audit_source {
	const char *path;
	int fd;		     /* of an archive, or -1 */
	struct xb_map files; /* name -> struct audit_file, in the arena of the audit */
};

struct xb_archive_entry;

/* Who wants to see the entries of layers while they pass by. */
struct audit_watch {
	void *ctx;
	/* An entry with its clean name. *out_content: also its bytes. Negative: the layer is read no further, as if it were at fault. */
	int (*entry)(void *ctx, struct audit_file *layer, const struct xb_archive_entry *e, const char *path,
		     bool *out_content, struct xb_err *err);
	void (*content)(void *ctx, const void *bytes, size_t len); /* len 0: that was all */
};

struct audit_run {
	struct audit_source src;
	const volatile int *interrupted;
	struct xb_audit *out;
	const struct audit_watch *watch; /* or NULL */
	size_t n_listed[2];		 /* problems, warnings: findings that are in the list */
	size_t n_manifests;		 /* that indexes name and that could be one of an image */
	bool is_incomplete;		 /* a document could not be followed: what it refers to is not known */
	bool checks_start;		 /* whether a container could be started: needs listings of all layers */
	struct xb_map heads;		 /* audit_start.c: digest of a head, in hex -> struct xb_sv in the arena */
	int64_t kept_bytes;		 /* of listings and heads */
	int64_t n_merged;		 /* entries that were looked at for putting layers together */
};

/* A descriptor that leads to a blob with the digest that it names. */
struct audit_descriptor {
	const char *media_type;
	const char *digest; /* "sha256:..." */
	struct audit_file *file;
};

/* ---- audit.c ---- */

/* The audit of a path; the source stays open and listed until audit_end. */
int audit_all(struct audit_run *run, const char *path, struct xb_err *err);
void audit_end(struct audit_run *run);
void audit_clean_text(char *text, size_t max_bytes); /* no control bytes; cut to max_bytes */

void audit_problem(struct audit_run *run, const char *fmt, ...) XB_PRINTF(2, 3);
void audit_warning(struct audit_run *run, const char *fmt, ...) XB_PRINTF(2, 3);
/* An error that is the image's fault becomes a problem and is cleared (0); others are returned. */
int audit_absorb(struct audit_run *run, const char *where, struct xb_err *err);
int audit_check_interrupted(const struct audit_run *run, struct xb_err *err);
/* 1: *out (owned by the caller) is an object or array of JSON; 0: a finding was added. */
int audit_document(struct audit_run *run, struct audit_file *file, const char *where, json_t **out, struct xb_err *err);
/* schemaVersion and mediaType of an index or manifest. */
void audit_check_header(struct audit_run *run, const json_t *document, const char *media_type, const char *where);
/* Text of a member, or NULL (with a problem when it is there and no string). */
const char *audit_text(struct audit_run *run, const json_t *object, const char *key, const char *where);
/* "linux/arm64/v8" of an object with os, architecture and variant, in the arena; NULL when it lacks one. */
const char *audit_platform(struct audit_run *run, const json_t *object, const char *where);
int audit_hash(struct audit_run *run, struct audit_file *file, struct xb_digest *out, struct xb_err *err);

/* ---- audit_descriptor.c ---- */

/*
 * Checks a descriptor and, the first time, the blob. 1: *out is filled and the blob is what it should be; 0: a finding was
 * added. media_type and digest may be NULL then.
 */
int audit_descriptor(struct audit_run *run, const json_t *descriptor, const char *where, struct audit_descriptor *out,
		     struct xb_err *err);

/* ---- audit_source.c ---- */

/* Opens a directory or archive and lists it; findings for what an archive should not have. */
int audit_source_open(struct audit_run *run, const char *path, struct xb_err *err);
void audit_source_close(struct audit_source *src);
/* NULL when there is none. Links of an archive are followed inside of it. */
struct audit_file *audit_source_find(struct audit_run *run, const char *name);
/* *out_fd is to be closed where *out_own says so; the bytes of the file begin at *out_at. */
int audit_source_content(struct audit_run *run, const struct audit_file *file, int *out_fd, bool *out_own,
			 int64_t *out_at, struct xb_err *err);

/* ---- audit_layer.c ---- */

/* Reads a layer once: its entries, its diffID, its ELF files. Findings for what is wrong in it. */
int audit_layer(struct audit_run *run, struct audit_file *file, struct xb_err *err);
/* Compares the ELF files of a layer with the architecture (GOARCH) of an image. */
void audit_check_machines(struct audit_run *run, const struct audit_layer *layer, const char *architecture,
			  const char *where);

/* ---- audit_start.c: what a runtime needs to start a container ---- */

/* How many bytes of a file are worth keeping; 0: none. */
size_t audit_wanted_head(const struct xb_archive_entry *e, const char *path);
/* Adds an entry to the listing of its layer; head: the first bytes of a file. */
void audit_keep_entry(struct audit_run *run, struct xb_str *listing, const struct xb_archive_entry *e, const char *path,
		      struct xb_sv head);
/* The listing of a layer that was read to its end. */
void audit_keep_listing(struct audit_run *run, const struct xb_str *listing, struct audit_layer *layer);
/* The command and the user of a configuration against what its layers give together. */
int audit_check_start(struct audit_run *run, const json_t *document, struct audit_file *const *layers, size_t n_layers,
		      const char *where, struct xb_err *err);

/* ---- audit_config.c ---- */

/* The members of a configuration: their types are problems, odd values warnings. */
void audit_check_config(struct audit_run *run, const json_t *document, const char *where);

/* ---- audit_manifest.c ---- */

/* A manifest and what it leads to; platform: what the index says about it, or NULL. */
int audit_manifest(struct audit_run *run, const struct audit_descriptor *d, const char *platform, struct xb_err *err);
/* "tar", "tar+gzip" or "tar+zstd" that the media type of a layer promises; NULL: no type of a layer. */
const char *audit_layer_packing(const char *media_type);
/* manifest.json of an archive (docker save). */
int audit_docker(struct audit_run *run, struct audit_file *file, struct xb_err *err);

#endif
