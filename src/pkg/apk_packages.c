/* SPDX-License-Identifier: Apache-2.0 */
/* Files of packages into the root: apko, pkg/tarfs/fs.go "WriteHeader" and pkg/apk/apk/install.go. */
#include <string.h>

#include "apk_steps.h"
#include "xbuild/pkg/go_tar.h"

static bool contains(const struct xb_list *list, const char *word)
{
	for (size_t i = 0; i < list->len; i++) {
		if (strcmp(list->items[i], word) == 0)
			return true;
	}
	return false;
}

static int fail_conflict(const struct apk_packages *p, const struct xb_apk *apk, const struct xb_apk_entry *e,
			 const struct xb_apk_node *old, struct xb_err *err)
{
	if (old->package == XB_APK_NOBODY)
		return xb_fail(err, XB_E_VERIFY, "'/%s' is there already, and is something else", e->path);
	xb_fail(err, XB_E_VERIFY, "'/%s' is in %s and in %s, and differs", e->path,
		p->image->packages[old->package]->info.name, apk->info.name);
	return xb_hint(err, "neither replaces the other, and they have no common origin: ask for one of the two alone");
}

/* What becomes of an entry whose path something has already. */
enum verdict { VERDICT_KEEP, VERDICT_REPLACE, VERDICT_CONFLICT };

static enum verdict judge(const struct apk_packages *p, const struct xb_apk *apk, const struct xb_apk_entry *e,
			  const struct xb_apk_node *old)
{
	const struct xb_apk_info *before;
	struct xb_sha1_hasher hasher;
	struct xb_sha1 sum;

	if (old->package == XB_APK_NOBODY) {
		/* A key of the keyring, which the distribution's own package of keys brings too. */
		if (old->type != XB_APK_FILE || !old->in_memory)
			return VERDICT_CONFLICT;
		xb_sha1_init(&hasher);
		xb_sha1_update(&hasher, xb_str_get(&old->text), old->text.len);
		xb_sha1_final(&hasher, &sum);
		return memcmp(sum.bytes, e->sum.bytes, sizeof(sum.bytes)) == 0 ? VERDICT_KEEP : VERDICT_CONFLICT;
	}
	if (memcmp(old->sum.bytes, e->sum.bytes, sizeof(old->sum.bytes)) == 0)
		return VERDICT_KEEP;
	before = &p->image->packages[old->package]->info;
	if (contains(&before->replaces, apk->info.name))
		return VERDICT_KEEP;
	return strcmp(before->origin, apk->info.origin) == 0 || contains(&apk->info.replaces, before->name)
		       ? VERDICT_REPLACE
		       : VERDICT_CONFLICT;
}

static int add_leaf(struct apk_packages *p, size_t index, const struct xb_apk_entry *e, struct xb_err *err)
{
	struct xb_apk_root *root = &p->image->root;
	const struct xb_apk *apk = p->image->packages[index];
	const struct xb_apk_node *old = xb_apk_root_find_link(root, e->path);
	enum verdict verdict = VERDICT_REPLACE;
	struct xb_apk_node *node;

	if (old && e->type == XB_APK_SYMLINK && old->type == XB_APK_SYMLINK && strcmp(old->target, e->target) == 0)
		return 0;
	if (old)
		verdict = judge(p, apk, e, old);
	if (verdict != VERDICT_REPLACE)
		return verdict == VERDICT_KEEP ? 0 : fail_conflict(p, apk, e, old, err);
	node = xb_apk_root_new_node(root, e->type);
	node->mode = e->mode;
	node->mtime = e->mtime;
	node->target = e->target;
	node->package = index;
	node->has_sum = true;
	node->sum = e->sum;
	node->digest = e->digest;
	node->size_bytes = e->type == XB_APK_FILE ? e->size_bytes : 0;
	node->xattrs = e->xattrs;
	node->n_xattrs = e->n_xattrs;
	if (xb_apk_root_link(root, node, e->path, true, err) < 0)
		return err->code;
	if (e->type == XB_APK_FILE)
		xb_map_put_str(&p->owners, e->path, p->image->packages[index]);
	return 0;
}

static int add_dir(struct apk_packages *p, const struct xb_apk_entry *e, struct xb_err *err)
{
	struct xb_apk_node *node;

	/* Directories have no set-id and sticky bits of packages, and one that is there keeps its mode. */
	if (xb_apk_root_mkdirs(&p->image->root, e->path, e->mode & 0777, &node, err) < 0)
		return err->code;
	node->mtime = e->mtime;
	if (e->n_xattrs) {
		node->xattrs = e->xattrs;
		node->n_xattrs = e->n_xattrs;
	}
	return 0;
}

static int add_entry(struct apk_packages *p, size_t index, const struct xb_apk_entry *e, struct xb_err *err)
{
	struct xb_apk_root *root = &p->image->root;
	struct xb_apk_node *target;

	switch (e->type) {
	case XB_APK_DIR:
		return add_dir(p, e, err);
	case XB_APK_FILE:
	case XB_APK_SYMLINK:
		return add_leaf(p, index, e, err);
	case XB_APK_HARDLINK:
		target = xb_apk_root_find(root, e->target);
		if (!target || target->type != XB_APK_FILE)
			return xb_fail(err, XB_E_VERIFY, "'/%s' is a hard link to '/%s', which is no file", e->path,
				       e->target);
		return xb_apk_root_link(root, target, e->path, false, err);
	case XB_APK_DEVICE:
		break;
	}
	return xb_fail(err, XB_E_VERIFY, "'/%s' is a device", e->path);
}

/* "<name>-<version>.Q1<checksum>.<script>" (installed.go "updateScriptsTar"). */
static void add_scripts(struct apk_packages *p, const struct xb_apk *apk)
{
	char checksum[XB_SHA1_BASE64];

	xb_sha1_base64(&apk->checksum, checksum);
	for (size_t i = 0; i < apk->n_scripts; i++) {
		const struct xb_apk_script *script = &apk->scripts[i];
		struct xb_str path XB_CLEANUP(xb_str_release) = {0};

		xb_str_printf(&path, "%s-%s.Q1%s%s", apk->info.name, apk->info.version, checksum, script->name);
		xb_go_tar_header(&(struct xb_go_tar){.path = xb_str_get(&path),
						     .type = '0',
						     .mode = script->mode,
						     .uid = script->uid,
						     .gid = script->gid,
						     .uname = script->uname,
						     .gname = script->gname,
						     .size_bytes = (int64_t)script->len},
				 &p->scripts);
		xb_str_append_n(&p->scripts, script->text, script->len);
		while (p->scripts.len % XB_GO_TAR_BLOCK)
			xb_str_append_char(&p->scripts, '\0');
	}
	for (size_t i = 0; i < apk->info.triggers.len; i++)
		xb_str_printf(&p->triggers, "Q1%s %s\n", checksum, apk->info.triggers.items[i]);
}

int apk_packages_add(struct apk_packages *p, size_t index, struct xb_err *err)
{
	const struct xb_apk *apk = p->image->packages[index];

	for (size_t i = 0; i < apk->n_entries; i++) {
		if (add_entry(p, index, &apk->entries[i], err) < 0)
			return err->code;
	}
	add_scripts(p, apk);
	return 0;
}
