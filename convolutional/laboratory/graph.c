/* graph.c - see graph.h. */

#define _GNU_SOURCE      /* open_memstream */

#include "graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "layers.h"

/* Pixels. */
enum { BOX_WIDTH = 216, BOX_HEIGHT = 38, ROW = 56, LANE = BOX_WIDTH + 56, COLUMN_GAP = 44, MARGIN = 20, TITLE = 34, BYPASS = 14, APART = 7, LETTER = 10, LABEL_MOST = 23 };

/* Where a module stands; index -1, the image, is the place before the first. */
typedef struct Place {
    int row, lane, column;      /* row: from the top of all; lane: from the left of its column */
} Place;

typedef struct Graph {
    const Network *network;
    int    count;               /* places, the image's among them */
    Place *places;
    int    rows, columns;
    int   *first_rows;          /* of each column, and one past the last */
    int   *lanes;               /* of each column: how many */
} Graph;

/* ---- placing ---- */

static int source_of(const Tensor *tensor)
{
    return tensor->producer ? tensor->producer->index + 1 : 0;
}

static bool is_taken(const Graph *g, int count, int row, int lane)
{
    for (int i = 0; i < count; i++)
        if (g->places[i].row == row && g->places[i].lane == lane)
            return true;
    return false;
}

/* Below the lowest that it reads; in the lane of its first input, or the next that is free there. */
static void place_rows(Graph *g)
{
    g->places[0] = (Place){ 0 };
    for (int i = 1; i < g->count; i++) {
        const Module *module = network_module(g->network, i - 1);
        Place *place = &g->places[i];
        place->lane = g->places[source_of(module->in[0])].lane;
        for (int k = 0; k < module->inputs; k++) {
            const Place *from = &g->places[source_of(module->in[k])];
            place->row = from->row + 1 > place->row ? from->row + 1 : place->row;
            place->lane = from->lane < place->lane ? from->lane : place->lane;
        }
        while (is_taken(g, i, place->row, place->lane))
            place->lane++;
        g->rows = place->row + 1 > g->rows ? place->row + 1 : g->rows;
    }
}

/* The row of the last module that reads the place's tensor. */
static int last_reader(const Graph *g, int place)
{
    int row = g->places[place].row;
    for (int i = 1; i < g->count; i++) {
        const Module *module = network_module(g->network, i - 1);
        for (int k = 0; k < module->inputs; k++)
            if (source_of(module->in[k]) == place && g->places[i].row > row)
                row = g->places[i].row;
    }
    return row;
}

/* cuts[row]: a single tensor passes from above this row to it and what is below. */
static bool *find_cuts(const Graph *g)
{
    bool *cuts = allocate((size_t)g->rows + 1, sizeof *cuts, "a graph");
    int *passing = allocate((size_t)g->rows + 1, sizeof *passing, "a graph");
    for (int i = 0; i < g->count; i++) {
        const int last = last_reader(g, i);
        for (int row = g->places[i].row + 1; row <= last; row++)
            passing[row]++;
    }
    for (int row = 1; row < g->rows; row++)
        cuts[row] = passing[row] == 1;
    free(passing);
    return cuts;
}

/* Columns as high as the whole is wide, about: each ends at the last cut before that height, or at the first behind it. */
static void place_columns(Graph *g)
{
    bool *cuts = find_cuts(g);
    const double columns = fmax(1, round(sqrt((double)g->rows * ROW / (1.3 * LANE))));
    const int target = (int)ceil(g->rows / columns);
    g->first_rows = allocate((size_t)g->rows + 1, sizeof *g->first_rows, "a graph");
    for (int begin = 0; begin < g->rows; g->columns++) {
        int end = begin + target < g->rows ? begin + target : g->rows;
        const int aim = end;
        while (end > begin + target / 2 && end < g->rows && !cuts[end])
            end--;
        if (end < g->rows && !cuts[end])
            for (end = aim; end < g->rows && !cuts[end];)
                end++;
        g->first_rows[g->columns] = begin;
        begin = end;
    }
    g->first_rows[g->columns] = g->rows;
    g->lanes = allocate((size_t)g->columns, sizeof *g->lanes, "a graph");
    for (int i = 0; i < g->count; i++) {
        Place *place = &g->places[i];
        while (place->row >= g->first_rows[place->column + 1])
            place->column++;
        g->lanes[place->column] = place->lane + 1 > g->lanes[place->column] ? place->lane + 1 : g->lanes[place->column];
    }
    free(cuts);
}

/* ---- drawing ---- */

