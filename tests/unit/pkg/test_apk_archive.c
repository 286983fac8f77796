/* SPDX-License-Identifier: Apache-2.0 */
/* apk packages: every link of the chain is followed, hostile ones are refused, real ones are read. */
#include "../store/fixture.h"

#include <fcntl.h>

#include "../shared.h"
#include "../skip.h"
#include "apk_package_made.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/pkg/apk_archive.h"
#include "xbuild/store/cas.h"

static const struct item files[] = {{'5', "usr", "", 0755},
				    {'5', "usr/bin", "", 0755},
				    {'0', "usr/bin/tool", "#!tool\n", 04755},
				    {'1', "usr/bin/twin", "usr/bin/tool", 0755},
				    {'2', "usr/bin/link", "../lib/tool", 0777},
				    {0}};
static const struct item scripts[] = {
	{'0', ".post-install", "#!/bin/sh\nfalse\n", 0755}, {'0', ".melange.yaml", "package:\n", 0644}, {0}};
static const struct made good = {
	.name = "tool",
	.version = "1.2-r3",
	.arch = "x86_64",
	.info = "pkgdesc = a = b\nlicense = MIT\norigin = tools\ndepend = so:libc.so.6\ndepend = base>=1\nsize = 99\n"
		"provides = cmd:tool\ninstall_if = a b=1\nbuilddate = 1700000000\nprovider_priority = 5\ntriggers = "
		"/usr/bin /usr/lib\nunknown = x\n",
	.scripts = scripts,
	.items = files,
};

/* Makes the package, puts it into the store and reads it. */
static int read_made(struct fixture *f, const struct made *m, struct xb_apk **out)
{
	struct xb_str apk XB_CLEANUP(xb_str_release) = {0};
	struct xb_lock_apk package = {0};
	struct xb_digest digest;
	int rc;

	make_apk(m, &apk, &package);
	assert_ok(xb_cas_put_bytes(f->store, apk.data, apk.len, &digest, &f->err), &f->err);
	rc = xb_apk_read(f->store, &package, out, &f->err);
	free((char *)(uintptr_t)package.checksum);
	return rc;
}

static void test_content(void **state)
{
	struct fixture *f = *state;
	struct xb_apk *apk;
	char *path, *text;

	assert_ok(read_made(f, &good, &apk), &f->err);
	assert_string_equal(apk->info.name, "tool");
	assert_string_equal(apk->info.description, "a = b");
	assert_string_equal(apk->info.origin, "tools");
	assert_string_equal(apk->info.maintainer, "");
	assert_int_equal(apk->info.depends.len, 2);
	assert_string_equal(apk->info.depends.items[1], "base>=1");
	assert_string_equal(apk->info.triggers.items[0], "/usr/bin /usr/lib");
	assert_int_equal(apk->info.build_date, 1700000000);
	assert_int_equal(apk->info.installed_bytes, 99);
	assert_int_equal(apk->info.provider_priority, 5);
	assert_int_equal(apk->n_scripts, 1);
	assert_string_equal(apk->scripts[0].name, ".post-install");
	assert_string_equal(apk->scripts[0].text, "#!/bin/sh\nfalse\n");
	assert_int_equal(apk->n_entries, 5);
	assert_int_equal(apk->entries[2].mode, 04755);
	assert_int_equal(apk->entries[3].type, XB_APK_HARDLINK);
	assert_string_equal(apk->entries[3].target, "usr/bin/tool");
	assert_string_equal(apk->entries[4].target, "../lib/tool");
	path = xb_cas_path(f->store, &apk->entries[2].digest);
	text = read_text(path);
	assert_string_equal(text, "#!tool\n");
	free(text);
	free(path);
	xb_apk_free(apk);
}

static void test_unsigned(void **state)
{
	struct fixture *f = *state;
	struct made m = good;
	struct xb_apk *apk;

	m.without_signature = true;
	assert_ok(read_made(f, &m, &apk), &f->err);
	xb_apk_free(apk);
}

static void test_chain(void **state)
{
	struct fixture *f = *state;
	struct made m = good;
	struct xb_apk *apk;

	m.wrong_datahash = true;
	assert_failed(read_made(f, &m, &apk), &f->err, XB_E_VERIFY, "datahash: expected");
	m = good;
	m.without_datahash = true;
	assert_failed(read_made(f, &m, &apk), &f->err, XB_E_VERIFY, "has no datahash");
	m = good;
	m.wrong_sum = "usr/bin/tool";
	assert_failed(read_made(f, &m, &apk), &f->err, XB_E_VERIFY, "'/usr/bin/tool' is not the file of its checksum");
	m.wrong_sum = "usr/bin/link";
	assert_failed(read_made(f, &m, &apk), &f->err, XB_E_VERIFY, "'/usr/bin/link' is not the file of its checksum");
	m = good;
	m.without_sums = true;
	assert_failed(read_made(f, &m, &apk), &f->err, XB_E_VERIFY, "'/usr/bin/tool' has no checksum");
	m = good;
	m.cut_data = true;
	assert_failed(read_made(f, &m, &apk), &f->err, XB_E_VERIFY, "its files are cut off");
	m = good;
	m.behind = "hidden";
	assert_failed(read_made(f, &m, &apk), &f->err, XB_E_VERIFY, "something follows the end of its files");
}

