/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/store/statcache.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/arena.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

/* The file: header, records, paths (each ended by NUL, in the order of the records). Written and read on one machine. */
#define MAGIC		"xbstat 1" /* the last character is the number of the format */
#define MAX_FILE_BYTES	(1 * XB_GIB)
#define MAX_UNUSED_RUNS 64 /* an entry that nobody asked for in so many saves is forgotten */
#define HASH_ATTEMPTS	3

/*
 * File systems stamp with the kernel's coarse clock: its tick is 10 ms at most (CONFIG_HZ=100). Two of them between the
 * last change and the hashing leave no room for another change under the same stamp. A stamp of whole seconds may come
 * from a file system that has no finer ones (FAT counts 2 s).
 */
#define TICK_NS		 (10 * INT64_C(1000000))
#define SECOND_NS	 INT64_C(1000000000)
#define MARGIN_NS	 (2 * TICK_NS)
#define COARSE_MARGIN_NS (4 * SECOND_NS)

struct header {
	char magic[8];
	uint8_t checksum[XB_DIGEST_BYTES]; /* of all that follows */
	uint64_t n_records;
};

/* What identifies a state of a file. */
struct stamp {
	int64_t mtime_ns, ctime_ns;
	uint64_t size_bytes, inode, device, mode;
};

struct record {
	struct xb_digest digest;
	struct stamp stamp;
	int64_t hashed_ns;    /* when hashing began */
	uint64_t unused_runs; /* saves since somebody asked for it */
};

struct entry {
	struct record record;
	bool known;   /* record holds a digest */
	bool checked; /* record was found true in this run */
	bool missing; /* the file was gone when it was last asked for */
};

struct xb_statcache {
	char *file, *root;
	int root_fd;	       /* -1: could not be opened; relative paths then fail */
	struct xb_map by_path; /* struct entry, in the arena */
	struct xb_arena arena;
	bool changed;
};

static int64_t to_ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * SECOND_NS + t->tv_nsec;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return to_ns(&now);
}

static void stamp_of(const struct stat *st, struct stamp *out)
{
	*out = (struct stamp){.mtime_ns = xb_fs_mtime_ns(st),
			      .ctime_ns = xb_fs_ctime_ns(st),
			      .size_bytes = (uint64_t)st->st_size,
			      .inode = (uint64_t)st->st_ino,
			      .device = (uint64_t)st->st_dev,
			      .mode = (uint64_t)st->st_mode};
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->size_bytes == b->size_bytes &&
	       a->inode == b->inode && a->device == b->device && a->mode == b->mode;
}

static bool settled(int64_t changed_ns, int64_t hashed_ns)
{
	return changed_ns < hashed_ns - (changed_ns % SECOND_NS ? MARGIN_NS : COARSE_MARGIN_NS);
}

/* False when the file could have changed again after it was hashed without its stamp telling. */
static bool is_trusted(const struct record *r)
{
	return settled(r->stamp.mtime_ns, r->hashed_ns) && settled(r->stamp.ctime_ns, r->hashed_ns);
}

static struct entry *add_entry(struct xb_statcache *cache, struct xb_sv path)
{
	struct entry *entry = xb_map_get(&cache->by_path, path);

	if (entry)
		return entry;
	entry = xb_arena_alloc(&cache->arena, sizeof(*entry));
	xb_map_put(&cache->by_path, path, entry);
	return entry;
}

static void load_records(struct xb_statcache *cache, struct xb_sv text)
{
	struct header header;
	struct xb_digest checksum;
	const char *records, *paths, *end = text.ptr + text.len;
	const size_t covered = offsetof(struct header, n_records);

	if (text.len < sizeof(header))
		return;
	memcpy(&header, text.ptr, sizeof(header));
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0)
		return;
	xb_digest_bytes(text.ptr + covered, text.len - covered, &checksum);
	if (memcmp(header.checksum, checksum.bytes, XB_DIGEST_BYTES) != 0)
		return;
	if (header.n_records > (text.len - sizeof(header)) / sizeof(struct record))
		return;
	records = text.ptr + sizeof(header);
	paths = records + header.n_records * sizeof(struct record);
	for (uint64_t i = 0; i < header.n_records; i++) {
		const char *nul = memchr(paths, '\0', (size_t)(end - paths));
		struct entry *entry;

		if (!nul)
			return;
		entry = add_entry(cache, xb_sv_n(paths, (size_t)(nul - paths)));
		memcpy(&entry->record, records + i * sizeof(struct record), sizeof(struct record));
		entry->known = true;
		paths = nul + 1;
	}
}

struct xb_statcache *xb_statcache_open(const char *file, const char *root)
{
	struct xb_statcache *cache = xb_alloc(sizeof(*cache));
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	cache->file = xb_strdup(file);
	cache->root = xb_strdup(root);
	cache->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (xb_fs_read(file, MAX_FILE_BYTES, &text, &ignored) == 0)
		load_records(cache, xb_str_sv(&text));
	return cache;
}

void xb_statcache_free(struct xb_statcache *cache)
{
	if (!cache)
		return;
	xb_fs_close(&cache->root_fd);
	xb_map_release(&cache->by_path);
	xb_arena_release(&cache->arena);
	free(cache->file);
	free(cache->root);
	free(cache);
}

