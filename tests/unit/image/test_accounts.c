/* SPDX-License-Identifier: Apache-2.0 */
/* Through a whole image: tests/cli/image_attacks.py. Here: odd lines, and numbers that are none. */
#include "../store/fixture.h"
#include "xbuild/image/accounts.h"

static const char passwd[] = "root:x:0:0::/:/bin/sh\n"
			     "+nis::::::\n"
			     "ann:x:7:8\n"
			     "ann:x:70:80:second::\n"
			     "half:x\n"
			     "big:x:4294967296:1::\n"
			     "last:x:9:9::/:";
static const char group[] = "root:x:0:\nstaff:x:50:joe,ann,bob\nanns:x:51:anna\nnone:x\nwheel:x:10:ann";

static void test_found(void **state)
{
	static const struct {
		const char *user;
		uint32_t uid, gid;
		size_t n_groups;
	} cases[] = {
		{"ann", 7, 8, 2},      {"7", 7, 8, 2},		{"70", 70, 80, 2},
		{"last", 9, 9, 0},     {"ann:staff", 7, 50, 0}, {"ann:3", 7, 3, 0},
		{"6:wheel", 6, 10, 0}, {"6", 6, 0, 0},		{"4294967295", 4294967295u, 0, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_account a;

		assert_ok(xb_account_find(cases[i].user, xb_sv(passwd), xb_sv(group), &a, &f->err), &f->err);
		assert_int_equal(a.uid, cases[i].uid);
		assert_int_equal(a.gid, cases[i].gid);
		assert_int_equal(a.n_groups, cases[i].n_groups);
	}
}

static void test_unknown(void **state)
{
	static const char *const users[] = {"eve",	"an",	    "anna",	  "half", "big",
					    "ann:half", "ann:none", "4294967296", "-1",	  "7x"};
	struct fixture *f = *state;
	struct xb_account a;

	for (size_t i = 0; i < XB_COUNT(users); i++)
		assert_failed(xb_account_find(users[i], xb_sv(passwd), xb_sv(group), &a, &f->err), &f->err, XB_E_VERIFY,
			      "is not in the image's /etc/");
	assert_failed(xb_account_find("root", xb_sv(""), xb_sv(""), &a, &f->err), &f->err, XB_E_VERIFY, "user 'root'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
