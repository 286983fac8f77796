/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/layer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/image/document.h"
#include "xbuild/image/gzip.h"
#include "xbuild/image/tar.h"
#include "xbuild/store/action_cache.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/deflate.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/zstd.h"

/* Part of the key of every remembered layer: change it whenever the bytes made of the same entries change. */
#define LAYER_VERSION "xbuild layer 1: ustar+pax, mtime 1, "

static const struct kind_of_layer {
	const char *version; /* behind LAYER_VERSION; with that of libzstd for zstd */
	const char *output_name, *media_type;
} kinds_of_layers[] = {
	[XB_COMPRESSION_GZIP] = {LAYER_VERSION "gzip members of 1 MiB, encoder " XB_DEFLATE_VERSION, "layer.tar.gz",
				 NULL},
	[XB_COMPRESSION_ZSTD] = {LAYER_VERSION "zstd frames of 1 MiB, libzstd ", "layer.tar.zst", XB_MEDIA_LAYER_ZSTD},
	[XB_COMPRESSION_NONE] = {LAYER_VERSION "plain", "layer.tar", XB_MEDIA_LAYER_PLAIN},
};

static int check_interrupted(const struct xb_layer_options *options, struct xb_err *err)
{
	if (options->interrupted && *options->interrupted)
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted while writing a layer");
	return 0;
}

static int write_zeros(struct xb_gzip_writer *gz, size_t len, struct xb_err *err)
{
	static const char zeros[XB_TAR_END_BYTES];

	return xb_gzip_writer_write(gz, zeros, len, err);
}

/* Copies exactly size_bytes from fd; one more byte in the file is a change too. */
static int copy_bytes(struct xb_gzip_writer *gz, int fd, const struct xb_rootfs_entry *e,
		      const struct xb_layer_options *options, struct xb_digest *out, struct xb_err *err)
{
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};
	uint64_t left = (uint64_t)e->size_bytes;
	char probe;

	xb_hasher_init(&hasher);
	while (left > 0) {
		void *room;
		size_t len;

		if (check_interrupted(options, err) < 0 || xb_gzip_writer_reserve(gz, &room, &len, err) < 0)
			return err->code;
		const int64_t n = xb_fs_read_some(fd, room, len < left ? len : (size_t)left, e->source, err);

		if (n < 0)
			return err->code;
		if (n == 0)
			break;
		xb_hasher_update(&hasher, room, (size_t)n);
		xb_gzip_writer_advance(gz, (size_t)n);
		left -= (uint64_t)n;
	}
	const int64_t more = left ? 0 : xb_fs_read_some(fd, &probe, 1, e->source, err);

	if (more < 0)
		return err->code;
	if (left || more)
		return xb_fail(err, XB_E_DIGEST, "read '%s': expected %lld bytes, found %s", e->source,
			       (long long)e->size_bytes, more ? "more" : "fewer");
	xb_hasher_final(&hasher, out);
	return 0;
}

static int add_file(struct xb_gzip_writer *gz, const struct xb_rootfs_entry *e, const struct xb_layer_options *options,
		    struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = open(e->source, O_RDONLY | O_CLOEXEC);
	char expected[XB_DIGEST_HEX], found[XB_DIGEST_HEX];
	struct xb_digest digest;

	if (fd < 0)
		return xb_fail_errno(err, "open '%s' for '/%s'", e->source, e->path);
	if (copy_bytes(gz, fd, e, options, &digest, err) < 0)
		return err->code;
	if (!xb_digest_eq(&digest, &e->digest)) {
		xb_fail(err, XB_E_DIGEST, "read '%s' for '/%s': expected sha256 %s, found %s", e->source, e->path,
			xb_digest_hex(&e->digest, expected), xb_digest_hex(&digest, found));
		return xb_hint(err, "the file changed meanwhile; run the command again");
	}
	return write_zeros(gz, xb_tar_padding((uint64_t)e->size_bytes), err);
}

int xb_layer_header(const struct xb_rootfs_entry *e, struct xb_str *out, struct xb_err *err)
{
	static const enum xb_tar_type types[] = {
		[XB_TREE_FILE] = XB_TAR_FILE, [XB_TREE_DIR] = XB_TAR_DIR, [XB_TREE_SYMLINK] = XB_TAR_SYMLINK};
	const struct xb_tar_entry tar = {
		.path = e->path,
		.type = types[e->type],
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.target = e->target,
		.size_bytes = e->type == XB_TREE_FILE ? (uint64_t)e->size_bytes : 0,
	};

	return xb_tar_header(&tar, out, err);
}

