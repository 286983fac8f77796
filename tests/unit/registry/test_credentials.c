/* SPDX-License-Identifier: Apache-2.0 */
/* Logins as docker, podman and credential helpers leave them; every program here is one that the test writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/base/path.h"
#include "xbuild/registry/credentials.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

static char dir[] = "/tmp/xbuild-credentials.XXXXXX";

static void put(const char *name, const char *text, mode_t mode)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", dir, name);

	assert_int_equal(xb_atomic_file_write(path, text, strlen(text), mode, 0, &err), 0);
}

static void find(const char *ref_text, const char *expected)
{
	struct xb_reference ref XB_CLEANUP(xb_reference_release) = {0};
	struct xb_credentials c XB_CLEANUP(xb_credentials_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char got[200];

	assert_int_equal(xb_reference_parse(ref_text, &ref, &err), 0);
	if (xb_credentials_find(&ref, NULL, &c, &err) < 0)
		snprintf(got, sizeof(got), "error: %s", err.msg);
	else
		snprintf(got, sizeof(got), "%s:%s:%s", c.username ? c.username : "", c.password ? c.password : "",
			 c.identity_token ? c.identity_token : "");
	if (strncmp(got, expected, strlen(expected)) != 0)
		fail_msg("%s: got '%s', expected '%s'", ref_text, got, expected);
	/* whatever went wrong, no secret is told */
	assert_null(strstr(err.msg ? err.msg : "", "c2VjcmV0"));
	assert_null(strstr(err.msg ? err.msg : "", "s3cret"));
}

static int set_up(void **state)
{
	char *path;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	setenv("HOME", dir, 1);
	setenv("DOCKER_CONFIG", dir, 1);
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_CONFIG_HOME");
	path = xb_path_join(dir, "run");
	setenv("XBUILD_TEST_RUN_DIR", path, 1);
	free(path);
	path = xb_printf("%s:%s", dir, getenv("PATH"));
	setenv("PATH", path, 1);
	free(path);
	return 0;
}

static int tear_down(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	return xb_fs_remove(dir, &err);
}

/* dTpw = u:p, YTpiOmM= = a:b:c, dTpwAAA= = u:p with padding, c2VjcmV0 = secret */
static void test_auths(void **state)
{
	(void)state;
	put("config.json",
	    "{\"auths\":{\"a.example\":{\"auth\":\"dTpw\"},\"b.example:5000\":{\"auth\":\"YTpiOmM=\"},"
	    "\"https://c.example/v1/\":{\"auth\":\"dTpw\"},\"https://index.docker.io/v1/\":{\"auth\":\"dTpw\"},"
	    "\"d.example\":{\"auth\":\"dTpw\"},\"d.example/team\":{\"auth\":\"YTpi\"},"
	    "\"e.example\":{\"identitytoken\":\"T\",\"auth\":\"PHRva2VuPjo=\"},\"f.example\":{},"
	    "\"g.example\":{\"auth\":\"dTpwAAA=\"},\"h.example\":{\"username\":\"n\",\"password\":\"w\"},"
	    "\"i.example\":{\"auth\":\"c2VjcmV0\"},\"j.example\":{\"auth\":\"not base64\"}}}",
	    0600);
	find("a.example/x", "u:p:");
	find("A.example/x", "u:p:");
	find("aa.example/x", "::");
	find("b.example/x", "::");
	find("b.example:5000/x", "a:b:c:");
	find("c.example/x", "u:p:");
	find("alpine", "u:p:");
	find("docker.io/acme/x", "u:p:");
	find("d.example/x", "u:p:");
	find("d.example/teams/x", "u:p:");
	find("d.example/team/x", "a:b:");
	find("e.example/x", "<token>::T");
	find("f.example/x", "::");
	find("g.example/x", "u:p:");
	find("h.example/x", "n:w:");
	find("i.example/x", "error: find the login for 'i.example': ");
	find("j.example/x", "error: ");
	find("z.example/x", "::");
}

