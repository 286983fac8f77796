/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every maximum for what is read from outside, in one place. A reader that meets more stops with an error; none is
 * unbounded. Sizes are bytes.
 */
#ifndef XBUILD_BASE_LIMITS_H
#define XBUILD_BASE_LIMITS_H

#define XB_MIB (1024LL * 1024)
#define XB_GIB (1024LL * XB_MIB)

#define XB_MAX_YAML_BYTES (1 * XB_MIB) /* project and data files */
#define XB_MAX_YAML_DEPTH 64
#define XB_MAX_YAML_NODES 100000
#define XB_MAX_JSON_BYTES (64 * XB_MIB) /* lock, state files, OCI documents */
#define XB_MAX_JSON_DEPTH 64
#define XB_MAX_DIAGS	  50 /* problems reported in one run */

#define XB_MAX_RELEASE_BYTES	   (10 * XB_MIB)  /* InRelease; real ones are 35 to 151 KB */
#define XB_MAX_INDEX_BYTES	   (128 * XB_MIB) /* Packages.xz as downloaded */
#define XB_MAX_INDEX_TEXT_BYTES	   (512 * XB_MIB) /* Packages, uncompressed */
#define XB_MAX_CONTENTS_FILE_BYTES (256 * XB_MIB) /* Contents-<arch>.gz as downloaded; 12 to 34 MB in Debian 12 */
#define XB_MAX_CONTENTS_TEXT_BYTES (4 * XB_GIB)	  /* uncompressed; 148 to 520 MB */
#define XB_MAX_CONTENTS_BYTES	   (256 * XB_MIB) /* the part that is kept; 2 to 20 MB */
#define XB_MAX_STANZA_BYTES	   (1 * XB_MIB)
#define XB_MAX_PACKAGE_BYTES	   (4 * XB_GIB)	 /* one .deb or archive */
#define XB_MAX_SIGNATURE_BYTES	   (64 * 1024LL) /* a detached signature */

#define XB_MAX_APK_INDEX_BYTES (300 * XB_MIB) /* an apk index, inflated */
#define XB_MAX_APK_LINE_BYTES  (1 * XB_MIB)
#define XB_MAX_APK_PACKAGES    500000  /* of one index */
#define XB_MAX_APK_RELATIONS   8000000 /* of one index: depends, provides, install_if */

#define XB_MAX_TREE_ENTRIES 1000000 /* files of one unpacked tree */
#define XB_MAX_TREE_BYTES   (16 * XB_GIB)
#define XB_MAX_PATH_BYTES   4096
#define XB_MAX_PATH_DEPTH   64
#define XB_MAX_NAME_BYTES   255 /* one path component */

#define XB_MAX_OCI_DOCUMENT_BYTES (4 * XB_MIB)	/* index, manifest, configuration: as large as registries take */
#define XB_MAX_OCI_DEPTH	  8		/* indexes in indexes */
#define XB_MAX_LAYER_NAME_BYTES	  (64 * XB_MIB) /* names of all entries of one foreign layer */

#define XB_MAX_REDIRECTS       10
#define XB_MAX_RETRIES	       3 /* per mirror */
#define XB_CONNECT_TIMEOUT_MS  30000
#define XB_STALL_BYTES_PER_SEC 1024 /* slower than this ... */
#define XB_STALL_SEC	       30   /* ... for so long ends a transfer */

#define XB_MAX_CHILD_OUTPUT_BYTES (16 * XB_MIB) /* captured from one child process */
#define XB_MAX_DEPFILE_BYTES	  (16 * XB_MIB)
#define XB_MAX_SOURCE_BYTES	  (1 * XB_GIB)
#define XB_MAX_SOURCES		  1000000
#define XB_MAX_ELF_SECTIONS	  (1 << 20)
#define XB_MAX_ELF_SEGMENTS	  4096
#define XB_MAX_SYMBOLS		  (1 << 24)
#define XB_MAX_ELF_EXPORT_BYTES	  (256 * XB_MIB) /* names of the exported symbols of one file */

#endif
