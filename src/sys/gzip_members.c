/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/gzip_members.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"

#define CHUNK_BYTES	 (64 * 1024)
#define GZIP_WINDOW_BITS (15 + 16) /* zlib: the largest window; +16: a gzip header and trailer, and nothing else */
#define GZIP_ID1	 0x1f	   /* RFC 1952 section 2.3.1 */
#define GZIP_ID2	 0x8b
/* Header fields have no length of their own (name, comment): what a member may take before it gives any content. */
#define MAX_SILENT_BYTES (1 * XB_MIB)

struct xb_gzip {
	int fd;
	char *name;	   /* owned */
	int64_t pos;	   /* of the next byte of the file to read */
	int64_t max_bytes; /* of content */
	int64_t silent;	   /* compressed bytes taken since content came last */
	bool ended;
	bool started; /* inflateInit2 was called with success */
	struct xb_gzip_member member;
	struct xb_hasher sha256;
	struct xb_sha1_hasher sha1;
	z_stream z;
	uint8_t in[CHUNK_BYTES];
};

static int fail(const struct xb_gzip *gz, struct xb_err *err, const char *what)
{
	return xb_fail(err, XB_E_VERIFY, "read '%s': its gzip member at byte %lld %s", gz->name,
		       (long long)gz->member.at, what);
}

int xb_gzip_open(int fd, int64_t at, const char *name, int64_t max_bytes, struct xb_gzip **out, struct xb_err *err)
{
	struct xb_gzip *gz = xb_alloc(sizeof(*gz));
	gz->fd = fd;
	gz->name = xb_strdup(name);
	gz->pos = gz->member.at = at;
	gz->max_bytes = max_bytes;
	xb_hasher_init(&gz->sha256);
	xb_sha1_init(&gz->sha1);
	gz->started = inflateInit2(&gz->z, GZIP_WINDOW_BITS) == Z_OK;
	if (!gz->started) {
		int rc = xb_fail(err, XB_E_SYSTEM, "start to inflate '%s'", name);
		xb_gzip_close(gz);
		return rc;
	}
	*out = gz;
	return 0;
}

void xb_gzip_close(struct xb_gzip *gz)
{
	if (!gz)
		return;
	if (gz->started)
		(void)inflateEnd(&gz->z);
	xb_hasher_release(&gz->sha256);
	xb_sha1_release(&gz->sha1);
	free(gz->name);
	free(gz);
}

static int refill(struct xb_gzip *gz, struct xb_err *err)
{
	ssize_t n;
	do
		n = pread(gz->fd, gz->in, sizeof(gz->in), (off_t)gz->pos);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return xb_fail_errno(err, "read '%s'", gz->name);
	if (n == 0)
		return gz->pos == gz->member.at ? fail(gz, err, "is missing: the file ends there")
						: fail(gz, err, "is cut off");
	/* zlib would ask for a window before it notices; and a message that says what it is, is worth two lines */
	if (gz->pos == gz->member.at && (gz->in[0] != GZIP_ID1 || (n > 1 && gz->in[1] != GZIP_ID2)))
		return fail(gz, err, "is none: it does not begin as gzip does");
	gz->pos += n;
	gz->z.next_in = gz->in;
	gz->z.avail_in = (uInt)n;
	return 0;
}

static void finish(struct xb_gzip *gz)
{
	xb_hasher_final(&gz->sha256, &gz->member.sha256);
	xb_sha1_final(&gz->sha1, &gz->member.sha1);
	gz->ended = true;
}

