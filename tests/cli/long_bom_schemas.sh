#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bills of materials before the schema that CycloneDX publishes (npm, @cyclonedx/cyclonedx-library), which is fetched for this test.
. "$(dirname "$0")/begin.sh"
command -v npm >/dev/null || skip "npm is not installed"
python3 -c 'import jsonschema' 2>/dev/null || skip "python3-jsonschema is not installed"
mkdir "$work/npm"
npm install --prefix "$work/npm" --no-audit --no-fund --ignore-scripts @cyclonedx/cyclonedx-library >"$work/npm.log" 2>&1 ||
	skip "npm does not answer: $(tail -n 1 "$work/npm.log")"
serve
warm_store
hello_project project
cd project
expect 0 "$xbuild" lock
expect 0 "$xbuild" image
python3 -W ignore - "$work/npm/node_modules/@cyclonedx/cyclonedx-library/res/schema" out/images/hello.evidence/*.cdx.json \
	"$XB_SOURCE/tests/cases/bill/cyclonedx.json" <<'PY'
import json, os, sys
import jsonschema
directory, documents = sys.argv[1], sys.argv[2:]
load = lambda name: json.load(open(os.path.join(directory, name)))
schema = load("bom-1.6.SNAPSHOT.schema.json")
others = [load(n) for n in ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json", "cryptography-defs.SNAPSHOT.schema.json")
          if os.path.exists(os.path.join(directory, n))]
resolver = jsonschema.RefResolver(schema["$id"], schema, store={s["$id"]: s for s in others})
check = jsonschema.Draft7Validator(schema, resolver=resolver)
assert len(documents) == 4, documents
for path in documents:
    found = [str(list(e.path)) + ": " + e.message[:200] for e in check.iter_errors(json.load(open(path)))]
    assert not found, (path, found)
# the judge does judge
broken = json.load(open(documents[0]))
broken["components"][0]["type"] = "thing"
assert list(check.iter_errors(broken))
PY
