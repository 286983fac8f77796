#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild itself loads only the light libraries; the heavy ones belong to xbuild-supply.
. "$(dirname "$0")/begin.sh"

needed() { readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
if needed "$XB_BIN/xbuild" | grep -E 'curl|archive|solv|rnp|botan|lzma|zstd|bz2'; then
	fail "xbuild loads a heavy library"
fi
for library in curl archive solv rnp crypto; do
	needed "$XB_BIN/xbuild-supply" | grep -q "lib$library" || fail "xbuild-supply should load lib$library"
done
