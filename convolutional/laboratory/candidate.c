/* candidate.c - see candidate.h. */

#include "candidate.h"

#include "errors.h"

#include <stdio.h>
#include <string.h>

/* X(operands, how it is written: '#' stands for the next operand) */
#define NODES(X)                                                                                                                          \
    X(0, "x") X(0, "x") X(0, "x") X(0, "x") X(0, "0.1") X(0, "0.5") X(0, "1") X(0, "2")                                                   \
    X(1, "(-#)") X(1, "abs(#)") X(1, "(#)^2") X(1, "sqrt(abs(#))") X(1, "sigmoid(#)") X(1, "tanh(#)") X(1, "softplus(#)")                  \
    X(1, "relu(#)") X(1, "phi(#)") X(1, "erf(#)") X(1, "atan(#)") X(1, "sin(#)") X(1, "exp(-abs(#))") X(1, "log1p(abs(#))")                \
    X(2, "(#+#)") X(2, "(#-#)") X(2, "(#*#)") X(2, "max(#,#)") X(2, "min(#,#)") X(2, "(#/(1+abs(#)))")

static const struct { int operands; const char *form; } forms[] = {
#define X(operands, form) { operands, form },
    NODES(X)
#undef X
};

enum { FORMS = sizeof forms / sizeof *forms };

static int draw_form(Random *random, int most_operands)
{
    int form;
    do
        form = (int)random_below(random, FORMS);
    while (forms[form].operands > most_operands);
    return form;
}

/* One past the subtree that begins at `at`. */
static int subtree_end(const Candidate *c, int at)
{
    int open = 1;
    while (open > 0 && at < c->count)
        open += forms[c->nodes[at++]].operands - 1;
    return at;
}

static bool reads_x(const Candidate *c)
{
    for (int i = 0; i < c->count; i++)
        if (!strcmp(forms[c->nodes[i]].form, "x"))
            return true;
    return false;
}

/* Appends a tree of at most `room` nodes. */
static void grow(Random *random, Candidate *c, int room)
{
    const int form = draw_form(random, room > 2 ? 2 : room > 1 ? 1 : 0);
    c->nodes[c->count++] = (unsigned char)form;
    if (forms[form].operands == 1)
        grow(random, c, room - 1);
    if (forms[form].operands == 2) {
        const int before = c->count;
        grow(random, c, (room - 1) / 2);
        grow(random, c, room - 1 - (c->count - before));
    }
}

Candidate candidate_random(Random *random, int most)
{
    Candidate c;
    CHECK(most > 0 && most <= CANDIDATE_NODES, "%d nodes", most);
    do {
        c.count = 0;
        grow(random, &c, most);
    } while (!reads_x(&c));
    return c;
}

/* Puts `middle` in the place of from's nodes from `begin` to `end`; false if it becomes too long. */
static bool splice(const Candidate *from, int begin, int end, const Candidate *middle, Candidate *to)
{
    const int rest = from->count - end;
    if (begin + middle->count + rest > CANDIDATE_NODES)
        return false;
    memmove(to->nodes, from->nodes, (size_t)begin);
    memcpy(to->nodes + begin, middle->nodes, (size_t)middle->count);
    memcpy(to->nodes + begin + middle->count, from->nodes + end, (size_t)rest);
    to->count = begin + middle->count + rest;
    return true;
}

static Candidate subtree(const Candidate *from, int begin, int end)
{
    Candidate c = { .count = end - begin };
    memcpy(c.nodes, from->nodes + begin, (size_t)c.count);
    return c;
}

static bool change(Random *random, const Candidate *from, Candidate *to)
{
    const int begin = (int)random_below(random, (uint32_t)from->count), end = subtree_end(from, begin);
    Candidate middle = subtree(from, begin, end);
    switch (random_below(random, 4)) {
    case 0:                                        /* a function or an operation around it */
        middle.count = 0;
        middle.nodes[middle.count++] = (unsigned char)draw_form(random, 2);
        if (forms[middle.nodes[0]].operands == 0 || end - begin + 2 > CANDIDATE_NODES)
            return false;
        memcpy(middle.nodes + 1, from->nodes + begin, (size_t)(end - begin));
        middle.count += end - begin;
        if (forms[middle.nodes[0]].operands == 2)
            grow(random, &middle, 1);
        break;
    case 1:                                        /* it alone */
        *to = middle;
        return reads_x(to) && to->count < from->count;
    default:                                       /* something else in its place */
        middle.count = 0;
        grow(random, &middle, 4);
    }
    return splice(from, begin, end, &middle, to) && reads_x(to);
}

Candidate candidate_mutate(Random *random, const Candidate *from)
{
    Candidate to = *from;
    while (!change(random, from, &to))
        ;
    return to;
}

/* The subtree that begins at *at, which becomes its end. */
static void write_tree(const Candidate *c, int *at, char *to, size_t *used)
{
    for (const char *letter = forms[c->nodes[(*at)++]].form; *letter; letter++)
        if (*letter == '#')
            write_tree(c, at, to, used);
        else if (*used + 1 < CANDIDATE_TEXT)
            to[(*used)++] = *letter;
}

const char *candidate_text(const Candidate *candidate, char text[CANDIDATE_TEXT])
{
    int at = 0;
    size_t used = 0;
    write_tree(candidate, &at, text, &used);
    text[used] = '\0';
    return text;
}
