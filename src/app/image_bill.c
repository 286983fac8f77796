/* SPDX-License-Identifier: Apache-2.0 */
#include "image_bill.h"

#include <string.h>

#include "image_bill_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"

static void release_maker(struct bill_maker *m)
{
	XB_VEC_RELEASE(&m->components);
	XB_VEC_RELEASE(&m->files);
	xb_map_release(&m->ids);
	xb_map_release(&m->file_ids);
}

size_t bill_add_component(struct bill_maker *m, const struct xb_bill_component *c)
{
	char *key XB_CLEANUP(xb_free_ptr) =
		xb_printf("%d %s %s %s", (int)c->kind, c->name, c->version ? c->version : "", c->arch ? c->arch : "");
	const size_t known = (size_t)(uintptr_t)xb_map_get_str(&m->ids, key);

	if (known) {
		m->components.items[known - 1].roles |= c->roles;
		return known - 1;
	}
	XB_VEC_PUSH(&m->components, *c);
	xb_map_put_str(&m->ids, key, (void *)(uintptr_t)m->components.len);
	return m->components.len - 1;
}

void bill_push_id(struct bill_maker *m, struct xb_bill_ids *ids, size_t id)
{
	size_t *items;

	/* doubled whenever it is full, which a power of two is */
	if ((ids->len & (ids->len - 1)) == 0) {
		items = xb_arena_array(m->arena, ids->len ? 2 * ids->len : 1, sizeof(*items));
		if (ids->len)
			memcpy(items, ids->items, ids->len * sizeof(*items));
		ids->items = items;
	}
	ids->items[ids->len++] = id;
}

void bill_add_id(struct bill_maker *m, struct xb_bill_ids *ids, size_t id)
{
	for (size_t i = 0; i < ids->len; i++) {
		if (ids->items[i] == id)
			return;
	}
	bill_push_id(m, ids, id);
}

/* ---- tools ---- */

static void add_tools(struct bill_maker *m, const struct xb_lock_packages *list, size_t toolchain)
{
	for (size_t i = 0; i < list->len; i++) {
		const size_t id = bill_add_debian(m, &list->items[i], XB_BILL_BUILD_TOOL);

		bill_add_id(m, &m->components.items[toolchain].needs, id);
	}
}

/* Of every host that is locked: which of them ran makes no difference, and shall make none in here. */
static void add_toolchains(struct bill_maker *m)
{
	for (size_t i = 0; i < m->lock->n_toolchains; i++) {
		const struct xb_lock_toolchain *t = &m->lock->toolchains[i];
		const struct xb_bill_component c = {
			.kind = XB_BILL_TOOLCHAIN,
			.roles = XB_BILL_BUILD_TOOL,
			.name = t->name,
			.version = t->version,
			.arch = t->host,
			.sha256 = t->archive.sha256,
			.comment = xb_arena_printf(m->arena, "as it is locked for builds on %s", t->host),
		};
		const size_t id = bill_add_component(m, &c);

		add_tools(m, &t->packages, id);
		add_tools(m, &t->tools, id);
	}
}

/* Whose crates are in a program, cargo alone knows: all that it could take from are named, as what it was built with. */
static void add_rust(struct bill_maker *m)
{
	const struct xb_lock_rust *rust = m->lock->rust;

	for (size_t i = 0; rust && i < rust->n_hosts; i++) {
		const struct xb_bill_component c = {
			.kind = XB_BILL_TOOLCHAIN,
			.roles = XB_BILL_BUILD_TOOL,
			.name = rust->name,
			.version = rust->version,
			.arch = rust->hosts[i].name,
			.comment = xb_arena_printf(m->arena, "as it is locked for builds on %s", rust->hosts[i].name),
		};
		const size_t id = bill_add_component(m, &c);

		add_tools(m, &rust->hosts[i].packages, id);
		for (size_t k = 0; k < rust->n_std; k++)
			add_tools(m, &rust->std[k].packages, id);
		add_tools(m, &rust->crates.packages, id);
	}
}

/* ---- bills ---- */

static void fill_bill(const struct evidence *e, const struct xb_target *target, const struct xb_digest *digest,
		      struct xb_bill *out)
{
	*out = (struct xb_bill){
		.name = e->built->image->name,
		.version = e->version,
		.license = e->run->app->project->license,
		.created = e->run->created,
		.tool_version = XBUILD_VERSION,
		.target = target,
		.purl = xb_bill_oci_purl(e->built->image->name, digest, target, e->arena),
		.sha256 = *digest,
	};
}

int bill_of_part(struct evidence *e, size_t part, struct xb_bill *out, struct xb_err *err)
{
	struct bill_maker m XB_CLEANUP(release_maker) = {
		.e = e, .part = &e->whole->parts[part], .lock = e->run->app->lock, .arena = e->arena};

	if (bill_add_base(&m, &e->built->platforms[part], err) < 0)
		return image_wrap(err, "target", m.part->target->name);
	if (m.lock && e->run->build.n_units) {
		if (bill_add_units(&m, e->states[part], err) < 0)
			return image_wrap(err, "target", m.part->target->name);
		add_toolchains(&m);
		add_rust(&m);
	}
	fill_bill(e, m.part->target, &m.part->manifest.digest, out);
	out->n_components = m.components.len;
	out->components = xb_arena_array(e->arena, m.components.len, sizeof(*out->components));
	if (m.components.len)
		memcpy(out->components, m.components.items, m.components.len * sizeof(*out->components));
	out->n_files = m.files.len;
	out->files = xb_arena_array(e->arena, m.files.len, sizeof(*out->files));
	if (m.files.len)
		memcpy(out->files, m.files.items, m.files.len * sizeof(*out->files));
	return 0;
}

void bill_of_index(struct evidence *e, struct xb_bill *out)
{
	const struct image_whole *whole = e->whole;

	fill_bill(e, NULL, &whole->index.digest, out);
	out->components = xb_arena_array(e->arena, whole->n_parts, sizeof(*out->components));
	for (size_t i = 0; i < whole->n_parts; i++) {
		const struct image_part *p = &whole->parts[i];

		out->components[out->n_components++] = (struct xb_bill_component){
			.kind = XB_BILL_IMAGE,
			.roles = XB_BILL_CONTAINED,
			.name = e->built->image->name,
			.version = e->version,
			.arch = p->target->oci_arch,
			.license = e->run->app->project->license,
			.purl = xb_bill_oci_purl(e->built->image->name, &p->manifest.digest, p->target, e->arena),
			.sha256 = p->manifest.digest,
			.comment = xb_arena_printf(e->arena, "what is in it is told by the document of %s",
						   p->target->name),
		};
	}
}
