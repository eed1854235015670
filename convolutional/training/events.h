/* events.h - TensorBoard's event files: records of protocol buffers, each with two checksums.
 *
 *   record    length (8 bytes), its checksum (4), an Event, its checksum (4); little-endian
 *   checksum  CRC-32C, turned right by 15 bits, plus 0xa282ead8
 *   Event     1 wall time (double)  2 step (int64)  3 version (string)  5 Summary
 *   Summary   1 repeated Value      Value: 1 tag (string)  2 number (float)  4 picture  5 histogram
 *   picture   1 height  2 width  3 channels: 1 grey, 3 colours (int32)  4 the bytes of a PNG
 *   histogram 1 min  2 max  3 count  4 sum  5 sum of squares (doubles)  6 upper ends of the bins, 7 counts in them (packed doubles)
 *
 * tensorflow/core/util/event.proto, framework/summary.proto, lib/io/record_writer.cc. */

#ifndef CONVZOO_EVENTS_H
#define CONVZOO_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "folder.h"

/* Bytes that grow. {0} is none; events_free releases them. */
typedef struct Events {
    uint8_t *bytes;
    size_t   size, room;
    double   wall_time;      /* of the events that are added: seconds since 1970 */
    int64_t  step;
} Events;

void events_free(Events *events);

/* Each adds one event. The version is the first of a file. */
void events_version(Events *events);
void events_number(Events *events, const char *tag, double value);
/* pixels: h x w x channels, 1 or 3. Nothing where no PNG can be made of them. */
void events_picture(Events *events, const char *tag, const uint8_t *pixels, int channels, int h, int w);
void events_histogram(Events *events, const char *tag, const float *values, size_t count);

/* Bytes of a file's whole records, from its beginning, of steps up to `step`; 0 if it does not begin with a version. */
size_t events_known(const uint8_t *bytes, size_t size, int64_t step);

/* CRC-32C (Castagnoli), as it stands in the records. */
uint32_t events_checksum(const void *bytes, size_t size);

#endif
