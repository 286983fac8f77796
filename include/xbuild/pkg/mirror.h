/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a Debian archive is fetched from, in order: the flag or XBUILD_DEBIAN_MIRROR; the user's configuration file
 * (config.yaml: `debian-mirror:`); on a Debian host the mirror that its apt sources name (one-line and deb822 forms, for
 * the same kind of archive: main or security); the data file's list; last the snapshot archive at the time of the lock.
 *
 * A mirror of "debian" given by flag, environment or configuration also serves "debian-security" when its URL ends in
 * "/debian" (then "-security" is appended); XBUILD_DEBIAN_SECURITY_MIRROR overrides.
 */
#ifndef XBUILD_PKG_MIRROR_H
#define XBUILD_PKG_MIRROR_H

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/data.h"

struct xb_mirror_opts {
	const char *flag;	/* --mirror, or NULL */
	const char *config_dir; /* user configuration directory, or NULL */
	const char *apt_dir;	/* "/etc/apt"; another place in tests; NULL: do not look */
	const char *snapshot;	/* "20261120T000000Z" to add the snapshot archive at the end, or NULL */
	bool snapshot_only; /* the project asked for a snapshot: nothing but it (and an explicit flag or variable) */
};

/* Base URLs for `site` without a final slash, best first, no duplicates; borrowed from arena. Never empty. */
int xb_mirror_list(const struct xb_archive_site *site, const struct xb_mirror_opts *opts, struct xb_arena *arena,
		   struct xb_list *out, struct xb_err *err) XB_MUST_CHECK;

/* The base URLs that apt's configuration in apt_dir names for suites of `archive` ("debian", "debian-security"). Never
 * fails: what cannot be read is left out. Disabled and non-http(s) sources are skipped. */
void xb_mirror_apt_sources(const char *apt_dir, const char *archive, struct xb_arena *arena, struct xb_list *out);

#endif
