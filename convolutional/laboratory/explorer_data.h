/* explorer_data.h - what the program tells the explorer page, as JSON:
 *
 *   version       of the program
 *   activations   [{ key, family, formula, parameters: [{name, value}], properties: [{label, text}], values: [[x, f, f'], ...] }]
 *   language      what a formula may use: limits, operators, functions, shorthands, with their derivatives
 *   guide         which activation for which network: the rows of choices.def
 *   experiments   [{ key, about, command, columns, rows, chart }]      those that were run: their tables, and chart_json of their charts */

#ifndef CONVZOO_EXPLORER_DATA_H
#define CONVZOO_EXPLORER_DATA_H

#include <jansson.h>

#include "explorer.h"

/* The caller owns it. experiments: as of explorer_page. */
json_t *explorer_data(const char *experiments, Error *error);

/* Parts of it, from the files of these names. */
json_t *explorer_language(void);
json_t *explorer_experiments(const char *names, Error *error);

#endif
