# SPDX-License-Identifier: Apache-2.0
"""Makes the layout of a base image as other tools write them: Docker's media types, several layers with whiteouts, hard
links and names with "./", a history that does not count right, a variant for arm64 in the index alone, an attestation entry,
and settings that xbuild has no key for.

base_layout.py DIR NAME [--without-user] [--packages] [--broken platform|diff-ids|entrypoint]"""
import argparse
import gzip
import hashlib
import io
import json
import os
import tarfile


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("name")
    parser.add_argument("--without-user", action="store_true")
    parser.add_argument("--packages", action="store_true", help="with lists of Debian packages, and the system's name")
    parser.add_argument("--broken", choices=["platform", "diff-ids", "entrypoint"])
    args = parser.parse_args()
    blobs = os.path.join(args.dir, "blobs", "sha256")
    os.makedirs(blobs, exist_ok=True)

    def put(data):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as f:
            f.write(data)
        return {"digest": "sha256:" + digest, "size": len(data)}

    def put_json(document):
        return put(json.dumps(document, indent=2).encode())

    def layer(*entries):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for name, kind, value in entries:
                info = tarfile.TarInfo(name)
                info.mode = 0o755
                data = None
                if kind == "dir":
                    info.type = tarfile.DIRTYPE
                elif kind == "link":
                    info.type, info.linkname = tarfile.SYMTYPE, value
                elif kind == "hard":
                    info.type, info.linkname = tarfile.LNKTYPE, value
                elif kind == "device":
                    info.type = tarfile.CHRTYPE
                else:
                    data = value.encode()
                    info.size = len(data)
                tar.addfile(info, io.BytesIO(data) if data is not None else None)
        data = out.getvalue()
        return put(gzip.compress(data, mtime=0)), "sha256:" + hashlib.sha256(data).hexdigest()

    manifests = []
    for arch in ["amd64", "arm64"]:
        passwd = "root:x:0:0:root:/root:/bin/sh\n" + ("" if args.without_user else "web:x:33:44:web:/srv:/bin/sh\n")
        lists = [
            ("usr/lib/os-release", "file", 'PRETTY_NAME="Some Linux 12"\nID=some\nVERSION_ID="12"\n'),
            ("etc/os-release", "link", "../usr/lib/os-release"),
            ("var/lib/dpkg/status.d/libold", "file", f"Package: libold\nVersion: 1.0\nArchitecture: {arch}\n"),
            ("var/lib/dpkg/status.d/libc++1", "file", f"Package: libc++1\nVersion: 1:14.0-1\nArchitecture: {arch}\n"),
            ("var/lib/dpkg/status.d/libc++1.md5sums", "file", "Package: no\nVersion: 1\n"),
            (
                "var/lib/dpkg/status",
                "file",
                "Package: whole\nStatus: install ok installed\nVersion: 2\nArchitecture: all\n\n"
                "Package: gone\nStatus: deinstall ok config-files\nVersion: 2\nArchitecture: all\n\n"
                "Package: wei\u00dfe\nVersion: 2\nArchitecture: all\n",
            ),
        ]
        layers = [
            layer(
                ("./", "dir", None),
                ("./etc/", "dir", None),
                ("./etc/passwd", "file", passwd),
                ("./etc/group", "file", "root:x:0:\nstaff:x:44:\n"),
                ("./etc/removed", "file", "x"),
                ("./etc/conf", "file", "of the base\n"),
                ("./srv", "dir", None),
                ("./opt/", "dir", None),
                ("./opt/old/", "dir", None),
                ("./opt/old/file", "file", "x"),
                ("./lib", "link", "usr/lib"),
                ("./dev/null", "device", None),
                *(lists if args.packages else ()),
            ),
            layer(
                ("etc/.wh.removed", "file", ""),
                ("opt/.wh..wh..opq", "file", ""),
                ("opt/new", "file", "#!/usr/bin/hello\nnew " + arch),
                ("opt/same", "hard", "opt/new"),
                *([("var/lib/dpkg/status.d/.wh.libold", "file", "")] if args.packages else ()),
            ),
        ]
        config = {
            "architecture": arch,
            "os": "linux",
            "created": "2001-01-01T00:00:00Z",
            "config": {
                "User": "web:staff",
                "Env": ["PATH=/opt/bin:/usr/bin", "LANG=C.UTF-8"],
                "Entrypoint": ["/opt/new"],
                "Cmd": ["of-the-base"],
                "ExposedPorts": {"443/tcp": {}},
                "Volumes": {"/srv/data": {}},
                "WorkingDir": "/srv",
                "StopSignal": "SIGQUIT",
                "Labels": {"base": "yes", "team": "base"},
                "Healthcheck": {"Test": ["CMD", "/opt/new"]},
            },
            "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]},
            "history": [{"created_by": "one"}, {"created_by": "nothing", "empty_layer": True}],
        }
        if args.broken == "platform":
            config["architecture"] = "s390x"
        if args.broken == "entrypoint":
            config["config"]["Entrypoint"] = "/opt/new"
        if args.broken == "diff-ids":
            config["rootfs"]["diff_ids"].pop()
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": dict(put_json(config), mediaType="application/vnd.docker.container.image.v1+json"),
            "layers": [
                dict(blob, mediaType="application/vnd.docker.image.rootfs.diff.tar.gzip") for blob, _ in layers
            ],
        }
        platform = {"os": "linux", "architecture": arch}
        if arch == "arm64":
            platform["variant"] = "v8"
        manifests.append(dict(put_json(manifest), mediaType=manifest["mediaType"], platform=platform))
    attestation = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": dict(put(b"{}"), mediaType="application/vnd.oci.image.config.v1+json"),
        "layers": [dict(put(b"{}\n"), mediaType="application/vnd.in-toto+json")],
    }
    manifests.append(
        dict(put_json(attestation), mediaType=attestation["mediaType"], platform={"os": "unknown", "architecture": "unknown"})
    )
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
        "manifests": manifests,
    }
    top = dict(put_json(index), mediaType=index["mediaType"])
    top["annotations"] = {"org.opencontainers.image.ref.name": args.name}
    with open(os.path.join(args.dir, "index.json"), "w", encoding="utf-8") as f:
        json.dump({"schemaVersion": 2, "manifests": [top]}, f)
    with open(os.path.join(args.dir, "oci-layout"), "w", encoding="utf-8") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')
    print(manifests[1]["digest"])


main()
