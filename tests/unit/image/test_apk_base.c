/* SPDX-License-Identifier: Apache-2.0 */
/* Bases of apk packages: the layers that apko itself has made of the same packages, and how they are remembered. */
#include "../store/fixture.h"

#include "../shared.h"
#include "../skip.h"
#include "xbuild/base/path.h"
#include "xbuild/image/apk_base.h"
#include "xbuild/model/apko_lock.h"
#include "xbuild/store/cas.h"

static const struct xb_layer_options one_thread = {.threads = 1};

/* What apko's own tests are made of: packages, the lock, the configuration. */
struct golden {
	char *dir;
	struct xb_apko *config;
	struct xb_apko_lock *lock;
	struct xb_lock_apko locked;
	struct xb_pairs annotations;
};

static bool load(struct fixture *f, const char *config, struct golden *g)
{
	static const char *names[] = {"org.opencontainers.image.title", "org.opencontainers.image.vendor"};
	static const char *values[] = {"Title", "Vendor"};
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	char *path;

	*g = (struct golden){.dir = shared_path("apk/apko"), .annotations = {names, values, NULL, 2}};
	if (!g->dir)
		return false;
	assert_ok(xb_apko_load(g->dir, config, &g->config, &diags, &f->err), &f->err);
	path = xb_path_join(g->dir, "apko.lock.json");
	assert_ok(xb_apko_lock_read(path, &g->lock, &f->err), &f->err);
	free(path);
	for (size_t i = 0; i < g->lock->n_packages; i++) {
		struct xb_lock_apk *p = &g->lock->packages[i];
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};

		path = xb_printf("%s/packages/%s/%s-%s.apk", g->dir, p->arch, p->name, p->version);
		assert_ok(xb_fs_read(path, 1 << 20, &text, &f->err), &f->err);
		assert_ok(xb_cas_put_bytes(f->store, text.data, text.len, &p->sha256, &f->err), &f->err);
		free(path);
	}
	g->locked = (struct xb_lock_apko){.keys = g->lock->keys,
					  .n_keys = g->lock->n_keys,
					  .packages = g->lock->packages,
					  .n_packages = g->lock->n_packages};
	return true;
}

static void unload(struct golden *g)
{
	xb_apko_free(g->config);
	xb_apko_lock_free(g->lock);
	free(g->dir);
}

static void make(struct fixture *f, const struct golden *g, const char *arch, struct xb_apk_base *out)
{
	const struct xb_apk_image_spec spec = {g->config, &g->locked, arch, &g->annotations};
	struct xb_digest key;

	xb_apk_base_key(&spec, &key);
	assert_int_equal(xb_apk_base_find(f->store, &key, out), 0);
	assert_ok(xb_apk_base_make(f->store, &spec, &one_thread, &f->err), &f->err);
	assert_int_equal(xb_apk_base_find(f->store, &key, out), 1);
}

/* apko, internal/cli/testdata/golden. */
static void test_golden(void **state)
{
	static const struct {
		const char *arch, *diff_id;
	} cases[] = {{"x86_64", "20f698463c2755b6dc42b7d07e959ed7455a06e7367d507e829a315898f21a01"},
		     {"aarch64", "ca5e16c7c944d764863cb1a4286e668e72d6d87ef9ddd82337b19d87715bae7e"}};
	struct fixture *f = *state;
	struct golden g;

	if (!load(f, "apko.yaml", &g))
		skip_without("fixtures of apk packages (XB_SHARED)");
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_apk_base base;
		char hex[XB_DIGEST_HEX];

		make(f, &g, cases[i].arch, &base);
		assert_int_equal(base.n_layers, 1);
		assert_string_equal(xb_digest_hex(&base.layers[0].diff_id, hex), cases[i].diff_id);
		assert_int_equal(base.layers[0].kind, XB_LAYER_BASE);
		assert_int_equal(base.n_packages, 2);
		assert_string_equal(base.packages[1].name, "replayout");
		assert_string_equal(base.packages[1].license, "MIT");
		assert_null(base.user);
		xb_apk_base_release(&base);
	}
	unload(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_golden)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
