/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "xbuild/pkg/mirror.h"

static const char *site_urls[] = {"https://one.example/debian", "http://two.example/debian"};
static const struct xb_archive_site debian = {
	.name = "debian",
	.mirrors = {site_urls, 2},
	.snapshot = "https://snap.example/archive/debian",
};
static const char *security_urls[] = {"https://one.example/debian-security"};
static const struct xb_archive_site security = {
	.name = "debian-security",
	.mirrors = {security_urls, 1},
	.snapshot = "https://snap.example/archive/debian-security",
};

static void put(const char *dir, const char *name, const char *text)
{
	scratch_write(dir, name, text, strlen(text));
}

static void expect_list(const struct xb_list *list, const char *expected)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < list->len; i++)
		xb_str_printf(&text, "%s%s", i ? " " : "", list->items[i]);
	assert_string_equal(xb_str_get(&text), expected);
}

static void expect_apt(const char *dir, const char *archive, const char *expected)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_list list = {0};

	xb_mirror_apt_sources(dir, archive, &arena, &list);
	expect_list(&list, expected);
}

static void expect_mirrors(const struct xb_archive_site *site, const struct xb_mirror_opts *opts, const char *expected)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_list list = {0};

	expect_ok(xb_mirror_list(site, opts, &arena, &list, &err), &err);
	expect_list(&list, expected);
}

static void one_line_sources(void **state)
{
	char *dir XB_CLEANUP(scratch_remove) = scratch_dir();

	(void)state;
	put(dir, "sources.list",
	    "# deb http://comment.example/debian bookworm main\n"
	    "deb http://a.example/debian/ bookworm main contrib # deb http://no.example/debian bookworm main\n"
	    "deb [ arch=amd64 signed-by=/x/y.gpg ]  https://b.example/pub/debian\tbookworm-updates main\n"
	    "deb [arch=amd64] http://a.example/debian bookworm-backports main\n"
	    "deb-src http://src.example/debian bookworm main\n"
	    "deb http://c.example/debian-security bookworm-security main\n"
	    "deb http://security.d.example/ bullseye/updates main\n"
	    "deb http://contrib.example/debian bookworm contrib\n"
	    "deb http://vendor.example/debian vendor main\n"
	    "deb http://vendor.example/packages bookworm main\n"
	    "deb file:/srv/debian bookworm main\n"
	    "deb mirror+file:/etc/mirrors bookworm main\n"
	    "deb cdrom:[Debian]/ bookworm main\n"
	    "deb http://flat.example/debian ./\n"
	    "deb\ndeb http://x.example/debian\n"
	    "deb http://crlf.example/debian sid main\r\n");
	expect_apt(dir, "debian", "http://a.example/debian https://b.example/pub/debian http://crlf.example/debian");
	expect_apt(dir, "debian-security", "http://c.example/debian-security http://security.d.example");
	expect_apt(dir, "other", "");
}

static void deb822_sources(void **state)
{
	char *dir XB_CLEANUP(scratch_remove) = scratch_dir();

	(void)state;
	put(dir, "sources.list.d/b.sources",
	    "Types: deb deb-src\n"
	    "# URIs: http://comment.example/debian\n"
	    "URIs: http://a.example/debian\n"
	    "#\n"
	    "  https://b.example/debian/ ftp://c.example/debian\n"
	    "Suites: bookworm bookworm-updates\n"
	    "Components: main contrib\n"
	    "Signed-By:\n"
	    " -----BEGIN PGP PUBLIC KEY BLOCK-----\n"
	    " .\n"
	    " x\n"
	    "\n"
	    "types: deb\n"
	    "uris: http://s.example/debian-security\n"
	    "suites: bookworm-security\n"
	    "components: main\n"
	    "enabled: yes\n"
	    "\n\n"
	    "Types: deb\nURIs: http://off.example/debian\nSuites: sid\nComponents: main\nEnabled: no\n\n"
	    "Types: deb-src\nURIs: http://src.example/debian\nSuites: sid\nComponents: main\n\n"
	    "Types: deb\nURIs: http://node.example/debian\nSuites: nodistro\nComponents: main\n");
	put(dir, "sources.list.d/a.list", "deb http://first.example/debian trixie main\n");
	put(dir, "sources.list.d/c.list.save", "deb http://saved.example/debian trixie main\n");
	expect_apt(dir, "debian", "http://first.example/debian http://a.example/debian https://b.example/debian");
	expect_apt(dir, "debian-security", "http://s.example/debian-security");
	expect_apt("/nonexistent/apt", "debian", "");
}

