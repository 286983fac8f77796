/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to op_image.c and image_*.c: what one run of `xbuild image` carries from
 * the project to the documents of each image and platform.
 */
#ifndef XBUILD_APP_IMAGE_PLAN_H
#define XBUILD_APP_IMAGE_PLAN_H

#include "xbuild/app/op_image.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/image/apk_base.h"
#include "xbuild/image/document.h"
#include "xbuild/image/rootfs.h"
#include "xbuild/store/statcache.h"
#include "xbuild/sys/git.h"

/* An unpacked tree that files of an image come from. */
struct image_tree {
	const char *dir;
	struct xb_digest digest;
};

/* One run. Strings are in app->arena. */
struct image_run {
	struct xb_app *app;			/* with git read */
	const char *profile;			/* as given; NULL: release */
	const enum xb_compression *compression; /* as given; NULL: the image's */
	const char *created;			/* RFC 3339 */
	struct xb_statcache *files;		/* digests of the project's own files */
	struct xb_build_result build;		/* of the current image */
	XB_VEC(struct image_tree) trees;	/* used so far */
};

/* Who runs in the image and owns what it makes. */
struct image_user {
	const char *name; /* or NULL */
	bool given;	  /* false: nothing is said, the runtime takes root */
	uint32_t uid, gid;
	const char *note; /* to be told once per image, or NULL */
};

/*
 * What an image stands on for one platform, when that comes in layers that are made already (an apko.yaml, another image).
 * All-zero for the other bases, whose packages go into layers of the image itself. Strings are in app->arena.
 */
struct image_ground {
	struct xb_layer *layers; /* bottom first, of XB_LAYER_BASE; their blobs are in the store */
	size_t n_layers;
	json_t *config; /* the base's configuration document, owned; or NULL */
	struct xb_words entrypoint, cmd, ports, volumes;
	struct xb_pairs env, labels;
	const char *user;			/* as a configuration has it: "app", "10001:10001"; NULL: root */
	const char *workdir, *stop_signal;	/* or NULL */
	const struct xb_apk_base_package *apks; /* what is installed in a base of apk packages, or NULL */
	size_t n_apks;
	const char *name;	 /* reference for the annotation base.name, or NULL */
	struct xb_digest digest; /* of the base's manifest for this platform; zero: it has none */
};

/* One platform of an image as it was made. */
struct image_part {
	const struct xb_target *target;
	struct image_ground ground; /* owned */
	struct xb_rootfs rootfs;    /* owned */
	struct image_user user;
	struct xb_document_config run; /* how a container of it runs, without the layers */
	struct xb_descriptor config, manifest;
	struct xb_layer *layers;
	size_t n_layers;
};

/* One image as it was made: what outputs are written from. All blobs are in the store. */
struct image_whole {
	const struct xb_image *image;
	struct image_part *parts; /* in the arena of the result */
	size_t n_parts;
	struct xb_descriptor index;
	const char *ref; /* its tag in layouts and archives */
};

/* How the layers of an image are packed: as the command line says, else the project. */
enum xb_compression image_compression(const struct image_run *run, const struct xb_image *image);

/*
 * Where the outputs of an image go: fills built->outputs (in arena) before anything is made. XB_E_USAGE for a path that two
 * of them, two images or two platforms would share.
 */
int image_place_outputs(struct image_run *run, const struct xb_image_opts *opts, size_t n_images,
			const struct image_whole *whole, struct xb_arena *arena, struct xb_image_built *built,
			struct xb_err *err);
/* Writes what is not there yet. */
int image_write_outputs(struct image_run *run, const struct image_whole *whole, struct xb_image_built *built,
			struct xb_err *err);

/*
 * Bills of materials and provenance beside each layout that was written (<layout>.evidence, <layout>.referrers), unless they are
 * those of this very image already. run->build must have been made with evidence.
 */
int image_write_evidence(struct image_run *run, const struct image_whole *whole, const struct xb_image_built *built,
			 struct xb_err *err);

/* xb_wrap with "<noun> '<name>'", except for a failure that xbuild-supply has told itself: its message is empty. */
int image_wrap(struct xb_err *err, const char *noun, const char *name);

/* Fills part->ground, and adds what its layers hold to `out` (XB_LAYER_BASE). */
int image_lay_ground(struct image_run *run, const struct xb_image *image, struct image_part *part,
		     struct xb_rootfs *out, struct xb_err *err);
