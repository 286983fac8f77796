/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/openpgp.h"

#include <fcntl.h>
#include <pthread.h>
#include <rnp/rnp.h>
#include <rnp/rnp_err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "openpgp_form.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/fs.h"

#define MAX_KEY_FILE_BYTES (4 * XB_MIB)
#define MAX_SIGNATURES	   64
#define MAX_CLOCK_SKEW_SEC 10
#define MIN_RSA_BITS	   2048
#define MAX_SEEN_BYTES	   4096 /* of the description of signatures that do not count */

/* ---- the library ---- */

/*
 * Debian's build of rnp tells stderr about every odd packet and cannot be asked not to. While it works, stderr goes to
 * /dev/null, in one thread at a time; what it found is told by our own error.
 */
static pthread_mutex_t quiet_lock = PTHREAD_MUTEX_INITIALIZER;

struct quiet {
	bool locked;
	int saved_fd; /* the real stderr; -1 when it was left alone */
};

static void quiet_begin(struct quiet *q)
{
	(void)pthread_mutex_lock(&quiet_lock);
	q->locked = true;
	q->saved_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int null_fd = q->saved_fd < 0 ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null_fd < 0)
		return;
	(void)dup2(null_fd, STDERR_FILENO);
	(void)close(null_fd);
}

static void quiet_end(struct quiet *q)
{
	if (!q->locked)
		return;
	if (q->saved_fd >= 0) {
		(void)dup2(q->saved_fd, STDERR_FILENO);
		(void)close(q->saved_fd);
	}
	(void)pthread_mutex_unlock(&quiet_lock);
}

struct verifier {
	struct quiet quiet;
	rnp_input_t signed_file; /* of a detached signature */
	rnp_ffi_t ffi;
	rnp_op_verify_t op;
	rnp_input_t input;
	rnp_output_t output;
};

static void verifier_release(struct verifier *v)
{
	rnp_op_verify_destroy(v->op);
	rnp_input_destroy(v->input);
	rnp_input_destroy(v->signed_file);
	rnp_output_destroy(v->output);
	rnp_ffi_destroy(v->ffi);
	quiet_end(&v->quiet);
}

static void free_buffer(char **text)
{
	rnp_buffer_destroy(*text);
}

static void free_key(rnp_key_handle_t *key)
{
	rnp_key_handle_destroy(*key);
}

static void free_signature(rnp_signature_handle_t *sig)
{
	rnp_signature_handle_destroy(*sig);
}

static void free_input(rnp_input_t *input)
{
	rnp_input_destroy(*input);
}

static int fail_library(struct xb_err *err, const char *what, rnp_result_t result)
{
	return xb_fail(err, XB_E_SYSTEM, "%s: %s", what, rnp_result_to_string(result));
}

static int load_key_file(struct verifier *v, const char *path, struct xb_err *err)
{
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};
	rnp_input_t input XB_CLEANUP(free_input) = NULL;
	char *results XB_CLEANUP(free_buffer) = NULL;
	int rc = xb_fs_read(path, MAX_KEY_FILE_BYTES, &bytes, err);
	if (rc < 0)
		return rc;
	rnp_result_t r =
		rnp_input_from_memory(&input, (const uint8_t *)xb_str_get(&bytes), bytes.len, /* do_copy */ false);
	if (r == RNP_SUCCESS)
		r = rnp_import_keys(v->ffi, input, RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_PERMISSIVE, &results);
	if (r != RNP_SUCCESS)
		return xb_fail(err, XB_E_INPUT, "read the OpenPGP keys in '%s': %s", path, rnp_result_to_string(r));
	return 0;
}

