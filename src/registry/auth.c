/* SPDX-License-Identifier: Apache-2.0 */
#include "auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/base64.h"
#include "xbuild/base/limits.h"
#include "xbuild/registry/challenge.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/json.h"

#define CLIENT_ID	  "xbuild"
#define MAX_TOKEN_BYTES	  (64 * 1024)
#define DEFAULT_TOKEN_SEC 60 /* Docker, "Token Authentication Specification" */
#define MAX_TOKEN_SEC	  (24 * 3600)
#define MARGIN_MS	  5000 /* a token that ends so soon is renewed before it is used; of a short one half its life */

void auth_release(struct auth *auth)
{
	xb_credentials_release(&auth->credentials);
	for (size_t i = 0; i < auth->scopes.len; i++)
		free(auth->scopes.entries[i].value);
	xb_map_release(&auth->scopes);
	free(auth->realm);
	free(auth->service);
	free(auth->header);
}

/* ---- scopes: type:name:action,action ---- */

static bool has_action(const char *list, struct xb_sv action)
{
	struct xb_sv rest = xb_sv(list);

	while (rest.ptr)
		if (xb_sv_eq(xb_sv_cut(&rest, ','), action))
			return true;
	return false;
}

static void need_scope(struct auth *auth, struct xb_sv resource, struct xb_sv actions)
{
	struct xb_str all = {0};
	char *old = xb_map_get(&auth->scopes, resource);
	const size_t old_len = old ? strlen(old) : 0;

	xb_str_append(&all, old ? old : "");
	while (actions.ptr) {
		const struct xb_sv action = xb_sv_cut(&actions, ',');

		if (!action.len || has_action(xb_str_get(&all), action))
			continue;
		if (all.len)
			xb_str_append_char(&all, ',');
		xb_str_append_sv(&all, action);
	}
	/* a token of before does not have it */
	if (all.len > old_len)
		auth->renew_ms = 0;
	free(xb_map_put(&auth->scopes, resource, xb_str_steal(&all)));
}

void auth_need_scope(struct xb_repository *repo, const char *repository, const char *actions)
{
	char *resource XB_CLEANUP(xb_free_ptr) = xb_printf("repository:%s", repository);

	pthread_mutex_lock(&repo->lock);
	need_scope(&repo->auth, xb_sv(resource), xb_sv(actions));
	pthread_mutex_unlock(&repo->lock);
}

void auth_drop_scope(struct xb_repository *repo, const char *repository)
{
	char *resource XB_CLEANUP(xb_free_ptr) = xb_printf("repository:%s", repository);

	pthread_mutex_lock(&repo->lock);
	free(xb_map_put(&repo->auth.scopes, xb_sv(resource), NULL));
	pthread_mutex_unlock(&repo->lock);
}

/* The scopes that a challenge names: blanks between them. */
static void need_challenged(struct auth *auth, const char *scopes)
{
	struct xb_sv rest = xb_sv(scopes);

	while (rest.ptr) {
		const struct xb_sv scope = xb_sv_cut(&rest, ' ');
		size_t colon = scope.len;

		while (colon > 0 && scope.ptr[colon - 1] != ':')
			colon--;
		if (colon > 1 && auth->scopes.len < 16)
			need_scope(auth, xb_sv_n(scope.ptr, colon - 1), xb_sv_n(scope.ptr + colon, scope.len - colon));
	}
}

/* ---- token servers ---- */

/* RFC 3986 2.1 */
static void append_encoded(const char *text, struct xb_str *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (const char *c = text; *c; c++) {
		if (strchr(plain, *c))
			xb_str_append_char(out, *c);
		else
			xb_str_printf(out, "%%%02X", (unsigned char)*c);
	}
}

static void append_param(const char *name, const char *value, struct xb_str *out)
{
	if (out->len && !strchr("?&", out->data[out->len - 1]))
		xb_str_append_char(out, '&');
	xb_str_printf(out, "%s=", name);
	append_encoded(value, out);
}