static void order_of_mirrors(void **state)
{
	char *dir XB_CLEANUP(scratch_remove) = scratch_dir();
	char *config XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "config");
	char *apt XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "apt");
	struct xb_mirror_opts opts = {.config_dir = config, .apt_dir = apt, .snapshot = "20261120T000000Z"};

	(void)state;
	put(dir, "apt/sources.list", "deb http://two.example/debian bookworm main\n");
	put(dir, "config/config.yaml", "# mine\ndebian-mirror: http://config.example/debian/\n");
	expect_mirrors(&debian, &opts,
		       "http://config.example/debian http://two.example/debian https://one.example/debian "
		       "https://snap.example/archive/debian/20261120T000000Z");
	expect_mirrors(&security, &opts,
		       "http://config.example/debian-security https://one.example/debian-security "
		       "https://snap.example/archive/debian-security/20261120T000000Z");
	setenv("XBUILD_DEBIAN_MIRROR", "http://env.example/pub", 1);
	expect_mirrors(&debian, &(struct xb_mirror_opts){0},
		       "http://env.example/pub https://one.example/debian http://two.example/debian");
	expect_mirrors(&security, &(struct xb_mirror_opts){0}, "https://one.example/debian-security");
	/* The flag goes before the variable. */
	opts = (struct xb_mirror_opts){.flag = "http://127.0.0.1:8080/debian"};
	expect_mirrors(&debian, &opts,
		       "http://127.0.0.1:8080/debian https://one.example/debian http://two.example/debian");
	expect_mirrors(&security, &opts, "http://127.0.0.1:8080/debian-security https://one.example/debian-security");
	setenv("XBUILD_DEBIAN_SECURITY_MIRROR", "http://env.example/sec/", 1);
	expect_mirrors(&security, &opts, "http://env.example/sec https://one.example/debian-security");
	unsetenv("XBUILD_DEBIAN_MIRROR");
	unsetenv("XBUILD_DEBIAN_SECURITY_MIRROR");
}

static void a_snapshot_is_alone(void **state)
{
	char *dir XB_CLEANUP(scratch_remove) = scratch_dir();
	struct xb_mirror_opts opts = {
		.config_dir = dir, .apt_dir = dir, .snapshot = "20261120T000000Z", .snapshot_only = true};

	(void)state;
	put(dir, "sources.list", "deb http://two.example/debian bookworm main\n");
	put(dir, "config.yaml", "debian-mirror: http://config.example/debian\n");
	expect_mirrors(&debian, &opts, "https://snap.example/archive/debian/20261120T000000Z");
	opts.flag = "http://flag.example/debian";
	expect_mirrors(&debian, &opts,
		       "http://flag.example/debian https://snap.example/archive/debian/20261120T000000Z");
}

static void refuses_what_is_no_url(void **state)
{
	static const char *const bad[] = {"",
					  "ftp://x/debian",
					  "file:///srv",
					  "http://",
					  "http:///debian",
					  "x.example/debian",
					  "http://x/a b",
					  "http://x/?q",
					  "http://x/#f",
					  "http://x/\x01"};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_list list = {0};
	char *dir XB_CLEANUP(scratch_remove) = scratch_dir();
	struct xb_mirror_opts opts = {0};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		opts.flag = bad[i];
		expect_error(xb_mirror_list(&debian, &opts, &arena, &list, &err), &err, XB_E_USAGE, "--mirror");
	}
	opts = (struct xb_mirror_opts){.config_dir = dir};
	put(dir, "config.yaml", "debian-mirror: [a, b]\n");
	expect_error(xb_mirror_list(&debian, &opts, &arena, &list, &err), &err, XB_E_INPUT, "config.yaml:1:");
	put(dir, "config.yaml", "# mine\ndebian-miror: http://config.example/debian\n");
	expect_error(xb_mirror_list(&debian, &opts, &arena, &list, &err), &err, XB_E_INPUT,
		     "config.yaml:2:1: unknown key 'debian-miror'");
	put(dir, "config.yaml", "debian-mirror: {\n");
	expect_error(xb_mirror_list(&debian, &opts, &arena, &list, &err), &err, XB_E_INPUT, "config.yaml:");
	put(dir, "config.yaml", "");
	expect_ok(xb_mirror_list(&debian, &opts, &arena, &list, &err), &err);
	expect_error(xb_mirror_list(&(struct xb_archive_site){.name = "debian"}, &(struct xb_mirror_opts){0}, &arena,
				    &list, &err),
		     &err, XB_E_INPUT, "no mirror is known");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_sources),	  cmocka_unit_test(deb822_sources),
		cmocka_unit_test(order_of_mirrors),	  cmocka_unit_test(a_snapshot_is_alone),
		cmocka_unit_test(refuses_what_is_no_url),
	};

	unsetenv("XBUILD_DEBIAN_MIRROR");
	unsetenv("XBUILD_DEBIAN_SECURITY_MIRROR");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
