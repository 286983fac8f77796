/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loopback HTTP server for tests: a thread per connection, and for each path a way to misbehave. Everything it does
 * is decided by the path and by how often that path was asked for, never by time.
 *
 *     struct server s;
 *     server_start(&s);              the address is in s.base: "http://127.0.0.1:<port>"
 *     s.routes[n] = (struct route){"/a", .kind = SERVE_OK, ...};   before the first request
 *     server_stop(&s);               closes what is open and joins the threads
 */
#ifndef TESTS_SYS_HTTP_SERVER_H
#define TESTS_SYS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_BYTES	   (200 * 1000) /* length of the right content */
#define SERVER_CUT	   (70 * 1000)	/* where a cut response ends */
#define SERVER_ROUTES	   32
#define SERVER_CONNECTIONS 256

enum serve {
	SERVE_OK,
	SERVE_CHUNKED,
	SERVE_CUT,	    /* the first answer ends early, later ones obey Range */
	SERVE_CUT_ALWAYS,   /* every answer ends after SERVER_CUT bytes more */
	SERVE_CUT_FOREVER,  /* every answer ends at SERVER_CUT of the whole */
	SERVE_CUT_NO_RANGE, /* later ones ignore Range */
	SERVE_CUT_SHIFTED,  /* later ones send another part than was asked for */
	SERVE_CUT_CHANGED,  /* later ones have another ETag and ignore If-Range */
	SERVE_CUT_SPLICED,  /* the second one sends wrong bytes as the right part; then all is well */
	SERVE_CUT_416,	    /* the second one refuses the range */
	SERVE_CUT_NO_TAG,   /* nothing to resume by */
	SERVE_ENDLESS,
	SERVE_STALL,	   /* a header, then silence */
	SERVE_SILENT,	   /* not even a header */
	SERVE_STATUS,	   /* arg */
	SERVE_BUSY_ONCE,   /* status arg, then OK */
	SERVE_RETRY_AFTER, /* 503 with Retry-After: text; then OK */
	SERVE_WRONG,	   /* right length, wrong bytes */
	SERVE_SHORT,	   /* a shorter file */
	SERVE_HTML,	   /* right length and wrong bytes, called text/html */
	SERVE_ENCODED,	   /* right bytes that call themselves gzip */
	SERVE_PART,	   /* 206 that nobody asked for */
	SERVE_REDIRECT,	   /* to text */
	SERVE_LOOP,	   /* to itself, under another name each time */
	SERVE_HEADER,	   /* an endless header */
	SERVE_TOGETHER	   /* answers when arg requests are waiting */
};

struct route {
	const char *path;
	enum serve kind;
	int arg;
	const char *text;
	int hits;	  /* requests so far */
	int64_t range_at; /* the last Range that was asked for, -1 */
	bool has_if_range;
};

struct server {
	int fd;
	char base[64];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct route routes[SERVER_ROUTES];
	int waiting, most_waiting, connections;
	volatile int *flag; /* set to 1 when a stalling route is asked for; may be NULL */
	bool stopping;
	pthread_t handlers[SERVER_CONNECTIONS];
	int fds[SERVER_CONNECTIONS];
};

static inline char server_byte(size_t i)
{
	return (char)('a' + (i * 31 + i / 977) % 26);
}