static int left_of(const Graph *g, int column)
{
    int left = MARGIN;
    for (int i = 0; i < column; i++)
        left += (g->lanes[i] - 1) * LANE + BOX_WIDTH + 2 * BYPASS + COLUMN_GAP;
    return left;
}

static int box_left(const Graph *g, const Place *place) { return left_of(g, place->column) + place->lane * LANE; }
static int box_top(const Graph *g, const Place *place)  { return MARGIN + TITLE + (place->row - g->first_rows[place->column]) * ROW; }
static int middle(const Graph *g, const Place *place)   { return box_left(g, place) + BOX_WIDTH / 2; }

static void print_escaped(FILE *stream, const char *text, int most)
{
    for (int i = 0; *text && i < most; text++, i++)
        if (i == most - 1 && text[1])
            fputs("&#8230;", stream);
        else if (strchr("<>&\"", *text))
            fprintf(stream, "&#%d;", *text);
        else
            fputc(*text, stream);
}

/* Colours that can be told apart with any eyes, light enough for black text (after Okabe and Ito, 2008). */
static const char *colour_of(const ModuleDescription *d)
{
    static const struct { const char *part, *colour; } rows[] = {
        { "conv", "#cfe5f5" }, { "linear", "#cfe5f5" }, { "norm", "#fdf3c0" }, { "whiten", "#fdf3c0" }, { "activation", "#fbdfc0" },
        { "pool", "#d3efe4" }, { "add", "#f4d6e6" }, { "gate", "#f4d6e6" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strstr(d->kind, rows[i].part))
            return rows[i].colour;
    return "#ebebeb";
}

static void draw_box(const Graph *g, int index, FILE *stream)
{
    const Place *place = &g->places[index];
    const int left = box_left(g, place), top = box_top(g, place);
    const Shape shape = index ? network_module(g->network, index - 1)->out->shape : network_image(g->network)->shape;
    char label[LAYER_OPTIONS + 64], options[LAYER_OPTIONS] = "";
    ModuleDescription d = { .kind = "image", .name = "" };
    if (index) {
        d = network_describe(g->network, network_module(g->network, index - 1));
        layer_options(&d, options);
    }
    const bool function = activation_key(d.function) != ACT_native, plain = !*options || strstr(d.kind, "norm");
    snprintf(label, sizeof label, "%s%s%s", function ? "" : d.kind, plain || function ? "" : " ", plain ? "" : options);
    fprintf(stream, "<g><title>");
    print_escaped(stream, d.name, 200);
    fprintf(stream, " %s ", d.kind);
    print_escaped(stream, options, LAYER_OPTIONS);
    fprintf(stream, ": %zu parameters, %.0f multiply-adds</title>"
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\" fill=\"%s\" stroke=\"#666\"/><text x=\"%d\" y=\"%d\" font-size=\"12\" font-weight=\"bold\">",
            description_trained(&d), d.macs, left, top, BOX_WIDTH, BOX_HEIGHT, colour_of(&d), left + 8, top + 16);
    print_escaped(stream, label, LABEL_MOST + 2);
    fprintf(stream, "</text><text x=\"%d\" y=\"%d\" font-size=\"10\" fill=\"#444\">", left + 8, top + 31);
    print_escaped(stream, d.name, LABEL_MOST);
    fprintf(stream, "</text><text x=\"%d\" y=\"%d\" font-size=\"10\" fill=\"#444\" text-anchor=\"end\">%d x %d x %d</text></g>\n", left + BOX_WIDTH - 8,
            top + 31, shape.c, shape.h, shape.w);
}

static void draw_line(FILE *stream, bool aside, const char *points)
{
    fprintf(stream, "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" marker-end=\"url(#%s)\"/>\n", points,
            aside ? "#d55e00" : "#444", aside ? "1.8" : "1.2", aside ? "aside" : "on");
}

/* Whether a box stands between two rows of a lane. */
static bool is_blocked(const Graph *g, int lane, int above, int below)
{
    for (int row = above + 1; row < below; row++)
        if (is_taken(g, g->count, row, lane))
            return true;
    return false;
}

static void draw_edge(const Graph *g, int from, int to, FILE *stream)
{
    const Place *a = &g->places[from], *b = &g->places[to];
    const int ax = middle(g, a), bx = middle(g, b), bottom = box_top(g, a) + BOX_HEIGHT, top = box_top(g, b);
    const int right = box_left(g, a) + BOX_WIDTH;
    const int a_middle = box_top(g, a) + BOX_HEIGHT / 2 + APART, b_middle = top + BOX_HEIGHT / 2 - APART;      /* one ends where the next begins */
    char points[256];
    if (a->column != b->column) {      /* below, between the columns, and over the next one's head; and past what stands between there */
        const int between = left_of(g, b->column) - COLUMN_GAP / 2, head = MARGIN + TITLE - 12, side = box_left(g, b) + BOX_WIDTH;
        const bool past = b->row > g->first_rows[b->column];
        const int at = snprintf(points, sizeof points, "%d,%d %d,%d %d,%d %d,%d ", ax, bottom, ax, bottom + 10, between, bottom + 10, between, head);
        if (past)
            snprintf(points + at, sizeof points - at, "%d,%d %d,%d %d,%d", side + BYPASS, head, side + BYPASS, b_middle, side, b_middle);
        else
            snprintf(points + at, sizeof points - at, "%d,%d %d,%d", bx, head, bx, top);
        draw_line(stream, past || b->lane > 0, points);
    } else if (a->lane == b->lane && !is_blocked(g, a->lane, a->row, b->row)) {
        snprintf(points, sizeof points, "%d,%d %d,%d", ax, bottom, bx, top);
        draw_line(stream, false, points);
    } else if (a->lane == b->lane) {   /* past what stands between */
        snprintf(points, sizeof points, "%d,%d %d,%d %d,%d %d,%d", right, a_middle, right + BYPASS, a_middle, right + BYPASS, b_middle, right, b_middle);
        draw_line(stream, true, points);
    } else if (a->lane < b->lane) {    /* out to a lane on the right */
        snprintf(points, sizeof points, "%d,%d %d,%d %d,%d", right, a_middle, bx, a_middle, bx, top);
        draw_line(stream, true, points);
    } else {                           /* and back */
        snprintf(points, sizeof points, "%d,%d %d,%d %d,%d", ax, bottom, ax, b_middle, box_left(g, b) + BOX_WIDTH, b_middle);
        draw_line(stream, true, points);
    }
}

static void draw(const Graph *g, const char *title, FILE *stream)
{
    static const char marker[] = "<marker id=\"%s\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" "
                                 "markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0,0 L10,5 L0,10 z\" fill=\"%s\"/></marker>";
    int most = 0;
    for (int i = 0; i < g->columns; i++)
        most = g->first_rows[i + 1] - g->first_rows[i] > most ? g->first_rows[i + 1] - g->first_rows[i] : most;
    const int boxes = left_of(g, g->columns) - COLUMN_GAP + MARGIN, words = 2 * MARGIN + LETTER * (int)strlen(title);
    const int width = boxes > words ? boxes : words, height = 2 * MARGIN + TITLE + most * ROW - (ROW - BOX_HEIGHT);
    fprintf(stream, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
            "font-family=\"sans-serif\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/><defs>", width, height, width, height);
    fprintf(stream, marker, "on", "#444");
    fprintf(stream, marker, "aside", "#d55e00");
    fprintf(stream, "</defs>\n<text x=\"%d\" y=\"%d\" font-size=\"16\" font-weight=\"bold\">", MARGIN, MARGIN + 12);
    print_escaped(stream, title, 200);
    fprintf(stream, "</text>\n");
    for (int i = g->count - 1; i > 0; i--)      /* the shorter way lies on top of a longer one */
        for (int k = 0; k < network_module(g->network, i - 1)->inputs; k++)
            draw_edge(g, source_of(network_module(g->network, i - 1)->in[k]), i, stream);
    for (int i = 0; i < g->count; i++)
        draw_box(g, i, stream);
    fprintf(stream, "</svg>\n");
}

bool graph_check_path(const char *path, Error *error)
{
    const size_t length = strlen(path);
    return (length > 4 && !strcmp(path + length - 4, ".svg")) ||
           error_set(error, EXIT_usage, "not a name for a graph: %s: let it end in .svg", path);
}

bool graph_save(const Network *network, const char *title, const char *path, Error *error)
{
    if (!graph_check_path(path, error))
        return false;
    Graph g = { .network = network, .count = network_module_count(network) + 1 };
    g.places = allocate((size_t)g.count, sizeof *g.places, "a graph");
    place_rows(&g);
    place_columns(&g);
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    if (!stream)
        memory_exhausted("a graph");
    draw(&g, title, stream);
    const bool saved = fclose(stream) == 0 && file_replace(path, bytes, size, error);
    free(bytes);
    free(g.places);
    free(g.first_rows);
    free(g.lanes);
    return saved;
}
