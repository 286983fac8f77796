/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/apk_archive.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apk_info.h"
#include "apk_tar.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/hex.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define MAX_CONTROL_BYTES   (16 * XB_MIB) /* inflated: .PKGINFO, scripts, .melange.yaml */
#define MAX_SIGNATURE_BYTES (1 * XB_MIB)
#define BLOCK_BYTES	    (256 * 1024)

/* One package on its way from the file into memory and store. */
struct reading {
	struct xb_store *store;
	const struct xb_lock_apk *package;
	char *name; /* for messages */
	int fd;
	struct xb_apk *apk;
	struct xb_digest data; /* datahash */
	XB_VEC(struct xb_apk_script) scripts;
	XB_VEC(struct xb_apk_entry) entries;
	struct xb_map paths; /* of the entries */
	char *block;
};

void xb_apk_free(struct xb_apk *apk)
{
	if (!apk)
		return;
	xb_arena_release(&apk->arena);
	free(apk);
}

static void close_gzip(struct xb_gzip **gz)
{
	xb_gzip_close(*gz);
}

static void release_reading(struct reading *r)
{
	xb_fs_close(&r->fd);
	free(r->name);
	free(r->block);
	xb_apk_free(r->apk);
	XB_VEC_RELEASE(&r->scripts);
	XB_VEC_RELEASE(&r->entries);
	xb_map_release(&r->paths);
}

static int fail_sum(const struct reading *r, const char *what, const char *expected, const char *found,
		    struct xb_err *err)
{
	return xb_fail(err, XB_E_VERIFY, "read '%s': %s: expected %s, found %s", r->name, what, expected, found);
}

/* The content of a file of a tar part as text in the arena. */
static int read_content(struct apk_tar *tar, const struct apk_tar_entry *entry, struct xb_arena *arena, char **out,
			struct xb_err *err)
{
	int64_t at = 0;
	char *text;

	/* The header says so before there are as many bytes. */
	if (entry->size_bytes > MAX_CONTROL_BYTES)
		return xb_fail(err, XB_E_VERIFY, "read '%s': '%s' is larger than %lld bytes", tar->name, entry->path,
			       MAX_CONTROL_BYTES);
	text = xb_arena_alloc(arena, (size_t)entry->size_bytes + 1);
	while (at < entry->size_bytes) {
		const int64_t n = apk_tar_read(tar, text + at, (size_t)(entry->size_bytes - at), err);

		if (n <= 0)
			return n < 0 ? err->code : xb_fail(err, XB_E_VERIFY, "read '%s': cut off", tar->name);
		at += n;
	}
	*out = text;
	return 0;
}

/* Executable files are scripts, whatever their names (apko, pkg/apk/apk/installed.go "updateScriptsTar"). */
static int take_control_entry(struct reading *r, struct apk_tar *tar, const struct apk_tar_entry *entry,
			      bool *out_has_info, struct xb_err *err)
{
	const bool is_info = strcmp(entry->path, ".PKGINFO") == 0;
	const bool is_script = (entry->mode & 0555) == 0555;
	char *text = NULL;

	if (entry->type != XB_APK_FILE || (!is_info && !is_script))
		return 0;
	if (read_content(tar, entry, &r->apk->arena, &text, err) < 0)
		return err->code;
	if (is_info) {
		*out_has_info = true;
		return apk_info_parse(xb_sv_n(text, (size_t)entry->size_bytes), r->name, &r->apk->arena, &r->apk->info,
				      &r->data, err);
	}
	XB_VEC_PUSH(&r->scripts, ((struct xb_apk_script){.name = xb_arena_strdup(&r->apk->arena, entry->path),
							 .text = text,
							 .len = (size_t)entry->size_bytes,
							 .mode = entry->mode,
							 .uid = entry->uid,
							 .gid = entry->gid,
							 .uname = xb_arena_strdup(&r->apk->arena, entry->uname),
							 .gname = xb_arena_strdup(&r->apk->arena, entry->gname)}));
	return 0;
}

