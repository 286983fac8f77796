/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a lock was made for, held against what the project asks for now: the message for a lock that is stale, which
 * otherwise could name only all that may have changed. For app.c.
 */
#ifndef XBUILD_APP_LOCK_WISHES_H
#define XBUILD_APP_LOCK_WISHES_H

#include "xbuild/app/app.h"

/*
 * Names each wish that is another one, with what is locked and what is asked for now, in few words: "packages of the
 * sysroot: locked a, now a, b; targets: locked linux-x86_64, now linux-aarch64". In the app's arena. NULL: they are the
 * same, or the lock tells no wishes. Needs the project.
 */
const char *lock_wishes_changed(struct xb_app *app, const struct xb_lock *lock);

#endif
