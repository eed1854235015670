/* expression.h - a formula of an activation that a person typed: parsed, differentiated, shown, computed in double.
 *
 *   x*sigmoid(2*x)      x > 0 ? x : 0.1*x      x*tanh(softplus(x))      x*sigmoid(b*x); b=1      x*sigmoid(g)
 *
 * x is the input, g the gate: the second input of a gated unit. After a ';' stand a formula's own parameters, with the numbers that
 * they begin with: `; a=0.25 b=1`. A formula may use
 *
 *   numbers, pi, e     + - * / ^ (or **; 2^3^2 = 2^9, -x^2 = -(x^2))     ( )  |x|
 *   < <= > >= == !=    && || !     condition ? value : other      true is 1, false 0, and all but 0 counts as true
 *   the functions of expression_functions.def and expression_shorthands.def
 *
 * A formula of a NaN is NaN, whatever a condition says of it. At a kink the derivative is PyTorch's: that of relu is 0
 * at 0, max(a, b) shares its derivative between equals; at the bounds of a condition it is that of the branch that is taken.
 *
 * A formula reads nothing but its inputs, writes nothing, and everything here takes time in proportion to its length: at most
 * EXPRESSION_LENGTH characters, EXPRESSION_DEPTH brackets in each other, EXPRESSION_NODES operations. */

#ifndef CONVZOO_EXPRESSION_H
#define CONVZOO_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "errors.h"

enum { EXPRESSION_LENGTH = 512, EXPRESSION_DEPTH = 64, EXPRESSION_NODES = 256, EXPRESSION_PARAMETERS = 4, EXPRESSION_NAME = 24 };

/* What a formula can be differentiated by: x, g, and EXPRESSION_parameter + 0 .. 3. */
enum { EXPRESSION_x, EXPRESSION_g, EXPRESSION_parameter, EXPRESSION_VARIABLES = EXPRESSION_parameter + EXPRESSION_PARAMETERS };

/* Never changed once it is made; a subexpression that occurs twice is kept, and computed, once. */
typedef struct Expression Expression;

/* NULL after an error, which has below its line the formula and a caret under the mistake. Release with expression_free. */
Expression *expression_parse(const char *text, Error *error);
/* The same where the caller declares `count` parameters; they come before those that the text declares, and begin with 0. */
Expression *expression_parse_with(const char *text, const char *const names[], int count, Error *error);
void        expression_free(Expression *expression);

int         expression_parameter_count(const Expression *expression);
const char *expression_parameter_name(const Expression *expression, int parameter);
double      expression_parameter_default(const Expression *expression, int parameter);
/* Whether it depends on that variable: a formula that reads g is a gated unit. */
bool        expression_reads(const Expression *expression, int variable);

/* How many different operations, numbers and variables it is made of. */
size_t      expression_nodes(const Expression *expression);
bool        expression_equal(const Expression *a, const Expression *b);

/* The derivative by a variable, simplified; it has the same parameters. */
Expression *expression_derivative(const Expression *expression, int variable);

/* Writes it so that parsing it gives an equal one, the parameters that it reads after a ';'; returns text. What does not fit in `size`
 * is cut off, and the text ends in "...": subexpressions that are kept once are written as often as they occur. */
const char *expression_text(const Expression *expression, char *text, size_t size);
/* What expression_parse was given, without spaces at its ends; "" of a derivative. */
const char *expression_source(const Expression *expression);

/* Its value; parameters: one each, NULL for those that it begins with. g is ignored where it does not occur. */
double      expression_value(const Expression *expression, double x, double g, const double parameters[]);

/* "exp expm1 log ...": all functions that a formula may use. */
const char *expression_functions(void);

#endif
