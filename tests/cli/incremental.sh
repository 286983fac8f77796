#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What runs again after a change, counted by the jobs that -v shows: nothing that need not, everything that must.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project
sed -i 's/^targets: .*/targets: [linux-x86_64]/' xbuild.yaml
expect 0 "$xbuild" lock

# runs JOBS WHAT [OPTION...]: a build runs exactly these jobs (verbs, sorted, with counts: "CC*2 LINK")
runs() {
	jobs=$1 what=$2
	shift 2
	expect 0 "$xbuild" build -v "$@"
	found=$(sed -nE 's/^ *(CC|CXX|CPP|AS|AR|LINK|DEBUG|STRIP) .*/\1/p' "$work/stderr" | sort | uniq -c |
		awk '{ printf "%s%s%s", sep, $2, ($1 > 1 ? "*" $1 : ""); sep = " " }')
	[ "$found" = "$jobs" ] || {
		cut -c 1-200 "$work/stderr" >&2
		fail "$what: expected '$jobs', ran '$found'"
	}
}
# where a job ran: "CC lib/twice.c"
ran() { says "^ *$1 .*$2"; }

# sources: tiny.c lib/twice.c lib/answer.S plug/plug.c app/count.c app/main.cc
runs 'AR AS CC*4 CPP CXX LINK*3' "the first build"
outputs >"$work/outputs"
runs '' "nothing changed"

find . -path ./.git -prune -o -type f -exec touch {} +
runs '' "touched files"

# a comment: what reads the file is compiled again; results are the same, so nothing is linked
echo '/* words */' >>lib/core.h
runs 'CC*2 CXX' "a comment in a header"
ran CC lib/twice.c
ran CC plug/plug.c
ran CXX app/main.cc
outputs | cmp -s - "$work/outputs" || fail "a comment changed an output"
git checkout -q lib/core.h
runs '' "the comment taken back"
echo '/* words */' >>lib/core.h
runs '' "the same comment again"
git checkout -q lib/core.h

# a change that matters goes down to what is linked from it, and back without running anything
sed -i 's/2 \* n/n + n + 0 * n/' lib/twice.c
runs 'CC' "another text, the same object"
sed -i 's/n + n + 0 \* n/n * 4 - n * 3 + 7/' lib/twice.c
runs 'AR CC LINK*2' "another object in a static library"
ran AR libcore.a
ran LINK libplug.so
ran LINK hello
git checkout -q lib/twice.c
runs '' "back to what was"
outputs | cmp -s - "$work/outputs" || fail "going back gives other outputs"

sed -i 's/42/43/' lib/answer.S
runs 'AR AS CPP LINK*2' "an assembler source"
git checkout -q lib/answer.S
runs '' "back again"

# a shared library: who is linked with it is linked again only if its interface changed
sed -i 's|/ 2 + b|/ 2 + b + 0 * a|' plug/plug.c
runs 'CC' "the same object of a shared library"
git checkout -q plug/plug.c
printf 'int plug_more(void);\nint plug_more(void)\n{\n\treturn 1;\n}\n' >>plug/plug.c
expect 0 "$xbuild" build -v
ran CC plug/plug.c
ran LINK libplug.so
nm -D out/linux-x86_64/libplug.so | grep -q plug_more || fail "the new symbol is missing"
git checkout -q plug/plug.c
runs '' "back from the new symbol"

# new and lost sources
echo 'int extra(void); int extra(void) { return 1; }' >app/extra.c
runs 'CC LINK' "a new source"
ran CC app/extra.c
ran LINK hello
rm app/extra.c
runs '' "the source removed again"
[ "$(outputs)" = "$(cat "$work/outputs")" ] || fail "a removed source left something"

# a header that hides another one
mkdir -p plug/inc
sed -i 's|include: \[plug\]|include: [plug/inc, plug]|' xbuild.yaml
expect 0 "$xbuild" build
cp plug/plug.h plug/inc/plug.h
echo '#define HIDDEN 1' >>plug/inc/plug.h
expect 0 "$xbuild" build -v
ran CC plug/plug.c
ran CXX app/main.cc
rm -r plug/inc
git checkout -q xbuild.yaml && sed -i 's/^targets: .*/targets: [linux-x86_64]/' xbuild.yaml
runs '' "the hiding header removed"

