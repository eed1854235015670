/* sheet.h - a sheet of small pictures side by side, lines of text below each, as a PNG.
 *
 *   Sheet *sheet = sheet_new(count, (SheetOptions){ .columns = 5, .side = 128, .lines = 2 });
 *   sheet_picture(sheet, 0, pixels, 32, 32);
 *   sheet_line(sheet, 0, 0, "cat, called dog");
 *   sheet_save(sheet, "mistakes.png", &error);
 *   sheet_free(sheet); */

#ifndef CONVZOO_SHEET_H
#define CONVZOO_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

typedef struct Sheet Sheet;

enum { SHEET_FRAME = 208 };      /* the grey of the line around each picture */

typedef struct SheetOptions {
    int columns;                 /* 0: about as many as rows */
    int side;                    /* pixels of a picture's place; smaller pictures are enlarged by a whole factor, each pixel to a square */
    int lines;                   /* of text below each */
    const char *title;           /* above all; NULL: none */
} SheetOptions;

/* White, with room for `count` pictures. The caller frees it. */
Sheet *sheet_new(int count, SheetOptions options);
void   sheet_free(Sheet *sheet);

/* rgb: h x w x 3. A picture larger than its place is made smaller, every n-th pixel of it. */
void sheet_picture(Sheet *sheet, int place, const uint8_t *rgb, int h, int w);
/* Numbers as colours from the smallest to the largest, of those given and no others. */
void sheet_numbers(Sheet *sheet, int place, const float *values, int h, int w, float from, float to);
/* A text that is too long is cut, and ends in dots. */
void sheet_line(Sheet *sheet, int place, int line, const char *text);

/* Replaces the file as a whole. EXIT_usage: its name does not end in .png; EXIT_input: PLplot's driver is not installed; EXIT_write. */
bool sheet_save(const Sheet *sheet, const char *path, Error *error);
/* Whether sheet_save could take this name: to ask before long work. */
bool sheet_check_path(const char *path, Error *error);

#endif
