/* steps_erase.c - parts of an image made unseen: cutout (DeVries and Taylor, 2017, arXiv:1708.04552) and random erasing (Zhong et
 * al., 2017, arXiv:1708.04896). */

#include "steps.h"

void step_cutout(Canvas *canvas, const Step *step, Draw *draw)
{
    const int side = (int)step->numbers[0];
    const int y = (int)random_below(&draw->random, (uint32_t)canvas->size.height), x = (int)random_below(&draw->random, (uint32_t)canvas->size.width);
    canvas_fill(canvas, box_within((Box){ y - side / 2, x - side / 2, side, side }, canvas->size), FILL_mean, &draw->random);
}
