# SPDX-License-Identifier: Apache-2.0
"""Images to look into and to compare.

image_made.py DIRECTORY: makes DIRECTORY/one and DIRECTORY/two there, layouts of a Debian-like image for two platforms, and
DIRECTORY/apk, one of an image with an apk database; two differs from one in one thing of each kind.
"""
import gzip, hashlib, io, json, os, sys, tarfile

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, data, more in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in more.items():
                setattr(info, key, value)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def file(name, text, mode=0o644, uid=0, gid=0):
    return name, text.encode(), {"mode": mode, "uid": uid, "gid": gid}


def directory(name, mode=0o755):
    return name, b"", {"mode": mode, "type": tarfile.DIRTYPE}


def link(name, to):
    return name, b"", {"type": tarfile.SYMTYPE, "linkname": to, "mode": 0o777}


class Layout:
    def __init__(self, path):
        self.path, self.manifests = path, []
        os.makedirs(os.path.join(path, "blobs", "sha256"))

    def put(self, data, media, **more):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        with open(os.path.join(self.path, "blobs", "sha256", digest(data)[7:]), "wb") as f:
            f.write(data)
        return dict(mediaType=media, digest=digest(data), size=len(data), **more)

    def platform(self, arch, tars, run, annotations, created="2024-01-01T00:00:00Z"):
        layers = [self.put(gzip.compress(t, mtime=0), LAYER) for t in tars]
        config = {"architecture": arch, "os": "linux", "created": created, "config": run,
                  "rootfs": {"type": "layers", "diff_ids": [digest(t) for t in tars]},
                  "history": [{"created_by": f"layer {i}"} for i in range(len(tars))]}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.put(config, CONFIG), "layers": layers,
                    "annotations": annotations}
        self.manifests.append(self.put(manifest, MANIFEST, platform={"architecture": arch, "os": "linux"}))

    def seal(self, ref, annotations):
        index = self.put({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests, "annotations": annotations}, INDEX,
                         annotations={"org.opencontainers.image.ref.name": ref})
        for name, document in (("oci-layout", {"imageLayoutVersion": "1.0.0"}),
                               ("index.json", {"schemaVersion": 2, "mediaType": INDEX, "manifests": [index]})):
            with open(os.path.join(self.path, name), "w") as f:
                json.dump(document, f)


def status(name, version, state="install ok installed"):
    return f"Package: {name}\nStatus: {state}\nArchitecture: amd64\nVersion: {version}\nDescription: x\n Version: 9\n\n"


def debian(path, second):
    layout = Layout(path)
    base = tar(directory("etc"), file("etc/keep", "kept"), file("etc/gone", "x"), file("etc/old/a", "a"), file("etc/old/b", "b"),
               file("var/lib/dpkg/status", status("libc6", "2.36-9") + status("left", "1", "deinstall ok config-files")),
               file("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\nArchitecture: all\n"),
               file("var/lib/dpkg/status.d/tzdata.md5sums", "Package: no\nVersion: 1\n"))
    top = [file("usr/bin/app", "new!" if second else "old", 0o755), file("etc/conf", "c", 0o600 if second else 0o644),
           file("etc/owned", "o", 0o644, 7 if second else 0, 8 if second else 0), link("etc/link", "two" if second else "one"),
           file("var/lib/dpkg/status", status("libc6", "2.36-10" if second else "2.36-9") + status("libz", "1.2")),
           file("etc/.wh.gone", ""), file("etc/old/.wh..wh..opq", ""), file("etc/old/c", "c")]
    if second:
        top += [file("etc/extra", "e"), file("var/lib/dpkg/status.d/netbase", "Package: netbase\nVersion: 6.4\nArchitecture: all\n")]
    run = {"User": "7:8", "Entrypoint": ["/usr/bin/app", "a b"], "Cmd": ["serve"], "ExposedPorts": {"8080/tcp": {}},
           "Env": ["PATH=/bin", "MODE=" + ("b" if second else "a")], "WorkingDir": "/etc", "Labels": {"team": "x", "v": "2" if second else "1"}}
    layout.platform("amd64", [base, tar(*top)], run, {"note": "second" if second else "first"})
    layout.platform("arm64", [base], {"Env": ["PATH=/bin"]}, {})
    if not second:
        layout.platform("s390x", [base], {}, {})
    layout.seal("v1", {"title": "image"})


def apk(path):
    layout = Layout(path)
    text = "C:Q1x=\nP:busybox\nV:1.36.1-r5\nA:x86_64\nF:bin\nR:busybox\n\nC:Q1y=\nP:musl\nV:1.2.4-r2\nA:x86_64\n"
    layout.platform("amd64", [tar(file("usr/lib/apk/db/installed", text), file("bin/red", "x"))],
                    {"Labels": {"evil": "\033]0;title\007"}}, {})
    layout.seal("apk", {})


debian(os.path.join(sys.argv[1], "one"), False)
debian(os.path.join(sys.argv[1], "two"), True)
apk(os.path.join(sys.argv[1], "apk"))