/* The control member at `at`; *out_member tells its range once it was read whole. */
static int read_control(struct reading *r, int64_t at, struct xb_gzip_member *out_member, struct xb_err *err)
{
	struct apk_tar tar XB_CLEANUP(apk_tar_release) = {.name = r->name, .may_be_cut = true};
	struct xb_gzip *gz XB_CLEANUP(close_gzip) = NULL;
	struct apk_tar_entry entry;
	bool has_info = false;
	int rc;

	if (xb_gzip_open(r->fd, at, r->name, MAX_CONTROL_BYTES, &gz, err) < 0)
		return err->code;
	tar.gz = gz;
	while ((rc = apk_tar_next(&tar, &entry, err)) == 1) {
		if (take_control_entry(r, &tar, &entry, &has_info, err) < 0)
			return err->code;
	}
	if (rc < 0)
		return rc;
	if (!has_info)
		return xb_fail(err, XB_E_VERIFY, "read '%s': it has no .PKGINFO", r->name);
	xb_gzip_member(gz, out_member);
	return 0;
}

/* Is the control member the one that the index or the lock names? Nothing that it says counts before. */
static int check_control(struct reading *r, const struct xb_gzip_member *member, struct xb_err *err)
{
	const struct xb_apk_info *info = &r->apk->info;
	char found[XB_SHA1_BASE64];
	struct xb_sha1 expected;

	if (!xb_sv_starts(xb_sv(r->package->checksum), "Q1") ||
	    !xb_sha1_parse_base64(xb_sv(r->package->checksum + 2), &expected))
		return xb_fail(err, XB_E_VERIFY, "read '%s': its checksum '%s' is none", r->name, r->package->checksum);
	if (memcmp(expected.bytes, member->sha1.bytes, sizeof(expected.bytes)) != 0) {
		xb_sha1_base64(&member->sha1, found);
		return fail_sum(r, "checksum of what it says about itself", r->package->checksum + 2, found, err);
	}
	r->apk->checksum = expected;
	if (strcmp(info->name, r->package->name) != 0 || strcmp(info->version, r->package->version) != 0)
		return xb_fail(err, XB_E_VERIFY, "read '%s': expected %s %s, found %s %s", r->name, r->package->name,
			       r->package->version, info->name, info->version);
	if (strcmp(info->arch, r->package->arch) != 0 && strcmp(info->arch, "noarch") != 0)
		return xb_fail(err, XB_E_VERIFY, "read '%s': expected a package for %s, found one for %s", r->name,
			       r->package->arch, info->arch);
	return 0;
}

static int check_data(const struct reading *r, const struct xb_digest *found, struct xb_err *err)
{
	char expected_hex[XB_DIGEST_HEX], found_hex[XB_DIGEST_HEX];

	if (xb_digest_eq(&r->data, found))
		return 0;
	return fail_sum(r, "datahash", xb_digest_hex(&r->data, expected_hex), xb_digest_hex(found, found_hex), err);
}

static int fail_entry(const struct reading *r, const char *path, const char *what, struct xb_err *err)
{
	return xb_fail(err, XB_E_VERIFY, "read '%s': '/%s' %s", r->name, path, what);
}

static int check_sum(const struct reading *r, const struct apk_tar_entry *entry, const struct xb_sha1 *found,
		     struct xb_err *err)
{
	if (!entry->has_sum)
		return fail_entry(r, entry->path, "has no checksum", err);
	if (memcmp(entry->sum.bytes, found->bytes, sizeof(found->bytes)) != 0)
		return fail_entry(r, entry->path, "is not the file of its checksum", err);
	return 0;
}

static int check_interrupted(const struct reading *r, struct xb_err *err)
{
	if (xb_store_is_interrupted(r->store))
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted while reading '%s'", r->name);
	return 0;
}

