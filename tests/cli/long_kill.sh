#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The kills of kill.sh, many more of them.
XB_KILL_ROUNDS=60 exec sh "$(dirname "$0")/kill.sh"
