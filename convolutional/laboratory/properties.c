/* properties.c - see properties.h. */

#include "properties.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EDGE       50.0      /* how far is looked */
#define STEP       (1.0 / 64)
#define NEAR_EDGE  5.0       /* for fixed points: farther out many functions are x to the last digit */
#define SLACK      1e-13     /* of a fixed point: rounding */
#define TAIL_NEAR  1e3       /* between these two f of one that saturates no longer moves */
#define TAIL_FAR   1e4
#define NORMAL_EDGE 12.0     /* beyond, a normal number is rarer than 1e-32 */

typedef double (*Side)(Activation act, double x);

/* ---- where something jumps ---- */

/* Narrows [a, b] down to where g changes most. Returns the change that is left in an interval of a few last digits. */
static double jump_within(Activation act, Side g, double a, double b, double *at)
{
    double left = g(act, a), right = g(act, b);
    for (int i = 0; i < 44; i++) {
        const double middle = a + (b - a) / 2, value = g(act, middle);
        if (fabs(value - left) > fabs(right - value)) {
            b = middle;
            right = value;
        } else {
            a = middle;
            left = value;
        }
    }
    *at = a + (b - a) / 2;
    return fabs(right - left);
}

/* Most places are round numbers, which bisection misses by last digits. */
static double rounded(double at)
{
    const double whole = round(at * 4096) / 4096;
    return fabs(at - whole) < 1e-9 ? whole + 0.0 : at;      /* never -0 */
}

static void kink_add(Properties *p, double at)
{
    at = rounded(at);
    if (p->kinks < PROPERTIES_MOST && (!p->kinks || at - p->kink_at[p->kinks - 1] > 1e-6))
        p->kink_at[p->kinks++] = at;
}

/* Whether g jumps anywhere; notes where. */
static bool find_jumps(Activation act, Side g, Properties *p)
{
    bool found = false;
    for (double x = -EDGE - STEP / 3; x < EDGE; x += STEP) {      /* off the round numbers, so that a jump lies within an interval */
        const double change = fabs(g(act, x + STEP) - g(act, x));
        double at;
        if (change > 1e-4 && jump_within(act, g, x, x + STEP, &at) > 1e-4 * fmax(1, change)) {
            kink_add(p, at);
            found = true;
        }
    }
    return found;
}

/* The largest second difference of f' over steps h, divided by h: a jump of f'' stays, all else goes down with h. */
static double second_difference(Activation act, double h)
{
    double most = 0;
    for (double x = -10 - h / 3; x < 10; x += h) {
        const double d = activation_slope(act, x + h) - 2 * activation_slope(act, x) + activation_slope(act, x - h);
        most = fmax(most, fabs(d) / h);
    }
    return most;
}

static Smoothness smoothness_of(Activation act, Properties *p)
{
    if (find_jumps(act, activation_value, p))
        return SMOOTH_jumps;
    if (find_jumps(act, activation_slope, p))
        return SMOOTH_kinks;
    const double coarse = second_difference(act, 1.0 / 64), fine = second_difference(act, 1.0 / 4096);
    return fine > coarse / 8 && fine > 1e-6 ? SMOOTH_once : SMOOTH_twice;
}

/* ---- extremes ---- */

/* The lowest g within [a, b], by golden sections. sign -1: the highest. */
static double lowest_within(Activation act, Side g, double sign, double a, double b, double *value)
{
    const double golden = 0.6180339887498949;
    double c = b - golden * (b - a), d = a + golden * (b - a), gc = sign * g(act, c), gd = sign * g(act, d);
    for (int i = 0; i < 80; i++) {
        if (gc <= gd) {
            b = d, d = c, gd = gc;
            c = b - golden * (b - a), gc = sign * g(act, c);
        } else {
            a = c, c = d, gc = gd;
            d = a + golden * (b - a), gd = sign * g(act, d);
        }
    }
    *value = sign * fmin(gc, gd);
    return gc <= gd ? c : d;
}

/* The lowest (sign -1: highest) g on [-EDGE, EDGE]. */
static double lowest(Activation act, Side g, double sign, double *value)
{
    double at = -EDGE, best = sign * g(act, -EDGE);
    for (double x = -EDGE + STEP; x <= EDGE; x += STEP) {
        const double here = sign * g(act, x);
        if (here < best) {
            best = here;
            at = x;
        }
    }
    double narrowed;
    const double place = lowest_within(act, g, sign, fmax(at - STEP, -EDGE), fmin(at + STEP, EDGE), &narrowed);
    if (sign * narrowed < best) {
        *value = narrowed;
        return place;
    }
    *value = sign * best;
    return at;
}

static void find_direction(Activation act, Properties *p)
{
    p->rises = p->falls = true;
    double before = activation_value(act, -EDGE);
    for (double x = -EDGE + STEP; x <= EDGE; x += STEP) {
        const double here = activation_value(act, x), slack = 1e-13 * fmax(1, fabs(here));
        p->rises = p->rises && here >= before - slack;
        p->falls = p->falls && here <= before + slack;
        before = here;
    }
}

