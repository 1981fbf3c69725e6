// SPDX-License-Identifier: MIT
#include "redact/rules.h"

#include "redact_rules.gen.h"

_Static_assert((int)N_RULE_NAMES <= (int)RULE_NAMES_MAX, "more rules than the count tables hold");
