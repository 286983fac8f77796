/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../skip.h"
#include "http_server.h"
#include "sample.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/fetch.h"
#include "xbuild/sys/host.h"

#define MAX_REQS 20

/* Requests against a server, with the right content known. */
struct bench {
	struct server server;
	struct xb_digest digest;
	struct xb_fetch_req reqs[MAX_REQS];
	size_t n;
	char *urls[MAX_REQS][4];
	struct xb_fetch_opts opts;
	struct xb_err err;
};

static int open_bench(void **state)
{
	struct bench *b = xb_alloc(sizeof(*b));
	struct xb_hasher h;
	xb_hasher_init(&h);
	for (size_t i = 0; i < SERVER_BYTES; i++) {
		char c = server_byte(i);
		xb_hasher_update(&h, &c, 1);
	}
	xb_hasher_final(&h, &b->digest);
	server_start(&b->server);
	b->opts = (struct xb_fetch_opts){.backoff_ms = 1, .stall_sec = 1, .phase = "fetch"};
	/* A proxy of the machine must not come between. */
	setenv("no_proxy", "*", 1);
	*state = b;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *b = *state;
	server_stop(&b->server);
	for (size_t i = 0; i < b->n; i++) {
		close(b->reqs[i].fd);
		xb_err_release(&b->reqs[i].err);
		for (size_t u = 0; u < 4; u++)
			free(b->urls[i][u]);
	}
	xb_err_release(&b->err);
	free(b);
	return 0;
}

/* Adds a request for these paths ("/a", or whole addresses), of the right content. */
static struct xb_fetch_req *want(struct bench *b, const char *first, const char *second)
{
	struct xb_fetch_req *req = &b->reqs[b->n];
	const char *paths[] = {first, second};
	*req = (struct xb_fetch_req){.label = "sample.deb", .size_bytes = SERVER_BYTES, .digest = &b->digest};
	for (size_t i = 0; i < 2 && paths[i]; i++)
		b->urls[b->n][req->n_urls++] = xb_printf("%s%s", paths[i][0] == '/' ? b->server.base : "", paths[i]);
	/* const char *const * from char ** needs a cast that C does not do by itself. */
	req->urls = (const char *const *)b->urls[b->n];
	req->fd = sample_fd("", 0);
	b->n++;
	return req;
}

static void route(struct bench *b, struct route r)
{
	size_t i = 0;
	while (b->server.routes[i].path)
		i++;
	r.range_at = -1;
	b->server.routes[i] = r;
}
#define ROUTE(b, p, k, ...) route(b, (struct route){.path = p, .kind = k, __VA_ARGS__})

static const struct route *seen(const struct bench *b, const char *path)
{
	for (size_t i = 0; b->server.routes[i].path; i++)
		if (strcmp(b->server.routes[i].path, path) == 0)
			return &b->server.routes[i];
	fail();
	return NULL;
}

static int run(struct bench *b)
{
	xb_err_clear(&b->err);
	for (size_t i = 0; i < b->n; i++)
		xb_err_clear(&b->reqs[i].err);
	int rc = xb_fetch_run(b->reqs, b->n, &b->opts, &b->err);
	assert_int_equal(rc, b->err.code);
	return rc;
}

static void expect_content(struct bench *b, const struct xb_fetch_req *req)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_digest digest;
	uint64_t size = 0;
	assert_int_equal(req->err.code, 0);
	assert_int_equal(lseek(req->fd, 0, SEEK_CUR), 0);
	assert_int_equal(xb_digest_fd(req->fd, &digest, &size, &err), 0);
	assert_int_equal(size, SERVER_BYTES);
	assert_true(xb_digest_eq(&digest, &b->digest));
	assert_true(xb_digest_eq(&req->got_digest, &b->digest));
	assert_int_equal(req->got_bytes, SERVER_BYTES);
}

static void expect_fetched(struct bench *b, const struct xb_fetch_req *req, size_t url)
{
	int rc = run(b);
	if (rc < 0)
		print_error("%s\n", b->err.msg);
	assert_int_equal(rc, 0);
	expect_content(b, req);
	assert_ptr_equal(req->got_url, req->urls[url]);
}

