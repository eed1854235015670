/* expression_text.c - from nodes to text; see expression.h.
 *
 * A stack of what is still to be written, rather than a function that calls itself: a formula may be deep. */

#include "expression_tree.h"

#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Either a text, or a node that stands where only a precedence of `least` needs no brackets. */
typedef struct Piece {
    const char *text;
    int         node;
    int         least;
} Piece;

typedef struct Writer {
    char  *text;
    size_t size, length;
    bool   cut;
    Piece *pieces;
    int    count, room;
} Writer;

static void write_text(Writer *w, const char *text)
{
    for (; *text && !w->cut; text++) {
        if (w->length + 1 < w->size)
            w->text[w->length++] = *text;
        else
            w->cut = true;
    }
}

static void push(Writer *w, Piece piece)
{
    if (w->count == w->room) {
        Piece *const larger = allocate(2 * (size_t)w->room, sizeof *larger, "a formula's text");
        memcpy(larger, w->pieces, (size_t)w->count * sizeof *larger);
        free(w->pieces);
        w->pieces = larger;
        w->room *= 2;
    }
    w->pieces[w->count++] = piece;
}

static void push_text(Writer *w, const char *text)
{
    push(w, (Piece){ .text = text });
}

static void push_node(Writer *w, int node, int least)
{
    push(w, (Piece){ .node = node, .least = least });
}

static int node_precedence(const Node *node)
{
    if (node->operator == OPERATOR_number && signbit(node->number))
        return PRECEDENCE_prefix;
    const int precedence = operator_info(node->operator)->precedence;
    return precedence ? precedence : PRECEDENCE_function;
}

/* The pieces of what has operands, the last one first. */
static void push_operation(Writer *w, const Node *node)
{
    const OperatorInfo *row = operator_info(node->operator);
    const int *operands = node->operands, precedence = row->precedence;
    if (precedence == PRECEDENCE_function) {
        push_text(w, ")");
        for (int i = row->operands; i-- > 0;) {
            push_node(w, operands[i], PRECEDENCE_choice);
            push_text(w, i ? ", " : "(");
        }
        push_text(w, row->spelling);
    } else if (precedence == PRECEDENCE_choice) {
        push_node(w, operands[2], precedence);
        push_text(w, " : ");
        push_node(w, operands[1], precedence);
        push_text(w, " ? ");
        push_node(w, operands[0], precedence + 1);
    } else if (precedence == PRECEDENCE_prefix) {
        push_node(w, operands[0], precedence);
        push_text(w, row->spelling);
    } else {
        const bool wide = precedence < 6, power = precedence == PRECEDENCE_power, compares = precedence == PRECEDENCE_comparison;
        push_node(w, operands[1], power ? PRECEDENCE_prefix : precedence + 1);
        push_text(w, wide ? " " : "");
        push_text(w, row->spelling);
        push_text(w, wide ? " " : "");
        push_node(w, operands[0], precedence + (power || compares));
    }
}

static void write_node(Writer *w, const Expression *e, int place, int least)
{
    const Node *node = &e->nodes[place];
    char number[32];
    if (node_precedence(node) < least) {
        push_text(w, ")");
        push_node(w, place, 0);
        push_text(w, "(");
    } else if (node->operator == OPERATOR_number) {
        text_of_double(node->number, number, sizeof number);
        write_text(w, number);
    } else if (node->operator == OPERATOR_parameter) {
        write_text(w, e->names[node->operands[0]]);
    } else if (!operator_info(node->operator)->operands) {
        write_text(w, operator_info(node->operator)->spelling);
    } else {
        push_operation(w, node);
    }
}

static void write_parameters(Writer *w, const Expression *e)
{
    const char *before = "; ";
    for (int i = 0; i < e->parameters; i++) {
        char number[32];
        if (!expression_reads(e, EXPRESSION_parameter + i))
            continue;
        text_of_double(e->defaults[i], number, sizeof number);
        write_text(w, before);
        write_text(w, e->names[i]);
        write_text(w, "=");
        write_text(w, number);
        before = " ";
    }
}

const char *expression_text(const Expression *expression, char *text, size_t size)
{
    static const char dots[] = "...";
    enum { ROOM_AT_FIRST = 64 };
    CHECK(size > sizeof dots, "%zu bytes for a formula", size);
    Writer w = { .text = text, .size = size, .room = ROOM_AT_FIRST };
    w.pieces = allocate(ROOM_AT_FIRST, sizeof *w.pieces, "a formula's text");
    push_node(&w, expression->count - 1, 0);
    while (w.count > 0 && !w.cut) {
        const Piece piece = w.pieces[--w.count];
        if (piece.text)
            write_text(&w, piece.text);
        else
            write_node(&w, expression, piece.node, piece.least);
    }
    write_parameters(&w, expression);
    free(w.pieces);
    text[w.length] = '\0';
    if (w.cut)
        memcpy(text + size - sizeof dots, dots, sizeof dots);
    return text;
}