# settings
sed -i 's/flags: \[-Wall\]/flags: [-Wall, -funroll-loops]/' xbuild.yaml
expect 0 "$xbuild" build -v
ran CC lib/twice.c
silent_about ' CC .*plug.c'
sed -i 's/, -funroll-loops//' xbuild.yaml
runs '' "the flag taken back"
# shellcheck disable=SC2016 # xbuild's own words
sed -i 's/hello \${version}/goodbye/' xbuild.yaml
expect 0 "$xbuild" build -v
ran CXX app/main.cc
ran LINK hello
silent_about 'tiny|twice|plug.c'
grep -q 'goodbye' out/linux-x86_64/hello || fail "the define did not arrive"
# shellcheck disable=SC2016 # xbuild's own words
sed -i 's/goodbye/hello ${version}/' xbuild.yaml
runs '' "the define taken back"
sed -i 's/^version: .*/version: "1.3"/' xbuild.yaml
expect 0 "$xbuild" build -v
ran CXX app/main.cc
silent_about 'twice|tiny'
git checkout -q xbuild.yaml && sed -i 's/^targets: .*/targets: [linux-x86_64]/' xbuild.yaml
runs '' "the version taken back"

# profiles do not disturb each other
expect 0 "$xbuild" build --profile dev -v
[ "$(jobs_run)" -gt 8 ] || fail "profile dev compiled nothing"
cmp -s out/linux-x86_64/hello "$work/none" && fail "no output"
runs '' "back to release"
outputs >"$work/outputs.now"
grep ' ./linux-x86_64/hello$' "$work/outputs" >"$work/a"
grep ' ./linux-x86_64/hello$' "$work/outputs.now" >"$work/b"
cmp -s "$work/a" "$work/b" || fail "after dev, release gives another hello"
runs '' "dev again" --profile dev
runs '' "release again"

# results that are gone come back without compiling
rm -rf out
runs '' "out/ removed"
grep ' ./linux-x86_64/' "$work/outputs" | while read -r sum path; do
	echo "$sum  out/${path#./}"
done | sha256sum -c --quiet || fail "restored outputs differ"
rm -rf out .xbuild
runs '' "out/ and .xbuild/ removed"
echo damaged >out/linux-x86_64/tiny
runs '' "a damaged output"
out/linux-x86_64/tiny || fail "a damaged output was not put right"
chmod 644 out/linux-x86_64/tiny
runs '' "an output without its x bit"

# a warm store: a fresh clone in another place compiles nothing
git commit -q -am 'one target'
git clone -q . "$work/clone"
cp xbuild.lock "$work/clone/"
cd "$work/clone"
runs '' "a fresh clone"
expect 0 "$xbuild" test hello
cd "$work/project"

# targets and units
git checkout -q HEAD~1 -- xbuild.yaml
cp "$work/clone/xbuild.lock" xbuild.lock
expect 0 "$xbuild" lock
rm -rf out .xbuild
runs 'CC LINK' "one unit of the other target" tiny --target arm64
[ ! -e out/linux-x86_64 ] || fail "the other target was built too"
runs 'AR AS CC*3 CPP CXX LINK*2' "what is left of both targets"
ran CXX 'linux-aarch64'
[ "$(cat out/linux-x86_64/hello out/linux-aarch64/hello | sha256sum)" != "$(cat out/linux-x86_64/hello out/linux-x86_64/hello | sha256sum)" ] ||
	fail "both targets are the same"
# what depends on nothing of a change is not built with it
echo 'int main(void) { return 1; }' >tiny.c
runs 'CC LINK' "only the unit that is asked for" tiny --target linux-x86_64
runs '' "another unit" hello
runs 'CC LINK' "the rest"
git checkout -q tiny.c

# compile_commands.json follows
python3 - <<'PY'
import json, os
rows = json.load(open("compile_commands.json"))
files = {os.path.relpath(os.path.join(r["directory"], r["file"])) for r in rows}
assert {"tiny.c", "lib/twice.c", "app/main.cc"} <= files, files
PY

# a result that went bad in the store is made again, not handed out
expect 0 "$xbuild" build
blob=$(sha256sum out/linux-x86_64/tiny | cut -d' ' -f1)
blob=$XBUILD_CACHE_DIR/blobs/$(echo "$blob" | sed 's/^\(..\)/\1\//')
size=$(stat -c %s "$blob")
cp --remove-destination out/linux-x86_64/tiny "$work/good"
rm -f "$blob" out/linux-x86_64/tiny
head -c "$size" /dev/zero >"$blob"
chmod 0555 "$blob"
expect 0 "$xbuild" build -v
ran LINK tiny
cmp out/linux-x86_64/tiny "$work/good" || fail "a damaged result was handed out"
