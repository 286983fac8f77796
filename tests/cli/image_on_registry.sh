#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Images on an image of a registry: pinned by the lock, fetched once, and of what its registry has nothing is sent again.
. "$(dirname "$0")/begin.sh"
command -v docker-registry >/dev/null || skip "docker-registry is not installed"
command -v skopeo >/dev/null || skip "skopeo is not installed"
unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR SSL_CERT_FILE 2>/dev/null || :
export XBUILD_TEST_RUN_DIR="$work/run"
serve
warm_store

at_end() {
	if grep -q docker-registry "/proc/$registry_pid/cmdline" 2>/dev/null; then kill "$registry_pid"; fi
}
host=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s, secret: x}\n' \
	"$work/data" "$host" >registry.yml
docker-registry serve registry.yml >registry.log 2>&1 &
registry_pid=$!
tries=0
until skopeo list-tags --tls-verify=false "docker://$host/none" 2>&1 | grep -qE 'unknown|404'; do
	tries=$((tries + 1))
	[ "$tries" -lt 200 ] || fail "the registry does not start: $(cat registry.log)"
	sleep 0.1
done

# to_registry TAG OPTION...: a base under this tag; the digest of its image for arm64 is printed
to_registry() {
	tag=$1
	shift
	rm -rf layout
	python3 "$XB_SOURCE/tests/cli/base_layout.py" layout v "$@" >"$work/arm64"
	"$xbuild" push "$host/acme/base:$tag" --from layout >/dev/null 2>"$work/stderr" || fail "the base is not pushed: $(cat "$work/stderr")"
	cat "$work/arm64"
}
arm64=$(to_registry v1)

mkdir project
cat >project/hello.c <<'C'
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
C
cat >project/xbuild.yaml <<YAML
name: on
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64, linux-aarch64]
build:
  hello: { sources: [hello.c], ldflags: [-static] }
image:
  on:
    base: { image: "$host/acme/base:v1" }
    files: { /usr/bin/hello: build:hello }
    user: 33
    entrypoint: [/usr/bin/hello]
YAML
cd project
expect 0 "$xbuild" lock
expect 0 "$xbuild" image on
digest=$(tail -n 1 "$work/stdout")
expect 0 "$xbuild" verify out/images/on
python3 - "$host/acme/base:v1" "$arm64" <<'PY'
import json, sys
blob = lambda d: json.load(open("out/images/on/blobs/sha256/" + d["digest"].split(":")[1]))
index = blob(json.load(open("out/images/on/index.json"))["manifests"][0])
m = blob(index["manifests"][1])
assert m["annotations"]["org.opencontainers.image.base.name"] == sys.argv[1], m
assert m["annotations"]["org.opencontainers.image.base.digest"] == sys.argv[2], m
assert "org.opencontainers.image.base.name" not in index.get("annotations", {}), index
PY

# what is in the store is not asked for again; another checkout gets the same image from the lock, also when the tag has moved
expect 0 "$xbuild" --offline image on
moved=$(to_registry v1 --without-user)
[ "$moved" != "$arm64" ] || fail "the test moves nothing"
cache=$XBUILD_CACHE_DIR
export XBUILD_CACHE_DIR="$work/other cache"
warm_store
rm -rf out .xbuild
expect 0 "$xbuild" image on
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "the lock does not pin the base"
export XBUILD_CACHE_DIR="$cache"
expect 0 "$xbuild" lock --check
# another list of targets takes them from what is pinned
bases() { python3 -c 'import json; print(json.load(open("xbuild.lock"))["bases"])'; }
pinned=$(bases)
sed -i 's/^targets: .*/targets: [linux-x86_64]/' xbuild.yaml
expect 0 "$xbuild" lock
[ "$(bases)" != "$pinned" ] || fail "the target is still there"
sed -i 's/^targets: .*/targets: [linux-x86_64, linux-aarch64]/' xbuild.yaml
expect 0 "$xbuild" lock
[ "$(bases)" = "$pinned" ] || fail "a new target moves the base"
expect 0 "$xbuild" lock --update "$host/acme/base:v1"
prints "^~ base $host/acme/base:v1 sha256:"

