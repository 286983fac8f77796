/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/lockfile.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define FPR    "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8"

/* The layout that xbuild/model/lockfile.h promises, byte for byte. */
static const char golden[] =
	"{\n"
	" \"xbuild-lock\": 1,\n"
	" \"inputs\": \"" DIGEST "\",\n"
	" \"suites\": {\n"
	"  \"bookworm\": {\n"
	"   \"archive\": \"debian\",\n"
	"   \"date\": \"2026-07-11T10:16:37Z\",\n"
	"   \"in-release\": \"" DIGEST "\",\n"
	"   \"path\": \"bookworm\",\n"
	"   \"signed-by\": \"" FPR "\"\n"
	"  }\n"
	" },\n"
	" \"sysroots\": {\n"
	"  \"linux-aarch64\": {\n"
	"   \"name\": \"debian-bookworm\",\n"
	"   \"packages\": [\n"
	"    "
	"{\"arch\":\"arm64\",\"depends\":[\"libgcc-s1\"],\"name\":\"libc6\",\"path\":\"pool/main/g/glibc/"
	"libc6_2.36-9_arm64.deb\","
	"\"sha256\":\"" DIGEST "\",\"size\":2756,\"suite\":\"bookworm\",\"version\":\"2.36-9+deb12u14\"},\n"
	"    {\"arch\":\"all\",\"depends\":[],\"name\":\"libgcc-s1\",\"path\":\"pool/main/l/x.deb\","
	"\"sha256\":\"" DIGEST "\",\"size\":1,\"suite\":\"bookworm\",\"version\":\"1:12.2.0-14\"}\n"
	"   ]\n"
	"  }\n"
	" },\n"
	" \"toolchains\": {\n"
	"  \"darwin-aarch64\": {\n"
	"   \"archive\": {\n"
	"    \"sha256\": \"" DIGEST "\",\n"
	"    \"size\": 5,\n"
	"    \"url\": \"https://example.org/llvm.tar.xz\"\n"
	"   },\n"
	"   \"name\": \"llvm-22\",\n"
	"   \"version\": \"22.1.8\"\n"
	"  },\n"
	"  \"linux-x86_64\": {\n"
	"   \"name\": \"llvm-22\",\n"
	"   \"packages\": [\n"
	"    {\"arch\":\"amd64\",\"depends\":[],\"name\":\"clang-22\",\"path\":\"pool/c.deb\","
	"\"sha256\":\"" DIGEST "\",\"size\":9,\"suite\":\"bookworm\",\"version\":\"1:22.1.8-1\"}\n"
	"   ],\n"
	"   \"tools\": [\n"
	"    {\"arch\":\"amd64\",\"depends\":[\"clang-22\"],\"name\":\"llvm-22\",\"path\":\"pool/l.deb\","
	"\"sha256\":\"" DIGEST "\",\"size\":9,\"suite\":\"bookworm\",\"version\":\"1:22.1.8-1\"}\n"
	"   ],\n"
	"   \"version\": \"22.1.8\"\n"
	"  }\n"
	" }\n"
	"}\n";

static struct xb_lock *parse(const char *text)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_lock *lock = NULL;

	if (xb_lock_parse(xb_sv(text), "xbuild.lock", &lock, &err) < 0)
		fail_msg("%s", err.msg);
	return lock;
}

/* `text` with the first `from` replaced by `to`. Owned. */
static char *replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return xb_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void test_golden(void **state)
{
	struct xb_lock *lock = parse(golden);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const struct xb_lock_sysroot *sysroot = xb_lock_sysroot(lock, "linux-aarch64");
	const struct xb_lock_package *libc = xb_lock_package(&sysroot->packages, "libc6");

	(void)state;
	assert_int_equal(lock->n_suites, 1);
	assert_int_equal(xb_lock_suite(lock, "bookworm")->date, 1783764997);
	assert_string_equal(xb_lock_suite(lock, "bookworm")->signed_by, FPR);
	assert_null(xb_lock_suite(lock, "trixie"));
	assert_string_equal(libc->version, "2.36-9+deb12u14");
	assert_int_equal(libc->size_bytes, 2756);
	assert_int_equal(libc->n_depends, 1);
	assert_null(xb_lock_package(&sysroot->packages, "libc5"));
	assert_null(xb_lock_toolchain(lock, "linux-x86_64")->archive.url);
	assert_int_equal(xb_lock_toolchain(lock, "linux-x86_64")->tools.len, 1);
	assert_int_equal(xb_lock_toolchain(lock, "darwin-aarch64")->archive.size_bytes, 5);
	assert_null(xb_lock_sysroot(lock, "linux-x86_64"));
	xb_lock_write(lock, &text);
	assert_string_equal(xb_str_get(&text), golden);
	xb_lock_free(lock);
}

