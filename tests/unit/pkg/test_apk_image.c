/* SPDX-License-Identifier: Apache-2.0 */
/* What an installation of apk packages leaves: conflicts, the database, accounts, paths, certificates, links, the cache. */
#include "../store/fixture.h"

#include "apk_package_made.h"
#include "xbuild/base/path.h"
#include "xbuild/pkg/apk_image.h"
#include "xbuild/store/cas.h"

#define ARCH "x86_64"

/* An installation in the making. */
struct install {
	struct fixture *f;
	struct xb_apko *config;
	struct xb_lock_apk packages[8];
	struct xb_lock_apko locked;
	struct xb_apk_image image;
};

static void start(struct fixture *f, struct install *in, const char *yaml)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	char *path = xb_path_join(f->dir, "apko.yaml");

	*in = (struct install){.f = f};
	in->locked.packages = in->packages;
	write_text(path, yaml);
	free(path);
	if (xb_apko_load(f->dir, "apko.yaml", &in->config, &diags, &f->err) < 0)
		fail_msg("%s", diags.list.len ? diags.list.items[0].message : f->err.msg);
}

static void add(struct install *in, const char *name, const char *info, const struct item *items)
{
	const struct made m = {.name = name, .version = "1-r0", .arch = ARCH, .info = info, .items = items};
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest digest;

	make_apk(&m, &file, &in->packages[in->locked.n_packages++]);
	assert_ok(xb_cas_put_bytes(in->f->store, file.data, file.len, &digest, &in->f->err), &in->f->err);
}

static int run(struct install *in)
{
	const struct xb_apk_image_spec spec = {in->config, &in->locked, ARCH, &in->config->annotations};

	return xb_apk_image_make(in->f->store, &spec, &in->image, &in->f->err);
}

static void stop(struct install *in)
{
	xb_apk_image_release(&in->image);
	xb_apko_free(in->config);
	for (size_t i = 0; i < in->locked.n_packages; i++)
		free((char *)(uintptr_t)in->packages[i].checksum);
}

static void expect_text(struct install *in, const char *path, const char *expected)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	assert_ok(xb_apk_root_read(&in->image.root, path, &text, &in->f->err), &in->f->err);
	assert_string_equal(xb_str_get(&text), expected);
}

static const struct xb_apk_node *node(struct install *in, const char *path)
{
	const struct xb_apk_node *found = xb_apk_root_find_link(&in->image.root, path);

	if (!found)
		fail_msg("'%s' is not in the image", path);
	return found;
}

#define PLAIN "contents: { packages: [x] }\n"

static const struct item one[] = {
	{'5', "etc", "", 0755}, {'0', "etc/f", "one\n", 0644}, {'0', "etc/g", "g\n", 0644}, {0}};
static const struct item two[] = {{'5', "etc", "", 0755}, {'0', "etc/f", "two\n", 0600}, {0}};

static void test_conflict(void **state)
{
	static const struct {
		const char *first, *second, *winner; /* further lines of .PKGINFO; NULL: refused */
	} cases[] = {
		{"origin = a\n", "origin = b\n", NULL},
		{"origin = a\n", "origin = a\n", "two\n"},
		{"origin = a\n", "origin = b\nreplaces = first\n", "two\n"},
		{"origin = a\nreplaces = second\n", "origin = b\n", "one\n"},
		{"origin = a\n", "origin = b\nreplaces = other\n", NULL},
	};

	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct install in;

		start(*state, &in, PLAIN);
		add(&in, "first", cases[i].first, one);
		add(&in, "second", cases[i].second, two);
		if (!cases[i].winner) {
			assert_failed(run(&in), &in.f->err, XB_E_VERIFY, "'/etc/f' is in first and in second");
		} else {
			assert_ok(run(&in), &in.f->err);
			expect_text(&in, "etc/f", cases[i].winner);
			/* who lost the file has no line for it */
			assert_true((strstr(xb_str_get(&in.image.records[0]), "R:f\n") != NULL) ==
				    (strcmp(cases[i].winner, "one\n") == 0));
			assert_true((strstr(xb_str_get(&in.image.records[1]), "R:f\na:0:0:0600\n") != NULL) ==
				    (strcmp(cases[i].winner, "two\n") == 0));
			assert_non_null(strstr(xb_str_get(&in.image.records[0]), "R:g\nZ:Q1"));
		}
		stop(&in);
	}
}

/* Equal files are no conflict and stay with the first; what is not there to be written into is refused. */
static void test_equal_and_misplaced(void **state)
{
	static const struct item lost[] = {{'0', "nowhere/f", "x", 0644}, {0}};
	struct install in;

	start(*state, &in, PLAIN);
	add(&in, "first", "origin = a\n", one);
	add(&in, "second", "origin = b\n", one);
	assert_ok(run(&in), &in.f->err);
	assert_int_equal(node(&in, "etc/f")->package, 0);
	assert_null(strstr(xb_str_get(&in.image.records[1]), "R:f\n"));
	stop(&in);

	start(*state, &in, PLAIN);
	add(&in, "first", NULL, lost);
	assert_failed(run(&in), &in.f->err, XB_E_VERIFY, "there is no directory for it");
	stop(&in);
}

