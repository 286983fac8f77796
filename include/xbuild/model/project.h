/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xbuild.yaml, typed. The user guide (docs/guide.md) describes every key and its default; this header is what the rest
 * of the program sees: all defaults filled in, all names resolved (targets, profiles, deps), nothing left to check but
 * what needs the disk (do the sources exist?) or the lock.
 *
 * Guarantee: loading reports every problem it can find in one run (base/diag) and never half of a project. Unknown
 *            keys are errors. Everything is borrowed from project->arena.
 * ${...}:    stays unexpanded in the fields that allow it (model/subst); an unknown name in it is reported on load.
 */
#ifndef XBUILD_MODEL_PROJECT_H
#define XBUILD_MODEL_PROJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/diag.h"
#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/model/data.h"
#include "xbuild/model/target.h"
#include "xbuild/sys/digest.h"

/* What a project is built with that names nothing else: toolchains/llvm-<...>.yaml and sysroots/debian-<...>.yaml. */
#define XB_DEFAULT_LLVM	  "22"
#define XB_DEFAULT_DEBIAN "bookworm"

/* A list of words from the file; places only where messages need them. */
struct xb_words {
	const char **items;
	struct xb_place *at; /* same index */
	size_t len;
};

/* NAME: value pairs in the order of the file. */
struct xb_pairs {
	const char **names;
	const char **values;
	struct xb_place *at;
	size_t len;
};

enum xb_version_kind { XB_VERSION_GIT, XB_VERSION_FILE, XB_VERSION_LITERAL };

enum xb_optimize { XB_OPTIMIZE_NONE, XB_OPTIMIZE_SPEED, XB_OPTIMIZE_SIZE };
enum xb_debug { XB_DEBUG_NONE, XB_DEBUG_LINES, XB_DEBUG_FULL, XB_DEBUG_SPLIT };
enum xb_stdlib { XB_STDLIB_UNSAID, XB_STDLIB_LIBSTDCXX, XB_STDLIB_LIBCXX };
enum xb_lto { XB_LTO_NONE, XB_LTO_THIN, XB_LTO_FULL };

/* Compiler and linker settings; those of a unit, and those that one target or profile adds behind them. */
struct xb_settings {
	const char *c_std, *cxx_std; /* "c17"; NULL: the compiler's default */
	enum xb_stdlib cxx_stdlib;   /* libstdc++ where nothing is said: model/stdlib */
	bool cxx_static_stdlib;	     /* what is linked brings the C++ library along */
	struct xb_words flags;	     /* C, C++ and assembler alike */
	struct xb_words c_flags, cxx_flags, asm_flags;
	struct xb_words ldflags; /* driver words: -lfoo, -Wl,..., -L<dir of the project> (model/flags) */
	struct xb_words libs;	 /* "m": -lm */
	struct xb_pairs defines; /* value "" : -DNAME, else -DNAME=value; ${...} allowed */
};

struct xb_project_target {
	const struct xb_target *target;
	struct xb_place at;
	const char *cpu;	 /* -march= (x86) or -mcpu= (arm); NULL: baseline of the target */
	const char *glibc_floor; /* "2.34": no binary may need a newer GLIBC version; NULL: the sysroot's own */
	struct xb_settings settings;
};

struct xb_profile {
	const char *name;
	enum xb_optimize optimize;
	enum xb_debug debug;
	enum xb_lto lto;
	bool strip;
	struct xb_settings settings;
};

enum xb_unit_kind { XB_UNIT_EXECUTABLE, XB_UNIT_STATIC, XB_UNIT_SHARED };

/* Who builds a unit. */
enum xb_driver_kind {
	XB_DRIVER_SOURCES, /* xbuild itself */
	XB_DRIVER_CMAKE,
	XB_DRIVER_MESON,
	XB_DRIVER_AUTOTOOLS,
	XB_DRIVER_MAKE,
	XB_DRIVER_CARGO,
	XB_DRIVER_GO,
	XB_DRIVER_COMMAND,
	XB_N_DRIVERS
};

/* What a build system of the user's is given; each driver takes some of them. ${...} is allowed in all values and args. */
struct xb_foreign_settings {
	struct xb_pairs options; /* cmake -D, meson -D, autotools --NAME=VALUE */
	struct xb_pairs cache;	 /* answers to questions that only a program of the target could answer */
	struct xb_pairs env;
	struct xb_words args; /* further words for the step that configures, or builds where nothing configures */
};

