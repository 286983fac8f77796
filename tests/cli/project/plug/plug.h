/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __cplusplus
extern "C"
#endif
	int
	plug_sum(int a, int b);
