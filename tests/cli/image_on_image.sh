#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Images on an image that others made: `base: { image: ... }`, from a layout. What it says and holds goes on, is replaced or
# added to; the lock pins it; what is damaged or lacking is refused.
. "$(dirname "$0")/begin.sh"
serve
warm_store
mkdir project
cat >project/hello.c <<'C'
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
C
cat >project/xbuild.yaml <<'YAML'
name: on
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64, linux-aarch64]
build:
  hello: { sources: [hello.c], ldflags: [-static] }
image:
  on:
    base: { image: "oci:../base:v1" }
    files: { /usr/bin/hello: build:hello, /etc/conf: conf }
YAML
python3 "$XB_SOURCE/tests/cli/base_layout.py" base "v1" >"$work/base-arm64"
cd project
echo 'of the project' >conf
expect 0 "$xbuild" lock
says 'Locked'
python3 - <<'PY'
import json
base = json.load(open("xbuild.lock"))["bases"]["oci:../base:v1"]
assert sorted(base["platforms"]) == ["linux-aarch64", "linux-x86_64"], base
PY
expect 0 "$xbuild" lock --check

expect 0 "$xbuild" image on
digest=$(tail -n 1 "$work/stdout")
expect 0 "$xbuild" verify out/images/on

# what the base says goes on where the project says nothing; parts nobody has a key for as well
python3 - "$(cat "$work/base-arm64")" <<'PY'
import json, sys
blob = lambda d: json.load(open("out/images/on/blobs/sha256/" + d["digest"].split(":")[1]))
index = blob(json.load(open("out/images/on/index.json"))["manifests"][0])
assert [m["platform"]["architecture"] for m in index["manifests"]] == ["amd64", "arm64"], index
m = blob(index["manifests"][1])
assert {l["mediaType"] for l in m["layers"]} == {"application/vnd.oci.image.layer.v1.tar+gzip"}, m
assert len(m["layers"]) == 3, m
assert m["annotations"]["org.opencontainers.image.base.digest"] == sys.argv[1], m
assert "org.opencontainers.image.base.name" not in m["annotations"], "a layout has no name that others know"
config = blob(m["config"])
run = config["config"]
assert run["User"] == "33:44" and run["Cmd"] == ["of-the-base"] and run["Entrypoint"] == ["/opt/new"], run
assert run["Env"] == ["PATH=/opt/bin:/usr/bin", "LANG=C.UTF-8"], run
assert run["ExposedPorts"] == {"443/tcp": {}} and run["Volumes"] == {"/srv/data": {}}, run
assert run["WorkingDir"] == "/srv" and run["StopSignal"] == "SIGQUIT", run
assert run["Labels"] == {"base": "yes", "team": "base"} and run["Healthcheck"] == {"Test": ["CMD", "/opt/new"]}, run
assert len(config["rootfs"]["diff_ids"]) == 3
assert sum(not h.get("empty_layer") for h in config["history"]) == 3, config["history"]
PY
skopeo copy -q --override-arch arm64 oci:out/images/on oci:flat:x
umoci unpack --rootless --image flat:x bundle >/dev/null 2>&1 || fail "umoci does not unpack it"
[ "$(cd bundle/rootfs && find . -type f ! -path './dev/*' | sort | tr '\n' ' ')" = './etc/conf ./etc/group ./etc/passwd ./opt/new ./opt/same ./usr/bin/hello ' ] ||
	fail "umoci finds: $(cd bundle/rootfs && find . | sort)"
[ "$(cat bundle/rootfs/etc/conf)" = 'of the project' ] || fail "the project's file does not replace the base's"
rm -rf bundle flat

# what the project says: an entrypoint lets go of the base's cmd, env adds to it, a user of the base needs no number
cat >>xbuild.yaml <<'YAML'
    user: web
    entrypoint: [hello]
    env: { PATH: "/usr/bin:${base.PATH}", LANG: C, NEW: "${base.NONE}x" }
    labels: { team: ours }
    ports: [8080, 443]
    workdir: /var/app
