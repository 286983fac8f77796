/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/json.h"

#define MAX_JOURNAL_BYTES (64 * 1024)
#define MAX_AGE_SEC	  (7 * 24 * 3600)

void journal_open(struct journal *j, const char *dir, const struct xb_reference *ref, const struct xb_digest *digest)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	char hex[XB_DIGEST_HEX];
	struct xb_digest key;
	bool held = false;

	*j = (struct journal){.lock = {.fd = -1}};
	if (!dir)
		return;
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s/%s@%s", ref->host, ref->repository, xb_digest_hex(digest, hex));

	xb_digest_bytes(text, strlen(text), &key);
	j->path = xb_printf("%s/%s", dir, xb_digest_hex(&key, hex));
	j->lock_path = xb_printf("%s.lock", j->path);
	if (xb_filelock_try(&j->lock, j->lock_path, &held, &ignored) == 0 && held)
		return;
	free(j->path);
	j->path = NULL;
}

char *journal_read(const struct journal *j)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const char *location;

	if (!j->path || xb_json_read(j->path, MAX_JOURNAL_BYTES, &root, &ignored) < 0)
		return NULL;
	location = json_string_value(json_object_get(root, "location"));
	return location ? xb_strdup(location) : NULL;
}

void journal_write(const struct journal *j, const char *location)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	json_t *root XB_CLEANUP(xb_json_release) = json_object();

	if (!j->path)
		return;
	json_object_set_new(root, "location", json_string(location));
	xb_json_write(root, 0, false, &text);
	xb_str_append_char(&text, '\n');
	(void)!xb_atomic_file_write(j->path, text.data, text.len, 0600, 0, &ignored);
}

void journal_forget(const struct journal *j)
{
	if (j->path)
		(void)unlink(j->path);
}

void journal_close(struct journal *j)
{
	/* while it is held: whoever waits for no lock, but tries, finds a new file or none */
	if (j->lock.fd >= 0)
		(void)unlink(j->lock_path);
	xb_filelock_release(&j->lock);
	free(j->path);
	free(j->lock_path);
	*j = (struct journal){.lock = {.fd = -1}};
}

void journal_sweep(const char *dir)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	const int64_t oldest_ns = (xb_host_now() - MAX_AGE_SEC) * 1000000000;

	if (!dir || xb_fs_list(dir, &list, &ignored) < 0)
		return;
	for (size_t i = 0; i < list.len; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", dir, list.items[i].name);
		struct stat st;

		if (list.items[i].is_file && lstat(path, &st) == 0 && xb_fs_mtime_ns(&st) < oldest_ns)
			(void)unlink(path);
	}
}