/* What the lock says, and what it finds. */
static void test_lock(void **state)
{
	struct fixture *f = *state;
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	struct xb_lock_apk right = {0}, wrong;
	struct xb_digest digest;
	struct xb_apk *apk;

	make_apk(&good, &file, &right);
	assert_failed(xb_apk_read(f->store, &right, &apk, &f->err), &f->err, XB_E_NOT_FOUND, "tool-1.2-r3.apk");
	assert_ok(xb_cas_put_bytes(f->store, file.data, file.len, &digest, &f->err), &f->err);
	wrong = right;
	wrong.checksum = "Q1m6wB0UFePGN8Drz82pC8y2uAiu8=";
	assert_failed(xb_apk_read(f->store, &wrong, &apk, &f->err), &f->err, XB_E_VERIFY,
		      "checksum of what it says about itself: expected m6wB0UFePGN8Drz82pC8y2uAiu8=, found");
	wrong = right;
	wrong.version = "1.2-r4";
	assert_failed(xb_apk_read(f->store, &wrong, &apk, &f->err), &f->err, XB_E_VERIFY,
		      "expected tool 1.2-r4, found tool 1.2-r3");
	wrong = right;
	wrong.arch = "aarch64";
	assert_failed(xb_apk_read(f->store, &wrong, &apk, &f->err), &f->err, XB_E_VERIFY,
		      "expected a package for aarch64");
	wrong = right;
	wrong.control_bytes++;
	assert_failed(xb_apk_read(f->store, &wrong, &apk, &f->err), &f->err, XB_E_VERIFY, "expected its files at byte");
	wrong = right;
	wrong.signature_bytes = 0;
	assert_failed(xb_apk_read(f->store, &wrong, &apk, &f->err), &f->err, XB_E_VERIFY, "it has no .PKGINFO");
	assert_ok(xb_apk_read(f->store, &right, &apk, &f->err), &f->err);
	xb_apk_free(apk);
	xb_str_append(&file, "x");
	assert_ok(xb_cas_put_bytes(f->store, file.data, file.len, &right.sha256, &f->err), &f->err);
	assert_failed(xb_apk_read(f->store, &right, &apk, &f->err), &f->err, XB_E_VERIFY,
		      "something follows its files");
	free((char *)(uintptr_t)right.checksum);
}

static void test_hostile(void **state)
{
	static const struct {
		const char *what;
		struct item items[4];
		const char *records, *message;
	} cases[] = {
		{"climbs", {{'0', "../x", "", 0644}}, NULL, "not safe"},
		{"absolute", {{'0', "/etc/x", "", 0644}}, NULL, "not safe"},
		{"no name", {{'0', "", "", 0644}}, NULL, "not safe"},
		{"control byte", {{'0', "a\001b", "", 0644}}, NULL, "not safe"},
		{"whiteout", {{'5', "d", "", 0755}, {'0', "d/.wh.x", "", 0644}}, NULL, "not safe"},
		{"path record climbs", {{'0', "x", "", 0644}}, "13 path=../y\n", "not safe"},
		{"fifo", {{'6', "f", "", 0644}}, NULL, "device, fifo"},
		{"device", {{'3', "f", "", 0644}}, NULL, "device, fifo"},
		{"twice", {{'0', "a", "1", 0644}, {'0', "a", "2", 0644}}, NULL, "there twice"},
		{"directory and file", {{'5', "a", "", 0755}, {'0', "a", "2", 0644}}, NULL, "there twice"},
		{"hard link out", {{'1', "a", "../../etc/passwd", 0644}}, NULL, "not safe"},
		{"hard link to nothing", {{'1', "a", "b", 0644}}, NULL, "no earlier file"},
		{"hard link to a link", {{'2', "b", "c", 0777}, {'1', "a", "b", 0644}}, NULL, "no earlier file"},
		{"link to nothing", {{'2', "a", "", 0777}}, NULL, "link to nothing"},
		{"record that is none", {{'0', "x", "", 0644}}, "99 path=y\n", "pax record"},
		{"record without end", {{'0', "x", "", 0644}}, "9 path=yy", "pax record"},
		{"sparse", {{'0', "x", "", 0644}}, "22 GNU.sparse.major=1\n", "not supported"},
		{"size of a terabyte", {{'0', "x", "", 0644}}, "22 size=1099511627776\n", "not supported"},
		{"wrong kind of checksum", {{'0', "x", "", 0644}}, "29 APK-TOOLS.checksum.SHA1=0\n", "pax record"},
	};

	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct fixture *f = *state;
		struct made m = good;
		struct xb_apk *apk;
		int rc;

		m.items = cases[i].items;
		m.records = cases[i].records;
		rc = read_made(f, &m, &apk);
		if (rc != XB_E_VERIFY || !strstr(f->err.msg, cases[i].message))
			fail_msg("%s: %s", cases[i].what, rc ? f->err.msg : "was read");
		xb_err_clear(&f->err);
	}
}