/* The order of a record: files of a directory before the directories in it. */
static void test_record(void **state)
{
	static const struct item items[] = {
		{'5', "a", "", 0755},	 {'5', "a/b", "", 0700},     {'0', "a/b/x", "1", 0644}, {'0', "a/z", "2", 0755},
		{'2', "a/c", "z", 0777}, {'0', "orphan", "3", 0644}, {'5', "a-b", "", 0755},	{0}};
	struct install in;

	start(*state, &in, PLAIN);
	add(&in, "p",
	    "origin = o\ndepend = d1\ndepend = d2\nprovides = q=1\ninstall_if = i1\nsize = 7\nbuilddate = 9\n", items);
	assert_ok(run(&in), &in.f->err);
	assert_int_equal(in.image.build_date, 9);
	const char *record = xb_str_get(&in.image.records[0]);

	assert_non_null(
		strstr(record, "P:p\nV:1-r0\nA:x86_64\nL:\nT:\no:o\nm:\nU:\nD:d1 d2\np:q=1\nc:\ni:[i1]\nt:9\n"));
	assert_non_null(strstr(record, "I:7\nk:0\nC:Q1"));
	assert_non_null(strstr(record, "=\nF:\nR:orphan\nZ:Q1"));
	assert_non_null(strstr(record, "=\nF:a\nR:c\na:0:0:0777\nZ:Q1"));
	assert_true(strstr(record, "R:z\na:0:0:0755\n") < strstr(record, "F:a/b\nM:0:0:0700\nR:x\n"));
	assert_non_null(strstr(record, "\nF:a-b\n\n"));
	stop(&in);
}

