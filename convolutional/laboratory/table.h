/* table.h - numbers and words in rows and columns: to read, and as CSV. */

#ifndef CONVZOO_TABLE_H
#define CONVZOO_TABLE_H

#include <stdio.h>

#include "errors.h"

typedef struct Table Table;

enum { TABLE_COLUMNS = 24 };

/* Names of columns, with their units; the last is followed by NULL. The caller frees the table with table_free. */
Table *table_new(const char *const *columns);
void   table_free(Table *table);

/* The next cell, from left to right, rows from the top. NAN: an empty one. */
void table_text(Table *table, const char *text);
void table_number(Table *table, double number);

int    table_rows(const Table *table);
int    table_columns(const Table *table);
const char *table_column(const Table *table, int column);      /* its name */
/* A cell's number, and its text; NAN for a text, "" for a number. */
double      table_number_at(const Table *table, int row, const char *column);
const char *table_text_at(const Table *table, int row, const char *column);

/* A text as a cell of CSV: in quotes if it has a comma, a quote or a line's end. */
void table_csv_text(FILE *stream, const char *text);

/* How many columns of a screen table_print_cell takes for a text at least. */
int  table_cell_width(const char *text);
/* A text in so many columns of a screen, or in more where it is wider. What moves a cursor is written out. */
void table_print_cell(FILE *stream, const char *text, int columns, bool right);

/* Columns under one another, four digits, whole numbers in full. */
void table_print(const Table *table, FILE *stream);
/* A line of names, then a line a row, nine digits. Replaces the file as a whole. */
bool table_save(const Table *table, const char *path, Error *error);

#endif