YAML
expect 0 "$xbuild" image on
python3 - <<'PY'
import json
blob = lambda d: json.load(open("out/images/on/blobs/sha256/" + d["digest"].split(":")[1]))
index = blob(json.load(open("out/images/on/index.json"))["manifests"][0])
run = blob(blob(index["manifests"][0])["config"])["config"]
assert run["User"] == "33:44" and "Cmd" not in run and run["Entrypoint"] == ["hello"], run
assert run["Env"] == ["PATH=/usr/bin:/opt/bin:/usr/bin", "LANG=C", "NEW=x"], run
assert run["Labels"] == {"base": "yes", "team": "ours"}, run
assert run["ExposedPorts"] == {"443/tcp": {}, "8080/tcp": {}} and run["WorkingDir"] == "/var/app", run
PY

# near a user of the base; nobody has the number that it has everywhere; a working directory that is a file
sed -i 's/^    user: web/    user: wed/' xbuild.yaml
expect 0 "$xbuild" image on
says "^note: .*user 'wed' is not in the base's .*uid 1000; did you mean 'web'\?$"
[ "$(grep -c "did you mean" "$work/stderr")" = 1 ] || fail "told for each platform"
sed -i 's/^    user: wed/    user: nobody/; s/^    workdir: .*/    workdir: \/etc\/conf/' xbuild.yaml
expect 5 "$xbuild" image on
says "workdir '/etc/conf' is a file in the image: '/etc/conf' .conf."
sed -i 's/^    workdir: .*/    workdir: \/var\/app/' xbuild.yaml
expect 0 "$xbuild" image on
silent_about 'is not in the base'
expect 0 "$xbuild" inspect --json out/images/on
grep -q '"65534:65534"' "$work/stdout" || fail "nobody has another uid"
sed -i 's/^    user: nobody/    user: web/' xbuild.yaml

# a user whom the base does not know is added to its /etc/passwd
sed -i 's/^    user: web/    user: { name: app, uid: 7 }/' xbuild.yaml
expect 0 "$xbuild" image on
skopeo copy -q --override-arch amd64 oci:out/images/on oci:flat:x
umoci unpack --rootless --image flat:x bundle >/dev/null 2>&1 || fail "umoci does not unpack it"
cp bundle/rootfs/etc/passwd "$work/passwd"
expect 0 "$xbuild" image on --output rootfs
says "note: 'out/images/on-linux-aarch64.tar' is without device nodes, named pipes and extended attributes"
tar tf out/images/on-linux-aarch64.tar | sed 's|/$||' | sort >"$work/names"
for name in etc/conf opt/new opt/same usr/bin/hello srv; do grep -qx "$name" "$work/names" || fail "rootfs lacks $name"; done
if grep -qE '^etc/removed|^opt/old' "$work/names"; then fail "rootfs has what a layer removed"; fi
[ "$(tar xOf out/images/on-linux-aarch64.tar opt/same | tail -n 1)" = 'new arm64' ] || fail "rootfs: another content"
[ "$(cut -d: -f1,3,4 "$work/passwd" | tr '\n' ' ')" = 'root:0:0 web:33:44 app:7:7 ' ] || fail "passwd: $(cat "$work/passwd")"

# the name leads elsewhere now: the lock decides, until an update
sed -i 's/^    user: .*/    user: web/' xbuild.yaml
expect 0 "$xbuild" image on
digest=$(tail -n 1 "$work/stdout")
rm -rf ../base && python3 "$XB_SOURCE/tests/cli/base_layout.py" ../base "v1" --without-user >/dev/null
expect 0 "$xbuild" --offline image on
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "not the locked base"
expect 0 "$xbuild" lock
[ -z "$(cat "$work/stdout")" ] || fail "lock without --update moved the base: $(cat "$work/stdout")"
expect 0 "$xbuild" lock --update oci:../base:v1
prints '^~ base oci:../base:v1 sha256:[0-9a-f]+ -> sha256:[0-9a-f]+'
expect 0 "$xbuild" image on # adds the user web that the base lacks now
says "^note: image 'on': user 'web' is not in the base's /etc/passwd, and is made with uid 1000$"
[ "$(tail -n 1 "$work/stdout")" != "$digest" ] || fail "the digest did not change with the base"
# whom the base itself names and does not have
cp xbuild.yaml "$work/with-user.yaml"
sed -i '/^    user: web/d' xbuild.yaml
expect 5 "$xbuild" image on
says "the base's user: user 'web' is not in the image's /etc/passwd"
cp "$work/with-user.yaml" xbuild.yaml