/* The digest is of "wishes" without its blanks (by sha256sum). */
#define WISHES                                                                                                         \
	" \"inputs\": \"f538edead7eeda8f3e3eefbcea44cdd5e95a5152633256f235564e8d2f01b240\",\n"                         \
	" \"wishes\": {\n"                                                                                             \
	"  \"images\": {\n"                                                                                            \
	"   \"api\": {\n"                                                                                              \
	"    \"debian\": [\"netbase\",\"tzdata\"]\n"                                                                   \
	"   }\n"                                                                                                       \
	"  },\n"                                                                                                       \
	"  \"packages\": [\n"                                                                                          \
	"   \"zlib1g-dev\"\n"                                                                                          \
	"  ],\n"                                                                                                       \
	"  \"toolchain\": \"llvm-22\"\n"                                                                               \
	" },\n"

/* A lock that tells what it is for, and one that lies about it. */
static void test_wishes(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} lies[] = {
		{"\"toolchain\": \"llvm-22\"", "\"toolchain\": \"llvm-19\"", "'inputs' is not the digest of 'wishes'"},
		{"\"netbase\",", "", "'inputs' is not the digest of 'wishes'"},
		{"\"wishes\": {", "\"wishes\": {\"a\": 1.5,", "wishes: expected text"},
		{"\"wishes\": {", "\"wishes\": [], \"images\": {", "wishes: expected an object"},
		{"\"wishes\"", "\"whishes\"", "unknown member 'whishes'"},
	};
	char *text XB_CLEANUP(xb_free_ptr) = replace(golden, " \"inputs\": \"" DIGEST "\",\n", WISHES);
	struct xb_str again XB_CLEANUP(xb_str_release) = {0};
	struct xb_lock *lock = parse(text);

	(void)state;
	assert_string_equal(lock->wishes, "{\"images\":{\"api\":{\"debian\":[\"netbase\",\"tzdata\"]}},"
					  "\"packages\":[\"zlib1g-dev\"],\"toolchain\":\"llvm-22\"}");
	xb_lock_write(lock, &again);
	assert_string_equal(xb_str_get(&again), text);
	xb_lock_free(lock);
	for (size_t i = 0; i < XB_COUNT(lies); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *lie XB_CLEANUP(xb_free_ptr) = replace(text, lies[i].from, lies[i].to);

		assert_int_equal(xb_lock_parse(xb_sv(lie), "xbuild.lock", &lock, &err), XB_E_LOCK);
		if (!strstr(err.msg, lies[i].says))
			fail_msg("expected \"%s\" in \"%s\"", lies[i].says, err.msg);
		assert_string_equal(err.hint, "restore it from version control, or remove it and run 'xbuild lock'");
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static struct xb_digest random_digest(uint32_t *seed)
{
	struct xb_digest digest;

	for (size_t i = 0; i < sizeof(digest.bytes); i++)
		digest.bytes[i] = (uint8_t)(next_random(seed) | 1);
	return digest;
}

/* Rising names, and depends on names that come earlier. */
static struct xb_lock_packages random_packages(struct xb_arena *arena, uint32_t *seed, const char *arch,
					       const char *prefix)
{
	struct xb_lock_packages packages = {.len = next_random(seed) % 20};

	packages.items = xb_arena_array(arena, packages.len, sizeof(*packages.items));
	for (size_t i = 0; i < packages.len; i++) {
		struct xb_lock_package *package = &packages.items[i];

		package->name = xb_arena_printf(arena, "%s%03zu+%u.x", prefix, i, next_random(seed) % 9);
		package->version = xb_arena_printf(arena, "%u:%u~rc-1", next_random(seed) % 3, next_random(seed));
		package->arch = next_random(seed) % 2 ? arch : "all";
		package->suite = "bookworm";
		package->path = xb_arena_printf(arena, "pool/%s_%u.deb", package->name, next_random(seed));
		package->size_bytes = 1 + next_random(seed);
		package->sha256 = random_digest(seed);
		package->depends = xb_arena_array(arena, i, sizeof(*package->depends));
		for (size_t k = 0; k < i; k++) {
			if (next_random(seed) % 3 == 0)
				package->depends[package->n_depends++] = packages.items[k].name;
		}
	}
	return packages;
}

static void check_random_lock(uint32_t seed)
{
	struct xb_lock_suite suite = {.id = "bookworm", .archive = "debian", .path = "bookworm", .signed_by = FPR};
	struct xb_lock_toolchain toolchains[2] = {
		{.host = "darwin-aarch64", .name = "llvm-22", .version = "22.1", .archive.size_bytes = -1},
		{.host = "linux-aarch64", .name = "llvm-22", .version = "22.1", .archive.size_bytes = -1},
	};
	struct xb_lock_sysroot sysroot = {.target = "linux-x86_64", .name = "debian-bookworm"};
	struct xb_lock lock = {.suites = &suite,
			       .n_suites = 1,
			       .toolchains = toolchains,
			       .n_toolchains = 2,
			       .sysroots = &sysroot,
			       .n_sysroots = next_random(&seed) % 2};
	struct xb_str first XB_CLEANUP(xb_str_release) = {0}, second XB_CLEANUP(xb_str_release) = {0};
	struct xb_str diff XB_CLEANUP(xb_str_release) = {0};
	struct xb_lock *again;

	suite.date = next_random(&seed);
	suite.in_release = random_digest(&seed);
	lock.inputs = random_digest(&seed);
	toolchains[0].archive.url = "https://example.org/a.tar.xz";
	toolchains[0].archive.sha256 = random_digest(&seed);
	toolchains[1].packages = random_packages(&lock.arena, &seed, "arm64", "p");
	toolchains[1].tools = random_packages(&lock.arena, &seed, "arm64", "t");
	sysroot.packages = random_packages(&lock.arena, &seed, "amd64", "s");
	xb_lock_write(&lock, &first);
	again = parse(xb_str_get(&first));
	xb_lock_write(again, &second);
	assert_string_equal(xb_str_get(&first), xb_str_get(&second));
	xb_lock_diff(&lock, again, &diff);
	assert_string_equal(xb_str_get(&diff), "");
	assert_int_equal(again->toolchains[1].tools.len, toolchains[1].tools.len);
	xb_lock_free(again);
	xb_arena_release(&lock.arena);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 200; seed++)
		check_random_lock(seed);
}

