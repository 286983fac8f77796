/* SPDX-License-Identifier: Apache-2.0 */
/* SLSA provenance v1 "resolvedDependencies": every input that the lock and git name, each once. */
#include "image_bill_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"

static void add_packages(struct evidence *e, const struct xb_lock_packages *list, struct xb_map *known,
			 struct xb_materials *out)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct xb_lock_package *p = &list->items[i];
		const struct xb_material m = {
			.name = p->name, .uri = bill_debian_purl(p, e->arena), .sha256 = p->sha256};

		if (!xb_map_put_str(known, m.uri, e))
			XB_VEC_PUSH(out, m);
	}
}

static void add_apk_inputs(struct evidence *e, const struct xb_lock_apko *apko, struct xb_map *known,
			   struct xb_materials *out)
{
	XB_VEC_PUSH(out, ((struct xb_material){.name = apko->path, .sha256 = apko->config}));
	for (size_t i = 0; i < apko->n_repositories; i++) {
		const struct xb_lock_apk_repository *r = &apko->repositories[i];

		XB_VEC_PUSH(out, ((struct xb_material){
					 .name = "APKINDEX.tar.gz",
					 .uri = xb_arena_printf(e->arena, "%s/%s/APKINDEX.tar.gz", r->url, r->arch),
					 .sha256 = r->index,
					 .note_name = "signed-by",
					 .note = r->signed_by}));
	}
	for (size_t i = 0; i < apko->n_packages; i++) {
		const struct xb_lock_apk *p = &apko->packages[i];
		const struct xb_material m = {.name = p->name, .uri = bill_apk_purl(p, e->arena), .sha256 = p->sha256};

		if (!xb_map_put_str(known, m.uri, e))
			XB_VEC_PUSH(out, m);
	}
}

static void add_toolchain_inputs(struct evidence *e, struct xb_map *known, struct xb_materials *out)
{
	const struct xb_lock *lock = e->run->app->lock;

	for (size_t i = 0; i < lock->n_toolchains; i++) {
		const struct xb_lock_toolchain *t = &lock->toolchains[i];

		add_packages(e, &t->packages, known, out);
		add_packages(e, &t->tools, known, out);
		if (t->archive.url)
			XB_VEC_PUSH(out, ((struct xb_material){
						 .name = t->name, .uri = t->archive.url, .sha256 = t->archive.sha256}));
	}
}

static void add_rust_inputs(struct evidence *e, struct xb_map *known, struct xb_materials *out)
{
	const struct xb_lock_rust *rust = e->run->app->lock->rust;

	for (size_t i = 0; rust && i < rust->n_hosts; i++)
		add_packages(e, &rust->hosts[i].packages, known, out);
	for (size_t i = 0; rust && i < rust->n_std; i++)
		add_packages(e, &rust->std[i].packages, known, out);
	if (rust)
		add_packages(e, &rust->crates.packages, known, out);
}

static void add_lock_inputs(struct evidence *e, struct xb_materials *out)
{
	struct xb_map known XB_CLEANUP(xb_map_release) = {0};
	const struct xb_lock *lock = e->run->app->lock;

	for (size_t i = 0; i < lock->n_suites; i++) {
		const struct xb_lock_suite *s = &lock->suites[i];

		XB_VEC_PUSH(out, ((struct xb_material){.name = xb_arena_printf(e->arena, "%s/dists/%s/InRelease",
									       s->archive, s->path),
						       .sha256 = s->in_release,
						       .note_name = "signed-by",
						       .note = s->signed_by}));
	}
	add_toolchain_inputs(e, &known, out);
	add_rust_inputs(e, &known, out);
	for (size_t i = 0; i < lock->n_sysroots; i++)
		add_packages(e, &lock->sysroots[i].packages, &known, out);
	for (size_t i = 0; i < lock->n_images; i++)
		add_packages(e, &lock->images[i].packages, &known, out);
	for (size_t i = 0; i < lock->n_apkos; i++)
		add_apk_inputs(e, &lock->apkos[i], &known, out);
	for (size_t i = 0; i < lock->n_bases; i++)
		XB_VEC_PUSH(out, ((struct xb_material){.name = lock->bases[i].ref, .sha256 = lock->bases[i].index}));
}

void bill_inputs(struct evidence *e, struct xb_materials *out)
{
	const struct xb_git *git = e->run->app->git;

	if (git->present && git->commit[0])
		XB_VEC_PUSH(out, ((struct xb_material){
					 .name = "source",
					 .uri = git->origin[0] ? xb_arena_printf(e->arena, "git+%s@%s", git->origin,
										 git->commit)
							       : NULL,
					 .git_commit = git->commit,
					 .note_name = "dirty",
					 .note = git->dirty ? "files of the project differ from the commit" : NULL}));
	if (e->run->app->lock)
		add_lock_inputs(e, out);
}