# damaged, and lacking
store=$XBUILD_CACHE_DIR
export XBUILD_CACHE_DIR="$work/other cache"
manifest=$(python3 -c 'import json; print(json.load(open("xbuild.lock"))["bases"]["oci:../base:v1"]["platforms"]["linux-x86_64"]["digest"])')
layer=$(python3 -c 'import json,sys; print(json.load(open("../base/blobs/sha256/" + sys.argv[1]))["layers"][0]["digest"][7:])' "$manifest")
cp "../base/blobs/sha256/$layer" "$work/layer"
printf X | dd of="../base/blobs/sha256/$layer" bs=1 seek=30 conv=notrunc 2>/dev/null
expect 5 "$XB_BIN/xbuild-supply" fetch --want base:linux-x86_64/on
says "has the digest sha256:"
rm "../base/blobs/sha256/$layer"
expect 2 "$XB_BIN/xbuild-supply" fetch --want base:linux-x86_64/on
says "$layer"
cp "$work/layer" "../base/blobs/sha256/$layer"
expect 0 "$XB_BIN/xbuild-supply" fetch --want base:linux-x86_64/on
export XBUILD_CACHE_DIR="$store"

# a program that the base cannot start
sed -i 's/, ldflags: \[-static\]//' xbuild.yaml
expect 5 "$xbuild" image on
says "hello"
says "ld-linux"
sed -i 's/  hello: { sources: \[hello.c\]/&, ldflags: [-static]/' xbuild.yaml
sed -i 's/^    entrypoint: .*/    entrypoint: [nothing]/' xbuild.yaml
expect 5 "$xbuild" image on
says "the command 'nothing' is not in the image"
# a script of the base is run by what the project brings, and by nothing without it
sed -i 's/^    entrypoint: .*/    entrypoint: [\/opt\/same]/' xbuild.yaml
expect 0 "$xbuild" image on
sed -i 's|/usr/bin/hello: build:hello|/usr/bin/other: build:hello|' xbuild.yaml
expect 5 "$xbuild" image on
says "'/opt/same' .base oci:../base:v1. needs '/usr/bin/hello', which is not in the image"
sed -i 's|/usr/bin/other: build:hello|/usr/bin/hello: build:hello|' xbuild.yaml
sed -i 's/^    entrypoint: .*/    entrypoint: [hello]/' xbuild.yaml

# bases that are not what they say
for how in platform diff-ids entrypoint; do
	rm -rf ../base
	python3 "$XB_SOURCE/tests/cli/base_layout.py" ../base v1 --broken "$how" >/dev/null
	expect 0 "$xbuild" lock --update oci:../base:v1
	expect 5 "$xbuild" image on
	case $how in
	platform) says 'the base is for linux/s390x, expected linux/amd64' ;;
	entrypoint) says "base oci:../base:v1: its configuration: expected a list of strings as 'config.Entrypoint', found '/opt/new'" ;;
	*) says 'the base has 2 layers and 1 diffIDs' ;;
	esac
done

# names that lead nowhere have their place
sed -i 's/oci:..\/base:v1/oci:..\/base:v2/' xbuild.yaml
expect 2 "$xbuild" lock
says 'xbuild.yaml:[0-9]+:[0-9]+: .*has no image of the name .v2.'
sed -i 's/oci:..\/base:v2/oci:..\/none/' xbuild.yaml
expect 2 "$xbuild" lock
says 'xbuild.yaml:[0-9]+:[0-9]+: .*no OCI layout'