/* The same for a base of apk packages (image_apko.c). */
int image_lay_apko(struct image_run *run, const struct xb_image *image, struct image_part *part, struct xb_rootfs *out,
		   struct xb_err *err);
void image_ground_release(struct image_ground *ground);
/* Brings the content of all files of the base into the store, and says in part->rootfs where each is. */
int image_need_files(struct image_run *run, const struct xb_image *image, struct image_part *part, struct xb_err *err);

/*
 * Who runs in the image. `base` has the entries of what it stands on, finished or not: a name is looked up in its
 * /etc/passwd, and of a user that only the base names, the numbers are found there and in /etc/group. One that is not there gets
 * the project's numbers; nobody and nonroot have the same ones on every base.
 */
int image_find_user(struct image_run *run, const struct xb_image *image, const struct image_ground *ground,
		    const struct xb_rootfs *base, struct image_user *out, struct xb_err *err);

/*
 * The image's own entries for a platform: files of the project, outputs of units, and what xbuild makes (/etc/passwd and
 * /etc/group, /tmp, the working directory, volumes), added to those of its base. Units must be in run->build, part->user
 * be known. Not finished.
 */
int image_add_files(struct image_run *run, const struct xb_image *image, const struct image_part *part,
		    struct xb_rootfs *out, struct xb_err *err);

/*
 * Base auto: chooses packages for the finished list `own`, provisions them, and adds the entries of those to out that the
 * image's list does not have. Fills platform->packages with these and with the list, in arena.
 */
int image_add_packages(struct image_run *run, const struct xb_image *image, const struct xb_rootfs *own,
		       struct xb_rootfs *out, struct xb_image_platform *platform, struct xb_arena *arena,
		       struct xb_err *err);

/* The first entry of a path in a list that need not be finished, or NULL. */
const struct xb_rootfs_entry *image_find_entry(const struct xb_rootfs *rootfs, const char *path);
/* A file of text that xbuild makes. One of the packages' layer yields. */
int image_add_text(struct image_run *run, struct xb_rootfs *out, const char *path, const struct xb_str *text,
		   enum xb_layer_kind layer, struct xb_err *err);
/* A directory by its absolute path, unless the list has one; none for NULL and "/". */
void image_add_dir(struct xb_rootfs *out, const char *path, uint32_t mode, const struct image_user *owner,
		   enum xb_layer_kind layer);
/* For blame when something below `dir` is not as it was. */
void image_note_tree(struct image_run *run, const char *dir, const struct xb_digest *digest);

/* What the lock lists for the image and target; empty for images without a list. */
const struct xb_lock_packages *image_list(const struct image_run *run, const struct xb_image *image,
					  const struct xb_target *target);
/*
 * Provisions the packages of the image's list and adds their entries, which yield to the project's own; for base debian
 * also /etc/passwd, /etc/group, homes and /tmp.
 */
int image_lay_list(struct image_run *run, const struct xb_image *image, const struct xb_target *target,
		   struct xb_rootfs *out, struct xb_err *err);
/*
 * /etc/ssl/certs/ca-certificates.crt out of the certificates that packages have, then of those that the project has put
 * into /usr/local/share/ca-certificates; unless the list has the file, or no package has any.
 */
int image_add_certificates(struct image_run *run, struct xb_rootfs *out, struct xb_err *err);
/* Was it made, and stayed? For a finished list. */
bool image_has_certificates(const struct xb_rootfs *rootfs);

/* Refuses a list that lacks something; what passed once is remembered in the store by its digest. */
int image_check(struct image_run *run, const struct xb_image *image, const struct image_part *part, struct xb_err *err);

/* ${...} replaced; in app->arena. target may be NULL. */
int image_subst(struct image_run *run, const char *text, const struct xb_target *target, const struct xb_image *image,
		const char **out, struct xb_err *err);
/*
 * Fills part->run: what the base says, replaced and added to by what the project says. An entrypoint of the project lets
 * go of the base's cmd as well; PATH stands in front for Debian bases.
 */
int image_settle(struct image_run *run, const struct xb_image *image, struct image_part *part, struct xb_err *err);
/*
 * Standard annotations, then the user's, which replace those of the same name. With `ground` also those that name the base
 * (annotations.md "base.name", "base.digest"): for the manifest of a platform.
 */
int image_annotations(struct image_run *run, const struct xb_image *image, const struct image_ground *ground,
		      struct xb_pairs *out, struct xb_err *err);
/* Writes the configuration document of one platform, with part->layers, into the store. */
int image_put_config(struct image_run *run, struct image_part *part, struct xb_err *err);

#endif
