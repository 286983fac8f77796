#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks an OCI layout: check_oci_schema.py LAYOUT [SCHEMA_DIR]

Against the JSON schemas of the OCI image-spec (SCHEMA_DIR or XB_OCI_SCHEMA_DIR) where they and python3-jsonschema are
at hand, and always: every descriptor's blob is there with its size and digest, no other blob is, diff IDs are those of
the layers, there is one history entry per layer, no layer names a path twice or a child before its directory.
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

    def check(self, kind, document, what):
        import jsonschema

        name = SCHEMAS[kind]
        validator = jsonschema.Draft4Validator(self.inline(self.documents[name], name))
        errors = [f"{what}: {'/'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(document)]
        if errors:
            sys.exit("\n".join(errors))


def strip_ids(node):
    if isinstance(node, dict):
        return {k: strip_ids(v) for k, v in node.items() if not (k == "id" and isinstance(v, str))}
    if isinstance(node, list):
        return [strip_ids(item) for item in node]
    return node


class Layout:
    def __init__(self, directory, schemas):
        self.directory = directory
        self.schemas = schemas
        self.seen = set()

    def document(self, kind, data, what):
        if data.endswith(b"\n"):
            sys.exit(f"{what}: ends with a newline")
        document = json.loads(data)
        if self.schemas:
            self.schemas.check(kind, document, what)
        return document

    def blob(self, descriptor):
        digest = descriptor["digest"]
        with open(os.path.join(self.directory, "blobs", *digest.split(":")), "rb") as file:
            data = file.read()
        self.seen.add(digest.split(":")[1])
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

    def check(self):
        with open(os.path.join(self.directory, "oci-layout"), "rb") as file:
            self.document("layout", file.read(), "oci-layout")
        with open(os.path.join(self.directory, "index.json"), "rb") as file:
            top = self.document(INDEX, file.read(), "index.json")
        if len(top["manifests"]) != 1 or top["manifests"][0]["mediaType"] != INDEX:
            sys.exit("index.json: expected one entry, the index of the image")
        index = self.document(INDEX, self.blob(top["manifests"][0]), "index")
        for descriptor in index["manifests"]:
            self.manifest(descriptor)
        found = set(os.listdir(os.path.join(self.directory, "blobs", "sha256")))
        if found != self.seen:
            sys.exit(f"blobs that nothing names: {sorted(found - self.seen)}")


def main():
    directory = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("XB_OCI_SCHEMA_DIR")
    schemas, missing = None, "XB_OCI_SCHEMA_DIR is not set"
    if directory:
        try:
            import jsonschema  # noqa: F401

            schemas = Schemas(directory)
        except ImportError:
            missing = "python3-jsonschema is not installed"
    Layout(sys.argv[1], schemas).check()
    if not schemas:
        print(f"digests and layers are right; not checked against the schemas: {missing}")
        sys.exit(77)


if __name__ == "__main__":
    main()