/* One change each, and what the refusal must name. */
static const struct {
	const char *from, *to, *says;
} broken[] = {
	{"\"xbuild-lock\": 1", "\"xbuild-lock\": 2", "expected format 1, found 2"},
	{"\"xbuild-lock\": 1,", "", "'xbuild-lock' is missing"},
	{"\"inputs\"", "\"imputs\"", "unknown member 'imputs'"},
	{"\"inputs\": \"0011", "\"inputs\": \"0G11", "'inputs'"},
	{"\"inputs\": \"0011", "\"inputs\": \"sha256:0011", "'inputs'"},
	{"\"date\": \"2026-07-11", "\"date\": \"2026-02-30", "'date'"},
	{"\"archive\": \"debian\"", "\"archive\": \"../x\"", "'archive'"},
	{"\"path\": \"bookworm\"", "\"path\": \"../bookworm\"", "'path'"},
	{"\"signed-by\": \"B8", "\"signed-by\": \"b8", "'signed-by'"},
	{"\"name\":\"libc6\"", "\"name\":\"LIBC6\"", "'name'"},
	{"\"name\":\"libc6\"", "\"name\":\"zlib\"", "out of order"},
	{"\"name\":\"libc6\"", "\"name\":\"libgcc-s1\"", "there twice"},
	{"pool/main/g/glibc/libc6", "/etc/libc6", "'path'"},
	{"pool/main/g/glibc/libc6", "pool/../../libc6", "'path'"},
	{"pool/main/g/glibc/libc6", "pool/%2e%2e/libc6", "'path'"},
	{"\"arch\":\"arm64\"", "\"arch\":\"amd64\"", "expected 'arch' to be arm64 or all, found amd64"},
	{"\"size\":2756", "\"size\":0", "'size'"},
	{"\"size\":2756", "\"size\":-1", "'size'"},
	{"\"size\":2756", "\"size\":99999999999", "'size'"},
	{"\"size\":2756", "\"size\":\"2756\"", "'size'"},
	{"\"size\":2756", "\"size\":2756.0", "'size'"},
	{"\"size\":2756,", "", "'size'"},
	{"[\"libgcc-s1\"]", "[\"libgcc-s2\"]", "libc6 depends on libgcc-s2, which is not in the list"},
	{"[\"libgcc-s1\"]", "[\"libgcc-s1\",\"libc6\"]", "not sorted at 'libc6'"},
	{"[\"libgcc-s1\"]", "\"libgcc-s1\"", "'depends'"},
	{"\"suite\":\"bookworm\"", "\"suite\":\"sid\"", "'suites' has no 'sid'"},
	{"\"version\":\"2.36-9+deb12u14\"", "\"version\":\"2 36\"", "'version'"},
	{"\"linux-aarch64\"", "\"linux-sparc\"", "'linux-sparc' is no target"},
	{"\"linux-aarch64\"", "\"arm64\"", "'arm64' is no target"},
	{"\"darwin-aarch64\"", "\"plan9\"", "'plan9' is no host"},
	{"https://example.org", "file:///etc", "'url'"},
	{"\"archive\": {", "\"arkhive\": {", "unknown member 'arkhive'"},
	{"\"name\": \"llvm-22\",\n   \"packages\"", "\"name\": \"llvm-22\",\n   \"extra\": 1,\n   \"packages\"",
	 "unknown member 'extra'"},
	{"\"tools\": [", "\"tools\": [null,", "tools[0]: expected an object"},
	{"{\n \"xbuild-lock\"", "[{\n \"xbuild-lock\"", "xbuild.lock:"},
};

