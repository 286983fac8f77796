/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: apko, pkg/build/accounts.go and pkg/passwd. */
#include <string.h>

#include "apk_steps.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"

#define MAX_FIELDS     9 /* shadow(5) has most */
#define MAX_HOME_BYTES 4096

/* A line of a file of accounts, cut at its colons. */
struct line {
	struct xb_sv fields[MAX_FIELDS];
};

struct lines {
	struct line *items;
	size_t len, cap;
};

/* Cuts the file at `path` into lines of exactly n fields; a missing file has none. Fields point into text. */
static int read_lines(struct xb_apk_root *root, const char *path, size_t n, struct xb_str *text, struct lines *out,
		      struct xb_err *err)
{
	struct xb_sv rest;

	if (!xb_apk_root_find(root, path))
		return 0;
	if (xb_apk_root_read(root, path, text, err) < 0)
		return err->code;
	rest = xb_str_sv(text);
	while (rest.len) {
		struct xb_sv fields = xb_sv_trim(xb_sv_cut(&rest, '\n'));
		struct line *line = XB_VEC_ADD(out);
		size_t i = 0;

		while (fields.ptr && i < n)
			line->fields[i++] = xb_sv_cut(&fields, ':');
		if (i != n || fields.ptr)
			return xb_fail(err, XB_E_VERIFY, "read '/%s': line %zu: expected %zu fields", path, out->len,
				       n);
	}
	return 0;
}

static void put_line(const struct line *line, size_t n, struct xb_str *out)
{
	for (size_t i = 0; i < n; i++) {
		xb_str_append(out, i ? ":" : "");
		xb_str_append_sv(out, line->fields[i]);
	}
	xb_str_append_char(out, '\n');
}

static int write_groups(struct xb_apk_root *root, const struct xb_apko *config, struct xb_err *err)
{
	static const char path[] = "etc/group";
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, out XB_CLEANUP(xb_str_release) = {0};
	struct lines lines = {0};
	int r;

	if (!config->n_groups)
		return 0;
	r = read_lines(root, path, 4, &text, &lines, err);
	for (size_t i = 0; i < lines.len && r == 0; i++)
		put_line(&lines.items[i], 4, &out);
	XB_VEC_RELEASE(&lines);
	if (r < 0)
		return r;
	for (size_t i = 0; i < config->n_groups; i++) {
		const struct xb_apko_group *group = &config->groups[i];

		xb_str_printf(&out, "%s:x:%lld:", group->name, (long long)group->gid);
		for (size_t k = 0; k < group->members.len; k++)
			xb_str_printf(&out, "%s%s", k ? "," : "", group->members.items[k]);
		xb_str_append_char(&out, '\n');
	}
	return xb_apk_root_write(root, path, xb_str_sv(&out), 0644, err);
}

/* A locked password for each new user; of older lines apko loses the third field. */
static int write_shadow(struct xb_apk_root *root, const struct xb_apko *config, struct xb_err *err)
{
	static const char path[] = "etc/shadow";
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, out XB_CLEANUP(xb_str_release) = {0};
	struct lines lines = {0};
	int r;

	if (!config->n_users)
		return 0;
	r = read_lines(root, path, MAX_FIELDS, &text, &lines, err);
	for (size_t i = 0; i < lines.len && r == 0; i++) {
		lines.items[i].fields[2] = xb_sv("");
		put_line(&lines.items[i], MAX_FIELDS, &out);
	}
	XB_VEC_RELEASE(&lines);
	if (r < 0)
		return r;
	for (size_t i = 0; i < config->n_users; i++)
		xb_str_printf(&out, "%s:!:::::::\n", config->users[i].name);
	return xb_apk_root_write(root, path, xb_str_sv(&out), 0640, err);
}

static int make_home(struct xb_apk_root *root, struct xb_sv user, const char *home, uint32_t uid, uint32_t gid,
		     struct xb_err *err)
{
	struct xb_apk_node *node = xb_apk_root_find(root, home);
	char parent[MAX_HOME_BYTES];
	const struct xb_sv dir = xb_path_dir(xb_sv(home));

	if (node && node->type != XB_APK_DIR)
		return xb_fail(err, XB_E_VERIFY, "the home '%s' of %.*s is no directory", home, XB_SV_ARG(user));
	if (node)
		return 0;
	if (dir.len >= sizeof(parent))
		return xb_fail(err, XB_E_VERIFY, "the home '%s' of %.*s is too long", home, XB_SV_ARG(user));
	memcpy(parent, dir.ptr, dir.len);
	parent[dir.len] = '\0';
	if (xb_apk_root_mkdirs(root, parent, 0755, NULL, err) < 0 ||
	    xb_apk_root_add(root, home, XB_APK_DIR, &node, err) < 0)
		return xb_wrap(err, "make the home of %.*s", XB_SV_ARG(user));
	node->mode = 0700;
	node->mtime = 0;
	node->uid = uid;
	node->gid = gid;
	return 0;
}

/* Homes of all users, those of packages too. */
static int make_homes(struct xb_apk_image *image, struct xb_sv passwd, struct xb_err *err)
{
	while (passwd.len) {
		struct xb_sv rest = xb_sv_cut(&passwd, '\n'), fields[7];
		uint64_t uid, gid;
		const char *home;

		for (size_t i = 0; i < XB_COUNT(fields); i++)
			fields[i] = xb_sv_cut(&rest, ':');
		if (!xb_num_u64(fields[2], UINT32_MAX, &uid) || !xb_num_u64(fields[3], UINT32_MAX, &gid))
			return xb_fail(err, XB_E_VERIFY, "read '/etc/passwd': %.*s has no uid and gid",
				       XB_SV_ARG(fields[0]));
		home = xb_arena_sv(&image->arena, fields[5]);
		if (*home && strcmp(home, "/dev/null") != 0 &&
		    make_home(&image->root, fields[0], home, (uint32_t)uid, (uint32_t)gid, err) < 0)
			return err->code;
		if (image->run_as && xb_sv_eq_str(fields[0], image->run_as))
			image->run_as = xb_arena_sv(&image->arena, fields[2]);
	}
	return 0;
}

static int write_users(struct xb_apk_image *image, const struct xb_apko *config, struct xb_err *err)
{
	static const char path[] = "etc/passwd";
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, out XB_CLEANUP(xb_str_release) = {0};
	struct lines lines = {0};
	int r = read_lines(&image->root, path, 7, &text, &lines, err);

	for (size_t i = 0; i < lines.len && r == 0; i++)
		put_line(&lines.items[i], 7, &out);
	XB_VEC_RELEASE(&lines);
	if (r < 0)
		return r;
	for (size_t i = 0; i < config->n_users; i++) {
		const struct xb_apko_user *user = &config->users[i];

		xb_str_printf(&out, "%s:x:%lld:%lld:Account created by apko:%s:%s\n", user->name, (long long)user->uid,
			      (long long)(user->gid >= 0 ? user->gid : user->uid), user->home,
			      user->shell ? user->shell : "/bin/sh");
	}
	if (xb_apk_root_write(&image->root, path, xb_str_sv(&out), 0644, err) < 0)
		return err->code;
	return make_homes(image, xb_str_sv(&out), err);
}

int apk_accounts(struct xb_apk_image *image, const struct xb_apko *config, struct xb_err *err)
{
	image->run_as = config->run_as;
	if (write_groups(&image->root, config, err) < 0 || write_users(image, config, err) < 0)
		return err->code;
	return write_shadow(&image->root, config, err);
}
