/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_source.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"

#define CHUNK_BYTES	       (64 * 1024)
#define MAX_BESIDE_BYTES       (96ULL << 20) /* what blocks that are decoded side by side may take together */
#define MAX_BLOCK_BYTES	       (256ULL << 20)
#define MIN_SIDE_BY_SIDE_BYTES (8 << 20) /* smaller files have a block or two: threads would cost more than they give */

struct xb_source {
	int fd;
	bool is_pipe;
	int64_t pos;
	int64_t end; /* -1: the end of the file */
	const volatile int *interrupted;
	bool keep_xz;
	int n_threads;
	bool started;	  /* the first bytes were read, and their kind is known */
	bool at_end;	  /* the file has no more */
	uint8_t magic[6]; /* its first bytes */
	bool is_xz;
	bool xz_ended;
	lzma_stream xz;
	uint8_t in[CHUNK_BYTES];
	uint8_t out[CHUNK_BYTES];
};

static struct xb_source *source_new(struct xb_source from)
{
	struct xb_source *s = xb_alloc(sizeof(*s));

	*s = from;
	s->n_threads = 1;
	s->xz = (lzma_stream)LZMA_STREAM_INIT;
	return s;
}

struct xb_source *xb_source_new(int fd)
{
	const bool is_pipe = lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE;

	return source_new((struct xb_source){.fd = fd, .end = -1, .is_pipe = is_pipe});
}

struct xb_source *xb_source_new_part(int fd, int64_t at, int64_t size_bytes)
{
	return source_new((struct xb_source){.fd = fd, .pos = at, .end = at + size_bytes});
}

void xb_source_free(struct xb_source *s)
{
	if (!s)
		return;
	lzma_end(&s->xz);
	free(s);
}

void xb_source_set_threads(struct xb_source *s, int n_threads)
{
	s->n_threads = n_threads;
}

void xb_source_keep_xz(struct xb_source *s)
{
	s->keep_xz = true;
}

void xb_source_set_interrupted(struct xb_source *s, const volatile int *flag)
{
	s->interrupted = flag;
}

bool xb_source_is_interrupted(const struct xb_source *s)
{
	return s->interrupted && *s->interrupted;
}

static ssize_t fail(struct xb_source_problem *problem, int number, const char *text)
{
	*problem = (struct xb_source_problem){.number = number, .text = text};
	return -1;
}

/* ---- the file ---- */

static ssize_t read_file(struct xb_source *s, struct xb_source_problem *problem)
{
	size_t len = sizeof(s->in);

	if (xb_source_is_interrupted(s))
		return fail(problem, EINTR, "interrupted");
	if (s->end >= 0 && (int64_t)len > s->end - s->pos)
		len = (size_t)(s->end - s->pos);
	for (;;) {
		const ssize_t n = s->is_pipe ? read(s->fd, s->in, len) : pread(s->fd, s->in, len, (off_t)s->pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(problem, errno, "the file cannot be read");
		s->pos += n;
		s->at_end = n == 0;
		return n;
	}
}

/* ---- xz ---- */

static int64_t bytes_left(const struct xb_source *s)
{
	if (s->is_pipe)
		return INT64_MAX;
	return (s->end >= 0 ? s->end : lseek(s->fd, 0, SEEK_END)) - s->pos;
}

static ssize_t start_xz(struct xb_source *s, struct xb_source_problem *problem)
{
	const lzma_mt options = {
		.flags = LZMA_CONCATENATED,
		.threads = bytes_left(s) < MIN_SIDE_BY_SIDE_BYTES ? 1 : (uint32_t)s->n_threads,
		.memlimit_threading = MAX_BESIDE_BYTES,
		.memlimit_stop = MAX_BLOCK_BYTES,
	};

	/* one thread beside this one would hold whole blocks and gain nothing */
	const lzma_ret code = options.threads > 1 ? lzma_stream_decoder_mt(&s->xz, &options)
						  : lzma_stream_decoder(&s->xz, options.memlimit_stop, options.flags);

	if (code != LZMA_OK)
		return fail(problem, ENOMEM, "there is no memory for the xz decoder");
	s->is_xz = true;
	return 0;
}

static ssize_t judge_xz(lzma_ret code, struct xb_source_problem *problem)
{
	switch (code) {
	case LZMA_MEM_ERROR:
		return fail(problem, ENOMEM, "there is no memory for the xz decoder");
	case LZMA_MEMLIMIT_ERROR:
		return fail(problem, 0, "its xz needs more than 256 MiB of memory to be undone");
	case LZMA_BUF_ERROR:
		return fail(problem, 0, "its xz is cut off");
	case LZMA_OPTIONS_ERROR:
		return fail(problem, 0, "its xz uses what is not supported");
	default:
		return fail(problem, 0, "its xz is damaged");
	}
}

static ssize_t read_xz(struct xb_source *s, const void **out, struct xb_source_problem *problem)
{
	s->xz.next_out = s->out;
	s->xz.avail_out = sizeof(s->out);
	while (!s->xz_ended && s->xz.avail_out > 0) {
		if (s->xz.avail_in == 0 && !s->at_end) {
			const ssize_t n = read_file(s, problem);

			if (n < 0)
				return n;
			s->xz.next_in = s->in;
			s->xz.avail_in = (size_t)n;
		}
		const lzma_ret code = lzma_code(&s->xz, s->at_end ? LZMA_FINISH : LZMA_RUN);

		if (code == LZMA_STREAM_END)
			s->xz_ended = true;
		else if (code != LZMA_OK)
			return judge_xz(code, problem);
	}
	*out = s->out;
	return (ssize_t)(sizeof(s->out) - s->xz.avail_out);
}

/* ---- both ---- */

static ssize_t read_first(struct xb_source *s, const void **out, struct xb_source_problem *problem)
{
	static const uint8_t xz_magic[] = {0xfd, '7', 'z', 'X', 'Z', 0}; /* 2.1.1.1 */
	const ssize_t n = read_file(s, problem);

	if (n < 0)
		return n;
	s->started = true;
	*out = s->in;
	if (n >= (ssize_t)sizeof(s->magic))
		memcpy(s->magic, s->in, sizeof(s->magic));
	if (s->keep_xz || memcmp(s->magic, xz_magic, sizeof(xz_magic)) != 0)
		return n;
	if (start_xz(s, problem) < 0)
		return -1;
	s->xz.next_in = s->in;
	s->xz.avail_in = (size_t)n;
	return read_xz(s, out, problem);
}

ssize_t xb_source_read(struct xb_source *s, const void **out, struct xb_source_problem *problem)
{
	if (!s->started)
		return read_first(s, out, problem);
	if (s->is_xz)
		return read_xz(s, out, problem);
	*out = s->in;
	return read_file(s, problem);
}

bool xb_source_is_xz(const struct xb_source *s)
{
	return s->is_xz;
}

/*
 * libarchive hands a stream on as it is when it does not like its header, or was built without its decoder. gzip
 * (RFC 1952), xz and zstd (RFC 8878) begin like no text and no tar does.
 */
bool xb_source_looks_compressed(const struct xb_source *s)
{
	return memcmp(s->magic, "\x1f\x8b", 2) == 0 || (!s->is_xz && memcmp(s->magic, "\xfd\x37zX", 4) == 0) ||
	       memcmp(s->magic, "\x28\xb5\x2f\xfd", 4) == 0;
}
