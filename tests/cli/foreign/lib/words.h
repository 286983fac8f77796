/* SPDX-License-Identifier: Apache-2.0 */
const char *words_greeting(void);
