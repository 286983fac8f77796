#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Units of other build systems: a CMake library and a program that finds it and a unit of sources, a unit of sources that links
# the library, and plain commands; for two targets, in the store, in a test, in an image.
. "$(dirname "$0")/begin.sh"
for tool in cmake ninja; do
	command -v $tool >/dev/null || { echo "there is no $tool"; exit 77; }
done
serve
warm_store
cp -r "$XB_SOURCE/tests/cli/foreign" project
cd project
git init -q -b main
expect 0 "$xbuild" lock

# built LINES WHAT: how many other build systems the last expect started (it was called with -v)
built() {
	found=$(grep -cE '^ *BUILD ' "$work/stderr" || :)
	[ "$found" = "$1" ] || {
		cut -c 1-200 "$work/stderr" >&2
		fail "$2: expected $1 runs of build systems, found $found"
	}
}

expect 0 "$xbuild" fetch
expect 0 "$xbuild" build -n
prints '^linux-aarch64 BUILD words \(cmake\)$'
[ ! -e out ] || fail "a dry run made something"
expect 0 "$xbuild" build -v
built 6 "the first build"
prints '^out/linux-aarch64/libwords.a$'
prints '^out/linux-x86_64/words$'
cmp -s lib/list.txt out/linux-aarch64/words/en/list.txt || fail "the directory was not taken"
file -b out/linux-aarch64/tool | grep -q 'ARM aarch64' || fail "tool is not for its target"
outputs >"$work/outputs"
# editors: what CMake compiles beside our own, by clang itself with its target, and nothing anew when nothing changed
cat >"$work/commands.py" <<'PY'
import json, os, shlex
rows = json.load(open("compile_commands.json"))
rows = {os.path.relpath(row["file"]): row for row in rows}
assert {"base/base.c", "native/main.c", "lib/words.c", "tool/tool.c"} == set(rows), rows
words = shlex.split(rows["tool/tool.c"]["command"])
assert words[0].endswith("/bin/clang") and "/trees/" in words[0], words
assert "--target=x86_64-linux-gnu" in words and any(w.startswith("--sysroot=") for w in words), words
stages = [w for w in words if w.endswith("/.xbuild/stage/linux-x86_64/release/words/usr/include")]
assert stages and os.path.exists(stages[0] + "/words.h"), words
PY
python3 "$work/commands.py"
stamp=$(stat -c %y compile_commands.json)

expect 0 "$xbuild" build -v
[ "$(stat -c %y compile_commands.json)" = "$stamp" ] || fail "compile_commands.json was written again"
[ "$(jobs_run)" = 0 ] || fail "the second run compiled something"
built 0 "nothing changed"
expect 0 "$xbuild" build -n
[ ! -s "$work/stdout" ] || fail "a dry run would do something"

# what was tampered with comes back from the store
mkdir "$work/others" && echo kept >"$work/others/file"
rm -r out/linux-x86_64/words && ln -s "$work/others" out/linux-x86_64/words
echo tampered >out/linux-aarch64/words/en/list.txt
echo more >out/linux-aarch64/words/more
rm out/linux-x86_64/tool
expect 0 "$xbuild" build -v
built 0 "outputs that were changed"
outputs | cmp -s - "$work/outputs" || fail "the outputs are not what they were"
[ "$(cat "$work/others/file")" = kept ] || fail "a file behind a link was removed"

# another checkout takes all from the store, its staging trees where they are read
mkdir "$work/second"
cp -r ../project/. "$work/second"
cd "$work/second"
rm -rf out .xbuild
expect 0 "$xbuild" build -v
built 0 "another directory"
outputs | cmp -s - "$work/outputs" || fail "other outputs in another directory"
echo 'int other;' >>native/main.c
expect 0 "$xbuild" build -v native
built 0 "a unit of sources changed"
[ -e .xbuild/stage/linux-aarch64/release/words/usr/include/words.h ] || fail "the staging tree is not there"

