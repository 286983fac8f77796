#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks every #include of src/ and include/ against docs/LAYERS, and that each third-party header is included by the
# one file that owns it. Usage: layers.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"

find src include -name '*.[ch]' | LC_ALL=C sort | xargs grep -n '^#include' |
awk -F: '
	BEGIN {
		while ((getline line < "docs/LAYERS") > 0) {
			if (line ~ /^#/ || line !~ /:/) continue
			layer = line; sub(/:.*/, "", layer)
			rest = line; sub(/^[^:]*:/, "", rest)
			known[layer] = 1
			allowed[layer, layer] = 1
			n = split(rest, words, " ")
			for (i = 1; i <= n; i++) allowed[layer, words[i]] = 1
		}
		# Third-party headers and the only files that may include them.
		owner["curl/"] = "src/sys/(fetch|http)"; owner["archive"] = "src/sys/archive"; owner["yaml.h"] = "src/sys/yaml"
		owner["openssl/"] = "src/sys/digest"; owner["rnp/"] = "src/sys/openpgp"; owner["solv/"] = "src/pkg/solve"
		owner["zlib.h"] = "src/sys/gzip_members"; owner["lzma.h"] = "src/sys/archive_source"
	}
	{
		file = $1; line = $2; text = $0; sub(/^[^:]*:[^:]*:/, "", text)
		layer = file; sub(/^(src|include\/xbuild)\//, "", layer); sub(/\/.*/, "", layer)
		if (layer ~ /\./) next
		if (!(layer in known)) { printf "%s:%s: layer %s is not in docs/LAYERS\n", file, line, layer; bad = 1; next }
		if (match(text, /"xbuild\/[a-z]+\//)) {
			other = substr(text, RSTART + 8, RLENGTH - 9)
			if (!((layer, other) in allowed)) {
				printf "%s:%s: layer %s may not include layer %s\n", file, line, layer, other; bad = 1
			}
		}
		# What has several owners: the plain hashes in the light library, keys and signatures in the heavy one.
		if (index(text, "<openssl/") && file ~ /^src\/sys\/(rsa_verify|key_sign)\.c$/) { checked++; next }
		for (lib in owner) if (index(text, "<" lib) && file !~ ("^" owner[lib])) {
			printf "%s:%s: only %s* may include %s\n", file, line, owner[lib], lib; bad = 1
		}
		checked++
	}
	END { if (!checked) { print "no #include was found: the check looked at nothing"; bad = 1 } exit bad }
'