static char *basic_header(const struct xb_credentials *c)
{
	struct xb_str plain = {0}, header = {0};

	if (!c->username || !c->password)
		return NULL;
	xb_str_printf(&plain, "%s:%s", c->username, c->password);
	xb_str_append(&header, "Basic ");
	xb_base64_encode(plain.data, plain.len, &header);
	xb_str_release(&plain);
	return xb_str_steal(&header);
}

/* What would end the header line, or is not what a token is made of (RFC 6750 2.1, "b68token"; laxer here). */
static bool is_token(const char *text)
{
	size_t len = 0;

	for (; text[len]; len++)
		if (text[len] <= ' ' || text[len] > '~')
			return false;
	return len > 0 && len <= MAX_TOKEN_BYTES;
}

static int take_token(struct auth *auth, const struct xb_http_response *res, struct xb_err *err)
{
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	struct xb_err parse XB_CLEANUP(xb_err_release) = {0};
	const char *token;
	json_int_t life_ms;

	/* the parser's words quote the place, and the token may stand there */
	if (xb_json_parse(xb_str_sv(&res->body), "answer", &root, &parse) < 0)
		return xb_fail(err, XB_E_NETWORK, "the answer is not JSON");
	token = json_string_value(json_object_get(root, "token"));
	if (!token || !*token)
		token = json_string_value(json_object_get(root, "access_token"));
	if (!token || !is_token(token))
		return xb_fail(err, XB_E_NETWORK, "the answer has no token");
	life_ms = json_integer_value(json_object_get(root, "expires_in"));
	if (life_ms <= 0)
		life_ms = DEFAULT_TOKEN_SEC;
	life_ms = (life_ms < MAX_TOKEN_SEC ? life_ms : MAX_TOKEN_SEC) * 1000;
	free(auth->header);
	auth->header = xb_printf("Bearer %s", token);
	auth->renew_ms = xb_host_monotonic_ms() + life_ms - (life_ms / 2 < MARGIN_MS ? life_ms / 2 : MARGIN_MS);
	auth->generation++;
	return 0;
}

/* A request to the token server, tried again like those to the registry. */
static int ask(struct xb_repository *repo, const struct xb_http_request *req, struct xb_http_response *res,
	       struct xb_err *err)
{
	for (int tries = 1;; tries++) {
		struct xb_http *http;
		bool passing;
		int rc;

		if (registry_borrow(repo->registry, &http, err) < 0)
			return err->code;
		rc = xb_http_run(http, req, res, err);
		registry_return(repo->registry, http);
		passing = rc < 0 ? res->is_passing : registry_is_passing_status(res->status);
		if (!passing || tries > XB_MAX_RETRIES)
			return rc;
		xb_err_clear(err);
		if (registry_pause(repo->registry, tries, rc < 0 ? 0 : res->retry_after_sec, err) < 0)
			return err->code;
	}
}

/* "OAuth2" of Docker: an identity token is a refresh token. The body is a secret: it is not sent to anybody else. */
static int ask_with_identity(struct xb_repository *repo, struct xb_http_response *res, struct xb_err *err)
{
	const struct auth *auth = &repo->auth;
	static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
	struct xb_str form XB_CLEANUP(xb_str_release) = {0}, scope XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < auth->scopes.len; i++) {
		if (auth->scopes.entries[i].value)
			xb_str_printf(&scope, "%s%s:%s", scope.len ? " " : "", auth->scopes.entries[i].key,
				      (const char *)auth->scopes.entries[i].value);
	}
	append_param("grant_type", "refresh_token", &form);
	append_param("service", auth->service ? auth->service : "", &form);
	append_param("client_id", CLIENT_ID, &form);
	append_param("scope", xb_str_get(&scope), &form);
	append_param("refresh_token", auth->credentials.identity_token, &form);
	const struct xb_http_body body = {.bytes = form.data, .fd = -1, .size_bytes = (int64_t)form.len};

	return ask(repo,
		   &(struct xb_http_request){.method = "POST",
					     .url = auth->realm,
					     .headers = headers,
					     .body = &body,
					     .no_redirects = true,
					     .max_answer_bytes = XB_MIB},
		   res, err);
}

