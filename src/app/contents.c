/* SPDX-License-Identifier: Apache-2.0 */
#include "contents.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/sys/fs.h"

#define MAX_LIST_BYTES (64 * 1024)

void contents_release(struct contents *c)
{
	for (size_t i = 0; c && i < c->parts.len; i++)
		xb_str_release(&c->parts.items[i].text);
	if (c)
		XB_VEC_RELEASE(&c->parts);
}

const char *contents_arch(const struct xb_want *want)
{
	const struct xb_target *target = xb_target_find(xb_sv(want->name));

	return want->package || !target ? CONTENTS_ALL : target->debian_arch;
}

char *contents_path(const struct xb_app *app, const struct xb_want *want)
{
	const struct xb_debian *debian = &app->sysroot->debian;
	struct xb_str key XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	xb_str_printf(&key, "%s%s\n", CONTENTS_OF_HEAD, contents_arch(want));
	for (size_t i = 0; i < debian->n_suites; i++) {
		const struct xb_lock_suite *suite = xb_lock_suite(app->lock, debian->suites[i].id);

		if (suite)
			xb_str_printf(&key, "%s %s\n", suite->id, xb_digest_hex(&suite->in_release, hex));
	}
	xb_digest_bytes(key.data, key.len, &digest);
	return xb_store_path(app->store, "contents", &digest);
}

/* "<sha256> <date> <suite>" */
static bool parse_part(struct xb_sv line, struct xb_digest *digest, uint64_t *date, struct xb_sv *suite)
{
	const struct xb_sv hex = xb_sv_cut(&line, ' '), number = xb_sv_cut(&line, ' ');

	*suite = line;
	return xb_digest_parse(hex, digest) && xb_num_u64(number, INT64_MAX, date) && line.len;
}

int contents_read(struct xb_app *app, const struct xb_want *want, struct contents *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = contents_path(app, want);
	struct xb_str list XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest, line, suite;
	struct xb_digest digest;
	uint64_t date;

	if (xb_fs_read(path, MAX_LIST_BYTES, &list, err) < 0)
		return err->code;
	rest = xb_str_sv(&list);
	line = xb_sv_cut(&rest, '\n');
	if (!xb_sv_starts(xb_str_sv(&list), CONTENTS_OF_HEAD))
		return xb_fail(err, XB_E_VERIFY, "'%s' is not what xbuild has put there", path);
	for (line = xb_sv_cut(&rest, '\n'); line.len; line = xb_sv_cut(&rest, '\n')) {
		char *file XB_CLEANUP(xb_free_ptr) = NULL;
		struct contents_part *part;

		if (!parse_part(line, &digest, &date, &suite))
			return xb_fail(err, XB_E_VERIFY, "'%s' is not what xbuild has put there", path);
		part = XB_VEC_ADD(&out->parts);
		part->suite = xb_arena_sv(&app->arena, suite);
		part->date = (int64_t)date;
		file = xb_store_path(app->store, "contents", &digest);
		if (xb_fs_read(file, XB_MAX_CONTENTS_BYTES, &part->text, err) < 0)
			return err->code;
	}
	return 0;
}
