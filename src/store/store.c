/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/store/store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/hex.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define FORMAT		 "1\n"
#define FORMAT_BYTES	 64 /* of the format file; what a later version may write has to fit */
#define GENERATION_BYTES 8
#define LOCK_SUFFIX	 ".lock"
#define TMP_ATTEMPTS	 16
#define STORE_MODE	 0700 /* XDG Base Directory Specification: what is created is the user's alone */
#define STORE_DIRS_MODE	 0755

struct xb_store {
	char *dir;
	const struct xb_observer *observer;
	const volatile int *interrupted;
	pthread_mutex_t mutex;	     /* guards the two below until own_tmp is set */
	char *own_tmp;		     /* <dir>/tmp/<pid>-<random>; made when first asked for */
	struct xb_filelock tmp_lock; /* on own_tmp + ".lock" */
	atomic_ullong next_tmp;
	char generation[2 * GENERATION_BYTES + 1];
};

static const char *const store_dirs[] = {"blobs", "trees", "actions", "tmp", "locks"};

static int check_owner(const char *dir, struct xb_err *err)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return xb_fail_errno(err, "open the store '%s'", dir);
	if (!S_ISDIR(st.st_mode))
		return xb_fail(err, XB_E_SYSTEM, "open the store '%s': expected a directory", dir);
	if (st.st_uid != geteuid()) {
		xb_fail(err, XB_E_SYSTEM, "open the store '%s': it belongs to user %lu, this is user %lu", dir,
			(unsigned long)st.st_uid, (unsigned long)geteuid());
		return xb_hint(err, "name a directory of your own in XBUILD_CACHE_DIR");
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		xb_fail(err, XB_E_SYSTEM, "open the store '%s': other users may write to it (mode %04o)", dir,
			(unsigned)st.st_mode & 07777);
		return xb_hint(err, "run 'chmod go-w %s', or name another directory in XBUILD_CACHE_DIR", dir);
	}
	return 0;
}

static int check_format(const char *dir, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "format");
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_err missing XB_CLEANUP(xb_err_release) = {0};
	struct xb_sv found;

	if (xb_fs_read(path, FORMAT_BYTES, &text, &missing) < 0) {
		if (missing.code == XB_E_NOT_FOUND)
			return xb_atomic_file_write(path, FORMAT, strlen(FORMAT), 0444, 0, err);
		xb_err_move(err, &missing);
		return err->code;
	}
	if (xb_sv_eq_str(xb_str_sv(&text), FORMAT))
		return 0;
	found = xb_sv_trim(xb_str_sv(&text));
	for (size_t i = 0; i < found.len; i++)
		if ((unsigned char)found.ptr[i] < 0x20 || (unsigned char)found.ptr[i] > 0x7e)
			found.len = i;
	xb_fail(err, XB_E_SYSTEM, "open the store '%s': expected format 1, found '%.*s'", dir, XB_SV_ARG(found));
	return xb_hint(err, "use the version of xbuild that made it, or name another directory in XBUILD_CACHE_DIR");
}

static int make_dirs(const char *dir, struct xb_err *err)
{
	for (size_t i = 0; i < XB_COUNT(store_dirs); i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, store_dirs[i]);

		if (!xb_fs_is_dir(path) && xb_fs_mkdirs(path, STORE_DIRS_MODE, err) < 0)
			return err->code;
	}
	return 0;
}

static char *generation_path(const struct xb_store *store)
{
	return xb_path_join(store->dir, "generation");
}

/* One that cannot be read tells that there was one: what it was is lost, and with it the results. */
static int read_generation(struct xb_store *store, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = generation_path(store);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_err missing XB_CLEANUP(xb_err_release) = {0};
	uint8_t bytes[GENERATION_BYTES];

	if (xb_fs_read(path, FORMAT_BYTES, &text, &missing) < 0 && missing.code == XB_E_NOT_FOUND)
		return 0;
	if (missing.code || !xb_hex_decode(xb_sv_trim(xb_str_sv(&text)), bytes, sizeof(bytes)))
		return xb_store_renew(store, err);
	xb_hex_encode(bytes, sizeof(bytes), store->generation);
	return 0;
}

