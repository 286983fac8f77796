/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/apk_index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apk_records.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/sys/gzip_members.h"

#define MAX_SIGNATURES_BYTES (1 * XB_MIB) /* the tar of signatures; a real one has 1 KiB */
#define MAX_MEMBERS	     64		  /* gzip members of an index; a real one has 2 */
#define SIGNATURE_PREFIX     ".SIGN."
#define TAR_BLOCK_BYTES	     512

/* ---- tar (POSIX.1-1988 "ustar Interchange Format"), in memory, as far as an index needs it ---- */

struct tar {
	char *at, *end;
	const char *name; /* for messages */
};

struct tar_entry {
	char name[101];
	char type;
	char *content;
	size_t size;
};

static struct tar tar_of(struct xb_str *bytes, const char *name)
{
	(void)xb_str_append(bytes, ""); /* from now on data is there */
	return (struct tar){.at = bytes->data, .end = bytes->data + bytes->len, .name = name};
}

static bool is_checksum_right(const char *header)
{
	uint32_t sum = 0, said = 0;
	const char *field = header + 148;
	for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)header[i];
	struct xb_sv text = xb_sv_trim(xb_sv_n(field, strnlen(field, 8)));
	return xb_num_octal(text, UINT32_MAX, &said) && said == sum;
}

static bool read_size(const char *header, size_t *out)
{
	uint32_t size = 0;
	struct xb_sv text = xb_sv_trim(xb_sv_n(header + 124, strnlen(header + 124, 12)));
	if (!xb_num_octal(text, INT32_MAX, &size))
		return false;
	*out = size;
	return true;
}

/* 1: *out is the next entry; 0: the end, marked by zeros or, as the tars that apk joins have it, not at all. */
static int tar_next(struct tar *t, struct tar_entry *out, struct xb_err *err)
{
	static const char zeros[TAR_BLOCK_BYTES];
	size_t room = (size_t)(t->end - t->at);
	if (room == 0)
		return 0;
	if (room < TAR_BLOCK_BYTES)
		return xb_fail(err, XB_E_VERIFY, "read '%s': its tar is cut off", t->name);
	if (memcmp(t->at, zeros, TAR_BLOCK_BYTES) == 0)
		return 0;
	if (memcmp(t->at + 257, "ustar", 5) != 0 || !is_checksum_right(t->at) || !read_size(t->at, &out->size))
		return xb_fail(err, XB_E_VERIFY, "read '%s': its tar has a damaged header", t->name);
	size_t padded = (out->size + TAR_BLOCK_BYTES - 1) / TAR_BLOCK_BYTES * TAR_BLOCK_BYTES;
	if (out->size > room - TAR_BLOCK_BYTES)
		return xb_fail(err, XB_E_VERIFY, "read '%s': its tar is cut off", t->name);
	memcpy(out->name, t->at, 100);
	out->name[100] = '\0';
	out->type = t->at[156] ? t->at[156] : '0';
	out->content = t->at + TAR_BLOCK_BYTES;
	room -= TAR_BLOCK_BYTES;
	t->at += TAR_BLOCK_BYTES + (padded < room ? padded : room);
	return 1;
}

/* ---- signatures ---- */

/* What is signed, and what was learned about its signatures so far. */
struct judgement {
	const struct xb_apk_index_source *source;
	int64_t at, size_bytes; /* the signed bytes */
	const char *good_key;	/* borrowed from source->keys; NULL: none yet */
	enum xb_rsa_hash good_hash;
	struct xb_str wanted; /* keys that signed and are not trusted */
	bool has_dsa;	      /* there is a signature by a trusted or unknown DSA key */
	bool has_any;
	struct xb_err bad; /* why a signature by a trusted key does not hold */
};

static void judgement_release(struct judgement *j)
{
	xb_str_release(&j->wanted);
	xb_err_release(&j->bad);
}

static const struct xb_rsa_key *find_key(const struct xb_apk_index_source *source, const char *name)
{
	for (size_t i = 0; i < source->n_keys; i++)
		if (strcmp(source->keys[i].name, name) == 0)
			return &source->keys[i];
	return NULL;
}

