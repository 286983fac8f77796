/* SPDX-License-Identifier: Apache-2.0 */
/* Bases of apk packages: the layers that apko itself has made of the same packages, and how they are remembered. */
#include "../store/fixture.h"

#include "../pkg/apk_package_made.h"
#include "../shared.h"
#include "../skip.h"
#include "xbuild/base/path.h"
#include "xbuild/image/apk_base.h"
#include "xbuild/model/apko_lock.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/archive.h"

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

/* apko, internal/cli/testdata/layering.yaml: what replaces each other shares a layer, so there is one, and one on top. */
static void test_layering(void **state)
{
	struct fixture *f = *state;
	struct xb_apk_base base;
	struct golden g;

	if (!load(f, "layering.yaml", &g))
		skip_without("fixtures of apk packages (XB_SHARED)");
	make(f, &g, "x86_64", &base);
	assert_int_equal(base.n_layers, 2);
	xb_apk_base_release(&base);
	unload(&g);
}

/* Names of a layer, each with a blank behind it. */
static void list_names(struct fixture *f, const struct xb_layer *layer, struct xb_str *out)
{
	struct xb_archive_entry entry;
	struct xb_archive *archive;
	int fd, rc;

	assert_ok(xb_cas_open(f->store, &layer->blob, &fd, &f->err), &f->err);
	assert_ok(xb_archive_open_tar(fd, "layer", 1 << 24, 1, &archive, &f->err), &f->err);
	while ((rc = xb_archive_next(archive, &entry, &f->err)) == 1)
		xb_str_printf(out, "%s%s ", entry.path, entry.type == XB_ARCHIVE_HARDLINK ? "=" : "");
	assert_ok(rc, &f->err);
	xb_archive_close(archive);
	close(fd);
}

/* One package with a directory, a file in it and a second name of it. */
static void add_package(struct fixture *f, const char *name, const char *info, struct xb_lock_apk *out)
{
	char *path = xb_printf("opt/%s", name), *twin = xb_printf("opt/%s-twin", name);
	const struct item items[] = {{'5', "opt", "", 0755}, {'0', path, name, 0644}, {'1', twin, path, 0644}, {0}};
	const struct made m = {.name = name, .version = "1-r0", .arch = "x86_64", .info = info, .items = items};
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest digest;

	make_apk(&m, &file, out);
	assert_ok(xb_cas_put_bytes(f->store, file.data, file.len, &digest, &f->err), &f->err);
	free(path);
	free(twin);
}

#define DB "usr usr/lib usr/lib/apk usr/lib/apk/db usr/lib/apk/db/installed "

/* By origin, the largest first; packages that replace each other together; a budget of two joins the rest. */
static void test_groups(void **state)
{
	static const struct {
		int budget;
		const char *layers[4]; /* what the layers but the top one hold */
	} cases[] = {
		{3,
		 {"opt opt/a1 opt/a1-twin= opt/a2 opt/a2-twin= " DB, "opt opt/b opt/b-twin= opt/c opt/c-twin= " DB,
		  "opt opt/d opt/d-twin= " DB}},
		{2,
		 {"opt opt/a1 opt/a1-twin= opt/a2 opt/a2-twin= " DB,
		  "opt opt/b opt/b-twin= opt/c opt/c-twin= opt/d opt/d-twin= " DB}},
	};
	struct fixture *f = *state;
	struct xb_lock_apk packages[5] = {0};
	const struct xb_lock_apko locked = {.packages = packages, .n_packages = XB_COUNT(packages)};

	add_package(f, "a1", "origin = a\nsize = 20\n", &packages[0]);
	add_package(f, "b", "origin = b\nsize = 10\n", &packages[1]);
	add_package(f, "a2", "origin = a\nsize = 15\n", &packages[2]);
	add_package(f, "c", "origin = c\nsize = 10\nreplaces = b<2\n", &packages[3]);
	add_package(f, "d", "origin = d\nsize = 1\nreplaces = b>2\n", &packages[4]);
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		char *path = xb_path_join(f->dir, "apko.yaml");
		char *yaml = xb_printf("layering: { strategy: origin, budget: %d }\n", cases[i].budget);
		struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
		struct golden g = {.locked = locked};
		struct xb_apk_base base;

		write_text(path, yaml);
		assert_ok(xb_apko_load(f->dir, "apko.yaml", &g.config, &diags, &f->err), &f->err);
		make(f, &g, "x86_64", &base);
		assert_int_equal(base.n_layers, cases[i].budget + 1);
		for (size_t k = 0; k + 1 < base.n_layers; k++) {
			struct xb_str names XB_CLEANUP(xb_str_release) = {0};

			list_names(f, &base.layers[k], &names);
			assert_string_equal(xb_str_get(&names), cases[i].layers[k]);
		}
		xb_apk_base_release(&base);
		xb_apko_free(g.config);
		free(yaml);
		free(path);
	}
	for (size_t i = 0; i < XB_COUNT(packages); i++)
		free((char *)(uintptr_t)packages[i].checksum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_golden), TEST(test_layering), TEST(test_groups)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