static int read_block(const struct reading *r, struct apk_tar *tar, int64_t *out_len, struct xb_err *err)
{
	if (check_interrupted(r, err) < 0)
		return err->code;
	*out_len = apk_tar_read(tar, r->block, BLOCK_BYTES, err);
	return *out_len < 0 ? err->code : 0;
}

/* Content of a file into the store, hashed on the way; only what has its checksum gets a name there. */
static int take_file(struct reading *r, struct apk_tar *tar, const struct apk_tar_entry *entry, struct xb_digest *out,
		     struct xb_err *err)
{
	struct xb_cas_writer writer XB_CLEANUP(xb_cas_discard) = {.fd = -1};
	struct xb_hasher sha256 XB_CLEANUP(xb_hasher_release) = {0};
	struct xb_sha1_hasher sha1 XB_CLEANUP(xb_sha1_release) = {0};
	struct xb_sha1 sum;
	int64_t n = 0;

	if (xb_cas_begin(r->store, &writer, err) < 0)
		return err->code;
	xb_hasher_init(&sha256);
	xb_sha1_init(&sha1);
	while (read_block(r, tar, &n, err) == 0 && n > 0) {
		xb_hasher_update(&sha256, r->block, (size_t)n);
		xb_sha1_update(&sha1, r->block, (size_t)n);
		if (xb_fs_write_all(writer.fd, r->block, (size_t)n, entry->path, err) < 0)
			return err->code;
	}
	if (n < 0 || err->code)
		return err->code;
	xb_hasher_final(&sha256, out);
	xb_sha1_final(&sha1, &sum);
	if (check_sum(r, entry, &sum, err) < 0)
		return err->code;
	return xb_cas_commit(&writer, out, err);
}

static int check_symlink(const struct reading *r, const struct apk_tar_entry *entry, struct xb_err *err)
{
	struct xb_sha1_hasher sha1;
	struct xb_sha1 sum;

	xb_sha1_init(&sha1);
	xb_sha1_update(&sha1, entry->target, strlen(entry->target));
	xb_sha1_final(&sha1, &sum);
	return check_sum(r, entry, &sum, err);
}

static void keep_xattrs(struct reading *r, const struct apk_tar_entry *from, struct xb_apk_entry *to)
{
	struct xb_arena *arena = &r->apk->arena;

	to->xattrs = xb_arena_array(arena, from->n_xattrs, sizeof(*to->xattrs));
	to->n_xattrs = from->n_xattrs;
	for (size_t i = 0; i < from->n_xattrs; i++) {
		const struct xb_apk_xattr *x = &from->xattrs[i];

		to->xattrs[i] = (struct xb_apk_xattr){.name = xb_arena_strdup(arena, x->name),
						      .value = xb_arena_sv(arena, xb_sv_n(x->value, x->len)),
						      .len = x->len};
	}
}

static int take_entry(struct reading *r, struct apk_tar *tar, const struct apk_tar_entry *entry, struct xb_err *err)
{
	struct xb_apk_entry e = {
		.path = xb_arena_strdup(&r->apk->arena, entry->path),
		.type = entry->type,
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.mtime = entry->mtime,
		.target = entry->target ? xb_arena_strdup(&r->apk->arena, entry->target) : NULL,
		.has_sum = entry->has_sum,
		.sum = entry->sum,
		.size_bytes = entry->size_bytes,
	};
	const enum xb_apk_type *known = xb_map_get_str(&r->paths, e.path);
	static const enum xb_apk_type types[] = {XB_APK_FILE, XB_APK_DIR, XB_APK_SYMLINK, XB_APK_HARDLINK};

	if (known && !(*known == XB_APK_DIR && e.type == XB_APK_DIR))
		return fail_entry(r, e.path, "is there twice", err);
	if (e.type == XB_APK_HARDLINK) {
		const enum xb_apk_type *to = xb_map_get_str(&r->paths, e.target);

		if (!to || *to != XB_APK_FILE)
			return fail_entry(r, e.path, "is a hard link to no earlier file of the package", err);
	} else if (e.type == XB_APK_FILE && take_file(r, tar, entry, &e.digest, err) < 0) {
		return err->code;
	} else if (e.type == XB_APK_SYMLINK && check_symlink(r, entry, err) < 0) {
		return err->code;
	}
	keep_xattrs(r, entry, &e);
	xb_map_put_str(&r->paths, e.path, (void *)(uintptr_t)&types[e.type]);
	XB_VEC_PUSH(&r->entries, e);
	return 0;
}

