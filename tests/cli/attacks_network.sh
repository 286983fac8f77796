#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A network that fails: what can be resumed is resumed, what never ends is bounded, and what is down is named.
. "$(dirname "$0")/begin.sh"
serve
hello_project project
cd project
expect 0 "$xbuild" lock
cp xbuild.lock "$work/good.lock"

# a connection that breaks off half way: the rest alone is asked for
deb=$(cd "$XB_ARCHIVE/debian/pool/main" && echo libc6-dev_*_arm64.deb)
size=$(wc -c <"$XB_ARCHIVE/debian/pool/main/$deb")
half=$((size / 2 + 1))
: >"$work/requests"
faults "*/$deb truncate $half"
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
[ "$(requests "/$deb ")" = 2 ] || fail "expected two requests: $(grep "$deb" "$work/requests")"
grep "/$deb " "$work/requests" | tail -n 1 | grep -q " bytes=$half- " || fail "not resumed: $(grep "$deb" "$work/requests")"
sound_store

# bytes without end
rm -f xbuild.lock
faults '*/InRelease endless'
expect 4 timeout 60 "$xbuild" lock
says '/dists/test/InRelease'
sound_store
faults '*/binary-amd64/* endless'
rm -rf "$XBUILD_CACHE_DIR"
got=0
timeout 60 "$xbuild" lock 2>"$work/stderr" || got=$?
case $got in 4 | 5) ;; *) fail "an endless index gave exit status $got" ;; esac
says 'binary-amd64/'
[ ! -e xbuild.lock ] || fail "a lock was written"
sound_store
cp "$work/good.lock" xbuild.lock
rm -rf "$XBUILD_CACHE_DIR"
faults "*/$deb endless"
got=0
timeout 60 "$xbuild" fetch --want sysroot:linux-aarch64 2>"$work/stderr" || got=$?
case $got in 4 | 5) ;; *) fail "an endless package gave exit status $got" ;; esac
says "$(literally "$deb")"
sound_store
largest=$(find "$XBUILD_CACHE_DIR" -type f -size +64M | head -n 1)
[ -z "$largest" ] || fail "endless bytes were kept: $largest"

# missing on the mirror: named, with both places that were asked
faults "*/$deb status 404"
expect 4 "$xbuild" fetch --want sysroot:linux-aarch64
says "debian/pool/main/$(literally "$deb")"
says "snapshot/.*/pool/main/$(literally "$deb")"
says '404'
says 'lock --update'
sound_store

# an answer that may be another one next time: asked again
faults "*/$deb status 503"
: >"$work/requests"
(
	until grep -q "/$deb .* status$" "$work/requests"; do sleep 0.05; done
	faults
) &
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
wait $!
[ "$(requests "/$deb ")" -ge 2 ] || fail "503 was not tried again"
sound_store

# nobody there: each place is named
kill "$server_pid"
wait "$server_pid" 2>/dev/null || :
server_pid=
rm -rf "$XBUILD_CACHE_DIR"
expect 4 "$xbuild" fetch --want sysroot:linux-aarch64
says "http://127.0.0.1:$port/debian/pool/main/"
says "http://127.0.0.1:$port/snapshot/"
sound_store
rm xbuild.lock
expect 4 "$xbuild" lock
says "http://127.0.0.1:$port/debian/dists/test/InRelease"
[ ! -e xbuild.lock ] || fail "a lock was written"

# a mirror that is down does not matter while there is another one
serve
own_data "$XB_ARCHIVE/data" "\"http://127.0.0.1:1/debian\", \"http://127.0.0.1:$port/debian\""
expect 0 "$xbuild" lock
cmp -s xbuild.lock "$work/good.lock" || fail "another mirror, another lock"
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
# ... nor one whose content is wrong
rm -rf "$XBUILD_CACHE_DIR" xbuild.lock
own_data "$XB_ARCHIVE/data" "\"http://127.0.0.1:$port//debian\", \"http://127.0.0.1:$port/debian\""
faults '//debian/*.deb flip 700' '//debian/*InRelease flip 70'
expect 0 "$xbuild" lock
cmp -s xbuild.lock "$work/good.lock" || fail "the good mirror's lock is another one"
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
sound_store
