/* steps_erase.c - parts of an image made unseen: cutout (DeVries and Taylor, 2017, arXiv:1708.04552) and random erasing (Zhong et
 * al., 2017, arXiv:1708.04896). */

#include "steps.h"

#include <math.h>

void step_cutout(Canvas *canvas, const Step *step, Draw *draw)
{
    const int side = (int)step->numbers[0];
    const int y = (int)random_below(&draw->random, (uint32_t)canvas->size.height), x = (int)random_below(&draw->random, (uint32_t)canvas->size.width);
    canvas_fill(canvas, box_within((Box){ y - side / 2, x - side / 2, side, side }, canvas->size), FILL_mean, &draw->random);
}

/* A box of this area, three times as tall as wide at most or the other way round; false where ten tries did not fit into the image. */
static bool draw_box(ImageSize size, float least, float most, Random *random, Box *box)
{
    enum { TRIES = 10 };
    const float tallest = 1 / 0.3f;
    for (int i = 0; i < TRIES; i++) {
        const float area = (least + (most - least) * random_uniform(random)) * (float)size.height * (float)size.width;
        const float ratio = expf(logf(tallest) * (2 * random_uniform(random) - 1));
        const int height = (int)lrintf(sqrtf(area * ratio)), width = (int)lrintf(sqrtf(area / ratio));
        if (height < size.height && width < size.width) {
            *box = (Box){ (int)random_below(random, (uint32_t)(size.height - height + 1)),
                          (int)random_below(random, (uint32_t)(size.width - width + 1)), height, width };
            return true;
        }
    }
    return false;
}

void step_erase(Canvas *canvas, const Step *step, Draw *draw)
{
    enum { RATE, LEAST, MOST, BOXES };
    const float *numbers = step->numbers, boxes = numbers[BOXES];
    Box box;
    if (random_uniform(&draw->random) >= numbers[RATE])
        return;
    for (int i = 0; i < (int)boxes; i++)
        if (draw_box(canvas->size, numbers[LEAST] / boxes, numbers[MOST] / boxes, &draw->random, &box))
            canvas_fill(canvas, box, (CanvasFill)step->word, &draw->random);
}
