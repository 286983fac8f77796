#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild outdated tells what an update would take and changes nothing; xbuild lock --why tells what a package is for.
. "$(dirname "$0")/begin.sh"
own_archive
hello_project project
cd project

# nothing to compare with
expect 3 "$xbuild" outdated
says 'xbuild lock'
expect 3 "$xbuild" lock --why libc6
says "make it with 'xbuild lock'"
expect 0 "$xbuild" lock
cp xbuild.lock first

expect 0 "$xbuild" outdated
[ ! -s "$work/stdout" ] || fail "something is newer than what was just locked: $(cat "$work/stdout")"
expect 0 "$xbuild" outdated --json
[ "$(cat "$work/stdout")" = "[]" ] || fail "expected an empty list, got $(cat "$work/stdout")"
expect 4 "$xbuild" outdated --offline
says 'without --offline'

# a newer version is told for each place that has it, and the lock stays
python3 "$XB_SOURCE/tests/cli/archive/newer.py" "$archive" libtally-dev 1.0-2
python3 "$XB_SOURCE/tests/cli/archive/newer.py" "$archive" linux-libc-dev 999
expect 1 "$xbuild" outdated
prints '^PACKAGE +LOCKED +NEWEST +SUITE +WHERE$'
prints '^libtally-dev +1\.0-1 +1\.0-2 +test +sysroot of linux-aarch64$'
prints '^libtally-dev +1\.0-1 +1\.0-2 +test +sysroot of linux-x86_64$'
prints '^linux-libc-dev +[^ ]+ +999 +test +sysroot of linux-aarch64$'
silent_about 'error'
cmp first xbuild.lock || fail "outdated changed the lock"
CI=1 expect 1 "$xbuild" outdated --locked --json
cmp first xbuild.lock || fail "outdated changed the lock"
cp "$work/stdout" outdated.json

# it is what an update does then
expect 0 "$xbuild" lock --update
python3 - outdated.json "$work/stdout" <<'PY'
import json, re, sys
told = {(r["name"], r["locked"], r["newest"], r["where"]) for r in json.load(open(sys.argv[1]))}
done = set()
for line in open(sys.argv[2]):
    m = re.match(r"~ (\S+) (\S+) -> (\S+) \((.*)\)$", line)
    if m and not line.startswith("~ suite"):
        name, before, after, where = m.groups()
        done.add((name, before, after, where if where.startswith("toolchain of") else "sysroot of " + where))
assert told and told == done, (told, done)
PY
expect 0 "$xbuild" outdated

# a lock that does not fit is nothing to compare with
sed 's/packages: \[libtally-dev\]/packages: [libtally-dev, libatomic1]/' xbuild.yaml >new && mv new xbuild.yaml
expect 3 "$xbuild" outdated
says 'does not fit the project'
git checkout -q xbuild.yaml

# why: what is asked for, a dependency of it, and both targets at once
expect 0 "$xbuild" lock --why libtally-dev
prints '^sysroot of linux-aarch64; sysroot of linux-x86_64: libtally-dev 1\.0-2$'
prints '^  \(xbuild.yaml:[0-9]+\) > libtally-dev$'
expect 0 "$xbuild" lock --why libtally1
prints '^  \(xbuild.yaml:[0-9]+\) > libtally-dev > libtally1$'
[ "$(grep -c 'libtally1 ' "$work/stdout")" = 1 ] || fail "told twice: $(cat "$work/stdout")"
expect 0 "$xbuild" lock --why linux-libc-dev
prints '^  \(sysroot [^)]*\) > .*linux-libc-dev$'
expect 2 "$xbuild" lock --why libtaly1
says "did you mean 'libtally1'"
expect 2 "$xbuild" lock --why libtally1 --update
says 'stands alone'

# every shortest chain of a diamond, once; longer ones are not told
python3 - xbuild.lock <<'PY'
import json, sys
text = open(sys.argv[1]).read().split("\n")
for target in ("linux-aarch64", "linux-x86_64"):
    at = next(i for i, l in enumerate(text) if '"sysroots"' in l)
    at = next(i for i in range(at, len(text)) if f'"{target}"' in text[i])
    first = next(i for i in range(at, len(text)) if text[i].lstrip().startswith('{"arch"'))
    last = next(i for i in range(first, len(text)) if text[i].strip().startswith("]"))
    packages = [json.loads(l.strip().rstrip(",")) for l in text[first:last]]
    def like(name, *depends):
        return dict(packages[0], name=name, version="1", depends=sorted(depends))
    for p in packages:
        if p["name"] == "libtally-dev":
            p["depends"] = sorted(p["depends"] + ["zz-left", "zz-right", "zz-long"])
    packages += [like("zz-left", "zz-end"), like("zz-right", "zz-end"), like("zz-long", "zz-longer"),
                 like("zz-longer", "zz-end"), like("zz-end"), like("zz-alone")]
    packages.sort(key=lambda p: p["name"].encode())
    text[first:last] = ["   " + json.dumps(p, separators=(",", ":"), sort_keys=True) +
                        ("," if p is not packages[-1] else "") for p in packages]
open(sys.argv[1], "w").write("\n".join(text))
PY
expect 0 "$xbuild" lock --why zz-end
[ "$(grep -c '>' "$work/stdout")" = 2 ] || fail "expected two chains: $(cat "$work/stdout")"
prints '> libtally-dev > zz-left > zz-end$'
prints '> libtally-dev > zz-right > zz-end$'
expect 0 "$xbuild" lock --why zz-alone
prints 'nothing that is asked for leads to it'

# an image that images stand on
cd "$work"
mkdir on
cat >on/xbuild.yaml <<'YAML'
name: on
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64, linux-aarch64]
build:
  hello: { sources: [hello.c] }
image:
  on:
    base: { image: "oci:../base:v1" }
    files: { /usr/bin/hello: build:hello }
YAML
echo 'int main(void) { return 0; }' >on/hello.c
python3 "$XB_SOURCE/tests/cli/base_layout.py" base v1 >/dev/null
cd on
expect 0 "$xbuild" lock
expect 0 "$xbuild" outdated
rm -rf ../base
python3 "$XB_SOURCE/tests/cli/base_layout.py" ../base v1 --without-user >/dev/null
cp xbuild.lock first
expect 1 "$xbuild" outdated
prints '^oci:../base:v1 +sha256:[0-9a-f]{64} +sha256:[0-9a-f]{64} +- +base image$'
cmp first xbuild.lock || fail "outdated changed the lock"
