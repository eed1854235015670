/* expression_tree.h - what an Expression is made of, for the files expression_*.c and for those that compose formulas.
 *
 * A Builder holds nodes, each kept once. builder_add simplifies while it builds, so that the same formula always has the same nodes, and one
 * that is printed and parsed again too. It changes no value but the last digit, and no NaN or infinity of a formula. */

#ifndef CONVZOO_EXPRESSION_TREE_H
#define CONVZOO_EXPRESSION_TREE_H

#include "expression.h"

typedef enum {
#define X(key, ...) OPERATOR_##key,
#include "expression_operators.def"
#include "expression_functions.def"
#undef X
    OPERATOR_COUNT
} Operator;

enum { PRECEDENCE_choice = 1, PRECEDENCE_comparison = 4, PRECEDENCE_prefix = 7, PRECEDENCE_power = 8, PRECEDENCE_function = 9 };

/* A row of expression_operators.def. */
typedef struct OperatorInfo {
    const char *spelling;
    int         operands;
    int         precedence;
    const char *derivatives[2];
} OperatorInfo;

const OperatorInfo *operator_info(Operator operator);
/* The operator's value in double; operands that it has not are ignored. */
double              operator_value(Operator operator, double a, double b, double c);

typedef struct Node {
    Operator operator;
    int      operands[3];         /* places of nodes, -1 where there is none; the first of a parameter is its number */
    double   number;
} Node;

struct Expression {
    int    count;
    Node  *nodes;                 /* operands come before what uses them; the last is the value */
    int    parameters;
    char   names[EXPRESSION_PARAMETERS][EXPRESSION_NAME];
    double defaults[EXPRESSION_PARAMETERS];
    char   source[EXPRESSION_LENGTH + 1];
};

/* The value of every node: expression_value has the last. */
void expression_values(const Expression *expression, double x, double g, const double parameters[], double values[]);

typedef struct Builder {
    int   count, room;
    Node *nodes;
    int  *table, slots;           /* places + 1 by their hash */
} Builder;

void builder_open(Builder *builder);
void builder_close(Builder *builder);

/* Each returns the node's place. Operands that an operator has not are -1. */
int builder_add(Builder *builder, Operator operator, int a, int b, int c);
int builder_number(Builder *builder, double number);
int builder_variable(Builder *builder, int variable);
/* A formula of our own, in which the names a, b and c stand for the operands. */
int builder_formula(Builder *builder, const char *text, const int operands[3]);
/* All of an expression; places[i] is then that of its node i. Returns its value's. */
int builder_copy(Builder *builder, const Expression *expression, int places[]);

/* A new expression of what the root needs, without parameters. */
Expression *builder_finish(const Builder *builder, int root);

#endif