# pushed beside its base: the base's layers are taken over in the registry
expect 0 "$xbuild" image on
expect 0 "$xbuild" push "$host/acme/on:v1" --from out/images/on --json
python3 - "$work/stdout" <<'PY'
import json, sys
blob = lambda d: json.load(open("out/images/on/blobs/sha256/" + d["digest"].split(":")[1]))
index = blob(json.load(open("out/images/on/index.json"))["manifests"][0])
base = {l["digest"] for m in index["manifests"] for l in blob(m)["layers"][:-1]}
ways = {i["digest"]: i["way"] for i in json.load(open(sys.argv[1]))["items"]}
assert {ways[d] for d in base} == {"mount"}, ways
PY

# verified where it is; and its signature, by cosign's tag beside it
expect 0 "$xbuild" verify "$host/acme/on:v1"
index=$(sed -n 's/^\(sha256:[0-9a-f]*\) .*/\1/p' "$work/stdout")
for name in ours theirs; do
	openssl ecparam -name prime256v1 -genkey -noout -out "$work/$name.ec" 2>/dev/null
	openssl pkcs8 -topk8 -nocrypt -in "$work/$name.ec" -out "$work/$name.pem"
	openssl pkey -in "$work/$name.pem" -pubout -out "$work/$name.pub"
done
expect 5 "$xbuild" verify --key "$work/ours.pub" "$host/acme/on:v1"
says 'has no signatures in its registry'
expect 0 "$xbuild" sign --key "$work/ours.pem" --repository "$host/acme/on" on
expect 0 "$xbuild" push "$host/acme/on:$(echo "$index" | tr : -).sig" --from out/images/on.sig
expect 0 "$xbuild" verify --key "$work/ours.pub" "$host/acme/on:v1"
expect 0 "$xbuild" verify --key "$work/ours.pub" "$host/acme/on@$index"
[ "$(grep -c Pulled "$work/stderr")" = 2 ] || fail "told: $(cat "$work/stderr")"
says "Pulled signatures of $host/acme/on@$index"
expect 5 "$xbuild" verify --key "$work/theirs.pub" "$host/acme/on:v1"
says "hint: signatures are looked for in '$host/acme/on:sha256-.*[.]sig'"
says "verify '$host/acme/on:v1'"
expect 2 "$xbuild" verify --key "$work/nothing.pub" "$host/acme/on:v1"
silent_about Pulled
expect 0 "$xbuild" diff out/images/on "$host/acme/on:v1"
[ -z "$(cat "$work/stdout")" ] || fail "what was pushed differs: $(cat "$work/stdout")"
expect 5 "$xbuild" diff "$host/acme/base:v1" "$host/acme/on:v1" # the base is not sound by itself
says 'history has 1 entries'
expect 0 "$xbuild" inspect "$host/acme/on:v1"
prints '33:33'
# signatures that others have added are not taken away
rm -r out/images/on.sig
expect 0 "$xbuild" sign --key "$work/theirs.pem" --repository "$host/acme/on" on
expect 2 "$xbuild" push "$host/acme/on:v2" --from out/images/on
says 'has signatures that are not in'
expect 0 "$xbuild" verify --key "$work/ours.pub" "$host/acme/on:v1"
expect 0 "$xbuild" push "$host/acme/on:v2" --from out/images/on --alone
rm -r out/images/on.sig
left=$(find "$XBUILD_CACHE_DIR/tmp" -mindepth 2 | head -n 3)
[ -z "$left" ] || fail "left in the store: $left"
expect 2 "$xbuild" verify "$host/acme/on:none"
says '404'
expect 2 "$xbuild" verify out/images/off
says 'out/images/off'

# names that lead nowhere
sed -i 's/base:v1/base:v9/' xbuild.yaml
expect 2 "$xbuild" lock
says 'xbuild.yaml:[0-9]+:[0-9]+: .*base:v9'
says '404'
sed -i "s|$host/acme/base:v9|127.0.0.1:1/base:v1|" xbuild.yaml
expect 4 "$xbuild" lock
says '127.0.0.1:1'
