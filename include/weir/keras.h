/// Keras-style models.
///
///   using namespace weir::keras;
///   using namespace weir::keras::layers;
///   auto inputs = Input({28, 28});
///   auto x = Dense(256, "relu")(Flatten()(inputs));
///   Model model(inputs, Dense(10, "softmax")(x));
///   model.compile("adam", "sparse_categorical_crossentropy", {"accuracy"});
///   model.fit(x_train, y_train, {.epochs = 5, .validation_data = {{x_test, y_test}}});
#pragma once

#include <weir/keras/callbacks.h>
#include <weir/keras/layer.h>
#include <weir/keras/layers.h>
#include <weir/keras/losses.h>
#include <weir/keras/metrics.h>
#include <weir/keras/model.h>
#include <weir/keras/optimizers.h>
