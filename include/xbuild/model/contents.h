/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which package has a file whose path ends in ...: a search in a sorted text that pkg/deb_contents makes.
 *
 *   xbuild-contents 1
 *   asio.hpp/boost/include/usr<TAB>libboost1.74-dev
 *   curl.h/curl/x86_64-linux-gnu/include/usr<TAB>libcurl4-gnutls-dev,libcurl4-openssl-dev
 *
 * Layout:    the components of each path backwards, so that the end of a path is the beginning of a line; lines in the
 *            order of their bytes, each with the names of its packages.
 * Guarantee: a text that is none of these finds nothing; nothing is read beyond its end.
 * Threads:   no state.
 */
#ifndef XBUILD_MODEL_CONTENTS_H
#define XBUILD_MODEL_CONTENTS_H

#include <stddef.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/str.h"
#include "xbuild/base/sv.h"
#include "xbuild/base/vec.h"

#define XB_CONTENTS_HEAD "xbuild-contents 1\n"

struct xb_contents_hit {
	const char *path;      /* "usr/include/openssl/ssl.h" */
	struct xb_sv packages; /* "libssl-dev", or several with commas between; borrowed from the text */
};

struct xb_contents_hits {
	XB_VEC(struct xb_contents_hit) list; /* XB_VEC_RELEASE it */
};

/* Appends the key of a path, which is its components backwards. It is its own inverse. */
void xb_contents_key(struct xb_sv path, struct xb_str *out);

/*
 * Adds the files whose path ends in the components of `suffix` ("openssl/ssl.h"), in the order of the text, up to `max` in
 * all; paths are the arena's.
 */
void xb_contents_find(struct xb_sv text, struct xb_sv suffix, size_t max, struct xb_arena *arena,
		      struct xb_contents_hits *out);

#endif
