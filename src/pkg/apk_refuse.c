/* SPDX-License-Identifier: Apache-2.0 */
/* Why there is no solution, and why a package is in one. */
#include <stdarg.h>
#include <string.h>

#include "apk_pool.h"
#include "xbuild/base/alloc.h"

#define MAX_SHOWN      10   /* candidates of one message */
#define MAX_LINKS      60   /* of a chain */
#define MAX_TEXT_BYTES 8192 /* of what an index can make long */

void apk_append_file(struct xb_str *out, const struct xb_apk_package *package)
{
	(void)xb_str_printf(out, "%s-%s", package->name, package->version);
}

void apk_append_link(struct xb_str *out, bool first, enum xb_apk_why why, const char *relation,
		     const struct xb_apk_package *by)
{
	(void)xb_str_append(out, first ? " " : ", which ");
	if (why == XB_APK_WISH) {
		(void)xb_str_printf(out, "is wanted as '%s'", relation);
		return;
	}
	(void)xb_str_printf(out, why == XB_APK_DEPENDENCY ? "is '%s' of " : "comes with '%s' of ", relation);
	apk_append_file(out, by);
}

/* " is 'x' of a-1, which is wanted as 'a'": the reasons of this run, from `package` to a wish. */
static void append_chain(const struct apk_pool *pool, uint32_t package, bool first, struct xb_str *out)
{
	for (int n = 0; n < MAX_LINKS && package != APK_NONE; n++) {
		const struct apk_reason *r = &pool->reason[package];
		if (r->run != pool->run)
			return;
		apk_append_link(out, first, r->why, r->relation, r->by == APK_NONE ? NULL : pool->packages[r->by]);
		first = false;
		package = r->by;
	}
}

static void append_who(const struct apk_pool *pool, uint32_t who, struct xb_str *out)
{
	if (who == APK_NONE) {
		(void)xb_str_append(out, "the list of packages");
		return;
	}
	apk_append_file(out, pool->packages[who]);
}

/* Why this candidate was refused. */
static void append_candidate(const struct apk_pool *pool, const struct apk_request *request, uint32_t who,
			     uint32_t package, struct xb_str *out)
{
	const struct xb_apk_package *p = pool->packages[package];
	const struct apk_out *o = &pool->out[package];
	(void)xb_str_append(out, "; there is ");
	apk_append_file(out, p);
	if (pool->facts[package].missing_on) {
		(void)xb_str_printf(out, ", but not for %s", pool->facts[package].missing_on);
	} else if (o->run == pool->run && o->kind == APK_VERSION && o->who == who &&
		   strcmp(o->relation->text, request->relation->text) == 0) {
		return; /* that is what the message is about */
	} else if (o->run == pool->run) {
		static const char *const reasons[] = {
			[APK_EXCLUDED] = "excludes it by",
			[APK_VERSION] = "asks for",
			[APK_CONFLICT] = "cannot be beside it because of its",
		};
		(void)xb_str_append(out, ", but ");
		append_who(pool, o->who, out);
		(void)xb_str_printf(out, " %s '%s'", reasons[o->kind], o->relation->text);
	} else if (!apk_tag_fits(pool, request, package)) {
		(void)xb_str_printf(out, ", but in repository '@%s' only", p->repository->tag);
	} else {
		(void)xb_str_append(out, ", whose version does not fit");
	}
}

static void append_candidates(const struct apk_pool *pool, const struct apk_request *request, uint32_t who,
			      struct xb_str *out)
{
	struct apk_span all = pool->providers[request->name];
	for (uint32_t i = 0; i < all.len && i < MAX_SHOWN; i++)
		append_candidate(pool, request, who, pool->provider_list[all.at + i], out);
	if (all.len > MAX_SHOWN)
		(void)xb_str_printf(out, "; and %u more", (unsigned)(all.len - MAX_SHOWN));
}

int apk_refuse(const struct apk_pool *pool, const struct apk_request *request, uint32_t who, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {.max_bytes = MAX_TEXT_BYTES};
	bool known = pool->providers[request->name].len > 0;
	(void)xb_str_printf(&text, known ? "no package fits '%s'" : "nothing provides '%s'", request->relation->text);
	if (who == APK_NONE) {
		(void)xb_str_append(&text, ", which the list of packages asks for");
	} else {
		(void)xb_str_append(&text, " of ");
		append_who(pool, who, &text);
		append_chain(pool, who, false, &text);
	}
	append_candidates(pool, request, who, &text);
	return xb_fail(err, XB_E_UNSAT, "resolve packages for %s: %s", pool->arch, xb_str_get(&text));
}

int apk_refuse_package(const struct apk_pool *pool, uint32_t who, struct xb_err *err, const char *fmt, ...)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {.max_bytes = MAX_TEXT_BYTES};
	va_list args;
	va_start(args, fmt);
	char *why XB_CLEANUP(xb_free_ptr) = xb_vprintf(fmt, args);
	va_end(args);
	append_who(pool, who, &text);
	append_chain(pool, who, false, &text);
	return xb_fail(err, XB_E_UNSAT, "resolve packages for %s: %s cannot be installed: %s", pool->arch,
		       xb_str_get(&text), why);
}
