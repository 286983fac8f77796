#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Targets that the sysroot's release does not have, and the two that are meant when a project names none.
. "$(dirname "$0")/begin.sh"
serve
hello_project
cd project

# one release without the machine, and one that has it
sysroot=$XBUILD_DATA_DIR/sysroots/debian-test.yaml
grep -v '^architectures:' "$sysroot" >"$work/plain"
(cat "$work/plain" && echo 'architectures: [amd64, arm64]') >"$sysroot"
(sed 's/^name: .*/name: debian-wide/' "$work/plain" && echo 'architectures: [amd64, arm64, riscv64]') \
	>"$XBUILD_DATA_DIR/sysroots/debian-wide.yaml"
cp "$XB_SOURCE/sysroots/chromium-bullseye.yaml" "$XBUILD_DATA_DIR/sysroots/" # archives, none for this machine
sed -i 's/^targets: .*/targets: [linux-x86_64, riscv64]/' xbuild.yaml
expect 2 "$xbuild" lock
says "xbuild.yaml:8:25: error: sysroot 'debian-test' has nothing for target 'linux-riscv64' \\(Debian's 'riscv64'\\)"
says 'help: sysroots that have it: debian-wide$'
[ ! -e xbuild.lock ] || fail "a lock was made"

sed -i 's/^targets: .*/targets: [linux-x86_64-musl]/' xbuild.yaml
expect 2 "$xbuild" lock
says "error: sysroot 'debian-test' has no musl for target 'linux-x86_64-musl'"

# nobody says which machines there are: the signed release does
sed -i 's/^targets: .*/targets: [linux-s390x]/' xbuild.yaml
cp "$work/plain" "$sysroot"
expect 2 "$xbuild" lock
says "error: suite '[a-z]*' has no index of 'main' for 's390x'"

# none named: the two that have always been meant
sed -i '/^targets: /d' xbuild.yaml
expect 0 "$xbuild" lock
python3 - <<'PY'
import json
assert sorted(json.load(open("xbuild.lock"))["sysroots"]) == ["linux-aarch64", "linux-x86_64"]
PY
expect 0 "$xbuild" targets --json
python3 - "$work/stdout" <<'PY'
import json, sys
rows = {row["name"]: row for row in json.load(open(sys.argv[1]))}
assert rows["linux-armv7"]["oci"] == "linux/arm/v7" and rows["linux-x86"]["oci"] == "linux/386", rows
assert rows["linux-s390x"]["debian"] == "s390x" and rows["linux-ppc64le"]["debian"] == "ppc64el", rows
assert [n for n, r in rows.items() if r["default"]] == ["linux-x86_64", "linux-aarch64"], rows
PY