/* Commands, each the words of one. */
struct xb_argvs {
	struct xb_words *items;
	size_t len;
};

/* A unit that another build system makes. Keys that a driver does not have keep their defaults. */
struct xb_foreign {
	struct xb_place at; /* of the driver's key */
	const char *dir;    /* below the project; "." by default */
	struct xb_foreign_settings settings;
	const char *source;		  /* cmake, meson: where its first file is, below dir; NULL: in dir itself */
	const char *preset, *build_type;  /* cmake; NULL: none, and what the profile says */
	struct xb_words targets;	  /* cmake: what is built; none: all */
	struct xb_words make_args;	  /* autotools */
	bool copy;			  /* cmake, meson, cargo, go: builds in a copy of its sources */
	bool autoreconf;		  /* autotools: the configure script is made first */
	struct xb_words install;	  /* make: the goals that install; command: one argv */
	struct xb_words bins, features;	  /* cargo */
	const char *profile, *vendor;	  /* cargo */
	bool test;			  /* cargo: `xbuild test` runs its tests too */
	struct xb_words packages, tags;	  /* go */
	struct xb_words ldflags;	  /* go */
	struct xb_words configure, build; /* command: one argv each */
	struct xb_argvs run;		  /* command: one behind the other, instead of the three */
};

/* A key of a driver in the project file, and what stands for it in struct xb_foreign. */
enum xb_foreign_type {
	XB_FOREIGN_TEXT,  /* const char *; NULL: not given */
	XB_FOREIGN_BOOL,  /* bool */
	XB_FOREIGN_WORDS, /* struct xb_words */
	XB_FOREIGN_ARGS,  /* the same, with ${...} */
	XB_FOREIGN_PAIRS, /* struct xb_pairs */
	XB_FOREIGN_ARGVS  /* struct xb_argvs, with ${...} */
};
struct xb_foreign_key {
	const char *name; /* "build-type" */
	enum xb_foreign_type type;
	size_t offset;
};

/* Settings that hold for one target or one profile only. Exactly one of the two is set. */
struct xb_override {
	const struct xb_target *target;
	const char *profile;
	struct xb_settings settings;
	struct xb_words sources;	    /* further patterns */
	struct xb_foreign_settings foreign; /* of a unit that has a driver: added to its own, the same name replaced */
};

struct xb_unit {
	const char *name;
	struct xb_place at;
	enum xb_unit_kind kind;
	struct xb_words sources, exclude; /* patterns below the project directory */
	struct xb_words include;	  /* directories; exported to units that depend on this one */
	struct xb_words private_include;  /* directories for this unit alone */
	struct xb_words pkg_config;	  /* module names, looked up in the sysroot */
	const char *soname;		  /* shared: DT_SONAME; default "lib<name>.so", see output_name */
	const char *output_name;	  /* "server", "libcore.a"; of the first of `outputs`, or NULL, with a driver */
	struct xb_settings settings;
	struct xb_override *overrides;
	size_t n_overrides;
	struct xb_unit **deps; /* direct, in the order of the file; no cycles */
	size_t n_deps;
	struct xb_words targets; /* canonical names; empty: all of the project */

	/* With a driver other than XB_DRIVER_SOURCES: kind, sources, settings and the like are unset. */
	enum xb_driver_kind driver;
	struct xb_foreign *foreign;  /* NULL for XB_DRIVER_SOURCES */
	struct xb_words outputs;     /* paths below the prefix (/usr) of what it installs; last components differ */
	struct xb_unit **host_tools; /* built for this host and put in PATH */
	size_t n_host_tools;
};

struct xb_test {
	const char *name;
	struct xb_place at;
	struct xb_unit *unit; /* run[0] is build:<unit> or build:<unit>/<output> */
	const char *output;   /* one of unit->outputs; NULL: the unit has no list */
	struct xb_words args; /* run[1..]; "build:<unit>" words become its path */
	struct xb_pairs env;
	int64_t timeout_ms; /* default 60000 */
	int expect_exit;    /* default 0 */
};

/* One file of an image: destination, and where it comes from. */
struct xb_image_file {
	const char *dest; /* absolute, clean */
	struct xb_place at;
	struct xb_unit *unit; /* build:<unit> or build:<unit>/<output>, or NULL */
	const char *output;   /* one of unit->outputs; NULL: the unit has no list */
	const char *from;     /* path below the project directory (file or directory), or NULL */
	const char *link;     /* symlink: its target text, or NULL */
	uint32_t mode;	      /* 0: 0755 for programs and directories, 0644 for other files */
	const char *owner;    /* "root" (default), the image's user name, or "uid" or "uid:gid" in digits */
};

