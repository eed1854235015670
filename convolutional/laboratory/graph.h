/* graph.h - a network as a picture: a box a module, an arrow a tensor, in SVG.
 *
 * Rows go down with the longest way from the image, so that what can run beside each other stands beside each other; what passes modules by, such as
 * a residual sum's other operand, is drawn around them, in colour. A long network stands in several columns, cut where a single tensor passes. */

#ifndef CONVZOO_GRAPH_H
#define CONVZOO_GRAPH_H

#include "network.h"

/* title: above all. Replaces the file as a whole; its name ends in .svg. False and a line: EXIT_usage for another end, EXIT_write. */
bool graph_save(const Network *network, const char *title, const char *path, Error *error);
bool graph_check_path(const char *path, Error *error);

#endif