/* One call of inflate; what it took is hashed, and so are the bytes of the trailer before the end is told. */
static int step(struct xb_gzip *gz, struct xb_err *err)
{
	const uint8_t *before = gz->z.next_in;
	uInt room = gz->z.avail_out;
	int rc = inflate(&gz->z, Z_NO_FLUSH);
	size_t taken = (size_t)(gz->z.next_in - before);
	uInt given = room - gz->z.avail_out;

	xb_hasher_update(&gz->sha256, before, taken);
	xb_sha1_update(&gz->sha1, before, taken);
	gz->member.compressed_bytes += (int64_t)taken;
	gz->member.content_bytes += given;
	gz->silent = given ? 0 : gz->silent + (int64_t)taken;
	if (gz->member.content_bytes > gz->max_bytes)
		return xb_fail(err, XB_E_VERIFY,
			       "read '%s': its gzip member at byte %lld holds more than the allowed %lld bytes",
			       gz->name, (long long)gz->member.at, (long long)gz->max_bytes);
	if (rc == Z_STREAM_END) {
		finish(gz);
		return 0;
	}
	if (rc == Z_MEM_ERROR)
		return xb_fail(err, XB_E_SYSTEM, "inflate '%s': out of memory", gz->name);
	if (rc != Z_OK && rc != Z_BUF_ERROR)
		return fail(gz, err, gz->z.msg ? gz->z.msg : "is damaged");
	return gz->silent > MAX_SILENT_BYTES ? fail(gz, err, "takes bytes without end and holds nothing") : 0;
}

int64_t xb_gzip_read(struct xb_gzip *gz, void *buf, size_t len, struct xb_err *err)
{
	size_t want = len < (size_t)XB_GIB ? len : (size_t)XB_GIB; /* zlib counts in unsigned int */
	assert(len > 0);
	gz->z.next_out = buf;
	gz->z.avail_out = (uInt)want;
	while (gz->z.avail_out > 0 && !gz->ended) {
		int rc = gz->z.avail_in == 0 ? refill(gz, err) : 0;
		if (rc == 0)
			rc = step(gz, err);
		if (rc < 0)
			return rc;
	}
	return (int64_t)(want - gz->z.avail_out);
}

void xb_gzip_member(const struct xb_gzip *gz, struct xb_gzip_member *out)
{
	assert(gz->ended);
	*out = gz->member;
}

static void close_gzip(struct xb_gzip **gz)
{
	xb_gzip_close(*gz);
}

int xb_gzip_read_member(int fd, int64_t at, const char *name, int64_t max_bytes, struct xb_str *out,
			struct xb_gzip_member *out_member, struct xb_err *err)
{
	struct xb_gzip *gz XB_CLEANUP(close_gzip) = NULL;
	char *buf XB_CLEANUP(xb_free_ptr) = xb_alloc(CHUNK_BYTES);
	size_t before = out ? out->len : 0;
	int64_t n;
	int rc = xb_gzip_open(fd, at, name, max_bytes, &gz, err);
	if (rc < 0)
		return rc;
	while ((n = xb_gzip_read(gz, buf, CHUNK_BYTES, err)) > 0)
		if (out && !xb_str_append_n(out, buf, (size_t)n))
			break;
	if (n != 0) {
		if (out && out->data)
			out->data[out->len = before] = '\0';
		return n < 0 ? (int)n : fail(gz, err, "holds more than there is room for");
	}
	xb_gzip_member(gz, out_member);
	return 0;
}

int xb_gzip_find(int fd, const char *name, int64_t max_bytes, struct xb_gzip_member *members, size_t cap, size_t *out_n,
		 struct xb_err *err)
{
	struct stat st;
	size_t n = 0;
	int64_t at = 0;
	if (fstat(fd, &st) < 0)
		return xb_fail_errno(err, "read '%s'", name);
	do {
		if (n == cap)
			return xb_fail(err, XB_E_VERIFY, "read '%s': it has more than %zu gzip members", name, cap);
		int rc = xb_gzip_read_member(fd, at, name, max_bytes, NULL, &members[n], err);
		if (rc < 0)
			return rc;
		at += members[n].compressed_bytes;
		max_bytes -= members[n++].content_bytes;
	} while (at < (int64_t)st.st_size);
	*out_n = n;
	return 0;
}
