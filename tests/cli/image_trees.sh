#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Random trees as images: names of all kinds and lengths, deep directories, links that lead nowhere, modes, large owners,
# empty files and directories. GNU tar, bsdtar, Python's tarfile and umoci must see what the project file says.
# XB_SEEDS: other trees than those of every run.
. "$(dirname "$0")/begin.sh"
serve
warm_store
owners=--owners rootless=
[ "$(id -u)" = 0 ] || owners='' rootless=--rootless
# the tools for one reader are not those for all
for tool in bsdtar umoci; do command -v $tool >/dev/null || echo "SKIPPED: $tool"; done

# sees READER PLACE [OPTION...]: what is there is what was wanted
sees() {
	reader=$1
	shift
	python3 "$XB_SOURCE/tests/cli/random_tree.py" compare wanted.json "$@" >"$work/differs" 2>&1 ||
		fail "seed $seed, $reader: $(cat "$work/differs")"
}
# unpacked READER OPTIONS COMMAND...: every layer, one over the other; COMMAND reads a tar from stdin into the current
# directory; OPTIONS of compare
unpacked() {
	reader=$1
	options=$2
	shift 2
	mkdir "$work/root"
	for layer in $layers; do gzip -dc "$layer" | (cd "$work/root" && "$@") || fail "seed $seed: $reader"; done
	# shellcheck disable=SC2086 # options
	sees "$reader" "$work/root" $owners $options
	chmod -R u+rwx "$work/root" && rm -rf "$work/root"
}

for seed in ${XB_SEEDS:-1 2 3}; do
	python3 "$XB_SOURCE/tests/cli/random_tree.py" make "$work/tree$seed" "$seed"
	cd "$work/tree$seed"
	expect 0 "$xbuild" image --output oci --output docker-archive --output rootfs
	expect 0 "$xbuild" verify out/images/tree
	expect 0 "$xbuild" verify out/images/tree.docker.tar
	layers=$(python3 - out/images/tree <<'PY'
import json, sys
blob = lambda d: sys.argv[1] + "/blobs/" + d["digest"].replace(":", "/")
index = json.load(open(blob(json.load(open(sys.argv[1] + "/index.json"))["manifests"][0])))
print("\n".join(blob(layer) for layer in json.load(open(blob(index["manifests"][0])))["layers"]))
PY
	)
	for layer in $layers; do sees "Python's tarfile" "$layer" --owners; done
	sees "Python's tarfile on the rootfs" out/images/tree-linux-x86_64.tar --owners
	unpacked tar "" tar -xp --numeric-owner
	# libarchive composes what comes as UTF-8; bsdtar takes a leading backslash away without -P
	if command -v bsdtar >/dev/null; then LC_ALL=C.UTF-8 unpacked bsdtar --composed bsdtar -xpPf - --numeric-owner; fi
	if command -v umoci >/dev/null; then
		# shellcheck disable=SC2086 # one option or none
		expect 0 umoci unpack $rootless --image "out/images/tree:$(sed -n 's/.*ref\.name":"\([^"]*\)".*/\1/p' out/images/tree/index.json)" "$work/bundle"
		# shellcheck disable=SC2086
		sees umoci "$work/bundle/rootfs" $owners
		chmod -R u+rwx "$work/bundle" && rm -rf "$work/bundle"
	fi
	cd "$work"
done