static int ask_with_password(struct xb_repository *repo, struct xb_http_response *res, struct xb_err *err)
{
	const struct auth *auth = &repo->auth;
	char *basic XB_CLEANUP(xb_free_ptr) = basic_header(&auth->credentials);
	struct xb_str url XB_CLEANUP(xb_str_release) = {0};

	xb_str_append(&url, auth->realm);
	if (!strchr(auth->realm, '?'))
		xb_str_append_char(&url, '?');
	if (auth->service)
		append_param("service", auth->service, &url);
	for (size_t i = 0; i < auth->scopes.len; i++) {
		char *scope XB_CLEANUP(xb_free_ptr) =
			xb_printf("%s:%s", auth->scopes.entries[i].key, (const char *)auth->scopes.entries[i].value);

		if (auth->scopes.entries[i].value)
			append_param("scope", scope, &url);
	}
	return ask(repo,
		   &(struct xb_http_request){
			   .method = "GET", .url = url.data, .authorization = basic, .max_answer_bytes = XB_MIB},
		   res, err);
}

static int hint_refused(const struct auth *auth, struct xb_err *err)
{
	return xb_hint(err, "the login in '%s' is refused: log in again with 'docker login' or 'podman login'",
		       auth->credentials.source);
}

static int fetch_token(struct xb_repository *repo, struct xb_err *err)
{
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct auth *auth = &repo->auth;
	struct xb_str where XB_CLEANUP(xb_str_release) = {0};
	int rc = 0;

	if (auth->credentials.identity_token)
		rc = ask_with_identity(repo, &res, err);
	/* token servers of before OAuth2 do not know the POST */
	if (rc == 0 && (!auth->credentials.identity_token || res.status == 404 || res.status == 405))
		rc = ask_with_password(repo, &res, err);
	if (rc == 0 && res.status == 200)
		rc = take_token(auth, &res, err);
	else if (rc == 0)
		rc = xb_fail(err, res.status == 401 || res.status == 403 ? XB_E_USAGE : XB_E_NETWORK,
			     "the token server answers %d", res.status);
	if (rc == 0)
		return 0;
	xb_http_plain_url(auth->realm, &where);
	xb_wrap(err, "log in to '%s' at %s", repo->ref.registry, where.data);
	if (err->code != XB_E_USAGE)
		return err->code;
	return auth->credentials.username || auth->credentials.identity_token
		       ? hint_refused(auth, err)
		       : xb_hint(err, "log in with 'docker login' or 'podman login', whose files are read here too");
}

/* ---- challenges ---- */

static int find_credentials(struct xb_repository *repo, struct xb_err *err)
{
	if (repo->auth.has_looked)
		return 0;
	if (xb_credentials_find(&repo->ref, repo->registry->opts.interrupted, &repo->auth.credentials, err) < 0)
		return err->code;
	repo->auth.has_looked = true;
	return 0;
}

static int answer_basic(struct xb_repository *repo, struct xb_err *err)
{
	struct auth *auth = &repo->auth;

	/* the same would be refused again */
	if (auth->scheme == AUTH_BASIC) {
		xb_fail(err, XB_E_USAGE, "log in to '%s': the registry refuses the name or the password",
			repo->ref.registry);
		return hint_refused(auth, err);
	}
	if (find_credentials(repo, err) < 0)
		return err->code;
	char *header = basic_header(&auth->credentials);

	if (!header)
		return 0;
	free(auth->header);
	auth->header = header;
	auth->scheme = AUTH_BASIC;
	auth->generation++;
	return 1;
}

