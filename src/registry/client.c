/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/json.h"

#define DEFAULT_BACKOFF_MS 500
#define MAX_PAUSE_SEC	   120
#define STALL_SEC	   60 /* registries hash and store before they answer */
#define TICK_MS		   100
#define MAX_LOGINS	   2  /* answers to challenges in one call: a token that has expired, a scope that is missing */
#define MAX_CHALLENGES	   20 /* those included that other threads answered, and whose tokens they used up */
#define MAX_SHOWN_BYTES	   300
#define PROBE_SEC	   5

/* ---- connections ---- */

struct xb_registry *xb_registry_open(const struct xb_registry_opts *opts)
{
	struct xb_registry *registry = xb_alloc(sizeof(*registry));

	registry->opts = *opts;
	pthread_mutex_init(&registry->lock, NULL);
	return registry;
}

void xb_registry_close(struct xb_registry *registry)
{
	if (!registry)
		return;
	for (size_t i = 0; i < registry->idle.len; i++)
		xb_http_close(registry->idle.items[i]);
	XB_VEC_RELEASE(&registry->idle);
	xb_map_release(&registry->warned);
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

int registry_borrow(struct xb_registry *registry, struct xb_http **out, struct xb_err *err)
{
	const struct xb_http_opts opts = {.ca_file = registry->opts.ca_file,
					  .insecure = registry->opts.insecure,
					  .stall_sec = STALL_SEC,
					  .interrupted = registry->opts.interrupted};
	struct xb_http *http = NULL;

	pthread_mutex_lock(&registry->lock);
	/* the last one that was given back: its connection is the least likely to have been closed */
	if (registry->idle.len)
		http = registry->idle.items[--registry->idle.len];
	pthread_mutex_unlock(&registry->lock);
	if (!http && xb_http_open(&opts, &http, err) < 0)
		return err->code;
	*out = http;
	return 0;
}

void registry_return(struct xb_registry *registry, struct xb_http *http)
{
	pthread_mutex_lock(&registry->lock);
	XB_VEC_PUSH(&registry->idle, http);
	pthread_mutex_unlock(&registry->lock);
}

/* ---- repositories ---- */

struct xb_repository *xb_repository_open(struct xb_registry *registry, const struct xb_reference *ref, bool writes)
{
	struct xb_repository *repo = xb_alloc(sizeof(*repo));

	repo->registry = registry;
	repo->ref = *ref;
	repo->ref.registry = xb_strdup(ref->registry);
	repo->ref.host = xb_strdup(ref->host);
	repo->ref.repository = xb_strdup(ref->repository);
	repo->ref.tag = ref->tag ? xb_strdup(ref->tag) : NULL;
	pthread_mutex_init(&repo->lock, NULL);
	auth_need_scope(repo, ref->repository, writes ? "pull,push" : "pull");
	return repo;
}

void xb_repository_close(struct xb_repository *repo)
{
	if (!repo)
		return;
	auth_release(&repo->auth);
	xb_reference_release(&repo->ref);
	free(repo->base);
	pthread_mutex_destroy(&repo->lock);
	free(repo);
}

/* With --insecure: https if the server speaks it (with any certificate), else http. */
static int probe_https(struct xb_repository *repo, bool *out, struct xb_err *err)
{
	char *url XB_CLEANUP(xb_free_ptr) = xb_printf("https://%s/v2/", repo->ref.host);
	const struct xb_http_request req = {
		.method = "GET", .url = url, .max_answer_bytes = XB_MIB, .no_redirects = true};
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct xb_http *http;
	int rc;

	if (registry_borrow(repo->registry, &http, err) < 0)
		return err->code;
	rc = xb_http_run(http, &req, &res, err);
	registry_return(repo->registry, http);
	if (rc < 0 && rc != XB_E_NETWORK)
		return rc;
	*out = rc == 0;
	xb_err_clear(err);
	return 0;
}

static int find_base(struct xb_repository *repo, struct xb_err *err)
{
	const struct xb_registry_opts *opts = &repo->registry->opts;
	bool https = !repo->ref.is_loopback || opts->ca_file;

	if (repo->base)
		return 0;
	if (opts->insecure && probe_https(repo, &https, err) < 0)
		return err->code;
	repo->base = xb_printf("%s://%s/v2/%s", https ? "https" : "http", repo->ref.host, repo->ref.repository);
	return 0;
}

int registry_url(struct xb_repository *repo, char **out, struct xb_err *err, const char *path, ...)
{
	va_list args;
	int rc;

	pthread_mutex_lock(&repo->lock);
	rc = find_base(repo, err);
	pthread_mutex_unlock(&repo->lock);
	if (rc < 0)
		return rc;
	va_start(args, path);
	char *tail XB_CLEANUP(xb_free_ptr) = xb_vprintf(path, args);
	va_end(args);
	*out = xb_printf("%s%s", repo->base, tail);
	return 0;
}

/* ---- pauses ---- */

bool registry_is_passing_status(int status)
{
	static const int passing[] = {408, 429, 499, 500, 502, 503, 504, 522};

	for (size_t i = 0; i < XB_COUNT(passing); i++)
		if (status == passing[i])
			return true;
	return false;
}

/* Between a half and the whole, so that clients that failed together do not come back together. */
static int64_t vary(int64_t ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ms / 2 + (int64_t)((uint64_t)now.tv_nsec * 2654435761U % ((uint64_t)ms / 2 + 1));
}

int registry_pause(const struct xb_registry *registry, int tries, int64_t retry_after_sec, struct xb_err *err)
{
	int64_t ms = registry->opts.backoff_ms > 0 ? registry->opts.backoff_ms : DEFAULT_BACKOFF_MS;
	int64_t until;

	if (retry_after_sec > MAX_PAUSE_SEC)
		return xb_fail(err, XB_E_NETWORK, "the server asks to wait %lld s", (long long)retry_after_sec);
	for (int i = 1; i < tries && ms < MAX_PAUSE_SEC * 1000; i++)
		ms *= 2;
	ms = retry_after_sec > 0 ? retry_after_sec * 1000 : vary(ms);
	until = xb_host_monotonic_ms() + ms;
	while (!registry->opts.interrupted || !*registry->opts.interrupted) {
		const int64_t left = until - xb_host_monotonic_ms();
		const int64_t step = left < TICK_MS ? left : TICK_MS;

		if (left <= 0)
			return 0;
		nanosleep(&(struct timespec){.tv_nsec = (long)step * 1000000}, NULL);
	}
	return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
}

/* ---- answers ---- */

/* Warning: 299 - "text" (distribution-spec "Warnings"; RFC 7234 5.5). */
static void tell_warnings(struct xb_registry *registry, const struct xb_repository *repo,
			  const struct xb_http_response *res)
{
	struct xb_sv value;

	for (size_t i = 0; (value = xb_http_header(res, "Warning", i)).ptr; i++) {
		bool is_new;

		if (!xb_sv_starts(value, "299 - \"") || value.len < 9)
			continue;
		char *text XB_CLEANUP(xb_free_ptr) = xb_printf(
			"%s warns: %.*s", repo->ref.registry,
			(int)(value.len - 8 < MAX_SHOWN_BYTES ? value.len - 8 : MAX_SHOWN_BYTES), value.ptr + 7);

		pthread_mutex_lock(&registry->lock);
		is_new = registry->warned.len < 16 && !xb_map_has(&registry->warned, xb_sv(text));
		if (is_new)
			xb_map_put_str(&registry->warned, text, registry);
		pthread_mutex_unlock(&registry->lock);
		if (is_new)
			xb_observe(registry->opts.observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = text});
	}
}

