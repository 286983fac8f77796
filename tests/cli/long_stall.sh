#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A download that stops in the middle with the connection open: given up after about 30 seconds, then resumed.
. "$(dirname "$0")/begin.sh"
serve
hello_project project
cd project
expect 0 "$xbuild" lock
deb=$(cd "$XB_ARCHIVE/debian/pool/main" && echo libc6-dev_*_arm64.deb)
faults "*/$deb stall 5000"
: >"$work/requests"
(
	until grep -q "/$deb .* stall$" "$work/requests"; do sleep 0.1; done
	faults
) &
start=$(date +%s)
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
wait $!
took=$(($(date +%s) - start))
[ "$took" -ge 20 ] || fail "a stall was given up after only $took s"
[ "$took" -le 60 ] || fail "a stall was noticed after $took s"
[ "$(requests "/$deb ")" = 2 ] || fail "not asked for twice"
grep "/$deb " "$work/requests" | tail -n 1 | grep -q ' bytes=5000- ' || fail "not resumed"
sound_store