/* f' sharpens where a lowest point lies: golden sections over f alone stop at half the digits. */
static double zero_of_slope(Activation act, double at)
{
    double a = at - STEP / 4, b = at + STEP / 4;
    if (!(activation_slope(act, a) < 0 && activation_slope(act, b) > 0))
        return at;
    for (int i = 0; i < 60; i++) {
        const double middle = a + (b - a) / 2;
        *(activation_slope(act, middle) < 0 ? &a : &b) = middle;
    }
    return a + (b - a) / 2;
}

static void find_lowest(Activation act, Properties *p)
{
    p->least = p->least_at = NAN;
    double value;
    const double at = lowest(act, activation_value, 1, &value);
    const double ends = fmin(activation_value(act, -EDGE), activation_value(act, EDGE));
    const double tails = fmin(activation_value(act, -TAIL_FAR), activation_value(act, TAIL_FAR));
    if (p->rises || p->falls || !(value < fmin(ends, tails) - 1e-12))
        return;
    p->least_at = zero_of_slope(act, at);
    p->least = activation_value(act, p->least_at);
}

static bool saturates(Activation act, double side)
{
    return fabs(activation_value(act, side * TAIL_FAR) - activation_value(act, side * TAIL_NEAR)) < 0.01 &&
           fabs(activation_slope(act, side * TAIL_NEAR)) < 1e-3 && fabs(activation_slope(act, side * TAIL_NEAR * 1.1)) < 1e-3;
}

/* ---- means over a normal number ---- */

/* Simpson's rule over [a, b], weighted by the normal density. */
static double simpson(double (*g)(const void *context, double z), const void *context, double a, double b)
{
    enum { PARTS = 2000 };
    const double h = (b - a) / PARTS;
    double sum = 0;
    if (!(b > a))
        return 0;
    for (int i = 0; i <= PARTS; i++) {
        /* At the ends, which may be jumps, the side that belongs to this piece. */
        const double z = i == 0 ? a + 1e-12 * (b - a) : i == PARTS ? b - 1e-12 * (b - a) : a + i * h;
        sum += (i == 0 || i == PARTS ? 1 : i % 2 ? 4 : 2) * g(context, z) * exp(-z * z / 2);
    }
    return sum * h / 3 * 0.39894228040143268;
}

double properties_gaussian_mean(double (*g)(const void *context, double z), const void *context, const double *jumps, int count)
{
    double sum = 0, from = -NORMAL_EDGE;
    for (int i = 0; i < count; i++) {
        if (jumps[i] <= from || jumps[i] >= NORMAL_EDGE)
            continue;
        sum += simpson(g, context, from, jumps[i]);
        from = jumps[i];
    }
    return sum + simpson(g, context, from, NORMAL_EDGE);
}

static double mean_value(const void *act, double z)
{
    return activation_value(*(const Activation *)act, z);
}

static double mean_square(const void *act, double z)
{
    const double f = activation_value(*(const Activation *)act, z);
    return f * f;
}

static double mean_slope_square(const void *act, double z)
{
    const double df = activation_slope(*(const Activation *)act, z);
    return df * df;
}

/* ---- fixed points ---- */

static void fixed_add(Properties *p, double from, double to)
{
    p->fixed_more = p->fixed_points == PROPERTIES_MOST;
    if (p->fixed_more)
        return;
    p->fixed[p->fixed_points].from = from;
    p->fixed[p->fixed_points++].to = to;
}

static double fixed_within(Activation act, double a, double b)
{
    const bool above = activation_value(act, a) > a;
    for (int i = 0; i < 60; i++) {
        const double middle = a + (b - a) / 2;
        *((activation_value(act, middle) > middle) == above ? &a : &b) = middle;
    }
    return a + (b - a) / 2;
}

static double excess(Activation act, double x)
{
    return activation_value(act, x) - x;
}

static bool is_fixed(Activation act, double x)
{
    return fabs(excess(act, x)) <= SLACK;
}

/* Where an interval of fixed points ends, between one of them and one that is none. */
static double fixed_border(Activation act, double in, double out)
{
    for (int i = 0; i < 44; i++) {
        const double middle = in + (out - in) / 2;
        *(is_fixed(act, middle) ? &in : &out) = middle;
    }
    return rounded(in);
}

/* From x, which is one, up to the last one; a single one is no interval. */
static double fixed_interval(Activation act, double x, Properties *p)
{
    double from = x, to = x;
    while (to + STEP <= NEAR_EDGE && is_fixed(act, to + STEP))
        to += STEP;
    const double last = to;
    if (last > x && x > -NEAR_EDGE)
        from = fixed_border(act, x, x - STEP);
    if (last > x && last < NEAR_EDGE)
        to = fixed_border(act, last, last + STEP);
    fixed_add(p, from, to);
    return last;
}

