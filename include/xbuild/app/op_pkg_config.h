/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pkg-config(1) for a sysroot: its words in, its text out. Build systems start it as <triple>-pkg-config; nothing of the host
 * (modules, PKG_CONFIG_PATH) can answer.
 *
 * Options:  --cflags --libs and their -only- forms, --static, --exists, --modversion, --atleast-version and its like, --variable,
 *           --define-variable, --print-errors, --silence-errors, --errors-to-stdout, --list-all, --list-package-names,
 *           --print-requires, --print-requires-private, --print-provides, --print-variables, --validate, --uninstalled,
 *           --atleast-pkgconfig-version, --version; options that change nothing here are taken.
 * Failure:  what pkg-config tells with its exit status 1 is no error: *out_status, with the text for stderr in `errors`.
 */
#ifndef XBUILD_APP_OP_PKG_CONFIG_H
#define XBUILD_APP_OP_PKG_CONFIG_H

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/model/target.h"

struct xb_pkg_config_opts {
	const char *sysroot; /* absolute */
	const struct xb_target *target;
	const char *const *prefixes; /* as in build/wrapper */
	size_t n_prefixes;
	const char *const *words; /* of pkg-config's command line */
	size_t n_words;
	bool keep_cflags, keep_libs; /* PKG_CONFIG_ALLOW_SYSTEM_CFLAGS, _LIBS: CMake and Meson set them */
};

int xb_op_pkg_config(const struct xb_pkg_config_opts *opts, struct xb_str *out, struct xb_str *errors, int *out_status,
		     struct xb_err *err) XB_MUST_CHECK;

#endif
