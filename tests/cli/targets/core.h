/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_H
#define CORE_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
int core_depth(void);			     /* of this thread; counts up */
int core_lowest_byte_first(void);	     /* 1 on little endian */
uint64_t core_scale(uint64_t a, uint64_t b); /* divides 64 bits: a function of libgcc where the machine has 32 */
int plug_twice(int x);
int plug_calls(void); /* of this thread */
#ifdef __cplusplus
}
#endif
#endif