# a source of the library: what needs it is built again, the rest is not
cd ../project
sed -i 's/return WORDS_GREETING/return "[" WORDS_GREETING "]"/' lib/words.c
expect 0 "$xbuild" build -v
built 4 "a source of the library"
# the build directory is one for each unit and target
touch lib/new.txt
expect 0 "$xbuild" build -v words
built 2 "a new file"
sed -i 's/WORDS_GREETING: .*}/WORDS_GREETING: bye }/; s/bye } *$/bye } }/' xbuild.yaml
expect 0 "$xbuild" build -v words
[ "$(find .xbuild/foreign/linux-aarch64/release -maxdepth 1 -type d -name 'words-*' | wc -l)" = 1 ] ||
	fail "the build directory of other options is still there"

expect 0 "$xbuild" test
prints 'run +tool +linux-x86_64 +passed'
prints 'run +native +linux-x86_64 +passed'
expect 0 "$xbuild" image
tar -tf out/images/tool-linux-aarch64.oci.tar >/dev/null 2>&1 || [ -d out/images ] || fail "no image"

# problems
sed -i 's,outputs: \[bin/plain\],outputs: [bin/plain2],' xbuild.yaml
sed -i 's,run: \[build:plain\],run: [build:plain],' xbuild.yaml
expect 2 "$xbuild" build plain
says "unit 'plain' \(linux-(x86_64|aarch64)\) installed no 'bin/plain2'"
says "it installed: bin/plain"
sed -i -e 's,bin/plain2,bin/plain,' -e 's/"[^ ]*-gcc"/gcc/' xbuild.yaml
if command -v gcc >/dev/null; then
	expect 1 "$xbuild" build -t linux-aarch64 plain
	says "installed 'usr/bin/plain' for another machine"
fi
# a header of this machine: the wrappers saw it
mkdir "$work/host"
echo '/* here */' >"$work/host/here.h"
git checkout -q xbuild.yaml 2>/dev/null || cp "$XB_SOURCE/tests/cli/foreign/xbuild.yaml" .
sed -i "s,-O2\, plain.c,-I$work/host\, plain.c," xbuild.yaml
sed -i '1i #include <here.h>' plain/plain.c
expect 1 "$xbuild" build -t linux-x86_64 plain
says "'plain.c' was made with '.*/host/here.h' of this machine"
rm -r "$work/host"
sed -i 1d plain/plain.c

# one pool of jobs: make is told of it, and never runs more than -j at once
mkdir slow
cat >slow/Makefile <<'MAKE'
all: a b c d e f
a b c d e f:
	@touch running.$@; ls running.* | wc -l >>count; sleep 0.2; rm running.$@; touch $@
install:
	install -D count $(DESTDIR)/usr/share/count
MAKE
cat >>xbuild.yaml <<'MORE'
MORE
sed -i 's/^test:/  slow: { command: { dir: slow, run: [[make, all], [make, install]] }, outputs: [share\/count] }\n&/' xbuild.yaml
expect 0 "$xbuild" build -j 3 slow
[ "$(sort -n out/linux-x86_64/count | tail -n 1)" -le 3 ] || fail "more than three jobs at once"
[ ! -e .xbuild/jobserver ] || fail "the FIFO is still there"

# an interrupted build ends with all that it started: the seconds tell this run's sleepers from others'
sleeper="sleep 61.$$"
sed -i "s/sleep 0.2/$sleeper/; s/a b c d e f/g h/" slow/Makefile
"$xbuild" build -t linux-x86_64 slow >"$work/stdout" 2>"$work/stderr" &
builder=$!
tries=0
until pgrep -f "$sleeper" >/dev/null; do
	tries=$((tries + 1))
	[ "$tries" -lt 400 ] || fail "the slow build did not start"
	sleep 0.05
done
kill -TERM "$builder"
got=0
wait "$builder" || got=$?
[ "$got" = 143 ] || fail "interrupted: expected status 143, got $got"
! pgrep -f "$sleeper" >/dev/null || fail "a tool outlived its build"
sed -i "s/$sleeper/true/" slow/Makefile

sed -i 's/install, -D, plain,/false, -D, plain,/' xbuild.yaml
expect 1 "$xbuild" build -t linux-x86_64 plain
says "unit 'plain' \(linux-x86_64\): run: false: exit status 1"
echo 'message(FATAL_ERROR "as told")' >>lib/CMakeLists.txt
expect 1 "$xbuild" build -k
says 'as told'
sound_store