/* errors[0] of the body (distribution-spec "Error Codes"), else nothing: many a proxy sends a page of HTML. */
static void append_words(const struct xb_http_response *res, struct xb_str *out)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const json_t *first;
	const char *code, *message;

	if (!res->body.len || xb_json_parse(xb_str_sv(&res->body), "answer", &root, &ignored) < 0)
		return;
	first = json_array_get(json_object_get(root, "errors"), 0);
	code = json_string_value(json_object_get(first, "code"));
	message = json_string_value(json_object_get(first, "message"));
	if (code)
		xb_str_printf(out, " %.60s", code);
	if (message)
		xb_str_printf(out, ": %.*s", MAX_SHOWN_BYTES, message);
}

int registry_refused(const struct registry_call *call, const struct xb_http_response *res, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	enum xb_code code = XB_E_NETWORK;

	if (res->status == 404)
		code = XB_E_NOT_FOUND;
	else if (res->status == 401 || res->status == 403)
		code = XB_E_USAGE;
	xb_http_plain_url(res->url ? res->url : call->url, &text);
	xb_str_printf(&text, ": %d", res->status);
	append_words(res, &text);
	xb_fail(err, code, "%s %s", call->method, text.data);
	if (res->status == 401)
		return xb_hint(err, "log in with 'docker login' or 'podman login', whose files are read here too");
	if (res->status == 403)
		return xb_hint(err, "the login that was found may not do this");
	return err->code;
}

/* ---- calls ---- */

/* One try, with one answer to a challenge or two. */
static int call_with_login(struct xb_repository *repo, const struct registry_call *call, struct xb_http_response *res,
			   struct xb_err *err)
{
	struct xb_http_request req = {.method = call->method,
				      .url = call->url,
				      .headers = call->headers,
				      .origin = repo->base,
				      .body = call->body,
				      .stall_sec = call->stall_sec,
				      .max_answer_bytes = call->max_answer_bytes ? call->max_answer_bytes
										 : XB_MAX_OCI_DOCUMENT_BYTES,
				      .sink = call->sink,
				      .ctx = call->ctx};

