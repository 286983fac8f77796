/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is everything in the image that its programs need to start? The work of the dynamic loader, done on the list of
 * entries before an image is written: every ELF file, its interpreter, its needed libraries and their symbol versions.
 *
 * Rules:    ld.so(8): a needed name is looked for among the objects that the program has loaded already, then in DT_RPATH
 *           (where there is no DT_RUNPATH; the program's too), in DT_RUNPATH, and in the default directories of Debian's
 *           loader: /lib/<multiarch>, /usr/lib/<multiarch>, /lib, /usr/lib. Files of another machine are passed over.
 *           $ORIGIN is the directory of the object. Libraries that no program of the image loads are checked as if a
 *           program loaded them alone (plugins, name service modules).
 *           Stricter than the loader in one point: a versioned need of a library without any version is a lack (the
 *           loader only warns).
 * Failure:  XB_E_INPUT for an ELF file that cannot be read; see each function.
 * Threads:  no state.
 */
#ifndef XBUILD_IMAGE_CLOSURE_H
#define XBUILD_IMAGE_CLOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/image/rootfs.h"
#include "xbuild/model/project.h"
#include "xbuild/model/target.h"

enum xb_lack_kind {
	XB_LACK_LIBRARY,     /* no file for a needed name */
	XB_LACK_VERSION,     /* the library is there and does not define the version */
	XB_LACK_INTERPRETER, /* PT_INTERP names nothing */
	XB_LACK_MACHINE	     /* the file is for another machine */
};

struct xb_lack {
	enum xb_lack_kind kind;
	const struct xb_rootfs_entry *file;  /* that needs it; borrowed from the rootfs */
	const char *name;		     /* library or interpreter; in the arena of the list */
	const char *version, *symbol;	     /* of XB_LACK_VERSION; symbol may be "" */
	const struct xb_rootfs_entry *found; /* of XB_LACK_VERSION: the library */
	/*
	 * Only files of packages or of a base have use for it, and no program or own library loads them: a plugin whose
	 * libraries the distribution only recommends. The image is complete without.
	 */
	bool is_optional;
};

struct xb_lacks {
	struct xb_arena arena;
	struct xb_lack *items; /* in the order of files, then of their needs */
	size_t len, cap;
};
void xb_lacks_release(struct xb_lacks *lacks);

/* Adds everything that is lacking in a finished list; none is success with an empty list. */
int xb_closure_find(const struct xb_rootfs *rootfs, const struct xb_target *target, struct xb_lacks *out,
		    struct xb_err *err) XB_MUST_CHECK;

/* One line about what optional lacks there are; "" for none. Appends to out. */
void xb_closure_tell_optional(const struct xb_lacks *lacks, const struct xb_target *target, struct xb_str *out);

/*
 * XB_E_VERIFY with the first lack that is not optional, how many there are, and the next step for an image of this base; 0
 * when there are none. A library that the image has in a place where no loader looks is told.
 * `packages`: names, joined by ", ", of packages that have what lacks, the first lack's first; NULL: none is known.
 */
int xb_closure_refuse(const struct xb_rootfs *rootfs, const struct xb_lacks *lacks, const struct xb_target *target,
		      enum xb_image_base base, const char *packages, struct xb_err *err) XB_MUST_CHECK;

/* What runtimes set where the image has no PATH (Docker and containerd do). */
#define XB_RUNTIME_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The first word of the command that a container runs, and as whom. */
struct xb_closure_program {
	const char *command; /* entrypoint[0], or cmd[0] where there is no entrypoint */
	const char *workdir; /* for a relative path; NULL is "/" */
	const char *path;    /* PATH, for a name without a slash; NULL: not set */
	uint32_t uid, gid;
	const uint32_t *groups; /* further ones */
	size_t n_groups;
	enum xb_image_base base; /* for the next step in a hint */
};
/* What execvp(3) finds for the command, of any type; NULL: it is not in the image. */
const struct xb_rootfs_entry *xb_closure_find_command(const struct xb_rootfs *rootfs,
						      const struct xb_closure_program *program);

/*
 * XB_E_VERIFY when it is not in the image, no regular file, may not be executed by that user, or when the kernel could not
 * start it: neither ELF nor a script ("#!", execve(2)) whose interpreter passes the same checks. Of "#!/usr/bin/env NAME"
 * NAME is looked for in PATH too.
 */
int xb_closure_check_program(const struct xb_rootfs *rootfs, const struct xb_closure_program *program,
			     struct xb_err *err) XB_MUST_CHECK;

/* XB_E_VERIFY when the image has an /etc/passwd that does not know `name`, or knows it with another uid. */
int xb_closure_check_user(const struct xb_rootfs *rootfs, const char *name, uint32_t uid,
			  struct xb_err *err) XB_MUST_CHECK;

#endif
