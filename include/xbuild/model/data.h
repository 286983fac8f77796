/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data files that are shipped with xbuild: toolchains/<name>.yaml, sysroots/<name>.yaml and images/<name>.yaml. They say
 * what xbuild can fetch and build on; no package name, suite, URL or key stands in C. docs/adding-a-toolchain.md and
 * docs/adding-an-image-base.md describe the keys.
 *
 * Guarantee: an archive without a sha256, a suite without a key, an unknown key: XB_E_INPUT with diags. Everything is
 *            borrowed from the document's arena.
 */
#ifndef XBUILD_MODEL_DATA_H
#define XBUILD_MODEL_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/diag.h"
#include "xbuild/base/err.h"
#include "xbuild/sys/digest.h"

/* Words without places: data files are ours, their problems are shown by xb_data_load alone. */
struct xb_list {
	const char **items;
	size_t len;
};

/* One signed suite of a Debian archive, or of somebody else's repository of packages. */
struct xb_suite {
	const char *id;		     /* "trixie-security": key of the lock */
	const char *archive;	     /* "debian" or "debian-security": which mirrors serve it */
	const char *path;	     /* below dists/: "trixie-security" */
	const char *codename;	     /* expected Codename of InRelease; NULL: not looked at */
	const char *origin, *label;  /* expected ones of InRelease; NULL: not looked at */
	struct xb_list components;   /* "main" */
	struct xb_list fingerprints; /* primary keys that may sign it */
	const char *key_file;	     /* absolute path: its certificates may sign it instead; NULL: fingerprints */
	bool optional;		     /* false: lock fails when the suite cannot be had */
	bool extra;		     /* only when a project names it, and behind the others */
};

/* A Debian archive: where its mirrors are. */
struct xb_archive_site {
	const char *name;	/* "debian" */
	struct xb_list mirrors; /* base URLs without a final slash */
	const char
		*snapshot; /* base URL of the snapshot service: "<base>/<YYYYMMDDThhmmssZ>/" is a mirror; NULL: none */
};

/* What a Debian-packaged tree is made from. */
struct xb_debian {
	struct xb_suite *suites;
	size_t n_suites;
	struct xb_archive_site *sites;
	size_t n_sites;
	struct xb_list key_files; /* absolute paths */
};

/* A file by place and digest, for one host (of a toolchain) or one target (of a sysroot). */
struct xb_archive_ref {
	const char *owner; /* "darwin-aarch64"; NULL: all */
	struct xb_place at;
	const char *url;	 /* "https://...", or XB_LOCAL_FILE and a path below the project directory */
	const char *file;	 /* its name, in data files; else NULL */
	struct xb_digest sha256; /* all zero: of a file of the project, which is locked as it is */
	int64_t size_bytes;	 /* -1 unknown */
	const char *signature;	 /* like url: its detached OpenPGP signature; NULL: none */
	const char *key;	 /* path below the project directory: certificates of who may have signed */
};

#define XB_LOCAL_FILE "file:"

struct xb_archive_refs {
	struct xb_archive_ref *items;
	size_t len;
};

struct xb_toolchain_desc {
	struct xb_arena arena;
	const char *name;    /* "llvm-22" */
	const char *version; /* "22.1.8": of every host */
	const char *bin_dir; /* below the tree: "usr/lib/llvm-22/bin" */
	struct xb_debian debian;
	struct xb_list debian_hosts;	 /* hosts served from packages; the others from archives */
	struct xb_list packages;	 /* profile small: clang and lld */
	struct xb_list tools_packages;	 /* what profile full adds: llvm-ar and friends */
	struct xb_list exclude;		 /* names that are taken as installed and left out */
	struct xb_list drop;		 /* path patterns left out of the tree */
	struct xb_archive_refs archives; /* of hosts that get no packages: upstream's own */
	struct xb_archive_refs
		minimal; /* smaller ones of the same version, for who asks, and where upstream has none */
};

struct xb_sysroot_desc {
	struct xb_arena arena;
	const char *name;    /* "debian-bookworm" */
	const char *gcc;     /* "12": usr/lib/gcc/<triple>/<gcc>; NULL: whatever the tree has */
	const char *support; /* "current", or a sentence that lock prints as a warning ("out of support since ...") */
	struct xb_debian debian;
	struct xb_list architectures;	/* Debian's names of those that the release has; empty: not said */
	struct xb_list packages;	/* the minimal C and C++ sysroot; empty: it is an archive or a directory */
	struct xb_list libcxx_packages; /* what they need besides for libc++; empty: there is none */
	struct xb_list musl_packages;	/* the minimal C sysroot of targets with musl; empty: there is none */
	struct xb_list musl_exclude;	/* left out there besides `exclude` */
	struct xb_list exclude;
	struct xb_list drop;
	struct xb_archive_refs archives; /* by target */
};

