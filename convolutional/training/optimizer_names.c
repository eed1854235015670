/* optimizer_names.c - the list of rules: by kind, by name. */

#include "optimizer_rule.h"

#include "names.h"

#include <string.h>

static const OptimizerRule *const rules[] = {
#define X(key) [OPTIMIZER_##key] = &optimizer_##key,
#include "optimizers.def"
#undef X
};

const OptimizerRule *optimizer_rule(OptimizerKind kind)
{
    CHECK((unsigned)kind < OPTIMIZER_COUNT, "optimiser %d of %d", (int)kind, OPTIMIZER_COUNT);
    return rules[kind];
}

int optimizer_rule_states(const OptimizerRule *rule)
{
    int count = 0;
    while (count < OPTIMIZER_STATES && rule->state_names[count])
        count++;
    return count;
}

const char *optimizer_name(OptimizerKind kind)
{
    return optimizer_rule(kind)->name;
}

const char *optimizer_defaults(OptimizerKind kind)
{
    return optimizer_rule(kind)->defaults;
}

bool optimizer_is_elementwise(OptimizerKind kind)
{
    return optimizer_rule(kind)->chunk != NULL;
}

const char *optimizer_state_name(OptimizerKind kind, int state)
{
    const OptimizerRule *rule = optimizer_rule(kind);
    CHECK(state >= 0 && state < optimizer_rule_states(rule), "state %d of optimiser %s", state, rule->name);
    return rule->state_names[state];
}

const char *optimizer_names(void)
{
#define X(key) " " #key
    return &(
#include "optimizers.def"
        )[1];      /* without the first space */
#undef X
}

bool optimizer_parse(const char *name, const char *option, OptimizerKind *kind, Error *error)
{
    const size_t length = strlen(name);
    for (int i = 0; i < OPTIMIZER_COUNT; i++)
        if (names_match(rules[i]->name, name, length) || names_match(rules[i]->aliases, name, length)) {
            *kind = (OptimizerKind)i;
            return true;
        }
    NameSearch search = { .wrong = name };
    for (int i = 0; i < OPTIMIZER_COUNT; i++)
        names_consider(&search, rules[i]->name, rules[i]->aliases);
    return names_unknown_of(&search, "unknown optimizer", option, optimizer_names(), error);
}