static int verifier_open(struct verifier *v, const struct xb_openpgp_keys *keys, int64_t now, struct xb_err *err)
{
	quiet_begin(&v->quiet);
	rnp_result_t r = rnp_ffi_create(&v->ffi, "GPG", "GPG");
	if (r != RNP_SUCCESS)
		return fail_library(err, "start the OpenPGP library", r);
	/* What was signed a moment ago by a clock ahead of ours would be bad for rnp; the exact checks are our own. */
	r = rnp_set_timestamp(v->ffi, (uint64_t)now + MAX_CLOCK_SKEW_SEC);
	if (r != RNP_SUCCESS)
		return fail_library(err, "set the time of the OpenPGP library", r);
	for (size_t i = 0; i < keys->n_files; i++) {
		int rc = load_key_file(v, keys->files[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int verifier_execute(struct verifier *v, const char *name, struct xb_err *err)
{
	const rnp_result_t r = rnp_op_verify_execute(v->op);
	/* That no signature is valid is told in detail afterwards, from the state of each. */
	if (r != RNP_SUCCESS && r != RNP_ERROR_SIGNATURE_INVALID && r != RNP_ERROR_SIGNATURE_EXPIRED &&
	    r != RNP_ERROR_KEY_NOT_FOUND && r != RNP_ERROR_NO_SIGNATURES_FOUND)
		return openpgp_fail_form(err, name, rnp_result_to_string(r));
	return 0;
}

static int verifier_run(struct verifier *v, struct xb_sv document, const char *name, struct xb_err *err)
{
	rnp_result_t r = rnp_input_from_memory(&v->input, (const uint8_t *)document.ptr, document.len, false);
	if (r == RNP_SUCCESS)
		r = rnp_output_to_memory(&v->output, document.len);
	if (r == RNP_SUCCESS)
		r = rnp_op_verify_create(&v->op, v->ffi, v->input, v->output);
	if (r != RNP_SUCCESS)
		return fail_library(err, "start a verification", r);
	return verifier_execute(v, name, err);
}

/* ---- one signature ---- */

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* NULL, or why the algorithm of the key is not accepted. */
static const char *check_strength(rnp_key_handle_t key)
{
	char *alg XB_CLEANUP(free_buffer) = NULL;
	uint32_t bits = 0;
	if (rnp_key_get_alg(key, &alg))
		return "its key cannot be read";
	if (strcmp(alg, "RSA") == 0)
		return rnp_key_get_bits(key, &bits) || bits < MIN_RSA_BITS ? "its RSA key has less than 2048 bits"
									   : NULL;
	return is_one_of(alg, (const char *const[]){"EDDSA", "ECDSA", NULL})
		       ? NULL
		       : "its key is of a kind that is not accepted";
}

/* NULL, or why the key does not hold at `now`. For the signing key and for its primary key. */
static const char *check_life(rnp_key_handle_t key, int64_t now)
{
	uint32_t created = 0, lifetime = 0;
	bool revoked = true, valid = false;
	if (rnp_key_get_creation(key, &created) || rnp_key_get_expiration(key, &lifetime) ||
	    rnp_key_is_revoked(key, &revoked) || rnp_key_is_valid(key, &valid))
		return "its key cannot be read";
	if (revoked)
		return "its key was revoked";
	if (lifetime != 0 && (int64_t)created + lifetime <= now)
		return "its key has expired";
	if (created > now + MAX_CLOCK_SKEW_SEC)
		return "its key was made in the future (is the clock right?)";
	return valid ? NULL : "its key is not valid";
}

static const char *check_key(rnp_key_handle_t key, rnp_key_handle_t primary, int64_t now)
{
	bool signs = false;
	const char *why = check_strength(key);
	if (!why)
		why = check_life(primary, now);
	if (!why)
		why = check_life(key, now);
	if (!why && (rnp_key_allows_usage(key, "sign", &signs) || !signs))
		why = "its key may not sign";
	return why;
}

static const char *check_times(rnp_op_verify_signature_t sig, int64_t now)
{
	uint32_t created = 0, lifetime = 0;
	if (rnp_op_verify_signature_get_times(sig, &created, &lifetime))
		return "it has no time";
	if (created > now + MAX_CLOCK_SKEW_SEC)
		return "it was made in the future (is the clock right?)";
	if (lifetime != 0 && (int64_t)created + lifetime <= now)
		return "it has expired";
	return NULL;
}

static const char *check_form(rnp_op_verify_signature_t sig, rnp_signature_handle_t handle)
{
	char *hash XB_CLEANUP(free_buffer) = NULL;
	char *type XB_CLEANUP(free_buffer) = NULL;
	if (rnp_op_verify_signature_get_hash(sig, &hash) ||
	    !is_one_of(hash, (const char *const[]){"SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-512", NULL}))
		return "it uses a weak or unknown hash";
	if (rnp_signature_get_type(handle, &type) || !is_one_of(type, (const char *const[]){"text", "binary", NULL}))
		return "it is not a signature of a document";
	return NULL;
}

static const char *check_status(rnp_op_verify_signature_t sig)
{
	switch (rnp_op_verify_signature_get_status(sig)) {
	case RNP_SUCCESS:
		return NULL;
	case RNP_ERROR_KEY_NOT_FOUND:
		return "its key is not among the given ones";
	case RNP_ERROR_SIGNATURE_EXPIRED:
		return "it has expired";
	default:
		return "it is bad";
	}
}

/* Where rnp cannot represent a signature (version 0) it leaves a freed pointer in its output. */
static int get_handle(rnp_op_verify_signature_t sig, rnp_signature_handle_t *out)
{
	rnp_signature_handle_t handle = NULL;
	if (rnp_op_verify_signature_get_handle(sig, &handle) || !handle)
		return -1;
	*out = handle;
	return 0;
}

/* The primary key that `key` belongs to; itself when it is one. */
static int find_primary(struct verifier *v, rnp_key_handle_t key, rnp_key_handle_t *out, char fingerprint[41])
{
	char *text XB_CLEANUP(free_buffer) = NULL;
	bool is_sub = false;
	if (rnp_key_is_sub(key, &is_sub))
		return -1;
	if (is_sub ? rnp_key_get_primary_fprint(key, &text) : rnp_key_get_fprint(key, &text))
		return -1;
	if (strlen(text) != 40)
		return -1;
	memcpy(fingerprint, text, 41);
	return rnp_locate_key(v->ffi, "fingerprint", text, out) || !*out ? -1 : 0;
}

/* NULL when the signature counts (fingerprint is its primary key's), else why it does not. */
static const char *judge(struct verifier *v, rnp_op_verify_signature_t sig, int64_t now, char fingerprint[41])
{
	rnp_signature_handle_t handle XB_CLEANUP(free_signature) = NULL;
	rnp_key_handle_t key XB_CLEANUP(free_key) = NULL;
	rnp_key_handle_t primary XB_CLEANUP(free_key) = NULL;
	if (get_handle(sig, &handle) < 0)
		return "it cannot be read";
	const char *why = check_form(sig, handle);
	if (!why)
		why = check_times(sig, now);
	if (!why && (rnp_op_verify_signature_get_key(sig, &key) || !key))
		why = "its key is not among the given ones";
	if (!why && find_primary(v, key, &primary, fingerprint) < 0)
		why = "its key has no primary key";
	if (!why)
		why = check_key(key, primary, now);
	/* Last, because a reason above says more than "bad". */
	return why ? why : check_status(sig);
}

static void append_seen(struct xb_str *seen, rnp_op_verify_signature_t sig, const char *why)
{
	rnp_signature_handle_t handle XB_CLEANUP(free_signature) = NULL;
	char *id XB_CLEANUP(free_buffer) = NULL;
	if (get_handle(sig, &handle) < 0 || rnp_signature_get_keyid(handle, &id))
		id = NULL;
	(void)xb_str_printf(seen, "%ssignature by key %s: %s", seen->len ? "; " : "", id ? id : "unknown", why);
}

/* ---- all signatures ---- */

struct verdict {
	bool is_good;
	size_t best;	      /* index in keys->fingerprints of the best one */
	char fingerprint[41]; /* its primary key's */
	struct xb_str seen;
};

static void verdict_release(struct verdict *verdict)
{
	xb_str_release(&verdict->seen);
}

/* False: the key may not sign this. */
static bool find_key(const struct xb_openpgp_keys *keys, const char *fingerprint, size_t *out)
{
	for (*out = 0; !keys->any_key && *out < keys->n_fingerprints; ++*out)
		if (strcmp(keys->fingerprints[*out], fingerprint) == 0)
			return true;
	return keys->any_key;
}

static void judge_all(struct verifier *v, const struct xb_openpgp_keys *keys, int64_t now, struct verdict *out)
{
	size_t count = 0, at;
	out->seen.max_bytes = MAX_SEEN_BYTES;
	if (rnp_op_verify_get_signature_count(v->op, &count))
		count = 0;
	for (size_t i = 0; i < count && i < MAX_SIGNATURES; i++) {
		rnp_op_verify_signature_t sig = NULL;
		char fingerprint[41] = "";
		if (rnp_op_verify_get_signature_at(v->op, i, &sig))
			continue;
		const char *why = judge(v, sig, now, fingerprint);
		if (!why && !find_key(keys, fingerprint, &at))
			why = "its key is not one that may sign this";
		if (why) {
			append_seen(&out->seen, sig, why);
		} else if (!out->is_good || at < out->best) {
			out->is_good = true;
			out->best = at;
			memcpy(out->fingerprint, fingerprint, sizeof(fingerprint));
		}
	}
}

static int refuse_all(const struct verdict *verdict, const char *name, struct xb_err *err)
{
	return xb_fail(err, XB_E_SIGNATURE, "verify the signature of '%s': no signature counts (%s)", name,
		       verdict->seen.len ? xb_str_get(&verdict->seen) : "none was found");
}

/* rnp may or may not keep the last line end and CRs: neither is signed. */
static bool same_text(struct verifier *v, struct xb_sv text)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	if (rnp_output_memory_get_buf(v->output, &bytes, &len, false))
		return false;
	struct xb_sv theirs = xb_sv_n((const char *)bytes, len);
	struct xb_sv ours = text;
	while (theirs.ptr && ours.ptr)
		if (!xb_sv_eq(openpgp_cut_line(&theirs), openpgp_cut_line(&ours)))
			return false;
	return xb_sv_trim(theirs).len == 0 && xb_sv_trim(ours).len == 0;
}

int xb_openpgp_verify(struct xb_sv document, const char *name, const struct xb_openpgp_keys *keys, int64_t now,
		      struct xb_str *out_text, char out_fingerprint[41], struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct verifier v XB_CLEANUP(verifier_release) = {0};
	struct verdict verdict XB_CLEANUP(verdict_release) = {0};
	int rc = openpgp_read_form(document, name, &text, err);
	if (rc == 0)
		rc = verifier_open(&v, keys, now, err);
	if (rc == 0)
		rc = verifier_run(&v, document, name, err);
	if (rc < 0)
		return rc;
	judge_all(&v, keys, now, &verdict);
	if (!verdict.is_good)
		return refuse_all(&verdict, name, err);
	if (!same_text(&v, xb_str_sv(&text)))
		return openpgp_fail_form(err, name, "its signed text cannot be told apart from what surrounds it");
	(void)xb_str_append_char(&text, '\n');
	memcpy(out_fingerprint, verdict.fingerprint, 41);
	xb_str_reset(out_text);
	if (!xb_str_append_sv(out_text, xb_str_sv(&text)))
		return xb_fail(err, XB_E_SIGNATURE, "verify the signature of '%s': its text is too large", name);
	return 0;
}

int xb_openpgp_verify_detached(const char *path, struct xb_sv signature, const char *name,
			       const struct xb_openpgp_keys *keys, int64_t now, struct xb_err *err)
{
	struct verifier v XB_CLEANUP(verifier_release) = {0};
	struct verdict verdict XB_CLEANUP(verdict_release) = {0};
	int rc = verifier_open(&v, keys, now, err);
	if (rc < 0)
		return rc;
	rnp_result_t r = rnp_input_from_path(&v.signed_file, path);
	if (r == RNP_SUCCESS)
		r = rnp_input_from_memory(&v.input, (const uint8_t *)signature.ptr, signature.len, false);
	if (r == RNP_SUCCESS)
		r = rnp_op_verify_detached_create(&v.op, v.ffi, v.signed_file, v.input);
	if (r != RNP_SUCCESS)
		return fail_library(err, "start a verification", r);
	rc = verifier_execute(&v, name, err);
	if (rc < 0)
		return rc;
	judge_all(&v, keys, now, &verdict);
	return verdict.is_good ? 0 : refuse_all(&verdict, name, err);
}
