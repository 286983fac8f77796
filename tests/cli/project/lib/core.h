/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_H
#define CORE_H
#ifdef __cplusplus
extern "C" {
#endif
int core_twice(int n);
int core_answer(void);
#ifdef __cplusplus
}
#endif
#endif
