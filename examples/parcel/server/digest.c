/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include <openssl/evp.h>
#include <stdio.h>

int parcel_digest(const char *text, size_t len, char hex[65])
{
	unsigned char bytes[32];
	unsigned n = 0;
	if (!EVP_Digest(text, len, bytes, &n, EVP_sha256(), NULL))
		return -1;
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}
