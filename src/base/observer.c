/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/observer.h"

#include <stddef.h>

void xb_observe(const struct xb_observer *observer, const struct xb_event *event)
{
	if (observer)
		observer->event(observer->self, event);
}
