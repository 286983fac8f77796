/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/host.h"

#include "diag.h"

#define REDRAW_MS    100
#define HEARTBEAT_MS 30000

struct progress {
	struct progress_options options;
	struct xb_observer observer;
	pthread_mutex_t lock;
	struct xb_str line; /* the live line as it should look, without colour */
	bool drawn;	    /* a live line is on the screen */
	int64_t drawn_at_ms;
	int64_t spoke_at_ms; /* last line that was printed for good */
	char phase[32];
	uint64_t done, total, done_bytes, total_bytes;
};

int progress_width(void)
{
	struct winsize size;
	if (!isatty(STDERR_FILENO))
		return 0;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

static void erase(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

static void draw(struct progress *p, bool now)
{
	int64_t ms = xb_host_monotonic_ms();
	if (!p->options.live || !p->line.len || (!now && ms - p->drawn_at_ms < REDRAW_MS))
		return;
	int width = progress_width();
	int room = width > 1 ? width - 1 : 79;
	fprintf(stderr, "\r\033[K%.*s", room, xb_str_get(&p->line));
	fflush(stderr);
	p->drawn = true;
	p->drawn_at_ms = ms;
}

static void compose(struct progress *p, const struct xb_event *e)
{
	char done[XB_NUM_SIZE_MAX], total[XB_NUM_SIZE_MAX];
	xb_str_reset(&p->line);
	if (p->total)
		xb_str_printf(&p->line, "  [%llu/%llu]", (unsigned long long)p->done, (unsigned long long)p->total);
	if (p->total_bytes)
		xb_str_printf(&p->line, " %s of %s", xb_num_size(p->done_bytes, done),
			      xb_num_size(p->total_bytes, total));
	else if (p->done_bytes)
		xb_str_printf(&p->line, " %s", xb_num_size(p->done_bytes, done));
	if (p->phase[0])
		xb_str_printf(&p->line, " %s", p->phase);
	if (e->kind == XB_EVENT_JOB || e->kind == XB_EVENT_PROGRESS) {
		struct xb_str words = {0};
		if (e->target)
			xb_str_printf(&words, " %s", e->target);
		if (e->verb)
			xb_str_printf(&words, " %s", e->verb);
		if (e->label && strcmp(e->label, p->phase) != 0)
			xb_str_printf(&words, " %s", e->label);
		diag_clean(xb_str_get(&words), false, &p->line);
		xb_str_release(&words);
	}
}

static void finished_line(struct progress *p, const struct xb_event *e)
{
	const char *verb = e->verb ? e->verb : "Done";
	struct xb_str text = {0};
	if (e->target)
		xb_str_printf(&text, "%s ", e->target);
	diag_clean(e->label ? e->label : "", false, &text);
	fprintf(stderr, "%s%12s%s %s", p->options.color ? "\033[1;32m" : "", verb, p->options.color ? "\033[0m" : "",
		xb_str_get(&text));
	if (e->elapsed_ms >= 100)
		fprintf(stderr, " (%lld.%lld s)", (long long)e->elapsed_ms / 1000, (long long)e->elapsed_ms / 100 % 10);
	fputc('\n', stderr);
	xb_str_release(&text);
}

static void job_line(const struct xb_event *e)
{
	struct xb_str text = {0};
	if (e->target)
		xb_str_printf(&text, "%s ", e->target);
	diag_clean(e->label ? e->label : "", false, &text);
	fprintf(stderr, "%12s %s\n", e->verb ? e->verb : "", xb_str_get(&text));
	xb_str_release(&text);
}

static void text_line(struct progress *p, const char *word, const char *color, const char *text)
{
	struct xb_str clean = {0};
	diag_clean(text ? text : "", false, &clean);
	fprintf(stderr, "%s%s%s %s\n", p->options.color ? color : "", word, p->options.color ? "\033[0m" : "",
		xb_str_get(&clean));
	xb_str_release(&clean);
}

static void output(struct progress *p, const struct xb_event *e)
{
	struct xb_str clean = {0};
	diag_clean(e->text ? e->text : "", p->options.color, &clean);
	if (clean.len && clean.data[clean.len - 1] != '\n')
		xb_str_append_char(&clean, '\n');
	if (clean.len)
		fwrite(clean.data, 1, clean.len, stderr);
	xb_str_release(&clean);
}

/* What stays on the screen or in the log. */
static bool is_lasting(const struct progress *p, const struct xb_event *e)
{
	switch (e->kind) {
	case XB_EVENT_OUTPUT:
	case XB_EVENT_WARNING:
		return true;
	case XB_EVENT_NOTE:
	case XB_EVENT_DONE:
		return !p->options.quiet;
	case XB_EVENT_JOB:
		/* a log has no live line: each job is a line of it, as ninja does */
		return (p->options.verbose || !p->options.live) && !p->options.quiet;
	case XB_EVENT_PHASE:
	case XB_EVENT_PROGRESS:
		return false;
	}
	return false;
}

static void print_lasting(struct progress *p, const struct xb_event *e)
{
	switch (e->kind) {
	case XB_EVENT_OUTPUT:
		output(p, e);
		break;
	case XB_EVENT_WARNING:
		text_line(p, "warning:", "\033[1;33m", e->text);
		break;
	case XB_EVENT_NOTE:
		text_line(p, "note:", "\033[36m", e->text);
		break;
	case XB_EVENT_DONE:
		finished_line(p, e);
		break;
	case XB_EVENT_JOB:
		job_line(e);
		if (e->text)
			text_line(p, "            ", "", e->text);
		break;
	case XB_EVENT_PHASE:
	case XB_EVENT_PROGRESS:
		break;
	}
	p->spoke_at_ms = xb_host_monotonic_ms();
}

static void remember(struct progress *p, const struct xb_event *e)
{
	if (e->kind == XB_EVENT_PHASE) {
		snprintf(p->phase, sizeof(p->phase), "%s", e->label ? e->label : "");
		p->done = e->done;
		p->total = e->total;
		p->done_bytes = 0;
		p->total_bytes = e->total_bytes;
	} else if (e->kind == XB_EVENT_PROGRESS || (e->kind == XB_EVENT_JOB && e->total)) {
		p->done = e->done;
		p->total = e->total;
		p->done_bytes = e->done_bytes;
		p->total_bytes = e->total_bytes;
	} else if (e->kind == XB_EVENT_DONE) {
		p->phase[0] = '\0';
		p->done = p->total = p->done_bytes = p->total_bytes = 0;
	}
}

static void on_event(void *self, const struct xb_event *e)
{
	struct progress *p = self;
	pthread_mutex_lock(&p->lock);
	bool lasting = is_lasting(p, e);
	remember(p, e);
	if (lasting) {
		erase(p);
		print_lasting(p, e);
	}
	if (e->kind == XB_EVENT_DONE)
		xb_str_reset(&p->line);
	else if (e->kind == XB_EVENT_JOB || e->kind == XB_EVENT_PROGRESS || e->kind == XB_EVENT_PHASE)
		compose(p, e);
	if (p->options.live && !p->options.quiet) {
		draw(p, lasting);
	} else if (!p->options.quiet && p->line.len && xb_host_monotonic_ms() - p->spoke_at_ms > HEARTBEAT_MS) {
		fprintf(stderr, "%12s %s\n", "...", xb_str_get(&p->line));
		p->spoke_at_ms = xb_host_monotonic_ms();
	}
	pthread_mutex_unlock(&p->lock);
}

struct progress *progress_new(const struct progress_options *options)
{
	struct progress *p = xb_alloc(sizeof(*p));
	p->options = *options;
	p->observer.event = on_event;
	p->observer.self = p;
	pthread_mutex_init(&p->lock, NULL);
	p->spoke_at_ms = xb_host_monotonic_ms();
	return p;
}

void progress_clear(struct progress *p)
{
	pthread_mutex_lock(&p->lock);
	erase(p);
	xb_str_reset(&p->line);
	fflush(stderr);
	pthread_mutex_unlock(&p->lock);
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	progress_clear(p);
	pthread_mutex_destroy(&p->lock);
	xb_str_release(&p->line);
	free(p);
}

const struct xb_observer *progress_observer(struct progress *p)
{
	return &p->observer;
}