/* The message must name the label, the address and `word`; nothing is left in the file. */
static void expect_failed(struct bench *b, enum xb_code code, const char *word)
{
	int rc = run(b);
	if (rc != (int)code || !strstr(b->err.msg, word))
		print_error("%d '%s' has no '%s'\n", rc, b->err.msg ? b->err.msg : "", word);
	assert_int_equal(rc, code);
	assert_non_null(strstr(b->err.msg, word));
	assert_non_null(strstr(b->err.msg, "'sample.deb'"));
	assert_int_equal(b->reqs[0].err.code, code);
	assert_int_equal(lseek(b->reqs[0].fd, 0, SEEK_END), 0);
}

/* ---- the good cases ---- */

static void test_ok(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_OK);
	expect_fetched(b, want(b, "/a", NULL), 0);
	assert_int_equal(seen(b, "/a")->hits, 1);
}

static void test_unknown_size(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_CHUNKED);
	struct xb_fetch_req *req = want(b, "/a", NULL);
	req->size_bytes = -1;
	req->max_bytes = SERVER_BYTES;
	req->digest = NULL;
	expect_fetched(b, req, 0);
}

static void test_encoded(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_ENCODED);
	expect_fetched(b, want(b, "/a", NULL), 0);
}

static void test_nothing(void **state)
{
	struct bench *b = *state;
	assert_int_equal(run(b), 0);
}

static void test_empty_file(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_STATUS, .arg = 200);
	struct xb_fetch_req *req = want(b, "/a", NULL);
	struct xb_digest empty;
	xb_digest_bytes("", 0, &empty);
	req->size_bytes = 0;
	req->digest = &empty;
	assert_int_equal(run(b), 0);
	assert_int_equal(req->got_bytes, 0);
	assert_true(xb_digest_eq(&req->got_digest, &empty));
}

static void test_parallel(void **state)
{
	struct bench *b = *state;
	/* No answer comes before eight have asked. */
	ROUTE(b, "/a", SERVE_TOGETHER, .arg = 8);
	for (int i = 0; i < 16; i++)
		(void)want(b, "/a", NULL);
	assert_int_equal(run(b), 0);
	for (size_t i = 0; i < b->n; i++)
		expect_content(b, &b->reqs[i]);
	assert_int_equal(b->server.most_waiting, 8);
	/* Connections are used again. */
	assert_int_equal(b->server.connections, 8);
}

static void test_one_at_a_time(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_TOGETHER, .arg = 1);
	for (int i = 0; i < 4; i++)
		(void)want(b, "/a", NULL);
	b->opts.parallel = 1;
	assert_int_equal(run(b), 0);
	assert_int_equal(b->server.most_waiting, 1);
	assert_int_equal(b->server.connections, 1);
}

/* ---- interrupted transfers ---- */

static void test_resume(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_CUT);
	expect_fetched(b, want(b, "/a", NULL), 0);
	assert_int_equal(seen(b, "/a")->hits, 2);
	assert_int_equal(seen(b, "/a")->range_at, SERVER_CUT);
	assert_true(seen(b, "/a")->has_if_range);
}

static void test_resume_twice(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_CUT_ALWAYS);
	expect_fetched(b, want(b, "/a", NULL), 0);
	assert_int_equal(seen(b, "/a")->hits, 3);
	assert_int_equal(seen(b, "/a")->range_at, 2 * SERVER_CUT);
}

/* Whatever the server makes of the range, parts of different things are never put together. */
static void test_no_resume(void **state)
{
	static const struct {
		enum serve kind;
		int hits;
	} cases[] = {
		{SERVE_CUT_NO_RANGE, 2}, {SERVE_CUT_SHIFTED, 3}, {SERVE_CUT_CHANGED, 3},
		{SERVE_CUT_416, 3},	 {SERVE_CUT_NO_TAG, 2},	 {SERVE_CUT_SPLICED, 3},
	};
	static const char *const paths[] = {"/0", "/1", "/2", "/3", "/4", "/5"};
	struct bench *b = *state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		ROUTE(b, paths[i], cases[i].kind);
		(void)want(b, paths[i], NULL);
	}
	int rc = run(b);
	if (rc < 0)
		print_error("%s\n", b->err.msg);
	assert_int_equal(rc, 0);
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		expect_content(b, &b->reqs[i]);
		assert_int_equal(seen(b, paths[i])->hits, cases[i].hits);
		/* The last request was for the whole, where the answer to that for a part was not usable. */
		assert_int_equal(seen(b, paths[i])->range_at, cases[i].kind == SERVE_CUT_NO_RANGE ? SERVER_CUT : -1);
	}
}