static void test_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < XB_COUNT(broken); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *text XB_CLEANUP(xb_free_ptr) = replace(golden, broken[i].from, broken[i].to);
		struct xb_lock *lock = NULL;

		assert_int_equal(xb_lock_parse(xb_sv(text), "xbuild.lock", &lock, &err), XB_E_LOCK);
		assert_null(lock);
		if (!strstr(err.msg, broken[i].says))
			fail_msg("expected \"%s\" in \"%s\"", broken[i].says, err.msg);
		assert_true(xb_sv_starts(xb_sv(err.msg), "xbuild.lock:"));
		assert_string_equal(err.hint, "restore it from version control, or remove it and run 'xbuild lock'");
	}
}

/* A lock that was cut off anywhere is refused, never half read. */
static void test_truncated(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(golden) - 2; len++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_lock *lock = NULL;

		assert_int_equal(xb_lock_parse(xb_sv_n(golden, len), "xbuild.lock", &lock, &err), XB_E_LOCK);
		assert_null(lock);
	}
}

static void test_diff(void **state)
{
	char *newer XB_CLEANUP(xb_free_ptr) = replace(golden, "2.36-9+deb12u14", "2.36-9+deb12u15");
	char *other XB_CLEANUP(xb_free_ptr) = replace(golden, "libc6\",\"path", "libc7\",\"path");
	char *content XB_CLEANUP(xb_free_ptr) = replace(golden, "\"sha256\":\"00", "\"sha256\":\"ff");
	char *suite XB_CLEANUP(xb_free_ptr) = replace(golden, "\"in-release\": \"00", "\"in-release\": \"ff");
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_lock *a = parse(golden), *b = parse(newer), *c = parse(other), *d = parse(content), *e = parse(suite);

	(void)state;
	xb_lock_diff(a, b, &out);
	assert_string_equal(xb_str_get(&out), "~ libc6 2.36-9+deb12u14 -> 2.36-9+deb12u15 (linux-aarch64)\n");
	xb_str_reset(&out);
	xb_lock_diff(a, c, &out);
	assert_string_equal(xb_str_get(&out), "- libc6 2.36-9+deb12u14 (linux-aarch64)\n"
					      "+ libc7 2.36-9+deb12u14 (linux-aarch64)\n");
	xb_str_reset(&out);
	xb_lock_diff(a, d, &out);
	assert_string_equal(xb_str_get(&out), "~ libc6 2.36-9+deb12u14: same version, other content (linux-aarch64)\n");
	xb_str_reset(&out);
	xb_lock_diff(a, e, &out);
	assert_string_equal(xb_str_get(&out), "~ suite bookworm 2026-07-11T10:16:37Z -> 2026-07-11T10:16:37Z\n");
	xb_lock_free(a);
	xb_lock_free(b);
	xb_lock_free(c);
	xb_lock_free(d);
	xb_lock_free(e);
}

static void test_missing(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_lock *lock = NULL;

	(void)state;
	assert_int_equal(xb_lock_read("/nonexistent/xbuild.lock", &lock, &err), XB_E_NOT_FOUND);
}

/* No lock is that large, so it is the lock that is wrong, as with any other content. */
static void test_too_large(void **state)
{
	const char *base = getenv("TMPDIR");
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/xb-lock-XXXXXX", base && *base ? base : "/tmp");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_lock *lock = NULL;
	const int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)XB_MAX_JSON_BYTES + 1), 0);
	close(fd);
	assert_int_equal(xb_lock_read(path, &lock, &err), XB_E_LOCK);
	unlink(path);
	assert_non_null(strstr(err.msg, path));
	assert_non_null(strstr(err.hint, "xbuild lock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),	  cmocka_unit_test(test_round_trip), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_diff),	     cmocka_unit_test(test_missing),
		cmocka_unit_test(test_too_large), cmocka_unit_test(test_wishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
