/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and runtime keys: apko, pkg/build/certificates.go and runtime_keyring.go. */
#include <stdlib.h>
#include <string.h>

#include "apk_steps.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/base64.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"

#define CERTIFICATE_DIR "usr/local/share/ca-certificates"
#define JAVA_STORE	"etc/ssl/certs/java/cacerts"
#define PEM_LINE	64 /* RFC 7468 section 2 */

static const char *const bundles[] = {"etc/ssl/certs/ca-certificates.crt",
				      "var/lib/ecs/deps/execute-command/certs/tls-ca-bundle.pem",
				      "kaniko/ssl/certs/ca-certificates.crt"};

/* One block of PEM: what is in it, and how it is written again. */
struct pem {
	struct xb_str der, text;
};

static void release_pem(struct pem *pem)
{
	xb_str_release(&pem->der);
	xb_str_release(&pem->text);
}

/* Appends base64 without the line ends that PEM has in it. */
static bool decode_lines(struct xb_sv body, struct xb_str *out)
{
	struct xb_str packed XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < body.len; i++) {
		if (body.ptr[i] != '\n' && body.ptr[i] != '\r' && body.ptr[i] != ' ' && body.ptr[i] != '\t')
			xb_str_append_char(&packed, body.ptr[i]);
	}
	return packed.len && xb_base64_decode(xb_str_sv(&packed), out);
}

static void encode_lines(const char *label, const struct xb_str *der, struct xb_str *out)
{
	struct xb_str packed XB_CLEANUP(xb_str_release) = {0};

	xb_base64_encode(der->data, der->len, &packed);
	xb_str_printf(out, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < packed.len; i += PEM_LINE) {
		xb_str_append_n(out, packed.data + i, packed.len - i < PEM_LINE ? packed.len - i : PEM_LINE);
		xb_str_append_char(out, '\n');
	}
	xb_str_printf(out, "-----END %s-----\n", label);
}

/* DER is one SEQUENCE of exactly the length that it says (X.690 8.1.3). */
static bool is_sequence(const struct xb_str *der)
{
	const unsigned char *p = (const unsigned char *)der->data;
	size_t len, head = 2;

	if (der->len < 2 || p[0] != 0x30)
		return false;
	len = p[1];
	if (p[1] & 0x80) {
		const size_t n = p[1] & 0x7f;

		if (!n || n > 4 || der->len < 2 + n)
			return false;
		len = 0;
		for (size_t i = 0; i < n; i++)
			len = len << 8 | p[2 + i];
		head += n;
	}
	return head + len == der->len;
}

/* Exactly one block, of this label (RFC 7468). What stands around it is left out. */
static bool parse_pem(struct xb_sv text, const char *label, struct pem *out)
{
	struct xb_str begin XB_CLEANUP(xb_str_release) = {0}, end XB_CLEANUP(xb_str_release) = {0};
	char *copy XB_CLEANUP(xb_free_ptr) = xb_sv_dup(text);
	const char *from, *to;

	xb_str_printf(&begin, "-----BEGIN %s-----", label);
	xb_str_printf(&end, "-----END %s-----", label);
	from = strstr(copy, xb_str_get(&begin));
	to = from ? strstr(from, xb_str_get(&end)) : NULL;
	if (!to || strstr(copy, "-----BEGIN ") != from || strstr(to, "-----BEGIN "))
		return false;
	from += begin.len;
	if (!decode_lines(xb_sv_n(from, (size_t)(to - from)), &out->der) || !is_sequence(&out->der))
		return false;
	encode_lines(label, &out->der, &out->text);
	return true;
}

/* Files of certificates that packages bring which provide one of the names. */
static bool provides_one(const struct xb_apk *apk, const struct xb_words *providers)
{
	for (size_t i = 0; i < apk->info.provides.len; i++) {
		for (size_t k = 0; k < providers->len; k++) {
			if (strcmp(apk->info.provides.items[i], providers->items[k]) == 0)
				return true;
		}
	}
	return false;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct paths {
	const char **items;
	size_t len, cap;
};

static void find_files(const struct xb_apk_image *image, const struct xb_words *providers, struct paths *out)
{
	for (size_t i = 0; i < image->n_packages; i++) {
		const struct xb_apk *apk = image->packages[i];

		for (size_t k = 0; k < apk->n_entries && provides_one(apk, providers); k++) {
			const struct xb_apk_entry *e = &apk->entries[k];
			const struct xb_apk_node *node = xb_apk_root_find_link(&image->root, e->path);

			if (e->type != XB_APK_DIR && node && node->package == i &&
			    xb_sv_starts(xb_sv(e->path), CERTIFICATE_DIR "/") &&
			    (xb_sv_ends(xb_sv(e->path), ".crt") || xb_sv_ends(xb_sv(e->path), ".pem")))
				XB_VEC_PUSH(out, e->path);
		}
	}
	if (out->len)
		qsort(out->items, out->len, sizeof(*out->items), compare_texts);
}

/* Those of the configuration: a file each, and what bundles get goes to `all`. */
static int add_own(struct xb_apk_image *image, const struct xb_apko *config, struct xb_str *all, struct xb_err *err)
{
	for (size_t i = 0; i < config->certificates.len; i++) {
		const struct xb_apko_text *named = &config->certificates.items[i];
		struct pem pem XB_CLEANUP(release_pem) = {0};
		char hex[XB_DIGEST_HEX];
		struct xb_digest print;
		const char *path;

		if (!parse_pem(xb_sv(named->content), "CERTIFICATE", &pem))
			return xb_fail(err, XB_E_INPUT, "certificate '%s' of %s: expected exactly one in PEM form",
				       named->name, config->path);
		xb_digest_bytes(pem.der.data, pem.der.len, &print);
		path = xb_arena_printf(&image->arena, CERTIFICATE_DIR "/%s-%s.crt", named->name,
				       xb_digest_hex(&print, hex));
		if (xb_apk_root_mkdirs(&image->root, CERTIFICATE_DIR, 0755, NULL, err) < 0 ||
		    xb_apk_root_write(&image->root, path, xb_str_sv(&pem.text), 0644, err) < 0)
			return err->code;
		xb_apk_root_find(&image->root, path)->mtime = image->build_date;
		xb_str_append_sv(all, xb_str_sv(&pem.text));
		xb_str_append_char(all, '\n');
	}
	return 0;
}

static int add_provided(struct xb_apk_image *image, const struct xb_words *providers, struct xb_str *all,
			struct xb_err *err)
{
	struct paths paths = {0};
	int r = 0;

	find_files(image, providers, &paths);
	for (size_t i = 0; i < paths.len && r == 0; i++) {
		struct pem pem XB_CLEANUP(release_pem) = {0};
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};

		r = xb_apk_root_read(&image->root, paths.items[i], &text, err);
		/* What is no single certificate is left to the program that makes bundles. */
		if (r < 0 || !parse_pem(xb_str_sv(&text), "CERTIFICATE", &pem))
			continue;
		xb_str_append_sv(all, xb_str_sv(&pem.text));
		xb_str_append_char(all, '\n');
	}
	XB_VEC_RELEASE(&paths);
	return r;
}

