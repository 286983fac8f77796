/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the build layer is told about the toolchain and the sysroots: where they are and how they are named in actions.
 * app fills these in; build knows neither toolchain/ nor sysroot/.
 */
#ifndef XBUILD_MODEL_TOOLS_H
#define XBUILD_MODEL_TOOLS_H

#include <stdbool.h>

#include "xbuild/model/target.h"
#include "xbuild/sys/digest.h"

/*
 * A program of the toolchain is started as
 *   [emulator] <dir>/<loader> --library-path <dir>/<lib>:... --argv0 <dir>/<bin_dir>/<tool> <dir>/<bin_dir>/<tool> args
 * or, where loader is NULL (archives), as <dir>/<bin_dir>/<tool> args. ld.so(8) describes the options.
 */
struct xb_tools {
	const char *dir;	  /* absolute path of the tree */
	struct xb_digest digest;  /* REAPI Directory digest of the tree */
	uint64_t digest_size;	  /* size of that Directory message */
	const char *bin_dir;	  /* "usr/lib/llvm-22/bin" */
	const char *loader;	  /* "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", or NULL */
	const char *library_path; /* below dir, joined by ':', or NULL */
	const char *emulator;	  /* XBUILD_EMULATOR: program that runs host programs (tests of other hosts), or NULL */
	const char *extra_dir;	  /* tree of the further tools (llvm-ar ...), NULL when not fetched */
	struct xb_digest extra_digest;
	uint64_t extra_digest_size;
	int major;	     /* 22 */
	const char *version; /* "22.1.8" */
};

/* rustc and cargo, started as above, and crates: a directory source of cargo. */
struct xb_rust_tools {
	struct xb_tools tools;		/* rustc's sysroot is <dir>/<parent of bin_dir> */
	const char *crates_dir;		/* absolute; NULL: the lock has none */
	struct xb_digest crates_digest; /* of the tree that it is in */
};

struct xb_sysroot_paths {
	const struct xb_target *target;
	const char *dir;      /* absolute path of the tree's root */
	const char *manifest; /* absolute path of the tree's manifest (store/tree) */
	struct xb_digest digest;
	uint64_t digest_size;
	const char *lib_dir; /* below dir, where crt1.o is: "usr/lib/aarch64-linux-gnu"; NULL: that of the multiarch */
	const char *gcc_dir; /* below dir: "usr/lib/gcc/aarch64-linux-gnu/12" */
	const char *gcc_version; /* "12" */
	const char *libcxx_dir;	 /* below dir, where libc++abi.a is: "usr/lib/llvm-19/lib"; NULL: no libc++ */
	bool no_libstdcxx;   /* neither libstdc++.so nor libstdc++.a where the linker looks: a sysroot for C alone */
	bool no_libstdcxx_a; /* no libstdc++.a there */
};

#endif