/* A login goes over http to this machine, or to the very server that is spoken to by http; never to a third one. */
static int check_realm(const struct xb_repository *repo, const char *realm, struct xb_err *err)
{
	static const char http[] = "http://";
	struct xb_reference ref XB_CLEANUP(xb_reference_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_sv rest = xb_sv(realm);
	char *name XB_CLEANUP(xb_free_ptr) = NULL;

	if (!xb_sv_starts(rest, http))
		return 0;
	rest = xb_sv(realm + strlen(http));
	name = xb_printf("%.*s/realm", XB_SV_ARG(xb_sv_cut(&rest, '/')));
	if (xb_reference_parse(name, &ref, &ignored) == 0 &&
	    (ref.is_loopback || strcmp(ref.registry, repo->ref.registry) == 0))
		return 0;
	xb_fail(err, XB_E_NETWORK, "the registry sends logins by http to '%s'", realm);
	return xb_hint(err, "a token server of another machine has to speak https");
}

static int answer_bearer(struct xb_repository *repo, const struct xb_challenge *challenge, struct xb_err *err)
{
	struct auth *auth = &repo->auth;
	const char *service = xb_challenge_param(challenge, "service");
	const char *scope = xb_challenge_param(challenge, "scope");
	char *realm = NULL;

	if (find_credentials(repo, err) < 0)
		return err->code;
	/* refuses http where the registry speaks https */
	if (xb_http_resolve(repo->base, xb_challenge_param(challenge, "realm"), &realm, err) < 0)
		return xb_wrap(err, "log in to '%s'", repo->ref.registry);
	if (check_realm(repo, realm, err) < 0) {
		free(realm);
		return xb_wrap(err, "log in to '%s'", repo->ref.registry);
	}
	free(auth->realm);
	free(auth->service);
	auth->realm = realm;
	auth->service = service ? xb_strdup(service) : NULL;
	if (scope)
		need_challenged(auth, scope);
	auth->scheme = AUTH_BEARER;
	return fetch_token(repo, err) < 0 ? err->code : 1;
}

/* Bearer before Basic: it shows the password to the token server alone. */
static int answer(struct xb_repository *repo, const struct xb_http_response *res, struct xb_err *err)
{
	struct xb_challenge c XB_CLEANUP(xb_challenge_release) = {0};
	bool basic = false;
	struct xb_sv value;

	for (size_t i = 0; (value = xb_http_header(res, "WWW-Authenticate", i)).ptr; i++) {
		while (xb_challenge_next(&value, &c)) {
			const char *error = xb_challenge_param(&c, "error");
			const bool asks = res->status == 401 || (error && strcmp(error, "insufficient_scope") == 0);

			if (asks && strcasecmp(c.scheme, "Bearer") == 0 && xb_challenge_param(&c, "realm"))
				return answer_bearer(repo, &c, err);
			basic = basic || (asks && strcasecmp(c.scheme, "Basic") == 0);
			xb_challenge_release(&c);
		}
	}
	return basic ? answer_basic(repo, err) : 0;
}

int auth_answer(struct xb_repository *repo, const struct xb_http_response *res, unsigned generation, struct xb_err *err)
{
	int rc = 2;

	pthread_mutex_lock(&repo->lock);
	if (repo->auth.generation == generation)
		rc = answer(repo, res, err);
	pthread_mutex_unlock(&repo->lock);
	return rc;
}

int auth_header(struct xb_repository *repo, char **out, unsigned *out_generation, struct xb_err *err)
{
	struct auth *auth = &repo->auth;
	int rc = 0;

	pthread_mutex_lock(&repo->lock);
	if (auth->scheme == AUTH_BEARER && auth->renew_ms <= xb_host_monotonic_ms())
		rc = fetch_token(repo, err);
	if (rc == 0) {
		*out = auth->header ? xb_strdup(auth->header) : NULL;
		*out_generation = auth->generation;
	}
	pthread_mutex_unlock(&repo->lock);
	return rc;
}
