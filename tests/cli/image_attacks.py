# SPDX-License-Identifier: Apache-2.0
"""Images that a careful consumer refuses, and some that only look odd.

image_attacks.py DIRECTORY: makes each of them there, and prints a line for each: name, exit status of verify, and what
its stderr has to say (an extended regular expression; "-" for nothing at all), with tabs between.
"""
import base64, gzip, hashlib, json, os, struct, sys, tarfile

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER = "application/vnd.docker."


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def elf(machine=62, kind=3, bits=2, data=1):
    order = "<" if data == 1 else ">"
    return b"\x7fELF" + bytes([bits, data, 1]) + bytes(9) + struct.pack(order + "HH", kind, machine) + bytes(44)


def entry(name, data=b"", kind=tarfile.REGTYPE, link="", mode=0o644, size=None, pax=None):
    """One entry as bytes; size: what the header claims."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(data) if size is None else size
    info.pax_headers = pax or {}
    return info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512)


def owner(header, uid, gid):
    """The first entry of a tar with another owner."""
    info = tarfile.TarInfo.frombuf(header[:512], "utf-8", "strict")
    info.uid, info.gid = uid, gid
    return info.tobuf(tarfile.PAX_FORMAT) + header[512:]


END = bytes(1024)
PROGRAM = entry("usr/", kind=tarfile.DIRTYPE, mode=0o755) + entry("usr/app", elf(), mode=0o755)
LONG = "a" * 90 + "/" + "b" * 120  # needs a pax header


class Image:
    """An image of one platform, with layers of plain tars; every document can be changed before it is sealed."""

    def __init__(self, *tars, pack=gzip.compress):
        self.tars = list(tars) or [PROGRAM + entry(LONG, b"x") + END, entry("etc/conf", b"y") + END]
        self.layers = [pack(t, mtime=0) if pack is gzip.compress else pack(t) for t in self.tars]
        self.layer_type, self.ref = LAYER, "v1"
        self.config = {
            "architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/usr/app"]} if any(b"usr/app" in t for t in self.tars) else {},
            "rootfs": {"type": "layers", "diff_ids": [digest(t) for t in self.tars]},
            "history": [{"created_by": "x"}, {"empty_layer": True}] + [{"created_by": "y"}] * (len(self.tars) - 1),
        }
        self.blobs, self.extra = {}, {}
        self.layout = {"imageLayoutVersion": "1.0.0"}
        self.manifest_type, self.config_type = MANIFEST, CONFIG
        self.change = {}  # "manifest", "index", "top" -> function that changes the document

    def put(self, data, media, **more):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.blobs["blobs/" + digest(data).replace(":", "/")] = data
        return dict(mediaType=media, digest=digest(data), size=len(data), **more)

    def seal(self):
        """The files of the layout."""
        nothing = lambda document: document
        layers = [self.put(l, self.layer_type) for l in self.layers]
        self.config_at = self.put(self.config, self.config_type)
        manifest = {"schemaVersion": 2, "mediaType": self.manifest_type, "config": self.config_at, "layers": layers}
        manifest = self.change.get("manifest", nothing)(manifest)
        m = self.put(manifest, self.manifest_type, platform={"architecture": "amd64", "os": "linux"})
        index = self.change.get("index", nothing)({"schemaVersion": 2, "mediaType": INDEX, "manifests": [m]})
        i = self.put(index, INDEX, annotations={"org.opencontainers.image.ref.name": self.ref})
        top = self.change.get("top", nothing)({"schemaVersion": 2, "mediaType": INDEX, "manifests": [i]})
        files = {"oci-layout": json.dumps(self.layout).encode(), "index.json": json.dumps(top).encode() if not isinstance(top, bytes) else top}
        files.update(self.blobs)
        files.update(self.extra)
        return {name: data for name, data in files.items() if data is not None}

    def layer_name(self, i=0):
        return "blobs/" + digest(self.layers[i]).replace(":", "/")


def write_dir(path, files):
    for name, data in files.items():
        full = os.path.join(path, name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if isinstance(data, tuple):
            os.symlink(data[0], full)
        else:
            open(full, "wb").write(data)


def write_tar(path, files, pack=bytes, more=b"", end=END):
    out = b"".join(entry(name, data) if not isinstance(data, tuple) else entry(name, kind=tarfile.SYMTYPE, link=data[0])
                   for name, data in files.items())
    open(path, "wb").write(pack(out + more + end))


def main():
    root = sys.argv[1]
    cases = []

    def case(name, status, says, files, write=write_dir, **more):
        write(os.path.join(root, name), files, **more)
        cases.append((name, status, says))

    def image(name, status, says, change=None, *tars, **more):
        i = Image(*tars, **more)
        if change:
            change(i)
        case(name, status, says, i.seal())

    def files(name, status, says, change, write=write_dir, **more):
        i = Image()
        f = i.seal()
        change(i, f)
        case(name, status, says, f, write, **more)

    setting = lambda name, value: lambda i: setattr(i, name, value)

    def changing(where, function):
        def change(i):
            i.change[where] = function
        return change

    def member(where, key, value):
        return changing(where, lambda d: {k: v for k, v in dict(d, **{key: value}).items() if v is not None})

    def descriptor(where, key, **values):
        def function(d):
            at = d[key][0] if isinstance(d[key], list) else d[key]
            at.update(values)
            return d
        return changing(where, function)

    # fine, in every form
    image("fine", 0, "-")
    case("fine.tar", 0, "-", Image().seal(), write_tar)
    case("fine.tar.gz", 0, "-", Image().seal(), write_tar, pack=gzip.compress)
    image("fine-plain-layers", 0, "-", setting("layer_type", LAYER[:-5]), pack=bytes)
    image("fine-whiteout-and-device", 0, "-", None,
          PROGRAM + entry("usr/.wh.gone") + entry("dev/null", kind=tarfile.CHRTYPE) + entry("usr/b", kind=tarfile.LNKTYPE, link="usr/app")
          + entry("lib", kind=tarfile.SYMTYPE, link="/usr/../../lib") + END)
    image("fine-dot-names", 0, "-", None, entry("./", kind=tarfile.DIRTYPE) + entry("./a/", kind=tarfile.DIRTYPE) + entry("./a/b", b"1") + END)
    image("fine-empty-layer", 0, "-", None, END)
    image("fine-386-on-amd64", 0, "-", None, entry("lib/ld.so", elf(3, bits=1), mode=0o755) + END)

    def docker_types(i):
        i.manifest_type, i.config_type = DOCKER + "distribution.manifest.v2+json", DOCKER + "container.image.v1+json"
        i.layer_type = DOCKER + "image.rootfs.diff.tar.gzip"
    image("fine-docker-types", 0, "-", docker_types)

    def saved(i, f, **changes):  # as `docker save` before version 25
        config = json.dumps(i.config).encode()
        name = hashlib.sha256(config).hexdigest() + ".json"
        kept = {name: config, "1/layer.tar": i.tars[0], "2/layer.tar": i.tars[1], "3/layer.tar": ("../1/layer.tar",)}
        entries = [{"Config": name, "RepoTags": ["app:v1"], "Layers": changes.pop("layers", ["1/layer.tar", "2/layer.tar"])}]
        f.clear()
        f.update({"manifest.json": json.dumps(entries).encode()}, **kept)
        f.update(changes)
    files("fine-docker-save.tar", 0, "-", saved, write_tar)
    files("fine-docker-save-link.tar", 0, "-", lambda i, f: saved(i, f, layers=["3/layer.tar", "2/layer.tar"]), write_tar)
    files("docker-save-layers.tar", 5, r"manifest.json: \[0\]: diff_ids\[0\]: expected sha256:.*unpacks to", lambda i, f: saved(i, f, layers=["2/layer.tar", "1/layer.tar"]), write_tar)
    files("docker-save-missing.tar", 5, r"layer '4/layer.tar' is missing", lambda i, f: saved(i, f, layers=["1/layer.tar", "4/layer.tar"]), write_tar)
    files("docker-save-loop.tar", 5, r"layer '3/layer.tar' is missing", lambda i, f: saved(i, f, layers=["3/layer.tar", "2/layer.tar"], **{"3/layer.tar": ("../3/layer.tar",)}), write_tar)
    files("docker-save-name.tar", 5, r"another digest than its name", lambda i, f: saved(i, f, **{k: v for k, v in []}) or f.update({n: d + b" " for n, d in f.items() if n.endswith(".json") and len(n) > 60}), write_tar)

    # digests, sizes, blobs
    def flip(i, f):
        data = bytearray(f[i.layer_name()])
        data[30] ^= 1
        f[i.layer_name()] = bytes(data)
    files("flipped-byte", 5, r"blob sha256:[0-9a-f]{64}: its content has the digest sha256:", flip)
    files("flipped-byte.tar", 5, r"blob sha256:[0-9a-f]{64}: its content has the digest sha256:", flip, write_tar)
    files("missing-blob", 5, r"layers\[0\]: sha256:[0-9a-f]{64} is missing", lambda i, f: f.pop(i.layer_name()))
    files("missing-blob.tar", 5, r"is missing", lambda i, f: f.pop(i.layer_name()), write_tar)
    files("link-blob", 5, r"found a link", lambda i, f: f.update({i.layer_name(): ("../../index.json",)}))
    files("unreferenced", 0, r"warning: 'blobs/sha256/0000': nothing refers to it", lambda i, f: f.update({"blobs/sha256/0000": b"x"}))
    image("wrong-size", 5, r"layers\[0\]: says that sha256:.* has 7 bytes, found", descriptor("manifest", "layers", size=7))
    image("huge-size", 5, r"has 9223372036854775807 bytes, found", descriptor("manifest", "layers", size=2**63 - 1))
    image("negative-size", 5, r"expected a size that is a whole number", descriptor("manifest", "layers", size=-1))
    image("float-size", 5, r"expected a size that is a whole number", descriptor("manifest", "config", size=1e3))
    image("overflowing-size", 5, r"too big integer|whole number", descriptor("manifest", "layers", size=2**64))
    image("path-digest", 5, r"is no digest", descriptor("manifest", "layers", digest="sha256:../../../etc/passwd"))
    image("upper-digest", 5, r"is missing|64 lower-case", changing("top", lambda d: (d["manifests"][0].update(digest="sha256:" + "A" * 64), d)[1]))
    image("sha512", 0, r"only sha256 is known", lambda i: i.blobs.update({"blobs/sha512/" + hashlib.sha512(b"{}").hexdigest(): b"{}"}) or changing(
        "top", lambda d: (d["manifests"].append({"mediaType": MANIFEST, "digest": "sha512:" + hashlib.sha512(b"{}").hexdigest(), "size": 2}), d)[1])(i))
    image("foreign-layer-missing", 0, r"warning: .*is missing", lambda i: changing("manifest", lambda d: (d["layers"].append(
        {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "digest": "sha256:" + "1" * 64, "size": 9, "urls": ["https://example.org/"]}),
        d)[1])(i) or i.config["rootfs"]["diff_ids"].append("sha256:" + "2" * 64) or i.config["history"].append({}))

    # copies in descriptors, of every length that base64 pads
    def embed(change):
        def function(d):
            c = json.dumps(current[0].config).encode()
            d["config"]["data"] = change(base64.b64encode(c).decode())
            return d
        return lambda i: current.__setitem__(0, i) or changing("manifest", function)(i)
    current = [None]
    for n in range(3):
        image("data-%d" % n, 0, "-", lambda i: i.config.update(author="x" * n) or embed(lambda t: t)(i))
    image("data-other", 5, r"config: its 'data' is not base64 of the content", embed(lambda t: base64.b64encode(b"{}").decode()))
    image("data-cut", 5, r"its 'data' is not", embed(lambda t: t[:-1]))
    image("data-odd", 5, r"its 'data' is not", embed(lambda t: t[:8] + "=" + t[9:]))
    image("data-blank", 5, r"its 'data' is not", embed(lambda t: ""))
    image("data-number", 5, r"expected a string as 'data'", embed(lambda t: 7))
    image("same-name", 0, r"warning: index.json: more than one image is called 'v1'", changing("top", lambda d: dict(d, manifests=d["manifests"] * 2)))

    # documents
    image("no-layout-version", 5, r"imageLayoutVersion '1.0.0', found '2.0.0'", setting("layout", {"imageLayoutVersion": "2.0.0"}))
    files("no-oci-layout", 5, r"'oci-layout' is missing", lambda i, f: f.pop("oci-layout"))
    files("no-index", 5, r"'index.json' is missing", lambda i, f: f.pop("index.json"))
    files("nothing", 5, r"neither an OCI layout", lambda i, f: (f.clear(), f.update({"a": b"b"})))
    image("schema-version", 5, r"expected schemaVersion 2", member("manifest", "schemaVersion", 1))
    image("no-schema-version", 5, r"index sha256:.*expected schemaVersion 2", member("index", "schemaVersion", None))
    image("other-media-type", 5, r"manifest sha256:.*expected mediaType '.*manifest.v1\+json', found '.*index", member("manifest", "mediaType", INDEX))
    image("no-media-type", 0, r"warning: .*should have a mediaType", member("manifest", "mediaType", None))
    image("two-in-one", 5, r"an index and a manifest at once", member("manifest", "manifests", []))
    image("no-manifests", 5, r"expected a list 'manifests'", member("index", "manifests", {}))
    image("empty-index", 5, r"index sha256:.*it holds no image: 'manifests' is empty", member("index", "manifests", []))
    image("empty-top", 5, r"index.json: it holds no image: 'manifests' is empty", member("top", "manifests", []))
    unknown = descriptor("index", "manifests", mediaType="application/vnd.example.thing+json")
    image("unknown-entries", 5, r"it holds no image: no entry has a media type that is known", unknown)
    image("layers-no-list", 5, r"list of at most", member("manifest", "layers", "x"))
    image("layer-no-object", 5, r"expected a descriptor", member("manifest", "layers", ["x", 1]))
    image("docker-layer-in-oci", 5, r"does not belong into an OCI manifest", descriptor("manifest", "layers", mediaType=DOCKER + "image.rootfs.diff.tar.gzip"))
    image("unknown-layer-type", 0, r"warning: .*unknown media type 'text/plain'", descriptor("manifest", "layers", mediaType="text/plain"))
    image("empty-config", 5, r"must have an artifactType", descriptor("manifest", "config", mediaType="application/vnd.oci.empty.v1+json"))
    image("artifact", 0, "-", lambda i: changing("manifest", lambda d: dict(d, artifactType="text/x", config=i.put(b"{}", "application/vnd.oci.empty.v1+json"), layers=d["layers"] + [i.put(b"sbom", "text/plain")]))(i)
          or setattr(i, "extra", {"blobs/" + digest(json.dumps(i.config).encode()).replace(":", "/"): None}))
    deep = b"[" * 100000 + b"]" * 100000
    image("deep-json", 5, r"^error: index.json:1:65: more than 64 levels of nesting$", changing("top", lambda d: deep))
    image("deep-json-blob", 5, r"nesting", lambda i: changing("top", lambda d: (d["manifests"].append(i.put(deep, MANIFEST)), d)[1])(i))
    image("no-json", 5, r"index.json:1:1", changing("top", lambda d: b"\x00\xff"))
    image("twice-a-key", 5, r"duplicate", changing("top", lambda d: b'{"schemaVersion":2,"schemaVersion":2,"manifests":[]}'))
    image("json-no-object", 5, r"expected schemaVersion 2", changing("top", lambda d: b"[]"))
    image("huge-document", 5, r"expected at most 4194304 bytes", changing("top", lambda d: b" " * (9 << 20)))
    image("control-bytes", 5, r"\?\[31mevil", descriptor("manifest", "layers", mediaType="\x1b[31mevil\n\u009b", size=1))

    def nest(i):
        def function(d):
            inner = d["manifests"][0]
            for _ in range(20):
                inner = i.put({"schemaVersion": 2, "mediaType": INDEX, "manifests": [inner, inner]}, INDEX)
            return dict(d, manifests=[inner, inner])
        i.change["top"] = function
    image("index-in-index", 5, r"more than 8 indexes in each other", nest)

    # the configuration
    def config(**values):
        return lambda i: [i.config.update(values), [i.config.pop(k) for k, v in values.items() if v is None]]
    wrong = digest(b"wrong")
    image("wrong-diff-id", 5, r"config sha256:.*diff_ids\[1\]: expected " + wrong + ", but 'blobs/sha256/.*' unpacks to sha256:",
          lambda i: i.config["rootfs"]["diff_ids"].__setitem__(1, wrong))
    image("swapped-diff-ids", 5, r"diff_ids\[0\]", lambda i: i.config["rootfs"]["diff_ids"].reverse())
    image("fewer-diff-ids", 5, r"expected 2 diff_ids, one per layer, found 1", lambda i: i.config["rootfs"]["diff_ids"].pop())
    image("no-rootfs", 5, r"rootfs.type 'layers'", config(rootfs=None))
    image("rootfs-type", 5, r"rootfs.type 'layers', found 'x'", lambda i: i.config["rootfs"].update(type="x"))
    image("diff-id-no-text", 5, r"is no sha256 digest", lambda i: i.config["rootfs"]["diff_ids"].__setitem__(1, 5))
    image("history", 5, r"history has 3 entries with a layer, the image has 2", lambda i: i.config["history"].append({}))
    image("no-history", 0, "-", config(history=None))
    image("no-os", 5, r"'os' and 'architecture' are required", config(os=None))
    image("os-no-text", 5, r"expected a string as 'os'", config(os=5))
    image("other-platform", 5, r"the index says that it is for linux/amd64, its configuration says linux/arm64", config(architecture="arm64"))
    image("wrong-machine", 5, r"config sha256:.*'usr/app': a program for amd64 in an image for arm64", config(architecture="arm64"))
    image("wrong-library", 5, r"'lib/x.so' and 2 more: a program for s390x in an image for amd64", None,
          b"".join(entry("lib/%s.so" % n, elf(22, data=2)) for n in "xyz") + END)
    image("odd-machine", 5, r"'a': a program for ELF machine 999 in", None, entry("a", elf(999), mode=0o755) + END)
    image("data-machine", 0, r"warning: .*'a': for arm64 in an image for amd64, and not executable", None, entry("a", elf(183, 2)) + END)
    image("object-file", 0, "-", None, entry("a.o", elf(183, 1)) + END)
    image("variant", 0, r"warning: .*for linux/amd64/v2, its configuration only linux/amd64", changing("index", lambda d: (d["manifests"][0]["platform"].update(variant="v2"), d)[1]))
    image("unknown-platform", 5, r"warning: .*'unknown/unknown' confuses", changing("index", lambda d: (d["manifests"][0].update(platform={"os": "unknown", "architecture": "unknown"}), d)[1]))

    image("created", 5, r"expected a time as RFC 3339 has it as 'created', found 'yesterday'", config(created="yesterday"))
    for n, time in enumerate(("2023-02-29T00:00:00Z", "2023-01-01T00:00:60Z", "2023-01-01T00:00:00", "2023-01-01 00:00:00Z", "2023-01-01T00:00:00.Z",
                              "2023-01-01T00:00:00+1:00", "2023-13-01T00:00:00Z", "", "2023-01-01T00:00:00Zx")):
        image("created-%d" % n, 5, r"expected a time", config(created=time))
    for n, time in enumerate(("0001-01-01T00:00:00Z", "2024-02-29T23:59:59.123456789+05:30", "2000-02-29t00:00:00z")):
        image("fine-created-%d" % n, 0, "-", config(created=time))
    run = lambda **values: config(config=values)
    image("history-time", 5, r"'history\[0\].created', found 'x'", lambda i: i.config["history"][0].update(created="x"))
    image("config-list", 5, r"expected an object as 'config'", config(config=[]))
    for key, value, told in (
            ("Entrypoint", "/usr/app", "a list of strings as 'config.Entrypoint', found '/usr/app'"), ("Cmd", [1], "a list of strings"),
            ("Env", {"A": "1"}, "a list of strings"), ("User", 0, "a string as 'config.User'"), ("WorkingDir", [], "a string"),
            ("ExposedPorts", ["80"], "an object of empty objects"), ("Volumes", {"/data": 1}, "an object of empty objects"),
            ("Labels", {"a": 1}, "an object of strings"), ("StopSignal", 15, "a string"), ("ArgsEscaped", "yes", "true or false")):
        image("config-" + key, 5, r"config sha256:.*expected " + told, run(**{key: value}))
    image("fine-nulls", 0, "-", run(Entrypoint=None, Cmd=None, Volumes=None, Labels=None))
    image("fine-run", 0, "-", run(Env=["A=", "B=1=2"], ExposedPorts={"80": {}, "53/udp": {}, "1-9/tcp": {}}, WorkingDir="/srv"))
    image("env-null", 0, r"warning: .*'config.Env' is null", run(Env=None))
    image("env-without-value", 0, r"warning: .*Env: 'NAME' is not NAME=VALUE", run(Env=["NAME"]))
    image("env-twice", 0, r"warning: .*Env: 'A' is set twice", run(Env=["A=1", "B=2", "A=3"]))
    image("ports", 0, r"warning: .*ExposedPorts: '99999/foo' is no port", run(ExposedPorts={"99999/foo": {}}))
    image("port-0", 0, r"warning: .*'0' is no port", run(ExposedPorts={"0": {}}))
    image("workdir", 0, r"warning: .*WorkingDir 'rel' is not absolute", run(WorkingDir="rel"))

    # what a container starts, and as whom
    def started(name, status, says, *tars, os="linux", **values):
        image(name, status, says, lambda i: config(config=values, os=os)(i) and changing("index", lambda d: (d["manifests"][0]["platform"].update(os=os), d)[1])(i), *tars)
    program = lambda name, data=elf(), mode=0o755: entry(name, data, mode=mode)
    link = lambda name, to: entry(name, kind=tarfile.SYMTYPE, link=to)
    merged = program("usr/bin/sh") + link("bin", "usr/bin") + END
    users = entry("etc/passwd", b"root:x:0:0::/:/bin/sh\nann:x:7:8::/:/bin/sh\nbob:x:9:9::/:/bin/sh\n")
    groups = entry("etc/group", b"root:x:0:\nstaff:x:50:joe,ann\n")
    accounts = users + groups + END
    command = r"config sha256:[0-9a-f]{64}: Entrypoint: "
    absent = "warning: " + command
    started("fine-start-path", 0, "-", program("opt/x/app") + END, Entrypoint=["app", "-v"], Env=["PATH=/none:/opt/x"])
    started("start-two-paths", 5, command + "'/opt/x/app' .*neither a program nor a script", program("opt/x/app", b"hello") + END, Entrypoint=["app"], Env=["PATH=/none", "PATH=/opt/x"])
    started("fine-start-no-path", 0, "-", program("usr/local/bin/app") + END, Entrypoint=["app"])
    started("fine-start-workdir", 0, "-", program("srv/bin/app") + END, Entrypoint=["bin/app"], WorkingDir="/srv")
    started("fine-start-workdir-empty", 0, "-", program("app") + END, Entrypoint=["./app"], WorkingDir="")
    started("fine-start-cmd", 0, "-", program("app") + END, Cmd=["/app"])
    started("fine-start-arguments", 0, "-", program("app") + END, Entrypoint=["/app"], Cmd=["serve"])
    started("fine-start-script", 0, "-", merged, program("run", b"#!/bin/sh -e\n") + END, Entrypoint=["/run"])
    started("fine-start-env", 0, "-", merged + b"", program("run", b"#!/bin/env sh\n") + program("bin/env") + END, Entrypoint=["/run"])
    started("fine-start-through-link", 0, "-", merged, program("bin/app") + END, Entrypoint=["/usr/bin/app"])
    started("fine-start-hard-link", 0, "-", program("a") + entry("b", kind=tarfile.LNKTYPE, link="a", mode=0o755) + END, Entrypoint=["/b"])
    started("fine-start-hard-link-dot", 0, "-", program("./a") + entry("./b", kind=tarfile.LNKTYPE, link="./a", mode=0o755) + END, Entrypoint=["/b"])
    started("fine-start-windows", 0, "-", END, os="windows", Entrypoint=["C:\\x.exe"], User="ContainerUser")
    deep = "/".join(["d" * 200] * 19)
    started("start-too-many-names", 0, r"warning: .*Entrypoint, Cmd and User were not looked for in the layers: there are too many files", program("app") + b"".join(entry(f"{deep}/{n}") for n in range(17500)) + END, Entrypoint=["/app"])
    started("start-none", 0, absent + "the command '/app' is not in the image", program("bpp") + END, Entrypoint=["/app"])
    started("start-no-cmd", 0, r"warning: .*: Cmd: the command '/app' is not in the image", program("bpp") + END, Cmd=["/app"])
    started("start-not-in-path", 0, absent + "the command 'app' is not in the image", program("app") + END, Entrypoint=["app"])
    started("start-workdir", 0, absent + "the command './app' is not in the image", program("app") + END, Entrypoint=["./app"], WorkingDir="/srv")
    started("start-whiteout", 0, absent + "the command '/usr/app' is not in the image", PROGRAM + END, entry("usr/.wh.app") + END, Entrypoint=["/usr/app"])
    started("start-opaque", 0, absent + "the command '/usr/app' is not in the image", PROGRAM + END, entry("usr/.wh..wh..opq") + END, Entrypoint=["/usr/app"])
    started("start-replaced", 5, command + "the command '/app' has mode 0644 and may not be executed", program("app") + END, entry("app", elf()) + END, Entrypoint=["/app"])
    started("start-dangling", 0, absent + "the command '/app' is not in the image", link("app", "/gone") + END, Entrypoint=["/app"])
    started("start-loop", 0, absent + "the command '/app' is not in the image", link("app", "bpp") + link("bpp", "app") + END, Entrypoint=["/app"])
    started("start-directory", 5, command + "the command '/usr' is a directory", PROGRAM + END, Entrypoint=["/usr"])
    started("start-text", 5, command + "'/app' .*neither a program nor a script", program("app", b"hello") + END, Entrypoint=["/app"])
    started("start-no-interpreter", 5, command + "'/run' .* needs '/bin/sh', which is not in the image", program("run", b"#!/bin/sh\n") + END, Entrypoint=["/run"])
    started("start-interpreter-gone", 5, command + "'/run' .* needs '/bin/sh'", merged, program("run", b"#!/bin/sh\n") + entry("usr/bin/.wh.sh") + END, Entrypoint=["/run"])
    started("start-env-gone", 5, command + "'/run' .* needs 'python3'", program("usr/bin/env") + program("run", b"#!/usr/bin/env python3\n") + END, Entrypoint=["/run"])
    started("start-foreign", 5, r"'app': a program for arm64 in an image for amd64", program("app", elf(183)) + END, Entrypoint=["/app"])
    for n, who in enumerate(("7", "7:8", "12345", "12345:54321", "ann", "ann:staff", "ann:99", "7:staff", "0", "")):
        started("fine-user-%d" % n, 0, "-", PROGRAM + END, accounts, Entrypoint=["/usr/app"], User=who)
    started("fine-user-linked", 0, "-", entry("real/passwd", b"ann:x:7:8::/:\n") + link("etc/passwd", "../real/passwd") + END, User="ann")
    started("fine-user-no-files", 0, "-", END, User="65532:65532")
    started("user-unknown", 5, r"config sha256:.*: User: user 'eve' is not in the image's /etc/passwd", accounts, User="eve")
    started("user-no-files", 5, r"User: user 'nonroot' is not in the image's /etc/passwd", END, User="nonroot")
    started("group-unknown", 5, r"User: group 'wheel' is not in the image's /etc/group", accounts, User="ann:wheel")
    started("user-gone", 5, r"User: user 'ann' is not in", accounts, entry("etc/.wh.passwd") + END, User="ann")
    started("user-hidden", 0, r"warning: .*User 'ann' was not looked for", entry("real") + link("etc/passwd", "/huge/passwd") + entry("huge/passwd", b"#" * (1 << 20) + b"#") + END, User="ann")
    owned = lambda mode: owner(program("app", mode=mode), 1, 50) + END
    for who, mode, status in (("ann", 0o010, 0), ("ann:8", 0o010, 5), ("ann:staff", 0o010, 0), ("bob", 0o010, 5), ("bob", 0o001, 0), ("1", 0o100, 0), ("1", 0o011, 5), ("0", 0o001, 0)):
        started("may-%s-%o" % (who, mode), status, command + "the command '/app' has mode %04o and may not be executed" % mode if status else "-",
                accounts, owned(mode), Entrypoint=["/app"], User=who)

    # layers
    layer = lambda name, status, says, *entries, end=END: image(name, status, says, None, PROGRAM + b"".join(entries) + end)
    layer("dotdot", 5, r"layer 'blobs/sha256/.*unsafe name '../../evil'", entry("../../evil", b"x"))
    layer("inner-dotdot", 5, r"unsafe name 'usr/../../evil'", entry("usr/../../evil", b"x"))
    layer("absolute", 5, r"unsafe name '/etc/evil'", entry("/etc/evil", b"x"))
    layer("newline-name", 5, r"unsafe name 'a\?b'", entry("a\nb", b"x"))
    layer("twice", 5, r"'usr/app' is there twice", entry("./usr/app", b"x"))
    layer("directory-twice", 5, r"'usr' is there twice", entry("usr/", kind=tarfile.DIRTYPE))
    layer("through-link", 5, r"'out/x' lies below 'out', which is a symbolic link", entry("out", kind=tarfile.SYMTYPE, link="/etc"), entry("out/x", b"x"))
    layer("below-file", 5, r"'usr/app/x' lies below 'usr/app', which is no directory", entry("usr/app/x", b"x"))
    layer("file-above", 5, r"'usr' is there twice", entry("usr", kind=tarfile.SYMTYPE, link="/"))
    layer("implied-above", 5, r"'d' is no directory, and something lies below it", entry("d/e/f", b"x"), entry("d", kind=tarfile.SYMTYPE, link="/"))
    layer("hard-link-out", 5, r"hard link 'h' leads to the unsafe name '/etc/passwd'", entry("h", kind=tarfile.LNKTYPE, link="/etc/passwd"))
    layer("hard-link-dotdot", 5, r"hard link 'h' leads to the unsafe name", entry("h", kind=tarfile.LNKTYPE, link="../h"))
    layer("hard-link-nowhere", 0, r"warning: .*hard link 'h' leads to 'nowhere'", entry("h", kind=tarfile.LNKTYPE, link="nowhere"))
    layer("huge-entry", 5, r"layer: read 'blobs.*more than the allowed", entry("huge", b"x", size=2**40))
    layer("huge-pax-entry", 5, r"layer: read 'blobs.*more than the allowed", entry("huge", b"x", size=1, pax={"size": str(2**62)}))
    layer("cut-tar", 5, r"layer: read 'blobs.*cut off", end=b"")
    layer("behind-the-end", 5, r"data behind the end", end=END + entry("x", b"x") + END)
    image("no-tar", 5, r"layer: read 'blobs.*Unrecognized", None, b"this is no tar at all" * 100)
    image("empty-blob", 5, r"layer: read 'blobs.*empty", setting("layer_type", LAYER[:-5]), b"", pack=bytes)
    image("cut-gzip", 5, r"layer: read 'blobs.*truncated", lambda i: i.layers.__setitem__(0, i.layers[0][:-40]))
    image("no-gzip", 5, r"promises tar\+gzip, found tar$", None, PROGRAM + END, pack=bytes)
    image("gzip-unsaid", 5, r"promises tar, found tar\+gzip", setting("layer_type", LAYER[:-5]))
    import bz2, lzma
    image("xz-layer", 5, r"neither by gzip nor by zstd", None, PROGRAM + END, pack=lzma.compress)
    image("bzip2-layer", 5, r"neither by gzip nor by zstd", None, PROGRAM + END, pack=bz2.compress)
    image("gzip-in-gzip", 5, r"more than once", None, gzip.compress(PROGRAM + END), pack=gzip.compress)

    # the archive around it
    for name, more, says in (
            ("outer-dotdot", entry("../evil", b"x"), r"archive has an entry with the unsafe name '../evil'"),
            ("outer-twice", entry("index.json", b"{}"), r"archive has 'index.json' twice"),
            ("outer-device", entry("null", kind=tarfile.CHRTYPE), r"neither file, directory nor"),
            ("outer-huge", entry("x", b"x", size=2**40), r"outer-huge.tar"),
            ("outer-sparse-size", entry("y", b"x", size=1, pax={"size": str(2**62)}), r"outer-sparse")):
        case(name + ".tar", 5, says, Image().seal(), write_tar, more=more)
    case("outer-cut.tar", 5, r"cut off", Image().seal(), write_tar, end=b"")
    case("outer-bytes.tar", 5, r"outer-bytes", {}, lambda path, f: open(path, "wb").write(os.urandom(5000)))
    case("outer-empty.tar", 5, r"empty", {}, lambda path, f: open(path, "wb").close())

    # many at once: each is told, and how many more there are
    image("many", 5, r"^and [0-9]+ more$", None, b"".join(entry("../%d" % n, b"") for n in range(200)) + END)
    image("crowd-of-warnings", 5, r"'z/../y'", None, b"".join(entry("h%d" % n, kind=tarfile.LNKTYPE, link="nowhere") for n in range(200)) + entry("z/../y") + END)
    for name, status, says in cases:
        print(name, status, says, sep="\t")


main()