static void test_files(void **state)
{
	char *file XB_CLEANUP(xb_free_ptr) = xb_printf("%s/other.json", dir);
	char *containers XB_CLEANUP(xb_free_ptr) = xb_printf("%s/containers", dir);
	char *config XB_CLEANUP(xb_free_ptr) = xb_printf("%s/.config", dir);
	char *inner XB_CLEANUP(xb_free_ptr) = xb_printf("%s/.config/containers", dir);

	(void)state;
	assert_int_equal(mkdir(containers, 0700), 0);
	put("config.json", "{\"auths\":{\"a.example\":{\"auth\":\"dTpw\"}}}", 0600);
	put("other.json", "{\"auths\":{\"a.example\":{\"auth\":\"YTpi\"},\"b.example\":{\"auth\":\"YTpi\"}}}", 0600);
	put("containers/auth.json", "{\"auths\":{\"b.example\":{\"auth\":\"dTpw\"},\"c.example\":{\"auth\":\"dTpw\"}}}",
	    0600);
	find("b.example/x", "::");
	/* the last: what podman keeps below the settings */
	setenv("XDG_CONFIG_HOME", dir, 1);
	find("a.example/x", "u:p:");
	find("b.example/x", "u:p:");
	unsetenv("XDG_CONFIG_HOME");
	find("b.example/x", "::");
	assert_int_equal(mkdir(config, 0700), 0);
	assert_int_equal(symlink("../containers", inner), 0);
	find("b.example/x", "u:p:");
	setenv("REGISTRY_AUTH_FILE", file, 1);
	setenv("XDG_RUNTIME_DIR", dir, 1);
	find("a.example/x", "u:p:");
	find("b.example/x", "a:b:");
	find("c.example/x", "u:p:");
	put("other.json", "{\"auths\": c2VjcmV0", 0600);
	find("c.example/x", "error: ");
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("XDG_RUNTIME_DIR");
}

/* Where podman of a user without a session keeps them: looked at without XDG_RUNTIME_DIR alone, and before the settings. */
static void of_a_user_without_a_session(void **state)
{
	char *containers XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "run/containers");
	char *name XB_CLEANUP(xb_free_ptr) = xb_printf("run/containers/%lu", (unsigned long)getuid());
	char *own XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, name);
	char *file XB_CLEANUP(xb_free_ptr) = xb_printf("%s/auth.json", name);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	find("run.example/x", "::");
	assert_int_equal(xb_fs_mkdirs(own, 0700, &err), 0);
	put(file, "{\"auths\":{\"run.example\":{\"auth\":\"dTpw\"}}}", 0600);
	find("run.example/x", "u:p:");
	setenv("XDG_RUNTIME_DIR", containers, 1);
	find("run.example/x", "::");
	setenv("XDG_RUNTIME_DIR", "", 1);
	find("run.example/x", "u:p:");
	unsetenv("XDG_RUNTIME_DIR");
	put(file, "{\"auths\": c2VjcmV0", 0600);
	find("run.example/x", "error: ");
	assert_int_equal(xb_fs_remove(own, &err), 0);
}

/* A program that writes down what it was given, then answers. */
static void helper(const char *name, const char *answer)
{
	char *file XB_CLEANUP(xb_free_ptr) = xb_printf("docker-credential-%s", name);
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("#!/bin/sh\nread -r server || :\necho \"$# $1 $server\" >\"$HOME/asked\"\n%s\n", answer);

	put(file, text, 0755);
}

static void asked(const char *expected)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/asked", dir);

	assert_int_equal(xb_fs_read(path, 4096, &text, &err), 0);
	assert_string_equal(text.data, expected);
}

static void test_helpers(void **state)
{
	(void)state;
	helper("one", "echo '{\"ServerURL\":\"x\",\"Username\":\"h\",\"Secret\":\"s3cret\"}'");
	helper("two", "echo '{\"ServerURL\":\"x\",\"Username\":\"<token>\",\"Secret\":\"T\"}'");
	helper("none", "echo 'credentials not found in native keychain'; exit 1");
	helper("bad", "echo 'could not open s3cret'; exit 1");
	helper("odd", "echo s3cret");
	helper("big", "head -c 100000 /dev/zero | tr '\\0' s");
	put("config.json",
	    "{\"credsStore\":\"one\",\"auths\":{\"a.example\":{},\"b.example\":{\"auth\":\"dTpw\"}},"
	    "\"credHelpers\":{\"two.example\":\"two\",\"none.example\":\"none\",\"bad.example\":\"bad\","
	    "\"odd.example\":\"odd\",\"big.example\":\"big\",\"gone.example\":\"gone\",\"evil.example\":\"../one\","
	    "\"shell.example\":\"one;id\",\"docker.io\":\"two\"}}",
	    0600);
	find("a.example/x", "h:s3cret:");
	asked("1 get a.example\n");
	find("b.example/x", "u:p:");
	find("z.example:5000/x", "h:s3cret:");
	asked("1 get z.example:5000\n");
	find("two.example/x", "::T");
	find("alpine", "::T");
	asked("1 get https://index.docker.io/v1/\n");
	find("none.example/x", "::");
	find("bad.example/x",
	     "error: find the login for 'bad.example': ask 'docker-credential-bad' for a login: exit status 1");
	find("odd.example/x", "error: ");
	find("big.example/x", "error: ");
	find("gone.example/x", "error: find the login for 'gone.example': ask 'docker-credential-gone'");
	find("evil.example/x", "error: find the login for 'evil.example': '../one' is no name");
	find("shell.example/x", "error: find the login for 'shell.example': 'one;id' is no name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_auths), cmocka_unit_test(test_files),
					   cmocka_unit_test(of_a_user_without_a_session),
					   cmocka_unit_test(test_helpers)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