/* ".SIGN.RSA256.NAME": false when it is no signature or of a kind that is not known. *out_key is NAME. */
static bool parse_kind(struct judgement *j, const char *entry, enum xb_rsa_hash *out_hash, const char **out_key)
{
	static const struct {
		const char *prefix;
		enum xb_rsa_hash hash;
	} kinds[] = {{"RSA.", XB_RSA_SHA1}, {"RSA256.", XB_RSA_SHA256}, {"RSA512.", XB_RSA_SHA512}};
	const char *kind = entry + strlen(SIGNATURE_PREFIX);
	if (strncmp(entry, SIGNATURE_PREFIX, strlen(SIGNATURE_PREFIX)) != 0)
		return false;
	j->has_any = true;
	if (strncmp(kind, "DSA.", 4) == 0)
		j->has_dsa = true;
	for (size_t i = 0; i < XB_COUNT(kinds); i++) {
		if (strncmp(kind, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			continue;
		*out_hash = kinds[i].hash;
		*out_key = kind + strlen(kinds[i].prefix);
		return true;
	}
	return false;
}

/* A control byte in a name from outside must not reach a terminal; a long one is cut. */
static void add_wanted(struct judgement *j, const char *key)
{
	(void)xb_str_append(&j->wanted, j->wanted.len ? ", '" : "'");
	for (; *key; key++)
		(void)xb_str_append_char(&j->wanted, *key >= ' ' && *key <= '~' ? *key : '?');
	(void)xb_str_append(&j->wanted, "'");
}

/* The best good signature is the one that counts: its hash is the highest. */
static int judge(struct judgement *j, const struct tar_entry *e, struct xb_err *err)
{
	enum xb_rsa_hash hash = XB_RSA_SHA1;
	const char *name = NULL;
	if (!parse_kind(j, e->name, &hash, &name))
		return 0;
	const struct xb_rsa_key *key = find_key(j->source, name);
	if (!key) {
		add_wanted(j, name);
		return 0;
	}
	struct xb_rsa_signed what = {.fd = j->source->fd,
				     .at = j->at,
				     .size_bytes = j->size_bytes,
				     .name = j->source->name,
				     .hash = hash,
				     .signature = xb_sv_n(e->content, e->size)};
	struct xb_err bad XB_CLEANUP(xb_err_release) = {0};
	int rc = xb_rsa_verify(&what, key, &bad);
	if (rc == 0) {
		if (!j->good_key || hash > j->good_hash)
			j->good_hash = hash;
		j->good_key = key->name;
		return 0;
	}
	if (rc == XB_E_SYSTEM) {
		xb_err_move(err, &bad);
		return rc;
	}
	if (!j->bad.code)
		xb_err_move(&j->bad, &bad);
	return 0;
}

static void append_trusted(const struct xb_apk_index_source *source, struct xb_str *out)
{
	for (size_t i = 0; i < source->n_keys; i++)
		(void)xb_str_printf(out, "%s'%s'", i ? ", " : "", source->keys[i].name);
	if (source->n_keys == 0)
		(void)xb_str_append(out, "none");
}

/* No signature was good: the most telling reason. */
static int refuse(struct judgement *j, struct xb_err *err)
{
	struct xb_str trusted XB_CLEANUP(xb_str_release) = {.max_bytes = 4096};
	const char *name = j->source->name;
	append_trusted(j->source, &trusted);
	if (j->bad.code) {
		xb_err_move(err, &j->bad);
		return err->code;
	}
	if (!j->has_any) {
		(void)xb_fail(err, XB_E_SIGNATURE, "verify the signature of '%s': it is not signed", name);
		return xb_hint(err, "sign the repository's index, for instance with melange sign-index or abuild-sign");
	}
	if (j->wanted.len > 0) {
		(void)xb_fail(err, XB_E_SIGNATURE, "verify the signature of '%s': it is by key %s; trusted keys: %s",
			      name, xb_str_get(&j->wanted), xb_str_get(&trusted));
		return xb_hint(err, "if this key is the repository's, add it to contents.keyring");
	}
	return xb_fail(err, XB_E_SIGNATURE,
		       "verify the signature of '%s': expected RSA with SHA-256 or SHA-512, found %s; trusted keys: %s",
		       name, j->has_dsa ? "DSA" : "a kind that is not known", xb_str_get(&trusted));
}

static void close_gzip(struct xb_gzip **gz)
{
	xb_gzip_close(*gz);
}

/*
 * The first member, when it is small enough to be one of signatures: what does not end in time is an unsigned index, or
 * a bomb. *out_whole tells.
 */
static int read_signatures(const struct xb_apk_index_source *source, struct xb_str *out, struct xb_gzip_member *member,
			   bool *out_whole, struct xb_err *err)
{
	struct xb_gzip *gz XB_CLEANUP(close_gzip) = NULL;
	char *buf XB_CLEANUP(xb_free_ptr) = xb_alloc(MAX_SIGNATURES_BYTES);
	int rc = xb_gzip_open(source->fd, 0, source->name, 2 * MAX_SIGNATURES_BYTES, &gz, err);
	if (rc < 0)
		return rc;
	int64_t n = xb_gzip_read(gz, buf, MAX_SIGNATURES_BYTES, err);
	if (n >= 0)
		(void)xb_str_append_n(out, buf, (size_t)n);
	*out_whole = n < MAX_SIGNATURES_BYTES;
	n = n > 0 && *out_whole ? xb_gzip_read(gz, buf, 1, err) : n;
	if (n < 0)
		return (int)n;
	if (*out_whole)
		xb_gzip_member(gz, member);
	return 0;
}

/* Reads the tar of signatures and nothing else, and demands a good one of all that follows it. */
static int check_signatures(const struct xb_apk_index_source *source, int64_t *out_at, struct xb_apk_index *index,
			    struct xb_err *err)
{
	struct judgement j XB_CLEANUP(judgement_release) = {.source = source, .wanted.max_bytes = 4096};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_gzip_member member = {0};
	struct tar_entry e = {0};
	struct stat st;
	bool whole = false;
	if (fstat(source->fd, &st) < 0)
		return xb_fail_errno(err, "read '%s'", source->name);
	int rc = read_signatures(source, &text, &member, &whole, err);
	if (rc < 0)
		return rc;
	struct tar t = tar_of(&text, source->name);
	j.at = member.compressed_bytes;
	j.size_bytes = (int64_t)st.st_size - j.at;
	while (whole && (rc = tar_next(&t, &e, err)) > 0)
		if ((rc = judge(&j, &e, err)) < 0)
			break;
	if (rc < 0)
		return rc;
	if (!j.good_key)
		return refuse(&j, err);
	if (j.size_bytes <= 0)
		return xb_fail(err, XB_E_SIGNATURE, "verify the signature of '%s': nothing follows it", source->name);
	index->key = xb_arena_strdup(&index->arena, j.good_key);
	index->hash = j.good_hash;
	index->weak_signature = j.good_hash == XB_RSA_SHA1;
	*out_at = j.at;
	return 0;
}

/* ---- the index ---- */

/* Inflates [at, end of file): one member usually. */
static int inflate_rest(const struct xb_apk_index_source *source, int64_t at, struct xb_str *out, struct xb_err *err)
{
	struct stat st;
	if (fstat(source->fd, &st) < 0)
		return xb_fail_errno(err, "read '%s'", source->name);
	for (int n = 0; at < (int64_t)st.st_size; n++) {
		struct xb_gzip_member member = {0};
		if (n == MAX_MEMBERS)
			return xb_fail(err, XB_E_VERIFY, "read '%s': it has more than %d gzip members", source->name,
				       MAX_MEMBERS);
		int64_t room = XB_MAX_APK_INDEX_BYTES - (int64_t)out->len;
		int rc = xb_gzip_read_member(source->fd, at, source->name, room, out, &member, err);
		if (rc < 0)
			return rc;
		at += member.compressed_bytes;
	}
	return 0;
}

static int parse(struct xb_apk_index *index, const char *name, struct xb_err *err)
{
	struct tar t = tar_of(&index->text, name);
	struct tar_entry e = {0}, records = {0};
	int rc;
	while ((rc = tar_next(&t, &e, err)) > 0) {
		if (strcmp(e.name, "DESCRIPTION") == 0)
			index->description =
				xb_arena_sv(&index->arena, xb_sv_trim(xb_sv_n(e.content, strnlen(e.content, e.size))));
		if (strcmp(e.name, "APKINDEX") != 0)
			continue;
		if (records.content)
			return xb_fail(err, XB_E_INPUT, "read '%s': it holds 'APKINDEX' twice", name);
		records = e;
	}
	if (rc < 0)
		return rc;
	if (!records.content)
		return xb_fail(err, XB_E_INPUT, "read '%s': it holds no file 'APKINDEX'", name);
	return xb_apk_records_parse(index, name, records.content, records.size, err);
}

static int open_index(const struct xb_apk_index_source *source, struct xb_apk_index *index, struct xb_err *err)
{
	const struct xb_apk_repository *r = &source->repository;
	int64_t at = 0;
	index->description = "";
	index->repository = (struct xb_apk_repository){.url = xb_arena_strdup(&index->arena, r->url),
						       .arch = xb_arena_strdup(&index->arena, r->arch),
						       .tag = xb_arena_strdup(&index->arena, r->tag ? r->tag : "")};
	int rc = check_signatures(source, &at, index, err);
	if (rc == 0)
		rc = inflate_rest(source, at, &index->text, err);
	if (rc == 0)
		rc = parse(index, source->name, err);
	return rc;
}

int xb_apk_index_open(const struct xb_apk_index_source *source, struct xb_apk_index **out, struct xb_err *err)
{
	struct xb_apk_index *index = xb_alloc(sizeof(*index));
	int rc = open_index(source, index, err);
	if (rc < 0) {
		xb_apk_index_free(index);
		return rc;
	}
	*out = index;
	return 0;
}

void xb_apk_index_free(struct xb_apk_index *index)
{
	if (!index)
		return;
	free(index->packages);
	xb_str_release(&index->text);
	xb_arena_release(&index->arena);
	free(index);
}

const char *xb_apk_package_url(const struct xb_apk_package *package, struct xb_arena *arena)
{
	const struct xb_apk_repository *r = package->repository;
	return xb_arena_printf(arena, "%s/%s/%s-%s.apk", r->url, r->arch, package->name, package->version);
}
