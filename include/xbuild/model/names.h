/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation of names that come from outside, each with the document that defines it.
 */
#ifndef XBUILD_MODEL_NAMES_H
#define XBUILD_MODEL_NAMES_H

#include <stdbool.h>

#include "xbuild/base/sv.h"

bool xb_name_is_unit(struct xb_sv name);	   /* ^[a-z0-9][a-z0-9._-]{0,62}$: units, images, tests, profiles */
bool xb_name_is_debian_package(struct xb_sv name); /* Debian Policy 5.6.7: [a-z0-9][a-z0-9+.-]+ */
bool xb_name_is_debian_version(struct xb_sv name); /* characters of Debian Policy 5.6.12 */
bool xb_name_is_debian_path(struct xb_sv path);	   /* a pool path: safe (base/path), printable, no % ? # or blank */
bool xb_name_is_apk_package(struct xb_sv name);	   /* [a-zA-Z0-9][a-zA-Z0-9._+-]*, at most 255 (apk-package(5)) */
bool xb_name_is_apk_version(struct xb_sv name);	   /* characters of an apk version: [0-9][a-zA-Z0-9._~-]* */
bool xb_name_is_suite(struct xb_sv name);	   /* [a-z0-9][a-z0-9.-]* */
bool xb_name_is_repository(struct xb_sv name);	/* OCI distribution-spec v1.1 "Pull", optionally with a registry host */
bool xb_name_is_tag(struct xb_sv tag);		/* distribution-spec: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127} */
bool xb_name_is_env(struct xb_sv name);		/* POSIX: [A-Za-z_][A-Za-z0-9_]* */
bool xb_name_is_macro(struct xb_sv name);	/* C identifier */
bool xb_name_is_fingerprint(struct xb_sv text); /* of an OpenPGP key, v4 or v6: 40 or 64 upper-case hex digits */
bool xb_name_is_signal(struct xb_sv name); /* signal(7) on Linux: "SIGTERM"; real-time ones relative to either end */
bool xb_name_is_version_number(struct xb_sv text); /* digits and dots: "2.34" */

/* -1, 0, 1: order of two dotted version numbers, numerically per component ("2.9" < "2.34"). */
int xb_version_number_compare(struct xb_sv a, struct xb_sv b);

#endif
