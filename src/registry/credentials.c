/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/credentials.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/base64.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"
#include "xbuild/sys/proc.h"

#define MAX_FILE_BYTES	  XB_MIB
#define MAX_ANSWER_BYTES  (64 * 1024)
#define HELPER_TIMEOUT_MS 30000
#define HELPER_NONE	  "credentials not found in native keychain" /* docker-credential-helpers, credentials/error.go */
#define HELPER_TOKEN	  "<token>"			/* in the place of a name: the secret is an identity token */
#define DOCKER_SERVER	  "https://index.docker.io/v1/" /* how Docker Hub is called in all these files */

extern char **environ;

static void wipe(char *text)
{
	volatile char *p = text;

	while (p && *p)
		*p++ = '\0';
	free(text);
}

void xb_credentials_release(struct xb_credentials *c)
{
	if (!c)
		return;
	wipe(c->username);
	wipe(c->password);
	wipe(c->identity_token);
	free(c->source);
	*c = (struct xb_credentials){0};
}

static void release_secret(struct xb_str *text)
{
	if (text->data)
		wipe(xb_str_steal(text));
}

static bool is_known(const struct xb_credentials *c)
{
	return c->identity_token || (c->username && c->password);
}

/* ---- keys ---- */

/* "https://host/v1/" and "host" are the same key; docker wrote the one, later versions the other. */
static struct xb_sv bare_key(const char *key)
{
	struct xb_sv sv = xb_sv(key);
	const char *scheme = strstr(key, "://");

	if (scheme)
		sv = xb_sv(scheme + 3);
	while (xb_sv_ends(sv, "/"))
		sv.len--;
	if (xb_sv_ends(sv, "/v1") || xb_sv_ends(sv, "/v2"))
		sv.len -= 3;
	return sv;
}

static bool is_host(struct xb_sv name, const struct xb_reference *ref)
{
	static const char *const hub[] = {"docker.io", "index.docker.io", "registry-1.docker.io"};

	if (strcmp(ref->registry, "docker.io") == 0)
		for (size_t i = 0; i < XB_COUNT(hub); i++)
			if (xb_sv_eq_str(name, hub[i]))
				return true;
	return name.len == strlen(ref->host) && strncasecmp(name.ptr, ref->host, name.len) == 0;
}

/* How much of "host/repository" the key names, 0 when it names something else (containers-auth.json(5)). */
static size_t key_fits(const char *key, const struct xb_reference *ref)
{
	const struct xb_sv bare = bare_key(key);
	struct xb_sv path = bare;
	const struct xb_sv host = xb_sv_cut(&path, '/');

	if (!is_host(host, ref))
		return 0;
	if (!path.ptr)
		return bare.len;
	if (strncmp(ref->repository, path.ptr, path.len) != 0 ||
	    (ref->repository[path.len] != '\0' && ref->repository[path.len] != '/'))
		return 0;
	return bare.len;
}

/* The member whose key fits best, or NULL. */
static const json_t *best_member(const json_t *object, const struct xb_reference *ref)
{
	const json_t *best = NULL, *value;
	const char *key;
	size_t most = 0;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const size_t fits = key_fits(key, ref);

		if (fits > most) {
			most = fits;
			best = value;
		}
	}
	return best;
}

/* ---- entries of `auths` ---- */

static int read_auth(const char *text, const char *path, struct xb_credentials *out, struct xb_err *err)
{
	struct xb_str plain XB_CLEANUP(release_secret) = {0};
	char *colon;

	if (!xb_base64_decode(xb_sv(text), &plain) || !(colon = strchr(xb_str_get(&plain), ':')))
		return xb_fail(err, XB_E_INPUT, "%s: an 'auth' is not base64 of NAME:PASSWORD", path);
	*colon = '\0';
	/* the password ends at a NUL: old versions of docker pad with them */
	out->username = xb_strdup(plain.data);
	out->password = xb_strdup(colon + 1);
	*colon = ':';
	return 0;
}

