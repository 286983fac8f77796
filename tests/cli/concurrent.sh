#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Eight processes at once on one empty store, two in each of four copies of a project: all succeed with the same result, and
# nothing is downloaded twice.
. "$(dirname "$0")/begin.sh"
serve
for i in 1 2 3 4; do hello_project "$work/copy$i"; done
cd copy1
expect 0 "$xbuild" lock
for i in 2 3 4; do cp xbuild.lock "../copy$i/"; done
cd ..
# another project, with another package and so another sysroot, which is made of the same packages but for that one
for i in 6 7; do
	hello_project "$work/copy$i"
	sed -i -e 's/libtally-dev/libtally1/' -e '/pkg-config/d' "copy$i/xbuild.yaml"
	printf 'int main(void) { return 0; }\n' >"copy$i/app/count.c"
	rm "copy$i/app/main.cc"
done
(cd copy6 && expect 0 "$xbuild" lock)
cp copy6/xbuild.lock copy7/
chmod -R u+w "$XBUILD_CACHE_DIR"
rm -rf "$XBUILD_CACHE_DIR"
: >"$work/requests"

pids=
for i in 1 2 3 4; do
	for k in a b; do
		(cd "copy$i" && exec "$xbuild" image --quiet >"$work/out$i$k" 2>"$work/err$i$k") &
		pids="$pids $!"
	done
done
for i in 6 7; do
	(cd "copy$i" && exec "$xbuild" fetch --quiet >"$work/out-f$i" 2>"$work/err-f$i") &
	pids="$pids $!"
done
failed=0
for pid in $pids; do wait "$pid" || failed=$((failed + 1)); done
[ "$failed" = 0 ] || {
	cat "$work"/err* >&2
	fail "$failed of 10 failed"
}
[ "$(tail -q -n 1 "$work"/out[1-4][ab] | sort -u | wc -l)" = 1 ] || fail "not the same digest: $(cat "$work"/out*)"
[ "$(tail -q -n 1 "$work"/out[1-4][ab] | grep -c '^sha256:')" = 8 ] || fail "a digest is missing: $(cat "$work"/out*)"
twice=$(cut -d ' ' -f 1 "$work/requests" | sort | uniq -d)
[ -z "$twice" ] || fail "asked for more than once: $twice"
[ "$(requests '\.deb ')" -gt 20 ] || fail "hardly anything was asked for"
sound_store
for i in 2 3 4; do
	outputs copy1 >"$work/first"
	outputs "copy$i" >"$work/other"
	cmp -s "$work/first" "$work/other" || fail "copy $i has other outputs"
done

# the same while a ninth one makes a lock, and everything else is there already
cp -r copy1 copy5 && rm copy5/xbuild.lock
(cd copy5 && exec "$xbuild" image --quiet >"$work/out5" 2>"$work/err5") &
one=$!
(cd copy1 && touch lib/*.c && exec "$xbuild" test --frozen --quiet >/dev/null 2>"$work/err6") &
two=$!
wait "$one" || fail "image while others run: $(cat "$work/err5")"
wait "$two" || fail "test while others run: $(cat "$work/err6")"
sound_store
