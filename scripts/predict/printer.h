/* printer.h - what a network says of an image, as a line: for people, as CSV, as JSON. */

#ifndef CONVZOO_PRINTER_H
#define CONVZOO_PRINTER_H

#include "checkpoint.h"

typedef enum { FORMAT_text, FORMAT_csv, FORMAT_jsonl } PrinterFormat;

typedef struct Printer {
    const ModelInfo *info;
    bool   logits;             /* print logits, else probabilities */
    PrinterFormat format;
    int    top;                /* 0: all classes in the model's order */
    double temperature;        /* that logits are divided by before they become probabilities */
    double reject;             /* an image whose largest probability is below this is unknown; 0: none is */
    float *values;             /* a value a class */
    int   *order;              /* classes, as printed */
    bool   diverged;           /* an output was not finite */
} Printer;

/* The caller sets format, logits, top, temperature and reject; printer_begin prints what stands above the lines. */
Printer printer_new(const ModelInfo *info);
void    printer_free(Printer *printer);
void    printer_begin(const Printer *printer);
void    printer_image(Printer *printer, const char *path, const float *logits);

#endif
