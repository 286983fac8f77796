/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a runtime would do with a configuration: its user is looked up, its command is found and started. The layers pass by
 * only once, before it is known what is asked of them; so what they have is kept as listings, and of the few files that may
 * be looked into the first bytes.
 */
#include <string.h>

#include "audit_parts.h"
#include "listing.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/image/accounts.h"
#include "xbuild/image/closure.h"

#define SCRIPT_BYTES	  256		/* what the kernel reads of a program: execve(2) */
#define MAX_ACCOUNT_BYTES XB_MIB	/* of /etc/passwd; the largest known ones have 5 KiB */
#define MAX_KEPT_BYTES	  (64 * XB_MIB) /* a layer of 10,000 files takes 1 MiB */
#define MAX_MERGED	  20000000	/* an image of 20 layers and 50,000 files takes 1,000,000 */

/* ---- while a layer passes by ---- */

/* By the last part of its name: /etc/passwd may be a link. */
static bool is_account(const char *path)
{
	const struct xb_sv base = xb_path_base(xb_sv(path));

	return xb_sv_eq_str(base, "passwd") || xb_sv_eq_str(base, "group");
}

size_t audit_wanted_head(const struct xb_archive_entry *e, const char *path)
{
	if (is_account(path))
		return e->size_bytes <= MAX_ACCOUNT_BYTES ? MAX_ACCOUNT_BYTES : 0;
	return e->mode & 0111 ? SCRIPT_BYTES : 0;
}

/* What is kept of a file; most have the same, as "#!/bin/sh". */
static struct xb_sv cut_head(const char *path, struct xb_sv head)
{
	const char *end;

	if (is_account(path))
		return head;
	if (head.len >= 4 && memcmp(head.ptr, "\177ELF", 4) == 0)
		return xb_sv_n(head.ptr, 4);
	if (!xb_sv_starts(head, "#!"))
		return xb_sv("");
	end = memchr(head.ptr, '\n', head.len);
	return xb_sv_n(head.ptr, end ? (size_t)(end + 1 - head.ptr) : head.len);
}

static void keep_head(struct audit_run *run, struct xb_sv head, const struct xb_digest *digest)
{
	struct xb_arena *arena = &run->out->arena;
	char hex[XB_DIGEST_HEX];
	struct xb_sv *copy;

	if (xb_map_get_str(&run->heads, xb_digest_hex(digest, hex)))
		return;
	copy = xb_arena_alloc(arena, sizeof(*copy));
	*copy = xb_sv_n(xb_arena_sv(arena, head), head.len);
	xb_map_put_str(&run->heads, hex, copy);
	run->kept_bytes += (int64_t)head.len;
}

void audit_keep_entry(struct audit_run *run, struct xb_str *listing, const struct xb_archive_entry *e, const char *path,
		      struct xb_sv head)
{
	const char *target = e->link_target ? e->link_target : "";
	struct xb_digest digest = {0};

	while (strncmp(target, "./", 2) == 0)
		target += 2;
	/* a name that is not safe has been told; the limit is told when the listing is missed */
	if (!run->checks_start || !xb_path_is_safe(xb_sv(path)) ||
	    (e->type == XB_ARCHIVE_HARDLINK && !xb_path_is_safe(xb_sv(target))) ||
	    run->kept_bytes + (int64_t)listing->len > MAX_KEPT_BYTES)
		return;
	if (listing_put_entry(listing, e, path))
		return;
	head = cut_head(path, head);
	if (!head.len) {
		/* with a digest goes the size, which tells an empty file of accounts from one that was not kept */
		listing_put(listing, 'f', e, path, "", is_account(path) ? &digest : NULL);
		return;
	}
	xb_digest_bytes(head.ptr, head.len, &digest);
	keep_head(run, head, &digest);
	listing_put(listing, 'k', e, path, "", &digest);
}

void audit_keep_listing(struct audit_run *run, const struct xb_str *listing, struct audit_layer *layer)
{
	if (run->kept_bytes + (int64_t)listing->len > MAX_KEPT_BYTES)
		return;
	run->kept_bytes += (int64_t)listing->len;
	layer->listing = xb_sv_n(xb_arena_sv(&run->out->arena, xb_str_sv(listing)), listing->len);
}

/* ---- the layers of an image on top of each other ---- */

