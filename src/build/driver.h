/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/build: the drivers, each in driver_<name>.c. */
#ifndef XBUILD_BUILD_DRIVERS_H
#define XBUILD_BUILD_DRIVERS_H

#include "xbuild/build/driver.h"

extern const struct xb_driver xb_driver_cmake;
extern const struct xb_driver xb_driver_meson;
extern const struct xb_driver xb_driver_autotools;
extern const struct xb_driver xb_driver_make;
extern const struct xb_driver xb_driver_cargo;
extern const struct xb_driver xb_driver_go;
extern const struct xb_driver xb_driver_command;

/* The step before the one that installs: what it would do. */
#define DRIVER_LOOK "look where it installs"

/* source_dir, or the directory of the unit's `source` below it. */
const char *driver_source(const struct xb_drive *drive, struct xb_arena *arena);

/* For driver->tracks of systems that know what the compiler has read: sources of C, C++ and assembler. */
bool driver_tracks_c(const char *path);

/* For driver->runs_own, of the file `name` below build_dir: has it commands that the project gave? True where there is no such file. */
bool driver_ninja_runs_own(const char *build_dir, const char *name);

/* CFLAGS and CXXFLAGS as the profile says, for systems that have no word for it. */
void driver_flags_env(const struct xb_drive *drive, struct xb_step *step, struct xb_arena *arena);

#endif
