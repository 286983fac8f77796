#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fills $XB_STORE with what the sample project needs, for tests that are not about downloading (begin.sh, warm_store).
. "$(dirname "$0")/begin.sh"
: "${XB_STORE:?}"
rm -rf "$XB_STORE" 2>/dev/null || {
	chmod -R u+w "$XB_STORE"
	rm -rf "$XB_STORE"
}
export XBUILD_CACHE_DIR="$XB_STORE"
serve
hello_project project
expect 0 "$xbuild" -C project image
sound_store
rm -rf "$XB_STORE/actions"
