/* SPDX-License-Identifier: Apache-2.0 */
/* passwd(5), group(5). Lines that are none are passed over, as runtimes do. */
#include "xbuild/image/accounts.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"

bool xb_account_field(struct xb_sv lines, const char *name, int number, uint64_t *out)
{
	while (lines.ptr) {
		struct xb_sv line = xb_sv_cut(&lines, '\n');
		struct xb_sv field = xb_sv_cut(&line, ':');

		if (!xb_sv_eq_str(field, name))
			continue;
		for (int i = 0; i < number && line.ptr; i++)
			field = xb_sv_cut(&line, ':');
		return xb_num_u64(field, UINT32_MAX, out);
	}
	return false;
}

/* The name and the group of the first line of a uid; an empty name where there is no line. */
static struct xb_sv find_uid(struct xb_sv passwd, uint64_t uid, uint64_t *out_gid)
{
	while (passwd.ptr) {
		struct xb_sv line = xb_sv_cut(&passwd, '\n');
		const struct xb_sv name = xb_sv_cut(&line, ':');
		uint64_t found;

		(void)xb_sv_cut(&line, ':');
		if (xb_num_u64(xb_sv_cut(&line, ':'), UINT32_MAX, &found) && found == uid &&
		    xb_num_u64(xb_sv_cut(&line, ':'), UINT32_MAX, out_gid))
			return name;
	}
	return xb_sv("");
}

static bool has_member(struct xb_sv members, struct xb_sv name)
{
	while (members.ptr) {
		if (xb_sv_eq(xb_sv_cut(&members, ','), name))
			return true;
	}
	return false;
}

static void add_groups(struct xb_sv group, struct xb_sv name, struct xb_account *account)
{
	while (group.ptr && name.len && account->n_groups < XB_MAX_ACCOUNT_GROUPS) {
		struct xb_sv line = xb_sv_cut(&group, '\n');
		uint64_t gid;

		(void)xb_sv_cut(&line, ':');
		(void)xb_sv_cut(&line, ':');
		if (xb_num_u64(xb_sv_cut(&line, ':'), UINT32_MAX, &gid) && has_member(line, name))
			account->groups[account->n_groups++] = (uint32_t)gid;
	}
}

int xb_account_find(const char *text, struct xb_sv passwd, struct xb_sv group, struct xb_account *out,
		    struct xb_err *err)
{
	struct xb_sv rest = xb_sv(text);
	char *user XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_cut(&rest, ':'));
	char *group_name XB_CLEANUP(xb_free_ptr) = rest.ptr ? xb_sv_dup(rest) : NULL;
	struct xb_account account = {0};
	struct xb_sv name = xb_sv(user);
	uint64_t uid = 0, gid = 0;

	if (xb_num_u64(name, UINT32_MAX, &uid))
		name = find_uid(passwd, uid, &gid);
	else if (!xb_account_field(passwd, user, 2, &uid))
		return xb_fail(err, XB_E_VERIFY, "user '%s' is not in the image's /etc/passwd", user);
	else
		xb_account_field(passwd, user, 3, &gid);
	if (group_name && !xb_num_u64(xb_sv(group_name), UINT32_MAX, &gid) &&
	    !xb_account_field(group, group_name, 2, &gid))
		return xb_fail(err, XB_E_VERIFY, "group '%s' is not in the image's /etc/group", group_name);
	account.uid = (uint32_t)uid;
	account.gid = (uint32_t)gid;
	if (!group_name)
		add_groups(group, name, &account);
	*out = account;
	return 0;
}