/*
 * Removes one leftover of a process that is gone: the lock comes first, the directory next, the lock file last, so that
 * there is never a directory without a lock file. A failure leaves it to the next opener.
 */
static void remove_if_stale(const char *tmp, struct xb_sv name)
{
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%.*s", tmp, XB_SV_ARG(name));
	char *lock_path XB_CLEANUP(xb_free_ptr) = xb_printf("%s" LOCK_SUFFIX, dir);
	bool held = false;

	if (xb_filelock_try(&lock, lock_path, &held, &ignored) < 0 || !held)
		return;
	if (xb_fs_remove(dir, &ignored) == 0)
		unlink(lock_path);
}

static void remove_stale(const char *store_dir)
{
	char *tmp XB_CLEANUP(xb_free_ptr) = xb_path_join(store_dir, "tmp");
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	if (xb_fs_list(tmp, &list, &ignored) < 0)
		return;
	for (size_t i = 0; i < list.len; i++) {
		struct xb_sv name = xb_sv(list.items[i].name);

		if (xb_sv_ends(name, LOCK_SUFFIX))
			name.len -= strlen(LOCK_SUFFIX);
		else if (i + 1 < list.len && strncmp(list.items[i + 1].name, name.ptr, name.len) == 0)
			continue; /* its lock file is next */
		remove_if_stale(tmp, name);
	}
}

int xb_store_open(const char *dir, const struct xb_observer *observer, struct xb_store **out, struct xb_err *err)
{
	struct xb_store *store;

	assert(dir[0] == '/');
	if (!xb_fs_is_dir(dir) && xb_fs_mkdirs(dir, STORE_MODE, err) < 0) {
		xb_wrap(err, "create the store");
		return xb_hint(err, "name a directory that you may write to in XBUILD_CACHE_DIR");
	}
	if (check_owner(dir, err) < 0 || check_format(dir, err) < 0 || make_dirs(dir, err) < 0)
		return err->code;
	remove_stale(dir);
	store = xb_alloc(sizeof(*store));
	store->dir = xb_strdup(dir);
	store->observer = observer;
	store->tmp_lock.fd = -1;
	pthread_mutex_init(&store->mutex, NULL);
	if (read_generation(store, err) < 0) {
		xb_store_close(store);
		return err->code;
	}
	*out = store;
	return 0;
}

void xb_store_close(struct xb_store *store)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	if (!store)
		return;
	if (store->tmp_lock.fd >= 0) {
		char *lock_path XB_CLEANUP(xb_free_ptr) = xb_printf("%s" LOCK_SUFFIX, store->own_tmp);

		if (xb_fs_remove(store->own_tmp, &ignored) == 0)
			unlink(lock_path);
		xb_filelock_release(&store->tmp_lock);
	}
	pthread_mutex_destroy(&store->mutex);
	free(store->own_tmp);
	free(store->dir);
	free(store);
}

void xb_store_set_interrupted(struct xb_store *store, const volatile int *interrupted)
{
	store->interrupted = interrupted;
}

const volatile int *xb_store_interrupted(const struct xb_store *store)
{
	return store->interrupted;
}

bool xb_store_is_interrupted(const struct xb_store *store)
{
	return store->interrupted && *store->interrupted;
}

const char *xb_store_dir(const struct xb_store *store)
{
	return store->dir;
}

static char *random_tmp_name(const struct xb_store *store)
{
	uint8_t bytes[8];
	char hex[2 * sizeof(bytes) + 1];

	if (getentropy(bytes, sizeof(bytes)) < 0)
		memset(bytes, 0, sizeof(bytes)); /* the lock decides; the number only makes a clash unlikely */
	xb_hex_encode(bytes, sizeof(bytes), hex);
	return xb_printf("%s/tmp/%ld-%s", store->dir, (long)getpid(), hex);
}