/*
 * Names with a dot and without a slash are metadata as long as no other came (apk-tools, src/extract_v2.c; apko,
 * pkg/apk/apk/install.go).
 */
static int read_data(struct reading *r, int64_t at, struct xb_gzip_member *out_member, struct xb_err *err)
{
	struct apk_tar tar XB_CLEANUP(apk_tar_release) = {.name = r->name};
	struct xb_gzip *gz XB_CLEANUP(close_gzip) = NULL;
	struct apk_tar_entry entry;
	bool started = false;
	int rc;

	if (xb_gzip_open(r->fd, at, r->name, XB_MAX_TREE_BYTES, &gz, err) < 0)
		return err->code;
	tar.gz = gz;
	while ((rc = apk_tar_next(&tar, &entry, err)) == 1) {
		if (!*entry.path || (!started && entry.path[0] == '.' && !strchr(entry.path, '/')))
			continue;
		started = true;
		if (check_interrupted(r, err) < 0 || take_entry(r, &tar, &entry, err) < 0)
			return err->code;
	}
	if (rc < 0)
		return rc;
	xb_gzip_member(gz, out_member);
	return 0;
}

static void *keep(struct xb_arena *arena, const void *items, size_t len, size_t size)
{
	void *copy = xb_arena_array(arena, len, size);

	if (len)
		memcpy(copy, items, len * size);
	return copy;
}

/*
 * The files are in the store before the hash of their member is known to be right: nothing refers to them until then, and
 * each is what its own checksum says.
 */
static int read_members(struct reading *r, struct xb_err *err)
{
	const struct xb_lock_apk *p = r->package;
	const int64_t data_at = p->signature_bytes + p->control_bytes;
	struct xb_gzip_member member;
	struct stat st;

	if (fstat(r->fd, &st) < 0)
		return xb_fail_errno(err, "read '%s'", r->name);
	if (read_control(r, p->signature_bytes, &member, err) < 0 || check_control(r, &member, err) < 0)
		return err->code;
	if (member.compressed_bytes != p->control_bytes)
		return xb_fail(err, XB_E_VERIFY, "read '%s': expected its files at byte %lld, found them at %lld",
			       r->name, (long long)data_at, (long long)(p->signature_bytes + member.compressed_bytes));
	if (read_data(r, data_at, &member, err) < 0 || check_data(r, &member.sha256, err) < 0)
		return err->code;
	if (data_at + member.compressed_bytes != (int64_t)st.st_size)
		return xb_fail(err, XB_E_VERIFY, "read '%s': something follows its files", r->name);
	r->apk->size_bytes = (int64_t)st.st_size;
	r->apk->n_scripts = r->scripts.len;
	r->apk->scripts = keep(&r->apk->arena, r->scripts.items, r->scripts.len, sizeof(*r->scripts.items));
	r->apk->n_entries = r->entries.len;
	r->apk->entries = keep(&r->apk->arena, r->entries.items, r->entries.len, sizeof(*r->entries.items));
	return 0;
}

