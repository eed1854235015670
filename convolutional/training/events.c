/* events.c - see events.h. */

#include "events.h"

#include "png_bytes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 30, HEAD = 12, TAIL = 4, WIRE_varint = 0, WIRE_double = 1, WIRE_bytes = 2, WIRE_float = 5 };

static const char version[] = "brain.Event:2";

/* ---- bytes ---- */

static void add(Events *e, const void *bytes, size_t size)
{
    if (e->size + size > e->room) {
        const size_t room = 2 * (e->size + size) + 256;
        uint8_t *more = allocate(room, 1, "events");
        if (e->size)
            memcpy(more, e->bytes, e->size);
        free(e->bytes);
        e->bytes = more;
        e->room = room;
    }
    memcpy(e->bytes + e->size, bytes, size);
    e->size += size;
}

void events_free(Events *e)
{
    free(e->bytes);
    *e = (Events){ 0 };
}

static void add_little(Events *e, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        add(e, &(uint8_t){ (uint8_t)(value >> (8 * i)) }, 1);
}

static void add_varint(Events *e, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        add(e, &(uint8_t){ (uint8_t)(value | 0x80) }, 1);
    add(e, &(uint8_t){ (uint8_t)value }, 1);
}

static void add_key(Events *e, int field, int wire)
{
    add_varint(e, (uint64_t)(field << 3 | wire));
}

static void add_double(Events *e, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_little(e, bits, 8);
}

static void add_double_field(Events *e, int field, double value)
{
    add_key(e, field, WIRE_double);
    add_double(e, value);
}

static void add_bytes_field(Events *e, int field, const void *bytes, size_t size)
{
    add_key(e, field, WIRE_bytes);
    add_varint(e, size);
    add(e, bytes, size);
}

/* ---- checksums ---- */

static uint32_t crc32c(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

uint32_t events_checksum(const void *bytes, size_t size)
{
    const uint32_t crc = crc32c(bytes, size);
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

/* ---- events ---- */

static void add_record(Events *e, const Events *event)
{
    const size_t at = e->size;
    add_little(e, event->size, 8);
    add_little(e, events_checksum(e->bytes + at, 8), 4);
    add(e, event->bytes, event->size);
    add_little(e, events_checksum(event->bytes, event->size), 4);
}

/* An event around a field that holds bytes. */
static void add_event(Events *e, int field, const void *bytes, size_t size)
{
    Events event = { 0 };
    add_double_field(&event, 1, e->wall_time);
    add_key(&event, 2, WIRE_varint);
    add_varint(&event, (uint64_t)e->step);
    add_bytes_field(&event, field, bytes, size);
    add_record(e, &event);
    events_free(&event);
}

/* A summary of one value, which begins with its tag; clears the value. */
static void add_value(Events *e, Events *value)
{
    Events summary = { 0 };
    add_bytes_field(&summary, 1, value->bytes, value->size);
    add_event(e, 5, summary.bytes, summary.size);
    events_free(&summary);
    events_free(value);
}

void events_version(Events *e)
{
    const int64_t step = e->step;
    e->step = 0;
    add_event(e, 3, version, strlen(version));
    e->step = step;
}

void events_number(Events *e, const char *tag, double number)
{
    Events value = { 0 };
    const float single = (float)number;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    add_bytes_field(&value, 1, tag, strlen(tag));
    add_key(&value, 2, WIRE_float);
    add_little(&value, bits, 4);
    add_value(e, &value);
}

void events_picture(Events *e, const char *tag, const uint8_t *pixels, int channels, int h, int w)
{
    Events picture = { 0 }, value = { 0 };
    const int sizes[] = { h, w, channels };
    size_t size;
    uint8_t *png = png_bytes(pixels, channels, h, w, &size);
    if (!png)
        return;
    for (int i = 0; i < 3; i++) {
        add_key(&picture, i + 1, WIRE_varint);
        add_varint(&picture, (uint64_t)sizes[i]);
    }
    add_bytes_field(&picture, 4, png, size);
    add_bytes_field(&value, 1, tag, strlen(tag));
    add_bytes_field(&value, 4, picture.bytes, picture.size);
    events_free(&picture);
    free(png);
    add_value(e, &value);
}

static void add_packed(Events *e, int field, const double *numbers, int count)
{
    add_key(e, field, WIRE_bytes);
    add_varint(e, 8 * (uint64_t)count);
    for (int i = 0; i < count; i++)
        add_double(e, numbers[i]);
}

/* Numbers that are not finite are left out. */
void events_histogram(Events *e, const char *tag, const float *values, size_t count)
{
    double least = INFINITY, most = -INFINITY, sum = 0, squares = 0, number = 0, ends[BINS], bins[BINS] = { 0 };
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i])) {
            least = fmin(least, (double)values[i]);
            most = fmax(most, (double)values[i]);
            sum += (double)values[i];
            squares += (double)values[i] * (double)values[i];
            number++;
        }
    if (number == 0)
        return;
    const double width = most > least ? (most - least) / BINS : 1;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i])) {
            const int bin = (int)(((double)values[i] - least) / width);
            bins[bin < BINS ? bin : BINS - 1]++;
        }
    for (int b = 0; b < BINS; b++)
        ends[b] = least + (b + 1) * width;
    Events histogram = { 0 }, value = { 0 };
    const double figures[] = { least, most, number, sum, squares };
    for (int i = 0; i < 5; i++)
        add_double_field(&histogram, i + 1, figures[i]);
    add_packed(&histogram, 6, ends, BINS);
    add_packed(&histogram, 7, bins, BINS);
    add_bytes_field(&value, 1, tag, strlen(tag));
    add_bytes_field(&value, 5, histogram.bytes, histogram.size);
    events_free(&histogram);
    add_value(e, &value);
}

/* ---- reading again ---- */

static uint64_t little(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* The event of a whole record at `bytes`, and its size; NULL: it is torn or damaged. */
static const uint8_t *record_at(const uint8_t *bytes, size_t left, size_t *size)
{
    if (left < HEAD + TAIL || little(bytes + 8, 4) != events_checksum(bytes, 8) || little(bytes, 8) > left - HEAD - TAIL)
        return NULL;
    *size = (size_t)little(bytes, 8);
    return little(bytes + HEAD + *size, 4) == events_checksum(bytes + HEAD, *size) ? bytes + HEAD : NULL;
}

/* As add_event writes it: the step follows the time; -1 if it does not. */
static int64_t step_of(const uint8_t *event, size_t size)
{
    uint64_t step = 0;
    if (size < 11 || event[0] != (1 << 3 | WIRE_double) || event[9] != (2 << 3 | WIRE_varint))
        return -1;
    for (size_t i = 10, shift = 0; i < size && shift < 64; i++, shift += 7) {
        step |= (uint64_t)(event[i] & 0x7F) << shift;
        if (!(event[i] & 0x80))
            return (int64_t)step;
    }
    return -1;
}

size_t events_known(const uint8_t *bytes, size_t size, int64_t step)
{
    size_t at = 0, length;
    for (const uint8_t *event; (event = record_at(bytes + at, size - at, &length)) != NULL; at += HEAD + length + TAIL) {
        const int64_t its = step_of(event, length);
        if (its < 0 || its > step)
            break;
        if (at == 0 && (length < sizeof version || memcmp(event + length - (sizeof version - 1), version, sizeof version - 1)))
            return 0;
    }
    return at;
}