static int append_to_bundles(struct xb_apk_image *image, const struct xb_str *all, struct xb_err *err)
{
	struct xb_apk_root *root = &image->root;

	if (xb_apk_root_find(root, JAVA_STORE))
		return xb_fail(err, XB_E_INPUT, "certificates for the Java trust store '/%s' are not supported",
			       JAVA_STORE);
	for (size_t i = 0; i < XB_COUNT(bundles); i++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};

		if (!xb_apk_root_find(root, bundles[i]))
			continue;
		if (xb_apk_root_read(root, bundles[i], &text, err) < 0)
			return err->code;
		xb_str_append_sv(&text, xb_str_sv(all));
		if (xb_apk_root_write(root, bundles[i], xb_str_sv(&text), 0644, err) < 0)
			return err->code;
		xb_apk_root_find(root, bundles[i])->mtime = image->build_date;
	}
	return 0;
}

/* ".<name>.sha256" beside a bundle, for those who ask later whether it was changed. */
static int write_checksum(struct xb_apk_image *image, const char *path, struct xb_err *err)
{
	const struct xb_sv dir = xb_path_dir(xb_sv(path)), base = xb_path_base(xb_sv(path));
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];
	struct xb_digest digest;
	const char *sidecar, *line;

	if (!xb_apk_root_find(&image->root, path))
		return 0;
	if (xb_apk_root_read(&image->root, path, &text, err) < 0)
		return err->code;
	xb_digest_bytes(xb_str_get(&text), text.len, &digest);
	sidecar = xb_arena_printf(&image->arena, "%.*s/.%.*s.sha256", XB_SV_ARG(dir), XB_SV_ARG(base));
	line = xb_arena_printf(&image->arena, "%s  %.*s\n", xb_digest_hex(&digest, hex), XB_SV_ARG(base));
	if (xb_apk_root_write(&image->root, sidecar, xb_sv(line), 0444, err) < 0)
		return err->code;
	xb_apk_root_find(&image->root, sidecar)->mtime = image->build_date;
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct xb_apko_text *)a)->name, ((const struct xb_apko_text *)b)->name);
}

static int add_key(struct xb_apk_image *image, const struct xb_apko_text *key, struct xb_err *err)
{
	struct pem pem XB_CLEANUP(release_pem) = {0};
	const char *path = xb_arena_printf(&image->arena, "etc/apk/keys/%s", key->name);

	if (!parse_pem(xb_sv(key->content), "PUBLIC KEY", &pem))
		return xb_fail(err, XB_E_INPUT, "runtime key '%s': expected one public key in PEM form", key->name);
	if (xb_apk_root_find_link(&image->root, path))
		return xb_fail(err, XB_E_INPUT, "runtime key '%s': the image has a key of that name already",
			       key->name);
	if (xb_apk_root_write(&image->root, path, xb_str_sv(&pem.text), 0644, err) < 0)
		return err->code;
	xb_apk_root_find(&image->root, path)->mtime = image->build_date;
	return 0;
}

static int add_keys(struct xb_apk_image *image, const struct xb_apko *config, struct xb_err *err)
{
	const size_t len = config->runtime_keyring.len;
	struct xb_apko_text *keys = xb_arena_array(&image->arena, len, sizeof(*keys));

	if (!len)
		return 0;
	memcpy(keys, config->runtime_keyring.items, len * sizeof(*keys));
	qsort(keys, len, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < len; i++) {
		if (add_key(image, &keys[i], err) < 0)
			return err->code;
	}
	return 0;
}

int apk_certificates(struct xb_apk_image *image, const struct xb_apko *config, struct xb_err *err)
{
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};

	if (add_own(image, config, &all, err) < 0 ||
	    add_provided(image, &config->certificate_providers, &all, err) < 0 ||
	    (all.len && append_to_bundles(image, &all, err) < 0))
		return err->code;
	for (size_t i = 0; i < XB_COUNT(bundles); i++) {
		if (write_checksum(image, bundles[i], err) < 0)
			return err->code;
	}
	if (write_checksum(image, JAVA_STORE, err) < 0)
		return err->code;
	return add_keys(image, config, err);
}
