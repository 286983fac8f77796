/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xbuild/base/observer.h"

struct seen {
	int count;
	struct xb_event last;
};

static void remember(void *self, const struct xb_event *event)
{
	struct seen *seen = self;

	seen->count++;
	seen->last = *event;
}

static void events_reach_the_observer(void **state)
{
	struct seen seen = {0};
	const struct xb_observer observer = {.event = remember, .self = &seen};

	(void)state;
	xb_observe(&observer, &(struct xb_event){.kind = XB_EVENT_PHASE, .label = "fetch", .total = 12});
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last.kind, XB_EVENT_PHASE);
	assert_string_equal(seen.last.label, "fetch");
	assert_int_equal(seen.last.total, 12);
	xb_observe(&observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = "careful"});
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.last.text, "careful");
	assert_null(seen.last.label);
}

static void nobody_needs_to_listen(void **state)
{
	const struct xb_event event = {.kind = XB_EVENT_NOTE, .text = "unheard"};

	(void)state;
	xb_observe(NULL, &event);
	assert_string_equal(event.text, "unheard");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_reach_the_observer),
		cmocka_unit_test(nobody_needs_to_listen),
	};

	return cmocka_run_group_tests_name("base/observer", tests, NULL, NULL);
}