/* 1: *out is what a container sees; 0: it is not known, and *out_why says why unless that has been told. */
static int join_layers(struct audit_run *run, struct audit_file *const *layers, size_t n_layers, struct xb_rootfs *out,
		       const char **out_why, struct xb_err *err)
{
	for (size_t i = 0; i < n_layers; i++) {
		if (!layers[i] || !layers[i]->layer.whole)
			return 0;
		if (!layers[i]->layer.listing.ptr || run->n_merged > MAX_MERGED) {
			*out_why = "there are too many files";
			return 0;
		}
		if (audit_check_interrupted(run, err) < 0 ||
		    xb_listing_apply(NULL, layers[i]->layer.listing, layers[i]->name, out, err) < 0)
			return err->code;
		run->n_merged += (int64_t)out->len;
	}
	for (size_t i = 0; i < out->len; i++) {
		char hex[XB_DIGEST_HEX];
		const struct xb_sv *head = xb_map_get_str(&run->heads, xb_digest_hex(&out->items[i].digest, hex));

		if (head && out->items[i].type == XB_TREE_FILE)
			out->items[i].head = *head;
	}
	return 1;
}

/* False for a file that is there and cannot be looked into. */
static bool read_accounts(const struct xb_rootfs *rootfs, const char *path, struct xb_sv *out)
{
	const struct xb_rootfs_entry *e = xb_rootfs_resolve(rootfs, path);

	*out = e ? e->head : xb_sv("");
	return !e || out->len || !e->size_bytes;
}

/* ---- the configuration ---- */

static const char *first_word(const json_t *list)
{
	return json_string_value(json_array_get(list, 0));
}

/* PATH of "Env"; of two the last one counts. */
static const char *path_of(const json_t *env)
{
	const char *path = NULL;

	for (size_t i = 0; i < json_array_size(env); i++) {
		const char *text = json_string_value(json_array_get(env, i));

		if (text && strncmp(text, "PATH=", 5) == 0)
			path = text + 5;
	}
	return path ? path : XB_RUNTIME_PATH;
}

/* What is the image's fault becomes a problem. */
static int tell(struct audit_run *run, const char *where, const char *member, struct xb_err *err)
{
	char *what XB_CLEANUP(xb_free_ptr) = xb_printf("%s: %s", where, member);

	return audit_absorb(run, what, err);
}

/* *out stays root where the user is not known, who may execute what anybody may. */
static int check_user(struct audit_run *run, const struct xb_rootfs *rootfs, const char *user, const char *where,
		      struct xb_account *out, struct xb_err *err)
{
	struct xb_sv passwd, group;

	if (!read_accounts(rootfs, "/etc/passwd", &passwd) || !read_accounts(rootfs, "/etc/group", &group)) {
		audit_warning(run, "%s: User '%s' was not looked for: /etc/passwd or /etc/group cannot be read", where,
			      user);
		return 0;
	}
	return xb_account_find(user, passwd, group, out, err) < 0 ? tell(run, where, "User", err) : 0;
}

static int check_command(struct audit_run *run, const struct xb_rootfs *rootfs, const json_t *config,
			 const struct xb_account *account, const char *where, struct xb_err *err)
{
	const char *entrypoint = first_word(json_object_get(config, "Entrypoint"));
	const char *workdir = json_string_value(json_object_get(config, "WorkingDir"));
	const struct xb_closure_program program = {
		.command = entrypoint ? entrypoint : first_word(json_object_get(config, "Cmd")),
		.workdir = workdir && *workdir ? workdir : NULL,
		.path = path_of(json_object_get(config, "Env")),
		.uid = account->uid,
		.gid = account->gid,
		.groups = account->groups,
		.n_groups = account->n_groups,
	};

	const char *member = entrypoint ? "Entrypoint" : "Cmd";

	if (!program.command)
		return 0;
	/* others may stand on the image, mount the program, or name another command: a base of nothing but data has /bin/sh */
	if (!xb_closure_find_command(rootfs, &program)) {
		audit_warning(run, "%s: %s: the command '%s' is not in the image", where, member, program.command);
		return 0;
	}
	return xb_closure_check_program(rootfs, &program, err) < 0 ? tell(run, where, member, err) : 0;
}

int audit_check_start(struct audit_run *run, const json_t *document, struct audit_file *const *layers, size_t n_layers,
		      const char *where, struct xb_err *err)
{
	struct xb_rootfs rootfs XB_CLEANUP(xb_rootfs_release) = {0};
	const json_t *config = json_object_get(document, "config");
	const char *os = json_string_value(json_object_get(document, "os"));
	const char *user = json_string_value(json_object_get(config, "User")), *why = NULL;
	struct xb_account account = {0};
	int r;

	/* an image that says nothing is a base for others; Windows has other programs and users */
	if (!run->checks_start || !os || strcmp(os, "linux") != 0 ||
	    !((user && *user) || first_word(json_object_get(config, "Entrypoint")) ||
	      first_word(json_object_get(config, "Cmd"))))
		return 0;
	r = join_layers(run, layers, n_layers, &rootfs, &why, err);
	if (why)
		audit_warning(run, "%s: Entrypoint, Cmd and User were not looked for in the layers: %s", where, why);
	if (r <= 0)
		return r;
	if (user && *user && check_user(run, &rootfs, user, where, &account, err) < 0)
		return err->code;
	return check_command(run, &rootfs, config, &account, where, err);
}
