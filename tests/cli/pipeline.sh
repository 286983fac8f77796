#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole way without any network: lock, fetch, build, test, image, tag; and that nothing is done twice.
. "$(dirname "$0")/begin.sh"
serve
hello_project project
cd project

expect 0 "$xbuild" lock
[ -s xbuild.lock ] || fail "no lock was written"
expect 0 "$xbuild" lock --check
cp xbuild.lock "$work/before"
: >"$work/requests"
expect 0 "$xbuild" lock --update
cmp "$work/before" xbuild.lock || fail "an update with nothing new changed the lock"
[ "$(requests /InRelease)" = 1 ] || fail "InRelease was not asked for once"
[ "$(wc -l <"$work/requests")" = 1 ] || fail "a second lock downloads more than InRelease: $(cat "$work/requests")"

git add xbuild.lock && GIT_AUTHOR_DATE=@1700000001 GIT_COMMITTER_DATE=@1700000001 git commit -q -m lock
expect 0 "$xbuild" fetch
says 'Fetched'
: >"$work/requests"
expect 0 "$xbuild" fetch
[ ! -s "$work/requests" ] || fail "a second fetch asked for: $(cat "$work/requests")"

expect 0 "$xbuild" build --frozen
for target in linux-x86_64 linux-aarch64; do
	for output in libcore.a libplug.so hello tiny; do
		[ -s "out/$target/$output" ] || fail "out/$target/$output is missing"
	done
done
readelf -hW out/linux-aarch64/hello | grep -q AArch64 || fail "not an aarch64 program"
readelf -hW out/linux-x86_64/hello | grep -q X86-64 || fail "not an x86-64 program"

expect 0 "$xbuild" test --frozen --json
python3 - "$work/stdout" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
rows = {(r["kind"], r["name"], r["target"]): r for r in result["tests"]}
for target in ("linux-x86_64", "linux-aarch64"):
    for unit in ("plug", "hello", "tiny"):
        assert rows["elf", unit, target]["verdict"] == "passed", rows["elf", unit, target]
    assert rows["run", "greets", target]["verdict"] == "passed", rows["run", "greets", target]
assert result["failed"] == 0 and result["skipped"] == 0, result
PY

expect 0 "$xbuild" image --frozen
digest=$(tail -n 1 "$work/stdout")
case $digest in sha256:????????????????????????????????????????????????????????????????) ;; *) fail "the last line is no digest: $digest" ;; esac
[ -s "out/images/hello/blobs/sha256/${digest#sha256:}" ] || fail "the index is not in the layout"
expect 0 "$xbuild" image --frozen
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "a second image has another digest"

expect 0 "$xbuild" tag
prints '^main-20231114221321-[0-9a-f]{7}$' # nothing that was written above makes the work tree dirty

# the mirror by option and by variable, with data files that know none that is there
cp xbuild.lock "$work/before"
export XBUILD_DATA_DIR="$XB_ARCHIVE/data"
rm xbuild.lock
expect 0 env XBUILD_DEBIAN_MIRROR= "$xbuild" lock --mirror "http://127.0.0.1:$port/debian"
rm xbuild.lock
expect 0 "$xbuild" lock
sed 's/"archive": "debian"/"archive": "loopback"/' xbuild.lock | cmp -s - "$work/before" || fail "the mirror changed the lock"

# the tag by digest is of the image of this very commit, or there is none
expect 0 "$xbuild" image
printf 'tags: [sha256]\n' >>xbuild.yaml
git commit -q -a -m tags
expect 2 "$xbuild" tag
says 'the image of this commit has not been written'
expect 0 "$xbuild" image
digest=$(tail -n 1 "$work/stdout" | sed 's/sha256:\(........\).*/\1/')
expect 0 "$xbuild" tag
prints "^$digest-[0-9]{14}(-dirty)?\$"