/* False when the client has gone. */
static inline bool server_send(int fd, const void *data, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = send(fd, (const char *)data + done, len - done, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static inline bool server_send_text(int fd, const char *text)
{
	return server_send(fd, text, strlen(text));
}

static inline bool server_send_content(int fd, size_t from, size_t to, int offset)
{
	char buf[4096];
	while (from < to) {
		size_t n = to - from < sizeof(buf) ? to - from : sizeof(buf);
		for (size_t i = 0; i < n; i++)
			buf[i] = (char)(server_byte(from + i) + offset);
		if (!server_send(fd, buf, n))
			return false;
		from += n;
	}
	return true;
}

static inline bool server_send_head(int fd, const char *status, const char *headers, size_t length)
{
	char head[4096];
	snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, length, headers);
	return server_send_text(fd, head);
}

/* The whole, or from `from` on as 206; ends the connection at `cut`. */
static inline bool server_send_range(int fd, size_t from, size_t cut, const char *headers)
{
	char more[2048];
	snprintf(more, sizeof(more), "%s", headers);
	if (from > 0)
		snprintf(more, sizeof(more), "%sContent-Range: bytes %zu-%d/%d\r\n", headers, from, SERVER_BYTES - 1,
			 SERVER_BYTES);
	if (!server_send_head(fd, from > 0 ? "206 Partial Content" : "200 OK", more, SERVER_BYTES - from))
		return false;
	size_t end = cut < SERVER_BYTES ? cut : SERVER_BYTES;
	return server_send_content(fd, from, end, 0) && end == SERVER_BYTES;
}

#define SERVER_TAG "ETag: \"one\"\r\n"

static inline bool server_answer_cut(int fd, const struct route *r, size_t at)
{
	char part[256];
	bool is_first = r->hits == 1;
	if (r->kind == SERVE_CUT_NO_TAG)
		return server_send_range(fd, 0, is_first ? SERVER_CUT : SERVER_BYTES, "");
	if (is_first)
		return server_send_range(fd, 0, SERVER_CUT, SERVER_TAG);
	switch (r->kind) {
	case SERVE_CUT_FOREVER:
		return server_send_range(fd, 0, SERVER_CUT, SERVER_TAG);
	case SERVE_CUT_ALWAYS:
		return server_send_range(fd, at, at + SERVER_CUT, SERVER_TAG);
	case SERVE_CUT_NO_RANGE:
		return server_send_range(fd, 0, SERVER_BYTES, SERVER_TAG);
	case SERVE_CUT_SHIFTED:
		return server_send_range(fd, at ? at + 1 : 0, SERVER_BYTES, SERVER_TAG);
	case SERVE_CUT_CHANGED:
		return server_send_range(fd, at, SERVER_BYTES, "ETag: \"two\"\r\n");
	case SERVE_CUT_416:
		if (at > 0)
			return server_send_head(fd, "416 Range Not Satisfiable", "", 0);
		return server_send_range(fd, 0, SERVER_BYTES, SERVER_TAG);
	case SERVE_CUT_SPLICED:
		if (at == 0)
			return server_send_range(fd, 0, SERVER_BYTES, SERVER_TAG);
		snprintf(part, sizeof(part), SERVER_TAG "Content-Range: bytes %zu-%d/%d\r\n", at, SERVER_BYTES - 1,
			 SERVER_BYTES);
		return server_send_head(fd, "206 Partial Content", part, SERVER_BYTES - at) &&
		       server_send_content(fd, at, SERVER_BYTES, 1);
	default:
		return server_send_range(fd, at, SERVER_BYTES, SERVER_TAG);
	}
}

static inline bool server_answer_chunked(int fd)
{
	char size[32];
	if (!server_send_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
		return false;
	for (size_t at = 0; at < SERVER_BYTES; at += 50000) {
		snprintf(size, sizeof(size), "%x\r\n", 50000);
		if (!server_send_text(fd, size) || !server_send_content(fd, at, at + 50000, 0) ||
		    !server_send_text(fd, "\r\n"))
			return false;
	}
	return server_send_text(fd, "0\r\n\r\n");
}

/* Until the client goes, or the server stops. */
static inline bool server_stall(struct server *s, int fd)
{
	char c;
	if (s->flag)
		*s->flag = 1;
	while (recv(fd, &c, 1, 0) > 0)
		continue;
	return false;
}

static inline bool server_answer_together(struct server *s, int fd, int n)
{
	pthread_mutex_lock(&s->lock);
	s->waiting++;
	if (s->waiting > s->most_waiting)
		s->most_waiting = s->waiting;
	pthread_cond_broadcast(&s->changed);
	while (s->most_waiting < n && !s->stopping)
		pthread_cond_wait(&s->changed, &s->lock);
	s->waiting--;
	pthread_mutex_unlock(&s->lock);
	return server_send_range(fd, 0, SERVER_BYTES, "");
}

static inline bool server_answer_redirect(int fd, const char *to)
{
	char head[1024];
	snprintf(head, sizeof(head), "Location: %s\r\n", to);
	return server_send_head(fd, "302 Found", head, 0);
}

/* What needs no look at the request. */
static inline bool server_answer_plain(struct server *s, int fd, const struct route *r)
{
	char line[512];
	switch (r->kind) {
	case SERVE_CHUNKED:
		return server_answer_chunked(fd);
	case SERVE_ENDLESS:
		if (!server_send_text(fd, "HTTP/1.1 200 OK\r\n\r\n"))
			return false;
		while (server_send_content(fd, 0, SERVER_BYTES, 0))
			continue;
		return false;
	case SERVE_HEADER:
		if (!server_send_text(fd, "HTTP/1.1 200 OK\r\n"))
			return false;
		while (server_send_text(fd, "X-More: and more and more and more and more and more\r\n"))
			continue;
		return false;
	case SERVE_STALL:
		return server_send_head(fd, "200 OK", "", SERVER_BYTES) && server_stall(s, fd);
	case SERVE_SILENT:
		return server_stall(s, fd);
	case SERVE_WRONG:
		return server_send_head(fd, "200 OK", SERVER_TAG, SERVER_BYTES) &&
		       server_send_content(fd, 0, SERVER_BYTES, 1);
	case SERVE_HTML:
		return server_send_head(fd, "200 OK", "Content-Type: text/html; charset=utf-8\r\n", SERVER_BYTES) &&
		       server_send_content(fd, 0, SERVER_BYTES, 1);
	case SERVE_ENCODED:
		return server_send_range(fd, 0, SERVER_BYTES, "Content-Encoding: gzip\r\n");
	case SERVE_SHORT:
		return server_send_head(fd, "200 OK", "", 1000) && server_send_content(fd, 0, 1000, 0);
	case SERVE_PART:
		return server_send_range(fd, 1000, SERVER_BYTES, SERVER_TAG);
	case SERVE_REDIRECT:
		return server_answer_redirect(fd, r->text);
	case SERVE_LOOP:
		snprintf(line, sizeof(line), "%s?%d", r->path, r->hits);
		return server_answer_redirect(fd, line);
	case SERVE_TOGETHER:
		return server_answer_together(s, fd, r->arg);
	default:
		return server_send_range(fd, 0, SERVER_BYTES, SERVER_TAG);
	}
}

static inline bool server_answer(struct server *s, int fd, const struct route *r, size_t at)
{
	char line[256];
	snprintf(line, sizeof(line), "%d Something", r->arg);
	switch (r->kind) {
	case SERVE_STATUS:
		return server_send_head(fd, line, "", 0);
	case SERVE_BUSY_ONCE:
		return r->hits == 1 ? server_send_head(fd, line, "", 0)
				    : server_send_range(fd, 0, SERVER_BYTES, SERVER_TAG);
	case SERVE_RETRY_AFTER:
		snprintf(line, sizeof(line), "Retry-After: %s\r\n", r->text);
		return r->hits == 1 ? server_send_head(fd, "503 Busy", line, 0)
				    : server_send_range(fd, 0, SERVER_BYTES, SERVER_TAG);
	default:
		if (r->kind >= SERVE_CUT && r->kind <= SERVE_CUT_NO_TAG)
			return server_answer_cut(fd, r, at);
		return server_answer_plain(s, fd, r);
	}
}

/* Counts the request; a copy, so that it can be answered without the lock. An unknown path is a 404. */
static inline struct route server_route(struct server *s, const char *path, const char *request)
{
	struct route found = {.path = path, .kind = SERVE_STATUS, .arg = 404, .hits = 1};
	const char *range = strstr(request, "Range: bytes=");
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < SERVER_ROUTES; i++) {
		struct route *r = &s->routes[i];
		if (!r->path || strcmp(r->path, path) != 0)
			continue;
		r->hits++;
		r->range_at = range ? strtoll(range + strlen("Range: bytes="), NULL, 10) : -1;
		r->has_if_range = strstr(request, "If-Range: ") != NULL;
		found = *r;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

/* One request; false when the connection is to be closed. */
static inline bool server_serve(struct server *s, int fd)
{
	char request[8192], path[256];
	size_t len = 0;
	while (len == 0 || !strstr(request, "\r\n\r\n")) {
		ssize_t n = recv(fd, request + len, 1, 0);
		if (n <= 0 || len + 2 > sizeof(request))
			return false;
		len += (size_t)n;
		request[len] = '\0';
	}
	if (sscanf(request, "GET %255[^ ?]", path) != 1)
		return false;
	struct route r = server_route(s, path, request);
	return server_answer(s, fd, &r, strstr(request, "Range: bytes=") ? (size_t)r.range_at : 0);
}

struct server_job {
	struct server *server;
	int fd;
};

static inline void *server_handle(void *arg)
{
	struct server_job *job = arg;
	while (server_serve(job->server, job->fd))
		continue;
	(void)shutdown(job->fd, SHUT_RDWR);
	free(job);
	return NULL;
}

static inline void *server_accept(void *arg)
{
	struct server *s = arg;
	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		if (fd < 0)
			return NULL;
		pthread_mutex_lock(&s->lock);
		bool stop = s->stopping || s->connections == SERVER_CONNECTIONS;
		if (!stop) {
			struct server_job *job = malloc(sizeof(*job));
			*job = (struct server_job){.server = s, .fd = fd};
			s->fds[s->connections] = fd;
			if (pthread_create(&s->handlers[s->connections], NULL, server_handle, job) == 0)
				s->connections++;
		}
		pthread_mutex_unlock(&s->lock);
		if (stop) {
			close(fd);
			return NULL;
		}
	}
}

static inline void server_start(struct server *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	memset(s, 0, sizeof(*s));
	assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&s->changed, NULL), 0);
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->fd, 64), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	snprintf(s->base, sizeof(s->base), "http://127.0.0.1:%d", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, server_accept, s), 0);
}

static inline void server_stop(struct server *s)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	/* A connection of our own wakes accept on every system. */
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)getsockname(s->fd, (struct sockaddr *)&at, &len);
	(void)connect(fd, (struct sockaddr *)&at, len);
	pthread_join(s->thread, NULL);
	close(fd);
	close(s->fd);
	for (int i = 0; i < s->connections; i++) {
		(void)shutdown(s->fds[i], SHUT_RDWR);
		pthread_join(s->handlers[i], NULL);
		close(s->fds[i]);
	}
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}

#endif