/* How the layers of an image are packed. */
enum xb_compression { XB_COMPRESSION_GZIP, XB_COMPRESSION_ZSTD, XB_COMPRESSION_NONE };

/* What an image stands on. */
enum xb_image_base {
	XB_BASE_SCRATCH,
	XB_BASE_AUTO,	/* the Debian packages that its programs need */
	XB_BASE_DEBIAN, /* the Debian packages of a list, or of a data file of images/ */
	XB_BASE_APKO,	/* apk packages that an apko.yaml names */
	XB_BASE_IMAGE	/* an image of a registry or of a layout */
};

struct xb_image {
	const char *name;
	struct xb_place at;
	enum xb_image_base base;
	struct xb_place at_base;	 /* of its value; line 0: a default */
	const char *base_name;		 /* XB_BASE_DEBIAN: of a data file ("debian-base"), or NULL: base_packages */
	struct xb_words base_packages;	 /* XB_BASE_DEBIAN */
	const char *apko;		 /* XB_BASE_APKO: path below the project directory */
	const char *apko_lock;		 /* XB_BASE_APKO: apko.lock.json to use as it is, or NULL */
	const char *base_ref;		 /* XB_BASE_IMAGE: "host/name:tag", "oci:DIR" or "oci:DIR:ref" */
	struct xb_words packages;	 /* added to base auto or debian */
	enum xb_compression compression; /* of the layers that it adds to its base */
	struct xb_image_file *files;
	size_t n_files;
	const char *user_name; /* NULL: no entry in /etc/passwd is made */
	int64_t uid, gid;      /* -1: not given (root) */
	bool uid_is_default;   /* a name alone was given: a base that has a user of this name decides */
	struct xb_words entrypoint, cmd;
	struct xb_pairs env, labels, annotations; /* values: ${...} allowed */
	struct xb_words ports;			  /* "8080/tcp" */
	struct xb_words volumes;
	const char *workdir;	 /* NULL: "/" is left to the runtime */
	const char *stop_signal; /* NULL: not given */
	struct xb_words targets; /* canonical names; empty: all of the project */
};

struct xb_tag_template {
	const char *text;  /* ${...} allowed; or the name of a built-in, see model/tag */
	bool only_git_tag; /* when: git-tag */
	struct xb_place at;
};

#define XB_RUST_HOST "host" /* the rustc and cargo that the host has */

/* Which of a toolchain's sources. */
enum xb_toolchain_source {
	XB_TOOLCHAIN_ANY,      /* packages for hosts that run them, else upstream's archive, else the minimal one */
	XB_TOOLCHAIN_OFFICIAL, /* upstream's archives for all hosts */
	XB_TOOLCHAIN_MINIMAL,  /* minimal archives for all hosts */
	XB_TOOLCHAIN_OWN       /* archives that the project names */
};

enum xb_sysroot_source { XB_SYSROOT_DATA, XB_SYSROOT_ARCHIVE, XB_SYSROOT_DIR };

/* A further suite of the sysroot's archive, or somebody else's repository of packages. */
struct xb_project_suite {
	const char *name; /* "backports", or the repository's own */
	struct xb_place at;
	const char *url;   /* of a repository, which holds dists/; NULL: a suite that the data file describes */
	const char *suite; /* of a repository: below dists/ */
	struct xb_words components; /* of a repository */
	const char *key;	    /* of a repository: path below the project of the certificates that may sign */
	struct xb_words packages;   /* in the sysroot, and taken from here and nowhere else */
};

struct xb_project_suites {
	struct xb_project_suite *items;
	size_t len;
};

struct xb_project {
	struct xb_arena arena;
	char *dir;	     /* absolute path of the directory that holds the file */
	const char *file;    /* file name for messages, as the user would type it */
	struct xb_sv source; /* the text, for diags found later (missing sources and the like) */

	const char *name;
	enum xb_version_kind version_kind;
	const char *version;  /* literal text or path of the file */
	const char *license;  /* SPDX expression or NULL */
	struct xb_pairs vars; /* name: default */