static void test_cut_without_end(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_CUT_FOREVER);
	struct xb_fetch_req *req = want(b, "/none", "/a");
	expect_failed(b, XB_E_NETWORK, "/a: ");
	assert_non_null(strstr(b->err.msg, "/none: HTTP status 404; http"));
	assert_int_equal(seen(b, "/a")->hits, 1 + XB_MAX_RETRIES);
	assert_null(req->got_url);
}

/* ---- what a server may not do ---- */

static void test_endless(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_ENDLESS);
	struct xb_fetch_req *req = want(b, "/a", NULL);
	expect_failed(b, XB_E_DIGEST, "not the expected 200000 bytes");
	req->size_bytes = -1;
	req->digest = NULL;
	req->max_bytes = SERVER_BYTES;
	expect_failed(b, XB_E_NETWORK, "200000 bytes");
	assert_int_equal(seen(b, "/a")->hits, 2);
}

static void test_stall(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_STALL);
	ROUTE(b, "/b", SERVE_OK);
	expect_fetched(b, want(b, "/a", "/b"), 1);
	assert_int_equal(seen(b, "/a")->hits, 1 + XB_MAX_RETRIES);
}

static void test_wrong_content(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/wrong", SERVE_WRONG);
	ROUTE(b, "/html", SERVE_HTML);
	ROUTE(b, "/short", SERVE_SHORT);
	ROUTE(b, "/ok", SERVE_OK);
	(void)want(b, "/wrong", "/ok");
	(void)want(b, "/html", "/ok");
	(void)want(b, "/short", "/ok");
	assert_int_equal(run(b), 0);
	for (size_t i = 0; i < 3; i++) {
		expect_content(b, &b->reqs[i]);
		assert_ptr_equal(b->reqs[i].got_url, b->reqs[i].urls[1]);
	}
	/* Wrong content is not asked for twice. */
	assert_int_equal(seen(b, "/wrong")->hits, 1);
	assert_int_equal(seen(b, "/short")->hits, 1);
}

static void test_wrong_everywhere(void **state)
{
	char hex[XB_DIGEST_HEX];
	struct bench *b = *state;
	ROUTE(b, "/wrong", SERVE_WRONG);
	ROUTE(b, "/html", SERVE_HTML);
	struct xb_fetch_req *req = want(b, "/wrong", "/html");
	expect_failed(b, XB_E_DIGEST, "captive portal");
	assert_non_null(strstr(b->err.msg, xb_digest_hex(&b->digest, hex)));
	assert_non_null(strstr(b->err.msg, req->urls[0]));
	assert_non_null(strstr(b->err.msg, req->urls[1]));
}

static void test_part_that_nobody_asked_for(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_PART);
	(void)want(b, "/a", NULL);
	expect_failed(b, XB_E_NETWORK, "another part");
}

static void test_header(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_HEADER);
	(void)want(b, "/a", NULL);
	expect_failed(b, XB_E_NETWORK, "header");
}

/* ---- statuses ---- */

static void test_missing(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/b", SERVE_OK);
	ROUTE(b, "/gone", SERVE_STATUS, .arg = 410);
	expect_fetched(b, want(b, "/none", "/b"), 1);
	(void)want(b, "/none", "/gone");
	assert_int_equal(run(b), XB_E_NOT_FOUND);
	assert_int_equal(seen(b, "/gone")->hits, 1);
	assert_non_null(strstr(b->err.msg, "HTTP status 410"));
}

static void test_statuses(void **state)
{
	static const struct {
		int status, hits;
	} cases[] = {{304, 1}, {204, 1}, {400, 1}, {403, 1}, {408, 4}, {429, 4}, {500, 4}, {503, 4}};
	static const char *const paths[] = {"/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7"};
	struct bench *b = *state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		ROUTE(b, paths[i], SERVE_STATUS, .arg = cases[i].status);
		(void)want(b, paths[i], NULL);
	}
	assert_int_equal(run(b), XB_E_NETWORK);
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		assert_int_equal(seen(b, paths[i])->hits, cases[i].hits);
		assert_int_equal(b->reqs[i].err.code, XB_E_NETWORK);
	}
	/* The first in the order of the requests. */
	assert_non_null(strstr(b->err.msg, "HTTP status 304"));
}

static void test_busy(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/503", SERVE_BUSY_ONCE, .arg = 503);
	ROUTE(b, "/429", SERVE_BUSY_ONCE, .arg = 429);
	(void)want(b, "/503", NULL);
	(void)want(b, "/429", NULL);
	assert_int_equal(run(b), 0);
	expect_content(b, &b->reqs[0]);
	expect_content(b, &b->reqs[1]);
}

