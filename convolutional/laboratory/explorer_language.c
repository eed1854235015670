/* explorer_language.c - the tables of the formula language, for the page's own reader of formulas; see explorer_data.h. */

#include "explorer_data.h"

#include "expression.h"
#include "json_made.h"

static json_t *operators(void)
{
    json_t *list = json_made(json_array());
#define X(key, spelling, operands, precedence, value, by_a, by_b) \
    json_append(list, json_pack("{s:s, s:s, s:i, s:i, s:[s, s]}", "name", #key, "spelling", spelling, "operands", operands, "precedence", precedence, \
                           "derivatives", by_a, by_b));
#include "expression_operators.def"
#undef X
    return list;
}

static json_t *functions(void)
{
    json_t *list = json_made(json_array());
#define X(key, operands, value, by_a, by_b) \
    json_append(list, json_pack("{s:s, s:i, s:[s, s]}", "name", #key, "operands", operands, "derivatives", by_a, by_b));
#include "expression_functions.def"
#undef X
    return list;
}

static json_t *shorthands(void)
{
    json_t *list = json_made(json_array());
#define X(key, operands, formula) json_append(list, json_pack("{s:s, s:i, s:s}", "name", #key, "operands", operands, "formula", formula));
#include "expression_shorthands.def"
#undef X
    return list;
}

json_t *explorer_language(void)
{
    return json_made(json_pack("{s:{s:i, s:i, s:i, s:i, s:i}, s:o, s:o, s:o}", "limits", "length", EXPRESSION_LENGTH, "depth", EXPRESSION_DEPTH,
                                 "nodes", EXPRESSION_NODES, "parameters", EXPRESSION_PARAMETERS, "name", EXPRESSION_NAME,
                                 "operators", operators(), "functions", functions(), "shorthands", shorthands()));
}