/* The lock comes first: an opener takes what has no held lock for a leftover. */
static bool lock_own_tmp(struct xb_store *store, const char *dir)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	char *lock_path XB_CLEANUP(xb_free_ptr) = xb_printf("%s" LOCK_SUFFIX, dir);
	bool held = false;

	if (xb_filelock_try(&store->tmp_lock, lock_path, &held, &ignored) < 0 || !held)
		return false;
	if (mkdir(dir, 0700) == 0)
		return true;
	xb_filelock_release(&store->tmp_lock);
	store->tmp_lock.fd = -1;
	return false;
}

/*
 * In a store that cannot be written to, the name is one directly below tmp/: whoever creates it is told the true reason
 * by the system instead of a missing directory.
 */
static void make_own_tmp(struct xb_store *store)
{
	char *dir = NULL;

	for (int i = 0; i < TMP_ATTEMPTS; i++) {
		free(dir);
		dir = random_tmp_name(store);
		if (lock_own_tmp(store, dir))
			break;
	}
	store->own_tmp = dir;
}

char *xb_store_tmp(struct xb_store *store)
{
	unsigned long long number;

	pthread_mutex_lock(&store->mutex);
	if (!store->own_tmp)
		make_own_tmp(store);
	pthread_mutex_unlock(&store->mutex);
	number = atomic_fetch_add(&store->next_tmp, 1);
	return xb_printf("%s%c%llu", store->own_tmp, store->tmp_lock.fd >= 0 ? '/' : '-', number);
}

const char *xb_store_generation(const struct xb_store *store)
{
	return store->generation;
}

/* A random name: two processes that renew at once never choose the same, and no results come back with a number. */
int xb_store_renew(struct xb_store *store, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = generation_path(store);
	char *actions XB_CLEANUP(xb_free_ptr) = xb_path_join(store->dir, "actions");
	char *away XB_CLEANUP(xb_free_ptr) = xb_store_tmp(store);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	char text[sizeof(store->generation)];
	uint8_t bytes[GENERATION_BYTES];

	if (getentropy(bytes, sizeof(bytes)) < 0)
		return xb_fail_errno(err, "choose a generation of the store '%s'", store->dir);
	xb_hex_encode(bytes, sizeof(bytes), text);
	if (xb_atomic_file_write(path, text, strlen(text), 0444, XB_ATOMIC_SYNC, err) < 0)
		return xb_wrap(err, "give up the results in the store '%s'", store->dir);
	memcpy(store->generation, text, sizeof(text));
	/* nobody finds them any more: this only makes room */
	if (rename(actions, away) == 0)
		(void)!xb_fs_remove(away, &ignored);
	xb_err_clear(&ignored);
	(void)!xb_fs_mkdirs(actions, STORE_DIRS_MODE, &ignored);
	return 0;
}

int xb_store_lock(struct xb_store *store, const char *key, struct xb_filelock *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/locks/%s", store->dir, key);

	assert(!strchr(key, '/'));
	return xb_filelock_acquire(out, path, store->observer, store->interrupted, err);
}

char *xb_store_path(const struct xb_store *store, const char *kind, const struct xb_digest *name)
{
	char hex[XB_DIGEST_HEX];

	xb_digest_hex(name, hex);
	return xb_printf("%s/%s/%.2s/%s", store->dir, kind, hex, hex + 2);
}

int xb_store_publish(const char *tmp_path, const char *path, struct xb_err *err)
{
	char *parent XB_CLEANUP(xb_free_ptr) = NULL;

	if (rename(tmp_path, path) == 0)
		return 0;
	if (errno == ENOENT) {
		parent = xb_sv_dup(xb_path_dir(xb_sv(path)));
		if (xb_fs_mkdirs(parent, STORE_DIRS_MODE, err) < 0)
			return err->code;
		if (rename(tmp_path, path) == 0)
			return 0;
	}
	return xb_fail_errno(err, "rename '%s' to '%s'", tmp_path, path);
}