static void test_retry_after(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/1", SERVE_RETRY_AFTER, .text = "1");
	ROUTE(b, "/-1", SERVE_RETRY_AFTER, .text = "-1");
	ROUTE(b, "/word", SERVE_RETRY_AFTER, .text = "soon");
	ROUTE(b, "/long", SERVE_RETRY_AFTER, .text = "86400");
	(void)want(b, "/1", NULL);
	(void)want(b, "/-1", NULL);
	(void)want(b, "/word", NULL);
	(void)want(b, "/long", NULL);
	int64_t start_ms = xb_host_monotonic_ms();
	assert_int_equal(run(b), XB_E_NETWORK);
	assert_true(xb_host_monotonic_ms() - start_ms >= 1000);
	for (size_t i = 0; i < 3; i++)
		expect_content(b, &b->reqs[i]);
	/* newer curls say 6 hours for a day */
	assert_non_null(strstr(b->err.msg, "it asks to wait "));
	assert_int_equal(seen(b, "/long")->hits, 1);
}

/* ---- redirects and addresses ---- */

static void test_redirects(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_REDIRECT, .text = "/b");
	ROUTE(b, "/b", SERVE_REDIRECT, .text = "/c");
	ROUTE(b, "/c", SERVE_CUT);
	expect_fetched(b, want(b, "/a", NULL), 0);
	assert_int_equal(seen(b, "/c")->range_at, SERVER_CUT);
}

static void test_redirect_loop(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_LOOP);
	(void)want(b, "/a", NULL);
	expect_failed(b, XB_E_NETWORK, "redirects");
	assert_int_equal(seen(b, "/a")->hits, 1 + XB_MAX_REDIRECTS);
}

static void test_redirect_elsewhere(void **state)
{
	static const char *const targets[] = {"file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1/a",
					      "dict://127.0.0.1/a"};
	static const char *const paths[] = {"/0", "/1", "/2", "/3"};
	struct bench *b = *state;
	for (size_t i = 0; i < XB_COUNT(targets); i++) {
		ROUTE(b, paths[i], SERVE_REDIRECT, .text = targets[i]);
		(void)want(b, paths[i], NULL);
	}
	assert_int_equal(run(b), XB_E_NETWORK);
	for (size_t i = 0; i < XB_COUNT(targets); i++) {
		assert_int_equal(b->reqs[i].err.code, XB_E_NETWORK);
		assert_int_equal(seen(b, paths[i])->hits, 1);
		assert_int_equal(lseek(b->reqs[i].fd, 0, SEEK_END), 0);
	}
}

static void test_addresses(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_OK);
	(void)want(b, "file:///etc/passwd", "ftp://127.0.0.1/a");
	expect_failed(b, XB_E_NETWORK, "only http and https");
	struct xb_fetch_req *req = want(b, "file:///etc/passwd", "/a");
	assert_int_equal(run(b), XB_E_NETWORK);
	expect_content(b, req);
	b->reqs[0].n_urls = 0;
	expect_failed(b, XB_E_NOT_FOUND, "no address");
}

static void test_secrets(void **state)
{
	struct bench *b = *state;
	char *port = strrchr(b->server.base, ':');
	char *url = xb_printf("http://user:secret@127.0.0.1%s/none", port);
	(void)want(b, url, NULL);
	expect_failed(b, XB_E_NOT_FOUND, "http://127.0.0.1");
	assert_null(strstr(b->err.msg, "secret"));
	free(url);
}

static void test_nobody_there(void **state)
{
	struct bench *b = *state;
	/* A port that was free a moment ago and that nobody listens on. */
	struct server gone;
	server_start(&gone);
	server_stop(&gone);
	ROUTE(b, "/a", SERVE_OK);
	char *url = xb_printf("%s/a", gone.base);
	expect_fetched(b, want(b, url, "/a"), 1);
	free(url);
}

/* ---- the caller ---- */

static void test_interrupted(void **state)
{
	struct bench *b = *state;
	volatile int flag = 0;
	b->server.flag = &flag;
	b->opts.interrupted = &flag;
	b->opts.stall_sec = 100;
	ROUTE(b, "/a", SERVE_SILENT);
	(void)want(b, "/a", NULL);
	int64_t start_ms = xb_host_monotonic_ms();
	assert_int_equal(run(b), XB_E_INTERRUPTED);
	assert_true(xb_host_monotonic_ms() - start_ms < 5000);
}