int xb_apk_read(struct xb_store *store, const struct xb_lock_apk *package, struct xb_apk **out, struct xb_err *err)
{
	struct reading r XB_CLEANUP(release_reading) = {
		.store = store,
		.package = package,
		.name = xb_printf("%s-%s.apk (%s)", package->name, package->version, package->arch),
		.fd = -1,
		.apk = xb_alloc(sizeof(*r.apk)),
		.block = xb_alloc(BLOCK_BYTES),
	};

	if (xb_cas_open(store, &package->sha256, &r.fd, err) < 0)
		return xb_wrap(err, "open '%s'", r.name);
	if (read_members(&r, err) < 0)
		return err->code;
	*out = r.apk;
	r.apk = NULL;
	return 0;
}

/* Does the first member hold signatures? */
static int is_signature(int fd, const char *name, bool *out, struct xb_err *err)
{
	struct apk_tar tar XB_CLEANUP(apk_tar_release) = {.name = name, .may_be_cut = true};
	struct xb_gzip *gz XB_CLEANUP(close_gzip) = NULL;
	struct apk_tar_entry entry = {0};
	int rc;

	if (xb_gzip_open(fd, 0, name, MAX_CONTROL_BYTES, &gz, err) < 0)
		return err->code;
	tar.gz = gz;
	rc = apk_tar_next(&tar, &entry, err);
	*out = rc == 1 && xb_sv_starts(xb_sv(entry.path), ".SIGN.");
	return rc < 0 ? rc : 0;
}

static struct xb_list copy_list(const struct xb_list *list, struct xb_arena *arena)
{
	struct xb_list copy = {.items = xb_arena_array(arena, list->len, sizeof(*copy.items))};

	while (copy.len < list->len) {
		copy.items[copy.len] = xb_arena_strdup(arena, list->items[copy.len]);
		copy.len++;
	}
	return copy;
}

int xb_apk_measure(int fd, struct xb_arena *arena, struct xb_lock_apk *package, struct xb_apk_info *said,
		   struct xb_err *err)
{
	struct reading r XB_CLEANUP(release_reading) = {
		.package = package,
		.name = xb_printf("%s-%s.apk (%s)", package->name, package->version, package->arch),
		.fd = dup(fd),
		.apk = xb_alloc(sizeof(*r.apk)),
	};
	struct xb_gzip_member members[3], control;
	char hex[2 * XB_SHA1_BYTES + 1];
	size_t n, at;
	bool is_signed;

	if (r.fd < 0)
		return xb_fail_errno(err, "read '%s'", r.name);
	if (xb_gzip_find(fd, r.name, XB_MAX_TREE_BYTES, members, XB_COUNT(members), &n, err) < 0 ||
	    is_signature(fd, r.name, &is_signed, err) < 0)
		return err->code;
	at = is_signed ? 1 : 0;
	if (n != at + 2 || (is_signed && members[0].content_bytes > MAX_SIGNATURE_BYTES))
		return xb_fail(err, XB_E_VERIFY, "read '%s': expected %s%d gzip members, found %zu", r.name,
			       is_signed ? "a signature and " : "", 2, n);
	if (read_control(&r, members[at].at, &control, err) < 0 || check_control(&r, &control, err) < 0 ||
	    check_data(&r, &members[at + 1].sha256, err) < 0)
		return err->code;
	package->signature_bytes = members[at].at;
	package->control_bytes = members[at].compressed_bytes;
	package->size_bytes = members[at + 1].at + members[at + 1].compressed_bytes;
	package->data = members[at + 1].sha256;
	package->signature_sha1 = NULL;
	if (is_signed) {
		xb_hex_encode(members[0].sha1.bytes, sizeof(members[0].sha1.bytes), hex);
		package->signature_sha1 = xb_arena_strdup(arena, hex);
	}
	if (said)
		*said = (struct xb_apk_info){.depends = copy_list(&r.apk->info.depends, arena),
					     .provides = copy_list(&r.apk->info.provides, arena),
					     .install_if = copy_list(&r.apk->info.install_if, arena)};
	return 0;
}