static int read_entry(const json_t *entry, const char *path, struct xb_credentials *out, struct xb_err *err)
{
	const char *auth = json_string_value(json_object_get(entry, "auth"));
	const char *token = json_string_value(json_object_get(entry, "identitytoken"));
	const char *username = json_string_value(json_object_get(entry, "username"));
	const char *password = json_string_value(json_object_get(entry, "password"));

	if (auth && *auth && read_auth(auth, path, out, err) < 0)
		return err->code;
	if (token && *token)
		out->identity_token = xb_strdup(token);
	if (!out->username && username && *username && password) {
		out->username = xb_strdup(username);
		out->password = xb_strdup(password);
	}
	return 0;
}

/* ---- programs ---- */

static int run_helper(const char *program, const char *server, const volatile int *interrupted,
		      struct xb_proc_result *out, struct xb_err *err)
{
	const char *const argv[] = {program, "get", NULL};
	const struct xb_proc_spec spec = {
		.argv = argv,
		/* they find their keychain by HOME, DBUS_SESSION_BUS_ADDRESS, AWS_PROFILE ... */
		.env = (const char *const *)(void *)environ,
		.input = server,
		.split_output = true,
		.max_output = MAX_ANSWER_BYTES,
		.timeout_ms = HELPER_TIMEOUT_MS};
	struct xb_procs *procs = xb_procs_new();
	void *user;
	int got = xb_procs_start(procs, &spec, NULL, err);

	if (got >= 0)
		got = xb_procs_wait(procs, -1, interrupted, &user, out, err);
	xb_procs_free(procs);
	if (got == 0)
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
	return got < 0 ? got : 0;
}

static int take_answer(const struct xb_proc_result *r, const char *program, struct xb_credentials *out,
		       struct xb_err *err)
{
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const char *username, *secret;
	struct xb_err parse XB_CLEANUP(xb_err_release) = {0};

	if (r->cut || xb_json_parse(xb_str_sv(&r->output), "answer", &root, &parse) < 0)
		return xb_fail(err, XB_E_SYSTEM, "ask '%s' for a login: its answer is not the JSON that was expected",
			       program);
	username = json_string_value(json_object_get(root, "Username"));
	secret = json_string_value(json_object_get(root, "Secret"));
	if (!username || !secret || !*secret)
		return 0;
	if (strcmp(username, HELPER_TOKEN) == 0) {
		out->identity_token = xb_strdup(secret);
	} else {
		out->username = xb_strdup(username);
		out->password = xb_strdup(secret);
	}
	return 0;
}

/* Nothing that the program says is shown: it may be the secret. */
static int ask_helper(const char *name, const struct xb_reference *ref, const volatile int *interrupted,
		      struct xb_credentials *out, struct xb_err *err)
{
	const char *server = strcmp(ref->registry, "docker.io") == 0 ? DOCKER_SERVER : ref->host;
	char *program XB_CLEANUP(xb_free_ptr) = xb_printf("docker-credential-%s", name);
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};
	char how[96];
	int rc;

	if (!*name || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name))
		return xb_fail(err, XB_E_INPUT, "'%.64s' is no name of a credential helper", name);
	char *path XB_CLEANUP(xb_free_ptr) = xb_proc_find(program);

	if (!path) {
		xb_fail(err, XB_E_SYSTEM, "ask '%s' for a login: there is no such program in PATH", program);
		return xb_hint(err, "install it, or take it out of 'credsStore' and 'credHelpers'");
	}
	if (run_helper(path, server, interrupted, &r, err) < 0)
		return xb_wrap(err, "ask '%s' for a login", program);
	if (r.exit_code == 0)
		rc = take_answer(&r, program, out, err);
	else if (strstr(xb_str_get(&r.output), HELPER_NONE) || strstr(xb_str_get(&r.errors), HELPER_NONE))
		rc = 0;
	else
		rc = xb_fail(err, XB_E_SYSTEM, "ask '%s' for a login: %s", program,
			     r.timed_out ? "it did not answer in time" : xb_proc_describe(&r, how, sizeof(how)));
	release_secret(&r.output);
	return rc;
}