/* Farther out than NEAR_EDGE only where f crosses x. */
static void find_fixed_points(Activation act, Properties *p)
{
    for (double x = -EDGE; x <= EDGE; x += STEP) {
        const double rest = excess(act, x), next = excess(act, x + STEP);
        if (fabs(rest) <= SLACK) {
            if (fabs(x) <= NEAR_EDGE)
                x = fixed_interval(act, x, p);
            else if (!is_fixed(act, x - STEP) && fabs(next) > SLACK)
                fixed_add(p, x, x);
        } else if (x + STEP <= EDGE && fabs(next) > SLACK && (rest > 0) != (next > 0)) {
            const double at = fixed_within(act, x, x + STEP);
            if (fabs(excess(act, at)) < 1e-6)      /* else f jumps over it */
                fixed_add(p, at, at);
        }
    }
}

/* The lowest (sign -1: highest) slope. Infinite where it still moves beyond the edge, and no less the farther out. */
static double slope_bound(Activation act, double sign)
{
    double value;
    const double at = lowest(act, activation_slope, sign, &value);
    if (fabs(at) < EDGE - STEP)
        return value;
    const double side = at > 0 ? 1 : -1, near = sign * activation_slope(act, side * TAIL_NEAR), far = sign * activation_slope(act, side * TAIL_FAR);
    const double moved = sign * value - near;
    return isinf(near) || (moved > 0 && near - far > 0.1 * moved) ? -sign * INFINITY : value;
}

/* What is no more than rounding, or a limit not quite reached at the edge. */
static double settled(double value)
{
    return fabs(value) < 1e-12 ? 0 : value;
}

Properties properties_of(Activation act)
{
    Properties p = { 0 };
    CHECK(act.info, "activation %p: native has no properties", (const void *)act.info);
    p.smooth = smoothness_of(act, &p);
    find_direction(act, &p);
    find_lowest(act, &p);
    p.slope_least = settled(slope_bound(act, 1));
    p.slope_most = settled(slope_bound(act, -1));
    p.saturates_left = saturates(act, -1);
    p.saturates_right = saturates(act, 1);
    p.mean = settled(properties_gaussian_mean(mean_value, &act, p.kink_at, p.kinks));
    p.square = properties_gaussian_mean(mean_square, &act, p.kink_at, p.kinks);
    p.slope_square = properties_gaussian_mean(mean_slope_square, &act, p.kink_at, p.kinks);
    p.gain = 1 / sqrt(p.square);
    find_fixed_points(act, &p);
    return p;
}

/* ---- as texts ---- */

const char *properties_monotone(const Properties *p, char *text)
{
    const char *word = p->rises && p->falls ? "constant" : p->rises ? "yes" : p->falls ? "yes, falls" : "no";
    snprintf(text, PROPERTIES_TEXT, "%s", word);
    return text;
}

const char *properties_smooth(const Properties *p, char *text)
{
    static const char *const words[] = {
        [SMOOTH_jumps] = "no, f jumps", [SMOOTH_kinks] = "no, kinks", [SMOOTH_once] = "once", [SMOOTH_twice] = "yes",
    };
    int at = snprintf(text, PROPERTIES_TEXT, "%s", words[p->smooth]);
    for (int i = 0; i < p->kinks && at < PROPERTIES_TEXT - 16; i++)
        at += snprintf(text + at, (size_t)(PROPERTIES_TEXT - at), "%s%.4g", i ? ", " : " at ", p->kink_at[i]);
    return text;
}

const char *properties_saturates(const Properties *p, char *text)
{
    snprintf(text, PROPERTIES_TEXT, "%s", p->saturates_left && p->saturates_right ? "both" : p->saturates_left ? "left"
                                          : p->saturates_right                    ? "right" : "no");
    return text;
}

const char *properties_minimum(const Properties *p, char *text)
{
    if (isnan(p->least))
        snprintf(text, PROPERTIES_TEXT, "-");
    else
        snprintf(text, PROPERTIES_TEXT, "%.6f at %.6f", p->least, p->least_at);
    return text;
}

const char *properties_fixed_points(const Properties *p, char *text)
{
    int at = snprintf(text, PROPERTIES_TEXT, "%s", p->fixed_points ? "" : "none"), i = 0;
    for (; i < p->fixed_points && at < PROPERTIES_TEXT - 32; i++) {
        const double from = p->fixed[i].from, to = p->fixed[i].to;
        const char *comma = i ? ", " : "";
        const size_t room = (size_t)(PROPERTIES_TEXT - at);
        if (from == to)
            at += snprintf(text + at, room, "%s%.6g", comma, from);
        else if (from <= -NEAR_EDGE && to >= NEAR_EDGE)
            at += snprintf(text + at, room, "%severy x", comma);
        else if (to >= NEAR_EDGE)
            at += snprintf(text + at, room, "%sx >= %.6g", comma, from);
        else if (from <= -NEAR_EDGE)
            at += snprintf(text + at, room, "%sx <= %.6g", comma, to);
        else
            at += snprintf(text + at, room, "%s%.6g to %.6g", comma, from, to);
    }
    if (i < p->fixed_points || p->fixed_more)
        snprintf(text + at, (size_t)(PROPERTIES_TEXT - at), ", ...");
    return text;
}