static int add_entry(struct xb_gzip_writer *gz, const struct xb_rootfs_entry *e, const struct xb_layer_options *options,
		     struct xb_str *header, struct xb_err *err)
{
	xb_str_reset(header);
	if (check_interrupted(options, err) < 0 || xb_layer_header(e, header, err) < 0 ||
	    xb_gzip_writer_write(gz, header->data, header->len, err) < 0)
		return err->code;
	return e->type == XB_TREE_FILE ? add_file(gz, e, options, err) : 0;
}

static int write_entries(struct xb_gzip_writer *gz, const struct xb_rootfs_entry *const *entries, size_t len,
			 const struct xb_layer_options *options, struct xb_err *err)
{
	struct xb_str header XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < len; i++) {
		if (add_entry(gz, entries[i], options, &header, err) < 0)
			return err->code;
	}
	return write_zeros(gz, XB_TAR_END_BYTES, err);
}

int xb_layer_write(int fd, const struct xb_rootfs_entry *const *entries, size_t len,
		   const struct xb_layer_options *options, struct xb_layer *out, struct xb_err *err)
{
	struct xb_gzip_sum sum;
	struct xb_gzip_writer *gz;
	int r;

	if (xb_gzip_writer_open(fd, "layer", options->threads, options->compression, &gz, err) < 0)
		return err->code;
	r = write_entries(gz, entries, len, options, err);
	if (r == 0)
		r = xb_gzip_writer_finish(gz, &sum, err);
	xb_gzip_writer_free(gz);
	if (r < 0)
		return r;
	out->diff_id = sum.plain;
	out->blob = sum.packed;
	out->size_bytes = sum.packed_bytes;
	out->tar_bytes = sum.plain_bytes;
	return 0;
}

/* True when the store remembers a layer of these entries and still has it. */
static bool recall(struct xb_store *store, const struct xb_digest *key, const char *name, struct xb_layer *out)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_reapi_result result = {0};
	struct xb_sv rest;

	if (xb_action_get(store, key, &arena, &result) != 1 || result.n_outputs != 1 ||
	    strcmp(result.outputs[0].path, name) != 0)
		return false;
	rest = result.output_text;
	if (!xb_digest_parse(xb_sv_cut(&rest, ' '), &out->diff_id) ||
	    !xb_num_u64(xb_sv_trim(rest), UINT64_MAX, &out->tar_bytes))
		return false;
	out->blob = result.outputs[0].digest.hash;
	out->size_bytes = result.outputs[0].digest.size_bytes;
	return true;
}

static int remember(struct xb_store *store, const struct xb_digest *key, const char *name, const struct xb_layer *layer,
		    struct xb_err *err)
{
	struct xb_reapi_output output = {.path = name, .digest = {layer->blob, layer->size_bytes}};
	char hex[XB_DIGEST_HEX];
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s %llu\n", xb_digest_hex(&layer->diff_id, hex), (unsigned long long)layer->tar_bytes);
	const struct xb_reapi_result result = {.outputs = &output, .n_outputs = 1, .output_text = xb_sv(text)};

	return xb_action_put(store, key, &result, err);
}

/* From the store, or into it. */
static int make_layer(struct xb_store *store, enum xb_layer_kind kind, const struct xb_rootfs_entry *const *entries,
		      size_t len, const struct xb_layer_options *options, struct xb_layer *out, struct xb_err *err)
{
	struct xb_cas_writer writer XB_CLEANUP(xb_cas_discard) = {.fd = -1};
	struct xb_digest key;

	const struct kind_of_layer *is = &kinds_of_layers[options->compression];
	char *version XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s%s", is->version, options->compression == XB_COMPRESSION_ZSTD ? xb_zstd_version() : "");

	xb_rootfs_digest(version, entries, len, &key);
	*out = (struct xb_layer){.kind = kind, .media_type = is->media_type};
	if (recall(store, &key, is->output_name, out)) {
		out->cached = true;
		return 0;
	}
	if (xb_cas_begin(store, &writer, err) < 0 || xb_layer_write(writer.fd, entries, len, options, out, err) < 0 ||
	    xb_cas_commit(&writer, &out->blob, err) < 0)
		return xb_wrap(err, "write the %s layer", xb_layer_kind_name(kind));
	return remember(store, &key, is->output_name, out, err);
}

int xb_layer_make_all(struct xb_store *store, const struct xb_rootfs *rootfs, const struct xb_layer_options *options,
		      struct xb_layer *out, size_t *len, struct xb_err *err)
{
	for (int kind = XB_LAYER_PACKAGES; kind < XB_LAYER_KINDS; kind++) {
		const struct xb_rootfs_entry **entries;
		size_t n_entries;
		int r = 0;

		xb_rootfs_layer(rootfs, kind, &entries, &n_entries);
		if (n_entries > 0 || (kind == XB_LAYER_APPLICATION && *len == 0))
			r = make_layer(store, kind, entries, n_entries, options, &out[(*len)++], err);
		free(entries);
		if (r < 0)
			return r;
	}
	return 0;
}
