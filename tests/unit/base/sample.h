/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs for property tests. The same run after run and on every machine, so that a failure can be repeated.
 */
#ifndef XBUILD_TESTS_UNIT_BASE_SAMPLE_H
#define XBUILD_TESTS_UNIT_BASE_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Marsaglia, "Xorshift RNGs" (2003), the 32-bit generator. *state starts as anything but 0. */
static inline uint32_t sample_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/*
 * Turns text into the next string over the letters of alphabet: shorter before longer, starting from "". Returns
 * false when all strings up to max_len letters have been seen. text has room for max_len + 1 bytes.
 */
static inline bool sample_next_text(char *text, size_t max_len, const char *alphabet)
{
	size_t len = strlen(text), i = len;

	while (i > 0) {
		const char *letter = strchr(alphabet, text[--i]) + 1;

		if (*letter) {
			text[i] = *letter;
			return true;
		}
		text[i] = alphabet[0];
	}
	if (len == max_len)
		return false;
	text[len] = alphabet[0];
	text[len + 1] = '\0';
	return true;
}

#endif
