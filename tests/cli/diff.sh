#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild diff: nothing for equal images, in whatever form; one line for everything that differs.
. "$(dirname "$0")/begin.sh"
python3 "$XB_SOURCE/tests/cli/image_made.py" "$work"

expect 2 "$xbuild" diff "$work/one"
says 'needs two'
expect 2 "$xbuild" diff "$work/one" "$work/nothing"
expect 0 "$xbuild" diff "$work/one" "$work/one"
[ ! -s "$work/stdout" ] || fail "an image differs from itself: $(cat "$work/stdout")"
expect 0 "$xbuild" diff --json "$work/one" "$work/one"
[ "$(cat "$work/stdout")" = "[]" ] || fail "expected an empty list"

# two differs from one in these and nothing else: what the upper layer of both hides is not told
expect 1 "$xbuild" diff "$work/one" "$work/two"
silent_about 'error'
sed -E 's/[0-9a-f]{64}/DIGEST/g; s/sha256:[0-9a-f]{12},/sha256:SHORT,/' "$work/stdout" >got
cat >want <<'EOF'
~ linux/amd64 config Env MODE: a -> b
~ linux/amd64 config Labels v: 1 -> 2
~ linux/amd64 annotation note: first -> second
~ linux/amd64 layer 2: unpacked sha256:DIGEST -> sha256:DIGEST
~ linux/amd64 package libc6: 2.36-9 -> 2.36-10
+ linux/amd64 package netbase: 6.4
~ linux/amd64 file /etc/conf: mode 0644 -> 0600
+ linux/amd64 file /etc/extra: file, 0644, 0:0, 1 bytes, sha256:SHORT, layer 2
~ linux/amd64 file /etc/link: target one -> two
~ linux/amd64 file /etc/owned: owner 0:0 -> 7:8
~ linux/amd64 file /usr/bin/app: size 3 -> 4
~ linux/amd64 file /usr/bin/app: content sha256:DIGEST -> sha256:DIGEST
~ linux/amd64 file /var/lib/dpkg/status: size 212 -> 213
~ linux/amd64 file /var/lib/dpkg/status: content sha256:DIGEST -> sha256:DIGEST
+ linux/amd64 file /var/lib/dpkg/status.d/netbase: file, 0644, 0:0, 48 bytes, sha256:SHORT, layer 2
- platform linux/s390x: sha256:DIGEST
EOF
cmp -s got want || fail "$(diff want got)"
# the other way round the same, with before and after exchanged
expect 1 "$xbuild" diff --json "$work/one" "$work/two"
cp "$work/stdout" there
expect 1 "$xbuild" diff --json "$work/two" "$work/one"
python3 - there "$work/stdout" <<'PY'
import json, sys
key = lambda c: (c["platform"] or "", c["kind"], c["name"], c["what"] or "", c["before"] or "", c["after"] or "")
there, back = (json.load(open(p)) for p in sys.argv[1:])
for c in back:
    c["before"], c["after"] = c["after"], c["before"]
assert sorted(map(key, there)) == sorted(map(key, back)), (there, back)
PY

# one that is not sound is not compared
cp -r "$work/one" "$work/damaged"
find "$work/damaged/blobs/sha256" -type f | LC_ALL=C sort | head -n 1 | xargs rm
expect 5 "$xbuild" diff "$work/one" "$work/damaged"
says 'is missing'
[ ! -s "$work/stdout" ] || fail "a damaged image was compared: $(cat "$work/stdout")"

if command -v skopeo >/dev/null; then
	# the same image in an archive; and packed anew: the same files, other blobs
	skopeo copy -q --all "oci:$work/one:v1" "oci-archive:$work/one.tar:x"
	expect 0 "$xbuild" diff "$work/one" "$work/one.tar"
	skopeo copy -q --override-os linux --override-arch amd64 "oci:$work/one:v1" "docker-archive:$work/amd64.tar:name:x"
	expect 1 "$xbuild" diff "$work/one" "$work/amd64.tar"
	if grep -qE 'amd64 (file|package|config|layer)' "$work/stdout"; then fail "packing is no change: $(cat "$work/stdout")"; fi
	prints '^- platform linux/s390x'
	skopeo copy -q --override-os linux --override-arch amd64 "docker-archive:$work/amd64.tar" "oci:$work/again:x"
	expect 1 "$xbuild" diff "$work/one" "$work/again"
	prints '^~ linux/amd64 layer 1: packed sha256'
	if grep -qE 'amd64 (file|package|layer [0-9]: unpacked)' "$work/stdout"; then fail "packing is no change: $(cat "$work/stdout")"; fi
else
	echo "SKIPPED: skopeo"
fi

# memory is for names and digests, not for contents
python3 - "$work" <<'PY'
import importlib.util, os, sys
sys.argv = ["image_made.py", sys.argv[1] + "/unused"]
spec = importlib.util.spec_from_file_location("made", os.environ["XB_SOURCE"] + "/tests/cli/image_made.py")
made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)
work = os.path.dirname(sys.argv[1])
layout = made.Layout(os.path.join(work, "large"))
layout.platform("amd64", [made.tar(("big", bytes(200_000_000), {"mode": 0o644}))], {}, {})
layout.seal("v1", {})
PY
[ -n "${XB_SANITIZED:-}" ] || {
	expect 0 python3 "$XB_SOURCE/tests/bench/peak.py" "$xbuild" diff "$work/large" "$work/large"
	peak=$(tail -n 1 "$work/stdout")
	[ "${peak%.*}" -lt 64 ] || fail "a diff of two files of 200 MB took $peak MB"
}
