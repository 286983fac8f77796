/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to src/wrap: which file a link has made, by the build ID that every copy of it keeps, stripped or not.
 *
 * Source:  gABI, "Note Section"; NT_GNU_BUILD_ID of the GNU linker's --build-id.
 * Failure: none: a file that cannot be told has no record, and a build is not stopped for that.
 */
#ifndef XBUILD_WRAP_LINKED_H
#define XBUILD_WRAP_LINKED_H

/*
 * `libs` is the list that the linker wrote (--dependency-file), which begins with the name of its result. Writes the ID in hex,
 * or "none", to `record`; nothing for a relocatable result.
 */
void wrap_note_linked(const char *libs, const char *record);

#endif