	const char *toolchain;	      /* data file name: "llvm-22"; of archives of its own "archive" */
	struct xb_place at_toolchain; /* of its value; line 0: a default */
	bool toolchain_full;	      /* profile: full */
	const char *rust;	      /* data file name: "rust-1.85"; XB_RUST_HOST; NULL: no Rust */
	struct xb_place at_rust;      /* of its value; line 0: a default */
	struct xb_words crates;	      /* Debian packages of crates */
	enum xb_toolchain_source toolchain_source;
	struct xb_archive_refs toolchain_archives;
	const char *toolchain_version; /* of those archives: what clang --version must say */
	const char *sysroot;	       /* data file name: "debian-bookworm"; else "archive" or "directory" */
	struct xb_place at_sysroot;    /* of its value; line 0: a default */
	enum xb_sysroot_source sysroot_source;
	struct xb_archive_refs
		sysroot_archives;	 /* also directories: url is XB_LOCAL_FILE and a path, or an absolute one */
	struct xb_words sysroot_drop;	 /* path patterns left out of archives and directories */
	struct xb_project_suites suites; /* further ones, then repositories */
	const char *snapshot;		 /* "latest" or "YYYY-MM-DDThh:mm:ssZ" */
	struct xb_words packages;	 /* of the sysroot, those that suites name too */
	struct xb_words hosts;		 /* canonical names */

	struct xb_project_target *targets;
	size_t n_targets;
	struct xb_profile *profiles; /* dev and release always exist */
	size_t n_profiles;
	struct xb_unit **units; /* in the order of the file; a unit's deps may stand anywhere */
	size_t n_units;
	struct xb_test *tests;
	size_t n_tests;
	struct xb_image *images;
	size_t n_images;
	struct xb_tag_template *tags;
	size_t n_tags;
};

void xb_project_free(struct xb_project *project); /* NULL-safe; releases and frees */

/*
 * Reads and checks a project file. `dir` is the absolute directory, `file` its name in there ("xbuild.yaml").
 * Failure: XB_E_INPUT with diags; or XB_E_NOT_FOUND, XB_E_SYSTEM.
 */
int xb_project_load(const char *dir, const char *file, struct xb_project **out, struct xb_diags *diags,
		    struct xb_err *err) XB_MUST_CHECK;

/* The same of a text that is not in the file (yet). */
int xb_project_parse(const char *dir, const char *file, struct xb_sv text, struct xb_project **out,
		     struct xb_diags *diags, struct xb_err *err) XB_MUST_CHECK;

/* Walks up from `start` (absolute) to the directory that holds xbuild.yaml. *out_dir is owned. */
int xb_project_find(const char *start, char **out_dir, struct xb_err *err) XB_MUST_CHECK;

struct xb_unit *xb_project_unit(const struct xb_project *project, struct xb_sv name);	/* or NULL */
struct xb_image *xb_project_image(const struct xb_project *project, struct xb_sv name); /* or NULL */
const struct xb_profile *xb_project_profile(const struct xb_project *project, const char *name);
/* "cmake"; the key that a unit of this kind has. */
const char *xb_driver_key(enum xb_driver_kind kind);
/*
 * The i-th key that units of this kind have; false: there are no more. The table is the one that reads the project file, so what
 * goes through all of it (the key of a result does) forgets none.
 */
bool xb_foreign_key(enum xb_driver_kind kind, size_t i, struct xb_foreign_key *out);
/* Name in out/<target>/ of one of the unit's outputs: its last component. */
const char *xb_output_file_name(const char *output);
const struct xb_project_target *xb_project_target(const struct xb_project *project, const struct xb_target *target);

/*
 * Everything in the project file that the lock depends on (toolchain, profile, sysroot, snapshot, packages sorted, hosts
 * sorted, targets' Debian names sorted; of each image what it stands on), as an object that the caller owns. Members hold
 * text, lists of text, or (images, suites, archives) an object of such objects by name; what is as always is left out.
 */
json_t *xb_project_lock_wishes(const struct xb_project *project);
/* Digest of that object's canonical text, on one line with sorted keys: a lock with another one is stale. */
void xb_project_lock_inputs(const struct xb_project *project, struct xb_digest *out);

/*
 * The commented file that `xbuild init` writes for a project of this name. Of sources `what` is their pattern, of another build
 * system the file of its own that was found ("CMakeLists.txt"). Appends to out.
 */
void xb_project_template(const char *name, enum xb_driver_kind driver, const char *what, struct xb_str *out);

#endif
