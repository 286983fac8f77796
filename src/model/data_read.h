/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the data files' keys; private to model/. docs/adding-a-toolchain.md describes them for people. */
#ifndef XB_MODEL_DATA_READ_H
#define XB_MODEL_DATA_READ_H

#include "schema.h"
#include "xbuild/model/data.h"

/* Fill desc from the root of a data file; what is wrong goes to s->diags. key_files hold bare names afterwards. */
void data_read_toolchain(struct schema *s, const struct xb_yaml *root, struct xb_toolchain_desc *desc);
void data_read_rust(struct schema *s, const struct xb_yaml *root, struct xb_rust_desc *desc);
void data_read_sysroot(struct schema *s, const struct xb_yaml *root, struct xb_sysroot_desc *desc);
/* What the file says itself; *out_extends is the name of the one that it builds on, or NULL. */
void data_read_image(struct schema *s, const struct xb_yaml *root, struct xb_image_desc *desc,
		     const char **out_extends);

#endif
