/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/store/reapi.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"

/* Protocol Buffers encoding: a key is (field << 3 | type). */
enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };

#define MAX_VARINT_BYTES 10

/* Field numbers of remote_execution.proto. */
enum {
	DIGEST_HASH = 1,
	DIGEST_SIZE = 2,
	NODE_NAME = 1,
	NODE_DIGEST = 2,
	SYMLINK_TARGET = 2,
	FILE_EXECUTABLE = 4,
	DIRECTORY_FILES = 1,
	DIRECTORY_DIRECTORIES = 2,
	DIRECTORY_SYMLINKS = 3,
	COMMAND_ARGUMENTS = 1,
	COMMAND_ENVIRONMENT = 2,
	COMMAND_WORKING_DIRECTORY = 6,
	COMMAND_OUTPUT_PATHS = 7,
	VARIABLE_NAME = 1,
	VARIABLE_VALUE = 2,
	ACTION_COMMAND = 1,
	ACTION_INPUT_ROOT = 2,
	RESULT_OUTPUT_FILES = 2,
	RESULT_OUTPUT_DIRECTORIES = 3,
	RESULT_EXIT_CODE = 4,
	RESULT_STDERR_RAW = 7,
	RESULT_STDERR_DIGEST = 8,
	RESULT_FILE_SYMLINKS = 10,
	RESULT_DIRECTORY_SYMLINKS = 11,
	RESULT_SYMLINKS = 12,
	OUTPUT_PATH = 1,
	OUTPUT_DIGEST = 2,
	OUTPUT_EXECUTABLE = 4
};

static size_t varint_len(uint64_t value)
{
	size_t len = 1;

	while (value >>= 7)
		len++;
	return len;
}

