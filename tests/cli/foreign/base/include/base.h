/* SPDX-License-Identifier: Apache-2.0 */
int base_number(void);
