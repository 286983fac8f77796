/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apko.yaml, typed: what an image made of apk packages holds and how it starts.
 *
 * Format:    apko, pkg/build/types (schema.json): keys, defaults and what is required are apko's; an unknown key is a
 *            problem with its place. Not supported, and said so: contents.baseimage, entrypoint.type, entrypoint.services,
 *            format erofs.
 * Guarantee: all problems of the file and of those that it includes are found in one run. Everything is borrowed from
 *            apko->arena. Lists are as the merged configuration has them: those of an included file come first, and its
 *            single values count only where the including file says nothing.
 * Places:    of keys and repositories are URLs or paths. Paths, that of `include` too, are below the directory that is
 *            given on reading, which stands for the working directory of apko.
 */
#ifndef XBUILD_MODEL_APKO_H
#define XBUILD_MODEL_APKO_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/diag.h"
#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/model/project.h"
#include "xbuild/sys/digest.h"

struct xb_apko_user {
	const char *name, *shell, *home; /* shell may be NULL: /bin/sh; home is filled in */
	int64_t uid, gid;		 /* gid -1: not given, the uid */
};

struct xb_apko_group {
	const char *name;
	int64_t gid;
	struct xb_words members;
};

enum xb_apko_path_type {
	XB_APKO_PATH_DIRECTORY,
	XB_APKO_PATH_EMPTY_FILE,
	XB_APKO_PATH_HARDLINK,
	XB_APKO_PATH_SYMLINK,
	XB_APKO_PATH_PERMISSIONS
};

/* A change of the file system after the packages are there. */
struct xb_apko_path {
	const char *path, *source;
	enum xb_apko_path_type type;
	int64_t uid, gid; /* -1: not given */
	uint32_t permissions;
	bool recursive;
};

/* A certificate or a key in the file itself. */
struct xb_apko_text {
	const char *name, *content;
	struct xb_place at;
};

struct xb_apko_texts {
	struct xb_apko_text *items;
	size_t len;
};

struct xb_apko {
	struct xb_arena arena;
	const char *path; /* as given on reading */

	struct xb_words build_repositories, runtime_repositories, repositories; /* "URL" or "@tag URL", no final '/' */
	struct xb_words keyring, packages;
	struct xb_apko_texts runtime_keyring;

	const char *command, *shell_fragment; /* of the entrypoint; NULL: not given */
	struct xb_words entrypoint;	      /* words of it */
	const char *cmd_text;		      /* NULL: not given */
	struct xb_words cmd;
	const char *stop_signal, *workdir, *vcs_url, *include; /* NULL: not given */
	const char *format;				       /* NULL, or "tar" */

	const char *run_as;
	struct xb_apko_user *users;
	size_t n_users;
	struct xb_apko_group *groups;
	size_t n_groups;

	struct xb_words archs; /* GOARCH names: "amd64", "arm/v7"; empty: all */
	struct xb_pairs environment, annotations;
	struct xb_apko_path *paths;
	size_t n_paths;
	struct xb_words volumes;

	bool has_layering, has_certificates;
	const char *layering_strategy;
	int64_t layering_budget;
	struct xb_apko_texts certificates; /* additional */
	struct xb_words certificate_providers;

	struct xb_digest
		digest; /* over the bytes of the file, then of each included one: "checksum" of apko.lock.json */
};

void xb_apko_free(struct xb_apko *apko); /* NULL-safe */

/*
 * Reads `path` below `dir` (absolute). XB_E_INPUT with diags; XB_E_NOT_FOUND, XB_E_SYSTEM for a file that cannot be
 * read; XB_E_INPUT for files that include each other.
 */
int xb_apko_load(const char *dir, const char *path, struct xb_apko **out, struct xb_diags *diags,
		 struct xb_err *err) XB_MUST_CHECK;

/* An architecture in Go's words ("arm64") for any spelling that apko knows ("aarch64"), or NULL; and in apk's words. */
const char *xb_apko_arch(struct xb_sv name);
const char *xb_apko_apk_arch(struct xb_sv name);

/* "host/key.rsa.pub" for "https://host/key.rsa.pub" and "@tag https://host/key.rsa.pub"; paths stay. In url. */
const char *xb_apko_strip(const char *url);
/* What follows "@tag "; the tag goes to *out_tag (empty: none). */
const char *xb_apko_url(const char *repository, struct xb_sv *out_tag);

/*
 * Appends /etc/apko.json as apko leaves it in an image: the configuration of one architecture (Go's name) with the
 * packages "name=version" that were locked, keys in the order of apko's structs, as Go writes JSON, and a newline.
 * `annotations` are those of the configuration and any that were added on the command line.
 */
void xb_apko_json(const struct xb_apko *apko, const char *arch, const struct xb_words *packages,
		  const struct xb_pairs *annotations, struct xb_str *out);

#endif