	for (int logins = 0, challenges = 0;; challenges++) {
		char *authorization XB_CLEANUP(xb_free_ptr) = NULL;
		unsigned generation = 0;
		struct xb_http *http;
		int rc;

		if (auth_header(repo, &authorization, &generation, err) < 0 ||
		    registry_borrow(repo->registry, &http, err) < 0)
			return err->code;
		req.authorization = authorization;
		rc = xb_http_run(http, &req, res, err);
		registry_return(repo->registry, http);
		if (rc < 0)
			return rc;
		/* A challenge of somebody whom the registry redirects to is not for our login. */
		if ((res->status != 401 && res->status != 403) || logins == MAX_LOGINS ||
		    challenges == MAX_CHALLENGES || !xb_http_same_origin(res->url, repo->base))
			return 0;
		rc = auth_answer(repo, res, generation, err);
		if (rc <= 0)
			return rc;
		logins += rc == 1;
	}
}

/* ---- next steps ---- */

static int hint_unreached(const struct xb_repository *repo, struct xb_err *err)
{
	if (repo->ref.is_loopback)
		return xb_hint(err, "does a registry listen at %s? start it, or correct the port", repo->ref.host);
	return xb_hint(err, "is this machine online, and '%s' the registry's name and port?", repo->ref.host);
}

/* Any certificate will do: nothing but the greeting is asked for, and no login goes along. */
static bool speaks_tls(const struct xb_repository *repo)
{
	const struct xb_http_opts opts = {
		.insecure = true, .stall_sec = PROBE_SEC, .interrupted = repo->registry->opts.interrupted};
	char *url XB_CLEANUP(xb_free_ptr) = xb_printf("https://%s/v2/", repo->ref.host);
	const struct xb_http_request req = {
		.method = "GET", .url = url, .max_answer_bytes = XB_MIB, .no_redirects = true};
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_http *http = NULL;
	const bool speaks = xb_http_open(&opts, &http, &ignored) == 0 && xb_http_run(http, &req, &res, &ignored) == 0;

	xb_http_close(http);
	return speaks;
}

/*
 * Loopback is http unless something says otherwise. A server that expects TLS there answers 400 or hangs up. Takes and returns
 * the result of the call.
 */
static int explain(const struct xb_repository *repo, const struct registry_call *call,
		   const struct xb_http_response *res, int rc, struct xb_err *err)
{
	const struct xb_registry_opts *opts = &repo->registry->opts;
	const bool may_be_tls = rc == 0 ? res->status == 400 : rc == XB_E_NETWORK && res->status == 0;
	struct xb_str plain XB_CLEANUP(xb_str_release) = {0};

	if (rc == XB_E_NETWORK && res->is_unreached)
		return hint_unreached(repo, err);
	if (!may_be_tls || !repo->ref.is_loopback || opts->ca_file || opts->insecure || !speaks_tls(repo))
		return rc;
	xb_err_clear(err);
	xb_http_plain_url(call->url, &plain);
	xb_fail(err, XB_E_NETWORK, "%s %s: the registry speaks TLS, and addresses of this machine are asked by http",
		call->method, plain.data);
	return xb_hint(err, "name the authority of its certificate with --ca FILE, or take --insecure");
}

static int call_with_tries(struct xb_repository *repo, const struct registry_call *call, struct xb_http_response *res,
			   struct xb_err *err)
{
	for (int tries = 1;; tries++) {
		struct xb_err pause XB_CLEANUP(xb_err_release) = {0};
		int rc = call_with_login(repo, call, res, err);
		const bool passing = rc < 0 ? res->is_passing : registry_is_passing_status(res->status);

		if (rc == 0)
			tell_warnings(repo->registry, repo, res);
		if (!passing || call->once || tries > XB_MAX_RETRIES)
			return rc;
		if (registry_pause(repo->registry, tries, rc < 0 ? 0 : res->retry_after_sec, &pause) < 0) {
			if (rc == 0)
				registry_refused(call, res, err);
			if (pause.code == XB_E_INTERRUPTED)
				xb_err_clear(err);
			if (pause.code == XB_E_INTERRUPTED)
				xb_err_move(err, &pause);
			else
				xb_hint(err, "%s", pause.msg);
			return err->code;
		}
		xb_err_clear(err);
	}
}

int registry_call(struct xb_repository *repo, const struct registry_call *call, struct xb_http_response *res,
		  struct xb_err *err)
{
	return explain(repo, call, res, call_with_tries(repo, call, res, err), err);
}