static void test_accounts(void **state)
{
	static const struct item items[] = {{'5', "etc", "", 0755},
					    {'0', "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0644},
					    {'0', "etc/group", "root:x:0:root\n", 0644},
					    {'0', "etc/shadow", "root:!:1:2:3:4:5:6:7\n", 0600},
					    {0}};
	struct install in;

	start(*state, &in,
	      "accounts:\n  run-as: app\n  users:\n    - { username: app, uid: 10 }\n"
	      "    - { username: web, uid: 11, gid: 12, shell: /bin/false, homedir: /srv/web }\n"
	      "  groups:\n    - { groupname: app, gid: 10, members: [app, web] }\n");
	add(&in, "base", NULL, items);
	assert_ok(run(&in), &in.f->err);
	expect_text(&in, "etc/passwd",
		    "root:x:0:0:root:/root:/bin/sh\napp:x:10:10:Account created by apko:/home/app:/bin/sh\n"
		    "web:x:11:12:Account created by apko:/srv/web:/bin/false\n");
	expect_text(&in, "etc/group", "root:x:0:root\napp:x:10:app,web\n");
	expect_text(&in, "etc/shadow", "root:!::2:3:4:5:6:7\napp:!:::::::\nweb:!:::::::\n");
	assert_string_equal(in.image.run_as, "10");
	assert_int_equal(node(&in, "home/app")->mode, 0700);
	assert_int_equal(node(&in, "home/app")->uid, 10);
	assert_int_equal(node(&in, "srv/web")->gid, 12);
	assert_int_equal(node(&in, "srv")->uid, 0);
	assert_int_equal(node(&in, "root")->mode, 0700);
	stop(&in);
}

static void test_paths(void **state)
{
	static const struct item items[] = {{'5', "d", "", 0755}, {'0', "d/a", "a", 0644}, {'5', "d/s", "", 0755}, {0}};
	struct install in;

	start(*state, &in,
	      "paths:\n  - { path: /new/dir, type: directory, permissions: 0o1777 }\n"
	      "  - { path: /new/empty, type: empty-file, permissions: 0o640, uid: 7 }\n"
	      "  - { path: /d/link, type: symlink, source: a }\n"
	      "  - { path: /d/hard, type: hardlink, source: /d/a }\n"
	      "  - { path: /d, type: permissions, permissions: 0o700, gid: 5, recursive: true }\n");
	add(&in, "p", NULL, items);
	assert_ok(run(&in), &in.f->err);
	assert_int_equal(node(&in, "new/dir")->mode, 01777);
	assert_int_equal(node(&in, "new/empty")->mode, 0640);
	assert_int_equal(node(&in, "new/empty")->uid, 7);
	assert_string_equal(node(&in, "d/link")->target, "a");
	assert_ptr_equal(node(&in, "d/hard"), node(&in, "d/a"));
	assert_int_equal(node(&in, "d/s")->mode, 0700);
	assert_int_equal(node(&in, "d/a")->gid, 5);
	stop(&in);

	start(*state, &in, "paths:\n  - { path: /none, type: permissions, permissions: 0o700 }\n");
	add(&in, "p", NULL, items);
	assert_failed(run(&in), &in.f->err, XB_E_INPUT, "path '/none'");
	stop(&in);
}

/* Links to busybox where nothing else is; the list is that of the package. */
static void test_busybox(void **state)
{
	static const struct item items[] = {
		{'5', "bin", "", 0755},
		{'0', "bin/busybox", "b", 0755},
		{'0', "bin/ls", "own", 0755},
		{'5', "etc", "", 0755},
		{'5', "etc/busybox-paths.d", "", 0755},
		{'0', "etc/busybox-paths.d/busybox", "/bin/busybox\n/bin/ls\n/bin/sh\n/usr/sbin/x\n", 0644},
		{0}};
	static const struct item without[] = {{'5', "bin", "", 0755}, {'0', "bin/busybox", "b", 0755}, {0}};
	struct install in;

	start(*state, &in, PLAIN);
	add(&in, "busybox", NULL, items);
	assert_ok(run(&in), &in.f->err);
	assert_string_equal(node(&in, "bin/sh")->target, "/bin/busybox");
	assert_string_equal(node(&in, "usr/sbin/x")->target, "/bin/busybox");
	assert_int_equal(node(&in, "bin/ls")->type, XB_APK_FILE);
	stop(&in);

	start(*state, &in, PLAIN);
	add(&in, "busybox", NULL, without);
	assert_failed(run(&in), &in.f->err, XB_E_VERIFY, "does not say which links");
	stop(&in);
}

/* The database is found through /lib/apk, also where /lib is a link. */
static void test_merged_lib(void **state)
{
	static const struct item merged[] = {{'2', "lib", "usr/lib", 0777}, {0}};
	static const struct item into[] = {{'5', "lib", "", 0755}, {'0', "lib/x.so", "x", 0644}, {0}};
	struct install in;

	start(*state, &in, PLAIN);
	add(&in, "layout", NULL, merged);
	add(&in, "lib", NULL, into);
	assert_ok(run(&in), &in.f->err);
	assert_int_equal(node(&in, "lib")->type, XB_APK_SYMLINK);
	assert_int_equal(node(&in, "usr/lib/x.so")->type, XB_APK_FILE);
	stop(&in);

	start(*state, &in, PLAIN);
	add(&in, "lib", NULL, into);
	assert_ok(run(&in), &in.f->err);
	assert_string_equal(node(&in, "lib/apk")->target, "../usr/lib/apk");
	stop(&in);
}

/* Base64 of a SEQUENCE of three bytes stands for a certificate: nothing here looks into it. */
#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"

static void test_certificates(void **state)
{
	static const struct item items[] = {
		{'5', "etc", "", 0755},
		{'5', "etc/ssl", "", 0755},
		{'5', "etc/ssl/certs", "", 0755},
		{'0', "etc/ssl/certs/ca-certificates.crt", "old\n", 0644},
		{'5', "usr", "", 0755},
		{'5', "usr/local", "", 0755},
		{'5', "usr/local/share", "", 0755},
		{'5', "usr/local/share/ca-certificates", "", 0755},
		{'0', "usr/local/share/ca-certificates/p.crt", "text\n" CERTIFICATE, 0644},
		{'0', "usr/local/share/ca-certificates/two.crt", CERTIFICATE CERTIFICATE, 0644},
		{0}};
	struct install in;

	start(*state, &in,
	      "certificates:\n  providers: [ca-provider]\n  additional:\n    - name: own\n      content: |\n"
	      "        -----BEGIN CERTIFICATE-----\n        MAMCAQE=\n        -----END CERTIFICATE-----\n");
	add(&in, "certs", "provides = ca-provider\nbuilddate = 5\n", items);
	assert_ok(run(&in), &in.f->err);
	expect_text(&in, "etc/ssl/certs/ca-certificates.crt", "old\n" CERTIFICATE "\n" CERTIFICATE "\n");
	assert_int_equal(node(&in, "etc/ssl/certs/ca-certificates.crt")->mtime, 5);
	assert_int_equal(node(&in, "etc/ssl/certs/.ca-certificates.crt.sha256")->mode, 0444);
	expect_text(&in,
		    "usr/local/share/ca-certificates/"
		    "own-1b65f68a522c858715f5dd951cd0402dc16691778814bf0759822b7a257421d0.crt",
		    CERTIFICATE);
	stop(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_conflict),   TEST(test_equal_and_misplaced),
		TEST(test_record),     TEST(test_accounts),
		TEST(test_paths),      TEST(test_busybox),
		TEST(test_merged_lib), TEST(test_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