/* Text of len bytes that is one pax record, or is no record where it is too short for one; malloced. */
static char *long_record(size_t len)
{
	char *text = xb_alloc(len + 1);
	const int head = snprintf(text, len + 1, "%zu comment=", len);

	memset(text + head, 'a', len - (size_t)head - 1);
	text[len - 1] = '\n';
	return text;
}

static void read_or_refuse(struct fixture *f, const struct made *m, const char *message)
{
	struct xb_apk *apk;

	if (message) {
		assert_failed(read_made(f, m, &apk), &f->err, XB_E_VERIFY, message);
		return;
	}
	assert_ok(read_made(f, m, &apk), &f->err);
	xb_apk_free(apk);
}

/* Headers of the header: none is empty, none has more than 1 MiB, and there are at most 8 of an entry. */
static void test_extension_headers(void **state)
{
	static const size_t lens[] = {XB_MIB, XB_MIB + 1};
	struct fixture *f = *state;
	struct made m = good;

	for (size_t i = 0; i < XB_COUNT(lens); i++) {
		char *text XB_CLEANUP(xb_free_ptr) = long_record(lens[i]);
		const struct item items[] = {{'x', "x", text, 0644}, {'0', "a", "", 0644}, {0}};

		m.items = items;
		read_or_refuse(f, &m, i ? "has a header of a size that none has" : NULL);
	}
	m.items = (const struct item[]){{'g', "g", "", 0644}, {'0', "a", "", 0644}, {0}};
	read_or_refuse(f, &m, "has a header of a size that none has");
	/* that of the checksum is one more */
	for (size_t n = 7; n <= 8; n++) {
		struct item items[10] = {{0}};

		for (size_t i = 0; i < n; i++)
			items[i] = (struct item){'g', "g", "x", 0644};
		items[n] = (struct item){'0', "a", "", 0644};
		m.items = items;
		read_or_refuse(f, &m, n == 8 ? "has more headers than one can need" : NULL);
	}
}

/* What a package says about itself is bounded: by the header of a script before it has come, and by all that is inflated. */
static void test_large_control(void **state)
{
	static const struct item claimed[] = {
		{'x', "x", "17 size=16777217\n", 0644}, {'0', ".post-install", "", 0755}, {0}};
	char *text XB_CLEANUP(xb_free_ptr) = long_record(16 * XB_MIB);
	const struct item large[] = {{'0', ".melange.yaml", text, 0644}, {0}};
	struct fixture *f = *state;
	struct made m = good;

	m.scripts = claimed;
	read_or_refuse(f, &m, "'.post-install' is larger than 16777216 bytes");
	m.scripts = large;
	read_or_refuse(f, &m, "holds more than the allowed");
}

/* POSIX.1-2001 pax, "pax Extended Header": of records with one key the last one counts. */
static void test_repeated_xattr(void **state)
{
	struct fixture *f = *state;
	struct made m = good;
	struct xb_apk *apk;

	m.items = (const struct item[]){{'0', "a", "", 0644}, {0}};
	m.records = "25 SCHILY.xattr.user.a=1\n25 SCHILY.xattr.user.b=3\n25 SCHILY.xattr.user.a=2\n";
	assert_ok(read_made(f, &m, &apk), &f->err);
	assert_int_equal(apk->entries[0].n_xattrs, 2);
	assert_string_equal(apk->entries[0].xattrs[0].name, "user.a");
	assert_int_equal(apk->entries[0].xattrs[0].len, 1);
	assert_memory_equal(apk->entries[0].xattrs[0].value, "2", 1);
	assert_string_equal(apk->entries[0].xattrs[1].name, "user.b");
	xb_apk_free(apk);
}

static void test_info(void **state)
{
	static const char *const broken[] = {"depend\n", "size = -1\n", "builddate = x\n", "license = a\001b\n"};

	for (size_t i = 0; i < XB_COUNT(broken); i++) {
		struct fixture *f = *state;
		struct made m = good;
		struct xb_apk *apk;

		m.info = broken[i];
		assert_failed(read_made(f, &m, &apk), &f->err, XB_E_VERIFY, "a line of its .PKGINFO cannot be read");
	}
}

