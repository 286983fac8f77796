#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks OCI layouts: check_oci_schema.py SCHEMA_DIR PLACE...

A PLACE is a layout of images or of artifacts (referrers), a directory or a tar. Every document is checked against the JSON
schemas of the OCI image-spec where SCHEMA_DIR and python3-jsonschema are at hand, and always: every descriptor's blob is
there with its size and digest, no other blob is, diff IDs are those of the layers, there is one history entry per layer, no
layer names a path twice or a child before its directory, manifest.json names blobs that are there.
Exit status 77: nothing was wrong, and the schemas were not there to be asked.
"""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
SCHEMAS = {
    INDEX: "image-index-schema.json",
    MANIFEST: "image-manifest-schema.json",
    CONFIG: "config-schema.json",
    "layout": "image-layout-schema.json",
}


class Schemas:
    """The schemas name each other by relative file names; their "id" would send the library to the network."""

    def __init__(self, directory):
        self.documents = {}
        for name in sorted(os.listdir(directory)):
            if name.endswith(".json"):
                with open(os.path.join(directory, name), encoding="utf-8") as file:
                    self.documents[name] = strip_ids(json.load(file))
        # the judge is awake
        if not self.errors(MANIFEST, {"schemaVersion": 1}):
            sys.exit("the schema of manifests accepts anything")

    def inline(self, node, name):
        """Replaces every $ref by what it means; the schemas are not recursive."""
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                file, _, pointer = node["$ref"].partition("#")
                name = file or name
                target = self.documents[name]
                for part in pointer.strip("/").split("/") if pointer.strip("/") else []:
                    target = target[part]
                return self.inline(target, name)
            return {key: self.inline(value, name) for key, value in node.items()}
        if isinstance(node, list):
            return [self.inline(item, name) for item in node]
        return node

    def errors(self, kind, document):
        import jsonschema

        name = SCHEMAS[kind]
        return list(jsonschema.Draft4Validator(self.inline(self.documents[name], name)).iter_errors(document))

    def check(self, kind, document, what):
        errors = [f"{what}: {'/'.join(map(str, e.path))}: {e.message}" for e in self.errors(kind, document)]
        if errors:
            sys.exit("\n".join(errors))


def strip_ids(node):
    if isinstance(node, dict):
        return {k: strip_ids(v) for k, v in node.items() if not (k == "id" and isinstance(v, str))}
    if isinstance(node, list):
        return [strip_ids(item) for item in node]
    return node


class Layout:
    def __init__(self, place, schemas):
        self.place = place
        self.schemas = schemas
        self.seen = set()
        self.archive = None if os.path.isdir(place) else tarfile.open(place)

    def read(self, name):
        if self.archive:
            return self.archive.extractfile(name).read()
        with open(os.path.join(self.place, name), "rb") as file:
            return file.read()

    def names(self):
        """All files but for directories, from the top of the layout."""
        if self.archive:
            return {m.name for m in self.archive.getmembers() if not m.isdir()}
        return {
            os.path.relpath(os.path.join(directory, name), self.place)
            for directory, _, files in os.walk(self.place)
            for name in files
        }

    def document(self, kind, data, what):
        if data.endswith(b"\n"):
            sys.exit(f"{what}: ends with a newline")
        document = json.loads(data)
        if self.schemas:
            self.schemas.check(kind, document, what)
        return document

    def blob(self, descriptor):
        digest = descriptor["digest"]
        data = self.read("blobs/" + digest.replace(":", "/"))
        self.seen.add("blobs/" + digest.replace(":", "/"))
        if len(data) != descriptor["size"]:
            sys.exit(f"{digest}: {len(data)} bytes, the descriptor says {descriptor['size']}")
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            sys.exit(f"{digest}: the bytes have another digest")
        return data

    def layer(self, descriptor, diff_id):
        if descriptor["mediaType"] != LAYER:
            sys.exit(f"{descriptor['digest']}: media type {descriptor['mediaType']}")
        tar = gzip.decompress(self.blob(descriptor))
        if "sha256:" + hashlib.sha256(tar).hexdigest() != diff_id:
            sys.exit(f"{descriptor['digest']}: the tar is not {diff_id}")
        names = []
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            for member in archive:
                parent = os.path.dirname(member.name)
                if member.name in names or (parent and parent not in names):
                    sys.exit(f"{descriptor['digest']}: {member.name}: twice, or before its directory")
                if member.mtime != 1 or member.uname or member.gname:
                    sys.exit(f"{descriptor['digest']}: {member.name}: has a time or owner name of its own")
                names.append(member.name)

    def manifest(self, descriptor):
        manifest = self.document(MANIFEST, self.blob(descriptor), descriptor["digest"])
        if manifest["config"]["mediaType"] == EMPTY:
            self.artifact(descriptor, manifest)
            return
        config = self.document(CONFIG, self.blob(manifest["config"]), manifest["config"]["digest"])
        platform = descriptor["platform"]
        for key in ("architecture", "os", "variant"):
            if platform.get(key) != config.get(key):
                sys.exit(f"{descriptor['digest']}: {key} {platform.get(key)} and {config.get(key)}")
        diff_ids = config["rootfs"]["diff_ids"]
        if not len(diff_ids) == len(manifest["layers"]) == len(config["history"]):
            sys.exit(f"{descriptor['digest']}: layers, diff_ids and history differ in number")
        for layer, diff_id in zip(manifest["layers"], diff_ids):
            self.layer(layer, diff_id)

    def artifact(self, descriptor, manifest):
        if not manifest.get("artifactType") or descriptor.get("artifactType", manifest["artifactType"]) != manifest["artifactType"]:
            sys.exit(f"{descriptor['digest']}: artifactType of the manifest and of its descriptor")
        if json.loads(self.blob(manifest["config"])) != {}:
            sys.exit(f"{descriptor['digest']}: its configuration is not the empty one")
        for layer in manifest["layers"]:
            self.blob(layer)

    def entry(self, descriptor):
        if descriptor["mediaType"] == INDEX:
            for below in self.document(INDEX, self.blob(descriptor), descriptor["digest"])["manifests"]:
                self.entry(below)
        elif descriptor["mediaType"] == MANIFEST:
            self.manifest(descriptor)
        else:
            sys.exit(f"{descriptor['digest']}: {descriptor['mediaType']} in an index")

    def check(self):
        top_names = {"oci-layout", "index.json"}
        names = self.names()
        self.document("layout", self.read("oci-layout"), "oci-layout")
        top = self.document(INDEX, self.read("index.json"), "index.json")
        for descriptor in top["manifests"]:
            self.entry(descriptor)
        if "manifest.json" in names:
            top_names.add("manifest.json")
            for image in json.loads(self.read("manifest.json")):
                lost = [name for name in [image["Config"], *image["Layers"]] if name not in names]
                if lost:
                    sys.exit(f"manifest.json names what is not there: {lost}")
        if names != self.seen | top_names:
            sys.exit(f"files that nothing names: {sorted(names - self.seen - top_names)}")


def main():
    directory, places = sys.argv[1], sys.argv[2:]
    schemas, missing = None, f"no directory '{directory}'"
    if os.path.isdir(directory):
        try:
            import jsonschema  # noqa: F401

            schemas = Schemas(directory)
        except ImportError:
            missing = "python3-jsonschema is not installed"
    if not places:
        sys.exit("nothing to check")
    for place in places:
        try:
            Layout(place, schemas).check()
        except SystemExit as error:
            sys.exit(f"{place}: {error}")
        except (KeyError, TypeError, ValueError, OSError) as error:
            sys.exit(f"{place}: {error!r}")
    if not schemas:
        print(f"digests and layers are right; not checked against the schemas: {missing}")
        sys.exit(77)


if __name__ == "__main__":
    main()
