/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/build: the drivers, each in driver_<name>.c. */
#ifndef XBUILD_BUILD_DRIVERS_H
#define XBUILD_BUILD_DRIVERS_H

#include "xbuild/build/driver.h"

extern const struct xb_driver xb_driver_cmake;
extern const struct xb_driver xb_driver_command;

#endif
