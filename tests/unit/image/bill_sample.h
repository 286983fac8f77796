/* SPDX-License-Identifier: Apache-2.0 */
/* A small bill of materials with everything in it once; the golden files of spdx and cyclonedx are made of it. */
#ifndef XBUILD_TESTS_IMAGE_BILL_SAMPLE_H
#define XBUILD_TESTS_IMAGE_BILL_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "xbuild/image/bill.h"

struct sample {
	struct xb_arena arena;
	struct xb_bill_component components[6];
	struct xb_bill_file files[2];
	size_t ids[4];
	const char *taken[2];
	struct xb_bill bill;
};

static inline struct xb_digest sample_digest(int byte)
{
	struct xb_digest d;

	memset(d.bytes, byte, sizeof(d.bytes));
	return d;
}

static inline void sample_fill(struct sample *s)
{
	static const struct xb_digest none = {{0}};
	const struct xb_target *target = xb_target_find(xb_sv("linux-aarch64"));

	*s = (struct sample){.ids = {0, 1, 2, 1}};
	s->taken[0] = "usr/lib/crt1.o";
	s->taken[1] = "usr/lib/libc_nonshared.a";
	s->files[0] = (struct xb_bill_file){"src/a b.c", sample_digest(0xa1), {{1}}};
	s->files[1] = (struct xb_bill_file){"src/a+b.c", sample_digest(0xa2), {{2}}};
	s->components[0] = (struct xb_bill_component){XB_BILL_PROGRAM,
						      XB_BILL_CONTAINED,
						      "server",
						      "1.0",
						      NULL,
						      NULL,
						      NULL,
						      "MIT",
						      NULL,
						      sample_digest(1),
						      NULL,
						      {&s->ids[1], 1},
						      {&s->ids[2], 1},
						      {&s->ids[0], 2},
						      {NULL, 0}};
	s->components[1] = (struct xb_bill_component){
		.kind = XB_BILL_DEBIAN,
		.roles = XB_BILL_CONTAINED | XB_BILL_BUILD_TOOL,
		.name = "libstdc++6",
		.version = "1:12+b1",
		.arch = "arm64",
		.purl = xb_bill_purl("deb", "debian", "libstdc++6", "1:12+b1", "arch=arm64", &s->arena),
		.supplier = "Debian",
		.file_name = "libstdc++6_12+b1_arm64.deb",
		.sha256 = sample_digest(2)};
	s->components[2] = (struct xb_bill_component){.kind = XB_BILL_DEBIAN,
						      .roles = XB_BILL_LINKED,
						      .name = "libc6-dev",
						      .version = "2.36",
						      .arch = "arm64",
						      .purl = "pkg:deb/debian/libc6-dev@2.36?arch=arm64",
						      .sha256 = sample_digest(3),
						      .taken = {s->taken, 2}};
	s->components[3] = (struct xb_bill_component){.kind = XB_BILL_TOOLCHAIN,
						      .roles = XB_BILL_BUILD_TOOL,
						      .name = "llvm-22",
						      .version = "22.1.8",
						      .arch = "linux-x86_64",
						      .comment = "a comment",
						      .needs = {&s->ids[3], 1}};
	s->components[4] = (struct xb_bill_component){.kind = XB_BILL_DEBIAN,
						      .roles = XB_BILL_BUILD_TOOL,
						      .name = "clang-22",
						      .purl = "pkg:deb/debian/clang-22@22",
						      .sha256 = sample_digest(4)};
	s->components[5] = (struct xb_bill_component){.kind = XB_BILL_IMAGE,
						      .roles = XB_BILL_GROUND,
						      .name = "ghcr.io/acme/base:1",
						      .purl = "pkg:oci/base@sha256%3A00",
						      .sha256 = none};
	s->bill = (struct xb_bill){.name = "parcel",
				   .version = "1.0",
				   .license = "MIT OR Apache-2.0",
				   .created = "2023-11-14T22:13:20Z",
				   .tool_version = "9.9",
				   .target = target,
				   .sha256 = sample_digest(0xee),
				   .components = s->components,
				   .n_components = 6,
				   .files = s->files,
				   .n_files = 2};
	s->bill.purl = xb_bill_oci_purl("parcel", &s->bill.sha256, target, &s->arena);
}

#endif
