#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `xbuild test` where it has to fail or to skip: what is wrong is named, and what did not run never counts as passed.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project

# judged STATUS KIND NAME TARGET VERDICT [PATTERN]: `test --json` ends so, with that row, whose problems match
judged() {
	expect "$1" "$xbuild" test --json
	shift
	python3 - "$work/stdout" "$@" <<'PY'
import json, re, sys
path, kind, name, target, verdict = sys.argv[1:6]
result = json.load(open(path))
rows = [r for r in result["tests"] if (r["kind"], r["name"], r["target"]) == (kind, name, target)]
assert len(rows) == 1, (sys.argv[2:], result)
assert rows[0]["verdict"] == verdict, (verdict, rows[0])
text = "\n".join(rows[0]["problems"])
for pattern in sys.argv[6:]:
    assert re.search(pattern, text), (pattern, text)
counts = {v: sum(r["verdict"] == v for r in result["tests"]) for v in ("passed", "failed", "skipped")}
assert all(result[v] == n for v, n in counts.items()), result
PY
}
reset() { git checkout -q . && git clean -qfd -e xbuild.lock -e out -e .xbuild; }

expect 0 "$xbuild" test
prints '^elf +hello +linux-aarch64 +passed +aarch64, GLIBC_2'
prints '^run +greets +linux-x86_64 +passed +native'
prints ' 0 failed, 0 skipped$'

# a floor that is too low names what needs more
sed -i 's/^targets: .*/targets: { linux-x86_64: { glibc-floor: "2.3" }, linux-aarch64: {} }/' xbuild.yaml
judged 1 elf hello linux-x86_64 failed 'GLIBC_2.3 \(glibc-floor\)' 'found GLIBC_2\.[0-9]+ of [_a-z0-9]+'
judged 1 elf hello linux-aarch64 passed
expect 1 "$xbuild" test
prints '^elf hello \(linux-x86_64\) failed:'
reset

# a program of the wrong machine in out/: put right before anything looks at it
cp out/linux-aarch64/hello out/linux-x86_64/hello
judged 0 elf hello linux-x86_64 passed
readelf -hW out/linux-x86_64/hello | grep -q X86-64 || fail "the wrong program is still there"

# flags that undo the hardening
sed -i 's|^    sources: \[tiny.c\]|&\n    ldflags: ["-Wl,-z,execstack", "-Wl,-z,norelro"]|' xbuild.yaml
judged 1 elf tiny linux-aarch64 failed 'NX' 'RELRO'
reset
# shellcheck disable=SC2016 # xbuild's own words
sed -i 's|^    sources: \[tiny.c\]|&\n    ldflags: ["-Wl,-rpath,$ORIGIN/../../.."]|' xbuild.yaml
judged 1 elf tiny linux-x86_64 failed 'ORIGIN'
reset

# a library of the project whose soname nobody has: the program needs what is nowhere
sed -i 's|^    sources: \[plug/\*.c\]|&\n    soname: libelsewhere.so.3|' xbuild.yaml
expect 0 "$xbuild" build
readelf -dW out/linux-x86_64/hello | grep -q 'libelsewhere.so.3' || fail "the soname was not taken"
judged 0 elf hello linux-x86_64 passed
reset
sed -i 's|^    deps: \[core, plug\]|&\n    ldflags: ["-Wl,--no-as-needed", -lelsewhere]|' xbuild.yaml
expect 1 "$xbuild" build hello
says 'elsewhere'
reset

# runs: the exit status, the time, a crash
sed -i 's/^  greets: .*/  greets: { run: [build:hello, world], expect-exit: 3 }/' xbuild.yaml
judged 1 run greets linux-x86_64 failed 'expected exit status 3, found exit status 0'
judged 1 run greets linux-aarch64 failed 'expected exit status 3'
expect 1 "$xbuild" test
prints 'hello 1.2, world: 42 7 5' # its output comes with the failure
reset
printf 'int main(void) { for (;;) { } }\n' >tiny.c
sed -i 's/^  greets: .*/  greets: { run: [build:tiny], timeout: 1 }/' xbuild.yaml
judged 1 run greets linux-x86_64 failed 'within 1 s.*still running'
judged 1 run greets linux-aarch64 failed 'within 1 s'
sleep 0.2
if pgrep -f "^[^ ]*($work/project/out/[^ ]*/tiny|qemu.*$work/project/out/[^ ]*/tiny)" >/dev/null; then fail "the program still runs"; fi
printf '#include <stdlib.h>\nint main(void) { abort(); }\n' >tiny.c
judged 1 run greets linux-x86_64 failed 'signal'
reset

# what a test sees: arguments, environment, its own libraries
cat >tiny.c <<'C'
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	const char *given = getenv("GIVEN");
	return argc == 3 && !strcmp(argv[1], "a b") && !strcmp(argv[2], "$HOME") && given && !strcmp(given, "x y") &&
	       !getenv("HOME") && !getenv("SECRET") ? 7 : 1;
}
C
sed -i "s/^  greets: .*/  greets: { run: [build:tiny, a b, \$HOME], env: { GIVEN: x y }, expect-exit: 7 }/" xbuild.yaml
SECRET=1 judged 0 run greets linux-x86_64 passed
judged 0 run greets linux-aarch64 passed
reset

# without an emulator: skipped, and never passed
mkdir "$work/bin"
for tool in git sh env; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
python=$(command -v python3)
expect 0 env PATH="$work/bin" "$xbuild" test --json
"$python" - "$work/stdout" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
rows = {(r["kind"], r["target"]): r for r in result["tests"] if r["kind"] == "run"}
foreign = [r for r in result["tests"] if r["kind"] == "run" and r["verdict"] == "skipped"]
assert len(foreign) == 1 and result["skipped"] == 1, result
assert "qemu" in "\n".join(foreign[0]["problems"]), foreign
assert sum(r["verdict"] == "passed" for r in rows.values()) == 1, rows
assert all(r["verdict"] == "passed" for r in result["tests"] if r["kind"] == "elf"), result
PY
expect 0 env PATH="$work/bin" "$xbuild" test
prints ' 1 skipped$'
prints 'skipped.*qemu'
