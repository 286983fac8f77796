/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the parts of a lock are read and written; private to lockfile*.c. Readers return a negative code after they have set
 * p->err; what they hand out is in the arena of the lock.
 */
#ifndef XB_MODEL_LOCKFILE_READ_H
#define XB_MODEL_LOCKFILE_READ_H

#include <jansson.h>

#include "xbuild/model/lockfile.h"

struct lock_parser {
	struct xb_lock *lock;
	struct xb_err *err;
};

/* An object of the document that is being read, and how to call it in a message. */
struct lock_member {
	const json_t *object;
	const char *where; /* "sysroots.linux-aarch64.packages[3]" */
};

typedef bool lock_check_fn(struct xb_sv text);

/* A member that must be there, checked and copied. */
int lock_read_text(struct lock_parser *p, const struct lock_member *m, const char *key, lock_check_fn *check,
		   const char **out);
int lock_read_digest(struct lock_parser *p, const struct lock_member *m, const char *key, struct xb_digest *out);
/* 1 to XB_MAX_PACKAGE_BYTES. */
int lock_read_size(struct lock_parser *p, const struct lock_member *m, const char *key, int64_t *out);
/* `object` is one, and has no other members than `known` (NULL: names of its own). */
int lock_read_object(struct lock_parser *p, const json_t *object, const char *const *known, const char *where);
/* The member names of an object in the order of their bytes: what was written by hand is read in one order too. */
const char **lock_sorted_keys(struct lock_parser *p, const json_t *object);
/* Names that `check` allows, in strictly rising order, so that a list has one spelling and no name twice. */
int lock_read_names(struct lock_parser *p, const struct lock_member *m, const char *key, lock_check_fn *check,
		    const char ***out, size_t *out_len);

/* The packages in the list that is the member `key`. */
int lock_read_packages(struct lock_parser *p, const struct lock_member *m, const char *key, const char *arch,
		       struct xb_lock_packages *out);
/* Names in depends are those of the list or of `further` (or NULL). */
int lock_check_depends(struct lock_parser *p, const struct xb_lock_packages *packages,
		       const struct xb_lock_packages *further, const char *where);

/* The members images, apko and bases of the document. */
int lock_read_bases(struct lock_parser *p, const json_t *document);

/* The member rust of the document, which may be missing. */
int lock_read_rust(struct lock_parser *p, const json_t *document);

void lock_put_string(json_t *object, const char *key, const char *text);
void lock_put_digest(json_t *object, const char *key, const struct xb_digest *digest);
json_t *lock_packages_json(const struct xb_lock_packages *packages);
json_t *lock_names_json(const char *const *names, size_t len);
/* Adds the member rust to the document where there is one. */
void lock_put_rust(json_t *document, const struct xb_lock *lock);
/* Adds the members images, apko and bases to the document, those that are not empty. */
void lock_put_bases(json_t *document, const struct xb_lock *lock);

#endif
