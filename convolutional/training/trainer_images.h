/* trainer_images.h - what a run's options make of its images: the loader's options, told and shown. */

#ifndef CONVZOO_TRAINER_IMAGES_H
#define CONVZOO_TRAINER_IMAGES_H

#include "trainer.h"

/* For training, or for validation, in the order of the data and as they are; mean and std: of the training images. */
LoaderOptions trainer_loader_options(const TrainerOptions *options, const Dataset *data, bool training, const float *mean, const float *std);

/* The loader itself, of this rank's share; fewer threads than it asked for are told. */
Loader *trainer_loader(const Trainer *trainer, const Dataset *data, bool training);

/* What the training images are opened with: all of an image, whatever --crop-pct makes of it in validation. */
DataOptions trainer_train_data(const TrainerOptions *options);

/* Decides what was left to the images' size: above 64 pixels boxes are cut out and enlarged, unless shifts were asked for. */
void trainer_settle_augmentation(TrainerOptions *options, const Dataset *data);

/* Tells which augmentation the training images get. */
void trainer_tell_augmentation(const Trainer *trainer);

#endif