/* ---- files ---- */

/* *out stays NULL where there is no such file. */
static int read_file(const char *path, json_t **out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(release_secret) = {0};
	struct xb_err parse XB_CLEANUP(xb_err_release) = {0};

	if (xb_fs_read(path, MAX_FILE_BYTES, &text, err) < 0) {
		if (err->code == XB_E_NOT_FOUND)
			xb_err_clear(err);
		return err->code;
	}
	/* the parser's words quote the place, and a secret may stand there */
	if (xb_json_parse(xb_str_sv(&text), path, out, &parse) < 0)
		return xb_fail(err, XB_E_INPUT, "'%s' is not valid JSON", path);
	return 0;
}

static int look_in(const char *path, const struct xb_reference *ref, const volatile int *interrupted,
		   struct xb_credentials *out, struct xb_err *err)
{
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const char *helper, *store;
	const json_t *entry;

	if (read_file(path, &root, err) < 0)
		return err->code;
	helper = json_string_value(best_member(json_object_get(root, "credHelpers"), ref));
	if (helper)
		return ask_helper(helper, ref, interrupted, out, err);
	entry = best_member(json_object_get(root, "auths"), ref);
	if (entry && read_entry(entry, path, out, err) < 0)
		return err->code;
	/* `docker login` leaves an empty entry where the secret went into the store */
	store = json_string_value(json_object_get(root, "credsStore"));
	if (!is_known(out) && store && *store)
		return ask_helper(store, ref, interrupted, out, err);
	return 0;
}

/* Of podman and its kin, containers-auth.json(5): the runtime directory, and what stands in for it without one. */
static char *containers_file(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *run = getenv("XBUILD_TEST_RUN_DIR");

	return runtime && *runtime
		       ? xb_printf("%s/containers/auth.json", runtime)
		       : xb_printf("%s/containers/%lu/auth.json", run && *run ? run : "/run", (unsigned long)getuid());
}

static char *config_file(const char *home)
{
	const char *config = getenv("XDG_CONFIG_HOME");

	if (config && *config)
		return xb_printf("%s/containers/auth.json", config);
	return home && *home ? xb_printf("%s/.config/containers/auth.json", home) : NULL;
}

int xb_credentials_find(const struct xb_reference *ref, const volatile int *interrupted, struct xb_credentials *out,
			struct xb_err *err)
{
	const char *docker = getenv("DOCKER_CONFIG"), *home = getenv("HOME"), *file = getenv("REGISTRY_AUTH_FILE");
	char *of_docker XB_CLEANUP(xb_free_ptr) = NULL;
	char *of_containers XB_CLEANUP(xb_free_ptr) = containers_file();
	char *of_config XB_CLEANUP(xb_free_ptr) = config_file(home);

	if (docker && *docker)
		of_docker = xb_printf("%s/config.json", docker);
	else if (home && *home)
		of_docker = xb_printf("%s/.docker/config.json", home);
	const char *const paths[] = {of_docker, file, of_containers, of_config};

	for (size_t i = 0; i < XB_COUNT(paths); i++) {
		struct xb_credentials found XB_CLEANUP(xb_credentials_release) = {0};

		if (!paths[i] || !*paths[i])
			continue;
		if (look_in(paths[i], ref, interrupted, &found, err) < 0)
			return xb_wrap(err, "find the login for '%s'", ref->registry);
		if (is_known(&found)) {
			found.source = xb_strdup(paths[i]);
			*out = found;
			found = (struct xb_credentials){0};
			return 0;
		}
	}
	return 0;
}