static void put_varint(struct xb_str *out, uint64_t value)
{
	char buf[MAX_VARINT_BYTES];
	size_t len = 0;

	do {
		buf[len++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
	xb_str_append_n(out, buf, len);
}

static void put_key(struct xb_str *out, unsigned field, enum wire_type type)
{
	put_varint(out, field << 3 | type);
}

static void put_bytes(struct xb_str *out, unsigned field, struct xb_sv bytes)
{
	put_key(out, field, WIRE_BYTES);
	put_varint(out, bytes.len);
	xb_str_append_sv(out, bytes);
}

/* A scalar that has its default value is left out (proto3). */
static void put_string(struct xb_str *out, unsigned field, struct xb_sv text)
{
	if (text.len)
		put_bytes(out, field, text);
}

static void put_number(struct xb_str *out, unsigned field, uint64_t value)
{
	if (!value)
		return;
	put_key(out, field, WIRE_VARINT);
	put_varint(out, value);
}

static size_t digest_len(const struct xb_reapi_digest *digest)
{
	const size_t hash_len = 2 + XB_DIGEST_HEX - 1;

	return hash_len + (digest->size_bytes ? 1 + varint_len(digest->size_bytes) : 0);
}

static void put_digest(struct xb_str *out, unsigned field, const struct xb_reapi_digest *digest)
{
	char hex[XB_DIGEST_HEX];

	put_key(out, field, WIRE_BYTES);
	put_varint(out, digest_len(digest));
	put_string(out, DIGEST_HASH, xb_sv(xb_digest_hex(&digest->hash, hex)));
	put_number(out, DIGEST_SIZE, digest->size_bytes);
}

static size_t string_len(struct xb_sv text)
{
	return text.len ? 1 + varint_len(text.len) + text.len : 0;
}

void xb_reapi_digest_of(const struct xb_str *message, struct xb_reapi_digest *out)
{
	xb_digest_bytes(xb_str_get(message), message->len, &out->hash);
	out->size_bytes = message->len;
}

/* FileNode and OutputFile have the same fields. */
static void put_file(struct xb_str *out, unsigned field, struct xb_sv name, const struct xb_reapi_digest *digest,
		     bool executable)
{
	put_key(out, field, WIRE_BYTES);
	put_varint(out, string_len(name) + 2 + digest_len(digest) + (executable ? 2 : 0));
	put_string(out, NODE_NAME, name);
	put_digest(out, NODE_DIGEST, digest);
	put_number(out, FILE_EXECUTABLE, executable);
}

void xb_reapi_file_node(struct xb_str *directory, struct xb_sv name, const struct xb_reapi_digest *digest,
			bool executable)
{
	put_file(directory, DIRECTORY_FILES, name, digest, executable);
}

void xb_reapi_directory_node(struct xb_str *directory, struct xb_sv name, const struct xb_reapi_digest *digest)
{
	put_file(directory, DIRECTORY_DIRECTORIES, name, digest, false);
}

void xb_reapi_symlink_node(struct xb_str *directory, struct xb_sv name, struct xb_sv target)
{
	put_key(directory, DIRECTORY_SYMLINKS, WIRE_BYTES);
	put_varint(directory, string_len(name) + string_len(target));
	put_string(directory, NODE_NAME, name);
	put_string(directory, SYMLINK_TARGET, target);
}

void xb_reapi_command(const char *const *argv, const char *const *env, const char *working_directory,
		      const char *const *output_paths, struct xb_str *out)
{
	for (; *argv; argv++) /* a repeated member is written even when it is empty */
		put_bytes(out, COMMAND_ARGUMENTS, xb_sv(*argv));
	for (; env && *env; env++) {
		struct xb_sv value = xb_sv(*env);
		const struct xb_sv name = xb_sv_cut(&value, '=');

		put_key(out, COMMAND_ENVIRONMENT, WIRE_BYTES);
		put_varint(out, string_len(name) + string_len(value));
		put_string(out, VARIABLE_NAME, name);
		put_string(out, VARIABLE_VALUE, value);
	}
	put_string(out, COMMAND_WORKING_DIRECTORY, xb_sv(working_directory));
	for (; output_paths && *output_paths; output_paths++)
		put_bytes(out, COMMAND_OUTPUT_PATHS, xb_sv(*output_paths));
}

void xb_reapi_action(const struct xb_reapi_digest *command, const struct xb_reapi_digest *input_root,
		     struct xb_str *out)
{
	put_digest(out, ACTION_COMMAND, command);
	put_digest(out, ACTION_INPUT_ROOT, input_root);
}

void xb_reapi_result_encode(const struct xb_reapi_result *result, struct xb_str *out)
{
	for (size_t i = 0; i < result->n_outputs; i++)
		put_file(out, RESULT_OUTPUT_FILES, xb_sv(result->outputs[i].path), &result->outputs[i].digest,
			 result->outputs[i].executable);
	put_number(out, RESULT_EXIT_CODE, (uint64_t)(int64_t)result->exit_code);
	put_string(out, RESULT_STDERR_RAW, result->output_text);
	/* An empty text is named by its digest: silence is then told from a text that was left out. */
	if (!result->output_text.len) {
		struct xb_reapi_digest empty = {0};

		xb_digest_bytes("", 0, &empty.hash);
		put_digest(out, RESULT_STDERR_DIGEST, &empty);
	}
}

/* One field of a message that is being read. */
struct field {
	uint64_t number;
	enum wire_type type;
	uint64_t value;	    /* WIRE_VARINT */
	struct xb_sv bytes; /* WIRE_BYTES */
};

static bool get_varint(struct xb_sv *in, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && in->len; shift += 7) {
		const uint64_t byte = (unsigned char)in->ptr[0];

		in->ptr++;
		in->len--;
		if (shift == 63 && byte > 1)
			return false;
		value |= (byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return true;
		}
	}
	return false;
}

static bool get_slice(struct xb_sv *in, uint64_t len, struct xb_sv *out)
{
	if (len > in->len)
		return false;
	*out = xb_sv_n(in->ptr, (size_t)len);
	in->ptr += len;
	in->len -= (size_t)len;
	return true;
}

/* Reads the next field; false when it is malformed. Groups (3, 4) have no place in proto3. */
static bool get_field(struct xb_sv *in, struct field *out)
{
	uint64_t key, len;

	*out = (struct field){0};
	if (!get_varint(in, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff)
		return false;
	out->number = key >> 3;
	out->type = (enum wire_type)(key & 7);
	switch (out->type) {
	case WIRE_VARINT:
		return get_varint(in, &out->value);
	case WIRE_64BIT:
		return get_slice(in, 8, &out->bytes);
	case WIRE_BYTES:
		return get_varint(in, &len) && get_slice(in, len, &out->bytes);
	case WIRE_32BIT:
		return get_slice(in, 4, &out->bytes);
	}
	return false;
}

static bool is_bytes(const struct field *f, uint64_t number)
{
	return f->number == number && f->type == WIRE_BYTES;
}

static bool is_varint(const struct field *f, uint64_t number)
{
	return f->number == number && f->type == WIRE_VARINT;
}

static bool get_digest(struct xb_sv in, struct xb_reapi_digest *out)
{
	bool has_hash = false;
	struct field f;

	*out = (struct xb_reapi_digest){0};
	while (in.len) {
		if (!get_field(&in, &f))
			return false;
		if (is_bytes(&f, DIGEST_HASH)) {
			if (f.bytes.len != XB_DIGEST_HEX - 1 || !xb_digest_parse(f.bytes, &out->hash))
				return false;
			has_hash = true;
		} else if (is_varint(&f, DIGEST_SIZE)) {
			if (f.value > INT64_MAX)
				return false;
			out->size_bytes = f.value;
		}
	}
	return has_hash;
}

static bool get_output(struct xb_sv in, struct xb_arena *arena, struct xb_reapi_output *out)
{
	bool has_digest = false;
	struct field f;

	*out = (struct xb_reapi_output){0};
	while (in.len) {
		if (!get_field(&in, &f))
			return false;
		if (is_bytes(&f, OUTPUT_PATH)) {
			if (!xb_path_is_safe(f.bytes))
				return false;
			out->path = xb_arena_sv(arena, f.bytes);
		} else if (is_bytes(&f, OUTPUT_DIGEST)) {
			if (!get_digest(f.bytes, &out->digest))
				return false;
			has_digest = true;
		} else if (is_varint(&f, OUTPUT_EXECUTABLE)) {
			out->executable = f.value != 0;
		}
	}
	return out->path && has_digest;
}

static int compare_outputs(const void *a, const void *b)
{
	const struct xb_reapi_output *x = a, *y = b;

	return strcmp(x->path, y->path);
}

struct outputs {
	XB_VEC(struct xb_reapi_output) list;
};

static void outputs_release(struct outputs *outputs)
{
	XB_VEC_RELEASE(&outputs->list);
}

/* False for what is malformed and for outputs of a kind that no action of ours has: directories and links. */
static bool get_result(struct xb_sv in, struct xb_arena *arena, struct outputs *outputs, struct xb_reapi_result *out)
{
	struct field f;

	while (in.len) {
		if (!get_field(&in, &f))
			return false;
		switch (f.number) {
		case RESULT_OUTPUT_FILES:
			if (f.type != WIRE_BYTES || !get_output(f.bytes, arena, XB_VEC_ADD(&outputs->list)))
				return false;
			break;
		case RESULT_OUTPUT_DIRECTORIES:
		case RESULT_FILE_SYMLINKS:
		case RESULT_DIRECTORY_SYMLINKS:
		case RESULT_SYMLINKS:
			return false;
		case RESULT_EXIT_CODE:
			if (f.type != WIRE_VARINT)
				return false;
			out->exit_code = (int)(int64_t)f.value;
			break;
		case RESULT_STDERR_RAW:
			if (f.type != WIRE_BYTES)
				return false;
			out->output_text = xb_sv_n(xb_arena_sv(arena, f.bytes), f.bytes.len);
			break;
		default:
			break;
		}
	}
	return true;
}

int xb_reapi_result_decode(struct xb_sv bytes, struct xb_arena *arena, struct xb_reapi_result *out, struct xb_err *err)
{
	struct outputs outputs XB_CLEANUP(outputs_release) = {0};
	struct xb_reapi_result result = {0};

	if (!get_result(bytes, arena, &outputs, &result))
		return xb_fail(err, XB_E_INPUT, "read an action result: malformed, or with outputs other than files");
	if (outputs.list.len)
		qsort(outputs.list.items, outputs.list.len, sizeof(*outputs.list.items), compare_outputs);
	for (size_t i = 1; i < outputs.list.len; i++)
		if (strcmp(outputs.list.items[i - 1].path, outputs.list.items[i].path) == 0)
			return xb_fail(err, XB_E_INPUT, "read an action result: two outputs '%s'",
				       outputs.list.items[i].path);
	result.n_outputs = outputs.list.len;
	result.outputs = xb_arena_array(arena, result.n_outputs, sizeof(*result.outputs));
	if (result.n_outputs)
		memcpy(result.outputs, outputs.list.items, result.n_outputs * sizeof(*result.outputs));
	*out = result;
	return 0;
}
