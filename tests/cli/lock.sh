#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a lock promises: it stays until told otherwise, it fits the project or is refused, it is the same from any host.
. "$(dirname "$0")/begin.sh"
own_archive
hello_project project
cd project

expect 3 "$xbuild" lock --check
says 'xbuild lock'
expect 3 "$xbuild" lock --locked
expect 3 "$xbuild" lock --frozen
expect 2 "$xbuild" lock --update --locked
[ ! -e xbuild.lock ] || fail "--locked wrote a lock"
expect 0 "$xbuild" lock
cp xbuild.lock first
expect 0 "$xbuild" lock --check
: >"$work/requests"
expect 0 "$xbuild" lock
cmp first xbuild.lock || fail "a second lock changed the file"
[ ! -s "$work/requests" ] || fail "an up-to-date lock asked the network: $(cat "$work/requests")"
python3 - xbuild.lock <<'PY'
import json, sys
text = open(sys.argv[1]).read()
lock = json.loads(text)
names = [p["name"] for s in lock["sysroots"].values() for p in s["packages"]]
assert "libtally-dev" in names and "libtally1" in names, names
for line in text.splitlines():
    assert line.count('"sha256"') <= 1, line
assert lock["suites"]["test"]["signed-by"], lock["suites"]
PY

# a lock that was merged by hand and lost a target does not fit
python3 - xbuild.lock <<'PY'
import json, sys
lock = json.load(open(sys.argv[1]))
del lock["sysroots"]["linux-aarch64"]
json.dump(lock, open(sys.argv[1], "w"))
PY
expect 3 "$xbuild" build --locked
says "no sysroot for target 'linux-aarch64'"
expect 3 "$xbuild" lock --check
expect 0 "$xbuild" lock
cmp first xbuild.lock || fail "the repaired lock is another one"

# a newer version that something locked does not let in is told, with what is in the way
cp -r "$archive" "$work/plain"
python3 "$XB_SOURCE/tests/cli/archive/newer.py" "$archive" libtally1 1.0-3 beside
expect 0 "$xbuild" lock --update libtally1
says "sysroot for linux-aarch64: 'libtally1' stays at 1.0-1 although 1.0-3 is there"
says 'needed by libtally-dev'
if grep -q 1.0-3 xbuild.lock; then fail "a package that is held back moved"; fi
expect 0 "$xbuild" lock --update linux-libc-dev
silent_about 'libtally1'
cp -r "$work/plain/." "$archive/"
cp first xbuild.lock

# newer versions are taken when asked for, by name or all
python3 "$XB_SOURCE/tests/cli/archive/newer.py" "$archive" libtally1 1.0-2
python3 "$XB_SOURCE/tests/cli/archive/newer.py" "$archive" linux-libc-dev 999
expect 0 "$xbuild" lock
cmp first xbuild.lock || fail "a plain lock took newer versions"
expect 0 "$xbuild" lock --update linux-libc-dev
prints '^~ linux-libc-dev .* -> 999 '
if grep -q libtally1 "$work/stdout"; then fail "an update of one package moved another"; fi
expect 0 "$xbuild" lock --check
expect 2 "$xbuild" lock --update linux-libc-dov
says 'linux-libc-dev'
expect 2 "$xbuild" lock linux-libc-dev
says 'only with --update'