static int count_done(struct xb_fetch_req *req, struct xb_err *err)
{
	int *left = req->user;
	if (--*left == 0)
		return xb_fail(err, XB_E_SYSTEM, "enough");
	return 0;
}

static void test_done(void **state)
{
	struct bench *b = *state;
	int left = 1000;
	ROUTE(b, "/a", SERVE_OK);
	for (int i = 0; i < 10; i++) {
		struct xb_fetch_req *req = want(b, i == 5 ? "/none" : "/a", NULL);
		req->done = count_done;
		req->user = &left;
	}
	assert_int_equal(run(b), XB_E_NOT_FOUND);
	/* Called for those that are there. */
	assert_int_equal(left, 1000 - 9);
	left = 3;
	assert_int_equal(run(b), XB_E_SYSTEM);
	assert_string_equal(b->err.msg, "enough");
	assert_int_equal(left, 0);
}

static void test_stop_on_error(void **state)
{
	struct bench *b = *state;
	ROUTE(b, "/a", SERVE_OK);
	b->opts.stop_on_error = true;
	b->opts.parallel = 1;
	(void)want(b, "/none", NULL);
	for (int i = 0; i < 5; i++)
		(void)want(b, "/a", NULL);
	assert_int_equal(run(b), XB_E_NOT_FOUND);
	assert_true(seen(b, "/a")->hits <= 1);
	assert_null(b->reqs[5].got_url);
	b->opts.stop_on_error = false;
	assert_int_equal(run(b), XB_E_NOT_FOUND);
	for (size_t i = 1; i < b->n; i++)
		expect_content(b, &b->reqs[i]);
}

struct watcher {
	int phases, steps;
	struct xb_event last;
};

static void watch(void *self, const struct xb_event *event)
{
	struct watcher *w = self;
	assert_string_equal(event->label, "fetch");
	if (event->kind == XB_EVENT_PHASE)
		w->phases++;
	else
		w->steps++;
	assert_true(event->done_bytes <= event->total_bytes);
	w->last = *event;
}

static void test_progress(void **state)
{
	struct bench *b = *state;
	struct watcher w = {0};
	struct xb_observer observer = {.event = watch, .self = &w};
	b->opts.observer = &observer;
	ROUTE(b, "/a", SERVE_OK);
	for (int i = 0; i < 10; i++)
		(void)want(b, "/a", NULL);
	int64_t start_ms = xb_host_monotonic_ms();
	assert_int_equal(run(b), 0);
	int64_t took_ms = xb_host_monotonic_ms() - start_ms;
	assert_int_equal(w.phases, 1);
	assert_true(w.steps >= 1 && w.steps <= took_ms / 100 + 2);
	assert_int_equal(w.last.done, 10);
	assert_int_equal(w.last.total, 10);
	assert_int_equal(w.last.done_bytes, 10 * SERVER_BYTES);
	assert_int_equal(w.last.total_bytes, 10 * SERVER_BYTES);
}

static void test_full_disk(void **state)
{
	struct bench *b = *state;
	int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	if (full < 0)
		skip_without("/dev/full");
	ROUTE(b, "/a", SERVE_OK);
	struct xb_fetch_req *req = want(b, "/a", "/a");
	close(req->fd);
	req->fd = full;
	assert_int_equal(run(b), XB_E_SYSTEM);
	assert_int_equal(seen(b, "/a")->hits, 1);
	assert_non_null(strstr(b->err.msg, "write 'sample.deb'"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ok),
		TEST(test_unknown_size),
		TEST(test_encoded),
		TEST(test_nothing),
		TEST(test_empty_file),
		TEST(test_parallel),
		TEST(test_one_at_a_time),
		TEST(test_resume),
		TEST(test_resume_twice),
		TEST(test_no_resume),
		TEST(test_cut_without_end),
		TEST(test_endless),
		TEST(test_stall),
		TEST(test_wrong_content),
		TEST(test_wrong_everywhere),
		TEST(test_part_that_nobody_asked_for),
		TEST(test_header),
		TEST(test_missing),
		TEST(test_statuses),
		TEST(test_busy),
		TEST(test_retry_after),
		TEST(test_redirects),
		TEST(test_redirect_loop),
		TEST(test_redirect_elsewhere),
		TEST(test_addresses),
		TEST(test_secrets),
		TEST(test_nobody_there),
		TEST(test_interrupted),
		TEST(test_done),
		TEST(test_stop_on_error),
		TEST(test_progress),
		TEST(test_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
