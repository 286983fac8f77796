/* SPDX-License-Identifier: Apache-2.0 */
/* Archives in YAML: url, digest, signature. Private to model/; data files and the project file have the same keys. */
#ifndef XB_MODEL_ARCHIVE_READ_H
#define XB_MODEL_ARCHIVE_READ_H

#include "schema.h"
#include "xbuild/model/data.h"

/* The canonical name of a host or target, or NULL. */
const char *archive_host(struct xb_sv name);
const char *archive_target(struct xb_sv name);

struct archive_rule {
	const char *(*find_owner)(struct xb_sv name);
	const char *what; /* "host" */
	bool of_project;  /* local files, signatures and keys are allowed too, and one archive for all */
};

extern const struct text_rule archive_url_rule; /* https, or loopback */

schema_fn archive_read_map; /* struct xb_archive_refs; struct archive_rule: a map of owners to archives */

#endif