# what the project asks for changes: the other commands refuse and name what changed, nothing else; lock adds and keeps
cp xbuild.yaml asked.yaml
stale() { # stale EDIT TEXT: the project file with the edit, and what is then told of it
	sed "$1" asked.yaml >xbuild.yaml
	cmp -s asked.yaml xbuild.yaml && fail "the edit $1 changed nothing"
	for command in 'lock --check' 'build --locked'; do
		# shellcheck disable=SC2086 # words
		expect 3 "$xbuild" $command
		says "^error: xbuild.lock does not fit the project: $(literally "$2")\$"
		says "^hint: .*'xbuild lock'"
	done
	cp asked.yaml xbuild.yaml
}
for other in toolchains/llvm-19:toolchains/llvm-20 sysroots/debian-test:sysroots/debian-other; do
	sed "s/\\b$(basename "${other%:*}")\\b/$(basename "${other#*:}")/" "$work/data/${other%:*}.yaml" >"$work/data/${other#*:}.yaml"
done
packages='packages of the sysroot: locked libtally-dev, now'
stale 's/\[libtally-dev\]/[libatomic1, libtally-dev]/' "$packages libatomic1, libtally-dev"
stale 's/packages: \[libtally-dev\]/packages: []/' "$packages none"
stale 's/\[libtally-dev\]/[libtally-dev, a1, b1, c1, d1, e1, f1, g1]/' \
	'packages of the sysroot: now also a1, b1, c1, d1, e1, f1 and 1 more'
stale 's/^targets: .*/targets: [arm64]/' 'targets: locked linux-x86_64, linux-aarch64, now linux-aarch64'
stale 's/^hosts: .*/hosts: [linux-x86_64, linux-aarch64]/' 'hosts: locked linux-x86_64, now linux-aarch64, linux-x86_64'
stale 's/base: auto/base: debian-base/' "base of image 'hello': locked nothing, now debian-base"
stale 's,base: auto,base: { image: localhost:5/a:1 },' "base of image 'hello': locked nothing, now localhost:5/a:1"
stale 's/base: auto/packages: [tzdata]/' "packages of image 'hello': locked none, now tzdata"
stale 's/llvm: "19"/llvm: "20"/' 'toolchain: locked llvm-19, now llvm-20'
stale 's/llvm: "19"/llvm: "19", profile: full/' 'profile of the toolchain: locked small, now full'
stale 's/^  debian: test/  debian: other/' 'sysroot: locked debian-test, now debian-other'
stale 's/^hosts: .*/hosts: [linux-aarch64]/;s/llvm: "19"/llvm: "20"/' \
	'toolchain: locked llvm-19, now llvm-20; hosts: locked linux-x86_64, now linux-aarch64'
# a lock of an xbuild that did not write this down is as good; it says what it lacks, or what may have changed
python3 - xbuild.lock <<'PY'
import json, sys
lock = json.load(open(sys.argv[1]))
assert lock["wishes"]["packages"] == ["libtally-dev"], lock["wishes"]
assert list(lock)[:3] == ["xbuild-lock", "inputs", "wishes"], list(lock)
del lock["wishes"]
json.dump(lock, open(sys.argv[1], "w"))
PY
expect 0 "$xbuild" lock --check
stale 's/\[libtally-dev\]/[libtilly-dev, libtally-dev]/' "it has no package 'libtilly-dev' for target 'linux-x86_64'"
stale 's/llvm: "19"/llvm: "19", profile: full/' \
	'toolchain, sysroot, snapshot, packages, hosts, targets or bases of images of the project file changed'
cp first xbuild.lock
rm asked.yaml

sed 's/packages: \[libtally-dev\]/packages: [libtally-dev, libatomic1]/' xbuild.yaml >new && mv new xbuild.yaml
expect 3 "$xbuild" build
says "packages of the sysroot: locked libtally-dev, now libatomic1, libtally-dev"
says "run 'xbuild lock'"
cp xbuild.lock stale.lock
expect 3 "$xbuild" lock --locked
says 'does not fit the project'
cmp stale.lock xbuild.lock || fail "--locked changed the lock"
rm stale.lock
expect 0 "$xbuild" lock
expect 0 "$xbuild" lock --check
sed 's/packages: \[.*\]/packages: [libtallly-dev]/' xbuild.yaml >new && mv new xbuild.yaml
expect 2 "$xbuild" lock
says '^xbuild.yaml:6:14: error: .*libtallly-dev'
says 'libtally-dev'

# a lock that is damaged, or of another format, is refused whole
for edit in 's/"xbuild-lock": 1/"xbuild-lock": 2/' 's/"sha256":"[0-9a-f]/"sha256":"x/' 's/"suites"/"sweets"/' 's/}$//' \
	's/^   "libtally-dev"/   "libtally-dov"/'; do
	sed "$edit" first >xbuild.lock
	git checkout -q xbuild.yaml
	cmp -s first xbuild.lock && fail "the edit $edit changed nothing"
	expect 3 "$xbuild" build --offline
	says 'xbuild.lock'
done

# a proxy that does not run, or does not want to, is what the next step is about: not the server, and without the login
git checkout -q xbuild.yaml
rm xbuild.lock
dead=http://user:s3cret@127.0.0.1:1
through() { env XBUILD_CACHE_DIR="$work/elsewhere" "$@"; }
expect 4 through http_proxy=$dead "$xbuild" lock
says "^hint: does the proxy 'http://127.0.0.1:1' run, which http_proxy names\?\$"
silent_about s3cret
expect 4 through https_proxy=$dead "$xbuild" pull registry.invalid/a:1 --output oci=pulled
says "^hint: does the proxy 'http://127.0.0.1:1' run, which https_proxy names\?\$"
silent_about s3cret
expect 4 through https_proxy="http://user:s3cret@127.0.0.1:$port" "$xbuild" pull registry.invalid/a:1 --output oci=pulled
says "^hint: it is the proxy 'http://127.0.0.1:$port' that refuses \(501\), which https_proxy names\$"
silent_about s3cret
expect 4 through http_proxy=$dead no_proxy=localhost "$xbuild" pull localhost:1/a:1 --output oci=pulled
silent_about 'the proxy'
says '^hint: does a registry listen at localhost:1'
cp -r "$work/plain/." "$archive/"
expect 0 through http_proxy=$dead no_proxy=127.0.0.1 "$xbuild" lock