/* What is measured is what the package was made with. */
static void test_measure(void **state)
{
	struct fixture *f = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};

	for (int is_signed = 0; is_signed < 2; is_signed++) {
		struct xb_str file XB_CLEANUP(xb_str_release) = {0};
		struct made m = good;
		struct xb_lock_apk made = {0}, found;
		struct xb_apk_info said;
		struct xb_digest digest;
		int fd;

		m.without_signature = !is_signed;
		make_apk(&m, &file, &made);
		assert_ok(xb_cas_put_bytes(f->store, file.data, file.len, &digest, &f->err), &f->err);
		assert_ok(xb_cas_open(f->store, &digest, &fd, &f->err), &f->err);
		found = (struct xb_lock_apk){
			.name = made.name, .version = made.version, .arch = made.arch, .checksum = made.checksum};
		assert_ok(xb_apk_measure(fd, &arena, &found, &said, &f->err), &f->err);
		assert_int_equal(found.signature_bytes, made.signature_bytes);
		assert_int_equal(found.control_bytes, made.control_bytes);
		assert_int_equal(found.size_bytes, made.size_bytes);
		assert_true(xb_digest_eq(&found.data, &made.data));
		assert_true(!found.signature_sha1 == !is_signed);
		assert_int_equal(said.depends.len, 2);
		assert_string_equal(said.depends.items[0], "so:libc.so.6");
		assert_string_equal(said.provides.items[0], "cmd:tool");
		assert_int_equal(said.install_if.len, 1);
		assert_string_equal(said.install_if.items[0], "a b=1");
		found.checksum = "Q1m6wB0UFePGN8Drz82pC8y2uAiu8=";
		assert_failed(xb_apk_measure(fd, &arena, &found, NULL, &f->err), &f->err, XB_E_VERIFY,
			      "checksum of what");
		close(fd);
		free((char *)(uintptr_t)made.checksum);
	}
}

static void test_real(void **state)
{
	static const struct {
		const char *path;
		struct xb_lock_apk package;
	} cases[] = {
		{"apk/apko/packages/x86_64/replayout-1.0.0-r0.apk",
		 {.name = "replayout",
		  .version = "1.0.0-r0",
		  .arch = "x86_64",
		  .checksum = "Q11/HhSewwwOXgl0r0ffb0O0BRtYc="}},
		{"apk/alpine-3.17/alpine-baselayout-3.2.0-r23.apk",
		 {.name = "alpine-baselayout",
		  .version = "3.2.0-r23",
		  .arch = "aarch64",
		  .checksum = "Q1LLq2qDNrS/qRnhxQ3hsY/sHbQnc="}},
	};
	struct fixture *f = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	char *dir XB_CLEANUP(xb_free_ptr) = shared_path("apk");

	if (!dir)
		skip_without("fixtures of apk packages (XB_SHARED)");
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		char *path XB_CLEANUP(xb_free_ptr) = shared_path(cases[i].path);
		struct xb_lock_apk package = cases[i].package;
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};
		struct xb_apk *apk;
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_ok(xb_apk_measure(fd, &arena, &package, NULL, &f->err), &f->err);
		close(fd);
		assert_ok(xb_fs_read(path, 1 << 20, &text, &f->err), &f->err);
		assert_ok(xb_cas_put_bytes(f->store, text.data, text.len, &package.sha256, &f->err), &f->err);
		assert_ok(xb_apk_read(f->store, &package, &apk, &f->err), &f->err);
		assert_true(apk->n_entries > 3);
		xb_apk_free(apk);
	}
}

/* A package under the name of another version: the checksum is right, and what it says is not what was asked for. */
static void test_misnamed(void **state)
{
	struct fixture *f = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = shared_path("apk/alpine-3.17/alpine-baselayout-3.4.0-r0.apk");
	struct xb_lock_apk package = {.name = "alpine-baselayout",
				      .version = "3.4.0-r0",
				      .arch = "aarch64",
				      .checksum = "Q1LLq2qDNrS/qRnhxQ3hsY/sHbQnc="};
	int fd;

	if (!path)
		skip_without("fixtures of apk packages (XB_SHARED)");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_failed(xb_apk_measure(fd, &arena, &package, NULL, &f->err), &f->err, XB_E_VERIFY,
		      "expected alpine-baselayout 3.4.0-r0, found alpine-baselayout 3.2.0-r23");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_content),	     TEST(test_unsigned),
					   TEST(test_chain),	     TEST(test_lock),
					   TEST(test_hostile),	     TEST(test_info),
					   TEST(test_measure),	     TEST(test_real),
					   TEST(test_misnamed),	     TEST(test_extension_headers),
					   TEST(test_large_control), TEST(test_repeated_xattr)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
