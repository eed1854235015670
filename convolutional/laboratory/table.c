/* table.c - see table.h. */

#define _GNU_SOURCE      /* open_memstream */

#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "list.h"
#include "text.h"
#include "text_width.h"

typedef struct Cell {
    char  *text;           /* NULL: a number */
    double number;
} Cell;

struct Table {
    int   columns;
    char *names[TABLE_COLUMNS];
    List  cells;           /* row after row, owned */
};

Table *table_new(const char *const *columns)
{
    Table *table = allocate(1, sizeof *table, "a table");
    for (; columns[table->columns]; table->columns++) {
        CHECK(table->columns < TABLE_COLUMNS, "%d columns of a table", table->columns + 1);
        for (int i = 0; i < table->columns; i++)
            CHECK(strcmp(table->names[i], columns[table->columns]), "columns %d and %d of a table are both %s", i, table->columns, columns[table->columns]);
        table->names[table->columns] = text_copy(columns[table->columns]);
    }
    return table;
}

static void cell_free(void *cell)
{
    free(((Cell *)cell)->text);
    free(cell);
}

void table_free(Table *table)
{
    if (!table)
        return;
    for (int i = 0; i < table->columns; i++)
        free(table->names[i]);
    list_clear(&table->cells, cell_free);
    free(table);
}

static Cell *table_add(Table *table)
{
    return list_add(&table->cells, allocate(1, sizeof(Cell), "a table"));
}

void table_text(Table *table, const char *text)
{
    table_add(table)->text = text_copy(text);
}

void table_number(Table *table, double number)
{
    table_add(table)->number = number;
}

int table_rows(const Table *table)
{
    return table->cells.count / table->columns;
}

int table_columns(const Table *table)
{
    return table->columns;
}

const char *table_column(const Table *table, int column)
{
    CHECK(column >= 0 && column < table->columns, "column %d of %d", column, table->columns);
    return table->names[column];
}

static const Cell *cell_at(const Table *table, int row, int column)
{
    return table->cells.items[row * table->columns + column];
}

static const Cell *cell_of(const Table *table, int row, const char *name)
{
    int column = 0;
    while (column < table->columns && strcmp(table->names[column], name))
        column++;
    CHECK(column < table->columns && row >= 0 && row < table_rows(table), "row %d of %d, column '%s'", row, table_rows(table), name);
    return cell_at(table, row, column);
}

double table_number_at(const Table *table, int row, const char *column)
{
    const Cell *cell = cell_of(table, row, column);
    return cell->text ? NAN : cell->number;
}

const char *table_text_at(const Table *table, int row, const char *column)
{
    const Cell *cell = cell_of(table, row, column);
    return cell->text ? cell->text : "";
}

static const char *cell_write(const Cell *cell, int digits, char *text, size_t size)
{
    if (cell->text)
        return cell->text;
    if (isnan(cell->number))
        *text = '\0';
    else
        snprintf(text, size, "%.*g", fabs(cell->number) < 1e9 && cell->number == floor(cell->number) ? 10 : digits, cell->number + 0.0);
    return text;
}

/* The caller frees it. */
static char *screen_text(const char *text)
{
    const size_t size = strlen("\\xHH") * strlen(text) + 1;
    char *shown = allocate(size, 1, "a text");
    text_printable(text, shown, size);
    return shown;
}

int table_cell_width(const char *text)
{
    char *shown = screen_text(text);
    const int width = text_width(shown);
    free(shown);
    return width;
}

void table_print_cell(FILE *stream, const char *text, int columns, bool right)
{
    char *shown = screen_text(text);
    const int width = text_width(shown), blanks = columns > width ? columns - width : 0;
    fprintf(stream, "%*s%s%*s", right ? blanks : 0, "", shown, right ? 0 : blanks, "");
    free(shown);
}

void table_print(const Table *table, FILE *stream)
{
    int widths[TABLE_COLUMNS];
    char text[64];
    for (int c = 0; c < table->columns; c++) {
        widths[c] = table_cell_width(table->names[c]);
        for (int r = 0; r < table_rows(table); r++) {
            const int width = table_cell_width(cell_write(cell_at(table, r, c), 4, text, sizeof text));
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (int r = -1; r < table_rows(table); r++) {
        for (int c = 0; c < table->columns; c++) {
            const bool words = table_rows(table) && cell_at(table, 0, c)->text;
            const char *cell = r < 0 ? table->names[c] : cell_write(cell_at(table, r, c), 4, text, sizeof text);
            fputs(c ? "  " : "", stream);
            table_print_cell(stream, cell, words && c == table->columns - 1 ? 0 : widths[c], !words);
        }
        fputc('\n', stream);
    }
}

/* A cell with a comma, a quote or a line's end stands in quotes. */
void table_csv_text(FILE *stream, const char *text)
{
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text; text++)
        fprintf(stream, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', stream);
}

bool table_save(const Table *table, const char *path, Error *error)
{
    char *bytes = NULL, text[64];
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    if (!stream)
        return error_set(error, EXIT_memory, "out of memory: a table: close other programs");
    for (int r = -1; r < table_rows(table); r++) {
        for (int c = 0; c < table->columns; c++) {
            if (c)
                fputc(',', stream);
            table_csv_text(stream, r < 0 ? table->names[c] : cell_write(cell_at(table, r, c), 9, text, sizeof text));
        }
        fputc('\n', stream);
    }
    const bool saved = fclose(stream) == 0 && file_replace(path, bytes, size, error);
    free(bytes);
    return saved;
}