/*
 * Rust: a compiler and cargo for each host, the standard library of each target, and where crates come from. The crates of
 * Debian's packages are source, the same for every architecture, and so are taken from one.
 */
struct xb_rust_desc {
	struct xb_arena arena;
	const char *name;    /* "rust-1.85" */
	const char *version; /* "1.85.1" */
	const char *bin_dir; /* below the tree: "usr/bin" */
	struct xb_debian debian;
	struct xb_list debian_hosts; /* there are no others */
	struct xb_list packages;     /* rustc first, cargo */
	struct xb_list exclude;	     /* of all lists */
	struct xb_list drop;
	struct xb_list std_packages; /* of a target: its standard library */
	struct xb_list std_exclude;
	const char *crates_arch;   /* whose packages are taken: "amd64" */
	const char *crates_dir;	   /* below their tree: a directory source of cargo */
	const char *crates_prefix; /* what names of packages with crates begin with; all others are left out */
	struct xb_list crates_drop;
};

/* Who is in /etc/passwd of an image, or, with a gid alone, in /etc/group. */
struct xb_image_account {
	const char *name;
	uint32_t uid, gid;
	const char *home; /* absolute; "/nonexistent": none is made. NULL for a group */
};

/*
 * What Debian packages make an image: one that a project names as its base, or, by the name XB_IMAGE_PLAIN, whatever
 * packages the project lists itself. A file that extends another one has that one's entries before its own.
 */
struct xb_image_desc {
	struct xb_arena arena;
	const char *name;
	struct xb_list packages;	/* names; "a | b" is the first that the suites have */
	struct xb_list data_only;	/* packages whose dependencies are their scripts' alone: not followed */
	struct xb_list exclude;		/* names that are taken as installed and left out */
	struct xb_list drop;		/* path patterns left out of the image */
	struct xb_image_account *users; /* root is the first */
	size_t n_users;
	struct xb_image_account *groups; /* besides those of the users */
	size_t n_groups;
};

#define XB_IMAGE_PLAIN "debian"

void xb_toolchain_desc_free(struct xb_toolchain_desc *desc);
void xb_sysroot_desc_free(struct xb_sysroot_desc *desc);
void xb_image_desc_free(struct xb_image_desc *desc);
void xb_rust_desc_free(struct xb_rust_desc *desc);

/* Owned path of the directory that holds toolchains/ and sysroots/: XBUILD_DATA_DIR, else beside the executable's
 * prefix (<prefix>/share/xbuild), else the source tree it was built from (uninstalled). */
int xb_data_dir(const char *self_path, char **out, struct xb_err *err) XB_MUST_CHECK;

/* `name` as in the project file; an unknown one is XB_E_INPUT and lists those that exist. */
int xb_toolchain_desc_load(const char *data_dir, const char *name, struct xb_toolchain_desc **out,
			   struct xb_diags *diags, struct xb_err *err) XB_MUST_CHECK;
int xb_sysroot_desc_load(const char *data_dir, const char *name, struct xb_sysroot_desc **out, struct xb_diags *diags,
			 struct xb_err *err) XB_MUST_CHECK;
int xb_image_desc_load(const char *data_dir, const char *name, struct xb_image_desc **out, struct xb_diags *diags,
		       struct xb_err *err) XB_MUST_CHECK;

/* One of toolchains/ whose `kind` is rust. */
int xb_rust_desc_load(const char *data_dir, const char *name, struct xb_rust_desc **out, struct xb_diags *diags,
		      struct xb_err *err) XB_MUST_CHECK;
/* The file's name at the end of a URL, or of XB_LOCAL_FILE and a path; borrowed from it. */
const char *xb_archive_name(const char *url);
/* The archive for a host or target, or NULL. */
const struct xb_archive_ref *xb_archive_ref_find(const struct xb_archive_refs *refs, const char *owner);

/* The site of an archive that a suite names ("debian"), or NULL. */
const struct xb_archive_site *xb_debian_site(const struct xb_debian *debian, const char *archive);

/* Names of the data files of a kind ("toolchains", "sysroots", "images"), sorted, without ".yaml", ends with NULL; in arena. */
int xb_data_names(const char *data_dir, const char *kind, struct xb_arena *arena, const char ***out,
		  struct xb_err *err) XB_MUST_CHECK;

#endif
