/* expression_scan.h - what the files that parse a formula share. */

#ifndef CONVZOO_EXPRESSION_SCAN_H
#define CONVZOO_EXPRESSION_SCAN_H

#include "expression_tree.h"

enum { NOTHING = -1 };            /* instead of a node's place, after a mistake */

typedef struct Name {
    const char *text;
    int         place;            /* of its node */
} Name;

typedef struct Parser {
    const char *text, *end;       /* end: of what is being read, the formula or its parameters */
    const char *at;
    Builder    *builder;
    Name        names[EXPRESSION_PARAMETERS];
    int         name_count;
    int         depth;
    bool        typed;            /* by a person: of limited size, and with mistakes */
    Error      *error;
} Parser;

/* Tells the mistake at that place; returns NOTHING. */
int scan_fail(Parser *p, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The next character that is no space, at p->at then; 0 at the end. */
char   scan_next(Parser *p);
/* Of ASCII, whatever the locale. */
bool   scan_is_space(char c);
bool   scan_starts_name(char c);
/* How many characters a name, a number takes here; 0: there is none. */
size_t scan_name(const char *at, const char *end);
size_t scan_number_length(const char *at, const char *end);
bool   scan_is(const char *at, size_t length, const char *name);
/* Reads the number at p->at and goes behind it; false after a mistake. */
bool   scan_number(Parser *p, double *number);

/* The formula from p->at to p->end; its node's place or NOTHING (expression_formula.c). */
int    formula_parse(Parser *p);
/* Whether a name means something in every formula. */
bool   formula_has_name(const char *at, size_t length);

#endif