static bool is_kept(struct entry *entry)
{
	if (!entry->known || entry->missing)
		return false;
	entry->record.unused_runs = entry->checked ? 0 : entry->record.unused_runs + 1;
	return entry->record.unused_runs <= MAX_UNUSED_RUNS;
}

int xb_statcache_save(struct xb_statcache *cache, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, paths XB_CLEANUP(xb_str_release) = {0};
	const size_t covered = offsetof(struct header, n_records);
	struct header header = {.magic = MAGIC};
	struct xb_digest checksum;

	if (!cache->changed)
		return 0;
	xb_str_append_n(&text, &header, sizeof(header));
	for (size_t i = 0; i < cache->by_path.len; i++) {
		struct entry *entry = cache->by_path.entries[i].value;

		if (!is_kept(entry))
			continue;
		xb_str_append_n(&text, &entry->record, sizeof(entry->record));
		xb_str_append_n(&paths, cache->by_path.entries[i].key, cache->by_path.entries[i].key_len + 1);
		header.n_records++;
	}
	xb_str_append_sv(&text, xb_str_sv(&paths));
	memcpy(text.data, &header, sizeof(header));
	xb_digest_bytes(text.data + covered, text.len - covered, &checksum);
	memcpy(text.data + offsetof(struct header, checksum), checksum.bytes, XB_DIGEST_BYTES);
	if (xb_atomic_file_write(cache->file, text.data, text.len, 0644, 0, err) < 0)
		return err->code;
	cache->changed = false;
	return 0;
}

static int check_type(const char *path, const struct stat *st, struct xb_err *err)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return xb_fail(err, XB_E_INPUT, "read '%s': expected a regular file, found %s", path,
		       S_ISDIR(st->st_mode) ? "a directory" : "something else");
}

/*
 * Hashes the file until its stamp is the same before and after. One that changes all the time is taken as it was last
 * seen; its stamp is then too young to be trusted the next time.
 */
static int hash_file(struct xb_statcache *cache, const char *path, struct record *out, struct xb_err *err)
{
	/* O_NONBLOCK: to open a fifo must not wait for its writer. */
	int fd XB_CLEANUP(xb_fs_close) = openat(cache->root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stamp after;
	struct stat st;

	if (fd < 0)
		return xb_fail_errno(err, "open '%s'", path);
	for (int i = 0; i < HASH_ATTEMPTS; i++) {
		uint64_t size_bytes;

		if (fstat(fd, &st) < 0)
			return xb_fail_errno(err, "stat '%s'", path);
		if (check_type(path, &st, err) < 0)
			return err->code;
		stamp_of(&st, &out->stamp);
		out->hashed_ns = now_ns();
		if (lseek(fd, 0, SEEK_SET) < 0)
			return xb_fail_errno(err, "read '%s'", path);
		if (xb_digest_fd(fd, &out->digest, &size_bytes, err) < 0)
			return xb_wrap(err, "hash '%s'", path);
		out->stamp.size_bytes = size_bytes;
		if (fstat(fd, &st) < 0)
			return xb_fail_errno(err, "stat '%s'", path);
		stamp_of(&st, &after);
		if (same_stamp(&out->stamp, &after))
			break;
	}
	return 0;
}

static void fill(const struct entry *entry, struct xb_file_state *out)
{
	*out = (struct xb_file_state){.digest = entry->record.digest,
				      .size_bytes = entry->record.stamp.size_bytes,
				      .executable = (entry->record.stamp.mode & 0111) != 0};
}

int xb_statcache_get(struct xb_statcache *cache, const char *path, struct xb_file_state *out, struct xb_err *err)
{
	struct entry *entry = add_entry(cache, xb_sv(path));
	struct stamp stamp;
	struct stat st;

	if (entry->checked) {
		fill(entry, out);
		return 0;
	}
	if (fstatat(cache->root_fd, path, &st, 0) < 0) {
		cache->changed |= entry->known && !entry->missing;
		entry->missing = true;
		return xb_fail_errno(err, "stat '%s'", path);
	}
	if (check_type(path, &st, err) < 0)
		return err->code;
	stamp_of(&st, &stamp);
	if (!entry->known || !same_stamp(&stamp, &entry->record.stamp) || !is_trusted(&entry->record)) {
		struct record record = {0};

		if (hash_file(cache, path, &record, err) < 0)
			return err->code;
		entry->record = record;
		entry->known = true;
		cache->changed = true;
	}
	entry->missing = false;
	entry->checked = true;
	fill(entry, out);
	return 0;
}

void xb_statcache_forget(struct xb_statcache *cache, const char *path)
{
	struct entry *entry = xb_map_get_str(&cache->by_path, path);

	if (entry)
		entry->checked = false;
}

bool xb_statcache_changed(struct xb_statcache *cache, const char *path)
{
	const struct entry *entry = xb_map_get_str(&cache->by_path, path);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct record now = {0};
	struct stamp stamp;
	struct stat st;

	if (!entry || !entry->checked || fstatat(cache->root_fd, path, &st, 0) < 0)
		return true;
	stamp_of(&st, &stamp);
	if (!same_stamp(&stamp, &entry->record.stamp))
		return true;
	if (is_trusted(&entry->record))
		return false;
	/* Young when it was hashed: the stamp alone cannot tell. */
	return hash_file(cache, path, &now, &ignored) < 0 || !xb_digest_eq(&now.digest, &entry->record.digest);
}
